//! `handfast run`: bad input starts nothing, and what ends is said in one line each.

mod left;

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::Value;

use crate::support::{Ended, Service, handfast, run_with_input};

/// A flow with one step at a service that is not there, unless a test names one that is.
const FLOW: &str = r#"
name = "tiny"
[input]
lines = "list"
note = { type = "text", optional = true }
[[step]]
name = "dispatch"
kind = "pivot"
url = "http://127.0.0.1:9/shipments"
deadline = "1h"
send = ["lines"]
"#;

struct Place {
    dir: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        let place = Self { dir: tempfile::tempdir().expect("a directory") };
        place.write("flow.toml", FLOW);
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, text).expect("the directory can be written to");
        path
    }

    /// `handfast run` in this directory, on a store in it.
    fn command(&self, more: &[&str]) -> Command {
        let mut command = handfast();
        command.current_dir(self.dir.path()).args(["run", "--flow", "flow.toml", "--store", "sqlite:shop.db"]).args(more);
        command
    }

    fn run(&self, more: &[&str]) -> Ended {
        self.command(more).output().expect("the binary runs").into()
    }

    fn has_store(&self) -> bool {
        self.path("shop.db").exists()
    }

    /// A dispatch service for this place, and a flow that names it.
    fn with_dispatch(&self) -> Service {
        let service = Service::start("dispatch", &self.path("dispatch.db"), &[]);
        self.write("flow.toml", &FLOW.replace("http://127.0.0.1:9/shipments", &service.url));
        service
    }
}

fn order(id: &str, sku: &str) -> String {
    format!("{{\"id\":\"{id}\",\"lines\":[{{\"sku\":\"{sku}\",\"quantity\":1}}]}}\n")
}

fn outcomes(stdout: &str) -> Vec<(String, String)> {
    let text = |line: &Value, key: &str| line[key].as_str().expect("a result line has it").to_owned();
    let mut outcomes: Vec<_> = stdout
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).expect("a line of JSON"))
        .map(|line| {
            assert_eq!(line["outcome"].is_string(), line["standing"] == line["outcome"], "an end is how it stands: {line}");
            (text(&line, "id"), text(&line, "standing"))
        })
        .collect();
    outcomes.sort();
    outcomes
}

#[test]
fn a_file_with_bad_lines_starts_nothing_and_each_is_named() {
    let place = Place::new();
    let service = place.with_dispatch();
    let bad = [
        order("a", "mug"),
        "{\"id\":\"b\",lines}\n".to_owned(),
        "\n".to_owned(),
        "{\"id\":\"c\"}\n".to_owned(),
        order("a", "mug"),
        order("a", "cup"),
        "{\"id\":\"d\",\"lines\":[1],\"note\":\"4111 1111 1111 1111\"}\n".to_owned(),
    ];
    place.write("orders.jsonl", &bad.concat());
    let ended = place.run(&["orders.jsonl"]);
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), ""), "{}", ended.stderr);
    insta::assert_snapshot!(ended.stderr);
    assert!(!place.has_store(), "nothing was started, so nothing is kept");
    let audit = audit(&service);
    assert_eq!(audit["seq"], 0, "the service was not asked for anything: {audit}");
}

/// The goods of this order could never be sent, so nobody is asked to pay for them.
#[test]
fn an_order_whose_request_could_never_be_made_starts_nothing() {
    let place = Place::new();
    place.write(
        "flow.toml",
        "name = \"tiny\"\n[input]\nplace = \"token\"\n[[step]]\nname = \"dispatch\"\nparticipant = \"http\"\n\
         [step.profile]\nidempotent = true\nremembers = \"for-ever\"\n\
         [step.http.act]\nurl = \"http://127.0.0.1:9/to/{input.place}/{key}\"\ndone = { json = { \"/state\" = \"done\" } }\n",
    );
    place.write(
        "orders.jsonl",
        "{\"id\":\"a\",\"place\":\"home\"}\n{\"id\":\"b\",\"place\":\"..\"}\n{\"id\":\"..\",\"place\":\"home\"}\n",
    );
    let ended = place.run(&["orders.jsonl"]);
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), ""), "{}", ended.stderr);
    for said in [
        "orders.jsonl:2: place: [step.http.act] of step dispatch can never be asked for with this value: a value would lead to \
         another path than the flow describes; give another",
        "orders.jsonl:3: id: neither . nor .. names anything",
    ] {
        assert!(ended.stderr.contains(said), "{}", ended.stderr);
    }
    assert!(!place.has_store(), "nothing was started, so nothing is kept");
}

