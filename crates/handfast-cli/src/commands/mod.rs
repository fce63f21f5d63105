//! The commands, one module each.

pub(crate) mod check;
pub(crate) mod client;
pub(crate) mod completions;
pub(crate) mod conform;
mod consent;
pub(crate) mod definitions;
pub(crate) mod demo;
pub(crate) mod dispatch;
mod door;
pub(crate) mod flow;
pub(crate) mod flows;
pub(crate) mod generals;
pub(crate) mod log;
pub(crate) mod man;
pub(crate) mod messenger;
pub(crate) mod participant;
pub(crate) mod participants;
pub(crate) mod payment;
mod place;
pub(crate) mod replay;
pub(crate) mod run;
pub(crate) mod sagas;
pub(crate) mod serve;
pub(crate) mod show;
pub(crate) mod signals;
mod state;
pub(crate) mod store;
pub(crate) mod tokens;
pub(crate) mod usual_way;

use std::io;
use std::net::SocketAddr;

use anyhow::Context as _;
use tokio::net::TcpListener;

use crate::cli::Command;
use crate::output::{Exit, OrExit as _, Output};

/// Runs one command to its end.
pub(crate) fn run(command: Command, output: &Output) -> anyhow::Result<Exit> {
    match command {
        Command::Demo(args) => demo::run(args, output),
        Command::Run(args) => run::run(args, output),
        Command::Serve(args) => serve::run(args, output),
        Command::Payment(args) => payment::run(args, output),
        Command::Dispatch(args) => dispatch::run(args, output),
        Command::Messenger(args) => messenger::run(args, output),
        Command::Check(args) => check::run(args, output),
        Command::Generals(args) => generals::run(args, output),
        Command::Replay(args) => replay::run(args, output),
        Command::Conform(args) => conform::run(args, output),
        Command::Show(args) => show::run(args, output),
        Command::Participants(args) => participants::run(args, output),
        Command::Definitions(args) => definitions::run(args, output),
        Command::Flows(args) => flows::run(args, output),
        Command::Store(args) => store::run(args, output),
        Command::Tokens(args) => tokens::run(args, output),
        Command::Sagas(args) => sagas::run(args, output),
        Command::UsualWay(args) => usual_way::run(args, output),
        Command::Completions(args) => completions::run(args, output),
        Command::Man(args) => man::run(args, output),
    }
}

/// Listens on an address; where that cannot be, the hint names the option.
///
/// # Errors
/// It is taken, or not to be had.
pub(crate) async fn listen(address: SocketAddr) -> anyhow::Result<TcpListener> {
    let listening = TcpListener::bind(address).await;
    listening
        .map_err(|error| {
            let taken = error.kind() == io::ErrorKind::AddrInUse;
            let hint =
                if taken { "another process listens there: stop it, or give another --listen" } else { "give another --listen" };
            anyhow::Error::new(error).context(format!("cannot listen on {address} ({hint})"))
        })
        .or_exit(Exit::Usage)
}

/// The runtime of the commands that talk to others.
pub(crate) fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().context("cannot start the runtime")
}
