//! Every state that a coordinator can be in, numbered, with what each input leads to.
//!
//! The states come from the deployed transition function, told every input there is, so a world of the explorer holds
//! numbers instead of coordinators. Nothing of the protocol is written again here.

use std::collections::BTreeMap;
use std::sync::Arc;

use handfast_protocol::{
    Answer, Command, Coordinator, Definite, Deployed, Due, Evidence, Input, Mark, Operation, Outcome, Plan, Ruling, Standing,
    Time, Told, UndoTold,
};
use rustc_hash::FxHashMap;

use super::machine::{Ends, Machine};
use super::network::{FOUND_DONE, FOUND_REFUSED, FOUND_UNDONE, Left, Look, operation_number};

/// The number of a coordinator's state.
pub type StateId = u32;

/// How many inputs there are beside those of the steps.
const OF_THE_SAGA: usize = 6;
/// How many inputs there are of one step: an answer of each kind to each operation that changes something, that its act is
/// on its way, that it was found to be done or refused, that a look which left early or late found nothing, that something
/// else is in effect under its key, how a person may mark it, that it was found undone, that its undo is about to leave, was accepted
/// or has failed, that a look which left early or late found it still there, and that an answer is about something else.
const PER_STEP: usize = OF_UNDO + 5 + Left::ALL.len();
/// The place of what is said of an undo that is not done at once among the inputs of a step.
const OF_UNDO: usize = 3 * ANSWERS.len() + 7 + Left::ALL.len();

/// The time at which everything happens: it stands still, and what is due after a time is due at once.
const NOW: Time = Time(1);

/// What a worker is told of a look that found nothing.
pub(super) const fn told_nothing(look: Look) -> Input<Told> {
    told_of_look(look, None)
}

/// What a worker is told of a look that found what was to be undone still there.
pub(super) const fn told_still(look: Look) -> Input<Told> {
    told_of_look(look, Some(Definite::Done))
}

const fn told_of_look(look: Look, found: Option<Definite>) -> Input<Told> {
    let left = match look.left {
        Left::Early => Time(NOW.0 - 1),
        Left::Late => NOW,
    };
    Input::Receive(Told::Looked { step: look.step, found, left })
}

/// When a look left that a worker is told of.
pub(super) const fn left_at(left: Time) -> Left {
    if left.0 < NOW.0 { Left::Early } else { Left::Late }
}

/// Everything that can be said to a coordinator of so many steps, in a fixed order.
fn inputs(steps: usize) -> Vec<Input<Told>> {
    let mut inputs = vec![Input::Start, Input::Timeout, Input::Receive(Told::Cancel)];
    inputs.extend(OF_A_PERSON.map(|ruling| Input::Receive(Told::Ruled(ruling))));
    for step in 0..steps {
        for operation in [Operation::Act, Operation::Close, Operation::Undo] {
            for answer in ANSWERS {
                inputs.push(Input::Receive(Told::Answer { to: Command { step, operation }, answer }));
            }
        }
        inputs.push(Input::Receive(Told::Sent { step }));
        let to = Command { step, operation: Operation::Look };
        inputs.extend([FOUND_DONE, FOUND_REFUSED].map(|answer| Input::Receive(Told::Answer { to, answer })));
        inputs.extend(Left::ALL.map(|left| told_nothing(Look { step, left })));
        inputs.push(Input::Receive(Told::Differs { step, in_effect: true }));
        inputs.extend(Mark::ALL.map(|mark| Input::Receive(Told::Ruled(Ruling::Mark { step, mark }))));
        inputs.push(Input::Receive(Told::Answer { to, answer: FOUND_UNDONE }));
        inputs.extend(UndoTold::ALL.map(|told| Input::Receive(Told::Undo { step, told })));
        inputs.extend(Left::ALL.map(|left| told_still(Look { step, left })));
        inputs.push(Input::Receive(Told::Differs { step, in_effect: false }));
    }
    inputs
}

/// What a person may say of the whole saga.
pub(super) const OF_A_PERSON: [Ruling; 3] = [Ruling::Retry, Ruling::Resume, Ruling::Settle];

/// Every definite answer.
pub(super) const ANSWERS: [Answer; 5] = [
    Answer::State(Definite::Done),
    Answer::State(Definite::Refused),
    Answer::State(Definite::Closed),
    Answer::State(Definite::Undone),
    Answer::OtherBody,
];

