//! A participant that is asked without an engine, as a step's definition says.

use std::time::Duration;

use handfast::participant::{Delivery, Kept, Reply, ServiceByHand};
use handfast::{FlowStep, Operation};
use handfast_protocol::{Answer, Definite};

use crate::over_http::{DONE, KEY_LENGTH, http, service, sha256};

/// What an engine would make of an answer is known without one: by the definition of the step, and one delivery of one command.
#[tokio::test]
async fn one_command_is_delivered_without_an_engine() {
    let (url, requests) = service(vec![http("200 OK", "content-type: application/json\r\n", DONE)]).await;
    let step = FlowStep::new("payment", url.as_str());
    let service = ServiceByHand::of_step(&step, &Default::default(), Duration::from_secs(5)).unwrap();
    let body = bytes::Bytes::from_static(b"{\"amount\":1}");
    let hash = sha256(&body);
    let (key, operation) = (format!("{}.order-1.payment", "s".repeat(KEY_LENGTH - 16)), Operation::Act);
    let delivery = Delivery {
        key: &key,
        operation,
        is_about_undo: false,
        body: &body,
        body_hash: &hash,
        number: 1,
        seen: None,
        not_after: None,
        leaves_before: None,
    };
    let none = Kept::default();
    let heard = service.ask(delivery, (&none, &none), handfast::Time(0)).await;
    assert!(matches!(heard.reply, Reply::Definite { answer: Answer::State(Definite::Done), .. }), "{heard:?}");
    assert!(requests.lock().unwrap()[0].starts_with("PUT /keys/"), "{requests:?}");
    let inside = FlowStep::new("payment", "bank");
    assert!(ServiceByHand::of_step(&inside, &Default::default(), Duration::from_secs(5)).is_err());
}
