//! What the explorer does not see: orders of steps that are refused, time that goes back, every input in every state.

mod differs;
mod due;
mod former;
mod person;
mod profile;
mod prospects;
mod undo;
mod watch;

use alloc::collections::{BTreeSet, VecDeque};
use alloc::string::ToString;
use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;

use super::{
    Assumptions, Command, Coordinator, Doubt, DueAt, Evidence, Kind, Mark, Nature, Operation, Outcome, Plan, PlanError, Profile,
    ProfiledStep, Ruling, Standing, StepPlan, Told, UndoTold, assess,
};
use crate::{Answer, Definite, Input, Party, Time, replay};

const ANSWERS: [Answer; 5] = [
    Answer::State(Definite::Done),
    Answer::State(Definite::Refused),
    Answer::State(Definite::Closed),
    Answer::State(Definite::Undone),
    Answer::OtherBody,
];

fn step(kind: Kind) -> StepPlan {
    StepPlan::new(kind)
}

fn shop(payment_deadline_ms: Option<u64>) -> Coordinator {
    Coordinator::new(Arc::new(Plan::payment_then_dispatch(payment_deadline_ms, None)))
}

fn told(step: usize, operation: Operation, state: Definite) -> Input<Told> {
    Input::Receive(Told::Answer { to: Command { step, operation }, answer: Answer::State(state) })
}

fn looked(step: usize, left: Time) -> Input<Told> {
    Input::Receive(Told::Looked { step, found: None, left })
}

const fn ruled(ruling: Ruling) -> Input<Told> {
    Input::Receive(Told::Ruled(ruling))
}

const fn of_undo(step: usize, told: UndoTold) -> Input<Told> {
    Input::Receive(Told::Undo { step, told })
}

fn inputs(steps: usize) -> Vec<Input<Told>> {
    let mut inputs = vec![Input::Start, Input::Timeout, Input::Receive(Told::Cancel)];
    inputs.extend([Ruling::Retry, Ruling::Resume, Ruling::Settle].map(ruled));
    // One step more than there is: an answer for a step that does not exist means nothing.
    for step in 0..=steps {
        inputs.extend(Mark::ALL.map(|mark| ruled(Ruling::Mark { step, mark })));
        for operation in Operation::ALL {
            inputs.extend(ANSWERS.map(|answer| Input::Receive(Told::Answer { to: Command { step, operation }, answer })));
        }
        inputs.push(looked(step, Time(0)));
        inputs.push(Input::Receive(Told::Looked { step, found: Some(Definite::Done), left: Time(0) }));
        inputs.extend(UndoTold::ALL.map(|told| of_undo(step, told)));
        inputs.extend([true, false].map(|in_effect| Input::Receive(Told::Differs { step, in_effect })));
    }
    inputs
}

/// Every state that any inputs at all lead to, from the state before the start.
fn all_states(plan: Plan) -> BTreeSet<Coordinator> {
    let inputs = inputs(plan.steps().len());
    let mut seen = BTreeSet::new();
    let mut todo = vec![Coordinator::new(Arc::new(plan))];
    while let Some(state) = todo.pop() {
        if !seen.insert(state.clone()) {
            continue;
        }
        for input in &inputs {
            let mut next = state.clone();
            next.step(Time(0), *input);
            todo.push(next.without_details());
        }
    }
    seen
}

/// What follows from it is explored in the lab, in a world of its own.
#[test]
fn a_participant_that_was_put_back_changes_no_decision() {
    for state in all_states(Plan::payment_then_dispatch(None, None)) {
        for step in 0..=2 {
            let mut next = state.clone();
            next.step(Time(0), Input::Receive(Told::Forgotten { step }));
            assert_eq!(next.decision(), state.decision());
            assert!(state.decision().is_none() || next == state, "what has ended stays as it is");
        }
    }
}

#[test]
fn every_input_is_taken_in_every_state_and_decisions_are_final() {
    let states = all_states(Plan::payment_then_dispatch(Some(0), Some(0)));
    for state in &states {
        for input in inputs(2) {
            let mut next = state.clone();
            next.step(Time(0), input);
            assert!(states.contains(&next.clone().without_details()));
            if state.decision().is_some() {
                assert_eq!(next.decision(), state.decision(), "{state:?} after {input:?}");
                let is_undone = matches!(next.evidence(), Some(Evidence::LateEffect { .. }));
                assert!(next.outbox().is_empty() || is_undone, "{next:?}");
            }
            let at_rest = matches!(next.standing(), Standing::Placed | Standing::Suspended) || next.decision().is_some();
            let is_late = matches!(next.evidence(), Some(Evidence::LateEffect { .. }));
            assert!(at_rest == next.outbox().is_empty() || is_late, "armed if and only if something is left to do: {next:?}");
        }
    }
    assert!(states.len() > 1_000, "the table covers {} states", states.len());
}

