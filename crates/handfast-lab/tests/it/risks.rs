//! Profiles of many kinds, each explored: where no risk comes true everything holds, and every risk that has to be accepted
//! breaks something where it does.

use handfast_lab::explorer::{Limits, Verdict};
use handfast_lab::saga::{Action, Adversary, FlowCase, Network};
use handfast_protocol::{
    Assumptions, Close, Definite, Meaning, Meanings, Named, Operation, Profile, ProfiledStep, Repeat, Risk, Undo,
};

const A_WHILE: u64 = 5;
const LONGER: u64 = 100;
const DECLARED: Assumptions = Assumptions { message_lifetime_ms: Some(10), clock_error_ms: Some(1), longest_outage_ms: Some(10) };

const PAYMENT: Profile = Profile::CONTRACT;
const DISPATCH: Profile = Profile { undo: Undo::Never, ..Profile::CONTRACT };
const NOTICE: Profile = Profile { may_refuse: false, ..DISPATCH };

/// The profile with everything that it may lack, in every combination.
fn weaker(profile: Profile) -> Vec<Profile> {
    let mut all = Vec::new();
    for close in [Close::ForEver, Close::For(A_WHILE), Close::For(LONGER), Close::Never] {
        for repeat in [Repeat::ForEver, Repeat::For(LONGER), Repeat::Never] {
            for sticky_refusal in [true, false] {
                if sticky_refusal || profile.may_refuse {
                    all.push(Profile { close, repeat, sticky_refusal, ..profile });
                }
            }
        }
    }
    all
}

const fn given_up(profile: Profile) -> ProfiledStep {
    ProfiledStep { deadline_ms: Some(A_WHILE), ..ProfiledStep::new(profile) }
}

fn flow(steps: Vec<ProfiledStep>, assumptions: &Assumptions) -> FlowCase {
    let names = (1..=steps.len()).map(|number| format!("step {number}")).collect();
    FlowCase::new(names, steps, assumptions).expect("a sound order")
}

/// Explores the flow of these steps, with and without anything declared.
#[track_caller]
fn check(steps: Vec<ProfiledStep>) {
    for assumptions in [Assumptions::default(), DECLARED] {
        let flow = flow(steps.clone(), &assumptions);
        let adversary = Adversary::new(Network::Set);
        let found = flow.explore(&[], adversary.clone(), &Limits::default());
        if let Some(judged) = found.report.broken().next() {
            panic!("{steps:#?}\nwithout any risk, {}: {:#?}", judged.name, found.run_against(judged.name));
        }
        for risk in flow.assessment().risks.clone() {
            let limits = Limits { stop_at_first: true, ..Limits::default() };
            let breaks = flow.explore(&[risk], adversary.clone(), &limits).report.broken().next().is_some();
            // A second pivot that may accept yet is asked until it does; that it ever does is what nobody knows.
            let is_asked_for_ever =
                matches!(risk.what, Risk::TwoPivots { .. }) && !flow.steps()[risk.step].profile.sticky_refusal;
            assert!(breaks || is_asked_for_ever, "{steps:#?}\n{risk} ({}) breaks nothing", risk.what.name());
        }
    }
}

#[test]
fn whatever_a_payment_lacks_is_treated_or_shown() {
    for payment in weaker(PAYMENT) {
        check(vec![given_up(payment), given_up(DISPATCH)]);
    }
}

#[test]
fn whatever_an_undo_lacks_is_treated_or_shown() {
    for undoes_later in [true, false] {
        for undo_idempotent in [true, false] {
            for (undo, peek) in [(Undo::Closes, true), (Undo::Closes, false), (Undo::NoOpWhenAbsent, true)] {
                let payment = Profile { undo, peek, undo_is_seen: peek, undoes_later, undo_idempotent, ..PAYMENT };
                check(vec![given_up(payment), given_up(DISPATCH)]);
            }
        }
    }
}

#[test]
fn whatever_a_dispatch_lacks_is_treated_or_shown() {
    for dispatch in weaker(DISPATCH) {
        check(vec![given_up(PAYMENT), given_up(dispatch)]);
    }
}

#[test]
fn whatever_comes_after_the_dispatch_lacks_is_treated_or_shown() {
    for later in [weaker(NOTICE), weaker(DISPATCH)].concat() {
        check(vec![given_up(DISPATCH), ProfiledStep::new(later)]);
    }
}

/// A hold that is captured where the saga is decided lapses at any moment, and nothing rests on it then.
#[test]
fn a_hold_that_is_captured_where_the_saga_is_decided_is_no_risk() {
    for capture in [weaker(NOTICE), weaker(DISPATCH)].concat() {
        let hold = Profile { hold_expires_ms: Some(LONGER), ..PAYMENT };
        let steps = vec![given_up(hold), ProfiledStep { captures: Some(0), ..ProfiledStep::new(capture) }];
        assert!(!flow(steps.clone(), &DECLARED).assessment().risks.iter().any(|risk| risk.what.name() == "hold-lapse"));
        check(steps);
    }
}

