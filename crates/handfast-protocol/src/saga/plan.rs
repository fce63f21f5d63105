//! The order of a saga's steps, as far as the protocol needs to know it.

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::plan_error::PlanError;
use super::profile::UNDECLARED_HORIZON_MS;
use super::step_set::StepSet;

/// What a step can promise.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Kind {
    /// It may refuse, and it can be undone.
    Compensatable,
    /// It may refuse, and it cannot be undone: its key is where the saga is decided.
    Pivot,
    /// It cannot refuse: asked often enough, it is done.
    Retriable,
}

impl Kind {
    /// Every kind, in the order in which steps of them stand in a plan.
    pub const ALL: [Self; 3] = [Self::Compensatable, Self::Pivot, Self::Retriable];

    /// The word for it in a flow and on the screen.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Compensatable => "compensatable",
            Self::Pivot => "pivot",
            Self::Retriable => "retriable",
        }
    }

    /// The kind of a name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// How doubt about a step's key comes to an end.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub enum Doubt {
    /// The key is closed: from then on its tombstone refuses an act that is late.
    #[default]
    Closes,
    /// The key cannot be closed, so the act is repeated until it is answered.
    Repeats {
        /// How many milliseconds after its intent the act is sent for the last time, since its participant may forget the
        /// key soon after. Whoever is in doubt still then needs a person. `None`: the key is never forgotten.
        last_send_ms: Option<u64>,
    },
    /// Not even a repetition is safe: the act is sent once, and from then on only looked for.
    Looks {
        /// How many milliseconds after it was sent a person is asked, if nothing was found. `None`: it is looked for on
        /// and on.
        horizon_ms: Option<u64>,
    },
}

/// One step of a plan: what the coordinator has to know of it. [`StepPlan::new`] is a step of a participant that speaks
/// the contract; every other field says how one that does not is treated.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct StepPlan {
    /// What it can promise.
    pub kind: Kind,
    /// It runs side by side with the step before it instead of after it.
    pub beside: bool,
    /// How many milliseconds after its intent its key is closed, unless it is known by then what became of it. Where it
    /// cannot be closed the saga turns back, and the key is asked until it is known.
    pub deadline_ms: Option<u64>,
    /// How doubt about its key comes to an end.
    pub doubt: Doubt,
    /// A refusal is for ever. Where it is not, an act that is still on the road may succeed after it, so that a refusal
    /// closes the key instead of settling it.
    pub refusal_holds: bool,
    /// An undo that overtakes the act leaves a tombstone. Where it does not, a key in doubt is closed before it is undone.
    pub undo_closes: bool,
    /// How many milliseconds after its intent its effect may lapse by itself (a hold on a card), less a margin: a saga
    /// that is not committed by then turns back.
    pub commit_within_ms: Option<u64>,
    /// How many milliseconds after a close was answered with a refusal that does not hold a look has to leave so that it proves
    /// that nothing is there, if it finds nothing. `None`: it cannot be looked at, and a person is asked.
    pub refused_close_ms: Option<u64>,
    /// How many milliseconds after its intent its participant may have forgotten the key, although it can be closed. Whoever is
    /// in doubt still then needs a person: closing a forgotten key would say that nothing was done.
    pub forgotten_ms: Option<u64>,
    /// Doing it several times hurts nobody, and neither does leaving it done: it is asked until it answers, and in doubt it is as good
    /// as off. What is known of it is what its first answer said.
    pub harmless: bool,
    /// Its undo may be accepted and done later, or fail later: once it was accepted it is looked for.
    pub undoes_later: bool,
    /// Its undo must not be repeated, so it leaves once and is looked for; so many milliseconds after it was sent a person is asked, if
    /// it was not found what became of it. `None`: it may be asked for as often as one likes.
    pub undo_once_ms: Option<u64>,
    /// How many milliseconds after an undo that leaves once was sent a look has to leave that lets it leave again, if it finds what was
    /// done still there. `None`: it never leaves again.
    pub undo_again_ms: Option<u64>,
    /// It may be looked at beside its act, or beside the close of its key, and what is there counts: whoever drives the saga does so
    /// where an answer said nothing.
    pub reads_back: bool,
    /// For how many milliseconds after the end in *neither* its key is looked at, since an effect may still appear there.
    pub watch_ms: Option<u64>,
    /// For how many milliseconds after something was done a look may not find it yet.
    pub peek_lag_ms: u64,
    /// The step, counted from 0, that has to be off before this one is undone, because its undo needs what that one's left.
    pub undo_after: Option<usize>,
    /// The earlier steps of whose answers its close names something, so that it cannot be closed before they are done.
    pub close_needs: StepSet,
}

