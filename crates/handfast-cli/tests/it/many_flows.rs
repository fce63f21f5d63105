//! One service that takes the orders of several flows: real processes, and flow files in a folder.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops where it is")]

use std::fs;
use std::path::PathBuf;

use hyper::Method;
use serde_json::{Value, json};

use crate::serve::shop::{Caller, Process, Reply, Shop, order, path};
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
