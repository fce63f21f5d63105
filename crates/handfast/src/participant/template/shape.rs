//! One shape of an answer, read and ready: whether an answer fits it, and where it fits all but what was compared with the order.
//!
//! ```text
//!   answer --every test holds--------------------------------------------> fits
//!          \--every test holds but a gap that is filled with another value--> nearly, with both values
//!          \--anything else------------------------------------------------> does not fit
//! ```
//!
//! `*` in a pointer stands for some element of a list. Tests that share the path up to a `*` are tests of one element.

use reqwest::header::{HeaderMap, HeaderName};
use serde_json::Value as Json;

use super::amount::Amount;
use super::condition::{At, Condition, Expected, Wants};
use super::secret::Secrets;
use super::text::{Coding, Piece, Setting, Template, Value};
use crate::flow_file::has_card_number;
use crate::journal::Scalar;

/// Who fills gaps.
pub(super) type Fill<'a> = &'a dyn Fn(&Value) -> Result<Json, String>;

/// An answer that is looked at.
#[derive(Clone, Copy)]
pub(super) struct Seen<'a> {
    pub(super) status: u16,
    pub(super) headers: &'a HeaderMap,
    /// `None` if it is no JSON.
    pub(super) body: Option<&'a Json>,
}

/// One shape.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Shape {
    condition: Condition,
    body: Node,
    headers: Vec<Header>,
}

/// What is tested of a header.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Header {
    name: HeaderName,
    wanted: Wanted,
    /// The flow says that the service alone sends it.
    is_own: bool,
}

/// What is tested of one value of the body: in places below it, and of some element of lists below it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
struct Node {
    tests: Vec<Tested>,
    lists: Vec<(String, Node)>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
struct Tested {
    /// Relative to the value, without `*`.
    pointer: String,
    /// As it was written.
    place: String,
    wanted: Wanted,
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum Wanted {
    Is(Vec<Compared>),
    Not(Vec<Compared>),
    Absent,
    Null,
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum Compared {
    Value(Scalar),
    Gaps(Template),
}

/// How an answer fits.
#[derive(Clone, PartialEq, Debug, Default)]
pub(super) struct Fit {
    /// Where something else stands than what a gap is filled with. It fits where there is nothing of the kind.
    pub(super) differs: Vec<Difference>,
    /// What says whose request it was, and that of this very saga, was compared, where the service alone would put it, and held.
    pub(super) names_ours: bool,
}

/// A place in which another value stands.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Difference {
    pub(super) place: String,
    pub(super) wanted: Json,
    pub(super) found: Json,
    /// What was compared says whose the answer is, not what was done.
    pub(super) is_identity: bool,
}

impl Difference {
    /// The place with both values, of which nothing is shown that belongs nowhere.
    pub(super) fn in_words(&self, secrets: &Secrets) -> String {
        const LONGEST: usize = 80;
        let shown = |value: &Json| {
            let text = value.to_string();
            let is_shown = !secrets.are_in(&text) && !has_card_number(&text);
            if is_shown { text.chars().take(LONGEST).collect() } else { "what is not shown".to_owned() }
        };
        format!("{}: {} was asked for, and {} stands there", self.place, shown(&self.wanted), shown(&self.found))
    }
}

/// A pointer, cut at every `*`: what stands before the first, between them, and after the last.
pub(super) fn cut(pointer: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    for token in pointer.split('/').skip(1) {
        match parts.last_mut() {
            Some(last) if token != "*" => {
                last.push('/');
                last.push_str(token);
            }
            Some(_) | None => parts.push(String::new()),
        }
    }
    parts
}

/// Every element that `*` may stand for: of a list any, and of an object the member of that name, as RFC 6901 has it.
fn elements<'a>(value: &'a Json, list: &str) -> Vec<&'a Json> {
    match value.pointer(list) {
        Some(Json::Array(elements)) => elements.iter().collect(),
        Some(Json::Object(members)) => members.get("*").into_iter().collect(),
        Some(Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_)) | None => Vec::new(),
    }
}

