//! Every metric is written, in a form that Prometheus has nothing against, at a cost that does not grow, and with labels that no order
//! can add to; and what is written about them elsewhere says the same.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode, header};
use handfast::flow_file::FlowFile;
use handfast::store::{FlakyStore, MemoryStore, Store};
use handfast::{BreakerState, Engine, Risk};
use serde_json::json;
use tokio::sync::watch;
use tower::ServiceExt as _;

use super::families::{ALL, Family, Kind};
use crate::Server;
use crate::access::Callers;

/// A flow with an accepted risk, whose participant is not there.
const FLOW: &str = r#"
name = "shop"
[input]
amount = { type = "money", optional = true }
lines = { type = "list", optional = true }
[[step]]
name = "dispatch"
kind = "pivot"
url = "http://127.0.0.1:1"
"#;

struct Served {
    server: Server,
    engine: Engine,
    file: FlowFile,
    _keeps_on: watch::Sender<bool>,
}

async fn served(store: Arc<dyn Store>) -> Served {
    let file = FlowFile::parse("shop.toml", FLOW).unwrap();
    let flow = file.flow::<&str>(&[]).unwrap();
    let engine = Engine::builder(store).flow(Arc::clone(&flow)).open().await.unwrap();
    let (keeps_on, stop) = watch::channel(false);
    let server = Server::over(Arc::new(engine.clone()), (file.clone(), flow), Callers::everybody(64), stop);
    Served { server, engine, file, _keeps_on: keeps_on }
}

impl Served {
    async fn place(&self, order: serde_json::Value) {
        let order = self.file.parse_order(order.to_string().as_bytes()).unwrap();
        self.engine.submit(order).await.unwrap();
    }

    async fn scraped(&self) -> String {
        let request = Request::builder().uri("/metrics").header(header::HOST, "localhost").body(Body::empty()).unwrap();
        let answer = self.server.router().oneshot(request).await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
        assert_eq!(answer.headers()[header::CONTENT_TYPE], super::MEDIA_TYPE);
        let text = String::from_utf8(to_bytes(answer.into_body(), 1 << 20).await.unwrap().to_vec()).unwrap();
        // Prometheus turns the whole scrape away otherwise.
        assert_eq!(text.lines().filter(|line| !line.starts_with('#')).count(), samples(&text).len(), "twice: {text}");
        text
    }
}

/// The number of a sample, by its name and labels as they are written.
fn number<'a>(text: &'a str, sample: &str) -> Option<&'a str> {
    text.lines().find_map(|line| line.strip_prefix(sample)?.strip_prefix(' '))
}

/// Each sample without its number.
fn samples(text: &str) -> BTreeSet<&str> {
    text.lines().filter(|line| !line.starts_with('#')).filter_map(|line| Some(line.rsplit_once(' ')?.0)).collect()
}

/// Where a file of the repository is.
fn file(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path)
}

fn read(path: &str) -> String {
    std::fs::read_to_string(file(path)).unwrap()
}

/// `promtool`, which `cargo xtask ci --only tools` puts into the target folder where it is not on the PATH.
fn promtool(arguments: &[&str], input: &str) -> String {
    let here = std::env::current_exe().unwrap();
    let brought = here.ancestors().map(|folder| folder.join("tools/promtool")).find(|path| path.is_file());
    let program = brought.unwrap_or_else(|| PathBuf::from("promtool"));
    let mut command = Command::new(program);
    command.args(arguments).current_dir(file("deploy")).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("there is no promtool; `cargo xtask ci --only tools` brings it");
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "promtool {arguments:?}: {said}");
    said
}

#[tokio::test]
async fn every_metric_is_written_and_promtool_has_nothing_against_any() {
    let served = served(Arc::new(MemoryStore::new())).await;
    served.place(json!({ "id": "order-1", "amount": { "minor": 1999, "currency": "EUR" } })).await;
    while served.engine.stats().participants.iter().all(|line| line.requests.is_empty()) {
        tokio::task::yield_now().await;
    }
    let text = served.scraped().await;
    for family in ALL {
        let head = format!("# HELP {} {}\n# TYPE {} {}\n", family.name, family.help, family.name, family.kind.name());
        assert_eq!(text.matches(&head).count(), 1, "{}", family.name);
    }
    assert_eq!(promtool(&["check", "metrics"], &text), "");
    let asked = "handfast_participant_request_duration_seconds_count{participant=\"http://127.0.0.1:1\",operation=\"act\",result=\"no_connection\"}";
    assert!(number(&text, asked).is_some_and(|times| times.parse::<u64>().unwrap() > 0), "{text}");
    assert_eq!(number(&text, "handfast_sagas_placed_total{flow=\"shop\"}"), Some("1"));
    assert_eq!(number(&text, "handfast_sagas_total{flow=\"shop\",outcome=\"completed\"}"), Some("0"), "told before there is one");
    assert_eq!(number(&text, "handfast_in_doubt_sagas"), Some("1"));
}

