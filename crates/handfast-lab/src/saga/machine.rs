//! The deployed code under one set of guards, as a value: a world is compiled once, and not once for every mutant.

use std::convert::Infallible;

use handfast_protocol::{
    Answer, Coordinator, Definite, Effect, Evidence, Guards, Input, Outcome, Party as _, Register, Request, Standing, Time, Told,
};

use super::automaton::Facts;

/// A register as it is stored: its state, and the body that it stands for.
pub(super) type Stored = (Option<Definite>, Option<u8>);

/// What carries out an effect, and says whether it did.
pub(super) type Service<'a> = &'a mut dyn FnMut(Effect) -> bool;

/// How a saga stands, as far as it says whether anything follows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Ends {
    pub(super) standing: Standing,
    pub(super) decision: Option<Outcome>,
    pub(super) evidence: Option<Evidence>,
}

/// The guards that the world asks about itself, since what they forbid happens between coordinator and register.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a guard by its own name")]
pub(super) struct Rules {
    pub(super) hold_is_committed_in_time: bool,
    pub(super) forgotten_key_is_left_alone: bool,
    pub(super) forgotten_key_is_not_closed: bool,
    pub(super) refusal_is_sticky: bool,
    pub(super) mark_is_overruled: bool,
    pub(super) act_is_marked_as_sent: bool,
    pub(super) undo_is_marked_as_sent: bool,
}

/// The transition functions of coordinator and register, compiled with these guards.
///
/// A coordinator's state says nothing of its guards, so all states are kept as the deployed one's.
#[derive(Clone, Copy, Debug)]
pub(super) struct Machine {
    /// The state after an input.
    pub(super) step: fn(Coordinator, Time, Input<Told>) -> Coordinator,
    /// What the explorer needs to know of a state.
    pub(super) facts: fn(&Coordinator) -> Facts,
    /// Whether a state is an end, with the state itself.
    pub(super) ends: fn(Coordinator) -> (Coordinator, Ends),
    /// The register takes a request. The service says of an effect whether it happened.
    pub(super) receive: fn(Stored, Request<u8>, Service<'_>) -> (Answer, Stored),
    /// The guards between the two.
    pub(super) rules: Rules,
}

impl Machine {
    /// The code with these guards.
    pub(super) fn of<G: Guards>() -> Self {
        Self {
            step: |state, now, input| {
                let mut after = state.under::<G>();
                after.step(now, input);
                after.under()
            },
            facts: |state| facts_of(&state.clone().under::<G>()),
            ends: |state| {
                let state = state.under::<G>();
                let ends = Ends { standing: state.standing(), decision: state.decision(), evidence: state.evidence() };
                (state.under(), ends)
            },
            receive: receive::<G>,
            rules: Rules {
                hold_is_committed_in_time: G::HOLD_IS_COMMITTED_IN_TIME,
                forgotten_key_is_left_alone: G::FORGOTTEN_KEY_IS_LEFT_ALONE,
                forgotten_key_is_not_closed: G::FORGOTTEN_KEY_IS_NOT_CLOSED,
                refusal_is_sticky: G::REFUSAL_IS_STICKY,
                mark_is_overruled: G::MARK_IS_OVERRULED,
                act_is_marked_as_sent: G::ACT_IS_MARKED_AS_SENT,
                undo_is_marked_as_sent: G::UNDO_IS_MARKED_AS_SENT,
            },
        }
    }
}

fn receive<G: Guards>((state, body): Stored, request: Request<u8>, service: &mut dyn FnMut(Effect) -> bool) -> (Answer, Stored) {
    let mut register = Register::<u8, G>::stored(state, body);
    let Ok(answer) = register.receive(request, |effect| Ok::<bool, Infallible>(service(effect)));
    (answer, (register.peek(), register.body().copied()))
}

fn facts_of<G: Guards>(state: &Coordinator<G>) -> Facts {
    Facts {
        outbox: state.outbox(),
        reads_back: (0..state.plan().steps().len()).filter(|&step| state.reads_back(step)).collect(),
        has_deadline: state.deadline().is_some(),
        decision: state.decision(),
        standing: state.standing(),
        evidence: state.evidence(),
        steps: (0..state.plan().steps().len()).map(|step| state.step_state(step)).collect(),
        marks: (0..state.plan().steps().len()).map(|step| (state.step_mark(step), state.is_step_off(step))).collect(),
        out_of_reach: (0..state.plan().steps().len()).map(|step| state.needs_person(step)).collect(),
        unclear: (0..state.plan().steps().len()).map(|step| state.is_unclear(step)).collect(),
        undo_is_pending: (0..state.plan().steps().len()).map(|step| state.is_undo_pending(step)).collect(),
    }
}
