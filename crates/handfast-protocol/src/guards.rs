//! Every rule that keeps a saga safe, by name, so that a mutant can lack exactly one of them.

use core::fmt::Debug;

/// The guards of the protocol. All are on in [`Deployed`], the only implementation that the engine and the
/// participants use; the lab's mutants switch off one each, and the same transition functions then show what breaks.
/// The constants fold away at compile time: the deployed code carries no switch.
pub trait Guards: Copy + Ord + Debug + core::hash::Hash + Send + Sync + 'static {
    /// Closing an absent key leaves a tombstone. Without it a close is a status read: "not found" taken as "not done".
    const CLOSE_LEAVES_TOMBSTONE: bool = true;
    /// Undoing an absent key leaves a tombstone, so that an act which the undo overtook finds the key closed.
    const UNDO_LEAVES_TOMBSTONE: bool = true;
    /// Undoing an absent key is told as closed, never as an undo that has nothing left to do.
    const UNDO_OF_ABSENT_IS_A_CLOSE: bool = true;
    /// An act on a key that is done does nothing again.
    const ACT_IS_IDEMPOTENT: bool = true;
    /// An undo on a key that is undone does nothing again.
    const UNDO_IS_IDEMPOTENT: bool = true;
    /// A refusal is for ever.
    const REFUSAL_IS_STICKY: bool = true;
    /// An act on a closed or undone key is answered as such, never as a success.
    const LATE_ACT_IS_TOLD: bool = true;
    /// A key that was used with another body answers so, and does nothing.
    const BODY_IS_COMPARED: bool = true;

    /// A deadline never turns "unknown" into "it did not happen".
    const UNKNOWN_IS_NOT_REFUSED: bool = true;
    /// A deadline never turns "unknown" into "it happened".
    const UNKNOWN_IS_NOT_DONE: bool = true;
    /// The irrevocable step is asked for only after the entry that makes every earlier step done.
    const DECISION_BEFORE_PIVOT: bool = true;
    /// Turning back closes the pivot's key even when this journal says that it was never sent.
    const UNSENT_PIVOT_IS_CLOSED: bool = true;
    /// No undo starts before the pivot's key is known to be closed or refused.
    const PIVOT_CLOSED_BEFORE_UNDO: bool = true;
    /// A pivot that turns out to be done sends the saga forward again.
    const DONE_PIVOT_MEANS_FORWARD: bool = true;
    /// A saga ends as cancelled only when every undo has been answered.
    const UNDO_IS_AWAITED: bool = true;
    /// An answer that lies earlier on the register's path than what is known is ignored.
    const STALE_ANSWER_IS_IGNORED: bool = true;
    /// A step that somebody else closed or undid turns the saga back.
    const CLOSED_ELSEWHERE_TURNS_BACK: bool = true;
    /// Of the commands for one key only the highest is ever delivered: act < look < close < undo.
    const COMMANDS_ARE_MONOTONE: bool = true;

    /// A refusal that does not hold closes the key.
    const LOOSE_REFUSAL_IS_CLOSED: bool = true;
    /// A refusal that does not hold, told of a close, closes nothing.
    const REFUSED_CLOSE_CLOSES_NOTHING: bool = true;
    /// A key in doubt that cannot be closed is asked until it answers.
    const UNCLOSABLE_IS_ASKED_AGAIN: bool = true;
    /// Nothing is sent to a key that its participant may have forgotten.
    const FORGOTTEN_KEY_IS_LEFT_ALONE: bool = true;
    /// A key that its participant may have forgotten is not closed either: it would be told as closed, whatever was done.
    const FORGOTTEN_KEY_IS_NOT_CLOSED: bool = true;
    /// What is out of reach keeps nothing else: everything that can be taken back is, before a person is asked.
    const REST_IS_TAKEN_BACK: bool = true;
    /// An act that must not be repeated is marked as sent before it is sent.
    const ACT_IS_MARKED_AS_SENT: bool = true;
    /// A key in doubt is closed before it is undone, where an undo that comes first leaves no tombstone.
    const ABSENT_IS_CLOSED_BEFORE_UNDO: bool = true;
    /// An undo waits for the undos that it is to come after.
    const UNDO_WAITS_ITS_TURN: bool = true;
    /// What rests on a hold is committed before the hold can lapse, or turned back.
    const HOLD_IS_COMMITTED_IN_TIME: bool = true;
    /// What is in effect with other values than were asked for is not taken for done.
    const OTHER_VALUES_ARE_NOT_DONE: bool = true;
    /// What is in effect with other values than were asked for is not taken for refused either.
    const OTHER_VALUES_ARE_IN_EFFECT: bool = true;
    /// What was undone by hand is not undone again for an answer with other values, and what was said not to be there is once one comes
    /// after the end.
    const OTHER_VALUES_MEET_THE_MARK: bool = true;
    /// An effect that appears after the end in *neither* is undone.
    const LATE_EFFECT_IS_UNDONE: bool = true;
    /// Where doing it twice hurts nobody, what the first answer said stays: the others speak of something else.
    const FIRST_OF_HARMLESS_STAYS: bool = true;
    /// An undo that was accepted is no undo: it is looked for until it is done, or has failed.
    const ACCEPTED_UNDO_IS_AWAITED: bool = true;
    /// An undo that has failed is for a person, and not looked for any more.
    const FAILED_UNDO_IS_TOLD: bool = true;
    /// An undo that must not be repeated is marked as sent before it is sent.
    const UNDO_IS_MARKED_AS_SENT: bool = true;
    /// Such an undo is repeated only once nothing of it can be on the road any more and what was done is still there.
    const UNDO_IS_REPEATED_ONCE_LATE: bool = true;
    /// A look that finds nothing is no refusal: what was asked for may still be on the road.
    const NOTHING_FOUND_IS_NOT_REFUSED: bool = true;
    /// A refusal that a look finds counts only where refusals hold.
    const LOOSE_REFUSAL_IS_NOT_FOUND: bool = true;
    /// A look that finds nothing ends a watch only if it left after the watch's end, whenever its answer comes.
    const LOOK_COUNTS_FROM_ITS_LEAVING: bool = true;

    /// Turning back asks for no close that cannot be written, because it names what an earlier step was to bring.
    const UNWRITABLE_CLOSE_IS_NOT_SENT: bool = true;
    /// While the step that was to bring it is in doubt, nothing follows for the one that needs it.
    const NEED_IN_DOUBT_IS_AWAITED: bool = true;
    /// What a later step's close names is known before the step that brings it is undone.
    const NEED_IS_KNOWN_BEFORE_UNDO: bool = true;
    /// That the step that brought it was undone does not prove that the one that needs it was never asked.
    const UNDONE_NEED_PROVES_NOTHING: bool = true;

    /// A contradiction keeps nothing else: everything that can be taken back is, before a person is asked.
    const CONTRADICTION_KEEPS_NOTHING_ELSE: bool = true;
    /// A step that a person marks as not done is taken as off only once no act can be on the road any more.
    const NOT_DONE_IS_NO_ANSWER: bool = true;
    /// What a participant says of a key counts, whatever a person has marked it as.
    const MARK_IS_OVERRULED: bool = true;
    /// A gate that can be asked is asked, and not marked.
    const GATE_IS_CLOSED_NOT_MARKED: bool = true;
    /// Asking again sends nothing a second time that may leave only once.
    const RETRY_SENDS_NOTHING_TWICE: bool = true;
    /// A saga for which nobody waits any longer has ended in neither of the two.
    const SETTLED_IS_NO_OUTCOME: bool = true;
    /// What somebody saw of a participant's store is named by the key that changed, not only by the store's number.
    const SEEN_NAMES_A_KEY: bool = true;
    /// What somebody saw is named by the mark that its change drew, not only by key and number.
    const SEEN_NAMES_A_MARK: bool = true;
    /// A register keeps the number and mark of both its changes.
    const BOTH_CHANGES_STAY: bool = true;
    /// The changes of a store commit in the order of their numbers.
    const CHANGES_COMMIT_IN_ORDER: bool = true;
    /// What a participant's former life had answered is read again before anything irrevocable rests on it.
    const FORMER_LIFE_IS_READ_AGAIN: bool = true;
    /// Nothing is undone before a gate that was closed in a former life is closed again.
    const FORGOTTEN_GATE_HOLDS_UNDOS: bool = true;
    /// Nothing irrevocable, and no undo, rests on what a participant had answered that is known to have been put back.
    const KNOWN_RESTORE_HOLDS: bool = true;
    /// Nothing but a look is sent to another address than where a key was asked for, until that knows it.
    const MOVED_KEY_IS_ONLY_FOUND: bool = true;
    /// That a key is not known, closed or refused at another address than where it was asked for proves nothing.
    const NOT_FOUND_ELSEWHERE_IS_NOT_OFF: bool = true;
    /// Where an undo may have left for one address it leaves for no other, though what was done is still there: those may be copies of
    /// the books in which it is undone.
    const UNDO_LEAVES_FOR_ONE_ADDRESS: bool = true;
    /// What a person says is not done counts for a step that has moved only once nothing can be on the road to where it was asked for.
    const NOT_DONE_ELSEWHERE_IS_SAID_AGAIN: bool = true;
    /// That another address confirms what was seen of a participant's store does not show that both keep the same books: it may have
    /// begun with a copy of them.
    const CONFIRMED_HISTORY_IS_NOT_SAME_BOOKS: bool = true;
    /// What a journal that came back from a backup does not know to have been asked for counts as asked for where its service moves.
    const UNKNOWN_COUNTS_AS_ASKED: bool = true;
    /// Where a service has moved, a journal that came back from a backup may have forgotten what left since: an undo leaves for no other
    /// address, and what a person says is not done is waited with anew.
    const FORGOTTEN_SINCE_MAY_HAVE_LEFT: bool = true;
    /// What a person said of a step counts no longer than the life of its participant in which it was said.
    const WORD_ENDS_WITH_A_LIFE: bool = true;
    /// The step that decides is not marked as not done once a step after it was asked for.
    const FOLLOWED_GATE_STAYS: bool = true;
    /// A change that was seen stands for another one only where it is proven that both lie in one history.
    const SEEN_IS_JOINED_BY_PROOF: bool = true;
}

/// The protocol as it is deployed: every guard on.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Deployed;

impl Guards for Deployed {}
