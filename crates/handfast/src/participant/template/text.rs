//! Text with gaps: which value each gap takes, and where it stands, so that it can be escaped for that place.

use std::borrow::Cow;
use std::ops::Range;

use handfast_toml::suggest;

/// What a gap is filled with.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Value {
    /// `{key}`: the key of the saga's step; the same for every operation and every try.
    Key,
    /// `{key.hash}`: a shorter text that is made of the whole key, 32 of `a-z` and `2-7`.
    KeyHash,
    /// `{key.uuid}`: a UUID that is made of the whole key.
    KeyUuid,
    /// `{saga}`: the saga's id.
    Saga,
    /// `{step}`: the step's name.
    Step,
    /// `{input.amount.minor}`: a field of what the step sends, or a part of it.
    Input(Vec<String>),
    /// `{input.amount.decimal}`: an amount with as many places as its currency has, as in 19.99.
    Decimal(String),
    /// `{input.amount.currency.lower}`: the code of its currency in small letters.
    LowerCurrency(String),
    /// `{now}`, `{now.ms}`, `{now.iso}`: a time. In a header that of the try; elsewhere that of the saga's placing, so that every
    /// try has the same bytes.
    Now {
        /// Which time.
        moment: Moment,
        /// How it is written.
        format: TimeFormat,
    },
    /// `{receipt.hold.id}`: what was kept of the answer of a step.
    Receipt {
        /// The step.
        step: String,
        /// The name under which it was kept.
        name: String,
    },
    /// `{secret.TOKEN}`: a secret of this machine.
    Secret(String),
    /// `{basic.USER.PASSWORD}`: two secrets as HTTP Basic has them (RFC 7617), or one, of a user without a password.
    Basic {
        /// The secret that names the user.
        user: String,
        /// The secret that is the password.
        password: Option<String>,
    },
}

impl Value {
    /// The step of whose answer something is meant, and the name under which that was kept.
    #[must_use]
    pub fn receipt(&self) -> Option<(&str, &str)> {
        if let Self::Receipt { step, name } = self { Some((step, name)) } else { None }
    }

    /// The secrets that HTTP Basic is made of: the user's, and the password's where there is one.
    #[must_use]
    pub fn basic(&self) -> Option<(&str, Option<&str>)> {
        if let Self::Basic { user, password } = self { Some((user, password.as_deref())) } else { None }
    }
}

/// Which time stands in the place of `{now}`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Moment {
    /// When the saga was placed, as its journal has it.
    Placed,
    /// When the request is made.
    Try,
}

/// How a time is written.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum TimeFormat {
    /// Whole seconds since the Unix epoch.
    Seconds,
    /// Milliseconds since the Unix epoch.
    Milliseconds,
    /// As in 2026-11-30T20:03:29Z (RFC 3339).
    Iso,
}

/// What becomes of a value before it is escaped for its place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Coding {
    Plain,
    /// `{base64.input.note}`: its text in base 64 (RFC 4648, 4).
    Base64,
}

/// Where a gap stands.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Place {
    /// In the path of a URL.
    Path,
    /// In the query of a URL.
    Query,
    /// In the value of a header.
    Header,
    /// Within a text of JSON.
    JsonText,
    /// In the place of a whole value of JSON.
    JsonValue,
    /// Within the value of a field of a form.
    Form,
    /// In the place of the whole value of a field of a form.
    FormValue,
    /// In what an answer is compared with.
    Answer,
}

/// Text, and the gaps in it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Piece {
    Text(String),
    Gap(Value, Place, Coding),
}

/// What a text with gaps is the text of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Setting {
    Url,
    Header,
    Json,
    Form,
    Answer,
}

/// A text with gaps, read once.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Template(pub(super) Vec<Piece>);

