//! What is left of a risk that somebody accepts: a formula, with numbers wherever they are declared.

use handfast::flow_file::FlowFile;
use handfast_lab::generals::Ratio;
use handfast_protocol::{Finding, Risk, Span};

/// What is left of a risk.
pub(super) struct Residual {
    /// The formula, in the names that the flow file uses.
    pub(super) formula: &'static str,
    /// Its value, where every number in it is declared: a probability, exactly.
    pub(super) odds: Option<Ratio>,
    /// How long the window is in which it can happen, in milliseconds, where that is declared.
    pub(super) window_ms: Option<u64>,
    /// The same in a sentence.
    pub(super) says: String,
}

/// What is left of this risk of that flow.
pub(super) fn of(risk: &Finding<Risk>, file: &FlowFile) -> Residual {
    match risk.what {
        Risk::TwoPivots { first } => two_pivots(file, first, risk.step),
        Risk::ForgottenKey { remembers_ms, margin_ms } => window(
            "message_lifetime + clock_error + longest_outage",
            margin_ms,
            &format!(
                "a key that is forgotten charges twice if the last act, sent up to {} after the first, arrives",
                Span(remembers_ms)
            ),
            "after that",
        ),
        Risk::ShortTombstone { closed_ms, margin_ms } => window(
            "message_lifetime + clock_error + longest_outage - closed",
            margin_ms.map(|margin_ms| margin_ms.saturating_sub(closed_ms)),
            &format!(
                "an act that arrives more than {} after its key was closed is carried out, for as long as one may be on the road",
                Span(closed_ms)
            ),
            "",
        ),
        Risk::LooseRefusal => window(
            "message_lifetime + clock_error + longest_outage",
            file.assumptions().margin_ms(),
            "an act that was sent before the refusal may succeed after it, for as long as it may be on the road",
            "",
        ),
        Risk::NotIdempotent { peek } => not_idempotent(file, peek),
        Risk::UndoNotIdempotent { repeats } => undo_not_idempotent(file, repeats),
        Risk::HoldLapse { expires_ms: _, margin_ms, gate_cannot_close: _ } => window(
            "outage > message_lifetime + clock_error + longest_outage",
            margin_ms,
            "where nobody can be reached between the decision and the capture for longer than the saga is decided before the \
             hold lapses, the goods have left unpaid",
            "",
        ),
        Risk::SecondId { of } => second_id(file, of),
        Risk::BareStatus { operation: _, meaning } => Residual {
            formula: "s",
            odds: None,
            window_ms: None,
            says: format!(
                "an answer of somebody else is taken as {} with probability s, how often such a status comes from a gateway, a \
                 proxy or a page that says that the service is away; nobody can declare it for them",
                meaning.name()
            ),
        },
    }
}

fn second_id(file: &FlowFile, of: usize) -> Residual {
    let of = file.steps().get(of).map_or("?", |step| step.name.as_str());
    let says = format!(
        "an order is done twice where the coordinator's store is put back to a copy from before the answer of {of} was kept, with \
         probability r; nobody can declare it, but whoever then looks for what there is two of, by the order, before the \
         coordinator is started again can cancel one of them"
    );
    Residual { formula: "r", odds: None, window_ms: None, says }
}

