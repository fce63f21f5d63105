//! The worlds in which mutants are hunted.

use std::sync::Arc;

use handfast_protocol::{Guards, Plan};

use super::{Caught, Mutant};
use crate::explorer::{Limits, Verdict, explore};
use crate::history::History;
use crate::saga::adversary::Adversary;
use crate::saga::flows::flow;
use crate::saga::follow::{Followed, Lost, follow};
use crate::saga::machine::Machine;
use crate::saga::model::in_words;
use crate::saga::picture::draw;
use crate::saga::world::Saga;
use crate::told::{self, InWords};

/// A world with a guard less, whichever that is.
pub(super) trait Unguarded {
    fn hunt(&self, mutant: &Mutant) -> Option<Caught>;
    fn follow(&self, mutant: &Mutant, run: &[String]) -> Result<Followed, Lost>;
}

pub(super) fn world<G: Guards>(plan: Arc<Plan>, adversary: Adversary) -> Box<dyn Unguarded> {
    Box::new(Saga::with(Machine::of::<G>(), plan, adversary))
}

/// A world of its own, whose runs can be told in words.
pub(super) struct Of<M>(pub(super) M);

impl<M: InWords> Unguarded for Of<M> {
    fn hunt(&self, mutant: &Mutant) -> Option<Caught> {
        told::hunt(&self.0, mutant.name, mutant.breaks)
    }

    fn follow(&self, mutant: &Mutant, run: &[String]) -> Result<Followed, Lost> {
        told::follow(&self.0, mutant.name, mutant.breaks, run)
    }
}

/// Two callers of one store that is put back to an older copy.
pub(super) fn two_callers<G: Guards>() -> Box<dyn Unguarded> {
    Box::new(Of(History::new().under::<G>()))
}

impl Unguarded for Saga {
    fn hunt(&self, mutant: &Mutant) -> Option<Caught> {
        hunt(self, mutant)
    }

    fn follow(&self, mutant: &Mutant, run: &[String]) -> Result<Followed, Lost> {
        follow(self, mutant.name, mutant.breaks, run)
    }
}

fn hunt(saga: &Saga, mutant: &Mutant) -> Option<Caught> {
    let property = mutant.breaks;
    // Most properties are the first to break; only where another one breaks earlier everything is explored.
    [true, false].into_iter().find_map(|stop_at_first| {
        let report = explore(saga, &Limits { stop_at_first, ..Limits::default() });
        let Some(Verdict::Violated { run, .. }) = report.verdict(property) else { return None };
        Some(Caught {
            adversary: saga.adversary.to_string(),
            run: saga.with_lasting_numbers(run).iter().map(|action| in_words(saga, action)).collect(),
            end: saga.in_words(run.last()),
            picture: draw(saga, run, mutant.name, property),
        })
    })
}

/// A world of participants that promise less than the contract, in which no risk comes true.
pub(super) fn weak<G: Guards>(name: &str, adversary: Adversary) -> Box<dyn Unguarded> {
    Box::new(flow(name).world_of(Machine::of::<G>(), &[], adversary))
}
