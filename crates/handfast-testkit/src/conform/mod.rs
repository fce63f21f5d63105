//! Attacks a participant over HTTP and says which promises of the contract it keeps.

mod caller;
pub mod flow;
mod probes;

use std::time::Duration;

use bytes::Bytes;
use handfast_protocol::Definite;
use serde_json::{Value, json};

use self::caller::{Caller, Extra, Said};
use self::probes::Verdict;

/// How to attack, and with what.
pub struct Target<'a> {
    /// The base URL under which the participant has its keys.
    pub base: &'a str,
    /// A part of every key; no two attacks on one participant may share it.
    pub run: String,
    /// How long a whole answer may take.
    pub timeout: Duration,
    /// A body whose act is done.
    pub body: Bytes,
    /// A body whose act is refused for good.
    pub refused: Option<Bytes>,
}

/// Nobody answers.
#[derive(Debug, thiserror::Error)]
#[error("nobody answers at {base}: {why}")]
pub struct Silent {
    base: String,
    why: String,
}

/// The participant does not take the body that it was to be attacked with. Nothing was tried: every promise is about acts that
/// are done.
#[derive(Debug, thiserror::Error)]
#[error(
    "no act is done with this body, and every promise is about acts that are, so nothing was tried: {request} was answered {got}; \
     give --body one that the participant accepts every time"
)]
pub struct WrongBody {
    request: String,
    got: String,
}

/// The participant takes no act for a reason that no body changes. Nothing was tried.
#[derive(Debug, thiserror::Error)]
#[error(
    "no act is done, and every promise is about acts that are, so nothing was tried: {request} was answered {got}; {meaning}"
)]
pub struct NoAct {
    request: String,
    got: String,
    meaning: &'static str,
}

/// What a status of the 400s says that is not about the body, with what helps.
const fn not_about_body(status: u16) -> Option<&'static str> {
    match status {
        400 | 409 | 415 | 422 => None,
        401 | 403 | 407 => Some("it asks who calls, and nothing is shown here: attack it where it lets in every caller"),
        404 | 410 => Some("no key can be kept at this address: give the URL under which the participant has its keys"),
        405 => {
            Some("this address takes no PUT, by which an act is asked for: give the URL under which the participant has its keys")
        }
        408 | 425 | 429 | 430 => Some("it takes no more requests for now: try again later, or where it sets no such limit"),
        411 | 413 | 431 => {
            Some("what was sent is larger than it takes, or of another form: see what limits stand before the participant")
        }
        401..=499 => Some("the contract has no such answer to an act: see what answers at this address"),
        _ => None,
    }
}

/// What came of one promise.
pub struct Finding {
    /// Its name.
    pub name: &'static str,
    /// What is promised.
    pub promise: &'static str,
    /// What goes wrong where it is broken.
    pub hazard: &'static str,
    verdict: Verdict,
}

impl Finding {
    /// Whether the promise was broken.
    #[must_use]
    pub const fn is_broken(&self) -> bool {
        matches!(self.verdict, Verdict::Broken(_))
    }

    /// Whether the attack could not be tried.
    #[must_use]
    pub const fn is_untried(&self) -> bool {
        matches!(self.verdict, Verdict::NotTried(_))
    }

    /// The finding in lines, the first of which names the promise.
    #[must_use]
    pub fn in_lines(&self) -> Vec<String> {
        match &self.verdict {
            Verdict::Kept => vec![format!("kept       {:<27} {}", self.name, self.promise)],
            Verdict::NotTried(why) => vec![format!("not tried  {:<27} {why}", self.name)],
            Verdict::Broken(broken) => vec![
                format!("BROKEN     {:<27} {}", self.name, self.promise),
                format!("             asked     {}", broken.request),
                format!("             expected  {}", broken.expected),
                format!("             got       {}", broken.got),
                format!("             hazard    {}", self.hazard),
            ],
        }
    }

    /// The finding as data, in the shape of `handfast conform --json`.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut told = json!({ "name": self.name, "promise": self.promise, "hazard": self.hazard });
        match &self.verdict {
            Verdict::Kept => told["verdict"] = "kept".into(),
            Verdict::NotTried(why) => {
                told["verdict"] = "not tried".into();
                told["why"] = (*why).into();
            }
            Verdict::Broken(broken) => {
                told["verdict"] = "broken".into();
                told["request"] = broken.request.as_str().into();
                told["expected"] = broken.expected.as_str().into();
                told["got"] = broken.got.as_str().into();
            }
        }
        told
    }
}

/// How many promises there are.
#[must_use]
pub fn promises() -> usize {
    probes::all().count()
}

/// Tries every promise, one after the other, and tells each finding as soon as it is there.
///
/// # Errors
/// [`Silent`] if nobody answers at the base URL, [`WrongBody`] if the body is refused, [`NoAct`] if no act is taken for another
/// reason. Otherwise whatever `found` says.
pub async fn attack(target: Target<'_>, mut found: impl FnMut(Finding) -> anyhow::Result<()>) -> anyhow::Result<()> {
    let caller = Caller::new(target.base, target.run, target.timeout, target.body, target.refused);
    let first = caller.peek(&caller.key(), &Extra::default()).await;
    if let (0, Said::Nothing(why)) = (first.status, &first.said) {
        return Err(Silent { base: target.base.to_owned(), why: why.clone() }.into());
    }
    let act = caller.act(&caller.key(), &caller.body).await;
    if let (Said::Nothing(_), Some(meaning)) = (&act.said, not_about_body(act.status)) {
        return Err(NoAct { got: act.got(), request: act.request, meaning }.into());
    }
    let is_refused = match &act.said {
        Said::State(Definite::Refused) => true,
        Said::Nothing(_) => matches!(act.status, 400 | 409 | 415 | 422),
        Said::State(_) | Said::OtherBody | Said::Behind | Said::Absent => false,
    };
    if is_refused {
        return Err(WrongBody { got: act.got(), request: act.request }.into());
    }
    // Where every act fails, that is found once, by the first.
    let has_failed = matches!(act.said, Said::Nothing(_)) && (act.status == 0 || act.status >= 500);
    for (number, probe) in probes::all().enumerate() {
        let verdict = if has_failed && number > 0 {
            Verdict::NotTried("every act fails, as the first finding says; mend that first")
        } else {
            (probe.attack)(&caller).await
        };
        found(Finding { name: probe.name, promise: probe.promise, hazard: probe.hazard, verdict })?;
    }
    Ok(())
}
