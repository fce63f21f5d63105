//! What the check of a flow found, for people.

use handfast_lab::answers::flow::{Answer, CheckedRisk, Counterexample};
use handfast_protocol::{Doubt, Kind, Span, StepPlan};

use crate::output::picture;
use crate::output::{Output, grouped};

const BOLD: &str = "\x1b[1m";
const GREEN: &str = "\x1b[32m";
const RED: &str = "\x1b[31m";
const YELLOW: &str = "\x1b[33m";
const PLAIN: &str = "\x1b[0m";

/// Prints the steps, the risks with their runs, what was explored, and the verdict.
pub(super) fn print(checked: &Answer<'_>, ascii: bool, output: &Output) -> anyhow::Result<()> {
    let asked = &checked.question;
    output.line(format_args!("{BOLD}{}{PLAIN} ({})", asked.flow, asked.file))?;
    let plan = &asked.case.assessment().plan;
    let widest = asked.steps.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    for (at, ((name, _), plan_of)) in asked.steps.iter().zip(plan.steps()).enumerate() {
        let decides = if plan.gate() == Some(at) { "; the saga is decided here" } else { "" };
        let lead = format!("  {}. {name:widest$}  ", at + 1);
        let said = format!("{}: {}{decides}", plan_of.kind.name(), treatment(plan_of));
        output.led(lead, said)?;
    }
    for remark in &asked.case.assessment().remarks {
        let (name, line) = (asked.name(remark.step), asked.line(remark.step));
        output.line("")?;
        output.sentences(format_args!("  {name} (line {line}) {}: {}", remark.what.name(), remark.what))?;
    }
    for risk in &checked.risks {
        print_risk(checked, risk, ascii, output)?;
    }
    print_explored(checked, ascii, output)?;
    print_verdict(checked, output)
}

/// How the coordinator treats a step, in words.
fn treatment(plan: &StepPlan) -> String {
    let mut said = Vec::new();
    let until =
        if plan.kind == Kind::Retriable && plan.closes() { "asked until it answers" } else { "closed where it is in doubt" };
    said.push(match plan.doubt {
        Doubt::Closes => until.to_owned(),
        Doubt::Repeats { last_send_ms: None } if plan.harmless => {
            "asked until it answers, and left alone where it is in doubt".to_owned()
        }
        Doubt::Repeats { last_send_ms: None } => "asked until it answers".to_owned(),
        Doubt::Repeats { last_send_ms: Some(ms) } => {
            format!("asked until it answers, for {} at most, and then a person", Span(ms))
        }
        Doubt::Looks { horizon_ms: None } => "asked once, and then looked for".to_owned(),
        Doubt::Looks { horizon_ms: Some(ms) } => format!("asked once, then looked for, after {} a person", Span(ms)),
    });
    if let Some(ms) = plan.deadline_ms {
        said.push(format!("given up after {}", Span(ms)));
    }
    if !plan.refusal_holds {
        said.push("closed after a refusal".to_owned());
    }
    if !plan.undo_closes && plan.closes() {
        said.push("closed before it is undone".to_owned());
    }
    if let Some(ms) = plan.commit_within_ms {
        said.push(format!("turned back unless the saga is decided within {}", Span(ms)));
    }
    if let Some(ms) = plan.forgotten_ms {
        said.push(format!("left to a person where it is in doubt after {}", Span(ms)));
    }
    if plan.undoes_later {
        said.push("its undo looked for until it is done".to_owned());
    }
    match (plan.undo_once_ms, plan.undo_again_ms) {
        (Some(person_ms), Some(again_ms)) => said.push(format!(
            "its undo leaves once, is looked for, and leaves again if it is not done {} later; after {} a person",
            Span(again_ms),
            Span(person_ms)
        )),
        (Some(person_ms), None) => {
            said.push(format!("its undo leaves once, then looked for, after {} a person", Span(person_ms)))
        }
        (None, _) => {}
    }
    if plan.reads_back {
        said.push("looked at where an answer says nothing".to_owned());
    }
    if !plan.close_needs.is_empty() {
        let steps: Vec<String> = plan.close_needs.iter().map(|step| format!("step {}", step + 1)).collect();
        said.push(format!("closed by what {} brings", steps.join(" and ")));
    }
    if let Some(ms) = plan.watch_ms {
        said.push(format!("watched for {} after the end", Span(ms)));
    }
    said.join(", ")
}

