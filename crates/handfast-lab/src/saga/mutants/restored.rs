//! The mutants of stores that are put back.

use super::Mutant;
use super::lacks::{
    BelievesAFormerLife, BelievesAWordForEver, CommitsOutOfOrder, ForgetsTheFirstChange, JoinsByNumber, MarksAFollowedGate,
    NamesNoMark, NamesNumbers, ShipsOnAKnownRestore, UndoesOnAForgottenGate,
};
use super::unguarded::{Of, two_callers};
use crate::history::History;
use crate::restored::{Plan, Restored};

pub(super) const NUMBERS_ALONE: Mutant = Mutant {
    name: "numbers-alone",
    guard: "what somebody saw of a store is named by the key that changed, not only by the store's number",
    hazard: "the store is put back, somebody else's orders lift its number again, and what was forgotten is never told",
    breaks: "nothing is done for whoever saw what was forgotten",
    world: two_callers::<NamesNumbers>,
};

pub(super) const KEY_WITHOUT_MARK: Mutant = Mutant {
    name: "key-without-mark",
    guard: "what somebody saw of a store is named by the mark that its change drew",
    hazard: "a copy of the act arrives after the restore, and gives its key the same number again",
    breaks: "nothing is done for whoever saw what was forgotten",
    world: two_callers::<NamesNoMark>,
};

pub(super) const LAST_CHANGE_ONLY: Mutant = Mutant {
    name: "last-change-only",
    guard: "a register keeps the number and mark of both its changes",
    hazard: "an honest undo moves the number, and a store that has forgotten nothing is shut out",
    breaks: "a store that has forgotten nothing is not behind",
    world: || Box::new(Of(History::honest().under::<ForgetsTheFirstChange>())),
};

pub(super) const COMMITS_OUT_OF_ORDER: Mutant = Mutant {
    name: "commits-out-of-order",
    guard: "the changes of a store commit in the order of their numbers",
    hazard: "a copy holds the seventh change without the sixth, and whoever confirms the seventh has forgotten the sixth",
    breaks: "nothing is done for whoever saw what was forgotten",
    world: two_callers::<CommitsOutOfOrder>,
};

pub(super) const HIGHEST_NUMBER_WINS: Mutant = Mutant {
    name: "highest-number-wins",
    guard: "a change that was seen stands for another one only where it is proven that both lie in one history",
    hazard: "a late answer of the store that was put back has the higher number, and takes the place of what was forgotten",
    breaks: "nothing is done for whoever saw what was forgotten",
    world: two_callers::<JoinsByNumber>,
};

pub(super) const FORMER_LIFE_BELIEVED: Mutant = Mutant {
    name: "former-life-believed",
    guard: "what a participant's former life had answered is read again before anything irrevocable rests on it",
    hazard: "the payment service is put back and accepted, and the goods leave on a charge that it has forgotten",
    breaks: "nothing irrevocable rests on what was forgotten",
    world: || Box::new(Of(Restored::<BelievesAFormerLife>::new())),
};

pub(super) const UNDONE_ON_A_FORGOTTEN_GATE: Mutant = Mutant {
    name: "undone-on-a-forgotten-gate",
    guard: "nothing is undone before a gate that was closed in a former life is closed again",
    hazard: "one store has the payment and the dispatch, and is put back; the refund leaves while a late parcel may yet go out",
    breaks: "nothing is undone while the gate is open",
    world: || Box::new(Of(Restored::<UndoesOnAForgottenGate>::of(Plan::BothAtOneHouse))),
};

pub(super) const SHIPS_ON_A_KNOWN_RESTORE: Mutant = Mutant {
    name: "ships-on-a-known-restore",
    guard: "nothing irrevocable, and no undo, rests on a participant that is known to have been put back",
    hazard: "the payment service says that it was put back, and the goods leave on its charge before anybody has accepted that",
    breaks: "nothing irrevocable rests on what was forgotten",
    world: || Box::new(Of(Restored::<ShipsOnAKnownRestore>::new().accepted_later())),
};

pub(super) const WORD_OUTLIVES_A_LIFE: Mutant = Mutant {
    name: "word-outlives-a-life",
    guard: "what a person said of a step counts no longer than the life of its participant in which it was said",
    hazard: "somebody has looked up the parcel, the depot is put back once more, and the order is complete without one",
    breaks: "completed is both",
    world: || {
        let world = Restored::<BelievesAWordForEver>::of(Plan::DispatchThenNotice);
        Box::new(Of(world.with_a_person().restores(2)))
    },
};

pub(super) const FOLLOWED_GATE_MARKED: Mutant = Mutant {
    name: "followed-gate-marked",
    guard: "the step that decides is not marked as not done once a step after it was asked for",
    hazard: "the depot has forgotten a parcel, somebody says that nothing was dispatched, and the invoice that followed stays",
    breaks: "cancelled is neither",
    world: || Box::new(Of(Restored::<MarksAFollowedGate>::of(Plan::DispatchThenNotice).with_a_person())),
};
