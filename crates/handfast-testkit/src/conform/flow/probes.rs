//! The trials: each asks a few things about an order of its own, and says what that shows of the profile.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use handfast::participant::Scalar;
use handfast_protocol::{Answers, Close, Definite, Operation, Repeat, Undo};

use super::TrialError;
use super::lines::{Lines, Name};
use super::subject::{Case, Subject, Told};

/// A look may lag behind a little; after this it does not find what was done.
const PEEK_TRIES: u32 = 10;
const PEEK_PAUSE: Duration = Duration::from_millis(200);

/// The first act: without one that is done, nothing can be tried.
pub(super) async fn first_act(subject: &Subject<'_>, lines: &mut Lines) -> Result<(), TrialError> {
    let case = subject.case().await?;
    match case.act("act").await {
        Told::State(Definite::Done, ..) => {
            lines.held(Name::Done, "an act was answered with what means done");
            let later = subject.profile().answers == Answers::Later;
            let how = if later { "an act was done in the end" } else { "an act was answered at once" };
            lines.held(Name::Answers, how);
        }
        Told::State(Definite::Refused, ..) => return Err(TrialError::Refused),
        told @ Told::State(..) => lines.broken(Name::Done, format!("the first act on a key said {}", told.word())),
        Told::Nothing(seen) if subject.unfit().is_empty() => return Err(TrialError::Silent(subject.origin(), seen)),
        told @ (Told::Nothing(_) | Told::Absent | Told::Accepted(_) | Told::Failed) => {
            lines.broken(Name::Done, format!("an act fits nothing: {}", told.word()));
        }
    }
    case.clear_away().await;
    Ok(())
}

/// Acts twice, one after the other and side by side; the acts of the two orders tell by what one effect is told from another.
pub(super) async fn repeat(subject: &Subject<'_>, lines: &mut Lines) -> Result<(), TrialError> {
    if subject.profile().repeat == Repeat::Never {
        lines.nothing(Name::Idempotent, "nothing is promised, so whether a repeated act is carried out again is not looked at");
        return Ok(());
    }
    let case = subject.case().await?;
    let first = case.act("act").await;
    let again = case.act("act again").await;

    let beside = subject.case().await?;
    let (one, other) = tokio::join!(beside.act("act"), beside.act("act beside it"));
    let telling = telling(((&case, &first), (&beside, &one)), (None, None));
    compare((&first, &again), "a repeated act", &telling, lines);
    if one.is(Definite::Done) && other.is(Definite::Done) {
        compare((&one, &other), "an act beside another", &telling, lines);
    }
    case.clear_away().await;
    beside.clear_away().await;
    Ok(())
}

/// What was kept of an answer.
type Brought = BTreeMap<String, Scalar>;
/// An order, and what its service said.
type Heard<'a> = (&'a Case<'a>, &'a Told);

/// The names of what tells one effect from another: the answers about two orders have brought two values, and neither was in what
/// the service was asked. `of_acts` is what the acts brought, where something later is told apart.
fn telling((one, other): (Heard<'_>, Heard<'_>), of_acts: (Option<&Brought>, Option<&Brought>)) -> BTreeSet<String> {
    let (Some(of_one), Some(of_other)) = (one.1.brought(), other.1.brought()) else { return BTreeSet::new() };
    let differs = |(name, value): &(&String, &Scalar)| of_other.get(*name).is_some_and(|of_other| of_other != *value);
    let is_news = |(name, value): &(&String, &Scalar)| {
        !one.0.has_said(value, of_acts.0) && of_other.get(*name).is_some_and(|value| !other.0.has_said(value, of_acts.1))
    };
    of_one.iter().filter(differs).filter(is_news).map(|(name, _)| name.clone()).collect()
}

/// The names of what two answers have both brought with one value, of those that tell effects apart.
fn same(one: &Brought, other: &Brought, telling: &BTreeSet<String>) -> Vec<String> {
    telling.iter().filter(|name| one.get(*name).is_some() && one.get(*name) == other.get(*name)).cloned().collect()
}

