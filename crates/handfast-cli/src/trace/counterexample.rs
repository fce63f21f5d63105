//! A kept counterexample: the shortest run that a missing guard allows, as `handfast check --without NAME --keep FILE` writes it.

use anyhow::{Context as _, bail};
use handfast_lab::saga::{Caught, Followed, MUTANTS, Mutant};
use serde::Deserialize;

use super::document::{Document, members};
use crate::bad_input::OrBadInput as _;

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
pub(super) fn check_kept(followed: &Followed, adversary: &str, end: &str) -> anyhow::Result<()> {
    let last = followed.steps.last().map_or(&followed.beginning, |step| &step.world);
    for (what, kept, found) in [("adversary", adversary, &followed.adversary), ("end", end, last)] {
        if kept != found {
            return Err(anyhow::anyhow!("{what} is another one: kept was {kept:?}, now it is {found:?}")).or_bad_input();
        }
    }
    Ok(())
}

/// A kept counterexample.
#[derive(Debug)]
pub(crate) struct CounterexampleTrace {
    pub(crate) mutant: &'static Mutant,
    adversary: String,
    run: Vec<String>,
    end: String,
}

impl CounterexampleTrace {
    /// The run that shows what happens without a guard.
    pub(crate) fn new(mutant: &'static Mutant, caught: &Caught) -> Self {
        Self { mutant, adversary: caught.adversary.clone(), run: caught.run.clone(), end: caught.end.clone() }
    }

    /// Executes it again, step by step, in the world without that guard.
    ///
    /// # Errors
    /// An action cannot happen, the world ends otherwise, or nothing is broken.
    pub(crate) fn replay(&self) -> anyhow::Result<Followed> {
        let followed = self.mutant.follow(&self.run).or_bad_input()?;
        check_kept(&followed, &self.adversary, &self.end)?;
        Ok(followed)
    }

    pub(super) fn read(text: &str) -> anyhow::Result<Self> {
        let shape: Shape = members(text)?;
        let mutant = MUTANTS.iter().find(|mutant| mutant.name == shape.without);
        let mutant =
            mutant.with_context(|| format!("there is no guard {:?}; handfast check --guards lists them", shape.without))?;
        if shape.breaks != mutant.breaks {
            bail!("{} breaks {:?}, and this trace says {:?}", mutant.name, mutant.breaks, shape.breaks);
        }
        Ok(Self { mutant, adversary: shape.adversary, run: shape.run, end: shape.end })
    }

    pub(super) fn write(&self) -> anyhow::Result<String> {
        Ok(Document::new("counterexample")
            .member("without", &self.mutant.name)?
            .member("breaks", &self.mutant.breaks)?
            .member("adversary", &self.adversary)?
            .list("run", &self.run)?
            .member("end", &self.end)?
            .finish())
    }
}
