//! Where a rule does not apply, each place with its reason.

use super::{Finding, Rule};

/// A file in which a rule may be broken.
pub(super) struct Exception {
    rule: &'static str,
    path: &'static str,
    why: &'static str,
}

pub(super) const EXCEPTIONS: &[Exception] = &[
    Exception { rule: "word", path: "xtask/src/tidy/text.rs", why: "names the words it looks for" },
    Exception { rule: "clock", path: "xtask/fixtures/postgres.rs", why: "waits for a process, for tests, by the real clock" },
    Exception { rule: "machine-path", path: "xtask/src/tidy/text.rs", why: "names the folders it looks for" },
];

pub(super) const RULES: &[Rule] = &[Rule {
    name: "exception",
    why: "an exception that excepts nothing hides the next finding",
    fix: "remove it from xtask/src/tidy/exceptions.rs",
}];

/// Takes the findings out that have an exception, and adds one for each exception that has no finding.
pub(super) fn apply(findings: Vec<Finding>, exceptions: &'static [Exception]) -> Vec<Finding> {
    let excepted =
        |finding: &Finding, exception: &Exception| finding.rule.name == exception.rule && finding.path == exception.path;
    let stale: Vec<Finding> = exceptions
        .iter()
        .filter(|exception| !findings.iter().any(|finding| excepted(finding, exception)))
        .map(|Exception { rule, path, why }| Finding {
            path: (*path).to_owned(),
            line: 1,
            rule: &RULES[0],
            what: format!("the rule {rule} is not broken here any more ({why})"),
        })
        .collect();
    let kept = findings.into_iter().filter(|finding| !exceptions.iter().any(|exception| excepted(finding, exception)));
    kept.chain(stale).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exception_excepts_its_own_rule_in_its_own_file_and_is_found_when_stale() {
        static RULE: Rule = Rule { name: "length", why: "", fix: "" };
        static USED: &[Exception] = &[Exception { rule: "length", path: "a.rs", why: "a table" }];
        let finding = |path: &str| Finding { path: path.into(), line: 1, rule: &RULE, what: String::new() };
        assert_eq!(apply(vec![finding("a.rs"), finding("b.rs")], USED), [finding("b.rs")]);
        let stale = apply(Vec::new(), USED);
        assert_eq!((stale.len(), stale[0].rule.name), (1, "exception"));
    }
}
