//! What a command owes to somebody at a terminal: lines that fit, and a sign of life while they wait.

use std::io::{self, IsTerminal as _};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// The width where nothing else is known.
const COLUMNS: usize = 80;
/// Whoever gets an answer sooner than this has not waited.
const PATIENCE: Duration = Duration::from_millis(500);
const TICK: Duration = Duration::from_millis(100);

/// As wide as the user says that the terminal is, or as it says itself; 80 columns otherwise.
pub(crate) fn width() -> usize {
    let said = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    said.or_else(of_terminal).filter(|columns| (40..=400).contains(columns)).unwrap_or(COLUMNS)
}

#[cfg(unix)]
fn of_terminal() -> Option<usize> {
    let stdout = io::stdout();
    let size = stdout.is_terminal().then(|| rustix::termios::tcgetwinsize(&stdout).ok())??;
    Some(usize::from(size.ws_col))
}

#[cfg(not(unix))]
fn of_terminal() -> Option<usize> {
    None
}

/// The text in lines that are not wider than `width`; the first begins with `lead`, the others with as much space. What has
/// no space in it is left whole.
pub(crate) fn wrapped(lead: &str, text: &str, width: usize) -> Vec<String> {
    let indent = " ".repeat(columns(lead));
    let mut lines = vec![lead.to_owned()];
    let mut taken = indent.len();
    for word in text.split(' ') {
        let wide = columns(word);
        if taken > indent.len() && taken + 1 + wide > width {
            lines.push(indent.clone());
            taken = indent.len();
        }
        if let Some(line) = lines.last_mut() {
            if taken > indent.len() {
                line.push(' ');
                taken += 1;
            }
            line.push_str(word);
            taken += wide;
        }
    }
    lines
}

/// How many columns a text takes, whose colours take none.
fn columns(text: &str) -> usize {
    let mut parts = text.split("\x1b[");
    let first = parts.next().map_or(0, |part| part.chars().count());
    first + parts.map(|part| part.split_once('m').map_or(0, |(_, rest)| rest.chars().count())).sum::<usize>()
}

/// Sentences in lines that are not wider than `width`. Line breaks stay, and what begins further to the right goes on there.
pub(crate) fn sentences(text: &str, width: usize) -> String {
    let lines = text.split('\n').flat_map(|line| {
        let (indent, rest) = line.split_at(line.len() - line.trim_start_matches(' ').len());
        wrapped(indent, rest, width)
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// Somebody waits. Until it is dropped, and from half a second on, standard error shows what for and for how long.
#[derive(Debug)]
pub(crate) struct Waiting {
    shown: Option<(Sender<()>, JoinHandle<()>)>,
}

impl Waiting {
    /// Nobody waits.
    pub(crate) const NOBODY: Self = Self { shown: None };

    /// Begins to wait, if standard error is a terminal.
    pub(crate) fn begin(what: &'static str) -> Self {
        if !io::stderr().is_terminal() {
            return Self::NOBODY;
        }
        let (end, ended) = mpsc::channel::<()>();
        let goes_on = move |time| matches!(ended.recv_timeout(time), Err(RecvTimeoutError::Timeout));
        let shown = thread::spawn(move || {
            if !goes_on(PATIENCE) {
                return;
            }
            let style =
                ProgressStyle::with_template("{spinner} {msg} ({elapsed})").unwrap_or_else(|_| ProgressStyle::default_spinner());
            let target = ProgressDrawTarget::stderr_with_hz(10);
            let bar = ProgressBar::with_draw_target(None, target).with_style(style).with_message(what).with_elapsed(PATIENCE);
            while goes_on(TICK) {
                bar.tick();
            }
            bar.finish_and_clear();
        });
        Self { shown: Some((end, shown)) }
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        if let Some((end, shown)) = self.shown.take() {
            drop(end);
            // It draws and nothing else; if that went wrong there is nothing to be cleared.
            drop(shown.join());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::sentences;

    #[test]
    fn lines_are_broken_at_spaces_and_keep_their_place() {
        assert_eq!(sentences("one two three", 7), "one two\nthree");
        assert_eq!(sentences("one two\nthree", 80), "one two\nthree");
        assert_eq!(sentences("  one two\n\nthree four", 6), "  one\n  two\n\nthree\nfour");
        assert_eq!(sentences("unbreakable word", 4), "unbreakable\nword");
    }
}
