//! Secrets: read once at the start, from the environment or a file, and never shown.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Text that nobody gets to see: it has no `Display`, and its `Debug` keeps it back.
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

    /// The text with every secret in it replaced by its name, for whoever reads logs. One that is too short not to stand in
    /// other texts by chance is replaced only where it is the whole text.
    #[must_use]
    pub fn hide_in<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let mut text = Cow::Borrowed(text);
        for (name, secret) in &self.0 {
            let secret = secret.reveal();
            if *text == *secret {
                return Cow::Owned(format!("[secret {name}]"));
            }
            if secret.len() >= LONG_SECRET && text.contains(secret) {
                text = Cow::Owned(text.replace(secret, &format!("[secret {name}]")));
            }
        }
        text
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

    /// Adds each of them in base 64, so that it is known where an answer repeats it so.
    pub(super) fn add_base64(&mut self) {
        let encoded: Vec<_> =
            self.0.iter().map(|(name, secret)| (format!("base64.{name}"), Secret(STANDARD.encode(secret.reveal())))).collect();
        self.0.extend(encoded);
    }

    pub(crate) fn of(&self, name: &str) -> Option<&Secret> {
        self.0.get(name)
    }

    /// Whether `text` is one of them, or has one in it that is too long to stand there by chance.
    pub(super) fn are_told_by(&self, text: &str) -> bool {
        let tells = |secret: &str| text == secret || (secret.len() >= LONG_SECRET && text.contains(secret));
        self.0.values().any(|secret| tells(secret.reveal()))
    }

    /// Whether one of them is anywhere in `text`, be it by chance: for what nothing depends on.
    pub(in crate::participant) fn are_in(&self, text: &str) -> bool {
        self.0.values().any(|secret| text.contains(secret.reveal()))
    }
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
