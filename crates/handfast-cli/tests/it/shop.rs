//! The shop of `examples/`: it ends as its documented table says, also when `handfast run` is killed on the way.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use rusqlite::Connection;
use serde_json::Value;

use crate::support::{Ended, Service, handfast, repository};

/// The shop on free ports with stores of its own.
struct Shop {
    dir: tempfile::TempDir,
    _payment: Service,
    _dispatch: Service,
}

impl Shop {
    fn open() -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let stock = repository("examples/shop/stock.json");
        let payment = Service::start("payment", &dir.path().join("payment.db"), &[]);
        let dispatch = Service::start("dispatch", &dir.path().join("dispatch.db"), &["--stock-file".as_ref(), stock.as_os_str()]);
        let flow = fs::read_to_string(repository("examples/shop/flow.toml")).expect("the example is there");
        let here =
            flow.replace("http://127.0.0.1:4001/charges", &payment.url).replace("http://127.0.0.1:4002/shipments", &dispatch.url);
        assert!(here.contains(&payment.url) && here.contains(&dispatch.url), "the example names both services: {flow}");
        fs::write(dir.path().join("flow.toml"), here).expect("the directory can be written to");
        Self { dir, _payment: payment, _dispatch: dispatch }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn run(&self, more: &[&str]) -> Command {
        let mut command = handfast();
        let store = format!("sqlite:{}", self.path("shop.db").display());
        command.arg("run").arg("--flow").arg(self.path("flow.toml")).arg("--store").arg(store).args(more);
        command.arg(repository("examples/shop/orders.jsonl"));
        command
    }

    /// The rows of a query on one of the services' own books, which the service still has open.
    fn books(&self, name: &str, query: &str) -> Vec<(String, i64, i64)> {
        let books = Connection::open(self.path(name)).expect("the books are there");
        let mut statement = books.prepare(query).expect("the query fits the books");
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).expect("the query runs");
        rows.collect::<Result<_, _>>().expect("the rows are what they should be")
    }

    /// Compares results and books with the tables of the example's README.
    fn check(&self, ended: &Ended) {
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        assert!(
            ended.stderr.contains("300 orders: 243 completed (both), 57 cancelled (neither), 0 in doubt, 0 suspended\n"),
            "{}",
            ended.stderr
        );
        let (outcomes, results) = table_of_results(&ended.stdout);
        assert_eq!(outcomes, documented("| | orders |"));
        // From the books alone: what each currency was charged for good, and what went back.
        let currencies = self.books(
            "payment.db",
            "SELECT c.currency, sum(CASE WHEN r.state = 'done' THEN c.minor ELSE 0 END), sum(CASE WHEN r.state = 'undone' THEN c.minor ELSE 0 END)
             FROM charge c JOIN register r ON r.key = c.key GROUP BY c.currency ORDER BY c.currency",
        );
        assert_eq!(currencies, documented_currencies());
        let scarce = self.books(
            "dispatch.db",
            "SELECT s.sku, count(l.key), s.available FROM stock s LEFT JOIN shipment_line l ON l.sku = s.sku
             WHERE s.sku IN ('print-harbour-no7', 'lamp-brass-1954', 'teapot-tetsubin-ki', 'tray-silver-bh', 'globe-relief-32cm')
             GROUP BY s.sku ORDER BY s.sku",
        );
        assert_eq!(scarce, documented_scarce());
        self.check_every_order(&results);
    }

    /// Both or neither, order by order, by the keys that carry the order's id.
    fn check_every_order(&self, results: &BTreeMap<String, String>) {
        let keys = |name: &str, effect: &str| -> BTreeMap<String, i64> {
            let rows = self.books(name, effect).into_iter();
            rows.map(|(key, number, _)| (key.split('.').nth(1).expect("a key names its order").to_owned(), number)).collect()
        };
        let charged = keys("payment.db", "SELECT key, count(*), 0 FROM register WHERE state = 'done' GROUP BY key");
        let shipped = keys("dispatch.db", "SELECT key, count(*), 0 FROM shipment GROUP BY key");
        for (id, outcome) in results {
            let both = outcome == "completed";
            assert_eq!((charged.contains_key(id), shipped.contains_key(id)), (both, both), "{id} is {outcome}");
        }
        assert_eq!((charged.len(), shipped.len()), (243, 243));
    }
}

