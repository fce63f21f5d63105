//! Help, completions and manual pages exist for every command, and the streams are used as they should be.

use std::process::Stdio;

use crate::support::{handfast, run};

const COMMANDS: [&str; 19] = [
    "demo",
    "run",
    "serve",
    "payment",
    "dispatch",
    "messenger",
    "check",
    "conform",
    "generals",
    "replay",
    "show",
    "sagas",
    "participants",
    "definitions",
    "flows",
    "store",
    "tokens",
    "completions",
    "man",
];

/// What can be done with a store, with tokens, with sagas, with participants and with definitions.
const UPKEEP: [(&str, &str); 21] = [
    ("store", "backup"),
    ("store", "accept-time"),
    ("store", "verify"),
    ("tokens", "new"),
    ("tokens", "list"),
    ("sagas", "list"),
    ("sagas", "show"),
    ("sagas", "cancel"),
    ("sagas", "retry"),
    ("sagas", "resolve"),
    ("sagas", "plan"),
    ("sagas", "apply"),
    ("sagas", "outcome"),
    ("participants", "list"),
    ("participants", "accept"),
    ("participants", "resting"),
    ("definitions", "list"),
    ("definitions", "adopt"),
    ("definitions", "keep"),
    ("flows", "list"),
    ("flows", "reload"),
];

/// What can be asked about two generals.
const QUESTIONS: [&str; 8] = ["table", "simulate", "odds", "check", "knowledge", "decide", "bounds", "draw"];

#[test]
fn every_command_has_help_with_an_example_on_standard_output() {
    let overview = run(["--help"]);
    assert_eq!(overview.code, Some(0));
    for command in COMMANDS {
        assert!(overview.stdout.contains(&format!("\n  {command} ")), "{command} is not in the overview");
        let help = run([command, "--help"]);
        assert_eq!((help.code, help.stderr.as_str()), (Some(0), ""), "{command}");
        assert!(help.stdout.contains(&format!("Usage: handfast {command}")), "{}", help.stdout);
        assert!(help.stdout.contains("Example") && help.stdout.contains(&format!("\n  handfast {command}")), "{}", help.stdout);
        assert!(help.stdout.contains("--json") && help.stdout.contains("--color"), "{}", help.stdout);
    }
    for exit in 0..=5 {
        assert!(overview.stdout.contains(&format!("\n  {exit}  ")), "exit code {exit} is not explained");
    }
}

#[test]
fn every_question_about_two_generals_has_help_with_an_example_and_a_manual_page() {
    let overview = run(["generals", "--help"]).stdout;
    for question in QUESTIONS {
        assert!(overview.contains(&format!("\n  {question} ")), "{question} is not in the overview");
        let help = run(["generals", question, "--help"]);
        assert_eq!((help.code, help.stderr.as_str()), (Some(0), ""), "{question}");
        assert!(help.stdout.contains(&format!("Usage: handfast generals {question}")), "{}", help.stdout);
        assert!(help.stdout.contains(&format!("\n  handfast generals {question}")), "{}", help.stdout);
        let page = run(["man", "generals", question]);
        assert_eq!((page.code, page.stderr.as_str()), (Some(0), ""), "{question}");
        assert!(page.stdout.contains(&format!("\\fBhandfast generals {question}\\fR")), "{}", page.stdout);
    }
}

/// Whoever reads help in 80 columns sees paragraphs, and no stumps of lines that were broken by hand.
#[test]
fn help_about_two_generals_fills_the_lines_of_a_narrow_terminal() {
    for question in QUESTIONS {
        let ended = handfast().args(["generals", question, "--help"]).env("COLUMNS", "80").output().expect("the binary runs");
        let help = String::from_utf8(ended.stdout).expect("help is text");
        let (_, after) = help.split_once("Examples:").expect("it has examples");
        for paragraph in after.split("\n\n").skip(1) {
            let lines: Vec<&str> = paragraph.lines().collect();
            for pair in lines.windows(2).filter(|pair| pair.iter().all(|line| !line.starts_with([' ', '{']))) {
                let word = pair[1].split(' ').next().unwrap_or_default();
                assert!(
                    pair[0].len() <= 80 && pair[0].len() + 1 + word.len() > 80,
                    "{question}: {:?} could hold {word:?}",
                    pair[0]
                );
            }
        }
        assert!(help.lines().all(|line| line.starts_with("Usage:") || line.chars().count() <= 80), "{question}: {help}");
        assert!(help.contains("--ascii"), "{question}: {help}");
        let says_exit_codes = help.contains("Exit codes: 0 ");
        assert!(says_exit_codes || question == "table", "{question}: {help}");
    }
}

