//! The repository's own text files, as the rules see them.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::source::{self, Line};
use super::{Finding, Rule};
use crate::workspace;

/// One text file.
pub(super) struct File {
    /// Relative to the root, with forward slashes.
    pub(super) path: String,
    pub(super) text: String,
    /// The lines of a Rust file told apart into code, comments and strings; of any other file nothing.
    pub(super) lines: Vec<Line>,
}

/// What is not ours to judge: the build's products, the history, and the licences' own words.
const SKIPPED: &[&str] = &[".git", "target", "LICENSE-APACHE", "LICENSE-MIT", "Cargo.lock"];

/// Endings of the files that people write as text here; what stands in a folder of examples is data.
const TEXT: &[&str] = &["rs", "md", "toml", "sh", "sql", "yml", "yaml"];

impl File {
    pub(super) fn new(path: &str, text: &str) -> Self {
        let lines = if path.ends_with(".rs") { source::lines(text) } else { Vec::new() };
        Self { path: path.to_owned(), text: text.to_owned(), lines }
    }

    pub(super) fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }

    pub(super) fn is_markdown(&self) -> bool {
        self.path.ends_with(".md")
    }

    /// Whether the whole file is only ever compiled for tests and measurements.
    pub(super) fn is_test(&self) -> bool {
        workspace::is_test(&self.path)
    }

    /// Lines with their numbers, without those that only tests compile.
    pub(super) fn deployed_lines(&self) -> impl Iterator<Item = (usize, &Line)> {
        let lines = if self.is_test() { &[] } else { self.lines.as_slice() };
        lines.iter().enumerate().filter(|(_, line)| !line.in_test).map(|(index, line)| (index + 1, line))
    }

    pub(super) fn finding(&self, line: usize, rule: &'static Rule, what: String) -> Finding {
        Finding { path: self.path.clone(), line, rule, what }
    }
}

/// Reads every text file under `root`, in the order of their paths.
///
/// # Errors
/// If a folder or file cannot be read.
pub(super) fn read(root: &Path) -> Result<Vec<File>> {
    let mut paths = Vec::new();
    collect(root, &mut paths)?;
    paths.sort();
    paths
        .iter()
        .map(|path| {
            let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
            let relative = path.strip_prefix(root).unwrap_or(path);
            let parts: Vec<_> = relative.iter().map(|part| part.to_string_lossy()).collect();
            Ok(File::new(&parts.join("/"), &text))
        })
        .collect()
}

fn collect(folder: &Path, paths: &mut Vec<PathBuf>) -> Result<()> {
    let entries = fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))?;
    for entry in entries {
        let entry = entry.with_context(|| format!("cannot list {}", folder.display()))?;
        let path = entry.path();
        let name = entry.file_name().to_string_lossy().into_owned();
        if SKIPPED.contains(&name.as_str()) {
            continue;
        }
        let kind = entry.file_type().with_context(|| format!("cannot look at {}", path.display()))?;
        let ending = path.extension().map(|ending| ending.to_string_lossy().into_owned());
        if kind.is_dir() {
            collect(&path, paths)?;
        } else if kind.is_file() && (ending.is_some_and(|ending| TEXT.contains(&ending.as_str())) || name == "run") {
            paths.push(path);
        }
    }
    Ok(())
}
