//! One service that takes the orders of several flows: real processes, and flow files in a folder.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops where it is")]
#![expect(clippy::disallowed_methods, reason = "how long a test is ready to wait is counted in real time")]

use std::fs;
use std::path::PathBuf;

use hyper::Method;
use serde_json::{Value, json};

use crate::serve::shop::{Caller, PATIENCE, Process, Reply, Shop, order, path};
use crate::support;

/// A shop and a folder of flow files, each the shop's under another name.
struct Several {
    shop: Shop,
    folder: PathBuf,
}

impl Several {
    fn of(names: &[&str]) -> Self {
        let shop = Shop::closed();
        let folder = shop.folder.path().join("flows");
        fs::create_dir(&folder).unwrap();
        let several = Self { shop, folder };
        names.iter().for_each(|name| several.write(name, &several.text(name)));
        several
    }

    fn text(&self, name: &str) -> String {
        fs::read_to_string(self.shop.flow()).unwrap().replace("\"shop\"", &format!("\"{name}\""))
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.folder.join(format!("{name}.toml")), text).unwrap();
    }

    fn coordinator(&self, more: &[&str]) -> Process {
        let store = self.shop.store();
        let arguments = ["serve", "--flow", path(&self.folder), "--listen", "127.0.0.1:0", "--store", &store];
        Process::start(&[&arguments, more].concat())
    }
}