#[test]
fn different_states_have_different_bytes() {
    let states = all_states(Plan::payment_then_dispatch(Some(0), Some(0)));
    let bytes: BTreeSet<Vec<u8>> = states.iter().map(Coordinator::encode).collect();
    assert_eq!(bytes.len(), states.len());
}

/// The same of participants that are put back, or move, or are looked at after the end: the nearest states, since all of them are too
/// many.
#[test]
fn different_states_of_participants_that_change_have_different_bytes() {
    let mut inputs = inputs(2);
    for step in 0..2 {
        inputs.extend([Told::Forgotten { step }, Told::SameBooks { step }].map(Input::Receive));
        let moved = |can_be_looked_at, came_back| Input::Receive(Told::Moved { step, can_be_looked_at, came_back });
        inputs.extend([moved(true, false), moved(false, false), moved(true, true)]);
        inputs.push(looked(step, Time(1)));
    }
    let once = StepPlan { undo_once_ms: Some(0), undo_again_ms: Some(0), ..step(Kind::Compensatable) };
    let mut todo = VecDeque::from([Coordinator::new(Arc::new(Plan::new(vec![once, step(Kind::Pivot)]).expect("a sound order")))]);
    let mut states: BTreeSet<Coordinator> = todo.iter().cloned().collect();
    while let Some(state) = todo.pop_front().filter(|_| states.len() < 20_000) {
        for input in &inputs {
            let mut next = state.clone();
            next.step(Time(0), *input);
            if states.insert(next.clone()) {
                todo.push_back(next);
            }
        }
    }
    let bytes: BTreeSet<Vec<u8>> = states.iter().map(Coordinator::encode).collect();
    assert_eq!(bytes.len(), states.len());
    assert!(states.iter().any(|state| state.is_moved(0) && state.is_unconfirmed(1)));
    for evidence in [Evidence::Moved { step: 0 }, Evidence::NotFound { step: 1 }] {
        assert!(states.iter().any(|state| state.evidence() == Some(evidence)), "{evidence:?} is among {}", states.len());
    }
}

#[test]
fn the_bytes_of_a_known_state_are_pinned() {
    let mut saga = shop(Some(1_000));
    saga.step(Time(5), Input::Start);
    let mut expected = vec![1, 5, 0, 0, 0, 0, 0, 0, 0];
    expected.extend([0; 12]);
    expected.extend([1, 0, 5, 0, 0, 0, 0, 0, 0, 0]);
    expected.extend([0; 10]);
    assert_eq!(saga.encode(), expected);
}

#[test]
fn paid_and_dispatched_takes_two_commands() {
    let mut saga = shop(None);
    assert!(saga.outbox().is_empty());
    saga.step(Time(1), Input::Start);
    assert_eq!(saga.outbox(), [Command { step: 0, operation: Operation::Act }]);
    saga.step(Time(2), told(0, Operation::Act, Definite::Done));
    assert_eq!(saga.outbox(), [Command { step: 1, operation: Operation::Act }]);
    saga.step(Time(3), told(1, Operation::Act, Definite::Done));
    assert_eq!((saga.decision(), saga.standing()), (Some(Outcome::Completed), Standing::Completed));
}

#[test]
fn a_declined_card_closes_the_dispatch_before_it_ends() {
    let mut saga = shop(None);
    saga.step(Time(1), Input::Start);
    saga.step(Time(2), told(0, Operation::Act, Definite::Refused));
    assert_eq!(saga.outbox(), [Command { step: 1, operation: Operation::Close }]);
    saga.step(Time(3), told(1, Operation::Close, Definite::Closed));
    assert_eq!(saga.decision(), Some(Outcome::Cancelled));
}

#[test]
fn a_deadline_counts_from_the_intent_and_closes_the_key() {
    let mut saga = shop(Some(1_000));
    saga.step(Time(500), Input::Start);
    assert_eq!(saga.deadline(), Some(Time(1_500)));
    let before = saga.clone();
    saga.step(Time(1_499), Input::Timeout);
    assert_eq!(saga, before, "too early means nothing, and leaves no trace");
    saga.step(Time(1_500), Input::Timeout);
    assert_eq!(saga.outbox(), [Command { step: 0, operation: Operation::Close }]);
    assert_eq!(saga.deadline(), None);
}