/// What the books of a service say.
fn audit(service: &Service) -> Value {
    let address = service.address.trim_start_matches("http://");
    let mut stream = std::net::TcpStream::connect(address).expect("the service is there");
    let request = format!("GET /audit HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).expect("the service listens");
    let answer = std::io::read_to_string(stream).expect("the service answers");
    let (_, body) = answer.split_once("\r\n\r\n").expect("an answer has a body");
    serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {answer}"))
}

#[test]
fn of_many_bad_lines_twenty_are_shown_and_all_are_counted() {
    let place = Place::new();
    let bad: String = (0..57).map(|number| format!("{{\"id\":{number}}}\n")).collect();
    place.write("orders.jsonl", &(order("a", "mug") + &bad));
    let ended = place.run(&["orders.jsonl"]);
    assert_eq!(ended.code, Some(2));
    let lines: Vec<&str> = ended.stderr.lines().collect();
    assert!(
        lines[0].starts_with("error: orders.jsonl:2: id: ") && lines[19].starts_with("error: orders.jsonl:21: "),
        "{lines:#?}"
    );
    assert_eq!(
        lines[20..],
        ["and 37 more", "error: 57 of the lines in orders.jsonl must be put right first; nothing was started"]
    );
}

#[test]
fn an_order_of_another_body_under_a_known_id_starts_nothing() {
    let place = Place::new();
    let service = place.with_dispatch();
    place.write("orders.jsonl", &order("a", "mug"));
    assert_eq!(place.run(&["orders.jsonl"]).code, Some(0));
    let before = audit(&service);
    place.write("orders.jsonl", &(order("b", "mug") + &order("a", "cup")));
    let ended = place.run(&["orders.jsonl"]);
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), ""), "{}", ended.stderr);
    assert!(ended.stderr.contains("error: orders.jsonl:2: id: the store knows another order called a"), "{}", ended.stderr);
    assert!(ended.stderr.contains("nothing was started"), "{}", ended.stderr);
    assert_eq!(audit(&service), before);
}

#[test]
fn a_flow_that_is_wrong_a_file_that_is_missing_and_a_store_of_somebody_else_are_usage_errors() {
    let place = Place::new();
    place.write("orders.jsonl", &order("a", "mug"));
    let check = |more: &[&str], hint: &str| {
        let ended = place.run(more);
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), ""), "{more:?}: {}", ended.stderr);
        assert!(ended.stderr.contains(hint), "{more:?}: {}", ended.stderr);
        assert_eq!(ended.stderr.matches("error:").count(), 1, "one clear message: {}", ended.stderr);
    };
    check(&["none.jsonl"], "error: cannot open the orders in none.jsonl: No such file");
    check(&["--give-up-after", "soon", "orders.jsonl"], "\"soon\" is not a duration");
    check(&["--retry-cap", "often", "orders.jsonl"], "\"often\" is not a duration");
    check(&["--limit-in-flight", "0", "orders.jsonl"], "'--limit-in-flight <N>'");
    place.write("flow.toml", &FLOW.replace("kind", "knid"));
    check(&["orders.jsonl"], "error: flow.toml:8:1: step 1 has no key \"knid\"; did you mean kind?");
    fs::remove_file(place.path("flow.toml")).expect("it was there");
    check(&["orders.jsonl"], "error: flow.toml:1:1: the flow file cannot be read: No such file");
    place.write("flow.toml", FLOW);
    assert!(!place.has_store());
    place.write("shop.db", "This is somebody's diary, and no store at all.");
    check(&["orders.jsonl"], "shop.db is not a handfast store");
    assert_eq!(fs::read_to_string(place.path("shop.db")).expect("it is there"), "This is somebody's diary, and no store at all.");
}

