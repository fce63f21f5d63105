//! What the lines of a journal say beside the state that they lead to, taken down while they are followed for that.

use handfast_protocol::{Coordinator, Operation, StepSet, Time};

use super::adopt::MoveTold;
use super::asked::Asked;
use crate::journal::Line;
use crate::store::Entry;

/// Taken down of one saga.
#[derive(Default)]
pub(super) struct Trail {
    /// The lines, in order.
    pub(super) lines: Vec<Line>,
    /// Since which entry something may have left for each step's key.
    pub(super) asked: Vec<Asked>,
    /// With which entry its coordinator was told of each step's moves.
    pub(super) moves_told: Vec<MoveTold>,
    /// The steps of which an act may have left, as far as the journal tells.
    pub(super) acted: StepSet,
    /// What each step is asked for, and since when.
    wanted: Vec<(Option<Operation>, Option<Time>)>,
}

impl Trail {
    /// Takes down an entry, by which the coordinator came from one state to another.
    pub(super) fn note(&mut self, entry: &Entry, line: Line, (before, after): (&Coordinator, &Coordinator)) {
        let steps = after.plan().steps().len();
        self.asked.resize_with(steps, Asked::default);
        self.moves_told.resize_with(steps, MoveTold::default);
        self.wanted.resize(steps, (None, None));
        Asked::note(&mut self.asked, (before, after), &line, entry.seq);
        MoveTold::note(&mut self.moves_told, &line, entry.seq);
        for (step, (asked, at)) in self.wanted.iter_mut().enumerate() {
            let now = after.step_state(step).0;
            if matches!(now, Some(Operation::Act | Operation::Look)) {
                self.acted = self.acted.with(step);
            }
            if *asked != now {
                (*asked, *at) = (now, Some(entry.at));
            }
        }
        self.lines.push(line);
    }

    /// When a step was first asked for what it is asked for now.
    pub(super) fn wanted_since(&self, step: usize) -> Option<Time> {
        self.wanted.get(step).and_then(|(_, at)| *at)
    }
}
