//! The flows of a service: each by its name, and no two of them at odds.

mod reread;
mod sources;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use handfast::flow_file::{FileStep, FlowFile};
use handfast::{Flow, FlowError};
use handfast_protocol::Assumptions;
use handfast_toml::FileError;

pub use self::reread::{Change, Reloaded, Reread};
pub use self::sources::{AcceptedRisk, FlowSources};
use crate::service::Receivers;

/// One flow of a service: the file that reads its orders, what is made of it, and the receivers of its steps' webhooks.
#[derive(Debug)]
pub struct ServedFlow {
    file: FlowFile,
    flow: Arc<Flow>,
    webhooks: Receivers,
}

impl ServedFlow {
    /// A flow that takes no webhooks.
    #[must_use]
    pub const fn new(file: FlowFile, flow: Arc<Flow>) -> Self {
        Self { file, flow, webhooks: Receivers::new() }
    }

    /// A flow with everything that it needs of the environment: the secrets of its requests and of its webhooks.
    ///
    /// # Errors
    /// One of its risks is not among those `accepted`, by name, or something that it needs cannot be had.
    pub fn with_secrets<S: AsRef<str>>(file: FlowFile, accepted: &[S]) -> Result<Self, FlowsError> {
        let flow = file.flow(accepted)?;
        file.check_participants(&[])?;
        let webhooks = file.webhook_receivers()?;
        Ok(Self { file, flow, webhooks })
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.file.name()
    }

    /// The file that reads its orders.
    #[must_use]
    pub const fn file(&self) -> &FlowFile {
        &self.file
    }

    /// What new orders follow.
    #[must_use]
    pub const fn flow(&self) -> &Arc<Flow> {
        &self.flow
    }

    /// The receivers of its steps' webhooks.
    #[must_use]
    pub const fn webhooks(&self) -> &Receivers {
        &self.webhooks
    }
}

