//! A step whose duplicates are harmless: what may be said of it, by what later requests name what it made, and the risk that
//! follows where that is an id alone.

use handfast_protocol::Risk;

use super::FlowFile;
use crate::flow::Flow;

/// An intent that may be created twice, and a payment that is confirmed, and closed, by these requests.
fn payment(confirm: &str, close: &str) -> Vec<Risk> {
    let file = FlowFile::parse("flow.toml", &payment_text(confirm, close)).unwrap_or_else(|error| panic!("{error}"));
    file.assessment().risks.iter().map(|risk| risk.what).collect()
}

fn payment_text(confirm: &str, close: &str) -> String {
    format!(
        r#"
name = "two"
[input]
amount = "money"

[[step]]
name = "intent"
participant = "http"
send = ["amount"]
[step.profile]
duplicates = "harmless"
may_refuse = false
[step.http.act]
url = "http://pay.example/intents"
body = '{{"minor": {{input.amount.minor}}}}'
done = {{ status = 200, json = {{ "/minor" = "{{input.amount.minor}}" }} }}
keep = {{ id = "/id" }}
[step.http.undo]
url = "http://pay.example/intents/{{receipt.intent.id}}/cancel"
undone = {{ status = 200, json = {{ "/state" = "canceled" }} }}

[[step]]
name = "payment"
participant = "http"
[step.profile]
idempotent = true
remembers = "for-ever"
undo = "never"
may_refuse = false
[step.http.act]
{confirm}
done = {{ status = 200, json = {{ "/state" = "succeeded" }} }}
[step.http.close]
{close}
closed = {{ status = 200, json = {{ "/state" = "canceled" }} }}
"#
    )
}

#[test]
fn an_id_that_may_be_another_one_is_a_risk_unless_every_request_carries_the_key() {
    let by_id = "url = \"http://pay.example/intents/{receipt.intent.id}/x\"";
    let in_the_body = "url = \"http://pay.example/x\"\nbody = '{\"of\": \"{receipt.intent.id}\"}'";
    let with_key = "url = \"http://pay.example/intents/{receipt.intent.id}/x\"\nheaders = { idempotency-key = \"{key}\" }";
    let short_key = "url = \"http://pay.example/intents/{receipt.intent.id}/x?key={key.hash}\"";
    let by_key = "url = \"http://pay.example/payments/{key}\"";
    let second_id = [Risk::SecondId { of: 0 }];
    assert_eq!(payment(by_id, by_id), second_id);
    assert_eq!(payment(by_id, by_key), second_id, "the act alone");
    assert_eq!(payment(by_key, by_id), second_id, "a close by the id closes another one");
    assert_eq!(payment(in_the_body, by_key), second_id, "wherever the id stands");
    assert_eq!(payment(with_key, by_id), second_id);
    assert_eq!(payment(with_key, short_key), []);
    assert_eq!(payment(by_key, by_key), []);
}

/// An intent that is closed and looked at by these requests, of which this is said.
fn intent(said: &str, undo: &str) -> Result<FlowFile, String> {
    let text = format!(
        r#"
name = "one"
[input]
amount = "money"

[[step]]
name = "intent"
participant = "http"
send = ["amount"]
[step.profile]
may_refuse = false
{said}
[step.http.act]
url = "http://pay.example/intents"
body = '{{"minor": {{input.amount.minor}}}}'
done = {{ status = 200, json = {{ "/minor" = "{{input.amount.minor}}" }} }}
keep = {{ id = "/id" }}
[step.http.close]
url = "http://pay.example/intents/{{receipt.intent.id}}/cancel"
closed = {{ status = 200, json = {{ "/state" = "canceled" }} }}
[step.http.peek]
url = "http://pay.example/intents/{{receipt.intent.id}}"
done = {{ status = 200, json = {{ "/state" = "open", "/minor" = "{{input.amount.minor}}" }} }}
keep = {{ id = "/id" }}
{undo}

[[step]]
name = "dispatch"
kind = "pivot"
url = "http://depot.example/shipments"
"#
    );
    FlowFile::parse("flow.toml", &text).map_err(|error| error.to_string())
}

const UNDO: &str = "[step.http.undo]\nurl = \"http://pay.example/intents/{receipt.intent.id}/cancel\"\n\
                    undone = { status = 200, json = { \"/state\" = \"canceled\" } }";

#[test]
fn what_may_be_made_twice_is_closed_and_looked_at_by_its_own_id_and_needs_no_idempotent_provider() {
    let harmless = intent("duplicates = \"harmless\"", UNDO).unwrap();
    assert!(harmless.assessment().risks.is_empty(), "{:?}", harmless.assessment().risks);
    let flow = harmless.flow::<&str>(&[]).unwrap();
    assert!(flow.plan().steps()[0].harmless);
    assert_eq!(Flow::from_built_text(flow.text()).unwrap().plan(), flow.plan(), "the stored definition says so, too");

    let harmful = intent("idempotent = false", UNDO).unwrap_err();
    assert!(harmful.contains("known to an undo only") && harmful.contains("unless duplicates = \"harmless\""), "{harmful}");
}

#[test]
fn only_what_can_be_undone_may_be_made_twice() {
    let refused = intent("duplicates = \"harmless\"\nundo = \"never\"", "").unwrap_err();
    assert!(refused.contains("duplicates are harmless only of what can be undone; add an undo"), "{refused}");
}

/// A flow that a program builds is told of the same risk as a flow file.
#[test]
fn a_built_flow_knows_of_an_id_that_may_be_another_one() {
    let file = |text: &str| FlowFile::parse("flow.toml", text).unwrap();
    let text = payment_text("url = \"http://pay.example/intents/{receipt.intent.id}/x\"", "url = \"http://pay.example/x/{key}\"");
    let refused = file(&text).flow::<&str>(&[]).unwrap_err().to_string();
    assert!(refused.contains("second-id"), "{refused}");
    let flow = file(&text).flow(&["second-id"]).unwrap();
    assert_eq!(Flow::from_built_text(flow.text()).unwrap(), *flow);
}
