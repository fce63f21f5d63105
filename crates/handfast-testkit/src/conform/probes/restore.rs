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
    Probe {
        name: "changes-are-marked",
        promise: "every change draws a mark, which its receipt keeps, and a store confirms both changes of a key",
        hazard: "a restored store cannot be told from the one before, once somebody else has lifted its number",
        attack: attack!(changes_are_marked),
    },
    Probe {
        name: "another-history-is-behind",
        promise: "a store that cannot confirm a change by key, number and mark answers 412 behind, and does nothing",
        hazard: "a restored database whose number was lifted again charges a second time what it has forgotten",
        attack: attack!(another_history_is_behind),
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

async fn changes_are_marked(caller: &Caller) -> Result<(), Broken> {
    let key = caller.key();
    let done = caller.act(&key, &caller.body).await;
    done.is(Definite::Done)?;
    let mark = done.body["mark"].as_str().unwrap_or_default();
    let plain = mark.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._~-".contains(&byte));
    done.holds(plain && (1..=64).contains(&mark.len()), "a mark of 1 to 64 letters, digits, '.', '_', '~' and '-'")?;
    let again = caller.act(&key, &caller.body).await;
    again.holds(again.body["mark"] == done.body["mark"], format!("the mark of its change, {mark}"))?;
    let undone = caller.undo(&key).await;
    let changed = undone.seq() != done.seq();
    undone.holds(changed == (undone.body["mark"] != done.body["mark"]), "a mark of its own for every change, and no other")?;
    // An honest undo takes nothing away from what was seen before it.
    for receipt in [&done, &undone] {
        let (seen, changes) = receipt.as_seen();
        let extra = Extra { seen: Some(seen), seen_changes: Some(changes), ..Extra::default() };
        caller.ask(Operation::Act, &caller.key(), &caller.body, &extra).await.is(Definite::Done)?;
    }
    Ok(())
}

async fn another_history_is_behind(caller: &Caller) -> Result<(), Broken> {
    let acted = caller.act(&caller.key(), &caller.body).await;
    acted.is(Definite::Done)?;
    let (seen, changes) = acted.as_seen();
    let number = acted.seq().unwrap_or_default();
    let (key, mark) = (acted.body["key"].as_str().unwrap_or_default(), acted.body["mark"].as_str().unwrap_or_default());
    let others = [
        format!("{key}:{number}:another-mark"),
        format!("{key}:{}:{mark}", number.saturating_add(1)),
        format!("{}:{number}:{mark}", caller.key()),
        format!("{changes},{key}:{number}:another-mark"),
    ];
    for other in others {
        let key = caller.key();
        let extra = Extra { seen: Some(seen.clone()), seen_changes: Some(other), ..Extra::default() };
        for operation in [Operation::Act, Operation::Close, Operation::Undo] {
            let answer = caller.ask(operation, &key, &caller.body, &extra).await;
            answer.holds(answer.said == Said::Behind, "412 with a body that says behind")?;
        }
        let after = caller.peek(&key, &Extra::default()).await;
        after.holds(after.said == Said::Absent, "absent, since nothing may have been done")?;
    }
    Ok(())
}