/// Whoever takes the word of somebody else for that of a participant loses something, whatever that word is. What cannot be
/// believed at a step is no risk of it.
#[test]
fn whatever_others_say_by_a_status_breaks_something_where_it_is_believed() {
    let all =
        Operation::ALL.into_iter().flat_map(|operation| Meaning::ALL.map(|meaning| Meanings::NONE.with(operation, meaning)));
    let loose = |profile| Profile { sticky_refusal: false, ..profile };
    let once = |profile| Profile { repeat: Repeat::Never, close: Close::Never, ..profile };
    for bare in all {
        let with = |profile| Profile { bare, ..profile };
        for payment in [PAYMENT, once(PAYMENT), loose(once(PAYMENT))] {
            check(vec![given_up(with(payment)), given_up(DISPATCH)]);
        }
        for dispatch in [DISPATCH, once(DISPATCH)] {
            check(vec![given_up(PAYMENT), given_up(with(dispatch))]);
        }
        check(vec![given_up(DISPATCH), ProfiledStep::new(with(NOTICE))]);
    }
}

const INTENT: Profile =
    Profile { harmless: true, repeat: Repeat::Never, close: Close::Never, undo: Undo::NoOpWhenAbsent, ..Profile::CONTRACT };

/// An intent, and two later steps of which one is asked for by what the intent has answered.
fn by_id(later: [Profile; 2], at: usize, named: Named) -> FlowCase {
    let mut steps = vec![given_up(INTENT), given_up(later[0]), ProfiledStep::new(later[1])];
    steps[at].named = named;
    flow(steps, &Assumptions::default())
}

/// Where a later step is asked for by an id alone that an older journal has not kept, it is done a second time by another id:
/// before the decision, in it, and after it.
#[test]
fn a_second_id_is_a_second_effect() {
    for (later, at) in [([PAYMENT, DISPATCH], 1), ([PAYMENT, DISPATCH], 2), ([DISPATCH, NOTICE], 2)] {
        let flow = by_id(later, at, Named::ByIdOf(0));
        let [risk] = flow.assessment().risks[..] else { panic!("one risk: {:?}", flow.assessment().risks) };
        assert_eq!((risk.step, risk.what), (at, Risk::SecondId { of: 0 }));
        let adversary = Adversary::new(Network::Set).workers(2);
        let found = flow.explore(&[], adversary.clone(), &Limits::default());
        assert!(found.holds(), "no older journal comes back: {:?}", found.report.broken().next());
        let found = flow.explore(&[risk], adversary, &Limits { stop_at_first: true, ..Limits::default() });
        let broken = found.report.broken().next().expect("it breaks something").name;
        let Some(Verdict::Violated { run, .. }) = found.report.verdict(broken) else { panic!("{broken} was broken by a run") };
        assert!(run.steps.iter().any(|(action, _)| *action == Action::RestoreBefore { of: 0 }), "{broken}");
        assert!(run.last().keys[at].is_in_effect(), "{broken}: {:#?}", found.run_against(broken));
    }
}

/// Where its own key is sent as well it is no risk: the participant finds that its key stands for something else, and says so.
#[test]
fn a_second_id_under_the_same_key_is_told() {
    for (later, at) in [([PAYMENT, DISPATCH], 1), ([PAYMENT, DISPATCH], 2), ([DISPATCH, NOTICE], 2)] {
        let flow = by_id(later, at, Named::ByKeyAndIdOf(0));
        assert_eq!(flow.assessment().risks, [], "{at}");
        let found = flow.explore(&[], Adversary::new(Network::Set).workers(2).restores(1), &Limits::default());
        for property in ["dispatched only if paid", "cancelled is never charged", "at most once"] {
            assert_eq!(found.report.verdict(property), Some(&Verdict::Holds), "{at}: {:#?}", found.run_against(property));
        }
        let told = found.report.verdict("no contradiction");
        assert!(matches!(told, Some(Verdict::Violated { .. })), "{at}: a person is told: {told:?}");
    }
}

/// Where a tombstone is too short and the key is remembered for long enough, only a tombstone is forgotten too early.
#[test]
fn a_short_tombstone_is_shown_by_a_tombstone() {
    let payment = Profile { repeat: Repeat::For(LONGER), close: Close::For(A_WHILE), ..PAYMENT };
    let flow = flow(vec![given_up(payment), given_up(DISPATCH)], &DECLARED);
    let [risk] = flow.assessment().risks[..] else { panic!("one risk: {:?}", flow.assessment().risks) };
    assert_eq!(risk.what.name(), "short-tombstone");
    let found = flow.explore(&[risk], Adversary::new(Network::Set), &Limits { stop_at_first: true, ..Limits::default() });
    let broken = found.report.broken().next().expect("it breaks something").name;
    let Some(Verdict::Violated { run, .. }) = found.report.verdict(broken) else { panic!("{broken} was broken by a run") };
    let mut before = run.initial;
    for (action, after) in &run.steps {
        if let Action::Expire { step } = *action {
            assert_eq!(before.keys[step].state, Some(Definite::Closed), "{:#?}", found.run_against(broken));
        }
        before = *after;
    }
}
