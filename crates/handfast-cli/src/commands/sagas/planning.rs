//! Planning an act on many sagas, applying the plan, and reading what has come of it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use clap::builder::PossibleValuesParser;
use handfast::Deed;
use handfast_server::batch::counted;
use handfast_server::operator::Desk;
use handfast_server::plans::money::Come;
use handfast_server::plans::{self, Done, MOST_AGE_MS, Maker, Row};
use handfast_toml::parse_duration;
use serde_json::json;

use super::which::Which;
use crate::commands::consent::Consent;
use crate::commands::place::Place;
use crate::files;
use crate::output::{Exit, OrExit as _, Output};

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  handfast sagas plan cancel --in-doubt --participant http://127.0.0.1:7071/charges --older-than 1h --by ada --reason \"the payment was down\" --out plan.json
  handfast sagas plan retry --needs-person --by ada --reason \"the bank is back\" --out plan.json --url http://127.0.0.1:7070
  handfast sagas plan mark_not_done --step hotel --standing suspended --by ada --reason \"they never got any\" --out plan.json

Nothing is done before the plan is applied: handfast sagas apply plan.json")]
pub(super) struct Plan {
    /// What is to be done: cancel, retry, resume, mark_done, mark_not_done, mark_undone or settle.
    #[arg(value_parser = PossibleValuesParser::new(Deed::NAMES), hide_possible_values = true)]
    act: String,
    /// The step that a mark is about.
    #[arg(long, value_name = "STEP")]
    step: Option<String>,
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    place: Place,
    /// Who makes the plan.
    #[arg(long, value_name = "NAME")]
    by: String,
    /// Why it is to be done: stands in the journal of each saga.
    #[arg(long, value_name = "TEXT", alias = "why")]
    reason: String,
    /// Where to keep the plan, in a file that is not there yet. Without it nothing is kept, and only its sums are said.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  handfast sagas apply plan.json --by bea --yes
  handfast sagas apply plan.json --by bea --not-older-than 3d --url http://127.0.0.1:7070

What was broken off is applied again: nothing is done twice. The exit code is 0 if every saga was acted on, now or before, and 1 if
some had moved on or refused.")]
pub(super) struct Apply {
    /// The plan, as handfast sagas plan --out has kept it.
    #[arg(value_name = "PLAN")]
    plan: PathBuf,
    #[command(flatten)]
    place: Place,
    /// Who applies it.
    #[arg(long, value_name = "NAME")]
    by: String,
    /// How long ago it was made at most.
    #[arg(long, value_name = "DURATION", default_value = "1d", value_parser = parse_duration)]
    not_older_than: Duration,
    #[command(flatten)]
    consent: Consent,
}

#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  handfast sagas outcome plan.json --url http://127.0.0.1:7070

The exit code is 0 if everything on which the plan has acted has ended, and 4 while some is under way or waits for a person.")]
pub(super) struct Outcome {
    /// The plan.
    #[arg(value_name = "PLAN")]
    plan: PathBuf,
    #[command(flatten)]
    place: Place,
}

/// Sagas of a page: a service answers within seconds, and what is broken off is little.
const PAGE: usize = 200;
/// How a saga stands that has ended.
const ENDED: [&str; 3] = ["completed", "cancelled", "settled"];

pub(super) async fn plan(args: Plan, output: &Output) -> anyhow::Result<Exit> {
    let deed = Deed::from_name(&args.act, args.step.as_deref());
    let wrong = || anyhow!("{}: a mark needs its --step, and nothing else has one", args.act);
    let deed = deed.ok_or_else(wrong).or_exit(Exit::Usage)?;
    // A plan that was applied in part is applied again by its own file.
    if let Some(out) = args.out.as_ref().filter(|out| out.exists()) {
        return Err(anyhow!("{} is there already, and may be a plan that was applied; say another --out", out.display()))
            .or_exit(Exit::Usage);
    }
    let mut filter = args.which.filter(None, PAGE)?;
    let desk = args.place.open_to_read(output)?;
    let mut maker = Maker::new((&args.by, &args.reason), &filter, &deed);
    let waiting = output.waiting("looking at sagas");
    loop {
        let (made, next) = desk.plan(&filter, &deed).await?;
        maker.add(made);
        let Some(next) = next else { break };
        filter.after = Some(next);
    }
    drop(waiting);
    let plan = maker.plan();
    if let Some(out) = &args.out {
        files::write_private(out, &serde_json::to_vec(&plan)?).with_context(|| format!("cannot write {}", out.display()))?;
    }
    if output.wants_json() {
        output.json_line(&plan)?;
        return Ok(Exit::Done);
    }
    for line in plans::in_words(&plan) {
        output.line(line)?;
    }
    output.note(match &args.out {
        Some(out) => format!("nothing was done; to do it: handfast sagas apply {} --by NAME", out.display()),
        None => "nothing was done, and nothing is kept of it; say --out FILE to apply it".to_owned(),
    });
    Ok(Exit::Done)
}

/// The plan in a file.
fn read(path: &Path) -> anyhow::Result<plans::Plan> {
    let text = std::fs::read(path).with_context(|| format!("cannot read {}", path.display())).or_exit(Exit::Usage)?;
    plans::Plan::read(&text).with_context(|| path.display().to_string()).or_exit(Exit::Usage)
}

pub(super) async fn apply(args: Apply, output: &Output) -> anyhow::Result<Exit> {
    let plan = read(&args.plan)?;
    let desk = args.place.open(output)?;
    let sums = plans::line_of(&plan.head.sums);
    let step = plan.head.step.as_ref().map(|step| format!(" {step}")).unwrap_or_default();
    args.consent.ask(format_args!("{}{step}, {}: {sums}", plan.head.act, counted(plan.head.sagas, "saga")), output)?;
    let bar = output.progress(plan.head.sagas);
    let most_age_ms = u64::try_from(args.not_older_than.as_millis()).unwrap_or(MOST_AGE_MS);
    let mut rows = Vec::new();
    for page in &plan.pages {
        let applied = desk.apply((&plan, page), &args.by, most_age_ms).await;
        let applied = applied.with_context(|| format!("{} of {} were seen to", rows.len(), plan.head.sagas))?;
        bar.inc(applied.sagas.len() as u64);
        rows.extend(applied.sagas);
    }
    bar.finish_and_clear();
    let come = come_of(&desk, &plan, drop).await?;
    let number = |done: Done| rows.iter().filter(|row| row.done == done).count() as u64;
    let [acted, before, moved, refused] = [Done::Acted, Done::ActedBefore, Done::Moved, Done::Refused].map(number);
    let left: Vec<&Row> = rows.iter().filter(|row| matches!(row.done, Done::Moved | Done::Refused)).collect();
    if output.wants_json() {
        output.json_line(&json!({
            "token": plan.token, "acted": acted, "acted_before": before, "moved": moved, "refused": refused,
            "left_alone": left, "so_far": come,
        }))?;
    } else {
        output.line(format_args!("acted on {}", counted(acted, "saga")))?;
        if before > 0 {
            output.line(format_args!("{} had been acted on by this plan before", counted(before, "saga")))?;
        }
        for row in &left {
            output.line(format_args!(
                "  {}: nothing was done: {}",
                row.saga,
                row.why.as_deref().unwrap_or("it cannot be done")
            ))?;
        }
        say(&come, output)?;
    }
    Ok(if left.is_empty() { Exit::Done } else { Exit::Error })
}

pub(super) async fn outcome(args: Outcome, output: &Output) -> anyhow::Result<Exit> {
    let plan = read(&args.plan)?;
    let desk = args.place.open_to_read(output)?;
    let mut sagas = Vec::new();
    let come = come_of(&desk, &plan, |came| sagas.extend(came)).await?;
    if output.wants_json() {
        output.json_line(&json!({ "token": plan.token, "sagas": sagas, "sums": come }))?;
    } else {
        output.line(format_args!("the plan has acted on {}", counted(sagas.len() as u64, "saga")))?;
        say(&come, output)?;
    }
    let has_ended = |(standing, _): (&String, &u64)| ENDED.contains(&standing.as_str());
    Ok(if come.standing.iter().all(has_ended) { Exit::Done } else { Exit::InDoubt })
}

/// What has come of a plan so far, in sum; `each` is told of the sagas of each page.
async fn come_of(desk: &Desk, plan: &plans::Plan, mut each: impl FnMut(Vec<plans::Came>)) -> anyhow::Result<Come> {
    let mut come = Come::default();
    for page in &plan.pages {
        let outcomes = desk.outcomes((plan, page)).await?;
        come.add(&outcomes.sums);
        each(outcomes.sagas);
    }
    Ok(come)
}

fn say(come: &Come, output: &Output) -> anyhow::Result<()> {
    output.line("So far, by the journals:")?;
    for line in plans::come_in_words(come) {
        output.line(line)?;
    }
    Ok(())
}
