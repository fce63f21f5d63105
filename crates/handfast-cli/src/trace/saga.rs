//! The journal of a production saga, kept: everything that its coordinator was told, and the digest of what became of it.

use std::sync::Arc;

use anyhow::{Context as _, bail};
use handfast::flow_file::has_card_number;
use handfast::journal::{Line, replay_checked};
use handfast::store::Entry;
use handfast_protocol::{Coordinator, Doubt, Kind, Plan, StepPlan, Time};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::document::{Document, members};
use crate::bad_input::OrBadInput as _;

/// What is put in the place of a text that may hold the number of a card.
const LEFT_OUT: &str = "(left out: it may hold the number of a card)";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Shape {
    #[serde(rename = "trace")]
    _trace: String,
    #[serde(rename = "kind")]
    _kind: String,
    saga: String,
    flow: String,
    version: u32,
    steps: Vec<StepShape>,
    entries: Vec<EntryShape>,
    standing: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StepShape {
    name: String,
    kind: String,
    beside: bool,
    deadline_ms: Option<u64>,
    #[serde(default, skip_serializing_if = "TreatmentShape::is_of_the_contract")]
    treatment: TreatmentShape,
}

/// What is different for a participant that promises less than the contract.
#[derive(Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct TreatmentShape {
    #[serde(skip_serializing_if = "Option::is_none")]
    doubt: Option<DoubtShape>,
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
    undo_after: Option<usize>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    close_needs: Vec<usize>,
}

/// How doubt ends where the key is not closed.
#[derive(PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum DoubtShape {
    Repeats { last_send_ms: Option<u64> },
    Looks { horizon_ms: Option<u64> },
}

impl TreatmentShape {
    fn is_of_the_contract(&self) -> bool {
        *self == Self::default()
    }

