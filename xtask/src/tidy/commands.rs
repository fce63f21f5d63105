//! A command that a document shows in a `console` block exists, with the options it is shown with.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;

use clap::CommandFactory;

use super::files::File;
use super::source::is_word;
use super::{Finding, Rule};
use crate::workspace;

pub(super) const RULES: &[Rule] =
    &[Rule { name: "command", why: "a reader types it", fix: "show a command and options that `--help` knows" }];
const COMMAND: &Rule = &RULES[0];

/// Whose command it is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Program {
    Handfast,
    Xtask,
}

/// What `--help` says, asked once for each subcommand.
#[derive(Default)]
pub(super) struct Help {
    texts: BTreeMap<(Program, String), Option<String>>,
    /// The command line, once it was built; the inner `None` says that it does not build.
    handfast: Option<Option<PathBuf>>,
}

impl Help {
    /// Of the command line that is there, or of one that is built once it is asked.
    pub(super) fn of_binary(handfast: Option<PathBuf>) -> Self {
        Self { texts: BTreeMap::new(), handfast: handfast.map(Some) }
    }

    fn of(&mut self, program: Program, subcommand: &str) -> Option<&str> {
        let key = (program, subcommand.to_owned());
        if !self.texts.contains_key(&key) {
            let text = match program {
                Program::Handfast => {
                    let binary = self.handfast.get_or_insert_with(|| workspace::build_handfast().ok()).as_ref();
                    binary
                        .and_then(|binary| workspace::output(Command::new(binary).args(subcommand.split(' ')).arg("--help")).ok())
                }
                Program::Xtask => {
                    let mut command = crate::Arguments::command();
                    command.find_subcommand_mut(subcommand).map(|command| command.render_long_help().to_string())
                }
            };
            self.texts.insert(key.clone(), text);
        }
        self.texts.get(&key)?.as_deref()
    }
}

pub(super) fn check(files: &[File], help: &mut Help) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in files.iter().filter(|file| file.is_markdown()) {
        for (line, words) in commands(&file.text) {
            let words: Vec<&str> = words.split_whitespace().collect();
            if let Some(Err(what)) = parse(&words).map(|(program, rest)| check_one(program, rest, help)) {
                findings.push(file.finding(line, COMMAND, what));
            }
        }
    }
    findings
}

/// The lines behind a `$` in `console` blocks, continued lines joined, up to a pipe or comment.
fn commands(text: &str) -> Vec<(usize, String)> {
    let mut commands: Vec<(usize, String)> = Vec::new();
    let mut console = false;
    let mut continued = false;
    for (index, line) in text.lines().enumerate() {
        if let Some(kind) = line.trim_start().strip_prefix("```") {
            console = !console && kind.trim() == "console";
            continued = false;
            continue;
        }
        let new = line.strip_prefix("$ ");
        if !console || (new.is_none() && !continued) {
            continue;
        }
        let part = new.unwrap_or(line);
        let text = part.trim_end_matches('\\');
        match commands.last_mut() {
            Some((_, command)) if new.is_none() => command.push_str(text),
            _ => commands.push((index + 1, text.to_owned())),
        }
        continued = part.ends_with('\\');
    }
    for (_, command) in &mut commands {
        let end = command.find(['|', '#', '>', ';', '&']).unwrap_or(command.len());
        command.truncate(end);
    }
    commands
}

/// Whose command it is, and the words behind the program; `None` for everybody else's.
fn parse<'a, 'b>(words: &'b [&'a str]) -> Option<(Program, &'b [&'a str])> {
    match words {
        ["cargo", "xtask", rest @ ..] => Some((Program::Xtask, rest)),
        ["cargo", "run", rest @ ..] => {
            let ours = rest.iter().position(|&word| word == "--").map_or(rest.len(), |at| at + 1);
            Some((Program::Handfast, &rest[ours..]))
        }
        [program, rest @ ..] if program.rsplit('/').next() == Some("handfast") => Some((Program::Handfast, rest)),
        _ => None,
    }
}

fn check_one(program: Program, words: &[&str], help: &mut Help) -> Result<(), String> {
    let Some((subcommand, options)) = words.split_first().filter(|(first, _)| !first.starts_with('-')) else {
        return Ok(());
    };
    let mut path = (*subcommand).to_owned();
    let mut options = options;
    // A subcommand may have subcommands of its own, which its help names.
    while let Some((next, rest)) = options.split_first() {
        let names_it = |text: &str| text.lines().any(|line| line.starts_with(&format!("  {next} ")));
        if next.starts_with('-') || !help.of(program, &path).is_some_and(names_it) {
            break;
        }
        path = format!("{path} {next}");
        options = rest;
    }
    let Some(text) = help.of(program, &path) else {
        return Err(format!("`{path} --help` does not work"));
    };
    let options =
        options.iter().filter(|word| word.starts_with("--") && word.len() > 2).map(|word| word.split('=').next().unwrap_or(word));
    for option in options {
        let known =
            text.match_indices(option).any(|(at, _)| !text[at + option.len()..].starts_with(|next| is_word(next) || next == '-'));
        if !known {
            return Err(format!("`{path} --help` does not know {option}"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_text(block: &str, expected: &[(usize, &str)]) {
        let mut help = Help::default();
        help.texts.insert((Program::Handfast, "demo".into()), Some("--orders N\n--capture-rate P".into()));
        help.texts.insert((Program::Handfast, "dmeo".into()), None);
        let file = File::new("README.md", &format!("```console\n{block}\n```\n"));
        let found = check(&[file], &mut help);
        let found: Vec<_> = found.iter().map(|finding| (finding.line, finding.what.as_str())).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn commands_in_documents_exist() {
        check_text("$ cargo run --release -- demo --orders 5\n$ handfast demo", &[]);
        check_text("$ cargo run -- dmeo", &[(2, "`dmeo --help` does not work")]);
        check_text("$ handfast demo \\\n  --kills 5", &[(2, "`demo --help` does not know --kills")]);
        check_text("$ handfast demo --capture=1", &[(2, "`demo --help` does not know --capture")]);
        check_text("$ cargo xtask ci --only fmt\n$ cargo xtask tidy --rules | head", &[]);
        check_text("$ cargo xtask cy", &[(2, "`cy --help` does not work")]);
        check_text("$ curl --silent localhost\nhandfast says: handfast dmeo", &[]);
    }
}
