//! The deployed coordinator against the deployed register: every case of the suite holds, and every mutant is caught.

use std::sync::Arc;

use handfast_lab::explorer::{Limits, Verdict, explore};
use handfast_lab::saga::map::{Verdict as OnTheMap, map};
use handfast_lab::saga::{Adversary, Automaton, Cast, Follows, Lost, MUTANTS, Network, Saga, flow, flows, suite, two_payments};
use handfast_protocol::{Due, Kind, Operation, Plan, Standing, StepPlan};

use crate::diagram::check_committed;

/// States of each case, in the suite's order. A change of the protocol or of the model changes them, and wants a look.
const STATES: &[u64] = &[
    550, 3_404, 12_662, 43_392, 74_216, 23_155, 19_595, 115_771, 171_041, 471, 1_086, 19_099, 22_519, 88_576, 80_263, 68_180,
    51_991, 21_832, 243_426, 706_323, 41_232, 185_363, 7_258, 6_451, 25_184, 625_691, 597, 3_667, 1_364, 511,
    // Participants that promise less than the contract.
    570, 9_019, 1_180, 15_367, 6_070, 102_199, 3_470, 69_835, 34_791, 2_182_921, 605, 9_835, 82_564, 2_309, 41_743, 1_137, 20_539,
    22_023, 328_843, 1_678, 35_941, 61_625, 4_293_889, 10_346, 437_641, 3_059, 63_463, 2_501, 11_650, 919, 11_575, 21_131,
    1_613_311, 7_440, 108_679, 4_268, 92_263, 6_942, 415_831, 16_646, 1_000_399, 2_682, 60_979, 93_896, 73_256, 3_685, 76_387,
    635, 10_087, 8_291, 129_775, 5_291, 88_915, 232, 1_051, 302, 3_211, 2_501, 11_038, 1_137, 20_539, 8_828, 103_231, 4_903,
    84_583, 39_458, 95_713, 5_040, 67_969, 8_151, 401_081, 339_191,
];

#[test]
fn every_case_of_the_suite_holds() {
    let mut states = Vec::new();
    for case in suite() {
        let found = case.explore(&Limits::default());
        let title = format!("{} [{}]", case.plan_name, case.adversary);
        if let Some(judged) = found.report.broken().next() {
            panic!("{title}: {}: {:#?}", judged.name, found.run_against(judged.name));
        }
        assert!(found.report.is_exhaustive(), "{title}: {:?}", found.report.bounds);
        // A key that somebody else holds is never free for our act.
        if case.adversary.foreign_key.is_none() && matches!(case.cast, Cast::Contract(_)) {
            assert!(found.report.never_happened.is_empty(), "{title}: never happened: {:?}", found.report.never_happened);
        }
        states.push(found.report.unique);
    }
    assert_eq!(states, STATES, "everything holds, but the worlds have changed");
}

/// Two inputs under one number would be one and the same to the explorer.
#[test]
fn every_input_has_a_number_of_its_own() {
    let automaton = Automaton::new(&two_payments(), Follows::default());
    for (number, input) in automaton.inputs().iter().enumerate() {
        assert_eq!(Automaton::input_number(*input), number, "{input:?}");
    }
}

#[test]
fn one_thread_and_many_find_the_same() {
    for case in suite().into_iter().take(7) {
        let alone = case.explore(&Limits::default().with_threads(1)).report;
        let many = case.explore(&Limits::default().with_threads(4)).report;
        assert_eq!(alone, many, "{}", case.adversary);
    }
}

