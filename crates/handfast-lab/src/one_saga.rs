//! What the worlds of one saga have in common that hold its coordinator itself: how it ends, waits and is marked, and how a
//! participant's register answers.

use std::convert::Infallible;

use handfast_protocol::{Answer, Coordinator, Definite, Guards, Mark, Operation, Outcome, Party as _, Register, Request};

/// It ends so at this moment.
pub(crate) fn has_just_ended<G: Guards>(before: &Coordinator<G>, after: &Coordinator<G>, outcome: Outcome) -> bool {
    before.decision() != after.decision() && after.decision() == Some(outcome)
}

/// Whoever waits for nobody has ended, or a person is told.
pub(crate) fn waits_or_is_told<G: Guards>(coordinator: &Coordinator<G>) -> bool {
    !coordinator.outbox().is_empty() || coordinator.decision().is_some() || coordinator.evidence().is_some()
}

/// The steps marked as not done that count as off from now on.
pub(crate) fn come_to_count<G: Guards>(before: &Coordinator<G>, after: &Coordinator<G>) -> Vec<usize> {
    let counts =
        |&step: &usize| after.step_mark(step) == Some(Mark::NotDone) && after.is_step_off(step) && !before.is_step_off(step);
    (0..after.plan().steps().len()).filter(counts).collect()
}

/// What a register answers, and its state from then on. `None`: it was only looked at.
pub(crate) fn asked<G: Guards>(
    state: Option<Definite>,
    operation: Operation,
    accepts: bool,
) -> Option<(Answer, Option<Definite>)> {
    let request = match operation {
        Operation::Look => return None,
        Operation::Act => Request::Act { body: (), expired: false },
        Operation::Close => Request::Close { body: None },
        Operation::Undo => Request::Undo { body: None },
    };
    let mut register = Register::<(), G>::stored(state, state.map(|_| ()));
    let Ok(answer) = register.receive(request, |_| Ok::<_, Infallible>(accepts));
    Some((answer, register.peek()))
}
