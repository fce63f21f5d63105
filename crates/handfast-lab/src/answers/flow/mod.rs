//! Whether a flow can be safe at all, and the run that shows it where it cannot.
//!
//! The deployed coordinator is explored against participants that do whatever their profiles allow: once where no risk comes
//! true, and once for each risk where it does.

mod residual;
mod written;

use handfast_protocol::{Finding, PlanError, Risk};

pub use self::residual::{Odds, Residual};
use crate::diagram::Diagram;
use crate::explorer::Limits;
use crate::saga::{Adversary, FlowCase, Found, MAX_STEPS, Network};

/// A flow with more steps than this is explored on the multiset network only where that is asked for, since it takes
/// minutes, and with a crash and a second worker in two worlds instead of one.
const QUICK_STEPS: usize = 3;

/// What is asked: a flow, and against whom.
pub struct Question<'a> {
    /// The flow's name.
    pub flow: &'a str,
    /// What messages call its file.
    pub file: &'a str,
    /// The name of each step, and the line on which it stands.
    pub steps: Vec<(&'a str, usize)>,
    /// The steps by what their participants promise.
    pub case: FlowCase,
    /// What is declared of what no protocol can promise.
    pub odds: Odds,
    /// The names of the risks that somebody accepts.
    pub accepted: &'a [String],
    /// How messages are lost, where it is asked for.
    pub network: Option<Network>,
    /// How many workers there are, where it is asked for.
    pub workers: Option<u8>,
    /// How often something crashes, where it is asked for.
    pub crashes: Option<u8>,
    /// How many threads explore; 0 is one a core.
    pub threads: usize,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Unanswered {
    /// A part of the flow is in no sound order.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// On the network that was asked for a world is too small.
    #[error("on this network a world holds {fits} steps, and {steps} would be explored at once; try --network multiset:1 or set")]
    Network {
        /// How many steps fit.
        fits: usize,
        /// How many there are.
        steps: usize,
    },
}

/// What is explored, before it is.
pub struct Explorations<'a> {
    question: Question<'a>,
    parts: Vec<(Vec<usize>, FlowCase)>,
    adversaries: Vec<Adversary>,
}

/// A flow, checked.
///
/// Written with the members `flow`, `file`, `verdict`, `states`, `steps`, `remarks`, `risks`, `explored` and `left_out`.
pub struct Answer<'a> {
    /// What was asked.
    pub question: Question<'a>,
    /// The explorations in which no risk comes true.
    pub explored: Vec<Explored>,
    /// The risks, in the order in which they were found.
    pub risks: Vec<CheckedRisk>,
    /// What was left out, in words.
    pub left_out: Option<String>,
}

/// One exploration.
pub struct Explored {
    /// The places of the explored steps in the flow.
    pub part: Vec<usize>,
    /// What was found.
    pub found: Found,
}

/// A risk, and what happens where it comes true.
pub struct CheckedRisk {
    /// The risk.
    pub finding: Finding<Risk>,
    /// Somebody accepts it.
    pub is_accepted: bool,
    /// What is left of it then.
    pub residual: Residual,
    /// How many states were explored.
    pub states: u64,
    /// The shortest run that breaks something, if one was found.
    pub run: Option<Counterexample>,
}

/// A run that breaks a property.
#[derive(Clone)]
pub struct Counterexample {
    /// The property.
    pub property: &'static str,
    /// Every action, in words.
    pub actions: Vec<String>,
    /// The world at its end, in words.
    pub end: String,
    /// The run as a picture.
    pub picture: Diagram,
    /// The places of the explored steps in the flow.
    pub part: Vec<usize>,
    /// Against whom.
    pub adversary: Adversary,
    /// The risk that comes true, by the place of its step among the explored ones.
    pub come_true: Option<Finding<Risk>>,
}

impl<'a> Question<'a> {
    /// The name of a step.
    #[must_use]
    pub fn name(&self, step: usize) -> &str {
        self.steps.get(step).map_or("?", |(name, _)| name)
    }

    /// The line on which a step stands.
    #[must_use]
    pub fn line(&self, step: usize) -> usize {
        self.steps.get(step).map_or(0, |&(_, line)| line)
    }

    /// What is explored where nothing was asked for: workers and a crash on a set of messages, which is quick, and one worker on
    /// a multiset, which shows what a set hides, where that is quick too.
    fn adversaries(&self, steps: usize) -> Result<Vec<Adversary>, Unanswered> {
        let workers = usize::from(self.workers.unwrap_or(2));
        let crashes = self.crashes.unwrap_or(1);
        let make = |network: Network, workers: usize| Adversary::new(network).workers(workers).crashes(crashes);
        if let Some(network) = self.network {
            let fits = network.max_steps();
            if steps > fits {
                return Err(Unanswered::Network { fits, steps });
            }
            return Ok(vec![make(network, workers)]);
        }
        let one_worker = usize::from(self.workers.unwrap_or(1));
        if steps <= QUICK_STEPS {
            return Ok(vec![make(Network::Set, workers), make(Network::Multiset { capacity: 1 }, one_worker)]);
        }
        if self.workers.is_some() || self.crashes.is_some() {
            return Ok(vec![make(Network::Set, workers)]);
        }
        Ok(vec![make(Network::Set, workers).crashes(0), make(Network::Set, one_worker)])
    }