impl StepPlan {
    /// A step whose participant speaks the contract, after the step before it and without a deadline.
    #[must_use]
    pub const fn new(kind: Kind) -> Self {
        Self {
            kind,
            beside: false,
            deadline_ms: None,
            doubt: Doubt::Closes,
            refusal_holds: true,
            undo_closes: true,
            commit_within_ms: None,
            refused_close_ms: None,
            forgotten_ms: None,
            harmless: false,
            undoes_later: false,
            undo_once_ms: None,
            undo_again_ms: None,
            reads_back: false,
            watch_ms: None,
            peek_lag_ms: 0,
            undo_after: None,
            close_needs: StepSet::NONE,
        }
    }

    /// The same with a deadline, in milliseconds after its intent.
    #[must_use]
    pub const fn deadline(mut self, deadline_ms: Option<u64>) -> Self {
        self.deadline_ms = deadline_ms;
        self
    }

    /// The same, side by side with the step before it.
    #[must_use]
    pub const fn beside(mut self) -> Self {
        self.beside = true;
        self
    }

    /// Doubt about its key may end with a person.
    #[must_use]
    pub const fn may_need_a_person(&self) -> bool {
        if self.undoes_later || self.undo_leaves_once() {
            return true;
        }
        match self.doubt {
            Doubt::Closes => self.forgotten_ms.is_some() || (!self.refusal_holds && self.refused_close_ms.is_none()),
            Doubt::Repeats { last_send_ms } => last_send_ms.is_some(),
            Doubt::Looks { horizon_ms } => horizon_ms.is_some(),
        }
    }

    /// Its undo must not be repeated.
    #[must_use]
    pub const fn undo_leaves_once(&self) -> bool {
        self.undo_once_ms.is_some()
    }

    /// Its key can be closed for good.
    #[must_use]
    pub const fn closes(&self) -> bool {
        matches!(self.doubt, Doubt::Closes)
    }
}

/// What a step may have that is due after a time.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Due {
    /// Its deadline.
    Deadline,
    /// The saga has to be committed, because what the step holds may lapse.
    Commit,
    /// Its key must not be asked any more, and a person is asked instead.
    GiveUp,
    /// Its key need not be watched any longer.
    Watch,
    /// It was marked as not done, and nothing can be on the road any more.
    Mark,
}

impl Due {
    /// Every one of them.
    pub const ALL: [Self; 5] = [Self::Deadline, Self::Commit, Self::GiveUp, Self::Watch, Self::Mark];
}

/// A sound order of steps: compensatable ones, then at most one pivot, then retriable ones.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Plan {
    steps: Box<[StepPlan]>,
    /// The first step of every stage; the steps of one stage run side by side.
    stages: Box<[usize]>,
    gate: Option<usize>,
    /// For how many milliseconds each step is looked for after a person has marked it as not done.
    marked_ms: Box<[u64]>,
}

impl Plan {
    /// The largest number of steps of a plan.
    pub const MAX_STEPS: usize = 64;

