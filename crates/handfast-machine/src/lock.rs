//! Taking a lock where nothing panics while it is held.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// The value behind a lock. Whoever takes it panics nowhere while it is held, so a poisoned one holds a sound value.
pub fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
