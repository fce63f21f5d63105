//! What follows from profiles: treatments, risks and remarks.

use alloc::string::ToString as _;
use alloc::vec;
use alloc::vec::Vec;

use crate::{
    Assumptions, Close, Doubt, Finding, Kind, PlanError, Profile, ProfiledStep, Remark, Repeat, Risk, Span, StepPlan, assess,
};

#[test]
fn a_hold_wants_a_step_that_captures_it() {
    let step = ProfiledStep::new;
    let held = step(Profile { hold_expires_ms: Some(100), ..Profile::CONTRACT });
    let capture = |captures| ProfiledStep { captures, ..step(Profile::of_kind(Kind::Retriable)) };
    let assessed = |steps: &[ProfiledStep]| assess(steps, &Assumptions::default()).map(|assessed| assessed.plan.gate());
    assert_eq!(assessed(&[held, capture(Some(0))]), Ok(Some(1)));
    assert_eq!(assessed(&[held, capture(None)]), Err(PlanError::HoldNotCaptured { step: 0 }));
    let undone = ProfiledStep { captures: Some(0), ..step(Profile::CONTRACT) };
    assert_eq!(assessed(&[held, undone]), Err(PlanError::HoldNotCaptured { step: 0 }), "it could be undone itself");
    let slow = Assumptions { message_lifetime_ms: Some(98), clock_error_ms: Some(1), longest_outage_ms: Some(1) };
    let too_slow = assess(&[held, capture(Some(0))], &slow).map(|assessed| assessed.risks);
    assert_eq!(too_slow, Err(PlanError::HoldTooShort { step: 0 }));
    assert_eq!(assessed(&[step(Profile::CONTRACT), capture(Some(0))]), Err(PlanError::CapturesNothing { step: 1, held: 0 }));
}

/// Everything that a profile lacks is either treated or called a risk, and what keeps the contract is neither.
#[test]
fn profiles_become_treatments_and_risks() {
    let declared = Assumptions { message_lifetime_ms: Some(10), clock_error_ms: Some(1), longest_outage_ms: Some(10) };
    let of = |profile: Profile, assumptions: &Assumptions| {
        let step = |profile| ProfiledStep { deadline_ms: Some(1_000), ..ProfiledStep::new(profile) };
        let assessed = assess(&[step(profile), step(Profile::of_kind(Kind::Pivot))], assumptions).expect("a sound order");
        let risks: Vec<&str> = assessed.risks.iter().map(|risk| risk.what.name()).collect();
        (assessed.plan.steps()[0], risks)
    };
    let contract = Profile::CONTRACT;
    let treated = StepPlan::new(Kind::Compensatable).deadline(Some(1_000));
    assert_eq!(of(contract, &Assumptions::default()), (treated, vec![]));
    let forgets = Profile { repeat: Repeat::For(100), ..contract };
    let closed_in_time = StepPlan { forgotten_ms: Some(89), ..treated.deadline(Some(79)) };
    assert_eq!(of(forgets, &declared), (closed_in_time, vec![]), "its key is closed before it is forgotten");
    assert_eq!(of(forgets, &Assumptions::default()).1, ["forgotten-key"]);
    let unclosable = Profile { close: Close::Never, ..forgets };
    assert_eq!(of(unclosable, &declared).0.doubt, Doubt::Repeats { last_send_ms: Some(79) });
    assert_eq!(of(Profile { repeat: Repeat::For(21), ..unclosable }, &declared).1, ["forgotten-key"], "no send is early enough");
    let loose = Profile { sticky_refusal: false, ..contract };
    assert_eq!(of(loose, &declared), (StepPlan { refusal_holds: false, refused_close_ms: Some(21), ..treated }, vec![]));
    let (plan, risks) = of(Profile { close: Close::NoOpWhenAbsent, ..loose }, &declared);
    assert_eq!((plan.watch_ms, risks), (Some(21), vec!["loose-refusal"]), "what may show late is looked at afterwards");
    assert_eq!(of(Profile { close: Close::For(22), ..contract }, &declared).1, Vec::<&str>::new());
    assert_eq!(of(Profile { close: Close::For(21), ..contract }, &declared).1, ["short-tombstone"]);
    let once = Profile { repeat: Repeat::Never, ..contract };
    assert_eq!(of(once, &declared).0.doubt, Doubt::Looks { horizon_ms: Some(21) });
    assert_eq!(of(once, &declared).1, ["not-idempotent"]);
}

