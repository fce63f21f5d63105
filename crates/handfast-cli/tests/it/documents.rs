//! What the documents show of the command line is what it says: `docs/tour.md`, and the help in `docs/generals.md`.
//!
//! In the tour a line that holds only `...` stands for any number of lines. With `HANDFAST_UPDATE_DOCUMENTS=1` both
//! documents are written anew instead, the tour without such lines.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::support::{handfast, repository};

fn is_update() -> bool {
    std::env::var_os("HANDFAST_UPDATE_DOCUMENTS").is_some()
}

/// Where the sources of the workspace are.
fn sources(folder: &Path, into: &mut Vec<(PathBuf, String)>) {
    for entry in fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()) {
        if entry.is_dir() {
            sources(&entry, into);
        } else if entry.extension().is_some_and(|ending| ending == "rs") && !entry.ends_with("log/tests.rs") {
            let text = fs::read_to_string(&entry).expect("text");
            into.push((entry, text));
        }
    }
}

/// The variants of a public enum in a source of ours.
fn variants(path: &str, name: &str) -> Vec<String> {
    let text = fs::read_to_string(repository(path)).expect("text");
    let (_, rest) = text.split_once(&format!("\npub enum {name} {{\n")).unwrap_or_else(|| panic!("{path} has no enum {name}"));
    let body = rest.split("\n}\n").next().expect("it ends");
    // They begin four spaces from the left, each with a capital letter.
    let of_line = |line: &str| {
        let word: String = line.strip_prefix("    ")?.chars().take_while(char::is_ascii_alphanumeric).collect();
        word.starts_with(|first: char| first.is_ascii_uppercase()).then_some(word)
    };
    body.lines().filter_map(of_line).collect()
}

/// The first cells of the rows of the table under this head.
fn rows(document: &str, head: &str) -> Vec<String> {
    let text = fs::read_to_string(repository(document)).expect("text");
    let (_, rest) = text.split_once(head).unwrap_or_else(|| panic!("{document} has no table {head}"));
    let rows = rest.lines().skip(1).take_while(|row| row.starts_with('|')).skip(1);
    rows.filter_map(|row| Some(row.split(" | ").next()?.trim_start_matches("| ").to_owned())).collect()
}

/// A line that a journal may hold has a row that says what it looks like; so has each thing that a participant may come to.
#[test]
fn every_line_of_a_journal_and_every_reply_stands_in_the_document() {
    let lines = variants("crates/handfast/src/journal/mod.rs", "Line");
    assert!(lines.contains(&"Differs".to_owned()) && lines.len() >= 12, "{lines:?}");
    let shown = rows("docs/journal.md", "| text | the coordinator is told |");
    for line in &lines {
        let tag = line.char_indices().map(|(at, letter)| match letter {
            letter if letter.is_ascii_uppercase() && at > 0 => format!("_{}", letter.to_ascii_lowercase()),
            letter => letter.to_ascii_lowercase().to_string(),
        });
        let text = format!("`{{\"{}\":{{", tag.collect::<String>());
        assert!(shown.iter().any(|row| row.starts_with(&text)), "docs/journal.md has no row that begins with {text}");
    }
    let replies = variants("crates/handfast/src/participant/mod.rs", "Reply");
    let shown: BTreeSet<String> =
        rows("docs/journal.md", "| reply | becomes |").iter().map(|row| row.trim_matches('`').to_owned()).collect();
    assert_eq!(shown, replies.into_iter().collect(), "docs/journal.md, what an adapter says");
}

/// Everything that reports something has a name, and every name stands in the document, and the other way round.
#[test]
fn every_event_of_the_log_stands_in_the_document() {
    let document = fs::read_to_string(repository("docs/serve.md")).expect("text");
    let table = document.split("| `event` | level |").nth(1).and_then(|rest| rest.split("\n## ").next()).expect("a table");
    let names = table.lines().filter_map(|row| row.strip_prefix("| `")?.split(" | ").next());
    let documented: BTreeSet<&str> =
        names.flat_map(|cell| cell.split(", ")).map(|name| name.trim_matches('`')).filter(|name| !name.is_empty()).collect();
    let mut texts = Vec::new();
    for name in ["handfast", "handfast-cli", "handfast-http", "handfast-participant", "handfast-server", "handfast-testkit"] {
        sources(&repository(&format!("crates/{name}/src")), &mut texts);
    }
    let mut reported = BTreeSet::new();
    for (path, text) in &texts {
        for level in ["error", "warn", "info", "debug"] {
            for rest in text.split(&format!("tracing::{level}!(")).skip(1) {
                let name = rest.trim_start().strip_prefix("name: \"").and_then(|rest| rest.split('"').next());
                let name =
                    name.unwrap_or_else(|| panic!("{}: what is reported has no name: {:.80}", path.display(), rest.trim()));
                // What is only for whoever looks for a mistake of the program itself is not described.
                if level != "debug" {
                    reported.insert(name);
                }
            }
        }
    }
    let missing: Vec<_> = reported.difference(&documented).collect();
    assert!(missing.is_empty(), "docs/serve.md does not list {missing:?}");
    let is_there = |name: &&&str| texts.iter().any(|(_, text)| text.contains(&format!("\"{name}\"")));
    let gone: Vec<_> = documented.difference(&reported).filter(|name| !is_there(name)).collect();
    assert!(gone.is_empty(), "docs/serve.md lists {gone:?}, which nothing reports");
}

