//! Where things are printed and how a command ends: data on standard output, talk on standard error, one exit code.

pub(crate) mod exit;
pub(crate) mod log;
pub(crate) mod picture;
pub(crate) mod terminal;

use std::fmt::Display;
use std::io::{self, IsTerminal as _, Write as _};

use anyhow::Context as _;
use handfast_lab::generals::Ratio;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;

pub(crate) use self::exit::{Exit, OrExit};
use self::terminal::Waiting;
use crate::cli::{Color, Global};
use crate::commands::client;

/// The two streams, and what the user wants to see on them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Output {
    json: bool,
    quiet: bool,
    ascii: bool,
}

impl Output {
    /// Follows the options, NO_COLOR, and what the streams are connected to.
    pub(crate) fn new(global: &Global) -> Self {
        // `Auto` looks at NO_COLOR, CLICOLOR_FORCE, TERM and the stream itself.
        match global.color {
            Color::Auto => anstream::ColorChoice::Auto,
            Color::Always => anstream::ColorChoice::Always,
            Color::Never => anstream::ColorChoice::Never,
        }
        .write_global();
        Self { json: global.json, quiet: global.quiet, ascii: false }
    }

    /// The same, where every line of data is plain ASCII if that is wanted.
    pub(crate) const fn in_ascii(&self, ascii: bool) -> Self {
        Self { ascii, ..*self }
    }

    /// Whether lines of data are to be plain ASCII; what is not is printed as a question mark.
    pub(crate) const fn wants_ascii(&self) -> bool {
        self.ascii
    }

    /// Whether standard output takes colours, which are removed otherwise.
    pub(crate) fn has_colours(&self) -> bool {
        match anstream::AutoStream::choice(&io::stdout()) {
            anstream::ColorChoice::Never => false,
            anstream::ColorChoice::Auto | anstream::ColorChoice::AlwaysAnsi | anstream::ColorChoice::Always => true,
        }
    }

    /// Whether nothing is to be said but errors.
    pub(crate) const fn is_quiet(&self) -> bool {
        self.quiet
    }

    /// Whether data is wanted as JSON.
    pub(crate) const fn wants_json(&self) -> bool {
        self.json
    }

    /// Prints a line of data. ANSI colours in it are removed where they are not wanted.
    ///
    /// A reader that has gone, as `head` does, is no error: there is nobody to tell, but the command goes on to its end, since what
    /// it finds is told by its exit code too.
    ///
    /// # Errors
    /// What the system said.
    pub(crate) fn line(&self, text: impl Display) -> anyhow::Result<()> {
        let text = if self.ascii { plain(&text.to_string()) } else { text.to_string() };
        let mut stdout = anstream::stdout().lock();
        written(writeln!(stdout, "{text}").and_then(|()| stdout.flush()))
    }

    /// Prints the only copy of something: a reader that has gone is an error here.
    ///
    /// # Errors
    /// What the system said.
    pub(crate) fn only_copy(&self, text: &str) -> anyhow::Result<()> {
        let mut stdout = io::stdout().lock();
        writeln!(stdout, "{text}").and_then(|()| stdout.flush()).context("cannot write to standard output")
    }

    /// Prints sentences, in lines that fit the terminal.
    ///
    /// # Errors
    /// As [`Output::line`].
    pub(crate) fn sentences(&self, text: impl Display) -> anyhow::Result<()> {
        self.line(terminal::sentences(&text.to_string(), terminal::width()))
    }

    /// Prints a text behind its lead, in lines that fit the terminal and begin where the text does.
    ///
    /// # Errors
    /// As [`Output::line`].
    pub(crate) fn led(&self, lead: impl Display, text: impl Display) -> anyhow::Result<()> {
        self.line(terminal::wrapped(&lead.to_string(), &text.to_string(), terminal::width()).join("\n"))
    }

    /// Prints a value as one line of JSON.
    ///
    /// # Errors
    /// As [`Output::line`].
    pub(crate) fn json_line(&self, value: &impl Serialize) -> anyhow::Result<()> {
        let mut text = serde_json::to_vec(value)?;
        text.push(b'\n');
        self.bytes(&text)
    }

    /// Prints bytes of data as they are.
    ///
    /// # Errors
    /// As [`Output::line`].
    pub(crate) fn bytes(&self, bytes: &[u8]) -> anyhow::Result<()> {
        let mut stdout = io::stdout().lock();
        written(stdout.write_all(bytes).and_then(|()| stdout.flush()))
    }