#[test]
fn numbers_that_are_none_are_told_what_is_wanted() {
    for (arguments, said) in [
        ("generals simulate always --threads 257", "from 1 to 256, as 4, or 0 for one a core"),
        ("check --threads 100000", "from 1 to 256, as 4, or 0 for one a core"),
        ("check --threads -1", "from 1 to 256, as 4, or 0 for one a core"),
        ("generals odds always --messengers 1e3", "write a whole number from 0 to 4294967295 in digits, as 3"),
        ("generals simulate always --seed x", "write a whole number from 0 to 18446744073709551615 in digits, as 42"),
        ("generals bounds --rounds x", "write a whole number from 1 to 60 in digits, as 4"),
        ("demo --orders x", "write a whole number from 1 to 100000 in digits, as 1000"),
        ("payment --listen foo", "write an address of this machine and a port, as 127.0.0.1:7070"),
        ("generals decide --messengers 3 --gain 1 --alone 1 --capture 1/2", "Usage: handfast generals decide"),
    ] {
        let ended = run(arguments.split_whitespace());
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), ""), "{arguments}");
        assert!(ended.stderr.contains(said), "{arguments}: {}", ended.stderr);
    }
}

#[test]
fn wrong_usage_ends_with_2_a_suggestion_and_nothing_on_standard_output() {
    for (arguments, hint) in [
        (&["mesenger"][..], "'messenger'"),
        (&["run", "--flwo", "x"], "'--flow'"),
        (&[], "Usage: handfast"),
        (&["run"], "--flow"),
    ] {
        let ended = run(arguments);
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), ""), "{arguments:?}");
        assert!(ended.stderr.contains(hint), "{arguments:?}: {}", ended.stderr);
    }
}

#[test]
fn every_shell_gets_a_script_that_knows_every_command() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = run(["completions", shell]);
        assert_eq!((script.code, script.stderr.as_str()), (Some(0), ""), "{shell}");
        for command in COMMANDS {
            assert!(script.stdout.contains(command), "{shell} does not know {command}");
        }
    }
    assert_eq!(run(["completions", "cmd"]).code, Some(2));
}

#[test]
fn every_command_has_a_manual_page() {
    let dir = tempfile::tempdir().expect("a directory");
    let pages = dir.path().join("share/man/man1");
    let ended = run([std::ffi::OsStr::new("man"), "--dir".as_ref(), pages.as_os_str()]);
    assert_eq!(
        (ended.code, ended.stdout.lines().count()),
        (Some(0), COMMANDS.len() + QUESTIONS.len() + UPKEEP.len() + 1),
        "{}",
        ended.stderr
    );
    for command in COMMANDS {
        let page = std::fs::read_to_string(pages.join(format!("handfast-{command}.1"))).expect(command);
        assert!(page.contains(&format!("\\fBhandfast {command}\\fR")), "{page}");
        assert_eq!(run(["man", command]).stdout, page);
    }
    for (command, act) in UPKEEP {
        let page = std::fs::read_to_string(pages.join(format!("handfast-{command}-{act}.1"))).expect(act);
        // A hyphen is no minus sign there.
        let act = act.replace('-', "\\-");
        assert!(page.contains(&format!("\\fBhandfast {command} {act}\\fR")), "{page}");
    }
    assert!(run(["man"]).stdout.contains("SUBCOMMANDS"));
    let unknown = run(["man", "nobody"]);
    assert_eq!(unknown.code, Some(2));
    assert!(unknown.stderr.contains("there is no page handfast-nobody"), "{}", unknown.stderr);
}

#[test]
fn a_reader_that_leaves_is_no_error_and_takes_no_verdict_with_it() {
    for (arguments, code) in [
        (&["completions", "zsh"][..], 0),
        (&["man"], 0),
        (&["check", "--guards"], 0),
        (&["check", "--without", "any-amount-will-do"], 3),
        (&["check", "--without", "any-amount-will-do", "--json"], 3),
        (&["generals", "check", "handshake", "--steps", "3"], 3),
    ] {
        // The pipe is closed before the first byte: the process must meet the broken pipe, not win a race against it.
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        let child = handfast().args(arguments).stdout(writer).stderr(Stdio::piped()).spawn().expect("the binary runs");
        let ended = child.wait_with_output().expect("it ends");
        let said = String::from_utf8_lossy(&ended.stderr);
        assert_eq!((ended.status.code(), said.as_ref()), (Some(code), ""), "{arguments:?}");
    }
}

#[test]
fn colours_are_for_those_who_want_them() {
    let coloured = |more: &[&str], variable: Option<(&str, &str)>| {
        let mut command = handfast();
        command.args(["man", "nobody"]).args(more).envs(variable);
        let ended = command.output().expect("the binary runs");
        assert_eq!(ended.status.code(), Some(2));
        ended.stderr.contains(&0x1b)
    };
    assert!(!coloured(&[], None), "standard error is no terminal here");
    assert!(coloured(&["--color", "always"], None));
    assert!(coloured(&["--color", "always"], Some(("NO_COLOR", "1"))), "the flag is nearer than the environment");
    assert!(!coloured(&["--color", "never"], Some(("CLICOLOR_FORCE", "1"))));
    assert!(coloured(&[], Some(("CLICOLOR_FORCE", "1"))));
}