/// One command of the tour.
struct Stop {
    /// The line of the document with the command, counted from 1.
    line: usize,
    /// What follows `$ handfast`.
    arguments: Vec<String>,
    /// The lines that the document shows below it.
    shown: Vec<String>,
}

/// The commands of the tour, in order.
fn stops(tour: &str) -> Vec<Stop> {
    let mut stops: Vec<Stop> = Vec::new();
    let mut in_block = false;
    for (line, text) in (1..).zip(tour.lines()) {
        if text.starts_with("```") {
            in_block = text == "```console";
        } else if in_block {
            if let Some(arguments) = text.strip_prefix("$ handfast ") {
                let arguments = arguments.split_whitespace().map(str::to_owned).collect();
                stops.push(Stop { line, arguments, shown: Vec::new() });
            } else if let Some(stop) = stops.last_mut() {
                stop.shown.push(text.to_owned());
            }
        }
    }
    stops
}

/// Standard output and standard error of a command, as a terminal shows them, without blank lines at the end.
fn said(arguments: &[String]) -> Vec<String> {
    let ended = handfast().args(arguments).env("COLUMNS", "100").output().expect("the binary runs");
    let mut text = String::from_utf8(ended.stdout).expect("text");
    text.push_str(&String::from_utf8(ended.stderr).expect("text"));
    text.trim_end().lines().map(|line| line.trim_end().to_owned()).collect()
}

/// Whether `said` is what `shown` shows, where `...` stands for any number of lines.
fn matches(shown: &[String], said: &[String]) -> bool {
    match shown.split_first() {
        None => said.is_empty(),
        Some((first, rest)) if first == "..." => (0..=said.len()).any(|skipped| matches(rest, &said[skipped..])),
        Some((first, rest)) => said.split_first().is_some_and(|(next, later)| next == first && matches(rest, later)),
    }
}

/// The tour with every output as it is today.
fn renewed(tour: &str, stops: &[Stop]) -> String {
    let mut lines: Vec<String> = tour.lines().map(str::to_owned).collect();
    for stop in stops.iter().rev() {
        lines.splice(stop.line..stop.line + stop.shown.len(), said(&stop.arguments));
    }
    lines.join("\n") + "\n"
}

#[test]
fn every_command_of_the_tour_says_what_it_shows() {
    let path = repository("docs/tour.md");
    let tour = fs::read_to_string(&path).expect("the tour");
    let stops = stops(&tour);
    assert!(stops.len() >= 8, "the tour has {} stops", stops.len());
    if is_update() {
        fs::write(&path, renewed(&tour, &stops)).expect("the tour is written");
        return;
    }
    for stop in &stops {
        let said = said(&stop.arguments);
        assert!(
            matches(&stop.shown, &said),
            "docs/tour.md:{}: handfast {} says:\n{}",
            stop.line,
            stop.arguments.join(" "),
            said.join("\n")
        );
    }
}

#[test]
fn dots_stand_for_any_number_of_lines_and_for_nothing_else() {
    let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
    assert!(matches(&lines("a\n...\nd"), &lines("a\nb\nc\nd")));
    assert!(matches(&lines("a\n..."), &lines("a")));
    assert!(!matches(&lines("a\n...\nd"), &lines("a\nb\nc")));
    assert!(!matches(&lines("a"), &lines("a\nb")));
}

/// `docs/generals.md` with the help of every question below the comment that names it, as it is today.
fn with_help(document: &str) -> String {
    let mut renewed = String::new();
    let mut lines = document.lines();
    while let Some(line) = lines.next() {
        renewed.push_str(line);
        renewed.push('\n');
        let Some(command) = line.strip_prefix("<!-- handfast ").and_then(|rest| rest.strip_suffix(" --help -->")) else {
            continue;
        };
        let help = handfast().args(command.split(' ')).arg("--help").env("COLUMNS", "120").output().expect("the binary runs");
        let help = String::from_utf8(help.stdout).expect("text");
        let examples = help.find("Examples:").unwrap_or_else(|| panic!("{command} has no examples: {help}"));
        renewed.push_str(&format!("\n```text\n{}\n```\n", help[examples..].trim_end()));
        // What stood there until now: a blank line and one block.
        let mut fences = 0;
        while fences < 2 {
            fences += usize::from(lines.next().unwrap_or_else(|| panic!("no block below {line}")).starts_with("```"));
        }
    }
    renewed
}

#[test]
fn the_lab_document_shows_the_help_of_every_question() {
    let path = repository("docs/generals.md");
    let document = fs::read_to_string(&path).expect("the document");
    let renewed = with_help(&document);
    if is_update() {
        fs::write(&path, renewed).expect("the document is written");
        return;
    }
    for question in ["table", "simulate", "odds", "check", "knowledge", "decide", "bounds", "draw"] {
        assert!(
            document.contains(&format!("<!-- handfast generals {question} --help -->")),
            "{question} is not in docs/generals.md"
        );
    }
    let differs = document.lines().zip(renewed.lines()).position(|(old, new)| old != new);
    let line = differs.map_or(document.lines().count(), |place| place + 1);
    assert!(document == renewed, "docs/generals.md:{line} shows another help than the command line");
}
