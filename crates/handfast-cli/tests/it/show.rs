//! `handfast show`: a picture of every kind of end, what the roads add to it, and what is said when there is nothing to show.

#![expect(clippy::disallowed_methods, reason = "how long a test is ready to wait is counted in real time")]

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::{Ended, Service, handfast};

const FLOW: &str = r#"
name = "shop"
[input]
amount = "money"
token = "token"
lines = "list"
[[step]]
name = "payment"
kind = "compensatable"
url = "PAYMENT"
deadline = "1h"
send = ["amount", "token"]
[[step]]
name = "dispatch"
kind = "pivot"
url = "DISPATCH"
deadline = "1h"
send = ["lines"]
"#;

const RUN: [&str; 6] = ["run", "--flow", "flow.toml", "--store", "sqlite:shop.db", "orders.jsonl"];

/// A payment and a dispatch service, with a road to the first, and a directory for everything.
struct Shop {
    dir: tempfile::TempDir,
    _payment: Service,
    _dispatch: Service,
    road: Child,
    road_address: String,
}

impl Drop for Shop {
    fn drop(&mut self) {
        // It may have ended by itself, which the test has noticed then.
        drop(self.road.kill());
        drop(self.road.wait());
    }
}

impl Shop {
    /// Opens it; `hazards` are options of the road to the payment service.
    fn open(hazards: &[&str]) -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let payment = Service::start("payment", &dir.path().join("payment.db"), &[]);
        let dispatch = Service::start("dispatch", &dir.path().join("dispatch.db"), &[]);
        let (base, path) = payment.url.rsplit_once('/').expect("a URL has a path");
        let mut road = handfast()
            .current_dir(dir.path())
            .args(["messenger", "--listen", "127.0.0.1:0", "--to", base, "--log", "road.jsonl"])
            .args(hazards)
            .stderr(Stdio::piped())
            .spawn()
            .expect("the road starts");
        let mut said = String::new();
        BufReader::new(road.stderr.take().expect("it is piped")).read_line(&mut said).expect("the road says where it is");
        let address = said.split_whitespace().find(|word| word.starts_with("http://")).expect("the road says where it is");
        let flow = FLOW.replace("PAYMENT", &format!("{address}/{path}")).replace("DISPATCH", &dispatch.url);
        fs::write(dir.path().join("flow.toml"), flow).expect("the directory can be written to");
        Self { dir, _payment: payment, _dispatch: dispatch, road, road_address: address.to_owned() }
    }

    /// Cuts or restores the road.
    fn steer(&self, what: &str) {
        let address = self.road_address.trim_start_matches("http://");
        let mut stream = TcpStream::connect(address).expect("the road is open");
        let request =
            format!("POST /__messenger/{what} HTTP/1.1\r\nHost: {address}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).expect("the road listens");
        let answer = std::io::read_to_string(stream).expect("the road answers");
        assert!(answer.starts_with("HTTP/1.1 2"), "{answer}");
    }

    /// Shows the saga again and again until the answer is as wanted.
    fn show_until(&self, id: &str, more: &[&str], wanted: impl Fn(&Ended) -> bool) -> Ended {
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            let seen = self.show(id, more);
            if wanted(&seen) || Instant::now() > deadline {
                return seen;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn start_run(&self) -> Child {
        handfast()
            .current_dir(self.dir.path())
            .args(RUN)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the binary runs")
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn order(&self, id: &str, token: &str) {
        self.write_order(id, token);
        let ended = self.handfast(&RUN);
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    }

    fn write_order(&self, id: &str, token: &str) {
        let order = format!(
            "{{\"id\":\"{id}\",\"amount\":{{\"minor\":100,\"currency\":\"EUR\"}},\"token\":\"{token}\",\
             \"lines\":[{{\"sku\":\"mug\",\"quantity\":1}}]}}\n"
        );
        fs::write(self.path("orders.jsonl"), order).expect("the directory can be written to");
    }

    fn handfast(&self, arguments: &[&str]) -> Ended {
        handfast().current_dir(self.dir.path()).args(arguments).output().expect("the binary runs").into()
    }

    fn show(&self, id: &str, more: &[&str]) -> Ended {
        self.handfast(&[&["show", id, "--store", "sqlite:shop.db"], more].concat())
    }
}

#[track_caller]
fn check(ended: &Ended, code: i32, contains: &[&str]) {
    assert_eq!(ended.code, Some(code), "{}\n{}", ended.stdout, ended.stderr);
    for text in contains {
        assert!(ended.stdout.contains(text), "{text:?} is missing:\n{}", ended.stdout);
    }
}

#[test]
fn every_end_has_its_picture_and_its_exit_code() {
    let shop = Shop::open(&[]);
    shop.order("order-17", "tok_visa");
    let both = shop.show("order-17", &[]);
    check(&both, 0, &["order-17 (shop)", "both: every step is done", "payment: done", "Times count from 20"]);
    assert!(!both.stdout.contains('\x1b') && both.stdout.lines().all(|line| line.chars().count() <= 80), "{}", both.stdout);
    shop.order("order-18", "tok_declined");
    let neither = shop.show("order-18", &["--ascii"]);
    check(&neither, 3, &["neither: nothing is done for good", "refused", "turning back", "closed for good"]);
    assert!(neither.stdout.is_ascii(), "{}", neither.stdout);
    let data = shop.show("order-18", &["--json"]);
    let data: Value = serde_json::from_str(&data.stdout).expect("one line of JSON");
    assert_eq!((&data["standing"], &data["outcome"]), (&"cancelled".into(), &"cancelled".into()));
    assert_eq!((&data["steps"][0]["state"], &data["steps"][0]["detail"]), (&"refused".into(), &"card_declined".into()));
    let coloured = shop.show("order-17", &["--color", "always"]);
    check(&coloured, 0, &["\x1b[1;32m"]);
}

#[test]
fn the_road_tells_what_was_copied_and_lost() {
    let shop = Shop::open(&["--duplicate", "1", "--late-by", "0ms", "--hold", "10ms"]);
    shop.steer("cut");
    shop.write_order("order-1", "tok_visa");
    let mut run = shop.start_run();
    let tried = shop.show_until("order-1", &[], |seen| seen.stdout.contains("? no answer seen"));
    check(&tried, 4, &["--road FILE"]);
    shop.steer("restore");
    assert!(run.wait().expect("it ends").success());
    check(&shop.show("order-1", &[]), 0, &["? no answer seen", "--road FILE"]);
    // The second copy arrives when it likes, and its reply after that.
    let known = shop.show_until("order-1", &["--road", "road.jsonl"], |seen| seen.stdout.contains("copy"));
    check(&known, 0, &["✗ captured or lost", "payment: done", "copy"]);
    assert!(!known.stdout.contains("--road FILE"), "{}", known.stdout);

    let data = shop.show("order-1", &["--road", "road.jsonl", "--json"]);
    check(&data, 0, &[]);
    let data: Value = serde_json::from_str(&data.stdout).expect("one line of JSON");
    assert_eq!((&data["id"], &data["standing"], &data["flow"]), (&"order-1".into(), &"completed".into(), &"shop".into()));
    assert_eq!(data["steps"][0]["state"], "done");
    let journal = data["journal"].as_array().expect("a list");
    assert!(journal.len() >= 3 && journal[0]["input"]["start"].is_object(), "{journal:#?}");
    let cut = data["messengers"].as_array().expect("a list").iter().filter(|line| line["fate"] == "cut").count();
    assert!(cut > 0 && data["tries"].as_array().is_some_and(|tries| !tries.is_empty()), "{data:#}");

    let drawn = shop.show("order-1", &["--road", "road.jsonl", "--svg", "order-1.svg"]);
    check(&drawn, 0, &[]);
    assert!(drawn.stdout.is_empty() && drawn.stderr.contains("order-1.svg"), "{}{}", drawn.stdout, drawn.stderr);
    let svg = fs::read_to_string(shop.path("order-1.svg")).expect("it was written");
    assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>\n") && svg.contains("road cut"), "{svg}");

    let piped = shop.show("order-1", &["--road", "road.jsonl", "--svg", "-"]);
    check(&piped, 0, &[]);
    assert_eq!(piped.stdout, svg, "{}", piped.stderr);
    assert!(!shop.path("-").exists());
    let both = shop.show("order-1", &["--svg", "-", "--json"]);
    assert_eq!((both.code, both.stdout.as_str()), (Some(2), ""), "{}", both.stderr);

    // Half a line at the end is what a killed road leaves; anywhere else the file is something else.
    let log = fs::read_to_string(shop.path("road.jsonl")).expect("the road keeps a log");
    fs::write(shop.path("cut.jsonl"), format!("{log}{{\"direction\":\"re")).expect("the directory can be written to");
    let whole = shop.show("order-1", &["--road", "cut.jsonl"]);
    check(&whole, 0, &["✗ captured or lost"]);
    fs::write(shop.path("other.jsonl"), format!("{{}}\n{log}")).expect("the directory can be written to");
    let other = shop.show("order-1", &["--road", "other.jsonl"]);
    assert_eq!((other.code, other.stdout.as_str()), (Some(2), ""));
    assert!(other.stderr.contains("other.jsonl:1 is no line of a road's log"), "{}", other.stderr);
}

#[test]
fn a_saga_in_doubt_can_be_looked_at_while_it_runs() {
    let shop = Shop::open(&["--cut", "0s..1h"]);
    shop.write_order("order-1", "tok_visa");
    let mut run = shop.start_run();
    // Before the journal is there, there is no store, or an empty one.
    let seen = shop.show_until("order-1", &[], |seen| seen.code != Some(2));
    run.kill().expect("it runs on: the road is cut");
    run.wait().expect("it ends");
    check(&seen, 4, &["in doubt: acting", "placed", "never asked", "┆ in doubt"]);
    check(&shop.show("order-1", &["--road", "road.jsonl"]), 4, &["in doubt: acting"]);
}

#[test]
fn what_is_not_there_is_said_and_nothing_is_made() {
    let shop = Shop::open(&[]);
    let nowhere = shop.show("order-17", &[]);
    assert_eq!((nowhere.code, nowhere.stdout.as_str()), (Some(2), ""));
    assert!(nowhere.stderr.contains("there is no store at shop.db"), "{}", nowhere.stderr);
    assert!(!shop.path("shop.db").exists(), "a look must not make a store");
    shop.order("order-17", "tok_visa");
    let mistyped = shop.show("ordre-17", &[]);
    assert_eq!((mistyped.code, mistyped.stdout.as_str()), (Some(2), ""));
    assert_eq!(mistyped.stderr, "error: there is no saga \"ordre-17\"; did you mean order-17?\n");
    let unlike = shop.show("x", &[]);
    assert_eq!(unlike.stderr, "error: there is no saga \"x\", and none with a similar id\n");
}

#[test]
fn a_saga_is_kept_and_replayed() {
    let shop = Shop::open(&[]);
    shop.order("order-17", "tok_visa");
    let kept = shop.show("order-17", &["--keep", "order-17.trace"]);
    check(&kept, 0, &["both: every step is done"]);
    assert!(kept.stderr.contains("order-17.trace"), "{}", kept.stderr);
    let replayed = shop.handfast(&["replay", "order-17.trace"]);
    check(&replayed, 0, &["order-17 (shop)", "payment", "dispatch"]);
    let data: Value = serde_json::from_str(&shop.handfast(&["replay", "order-17.trace", "--json"]).stdout).expect("JSON");
    assert_eq!(data["kind"], "saga");
    let text = fs::read_to_string(shop.path("order-17.trace")).expect("it was kept");
    assert!(text.contains("\"standing\": \"completed\"") && !text.contains("tok_visa"), "{text}");
    let nowhere = shop.show("order-17", &["--keep", "no/such/directory.trace"]);
    assert_eq!(nowhere.code, Some(2), "{}", nowhere.stderr);
    assert!(nowhere.stderr.contains("cannot write no/such/directory.trace; give --keep another path"), "{}", nowhere.stderr);
}
