//! Starts the binary, with nothing of this machine's surroundings, and reads what it says.

use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

/// The binary, without the user's settings.
pub(crate) fn handfast() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_handfast"));
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("HANDFAST_")
            || text.starts_with("XDG_")
            || text.starts_with("CLICOLOR")
            || text == "NO_COLOR"
            || text == "COLUMNS"
        {
            command.env_remove(&name);
        }
    }
    command.env_remove("STATE_DIRECTORY").stdin(Stdio::null());
    command
}

/// A shell that has what the binary is started with around it: nothing of the user's settings.
pub(crate) fn shell() -> Command {
    let (mut shell, binary) = (Command::new("sh"), handfast());
    for (name, value) in binary.get_envs() {
        match value {
            Some(value) => shell.env(name, value),
            None => shell.env_remove(name),
        };
    }
    shell
}

/// A file of the repository.
pub(crate) fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path)
}

/// How a process ended, and what it said.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl From<Output> for Ended {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).expect("standard output is text"),
            stderr: String::from_utf8(output.stderr).expect("standard error is text"),
        }
    }
}

/// Runs the binary to its end.
pub(crate) fn run<I: AsRef<OsStr>>(arguments: impl IntoIterator<Item = I>) -> Ended {
    handfast().args(arguments).output().expect("the binary runs").into()
}

/// Runs a command to its end with this on its standard input.
pub(crate) fn run_with_input(command: &mut Command, input: &str) -> Ended {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary runs");
    let mut stdin = child.stdin.take().expect("it is piped");
    let input = input.to_owned();
    // The process may end without having read everything; what it says of it is what the test looks at.
    let writer = std::thread::spawn(move || drop(stdin.write_all(input.as_bytes())));
    let output = child.wait_with_output().expect("it ends");
    writer.join().expect("the writer ends");
    output.into()
}

/// One of the reference services on a free port. Killed when it goes out of scope.
pub(crate) struct Service {
    child: Child,
    /// What a flow calls it by.
    pub(crate) url: String,
    /// Where it listens.
    pub(crate) address: String,
}

impl Service {
    /// Starts `handfast NAME` on a free port with a store at `store`.
    pub(crate) fn start(name: &str, store: &Path, more: &[&OsStr]) -> Self {
        Self::start_at("127.0.0.1:0", name, store, more)
    }

    /// Starts `handfast NAME` at `listen` with a store at `store`.
    pub(crate) fn start_at(listen: &str, name: &str, store: &Path, more: &[&OsStr]) -> Self {
        let mut child = handfast()
            .args([name, "--json", "--quiet", "--listen", listen, "--store"])
            .arg(format!("sqlite:{}", store.display()))
            .args(more)
            .stdout(Stdio::piped())
            .spawn()
            .expect("the service starts");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("it is piped")).read_line(&mut line).expect("the service says where it is");
        let said: serde_json::Value = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{name}: {error}: {line:?}"));
        let text = |key: &str| said[key].as_str().expect("the service says where it is").to_owned();
        Self { child, url: text("url"), address: text("listening") }
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // It may have ended by itself, which the test has noticed then.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
