//! How the generals should decide: how many messengers, in which waves, and who attacks on which view.

use std::ops::RangeInclusive;

use serde::ser::{Serialize, SerializeMap, Serializer};

use crate::answers::Against;
use crate::answers::object::{Object, Outcomes};
use crate::generals::decide::adaptive::{self, BestPlan, Class};
use crate::generals::decide::rule::{BestRule, Comes, Judged, Piece, Sight, best_rule};
use crate::generals::decide::wave::{self, Best};
use crate::generals::decide::{DecideError, Plan, Stage, Stakes, Valued};
use crate::generals::{NotWeighed, Orders, Ratio, Table};

/// Which rules are compared.
pub const RULES: &str = "every joint rule: each general attacks or not on each of its views; \
    of equally good rules the one with the fewest views to attack on";

/// What every answer depends on.
#[derive(Debug)]
pub struct Question {
    /// What is won, lost and paid.
    pub stakes: Stakes,
    /// The probability that a messenger is captured.
    pub capture: Ratio,
}

impl Question {
    /// Against whom it is decided.
    #[must_use]
    pub fn adversary(&self) -> Against {
        Against::Chance(Some(self.capture.clone()))
    }

    fn put<M: SerializeMap>(&self, object: &mut Object<M>) -> Result<(), M::Error> {
        object.number("gain", self.stakes.gain())?.number("alone", self.stakes.alone())?;
        object.number("messenger_cost", self.stakes.messenger())?.number("capture", &self.capture)?;
        object.against(&self.adversary())?;
        Ok(())
    }
}

/// A class of plans.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Plans {
    /// One wave, paid in advance.
    Single,
    /// At most so many waves, which leave only while no acknowledgement has come.
    Adaptive {
        /// So many.
        waves: u32,
    },
}

impl Plans {
    /// What is in it.
    #[must_use]
    pub fn in_words(self, budget: Option<u64>) -> String {
        let class = match self {
            Self::Single => "single waves, paid in advance".to_owned(),
            Self::Adaptive { waves } => format!(
                "plans of at most {waves} waves of general 1, each of any size, sent only if no acknowledgement has arrived; \
                 every wave but the last is acknowledged by any fixed number of messengers if one of it arrives; general 1 \
                 attacks whether or not an acknowledgement came, so plans that call the attack off are not in it"
            ),
        };
        match budget {
            Some(budget) => format!("{class}; at most {budget} messengers in all"),
            None => class,
        }
    }
}

/// What was found: the best of a class, or that there is none.
#[derive(Debug)]
pub enum Found {
    /// This one; without any waves where not to attack is best.
    Plan(Valued),
    /// None is best: messengers are free, and the value of larger waves goes up to this.
    Never(Ratio),
}

/// The best plan without a protocol.
///
/// Written with the members `gain`, `alone`, `messenger_cost`, `capture`, `adversary`, `class`, `budget`, `attained`, `attack`,
/// `messengers`, `plan`, `expected_messengers`, `value`, `outcome`, for an adaptive plan `single`, and `nearby`.
#[derive(Debug)]
pub struct PlanAnswer<'a> {
    /// What it depends on.
    pub question: &'a Question,
    /// Which plans are compared.
    pub plans: Plans,
    /// The most messengers in all, if there is a bound.
    pub budget: Option<u64>,
    /// The best single wave.
    pub single: Found,
    /// The best adaptive plan, if those are compared.
    pub adaptive: Option<Found>,
    /// Single waves around the best one, or around the budget, with their values.
    pub nearby: Vec<(u64, Ratio)>,
}

/// The best plan of a class.
///
/// # Errors
/// The numbers would have more digits than anybody reads, or there are too many plans.
pub fn best(question: &Question, plans: Plans, budget: Option<u64>) -> Result<PlanAnswer<'_>, DecideError> {
    let Question { stakes, capture } = question;
    let single = match wave::best(stakes, capture, budget)? {
        Best::Never { supremum } => Found::Never(supremum),
        best @ (Best::Stay | Best::Wave { .. }) => Found::Plan(valued(question, &best)?),
    };
    let adaptive = match plans {
        Plans::Single => None,
        Plans::Adaptive { waves } => Some(match adaptive::best(stakes, capture, Class { waves, budget })? {
            BestPlan::Plan(valued) => Found::Plan(valued),
            BestPlan::Never { supremum } => Found::Never(supremum),
        }),
    };
    let middle = match &single {
        Found::Plan(valued) => valued.plan.most_messengers(),
        Found::Never(_) => 10,
    };
    let last = budget.unwrap_or(u64::MAX).min(middle + 3);
    let mut nearby = Vec::new();
    for messengers in middle.saturating_sub(3).max(1)..=last {
        nearby.push((messengers, wave::value(stakes, capture, messengers)?));
    }
    Ok(PlanAnswer { question, plans, budget, single, adaptive, nearby })
}