    fn left_out(&self, parts: usize) -> Option<String> {
        let steps = self.steps.len();
        let in_parts = (parts > 1).then(|| {
            format!(
                "a world holds {MAX_STEPS} steps and the flow has {steps}, so every choice of {MAX_STEPS} of them was explored that \
                 has the step in which the saga is decided among them"
            )
        });
        let on_a_set = (self.network.is_none() && steps > QUICK_STEPS).then(|| {
            "a set of messages hides one that is sent once and lost; --network multiset:1 shows it, and takes minutes".to_owned()
        });
        let said: Vec<String> = in_parts.into_iter().chain(on_a_set).collect();
        (!said.is_empty()).then(|| said.join("; "))
    }

    /// What has to be explored for the answer.
    ///
    /// # Errors
    /// It cannot be.
    pub fn explorations(self) -> Result<Explorations<'a>, Unanswered> {
        let parts = self.case.parts()?;
        let adversaries = self.adversaries(parts[0].1.steps().len())?;
        Ok(Explorations { question: self, parts, adversaries })
    }
}

impl<'a> Explorations<'a> {
    /// How many there are.
    #[must_use]
    pub fn number(&self) -> usize {
        self.parts.len() * self.adversaries.len() + self.question.case.assessment().risks.len()
    }

    /// Explores, and says before each exploration what is explored.
    pub fn explore(self, mut begins: impl FnMut(&str)) -> Answer<'a> {
        let Self { question, parts, adversaries } = self;
        let limits = Limits::default().with_threads(question.threads);
        let mut explored = Vec::new();
        for (part, flow) in &parts {
            for adversary in &adversaries {
                begins(&adversary.to_string());
                let found = flow.explore(&[], adversary.clone(), &limits);
                explored.push(Explored { part: part.clone(), found });
            }
        }
        let mut risks = Vec::new();
        for &finding in &question.case.assessment().risks {
            begins(finding.what.name());
            let (states, run) = come_true(&parts, finding, question.threads);
            let is_accepted = question.accepted.iter().any(|name| name == finding.what.name());
            risks.push(CheckedRisk { finding, is_accepted, residual: residual::of(&finding, &question), states, run });
        }
        let left_out = question.left_out(parts.len());
        Answer { question, explored, risks, left_out }
    }
}

impl Answer<'_> {
    /// Every property held where no risk comes true.
    #[must_use]
    pub fn keeps_its_promises(&self) -> bool {
        self.explored.iter().all(|explored| explored.found.holds())
    }

    /// Nothing is violated but what somebody has accepted.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.keeps_its_promises() && self.risks.iter().all(|risk| risk.is_accepted)
    }

    /// Every run that breaks something, those that break a promise first.
    #[must_use]
    pub fn counterexamples(&self) -> Vec<Counterexample> {
        let broken = self.explored.iter().filter_map(|explored| counterexample(&explored.found, &explored.part, None));
        let of_risks = self.risks.iter().filter_map(|risk| risk.run.clone());
        broken.chain(of_risks).collect()
    }

    /// How many states were explored in all.
    #[must_use]
    pub fn states(&self) -> u64 {
        let promised: u64 = self.explored.iter().map(|explored| explored.found.report.unique).sum();
        promised + self.risks.iter().map(|risk| risk.states).sum::<u64>()
    }

    /// The names of the steps of an exploration.
    #[must_use]
    pub fn names(&self, explored: &Explored) -> Vec<&str> {
        explored.part.iter().map(|&place| self.question.name(place)).collect()
    }
}

/// Explores what happens where a risk comes true, up to the first run that breaks something.
fn come_true(parts: &[(Vec<usize>, FlowCase)], risk: Finding<Risk>, threads: usize) -> (u64, Option<Counterexample>) {
    let limits = Limits { stop_at_first: true, ..Limits::default().with_threads(threads) };
    let mut states = 0;
    for (part, flow) in parts {
        // The same risk, by its place among the steps of this part.
        let is_it = |local: &&Finding<Risk>| {
            let of = |what: &Risk| (what.name(), what.answer());
            part[local.step] == risk.step && of(&local.what) == of(&risk.what)
        };
        let Some(&local) = flow.assessment().risks.iter().find(is_it) else { continue };
        let found = flow.explore(&[local], Adversary::new(Network::Set), &limits);
        states += found.report.unique;
        if let Some(run) = counterexample(&found, part, Some(local)) {
            return (states, Some(run));
        }
    }
    (states, None)
}

fn counterexample(found: &Found, part: &[usize], come_true: Option<Finding<Risk>>) -> Option<Counterexample> {
    let property = found.report.broken().next()?.name;
    let mut actions = found.run_against(property)?;
    let end = actions.pop()?;
    let picture = found.picture_against(property)?;
    Some(Counterexample { property, actions, end, picture, part: part.to_vec(), adversary: found.adversary().clone(), come_true })
}
