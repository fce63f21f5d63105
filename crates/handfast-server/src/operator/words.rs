//! What an operator is told of acts that are not taken, through the service as at the file.

use std::borrow::Borrow;

use handfast::{ActResult, CancelResult, Outcome};

/// The acts that would change something, by their names.
#[must_use]
pub fn what_can_be_done<S: Borrow<str>>(can: &[S]) -> String {
    let can = if can.is_empty() { "nothing".to_owned() } else { can.join(", ") };
    format!("what can be done is: {can}")
}

/// Why an act was not taken; `None` where it was, now or before.
pub(crate) fn not_taken(id: &str, result: &ActResult) -> Option<String> {
    Some(match result {
        ActResult::Taken { .. } | ActResult::Repeated { .. } => return None,
        ActResult::Moved { seq } => format!("saga {id} has gone on since: its last entry is {seq}; look at it again"),
        ActResult::RequestIdTaken => format!("this request id stands for another act on saga {id}"),
        ActResult::Pointless { can } => format!("it would change nothing of saga {id}; {}", what_can_be_done(can)),
        ActResult::NeedsValues { step, names } => needs_values(id, step, names),
        ActResult::NoSuchStep { steps } => format!("the steps of saga {id} are {}", steps.join(", ")),
        ActResult::Unknown => no_such_saga(id),
    })
}

/// Why a saga does not turn back; `None` where it does, or has.
pub(crate) fn not_cancelled(id: &str, result: &CancelResult) -> Option<String> {
    Some(match result {
        CancelResult::Accepted | CancelResult::Ended(Outcome::Cancelled) => return None,
        CancelResult::Ended(Outcome::Completed) => format!("saga {id} has ended in both"),
        CancelResult::Ended(Outcome::Settled) => format!("saga {id} was settled by a person"),
        CancelResult::TooLate => format!("saga {id} can only go forward: the step that decides it is done"),
        CancelResult::Suspended => format!("saga {id} is suspended: a person has to look at it first"),
        CancelResult::Unknown => no_such_saga(id),
    })
}

/// There is none of this id, of which no more is said than a line holds.
pub(crate) fn no_such_saga(id: &str) -> String {
    format!("there is no saga {}", id.chars().take(128).collect::<String>())
}

/// What has to be said with a mark as done, and what can be done instead.
fn needs_values(id: &str, step: &str, names: &[String]) -> String {
    format!(
        "later requests of saga {id} name what the answer of {step} would have brought, and it is not known: {}; find it out at \
         its participant and say it with the mark, or mark the step as undone once it has been taken back by hand",
        names.join(", ")
    )
}
