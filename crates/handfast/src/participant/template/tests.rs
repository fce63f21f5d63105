//! Templates: what is sent, what an answer means, that no value breaks out of its place, and that no secret is shown.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse as _, Response};
use handfast_protocol::{Answer, Definite, Operation, Time};
use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::fill::Values;
use super::text::Setting;
use super::*;
use crate::clock::Clock;
use crate::journal::{Line, Receipt, Scalar};
use crate::participant::{Delivery, Heard, Participant as _, Reply};
use crate::store::BoxFuture;

/// When every saga here was placed.
const PLACED: Time = Time(1_796_068_800_123);

const SECRET: &str = "s3cr3t-and-never-shown";

type Asked = (Method, Uri, HeaderMap, String);

/// What a test's service was asked, and what it answers.
#[derive(Clone)]
pub(super) struct Service {
    asked: Arc<Mutex<Vec<Asked>>>,
    answer: Arc<Mutex<Box<dyn Fn() -> Response + Send>>>,
}

async fn answer(State(service): State<Service>, method: Method, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let body = String::from_utf8_lossy(&body).into_owned();
    service.asked.lock().unwrap().push((method, uri, headers, body));
    (service.answer.lock().unwrap())()
}

impl Service {
    pub(super) async fn start() -> (Self, String) {
        let ok = || (StatusCode::OK, json!({"status": "succeeded", "id": "h-1", "n": 7}).to_string()).into_response();
        let service = Self { asked: Arc::default(), answer: Arc::new(Mutex::new(Box::new(ok))) };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = axum::Router::new().fallback(answer).with_state(service.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        (service, url)
    }

    pub(super) fn answers(&self, status: u16, body: &str) {
        let (status, body) = (StatusCode::from_u16(status).unwrap(), body.to_owned());
        *self.answer.lock().unwrap() = Box::new(move || (status, body.clone()).into_response());
    }

    pub(super) fn asked(&self) -> Vec<Asked> {
        std::mem::take(&mut *self.asked.lock().unwrap())
    }
}

/// What a test has kept of earlier answers, and how long it takes to read it.
struct Known(Kept, Duration);

impl KeptReceipts for Known {
    fn of<'a>(&'a self, _saga: &'a str) -> BoxFuture<'a, Result<OfSaga, String>> {
        Box::pin(async {
            tokio::time::sleep(self.1).await;
            Ok(OfSaga { kept: self.0.clone(), placed_at: PLACED, ..OfSaga::default() })
        })
    }
}

fn condition(status: u16, pointer: &str, value: &str) -> Shapes {
    let json = if pointer.is_empty() {
        BTreeMap::new()
    } else {
        BTreeMap::from([(pointer.to_owned(), vec![Scalar::Text(value.to_owned())])])
    };
    Condition { status: vec![status], json, ..Condition::default() }.into()
}

fn texts(url: &str) -> HttpTexts {
    let owned = |pairs: &[(&str, &str)]| pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let kept = |pairs: &[(&str, &str)]| pairs.iter().map(|(name, at)| ((*name).to_owned(), KeptAt::from(*at))).collect();
    HttpTexts {
        act: CallText {
            method: Some("PUT".to_owned()),
            url: format!("{url}/holds/{{key}}/{{input.token}}?note={{input.note}}"),
            headers: owned(&[("authorization", "Bearer {secret.TOKEN}"), ("x-step", "{step}")]),
            body: Some(
                r#"{"minor": {input.amount.minor}, "note": "{input.note}", "lines": {input.lines}, "saga": "{saga}"}"#.to_owned(),
            ),
            answers: BTreeMap::from([
                ("done".to_owned(), condition(200, "/status", "succeeded")),
                ("refused".to_owned(), condition(402, "/error", "declined")),
                (
                    "closed".to_owned(),
                    Condition {
                        json: BTreeMap::from([("/closed".to_owned(), vec![Scalar::Bool(true)])]),
                        ..Condition::default()
                    }
                    .into(),
                ),
            ]),
            keep: kept(&[("id", "/id"), ("number", "/n")]),
            detail: Some("/reason".to_owned()),
            ..CallText::default()
        },
        undo: Some(CallText {
            url: format!("{url}/holds/{{receipt.hold.id}}/release"),
            form: vec![("a b".to_owned(), "{input.note}&x".to_owned())],
            answers: BTreeMap::from([("undone".to_owned(), condition(204, "", ""))]),
            ..CallText::default()
        }),
        peek: Some(CallText {
            url: format!("{url}/holds/{{key}}"),
            answers: BTreeMap::from([
                ("done".to_owned(), condition(200, "/status", "succeeded")),
                ("absent".to_owned(), condition(404, "/error", "no such hold")),
            ]),
            keep: kept(&[("id", "/id")]),
            ..CallText::default()
        }),
        ..HttpTexts::default()
    }
}

fn participant(url: &str, kept: Kept) -> TemplateParticipant {
    participant_with(url, Known(kept, Duration::ZERO), SECRET)
}

fn participant_with(url: &str, known: Known, secret: &str) -> TemplateParticipant {
    let templates = Arc::new(HttpTemplates::compile(texts(url)).unwrap());
    let secrets = BTreeMap::from([("TOKEN".to_owned(), Secret::new(secret))]);
    let secrets = Secrets::load(templates.secrets(), &secrets).unwrap();
    TemplateParticipant::new(templates, secrets, Arc::new(known), Duration::from_secs(1), Clock::system()).unwrap()
}

async fn ask(participant: &TemplateParticipant, operation: Operation, body: &Json) -> Reply {
    let body = Bytes::from(body.to_string());
    participant.deliver(Delivery { operation, body: &body, ..UNTIMED }).await
}

static NOTHING: Bytes = Bytes::new();

/// A delivery that is not to be there by any time.
pub(super) const UNTIMED: Delivery<'static> = Delivery {
    is_about_undo: false,
    key: "store1.order.7.hold",
    operation: Operation::Act,
    body: &NOTHING,
    body_hash: "",
    number: 1,
    seen: None,
    not_after: None,
    leaves_before: None,
};

