//! The rules that clippy cannot see: the walls between the crates, the files' shape, the words, the documents' links.
//!
//! A rule has a name, a reason and a fix, and a test that shows it firing. A finding reads
//! `path:line: rule: what; why: fix`.

mod commands;
mod dependencies;
mod exceptions;
mod files;
mod house;
mod manifests;
mod markdown;
mod rust;
mod source;
mod text;
mod walls;

use std::fmt;

use anyhow::{Result, bail, ensure};

use crate::workspace;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Lists the rules with their reasons, and checks nothing.
    #[arg(long)]
    rules: bool,
}

/// What is asked of the repository, why, and what to do where it does not hold.
#[derive(PartialEq, Eq, Debug)]
struct Rule {
    name: &'static str,
    why: &'static str,
    fix: &'static str,
}

/// A place where a rule does not hold.
#[derive(PartialEq, Eq, Debug)]
struct Finding {
    /// Relative to the workspace's root, with forward slashes.
    path: String,
    /// Counted from 1.
    line: usize,
    rule: &'static Rule,
    what: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, line, rule, what } = self;
        write!(f, "{path}:{line}: {}: {what}; {}: {}", rule.name, rule.why, rule.fix)
    }
}

/// Every rule, in the order in which they are listed.
const RULES: &[&[Rule]] = &[
    walls::RULES,
    dependencies::RULES,
    manifests::RULES,
    rust::RULES,
    house::RULES,
    text::RULES,
    markdown::RULES,
    commands::RULES,
    exceptions::RULES,
];

/// Checks the repository, or lists the rules.
///
/// # Errors
/// If a rule does not hold somewhere, or the repository cannot be read.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    if arguments.rules {
        for rule in RULES.iter().copied().flatten() {
            println!("{:<16} {}: {}", rule.name, rule.why, rule.fix);
        }
        return Ok(());
    }
    check(false)
}

/// Checks the repository. The command line is asked for its options: the one that the tests have built, or else one that is built
/// for it.
///
/// # Errors
/// If a rule does not hold somewhere, or the repository cannot be read.
pub(crate) fn check(has_tested: bool) -> Result<()> {
    let files = files::read(&workspace::root())?;
    let metadata = workspace::metadata()?;
    let handfast = has_tested.then(|| workspace::tested_handfast(&metadata)).transpose()?.flatten();
    let mut findings = walls::check(&walls::Graph::of_workspace(&metadata));
    findings.extend(dependencies::check(&metadata));
    findings.extend(files.iter().flat_map(manifests::check));
    findings.extend(files.iter().filter(|file| file.is_rust()).flat_map(rust::check));
    findings.extend(house::check(&files));
    let page = files.iter().find(|file| file.path == text::PAGE).map_or("", |file| &file.text);
    let words = text::rejected(page);
    ensure!(!words.is_empty(), "{} rejects no words: its tables have another shape than is read", text::PAGE);
    findings.extend(files.iter().flat_map(|file| text::check(file, &words)));
    findings.extend(markdown::check(&files));
    findings.extend(commands::check(&files, &mut commands::Help::of_binary(handfast)));
    let findings = exceptions::apply(findings, exceptions::EXCEPTIONS);
    for finding in &findings {
        println!("{finding}");
    }
    if !findings.is_empty() {
        bail!("tidy: {} findings in {} files", findings.len(), files.len());
    }
    let rules = RULES.iter().copied().flatten().count();
    eprintln!("tidy: {rules} rules hold in {} files", files.len());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_every_rule_has_a_reason_and_a_fix() {
        let rules: Vec<&Rule> = RULES.iter().copied().flatten().collect();
        let mut names: Vec<&str> = rules.iter().map(|rule| rule.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), rules.len());
        assert!(rules.iter().all(|rule| !rule.why.is_empty() && !rule.fix.is_empty()));
    }

    #[test]
    fn a_finding_says_where_what_why_and_how() {
        static RULE: Rule = Rule { name: "header", why: "nobody knows what it is for", fix: "say so" };
        let finding = Finding { path: "src/a.rs".into(), line: 3, rule: &RULE, what: "no header".into() };
        assert_eq!(finding.to_string(), "src/a.rs:3: header: no header; nobody knows what it is for: say so");
    }
}
