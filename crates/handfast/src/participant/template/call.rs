//! One operation of a service: its texts, read and checked, and the request that they make.

use std::collections::BTreeMap;
use std::fmt;

use handfast_protocol::{Definite, Meaning, Operation};
use handfast_toml::suggest;
use reqwest::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use reqwest::{Method, Request, Url};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::answer::Reading;
use super::condition::{KeptAt, Shapes};
use super::reading::read_reading;
use super::shape::Shape;
use super::text::{Place, Setting, Template, Value};

/// The longest text of a template, in bytes.
const MAX_TEXT: usize = 16 * 1024;
/// The most values that are kept of an answer, headers of a request and fields of a form.
pub(super) const MAX_ENTRIES: usize = 32;
/// Headers that belong to the connection, not to a template.
const TAKEN_HEADERS: [&str; 5] = ["host", "content-length", "transfer-encoding", "connection", "upgrade"];

/// The texts of one operation.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CallText {
    /// `GET`, `POST`, `PUT`, `PATCH` or `DELETE`; without it `GET` for a peek, otherwise `POST`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// An absolute `http` or `https` URL; gaps may stand in its path and its query.
    pub url: String,
    /// Headers, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// A body of JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// The fields of a form, instead of a body, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub form: Vec<(String, String)>,
    /// What answers mean, by the name of the state: `done`, `refused`, `closed`, `undone`, of a peek `absent`, and
    /// of an undo `accepted` and `failed`.
    pub answers: BTreeMap<String, Shapes>,
    /// What is kept of the answer: a name, and the place.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub keep: BTreeMap<String, KeptAt>,
    /// Where the answer says why it is not done, as a JSON pointer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// A part of an operation's texts: its key in a flow file, and the entry below that where there is one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TemplatePart {
    /// `method`, `url`, `headers`, `body`, `form`, `done`, `refused`, `closed`, `undone`, `absent`, `keep`, `detail`, or
    /// `own_headers` of the whole step.
    pub key: &'static str,
    /// The header, the field, the name of what is kept, or the place that a condition speaks of.
    pub entry: Option<String>,
    /// Of several shapes of one meaning which, counted from 0.
    pub shape: usize,
}

/// Why a text makes no sense.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct TemplateError {
    /// Which.
    pub part: TemplatePart,
    /// What is wrong and what to do.
    pub message: String,
}

impl fmt::Display for TemplateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.part.entry {
            Some(entry) => write!(f, "{} {entry}: {}", self.part.key, self.message),
            None => write!(f, "{}: {}", self.part.key, self.message),
        }
    }
}

impl std::error::Error for TemplateError {}

/// One operation, ready to be called.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Call {
    method: Method,
    url: Template,
    headers: Vec<(HeaderName, Template)>,
    body: Option<Template>,
    form: Vec<(String, Template)>,
    pub(super) reading: Reading,
}

pub(super) fn error(key: &'static str, entry: Option<&str>, message: impl Into<String>) -> TemplateError {
    TemplateError { part: TemplatePart { key, entry: entry.map(str::to_owned), shape: 0 }, message: message.into() }
}

impl TemplateError {
    /// The same, of one of several shapes of a meaning.
    pub(super) const fn of_shape(mut self, shape: usize) -> Self {
        self.part.shape = shape;
        self
    }
}

impl Call {
    /// Reads the texts of an operation. `own_headers` are those of its answers that the service alone sends.
    ///
    /// # Errors
    /// The first that makes no sense.
    pub fn compile(operation: Operation, text: &CallText, own_headers: &[HeaderName]) -> Result<Self, TemplateError> {
        Self::compile_as((operation, false), text, own_headers)
    }

    /// Reads the texts of a look that asks what became of an undo.
    ///
    /// # Errors
    /// The first that makes no sense.
    pub fn compile_undo_peek(text: &CallText, own_headers: &[HeaderName]) -> Result<Self, TemplateError> {
        Self::compile_as((Operation::Look, true), text, own_headers)
    }

