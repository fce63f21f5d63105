//! The road, as a real process between real sockets.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use serde_json::Value;

/// How long a test waits for something that is bound to happen.
const PATIENCE: Duration = Duration::from_secs(20);

/// A participant that writes down what arrives and answers 200 with the body it was sent, after a while.
struct Stub {
    at: SocketAddr,
    arrivals: Arc<Mutex<Vec<Message>>>,
}

#[derive(Clone, Debug)]
struct Message {
    first_line: String,
    headers: BTreeMap<String, String>,
    body: String,
}

impl Stub {
    fn answering_after(pause: Duration) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let at = listener.local_addr().expect("an address");
        let arrivals = Arc::new(Mutex::new(Vec::new()));
        let book = Arc::clone(&arrivals);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (stream, book) = (stream.expect("a caller"), Arc::clone(&book));
                thread::spawn(move || {
                    let mut reader = BufReader::new(stream.try_clone().expect("the same socket"));
                    while let Some(message) = read_message(&mut reader) {
                        let body = message.body.clone();
                        book.lock().expect("the book").push(message);
                        thread::sleep(pause);
                        let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nx-stub: yes\r\n\r\n{body}", body.len());
                        if (&stream).write_all(answer.as_bytes()).is_err() {
                            return;
                        }
                    }
                });
            }
        });
        Self { at, arrivals }
    }

    fn arrivals(&self) -> Vec<Message> {
        self.arrivals.lock().expect("the book").clone()
    }

    fn keys(&self) -> BTreeSet<String> {
        let key = |message: &Message| message.first_line.split(' ').nth(1).expect("a path").rsplit('/').next().map(str::to_owned);
        self.arrivals().iter().filter_map(key).collect()
    }

    fn await_arrivals(&self, count: usize) -> Vec<Message> {
        await_that(|| self.arrivals().len() >= count);
        self.arrivals()
    }
}

fn await_that(holds: impl Fn() -> bool) {
    for _ in 0..PATIENCE.as_millis() / 10 {
        if holds() {
            return;
        }
        thread::sleep(Duration::from_millis(10));
    }
    panic!("it never happened");
}

/// Reads one request or answer; `None` when the connection ends before a whole one has come.
fn read_message(reader: &mut impl std::io::BufRead) -> Option<Message> {
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|&read| read > 0)?;
    let first_line = line.trim_end().to_owned();
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok().filter(|&read| read > 0)?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    let length = headers.get("content-length").map_or(0, |length| length.parse().expect("a length"));
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(Message { first_line, headers, body: String::from_utf8(body).expect("text") })
}

/// A running road. It ends with the test.
struct Road {
    process: Child,
    at: SocketAddr,
    log: PathBuf,
    _dir: tempfile::TempDir,
}

impl Drop for Road {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

impl Road {
    fn to(participant: SocketAddr, options: &[&str]) -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let log = dir.path().join("road.jsonl");
        let mut process = messenger()
            .args(["--listen", "127.0.0.1:0", "--to", &format!("http://{participant}"), "--log", text(&log)])
            .args(options)
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary runs");
        // The road says where it listens.
        let mut said = String::new();
        let stderr = process.stderr.take().expect("standard error");
        BufReader::new(stderr).read_line(&mut said).expect("text");
        let at = said.split("http://").nth(1).and_then(|rest| rest.split(' ').next()).expect(&said).parse().expect("an address");
        Self { process, at, log, _dir: dir }
    }

    fn connect(&self) -> BufReader<TcpStream> {
        let stream = TcpStream::connect(self.at).expect("the road is open");
        stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        BufReader::new(stream)
    }

    /// Sends a request on a connection of its own; `None` if it was closed without an answer.
    fn ask(&self, request: &str) -> Option<Message> {
        ask(&mut self.connect(), request)
    }

    fn put(&self, key: &str) -> Option<Message> {
        self.ask(&format!("PUT /charges/{key} HTTP/1.1\r\nhost: x\r\nhandfast-try: 4\r\ncontent-length: 2\r\n\r\n{{}}"))
    }

    fn tell(&self, what: &str) -> Value {
        let answer = self.ask(&format!("POST /__messenger/{what} HTTP/1.1\r\nhost: x\r\n\r\n")).expect("an answer");
        serde_json::from_str(&answer.body).expect("JSON")
    }

    fn stats(&self) -> Value {
        let answer = self.ask("GET /__messenger/stats HTTP/1.1\r\nhost: x\r\n\r\n").expect("an answer");
        serde_json::from_str(&answer.body).expect("JSON")
    }

    fn await_stat(&self, name: &str, count: u64) {
        await_that(|| self.stats()[name].as_u64().expect(name) >= count);
    }

    fn lines(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(&self.log).expect("the log");
        text.lines().map(|line| serde_json::from_str(line).expect("whole lines of JSON")).collect()
    }

    /// The fates of one way in the order they were written.
    fn fates(&self, direction: &str) -> Vec<String> {
        let of_way = |line: &Value| (line["direction"] == direction).then(|| line["fate"].as_str().expect("a fate").to_owned());
        self.lines().iter().filter_map(of_way).collect()
    }
}

