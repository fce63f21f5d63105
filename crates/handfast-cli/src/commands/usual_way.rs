//! `handfast usual-way`: the coordinator that the demo compares with. Hidden: nobody should take it for more.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use handfast_testkit::usual_way::{Settings, serve};
use handfast_toml::parse_duration;

use crate::commands::signals;
use crate::output::{Exit, Output};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Where to listen.
    #[arg(long, value_name = "ADDR", value_parser = crate::numbers::address)]
    listen: SocketAddr,
    /// The file of its book.
    #[arg(long, value_name = "FILE")]
    store: PathBuf,
    /// The base URL of charges.
    #[arg(long, value_name = "URL")]
    payment: String,
    /// The base URL of shipments.
    #[arg(long, value_name = "URL")]
    dispatch: String,
    /// How long after an order was placed to stop trying to charge for it.
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    deadline: Duration,
}

/// Runs it until it is told to stop.
pub(crate) fn run(args: Args, output: &Output) -> anyhow::Result<Exit> {
    let Args { listen, store, payment, dispatch, deadline } = args;
    super::runtime()?.block_on(async {
        let listener = super::listen(listen).await?;
        let stop = signals::on_signal()?;
        output.note(format_args!("the usual way is listening on http://{}", listener.local_addr()?));
        serve(listener, Settings { store, payment, dispatch, deadline }, stop).await.map(|()| Exit::Done)
    })
}
