//! `handfast definitions`: which other definitions the open orders of a running service follow, and what a person decides about
//! them without a restart.

use anyhow::bail;
use handfast_http::client::HttpClient;
use handfast_http::service_url::ServiceUrl;
use handfast_server::batch::counted;
use hyper::Method;
use serde_json::{Value, json};

use crate::commands::client::{ClientArgs, ask, client};
use crate::commands::consent::Consent;
use crate::output::{Exit, OrExit as _, Output};

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  handfast definitions list --url http://127.0.0.1:7070
  handfast definitions keep 4f1c02ab9d3e --by anna --why 'the old depot still ships' --yes --url http://127.0.0.1:7070

With --json, list prints {\"definitions\":[{\"hash\",\"flow\",\"orders\",\"held\",\"adopted\",\"plan\",\"addresses\",\"steps\":[{\"name\",\
\"moved\",\"identity\",\"reading\"}]}]}, and adopt and keep print {\"hash\",\"decides\",\"orders\",\"looked_for\",\"held\",\
\"held_orders\":[{\"id\",\"why\"}],\"partly_read\"}: how many orders go on so, how many of those are only looked for at
first, and which stay as they are.

Where no service runs, decide when it starts: `handfast serve --adopt` or `--keep-definitions`.")]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// List the definitions that open orders follow and that are not the one at hand, with what differs
    #[command(after_help = "Example:
  handfast definitions list --url http://127.0.0.1:7070")]
    List(Place),
    /// Let the open orders of a definition be reached and read as the flow file at hand says
    #[command(after_help = "Example:
  handfast definitions adopt 4f1c02ab9d3e --by anna --why 'a typo in a condition' --yes --url http://127.0.0.1:7070

Refused with exit code 2 where the plan is another one. A step whose key was asked at another address is only looked for at
the new one: what is done or undone there counts, and what is not known there waits for a person, unless --same-books says
that both addresses keep the same books. `keep` takes it back.")]
    Adopt(Adopt),
    /// Let the open orders of a definition go on with it, at the addresses that it names
    #[command(after_help = "Example:
  handfast definitions keep 4f1c02ab9d3e --by anna --why 'the old depot still ships' --yes --url http://127.0.0.1:7070

Orders that were let follow the definition at hand meanwhile go back to their own.")]
    Keep(Chosen),
}

#[derive(Debug, clap::Args)]
struct Place {
    /// The service that runs the orders, as in http://127.0.0.1:7070, https://shop or unix:/run/handfast.sock.
    #[arg(long, value_name = "URL", env = "HANDFAST_URL")]
    url: ServiceUrl,
    #[command(flatten)]
    client: ClientArgs,
}

#[derive(Debug, clap::Args)]
struct Adopt {
    #[command(flatten)]
    chosen: Chosen,
    /// Both addresses keep the same books, so that what was asked for at another address may be asked for anew.
    #[arg(long)]
    same_books: bool,
}

#[derive(Debug, clap::Args)]
struct Chosen {
    /// The definition, by its hash as `list` shows it, or by how that begins.
    hash: String,
    /// Who decides. It is kept with every order.
    #[arg(long, value_name = "NAME")]
    by: String,
    /// The reason. It is kept with every order.
    #[arg(long, value_name = "TEXT", alias = "reason")]
    why: String,
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    consent: Consent,
}

/// Does it.
pub(crate) fn run(args: Args, output: &Output) -> anyhow::Result<Exit> {
    crate::commands::runtime()?.block_on(async {
        match args.command {
            Command::List(place) => list(&place, output).await,
            Command::Adopt(Adopt { chosen, same_books }) => decide("adopt", &chosen, same_books, output).await,
            Command::Keep(chosen) => decide("keep", &chosen, false, output).await,
        }
    })
}

impl Place {
    async fn definitions(&self, client: &HttpClient) -> anyhow::Result<Value> {
        Ok(ask((client, &self.url), Method::GET, "/definitions", None).await?)
    }
}

async fn list(place: &Place, output: &Output) -> anyhow::Result<Exit> {
    let told = place.definitions(&client(&place.url, &place.client)?).await?;
    if output.wants_json() {
        output.json_line(&told)?;
        return Ok(Exit::Done);
    }
    let definitions = told["definitions"].as_array().map_or(&[][..], Vec::as_slice);
    if definitions.is_empty() {
        output.note("every open order follows the definition at hand");
    }
    for definition in definitions {
        let text = |name: &str| definition[name].as_str().unwrap_or("unknown");
        let is = |name: &str| definition[name].as_bool().unwrap_or(false);
        let state = match (is("held"), is("adopted")) {
            (true, _) => "held: nothing is sent before somebody decides",
            (false, true) => "adopted: they follow the definition at hand",
            (false, false) => "they go on with it",
        };
        output.line(format_args!("{} {}", text("hash"), text("flow")))?;
        output.led("    orders   ", format_args!("{}; {state}", definition["orders"]))?;
        if let Some(plan) = definition["plan"].as_str() {
            output.led("    plan     ", plan)?;
        }
        for step in definition["steps"].as_array().into_iter().flatten() {
            output.led("    step     ", step_in_words(step))?;
        }
        for address in texts(&definition["addresses"]) {
            output.led("    calls    ", address)?;
        }
    }
    Ok(Exit::Done)
}

fn texts(list: &Value) -> impl Iterator<Item = &str> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str)
}

