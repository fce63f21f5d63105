//! One running program under limits: a line in, a line out, and nothing left of it in the end.
//!
//! ```text
//!   ask -> [writer thread] -> stdin | program | stdout -> [reader thread, cuts off floods] -> answer
//!                                   |         | stderr -> [reader thread, keeps the last lines]
//! ```

use std::collections::VecDeque;
use std::io::{Read, Write as _};
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use super::family::{self, Family, MARK, MEMORY_KIB};
use super::refusal::Fault;
use handfast_machine::clock::{Stopwatch, whole_ms};
use handfast_machine::locked;

/// How many bytes a line may have.
pub(super) const LINE_LIMIT: usize = 64 * 1024;
/// How many processes a program may have at once.
pub(super) const PROCESS_LIMIT: usize = 8;
/// How many lines of standard error are kept, and how many bytes of each.
const LAST_LINES: usize = 8;
const LAST_LINE_BYTES: usize = 400;
/// How often it is looked after the program's processes while it thinks.
const LOOK: Duration = Duration::from_millis(20);
/// How long a program that closed its output has to end, before it is said that it lives on.
const END: Duration = Duration::from_millis(300);

/// What the reader of standard output passes on.
enum Heard {
    /// A line without its end.
    Line(Vec<u8>),
    /// More than a line may have, and how it begins.
    Flood(Vec<u8>),
}

/// A program that runs. Dropping it kills all of its processes.
pub(super) struct Process {
    child: Child,
    family: Family,
    questions: SyncSender<String>,
    heard: Receiver<Heard>,
    last_words: Arc<Mutex<LastWords>>,
    /// Leads the group, and kills it if this process is killed itself. Its standard input ends then.
    warden: Child,
    looked: bool,
    /// It is dead and has been waited for, so its numbers may be somebody else's by now.
    over: bool,
}