#[test]
fn time_never_goes_back() {
    let mut saga = shop(Some(1_000));
    saga.step(Time(10_000), Input::Start);
    saga.step(Time(3), told(0, Operation::Act, Definite::Done));
    assert_eq!(saga.clock, Time(10_000));
    let mut jumpy = shop(Some(1_000));
    jumpy.step(Time(10_000), Input::Start);
    jumpy.step(Time(0), Input::Timeout);
    assert_eq!(jumpy.deadline(), Some(Time(11_000)), "a clock that jumps back expires nothing");
}

#[test]
fn a_replayed_journal_leads_to_the_same_state() {
    let journal = [
        (Time(1), Input::Start),
        (Time(2), Input::Receive(Told::Cancel)),
        (Time(3), told(0, Operation::Close, Definite::Done)),
        (Time(4), told(1, Operation::Close, Definite::Closed)),
        (Time(5), told(0, Operation::Undo, Definite::Undone)),
    ];
    let mut saga = shop(Some(9));
    for (now, input) in journal {
        saga.step(now, input);
    }
    assert_eq!(saga.decision(), Some(Outcome::Cancelled));
    assert_eq!(replay(shop(Some(9)), journal), saga);
}

#[test]
fn unsound_orders_are_refused_and_say_where() {
    use Kind::{Compensatable, Pivot, Retriable};
    let beside = |kind| StepPlan { beside: true, ..step(kind) };
    let late = StepPlan { deadline_ms: Some(1), ..step(Retriable) };
    let undone_after = |after, kind| StepPlan { undo_after: Some(after), ..step(kind) };
    let cases: [(Vec<StepPlan>, PlanError); 12] = [
        (vec![], PlanError::Empty),
        (vec![step(Compensatable); 65], PlanError::TooMany { steps: 65 }),
        (vec![step(Pivot), step(Pivot)], PlanError::TwoPivots { first: 0, second: 1 }),
        (vec![step(Pivot), step(Compensatable)], PlanError::MayRefuseTooLate { step: 1, after: 0 }),
        (vec![step(Retriable), step(Compensatable)], PlanError::MayRefuseTooLate { step: 1, after: 0 }),
        (vec![step(Retriable), step(Pivot)], PlanError::RetriableTooEarly { step: 0, before: 1 }),
        (vec![step(Retriable), beside(Retriable)], PlanError::GateBeside { gate: 0, neighbour: 1 }),
        (vec![beside(Compensatable)], PlanError::BesideAnotherKind { step: 0 }),
        (vec![step(Pivot), late], PlanError::DeadlineTooLate { step: 1 }),
        (vec![undone_after(0, Compensatable)], PlanError::UndoOrder { step: 0, after: 0 }),
        (vec![undone_after(1, Compensatable), step(Pivot)], PlanError::UndoOrder { step: 0, after: 1 }),
        (vec![undone_after(1, Compensatable), undone_after(0, Compensatable)], PlanError::UndoOrder { step: 0, after: 1 }),
    ];
    for (steps, expected) in cases {
        assert_eq!(Plan::new(steps.clone()), Err(expected), "{steps:?}");
        assert!(!expected.to_string().is_empty());
    }
    let gate = |steps| Plan::new(steps).map(|plan| plan.gate());
    assert_eq!(
        gate(vec![step(Compensatable), beside(Compensatable), step(Pivot), step(Retriable), beside(Retriable)]),
        Ok(Some(2))
    );
    assert_eq!(gate(vec![step(Compensatable), step(Retriable)]), Ok(Some(1)));
    assert_eq!(gate(vec![step(Compensatable)]), Ok(None));
}

#[test]
fn the_plain_plan_is_the_one_that_its_steps_make() {
    let steps = vec![StepPlan { deadline_ms: Some(7), ..step(Kind::Compensatable) }, step(Kind::Pivot)];
    assert_eq!(Plan::new(steps), Ok(Plan::payment_then_dispatch(Some(7), None)));
}

