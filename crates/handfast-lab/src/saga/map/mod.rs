//! The map of profiles: which payment and which dispatch can be brought to *both or neither*, and by which strategy.
//!
//! Nothing here is a table that somebody wrote down: every pair is explored, in both orders, and what is printed is what
//! was found.

mod svg;

use handfast_protocol::{
    Assumptions, Close, Doubt, Finding, Kind, PlanError, Profile, ProfiledStep, Repeat, Risk, StepPlan, Undo,
};

use super::adversary::Adversary;
use super::flow_case::FlowCase;
use super::network::Network;
use crate::explorer::Limits;

pub use svg::to_svg;

/// What a participant may promise, by a name that people read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NamedProfile {
    /// The name.
    pub name: &'static str,
    /// The profile.
    pub profile: Profile,
}

const CONTRACT: Profile = Profile::CONTRACT;
const NO_CLOSE: Profile = Profile { close: Close::Never, ..CONTRACT };
const NO_UNDO: Profile = Profile { undo: Undo::Never, ..CONTRACT };

/// Longer than [`DECLARED`] in all.
const A_DAY_MS: u64 = 24 * 60 * 60 * 1_000;

/// What is taken for granted wherever something ends after a time: messages live for a minute, clocks agree to five
/// seconds, and nobody is out of reach for more than an hour.
pub const DECLARED: Assumptions =
    Assumptions { message_lifetime_ms: Some(60_000), clock_error_ms: Some(5_000), longest_outage_ms: Some(60 * 60 * 1_000) };

/// The payments of the map.
pub const PAYMENTS: [NamedProfile; 9] = [
    NamedProfile { name: "contract", profile: CONTRACT },
    NamedProfile { name: "cannot be closed", profile: NO_CLOSE },
    NamedProfile {
        name: "cannot be closed, keys forgotten after a day",
        profile: Profile { repeat: Repeat::For(A_DAY_MS), ..NO_CLOSE },
    },
    NamedProfile { name: "refusals do not hold", profile: Profile { sticky_refusal: false, ..CONTRACT } },
    NamedProfile { name: "refusals do not hold, cannot be closed", profile: Profile { sticky_refusal: false, ..NO_CLOSE } },
    NamedProfile { name: "undo of nothing is a no-op", profile: Profile { undo: Undo::NoOpWhenAbsent, ..CONTRACT } },
    NamedProfile { name: "not idempotent, cannot be closed", profile: Profile { repeat: Repeat::Never, ..NO_CLOSE } },
    NamedProfile { name: "a hold that expires after a day", profile: Profile { hold_expires_ms: Some(A_DAY_MS), ..CONTRACT } },
    NamedProfile { name: "cannot be undone", profile: NO_UNDO },
];

/// The dispatches of the map.
pub const DISPATCHES: [NamedProfile; 6] = [
    NamedProfile { name: "cannot be undone", profile: NO_UNDO },
    NamedProfile { name: "cannot be undone or closed", profile: Profile { close: Close::Never, ..NO_UNDO } },
    NamedProfile { name: "cannot be undone, refusals do not hold", profile: Profile { sticky_refusal: false, ..NO_UNDO } },
    NamedProfile { name: "cannot be undone, cannot refuse", profile: Profile { may_refuse: false, ..NO_UNDO } },
    NamedProfile { name: "can be undone", profile: CONTRACT },
    NamedProfile {
        name: "cannot be undone or closed, not idempotent",
        profile: Profile { repeat: Repeat::Never, close: Close::Never, ..NO_UNDO },
    },
];

/// Which of the two is asked first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Order {
    /// The payment.
    PaymentFirst,
    /// The dispatch.
    DispatchFirst,
}

impl Order {
    /// The order in words.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::PaymentFirst => "payment first",
            Self::DispatchFirst => "dispatch first",
        }
    }
}

/// What became of one pair.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// Every property held in every state, by this strategy.
    Possible {
        /// Which is asked first.
        order: Order,
        /// How doubt about each ends, and where it is decided, in words.
        strategy: String,
        /// How many states were explored.
        states: u64,
    },
    /// Every property held where none of these risks comes true, and no strategy keeps them from doing so.
    AtRisk {
        /// Which is asked first.
        order: Order,
        /// The risks, each with the property that it breaks in some run, if one was found.
        risks: Vec<(Risk, Option<&'static str>)>,
        /// How many states were explored.
        states: u64,
    },
    /// A property broke although no risk came true. It has never been seen.
    Broken {
        /// Which is asked first.
        order: Order,
        /// The property.
        property: &'static str,
    },
    /// Neither order is sound.
    Impossible {
        /// Why the payment cannot come first.
        why: PlanError,
    },
}

/// One pair of the map.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Pair {
    /// The payment.
    pub payment: &'static str,
    /// The dispatch.
    pub dispatch: &'static str,
    /// What became of it.
    pub verdict: Verdict,
}

