//! Random conditions, made of everything that the grammar has, against random answers: what they mean is compared with a second
//! reader that follows the document to the letter and tries every element of every list.

use std::collections::BTreeMap;
use std::time::Duration;

use handfast_protocol::{Answer, Definite, Meaning, Operation};
use proptest::prelude::*;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Value as Json, json};

use super::call::{Call, CallText};
use super::condition::{At, Condition, Expected, KeptAt, Shapes, Test, Wants};
use super::evaluator::{Seen, holds, proves};
use super::secret::{Secret, Secrets};
use super::text::Value;
use crate::journal::Scalar;
use crate::participant::Reply;
use crate::participant::receipts::Received;
use crate::strange_bytes::{bends, bent};

const PLACES: [&str; 9] = ["/a", "/a", "/b", "/o/a", "/l/*", "/l/*/a", "/l/*/b", "/l/*/n/*/a", "/o/*/a"];
const STATUSES: [u16; 2] = [200, 409];
/// One that the flow says is the service's own, and one of which it says nothing.
const HEADERS: [&str; 2] = ["x-state", "x-other"];

/// What gaps are filled with.
fn fill(value: &Value) -> Result<Json, String> {
    match value {
        Value::Key => Ok(json!("x")),
        Value::Input(path) if path == &["n"] => Ok(json!(1)),
        Value::Input(path) if path == &["amount", "minor"] => Ok(json!(1999)),
        Value::Input(path) if path == &["digits"] => Ok(json!("42")),
        Value::Decimal(_) => Ok(json!("19.99")),
        Value::KeyHash
        | Value::KeyUuid
        | Value::Saga
        | Value::Step
        | Value::Input(_)
        | Value::LowerCurrency(_)
        | Value::Now { .. }
        | Value::Receipt { .. }
        | Value::Basic { .. }
        | Value::Secret(_) => Err("no such value".to_owned()),
    }
}

fn filled(text: &str) -> Json {
    match text {
        "{key}" => json!("x"),
        "{input.n}" => json!(1),
        "{key}{input.n}" => json!("x1"),
        other => panic!("{other}"),
    }
}

fn any_expected() -> impl Strategy<Value = Expected> {
    let gap = |text: &str| Just(Expected::Gaps { gaps: text.to_owned() });
    prop_oneof![
        3 => prop_oneof![Just("x"), Just("y"), Just("1")].prop_map(|text| Expected::Value(Scalar::Text(text.to_owned()))),
        2 => (0..3_i64).prop_map(|number| Expected::Value(Scalar::Integer(number))),
        1 => any::<bool>().prop_map(|value| Expected::Value(Scalar::Bool(value))),
        1 => gap("{key}"),
        1 => gap("{input.n}"),
        1 => gap("{key}{input.n}"),
    ]
}

fn any_wants() -> impl Strategy<Value = Wants> {
    let values = || proptest::collection::vec(any_expected(), 1..3);
    prop_oneof![4 => values().prop_map(Wants::Is), 2 => values().prop_map(Wants::Not), 1 => Just(Wants::Absent), 1 => Just(Wants::Null)]
}

fn any_test() -> impl Strategy<Value = Test> {
    let json = (proptest::sample::select(&PLACES[..]), any_wants());
    let header = (proptest::sample::select(&HEADERS[..]), any_wants())
        .prop_filter("no header is null", |(_, wants)| *wants != Wants::Null);
    prop_oneof![
        4 => json.prop_map(|(at, wants)| Test { at: At::Json(at.to_owned()), wants }),
        1 => header.prop_map(|(at, wants)| Test { at: At::Header(at.to_owned()), wants }),
    ]
}

fn any_condition() -> impl Strategy<Value = Condition> {
    let statuses = proptest::collection::vec(proptest::sample::select(&STATUSES[..]), 0..3);
    let classes = proptest::collection::vec(prop_oneof![Just(2_u8), Just(4)], 0..2);
    let tests = proptest::collection::vec(any_test(), 1..3);
    (statuses, classes, tests).prop_map(|(status, classes, tests)| Condition { status, classes, tests, ..Condition::default() })
}

