//! Undos that are done later, or fail later, and undos that may leave only once.

use alloc::collections::BTreeSet;
use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;

use super::{all_states, of_undo, ruled, step, told};
use crate::{
    Answer, Assumptions, Command, Coordinator, Definite, Evidence, Input, Kind, Mark, Operation, Outcome, Party, Plan, Profile,
    ProfiledStep, Ruling, Standing, StepPlan, Time, Told, UndoTold, assess,
};

const LOOK: Command = Command { step: 0, operation: Operation::Look };
const UNDO: Command = Command { step: 0, operation: Operation::Undo };

/// A payment that is to be undone, as its dispatch has refused.
fn turned_back(payment: StepPlan) -> Coordinator {
    let plan = Plan::new(vec![payment, step(Kind::Pivot)]).expect("a sound order");
    let mut saga: Coordinator = Coordinator::new(Arc::new(plan));
    saga.step(Time(1), Input::Start);
    saga.step(Time(2), told(0, Operation::Act, Definite::Done));
    saga.step(Time(3), told(1, Operation::Act, Definite::Refused));
    assert_eq!(saga.outbox(), [UNDO]);
    saga
}

fn later() -> StepPlan {
    StepPlan { undoes_later: true, ..step(Kind::Compensatable) }
}

fn once() -> StepPlan {
    StepPlan { undo_once_ms: Some(200), undo_again_ms: Some(100), ..step(Kind::Compensatable) }
}

fn found_done(left: u64) -> Input<Told> {
    Input::Receive(Told::Looked { step: 0, found: Some(Definite::Done), left: Time(left) })
}

#[test]
fn every_state_of_an_undo_has_bytes_of_its_own() {
    let payment = StepPlan { undoes_later: true, ..once() }.deadline(Some(0));
    let plan = Plan::new(vec![payment, step(Kind::Pivot)]).expect("a sound order").at_any_moment();
    let states = all_states(plan);
    let bytes: BTreeSet<Vec<u8>> = states.iter().map(Coordinator::encode).collect();
    assert_eq!(bytes.len(), states.len());
    assert!(states.iter().any(|state| state.is_undo_pending(0)) && states.iter().any(|state| state.is_undo_out_of_reach(0)));
}

#[test]
fn an_accepted_undo_is_looked_for_and_counts_once_it_is_found() {
    let mut saga = turned_back(later());
    saga.step(Time(4), of_undo(0, UndoTold::Accepted));
    assert_eq!((saga.outbox(), saga.decision(), saga.is_undo_pending(0)), (vec![LOOK], None, true));
    saga.step(Time(5), told(0, Operation::Look, Definite::Done));
    assert_eq!(saga.outbox(), [LOOK], "that it is still there is nothing new");
    saga.step(Time(6), told(0, Operation::Look, Definite::Undone));
    assert_eq!((saga.decision(), saga.evidence()), (Some(Outcome::Cancelled), None));
    let mut asked_again = turned_back(step(Kind::Compensatable));
    asked_again.step(Time(4), of_undo(0, UndoTold::Accepted));
    assert_eq!(asked_again.outbox(), [UNDO], "what cannot be looked for is asked for again");
    let mut old: Coordinator = Coordinator::pinned(Arc::new(Plan::payment_then_dispatch(None, None)), 1);
    old.step(Time(1), Input::Start);
    let before = old.clone();
    old.step(Time(2), of_undo(0, UndoTold::Failed));
    assert_eq!(old, before, "it means nothing to a saga of version 1");
}

#[test]
fn an_undo_that_failed_is_for_a_person_who_has_four_ways_on() {
    let mut saga = turned_back(later());
    saga.step(Time(4), of_undo(0, UndoTold::Accepted));
    saga.step(Time(5), of_undo(0, UndoTold::Failed));
    assert_eq!((saga.standing(), saga.evidence()), (Standing::Suspended, Some(Evidence::UndoFailed { step: 0 })));
    assert!(saga.needs_person(0) && !saga.is_undo_pending(0));
    let after = |ruling: Ruling| {
        let mut next = saga.clone();
        next.step(Time(9), ruled(ruling));
        next
    };
    // It is looked for once more, may fail once more, and is found undone after all.
    let mut looked_for = after(Ruling::Retry);
    assert_eq!((looked_for.outbox(), looked_for.evidence()), (vec![LOOK], None));
    looked_for.step(Time(10), of_undo(0, UndoTold::Failed));
    assert_eq!(looked_for.evidence(), Some(Evidence::UndoFailed { step: 0 }));
    looked_for.step(Time(11), told(0, Operation::Look, Definite::Undone));
    assert_eq!((looked_for.decision(), looked_for.evidence()), (Some(Outcome::Cancelled), None));
    // It is asked for anew, is marked as undone by hand or as still done, or nobody waits for it any longer.
    assert_eq!(after(Ruling::Resume).outbox(), [UNDO]);
    let mark = |mark| Ruling::Mark { step: 0, mark };
    assert_eq!(after(mark(Mark::Undone)).decision(), Some(Outcome::Cancelled));
    assert_eq!(after(mark(Mark::Done)).outbox(), [UNDO]);
    assert_eq!(after(Ruling::Settle).decision(), Some(Outcome::Settled));
}

