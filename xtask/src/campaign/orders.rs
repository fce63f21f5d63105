//! The orders of a campaign, the roads to the services, and the coordinator that is killed on the way.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use super::processes::Process;
use crate::workspace;

/// What a service that wants a key is given. None of them looks at more than how it begins.
pub(super) const KEY: &str = "sk_test_campaign";

/// Between two kills.
const PAUSE: Duration = Duration::from_millis(1_500);

/// One run.
pub(super) struct Plan<'a> {
    pub(super) orders: u32,
    pub(super) seed: u64,
    pub(super) loss: &'a str,
    pub(super) kills: u32,
}

/// A road that loses as much as the plan says.
///
/// # Errors
/// It could not be started.
pub(super) fn road(binary: &Path, plan: &Plan<'_>, to: &str) -> Result<Process> {
    let seed = plan.seed.to_string();
    let hazards = ["--capture", plan.loss, "--delay", "0ms..5ms", "--hold", "150ms", "--seed", &seed];
    Process::start(binary, &[&["messenger", "--to", to][..], &hazards].concat())
}

/// The folder of one run, which is left where something went wrong.
///
/// # Errors
/// It could not be made.
pub(super) fn folder(campaign: &str, plan: &Plan<'_>) -> Result<PathBuf> {
    let name = format!("target/campaign/{campaign}-{}-{}-{}", std::process::id(), plan.seed, plan.kills);
    let folder = workspace::root().join(name);
    fs::create_dir_all(&folder)?;
    Ok(folder)
}

/// Writes a flow of the examples there, which calls its two services over these roads.
///
/// # Errors
/// It could not be read or written.
pub(super) fn write_flow(folder: &Path, flow: &str, services: [&str; 2], roads: &[Process; 2]) -> Result<()> {
    let text = fs::read_to_string(workspace::root().join("examples").join(flow))?;
    let over_road = |text: String, (service, road): (&str, &Process)| text.replace(service, &road.address);
    fs::write(folder.join("flow.toml"), services.into_iter().zip(roads).fold(text, over_road))?;
    Ok(())
}

/// How the orders have ended, by their ids.
pub(super) struct Ends(BTreeMap<String, String>);

impl Ends {
    /// So many have ended so.
    pub(super) fn count(&self, outcome: &str) -> u64 {
        self.0.values().filter(|ended| *ended == outcome).count() as u64
    }

    /// Whether this one has.
    pub(super) fn is(&self, id: &str, outcome: &str) -> bool {
        self.0.get(id).is_some_and(|ended| ended == outcome)
    }
}

/// The amount of an order, in minor units of its currency: each has one of its own.
pub(super) fn amount(at: u32) -> u32 {
    1000 + at
}

/// The id of an order.
pub(super) fn id(at: u32) -> String {
    format!("order-{at}")
}

/// Every seventh card is declined, and every eleventh order wants what is not there.
pub(super) fn orders(number: u32, [accepted, declined]: [&str; 2]) -> String {
    let mut text = String::new();
    for at in 1..=number {
        let token = if at % 7 == 0 { declined } else { accepted };
        let sku = if at % 11 == 0 { "lamp" } else { "mug" };
        let order = json!({
            "id": id(at), "amount": { "minor": amount(at), "currency": "EUR" }, "token": token,
            "lines": [{ "sku": sku, "quantity": 1 }],
        });
        text.push_str(&order.to_string());
        text.push('\n');
    }
    text
}

/// Drives every order to its end, with as many kills on the way as are planned. Says how each ended.
///
/// # Errors
/// It could not be started, or what it said is no result.
pub(super) fn drive(binary: &Path, folder: &Path, plan: &Plan<'_>, processes: &mut [Process]) -> Result<Ends> {
    let command = || {
        let mut command = Command::new(binary);
        command.current_dir(folder).env("STRIPE_KEY", KEY).args([
            "run",
            "--flow",
            "flow.toml",
            "--store",
            "sqlite:sagas.db",
            "--retry-cap",
            "1s",
        ]);
        command.args(["--accept-risk", "second-id", "--quiet", "orders.jsonl"]).stdin(Stdio::null()).stderr(Stdio::null());
        command
    };
    let mut left = plan.kills;
    while left > 0 {
        let mut coordinator = command().stdout(Stdio::null()).spawn()?;
        // One life of the coordinator, in which each of the others is killed once.
        for process in processes.iter_mut() {
            sleep(PAUSE);
            if left == 0 || coordinator.try_wait()?.is_some() {
                break;
            }
            process.kill_and_restart()?;
            left -= 1;
        }
        coordinator.kill()?;
        coordinator.wait()?;
        left = left.saturating_sub(1);
    }
    // Those that ended in a former life are told again.
    let output = command().output()?;
    let mut ends = BTreeMap::new();
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        let told: Value = serde_json::from_str(line).context("a result is not JSON")?;
        let outcome = told["outcome"].as_str().unwrap_or("none").to_owned();
        ends.insert(told["id"].as_str().context("a result has no id")?.to_owned(), outcome);
    }
    Ok(Ends(ends))
}
