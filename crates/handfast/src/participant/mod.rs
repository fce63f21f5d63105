//! Participants: the trait that takes one request to a service, and what comes back from there.

mod cleaned;
mod client;
mod connect;
mod excerpt;
mod http;
mod in_memory;
mod in_transaction;
mod json;
mod receipts;
mod template;

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use handfast_protocol::{Answer, Operation, Time, UndoTold};

pub(crate) use cleaned::is_card_number;
#[doc(hidden)]
pub use cleaned::shorten;
pub use client::ClientError;
#[doc(hidden)]
pub use client::is_encoded;
pub use http::{HttpParticipant, HttpParticipantError};
pub use in_memory::InMemory;
pub use in_transaction::{InTransaction, KeyRow, Transactional};
#[doc(hidden)]
pub use json::read as read_json;
#[doc(hidden)]
pub use receipts::{MAX_ANSWER_BYTES, Received, read_answer};
pub use template::{AnsweredByHand, ByHandError, Kept, ServiceByHand};
#[doc(hidden)]
pub use template::{
    At, Call, CallText, Condition, Expected, HttpTexts, KeptAt, Moment, Place, Shapes, Template, TemplateError, TemplatePart,
    Test, TimeFormat, UNDO_PEEK, Value, Wants, operation_key,
};
pub use template::{HttpTemplates, Secret, SecretError, Secrets};
pub(crate) use template::{
    KeptReceipts, Names, OWN_HEADERS, OfSaga, TemplateParticipant, Unfit, decimal, is_pointer, is_variable, places_of,
};

pub use crate::journal::{Receipt, Scalar};
use crate::store::{BoxFuture, Seen};

/// One request to a participant: one operation on one key.
#[derive(Clone, Copy, Debug)]
pub struct Delivery<'a> {
    /// The key; 1 to 200 characters of `A-Z`, `a-z`, `0-9`, `.`, `_`, `~` and `-`. The same for every try.
    pub key: &'a str,
    /// What is asked for.
    pub operation: Operation,
    /// It is a look that asks what became of an undo that was accepted.
    pub is_about_undo: bool,
    /// The body of the act, byte for byte the same for every try.
    pub body: &'a Bytes,
    /// SHA-256 of the body, in lower-case hexadecimal digits.
    pub body_hash: &'a str,
    /// Counts the saga's requests from 1, for logs and pictures.
    pub number: u64,
    /// What was durable here of this participant's store when this request left: the highest commit number, and in `named` the
    /// changes that only the same history can confirm.
    pub seen: Option<&'a Seen>,
    /// An act that is carried out later than this, by the participant's wall clock, must close the key instead.
    pub not_after: Option<Time>,
    /// From this moment of [steady time](crate::Clock::steady) on it must not leave any more, since its saga may want something
    /// else by then: who goes somewhere to deliver it looks at the clock once more right before.
    pub leaves_before: Option<Time>,
}

impl Delivery<'_> {
    /// Whether it must not leave any more, at this moment of steady time.
    #[must_use]
    pub fn is_late(&self, now: Time) -> bool {
        self.leaves_before.is_some_and(|before| before <= now)
    }
}

/// What came of one request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Reply {
    /// The participant said how the key stands, for good.
    Definite {
        /// What it said.
        answer: Answer,
        /// What its receipt said beyond that. An incarnation and a commit number let the engine notice when the
        /// participant's store was restored.
        receipt: Receipt,
    },
    /// An undo was accepted and is not done yet, or has failed for good.
    Undo {
        /// Which of the two.
        told: UndoTold,
        /// What was kept of the answer, and why it failed.
        receipt: Receipt,
    },
    /// The answer to a look: there is nothing. It proves nothing, since an act may still arrive; only where the look left after
    /// the end of a watch, so that nothing can be on the road any more, it ends that. To any other operation it is as good as
    /// [`Unknown`](Self::Unknown). An answer that does not say so in as many words ("it is being processed") is unknown.
    Absent {
        /// What was seen, in plain words.
        seen: String,
        /// For how long the key is to be left alone.
        retry_after: Option<Duration>,
    },
    /// An answer that fits what was asked for but for a value that it was compared with: an amount, or whose it is. It is told
    /// at once, and the saga turns back.
    Mismatch {
        /// Where, what was asked for and what stands there, in plain words.
        seen: String,
        /// Something is in effect under the key, and it is not what was asked for. Otherwise the answer is about something
        /// else, and says nothing of the key.
        in_effect: bool,
        /// What it brought of what is to be kept, where it is in effect: it serves to undo that, and to look at it, and nothing else.
        kept: BTreeMap<String, Scalar>,
        /// For how long the key is to be left alone.
        retry_after: Option<Duration>,
    },
    /// Anything else. It proves nothing, and the request may still take effect later.
    Unknown {
        /// What was seen instead of an answer, in plain words.
        seen: String,
        /// Whether an answer came at all. It determines how often is asked, and what people read; it decides nothing about the
        /// saga.
        heard: Heard,
        /// For how long the key is to be left alone; with 429 and 503 all keys are.
        retry_after: Option<Duration>,
    },
    /// The participant's store is older than what it has answered before; it did nothing.
    Behind {
        /// How far its store has come.
        seq: u64,
        /// The incarnation of its store.
        incarnation: String,
    },
}

