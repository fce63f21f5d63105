//! `handfast check`: explores the deployed protocol, or a flow of one's own, and prints what was explored, against whom, and
//! the verdict.

mod flow;
mod flow_text;
mod profiles;

use std::path::PathBuf;

use anyhow::Context as _;
use handfast_lab::answers::suite::{Guard, Suite};
use handfast_lab::explorer::Limits;
use handfast_lab::saga::{Found, MUTANTS, Mutant, Network, large, suite};
use handfast_lab::trace::CounterexampleTrace;

use crate::numbers;
use crate::output::picture;
use crate::output::{Exit, Output, beginnings, grouped};
use crate::trace;

#[derive(Debug, clap::Args)]
#[command(group(clap::ArgGroup::new("drawn").args(["without", "flow"])))]
#[command(group(clap::ArgGroup::new("pictured").args(["without", "flow", "profiles"])))]
#[command(after_help = "Examples:
  handfast check
      every case: the deployed code, every interleaving
  handfast check --large
      the cases that are too large for every day: minutes, and gigabytes
  handfast check examples/shop/flow.toml
      whether this flow can be safe, and why not
  handfast check flow.toml --network multiset:1 --crashes 2 --workers 1
  handfast check flow.toml --accept-risk hold-lapse
  handfast check flow.toml --store sqlite:shop.db
      the same, and what adopting it would change for open orders
  handfast check --profiles
      which payment and which dispatch go together, and how
  handfast check --guards
      every rule of the protocol, and what happens without it
  handfast check --without not-found-is-final
      the shortest run that one missing rule allows, drawn
  handfast check --without not-found-is-final --keep run.trace
      the same, kept for handfast replay
  handfast check --json

