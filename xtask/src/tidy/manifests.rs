//! What a crate's manifest may not say, so that a program which has other libraries can still add ours.

use super::files::File;
use super::{Finding, Rule};

pub(super) const RULES: &[Rule] = &[
    Rule {
        name: "weak-feature",
        why: "cargo resolves what a feature names with ?/ although it is off, so that a program with another SQLite cannot add us",
        fix: "let the feature name the dependency with dep: and nothing of it",
    },
    Rule {
        name: "second-sqlite",
        why: "sqlx, sea-orm and diesel link a SQLite of their own, and one program links one",
        fix: "show it in a crate with a workspace and a lock file of its own, as in xtask/strangers",
    },
];

/// Libraries that bring a SQLite, or resolve as if they did.
const OTHERS: &[&str] = &["sqlx", "sea-orm", "diesel"];

pub(super) fn check(file: &File) -> Vec<Finding> {
    let is_ours = file.path == "Cargo.toml" || file.path == "xtask/Cargo.toml" || file.path.starts_with("crates/");
    if !is_ours || !file.path.ends_with("Cargo.toml") {
        return Vec::new();
    }
    let mut findings = Vec::new();
    for (line, text) in (1..).zip(file.text.lines()).filter(|(_, text)| !text.starts_with('#')) {
        if text.contains("?/") {
            findings.push(file.finding(line, &RULES[0], format!("a feature says {}", text.trim())));
        }
        if let Some(other) = OTHERS.iter().find(|other| names(text, other)) {
            findings.push(file.finding(line, &RULES[1], format!("a member of the workspace names {other}")));
        }
    }
    findings
}

fn names(line: &str, dependency: &str) -> bool {
    line.trim_start().strip_prefix(dependency).is_some_and(|rest| rest.trim_start().starts_with(['=', '.']))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, text: &str) -> Vec<&'static str> {
        check(&File::new(path, text)).into_iter().map(|finding| finding.rule.name).collect()
    }

    #[test]
    fn what_keeps_others_from_adding_us_is_found() {
        assert_eq!(found("crates/handfast/Cargo.toml", "[features]\nsqlite = [\"rusqlite?/backup\"]\n"), ["weak-feature"]);
        assert_eq!(found("crates/handfast/Cargo.toml", "[features]\nsqlite = [\"dep:rusqlite\"]\n"), [""; 0]);
        assert_eq!(found("crates/handfast/Cargo.toml", "[dev-dependencies]\nsqlx = \"0.9\"\n"), ["second-sqlite"]);
        assert_eq!(found("Cargo.toml", "diesel.workspace = true\n"), ["second-sqlite"]);
        assert_eq!(found("xtask/strangers/sqlx-0.9/Cargo.toml", "sqlx = \"0.9\"\n"), [""; 0]);
    }
}