fn any_shapes() -> impl Strategy<Value = Shapes> {
    proptest::collection::vec(any_condition(), 1..3).prop_map(Shapes)
}

fn any_value() -> impl Strategy<Value = Json> {
    let plain = prop_oneof![
        3 => prop_oneof![Just("x"), Just("y"), Just("1"), Just("x1")].prop_map(Json::from),
        2 => (0..3_i64).prop_map(Json::from),
        1 => Just(json!(1.0)),
        1 => Just(json!(1.5)),
        1 => any::<bool>().prop_map(Json::from),
        3 => Just(Json::Null),
    ];
    plain.prop_recursive(4, 24, 3, |inner| {
        let members =
            proptest::collection::btree_map(proptest::sample::select(vec!["a", "b", "l", "n", "o", "*"]), inner.clone(), 1..4);
        let object =
            members.prop_map(|members| members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect::<Json>());
        prop_oneof![object, proptest::collection::vec(inner, 0..3).prop_map(Json::from)]
    })
}

fn any_answer() -> impl Strategy<Value = Seen> {
    let header = (proptest::sample::select(&HEADERS[..]), prop_oneof![Just("x"), Just("y"), Just("1"), Just("x1")]);
    let members = proptest::collection::btree_map(proptest::sample::select(vec!["a", "b", "l", "o"]), any_value(), 2..5);
    let body = members.prop_map(|members| members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect::<Json>());
    let body = prop_oneof![12 => body.prop_map(Some), 1 => Just(None)];
    let headers = proptest::collection::vec(header, 0..3);
    (proptest::sample::select(&STATUSES[..]), headers, body).prop_map(|(status, headers, body)| Seen {
        status,
        headers: headers.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
        body,
    })
}

fn call(answers: BTreeMap<String, Shapes>) -> Option<Call> {
    let url = "http://x.example/{key}".to_owned();
    let own = [HeaderName::from_static("x-state")];
    Call::compile(Operation::Act, &CallText { url, answers, ..CallText::default() }, &own).ok()
}

fn done_by(shape: Condition) -> BTreeMap<String, Shapes> {
    BTreeMap::from([("done".to_owned(), shape.into())])
}

fn read(call: &Call, seen: &Seen) -> Reply {
    let mut headers = HeaderMap::new();
    for (name, value) in &seen.headers {
        headers.append(HeaderName::from_bytes(name.as_bytes()).unwrap(), HeaderValue::from_str(value).unwrap());
    }
    let body = seen.body.as_ref().map_or_else(|| "<html>away</html>".to_owned(), Json::to_string);
    let received = Received { status: seen.status, body: Some(body.as_bytes()), retry_after: None };
    call.reading.read(received, &headers, &fill, &Secrets::default())
}

