//! Rules for Rust files: their shape, and what the walls between the crates forbid inside them.

use super::files::File;
use super::source::is_word;
use super::{Finding, Rule};

pub(super) const RULES: &[Rule] = &[
    Rule {
        name: "header",
        why: "whoever opens a file wants to know what it is for",
        fix: "begin it with one `//!` sentence that says so, and end the sentence",
    },
    Rule {
        name: "length",
        why: "what does not fit in about 500 lines does more than one thing",
        fix: "move one of them into a module of its own",
    },
    Rule {
        name: "no-std",
        why: "the protocol cannot touch a clock, a file or a socket because it cannot name them",
        fix: "take what you need as an argument, or use `core` and `alloc`",
    },
    Rule {
        name: "allow",
        why: "an exception outlives its reason unless the compiler says when it is not needed any more",
        fix: "use `#[expect(.., reason = \"..\")]`",
    },
    Rule {
        name: "unfinished",
        why: "a note to oneself is read by nobody else, and a stub is not done",
        fix: "do it now, or open an issue and say in a whole sentence what holds today",
    },
    Rule {
        name: "grab-bag",
        why: "a name that fits everything gathers everything",
        fix: "name the module after the one thing it does",
    },
    Rule {
        name: "clock",
        why: "time is an argument, so that a test and the lab can choose it",
        fix: "take the time as an argument, read it in the crate's `clock.rs`, or take that of `handfast-machine`",
    },
    Rule {
        name: "silent-library",
        why: "a library that prints or listens cannot be embedded",
        fix: "return it, trace it, or do it in the command line's crate",
    },
    Rule {
        name: "closed-lab",
        why: "an exploration is a function of its arguments",
        fix: "take the data as an argument; files, processes and sockets belong to the command line",
    },
    Rule {
        name: "speaker",
        why: "what prints or chooses an exit code can be used by one command only",
        fix: "return data and an error with a type; the command prints it, and output/exit.rs knows its code",
    },
    Rule {
        name: "plain-comment",
        why: "a comment, or a message, that leaves open who acts or how many there are has to be translated by its reader",
        fix: "name the actor (the caller, another process, the participant, a person) or the number (\"at most this many requests\")",
    },
];
const HEADER: &Rule = &RULES[0];
const LENGTH: &Rule = &RULES[1];
const NO_STD: &Rule = &RULES[2];
const ALLOW: &Rule = &RULES[3];
const UNFINISHED: &Rule = &RULES[4];
const GRAB_BAG: &Rule = &RULES[5];
const CLOCK: &Rule = &RULES[6];
const SILENT_LIBRARY: &Rule = &RULES[7];
const CLOSED_LAB: &Rule = &RULES[8];
const SPEAKER: &Rule = &RULES[9];
const PLAIN_COMMENT: &Rule = &RULES[10];

/// "About 500" leaves some room for a file that is one thing and slightly longer.
const MOST_LINES: usize = 600;

const PROTOCOL: &str = "crates/handfast-protocol/src/";
const LAB: &str = "crates/handfast-lab/src/";
const ENGINE: &str = "crates/handfast/src/";
/// Where the binary's code stands.
pub(super) const BINARY: &str = "crates/handfast-cli/src/";
/// Where the binary prints and chooses how the process ends.
const SPEAKERS: &[&str] = &["commands/", "output/", "main.rs"];
const TOML: &str = "crates/handfast-toml/src/";
/// Those that may not listen on a port either; the participant's crate serves one.
const DEAF: &[&str] = &[PROTOCOL, TOML, LAB, ENGINE];

/// Where comments and names say who acts, and how many there are of what.
const PLAIN: &[&str] = &[
    "crates/handfast/src/engine/",
    "crates/handfast/src/store/",
    "crates/handfast-server/src/",
    "crates/handfast-participant/src/",
    "crates/handfast-http/src/",
    "crates/handfast-sqlite/src/",
];
/// Where what is said to people does so, too.
const PLAIN_SPEECH: &[&str] = &[
    ENGINE,
    "crates/handfast-server/src/",
    "crates/handfast-participant/src/",
    "crates/handfast-http/src/",
    "crates/handfast-sqlite/src/",
];
/// What leaves that open.
const VAGUE: &[&str] = &["whoever", "somebody", "nobody", "so many"];

