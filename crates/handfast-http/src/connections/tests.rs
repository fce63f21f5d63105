//! Callers that read or write nothing are dropped in time, whatever they do nothing of; those that are slow are not.

use axum::routing::get;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use super::*;

/// A little more than anybody may do nothing.
const TOO_LONG: Duration = Duration::from_secs(31);
/// A good deal less.
const A_WHILE: Duration = Duration::from_secs(20);

/// Answers shortly, and at length.
fn router() -> Router {
    Router::new().route("/short", get(async || "here")).route("/long", get(async || "x".repeat(1_000_000)))
}

/// A caller over a road that holds so many bytes, and the task that serves it.
fn caller(holds: usize) -> (DuplexStream, JoinHandle<()>, watch::Sender<bool>) {
    let (theirs, ours) = duplex(holds);
    let (keeps_on, stop) = watch::channel(false);
    let server = Server::new(TowerToHyperService::new(router()));
    (theirs, tokio::spawn(async move { server.talk(ours, stop).await }), keeps_on)
}

/// What comes until the connection ends, which it has to do in time.
async fn last_words(stream: &mut DuplexStream) -> String {
    let mut words = Vec::new();
    timeout(TOO_LONG, stream.read_to_end(&mut words)).await.expect("it is dropped").expect("it is ended, not broken");
    String::from_utf8(words).expect("an answer is text")
}

/// A short answer, whole.
async fn short_answer(stream: &mut DuplexStream) -> String {
    let mut answer = Vec::new();
    while !answer.ends_with(b"here") {
        answer.push(timeout(TOO_LONG, stream.read_u8()).await.expect("an answer in time").expect("an answer"));
    }
    String::from_utf8(answer).expect("an answer is text")
}

#[tokio::test(start_paused = true)]
async fn whoever_asks_nothing_is_dropped() {
    let (mut silent, served, _on) = caller(4096);
    assert_eq!(last_words(&mut silent).await, "");
    timeout(Duration::from_secs(1), served).await.expect("its place is free").expect("no panic");
}

#[tokio::test(start_paused = true)]
async fn whoever_never_ends_the_head_is_dropped_however_often_a_byte_comes() {
    let (mut trickling, served, _on) = caller(4096);
    trickling.write_all(b"GET /short HTTP/1.1\r\nHost: a\r\nX: ").await.expect("it listens");
    for _ in 0..TOO_LONG.as_secs() {
        // Whoever was dropped finds nobody to send more to.
        let _dropped = trickling.write_all(b"x").await;
        sleep(Duration::from_secs(1)).await;
    }
    timeout(Duration::from_secs(2), served).await.expect("its place is free").expect("no panic");
}

#[tokio::test(start_paused = true)]
async fn whoever_asks_nothing_more_is_dropped_and_whoever_does_in_time_is_not() {
    let (mut idle, served, _on) = caller(4096);
    for _ in 0..3 {
        idle.write_all(b"GET /short HTTP/1.1\r\nHost: a\r\n\r\n").await.expect("it listens");
        assert!(short_answer(&mut idle).await.starts_with("HTTP/1.1 200 "));
        sleep(A_WHILE).await;
    }
    assert_eq!(last_words(&mut idle).await, "");
    timeout(Duration::from_secs(1), served).await.expect("its place is free").expect("no panic");
}

#[tokio::test(start_paused = true)]
async fn whoever_takes_nothing_of_an_answer_is_dropped_and_whoever_takes_it_slowly_is_not() {
    let (mut greedy, served, _on) = caller(1024);
    greedy.write_all(b"GET /long HTTP/1.1\r\nHost: a\r\n\r\n").await.expect("it listens");
    timeout(TOO_LONG, served).await.expect("its place is free").expect("no panic");

    let (mut slow, served, _on) = caller(100_000);
    slow.write_all(b"GET /long HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await.expect("it listens");
    let mut part = vec![0; 100_000];
    for _ in 0..10 {
        sleep(A_WHILE).await;
        slow.read_exact(&mut part).await.expect("it goes on as long as something is taken");
    }
    assert_eq!(last_words(&mut slow).await.trim_start_matches('x'), "");
    timeout(Duration::from_secs(1), served).await.expect("its place is free").expect("no panic");
}