impl Shape {
    /// Reads a condition. `own` are the headers that the service alone sends.
    ///
    /// # Errors
    /// The first place with a text whose gaps make no sense, and why.
    pub(super) fn read(condition: &Condition, own: &[HeaderName]) -> Result<Self, (At, String)> {
        let mut shape = Self { condition: condition.clone(), body: Node::default(), headers: Vec::new() };
        for (pointer, values) in &condition.json {
            let wanted = Wanted::Is(values.iter().cloned().map(Compared::Value).collect());
            shape.body.tests.push(Tested { pointer: pointer.clone(), place: pointer.clone(), wanted });
        }
        for test in &condition.tests {
            let refused = |why: String| (test.at.clone(), why);
            let wanted = Wanted::read(&test.wants).map_err(refused)?;
            match &test.at {
                At::Json(pointer) => {
                    shape.body.insert(&cut(pointer), Tested { pointer: String::new(), place: pointer.clone(), wanted })
                }
                At::Header(name) => {
                    let name: HeaderName = name.parse().map_err(|_| refused(format!("{name:?} is no name of a header")))?;
                    shape.headers.push(Header { is_own: own.contains(&name), name, wanted });
                }
            }
        }
        Ok(shape)
    }

    /// As it was written.
    pub(super) const fn condition(&self) -> &Condition {
        &self.condition
    }

    /// Nothing that it tests comes from the service alone.
    pub(super) fn is_bare(&self) -> bool {
        let proves = |wanted: &Wanted| matches!(wanted, Wanted::Is(values) if !values.is_empty());
        !self.body.all().iter().any(|tested| proves(&tested.wanted))
            && !self.headers.iter().any(|header| header.is_own && proves(&header.wanted))
    }

    /// Every text with gaps, and where what it is compared with stands.
    pub(super) fn compared(&self) -> impl Iterator<Item = (&str, &Template)> {
        let body = self.body.all().into_iter().map(|tested| (tested.place.as_str(), &tested.wanted));
        let headers = self.headers.iter().map(|header| (header.name.as_str(), &header.wanted));
        body.chain(headers).flat_map(|(place, wanted)| wanted.templates().map(move |template| (place, template)))
    }

    /// Whether a value of this kind has to stand in what fits.
    pub(super) fn compares(&self, is_it: &dyn Fn(&Value) -> bool) -> bool {
        let of_body = self.body.all().into_iter().map(|tested| &tested.wanted);
        let has_it = |template: &Template| template.gaps().any(|(value, _)| is_it(value));
        of_body.chain(self.headers.iter().map(|header| &header.wanted)).any(|wanted| wanted.is_one_of(&has_it))
    }

    /// How an answer fits, if it does, or nearly does.
    pub(super) fn fit(&self, seen: Seen<'_>, of: Fill<'_>) -> Option<Fit> {
        let Condition { status, classes, .. } = &self.condition;
        let is_any = status.is_empty() && classes.is_empty();
        let is_named = status.contains(&seen.status) || classes.iter().any(|class| u16::from(*class) == seen.status / 100);
        if !is_any && !is_named {
            return None;
        }
        let mut fit = Fit::default();
        if !self.body.is_empty() {
            fit.join(self.body.fit(seen.body?, of)?);
        }
        for header in &self.headers {
            fit.join(header.fit(seen.headers, of)?);
        }
        Some(fit)
    }

    /// Everything that stands in a place of an answer that fits, where `*` stands for elements that do; of one that fits but for
    /// values, elements that do so.
    pub(super) fn values<'a>(&self, pointer: &[String], body: &'a Json, of: Fill<'_>, nearly: bool) -> Vec<&'a Json> {
        self.body.values(pointer, body, of, nearly)
    }
}