/// What was heard of a request that brought no definite answer.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Heard {
    /// It did not leave: something that it takes along is missing, or its time was over. Nothing was sent.
    NotSent,
    /// No connection came about.
    NoConnection,
    /// It left, and no answer came.
    Nothing,
    /// An answer of this status came.
    Status(u16),
}

/// How it is said that a request did not leave.
pub(crate) const NOT_SENT: &str = "not sent: ";

/// The same of one whose time was over.
pub(crate) const LATE: &str = "its time is over";

/// How it is said that the answer to a look was that there is nothing.
pub(crate) const ABSENT: &str = "absent, which proves nothing";

impl Reply {
    /// No answer came; what was seen instead.
    #[must_use]
    pub fn unknown(seen: impl Into<String>) -> Self {
        Self::Unknown { seen: seen.into(), heard: Heard::Nothing, retry_after: None }
    }

    /// Nothing left, for this reason.
    #[must_use]
    pub fn not_sent(why: impl std::fmt::Display) -> Self {
        Self::Unknown { seen: format!("{NOT_SENT}{why}"), heard: Heard::NotSent, retry_after: None }
    }

    /// The word for what kind of reply it is, for counts: `definite`, `undo`, `absent`, `mismatch`, `unknown` or `behind`.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Definite { .. } => "definite",
            Self::Undo { .. } => "undo",
            Self::Absent { .. } => "absent",
            Self::Mismatch { .. } => "mismatch",
            Self::Unknown { .. } => "unknown",
            Self::Behind { .. } => "behind",
        }
    }

    /// An answer of this status came, and it means nothing: what was seen, and for how long to leave the key alone.
    #[must_use]
    pub fn meaningless(status: u16, seen: impl Into<String>, retry_after: Option<Duration>) -> Self {
        Self::Unknown { seen: seen.into(), heard: Heard::Status(status), retry_after }
    }
}

/// What takes a step: a service over HTTP ([`HttpParticipant`]), or anything in this process.
///
/// An implementation keeps the promises of [`Register`](handfast_protocol::Register) for every key, and answers
/// [`Reply::Definite`] only when it knows how the key stands, and [`Reply::Absent`] where it looked and there is nothing. The engine may call it for one key at the same time more
/// than once, gives up waiting after a while, and calls again until it gets a definite answer.
///
/// ```
/// use std::collections::BTreeMap;
/// use std::convert::Infallible;
/// use std::sync::Mutex;
///
/// use handfast::participant::{Delivery, Participant, Receipt, Reply};
/// use handfast::store::BoxFuture;
/// use handfast::{Answer, Operation, Register, Request};
///
/// /// Counts what it has done. Its keys are gone with the process; `InTransaction` keeps them in a database.
/// #[derive(Default)]
/// struct Counter(Mutex<(BTreeMap<String, Register<String>>, u32)>);
///
/// impl Participant for Counter {
///     fn deliver<'a>(&'a self, request: Delivery<'a>) -> BoxFuture<'a, Reply> {
///         Box::pin(async move {
///             let (keys, count) = &mut *self.0.lock().expect("nobody panicked");
///             let register = keys.entry(request.key.to_owned()).or_default();
///             let body = request.body_hash.to_owned();
///             let asked = match request.operation {
///                 Operation::Act => Request::Act { body, expired: false },
///                 Operation::Close => Request::Close { body: Some(body) },
///                 Operation::Undo => Request::Undo { body: Some(body) },
///                 Operation::Look => match register.peek() {
///                     Some(state) => return definite(Answer::State(state)),
///                     None => return Reply::Absent { seen: "nothing yet".to_owned(), retry_after: None },
///                 },
///             };
///             let Ok(answer) = register.receive(asked, |effect| {
///                 *count += 1;
///                 Ok::<_, Infallible>(true)
///             });
///             definite(answer)
///         })
///     }
/// }
///
/// fn definite(answer: Answer) -> Reply {
///     Reply::Definite { answer, receipt: Receipt::default() }
/// }
/// ```
pub trait Participant: Send + Sync + 'static {
    /// Takes one request there, and brings back what was said.
    fn deliver<'a>(&'a self, request: Delivery<'a>) -> BoxFuture<'a, Reply>;
}
