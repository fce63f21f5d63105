//! Kept runs: one JSON document each, which `--keep` writes and `handfast replay` executes again. `docs/trace.md` has the format.

mod counterexample;
mod document;
mod flow;
mod generals;

use std::fs;
use std::io::Read as _;
use std::path::Path;

use anyhow::{Context as _, bail};
use handfast_lab::generals::{Run, Table};
use handfast_server::story::{Kept, KeptDocument};
use serde::Deserialize;

pub(crate) use self::counterexample::CounterexampleTrace;
use self::document::Document;
pub(crate) use self::flow::FlowTrace;
pub(crate) use self::generals::{GeneralsTrace, parse_captured};
use crate::bad_input::OrBadInput as _;
use crate::commands::generals::Agreed;
use crate::files;

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

/// What every trace begins with.
#[derive(Deserialize)]
struct Head {
    trace: Option<String>,
    kind: Option<String>,
}

/// Keeps a run of the generals in a file.
///
/// # Errors
/// The file cannot be written.
pub(crate) fn keep(path: &Path, agreed: &Agreed, table: &Table, run: &Run) -> anyhow::Result<()> {
    write(path, &GeneralsTrace::new(agreed, table, run)?.write(&table.name)?)
}

/// Keeps the journal of a saga in a file.
///
/// # Errors
/// The file cannot be written.
pub(crate) fn keep_saga(path: &Path, saga: &Kept) -> anyhow::Result<()> {
    let text = Document::new("saga")
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
    if !text.trim_start().starts_with('{') {
        bail!("this is no trace: it is no JSON object, which every trace is");
    }
    let head: Head = document::members(text)?;
    let version = head.trace.context("this is no trace: it has no member \"trace\"")?;
    if version != document::VERSION {
        bail!("it says {version:?}, and this handfast reads {:?}; a newer one may have written it", document::VERSION);
    }
    match head.kind.as_deref() {
        Some("generals") => Ok(Trace::Generals(GeneralsTrace::read(text)?)),
        Some("saga") => Ok(Trace::Saga(document::members::<KeptDocument>(text)?.try_into()?)),
        Some("flow") => Ok(Trace::Flow(FlowTrace::read(text)?)),
        Some("counterexample") => Ok(Trace::Counterexample(CounterexampleTrace::read(text)?)),
        Some(kind) => bail!("there is no trace of the kind {kind:?}; a newer handfast may have written it"),
        None => bail!("it does not say of which \"kind\" it is"),
    }
}

fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    files::write(path, text.as_bytes())
        .with_context(|| format!("cannot write {}; give --keep another path", path.display()))
        .or_bad_input()
}