#[test]
fn standard_input_is_taken_line_by_line_and_bad_lines_do_not_stop_the_others() {
    let place = Place::new();
    let _service = place.with_dispatch();
    let input =
        order("a", "mug") + "{\"id\":17}\n" + &order("b", "mug") + &order("a", "mug") + &order("b", "cup") + &order("c", "mug");
    let ended = run_with_input(&mut place.command(&[]), &input);
    assert_eq!(ended.code, Some(2), "{}", ended.stderr);
    let both = |id: &str| (id.to_owned(), "completed".to_owned());
    assert_eq!(outcomes(&ended.stdout), [both("a"), both("b"), both("c")]);
    for said in [
        "error: standard input:2: id: it must be text in quotes",
        "standard input:4: the same order a as in line 1; it is one order",
        "error: standard input:5: id: another order in line 3 is called b already",
        "3 orders: 3 completed (both), 0 cancelled (neither), 0 in doubt, 0 suspended; 1 line repeated an order; 2 bad lines refused",
    ] {
        assert!(ended.stderr.contains(said), "{said}: {}", ended.stderr);
    }
    // Another process, another reading: an id that the store knows by another body is refused as well.
    let ended = run_with_input(&mut place.command(&["-q", "-"]), &(order("c", "cup") + &order("d", "mug")));
    assert_eq!((ended.code, outcomes(&ended.stdout)), (Some(2), vec![both("d")]));
    assert!(ended.stderr.starts_with("error: standard input:1: id: the store knows another order called c"), "{}", ended.stderr);
    assert_eq!(ended.stderr.lines().count(), 1, "quiet: {}", ended.stderr);
}

#[test]
fn an_order_that_does_not_end_in_time_is_in_doubt_and_the_same_command_brings_it_to_its_end() {
    let place = Place::new();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("it is bound");
    // Taken, so that nobody else gets the port; nobody answers there.
    place.write("flow.toml", &FLOW.replace("127.0.0.1:9", &address.to_string()));
    place.write("orders.jsonl", &(order("a", "mug") + &order("b", "mug")));
    let ended = place.run(&["--give-up-after", "300ms", "orders.jsonl"]);
    assert_eq!(ended.code, Some(4), "{}", ended.stderr);
    let in_doubt = |id: &str| (id.to_owned(), "acting".to_owned());
    assert_eq!(outcomes(&ended.stdout), [in_doubt("a"), in_doubt("b")]);
    assert!(ended.stderr.contains("none is done twice; go on with: handfast run --flow flow.toml"), "{}", ended.stderr);
    drop(listener);
    let _service = Service::start_at(&address.to_string(), "dispatch", &place.path("dispatch.db"), &[]);
    let ended = place.run(&["orders.jsonl"]);
    let both = |id: &str| (id.to_owned(), "completed".to_owned());
    assert_eq!((ended.code, outcomes(&ended.stdout)), (Some(0), vec![both("a"), both("b")]), "{}", ended.stderr);
}

/// Answers every request with this status, and nothing that means anything.
fn answering(status: &'static str) -> String {
    use std::io::{Read as _, Write as _};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("it is bound").to_string();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.expect("somebody calls");
            // A request is small, and comes in one piece or two; what is not read is nobody's loss.
            let _read = stream.read(&mut [0; 4096]);
            let _gone = write!(stream, "HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: 2\r\n\r\n{{}}");
        }
    });
    address
}

#[test]
fn who_answers_without_meaning_is_told_apart_from_who_is_silent() {
    for (status, said) in [
        ("422 Unprocessable", Some("gives answers with status 422 that mean nothing")),
        ("503 Busy", Some("turns requests away with status 503")),
        ("202 Accepted", None),
    ] {
        let place = Place::new();
        place.write("flow.toml", &FLOW.replace("127.0.0.1:9", &answering(status)));
        place.write("orders.jsonl", &(0..40).map(|number| order(&format!("order-{number}"), "mug")).collect::<String>());
        let ended = place.run(&["--give-up-after", "5s", "orders.jsonl"]);
        assert_eq!(ended.code, Some(4), "{}", ended.stderr);
        assert!(!ended.stderr.contains("nobody answers"), "{}", ended.stderr);
        assert_eq!(ended.stderr.contains("mean nothing") || ended.stderr.contains("turns requests away"), said.is_some());
        assert!(ended.stderr.contains(said.unwrap_or_default()), "{}", ended.stderr);
    }
}

