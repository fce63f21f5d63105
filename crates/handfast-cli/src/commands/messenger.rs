//! `handfast messenger`: a road on which messengers are captured, delayed and duplicated.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use handfast_testkit::messenger::{self, Complain, Cut, Delay, Hazards, Settings, duration, probability};
use serde_json::json;

use crate::commands::signals;
use crate::numbers;
use crate::output::{Exit, OrExit as _, Output};

#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  handfast messenger --listen 127.0.0.1:5001 --to http://127.0.0.1:4001 --capture 0.3 --delay 0ms..50ms --cut 10s..20s

While it runs:
  curl -X POST http://127.0.0.1:5001/__messenger/cut
  curl -X POST http://127.0.0.1:5001/__messenger/restore
  curl http://127.0.0.1:5001/__messenger/stats")]
pub(crate) struct Args {
    /// Where to listen.
    #[arg(long, value_name = "ADDR", value_parser = numbers::address)]
    pub(crate) listen: SocketAddr,
    /// Whom the messengers are for.
    #[arg(long, value_name = "URL")]
    pub(crate) to: String,
    /// The probability that a messenger is captured; a request is one messenger, its reply another.
    #[arg(long, value_name = "P", default_value = "0", value_parser = probability)]
    pub(crate) capture: f64,
    /// How long a messenger takes each way: 20ms, 5ms..50ms, or exp:20ms (exponential with that mean).
    #[arg(long, value_name = "DELAY")]
    pub(crate) delay: Option<Delay>,
    /// The probability that a request comes late, long after its sender has given up.
    #[arg(long, value_name = "P", default_value = "0", value_parser = probability)]
    pub(crate) late: f64,
    /// The probability that all acts (PUT) for one key come late.
    #[arg(long, value_name = "P", default_value = "0", value_parser = probability)]
    pub(crate) late_acts: f64,
    /// By how much it comes late, written as the delay is; also when the second copy of a duplicated request arrives.
    #[arg(long, value_name = "DELAY", default_value = "1s..3s")]
    pub(crate) late_by: Delay,
    /// The probability that a request arrives twice.
    #[arg(long, value_name = "P", default_value = "0", value_parser = probability)]
    pub(crate) duplicate: f64,
    /// When the road is cut, counted from its start, as in 10s..20s; may be given several times.
    #[arg(long, value_name = "FROM..TO")]
    pub(crate) cut: Vec<Cut>,
    /// How long a caller without an answer is kept waiting before its connection is closed.
    #[arg(long, value_name = "DURATION", default_value = "1s", value_parser = duration)]
    pub(crate) hold: Duration,
    /// Where the random choices start: what becomes of the n-th request of a method and key depends on nothing else.
    #[arg(long, value_name = "S", allow_negative_numbers = true, default_value_t = 1, value_parser = numbers::whole(0..=u64::MAX, 42))]
    pub(crate) seed: u64,
    /// Decide by what follows the first dot of a key: before it stands the id of the sender's store, drawn anew with it.
    #[arg(long)]
    pub(crate) skip_store_id: bool,
    /// Append one line of JSON for each messenger to this file; `handfast show --road` draws from it.
    #[arg(long, value_name = "FILE")]
    pub(crate) log: Option<PathBuf>,
}

/// The road goes on without its log, and says so once.
fn complain(output: &Output) -> Complain {
    let output = *output;
    Box::new(move |error| output.complain(format_args!("the road's log cannot be written any more: {error}")))
}

/// Runs the road until it is told to stop.
pub(crate) fn run(args: Args, output: &Output) -> anyhow::Result<Exit> {
    let Args { listen, to, capture, delay, late, late_acts, late_by, duplicate, cut, hold, seed, skip_store_id, log } = args;
    let hazards = Hazards { seed, capture, delay: delay.unwrap_or(Delay::NONE), late, late_acts, late_by, duplicate };
    super::runtime()?.block_on(async {
        let listener = super::listen(listen).await?;
        let settings = Settings { hazards, cuts: cut, skip_store_id, hold };
        let road = messenger::open(&to, settings, log.as_deref(), complain(output)).or_exit(Exit::Usage)?;
        // Before anybody is told that the road is there: a signal must find its handler.
        let stop = signals::on_signal()?;
        let from = listener.local_addr()?;
        output.note(format_args!("the road from http://{from} to {to} is open"));
        if output.wants_json() {
            output.json_line(&json!({ "listening": format!("http://{from}"), "to": to }))?;
        }
        road.serve(listener, stop).await;
        Ok(Exit::Done)
    })
}