fn ask(connection: &mut BufReader<TcpStream>, request: &str) -> Option<Message> {
    connection.get_mut().write_all(request.as_bytes()).expect("the road listens");
    read_message(connection)
}

fn messenger() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_handfast"));
    command.arg("messenger").stdin(Stdio::null());
    command
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a path in plain text")
}

#[test]
fn what_is_not_captured_arrives_as_it_was_sent() {
    let stub = Stub::answering_after(Duration::ZERO);
    let road = Road::to(stub.at, &[]);
    let mut connection = road.connect();
    for nth in 1..=2 {
        let request = "PUT /charges/k-1?x=y HTTP/1.1\r\nhost: x\r\nhandfast-try: 7\r\nhandfast-seen: a:9\r\n\
                       connection: keep-alive, x-hop\r\nx-hop: no\r\ncontent-type: application/json\r\ncontent-length: 7\r\n\r\n{\"a\":1}";
        let answer = ask(&mut connection, request).expect("an answer, twice on one connection");
        assert_eq!((answer.first_line.as_str(), answer.body.as_str()), ("HTTP/1.1 200 OK", "{\"a\":1}"));
        assert_eq!(answer.headers["x-stub"], "yes");
        let arrived = stub.await_arrivals(nth).pop().expect("an arrival");
        assert_eq!(arrived.first_line, "PUT /charges/k-1?x=y HTTP/1.1");
        assert_eq!(arrived.body, "{\"a\":1}");
        assert_eq!(arrived.headers["handfast-try"], "7");
        assert_eq!(arrived.headers["handfast-seen"], "a:9");
        assert_eq!(arrived.headers["host"], stub.at.to_string());
        assert!(!arrived.headers.contains_key("x-hop"), "{arrived:?}");
    }
    let lines = road.lines();
    let shape: Vec<(&str, u64, u64)> = lines
        .iter()
        .map(|line| {
            (
                line["direction"].as_str().expect("a way"),
                line["nth"].as_u64().expect("a count"),
                line["try"].as_u64().expect("a try"),
            )
        })
        .collect();
    assert_eq!(shape, [("request", 1, 7), ("reply", 1, 7), ("request", 2, 7), ("reply", 2, 7)]);
    assert!(lines.iter().all(|line| line["key"] == "k-1" && line["fate"] == "delivered"), "{lines:?}");
    assert!(lines.iter().all(|line| line["arrived"].as_u64() >= line["left"].as_u64()), "{lines:?}");
    assert_eq!(lines[1]["status"], 200);
}

#[test]
fn the_same_seed_captures_the_same_messengers_in_whatever_order_they_come() {
    let keys: Vec<String> = (0..60).map(|order| format!("order-{order}")).collect();
    let options = ["--capture", "0.4", "--hold", "0ms", "--seed", "11"];
    let campaign = |reversed: bool, side_by_side: bool| {
        let stub = Stub::answering_after(Duration::ZERO);
        let road = Road::to(stub.at, &options);
        let mut order = keys.clone();
        if reversed {
            order.reverse();
        }
        let answered: BTreeSet<String> = if side_by_side {
            thread::scope(|scope| {
                let asked: Vec<_> = order.iter().map(|key| (key, scope.spawn(|| road.put(key).is_some()))).collect();
                asked.into_iter().filter_map(|(key, asked)| asked.join().expect("no panic").then(|| key.clone())).collect()
            })
        } else {
            order.iter().filter(|key| road.put(key).is_some()).cloned().collect()
        };
        let stats = road.stats();
        let captured = |what: &str| usize::try_from(stats[what].as_u64().expect(what)).expect("a count");
        assert_eq!(stub.keys().len(), keys.len() - captured("requests_captured"), "a captured request arrived");
        assert_eq!(answered.len(), stub.keys().len() - captured("replies_captured"), "a captured reply arrived");
        assert_eq!(captured("captured"), keys.len() - answered.len());
        (stub.keys(), answered)
    };
    let once = campaign(false, false);
    assert_eq!(once, campaign(true, true));
    // 0.6 and 0.36 of 60, with room for chance: both kinds of capture happened, and not to everybody.
    assert!((24..=48).contains(&once.0.len()) && (10..=33).contains(&once.1.len()), "{once:?}");
}

#[test]
fn the_id_of_a_store_changes_no_fate_where_it_is_skipped() {
    let captured_of = |store: &str| {
        let stub = Stub::answering_after(Duration::ZERO);
        let road = Road::to(stub.at, &["--capture", "0.5", "--hold", "0ms", "--skip-store-id"]);
        (0..40).filter(|order| road.put(&format!("{store}.order-{order}.payment")).is_none()).collect::<Vec<_>>()
    };
    assert_eq!(captured_of("ab12"), captured_of("usual"));
}