/// How many orders ended how, in the words of the README, and each order's outcome.
fn table_of_results(stdout: &str) -> (Vec<(String, i64)>, BTreeMap<String, String>) {
    let orders = fs::read_to_string(repository("examples/shop/orders.jsonl")).expect("the example is there");
    let tokens: BTreeMap<String, String> = orders
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).expect("a line of JSON"))
        .map(|order| (order["id"].as_str().expect("an id").to_owned(), order["token"].as_str().expect("a token").to_owned()))
        .collect();
    let mut results = BTreeMap::new();
    let mut counts: BTreeMap<&str, i64> = BTreeMap::new();
    for line in stdout.lines() {
        let line: Value = serde_json::from_str(line).expect("a line of JSON");
        let id = line["id"].as_str().expect("an id").to_owned();
        let states: Vec<_> =
            line["steps"].as_array().expect("steps").iter().map(|step| step["state"].as_str().unwrap_or("?")).collect();
        let row = match (line["outcome"].as_str().expect("an outcome"), states.as_slice()) {
            ("completed", ["done", "done"]) => "paid and dispatched",
            ("cancelled", ["refused", "closed"]) if tokens[&id].starts_with("tok_declined_") => {
                "card declined (`tok_declined_..`)"
            }
            ("cancelled", ["refused", "closed"]) => "not enough money (`tok_insufficient_..`)",
            ("cancelled", ["undone", "refused"]) => "out of stock",
            other => panic!("{id}: {other:?}"),
        };
        *counts.entry(row).or_default() += 1;
        let outcome = line["outcome"].as_str().expect("an outcome").to_owned();
        assert_eq!(results.insert(id.clone(), outcome), None, "{id} has one line");
    }
    assert!(results.keys().eq(tokens.keys()), "every order has its line");
    (counts.into_iter().map(|(row, number)| (row.to_owned(), number)).collect(), results)
}

/// The rows of the table of the README that begins like this, without its sums, as cells.
fn rows(begins: &str) -> Vec<Vec<String>> {
    let readme = fs::read_to_string(repository("examples/shop/README.md")).expect("the example is there");
    let table = readme.lines().skip_while(|line| !line.starts_with(begins)).skip(2).take_while(|line| line.starts_with('|'));
    let cells = |line: &str| line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect::<Vec<_>>();
    let mut rows: Vec<_> = table.map(cells).filter(|row| !row[0].starts_with("**")).collect();
    assert!(!rows.is_empty(), "the README has a table that begins {begins:?}");
    rows.sort();
    rows
}

fn number(cell: &str) -> i64 {
    cell.parse().unwrap_or_else(|error| panic!("{cell:?}: {error}"))
}

fn documented(begins: &str) -> Vec<(String, i64)> {
    rows(begins).into_iter().map(|row| (row[0].clone(), number(&row[1]))).collect()
}

fn documented_currencies() -> Vec<(String, i64, i64)> {
    rows("| currency |").into_iter().map(|row| (row[0].clone(), number(&row[4]), number(&row[5]))).collect()
}

fn documented_scarce() -> Vec<(String, i64, i64)> {
    let left = |row: &[String]| number(&row[3]) - number(&row[2]) * number(&row[4]);
    rows("| SKU |").into_iter().map(|row| (row[0].clone(), number(&row[4]), left(&row))).collect()
}

#[test]
fn the_shop_ends_as_its_table_says() {
    let shop = Shop::open();
    let ended: Ended = shop.run(&[]).output().expect("the binary runs").into();
    shop.check(&ended);
    // Once more changes nothing, and says the same.
    let again: Ended = shop.run(&["--limit-in-flight", "3"]).output().expect("the binary runs").into();
    shop.check(&again);
}

#[test]
fn the_shop_ends_as_its_table_says_when_the_run_is_killed_three_times() {
    let shop = Shop::open();
    for lines in [20, 60, 100] {
        let mut child =
            shop.run(&["--limit-in-flight", "2"]).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("the binary runs");
        let mut results = BufReader::new(child.stdout.take().expect("it is piped")).lines();
        // Results of the runs before come first and at once, so this is further each time, and before the end.
        let seen = results.by_ref().take(lines).filter(Result::is_ok).count();
        assert_eq!(seen, lines, "the run is not over yet");
        child.kill().expect("SIGKILL");
        assert_eq!(child.wait().expect("it is gone").code(), None, "the run was killed, it did not end");
    }
    let placed = Connection::open(shop.path("shop.db"))
        .and_then(|store| store.query_row("SELECT count(*) FROM saga", [], |row| row.get::<_, i64>(0)))
        .expect("the store can be read");
    assert!((100..300).contains(&placed), "{placed} of the 300 orders were placed before the last kill");
    let ended: Ended = shop.run(&[]).output().expect("the binary runs").into();
    shop.check(&ended);
}

#[test]
fn the_amounts_of_the_example_are_the_sums_of_their_lines() {
    let orders = fs::read_to_string(repository("examples/shop/orders.jsonl")).expect("the example is there");
    for line in orders.lines() {
        let order: Value = serde_json::from_str(line).expect("a line of JSON");
        let whole = |value: &Value| value.as_i64().expect("a whole number");
        let lines = order["lines"].as_array().expect("lines").iter();
        let sum: i64 = lines.map(|line| whole(&line["quantity"]) * whole(&line["each_minor"])).sum();
        assert_eq!(sum, whole(&order["amount"]["minor"]), "{line}");
    }
}
