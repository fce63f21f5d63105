//! In what a stored definition differs from the one at hand: how services are reached and read, and what must stay as it is.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::flow::{Flow, FlowStep};

/// What differs between the definition that orders follow and the one at hand.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct Difference {
    /// Why the definition at hand can take the other's place for no order: it is another plan.
    pub plan: Option<String>,
    /// The steps that differ, in the flow's order.
    pub steps: Vec<StepDifference>,
    /// Addresses that the orders would call, and that the definition at hand does not name for the same step.
    pub addresses: BTreeSet<String>,
}

/// What differs in one step.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct StepDifference {
    /// Which step, from 0.
    pub at: usize,
    /// Its name.
    pub step: String,
    /// Its service is called at another address.
    pub is_moved: bool,
    /// What carries its key, its body or an account is another; each in words.
    pub identity: Vec<String>,
    /// How it is reached and read otherwise; each in words.
    pub reading: Vec<String>,
}

impl Difference {
    /// How the definition at hand differs from a stored one.
    pub(crate) fn between(stored: &Flow, at_hand: Option<&Flow>) -> Self {
        let Some(at_hand) = at_hand else {
            let plan = Some(format!("no flow at hand is called {}", stored.name()));
            return Self { plan, addresses: stored.steps().iter().flat_map(addresses).collect(), ..Self::default() };
        };
        let names = |flow: &Flow| flow.steps().iter().map(|step| step.name.clone()).collect::<Vec<_>>();
        if names(stored) != names(at_hand) || stored.plan() != at_hand.plan() {
            let known: BTreeSet<String> = at_hand.steps().iter().flat_map(addresses).collect();
            let plan = Some("its steps, or what they promise, are others".to_owned());
            let addresses = stored.steps().iter().flat_map(addresses).filter(|address| !known.contains(address)).collect();
            return Self { plan, addresses, ..Self::default() };
        }
        let mut difference = Self::default();
        for (at, (before, now)) in stored.steps().iter().zip(at_hand.steps()).enumerate() {
            let (called_before, called_now) = (addresses(before), addresses(now));
            difference.addresses.extend(called_before.difference(&called_now).cloned());
            let (identity, reading) = compare(before, now);
            let is_moved = called_before != called_now;
            if is_moved || !identity.is_empty() || !reading.is_empty() {
                difference.steps.push(StepDifference { at, step: before.name.clone(), is_moved, identity, reading });
            }
        }
        difference
    }

    /// In a sentence or two.
    #[must_use]
    pub fn in_words(&self) -> String {
        let mut said: Vec<String> = self.plan.iter().cloned().collect();
        for StepDifference { step, is_moved, identity, reading, .. } in &self.steps {
            let moved = is_moved.then(|| "its address".to_owned());
            let parts: Vec<String> = moved.into_iter().chain(identity.iter().cloned()).chain(reading.iter().cloned()).collect();
            said.push(format!("step {step}: {}", parts.join(", ")));
        }
        if !self.addresses.is_empty() {
            let addresses: Vec<&str> = self.addresses.iter().map(String::as_str).collect();
            said.push(format!("they would call {}", addresses.join(", ")));
        }
        said.join("; ")
    }
}

/// The operations of a step as data, by their names; empty for one that is called by the contract.
fn operations(step: &FlowStep) -> BTreeMap<String, Value> {
    let texts = step.http.as_ref().and_then(|templates| serde_json::to_value(templates.texts()).ok());
    match texts {
        Some(Value::Object(operations)) => operations.into_iter().collect(),
        Some(_) | None => BTreeMap::new(),
    }
}

/// Where a step's service is called: up to the first gap of each URL.
fn addresses(step: &FlowStep) -> BTreeSet<String> {
    let operations = operations(step);
    if operations.is_empty() {
        return [step.participant.to_string()].into();
    }
    operations.values().filter_map(|call| Some(call.get("url")?.as_str()?.to_owned())).collect()
}

/// Headers that say how an answer is to be read, and choose no account. So do those whose names end in `version`.
const ABOUT_READING: [&str; 11] = [
    "accept",
    "accept-charset",
    "accept-encoding",
    "accept-language",
    "cache-control",
    "content-language",
    "content-type",
    "pragma",
    "prefer",
    "user-agent",
    "x-requested-with",
];

/// Whose books a step's service is asked about: where each operation is called, with every constant header that may choose an
/// account. Where that is another, it is unknown whether the same key is known there.
pub(super) fn books(step: &FlowStep) -> BTreeSet<String> {
    let operations = operations(step);
    if operations.is_empty() {
        return addresses(step);
    }
    let of_call = |call: &Value| {
        let url = call.get("url")?.as_str()?.to_owned();
        let headers = choosing(call.get("headers")).into_iter().map(|(name, text)| format!("\n{name}: {text}"));
        Some(std::iter::once(url).chain(headers).collect())
    };
    operations.values().filter_map(of_call).collect()
}

/// What differs in identity, and in how it is reached and read.
fn compare(before: &FlowStep, now: &FlowStep) -> (Vec<String>, Vec<String>) {
    let (mut identity, mut reading) = (Vec::new(), Vec::new());
    if before.http.is_some() != now.http.is_some() {
        identity.push("it is called by templates in one of them only".to_owned());
    }
    let limits = |step: &FlowStep| (step.timeout, step.in_flight, step.retry_base, step.retry_cap);
    if limits(before) != limits(now) {
        reading.push("its limits".to_owned());
    }
    let (were, are) = (operations(before), operations(now));
    for (name, was) in &were {
        match are.get(name) {
            None => identity.push(format!("it has no {name} any more")),
            Some(is) => compare_calls(name, was, is, &mut identity, &mut reading),
        }
    }
    reading.extend(are.keys().filter(|name| !were.is_empty() && !were.contains_key(*name)).map(|name| format!("{name} is new")));
    (identity, reading)
}