/// Why a service cannot have these flows.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FlowsError {
    /// A file is wrong, or something that it names cannot be had.
    #[error(transparent)]
    File(#[from] FileError),
    /// A flow cannot promise everything, and no person has accepted that.
    #[error(transparent)]
    Flow(#[from] FlowError),
    /// A folder of flow files cannot be read, or has none.
    #[error("{folder}: {why}")]
    Folder {
        /// The folder.
        folder: String,
        /// Why there is no flow in it.
        why: String,
    },
    /// A risk is accepted, and it is not said for which flow.
    #[error("--accept-risk {risk} does not say for which flow: there are several, so write FLOW:{risk}, as in {flow}:{risk}")]
    WhichFlow {
        /// The risk.
        risk: String,
        /// One of the flows.
        flow: String,
    },
    /// A risk is accepted for a flow that there is not.
    #[error("--accept-risk {flow}:{risk}: there is no flow {flow:?}; the flows are {}", known.join(", "))]
    NoSuchFlow {
        /// The risk.
        risk: String,
        /// The flow that there is not.
        flow: String,
        /// The flows that there are.
        known: Vec<String>,
    },
    /// Two flows have one name.
    #[error("{second}: the flow {name:?} is in {first} as well; give one of the two another name, or leave out its file")]
    TwoOfOneName {
        /// The name.
        name: String,
        /// Where the name stands first.
        first: String,
        /// Where it stands again.
        second: String,
    },
    /// Two flows say another thing of one participant.
    #[error("{second}: {first} has the same participant, {participant}, with another {key}; give both the same")]
    AtOdds {
        /// The participant.
        participant: String,
        /// What they differ in.
        key: &'static str,
        /// Where the step of the one begins.
        first: String,
        /// Where the step of the other begins.
        second: String,
    },
}

/// Every flow of a service. There is one at least.
#[derive(Clone, Debug)]
pub struct Flows {
    by_name: BTreeMap<String, Arc<ServedFlow>>,
    /// Those whose orders are taken no more, and go on: their webhooks are taken as before.
    removed: BTreeMap<String, Arc<ServedFlow>>,
}

impl Flows {
    /// These flows together.
    ///
    /// # Errors
    /// Two of them have one name, or say another thing of one participant: with both places.
    pub fn of(flows: impl IntoIterator<Item = Arc<ServedFlow>>) -> Result<Self, FlowsError> {
        let mut by_name: BTreeMap<String, Arc<ServedFlow>> = BTreeMap::new();
        let mut seen: Vec<Arc<ServedFlow>> = Vec::new();
        for flow in flows {
            if let Some(other) = by_name.get(flow.name()) {
                let (name, first, second) = (flow.name().to_owned(), other.file.place_of_name(), flow.file.place_of_name());
                return Err(FlowsError::TwoOfOneName { name, first, second });
            }
            seen.iter().try_for_each(|other| check_participants(other, &flow))?;
            by_name.insert(flow.name().to_owned(), Arc::clone(&flow));
            seen.push(flow);
        }
        Ok(Self { by_name, removed: BTreeMap::new() })
    }

    /// These flows in place of those.
    fn after(mut self, before: &Self) -> Self {
        let gone = before.removed.iter().chain(&before.by_name).filter(|(name, _)| !self.by_name.contains_key(*name));
        self.removed = gone.map(|(name, served)| (name.clone(), Arc::clone(served))).collect();
        self
    }

    /// The flow of this name whose orders were taken before.
    #[must_use]
    pub fn removed(&self, name: &str) -> Option<&Arc<ServedFlow>> {
        self.removed.get(name)
    }

    /// Every flow that has orders under way: those at hand, and those that were removed.
    pub fn with_removed(&self) -> impl Iterator<Item = &Arc<ServedFlow>> {
        self.by_name.values().chain(self.removed.values())
    }

    /// The flow of this name.
    #[must_use]
    pub fn named(&self, name: &str) -> Option<&Arc<ServedFlow>> {
        self.by_name.get(name)
    }

    /// The only one, if there is no other.
    #[must_use]
    pub fn only(&self) -> Option<&Arc<ServedFlow>> {
        self.by_name.values().next().filter(|_| self.by_name.len() == 1)
    }

    /// Each of them, by name.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<ServedFlow>> {
        self.by_name.values()
    }

    /// Their names, in order.
    #[must_use]
    pub fn names(&self) -> Vec<&str> {
        self.by_name.keys().map(String::as_str).collect()
    }

    /// What all of them together take for granted about the process that drives them: of the errors of clocks the least, since each
    /// flow was checked with its own.
    #[must_use]
    pub fn assumptions(&self) -> Assumptions {
        let least = self.iter().filter_map(|flow| flow.file.assumptions().clock_error_ms).min();
        Assumptions { clock_error_ms: least, ..Assumptions::default() }
    }
}

impl From<ServedFlow> for Flows {
    fn from(flow: ServedFlow) -> Self {
        Self { by_name: BTreeMap::from([(flow.name().to_owned(), Arc::new(flow))]), removed: BTreeMap::new() }
    }
}

impl From<(FlowFile, Arc<Flow>)> for Flows {
    fn from((file, flow): (FlowFile, Arc<Flow>)) -> Self {
        ServedFlow::new(file, flow).into()
    }
}

impl fmt::Display for Flows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = if self.by_name.len() == 1 { "flow" } else { "flows" };
        write!(f, "{word}: {}", self.names().join(", "))
    }
}

/// A participant that speaks the contract has one limit and one back-off, whichever flow calls it. One that is called by templates
/// has those of each flow: what is called there is another thing in each.
fn check_participants(first: &ServedFlow, second: &ServedFlow) -> Result<(), FlowsError> {
    for own in second.file.steps() {
        let Some(other) = first.file.steps().iter().find(|other| is_same_participant(own, other)) else { continue };
        let differs = [
            ("in_flight", own.in_flight != other.in_flight),
            ("retry_base", own.retry_base != other.retry_base),
            ("retry_cap", own.retry_cap != other.retry_cap),
        ];
        if let Some((key, _)) = differs.into_iter().find(|(_, differs)| *differs) {
            let place = |file: &FlowFile, step: &FileStep| format!("{}:{}:{}", file.file(), step.line, step.column);
            let (first, second) = (place(&first.file, other), place(&second.file, own));
            return Err(FlowsError::AtOdds { participant: own.participant_name(), key, first, second });
        }
    }
    Ok(())
}

fn is_same_participant(own: &FileStep, other: &FileStep) -> bool {
    own.url().is_some() && own.url() == other.url()
}