fn risks_of(steps: &[ProfiledStep]) -> Vec<(usize, &'static str)> {
    let assessed = assess(steps, &Assumptions::default()).expect("a sound order");
    assessed.risks.iter().map(|risk| (risk.step, risk.what.name())).collect()
}

/// A key that is asked once and then only looked for is not closed, whatever its participant could do.
#[test]
fn what_is_only_looked_for_counts_as_not_closed() {
    let once = |profile: Profile| ProfiledStep::new(Profile { repeat: Repeat::Never, ..profile });
    let gate = Profile::of_kind(Kind::Pivot);
    let assessed = assess(&[ProfiledStep::new(Profile::CONTRACT), once(gate)], &Assumptions::default()).expect("a sound order");
    assert_eq!(assessed.remarks, [Finding { step: 1, what: Remark::GateCannotClose }]);
    let held = ProfiledStep::new(Profile { hold_expires_ms: Some(100), ..Profile::CONTRACT });
    let capture = ProfiledStep { captures: Some(0), ..ProfiledStep::new(Profile::of_kind(Kind::Retriable)) };
    let lapse = |gate| assess(&[held, gate, capture], &Assumptions::default()).expect("a sound order").risks[0].what;
    for (gate, cannot_close) in [(once(gate), true), (ProfiledStep::new(gate), false)] {
        assert_eq!(lapse(gate), Risk::HoldLapse { expires_ms: 100, margin_ms: None, gate_cannot_close: cannot_close });
    }
    let tombstones_expire = once(Profile { close: Close::For(1), ..Profile::CONTRACT });
    assert_eq!(risks_of(&[tombstones_expire, ProfiledStep::new(gate)]), [(0, "not-idempotent")], "nobody closes it");
}

/// A risk that cannot come true is not one that anybody should have to accept.
#[test]
fn what_cannot_happen_is_no_risk() {
    let (payment, pivot, notice) = (
        Profile::CONTRACT,
        ProfiledStep::new(Profile::of_kind(Kind::Pivot)),
        ProfiledStep::new(Profile::of_kind(Kind::Retriable)),
    );
    let for_a_while = |step: ProfiledStep| ProfiledStep::new(Profile { close: Close::For(1), ..step.profile });
    assert_eq!(
        risks_of(&[ProfiledStep::new(payment), pivot, for_a_while(notice)]),
        [],
        "nobody closes what comes after the gate"
    );
    assert_eq!(risks_of(&[ProfiledStep::new(payment), for_a_while(pivot)]), [(1, "short-tombstone")]);
    let held = ProfiledStep::new(Profile { hold_expires_ms: Some(100), ..payment });
    let captures = |step: ProfiledStep| ProfiledStep { captures: Some(0), ..step };
    assert_eq!(risks_of(&[held, captures(pivot)]), [], "the gate refuses to capture what has lapsed");
    assert_eq!(risks_of(&[held, pivot, captures(notice)]), [(0, "hold-lapse")]);
    let loose = ProfiledStep::new(Profile { sticky_refusal: false, close: Close::Never, ..pivot.profile });
    assert_eq!(risks_of(&[ProfiledStep::new(payment), pivot, loose]), [(2, "two-pivots")], "it is asked until it accepts");
}

/// Every pivot after the first is a risk of its own, and none of them may refuse for the plan.
#[test]
fn three_pivots_are_two_risks() {
    let pivot = ProfiledStep::new(Profile::of_kind(Kind::Pivot));
    let assessed = assess(&[pivot; 3], &Assumptions::default()).expect("a plan for whoever accepts it");
    let later = |step| Finding { step, what: Risk::TwoPivots { first: 0 } };
    assert_eq!(assessed.risks, [later(1), later(2)]);
    let kinds: Vec<Kind> = assessed.plan.steps().iter().map(|step| step.kind).collect();
    assert_eq!(kinds, [Kind::Pivot, Kind::Retriable, Kind::Retriable]);
}

#[test]
fn spans_are_written_from_the_largest_unit_down() {
    let written = [0, 999, 1_000, 61_500, 86_400_000, 90_061_001].map(|ms| Span(ms).to_string());
    assert_eq!(written, ["0s", "999ms", "1s", "1m1s500ms", "1d", "1d1h1m1s1ms"]);
}
