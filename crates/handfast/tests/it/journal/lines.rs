//! Every kind of line of a journal, made at random: what is written can be read, in every version.

use std::collections::{BTreeMap, BTreeSet};

use handfast::journal::{Line, Receipt, Said, Scalar};
use handfast_protocol::{Answer, Command, Definite, DueAt, Mark, Nature, Operation, PROTOCOL_VERSION, Ruling, Time, UndoTold};
use proptest::option;
use proptest::prelude::*;
use proptest::strategy::{Union, ValueTree as _};
use proptest::test_runner::TestRunner;

/// The kind of a line. A new one needs an arm here, its name in [`KINDS`], and a strategy in [`lines`].
const fn kind(line: &Line) -> &'static str {
    match line {
        Line::Start => "start",
        Line::Timeout => "timeout",
        Line::Due(_) => "due",
        Line::Cancel { .. } => "cancel",
        Line::Person { .. } => "person",
        Line::Sent { .. } => "sent",
        Line::Looked { .. } => "looked",
        Line::Forgotten { .. } => "forgotten",
        Line::Moved { .. } => "moved",
        Line::SameBooks { .. } => "same books",
        Line::Undo { .. } => "undo",
        Line::Answer { .. } => "answer",
        Line::Differs { .. } => "differs",
    }
}

const KINDS: [&str; 13] = [
    "start",
    "timeout",
    "due",
    "cancel",
    "person",
    "sent",
    "looked",
    "forgotten",
    "moved",
    "same books",
    "undo",
    "answer",
    "differs",
];

/// One strategy for each kind.
fn lines() -> Vec<BoxedStrategy<Line>> {
    let words = || option::of(any::<String>());
    let step = any::<usize>;
    vec![
        Just(Line::Start).boxed(),
        Just(Line::Timeout).boxed(),
        (any::<u64>(), any::<u64>(), prop::sample::select(&[Nature::Stops, Nature::Waits, Nature::Plain]))
            .prop_map(|(at, since, nature)| Line::Due(DueAt { at: Time(at), since: Time(since), nature }))
            .boxed(),
        (words(), words(), words()).prop_map(|(by, why, request_id)| Line::Cancel { by, why, request_id }).boxed(),
        (ruling(), said()).prop_map(|(ruling, said)| Line::Person { ruling, said }).boxed(),
        step().prop_map(|step| Line::Sent { step }).boxed(),
        (step(), option::of(definite()), any::<u64>())
            .prop_map(|(step, found, left)| Line::Looked { step, found, left: Time(left) })
            .boxed(),
        (step(), any::<String>()).prop_map(|(step, incarnation)| Line::Forgotten { step, incarnation }).boxed(),
        (step(), any::<bool>(), any::<bool>())
            .prop_map(|(step, can_be_looked_at, came_back)| Line::Moved { step, can_be_looked_at, came_back })
            .boxed(),
        (step(), words(), words()).prop_map(|(step, by, why)| Line::SameBooks { step, by, why }).boxed(),
        (step(), prop::sample::select(&UndoTold::ALL[..]), receipt())
            .prop_map(|(step, told, Receipt { detail, kept, .. })| {
                let receipt = Receipt { detail, kept, ..Receipt::default() };
                Line::Undo { step, told, receipt }
            })
            .boxed(),
        (command(), answer(), receipt()).prop_map(|(to, answer, receipt)| Line::Answer { to, answer, receipt }).boxed(),
        (command(), any::<bool>(), any::<String>(), receipt())
            .prop_map(|(to, in_effect, what, Receipt { kept, .. })| Line::Differs { to, in_effect, what, kept })
            .boxed(),
    ]
}

fn command() -> impl Strategy<Value = Command> {
    (any::<usize>(), prop::sample::select(&Operation::ALL[..])).prop_map(|(step, operation)| Command { step, operation })
}

fn definite() -> impl Strategy<Value = Definite> {
    prop::sample::select(vec![Definite::Done, Definite::Refused, Definite::Closed, Definite::Undone])
}

fn answer() -> impl Strategy<Value = Answer> {
    prop_oneof![4 => definite().prop_map(Answer::State), 1 => Just(Answer::OtherBody)]
}

fn ruling() -> impl Strategy<Value = Ruling> {
    let mark = (any::<usize>(), prop::sample::select(&Mark::ALL[..])).prop_map(|(step, mark)| Ruling::Mark { step, mark });
    prop_oneof![Just(Ruling::Retry), Just(Ruling::Resume), mark, Just(Ruling::Settle)]
}

fn said() -> impl Strategy<Value = Said> {
    (any::<String>(), any::<String>(), any::<String>(), any::<u64>(), option::of(any::<String>()), kept())
        .prop_map(|(by, reason, request_id, saw, evidence, kept)| Said { by, reason, request_id, saw, evidence, kept })
}

fn kept() -> impl Strategy<Value = BTreeMap<String, Scalar>> {
    let scalar = prop_oneof![
        any::<bool>().prop_map(Scalar::Bool),
        any::<i64>().prop_map(Scalar::Integer),
        any::<String>().prop_map(Scalar::Text),
    ];
    proptest::collection::btree_map(any::<String>(), scalar, 0..4)
}

fn receipt() -> impl Strategy<Value = Receipt> {
    let words = || option::of(any::<String>());
    (option::of(any::<u64>()), words(), words(), option::of(any::<u64>()), words(), kept()).prop_map(
        |(seq, incarnation, mark, at, detail, kept)| Receipt {
            seq,
            incarnation,
            mark,
            opening: None,
            at: at.map(Time),
            detail,
            kept,
        },
    )
}

/// Otherwise a kind of line could be added that nothing here ever writes.
#[test]
fn every_kind_of_line_is_made() {
    let mut runner = TestRunner::deterministic();
    let made: BTreeSet<&str> = lines().iter().map(|lines| kind(&lines.new_tree(&mut runner).unwrap().current())).collect();
    assert_eq!(made, BTreeSet::from(KINDS));
}

proptest! {
    #[test]
    fn what_is_written_can_be_read(line in Union::new(lines())) {
        for version in 1..=PROTOCOL_VERSION {
            let text = line.write(version).unwrap();
            prop_assert!(!text.contains('\n'), "{}", text);
            prop_assert_eq!(&Line::read(version, &text).unwrap(), &line);
        }
    }
}