fn two_pivots(file: &FlowFile, first: usize, second: usize) -> Residual {
    let odds = file.residual_odds();
    let name = |step: usize| file.steps().get(step).map_or("?", |step| step.name.as_str());
    let value = match (&odds.refusal, &odds.loss, odds.tries) {
        (Some(refusal), Some(loss), Some(tries)) => {
            let exactly = |ratio: &handfast::flow_file::Ratio| {
                i64::try_from(ratio.numerator()).ok().map(|numerator| Ratio::new(numerator, ratio.denominator()))
            };
            let tries = i32::try_from(tries).ok();
            exactly(refusal).zip(exactly(loss)).zip(tries).map(|((q, p), tries)| {
                let all_lost = p.0.pow(tries);
                Ratio(q.0.clone() + q.complement().0 * all_lost)
            })
        }
        (Some(_) | None, Some(_) | None, Some(_) | None) => None,
    };
    let numbers = if value.is_some() {
        let (q, p) = (odds.refusal.as_ref(), odds.loss.as_ref());
        let said = |ratio: Option<&handfast::flow_file::Ratio>| ratio.map(ToString::to_string).unwrap_or_default();
        format!("with q = {}, p = {} and n = {}", said(q), said(p), odds.tries.unwrap_or_default())
    } else {
        "declare refusal (q), loss (p) and tries (n) under [assume] to have it as a number".to_owned()
    };
    let says =
        format!("{} is done and {} is not with a probability of at most q + (1-q) p^n, {numbers}", name(first), name(second));
    Residual { formula: "q + (1-q) p^n", odds: value, window_ms: None, says }
}

/// Where it can be looked for an answer that is lost is found again, and only the loss of the one request leaves doubt.
fn not_idempotent(file: &FlowFile, peek: bool) -> Residual {
    let loss = file.residual_odds().loss.as_ref();
    let lost = loss.and_then(|loss| Some(Ratio::new(i64::try_from(loss.numerator()).ok()?, loss.denominator())));
    let number =
        loss.map_or_else(|| "; declare loss under [assume] to have it as a number".to_owned(), |loss| format!(", p = {loss}"));
    let (formula, odds, when) = if peek {
        ("p", lost, "the one request is lost, so that nothing is ever found of it")
    } else {
        let either = lost.map(|lost| Ratio(lost.complement().0.pow(2)).complement());
        ("1 - (1-p)^2", either, "the one request or its answer is lost, since it cannot be looked for")
    };
    let says = format!(
        "a person is asked where {when}: with probability {formula}, where p is the loss of one message{number}; a request \
         that the network doubles acts twice"
    );
    Residual { formula, odds, window_ms: None, says }
}

/// Where a look tells what became of the undo, only a request that is doubled undoes twice.
fn undo_not_idempotent(file: &FlowFile, repeats: bool) -> Residual {
    let NotLooked { formula, odds, number } = NotLooked::of(file);
    if repeats {
        let says =
            "an undo that the network, or a proxy, doubles with probability d undoes twice; nobody can declare it for them";
        return Residual { formula: "d", odds: None, window_ms: None, says: says.to_owned() };
    }
    let says = format!(
        "a person is asked where the one request or its answer is lost: with probability {formula}, where p is the loss of one \
         message{number}; an undo that the network doubles undoes twice"
    );
    Residual { formula, odds, window_ms: None, says }
}

/// How likely nobody hears what became of one request that cannot be looked for.
struct NotLooked {
    formula: &'static str,
    odds: Option<Ratio>,
    /// The loss that was declared, or how to declare it.
    number: String,
}

impl NotLooked {
    fn of(file: &FlowFile) -> Self {
        let loss = file.residual_odds().loss.as_ref();
        let lost = loss.and_then(|loss| Some(Ratio::new(i64::try_from(loss.numerator()).ok()?, loss.denominator())));
        let number = loss
            .map_or_else(|| "; declare loss under [assume] to have it as a number".to_owned(), |loss| format!(", p = {loss}"));
        let odds = lost.map(|lost| Ratio(lost.complement().0.pow(2)).complement());
        Self { formula: "1 - (1-p)^2", odds, number }
    }
}

fn window(formula: &'static str, window_ms: Option<u64>, says: &str, after: &str) -> Residual {
    let length = window_ms.map_or_else(
        || "for how long is not declared; message_lifetime, clock_error and longest_outage under [assume] say it".to_owned(),
        |window_ms| Span(window_ms).to_string(),
    );
    let after = if after.is_empty() { String::new() } else { format!(" {after}") };
    Residual { formula, odds: None, window_ms, says: format!("{says}{after}: {length}") }
}
