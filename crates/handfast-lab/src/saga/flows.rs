//! Flows whose participants promise less than the contract, by name: one for each way in which they do.

use handfast_protocol::{
    Assumptions, Close, Definite, Meaning, Meanings, Named, Operation, Profile, ProfiledStep, Repeat, StepSet, Undo, Values,
};

use super::flow_case::FlowCase;

/// How long things last in these flows, in milliseconds. In a world every moment is any moment, so that the numbers matter
/// only where one is compared with another.
const A_WHILE: u64 = 5;
const LONGER: u64 = 100;

/// What is declared where anything is: less than [`LONGER`] in all.
const DECLARED: Assumptions = Assumptions { message_lifetime_ms: Some(10), clock_error_ms: Some(1), longest_outage_ms: Some(10) };

const PAYMENT: Profile = Profile::CONTRACT;
const DISPATCH: Profile = Profile { undo: Undo::Never, ..Profile::CONTRACT };
const NOTICE: Profile = Profile { may_refuse: false, ..DISPATCH };
const NO_CLOSE: Profile = Profile { close: Close::Never, ..PAYMENT };
const INTENT: Profile = Profile { harmless: true, repeat: Repeat::Never, undo: Undo::NoOpWhenAbsent, ..NO_CLOSE };
/// The same where it is never declined, so that an older journal finds nothing else of it than another id.
const SURE_INTENT: Profile = Profile { may_refuse: false, ..INTENT };

/// The flow in which an amount is compared that nobody can close.
pub(super) const UNCLOSABLE: &str = "payment may take another amount, says so, and cannot be closed";
const THREE_WITH_AN_INTENT: &str = "an intent whose duplicates are harmless, payment, dispatch";
const SECOND_CLOSED_BY_FIRST: &str = "the second payment is closed by what the first brings";
const DISPATCH_CLOSED_BY_SECOND: &str = "dispatch is closed by what the second payment brings";

/// The flows that have too many worlds on the network that counts copies to be explored there before every change.
pub(super) const LARGE: [&str; 3] = [THREE_WITH_AN_INTENT, SECOND_CLOSED_BY_FIRST, DISPATCH_CLOSED_BY_SECOND];

/// A step with a deadline, where it may have one.
const fn step(profile: Profile) -> ProfiledStep {
    let deadline_ms = if profile.may_refuse { Some(A_WHILE) } else { None };
    ProfiledStep { deadline_ms, ..ProfiledStep::new(profile) }
}

/// The same, whose close names what the first step's answer brings.
const fn closed_by_first(step: ProfiledStep) -> ProfiledStep {
    ProfiledStep { close_needs: StepSet::NONE.with(0), ..step }
}

/// The same where there is no way back any more, and so no deadline.
const fn later(profile: Profile) -> ProfiledStep {
    ProfiledStep { deadline_ms: None, ..step(profile) }
}

/// Every flow, with its name.
///
/// # Panics
/// Never: their orders are sound, which a test sees to.
#[must_use]
pub fn flows() -> Vec<(&'static str, FlowCase)> {
    let make = |(name, steps, assumptions): (&'static str, Vec<ProfiledStep>, Assumptions)| {
        let names = steps.iter().map(|step| word(&step.profile)).collect::<Vec<_>>();
        let names = (0..names.len()).map(|at| numbered(&names, at)).collect();
        let flow = FlowCase::new(names, steps, &assumptions).expect("the flows of the suite are in sound order");
        (name, flow)
    };
    treated().into_iter().chain(closed_by_answers()).chain(otherwise()).chain(at_risk()).map(make).collect()
}

