//! Planning an act on many sagas, applying the plan, and reading what has come of it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use clap::builder::PossibleValuesParser;
use handfast::Deed;
use handfast_machine::clock::now_ms;
use handfast_protocol::Span;
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

What was broken off is applied again: nothing is done twice. The exit code is 0 if every saga was acted on, now or before, 4 if of
some it is unknown (apply it again), and 1 if some had moved on or refused.")]
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

The exit code is 0 if the plan has acted on all its sagas and they have ended, 4 while some is under way or waits for a person, and
1 if that has all ended and others of the plan were never acted on.")]
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
    let mut maker = Maker::new((&args.by, &args.reason), &filter, &deed).or_exit(Exit::Usage)?;
    let desk = args.place.open_to_read(output)?;
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

/// What a person says yes to: the act, its sums, who planned it, why and when, and what of it was done already.
async fn question(plan: &plans::Plan, desk: &Desk) -> String {
    let plans::Head { act, step, sagas, by, reason, made_at_ms, .. } = &plan.head;
    let step = step.as_ref().map(|step| format!(" {step}")).unwrap_or_default();
    let mut lines = vec![format!("{act}{step}, {}; in sum, while participants keep their promises:", counted(*sagas, "saga"))];
    lines.extend(plans::in_sum(&plan.head.sums));
    let age = Span(now_ms().saturating_sub(*made_at_ms));
    lines.push(format!("The plan says that {by} made it {age} ago, because: {reason}"));
    let mut acted = 0;
    match come_of(desk, plan, |came| acted += came.len() as u64).await {
        Ok(_) if acted == 0 => {}
        Ok(_) => lines.push(format!("It has acted on {acted} of them already, and acts on none twice")),
        Err(why) => lines.push(format!("On how many it has acted already is unknown: {why:#}")),
    }
    lines.join("\n")
}

/// Applies page by page. What was told of earlier pages is kept where a later one breaks off.
async fn apply_pages(desk: &Desk, plan: &plans::Plan, args: &Apply, output: &Output) -> (Vec<Row>, anyhow::Result<()>) {
    let bar = output.progress(plan.head.sagas);
    let most_age_ms = u64::try_from(args.not_older_than.as_millis()).unwrap_or(MOST_AGE_MS);
    let mut rows = Vec::new();
    for page in &plan.pages {
        match desk.apply((plan, page), &args.by, most_age_ms).await {
            Ok(applied) => {
                bar.inc(applied.sagas.len() as u64);
                rows.extend(applied.sagas);
            }
            Err(error) => {
                bar.finish_and_clear();
                let seen_to = format!("{} of {} were seen to", rows.len(), plan.head.sagas);
                return (rows, Err(error).context(seen_to));
            }
        }
    }
    bar.finish_and_clear();
    (rows, Ok(()))
}

pub(super) async fn apply(args: Apply, output: &Output) -> anyhow::Result<Exit> {
    let plan = read(&args.plan)?;
    let desk = args.place.open(output)?;
    args.consent.ask(question(&plan, &desk).await, output)?;
    let (rows, applied) = apply_pages(&desk, &plan, &args, output).await;
    let number = |done: Done| rows.iter().filter(|row| row.done == done).count() as u64;
    let [acted, before, moved, refused] = [Done::Acted, Done::ActedBefore, Done::Moved, Done::Refused].map(number);
    let unknown = number(Done::Unknown);
    let left: Vec<&Row> = rows.iter().filter(|row| !matches!(row.done, Done::Acted | Done::ActedBefore)).collect();
    // Said before anything else is asked, which may come to nothing.
    if !output.wants_json() {
        output.line(format_args!("acted on {}", counted(acted, "saga")))?;
        if before > 0 {
            output.line(format_args!("{} had been acted on by this plan before", counted(before, "saga")))?;
        }
        for row in &left {
            let what = if row.done == Done::Unknown { "unknown whether it was acted on" } else { "nothing was done" };
            output.line(format_args!("  {}: {what}: {}", row.saga, row.why.as_deref().unwrap_or("it cannot be done")))?;
        }
    }
    let come = match applied {
        Ok(()) => come_of(&desk, &plan, drop).await.context("the plan was applied; what has come of it so far could not be read"),
        Err(error) => Err(error),
    };
    if output.wants_json() {
        output.json_line(&json!({
            "token": plan.token, "acted": acted, "acted_before": before, "moved": moved, "refused": refused, "unknown": unknown,
            "left_alone": left, "so_far": come.as_ref().ok(),
        }))?;
    }
    let come = come?;
    if !output.wants_json() {
        say(&come, output)?;
    }
    if unknown > 0 {
        output.note(format_args!("of {} it is unknown: apply the plan again, nothing is done twice", counted(unknown, "saga")));
        return Ok(Exit::InDoubt);
    }
    Ok(if left.is_empty() { Exit::Done } else { Exit::Error })
}

pub(super) async fn outcome(args: Outcome, output: &Output) -> anyhow::Result<Exit> {
    let plan = read(&args.plan)?;
    let desk = args.place.open_to_read(output)?;
    let mut sagas = Vec::new();
    let come = come_of(&desk, &plan, |came| sagas.extend(came)).await?;
    let (acted, all) = (sagas.len() as u64, plan.head.sagas);
    let not_acted_on = all.saturating_sub(acted);
    if output.wants_json() {
        output.json_line(
            &json!({ "token": plan.token, "planned": all, "not_acted_on": not_acted_on, "sagas": sagas, "sums": come }),
        )?;
    } else {
        output.line(format_args!("the plan has acted on {acted} of {}", counted(all, "saga")))?;
        say(&come, output)?;
    }
    if not_acted_on > 0 {
        let others = counted(not_acted_on, "saga");
        output.note(format_args!("the plan has not acted on {others}: apply it, and plan anew for what has moved on"));
    }
    let has_ended = |(standing, _): (&String, &u64)| ENDED.contains(&standing.as_str());
    Ok(match (come.standing.iter().all(has_ended), not_acted_on) {
        (false, _) => Exit::InDoubt,
        (true, 0) => Exit::Done,
        (true, _) => Exit::Error,
    })
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
