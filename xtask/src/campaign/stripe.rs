//! The campaign of `examples/stripe`: its flow against localstripe from its package, counted from the intents that it lists.

use std::fmt::Write as _;
use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use anyhow::{Context as _, Result};
use serde_json::Value;

use super::books::{self, audit};
use super::orders::{KEY, Plan, amount, drive, folder, id, orders, road, write_flow};
use super::processes::Process;
use crate::clock::timed;

/// A card that is accepted, and one that is declined when it is charged.
const CARDS: [&str; 2] = ["4242424242424242", "4000000000000341"];

/// What came of it.
pub(super) struct Counted {
    orders: u32,
    completed: u64,
    cancelled: u64,
    intents: u64,
    held: u64,
    captured: u64,
    /// So many orders have just what they should have: their own amount captured once where they completed, and nothing otherwise.
    agreeing: u64,
    shipments: u64,
    took: Duration,
}

/// localstripe. Killed when it goes out of scope.
struct Localstripe {
    child: Child,
    address: String,
}

impl Localstripe {
    fn start(program: &Path, folder: &Path) -> Result<Self> {
        // Whoever asks for a free port has to let go of it first.
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let mut command = Command::new(program);
        command.current_dir(folder).args(["--from-scratch", "--port", &port.to_string()]).stdin(Stdio::null());
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let child = child.with_context(|| format!("{} cannot be started; pip install localstripe", program.display()))?;
        let started = Self { child, address: format!("http://127.0.0.1:{port}") };
        for _ in 0..600 {
            if TcpStream::connect(("127.0.0.1", port)).is_ok() {
                return Ok(started);
            }
            sleep(Duration::from_millis(100));
        }
        anyhow::bail!("localstripe does not listen on port {port} within a minute")
    }

    /// A card as a payment method, by its id.
    fn payment_method(&self, number: &str) -> Result<String> {
        let form = format!("type=card&card[number]={number}&card[exp_month]=12&card[exp_year]=2040&card[cvc]=123");
        let made = books::ask(&self.address, "POST", "/v1/payment_methods", Some(KEY), &form)?;
        Ok(made["id"].as_str().context("a payment method has no id")?.to_owned())
    }

    /// All intents that there are.
    fn intents(&self) -> Result<Vec<Value>> {
        let listed = books::ask(&self.address, "GET", "/v1/payment_intents?limit=1000000", Some(KEY), "")?;
        listed["data"].as_array().cloned().context("it lists no intents")
    }
}

/// So many intents stand so.
fn standing(intents: &[Value], status: &str) -> u64 {
    intents.iter().filter(|intent| intent["status"] == status).count() as u64
}

/// What was taken for an order, in minor units: of each intent that succeeded, what its charge captured.
fn taken(intents: &[Value], id: &str) -> Vec<(u64, String)> {
    let of_order = intents.iter().filter(|intent| intent["metadata"]["order"] == id && intent["status"] == "succeeded");
    let amount = |intent: &Value| {
        let charge = &intent["latest_charge"];
        let captured = charge["amount"].as_u64().filter(|_| charge["captured"] == true).unwrap_or(0);
        captured.saturating_sub(charge["amount_refunded"].as_u64().unwrap_or(0))
    };
    let currency = |intent: &Value| intent["currency"].as_str().unwrap_or_default().to_owned();
    of_order.map(|intent| (amount(intent), currency(intent))).collect()
}

impl Drop for Localstripe {
    fn drop(&mut self) {
        // It may be gone already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

pub(super) fn heading(orders: u32, loss: &str) -> String {
    let mut text = String::from("# The campaign of `examples/stripe`\n\n");
    // Writing to a text cannot go wrong.
    let _written = writeln!(
        text,
        "`cargo xtask campaign stripe`: {orders} orders each of [localstripe.toml](localstripe.toml) against `localstripe` 1.15.10 from PyPI, \
         which ignores keys and answers every repetition with a bare 400; a request and its reply lost with probability {loss} each on the way to it and to dispatch. \
         In a run with kills one of the coordinator, dispatch and both roads is killed as by kill -9 at a time, and started again. \
         Held and captured are what localstripe itself lists at the end, and agreeing are the orders of which it has taken their own amount, once, where they completed, and nothing where they were cancelled (each order has an amount of its own); what was created twice and never confirmed is an intent more, and hurts nobody.\n\n\
         | seed | kills | ended | completed | cancelled | intents | held | captured | agreeing | shipments | right | took |\n\
         | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |"
    );
    text
}

impl Counted {
    /// Every order has ended; what was shipped was captured, and nothing is held any more.
    pub(super) fn is_right(&self) -> bool {
        self.completed + self.cancelled == u64::from(self.orders)
            && self.completed == self.shipments
            && self.completed == self.captured
            && self.agreeing == u64::from(self.orders)
            && self.held == 0
    }

    pub(super) fn row(&self, plan: &Plan<'_>) -> String {
        format!(
            "| {} | {} | {} of {} | {} | {} | {} | {} | {} | {} | {} | {} | {:.0} s |",
            plan.seed,
            plan.kills,
            self.completed + self.cancelled,
            self.orders,
            self.completed,
            self.cancelled,
            self.intents,
            self.held,
            self.captured,
            self.agreeing,
            self.shipments,
            if self.is_right() { "yes" } else { "NO" },
            self.took.as_secs_f64(),
        )
    }
}

/// Runs it in a folder of its own.
///
/// # Errors
/// A process could not be run, or its books could not be read.
pub(super) fn run(binary: &Path, program: &Path, plan: &Plan<'_>) -> Result<Counted> {
    let folder = folder("stripe", plan)?;
    let stripe = Localstripe::start(program, &folder)?;
    let stock = format!("mug={},lamp=0", plan.orders);
    let store = folder.join("dispatch.db").display().to_string();
    let dispatch = Process::start(binary, &["dispatch", "--store", &store, "--stock", &stock])?;
    let roads = [road(binary, plan, &stripe.address)?, road(binary, plan, &dispatch.address)?];
    write_flow(&folder, "stripe/localstripe.toml", ["http://127.0.0.1:8420", "http://127.0.0.1:4002"], &roads)?;
    let [accepted, declined] = [stripe.payment_method(CARDS[0])?, stripe.payment_method(CARDS[1])?];
    fs::write(folder.join("orders.jsonl"), orders(plan.orders, [&accepted, &declined]))?;
    let [road_to_stripe, road_to_dispatch] = roads;
    let mut processes = [dispatch, road_to_stripe, road_to_dispatch];
    let (ended, took) = timed(|| drive(binary, &folder, plan, &mut processes));
    let ends = ended?;
    let intents = stripe.intents()?;
    let (held, captured) = (standing(&intents, "requires_capture"), standing(&intents, "succeeded"));
    let agrees = |at: &u32| {
        let (id, taken) = (id(*at), taken(&intents, &id(*at)));
        let own = (u64::from(amount(*at)), "eur".to_owned());
        if ends.is(&id, "completed") { taken == [own] } else { ends.is(&id, "cancelled") && taken.is_empty() }
    };
    let agreeing = (1..=plan.orders).filter(agrees).count() as u64;
    let (completed, cancelled) = (ends.count("completed"), ends.count("cancelled"));
    let shipments = audit(&processes[0].address)?["shipments"].as_u64().context("the books have no shipments")?;
    let intents = intents.len() as u64;
    let counted = Counted { orders: plan.orders, completed, cancelled, intents, held, captured, agreeing, shipments, took };
    drop(processes);
    if counted.is_right() {
        fs::remove_dir_all(&folder)?;
    }
    Ok(counted)
}
