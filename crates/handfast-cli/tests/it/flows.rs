//! The flows of `examples/` end as their documented tables say, and one that cannot promise everything asks first.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use rusqlite::Connection;
use serde_json::Value;

use crate::support::{Ended, Service, handfast, repository};

/// A participant in Python. Killed when it goes out of scope.
struct Python {
    child: Child,
    url: String,
}

impl Python {
    fn start(service: &str, store: &Path, more: &[&str]) -> Self {
        let mut child = Command::new("python3")
            .arg(repository("examples/warehouse/services.py"))
            .args([service, "--listen", "127.0.0.1:0", "--store"])
            .arg(store)
            .args(more)
            .stdout(Stdio::piped())
            .spawn()
            .expect("python3 is there");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("it is piped")).read_line(&mut line).expect("it says where it is");
        Self { child, url: line.trim().to_owned() }
    }
}

impl Drop for Python {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// The flow of an example with the services where they are in this test.
pub(crate) fn flow_of(example: &str, dir: &Path, moved: &[(&str, &str)]) -> PathBuf {
    let mut flow = fs::read_to_string(repository(&format!("examples/{example}/flow.toml"))).expect("the example is there");
    for (from, to) in moved {
        assert!(flow.contains(from), "the flow names {from}");
        flow = flow.replace(from, to);
    }
    let path = dir.join("flow.toml");
    fs::write(&path, flow).expect("the directory can be written to");
    path
}

pub(crate) fn run(example: &str, dir: &Path, flow: &Path) -> Command {
    let mut command = handfast();
    let store = format!("sqlite:{}", dir.join("sagas.db").display());
    command.arg("run").arg("--flow").arg(flow).args(["--store", &store]);
    command.arg(repository(&format!("examples/{example}/orders.jsonl")));
    command
}

/// The steps' states and the outcome of every order, by its id.
pub(crate) fn results(ended: &Ended) -> BTreeMap<String, Vec<String>> {
    let row = |line: &str| {
        let line: Value = serde_json::from_str(line).expect("a line of JSON");
        let state = |step: &Value| step["state"].as_str().unwrap_or("closed").to_owned();
        let mut row: Vec<String> = line["steps"].as_array().expect("steps").iter().map(state).collect();
        row.push(line["outcome"].as_str().unwrap_or("none").to_owned());
        (line["id"].as_str().expect("an id").to_owned(), row)
    };
    ended.stdout.lines().map(row).collect()
}

/// The table of the example's README; of the last cell only the outcome counts.
pub(crate) fn documented(example: &str) -> BTreeMap<String, Vec<String>> {
    let readme = fs::read_to_string(repository(&format!("examples/{example}/README.md"))).expect("the example is there");
    let table = readme.lines().skip_while(|line| !line.starts_with("| order |")).skip(2).take_while(|line| line.starts_with('|'));
    let row = |line: &str| {
        let mut cells: Vec<String> = line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect();
        let outcome = cells.pop().expect("a row has cells");
        cells.push(outcome.split(':').next().unwrap_or_default().to_owned());
        (cells.remove(0), cells)
    };
    table.map(row).collect()
}

fn number(store: &Path, query: &str) -> i64 {
    let books = Connection::open(store).expect("the books are there");
    books.query_row(query, [], |row| row.get(0)).expect("the query fits the books")
}

#[test]
fn the_warehouse_ends_as_its_table_says() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = |name: &str| dir.path().join(name);
    let stock = Python::start("stock", &path("stock.db"), &["--stock", "mug=10,piano=1"]);
    let letters = Python::start("letters", &path("letters.db"), &[]);
    let payment = Service::start("payment", &path("payment.db"), &[]);
    let dispatch = Service::start("dispatch", &path("dispatch.db"), &["--stock".as_ref(), "mug=100,piano=0".as_ref()]);
    let moved = [
        ("http://127.0.0.1:4011/stock", stock.url.as_str()),
        ("http://127.0.0.1:4001/charges", &payment.url),
        ("http://127.0.0.1:4002/shipments", &dispatch.url),
        ("http://127.0.0.1:4012/letters", &letters.url),
    ];
    let flow = flow_of("warehouse", dir.path(), &moved);
    let ended: Ended = run("warehouse", dir.path(), &flow).output().expect("the binary runs").into();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert_eq!(results(&ended), documented("warehouse"));
    assert_eq!(number(&path("stock.db"), "SELECT quantity FROM available WHERE sku = 'mug'"), 5);
    assert_eq!(number(&path("stock.db"), "SELECT quantity FROM available WHERE sku = 'piano'"), 1);
    assert_eq!(number(&path("letters.db"), "SELECT count(*) FROM letter"), 2);
}

