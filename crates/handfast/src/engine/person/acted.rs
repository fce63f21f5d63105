//! What people have done about a saga, as its journal tells: who, when, why, and what shows it.

use handfast_protocol::Time;

use super::Act;
use super::followed::name;
use crate::flow::Flow;
use crate::journal::Line;
use crate::store::Entry;

/// Something that a person has done about a saga.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Acted {
    /// The number of its entry.
    pub seq: u64,
    /// When it was appended.
    pub at: Time,
    /// The word for it: one of [`Act::NAMES`], `cancel` or `same_books`.
    pub act: &'static str,
    /// The step that it is about.
    pub step: Option<String>,
    /// Who; it may be missing of a cancel.
    pub by: Option<String>,
    /// The reason given.
    pub reason: Option<String>,
    /// What shows it.
    pub evidence: Option<String>,
}

/// All of it, in order.
pub(super) fn acted(flow: &Flow, entries: &[Entry], lines: &[Line]) -> Vec<Acted> {
    entries.iter().zip(lines).filter_map(|(entry, line)| of_line(flow, entry, line)).collect()
}

fn of_line(flow: &Flow, &Entry { seq, at, .. }: &Entry, line: &Line) -> Option<Acted> {
    match line {
        Line::Cancel { by, why, request_id: _ } => {
            let (by, reason) = (by.clone(), why.clone());
            Some(Acted { seq, at, act: "cancel", step: None, by, reason, evidence: None })
        }
        Line::SameBooks { step, by: Some(by), why } => Some(Acted {
            seq,
            at,
            act: "same_books",
            step: Some(name(flow, *step).to_owned()),
            by: Some(by.clone()),
            reason: why.clone(),
            evidence: None,
        }),
        Line::Person { ruling, said } => {
            let act = Act::of(*ruling, flow);
            Some(Acted {
                seq,
                at,
                act: act.name(),
                step: act.step().map(str::to_owned),
                by: Some(said.by.clone()),
                reason: Some(said.reason.clone()),
                evidence: said.evidence.clone(),
            })
        }
        Line::SameBooks { by: None, .. }
        | Line::Start
        | Line::Timeout
        | Line::Due(_)
        | Line::Sent { .. }
        | Line::Looked { .. }
        | Line::Forgotten { .. }
        | Line::Moved { .. }
        | Line::Undo { .. }
        | Line::Answer { .. }
        | Line::Differs { .. } => None,
    }
}
