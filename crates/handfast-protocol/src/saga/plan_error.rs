//! Why an order of steps is unsound, by the name of the rule that it breaks and in words.

use core::fmt;

use super::plan::Plan;

/// Why an order of steps is unsound. Steps are counted from 0.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PlanError {
    /// There is nothing to do.
    Empty,
    /// More steps than a saga may have.
    TooMany {
        /// How many there are.
        steps: usize,
    },
    /// Two steps may refuse and cannot be undone: this is the two generals' problem, and no protocol exists.
    TwoPivots {
        /// The first of them.
        first: usize,
        /// The second.
        second: usize,
    },
    /// A step that may refuse comes after a step that cannot be undone.
    MayRefuseTooLate {
        /// The compensatable step.
        step: usize,
        /// The pivot or retriable step before it.
        after: usize,
    },
    /// A step that cannot refuse, and is not undone, comes before one that may refuse.
    RetriableTooEarly {
        /// The retriable step.
        step: usize,
        /// The pivot after it.
        before: usize,
    },
    /// The step in which the saga is decided runs side by side with another.
    GateBeside {
        /// The pivot, or in a plan without one the first retriable step.
        gate: usize,
        /// Its neighbour.
        neighbour: usize,
    },
    /// Steps of different kinds run side by side, or the first step has nothing to run beside.
    BesideAnotherKind {
        /// The step.
        step: usize,
    },
    /// A step is to be undone after another that is never undone, or that waits for it in turn.
    UndoOrder {
        /// The step.
        step: usize,
        /// The step that it waits for.
        after: usize,
    },
    /// What a step holds lapses by itself, and no later step makes it lasting.
    HoldNotCaptured {
        /// The step.
        step: usize,
    },
    /// What a step holds lapses sooner than an act may be on the road, so that no saga could be decided in time.
    HoldTooShort {
        /// The step.
        step: usize,
    },
    /// What was held waits to be captured while another step is asked for, and may lapse meanwhile.
    CaptureWaits {
        /// The step that captures.
        step: usize,
        /// The step between the decision and it.
        behind: usize,
    },
    /// A step captures what no earlier step holds.
    CapturesNothing {
        /// The step.
        step: usize,
        /// The step that it is said to capture.
        held: usize,
    },
    /// A step is to be closed by what another's answer brings that does not stand in an earlier stage.
    CloseNeeds {
        /// The step.
        step: usize,
        /// The step whose answer it needs.
        needed: usize,
    },
    /// A deadline after the point from which there is no way back.
    DeadlineTooLate {
        /// The step.
        step: usize,
    },
}

impl PlanError {
    /// The name of the rule that is broken. It stays the same, whatever becomes of the text.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Empty => "no-steps",
            Self::TooMany { .. } => "too-many-steps",
            Self::TwoPivots { .. } => "two-pivots",
            Self::MayRefuseTooLate { .. } => "may-refuse-too-late",
            Self::RetriableTooEarly { .. } => "retriable-too-early",
            Self::GateBeside { .. } => "gate-beside",
            Self::BesideAnotherKind { .. } => "beside-another-kind",
            Self::UndoOrder { .. } => "undo-order",
            Self::HoldNotCaptured { .. } => "hold-not-captured",
            Self::HoldTooShort { .. } => "hold-too-short",
            Self::CaptureWaits { .. } => "capture-waits",
            Self::CapturesNothing { .. } => "captures-nothing",
            Self::CloseNeeds { .. } => "close-needs",
            Self::DeadlineTooLate { .. } => "deadline-too-late",
        }
    }
}

impl fmt::Display for PlanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // People count steps from 1.
        match *self {
            Self::Empty => write!(f, "a flow needs at least one step"),
            Self::TooMany { steps } => write!(f, "{steps} steps are more than the {} a flow may have", Plan::MAX_STEPS),
            Self::TwoPivots { first, second } => write!(
                f,
                "step {} may refuse and cannot be undone, and so can step {}: this is the two generals' problem, no protocol exists",
                first + 1,
                second + 1
            ),
            Self::MayRefuseTooLate { step, after } => write!(
                f,
                "step {} may refuse, but step {} before it cannot be undone; put step {} before it",
                step + 1,
                after + 1,
                step + 1
            ),
            Self::RetriableTooEarly { step, before } => write!(
                f,
                "step {} is not undone when step {} refuses; put it after step {}, or make it compensatable",
                step + 1,
                before + 1,
                before + 1
            ),
            Self::GateBeside { gate, neighbour } => {
                write!(f, "step {} decides the saga and must run alone, but step {} runs beside it", gate + 1, neighbour + 1)
            }
            Self::BesideAnotherKind { step } => {
                write!(f, "step {} can run beside a neighbour of its own kind only", step + 1)
            }
            Self::UndoOrder { step, after } => write!(
                f,
                "step {} cannot be undone after step {}: name another compensatable step, and no two that wait for each other",
                step + 1,
                after + 1
            ),
            Self::HoldNotCaptured { step } => write!(
                f,
                "what step {} holds lapses by itself, and no step captures it: add the step that does, after the pivot, or remove \
                 hold_expires",
                step + 1
            ),
            Self::HoldTooShort { step } => write!(
                f,
                "what step {} holds lapses sooner than message_lifetime, clock_error and longest_outage together, so that every \
                 saga would be turned back; declare less of them, or hold for longer",
                step + 1
            ),
            Self::CaptureWaits { step, behind } => write!(
                f,
                "step {} captures, and would wait until step {} is done, while what is held may lapse; move it to before step {}",
                step + 1,
                behind + 1,
                behind + 1
            ),
            Self::CapturesNothing { step, held } => write!(
                f,
                "step {} captures what step {} holds, but that step holds nothing, or does not come before it; give it \
                 hold_expires, or remove captures",
                step + 1,
                held + 1
            ),
            Self::CloseNeeds { step, needed } => {
                write!(f, "step {} is closed by what step {} brings, which is in no stage before it", step + 1, needed + 1)
            }
            Self::DeadlineTooLate { step } => {
                write!(f, "step {} runs when there is no way back any more, so a deadline could not be kept; remove it", step + 1)
            }
        }
    }
}

impl core::error::Error for PlanError {}
