//! Services that are asked over real sockets: what counts as an answer of theirs, and what does not.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use handfast::store::{MemoryStore, Store};
use handfast::{Engine, Flow, Options, Order, Outcome};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// Reads one request, head and body, from a connection.
async fn read_request(stream: &mut tokio::net::TcpStream) -> Option<String> {
    let mut text = Vec::new();
    loop {
        let mut chunk = [0; 4096];
        let read = stream.read(&mut chunk).await.ok()?;
        if read == 0 {
            return None;
        }
        text.extend_from_slice(&chunk[..read]);
        let seen = String::from_utf8_lossy(&text).to_lowercase();
        let Some((head, body)) = seen.split_once("\r\n\r\n") else { continue };
        let length = head.split("content-length: ").nth(1).and_then(|rest| rest.split("\r\n").next()?.parse().ok());
        if body.len() >= length.unwrap_or(0) {
            return Some(String::from_utf8_lossy(&text).into_owned());
        }
    }
}

/// A service that answers with the next of these texts at every request, and with the last one ever after. `{key}` and
/// `{hash}` in them are those of the request, and a text that is empty is no answer.
pub(crate) async fn service(answers: Vec<String>) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/keys", listener.local_addr().unwrap());
    let requests = Arc::new(Mutex::new(Vec::new()));
    let (noted, answers) = (Arc::clone(&requests), Arc::new(answers));
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let (noted, answers) = (Arc::clone(&noted), Arc::clone(&answers));
            tokio::spawn(async move {
                while let Some(request) = read_request(&mut stream).await {
                    let number = {
                        let mut noted = noted.lock().unwrap();
                        noted.push(request.clone());
                        noted.len() - 1
                    };
                    let body = request.split_once("\r\n\r\n").map_or("", |(_, body)| body);
                    let key = request.split("/keys/").nth(1).unwrap().split([' ', '/']).next().unwrap();
                    let text = &answers[number.min(answers.len() - 1)];
                    let text = text.replace("{key}", key).replace("{hash}", &sha256(body.as_bytes()));
                    if text.is_empty() {
                        tokio::time::sleep(Duration::from_secs(30)).await;
                    }
                    stream.write_all(text.as_bytes()).await.unwrap();
                }
            });
        }
    });
    (url, requests)
}