/// The wave as a plan.
fn valued(question: &Question, best: &Best) -> Result<Valued, DecideError> {
    let messengers = best.messengers().and_then(|messengers| u32::try_from(messengers).ok()).unwrap_or(0);
    let stages = if messengers > 0 { vec![Stage { messengers, acknowledged_by: 0 }] } else { Vec::new() };
    Plan { stages }.valued(&question.stakes, &question.capture)
}

impl Serialize for PlanAnswer<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = Object::begin(serializer)?;
        self.question.put(&mut object)?;
        object.put("class", &self.plans.in_words(self.budget))?.put("budget", &self.budget)?;
        put_found(&mut object, self.adaptive.as_ref().unwrap_or(&self.single), self.question)?;
        if self.adaptive.is_some() {
            object.put("single", &FoundData(&self.single, self.question))?;
        }
        object.put("nearby", &self.nearby.iter().map(NearData).collect::<Vec<_>>())?;
        object.end()
    }
}

fn put_found<M: SerializeMap>(object: &mut Object<M>, found: &Found, question: &Question) -> Result<(), M::Error> {
    match found {
        Found::Never(supremum) => {
            object.put("attained", &false)?.put("attack", &true)?.put("messengers", &None::<u64>)?.put("plan", &None::<u64>)?;
            object.number("value", supremum)?;
        }
        Found::Plan(Valued { plan, value, messengers }) => {
            let attack = !plan.stages.is_empty();
            object.put("attained", &true)?.put("attack", &attack)?.put("messengers", &plan.most_messengers())?;
            object.put("plan", &stages(plan))?.number("expected_messengers", messengers)?.number("value", value)?;
            // The probability that nothing of all that general 1 sends arrives.
            let lost = Ratio(question.capture.0.pow(plan.first_sends() as i32));
            let (zero, one) = (Ratio::new(0, 1), Ratio::new(1, 1));
            let rows = if attack { [&lost.complement(), &lost, &zero, &zero] } else { [&zero, &zero, &zero, &one] };
            object.put("outcome", &Outcomes(rows))?;
        }
    }
    Ok(())
}

struct FoundData<'a>(&'a Found, &'a Question);

impl Serialize for FoundData<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = Object::begin(serializer)?;
        put_found(&mut object, self.0, self.1)?;
        object.end()
    }
}

struct NearData<'a>(&'a (u64, Ratio));

impl Serialize for NearData<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self((messengers, value)) = self;
        let mut object = Object::begin(serializer)?;
        object.put("messengers", messengers)?.number("value", value)?;
        object.end()
    }
}

#[derive(serde::Serialize)]
struct StageData {
    messengers: u32,
    acknowledged_by: u32,
}

fn stages(plan: &Plan) -> Vec<StageData> {
    let stage = |&Stage { messengers, acknowledged_by }: &Stage| StageData { messengers, acknowledged_by };
    plan.stages.iter().map(stage).collect()
}

/// The best plan for each budget.
///
/// Written with the members of the question, `class` and `budgets` (for each `budget`, `messengers`, `plan` and `value`).
#[derive(Debug)]
pub struct BudgetsAnswer<'a> {
    /// What it depends on.
    pub question: &'a Question,
    /// Which plans are compared.
    pub plans: Plans,
    /// The budgets, each with its best plan.
    pub budgets: Vec<(u64, Valued)>,
}

/// The best plan for each of these budgets.
///
/// # Errors
/// As [`best`].
pub fn for_budgets(question: &Question, plans: Plans, budgets: RangeInclusive<u64>) -> Result<BudgetsAnswer<'_>, DecideError> {
    let Question { stakes, capture } = question;
    let first = usize::try_from(*budgets.start()).unwrap_or(usize::MAX);
    let bests: Vec<Valued> = match plans {
        Plans::Single => {
            let bests = wave::best_for_budgets(stakes, capture, *budgets.end())?;
            bests.iter().skip(first).map(|best| valued(question, best)).collect::<Result<_, _>>()?
        }
        Plans::Adaptive { waves } => {
            adaptive::best_for_budgets(stakes, capture, waves, *budgets.end())?.into_iter().skip(first).collect()
        }
    };
    Ok(BudgetsAnswer { question, plans, budgets: budgets.zip(bests).collect() })
}

