//! What happens at the same time, or without its answer: one register is one place.

use std::sync::Arc;

use anyhow::Context as _;
use handfast_protocol::{Definite, Operation};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use super::super::caller::{Broken, Caller, Exchange, Extra, Said};
use super::{Probe, attack};

/// How many requests run side by side.
const CROWD: usize = 16;
/// How many keys each race is run on.
const HEATS: usize = 12;

pub(super) const PROBES: &[Probe] = &[
    Probe {
        name: "acts-side-by-side",
        promise: "of many acts on one key at once one is carried out, and all give its receipt",
        hazard: "two workers charge the same order twice",
        attack: attack!(acts_side_by_side),
    },
    Probe {
        name: "two-bodies-side-by-side",
        promise: "of two bodies that race for one key one wins, and every other is answered 422",
        hazard: "one key stands for two charges",
        attack: attack!(two_bodies_side_by_side),
    },
    Probe {
        name: "act-races-close",
        promise: "when an act and a close race, both answers and every later one agree on who was first",
        hazard: "the order is told that the key is closed, and the charge went through",
        attack: attack!(act_races_close),
    },
    Probe {
        name: "undo-races-act",
        promise: "when an undo overtakes an act, the act is answered 410; when it comes second, the act is undone",
        hazard: "the refund found nothing to refund, and the charge follows it",
        attack: attack!(undo_races_act),
    },
    Probe {
        name: "lost-reply",
        promise: "an act whose caller left before the answer is done once, and a retry gives its receipt",
        hazard: "a reply that is lost turns one charge into two, or into none",
        attack: attack!(lost_reply),
    },
];

/// Runs all of these at once, and waits for every one.
async fn together(asked: impl Iterator<Item = impl Future<Output = Exchange>>) -> Vec<Exchange> {
    let mut waiting: Vec<_> = asked.map(Box::pin).collect();
    let mut answers: Vec<Option<Exchange>> = waiting.iter().map(|_| None).collect();
    std::future::poll_fn(|context| {
        for (future, answer) in waiting.iter_mut().zip(&mut answers) {
            if answer.is_none()
                && let std::task::Poll::Ready(exchange) = future.as_mut().poll(context)
            {
                *answer = Some(exchange);
            }
        }
        if answers.iter().all(Option::is_some) { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
    answers.into_iter().flatten().collect()
}

async fn acts_side_by_side(caller: &Caller) -> Result<(), Broken> {
    for _ in 0..HEATS {
        let key = caller.key();
        let answers = together((0..CROWD).map(|_| caller.act(&key, &caller.body))).await;
        for answer in &answers {
            answer.is(Definite::Done)?;
            answer.is_same_receipt(&answers[0])?;
        }
    }
    Ok(())
}

async fn two_bodies_side_by_side(caller: &Caller) -> Result<(), Broken> {
    let bodies = [caller.body.clone(), caller.other_body()];
    for _ in 0..HEATS {
        let key = caller.key();
        let answers = together((0..CROWD).map(|number| caller.act(&key, &bodies[number % 2]))).await;
        let done = |body: usize| answers.iter().skip(body).step_by(2).filter(|answer| answer.said == Said::State(Definite::Done));
        let winner = usize::from(done(0).count() == 0);
        for (number, answer) in answers.iter().enumerate() {
            if number % 2 == winner { answer.is(Definite::Done)? } else { answer.is_other_body()? }
        }
    }
    Ok(())
}

async fn act_races_close(caller: &Caller) -> Result<(), Broken> {
    race(caller, Operation::Close, &[Definite::Done, Definite::Closed]).await
}

async fn undo_races_act(caller: &Caller) -> Result<(), Broken> {
    race(caller, Operation::Undo, &[Definite::Undone, Definite::Closed, Definite::Done]).await
}

/// Lets an act and another operation race, with either a little ahead, and compares what both say with what holds later.
async fn race(caller: &Caller, other: Operation, ends: &[Definite]) -> Result<(), Broken> {
    for heat in 0..HEATS {
        let key = caller.key();
        let order = if heat % 2 == 0 { [Operation::Act, other] } else { [other, Operation::Act] };
        let none = Extra::default();
        let answers = together(order.iter().map(|&operation| caller.ask(operation, &key, &caller.body, &none))).await;
        let after = caller.peek(&key, &none).await;
        let Said::State(end) = after.said else {
            return after.holds(false, "how the key stands after both were answered");
        };
        after.holds(ends.contains(&end), "an end that one of the two brought about")?;
        for (operation, answer) in order.into_iter().zip(&answers) {
            // An act that was done and then undone says either, by who was first; what was closed never was done.
            let before_the_undo =
                operation == Operation::Act && end == Definite::Undone && answer.said == Said::State(Definite::Done);
            answer.holds(before_the_undo || answer.said == Said::State(end), format!("{}, as the key stands now", end.name()))?;
        }
        caller.ask(other, &key, &caller.body, &none).await.is(end)?;
    }
    Ok(())
}

async fn lost_reply(caller: &Caller) -> Result<(), Broken> {
    for _ in 0..HEATS {
        let key = caller.key();
        let left = leave_before_the_answer(caller, &key).await;
        let again = caller.act(&key, &caller.body).await;
        again.holds(
            left.is_ok(),
            format!("a connection ({})", left.err().map_or_else(String::new, |error| format!("{error:#}"))),
        )?;
        again.is(Definite::Done)?;
        let third = caller.act(&key, &caller.body).await;
        third.is_same_receipt(&again)?;
    }
    Ok(())
}

/// Sends an act and hangs up without reading what comes back.
async fn leave_before_the_answer(caller: &Caller, key: &str) -> anyhow::Result<()> {
    let url: hyper::Uri = format!("{}/{key}", caller.base).parse()?;
    let authority = url.authority().context("no authority")?;
    let address = (authority.host(), authority.port_u16().unwrap_or(80));
    let head = format!(
        "PUT {} HTTP/1.1\r\nHost: {authority}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        url.path(),
        caller.body.len()
    );
    let bytes: Arc<[u8]> = [head.as_bytes(), &caller.body].concat().into();
    tokio::time::timeout(caller.timeout(), async {
        let mut stream = TcpStream::connect(address).await?;
        stream.write_all(&bytes).await?;
        stream.flush().await
    })
    .await??;
    Ok(())
}