/// Whether two answers to acts on one key speak of one effect.
fn compare((first, again): (&Told, &Told), what: &str, telling: &BTreeSet<String>, lines: &mut Lines) {
    let Told::State(Definite::Done, kept) = first else {
        return lines.nothing(Name::Idempotent, format!("no act was done, so none could be repeated: {}", first.word()));
    };
    match again {
        Told::State(Definite::Done, other) if kept != other => {
            let name = differing(kept, other);
            lines.broken(Name::Idempotent, format!("{what} brought another {name}: it was carried out again"));
        }
        Told::State(Definite::Done, other) => match same(kept, other, telling).as_slice() {
            [] => lines
                .nothing(Name::Idempotent, format!("nothing {NO_TELLING}; keep an id that the service gives what it has done")),
            names => lines.held(Name::Idempotent, format!("{what} brought the same {}", names.join(" and "))),
        },
        told @ Told::State(..) => lines.broken(Name::Idempotent, format!("{what} said {} of what was done", told.word())),
        told @ (Told::Absent | Told::Accepted(_) | Told::Failed | Told::Nothing(_)) => lines.nothing(
            Name::Idempotent,
            format!("{what} fits nothing ({}): an order whose first answer is lost would be asked on and on", told.word()),
        ),
    }
}

/// Why it cannot be seen whether something was done once.
const NO_TELLING: &str = "that is kept of the answers tells two effects apart";

fn differing(one: &Brought, other: &Brought) -> String {
    let name = one.iter().find(|(name, value)| other.get(*name) != Some(*value)).map(|(name, _)| name);
    name.cloned().unwrap_or_else(|| other.keys().cloned().collect::<Vec<_>>().join(" and "))
}

/// Undoes twice, and acts after that.
pub(super) async fn undo(subject: &Subject<'_>, lines: &mut Lines) -> Result<(), TrialError> {
    if !subject.has(Operation::Undo) {
        lines.nothing(Name::Undo, "nothing is promised");
        return Ok(());
    }
    let case = subject.case().await?;
    let act = case.act("act").await;
    if !act.is(Definite::Done) {
        lines.nothing(Name::Undo, "no act was done, so none could be undone");
        return Ok(());
    }
    let first = case.undo("undo of what was done").await;
    match &first {
        Told::State(Definite::Undone | Definite::Closed, ..) => lines.held(Name::Undo, "what was done was undone"),
        Told::Accepted(_) => lines.nothing(Name::Undo, "an undo was accepted, and was not done for as long as anybody looked"),
        Told::Failed => lines.broken(Name::Undo, "an undo of what was done failed"),
        told @ Told::State(..) => lines.broken(Name::Undo, format!("an undo of what was done said {}", told.word())),
        told @ (Told::Absent | Told::Nothing(_)) => {
            lines.nothing(Name::Undo, format!("an undo of what was done fits nothing: {}", told.word()));
            return Ok(());
        }
    }
    look_at_undo(&case, &first, lines).await;
    undo_again(subject, (&case, &act), &first, lines).await?;
    // Of any other undo nobody has said that it keeps an act away that comes later.
    let closes = subject.profile().undo == Undo::Closes;
    if closes && first.is(Definite::Undone) && case.act("act after an undo").await.is(Definite::Done) {
        lines.broken(Name::Undo, "an act after an undo was done");
    }
    if first.is(Definite::Undone) && subject.profile().peek && case.peek("peek after an undo").await.is(Definite::Done) {
        lines.broken(Name::Undo, "after an undo a look still says done");
    }
    case.clear_away().await;
    Ok(())
}

/// Looks at an undo by the look that there is for it. One that was accepted was looked for already.
async fn look_at_undo(case: &Case<'_>, undone: &Told, lines: &mut Lines) {
    if !undone.is(Definite::Undone) {
        return lines.nothing(Name::UndoPeek, format!("the undo that was looked for is {}", undone.word()));
    }
    let mut told = Told::Absent;
    for at in 1..=PEEK_TRIES {
        told = case.look_at_undo("look at an undo that is done", at == PEEK_TRIES).await;
        if matches!(told, Told::State(Definite::Undone, ..) | Told::Failed) {
            break;
        }
        tokio::time::sleep(PEEK_PAUSE).await;
    }
    match told {
        Told::State(Definite::Undone, ..) => lines.held(Name::UndoPeek, "a look at an undo found it done"),
        Told::State(..) | Told::Accepted(_) | Told::Failed => {
            lines.broken(Name::UndoPeek, format!("a look at an undo that is done says {}", told.word()));
        }
        Told::Absent | Told::Nothing(_) => {
            lines.nothing(Name::UndoPeek, format!("a look at an undo that is done fits nothing: {}", told.word()));
        }
    }
}

