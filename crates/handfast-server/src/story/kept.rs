//! The journal of a saga, kept: everything that its coordinator was told, and the digest of what became of it.

use std::sync::Arc;

use handfast::Time;
use handfast::flow_file::has_card_number;
use handfast::journal::{Line, LineError, ReplayError, follow, hex, replay_checked};
use handfast::store::Entry;
use handfast_protocol::{Coordinator, Doubt, Kind, Plan, PlanError, StepPlan};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::told::{Step, Teller};

/// What is put in the place of a text that may hold the number of a card.
const LEFT_OUT: &str = "(left out: it may hold the number of a card)";

/// A saga that is kept: its members are those of a trace of the kind `saga`. `docs/trace.md` has the format.
#[derive(Debug)]
pub struct Kept {
    /// Its id.
    pub saga: String,
    /// The name of its flow.
    pub flow: String,
    /// The names of its steps.
    pub names: Vec<String>,
    /// What was agreed for each step.
    pub plan: Arc<Plan>,
    /// The version of the protocol that it is pinned to.
    pub version: u32,
    /// The journal.
    pub entries: Vec<Entry>,
    /// How it stands at the end.
    pub standing: String,
}

/// Why a journal is not kept, is no kept one, or does not lead where it did.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeptError {
    /// Its rows do not lead to the states that they were written with.
    #[error(transparent)]
    Replay(#[from] ReplayError),
    /// A row cannot be written.
    #[error(transparent)]
    Line(#[from] LineError),
    /// It ends otherwise.
    #[error("standing is another one: kept was {kept:?}, now it is {now:?}")]
    Standing {
        /// How it stood.
        kept: String,
        /// How it stands now.
        now: &'static str,
    },
    /// The steps are in no sound order.
    #[error("steps: {0}")]
    Plan(#[from] PlanError),
    /// There is no such kind of step.
    #[error("{0:?} is no kind of step: compensatable, pivot or retriable")]
    Kind(String),
    /// The digest of an entry is none.
    #[error("entry {seq}: {digest:?} is no digest, which has 16 hexadecimal digits")]
    Digest {
        /// The entry.
        seq: u64,
        /// What stands there.
        digest: String,
    },
}

/// A kept saga whose coordinator was told every entry again.
pub struct Retold {
    /// What each entry says.
    pub lines: Vec<Line>,
    /// What each has changed.
    pub steps: Vec<Step>,
    /// How the saga stands at the end.
    pub standing: &'static str,
}

impl Kept {
    /// The journal of a saga and the name of its flow; what people wrote is left out where it may hold the number of a card.
    ///
    /// # Errors
    /// The journal cannot be trusted.
    pub fn new(
        (saga, flow): (&str, &str),
        names: Vec<String>,
        plan: &Arc<Plan>,
        version: u32,
        entries: &[Entry],
    ) -> Result<Self, KeptError> {
        let coordinator = replay_checked(Arc::clone(plan), version, entries)?;
        let standing = coordinator.standing().name().to_owned();
        let entries = entries.iter().map(|entry| without_cards(version, entry)).collect::<Result<_, _>>()?;
        let shown = |text: &str| if has_card_number(text) { LEFT_OUT.to_owned() } else { text.to_owned() };
        Ok(Self { saga: shown(saga), flow: shown(flow), names, plan: Arc::clone(plan), version, entries, standing })
    }

    /// Tells the deployed coordinator every entry again, checks the digest after each, and says what each has changed.
    ///
    /// # Errors
    /// The first entry after which it is in another state, or how it stands at the end.
    pub fn retell(&self) -> Result<Retold, KeptError> {
        let teller = Teller { names: &self.names };
        let mut before: Coordinator = Coordinator::pinned(Arc::clone(&self.plan), self.version);
        let (mut lines, mut steps) = (Vec::with_capacity(self.entries.len()), Vec::with_capacity(self.entries.len()));
        for (entry, expected) in self.entries.iter().zip(1..) {
            let (after, line) = follow(&before, self.version, entry, expected)?;
            steps.push(teller.step((entry.seq, entry.at), &line, &before, &after));
            lines.push(line);
            before = after;
        }
        let standing = before.standing().name();
        if standing != self.standing {
            return Err(KeptError::Standing { kept: self.standing.clone(), now: standing });
        }
        Ok(Retold { lines, steps, standing })
    }

    /// The steps as they are written.
    #[must_use]
    pub fn written_steps(&self) -> Vec<KeptStep> {
        self.names.iter().zip(self.plan.steps()).map(|(name, plan)| KeptStep::of(name, plan)).collect()
    }

    /// The journal as it is written.
    ///
    /// # Errors
    /// An entry is no JSON.
    pub fn written_entries(&self) -> Result<Vec<KeptEntry>, KeptError> {
        let written = |entry: &Entry| {
            let told = serde_json::from_str(&entry.input).map_err(|error| LineError::Unreadable(error.to_string()))?;
            let digest = hex(&entry.digest);
            Ok(KeptEntry { seq: entry.seq, at: entry.at.0, told, digest })
        };
        self.entries.iter().map(written).collect()
    }
}

/// A kept saga as it is read, before its steps are a plan.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeptDocument {
    #[serde(rename = "trace")]
    _trace: String,
    #[serde(rename = "kind")]
    _kind: String,
    saga: String,
    flow: String,
    version: u32,
    steps: Vec<KeptStep>,
    entries: Vec<KeptEntry>,
    standing: String,
}

impl TryFrom<KeptDocument> for Kept {
    type Error = KeptError;

    fn try_from(document: KeptDocument) -> Result<Self, KeptError> {
        let KeptDocument { saga, flow, version, steps, entries, standing, .. } = document;
        let plan = Arc::new(Plan::new(steps.iter().map(KeptStep::plan).collect::<Result<Vec<_>, _>>()?)?);
        let names = steps.into_iter().map(|step| step.name).collect();
        let entries = entries.into_iter().map(KeptEntry::entry).collect::<Result<_, _>>()?;
        Ok(Self { saga, flow, names, plan, version, entries, standing })
    }
}

/// One step of the plan, as it is written.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeptStep {
    name: String,
    kind: String,
    beside: bool,
    deadline_ms: Option<u64>,
    #[serde(default, skip_serializing_if = "Treatment::is_of_the_contract")]
    treatment: Treatment,
}

