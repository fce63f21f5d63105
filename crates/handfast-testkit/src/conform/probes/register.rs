//! The register itself: what each operation makes of a key, and that it stays so.

use handfast_protocol::{Definite, Operation};

use super::super::caller::{Broken, Caller, Extra, Said};
use super::{Probe, Verdict, attack};

pub(super) const PROBES: &[Probe] = &[
    Probe {
        name: "act-is-done",
        promise: "an act on an absent key is done, and its receipt names the key, the body, the change and the store",
        hazard: "what is no receipt proves nothing, and the saga stays in doubt for ever",
        attack: attack!(act_is_done),
    },
    Probe {
        name: "act-is-idempotent",
        promise: "an act on a key that is done does nothing, and gives the first receipt again",
        hazard: "every retry charges once more",
        attack: attack!(act_is_idempotent),
    },
    Probe {
        name: "peek-changes-nothing",
        promise: "a peek at an absent key says absent, and leaves it so",
        hazard: "whoever looks at a key takes part in its fate",
        attack: attack!(peek_changes_nothing),
    },
    Probe {
        name: "close-leaves-a-tombstone",
        promise: "closing an absent key closes it for good: a later act is answered 410",
        hazard: "not found is taken for not done, and the charge arrives after the order was cancelled",
        attack: attack!(close_leaves_a_tombstone),
    },
    Probe {
        name: "undo-leaves-a-tombstone",
        promise: "undoing an absent key closes it for good: a later act is answered 410",
        hazard: "the refund overtakes the charge, finds nothing, and the charge stays",
        attack: attack!(undo_leaves_a_tombstone),
    },
    Probe {
        name: "close-tells-what-was-done",
        promise: "closing a key that is done changes nothing, and says done",
        hazard: "a charge that went through is taken for one that never will",
        attack: attack!(close_tells_what_was_done),
    },
    Probe {
        name: "undo-is-for-good",
        promise: "an undo says undone, every time; or done, every time, where it cannot be undone",
        hazard: "a repeated refund is paid twice, or what was refunded counts as paid",
        attack: attack!(undo_is_for_good),
    },
    Probe {
        name: "late-act-is-told",
        promise: "an act on a closed or undone key is answered 410, whatever its body",
        hazard: "a late retry of a refunded charge is taken for a success, and the goods are shipped unpaid",
        attack: attack!(late_act_is_told),
    },
    Probe {
        name: "refusal-is-sticky",
        promise: "a refused key stays refused, also when it is closed or undone",
        hazard: "a declined card that is tried again succeeds after the order was given up",
        attack: |caller| Box::pin(refusal_is_sticky(caller)),
    },
    Probe {
        name: "close-after-refusal-holds",
        promise: "closing or undoing a key that was refused says refused, and no later act is done; or it says closed, and means it",
        hazard: "a participant that accepts what it has refused is asked to close the key, and a copy on the road still charges",
        attack: |caller| Box::pin(close_after_refusal_holds(caller)),
    },
];

async fn act_is_done(caller: &Caller) -> Result<(), Broken> {
    let key = caller.key();
    let acted = caller.act(&key, &caller.body).await;
    acted.is(Definite::Done)?;
    acted.holds(acted.body["at"].is_u64(), "the time of the change, in milliseconds, as \"at\"")?;
    let seen = caller.peek(&key, &Extra::default()).await;
    seen.is(Definite::Done)?;
    seen.is_same_receipt(&acted)
}

async fn act_is_idempotent(caller: &Caller) -> Result<(), Broken> {
    let key = caller.key();
    let first = caller.act(&key, &caller.body).await;
    first.is(Definite::Done)?;
    for _ in 0..3 {
        let again = caller.act(&key, &caller.body).await;
        again.is(Definite::Done)?;
        again.is_same_receipt(&first)?;
    }
    Ok(())
}

async fn peek_changes_nothing(caller: &Caller) -> Result<(), Broken> {
    let key = caller.key();
    for _ in 0..2 {
        let seen = caller.peek(&key, &Extra::default()).await;
        seen.holds(seen.said == Said::Absent, "404 with a body that says absent")?;
    }
    caller.act(&key, &caller.body).await.is(Definite::Done)
}

async fn close_leaves_a_tombstone(caller: &Caller) -> Result<(), Broken> {
    let key = caller.key();
    caller.close(&key).await.is(Definite::Closed)?;
    caller.act(&key, &caller.body).await.is(Definite::Closed)?;
    caller.undo(&key).await.is(Definite::Closed)?;
    caller.act(&key, &caller.body).await.is(Definite::Closed)?;
    caller.peek(&key, &Extra::default()).await.is(Definite::Closed)
}

