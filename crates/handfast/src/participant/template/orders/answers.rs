//! Answers: what a service says in the words that a flow file describes, and what others say in its stead.

use rand::RngExt;
use rand::rngs::StdRng;
use serde_json::{Map, Value as Json, json};

use super::grammar::{chance, pick};
use super::meanings::{Described, is_gap};
use crate::journal::Scalar;
use crate::participant::template::condition::{At, Condition, Expected, KeptAt, Test, Wants};
use crate::participant::template::evaluator::{Filled, Seen, holds, proves};

/// An answer while it is made.
#[derive(Clone, Debug)]
pub(super) struct Written {
    status: u16,
    headers: Vec<(String, String)>,
    body: Json,
    /// It is a page for people.
    is_page: bool,
}

/// Puts a value where a pointer says. Of a list it is the last element, behind another's.
fn put(into: &mut Json, pointer: &str, value: Json) {
    let mut at = into;
    for part in pointer.split('/').skip(1) {
        if part == "*" {
            if !at.is_array() {
                *at = json!([{"state": "another", "code": 77, "reference": "another's"}, {}]);
            }
            at = at.as_array_mut().and_then(|all| all.last_mut()).expect("a list that is made here has elements");
        } else {
            if !at.is_object() {
                *at = Json::Object(Map::new());
            }
            at = at.as_object_mut().expect("it was just made one").entry(part).or_insert(Json::Null);
        }
    }
    *at = value;
}

fn json_of(expected: &Expected, filled: Filled<'_>) -> Json {
    match expected {
        Expected::Value(Scalar::Text(text)) => json!(text),
        Expected::Value(Scalar::Integer(number)) => json!(number),
        Expected::Value(Scalar::Bool(value)) => json!(value),
        Expected::Gaps { gaps } => filled(gaps),
    }
}

fn text_of(value: &Json) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

impl Written {
    /// An answer that says nothing that anybody describes.
    pub(super) fn neutral(random: &mut StdRng) -> Self {
        let status = pick(random, &[200, 200, 201, 202, 204, 400, 402, 404, 409, 410, 413, 422, 500, 503]);
        let body =
            if chance(random, 30) { json!({"message": "as you like"}) } else { json!({"state": "processing", "object": {}}) };
        Self { status, headers: vec![("server".to_owned(), "pay".to_owned())], body, is_page: false }
    }

    /// Says everything that is described by a shape.
    pub(super) fn say(&mut self, random: &mut StdRng, shape: &Condition, filled: Filled<'_>) {
        self.take_status(random, shape);
        for test in &shape.tests {
            self.say_one(random, test, filled);
        }
    }

    fn take_status(&mut self, random: &mut StdRng, shape: &Condition) {
        let named: Vec<u16> =
            shape.status.iter().copied().chain(shape.classes.iter().map(|class| u16::from(*class) * 100 + 7)).collect();
        let fits =
            |status: u16| shape.status.contains(&status) || shape.classes.iter().any(|class| u16::from(*class) == status / 100);
        if !named.is_empty() && !fits(self.status) {
            self.status = pick(random, &named);
        }
    }

    fn say_one(&mut self, random: &mut StdRng, test: &Test, filled: Filled<'_>) {
        let value = match &test.wants {
            Wants::Is(values) => json_of(&values[random.random_range(0..values.len())], filled),
            Wants::Not(_) => json!("final"),
            Wants::Null => Json::Null,
            Wants::Absent => return,
        };
        match &test.at {
            At::Json(pointer) => put(&mut self.body, pointer, value),
            At::Header(name) => {
                self.headers.retain(|(other, _)| other != name);
                self.headers.push((name.clone(), text_of(&value)));
            }
        }
    }

    /// Says everything that is described but what only the service could say.
    pub(super) fn imitate(&mut self, random: &mut StdRng, shape: &Condition, filled: Filled<'_>) {
        self.take_status(random, shape);
        let is_general = |at: &At| matches!(at, At::Header(name) if name == "server");
        for test in shape.tests.iter().filter(|test| !matches!(test.wants, Wants::Is(_)) || is_general(&test.at)) {
            self.say_one(random, test, filled);
        }
    }

