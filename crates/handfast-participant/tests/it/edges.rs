//! What is no request of the contract is a problem, whoever turns it away, and settles nothing.

use handfast_participant::BODY_LIMIT_BYTES;
use serde_json::json;

use crate::support::{Answer, JSON, Subject, VISA, hash};

fn check_problem(answer: &Answer, status: u16, name: &str) {
    assert_eq!(answer.status.as_u16(), status, "{}", answer.body);
    assert_eq!(answer.content_type(), "application/problem+json", "{}", answer.body);
    assert_eq!(answer.body["type"], format!("urn:handfast:problem:{name}"));
    assert_eq!(answer.body["status"], status);
    assert!(answer.body["title"].is_string() && answer.body["detail"].is_string(), "{}", answer.body);
}

/// Method, path, headers and body; status and type of the problem.
type Case<'a> = (&'a str, &'a str, &'a [(&'a str, &'a str)], &'a str, u16, &'a str);

#[tokio::test]
async fn requests_that_are_none_are_problems() {
    let subject = Subject::payment();
    let long = "k".repeat(201);
    let (hash, twice) = (hash(VISA), [JSON, ("handfast-not-after", "1"), ("handfast-not-after", "2")]);
    let (bad_time, bad_seen, bad_body) = (("handfast-not-after", "soon"), ("handfast-seen", "7"), ("handfast-body", &hash[1..]));
    let cases: [Case<'_>; 24] = [
        ("PUT", "/charges/k", &[], VISA, 415, "media-type"),
        ("PUT", "/charges/k", &[("content-type", "text/json")], VISA, 415, "media-type"),
        ("PUT", "/charges/k", &[JSON, ("content-type", "text/json")], VISA, 400, "header-invalid"),
        ("PUT", "/charges/k", &[JSON, JSON], VISA, 400, "header-invalid"),
        ("PUT", "/charges/k", &[JSON], "", 400, "body-invalid"),
        ("PUT", "/charges/k", &[JSON], "{", 400, "body-invalid"),
        ("PUT", "/charges/a%20b", &[JSON], VISA, 400, "key-invalid"),
        ("PUT", "/charges/a%2Fb", &[JSON], VISA, 400, "key-invalid"),
        ("PUT", "/charges/%FF", &[JSON], VISA, 400, "key-invalid"),
        ("PUT", "/charges/..", &[JSON], VISA, 400, "key-invalid"),
        ("PUT", &format!("/charges/{long}"), &[JSON], VISA, 400, "key-invalid"),
        ("PUT", "/charges/k", &[JSON, bad_time], VISA, 400, "header-invalid"),
        ("PUT", "/charges/k", &[JSON, ("handfast-not-after", "+5")], VISA, 400, "header-invalid"),
        ("PUT", "/charges/k", &twice, VISA, 400, "header-invalid"),
        ("PUT", "/charges/k", &[JSON, bad_seen], VISA, 400, "header-invalid"),
        ("PUT", "/charges/k", &[JSON, ("handfast-seen-changes", "k:1:m")], VISA, 400, "header-invalid"),
        ("PUT", "/charges/k", &[JSON, ("handfast-seen", "i:1"), ("handfast-seen-changes", "k:1")], VISA, 400, "header-invalid"),
        (
            "PUT",
            "/charges/k",
            &[JSON, ("handfast-seen", "i:1"), ("handfast-seen-changes", "k:1:m,")],
            VISA,
            400,
            "header-invalid",
        ),
        ("POST", "/charges/k/close", &[bad_body], "", 400, "header-invalid"),
        ("DELETE", "/charges/k", &[bad_body], "", 400, "header-invalid"),
        ("PATCH", "/charges/k", &[JSON], VISA, 405, "method-not-allowed"),
        ("GET", "/charges/k/close", &[], "", 405, "method-not-allowed"),
        ("GET", "/charges/k/open", &[], "", 404, "not-found"),
        ("POST", "/audit", &[], "", 405, "method-not-allowed"),
    ];
    for (method, path, headers, body, status, name) in cases {
        let answer = subject.send(method, path, headers, body).await;
        check_problem(&answer, status, name);
        assert_eq!(answer.headers.contains_key("allow"), status == 405, "{method} {path}");
    }
    check_problem(&subject.send("GET", "/", &[], "").await, 404, "not-found");
    assert_eq!(subject.sql::<i64>("SELECT count(*) FROM register"), 0, "nothing of this settles a key");
}

#[tokio::test]
async fn bodies_are_bounded_and_the_bound_itself_is_taken() {
    let subject = Subject::payment();
    let padded = |length: usize| format!("{VISA}{}", " ".repeat(length - VISA.len()));
    check_problem(&subject.act("k", &padded(BODY_LIMIT_BYTES + 1)).await, 413, "body-too-large");
    assert_eq!(subject.peek("k").await.state(), "absent");
    assert_eq!(subject.act("k", &padded(BODY_LIMIT_BYTES)).await.status, 200);
}

#[tokio::test]
async fn longest_keys_content_type_parameters_and_upper_case_hashes_are_taken() {
    let subject = Subject::payment();
    let path = subject.at(&"~".repeat(200));
    let answer = subject.send("PUT", &path, &[("content-type", "Application/JSON; charset=utf-8")], VISA).await;
    assert_eq!(answer.status, 200);
    let upper = hash(VISA).to_uppercase();
    assert_eq!(subject.send("DELETE", &path, &[("handfast-body", &upper)], "").await.state(), "undone");
}

#[tokio::test]
async fn json_that_cannot_be_held_is_refused_for_good() {
    let subject = Subject::payment();
    let deep = format!("{}{}", "[".repeat(1000), "]".repeat(1000));
    for (index, body) in ["1e999", &deep, r#"{"token":"\ud800"}"#].into_iter().enumerate() {
        let answer = subject.act(&format!("k{index}"), body).await;
        assert_eq!((answer.status.as_u16(), &answer.body["detail"]), (409, &json!("body_unreadable")));
        assert_eq!(answer.body["body_hash"], hash(body));
    }
}

#[tokio::test]
async fn operators_are_told_how_it_is() {
    let subject = Subject::payment();
    assert_eq!(subject.send("GET", "/livez", &[], "").await.body, json!({ "status": "live" }));
    assert_eq!(subject.send("GET", "/version", &[], "").await.body["service"], "payment");
    assert_eq!(subject.send("GET", "/readyz", &[], "").await.body["status"], "ready");
    subject.registers.stop().await;
    let answer = subject.send("GET", "/readyz", &[], "").await;
    check_problem(&answer, 503, "stopping");
    assert!(answer.headers.contains_key("retry-after"));
    check_problem(&subject.act("k", VISA).await, 503, "stopping");
    // Reading goes on to the end.
    assert_eq!(subject.peek("k").await.state(), "absent");
}