#[test]
fn an_undo_that_may_leave_once_is_marked_and_repeated_only_after_a_late_look() {
    let mut saga = turned_back(once());
    assert!(saga.leaves_once(0, Operation::Undo) && !saga.leaves_once(0, Operation::Act));
    saga.step(Time(1_000), of_undo(0, UndoTold::Sent));
    assert_eq!((saga.outbox(), saga.deadline()), (vec![LOOK], Some(Time(1_200))));
    assert_eq!(saga.watch_ends_at(0), Some(Time(1_100)));
    saga.step(Time(1_150), found_done(1_099));
    assert_eq!(saga.outbox(), [LOOK], "it may be on the road still");
    let mut again = saga.clone();
    again.step(Time(1_150), found_done(1_100));
    assert_eq!(again.outbox(), [UNDO]);
    again.step(Time(1_160), of_undo(0, UndoTold::Sent));
    again.step(Time(1_170), told(0, Operation::Undo, Definite::Undone));
    assert_eq!(again.decision(), Some(Outcome::Cancelled));
    // Nothing was found in time: a person is asked, and what is found after all counts.
    saga.step(Time(1_200), Input::Timeout);
    assert_eq!((saga.standing(), saga.evidence()), (Standing::Suspended, Some(Evidence::OutOfReach { step: 0 })));
    let mut looked_for = saga.clone();
    looked_for.step(Time(2_000), ruled(Ruling::Resume));
    assert_eq!(looked_for, saga, "it is not asked for anew, since it may have left");
    looked_for.step(Time(2_000), ruled(Ruling::Retry));
    assert_eq!((looked_for.outbox(), looked_for.deadline()), (vec![LOOK], Some(Time(2_200))));
    saga.step(Time(3_000), Input::Receive(Told::Answer { to: LOOK, answer: Answer::State(Definite::Undone) }));
    assert_eq!(saga.decision(), Some(Outcome::Cancelled));
}

/// What was given back in part is not given back once more: a person has to look.
#[test]
fn a_part_that_was_undone_is_not_undone_once_more_where_it_may_leave_once() {
    let differs = Input::Receive(Told::Differs { step: 0, in_effect: true });
    let mut saga = turned_back(once());
    saga.step(Time(10), of_undo(0, UndoTold::Sent));
    saga.step(Time(11), differs);
    assert_eq!((saga.standing(), saga.evidence()), (Standing::Suspended, Some(Evidence::OtherValues { step: 0 })));
    let before = saga.clone();
    saga.step(Time(12), ruled(Ruling::Retry));
    assert_eq!(saga, before, "nobody asks once more by accident");
    saga.step(Time(13), ruled(Ruling::Mark { step: 0, mark: Mark::Undone }));
    assert_eq!(saga.decision(), Some(Outcome::Cancelled));
    let mut asked_again = turned_back(step(Kind::Compensatable));
    asked_again.step(Time(11), differs);
    assert_eq!(asked_again.outbox(), [UNDO], "where asking twice undoes once it is asked for on and on");
}

/// An effect appears after the end in *neither*, and its undo is refused, or fails.
#[test]
fn a_late_effect_whose_undo_is_refused_is_not_asked_for_ever() {
    let late = || {
        let payment = StepPlan { watch_ms: Some(1_000), ..later() };
        let plan = Plan::new(vec![payment, step(Kind::Pivot)]).expect("a sound order");
        let mut saga: Coordinator = Coordinator::new(Arc::new(plan));
        saga.step(Time(1), Input::Start);
        saga.step(Time(2), told(0, Operation::Act, Definite::Refused));
        saga.step(Time(3), told(1, Operation::Close, Definite::Closed));
        saga.step(Time(4), told(0, Operation::Act, Definite::Done));
        assert_eq!((saga.outbox(), saga.decision()), (vec![UNDO], Some(Outcome::Cancelled)));
        assert_eq!(saga.evidence(), Some(Evidence::LateEffect { step: 0 }));
        saga
    };
    let mut refused = late();
    refused.step(Time(5), told(0, Operation::Undo, Definite::Done));
    assert!(matches!(refused.evidence(), Some(Evidence::Contradiction { .. })), "{refused:?}");
    let mut failed = late();
    failed.step(Time(5), of_undo(0, UndoTold::Failed));
    assert_eq!(failed.evidence(), Some(Evidence::UndoFailed { step: 0 }));
    for saga in [refused, failed] {
        assert_eq!((saga.outbox(), saga.decision(), saga.needs_person(0)), (vec![], Some(Outcome::Cancelled), true));
        let after = |ruling: Ruling| {
            let mut next = saga.clone();
            next.step(Time(9), ruled(ruling));
            assert_eq!(next.decision(), Some(Outcome::Cancelled), "what was told stays told");
            next
        };
        assert_eq!(after(Ruling::Resume).outbox(), [UNDO]);
        assert_eq!(after(Ruling::Mark { step: 0, mark: Mark::Done }).outbox(), [UNDO]);
        let undone = after(Ruling::Mark { step: 0, mark: Mark::Undone });
        assert_eq!((undone.outbox(), undone.needs_person(0)), (vec![], false));
        assert_eq!(undone.evidence(), Some(Evidence::LateEffect { step: 0 }));
        assert_eq!(after(Ruling::Settle), saga, "the outcome was told, and nobody is waited for");
    }
}

