//! Random meanings: which answers a flow file says mean what.

use std::fmt::Write as _;

use handfast_protocol::{Operation, Undo};
use rand::RngExt;
use rand::rngs::StdRng;

use super::grammar::{Promises, chance, pick};
use crate::journal::Scalar;
use crate::participant::template::condition::{At, Condition, Expected, KeptAt, Test, Wants};

/// What the answers to one operation are said to mean.
#[derive(Clone, Debug)]
pub(super) struct Described {
    pub(super) answers: Vec<(&'static str, Vec<Condition>)>,
    pub(super) keep: Option<KeptAt>,
    has_detail: bool,
}

impl Described {
    pub(super) fn shapes(&self, meaning: &str) -> &[Condition] {
        self.answers.iter().find(|(name, _)| *name == meaning).map_or(&[], |(_, shapes)| shapes)
    }

    /// Whether every answer that means this is compared with the amount.
    pub(super) fn compares_amount(&self, meaning: &str) -> bool {
        let compares = |shape: &Condition| shape.tests.iter().any(|test| is_gap(&test.wants, "{input.amount."));
        self.shapes(meaning).iter().all(compares)
    }
}

/// Whether a gap of this kind, and nothing but it, is to stand there.
pub(super) fn is_gap(wants: &Wants, begin: &str) -> bool {
    let Wants::Is(values) = wants else { return false };
    values.iter().all(|value| matches!(value, Expected::Gaps { gaps } if gaps.starts_with(begin)))
}

fn text(value: &str) -> Expected {
    Expected::Value(Scalar::Text(value.to_owned()))
}

fn gaps(value: &str) -> Expected {
    Expected::Gaps { gaps: value.to_owned() }
}

fn at(pointer: &str, wants: Wants) -> Test {
    Test { at: At::Json(pointer.to_owned()), wants }
}

/// How a service says each of its states.
struct Words {
    meaning: &'static str,
    word: &'static str,
    code: i64,
}

const WORDS: [Words; 5] = [
    Words { meaning: "done", word: "held", code: 1 },
    Words { meaning: "refused", word: "declined", code: 2 },
    Words { meaning: "closed", word: "voided", code: 3 },
    Words { meaning: "undone", word: "refunded", code: 4 },
    Words { meaning: "absent", word: "unheard", code: 5 },
];

/// What a service of these promises is said to answer to an operation.
pub(super) fn any_described(
    random: &mut StdRng,
    (operation, promises, captures): (Operation, &Promises, bool),
    (sends_money, reference): (bool, &'static str),
    keeps_id: bool,
) -> Described {
    let has_undo = promises.undo != Undo::Never;
    let percents = match operation {
        Operation::Act => [
            ("done", 100),
            (
                "refused",
                if promises.may_refuse {
                    100
                } else if captures {
                    70
                } else {
                    0
                },
            ),
            ("closed", 85),
            ("undone", if has_undo { 80 } else { 0 }),
            ("absent", 0),
        ],
        Operation::Close => [
            ("done", 94),
            ("refused", if promises.may_refuse { 92 } else { 0 }),
            ("closed", 100),
            ("undone", if has_undo { 85 } else { 0 }),
            ("absent", 0),
        ],
        Operation::Undo => [
            ("done", 0),
            ("refused", if promises.may_refuse { 80 } else { 0 }),
            ("closed", if promises.undo == Undo::Closes { 100 } else { 0 }),
            ("undone", 100),
            ("absent", 0),
        ],
        Operation::Look => {
            [("done", 100), ("refused", if promises.may_refuse { 65 } else { 0 }), ("closed", 0), ("undone", 0), ("absent", 75)]
        }
    };
    let (mut answers, says_whose) = (Vec::new(), chance(random, 25));
    for (words, (meaning, percent)) in WORDS.iter().zip(percents) {
        assert_eq!(words.meaning, meaning, "in the order of the words");
        if chance(random, percent) {
            let shapes = if chance(random, 75) { 1 } else { random.random_range(2..4) };
            let shapes =
                (0..shapes).map(|_| any_condition(random, (operation, words), sends_money, (reference, says_whose))).collect();
            answers.push((meaning, shapes));
        }
    }
    let keeps = keeps_id && answers.iter().any(|(meaning, _)| *meaning == "done") && operation != Operation::Undo;
    let pointer = |at: &str| KeptAt::Json(at.to_owned());
    let places = [pointer("/id"), pointer("/object/id"), KeptAt::Header { header: "x-id".to_owned() }];
    let keep = keeps.then(|| places[random.random_range(0..3)].clone());
    Described { answers, keep, has_detail: chance(random, 30) }
}

fn any_condition(
    random: &mut StdRng,
    (operation, words): (Operation, &Words),
    sends_money: bool,
    (reference, says_whose): (&'static str, bool),
) -> Condition {
    let Words { meaning, code, .. } = *words;
    // The answer to a peek must not be read as a refusal or an absence without a proof.
    let is_bare = !(operation == Operation::Look && meaning == "refused") && chance(random, 4);
    let mut shape = any_status(random, code, is_bare);
    // Whatever stands in a list stands in one element of it, with everything else that is said of that.
    let list = if is_bare { "" } else { pick(random, &["", "", "", "/errors/*", "/items/*/parts/*"]) };
    if is_bare {
        let server = Test { at: At::Header("server".to_owned()), wants: Wants::Is(vec![text("pay")]) };
        shape.tests.extend(chance(random, 30).then_some(server));
    } else {
        shape.tests.push(any_proof(random, list, words, reference));
    }
    let has_amount = matches!((meaning, operation), ("done", _) | ("undone", Operation::Act | Operation::Undo));
    if sends_money && has_amount && !is_bare && chance(random, 60) {
        let whole = "{input.amount.decimal} {input.amount.currency.lower}";
        let gap = pick(random, &["{input.amount.minor}", "{input.amount.minor}", "{input.amount.decimal}", whole]);
        let test = Wants::Is(vec![gaps(gap)]);
        match random.random_range(0..5) {
            0 => shape.tests.push(Test { at: At::Header("x-amount".to_owned()), wants: test }),
            _ => shape.tests.push(at(&format!("{list}/amount"), test)),
        }
    }
    any_remarks(random, &mut shape, (list, is_bare), (reference, says_whose));
    shape
}

/// Which statuses an answer may have. One that nothing else is said of has one that not everybody sends.
fn any_status(random: &mut StdRng, code: i64, is_bare: bool) -> Condition {
    let mut shape = Condition::default();
    let own: u16 = 200 + u16::try_from(code).unwrap();
    match random.random_range(0..10) {
        _ if is_bare => shape.status.extend([pick(random, &[200, own, 204, 402, 409, 410, 413, 422])]),
        0..2 => {}
        2..5 => shape.status.push(pick(random, &[200, own])),
        5..7 => shape.classes.push(pick(random, &[2, 4])),
        7 => shape.status.extend([200, 409]),
        8 => (shape.status, shape.classes) = (vec![pick(random, &[400, 402, 409, 410, 422])], vec![2]),
        _ => shape.status.push(pick(random, &[200, 402, 409, 410, 413, 422, 404, 500])),
    }
    shape
}

/// What the service alone says.
fn any_proof(random: &mut StdRng, list: &str, words: &Words, reference: &'static str) -> Test {
    let Words { meaning, word, code } = *words;
    let own_place = format!("/{meaning}_code");
    let place = pick(random, &["/state", "/state", "/object/status", own_place.as_str()]);
    let number = Expected::Value(Scalar::Integer(code));
    let is = |place: &str, values: Vec<Expected>| at(&format!("{list}{place}"), Wants::Is(values));
    match random.random_range(0..100) {
        0..45 => is(place, vec![text(word)]),
        45..60 => is(place, vec![text(word), text(&format!("{word}_again")), number]),
        60..70 => is(&format!("/is_{meaning}"), vec![Expected::Value(Scalar::Bool(true))]),
        70..82 => is("/code", vec![number]),
        82..92 => Test { at: At::Header(format!("x-{meaning}")), wants: Wants::Is(vec![text(word)]) },
        _ => is(&format!("/{meaning}/reference"), vec![gaps(reference)]),
    }
}

/// What is said beside that. What stands in every answer of a service tells none of its meanings, so it is not all that is said.
fn any_remarks(
    random: &mut StdRng,
    shape: &mut Condition,
    (list, is_bare): (&str, bool),
    (reference, says_whose): (&'static str, bool),
) {
    if !is_bare && (says_whose || chance(random, 30)) {
        let gap = if !says_whose && chance(random, 20) { format!("of {reference}") } else { reference.to_owned() };
        shape.tests.push(at(&format!("{list}/reference"), Wants::Is(vec![gaps(&gap)])));
    }
    if !is_bare && chance(random, 8) {
        shape.tests.push(at("/count", Wants::Is(vec![gaps("{input.count}")])));
    }
    if chance(random, 12) {
        shape.tests.push(at(&format!("{list}/kind"), Wants::Not(vec![text("draft"), Expected::Value(Scalar::Integer(9))])));
    }
    if chance(random, 12) {
        shape.tests.push(at("/error", Wants::Absent));
    }
    if chance(random, 8) {
        shape.tests.push(at(&format!("{list}/dispute"), Wants::Null));
    }
    if chance(random, 8) {
        shape.tests.push(Test { at: At::Header("x-test".to_owned()), wants: Wants::Absent });
    }
    if chance(random, 6) {
        shape.tests.push(Test { at: At::Header("content-language".to_owned()), wants: Wants::Not(vec![text("la")]) });
    }
}

impl Described {
    pub(super) fn write(&self, into: &mut String) {
        for (meaning, shapes) in &self.answers {
            let shapes: Vec<String> = shapes.iter().map(write_condition).collect();
            match shapes.as_slice() {
                [only] => writeln!(into, "{meaning} = {only}").unwrap(),
                all => writeln!(into, "{meaning} = [{}]", all.join(", ")).unwrap(),
            }
        }
        match &self.keep {
            Some(KeptAt::Json(pointer)) => writeln!(into, "keep = {{ id = '{pointer}' }}").unwrap(),
            Some(KeptAt::Header { header }) => writeln!(into, "keep = {{ id = {{ header = '{header}' }} }}").unwrap(),
            None => {}
        }
        if self.has_detail {
            into.push_str("detail = '/detail'\n");
        }
    }
}

fn write_condition(condition: &Condition) -> String {
    let statuses = condition.status.iter().map(u16::to_string);
    let statuses: Vec<String> = statuses.chain(condition.classes.iter().map(|class| format!("'{class}xx'"))).collect();
    let mut parts = Vec::new();
    match statuses.as_slice() {
        [] => {}
        [only] => parts.push(format!("status = {only}")),
        all => parts.push(format!("status = [{}]", all.join(", "))),
    }
    for key in ["json", "header"] {
        let mut places = Vec::new();
        for test in &condition.tests {
            match (&test.at, key) {
                (At::Json(place), "json") | (At::Header(place), "header") => {
                    places.push(format!("'{place}' = {}", write_wants(&test.wants)));
                }
                (At::Json(_) | At::Header(_), _) => {}
            }
        }
        if !places.is_empty() {
            parts.push(format!("{key} = {{ {} }}", places.join(", ")));
        }
    }
    format!("{{ {} }}", parts.join(", "))
}

fn write_wants(wants: &Wants) -> String {
    let one = |value: &Expected| match value {
        Expected::Value(Scalar::Text(text)) | Expected::Gaps { gaps: text } => format!("'{text}'"),
        Expected::Value(value) => value.to_string(),
    };
    let all = |values: &[Expected]| match values {
        [only] => one(only),
        all => format!("[{}]", all.iter().map(one).collect::<Vec<_>>().join(", ")),
    };
    match wants {
        Wants::Is(values) => all(values),
        Wants::Not(values) => format!("{{ not = {} }}", all(values)),
        Wants::Absent => "{ absent = true }".to_owned(),
        Wants::Null => "{ null = true }".to_owned(),
    }
}
