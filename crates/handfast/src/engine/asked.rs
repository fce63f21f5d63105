//! Since which entry of its journal each step of a saga may have been asked for, and where it was found after it had moved.

use handfast_protocol::Coordinator;

use crate::journal::Line;

/// What a journal says of when something may have left for a step's key.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Asked {
    /// With which entry something may have left for it first.
    first: Option<u64>,
    /// With which entries it was found where its service had moved to, so that it was asked for everything there from then on.
    found: Vec<u64>,
}

impl Asked {
    /// Takes note of what an entry has changed, for every step.
    pub(crate) fn note(all: &mut [Self], (before, after): (&Coordinator, &Coordinator), line: &Line, seq: u64) {
        for (step, asked) in all.iter_mut().enumerate() {
            if asked.first.is_none() && after.was_asked(step) {
                asked.first = Some(seq);
            }
            let is_told_same = matches!(line, Line::SameBooks { step: of, .. } if *of == step);
            if before.is_moved(step) && !after.is_moved(step) && !is_told_same {
                asked.found.push(seq);
            }
        }
    }

    /// Something may have left for it by this entry.
    pub(crate) fn was_asked_by(&self, seq: u64) -> bool {
        self.first.is_some_and(|first| first <= seq)
    }

    /// It was found where its service had moved to after one entry, and by the other one.
    pub(crate) fn was_found_between(&self, after: u64, by: u64) -> bool {
        self.found.iter().any(|&seq| after < seq && seq <= by)
    }
}
