//! What the coordinator does where a step's key was asked for at one address, and its service is called at another from then on.
//!
//! Whoever answers there may keep the same books, or others. At other books an act would be done twice, and that they do not know
//! the key proves nothing. So while nobody has said that the books are the same nothing but a look leaves for the new address:
//!
//! | what is known of the key | is sent | it answers | and |
//! | --- | --- | --- | --- |
//! | it is off, or done and wanted | nothing | | |
//! | nothing, or it is done and to be taken back | a look | done, undone | it knows the key, so it keeps the same books: that counts, and it is asked for everything again |
//! | | | closed, refused, absent | that proves nothing: it waits for a person |
//! | an undo may have left for a former address | a look | undone | that counts |
//! | | | anything else | that proves nothing: it waits for a person |
//! | | (it cannot be looked at) | | it waits for a person |
//!
//! Whoever answers at the new address may have begun with a *copy* of the former books, beside which the former address still carries
//! out what is on the road to it. That a copy knows what was seen shows that it is one, and not that nothing else is on the road: so
//! no history that it confirms stands for a person's word, and an undo that may have left for a former address leaves for no other.
//!
//! Nor is *not done* true for long that a person says at once: what is on the road to the former address is seen by no look at the new
//! one. So it counts only where it is said, or said once more, when nothing can be on the road any more. A journal that came back
//! from a backup may have forgotten that the books were said to be the same and that something left since: then it is waited anew.
//!
//! What is answered to an act, a close or an undo meanwhile left for the former address before, and counts as ever. An answer to a
//! look that left for the former address is not told: nobody could tell whose books it is of.
//!
//! A saga that still goes forward waits for the person where it is: until its deadline comes it neither turns back nor does it
//! go on without the step. A person says that the books are the same, lets it be looked for again, or says what became of it.

use super::coordinator::{Coordinator, Phase, StepState};
use super::message::{Command, Evidence, Operation};
use crate::guards::Guards;
use crate::register::{Answer, Definite};

/// A step's key was asked for at another address than it would be now, and nobody has said that both keep the same books.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(super) struct Moved {
    /// What is known of it at the new address.
    pub(super) there: There,
    /// An undo may have left for a former address.
    pub(super) undo_may_have_left: bool,
    /// Since it moved so much time has passed that nothing can be on the road to a former address any more.
    pub(super) road_is_clear: bool,
}

/// What is known of a step's key at the address to which its service has moved.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(super) enum There {
    /// Whoever answers there is asked whether the key is known.
    LookedFor,
    /// The key is not known there.
    NotFound,
    /// Whoever answers there cannot be asked.
    CannotBeLookedAt,
}

impl StepState {
    fn there(self) -> Option<There> {
        self.moved.map(|moved| moved.there)
    }

    fn stands_there(&mut self, there: There) {
        self.moved = self.moved.map(|moved| Moved { there, ..moved });
    }

    /// Something is to be delivered for its key, and whoever answers there now cannot say what became of it.
    pub(super) fn is_lost_by_moving(self) -> bool {
        let is_unknown = matches!(self.there(), Some(There::NotFound | There::CannotBeLookedAt));
        is_unknown && !self.is_contradicted && !self.is_settled() && !self.waits_with_mark()
    }

    /// It is looked for at the new address.
    fn is_looked_for_by_moving(self) -> bool {
        self.there() == Some(There::LookedFor) && !self.is_contradicted && !self.is_settled()
    }
}

impl<G: Guards> Coordinator<G> {
    /// The service of a step is called at another address from now on, or was already when its journal came back. Of a journal that came back nobody knows what was asked for.
    pub(super) fn take_move(&mut self, step: usize, can_be_looked_at: bool, came_back: bool) {
        let may_have_been_asked = self.was_asked(step) || (came_back && G::UNKNOWN_COUNTS_AS_ASKED && step < self.steps.len());
        // Who may be asked twice for what hurts nobody may be asked at two addresses.
        let is_about_it = self.may_look_elsewhere() && may_have_been_asked && !self.is_harmless_in_doubt(step);
        if !G::MOVED_KEY_IS_ONLY_FOUND || !is_about_it {
            return;
        }
        let state = &mut self.steps[step];
        let there = if can_be_looked_at { There::LookedFor } else { There::CannotBeLookedAt };
        let undo_may_have_left = state.asked == Some(Operation::Undo);
        // While it is moved nothing but looks leaves.
        let mut moved = state.moved.unwrap_or(Moved { there, undo_may_have_left, road_is_clear: false });
        moved.there = there;
        if came_back && G::FORGOTTEN_SINCE_MAY_HAVE_LEFT {
            // It may have left anywhere: a word that was waited with is older than that.
            (moved.undo_may_have_left, moved.road_is_clear) = (true, false);
            state.mark = state.mark.filter(|_| !state.waits_with_mark());
        }
        state.moved = Some(moved);
    }

    /// Whoever answers for a step now keeps the books of whoever was asked before.
    pub(super) fn take_same_books(&mut self, step: usize) {
        if let Some(state) = self.steps.get_mut(step)
            && state.moved.take().is_some()
            && state.is_asked_back()
            && self.phase == Phase::Cancelled
        {
            self.phase = Phase::Watching;
        }
    }

    /// Something may have left for a step's key.
    #[must_use]
    pub fn was_asked(&self, step: usize) -> bool {
        self.steps.get(step).is_some_and(|state| state.asked.is_some()) && !self.was_never_sent(step)
    }

