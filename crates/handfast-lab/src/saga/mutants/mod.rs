//! The mutants: the deployed protocol with one guard removed each, and the shortest run that each of them then allows.
//!
//! A guard that could be removed without any mutant being caught would be a guard that nobody can show to be needed.

mod lacks;
mod moved;
mod restored;
mod unguarded;

use handfast_protocol::Deployed;

use self::lacks::*;
use self::unguarded::*;
use super::adversary::{Adversary, Person};
use super::flows::{UNCLOSABLE, flow};
use super::follow::{Followed, Lost};
use super::machine::Machine;
use super::network::Network;
use super::suite::{pay_ship_notify, payment_then_dispatch, two_in_turn, two_payments};
use crate::diagram::Diagram;

/// One guard removed, and what that is expected to break.
#[derive(Clone, Copy, Debug)]
pub struct Mutant {
    /// Its name, which is also the name of the snapshot of its shortest run.
    pub name: &'static str,
    /// The rule that is missing.
    pub guard: &'static str,
    /// What people ship instead, or what happens to them.
    pub hazard: &'static str,
    /// The property that it breaks.
    pub breaks: &'static str,
    /// The deployed code without the guard, in a world that is enough to show what goes wrong.
    world: fn() -> Box<dyn Unguarded>,
}

/// A mutant that was caught.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Caught {
    /// The adversary that was enough.
    pub adversary: String,
    /// The shortest run that breaks the property, in words.
    pub run: Vec<String>,
    /// The world at its end, in words.
    pub end: String,
    /// The run as a picture.
    pub picture: Diagram,
}

impl Mutant {
    /// Explores it until the property it is expected to break is broken. `None`: it got away.
    #[must_use]
    pub fn hunt(&self) -> Option<Caught> {
        (self.world)().hunt(self)
    }

    /// Executes a run again, of which every action is given in the words of [`Caught::run`].
    ///
    /// # Errors
    /// The first action that cannot happen where the run has come to, or what the run should break and does not.
    pub fn follow(&self, run: &[String]) -> Result<Followed, Lost> {
        (self.world)().follow(self, run)
    }
}

fn set() -> Adversary {
    Adversary::new(Network::Set)
}

fn without_cancel() -> Adversary {
    Adversary { cancels: false, ..set() }
}

fn multiset() -> Adversary {
    Adversary::new(Network::Multiset { capacity: 1 })
}

