//! The API against its own description: schemathesis sends a real service what its OpenAPI document allows, and what it forbids,
//! and compares every answer with what that says.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};

use super::processes::Process;
use crate::{tools, workspace};

/// How much is sent.
#[derive(Clone, Copy)]
pub(crate) struct Bounds {
    /// How many requests of each kind and address.
    pub(crate) examples: u32,
    /// How long it may take.
    pub(crate) seconds: u32,
    pub(crate) seed: u64,
}

/// What every change is tested with.
pub(crate) const SHORT: Bounds = Bounds { examples: 15, seconds: 30, seed: 1 };

/// A flow in which each type of a field is there once; its participants are started beside it.
fn flow(payment: &str, dispatch: &str) -> String {
    format!(
        "name = \"shop\"\n\
         [input]\ncustomer = \"text\"\namount = \"money\"\ntoken = \"token\"\nlines = \"list\"\ncount = \"integer\"\n\
         note = {{ type = \"text\", optional = true }}\n\
         [[step]]\nname = \"payment\"\nkind = \"compensatable\"\nurl = \"{payment}\"\nsend = [\"amount\", \"token\"]\n\
         [[step]]\nname = \"dispatch\"\nkind = \"pivot\"\nurl = \"{dispatch}\"\nsend = [\"customer\", \"lines\", \"note\"]\n"
    )
}

/// Runs it against a service of its own, with tokens, two participants and a store in a folder that is empty.
///
/// # Errors
/// Something was found; schemathesis has said what, and how to send it again.
pub(crate) fn run(binary: &Path, Bounds { examples, seconds, seed }: Bounds) -> Result<()> {
    let schemathesis = provide()?;
    let folder = workspace::root().join("target/campaign/api");
    if folder.exists() {
        fs::remove_dir_all(&folder).context("what a run has left cannot be removed")?;
    }
    fs::create_dir_all(&folder).context("there is no folder for the run")?;
    let path = |name: &str| folder.join(name).display().to_string();
    let payment = Process::start(binary, &["payment", "--store", &path("payment.db")])?;
    let dispatch = Process::start(binary, &["dispatch", "--store", &path("dispatch.db")])?;
    let said = flow(&format!("{}/charges", payment.address), &format!("{}/shipments", dispatch.address));
    fs::write(path("flow.toml"), said).context("the flow cannot be written")?;
    let mut draws = Command::new(binary);
    draws.args(["tokens", "new", "schemathesis", "--scopes", "read,place,operate,money", "--file", &path("tokens.toml")]);
    let token = workspace::output(&mut draws)?;
    let store = format!("sqlite:{}", path("shop.db"));
    let service =
        Process::start(binary, &["serve", "--flow", &path("flow.toml"), "--tokens", &path("tokens.toml"), "--store", &store])?;
    let mut command = Command::new(schemathesis);
    command.arg("--config-file").arg(here("schemathesis.toml"));
    command.arg("run").arg(format!("{}/openapi.json", service.address));
    command.args(["--header", &format!("Authorization: Bearer {}", token.trim())]);
    command.args(["--max-examples", &examples.to_string(), "--max-time", &seconds.to_string(), "--seed", &seed.to_string()]);
    command.args(["--no-color", "--warnings", "off", "--generation-database", "none"]).current_dir(&folder);
    workspace::run(&mut command).context("the API is not what its description says; the requests that show it stand above")
}

/// What belongs to this beside the program.
fn here(name: &str) -> PathBuf {
    workspace::root().join("xtask/api").join(name)
}

/// Schemathesis in the versions that are pinned, in a folder of its own.
fn provide() -> Result<PathBuf> {
    let wanted = fs::read_to_string(here("requirements.txt")).context("xtask/api/requirements.txt cannot be read")?;
    let folder = workspace::root().join("target/tools/schemathesis");
    let (program, installed) = (folder.join("bin/schemathesis"), folder.join("requirements.txt"));
    if fs::read_to_string(&installed).is_ok_and(|installed| installed == wanted) {
        return Ok(program);
    }
    let make = || workspace::run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder));
    if make().is_err() {
        tools::install(&["python3-venv"])?;
        make()?;
    }
    let mut pip = Command::new(folder.join("bin/python"));
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"]).arg(here("requirements.txt"));
    workspace::run(&mut pip).context("schemathesis cannot be installed from PyPI")?;
    fs::write(&installed, wanted).with_context(|| format!("{} cannot be written", installed.display()))?;
    Ok(program)
}