impl Template {
    /// Reads it. A `{` that a name follows begins a gap; `{{` is a `{`, and everything else is itself.
    pub(super) fn read(text: &str, setting: Setting) -> Result<Self, String> {
        let mut pieces = Vec::new();
        let mut literal = String::new();
        let mut place = PlaceFinder::new(setting);
        let mut rest = text;
        while let Some(at) = rest.find('{') {
            literal.push_str(&rest[..at]);
            place.pass(&rest[..at]);
            rest = &rest[at..];
            if let Some(after) = rest.strip_prefix("{{") {
                literal.push('{');
                place.pass("{");
                rest = after;
            } else if let Some(gap) = gap_in(rest)? {
                let (value, coding) = read_gap(&rest[gap.clone()], setting)?;
                if !literal.is_empty() {
                    pieces.push(Piece::Text(std::mem::take(&mut literal)));
                }
                pieces.push(Piece::Gap(value, place.here()?, coding));
                rest = &rest[gap.end + 1..];
            } else {
                literal.push('{');
                place.pass("{");
                rest = &rest[1..];
            }
        }
        literal.push_str(rest);
        if !literal.is_empty() {
            pieces.push(Piece::Text(literal));
        }
        if let [Piece::Gap(_, place @ Place::Form, Coding::Plain)] = pieces.as_mut_slice() {
            *place = Place::FormValue;
        }
        Ok(Self(pieces))
    }

    pub(super) fn literal(text: &str) -> Self {
        Self(vec![Piece::Text(text.to_owned())])
    }

    /// Every gap, in order.
    pub fn gaps(&self) -> impl Iterator<Item = (&Value, Place)> {
        self.0.iter().filter_map(|piece| match piece {
            // What is written in base 64 is a text of its own.
            Piece::Gap(value, Place::JsonValue, Coding::Base64) => Some((value, Place::JsonText)),
            Piece::Gap(value, place, _) => Some((value, *place)),
            Piece::Text(_) => None,
        })
    }

    /// Every gap, in order, and whether its value is written in base 64, which can stand in every place.
    pub(crate) fn coded_gaps(&self) -> impl Iterator<Item = (&Value, Place, bool)> {
        let coded = self.0.iter().filter_map(|piece| match piece {
            Piece::Gap(_, _, coding) => Some(*coding == Coding::Base64),
            Piece::Text(_) => None,
        });
        self.gaps().zip(coded).map(|((value, place), is_coded)| (value, place, is_coded))
    }

    /// It with the same harmless text in every gap.
    pub(super) fn sample(&self) -> String {
        let piece = |piece: &Piece| match piece {
            Piece::Text(text) => Cow::from(text.clone()),
            Piece::Gap(_, Place::JsonValue, _) => Cow::from("0"),
            Piece::Gap(
                _,
                Place::Path | Place::Query | Place::Header | Place::JsonText | Place::Form | Place::FormValue | Place::Answer,
                _,
            ) => Cow::from("x"),
        };
        self.0.iter().map(piece).collect()
    }
}

/// Where in `text`, which begins with `{`, the inside of a gap lies; `None` if it begins none.
fn gap_in(text: &str) -> Result<Option<Range<usize>>, String> {
    if !text[1..].starts_with(|first: char| first.is_ascii_alphabetic()) {
        return Ok(None);
    }
    let belongs = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    let length = text[1..].bytes().take_while(|byte| belongs(*byte)).count();
    if text[1 + length..].starts_with('}') {
        return Ok(Some(1..1 + length));
    }
    let begins: String = text.chars().take(20).collect();
    Err(format!("what begins with {begins:?} is no gap, as in {{key}}; close it with }}, or write {{{{ for a {{ of its own"))
}

fn read_gap(name: &str, setting: Setting) -> Result<(Value, Coding), String> {
    match name.strip_prefix("base64.") {
        Some(inner) => read_value(name, inner, setting).map(|value| (value, Coding::Base64)),
        None => read_value(name, name, setting).map(|value| (value, Coding::Plain)),
    }
}