async fn undo_leaves_a_tombstone(caller: &Caller) -> Result<(), Broken> {
    let key = caller.key();
    caller.undo(&key).await.is(Definite::Closed)?;
    caller.act(&key, &caller.body).await.is(Definite::Closed)?;
    caller.close(&key).await.is(Definite::Closed)
}

async fn close_tells_what_was_done(caller: &Caller) -> Result<(), Broken> {
    let key = caller.key();
    let acted = caller.act(&key, &caller.body).await;
    acted.is(Definite::Done)?;
    for _ in 0..2 {
        let closed = caller.close(&key).await;
        closed.is(Definite::Done)?;
        closed.is_same_receipt(&acted)?;
    }
    caller.act(&key, &caller.body).await.is(Definite::Done)
}

async fn undo_is_for_good(caller: &Caller) -> Result<(), Broken> {
    let key = caller.key();
    caller.act(&key, &caller.body).await.is(Definite::Done)?;
    let first = caller.undo(&key).await;
    let irrevocable = first.said == Said::State(Definite::Done);
    first.holds(irrevocable || first.said == Said::State(Definite::Undone), "a receipt that says undone, or done for good")?;
    let state = if irrevocable { Definite::Done } else { Definite::Undone };
    let again = caller.undo(&key).await;
    again.is(state)?;
    again.is_same_receipt(&first)?;
    caller.close(&key).await.is(state)
}

async fn late_act_is_told(caller: &Caller) -> Result<(), Broken> {
    let closed = caller.key();
    caller.close(&closed).await.is(Definite::Closed)?;
    let undone = caller.key();
    caller.act(&undone, &caller.body).await.is(Definite::Done)?;
    let state = match caller.undo(&undone).await.said {
        Said::State(Definite::Undone) => Definite::Undone,
        Said::State(_) | Said::OtherBody | Said::Behind | Said::Absent | Said::Nothing(_) => Definite::Done,
    };
    caller.act(&undone, &caller.body).await.is(state)?;
    let late = caller.ask(Operation::Act, &closed, &caller.other_body(), &Extra::default()).await;
    late.is(Definite::Closed)?;
    if state == Definite::Undone {
        caller.ask(Operation::Act, &undone, &caller.other_body(), &Extra::default()).await.is(Definite::Undone)?;
    }
    Ok(())
}

const NOTHING_REFUSED: &str = "give --refused-body a body that the participant refuses";

/// Whoever may accept what it has refused answers *closed* to a close, and whoever says *refused* to it never accepts any more.
async fn close_after_refusal_holds(caller: &Caller) -> Verdict {
    let Some(refused) = &caller.refused else { return Verdict::NotTried(NOTHING_REFUSED) };
    let attack = async {
        for ends in [Operation::Close, Operation::Undo] {
            let key = caller.key();
            let ask = async |operation| caller.ask(operation, &key, refused, &Extra::default()).await;
            ask(Operation::Act).await.is(Definite::Refused)?;
            let ended = ask(ends).await;
            let is_closed = ended.said == Said::State(Definite::Closed);
            ended.holds(
                is_closed || ended.said == Said::State(Definite::Refused),
                "a receipt that says closed, or refused for good",
            )?;
            let state = if is_closed { Definite::Closed } else { Definite::Refused };
            // The first act after it may be refused, too; what was on the road comes more than once.
            for operation in [Operation::Act, Operation::Act, ends, Operation::Act] {
                let late = ask(operation).await;
                late.is(state)?;
                late.is_same_receipt(&ended)?;
            }
        }
        Ok(())
    };
    attack.await.into()
}

async fn refusal_is_sticky(caller: &Caller) -> Verdict {
    let Some(refused) = &caller.refused else { return Verdict::NotTried(NOTHING_REFUSED) };
    let attack = async {
        let key = caller.key();
        let ask = async |operation| caller.ask(operation, &key, refused, &Extra::default()).await;
        let first = ask(Operation::Act).await;
        first.is(Definite::Refused)?;
        for operation in [Operation::Act, Operation::Close, Operation::Undo, Operation::Act] {
            let again = ask(operation).await;
            again.is(Definite::Refused)?;
            again.is_same_receipt(&first)?;
        }
        caller.ask(Operation::Act, &key, &caller.body, &Extra::default()).await.is_other_body()
    };
    attack.await.into()
}
