//! Rules for the house as a whole: one style of folders, and a binary that stays small.

use std::collections::BTreeSet;

use super::files::File;
use super::rust::BINARY;
use super::{Finding, Rule};

const FOLDERS: &Rule = &RULES[0];
const THIN_BINARY: &Rule = &RULES[1];

pub(super) const RULES: &[Rule] = &[
    Rule {
        name: "one-folder",
        why: "a module that is a file and a folder of one name has its text in two places of a listing",
        fix: "move the file into its folder as mod.rs",
    },
    Rule {
        name: "thin-binary",
        why: "what stands in the binary cannot be imported by anybody",
        fix: "leave parsing, calling, printing and the exit code, and move the rest to the crate that it is about",
    },
];

/// The binary stays below so many lines of code; comments, empty lines and tests are not counted.
const MOST_BINARY_LINES: usize = 8_000;

pub(super) fn check(files: &[File]) -> Vec<Finding> {
    let mut findings = folders(files);
    findings.extend(binary(files));
    findings
}

/// Modules that are a file beside the folder of their submodules.
fn folders(files: &[File]) -> Vec<Finding> {
    let mut folders = BTreeSet::new();
    for file in files {
        let parents = file.path.match_indices('/').map(|(at, _)| &file.path[..at]);
        folders.extend(parents);
    }
    let modules = files.iter().filter_map(|file| Some((file, file.path.strip_suffix(".rs")?)));
    let doubled = modules.filter(|(_, module)| folders.contains(module));
    doubled.map(|(file, module)| file.finding(1, FOLDERS, format!("it stands beside the folder {module}"))).collect()
}

fn binary(files: &[File]) -> Option<Finding> {
    let of_binary = || files.iter().filter(|file| file.path.starts_with(BINARY) && file.is_rust());
    let lines: usize = of_binary().map(lines_of_code).sum();
    let main = of_binary().find(|file| file.path.ends_with("/main.rs"))?;
    (lines >= MOST_BINARY_LINES).then(|| {
        main.finding(1, THIN_BINARY, format!("the binary has {lines} lines of code, and stays below {MOST_BINARY_LINES}"))
    })
}

fn lines_of_code(file: &File) -> usize {
    let is_code = |text: &str| !text.trim().is_empty();
    file.deployed_lines().filter(|(_, line)| is_code(&line.code) || is_code(&line.string)).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(files: &[(&str, &str)]) -> Vec<(String, &'static str)> {
        let files: Vec<File> = files.iter().map(|(path, text)| File::new(path, text)).collect();
        check(&files).into_iter().map(|finding| (finding.path, finding.rule.name)).collect()
    }

    #[test]
    fn a_module_is_a_file_or_a_folder() {
        let doubled = [("crates/a/src/b.rs", ""), ("crates/a/src/b/c/d.rs", "")];
        assert_eq!(found(&doubled), [("crates/a/src/b.rs".to_owned(), "one-folder")]);
        assert_eq!(found(&[("crates/a/src/b/mod.rs", ""), ("crates/a/src/b/c.rs", ""), ("crates/a/src/bc.rs", "")]), []);
        assert_eq!(found(&[("crates/a/src/b.rs", ""), ("crates/a/tests/b/c.rs", "")]), []);
    }

    #[test]
    fn the_binary_stays_small() {
        let main = "crates/handfast-cli/src/main.rs";
        let lines = |lines: usize| "a();\n".repeat(lines);
        let (most, more) = (lines(MOST_BINARY_LINES - 2), lines(MOST_BINARY_LINES - 1));
        let beside = ("crates/handfast-cli/src/commands/a.rs", "//! A.\n\nuse b; // Why.\n#[cfg(test)]\nmod tests {}\n");
        assert_eq!(found(&[(main, &most), beside]), []);
        assert_eq!(found(&[(main, &more), beside]), [(main.to_owned(), "thin-binary")]);
        assert_eq!(found(&[(main, ""), ("crates/handfast-lab/src/a.rs", &more)]), []);
        let text = format!("let text = \"\n{}\";\n", "text\n".repeat(MOST_BINARY_LINES));
        assert_eq!(found(&[(main, &text)]), [(main.to_owned(), "thin-binary")], "texts are lines of code, too");
    }
}