/// The plan once for each thing that may be due alone, with just that due. A watch ends with the last one of all.
fn timings(plan: &Arc<Plan>) -> Vec<(usize, Due, Arc<Plan>)> {
    let mut timings: Vec<(usize, Due, Arc<Plan>)> = Vec::new();
    for step in 0..plan.steps().len() {
        for due in Due::ALL {
            let timing = Plan::clone(plan).with_only(step, due);
            let is_due = timing != Plan::clone(plan).with_only(usize::MAX, due);
            if is_due && due != Due::Watch {
                timings.push((step, due, Arc::new(timing)));
            }
        }
    }
    timings
}

/// What the explorer needs to know of one state.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Facts {
    /// What wants delivering.
    pub outbox: Vec<Command>,
    /// The steps that may be looked at beside that.
    pub reads_back: Vec<usize>,
    /// Whether a time-out would be due.
    pub has_deadline: bool,
    /// How the saga has ended.
    pub decision: Option<Outcome>,
    /// How it stands.
    pub standing: Standing,
    /// Why a person has to look at it, if one has to.
    pub evidence: Option<Evidence>,
    /// For each step the highest command that was asked for, and what is known of its key.
    pub steps: Vec<(Option<Operation>, Option<Definite>)>,
    /// For each step what a person has said of it, and whether it is off, by an answer or by that.
    pub marks: Vec<(Option<Mark>, bool)>,
    /// The steps that only a person can find out about.
    pub out_of_reach: Vec<bool>,
    /// The steps of which answers speak of something else, so that a person may say what became of them.
    pub unclear: Vec<bool>,
    /// The steps whose undo may have left or was accepted, and is not known to be done.
    pub undo_is_pending: Vec<bool>,
}

impl Facts {
    /// The same for every contradiction, whichever it was.
    fn without_details(mut self) -> Self {
        if matches!(self.evidence, Some(Evidence::Contradiction { .. })) {
            let to = Command { step: 0, operation: Operation::Act };
            self.evidence = Some(Evidence::Contradiction { to, known: None, answer: Answer::OtherBody });
        }
        self
    }
}

/// How far a saga is followed that needs a person, and what can be told at all.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Follows {
    /// A person may say something at any moment, so that nobody is done with a saga that is suspended.
    pub person: bool,
    /// The step whose key is somebody else's: about this one alone there is a contradiction without a promise being broken.
    pub foreign_key: Option<usize>,
}

impl Follows {
    /// Nothing more is told. Where an effect appeared late it goes on, until that is undone, and where a person is asked, until
    /// the rest is taken back. A promise that is broken ends it at once.
    fn is_dead(self, ends: &Ends) -> bool {
        let is_at_rest = ends.standing == Standing::Suspended && !self.person || ends.decision.is_some();
        match ends.evidence {
            None | Some(Evidence::LateEffect { .. } | Evidence::RefusedClose { .. }) => false,
            Some(
                Evidence::OutOfReach { .. }
                | Evidence::RefusedForGood { .. }
                | Evidence::Moved { .. }
                | Evidence::UndoFailed { .. }
                | Evidence::NotFound { .. },
            ) => is_at_rest,
            // What a person has said of it may be overruled after the end.
            Some(Evidence::OtherValues { .. }) => is_at_rest && !self.person,
            Some(Evidence::Contradiction { to, .. }) => is_at_rest || self.foreign_key != Some(to.step),
        }
    }

    /// Whether it can be told: of a key that is somebody else's nothing is told but that, and a person says nothing where there
    /// is none.
    fn may_be_told(self, input: Input<Told>) -> bool {
        match input {
            Input::Start | Input::Timeout | Input::Receive(Told::Due(_)) => true,
            Input::Receive(Told::Cancel | Told::Sent { .. } | Told::Looked { .. } | Told::Differs { .. } | Told::Undo { .. }) => {
                true
            }
            Input::Receive(Told::Ruled(_)) => self.person,
            Input::Receive(Told::Answer { to, answer: Answer::State(_) }) => self.foreign_key != Some(to.step),
            Input::Receive(Told::Answer { .. } | Told::Forgotten { .. } | Told::Moved { .. } | Told::SameBooks { .. }) => true,
        }
    }
}

