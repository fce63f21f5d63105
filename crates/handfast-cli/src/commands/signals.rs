//! What reaches a command from outside: signals that end it, of which the first one asks and the second one has it at once, the one
//! that has a service read its flows anew, and the end of the process that has started it.

use std::io::{Read as _, Write as _};

use anyhow::Context as _;
use tokio::sync::watch;

use crate::output::Exit;

/// Watches for SIGTERM and SIGINT. The receiver says true from the first one on; the second ends the process.
///
/// # Errors
/// The system does not let signals be watched.
pub(crate) fn on_signal() -> anyhow::Result<watch::Receiver<bool>> {
    let mut signals = Signals::new().context("cannot watch for signals")?;
    let (tell, told) = watch::channel(false);
    tokio::spawn(async move {
        signals.next().await;
        tell.send_replace(true);
        signals.next().await;
        // Whatever was accepted is flushed, so there is nothing left to save.
        std::process::exit(i32::from(u8::from(Exit::InDoubt)));
    });
    Ok(told)
}

/// Ends this process when its standard input ends, which it does when the process that holds the other end is gone.
pub(crate) fn end_with_parent() {
    let wait = || {
        let mut ignored = [0; 64];
        while std::io::stdin().read(&mut ignored).is_ok_and(|read| read > 0) {}
        // The books of every command survive an end at any moment.
        std::process::exit(i32::from(u8::from(Exit::Done)));
    };
    if let Err(error) = std::thread::Builder::new().name("parent".to_owned()).spawn(wait) {
        drop(writeln!(std::io::stderr(), "cannot watch the parent: {error}"));
        std::process::exit(i32::from(u8::from(Exit::Error)));
    }
}

/// The word to read anew what was read at the start: SIGHUP.
#[cfg(unix)]
pub(crate) struct Hangup(tokio::signal::unix::Signal);

/// Watches for SIGHUP, which ends no process from then on.
///
/// # Errors
/// The system does not let signals be watched.
#[cfg(unix)]
pub(crate) fn hangup() -> anyhow::Result<Hangup> {
    use tokio::signal::unix::{SignalKind, signal};
    Ok(Hangup(signal(SignalKind::hangup()).context("cannot watch for signals")?))
}

#[cfg(unix)]
impl Hangup {
    /// Resolves with the next one; false where there is none any more.
    pub(crate) async fn next(&mut self) -> bool {
        self.0.recv().await.is_some()
    }
}

#[cfg(not(unix))]
pub(crate) struct Hangup;

#[cfg(not(unix))]
pub(crate) fn hangup() -> anyhow::Result<Hangup> {
    Ok(Hangup)
}

#[cfg(not(unix))]
impl Hangup {
    pub(crate) async fn next(&mut self) -> bool {
        false
    }
}

#[cfg(unix)]
struct Signals {
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn new() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn new() -> std::io::Result<Self> {
        Ok(Self)
    }

    async fn next(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            // Without a way to be told, the command runs until it is killed, which is safe.
            std::future::pending::<()>().await;
        }
    }
}
