//! Reads one `[[step]]`: who takes it, what it sends, and what is promised for it.

use std::sync::Arc;
use std::time::Duration;

use handfast_protocol::{Definite, Kind, Meaning, Profile, Values};
use handfast_toml::{DeValue, FileError, Source, Spanned, Table, kind_of, parse_duration, suggest};
use reqwest::Url;

use super::errors::Found;
use super::field::{Field, FieldType};
use super::file::{check_name, choose};
use super::{profile, templates, webhook};
use crate::participant::{HttpTemplates, Value};
use crate::webhook::Webhook;

const KEYS: [&str; 15] = [
    "name",
    "kind",
    "participant",
    "url",
    "deadline",
    "send",
    "beside",
    "captures",
    "undo_after",
    "timeout",
    "in_flight",
    "retry_base",
    "retry_cap",
    "profile",
    "http",
];

/// One step of a flow file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FileStep {
    /// Unique in the flow.
    pub name: String,
    /// What it can promise, in one word.
    pub kind: Kind,
    /// What its participant promises.
    pub profile: Profile,
    /// Who takes it.
    pub participant: StepParticipant,
    /// How its webhooks are read, if it sends any.
    pub webhook: Option<Webhook>,
    /// How long after its intent its key is closed, unless it is known by then what became of it.
    pub deadline: Option<Duration>,
    /// How long the answer to one try is waited for, where that differs from the engine's default.
    pub timeout: Option<Duration>,
    /// At most this many requests are in flight to its participant, where that differs from the engine's default.
    pub in_flight: Option<u32>,
    /// The longest pause after the first try of one delivery to its participant, where that differs from the engine's default.
    pub retry_base: Option<Duration>,
    /// The longest pause between two tries of one delivery to its participant, where that differs from the engine's default.
    pub retry_cap: Option<Duration>,
    /// Which fields make up the body of its act, as places in [`FlowFile::fields`](super::FlowFile::fields).
    pub send: Vec<usize>,
    /// It runs side by side with the step before it.
    pub beside: bool,
    /// The line of the file in which it begins, counted from 1.
    pub line: usize,
    /// The character of that line, counted from 1.
    pub column: usize,
}

/// Who takes a step.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum StepParticipant {
    /// A service that speaks the contract, by the base URL of its keys, without a slash at the end.
    Handfast {
        /// The URL.
        url: String,
    },
    /// An existing service, by templates.
    Http(Arc<HttpTemplates>),
    /// A participant of the program that reads the file, under the name of the step.
    InProcess,
}

impl FileStep {
    /// The base URL of its keys, if its participant speaks the contract.
    #[must_use]
    pub fn url(&self) -> Option<&str> {
        match &self.participant {
            StepParticipant::Handfast { url } => Some(url),
            StepParticipant::Http(_) | StepParticipant::InProcess => None,
        }
    }

    /// The steps of whose answers the request that closes its key names something.
    pub(super) fn close_needs(&self) -> impl Iterator<Item = &str> {
        let templates = match &self.participant {
            StepParticipant::Http(templates) => Some(templates),
            StepParticipant::Handfast { .. } | StepParticipant::InProcess => None,
        };
        templates.into_iter().flat_map(|templates| templates.close_needs())
    }

    /// What the engine calls its participant.
    #[must_use]
    pub fn participant_name(&self) -> String {
        match &self.participant {
            StepParticipant::Handfast { url } => url.clone(),
            StepParticipant::Http(templates) => format!("{} at {}", self.name, templates.origin()),
            StepParticipant::InProcess => self.name.clone(),
        }
    }
}

#[derive(Clone, Copy)]
enum Way {
    Handfast,
    Http,
    InProcess,
}

const WAYS: [(&str, Way); 3] = [("handfast", Way::Handfast), ("http", Way::Http), ("inproc", Way::InProcess)];

