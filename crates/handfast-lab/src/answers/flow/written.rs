//! How the check of a flow is written.

use handfast_protocol::{Doubt, StepPlan};
use serde::ser::{Serialize, Serializer};

use super::{Answer, CheckedRisk, Counterexample, Explored, Residual};
use crate::answers::object::{Object, verdict};

/// Something of an answer, which knows the names of the steps.
struct Of<'a, T>(&'a Answer<'a>, T);

impl Serialize for Answer<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = Object::begin(serializer)?;
        object.put("flow", self.question.flow)?.put("file", self.question.file)?;
        object.put("verdict", verdict(self.holds()))?.put("states", &self.states())?;
        let plan = &self.question.case.assessment().plan;
        object.put("steps", &plan.steps().iter().enumerate().map(|step| Of(self, step)).collect::<Vec<_>>())?;
        let remarks = &self.question.case.assessment().remarks;
        let remarks = remarks.iter().map(|remark| Remark {
            name: remark.what.name(),
            step: self.question.name(remark.step),
            line: self.question.line(remark.step),
            says: remark.what.to_string(),
        });
        object.put("remarks", &remarks.collect::<Vec<_>>())?;
        object.put("risks", &self.risks.iter().map(|risk| Of(self, risk)).collect::<Vec<_>>())?;
        object.put("explored", &self.explored.iter().map(|explored| Of(self, explored)).collect::<Vec<_>>())?;
        object.put("left_out", &self.left_out)?;
        object.end()
    }
}

#[derive(serde::Serialize)]
struct Remark<'a> {
    name: &'static str,
    step: &'a str,
    line: usize,
    says: String,
}

impl Serialize for Of<'_, (usize, &StepPlan)> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(answer, (at, plan)) = self;
        let (doubt, limit_ms) = match plan.doubt {
            Doubt::Closes => ("closes", None),
            Doubt::Repeats { last_send_ms } => ("repeats", last_send_ms),
            Doubt::Looks { horizon_ms } => ("looks", horizon_ms),
        };
        let mut object = Object::begin(serializer)?;
        object.put("name", answer.question.name(*at))?.put("line", &answer.question.line(*at))?;
        object.put("kind", plan.kind.name())?;
        object.put("decides", &(answer.question.case.assessment().plan.gate() == Some(*at)))?;
        object.put("doubt", doubt)?.put("doubt_limit_ms", &limit_ms)?.put("deadline_ms", &plan.deadline_ms)?;
        object.put("closes_after_refusal", &!plan.refusal_holds)?.put("closes_before_undo", &!plan.undo_closes)?;
        object.put("commit_within_ms", &plan.commit_within_ms)?.put("refused_close_ms", &plan.refused_close_ms)?;
        object.put("forgotten_ms", &plan.forgotten_ms)?.put("harmless", &plan.harmless)?;
        object.put("undoes_later", &plan.undoes_later)?.put("undo_once_ms", &plan.undo_once_ms)?;
        object.put("undo_again_ms", &plan.undo_again_ms)?.put("reads_back", &plan.reads_back)?;
        object.put("close_needs", &plan.close_needs.iter().map(|step| step + 1).collect::<Vec<_>>())?;
        object.put("watch_ms", &plan.watch_ms)?;
        object.end()
    }
}

impl Serialize for Of<'_, &CheckedRisk> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(answer, risk) = self;
        let mut object = Object::begin(serializer)?;
        let step = risk.finding.step;
        object.put("name", risk.finding.what.name())?;
        object.put("step", answer.question.name(step))?.put("line", &answer.question.line(step))?;
        object.put("says", &risk.finding.to_string())?.put("fix", &risk.finding.what.way_out())?;
        object.put("accepted", &risk.is_accepted)?.put("residual", &risk.residual)?;
        object.put("states", &risk.states)?.put("run", &risk.run)?;
        object.end()
    }
}

impl Serialize for Residual {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = Object::begin(serializer)?;
        object.put("formula", self.formula)?.number("odds", &self.odds)?;
        object.put("window_ms", &self.window_ms)?.put("says", &self.says)?;
        object.end()
    }
}

impl Serialize for Counterexample {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = Object::begin(serializer)?;
        object.put("breaks", self.property)?.put("adversary", &self.adversary.to_string())?;
        object.put("actions", &self.actions)?.put("end", &self.end)?;
        object.end()
    }
}

#[derive(serde::Serialize)]
struct Broken {
    name: &'static str,
    run: Option<Vec<String>>,
}

impl Serialize for Of<'_, &Explored> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(answer, explored) = self;
        let report = &explored.found.report;
        let mut object = Object::begin(serializer)?;
        object.put("steps", &answer.names(explored))?.put("adversary", &explored.found.adversary().to_string())?;
        object.put("states", &report.unique)?.put("depth", &report.depth)?.put("exhaustive", &report.is_exhaustive())?;
        object.put("verdict", verdict(explored.found.holds()))?;
        object.put("properties", &report.verdicts.iter().map(|judged| judged.name).collect::<Vec<_>>())?;
        let broken = report.broken().map(|judged| Broken { name: judged.name, run: explored.found.run_against(judged.name) });
        object.put("broken", &broken.collect::<Vec<_>>())?;
        object.end()
    }
}
