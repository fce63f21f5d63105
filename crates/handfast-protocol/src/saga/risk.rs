//! What no coordinator can promise for some participants, each by the name under which somebody may accept it.

use core::fmt;

use super::meaning::Meaning;
use super::message::Operation;
use crate::register::Definite;

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
    /// An undo that arrives twice is carried out twice.
    UndoNotIdempotent {
        /// It leaves again where a look finds what was done still there once nothing of it can be on the road any more. Otherwise a
        /// person has to find out where its answer is lost and nothing is found.
        repeats: bool,
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
    /// It is asked for by what an earlier step has answered, which may be done several times, and by no key of its own: a
    /// coordinator that comes back with an older journal does the earlier one anew, and then this one by what that has answered.
    SecondId {
        /// The earlier step, counted from 0.
        of: usize,
    },
    /// An answer is taken to mean something by what others than the participant send as well: a status, and nothing that the
    /// participant alone could say.
    BareStatus {
        /// The operation that is answered.
        operation: Operation,
        /// What the answer is taken to mean.
        meaning: Meaning,
    },
}

impl Risk {
    /// The names of all risks, as they are accepted.
    pub const NAMES: [&'static str; 9] = [
        "two-pivots",
        "forgotten-key",
        "short-tombstone",
        "loose-refusal",
        "not-idempotent",
        "undo-not-idempotent",
        "hold-lapse",
        "second-id",
        "bare-status",
    ];

    /// The name under which it is accepted.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::TwoPivots { .. } => "two-pivots",
            Self::ForgottenKey { .. } => "forgotten-key",
            Self::ShortTombstone { .. } => "short-tombstone",
            Self::LooseRefusal => "loose-refusal",
            Self::NotIdempotent { .. } => "not-idempotent",
            Self::UndoNotIdempotent { .. } => "undo-not-idempotent",
            Self::HoldLapse { .. } => "hold-lapse",
            Self::SecondId { .. } => "second-id",
            Self::BareStatus { .. } => "bare-status",
        }
    }

    /// Which answer it is about, where it is about one: there may be several of that kind at one step.
    #[must_use]
    pub const fn answer(&self) -> Option<(Operation, Meaning)> {
        match *self {
            Self::BareStatus { operation, meaning } => Some((operation, meaning)),
            Self::TwoPivots { .. }
            | Self::ForgottenKey { .. }
            | Self::ShortTombstone { .. }
            | Self::LooseRefusal
            | Self::NotIdempotent { .. }
            | Self::UndoNotIdempotent { .. }
            | Self::HoldLapse { .. }
            | Self::SecondId { .. } => None,
        }
    }

    /// What would make it go away, for whoever does not want to accept it.
    #[must_use]
    pub const fn way_out(&self) -> &'static str {
        match self {
            Self::TwoPivots { .. } => "make one of the two undoable, or unable to refuse",
            Self::ForgottenKey { .. } => {
                "declare message_lifetime, clock_error and longest_outage under [assume], shorter than the key is remembered"
            }
            Self::ShortTombstone { .. } => {
                "declare message_lifetime, clock_error and longest_outage under [assume], shorter than the key stays closed"
            }
            Self::LooseRefusal => "find a way to close its key",
            Self::NotIdempotent { .. } => "find a key or a reference by which the service notices what it was asked before",
            Self::UndoNotIdempotent { .. } => "find a key or a reference by which the service notices what it has undone before",
            Self::HoldLapse { .. } => "take the amount at once and give it back where need be, instead of holding it",
            Self::SecondId { .. } => {
                "send its {key} with every request that names what was kept, if the service then refuses another one"
            }
            Self::BareStatus { .. } => {
                "tell it by a value that stands in the body, with json = { .. }, or in a header that the service alone sends"
            }
        }
    }

    /// An effect may show after everything was taken back, so that the key has to be watched.
    #[must_use]
    pub const fn may_show_late(&self) -> bool {
        match self {
            Self::ForgottenKey { .. } | Self::ShortTombstone { .. } | Self::LooseRefusal | Self::NotIdempotent { .. } => true,
            Self::BareStatus { meaning, .. } => {
                matches!(meaning, Meaning::State(Definite::Refused | Definite::Closed))
            }
            Self::TwoPivots { .. } | Self::HoldLapse { .. } | Self::UndoNotIdempotent { .. } | Self::SecondId { .. } => false,
        }
    }
}

