//! `handfast conform`: attacks a participant and reports which promises of the contract it keeps.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use bytes::Bytes;
use handfast::flow::parse_duration;
use serde_json::{Value, json};

use crate::conform::{self, Finding, Target};
use crate::output::{Exit, OrExit as _, Output};

/// What the reference payment service accepts.
const DEFAULT_BODY: &str = r#"{"amount":{"minor":1,"currency":"EUR"},"token":"tok_conform"}"#;

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  handfast conform http://127.0.0.1:4001/charges
  handfast conform http://127.0.0.1:4001/charges --refused-body '{\"amount\":{\"minor\":1,\"currency\":\"EUR\"},\"token\":\"tok_declined\"}'
  handfast conform http://127.0.0.1:8080/bookings --body @booking.json --json

It acts for real, a few hundred times, with keys that begin with \"conform.\": let it loose on a test system.
Promises that take time, or the hands of an operator, are not among them: that keys and tombstones are kept
for ever, that an answer leaves only after its commit is flushed, and that both survive a crash.

With --json it prints one line:
  {\"url\",\"verdict\":\"holds\"|\"violated\",\"kept\":N,\"broken\":N,\"not_tried\":N,\"findings\":
   [{\"name\",\"promise\",\"hazard\",\"verdict\":\"kept\"|\"broken\"|\"not tried\",\"request\",\"expected\",\"got\",\"why\"}]}

Exit codes: 0 every promise that was tried is kept; 3 one is broken; 5 nobody answers.")]
pub(crate) struct Args {
    /// Where the participant has its keys: what a flow names as its url
    #[arg(value_name = "URL")]
    url: String,
    /// The body of an act that the participant accepts: JSON, or @FILE [default: one for `handfast payment`]
    #[arg(long, value_name = "JSON|@FILE")]
    body: Option<String>,
    /// The body of an act that it refuses, always; without one the promise about refusals is not tried
    #[arg(long, value_name = "JSON|@FILE")]
    refused_body: Option<String>,
    /// How long an answer may take
    #[arg(long, value_name = "DURATION", default_value = "5s", value_parser = parse_duration)]
    timeout: Duration,
}

/// Attacks, and prints what was found.
pub(crate) fn run(args: Args, output: &Output) -> anyhow::Result<Exit> {
    check_url(&args.url).or_exit(Exit::Usage)?;
    let body = read_body(args.body.as_deref().unwrap_or(DEFAULT_BODY), "--body").or_exit(Exit::Usage)?;
    let refused = args.refused_body.as_deref().map(|text| read_body(text, "--refused-body")).transpose().or_exit(Exit::Usage)?;
    let target = Target { base: &args.url, run: run_name(), timeout: args.timeout, body, refused };
    let mut findings: Vec<Finding> = Vec::new();
    let progress = output.progress(conform::promises() as u64);
    super::runtime()?.block_on(conform::attack(target, |finding| {
        progress.inc(1);
        let lines = finding.in_lines().join("\n");
        findings.push(finding);
        if output.wants_json() { Ok(()) } else { progress.suspend(|| output.line(lines)) }
    }))?;
    progress.finish_and_clear();
    conclude(&args.url, &findings, output)
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

fn check_url(url: &str) -> anyhow::Result<()> {
    let parsed: hyper::Uri = url.parse().map_err(|error| anyhow!("{url:?} is no URL: {error}"))?;
    match parsed.scheme_str() {
        Some("http") if parsed.authority().is_some() && parsed.query().is_none() => Ok(()),
        Some("https") => Err(anyhow!("{url:?}: the attack speaks plain http; start the participant's test system without TLS")),
        Some(_) | None => Err(anyhow!("{url:?} is no base URL; give one like http://127.0.0.1:4001/charges")),
    }
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
    format!("{:x}-{:x}", crate::clock::now_ms(), std::process::id())
}
