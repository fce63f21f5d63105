//! Listing sagas, and showing one with what remains of it and what can be done about it.

use handfast::Outcome;
use serde_json::json;

use super::{Place, or_exit, table};
use crate::numbers::moment;
use crate::operator::{Desk, Looked, Step, Trouble};
use crate::output::{Exit, Output};

#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  handfast sagas list --standing suspended --store sqlite:shop.db")]
pub(super) struct List {
    #[command(flatten)]
    place: Place,
    /// Only those that stand so: placed, acting, committed, cancelling, completed, cancelled, suspended or settled.
    #[arg(long, value_name = "STANDING", value_parser = ["placed", "acting", "committed", "cancelling", "completed", "cancelled", "suspended", "settled"], hide_possible_values = true)]
    standing: Option<String>,
    /// Those placed after this one.
    #[arg(long, value_name = "ID")]
    after: Option<String>,
    /// So many at most.
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u16).range(1..=1000))]
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
    let sagas = or_exit(desk.list(args.standing.as_deref(), args.after.as_deref(), usize::from(args.limit)).await)?;
    if output.wants_json() {
        output.json_line(&json!({ "sagas": sagas }))?;
        return Ok(Exit::Done);
    }
    for line in table::of(&sagas) {
        output.line(line)?;
    }
    if sagas.is_empty() {
        output.note("there are none");
    }
    Ok(Exit::Done)
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
pub(super) async fn looked(desk: &Desk, id: &str) -> anyhow::Result<Looked> {
    let found = match (desk.look(id).await, desk) {
        (Err(Trouble::Unknown(_)), Desk::File(store)) => {
            let said = crate::commands::show::unknown(store.as_ref(), id).await?;
            Err(Trouble::Unknown(said.to_string()))
        }
        (found, Desk::File(_) | Desk::Service(..)) => found,
    };
    or_exit(found)
}

fn in_words(saga: &Looked) -> String {
    let mut lines = vec![format!("{} is {} (entry {})", saga.id, saga.standing, saga.seq), String::new()];
    if let Some(trouble) = &saga.trouble {
        lines.extend([format!("  {trouble}"), String::new()]);
    }
    lines.extend(watched(saga));
    lines.extend(saga.steps.iter().flat_map(step_in_words));
    if !saga.can.is_empty() {
        lines.extend([String::new(), "What can be done:".to_owned()]);
    }
    for can in &saga.can {
        let step = can.step.as_deref().map(|step| format!(" {step}")).unwrap_or_default();
        lines.push(format!("  {}{step}: {}", can.act, can.does));
    }
    lines.join("\n")
}

/// Until when a saga that has ended is watched, and when somebody looks next if somebody drives it.
fn watched(saga: &Looked) -> Vec<String> {
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
        say("kept", format!("{name} = {}", value.as_str().map_or_else(|| value.to_string(), str::to_owned)));
    }
    lines
}
