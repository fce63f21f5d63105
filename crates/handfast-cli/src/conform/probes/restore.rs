//! A store that was restored from an older copy has forgotten something, and must not go on as if it had not.

use handfast_protocol::{Definite, Operation};

use super::super::caller::{Broken, Caller, Extra, Said};
use super::{Probe, attack};

pub(super) const PROBES: &[Probe] = &[
    Probe {
        name: "behind-does-nothing",
        promise: "a store that has not come as far as the caller has seen answers 412 behind, and does nothing",
        hazard: "a database restored from a backup charges a second time what it has forgotten",
        attack: attack!(behind_does_nothing),
    },
    Probe {
        name: "changes-are-numbered",
        promise: "every change raises the store's number, and the incarnation stays the same",
        hazard: "nobody notices that the store was restored",
        attack: attack!(changes_are_numbered),
    },
];

async fn behind_does_nothing(caller: &Caller) -> Result<(), Broken> {
    let acted = caller.act(&caller.key(), &caller.body).await;
    acted.is(Definite::Done)?;
    let incarnation = acted.body["incarnation"].as_str().unwrap_or_default().to_owned();
    let seq = acted.seq().unwrap_or_default();
    let ahead = format!("{incarnation}:{}", seq.saturating_add(1_000_000_000));
    for seen in [ahead, format!("another-life:{seq}")] {
        let key = caller.key();
        let extra = Extra { seen: Some(seen), ..Extra::default() };
        for operation in [Operation::Act, Operation::Close, Operation::Undo] {
            let answer = caller.ask(operation, &key, &caller.body, &extra).await;
            answer.holds(answer.said == Said::Behind, "412 with a body that says behind")?;
        }
        let after = caller.peek(&key, &Extra::default()).await;
        after.holds(after.said == Said::Absent, "absent, since nothing may have been done")?;
    }
    let current = Extra { seen: Some(format!("{incarnation}:{seq}")), ..Extra::default() };
    caller.ask(Operation::Act, &caller.key(), &caller.body, &current).await.is(Definite::Done)
}

async fn changes_are_numbered(caller: &Caller) -> Result<(), Broken> {
    let first = caller.act(&caller.key(), &caller.body).await;
    first.is(Definite::Done)?;
    let second = caller.close(&caller.key()).await;
    second.is(Definite::Closed)?;
    second.holds(second.seq() > first.seq(), format!("a seq above {}", first.body["seq"]))?;
    second.holds(second.body["incarnation"] == first.body["incarnation"], format!("incarnation {}", first.body["incarnation"]))
}
