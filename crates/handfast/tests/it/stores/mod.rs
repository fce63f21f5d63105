//! Every store answers alike, and a durable one keeps what it has acknowledged.

mod alike;
mod bodies;
mod counted;
mod differential;
mod files;
mod flaky;
mod full_disk;
mod gone;
mod racing;
mod time;
mod verified;

use std::future::Future;
use std::sync::Arc;

use bytes::Bytes;
use handfast::store::{Append, Digest, Entry, NewSaga, Try};
use handfast_protocol::Time;
use sha2::{Digest as _, Sha256};

/// Runs a future to its end on this thread.
fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

/// A digest that differs for every number.
pub(crate) fn digest(number: u64) -> Digest {
    let mut digest = Digest::default();
    digest.copy_from_slice(&Sha256::digest(number.to_le_bytes())[..8]);
    digest
}

pub(crate) fn entry(seq: u64, at: u64) -> Entry {
    Entry { seq, at: Time(at), input: r#"{"start":{}}"#.to_owned(), digest: digest(seq) }
}

/// The hash of a request's key.
pub(crate) fn key_hash(key: &str) -> Option<[u8; 32]> {
    Some(Sha256::digest(key).into())
}

/// A saga with one entry that is to be looked at at once.
pub(crate) fn saga(id: &str) -> NewSaga {
    let flow_text = r#"{"flow":"cards","steps":[]}"#;
    NewSaga {
        id: id.to_owned(),
        request_key_hash: None,
        flow_hash: Sha256::digest(flow_text).into(),
        flow_text: Arc::from(flow_text),
        version: 1,
        input: br#"{"amount":1}"#.to_vec(),
        bodies: vec![Bytes::from_static(br#"{"pay":1}"#), vec![0, 255, 44].into()],
        entries: vec![entry(1, 100)],
        wake_at: Some(Time(100)),
        standing: "acting",
    }
}

/// The entry with this number, after the one that [`entry`] makes for the number before.
pub(crate) fn append(id: &str, seq: u64) -> Append {
    Append {
        id: id.to_owned(),
        previous: digest(seq - 1),
        entry: entry(seq, 100 + seq),
        adoptions: 0,
        wake_at: Some(Time(200)),
        standing: "acting",
        seen: None,
    }
}

fn attempt(id: &str, number: u64) -> Try {
    let seen = format!("nothing, {number} times");
    Try { id: id.to_owned(), step: 1, operation: "act", number, sent: Time(number), ended: Time(number + 5), seen }
}