/// The value of a gap that reads `name`, `inner` without what says how it is coded.
fn read_value(name: &str, inner: &str, setting: Setting) -> Result<Value, String> {
    let mut parts = inner.split('.');
    let first = parts.next().unwrap_or_default();
    let parts: Vec<&str> = parts.collect();
    let wrong = |wanted: &str| Err(format!("{{{name}}} is no gap; {wanted}"));
    if parts.iter().any(|part| part.is_empty()) {
        return wrong("two dots have nothing between them");
    }
    match (first, parts.as_slice()) {
        ("key", []) => Ok(Value::Key),
        ("key", ["hash"]) => Ok(Value::KeyHash),
        ("key", ["uuid"]) => Ok(Value::KeyUuid),
        ("saga", []) => Ok(Value::Saga),
        ("step", []) => Ok(Value::Step),
        ("now", []) => Ok(now(setting, TimeFormat::Seconds)),
        ("now", ["ms"]) => Ok(now(setting, TimeFormat::Milliseconds)),
        ("now", ["iso"]) => Ok(now(setting, TimeFormat::Iso)),
        ("input", [field, "decimal"]) => Ok(Value::Decimal((*field).to_owned())),
        ("input", [field, "currency", "lower"]) => Ok(Value::LowerCurrency((*field).to_owned())),
        ("input", [_, ..]) => Ok(Value::Input(parts.iter().map(ToString::to_string).collect())),
        ("receipt", [step, name]) => Ok(Value::Receipt { step: (*step).to_owned(), name: (*name).to_owned() }),
        ("secret", [name]) if is_variable(name) => Ok(Value::Secret((*name).to_owned())),
        ("basic", [user]) if is_variable(user) => Ok(Value::Basic { user: (*user).to_owned(), password: None }),
        ("basic", [user, password]) if is_variable(user) && is_variable(password) => {
            Ok(Value::Basic { user: (*user).to_owned(), password: Some((*password).to_owned()) })
        }
        ("saga" | "step", _) => wrong(&format!("{{{first}}} has no parts")),
        ("key", _) => wrong("write {key}, {key.hash} or {key.uuid}"),
        ("now", _) => wrong("write {now} for seconds, {now.ms} for milliseconds or {now.iso}"),
        ("base64", _) => wrong("name what is to be in base 64, as in {base64.input.note}"),
        ("basic", _) => wrong("name two secrets by their variables, as in {basic.SHOP_USER.SHOP_PASSWORD}"),
        ("input", _) => wrong("name the field, as in {input.amount.minor}"),
        ("receipt", _) => wrong("name the step and what was kept of its answer, as in {receipt.hold.id}"),
        ("secret", _) => wrong("name a variable of the environment in capitals, as in {secret.PAYMENT_TOKEN}"),
        (other, _) => {
            wrong(&suggest::hint(other, ["key", "saga", "step", "input", "receipt", "secret", "now", "basic", "base64"]))
        }
    }
}

/// What does not change the bytes of a body may say when it is sent; everything else is the same for every try.
const fn now(setting: Setting, format: TimeFormat) -> Value {
    let moment = match setting {
        Setting::Header => Moment::Try,
        Setting::Url | Setting::Json | Setting::Form | Setting::Answer => Moment::Placed,
    };
    Value::Now { moment, format }
}

/// Whether a secret can have this name: a variable of the environment.
pub(crate) fn is_variable(name: &str) -> bool {
    name.len() <= 64
        && name.starts_with(|first: char| first.is_ascii_uppercase())
        && name.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
}

/// Follows the text and knows where its next character stands.
struct PlaceFinder {
    setting: Setting,
    /// In a URL: how far it has come. In JSON: whether it is within a text.
    slashes: usize,
    is_after_question_mark: bool,
    is_in_text: bool,
    is_escaped: bool,
}

impl PlaceFinder {
    const fn new(setting: Setting) -> Self {
        Self { setting, slashes: 0, is_after_question_mark: false, is_in_text: false, is_escaped: false }
    }

    fn pass(&mut self, text: &str) {
        for character in text.chars() {
            match (self.setting, character) {
                (Setting::Url, '/') => self.slashes += 1,
                (Setting::Url, '?') => self.is_after_question_mark = true,
                (Setting::Json, _) if self.is_escaped => self.is_escaped = false,
                (Setting::Json, '\\') if self.is_in_text => self.is_escaped = true,
                (Setting::Json, '"') => self.is_in_text = !self.is_in_text,
                (Setting::Url | Setting::Json | Setting::Header | Setting::Form | Setting::Answer, _) => {}
            }
        }
    }

