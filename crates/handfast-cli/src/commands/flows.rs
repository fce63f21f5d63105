//! `handfast flows`: the flows of a running service, and having it read them anew.

use handfast_http::service_url::ServiceUrl;
use hyper::Method;
use serde_json::Value;

use crate::commands::client::{ClientArgs, ask, client};
use crate::output::{Exit, Output};

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  handfast flows list --url http://127.0.0.1:7070
  handfast flows reload --url http://127.0.0.1:7070

With --json, list prints {\"flows\":[{\"flow\",\"hash\",\"file\",\"takes_orders\",\"trouble\"}],\"trouble\"}, and reload prints \
{\"complete\",\"why\",\"flows\":[{\"flow\",\"file\",\"change\",\"why\"}]}.")]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// List the flows whose orders a running service takes, and those that it takes no more
    #[command(after_help = "Example:
  handfast flows list --url http://127.0.0.1:7070")]
    List(Place),
    /// Have a running service read its flow files anew
    #[command(after_help = "Example:
  handfast flows reload --url http://127.0.0.1:7070

New orders follow what the files say now; orders under way keep the definition that they have. A file that does not check \
leaves what was read of it before: it is said with its place, and the command ends with 1.")]
    Reload(Place),
}

#[derive(Debug, clap::Args)]
struct Place {
    /// The service, as in http://127.0.0.1:7070.
    #[arg(long, value_name = "URL", env = "HANDFAST_URL")]
    url: ServiceUrl,
    #[command(flatten)]
    client: ClientArgs,
}

/// Does it.
pub(crate) fn run(args: Args, output: &Output) -> anyhow::Result<Exit> {
    crate::commands::runtime()?.block_on(async {
        match args.command {
            Command::List(place) => list(&place.ask(Method::GET, "/flows").await?, output),
            Command::Reload(place) => reload(&place.ask(Method::POST, "/flows/reload").await?, output),
        }
    })
}

impl Place {
    async fn ask(&self, method: Method, path: &str) -> anyhow::Result<Value> {
        let client = client(&self.url, &self.client)?;
        Ok(ask((&client, &self.url), method, path, None).await?)
    }
}

fn text<'a>(value: &'a Value, otherwise: &'a str) -> &'a str {
    value.as_str().unwrap_or(otherwise)
}

fn list(told: &Value, output: &Output) -> anyhow::Result<Exit> {
    if output.wants_json() {
        output.json_line(told)?;
        return Ok(Exit::Done);
    }
    for flow in told["flows"].as_array().into_iter().flatten() {
        let takes = if flow["takes_orders"] == true { "takes orders" } else { "takes no orders" };
        let short: String = text(&flow["hash"], "none").chars().take(12).collect();
        output.line(format_args!("{}  {takes}  {short}  {}", text(&flow["flow"], "(no flow)"), text(&flow["file"], "")))?;
        if let Some(trouble) = flow["trouble"].as_str() {
            output.led("    ", trouble)?;
        }
    }
    if let Some(trouble) = told["trouble"].as_str() {
        output.sentences(format_args!("The flows were not taken when they were read last: {trouble}"))?;
    }
    Ok(Exit::Done)
}

fn reload(told: &Value, output: &Output) -> anyhow::Result<Exit> {
    let exit = if told["complete"] == true { Exit::Done } else { Exit::Error };
    if output.wants_json() {
        output.json_line(told)?;
        return Ok(exit);
    }
    for flow in told["flows"].as_array().into_iter().flatten() {
        let name = text(&flow["flow"], "(no flow)");
        output.line(format_args!("{name}  {}  {}", text(&flow["change"], ""), text(&flow["file"], "")))?;
        if let Some(why) = flow["why"].as_str() {
            output.led("    ", why)?;
        }
    }
    if let Some(why) = told["why"].as_str() {
        output.sentences(format_args!("Nothing was changed: {why}"))?;
    }
    Ok(exit)
}
