//! `handfast serve`: the coordinator as a service.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::bail;
use handfast::flow_file::parse_duration;

use super::definitions::DefinitionArgs;
use super::flow::FlowArgs;
use super::log::LogArgs;
use crate::output::{Exit, OrExit as _, Output};
use crate::serve::{self, Settings};
use crate::{connections, log, open_files, state};

#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  handfast serve --flow shop.toml --listen 127.0.0.1:7070 --store sqlite:shop.db
  handfast serve --flow shop.toml --adopt --by anna --why \"the bank has moved\"

Place an order, and wait 10 s at most for its end:
  curl http://127.0.0.1:7070/sagas -H 'Idempotency-Key: order-1' -H 'Prefer: wait=10' --json @order.json

SIGTERM stops it in good order; sagas that have not ended go on at the next start.")]
pub(crate) struct Args {
    #[command(flatten)]
    pub(crate) flow: FlowArgs,
    /// Where to listen: an address of this machine's loopback, as in 127.0.0.1:7070.
    #[arg(long, value_name = "ADDR", env = "HANDFAST_LISTEN", default_value = "127.0.0.1:7070", value_parser = crate::numbers::address)]
    pub(crate) listen: SocketAddr,
    /// Where sagas are kept, as in sqlite:shop.db; by default a file named after the flow where programs keep their state.
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
    check_address(args.listen).or_exit(Exit::Usage)?;
    args.log.install(output)?;
    let flow = args.flow.read()?;
    log::keep_back(flow.file.secrets());
    let webhooks = flow.file.webhook_receivers().or_exit(Exit::Usage)?;
    let open_files = open_files::raise();
    super::runtime()?.block_on(async {
        // The port comes before the store: where the port is taken, the store is left alone.
        let listener = connections::listen(args.listen).await?;
        let store = args.store.map_or_else(|| state::default_store(flow.file.name()), Ok)?;
        let Args { retry_cap, shutdown_timeout, definitions, .. } = args;
        let definitions = definitions.wanted();
        let settings = Settings { flow, webhooks, store, definitions, retry_cap, shutdown_timeout, open_files };
        serve::run(listener, settings, output).await
    })
}

/// Whoever reaches the service may place and cancel orders, so only this machine reaches it.
fn check_address(listen: SocketAddr) -> anyhow::Result<()> {
    if listen.ip().is_loopback() {
        return Ok(());
    }
    bail!(
        "--listen {listen}: the service has no way yet to tell its callers apart, so it listens on loopback only; \
         use 127.0.0.1:{} and put what authenticates your callers before it",
        listen.port()
    )
}
