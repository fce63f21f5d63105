//! What a participant promises for one step, and what follows from it: how the coordinator treats the step, and what
//! cannot be promised at all.
//!
//! A profile is what somebody declares about a service. [`assess`] makes a [`Plan`] of the profiles of a flow's steps, or
//! says why no order of commands can make them safe.

use alloc::vec::Vec;

use super::meaning::{Meaning, Meanings};
use super::message::Operation;
use super::plan::{Doubt, Kind, Plan, StepPlan};
use super::plan_error::PlanError;
use super::risk::{Finding, Remark, Risk};
use super::step_set::StepSet;
use crate::register::Definite;

/// Whether, and how, an effect can be undone.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub enum Undo {
    /// It can; undoing what is not there closes the key.
    #[default]
    Closes,
    /// It can, but undoing what is not there does nothing, and an act that comes later is carried out.
    NoOpWhenAbsent,
    /// It cannot.
    Never,
}

/// Whether, and for how long, a key can be closed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub enum Close {
    /// For ever.
    #[default]
    ForEver,
    /// For so many milliseconds; an act that arrives after that is carried out.
    For(u64),
    /// Closing what is not there does nothing, and an act that comes later is carried out.
    NoOpWhenAbsent,
    /// It cannot.
    Never,
}

/// Whether an act may be asked for again.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub enum Repeat {
    /// As often and as late as one likes: the key is remembered for ever.
    #[default]
    ForEver,
    /// For so many milliseconds; the key is forgotten after that, and an act on it is carried out again.
    For(u64),
    /// Never: every act is carried out.
    Never,
}

/// When the answer to an act says what became of it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub enum Answers {
    /// At once.
    #[default]
    Now,
    /// Later: the first answer is "accepted", and the act, which is idempotent, is asked for again until it says more.
    Later,
}

/// Whether an answer that says that it is done says what was done, too.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub enum Values {
    /// It does not have to: what was asked for has one meaning, or a receipt names it.
    #[default]
    Settled,
    /// It does, and that is compared with what was asked for.
    Compared,
    /// An amount is sent, and neither it nor the key is compared with anything.
    Unseen,
}

/// What a participant promises for one step. The default is the contract.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Profile {
    /// Whether its effect can be undone.
    pub undo: Undo,
    /// Whether it may refuse.
    pub may_refuse: bool,
    /// Whether its key can be closed.
    pub close: Close,
    /// Whether its act may be asked for again.
    pub repeat: Repeat,
    /// Whether a refusal is for ever.
    pub sticky_refusal: bool,
    /// After how many milliseconds its effect lapses by itself, unless a later step makes it lasting.
    pub hold_expires_ms: Option<u64>,
    /// Whether it can be looked at, by its key or a reference.
    pub peek: bool,
    /// Whether doing it several times hurts nobody, and neither does leaving it done, as of an intent that nobody confirms. It
    /// has to be one that can be undone.
    pub harmless: bool,
    /// Whether its undo may be accepted and done later, or fail later, and can be looked for by itself.
    pub undoes_later: bool,
    /// Whether its undo is carried out once, however often it is asked for.
    pub undo_idempotent: bool,
    /// Whether a look tells apart what is done from what was done and undone, where nothing but the key is known of its undo.
    pub undo_is_seen: bool,
    /// Whether what a look finds is asked for too where an act or a close was answered with nothing that is certain.
    pub reads_back: bool,
    /// For how many milliseconds after something was done a look may not see it yet, as of a search by a reference.
    pub peek_lag_ms: u64,
    /// When its answer comes.
    pub answers: Answers,
    /// What its answers mean by a status alone, or by something else that others send as well.
    pub bare: Meanings,
    /// Whether what was done is compared with what was asked for.
    pub values: Values,
    /// Whether an amount is sent, and an answer that says that it is undone is not compared with it.
    pub return_unseen: bool,
    /// An amount is compared, and some answer that means *done* does not say whose it is.
    pub whose_unseen: bool,
}

impl Profile {
    /// A participant that speaks the contract, and may refuse and undo.
    pub const CONTRACT: Self = Self {
        undo: Undo::Closes,
        may_refuse: true,
        close: Close::ForEver,
        repeat: Repeat::ForEver,
        sticky_refusal: true,
        hold_expires_ms: None,
        peek: true,
        harmless: false,
        undoes_later: false,
        undo_idempotent: true,
        undo_is_seen: true,
        reads_back: false,
        peek_lag_ms: 0,
        answers: Answers::Now,
        bare: Meanings::NONE,
        values: Values::Settled,
        return_unseen: false,
        whose_unseen: false,
    };