/// The coordinator of one plan as a table.
///
/// Time stands still at 0 and every deadline of the plan is 0, so a time-out finds everything due at every moment. That one
/// thing is due and the others are not yet is told apart from it.
#[derive(Debug)]
pub struct Automaton {
    facts: Vec<Facts>,
    inputs: Vec<Input<Told>>,
    next: Vec<StateId>,
    /// For each state what may be due alone, and the state that this leads to, wherever it is another one than a time-out
    /// leads to that finds everything due.
    alone: Vec<Vec<Alone>>,
    /// For each input whether it changes any state.
    means_something: Vec<bool>,
}

/// One thing of one step that is due while nothing else is, and the state that a time-out then leads to.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Alone {
    /// The step.
    pub step: usize,
    /// What of it is due.
    pub due: Due,
    /// The state after a time-out.
    pub next: StateId,
}

impl Automaton {
    /// Enumerates the states that a coordinator of this plan can reach by any inputs at all.
    ///
    /// A saga that a person has is not told anything further, as far as it is followed.
    #[must_use]
    pub fn new(plan: &Arc<Plan>, follows: Follows) -> Self {
        Self::among(Machine::of::<Deployed>(), plan, follows, |_| false)
    }

    /// The same, where the participants of some steps may do something else than they were asked for.
    #[must_use]
    pub(super) fn among(machine: Machine, plan: &Arc<Plan>, follows: Follows, does_other: impl Fn(usize) -> bool) -> Self {
        let inputs = inputs(plan.steps().len());
        let timings = timings(plan);
        let started = (machine.step)(Coordinator::new(Arc::clone(plan)), NOW, Input::Start);
        // Different states have different bytes, and bytes are found many times quicker than states are compared.
        let mut ids = FxHashMap::default();
        ids.insert(started.encode(), 0);
        let mut dead = BTreeMap::new();
        let mut states = vec![started];
        let mut next = Vec::new();
        let mut alone = Vec::new();
        let mut at = 0;
        while at < states.len() {
            let (state, ends) = (machine.ends)(states[at].clone());
            if follows.is_dead(&ends) {
                next.extend(inputs.iter().map(|_| StateId::try_from(at).unwrap_or(StateId::MAX)));
                alone.push(Vec::new());
                at += 1;
                continue;
            }
            let mut number = |after: Coordinator| {
                let fresh = StateId::try_from(states.len()).unwrap_or(StateId::MAX);
                // Which contradiction it was makes no difference to anything that is explored.
                let (after, ends) = (machine.ends)(after.without_details());
                let entry = if follows.is_dead(&ends) {
                    dead.entry((machine.facts)(&after).without_details()).or_insert(fresh)
                } else {
                    ids.entry(after.encode()).or_insert(fresh)
                };
                if *entry == fresh {
                    states.push(after);
                }
                *entry
            };
            let row = next.len();
            for input in &inputs {
                let is_never_told = matches!(*input, Input::Receive(Told::Differs { step, in_effect })
                    if !does_other(step) || !(in_effect || follows.person && !plan.steps()[step].closes()));
                if is_never_told || !follows.may_be_told(*input) {
                    next.push(StateId::try_from(at).unwrap_or(StateId::MAX));
                    continue;
                }
                next.push(number((machine.step)(state.clone(), NOW, *input)));
            }
            let mut known = vec![StateId::try_from(at).unwrap_or(StateId::MAX), next[row + Self::input_number(Input::Timeout)]];
            let mut of_state = Vec::new();
            for (step, due, timing) in &timings {
                let after = (machine.step)(state.clone().timed_by(Arc::clone(timing)), NOW, Input::Timeout);
                let next = number(after.timed_by(Arc::clone(plan)));
                if !known.contains(&next) {
                    known.push(next);
                    of_state.push(Alone { step: *step, due: *due, next });
                }
            }
            alone.push(of_state);
            at += 1;
        }
        let facts = states.iter().map(machine.facts).collect();
        let mut means_something = vec![false; inputs.len()];
        for (state, row) in (0..).zip(next.chunks_exact(inputs.len())) {
            for (means, after) in means_something.iter_mut().zip(row) {
                *means |= *after != state;
            }
        }
        Self { facts, inputs, next, alone, means_something }
    }