proptest! {
    /// Whatever bytes a service answers with, they mean what the document says, or nothing.
    #[test]
    fn any_bent_answer_is_read_or_refused(bends in bends(), status in proptest::sample::select(&STATUSES[..])) {
        let is = |at: &str, wanted: &str| Test { at: At::Json(at.to_owned()), wants: Wants::Is(vec![Expected::Value(Scalar::Text(wanted.to_owned()))]) };
        let key = Test { at: At::Json("/l/*/a".to_owned()), wants: Wants::Is(vec![Expected::Gaps { gaps: "{key}".to_owned() }]) };
        let shape = Condition { tests: vec![is("/s", "ok"), key], ..Condition::default() };
        let call = call(done_by(shape)).unwrap();
        let bytes = bent(br#"{"s":"ok","l":[{"a":"y"},{"a":"x","n":1.50e2}],"o":null}"#, &bends);
        let received = Received { status, body: Some(&bytes), retry_after: None };
        if let Reply::Definite { .. } = call.reading.read(received, &HeaderMap::new(), &fill, &Secrets::default()) {
            let told: Json = serde_json::from_slice(&bytes).unwrap();
            prop_assert_eq!(&told["s"], "ok");
            prop_assert!(told["l"].as_array().unwrap().iter().any(|element| element["a"] == "x"));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(6_000))]
    #[test]
    fn an_answer_means_what_the_document_says(
        done in any_shapes(),
        refused in any_shapes(),
        closed in any_shapes(),
        seen in any_answer(),
    ) {
        // What is refused when it is read is not answered.
        let sound = |shapes: Shapes| Shapes(shapes.0.into_iter().filter(|shape| call(done_by(shape.clone())).is_some()).collect());
        let answers = [("done", done), ("refused", refused), ("closed", closed)].map(|(name, shapes)| (name.to_owned(), sound(shapes)));
        let answers: BTreeMap<String, Shapes> = answers.into_iter().filter(|(_, shapes)| !shapes.0.is_empty()).collect();
        let Some(call) = call(answers.clone()) else { return Ok(()) };
        for (name, shapes) in &answers {
            let is_bare = !shapes.0.iter().all(proves);
            prop_assert_eq!(call.bare().any(|meaning| meaning.name() == name), is_bare, "{}", name);
        }
        let fits: Vec<&str> =
            answers.iter().filter(|(_, shapes)| shapes.0.iter().any(|shape| holds(shape, &seen, &filled))).map(|(name, _)| name.as_str()).collect();
        let reply = read(&call, &seen);
        match (&reply, fits.as_slice()) {
            (Reply::Definite { answer: Answer::State(state), .. }, [only]) => prop_assert_eq!(state.name(), *only),
            (Reply::Unknown { .. }, [] | [_, _, ..]) => {}
            (Reply::Mismatch { .. }, []) => {}
            (reply, fits) => prop_assert!(false, "{:?} where {:?} fits", reply, fits),
        }
        let is_proved = |state: Definite| {
            let shapes = &answers[state.name()].0;
            shapes.iter().any(|shape| proves(shape) && holds(shape, &seen, &filled)) || call.bare().any(|meaning| meaning == Meaning::State(state))
        };
        if let Reply::Definite { answer: Answer::State(state), .. } = reply {
            prop_assert!(is_proved(state), "{:?} rests on nothing", state);
        }
    }

    /// A number is compared as a number, and text as text; what is another's is told as such.
    #[test]
    fn one_value_that_differs_is_told(found in any_value(), key in any_value()) {
        let is = |at: &str, gaps: &str| Test { at: At::Json(at.to_owned()), wants: Wants::Is(vec![Expected::Gaps { gaps: gaps.to_owned() }]) };
        let state = Test { at: At::Json("/s".to_owned()), wants: Wants::Is(vec![Expected::Value(Scalar::Text("ok".to_owned()))]) };
        let tests = vec![state, is("/n", "{input.n}"), is("/k", "{key}")];
        let shape = Condition { tests, ..Condition::default() };
        let call = call(BTreeMap::from([("done".to_owned(), Shapes::from(shape))])).unwrap();
        let body = json!({"s": "ok", "n": found, "k": key});
        let reply = read(&call, &Seen { status: 200, headers: Vec::new(), body: Some(body) });
        let has_parts = |value: &Json| value.is_null() || value.is_array() || value.is_object();
        let (is_one, is_ours) = (found.is_number() && found.as_f64() == Some(1.0), key == "x");
        // The same digits as text may mean the same, and may not.
        let is_of_another_type = found == "1";
        match reply {
            Reply::Definite { .. } => prop_assert!(is_one && is_ours),
            Reply::Mismatch { seen, in_effect, .. } => {
                prop_assert!(!(has_parts(&found) || has_parts(&key) || is_one && is_ours || is_of_another_type));
                prop_assert_eq!(in_effect, is_ours, "{}", seen);
                prop_assert!(is_one || seen.contains(&format!("/n: 1 was asked for, and {found} stands there")), "{}", seen);
            }
            Reply::Unknown { .. } => prop_assert!(has_parts(&found) || has_parts(&key) || is_of_another_type),
            other @ (Reply::Undo { .. } | Reply::Absent { .. } | Reply::Behind { .. }) => prop_assert!(false, "{:?}", other),
        }
    }
}

fn one_of(json: &[(&str, &str)]) -> Call {
    let value = |text: &str| match text.strip_prefix('=') {
        Some(literal) => Expected::Value(Scalar::Text(literal.to_owned())),
        None => Expected::Gaps { gaps: text.to_owned() },
    };
    let test = |(at, text): &(&str, &str)| Test { at: At::Json((*at).to_owned()), wants: Wants::Is(vec![value(text)]) };
    let shape = Condition { tests: json.iter().map(test).collect(), ..Condition::default() };
    call(done_by(shape)).unwrap()
}

fn read_json(call: &Call, body: Json) -> Reply {
    read(call, &Seen { status: 200, headers: Vec::new(), body: Some(body) })
}

/// A cache between may keep another order's object: only what says whose it is, and is right about it, is in effect.
#[test]
fn what_does_not_say_whose_it_is_is_not_in_effect() {
    let in_effect = |json: &[(&str, &str)], body: Json| match read_json(&one_of(json), body) {
        Reply::Mismatch { in_effect, .. } => in_effect,
        other @ (Reply::Definite { .. }
        | Reply::Undo { .. }
        | Reply::Absent { .. }
        | Reply::Unknown { .. }
        | Reply::Behind { .. }) => {
            panic!("{other:?}")
        }
    };
    let amount = ("/n", "{input.n}");
    assert!(!in_effect(&[("/s", "=ok"), amount], json!({"s": "ok", "n": 5})), "anybody's");
    assert!(!in_effect(&[("/s", "=ok"), amount, ("/d", "{input.d.decimal}")], json!({"s": "ok", "n": 5, "d": "19.99"})));
    assert!(in_effect(&[("/s", "=ok"), amount, ("/k", "{key}")], json!({"s": "ok", "n": 5, "k": "x"})));
    assert!(in_effect(&[amount, ("/k", "{key}")], json!({"n": 5, "k": "x"})));
    assert!(!in_effect(&[("/s", "=ok"), amount, ("/k", "{key}")], json!({"s": "ok", "n": 5, "k": "y"})));
    // Of a list, an element that is ours before one that is not.
    let of_list = [("/l/*/s", "=ok"), ("/l/*/n", "{input.n}"), ("/l/*/k", "{key}")];
    assert!(in_effect(&of_list, json!({"l": [{"s": "ok", "n": 5, "k": "y"}, {"s": "ok", "n": 5, "k": "x"}]})));
}

/// Some services write minor units as text. Whether any other text is meant as the number is unknown.
#[test]
fn digits_of_an_amount_are_the_same_as_text() {
    let said = |gaps: &str, found: Json| match read_json(&one_of(&[("/s", "=ok"), ("/v", gaps)]), json!({"s": "ok", "v": found}))
    {
        Reply::Definite { .. } => "done",
        Reply::Mismatch { .. } => "differs",
        Reply::Unknown { .. } => "unknown",
        other @ (Reply::Undo { .. } | Reply::Absent { .. } | Reply::Behind { .. }) => panic!("{other:?}"),
    };
    for (gaps, found, expected) in [
        ("{input.amount.minor}", json!("1999"), "done"),
        ("{input.amount.minor}", json!(1999), "done"),
        ("{input.amount.minor}", json!("01999"), "done"),
        // Minor units have no point: these may be euros.
        ("{input.amount.minor}", json!("1999.00"), "unknown"),
        ("{input.amount.minor}", json!("1,999"), "unknown"),
        ("{input.amount.minor}", json!(1999.5), "differs"),
        ("{input.amount.minor}", json!("199900"), "differs"),
        ("{input.amount.minor}", json!("19.99"), "differs"),
        ("{input.amount.decimal}", json!("19.990"), "done"),
        ("{input.amount.decimal}", json!(19.99), "done"),
        // However it is spelled, it is one number; and what is none is no other amount.
        ("{input.amount.decimal}", json!("019.99"), "done"),
        ("{input.amount.decimal}", json!("1.999e1"), "done"),
        ("{input.amount.decimal}", json!("1999E-2"), "done"),
        ("{input.amount.decimal}", json!("19,99"), "unknown"),
        ("{input.amount.decimal}", json!("19.99 EUR"), "unknown"),
        ("{input.amount.decimal}", json!(""), "unknown"),
        ("{input.amount.decimal}", json!(true), "unknown"),
        ("{input.amount.decimal}", json!("19.9"), "differs"),
        ("{input.amount.decimal}", json!("-19.99"), "differs"),
        ("{input.amount.decimal}", json!("1.999e2"), "differs"),
        ("{input.amount.decimal}", json!(0), "differs"),
        ("{input.n}", json!("1"), "unknown"),
        ("{input.n}", json!("2"), "differs"),
        ("{input.digits}", json!(42), "unknown"),
        ("{input.digits}", json!("42"), "done"),
        ("{input.digits}", json!("43"), "differs"),
    ] {
        assert_eq!(said(gaps, found.clone()), expected, "{gaps} {found}");
    }
}

/// The whole is looked at before it is cut, so that no part of a secret stays.
#[test]
fn what_is_told_of_a_difference_repeats_no_part_of_a_secret() {
    let call = one_of(&[("/s", "=ok"), ("/k", "{key}")]);
    let secrets = Secrets::of_one("TOKEN", Secret::new("s3cret-of-the-bank"));
    let told = |found: String| {
        let body = json!({"s": "ok", "k": found}).to_string();
        let received = Received { status: 200, body: Some(body.as_bytes()), retry_after: None };
        match call.reading.read(received, &HeaderMap::new(), &fill, &secrets) {
            Reply::Mismatch { seen, .. } => seen,
            other @ (Reply::Definite { .. }
            | Reply::Undo { .. }
            | Reply::Absent { .. }
            | Reply::Unknown { .. }
            | Reply::Behind { .. }) => {
                panic!("{other:?}")
            }
        }
    };
    let seen = told(format!("{}s3cret-of-the-bank", "y".repeat(70)));
    assert!(seen.contains("what is not shown") && !seen.contains("s3cret"), "{seen}");
    assert!(told("y".repeat(200)).contains(&"y".repeat(79)));
}

/// What could be a card's number is kept nowhere, and the pause that was asked for is kept all the same.
#[test]
fn what_cannot_be_kept_is_told_with_its_status_and_its_pause() {
    let url = "http://x.example/{key}".to_owned();
    let shape = Condition {
        status: vec![201],
        json: [("/s".to_owned(), vec![Scalar::Text("ok".to_owned())])].into(),
        ..Condition::default()
    };
    let keep = [("id".to_owned(), KeptAt::Json("/id".to_owned()))].into();
    let call =
        Call::compile(Operation::Act, &CallText { url, answers: done_by(shape), keep, ..CallText::default() }, &[]).unwrap();
    let pause = Some(Duration::from_secs(7));
    let received = Received { status: 201, body: Some(br#"{"s": "ok", "id": "4242 4242 4242 4242"}"#), retry_after: pause };
    let reply = call.reading.read(received, &HeaderMap::new(), &fill, &Secrets::default());
    let expected = "201 that means done but its id could be a card's number, which is not kept";
    assert_eq!(reply.cleaned(), Reply::meaningless(201, expected, pause));
}