#[test]
fn a_contradiction_suspends_and_keeps_the_evidence() {
    let mut saga = shop(None);
    saga.step(Time(1), Input::Start);
    saga.step(Time(2), told(0, Operation::Act, Definite::Done));
    saga.step(Time(3), told(0, Operation::Act, Definite::Refused));
    assert_eq!((saga.standing(), saga.outbox()), (Standing::Cancelling, vec![Command { step: 1, operation: Operation::Close }]));
    saga.step(Time(4), told(1, Operation::Close, Definite::Closed));
    assert_eq!(saga.standing(), Standing::Suspended);
    assert!(saga.outbox().is_empty());
    let evidence = saga.evidence().expect("it was kept");
    let to = Command { step: 0, operation: Operation::Act };
    let contradiction = Evidence::Contradiction { to, known: Some(Definite::Done), answer: Answer::State(Definite::Refused) };
    assert_eq!(evidence, contradiction);
}

#[test]
fn a_broken_promise_after_the_end_is_kept_and_changes_nothing_else() {
    let mut saga = shop(None);
    saga.step(Time(1), Input::Start);
    saga.step(Time(2), told(0, Operation::Act, Definite::Closed));
    saga.step(Time(3), told(1, Operation::Close, Definite::Closed));
    assert_eq!(saga.decision(), Some(Outcome::Cancelled));
    saga.step(Time(4), told(0, Operation::Act, Definite::Done));
    assert_eq!(saga.decision(), Some(Outcome::Cancelled));
    assert!(saga.evidence().is_some(), "a charge under a closed key is reported, never swallowed");
}

#[test]
fn an_undo_that_is_refused_for_good_suspends() {
    let mut saga = shop(None);
    saga.step(Time(1), Input::Start);
    saga.step(Time(2), told(0, Operation::Act, Definite::Done));
    saga.step(Time(3), told(1, Operation::Act, Definite::Refused));
    assert_eq!(saga.outbox(), [Command { step: 0, operation: Operation::Undo }]);
    saga.step(Time(4), told(0, Operation::Undo, Definite::Done));
    assert_eq!(saga.standing(), Standing::Suspended);
}

/// A refusal that does not hold is no answer to a close either: in version 1 the key is asked until it says that it is closed.
#[test]
fn a_loose_refusal_settles_nothing() {
    let loose = StepPlan { refusal_holds: false, ..step(Kind::Compensatable) };
    let plan = Arc::new(Plan::new(vec![loose, step(Kind::Pivot)]).expect("a sound order"));
    let mut saga: Coordinator = Coordinator::pinned(plan, 1);
    saga.step(Time(1), Input::Start);
    for operation in [Operation::Act, Operation::Close] {
        saga.step(Time(2), told(0, operation, Definite::Refused));
        assert_eq!(saga.outbox(), [Command { step: 0, operation: Operation::Close }], "after {}", operation.name());
    }
    saga.step(Time(3), told(0, Operation::Close, Definite::Closed));
    assert_eq!(saga.standing(), Standing::Cancelling);
}

/// Since version 2 it is looked at until nothing can be on the road, and the rest is taken back; where it cannot be, a person is
/// asked once the rest is.
#[test]
fn a_refused_close_keeps_nothing_waiting() {
    let pivot = step(Kind::Pivot);
    let turned_back = |refused_close_ms| {
        let loose = StepPlan { refusal_holds: false, refused_close_ms, ..step(Kind::Compensatable) };
        let plan = Plan::new(vec![step(Kind::Compensatable), loose, pivot]).expect("a sound order");
        let mut saga: Coordinator = Coordinator::new(Arc::new(plan));
        saga.step(Time(1), Input::Start);
        saga.step(Time(2), told(0, Operation::Act, Definite::Done));
        saga.step(Time(3), told(1, Operation::Act, Definite::Refused));
        saga.step(Time(4), told(1, Operation::Close, Definite::Refused));
        assert_eq!((saga.standing(), saga.evidence()), (Standing::Cancelling, Some(Evidence::RefusedClose { step: 1 })));
        saga.step(Time(5), told(2, Operation::Close, Definite::Closed));
        saga.step(Time(6), told(0, Operation::Undo, Definite::Undone));
        saga
    };
    let mut seen = turned_back(Some(10));
    assert_eq!(seen.outbox(), [Command { step: 1, operation: Operation::Look }]);
    let before = seen.clone();
    for in_vain in
        [looked(1, Time(13)), told(1, Operation::Look, Definite::Refused), told(1, Operation::Close, Definite::Refused)]
    {
        seen.step(Time(20), in_vain);
        assert_eq!(seen, before, "{in_vain:?}");
    }
    let mut done = seen.clone();
    seen.step(Time(20), looked(1, Time(14)));
    assert_eq!((seen.decision(), seen.deadline(), seen.outbox().len()), (Some(Outcome::Cancelled), None, 0));
    let ended = seen.clone();
    seen.step(Time(21), told(1, Operation::Act, Definite::Closed));
    assert_eq!(seen, ended, "an act that came after its time has closed the key: it is as off as it was");
    done.step(Time(20), told(1, Operation::Look, Definite::Done));
    assert_eq!(done.outbox(), [Command { step: 1, operation: Operation::Undo }]);
    assert_eq!(turned_back(None).standing(), Standing::Suspended);
}