    /// The profile of a step of this kind whose participant speaks the contract.
    #[must_use]
    pub const fn of_kind(kind: Kind) -> Self {
        match kind {
            Kind::Compensatable => Self::CONTRACT,
            Kind::Pivot => Self { undo: Undo::Never, ..Self::CONTRACT },
            Kind::Retriable => Self { undo: Undo::Never, may_refuse: false, ..Self::CONTRACT },
        }
    }

    /// What kind of step it makes.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        match (self.undo, self.may_refuse) {
            (Undo::Closes | Undo::NoOpWhenAbsent, _) => Kind::Compensatable,
            (Undo::Never, true) => Kind::Pivot,
            (Undo::Never, false) => Kind::Retriable,
        }
    }

    /// Whether it is treated as one that hurts nobody: it can be undone, and may be done several times.
    #[must_use]
    pub const fn is_harmless(&self) -> bool {
        self.harmless && matches!(self.kind(), Kind::Compensatable)
    }

    /// The key can be closed, for ever or for a time.
    #[must_use]
    pub const fn closes(&self) -> bool {
        matches!(self.close, Close::ForEver | Close::For(_))
    }
}

impl Default for Profile {
    fn default() -> Self {
        Self::CONTRACT
    }
}

/// By what the requests of a step name what they are about.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub enum Named {
    /// By its key, or by what the order says: every copy of the journal names the same.
    #[default]
    ByKey,
    /// By what was kept of an earlier step that may be done several times, counted from 0, and always by the key too, so that its
    /// participant sees that another one is meant.
    ByKeyAndIdOf(usize),
    /// By what was kept of an earlier step that may be done several times, counted from 0, and some of them by nothing else.
    ByIdOf(usize),
}

/// One step of a flow, by what its participant promises.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct ProfiledStep {
    /// What its participant promises.
    pub profile: Profile,
    /// It runs side by side with the step before it.
    pub beside: bool,
    /// How many milliseconds after its intent its key is closed.
    pub deadline_ms: Option<u64>,
    /// The step, counted from 0, whose hold this one makes lasting.
    pub captures: Option<usize>,
    /// The step, counted from 0, that has to be off before this one is undone.
    pub undo_after: Option<usize>,
    /// The earlier steps of whose answers the request that closes this one names something.
    pub close_needs: StepSet,
    /// By what its requests name what they are about.
    pub named: Named,
}

impl ProfiledStep {
    /// A step of a participant that promises this, after the step before it, without a deadline, and by its key alone.
    #[must_use]
    pub const fn new(profile: Profile) -> Self {
        Self {
            profile,
            beside: false,
            deadline_ms: None,
            captures: None,
            undo_after: None,
            close_needs: StepSet::NONE,
            named: Named::ByKey,
        }
    }
}

/// What is taken for granted about the world. Without all three of them nothing that ends after a time can be relied on.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Assumptions {
    /// No message arrives more than so many milliseconds after it was sent.
    pub message_lifetime_ms: Option<u64>,
    /// No two clocks differ by more than so many milliseconds.
    pub clock_error_ms: Option<u64>,
    /// No coordinator or participant is out of reach for more than so many milliseconds.
    pub longest_outage_ms: Option<u64>,
}

impl Assumptions {
    /// For how many milliseconds after its last send an act may still arrive, by anybody's clock; `None` if something is
    /// not declared.
    #[must_use]
    pub const fn margin_ms(&self) -> Option<u64> {
        match (self.message_lifetime_ms, self.clock_error_ms, self.longest_outage_ms) {
            (Some(lifetime), Some(error), Some(outage)) => Some(lifetime.saturating_add(error).saturating_add(outage)),
            (Some(_) | None, Some(_) | None, Some(_) | None) => None,
        }
    }
}

impl Assumptions {
    /// For how many milliseconds a message may be on the road by anybody's clock, as far as it is declared.
    fn on_the_road_ms(&self) -> u64 {
        self.message_lifetime_ms.unwrap_or(0).saturating_add(self.clock_error_ms.unwrap_or(0))
    }
}

/// How long an act that is sent once is looked for, and how long an end is watched, where nothing is declared: a day.
pub(super) const UNDECLARED_HORIZON_MS: u64 = 24 * 60 * 60 * 1_000;

