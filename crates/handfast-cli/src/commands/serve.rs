//! `handfast serve`: the coordinator as a service.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::anyhow;
use handfast::Options;
use handfast_server::access::{Access, TokenFile};
use handfast_server::flows::{FlowSources, Flows};
use handfast_server::{Reloader, Server, Settings, Unmet, open_files};
use handfast_toml::parse_duration;
use serde_json::json;

use super::definitions::DefinitionArgs;
use super::door::{self, Listen, TlsArgs};
use super::flow::FlowsArgs;
use super::log::LogArgs;
use crate::commands::{signals, state};
use crate::output::{Exit, OrExit as _, Output};

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  handfast serve --flow shop.toml --listen 127.0.0.1:7070 --store sqlite:shop.db
  handfast serve --flow shop.toml --listen unix:/run/handfast.sock
  handfast serve --flow shop.toml --listen 0.0.0.0:7070 --tls-cert shop.pem --tls-key shop.key --tokens tokens --allow-remote
  handfast serve --flow shop.toml --adopt --by anna --why \"the bank has moved\"
  handfast serve --flow shop.toml --flow cards.toml --store sqlite:orders.db

Place an order, and wait 10 s at most for its end:
  curl http://127.0.0.1:7070/sagas -H 'Idempotency-Key: order-1' -H 'Prefer: wait=10' --json @order.json

Where there are several flows, the address names one:
  curl http://127.0.0.1:7070/flows/cards/sagas -H 'Idempotency-Key: order-2' --json @order.json

SIGTERM stops it in good order; sagas that have not ended go on at the next start. SIGHUP reads its flows anew, as `handfast \
flows reload` does.")]
pub(crate) struct Args {
    #[command(flatten)]
    pub(crate) flows: FlowsArgs,
    /// Where to listen, as in 127.0.0.1:7070, or a socket that its owner alone may open, as in unix:/run/handfast.sock. Beyond this
    /// machine's loopback only with --tokens and --allow-remote.
    #[arg(long, value_name = "ADDR", env = "HANDFAST_LISTEN", default_value = "127.0.0.1:7070", value_parser = door::listen)]
    pub(crate) listen: Listen,
    #[command(flatten)]
    pub(crate) tls: TlsArgs,
    /// Those who may call, as handfast tokens new has written them; without this option everybody who reaches the service.
    #[arg(long, value_name = "FILE", env = "HANDFAST_TOKENS")]
    pub(crate) tokens: Option<PathBuf>,
    /// Listen beyond this machine's loopback.
    #[arg(long, env = "HANDFAST_ALLOW_REMOTE")]
    pub(crate) allow_remote: bool,
    /// Where sagas are kept, as in sqlite:shop.db; by default a file named after the only flow where programs keep their state.
    #[arg(long, value_name = "URL", env = "HANDFAST_STORE")]
    pub(crate) store: Option<String>,
    /// The longest pause between two tries of one delivery; pauses start at 50 ms and double up to it.
    #[arg(long, value_name = "DURATION", env = "HANDFAST_RETRY_CAP", default_value = "30s", value_parser = parse_duration)]
    pub(crate) retry_cap: Duration,
    /// For how long connections and orders are taken once it is told to stop, while /readyz says that it is not ready: as long as
    /// what spreads requests over several services takes to notice.
    #[arg(long, value_name = "DURATION", env = "HANDFAST_DRAIN_FOR", value_parser = parse_duration)]
    pub(crate) drain_for: Option<Duration>,
    /// How long stopping in good order may take after that.
    #[arg(long, value_name = "DURATION", env = "HANDFAST_SHUTDOWN_TIMEOUT", default_value = "10s", value_parser = parse_duration)]
    pub(crate) shutdown_timeout: Duration,
    #[command(flatten)]
    pub(crate) log: LogArgs,
    #[command(flatten)]
    pub(crate) definitions: DefinitionArgs,
}

