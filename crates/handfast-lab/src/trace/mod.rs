//! Kept runs: one JSON document each, which is executed again and compared. `docs/trace.md` has the format.
//!
//! What a trace is a run of stands in its head ([`kind`]). The runs of the lab are here; the journal of a saga that was driven
//! is kept in the same kind of [`Document`] by whoever knows journals.

mod counterexample;
mod document;
mod flow;
mod generals;

use serde::Deserialize;

pub use self::counterexample::CounterexampleTrace;
pub use self::document::{Document, VERSION, members};
pub use self::flow::FlowTrace;
pub use self::generals::{GeneralsTrace, TracedProtocol, parse_captured};
use crate::saga::Lost;

/// Why a text is no trace, or what it keeps does not happen again.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum TraceError {
    /// It does not begin as a trace does.
    #[error("this is no trace: {0}")]
    NoTrace(&'static str),
    /// It is of another version.
    #[error("it says {0:?}, and this handfast reads {VERSION:?}; a newer one may have written it")]
    Version(String),
    /// It is of a kind that is not known.
    #[error("there is no trace of the kind {0:?}; a newer handfast may have written it")]
    Kind(String),
    /// It does not say what it is.
    #[error("it does not say of which \"kind\" it is")]
    NoKind,
    /// It is no JSON, or a member is missing, unknown or of another kind.
    #[error("line {line}, column {column}: {said}")]
    Unreadable {
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
        /// What is wrong there.
        said: String,
    },
    /// A member cannot be written.
    #[error("a member cannot be written: {0}")]
    Unwritable(String),
    /// A member makes no sense.
    #[error("{0}")]
    Member(String),
    /// An action of the run cannot happen, or it breaks nothing.
    #[error(transparent)]
    Lost(#[from] Lost),
    /// The run is against something else, or ends elsewhere.
    #[error("{what} is another one: kept was {kept:?}, now it is {found:?}")]
    Differs {
        /// The member.
        what: &'static str,
        /// What was kept.
        kept: String,
        /// What it is now.
        found: String,
    },
}

/// What a trace is a run of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Of the two generals: a [`GeneralsTrace`].
    Generals,
    /// Of a saga, as its journal has it.
    Saga,
    /// Of a saga's world without a guard: a [`CounterexampleTrace`].
    Counterexample,
    /// Of a flow's world: a [`FlowTrace`].
    Flow,
}

impl Kind {
    const ALL: [Self; 4] = [Self::Generals, Self::Saga, Self::Counterexample, Self::Flow];

    /// As it stands in the trace.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Generals => "generals",
            Self::Saga => "saga",
            Self::Counterexample => "counterexample",
            Self::Flow => "flow",
        }
    }
}

/// What every trace begins with.
#[derive(Deserialize)]
struct Head {
    trace: Option<String>,
    kind: Option<String>,
}

/// Of which kind a trace is.
///
/// # Errors
/// It is none, or none that is known here.
pub fn kind(text: &str) -> Result<Kind, TraceError> {
    if !text.trim_start().starts_with('{') {
        return Err(TraceError::NoTrace("it is no JSON object, which every trace is"));
    }
    let head: Head = members(text)?;
    let version = head.trace.ok_or(TraceError::NoTrace("it has no member \"trace\""))?;
    if version != VERSION {
        return Err(TraceError::Version(version));
    }
    let name = head.kind.ok_or(TraceError::NoKind)?;
    Kind::ALL.into_iter().find(|kind| kind.name() == name).ok_or(TraceError::Kind(name))
}
