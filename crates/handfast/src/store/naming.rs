//! The store that a text names: a file, or memory.

use std::sync::Arc;

#[cfg(feature = "sqlite")]
use super::SqliteStore;
use super::{MemoryStore, Store, StoreError};

/// Opens the store that `url` names, and creates it where there is none: `sqlite:PATH` or a plain path for a file,
/// `memory:` for one that forgets everything with the process.
///
/// # Errors
/// The text names no store, or the file is none that can be opened.
pub fn open(url: &str) -> Result<Arc<dyn Store>, StoreError> {
    match url {
        "memory:" => Ok(Arc::new(MemoryStore::new())),
        url => open_file(file_of(url)?),
    }
}

/// Opens the store that `url` names to look into it: nothing is created or changed, and every write is refused.
///
/// # Errors
/// The text names no file, or the file is no store that can be read.
pub fn open_to_read(url: &str) -> Result<Arc<dyn Store>, StoreError> {
    open_file_to_read(file_of(url)?)
}

#[cfg(feature = "sqlite")]
fn open_file(path: &str) -> Result<Arc<dyn Store>, StoreError> {
    Ok(Arc::new(SqliteStore::open(path)?))
}

#[cfg(feature = "sqlite")]
fn open_file_to_read(path: &str) -> Result<Arc<dyn Store>, StoreError> {
    Ok(Arc::new(SqliteStore::open_to_read(path)?))
}

#[cfg(not(feature = "sqlite"))]
fn open_file(path: &str) -> Result<Arc<dyn Store>, StoreError> {
    let why = "this program was built without stores in files; build handfast with its feature `sqlite`".to_owned();
    Err(StoreError::Open { path: path.to_owned(), why })
}

#[cfg(not(feature = "sqlite"))]
fn open_file_to_read(path: &str) -> Result<Arc<dyn Store>, StoreError> {
    open_file(path)
}

/// The path in the text that names a store in a file.
///
/// # Errors
/// The text names no file.
pub fn file_of(url: &str) -> Result<&str, StoreError> {
    let refuse = |why: &str| Err(StoreError::Open { path: url.to_owned(), why: why.to_owned() });
    let path = match url.split_once(':') {
        Some(("memory", "")) => {
            return refuse("a store in memory is gone with its process; name one in a file, as in `sqlite:FILE`");
        }
        Some(("sqlite", path)) => path.strip_prefix("//").unwrap_or(path),
        // One letter is a drive.
        Some((scheme, _)) if scheme.len() > 1 && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric()) => {
            return refuse(
                "only `sqlite:PATH`, a plain path and `memory:` are known; say `sqlite:PATH` for a path with a colon in it",
            );
        }
        Some(_) | None => url,
    };
    match path {
        "" => refuse("it names no file; say `sqlite:PATH`"),
        ":memory:" => refuse("say `memory:` for a store that forgets everything with the process"),
        path => Ok(path),
    }
}
