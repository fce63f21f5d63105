//! The stored shape of a flow: what its steps promise is kept as what followed from it when the flow was built, so that a
//! later handfast that judges otherwise drives the sagas of today as they began.

use std::sync::Arc;
use std::time::Duration;

use handfast_protocol::{Doubt, Kind, StepPlan};
use serde::{Deserialize, Serialize};

use super::{FlowError, FlowStep};
use crate::clock::whole_ms;
use crate::participant::{HttpTemplates, HttpTexts};

/// A whole flow. What is as the contract has it is left out, so that a flow without profiles reads as it always did.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Written {
    flow: String,
    steps: Vec<WrittenStep>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenStep {
    name: String,
    kind: String,
    participant: String,
    #[serde(default, skip_serializing_if = "is_false")]
    beside: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    deadline_ms: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    timeout_ms: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    doubt: Option<WrittenDoubt>,
    #[serde(default, skip_serializing_if = "is_false")]
    refusal_is_loose: bool,
    #[serde(default, skip_serializing_if = "is_false")]
    undo_leaves_open: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    commit_within_ms: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    refused_close_ms: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    forgotten_ms: Option<u64>,
    #[serde(default, skip_serializing_if = "is_false")]
    harmless: bool,
    #[serde(default, skip_serializing_if = "is_false")]
    undoes_later: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    undo_once_ms: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    undo_again_ms: Option<u64>,
    #[serde(default, skip_serializing_if = "is_false")]
    reads_back: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    watch_ms: Option<u64>,
    #[serde(default, skip_serializing_if = "is_zero")]
    peek_lag_ms: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    undo_after: Option<usize>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    close_needs: Vec<usize>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    in_flight: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    retry_base_ms: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    retry_cap_ms: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    http: Option<HttpTexts>,
}

/// How doubt ends where the key is not closed.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum WrittenDoubt {
    Repeats {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        last_send_ms: Option<u64>,
    },
    Looks {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        horizon_ms: Option<u64>,
    },
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference to the function that decides what is left out")]
const fn is_false(value: &bool) -> bool {
    !*value
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference to the function that decides what is left out")]
const fn is_zero(value: &u64) -> bool {
    *value == 0
}

/// The name of the flow that a stored definition is of, also where a newer handfast wrote it; `None` if it says none.
pub(crate) fn name_in(text: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Named {
        flow: String,
    }
    serde_json::from_str(text).ok().map(|Named { flow }| flow)
}

/// Whether a stored definition is one of the flow of this name, as it is or as it was before a person edited it.
pub(crate) fn is_of_flow(text: &str, name: &str) -> bool {
    name_in(text).is_some_and(|named| named == name)
}

impl Written {
    pub(super) const fn new(flow: String, steps: Vec<WrittenStep>) -> Self {
        Self { flow, steps }
    }

    /// Its name, the plans of its steps, and who takes each.
    pub(super) fn into_parts(self) -> Result<(String, Vec<StepPlan>, Vec<FlowStep>), FlowError> {
        let plans = self.steps.iter().map(WrittenStep::plan).collect::<Result<_, _>>()?;
        let steps = self.steps.into_iter().map(WrittenStep::into_step).collect::<Result<_, _>>()?;
        Ok((self.flow, plans, steps))
    }
}

impl WrittenStep {
    pub(super) fn of(step: &FlowStep, plan: &StepPlan) -> Self {
        let StepPlan {
            kind,
            beside,
            deadline_ms,
            doubt,
            refusal_holds,
            undo_closes,
            commit_within_ms,
            refused_close_ms,
            forgotten_ms,
            harmless,
            undoes_later,
            undo_once_ms,
            undo_again_ms,
            reads_back,
            watch_ms,
            peek_lag_ms,
            undo_after,
            close_needs,
        } = *plan;
        Self {
            name: step.name.clone(),
            kind: kind.name().to_owned(),
            participant: step.participant.as_str().to_owned(),
            beside,
            deadline_ms,
            timeout_ms: step.timeout.map(whole_ms),
            doubt: match doubt {
                Doubt::Closes => None,
                Doubt::Repeats { last_send_ms } => Some(WrittenDoubt::Repeats { last_send_ms }),
                Doubt::Looks { horizon_ms } => Some(WrittenDoubt::Looks { horizon_ms }),
            },
            refusal_is_loose: !refusal_holds,
            undo_leaves_open: !undo_closes,
            commit_within_ms,
            refused_close_ms,
            forgotten_ms,
            harmless,
            undoes_later,
            undo_once_ms,
            undo_again_ms,
            reads_back,
            watch_ms,
            peek_lag_ms,
            undo_after,
            close_needs: close_needs.iter().collect(),
            in_flight: step.in_flight,
            retry_base_ms: step.retry_base.map(whole_ms),
            retry_cap_ms: step.retry_cap.map(whole_ms),
            http: step.http.as_ref().map(|templates| templates.texts().clone()),
        }
    }

    fn plan(&self) -> Result<StepPlan, FlowError> {
        let kind = Kind::from_name(&self.kind).ok_or_else(|| FlowError::Kind { kind: self.kind.clone() })?;
        Ok(StepPlan {
            kind,
            beside: self.beside,
            deadline_ms: self.deadline_ms,
            doubt: match self.doubt {
                None => Doubt::Closes,
                Some(WrittenDoubt::Repeats { last_send_ms }) => Doubt::Repeats { last_send_ms },
                Some(WrittenDoubt::Looks { horizon_ms }) => Doubt::Looks { horizon_ms },
            },
            refusal_holds: !self.refusal_is_loose,
            undo_closes: !self.undo_leaves_open,
            commit_within_ms: self.commit_within_ms,
            refused_close_ms: self.refused_close_ms,
            forgotten_ms: self.forgotten_ms,
            harmless: self.harmless,
            undoes_later: self.undoes_later,
            undo_once_ms: self.undo_once_ms,
            undo_again_ms: self.undo_again_ms,
            reads_back: self.reads_back,
            watch_ms: self.watch_ms,
            peek_lag_ms: self.peek_lag_ms,
            undo_after: self.undo_after,
            close_needs: self.close_needs.iter().copied().collect(),
        })
    }

    fn into_step(self) -> Result<FlowStep, FlowError> {
        let templates = self.http.map(HttpTemplates::compile).transpose();
        let http = templates.map_err(|(key, error)| FlowError::Templates { step: self.name.clone(), key, error })?;
        Ok(FlowStep {
            name: self.name,
            participant: self.participant.into(),
            timeout: self.timeout_ms.map(Duration::from_millis),
            in_flight: self.in_flight,
            retry_base: self.retry_base_ms.map(Duration::from_millis),
            retry_cap: self.retry_cap_ms.map(Duration::from_millis),
            http: http.map(Arc::new),
        })
    }
}
