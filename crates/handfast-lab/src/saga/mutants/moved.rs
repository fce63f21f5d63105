//! The mutants of services that move.

use super::Mutant;
use super::lacks::{
    ActsElsewhere, BelievesACopy, BelievesAHastyWord, BelievesOtherBooks, ForgetsARefund, TrustsABackup, UndoesAtACopy,
};
use super::unguarded::Of;
use crate::moved::Moved;

pub(super) const ASKED_ELSEWHERE: Mutant = Mutant {
    name: "asked-elsewhere",
    guard: "nothing but a look is sent to another address than where a key was asked for, until that knows it",
    hazard: "the bank's address in the flow file is changed while a charge is in doubt, and the customer is charged at both banks",
    breaks: "nothing is done twice, in whatever books",
    world: || Box::new(Of(Moved::<ActsElsewhere>::new())),
};

pub(super) const NOT_FOUND_ELSEWHERE: Mutant = Mutant {
    name: "not-found-elsewhere",
    guard: "that a key is not known at another address than where it was asked for proves nothing",
    hazard: "the new bank has never heard of the charge, so the order is cancelled, and the old one keeps the money",
    breaks: "cancelled is neither, in whatever books",
    world: || Box::new(Of(Moved::<BelievesOtherBooks>::new())),
};

pub(super) const COPY_CONFIRMS_THE_PAST: Mutant = Mutant {
    name: "copy-confirms-the-past",
    guard: "that another address confirms what was seen of a participant does not show that it keeps the same books",
    hazard: "the bank moves with a copy of its books, which knows all that was seen, the charge is still on the road to the old one, and the customer is charged at both",
    breaks: "nothing is done twice, in whatever books",
    world: || Box::new(Of(Moved::<BelievesACopy>::new().with_copies())),
};

pub(super) const REFUNDED_AT_A_COPY: Mutant = Mutant {
    name: "refunded-at-a-copy",
    guard: "an undo that may have left for one address leaves for no other",
    hazard: "the refund is on the road to the old bank, the new one has a copy of the books in which the charge stands, and the customer is paid twice",
    breaks: "nothing is undone twice, in whatever books",
    world: || Box::new(Of(Moved::<UndoesAtACopy>::new().with_copies())),
};

pub(super) const HASTY_WORD_ELSEWHERE: Mutant = Mutant {
    name: "hasty-word-elsewhere",
    guard: "what a person says is not done counts for a step that has moved only where it is said once nothing can be on the road",
    hazard: "somebody asks the old bank and finds no charge, it arrives there a minute later, and only the new bank is looked at",
    breaks: "cancelled is neither, in whatever books",
    world: || Box::new(Of(Moved::<BelievesAHastyWord>::new().with_a_person())),
};

pub(super) const BACKUP_FORGETS_THE_GATE: Mutant = Mutant {
    name: "backup-forgets-the-gate",
    guard: "what a journal that came back does not know to have been asked for counts as asked for where its service moves",
    hazard: "the journal comes back from a backup that does not know of the dispatch, the depot moves, its new address refuses, and the payment is given back for goods that have left",
    breaks: "dispatched only if paid",
    world: || Box::new(Of(Moved::<TrustsABackup>::new().restores(1).patient())),
};

pub(super) const BACKUP_FORGETS_THE_REFUND: Mutant = Mutant {
    name: "backup-forgets-the-refund",
    guard: "where a service has moved, what a journal that came back does not know of may have left: an undo leaves for no other address, and a word is waited with anew",
    hazard: "a refund is on the road to the old bank, the journal comes back from a backup that does not know of it, the new bank has a copy of the books in which the charge stands, and the customer is paid twice",
    breaks: "nothing is undone twice, in whatever books",
    world: || Box::new(Of(Moved::<ForgetsARefund>::new().restores(1).with_copies().patient())),
};
