//! Opening a file as a store: what belongs to another program is refused untouched, what is older is migrated, what is newer is
//! refused.

use std::path::Path;
use std::time::Duration;

use handfast_sqlite::{create, is_too_old, log, obstacle};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension as _, TransactionBehavior};

use super::files::Files;
use super::shape::words;
use super::{SqliteOptions, Synchronous};
use crate::store::{StoreError, draw_store_id};

mod embedded {
    refinery::embed_migrations!("src/store/sqlite/migrations");
}

/// `hfst` in ASCII: the mark in the header of every store of the engine.
const APPLICATION_ID: i32 = 0x6866_7374;

/// How long a connection waits for another process's transaction.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// How often, and with what pause, a step of opening is tried again while another process may be opening the same file.
const OPENING_TRIES: u32 = 40;
const OPENING_PAUSE: Duration = Duration::from_millis(25);

/// A file that is open as a store: who writes, who reads, and its id.
pub(super) struct Opened {
    pub(super) writer: Connection,
    pub(super) readers: Vec<Connection>,
    pub(super) store_id: String,
    pub(super) files: Files,
}

/// A file that is open to be read only.
pub(super) struct OpenedToRead {
    pub(super) readers: Vec<Connection>,
    pub(super) store_id: String,
}

/// What is said of a file that is as good as none, by a caller that does not make one of it.
const EMPTY: &str = "it is empty (0 bytes), as a full disk leaves a file: nothing was kept in it, or what was is lost; name another \
                     file, or put a backup in its place";

/// The same of one that got its mark, and no table.
const UNFINISHED: &str = "it was not made to its end, as where its disk was full, and holds no saga; `handfast run` or `handfast \
                          serve` with this store makes it";

/// Says of each failure which file it was.
struct Place<'a> {
    path: &'a Path,
}

impl Place<'_> {
    fn name(&self) -> String {
        self.path.display().to_string()
    }

    fn cannot_open(&self, why: impl Into<String>) -> StoreError {
        StoreError::Open { path: self.name(), why: why.into() }
    }

    fn damaged(&self, why: impl std::fmt::Display) -> StoreError {
        StoreError::Damaged { path: self.name(), why: format!("{why}; {PUT_BACK}") }
    }

    fn not_ours(&self, why: impl Into<String>) -> StoreError {
        StoreError::NotOurs { path: self.name(), why: why.into() }
    }

    /// Does a step of opening, and tries again while another process may be at the same step.
    fn step<T>(&self, mut step: impl FnMut() -> Result<T, Failure>) -> Result<T, StoreError> {
        let mut outcome = step();
        for _ in 0..OPENING_TRIES {
            if !outcome.as_ref().is_err_and(Failure::may_pass) {
                break;
            }
            std::thread::sleep(OPENING_PAUSE);
            outcome = step();
        }
        outcome.map_err(|failure| match failure {
            Failure::Final(error) | Failure::Mismatch(error) => error,
            Failure::Sql(error) => self.sql(&error),
            Failure::Busy => self.cannot_open("another process keeps it busy; stop that one, or wait until it is done"),
            Failure::Migration(error) => {
                let cause = std::error::Error::source(&error);
                match cause.and_then(|cause| cause.downcast_ref::<rusqlite::Error>()) {
                    Some(sql) => self.sql(sql),
                    None => self.cannot_open(cause.map_or_else(|| error.to_string(), ToString::to_string)),
                }
            }
        })
    }

    /// What the database said. Where it says only that it cannot, what is in its way is looked for.
    fn sql(&self, error: &rusqlite::Error) -> StoreError {
        if is_unwritable(error) {
            let found = obstacle::obstacle(self.path);
            return self.cannot_open(found.unwrap_or_else(|| format!("{}; {UNWRITABLE}", words(error))));
        }
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => self.cannot_open(obstacle::FULL),
            // It is known to be a store by then, and what it says of itself does not hold, as of one that was cut off.
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => self.damaged(words(error)),
            _ if error.sqlite_error().is_some_and(|code| code.extended_code == SHORT_READ) => self.damaged(words(error)),
            _ => self.cannot_open(words(error)),
        }
    }

    /// What the system said.
    fn system(&self, error: &std::io::Error) -> StoreError {
        self.cannot_open(obstacle::in_words(self.path, error))
    }
}

/// What is said of a file that cannot be written where it is, or beside.
const UNWRITABLE: &str = "the file, its folder and the files beside it (-wal, -shm) have to be writable for orders to go on; put \
                          them where they are, or only look into the store, which can be done on a read-only disk";

