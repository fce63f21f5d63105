//! Why a program is refused, in words: who it was, what it was asked, what it did, and its last words.

use std::fmt::{self, Display};
use std::process::ExitStatus;

use super::wire::{Answer, Role, in_one_line};

/// A program that cannot be played.
#[derive(Debug)]
pub(super) struct Refusal {
    /// Which general it was.
    pub(super) role: Role,
    /// The command, as it was typed.
    pub(super) command: String,
    /// The question, if one had been asked.
    pub(super) question: Option<String>,
    /// What is wrong.
    pub(super) fault: Fault,
    /// The last lines that it wrote to standard error.
    pub(super) last_words: Vec<String>,
}

/// What is wrong with a program.
#[derive(Debug)]
pub(super) enum Fault {
    /// It does not start.
    NotStarted(String),
    /// No answer came in time.
    Slow {
        /// The time that it had.
        limit_ms: u64,
    },
    /// All answers together took too long.
    SlowInAll {
        /// The time that they had.
        limit_ms: u64,
    },
    /// It ended.
    Ended(Option<ExitStatus>),
    /// It closed its standard output and lives on.
    Closed,
    /// It writes a line without end, or too much in all.
    Flood {
        /// How the line begins.
        begins: String,
        /// How many bytes a line may have.
        limit: usize,
    },
    /// It has said more in all than can be kept.
    SaidTooMuch {
        /// How many bytes there may be.
        limit: usize,
    },
    /// It has started too many processes.
    Processes {
        /// How many there are.
        count: usize,
        /// How many there may be.
        limit: usize,
    },
    /// Its processes take too much memory.
    Memory {
        /// How much, in KiB.
        kib: u64,
        /// How much they may take, in KiB.
        limit_kib: u64,
    },
    /// It said something without having been asked.
    Unasked(String),
    /// It said what cannot be understood.
    Nonsense {
        /// The line.
        line: String,
        /// What should have come.
        expected: String,
    },
    /// It said that something is wrong.
    Error {
        /// Its code.
        code: i64,
        /// Its words.
        text: String,
    },
    /// It answered the same question in two ways.
    Differs {
        /// The first answer.
        first: String,
        /// The later one.
        later: String,
        /// When the later one was given.
        when: &'static str,
    },
    /// It took back a decision.
    TookBack {
        /// What it had decided.
        before: bool,
        /// What it says now.
        answer: Box<Answer>,
    },
    /// There is more to ask than can be asked.
    Questions {
        /// How many questions may be asked.
        limit: usize,
    },
    /// It plays another number of rounds.
    Rounds {
        /// The number that it says.
        said: u32,
        /// The number that is wanted.
        wanted: u32,
        /// Who wants it.
        by: String,
    },
}

impl Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (`{}`) {}", self.role, in_one_line(&self.command), self.fault)?;
        if let Some(question) = &self.question {
            write!(f, "\n  asked: {}", in_one_line(question.trim_end()))?;
        }
        match &self.fault {
            Fault::Unasked(line) | Fault::Nonsense { line, .. } => write!(f, "\n  said:  {}", in_one_line(line))?,
            Fault::Flood { begins, .. } => write!(f, "\n  said:  {}", in_one_line(begins))?,
            Fault::Differs { first, later, when } => write!(f, "\n  first: {first}\n  then:  {later}, {when}")?,
            Fault::TookBack { answer, .. } => write!(f, "\n  said:  {answer}")?,
            Fault::NotStarted(_)
            | Fault::Slow { .. }
            | Fault::SlowInAll { .. }
            | Fault::Ended(_)
            | Fault::Closed
            | Fault::SaidTooMuch { .. }
            | Fault::Processes { .. }
            | Fault::Memory { .. }
            | Fault::Error { .. }
            | Fault::Questions { .. }
            | Fault::Rounds { .. } => {}
        }
        if !self.last_words.is_empty() {
            f.write_str("\n  its last words on standard error:")?;
        }
        self.last_words.iter().try_for_each(|line| write!(f, "\n    {line}"))
    }
}

impl std::error::Error for Refusal {}

impl Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotStarted(error) => write!(f, "cannot be started: {error}"),
            Self::Slow { limit_ms } => write!(
                f,
                "did not answer within {limit_ms} ms; it has to write one line for every line it reads, and to flush it \
                 (--time-limit-ms gives it longer)"
            ),
            Self::SlowInAll { limit_ms } => write!(
                f,
                "and its fellows took more than {limit_ms} ms for all answers together, which is sixty times --time-limit-ms; \
                 raise that, or take fewer messengers or rounds"
            ),
            Self::Ended(Some(status)) => write!(f, "ended instead of answering ({status})"),
            Self::Ended(None) => f.write_str("ended instead of answering"),
            Self::Closed => f.write_str("closed its standard output instead of answering"),
            Self::Flood { limit, .. } => {
                write!(f, "wrote more than {limit} bytes without an end of line; a line may have no more")
            }
            Self::SaidTooMuch { limit } => {
                write!(
                    f,
                    "has answered with more than {limit} bytes in all, which is the most that is kept; keep its state small"
                )
            }
            Self::Processes { count, limit } => {
                write!(f, "has {count} processes at once, and may have {limit}; all of them were killed")
            }
            Self::Memory { kib, limit_kib } => {
                write!(f, "takes {} MiB of memory, and may take {}; it was killed", kib / 1024, limit_kib / 1024)
            }
            Self::Unasked(_) => {
                f.write_str("said something without having been asked; it has to write one line for every line it reads")
            }
            Self::Nonsense { expected, .. } => write!(f, "answered nonsense; expected is {expected}"),
            Self::Error { code, text } => write!(f, "answered with the error {code}, {} ({text:?})", meaning(*code)),
            Self::Differs { .. } => f.write_str(
                "is not deterministic: it answered the same question in two ways; a general may look at nothing but what it is \
                 told (no clock, no randomness, no process number), has to keep nothing between questions in the mode step, \
                 and has to forget everything at an init in the mode replay",
            ),
            Self::TookBack { before, .. } => {
                let decided = if *before { "to attack" } else { "not to attack" };
                write!(f, "had decided {decided} and says otherwise now; a decision is final")
            }
            Self::Questions { limit } => {
                write!(
                    f,
                    "would have to be asked more than {limit} questions; take fewer messengers or rounds, or fewer different states"
                )
            }
            Self::Rounds { said, wanted, by } => write!(f, "plays {said} rounds, and {by} says {wanted}"),
        }
    }
}

/// What an error code means, after Maelstrom's list: a definite error says that the question was not taken, an indefinite
/// one leaves that open.
pub(super) const fn meaning(code: i64) -> &'static str {
    match code {
        0 => "timeout, indefinite",
        10 => "not supported, definite",
        TEMPORARILY_UNAVAILABLE => "temporarily unavailable, definite",
        12 => "malformed request, definite",
        13 => "crash, indefinite",
        14 => "abort, definite",
        _ => "which is not in the list, so indefinite",
    }
}

/// The one error after which the same question is asked again.
pub(super) const TEMPORARILY_UNAVAILABLE: i64 = 11;
