//! Opening a store: a new one is made, our own is brought up to date, anybody else's is refused untouched.

use std::fs::File;
use std::io::{ErrorKind, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use handfast_sqlite::{Watched, create, is_too_old, log, next_generation, obstacle};
use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension as _};

use super::rows;
use crate::key::Incarnation;
use crate::service::{Migration, Service, ServiceError};

/// What SQLite's `application_id` says in a participant's file: "HFpa".
pub(super) const APPLICATION_ID: i32 = i32::from_be_bytes(*b"HFpa");

const MIGRATIONS: &[Migration] = &[
    Migration { name: "V1__registers", sql: include_str!("migrations/V1__registers.sql") },
    Migration { name: "V2__marks", sql: include_str!("migrations/V2__marks.sql") },
];
const REGISTER_HISTORY: &str = "schema_register";
const SERVICE_HISTORY: &str = "schema_service";

/// Why a store was not opened. Nothing in the file was changed, unless migrating itself failed half-way through, which
/// leaves the file as it was before that migration.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The file is something else.
    #[error("{path} is not a store of a handfast participant; it was left untouched: name another file")]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// The file belongs to another service.
    #[error("{path} is the store of the service `{found}`, not of `{expected}`; it was left untouched: name another file")]
    OtherService {
        /// The file.
        path: PathBuf,
        /// Whose it is.
        found: String,
        /// Who wanted to open it.
        expected: &'static str,
    },
    /// The file was written by a later version.
    #[error(
        "{path} was written by a newer version (its schema is {found}, this version knows {known}); it was left untouched: \
         use that version"
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// The version of the schema in the file.
        found: i32,
        /// The latest that this version knows.
        known: i32,
    },
    /// The file and the log beside it are not of one store.
    #[error("{path}: {what}")]
    OtherLog {
        /// The file.
        path: PathBuf,
        /// What is wrong, and its cure.
        what: String,
    },
    /// The SQLite that this program is linked with is older than what a store is made of.
    #[error("{path}: {why}")]
    Library {
        /// The file.
        path: PathBuf,
        /// Which it is, and the cure.
        why: String,
    },
    /// The file cannot be read or written.
    #[error("cannot open the store {path}: {cure}")]
    Unusable {
        /// The file.
        path: PathBuf,
        /// What is in the way, as far as it can be told, and what to do.
        cure: String,
        /// What the system or the database said.
        source: ServiceError,
    },
}