With --json it prints
  {\"verdict\":\"holds\",\"states\":N,\"cases\":[{\"plan\",\"adversary\",\"verdict\",
   \"states\",\"exhaustive\",\"properties\":[..],..}]}
with a flow
  {\"flow\",\"file\",\"verdict\":\"holds\"|\"violated\",\"states\",\"steps\":[{\"name\",
   \"line\",\"kind\",\"decides\",\"doubt\",..}],
   \"remarks\":[{\"name\",\"step\",\"line\",\"says\"}],\"risks\":[{\"name\",\"step\",\"line\",
    \"says\",\"fix\",\"accepted\",
   \"residual\":{\"formula\",\"odds\":\"a/b\"|null,\"odds_float\",\"window_ms\",\"says\"},
    \"states\",\"run\":{\"breaks\",\"adversary\",
   \"actions\":[..],\"end\"}|null}],\"explored\":[{\"steps\",\"adversary\",\"states\",
    \"depth\",\"exhaustive\",\"verdict\",
   \"properties\",\"broken\":[{\"name\",\"run\"}]}],\"left_out\"}
with --profiles {\"verdict\",\"pairs\":[{\"payment\",\"dispatch\",\"verdict\":\"possible\"|\"at \
risk\"|\"impossible\",..}]}, with --guards a list of {\"name\",\"guard\",\"hazard\",\"breaks\"}, and with --without \
one of these with the run.

Exit codes: 0 it holds, but for risks that were accepted; 3 a counterexample was found (always, with --without), or \
a risk was not accepted; 2 the flow file is wrong.")]
pub(crate) struct Args {
    /// Checks this flow, against participants that do whatever their profiles allow
    #[arg(value_name = "FLOW.toml", conflicts_with_all = ["without", "guards", "profiles"])]
    flow: Option<PathBuf>,

    /// Prints which payment and which dispatch can be brought to both or neither, found by exploring every pair
    #[arg(long, conflicts_with_all = ["without", "guards"])]
    profiles: bool,

    /// Explores the cases that are too large to be explored every day, in place of the others
    #[arg(long, conflicts_with_all = ["flow", "without", "guards", "profiles"])]
    large: bool,

    /// How messages are lost, delayed, doubled and reordered: `set` or `multiset:N` (N copies of each, 1 to 3)
    /// [default: both, where that is quick]
    #[arg(long, value_name = "NETWORK", requires = "flow", value_parser = str::parse::<Network>)]
    network: Option<Network>,

    /// How often a worker or a participant crashes [default: 1]
    #[arg(long, value_name = "C", requires = "flow", value_parser = numbers::whole(0_u8..=4, 1))]
    crashes: Option<u8>,

    /// How many workers drive the saga, each pausing at will, 1 to 3 [default: 2 on a set, 1 on a multiset]
    #[arg(long, value_name = "W", requires = "flow", value_parser = numbers::whole(1_u8..=3, 2))]
    workers: Option<u8>,

    /// Does not mind this risk of the flow; once for each
    #[arg(
        long,
        value_name = "NAME",
        requires = "flow",
        value_delimiter = ',',
        value_parser = clap::builder::PossibleValuesParser::new(handfast_protocol::Risk::NAMES),
        hide_possible_values = true
    )]
    accept_risk: Vec<String>,

    /// Also says what adopting this flow would change for the open orders of a store, as in sqlite:shop.db
    #[arg(long, value_name = "URL", requires = "flow")]
    store: Option<String>,

    /// Takes one guard out of the deployed code and draws the shortest run that then goes wrong
    #[arg(long, value_name = "NAME", value_parser = names(), hide_possible_values = true, conflicts_with = "guards")]
    without: Option<String>,

    /// Lists every guard, what people ship instead, and the property that breaks without it
    #[arg(long)]
    guards: bool,

    /// Also writes the counterexample, or the map of profiles, as a picture; with `-` only the picture, to standard output
    #[arg(long, value_name = "FILE", requires = "pictured")]
    svg: Option<PathBuf>,

    /// Keeps the counterexample in a file, for `handfast replay`
    #[arg(long, value_name = "FILE", requires = "drawn")]
    keep: Option<PathBuf>,

    /// Draws with plain ASCII
    #[arg(long)]
    ascii: bool,

    /// How many threads explore, up to 256; the result does not depend on it [default: 0, one a core]
    #[arg(long, value_name = "N", allow_negative_numbers = true, default_value = "0", hide_default_value = true, value_parser = numbers::threads)]
    threads: usize,
}

fn names() -> clap::builder::PossibleValuesParser {
    MUTANTS.iter().map(|mutant| mutant.name).collect::<Vec<_>>().into()
}

/// Explores, and prints what was explored, under which adversary, and the verdict.
pub(crate) fn run(args: Args, output: &Output) -> anyhow::Result<Exit> {
    if let Some(path) = &args.flow {
        return flow::run(path, &args, output);
    }
    if args.profiles {
        return profiles::run(&args, output);
    }
    if args.guards {
        return list_guards(output);
    }
    if let Some(name) = &args.without {
        let mutant =
            MUTANTS.iter().find(|mutant| mutant.name == name).context("the name was checked when the arguments were read")?;
        return show_mutant(mutant, &args, output);
    }
    explore_suite(&args, output)
}

fn explore_suite(args: &Args, output: &Output) -> anyhow::Result<Exit> {
    let cases = if args.large { large() } else { suite() };
    let progress = output.progress(cases.len() as u64);
    let explored = Suite::explore(cases, &Limits::default().with_threads(args.threads), beginnings(&progress));
    progress.finish_and_clear();
    if output.wants_json() {
        output.json_line(&explored)?;
    } else {
        print_suite(&explored, args, output)?;
    }
    Ok(if explored.holds() { Exit::Done } else { Exit::Neither })
}

fn print_suite(explored: &Suite, args: &Args, output: &Output) -> anyhow::Result<()> {
    output.line("The deployed coordinator against the deployed registers: load, append and send are separate actions of each")?;
    output.line("worker, messages are lost, delayed, duplicated and reordered, every deadline can pass at any moment.")?;
    let mut plan_name = "";
    for (case, found) in &explored.cases {
        if case.plan_name != plan_name {
            plan_name = case.plan_name;
            output.line(format_args!("\n{plan_name}"))?;
        }
        let verdict = if found.holds() { "holds" } else { "VIOLATED" };
        output.led(format_args!("  {:>9} states  {verdict}  ", grouped(found.report.unique)), found.adversary())?;
        print_broken(found, args, output)?;
    }
    output.line("\nIn every state of every case, unless the case says otherwise:")?;
    for (name, word) in explored.claims() {
        output.line(format_args!("  {word}: {name}"))?;
    }
    output.line("\nBounds: at most 3 workers, 2 crashes, 2 returns of an older journal, one saga; time stands still.")?;
    let verdict = if explored.holds() { "Every property holds" } else { "A property is VIOLATED" };
    output.line(format_args!(
        "{verdict}: {} states in {} cases, every one explored.",
        grouped(explored.states()),
        explored.cases.len()
    ))
}

fn print_broken(found: &Found, args: &Args, output: &Output) -> anyhow::Result<()> {
    for judged in found.report.broken() {
        output.line(format_args!("      broken: {}", judged.name))?;
        if let Some(picture) = found.picture_against(judged.name) {
            output.line(picture::text(&picture, args.ascii))?;
        }
    }
    for bound in &found.report.bounds {
        output.line(format_args!("      not exhaustive: {bound}"))?;
    }
    Ok(())
}

fn list_guards(output: &Output) -> anyhow::Result<Exit> {
    if output.wants_json() {
        let guards: Vec<Guard<'_>> = MUTANTS.iter().map(|mutant| Guard { mutant, caught: None }).collect();
        output.json_line(&guards)?;
        return Ok(Exit::Done);
    }
    for mutant in MUTANTS {
        output.line(mutant.name)?;
        output.led("    guard    ", mutant.guard)?;
        output.led("    without  ", mutant.hazard)?;
        output.line(format_args!("    breaks   {}\n", mutant.breaks))?;
    }
    output.line(format_args!(
        "{} guards. `handfast check --without NAME` draws the shortest run that goes wrong without one.",
        MUTANTS.len()
    ))?;
    Ok(Exit::Done)
}

fn show_mutant(mutant: &'static Mutant, args: &Args, output: &Output) -> anyhow::Result<Exit> {
    picture::check_place(args.svg.as_deref(), output)?;
    let caught = mutant
        .hunt()
        .with_context(|| format!("nothing goes wrong without \"{}\", which its test should have told", mutant.guard))?;
    if let Some(path) = &args.keep {
        trace::keep_counterexample(path, &CounterexampleTrace::new(mutant, &caught))?;
        output.note(format_args!("the run is kept in {}", path.display()));
    }
    if let Some(path) = &args.svg {
        picture::write_svg(path, &caught.picture, output)?;
        if picture::is_stdout(path) {
            return Ok(Exit::Neither);
        }
        output.note(format_args!("the picture is in {}", path.display()));
    }
    if output.wants_json() {
        output.json_line(&Guard { mutant, caught: Some(&caught) })?;
    } else {
        output.led("Without this guard: ", mutant.guard)?;
        output.led("what happens is:    ", format_args!("{}\n", mutant.hazard))?;
        output.line(picture::text(&caught.picture, args.ascii))?;
        for (number, action) in (1..).zip(&caught.run) {
            output.line(format_args!("{number:>3}. {action}"))?;
        }
        output.sentences(format_args!("\nNo shorter run breaks \"{}\" against: {}.", mutant.breaks, caught.adversary))?;
    }
    Ok(Exit::Neither)
}
