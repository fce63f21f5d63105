//! The reference models: what holds, how many states there are, and that nothing is caught for lack of looking.

pub(crate) mod shop;
mod transaction_commit;
pub(crate) mod two_phase;

use handfast_lab::explorer::{Limits, Model, Report, Verdict, explore};
use std::collections::BTreeSet;

use self::shop::{Guard, Network, Shop};
use self::transaction_commit::TransactionCommit;
use self::two_phase::TwoPhaseCommit;

/// Explores with one thread and with several, which must find the same.
fn explored<M: Model>(model: &M) -> Report<M::State, M::Action>
where
    M::State: PartialEq,
    M::Action: PartialEq,
{
    let report = explore(model, &Limits::default().with_threads(1));
    assert_eq!(report, explore(model, &Limits::default().with_threads(3)), "one thread and three");
    report
}

/// Everything holds, and there are so many states. The count comes last: a broken property is reported before a changed count.
fn check<M: Model>(model: &M, states: u64) -> Report<M::State, M::Action> {
    let report = explored(model);
    assert!(report.holds(), "{report}");
    assert!(report.is_exhaustive(), "{report}");
    assert_eq!(report.unique, states, "{report}");
    report
}

#[test]
fn transaction_commit() {
    for managers in 1..=8 {
        let report = check(&TransactionCommit { managers }, 3u64.pow(managers as u32) + 2u64.pow(managers as u32) - 1);
        assert_eq!(report.never_happened, Vec::<&str>::new());
    }
}

#[test]
fn two_phase_commit() {
    for managers in 1..=6 {
        let model = TwoPhaseCommit { managers, commits_early: false };
        let report = check(&model, 6u64.pow(managers) + 4u64.pow(managers) + 2u64.pow(managers));
        assert_eq!(report.never_happened, Vec::<&str>::new());
    }
}

#[test]
fn two_phase_commit_of_three_as_tlc_counts_it() {
    let report = check(&TwoPhaseCommit { managers: 3, commits_early: false }, 288);
    // TLC counts also the steps that lead back to the same state.
    assert_eq!((report.generated + report.self_loops, report.depth), (1_146, 11));
}

#[test]
fn committing_before_all_are_prepared_is_caught() {
    let report = explored(&TwoPhaseCommit { managers: 2, commits_early: true });
    insta::assert_snapshot!("two_phase_commits_early", report);
}

#[test]
fn the_shop_with_messages_as_a_set() {
    for (crashes, states) in [(0, 46), (1, 184), (2, 368)] {
        let report = check(&Shop::new(Network::Set, crashes), states);
        // In a set it makes no difference to send again what was sent.
        assert_eq!(report.never_happened, ["send charge", "send refund"]);
    }
}

#[test]
fn the_shop_with_messages_as_a_multiset() {
    for (crashes, states) in [(0, 441), (1, 1_764), (2, 3_528)] {
        let report = check(&Shop::new(Network::Multiset(1), crashes), states);
        assert_eq!(report.never_happened, Vec::<&str>::new());
    }
}

#[test]
fn the_shop_with_four_messages_of_each_kind() {
    let report = check(&Shop::new(Network::Multiset(4), 2), 601_008);
    assert_eq!(report.never_happened, Vec::<&str>::new());
}

/// The fingerprints against full states in a plain search.
#[test]
fn no_state_is_lost_to_its_fingerprint() {
    let model = Shop::new(Network::Multiset(4), 0);
    let mut seen: BTreeSet<_> = model.initial().into_iter().collect();
    let mut waiting: Vec<_> = seen.iter().copied().collect();
    let mut actions = Vec::new();
    while let Some(state) = waiting.pop() {
        actions.clear();
        model.actions(&state, &mut actions);
        let new = actions.iter().filter_map(|action| model.after(&state, action)).filter(|next| seen.insert(*next));
        waiting.extend(new);
    }
    check(&model, seen.len() as u64);
    assert_eq!(seen.len(), 601_008 / 8);
}

