//! The cases in which the deployed protocol is explored: which plan, against which adversary.

use std::sync::Arc;

use handfast_protocol::{Kind, Plan, ProfiledStep, StepPlan, Values};

use super::action::Action;
use super::adversary::{Adversary, Person};
use super::flow_case::FlowCase;
use super::flows::{LARGE, flows};
use super::model::in_words;
use super::network::Network;
use super::picture::draw;
use super::world::{Saga, World};
use crate::diagram::Diagram;
use crate::explorer::{Limits, Report, Verdict, explore};

// Time stands still while a world is explored, so a deadline of 0 is due at every moment.
const ANY_MOMENT: Option<u64> = Some(0);

/// One plan, or one flow whose participants promise less than the contract, against one adversary.
#[derive(Clone, Debug)]
pub struct Case {
    /// The plan in words.
    pub plan_name: &'static str,
    /// Who takes part.
    pub cast: Cast,
    /// What may go wrong.
    pub adversary: Adversary,
}

/// Who takes part in a case.
#[derive(Clone, Debug)]
pub enum Cast {
    /// Participants that speak the contract follow a plan.
    Contract(Arc<Plan>),
    /// Others, of which it is taken for granted that no risk comes true.
    Profiles(FlowCase),
}

/// What the exploration of a case has found.
#[derive(Debug)]
pub struct Found {
    /// The explorer's report.
    pub report: Report<World, Action>,
    pub(super) saga: Saga,
}

impl Case {
    /// Explores it within limits.
    #[must_use]
    pub fn explore(&self, limits: &Limits) -> Found {
        match &self.cast {
            Cast::Contract(plan) => {
                let saga = Saga::new(Arc::clone(plan), self.adversary.clone());
                Found { report: explore(&saga, limits), saga }
            }
            Cast::Profiles(flow) => flow.explore(&[], self.adversary.clone(), limits),
        }
    }
}

impl Found {
    /// What it was explored against. It is the world's own: some of it may have been taken for granted there.
    #[must_use]
    pub const fn adversary(&self) -> &Adversary {
        &self.saga.adversary
    }

    /// Whether everything holds, everything that should happen does, and nothing was left unexplored.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.report.holds() && self.report.is_exhaustive()
    }

    /// The shortest run against a property, in words, with the world at its end as the last line.
    #[must_use]
    pub fn run_against(&self, property: &str) -> Option<Vec<String>> {
        let Some(Verdict::Violated { run, .. }) = self.report.verdict(property) else { return None };
        let mut lines: Vec<String> =
            self.saga.with_lasting_numbers(run).iter().map(|action| in_words(&self.saga, action)).collect();
        lines.push(self.saga.in_words(run.last()));
        Some(lines)
    }

    /// The same run as a picture.
    #[must_use]
    pub fn picture_against(&self, property: &str) -> Option<Diagram> {
        let Some(Verdict::Violated { run, .. }) = self.report.verdict(property) else { return None };
        Some(draw(&self.saga, run, "the deployed protocol", property))
    }
}

const fn step(kind: Kind, deadline_ms: Option<u64>) -> StepPlan {
    StepPlan::new(kind).deadline(deadline_ms)
}

const fn beside(kind: Kind, deadline_ms: Option<u64>) -> StepPlan {
    StepPlan::new(kind).deadline(deadline_ms).beside()
}

fn plan(steps: &[StepPlan]) -> Arc<Plan> {
    Arc::new(Plan::new(steps.to_vec()).expect("the plans of the suite are in sound order"))
}

/// The plain case: a payment that can be undone, then a dispatch that cannot.
#[must_use]
pub fn payment_then_dispatch() -> Arc<Plan> {
    Arc::new(Plan::payment_then_dispatch(ANY_MOMENT, ANY_MOMENT))
}

/// A payment, a dispatch, and a notice that cannot refuse.
#[must_use]
pub fn pay_ship_notify() -> Arc<Plan> {
    plan(&[step(Kind::Compensatable, ANY_MOMENT), step(Kind::Pivot, ANY_MOMENT), step(Kind::Retriable, None)])
}

/// Both can be undone, so no key decides the saga: it rests on the journal's compare-and-set alone, and an older journal
/// that comes back can break it.
#[must_use]
pub fn two_payments() -> Arc<Plan> {
    plan(&[step(Kind::Compensatable, ANY_MOMENT), step(Kind::Compensatable, ANY_MOMENT)])
}

/// Two payments, one after the other, and a dispatch.
#[must_use]
pub fn two_in_turn() -> Arc<Plan> {
    plan(&[step(Kind::Compensatable, ANY_MOMENT), step(Kind::Compensatable, None), step(Kind::Pivot, None)])
}

