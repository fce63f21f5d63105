//! Secrets: read once at the start, from the environment or a file, and never shown.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::fill::percent_encoded;

/// Text that is never shown: it has no `Display`, and its `Debug` keeps it back.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// A secret that the program itself knows.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// Why a secret cannot be had.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SecretError {
    /// It is nowhere.
    #[error("the secret {name} is not there; set {name}, or {name}_FILE to the path of a file that holds it")]
    Missing {
        /// Its name.
        name: String,
    },
    /// Its file cannot be read.
    #[error("the secret {name} cannot be read from the file that {name}_FILE names: {why}")]
    File {
        /// Its name.
        name: String,
        /// What is in the way.
        why: String,
    },
    /// It is to name a user, and cannot.
    #[error(
        "the secret {name} has a colon in it, and a user of HTTP Basic has none (RFC 7617); set another, or swap the two names"
    )]
    UserWithColon {
        /// Its name.
        name: String,
    },
    /// It is none that a request could carry.
    #[error("the secret {name} is empty, too long, or has a line break or control character in it; set it again")]
    Unusable {
        /// Its name.
        name: String,
    },
}

/// The longest secret, in bytes.
const MAX_SECRET: usize = 16 * 1024;

/// From how many bytes on a secret does not stand in another text by chance. A shorter one, as a merchant's number, may well.
pub(super) const LONG_SECRET: usize = 8;

/// The secrets of some templates, by name.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Secrets(BTreeMap<String, Secret>);

impl Secrets {
    /// The secrets of these names: those of `known`, and the others from the environment, as `NAME` or from the file that
    /// `NAME_FILE` names.
    ///
    /// # Errors
    /// The first that is missing or unusable.
    pub fn load<'a>(names: impl IntoIterator<Item = &'a str>, known: &BTreeMap<String, Secret>) -> Result<Self, SecretError> {
        Self::load_from(names, known, |name| std::env::var_os(name))
    }

    fn load_from<'a>(
        names: impl IntoIterator<Item = &'a str>,
        known: &BTreeMap<String, Secret>,
        variable: impl Fn(&str) -> Option<OsString>,
    ) -> Result<Self, SecretError> {
        let mut secrets = BTreeMap::new();
        for name in names {
            let secret = known.get(name).cloned().map_or_else(|| find(name, &variable), Ok)?;
            let fits = (1..=MAX_SECRET).contains(&secret.0.len()) && !secret.0.chars().any(char::is_control);
            if !fits {
                return Err(SecretError::Unusable { name: name.to_owned() });
            }
            secrets.insert(name.to_owned(), secret);
        }
        Ok(Self(secrets))
    }

    /// One secret.
    #[must_use]
    pub fn of_one(name: &str, secret: Secret) -> Self {
        Self(BTreeMap::from([(name.to_owned(), secret)]))
    }

    /// The same, with those of `others` that it has not.
    #[must_use]
    pub fn with(mut self, others: Self) -> Self {
        for (name, secret) in others.0 {
            self.0.entry(name).or_insert(secret);
        }
        self
    }

    /// The text with every secret in it replaced by its name, for logs. One that is too short not to stand in other texts by
    /// chance is replaced only where it is the whole text.
    #[must_use]
    pub fn hide_in<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let mut text = Cow::Borrowed(text);
        // The longest first: where one stands within another, what is left of that is a secret, too.
        let mut all: Vec<_> = self.0.iter().filter(|(_, secret)| text.contains(secret.reveal())).collect();
        all.sort_by_key(|(_, secret)| Reverse(secret.reveal().len()));
        for (name, secret) in all {
            let secret = secret.reveal();
            if *text == *secret {
                return Cow::Owned(format!("[secret {name}]"));
            }
            if secret.len() >= LONG_SECRET && text.contains(secret) {
                text = Cow::Owned(text.replace(secret, &format!("[secret {name}]")));
            }
        }
        // Where it is escaped it is unknown where it begins and ends.
        if unescaped(&text).iter().any(|read| self.has_long_one_in(read)) {
            return Cow::Borrowed("[it repeats a secret]");
        }
        text
    }

    fn has_long_one_in(&self, text: &str) -> bool {
        self.0.values().map(Secret::reveal).any(|secret| secret.len() >= LONG_SECRET && text.contains(secret))
    }

    /// Adds what HTTP Basic makes of two of them: it is as secret as they are, and stands in no answer that is kept either.
    pub(super) fn add_basic(&mut self, user: &str, password: Option<&str>) -> Result<(), SecretError> {
        let text = |name: &str| {
            let secret = self.0.get(name).ok_or_else(|| SecretError::Missing { name: name.to_owned() })?;
            Ok(secret.reveal().to_owned())
        };
        let (named, word) = (text(user)?, password.map(text).transpose()?.unwrap_or_default());
        if named.contains(':') {
            return Err(SecretError::UserWithColon { name: user.to_owned() });
        }
        self.0.insert(basic_name(user, password), Secret(STANDARD.encode(format!("{named}:{word}"))));
        Ok(())
    }

    /// Adds each of them as a request may carry it, in base 64 and in percent-encoding, so that it is known where it is repeated so.
    pub(super) fn add_coded(&mut self) {
        let mut coded = BTreeMap::new();
        for (name, secret) in &self.0 {
            coded.insert(format!("base64.{name}"), Secret(STANDARD.encode(secret.reveal())));
            coded.insert(format!("percent.{name}"), Secret(percent_encoded(secret.reveal())));
        }
        coded.retain(|_, secret| !self.0.values().any(|known| known == secret));
        self.0.extend(coded);
    }

    pub(crate) fn of(&self, name: &str) -> Option<&Secret> {
        self.0.get(name)
    }

    /// Whether `text` is one of them, or has one in it that is too long to stand there by chance, as it is or as JSON escapes it.
    #[must_use]
    pub fn are_told_by(&self, text: &str) -> bool {
        let is_told = |text: &str| {
            let tells = |secret: &str| text == secret || (secret.len() >= LONG_SECRET && text.contains(secret));
            self.0.values().any(|secret| tells(secret.reveal()))
        };
        is_told(text) || unescaped(text).iter().any(|text| is_told(text))
    }

    /// Whether one of them is anywhere in `text`, as it is or as JSON escapes it, be it by chance: for what nothing depends on.
    pub(in crate::participant) fn are_in(&self, text: &str) -> bool {
        let is_in = |text: &str| self.0.values().any(|secret| text.contains(secret.reveal()));
        is_in(text) || unescaped(text).iter().any(|text| is_in(text))
    }
}

