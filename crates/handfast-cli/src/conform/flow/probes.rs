//! The trials: each asks a few things about an order of its own, and says what that shows of the profile.

use std::collections::BTreeMap;
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
        Told::Nothing(seen) if subject.unfit().is_empty() => return Err(TrialError::Silent(seen)),
        told @ (Told::Nothing(_) | Told::Absent) => lines.broken(Name::Done, format!("an act fits nothing: {}", told.word())),
    }
    case.clear_away().await;
    Ok(())
}

/// Acts twice, one after the other and side by side.
pub(super) async fn repeat(subject: &Subject<'_>, lines: &mut Lines) -> Result<(), TrialError> {
    if subject.profile().repeat == Repeat::Never {
        lines.nothing(Name::Idempotent, "nothing is promised, and an act is never repeated");
        return Ok(());
    }
    let case = subject.case().await?;
    let first = case.act("act").await;
    let again = case.act("act again").await;
    compare(&first, &again, "a repeated act", lines);
    case.clear_away().await;

    let case = subject.case().await?;
    let (one, other) = tokio::join!(case.act("act"), case.act("act beside it"));
    if one.is(Definite::Done) && other.is(Definite::Done) {
        compare(&one, &other, "an act beside another", lines);
    }
    case.clear_away().await;
    Ok(())
}

/// Whether two answers to acts on one key speak of one effect.
fn compare(first: &Told, again: &Told, what: &str, lines: &mut Lines) {
    let Told::State(Definite::Done, kept, body) = first else {
        return lines.nothing(Name::Idempotent, format!("no act was done, so none could be repeated: {}", first.word()));
    };
    match again {
        Told::State(Definite::Done, other, _) if kept != other => {
            let name = differing(kept, other);
            lines.broken(Name::Idempotent, format!("{what} brought another {name}: it was carried out again"));
        }
        Told::State(Definite::Done, other, _) if !other.is_empty() => {
            lines.held(Name::Idempotent, format!("{what} brought the same {}", names(other)));
        }
        Told::State(Definite::Done, _, other) if body == other => {
            lines.held(Name::Idempotent, format!("{what} got the same answer"));
        }
        Told::State(Definite::Done, ..) => lines.nothing(
            Name::Idempotent,
            "nothing is kept of the answers, and they differ, so one effect looks like two; keep an id of what was done",
        ),
        told @ Told::State(..) => lines.broken(Name::Idempotent, format!("{what} said {} of what was done", told.word())),
        told @ (Told::Absent | Told::Nothing(_)) => lines.nothing(
            Name::Idempotent,
            format!("{what} fits nothing ({}): an order whose first answer is lost would be asked on and on", told.word()),
        ),
    }
}

fn differing(one: &BTreeMap<String, Scalar>, other: &BTreeMap<String, Scalar>) -> String {
    one.iter().find(|(name, value)| other.get(*name) != Some(*value)).map_or_else(|| names(other), |(name, _)| name.clone())
}

fn names(kept: &BTreeMap<String, Scalar>) -> String {
    kept.keys().cloned().collect::<Vec<_>>().join(" and ")
}

/// Undoes twice, and acts after that.
pub(super) async fn undo(subject: &Subject<'_>, lines: &mut Lines) -> Result<(), TrialError> {
    if !subject.has(Operation::Undo) {
        lines.nothing(Name::Undo, "nothing is promised");
        return Ok(());
    }
    let case = subject.case().await?;
    if !case.act("act").await.is(Definite::Done) {
        lines.nothing(Name::Undo, "no act was done, so none could be undone");
        return Ok(());
    }
    let first = case.undo("undo of what was done").await;
    match &first {
        Told::State(Definite::Undone | Definite::Closed, ..) => lines.held(Name::Undo, "what was done was undone"),
        told @ Told::State(..) => lines.broken(Name::Undo, format!("an undo of what was done said {}", told.word())),
        told @ (Told::Absent | Told::Nothing(_)) => {
            lines.nothing(Name::Undo, format!("an undo of what was done fits nothing: {}", told.word()));
            return Ok(());
        }
    }
    let again = case.undo("undo again").await;
    compare_undos(&first, &again, lines);
    if again.is(Definite::Done) || again.is(Definite::Refused) {
        lines.broken(Name::Undo, format!("an undo that was repeated said {}", again.word()));
    }
    if case.act("act after an undo").await.is(Definite::Done) {
        lines.broken(Name::Undo, "an act after an undo was done again");
    }
    if subject.profile().peek && case.peek("peek after an undo").await.is(Definite::Done) {
        lines.broken(Name::Undo, "after an undo a look still says done");
    }
    case.clear_away().await;
    Ok(())
}

/// Whether two answers to undos of one key speak of one effect: only what is kept of them tells, since a second refund has the
/// words of the first.
fn compare_undos(first: &Told, again: &Told, lines: &mut Lines) {
    match (first, again) {
        (Told::State(Definite::Undone, kept, _), Told::State(Definite::Undone, other, _)) if kept != other => {
            let name = differing(kept, other);
            lines.broken(Name::UndoneOnce, format!("an undo that was repeated brought another {name}: it was carried out again"));
        }
        (Told::State(Definite::Undone, kept, _), Told::State(Definite::Undone, ..)) if !kept.is_empty() => {
            lines.held(Name::UndoneOnce, format!("an undo that was repeated brought the same {}", names(kept)));
        }
        (Told::State(..) | Told::Absent | Told::Nothing(_), told) => lines.nothing(
            Name::UndoneOnce,
            format!(
                "an undo that was repeated said {}, and nothing is kept of both answers; keep the id of a refund",
                told.word()
            ),
        ),
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
        Told::Absent | Told::Nothing(_) => {}
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
        told @ (Told::Absent | Told::Nothing(_)) => {
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
        told @ (Told::Absent | Told::Nothing(_)) => {
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
        (told @ (Told::Absent | Told::Nothing(_)), true) => {
            lines.nothing(Name::StickyRefusal, format!("an act after a refusal fits nothing: {}", told.word()));
        }
        (Told::State(..) | Told::Absent | Told::Nothing(_), false) => {
            lines.nothing(Name::StickyRefusal, "nothing is promised");
        }
    }
    case.clear_away().await;
    Ok(())
}