    fn compile_as(asked: (Operation, bool), text: &CallText, own_headers: &[HeaderName]) -> Result<Self, TemplateError> {
        let operation = asked.0;
        let method = read_method(operation, text.method.as_deref())?;
        let url = read_url(&text.url)?;
        let mut headers = text.headers.iter().map(read_header).collect::<Result<Vec<_>, _>>()?;
        if headers.len() > MAX_ENTRIES || text.form.len() > MAX_ENTRIES {
            return Err(error("headers", None, format!("more than {MAX_ENTRIES} headers or fields of a form are too many")));
        }
        let body = text.body.as_deref().map(read_body).transpose()?;
        if body.is_some() && !text.form.is_empty() {
            return Err(error("form", None, "a request has a body or a form, not both; remove one"));
        }
        if body.is_some() && headers.iter().all(|(name, _)| name != CONTENT_TYPE) {
            headers.push((CONTENT_TYPE, Template::literal("application/json")));
        }
        let form = text.form.iter().map(read_form_field).collect::<Result<Vec<_>, _>>()?;
        if !form.is_empty() {
            headers.retain(|(name, _)| name != CONTENT_TYPE);
            headers.push((CONTENT_TYPE, Template::literal("application/x-www-form-urlencoded")));
        }
        Ok(Self { method, url, headers, body, form, reading: read_reading(asked, text, own_headers)? })
    }

    /// Its texts with gaps, each with what it is.
    pub fn parts(&self) -> impl Iterator<Item = (TemplatePart, &Template)> {
        let part = |key, entry: Option<&str>| TemplatePart { key, entry: entry.map(str::to_owned), shape: 0 };
        let headers = self.headers.iter().map(move |(name, template)| (part("headers", Some(name.as_str())), template));
        let form = self.form.iter().map(move |(name, template)| (part("form", Some(name)), template));
        let body = self.body.iter().map(move |template| (part("body", None), template));
        std::iter::once((part("url", None), &self.url)).chain(headers).chain(body).chain(form).chain(self.reading.parts())
    }

    /// Every gap that its answers are compared with.
    pub fn compared(&self) -> impl Iterator<Item = &Value> {
        self.reading.parts().flat_map(|(_, template)| template.gaps()).map(|(value, _)| value)
    }

    /// Every gap of every text that is sent.
    pub fn gaps(&self) -> impl Iterator<Item = (&Value, Place)> {
        let headers = self.headers.iter().map(|(_, template)| template);
        let form = self.form.iter().map(|(_, template)| template);
        [&self.url].into_iter().chain(headers).chain(&self.body).chain(form).flat_map(Template::gaps)
    }

    /// Every value that it sends, or that its answers are compared with.
    pub fn values(&self) -> impl Iterator<Item = &Value> {
        self.gaps().map(|(value, _)| value).chain(self.compared())
    }

    /// What is kept of its answers, by name.
    pub fn kept_names(&self) -> impl Iterator<Item = &str> {
        self.reading.keep.keys().map(String::as_str)
    }

    /// Whether some answer means this.
    #[must_use]
    pub fn tells(&self, state: Definite) -> bool {
        self.reading.states.iter().any(|(told, _)| *told == Meaning::State(state))
    }

    /// Whether some answer says that the undo was accepted.
    #[must_use]
    pub fn accepts_undo(&self) -> bool {
        self.reading.states.iter().any(|(told, _)| *told == Meaning::Accepted)
    }

    /// Every shape of a meaning.
    pub(super) fn shapes_of(&self, meaning: Meaning) -> impl Iterator<Item = &Shape> {
        self.reading.states.iter().filter(move |(told, _)| *told == meaning).flat_map(|(_, shapes)| shapes)
    }

    /// What its answers mean, in some shape, by nothing that comes from the service alone.
    pub fn bare(&self) -> impl Iterator<Item = Meaning> {
        let is_bare = |shapes: &[Shape]| shapes.iter().any(Shape::is_bare);
        self.reading.states.iter().filter(move |(_, shapes)| is_bare(shapes)).map(|(meaning, _)| *meaning)
    }

    pub(super) const fn method(&self) -> &Method {
        &self.method
    }

    pub(super) fn origin(&self) -> String {
        Url::parse(&self.url.sample()).map(|url| url.origin().ascii_serialization()).unwrap_or_default()
    }

