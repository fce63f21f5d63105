//! What theory allows, computed: against all decision rules for one round, and against the theorems for more.

use std::collections::BTreeMap;

use handfast_lab::generals::{Adversary, Exchange, Limits, Ratio, Solvability, is_solvable_by_theory, rounds_bound, solvable};
use handfast_protocol::generals::Camp;

fn explored(rounds: u32, adversary: Adversary) -> Solvability {
    solvable(rounds, adversary).expect("it fits")
}

/// What a general has seen after one round: its own order, and what it was told of the other's.
type View = (bool, Option<bool>);

/// Whether one of the rules of both generals for one round is right, all of them tried.
fn some_rule_is_right(adversary: Adversary) -> bool {
    let mut runs: Vec<([View; 2], bool, bool)> = Vec::new();
    for bits in 0..16_u32 {
        let [one, two, first, second] = [0, 1, 2, 3].map(|place| bits >> place & 1 == 1);
        let captures = u64::from(first) + u64::from(second);
        if adversary.allows(captures, captures) {
            let views = [(one, (!second).then_some(two)), (two, (!first).then_some(one))];
            runs.push((views, one && two, captures == 0));
        }
    }
    let mut places: BTreeMap<View, u32> = BTreeMap::new();
    for own in [false, true] {
        for told in [None, Some(false), Some(true)] {
            places.insert((own, told), places.len() as u32);
        }
    }
    let rules = 0..1_u32 << places.len();
    rules.clone().any(|rule_1| {
        rules.clone().any(|rule_2| {
            runs.iter().all(|(views, wanted, undisturbed)| {
                let attacks = [rule_1 >> places[&views[0]] & 1 == 1, rule_2 >> places[&views[1]] & 1 == 1];
                attacks[0] == attacks[1] && (*wanted || !attacks[0]) && (attacks[0] || !(*wanted && *undisturbed))
            })
        })
    })
}

#[test]
fn for_one_round_the_verdict_is_that_of_all_rules() {
    for adversary in ["any", "at-most:0", "at-most:1", "at-most:2", "per-round:0", "per-round:1", "per-round:2"] {
        let adversary: Adversary = adversary.parse().expect(adversary);
        assert_eq!(explored(1, adversary).is_solvable(), some_rule_is_right(adversary), "{adversary}");
    }
}

#[test]
fn captures_in_all_can_be_borne_if_they_are_fewer_than_the_rounds() {
    for rounds in 0..=6 {
        for most in 0..=u64::from(rounds) + 1 {
            let found = explored(rounds, Adversary::AtMost(most));
            assert_eq!(found.is_solvable(), most < u64::from(rounds), "{most} captures in {rounds} rounds");
            assert_eq!(found.is_solvable(), is_solvable_by_theory(rounds, found.adversary));
            assert_eq!(found.hearing_suffices, found.is_solvable(), "{most} captures in {rounds} rounds");
        }
    }
}

#[test]
fn a_capture_in_every_round_can_never_be_borne() {
    for rounds in 0..=6 {
        for adversary in [Adversary::PerRound(0), Adversary::PerRound(1), Adversary::PerRound(2), Adversary::Any] {
            let found = explored(rounds, adversary);
            assert_eq!(found.is_solvable(), is_solvable_by_theory(rounds, adversary), "{adversary} in {rounds} rounds");
            let of_round = [1, 3, 4, 4][[Adversary::PerRound(0), Adversary::PerRound(1), Adversary::PerRound(2), Adversary::Any]
                .iter()
                .position(|&other| other == adversary)
                .expect("it is one of them")];
            assert_eq!(found.runs, 4 * u128::pow(of_round, rounds), "{adversary} in {rounds} rounds");
        }
    }
}

/// What a general has seen of a run: its order and, message by message, all that it was told.
fn seen(run: &Exchange, camp: Camp, rounds: usize) -> String {
    let own = run.ordered[camp.index()].to_string();
    (0..rounds).fold(own, |seen, round| {
        let captured = run.captured[round][camp.other().index()];
        let told = if captured { "nothing".to_owned() } else { self::seen(run, camp.other(), round) };
        format!("({seen}, {told})")
    })
}

#[test]
fn every_link_of_a_chain_is_one() {
    for (rounds, adversary) in
        [(1, "at-most:1"), (2, "at-most:2"), (3, "at-most:3"), (2, "per-round:1"), (4, "per-round:1"), (3, "any")]
    {
        let adversary: Adversary = adversary.parse().expect(adversary);
        let chain = explored(rounds, adversary).chain.expect("it cannot be solved");
        let (first, last) = (&chain[0].0, &chain[chain.len() - 1]);
        assert!(first.ordered == [true, true] && first.captures() == 0);
        assert!(last.0.ordered != [true, true] && last.1.is_none());
        for link in chain.windows(2) {
            let camp = link[0].1.expect("somebody cannot tell them apart");
            let [before, after] = [&link[0].0, &link[1].0].map(|run| seen(run, camp, rounds as usize));
            assert!(before == after && link[0].0 != link[1].0, "{} and {}", link[0].0, link[1].0);
        }
    }
}

#[test]
fn the_shortest_chain_against_any_captures_takes_a_link_a_round_and_one_to_the_missing_order() {
    for rounds in 0..=5 {
        let chain = explored(rounds, Adversary::Any).chain.expect("it cannot be solved");
        assert_eq!(chain.len() as u32 - 1, rounds + 1);
    }
}

