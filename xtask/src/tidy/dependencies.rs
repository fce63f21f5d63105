//! Rules for what the workspace is built from: licences that its users can live with, one source, and no crate twice.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{Finding, Rule};

pub(super) const RULES: &[Rule] = &[
    Rule {
        name: "licence",
        why: "whoever links this into a product takes over every licence in it",
        fix: "choose another crate, or, where the licence is permissive, add it to xtask/src/tidy/dependencies.rs",
    },
    Rule {
        name: "source",
        why: "what is not in the registry can change or go, and cannot be published against",
        fix: "depend on a published version",
    },
    Rule {
        name: "duplicate",
        why: "two versions of a crate are built twice, and their types do not fit",
        fix: "bring those who depend on it to one version, or say in xtask/src/tidy/dependencies.rs why that cannot be",
    },
];
const LICENCE: &Rule = &RULES[0];
const SOURCE: &Rule = &RULES[1];
const DUPLICATE: &Rule = &RULES[2];

/// Licences that may be linked into any product: all of them permissive, none asks for the source of what it is linked into.
const PERMISSIVE: &[&str] = &[
    "0BSD",
    "Apache-2.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

/// Crates of which two versions are built, and why that cannot be helped today.
const TWICE: &[(&str, &str)] = &[
    ("base64", "standardwebhooks, by which our signatures are tested, has an older one"),
    ("getrandom", "ring has an older one"),
    ("synstructure", "rcgen, by which tests make certificates, names a reader of them that is not built here"),
    ("syn", "the macros of serde and those of tracing are of two generations; neither is linked into anything"),
];

/// What is wrong with the packages that `cargo metadata` lists.
pub(super) fn check(metadata: &Value) -> Vec<Finding> {
    check_with(metadata, TWICE)
}

fn check_with(metadata: &Value, twice: &[(&str, &str)]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut find = |rule: &'static Rule, what: String| {
        findings.push(Finding { path: "Cargo.lock".to_owned(), line: 1, rule, what });
    };
    let mut versions: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for package in metadata["packages"].as_array().into_iter().flatten() {
        let text = |member: &str| package[member].as_str().unwrap_or_default();
        let (name, version, licence) = (text("name"), text("version"), text("license"));
        versions.entry(name).or_default().insert(version);
        if !is_permissive(licence) {
            find(LICENCE, format!("{name} {version} is under {licence:?}"));
        }
        let source = package["source"].as_str();
        if source.is_some_and(|source| !source.starts_with("registry+")) {
            find(SOURCE, format!("{name} {version} comes from {}", source.unwrap_or_default()));
        }
    }
    let is_excepted = |name: &str| twice.iter().any(|(excepted, _)| *excepted == name);
    for (name, versions) in &versions {
        if versions.len() > 1 && !is_excepted(name) {
            let all: Vec<&str> = versions.iter().copied().collect();
            find(DUPLICATE, format!("{name} is there as {}", all.join(" and ")));
        }
    }
    for (name, why) in twice {
        if versions.get(name).is_none_or(|versions| versions.len() < 2) {
            find(DUPLICATE, format!("{name} is there once now, and excepted ({why})"));
        }
    }
    findings
}

/// Whether an SPDX expression can be met by permissive licences alone. `A/B` is the old way of writing `A OR B`.
fn is_permissive(expression: &str) -> bool {
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let (holds, rest) = any_of(&words);
    holds && rest.is_empty()
}

/// `A OR B ..`; gives whether it can be met, and what follows it.
fn any_of<'a>(words: &'a [&'a str]) -> (bool, &'a [&'a str]) {
    let (mut holds, mut rest) = all_of(words);
    while let Some(after) = rest.strip_prefix(&["OR"]) {
        let (also, left) = all_of(after);
        (holds, rest) = (holds | also, left);
    }
    (holds, rest)
}

/// `A AND B ..`.
fn all_of<'a>(words: &'a [&'a str]) -> (bool, &'a [&'a str]) {
    let (mut holds, mut rest) = one(words);
    while let Some(after) = rest.strip_prefix(&["AND"]) {
        let (also, left) = one(after);
        (holds, rest) = (holds & also, left);
    }
    (holds, rest)
}

/// One licence, with or without an exception, or an expression in parentheses.
fn one<'a>(words: &'a [&'a str]) -> (bool, &'a [&'a str]) {
    match words {
        ["(", inside @ ..] => {
            let (holds, rest) = any_of(inside);
            rest.strip_prefix(&[")"]).map_or((false, rest), |rest| (holds, rest))
        }
        // An exception permits more than the licence does.
        [licence, "WITH", _, rest @ ..] | [licence, rest @ ..] => (PERMISSIVE.contains(licence), rest),
        [] => (false, words),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_expression_is_met_by_permissive_licences_or_not() {
        for (expression, expected) in [
            ("MIT", true),
            ("MIT OR Apache-2.0", true),
            ("MIT/Apache-2.0", true),
            ("GPL-3.0-only", false),
            ("MIT OR LGPL-2.1-or-later", true),
            ("MIT AND LGPL-2.1-or-later", false),
            ("(MIT OR Apache-2.0) AND Unicode-3.0", true),
            ("(MIT OR GPL-3.0-only) AND MPL-2.0", false),
            ("Apache-2.0 WITH LLVM-exception OR MIT", true),
            ("(MIT", false),
            ("", false),
        ] {
            assert_eq!(is_permissive(expression), expected, "{expression}");
        }
    }

    #[test]
    fn licences_sources_and_duplicates_are_found() {
        let registry = "registry+https://example.org/index";
        let package = |name: &str, version: &str, license: Value, source: Value| json!({ "name": name, "version": version, "license": license, "source": source });
        let metadata = json!({ "packages": [
            package("own", "1.0.0", json!("MIT"), Value::Null),
            package("good", "1.0.0", json!("MIT"), json!(registry)),
            package("good", "2.0.0", json!("MIT"), json!(registry)),
            package("none", "1.0.0", Value::Null, json!(registry)),
            package("git", "1.0.0", json!("MIT"), json!("git+https://example.org/git")),
            package("known", "1.0.0", json!("MIT"), json!(registry)),
            package("known", "2.0.0", json!("MIT"), json!(registry)),
        ] });
        let found = check_with(&metadata, &[("known", "it cannot be helped"), ("gone", "it could not be helped")]);
        let found: Vec<(&str, &str)> = found.iter().map(|finding| (finding.rule.name, finding.what.as_str())).collect();
        assert_eq!(
            found,
            [
                ("licence", "none 1.0.0 is under \"\""),
                ("source", "git 1.0.0 comes from git+https://example.org/git"),
                ("duplicate", "good is there as 1.0.0 and 2.0.0"),
                ("duplicate", "gone is there once now, and excepted (it could not be helped)"),
            ]
        );
    }
}
