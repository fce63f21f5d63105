//! `handfast demo`: the main job, end to end, on this machine.

use std::path::Path;
use std::sync::Mutex;
use std::time::Duration;

use anyhow::{Context as _, bail};
use handfast_http::stop::stopped;
use handfast_server::batch::counted;
use handfast_testkit::demo::{self, Ended, Event, Place, Progress, Settings, Watcher};
use handfast_testkit::messenger::probability;
use indicatif::ProgressBar;

use crate::commands::{show, signals};
use crate::numbers;
use crate::output::{Exit, OrExit as _, Output};
use handfast_machine::clock::Stopwatch;
use handfast_machine::locked;

/// How often a line is written where there is no terminal.
const LINE: Duration = Duration::from_secs(3);

#[derive(Debug, clap::Args)]
#[command(
    after_help = "About a tenth each of the orders: a declined card, something sold out, cancelled in flight, and a charge that all roads
delay beyond its deadline. The roads are cut once. Everything happens twice, with the same orders and the same fate of
the n-th messenger of each: to handfast, and to a coordinator of the usual kind, which takes \"not found\" for \"not
charged\". Exit code 0 says that handfast's books are right and that every hazard occurred.

Examples:
  handfast demo
  handfast demo --orders 5000 --capture 0.5 --kills 20 --seed 7
  handfast demo --keep books --json"
)]
pub(crate) struct Args {
    /// How many orders to place.
    #[arg(long, value_name = "N", default_value_t = 1_000, value_parser = numbers::whole(1..=100_000_u32, 1_000))]
    pub(crate) orders: u32,
    /// The probability that a messenger is captured; a request is one messenger, its reply another.
    #[arg(long, value_name = "P", default_value = "0.3", value_parser = survivable)]
    pub(crate) capture: f64,
    /// How many times a process is killed, spread over coordinator, payment and dispatch.
    #[arg(long, value_name = "K", default_value_t = 5, value_parser = numbers::whole(0..=1_000_u32, 5))]
    pub(crate) kills: u32,
    /// Where the random choices start; the same seed makes the same orders and the same road.
    #[arg(long, value_name = "S", default_value_t = 1, value_parser = numbers::whole(0..=u64::MAX, 42))]
    pub(crate) seed: u64,
    /// Keep the books in this directory and print the queries that recompute the table; with --json on standard error.
    #[arg(long, value_name = "DIR")]
    pub(crate) keep: Option<std::path::PathBuf>,
}

/// Runs the demo.
pub(crate) fn run(args: Args, output: &Output) -> anyhow::Result<Exit> {
    let Args { orders, capture, kills, seed, keep } = args;
    let program = std::env::current_exe().context("cannot find the program that runs")?;
    let settings = Settings { program, orders, capture, kills, seed };
    let place = Place::new(keep.as_deref()).or_exit(Exit::Usage)?;
    let ended = super::runtime()?.block_on(run_in(place.path(), &settings, keep.is_some(), output));
    if !matches!(ended, Ok(Exit::Done))
        && let Some(dir) = place.keep_for_inspection()
    {
        output.note(format_args!("books and logs are kept in {}", dir.display()));
    }
    ended
}

async fn run_in(dir: &Path, settings: &Settings, is_kept: bool, output: &Output) -> anyhow::Result<Exit> {
    let mut stop = signals::on_signal()?;
    output.note(format_args!(
        "{}, {:.0} % of the messengers captured, {}, seed {}; books and logs in {}",
        counted(settings.orders.into(), "order"),
        settings.capture * 100.0,
        counted(settings.kills.into(), "kill"),
        settings.seed,
        dir.display()
    ));
    let screen = Screen::new(output, settings);
    let ended = tokio::select! {
        ended = demo::run(settings, dir, &screen) => ended,
        // The children end with the future that holds them, and a directory that was not asked for goes.
        () = stopped(&mut stop) => Err(anyhow::anyhow!("stopped before its end")),
    };
    screen.bar.finish_and_clear();
    publish(&ended?, dir, is_kept, output).await
}

