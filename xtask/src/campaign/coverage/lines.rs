//! The lines that were reached, by crate.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use serde_json::Value;

use crate::workspace;

/// Lines that could be reached, and lines that were.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
struct Count {
    all: u64,
    reached: u64,
}

impl Count {
    fn add(&mut self, other: Self) {
        self.all += other.all;
        self.reached += other.reached;
    }

    #[expect(clippy::cast_precision_loss, reason = "a share of lines is shown with one digit")]
    fn per_cent(self) -> f64 {
        if self.all == 0 { 100.0 } else { self.reached as f64 * 100.0 / self.all as f64 }
    }
}

/// The same of each crate, by its folder.
pub(super) struct Lines {
    crates: BTreeMap<String, Count>,
}

impl Lines {
    /// What `llvm-cov export` says of the files in the workspace. Files of tests are left out: they would make it look better.
    pub(super) fn of(told: &Value, root: &Path) -> Self {
        let mut crates: BTreeMap<String, Count> = BTreeMap::new();
        for file in told["data"].as_array().into_iter().flatten().flat_map(|data| data["files"].as_array().into_iter().flatten())
        {
            let inside = file["filename"].as_str().and_then(|name| Path::new(name).strip_prefix(root).ok());
            let Some(name) = inside.and_then(Path::to_str).map(|path| path.replace('\\', "/")).as_deref().and_then(crate_of)
            else {
                continue;
            };
            let lines = |member: &str| file["summary"]["lines"][member].as_u64().unwrap_or(0);
            crates.entry(name).or_default().add(Count { all: lines("count"), reached: lines("covered") });
        }
        Self { crates }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.crates.is_empty()
    }

    /// A table, and the sum of it.
    pub(super) fn report(&self, package: Option<&str>, passed: bool) -> String {
        let only = package.map(|package| format!(" --package {package}")).unwrap_or_default();
        let mut report = format!(
            "# Lines that the tests reach\n\n`cargo xtask campaign coverage{only}`: every test and every process that it starts, but for those that were \
             killed, which tell nothing any more. Files of tests are not counted, nor are the tests of the documentation.{}\n\n\
             | crate | lines | reached | |\n| --- | --- | --- | --- |\n",
            if passed { "" } else { " SOME TESTS DID NOT PASS." }
        );
        let mut total = Count::default();
        for (name, count) in &self.crates {
            total.add(*count);
            row(&mut report, name, *count);
        }
        row(&mut report, "**all**", total);
        report
    }
}

fn row(report: &mut String, name: &str, count: Count) {
    // Writing to a text cannot go wrong.
    let _written = writeln!(report, "| {name} | {} | {} | {:.1} % |", count.all, count.reached, count.per_cent());
}

/// The crate that a file of the workspace belongs to; none for what is only a test.
fn crate_of(path: &str) -> Option<String> {
    let (folder, inside) = path.split_once("/src/")?;
    (!workspace::is_test(inside)).then(|| folder.trim_start_matches("crates/").to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn lines_are_added_up_by_crate_and_tests_are_none() {
        let file = |name: &str, count: u64, covered: u64| json!({ "filename": name, "summary": { "lines": { "count": count, "covered": covered } } });
        let told = json!({ "data": [{ "files": [
            file("/here/crates/handfast/src/flow/mod.rs", 10, 9),
            file("/here/crates/handfast/src/key.rs", 30, 21),
            file("/here/crates/handfast/src/flow_file/file_tests.rs", 100, 100),
            file("/here/crates/handfast/src/flow_file/tests/mod.rs", 100, 100),
            file("/here/crates/handfast/tests/it/main.rs", 100, 100),
            file("/here/xtask/src/main.rs", 10, 1),
            file("/registry/serde/src/lib.rs", 10, 10),
        ] }] });
        let lines = Lines::of(&told, Path::new("/here"));
        let report = lines.report(None, true);
        let rows: Vec<&str> = report.lines().skip_while(|line| !line.starts_with("| ---")).skip(1).collect();
        assert_eq!(rows, ["| handfast | 40 | 30 | 75.0 % |", "| xtask | 10 | 1 | 10.0 % |", "| **all** | 50 | 31 | 62.0 % |"]);
        assert!(lines.report(None, false).contains("DID NOT PASS"));
    }
}
