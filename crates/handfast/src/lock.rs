//! Taking a lock where nothing panics while it is held.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// The value behind a lock. No code of this crate panics while it holds the lock, so a poisoned one holds a sound value.
pub(crate) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