#[test]
fn a_cut_road_captures_everybody_and_a_restored_one_nobody() {
    let stub = Stub::answering_after(Duration::from_millis(300));
    let road = Road::to(stub.at, &["--hold", "10ms"]);
    thread::scope(|scope| {
        let under_way = scope.spawn(|| road.put("before"));
        stub.await_arrivals(1);
        assert_eq!(road.tell("cut")["is_cut"], true);
        assert!(under_way.join().expect("no panic").is_none(), "the reply under way came through the cut");
    });
    assert!(road.put("meanwhile").is_none());
    assert_eq!(stub.keys(), BTreeSet::from(["before".to_owned()]));
    assert_eq!((road.stats()["cut"].as_u64(), road.stats()["captured"].as_u64()), (Some(2), Some(2)));
    assert_eq!(road.stats()["in_doubt"], 2);

    assert_eq!(road.tell("restore")["is_cut"], false);
    assert!(road.put("meanwhile").is_some());
    assert_eq!(road.stats()["in_doubt"], 1);
    assert_eq!(road.stats()["in_doubt_worst"], 2);
    assert_eq!(road.fates("request"), ["delivered", "cut", "delivered"]);
    assert_eq!(road.fates("reply"), ["cut", "delivered"]);
}

#[test]
fn a_road_cut_by_the_clock_is_cut() {
    let stub = Stub::answering_after(Duration::ZERO);
    let cut = Road::to(stub.at, &["--cut", "1h..2h", "--cut", "0s..1h", "--hold", "0ms"]);
    assert!(cut.put("k").is_none());
    let open = Road::to(stub.at, &["--cut", "1h..2h"]);
    assert!(open.put("k").is_some());
}

#[test]
fn a_late_messenger_arrives_although_its_sender_has_gone() {
    let stub = Stub::answering_after(Duration::ZERO);
    let road = Road::to(stub.at, &["--late", "1", "--late-by", "600ms..700ms", "--hold", "20ms"]);
    assert!(road.put("k").is_none(), "the caller was answered");
    assert!(stub.arrivals().is_empty(), "it was not late");
    stub.await_arrivals(1);
    road.await_stat("gone", 1);
    assert_eq!((road.fates("request"), road.fates("reply")), (vec!["late".to_owned()], vec!["gone".to_owned()]));
    let line = &road.lines()[0];
    assert!((600..700).contains(&line["late_ms"].as_u64().expect("lateness")), "{line}");
    assert!(line["arrived"].as_u64().expect("a time") - line["left"].as_u64().expect("a time") >= 600, "{line}");
}

#[test]
fn a_sender_who_waits_long_enough_hears_of_its_late_messenger() {
    let stub = Stub::answering_after(Duration::ZERO);
    let road = Road::to(stub.at, &["--late", "1", "--late-by", "100ms", "--hold", "20s"]);
    assert_eq!(road.put("k").expect("an answer").first_line, "HTTP/1.1 200 OK");
}

#[test]
fn a_duplicated_request_arrives_twice_and_is_answered_once() {
    let stub = Stub::answering_after(Duration::ZERO);
    let road = Road::to(stub.at, &["--duplicate", "1", "--late-by", "200ms"]);
    assert!(road.put("k").is_some());
    assert_eq!(stub.arrivals().len(), 1);
    assert_eq!(stub.await_arrivals(2)[1].body, "{}");
    road.await_stat("gone", 1);
    assert_eq!(road.fates("request"), ["delivered", "duplicate"]);
    let copies: Vec<u64> = road.lines().iter().map(|line| line["copy"].as_u64().expect("a copy")).collect();
    assert_eq!(copies, [1, 1, 2, 2]);
}

#[test]
fn where_nobody_is_at_the_door_the_connection_is_closed() {
    let nobody = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a free port");
    let road = Road::to(nobody, &["--hold", "1h"]);
    assert!(road.put("k").is_none());
    assert_eq!(road.fates("request"), ["nobody"]);
}

#[test]
fn bad_options_are_usage_errors_that_say_what_to_write() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let taken = taken.local_addr().expect("an address").to_string();
    let to = ["--listen", "127.0.0.1:0", "--to"];
    let cases: [(&[&str], &str); 7] = [
        (&["http://x", "--capture", "1.5"], "between 0 and 1"),
        (&["http://x", "--delay", "5"], "write a number and a unit"),
        (&["http://x", "--delay", "9ms..5ms"], "shorter duration first"),
        (&["http://x", "--cut", "10s"], "10s..20s"),
        (&["https://x"], "plain http only"),
        (&["http://x", "--log", "/no/such/place/road.jsonl"], "another file"),
        (&["http://x", "--listen", &taken], "another --listen"),
    ];
    for (options, help) in cases {
        let mut command = messenger();
        if options.contains(&"--listen") {
            command.arg("--to")
        } else {
            command.args(to)
        };
        let output = command.args(options).output().expect("the binary runs");
        let said = String::from_utf8(output.stderr).expect("text");
        assert_eq!(output.status.code(), Some(2), "{options:?}: {said}");
        assert!(said.contains(help), "{options:?}: {said}");
    }
}
