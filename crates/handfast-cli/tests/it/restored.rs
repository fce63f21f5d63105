//! Participants that are put back to an older copy of their stores: whoever saw what was forgotten is told, and a person can
//! accept a restore that was declared.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops where it is")]
#![expect(clippy::disallowed_methods, reason = "how long a test is ready to wait is counted in real time")]

use std::fs;
use std::io::Write as _;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use hyper::Method;
use serde_json::{Value, json};

use crate::serve::shop::{Caller, PATIENCE, Process, order, path};
use crate::support::{Ended, Service, handfast};

/// A payment service that is started again and again on one store and address, a dispatch service, and coordinators with stores
/// of their own.
struct Shop {
    dir: tempfile::TempDir,
    address: String,
    payment: Option<Service>,
    dispatch: Service,
}

impl Shop {
    fn new() -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let payment = Service::start("payment", &dir.path().join("payment.db"), &[]);
        let dispatch =
            Service::start("dispatch", &dir.path().join("dispatch.db"), &["--stock".as_ref(), "mug=unlimited".as_ref()]);
        let flow = format!(
            "name = \"shop\"\n[input]\namount = \"money\"\ntoken = \"text\"\nlines = \"list\"\n\
             [[step]]\nname = \"payment\"\nkind = \"compensatable\"\nurl = \"{}\"\nsend = [\"amount\", \"token\"]\n\
             [[step]]\nname = \"dispatch\"\nkind = \"pivot\"\nurl = \"{}\"\nsend = [\"lines\"]\n",
            payment.url, dispatch.url
        );
        fs::write(dir.path().join("flow.toml"), flow).expect("it can be written");
        Self { address: payment.address.trim_start_matches("http://").to_owned(), payment: Some(payment), dispatch, dir }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Lets a coordinator drive these orders, in their order, and says how it ended.
    fn run(&self, coordinator: &str, ids: &[&str], more: &[&str]) -> Ended {
        let order = |id: &&str| {
            format!(
                "{{\"id\":\"{id}\",\"amount\":{{\"minor\":100,\"currency\":\"EUR\"}},\"token\":\"tok_visa\",\
                 \"lines\":[{{\"sku\":\"mug\",\"quantity\":1}}]}}\n"
            )
        };
        let file = self.path(&format!("{coordinator}.jsonl"));
        fs::write(&file, ids.iter().map(order).collect::<String>()).expect("it can be written");
        let store = format!("sqlite:{coordinator}.db");
        let command = ["run", "--flow", "flow.toml", "--store", &store, "--quiet"];
        let mut started = handfast();
        started.current_dir(self.dir.path()).args(command).args(more).arg(&file);
        started.output().expect("the binary runs").into()
    }

    /// Stops the payment service, does something to its store, and starts it again where it was.
    fn while_payment_is_down(&mut self, work: impl FnOnce(&Path), more: &[&str]) {
        self.payment = None;
        work(self.dir.path());
        let more: Vec<_> = more.iter().map(AsRef::as_ref).collect();
        self.payment = Some(Service::start_at(&self.address, "payment", &self.path("payment.db"), &more));
    }

    fn shipped(&self) -> u64 {
        let audit = audit(&self.dispatch);
        audit["shipments"].as_u64().unwrap_or_else(|| panic!("the audit counts shipments: {audit}"))
    }

    fn charged(&self) -> u64 {
        let audit = audit(self.payment.as_ref().expect("it runs"));
        audit["charges"].as_u64().unwrap_or_else(|| panic!("the audit counts charges: {audit}"))
    }
}