async fn place(caller: &Caller, flow: &str, id: &str) -> Reply {
    let headers = [("content-type", "application/json"), ("idempotency-key", id), ("prefer", "wait=50")];
    caller.send(Method::POST, &format!("/flows/{flow}/sagas"), &headers, order(id).to_string()).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn orders_of_several_flows_end_in_both_and_go_on_after_kill_9() {
    let several = Several::of(&["shop", "cards"]);
    let coordinator = several.coordinator(&[]);
    assert_eq!((&coordinator.said["flow"], &coordinator.said["flows"]), (&Value::Null, &json!(["cards", "shop"])));
    let caller = Caller::of(&coordinator);
    let headers = [("content-type", "application/json"), ("idempotency-key", "key-1")];
    for flow in ["shop", "cards"] {
        let reply = caller.send(Method::POST, &format!("/flows/{flow}/sagas"), &headers[..1], order(flow).to_string()).await;
        assert_eq!(reply.problem(), "idempotency-key-missing");
        let more = [("content-type", "application/json"), ("idempotency-key", flow)];
        let reply = caller.send(Method::POST, &format!("/flows/{flow}/sagas"), &more, order(flow).to_string()).await;
        assert_eq!(reply.status, 202, "{}", reply.text);
    }
    assert_eq!(caller.place("key-1", &order("order-1"), &[]).await.problem(), "which-flow");
    coordinator.kill();
    let _services = several.shop.services();
    let coordinator = several.coordinator(&[]);
    let caller = Caller::of(&coordinator);
    for flow in ["shop", "cards"] {
        assert_eq!(caller.outcome(flow).await, "completed");
        assert_eq!(caller.get(&format!("/sagas/{flow}")).await.json()["flow"], flow);
        // The same order of another flow is another order.
        let other = if flow == "shop" { "cards" } else { "shop" };
        assert_eq!(place(&caller, other, flow).await.problem(), "idempotency-key-reused");
        assert_eq!(place(&caller, flow, flow).await.header("idempotency-replayed"), Some("true"));
    }
}

/// Has the service read its flows anew, and brings what it says came of each, by its name or its file.
async fn reload(caller: &Caller) -> Value {
    let reply = caller.send(Method::POST, "/flows/reload", &[], "").await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    reply.json()
}

fn change<'a>(reloaded: &'a Value, name: &str) -> &'a Value {
    let flows = reloaded["flows"].as_array().unwrap();
    let is_it = |flow: &&Value| flow["flow"] == name || flow["file"].as_str().unwrap().ends_with(name);
    flows.iter().find(is_it).unwrap_or_else(|| panic!("{name} is not in {reloaded}"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn flows_are_read_anew_and_what_does_not_check_leaves_what_was_there() {
    let several = Several::of(&["shop", "cards"]);
    let coordinator = several.coordinator(&["--log", "json"]);
    let caller = Caller::of(&coordinator);
    let before = caller.get("/flows").await.json();
    // An order of a flow that is taken out goes on, and no other is taken.
    let headers = [("content-type", "application/json"), ("idempotency-key", "order-1")];
    let reply = caller.send(Method::POST, "/flows/cards/sagas", &headers, order("order-1").to_string()).await;
    assert_eq!(reply.status, 202, "{}", reply.text);
    fs::remove_file(several.folder.join("cards.toml")).unwrap();
    several.write("toys", &several.text("toys"));
    several.write("shop", "name = \"shop\"\n[[step]]\nname = 1\n");
    let reloaded = reload(&caller).await;
    assert_eq!(reloaded["complete"], false, "{reloaded}");
    let changes = ["shop", "toys", "cards"].map(|name| change(&reloaded, name)["change"].as_str().unwrap());
    assert_eq!(changes, ["kept", "added", "removed"]);
    let why = change(&reloaded, "shop")["why"].as_str().unwrap().to_owned();
    assert!(why.contains("shop.toml:2:1: step 1 has no "), "{why}");
    let reply = place(&caller, "cards", "order-2").await;
    assert_eq!((reply.status.as_u16(), reply.problem().as_str()), (410, "flow-removed"));
    let stats = caller.get("/stats").await.json();
    let flows: Vec<_> = stats["flows"].as_array().unwrap().iter().map(|flow| (&flow["flow"], &flow["takes_orders"])).collect();
    let (yes, no) = (json!(true), json!(false));
    assert_eq!(flows, [(&json!("shop"), &yes), (&json!("toys"), &yes), (&json!("cards"), &no)]);
    assert_eq!(stats["flows"][0]["trouble"], why, "{stats}");
    assert_eq!(coordinator.events("flow_kept")[0]["why"], why);
    let _services = several.shop.services();
    assert_eq!(caller.outcome("order-1").await, "completed");
    for flow in ["shop", "toys"] {
        assert_eq!(place(&caller, flow, flow).await.json()["outcome"], "completed");
    }
    // As it was, by the command and by a signal.
    several.write("shop", &several.text("shop"));
    several.write("cards", &several.text("cards"));
    fs::remove_file(several.folder.join("toys.toml")).unwrap();
    let ended = support::run(["flows", "reload", "--url", &coordinator.url, "--json"]);
    assert_eq!(
        (ended.code, &change(&serde_json::from_str(&ended.stdout).unwrap(), "cards")["change"]),
        (Some(0), &json!("added"))
    );
    assert_eq!(caller.get("/flows").await.json()["flows"].as_array().unwrap()[..2], before["flows"].as_array().unwrap()[..]);
    several.write("toys", "no flow at all");
    let ended = support::run(["flows", "reload", "--url", &coordinator.url]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stdout.contains("(no flow)  refused") && ended.stdout.contains("toys.toml:1:4: this is not TOML"), "{ended:?}");
    several.write("toys", &several.text("toys"));
    coordinator.signal("HUP");
    let started = std::time::Instant::now();
    while caller.get("/flows").await.json()["flows"].as_array().unwrap().len() < 3 {
        assert!(started.elapsed() < PATIENCE);
    }
    // What contradicts itself changes nothing at all.
    several.write("more", &several.text("shop"));
    let reloaded = reload(&caller).await;
    assert!(reloaded["why"].as_str().unwrap().contains("the flow \"shop\" is in "), "{reloaded}");
    assert_eq!(caller.get("/flows").await.json()["trouble"], reloaded["why"]);
    let listed = support::run(["flows", "list", "--url", &coordinator.url]);
    assert!(listed.stdout.contains("shop  takes orders  ") && listed.stdout.contains("were not taken"), "{listed:?}");
}

/// Orders are placed all the while by four callers, and each ends in both or neither as it should.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_order_is_lost_while_flows_are_read_anew_fifty_times() {
    const RELOADS: usize = 50;
    let several = Several::of(&["shop", "cards"]);
    let _services = several.shop.services();
    let coordinator = several.coordinator(&[]);
    let caller = Caller::of(&coordinator);
    let (over, told) = tokio::sync::watch::channel(false);
    let placing: Vec<_> = (0..4)
        .map(|number| {
            let (caller, told) = (caller.clone(), told.clone());
            tokio::spawn(async move {
                let mut placed = Vec::new();
                while !*told.borrow() && placed.len() < 400 {
                    let (id, flow) = (format!("order-{number}-{}", placed.len()), ["shop", "cards"][placed.len() % 2]);
                    let is_declined = placed.len() % 5 == 4;
                    let mut body = order(&id);
                    if is_declined {
                        body["token"] = json!("tok_declined");
                    }
                    let headers = [("content-type", "application/json"), ("idempotency-key", id.as_str())];
                    let reply = caller.send(Method::POST, &format!("/flows/{flow}/sagas"), &headers, body.to_string()).await;
                    assert!(reply.status.is_success(), "{}", reply.text);
                    placed.push((id, flow, is_declined));
                }
                placed
            })
        })
        .collect();
    let hashes = async || caller.get("/flows").await.json()["flows"][1]["hash"].clone();
    let mut seen = Vec::new();
    for number in 0..RELOADS {
        let timeout = format!("timeout = \"{}s\"\nsend = ", 5 + number % 2);
        several.write("shop", &several.text("shop").replacen("send = ", &timeout, 1));
        let reloaded = reload(&caller).await;
        assert_eq!(
            (&reloaded["complete"], &change(&reloaded, "shop")["change"]),
            (&json!(true), &json!("changed")),
            "{reloaded}"
        );
        seen.push(hashes().await);
    }
    over.send_replace(true);
    seen.sort_by_key(ToString::to_string);
    seen.dedup();
    assert_eq!(seen.len(), 2, "each of them took orders");
    let mut orders = Vec::new();
    for placed in placing {
        orders.extend(placed.await.unwrap());
    }
    for (id, flow, is_declined) in &orders {
        let expected = if *is_declined { ("cancelled", "refused", "closed") } else { ("completed", "done", "done") };
        assert_eq!(caller.outcome(id).await, expected.0, "{id}");
        let saga = caller.get(&format!("/sagas/{id}")).await.json();
        let states = (&saga["steps"][0]["state"], &saga["steps"][1]["state"], &saga["flow"]);
        assert_eq!(states, (&json!(expected.1), &json!(expected.2), &json!(flow)), "{saga}");
    }
    let stats = caller.get("/stats").await.json();
    let ended = ["completed", "cancelled"].map(|standing| stats["sagas"][standing].as_u64().unwrap_or_default());
    assert_eq!((ended.iter().sum::<u64>(), &stats["in_doubt"]), (orders.len() as u64, &json!(0)), "{stats}");
    assert!(orders.len() > RELOADS, "orders came all the while: {}", orders.len());
}

#[test]
fn flows_that_do_not_go_together_are_refused_at_the_start() {
    let several = Several::of(&["cards", "shop"]);
    let store = several.shop.store();
    let start = |more: &[&str]| {
        let ended = support::run([&["serve", "--listen", "127.0.0.1:0"][..], more].concat());
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), ""), "{ended:?}");
        ended.stderr
    };
    let shop = several.shop.flow();
    let with_store = ["--store", store.as_str(), "--flow", path(&several.folder), "--flow"];
    let twice = start(&[&with_store[..], &[path(&shop)]].concat());
    assert!(
        twice.contains("shop.toml:1:8: the flow \"shop\" is in ") && twice.contains("flows/shop.toml:1:8 as well"),
        "{twice}"
    );
    let nameless = start(&["--flow", path(&several.folder)]);
    assert!(nameless.contains("say --store sqlite:FILE"), "{nameless}");
    several.write("cards", &several.text("cards").replacen("send = ", "in_flight = 3\nsend = ", 1));
    let at_odds = start(&["--store", &store, "--flow", path(&several.folder)]);
    assert!(at_odds.contains("shop.toml:8:1: ") && at_odds.contains("cards.toml:8:1 has the same participant"), "{at_odds}");
    assert!(!several.shop.folder.path().join("shop.db").exists());
}
