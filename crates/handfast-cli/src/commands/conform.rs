//! `handfast conform`: attacks a participant and reports which promises of the contract, or of a step's profile, it keeps.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use bytes::Bytes;
use handfast::flow_file::FlowFile;
use handfast_http::service_url::ServiceUrl;
use handfast_testkit::conform::flow::{Found, Trial, try_promises};
use handfast_testkit::conform::{self, Finding, Target};
use handfast_toml::parse_duration;
use serde_json::{Map, Value, json};

use crate::numbers;
use crate::output::{Exit, OrExit as _, Output};

/// What the reference payment service accepts.
const DEFAULT_BODY: &str = r#"{"amount":{"minor":1,"currency":"EUR"},"token":"tok_conform"}"#;

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  handfast conform http://127.0.0.1:4001/charges
  handfast conform http://127.0.0.1:4001/charges --refused-body '{\"amount\":{\"minor\":1,\"currency\":\"EUR\"},\"token\":\"tok_declined\"}'
  handfast conform http://127.0.0.1:8080/bookings --body @booking.json --json
  handfast conform --flow examples/card/flow.toml --step authorise --body @order.json

With --flow it tries a service that is called by templates, on a test account: it acts twice, undoes twice, acts after
a close and after an undo, and looks; it says which lines of the step's profile were seen to hold, which were seen not to,
which cannot be seen from outside, and which answers fit nothing that the flow describes. Steps before it that are called
by templates are done first, for what is kept of their answers. Secrets come from the environment, as for `handfast run`.

It acts for real, a few hundred times, with keys that begin with \"conform.\": let it loose on a test system.
Promises that take time, or the hands of an operator, are not among them: that keys and tombstones are kept
for ever, that an answer leaves only after its commit is flushed, and that both survive a crash.

