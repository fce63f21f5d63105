//! Killed with SIGKILL in the middle of its work, again and again: what was answered is there, and the books agree.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};

use handfast_participant::{Body, Definite, Registers, Reply, Request, Settings, payment};

use crate::support::{DECLINED, Subject, VISA};

const STORE: &str = "HANDFAST_TEST_CRASHING_STORE";
const ROUND: &str = "HANDFAST_TEST_CRASHING_ROUND";

/// How many answers each process gives before it is killed.
const ANSWERS: [usize; 6] = [1, 40, 90, 150, 220, 300];

#[tokio::test]
async fn what_was_answered_survives_every_kill() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("payment.db");
    let mut answered: BTreeMap<String, (String, u64)> = BTreeMap::new();
    let mut incarnations = Vec::new();
    for (round, answers) in ANSWERS.into_iter().enumerate() {
        for (key, state, seq) in run_and_kill(&path, round, answers) {
            // The child answers from many tasks; the later change of a key has the higher number.
            let newest = answered.entry(key).or_insert((state.clone(), seq));
            if newest.1 < seq {
                *newest = (state, seq);
            }
        }
        let subject = Subject::made("unused", |_, settings| payment::open(&path, settings).unwrap(), payment::router);
        for (key, (state, seq)) in &answered {
            let receipt = subject.peek(key).await.body;
            // What was answered is there, or what came after it and was not answered any more.
            let went_on = state == "done" && receipt["state"] == "undone" && receipt["seq"].as_u64() > Some(*seq);
            let kept = receipt["state"] == state.as_str() && receipt["seq"] == *seq;
            assert!(kept || went_on, "{key} was answered {state} {seq} and is {receipt}");
        }
        let audit = subject.audit().await;
        assert_eq!((&audit["balanced"], &audit["disagreements"]), (&true.into(), &0.into()), "{audit}");
        assert_eq!(subject.sql::<i64>("SELECT max(seq) FROM register"), audit["seq"].as_i64().unwrap());
        assert_eq!(subject.sql::<String>("PRAGMA integrity_check"), "ok");
        incarnations.push(audit["incarnation"].clone());
        subject.registers.stop().await;
    }
    assert!(incarnations.iter().all(|incarnation| *incarnation == incarnations[0]), "an incarnation is kept over kills");
    let states: Vec<&str> = answered.values().map(|(state, _)| state.as_str()).collect();
    for state in ["done", "refused", "closed", "undone"] {
        assert!(states.contains(&state), "no key came to be {state}: the test has seen too little");
    }
}

/// Starts this very test binary as a service that works, kills it after so many answers, and returns what it had said.
fn run_and_kill(path: &Path, round: usize, answers: usize) -> Vec<(String, String, u64)> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["crash::child_to_be_killed", "--exact", "--nocapture"])
        .env(STORE, path)
        .env(ROUND, round.to_string())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = Vec::new();
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        let line = line.unwrap();
        // The test harness talks too, and a last line may be cut off.
        if let Some(["answered", key, state, seq, "."]) = line.split(' ').collect::<Vec<_>>().first_chunk::<5>() {
            said.push(((*key).to_owned(), (*state).to_owned(), seq.parse().unwrap()));
            if said.len() == answers {
                child.kill().unwrap();
            }
        }
    }
    assert!(!child.wait().unwrap().success(), "it was to be killed while it worked");
    assert!(said.len() >= answers);
    said
}

/// The child: eight workers at once, until it is killed. As a test of its own it has nothing to do.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn child_to_be_killed() {
    let (Ok(path), Ok(round)) = (std::env::var(STORE), std::env::var(ROUND)) else { return };
    let registers = payment::open(path, Settings::default()).unwrap();
    let workers: Vec<_> = (0..8).map(|worker| tokio::spawn(work(registers.clone(), format!("{round}.{worker}")))).collect();
    for worker in workers {
        worker.await.unwrap();
    }
}

async fn work(registers: Registers, name: String) {
    for index in 0_u64..1_000_000 {
        let key = format!("{name}.{}", index / 2);
        let undo = Request::Undo { body: None };
        let act = |body: &str| Request::Act { body: Body::parse(body.as_bytes()).unwrap(), not_after: None };
        let request = match (index / 2 % 5, index % 2) {
            (0, 0) | (1 | 2, _) => act(VISA),
            (0, _) | (3, 0) => undo,
            (3, _) => act(VISA),
            _ => act(DECLINED),
        };
        let Ok(Reply::State(receipt)) = registers.receive(key.parse().unwrap(), request, None).await else {
            panic!("{key} got no answer")
        };
        assert_ne!((receipt.state, receipt.seq), (Definite::Done, 0));
        let line = format!("answered {key} {} {} .\n", receipt.state.name(), receipt.seq);
        std::io::stdout().write_all(line.as_bytes()).unwrap();
    }
}