/// What is different for a participant that promises less than the contract.
#[derive(Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Treatment {
    #[serde(skip_serializing_if = "Option::is_none")]
    doubt: Option<KeptDoubt>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    closed_after_refusal: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    closed_before_undo: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    commit_within_ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refused_close_ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    forgotten_ms: Option<u64>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    harmless: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    undoes_later: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    undo_once_ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    undo_again_ms: Option<u64>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    reads_back: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    watch_ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    peek_lag_ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    undo_after: Option<usize>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    close_needs: Vec<usize>,
}

/// How doubt ends where the key is not closed.
#[derive(PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum KeptDoubt {
    Repeats { last_send_ms: Option<u64> },
    Looks { horizon_ms: Option<u64> },
}

impl Treatment {
    fn is_of_the_contract(&self) -> bool {
        *self == Self::default()
    }
}

impl KeptStep {
    fn of(name: &str, plan: &StepPlan) -> Self {
        let treatment = Treatment {
            doubt: match plan.doubt {
                Doubt::Closes => None,
                Doubt::Repeats { last_send_ms } => Some(KeptDoubt::Repeats { last_send_ms }),
                Doubt::Looks { horizon_ms } => Some(KeptDoubt::Looks { horizon_ms }),
            },
            closed_after_refusal: !plan.refusal_holds,
            closed_before_undo: !plan.undo_closes,
            commit_within_ms: plan.commit_within_ms,
            refused_close_ms: plan.refused_close_ms,
            forgotten_ms: plan.forgotten_ms,
            harmless: plan.harmless,
            undoes_later: plan.undoes_later,
            undo_once_ms: plan.undo_once_ms,
            undo_again_ms: plan.undo_again_ms,
            reads_back: plan.reads_back,
            watch_ms: plan.watch_ms,
            peek_lag_ms: (plan.peek_lag_ms > 0).then_some(plan.peek_lag_ms),
            undo_after: plan.undo_after,
            close_needs: plan.close_needs.iter().collect(),
        };
        Self {
            name: name.to_owned(),
            kind: plan.kind.name().to_owned(),
            beside: plan.beside,
            deadline_ms: plan.deadline_ms,
            treatment,
        }
    }

