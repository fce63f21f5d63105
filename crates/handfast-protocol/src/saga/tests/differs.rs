//! Answers that fit what was asked for but for a value that they were compared with.

use super::*;
use crate::Doubt;

fn differs(step: usize, in_effect: bool) -> Input<Told> {
    Input::Receive(Told::Differs { step, in_effect })
}

/// 50 of 100 is neither a charge nor none: it is taken back through the gate, and told at once.
#[test]
fn an_effect_with_other_values_is_taken_back_through_the_gate() {
    let mut saga = shop(None);
    saga.step(Time(1), Input::Start);
    saga.step(Time(2), differs(0, true));
    let told_so = Some(Evidence::OtherValues { step: 0 });
    assert_eq!((saga.standing(), saga.evidence()), (Standing::Cancelling, told_so));
    assert_eq!(saga.outbox(), [Command { step: 1, operation: Operation::Close }], "the gate first");
    let again = saga.clone();
    saga.step(Time(3), differs(0, true));
    assert_eq!(saga, again, "the same answer again says nothing new");
    saga.step(Time(4), told(0, Operation::Act, Definite::Done));
    saga.step(Time(5), told(1, Operation::Close, Definite::Closed));
    assert_eq!(saga.outbox(), [Command { step: 0, operation: Operation::Undo }]);
    // A part that was refunded is no refund.
    saga.step(Time(6), differs(0, true));
    assert_eq!((saga.standing(), saga.decision()), (Standing::Cancelling, None));
    saga.step(Time(7), told(0, Operation::Undo, Definite::Undone));
    assert_eq!((saga.decision(), saga.evidence()), (Some(Outcome::Cancelled), told_so));
}

/// An answer about something else says nothing of the key, which is asked about on and on.
#[test]
fn an_answer_about_something_else_turns_back_and_proves_nothing() {
    let mut saga = shop(None);
    saga.step(Time(1), Input::Start);
    saga.step(Time(2), differs(0, false));
    assert_eq!((saga.standing(), saga.evidence()), (Standing::Cancelling, Some(Evidence::OtherValues { step: 0 })));
    assert_eq!(saga.step_state(0), (Some(Operation::Close), None), "in doubt");
    saga.step(Time(3), told(0, Operation::Close, Definite::Done));
    saga.step(Time(4), told(1, Operation::Close, Definite::Closed));
    saga.step(Time(5), told(0, Operation::Undo, Definite::Undone));
    assert_eq!(saga.decision(), Some(Outcome::Cancelled));
}

/// A part that was given back is told, whether or not the answer says whose it is, and changes nothing else.
#[test]
fn what_is_said_of_an_undo_is_told() {
    let mut saga = shop(None);
    saga.step(Time(1), Input::Start);
    saga.step(Time(2), told(0, Operation::Act, Definite::Done));
    let forward = saga.clone();
    saga.step(Time(3), differs(0, false));
    assert_eq!(saga, forward, "what is known to be done is done, whatever is said of something else");
    saga.step(Time(4), Input::Receive(Told::Cancel));
    saga.step(Time(5), told(1, Operation::Close, Definite::Closed));
    let undo = [Command { step: 0, operation: Operation::Undo }];
    assert_eq!((saga.outbox(), saga.evidence()), (undo.to_vec(), None));
    saga.step(Time(6), differs(0, false));
    assert_eq!((saga.outbox(), saga.evidence()), (undo.to_vec(), Some(Evidence::OtherValues { step: 0 })));
    saga.step(Time(7), told(0, Operation::Undo, Definite::Undone));
    assert_eq!(saga.decision(), Some(Outcome::Cancelled));
}

/// Where the saga is decided, and after that, there is no way back.
#[test]
fn other_values_where_there_is_no_way_back_are_for_a_person() {
    let mut saga = shop(None);
    saga.step(Time(1), Input::Start);
    saga.step(Time(2), told(0, Operation::Act, Definite::Done));
    saga.step(Time(3), differs(1, true));
    assert_eq!((saga.standing(), saga.evidence()), (Standing::Suspended, Some(Evidence::OtherValues { step: 1 })));
    let plan = Plan::new(vec![step(Kind::Compensatable), step(Kind::Pivot), step(Kind::Retriable)]).unwrap();
    let mut saga = Coordinator::<crate::Deployed>::new(Arc::new(plan));
    saga.step(Time(1), Input::Start);
    for step in 0..2 {
        saga.step(Time(2), told(step, Operation::Act, Definite::Done));
    }
    saga.step(Time(3), differs(0, true));
    assert_eq!(saga.standing(), Standing::Committed, "told, and no way back");
    saga.step(Time(4), differs(2, true));
    assert_eq!((saga.standing(), saga.evidence()), (Standing::Suspended, Some(Evidence::OtherValues { step: 2 })));
}