impl Pair {
    /// How the two are brought together, or what stands in the way.
    #[must_use]
    pub fn in_words(&self) -> String {
        match &self.verdict {
            Verdict::Possible { order, strategy, .. } => format!("{}; {strategy}", order.name()),
            Verdict::AtRisk { risks, .. } => {
                let risk = |(risk, breaks): &(Risk, Option<&'static str>)| match breaks {
                    Some(property) => format!("{} breaks \"{property}\"", risk.name()),
                    None => risk.name().to_owned(),
                };
                risks.iter().map(risk).collect::<Vec<_>>().join("; ")
            }
            Verdict::Broken { property, .. } => format!("breaks \"{property}\""),
            Verdict::Impossible { why } => why.to_string(),
        }
    }
}

/// Explores every pair, payments in the outer order, and tells `done` after each.
#[must_use]
pub fn map(limits: &Limits, mut done: impl FnMut(&Pair)) -> Vec<Pair> {
    let mut pairs = Vec::new();
    for payment in PAYMENTS {
        for dispatch in DISPATCHES {
            let pair = Pair {
                payment: payment.name,
                dispatch: dispatch.name,
                verdict: judge(payment.profile, dispatch.profile, limits),
            };
            done(&pair);
            pairs.push(pair);
        }
    }
    pairs
}

/// How good a verdict is, best first.
fn rank(verdict: &Verdict) -> (u8, usize) {
    match verdict {
        Verdict::Possible { .. } => (0, 0),
        Verdict::AtRisk { risks, .. } => (1, risks.len()),
        Verdict::Broken { .. } => (2, 0),
        Verdict::Impossible { .. } => (3, 0),
    }
}

fn judge(payment: Profile, dispatch: Profile, limits: &Limits) -> Verdict {
    let first = judge_in_order(payment, dispatch, Order::PaymentFirst, limits);
    let second = judge_in_order(payment, dispatch, Order::DispatchFirst, limits);
    if rank(&second) < rank(&first) { second } else { first }
}

fn judge_in_order(payment: Profile, dispatch: Profile, order: Order, limits: &Limits) -> Verdict {
    let step = ProfiledStep::new;
    let payment = ("payment".to_owned(), step(payment));
    let dispatch = ("dispatch".to_owned(), step(dispatch));
    let steps = match order {
        Order::PaymentFirst => [payment, dispatch],
        Order::DispatchFirst => [dispatch, payment],
    };
    let (mut names, mut steps): (Vec<String>, Vec<ProfiledStep>) = steps.into_iter().unzip();
    // Every step that may still be turned back from is given up after a while.
    steps[0].deadline_ms = Some(10_000);
    // What is held is of no use before it is captured, by a step that cannot refuse while the hold is there.
    if let Some(held) = steps.iter().position(|step| step.profile.hold_expires_ms.is_some()) {
        names.push("capture".to_owned());
        steps.push(ProfiledStep { captures: Some(held), ..step(Profile::of_kind(Kind::Retriable)) });
    }
    let flow = match FlowCase::new(names.clone(), steps, &DECLARED) {
        Ok(flow) => flow,
        Err(why) => return Verdict::Impossible { why },
    };
    let risks: &[Finding<Risk>] = &flow.assessment().risks;
    let explore = |come_true: &[Finding<Risk>]| {
        let stop_at_first = !come_true.is_empty();
        flow.explore(come_true, Adversary::new(Network::Set).workers(2), &Limits { stop_at_first, ..*limits })
    };
    let promised = explore(&[]);
    let breaks = |risk: &Finding<Risk>| explore(std::slice::from_ref(risk)).report.broken().next().map(|judged| judged.name);
    let risks: Vec<(Risk, Option<&'static str>)> = risks.iter().map(|risk| (risk.what, breaks(risk))).collect();
    let states = promised.report.unique;
    match promised.report.broken().next().map(|judged| judged.name) {
        Some(property) => Verdict::Broken { order, property },
        None if risks.is_empty() => Verdict::Possible { order, strategy: strategy(&flow, &names), states },
        None => Verdict::AtRisk { order, risks, states },
    }
}

/// Where a flow of two is decided, and how doubt about each of them ends, in words.
fn strategy(flow: &FlowCase, names: &[String]) -> String {
    let plan = &flow.assessment().plan;
    let decided =
        plan.gate().map_or_else(|| "decided in the journal".to_owned(), |gate| format!("decided at the {}", names[gate]));
    let treatments = plan.steps().iter().zip(names).filter_map(|(step, name)| Some(format!("{name} {}", treatment(step)?)));
    [decided].into_iter().chain(treatments).collect::<Vec<_>>().join("; ")
}

/// How a step is treated that is not simply closed.
fn treatment(step: &StepPlan) -> Option<&'static str> {
    match step.doubt {
        Doubt::Repeats { last_send_ms: None } => Some("is asked until it answers"),
        Doubt::Repeats { last_send_ms: Some(_) } => Some("is asked until it answers, and a person before it forgets"),
        Doubt::Looks { .. } => Some("is asked once and then looked for"),
        Doubt::Closes if !step.refusal_holds && step.kind != Kind::Retriable => Some("is closed after a refusal"),
        Doubt::Closes if !step.undo_closes => Some("is closed before it is undone"),
        Doubt::Closes => None,
    }
}
