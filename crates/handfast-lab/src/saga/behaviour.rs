//! What a participant may do in the explored world, where it promises less than the contract.

use std::fmt;

use handfast_protocol::{Close, Finding, Kind, ProfiledStep, Repeat, Risk, StepPlan, Undo};

/// When something that takes time may happen, in a world where time stands still.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub enum When {
    /// Never.
    #[default]
    Never,
    /// Once nobody who holds to the plan sends to the key any more, and what was sent has died of old age: what the declared
    /// lifetime of a message, clock error and longest outage leave possible.
    OnceQuiet,
    /// At any moment.
    AnyTime,
}

/// What is to be known of a step's surroundings before it can be said how its participant behaves.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Given {
    /// The network may deliver a message twice.
    pub(super) duplicates: bool,
    /// A step before it may refuse and cannot be undone, and so may and can this one not.
    pub(super) is_later_pivot: bool,
}

/// How the participant of one step behaves.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Behaviour {
    /// Its act may be refused.
    pub may_refuse: bool,
    /// Closing an absent key leaves a tombstone; otherwise a close is not understood.
    pub closes: bool,
    /// Undoing an absent key leaves a tombstone; otherwise it is answered as if there had been something to undo.
    pub undo_closes: bool,
    /// What was refused stays refused.
    pub refusal_holds: bool,
    /// An act on a key that is done does nothing again.
    pub idempotent: bool,
    /// When its keys are forgotten, so that an act is carried out again.
    pub forgets: When,
    /// When its tombstones expire, so that an act is carried out after all.
    pub reopens: When,
    /// When its effect lapses by itself.
    pub lapses: When,
    /// The step whose effect this one makes lasting; where that has lapsed, this one is refused.
    pub captures: Option<usize>,
}

impl Behaviour {
    /// A participant of a step of this kind that speaks the contract.
    #[must_use]
    pub const fn contract(kind: Kind) -> Self {
        Self {
            may_refuse: !matches!(kind, Kind::Retriable),
            closes: true,
            undo_closes: true,
            refusal_holds: true,
            idempotent: true,
            forgets: When::Never,
            reopens: When::Never,
            lapses: When::Never,
            captures: None,
        }
    }

    /// Everything that the profile of step number `at` allows. What is a risk happens where it is among `come_true`;
    /// elsewhere it is taken for granted that it does not, and what ends after a time ends once the declared assumptions
    /// allow it. Where the network duplicates nothing, an act that must not arrive twice can be left to do harm if it does.
    #[must_use]
    pub(super) fn of(at: usize, step: &ProfiledStep, come_true: &[Finding<Risk>], world: Given) -> Self {
        let profile = step.profile;
        let happens = |is_it: fn(&Risk) -> bool| come_true.iter().any(|risk| risk.step == at && is_it(&risk.what));
        let when = |limited: bool, at_any_time: bool| match (limited, at_any_time) {
            (false, _) => When::Never,
            (true, true) => When::AnyTime,
            (true, false) => When::OnceQuiet,
        };
        let is_loose = profile.may_refuse && !profile.sticky_refusal;
        let acts_twice =
            profile.repeat == Repeat::Never && (!world.duplicates || happens(|risk| matches!(risk, Risk::NotIdempotent { .. })));
        let refuses_too_late = happens(|risk| matches!(risk, Risk::TwoPivots { .. }));
        Self {
            may_refuse: profile.may_refuse && (!world.is_later_pivot || refuses_too_late),
            closes: profile.closes(),
            undo_closes: profile.undo != Undo::NoOpWhenAbsent,
            refusal_holds: !(is_loose && (profile.closes() || happens(|risk| matches!(risk, Risk::LooseRefusal)))),
            idempotent: !acts_twice,
            forgets: when(matches!(profile.repeat, Repeat::For(_)), happens(|risk| matches!(risk, Risk::ForgottenKey { .. }))),
            reopens: when(matches!(profile.close, Close::For(_)), happens(|risk| matches!(risk, Risk::ShortTombstone { .. }))),
            lapses: when(profile.hold_expires_ms.is_some(), happens(|risk| matches!(risk, Risk::HoldLapse { .. }))),
            captures: step.captures,
        }
    }

    /// Whether it does all that the contract asks of a step of this kind.
    #[must_use]
    pub fn keeps_contract(&self, plan: &StepPlan) -> bool {
        *self == Self::contract(plan.kind)
            && *plan == StepPlan { beside: plan.beside, deadline_ms: plan.deadline_ms, ..StepPlan::new(plan.kind) }
    }
}

impl fmt::Display for Behaviour {
    /// What it promises less than the contract, as `no close, loose refusals`; `the contract` if nothing.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let timed = |when: When, at_any_time: &'static str, in_time: &'static str| match when {
            When::Never => None,
            When::OnceQuiet => Some(in_time),
            When::AnyTime => Some(at_any_time),
        };
        let lacks: Vec<&str> = [
            (!self.closes).then_some("no close"),
            (!self.undo_closes).then_some("an undo of nothing is a no-op"),
            (!self.refusal_holds).then_some("loose refusals"),
            (!self.idempotent).then_some("acts twice"),
            timed(self.forgets, "forgets keys at any time", "forgets keys after the declared time"),
            timed(self.reopens, "tombstones expire at any time", "tombstones expire after the declared time"),
            timed(self.lapses, "the hold lapses at any time", "the hold lapses after the declared time"),
        ]
        .into_iter()
        .flatten()
        .collect();
        f.write_str(if lacks.is_empty() { "the contract" } else { "" })?;
        f.write_str(&lacks.join(", "))
    }
}
