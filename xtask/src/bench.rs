//! Runs every benchmark of the workspace, one after the other, and says on which machine.

use std::fs;
use std::process::Command;
use std::thread;

use anyhow::{Result, bail};
use serde_json::Value;

use crate::{clock, workspace};

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Runs only the benchmarks whose name contains this.
    #[arg(value_name = "NAME")]
    only: Option<String>,
    /// Names the benchmarks, and runs none.
    #[arg(long)]
    list: bool,
}

/// A benchmark: the package, and the name of the target in it.
type Benchmark = (String, String);

/// Runs the benchmarks side by side with nothing: they measure the same two cores.
///
/// # Errors
/// If there is no such benchmark, or one of them ends with an error.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let wanted = arguments.only.as_deref().unwrap_or_default();
    let benchmarks: Vec<Benchmark> =
        benchmarks(&workspace::metadata()?).into_iter().filter(|(_, name)| name.contains(wanted)).collect();
    if benchmarks.is_empty() {
        bail!("no benchmark has {wanted:?} in its name; `cargo xtask bench --list` names them all");
    }
    if arguments.list {
        for (package, name) in benchmarks {
            println!("{package} {name}");
        }
        return Ok(());
    }
    let machine = machine();
    println!("{machine}");
    for (package, name) in &benchmarks {
        println!("\n== {package}: {name}");
        let mut command = workspace::cargo();
        command.args(["bench", "--locked", "--package", package, "--bench", name]);
        let (result, took) = clock::timed(|| workspace::run(&mut command));
        result?;
        println!("== {package}: {name} took {:.0} s", took.as_secs_f64());
    }
    println!("\n{machine}");
    Ok(())
}

/// Every target of kind `bench`, in the order of the packages' and targets' names.
fn benchmarks(metadata: &Value) -> Vec<Benchmark> {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let members: Vec<Value> = list(&metadata["workspace_members"]);
    let mut benchmarks: Vec<Benchmark> = list(&metadata["packages"])
        .iter()
        .filter(|package| members.contains(&package["id"]))
        .flat_map(|package| {
            let name = word(&package["name"]);
            let targets = list(&package["targets"]);
            targets
                .into_iter()
                .filter(|target| list(&target["kind"]).contains(&Value::from("bench")))
                .map(move |target| (name.clone(), word(&target["name"])))
                .collect::<Vec<_>>()
        })
        .collect();
    benchmarks.sort();
    benchmarks
}

/// The processor, its cores, the memory, the system, the compiler and the commit, one a line; what cannot be found out says so.
fn machine() -> String {
    let unknown = || "unknown".to_owned();
    let line_of = |path: &str, field: &str| {
        let text = fs::read_to_string(path).ok()?;
        let line = text.lines().find(|line| line.starts_with(field))?;
        Some(line.split_once(':')?.1.trim().to_owned())
    };
    let said = |program: &str, arguments: &[&str]| {
        let mut command = Command::new(program);
        command.current_dir(workspace::root()).args(arguments);
        workspace::output(&mut command).map_or_else(|_| unknown(), |text| text.trim().to_owned())
    };
    let cores = thread::available_parallelism().map_or_else(|_| unknown(), |cores| cores.to_string());
    [
        format!("processor: {}", line_of("/proc/cpuinfo", "model name").unwrap_or_else(unknown)),
        format!("cores:     {cores}"),
        format!("memory:    {}", line_of("/proc/meminfo", "MemTotal").unwrap_or_else(unknown)),
        format!("system:    {}", said("uname", &["-srm"])),
        format!("compiler:  {}", said("rustc", &["--version"])),
        format!("commit:    {}", said("git", &["describe", "--always", "--dirty"])),
    ]
    .join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_benchmarks_of_members_are_found() {
        let metadata = serde_json::json!({
            "workspace_members": ["a"],
            "packages": [
                {"id": "a", "name": "lab", "targets": [{"kind": ["lib"], "name": "lab"}, {"kind": ["bench"], "name": "explorer"}]},
                {"id": "b", "name": "foreign", "targets": [{"kind": ["bench"], "name": "theirs"}]},
            ],
        });
        assert_eq!(benchmarks(&metadata), [("lab".to_owned(), "explorer".to_owned())]);
    }
}