    fn of(plan: &StepPlan) -> Self {
        Self {
            doubt: match plan.doubt {
                Doubt::Closes => None,
                Doubt::Repeats { last_send_ms } => Some(DoubtShape::Repeats { last_send_ms }),
                Doubt::Looks { horizon_ms } => Some(DoubtShape::Looks { horizon_ms }),
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
            undo_after: plan.undo_after,
            close_needs: plan.close_needs.iter().collect(),
        }
    }

    fn plan(&self, kind: Kind) -> StepPlan {
        StepPlan {
            doubt: match self.doubt {
                None => Doubt::Closes,
                Some(DoubtShape::Repeats { last_send_ms }) => Doubt::Repeats { last_send_ms },
                Some(DoubtShape::Looks { horizon_ms }) => Doubt::Looks { horizon_ms },
            },
            refusal_holds: !self.closed_after_refusal,
            undo_closes: !self.closed_before_undo,
            commit_within_ms: self.commit_within_ms,
            refused_close_ms: self.refused_close_ms,
            forgotten_ms: self.forgotten_ms,
            harmless: self.harmless,
            undoes_later: self.undoes_later,
            undo_once_ms: self.undo_once_ms,
            undo_again_ms: self.undo_again_ms,
            reads_back: self.reads_back,
            watch_ms: self.watch_ms,
            undo_after: self.undo_after,
            close_needs: self.close_needs.iter().copied().collect(),
            ..StepPlan::new(kind)
        }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct EntryShape {
    seq: u64,
    at: u64,
    told: Value,
    digest: String,
}

/// A saga that was kept.
#[derive(Debug)]
pub(crate) struct SagaTrace {
    pub(crate) saga: String,
    pub(crate) flow: String,
    /// The names of the steps.
    pub(crate) names: Vec<String>,
    pub(crate) plan: Arc<Plan>,
    pub(crate) version: u32,
    pub(crate) entries: Vec<Entry>,
    standing: String,
}

/// One entry of a journal that was told again: the line, and the coordinator after it.
pub(crate) type Told = (Line, Coordinator);

impl SagaTrace {
    /// The journal of a saga; what people wrote is left out where it may hold the number of a card.
    ///
    /// # Errors
    /// The journal cannot be trusted.
    pub(crate) fn new(
        (saga, flow): (&str, &str),
        names: Vec<String>,
        plan: &Arc<Plan>,
        version: u32,
        entries: &[Entry],
    ) -> anyhow::Result<Self> {
        let coordinator = replay_checked(Arc::clone(plan), version, entries).context("there is no run to keep")?;
        let standing = coordinator.standing().name().to_owned();
        let entries = entries.iter().map(|entry| without_cards(version, entry)).collect::<anyhow::Result<_>>()?;
        let shown = |text: &str| if has_card_number(text) { LEFT_OUT.to_owned() } else { text.to_owned() };
        Ok(Self { saga: shown(saga), flow: shown(flow), names, plan: Arc::clone(plan), version, entries, standing })
    }

    /// Tells the deployed coordinator every entry again, and checks the digest after each.
    ///
    /// # Errors
    /// The first entry after which it is in another state, or how it stands at the end.
    pub(crate) fn replay(&self) -> anyhow::Result<Vec<Told>> {
        let told = self.tell().or_bad_input()?;
        let standing = told.last().map_or("placed", |(_, coordinator)| coordinator.standing().name());
        if standing != self.standing {
            let kept = &self.standing;
            return Err(anyhow::anyhow!("standing is another one: kept was {kept:?}, now it is {standing:?}")).or_bad_input();
        }
        Ok(told)
    }

    fn tell(&self) -> anyhow::Result<Vec<Told>> {
        let told = |(index, entry): (usize, &Entry)| {
            let coordinator = replay_checked(Arc::clone(&self.plan), self.version, &self.entries[..=index])?;
            Ok((Line::read(self.version, &entry.input)?, coordinator))
        };
        self.entries.iter().enumerate().map(told).collect()
    }

    pub(super) fn read(text: &str) -> anyhow::Result<Self> {
        let shape: Shape = members(text)?;
        let names = shape.steps.iter().map(|step| step.name.clone()).collect();
        let steps = shape.steps.iter().map(step).collect::<anyhow::Result<Vec<_>>>()?;
        let plan = Arc::new(Plan::new(steps).context("steps")?);
        let entries = shape.entries.into_iter().map(entry).collect::<anyhow::Result<_>>()?;
        let Shape { saga, flow, version, standing, .. } = shape;
        Ok(Self { saga, flow, names, plan, version, entries, standing })
    }

    pub(super) fn write(&self) -> anyhow::Result<String> {
        let steps: Vec<StepShape> = self
            .names
            .iter()
            .zip(self.plan.steps())
            .map(|(name, step)| StepShape {
                name: name.clone(),
                kind: step.kind.name().to_owned(),
                beside: step.beside,
                deadline_ms: step.deadline_ms,
                treatment: TreatmentShape::of(step),
            })
            .collect();
        let entries = self.entries.iter().map(entry_shape).collect::<anyhow::Result<Vec<_>>>()?;
        Ok(Document::new("saga")
            .member("saga", &self.saga)?
            .member("flow", &self.flow)?
            .member("version", &self.version)?
            .list("steps", &steps)?
            .list("entries", &entries)?
            .member("standing", &self.standing)?
            .finish())
    }
}

fn step(shape: &StepShape) -> anyhow::Result<StepPlan> {
    let kind = Kind::ALL.into_iter().find(|kind| kind.name() == shape.kind);
    let Some(kind) = kind else { bail!("{:?} is no kind of step: compensatable, pivot or retriable", shape.kind) };
    Ok(StepPlan { beside: shape.beside, deadline_ms: shape.deadline_ms, ..shape.treatment.plan(kind) })
}

fn entry(shape: EntryShape) -> anyhow::Result<Entry> {
    let EntryShape { seq, at, told, digest } = shape;
    let bytes = (digest.len() == 16 && digest.is_ascii()).then(|| u64::from_str_radix(&digest, 16).ok()).flatten();
    let Some(bytes) = bytes else { bail!("entry {seq}: {digest:?} is no digest, which has 16 hexadecimal digits") };
    Ok(Entry { seq, at: Time(at), input: told.to_string(), digest: bytes.to_be_bytes() })
}

fn entry_shape(entry: &Entry) -> anyhow::Result<EntryShape> {
    let told = serde_json::from_str(&entry.input)?;
    let digest = format!("{:016x}", u64::from_be_bytes(entry.digest));
    Ok(EntryShape { seq: entry.seq, at: entry.at.0, told, digest })
}

/// The same entry; only what decides nothing may change.
fn without_cards(version: u32, entry: &Entry) -> anyhow::Result<Entry> {
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
        Line::Cancel { by, why } => [by, why],
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
