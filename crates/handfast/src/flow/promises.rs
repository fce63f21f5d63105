//! What the participant of a step does not promise: everything that is left out is the contract.

use std::time::Duration;

use handfast_protocol::stage::{CanBeUndone, Course, HasStep, Last};
use handfast_protocol::{Answers, Close, Repeat, Undo};

use super::builder::FlowBuilder;
use crate::clock::whole_ms;

/// # What a participant does not promise
///
/// Each of these speaks of the step that was added last, and what cannot be promised in consequence is a risk that
/// [`accept_risk`](Self::accept_risk) names. None of them changes what kind of step it is.
impl<C: Course, L: Last> FlowBuilder<C, L> {
    /// Its key cannot be closed: doubt ends only with an answer.
    #[must_use]
    pub fn cannot_close(self) -> Self
    where
        L: HasStep,
    {
        self.promise(|profile| profile.close = Close::Never)
    }

    /// Its key is closed for this long only, and an act that arrives later is carried out.
    #[must_use]
    pub fn closes_for(self, time: Duration) -> Self
    where
        L: HasStep,
    {
        self.promise(|profile| profile.close = Close::For(whole_ms(time)))
    }

    /// Closing what is not there does nothing, and an act that arrives later is carried out.
    #[must_use]
    pub fn close_needs_the_act(self) -> Self
    where
        L: HasStep,
    {
        self.promise(|profile| profile.close = Close::NoOpWhenAbsent)
    }

    /// Undoing what is not there does nothing, and an act that arrives later is carried out.
    #[must_use]
    pub fn undo_needs_the_act(self) -> Self
    where
        L: HasStep + CanBeUndone,
    {
        self.promise_when_undone(|profile| profile.undo = Undo::NoOpWhenAbsent)
    }

    /// It remembers a key for this long only, and carries an act out again after that.
    #[must_use]
    pub fn remembers(self, time: Duration) -> Self
    where
        L: HasStep,
    {
        self.promise(|profile| profile.repeat = Repeat::For(whole_ms(time)))
    }

    /// It carries every act out, also one that comes again: it is sent once, and from then on only looked for.
    #[must_use]
    pub fn not_idempotent(self) -> Self
    where
        L: HasStep,
    {
        self.promise(|profile| profile.repeat = Repeat::Never)
    }

    /// What it has refused it may accept when it is asked again.
    #[must_use]
    pub fn loose_refusals(self) -> Self
    where
        L: HasStep,
    {
        self.promise(|profile| profile.sticky_refusal = false)
    }

    /// Its effect lapses by itself after this long, unless a later step [captures](Self::captures) it.
    #[must_use]
    pub fn hold_expires(self, time: Duration) -> Self
    where
        L: HasStep + CanBeUndone,
    {
        self.promise_when_undone(|profile| profile.hold_expires_ms = Some(whole_ms(time)))
    }

    /// It cannot be looked at.
    #[must_use]
    pub fn cannot_look(self) -> Self
    where
        L: HasStep,
    {
        self.promise(|profile| (profile.peek, profile.undo_is_seen) = (false, false))
    }

    /// It accepts an act at first, and says what became of it when it is asked again.
    #[must_use]
    pub fn answers_later(self) -> Self
    where
        L: HasStep,
    {
        self.promise(|profile| profile.answers = Answers::Later)
    }
}
