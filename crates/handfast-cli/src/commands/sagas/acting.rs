//! Cancelling, asking again and resolving: what it does is said before it is done.

use handfast::journal::{Said, Scalar};
use handfast::{Act, Mark, Standing};
use handfast_server::operator::what_can_be_done;
use handfast_server::operator::{Desk, Trouble};
use handfast_server::shapes::saga::Saga;
use serde_json::json;

use super::looking::looked;
use crate::commands::consent::Consent;
use crate::commands::place::Place;
use crate::numbers::whole;
use crate::output::{Exit, Output};

#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  handfast sagas cancel order-17 --by ada --reason \"the customer changed her mind\" --yes")]
pub(super) struct Cancel {
    /// The saga.
    id: String,
    #[command(flatten)]
    place: Place,
    /// Who asks.
    #[arg(long, value_name = "NAME")]
    by: String,
    /// Why.
    #[arg(long, value_name = "TEXT", alias = "why")]
    reason: String,
    #[command(flatten)]
    consent: Consent,
}

#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  handfast sagas retry order-17 --by ada --reason \"the bank is back\" --yes")]
pub(super) struct Retry {
    /// The saga.
    id: String,
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    said: Words,
}

#[derive(Debug, clap::Args)]
#[command(
    group(clap::ArgGroup::new("ruling").required(true).args(["resume", "done", "not_done", "undone", "settle"])),
    after_help = "Examples:
  handfast sagas resolve order-17 --resume --by ada --reason \"the key is free now\"
  handfast sagas resolve order-17 --not-done hotel --by ada --reason \"asked them\" --evidence \"mail of 4 May\"
  handfast sagas resolve order-17 --done payment --kept id=ch_17 --by ada --reason \"their books\"
  handfast sagas resolve order-17 --settle --by ada --reason \"the hotel is out of business\""
)]
pub(super) struct Resolve {
    /// The saga.
    id: String,
    #[command(flatten)]
    place: Place,
    /// What a participant contradicted itself about has been seen to: ask it anew.
    #[arg(long)]
    resume: bool,
    /// This step was done, and is in effect.
    #[arg(long, value_name = "STEP")]
    done: Option<String>,
    /// This step was not done. It is looked for as long as a message may be on the road, and only then taken as not done.
    #[arg(long, value_name = "STEP")]
    not_done: Option<String>,
    /// This step was done, and has been undone by hand.
    #[arg(long, value_name = "STEP")]
    undone: Option<String>,
    /// Wait for nobody any longer: the saga ends in neither of the two, and what remains in effect is listed with it.
    #[arg(long)]
    settle: bool,
    /// With --done: what the step's answer would have brought and later requests name, as in id=ch_17, or id:=17 for a number;
    /// may be given several times.
    #[arg(long, value_name = "NAME=VALUE", requires = "done", value_parser = kept)]
    kept: Vec<(String, Scalar)>,
    #[command(flatten)]
    said: Words,
}

/// A value that is said with a mark: a text, or a number or a truth value after `:=`.
fn kept(text: &str) -> Result<(String, Scalar), String> {
    let (name, value) = text.split_once('=').ok_or("say NAME=VALUE, as in id=ch_17")?;
    let Some(name) = name.strip_suffix(':') else { return Ok((name.to_owned(), Scalar::Text(value.to_owned()))) };
    let value = serde_json::from_str(value).map_err(|_| format!("{value:?} is no number; say {name}={value} for a text"))?;
    Ok((name.to_owned(), value))
}

/// Who acts, and why.
#[derive(Debug, clap::Args)]
struct Words {
    /// Who acts.
    #[arg(long, value_name = "NAME")]
    by: String,
    /// Why.
    #[arg(long, value_name = "TEXT", alias = "why")]
    reason: String,
    /// What shows it: a receipt's number, a mail, a page that was looked at.
    #[arg(long, value_name = "TEXT")]
    evidence: Option<String>,
    /// The number of the last entry that was seen; by default the one that is shown now. If the saga has gone on since,
    /// nothing is done.
    #[arg(long, value_name = "ENTRY", allow_negative_numbers = true, value_parser = whole(0..=u64::MAX, 5))]
    saw: Option<u64>,
    /// Names this act: sent again, it is done once. Drawn where it is left out.
    #[arg(long, value_name = "ID")]
    request_id: Option<String>,
    #[command(flatten)]
    consent: Consent,
}

