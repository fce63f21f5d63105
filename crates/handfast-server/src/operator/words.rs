//! What an operator is told of acts that are not taken, through the service as at the file.

use std::borrow::Borrow;

/// The acts that would change something, by their names.
#[must_use]
pub fn what_can_be_done<S: Borrow<str>>(can: &[S]) -> String {
    let can = if can.is_empty() { "nothing".to_owned() } else { can.join(", ") };
    format!("what can be done is: {can}")
}

/// What has to be said with a mark as done, and what can be done instead.
pub(crate) fn needs_values(id: &str, step: &str, names: &[String]) -> String {
    format!(
        "later requests of saga {id} name what the answer of {step} would have brought, and it is not known: {}; find it out at \
         its participant and say it with the mark, or mark the step as undone once it has been taken back by hand",
        names.join(", ")
    )
}
