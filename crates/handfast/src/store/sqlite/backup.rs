//! A copy of a store that may be in use: all of it at one moment, in one file, looked through before it gets its name.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::Connection;
use rusqlite::backup::{Backup, StepResult};

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
    let cannot_write = |why: String| StoreError::Open { path: to.display().to_string(), why };
    if to.exists() {
        return Err(cannot_write("there is something already; name a file that is not there yet".to_owned()));
    }
    let mut part = to.as_os_str().to_owned();
    part.push(".part");
    let part = PathBuf::from(part);
    let copied = copy(from, &part, progress).map_err(cannot_write);
    let finished = copied.and_then(|()| finish(&part, to).map_err(|error| cannot_write(error.to_string())));
    if finished.is_err() {
        // What is left of it is no backup.
        drop(std::fs::remove_file(&part));
    }
    finished
}

fn copy(from: &Path, part: &Path, progress: &mut dyn FnMut(u64, u64)) -> Result<(), String> {
    let told = |error: rusqlite::Error| words(&error);
    let opened = open::open_to_read(from, 1).map_err(|error| error.to_string())?;
    let source = opened.readers.first().ok_or("no reader is open")?;
    handfast_sqlite::create_anew(part).map_err(|error| format!("{}: {error}", part.display()))?;
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
    copy.close().map_err(|(_, error)| words(&error))?;
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
    super::queries::integrity(connection).map_err(|error| words(&error))
}

/// Gives the copy its name once all of it is on the disk.
fn finish(part: &Path, to: &Path) -> std::io::Result<()> {
    std::fs::File::open(part)?.sync_all()?;
    std::fs::rename(part, to)?;
    let folder = to.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::fs::File::open(folder)?.sync_all()
}
