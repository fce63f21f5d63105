//! `handfast conform` against the reference services, a sound participant, and one broken participant for every promise.

mod flawed;
mod flow;

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use self::flawed::{Flaw, router, strict};
use crate::support::{Ended, Service, repository, run};

const BODY: &str = r#"{"seat":1}"#;
const REFUSED: &str = r#"{"refuse":true}"#;

/// Serves a participant with this flaw until the test's process ends, and says where.
fn served(flaw: Flaw) -> String {
    served_by(router(flaw))
}

fn served_by(router: axum::Router) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.set_nonblocking(true).expect("a listener");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::from_std(listener).expect("a listener");
            axum::serve(listener, router).await.expect("it serves");
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
fn a_participant_that_refuses_doubled_headers_keeps_every_promise() {
    let ended = conform(&served_by(strict(router(Flaw::None))), &["--refused-body", REFUSED]);
    assert_eq!(ended.code, Some(0), "{}", ended.stdout);
}

#[test]
fn every_broken_promise_is_found() {
    for (flaw, promise) in Flaw::ALL {
        let broken = broken(*flaw);
        assert!(broken.contains(*promise), "{flaw:?} breaks {promise}, and what was found is {broken:?}");
    }
}

/// Who may accept what it has refused breaks one promise, and keeps this one by closing; who does not is found, and told so.
#[test]
fn a_close_after_a_refusal_has_to_be_meant() {
    let found = broken(Flaw::AcceptsUntilClosed);
    assert_eq!(found, BTreeSet::from(["refusal-is-sticky".to_owned()]), "what it closes it means");
    let ended = conform(&served(Flaw::AcceptsAfterAClose), &["--refused-body", REFUSED]);
    assert_eq!(ended.code, Some(3));
    let lines: Vec<&str> = ended.stdout.lines().collect();
    let at = lines.iter().position(|line| line.contains("close-after-refusal")).expect("it is tried");
    let keyless = |line: &&str| match line.split_once("/conform.") {
        Some((_, rest)) => format!("      asked     PUT KEY{}", rest.trim_start_matches(|it: char| it != ' ')),
        None => (*line).to_owned(),
    };
    let finding: Vec<String> = lines[at..].iter().take(5).map(keyless).collect();
    insta::assert_snapshot!(finding.join("\n"));
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
        ("https://127.0.0.1/x".to_owned(), &[], 2, "conform attacks a service over plain http://"),
        ("127.0.0.1:80".to_owned(), &[], 2, "it does not begin with http://; say http://127.0.0.1:80"),
        ("http://127.0.0.1:1/x".to_owned(), &["--body", "{"], 2, "--body is no JSON"),
        ("http://127.0.0.1:1/x".to_owned(), &["--refused-body", "@/no/such/file"], 2, "--refused-body: cannot read"),
    ] {
        let ended = run([&["conform", url.as_str()], more].concat());
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(code), ""), "{url} {more:?}: {}", ended.stderr);
        assert!(ended.stderr.contains(hint), "{url} {more:?}: {}", ended.stderr);
    }
}

/// A body that is not taken is one cause, and said once, whatever else would follow from it.
#[test]
fn a_body_that_is_refused_accuses_nobody() {
    let dir = tempfile::tempdir().expect("a directory");
    let payment = Service::start("payment", &dir.path().join("payment.db"), &[]);
    for wrong in ["{}", r#"{"amount":{"minor":1,"currency":"EUR"},"token":"tok_declined"}"#] {
        let ended = run(["conform", &payment.url, "--body", wrong]);
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), ""), "{wrong}: {}", ended.stderr);
        assert_eq!(
            ended.stderr.matches("give --body one that the participant accepts every time").count(),
            1,
            "{}",
            ended.stderr
        );
    }
    // Where it is the participant that does no act, that is found once.
    let broken = served_by(axum::Router::new().fallback(|| async { axum::http::StatusCode::INTERNAL_SERVER_ERROR }));
    let ended = run(["conform", &broken, "--json"]);
    let told: Value = serde_json::from_str(&ended.stdout).expect("JSON");
    assert_eq!((ended.code, &told["broken"], &told["kept"]), (Some(3), &1.into(), &0.into()), "{told}");
}

