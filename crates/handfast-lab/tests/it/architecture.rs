//! ARCHITECTURE.md says what is decided outside the coordinator, and by which mutants the lab shows it: they have to be there.

use std::path::Path;

use handfast_lab::saga::MUTANTS;
use handfast_protocol::Risk;

const HEADING: &str = "## What is decided outside the coordinator";

/// The rows of the table below a heading, each as its cells.
fn rows(text: &str) -> Vec<Vec<String>> {
    let section = text.split(HEADING).nth(1).expect("the section is there");
    let section = section.split("\n## ").next().unwrap_or(section);
    let cells = |line: &str| line.trim_matches('|').split(" | ").map(|cell| cell.trim().to_owned()).collect();
    section.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| ---")).skip(1).map(cells).collect()
}

/// What stands between backticks and reads like the name of a mutant or a risk.
fn mutants_named_in(cell: &str) -> Vec<&str> {
    let quoted = cell.split('`').skip(1).step_by(2);
    quoted.filter(|text| text.contains('-') && text.chars().all(|one| one.is_ascii_lowercase() || one == '-')).collect()
}

/// Where the links of a cell lead.
fn files_named_in(cell: &str) -> impl Iterator<Item = &str> {
    cell.split("](").skip(1).filter_map(|rest| rest.split(')').next())
}

#[test]
fn what_is_decided_elsewhere_is_modelled_by_mutants_that_exist_or_says_why_not() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let text = std::fs::read_to_string(root.join("ARCHITECTURE.md")).expect("ARCHITECTURE.md is there");
    let rows = rows(&text);
    assert!(rows.len() >= 21, "rows that the section has lost: {}", rows.len());
    for row in rows {
        let [who, decides, in_the_world] = row.as_slice() else { panic!("three cells: {row:?}") };
        let is_said = in_the_world.starts_with("modelled") || in_the_world.starts_with("not modelled: ");
        assert!(is_said, "{who}, {decides}: it begins with \"modelled\", or with \"not modelled\" and why");
        for name in mutants_named_in(in_the_world) {
            let exists = MUTANTS.iter().any(|mutant| mutant.name == name) || Risk::NAMES.contains(&name);
            assert!(exists, "{who}, {decides}: there is no mutant and no risk {name}");
        }
        for file in files_named_in(decides).chain(files_named_in(in_the_world)) {
            assert!(root.join(file).is_file(), "{who}, {decides}: there is no {file}");
        }
        let is_shown = !mutants_named_in(in_the_world).is_empty() || files_named_in(in_the_world).next().is_some();
        let is_any_moment = in_the_world.contains("any moment");
        assert!(is_shown || is_any_moment, "{who}, {decides}: it names neither a mutant nor a test");
    }
}
