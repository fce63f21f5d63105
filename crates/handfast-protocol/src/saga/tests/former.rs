//! What was answered in a former life of a participant, and what a person says of it.

use super::*;

/// Payment and dispatch at one store that was put back while an undo was asked for, and neither is there any more.
fn forgotten(payment: StepPlan) -> Coordinator {
    let mut saga: Coordinator = Coordinator::new(Arc::new(Plan::new(vec![payment, step(Kind::Pivot)]).unwrap()));
    saga.step(Time(1), Input::Start);
    saga.step(Time(2), told(0, Operation::Act, Definite::Done));
    saga.step(Time(3), told(1, Operation::Act, Definite::Refused));
    assert_eq!(saga.outbox(), [Command { step: 0, operation: Operation::Undo }]);
    saga
}

fn forget_both(saga: &mut Coordinator) {
    for step in [0, 1] {
        saga.step(Time(5), Input::Receive(Told::Forgotten { step }));
    }
}

/// An undo of what is not there leaves no tombstone where it is a no-op: whoever believed it would let a late charge through.
#[test]
fn what_is_said_not_to_be_there_is_closed_although_an_undo_was_asked_for() {
    let mut saga = forgotten(StepPlan { undo_closes: false, ..step(Kind::Compensatable) });
    forget_both(&mut saga);
    let not_done = Ruling::Mark { step: 0, mark: Mark::NotDone };
    assert!(saga.rulings().contains(&not_done), "{:?}", saga.rulings());
    saga.step(Time(6), ruled(not_done));
    saga.step(Time(7), told(1, Operation::Close, Definite::Closed));
    assert_eq!(saga.outbox(), [Command { step: 0, operation: Operation::Close }], "it is closed before it is undone");
    let mut there = saga.clone();
    saga.step(Time(8), told(0, Operation::Close, Definite::Closed));
    assert_eq!(saga.decision(), Some(Outcome::Cancelled));
    there.step(Time(8), told(0, Operation::Close, Definite::Done));
    assert_eq!(there.outbox(), [Command { step: 0, operation: Operation::Undo }], "it was there after all");
}

/// An undo that may leave only once, and may have left, is looked for before it leaves again, and its bytes say so.
#[test]
fn an_undo_that_may_have_left_does_not_leave_again_for_a_word() {
    let once = StepPlan { undo_once_ms: Some(9), undo_again_ms: Some(9), ..step(Kind::Compensatable) };
    let said = |left: bool| {
        let mut saga = forgotten(once);
        if left {
            saga.step(Time(4), of_undo(0, UndoTold::Sent));
        }
        forget_both(&mut saga);
        saga.step(Time(6), ruled(Ruling::Mark { step: 0, mark: Mark::NotDone }));
        saga.step(Time(6), told(1, Operation::Close, Definite::Refused));
        saga
    };
    let mut saga = said(true);
    assert_ne!(saga.encode()[21], said(false).encode()[21]);
    assert!(saga.outbox().iter().all(|command| command.operation != Operation::Undo), "{:?}", saga.outbox());
    saga.step(Time(7), told(0, Operation::Close, Definite::Done));
    assert_eq!(saga.outbox(), [Command { step: 0, operation: Operation::Look }]);
}
