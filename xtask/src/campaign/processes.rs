//! The processes of a run: started, killed as by kill -9, and started again where they were.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, Result};
use serde_json::Value;

/// A service or a road. Killed when it goes out of scope.
pub(super) struct Process {
    binary: PathBuf,
    arguments: Vec<String>,
    child: Child,
    /// `http://` and where it listens.
    pub(super) address: String,
}

impl Process {
    /// Starts it on a free port, and waits until it says where that is.
    pub(super) fn start(binary: &Path, arguments: &[&str]) -> Result<Self> {
        let arguments: Vec<String> = arguments.iter().map(ToString::to_string).collect();
        let (child, address) = spawn(binary, &arguments, "127.0.0.1:0")?;
        Ok(Self { binary: binary.to_owned(), arguments, child, address })
    }

    /// Kills it, and starts it again at the same place.
    pub(super) fn kill_and_restart(&mut self) -> Result<()> {
        self.child.kill().context("a process cannot be killed")?;
        self.child.wait().context("a process cannot be waited for")?;
        let place = self.address.trim_start_matches("http://").to_owned();
        let (child, _) = spawn(&self.binary, &self.arguments, &place)?;
        self.child = child;
        Ok(())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may be gone already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn spawn(binary: &Path, arguments: &[String], listen: &str) -> Result<(Child, String)> {
    let mut command = Command::new(binary);
    command.args(arguments).args(["--json", "--quiet", "--listen", listen]).stdin(Stdio::null());
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().context("handfast cannot be started")?;
    let mut line = String::new();
    BufReader::new(child.stdout.take().context("it has no output")?).read_line(&mut line)?;
    let said: Value = serde_json::from_str(&line).with_context(|| format!("{arguments:?} says {line:?}"))?;
    let address = said["listening"].as_str().context("it does not say where it listens")?.to_owned();
    Ok((child, address))
}
