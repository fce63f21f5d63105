//! Tries what a service behind templates promises, on a test account: which lines of a step's profile were seen to hold, which
//! were seen not to, which cannot be seen from outside, and which answers fit nothing that the flow describes.

mod lines;
mod probes;
mod subject;

use std::error::Error;
use std::fmt;
use std::time::Duration;

use handfast::flow_file::{FlowFile, InputError};
use serde_json::{Map, Value, json};

use self::lines::Lines;
pub use self::lines::ProfileLine;
use self::subject::Subject;
pub use self::subject::Unfit;

/// What is tried, and with what.
pub struct Trial<'a> {
    /// The flow.
    pub flow: &'a FlowFile,
    /// The step, counted from 0.
    pub step: usize,
    /// An order without its id whose act is done.
    pub order: Map<String, Value>,
    /// An order without its id whose act is refused.
    pub refused: Option<Map<String, Value>>,
    /// A part of every id; no two trials of one service may share it.
    pub run: String,
    /// How often each promise is tried.
    pub times: u32,
    /// How long an answer may take.
    pub timeout: Duration,
}

/// Why nothing could be tried.
#[derive(Debug)]
pub enum TrialError {
    /// The step is not called by templates.
    NotByTemplates(String),
    /// The service of this step cannot be asked at all, and why.
    Service(String, String),
    /// An order of this flow looks otherwise than the one of this flag.
    Order(&'static str, InputError),
    /// An earlier step, whose answers this one needs, was not done, and what came instead.
    Before(String, String),
    /// The act was refused.
    Refused,
    /// Nobody answers at this address, and what was seen.
    Silent(String, String),
}

impl fmt::Display for TrialError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotByTemplates(step) => write!(
                f,
                "step {step} is not called by templates; give the URL of its keys instead, as in handfast conform \
                 http://127.0.0.1:4001/charges"
            ),
            Self::Service(step, why) => write!(f, "step {step}: {why}"),
            Self::Order(flag, error) => write!(f, "{flag}: {error}"),
            Self::Before(step, seen) => {
                write!(f, "step {step} comes before it and was not done: {seen}; give an order in --body that it accepts")
            }
            Self::Refused => f.write_str("the act is refused; give an order in --body that it accepts every time"),
            Self::Silent(address, why) => {
                write!(f, "nobody answers at {address}: {why}; start the service, or put its url right in the flow")
            }
        }
    }
}

impl Error for TrialError {}

/// What was found.
#[derive(Debug)]
pub struct Found {
    /// What was seen of each line of the profile.
    pub lines: Vec<ProfileLine>,
    /// The answers that fit nothing.
    pub unfit: Vec<Unfit>,
}

impl Found {
    /// Whether some line of the profile was seen not to hold.
    #[must_use]
    pub fn is_violated(&self) -> bool {
        self.lines.iter().any(ProfileLine::is_broken)
    }

    /// As data, in the shape of `handfast conform --json`.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let lines: Vec<Value> = self.lines.iter().map(ProfileLine::to_json).collect();
        let unfit: Vec<Value> = self.unfit.iter().map(Unfit::to_json).collect();
        json!({ "lines": lines, "fits_nothing": unfit })
    }
}

/// Tries everything that can be tried, `times` over. `progress` is told after each round.
///
/// # Errors
/// [`TrialError`]: nothing was tried.
pub async fn try_promises(trial: &Trial<'_>, mut progress: impl FnMut()) -> Result<Found, TrialError> {
    let subject = Subject::new(trial)?;
    let mut lines = Lines::of(subject.profile(), subject.looks_at_undos());
    probes::first_act(&subject, &mut lines).await?;
    for _ in 0..trial.times {
        probes::repeat(&subject, &mut lines).await?;
        probes::undo(&subject, &mut lines).await?;
        probes::undo_of_nothing(&subject, &mut lines).await?;
        probes::close(&subject, &mut lines).await?;
        probes::peek(&subject, &mut lines).await?;
        probes::refusal(&subject, &mut lines).await?;
        progress();
    }
    Ok(Found { lines: lines.concluded(), unfit: subject.unfit() })
}
