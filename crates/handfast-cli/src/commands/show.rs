//! `handfast show`: draws one saga as a space-time diagram.

use crate::output::{Exit, Output};

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  handfast show order-17 --store sqlite:shop.db
  handfast show order-17 --store sqlite:shop.db --svg order-17.svg")]
pub(crate) struct Args {
    /// The saga.
    pub(crate) id: String,
    /// Where sagas are kept, as in sqlite:shop.db.
    #[arg(long, value_name = "URL", env = "HANDFAST_STORE")]
    pub(crate) store: String,
    /// Write the diagram as an SVG file.
    #[arg(long, value_name = "FILE")]
    pub(crate) svg: Option<std::path::PathBuf>,
}

/// Draws it.
pub(crate) fn run(_args: Args, _output: &Output) -> anyhow::Result<Exit> {
    anyhow::bail!("`handfast show` does not exist yet")
}