pub(super) fn read(
    source: Source<'_>,
    table: &Table<'_, '_>,
    name: Result<Spanned<&str>, FileError>,
    fields: &[Field],
    found: &mut Found,
) -> Option<FileStep> {
    let mut parts = found.parts(table, &KEYS);
    let name = parts.take(name.and_then(|name| check_name(source, &name, "a step").map(|()| *name.get_ref())));
    let send = read_send(source, table.value("send"), fields, parts.found());
    let way = parts.take(read_way(source, table));
    let participant = way.and_then(|way| match way {
        Whose::Known(participant) => Some(participant),
        Whose::Templates => templates::read(table, &mut parts).map(|templates| StepParticipant::Http(Arc::new(templates))),
    });
    // What is promised follows from who takes the step, so it is looked at where that could be read.
    let promised = participant.as_ref().map(|participant| {
        let http = match participant {
            StepParticipant::Http(templates) => Some(&**templates),
            StepParticipant::Handfast { .. } | StepParticipant::InProcess => None,
        };
        let profile = profile::read(table, name.unwrap_or("this step"), http, &mut parts);
        let profile = profile.zip(send.as_ref());
        let profile = profile.map(|(profile, send)| http.map_or(profile, |http| with_values(profile, http, send, fields)));
        (profile, parts.take(webhook::read(table, http)))
    });
    let [deadline, timeout, retry_base, retry_cap] =
        ["deadline", "timeout", "retry_base", "retry_cap"].map(|key| parts.take(duration(table, key)));
    if retry_base.flatten().zip(retry_cap.flatten()).is_some_and(|(base, cap)| base > cap) {
        let message = "retry_base is longer than retry_cap; pauses grow from the one to the other";
        parts.found().add(table.error_at("retry_base", message));
        return None;
    }
    let (in_flight, beside) = (parts.take(table.number("in_flight", 1..=10_000)), parts.take(table.flag("beside")));
    let place = source.error(table.span(), "");
    let (profile, webhook) = promised?;
    let profile = profile?;
    Some(FileStep {
        name: name?.to_owned(),
        kind: profile.kind(),
        profile,
        participant: participant?,
        webhook: webhook?,
        deadline: deadline?,
        timeout: timeout?,
        in_flight: in_flight?,
        retry_base: retry_base?,
        retry_cap: retry_cap?,
        send: send?,
        beside: beside?,
        line: place.line(),
        column: place.column(),
    })
}

/// The same with what its answers are compared with. Where every one that means *done* names the key or each amount, no answer
/// about another order is believed; and one that means *undone* may be about a part, unless it names each amount.
fn with_values(profile: Profile, http: &HttpTemplates, send: &[usize], fields: &[Field]) -> Profile {
    let is_key = |value: &Value| matches!(value, Value::Key | Value::KeyHash | Value::KeyUuid);
    let is_amount = |name: &str, value: &Value| match value {
        Value::Input(path) => {
            path.first().is_some_and(|field| field == name) && path.get(1).is_none_or(|part| part != "currency")
        }
        Value::Decimal(field) => field == name,
        Value::Key
        | Value::KeyHash
        | Value::KeyUuid
        | Value::Saga
        | Value::Step
        | Value::LowerCurrency(_)
        | Value::Now { .. }
        | Value::Receipt { .. }
        | Value::Basic { .. }
        | Value::Secret(_) => false,
    };
    let amounts = || send.iter().filter_map(|&at| fields.get(at)).filter(|field| field.field_type == FieldType::Money);
    let is_seen = |state, field: &Field, by_key: bool| {
        http.compares(Meaning::State(state), &|value| by_key && is_key(value) || is_amount(&field.name, value))
    };
    let values = if !amounts().all(|field| is_seen(Definite::Done, field, true)) {
        Values::Unseen
    } else if http.compares_values() {
        Values::Compared
    } else {
        Values::Settled
    };
    let return_unseen = !amounts().all(|field| is_seen(Definite::Undone, field, false));
    let whose_unseen =
        amounts().next().is_some() && values == Values::Compared && !http.says_whose(Meaning::State(Definite::Done));
    Profile { values, return_unseen, whose_unseen, ..profile }
}

pub(super) fn duration(table: &Table<'_, '_>, key: &str) -> Result<Option<Duration>, FileError> {
    let Some(text) = table.text(key)? else { return Ok(None) };
    parse_duration(text.get_ref()).map(Some).map_err(|error| table.error_at(key, error.to_string()))
}

