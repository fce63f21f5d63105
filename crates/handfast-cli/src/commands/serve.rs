//! `handfast serve`: the coordinator as a service.

use crate::output::{Exit, Output};

#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  handfast serve --flow shop.toml --listen 127.0.0.1:7070 --store sqlite:shop.db")]
pub(crate) struct Args {
    /// The flow that every saga follows.
    #[arg(long, value_name = "FLOW.toml", env = "HANDFAST_FLOW")]
    pub(crate) flow: std::path::PathBuf,
    /// Where to listen.
    #[arg(long, value_name = "ADDR", env = "HANDFAST_LISTEN", default_value = "127.0.0.1:7070")]
    pub(crate) listen: std::net::SocketAddr,
    /// Where sagas are kept, as in sqlite:shop.db.
    #[arg(long, value_name = "URL", env = "HANDFAST_STORE")]
    pub(crate) store: Option<String>,
}

/// Runs the service until it is told to stop.
pub(crate) fn run(_args: Args, _output: &Output) -> anyhow::Result<Exit> {
    anyhow::bail!("`handfast serve` does not exist yet")
}