#[tokio::test]
async fn money_in_doubt_is_summed_exactly_by_currency() {
    let served = served(Arc::new(MemoryStore::new())).await;
    let amount = |id: &str, minor: u64, currency: &str| json!({ "id": id, "amount": { "minor": minor, "currency": currency } });
    for order in [
        amount("a", 1_999, "EUR"),
        amount("b", 1, "EUR"),
        amount("c", 1_999, "JPY"),
        amount("d", 1_999, "KWD"),
        json!({ "id": "e" }),
    ] {
        served.place(order).await;
    }
    // One more cent than Prometheus' numbers hold.
    served.place(amount("usd", 7_199_254_740_993, "USD")).await;
    for number in 0..9 {
        served.place(amount(&format!("usd-{number}"), 1_000_000_000_000_000, "USD")).await;
    }
    let text = served.scraped().await;
    for (currency, minor, digits) in
        [("EUR", "2000", "2"), ("JPY", "1999", "0"), ("KWD", "1999", "3"), ("USD", "9007199254740993", "2")]
    {
        let of = |metric: &str| format!("handfast_{metric}{{currency=\"{currency}\"}}");
        assert_eq!(number(&text, &of("in_doubt_money_minor_units")), Some(minor), "{text}");
        assert_eq!(number(&text, &of("currency_minor_unit_digits")), Some(digits));
    }
    assert_eq!(number(&text, "handfast_in_doubt_sagas_without_amount"), Some("1"));
    assert_eq!(number(&text, "handfast_money_sums_rounded"), Some("1"), "the sum of dollars, of which Prometheus loses a cent");
}

#[tokio::test]
async fn every_amount_counts_and_what_cannot_be_added_up_is_told_apart() {
    let served = served(Arc::new(MemoryStore::new())).await;
    let order =
        |id: &str, lines: serde_json::Value| json!({ "id": id, "amount": { "minor": 100, "currency": "EUR" }, "lines": lines });
    served.place(order("a", json!([{ "fee": { "minor": 1_999, "currency": "EUR" } }, { "minor": 7, "currency": "USD" }]))).await;
    served.place(order("b", json!([{ "minor": 1, "currency": "XQX" }]))).await;
    let text = served.scraped().await;
    let of = |currency: &str| number(&text, &format!("handfast_in_doubt_money_minor_units{{currency=\"{currency}\"}}"));
    assert_eq!((of("EUR"), of("USD")), (Some("2099"), Some("7")), "{text}");
    assert_eq!(number(&text, "handfast_in_doubt_sagas_with_several_amounts"), Some("1"));
    assert_eq!(number(&text, "handfast_in_doubt_sagas_unreadable"), Some("1"));
    assert_eq!(number(&text, "handfast_in_doubt_sagas_without_amount"), Some("0"));
}

#[test]
fn lines_of_one_name_are_told_as_one() {
    let mut text = super::Text::default();
    let line = |breaker, in_flight| {
        let mut line = handfast::LinkStats::default();
        (line.participant, line.breaker, line.in_flight) = ("charge at http://bank".to_owned(), breaker, in_flight);
        line
    };
    super::of_participants(&mut text, &[line(BreakerState::Open, 2), line(BreakerState::Closed, 3)]);
    let text = text.finish();
    let of =
        |metric: &str, state: &str| number(&text, &format!("handfast_{metric}{{participant=\"charge at http://bank\"{state}}}"));
    assert_eq!(of("requests_in_flight", ""), Some("5"));
    assert_eq!(of("participant_breaker", ",state=\"open\""), Some("1"), "the worst of them");
    assert_eq!(of("participant_breaker", ",state=\"closed\""), Some("0"));
    assert_eq!(text.lines().filter(|line| !line.starts_with('#')).count(), samples(&text).len(), "{text}");
}

#[tokio::test]
async fn no_order_adds_a_label() {
    let served = served(Arc::new(MemoryStore::new())).await;
    served.place(json!({ "id": "first", "amount": { "minor": 1, "currency": "EUR" } })).await;
    while served.engine.stats().participants.iter().all(|line| line.requests.is_empty()) {
        tokio::task::yield_now().await;
    }
    let before = served.scraped().await;
    for number in 0..200 {
        let lines = json!([{ "sku": format!("sku-{number}\n\"\\"), "currency": "XXX" }]);
        served
            .place(json!({ "id": format!("secret-{number}"), "amount": { "minor": 1, "currency": "EUR" }, "lines": lines }))
            .await;
    }
    let after = served.scraped().await;
    let (first, all) = (samples(&before), samples(&after));
    let added: Vec<&str> = all.difference(&first).copied().filter(|sample| !sample.contains("result=")).collect();
    assert_eq!(added, [""; 0], "what came of requests may be new, and the protocol has words for that");
    assert!(!after.contains("secret-") && !after.contains("sku-"), "{after}");
}