impl Node {
    const fn is_empty(&self) -> bool {
        self.tests.is_empty() && self.lists.is_empty()
    }

    fn insert(&mut self, parts: &[String], tested: Tested) {
        match parts {
            [] => {}
            [last] => self.tests.push(Tested { pointer: last.clone(), ..tested }),
            [list, rest @ ..] => {
                let at = self.lists.iter().position(|(other, _)| other == list).unwrap_or_else(|| {
                    self.lists.push((list.clone(), Self::default()));
                    self.lists.len() - 1
                });
                self.lists[at].1.insert(rest, tested);
            }
        }
    }

    fn all(&self) -> Vec<&Tested> {
        let below = self.lists.iter().flat_map(|(_, node)| node.all());
        self.tests.iter().chain(below).collect()
    }

    fn fit(&self, value: &Json, of: Fill<'_>) -> Option<Fit> {
        let mut fit = Fit::default();
        for Tested { pointer, place, wanted } in &self.tests {
            fit.join(wanted.fit_json(place, value.pointer(pointer), of)?);
        }
        for (list, node) in &self.lists {
            let mut nearly = None;
            let mut fits = elements(value, list).into_iter().filter_map(|element| node.fit(element, of));
            let whole = fits.find(|fit| {
                // An element that says that it is another's is no answer about ours, and one that says that it is ours goes first.
                let is_better = nearly.as_ref().is_none_or(|known: &Fit| !known.names_ours && fit.names_ours);
                if is_better && !fit.is_anothers() {
                    nearly = Some(fit.clone());
                }
                fit.differs.is_empty()
            });
            fit.join(whole.or(nearly)?);
        }
        Some(fit)
    }

    fn values<'a>(&self, parts: &[String], value: &'a Json, of: Fill<'_>, nearly: bool) -> Vec<&'a Json> {
        match parts {
            [] => Vec::new(),
            [last] => value.pointer(last).into_iter().collect(),
            [list, rest @ ..] => {
                let untested = Self::default();
                let node = self.lists.iter().find(|(other, _)| other == list).map_or(&untested, |(_, node)| node);
                let has_it = |fit: Fit| fit.differs.is_empty() || nearly && fit.names_ours && !fit.is_anothers();
                let fits = |element: &&Json| node.fit(element, of).is_some_and(has_it);
                let below = |element| node.values(rest, element, of, nearly);
                elements(value, list).into_iter().filter(fits).flat_map(below).collect()
            }
        }
    }
}

impl Fit {
    fn join(&mut self, other: Self) {
        self.differs.extend(other.differs);
        self.names_ours |= other.names_ours;
    }

    /// It says that it is about something else than this saga's request.
    pub(super) fn is_anothers(&self) -> bool {
        self.differs.iter().any(|difference| difference.is_identity)
    }

    const fn held(names_ours: bool) -> Self {
        Self { differs: Vec::new(), names_ours }
    }

    const fn holds(it_does: bool) -> Option<Self> {
        if it_does { Some(Self::held(false)) } else { None }
    }
}

impl Wanted {
    fn read(wants: &Wants) -> Result<Self, String> {
        let read = |values: &[Expected]| values.iter().map(Compared::read).collect::<Result<Vec<_>, _>>();
        Ok(match wants {
            Wants::Is(values) => Self::Is(read(values)?),
            Wants::Not(values) => Self::Not(read(values)?),
            Wants::Absent => Self::Absent,
            Wants::Null => Self::Null,
        })
    }

    fn templates(&self) -> impl Iterator<Item = &Template> {
        let values: &[Compared] = match self {
            Self::Is(values) | Self::Not(values) => values,
            Self::Absent | Self::Null => &[],
        };
        values.iter().filter_map(|value| if let Compared::Gaps(template) = value { Some(template) } else { None })
    }

