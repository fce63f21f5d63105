//! `handfast messenger`: a road on which messengers are captured, delayed and duplicated.

use crate::output::{Exit, Output};

#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  handfast messenger --listen 127.0.0.1:5001 --to http://127.0.0.1:4001 --capture 0.3 --delay 0ms..50ms --cut 10s..20s")]
pub(crate) struct Args {
    /// Where to listen.
    #[arg(long, value_name = "ADDR")]
    pub(crate) listen: std::net::SocketAddr,
    /// Whom the messengers are for.
    #[arg(long, value_name = "URL")]
    pub(crate) to: String,
    /// The probability that a messenger is captured, on the way there or on the way back.
    #[arg(long, value_name = "P", default_value_t = 0.0)]
    pub(crate) capture: f64,
    /// How long a messenger takes, as in 0ms..50ms.
    #[arg(long, value_name = "FROM..TO")]
    pub(crate) delay: Option<String>,
    /// The probability that a messenger arrives twice.
    #[arg(long, value_name = "P", default_value_t = 0.0)]
    pub(crate) duplicate: f64,
    /// When the road is cut, counted from the start, as in 10s..20s.
    #[arg(long, value_name = "FROM..TO")]
    pub(crate) cut: Vec<String>,
    /// Where the random choices start.
    #[arg(long, value_name = "S", default_value_t = 1)]
    pub(crate) seed: u64,
}

/// Runs the road until it is told to stop.
pub(crate) fn run(_args: Args, _output: &Output) -> anyhow::Result<Exit> {
    anyhow::bail!("`handfast messenger` does not exist yet")
}