impl Process {
    /// Starts a program. `time_zone` is told to it, so that whoever looks at the time of day is found out.
    ///
    /// # Errors
    /// It cannot be started.
    pub(super) fn start(words: &[String], time_zone: Option<&str>) -> Result<Self, Fault> {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let mark = format!("{}-{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        let (program, arguments) = words.split_first().ok_or_else(|| Fault::NotStarted("there is no command".to_owned()))?;
        let mut command = Command::new(program);
        command.args(arguments).env(MARK, &mark).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        if let Some(time_zone) = time_zone {
            command.env("TZ", time_zone);
        }
        let mut warden = family::warden()
            .map_err(|error| Fault::NotStarted(format!("sh, which would kill it if this process were killed: {error}")))?;
        let family = Family { group: warden.id(), mark };
        family::join(&mut command, family.group);
        let mut child = match family::spawn(&mut command) {
            Ok(child) => child,
            Err(error) => {
                family.end();
                drop(warden.wait());
                family::forget(&warden);
                return Err(Fault::NotStarted(error.to_string()));
            }
        };
        family::limit(&child);
        let (questions, asked) = mpsc::sync_channel(1);
        let (tell, heard) = mpsc::sync_channel(4);
        let last_words = Arc::new(Mutex::new(LastWords::default()));
        if let (Some(stdin), Some(stdout), Some(stderr)) = (child.stdin.take(), child.stdout.take(), child.stderr.take()) {
            let kept = Arc::clone(&last_words);
            thread::spawn(move || write(stdin, &asked));
            thread::spawn(move || read(stdout, &tell));
            thread::spawn(move || keep(stderr, &kept));
        }
        Ok(Self { child, family, questions, heard, last_words, warden, looked: false, over: false })
    }

    /// Asks, and waits for the answer: one line each.
    ///
    /// # Errors
    /// No answer comes in `patience`, or something else than one line.
    pub(super) fn ask(&mut self, line: String, patience: Duration) -> Result<Vec<u8>, Fault> {
        match self.heard.try_recv() {
            Ok(Heard::Line(line)) => return Err(Fault::Unasked(String::from_utf8_lossy(&line).into_owned())),
            Ok(Heard::Flood(begins)) => return Err(flood(&begins)),
            Err(mpsc::TryRecvError::Empty) => {}
            Err(mpsc::TryRecvError::Disconnected) => return Err(self.ended()),
        }
        let waiting = Stopwatch::start();
        // A program that does not read keeps the writer busy, and the wait below ends all the same.
        if self.questions.try_send(line).is_err() {
            return Err(self.ended());
        }
        loop {
            let Some(left) = patience.checked_sub(waiting.elapsed()).filter(|left| !left.is_zero()) else {
                return Err(Fault::Slow { limit_ms: whole_ms(patience) });
            };
            match self.heard.recv_timeout(left.min(LOOK)) {
                Ok(Heard::Line(line)) => {
                    if !self.looked {
                        self.looked = true;
                        self.look()?;
                    }
                    return Ok(line);
                }
                Ok(Heard::Flood(begins)) => return Err(flood(&begins)),
                Err(RecvTimeoutError::Timeout) => self.look()?,
                Err(RecvTimeoutError::Disconnected) => return Err(self.ended()),
            }
        }
    }

    /// The program's processes.
    #[cfg(test)]
    pub(super) const fn family(&self) -> &Family {
        &self.family
    }

    /// Counts the program's processes, and the memory that they take.
    ///
    /// # Errors
    /// They are too many, or it is too much.
    pub(super) fn look(&self) -> Result<(), Fault> {
        family::end_strays();
        let count = self.family.members().len();
        if count > PROCESS_LIMIT {
            self.family.end();
            return Err(Fault::Processes { count, limit: PROCESS_LIMIT });
        }
        let kib = self.family.resident_kib();
        if kib > MEMORY_KIB {
            self.family.end();
            return Err(Fault::Memory { kib, limit_kib: MEMORY_KIB });
        }
        Ok(())
    }

    /// What has happened to a program that says nothing any more.
    fn ended(&mut self) -> Fault {
        let waiting = Stopwatch::start();
        while waiting.elapsed() < END {
            if family::has_ended(self.child.id()) {
                self.end();
                // It has been waited for, and says again how it ended.
                return Fault::Ended(self.child.wait().ok());
            }
            thread::sleep(Duration::from_millis(2));
        }
        Fault::Closed
    }

    /// Kills everybody, and waits for those whom this process has started: only after that are their numbers free.
    fn end(&mut self) {
        if !self.over {
            self.family.end();
            drop(self.child.wait());
            // Where no program can kill a group, the end of its input makes the warden leave.
            drop(self.warden.stdin.take());
            drop(self.warden.wait());
            family::forget(&self.child);
            family::forget(&self.warden);
            self.over = true;
        }
    }

    /// The last lines of standard error, once the program is dead.
    pub(super) fn last_words(&mut self) -> Vec<String> {
        self.end();
        // What was written before the end may still be on its way through the pipe.
        for _ in 0..50 {
            if locked(&self.last_words).over {
                break;
            }
            thread::sleep(Duration::from_millis(2));
        }
        locked(&self.last_words).lines.iter().map(|line| super::wire::in_one_line(&String::from_utf8_lossy(line))).collect()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.end();
    }
}

fn flood(begins: &[u8]) -> Fault {
    let begins = String::from_utf8_lossy(&begins[..begins.len().min(LAST_LINE_BYTES)]).into_owned();
    Fault::Flood { begins, limit: LINE_LIMIT }
}

fn write(mut stdin: ChildStdin, asked: &Receiver<String>) {
    for line in asked {
        if stdin.write_all(line.as_bytes()).and_then(|()| stdin.flush()).is_err() {
            return;
        }
    }
}

/// Passes lines on until the end, or until one is too long. What stands behind the last end of line is passed on as a line.
fn read(mut stdout: ChildStdout, tell: &SyncSender<Heard>) {
    let mut chunk = vec![0; 16 * 1024];
    let mut line = Vec::new();
    while let Ok(count @ 1..) = stdout.read(&mut chunk) {
        let mut rest = &chunk[..count];
        while let Some(end) = rest.iter().position(|&byte| byte == b'\n') {
            line.extend_from_slice(&rest[..end]);
            rest = &rest[end + 1..];
            let whole = std::mem::take(&mut line);
            let heard = if whole.len() > LINE_LIMIT { Heard::Flood(whole) } else { Heard::Line(whole) };
            if tell.send(heard).is_err() {
                return;
            }
        }
        line.extend_from_slice(rest);
        if line.len() > LINE_LIMIT {
            drop(tell.send(Heard::Flood(line)));
            return;
        }
    }
    if !line.is_empty() {
        drop(tell.send(Heard::Line(line)));
    }
}

/// The end of what a program wrote to standard error.
#[derive(Default)]
struct LastWords {
    lines: VecDeque<Vec<u8>>,
    over: bool,
}

fn keep(mut stderr: ChildStderr, kept: &Mutex<LastWords>) {
    let mut chunk = vec![0; 16 * 1024];
    let mut begins = true;
    while let Ok(count @ 1..) = stderr.read(&mut chunk) {
        let mut kept = locked(kept);
        for part in chunk[..count].split_inclusive(|&byte| byte == b'\n') {
            if begins {
                kept.lines.push_back(Vec::new());
                if kept.lines.len() > LAST_LINES {
                    kept.lines.pop_front();
                }
            }
            begins = part.ends_with(b"\n");
            let text = part.strip_suffix(b"\n").unwrap_or(part);
            if let Some(line) = kept.lines.back_mut() {
                let room = LAST_LINE_BYTES.saturating_sub(line.len());
                line.extend_from_slice(&text[..text.len().min(room)]);
            }
        }
    }
    locked(kept).over = true;
}
