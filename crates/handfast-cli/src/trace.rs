//! Kept runs as files: `--keep` writes them, and `handfast replay` reads them. `docs/trace.md` has the format.

use std::fs;
use std::io::Read as _;
use std::path::Path;

use anyhow::{Context as _, anyhow, bail};
use handfast::flow_file::FlowFile;
use handfast_lab::generals::{Kept as KeptRun, Limits, Run, StrategyFile, Table};
use handfast_lab::saga::FlowCase;
use handfast_lab::trace::{self, CounterexampleTrace, Document, FlowTrace, GeneralsTrace, Kind, TracedProtocol};
use handfast_server::story::{Kept, KeptDocument};

use crate::bad_input::OrBadInput as _;
use crate::commands::generals::Agreed;
use crate::files;
use crate::output::Output;

/// A larger file is no trace: nobody could step through it.
const MOST_BYTES: u64 = 64 * 1024 * 1024;

/// A kept run.
#[derive(Debug)]
pub(crate) enum Trace {
    /// Of the two generals.
    Generals(GeneralsTrace),
    /// Of a saga, as its journal has it.
    Saga(Kept),
    /// Of a saga's world without a guard.
    Counterexample(CounterexampleTrace),
    /// Of a flow's world.
    Flow(FlowTrace),
}

/// Keeps a run of the generals in a file.
///
/// # Errors
/// The strategy file cannot be read any more, or the file cannot be written.
pub(crate) fn keep(path: &Path, agreed: &Agreed, table: &Table, run: &Run) -> anyhow::Result<()> {
    let named = &agreed.protocol;
    let text = named.ends_with(".toml").then(|| fs::read_to_string(named).with_context(|| format!("cannot read {named}")));
    let Agreed { protocol, messengers, replies, steps, rounds, second, time_limit_ms: _ } = agreed.clone();
    let strategy = text.transpose().or_bad_input()?;
    let protocol = TracedProtocol { name: protocol, messengers, replies, steps, rounds, second, strategy };
    write(path, &GeneralsTrace { protocol, kept: KeptRun::new(table, run) }.write(&table.name)?)
}

/// Keeps the journal of a saga in a file.
///
/// # Errors
/// The file cannot be written.
pub(crate) fn keep_saga(path: &Path, saga: &Kept) -> anyhow::Result<()> {
    let text = Document::new(Kind::Saga)
        .member("saga", &saga.saga)?
        .member("flow", &saga.flow)?
        .member("version", &saga.version)?
        .list("steps", &saga.written_steps())?
        .list("entries", &saga.written_entries()?)?
        .member("standing", &saga.standing)?
        .finish();
    write(path, &text)
}

/// Keeps the run that shows what happens without a guard.
///
/// # Errors
/// The file cannot be written.
pub(crate) fn keep_counterexample(path: &Path, counterexample: &CounterexampleTrace) -> anyhow::Result<()> {
    write(path, &counterexample.write()?)
}

/// Keeps a run that shows why a flow cannot be safe.
///
/// # Errors
/// The file cannot be written.
pub(crate) fn keep_flow(path: &Path, run: &FlowTrace) -> anyhow::Result<()> {
    write(path, &run.write()?)
}

/// Reads a kept run.
///
/// # Errors
/// There is no such file, or it is no trace that this program knows; the error names the place.
pub(crate) fn read(path: &Path) -> anyhow::Result<Trace> {
    let text = read_bounded(path).with_context(|| format!("cannot read {}", path.display())).or_bad_input()?;
    parse(&text).with_context(|| path.display().to_string()).or_bad_input()
}

/// A device says that it is empty and goes on for ever, so that it is counted what is read, not what the file says.
fn read_bounded(path: &Path) -> anyhow::Result<String> {
    let mut text = String::new();
    fs::File::open(path)?.take(MOST_BYTES + 1).read_to_string(&mut text)?;
    if text.len() as u64 > MOST_BYTES {
        bail!("it is larger than a trace can be, which is {MOST_BYTES} bytes at most");
    }
    Ok(text)
}

fn parse(text: &str) -> anyhow::Result<Trace> {
    Ok(match trace::kind(text)? {
        Kind::Generals => Trace::Generals(GeneralsTrace::read(text)?),
        Kind::Saga => Trace::Saga(trace::members::<KeptDocument>(text)?.try_into()?),
        Kind::Flow => Trace::Flow(FlowTrace::read(text)?),
        Kind::Counterexample => Trace::Counterexample(CounterexampleTrace::read(text)?),
    })
}

fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    files::write(path, text.as_bytes())
        .with_context(|| format!("cannot write {}; give --keep another path", path.display()))
        .or_bad_input()
}

/// The protocol of a kept run, as it would be typed.
pub(crate) fn agreed(kept: &GeneralsTrace) -> Agreed {
    let TracedProtocol { name, messengers, replies, steps, rounds, second, strategy: _ } = kept.protocol.clone();
    Agreed { second, ..Agreed::named(name, [messengers, replies, steps, rounds]) }
}

/// Tells the protocol everything, executes the run again, and compares. A program that a file names is run only by whoever says
/// so.
///
/// # Errors
/// There is no such protocol here, or it does something else; the error says where.
pub(crate) fn replay(kept: &GeneralsTrace, run_programs: bool, output: &Output) -> anyhow::Result<(Table, Run)> {
    let agreed = agreed(kept);
    if agreed.runs_programs() && !run_programs {
        let second = agreed.second.iter().map(|second| format!(" and {second:?}"));
        let programs = format!("{:?}{}", agreed.protocol, second.collect::<String>());
        return Err(anyhow!("the trace names a program, {programs}; say --run-program to have it run")).or_bad_input();
    }
    let table = match &kept.protocol.strategy {
        Some(text) => StrategyFile::parse(&agreed.protocol, text).or_bad_input()?.tabulate(&Limits::default()).or_bad_input()?,
        None => agreed.tabulate(output)?,
    };
    let run = kept.kept.replay(&table).context("the protocol does something else than is kept").or_bad_input()?;
    Ok((table, run))
}

/// The flow that a file describes, to be explored.
///
/// # Errors
/// The order of its steps is not sound.
pub(crate) fn case_of(file: &FlowFile) -> anyhow::Result<FlowCase> {
    let names = file.steps().iter().map(|step| step.name.clone()).collect();
    Ok(FlowCase::new(names, file.profiled().to_vec(), file.assumptions())?)
}

/// The flow of a kept run, which stands in the trace.
///
/// # Errors
/// It is none any more.
pub(crate) fn flow(kept: &FlowTrace) -> anyhow::Result<FlowCase> {
    case_of(&FlowFile::parse(&kept.file, &kept.flow).context("the flow of this trace")?)
}