/// What a look finds after the end is kept where it contradicts that, and changes nothing else.
#[test]
fn what_is_found_after_the_end_is_kept_and_changes_no_outcome() {
    let looked = |found, left| Input::Receive(Told::Looked { step: 0, found: Some(found), left: Time(left) });
    let mut cancelled = turned_back(step(Kind::Compensatable));
    cancelled.step(Time(10), told(0, Operation::Undo, Definite::Undone));
    let mut completed: Coordinator = Coordinator::new(Arc::new(Plan::payment_then_dispatch(None, None)));
    completed.step(Time(1), Input::Start);
    completed.step(Time(2), told(0, Operation::Act, Definite::Done));
    completed.step(Time(10), told(1, Operation::Act, Definite::Done));
    for (saga, fits, other) in [(cancelled, Definite::Undone, Definite::Done), (completed, Definite::Done, Definite::Undone)] {
        for unsaid in [looked(fits, 20), looked(other, 10)] {
            let mut next = saga.clone();
            next.step(Time(20), unsaid);
            assert_eq!(next, saga, "it says nothing new, or left before the end");
        }
        let mut next = saga.clone();
        next.step(Time(20), looked(other, 11));
        assert_eq!((next.decision(), next.outbox()), (saga.decision(), vec![]));
        let Some(Evidence::Contradiction { to: LOOK, answer, .. }) = next.evidence() else { panic!("{next:?}") };
        assert_eq!(answer, Answer::State(other));
    }
}

/// That a look finds nothing of what was done proves nothing, and is told, once the look has to see it.
#[test]
fn what_is_not_found_after_the_end_is_told() {
    let nothing = |left| Input::Receive(Told::Looked { step: 0, found: None, left: Time(left) });
    let payment = StepPlan { peek_lag_ms: 5, ..step(Kind::Compensatable) };
    let mut saga: Coordinator = Coordinator::new(Arc::new(Plan::new(vec![payment, step(Kind::Pivot)]).unwrap()));
    saga.step(Time(1), Input::Start);
    saga.step(Time(2), told(0, Operation::Act, Definite::Done));
    saga.step(Time(10), told(1, Operation::Act, Definite::Done));
    for left in [10, 15] {
        let mut next = saga.clone();
        next.step(Time(30), nothing(left));
        assert_eq!(next, saga, "it may not see it yet");
    }
    let before = saga.clone();
    saga.step(Time(30), nothing(16));
    assert_eq!((saga.decision(), saga.outbox()), (before.decision(), vec![]));
    assert_eq!((saga.evidence(), saga.standing()), (Some(Evidence::NotFound { step: 0 }), Standing::Completed));
}

#[test]
fn an_undo_is_repeated_only_where_that_can_be_relied_on() {
    let declared = Assumptions { message_lifetime_ms: Some(10), clock_error_ms: Some(1), longest_outage_ms: Some(10) };
    let treated = |profile: Profile, assumptions: &Assumptions| {
        let steps = [profile, Profile::of_kind(Kind::Pivot)].map(ProfiledStep::new);
        let plan = assess(&steps, assumptions).expect("a sound order").plan.steps()[0];
        (plan.undo_once_ms, plan.undo_again_ms)
    };
    let once = Profile { undo_idempotent: false, ..Profile::CONTRACT };
    assert_eq!(treated(once, &declared), (Some(42), Some(21)));
    assert_eq!(
        treated(Profile { peek: false, undo_is_seen: false, ..once }, &declared),
        (Some(21), None),
        "it cannot be looked at"
    );
    assert_eq!(
        treated(Profile { undoes_later: true, ..once }, &declared),
        (Some(21), None),
        "what is pending looks like nothing"
    );
    let a_day = 24 * 60 * 60 * 1_000;
    assert_eq!(treated(once, &Assumptions::default()), (Some(a_day), None), "nobody knows how late it can be");
    assert_eq!(treated(Profile::CONTRACT, &declared), (None, None));
}
