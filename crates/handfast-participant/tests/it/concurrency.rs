//! Many at once at one key, or at many: one effect each, and no answer lost.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::json;
use tokio::task::JoinSet;

use crate::support::{LAMP, OTHER, Subject, VISA};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_acts_on_one_key_are_one_effect() {
    let subject = Arc::new(Subject::payment());
    let mut acts = JoinSet::new();
    for _ in 0..50 {
        let subject = Arc::clone(&subject);
        acts.spawn(async move { subject.act("key", VISA).await });
    }
    let answers = acts.join_all().await;
    assert!(answers.iter().all(|answer| answer.status == 200 && answer.body == answers[0].body));
    let audit = subject.audit().await;
    assert_eq!((&audit["charges"], &audit["seq"], &audit["currencies"][0]["charged"]), (&json!(1), &json!(1), &json!(1999)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_bodies_on_one_key_one_wins_and_the_other_undoes_nothing() {
    let subject = Arc::new(Subject::payment());
    let mut acts = JoinSet::new();
    for index in 0..40 {
        let subject = Arc::clone(&subject);
        acts.spawn(async move { subject.act("key", if index % 2 == 0 { VISA } else { OTHER }).await.status.as_u16() });
    }
    let mut statuses = acts.join_all().await;
    statuses.sort_unstable();
    assert_eq!(statuses, [vec![200; 20], vec![422; 20]].concat());
    assert_eq!(subject.audit().await["states"]["done"], 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_last_lamp_is_shipped_once() {
    let subject = Arc::new(Subject::dispatch("lamp=7"));
    let mut acts = JoinSet::new();
    for index in 0..40 {
        let subject = Arc::clone(&subject);
        acts.spawn(async move { subject.act(&format!("order-{index}"), LAMP).await.status.as_u16() });
    }
    let statuses = acts.join_all().await;
    assert_eq!(statuses.iter().filter(|&&status| status == 200).count(), 7);
    assert_eq!(statuses.iter().filter(|&&status| status == 409).count(), 33);
    let audit = subject.audit().await;
    assert_eq!((&audit["stock"][0]["available"], &audit["miscounted"]), (&json!(0), &json!(0)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_change_has_a_number_of_its_own() {
    let subject = Arc::new(Subject::payment());
    let mut acts = JoinSet::new();
    for index in 0..200 {
        let subject = Arc::clone(&subject);
        acts.spawn(async move { subject.act(&format!("order-{index}"), VISA).await.body["seq"].as_u64() });
    }
    let numbers: BTreeSet<u64> = acts.join_all().await.into_iter().flatten().collect();
    assert_eq!(numbers, (1..=200).collect());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn acts_and_undos_in_a_race_leave_nobody_charged_for_good() {
    let subject = Arc::new(Subject::payment());
    let mut requests = JoinSet::new();
    for index in 0..200 {
        let subject = Arc::clone(&subject);
        requests.spawn(async move {
            let key = format!("order-{}", index / 4);
            if index % 4 == 3 { subject.undo(&key).await } else { subject.act(&key, VISA).await }
        });
    }
    requests.join_all().await;
    let audit = subject.audit().await;
    assert_eq!((&audit["states"]["done"], &audit["currencies"][0]["receivable"]), (&json!(0), &json!(0)), "{audit}");
    assert_eq!((&audit["balanced"], &audit["disagreements"]), (&json!(true), &json!(0)));
}
