//! The file of tokens as a service has it: read at the start, and looked at again every second.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, Weak};
use std::thread;
use std::time::Duration;

use handfast_machine::clock::Stopwatch;
use handfast_machine::locked;
use handfast_toml::{FileError, Source, read_text};

use super::file::{self, Token};

/// How often the file is read. It is small, and what stands in it is compared as a whole: times and lengths of files can be
/// the same after a change.
const BETWEEN_LOOKS: Duration = Duration::from_secs(1);
/// How often it is said again that the file cannot be read.
const BETWEEN_LINES: Duration = Duration::from_mins(1);

/// Those who may call.
pub(super) type Tokens = Arc<[Arc<Token>]>;

/// A file of tokens.
#[derive(Debug)]
pub struct TokenFile(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    path: PathBuf,
    tokens: Mutex<Tokens>,
}

impl TokenFile {
    /// Reads the file, and goes on reading it until this is dropped, on a thread of its own: a disk that does not answer holds
    /// up nothing else.
    ///
    /// # Errors
    /// It cannot be read, something in it is wrong, or it has no token, so that no caller could be let in.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, FileError> {
        let path = path.into();
        let text = read_text(&path, "token file")?;
        let tokens = parse(&path, &text)?;
        if tokens.is_empty() {
            let file = path.display().to_string();
            let why = "the file has no token; add one with handfast tokens new NAME --scopes read --file FILE";
            return Err(Source { file: &file, text: &text }.error(0..0, why));
        }
        let shared = Arc::new(Shared { path, tokens: Mutex::new(tokens) });
        let seen = Arc::downgrade(&shared);
        let started = thread::Builder::new().name("handfast-tokens".to_owned()).spawn(move || look_on(&seen, text));
        match started {
            Ok(_runs_on) => Ok(Self(shared)),
            Err(error) => {
                let file = shared.path.display().to_string();
                Err(Source { file: &file, text: "" }.error(0..0, format!("the file cannot be watched: {error}")))
            }
        }
    }

    /// The tokens that count.
    pub(super) fn at_hand(&self) -> Tokens {
        Arc::clone(&locked(&self.0.tokens))
    }
}

/// What was found at the last look.
enum Found {
    /// This text.
    Text(String),
    /// There is no file: a person who takes it away means that no caller is let in any more.
    Nothing,
    /// It cannot be read, or is wrong, for this reason, said so long ago.
    Wrong(String, Stopwatch),
}

/// Looks at the file as long as its tokens are asked for.
fn look_on(shared: &Weak<Shared>, text: String) {
    let mut found = Found::Text(text);
    loop {
        thread::sleep(BETWEEN_LOOKS);
        let Some(shared) = shared.upgrade() else { return };
        found = shared.look(found);
    }
}

impl Shared {
    /// Lets those count from now on, and says so: where there are none the service is shut to all.
    fn let_in(&self, tokens: Tokens) {
        let (file, count) = (self.path.display(), tokens.len());
        match count {
            0 => {
                tracing::error!(name: "tokens_gone", %file, "there is no token in the file any more, or no file: no caller is let in")
            }
            _some => tracing::info!(name: "tokens_read", %file, tokens = count, "the file of tokens has changed, and counts"),
        }
        *locked(&self.tokens) = tokens;
    }

    /// Where the file has changed, what stands in it counts from now on, and where it is gone no token does. Where it
    /// cannot be read, or is wrong, the tokens of before count until it is right again: a slip shuts no caller out that was let in.
    fn look(&self, before: Found) -> Found {
        if matches!(std::fs::symlink_metadata(&self.path), Err(error) if error.kind() == std::io::ErrorKind::NotFound) {
            if !matches!(before, Found::Nothing) {
                self.let_in(Arc::default());
            }
            return Found::Nothing;
        }
        let read = read_text(&self.path, "token file").and_then(|text| {
            let is_known = matches!(&before, Found::Text(known) if *known == text);
            if !is_known {
                self.let_in(parse(&self.path, &text)?);
            }
            Ok(text)
        });
        match (read, before) {
            (Ok(text), _) => Found::Text(text),
            (Err(why), Found::Wrong(known, said)) if known == why.to_string() && said.elapsed() < BETWEEN_LINES => {
                Found::Wrong(known, said)
            }
            (Err(why), _) => {
                tracing::error!(
                    name: "tokens_unreadable",
                    %why,
                    "the file of tokens has changed and cannot be read; those of before count until it can"
                );
                Found::Wrong(why.to_string(), Stopwatch::start())
            }
        }
    }
}

fn parse(path: &Path, text: &str) -> Result<Tokens, FileError> {
    let tokens = file::read(Source { file: &path.display().to_string(), text })?;
    Ok(tokens.into_iter().map(Arc::new).collect())
}
