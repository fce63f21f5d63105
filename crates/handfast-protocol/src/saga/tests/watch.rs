//! What is seen after the end, and what is told of it.

use super::*;

fn found(step: usize, found: Definite, left: u64) -> Input<Told> {
    Input::Receive(Told::Looked { step, found: Some(found), left: Time(left) })
}

fn moved(step: usize) -> Input<Told> {
    Input::Receive(Told::Moved { step, can_be_looked_at: true, came_back: false })
}

fn completed(moved_to: Option<usize>) -> Coordinator {
    let mut saga = shop(None);
    saga.step(Time(1), Input::Start);
    saga.step(Time(2), told(0, Operation::Act, Definite::Done));
    if let Some(step) = moved_to {
        saga.step(Time(3), moved(step));
    }
    saga.step(Time(4), told(1, Operation::Act, Definite::Done));
    assert_eq!(saga.decision(), Some(Outcome::Completed));
    saga
}

/// That nothing was found is less than anything that was: it gives way, and is taken back by whoever finds it.
#[test]
fn not_found_hides_nothing() {
    let mut saga = completed(None);
    saga.step(Time(10), looked(0, Time(9)));
    assert_eq!(saga.evidence(), Some(Evidence::NotFound { step: 0 }));
    let mut again = saga.clone();
    again.step(Time(12), looked(1, Time(11)));
    assert_eq!(again.evidence(), saga.evidence(), "the first counts");
    again.step(Time(12), found(0, Definite::Done, 9));
    assert_eq!(again.evidence(), saga.evidence(), "that was before");
    again.step(Time(14), found(0, Definite::Done, 13));
    assert_eq!((again.evidence(), again.decision()), (None, Some(Outcome::Completed)));
    let to = Command { step: 0, operation: Operation::Look };
    let undone = Evidence::Contradiction { to, known: Some(Definite::Done), answer: Answer::State(Definite::Undone) };
    let mut broken = saga.clone();
    broken.step(Time(12), found(0, Definite::Undone, 11));
    assert_eq!(broken.evidence(), Some(undone));
    broken.step(Time(14), found(0, Definite::Done, 13));
    assert_eq!(broken.evidence(), Some(undone), "what was seen is not unseen");
    saga.step(Time(12), told(0, Operation::Act, Definite::Refused));
    assert!(matches!(saga.evidence(), Some(Evidence::Contradiction { .. })), "a broken promise is more, too");
}

/// Whoever is asked after a move may keep other books.
#[test]
fn what_is_not_found_elsewhere_is_not_told_as_not_found() {
    let mut saga = completed(Some(0));
    saga.step(Time(10), looked(0, Time(9)));
    assert_eq!(saga.evidence(), None);
    saga.step(Time(10), looked(1, Time(9)));
    assert_eq!(saga.evidence(), Some(Evidence::NotFound { step: 1 }));
}

/// Two payments, one after the other, that were refused and are watched, the first of them at another address.
fn watched_elsewhere(version: u32) -> Coordinator {
    let watched = StepPlan { doubt: Doubt::Repeats { last_send_ms: None }, watch_ms: Some(9), ..step(Kind::Compensatable) };
    let beside = StepPlan { beside: true, ..watched };
    let plan = Arc::new(Plan::new(vec![watched, beside]).unwrap());
    let mut saga: Coordinator = Coordinator::pinned(plan, version);
    saga.step(Time(1), Input::Start);
    saga.step(Time(2), told(0, Operation::Act, Definite::Refused));
    saga.step(Time(3), told(1, Operation::Act, Definite::Refused));
    assert_eq!(saga.decision(), Some(Outcome::Cancelled));
    saga.step(Time(4), moved(0));
    saga
}

/// That a watch ended at another address is less than what a watch has seen.
#[test]
fn a_watch_that_ended_elsewhere_hides_no_late_effect() {
    let mut saga = watched_elsewhere(2);
    saga.step(Time(20), looked(0, Time(15)));
    assert_eq!(saga.evidence(), Some(Evidence::Moved { step: 0 }));
    saga.step(Time(21), told(1, Operation::Look, Definite::Done));
    assert_eq!(saga.evidence(), Some(Evidence::LateEffect { step: 1 }));
}

/// In version 1 a watch is ended by time, and somebody is told all the same where that was at another address.
#[test]
fn a_watch_that_time_ends_elsewhere_is_told() {
    let mut saga = watched_elsewhere(1);
    assert_eq!((saga.deadline(), saga.evidence()), (Some(Time(12)), None));
    saga.step(Time(12), Input::Timeout);
    assert_eq!((saga.outbox().len(), saga.evidence()), (0, Some(Evidence::Moved { step: 0 })));
}

/// A day has passed at the new address when the journal is copied. Then the books are said to be the same, and the act leaves: the
/// journal that comes back has forgotten that, so a word counts neither at once nor after what was left of a day.
#[test]
fn a_journal_that_came_back_knows_no_clear_road() {
    const DAY_MS: u64 = 24 * 60 * 60 * 1_000;
    let not_done = ruled(Ruling::Mark { step: 0, mark: Mark::NotDone });
    let mut saga = shop(None);
    saga.step(Time(1), Input::Start);
    saga.step(Time(2), moved(0));
    saga.step(Time(3), looked(0, Time(2)));
    saga.step(Time(4), not_done);
    let came_back = |mut saga: Coordinator| {
        saga.step(Time(DAY_MS + 2), Input::Receive(Told::Moved { step: 0, can_be_looked_at: true, came_back: true }));
        saga.step(Time(DAY_MS + 2), looked(0, Time(DAY_MS + 2)));
        saga
    };
    let mut waits = came_back(saga.clone());
    waits.step(Time(DAY_MS + 4), Input::Timeout);
    assert_eq!(waits.step_mark(0), None, "what was said before it came back is older than what it has forgotten");
    saga.step(Time(DAY_MS + 4), Input::Timeout);
    assert_eq!(saga.step_mark(0), None, "it is to be said once more");
    let mut clear = saga.clone();
    clear.step(Time(DAY_MS + 5), not_done);
    assert!(clear.is_step_off(0));
    for mut saga in [waits, came_back(saga)] {
        saga.step(Time(DAY_MS + 5), not_done);
        assert!(!saga.is_step_off(0), "the act may be on the road");
        assert!(saga.outbox().contains(&Command { step: 0, operation: Operation::Look }), "and it is looked for");
        saga.step(Time(2 * DAY_MS + 5), Input::Timeout);
        saga.step(Time(2 * DAY_MS + 6), not_done);
        assert!(saga.is_step_off(0));
    }
}