impl OpenError {
    /// The file cannot be read or written, for what the system or the database said.
    pub(super) fn unusable(path: &Path, source: ServiceError) -> Self {
        let database = std::iter::successors(Some(&*source as &(dyn std::error::Error + 'static)), |error| error.source())
            .find_map(|error| error.downcast_ref::<rusqlite::Error>()?.sqlite_error_code());
        let cure = match (database, obstacle::obstacle(path)) {
            (Some(ErrorCode::DiskFull), _) => obstacle::FULL.to_owned(),
            (_, Some(found)) => found,
            (Some(ErrorCode::CannotOpen | ErrorCode::ReadOnly), None) => obstacle::beside(path),
            (_, None) => "see that its folder exists and that both can be read and written".to_owned(),
        };
        Self::Unusable { path: path.to_owned(), cure, source }
    }
}

/// The two connections of a store: one writes, the other reads what is committed and flushed.
pub(super) struct Opened {
    pub(super) writer: Connection,
    pub(super) reader: Connection,
    pub(super) files: Arc<Watched>,
}

pub(super) fn open(path: &Path, service: &dyn Service) -> Result<Opened, OpenError> {
    let unusable = |source: ServiceError| OpenError::unusable(path, source);
    let of_log = |what: std::io::Result<Option<String>>| match what {
        Ok(None) => Ok(()),
        Ok(Some(what)) => Err(OpenError::OtherLog { path: path.to_owned(), what }),
        Err(error) => Err(unusable(error.into())),
    };
    // An older SQLite would fail somewhere in the middle of making the file, and say a syntax error.
    if let Some(why) = is_too_old(rusqlite::version_number(), rusqlite::version()) {
        return Err(OpenError::Library { path: path.to_owned(), why });
    }
    match kind_of_file(path).map_err(|error| unusable(error.into()))? {
        // Before anything is made: what was acknowledged last may be in the log of a file that was lost.
        FileKind::Missing => {
            of_log(log::without_its_file(path))?;
            create(path).map_err(|error| unusable(error.into()))?;
        }
        FileKind::Empty => of_log(log::without_its_file(path))?,
        FileKind::Participant => {
            // Before SQLite sees the two: it would read a backup and the log of another file as one store.
            of_log(settled(|| log::of_another_file(path)))?;
            check_ours(path, service)?;
        }
        FileKind::Foreign => return Err(OpenError::Foreign { path: path.to_owned() }),
    }
    prepare(path, service).map_err(unusable)
}

/// A reader that looks while another process writes may find two that do not fit for a moment.
fn settled(look: impl Fn() -> std::io::Result<Option<String>>) -> std::io::Result<Option<String>> {
    for _ in 1..LOOKS {
        if let fits @ Ok(None) = look() {
            return fits;
        }
        std::thread::sleep(BETWEEN_LOOKS);
    }
    look()
}

enum FileKind {
    Missing,
    Empty,
    Participant,
    Foreign,
}

/// Looks at the file's first bytes and not through SQLite, which might recover, checkpoint or lock what is not ours.
fn kind_of_file(path: &Path) -> std::io::Result<FileKind> {
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(FileKind::Missing),
        Err(error) => return Err(error),
    };
    let mut header = Vec::new();
    file.by_ref().take(100).read_to_end(&mut header)?;
    if header.is_empty() {
        return Ok(FileKind::Empty);
    }
    // The database header of SQLite: a magic string at 0, the application id at 68, big-endian.
    let ours = header.starts_with(b"SQLite format 3\0") && header.get(68..72) == Some(&APPLICATION_ID.to_be_bytes()[..]);
    Ok(if ours { FileKind::Participant } else { FileKind::Foreign })
}

/// Reads, without the right to write, whose store this is and how new.
fn check_ours(path: &Path, service: &dyn Service) -> Result<(), OpenError> {
    let unusable = |source: rusqlite::Error| OpenError::unusable(path, source.into());
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).map_err(unusable)?;
    connection.busy_timeout(BUSY_TIMEOUT).map_err(unusable)?;
    let has_table = |name: &str| {
        connection
            .prepare("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?1")
            .and_then(|mut found| found.exists([name]))
    };
    for (history, known) in [(REGISTER_HISTORY, MIGRATIONS), (SERVICE_HISTORY, service.migrations())] {
        // A file whose making was interrupted has our application id and no tables yet.
        if !has_table(history).map_err(unusable)? {
            continue;
        }
        let found: Option<i32> =
            connection.query_row(&format!("SELECT max(version) FROM {history}"), [], |row| row.get(0)).map_err(unusable)?;
        let known = i32::try_from(known.len()).unwrap_or(i32::MAX);
        if let Some(found) = found.filter(|found| history == REGISTER_HISTORY && *found > known) {
            return Err(OpenError::Newer { path: path.to_owned(), found, known });
        }
        if history == REGISTER_HISTORY {
            let owner: Option<String> = match found {
                Some(_) => {
                    connection.query_row("SELECT service FROM store", [], |row| row.get(0)).optional().map_err(unusable)?
                }
                None => None,
            };
            if let Some(owner) = owner.filter(|owner| owner != service.name()) {
                return Err(OpenError::OtherService { path: path.to_owned(), found: owner, expected: service.name() });
            }
        } else if let Some(found) = found.filter(|found| *found > known) {
            return Err(OpenError::Newer { path: path.to_owned(), found, known });
        }
    }
    Ok(())
}

const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// How often a file and its log are looked at before they are said not to fit, and how long is waited between.
const LOOKS: u32 = 20;
const BETWEEN_LOOKS: Duration = Duration::from_millis(25);

/// Makes the file ours, migrates it, and lets the service prepare it.
fn prepare(path: &Path, service: &dyn Service) -> Result<Opened, ServiceError> {
    let mut writer = Connection::open(path)?;
    writer.busy_timeout(BUSY_TIMEOUT)?;
    // Before WAL is switched on, so that the file's header itself says whose it is from the first commit on.
    if writer.pragma_query_value(None, "application_id", |row| row.get::<_, i32>(0))? != APPLICATION_ID {
        writer.pragma_update(None, "application_id", APPLICATION_ID)?;
    }
    writer.pragma_update(None, "journal_mode", "WAL")?;
    // FULL: a commit returns when the log is flushed; an answer must not leave before that.
    writer.pragma_update(None, "synchronous", "FULL")?;
    writer.pragma_update(None, "fullfsync", true)?;
    writer.pragma_update(None, "checkpoint_fullfsync", true)?;
    writer.pragma_update(None, "journal_size_limit", 64 * 1024 * 1024)?;
    writer.pragma_update(None, "foreign_keys", true)?;
    writer.set_prepared_statement_cache_capacity(64);
    migrate(&mut writer, MIGRATIONS, REGISTER_HISTORY)?;
    migrate(&mut writer, service.migrations(), SERVICE_HISTORY)?;
    let transaction = writer.transaction()?;
    transaction.execute(
        "INSERT OR IGNORE INTO store (one, service, incarnation, seq) VALUES (1, ?1, ?2, 0)",
        (service.name(), Incarnation::draw().as_str()),
    )?;
    service.prepare(&transaction)?;
    rows::note_start(&transaction)?;
    raise_generation(&transaction)?;
    transaction.commit()?;
    // A copy of the file without its log is a store of this incarnation, and not one that draws another. Where another
    // process is in the way its log is carried over later.
    writer.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()))?;

    let reader = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    reader.busy_timeout(BUSY_TIMEOUT)?;
    reader.set_prepared_statement_cache_capacity(64);
    // Reading is what makes the log's index, if nothing had to be written.
    reader.query_row("SELECT one FROM store", [], |_| Ok(()))?;
    let files = Arc::new(Watched::of(&std::path::absolute(path)?)?);
    Ok(Opened { writer, reader, files })
}

/// Raises the generation of the file, as every transaction does that writes anything. Says what it was and what it is.
pub(super) fn raise_generation(transaction: &Connection) -> Result<(i32, i32), rusqlite::Error> {
    let found = generation(transaction)?;
    let raised = next_generation(found);
    // It lies in the first page, and so in the file's header once the log is carried over.
    transaction.pragma_update(None, "user_version", raised)?;
    Ok((found, raised))
}

/// The generation of the file as this connection sees it.
pub(super) fn generation(connection: &Connection) -> Result<i32, rusqlite::Error> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

/// Applies what is missing, a schema and its history in one transaction.
fn migrate(connection: &mut Connection, migrations: &[Migration], history: &str) -> Result<(), ServiceError> {
    let migrations: Result<Vec<refinery::Migration>, _> =
        migrations.iter().map(|migration| refinery::Migration::unapplied(migration.name, migration.sql)).collect();
    let mut runner = refinery::Runner::new(&migrations?).set_grouped(true);
    runner.set_migration_table_name(history);
    runner.run(connection)?;
    Ok(())
}