    /// A plan of these steps, if their order is sound.
    ///
    /// # Errors
    /// The first rule that the order breaks, and where.
    pub fn new(steps: Vec<StepPlan>) -> Result<Self, PlanError> {
        if steps.is_empty() {
            return Err(PlanError::Empty);
        }
        if steps.len() > Self::MAX_STEPS {
            return Err(PlanError::TooMany { steps: steps.len() });
        }
        check_order(&steps)?;
        let gate = steps.iter().position(|step| step.kind != Kind::Compensatable);
        check_stages(&steps, gate)?;
        if let Some(step) =
            (0..steps.len()).find(|&step| gate.is_some_and(|gate| step > gate) && steps[step].deadline_ms.is_some())
        {
            return Err(PlanError::DeadlineTooLate { step });
        }
        check_undo_order(&steps, gate)?;
        check_close_needs(&steps)?;
        let stages = (0..steps.len()).filter(|&step| !steps[step].beside).collect();
        let marked_ms = steps.iter().map(|step| step.watch_ms.unwrap_or(UNDECLARED_HORIZON_MS)).collect();
        Ok(Self { steps: steps.into(), stages, gate, marked_ms })
    }

    /// The plain case: a payment that can be undone, then a dispatch that cannot.
    ///
    /// Deadlines in milliseconds, for each of the two.
    #[must_use]
    pub fn payment_then_dispatch(payment_deadline_ms: Option<u64>, dispatch_deadline_ms: Option<u64>) -> Self {
        let step = |kind, deadline_ms| StepPlan::new(kind).deadline(deadline_ms);
        Self {
            steps: Box::new([step(Kind::Compensatable, payment_deadline_ms), step(Kind::Pivot, dispatch_deadline_ms)]),
            stages: Box::new([0, 1]),
            gate: Some(1),
            marked_ms: Box::new([UNDECLARED_HORIZON_MS; 2]),
        }
    }

    /// Whether anything in it is due after a time.
    #[must_use]
    pub fn is_timed(&self) -> bool {
        self.steps.iter().any(|step| {
            let in_doubt = match step.doubt {
                Doubt::Closes => None,
                Doubt::Repeats { last_send_ms } => last_send_ms,
                // An act that leaves once is bound to its moment, horizon or not.
                Doubt::Looks { horizon_ms } => horizon_ms.or(Some(0)),
            };
            let undone = step.undo_once_ms;
            [step.deadline_ms, step.commit_within_ms, step.watch_ms, step.forgotten_ms, undone, in_doubt]
                .iter()
                .any(Option::is_some)
        })
    }

    /// The same plan in which everything that is due after a time is due at once: whoever explores it with a clock that
    /// stands still sees every deadline pass at every moment.
    #[must_use]
    pub fn at_any_moment(self) -> Self {
        self.with_times(|_, _| 0)
    }

    /// The same plan in which of everything that is due after a time just this of one step is due at once, and nothing else
    /// ever is.
    #[must_use]
    pub fn with_only(self, step: usize, due: Due) -> Self {
        self.with_times(|of_step, which| if (of_step, which) == (step, due) { 0 } else { u64::MAX })
    }

    /// The same plan with other times, in milliseconds, wherever it has one.
    fn with_times(mut self, time_ms: impl Fn(usize, Due) -> u64) -> Self {
        for (at, step) in self.steps.iter_mut().enumerate() {
            let other = |due: Due, ms: Option<u64>| ms.map(|_| time_ms(at, due));
            step.deadline_ms = other(Due::Deadline, step.deadline_ms);
            step.commit_within_ms = other(Due::Commit, step.commit_within_ms);
            step.watch_ms = other(Due::Watch, step.watch_ms);
            step.refused_close_ms = other(Due::Watch, step.refused_close_ms);
            step.forgotten_ms = other(Due::GiveUp, step.forgotten_ms);
            step.undo_once_ms = other(Due::GiveUp, step.undo_once_ms);
            step.undo_again_ms = other(Due::Watch, step.undo_again_ms);
            step.doubt = match step.doubt {
                Doubt::Closes => Doubt::Closes,
                Doubt::Repeats { last_send_ms } => Doubt::Repeats { last_send_ms: other(Due::GiveUp, last_send_ms) },
                Doubt::Looks { horizon_ms } => Doubt::Looks { horizon_ms: other(Due::GiveUp, horizon_ms) },
            };
            self.marked_ms[at] = time_ms(at, Due::Mark);
        }
        self
    }

    /// Its steps, in order.
    #[must_use]
    pub fn steps(&self) -> &[StepPlan] {
        &self.steps
    }