/// What helps a store that is not whole any more.
pub(super) const PUT_BACK: &str = "put a whole copy of it in its place, a backup for instance (docs/journal.md, Backups)";

/// The file ends before it should (`SQLITE_IOERR_SHORT_READ`).
const SHORT_READ: i32 = 522;

/// Whether nothing could be written to the file or beside it.
fn is_unwritable(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::CannotOpen | ErrorCode::ReadOnly))
}

/// Why a step of opening did not come to its end.
#[derive(Debug)]
enum Failure {
    Final(StoreError),
    /// What was read of two files does not fit, which may be since another process was writing meanwhile.
    Mismatch(StoreError),
    Sql(rusqlite::Error),
    Migration(refinery::Error),
    /// Another process is in the way.
    Busy,
}

impl Failure {
    fn may_pass(&self) -> bool {
        use ErrorCode::{DatabaseBusy, DatabaseCorrupt, DatabaseLocked, SchemaChanged};
        match self {
            Self::Final(_) => false,
            // A header that is read without a lock may be ahead of the pages behind it while another process writes them.
            Self::Sql(error) => {
                matches!(error.sqlite_error_code(), Some(DatabaseBusy | DatabaseCorrupt | DatabaseLocked | SchemaChanged))
            }
            // Two processes that open a new file at once both migrate it: the slower one finds the tables there, and when
            // it tries again, that nothing is left to do.
            Self::Migration(_) | Self::Mismatch(_) | Self::Busy => true,
        }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Final(error)
    }
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sql(error)
    }
}

impl From<refinery::Error> for Failure {
    fn from(error: refinery::Error) -> Self {
        Self::Migration(error)
    }
}