    /// How many states there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.facts.len()
    }

    /// There is always at least the state after the start.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.facts.is_empty()
    }

    /// Every input, in the order in which [`after`](Self::after) counts them.
    #[must_use]
    pub fn inputs(&self) -> &[Input<Told>] {
        &self.inputs
    }

    /// What is to be known of a state.
    #[must_use]
    pub fn facts(&self, state: StateId) -> &Facts {
        &self.facts[state as usize]
    }

    /// The state that an input leads to; the same state if the input means nothing there.
    #[must_use]
    pub fn after(&self, state: StateId, input: usize) -> StateId {
        self.next[state as usize * self.inputs.len() + input]
    }

    /// Whether an input changes any state at all. What does not is told in vain, whenever it comes.
    #[must_use]
    pub fn means_something(&self, input: usize) -> bool {
        self.means_something[input]
    }

    /// What may be due alone in a state, wherever that makes a difference.
    #[must_use]
    pub fn alone(&self, state: StateId) -> &[Alone] {
        &self.alone[state as usize]
    }

    /// The number of an input.
    #[must_use]
    pub fn input_number(input: Input<Told>) -> usize {
        match input {
            // A participant that is restored or moves is explored in a world of its own; here it says as little as a second start.
            Input::Start | Input::Receive(Told::Forgotten { .. } | Told::Moved { .. } | Told::SameBooks { .. }) => 0,
            // That one thing alone has come is an action of its own: it is a time-out by a plan in which nothing else is due.
            Input::Timeout | Input::Receive(Told::Due(_)) => 1,
            Input::Receive(Told::Cancel) => 2,
            Input::Receive(Told::Ruled(Ruling::Retry)) => 3,
            Input::Receive(Told::Ruled(Ruling::Resume)) => 4,
            Input::Receive(Told::Ruled(Ruling::Settle)) => 5,
            Input::Receive(Told::Ruled(Ruling::Mark { step, mark })) => {
                OF_THE_SAGA + step * PER_STEP + 3 * ANSWERS.len() + 4 + Left::ALL.len() + mark as usize
            }
            Input::Receive(Told::Sent { step }) => OF_THE_SAGA + step * PER_STEP + 3 * ANSWERS.len(),
            Input::Receive(Told::Undo { step, told }) => OF_THE_SAGA + step * PER_STEP + OF_UNDO + 1 + told as usize,
            Input::Receive(Told::Answer { to: Command { step, operation: Operation::Look }, answer: FOUND_UNDONE }) => {
                OF_THE_SAGA + step * PER_STEP + OF_UNDO
            }
            Input::Receive(Told::Answer { to: Command { step, operation: Operation::Look }, answer }) => {
                OF_THE_SAGA + step * PER_STEP + 3 * ANSWERS.len() + 1 + usize::from(answer == FOUND_REFUSED)
            }
            Input::Receive(Told::Looked { step, found: Some(Definite::Done), left }) => {
                OF_THE_SAGA + step * PER_STEP + OF_UNDO + 4 + left_at(left) as usize
            }
            Input::Receive(Told::Looked { step, left, .. }) => {
                OF_THE_SAGA + step * PER_STEP + 3 * ANSWERS.len() + 3 + left_at(left) as usize
            }
            Input::Receive(Told::Differs { step, in_effect: false }) => {
                OF_THE_SAGA + step * PER_STEP + OF_UNDO + 4 + Left::ALL.len()
            }
            Input::Receive(Told::Differs { step, in_effect: true }) => {
                OF_THE_SAGA + step * PER_STEP + 3 * ANSWERS.len() + 3 + Left::ALL.len()
            }
            Input::Receive(Told::Answer { to, answer }) => {
                let of_step = operation_number(to.operation) as usize * ANSWERS.len() + answer_number(answer);
                OF_THE_SAGA + to.step * PER_STEP + of_step
            }
        }
    }
}

/// The place of an answer in [`ANSWERS`].
pub(super) const fn answer_number(answer: Answer) -> usize {
    match answer {
        Answer::State(Definite::Done) => 0,
        Answer::State(Definite::Refused) => 1,
        Answer::State(Definite::Closed) => 2,
        Answer::State(Definite::Undone) => 3,
        Answer::OtherBody => 4,
    }
}