/// What `text` says where each escape of JSON (RFC 8259, 7) is read as what it stands for, whether or not the whole is JSON: it may
/// be cut. What is within a text of a text is escaped twice, so that is read as well.
pub(in crate::participant) fn unescaped(text: &str) -> Vec<String> {
    /// So deep a text is within texts at most.
    const DEEPEST: usize = 3;
    let mut all: Vec<String> = Vec::new();
    while all.len() < DEEPEST {
        let text = all.last().map_or(text, String::as_str);
        if !text.contains('\\') {
            break;
        }
        let read = unescaped_once(text);
        all.push(read);
    }
    all
}

fn unescaped_once(text: &str) -> String {
    let mut read = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        read.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let Some(escape) = rest.chars().next() else { break };
        let unit = |text: &str| text.strip_prefix('u').and_then(|digits| u16::from_str_radix(digits.get(..4)?, 16).ok());
        if let Some(first) = unit(rest) {
            let second = rest[5..].strip_prefix('\\').and_then(unit).filter(|_| (0xd800..0xdc00).contains(&first));
            let units = [Some(first), second];
            read.extend(char::decode_utf16(units.into_iter().flatten()).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)));
            rest = &rest[if second.is_some() { 11 } else { 5 }..];
            continue;
        }
        read.push(match escape {
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'b' => '\u{8}',
            'f' => '\u{c}',
            other => other,
        });
        rest = &rest[escape.len_utf8()..];
    }
    read.push_str(rest);
    read
}