#[test]
fn every_mutant_is_caught_and_its_shortest_run_is_kept() {
    let mut got_away = Vec::new();
    for mutant in MUTANTS {
        let Some(caught) = mutant.hunt() else {
            got_away.push(format!("{}: nothing shows that \"{}\" is needed", mutant.name, mutant.guard));
            continue;
        };
        let followed = mutant.follow(&caught.run).unwrap_or_else(|lost| panic!("{}: {lost}", mutant.name));
        assert_eq!(followed.steps.last().map(|step| &step.world), Some(&caught.end), "{}", mutant.name);
        assert_eq!(followed.pictures.last(), Some(&caught.picture), "{}", mutant.name);
        let run: Vec<String> = (1..).zip(&caught.run).map(|(number, action)| format!("{number:>3}. {action}")).collect();
        let kept = format!(
            "without the guard: {}\nso that: {}\nagainst: {}\nbroken: {}\n\n{}\n     {}\n",
            mutant.guard,
            mutant.hazard,
            caught.adversary,
            mutant.breaks,
            run.join("\n"),
            caught.end
        );
        insta::with_settings!({ prepend_module_to_snapshot => false, snapshot_path => "../mutants", omit_expression => true }, {
            insta::assert_snapshot!(mutant.name, kept);
        });
    }
    assert!(got_away.is_empty(), "these got away: {got_away:#?}");
}

/// A run is executed, not believed: an action that cannot happen is named, and so is a run that breaks nothing.
#[test]
fn a_run_that_cannot_happen_is_not_followed() {
    let mutant = MUTANTS.iter().find(|mutant| mutant.name == "not-found-is-final").expect("it is there");
    let run = mutant.hunt().expect("it is caught").run;
    let mut swapped = run.clone();
    swapped.swap(0, 1);
    let lost = mutant.follow(&swapped).expect_err("nobody sends before loading").to_string();
    assert!(lost.starts_with("step 1 cannot happen") && lost.contains("worker 1 loads the journal"), "{lost}");
    let lost = mutant.follow(&run[..run.len() - 1]).expect_err("nothing is broken yet");
    assert_eq!(lost, Lost::NotBroken(mutant.breaks.to_owned()));
}

#[test]
fn mutants_have_names_of_their_own() {
    let mut names: Vec<&str> = MUTANTS.iter().map(|mutant| mutant.name).collect();
    let all = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), all);
}

/// What is due at one moment need not be: everything that a step has to do in time may be due while nothing else is.
#[test]
fn whatever_is_due_may_be_due_alone() {
    let payment = StepPlan::new(Kind::Compensatable).deadline(Some(0));
    let side_by_side = Plan::new(vec![payment, payment.beside(), StepPlan::new(Kind::Pivot)]).expect("a sound order");
    let automaton = Automaton::new(&Arc::new(side_by_side), Follows::default());
    let is_there = |asked: [Operation; 2]| {
        (0..)
            .take(automaton.len())
            .map(|state| automaton.facts(state))
            .any(|facts| facts.standing == Standing::Acting && facts.steps[..2] == asked.map(|operation| (Some(operation), None)))
    };
    assert!(is_there([Operation::Close, Operation::Act]) && is_there([Operation::Act, Operation::Close]), "one is given up");
    let flows = [
        ("a hold that expires, dispatch, capture", Due::Commit, Standing::Cancelling),
        ("payment cannot be closed and forgets its keys", Due::GiveUp, Standing::Cancelling),
    ];
    for (name, due, leads_to) in flows {
        let automaton = flow(name).world(&[], Adversary::new(Network::Set)).automaton;
        let leads = (0..)
            .take(automaton.len())
            .flat_map(|state| automaton.alone(state))
            .any(|alone| alone.due == due && automaton.facts(alone.next).standing == leads_to);
        assert!(leads, "{name}: {due:?} comes before any deadline");
    }
}

/// Where no key decides, safety rests on the journal alone; an older one that comes back breaks it, and that is said aloud.
#[test]
fn without_a_gate_an_older_journal_is_not_survived() {
    let saga = Saga::new(two_payments(), Adversary::new(Network::Set).restores(1));
    let report = explore(&saga, &Limits::default());
    assert!(matches!(report.verdict("completed is both"), Some(Verdict::Violated { .. })));
}