/// A flow before it is assessed: its name, its steps, and what is taken for granted.
type Written = (&'static str, Vec<ProfiledStep>, Assumptions);

const HELD: Profile = Profile { hold_expires_ms: Some(LONGER), ..PAYMENT };
const FORGETS: Repeat = Repeat::For(LONGER);

/// The flows whose weaker promises the coordinator treats.
fn treated() -> Vec<Written> {
    let none = Assumptions::default();
    let (held, forgets) = (HELD, FORGETS);
    let second = ProfiledStep { undo_after: Some(0), ..step(PAYMENT) };
    vec![
        ("payment cannot be closed", vec![step(NO_CLOSE), step(DISPATCH)], none),
        (
            "payment cannot be closed and forgets its keys",
            vec![step(Profile { repeat: forgets, ..NO_CLOSE }), step(DISPATCH)],
            DECLARED,
        ),
        (
            "payment forgets its keys",
            vec![ProfiledStep { deadline_ms: None, ..step(Profile { repeat: forgets, ..PAYMENT }) }, step(DISPATCH)],
            DECLARED,
        ),
        ("payment's tombstones expire", vec![step(Profile { close: Close::For(LONGER), ..PAYMENT }), step(DISPATCH)], DECLARED),
        ("payment's refusals do not hold", vec![step(Profile { sticky_refusal: false, ..PAYMENT }), step(DISPATCH)], none),
        (
            "payment's refusals do not hold, and it cannot be closed",
            vec![step(Profile { sticky_refusal: false, ..NO_CLOSE }), step(DISPATCH)],
            none,
        ),
        (THREE_WITH_AN_INTENT, vec![step(INTENT), step(PAYMENT), step(DISPATCH)], none),
        ("an intent whose duplicates are harmless, dispatch", vec![step(INTENT), step(DISPATCH)], none),
        (
            "an intent, a charge by its key and the intent's id",
            vec![step(SURE_INTENT), ProfiledStep { named: Named::ByKeyAndIdOf(0), ..step(DISPATCH) }],
            none,
        ),
        ("payment is undone later, or not", vec![step(Profile { undoes_later: true, ..PAYMENT }), step(DISPATCH)], none),
        ("payment is read back", vec![step(Profile { reads_back: true, ..NO_CLOSE }), step(DISPATCH)], none),
        (
            "payment is read back, and its refusals do not hold",
            vec![step(Profile { reads_back: true, sticky_refusal: false, ..PAYMENT }), step(DISPATCH)],
            none,
        ),
        (
            "payment's refusals do not hold, and it cannot be looked at",
            vec![step(Profile { sticky_refusal: false, peek: false, ..PAYMENT }), step(DISPATCH)],
            none,
        ),
        (
            "payment's undo of nothing is a no-op",
            vec![step(Profile { undo: Undo::NoOpWhenAbsent, ..PAYMENT }), step(DISPATCH)],
            none,
        ),
        ("payment may be asked only once", vec![step(Profile { repeat: Repeat::Never, ..NO_CLOSE }), step(DISPATCH)], none),
        ("dispatch cannot be closed", vec![step(PAYMENT), step(Profile { close: Close::Never, ..DISPATCH })], none),
        ("dispatch's refusals do not hold", vec![step(PAYMENT), step(Profile { sticky_refusal: false, ..DISPATCH })], none),
        (
            "a hold that expires, dispatch, capture",
            vec![step(held), step(DISPATCH), ProfiledStep { captures: Some(0), ..step(NOTICE) }],
            DECLARED,
        ),
        (
            "payment, dispatch, a notice that forgets its keys",
            vec![step(PAYMENT), step(DISPATCH), step(Profile { repeat: forgets, ..NOTICE })],
            DECLARED,
        ),
        (
            "payment, then one that cannot be closed and forgets its keys",
            vec![step(PAYMENT), step(Profile { repeat: forgets, ..NO_CLOSE })],
            DECLARED,
        ),
        ("two payments undone in order", vec![step(PAYMENT), second], none),
    ]
}

/// The flows in which a key is closed by what an earlier step's answer brings.
fn closed_by_answers() -> Vec<Written> {
    let none = Assumptions::default();
    vec![
        ("dispatch is closed by what payment brings", vec![step(PAYMENT), closed_by_first(step(DISPATCH))], none),
        (SECOND_CLOSED_BY_FIRST, vec![step(PAYMENT), closed_by_first(step(PAYMENT)), step(DISPATCH)], none),
        (
            DISPATCH_CLOSED_BY_SECOND,
            vec![step(PAYMENT), step(PAYMENT), ProfiledStep { close_needs: StepSet::NONE.with(1), ..step(DISPATCH) }],
            none,
        ),
    ]
}

/// The flows in which something else may be done than was asked for, and says so.
fn otherwise() -> Vec<Written> {
    let none = Assumptions::default();
    let other = |profile| step(Profile { values: Values::Compared, ..profile });
    vec![
        ("payment may take another amount, and says so", vec![other(PAYMENT), step(DISPATCH)], none),
        (UNCLOSABLE, vec![other(NO_CLOSE), step(DISPATCH)], none),
    ]
}

/// The flows of which something is a risk for want of a declaration, or a treatment.
fn at_risk() -> Vec<Written> {
    let none = Assumptions::default();
    let (held, forgets) = (HELD, FORGETS);
    vec![
        (
            "payment forgets its keys, and nobody knows how late a message can be",
            vec![step(Profile { repeat: forgets, ..PAYMENT }), step(DISPATCH)],
            none,
        ),
        (
            "payment's tombstones expire, and nobody knows how late a message can be",
            vec![step(Profile { close: Close::For(LONGER), ..PAYMENT }), step(DISPATCH)],
            none,
        ),
        ("two dispatches", vec![step(DISPATCH), later(DISPATCH)], none),
        ("three dispatches", vec![step(DISPATCH), later(DISPATCH), later(DISPATCH)], none),
        (
            "payment may be asked only once, and its refusals do not hold",
            vec![step(Profile { repeat: Repeat::Never, sticky_refusal: false, ..PAYMENT }), step(DISPATCH)],
            none,
        ),
        (
            "an intent, a charge by the intent's id alone",
            vec![step(SURE_INTENT), ProfiledStep { named: Named::ByIdOf(0), ..step(DISPATCH) }],
            none,
        ),
        (
            "a hold that expires, capture in place of a dispatch",
            vec![step(held), ProfiledStep { captures: Some(0), ..step(DISPATCH) }],
            none,
        ),
        (
            "payment and dispatch answer by a status alone",
            vec![step(Profile { bare: BARE_PAYMENT, ..PAYMENT }), step(Profile { bare: BARE_DISPATCH, ..DISPATCH })],
            none,
        ),
        (
            "payment's undo must not be repeated",
            vec![step(Profile { undo_idempotent: false, ..PAYMENT }), step(DISPATCH)],
            DECLARED,
        ),
        (
            "payment, dispatch, a notice that may be asked only once",
            vec![step(PAYMENT), step(DISPATCH), step(Profile { repeat: Repeat::Never, ..NOTICE })],
            none,
        ),
    ]
}

/// What the payment, and the dispatch, of the flow that answers by a status alone say by one.
const BARE_PAYMENT: Meanings = Meanings::NONE
    .with(Operation::Act, Meaning::State(Definite::Refused))
    .with(Operation::Close, Meaning::State(Definite::Closed))
    .with(Operation::Undo, Meaning::State(Definite::Undone));
const BARE_DISPATCH: Meanings = Meanings::NONE.with(Operation::Act, Meaning::State(Definite::Done));

/// The flow of this name.
///
/// # Panics
/// If there is none.
#[must_use]
pub fn flow(name: &str) -> FlowCase {
    flows().into_iter().find(|(other, _)| *other == name).expect("there is a flow of this name").1
}

fn word(profile: &Profile) -> &'static str {
    match (profile.undo, profile.may_refuse) {
        (Undo::Closes | Undo::NoOpWhenAbsent, _) => "payment",
        (Undo::Never, true) => "dispatch",
        (Undo::Never, false) => "notice",
    }
}

fn numbered(names: &[&str], at: usize) -> String {
    let alone = names.iter().filter(|name| **name == names[at]).count() == 1;
    let number = names[..=at].iter().filter(|name| **name == names[at]).count();
    if alone { names[at].to_owned() } else { format!("{} {number}", names[at]) }
}