impl fmt::Display for Finding<Risk> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // People count steps from 1.
        let step = self.step + 1;
        match self.what {
            Risk::TwoPivots { first } => write!(
                f,
                "step {} may refuse and cannot be undone, and so can step {step}: this is the two generals' problem; no \
                 protocol exists",
                first + 1
            ),
            Risk::ForgottenKey { remembers_ms, margin_ms } => write!(
                f,
                "step {step} remembers its key for {}, and {}: an act that arrives later is carried out again",
                Span(remembers_ms),
                OnTheRoad(margin_ms)
            ),
            Risk::ShortTombstone { closed_ms, margin_ms } => write!(
                f,
                "step {step} keeps its key closed for {}, and {}: an act that arrives later is carried out all the same",
                Span(closed_ms),
                OnTheRoad(margin_ms)
            ),
            Risk::LooseRefusal => write!(
                f,
                "step {step} may accept what it has refused before, and its key cannot be closed: an act that is late may \
                 take effect after the saga has ended without it"
            ),
            Risk::NotIdempotent { peek: true } => write!(
                f,
                "step {step} does again what it is asked again, so it is asked once and then only looked for: a request that \
                 is doubled on the road acts twice, and one that is late acts after the end"
            ),
            Risk::NotIdempotent { peek: false } => write!(
                f,
                "step {step} does again what it is asked again, and it cannot be looked for: where its one answer is lost, a \
                 person has to find out"
            ),
            Risk::UndoNotIdempotent { repeats: true } => write!(
                f,
                "step {step} undoes again what it is asked again to undo, so its undo leaves once and is then looked for, and leaves \
                 again only after a look has found what was done still there, once nothing of it can be on the road any more: \
                 a request that is doubled on the road undoes twice"
            ),
            Risk::UndoNotIdempotent { repeats: false } => write!(
                f,
                "step {step} undoes again what it is asked again to undo, so its undo leaves once and is then only looked for: \
                 a request that is doubled on the road undoes twice, and where its answer is lost and nothing is found a person \
                 has to find out"
            ),
            Risk::HoldLapse { expires_ms, margin_ms: _, gate_cannot_close } => write!(
                f,
                "what step {step} holds lapses by itself after {}, and may be gone when it is needed{}",
                Span(expires_ms),
                if gate_cannot_close { "; the step that decides cannot be closed, and may be done at any time" } else { "" }
            ),
            Risk::SecondId { of } => write!(
                f,
                "step {step} is asked for by what step {} has answered, and not always by its own key: a coordinator that comes \
                 back with an older journal does step {} again, and then this one a second time, by the new answer",
                of + 1,
                of + 1
            ),
            Risk::BareStatus { operation, meaning } => write!(
                f,
                "step {step} takes an answer to {} as {} by its status alone: a gateway, a proxy or a page that says that the \
                 service is away may send it too, and then {}",
                asked(operation),
                meaning.name(),
                believed(meaning)
            ),
        }
    }
}

/// The operation under the name that flow files give it.
const fn asked(operation: Operation) -> &'static str {
    match operation {
        Operation::Look => "its peek",
        Operation::Act => "its act",
        Operation::Close => "its close",
        Operation::Undo => "its undo",
    }
}

/// What comes of believing somebody else.
const fn believed(meaning: Meaning) -> &'static str {
    match meaning {
        Meaning::State(Definite::Done) => "the saga goes on as if it were done",
        Meaning::State(Definite::Refused | Definite::Closed) => "the saga ends without it, although it may have been done",
        Meaning::State(Definite::Undone) => "the saga ends as if it were undone",
        Meaning::Absent => "nobody has looked whether an effect appeared after the end",
        Meaning::Accepted | Meaning::Failed => "nobody asks for the undo any more",
    }
}

/// For how long an act may be on the road, at the end of "remembers it for so long, and ..".
struct OnTheRoad(Option<u64>);

impl fmt::Display for OnTheRoad {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(margin_ms) => write!(f, "an act may be on the road for {}", Span(margin_ms)),
            None => f.write_str("nobody has declared how long an act may be on the road"),
        }
    }
}

/// Milliseconds as people write them, in whole numbers from the largest unit down: `1d2h`, `500ms`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Span(
    /// The milliseconds.
    pub u64,
);

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [(u64, &str); 5] = [(86_400_000, "d"), (3_600_000, "h"), (60_000, "m"), (1_000, "s"), (1, "ms")];
        if self.0 == 0 {
            return f.write_str("0s");
        }
        let mut rest = self.0;
        for (ms, unit) in UNITS {
            if rest >= ms {
                write!(f, "{}{unit}", rest / ms)?;
                rest %= ms;
            }
        }
        Ok(())
    }
}

/// What is promised, but not as one might expect.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Remark {
    /// The step in which the saga is decided is not closed for ever, since it cannot be or is only looked for: that it is asked
    /// for only once every step before it is done rests on the journal alone, and is not survived by a coordinator that comes
    /// back from an older copy of it.
    GateCannotClose,
    /// The key is not closed, since it cannot be or is only looked for: somebody who cancels may be charged briefly, until the
    /// answer is known and undone.
    ActsAfterCancel,
    /// An amount is sent, and an answer that means *done* is compared with neither it nor the key.
    AmountUnseen,
    /// An amount is sent, and an answer that means *undone* is not compared with it.
    ReturnUnseen,
    /// An amount is compared, an answer that means *done* does not say whose it is, and the key cannot be closed: another amount is
    /// neither done nor off, and only a person can end that.
    WhoseUnseen,
}

impl Remark {
    /// Its name.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::GateCannotClose => "gate-cannot-close",
            Self::ActsAfterCancel => "acts-after-cancel",
            Self::AmountUnseen => "amount-unseen",
            Self::ReturnUnseen => "return-unseen",
            Self::WhoseUnseen => "whose-unseen",
        }
    }
}

impl fmt::Display for Remark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::GateCannotClose => {
                "its key is not closed for ever, and the saga is decided there: safety rests on the journal alone, and a \
                 coordinator that comes back from an older copy of it is not survived"
            }
            Self::ActsAfterCancel => {
                "its key is not closed: a saga in doubt waits until it is known what became of it, so it may act, briefly, for \
                 somebody who has cancelled"
            }
            Self::AmountUnseen => {
                "it is sent an amount, and an answer that means done is compared with neither the amount nor the key: whoever \
                 takes another amount, or answers for somebody else, is believed; compare one of them, as in json = { \
                 \"/amount\" = \"{input.amount.minor}\" }"
            }
            Self::ReturnUnseen => {
                "it is sent an amount, and an answer that means undone is not compared with it: whoever gives back a part of it \
                 is believed to have given back all; compare it where the answer says it, as in json = { \"/refunded\" = \
                 \"{input.amount.minor}\" }"
            }
            Self::WhoseUnseen => {
                "an answer that means done is compared with the amount and does not say whose it is, and its key cannot be \
                 closed: whoever takes another amount is asked on and on, neither undone nor known, until a person says what \
                 became of it; compare whose it is, as in json = { \"/reference\" = \"{key}\" }"
            }
        })
    }
}
