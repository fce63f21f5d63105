//! The state of a coordinator as bytes, from which the digest of a journal entry is made.

use alloc::vec::Vec;

use super::coordinator::{Coordinator, Phase, StepState};
use super::message::{Evidence, Operation};
use super::moved::{Moved, There};
use super::person::Mark;
use super::undo::UndoState;
use crate::guards::Guards;
use crate::register::{Answer, Definite};

/// Beside the code of an operation.
const GIVEN_UP: u8 = 0x80;
const SEEN_OFF: u8 = 0x40;
const REFUSED_CLOSE: u8 = 0x20;
/// Added to the code of an undo that may have left, where the key is to be closed before it is asked for again.
const HELD_BACK: u8 = 4;
/// Beside the code of what is known.
const OTHER: u8 = 0x80;
const CONTRADICTED: u8 = 0x08;
const MARK_COUNTS: u8 = 0x40;
const MARK_SHIFT: u32 = 4;
/// Beside the code of what is known of a step where its service has moved to.
const UNDO_MAY_HAVE_LEFT: u8 = 0x10;
const ROAD_IS_CLEAR: u8 = 0x20;
/// Beside the code of an operation, too.
const VOID: u8 = 0x10;

impl<G: Guards> Coordinator<G> {
    /// The whole state in a fixed layout: phase (1 byte), clock (8), evidence (12, of which the first says whether
    /// there is any, and of which kind), then for each step what was asked (1; its highest bits say that it was given up, that a last look at it found nothing, and that it refused to close; what is known of an undo is a code of its own), what is
    /// known (1; the others say that it is in effect with other values, or that answers speak of others while nothing is known, that it was contradicted, and how a person has marked it) and since when (8). Where any step has moved, a byte for each says whether it has. Numbers are little-endian. Equal states have equal bytes, different states different ones, in every build of this version.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(21 + 10 * self.steps.len());
        bytes.push(phase_code(self.phase));
        bytes.extend_from_slice(&self.clock.0.to_le_bytes());
        encode_evidence(&mut bytes, self.evidence);
        for StepState {
            asked,
            known,
            since,
            is_given_up,
            was_seen_off,
            refused_close,
            is_other,
            is_contradicted,
            mark,
            mark_counts,
            is_void,
            undo,
            moved: _,
        } in &self.steps
        {
            let marks = [(is_given_up, GIVEN_UP), (was_seen_off, SEEN_OFF), (refused_close, REFUSED_CLOSE), (is_void, VOID)];
            let marks = marks.into_iter().filter(|(is_set, _)| **is_set).fold(0, |marks, (_, mark)| marks | mark);
            let of_undo = |undo| undo_code(undo) + if *asked == Some(Operation::Undo) { 0 } else { HELD_BACK };
            bytes.push(undo.map_or_else(|| asked.map_or(0, operation_code), of_undo) | marks);
            let of_a_person = mark.map_or(0, mark_code) << MARK_SHIFT | if *mark_counts { MARK_COUNTS } else { 0 };
            let of_answers = [(is_other, OTHER), (is_contradicted, CONTRADICTED)];
            let of_answers = of_answers.into_iter().filter(|(is_set, _)| **is_set).fold(0, |bits, (_, bit)| bits | bit);
            bytes.push(known.map_or(0, definite_code) | of_a_person | of_answers);
            bytes.extend_from_slice(&since.0.to_le_bytes());
        }
        // Most sagas never move, and end here.
        if self.steps.iter().any(|state| state.moved.is_some()) {
            bytes.extend(self.steps.iter().map(|state| state.moved.map_or(0, moved_code)));
        }
        bytes
    }
}

fn encode_evidence(bytes: &mut Vec<u8>, evidence: Option<Evidence>) {
    let (kind, step, rest) = match evidence {
        None => (0, 0, [0; 3]),
        Some(Evidence::Contradiction { to, known, answer }) => {
            let answer = match answer {
                Answer::State(state) => definite_code(state),
                Answer::OtherBody => 5,
            };
            (1, to.step, [operation_code(to.operation), known.map_or(0, definite_code), answer])
        }
        Some(Evidence::OutOfReach { step }) => (2, step, [0; 3]),
        Some(Evidence::LateEffect { step }) => (3, step, [0; 3]),
        Some(Evidence::RefusedClose { step }) => (4, step, [0; 3]),
        Some(Evidence::RefusedForGood { step }) => (5, step, [0; 3]),
        Some(Evidence::OtherValues { step }) => (6, step, [0; 3]),
        Some(Evidence::UndoFailed { step }) => (7, step, [0; 3]),
        Some(Evidence::Moved { step }) => (8, step, [0; 3]),
        Some(Evidence::NotFound { step }) => (9, step, [0; 3]),
    };
    bytes.push(kind);
    bytes.extend_from_slice(&(step as u64).to_le_bytes());
    bytes.extend_from_slice(&rest);
}

const fn phase_code(phase: Phase) -> u8 {
    match phase {
        Phase::Placed => 0,
        Phase::Forward => 1,
        Phase::TurningBack => 2,
        Phase::Completed => 3,
        Phase::Cancelled => 4,
        Phase::Suspended => 5,
        Phase::Watching => 6,
        Phase::Settled => 7,
    }
}

const fn mark_code(mark: Mark) -> u8 {
    match mark {
        Mark::Done => 1,
        Mark::NotDone => 2,
        Mark::Undone => 3,
    }
}

const fn operation_code(operation: Operation) -> u8 {
    match operation {
        Operation::Act => 1,
        Operation::Close => 2,
        Operation::Undo => 3,
        Operation::Look => 4,
    }
}

/// In the place of the code of an operation: an undo of which more is known than that it was asked for.
const fn undo_code(undo: UndoState) -> u8 {
    match undo {
        UndoState::Sent => 5,
        UndoState::Accepted => 6,
        UndoState::Failed => 7,
        UndoState::Lost => 8,
    }
}

fn moved_code(moved: Moved) -> u8 {
    let there = match moved.there {
        There::LookedFor => 1,
        There::NotFound => 2,
        There::CannotBeLookedAt => 3,
    };
    let marks = [(moved.undo_may_have_left, UNDO_MAY_HAVE_LEFT), (moved.road_is_clear, ROAD_IS_CLEAR)];
    marks.iter().filter(|(is_set, _)| *is_set).fold(there, |code, (_, mark)| code | mark)
}

const fn definite_code(state: Definite) -> u8 {
    match state {
        Definite::Done => 1,
        Definite::Refused => 2,
        Definite::Closed => 3,
        Definite::Undone => 4,
    }
}
