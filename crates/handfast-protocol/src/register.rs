//! The participant's side: one register per key, in which it is decided whether the effect happens.
//!
//! ```text
//!           act ok                     undo
//!   absent ---------> done --------------------> undone
//!     |  \--act refused--> refused (sticky)
//!     \-----close / undo--> closed (tombstone)
//! ```
//!
//! The register is total and idempotent, and one step of it is atomic: whoever makes it durable commits the row and the
//! service's own effect in one transaction.

use core::marker::PhantomData;

use crate::guards::{Deployed, Guards};

/// What a definite answer can say of a key. There is no variant for "absent": a read that finds nothing proves nothing,
/// and no type here can carry it to the coordinator.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Definite {
    /// The effect happened, once.
    Done,
    /// The service declined, for ever.
    Refused,
    /// The key was closed before anything happened; an act that arrives later is refused by it.
    Closed,
    /// The effect happened and was undone, once.
    Undone,
}

impl Definite {
    /// The word for it on the wire and on the screen.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Refused => "refused",
            Self::Closed => "closed",
            Self::Undone => "undone",
        }
    }

    /// The state that [`name`](Self::name) gave this word to, if any did.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Done, Self::Refused, Self::Closed, Self::Undone].into_iter().find(|state| state.name() == name)
    }
}

/// A definite answer of a participant for one key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Answer {
    /// The state of the key, after the request took its effect.
    State(Definite),
    /// The key is in use for another body: the effect behind it is somebody else's, and the request did nothing.
    OtherBody,
}

/// One request to a register. `B` identifies a body, usually by its hash.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Request<B> {
    /// Do it, once. `expired` when the request names a time after which it must not act, and that time has passed.
    Act {
        /// What is to be done.
        body: B,
        /// The request came after its own `not_after`.
        expired: bool,
    },
    /// If it was not done, see to it that it never will be. A body, where given, must be the register's own.
    Close {
        /// Whose effect the sender believes the key to stand for.
        body: Option<B>,
    },
    /// If it was done, undo it; if it was not, see to it that it never will be.
    Undo {
        /// Whose effect the sender believes the key to stand for.
        body: Option<B>,
    },
}

/// What the register asks its service for, inside the same transaction.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Effect {
    /// Perform the effect, or refuse it for good.
    Act,
    /// Revert the effect, or say that it cannot be reverted.
    Undo,
}

/// The register of one key. Absent is the default.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Register<B, G = Deployed> {
    state: Option<Definite>,
    body: Option<B>,
    guards: PhantomData<G>,
}

impl<B, G> Default for Register<B, G> {
    fn default() -> Self {
        Self { state: None, body: None, guards: PhantomData }
    }
}

impl<B: Clone + Eq, G: Guards> Register<B, G> {
    /// A register as it was stored: its state, and the body it acted on (or refused), if there was one.
    #[must_use]
    pub const fn stored(state: Option<Definite>, body: Option<B>) -> Self {
        Self { state, body, guards: PhantomData }
    }

    /// What the register says when it is only read. `None` is "absent", which proves nothing.
    #[must_use]
    pub const fn peek(&self) -> Option<Definite> {
        self.state
    }

    /// The body that the register acted on or refused.
    #[must_use]
    pub const fn body(&self) -> Option<&B> {
        self.body.as_ref()
    }

    /// Takes one request, asks the service for at most one effect, and answers.
    ///
    /// `service` performs the effect and says whether it did: `Ok(false)` to [`Effect::Act`] is a refusal, to
    /// [`Effect::Undo`] it says that the effect is irrevocable.
    ///
    /// # Errors
    /// Whatever `service` failed with. The register is then unchanged, and the caller rolls its transaction back.
    pub fn receive<E>(&mut self, request: Request<B>, service: impl FnOnce(Effect) -> Result<bool, E>) -> Result<Answer, E> {
        if self.belongs_to_another(&request) {
            return Ok(Answer::OtherBody);
        }
        match request {
            Request::Act { body, expired } => self.act(body, expired, service),
            Request::Close { .. } => Ok(self.close(G::CLOSE_LEAVES_TOMBSTONE)),
            Request::Undo { .. } => self.undo(service),
        }
    }

    /// A closed or undone key says so whatever the body: nothing of anybody's is at stake any more.
    fn belongs_to_another(&self, request: &Request<B>) -> bool {
        let asked = match request {
            Request::Act { body, .. } => Some(body),
            Request::Close { body } | Request::Undo { body } => body.as_ref(),
        };
        let at_stake = matches!(self.state, Some(Definite::Done | Definite::Refused));
        match (asked, &self.body) {
            (Some(asked), Some(own)) => G::BODY_IS_COMPARED && at_stake && asked != own,
            (None, _) | (_, None) => false,
        }
    }

    fn act<E>(&mut self, body: B, expired: bool, service: impl FnOnce(Effect) -> Result<bool, E>) -> Result<Answer, E> {
        let acts = match self.state {
            None if expired => return Ok(self.close(true)),
            None => true,
            Some(Definite::Done) => !G::ACT_IS_IDEMPOTENT,
            Some(Definite::Refused) => !G::REFUSAL_IS_STICKY,
            Some(Definite::Closed | Definite::Undone) if !G::LATE_ACT_IS_TOLD => return Ok(Answer::State(Definite::Done)),
            Some(Definite::Closed | Definite::Undone) => false,
        };
        if acts {
            let done = service(Effect::Act)?;
            self.state = Some(if done { Definite::Done } else { Definite::Refused });
            self.body = Some(body);
        }
        Ok(self.answer())
    }

    fn close(&mut self, tombstone: bool) -> Answer {
        if self.state.is_none() {
            if !tombstone {
                return Answer::State(Definite::Closed);
            }
            self.state = Some(Definite::Closed);
        }
        self.answer()
    }

    fn undo<E>(&mut self, service: impl FnOnce(Effect) -> Result<bool, E>) -> Result<Answer, E> {
        let reverts = match self.state {
            None if !G::UNDO_OF_ABSENT_IS_A_CLOSE => return Ok(Answer::State(Definite::Undone)),
            None => return Ok(self.close(G::UNDO_LEAVES_TOMBSTONE)),
            Some(Definite::Done) => true,
            Some(Definite::Undone) => !G::UNDO_IS_IDEMPOTENT,
            Some(Definite::Refused | Definite::Closed) => false,
        };
        if reverts && service(Effect::Undo)? {
            self.state = Some(Definite::Undone);
        }
        Ok(self.answer())
    }

    fn answer(&self) -> Answer {
        // A register that was just asked for something is never absent: every request but a read settles it.
        Answer::State(self.state.unwrap_or(Definite::Closed))
    }
}