/// The name of what HTTP Basic makes of two secrets. No variable of the environment has a dot in its name.
pub(super) fn basic_name(user: &str, password: Option<&str>) -> String {
    format!("basic.{user}.{}", password.unwrap_or_default())
}

fn find(name: &str, variable: impl Fn(&str) -> Option<OsString>) -> Result<Secret, SecretError> {
    let unusable = || SecretError::Unusable { name: name.to_owned() };
    if let Some(value) = variable(name) {
        return value.into_string().map(Secret).map_err(|_| unusable());
    }
    let Some(path) = variable(&format!("{name}_FILE")) else {
        return Err(SecretError::Missing { name: name.to_owned() });
    };
    let read = std::fs::read(Path::new(&path));
    let bytes = read.map_err(|error| SecretError::File { name: name.to_owned(), why: error.to_string() })?;
    let text = String::from_utf8(bytes).map_err(|_| unusable())?;
    // Editors end a file with a line break that is no part of the secret.
    Ok(Secret(text.trim_end_matches(['\n', '\r']).to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_of_json_are_read() {
        for (text, expected) in [
            (r"a\/b", "a/b"),
            (r"\u0061\u002fb", "a/b"),
            (r"\ud83d\ude00!", "\u{1f600}!"),
            (r"\ud83d!", "\u{fffd}!"),
            (r"\u00e", "u00e"),
            (r#"\"\\\n"#, "\"\\\n"),
            (r"a\", "a"),
        ] {
            assert_eq!(unescaped_once(text), expected, "{text}");
        }
        assert_eq!(unescaped("plain"), [""; 0]);
        assert_eq!(unescaped(r"a\\\/b").last().map(String::as_str), Some("a/b"), "a text within a text");
        let secrets = Secrets::of_one("TOKEN", Secret::new("se/cret\u{e4}1"));
        for text in [r"se\/cret\u00e41", r"\u0073e/cret\u00E41", r#"{"a": "{\"b\": \"se\\\/cret\\u00e41\"}"}"#] {
            assert!(secrets.are_in(text) && secrets.are_told_by(text), "{text}");
            assert!(secrets.hide_in(text).contains("[it repeats a secret]"), "{text}");
        }
        assert!(!secrets.are_in(r"se\\ncret"));
    }

    #[test]
    fn a_secret_comes_from_the_environment_or_a_file_and_is_never_shown() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("token");
        std::fs::write(&file, "from-a-file\r\n").unwrap();
        let variable = |name: &str| match name {
            "PLAIN" => Some(OsString::from("from-the-environment")),
            "KEPT_FILE" => Some(file.clone().into_os_string()),
            "GONE_FILE" => Some(dir.path().join("none").into_os_string()),
            "EMPTY" => Some(OsString::new()),
            "BROKEN" => Some(OsString::from("two\nlines")),
            _ => None,
        };
        let load = |names: &[&str]| Secrets::load_from(names.iter().copied(), &BTreeMap::new(), variable);
        let secrets = load(&["PLAIN", "KEPT"]).unwrap();
        assert_eq!(secrets.of("PLAIN").unwrap().reveal(), "from-the-environment");
        assert_eq!(secrets.of("KEPT").unwrap().reveal(), "from-a-file");
        assert_eq!(format!("{secrets:?}"), r#"Secrets({"KEPT": Secret(..), "PLAIN": Secret(..)})"#);
        assert!(secrets.are_in("Bearer from-a-file!") && !secrets.are_in("Bearer"));
        assert_eq!(load(&["NONE"]), Err(SecretError::Missing { name: "NONE".to_owned() }));
        assert!(matches!(load(&["GONE"]), Err(SecretError::File { .. })));
        for name in ["EMPTY", "BROKEN"] {
            let error = load(&[name]).unwrap_err();
            assert_eq!(error, SecretError::Unusable { name: name.to_owned() });
            assert!(!error.to_string().contains("two"));
        }
        let known = BTreeMap::from([("NONE".to_owned(), Secret::new("given"))]);
        assert_eq!(Secrets::load_from(["NONE"], &known, variable).unwrap().of("NONE").unwrap().reveal(), "given");
    }
}