fn step_in_words(step: &Value) -> String {
    let moved = step["moved"].as_bool().unwrap_or(false).then_some("its address");
    let parts: Vec<&str> = moved.into_iter().chain(texts(&step["identity"])).chain(texts(&step["reading"])).collect();
    format!("{}: {}", step["name"].as_str().unwrap_or("unknown"), parts.join(", "))
}

async fn decide(decides: &str, chosen: &Chosen, same_books: bool, output: &Output) -> anyhow::Result<Exit> {
    let Chosen { hash, by, why, place, consent } = chosen;
    let client = client(&place.url, &place.client)?;
    let listed = place.definitions(&client).await?;
    let hash = whole_hash(&listed, hash).or_exit(Exit::Usage)?;
    consent.ask(what_it_does(decides, &listed, &hash, same_books), output)?;
    let decision = json!({ "decides": decides, "by": by, "why": why, "same_books": same_books });
    let told = ask((&client, &place.url), Method::POST, &format!("/definitions/{hash}"), Some(decision)).await?;
    if output.wants_json() {
        let mut line = json!({ "hash": hash, "decides": decides });
        if let (Some(line), Some(told)) = (line.as_object_mut(), told.as_object()) {
            line.extend(told.clone());
        }
        output.json_line(&line)?;
        return Ok(Exit::Done);
    }
    say_what_came(decides, &told, output)?;
    if told["looked_for"].as_u64().is_some_and(|number| number > 0) && !same_books {
        output.sentences(what_absent_means(&hash, chosen))?;
    }
    Ok(Exit::Done)
}

/// What somebody says yes to.
fn what_it_does(decides: &str, listed: &Value, hash: &str, same_books: bool) -> String {
    let definition = listed["definitions"].as_array().into_iter().flatten().find(|definition| definition["hash"] == hash);
    let (flow, orders) = definition.map_or(("unknown", 0), |definition| {
        (definition["flow"].as_str().unwrap_or("unknown"), definition["orders"].as_u64().unwrap_or(0))
    });
    let orders = format!("{} of {flow}", counted(orders, "open order"));
    match (decides, same_books) {
        ("adopt", false) => format!(
            "adopt: {orders} are reached and read as the flow file at hand says; a step whose key was asked at another address is only \
             looked for at the new one"
        ),
        ("adopt", true) => format!(
            "adopt: {orders} are reached and read as the flow file at hand says; both addresses keep the same books, so that what was \
             asked for at another address may be asked for anew"
        ),
        (_, _) => format!("{decides}: {orders} go on with the definition that they follow, at the addresses that it names"),
    }
}

/// What comes of what is not known at the new address, and what to say where it keeps the same books.
fn what_absent_means(hash: &str, chosen: &Chosen) -> String {
    let quoted = |text: &str| format!("'{}'", text.replace('\'', "'\\''"));
    let Chosen { hash: _, by, why, place, consent: _ } = chosen;
    format!(
        "Where the new address answers absent, the order waits for a person: absent there says nothing about the former address. If the \
         new address keeps the same books as the former, say so: handfast definitions adopt {} --same-books --by {} --why {} --url {}",
        hash.get(..12).unwrap_or(hash),
        quoted(by),
        quoted(why),
        place.url
    )
}

/// How many orders go on as was decided, and which do not, and why.
fn say_what_came(decides: &str, told: &Value, output: &Output) -> anyhow::Result<()> {
    let number = |name: &str| told[name].as_u64().unwrap_or(0);
    let follow = if decides == "adopt" {
        ("follows the definition at hand from now on", "follow the definition at hand from now on")
    } else {
        ("goes on with its own definition", "go on with their own definition")
    };
    let more = if told["partly_read"] == true { " There are more, which were not looked into one by one." } else { "" };
    let follow = if number("orders") == 1 { follow.0 } else { follow.1 };
    output.line(format_args!("{} {follow}.{more}", counted(number("orders"), "open order")))?;
    if number("looked_for") > 0 {
        output.sentences(format!(
            "Of those {} were asked at another address: they are looked for at the new one before anything else is sent there.",
            number("looked_for")
        ))?;
    }
    if number("held") > 0 {
        output.line(format_args!("{} stay as they are:", number("held")))?;
        for held in told["held_orders"].as_array().into_iter().flatten() {
            let text = |name: &str| held[name].as_str().unwrap_or("unknown");
            output.led("    ", format_args!("{}: {}", text("id"), text("why")))?;
        }
    }
    Ok(())
}

/// The whole hash of the one definition whose hash begins so.
fn whole_hash(listed: &Value, begins: &str) -> anyhow::Result<String> {
    let hashes = listed["definitions"].as_array().into_iter().flatten().filter_map(|definition| definition["hash"].as_str());
    let mut found: Vec<&str> = hashes.filter(|hash| !begins.is_empty() && hash.starts_with(begins)).collect();
    found.dedup();
    match found[..] {
        [hash] => Ok(hash.to_owned()),
        [] => bail!(
            "no open order follows a definition whose hash begins with {begins:?}; `handfast definitions list` names them all"
        ),
        [..] => bail!("the hashes of several definitions begin with {begins:?}; give more of it"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_named_by_how_it_begins_as_long_as_that_is_one() {
        let listed = json!({ "definitions": [{ "hash": "ab12" }, { "hash": "ab34" }, { "hash": "cd56" }] });
        assert_eq!(whole_hash(&listed, "c").unwrap(), "cd56");
        for wrong in ["ab", "", "ff"] {
            assert!(whole_hash(&listed, wrong).is_err(), "{wrong}");
        }
    }
}
