//! Every act of a person, by the API and by the command line in the store's file: it counts once however often it is sent, not
//! at all where the saga has gone on since, and its name, reason and evidence are kept.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{House, act, order, sagas, standing};
use crate::serve::shop::{Caller, PATIENCE};
use crate::support::Ended;

/// An act as the API names it, the words of the command line for it, and another act by which its request id is taken in vain.
type Words = (&'static str, &'static [&'static str], &'static str);

/// Of an order that is suspended at its hotel.
const OF_SUSPENDED: [Words; 5] = [
    ("resume", &["resolve", "--resume"], "settle"),
    ("mark_done", &["resolve", "--done", "hotel"], "mark_undone"),
    ("mark_not_done", &["resolve", "--not-done", "hotel"], "mark_done"),
    ("mark_undone", &["resolve", "--undone", "hotel"], "settle"),
    ("settle", &["resolve", "--settle"], "resume"),
];

/// Of an order that nobody answers.
const RETRY: Words = ("retry", &["retry"], "settle");

/// What came of an act, by whichever way.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Came {
    Taken,
    Repeated,
    Stale,
    RequestIdTaken,
}

/// How acts are sent.
struct Way<'a> {
    caller: &'a Caller,
    /// The store's file; `None` for the API.
    store: Option<&'a str>,
}

impl Way<'_> {
    const fn name(&self) -> &'static str {
        if self.store.is_some() { "file" } else { "api" }
    }

    async fn act(&self, id: &str, (name, words): (&str, &[&str]), saw: u64) -> Came {
        match self.store {
            Some(store) => by_file(store, id, words, saw),
            None => self.by_api(id, name, saw).await,
        }
    }

    async fn by_api(&self, id: &str, name: &str, saw: u64) -> Came {
        let step = name.starts_with("mark").then_some("hotel");
        let said = json!({
            "act": name, "step": step, "by": "ada", "reason": "asked them", "request_id": "r-1", "saw": saw, "evidence": "mail of 4 May",
        });
        let reply = act(self.caller, id, &said).await;
        match reply.status.as_u16() {
            202 => Came::Taken,
            200 => Came::Repeated,
            409 => {
                assert_eq!((reply.problem().as_str(), &reply.json()["seq"]), ("moved", &json!(saw + 1)), "{}", reply.text);
                Came::Stale
            }
            _ => {
                assert_eq!((reply.status.as_u16(), reply.problem().as_str()), (422, "request-id-reused"), "{}", reply.text);
                Came::RequestIdTaken
            }
        }
    }
}

fn by_file(store: &str, id: &str, words: &[&str], saw: u64) -> Came {
    let saw = saw.to_string();
    let said = ["--by", "ada", "--reason", "asked them", "--evidence", "mail of 4 May", "--request-id", "r-1", "--yes"];
    let (verb, more) = words.split_first().unwrap();
    let Ended { code, stdout, stderr } = sagas(&[&[verb, id], more, &said[..], &["--saw", &saw]].concat(), ["--store", store]);
    match code {
        Some(0) if stderr.contains("it had been done before, by this very request") => Came::Repeated,
        Some(0) => Came::Taken,
        Some(1) => {
            assert!(stderr.contains("has gone on since"), "{stderr}");
            Came::Stale
        }
        _ => {
            assert!(code == Some(2) && stderr.contains("this request id stands for another act"), "{code:?} {stdout} {stderr}");
            Came::RequestIdTaken
        }
    }
}

/// One act on one order, which stands so.
async fn check(way: &Way<'_>, id: &str, stands: &str, (name, words, other): Words) {
    let saw = standing(way.caller, id, stands).await["seq"].as_u64().unwrap();
    let of = |wanted: &str| OF_SUSPENDED.iter().chain([&RETRY]).find(|(name, ..)| *name == wanted).unwrap().1;
    assert_eq!(way.act(id, (name, words), saw - 1).await, Came::Stale, "{id}");
    assert_eq!(way.act(id, (name, words), saw).await, Came::Taken, "{id}");
    assert_eq!(way.act(id, (name, words), saw).await, Came::Repeated, "{id}");
    assert_eq!(way.act(id, (other, of(other)), saw).await, Came::RequestIdTaken, "{id}");
    let saga = way.caller.get(&format!("/sagas/{id}")).await.json();
    let acts: Vec<&Value> = saga["acts"].as_array().unwrap().iter().collect();
    let [acted] = acts[..] else { panic!("{id}: it counts once: {acts:#?}") };
    let step = if name.starts_with("mark") { json!("hotel") } else { Value::Null };
    let said = [("act", json!(name)), ("step", step), ("by", json!("ada")), ("reason", json!("asked them"))];
    for (member, expected) in said.iter().chain([&("evidence", json!("mail of 4 May")), &("seq", json!(saw + 1))]) {
        assert_eq!(&acted[*member], expected, "{id}: {member}: {acted:#}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_act_counts_once_and_by_name_wherever_it_is_said() {
    let house = House::new();
    let [payment, hotel, dispatch] = house.services();
    let services = [payment, hotel, dispatch];
    let store = house.store();
    let coordinator = house.coordinator();
    let caller = Caller::of(&coordinator);
    let ways = [Way { caller: &caller, store: None }, Way { caller: &caller, store: Some(&store) }];
    for way in &ways {
        for words in OF_SUSPENDED {
            let id = format!("{}-{}", words.0, way.name());
            house.take_the_key(&services, &id).await;
            assert_eq!(caller.place(&id, &order(&id), &[]).await.status, 202);
            check(way, &id, "suspended", words).await;
        }
    }
    let [_payment, _hotel, dispatch] = services;
    dispatch.kill();
    for way in &ways {
        let id = format!("retry-{}", way.name());
        assert_eq!(caller.place(&id, &order(&id), &[]).await.status, 202);
        let started = Instant::now();
        while caller.get(&format!("/sagas/{id}")).await.json()["steps"][1]["state"] != "done" {
            assert!(started.elapsed() < PATIENCE, "{id} is not paid");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        check(way, &id, "acting", RETRY).await;
    }
}
