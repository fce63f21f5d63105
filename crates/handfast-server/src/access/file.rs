//! The file of tokens: who may call, by the hashes of their tokens.
//!
//! ```toml
//! [[token]]
//! name = "shop"
//! sha256 = "5b0f..c1"                  # 64 hexadecimal digits: the SHA-256 of the whole token
//! scopes = ["read", "place"]
//! flow = "shop"                        # this flow alone
//! expires = "2027-06-01T00:00:00Z"     # from then on it is no token any more
//! ```

use handfast_toml::{DeValue, FileError, Source, Spanned, Table, kind_of, suggest};
use jiff::Timestamp;

use super::scope::{Scope, Scopes};
use super::token::Hash;

/// The most tokens of a file: each request is compared with all of them.
const MOST_TOKENS: usize = 1_000;
/// The longest name of a token, in characters.
const LONGEST_NAME: usize = 64;
const KEYS: [&str; 5] = ["name", "sha256", "scopes", "flow", "expires"];
/// What a hash looks like, for messages. It is none, so that it cannot be used.
const EXAMPLE_HASH: &str = "sha256 = \"..\" with the 64 digits that handfast tokens new writes";

/// One token, as the file has it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Token {
    /// What refusals and the log call its bearer.
    pub name: String,
    /// The SHA-256 by which the service knows it.
    pub hash: Hash,
    /// What it allows.
    pub scopes: Scopes,
    /// The one flow that it is for, if it is for one.
    pub flow: Option<String>,
    /// From when on it is no token any more, in milliseconds since the epoch.
    pub expires_ms: Option<u64>,
}

impl Token {
    /// A token of this name, for all flows and without an end.
    #[must_use]
    pub fn new(name: impl Into<String>, hash: Hash, scopes: Scopes) -> Self {
        Self { name: name.into(), hash, scopes, flow: None, expires_ms: None }
    }

    /// The token as it stands in a file.
    #[must_use]
    pub fn to_toml(&self) -> String {
        let Self { name, hash, scopes, flow, expires_ms } = self;
        let scopes: Vec<String> = scopes.iter().map(|scope| format!("\"{scope}\"")).collect();
        let flow = flow.iter().map(|flow| format!("flow = \"{flow}\"\n"));
        let expires = expires_ms.iter().map(|at| format!("expires = \"{}\"\n", time_in_words(*at)));
        let more: String = flow.chain(expires).collect();
        format!("[[token]]\nname = \"{name}\"\nsha256 = \"{hash}\"\nscopes = [{}]\n{more}", scopes.join(", "))
    }
}

/// A time as a token file has it.
#[must_use]
pub fn time_in_words(at_ms: u64) -> String {
    i64::try_from(at_ms).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok()).unwrap_or(Timestamp::MAX).to_string()
}

/// The tokens in the text of a file.
///
/// # Errors
/// The first thing that is wrong with it, and where.
pub fn read(source: Source<'_>) -> Result<Vec<Token>, FileError> {
    let parsed = source.parse()?;
    let whole = Table::new(source, parsed.get_ref(), parsed.span(), "a token file");
    whole.only(&["token"])?;
    let Some(list) = whole.value("token") else {
        return Ok(Vec::new());
    };
    let wrong = || source.error(list.span(), format!("token must be tables, as in [[token]], and it is {}", kind_of(list)));
    let list = list.get_ref().as_array().ok_or_else(wrong)?;
    if list.len() > MOST_TOKENS {
        return Err(
            source.error(whole.span(), format!("a token file has at most {MOST_TOKENS} tokens, and this one {}", list.len()))
        );
    }
    let mut tokens: Vec<Token> = Vec::new();
    for value in list {
        let table = value.get_ref().as_table().ok_or_else(wrong)?;
        let table = Table::new(source, table, value.span(), "a token");
        let token = read_one(&table)?;
        if tokens.iter().any(|other| other.name == token.name) {
            return Err(table.error_at("name", format!("two tokens are called {:?}; give one of them another name", token.name)));
        }
        if tokens.iter().any(|other| other.hash.is(&token.hash)) {
            return Err(table.error_at("sha256", "another token of the file has this hash; take one of them out"));
        }
        tokens.push(token);
    }
    Ok(tokens)
}

fn read_one(table: &Table<'_, '_>) -> Result<Token, FileError> {
    table.only(&KEYS)?;
    let name = (*table.wanted_text("name", "name = \"shop\"")?.get_ref()).to_owned();
    check_name(&name).map_err(|why| table.error_at("name", why))?;
    let hash = Hash::from_hex(table.wanted_text("sha256", EXAMPLE_HASH)?.get_ref());
    let hash =
        hash.ok_or_else(|| table.error_at("sha256", "sha256 must be 64 hexadecimal digits, the SHA-256 of the whole token"))?;
    let flow = table.text("flow")?.map(|flow| (*flow.get_ref()).to_owned());
    let expires = table.text("expires")?;
    let read_time = |text: Spanned<&str>| {
        let at = text.get_ref().parse::<Timestamp>().ok().and_then(|at| u64::try_from(at.as_millisecond()).ok());
        at.ok_or_else(|| table.error_at("expires", "expires must be a time with its offset, as in \"2027-06-01T00:00:00Z\""))
    };
    let expires_ms = expires.map(read_time).transpose()?;
    Ok(Token { name, hash, scopes: scopes(table)?, flow, expires_ms })
}

