//! `handfast serve`: the coordinator as a service.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, anyhow, bail};
use handfast::Options;
use handfast_server::access::{Access, TokenFile};
use handfast_server::flows::Flows;
use handfast_server::{Server, Settings, Unmet, open_files};
use handfast_toml::parse_duration;
use serde_json::json;

use super::definitions::DefinitionArgs;
use super::flow::FlowsArgs;
use super::log::LogArgs;
use crate::commands::{signals, state};
use crate::output::log;
use crate::output::{Exit, OrExit as _, Output};

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  handfast serve --flow shop.toml --listen 127.0.0.1:7070 --store sqlite:shop.db
  handfast serve --flow shop.toml --adopt --by anna --why \"the bank has moved\"
  handfast serve --flow shop.toml --flow cards.toml --store sqlite:orders.db

Place an order, and wait 10 s at most for its end:
  curl http://127.0.0.1:7070/sagas -H 'Idempotency-Key: order-1' -H 'Prefer: wait=10' --json @order.json

Where there are several flows, the address names one:
  curl http://127.0.0.1:7070/flows/cards/sagas -H 'Idempotency-Key: order-2' --json @order.json

SIGTERM stops it in good order; sagas that have not ended go on at the next start.")]
pub(crate) struct Args {
    #[command(flatten)]
    pub(crate) flows: FlowsArgs,
    /// Where to listen, as in 127.0.0.1:7070. Beyond this machine's loopback only with --tokens and --allow-remote.
    #[arg(long, value_name = "ADDR", env = "HANDFAST_LISTEN", default_value = "127.0.0.1:7070", value_parser = crate::numbers::address)]
    pub(crate) listen: SocketAddr,
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
    /// How long stopping in good order may take.
    #[arg(long, value_name = "DURATION", env = "HANDFAST_SHUTDOWN_TIMEOUT", default_value = "10s", value_parser = parse_duration)]
    pub(crate) shutdown_timeout: Duration,
    #[command(flatten)]
    pub(crate) log: LogArgs,
    #[command(flatten)]
    pub(crate) definitions: DefinitionArgs,
}

/// Runs the service until it is told to stop.
pub(crate) fn run(args: Args, output: &Output) -> anyhow::Result<Exit> {
    check_address(&args).or_exit(Exit::Usage)?;
    args.log.install(output)?;
    let flows = args.flows.sources().read().or_exit(Exit::Usage)?;
    flows.iter().for_each(|flow| log::keep_back(flow.file().secrets()));
    super::runtime()?.block_on(serve(args, flows, output))
}

async fn serve(args: Args, flows: Flows, output: &Output) -> anyhow::Result<Exit> {
    let access = match &args.tokens {
        None => Access::Everybody,
        Some(path) => Access::Tokens(TokenFile::open(path).or_exit(Exit::Usage)?),
    };
    let (said, ready) = (flows.to_string(), names(&flows));
    // The port comes before the store: where the port is taken, the store is left alone.
    let listener = super::listen(args.listen).await?;
    let Args { store, retry_cap, shutdown_timeout, definitions, .. } = args;
    let url = store.map_or_else(|| default_store(&flows), Ok)?;
    let address = listener.local_addr().context("cannot tell where it listens")?;
    let stop = signals::on_signal()?;
    let options = Options::default().with_retry_cap(retry_cap).with_assumptions(&flows.assumptions());
    let mut settings = Settings::new(flows, state::open_store(&url)?);
    settings.options = options;
    (settings.definitions, settings.open_files) = (definitions.wanted(), open_files::raise());
    settings.access = access;
    let server = Server::open(settings, stop).await?;
    output.note(format_args!("handfast serve is listening on http://{address} ({said}, store: {url})"));
    for (flow, step, path) in server.webhook_addresses() {
        let of = if ready.only.is_some() { step } else { format!("{step} of {flow}") };
        output.note(format_args!("webhooks of {of} are taken at http://{address}{path}"));
    }
    match server.coordinator().other_definitions().await {
        Ok(others) => super::definitions::say(&others, output),
        Err(Unmet::Error(error)) => return Err(error.into()),
        Err(Unmet::NotOffered) => {}
    }
    if output.wants_json() {
        let Names { only, all } = &ready;
        output.json_line(&json!({ "listening": format!("http://{address}"), "flow": only, "flows": all, "store": url }))?;
    }
    if !server.serve(listener, shutdown_timeout).await? {
        output
            .note("stopping took longer than allowed; every order that was acknowledged is in the store, and goes on from there");
    }
    Ok(Exit::Done)
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

/// Whoever reaches a service without tokens may place and cancel orders, so only this machine reaches it. With tokens it is
/// asked for by name, since they travel as they are: what stands before the service has to encrypt.
fn check_address(Args { listen, tokens, allow_remote, .. }: &Args) -> anyhow::Result<()> {
    match (listen.ip().is_loopback(), tokens, allow_remote) {
        (true, _, _) | (false, Some(_), true) => Ok(()),
        (false, None, _) => bail!(
            "--listen {listen}: without tokens the service cannot tell its callers apart, so it listens on loopback only; use \
             127.0.0.1:{}, or draw tokens with handfast tokens new and give --tokens FILE --allow-remote",
            listen.port()
        ),
        (false, Some(_), false) => bail!(
            "--listen {listen} is reached from other machines; say --allow-remote if that is meant, and have what stands before \
             the service encrypt: tokens travel as they are"
        ),
    }
}