fn audit(service: &Service) -> Value {
    let address = service.address.trim_start_matches("http://");
    let mut stream = TcpStream::connect(address).expect("the service is there");
    let request = format!("GET /audit HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).expect("the service listens");
    let answer = std::io::read_to_string(stream).expect("the service answers");
    let (_, body) = answer.split_once("\r\n\r\n").expect("an answer has a body");
    serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {answer}"))
}

/// Copies a store whose service is down: the file, and the log beside it if there is one.
fn copy(from: &Path, to: &Path) {
    let named = |path: &Path, suffix: &str| PathBuf::from(format!("{}{suffix}", path.display()));
    for suffix in ["", "-wal", "-shm"] {
        drop(fs::remove_file(named(to, suffix)));
        if suffix != "-shm" && named(from, suffix).exists() {
            fs::copy(named(from, suffix), named(to, suffix)).expect("it can be copied");
        }
    }
}

/// Two coordinators on one payment service, which is put back undeclared. The one that has seen less lifts its number past
/// everything that the other has seen.
#[test]
fn a_caller_that_saw_what_was_forgotten_is_told_whoever_else_lifts_the_number() {
    let mut shop = Shop::new();
    assert_eq!(shop.run("b", &["b-0"], &[]).code, Some(0));
    assert_eq!(shop.run("a", &["a-0"], &[]).code, Some(0));
    shop.while_payment_is_down(|dir| copy(&dir.join("payment.db"), &dir.join("backup.db")), &[]);
    assert_eq!(shop.run("a", &["a-1", "a-2", "a-3", "a-4", "a-5", "a-6"], &[]).code, Some(0));
    shop.while_payment_is_down(|dir| copy(&dir.join("backup.db"), &dir.join("payment.db")), &[]);
    let eight: Vec<String> = (1..=8).map(|number| format!("b-{number}")).collect();
    assert_eq!(shop.run("b", &eight.iter().map(String::as_str).collect::<Vec<_>>(), &[]).code, Some(0), "it saw nothing of that");
    let shipped = shop.shipped();
    let told = shop.run("a", &["a-7", "a-8"], &["--give-up-after", "3s"]);
    assert_eq!(told.code, Some(4), "{}", told.stdout);
    assert_eq!(shop.shipped(), shipped, "nothing was shipped on a history that is not its own");
    assert_eq!(shop.charged(), 10, "a-0, b-0 and the eight of b; a-7 and a-8 are not charged");
}

/// A restore that was declared: nothing goes on until a person accepts the new incarnation, by name and with a reason.
#[test]
fn a_declared_restore_is_accepted_by_a_person_and_the_orders_go_on() {
    let mut shop = Shop::new();
    assert_eq!(shop.run("a", &["a-0"], &[]).code, Some(0));
    shop.while_payment_is_down(|dir| copy(&dir.join("payment.db"), &dir.join("backup.db")), &[]);
    assert_eq!(shop.run("a", &["a-1"], &[]).code, Some(0));
    let restore = |dir: &Path| copy(&dir.join("backup.db"), &dir.join("payment.db"));
    shop.while_payment_is_down(restore, &["--declare-restored"]);
    for _restarted in 0..2 {
        assert_eq!(shop.run("a", &["a-2"], &["--give-up-after", "2s"]).code, Some(4), "nobody has accepted it");
    }

    let store = format!("sqlite:{}", shop.path("a.db").display());
    let url = shop.payment.as_ref().expect("it runs").url.clone();
    let participants = |more: &[&str]| -> Ended {
        let mut command = handfast();
        command.arg("participants").args(more).args(["--store", &store, "--json"]);
        command.output().expect("the binary runs").into()
    };
    let listed: Value = serde_json::from_str(&participants(&["list"]).stdout).expect("JSON");
    let all = listed["participants"].as_array().expect("a list");
    let payment = all.iter().find(|one| one["participant"] == url.as_str()).expect("the payment service is known");
    let offered = payment["offered"]["incarnation"].as_str().expect("it says that it is another one").to_owned();
    let way_out = payment["way_out"].as_str().expect("it is named");
    let command = format!("handfast participants accept {url} --incarnation {offered} --by NAME --why TEXT");
    assert!(way_out.contains(&command), "{way_out}");
    let accept = |incarnation: &str| {
        let act = ["accept", &url, "--incarnation", incarnation, "--by", "ann", "--why", "restored from Monday", "--yes"];
        participants(&act)
    };
    let refused = accept("another-one");
    assert_eq!(refused.code, Some(2), "{}", refused.stdout);
    assert!(refused.stderr.contains(&offered), "{}", refused.stderr);

    let accepted = accept(&offered);
    assert_eq!(accepted.code, Some(0), "{}", accepted.stderr);
    let told: Value = serde_json::from_str(&accepted.stdout).expect("JSON");
    assert_eq!((&told["accepted"]["by"], &told["accepted"]["former"]), (&"ann".into(), &payment["incarnation"]));
    let resting: Vec<&str> =
        told["resting"]["sagas"].as_array().expect("a list").iter().map(|one| one["id"].as_str().unwrap()).collect();
    assert_eq!(resting, ["a-0", "a-1"], "what has ended is for whoever reconciles the books");
    assert_eq!(told["resting"]["sagas"][1]["money"][0]["minor"], 100);
    let resting = participants(&["resting", "--incarnation", payment["incarnation"].as_str().unwrap()]);
    let resting: Value = serde_json::from_str(&resting.stdout).expect("JSON");
    let line = |one: &Value| (one["id"].clone(), one["above_copy"].clone(), one["money"][0]["amount"].clone());
    let lines: Vec<_> = resting["sagas"].as_array().expect("a list").iter().map(line).collect();
    let expected = [("a-0", false), ("a-1", true)].map(|(id, above)| (id.into(), above.into(), "1.00 EUR".into()));
    assert_eq!(lines, expected, "a-1 was charged after the copy was made");
    assert_eq!(accept(&offered).code, Some(0), "whoever asks again hears what was accepted");

    assert_eq!(shop.run("a", &["a-2", "a-3"], &[]).code, Some(0), "they go on, restarted and all");
    assert_eq!((shop.charged(), shop.shipped()), (3, 4), "a-0, a-2 and a-3; a-1 was shipped before");
}

/// What a running service says of the payment service, once that has named another incarnation.
async fn offered(caller: &Caller, payment: &str) -> Value {
    let started = Instant::now();
    loop {
        let listed = caller.get("/participants").await.json();
        let one = listed["participants"].as_array().unwrap().iter().find(|one| one["participant"] == payment).cloned();
        if let Some(one) = one.filter(|one| one["offered"].is_object()) {
            return one;
        }
        assert!(started.elapsed() < PATIENCE, "{listed:#}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// The same by the addresses of a running service, which goes on without a restart.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_running_service_goes_on_once_a_person_has_accepted_a_restore() {
    let mut shop = Shop::new();
    let (flow, store) = (shop.path("flow.toml"), format!("sqlite:{}", shop.path("served.db").display()));
    let coordinator = Process::start(&["serve", "--flow", path(&flow), "--listen", "127.0.0.1:0", "--store", &store]);
    let caller = Caller::of(&coordinator);
    let place = async |id: &str| assert_eq!(caller.place(id, &order(id), &[]).await.status, 202, "{id}");
    place("order-0").await;
    assert_eq!(caller.outcome("order-0").await, "completed");
    shop.while_payment_is_down(|dir| copy(&dir.join("payment.db"), &dir.join("backup.db")), &[]);
    place("order-1").await;
    assert_eq!(caller.outcome("order-1").await, "completed");
    let restore = |dir: &Path| copy(&dir.join("backup.db"), &dir.join("payment.db"));
    shop.while_payment_is_down(restore, &["--declare-restored"]);
    place("order-2").await;

    let payment = shop.payment.as_ref().unwrap().url.clone();
    let before = offered(&caller, &payment).await;
    let (former, incarnation) = (before["incarnation"].as_str().unwrap(), before["offered"]["incarnation"].as_str().unwrap());
    let accept = async |incarnation: &str, by: &str| {
        let act = json!({ "participant": payment, "incarnation": incarnation, "by": by, "why": "restored from Monday" });
        caller.send(Method::POST, "/participants/accept", &[("content-type", "application/json")], act.to_string()).await
    };
    let other = accept("another-one", "ann").await;
    assert_eq!((other.status.as_u16(), other.problem().as_str()), (409, "cannot-accept"));
    assert_eq!(other.json()["offered"], incarnation);
    let nobody = accept(incarnation, " ").await;
    assert_eq!((nobody.status.as_u16(), nobody.problem().as_str()), (422, "not-an-acceptance"));
    let waiting = caller.get("/sagas/order-2").await.json();
    assert_eq!(
        (&waiting["outcome"], shop.charged(), shop.shipped()),
        (&Value::Null, 1, 2),
        "nobody has accepted it: {waiting:#}"
    );

    // Whoever did not hear that it was taken asks again, and hears the same.
    for _asked in 0..2 {
        let accepted = accept(incarnation, "ann").await;
        assert_eq!(accepted.status, 200, "{}", accepted.text);
        let accepted = accepted.json();
        assert_eq!((&accepted["former"], &accepted["by"]), (&json!(former), &json!("ann")), "{accepted:#}");
    }
    assert_eq!(caller.outcome("order-2").await, "completed");
    let resting = caller.get(&format!("/participants/resting?incarnation={former}")).await.json();
    let lines: Vec<_> = resting["sagas"].as_array().unwrap().iter().map(|one| (&one["id"], &one["above_copy"])).collect();
    assert_eq!(lines, [(&json!("order-0"), &json!(false)), (&json!("order-1"), &json!(true))], "{resting:#}");
    assert_eq!(resting["sagas"][1]["money"][0]["amount"], "19.99 EUR");
    assert_eq!((shop.charged(), shop.shipped()), (2, 3), "order-1 was charged in books that are gone");
}
