//! Rules for every text file: the words we do not use, and paths that exist on one machine only.

use super::files::File;
use super::source::is_word;
use super::{Finding, Rule};

pub(super) const RULES: &[Rule] = &[
    Rule {
        name: "word",
        why: "one thing has one name here, and this one says something else",
        fix: "use the word in the brackets",
    },
    Rule {
        name: "machine-path",
        why: "it exists on one machine only",
        fix: "use a path relative to the repository, or a temporary folder made for the purpose",
    },
];
const WORD: &Rule = &RULES[0];
const MACHINE_PATH: &Rule = &RULES[1];

/// Where the words stand.
pub(super) const PAGE: &str = "docs/words.md";

/// A word that hardly ever means something else than what we have another word for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Rejected {
    /// In small letters.
    word: String,
    /// What we say.
    instead: String,
}

/// The words that the tables of the page reject: what stands as code in the last of three columns, with the first one.
pub(super) fn rejected(page: &str) -> Vec<Rejected> {
    let mut rejected = Vec::new();
    for row in page.lines().filter_map(|line| line.trim().strip_prefix('|')?.strip_suffix('|')) {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let [instead, _, words] = cells[..] else { continue };
        let words = words.split('`').skip(1).step_by(2);
        rejected.extend(words.map(|word| Rejected { word: word.to_lowercase(), instead: instead.replace("**", "") }));
    }
    rejected
}

/// Folders that belong to somebody's machine.
const FOLDERS: &[&str] = &["/work/", "/tmp/", "/home/", "/root/", "/Users/"];

pub(super) fn check(file: &File, words: &[Rejected]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (index, line) in file.text.lines().enumerate() {
        let lowercase = line.to_lowercase().replace('_', " ");
        // The page names them to reject them.
        let found = words.iter().filter(|rejected| file.path != PAGE && lowercase.contains(&rejected.word));
        for Rejected { word, instead } in found {
            findings.push(file.finding(index + 1, WORD, format!("\"{word}\" [{instead}]")));
        }
        let only_tests = file.is_test() || file.lines.get(index).is_some_and(|line| line.in_test);
        for folder in FOLDERS.iter().filter(|folder| !only_tests && names_folder(line, folder)) {
            findings.push(file.finding(index + 1, MACHINE_PATH, format!("a path in {folder}")));
        }
    }
    findings
}

/// Whether the line has this folder at the beginning of a path, not in the middle of one.
fn names_folder(line: &str, folder: &str) -> bool {
    line.match_indices(folder)
        .any(|(at, _)| !line[..at].ends_with(|before: char| is_word(before) || matches!(before, '.' | '}' | '~')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_file(path: &str, text: &str, expected: &[(usize, &str)]) {
        let found = check(
            &File::new(path, text),
            &rejected("| **flow**: it | saga | `workflow` |\n| in doubt | | failed, `timed out` |"),
        );
        let found: Vec<_> = found.iter().map(|finding| (finding.line, finding.rule.name)).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn rejected_words_are_found_in_code_and_prose() {
        check_file("src/a.rs", "//! A.\nlet is_timed_out;\n// The call timed out.", &[(2, "word"), (3, "word")]);
        check_file("README.md", "Two Workflows.", &[(1, "word")]);
        check_file(PAGE, "Two Workflows.", &[]);
        check_file("README.md", "A flow runs as a saga; its timeout is an input.", &[]);
    }

    #[test]
    fn the_words_are_those_of_the_page() {
        let page = "| we say | others say | we do not say |\n| --- | --- | --- |\n| **flow** | saga | `Workflow`, job |\n| two | cells |";
        assert_eq!(rejected(page), [Rejected { word: "workflow".to_owned(), instead: "flow".to_owned() }]);
    }

    #[test]
    fn paths_of_one_machine_are_found_outside_tests() {
        check_file("src/a.rs", "const A: &str = \"/tmp/a\";", &[(1, "machine-path")]);
        check_file("README.md", "see /home/me/x", &[(1, "machine-path")]);
        check_file("tests/it/a.rs", "const A: &str = \"/tmp/a\";", &[]);
        check_file("src/a.rs", "#[cfg(test)]\nmod tests {\n const A: &str = \"/tmp/a\";\n}", &[]);
        check_file("README.md", "https://example.org/home/x and crates/work/x", &[]);
    }
}
