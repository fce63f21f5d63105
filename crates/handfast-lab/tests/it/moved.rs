//! Services that move: to an address at which the same books are kept, or others, or a copy of the former ones.

use handfast_lab::moved::{Moved, Plan};
use handfast_protocol::Deployed;

use crate::history::check;

type World = Moved<Deployed>;

/// The same books or others, and a service that moves back.
#[test]
fn a_key_that_was_asked_at_another_address_is_only_looked_for() {
    check(&World::new(), 13_044);
    check(&World::new().moves(2), 126_277);
}

/// The same with a person, and where nobody can be looked at.
#[test]
fn a_person_ends_what_nobody_knows_at_a_new_address() {
    check(&World::new().with_a_person(), 149_603);
    check(&World::new().with_a_person().without_looks(), 73_356);
}

/// The new address begins with a copy of the former books, which go on taking what is on the road.
#[test]
fn a_copy_of_the_books_is_not_the_same_books() {
    check(&World::new().with_copies(), 29_021);
    check(&World::new().with_copies().moves(2).patient(), 3_699);
    check(&World::new().with_copies().with_a_person().patient(), 3_905);
}

/// A journal that comes back from a backup does not know what was asked for at the former address.
#[test]
fn a_journal_that_came_back_asks_no_other_address() {
    check(&World::new().restores(1).patient(), 4_765);
    check(&World::new().restores(1).with_copies().patient(), 10_283);
    check(&World::new().restores(1).with_a_person().patient(), 117_000);
    check(&World::new().restores(1).moves(2).patient(), 66_199);
}

/// Another worker goes on sending to the former address: its requests are like those that were on the road.
#[test]
fn a_worker_that_does_not_know_of_the_move_does_no_harm() {
    check(&World::new().beside_a_worker_behind().patient(), 2_573);
    check(&World::new().beside_a_worker_behind().with_copies().with_a_person().patient(), 31_102);
}

/// Keys that cannot be closed: asked again until a last time, or sent once and then looked at.
#[test]
fn what_cannot_be_closed_is_only_looked_for_at_another_address() {
    check(&World::of(Plan::RepeatedPayment).with_copies(), 7_274);
    check(&World::of(Plan::RepeatedPayment).with_copies().with_a_person().patient(), 54_787);
    check(&World::of(Plan::PaymentSentOnce).with_copies(), 34_510);
    check(&World::of(Plan::DispatchSentOnce).with_copies().moves(2).patient(), 27_700);
    check(&World::of(Plan::DispatchSentOnce).with_a_person().patient(), 45_824);
}

/// An undo that leaves once leaves for one address, and a look at another one does not let it leave again.
#[test]
fn an_undo_that_leaves_once_leaves_for_one_address() {
    check(&World::of(Plan::UndoLeavesOnce).with_copies().moves(2).patient(), 78_033);
}

/// What follows the gate, and several steps that can be undone.
#[test]
fn longer_plans_hold_where_a_service_moves() {
    check(&World::of(Plan::DispatchThenNotice).with_copies(), 2_034);
    check(&World::of(Plan::DispatchThenNotice).with_copies().with_a_person(), 6_170);
    check(&World::of(Plan::TwoPayments).with_copies().patient(), 1_068);
    check(&World::of(Plan::TwoPayments).with_a_person().patient(), 5_590);
    check(&World::of(Plan::TwoPaymentsThenDispatch).with_copies().patient(), 25_135);
}
