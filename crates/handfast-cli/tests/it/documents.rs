//! What the documents show of the command line is what it says: `docs/tour.md` and `docs/generals.md`.
//!
//! A line that holds only `...` stands for any number of lines. With `HANDFAST_UPDATE_DOCUMENTS=1` both documents are written
//! anew instead, without such lines.

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

/// Runs every command that the document shows, and compares; gives the commands.
#[track_caller]
fn check_document(path: &str) -> Vec<Stop> {
    let file = repository(path);
    let document = fs::read_to_string(&file).expect("the document");
    let stops = stops(&document);
    if is_update() {
        fs::write(&file, renewed(&document, &stops)).expect("the document is written");
        return stops;
    }
    for stop in &stops {
        let said = said(&stop.arguments);
        let (line, command) = (stop.line, stop.arguments.join(" "));
        assert!(matches(&stop.shown, &said), "{path}:{line}: handfast {command} says:\n{}", said.join("\n"));
    }
    stops
}

#[test]
fn every_command_of_the_tour_says_what_it_shows() {
    let stops = check_document("docs/tour.md");
    assert!(stops.len() >= 8, "the tour has {} stops", stops.len());
}

/// The lab's document asks every question once; what each takes is said by its help, and is not pasted.
#[test]
fn every_question_of_the_lab_has_an_example_that_is_true() {
    let stops = check_document("docs/generals.md");
    let asked: BTreeSet<&str> = stops.iter().filter_map(|stop| Some(stop.arguments.get(1)?.as_str())).collect();
    assert_eq!(asked, BTreeSet::from(["bounds", "check", "decide", "draw", "knowledge", "odds", "simulate"]));
    let document = fs::read_to_string(repository("docs/generals.md")).expect("the document");
    let help =
        String::from_utf8(handfast().args(["generals", "--help"]).output().expect("the binary runs").stdout).expect("text");
    let questions = help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    let questions: Vec<&str> = questions.filter_map(|line| line.strip_prefix("  ")?.split(' ').next()).collect();
    assert!(questions.len() >= 8, "{help}");
    for question in questions.into_iter().filter(|question| !question.is_empty() && *question != "help") {
        assert!(document.contains(&format!("`handfast generals {question}`")), "{question} is not in docs/generals.md");
    }
    assert!(!document.contains("Usage:") && !document.contains("Exit codes:"), "help is not pasted");
}

#[test]
fn dots_stand_for_any_number_of_lines_and_for_nothing_else() {
    let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
    assert!(matches(&lines("a\n...\nd"), &lines("a\nb\nc\nd")));
    assert!(matches(&lines("a\n..."), &lines("a")));
    assert!(!matches(&lines("a\n...\nd"), &lines("a\nb\nc")));
    assert!(!matches(&lines("a"), &lines("a\nb")));
}
