//! What is due, when, and by which kind of clock.

use super::*;

/// A step of which everything is due after some time.
fn timed(kind: Kind, doubt: Doubt) -> StepPlan {
    let repeats_or_closes = !matches!(doubt, Doubt::Looks { .. });
    StepPlan {
        doubt,
        commit_within_ms: (kind == Kind::Compensatable).then_some(70),
        forgotten_ms: repeats_or_closes.then_some(90),
        watch_ms: Some(50),
        ..StepPlan::new(kind).deadline(Some(30))
    }
}

const REPEATS: Doubt = Doubt::Repeats { last_send_ms: Some(40) };
const LOOKS: Doubt = Doubt::Looks { horizon_ms: Some(60) };

#[test]
fn what_is_due_first_is_the_deadline_in_every_state() {
    for doubt in [Doubt::Closes, REPEATS, LOOKS] {
        let plan = Plan::new(vec![timed(Kind::Compensatable, doubt), timed(Kind::Pivot, Doubt::Closes)]).unwrap();
        for state in all_states(plan) {
            assert_eq!(state.dues().iter().map(|due| due.at).min(), state.deadline(), "{state:?}");
        }
    }
}

#[test]
fn what_must_stop_what_must_wait_and_what_is_a_wish_are_told_apart() {
    let started = |doubt| {
        let plan = Plan::new(vec![timed(Kind::Compensatable, doubt), timed(Kind::Pivot, Doubt::Closes)]).unwrap();
        let mut saga: Coordinator = Coordinator::new(Arc::new(plan));
        saga.step(Time(5), Input::Start);
        saga
    };
    let due = |after: u64, nature| DueAt { at: Time(5 + after), since: Time(5), nature };
    let commit = due(70, Nature::Stops);
    assert_eq!(started(Doubt::Closes).dues(), [due(30, Nature::Plain), commit]);
    assert_eq!(started(REPEATS).dues(), [due(30, Nature::Plain), due(40, Nature::Stops), commit]);
    // An act that leaves once has to leave before its deadline, and is looked for long enough afterwards.
    let mut once = started(LOOKS);
    assert_eq!(once.dues(), [due(30, Nature::Stops), commit]);
    once.step(Time(5), Input::Receive(Told::Sent { step: 0 }));
    assert_eq!(once.dues(), [due(30, Nature::Plain), due(60, Nature::Waits), commit]);
    // A key that may be forgotten is not closed any more; a watch waits.
    let mut closing = started(Doubt::Closes);
    closing.step(Time(5), Input::Receive(Told::Cancel));
    assert_eq!(closing.dues(), [due(90, Nature::Stops), due(90, Nature::Stops)]);
    closing.step(Time(5), told(1, Operation::Close, Definite::Closed));
    closing.step(Time(5), told(0, Operation::Undo, Definite::Closed));
    assert_eq!((closing.dues(), closing.watch_due(0)), (vec![], Some(due(50, Nature::Waits))));
}

/// The lab explores one thing that is due alone as a time-out by a plan in which nothing else is.
#[test]
fn one_thing_that_has_come_is_a_time_out_in_which_nothing_else_is_due() {
    for doubt in [Doubt::Closes, REPEATS, LOOKS] {
        let plan = Plan::new(vec![timed(Kind::Compensatable, doubt), timed(Kind::Pivot, Doubt::Closes)]).unwrap();
        for state in all_states(plan) {
            for due in state.dues() {
                let mut only = state.clone();
                only.step(Time(1_000), Input::Receive(Told::Due(due)));
                let mut all = state.clone();
                all.step(Time(1_000), Input::Timeout);
                let alone = state.dues().iter().all(|other| *other == due);
                assert!(!alone || only == all, "{state:?}: {due:?}");
                // Whatever has not come is due as before, but for what turning back makes of it.
                let is_left = |other: &DueAt| *other == due || only.dues().contains(other);
                let went_on = only.standing() == state.standing();
                assert!(
                    !went_on || state.dues().iter().filter(|other| other.nature != due.nature).all(is_left),
                    "{state:?}: {due:?}"
                );
            }
            let mut nothing = state.clone();
            nothing.step(Time(1_000), Input::Receive(Told::Due(DueAt { at: Time(999), since: Time(0), nature: Nature::Stops })));
            assert_eq!(nothing, state, "what is not due changes nothing");
        }
    }
}