/// Every mutant: those of the register first, then the coordinator's, then the driver's.
pub static MUTANTS: &[Mutant] = &[
    Mutant {
        name: "not-found-is-final",
        guard: "closing an absent key leaves a tombstone",
        hazard: "the status says \"not found\", the order is cancelled, and the charge arrives afterwards",
        breaks: "cancelled is never charged",
        world: || world::<CloseIsARead>(payment_then_dispatch(), set()),
    },
    Mutant {
        name: "undo-without-tombstone",
        guard: "undoing an absent key leaves a tombstone",
        hazard: "the refund overtakes the charge, is a no-op, and the charge arrives afterwards",
        breaks: "cancelled is never charged",
        world: || world::<UndoForgetsAbsent>(payment_then_dispatch(), set()),
    },
    Mutant {
        name: "undo-a-no-op-when-absent",
        guard: "undoing an absent key closes it, and says so",
        hazard: "there is nothing to refund yet, the refund is answered as a success, and the charge arrives afterwards",
        breaks: "cancelled is never charged",
        world: || world::<UndoIsANoOp>(payment_then_dispatch(), set()),
    },
    Mutant {
        name: "charge-not-idempotent",
        guard: "an act on a key that is done does nothing again",
        hazard: "the answer is lost, the charge is sent again, and the customer pays twice",
        breaks: "at most once",
        world: || world::<ActsTwice>(payment_then_dispatch(), set()),
    },
    Mutant {
        name: "refund-not-idempotent",
        guard: "an undo on a key that is undone does nothing again",
        hazard: "the answer is lost, the refund is sent again, and the customer is paid",
        breaks: "at most once",
        world: || world::<UndoesTwice>(payment_then_dispatch(), set()),
    },
    Mutant {
        name: "refusal-not-sticky",
        guard: "a refusal is for ever",
        hazard: "the card was declined, the order is cancelled, and a copy of the charge is tried again and accepted",
        breaks: "cancelled is never charged",
        world: || world::<RefusalIsLoose>(payment_then_dispatch(), set()),
    },
    Mutant {
        name: "late-act-answered-as-success",
        guard: "an act on a closed key says so",
        hazard: "the key was closed, the late charge is answered with 200, and the goods leave unpaid",
        breaks: "dispatched only if paid",
        world: || world::<LateActIsSuccess>(payment_then_dispatch(), set()),
    },
    Mutant {
        name: "any-body-will-do",
        guard: "a key that was used with another body says so",
        hazard: "two orders share a key, and cancelling one refunds the other",
        breaks: "hands off",
        world: || world::<AnyBodyWillDo>(payment_then_dispatch(), Adversary { foreign_key: Some(0), ..set() }),
    },
    Mutant {
        name: "tombstone-expires",
        guard: "a closed key stays closed",
        hazard: "the tombstone is pruned before the last late charge has arrived",
        breaks: "cancelled is never charged",
        world: || {
            let mut adversary = set();
            adversary.stores.keep_tombstones = false;
            world::<Deployed>(payment_then_dispatch(), adversary)
        },
    },
    Mutant {
        name: "key-forgotten",
        guard: "a key that was used stays known",
        hazard: "idempotency keys are pruned after a day, and a retry after that charges again",
        breaks: "at most once",
        world: || {
            let mut adversary = without_cancel();
            adversary.stores.keep_keys = false;
            world::<Deployed>(payment_then_dispatch(), adversary)
        },
    },
    Mutant {
        name: "effect-without-register",
        guard: "the register's row and the effect are committed together",
        hazard: "the charge is booked, the process dies before the key is, and the retry charges again",
        breaks: "at most once",
        world: || {
            let mut adversary = set();
            adversary.stores.commit_atomically = false;
            world::<Deployed>(payment_then_dispatch(), adversary)
        },
    },
    Mutant {
        name: "unknown-becomes-refused",
        guard: "a deadline never turns \"unknown\" into \"it did not happen\"",
        hazard: "the call got no answer in time, so it is taken as failed",
        breaks: "cancelled is never charged",
        world: || world::<UnknownIsRefused>(payment_then_dispatch(), set()),
    },
    Mutant {
        name: "dispatch-on-time-out",
        guard: "a deadline never turns \"unknown\" into \"it happened\"",
        hazard: "the charge got no answer in time, and the goods are sent in good faith",
        breaks: "dispatched only if paid",
        world: || world::<UnknownIsDone>(payment_then_dispatch(), set()),
    },
    Mutant {
        name: "dispatch-before-the-decision",
        guard: "the irrevocable step waits for the entry that makes every earlier step done",
        hazard: "payment and dispatch are asked for side by side",
        breaks: "dispatched only if paid",
        world: || world::<ShipsWhileCharging>(payment_then_dispatch(), set()),
    },
    Mutant {
        name: "unsent-pivot-not-closed",
        guard: "turning back closes the pivot's key even when the journal says that it was never sent",
        hazard: "the coordinator was restored from a backup that does not know of the dispatch any more",
        breaks: "dispatched only if paid",
        world: || world::<TrustsItsJournal>(payment_then_dispatch(), set().restores(1)),
    },
    Mutant {
        name: "undo-beside-the-close",
        guard: "no undo starts before the pivot's key is known to be closed or refused",
        hazard: "refund and recall are sent together, and the goods have left",
        breaks: "dispatched only if paid",
        world: || world::<RefundsAtOnce>(payment_then_dispatch(), set()),
    },
    Mutant {
        name: "done-pivot-ignored",
        guard: "a pivot that turns out to be done sends the saga forward again",
        hazard: "the cancel wins over a dispatch that has happened",
        breaks: "dispatched only if paid",
        world: || world::<RefundsShippedGoods>(payment_then_dispatch(), set()),
    },
    Mutant {
        name: "cancelled-before-the-refund",
        guard: "a saga ends as cancelled only when every undo has been answered",
        hazard: "the order says cancelled while the refund is still on its way, or lost",
        breaks: "cancelled is never charged",
        world: || world::<EndsBeforeTheUndo>(payment_then_dispatch(), set()),
    },
    Mutant {
        name: "last-answer-wins",
        guard: "an answer that lies earlier on the register's path than what is known is ignored",
        hazard: "an old answer overtakes a newer one and is believed",
        breaks: "knowledge never goes back",
        world: || world::<LastAnswerWins>(payment_then_dispatch(), set()),
    },
    Mutant {
        name: "turning-back-after-the-pivot",
        guard: "a pivot that is known to be done sends the saga forward, whatever comes later",
        hazard: "the customer cancels while the notice is still to be sent, and is refunded for goods that have left",
        breaks: "no way back",
        world: || world::<RefundsShippedGoods>(pay_ship_notify(), set()),
    },
    Mutant {
        name: "keeps-knocking",
        guard: "a step that somebody else closed or undid turns the saga back",
        hazard: "the key is closed for good, and the coordinator sends the same act for ever",
        breaks: "can always end",
        world: || world::<KeepsKnocking>(payment_then_dispatch(), without_cancel()),
    },
    Mutant {
        name: "act-after-close",
        guard: "of the commands for one key only the highest is delivered",
        hazard: "a retry queue goes on charging after the order was given up",
        breaks: "commands are monotone",
        world: || world::<ActsAfterClosing>(payment_then_dispatch(), set()),
    },
    Mutant {
        name: "unfenced-second-worker",
        guard: "an append succeeds only where the journal ends as the worker believes",
        hazard: "a worker whose lease has expired wakes up and writes on",
        breaks: "completed is both",
        world: || {
            let mut adversary = set().workers(2);
            adversary.driver.fences_writers = false;
            world::<Deployed>(two_payments(), adversary)
        },
    },
    Mutant {
        name: "send-before-append",
        guard: "messages leave only after the entry that wants them is in the journal",
        hazard: "the message is out, the process dies, and the journal never heard of it",
        breaks: "completed is both",
        world: || {
            let mut adversary = set();
            adversary.driver.appends_before_sending = false;
            world::<Deployed>(two_payments(), adversary)
        },
    },
    Mutant {
        name: "fire-and-forget-refund",
        guard: "what still wants delivering is delivered again",
        hazard: "the refund is sent once, captured, and nobody asks again",
        breaks: "can always end",
        world: || {
            let mut adversary = multiset();
            adversary.driver.delivers_again = false;
            world::<Deployed>(payment_then_dispatch(), adversary)
        },
    },
    Mutant {
        name: "loose-refusal-believed",
        guard: "a refusal that does not hold closes the key",
        hazard: "the card is declined, the order is cancelled, and a copy of the charge succeeds a moment later",
        breaks: "cancelled is never charged",
        world: || weak::<BelievesRefusals>("payment's refusals do not hold", set()),
    },
    Mutant {
        name: "refused-close-believed",
        guard: "a refusal that does not hold, told of a close, closes nothing",
        hazard: "the card was declined, the close says so too, the order is cancelled, and a copy of the charge succeeds a moment later",
        breaks: "cancelled is never charged",
        world: || weak::<BelievesRefusedCloses>("payment's refusals do not hold", set()),
    },
    Mutant {
        name: "gives-up-asking",
        guard: "a key in doubt that cannot be closed is asked until it answers",
        hazard: "the service knows no way to close, so what was not answered is taken as not done",
        breaks: "cancelled is never charged",
        world: || weak::<StopsAsking>("payment cannot be closed", set()),
    },
    Mutant {
        name: "asks-after-a-day",
        guard: "nothing is sent to a key that its participant may have forgotten",
        hazard: "the idempotency key lives for a day, the outage lasts for two, and the retry charges again",
        breaks: "at most once",
        world: || weak::<AsksTheForgetful>("payment cannot be closed and forgets its keys", set()),
    },
    Mutant {
        name: "closes-after-a-day",
        guard: "a key that its participant may have forgotten is not closed either",
        hazard: "the charge was done, nobody heard of it for a day, and the close of a key that nobody remembers says closed",
        breaks: "cancelled is never charged",
        world: || weak::<ClosesTheForgotten>("payment forgets its keys", set()),
    },
    Mutant {
        name: "leaves-the-rest",
        guard: "everything that can be taken back is, before a person is asked what became of the rest",
        hazard: "nobody knows of the booking, a person is asked, and the payment before it stays charged meanwhile",
        breaks: "a person gets nothing but what is out of reach",
        world: || weak::<LeavesTheRest>("payment, then one that cannot be closed and forgets its keys", set()),
    },
    Mutant {
        name: "sent-twice",
        guard: "an act that must not be repeated is marked as sent before it is sent",
        hazard: "the process dies between sending and remembering, and sends again",
        breaks: "at most once",
        world: || weak::<SendsAgain>("payment may be asked only once", multiset()),
    },
    Mutant {
        name: "undo-before-close",
        guard: "a key in doubt is closed before it is undone, where an undo that comes first leaves no tombstone",
        hazard: "the refund finds nothing to refund, and the charge arrives afterwards",
        breaks: "cancelled is never charged",
        world: || weak::<UndoesTheAbsent>("payment's undo of nothing is a no-op", set()),
    },
    Mutant {
        name: "undone-out-of-order",
        guard: "an undo waits for the undos that it is to come after",
        hazard: "what the second undo needs is gone already",
        breaks: "undone in order",
        world: || weak::<UndoesAtRandom>("two payments undone in order", set()),
    },
    Mutant {
        name: "dispatch-on-a-lapsed-hold",
        guard: "what rests on a hold is committed before the hold can lapse, or turned back",
        hazard: "the authorization has expired by the time the goods leave, and there is nothing to capture",
        breaks: "dispatched only if paid",
        world: || weak::<RestsOnHolds>("a hold that expires, dispatch, capture", set()),
    },
    Mutant {
        name: "any-amount-will-do",
        guard: "what is in effect with other values than were asked for is not taken for done",
        hazard: "50 of 100 were captured, the answer says succeeded, and the goods leave",
        breaks: "dispatched only if paid",
        world: || weak::<BelievesAnyAmount>("payment may take another amount, and says so", set()),
    },
    Mutant {
        name: "another-amount-is-none",
        guard: "what is in effect with other values than were asked for is not taken for refused either",
        hazard: "50 of 100 were captured, which is not what was asked for, so the order is cancelled and 50 stay charged",
        breaks: "cancelled is never charged",
        world: || weak::<TakesOtherForNothing>("payment may take another amount, and says so", set()),
    },
    Mutant {
        name: "another-amount-beats-a-word",
        guard: "what was undone by hand is not taken as done again for an old answer with other values",
        hazard: "50 of 100 were taken and given back by hand, an old answer says so once more, and they are given back twice",
        breaks: "a mark is overruled",
        world: || weak::<UndoesByHandAndAgain>(UNCLOSABLE, set().person(Person::Truthful)),
    },
    Mutant {
        name: "looks-away",
        guard: "an effect that appears after the end in neither is undone",
        hazard: "the charge that nobody could close succeeds after all, and nobody looks",
        breaks: "a late effect is undone",
        world: || {
            let flow = flow("payment's refusals do not hold, and it cannot be closed");
            Box::new(flow.world_of(Machine::of::<LooksAway>(), &flow.assessment().risks, set()))
        },
    },
    Mutant {
        name: "second-intent-counts",
        guard: "where doing it twice hurts nobody, what the first answer said stays",
        hazard: "one intent is created, its duplicate is refused, and the order has two answers that cannot both be true",
        breaks: "no contradiction",
        world: || weak::<MixesIntents>("an intent whose duplicates are harmless, payment, dispatch", set()),
    },
    Mutant {
        name: "pending-refund-counted",
        guard: "an undo that was accepted is looked for until it is done, or has failed",
        hazard: "the refund is accepted, the order says cancelled, and the refund fails a day later",
        breaks: "cancelled is never charged",
        world: || weak::<CountsAcceptedUndos>("payment is undone later, or not", set()),
    },
    Mutant {
        name: "failed-refund-polled",
        guard: "an undo that has failed is for a person, and not looked for any more",
        hazard: "the refund has failed, and is asked for and looked for until somebody wonders why the order never ends",
        breaks: "ends, or a person has it",
        world: || weak::<LooksForFailedUndos>("payment is undone later, or not", set()),
    },
    Mutant {
        name: "refunded-again",
        guard: "an undo that must not be repeated is marked as sent before it is sent",
        hazard: "the answer to the refund is lost, the refund is asked for again, and the customer gets the amount twice",
        breaks: "at most once",
        world: || weak::<UndoesAgain>("payment's undo must not be repeated", multiset()),
    },
    Mutant {
        name: "refunded-again-too-soon",
        guard: "such an undo is repeated only once nothing of it can be on the road any more and what was done is still there",
        hazard: "somebody looks, finds the payment not refunded yet, refunds it again, and the first refund arrives",
        breaks: "at most once",
        world: || weak::<UndoesAgainTooSoon>("payment's undo must not be repeated", multiset()),
    },
    Mutant {
        name: "not-found-is-refused",
        guard: "a look that finds nothing is no refusal",
        hazard: "the answer made no sense, the charge is looked for and not found, and it arrives a moment later",
        breaks: "cancelled is never charged",
        world: || weak::<BelievesNotFound>("payment is read back", set()),
    },
    Mutant {
        name: "loose-refusal-found",
        guard: "a refusal that a look finds counts only where refusals hold",
        hazard: "the charge is looked for and found refused, the order is cancelled, and a copy of it is accepted",
        breaks: "cancelled is never charged",
        world: || weak::<FindsLooseRefusals>("payment is read back, and its refusals do not hold", set()),
    },
    Mutant {
        name: "late-look-counts",
        guard: "a look counts from when it left, not from when its answer came",
        hazard: "the look left before a copy of the charge arrived, its \"nothing there\" came after the end of the watch, and nobody looks again",
        breaks: "a late effect is undone",
        world: || {
            let flow = flow("payment's refusals do not hold, and it cannot be closed");
            Box::new(flow.world_of(Machine::of::<CountsLateLooks>(), &flow.assessment().risks, multiset()))
        },
    },
    Mutant {
        name: "unwritable-close",
        guard: "turning back asks for no close that names what an earlier step never brought",
        hazard: "the first payment is declined, and the order is not cancelled before a request without its id could be sent: never",
        breaks: "can always end",
        world: || weak::<ClosesTheUnwritable>("dispatch is closed by what payment brings", set()),
    },
    Mutant {
        name: "doubt-is-never",
        guard: "while the step that brings what a close names is in doubt, nothing follows from that",
        hazard: "an older journal has not seen the second payment yet, takes the dispatch for never asked, and refunds the first of shipped goods",
        breaks: "dispatched only if paid",
        world: || weak::<TakesDoubtForNever>("dispatch is closed by what the second payment brings", set().restores(1)),
    },
    Mutant {
        name: "undone-unread",
        guard: "what a close names is known before the step that brings it is undone",
        hazard: "the first payment is given back before its id was known, and nobody can say any more that the second was never asked",
        breaks: "can always end",
        world: || weak::<UndoesTheUnknown>("the second payment is closed by what the first brings", set()),
    },
    Mutant {
        name: "undone-is-never",
        guard: "that what a close names was undone does not prove that its step was never asked",
        hazard: "an older journal finds the first payment refunded, takes the second for never asked, and it stays charged",
        breaks: "cancelled is never charged",
        world: || weak::<TakesUndoneForNever>("the second payment is closed by what the first brings", set().restores(1)),
    },
    Mutant {
        name: "contradiction-keeps-the-rest",
        guard: "everything that can be taken back is, before a person is asked about a contradiction",
        hazard: "the second key turns out to be somebody else's, and the first payment stays charged until somebody looks",
        breaks: "a person gets nothing but what is out of reach",
        world: || world::<KeepsTheRest>(two_in_turn(), Adversary { foreign_key: Some(1), ..set() }),
    },
    Mutant {
        name: "a-word-is-an-answer",
        guard: "a step that a person marks as not done is taken as off only once no act can be on the road any more",
        hazard: "somebody looks, finds no charge and says so, the order is cancelled, and the charge arrives a minute later",
        breaks: "cancelled is never charged",
        world: || weak::<TakesAWordForIt>("payment cannot be closed and forgets its keys", set().person(Person::Truthful)),
    },
    Mutant {
        name: "a-word-beats-an-answer",
        guard: "what a participant says of a key counts, whatever a person has marked it as",
        hazard: "somebody says that there was no charge, and the receipt of it that arrives afterwards is put aside",
        breaks: "cancelled is never charged",
        world: || weak::<BelievesPeople>("payment cannot be closed and forgets its keys", set().person(Person::Truthful)),
    },
    Mutant {
        name: "gate-marked-not-closed",
        guard: "the step that decides is closed, not marked, as long as it can be",
        hazard: "somebody says that nothing was dispatched, the payment is given back, and an older journal dispatches",
        breaks: "dispatched only if paid",
        world: || world::<MarksTheGate>(payment_then_dispatch(), set().restores(1).person(Person::Truthful)),
    },
    Mutant {
        name: "retried-by-acting",
        guard: "asking again sends nothing a second time that may leave only once",
        hazard: "an impatient person presses the button, and what nobody could find is sent again",
        breaks: "at most once",
        world: || {
            let name = "payment, dispatch, a notice that may be asked only once";
            weak::<RetriesByActing>(name, multiset().person(Person::Truthful))
        },
    },
    Mutant {
        name: "settled-as-neither",
        guard: "a saga for which nobody waits any longer has ended in neither of the two",
        hazard: "somebody closes the case, and the books say cancelled while the customer stays charged",
        breaks: "cancelled is never charged",
        world: || world::<SettlesAsNeither>(payment_then_dispatch(), set().person(Person::Truthful)),
    },
    restored::NUMBERS_ALONE,
    restored::KEY_WITHOUT_MARK,
    restored::LAST_CHANGE_ONLY,
    restored::COMMITS_OUT_OF_ORDER,
    restored::HIGHEST_NUMBER_WINS,
    restored::FORMER_LIFE_BELIEVED,
    restored::UNDONE_ON_A_FORGOTTEN_GATE,
    restored::SHIPS_ON_A_KNOWN_RESTORE,
    restored::WORD_OUTLIVES_A_LIFE,
    restored::FOLLOWED_GATE_MARKED,
    moved::ASKED_ELSEWHERE,
    moved::NOT_FOUND_ELSEWHERE,
    moved::COPY_CONFIRMS_THE_PAST,
    moved::REFUNDED_AT_A_COPY,
    moved::HASTY_WORD_ELSEWHERE,
    moved::BACKUP_FORGETS_THE_GATE,
    moved::BACKUP_FORGETS_THE_REFUND,
];