    /// The step in whose key the saga is decided: the pivot, or the first retriable step where there is no pivot.
    /// `None` when every step can be undone.
    #[must_use]
    pub const fn gate(&self) -> Option<usize> {
        self.gate
    }

    /// The stages in order, each as its range of steps.
    pub(super) fn stages(&self) -> impl Iterator<Item = core::ops::Range<usize>> + '_ {
        (0..self.stages.len()).map(|stage| {
            let end = self.stages.get(stage + 1).copied().unwrap_or(self.steps.len());
            self.stages[stage]..end
        })
    }

    /// Doubt about some step's key may end with a person.
    #[must_use]
    pub fn may_need_a_person(&self) -> bool {
        self.steps.iter().any(StepPlan::may_need_a_person)
    }

    /// For how many milliseconds a step is looked for after a person has marked it as not done, since an act may be on the road:
    /// as long as it would be watched after the end, or for a day where nothing is declared.
    pub(super) fn marked_ms(&self, step: usize) -> u64 {
        self.marked_ms[step]
    }

    /// Whether a step comes after the gate.
    pub(super) fn is_after_gate(&self, step: usize) -> bool {
        self.gate.is_some_and(|gate| step > gate)
    }
}

fn check_order(steps: &[StepPlan]) -> Result<(), PlanError> {
    let pivot = steps.iter().position(|step| step.kind == Kind::Pivot);
    for (step, plan) in steps.iter().enumerate() {
        match plan.kind {
            Kind::Compensatable => {
                if let Some(after) = steps[..step].iter().position(|earlier| earlier.kind != Kind::Compensatable) {
                    return Err(PlanError::MayRefuseTooLate { step, after });
                }
            }
            Kind::Pivot => {
                if let Some(first) = pivot.filter(|&first| first < step) {
                    return Err(PlanError::TwoPivots { first, second: step });
                }
            }
            Kind::Retriable => {
                if let Some(before) = pivot.filter(|&pivot| pivot > step) {
                    return Err(PlanError::RetriableTooEarly { step, before });
                }
            }
        }
    }
    Ok(())
}

/// The undos of a saga wait for one another in no circle.
fn check_undo_order(steps: &[StepPlan], gate: Option<usize>) -> Result<(), PlanError> {
    let compensatable = gate.unwrap_or(steps.len());
    for (step, plan) in steps.iter().enumerate() {
        let Some(after) = plan.undo_after else { continue };
        let error = Err(PlanError::UndoOrder { step, after });
        let (mut last, mut waits) = (step, Some(after));
        for _ in 0..steps.len() {
            let Some(next) = waits else { break };
            if next >= compensatable || last >= compensatable {
                return error;
            }
            (last, waits) = (next, steps[next].undo_after);
        }
        if waits.is_some() {
            return error;
        }
    }
    Ok(())
}

/// What a close needs comes from a stage that is over before its step is asked for.
fn check_close_needs(steps: &[StepPlan]) -> Result<(), PlanError> {
    for (step, plan) in steps.iter().enumerate() {
        let stage = (0..=step).rev().find(|&at| !steps[at].beside).unwrap_or(0);
        if let Some(needed) = plan.close_needs.iter().find(|&needed| needed >= stage) {
            return Err(PlanError::CloseNeeds { step, needed });
        }
    }
    Ok(())
}

fn check_stages(steps: &[StepPlan], gate: Option<usize>) -> Result<(), PlanError> {
    for (step, plan) in steps.iter().enumerate().filter(|(_, plan)| plan.beside) {
        let Some(neighbour) = step.checked_sub(1) else {
            return Err(PlanError::BesideAnotherKind { step });
        };
        if gate == Some(step) || gate == Some(neighbour) {
            let other = if gate == Some(step) { neighbour } else { step };
            return Err(PlanError::GateBeside { gate: gate.unwrap_or(step), neighbour: other });
        }
        if steps[neighbour].kind != plan.kind {
            return Err(PlanError::BesideAnotherKind { step });
        }
    }
    Ok(())
}
