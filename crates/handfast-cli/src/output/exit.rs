//! How a command ends: the exit codes, and the one table from an error to its code.

use std::fmt::{self, Display};
use std::process::ExitCode;

use handfast::OpenError;
use handfast_server::ServeError;
use handfast_server::batch::BatchError;
use handfast_server::operator::Trouble;
use handfast_testkit::conform::flow::TrialError;
use handfast_testkit::conform::{NoAct, Silent, WrongBody};

use crate::bad_input::BadInput;

/// How a command ended.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Exit {
    /// Done; both; the check holds.
    Done,
    /// Something went wrong.
    Error,
    /// What was asked for makes no sense as it stands; nothing was done.
    Usage,
    /// Neither; the check found a counterexample.
    Neither,
    /// It is not known yet, or a person has to look.
    InDoubt,
    /// Nobody answered.
    Unreachable,
}

impl Exit {
    /// Every way to end, in the order of its code.
    pub(crate) const ALL: [Self; 6] = [Self::Done, Self::Error, Self::Usage, Self::Neither, Self::InDoubt, Self::Unreachable];

    /// What the code tells whoever ran the command.
    pub(crate) const fn meaning(self) -> &'static str {
        match self {
            Self::Done => "done: both, or the check holds",
            Self::Error => "an error",
            Self::Usage => "wrong usage or bad input; nothing was half-done",
            Self::Neither => "neither, or the check found a counterexample",
            Self::InDoubt => "in doubt or suspended",
            Self::Unreachable => "nobody could be reached",
        }
    }
}

impl From<Exit> for u8 {
    fn from(exit: Exit) -> Self {
        match exit {
            Exit::Done => 0,
            Exit::Error => 1,
            Exit::Usage => 2,
            Exit::Neither => 3,
            Exit::InDoubt => 4,
            Exit::Unreachable => 5,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(u8::from(exit))
    }
}

/// An error that knows the exit code it deserves.
#[derive(Debug)]
struct ExitWith {
    exit: Exit,
    error: anyhow::Error,
}

impl Display for ExitWith {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl std::error::Error for ExitWith {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.error.source()
    }
}

/// Gives an error the exit code it deserves; without one it ends with [`Exit::Error`].
pub(crate) trait OrExit<T> {
    /// The same result, whose error ends the command with `exit`.
    fn or_exit(self, exit: Exit) -> anyhow::Result<T>;
}

impl<T, E: Into<anyhow::Error>> OrExit<T> for Result<T, E> {
    fn or_exit(self, exit: Exit) -> anyhow::Result<T> {
        self.map_err(|error| anyhow::Error::new(ExitWith { exit, error: error.into() }))
    }
}

/// The exit code that an error deserves: the one that it was given, or the one of its kind.
pub(super) fn of(error: &anyhow::Error) -> Exit {
    if let Some(with) = error.downcast_ref::<ExitWith>() {
        return with.exit;
    }
    if let Some(trouble) = error.downcast_ref::<Trouble>() {
        return match trouble {
            Trouble::Unknown(_) | Trouble::Usage(_) | Trouble::NotLetIn(_) | Trouble::NoService(_) => Exit::Usage,
            Trouble::Conflict(_) | Trouble::Broken(_) => Exit::Error,
            Trouble::Unreachable(_) => Exit::Unreachable,
            Trouble::InDoubt(_) => Exit::InDoubt,
            _ => Exit::Error,
        };
    }
    let is_usage = error.is::<BadInput>()
        || error.is::<WrongBody>()
        || error.is::<NoAct>()
        || matches!(error.downcast_ref(), Some(BatchError::Taken { .. }))
        || not_opened(error).is_some_and(is_of_usage);
    let is_silent = error.is::<Silent>();
    match error.downcast_ref::<TrialError>() {
        Some(TrialError::Silent(..)) => Exit::Unreachable,
        Some(_) => Exit::Usage,
        None if is_silent => Exit::Unreachable,
        None if is_usage => Exit::Usage,
        None => Exit::Error,
    }
}

/// Why the engine of a command did not open, if that is what went wrong.
fn not_opened(error: &anyhow::Error) -> Option<&OpenError> {
    match (error.downcast_ref(), error.downcast_ref()) {
        (Some(ServeError::Open(error)), _) | (_, Some(BatchError::Open(error))) => Some(error),
        _another => None,
    }
}

/// Whether what was asked for is wrong, and not what was found.
const fn is_of_usage(error: &OpenError) -> bool {
    matches!(error, OpenError::Participant { .. } | OpenError::TwoFlows { .. } | OpenError::Adopt(_))
}

/// What `--help` says of all of them.
pub(crate) fn in_words() -> String {
    let codes: Vec<String> = Exit::ALL.iter().map(|exit| format!("  {}  {}", u8::from(*exit), exit.meaning())).collect();
    format!("Exit codes:\n{}", codes.join("\n"))
}
