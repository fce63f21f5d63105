//! What no coordinator can promise for some participants, each by the name under which somebody may accept it.

use core::fmt;

/// Something about one step of a flow.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Finding<W> {
    /// The step, counted from 0.
    pub step: usize,
    /// What there is to say of it.
    pub what: W,
}

/// What can still go wrong, whatever a coordinator does.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Risk {
    /// Two steps may refuse and cannot be undone: the two generals' problem.
    TwoPivots {
        /// The first of them.
        first: usize,
    },
    /// The key may be forgotten while an act is still on the road, which then is carried out again.
    ForgottenKey {
        /// For how long the key is remembered.
        remembers_ms: u64,
        /// For how long an act may be on the road, if that is declared.
        margin_ms: Option<u64>,
    },
    /// The key may be open again while an act is still on the road.
    ShortTombstone {
        /// For how long it is closed.
        closed_ms: u64,
        /// For how long an act may be on the road, if that is declared.
        margin_ms: Option<u64>,
    },
    /// An act that is still on the road may succeed after a refusal, and nothing can close its key.
    LooseRefusal,
    /// An act that arrives twice is carried out twice.
    NotIdempotent {
        /// Whether it can at least be looked for.
        peek: bool,
    },
    /// What was held may be gone when it is needed, after what cannot be undone has been done.
    HoldLapse {
        /// For how long it is held.
        expires_ms: u64,
        /// How much earlier the saga has to be committed, if that is declared.
        margin_ms: Option<u64>,
        /// The step in which the saga is decided cannot be closed, and may be done at any time.
        gate_cannot_close: bool,
    },
}

impl Risk {
    /// The names of all risks, as they are accepted.
    pub const NAMES: [&'static str; 6] =
        ["two-pivots", "forgotten-key", "short-tombstone", "loose-refusal", "not-idempotent", "hold-lapse"];

    /// The name under which it is accepted.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::TwoPivots { .. } => "two-pivots",
            Self::ForgottenKey { .. } => "forgotten-key",
            Self::ShortTombstone { .. } => "short-tombstone",
            Self::LooseRefusal => "loose-refusal",
            Self::NotIdempotent { .. } => "not-idempotent",
            Self::HoldLapse { .. } => "hold-lapse",
        }
    }

    /// An effect may show after everything was taken back, so that the key has to be watched.
    #[must_use]
    pub const fn may_show_late(&self) -> bool {
        match self {
            Self::ForgottenKey { .. } | Self::ShortTombstone { .. } | Self::LooseRefusal | Self::NotIdempotent { .. } => true,
            Self::TwoPivots { .. } | Self::HoldLapse { .. } => false,
        }
    }
}

/// What is promised, but not as one might expect.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Remark {
    /// The step in which the saga is decided cannot be closed: that it is asked for only once every step before it is
    /// done rests on the journal alone, and is not survived by a coordinator that comes back from an older copy of it.
    GateCannotClose,
    /// The key cannot be closed: somebody who cancels may be charged briefly, until the answer is known and undone.
    ActsAfterCancel,
}

impl Remark {
    /// Its name.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::GateCannotClose => "gate-cannot-close",
            Self::ActsAfterCancel => "acts-after-cancel",
        }
    }
}

impl fmt::Display for Remark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::GateCannotClose => {
                "its key cannot be closed, and the saga is decided there: safety rests on the journal alone, and a \
                 coordinator that comes back from an older copy of it is not survived"
            }
            Self::ActsAfterCancel => {
                "its key cannot be closed: a saga in doubt asks it again until it answers, so it may act, briefly, for \
                 somebody who has cancelled"
            }
        })
    }
}