/// Whose step it is, as far as it can be said without its templates.
enum Whose {
    Known(StepParticipant),
    Templates,
}

fn read_way(source: Source<'_>, table: &Table<'_, '_>) -> Result<Whose, FileError> {
    let (url, http) = (table.text("url")?, table.value("http"));
    let way = match table.text("participant")? {
        Some(word) => choose(source, &word, "participant", &WAYS)?,
        None if url.is_none() && http.is_some() => Way::Http,
        None => Way::Handfast,
    };
    if http.is_some() && !matches!(way, Way::Http) {
        let message = "templates are for a participant of its own kind; say participant = \"http\", or remove [step.http]";
        return Err(table.error_at("http", message));
    }
    match (way, url) {
        (Way::Handfast, Some(url)) => Ok(Whose::Known(StepParticipant::Handfast { url: read_url(source, &url)? })),
        (Way::Handfast, None) => Err(table.missing("url", "url = \"http://127.0.0.1:4001/charges\"")),
        (Way::Http, None) if http.is_none() => Err(table.missing("[step.http.act]", "[step.http.act] with url and done")),
        (Way::Http, None) => Ok(Whose::Templates),
        (Way::InProcess, None) => Ok(Whose::Known(StepParticipant::InProcess)),
        (Way::Http, Some(url)) => {
            Err(source.error(url.span(), "each operation of an http step has a url of its own; move this one to [step.http.act]"))
        }
        (Way::InProcess, Some(url)) => {
            Err(source
                .error(url.span(), "a participant of this program has no url; remove it, or say participant = \"handfast\""))
        }
    }
}

fn read_url(source: Source<'_>, text: &Spanned<&str>) -> Result<String, FileError> {
    const EXAMPLE: &str = "write it as in http://127.0.0.1:4001/charges";
    let refused = |message: String| Err(source.error(text.span(), message));
    let url = match Url::parse(text.get_ref()) {
        Ok(url) => url,
        Err(error) => return refused(format!("the url cannot be read ({error}); {EXAMPLE}")),
    };
    if url.scheme() != "http" && url.scheme() != "https" {
        return refused(format!("a url starts with http or https, not with {:?}; {EXAMPLE}", url.scheme()));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return refused("the url carries a user or password, and a flow is stored with every order; take it out".to_owned());
    }
    if url.query().is_some() || url.fragment().is_some() {
        return refused("the url has a ? or # in it, and a key is to follow it; take it out".to_owned());
    }
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

fn read_send(
    source: Source<'_>,
    value: Option<&Spanned<DeValue<'_>>>,
    fields: &[Field],
    found: &mut Found,
) -> Option<Vec<usize>> {
    let Some(value) = value else {
        return Some((0..fields.len()).collect());
    };
    let Some(list) = value.get_ref().as_array() else {
        let message = format!("send is a list of fields, as in send = [\"amount\"], and this is {}", kind_of(value));
        found.add(source.error(value.span(), message));
        return None;
    };
    let mut send: Vec<Option<usize>> = Vec::new();
    for item in list.iter() {
        let field = found.take(read_sent(source, item, fields, &send));
        send.push(field);
    }
    send.into_iter().collect()
}

/// One field that is sent, by its place.
fn read_sent(
    source: Source<'_>,
    item: &Spanned<DeValue<'_>>,
    fields: &[Field],
    before: &[Option<usize>],
) -> Result<usize, FileError> {
    let Some(name) = item.get_ref().as_str() else {
        return Err(source.error(item.span(), format!("a field's name is text in quotes, and this is {}", kind_of(item))));
    };
    let Some(field) = fields.iter().position(|field| field.name == name) else {
        let hint = suggest::hint(name, fields.iter().map(|field| field.name.as_str()));
        return Err(source.error(item.span(), format!("[input] has no field {name:?}; {hint}")));
    };
    if before.contains(&Some(field)) {
        return Err(source.error(item.span(), format!("{name:?} is sent twice; remove one")));
    }
    Ok(field)
}
