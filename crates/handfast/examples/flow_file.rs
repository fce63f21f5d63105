//! A flow file and a participant of this program: seats of a theatre are held here, and the ticket is printed by somebody else.
//!
//! `cargo run -p handfast --example flow_file`
//!
//! What a participant has to promise is in its register ([`handfast::Register`]): here [`InMemory`] keeps it, beside the seats.

use std::collections::BTreeSet;
use std::error::Error;
use std::fmt::Write;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use handfast::flow_file::FlowFile;
use handfast::participant::InMemory;
use handfast::store::MemoryStore;
use handfast::testing::{Road, Scripted};
use handfast::{Effect, Engine, Options};
use serde_json::Value;

const FLOW: &str = r#"
name = "theatre"

[input]
seat = "integer"
guest = "text"

[[step]]
name = "seat"
kind = "compensatable"
participant = "inproc"
send = ["seat"]

[[step]]
name = "ticket"
kind = "pivot"
participant = "inproc"
send = ["seat", "guest"]
"#;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    print!("{}", report().await?);
    Ok(())
}

/// Holds a seat while it is free, and gives it back.
fn seats(taken: Arc<Mutex<BTreeSet<u64>>>) -> InMemory {
    InMemory::new(move |effect, body| {
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        let Some(seat) = body["seat"].as_u64() else { return false };
        let mut taken = taken.lock().unwrap_or_else(PoisonError::into_inner);
        match effect {
            Effect::Act => taken.insert(seat),
            Effect::Undo => taken.remove(&seat),
        }
    })
}

pub(crate) async fn report() -> Result<String, Box<dyn Error>> {
    let file = FlowFile::parse("theatre.toml", FLOW)?;
    file.check_participants(&["seat", "ticket"])?;
    let taken = Arc::new(Mutex::new(BTreeSet::new()));
    let printer = InMemory::new(|_, body| !body.windows(5).any(|word| word == b"Eve's"));
    let printer = Arc::new(Scripted::over(printer));
    // The first ticket is printed, and nobody hears of it.
    printer.at(1, Road::AnswerLost);
    let engine = Engine::builder(Arc::new(MemoryStore::new()))
        .flow(file.flow::<&str>(&[])?)
        .participant("seat", seats(Arc::clone(&taken)))
        .shared_participant("ticket", printer.clone())
        .options(Options::default().with_retry_cap(Duration::from_millis(20)))
        .open()
        .await?;
    let mut report = String::new();
    for (id, seat, guest) in [("order-1", 7, "Ada"), ("order-2", 7, "Ben"), ("order-3", 8, "Eve's dog"), ("order-4", 8, "Dan")] {
        // The file says what an order is, and which step is sent what of it.
        let order = file.parse_order(format!(r#"{{"id":"{id}","seat":{seat},"guest":"{guest}"}}"#).as_bytes())?;
        let outcome = engine.submit(order).await?.outcome().await?;
        writeln!(report, "{id}: seat {seat} for {guest}: {}", outcome.name())?;
    }
    let taken = taken.lock().unwrap_or_else(PoisonError::into_inner);
    writeln!(report, "taken: {taken:?}; the printer was asked {} times", printer.requests().len())?;
    Ok(report)
}