/// Whether a token can be called so: its name stands in lines of the log and in the file without escapes.
///
/// # Errors
/// Why not.
pub fn check_name(name: &str) -> Result<(), String> {
    let fits = |character: char| character.is_ascii_alphanumeric() || matches!(character, '-' | '_' | '.' | '@');
    if !name.is_empty() && name.chars().count() <= LONGEST_NAME && name.chars().all(fits) {
        return Ok(());
    }
    Err(format!("the name of a token has 1 to {LONGEST_NAME} letters, digits, and any of - _ . @, as in \"shop\""))
}

fn scopes(table: &Table<'_, '_>) -> Result<Scopes, FileError> {
    const EXAMPLE: &str = "scopes = [\"read\", \"place\"]";
    let value = table.value("scopes").ok_or_else(|| table.missing("scopes", EXAMPLE))?;
    let list = value.get_ref().as_array().filter(|list| !list.is_empty());
    let list =
        list.ok_or_else(|| table.error_at("scopes", format!("scopes must be a list with one scope at least, as in {EXAMPLE}")))?;
    let read = |value: &Spanned<DeValue<'_>>| {
        let text = value.get_ref().as_str().unwrap_or_default();
        Scope::from_name(text).ok_or_else(|| {
            let hint = suggest::hint(text, Scope::ALL.map(Scope::name));
            table.source().error(value.span(), format!("{text:?} is no scope; {hint}"))
        })
    };
    list.iter().map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HASH: &str = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

    fn refused(text: &str) -> String {
        read(Source { file: "tokens.toml", text: &text.replace("HASH", HASH) }).expect_err("it is wrong").to_string()
    }

    #[test]
    fn a_file_is_read_as_it_is_written() {
        let all = Token {
            name: "shop".to_owned(),
            hash: Hash::from_hex(HASH).unwrap(),
            scopes: Scopes::from_iter([Scope::Read, Scope::Place]),
            flow: Some("cards".to_owned()),
            expires_ms: Some(1_811_808_000_000),
        };
        let least = Token {
            name: "ada@ops".to_owned(),
            hash: Hash::of("another"),
            scopes: Scopes::from_iter([Scope::Money]),
            flow: None,
            expires_ms: None,
        };
        let text = format!("{}\n{}", all.to_toml(), least.to_toml());
        let tokens = read(Source { file: "tokens.toml", text: &text }).unwrap();
        assert_eq!(tokens.iter().map(Token::to_toml).collect::<Vec<_>>(), [all.to_toml(), least.to_toml()]);
        assert!(text.contains("expires = \"2027-06-01T00:00:00Z\""), "{text}");
    }

    #[test]
    fn what_is_wrong_is_said_with_its_place_and_the_fix() {
        for (text, expected) in [
            (
                "[[token]]\nname = \"a\"\nscopes = [\"read\"]",
                "tokens.toml:1:1: a token has no sha256; add one, as in sha256 = \"..\" with the 64 digits that handfast tokens new writes",
            ),
            ("token = 1", "tokens.toml:1:9: token must be tables, as in [[token]], and it is a number"),
            ("[[tokens]]", "tokens.toml:1:3: a token file has no key \"tokens\"; did you mean token?"),
            (
                "[[token]]\nname = \"a b\"",
                "tokens.toml:2:8: the name of a token has 1 to 64 letters, digits, and any of - _ . @, as in \"shop\"",
            ),
            (
                "[[token]]\nname = \"a\"\nsha256 = \"x\"",
                "tokens.toml:3:10: sha256 must be 64 hexadecimal digits, the SHA-256 of the whole token",
            ),
            (
                "[[token]]\nname = \"a\"\nsha256 = \"HASH\"\nscopes = [\"raed\"]",
                "tokens.toml:4:11: \"raed\" is no scope; did you mean read?",
            ),
            (
                "[[token]]\nname = \"a\"\nsha256 = \"HASH\"\nscopes = []",
                "tokens.toml:4:10: scopes must be a list with one scope at least, as in scopes = [\"read\", \"place\"]",
            ),
            (
                "[[token]]\nname = \"a\"\nsha256 = \"HASH\"\nscopes = [\"read\"]\nexpires = \"soon\"",
                "tokens.toml:5:11: expires must be a time with its offset, as in \"2027-06-01T00:00:00Z\"",
            ),
        ] {
            assert_eq!(refused(text), expected);
        }
        let twice = "[[token]]\nname = \"a\"\nsha256 = \"HASH\"\nscopes = [\"read\"]\n";
        assert!(refused(&twice.repeat(2)).contains("two tokens are called \"a\""));
        assert!(
            refused(&format!("{twice}{}", twice.replace("\"a\"", "\"b\""))).contains("another token of the file has this hash")
        );
    }
}
