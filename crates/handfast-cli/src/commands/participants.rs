//! `handfast participants`: looks at the participants that a store of sagas knows, and accepts one that was put back to an older
//! copy of its own store.

use anyhow::Context as _;
use handfast::store::Store;
use handfast::{AcceptError, accept_in, participants_in, resting_in, time_in};
use handfast_http::client::HttpClient;
use handfast_http::service_url::ServiceUrl;
use handfast_server::operator::Desk;
use handfast_server::shapes::participants::{self as shapes, MOST_PAGE};
use hyper::Method;
use serde_json::{Value, json};

use crate::commands::client::ask;
use crate::commands::consent::Consent;
use crate::commands::place::Place;
use crate::output::{Exit, OrExit as _, Output};

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  handfast participants list --store sqlite:shop.db
  handfast participants resting --incarnation 01a1.. --store sqlite:shop.db
  handfast participants accept http://127.0.0.1:7001/charges --incarnation 01a2.. \
    --by ann --why 'restored from Monday, reconciled' --yes --store sqlite:shop.db

With --json, list prints {\"participants\":[{\"participant\",\"incarnation\",\"seq\",\"breaker\",\"behind\",\"way_out\",\"offered\":\
{\"incarnation\",\"seq\",\"at_ms\",\"counted_before\"}|null,\"accepted\":[..]}]}, and accept {\"accepted\":{..},\"resting\":\
{\"sagas\":[{\"id\",\"standing\",\"has_ended\",\"seq\",\"above_copy\",\"money\":[{\"field\",\"minor\",\"currency\",\"amount\"}]}]}}
with every saga there is; resting prints {\"sagas\":[..]} alike.")]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// List the participants: which life of each one's store counts, and which other one it says it is
    #[command(after_help = "Examples:
  handfast participants list --store sqlite:shop.db
  handfast participants list --url http://127.0.0.1:7070")]
    List(Place),
    /// Accept that a participant was put back to an older copy of its store, and goes on as another incarnation
    #[command(after_help = "Example:
  handfast participants accept http://127.0.0.1:7001/charges --incarnation 01a2.. \\
    --by ann --why 'restored from Monday, the ledger is reconciled' --url http://127.0.0.1:7070

What the participant had answered before is evidence no more. Every open saga that rests on it reads it again before \
anything irrevocable leaves, and waits for a person where it is not confirmed. Sagas that have ended are listed, with \
their amounts, for whoever reconciles the books.")]
    Accept(Accept),
    /// List the sagas that rest on what one incarnation of a participant had answered, with their amounts
    #[command(after_help = "Examples:
  handfast participants resting --incarnation 01a1.. --store sqlite:shop.db
  handfast participants resting --incarnation 01a1.. --url http://127.0.0.1:7070 --json

The incarnation is the one that counts, or counted before. Where another one was accepted of its participant, or is on offer, \
sagas whose answer lies above the copy that was put back come first: it is certainly not known there. What a saga has read \
again since does not rest on it any more.")]
    Resting(RestingArgs),
}

#[derive(Debug, clap::Args)]
struct Accept {
    /// The participant, by its base URL.
    participant: String,
    /// The incarnation that it says it is, as `list` shows it; refused if it says another one by now.
    #[arg(long, value_name = "TEXT")]
    incarnation: String,
    /// Who accepts it. It is kept.
    #[arg(long, value_name = "NAME")]
    by: String,
    /// The reason. It is kept.
    #[arg(long, value_name = "TEXT", alias = "reason")]
    why: String,
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    consent: Consent,
}

#[derive(Debug, clap::Args)]
struct RestingArgs {
    /// The incarnation, as `list` shows it under counts, or as `former` of what was accepted.
    #[arg(long, value_name = "TEXT")]
    incarnation: String,
    #[command(flatten)]
    place: Place,
}

/// Does it.
pub(crate) fn run(args: Args, output: &Output) -> anyhow::Result<Exit> {
    super::runtime()?.block_on(async {
        match args.command {
            Command::List(place) => list(&place, output).await,
            Command::Accept(accept) => accept_one(&accept, output).await,
            Command::Resting(args) => resting(&args, output).await,
        }
    })
}

async fn list(place: &Place, output: &Output) -> anyhow::Result<Exit> {
    let told = match place.open_to_read(output)? {
        Desk::File(store) => shapes::all(&participants_in(store.as_ref()).await?),
        Desk::Service(client, url) => ask((&client, &url), Method::GET, "/participants", None).await?,
    };
    if output.wants_json() {
        output.json_line(&told)?;
        return Ok(Exit::Done);
    }
    for participant in told["participants"].as_array().into_iter().flatten() {
        let text = |value: &Value| value.as_str().unwrap_or("unknown").to_owned();
        output.line(text(&participant["participant"]))?;
        output
            .led("    counts   ", format_args!("{}, up to commit {}", text(&participant["incarnation"]), participant["seq"]))?;
        if let Some(breaker) = participant["breaker"].as_str() {
            output.led("    line     ", breaker)?;
        }
        if let Some(behind) = participant["behind"].as_str() {
            output.led("    behind   ", behind)?;
        }
        if let Some(way_out) = participant["way_out"].as_str() {
            output.led("    to do    ", way_out)?;
        }
        let offered = &participant["offered"];
        if offered.is_object() {
            let before = if offered["counted_before"] == true { ", which has counted before" } else { "" };
            let says = text(&offered["incarnation"]);
            output.led("    says     ", format_args!("{says}, at commit {}{before}", offered["seq"]))?;
        }
        for accepted in participant["accepted"].as_array().into_iter().flatten() {
            let (incarnation, by, why) = (text(&accepted["incarnation"]), text(&accepted["by"]), text(&accepted["why"]));
            output.led("    accepted ", format_args!("{incarnation}, by {by}: {why}"))?;
        }
    }
    Ok(Exit::Done)
}

