//! `handfast conform --flow`: what the profile of a step that is called by templates promises, tried at real services.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

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
    written(dir, &steps.replace("URL", &service.address))
}

fn written(dir: &Path, steps: &str) -> PathBuf {
    let path = dir.join("flow.toml");
    std::fs::write(&path, format!("{INPUT}{steps}")).expect("it is written");
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
        [("keep = { refund = \"/id\" }\n", "not held"), ("keep = { object = \"/status\" }\n", "not seen"), ("", "not seen")]
    {
        let flow = flow(dir.path(), &format!("{begin}{undo}{keep}"), &payment);
        let verdicts = verdicts(&conform(&flow, &["--times", "1", "--json"]));
        assert!(verdicts.contains(&("an undo is carried out once".to_owned(), verdict.to_owned())), "{keep}: {verdicts:?}");
    }
}

/// Charges at every request, whatever its key, and says so in these words.
fn charging_each_time(answer: fn(&str, u64) -> Value) -> String {
    let count = Arc::new(AtomicU64::new(0));
    answering(move |_, path| answer(path, count.fetch_add(1, Ordering::Relaxed)))
}

/// A service that answers what this says of the method and the path, for as long as the test runs.
fn answering(answer: impl Fn(&str, &str) -> Value + Clone + Send + Sync + 'static) -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.set_nonblocking(true).expect("it does not block");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let fallback = move |method: axum::http::Method, uri: axum::http::Uri| {
                let body = answer(method.as_str(), uri.path()).to_string();
                async move { body }
            };
            let listener = tokio::net::TcpListener::from_std(listener).expect("a listener");
            axum::serve(listener, axum::Router::new().fallback(fallback)).await
        })
    });
    url
}

/// What comes again under one key is no proof that something was done once, if it would come under any other key as well, or is
/// what the service was asked.
#[test]
fn an_answer_that_tells_no_two_effects_apart_shows_nothing() {
    let act = "[[step]]\nname = \"payment\"\nparticipant = \"http\"\n[step.profile]\nidempotent = true\nremembers = \"for-ever\"\n\
               [step.http.act]\nmethod = \"PUT\"\nurl = \"URL/charges/{key}\"\ndone = { json = { \"/state\" = \"done\" } }\n";
    let undo = "[step.http.undo]\nmethod = \"PUT\"\nurl = \"URL/refunds/{key}\"\nundone = { json = { \"/state\" = \"done\" } }\n";
    let echo: fn(&str, u64) -> Value = |path, _| json!({"state": "done", "key": path.rsplit('/').next()});
    let without_id: fn(&str, u64) -> Value = |_, _| json!({"state": "done", "currency": "EUR"});
    let with_id: fn(&str, u64) -> Value = |_, number| json!({"state": "done", "id": number});
    // Sound: one id for each key, and it is not the key.
    let sound: fn(&str, u64) -> Value = |path, _| json!({"state": "done", "id": path.bytes().map(u64::from).sum::<u64>()});
    for (service, keep, verdict) in [
        (echo, "", "not seen"),
        (echo, "keep = { NAME = \"/key\" }\n", "not seen"),
        (without_id, "keep = { NAME = \"/currency\" }\n", "not seen"),
        (with_id, "", "not seen"),
        (with_id, "keep = { NAME = \"/id\" }\n", "not held"),
        (sound, "keep = { NAME = \"/id\" }\n", "held"),
    ] {
        let dir = tempfile::tempdir().expect("a directory");
        let url = charging_each_time(service);
        let (of_act, of_undo) = (keep.replace("NAME", "charge"), keep.replace("NAME", "refund"));
        let steps = format!("{act}{of_act}{undo}{of_undo}").replace("URL", &url);
        let flow = written(dir.path(), &steps);
        let verdicts = verdicts(&conform(&flow, &["--times", "1", "--json"]));
        for line in ["idempotent = true", "an undo is carried out once"] {
            assert!(verdicts.contains(&(line.to_owned(), verdict.to_owned())), "{keep} {line}: {verdicts:?}");
        }
    }
}