/// What was seen instead of an answer by something that was not sent.
pub(super) fn not_sent(reply: Reply) -> String {
    match reply {
        Reply::Unknown { seen, heard: Heard::NotSent, .. } => seen,
        other @ (Reply::Unknown { .. }
        | Reply::Absent { .. }
        | Reply::Definite { .. }
        | Reply::Undo { .. }
        | Reply::Mismatch { .. }
        | Reply::Behind { .. }) => {
            panic!("{other:?}")
        }
    }
}

fn order() -> Json {
    json!({"amount": {"minor": 1999, "currency": "EUR"}, "token": "tok/a?b", "note": "a \"b\"\n&c", "lines": [{"sku": "x"}]})
}

fn hold() -> Kept {
    Kept::from([("hold".to_owned(), BTreeMap::from([("id".to_owned(), Scalar::Text("h/1".to_owned()))]))])
}

#[tokio::test]
async fn an_act_is_sent_as_it_is_written_and_its_answer_is_kept() {
    let (service, url) = Service::start().await;
    let participant = participant(&url, hold());
    let reply = ask(&participant, Operation::Act, &order()).await;
    let kept = BTreeMap::from([("id".to_owned(), Scalar::Text("h-1".to_owned())), ("number".to_owned(), Scalar::Integer(7))]);
    let receipt = Receipt { kept, ..Receipt::default() };
    assert_eq!(reply, Reply::Definite { answer: Answer::State(Definite::Done), receipt });
    let [(method, uri, headers, body)] = &service.asked()[..] else { panic!("asked once") };
    assert_eq!(method, Method::PUT);
    assert_eq!(uri.to_string(), "/holds/store1.order.7.hold/tok%2Fa%3Fb?note=a%20%22b%22%0A%26c");
    assert_eq!(headers["authorization"], format!("Bearer {SECRET}").as_str());
    assert_eq!((&headers["x-step"], &headers["content-type"]), (&"hold".parse().unwrap(), &"application/json".parse().unwrap()));
    let expected = json!({"minor": 1999, "note": "a \"b\"\n&c", "lines": [{"sku": "x"}], "saga": "order.7"});
    assert_eq!(serde_json::from_str::<Json>(body).unwrap(), expected);

    service.answers(204, "");
    let undone = ask(&participant, Operation::Undo, &order()).await;
    assert_eq!(undone, Reply::Definite { answer: Answer::State(Definite::Undone), receipt: Receipt::default() });
    let [(method, uri, headers, body)] = &service.asked()[..] else { panic!("asked once") };
    assert_eq!((method, uri.path()), (&Method::POST, "/holds/h%2F1/release"));
    assert_eq!(headers["content-type"], "application/x-www-form-urlencoded");
    assert_eq!(body, "a%20b=a%20%22b%22%0A%26c%26x");
}