/// What follows from the profiles of a flow.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Assessment {
    /// How the coordinator treats the steps.
    pub plan: Plan,
    /// What cannot be promised, in the order of the steps. Such a flow runs only where each of these was accepted.
    pub risks: Vec<Finding<Risk>>,
    /// What is promised, but not as one might expect.
    pub remarks: Vec<Finding<Remark>>,
}

/// Makes a plan of the steps of a flow, if their order is sound, and says what it cannot promise.
///
/// Several steps that may refuse and cannot be undone make a plan too, in which each but the first is treated as if it could
/// not refuse: [`Risk::TwoPivots`], once for each of them.
///
/// # Errors
/// The first rule that the order breaks, and where.
pub fn assess(steps: &[ProfiledStep], assumptions: &Assumptions) -> Result<Assessment, PlanError> {
    check_holds(steps, assumptions)?;
    let gate = steps.iter().position(|step| step.profile.kind() != Kind::Compensatable);
    check_captures(steps, gate)?;
    let first_pivot = steps.iter().position(|step| step.profile.kind() == Kind::Pivot);
    let flow = Flow { steps, gate, first_pivot, assumptions };
    // How every step is treated comes first: what that leaves open at one of them may rest on how another is treated.
    let mut plans: Vec<StepPlan> = (0..steps.len()).map(|step| flow.treatment(step)).collect();
    let mut risks = Vec::new();
    let mut remarks = Vec::new();
    for step in 0..steps.len() {
        let mut of_step = flow.risks(step, &plans);
        if of_step.iter().any(Risk::may_show_late) && steps[step].profile.peek {
            plans[step].watch_ms = Some(flow.horizon_ms(step));
        }
        of_step.extend(flow.bare_looks(step, &plans[step]));
        risks.extend(of_step.into_iter().map(|what| Finding { step, what }));
        let is_unseen = (steps[step].profile.values == Values::Unseen).then_some(Remark::AmountUnseen);
        let is_return_unseen = steps[step].profile.return_unseen.then_some(Remark::ReturnUnseen);
        let is_whose_unseen = (steps[step].profile.whose_unseen && !plans[step].closes()).then_some(Remark::WhoseUnseen);
        let of_values = is_unseen.into_iter().chain(is_return_unseen).chain(is_whose_unseen);
        let of_step = flow.remark(step, &plans).into_iter().chain(of_values);
        remarks.extend(of_step.map(|what| Finding { step, what }));
    }
    Ok(Assessment { plan: Plan::new(plans)?, risks, remarks })
}

/// Every hold is captured by a later step, and nothing else is.
fn check_holds(steps: &[ProfiledStep], assumptions: &Assumptions) -> Result<(), PlanError> {
    let holds = |held: usize| steps[held].profile.hold_expires_ms.is_some();
    for (step, profiled) in steps.iter().enumerate() {
        if let Some(held) = profiled.captures
            && (held >= step || !holds(held))
        {
            return Err(PlanError::CapturesNothing { step, held });
        }
        // What can be undone itself comes before the decision, and a hold has to last until after it.
        let captures = |later: &ProfiledStep| later.captures == Some(step) && later.profile.kind() != Kind::Compensatable;
        if holds(step) && !steps[step..].iter().any(captures) {
            return Err(PlanError::HoldNotCaptured { step });
        }
        let expires_ms = profiled.profile.hold_expires_ms.unwrap_or(u64::MAX);
        if assumptions.margin_ms().is_some_and(|margin_ms| margin_ms >= expires_ms) {
            return Err(PlanError::HoldTooShort { step });
        }
    }
    Ok(())
}

/// Between the decision and a capture nothing is waited for that is no capture itself.
fn check_captures(steps: &[ProfiledStep], gate: Option<usize>) -> Result<(), PlanError> {
    let Some(gate) = gate else { return Ok(()) };
    for step in (gate + 1..steps.len()).filter(|&step| steps[step].captures.is_some()) {
        // Whoever runs beside it is not waited for.
        let stage = (0..=step).rev().find(|&first| !steps[first].beside).unwrap_or(0);
        if let Some(behind) = (gate + 1..stage).find(|&behind| steps[behind].captures.is_none()) {
            return Err(PlanError::CaptureWaits { step, behind });
        }
    }
    Ok(())
}

/// A flow while it is assessed.
struct Flow<'a> {
    steps: &'a [ProfiledStep],
    gate: Option<usize>,
    first_pivot: Option<usize>,
    assumptions: &'a Assumptions,
}

