//! `handfast run`: drives every order of a file to its end, both or neither.

use crate::output::{Exit, Output};

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  handfast run --flow shop.toml orders.jsonl
  handfast run --flow shop.toml --store sqlite:shop.db < orders.jsonl")]
pub(crate) struct Args {
    /// The flow that every order follows.
    #[arg(long, value_name = "FLOW.toml", env = "HANDFAST_FLOW")]
    pub(crate) flow: std::path::PathBuf,
    /// Where sagas are kept, as in sqlite:shop.db.
    #[arg(long, value_name = "URL", env = "HANDFAST_STORE")]
    pub(crate) store: Option<String>,
    /// The orders, one JSON object a line; standard input without a file.
    #[arg(value_name = "ORDERS.jsonl")]
    pub(crate) orders: Option<std::path::PathBuf>,
}

/// Drives them.
pub(crate) fn run(args: Args, output: &Output) -> anyhow::Result<Exit> {
    output.note(format_args!("{args:?}"));
    let bar = output.progress(0);
    if output.wants_json() {
        output.json_line(&bar.position())?;
    }
    drop(super::runtime()?);
    anyhow::bail!("`handfast run` does not exist yet")
}