#[tokio::test]
async fn what_is_missing_is_not_sent_and_says_so() {
    let (service, url) = Service::start().await;
    let participant = participant(&url, Kept::new());
    let undo = not_sent(ask(&participant, Operation::Undo, &order()).await);
    assert_eq!(undo, "not sent: no answer of step hold has brought its id yet");
    assert_eq!(not_sent(ask(&participant, Operation::Close, &order()).await), "not sent: the flow has no template for close");
    for token in ["..", "."] {
        let order = json!({"token": token});
        let act = not_sent(ask(&participant, Operation::Act, &order).await);
        assert_eq!(act, "not sent: a value would lead to another path than the flow describes");
    }
    assert_eq!(
        not_sent(ask(&participant, Operation::Act, &json!({})).await),
        "not sent: a part of the url's path would be empty"
    );
    assert!(service.asked().is_empty(), "nothing has left");
}

#[tokio::test]
async fn nothing_leaves_after_its_time_however_long_the_reading_takes() {
    let (service, url) = Service::start().await;
    let body = Bytes::from(order().to_string());
    let until = |time_ms: u64| Clock::system().now().after(time_ms);
    let ask = |known: Known, delivery: Delivery<'static>| {
        let (participant, body) = (participant_with(&url, known, SECRET), &body);
        async move { participant.deliver(Delivery { body, ..delivery }).await }
    };
    let undo = Delivery { operation: Operation::Undo, ..UNTIMED };
    for (delivery, waits_ms) in [
        (Delivery { not_after: Some(Time(1)), ..UNTIMED }, 0),
        (Delivery { leaves_before: Some(Time(1)), ..UNTIMED }, 0),
        (Delivery { leaves_before: Some(Time(1)), ..undo }, 0),
        // In time when it was handed over, and late when what was kept had been read.
        (Delivery { leaves_before: Some(until(200)), ..undo }, 400),
    ] {
        let reply = ask(Known(hold(), Duration::from_millis(waits_ms)), delivery).await;
        assert_eq!(not_sent(reply), "not sent: its time is over");
    }
    assert!(service.asked().is_empty(), "nothing has left");
    // An undo has no end of its own, and what is in time leaves.
    for delivery in [
        Delivery { not_after: Some(Time(1)), ..undo },
        Delivery { leaves_before: Some(until(60_000)), ..undo },
        Delivery { not_after: Some(until(60_000)), leaves_before: Some(until(60_000)), ..UNTIMED },
    ] {
        ask(Known(hold(), Duration::ZERO), delivery).await;
        assert_eq!(service.asked().len(), 1, "{delivery:?}");
    }
}

