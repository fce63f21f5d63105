//! A second reader of answers, which follows the document to the letter and tries every element of every list: tests compare
//! the deployed one with it.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::condition::{At, Condition, Expected, Test, Wants};
use crate::journal::Scalar;

/// An answer as a test makes it.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    /// `None`: a page.
    pub(super) body: Option<Json>,
}

/// What the gaps of a text are filled with.
pub(super) type Filled<'a> = &'a dyn Fn(&str) -> Json;

pub(super) fn text_of(value: &Json) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn is_same(expected: &Expected, found: &Json, filled: Filled<'_>) -> bool {
    match expected {
        Expected::Value(Scalar::Text(text)) => found.as_str() == Some(text),
        Expected::Value(Scalar::Integer(number)) => found.as_i64() == Some(*number),
        Expected::Value(Scalar::Bool(value)) => found.as_bool() == Some(*value),
        Expected::Gaps { gaps } => {
            let wanted = filled(gaps);
            if wanted.is_string() { *found == wanted } else { found.is_number() && found.as_f64() == wanted.as_f64() }
        }
    }
}

/// The element that each path up to a `*` stands for.
type Chosen = BTreeMap<String, String>;

/// The pointer with every `*` of a list replaced by what was chosen for it, shortest first.
fn concrete(pointer: &str, chosen: &Chosen) -> String {
    let (mut written, mut real) = (String::new(), String::new());
    for part in pointer.split('/').skip(1) {
        written = format!("{written}/{part}");
        real = chosen.get(&written).cloned().unwrap_or_else(|| format!("{real}/{part}"));
    }
    real
}

fn holds_with(condition: &Condition, body: Option<&Json>, (stars, chosen): (&[String], &Chosen), filled: Filled<'_>) -> bool {
    if let [star, rest @ ..] = stars {
        let parent = concrete(star.strip_suffix("/*").unwrap(), chosen);
        let Some(value) = body.and_then(|body| body.pointer(&parent)) else { return false };
        let names: Vec<String> = match value {
            Json::Array(elements) => (0..elements.len()).map(|at| at.to_string()).collect(),
            Json::Object(members) => members.keys().filter(|name| *name == "*").cloned().collect(),
            Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => Vec::new(),
        };
        return names.into_iter().any(|name| {
            let mut chosen = chosen.clone();
            chosen.insert(star.clone(), format!("{parent}/{name}"));
            holds_with(condition, body, (rest, &chosen), filled)
        });
    }
    condition.tests.iter().all(|test| {
        let At::Json(pointer) = &test.at else { return true };
        let Some(body) = body else { return false };
        let found = body.pointer(&concrete(pointer, chosen));
        match &test.wants {
            Wants::Is(values) => found.is_some_and(|found| values.iter().any(|value| is_same(value, found, filled))),
            Wants::Not(values) => {
                found.is_some_and(|found| !found.is_null() && !values.iter().any(|value| is_same(value, found, filled)))
            }
            Wants::Absent => found.is_none(),
            Wants::Null => found == Some(&Json::Null),
        }
    })
}

fn header_holds(test: &Test, seen: &Seen, filled: Filled<'_>) -> bool {
    let At::Header(name) = &test.at else { return true };
    let all: Vec<&str> = seen.headers.iter().filter(|(other, _)| other == name).map(|(_, value)| value.as_str()).collect();
    let said = |expected: &Expected| match expected {
        Expected::Value(value) => value.to_string(),
        Expected::Gaps { gaps } => text_of(&filled(gaps)),
    };
    match (&test.wants, all.as_slice()) {
        (Wants::Absent, all) => all.is_empty(),
        (Wants::Is(values), [only]) => values.iter().any(|value| said(value) == *only),
        (Wants::Not(values), [only]) => values.iter().all(|value| said(value) != *only),
        (Wants::Is(_) | Wants::Not(_) | Wants::Null, _) => false,
    }
}

/// Whether an answer fits a condition, by trying everything.
pub(super) fn holds(condition: &Condition, seen: &Seen, filled: Filled<'_>) -> bool {
    let names_status =
        condition.status.contains(&seen.status) || condition.classes.iter().any(|class| u16::from(*class) == seen.status / 100);
    let any_status = condition.status.is_empty() && condition.classes.is_empty();
    let mut stars: Vec<String> = Vec::new();
    for test in &condition.tests {
        let At::Json(pointer) = &test.at else { continue };
        let mut path = String::new();
        for part in pointer.split('/').skip(1) {
            path = format!("{path}/{part}");
            if part == "*" && !stars.contains(&path) {
                stars.push(path.clone());
            }
        }
    }
    // What lies above is chosen first.
    stars.sort_by_key(String::len);
    let asks_the_body = condition.tests.iter().any(|test| matches!(test.at, At::Json(_)));
    (any_status || names_status)
        && condition.tests.iter().all(|test| header_holds(test, seen, filled))
        && (!asks_the_body || holds_with(condition, seen.body.as_ref(), (&stars, &Chosen::new()), filled))
}

/// Headers that no flow of the tests calls the service's own.
const NOT_OWN: [&str; 2] = ["server", "x-other"];

/// Whether something that it tests comes from the service alone.
pub(super) fn proves(condition: &Condition) -> bool {
    condition.tests.iter().any(|test| {
        matches!(test.wants, Wants::Is(_)) && !matches!(&test.at, At::Header(name) if NOT_OWN.contains(&name.as_str()))
    })
}
