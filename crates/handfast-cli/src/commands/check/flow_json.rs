//! What the check of a flow found, as JSON.

use handfast::flow_file::FileStep;
use handfast_protocol::{Doubt, StepPlan};
use serde_json::{Value, json};

use super::flow::{Checked, CheckedRisk, Counterexample, Explored};

/// The answer, as the help of `handfast check` describes it.
pub(super) fn answer(checked: &Checked) -> Value {
    let file = &checked.file;
    let plan = &file.assessment().plan;
    let steps = file.steps().iter().zip(plan.steps()).enumerate();
    let steps: Vec<Value> = steps.map(|(at, (step, plan))| step_json(at, step, plan, file.assessment().plan.gate())).collect();
    let remarks = file.assessment().remarks.iter().map(|remark| {
        let step = &file.steps()[remark.step];
        json!({ "name": remark.what.name(), "step": step.name, "line": step.line, "says": remark.what.to_string() })
    });
    json!({
        "flow": file.name(),
        "file": file.file(),
        "verdict": if checked.holds() { "holds" } else { "violated" },
        "states": checked.states(),
        "steps": steps,
        "remarks": remarks.collect::<Vec<_>>(),
        "risks": checked.risks.iter().map(|risk| risk_json(checked, risk)).collect::<Vec<_>>(),
        "explored": checked.explored.iter().map(|explored| explored_json(checked, explored)).collect::<Vec<_>>(),
        "left_out": checked.left_out,
    })
}

fn step_json(at: usize, step: &FileStep, plan: &StepPlan, gate: Option<usize>) -> Value {
    let (doubt, limit_ms) = match plan.doubt {
        Doubt::Closes => ("closes", None),
        Doubt::Repeats { last_send_ms } => ("repeats", last_send_ms),
        Doubt::Looks { horizon_ms } => ("looks", horizon_ms),
    };
    json!({
        "name": step.name,
        "line": step.line,
        "kind": plan.kind.name(),
        "decides": gate == Some(at),
        "doubt": doubt,
        "doubt_limit_ms": limit_ms,
        "deadline_ms": plan.deadline_ms,
        "closes_after_refusal": !plan.refusal_holds,
        "closes_before_undo": !plan.undo_closes,
        "commit_within_ms": plan.commit_within_ms,
        "refused_close_ms": plan.refused_close_ms,
        "forgotten_ms": plan.forgotten_ms,
        "harmless": plan.harmless,
        "undoes_later": plan.undoes_later,
        "undo_once_ms": plan.undo_once_ms,
        "undo_again_ms": plan.undo_again_ms,
        "reads_back": plan.reads_back,
        "close_needs": plan.close_needs.iter().map(|step| step + 1).collect::<Vec<_>>(),
        "watch_ms": plan.watch_ms,
    })
}

fn risk_json(checked: &Checked, risk: &CheckedRisk) -> Value {
    let step = &checked.file.steps()[risk.finding.step];
    let residual = &risk.residual;
    json!({
        "name": risk.finding.what.name(),
        "step": step.name,
        "line": step.line,
        "says": risk.finding.to_string(),
        "fix": risk.finding.what.way_out(),
        "accepted": risk.is_accepted,
        "residual": {
            "formula": residual.formula,
            "odds": residual.odds.as_ref().map(ToString::to_string),
            "odds_float": residual.odds.as_ref().map(handfast_lab::generals::Ratio::to_f64),
            "window_ms": residual.window_ms,
            "says": residual.says,
        },
        "states": risk.states,
        "run": risk.run.as_ref().map(run_json),
    })
}

fn run_json(run: &Counterexample) -> Value {
    json!({ "breaks": run.property, "adversary": run.adversary.to_string(), "actions": run.actions, "end": run.end })
}

fn explored_json(checked: &Checked, explored: &Explored) -> Value {
    let report = &explored.found.report;
    json!({
        "steps": explored.names(&checked.file),
        "adversary": explored.found.adversary().to_string(),
        "states": report.unique,
        "depth": report.depth,
        "exhaustive": report.is_exhaustive(),
        "verdict": if explored.found.holds() { "holds" } else { "violated" },
        "properties": report.verdicts.iter().map(|judged| judged.name).collect::<Vec<_>>(),
        "broken": report.broken().map(|judged| json!({
            "name": judged.name,
            "run": explored.found.run_against(judged.name),
        })).collect::<Vec<_>>(),
    })
}
