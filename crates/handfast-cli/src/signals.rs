//! The signals that ask a command to stop: the first one asks, the second one has it at once.

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

/// Resolves once a signal has asked to stop.
pub(crate) async fn stopped(stop: &mut watch::Receiver<bool>) {
    // Whoever could say so being gone means the same.
    drop(stop.wait_for(|&stop| stop).await);
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
