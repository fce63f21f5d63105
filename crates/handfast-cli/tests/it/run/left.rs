//! What a run leaves behind at its end, and what it may have of the machine.

use super::*;

/// A payment that is never answered, whose key is closed for a second only, and that is not there when it is looked for.
const WATCHED: &str = r#"
name = "watched"
[input]
lines = "list"
[assume]
message_lifetime = "2s"
clock_error = "500ms"
longest_outage = "500ms"
[[step]]
name = "payment"
participant = "http"
deadline = "200ms"
send = ["lines"]
[step.profile]
idempotent = true
remembers = "for-ever"
sticky_refusal = true
close = "1s"
[step.http.act]
url = "http://ADDRESS/pay"
body = '{"reference": "{key}"}'
done = { json = { "/state" = "charged", "/reference" = "{key}" } }
refused = { json = { "/state" = "declined" } }
[step.http.close]
url = "http://ADDRESS/close"
closed = { json = { "/state" = "closed" } }
[step.http.undo]
url = "http://ADDRESS/undo"
undone = { json = { "/state" = "refunded" } }
[step.http.peek]
url = "http://ADDRESS/look"
done = { json = { "/state" = "charged", "/reference" = "{key}" } }
absent = { json = { "/state" = "absent" } }
[[step]]
name = "dispatch"
kind = "pivot"
url = "http://127.0.0.1:9/shipments"
deadline = "1h"
send = ["lines"]
"#;

fn bank_that_answers_no_act() -> String {
    use std::io::{Read as _, Write as _};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("it is bound").to_string();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.expect("somebody calls");
            let mut request = [0; 4096];
            let length = stream.read(&mut request).unwrap_or(0);
            let request = String::from_utf8_lossy(&request[..length]);
            let state = match request.split(' ').nth(1) {
                Some("/close") => "closed",
                Some("/look") => "absent",
                Some(_) | None => continue,
            };
            let body = format!("{{\"state\":\"{state}\"}}");
            let _gone = write!(stream, "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}", body.len());
        }
    });
    address
}

#[test]
fn a_run_that_leaves_watches_behind_says_so_and_the_next_one_ends_them() {
    let place = Place::new();
    let dispatch = place.with_dispatch();
    let flow = WATCHED.replace("ADDRESS", &bank_that_answers_no_act()).replace("http://127.0.0.1:9/shipments", &dispatch.url);
    place.write("flow.toml", &flow);
    place.write("orders.jsonl", &order("a", "mug"));
    let run = ["--accept-risk", "short-tombstone", "--give-up-after", "60s", "orders.jsonl"];
    let ended = place.run(&run);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(ended.stderr.contains("1 cancelled order is still watched for what comes late, until 20"), "{}", ended.stderr);
    let line: Value = serde_json::from_str(&ended.stdout).expect("a result line");
    let until = line["watched_until_ms"].as_u64().expect("until when it is watched");
    let show = |more: &[&str]| -> Ended {
        let mut command = handfast();
        command.current_dir(place.dir.path()).args(["sagas", "show", "a", "--store", "sqlite:shop.db"]).args(more);
        command.output().expect("the binary runs").into()
    };
    let shown = show(&[]);
    assert!(shown.stdout.contains("is watched for what comes late until 20"), "{}", shown.stdout);
    assert!(shown.stdout.contains("the next look is due at 20"), "{}", shown.stdout);
    let shown: Value = serde_json::from_str(&show(&["--json"]).stdout).expect("JSON");
    assert_eq!(shown["watched_until_ms"].as_u64(), Some(until));
    // Whoever comes back when its time is over looks for the last time.
    while now_ms() <= until {
        std::thread::sleep(Duration::from_millis(20));
    }
    let ended = place.run(&run);
    assert!(ended.code == Some(0) && !ended.stderr.contains("watched"), "{}", ended.stderr);
    let shown: Value = serde_json::from_str(&show(&["--json"]).stdout).expect("JSON");
    assert_eq!((&shown["watched_until_ms"], &shown["next_look_ms"]), (&Value::Null, &Value::Null), "{shown}");
}

/// A run raises its limit and shares its files as the service does: with few of them nobody's answer is missed.
#[cfg(unix)]
#[test]
fn a_run_with_few_files_asks_fewer_at_a_time_and_misses_no_answer() {
    let place = Place::new();
    let service = place.with_dispatch();
    let flow = FLOW.replace("http://127.0.0.1:9/shipments", &service.url) + "in_flight = 2000\n";
    place.write("flow.toml", &flow);
    place.write("orders.jsonl", &(0..300).map(|number| order(&format!("o-{number}"), "mug")).collect::<String>());
    let mut command = Command::new("sh");
    command.args(["-c", "ulimit -n 80; exec \"$@\"", "sh"]).arg(handfast().get_program()).current_dir(place.dir.path());
    command.args([
        "run",
        "--flow",
        "flow.toml",
        "--store",
        "sqlite:shop.db",
        "--limit-in-flight",
        "300",
        "--log",
        "json",
        "orders.jsonl",
    ]);
    let ended: Ended = command.output().expect("sh is there").into();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(ended.stderr.contains("300 completed (both)"), "{}", ended.stderr);
    assert!(ended.stderr.contains("few_open_files"), "{}", ended.stderr);
    assert!(!ended.stderr.contains("may open no more files"), "{}", ended.stderr);
}

fn now_ms() -> u64 {
    handfast::Clock::system().now().0
}

/// So few orders open no breaker, and whoever waits for them wants to know all the same.
#[test]
fn one_order_is_enough_to_be_told_that_nobody_answers_and_that_somebody_does_again() {
    let place = Place::new();
    let address = std::net::TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a free port");
    place.write("flow.toml", &FLOW.replace("127.0.0.1:9", &address.to_string()));
    place.write("orders.jsonl", &order("a", "mug"));
    // Pauses that are not doubled for long: what is waited for is that it is said, not the tries.
    let mut command = place.command(&["--retry-cap", "3s", "orders.jsonl"]);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("the binary runs");
    let mut talk = BufReader::new(child.stderr.take().expect("it is piped")).lines().map(|line| line.expect("text"));
    let silent = format!("nobody answers at http://{address}/shipments; what is asked for there waits");
    let said = talk.by_ref().find(|line| line.starts_with(&silent)).expect("it says so");
    assert!(said.ends_with("(1 order under way)"), "{said}");
    let _service = Service::start_at(&address.to_string(), "dispatch", &place.path("dispatch.db"), &[]);
    let rest: Vec<String> = talk.collect();
    assert_eq!(rest.iter().filter(|line| line.starts_with(&silent)).count(), 0, "it is said once: {rest:?}");
    assert!(rest.iter().any(|line| line.contains("1 completed (both)")), "{rest:?}");
    assert_eq!(child.wait().expect("it ends").code(), Some(0));
}
