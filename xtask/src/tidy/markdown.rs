//! Rules for documents: a link leads somewhere.

use std::collections::BTreeMap;

use super::files::File;
use super::{Finding, Rule};
use crate::workspace;

pub(super) const RULES: &[Rule] = &[Rule { name: "link", why: "a reader follows it", fix: "name a file or heading that exists" }];
const LINK: &Rule = &RULES[0];

pub(super) fn check(files: &[File]) -> Vec<Finding> {
    let root = workspace::root();
    let headings: BTreeMap<&str, Vec<String>> =
        files.iter().filter(|file| file.is_markdown()).map(|file| (file.path.as_str(), headings(&file.text))).collect();
    let mut findings = Vec::new();
    for file in files.iter().filter(|file| file.is_markdown()) {
        for (line, target) in links(&file.text) {
            if let Err(what) = follow(&file.path, &target, &headings, &|path| root.join(path).exists()) {
                findings.push(file.finding(line, LINK, what));
            }
        }
    }
    findings
}

/// Says what is wrong with a link, if it leads nowhere.
fn follow(from: &str, target: &str, headings: &BTreeMap<&str, Vec<String>>, exists: &dyn Fn(&str) -> bool) -> Result<(), String> {
    if target.contains("://") || target.starts_with("mailto:") {
        return Ok(());
    }
    let (path, anchor) = target.split_once('#').map_or((target, None), |(path, anchor)| (path, Some(anchor)));
    let path = if path.is_empty() { from.to_owned() } else { resolve(from, path) };
    if !exists(&path) {
        return Err(format!("there is no {path}"));
    }
    match (anchor, headings.get(path.as_str())) {
        (Some(anchor), Some(known)) if !known.iter().any(|heading| heading == anchor) => {
            Err(format!("there is no heading #{anchor} in {path}"))
        }
        _ => Ok(()),
    }
}

/// The path that a link from one file to another means, relative to the root.
fn resolve(from: &str, to: &str) -> String {
    let mut parts: Vec<&str> = from.split('/').collect();
    parts.pop();
    for part in to.split('/') {
        match part {
            "." | "" => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// The lines outside fenced blocks, with their numbers.
fn prose(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut fenced = false;
    text.lines().enumerate().filter_map(move |(index, line)| {
        let fence = line.trim_start().starts_with("```");
        fenced ^= fence;
        (!fenced && !fence).then_some((index + 1, line))
    })
}

/// Every target of a link, with its line: `[text](target)` and `[name]: target`.
fn links(text: &str) -> Vec<(usize, String)> {
    let mut links = Vec::new();
    for (number, line) in prose(text) {
        // What stands between backquotes is code: every other part of the line.
        let line: String = line.split('`').step_by(2).collect::<Vec<_>>().join("x");
        let inline = line.split("](").skip(1).filter_map(|rest| rest.split([')', ' ']).next());
        let definition = line.strip_prefix('[').and_then(|rest| rest.split_once("]: ")).map(|(_, target)| target.trim());
        links.extend(inline.chain(definition).map(|target| (number, target.to_owned())));
    }
    links
}

/// The anchors of a document's headings, as GitHub makes them.
fn headings(text: &str) -> Vec<String> {
    let titles = prose(text).filter(|(_, line)| line.starts_with('#')).map(|(_, line)| line.trim_start_matches('#').trim());
    titles
        .map(|title| {
            let kept = title.to_lowercase();
            let kept = kept.chars().filter(|&character| character.is_alphanumeric() || matches!(character, '-' | '_' | ' '));
            kept.map(|character| if character == ' ' { '-' } else { character }).collect()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_target(from: &str, target: &str, expected: Result<(), &str>) {
        let known = BTreeMap::from([("docs/a.md", headings("# The `store`, and more\n```\n# no heading\n```\n"))]);
        let exists = |path: &str| matches!(path, "docs/a.md" | "README.md" | "LICENSE-MIT");
        assert_eq!(follow(from, target, &known, &exists), expected.map_err(str::to_owned));
    }

    #[test]
    fn a_link_leads_to_a_file_and_a_heading() {
        check_target("README.md", "docs/a.md", Ok(()));
        check_target("README.md", "docs/b.md", Err("there is no docs/b.md"));
        check_target("docs/a.md", "../LICENSE-MIT", Ok(()));
        check_target("docs/a.md", "LICENSE-MIT", Err("there is no docs/LICENSE-MIT"));
        check_target("README.md", "docs/a.md#the-store-and-more", Ok(()));
        check_target("docs/a.md", "#no-heading", Err("there is no heading #no-heading in docs/a.md"));
        check_target("README.md", "https://example.org/x", Ok(()));
    }

    #[test]
    fn links_are_found_outside_code() {
        let text = "See [a](one.md) and [b](two.md \"t\").\n`[c](code.md)`\n```\n[d](fenced.md)\n```\n[e]: three.md\n";
        assert_eq!(links(text), [(1, "one.md".to_owned()), (1, "two.md".to_owned()), (6, "three.md".to_owned())]);
    }
}