pub(super) fn open(path: &Path, options: &SqliteOptions) -> Result<Opened, StoreError> {
    let place = Place { path };
    // An absolute path never looks like a URI to SQLite.
    let path = std::path::absolute(path).map_err(|error| place.cannot_open(error.to_string()))?;
    check_library(&place)?;
    let is_fresh = is_fresh(&place, &path)?;
    if is_fresh {
        check_no_log(&place, &path)?;
        create(&path).map_err(|error| place.system(&error))?;
    } else {
        place.step(|| check_mark(&place, &path))?;
        place.step(|| check_log(&place, &path))?;
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut writer = place.step(|| connect(&path, flags))?;
    place.step(|| claim(&place, &mut writer))?;
    place.step(|| may_write(&mut writer))?;
    place.step(|| check_format(&place, &writer))?;
    place.step(|| set_up(&place, &writer, options))?;
    let is_older = place.step(|| Ok(found_format(&writer)? < known_format()))?;
    place.step(|| migrate(&mut writer))?;
    let store_id = place.step(|| store_id(&place, &writer))?;
    if is_fresh || is_older {
        // The identity has to be in the file itself: a copy of the file without its log is then a store of this identity, and
        // does not draw another one.
        place.step(|| carry_over(&writer))?;
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let readers = (0..options.readers).map(|_| place.step(|| connect(&path, flags))).collect::<Result<_, _>>()?;
    let files = Files::of(&path).map_err(|error| place.cannot_open(error.to_string()))?;
    Ok(Opened { writer, readers, store_id, files })
}

/// Opens a store for readers only: nothing is created, migrated or carried over, so a disk that cannot be written to will do.
pub(super) fn open_to_read(path: &Path, readers: usize) -> Result<OpenedToRead, StoreError> {
    let opened = open_whatever_its_name(path, readers)?;
    let OpenedToRead { store_id, .. } = &opened;
    if store_id.is_empty() { Err(Place { path }.damaged(NO_NAME)) } else { Ok(opened) }
}

/// The same, to look what is wrong with it: an id that is lost is empty.
pub(super) fn open_to_examine(path: &Path) -> Result<OpenedToRead, StoreError> {
    open_whatever_its_name(path, 1)
}

fn open_whatever_its_name(path: &Path, readers: usize) -> Result<OpenedToRead, StoreError> {
    let place = Place { path };
    let path = std::path::absolute(path).map_err(|error| place.cannot_open(error.to_string()))?;
    check_library(&place)?;
    if is_fresh(&place, &path)? {
        return Err(place.cannot_open(if path.exists() {
            EMPTY
        } else {
            "there is no file of this name; name one that is there"
        }));
    }
    place.step(|| check_mark(&place, &path))?;
    place.step(|| check_log(&place, &path))?;
    let readers: Vec<Connection> =
        (0..readers.max(1)).map(|_| place.step(|| connect_to_read(&place, &path))).collect::<Result<_, _>>()?;
    let first = readers.first().ok_or_else(|| place.cannot_open("no reader is open"))?;
    place.step(|| check_format(&place, first))?;
    if place.step(|| Ok(found_format(first)?))? == 0 {
        return Err(place.cannot_open(UNFINISHED));
    }
    let store_id = place.step(|| Ok(first.query_row(READ_STORE_ID, [], |row| row.get(0)).optional()?))?;
    let store_id = store_id.unwrap_or_default();
    Ok(OpenedToRead { readers, store_id })
}

/// Said before anything is touched: an older SQLite would fail somewhere in the middle of it, and say a syntax error.
fn check_library(place: &Place<'_>) -> Result<(), StoreError> {
    is_too_old(rusqlite::version_number(), rusqlite::version()).map_or(Ok(()), |why| Err(place.cannot_open(why)))
}

/// Reads through the log if there is one. Where nothing can be written beside the file, the file alone is read, provided that
/// there is no log which would be left out.
fn connect_to_read(place: &Place<'_>, path: &Path) -> Result<Connection, Failure> {
    let has_log = std::fs::metadata(log::path_of(path)).is_ok_and(|log| log.is_file() && log.len() > 0);
    let read = || {
        // A connection that is opened read-only leaves the files behind that SQLite makes for reading. So the file is opened
        // for writing, and `query_only` forbids the writes.
        let connection = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
        connection.pragma_update(None, "query_only", true)?;
        // A log that is there is left there.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, has_log)?;
        mark_of(&connection)?;
        Ok(connection)
    };
    let read: Result<Connection, Failure> = read();
    let error = match read {
        Ok(connection) => return Ok(connection),
        Err(error) => error,
    };
    let Failure::Sql(cause) = &error else { return Err(error) };
    if !is_unwritable(cause) {
        return Err(error);
    }
    if has_log {
        let why = "the file cannot be written beside, and its log (-wal) holds what is not in it yet; \
                   copy the file and its log to where they can be written, and look there";
        return Err(place.cannot_open(why).into());
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI;
    let connection = Connection::open_with_flags(immutable_uri(path), flags)?;
    connection.set_prepared_statement_cache_capacity(32);
    Ok(connection)
}

/// Reads something, which is when SQLite finds out whether it can.
fn mark_of(connection: &Connection) -> Result<(), Failure> {
    Ok(connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?)
}

/// A file that is new must not take over the log of one that was lost.
fn check_no_log(place: &Place<'_>, path: &Path) -> Result<(), StoreError> {
    match log::without_its_file(path) {
        Ok(None) => Ok(()),
        Ok(Some(what)) => Err(place.cannot_open(what)),
        Err(error) => Err(place.cannot_open(format!("{}: {error}", log::path_of(path).display()))),
    }
}

/// A backup that was put back beside the log of the file that it replaced is no store: pages of both would be mixed.
fn check_log(place: &Place<'_>, path: &Path) -> Result<(), Failure> {
    match log::of_another_file(path) {
        Ok(None) => Ok(()),
        Ok(Some(what)) => Err(Failure::Mismatch(place.cannot_open(what))),
        Err(error) => Err(place.cannot_open(format!("{}: {error}", log::path_of(path).display())).into()),
    }
}

/// Nothing is there yet, or an empty file, which is as good as nothing.
fn is_fresh(place: &Place<'_>, path: &Path) -> Result<bool, StoreError> {
    match std::fs::metadata(path) {
        Ok(file) if file.is_dir() => Err(place.cannot_open("it is a folder; name a file in it")),
        Ok(file) if file.is_file() => Ok(file.len() == 0),
        Ok(_) => Err(place.not_ours("it is not a regular file")),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => match path.parent() {
            Some(folder) if !folder.is_dir() => Err(place.system(&error)),
            Some(_) | None => Ok(true),
        },
        Err(error) => Err(place.system(&error)),
    }
}

/// Reads the mark in the file's header without a lock, a journal or a file beside it, so that no file of another program is
/// touched. It is read through SQLite, since opening and closing the file by other means would take away the locks that this
/// process may hold on it.
fn check_mark(place: &Place<'_>, path: &Path) -> Result<(), Failure> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let header = Connection::open_with_flags(immutable_uri(path), flags).and_then(|connection| {
        // A checkpoint that was cut short, by kill -9 or a full disk, leaves a header that names more pages than the file
        // has: the others are in the log beside it, which is not looked at here. This lets the header be read all the same.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_WRITABLE_SCHEMA, true)?;
        mark(&connection)
    });
    match header {
        Ok(APPLICATION_ID) => Ok(()),
        other => Err(match (other, what_is_left(path)) {
            (_, Some(bytes)) => place.damaged(format!("it ends after {bytes} bytes, within its header")).into(),
            (Ok(other), None) => place.not_ours(someone_elses(other)).into(),
            (Err(error), None) if error.sqlite_error_code() == Some(ErrorCode::NotADatabase) => {
                place.not_ours("it is not a SQLite database").into()
            }
            (Err(error), None) => error.into(),
        }),
    }
}

/// How many bytes there are of a SQLite database that was cut off within the header of its first page.
fn what_is_left(path: &Path) -> Option<u64> {
    const MAGIC: &[u8] = b"SQLite format 3\0";
    const SMALLEST_PAGE: u64 = 512;
    // No connection of this process holds a lock on a file that is no database: it may be opened and closed.
    let bytes = std::fs::metadata(path).ok()?.len();
    let begins = || std::fs::read(path).is_ok_and(|found| found.starts_with(MAGIC));
    (bytes < SMALLEST_PAGE && begins()).then_some(bytes)
}

fn mark(connection: &Connection) -> rusqlite::Result<i32> {
    connection.pragma_query_value(None, "application_id", |row| row.get(0))
}

/// What a participant of handfast has for a mark: "HFpa".
const OF_PARTICIPANT: i32 = i32::from_be_bytes(*b"HFpa");

fn someone_elses(mark: i32) -> String {
    if mark == OF_PARTICIPANT {
        return "it is the store of a participant of handfast, as payment and dispatch keep them, and not one of sagas; to copy it \
                stop its service and copy the file with the -wal and -shm beside it if they are there, or use .backup of sqlite3"
            .to_owned();
    }
    format!("it is a SQLite database of something else (application_id {mark:#010x}, a store has {APPLICATION_ID:#010x})")
}

/// The path as a URI in which every byte that could mean something is escaped.
fn immutable_uri(path: &Path) -> String {
    let escape = |&byte: &u8| match byte {
        b'/' | b'.' | b'-' | b'_' | b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' => char::from(byte).to_string(),
        _ => format!("%{byte:02x}"),
    };
    let escaped: String = path.as_os_str().as_encoded_bytes().iter().map(escape).collect();
    format!("file:{escaped}?immutable=1")
}

fn connect(path: &Path, flags: OpenFlags) -> Result<Connection, Failure> {
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.set_prepared_statement_cache_capacity(32);
    Ok(connection)
}

/// Puts the mark on an empty file. It is the first thing that is written, so that no crash leaves a file that is not recognised
/// as a store.
fn claim(place: &Place<'_>, connection: &mut Connection) -> Result<(), Failure> {
    if mark(connection)? == APPLICATION_ID {
        return Ok(());
    }
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let tables: i64 = transaction.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    match mark(&transaction)? {
        // Another process was faster.
        APPLICATION_ID => return Ok(()),
        0 if tables == 0 => transaction.pragma_update(None, "application_id", APPLICATION_ID)?,
        other => return Err(place.not_ours(someone_elses(other)).into()),
    }
    Ok(transaction.commit()?)
}

/// SQLite opens a file for reading that it may not write, and says so at the first write only: long after orders were taken. So the
/// mark is written once more, and taken back.
fn may_write(connection: &mut Connection) -> Result<(), Failure> {
    connection.busy_timeout(Duration::ZERO)?;
    let tried = connection.transaction_with_behavior(TransactionBehavior::Immediate).and_then(|transaction| {
        transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
        transaction.rollback()
    });
    connection.busy_timeout(BUSY_TIMEOUT)?;
    match tried {
        // Another process is writing there.
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) => Ok(()),
        tried => Ok(tried?),
    }
}