/// With a gate, safety does not rest on the fence or on the order of append and send: its key decides.
#[test]
fn with_a_gate_the_books_survive_even_a_careless_driver() {
    for (fences_writers, appends_before_sending) in [(false, true), (true, false), (false, false)] {
        let mut adversary = Adversary::new(Network::Set).workers(2);
        adversary.driver.fences_writers = fences_writers;
        adversary.driver.appends_before_sending = appends_before_sending;
        let saga = Saga::new(handfast_lab::saga::payment_then_dispatch(), adversary);
        let report = explore(&saga, &Limits::default());
        for property in ["dispatched only if paid", "cancelled is never charged", "completed is both", "at most once"] {
            assert_eq!(report.verdict(property), Some(&Verdict::Holds), "{property}: {}", saga.adversary);
        }
    }
}

/// What is called a risk breaks something where it comes true. That nothing breaks where none does is the suite's.
#[test]
fn every_risk_breaks_something_where_it_comes_true() {
    let (mut runs, mut seen) = (Vec::new(), Vec::new());
    for (name, flow) in flows() {
        for risk in flow.assessment().risks.clone() {
            let limits = Limits { stop_at_first: true, ..Limits::default() };
            let found = flow.explore(&[risk], Adversary::new(Network::Set), &limits);
            let judged = found.report.broken().next().unwrap_or_else(|| panic!("{name}: {} breaks nothing", risk.what.name()));
            let run = found.run_against(judged.name).expect("it was broken by a run").join("\n  ");
            seen.push(risk.what.name());
            runs.push(format!("{name}\n{} breaks: {}\n  {run}\n", risk.what.name(), judged.name));
        }
    }
    seen.sort_unstable();
    seen.dedup();
    let mut names = handfast_protocol::Risk::NAMES.to_vec();
    names.sort_unstable();
    assert_eq!(seen, names, "every risk has a flow that shows it");
    insta::assert_snapshot!("risks_come_true", runs.join("\n"));
}

/// The map of profiles, as it was found: which pairs can be brought to both or neither, and how.
#[test]
fn the_map_of_profiles_is_the_one_that_was_looked_at() {
    let row = |pair: &handfast_lab::saga::map::Pair| {
        let verdict = match &pair.verdict {
            OnTheMap::Possible { order: first, strategy, states } => {
                format!("yes, {}: {strategy} ({states} states)", first.name())
            }
            OnTheMap::AtRisk { order: first, risks, states } => {
                let risk = |(risk, breaks): &(_, Option<&str>)| {
                    format!(
                        "{}, which breaks: {}",
                        handfast_protocol::Risk::name(risk),
                        breaks.unwrap_or("nothing that was explored")
                    )
                };
                let risks: Vec<String> = risks.iter().map(risk).collect();
                format!("at risk, {}: {} ({states} states)", first.name(), risks.join("; "))
            }
            OnTheMap::Broken { property, .. } => format!("BROKEN: {property}"),
            OnTheMap::Impossible { why } => format!("no: {why}"),
        };
        format!("payment {} | dispatch {} | {verdict}", pair.payment, pair.dispatch)
    };
    let explored = map(&Limits::default(), |_| ());
    check_committed("profiles.svg", &handfast_lab::saga::map::to_svg(&explored));
    let pairs: Vec<String> = explored.iter().map(row).collect();
    assert!(!pairs.iter().any(|pair| pair.contains("BROKEN")), "a property breaks although no risk comes true: {pairs:#?}");
    insta::assert_snapshot!("map_of_profiles", pairs.join("\n"));
}

/// A guard that no mutant lacks is a rule that nobody has shown to be needed.
#[test]
fn every_guard_has_its_mutant() {
    let guards = include_str!("../../../handfast-protocol/src/guards.rs");
    let mutants = include_str!("../../src/saga/mutants/lacks.rs");
    let names: Vec<&str> = guards.lines().filter_map(|line| line.trim().strip_prefix("const ")?.split(':').next()).collect();
    assert!(names.len() > 10, "the guards are read from the source: {names:?}");
    for name in names {
        assert!(mutants.contains(&format!("lacks {name},")), "no mutant lacks {name}");
    }
}
