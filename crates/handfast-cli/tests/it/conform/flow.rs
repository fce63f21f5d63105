//! `handfast conform --flow`: what the profile of a step that is called by templates promises, tried at real services.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::support::{Ended, Service, run};

const INPUT: &str = "name = \"shop\"\n[input]\namount = \"money\"\ntoken = \"token\"\n";
const ORDER: &str = r#"{"amount": {"minor": 1999, "currency": "EUR"}, "token": "tok_visa"}"#;
const DECLINED: &str = r#"{"amount": {"minor": 1999, "currency": "EUR"}, "token": "tok_declined"}"#;

/// The contract of the reference payment service, as if it were any service's API.
const BY_TEMPLATES: &str = r#"
[[step]]
name = "payment"
participant = "http"
[step.profile]
idempotent = true
remembers = "for-ever"
sticky_refusal = true
[step.http.act]
method = "PUT"
url = "URL/charges/{key}"
body = '{"amount": {input.amount}, "token": "{input.token}"}'
done = { status = 200, json = { "/state" = "done" } }
refused = { status = 409, json = { "/state" = "refused" } }
closed = { status = 410, json = { "/state" = "closed" } }
undone = { status = 410, json = { "/state" = "undone" } }
keep = { change = "/seq" }
[step.http.close]
url = "URL/charges/{key}/close"
closed = { status = 200, json = { "/state" = "closed" } }
done = { status = 200, json = { "/state" = "done" } }
refused = { status = 200, json = { "/state" = "refused" } }
keep = { change = "/seq" }
[step.http.undo]
method = "DELETE"
url = "URL/charges/{key}"
undone = { status = 200, json = { "/state" = "undone" } }
closed = { status = 200, json = { "/state" = "closed" } }
refused = { status = 200, json = { "/state" = "refused" } }
[step.http.peek]
url = "URL/charges/{key}"
done = { status = 200, json = { "/state" = "done" } }
absent = { status = 404, json = { "/state" = "absent" } }
keep = { change = "/seq" }
"#;

/// A charge in one call with an idempotency key, at a service that ignores such keys.
const IGNORED_KEYS: &str = r#"
[[step]]
name = "payment"
participant = "http"
[step.profile]
idempotent = true
remembers = "24h"
[step.http.act]
url = "URL/v1/payment_intents"
headers = { idempotency-key = "{key.uuid}" }
form = { amount = "{input.amount.minor}", currency = "{input.amount.currency.lower}", payment_method = "{input.token}", "metadata[order]" = "{saga}" }
done = { status = 200, json = { "/status" = "requires_confirmation" } }
keep = { id = "/id" }
[step.http.undo]
url = "URL/v1/payment_intents/{receipt.payment.id}/cancel"
undone = { status = 200, json = { "/status" = "canceled" } }
"#;

fn flow(dir: &Path, steps: &str, service: &Service) -> PathBuf {
    let path = dir.join("flow.toml");
    std::fs::write(&path, format!("{INPUT}{}", steps.replace("URL", &service.address))).expect("it is written");
    path
}

fn conform(flow: &Path, more: &[&str]) -> Ended {
    let flow = flow.to_str().expect("a path");
    run([&["conform", "--flow", flow, "--step", "payment", "--body", ORDER], more].concat())
}

fn verdicts(ended: &Ended) -> Vec<(String, String)> {
    let told: Value =
        serde_json::from_str(&ended.stdout).unwrap_or_else(|error| panic!("{error}: {} {}", ended.stdout, ended.stderr));
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    told["lines"].as_array().expect("a list").iter().map(|line| (text(&line["line"]), text(&line["verdict"]))).collect()
}

#[test]
fn what_a_sound_service_promises_is_seen_to_hold() {
    let dir = tempfile::tempdir().expect("a directory");
    let payment = Service::start("payment", &dir.path().join("payment.db"), &[]);
    let flow = flow(dir.path(), BY_TEMPLATES, &payment);
    let ended = conform(&flow, &["--refused-body", DECLINED, "--times", "2"]);
    assert_eq!(ended.code, Some(0), "{} {}", ended.stdout, ended.stderr);
    // What follows names keys and times.
    let (lines, unfit) = ended.stdout.split_once("\n\n").expect("a look after an undo fits nothing here");
    insta::assert_snapshot!(lines);
    assert!(unfit.contains("peek after an undo           200 (seen 2): {\"key\":\"conform."), "{unfit}");
}