fn compare_calls(name: &str, was: &Value, is: &Value, identity: &mut Vec<String>, reading: &mut Vec<String>) {
    let fields = |call: &Value| call.as_object().cloned().unwrap_or_default();
    let (was, is) = (fields(was), fields(is));
    let keys: BTreeSet<&String> = was.keys().chain(is.keys()).collect();
    for key in keys {
        let (before, now) = (was.get(key), is.get(key));
        if before == now {
            continue;
        }
        match key.as_str() {
            "url" => {
                let gaps_of = |url: Option<&Value>| url.and_then(Value::as_str).map(gaps).unwrap_or_default();
                if gaps_of(before) != gaps_of(now) {
                    identity.push(format!("{name}: the gaps of its URL"));
                }
            }
            "headers" => {
                if with_gaps(before) != with_gaps(now) {
                    identity.push(format!("{name}: a header that carries the key, a value or a secret"));
                } else if choosing(before) != choosing(now) {
                    reading.push(format!("{name}: a header that may choose an account"));
                } else {
                    reading.push(format!("{name}.headers"));
                }
            }
            "body" | "form" => identity.push(format!("{name}.{key}")),
            _ => reading.push(format!("{name}.{key}")),
        }
    }
}

/// The headers in which something is filled in.
fn with_gaps(headers: Option<&Value>) -> BTreeMap<String, String> {
    all_headers(headers).filter(|(_, text)| !gaps(text).is_empty()).collect()
}

/// The headers that are the same for every order, and that may choose whose books are asked.
fn choosing(headers: Option<&Value>) -> BTreeMap<String, String> {
    let is_about_reading = |name: &str| ABOUT_READING.contains(&name) || name.ends_with("version");
    all_headers(headers).filter(|(name, text)| gaps(text).is_empty() && !is_about_reading(name)).collect()
}

fn all_headers(headers: Option<&Value>) -> impl Iterator<Item = (String, String)> {
    let headers = headers.and_then(Value::as_object).cloned().unwrap_or_default();
    let text = |value: Value| value.as_str().map(str::to_owned).unwrap_or_default();
    headers.into_iter().map(move |(name, value)| (name.to_ascii_lowercase(), text(value)))
}

/// What stands in the gaps of a text, in order.
fn gaps(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find('{') {
        rest = &rest[at + 1..];
        if let Some(escaped) = rest.strip_prefix('{') {
            rest = escaped;
        } else if let Some(end) = rest.find('}').filter(|_| rest.starts_with(|first: char| first.is_ascii_alphabetic())) {
            found.push(rest[..end].to_owned());
            rest = &rest[end + 1..];
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn call(headers: &[(&str, &str)]) -> Value {
        let headers: BTreeMap<&str, &str> = headers.iter().copied().collect();
        json!({ "url": "https://a.example/pay/{saga}", "headers": headers, "body": "{}", "detail": "/why" })
    }

    #[track_caller]
    fn check(change: impl FnOnce(&mut Value), identity: &[&str], reading: &[&str]) {
        let before = call(&[("Key", "{key}"), ("Version", "1")]);
        let mut now = before.clone();
        change(&mut now);
        let (mut found_identity, mut found_reading) = (Vec::new(), Vec::new());
        compare_calls("act", &before, &now, &mut found_identity, &mut found_reading);
        assert_eq!(
            (found_identity.as_slice(), found_reading.as_slice()),
            (
                &identity.iter().map(ToString::to_string).collect::<Vec<_>>()[..],
                &reading.iter().map(ToString::to_string).collect::<Vec<_>>()[..]
            )
        );
    }

    #[test]
    fn what_carries_the_key_is_told_from_how_a_service_is_reached() {
        let carrying = "act: a header that carries the key, a value or a secret";
        let headers = |headers: &[(&str, &str)]| call(headers)["headers"].clone();
        check(|_| {}, &[], &[]);
        check(|call| call["url"] = json!("https://b.example/v2/{saga}"), &[], &[]);
        check(|call| call["url"] = json!("https://a.example/pay/{key}"), &["act: the gaps of its URL"], &[]);
        check(|call| call["headers"] = headers(&[("key", "{key}"), ("Version", "2")]), &[], &["act.headers"]);
        check(|call| call["headers"] = headers(&[("Idempotency-Key", "{key}"), ("Version", "1")]), &[carrying], &[]);
        let account = [("Key", "{key}"), ("Version", "1"), ("Account", "{secret.OTHER}")];
        check(|call| call["headers"] = headers(&account), &[carrying], &[]);
        let choosing = "act: a header that may choose an account";
        check(|call| call["headers"] = headers(&[("Key", "{key}"), ("Version", "1"), ("Account", "a")]), &[], &[choosing]);
        check(|call| call["body"] = json!("{ }"), &["act.body"], &[]);
        check(|call| call["detail"] = json!("/reason"), &[], &["act.detail"]);
    }

    #[test]
    fn gaps_are_found_where_they_are() {
        assert_eq!(gaps("a{key}b{{c}d{base64 {secret.A}}"), ["key", "base64 {secret.A"]);
        assert!(gaps("none { here }").is_empty());
    }
}