    /// The request with its gaps filled by `of`, or why it cannot be made.
    pub(super) fn request(&self, of: &dyn Fn(&Value) -> Result<Json, String>) -> Result<Request, String> {
        let text = self.url.fill(of)?;
        // A value like `..` would lead to another place than the template names, however it is escaped.
        let url = parse_as_written(&text).ok_or("a value would lead to another path than the flow describes")?;
        let mut request = Request::new(self.method.clone(), url);
        for (name, template) in &self.headers {
            let value = template.fill(of)?;
            // By bytes: whatever is no control character can be carried, so what was kept of an answer always can.
            let mut value =
                HeaderValue::from_bytes(value.as_bytes()).map_err(|_| format!("the header {name} cannot carry its value"))?;
            value.set_sensitive(true);
            request.headers_mut().insert(name.clone(), value);
        }
        if let Some(body) = &self.body {
            *request.body_mut() = Some(body.fill(of)?.into());
        } else if !self.form.is_empty() {
            let fields = self.form.iter().map(|(name, template)| template.fill_field(name, of));
            *request.body_mut() = Some(fields.collect::<Result<Vec<_>, _>>()?.concat().join("&").into());
        }
        Ok(request)
    }
}

/// The URL of a text, if its path is the one that is written there.
fn parse_as_written(text: &str) -> Option<Url> {
    let url = Url::parse(text).ok()?;
    let after_host = text.splitn(4, '/').nth(3).unwrap_or_default();
    let path = after_host.split('?').next().unwrap_or_default();
    (url.path().strip_prefix('/') == Some(path)).then_some(url)
}

fn read_method(operation: Operation, method: Option<&str>) -> Result<Method, TemplateError> {
    let known = [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE];
    let Some(name) = method else {
        return Ok(if operation == Operation::Look { Method::GET } else { Method::POST });
    };
    known.iter().find(|method| method.as_str() == name).cloned().ok_or_else(|| {
        error("method", None, format!("{name:?} is no method; {}", suggest::hint(name, known.iter().map(Method::as_str))))
    })
}

fn read_template(key: &'static str, entry: Option<&str>, text: &str, setting: Setting) -> Result<Template, TemplateError> {
    if text.len() > MAX_TEXT {
        return Err(error(key, entry, format!("it has more than {MAX_TEXT} bytes")));
    }
    Template::read(text, setting).map_err(|message| error(key, entry, message))
}

fn read_url(text: &str) -> Result<Template, TemplateError> {
    let refused = |message: &str| Err(error("url", None, message));
    let url = read_template("url", None, text, Setting::Url)?;
    let sample = url.sample();
    let parsed = match Url::parse(&sample) {
        Ok(parsed) => parsed,
        Err(why) => {
            return refused(&format!("the url cannot be read ({why}); write it as in https://pay.example/v1/holds/{{key}}"));
        }
    };
    if parsed.scheme() != "http" && parsed.scheme() != "https" {
        return refused("a url starts with http:// or https://");
    }
    if !parsed.username().is_empty() || parsed.password().is_some() {
        return refused(
            "the url carries a user or password, and a flow is stored with every order; use a header with a {secret.NAME}",
        );
    }
    if parsed.fragment().is_some() {
        return refused("the url has a # in it, which is never sent; take it out");
    }
    if parse_as_written(&sample).is_none() || sample.contains(|character: char| !character.is_ascii_graphic()) {
        return refused(
            "the url has a character or a part like .. that is sent otherwise than written; write it as it is to be sent, with %XX where need be",
        );
    }
    Ok(url)
}

fn read_header((name, text): (&String, &String)) -> Result<(HeaderName, Template), TemplateError> {
    let refused = |message: String| error("headers", Some(name), message);
    let parsed: HeaderName = name.parse().map_err(|_| refused("this is no name of a header".to_owned()))?;
    if TAKEN_HEADERS.contains(&parsed.as_str()) {
        return Err(refused("this header is set by the connection itself; remove it".to_owned()));
    }
    let template = read_template("headers", Some(name), text, Setting::Header)?;
    if HeaderValue::from_str(&template.sample()).is_err() {
        return Err(refused("its value has a character that no header can carry".to_owned()));
    }
    Ok((parsed, template))
}

fn read_body(text: &str) -> Result<Template, TemplateError> {
    let body = read_template("body", None, text, Setting::Json)?;
    match serde_json::from_str::<serde::de::IgnoredAny>(&body.sample()) {
        Ok(_) => Ok(body),
        Err(why) => {
            Err(error("body", None, format!("with its gaps filled the body is not JSON ({why}); for a form use form = {{ .. }}")))
        }
    }
}

fn read_form_field((name, text): &(String, String)) -> Result<(String, Template), TemplateError> {
    Ok((name.clone(), read_template("form", Some(name), text, Setting::Form)?))
}