fn print_risk(checked: &Answer<'_>, risk: &CheckedRisk, ascii: bool, output: &Output) -> anyhow::Result<()> {
    let (asked, step) = (&checked.question, risk.finding.step);
    let name = risk.finding.what.name();
    let accepted = if risk.is_accepted { "accepted" } else { "not accepted" };
    output.line(format_args!(
        "\n{YELLOW}risk {name}{PLAIN} of {}, {accepted} ({}:{})",
        asked.name(step),
        asked.file,
        asked.line(step)
    ))?;
    output.sentences(format_args!("  {}.", risk.finding))?;
    let left = &risk.residual;
    let number = left.odds.as_ref().map_or_else(String::new, |odds| format!(" = {odds} = {}", odds.to_f64()));
    output.sentences(format_args!("  What is left: {}.", left.says))?;
    output.sentences(format_args!("  As a formula: {}{number}", left.formula))?;
    output.sentences(format_args!("  The way out: {}.", risk.finding.what.way_out()))?;
    match &risk.run {
        Some(run) => print_run(run, ascii, output),
        None => output.sentences("  No run within the bounds shows it."),
    }
}

fn print_run(run: &Counterexample, ascii: bool, output: &Output) -> anyhow::Result<()> {
    output.line(format_args!("  Where it comes true, this breaks: {RED}{}{PLAIN}\n", run.property))?;
    output.line(picture::text(&run.picture, ascii))?;
    for (number, action) in (1..).zip(&run.actions) {
        output.line(format_args!("{number:>3}. {action}"))?;
    }
    Ok(())
}

fn print_explored(checked: &Answer<'_>, ascii: bool, output: &Output) -> anyhow::Result<()> {
    let taken = if checked.risks.is_empty() { "" } else { ", where no risk comes true" };
    output.sentences(format_args!("\nExplored{taken}: the deployed coordinator against all that the profiles allow"))?;
    for explored in &checked.explored {
        let verdict = if explored.found.holds() { format!("{GREEN}holds{PLAIN}") } else { format!("{RED}VIOLATED{PLAIN}") };
        let part = if explored.part.len() == checked.question.steps.len() {
            String::new()
        } else {
            format!("{}: ", checked.names(explored).join(", "))
        };
        let states = grouped(explored.found.report.unique);
        let lead = format!("  {states:>9} states  {verdict}  ");
        output.led(lead, format_args!("{part}{}", explored.found.adversary()))?;
        for bound in &explored.found.report.bounds {
            output.line(format_args!("      not exhaustive: {bound}"))?;
        }
        for judged in explored.found.report.broken() {
            output.line(format_args!("      broken: {RED}{}{PLAIN}", judged.name))?;
            if let Some(picture) = explored.found.picture_against(judged.name) {
                output.line(picture::text(&picture, ascii))?;
            }
        }
    }
    if let Some(left_out) = &checked.left_out {
        output.sentences(format_args!("  Left out: {left_out}."))?;
    }
    Ok(())
}

fn print_verdict(checked: &Answer<'_>, output: &Output) -> anyhow::Result<()> {
    let open: Vec<&str> = checked.risks.iter().filter(|risk| !risk.is_accepted).map(|risk| risk.finding.what.name()).collect();
    let states = grouped(checked.states());
    let verdict = match (checked.keeps_its_promises(), open.is_empty()) {
        (false, _) => format!("{RED}VIOLATED{PLAIN}: a property breaks although no risk came true ({states} states)."),
        (true, true) if checked.risks.is_empty() => {
            format!("{GREEN}It holds{PLAIN}: both or neither, in every one of {states} states.")
        }
        (true, true) => format!("{GREEN}It holds{PLAIN}, but for the risks that were accepted ({states} states)."),
        (true, false) => {
            let mut names = open;
            names.dedup();
            let flags: Vec<String> = names.iter().map(|name| format!("--accept-risk {name}")).collect();
            format!(
                "{RED}It cannot be promised{PLAIN} ({states} states). Whoever wants it all the same runs it with {}.",
                flags.join(" ")
            )
        }
    };
    output.line("")?;
    output.sentences(verdict)
}