/// Prints the result, and decides how the demo ends.
async fn publish(ended: &Ended, dir: &Path, is_kept: bool, output: &Output) -> anyhow::Result<Exit> {
    let report = &ended.report;
    if output.wants_json() {
        output.json_line(&report.json())?;
        if is_kept {
            // Standard output is one value of JSON, and the queries are promised all the same.
            output.note(demo::recount(dir));
        }
    } else {
        output.line(report.text())?;
        if let Some(nastiest) = &ended.nastiest {
            let told = show::read(&nastiest.store, &nastiest.id, &nastiest.roads).await?;
            let picture = show::text(&told, false);
            output.line(format_args!("the nastiest order of the run, {}:\n\n{}", nastiest.id, picture.trim_end()))?;
        }
        if is_kept {
            output.line(demo::recount(dir))?;
        }
    }
    let violations = report.violations();
    let (absent, switched_off) = report.hazards();
    if !switched_off.is_empty() {
        let why = if report.has_few_orders() { "with so few orders these" } else { "these" };
        output.note(format_args!("{why} did not occur: {}", switched_off.join(", ")));
    }
    for violation in &violations {
        output.complain(format_args!("{violation}; the books are in {}", dir.display()));
    }
    for what in &absent {
        output.complain(format_args!("{what} never occurred, so this run shows too little; try another --seed or more --orders"));
    }
    Ok(if violations.is_empty() && absent.is_empty() { Exit::Done } else { Exit::Error })
}

/// Shows how it goes: a bar on a terminal, lines elsewhere.
struct Screen<'a> {
    output: &'a Output,
    bar: ProgressBar,
    since: Stopwatch,
    kills_planned: u32,
    /// When the next line is written where there is no terminal.
    line_at: Mutex<Duration>,
}

impl<'a> Screen<'a> {
    fn new(output: &'a Output, settings: &Settings) -> Self {
        let (bar, since) = (output.progress(settings.orders.into()), Stopwatch::start());
        Self { output, bar, since, kills_planned: settings.kills, line_at: Mutex::default() }
    }

    /// Says a line without disturbing the bar.
    fn say(&self, text: &str) {
        let at = self.since.elapsed().as_secs_f64();
        self.bar.suspend(|| self.output.note(format_args!("{at:5.1} s  {text}")));
    }

    fn show(&self, Progress { ended, usual_way_ended, in_doubt, captured, kills, is_cut }: Progress) {
        let cut = if is_cut { ", the roads are cut" } else { "" };
        let planned = self.kills_planned;
        let text = format!(
            "done; {in_doubt} in doubt, {captured} captured, {kills}/{planned} kills{cut}; the usual way: {usual_way_ended}"
        );
        self.bar.set_position(ended);
        self.bar.set_message(text.clone());
        let elapsed = self.since.elapsed();
        let mut line_at = locked(&self.line_at);
        if self.bar.is_hidden() && elapsed >= *line_at {
            *line_at = elapsed + LINE;
            self.say(&format!("{ended} {text}"));
        }
    }
}

impl Watcher for Screen<'_> {
    fn tell(&self, event: Event) {
        match event {
            Event::Cut => self.say("the roads are cut"),
            Event::Restored { in_doubt } => self.say(&format!("the roads are restored; {in_doubt} orders are in doubt")),
            Event::Killed { victim, number } => self.say(&format!("kill -9 {victim} ({number} of {})", self.kills_planned)),
            Event::AllEnded => self.say("all orders have ended; waiting for the last late messengers"),
            Event::NotAllEnded { after } => self.say(&format!("not all orders have ended after {} s", after.as_secs())),
            Event::Progress(progress) => self.show(progress),
        }
    }
}

/// A probability with which somebody gets through within a demo.
fn survivable(text: &str) -> anyhow::Result<f64> {
    let capture = probability(text)?;
    if capture > 0.9 {
        bail!("with {text} captured hardly anybody ever gets through; use 0.9 at most");
    }
    Ok(capture)
}
