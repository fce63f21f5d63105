//! `handfast dispatch`: the reference dispatch service.

use crate::output::{Exit, Output};

#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  handfast dispatch --listen 127.0.0.1:4002 --store sqlite:dispatch.db --stock-file stock.json")]
pub(crate) struct Args {
    /// Where to listen.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:4002")]
    pub(crate) listen: std::net::SocketAddr,
    /// Where its books are kept.
    #[arg(long, value_name = "URL", default_value = "sqlite:dispatch.db")]
    pub(crate) store: String,
    /// What is in stock when the store is created: a JSON object of SKUs and quantities.
    #[arg(long, value_name = "FILE")]
    pub(crate) stock_file: Option<std::path::PathBuf>,
}

/// Runs the service until it is told to stop.
pub(crate) fn run(_args: Args, _output: &Output) -> anyhow::Result<Exit> {
    anyhow::bail!("`handfast dispatch` does not exist yet")
}