/// Without this guard the shop breaks this property; the shortest run is kept as a snapshot.
fn check_mutant(guard: Guard, network: Network, crashes: u8, property: &str, count: u64) {
    let report = explored(&Shop::new(network, crashes).without(guard));
    let Some(Verdict::Violated { run, count: found }) = report.verdict(property) else {
        panic!("without {guard:?}, `{property}` should be violated:\n{report}")
    };
    let network = if network == Network::Set { "set" } else { "multiset" };
    insta::assert_snapshot!(format!("shop_without_{guard:?}_as_a_{network}"), format!("{property}\n\n{run}"));
    assert_eq!(*found, count, "without {guard:?}, `{property}`");
}

#[test]
fn a_charge_that_is_not_idempotent_charges_twice() {
    check_mutant(Guard::ChargeOnce, Network::Set, 0, "no card is charged twice", 15);
    check_mutant(Guard::ChargeOnce, Network::Multiset(1), 0, "no card is charged twice", 192);
}

#[test]
fn shipping_on_a_time_out_ships_unpaid() {
    check_mutant(Guard::WaitForTheAnswer, Network::Set, 0, "what is shipped is paid", 6);
    check_mutant(Guard::WaitForTheAnswer, Network::Multiset(1), 0, "what is shipped is paid", 24);
}

#[test]
fn a_table_that_is_lost_in_a_crash_charges_twice() {
    check_mutant(Guard::DurableTable, Network::Set, 1, "no card is charged twice", 27);
    check_mutant(Guard::DurableTable, Network::Multiset(1), 1, "no card is charged twice", 448);
    // Without a crash there is nothing to lose, and nothing is found.
    check(&Shop::new(Network::Multiset(1), 0).without(Guard::DurableTable), 441);
}

#[test]
fn not_found_taken_as_final_leaves_a_charge_for_nothing() {
    check_mutant(Guard::NotFoundIsNoAnswer, Network::Set, 0, "both or neither", 1);
    check_mutant(Guard::NotFoundIsNoAnswer, Network::Multiset(1), 0, "both or neither", 16);
}

#[test]
fn a_refund_without_a_tombstone_lets_a_late_charge_through() {
    check_mutant(Guard::Tombstone, Network::Set, 0, "what was answered as refunded is not charged", 6);
    check_mutant(Guard::Tombstone, Network::Multiset(1), 0, "both or neither", 32);
}

#[test]
fn a_refund_that_is_sent_once_is_missed_only_where_messages_can_be_lost() {
    let guard = Guard::RepeatRefund;
    let as_a_set = explored(&Shop::new(Network::Set, 1).without(guard));
    assert!(as_a_set.holds(), "a set loses nothing for good:\n{as_a_set}");
    check_mutant(guard, Network::Multiset(1), 1, "both or neither", 64);
}

/// Each guard is needed: taken away, something is found.
#[test]
fn no_guard_is_idle() {
    for guard in Guard::ALL {
        let report = explored(&Shop::new(Network::Multiset(1), 1).without(guard));
        let violated = report.broken().any(|judged| matches!(judged.verdict, Verdict::Violated { .. }));
        assert!(violated, "without {guard:?} nothing is found:\n{report}");
    }
}

/// Each kind of claim of the shop's is broken by some mutant, but for the one that only the shop itself could break.
#[test]
fn no_claim_is_vacuous() {
    let mut broken = BTreeSet::new();
    for guard in Guard::ALL {
        let report = explored(&Shop::new(Network::Multiset(1), 1).without(guard));
        broken.extend(report.broken().map(|judged| judged.name));
    }
    for name in
        ["what is shipped is paid", "no card is charged twice", "what was answered as refunded is not charged", "both or neither"]
    {
        assert!(broken.contains(name), "{name}");
    }
}
