//! Why a store did not do as asked.

use super::Unanswered;

/// Why a store did not do as asked. The variants say whose turn it is.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// Another writer appended first: load, and decide again.
    #[error("another writer was faster; load the saga and decide again")]
    Conflict,
    /// What was asked for was not answered. Where it was a write, whether it happened is unknown: drop what is cached and load it
    /// again.
    #[error("{short}: {0}", short = .0.in_short())]
    Unavailable(Unanswered),
    /// The store is not the one that was opened: what was written to it may be in no file any more. Nothing that this process
    /// writes counts from then on.
    #[error(
        "the store {path} is not the one that was opened: {why}; stop this process, put back the right files, and start it again"
    )]
    Gone {
        /// Where the store was.
        path: String,
        /// What was found there instead.
        why: String,
    },
    /// The store was written by a newer version of handfast.
    #[error(
        "{path} was written by a newer handfast (store format {found}, this one knows up to {known}); use that version or a newer one"
    )]
    Newer {
        /// Where the store is.
        path: String,
        /// The format it has.
        found: u32,
        /// The newest format that this version knows.
        known: u32,
    },
    /// The file is not a store of this kind.
    #[error("{path} is not a handfast store: {why}; give another path, and nothing was changed")]
    NotOurs {
        /// Where it is.
        path: String,
        /// What was found instead.
        why: String,
    },
    /// No copy of the store was made.
    #[error("no backup was made as {path}: {why}")]
    Backup {
        /// Where it was to be.
        path: String,
        /// What was in its way.
        why: String,
    },
    /// The file is a store, or was one, and is not whole any more.
    #[error("the store {path} is damaged: {why}")]
    Damaged {
        /// Where it is.
        path: String,
        /// What is wrong with it, and what helps.
        why: String,
    },
    /// The store cannot be opened or created.
    #[error("cannot open the store {path}: {why}")]
    Open {
        /// Where it is.
        path: String,
        /// What the system said.
        why: String,
    },
    /// A row cannot be what was written, or is not fit to be written.
    #[error("saga {id}: {what}")]
    Corrupt {
        /// The saga.
        id: String,
        /// Which row, and what is wrong with it.
        what: String,
    },
}

impl StoreError {
    /// The same of something that was only read: nothing was to be written, so nothing of that is unknown.
    #[cfg(feature = "sqlite")]
    pub(super) fn of_a_read(self) -> Self {
        if let Self::Unavailable(unanswered) = self { Self::Unavailable(unanswered.of_a_read()) } else { self }
    }
}
