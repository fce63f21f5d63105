//! Why a store did not answer.

/// Why a store did not answer: what may pass by itself, and what a person has to see to.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Unanswered {
    /// There is no room for what was to be written.
    #[error("{said}")]
    NoRoom {
        /// The database's words.
        said: String,
    },
    /// Another process has locked it.
    #[error("{said}")]
    Locked {
        /// The database's words.
        said: String,
    },
    /// Its database has failed otherwise.
    #[error("{said}")]
    Database {
        /// The database's words.
        said: String,
    },
    /// Its database could not read what was asked for, a damaged page for instance.
    #[error("{said}")]
    Unread {
        /// The database's words.
        said: String,
    },
    /// It was opened to be read only.
    #[error("it was opened to be read only, and nothing was written")]
    ReadOnly,
    /// As many writes wait as it takes.
    #[error("{waiting} writes are waiting for the disk already, so this one was not taken")]
    Crowded {
        /// How many.
        waiting: usize,
    },
    /// A part of it has stopped for good.
    #[error("{part}")]
    Stopped {
        /// Which one, and that it has.
        part: &'static str,
    },
    /// Whatever asked it broke off, so its answer was not heard.
    #[error("{what} broke off")]
    BrokeOff {
        /// What was being done.
        what: &'static str,
    },
    /// It was not asked, for something that was known before.
    #[error("{why}")]
    InTheWay {
        /// What.
        why: String,
    },
    /// A test has asked for it.
    #[error("it was made to fail here")]
    MadeToFail,
}

impl Unanswered {
    /// What did not happen, or may have.
    pub(super) const fn in_short(&self) -> &'static str {
        match self {
            Self::Unread { .. } => "the store cannot be read",
            Self::ReadOnly | Self::Crowded { .. } => "the store did not take the write",
            Self::NoRoom { .. }
            | Self::Locked { .. }
            | Self::Database { .. }
            | Self::Stopped { .. }
            | Self::BrokeOff { .. }
            | Self::InTheWay { .. }
            | Self::MadeToFail => "the store did not answer, so whether the write happened is unknown",
        }
    }

    /// The same of something that was only read.
    #[cfg(feature = "sqlite")]
    pub(super) fn of_a_read(self) -> Self {
        match self {
            Self::NoRoom { said } | Self::Locked { said } | Self::Database { said } => Self::Unread { said },
            Self::Stopped { part } => Self::Unread { said: part.to_owned() },
            other @ (Self::Unread { .. }
            | Self::ReadOnly
            | Self::Crowded { .. }
            | Self::BrokeOff { .. }
            | Self::InTheWay { .. }
            | Self::MadeToFail) => other,
        }
    }
}