    /// A step's key was asked for at another address than it would be now, and nothing has shown that both keep the same books.
    #[must_use]
    pub fn is_moved(&self, step: usize) -> bool {
        self.steps.get(step).is_some_and(|state| state.moved.is_some())
    }

    /// Whoever answers at the new address of a step does not know its key, or cannot be asked, and only a person can say more.
    #[must_use]
    pub fn is_lost_by_moving(&self, step: usize) -> bool {
        self.steps.get(step).is_some_and(|state| state.is_lost_by_moving())
    }

    /// A look may still change something: it is under way, waits for a person, or is watched.
    fn may_look_elsewhere(&self) -> bool {
        self.is_under_way() || matches!(self.phase, Phase::Suspended | Phase::Watching)
    }

    /// What is to be delivered for a step that has moved.
    pub(super) fn wanted_of_moved(&self, step: usize) -> Option<Operation> {
        let state = self.steps[step];
        let is_moot = self.phase != Phase::Forward && self.was_never_sent(step);
        let is_wanted = state.waits_with_mark() || !(state.is_settled() || state.is_out_of_reach());
        (self.may_look_elsewhere() && is_wanted && !is_moot).then_some(Operation::Look)
    }

    /// A look at a step that has moved was answered. Says whether it was dealt with here.
    pub(super) fn took_word_from_elsewhere(&mut self, to: Command, answer: Answer) -> bool {
        let state = &mut self.steps[to.step];
        let Some(moved) = state.moved.filter(|_| to.operation == Operation::Look) else { return false };
        match answer {
            Answer::State(Definite::Done) if moved.undo_may_have_left && G::UNDO_LEAVES_FOR_ONE_ADDRESS => {
                // That it was done is true of either, that it still is may be true of the copy alone.
                let is_to_be_undone = state.asked == Some(Operation::Undo);
                if is_to_be_undone {
                    self.was_not_found_elsewhere(to.step);
                }
                is_to_be_undone
            }
            Answer::State(Definite::Done) => {
                state.moved = None;
                false
            }
            Answer::State(Definite::Undone) => {
                state.moved = None;
                let is_news = !state.is_void && !state.is_off();
                if is_news {
                    state.know(Definite::Undone);
                }
                is_news
            }
            Answer::State(Definite::Refused | Definite::Closed) if !G::NOT_FOUND_ELSEWHERE_IS_NOT_OFF => {
                state.moved = None;
                false
            }
            Answer::State(Definite::Refused | Definite::Closed) | Answer::OtherBody => {
                self.was_not_found_elsewhere(to.step);
                true
            }
        }
    }

    /// A look at a step that has moved found nothing that counts.
    pub(super) fn was_not_found_elsewhere(&mut self, step: usize) {
        if !self.steps[step].is_looked_for_by_moving() || self.steps[step].waits_with_mark() {
            return;
        }
        if G::NOT_FOUND_ELSEWHERE_IS_NOT_OFF {
            self.steps[step].stands_there(There::NotFound);
        } else {
            self.steps[step].know(Definite::Refused);
        }
    }

    /// A step is marked as not done, and nothing can be on the road any more. Whoever is looked at after a move may not see what has
    /// arrived at a former address since that was said, so it has to be said once more. Says whether it was dealt with here.
    pub(super) fn asks_for_word_again(&mut self, step: usize) -> bool {
        let state = &mut self.steps[step];
        let Some(moved) = state.moved.filter(|moved| !moved.road_is_clear && G::NOT_DONE_ELSEWHERE_IS_SAID_AGAIN) else {
            return false;
        };
        state.moved = Some(Moved { road_is_clear: true, ..moved });
        state.mark = None;
        true
    }

    /// What a person says of a step that has moved is about a road that is clear.
    pub(super) fn is_clear_of_what_moved(&self, step: usize) -> bool {
        self.steps.get(step).and_then(|state| state.moved).is_some_and(|moved| moved.road_is_clear)
    }

    /// A watch that ends at another address than it began proves nothing: it ends all the same, and that is told.
    pub(super) fn tell_of_watch_elsewhere(&mut self, step: usize) {
        if self.steps[step].moved.is_some() && self.phase == Phase::Watching {
            self.tell(Evidence::Moved { step });
        }
    }

    /// What waits for a person because it has moved is told, and told no more once it does not. What has to be closed by now keeps
    /// nothing else.
    pub(super) fn rest_on_moves(&mut self) {
        if !self.is_under_way() {
            return;
        }
        let is_lost = |step: &usize| self.steps[*step].is_lost_by_moving();
        self.evidence = self.evidence.filter(|told| !matches!(told, Evidence::Moved { step } if !is_lost(step)));
        if let Some(step) = (0..self.steps.len()).find(is_lost) {
            self.tell(Evidence::Moved { step });
        }
    }

    /// It goes no further until a person has said something, and waits where it is.
    pub(super) fn waits_where_it_moved(&self) -> bool {
        self.steps.iter().any(|state| state.is_lost_by_moving()) && !self.is_in_doubt()
    }

    /// A step that has moved should be closed by now, and nobody can be asked to.
    pub(super) fn is_late_by_moving(&self) -> bool {
        self.steps.iter().any(|state| state.asked == Some(Operation::Close) && state.is_lost_by_moving())
    }

    /// A person lets somebody look once more where a step's key was not known. Who cannot be looked at still cannot.
    pub(super) fn look_where_they_moved(&mut self) {
        for state in self.steps.iter_mut().filter(|state| state.is_lost_by_moving() && state.there() == Some(There::NotFound)) {
            state.stands_there(There::LookedFor);
        }
    }
}
