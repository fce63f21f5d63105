//! `handfast generals draw`: any run of two generals as a space-time diagram.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow};
use handfast_lab::answers::played::Answer;
use handfast_lab::answers::replay::told_apart;
use handfast_lab::diagram;
use handfast_lab::generals::{Beginning, Orders, Run, Table, find_shipped, shipped_names};
use handfast_lab::trace::parse_captured;

use super::agreed::Agreed;
use crate::numbers;
use crate::output::picture;
use crate::output::{Exit, OrExit as _, Output};
use crate::trace::{self, Trace};

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  handfast generals draw reply               every messenger arrives
  handfast generals draw reply --captured 1  the reply does not
  handfast generals draw handshake --steps 6 --captured 4
  handfast generals draw random-attack --rounds 3 --captured 1,4 --coin 2
  handfast generals draw always --messengers 100 --captured 0-98 --svg always.svg
  handfast generals draw run.trace           a run that --keep has kept

Messengers are counted from 0 in the order of sending: round by round, in each round general 1's first.

With --json it prints the run
  {\"protocol\",\"title\",\"ordered\":[true,false],\"coin\":1,
   \"outcome\":\"both\"|\"alone_1\"|\"alone_2\"|\"neither\",
   \"attacks\":[bool,bool],\"sent\":N,\"captures\":N,
   \"messengers\":[{\"round\":1,\"from\":1,\"says\":\"..\",\"captured\":false},..],
   \"knows\":[[\"..\",\"..\"],..]}
where \"knows\" says what general 1 and general 2 know before the first round and after each.

Exit codes: 0 drawn; 2 the run or its protocol makes no sense, or a file cannot be written.")]
pub(crate) struct Args {
    #[command(flatten)]
    agreed: Agreed,
    /// The messengers that are captured, as in 0,3,5-9; without it all of them arrive
    #[arg(long, value_name = "LIST", value_parser = parse_captured)]
    captured: Option<BTreeSet<usize>>,
    /// Nobody was given the order; with =1 or =2 that general was not
    #[arg(long, value_name = "GENERAL", require_equals = true, num_args = 0..=1, value_parser = numbers::whole(1..=2_u8, 1))]
    no_order: Option<Option<u8>>,
    /// What the coin shows, where one is tossed [default: 1]
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = numbers::whole(1..=u32::MAX, 2))]
    coin: Option<u32>,
    /// Keeps the run in a file, for `handfast replay`
    #[arg(long, value_name = "FILE")]
    keep: Option<PathBuf>,
    /// Writes the picture as an SVG file instead of printing it; `-` is standard output
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
    /// Runs the programs that a trace names, where the generals are programs
    #[arg(long)]
    run_program: bool,
}

/// Draws the run.
pub(crate) fn run(args: Args, output: &Output) -> anyhow::Result<Exit> {
    picture::check_place(args.svg.as_deref(), output)?;
    let (agreed, table, run) = played(&args, output)?;
    if let Some(path) = &args.keep {
        trace::keep(path, &agreed, &table, &run)?;
        output.note(format_args!("the run is kept in {}", path.display()));
    }
    let working = output.waiting("telling apart what the generals see in every run");
    let found = told_apart(&table, &run);
    drop(working);
    let knows = found.unwrap_or_else(|| {
        output.note("what the generals know is left out: it depends on too many runs to be told at once; handfast generals knowledge tells what it can");
        Vec::new()
    });
    let drawn = diagram::generals(&table, &run, &knows);
    if let Some(path) = &args.svg {
        picture::write_svg(path, &drawn, output)?;
        if !picture::is_stdout(path) {
            output.note(format_args!("the picture is in {}", path.display()));
        }
    }
    if output.wants_json() {
        output.json_line(&Answer { protocol: &agreed.protocol, table: &table, run: &run, knows: &knows })?;
    } else if args.svg.is_none() {
        output.line(picture::text(&drawn, output.wants_ascii()).trim_end())?;
    }
    Ok(Exit::Done)
}

/// The run that was asked for, of a trace or of a protocol.
fn played(args: &Args, output: &Output) -> anyhow::Result<(Agreed, Table, Run)> {
    let named = &args.agreed.protocol;
    let is_protocol = find_shipped(named).is_some() || named.ends_with(".toml") || named.starts_with("exec:");
    if !is_protocol && Path::new(named).exists() {
        return of_trace(args, Path::new(named), output);
    }
    if !is_protocol {
        return Err(anyhow!(
            "there is no file {named:?}, and no protocol of this name; give a trace that --keep has kept, one of {}, the path of a \
             strategy file (it ends in .toml), or exec:COMMAND",
            shipped_names().join(", ")
        ))
        .or_exit(Exit::Usage);
    }
    let table = args.agreed.tabulate(output)?;
    let beginning = beginning(args, &table).or_exit(Exit::Usage)?;
    let captured = args.captured.clone().unwrap_or_default();
    let run = table.play_out(beginning, &captured).or_exit(Exit::Usage)?;
    Ok((args.agreed.clone(), table, run))
}

fn of_trace(args: &Args, path: &Path, output: &Output) -> anyhow::Result<(Agreed, Table, Run)> {
    let changed = args.captured.is_some() || args.no_order.is_some() || args.coin.is_some() || args.agreed.has_parameters();
    if changed {
        return Err(anyhow!(
            "a trace says itself what is captured and how it begins; give the name of its protocol to change that"
        ))
        .or_exit(Exit::Usage);
    }
    match trace::read(path)? {
        Trace::Generals(kept) => {
            let replayed = trace::replay(&kept, args.run_program, output);
            let (table, run) = replayed.with_context(|| path.display().to_string())?;
            Ok((trace::agreed(&kept), table, run))
        }
        Trace::Saga(_) | Trace::Counterexample(_) | Trace::Flow(_) => {
            let path = path.display();
            Err(anyhow!("{path} is a run of a saga; handfast replay {path} --svg FILE draws it")).or_exit(Exit::Usage)
        }
    }
}

fn beginning(args: &Args, table: &Table) -> anyhow::Result<Beginning> {
    let mut ordered = table.orders.ways()[0];
    match (args.no_order, table.orders) {
        (None, _) => {}
        (Some(_), Orders::Nobody) => return Err(anyhow!("there is no order in this protocol; leave --no-order out")),
        (Some(Some(2)), Orders::First) => {
            return Err(anyhow!("only general 1 is given the order in this protocol; say --no-order"));
        }
        (Some(None), Orders::First | Orders::Each) => ordered = [false, false],
        (Some(Some(general)), Orders::First | Orders::Each) => ordered[usize::from(general) - 1] = false,
    }
    let coin = args.coin.unwrap_or(1);
    if coin == 0 || coin > table.coins {
        let sides = if table.coins == 1 {
            "no coin is tossed in this protocol".to_owned()
        } else {
            format!("the coin shows 1 to {}", table.coins)
        };
        return Err(anyhow!("--coin {coin}: {sides}"));
    }
    Ok(Beginning { ordered, coin })
}
