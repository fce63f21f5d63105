//! `handfast run`: drives every order of a file to its end, both or neither.

mod printer;

use std::io::{self, IsTerminal as _};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use handfast::flow_file::FlowFile;
use handfast::store::Store;
use handfast_server::batch::{self, Batch, BatchError, Ended, MOST_SHOWN, Source};
use handfast_server::open_files;
use handfast_toml::parse_duration;

use self::printer::Printer;
use super::definitions::DefinitionArgs;
use super::flow::{ChosenFlow, FlowArgs};
use super::log::LogArgs;
use crate::commands::{signals, state};
use crate::numbers;
use crate::output::log;
use crate::output::{Exit, OrExit as _, Output};

/// How often it is looked whether the store is let go of, and how long is waited between: 2 s in all.
const LOOKS: u32 = 1_000;
const BETWEEN_LOOKS: Duration = Duration::from_millis(2);

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  handfast run --flow shop.toml orders.jsonl
  handfast run --flow shop.toml --store sqlite:shop.db orders.jsonl > results.jsonl
  tail -f orders.jsonl | handfast run --flow shop.toml --give-up-after 30s

A file is checked whole before its first order starts; standard input is taken line by line. Each order's result is one line
of JSON on standard output, printed when the order ends:
  {\"id\":\"web-1\",\"line\":1,\"standing\":\"completed\",\"outcome\":\"completed\",\"steps\":[{\"name\":\"payment\",\"state\":\"done\"}, ..]}
The outcome is completed (both), cancelled (neither), settled (a person waits for nobody any longer), or null for an order
that is in doubt, held or suspended. A line that says held is of one for which nothing is sent here; trouble says why.
The same command again goes on where the last one was stopped or killed, and prints the results of all orders.

Exit codes: 0 all ended, 2 something is wrong with the flow or the orders, 4 some are in doubt, held or suspended.")]
pub(crate) struct Args {
    #[command(flatten)]
    pub(crate) flow: FlowArgs,
    /// Where sagas are kept, as in sqlite:shop.db; by default a file named after the flow where programs keep their state.
    #[arg(long, value_name = "URL", env = "HANDFAST_STORE")]
    pub(crate) store: Option<String>,
    /// How many orders are under way at once.
    #[arg(long, value_name = "N", default_value = "128", allow_negative_numbers = true, value_parser = numbers::whole(1..=100_000_usize, 128))]
    pub(crate) limit_in_flight: usize,
    /// Do not wait longer than this for an order to end, as in 30s: it is then in doubt, and safe in the store.
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    pub(crate) give_up_after: Option<Duration>,
    /// The longest pause between two tries of one delivery; pauses start at 50 ms and double up to it.
    #[arg(long, value_name = "DURATION", env = "HANDFAST_RETRY_CAP", default_value = "30s", value_parser = parse_duration)]
    pub(crate) retry_cap: Duration,
    #[command(flatten)]
    pub(crate) log: LogArgs,
    #[command(flatten)]
    pub(crate) definitions: DefinitionArgs,
    /// The orders, one JSON object a line; standard input without a file, or with -.
    #[arg(value_name = "ORDERS.jsonl")]
    pub(crate) orders: Option<PathBuf>,
}

/// Drives them.
pub(crate) fn run(args: Args, output: &Output) -> anyhow::Result<Exit> {
    args.log.install_beside_notes(output)?;
    let ChosenFlow { file, flow } = args.flow.read()?;
    log::keep_back(file.secrets());
    let source = Source::open(args.orders.as_deref()).or_exit(Exit::Usage)?;
    let expected = check(&source, &file, output)?;
    let url = args.store.map_or_else(|| state::default_store(file.name()), Ok)?;
    let again = again(&args.flow, &url, args.orders.as_deref());
    let runtime = super::runtime()?;
    let mut kept = None;
    let end = runtime.block_on(async {
        let stop = signals::on_signal()?;
        let store = state::open_store(&url)?;
        kept = Some(Arc::clone(&store));
        output.note(format_args!("orders are kept in {url}"));
        if expected.is_none() && io::stdin().is_terminal() {
            output.note("reading orders from standard input, one JSON object a line, until Ctrl-D");
        }
        let mut batch = Batch::new((Arc::new(file), flow), source, store);
        (batch.expected, batch.give_up_after) = (expected, args.give_up_after);
        batch.limit_in_flight = NonZeroUsize::new(args.limit_in_flight).unwrap_or(NonZeroUsize::MIN);
        (batch.retry_cap, batch.definitions) = (args.retry_cap, args.definitions.wanted());
        batch.open_files = open_files::raise();
        let mut printer = Printer::new(output, batch.source.name(), expected);
        let ended = batch::run(batch, stop, &mut printer).await.inspect_err(|error| {
            if let BatchError::Taken { line, .. } = error {
                output.complain(line);
            }
        })?;
        printer.finish(&ended, &again);
        exit(ended)
    });
    // Whatever still runs, such as a look-up of a name, must not keep the process.
    runtime.shutdown_background();
    if let Some(store) = kept {
        close(store);
    }
    end
}

/// What the exit code says: first whether anything is unsettled, then whether anything was wrong with the input.
fn exit(ended: Ended) -> anyhow::Result<Exit> {
    let Ended { tally, not_started, cut_off, .. } = ended;
    if let Some(error) = cut_off {
        return Err(error.into());
    }
    Ok(if tally.in_doubt + tally.suspended + tally.held > 0 || not_started.is_some() {
        Exit::InDoubt
    } else if tally.bad > 0 {
        Exit::Usage
    } else {
        Exit::Done
    })
}

/// The command that goes on where this one stops.
fn again(FlowArgs { flow, accept_risk }: &FlowArgs, url: &str, orders: Option<&Path>) -> String {
    let mut words = ["handfast", "run", "--flow"].map(str::to_owned).to_vec();
    words.extend([quoted(&flow.display().to_string()), "--store".to_owned(), quoted(url)]);
    words.extend(accept_risk.iter().flat_map(|risk| ["--accept-risk".to_owned(), risk.clone()]));
    words.push(orders.map_or_else(|| "-".to_owned(), |orders| quoted(&orders.display().to_string())));
    words.join(" ")
}

/// As a shell reads it as one word.
fn quoted(word: &str) -> String {
    let is_plain = |character: char| character.is_ascii_alphanumeric() || "/._-:=,+@%".contains(character);
    if !word.is_empty() && word.chars().all(is_plain) { word.to_owned() } else { format!("'{}'", word.replace('\'', r"'\''")) }
}

/// Closes the store on this thread, so that its file is tidied up before the process ends. Nothing is lost where somebody
/// does not let go of it in time: the next one to open it reads its write-ahead log.
fn close(store: Arc<dyn Store>) {
    for _ in 0..LOOKS {
        // The runtime's threads drop what was still running, one after the other, and with it their hold on the store.
        if Arc::strong_count(&store) == 1 {
            break;
        }
        thread::sleep(BETWEEN_LOOKS);
    }
    drop(store);
}

/// How many orders a file has; an error if any of its lines is none.
fn check(source: &Source, flow: &FlowFile, output: &Output) -> anyhow::Result<Option<u64>> {
    let Some(checked) = source.check(flow)? else {
        return Ok(None);
    };
    for bad in &checked.bad {
        output.complain(bad);
    }
    if checked.bad_lines > MOST_SHOWN as u64 {
        output.note(format_args!("and {} more", checked.bad_lines - MOST_SHOWN as u64));
    }
    match checked.bad_lines {
        0 => Ok(Some(checked.orders)),
        bad => Err(anyhow::anyhow!("{bad} of the lines in {} must be put right first; nothing was started", source.name()))
            .or_exit(Exit::Usage),
    }
}