/// What is refused after the decision is known: it is told as what it is.
#[test]
fn a_refusal_after_the_decision_is_told_as_one() {
    let plan = Arc::new(Plan::new(vec![step(Kind::Pivot), step(Kind::Retriable)]).expect("a sound order"));
    let refused = |version| {
        let mut saga: Coordinator = Coordinator::pinned(Arc::clone(&plan), version);
        saga.step(Time(1), Input::Start);
        saga.step(Time(2), told(0, Operation::Act, Definite::Done));
        saga.step(Time(3), told(1, Operation::Act, Definite::Refused));
        assert_eq!(saga.standing(), Standing::Suspended);
        saga.evidence()
    };
    assert!(matches!(refused(1), Some(Evidence::Contradiction { .. })));
    assert_eq!(refused(2), Some(Evidence::RefusedForGood { step: 1 }));
}

/// Where a duplicate hurts nobody doubt keeps nobody waiting, and the first answer stays.
#[test]
fn doubt_about_what_is_harmless_is_no_reason_to_wait() {
    let harmless = StepPlan { harmless: true, doubt: Doubt::Repeats { last_send_ms: None }, ..step(Kind::Compensatable) };
    let mut saga: Coordinator = Coordinator::new(Arc::new(Plan::new(vec![harmless, step(Kind::Pivot)]).expect("a sound order")));
    saga.step(Time(1), Input::Start);
    let mut known = saga.clone();
    saga.step(Time(2), Input::Receive(Told::Cancel));
    assert_eq!(saga.outbox(), [Command { step: 1, operation: Operation::Close }], "it is asked for no more");
    saga.step(Time(3), told(1, Operation::Close, Definite::Closed));
    assert_eq!(saga.decision(), Some(Outcome::Cancelled));
    let ended = saga.clone();
    saga.step(Time(4), told(0, Operation::Act, Definite::Done));
    assert_eq!(saga, ended, "nobody keeps what nobody uses");
    known.step(Time(2), told(0, Operation::Act, Definite::Done));
    let before = known.clone();
    known.step(Time(3), told(0, Operation::Act, Definite::Refused));
    assert_eq!(known, before, "that was another one");
    known.step(Time(4), told(1, Operation::Act, Definite::Refused));
    assert_eq!(known.outbox(), [Command { step: 0, operation: Operation::Undo }], "what was kept is taken back");
}

/// What was asked for and never left keeps no watch from ending.
#[test]
fn a_watch_ends_although_an_act_never_left() {
    let once = StepPlan { doubt: Doubt::Looks { horizon_ms: Some(9) }, watch_ms: Some(9), ..step(Kind::Compensatable) };
    let loose = StepPlan { beside: true, ..once };
    let plan = Arc::new(Plan::new(vec![once, loose]).expect("a sound order"));
    let ended = |version| {
        let mut saga: Coordinator = Coordinator::pinned(Arc::clone(&plan), version);
        saga.step(Time(1), Input::Start);
        saga.step(Time(2), Input::Receive(Told::Sent { step: 1 }));
        saga.step(Time(3), told(1, Operation::Act, Definite::Refused));
        assert_eq!(saga.outbox(), [Command { step: 1, operation: Operation::Look }]);
        assert_eq!((saga.decision(), saga.watch_ends_at(1)), (Some(Outcome::Cancelled), Some(Time(12))));
        saga
    };
    // In version 1 by a time-out, since then by a look that left when nothing was on the road any more.
    let mut timed = ended(1);
    assert_eq!(timed.deadline(), Some(Time(12)));
    timed.step(Time(20), looked(1, Time(20)));
    assert_eq!(timed, ended(1), "it means nothing there");
    timed.step(Time(12), Input::Timeout);
    assert_eq!((timed.outbox().len(), timed.deadline()), (0, None));

    let mut seen = ended(2);
    assert_eq!(seen.deadline(), None);
    for in_vain in [Input::Timeout, looked(1, Time(11)), looked(0, Time(20))] {
        seen.step(Time(20), in_vain);
        assert_eq!(seen, ended(2), "{in_vain:?}");
    }
    seen.step(Time(11), looked(1, Time(50)));
    assert_eq!(seen, ended(2), "nothing leaves after its answer has come");
    seen.step(Time(20), looked(1, Time(12)));
    assert_eq!((seen.outbox().len(), seen.deadline(), seen.watch_ends_at(1)), (0, None, None));
    assert_ne!(seen.encode(), timed.encode(), "that it was seen is part of what it is");
}