const GRAB_BAGS: &[&str] = &["util", "utils", "common", "helper", "helpers", "misc"];
const CLOCKS: &[&str] = &["Instant::now", "SystemTime::now", "Timestamp::now", "Zoned::now"];
/// What reads a program's clock, in a crate that takes its locks from the same place and has a clock that can be turned.
const PROGRAM_CLOCKS: &[&str] = &["now_ms", "Stopwatch", "handfast_machine::clock", "handfast_machine::*"];
const PRINTERS: &[&str] = &["println!", "eprintln!", "print!", "eprint!", "stdout()", "stderr()"];
const ENDINGS: &[&str] = &["process::exit", "ExitCode", "Exit::", "or_exit"];
const LISTENERS: &[&str] = &["TcpListener", "UnixListener"];
const OUTSIDE: &[&str] = &["std::fs", "std::net", "std::process", "std::env", "read_text", "async fn", "async move", ".await"];

pub(super) fn check(file: &File) -> Vec<Finding> {
    let mut findings = shape(file);
    let in_any = |folders: &[&str]| folders.iter().any(|folder| file.path.starts_with(folder));
    if in_any(PLAIN) {
        findings.extend(vague(file));
    }
    if in_any(PLAIN_SPEECH) {
        findings.extend(vague_speech(file));
    }
    let is_clock = file.path.ends_with("/clock.rs");
    for (number, line) in file.deployed_lines() {
        let mut find = |rule: &'static Rule, words: &[&str]| {
            let found = words.iter().filter(|word| has(&line.code, word));
            findings.extend(found.map(|word| file.finding(number, rule, format!("`{word}`"))));
        };
        if file.path.starts_with(PROTOCOL) {
            find(NO_STD, &["std::", "extern crate std"]);
        }
        if !is_clock {
            find(CLOCK, CLOCKS);
            if file.path.starts_with(ENGINE) {
                find(CLOCK, PROGRAM_CLOCKS);
            }
        }
        match file.path.strip_prefix(BINARY) {
            Some(within) if !SPEAKERS.iter().any(|speaker| within.starts_with(speaker)) => {
                find(SPEAKER, PRINTERS);
                find(SPEAKER, ENDINGS);
            }
            None if file.path.starts_with("crates/") && file.path.contains("/src/") => {
                find(SILENT_LIBRARY, PRINTERS);
                find(SILENT_LIBRARY, ENDINGS);
            }
            Some(_) | None => {}
        }
        if in_any(DEAF) {
            find(SILENT_LIBRARY, LISTENERS);
        }
        if file.path.starts_with(LAB) {
            find(CLOSED_LAB, OUTSIDE);
        }
    }
    for (index, line) in file.lines.iter().enumerate() {
        let mut find = |rule: &'static Rule, text: &str, words: &[&str]| {
            let found = words.iter().filter(|word| has(text, word));
            findings.extend(found.map(|word| file.finding(index + 1, rule, format!("`{word}`"))));
        };
        find(ALLOW, &line.code, &["#[allow(", "#![allow("]);
        find(UNFINISHED, &line.code, &["todo!", "unimplemented!"]);
        find(UNFINISHED, &line.comment, &["TODO", "FIXME", "XXX"]);
    }
    findings
}

/// What can be said of the file as a whole.
fn shape(file: &File) -> Vec<Finding> {
    let mut findings = Vec::new();
    let header: Vec<&str> = file.text.lines().map_while(|line| line.strip_prefix("//!")).collect();
    let sentence: Vec<&str> = header.iter().map(|line| line.trim()).take_while(|line| !line.is_empty()).collect();
    if !sentence.last().is_some_and(|line| line.ends_with(['.', ':', '?', '!', ')'])) {
        findings.push(file.finding(1, HEADER, "the file does not begin with a sentence behind `//!`".into()));
    }
    let length = file.text.lines().count();
    if length > MOST_LINES {
        findings.push(file.finding(MOST_LINES, LENGTH, format!("{length} lines, the most is {MOST_LINES}")));
    }
    let bag = file.path.split('/').map(|part| part.trim_end_matches(".rs")).find(|part| GRAB_BAGS.contains(part));
    if let Some(bag) = bag {
        findings.push(file.finding(1, GRAB_BAG, format!("something is called {bag:?}")));
    }
    if file.path == format!("{PROTOCOL}lib.rs") && !file.lines.iter().any(|line| line.code.trim() == "#![no_std]") {
        findings.push(file.finding(1, NO_STD, "`#![no_std]` is missing".into()));
    }
    findings
}

