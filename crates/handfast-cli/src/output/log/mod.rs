//! Logs: what the library and the commands report becomes lines on standard error, text for people or JSON for programs.
//!
//! ```text
//!   event --loud enough, room for its kind--> line --> queue --> one thread: what nobody may read is taken out, and written
//!                                    \--no room--> counted, and told with the next line of its kind
//! ```
//!
//! Whoever reports something never waits for whoever reads it: where the queue is full the line is counted as left out. A
//! kind is an event by its name, as `docs/serve.md` lists them.

mod clean;
mod kinds;
mod line;

#[cfg(test)]
mod tests;

use std::cell::Cell;
use std::io::Write as _;
use std::panic::PanicHookInfo;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use handfast::participant::Secrets;
use indicatif::ProgressBar;
use tracing::level_filters::LevelFilter;
use tracing::span;
use tracing::{Event, Level, Metadata, Subscriber};

use self::clean::Clean;
use self::kinds::{Admitted, Kinds};
use self::line::Line;
use handfast_machine::clock::{Stopwatch, now_ms};
use handfast_machine::locked;

/// So many lines wait for whoever reads them at most.
const QUEUE: usize = 1024;
/// How often it is looked whether there are lines that were left out and that nobody was told of.
const LOOK: Duration = Duration::from_secs(5);
/// How long the end of a command waits until everything is written.
const LAST_LINES: Duration = Duration::from_secs(1);

/// The shape of a line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Form {
    /// For people.
    Text,
    /// One JSON object a line, for programs.
    Json,
}

/// What the thread that writes is told.
enum Told {
    Line(Box<Line>),
    /// Everything before it is to be written, and what was left out is to be told.
    Flush(SyncSender<()>),
}

/// The log of this process.
struct Log {
    form: Form,
    most: LevelFilter,
    running: Stopwatch,
    kinds: Mutex<Kinds>,
    clean: Mutex<Clean>,
    /// What is drawn on standard error meanwhile, if anything is.
    bar: Mutex<Option<ProgressBar>>,
    queue: SyncSender<Told>,
}

static LOG: OnceLock<Arc<Log>> = OnceLock::new();

thread_local! {
    /// This thread is about to report something, so that what happens on the way is not reported.
    static REPORTS: Cell<bool> = const { Cell::new(false) };
}

/// Has everything that is reported from now on written to standard error. Once a process; later calls change nothing.
///
/// # Errors
/// The system starts no thread.
pub(crate) fn install(form: Form, most: LevelFilter) -> std::io::Result<()> {
    let (queue, lines) = sync_channel(QUEUE);
    let (kinds, clean, bar) = (Mutex::default(), Mutex::default(), Mutex::default());
    let log = Arc::new(Log { form, most, running: Stopwatch::start(), kinds, clean, bar, queue });
    if LOG.set(Arc::clone(&log)).is_err() {
        return Ok(());
    }
    let writer = Arc::clone(&log);
    std::thread::Builder::new().name("handfast-log".to_owned()).spawn(move || writer.write_all(&lines))?;
    // There is no other: this is the only place that sets one.
    drop(tracing::subscriber::set_global_default(Reporter(log)));
    std::panic::set_hook(Box::new(report_panic));
    Ok(())
}

/// Has these texts taken out of every line from now on.
pub(crate) fn keep_back(secrets: Secrets) {
    if let Some(log) = LOG.get() {
        locked(&log.clean).keep_back(secrets);
    }
}

/// Lines are written above this bar, as long as it is drawn.
pub(crate) fn write_above(bar: ProgressBar) {
    if let Some(log) = LOG.get() {
        *locked(&log.bar) = Some(bar);
    }
}

/// Whether standard error is for programs, so that everything that is said there has to be a line of the log.
pub(crate) fn is_for_programs() -> bool {
    LOG.get().is_some_and(|log| log.form == Form::Json)
}

