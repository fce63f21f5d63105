//! What turning back does about a step whose close cannot be written: it names what an earlier step's answer was to bring.
//!
//! A saga that turns back closes keys that its journal says were never asked, since an older journal may have come back. Where
//! the close goes by a value that an earlier step brings (`/intents/pi_1/cancel`), there is nothing to send before that step was
//! done; and where it never was, nobody can have asked for this one.
//!
//! | the earlier step | the step that was never asked |
//! | --- | --- |
//! | done | is closed, like any other |
//! | in doubt | waits: the earlier one is closed, or asked until it answers |
//! | refused, closed, in effect with other values, harmless and in doubt | is off, since nobody can have asked for it |
//! | undone, and this journal has never seen it done | the gate is off, since nothing is undone before it is; of any other step only a person can know |

use super::coordinator::{Coordinator, Phase, StepState};
use super::person::Mark;
use crate::guards::Guards;
use crate::register::Definite;

/// What is known of a step by what its close needs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Closing {
    /// Its close can be sent, or needs nothing.
    Possible,
    /// What it needs may come yet.
    Awaited,
    /// What it needs never came to be, so nobody can have asked for the step.
    NeverAsked,
    /// What it needs is not to be had any more, and somebody may have asked for the step.
    Lost,
}

impl<G: Guards> Coordinator<G> {
    /// How a step's key can be closed, in a saga that turns back.
    pub(super) fn closing(&self, step: usize) -> Closing {
        let needs = self.plan.steps()[step].close_needs;
        let StepState { asked, known, mark, .. } = self.steps[step];
        if needs.is_empty() || !G::UNWRITABLE_CLOSE_IS_NOT_SENT || asked.is_some() || known.is_some() || mark.is_some() {
            return Closing::Possible;
        }
        let mut closing = Closing::Possible;
        for needed in needs.iter() {
            match self.closing_by(step, needed) {
                Closing::NeverAsked => return Closing::NeverAsked,
                Closing::Lost => closing = Closing::Lost,
                Closing::Awaited if closing == Closing::Possible => closing = Closing::Awaited,
                Closing::Awaited | Closing::Possible => {}
            }
        }
        closing
    }

    /// The same by one of the steps that it needs.
    fn closing_by(&self, step: usize, needed: usize) -> Closing {
        let state = self.steps[needed];
        let is_undone = match state.known {
            _ if state.is_contradicted => return Closing::Awaited,
            Some(Definite::Done) if state.is_other => return Closing::NeverAsked,
            Some(Definite::Done) => return Closing::Possible,
            Some(Definite::Refused | Definite::Closed) => return Closing::NeverAsked,
            Some(Definite::Undone) => true,
            None if state.is_marked(Mark::NotDone) && state.mark_counts => return Closing::NeverAsked,
            None if self.is_harmless_in_doubt(needed) || !G::NEED_IN_DOUBT_IS_AWAITED => return Closing::NeverAsked,
            None => state.is_marked(Mark::Undone),
        };
        match (is_undone, self.plan.gate() == Some(step)) {
            (false, _) => Closing::Awaited,
            (true, true) => Closing::NeverAsked,
            (true, false) if !G::UNDONE_NEED_PROVES_NOTHING => Closing::NeverAsked,
            (true, false) => Closing::Lost,
        }
    }

    /// It was never asked, and nobody can have asked for it: a saga that turned back takes it for off.
    pub(super) fn was_never_possible(&self, step: usize) -> bool {
        let has_turned = !matches!(self.phase, Phase::Placed | Phase::Forward);
        has_turned && step < self.steps.len() && self.closing(step) == Closing::NeverAsked
    }

    /// Whether a step after this one is closed by what this one's answer brings, which nobody's word can take the place of.
    pub(super) fn is_needed_to_close(&self, step: usize) -> bool {
        self.plan.steps().iter().any(|other| other.close_needs.contains(step))
    }
}
