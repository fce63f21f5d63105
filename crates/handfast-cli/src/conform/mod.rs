//! Attacks a participant over HTTP and says which promises of the contract it keeps.

mod caller;
pub(crate) mod flow;
mod probes;

use std::time::Duration;

use bytes::Bytes;
use serde_json::{Value, json};

use self::caller::{Caller, Extra, Said};
use self::probes::Verdict;
use crate::output::{Exit, OrExit as _};

/// How to attack, and with what.
pub(crate) struct Target<'a> {
    /// The base URL under which the participant has its keys.
    pub(crate) base: &'a str,
    /// A part of every key; no two attacks on one participant may share it.
    pub(crate) run: String,
    /// How long a whole answer may take.
    pub(crate) timeout: Duration,
    /// A body whose act is done.
    pub(crate) body: Bytes,
    /// A body whose act is refused for good.
    pub(crate) refused: Option<Bytes>,
}

/// What came of one promise.
pub(crate) struct Finding {
    pub(crate) name: &'static str,
    pub(crate) promise: &'static str,
    pub(crate) hazard: &'static str,
    verdict: Verdict,
}

impl Finding {
    /// Whether the promise was broken.
    pub(crate) const fn is_broken(&self) -> bool {
        matches!(self.verdict, Verdict::Broken(_))
    }

    /// Whether the attack could not be tried.
    pub(crate) const fn is_untried(&self) -> bool {
        matches!(self.verdict, Verdict::NotTried(_))
    }

    /// The finding in lines, the first of which names the promise.
    pub(crate) fn in_lines(&self) -> Vec<String> {
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

    pub(crate) fn to_json(&self) -> Value {
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
pub(crate) fn promises() -> usize {
    probes::all().count()
}

/// Tries every promise, one after the other, and tells each finding as soon as it is there.
///
/// # Errors
/// With [`Exit::Unreachable`]: nobody answers at the base URL. Otherwise whatever `found` says.
pub(crate) async fn attack(target: Target<'_>, mut found: impl FnMut(Finding) -> anyhow::Result<()>) -> anyhow::Result<()> {
    let caller = Caller::new(target.base, target.run, target.timeout, target.body, target.refused);
    let first = caller.peek(&caller.key(), &Extra::default()).await;
    if let (0, Said::Nothing(why)) = (first.status, &first.said) {
        return Err(anyhow::anyhow!("nobody answers at {}: {why}", target.base)).or_exit(Exit::Unreachable);
    }
    for probe in probes::all() {
        let verdict = (probe.attack)(&caller).await;
        found(Finding { name: probe.name, promise: probe.promise, hazard: probe.hazard, verdict })?;
    }
    Ok(())
}