/// A refund that is accepted fits what the flow describes, and is looked for until it is done.
#[test]
fn an_undo_that_is_accepted_is_looked_for() {
    let steps = "[[step]]\nname = \"payment\"\nparticipant = \"http\"\n[step.profile]\nidempotent = true\nremembers = \"for-ever\"\n\
                 [step.http.act]\nmethod = \"PUT\"\nurl = \"URL/charges/{key}\"\ndone = { json = { \"/state\" = \"done\" } }\nundone = { json = { \"/state\" = \"refunded\" } }\nkeep = { charge = \"/id\" }\n\
                 [step.http.undo]\nurl = \"URL/charges/{key}\"\nundone = { json = { \"/state\" = \"refunded\" } }\n\
                 accepted = { json = { \"/state\" = \"pending\" } }\nfailed = { json = { \"/state\" = \"failed\" } }\nkeep = { refund = \"/id\" }\n\
                 [step.http.undo_peek]\nurl = \"URL/refunds/{receipt.payment.refund}\"\nundone = { json = { \"/state\" = \"refunded\" } }\n\
                 failed = { json = { \"/state\" = \"failed\" } }\n";
    for (becomes, undo, look) in [("refunded", "held", "held"), ("failed", "not held", "not seen")] {
        let dir = tempfile::tempdir().expect("a directory");
        let (refunds, looks) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicU64::new(0)));
        let url = answering(move |method, path| match method {
            "PUT" if refunds.lock().expect("a list").iter().any(|refunded| refunded == path) => json!({"state": "refunded"}),
            "PUT" => json!({"state": "done", "id": path.bytes().map(u64::from).sum::<u64>()}),
            "POST" => {
                let mut refunds = refunds.lock().expect("a list");
                refunds.push(path.to_owned());
                json!({"state": "pending", "id": refunds.len()})
            }
            _ if looks.fetch_add(1, Ordering::Relaxed) == 0 => json!({"state": "pending"}),
            _ => json!({"state": becomes}),
        });
        let flow = written(dir.path(), &steps.replace("URL", &url));
        let ended = conform(&flow, &["--times", "1", "--json"]);
        let verdicts = verdicts(&ended);
        let expected = [
            ("undo = \"no-op-when-absent\"", undo),
            ("[step.http.undo_peek] undone", look),
            ("an undo is carried out once", if becomes == "failed" { "not seen" } else { "not held" }),
        ];
        for (line, verdict) in expected {
            assert!(verdicts.contains(&(line.to_owned(), verdict.to_owned())), "{becomes} {line}: {}", ended.stdout);
        }
        assert!(!ended.stdout.contains("\"asked\":\"undo"), "{}", ended.stdout);
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
    assert!(ended.stderr.contains("nobody answers at http://127.0.0.1:"), "{}", ended.stderr);
}

/// Nothing of that is promised: an act is carried out each time, also after an undo, and the profile says so.
#[test]
fn an_honest_profile_of_a_weak_service_holds() {
    let steps = "[[step]]\nname = \"payment\"\nparticipant = \"http\"\n[step.profile]\nidempotent = false\nduplicates = \"harmless\"\n\
                 undo = \"no-op-when-absent\"\nclose = \"never\"\n\
                 [step.http.act]\nmethod = \"PUT\"\nurl = \"URL/charges/{key}\"\ndone = { json = { \"/state\" = \"done\" } }\nkeep = { charge = \"/id\" }\n\
                 [step.http.undo]\nurl = \"URL/charges/{key}\"\nundone = { json = { \"/state\" = \"refunded\" } }\nkeep = { refund = \"/of\" }\n";
    let dir = tempfile::tempdir().expect("a directory");
    let acts = Arc::new(AtomicU64::new(0));
    let url = answering(move |method, path| match method {
        "PUT" => json!({"state": "done", "id": acts.fetch_add(1, Ordering::Relaxed)}),
        _ => json!({"state": "refunded", "of": path.bytes().map(u64::from).sum::<u64>()}),
    });
    let flow = written(dir.path(), &steps.replace("URL", &url));
    let ended = conform(&flow, &["--times", "1", "--json"]);
    assert_eq!(ended.code, Some(0), "{} {}", ended.stdout, ended.stderr);
    let verdicts = verdicts(&ended);
    assert!(verdicts.contains(&("undo = \"no-op-when-absent\"".to_owned(), "held".to_owned())), "{verdicts:?}");
    assert!(!ended.stdout.contains("never repeated"), "{}", ended.stdout);
}