/// What an act does that is not among those that are possible. It is asked about too: the saga may go on before the act arrives.
const NOTHING: &str = "it would change nothing now";

pub(super) async fn cancel(args: Cancel, output: &Output) -> anyhow::Result<Exit> {
    let desk = args.place.open(output)?;
    let saga = looked(&desk, &args.id).await?;
    if saga.standing == Standing::Suspended.name() {
        let can: Vec<&str> = saga.can.iter().map(|can| can.act.as_str()).collect();
        return Err(Trouble::Conflict(format!(
            "saga {} is suspended, so nothing was done: a person has to say first what became of it; {}",
            saga.id,
            what_can_be_done(&can)
        ))
        .into());
    }
    let does = saga.cancel_does();
    if does.is_some() && saga.held {
        output.note(
            "it is held: its journal keeps the wish, and nothing is sent before somebody decides about its definition \
             (`handfast definitions list`), or the right program drives it",
        );
    }
    args.consent.ask(format_args!("cancel: {}", does.unwrap_or(NOTHING)), output)?;
    desk.cancel(&args.id, Some(&args.by), Some(&args.reason)).await?;
    say(&desk, &args.id, output).await
}

pub(super) async fn retry(args: Retry, output: &Output) -> anyhow::Result<Exit> {
    act((&args.id, &args.place), &Act::Retry, (args.said, Vec::new()), output).await
}

pub(super) async fn resolve(args: Resolve, output: &Output) -> anyhow::Result<Exit> {
    let mark = |step: Option<String>, mark| step.map(|step| Act::Mark { step, mark });
    let act_of = mark(args.done, Mark::Done)
        .or_else(|| mark(args.not_done, Mark::NotDone))
        .or_else(|| mark(args.undone, Mark::Undone))
        .unwrap_or(if args.settle { Act::Settle } else { Act::Resume });
    act((&args.id, &args.place), &act_of, (args.said, args.kept), output).await
}

async fn act(
    (id, place): (&str, &Place),
    act: &Act,
    (words, kept): (Words, Vec<(String, Scalar)>),
    output: &Output,
) -> anyhow::Result<Exit> {
    let desk = place.open(output)?;
    let saga = looked(&desk, id).await?;
    let step = act.step().map(|step| format!(" {step}")).unwrap_or_default();
    words.consent.ask(format_args!("{}{step}: {}", act.name(), saga.does(act).unwrap_or(NOTHING)), output)?;
    let said = Said {
        by: words.by,
        reason: words.reason,
        request_id: words.request_id.unwrap_or_else(|| {
            let drawn = uuid::Uuid::now_v7().to_string();
            // Before it leaves: whoever hears no answer has to say it again.
            output.note(format_args!("its request id, for saying it again: --request-id {drawn}"));
            drawn
        }),
        saw: words.saw.unwrap_or(saga.seq),
        evidence: words.evidence,
        kept: kept.into_iter().collect(),
    };
    let is_new = desk.act(id, act, &said).await?;
    if !is_new {
        output.note("it had been done before, by this very request");
    }
    say(&desk, id, output).await
}

/// How the saga stands after it.
async fn say(desk: &Desk, id: &str, output: &Output) -> anyhow::Result<Exit> {
    let Saga { id, standing, outcome, seq, .. } = desk.look(id).await?;
    if output.wants_json() {
        output.json_line(&json!({ "id": id, "standing": standing, "outcome": outcome, "seq": seq }))?;
    } else {
        output.line(format_args!("{id} is {standing} (entry {seq})"))?;
    }
    Ok(Exit::Done)
}