/// What says nothing of the body is not told as if it did.
#[test]
fn a_status_that_is_not_about_the_body_is_told_by_what_it_means() {
    use axum::http::StatusCode;
    for (status, said) in [
        (StatusCode::BAD_REQUEST, "give --body one"),
        (StatusCode::UNPROCESSABLE_ENTITY, "give --body one"),
        (StatusCode::UNAUTHORIZED, "it asks who calls"),
        (StatusCode::NOT_FOUND, "no key can be kept at this address"),
        (StatusCode::METHOD_NOT_ALLOWED, "this address takes no PUT"),
        (StatusCode::TOO_MANY_REQUESTS, "it takes no more requests for now"),
        (StatusCode::IM_A_TEAPOT, "the contract has no such answer to an act"),
    ] {
        let url = served_by(axum::Router::new().fallback(move || async move { status }));
        let ended = run(["conform", &url]);
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), ""), "{status}: {}", ended.stderr);
        assert!(ended.stderr.contains(said) && ended.stderr.contains(status.as_str()), "{status}: {}", ended.stderr);
        assert_eq!(ended.stderr.contains("--body"), said.contains("--body"), "{status}: {}", ended.stderr);
    }
}

/// The participant in Python. Killed when it goes out of scope.
struct Points {
    child: Child,
    url: String,
}

impl Points {
    fn start(store: &Path) -> Self {
        let mut child = Command::new("python3")
            .arg(repository("examples/python-participant/points.py"))
            .args(["--listen", "127.0.0.1:0", "--store"])
            .arg(store)
            .stdout(Stdio::piped())
            .spawn()
            .expect("python3 is there");
        let mut url = String::new();
        BufReader::new(child.stdout.take().expect("it is piped")).read_line(&mut url).expect("it says where it is");
        Self { child, url: url.trim().to_owned() }
    }

    fn conform(&self) -> Ended {
        let (credit, nothing) = (r#"{"customer":"c-1","points":10}"#, r#"{"customer":"c-1","points":0}"#);
        run(["conform", &self.url, "--body", credit, "--refused-body", nothing, "--json"])
    }
}

impl Drop for Points {
    fn drop(&mut self) {
        // On Unix this is kill -9.
        self.child.kill().expect("it is still there");
        self.child.wait().expect("it ends");
    }
}

#[test]
fn a_participant_in_python_keeps_every_promise_and_remembers_after_kill_9() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = dir.path().join("points.db");
    let keys = || -> BTreeSet<String> {
        let connection = rusqlite::Connection::open(&store).expect("the store");
        let mut statement = connection.prepare("SELECT key || ' ' || state FROM register").expect("the registers");
        let rows = statement.query_map([], |row| row.get(0)).expect("the registers");
        rows.collect::<Result<_, _>>().expect("the registers")
    };
    let credited = || -> i64 {
        let connection = rusqlite::Connection::open(&store).expect("the store");
        connection.query_row("SELECT count(*) FROM credit", [], |row| row.get(0)).expect("the credits")
    };
    let first = Points::start(&store);
    let ended = first.conform();
    assert_eq!(ended.code, Some(0), "{}", ended.stdout);
    drop(first);
    let known = keys();
    let done = known.iter().filter(|key| key.ends_with(" done")).count() as i64;
    assert!(known.iter().any(|key| key.ends_with(" closed")) && done == credited(), "{done} done, {} credited", credited());

    let second = Points::start(&store);
    assert_eq!(second.conform().code, Some(0));
    drop(second);
    let later = keys();
    assert!(known.is_subset(&later) && known.len() < later.len(), "the registers of the first life are still there");
}