/// Runs the service until it is told to stop.
pub(crate) fn run(args: Args, output: &Output) -> anyhow::Result<Exit> {
    door::check(&args.listen, args.tokens.is_some(), args.allow_remote, &args.tls).or_exit(Exit::Usage)?;
    args.log.install(output)?;
    let mut sources = args.flows.sources();
    let flows = sources.read().or_exit(Exit::Usage)?;
    super::runtime()?.block_on(serve(args, (flows, sources), output))
}

async fn serve(args: Args, (flows, sources): (Flows, FlowSources), output: &Output) -> anyhow::Result<Exit> {
    let access = match &args.tokens {
        None => Access::Everybody,
        Some(path) => Access::Tokens(TokenFile::open(path).or_exit(Exit::Usage)?),
    };
    let (said, ready) = (flows.to_string(), names(&flows));
    // The port comes before the store: where the port is taken, the store is left alone.
    let (door, at) = door::open(&args.listen, args.tls).await?;
    if args.listen.is_remote() && at.starts_with("http:") {
        let message = "tokens travel as they are to this address; is there something before it that encrypts?";
        tracing::warn!(name: "not_encrypted", at, "{message}");
        output.note(format_args!("{at} is not encrypted, and {message}"));
    }
    let Args { store, retry_cap, shutdown_timeout, drain_for, definitions, .. } = args;
    let url = store.map_or_else(|| default_store(&flows), Ok)?;
    let stop = signals::on_signal()?;
    let options = Options::default().with_retry_cap(retry_cap).with_assumptions(&flows.assumptions());
    let mut settings = Settings::new(flows, state::open_store(&url)?);
    settings.options = options;
    (settings.definitions, settings.open_files) = (definitions.wanted(), open_files::raise());
    (settings.access, settings.sources) = (access, Some(sources));
    // A word to read the flows anew ends nothing, from here on.
    let hangup = signals::hangup()?;
    let server = Server::open(settings, stop).await?.draining_for(drain_for.unwrap_or_default());
    tokio::spawn(reload_on(hangup, server.reloader()));
    output.note(format_args!("handfast serve is listening on {at} ({said}, store: {url})"));
    for (flow, step, path) in server.webhook_addresses() {
        let of = if ready.only.is_some() { step } else { format!("{step} of {flow}") };
        output.note(format_args!("webhooks of {of} are taken at {at}{path}"));
    }
    match server.coordinator().other_definitions().await {
        Ok(others) => super::definitions::say(&others, output),
        Err(Unmet::Error(error)) => return Err(error.into()),
        Err(Unmet::NotOffered) => {}
    }
    if output.wants_json() {
        let Names { only, all } = &ready;
        output.json_line(&json!({ "listening": at, "flow": only, "flows": all, "store": url }))?;
    }
    if !server.serve(door, shutdown_timeout).await? {
        output
            .note("stopping took longer than allowed; every order that was acknowledged is in the store, and goes on from there");
    }
    Ok(Exit::Done)
}

/// Reads the flows anew whenever this process is told to. What comes of it is in the log.
async fn reload_on(mut hangup: signals::Hangup, reloader: Reloader) {
    while hangup.next().await {
        reloader.reload().await;
    }
}

/// The flows of a service by their names: of the only one, where there is no other, and of all.
struct Names {
    only: Option<String>,
    all: Vec<String>,
}

fn names(flows: &Flows) -> Names {
    let all = flows.names().into_iter().map(str::to_owned).collect();
    Names { only: flows.only().map(|flow| flow.name().to_owned()), all }
}

/// The store of a service that was given none.
fn default_store(flows: &Flows) -> anyhow::Result<String> {
    match flows.only() {
        Some(flow) => state::default_store(flow.name()),
        None => Err(anyhow!(
            "a service of several flows keeps their sagas in one store, which no flow gives its name; say --store sqlite:FILE"
        ))
        .or_exit(Exit::Usage),
    }
}