/// The newest format that this program knows.
fn known_format() -> i32 {
    embedded::migrations::runner().get_migrations().iter().map(refinery::Migration::version).max().unwrap_or(0)
}

/// The format that the file has; 0 before the first migration.
pub(super) fn found_format(connection: &Connection) -> rusqlite::Result<i32> {
    let history = "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'refinery_schema_history'";
    if connection.query_row(history, [], |_| Ok(())).optional()?.is_none() {
        return Ok(0);
    }
    connection.query_row("SELECT coalesce(max(version), 0) FROM refinery_schema_history", [], |row| row.get(0))
}

/// An empty database that has the tables of a format.
pub(super) fn empty_of(format: i32) -> rusqlite::Result<Connection> {
    let empty = Connection::open_in_memory()?;
    let runner = embedded::migrations::runner();
    let mut migrations: Vec<_> = runner.get_migrations().iter().filter(|migration| migration.version() <= format).collect();
    migrations.sort_unstable();
    migrations.into_iter().filter_map(refinery::Migration::sql).try_for_each(|sql| empty.execute_batch(sql))?;
    Ok(empty)
}

fn check_format(place: &Place<'_>, connection: &Connection) -> Result<(), Failure> {
    let (found, known) = (found_format(connection)?, known_format());
    if found > known {
        return Err(StoreError::Newer { path: place.name(), found: found.unsigned_abs(), known: known.unsigned_abs() }.into());
    }
    Ok(())
}