/// A key that can be closed, but may be forgotten, is not closed for ever.
#[test]
fn a_close_that_nobody_answers_needs_a_person_before_the_key_is_forgotten() {
    let forgets = StepPlan { deadline_ms: Some(5), forgotten_ms: Some(9), ..step(Kind::Compensatable) };
    let mut saga: Coordinator = Coordinator::new(Arc::new(Plan::new(vec![forgets, step(Kind::Pivot)]).expect("a sound order")));
    saga.step(Time(1), Input::Start);
    saga.step(Time(6), Input::Timeout);
    assert_eq!(saga.deadline(), Some(Time(10)));
    saga.step(Time(10), Input::Timeout);
    assert_eq!((saga.standing(), saga.evidence(), saga.deadline()), (Standing::Cancelling, None, None));
    assert_eq!(saga.outbox(), [Command { step: 1, operation: Operation::Close }], "the key in which it is decided");
    saga.step(Time(11), told(1, Operation::Close, Definite::Closed));
    assert_eq!((saga.standing(), saga.evidence()), (Standing::Suspended, Some(Evidence::OutOfReach { step: 0 })));
}

/// A booking that nobody can ask for any more keeps no refund, and an answer that comes after all ends the saga.
#[test]
fn what_is_out_of_reach_keeps_nothing_else() {
    let forgets = StepPlan { doubt: Doubt::Repeats { last_send_ms: Some(9) }, beside: true, ..step(Kind::Compensatable) };
    let plan = Plan::new(vec![step(Kind::Compensatable), forgets, step(Kind::Pivot)]).expect("a sound order");
    let mut saga: Coordinator = Coordinator::new(Arc::new(plan));
    saga.step(Time(1), Input::Start);
    saga.step(Time(2), told(0, Operation::Act, Definite::Done));
    saga.step(Time(10), Input::Timeout);
    assert_eq!(saga.outbox(), [Command { step: 2, operation: Operation::Close }]);
    saga.step(Time(11), told(2, Operation::Close, Definite::Closed));
    assert_eq!(saga.outbox(), [Command { step: 0, operation: Operation::Undo }]);
    let mut answered = saga.clone();
    saga.step(Time(12), told(0, Operation::Undo, Definite::Undone));
    assert_eq!((saga.standing(), saga.evidence()), (Standing::Suspended, Some(Evidence::OutOfReach { step: 1 })));
    answered.step(Time(12), told(1, Operation::Act, Definite::Done));
    let undos = [0, 1].map(|step| Command { step, operation: Operation::Undo });
    assert_eq!(answered.outbox(), undos);
    answered.step(Time(13), told(0, Operation::Undo, Definite::Undone));
    answered.step(Time(14), told(1, Operation::Undo, Definite::Undone));
    assert_eq!(answered.decision(), Some(Outcome::Cancelled));
}

/// What is captured is captured at once: a letter that nobody takes must not keep it waiting until the hold lapses.
#[test]
fn a_capture_waits_for_nothing_but_the_decision() {
    let step = ProfiledStep::new;
    let held = step(Profile { hold_expires_ms: Some(100), ..Profile::CONTRACT });
    let dispatch = step(Profile::of_kind(Kind::Pivot));
    let letter = step(Profile::of_kind(Kind::Retriable));
    let capture = ProfiledStep { captures: Some(0), ..letter };
    let assessed = |steps: &[ProfiledStep]| assess(steps, &Assumptions::default()).map(drop);
    let waits = Err(PlanError::CaptureWaits { step: 3, behind: 2 });
    assert_eq!(assessed(&[held, dispatch, letter, capture]), waits);
    for steps in [[held, dispatch, capture, letter], [held, dispatch, letter, ProfiledStep { beside: true, ..capture }]] {
        assert_eq!(assessed(&steps), Ok(()));
    }
}
