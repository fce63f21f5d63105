//! The file of tokens as a service has it: read at the start, and again whenever it changes.

use std::fs::Metadata;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use handfast_machine::clock::Stopwatch;
use handfast_machine::locked;
use handfast_toml::{FileError, Source, read_text};

use super::file::{self, Token};

/// How often it is looked whether the file has changed.
const BETWEEN_LOOKS: Duration = Duration::from_secs(1);

/// A file of tokens.
#[derive(Debug)]
pub struct TokenFile {
    path: PathBuf,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    tokens: Arc<[Arc<Token>]>,
    stamp: Option<Stamp>,
    looked: Stopwatch,
}

/// By what it is known that a file is another one, or has been written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Stamp {
    length: u64,
    modified: Option<SystemTime>,
    file: u64,
}

impl Stamp {
    fn of(path: &Path) -> Option<Self> {
        let metadata = std::fs::metadata(path).ok()?;
        Some(Self { length: metadata.len(), modified: metadata.modified().ok(), file: file_number(&metadata) })
    }
}

#[cfg(unix)]
fn file_number(metadata: &Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::ino(metadata)
}

#[cfg(not(unix))]
const fn file_number(_metadata: &Metadata) -> u64 {
    0
}

impl TokenFile {
    /// Reads the file.
    ///
    /// # Errors
    /// It cannot be read, or something in it is wrong.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, FileError> {
        let path = path.into();
        // What is written between the two is seen at the next look.
        let stamp = Stamp::of(&path);
        let state = State { tokens: read(&path)?, stamp, looked: Stopwatch::start() };
        Ok(Self { path, state: Mutex::new(state) })
    }

    /// The tokens that count. Where the file has changed they are those that stand in it now; where it cannot be read any
    /// more, or is wrong, they are those of before, and that is said in the log.
    pub(super) fn at_hand(&self) -> Arc<[Arc<Token>]> {
        let mut state = locked(&self.state);
        if state.looked.elapsed() >= BETWEEN_LOOKS {
            state.looked = Stopwatch::start();
            self.look(&mut state);
        }
        Arc::clone(&state.tokens)
    }

    fn look(&self, state: &mut State) {
        let stamp = Stamp::of(&self.path);
        if stamp == state.stamp {
            return;
        }
        state.stamp = stamp;
        match read(&self.path) {
            Ok(tokens) => {
                tracing::info!(name: "tokens_read", file = %self.path.display(), tokens = tokens.len(), "the file of tokens has changed, and counts");
                state.tokens = tokens;
            }
            Err(why) => {
                tracing::error!(name: "tokens_unreadable", %why, "the file of tokens has changed and cannot be read; those of before count until it can");
            }
        }
    }
}

fn read(path: &Path) -> Result<Arc<[Arc<Token>]>, FileError> {
    let text = read_text(path, "token file")?;
    let tokens = file::read(Source { file: &path.display().to_string(), text: &text })?;
    Ok(tokens.into_iter().map(Arc::new).collect())
}
