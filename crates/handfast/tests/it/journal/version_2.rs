//! Journals that were written by version 2 of the protocol: what a person says, looks, other values, and a former life.
//!
//! A new kind of line gets a story here; its file is written as `journals_are_written_as_they_always_were` says.

use handfast::journal::{Line, Said, Scalar};
use handfast_protocol::{Answer, Command, Definite, Doubt, Kind, Mark, Operation, Plan, Ruling, Standing, StepPlan, Time};

use super::{Story, known, told};

const DAY_MS: u64 = 24 * 60 * 60 * 1_000;

fn person(ruling: Ruling, saw: u64) -> Line {
    let said = Said {
        by: "ann".to_owned(),
        reason: "asked them by phone".to_owned(),
        request_id: format!("r-{saw}"),
        saw,
        evidence: saw.is_multiple_of(2).then(|| "mail of 4 May: ü".to_owned()),
        ..Said::default()
    };
    Line::Person { ruling, said }
}

fn mark(step: usize, mark: Mark, saw: u64) -> Line {
    person(Ruling::Mark { step, mark }, saw)
}

fn differs(step: usize, operation: Operation, in_effect: bool) -> Line {
    let what = "act answered with /amount 50 instead of 100".to_owned();
    let kept = in_effect.then(|| ("id".to_owned(), Scalar::Text("ch_1".to_owned()))).into_iter().collect();
    Line::Differs { to: Command { step, operation }, in_effect, what, kept }
}

fn forgotten(step: usize) -> Line {
    Line::Forgotten { step, incarnation: "m4r1y1n3bb".to_owned() }
}

fn plan(steps: &[StepPlan]) -> Plan {
    Plan::new(steps.to_vec()).unwrap()
}

fn shop() -> Plan {
    Plan::payment_then_dispatch(Some(3_000), Some(5_000))
}

/// A payment that may be asked only once and is watched after the end, then a dispatch.
fn once() -> Plan {
    let payment = StepPlan {
        doubt: Doubt::Looks { horizon_ms: Some(60_000) },
        watch_ms: Some(90_000),
        ..StepPlan::new(Kind::Compensatable)
    };
    plan(&[payment, StepPlan::new(Kind::Pivot)])
}

pub(super) fn stories() -> Vec<Story> {
    let story = |name, plan, lines, standing| Story { version: 2, folder: "v2", name, plan, lines, standing };
    let own = [
        story("person_marks_not_done", shop(), marked_not_done(), Standing::Cancelled),
        story("person_marks_undone", once(), marked_undone(), Standing::Cancelled),
        story("person_retries", once(), retried(), Standing::Suspended),
        story("look_ends_a_watch", once(), looked(), Standing::Cancelled),
        story("another_reference_turns_back", shop(), another_reference(), Standing::Cancelled),
        story("former_life_contradicted", shop(), contradicted(), Standing::Suspended),
    ];
    since_version_2(2, "v2").into_iter().chain(own).collect()
}

/// What has been told since version 2 to orders that either version began.
pub(super) fn since_version_2(version: u32, folder: &'static str) -> Vec<Story> {
    let story = |name, plan, lines, standing| Story { version, folder, name, plan, lines, standing };
    let of_people = [
        story("person_resumes", shop(), resumed(), Standing::Cancelled),
        story("person_marks_done", once(), marked_done(), Standing::Cancelled),
        story("person_settles", shop(), settled(), Standing::Settled),
        story("other_values_are_undone", shop(), other_values(), Standing::Cancelled),
    ];
    let of_lives = [
        story("former_life_confirmed", shop(), confirmed(), Standing::Completed),
        story("former_life_by_a_word", shop(), confirmed_by_a_word(), Standing::Completed),
        story("former_life_closed", shop(), closed_in_a_new_life(), Standing::Cancelled),
    ];
    let of_moves = [
        story("moved_and_found", shop(), moved_and_found(), Standing::Completed),
        story("moved_and_not_known", shop(), moved_and_not_known(), Standing::Suspended),
        story("moved_to_the_same_books", shop(), moved_to_the_same_books(), Standing::Cancelled),
        story("moved_and_undone_by_hand", shop(), moved_and_undone_by_hand(), Standing::Cancelled),
        story("moved_while_it_is_undone", shop(), moved_while_it_is_undone(), Standing::Suspended),
        story("moved_and_said_twice", shop(), moved_and_said_twice(), Standing::Cancelled),
        story("moved_after_a_backup", shop(), moved_after_a_backup(), Standing::Suspended),
    ];
    of_people.into_iter().chain(of_lives).chain(of_moves).collect()
}

