//! A kept counterexample: the shortest run that a missing guard allows, as `handfast check --without NAME --keep FILE` writes it.

use serde::Deserialize;

use super::document::{Document, members};
use super::{Kind, TraceError};
use crate::saga::{Caught, Followed, MUTANTS, Mutant};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Shape {
    #[serde(rename = "trace")]
    _trace: String,
    #[serde(rename = "kind")]
    _kind: String,
    without: String,
    breaks: String,
    adversary: String,
    run: Vec<String>,
    end: String,
}

/// Checks that a run which was executed again was against what it was kept with, and ended where it did.
pub(super) fn check_kept(followed: &Followed, adversary: &str, end: &str) -> Result<(), TraceError> {
    let last = followed.steps.last().map_or(&followed.beginning, |step| &step.world);
    for (what, kept, found) in [("adversary", adversary, &followed.adversary), ("end", end, last)] {
        if kept != found {
            return Err(TraceError::Differs { what, kept: kept.to_owned(), found: found.clone() });
        }
    }
    Ok(())
}

/// A kept counterexample.
#[derive(Debug)]
pub struct CounterexampleTrace {
    /// The deployed code without one guard.
    pub mutant: &'static Mutant,
    adversary: String,
    run: Vec<String>,
    end: String,
}

impl CounterexampleTrace {
    /// The run that shows what happens without a guard.
    #[must_use]
    pub fn new(mutant: &'static Mutant, caught: &Caught) -> Self {
        Self { mutant, adversary: caught.adversary.clone(), run: caught.run.clone(), end: caught.end.clone() }
    }

    /// Executes it again, step by step, in the world without that guard.
    ///
    /// # Errors
    /// An action cannot happen, the world ends otherwise, or nothing is broken.
    pub fn replay(&self) -> Result<Followed, TraceError> {
        let followed = self.mutant.follow(&self.run)?;
        check_kept(&followed, &self.adversary, &self.end)?;
        Ok(followed)
    }

    /// The counterexample that this text is.
    ///
    /// # Errors
    /// It is none, or of a guard that is not known here.
    pub fn read(text: &str) -> Result<Self, TraceError> {
        let Shape { without, breaks, adversary, run, end, .. } = members(text)?;
        let mutant = MUTANTS.iter().find(|mutant| mutant.name == without);
        let mutant = mutant
            .ok_or_else(|| TraceError::Member(format!("there is no guard {without:?}; handfast check --guards lists them")))?;
        if breaks != mutant.breaks {
            let said = format!("{} breaks {:?}, and this trace says {breaks:?}", mutant.name, mutant.breaks);
            return Err(TraceError::Member(said));
        }
        Ok(Self { mutant, adversary, run, end })
    }

    /// As it is kept.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn write(&self) -> Result<String, TraceError> {
        Ok(Document::new(Kind::Counterexample)
            .member("without", &self.mutant.name)?
            .member("breaks", &self.mutant.breaks)?
            .member("adversary", &self.adversary)?
            .list("run", &self.run)?
            .member("end", &self.end)?
            .finish())
    }
}
