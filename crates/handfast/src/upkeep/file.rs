//! A store in a file: copied while it is in use.

use std::path::{Path, PathBuf};

use crate::store::{self, StoreError};

/// Copies the store that `url` names to a new file, while it may be in use: all of it at one moment. The copy is looked
/// through before it gets its name. `progress` is told how many of how many pages are copied.
///
/// # Errors
/// There is no store in a file, there is something at `to` already, or it cannot be read or written.
pub fn back_up(url: &str, to: &Path, progress: &mut dyn FnMut(u64, u64)) -> Result<(), StoreError> {
    store::SqliteStore::back_up(store::file_of(url)?, to, progress)
}

/// The file of a backup, named as stores are: a path, or `sqlite:PATH`.
///
/// # Errors
/// The text names no file.
pub fn file_of_backup(text: &str) -> Result<PathBuf, StoreError> {
    store::file_of(text).map(PathBuf::from)
}
