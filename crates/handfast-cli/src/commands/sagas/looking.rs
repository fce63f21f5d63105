//! Listing sagas, and showing one with what remains of it and what can be done about it.

use handfast::Outcome;
use handfast_server::operator::{Desk, Trouble};
use handfast_server::shapes::saga::{Acted, Listed, Saga, Step};
use serde_json::json;

use super::table;
use super::which::Which;
use crate::commands::place::Place;
use crate::numbers::{moment, whole};
use crate::output::{Exit, Output};

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  handfast sagas list --needs-person --url http://127.0.0.1:7070
  handfast sagas list --standing suspended --standing acting --store sqlite:shop.db
  handfast sagas list --in-doubt --placed-before 2026-05-04T10:00:00Z --amount-at-least \"500.00 EUR\" --store sqlite:shop.db")]
pub(super) struct List {
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    which: Which,
    /// Those placed after this one.
    #[arg(long, value_name = "ID")]
    after: Option<String>,
    /// So many at most.
    #[arg(long, value_name = "N", default_value_t = 100, allow_negative_numbers = true, value_parser = whole(1..=1000_u16, 100))]
    limit: u16,
}

#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  handfast sagas show order-17 --url http://127.0.0.1:7070

The exit code tells how the saga stands: 0 both, 3 neither, 4 anything else.")]
pub(super) struct Show {
    /// The saga.
    id: String,
    #[command(flatten)]
    place: Place,
}

pub(super) async fn list(args: List, output: &Output) -> anyhow::Result<Exit> {
    let desk = args.place.open_to_read(output)?;
    let sagas = listed(&desk, &args).await?;
    if output.wants_json() {
        output.json_line(&json!({ "sagas": sagas }))?;
        return Ok(Exit::Done);
    }
    for line in table::of(&sagas) {
        output.line(line)?;
    }
    if sagas.is_empty() {
        output.note("there are none");
    } else {
        output.note(table::in_sum(&sagas));
    }
    Ok(Exit::Done)
}

/// Sagas of a page.
const PAGE: usize = 100;

/// Those that were asked for, in the order of their placing.
async fn listed(desk: &Desk, args: &List) -> anyhow::Result<Vec<Listed>> {
    let limit = usize::from(args.limit);
    let mut filter = args.which.filter(args.after.as_deref(), limit)?;
    let mut sagas: Vec<Listed> = Vec::new();
    while sagas.len() < limit {
        filter.limit = (limit - sagas.len()).min(PAGE);
        let (page, next) = desk.list(&filter).await?;
        sagas.extend(page);
        let Some(next) = next else { break };
        filter.after = Some(next);
    }
    Ok(sagas)
}

pub(super) async fn show(args: Show, output: &Output) -> anyhow::Result<Exit> {
    let desk = args.place.open_to_read(output)?;
    let saga = looked(&desk, &args.id).await?;
    if output.wants_json() {
        output.json_line(&saga)?;
    } else {
        output.line(in_words(&saga))?;
    }
    Ok(match saga.outcome() {
        Some(Outcome::Completed) => Exit::Done,
        Some(Outcome::Cancelled) => Exit::Neither,
        Some(Outcome::Settled) | None => Exit::InDoubt,
    })
}

/// The saga, or which ones are called nearly so.
pub(super) async fn looked(desk: &Desk, id: &str) -> anyhow::Result<Saga> {
    let found = match (desk.look(id).await, desk) {
        (Err(Trouble::Unknown(_)), Desk::File(store)) => {
            let said = crate::commands::show::unknown(store.as_ref(), id).await?;
            Err(Trouble::Unknown(said.to_string()))
        }
        (found, Desk::File(_) | Desk::Service(..)) => found,
    };
    Ok(found?)
}

fn in_words(saga: &Saga) -> String {
    let mut lines = vec![format!("{} is {} (entry {})", saga.id, saga.standing, saga.seq), String::new()];
    if let Some(trouble) = &saga.trouble {
        lines.extend([format!("  {trouble}"), String::new()]);
    }
    lines.extend(watched(saga));
    lines.extend(saga.steps.iter().flat_map(step_in_words));
    if !saga.acts.is_empty() {
        lines.extend([String::new(), "What people have done:".to_owned()]);
        lines.extend(saga.acts.iter().map(done_in_words));
    }
    if !saga.can.is_empty() {
        lines.extend([String::new(), "What can be done:".to_owned()]);
    }
    for can in &saga.can {
        let step = can.step.as_deref().map(|step| format!(" {step}")).unwrap_or_default();
        lines.push(format!("  {}{step}: {}", can.act, can.does));
    }
    lines.join("\n")
}

/// Who did what, when, why, and what shows it.
fn done_in_words(acted: &Acted) -> String {
    let Acted { seq, at_ms, act, step, by, reason, evidence, .. } = acted;
    let step = step.as_deref().map(|step| format!(" {step}")).unwrap_or_default();
    let by = by.as_deref().map(|by| format!(", by {by}")).unwrap_or_default();
    let reason = reason.as_deref().map(|reason| format!(": {reason}")).unwrap_or_default();
    let evidence = evidence.as_deref().map(|evidence| format!("; evidence: {evidence}")).unwrap_or_default();
    format!("  {}, entry {seq}: {act}{step}{by}{reason}{evidence}", moment(*at_ms))
}

/// Until when a saga that has ended is watched, and when somebody looks next if somebody drives it.
fn watched(saga: &Saga) -> Vec<String> {
    let Some(until) = saga.watched_until_ms else { return Vec::new() };
    let next = saga.next_look_ms.map(|at| format!("; the next look is due at {}", moment(at))).unwrap_or_default();
    vec![format!("  it has ended, and is watched for what comes late until {} at least{next}", moment(until)), String::new()]
}

/// What is known of a step, and all that is needed to ask its participant by hand.
fn step_in_words(step: &Step) -> Vec<String> {
    let asked = step.asked.as_deref().unwrap_or("nothing");
    let state = step.state.as_deref().unwrap_or("nothing");
    let detail = step.detail.as_deref().map(|detail| format!(" ({detail})")).unwrap_or_default();
    let mut lines = vec![format!("  {}: asked for {asked}, known is {state}{detail}", step.name)];
    let mut say = |what: &str, text: String| lines.push(format!("    {what:<14} {text}"));
    if let Some(amount) = &step.amount {
        say("amount", amount.clone());
    }
    say("key", step.key.clone());
    step.short_keys.iter().for_each(|short| say("in requests", short.clone()));
    say("address", step.address.clone());
    if let Some(look_at) = &step.look_at {
        say("to look", look_at.clone());
    }
    if let Some(at) = step.mark_counts_ms {
        say("marked", format!("as not done; it is looked for until {}, and counts as not done then", moment(at)));
    }
    if let Some(at) = step.last_asked_ms {
        say("last asked", moment(at));
    }
    let answers = [("last answer", &step.last_answer), ("meant nothing", &step.not_understood)];
    for (what, answer) in answers {
        // What is the latest answer and meant nothing is said once.
        let is_said = what == "last answer" && step.last_answer == step.not_understood;
        if let Some(answer) = answer.as_ref().filter(|_| !is_said) {
            say(what, format!("{}, to {}: {}", moment(answer.at_ms), answer.operation, answer.said));
        }
    }
    for (name, value) in &step.kept {
        say("kept", format!("{name} = {value}"));
    }
    lines
}
