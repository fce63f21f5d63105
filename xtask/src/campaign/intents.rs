//! The campaign of `examples/intents`: every order ends, and what was paid is what was shipped.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result};
use serde_json::Value;

use super::books::audit;
use super::orders::{Plan, drive, folder, orders, road, write_flow};
use super::processes::Process;
use crate::clock::timed;

/// What came of it.
pub(super) struct Counted {
    orders: u32,
    completed: u64,
    cancelled: u64,
    charges: u64,
    refunds: u64,
    captures: u64,
    shipments: u64,
    disagreements: u64,
    took: Duration,
}

pub(super) fn heading(orders: u32, loss: &str) -> String {
    let mut text = String::from("# The campaign of `examples/intents`\n\n");
    // Writing to a text cannot go wrong.
    let _written = writeln!(
        text,
        "`cargo xtask campaign intents`: {orders} orders each, a request and its reply lost with probability {loss} each on the way \
         to payment and dispatch. In a run with kills one of the coordinator, both services and both roads is killed as by kill -9 \
         at a time, and started again. What is held is a charge in these books, and what is released a refund.\n\n\
         | seed | kills | ended | completed | cancelled | charges | refunds | captures | shipments | disagreements | right | took |\n\
         | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |"
    );
    text
}

impl Counted {
    /// Every order has ended; what was shipped was captured, and what was not shipped was given back.
    pub(super) fn is_right(&self) -> bool {
        self.completed + self.cancelled == u64::from(self.orders)
            && self.completed == self.shipments
            && self.completed == self.captures
            && self.charges.checked_sub(self.refunds) == Some(self.completed)
            && self.disagreements == 0
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
            self.charges,
            self.refunds,
            self.captures,
            self.shipments,
            self.disagreements,
            if self.is_right() { "yes" } else { "NO" },
            self.took.as_secs_f64(),
        )
    }
}

/// Runs it in a folder of its own.
///
/// # Errors
/// A process could not be run, or its books could not be read.
pub(super) fn run(binary: &Path, plan: &Plan<'_>) -> Result<Counted> {
    let folder = folder("intents", plan)?;
    let path = |name: &str| folder.join(name).display().to_string();
    let payment = Process::start(binary, &["payment", "--store", &path("payment.db")])?;
    let stock = format!("mug={},lamp=0", plan.orders);
    let dispatch = Process::start(binary, &["dispatch", "--store", &path("dispatch.db"), "--stock", &stock])?;
    let roads = [road(binary, plan, &payment.address)?, road(binary, plan, &dispatch.address)?];
    write_flow(&folder, "intents/flow.toml", ["http://127.0.0.1:4001", "http://127.0.0.1:4002"], &roads)?;
    fs::write(folder.join("orders.jsonl"), orders(plan.orders, ["tok_visa", "tok_declined"]))?;
    let [road_to_payment, road_to_dispatch] = roads;
    let mut processes = [payment, dispatch, road_to_payment, road_to_dispatch];
    let (ended, took) = timed(|| drive(binary, &folder, plan, &mut processes));
    let ends = ended?;
    let (completed, cancelled) = (ends.count("completed"), ends.count("cancelled"));
    let (paid, shipped) = (audit(&processes[0].address)?, audit(&processes[1].address)?);
    let number = |books: &Value, name: &str| books[name].as_u64().with_context(|| format!("the books have no {name}"));
    let counted = Counted {
        orders: plan.orders,
        completed,
        cancelled,
        charges: number(&paid, "charges")?,
        refunds: number(&paid, "refunds")?,
        captures: number(&paid, "captures")?,
        shipments: number(&shipped, "shipments")?,
        disagreements: number(&paid, "disagreements")? + number(&shipped, "disagreements")?,
        took,
    };
    drop(processes);
    if counted.is_right() {
        fs::remove_dir_all(&folder)?;
    }
    Ok(counted)
}