#[test]
fn against_a_capture_a_round_the_runs_of_one_beginning_are_a_single_line() {
    // Of 3^r runs with both orders the one with nothing captured stands in the middle.
    for rounds in 1..=6 {
        let chain = explored(rounds, Adversary::PerRound(1)).chain.expect("it cannot be solved");
        assert_eq!(chain.len() as u64 - 1, u64::pow(3, rounds).div_ceil(2));
    }
}

#[test]
fn the_random_attack_achieves_what_it_guarantees_and_not_the_lower_bound() {
    for rounds in 1..=6 {
        let bound = rounds_bound(rounds, &Limits::default()).expect("it fits");
        let worst = bound.worst.expect("so few are enumerated").disagreement;
        assert_eq!((&worst, &worst), (&bound.random_attack, &Ratio::new(1, u64::from(rounds))));
        assert_eq!(bound.lower, Ratio::new(1, u64::from(rounds) + 1));
    }
}

#[test]
fn what_takes_too_long_is_not_enumerated_and_the_theorems_stand_alone() {
    let bound = rounds_bound(21, &Limits::default()).expect("there is nothing to fit");
    assert_eq!((bound.worst, bound.lower, bound.random_attack), (None, Ratio::new(1, 22), Ratio::new(1, 21)));
}

#[test]
fn what_cannot_be_counted_is_refused() {
    let error = solvable(61, Adversary::Any).expect_err("four to the sixty-second runs").to_string();
    assert!(error.contains("more than 60 rounds"), "{error}");
    let found = solvable(60, Adversary::PerRound(1)).expect("they can be counted");
    assert_eq!(found.runs, 4 * u128::pow(3, 60));
    assert_eq!(found.links, Some(u128::pow(3, 60).div_ceil(2)));
    assert_eq!(found.chain.map(|chain| chain.len()), Some(1_000), "the rest of it is not listed");
}

/// Every run, one by one, with what the generals have seen of it.
fn every_run(rounds: usize, adversary: Adversary) -> Vec<(Exchange, [String; 2])> {
    let mut runs = Vec::new();
    for bits in 0..4_u32 << (2 * rounds) {
        let bit = |place: usize| bits >> place & 1 == 1;
        let captured: Vec<[bool; 2]> = (0..rounds).map(|round| [bit(2 * round + 2), bit(2 * round + 3)]).collect();
        let mut in_all = 0;
        let is_possible = captured.iter().all(|captured| {
            let in_round = captured.iter().map(|&captured| u64::from(captured)).sum();
            in_all += in_round;
            adversary.allows(in_round, in_all)
        });
        if is_possible {
            // The one with both orders and nothing captured comes first.
            let run = Exchange { ordered: [!bit(0), !bit(1)], captured };
            let views = Camp::BOTH.map(|camp| seen(&run, camp, rounds));
            runs.push((run, views));
        }
    }
    runs
}

/// How far every run is from one of these, over runs that somebody cannot tell apart.
fn distances(runs: &[(Exchange, [String; 2])], from: usize) -> Vec<Option<u128>> {
    let mut distances = vec![None; runs.len()];
    distances[from] = Some(0);
    let mut waiting = vec![from];
    while !waiting.is_empty() {
        let mut next = Vec::new();
        for place in waiting {
            for (other, (_, views)) in runs.iter().enumerate() {
                let alike = [0, 1].iter().any(|&side| views[side] == runs[place].1[side]);
                if alike && distances[other].is_none() {
                    distances[other] = distances[place].map(|distance| distance + 1);
                    next.push(other);
                }
            }
        }
        waiting = next;
    }
    distances
}

/// The run against which the rule speaks that whoever has the order and heard of the other's attacks.
fn breaks_the_rule(run: &Exchange) -> bool {
    let attacks = Camp::BOTH.map(|camp| {
        let heard = run.captured.iter().any(|captured| !captured[camp.other().index()]);
        run.ordered == [true, true] && heard
    });
    attacks[0] != attacks[1] || (run.ordered == [true, true] && run.captures() == 0 && !attacks[0])
}

#[test]
fn what_is_found_is_what_all_runs_show_one_by_one() {
    for rounds in 0..=3 {
        let in_all = (0..=7).map(Adversary::AtMost);
        for adversary in in_all.chain([0, 1, 2].map(Adversary::PerRound)).chain([Adversary::Any]) {
            let runs = every_run(rounds, adversary);
            let nearest = distances(&runs, 0);
            let mut classes = 0;
            let mut unseen: Vec<bool> = vec![true; runs.len()];
            for first in 0..runs.len() {
                if unseen[first] {
                    classes += 1;
                    for (unseen, distance) in unseen.iter_mut().zip(distances(&runs, first)) {
                        *unseen &= distance.is_none();
                    }
                }
            }
            let missing = runs.iter().zip(&nearest).filter(|((run, _), _)| run.ordered != [true, true]);
            let links = missing.filter_map(|(_, &distance)| distance).min();
            let found = explored(rounds as u32, adversary);
            assert_eq!(found.links, links, "{adversary} in {rounds} rounds");
            assert_eq!(found.chain.map(|chain| chain.len() as u128 - 1), links, "{adversary} in {rounds} rounds");
            assert_eq!((found.runs, found.classes), (runs.len() as u128, classes), "{adversary} in {rounds} rounds");
            let suffices = !runs.iter().any(|(run, _)| breaks_the_rule(run));
            assert_eq!(found.hearing_suffices, suffices, "{adversary} in {rounds} rounds");
        }
    }
}
