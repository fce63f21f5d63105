//! `handfast conform` against the reference services, a sound participant, and one broken participant for every promise.

mod flawed;

use std::collections::BTreeSet;
use std::net::TcpListener;

use serde_json::Value;

use self::flawed::{Flaw, router};
use crate::support::{Ended, Service, run};

const BODY: &str = r#"{"seat":1}"#;
const REFUSED: &str = r#"{"refuse":true}"#;

/// Serves the router until the test's process ends, and says where.
fn served(flaw: Flaw) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.set_nonblocking(true).expect("a listener");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::from_std(listener).expect("a listener");
            axum::serve(listener, router(flaw)).await.expect("it serves");
        });
    });
    url
}

fn conform(url: &str, more: &[&str]) -> Ended {
    run([&["conform", url, "--body", BODY], more].concat())
}

/// The names of the broken promises, and whether everything was tried.
fn broken(flaw: Flaw) -> BTreeSet<String> {
    let ended = conform(&served(flaw), &["--refused-body", REFUSED, "--json"]);
    let told: Value = serde_json::from_str(&ended.stdout).unwrap_or_else(|error| panic!("{flaw:?}: {error}: {}", ended.stderr));
    assert_eq!(told["not_tried"], 0, "{flaw:?}");
    let findings = told["findings"].as_array().expect("a list");
    let broken: BTreeSet<String> = findings
        .iter()
        .filter(|finding| finding["verdict"] == "broken")
        .map(|finding| finding["name"].as_str().expect("a name").to_owned())
        .collect();
    assert_eq!(
        (ended.code, told["verdict"].as_str()),
        if broken.is_empty() { (Some(0), Some("holds")) } else { (Some(3), Some("violated")) }
    );
    assert_eq!(told["broken"].as_u64(), Some(broken.len() as u64));
    for finding in findings.iter().filter(|finding| finding["verdict"] == "broken") {
        for member in ["request", "expected", "got", "hazard"] {
            assert!(finding[member].as_str().is_some_and(|text| !text.is_empty()), "{flaw:?}: {finding}");
        }
    }
    broken
}

#[test]
fn a_sound_participant_keeps_every_promise() {
    assert_eq!(broken(Flaw::None), BTreeSet::new());
}

#[test]
fn every_broken_promise_is_found() {
    for (flaw, promise) in Flaw::ALL {
        let broken = broken(*flaw);
        assert!(broken.contains(*promise), "{flaw:?} breaks {promise}, and what was found is {broken:?}");
    }
}

#[test]
fn every_promise_has_a_participant_that_breaks_it() {
    let ended = conform(&served(Flaw::None), &["--json"]);
    let told: Value = serde_json::from_str(&ended.stdout).expect("JSON");
    for finding in told["findings"].as_array().expect("a list") {
        let name = finding["name"].as_str().expect("a name");
        assert!(Flaw::ALL.iter().any(|(_, promise)| *promise == name), "no participant breaks {name}");
    }
}

#[test]
fn the_reference_services_keep_every_promise() {
    let dir = tempfile::tempdir().expect("a directory");
    let payment = Service::start("payment", &dir.path().join("payment.db"), &[]);
    let declined = r#"{"amount":{"minor":1,"currency":"EUR"},"token":"tok_declined"}"#;
    let ended = run(["conform", &payment.url, "--refused-body", declined]);
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""), "{}", ended.stdout);
    insta::assert_snapshot!(ended.stdout);

    let dispatch = Service::start("dispatch", &dir.path().join("dispatch.db"), &["--stock".as_ref(), "mug=unlimited".as_ref()]);
    let lines = r#"{"lines":[{"sku":"mug","quantity":1}]}"#;
    let ended = run(["conform", &dispatch.url, "--body", lines, "--refused-body", "{}"]);
    assert_eq!(ended.code, Some(0), "{}", ended.stdout);

    let scarce = Service::start("dispatch", &dir.path().join("scarce.db"), &["--stock".as_ref(), "mug=3".as_ref()]);
    let ended = run(["conform", &scarce.url, "--body", lines]);
    assert_eq!(ended.code, Some(3));
    assert!(ended.stdout.contains("give --body one that it accepts every time"), "{}", ended.stdout);
}

#[test]
fn a_finding_names_the_request_the_hazard_and_what_came_back() {
    let url = served(Flaw::CloseOnlyReads);
    let ended = conform(&url, &[]);
    assert_eq!(ended.code, Some(3));
    let start = ended.stdout.find("BROKEN     close-leaves").expect("it is found");
    let finding: Vec<&str> = ended.stdout[start..].lines().take(5).collect();
    assert!(finding[1].contains(&format!("asked     PUT {url}/conform.")), "{finding:?}");
    assert!(finding[2].ends_with("expected  a receipt that says closed"), "{finding:?}");
    assert!(finding[3].ends_with("got       200 done"), "{finding:?}");
    assert!(finding[4].contains("not found is taken for not done"), "{finding:?}");
    assert!(ended.stdout.contains("not tried  refusal-is-sticky"), "{}", ended.stdout);
}

#[test]
fn what_cannot_be_attacked_is_told() {
    let nobody = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address");
    for (url, more, code, hint) in [
        (format!("http://{nobody}/x"), &[][..], 5, "nobody answers at"),
        ("https://127.0.0.1/x".to_owned(), &[], 2, "plain http"),
        ("127.0.0.1:80".to_owned(), &[], 2, "give one like"),
        ("http://127.0.0.1:1/x".to_owned(), &["--body", "{"], 2, "--body is no JSON"),
        ("http://127.0.0.1:1/x".to_owned(), &["--refused-body", "@/no/such/file"], 2, "--refused-body: cannot read"),
    ] {
        let ended = run([&["conform", url.as_str()], more].concat());
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(code), ""), "{url} {more:?}: {}", ended.stderr);
        assert!(ended.stderr.contains(hint), "{url} {more:?}: {}", ended.stderr);
    }
}