/// Undoes once more, and looks whether that was done a second time: an undo of another order tells by what two are told apart.
async fn undo_again(
    subject: &Subject<'_>,
    (case, act): (&Case<'_>, &Told),
    first: &Told,
    lines: &mut Lines,
) -> Result<(), TrialError> {
    let again = case.undo("undo again").await;
    let other = subject.case().await?;
    let other_act = other.act("act").await;
    let of_other = if first.brought().is_some_and(|brought| !brought.is_empty()) {
        other.undo("undo of what was done").await
    } else {
        other.clear_away().await;
        Told::Absent
    };
    let telling = telling(((case, first), (&other, &of_other)), (act.brought(), other_act.brought()));
    compare_undos(first, &again, &telling, lines);
    if again.is(Definite::Done) || again.is(Definite::Refused) {
        lines.broken(Name::Undo, format!("an undo that was repeated said {}", again.word()));
    }
    Ok(())
}

/// Whether two answers to undos of one key speak of one effect: only what is kept of them tells, since a second refund has the
/// words of the first.
fn compare_undos(first: &Told, again: &Told, telling: &BTreeSet<String>, lines: &mut Lines) {
    let were_taken = |told: &Told| matches!(told, Told::State(Definite::Undone, _) | Told::Accepted(_));
    let both = first.brought().zip(again.brought()).filter(|_| were_taken(first) && were_taken(again));
    let Some((kept, other)) = both else {
        let why = format!("an undo that was repeated said {}, so whether it was carried out again cannot be seen", again.word());
        return lines.nothing(Name::UndoneOnce, why);
    };
    if kept != other {
        let name = differing(kept, other);
        return lines
            .broken(Name::UndoneOnce, format!("an undo that was repeated brought another {name}: it was carried out again"));
    }
    match same(kept, other, telling).as_slice() {
        [] => lines.nothing(Name::UndoneOnce, format!("nothing {NO_TELLING}; keep the id of a refund")),
        names => lines.held(Name::UndoneOnce, format!("an undo that was repeated brought the same {}", names.join(" and "))),
    }
}

/// Undoes what is not there, and acts after that.
pub(super) async fn undo_of_nothing(subject: &Subject<'_>, lines: &mut Lines) -> Result<(), TrialError> {
    if subject.profile().undo != Undo::Closes {
        return Ok(());
    }
    let case = subject.case().await?;
    match case.undo("undo of what is not there").await {
        Told::State(Definite::Closed | Definite::Undone, ..) => {
            tombstone(&case, Name::Undo, "undoing what is not there", lines).await;
        }
        told @ Told::State(..) => lines.broken(Name::Undo, format!("an undo of what is not there said {}", told.word())),
        Told::Absent | Told::Accepted(_) | Told::Failed | Told::Nothing(_) => {}
    }
    case.clear_away().await;
    Ok(())
}

/// Closes what is not there, acts after that, and closes what was done.
pub(super) async fn close(subject: &Subject<'_>, lines: &mut Lines) -> Result<(), TrialError> {
    if !matches!(subject.profile().close, Close::ForEver | Close::For(_)) {
        lines.nothing(Name::Close, "nothing is promised");
        return Ok(());
    }
    let case = subject.case().await?;
    match case.close("close of what is not there").await {
        Told::State(Definite::Closed | Definite::Undone, ..) => tombstone(&case, Name::Close, "a close", lines).await,
        told @ Told::State(..) => lines.broken(Name::Close, format!("a close of what is not there said {}", told.word())),
        told @ (Told::Absent | Told::Accepted(_) | Told::Failed | Told::Nothing(_)) => {
            lines.nothing(Name::Close, format!("a close of what is not there fits nothing: {}", told.word()));
        }
    }
    case.clear_away().await;

    let case = subject.case().await?;
    if !case.act("act").await.is(Definite::Done) {
        return Ok(());
    }
    let closed = case.close("close of what was done").await;
    // To say closed of what was done is right where the close has taken it back.
    if matches!(closed, Told::State(Definite::Closed | Definite::Undone, ..)) {
        tombstone(&case, Name::Close, "a close of what was done", lines).await;
    }
    if closed.is(Definite::Refused) {
        lines.broken(Name::Close, "a close of what was done said refused");
    }
    case.clear_away().await;
    Ok(())
}

/// Whether an act after `what` is kept from being done.
async fn tombstone(case: &Case<'_>, name: Name, what: &str, lines: &mut Lines) {
    match case.act(&format!("act after {what}")).await {
        Told::State(Definite::Done, ..) => lines.broken(name, format!("an act after {what} was done")),
        told @ Told::State(..) => lines.held(name, format!("an act after {what} was not done: {}", told.word())),
        told @ (Told::Absent | Told::Accepted(_) | Told::Failed | Told::Nothing(_)) => {
            let seen = told.word();
            lines.nothing(name, format!("an act after {what} fits nothing ({seen}): say which answer means closed"));
        }
    }
}

/// Looks before and after an act.
pub(super) async fn peek(subject: &Subject<'_>, lines: &mut Lines) -> Result<(), TrialError> {
    if !subject.has(Operation::Look) {
        lines.nothing(Name::Peek, "nothing is promised");
        return Ok(());
    }
    let case = subject.case().await?;
    if let told @ Told::State(..) = case.peek("peek before an act").await {
        lines.broken(Name::Peek, format!("before any act a look said {}", told.word()));
    }
    if !case.act("act").await.is(Definite::Done) {
        return Ok(());
    }
    let mut told = case.peek("peek after an act").await;
    for _ in 1..PEEK_TRIES {
        if matches!(told, Told::State(..)) {
            break;
        }
        tokio::time::sleep(PEEK_PAUSE).await;
        told = case.peek("peek after an act").await;
    }
    if told.is(Definite::Done) {
        lines.held(Name::Peek, "a look found what was done");
    } else {
        lines.broken(Name::Peek, format!("a look does not find what was done: {}", told.word()));
    }
    case.clear_away().await;
    Ok(())
}

/// Is refused twice.
pub(super) async fn refusal(subject: &Subject<'_>, lines: &mut Lines) -> Result<(), TrialError> {
    if !subject.profile().may_refuse {
        lines.nothing(Name::MayRefuse, "that something never happens cannot be seen");
        return Ok(());
    }
    let Some(case) = subject.refused_case().await? else {
        debug_assert!(!subject.has_refused(), "there is an order that is refused");
        for name in [Name::MayRefuse, Name::StickyRefusal] {
            lines.nothing(name, "give an order that is refused with --refused-body");
        }
        return Ok(());
    };
    let first = case.act("act that is to be refused").await;
    if !first.is(Definite::Refused) {
        let why = format!("the order of --refused-body was not refused: {}", first.word());
        lines.nothing(Name::MayRefuse, why.clone());
        lines.nothing(Name::StickyRefusal, why);
        case.clear_away().await;
        return Ok(());
    }
    lines.held(Name::MayRefuse, "an act was refused");
    let again = case.act("act after a refusal").await;
    match (&again, subject.profile().sticky_refusal) {
        (Told::State(Definite::Done, ..), true) => lines.broken(Name::StickyRefusal, "an act after a refusal was done"),
        (Told::State(..), true) => lines.held(Name::StickyRefusal, "an act after a refusal was refused again"),
        (told @ (Told::Absent | Told::Accepted(_) | Told::Failed | Told::Nothing(_)), true) => {
            lines.nothing(Name::StickyRefusal, format!("an act after a refusal fits nothing: {}", told.word()));
        }
        (Told::State(..) | Told::Absent | Told::Accepted(_) | Told::Failed | Told::Nothing(_), false) => {
            lines.nothing(Name::StickyRefusal, "nothing is promised");
        }
    }
    case.clear_away().await;
    Ok(())
}