/// Waits until everything is written that was reported, for a while.
pub(crate) fn finish() {
    let Some(log) = LOG.get() else { return };
    let (tell, told) = sync_channel(1);
    if log.queue.try_send(Told::Flush(tell)).is_ok() {
        // Whoever does not read in time has had all the time before.
        let _late = told.recv_timeout(LAST_LINES);
    }
}

/// A panic is a line like any other, wherever it happens.
fn report_panic(panic: &PanicHookInfo<'_>) {
    let what = panic.payload_as_str().unwrap_or("what was said is no text");
    let place = panic.location().map(ToString::to_string).unwrap_or_default();
    let thread = std::thread::current();
    let backtrace = std::backtrace::Backtrace::capture();
    let backtrace = (backtrace.status() == std::backtrace::BacktraceStatus::Captured).then(|| backtrace.to_string());
    tracing::error!(name: "panicked", place, thread = thread.name(), backtrace, "a part of the program panicked: {what}");
}

impl Log {
    fn report(&self, event: &Event<'_>) {
        let metadata = event.metadata();
        let admitted = locked(&self.kinds).admit(metadata.name(), self.running.elapsed());
        let Admitted::Line { left_out } = admitted else { return };
        let line = Line::of(event, now_ms(), left_out);
        if self.queue.try_send(Told::Line(Box::new(line))).is_err() {
            locked(&self.kinds).leave_out(metadata.name(), left_out + 1);
        }
    }

    fn write_all(&self, lines: &Receiver<Told>) {
        let mut looked = Duration::ZERO;
        loop {
            match lines.recv_timeout(LOOK) {
                Ok(Told::Line(line)) => self.write(&line),
                Ok(Told::Flush(tell)) => {
                    self.tell_of_left_out(Duration::ZERO);
                    // Whoever waited has given up.
                    let _gone = tell.send(());
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            let now = self.running.elapsed();
            if now.saturating_sub(looked) >= LOOK {
                looked = now;
                self.tell_of_left_out(LOOK);
            }
        }
    }

    /// Tells how many lines were left out of the kinds of which nothing was written for so long.
    fn tell_of_left_out(&self, silence: Duration) {
        let overdue = locked(&self.kinds).overdue(self.running.elapsed(), silence);
        for (kind, left_out) in overdue {
            self.write(&Line::of_left_out(kind, left_out, now_ms()));
        }
    }

    fn write(&self, line: &Line) {
        let text = {
            let clean = locked(&self.clean);
            match self.form {
                Form::Text => line.as_text(&clean),
                Form::Json => line.as_json(&clean),
            }
        };
        // If standard error is gone there is nobody left to tell.
        let write = || drop(writeln!(anstream::stderr().lock(), "{text}"));
        let bar = locked(&self.bar).clone();
        match bar {
            Some(bar) if !bar.is_finished() => bar.suspend(write),
            Some(_) | None => write(),
        }
    }
}

/// Hands events on to the log. It keeps no spans: each event that is about a saga names it itself.
struct Reporter(Arc<Log>);

impl Subscriber for Reporter {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        let is_ours = metadata.target().starts_with("handfast");
        // One line at least for every request is too much, unless everything is asked for.
        let is_ours = is_ours && (metadata.target() != handfast::SAGA_EVENTS || self.0.most >= LevelFilter::DEBUG);
        // Of others only what is wrong is told.
        metadata.is_event() && *metadata.level() <= self.0.most && (is_ours || *metadata.level() <= Level::WARN)
    }
    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(self.0.most)
    }
    fn new_span(&self, _span: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }
    fn record(&self, _span: &span::Id, _values: &span::Record<'_>) {}
    fn record_follows_from(&self, _span: &span::Id, _follows: &span::Id) {}
    fn event(&self, event: &Event<'_>) {
        if !REPORTS.replace(true) {
            self.0.report(event);
            REPORTS.set(false);
        }
    }
    fn enter(&self, _span: &span::Id) {}
    fn exit(&self, _span: &span::Id) {}
}
