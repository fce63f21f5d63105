//! The main job, from outside: the real binary with all its processes, and what its `--json` and its books say.

#![expect(clippy::disallowed_methods, reason = "how long a test is ready to wait is counted in real time")]

use std::path::Path;
use std::process::{Child, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rusqlite::Connection;
use serde_json::Value;

use crate::support::{Ended, handfast, run};

/// Longer than anything here takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// Runs a demo that must hold, and returns what it printed as JSON.
fn demo(arguments: &[&str]) -> Value {
    let Ended { code, stdout, stderr } = run(["demo", "--json"].iter().chain(arguments));
    assert_eq!(code, Some(0), "{arguments:?}: {stderr}");
    serde_json::from_str(&stdout).unwrap_or_else(|error| panic!("{error}: {stdout:?}"))
}

#[track_caller]
fn check_cells(result: &Value, orders: u64) {
    let cell = |cells: &Value, name: &str| cells[name].as_u64().unwrap_or_else(|| panic!("{name}: {cells}"));
    for name in ["charged_not_dispatched", "dispatched_not_charged", "double_charged", "double_dispatched", "in_doubt"] {
        assert_eq!(cell(result, name), 0, "{name}: {result}");
    }
    assert_eq!(cell(result, "both") + cell(result, "neither"), orders, "{result}");
    assert!(cell(result, "both") > 0 && cell(result, "neither") > 0, "{result}");
    assert!(cell(result, "captured") > 0 && cell(result, "late_refused") > 0, "{result}");
    // The usual way's one flaw shows, and no other: it never ships unpaid, charges twice, or ships twice.
    let usual = &result["usual_way"];
    assert!(cell(usual, "charged_not_dispatched") > 0, "{result}");
    for name in ["dispatched_not_charged", "double_charged", "double_dispatched", "in_doubt"] {
        assert_eq!(cell(usual, name), 0, "{name} of the usual way: {result}");
    }
    assert!(cell(usual, "both") > 0, "{result}");
}

#[test]
fn every_order_ends_in_both_or_neither_while_everybody_is_killed() {
    let check = |seed| {
        let result = demo(&["--orders", "150", "--kills", "3", "--seed", seed]);
        check_cells(&result, 150);
        assert_eq!((result["orders"].as_u64(), result["kills"].as_u64()), (Some(150), Some(3)));
        assert!(result["seconds"].as_f64().unwrap() > 0.0);
    };
    // Two demos side by side do not get in each other's way.
    thread::scope(|scope| ["1", "2"].map(|seed| scope.spawn(move || check(seed))).map(|demo| demo.join().unwrap()));
}

#[test]
fn a_campaign_of_kills_loses_and_doubles_nothing() {
    let result = demo(&["--orders", "120", "--kills", "18", "--capture", "0.2", "--seed", "5"]);
    check_cells(&result, 120);
    assert_eq!(result["kills"], 18);
}

#[test]
fn the_queries_that_it_prints_recompute_the_table_from_the_books() {
    let dir = tempfile::tempdir().unwrap();
    let books = dir.path().join("books");
    let arguments = ["demo", "--orders", "40", "--capture", "0", "--kills", "0", "--keep", books.to_str().unwrap()];
    let Ended { code, stdout, stderr } = run(arguments);
    assert_eq!(code, Some(0), "{stderr}");
    // What the cut caught is another hazard than a capture on an open road; what did not occur is told in one line.
    let absent: Vec<&str> = stderr.lines().filter(|line| line.contains("did not occur")).collect();
    let [absent] = absent[..] else { panic!("{stderr}") };
    assert!(
        absent.starts_with("with so few orders these did not occur: ") && absent.contains("a kill (not asked for)"),
        "{absent}"
    );
    assert!(absent.contains("a messenger captured on an open road (not asked for)"), "{absent}");
    let recounted = recount(&stdout, "handfast", &books);
    assert_eq!(recounted[1..], [0, 0], "{stdout}");
    assert!(recounted[0] > 0, "{stdout}");
    let table = stdout.split("\nhandfast\n").nth(1).expect("handfast's table");
    let both = table.lines().find(|line| line.starts_with("dispatched")).expect("its second row");
    assert!(both.ends_with(&format!(" {}", recounted[0])), "{recounted:?}: {both}");
    // The nastiest order is drawn.
    assert!(stdout.contains("the nastiest order of the run, web-") && stdout.contains("dispatch"), "{stdout}");
    // Books are never mixed with others.
    let again = run(arguments);
    assert_eq!(again.code, Some(2), "{}", again.stderr);
    assert!(again.stderr.contains("not empty"), "{}", again.stderr);
}

#[test]
fn with_json_the_queries_are_printed_beside_it() {
    let dir = tempfile::tempdir().unwrap();
    let books = dir.path().join("books");
    let Ended { code, stdout, stderr } =
        run(["demo", "--json", "--orders", "20", "--kills", "0", "--keep", books.to_str().unwrap()]);
    assert_eq!(code, Some(0), "{stderr}");
    let result: Value = serde_json::from_str(&stdout).expect("one value of JSON and nothing else");
    let recounted = recount(&stderr, "handfast", &books);
    assert_eq!(result["both"].as_i64(), Some(recounted[0]), "{stderr}");
}

/// Runs the printed queries of one way as the `sqlite3` program would.
fn recount(stdout: &str, way: &str, books: &Path) -> Vec<i64> {
    let block = stdout.split(&format!("/{way} && sqlite3 <<'SQL'\n")).nth(1).and_then(|rest| rest.split("SQL\n").next());
    let connection = Connection::open_in_memory().expect("a database in memory");
    let mut counts = Vec::new();
    for line in block.expect("the queries").lines().filter(|line| !line.starts_with("--")) {
        if line.starts_with("ATTACH") {
            let folder = books.join(way);
            connection
                .execute_batch(&line.replace("ATTACH '", &format!("ATTACH '{}/", folder.display())))
                .expect("the book is there");
        } else {
            counts.push(connection.query_row(line.trim_end_matches(';'), [], |row| row.get(0)).expect(line));
        }
    }
    assert_eq!(counts.len(), 3, "{stdout}");
    counts
}

#[test]
#[cfg(target_os = "linux")]
fn nobody_outlives_a_demo_that_is_killed() {
    let dir = tempfile::tempdir().unwrap();
    let marker = dir.path().join("books");
    let mut demo: Child = handfast()
        .args(["demo", "--orders", "100", "--keep", marker.to_str().unwrap()])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    // Two coordinators, two of each service, four roads; and the demo itself.
    await_count(&marker, |count| count == 11);
    demo.kill().unwrap();
    demo.wait().unwrap();
    await_count(&marker, |count| count == 0);
}

/// Waits until so many processes have this path on their command line.
#[cfg(target_os = "linux")]
fn await_count(path: &Path, fits: impl Fn(usize) -> bool) {
    let since = Instant::now();
    loop {
        let command_lines = std::fs::read_dir("/proc").expect("Linux").filter_map(|entry| {
            let line = std::fs::read(entry.ok()?.path().join("cmdline")).ok()?;
            Some(String::from_utf8_lossy(&line).into_owned())
        });
        let count = command_lines.filter(|line| line.contains(path.to_str().expect("plain text"))).count();
        if fits(count) {
            return;
        }
        assert!(since.elapsed() < PATIENCE, "{count} processes");
        thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn what_makes_no_sense_is_a_usage_error() {
    for arguments in [["--orders", "0"], ["--capture", "1"], ["--capture", "-0.1"], ["--kills", "-1"], ["--seed", "x"]] {
        let Ended { code, stdout, stderr } = run(["demo"].iter().chain(&arguments));
        assert_eq!(code, Some(2), "{arguments:?}: {stderr}");
        assert!(stdout.is_empty() && !stderr.is_empty(), "{arguments:?}");
    }
}
