//! Crates outside the workspace that have a database library already: each is resolved by its own lock file and checked beside
//! handfast, with its defaults and without.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use crate::workspace;

/// Where they are.
const FOLDER: &str = "xtask/strangers";

/// The one that is built and tested, and not only checked.
const EXAMPLE: &str = "examples/stranger";

/// How the workspace builds what comes from the registry. Built alike, what clippy and the tests have built is there already.
const PROFILE: [&str; 6] = [
    "--config",
    "profile.dev.package.\"*\".opt-level=1",
    "--config",
    "profile.dev.package.\"*\".debug=false",
    "--config",
    "profile.dev.package.handfast.opt-level=0",
];

/// Cargo for a crate outside the workspace, in the workspace's own target folder.
fn cargo(task: &str, manifest: &Path) -> std::process::Command {
    let mut command = workspace::cargo();
    // Not `--locked`: a dependency that is new in a crate of ours is added to what is locked, and nothing else changes.
    command.args([task, "--quiet", "--manifest-path"]).arg(manifest).arg("--target-dir").arg(workspace::root().join("target"));
    command.args(PROFILE);
    command
}

/// Checks every stranger, and tests the example among them, and that between them and the workspace both ends of the range of
/// `rusqlite` are run, the lower one by the example.
///
/// # Errors
/// One does not resolve or compile, or nobody has one end of the range.
pub(crate) fn check() -> Result<()> {
    let folders = folders()?;
    ensure!(!folders.is_empty(), "{FOLDER} is empty; nothing would be checked");
    let mut versions = BTreeSet::from([rusqlite_of(&workspace::root().join("Cargo.lock"))?]);
    for folder in &folders {
        let manifest = folder.join("Cargo.toml");
        for features in [&[][..], &["--no-default-features"]] {
            workspace::run(cargo("check", &manifest).args(features))?;
        }
        versions.insert(rusqlite_of(&folder.join("Cargo.lock"))?);
    }
    let lines =
        |path: &str| -> Result<usize> { Ok(fs::read_to_string(workspace::root().join(EXAMPLE).join(path))?.lines().count()) };
    let lines = lines("src/lib.rs")? + lines("tests/lost.rs")?;
    ensure!(lines < 120, "{EXAMPLE} has {lines} lines, and is to show that fewer than 120 are enough");
    let example = workspace::root().join(EXAMPLE).join("Cargo.toml");
    workspace::run(&mut cargo("test", &example))?;
    let (oldest, newest) = range(&fs::read_to_string(workspace::root().join("Cargo.toml"))?)?;
    let [first, last] = [versions.first(), versions.last()].map(|version| version.copied());
    ensure!(
        first == Some(oldest) && last.map(|version| version + 1) == Some(newest),
        "rusqlite is compiled from 0.{first:?} to 0.{last:?}, and our range says >=0.{oldest}, <0.{newest}; lock a stranger to \
         the end that is missing, or narrow the range"
    );
    let run = rusqlite_of(&workspace::root().join(EXAMPLE).join("Cargo.lock"))?;
    ensure!(
        run == oldest,
        "{EXAMPLE} locks rusqlite 0.{run}, and is what runs on the oldest of our range: say `cargo update -p rusqlite --precise \
         0.{oldest}.N` there"
    );
    eprintln!("strangers: {} beside handfast, with rusqlite 0.{oldest} to 0.{}", folders.len(), newest - 1);
    Ok(())
}

fn folders() -> Result<Vec<PathBuf>> {
    let read = fs::read_dir(workspace::root().join(FOLDER)).with_context(|| format!("{FOLDER} cannot be read"))?;
    let mut folders: Vec<PathBuf> = read.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
    folders.retain(|folder| folder.join("Cargo.toml").is_file());
    folders.sort();
    Ok(folders)
}

/// The minor version of `rusqlite` that a lock file has.
fn rusqlite_of(lock: &Path) -> Result<u32> {
    let text = fs::read_to_string(lock).with_context(|| format!("{} cannot be read", lock.display()))?;
    minor_of(&text).with_context(|| format!("{} locks no rusqlite", lock.display()))
}

fn minor_of(lock: &str) -> Option<u32> {
    let (_, after) = lock.split_once("name = \"rusqlite\"\nversion = \"0.")?;
    after.split('.').next()?.parse().ok()
}

/// The first minor version in the range of the workspace's manifest, and the first after it.
fn range(manifest: &str) -> Result<(u32, u32)> {
    let read = || {
        let (_, after) = manifest.split_once("rusqlite = { version = \">=0.")?;
        let (oldest, after) = after.split_once(", <0.")?;
        Some((oldest.parse().ok()?, after.split('"').next()?.parse().ok()?))
    };
    read().context("the workspace's Cargo.toml names no range of rusqlite as in \">=0.32, <0.42\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ends_of_the_range_are_read() {
        assert_eq!(range("rusqlite = { version = \">=0.32, <0.42\", features = [] }").unwrap(), (32, 42));
        assert!(range("rusqlite = \"0.41\"").is_err());
        assert_eq!(minor_of("[[package]]\nname = \"rusqlite\"\nversion = \"0.32.1\"\n"), Some(32));
        assert_eq!(minor_of("[[package]]\nname = \"serde\"\nversion = \"1.0.0\"\n"), None);
    }
}
