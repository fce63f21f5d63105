//! Child processes that never outlive the demo, whatever becomes of it.
//!
//! Each holds the reading end of a pipe as its standard input; when the demo is gone, by whatever signal, the pipe ends,
//! and so does the child, which is told so by `--until-stdin-ends`.

use std::ffi::OsString;
use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use anyhow::{Context as _, bail};
use handfast_machine::locked;

/// How many lines of a child's log are shown when it died by itself.
const LAST_LINES: usize = 12;
/// How long a child may take until it listens.
const START: Duration = Duration::from_secs(30);

/// One process of the demo, which can be killed and started again with the same store and port.
#[derive(Debug)]
pub(crate) struct Child {
    name: String,
    address: SocketAddr,
    program: PathBuf,
    arguments: Vec<OsString>,
    log: PathBuf,
    running: Mutex<Option<std::process::Child>>,
}

impl Child {
    /// Starts a program with these arguments; `--listen` is added. What it says goes to `log`.
    ///
    /// # Errors
    /// When the process cannot be started.
    pub(crate) fn start(
        name: &str,
        address: SocketAddr,
        (program, arguments): (&Path, Vec<OsString>),
        log: PathBuf,
    ) -> anyhow::Result<Self> {
        let child =
            Self { name: name.to_owned(), address, program: program.to_owned(), arguments, log, running: Mutex::new(None) };
        *child.running() = Some(child.spawn()?);
        Ok(child)
    }

    fn spawn(&self) -> anyhow::Result<std::process::Child> {
        let starting = || format!("cannot start {}", self.name);
        let log = File::options().create(true).append(true).open(&self.log).with_context(starting)?;
        let mut command = Command::new(&self.program);
        command.args(&self.arguments).arg("--listen").arg(self.address.to_string()).arg("--until-stdin-ends");
        command.stdin(Stdio::piped()).stdout(log.try_clone().with_context(starting)?).stderr(log);
        // A Ctrl-C at the terminal is for the demo, which ends its children itself.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        command.spawn().with_context(starting)
    }

    /// Kills it with SIGKILL and starts it again at once.
    ///
    /// # Errors
    /// When it cannot be killed or started.
    pub(crate) fn kill_and_restart(&self) -> anyhow::Result<()> {
        let mut running = self.running();
        end(&mut running);
        *running = Some(self.spawn()?);
        Ok(())
    }

    /// Kills it for good.
    pub(crate) fn stop(&self) {
        end(&mut self.running());
    }

    /// Waits until it listens.
    ///
    /// # Errors
    /// When it ends instead, or takes too long.
    pub(crate) async fn listens(&self) -> anyhow::Result<()> {
        for _ in 0..START.as_millis() / 10 {
            self.check_alive()?;
            if tokio::net::TcpStream::connect(self.address).await.is_ok() {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        bail!("{} does not listen on {} after {} s{}", self.name, self.address, START.as_secs(), self.last_words())
    }

    /// Looks whether it still runs.
    ///
    /// # Errors
    /// When it ended by itself, with the last lines of its log.
    pub(crate) fn check_alive(&self) -> anyhow::Result<()> {
        let ended = match self.running().as_mut() {
            Some(child) => child.try_wait().with_context(|| format!("cannot look after {}", self.name))?,
            None => None,
        };
        match ended {
            Some(status) => bail!("{} ended by itself ({status}){}", self.name, self.last_words()),
            None => Ok(()),
        }
    }

    fn last_words(&self) -> String {
        let text = fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        let last = lines.get(lines.len().saturating_sub(LAST_LINES)..).unwrap_or_default();
        if last.is_empty() { String::new() } else { format!("; the end of {}:\n{}", self.log.display(), last.join("\n")) }
    }

    fn running(&self) -> MutexGuard<'_, Option<std::process::Child>> {
        locked(&self.running)
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        self.stop();
    }
}

fn end(running: &mut Option<std::process::Child>) {
    if let Some(mut child) = running.take() {
        // It can only have ended by itself already, and then there is nothing left to kill.
        drop(child.kill());
        drop(child.wait());
    }
}

/// Loopback addresses that nobody listens on.
///
/// They lie below the range from which systems take ports for outgoing connections: otherwise one of the demo's own
/// connections could sit on the port of a process that was just killed.
///
/// # Errors
/// When there are not that many.
pub(crate) fn free_addresses<const N: usize>() -> anyhow::Result<[SocketAddr; N]> {
    const FIRST: u32 = 12_000;
    const PORTS: u32 = 20_000;
    // Demos that run side by side begin at different ports.
    let begin = std::process::id().wrapping_mul(2_654_435_761) % PORTS;
    // All are held until all are found, so that none is found twice.
    let mut held = Vec::new();
    for offset in 0..PORTS {
        let port = u16::try_from(FIRST + (begin + offset) % PORTS)?;
        held.extend(
            TcpListener::bind(SocketAddrV4::new(Ipv4Addr::LOCALHOST, port)).and_then(|held| Ok((held.local_addr()?, held))),
        );
        if held.len() == N {
            break;
        }
    }
    let found: Vec<SocketAddr> = held.iter().map(|(address, _)| *address).collect();
    found
        .try_into()
        .ok()
        .with_context(|| format!("there are no {N} free ports from {FIRST} to {} on 127.0.0.1", FIRST + PORTS - 1))
}