async fn accept_one(accept: &Accept, output: &Output) -> anyhow::Result<Exit> {
    let Accept { participant, incarnation, by, why, place, consent } = accept;
    let desk = place.open(output)?;
    let does = format!(
        "accept: {participant} counts as {incarnation} from now on; what it had answered before is evidence no more, and open sagas \
         that rest on it read it again, or wait for a person where it is not confirmed"
    );
    consent.ask(does, output)?;
    let (acceptance, resting) = match desk {
        Desk::File(store) => {
            let now = time_in(store.as_ref()).await?;
            let accepted = accept_in(store.as_ref(), now, (participant, incarnation), (by, why)).await;
            let accepted = accepted.or_else(|error| match error {
                AcceptError::Store(_) | AcceptError::Clock { .. } => Err(error.into()),
                AcceptError::Unknown { .. }
                | AcceptError::NothingOffered { .. }
                | AcceptError::Changed { .. }
                | AcceptError::Reason { .. } => Err(error).or_exit(Exit::Usage),
                _ => Err(error.into()),
            })?;
            (shapes::acceptance(&accepted.acceptance), resting_in_store(store.as_ref(), &accepted.acceptance.former).await?)
        }
        Desk::Service(client, url) => {
            let act = json!({ "participant": participant, "incarnation": incarnation, "by": by, "why": why });
            let accepted = ask((&client, &url), Method::POST, "/participants/accept", Some(act)).await?;
            let former = accepted["former"].as_str().context("the service does not say which incarnation counted before")?;
            let resting = resting_at((&client, &url), former).await?;
            (accepted, resting)
        }
    };
    if output.wants_json() {
        output.json_line(&json!({ "accepted": acceptance, "resting": { "sagas": resting } }))?;
        return Ok(Exit::Done);
    }
    tell(&acceptance, &resting, output)?;
    Ok(Exit::Done)
}

async fn resting(args: &RestingArgs, output: &Output) -> anyhow::Result<Exit> {
    let sagas = match args.place.open_to_read(output)? {
        Desk::File(store) => resting_in_store(store.as_ref(), &args.incarnation).await?,
        Desk::Service(client, url) => resting_at((&client, &url), &args.incarnation).await?,
    };
    if output.wants_json() {
        output.json_line(&json!({ "sagas": sagas }))?;
        return Ok(Exit::Done);
    }
    if sagas.is_empty() {
        output.line(format_args!("No saga rests on what {} had answered.", args.incarnation))?;
    }
    tell_resting(&sagas, output)?;
    Ok(Exit::Done)
}

/// Every saga in a store that rests on what an incarnation had answered.
async fn resting_in_store(store: &dyn Store, incarnation: &str) -> anyhow::Result<Vec<Value>> {
    let (mut sagas, mut after) = (Vec::new(), None::<String>);
    loop {
        let page = resting_in(store, incarnation, after.as_deref(), MOST_PAGE).await?;
        sagas.extend(shapes::all_resting(&page));
        match page.after {
            None => return Ok(sagas),
            last => after = last,
        }
    }
}

/// The same of a service, page by page.
async fn resting_at(service: (&HttpClient, &ServiceUrl), incarnation: &str) -> anyhow::Result<Vec<Value>> {
    let mut sagas = Vec::new();
    let mut next = Some(format!("{}&limit={}", shapes::address_of_resting(incarnation), MOST_PAGE));
    while let Some(address) = next {
        let mut page = ask(service, Method::GET, &address, None).await?;
        let found = page["sagas"].as_array_mut().context("the service does not say which sagas rest on it")?;
        sagas.append(found);
        next = page["next"].as_str().map(str::to_owned);
    }
    Ok(sagas)
}

fn tell(acceptance: &Value, sagas: &[Value], output: &Output) -> anyhow::Result<()> {
    let text = |value: &Value| value.as_str().unwrap_or("unknown").to_owned();
    output.sentences(format_args!(
        "{} counts as {} from now on, and no more as {}.",
        text(&acceptance["participant"]),
        text(&acceptance["incarnation"]),
        text(&acceptance["former"])
    ))?;
    if sagas.is_empty() {
        return output.line("No saga rests on what it had answered before.");
    }
    output.sentences(
        "These rest on what it had answered before. Open ones read it again by themselves; those that have ended are for whoever \
         reconciles the books:",
    )?;
    tell_resting(sagas, output)
}

/// The sagas that rest on a former life: first those of which the copy certainly knows nothing.
fn tell_resting(sagas: &[Value], output: &Output) -> anyhow::Result<()> {
    let text = |value: &Value| value.as_str().unwrap_or("unknown").to_owned();
    let (above, others): (Vec<_>, Vec<_>) = sagas.iter().partition(|saga| saga["above_copy"] == true);
    for saga in above.into_iter().chain(others) {
        let amount = |amount: &Value| {
            let minor = || format!("{} {} (minor units)", amount["minor"], text(&amount["currency"]));
            format!(", {} {}", text(&amount["field"]), amount["amount"].as_str().map_or_else(minor, str::to_owned))
        };
        let money: String = saga["money"].as_array().into_iter().flatten().map(amount).collect();
        let known = if saga["above_copy"] == true { ", not known there" } else { "" };
        output.line(format_args!("  {} {}, commit {}{known}{money}", text(&saga["id"]), text(&saga["standing"]), saga["seq"]))?;
    }
    Ok(())
}