#[tokio::test]
async fn a_scrape_costs_the_same_however_many_sagas_there_are() {
    let served = served(Arc::new(MemoryStore::new())).await;
    let reads = |text: &str| {
        number(text, "handfast_store_request_duration_seconds_count{kind=\"read\"}").unwrap().parse::<u64>().unwrap()
    };
    for number in 0..2_000 {
        served.place(json!({ "id": format!("order-{number}") })).await;
    }
    // All of them have to be read once; those who scrape meanwhile wait for a moment at most.
    while number(&served.scraped().await, "handfast_in_doubt_sagas_without_amount") != Some("2000") {
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    for part in ["open", "ended"] {
        let looked = format!("handfast_looked_through_timestamp_seconds{{part=\"{part}\"}}");
        while number(&served.scraped().await, &looked).is_none() {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    }
    // What drives the sagas reads, too; nothing else does while it waits.
    served.engine.shutdown(std::time::Duration::from_secs(30)).await;
    let (first, second) = (reads(&served.scraped().await), reads(&served.scraped().await));
    assert_eq!(second - first, 2, "how many stand how, and the oldest");
}

#[tokio::test]
async fn what_can_be_said_is_said_while_the_store_does_not_answer() {
    let store = Arc::new(FlakyStore::new(MemoryStore::new()));
    let served = served(Arc::clone(&store) as Arc<dyn Store>).await;
    served.place(json!({ "id": "order-1" })).await;
    assert_eq!(number(&served.scraped().await, "handfast_store_answers"), Some("1"));
    store.crash_at(1, false);
    assert!(store.probe(1).await.is_err());
    let text = served.scraped().await;
    assert_eq!(number(&text, "handfast_store_answers"), Some("0"));
    assert_eq!(number(&text, "handfast_sagas_placed_total{flow=\"shop\"}"), Some("1"));
    assert_eq!(number(&text, "handfast_in_doubt_sagas"), None, "it is not known");
}

#[test]
fn the_alert_rules_do_what_they_say() {
    promtool(&["check", "rules", "alerts.yml"], "");
    promtool(&["test", "rules", "alerts.test.yml"], "");
}

/// The words of a text that begin like a metric of ours.
fn metrics_in(text: &str) -> BTreeSet<&str> {
    let words = text.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_');
    words.filter(|word| word.starts_with("handfast_")).collect()
}

/// Whether something is called like this in the text of the metrics.
fn is_written(name: &str) -> bool {
    let has = |family: &&Family| match family.kind {
        Kind::Counter | Kind::Gauge => family.name == name,
        Kind::Histogram => {
            name.strip_prefix(family.name).is_some_and(|suffix| ["_bucket", "_sum", "_count", ""].contains(&suffix))
        }
    };
    ALL.iter().any(has)
}

#[test]
fn the_document_has_a_row_for_every_metric_and_for_no_other() {
    let document = read("docs/metrics.md");
    for Family { name, kind, labels, .. } in ALL {
        let labels = labels.iter().map(|label| format!("`{label}`")).collect::<Vec<_>>().join(", ");
        let row = format!("| `{name}` | {} | {labels} |", kind.name());
        assert!(document.contains(&row), "docs/metrics.md has no row {row}");
    }
    for name in metrics_in(&document) {
        assert!(is_written(name), "docs/metrics.md speaks of {name}, which is no metric");
    }
}

#[test]
fn every_alert_asks_for_metrics_that_there_are_and_has_a_section_and_a_test() {
    let (rules, tests, document) = (read("deploy/alerts.yml"), read("deploy/alerts.test.yml"), read("docs/operating.md"));
    for name in metrics_in(&rules) {
        assert!(is_written(name), "deploy/alerts.yml asks for {name}, which is no metric");
    }
    let alerts: Vec<&str> = rules.lines().filter_map(|line| line.trim().strip_prefix("- alert: ")).collect();
    assert!(!alerts.is_empty());
    for alert in &alerts {
        assert!(document.contains(&format!("\n### {alert}\n")), "docs/operating.md has no section {alert}");
        assert!(rules.contains(&format!("runbook: docs/operating.md#{}\n", alert.to_lowercase())), "{alert} has no runbook");
        // Its expectations are compared whole, so that a second instance for which it fires would be told.
        let tested = tests.split("  - interval: 1m\n").filter(|test| test.contains(&format!("alertname: {alert}\n")));
        let tested: Vec<&str> =
            tested.filter(|test| test.contains("instance=\"b:7070\"") && test.contains("exp_labels")).collect();
        assert_eq!(tested.len(), 1, "{alert} is tested where it fires and where it must not");
    }
    let sections = document.lines().filter_map(|line| line.strip_prefix("### Handfast"));
    for section in sections {
        assert!(
            alerts.contains(&format!("Handfast{section}").as_str()),
            "docs/operating.md has a section Handfast{section}, and there is no such alert"
        );
    }
}

#[test]
fn every_risk_has_an_alert_or_is_said_to_have_no_sign() {
    let (rules, document) = (read("deploy/alerts.yml"), read("docs/operating.md"));
    for risk in Risk::NAMES {
        let has_alert = rules.contains(&format!("handfast_accepted_risk{{risk=\"{risk}\"}}"));
        let without = document.contains(&format!("| `{risk}` | none |"));
        assert_eq!(
            (has_alert, without),
            (!without, !has_alert),
            "{risk} has an alert, or docs/operating.md says that it has none"
        );
        assert!(document.contains(&format!("| `{risk}` |")), "docs/operating.md does not name {risk}");
    }
}
