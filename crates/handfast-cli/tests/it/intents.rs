//! `examples/intents`: a flow whose safety comes from the states of payment intents ends as its table says, also over roads that
//! lose a third of all messengers.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use hyper::Method;
use serde_json::{Value, json};

use crate::flows::{documented, flow_of, results, run};
use crate::support::{Ended, Service, handfast};

/// A road on which a third of all messengers is captured. Killed when it goes out of scope.
struct Road {
    child: Child,
    address: String,
}

impl Road {
    fn to(service: &Service) -> Self {
        let hazards = ["--capture", "0.35", "--hold", "100ms", "--seed", "7"];
        let mut child = handfast()
            .args(["messenger", "--json", "--quiet", "--listen", "127.0.0.1:0", "--to", &service.address])
            .args(hazards)
            .stdout(Stdio::piped())
            .spawn()
            .expect("the road opens");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("it is piped")).read_line(&mut line).expect("it says where it is");
        let said: Value = serde_json::from_str(&line).expect("a line of JSON");
        Self { child, address: said["listening"].as_str().expect("an address").to_owned() }
    }
}

impl Drop for Road {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn audit(service: &Service) -> Value {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let url = format!("{}/audit", service.address);
    runtime.block_on(async {
        let client = hyper_util::client::legacy::Client::builder(hyper_util::rt::TokioExecutor::new()).build_http();
        let request = hyper::Request::builder().method(Method::GET).uri(url);
        let request = request.body(http_body_util::Empty::<hyper::body::Bytes>::new()).expect("a request");
        let answer = client.request(request).await.expect("the books");
        let body = http_body_util::BodyExt::collect(answer.into_body()).await.expect("the books").to_bytes();
        serde_json::from_slice(&body).expect("the books")
    })
}

#[test]
fn intents_end_as_their_table_says() {
    let dir = tempfile::tempdir().expect("a directory");
    let payment = Service::start("payment", &dir.path().join("payment.db"), &[]);
    let dispatch = Service::start("dispatch", &dir.path().join("dispatch.db"), &["--stock".as_ref(), "mug=10,lamp=0".as_ref()]);
    let moved = [("http://127.0.0.1:4001", payment.address.as_str()), ("http://127.0.0.1:4002/shipments", &dispatch.url)];
    let flow = flow_of("intents", dir.path(), &moved);
    let mut command = run("intents", dir.path(), &flow);
    let ended: Ended = command.args(["--accept-risk", "second-id"]).output().expect("the binary runs").into();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert_eq!(results(&ended), documented("intents"));
}

#[test]
fn a_third_of_all_messengers_may_be_lost() {
    const ORDERS: u64 = 20;
    let dir = tempfile::tempdir().expect("a directory");
    let payment = Service::start("payment", &dir.path().join("payment.db"), &[]);
    let dispatch = Service::start("dispatch", &dir.path().join("dispatch.db"), &["--stock".as_ref(), "mug=99,lamp=0".as_ref()]);
    let roads = [Road::to(&payment), Road::to(&dispatch)];
    let moved = [("http://127.0.0.1:4001", roads[0].address.as_str()), ("http://127.0.0.1:4002", &roads[1].address)];
    let flow = flow_of("intents", dir.path(), &moved);
    let order = |at: u64| {
        let (token, sku) =
            (if at.is_multiple_of(5) { "tok_declined" } else { "tok_visa" }, if at.is_multiple_of(7) { "lamp" } else { "mug" });
        let amount = json!({ "minor": 100 + at, "currency": "EUR" });
        let lines = json!([{ "sku": sku, "quantity": 1 }]);
        json!({ "id": format!("order-{at}"), "amount": amount, "token": token, "lines": lines }).to_string()
    };
    let orders: Vec<String> = (1..=ORDERS).map(order).collect();
    fs::write(dir.path().join("orders.jsonl"), orders.join("\n")).expect("it can be written");
    let mut command: Command = handfast();
    command.current_dir(dir.path()).arg("run").arg("--flow").arg(&flow);
    command.args(["--store", "sqlite:sagas.db", "--retry-cap", "200ms", "--accept-risk", "second-id", "orders.jsonl"]);
    let ended: Ended = command.output().expect("the binary runs").into();
    assert_eq!(ended.code, Some(0), "{} {}", ended.stdout, ended.stderr);
    let outcomes = results(&ended);
    let of = |outcome: &str| outcomes.values().filter(|row| row.last().is_some_and(|last| last == outcome)).count() as u64;
    // Four cards are declined, and two orders want a lamp, which nobody has.
    assert_eq!((of("completed"), of("cancelled")), (14, 6), "{}", ended.stdout);
    let (paid, shipped) = (audit(&payment), audit(&dispatch));
    let number = |books: &Value, name: &str| books[name].as_u64().expect("a number");
    assert_eq!((number(&paid, "captures"), number(&shipped, "shipments")), (14, 14), "{paid} {shipped}");
    assert_eq!(number(&paid, "charges") - number(&paid, "refunds"), 14, "{paid}");
    assert_eq!((number(&paid, "disagreements"), number(&shipped, "disagreements")), (0, 0), "{paid} {shipped}");
}