#[test]
fn a_service_that_ignores_keys_is_found() {
    let dir = tempfile::tempdir().expect("a directory");
    let payment = Service::start("payment", &dir.path().join("payment.db"), &[]);
    let flow = flow(dir.path(), IGNORED_KEYS, &payment);
    let ended = conform(&flow, &["--times", "1"]);
    assert_eq!(ended.code, Some(3), "{} {}", ended.stdout, ended.stderr);
    let expected = "idempotent = true                a repeated act brought another id: it was carried out again";
    assert!(ended.stdout.contains(expected), "{}", ended.stdout);
    assert!(ended.stdout.contains("Answers that fit nothing") && ended.stdout.contains("undo again"), "{}", ended.stdout);

    let verdicts = verdicts(&conform(&flow, &["--times", "1", "--json"]));
    let verdict = |line: &str| verdicts.iter().find(|(name, _)| name == line).map(|(_, verdict)| verdict.as_str());
    assert_eq!(verdict("idempotent = true"), Some("not held"), "{verdicts:?}");
    assert_eq!(verdict("remembers = \"1d\""), Some("not seen"), "{verdicts:?}");
    assert_eq!(verdict("[step.http.act] done"), Some("held"), "{verdicts:?}");
}

/// A second refund has the words of the first; only its id tells.
#[test]
fn an_undo_that_is_carried_out_twice_is_found() {
    let dir = tempfile::tempdir().expect("a directory");
    let payment = Service::start("payment", &dir.path().join("payment.db"), &[]);
    // "Refunds" by making another intent each time, as a service does that ignores keys.
    let undo = "[step.http.undo]\nurl = \"URL/v1/payment_intents\"\nform = { amount = \"{input.amount.minor}\", currency = \"eur\", payment_method = \"tok_visa\" }\n\
                undone = { status = 200, json = { \"/status\" = \"requires_confirmation\" } }\n";
    let (begin, _) = IGNORED_KEYS.split_once("[step.http.undo]").expect("it has one");
    for (keep, verdict) in
        [("keep = { refund = \"/id\" }\n", "not held"), ("keep = { object = \"/status\" }\n", "held"), ("", "not seen")]
    {
        let flow = flow(dir.path(), &format!("{begin}{undo}{keep}"), &payment);
        let verdicts = verdicts(&conform(&flow, &["--times", "1", "--json"]));
        assert!(verdicts.contains(&("an undo is carried out once".to_owned(), verdict.to_owned())), "{keep}: {verdicts:?}");
    }
}

#[test]
fn every_weakness_is_seen_where_the_profile_denies_it() {
    for (weakness, line) in
        [("no-op-undo", "undo = \"closes\""), ("not-idempotent", "idempotent = true"), ("closes-for=1ms", "close = \"for-ever\"")]
    {
        let dir = tempfile::tempdir().expect("a directory");
        let payment = Service::start("payment", &dir.path().join("payment.db"), &["--weak".as_ref(), weakness.as_ref()]);
        let flow = flow(dir.path(), BY_TEMPLATES, &payment);
        let ended = conform(&flow, &["--refused-body", DECLINED, "--times", "1", "--json"]);
        let verdicts = verdicts(&ended);
        assert!(verdicts.contains(&(line.to_owned(), "not held".to_owned())), "{weakness}: {verdicts:?}");
        assert_eq!(ended.code, Some(3), "{weakness}");
    }
}

#[test]
fn what_cannot_be_tried_is_told() {
    let dir = tempfile::tempdir().expect("a directory");
    let payment = Service::start("payment", &dir.path().join("payment.db"), &[]);
    let flow = flow(dir.path(), BY_TEMPLATES, &payment);
    let path = flow.to_str().expect("a path");
    let step = |name| ["conform", "--flow", path, "--step", name, "--body"];
    for (arguments, code, hint) in [
        ([&step("ship")[..], &[ORDER]].concat(), 2, "it has payment"),
        ([&step("payment")[..], &["{}"]].concat(), 2, "amount: it is missing"),
        ([&step("payment")[..], &["[]"]].concat(), 2, "--body is no order"),
        ([&step("payment")[..], &[DECLINED]].concat(), 2, "the act is refused"),
        (vec!["conform", "--flow", path], 2, "--step"),
    ] {
        let ended = run(&arguments);
        assert_eq!(ended.code, Some(code), "{arguments:?}: {}", ended.stderr);
        assert!(ended.stderr.contains(hint), "{arguments:?}: {}", ended.stderr);
    }
    drop(payment);
    let ended = conform(&flow, &[]);
    assert_eq!(ended.code, Some(5), "{}", ended.stderr);
}