    fn plan(&self) -> Result<StepPlan, KeptError> {
        let Self { name: _, kind, beside, deadline_ms, treatment } = self;
        let kind = Kind::from_name(kind).ok_or_else(|| KeptError::Kind(kind.clone()))?;
        Ok(StepPlan {
            kind,
            beside: *beside,
            deadline_ms: *deadline_ms,
            doubt: match treatment.doubt {
                None => Doubt::Closes,
                Some(KeptDoubt::Repeats { last_send_ms }) => Doubt::Repeats { last_send_ms },
                Some(KeptDoubt::Looks { horizon_ms }) => Doubt::Looks { horizon_ms },
            },
            refusal_holds: !treatment.closed_after_refusal,
            undo_closes: !treatment.closed_before_undo,
            commit_within_ms: treatment.commit_within_ms,
            refused_close_ms: treatment.refused_close_ms,
            forgotten_ms: treatment.forgotten_ms,
            harmless: treatment.harmless,
            undoes_later: treatment.undoes_later,
            undo_once_ms: treatment.undo_once_ms,
            undo_again_ms: treatment.undo_again_ms,
            reads_back: treatment.reads_back,
            watch_ms: treatment.watch_ms,
            peek_lag_ms: treatment.peek_lag_ms.unwrap_or(0),
            undo_after: treatment.undo_after,
            close_needs: treatment.close_needs.iter().copied().collect(),
        })
    }
}

/// One entry of the journal, as it is written.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeptEntry {
    seq: u64,
    at: u64,
    told: Value,
    digest: String,
}

impl KeptEntry {
    fn entry(self) -> Result<Entry, KeptError> {
        let Self { seq, at, told, digest } = self;
        let bytes = (digest.len() == 16 && digest.is_ascii()).then(|| u64::from_str_radix(&digest, 16).ok()).flatten();
        let Some(bytes) = bytes else { return Err(KeptError::Digest { seq, digest }) };
        Ok(Entry { seq, at: Time(at), input: told.to_string(), digest: bytes.to_be_bytes() })
    }
}

/// The same entry; only what decides nothing may change.
fn without_cards(version: u32, entry: &Entry) -> Result<Entry, LineError> {
    let mut line = Line::read(version, &entry.input)?;
    let mut nothing = None;
    let texts: [&mut Option<String>; 2] = match &mut line {
        Line::Differs { what, .. } => {
            if !has_card_number(what) {
                return Ok(entry.clone());
            }
            LEFT_OUT.clone_into(what);
            return Ok(Entry { input: line.write(version)?, ..entry.clone() });
        }
        // What a person said was looked at before it was kept.
        Line::Start
        | Line::Timeout
        | Line::Due(_)
        | Line::Sent { .. }
        | Line::Looked { .. }
        | Line::Person { .. }
        | Line::Forgotten { .. }
        | Line::Moved { .. }
        | Line::SameBooks { .. } => {
            return Ok(entry.clone());
        }
        Line::Cancel { by, why, request_id: _ } => [by, why],
        Line::Undo { receipt, .. } => [&mut receipt.detail, &mut nothing],
        Line::Answer { receipt, .. } => [&mut receipt.detail, &mut receipt.incarnation],
    };
    let mut changed = false;
    for text in texts.into_iter().flatten().filter(|text| has_card_number(text)) {
        LEFT_OUT.clone_into(text);
        changed = true;
    }
    Ok(if changed { Entry { input: line.write(version)?, ..entry.clone() } } else { entry.clone() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_is_read_as_it_was_written() {
        let plain = StepPlan::new(Kind::Compensatable);
        let other = StepPlan {
            kind: Kind::Retriable,
            beside: true,
            deadline_ms: Some(1),
            doubt: Doubt::Looks { horizon_ms: Some(2) },
            refusal_holds: false,
            undo_closes: false,
            commit_within_ms: Some(3),
            refused_close_ms: Some(4),
            forgotten_ms: Some(5),
            harmless: true,
            undoes_later: true,
            undo_once_ms: Some(6),
            undo_again_ms: Some(7),
            reads_back: true,
            watch_ms: Some(8),
            peek_lag_ms: 9,
            undo_after: Some(1),
            close_needs: [0].into_iter().collect(),
        };
        for plan in [plain, other] {
            let text = serde_json::to_string(&KeptStep::of("a", &plan)).expect("it is data");
            let read: KeptStep = serde_json::from_str(&text).expect("it was written just now");
            assert_eq!(read.plan().expect("a step"), plan, "{text}");
        }
        let text = serde_json::to_string(&KeptStep::of("a", &plain)).expect("it is data");
        assert_eq!(text, r#"{"name":"a","kind":"compensatable","beside":false,"deadline_ms":null}"#);
    }
}