    fn here(&self) -> Result<Place, String> {
        match self.setting {
            Setting::Url if self.is_after_question_mark => Ok(Place::Query),
            // http: // host / and only then what may vary.
            Setting::Url if self.slashes >= 3 => Ok(Place::Path),
            Setting::Url => Err("a gap may stand in the path or the query of a url, not before them".to_owned()),
            Setting::Json if self.is_escaped => Err("a gap may not follow a backslash".to_owned()),
            Setting::Json if self.is_in_text => Ok(Place::JsonText),
            Setting::Json => Ok(Place::JsonValue),
            Setting::Header => Ok(Place::Header),
            Setting::Form => Ok(Place::Form),
            Setting::Answer => Ok(Place::Answer),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gaps(text: &str, setting: Setting) -> Vec<(Value, Place)> {
        Template::read(text, setting).unwrap().gaps().map(|(value, place)| (value.clone(), place)).collect()
    }

    #[test]
    fn a_gap_knows_where_it_stands() {
        let input = |path: &[&str]| Value::Input(path.iter().map(ToString::to_string).collect());
        let url = "https://pay.example/v1/{saga}/holds?ref={key}&a={input.amount.minor}";
        let expected = [(Value::Saga, Place::Path), (Value::Key, Place::Query), (input(&["amount", "minor"]), Place::Query)];
        assert_eq!(gaps(url, Setting::Url), expected);
        let json = r#"{"a": {input.amount.minor}, "b\"{step}": "x{key}", "c": [{}, {input.lines}], "d": {"e": 1}}"#;
        let expected = [
            (input(&["amount", "minor"]), Place::JsonValue),
            (Value::Step, Place::JsonText),
            (Value::Key, Place::JsonText),
            (input(&["lines"]), Place::JsonValue),
        ];
        assert_eq!(gaps(json, Setting::Json), expected);
        assert_eq!(gaps("Bearer {secret.A_1}", Setting::Header), [(Value::Secret("A_1".to_owned()), Place::Header)]);
        let receipt = Value::Receipt { step: "hold-1".to_owned(), name: "id".to_owned() };
        assert_eq!(gaps("{receipt.hold-1.id}", Setting::Form), [(receipt.clone(), Place::FormValue)]);
        assert_eq!(gaps("x{receipt.hold-1.id}", Setting::Form), [(receipt, Place::Form)]);
    }

    #[test]
    fn a_time_is_that_of_the_try_in_headers_only() {
        let now = |moment, format| Value::Now { moment, format };
        assert_eq!(gaps("{now.ms}", Setting::Header), [(now(Moment::Try, TimeFormat::Milliseconds), Place::Header)]);
        assert_eq!(gaps("[{now}]", Setting::Json), [(now(Moment::Placed, TimeFormat::Seconds), Place::JsonValue)]);
        assert_eq!(gaps("{now.iso}", Setting::Form), [(now(Moment::Placed, TimeFormat::Iso), Place::FormValue)]);
        assert_eq!(gaps("http://x/y?z={now}", Setting::Url), [(now(Moment::Placed, TimeFormat::Seconds), Place::Query)]);
    }

    #[test]
    fn base_64_is_a_text_wherever_it_stands() {
        assert_eq!(gaps("{base64.key}", Setting::Json), [(Value::Key, Place::JsonText)]);
        for none in [
            "{base64}",
            "{base64.base64.key}",
            "{base64.x}",
            "{key.md5}",
            "{now.utc}",
            "{basic.user}",
            "{basic.A.B.C}",
            "{saga.hash}",
        ] {
            assert!(Template::read(none, Setting::Header).is_err(), "{none}");
        }
    }

    #[test]
    fn a_doubled_brace_is_a_brace() {
        let template = Template::read("{{key} {key}", Setting::Header).unwrap();
        assert_eq!(template.sample(), "{key} x");
    }
}
