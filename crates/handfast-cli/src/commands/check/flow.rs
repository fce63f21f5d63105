//! `handfast check FLOW.toml`: whether a flow can be safe at all, and the run that shows it where it cannot.

use std::path::Path;

use anyhow::Context as _;
use handfast::flow_file::{FileErrors, FlowFile, Ratio};
use handfast::upkeep::{self, Followed};
use handfast_lab::answers::flow::{Answer, Odds, Question};
use handfast_lab::trace::FlowTrace;
use handfast_protocol::Risk;
use handfast_server::batch::counted;
use serde_json::json;

use super::{Args, flow_text};
use crate::output::picture;
use crate::output::{Exit, OrExit as _, Output, beginnings};
use crate::trace;

/// What adopting the flow would change for the open orders of a store.
fn followed(store: &str, file: &FlowFile) -> anyhow::Result<Vec<Followed>> {
    // Which risks somebody accepts says nothing of who is called, and how.
    let flow = file.flow(&Risk::NAMES).or_exit(Exit::Usage)?;
    crate::commands::runtime()?.block_on(upkeep::followed(store, &flow)).or_exit(Exit::Usage)
}

fn tell_followed(followed: &[Followed], output: &Output) -> anyhow::Result<()> {
    if output.wants_json() {
        let shape = |Followed { flow, orders, difference, .. }: &Followed| {
            let identity =
                difference.steps.iter().flat_map(|step| step.identity.iter().map(|what| format!("{}: {what}", step.step)));
            json!({
                "flow": flow,
                "orders": orders,
                "plan": difference.plan,
                "addresses": difference.addresses,
                "identity": identity.collect::<Vec<_>>(),
                "says": difference.in_words(),
            })
        };
        return output.json_line(&json!({ "followed": followed.iter().map(shape).collect::<Vec<_>>() }));
    }
    if followed.is_empty() {
        return output.sentences("No open order of the store follows another definition than this one.");
    }
    followed.iter().try_for_each(|Followed { flow, orders, difference, .. }| {
        let verdict = if difference.plan.is_some() { "cannot adopt it" } else { "would change by adopting it" };
        let (orders, follow) = (counted(*orders, "open order"), if *orders == 1 { "follows" } else { "follow" });
        output.sentences(format_args!("{orders} of {flow} {follow} another definition and {verdict}: {}.", difference.in_words()))
    })
}

/// Checks a flow, and tells what came of it.
pub(super) fn run(path: &Path, args: &Args, output: &Output) -> anyhow::Result<Exit> {
    picture::check_place(args.svg.as_deref(), output)?;
    let file = match FlowFile::read_all(path) {
        Ok(file) => file,
        Err(errors) => return refuse(errors, output),
    };
    let followed = args.store.as_deref().map(|store| followed(store, &file)).transpose()?;
    let checked = check(&file, args, output)?;
    let exit = if checked.holds() { Exit::Done } else { Exit::Neither };
    let counterexamples = checked.counterexamples();
    if let Some(kept) = &args.keep {
        match counterexamples.first() {
            Some(first) => {
                let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
                trace::keep_flow(kept, &FlowTrace::new(file.file(), text, first))?;
                output.note(format_args!("the run is kept in {}", kept.display()));
            }
            None => output.note("no run breaks anything, so none is kept"),
        }
    }
    if let Some(svg) = &args.svg {
        match counterexamples.first() {
            Some(first) => picture::write_svg(svg, &first.picture, output)?,
            None => output.note("no run breaks anything, so none is drawn"),
        }
        if picture::is_stdout(svg) {
            return Ok(exit);
        }
        if !counterexamples.is_empty() {
            output.note(format_args!("the picture is in {}", svg.display()));
        }
    }
    if output.wants_json() {
        output.json_line(&checked)?;
    } else {
        flow_text::print(&checked, args.ascii, output)?;
    }
    if let Some(followed) = followed {
        tell_followed(&followed, output)?;
    }
    Ok(exit)
}

/// Says everything that is wrong with the file, for programs too.
fn refuse(errors: FileErrors, output: &Output) -> anyhow::Result<Exit> {
    if output.wants_json() {
        let all = errors.iter().map(
            |error| json!({ "line": error.line(), "column": error.column(), "rule": error.rule(), "message": error.message() }),
        );
        output.json_line(&json!({ "verdict": "refused", "errors": all.collect::<Vec<_>>() }))?;
    }
    Err(errors).or_exit(Exit::Usage)
}

fn check<'a>(file: &'a FlowFile, args: &'a Args, output: &Output) -> anyhow::Result<Answer<'a>> {
    let declared = file.residual_odds();
    let said = |ratio: &Option<Ratio>| ratio.as_ref().map(ToString::to_string);
    let question = Question {
        flow: file.name(),
        file: file.file(),
        steps: file.steps().iter().map(|step| (step.name.as_str(), step.line)).collect(),
        case: trace::case_of(file).or_exit(Exit::Usage)?,
        odds: Odds { refusal: said(&declared.refusal), loss: said(&declared.loss), tries: declared.tries },
        accepted: &args.accept_risk,
        network: args.network,
        workers: args.workers,
        crashes: args.crashes,
        threads: args.threads,
    };
    let explorations = question.explorations().or_exit(Exit::Usage)?;
    let progress = output.progress(explorations.number() as u64);
    let checked = explorations.explore(beginnings(&progress));
    progress.finish_and_clear();
    Ok(checked)
}