/// Where a message says who acts, or how many there are, in words that leave it open.
fn vague_speech(file: &File) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (number, line) in file.deployed_lines() {
        let text = line.string.to_lowercase();
        let found = VAGUE.iter().filter(|word| has(&text, word));
        findings.extend(found.map(|word| file.finding(number, PLAIN_COMMENT, format!("`{word}` in a message"))));
    }
    findings
}

/// Where a comment or a name says who acts, or how many there are, in words that leave it open.
fn vague(file: &File) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut carried = "";
    for (number, line) in file.deployed_lines() {
        let comment = line.comment.trim().trim_start_matches(['/', '!', '*']).trim_start();
        let text = format!("{} {carried} {comment}", line.code.replace('_', " ")).to_lowercase();
        let found = VAGUE.iter().filter(|word| has(&text, word));
        findings.extend(found.map(|word| file.finding(number, PLAIN_COMMENT, format!("`{word}`"))));
        // The one expression of two words may be broken between lines.
        carried = if has(comment, "so") && comment.ends_with("so") { "so" } else { "" };
    }
    findings
}

/// Whether `word` stands in `text`, not as the end of a longer name nor, if it ends like a name, as its beginning.
fn has(text: &str, word: &str) -> bool {
    text.match_indices(word).any(|(at, _)| {
        let begins = !word.starts_with(is_word) || !text[..at].ends_with(is_word);
        let ends = !word.ends_with(is_word) || !text[at + word.len()..].starts_with(is_word);
        begins && ends
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_file(path: &str, text: &str, expected: &[(usize, &str)]) {
        let found = check(&File::new(path, text));
        let found: Vec<_> = found.iter().map(|finding| (finding.line, finding.rule.name)).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn a_file_begins_with_a_sentence() {
        check_file("src/a.rs", "//! What it is for.\n", &[]);
        check_file("src/a.rs", "//! A sentence\n//! over two lines.\n//!\n//! More\n", &[]);
        check_file("src/a.rs", "use core::fmt;\n", &[(1, "header")]);
        check_file("src/a.rs", "//! not a sentence\n", &[(1, "header")]);
        check_file("src/a.rs", "", &[(1, "header")]);
    }

    #[test]
    fn a_file_is_not_too_long() {
        check_file("src/a.rs", &format!("//! A.\n{}", "\n".repeat(599)), &[]);
        check_file("src/a.rs", &format!("//! A.\n{}", "\n".repeat(600)), &[(600, "length")]);
    }

    #[test]
    fn the_protocol_cannot_name_std() {
        let path = "crates/handfast-protocol/src/a.rs";
        check_file(path, "//! A.\nuse std::time::Duration;\n", &[(2, "no-std")]);
        check_file(path, "//! A.\nextern crate std;\n", &[(2, "no-std")]);
        check_file(path, "//! A: not std::time.\n#[cfg(test)]\nmod tests { extern crate std; }\nlet a = \"std::fs\";\n", &[]);
        check_file("crates/handfast/src/a.rs", "//! A.\nuse std::time::Duration;\n", &[]);
        check_file("crates/handfast-protocol/src/lib.rs", "//! A.\n", &[(1, "no-std")]);
        check_file("crates/handfast-protocol/src/lib.rs", "//! A.\n#![no_std]\n", &[]);
    }

    #[test]
    fn lints_are_expected_not_allowed() {
        check_file("src/a.rs", "//! A.\n#[allow(dead_code)]\nfn f() {}\n", &[(2, "allow")]);
        check_file("src/a.rs", "//! A.\n#![allow(dead_code)]\n", &[(2, "allow")]);
        check_file("src/a.rs", "//! A.\n#[expect(dead_code, reason = \"no #[allow(]\")]\n", &[]);
    }

    #[test]
    fn what_is_unfinished_is_found() {
        check_file("src/a.rs", "//! A.\nfn f() { todo!() }\n", &[(2, "unfinished")]);
        check_file(
            "src/a.rs",
            "//! A.\n// TODO: later.\n/* FIXME */ // XXX\n",
            &[(2, "unfinished"), (3, "unfinished"), (3, "unfinished")],
        );
        check_file("src/a.rs", "//! A.\n// Nothing to do: METHODOLOGY.\nlet a = \"TODO\";\n", &[]);
    }

    #[test]
    fn nothing_is_called_utils() {
        check_file("crates/handfast/src/utils.rs", "//! A.\n", &[(1, "grab-bag")]);
        check_file("crates/handfast-common/src/lib.rs", "//! A.\n", &[]);
        check_file("tests/it/common/mod.rs", "//! A.\n", &[(1, "grab-bag")]);
    }

    #[test]
    fn comments_and_names_say_who_and_how_many() {
        let path = "crates/handfast/src/store/a.rs";
        let found = &[(2, "plain-comment")];
        check_file(path, "//! A.\n/// Whoever waits for it.\n", found);
        check_file(path, "//! A.\n// It is somebody's file.\n", found);
        check_file(path, "//! A.\n/* Nobody reads it. */\n", found);
        check_file(path, "//! A.\n/// So many are in flight at most.\n", found);
        check_file(path, "//! A.\nconst NOBODY: &str = \"/\";\n", found);
        check_file(path, "//! A.\n// There are so\n/// many of them.\n// Any others.\n", &[(3, "plain-comment")]);
        check_file(path, "//! A.\n// There is nobody\n// here.\n", found);
        check_file("crates/handfast-server/src/a/b.rs", "//! A: nobody's.\n", &[(1, "plain-comment")]);
        check_file("crates/handfast/src/engine/a.rs", "//! A.\nfn calls_nobody() {}\n", found);
        check_file(path, "//! A.\nlet a = \"nobody answers\";\n", found);
        check_file("crates/handfast/src/flow.rs", "//! A: nobody.\nlet a = \"Somebody accepts it\";\n", found);
        check_file(path, "//! A.\n// Also many.\n#[cfg(test)]\nfn nobody() {} // whoever, \"nobody\"\n", &[]);
        check_file("crates/handfast/src/engine/tests.rs", "//! A: nobody.\n", &[]);
        check_file("crates/handfast/src/engine/drive_tests.rs", "//! A: nobody.\n", &[]);
        check_file("crates/handfast/src/journal.rs", "//! A: nobody.\n", &[]);
    }

    #[test]
    fn the_clock_is_read_in_one_place() {
        check_file("src/a.rs", "//! A.\nlet now = Instant::now();\n", &[(2, "clock")]);
        let by_program = "//! A.\nuse handfast_machine::locked;\nlet now = handfast_machine::clock::now_ms;\n";
        check_file("crates/handfast/src/a.rs", by_program, &[(3, "clock"), (3, "clock")]);
        check_file("crates/handfast/src/a.rs", "//! A.\nlet since = Stopwatch::start();\n", &[(2, "clock")]);
        check_file("crates/handfast-server/src/a.rs", by_program, &[]);
        check_file("src/a.rs", "//! A.\nlet now = std::time::SystemTime::now();\n", &[(2, "clock")]);
        check_file("src/clock.rs", "//! A.\nlet now = Instant::now();\n", &[]);
        check_file("tests/it/a.rs", "//! A.\nlet now = Instant::now();\n", &[]);
    }

    #[test]
    fn a_library_neither_prints_nor_listens() {
        check_file("crates/handfast/src/a.rs", "//! A.\nprintln!();\n", &[(2, "silent-library")]);
        check_file("crates/handfast/src/a.rs", "//! A.\nTcpListener::bind(a)\n", &[(2, "silent-library")]);
        check_file("crates/handfast-participant/src/a.rs", "//! A.\nTcpListener::bind(a)\n", &[]);
        check_file("crates/handfast-server/src/a.rs", "//! A.\nstd::process::exit(1);\n", &[(2, "silent-library")]);
    }

    #[test]
    fn the_binary_speaks_where_its_commands_are() {
        check_file("crates/handfast-cli/src/a.rs", "//! A.\nprintln!();\n", &[(2, "speaker")]);
        check_file("crates/handfast-cli/src/a.rs", "//! A.\nOk(Exit::Done)\n", &[(2, "speaker")]);
        check_file("crates/handfast-cli/src/commands/a.rs", "//! A.\nprintln!();\nOk(Exit::Done)\n", &[]);
        check_file("crates/handfast-cli/src/output/a.rs", "//! A.\nprintln!();\n", &[]);
    }

    #[test]
    fn the_lab_is_closed() {
        check_file("crates/handfast-lab/src/a.rs", "//! A.\nuse std::fs;\n", &[(2, "closed-lab")]);
        check_file("crates/handfast-lab/src/a.rs", "//! A.\nasync fn f() {}\n", &[(2, "closed-lab")]);
        check_file("crates/handfast-lab/src/a.rs", "//! A.\nuse std::thread;\n", &[]);
    }
}