With --json it prints one line:
  {\"url\",\"verdict\":\"holds\"|\"violated\",\"kept\":N,\"broken\":N,\"not_tried\":N,\"findings\":
   [{\"name\",\"promise\",\"hazard\",\"verdict\":\"kept\"|\"broken\"|\"not tried\",\"request\",\"expected\",\"got\",\"why\"}]}

and with --flow:
  {\"flow\",\"step\",\"verdict\":\"holds\"|\"violated\",\"times\":N,
   \"lines\":[{\"line\",\"verdict\":\"held\"|\"not held\"|\"not seen\",\"why\"}],
   \"fits_nothing\":[{\"asked\",\"status\",\"body\",\"why\",\"times\":N}]}

Exit codes: 0 every promise that was tried is kept; 2 the body is refused, so that nothing was
tried; 3 one is broken; 5 nobody answers.")]
pub(crate) struct Args {
    /// Where the participant has its keys: what a flow names as its url
    #[arg(value_name = "URL", required_unless_present = "flow", conflicts_with = "flow")]
    url: Option<String>,
    /// A flow: tries what the profile of one of its steps promises
    #[arg(long, value_name = "FLOW.toml", requires = "step", requires = "body")]
    flow: Option<PathBuf>,
    /// The step of the flow, which is called by templates
    #[arg(long, value_name = "NAME", requires = "flow")]
    step: Option<String>,
    /// How often each line of the profile is tried
    #[arg(long, value_name = "N", default_value_t = 3, requires = "flow", allow_negative_numbers = true, value_parser = numbers::whole(1..=1_000_u32, 3))]
    times: u32,
    /// The body of an act that the participant accepts: JSON, or @FILE [default: one for `handfast payment`]. With --flow: an
    /// order without its id
    #[arg(long, value_name = "JSON|@FILE")]
    body: Option<String>,
    /// The body of an act that it refuses, always; without one the promise about refusals is not tried. With --flow: an order
    /// without its id
    #[arg(long, value_name = "JSON|@FILE")]
    refused_body: Option<String>,
    /// How long an answer may take
    #[arg(long, value_name = "DURATION", default_value = "5s", value_parser = parse_duration)]
    timeout: Duration,
}

/// Attacks, and prints what was found.
pub(crate) fn run(args: Args, output: &Output) -> anyhow::Result<Exit> {
    let url = match (&args.url, &args.flow) {
        (None, Some(flow)) => return run_flow(flow, &args, output),
        (url, _) => url.as_deref().unwrap_or_default(),
    };
    let url = url
        .parse::<ServiceUrl>()
        .map_err(|why| anyhow!("{url:?} is no base URL of a participant: {why}"))
        .or_exit(Exit::Usage)?;
    if url.is_encrypted() || url.socket().is_some() {
        return Err(anyhow!("{url}: conform attacks a service over plain http://, from the machine that it runs on"))
            .or_exit(Exit::Usage);
    }
    let url = url.as_str();
    let body = read_body(args.body.as_deref().unwrap_or(DEFAULT_BODY), "--body").or_exit(Exit::Usage)?;
    let refused = args.refused_body.as_deref().map(|text| read_body(text, "--refused-body")).transpose().or_exit(Exit::Usage)?;
    let target = Target { base: url, run: run_name(), timeout: args.timeout, body, refused };
    let mut findings: Vec<Finding> = Vec::new();
    let progress = output.progress(conform::promises() as u64);
    super::runtime()?.block_on(conform::attack(target, |finding| {
        progress.inc(1);
        let lines = finding.in_lines().join("\n");
        findings.push(finding);
        if output.wants_json() { Ok(()) } else { progress.suspend(|| output.line(lines)) }
    }))?;
    progress.finish_and_clear();
    conclude(url, &findings, output)
}

/// Tries a step of a flow, and prints what was seen.
fn run_flow(path: &Path, args: &Args, output: &Output) -> anyhow::Result<Exit> {
    let flow = FlowFile::read(path).or_exit(Exit::Usage)?;
    let name = args.step.as_deref().unwrap_or_default();
    let step = flow.steps().iter().position(|step| step.name == name);
    let step = step
        .ok_or_else(|| {
            let names: Vec<&str> = flow.steps().iter().map(|step| step.name.as_str()).collect();
            anyhow!("--step: the flow has no step {name:?}; it has {}", names.join(", "))
        })
        .or_exit(Exit::Usage)?;
    let order = |text: &str, flag| read_order(text, flag).or_exit(Exit::Usage);
    let refused = args.refused_body.as_deref().map(|text| order(text, "--refused-body")).transpose()?;
    let trial = Trial {
        flow: &flow,
        step,
        order: order(args.body.as_deref().unwrap_or_default(), "--body")?,
        refused,
        run: run_name(),
        times: args.times,
        timeout: args.timeout,
    };
    let progress = output.progress(args.times.into());
    let found = super::runtime()?.block_on(try_promises(&trial, || progress.inc(1)));
    progress.finish_and_clear();
    conclude_flow(&flow, name, &found?, args.times, output)
}

fn conclude_flow(flow: &FlowFile, step: &str, found: &Found, times: u32, output: &Output) -> anyhow::Result<Exit> {
    let is_violated = found.is_violated();
    if output.wants_json() {
        let mut told = found.to_json();
        told["flow"] = flow.name().into();
        told["step"] = step.into();
        told["times"] = times.into();
        told["verdict"] = if is_violated { "violated" } else { "holds" }.into();
        output.json_line(&told)?;
    } else {
        for line in &found.lines {
            output.line(line.in_words())?;
        }
        if !found.unfit.is_empty() {
            output.line("\nAnswers that fit nothing; an order that meets one is asked for again, or waits:")?;
        }
        for unfit in &found.unfit {
            output.line(unfit.in_words())?;
        }
    }
    Ok(if is_violated { Exit::Neither } else { Exit::Done })
}

fn read_order(text: &str, flag: &str) -> anyhow::Result<Map<String, Value>> {
    let bytes = read_body(text, flag)?;
    match serde_json::from_slice(&bytes) {
        Ok(Value::Object(order)) => Ok(order),
        Ok(_) | Err(_) => Err(anyhow!("{flag} is no order; give an object of the fields of the flow, without an id")),
    }
}

fn conclude(url: &str, findings: &[Finding], output: &Output) -> anyhow::Result<Exit> {
    let broken = findings.iter().filter(|finding| finding.is_broken()).count();
    let untried = findings.iter().filter(|finding| finding.is_untried()).count();
    let kept = findings.len() - broken - untried;
    if output.wants_json() {
        let list: Vec<Value> = findings.iter().map(Finding::to_json).collect();
        let verdict = if broken == 0 { "holds" } else { "violated" };
        output.json_line(&json!({
            "url": url, "verdict": verdict, "kept": kept, "broken": broken, "not_tried": untried, "findings": list,
        }))?;
    } else {
        output.line(format_args!("\n{kept} kept, {broken} broken, {untried} not tried."))?;
        output.line("Not among them: that keys are kept for ever, and that every answer is flushed before it leaves.")?;
    }
    Ok(if broken == 0 { Exit::Done } else { Exit::Neither })
}

fn read_body(text: &str, flag: &str) -> anyhow::Result<Bytes> {
    let bytes = match text.strip_prefix('@') {
        Some(path) => std::fs::read(Path::new(path)).with_context(|| format!("{flag}: cannot read {path}"))?,
        None => text.as_bytes().to_vec(),
    };
    serde_json::from_slice::<Value>(&bytes)
        .with_context(|| format!("{flag} is no JSON; give a JSON value, or @ and a file's path"))?;
    Ok(bytes.into())
}

/// A name that no other attack has: participants keep their keys for ever.
fn run_name() -> String {
    format!("{:x}-{:x}", handfast_machine::clock::now_ms(), std::process::id())
}