    /// Whether one of the texts has it that may stand there; what must not stand there is no comparison.
    fn is_one_of(&self, has_it: &dyn Fn(&Template) -> bool) -> bool {
        match self {
            Self::Is(values) => {
                !values.is_empty() && values.iter().all(|value| matches!(value, Compared::Gaps(template) if has_it(template)))
            }
            Self::Not(_) | Self::Absent | Self::Null => false,
        }
    }

    fn fit_json(&self, place: &str, found: Option<&Json>, of: Fill<'_>) -> Option<Fit> {
        match self {
            Self::Is(values) => {
                let found = found?;
                if let Some(held) = values.iter().find(|value| value.is(found, of)) {
                    return Some(Fit::held(held.names_ours()));
                }
                let has_no_parts = matches!(found, Json::Bool(_) | Json::Number(_) | Json::String(_));
                has_no_parts.then(|| differs(place, values, found, of)).flatten()
            }
            Self::Not(values) => {
                let other = |found: &Json| !found.is_null() && !values.iter().any(|value| value.is(found, of));
                Fit::holds(found.is_some_and(other))
            }
            Self::Absent => Fit::holds(found.is_none()),
            Self::Null => Fit::holds(found.is_some_and(Json::is_null)),
        }
    }
}

impl Header {
    fn fit(&self, headers: &HeaderMap, of: Fill<'_>) -> Option<Fit> {
        let name = &self.name;
        let mut all = headers.get_all(name).iter();
        let (first, second) = (all.next(), all.next());
        // One that is there twice says two things.
        let found = || first.filter(|_| second.is_none()).and_then(|value| value.to_str().ok());
        match &self.wanted {
            Wanted::Is(values) => {
                let found = found()?;
                if let Some(held) = values.iter().find(|value| value.is_text(found, of)) {
                    return Some(Fit::held(self.is_own && held.names_ours()));
                }
                differs(&format!("the header {name}"), values, &Json::from(found), of)
            }
            Wanted::Not(values) => Fit::holds(found().is_some_and(|found| !values.iter().any(|value| value.is_text(found, of)))),
            Wanted::Absent => Fit::holds(first.is_none()),
            Wanted::Null => None,
        }
    }
}

/// The difference to what is in the gaps, if anything is compared with gaps.
fn differs(place: &str, values: &[Compared], found: &Json, of: Fill<'_>) -> Option<Fit> {
    let template = values.iter().find_map(|value| if let Compared::Gaps(template) = value { Some(template) } else { None })?;
    // What is written in another type of JSON may be the same, and may not: that is unknown, so it is no difference either.
    let is_of_another_type = |wanted: &Json| scalar_text(wanted).is_some() && scalar_text(wanted) == scalar_text(found);
    let mut all =
        values.iter().filter_map(|value| if let Compared::Gaps(template) = value { filled(template, of) } else { None });
    if all.any(|wanted| is_of_another_type(&wanted)) {
        return None;
    }
    // The same amount may be written otherwise, and what is no number says nothing of any amount.
    let says_nothing = |value: &Compared| match value {
        Compared::Gaps(template) if Amount::of(template).is_some() => {
            filled(template, of).is_none_or(|wanted| !Amount::is_other(&wanted, found))
        }
        Compared::Gaps(_) | Compared::Value(_) => false,
    };
    if values.iter().any(says_nothing) {
        return None;
    }
    let is_identity = template.gaps().any(|(value, _)| is_identity(value));
    let (place, wanted, found) = (place.to_owned(), filled(template, of)?, found.clone());
    Some(Fit { differs: vec![Difference { place, wanted, found, is_identity }], names_ours: false })
}

/// Whether a gap says that it was a request of this very saga: an answer about another saga does not have it.
pub(super) const fn is_of_this_saga(value: &Value) -> bool {
    match value {
        Value::Key | Value::KeyHash | Value::KeyUuid | Value::Saga | Value::Receipt { .. } => true,
        Value::Step
        | Value::Secret(_)
        | Value::Basic { .. }
        | Value::Input(_)
        | Value::Decimal(_)
        | Value::LowerCurrency(_)
        | Value::Now { .. } => false,
    }
}

