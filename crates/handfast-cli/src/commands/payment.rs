//! `handfast payment`: the reference payment service.

use crate::output::{Exit, Output};

#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  handfast payment --listen 127.0.0.1:4001 --store sqlite:payment.db")]
pub(crate) struct Args {
    /// Where to listen.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:4001")]
    pub(crate) listen: std::net::SocketAddr,
    /// Where its books are kept.
    #[arg(long, value_name = "URL", default_value = "sqlite:payment.db")]
    pub(crate) store: String,
}

/// Runs the service until it is told to stop.
pub(crate) fn run(_args: Args, _output: &Output) -> anyhow::Result<Exit> {
    anyhow::bail!("`handfast payment` does not exist yet")
}