/// A disk without room, by the limit on the size of a file; the signal that comes with it is ignored, so that the write fails.
#[cfg(unix)]
#[test]
fn a_store_that_takes_no_writes_is_said_and_nothing_is_lost() {
    let place = Place::new();
    let _service = place.with_dispatch();
    place.write("one.jsonl", &order("first", "mug"));
    assert_eq!(place.run(&["one.jsonl"]).code, Some(0));
    place.write("orders.jsonl", &(0..400).map(|number| order(&format!("order-{number}"), "mug")).collect::<String>());
    let mut command = Command::new("sh");
    command.args(["-c", "trap '' XFSZ; ulimit -f 160; exec \"$@\"", "sh"]).arg(handfast().get_program());
    command.current_dir(place.dir.path()).args(["run", "--flow", "flow.toml", "--store", "sqlite:shop.db"]);
    let ended: Ended = command.args(["--give-up-after", "3s", "orders.jsonl"]).output().expect("the shell runs").into();
    assert_eq!(ended.code, Some(4), "{}", ended.stderr);
    let said = "nothing can be written to the store, and orders wait until it can: ";
    assert_eq!(ended.stderr.matches(said).count(), 1, "{}", ended.stderr);
    let ended = place.run(&["orders.jsonl"]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(ended.stderr.contains("400 orders: 400 completed (both)"), "{}", ended.stderr);
}

#[test]
fn a_result_line_has_its_stable_shape() {
    let place = Place::new();
    let _service = place.with_dispatch();
    place.write("orders.jsonl", &(order("a", "mug") + "{\"id\":\"b\",\"lines\":[\"nothing\"]}\n"));
    let ended = place.run(&["--limit-in-flight", "1", "orders.jsonl"]);
    assert_eq!(ended.code, Some(0), "cancelled is an end: {}", ended.stderr);
    assert_eq!(
        ended.stdout,
        "{\"id\":\"a\",\"line\":1,\"standing\":\"completed\",\"outcome\":\"completed\",\"steps\":[{\"name\":\"dispatch\",\"state\":\"done\"}]}\n\
         {\"id\":\"b\",\"line\":2,\"standing\":\"cancelled\",\"outcome\":\"cancelled\",\"steps\":[{\"name\":\"dispatch\",\"state\":\"refused\",\"detail\":\"sku_missing\"}]}\n"
    );
}

#[test]
fn without_a_store_orders_are_kept_where_programs_keep_their_state() {
    let place = Place::new();
    let _service = place.with_dispatch();
    place.write("orders.jsonl", &order("a", "mug"));
    let run = |variables: &[(&str, &Path)]| -> Ended {
        let mut command = handfast();
        command.current_dir(place.dir.path()).args(["run", "--flow", "flow.toml", "orders.jsonl"]).env_remove("HOME");
        command.envs(variables.iter().copied()).output().expect("the binary runs").into()
    };
    let home = place.path("home");
    let ended = run(&[("HOME", &home)]);
    let store = home.join(".local/state/handfast/tiny.db");
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(
        store.exists() && ended.stderr.contains(&format!("orders are kept in sqlite:{}", store.display())),
        "{}",
        ended.stderr
    );
    assert_eq!(run(&[("XDG_STATE_HOME", &place.path("state"))]).code, Some(0));
    assert!(place.path("state/handfast/tiny.db").exists());
    let ended = run(&[]);
    assert_eq!(ended.code, Some(2));
    assert!(ended.stderr.contains("say --store sqlite:FILE"), "{}", ended.stderr);
}

#[test]
fn orders_go_on_when_nobody_reads_the_results_any_more() {
    let place = Place::new();
    let service = place.with_dispatch();
    let orders: String = (0..20).map(|number| order(&format!("o-{number}"), "mug")).collect();
    place.write("orders.jsonl", &orders);
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    let ended: Ended =
        place.command(&["--limit-in-flight", "1", "orders.jsonl"]).stdout(writer).output().expect("the binary runs").into();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(!ended.stderr.contains("error"), "{}", ended.stderr);
    assert_eq!(audit(&service)["shipments"], 20);
}

#[test]
fn a_run_that_has_ended_leaves_its_store_in_one_file() {
    let place = Place::new();
    let _service = place.with_dispatch();
    for round in 0..3 {
        let orders: String = (0..50).map(|number| order(&format!("o-{round}-{number}"), "mug")).collect();
        place.write("orders.jsonl", &orders);
        let ended = place.run(&["orders.jsonl"]);
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        assert!(place.has_store() && !place.path("shop.db-wal").exists(), "round {round}: a write-ahead log is left");
    }
}

#[test]
fn a_participant_that_was_away_is_asked_again_within_the_retry_cap() {
    let place = Place::new();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("it is bound");
    place.write("flow.toml", &FLOW.replace("127.0.0.1:9", &address.to_string()));
    place.write("orders.jsonl", &order("a", "mug"));
    let mut command = place.command(&["--retry-cap", "20ms", "--give-up-after", "20s", "orders.jsonl"]);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the binary runs");
    // Each try is hung up on. With pauses that double up to the usual cap the order would be given up before the twelfth.
    listener.set_nonblocking(true).expect("a listener can");
    let mut tries = 0;
    while tries < 12 {
        assert_eq!(child.try_wait().expect("it is ours"), None, "it gave up after {tries} tries");
        match listener.accept() {
            Ok(_hung_up_on) => tries += 1,
            Err(_nobody_yet) => std::thread::sleep(Duration::from_millis(1)),
        }
    }
    drop(listener);
    let _service = Service::start_at(&address.to_string(), "dispatch", &place.path("dispatch.db"), &[]);
    assert_eq!(child.wait().expect("it ends").code(), Some(0));
}

/// Asks a process to stop.
fn terminate(child: &std::process::Child) {
    let status = Command::new("kill").args(["-TERM", &child.id().to_string()]).status().expect("kill is there");
    assert!(status.success());
}

#[test]
fn a_signal_stops_a_file_in_the_middle_and_the_same_command_goes_on() {
    let place = Place::new();
    place.write("orders.jsonl", &(order("a", "mug") + &order("b", "mug")));
    // Nobody answers at the flow's address, so the first order of two stays under way.
    let mut command = place.command(&["--limit-in-flight", "1", "orders.jsonl"]);
    let mut child = command.stderr(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("the binary runs");
    let mut talk = BufReader::new(child.stderr.take().expect("it is piped"));
    let mut said = String::new();
    talk.read_line(&mut said).expect("text");
    assert!(said.starts_with("orders are kept in"), "{said}");
    // The order is accepted when the store knows it.
    while stored(&place) == 0 {
        std::thread::sleep(Duration::from_millis(10));
    }
    terminate(&child);
    assert_eq!(child.wait().expect("it ends").code(), Some(4));
    talk.read_to_string(&mut said).expect("text");
    let sums = "1 order: 0 completed (both), 0 cancelled (neither), 1 in doubt, 0 suspended; 1 order not started";
    assert!(said.contains(sums), "{said}");
    assert!(said.contains("go on with: handfast run --flow flow.toml --store sqlite:shop.db orders.jsonl\n"), "{said}");
    assert_eq!(stored(&place), 1, "the second order was not started");
    let _service = place.with_dispatch();
    // The file has another address by now, so the first order waits for somebody to say which one holds for it.
    let outcome = |id: &str, outcome: &str| (id.to_owned(), outcome.to_owned());
    let held = place.run(&["--give-up-after", "500ms", "orders.jsonl"]);
    assert_eq!(outcomes(&held.stdout), [outcome("a", "acting"), outcome("b", "completed")], "{}", held.stderr);
    assert!(held.stdout.contains("another definition") && held.stdout.contains("\"held\":true"), "{}", held.stdout);
    let sums = "2 orders: 1 completed (both), 0 cancelled (neither), 0 in doubt, 0 suspended, 1 held";
    let helps = "orders.jsonl --keep-definitions --by NAME --why TEXT";
    assert!(held.stderr.contains(sums) && held.stderr.contains(helps), "{}", held.stderr);
    // What is said with a decision is checked, and it is bad input here as it is to `serve`.
    let card = ["--keep-definitions", "--by", "4242424242424242", "--why", "it is right", "orders.jsonl"];
    let refused = place.run(&card);
    assert_eq!(refused.code, Some(2), "{}", refused.stderr);
    // It keeps the flow it was placed with, where nobody answers.
    let keep = ["--keep-definitions", "--by", "me", "--why", "it is right", "--give-up-after", "500ms", "orders.jsonl"];
    let ended = place.run(&keep);
    assert_eq!(outcomes(&ended.stdout), [outcome("a", "acting"), outcome("b", "completed")], "{}", ended.stderr);
}

/// How many orders the store of this place knows.
fn stored(place: &Place) -> i64 {
    rusqlite::Connection::open(place.path("shop.db"))
        .and_then(|store| store.query_row("SELECT count(*) FROM saga", [], |row| row.get(0)))
        .unwrap_or(0)
}

#[test]
fn orders_on_standard_input_end_while_it_is_open_and_a_signal_is_then_no_error() {
    let place = Place::new();
    let _service = place.with_dispatch();
    let mut command = place.command(&[]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("the binary runs");
    let mut input = child.stdin.take().expect("it is piped");
    let mut results = BufReader::new(child.stdout.take().expect("it is piped"));
    for id in ["a", "b"] {
        input.write_all(order(id, "mug").as_bytes()).expect("somebody reads");
        let mut line = String::new();
        results.read_line(&mut line).expect("text");
        assert_eq!(outcomes(&line), [(id.to_owned(), "completed".to_owned())]);
    }
    terminate(&child);
    assert_eq!(child.wait().expect("it ends, though its standard input is open").code(), Some(0));
    drop(input);
}