/// The cases that are explored before anything ships, in an order in which the plainest come first.
#[must_use]
pub fn suite() -> Vec<Case> {
    let set = || Adversary::new(Network::Set);
    let multiset = || Adversary::new(Network::Multiset { capacity: 1 });
    let uncancelled = |adversary| Adversary { cancels: false, ..adversary };
    let foreign = |step| Adversary { foreign_key: Some(step), ..set().workers(2) };
    let mut cases = Vec::new();
    let mut add = |plan_name, plan: Arc<Plan>, adversaries: Vec<Adversary>| {
        cases.extend(adversaries.into_iter().map(|adversary| Case {
            plan_name,
            cast: Cast::Contract(Arc::clone(&plan)),
            adversary,
        }));
    };
    add(
        "payment, then dispatch",
        payment_then_dispatch(),
        vec![
            set(),
            set().workers(2),
            set().workers(3),
            set().restores(2),
            set().workers(2).restores(1),
            multiset(),
            uncancelled(multiset()),
            multiset().crashes(2),
            multiset().workers(2),
            foreign(0),
            foreign(1),
        ],
    );
    let patient = plan(&[step(Kind::Compensatable, None), step(Kind::Pivot, None)]);
    add("payment, then dispatch, no deadlines", patient, vec![set().workers(2).restores(1), multiset().crashes(1)]);
    let all_of_it = || vec![set().workers(2).restores(1), multiset().crashes(1)];
    add("payment, dispatch, notice", pay_ship_notify(), all_of_it());
    let gate_is_retriable =
        [step(Kind::Compensatable, ANY_MOMENT), step(Kind::Retriable, ANY_MOMENT), step(Kind::Retriable, None)];
    add("payment, notice, notice (no pivot)", plan(&gate_is_retriable), all_of_it());
    let side_by_side =
        [step(Kind::Compensatable, ANY_MOMENT), beside(Kind::Compensatable, ANY_MOMENT), step(Kind::Pivot, ANY_MOMENT)];
    add("two payments side by side, then dispatch", plan(&side_by_side), vec![set(), set().workers(2), set().restores(1)]);
    add("two payments in turn, then dispatch", two_in_turn(), vec![set().workers(2), set().restores(1)]);
    let fan_out = [step(Kind::Pivot, ANY_MOMENT), step(Kind::Retriable, None), beside(Kind::Retriable, None)];
    add("dispatch, then two notices side by side", plan(&fan_out), all_of_it());
    add("two payments (no pivot)", two_payments(), vec![set().workers(2), multiset()]);
    add("one payment", plan(&[step(Kind::Compensatable, ANY_MOMENT)]), vec![set().workers(2), multiset().crashes(1)]);
    add("one dispatch", plan(&[step(Kind::Pivot, ANY_MOMENT)]), all_of_it());
    let flows = flows();
    for &(plan_name, ref flow) in &flows {
        // Undos that come later, or leave once, make a world some ten times as large: there nobody crashes or cancels.
        let undoes_otherwise = flow.assessment().plan.steps().iter().any(|step| step.undoes_later || step.undo_leaves_once());
        let second = if undoes_otherwise { uncancelled(multiset()) } else { multiset().crashes(1) };
        let mut adversaries = vec![set().workers(2), second];
        adversaries.retain(|adversary| !is_large(plan_name, adversary));
        let case = |adversary| Case { plan_name, cast: Cast::Profiles(flow.clone()), adversary };
        cases.extend(adversaries.into_iter().map(case));
    }
    for (plan_name, flow) in flows.into_iter().filter(|(_, flow)| flow.steps().iter().any(|step| !step.close_needs.is_empty())) {
        cases.push(Case { plan_name, cast: Cast::Profiles(flow), adversary: set().restores(1) });
    }
    cases
}

fn is_large(plan_name: &str, adversary: &Adversary) -> bool {
    LARGE.contains(&plan_name) && adversary.network != Network::Set
}

/// The cases that have too many worlds to be explored before every change. Each has a smaller one like it in the suite.
#[must_use]
pub fn large() -> Vec<Case> {
    let adversary = Adversary::new(Network::Multiset { capacity: 1 }).crashes(1);
    let of_flow = |(plan_name, flow)| Case { plan_name, cast: Cast::Profiles(flow), adversary: adversary.clone() };
    flows().into_iter().map(of_flow).filter(|case| is_large(case.plan_name, &case.adversary)).collect()
}

/// Everything that may need a person, with a person who acts at any moment and says what is true.
#[must_use]
pub fn with_a_person() -> Vec<Case> {
    with(Person::Truthful)
}

/// The same with a person who says anything at all. That is a risk which nobody can take away; what a word leaves behind is told.
#[must_use]
pub fn with_a_liar() -> Vec<Case> {
    with(Person::Lying)
}

fn with(person: Person) -> Vec<Case> {
    let set = || Adversary::new(Network::Set).person(person);
    let foreign = |step| Adversary { foreign_key: Some(step), ..set() };
    let contract = |plan_name, plan: Arc<Plan>, adversary| Case { plan_name, cast: Cast::Contract(plan), adversary };
    let mut cases = vec![
        contract("payment, then dispatch", payment_then_dispatch(), set()),
        // Whoever acts on the store beside a service that runs is a second worker.
        contract("payment, then dispatch", payment_then_dispatch(), set().workers(2)),
        contract("payment, then dispatch", payment_then_dispatch(), foreign(0).workers(2)),
        contract("payment, then dispatch", payment_then_dispatch(), foreign(0)),
        contract("payment, then dispatch", payment_then_dispatch(), foreign(1)),
        contract("two payments in turn, then dispatch", two_in_turn(), foreign(1)),
        contract("payment, dispatch, notice", pay_ship_notify(), foreign(2)),
    ];
    if person == Person::Truthful {
        // With the older journal a word is lost; whoever then says another one has lied with one of the two.
        cases.push(contract("payment, then dispatch", payment_then_dispatch(), set().restores(1)));
        cases.push(contract("payment, then dispatch", payment_then_dispatch(), foreign(1).restores(1)));
    }
    // What answers for something else and cannot be closed is for a person, too.
    let is_unclear = |step: &ProfiledStep| step.profile.values == Values::Compared && !step.profile.closes();
    let may_need = |flow: &FlowCase| flow.assessment().plan.may_need_a_person() || flow.steps().iter().any(is_unclear);
    for (plan_name, flow) in flows().into_iter().filter(|(_, flow)| may_need(flow)) {
        cases.push(Case { plan_name, cast: Cast::Profiles(flow), adversary: set() });
    }
    cases
}
