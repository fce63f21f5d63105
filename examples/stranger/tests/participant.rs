//! The participant's store on the oldest `rusqlite` of our range: an effect and its undo, each once, and known after a restart.

use handfast_participant::{Body, Key, Registers, Request, Settings, payment};

async fn ask(registers: &Registers, key: &str, request: Request) -> String {
    let key: Key = key.parse().expect("a key");
    let reply = registers.receive(key, request, None).await.expect("a definite answer");
    format!("{reply:?}")
}

fn charge() -> Request {
    let body = Body::parse(br#"{"amount":{"minor":1999,"currency":"EUR"},"token":"tok_visa"}"#).expect("it is JSON");
    Request::Act { body, not_after: None }
}

#[tokio::test]
async fn the_participants_store_runs_on_the_oldest_rusqlite() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("payment.db");
    let registers = payment::open(&path, Settings::default()).expect("it opens");
    let first = ask(&registers, "k-1", charge()).await;
    assert!(first.contains("Done"), "{first}");
    assert!(ask(&registers, "k-1", charge()).await.contains("Done"), "a repetition is told the same");
    let undone = ask(&registers, "k-1", Request::Undo { body: None }).await;
    assert!(undone.contains("Undone"), "{undone}");
    registers.stop().await;
    drop(registers);
    let again = payment::open(&path, Settings::default()).expect("it opens again");
    let late = ask(&again, "k-1", charge()).await;
    assert!(late.contains("Undone"), "what was undone stays so: {late}");
    again.stop().await;
}
