//! What a person says of a saga that cannot go on by itself, and what comes of it.

use alloc::sync::Arc;
use alloc::vec;

use super::{ruled, shop, step, told};
use crate::{
    Answer, Command, Coordinator, Definite, Doubt, Evidence, Input, Kind, Mark, Operation, Outcome, Party, Plan, Ruling,
    Standing, StepPlan, Time, Told,
};

/// A saga of version 1 is suspended at once, as its journal says, and a person gets it going all the same.
#[test]
fn a_saga_of_version_1_is_no_dead_end_either() {
    let plan = Arc::new(Plan::payment_then_dispatch(None, None));
    let mut saga: Coordinator = Coordinator::pinned(plan, 1);
    saga.step(Time(1), Input::Start);
    saga.step(Time(2), told(0, Operation::Act, Definite::Done));
    saga.step(Time(3), told(0, Operation::Act, Definite::Refused));
    assert_eq!((saga.standing(), saga.outbox().len()), (Standing::Suspended, 0));
    assert_eq!(saga.rulings(), [Ruling::Resume, Ruling::Settle]);
    saga.step(Time(4), ruled(Ruling::Resume));
    assert_eq!(saga.outbox(), [Command { step: 1, operation: Operation::Close }]);
    saga.step(Time(5), told(1, Operation::Close, Definite::Closed));
    saga.step(Time(6), told(0, Operation::Undo, Definite::Undone));
    assert_eq!(saga.decision(), Some(Outcome::Cancelled));
}

/// What was taken before a key turned out to be somebody else's is given back before a person is asked.
#[test]
fn a_contradiction_keeps_nothing_else() {
    let plan = Plan::new(vec![step(Kind::Compensatable), step(Kind::Compensatable), step(Kind::Pivot)]).expect("a sound order");
    let mut saga: Coordinator = Coordinator::new(Arc::new(plan));
    saga.step(Time(1), Input::Start);
    saga.step(Time(2), told(0, Operation::Act, Definite::Done));
    let to = Command { step: 1, operation: Operation::Act };
    saga.step(Time(3), Input::Receive(Told::Answer { to, answer: Answer::OtherBody }));
    assert_eq!(saga.outbox(), [Command { step: 2, operation: Operation::Close }]);
    saga.step(Time(4), told(2, Operation::Close, Definite::Closed));
    assert_eq!(saga.outbox(), [Command { step: 0, operation: Operation::Undo }]);
    saga.step(Time(5), told(0, Operation::Undo, Definite::Undone));
    assert_eq!((saga.standing(), saga.outbox().len()), (Standing::Suspended, 0));
    let marks = [Mark::Done, Mark::NotDone, Mark::Undone].map(|mark| Ruling::Mark { step: 1, mark });
    assert_eq!(saga.rulings(), [&[Ruling::Resume], &marks[..], &[Ruling::Settle]].concat());
    let mut waits = saga.clone();
    waits.step(Time(10), ruled(marks[1]));
    assert_eq!((waits.standing(), waits.outbox()), (Standing::Cancelling, vec![Command { step: 1, operation: Operation::Look }]));
    assert_eq!(waits.deadline(), Some(Time(10 + 24 * 60 * 60 * 1_000)), "nothing may be on the road any more");
    let mut found = waits.clone();
    found.step(Time(11), told(1, Operation::Look, Definite::Done));
    assert_eq!(found.outbox(), [Command { step: 1, operation: Operation::Undo }], "what a participant says counts");
    waits.step(Time(10 + 24 * 60 * 60 * 1_000), Input::Timeout);
    assert_eq!(waits.decision(), Some(Outcome::Cancelled));
    waits.step(Time(u64::MAX), told(1, Operation::Act, Definite::Done));
    assert_eq!(
        (waits.decision(), waits.outbox()),
        (Some(Outcome::Cancelled), vec![Command { step: 1, operation: Operation::Undo }])
    );
    assert_eq!(waits.evidence(), Some(Evidence::LateEffect { step: 1 }));
    let mut undone = saga.clone();
    undone.step(Time(10), ruled(marks[2]));
    assert_eq!(undone.decision(), Some(Outcome::Cancelled));
    saga.step(Time(10), ruled(Ruling::Settle));
    assert_eq!((saga.decision(), saga.standing(), saga.outbox().len()), (Some(Outcome::Settled), Standing::Settled, 0));
}

/// The step that decides is asked for as long as it can be: a person's word on it counts only when it cannot.
#[test]
fn a_gate_that_can_be_closed_is_not_marked() {
    let mut saga = shop(None);
    saga.step(Time(1), Input::Start);
    saga.step(Time(2), told(0, Operation::Act, Definite::Done));
    saga.step(Time(3), Input::Receive(Told::Cancel));
    assert_eq!(saga.rulings(), [Ruling::Settle]);
    let to = Command { step: 1, operation: Operation::Close };
    saga.step(Time(4), Input::Receive(Told::Answer { to, answer: Answer::OtherBody }));
    assert_eq!(saga.standing(), Standing::Suspended, "nothing is undone while the gate is not off");
    let of_gate = [Mark::Done, Mark::NotDone].map(|mark| Ruling::Mark { step: 1, mark });
    assert_eq!(saga.rulings(), [&[Ruling::Resume], &of_gate[..], &[Ruling::Settle]].concat());
    saga.step(Time(5), ruled(of_gate[1]));
    assert_eq!(saga.outbox(), [Command { step: 1, operation: Operation::Look }]);
    saga.step(saga.deadline().expect("it waits"), Input::Timeout);
    assert_eq!(saga.outbox(), [Command { step: 0, operation: Operation::Undo }]);
}

/// To ask again is to look again, and never to act again, where an act leaves once.
#[test]
fn a_retry_looks_once_more_and_never_acts() {
    let once = StepPlan { doubt: Doubt::Looks { horizon_ms: Some(9) }, ..step(Kind::Compensatable) };
    let mut saga: Coordinator = Coordinator::new(Arc::new(Plan::new(vec![once, step(Kind::Pivot)]).expect("a sound order")));
    saga.step(Time(1), Input::Start);
    saga.step(Time(2), Input::Receive(Told::Sent { step: 0 }));
    saga.step(Time(11), Input::Timeout);
    saga.step(Time(12), told(1, Operation::Close, Definite::Closed));
    assert_eq!(saga.standing(), Standing::Suspended);
    saga.step(Time(20), ruled(Ruling::Retry));
    assert_eq!((saga.outbox(), saga.deadline()), (vec![Command { step: 0, operation: Operation::Look }], Some(Time(29))));
    saga.step(Time(29), Input::Timeout);
    assert_eq!((saga.standing(), saga.evidence()), (Standing::Suspended, Some(Evidence::OutOfReach { step: 0 })));
}
