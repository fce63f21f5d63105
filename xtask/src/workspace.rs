//! Where the workspace is, what is in it, and how its commands are run.

use std::env::consts::EXE_SUFFIX;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde_json::Value;

/// The folder of the workspace's `Cargo.toml`.
pub(crate) fn root() -> PathBuf {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    own.parent().unwrap_or(own).to_owned()
}

/// The cargo that runs this task, so that every step uses the same toolchain.
///
/// What it says of this package is left out: the build scripts of some dependencies run again whenever it changes, so that a
/// task and a plain `cargo build` would in turn undo what the other one built.
pub(crate) fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root());
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(|name| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_")) {
            command.env_remove(name);
        }
    }
    command
}

/// Runs a command with its output going where ours goes.
///
/// # Errors
/// If it cannot be started, or ends with anything but success.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let shown = show(command);
    eprintln!("$ {shown}");
    let status = command.status().with_context(|| format!("cannot start `{shown}`"))?;
    if !status.success() {
        bail!("`{shown}` ended with {status}");
    }
    Ok(())
}

/// Runs a command and hands back what it wrote to its standard output.
///
/// # Errors
/// If it cannot be started, or ends with anything but success; then with what it wrote to standard error.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let shown = show(command);
    let output = command.output().with_context(|| format!("cannot start `{shown}`"))?;
    if !output.status.success() {
        bail!("`{shown}` ended with {}: {}", output.status, String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// What `cargo metadata` says, with the resolved dependencies of this machine's platform.
///
/// # Errors
/// If cargo cannot resolve the workspace.
pub(crate) fn metadata() -> Result<Value> {
    let text = output(cargo().args(["metadata", "--format-version", "1", "--filter-platform", &host()?]))?;
    serde_json::from_str(&text).context("cargo metadata wrote something that is not JSON")
}

/// Builds the command line and says where it is.
///
/// # Errors
/// If it does not build.
pub(crate) fn build_handfast() -> Result<PathBuf> {
    output(cargo().args(["build", "--quiet", "--package", "handfast-cli"]))?;
    handfast(&metadata()?)
}

/// The command line that the tests have built. To build it anew would build half of what it is made of once more: tests want
/// more features of their dependencies than a program does.
///
/// # Errors
/// If the metadata do not say where cargo builds.
pub(crate) fn tested_handfast(metadata: &Value) -> Result<Option<PathBuf>> {
    handfast(metadata).map(|path| path.is_file().then_some(path))
}

/// Where the command line is built.
fn handfast(metadata: &Value) -> Result<PathBuf> {
    let target = metadata["target_directory"].as_str().context("cargo metadata does not say where it builds")?;
    Ok(Path::new(target).join("debug").join(format!("handfast{EXE_SUFFIX}")))
}

/// Whether what stands at this path is only ever compiled for tests and measurements. Folders are parted by forward slashes.
pub(crate) fn is_test(path: &str) -> bool {
    let mut parts = path.split('/');
    parts.any(|part| matches!(part, "tests" | "benches" | "tests.rs") || part.ends_with("_tests.rs"))
}

/// Where the toolchain is.
///
/// # Errors
/// There is no compiler.
pub(crate) fn sysroot() -> Result<PathBuf> {
    Ok(PathBuf::from(output(Command::new("rustc").args(["--print", "sysroot"]).current_dir(root()))?.trim()))
}

/// The platform that the compiler builds for when it is not told otherwise.
///
/// # Errors
/// There is no compiler, or it says no platform.
pub(crate) fn host() -> Result<String> {
    let version = output(Command::new("rustc").arg("-vV"))?;
    let line = version.lines().find_map(|line| line.strip_prefix("host: "));
    line.map(str::to_owned).context("`rustc -vV` does not name its host")
}

/// A command as one would type it: programs by their name, with the variables it is given.
fn show(command: &Command) -> String {
    let mut words: Vec<String> = command
        .get_envs()
        .filter_map(|(name, value)| Some(format!("{}='{}'", name.to_string_lossy(), value?.to_string_lossy())))
        .collect();
    let program = Path::new(command.get_program());
    words.push(program.file_stem().unwrap_or(command.get_program()).to_string_lossy().into_owned());
    words.extend(command.get_args().map(|argument| argument.to_string_lossy().into_owned()));
    words.join(" ")
}