    pub(super) fn keep(&mut self, at: Option<&KeptAt>, id: &str) {
        match at {
            Some(KeptAt::Json(pointer)) => put(&mut self.body, pointer, json!(id)),
            Some(KeptAt::Header { header }) => self.headers.push((header.clone(), id.to_owned())),
            None => {}
        }
    }

    fn seen(&self) -> Seen {
        let headers = self.headers.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
        Seen { status: self.status, headers, body: (!self.is_page).then(|| self.body.clone()) }
    }

    /// The meanings that it has by the document, each with whether it is proven.
    pub(super) fn meanings(&self, described: &Described, filled: Filled<'_>) -> Vec<(&'static str, bool)> {
        let seen = self.seen();
        let mut all = Vec::new();
        for (meaning, shapes) in &described.answers {
            let fitting: Vec<&Condition> = shapes.iter().filter(|shape| holds(shape, &seen, filled)).collect();
            if !fitting.is_empty() {
                all.push((*meaning, fitting.into_iter().any(proves)));
            }
        }
        all
    }

    pub(super) fn turned_into_a_page(mut self) -> Self {
        self.is_page = true;
        self
    }

    pub(super) fn with_header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The answer as it comes over the wire.
    pub(super) fn sent(self) -> Sent {
        let body = if self.is_page { "<html>We are back soon.</html>".to_owned() } else { self.body.to_string() };
        Sent { status: self.status, headers: self.headers, body: body.into_bytes() }
    }
}

/// An answer on its way.
pub(super) struct Sent {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Sent {
    /// The same, so that it cannot be read for certain.
    pub(super) fn garbled(mut self, random: &mut StdRng) -> Self {
        match random.random_range(0..4) {
            0 => self.headers.push(("content-encoding".to_owned(), "gzip".to_owned())),
            1 => self.body.truncate(self.body.len() / 2),
            2 => self.body.splice(0..1, *b"{\"twice\": 1, \"twice\": 2, ").for_each(drop),
            _ => self.body.extend(std::iter::repeat_n(b' ', 65 * 1024)),
        }
        self
    }

    pub(super) fn in_words(&self) -> String {
        let body: String = String::from_utf8_lossy(&self.body).chars().take(300).collect();
        format!("{} {:?} {body}", self.status, self.headers)
    }

    pub(super) fn response(self) -> reqwest::Response {
        let mut response = hyper::Response::builder().status(self.status);
        for (name, value) in &self.headers {
            response = response.header(name, value);
        }
        response.body(self.body).expect("its headers are sound").into()
    }
}

/// An answer that fits two meanings at once, if there is one: this one, or nothing that anybody describes, and another.
pub(super) fn of_two(
    random: &mut StdRng,
    described: &Described,
    truth: Option<&str>,
    (filled, asked): (Filled<'_>, Filled<'_>),
) -> Option<Written> {
    let all: Vec<(&str, &Condition)> =
        described.answers.iter().flat_map(|(meaning, shapes)| shapes.iter().map(move |shape| (*meaning, shape))).collect();
    let firsts: Vec<_> = all.iter().filter(|(meaning, _)| truth.is_none_or(|truth| truth == *meaning)).collect();
    for _ in 0..4 {
        let (Some(first), second) =
            (firsts.get(random.random_range(0..firsts.len().max(1))), all[random.random_range(0..all.len())])
        else {
            return None;
        };
        if first.0 == second.0 {
            continue;
        }
        let mut written = Written::neutral(random);
        written.say(random, second.1, filled);
        written.say(random, first.1, filled);
        if written.meanings(described, asked).len() > 1 {
            return Some(written);
        }
    }
    None
}

/// Whether every answer that means something says whose it is.
pub(super) fn names_whose(described: &Described, reference: &str) -> bool {
    let names = |shape: &Condition| shape.tests.iter().any(|test| is_gap(&test.wants, reference));
    described.answers.iter().all(|(_, shapes)| shapes.iter().all(names))
}