#[tokio::test]
async fn only_an_answer_that_means_one_thing_is_definite() {
    let (service, url) = Service::start().await;
    let participant = participant(&url, hold());
    let done = r#"{"status": "succeeded", "id": "h-1", "n": 7}"#;
    let secret = format!(r#"{{"status": "succeeded", "id": "x{SECRET}", "n": 7}}"#);
    let long = format!(r#"{{"status": "succeeded", "id": "{}", "n": 7}}"#, "x".repeat(256));
    let large = format!(r#"{{"status": "succeeded", "id": "h-1", "n": 7, "more": "{}"}}"#, "x".repeat(70_000));
    for (status, body, expected) in [
        (200, done, Ok(Definite::Done)),
        (201, done, Err("201 that means nothing that the flow describes")),
        (200, r#"{"status": "pending", "id": "h-1", "n": 7}"#, Err("200 that means nothing that the flow describes")),
        (200, "<html>succeeded</html>", Err("200 that means nothing that the flow describes")),
        (200, "", Err("200 that means nothing that the flow describes")),
        (200, r#"{"status": "succeeded", "n": 7}"#, Err("200 that means done but brings no id that can be kept")),
        (
            200,
            r#"{"status": "succeeded", "id": "h-1", "n": 7.5}"#,
            Err("200 that means done but brings no number that can be kept"),
        ),
        (200, r#"{"status": "succeeded", "id": "", "n": 7}"#, Err("200 that means done but brings no id that can be kept")),
        (200, r#"{"status": "succeeded", "id": "..", "n": 7}"#, Err("200 that means done but brings no id that can be kept")),
        (200, r#"{"status": "succeeded", "id": ".", "n": 7}"#, Err("200 that means done but brings no id that can be kept")),
        (200, &secret, Err("200 that means done but its id repeats a secret, which is not kept")),
        (200, &long, Err("200 that means done but brings no id that can be kept")),
        (200, &large, Err("200 with a body of more than 65536 bytes")),
        (402, r#"{"error": "declined"}"#, Ok(Definite::Refused)),
        (402, r#"{"error": "rate limited"}"#, Err("402 that means nothing that the flow describes")),
        (500, r#"{"closed": true}"#, Ok(Definite::Closed)),
        (500, r#"{"closed": "true"}"#, Err("500 that means nothing that the flow describes")),
        (402, r#"{"error": "declined", "closed": true}"#, Err("402 that means closed and refused at once")),
        (404, done, Err("404 that means nothing that the flow describes")),
    ] {
        service.answers(status, body);
        let told = match ask(&participant, Operation::Act, &order()).await {
            Reply::Definite { answer: Answer::State(state), .. } => Ok(state),
            Reply::Unknown { seen, heard: Heard::Status(_), .. } => {
                assert!(!seen.contains(SECRET) && seen.len() < 300, "{seen}");
                // Behind that stands how the body begins.
                Err(seen.split_once(": ").map_or(seen.clone(), |(said, _)| said.to_owned()))
            }
            other @ (Reply::Unknown { .. }
            | Reply::Absent { .. }
            | Reply::Definite { .. }
            | Reply::Undo { .. }
            | Reply::Mismatch { .. }
            | Reply::Behind { .. }) => {
                panic!("{other:?}")
            }
        };
        let begins: String = body.chars().take(80).collect();
        assert_eq!(told, expected.map_err(ToOwned::to_owned), "{status} {begins}");
    }
}

#[tokio::test]
async fn redirects_are_not_followed_and_a_wish_for_quiet_is_heard() {
    let (service, url) = Service::start().await;
    let participant = participant(&url, hold());
    *service.answer.lock().unwrap() = Box::new(move || {
        (StatusCode::TEMPORARY_REDIRECT, [(header::LOCATION, "/elsewhere"), (header::RETRY_AFTER, "7")]).into_response()
    });
    let reply = ask(&participant, Operation::Act, &order()).await;
    assert!(matches!(reply, Reply::Unknown { retry_after: Some(wait), .. } if wait == Duration::from_secs(7)), "{reply:?}");
    assert_eq!(service.asked().len(), 1);
}

#[tokio::test]
async fn a_peek_that_was_answered_is_told_apart_from_one_that_was_not() {
    let (service, url) = Service::start().await;
    let at = |url: &str| participant(url, hold());
    for (status, body, is_answered) in [
        (404, r#"{"error": "no such hold"}"#, true),
        // What is being worked on may be there in a moment.
        (200, r#"{"status": "pending"}"#, false),
        (204, "", false),
        // A server that knows no such path answers so too.
        (404, "", false),
        (404, r#"{"error": "no such page"}"#, false),
        (410, "", false),
        (200, r#"{"status": "succeeded"}"#, false),
        (401, "", false),
        (429, "", false),
        (503, "", false),
    ] {
        service.answers(status, body);
        let reply = ask(&at(&url), Operation::Look, &order()).await;
        assert_eq!(matches!(reply, Reply::Absent { .. }), is_answered, "{status} {body} {reply:?}");
        assert!(is_answered || matches!(reply, Reply::Unknown { .. }), "{status} {body} {reply:?}");
    }
    let large = "x".repeat(70_000);
    service.answers(200, &large);
    assert!(matches!(ask(&at(&url), Operation::Look, &order()).await, Reply::Unknown { .. }));
    assert!(matches!(
        ask(&at("http://127.0.0.1:9"), Operation::Look, &order()).await,
        Reply::Unknown { heard: Heard::NoConnection, .. }
    ));
    service.answers(404, r#"{"error": "no such hold"}"#);
    assert!(matches!(ask(&at(&url), Operation::Act, &order()).await, Reply::Unknown { .. }), "to an act it is no answer");
}

#[tokio::test]
async fn a_body_is_read_strictly_and_is_not_to_be_compressed() {
    let (service, url) = Service::start().await;
    let participant = participant(&url, hold());
    let good = r#"{"status": "succeeded", "id": "h-1", "n": 7}"#;
    for (body, is_done) in [
        (format!("\u{feff}{good}"), true),
        (good.replace('{', r#"{"status": "declined", "#), false),
        (good.replace('}', r#", "more": [{"a": 1, "a": 2}]}"#), false),
    ] {
        service.answers(200, &body);
        let reply = ask(&participant, Operation::Act, &order()).await;
        assert_eq!(matches!(reply, Reply::Definite { .. }), is_done, "{body} {reply:?}");
    }
    *service.answer.lock().unwrap() =
        Box::new(move || (StatusCode::OK, [(header::CONTENT_ENCODING, "gzip")], good).into_response());
    let Reply::Unknown { seen, heard: Heard::Status(200), .. } = ask(&participant, Operation::Act, &order()).await else {
        panic!("unknown")
    };
    assert!(seen.starts_with("200 with a Content-Encoding"), "{seen}");
    assert!(service.asked().iter().all(|(_, _, headers, _)| headers["accept-encoding"] == "identity"));
}

/// A merchant's number may be a secret, and a part of what has nothing to do with it.
#[tokio::test]
async fn a_short_secret_is_told_by_itself_only_and_a_long_one_wherever_it_stands() {
    let (service, url) = Service::start().await;
    for (secret, id, n, is_kept) in [
        ("42", r#""ch-4217""#, "7", true),
        ("42", r#""42""#, "7", false),
        ("42", "42", "42", true),
        ("1234567", r#""h-1234567""#, "1234567", true),
        ("12345678", r#""h-12345678""#, "7", false),
        ("12345678", r#""h-1""#, "12345678", false),
        ("12345678", r#""h-1""#, "-112345678", false),
    ] {
        service.answers(200, &format!(r#"{{"status": "succeeded", "id": {id}, "n": {n}}}"#));
        let participant = participant_with(&url, Known(hold(), Duration::ZERO), secret);
        let reply = ask(&participant, Operation::Act, &order()).await;
        assert_eq!(matches!(reply, Reply::Definite { .. }), is_kept, "{secret} {id} {n}: {reply:?}");
    }
    // Nothing waits for a detail, so it is left out even where a secret stands in it by chance.
    service.answers(402, r#"{"error": "declined", "reason": "merchant 42 is blocked"}"#);
    let participant = participant_with(&url, Known(hold(), Duration::ZERO), "42");
    let Reply::Definite { receipt, .. } = ask(&participant, Operation::Act, &order()).await else { panic!("refused") };
    assert_eq!(receipt.detail, None);
}

/// Whatever can be kept of an answer can stand in every place that a gap may have.
#[tokio::test]
async fn what_was_kept_can_always_be_sent() {
    let (service, url) = Service::start().await;
    let mut texts = texts(&url);
    let undo = texts.undo.as_mut().unwrap();
    undo.headers.insert("if-match".to_owned(), "{receipt.hold.id}".to_owned());
    let templates = Arc::new(HttpTemplates::compile(texts).unwrap());
    let secrets = Secrets::load(templates.secrets(), &BTreeMap::from([("TOKEN".to_owned(), Secret::new(SECRET))])).unwrap();
    let kept = Kept::from([("hold".to_owned(), BTreeMap::from([("id".to_owned(), Scalar::Text("Größe 1".to_owned()))]))]);
    let known = Arc::new(Known(kept, Duration::ZERO));
    let participant = TemplateParticipant::new(templates, secrets, known, Duration::from_secs(1), Clock::system()).unwrap();
    ask(&participant, Operation::Undo, &order()).await;
    let [(_, _, headers, _)] = &service.asked()[..] else { panic!("asked once") };
    assert_eq!(headers["if-match"].as_bytes(), "Größe 1".as_bytes());
}

#[tokio::test]
async fn a_secret_is_shown_nowhere() {
    let (service, url) = Service::start().await;
    let participant = participant(&url, hold());
    // An answer that repeats what it was sent, as some services do.
    service.answers(402, &format!(r#"{{"error": "declined", "reason": "token {SECRET} has no funds"}}"#));
    let Reply::Definite { answer, receipt } = ask(&participant, Operation::Act, &order()).await else { panic!("refused") };
    assert_eq!(receipt.detail, None);
    let command = handfast_protocol::Command { step: 0, operation: Operation::Act };
    let line = Line::Answer { to: command, answer, receipt }.write(1).unwrap();
    service.answers(402, r#"{"error": "declined", "reason": "no_funds"}"#);
    let Reply::Definite { receipt, .. } = ask(&participant, Operation::Act, &order()).await else { panic!("refused") };
    assert_eq!(receipt.detail.as_deref(), Some("no_funds"));

    let (order, kept) = (order(), hold());
    let values = Values { step: "hold", ..values(&order, &kept, participant.secrets()) };
    let templates = HttpTemplates::compile(texts(&url)).unwrap();
    let request = templates.call(Operation::Act).unwrap().request(&|value| values.of(value)).unwrap();
    let closed = self::participant("http://127.0.0.1:9", hold());
    let unreachable = ask(&closed, Operation::Act, &order).await;
    for shown in [
        line,
        format!("{request:?}"),
        format!("{unreachable:?}"),
        format!("{templates:?}"),
        format!("{:?}", participant.secrets()),
    ] {
        assert!(!shown.contains(SECRET), "{shown}");
    }
}

fn values<'a>(input: &'a Json, kept: &'a Kept, secrets: &'a Secrets) -> Values<'a> {
    Values { key: "s.o.p", saga: "o", step: "p", input, kept, placed_at: PLACED, now: Time(1_796_155_200_000), secrets }
}

fn filled(text: &str, setting: Setting, input: &Json) -> Result<String, String> {
    let (kept, secrets) = (Kept::new(), Secrets::default());
    let values = values(input, &kept, &secrets);
    Template::read(text, setting).unwrap().fill(&|value| values.of(value))
}

/// The text of a part of a URL or form.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        if let ([b'%', ..], Some(digits)) = (rest, after.get(..2)) {
            bytes.push(u8::from_str_radix(std::str::from_utf8(digits).unwrap(), 16).unwrap());
            rest = &after[2..];
        } else {
            bytes.push(*first);
            rest = after;
        }
    }
    String::from_utf8(bytes).unwrap()
}

/// Text of all kinds, and more often than by chance what ends a text, a segment or a line somewhere.
fn any_text() -> impl Strategy<Value = String> {
    let nasty = prop_oneof![
        Just("\"".to_owned()),
        Just("\\".to_owned()),
        Just("/".to_owned()),
        Just("..".to_owned()),
        Just("?".to_owned()),
        Just("#".to_owned()),
        Just("&".to_owned()),
        Just("%2e".to_owned()),
        Just("{key}".to_owned()),
        Just("\r\n".to_owned()),
        Just("\u{2028}".to_owned()),
        any::<String>()
    ];
    proptest::collection::vec(nasty, 0..6).prop_map(|parts| parts.concat())
}

proptest! {
    #[test]
    fn no_value_breaks_out_of_a_text_of_json(text in any_text()) {
        let body = filled(r#"{"a": "x{input.t}y", "b": {input.t}, "c": [1]}"#, Setting::Json, &json!({"t": text})).unwrap();
        let read: Json = serde_json::from_str(&body).unwrap();
        prop_assert_eq!(read, json!({"a": format!("x{text}y"), "b": text, "c": [1]}));
    }

    #[test]
    fn no_value_breaks_out_of_its_part_of_a_url(text in any_text()) {
        let call = CallText {
            url: "http://h.example/a/{input.t}/b?c={input.t}&d=1".to_owned(),
            answers: BTreeMap::from([("done".to_owned(), condition(200, "", ""))]),
            ..CallText::default()
        };
        let call = Call::compile(Operation::Act, &call, &[]).unwrap();
        let (kept, secrets, input) = (Kept::new(), Secrets::default(), json!({"t": text}));
        let values = values(&input, &kept, &secrets);
        let Ok(request) = call.request(&|value| values.of(value)) else {
            prop_assert!(["", ".", ".."].contains(&text.as_str()), "{:?} could be sent", text);
            return Ok(());
        };
        let url = request.url();
        let segments: Vec<String> = url.path_segments().unwrap().map(decoded).collect();
        prop_assert_eq!(segments, ["a".to_owned(), text.clone(), "b".to_owned()]);
        let fields: Vec<String> = url.query().unwrap().split('&').map(decoded).collect();
        prop_assert_eq!(fields, [format!("c={text}"), "d=1".to_owned()]);
        prop_assert_eq!((url.host_str(), url.fragment()), (Some("h.example"), None));
    }

    #[test]
    fn no_value_breaks_out_of_a_field_of_a_form(text in any_text()) {
        let field = filled("x{input.t}", Setting::Form, &json!({"t": text})).unwrap();
        prop_assert!(!field.contains(['&', '=', '+']), "{}", field);
        prop_assert_eq!(decoded(&field), format!("x{text}"));
    }
}
