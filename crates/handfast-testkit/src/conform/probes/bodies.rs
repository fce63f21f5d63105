//! Whose effect a key stands for: another body under the same key is somebody else's.

use bytes::Bytes;
use handfast_protocol::{Definite, Operation};

use super::super::caller::{Broken, Caller, Extra, hash};
use super::{Probe, attack};

pub(super) const PROBES: &[Probe] = &[
    Probe {
        name: "another-body-is-refused",
        promise: "an act with other bytes on a key that is done is answered 422, and changes nothing",
        hazard: "two orders share a key, and one of them is never charged",
        attack: attack!(another_body_is_refused),
    },
    Probe {
        name: "another-body-is-not-undone",
        promise: "a close or an undo that names another body is answered 422, and changes nothing",
        hazard: "an order that gives up takes back somebody else's charge",
        attack: attack!(another_body_is_not_undone),
    },
];

async fn another_body_is_refused(caller: &Caller) -> Result<(), Broken> {
    let key = caller.key();
    let first = caller.act(&key, &caller.body).await;
    first.is(Definite::Done)?;
    caller.act(&key, &caller.other_body()).await.is_other_body()?;
    let again = caller.act(&key, &caller.body).await;
    again.is(Definite::Done)?;
    again.is_same_receipt(&first)
}

async fn another_body_is_not_undone(caller: &Caller) -> Result<(), Broken> {
    let key = caller.key();
    let first = caller.act(&key, &caller.body).await;
    first.is(Definite::Done)?;
    let other: Bytes = caller.other_body();
    let extra = Extra { body_hash: Some(hash(&other)), ..Extra::default() };
    for operation in [Operation::Close, Operation::Undo] {
        caller.ask(operation, &key, &other, &extra).await.is_other_body()?;
    }
    let again = caller.act(&key, &caller.body).await;
    again.is(Definite::Done)?;
    again.is_same_receipt(&first)
}
