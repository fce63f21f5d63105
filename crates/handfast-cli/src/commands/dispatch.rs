//! `handfast dispatch`: the reference dispatch service.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use handfast_participant::dispatch::{self, Quantity, Stock};

use super::participant::{Common, Participant};
use crate::output::{Exit, OrExit as _, Output};

#[derive(Debug, clap::Args)]
#[command(after_help = "Stock is written once, when the store is made; a restart refills nothing.

Example:
  handfast dispatch --listen 127.0.0.1:4002 --store sqlite:dispatch.db --stock mug=40,lamp=3 --default-stock 100")]
pub(crate) struct Args {
    /// Where to listen.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:4002", env = "HANDFAST_DISPATCH_LISTEN", value_parser = crate::numbers::address)]
    pub(crate) listen: std::net::SocketAddr,
    /// Where its books are kept; the file is made where there is none.
    #[arg(long, value_name = "URL", default_value = "sqlite:dispatch.db", env = "HANDFAST_DISPATCH_STORE")]
    pub(crate) store: String,
    /// What a new store holds: SKU=N,SKU=N,.. where N is a whole number or `unlimited`.
    #[arg(long, value_name = "SKU=N,..")]
    pub(crate) stock: Vec<String>,
    /// The same from a file: a map of SKUs and quantities, as TOML if its name ends in `.toml`, otherwise as JSON.
    #[arg(long, value_name = "FILE")]
    pub(crate) stock_file: Option<PathBuf>,
    /// What there is of a SKU that is not named: a whole number or `unlimited`.
    #[arg(long, value_name = "N", default_value = "unlimited")]
    pub(crate) default_stock: Quantity,
    #[command(flatten)]
    pub(crate) common: Common,
}

/// Runs the service until it is told to stop.
pub(crate) fn run(args: Args, output: &Output) -> anyhow::Result<Exit> {
    let stock = stock(&args).or_exit(Exit::Usage)?;
    Participant {
        listen: args.listen,
        store: &args.store,
        common: &args.common,
        open: Box::new(|path, settings| dispatch::open(path, stock, settings)),
        router: dispatch::weak_router,
        base_path: dispatch::BASE_PATH,
    }
    .run(output)
}

fn stock(args: &Args) -> anyhow::Result<Stock> {
    let mut stock = Stock { others: args.default_stock, ..Stock::default() };
    for list in &args.stock {
        stock.add_list(list).with_context(|| format!("--stock {list}"))?;
    }
    if let Some(file) = &args.stock_file {
        let map = read_map(file).with_context(|| format!("--stock-file {}", file.display()))?;
        stock.add_map(&map).with_context(|| format!("--stock-file {}", file.display()))?;
    }
    Ok(stock)
}

fn read_map(file: &Path) -> anyhow::Result<serde_json::Value> {
    let text = std::fs::read_to_string(file)?;
    if file.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("toml")) {
        Ok(toml::from_str(&text)?)
    } else {
        Ok(serde_json::from_str(&text)?)
    }
}