/// Whether a gap says whose request it was, and not what was asked for.
pub(super) const fn is_identity(value: &Value) -> bool {
    match value {
        Value::Key
        | Value::KeyHash
        | Value::KeyUuid
        | Value::Saga
        | Value::Step
        | Value::Receipt { .. }
        | Value::Secret(_)
        | Value::Basic { .. } => true,
        Value::Input(_) | Value::Decimal(_) | Value::LowerCurrency(_) | Value::Now { .. } => false,
    }
}

/// One gap alone is the value that it is filled with, and everything else is text.
fn filled(template: &Template, of: Fill<'_>) -> Option<Json> {
    match template.0.as_slice() {
        [Piece::Gap(value, _, Coding::Plain)] => of(value).ok(),
        _ => template.fill(of).ok().map(Json::String),
    }
}

impl Compared {
    fn read(expected: &Expected) -> Result<Self, String> {
        match expected {
            Expected::Value(value) => Ok(Self::Value(value.clone())),
            Expected::Gaps { gaps } => Template::read(gaps, Setting::Answer).map(Self::Gaps),
        }
    }

    fn is(&self, found: &Json, of: Fill<'_>) -> bool {
        match self {
            Self::Value(value) => scalar(found).as_ref() == Some(value),
            Self::Gaps(template) => filled(template, of).is_some_and(|wanted| {
                // Minor units are digits, and some services write them as text.
                let is_alike = Amount::of(template).is_some_and(|amount| amount.is_same(&wanted, found));
                are_same(&wanted, found) || is_alike
            }),
        }
    }

    /// What it is says that it was a request of this very saga.
    fn names_ours(&self) -> bool {
        match self {
            Self::Value(_) => false,
            Self::Gaps(template) => template.gaps().any(|(value, _)| is_of_this_saga(value)),
        }
    }

    fn is_text(&self, found: &str, of: Fill<'_>) -> bool {
        match self {
            Self::Value(value) => value.to_string() == found,
            Self::Gaps(template) => template.fill(of).is_ok_and(|wanted| wanted == found),
        }
    }
}

/// A number is compared as a number, and text as text.
fn are_same(wanted: &Json, found: &Json) -> bool {
    match (wanted, found) {
        (Json::Number(wanted), Json::Number(found)) => {
            wanted == found || wanted.as_i64().is_some_and(|wanted| whole(found) == Some(wanted))
        }
        (Json::Null, _) | (_, Json::Null) => false,
        (wanted, found) => wanted == found,
    }
}

/// A value without parts as text, whatever its type.
pub(super) fn scalar_text(value: &Json) -> Option<String> {
    match value {
        Json::String(text) => Some(text.clone()),
        Json::Number(number) => Some(number.to_string()),
        Json::Bool(value) => Some(value.to_string()),
        Json::Null | Json::Array(_) | Json::Object(_) => None,
    }
}

/// The whole number that a number is: `100.0` is 100.
fn whole(number: &serde_json::Number) -> Option<i64> {
    /// From here on not every whole number can be told from its neighbours.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    let number = number.as_f64().filter(|number| number.fract() == 0.0 && number.abs() < EXACT)?;
    // Whole and within bounds, it is written without a point or an exponent.
    format!("{number:.0}").parse().ok()
}

/// A value without parts; numbers that are not whole are none.
pub(super) fn scalar(value: &Json) -> Option<Scalar> {
    match value {
        Json::Bool(value) => Some(Scalar::Bool(*value)),
        Json::Number(number) => number.as_i64().map(Scalar::Integer),
        Json::String(text) => Some(Scalar::Text(text.clone())),
        Json::Null | Json::Array(_) | Json::Object(_) => None,
    }
}