impl Flow<'_> {
    /// How the coordinator treats a step. Whether it is watched after the end follows from the risks.
    fn treatment(&self, step: usize) -> StepPlan {
        let ProfiledStep { profile, beside, deadline_ms, captures: _, undo_after, close_needs, named: _ } = self.steps[step];
        let kind = if self.pivot_before(step).is_some() { Kind::Retriable } else { profile.kind() };
        let undo_closes = profile.undo != Undo::NoOpWhenAbsent;
        let mut plan = StepPlan { beside, deadline_ms, undo_closes, undo_after, close_needs, ..StepPlan::new(kind) };
        plan.refusal_holds = profile.sticky_refusal || !profile.may_refuse;
        plan.doubt = self.doubt(step, &mut plan.deadline_ms);
        if let (Repeat::For(remembers_ms), Doubt::Closes) = (profile.repeat, plan.doubt) {
            plan.forgotten_ms = Some(remembers_ms.saturating_sub(self.assumptions.on_the_road_ms()));
        }
        plan.harmless = profile.is_harmless();
        let can_be_undone = profile.kind() == Kind::Compensatable;
        plan.undoes_later = profile.undoes_later && can_be_undone;
        if can_be_undone && !profile.undo_idempotent {
            // What is pending looks like what was never asked for, and is no reason to ask again; and nothing can be relied on that
            // ends after a time, where nobody has declared how late a message can be.
            let may_repeat = profile.undo_is_seen && !profile.undoes_later && self.assumptions.margin_ms().is_some();
            plan.undo_again_ms = may_repeat.then(|| self.horizon_ms(step));
            plan.undo_once_ms = Some(if may_repeat { self.horizon_ms(step).saturating_mul(2) } else { self.horizon_ms(step) });
        }
        plan.peek_lag_ms = if profile.peek { profile.peek_lag_ms } else { 0 };
        plan.reads_back = profile.peek && profile.reads_back && !plan.harmless;
        let may_refuse_to_close = !plan.refusal_holds && plan.closes() && profile.peek && !self.is_after_gate(step);
        plan.refused_close_ms = may_refuse_to_close.then(|| self.horizon_ms(step));
        let margin_ms = self.assumptions.margin_ms().unwrap_or(0);
        plan.commit_within_ms = profile.hold_expires_ms.map(|expires_ms| expires_ms.saturating_sub(margin_ms));
        plan
    }

    /// How doubt about the key ends. A key that is forgotten but can be closed is closed in time, by an earlier deadline.
    fn doubt(&self, step: usize, deadline_ms: &mut Option<u64>) -> Doubt {
        let profile = self.steps[step].profile;
        if profile.is_harmless() {
            return Doubt::Repeats { last_send_ms: None };
        }
        let remembers_ms = match profile.repeat {
            Repeat::ForEver if profile.closes() => return Doubt::Closes,
            Repeat::ForEver => return Doubt::Repeats { last_send_ms: None },
            Repeat::For(remembers_ms) => remembers_ms,
            Repeat::Never => {
                return Doubt::Looks { horizon_ms: Some(self.horizon_ms(step)) };
            }
        };
        let early_enough = self.assumptions.margin_ms().filter(|&margin_ms| margin_ms < remembers_ms);
        let last_send_ms = remembers_ms - early_enough.unwrap_or(0);
        if profile.closes() && !self.is_after_gate(step) {
            *deadline_ms = Some(deadline_ms.map_or(last_send_ms, |deadline_ms| deadline_ms.min(last_send_ms)));
            return Doubt::Closes;
        }
        Doubt::Repeats { last_send_ms: Some(last_send_ms) }
    }

    /// How long it takes until nothing is on the road any more, and a look sees all that has arrived.
    fn horizon_ms(&self, step: usize) -> u64 {
        let margin_ms = self.assumptions.margin_ms().unwrap_or(UNDECLARED_HORIZON_MS);
        margin_ms.saturating_add(self.steps[step].profile.peek_lag_ms)
    }

    /// What the treatments leave open at a step.
    fn risks(&self, step: usize, plans: &[StepPlan]) -> Vec<Risk> {
        let (profile, plan) = (self.steps[step].profile, &plans[step]);
        let margin_ms = self.assumptions.margin_ms();
        let is_too_short = |ms: u64| margin_ms.is_none_or(|margin_ms| ms <= margin_ms);
        // What comes after the gate is closed by nobody, and no saga ends in *neither* once it was asked for.
        let before_the_end = !self.is_after_gate(step);
        let mut risks = Vec::new();
        risks.extend(self.pivot_before(step).map(|first| Risk::TwoPivots { first }));
        match profile.repeat {
            _ if profile.is_harmless() => {}
            Repeat::Never => risks.push(Risk::NotIdempotent { peek: profile.peek }),
            Repeat::For(remembers_ms) if is_too_short(remembers_ms) => {
                risks.push(Risk::ForgottenKey { remembers_ms, margin_ms });
            }
            Repeat::For(_) | Repeat::ForEver => {}
        }
        if plan.undo_leaves_once() {
            risks.push(Risk::UndoNotIdempotent { repeats: plan.undo_again_ms.is_some() });
        }
        if !plan.refusal_holds && !plan.closes() && before_the_end && !plan.harmless {
            risks.push(Risk::LooseRefusal);
        }
        if let Close::For(closed_ms) = profile.close
            && is_too_short(closed_ms)
            && plan.closes()
            && before_the_end
        {
            risks.push(Risk::ShortTombstone { closed_ms, margin_ms });
        }
        // Where the gate itself captures what is held, it refuses once that has lapsed, and the saga turns back.
        let is_captured_by_gate = self.gate.is_some_and(|gate| self.steps[gate].captures == Some(step));
        if let Some(expires_ms) = profile.hold_expires_ms
            && !is_captured_by_gate
        {
            let gate_cannot_close = self.gate.is_some_and(|gate| !plans[gate].closes());
            risks.push(Risk::HoldLapse { expires_ms, margin_ms, gate_cannot_close });
        }
        if let Named::ByIdOf(of) = self.steps[step].named
            && of < step
            && self.steps[of].profile.is_harmless()
        {
            risks.push(Risk::SecondId { of });
        }
        let is_asked = |operation: Operation| match operation {
            Operation::Act => true,
            Operation::Close => plan.closes() && before_the_end,
            Operation::Undo => profile.kind() == Kind::Compensatable,
            // Whether anybody looks is known later.
            Operation::Look => false,
        };
        // Where it does not hold, a refusal is no more than a reason to close the key, or nothing at all.
        let is_taken =
            |operation: Operation| plan.refusal_holds || (operation == Operation::Act && !plan.closes() && before_the_end);
        let is_believed = |(operation, meaning): &(Operation, Meaning)| match meaning {
            Meaning::State(Definite::Refused) => is_asked(*operation) && is_taken(*operation),
            Meaning::State(Definite::Done | Definite::Closed | Definite::Undone) => is_asked(*operation),
            // A reading refuses those that come by a status alone.
            Meaning::Absent | Meaning::Accepted | Meaning::Failed => false,
        };
        risks.extend(profile.bare.iter().filter(is_believed).map(|(operation, meaning)| Risk::BareStatus { operation, meaning }));
        risks
    }

    /// What is left open by looks that are answered by a status alone, at a step that is looked at.
    fn bare_looks(&self, step: usize, plan: &StepPlan) -> Vec<Risk> {
        let looked_for = matches!(plan.doubt, Doubt::Looks { .. }) || plan.reads_back || plan.refused_close_ms.is_some();
        let is_believed = |meaning: &Meaning| match meaning {
            Meaning::State(Definite::Done) => looked_for || plan.watch_ms.is_some(),
            Meaning::State(Definite::Refused) => looked_for && plan.refusal_holds,
            Meaning::Absent => plan.watch_ms.is_some() || plan.refused_close_ms.is_some(),
            Meaning::State(Definite::Closed | Definite::Undone) | Meaning::Accepted | Meaning::Failed => false,
        };
        let bare = self.steps[step].profile.bare;
        let of_looks = Meaning::ALL.into_iter().filter(|meaning| bare.has(Operation::Look, *meaning) && is_believed(meaning));
        of_looks.map(|meaning| Risk::BareStatus { operation: Operation::Look, meaning }).collect()
    }

    fn remark(&self, step: usize, plans: &[StepPlan]) -> Option<Remark> {
        let closes = plans[step].closes();
        if self.gate == Some(step) {
            let closes_for_ever = closes && self.steps[step].profile.close == Close::ForEver;
            return (!closes_for_ever).then_some(Remark::GateCannotClose);
        }
        (!closes && !self.is_after_gate(step) && !plans[step].harmless).then_some(Remark::ActsAfterCancel)
    }

    /// The first of several pivots, for each of the others.
    fn pivot_before(&self, step: usize) -> Option<usize> {
        self.first_pivot.filter(|&first| first < step && self.steps[step].profile.kind() == Kind::Pivot)
    }

    fn is_after_gate(&self, step: usize) -> bool {
        self.gate.is_some_and(|gate| step > gate)
    }
}