#[test]
fn the_card_asks_first_and_then_ends_as_its_table_says() {
    const TOKEN: &str = "tok-of-the-bank-7f3a";
    let dir = tempfile::tempdir().expect("a directory");
    let path = |name: &str| dir.path().join(name);
    let payment = Service::start("payment", &path("payment.db"), &[]);
    let dispatch = Service::start("dispatch", &path("dispatch.db"), &["--stock".as_ref(), "mug=10,lamp=0".as_ref()]);
    let at_bank = payment.url.replace("charges", "");
    let moved = [("http://127.0.0.1:4001/", at_bank.as_str()), ("http://127.0.0.1:4002/shipments", &dispatch.url)];
    let flow = flow_of("card", dir.path(), &moved);
    let line = 1 + fs::read_to_string(&flow).expect("it is there").lines().position(|line| line == "[[step]]").expect("a step");

    let refused: Ended = run("card", dir.path(), &flow).output().expect("the binary runs").into();
    assert_eq!((refused.code, refused.stdout.as_str()), (Some(2), ""));
    let begins = format!("{}:{line}:1: what step 1 holds lapses by itself after 7d", flow.display());
    assert!(refused.stderr.contains(&begins) && refused.stderr.contains("--accept-risk hold-lapse"), "{}", refused.stderr);

    let accepted = ["--accept-risk", "hold-lapse"];
    let secretless: Ended = run("card", dir.path(), &flow).args(accepted).output().expect("the binary runs").into();
    assert_eq!(secretless.code, Some(2));
    assert!(
        secretless.stderr.contains("the secret BANK_TOKEN is not there; set BANK_TOKEN, or BANK_TOKEN_FILE"),
        "{}",
        secretless.stderr
    );
    assert!(!path("sagas.db").exists(), "nothing was started");

    let mut command = run("card", dir.path(), &flow);
    let ended: Ended = command.args(accepted).env("BANK_TOKEN", TOKEN).output().expect("the binary runs").into();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert_eq!(results(&ended), documented("card"));
    // Each capture is of the hold of its own order, by the id that the hold's answer brought.
    let theirs = "SELECT count(*) FROM capture WHERE hold LIKE '%.card-1.authorise' AND key LIKE '%.card-1.capture'
                  OR hold LIKE '%.card-4.authorise' AND key LIKE '%.card-4.capture'";
    assert_eq!((number(&path("payment.db"), theirs), number(&path("payment.db"), "SELECT count(*) FROM capture")), (2, 2));
    let kept = format!("SELECT count(*) FROM journal WHERE input LIKE '%\"kept\":{}%'", "{\"id\":");
    assert_eq!(number(&path("sagas.db"), &kept), 3);
    for file in fs::read_dir(dir.path()).expect("the directory can be read").map(|file| file.expect("a file").path()) {
        let bytes = fs::read(&file).expect("the file can be read");
        let shows = bytes.windows(TOKEN.len()).any(|window| window == TOKEN.as_bytes());
        assert!(!shows, "{} shows the secret", file.display());
    }
    assert!(!ended.stderr.contains(TOKEN) && !ended.stdout.contains(TOKEN));
}

#[test]
fn a_flow_that_names_a_participant_of_another_program_is_refused() {
    let dir = tempfile::tempdir().expect("a directory");
    let flow = dir.path().join("flow.toml");
    fs::write(&flow, "name = \"own\"\n[[step]]\nname = \"bank\"\nkind = \"pivot\"\nparticipant = \"inproc\"\n")
        .expect("it can be written");
    for command in ["run", "serve"] {
        let ended: Ended = handfast().arg(command).arg("--flow").arg(&flow).output().expect("the binary runs").into();
        assert_eq!(ended.code, Some(2), "{}", ended.stderr);
        assert!(
            ended.stderr.contains(":2:1: step bank is to be taken by a participant of the program itself"),
            "{}",
            ended.stderr
        );
    }
    let unknown: Ended =
        handfast().args(["serve", "--accept-risk", "hold-laps", "--flow"]).arg(&flow).output().expect("the binary runs").into();
    assert_eq!(unknown.code, Some(2));
    assert!(unknown.stderr.contains("hold-lapse"), "{}", unknown.stderr);
}