/// A payment was asked for, and its service is called at another address since.
fn moved() -> Vec<(u64, Line)> {
    vec![(1_000, Line::Start), (1_500, Line::Moved { step: 0, can_be_looked_at: true, came_back: false })]
}

fn moved_and_found() -> Vec<(u64, Line)> {
    let mut lines = moved();
    lines.extend([(1_520, known(0, Operation::Look, Definite::Done, 5)), (1_540, known(1, Operation::Act, Definite::Done, 3))]);
    lines
}

fn moved_and_not_known() -> Vec<(u64, Line)> {
    let mut lines = moved();
    lines.push((1_520, Line::Looked { step: 0, found: None, left: Time(1_510) }));
    lines
}

/// Whoever says so may be a person, or it is the former address again.
fn moved_to_the_same_books() -> Vec<(u64, Line)> {
    let mut lines = moved_and_not_known();
    let (by, why) = (Some("ann".to_owned()), Some("books and all: ü".to_owned()));
    lines.extend([
        (9_000, Line::SameBooks { step: 0, by, why }),
        (9_010, Line::Timeout),
        (9_020, known(0, Operation::Close, Definite::Closed, 5)),
        (9_040, known(1, Operation::Close, Definite::Closed, 3)),
    ]);
    lines
}

/// It was paid at the former address, and the new one has never heard of it.
fn moved_and_undone_by_hand() -> Vec<(u64, Line)> {
    vec![
        (1_000, Line::Start),
        (1_020, known(0, Operation::Act, Definite::Done, 7)),
        (1_500, Line::Moved { step: 0, can_be_looked_at: false, came_back: false }),
        (1_520, known(1, Operation::Act, Definite::Refused, 3)),
        (9_000, mark(0, Mark::Undone, 4)),
    ]
}

/// The refund may be on the road to the former address, and the new one does not know the payment.
fn moved_while_it_is_undone() -> Vec<(u64, Line)> {
    vec![
        (1_000, Line::Start),
        (1_020, known(0, Operation::Act, Definite::Done, 7)),
        (1_040, known(1, Operation::Act, Definite::Refused, 3)),
        (1_500, Line::Moved { step: 0, can_be_looked_at: true, came_back: false }),
        (1_520, Line::Looked { step: 0, found: None, left: Time(1_510) }),
    ]
}

/// That it was not done counts once it is said when nothing can be on the road any more.
fn moved_and_said_twice() -> Vec<(u64, Line)> {
    let mut lines = moved_and_not_known();
    lines.extend([
        (9_000, mark(0, Mark::NotDone, 3)),
        (9_000 + DAY_MS, Line::Timeout),
        (10_000 + DAY_MS, mark(0, Mark::NotDone, 3)),
        (10_020 + DAY_MS, known(1, Operation::Close, Definite::Closed, 3)),
    ]);
    lines
}

/// The journal does not know whether the dispatch was asked for.
fn moved_after_a_backup() -> Vec<(u64, Line)> {
    vec![
        (1_000, Line::Start),
        (1_500, Line::Moved { step: 1, can_be_looked_at: true, came_back: true }),
        (1_520, known(0, Operation::Act, Definite::Done, 7)),
        (1_540, Line::Looked { step: 1, found: None, left: Time(1_530) }),
    ]
}

fn other_body() -> Vec<(u64, Line)> {
    vec![
        (1_000, Line::Start),
        (1_020, told(0, Operation::Act, Answer::OtherBody, 7, None)),
        (1_040, known(1, Operation::Close, Definite::Closed, 3)),
    ]
}