/// A provider that took 50 of 100, and does not say whose it is, says the same whenever it is asked: a person may say what became of
/// it, while it is asked for all the same, and what it says of the key itself counts more.
#[test]
fn what_is_answered_for_otherwise_and_cannot_be_closed_may_be_marked() {
    let doubt = Doubt::Repeats { last_send_ms: None };
    let payment = StepPlan { doubt, undo_closes: false, ..step(Kind::Compensatable) };
    let begun = |version| {
        let plan = Arc::new(Plan::new(vec![payment, step(Kind::Pivot)]).unwrap());
        let mut saga: Coordinator = Coordinator::pinned(plan, version);
        saga.step(Time(1), Input::Start);
        saga.step(Time(2), differs(0, false));
        saga.step(Time(3), told(1, Operation::Close, Definite::Closed));
        saga
    };
    let saga = begun(2);
    let ask = [Command { step: 0, operation: Operation::Act }];
    assert_eq!((saga.standing(), saga.outbox()), (Standing::Cancelling, ask.to_vec()));
    assert_eq!(saga.evidence(), Some(Evidence::OtherValues { step: 0 }));
    let marks = Mark::ALL.map(|mark| Ruling::Mark { step: 0, mark });
    assert_eq!(saga.rulings(), [&marks[..], &[Ruling::Settle]].concat());
    assert_eq!(begun(1).rulings(), [Ruling::Settle], "a journal of version 1 is read as it was written");
    let mut marked = saga.clone();
    marked.step(Time(4), ruled(marks[0]));
    assert_eq!(marked.outbox(), [Command { step: 0, operation: Operation::Undo }], "it is taken back");
    marked.step(Time(5), told(0, Operation::Undo, Definite::Undone));
    assert_eq!(marked.decision(), Some(Outcome::Cancelled));
    let mut answered = saga;
    answered.step(Time(4), told(0, Operation::Act, Definite::Done));
    assert_eq!(answered.outbox(), [Command { step: 0, operation: Operation::Undo }], "what was asked for is no other");
    assert_eq!(answered.rulings(), [Ruling::Settle]);
    // Where the key can be closed it is.
    let mut closes = shop(None);
    closes.step(Time(1), Input::Start);
    closes.step(Time(2), differs(0, false));
    assert_eq!(closes.rulings(), [Ruling::Settle]);
}

/// What a person said was not there appears after the end, with other values: it is undone, and told, as any other late effect.
#[test]
fn another_amount_after_the_end_overrules_a_word() {
    let doubt = Doubt::Repeats { last_send_ms: None };
    let payment = StepPlan { doubt, undo_closes: false, ..step(Kind::Compensatable) };
    let ended = |version| {
        let plan = Arc::new(Plan::new(vec![payment, step(Kind::Pivot)]).unwrap());
        let mut saga: Coordinator = Coordinator::pinned(plan, version);
        saga.step(Time(1), Input::Start);
        saga.step(Time(2), differs(0, false));
        saga.step(Time(3), told(1, Operation::Close, Definite::Closed));
        saga.step(Time(4), ruled(Ruling::Mark { step: 0, mark: Mark::NotDone }));
        saga
    };
    let mut waits = ended(2);
    waits.step(Time(5), differs(0, true));
    let undo = [Command { step: 0, operation: Operation::Undo }];
    assert_eq!(
        (waits.outbox(), waits.step_mark(0)),
        (undo.to_vec(), None),
        "before the end it is taken back, and no word is left"
    );
    let mut saga = ended(2);
    saga.step(saga.deadline().expect("it waits until nothing is on the road"), Input::Timeout);
    assert_eq!(saga.decision(), Some(Outcome::Cancelled));
    saga.step(saga.clock(), differs(0, true));
    assert_eq!((saga.decision(), saga.outbox()), (Some(Outcome::Cancelled), undo.to_vec()));
    assert_eq!((saga.evidence(), saga.step_mark(0)), (Some(Evidence::LateEffect { step: 0 }), None));
    saga.step(saga.clock(), told(0, Operation::Undo, Definite::Undone));
    assert_eq!((saga.decision(), saga.outbox().len()), (Some(Outcome::Cancelled), 0));
}

/// What was undone by hand was done before: whoever still says so is not asked to undo it once more.
#[test]
fn another_amount_that_was_undone_by_hand_is_not_undone_again() {
    let doubt = Doubt::Repeats { last_send_ms: None };
    let payment = StepPlan { doubt, undo_closes: false, ..step(Kind::Compensatable) };
    let plan = Plan::new(vec![payment, step(Kind::Compensatable), step(Kind::Pivot)]).unwrap();
    let mut saga: Coordinator = Coordinator::new(Arc::new(plan));
    saga.step(Time(1), Input::Start);
    saga.step(Time(2), told(0, Operation::Act, Definite::Done));
    saga.step(Time(3), told(1, Operation::Act, Definite::Done));
    saga.step(Time(4), told(2, Operation::Act, Definite::Refused));
    let to = Command { step: 0, operation: Operation::Undo };
    saga.step(Time(5), Input::Receive(Told::Answer { to, answer: Answer::OtherBody }));
    saga.step(Time(6), ruled(Ruling::Mark { step: 0, mark: Mark::Undone }));
    let other = [Command { step: 1, operation: Operation::Undo }];
    assert_eq!(saga.outbox(), other, "the other one is still to be undone");
    let before = saga.clone();
    saga.step(Time(7), differs(0, true));
    assert_eq!(saga, before);
    saga.step(Time(8), told(1, Operation::Undo, Definite::Undone));
    assert_eq!(saga.decision(), Some(Outcome::Cancelled));
    saga.step(Time(9), differs(0, true));
    assert_eq!((saga.decision(), saga.outbox().len()), (Some(Outcome::Cancelled), 0));
}