    /// Says something on standard error, unless asked to be quiet; in a line of the log where programs read it.
    pub(crate) fn note(&self, text: impl Display) {
        if log::is_for_programs() {
            tracing::info!(name: "note", "{text}");
        } else if !self.quiet {
            say(text);
        }
    }

    /// Asks for something on standard error, and leaves the cursor behind it.
    pub(crate) fn prompt(&self, text: impl Display) {
        let mut stderr = anstream::stderr().lock();
        // If standard error is gone there is nobody left to ask.
        drop(write!(stderr, "{text}").and_then(|()| stderr.flush()));
    }

    /// Says on standard error what is wrong, quiet or not.
    pub(crate) fn complain(&self, text: impl Display) {
        if log::is_for_programs() {
            tracing::error!(name: "error", "{text}");
        } else {
            say(format_args!("{RED}error:{PLAIN} {text}"));
        }
    }

    /// A progress bar on standard error; it draws nothing where that is no terminal, or quiet was asked for.
    pub(crate) fn progress(&self, length: u64) -> ProgressBar {
        let target = if self.quiet || !io::stderr().is_terminal() {
            ProgressDrawTarget::hidden()
        } else {
            ProgressDrawTarget::stderr_with_hz(10)
        };
        let style = ProgressStyle::with_template("{bar:32} {pos}/{len} {msg}").unwrap_or_else(|_| ProgressStyle::default_bar());
        let bar = ProgressBar::with_draw_target(Some(length), target).with_style(style);
        log::write_above(bar.clone());
        bar
    }

    /// Shows that work of unknown length goes on, until what it gives is dropped; on a terminal, unless quiet was asked for.
    pub(crate) fn waiting(&self, what: &'static str) -> Waiting {
        if self.quiet { Waiting::NOBODY } else { Waiting::begin(what) }
    }

    /// Prints the error, if there is one to print, and says how the process ends.
    pub(crate) fn finish(&self, end: anyhow::Result<Exit>) -> Exit {
        match end {
            Ok(exit) => exit,
            Err(error) => {
                let more = client::way_out(&error).map(|way| format!("; {way}")).unwrap_or_default();
                self.complain(format_args!("{error:#}{more}"));
                exit::of(&error)
            }
        }
    }
}

/// Prints what there is instead of a command: help or the version, as data, or what is wrong with the arguments.
pub(crate) fn tell(told: &clap::Error) -> Exit {
    let printed = told.print().and_then(|()| io::stdout().flush());
    match printed {
        _ if told.use_stderr() => Exit::Usage,
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            say(format_args!("{RED}error:{PLAIN} cannot write to standard output: {error}"));
            Exit::Error
        }
        Ok(()) | Err(_) => Exit::Done,
    }
}

/// Shows on the bar what begins, behind how many before it have ended.
pub(crate) fn beginnings(bar: &ProgressBar) -> impl FnMut(&str) {
    let mut begun = 0;
    move |what| {
        bar.set_message(what.to_owned());
        bar.set_position(begun);
        begun += 1;
    }
}

const RED: &str = "\x1b[1;31m";
const PLAIN: &str = "\x1b[0m";

fn say(text: impl Display) {
    // If standard error is gone there is nobody left to tell.
    drop(writeln!(anstream::stderr().lock(), "{text}"));
}

fn written(result: io::Result<()>) -> anyhow::Result<()> {
    match result {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error).context("cannot write to standard output"),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// The text in ASCII, with a question mark for each character that is not.
fn plain(text: &str) -> String {
    text.chars().map(|character| if character.is_ascii() { character } else { '?' }).collect()
}

/// A count with its thousands apart; only the size of one that has more digits than `most`.
pub(crate) fn rounded(number: impl Display, most: usize) -> String {
    let digits = number.to_string();
    if digits.len() > most {
        return format!("{}.{}e{}", &digits[..1], &digits[1..4], digits.len() - 1);
    }
    grouped(digits)
}

/// A number with its thousands apart.
pub(crate) fn grouped(number: impl Display) -> String {
    let digits = number.to_string();
    let mut grouped = String::with_capacity(digits.len() * 4 / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// A number in decimals with so many significant digits; what is not 1 does not look like it.
pub(crate) fn decimal(ratio: &Ratio, digits: usize) -> String {
    let decimal = ratio.to_decimal(digits);
    if decimal == "1" && *ratio != Ratio::new(1, 1) && ratio.is_probability() {
        return format!("1 - {}", ratio.complement().to_decimal(4));
    }
    decimal
}
