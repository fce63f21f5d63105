//! A copy of a store that may be in use: all of it at one moment, in one file, looked through before it gets its name.

use std::path::{Path, PathBuf};
use std::time::Duration;

use handfast_sqlite::obstacle;
use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, ErrorCode};

use super::open;
use super::shape::words;
use crate::store::StoreError;

/// How many pages are copied between two words about it.
const PAGES_AT_ONCE: i32 = 1_000;
/// How long the copy waits before it tries again while another connection holds a lock.
const PAUSE: Duration = Duration::from_millis(25);

/// Says in a copy that it is one, and up to which saga: a process that goes on with it does not know what was asked for since.
const MARK: &str = "INSERT INTO meta (name, value) SELECT 'backup', CAST(coalesce(max(id), 0) AS TEXT) FROM saga WHERE true \
     ON CONFLICT (name) DO UPDATE SET value = excluded.value";

/// Copies the store at `from` to a new file at `to`. `progress` is told how many of how many pages are copied.
///
/// # Errors
/// There is no store, there is a file at `to` already, or the system says no. Nothing is at `to` then.
pub(super) fn back_up(from: &Path, to: &Path, progress: &mut dyn FnMut(u64, u64)) -> Result<(), StoreError> {
    let not_made = |why: String| StoreError::Backup { path: to.display().to_string(), why };
    if to.exists() {
        return Err(not_made("there is something already under this name; name a file that is not there yet".to_owned()));
    }
    let mut part = to.as_os_str().to_owned();
    part.push(".part");
    let part = PathBuf::from(part);
    // What is wrong with the store itself is said of the store, before anything is made.
    let source = open::open_to_read(from, 1)?;
    // One that is there is another program's, and stays.
    handfast_sqlite::create_anew(&part).map_err(|error| not_made(cannot_make(&part, &error)))?;
    let finished = copy(&source, &part, progress)
        .and_then(|()| finish(&part, to).map_err(|error| obstacle::in_words(to, &error)))
        .map_err(not_made);
    if finished.is_err() {
        // What is left of it is no backup.
        drop(std::fs::remove_file(&part));
    }
    finished
}

fn cannot_make(part: &Path, error: &std::io::Error) -> String {
    if error.kind() == std::io::ErrorKind::AlreadyExists {
        let part = part.display();
        return format!("another backup of this name is under way, or was cut off; where none is under way remove {part}");
    }
    obstacle::in_words(part, error)
}

fn copy(opened: &open::OpenedToRead, part: &Path, progress: &mut dyn FnMut(u64, u64)) -> Result<(), String> {
    let told = |error: rusqlite::Error| match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => "the disk of the copy is full; make room on it, or name a file on another one".to_owned(),
        _other => words(&error),
    };
    let source = opened.readers.first().ok_or("no reader is open")?;
    let mut copy = Connection::open(part).map_err(told)?;
    // Held until the copy is whole, so that it is of one moment and never begins again, however much is written meanwhile.
    let moment = source.unchecked_transaction().map_err(told)?;
    moment.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(())).map_err(told)?;
    {
        let backup = Backup::new(&moment, &mut copy).map_err(told)?;
        loop {
            let step = backup.step(PAGES_AT_ONCE).map_err(told)?;
            let pages = backup.progress();
            let of = u64::try_from(pages.pagecount).unwrap_or(0);
            progress(of.saturating_sub(u64::try_from(pages.remaining).unwrap_or(0)), of);
            match step {
                StepResult::Done => break,
                StepResult::Busy | StepResult::Locked => std::thread::sleep(PAUSE),
                StepResult::More | _ => {}
            }
        }
    }
    copy.execute(MARK, []).map_err(told)?;
    copy.close().map_err(|(_, error)| told(error))?;
    match damage(part)?.first() {
        None => Ok(()),
        Some(damage) => {
            Err(format!("the copy is damaged, as the store itself may be ({damage}); look by `handfast store verify`"))
        }
    }
}

/// What the database finds wrong with a copy.
fn damage(copy: &Path) -> Result<Vec<String>, String> {
    let opened = open::open_to_read(copy, 1).map_err(|error| error.to_string())?;
    let connection = opened.readers.first().ok_or("no reader is open")?;
    super::examine::integrity(connection).map_err(|error| words(&error))
}

/// Gives the copy its name once all of it is on the disk.
fn finish(part: &Path, to: &Path) -> std::io::Result<()> {
    std::fs::File::open(part)?.sync_all()?;
    std::fs::rename(part, to)?;
    let folder = to.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::fs::File::open(folder)?.sync_all()
}
