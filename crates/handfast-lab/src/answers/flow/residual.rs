//! What is left of a risk that somebody accepts: a formula, with numbers wherever they are declared.

use handfast_protocol::{Finding, Risk, Span};

use super::Question;
use crate::generals::Ratio;

/// What is declared of what no protocol can promise, each number as it was written.
#[derive(Clone, Debug, Default)]
pub struct Odds {
    /// How likely the second of two steps refuses that cannot be undone.
    pub refusal: Option<String>,
    /// How likely one message is lost.
    pub loss: Option<String>,
    /// How many tries are made, each independent of the others.
    pub tries: Option<u32>,
}

impl Odds {
    /// The loss of one message, exactly.
    fn lost(&self) -> Option<Ratio> {
        self.loss.as_ref()?.parse().ok()
    }

    /// The loss that was declared, or how to declare it.
    fn loss_in_words(&self) -> String {
        match &self.loss {
            Some(loss) => format!(", p = {loss}"),
            None => "; declare loss under [assume] to have it as a number".to_owned(),
        }
    }

    /// How likely nobody hears what became of one request that cannot be looked for.
    fn either_lost(&self) -> Option<Ratio> {
        self.lost().map(|lost| Ratio(lost.complement().0.pow(2)).complement())
    }
}

/// What is left of a risk.
#[derive(Clone, Debug)]
pub struct Residual {
    /// The formula, in the names that the flow file uses.
    pub formula: &'static str,
    /// Its value, where every number in it is declared: a probability, exactly.
    pub odds: Option<Ratio>,
    /// How long the window is in which it can happen, in milliseconds, where that is declared.
    pub window_ms: Option<u64>,
    /// The same in a sentence.
    pub says: String,
}

/// What is left of this risk of that flow.
pub(super) fn of(risk: &Finding<Risk>, flow: &Question<'_>) -> Residual {
    match risk.what {
        Risk::TwoPivots { first } => two_pivots(flow, first, risk.step),
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
            flow.case.assumptions().margin_ms(),
            "an act that was sent before the refusal may succeed after it, for as long as it may be on the road",
            "",
        ),
        Risk::NotIdempotent { peek } => not_idempotent(flow, peek),
        Risk::UndoNotIdempotent { repeats } => undo_not_idempotent(flow, repeats),
        Risk::HoldLapse { expires_ms: _, margin_ms, gate_cannot_close: _ } => window(
            "outage > message_lifetime + clock_error + longest_outage",
            margin_ms,
            "where nobody can be reached between the decision and the capture for longer than the saga is decided before the \
             hold lapses, the goods have left unpaid",
            "",
        ),
        Risk::SecondId { of } => second_id(flow, of),
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

fn second_id(flow: &Question<'_>, of: usize) -> Residual {
    let of = flow.name(of);
    let says = format!(
        "an order is done twice where the coordinator's store is put back to a copy from before the answer of {of} was kept, with \
         probability r; nobody can declare it, but whoever then looks for what there is two of, by the order, before the \
         coordinator is started again can cancel one of them"
    );
    Residual { formula: "r", odds: None, window_ms: None, says }
}

fn two_pivots(flow: &Question<'_>, first: usize, second: usize) -> Residual {
    let Odds { refusal, loss, tries } = &flow.odds;
    let refused: Option<Ratio> = refusal.as_ref().and_then(|refusal| refusal.parse().ok());
    let tries_made = tries.and_then(|tries| i32::try_from(tries).ok());
    let value = refused.zip(flow.odds.lost()).zip(tries_made).map(|((q, p), tries)| {
        let all_lost = p.0.pow(tries);
        Ratio(q.0.clone() + q.complement().0 * all_lost)
    });
    let numbers = match (&value, refusal, loss, tries) {
        (Some(_), Some(refusal), Some(loss), Some(tries)) => format!("with q = {refusal}, p = {loss} and n = {tries}"),
        (Some(_) | None, Some(_) | None, Some(_) | None, Some(_) | None) => {
            "declare refusal (q), loss (p) and tries (n) under [assume] to have it as a number".to_owned()
        }
    };
    let says = format!(
        "{} is done and {} is not with a probability of at most q + (1-q) p^n, {numbers}",
        flow.name(first),
        flow.name(second)
    );
    Residual { formula: "q + (1-q) p^n", odds: value, window_ms: None, says }
}

/// Where it can be looked for an answer that is lost is found again, and only the loss of the one request leaves doubt.
fn not_idempotent(flow: &Question<'_>, peek: bool) -> Residual {
    let number = flow.odds.loss_in_words();
    let (formula, odds, when) = if peek {
        ("p", flow.odds.lost(), "the one request is lost, so that nothing is ever found of it")
    } else {
        let when = "the one request or its answer is lost, since it cannot be looked for";
        (EITHER_LOST, flow.odds.either_lost(), when)
    };
    let says = format!(
        "a person is asked where {when}: with probability {formula}, where p is the loss of one message{number}; a request \
         that the network doubles acts twice"
    );
    Residual { formula, odds, window_ms: None, says }
}

/// Where a look tells what became of the undo, only a request that is doubled undoes twice.
fn undo_not_idempotent(flow: &Question<'_>, repeats: bool) -> Residual {
    if repeats {
        let says =
            "an undo that the network, or a proxy, doubles with probability d undoes twice; nobody can declare it for them";
        return Residual { formula: "d", odds: None, window_ms: None, says: says.to_owned() };
    }
    let says = format!(
        "a person is asked where the one request or its answer is lost: with probability {EITHER_LOST}, where p is the loss of one \
         message{}; an undo that the network doubles undoes twice",
        flow.odds.loss_in_words()
    );
    Residual { formula: EITHER_LOST, odds: flow.odds.either_lost(), window_ms: None, says }
}

/// The formula of a request of which nobody hears what became: it, or its answer, is lost.
const EITHER_LOST: &str = "1 - (1-p)^2";

fn window(formula: &'static str, window_ms: Option<u64>, says: &str, after: &str) -> Residual {
    let length = window_ms.map_or_else(
        || "for how long is not declared; message_lifetime, clock_error and longest_outage under [assume] say it".to_owned(),
        |window_ms| Span(window_ms).to_string(),
    );
    let after = if after.is_empty() { String::new() } else { format!(" {after}") };
    Residual { formula, odds: None, window_ms, says: format!("{says}{after}: {length}") }
}