impl Serialize for BudgetsAnswer<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = Object::begin(serializer)?;
        self.question.put(&mut object)?;
        object.put("class", &self.plans.in_words(None))?;
        object.put("budgets", &self.budgets.iter().map(BudgetData).collect::<Vec<_>>())?;
        object.end()
    }
}

struct BudgetData<'a>(&'a (u64, Valued));

impl Serialize for BudgetData<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self((budget, Valued { plan, value, .. })) = self;
        let mut object = Object::begin(serializer)?;
        object.put("budget", budget)?.put("messengers", &plan.most_messengers())?.put("plan", &stages(plan))?;
        object.number("value", value)?;
        object.end()
    }
}

/// The best rule for the messengers of a protocol.
///
/// Written with the members of the question, `protocol`, `title`, `prior`, `class`, `value`, `messengers`, `outcome` (each also
/// with `_given_order`), `rule`, `break_points`, `pieces` and `own`.
#[derive(Debug)]
pub struct RuleAnswer<'a> {
    /// What it depends on.
    pub question: &'a Question,
    /// The protocol as it is typed.
    pub protocol: &'a str,
    /// Its table.
    pub table: &'a Table,
    /// How likely the order is given.
    pub prior: Ratio,
    /// What was found.
    pub found: BestRule,
}

/// The best rule for the messengers of the protocol that is typed so.
///
/// # Errors
/// A number is no probability, or more would have to be held than may be.
pub fn rule<'a>(question: &'a Question, table: &'a Table, protocol: &'a str, prior: Ratio) -> Result<RuleAnswer<'a>, NotWeighed> {
    let found = best_rule(table, &question.stakes, &question.capture, &prior)?;
    Ok(RuleAnswer { question, protocol, table, prior, found })
}

impl Serialize for RuleAnswer<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { question, protocol, table, prior, found } = self;
        let mut object = Object::begin(serializer)?;
        question.put(&mut object)?;
        object.put("protocol", *protocol)?.put("title", &table.name)?;
        if table.orders != Orders::Nobody {
            object.number("prior", prior)?;
        }
        object.put("class", RULES)?;
        put_judged(&mut object, &found.best, &question.stakes)?;
        object.put("rule", &found.rule.iter().map(SightData).collect::<Vec<_>>())?;
        object.numbers("break_points", &found.break_points().cloned().collect::<Vec<_>>())?;
        object.put("pieces", &found.pieces.iter().map(PieceData).collect::<Vec<_>>())?;
        object.put("own", &JudgedData(&found.own, &question.stakes))?;
        object.end()
    }
}

fn put_judged<M: SerializeMap>(object: &mut Object<M>, judged: &Judged, stakes: &Stakes) -> Result<(), M::Error> {
    for (after, comes) in [("", &judged.overall), ("_given_order", &judged.ordered)] {
        let Comes { both, alone_1, alone_2, messengers } = comes;
        object.number(&format!("value{after}"), &comes.value(stakes))?;
        object.number(&format!("messengers{after}"), messengers)?;
        object.put(&format!("outcome{after}"), &Outcomes([both, alone_1, alone_2, &comes.neither()]))?;
    }
    Ok(())
}

struct JudgedData<'a>(&'a Judged, &'a Stakes);

impl Serialize for JudgedData<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = Object::begin(serializer)?;
        put_judged(&mut object, self.0, self.1)?;
        object.end()
    }
}

struct SightData<'a>(&'a Sight);

impl Serialize for SightData<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(Sight { general, words, probability, attacks, pinned }) = self;
        let mut object = Object::begin(serializer)?;
        object.put("general", general)?.put("view", words)?.number("probability", probability)?;
        object.put("attacks", attacks)?.put("pinned", pinned)?;
        object.end()
    }
}

struct PieceData<'a>(&'a Piece);

impl Serialize for PieceData<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(Piece { from, both, alone }) = self;
        let mut object = Object::begin(serializer)?;
        object.number("from", from)?.number("both", both)?.number("alone", alone)?;
        object.end()
    }
}