fn resumed() -> Vec<(u64, Line)> {
    let mut lines = other_body();
    lines.extend([(9_000, person(Ruling::Resume, 3)), (9_020, known(0, Operation::Close, Definite::Closed, 8))]);
    lines
}

fn marked_not_done() -> Vec<(u64, Line)> {
    let mut lines = other_body();
    lines.extend([(9_000, mark(0, Mark::NotDone, 3)), (9_000 + DAY_MS, Line::Timeout)]);
    lines
}

fn settled() -> Vec<(u64, Line)> {
    let mut lines = other_body();
    lines.push((9_000, person(Ruling::Settle, 3)));
    lines
}

/// Sent once, never found, and the rest is taken back.
fn never_found() -> Vec<(u64, Line)> {
    vec![
        (1_000, Line::Start),
        (1_010, Line::Sent { step: 0 }),
        (61_010, Line::Timeout),
        (61_030, known(1, Operation::Close, Definite::Closed, 3)),
    ]
}

fn marked_done() -> Vec<(u64, Line)> {
    let mut lines = never_found();
    lines.extend([(70_000, mark(0, Mark::Done, 4)), (70_020, known(0, Operation::Undo, Definite::Undone, 9))]);
    lines
}

fn marked_undone() -> Vec<(u64, Line)> {
    let mut lines = never_found();
    lines.push((70_000, mark(0, Mark::Undone, 4)));
    lines
}

fn retried() -> Vec<(u64, Line)> {
    let mut lines = never_found();
    lines.extend([(70_000, person(Ruling::Retry, 4)), (130_000, Line::Timeout)]);
    lines
}

fn looked() -> Vec<(u64, Line)> {
    vec![
        (1_000, Line::Start),
        (1_010, Line::Sent { step: 0 }),
        (1_020, Line::Cancel { by: None, why: None, request_id: None }),
        (1_040, known(1, Operation::Close, Definite::Closed, 3)),
        (1_060, known(0, Operation::Act, Definite::Refused, 4)),
        (91_100, Line::Looked { step: 0, found: None, left: Time(91_070) }),
    ]
}

fn other_values() -> Vec<(u64, Line)> {
    vec![
        (1_000, Line::Start),
        (1_020, differs(0, Operation::Act, true)),
        (1_040, known(1, Operation::Close, Definite::Closed, 3)),
        (1_060, known(0, Operation::Undo, Definite::Undone, 8)),
    ]
}

fn another_reference() -> Vec<(u64, Line)> {
    vec![
        (1_000, Line::Start),
        (1_020, differs(0, Operation::Act, false)),
        (1_040, known(1, Operation::Close, Definite::Closed, 3)),
        (1_060, known(0, Operation::Close, Definite::Closed, 8)),
    ]
}

/// A payment was done, and its participant was put back to an older copy of its store.
fn put_back() -> Vec<(u64, Line)> {
    vec![(1_000, Line::Start), (1_020, known(0, Operation::Act, Definite::Done, 7)), (2_000, forgotten(0))]
}

fn confirmed() -> Vec<(u64, Line)> {
    let mut lines = put_back();
    lines.extend([(2_020, known(0, Operation::Look, Definite::Done, 5)), (2_040, known(1, Operation::Act, Definite::Done, 3))]);
    lines
}

fn contradicted() -> Vec<(u64, Line)> {
    let mut lines = put_back();
    lines.extend([
        (2_020, known(0, Operation::Look, Definite::Closed, 5)),
        (2_040, known(1, Operation::Close, Definite::Closed, 3)),
    ]);
    lines
}

fn confirmed_by_a_word() -> Vec<(u64, Line)> {
    let mut lines = put_back();
    lines.extend([(2_020, mark(0, Mark::Done, 3)), (2_040, known(1, Operation::Act, Definite::Done, 3))]);
    lines
}

fn closed_in_a_new_life() -> Vec<(u64, Line)> {
    let mut lines = put_back();
    lines.extend([
        (2_020, mark(0, Mark::NotDone, 3)),
        (2_040, known(0, Operation::Close, Definite::Closed, 5)),
        (2_060, known(1, Operation::Close, Definite::Closed, 3)),
    ]);
    lines
}
