//! What is wrong with the store, as its last write said. A full disk is still read, so reading says nothing here.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard};

use crate::store::StoreError;
use handfast_machine::locked;

/// Why the store takes no writes, if it does not, and whether it has taken any lately.
#[derive(Debug, Default)]
pub(crate) struct Trouble {
    /// Looked at first: every write comes by here, and hardly any is in trouble.
    is_there: AtomicBool,
    /// It was met with an order, which is larger than what is written of it later: that this can be written says nothing of orders.
    is_of_order: AtomicBool,
    /// Something was written since this was last asked for.
    wrote: AtomicBool,
    what: Mutex<Option<String>>,
}

impl Trouble {
    /// Takes note of how a small write ended, and passes it on.
    pub(crate) fn after<T>(&self, written: Result<T, StoreError>) -> Result<T, StoreError> {
        self.take_note(&written, false);
        written
    }

    /// Takes note of trouble that was met otherwise than by a write.
    pub(crate) fn note(&self, error: &StoreError) {
        self.begin(error, false);
    }

    /// The same as [`after`](Self::after), of a write that is as large as an order.
    pub(crate) fn after_order<T>(&self, written: Result<T, StoreError>) -> Result<T, StoreError> {
        self.take_note(&written, true);
        written
    }

    fn take_note<T>(&self, written: &Result<T, StoreError>, is_of_order: bool) {
        match written {
            // A conflict is an answer like any other.
            Ok(_) | Err(StoreError::Conflict) => {
                self.wrote.store(true, Ordering::Relaxed);
                if is_of_order {
                    self.is_of_order.store(false, Ordering::Release);
                }
                if self.is_there.swap(false, Ordering::AcqRel) {
                    *self.locked() = None;
                    tracing::info!(name: "store_takes_writes", "the store takes writes again");
                }
            }
            Err(error @ (StoreError::Unavailable(_) | StoreError::Gone { .. })) => self.begin(error, is_of_order),
            Err(
                StoreError::Newer { .. }
                | StoreError::NotOurs { .. }
                | StoreError::Backup { .. }
                | StoreError::Open { .. }
                | StoreError::Damaged { .. }
                | StoreError::Corrupt { .. },
            ) => {}
        }
    }

    fn begin(&self, error: &StoreError, is_of_order: bool) {
        let why = error.to_string();
        let before = self.locked().replace(why.clone());
        self.is_of_order.fetch_or(is_of_order, Ordering::AcqRel);
        self.is_there.store(true, Ordering::Release);
        if before.as_ref() != Some(&why) {
            let message = "nothing can be written to the store; orders are refused, and sagas wait";
            tracing::error!(name: "store_refuses_writes", why, "{message}");
        }
    }

    /// What it is.
    pub(crate) fn what(&self) -> Option<String> {
        self.locked().clone()
    }

    /// Whether an order was refused and none was taken since, nor anything as large.
    pub(crate) fn is_of_order(&self) -> bool {
        self.is_of_order.load(Ordering::Acquire)
    }

    /// Whether something was written since this was last asked.
    pub(crate) fn has_written(&self) -> bool {
        self.wrote.swap(false, Ordering::Relaxed)
    }

    /// Nothing in here panics while it holds the lock, so a poisoned one holds a sound value.
    fn locked(&self) -> MutexGuard<'_, Option<String>> {
        locked(&self.what)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Unanswered;

    #[test]
    fn trouble_with_orders_ends_with_an_order_and_all_other_with_any_write() {
        let trouble = Trouble::default();
        let full = || Err::<(), _>(StoreError::Unavailable(Unanswered::NoRoom { said: "database or disk is full".to_owned() }));
        assert!(trouble.after(full()).is_err());
        assert!(trouble.what().is_some_and(|what| what.contains("full")) && !trouble.has_written());
        assert!(trouble.after(Ok(())).is_ok() && trouble.what().is_none());
        assert!(trouble.has_written() && !trouble.has_written());
        assert!(trouble.after_order(full()).is_err());
        assert!(trouble.after(Err::<(), _>(StoreError::Conflict)).is_err());
        assert!(trouble.what().is_none() && trouble.is_of_order(), "a smaller write may find room where an order finds none");
        assert!(trouble.after_order(Ok(())).is_ok() && !trouble.is_of_order());
    }
}