fn set_up(place: &Place<'_>, connection: &Connection, options: &SqliteOptions) -> Result<(), Failure> {
    let mode = connection.pragma_update_and_check(None, "journal_mode", "wal", |row| row.get::<_, String>(0))?;
    if mode != "wal" {
        return Err(place.cannot_open("its file system cannot keep a write-ahead log; put it on a local disk").into());
    }
    // A commit of the write-ahead log is flushed before it returns. Nothing less is durable.
    let synchronous = match options.synchronous {
        Synchronous::Full => "full",
        Synchronous::Off => "off",
    };
    connection.pragma_update(None, "synchronous", synchronous)?;
    // The writer carries the log over itself, once everybody who waits for the commit has an answer.
    connection.pragma_update(None, "wal_autocheckpoint", 0)?;
    // In KiB, as its sign says.
    Ok(connection.pragma_update(None, "cache_size", -16_384)?)
}

fn migrate(connection: &mut Connection) -> Result<(), Failure> {
    if found_format(connection)? < known_format() {
        // Grouped: the format is of one version or of the next, never in between.
        embedded::migrations::runner().set_grouped(true).run(connection)?;
    }
    Ok(())
}

const READ_STORE_ID: &str = "SELECT value FROM meta WHERE name = 'store_id'";

/// What is said of a store that has sagas and no name any more.
pub(super) const NO_NAME: &str = "its table `meta` has no `store_id`, from which every key is made: under a new one participants \
                                  would do again what they have done";

fn store_id(place: &Place<'_>, connection: &Connection) -> Result<String, Failure> {
    let read = || connection.query_row(READ_STORE_ID, [], |row| row.get(0)).optional();
    if let Some(id) = read()? {
        return Ok(id);
    }
    // One that is drawn now would be another store's: what was asked for under the former name would be asked for again.
    if connection.query_row("SELECT EXISTS (SELECT 1 FROM saga)", [], |row| row.get(0))? {
        return Err(place.damaged(NO_NAME).into());
    }
    connection.execute("INSERT INTO meta (name, value) VALUES ('store_id', ?1) ON CONFLICT DO NOTHING", [draw_store_id()])?;
    Ok(read()?.ok_or(rusqlite::Error::QueryReturnedNoRows)?)
}

/// Carries the whole log over into the file.
fn carry_over(connection: &Connection) -> Result<(), Failure> {
    let (busy, pages, carried_over) = connection.query_row("PRAGMA wal_checkpoint(FULL)", [], |row| {
        Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?, row.get::<_, i64>(2)?))
    })?;
    // Another process may be at it.
    if busy != 0 || pages != carried_over { Err(Failure::Busy) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whoever runs these tests may be allowed to write to every file, so the connection is opened as SQLite opens one to a disk
    /// that is read-only.
    #[test]
    fn a_file_that_cannot_be_written_is_refused_before_anything_is_taken() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("shop.db");
        drop(open(&path, &SqliteOptions::default()).unwrap());
        let mut kept = connect(&path, OpenFlags::SQLITE_OPEN_READ_WRITE).unwrap();
        may_write(&mut kept).unwrap();
        let writing = kept.transaction_with_behavior(TransactionBehavior::Immediate).unwrap();
        let mut other = connect(&path, OpenFlags::SQLITE_OPEN_READ_WRITE).unwrap();
        may_write(&mut other).unwrap();
        drop(writing);
        let place = Place { path: &path };
        let mut reads = connect(&path, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
        let error = place.step(|| may_write(&mut reads)).unwrap_err().to_string();
        assert!(error.contains("have to be writable") && error.contains("shop.db"), "{error}");
    }
}