pub(crate) fn sha256(bytes: &[u8]) -> String {
    use sha2::Digest as _;
    sha2::Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(crate) fn http(status: &str, headers: &str, body: &str) -> String {
    // The placeholders are as long as what comes in their place, but for the braces' names.
    let length = body.replace("{key}", &"k".repeat(KEY_LENGTH)).replace("{hash}", &"h".repeat(64)).len();
    format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\n{headers}\r\n{body}")
}

pub(crate) const DONE: &str = r#"{"key":"{key}","state":"done","body_hash":"{hash}","seq":3,"incarnation":"i","at":5}"#;
/// A store's id, a saga called `order-1`, a step called `payment`.
pub(crate) const KEY_LENGTH: usize = 10 + 1 + 7 + 1 + 7;

async fn pay_at(answers: Vec<String>) -> (Outcome, Vec<String>, Vec<String>) {
    let (url, requests) = service(answers).await;
    let flow = Flow::builder("pay").compensatable("payment", url.as_str()).timeout(Duration::from_millis(300)).build().unwrap();
    let options =
        Options::default().with_backoff(handfast::Backoff { base: Duration::from_millis(1), cap: Duration::from_millis(5) });
    let engine =
        Engine::builder(Arc::new(MemoryStore::new()) as Arc<dyn Store>).flow(flow).options(options).open().await.unwrap();
    let mut saga = engine.submit(Order::in_flow_order("order-1", "{}", vec![br#"{"amount":1}"#.to_vec()])).await.unwrap();
    let outcome = tokio::time::timeout(Duration::from_secs(20), saga.outcome()).await.expect("it ends in time").unwrap();
    let tries = engine.saga("order-1").await.unwrap().unwrap().tries.into_iter().map(|attempt| attempt.seen).collect();
    let requests = requests.lock().unwrap().clone();
    (outcome, tries, requests)
}

#[tokio::test]
async fn over_http_only_a_receipt_is_an_answer() {
    let oversized = format!("{{\"key\":\"{}\"}}", "x".repeat(70 * 1024));
    let answers = vec![
        http("409 Conflict", "content-type: text/html\r\n", "<h1>conflict</h1>"),
        http("307 Temporary Redirect", "location: /elsewhere\r\n", ""),
        http("200 OK", "", &oversized),
        String::new(),
        http("503 Service Unavailable", "retry-after: 0\r\n", "busy"),
        http("200 OK", "", &DONE.replace("\"done\"", "\"refused\"")),
        http("200 OK", "content-type: application/json\r\n", DONE),
    ];
    let (outcome, tries, requests) = pay_at(answers).await;
    assert_eq!(outcome, Outcome::Completed);
    assert_eq!(tries[0], "409 without a receipt: <h1>conflict</h1>", "people see how the body begins");
    let tries: Vec<&str> = tries.iter().map(|seen| seen.split_once(": ").map_or(seen.as_str(), |(said, _)| said)).collect();
    assert_eq!(
        tries,
        [
            "409 without a receipt",
            "307 without a receipt",
            "200 with a body of more than 65536 bytes",
            "no answer within 300 ms",
            "503 without a receipt",
            "200 with a receipt that says refused"
        ]
    );
    assert_eq!(requests.len(), 7);
    for (request, number) in requests.iter().zip(1..) {
        assert!(request.starts_with("PUT /keys/") && request.ends_with(r#"{"amount":1}"#), "{request}");
        assert!(request.to_lowercase().contains(&format!("handfast-try: {number}\r\n")), "{request}");
    }
}

/// A key that is there twice proves nothing, what is compressed though nobody asked for that is not read, and a byte-order mark
/// is skipped.
#[tokio::test]
async fn over_http_answers_are_read_strictly() {
    let twice = DONE.replace(r#""state":"done""#, r#""state":"done","state":"done""#);
    let answers = vec![
        http("200 OK", "", &twice),
        http("200 OK", "content-encoding: gzip\r\n", DONE),
        http("200 OK", "", &format!("\u{feff}{DONE}")),
    ];
    let (outcome, tries, requests) = pay_at(answers).await;
    assert_eq!((outcome, tries.len(), requests.len()), (Outcome::Completed, 2, 3), "{tries:?}");
    assert!(tries[0].starts_with("200 without a receipt") && tries[1].contains("a Content-Encoding"), "{tries:?}");
    assert!(requests.iter().all(|request| request.to_lowercase().contains("accept-encoding: identity\r\n")), "{requests:?}");
}

/// More seconds than can be counted are no reason to ask again at once.
#[tokio::test]
async fn a_wish_for_quiet_beyond_the_bound_counts_as_the_bound() {
    const BOUND_MS: u64 = 300_000;
    let busy = http("503 Service Unavailable", "retry-after: 999999999999999999999\r\n", "busy");
    let (url, requests) = service(vec![busy, http("200 OK", "", DONE)]).await;
    let flow = Flow::builder("pay").compensatable("payment", url.as_str()).build().unwrap();
    let options = Options::default().with_park_after(Duration::from_millis(50));
    let engine = Engine::builder(Arc::new(MemoryStore::new())).flow(flow).options(options).open().await.unwrap();
    let placed = handfast::Clock::system().now();
    let mut saga = engine.submit(Order::in_flow_order("order-1", "{}", vec![b"{}".to_vec()])).await.unwrap();
    let wake_at = loop {
        let progress = saga.wait(Duration::from_millis(20)).await.unwrap();
        assert_eq!(progress.outcome(), None, "it was asked again at once");
        let view = engine.saga("order-1").await.unwrap().unwrap();
        if engine.stats().active == 0 && !view.tries.is_empty() {
            break view.wake_at.unwrap();
        }
    };
    let pause_ms = wake_at.0 - placed.0;
    assert!((BOUND_MS - 1_000..BOUND_MS + 30_000).contains(&pause_ms), "it is left alone for {pause_ms} ms");
    assert_eq!(requests.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn nobody_at_the_port_is_no_answer() {
    let (url, _requests) = service(vec![http("200 OK", "", DONE)]).await;
    let gone = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let silent = format!("http://{}/keys", gone.local_addr().unwrap());
    drop(gone);
    let flow = Flow::builder("pay").compensatable("payment", url.as_str()).pivot("dispatch", silent.as_str()).build().unwrap();
    let engine = Engine::builder(Arc::new(MemoryStore::new()) as Arc<dyn Store>).flow(flow).open().await.unwrap();
    let mut saga = engine.submit(Order::in_flow_order("order-1", "{}", vec![b"{}".to_vec(); 2])).await.unwrap();
    let progress = saga.wait(Duration::from_millis(500)).await.unwrap();
    assert_eq!(progress.outcome(), None);
    let tries = engine.saga("order-1").await.unwrap().unwrap().tries;
    assert!(
        !tries.is_empty() && tries.iter().all(|attempt| attempt.step == 1 && attempt.seen.starts_with("no connection")),
        "{tries:?}"
    );
    assert_eq!(engine.stats().participants.iter().map(|line| line.answered).sum::<u64>(), 1);
}
