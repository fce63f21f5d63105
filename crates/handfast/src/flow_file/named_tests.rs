//! By what a step's requests name what they are about, and the risk that follows where it is an id alone.

use handfast_protocol::Risk;

use super::FlowFile;

/// An intent that may be created twice, and a payment that is confirmed, and closed, by these requests.
fn payment(confirm: &str, close: &str) -> Vec<Risk> {
    let text = format!(
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
    );
    let file = FlowFile::parse("flow.toml", &text).unwrap_or_else(|error| panic!("{error}"));
    file.assessment().risks.iter().map(|risk| risk.what).collect()
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
