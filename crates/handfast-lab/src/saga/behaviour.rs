//! What a participant may do in the explored world, where it promises less than the contract.

use std::fmt;

use handfast_protocol::{
    Close, Definite, Finding, Kind, Meaning, Meanings, Named, ProfiledStep, Repeat, Risk, StepPlan, Undo, Values,
};

use super::world::Key;

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
pub(super) struct Given<'a> {
    /// The network may deliver a message twice.
    pub(super) duplicates: bool,
    /// Every risk of the flow, whether it comes true or not.
    pub(super) risks: &'a [Finding<Risk>],
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
    /// Doing it twice hurts nobody: every act is carried out, and none of them is a charge.
    pub harmless: bool,
    /// Its undo is accepted, and done or failed later.
    pub undoes_later: bool,
    /// Its undo on a key that is undone does nothing again.
    pub undo_idempotent: bool,
    /// When its keys are forgotten, so that an act is carried out again.
    pub forgets: When,
    /// When its tombstones expire, so that an act is carried out after all.
    pub reopens: When,
    /// When its effect lapses by itself.
    pub lapses: When,
    /// The step whose effect this one makes lasting; where that has lapsed, this one is refused.
    pub captures: Option<usize>,
    /// It may do something else than it was asked for, as a part of an amount, and says what it did.
    pub does_other: bool,
    /// By what its requests name what they are about, where that makes a difference to somebody who comes back with an older
    /// journal.
    pub named: Named,
    /// What somebody else answers in its stead, by nothing but a status, whatever became of the key.
    pub impostor: Meanings,
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
            harmless: false,
            undoes_later: false,
            undo_idempotent: true,
            forgets: When::Never,
            reopens: When::Never,
            lapses: When::Never,
            captures: None,
            does_other: false,
            named: Named::ByKey,
            impostor: Meanings::NONE,
        }
    }

    /// Everything that the profile of step number `at` allows. What is a risk happens where it is among `come_true`;
    /// elsewhere it is taken for granted that it does not, and what ends after a time ends once the declared assumptions
    /// allow it. A
    /// refusal or a hold that is no risk of this flow may fail at any moment, since nobody was asked to accept that it does not.
    /// Where the network duplicates nothing, an act that must not arrive twice can be left to do harm if it does.
    #[must_use]
    pub(super) fn of(at: usize, step: &ProfiledStep, come_true: &[Finding<Risk>], world: Given<'_>) -> Self {
        let profile = step.profile;
        let is_among =
            |risks: &[Finding<Risk>], is_it: fn(&Risk) -> bool| risks.iter().any(|risk| risk.step == at && is_it(&risk.what));
        let happens = |is_it| is_among(come_true, is_it);
        let is_risk = |is_it| is_among(world.risks, is_it);
        let when = |limited: bool, at_any_time: bool| match (limited, at_any_time) {
            (false, _) => When::Never,
            (true, true) => When::AnyTime,
            (true, false) => When::OnceQuiet,
        };
        let is_loose = profile.may_refuse && !profile.sticky_refusal;
        let acts_twice =
            profile.repeat == Repeat::Never && (!world.duplicates || happens(|risk| matches!(risk, Risk::NotIdempotent { .. })));
        let undoes_twice =
            !profile.undo_idempotent && (!world.duplicates || happens(|risk| matches!(risk, Risk::UndoNotIdempotent { .. })));
        let two_pivots = |risk: &Risk| matches!(risk, Risk::TwoPivots { .. });
        let loose_refusal = |risk: &Risk| matches!(risk, Risk::LooseRefusal);
        let hold_lapse = |risk: &Risk| matches!(risk, Risk::HoldLapse { .. });
        Self {
            may_refuse: profile.may_refuse && (!is_risk(two_pivots) || happens(two_pivots)),
            closes: profile.closes(),
            undo_closes: profile.undo != Undo::NoOpWhenAbsent,
            refusal_holds: !(is_loose && (!is_risk(loose_refusal) || happens(loose_refusal))),
            idempotent: !acts_twice && !profile.is_harmless(),
            harmless: profile.is_harmless(),
            undoes_later: profile.undoes_later,
            undo_idempotent: !undoes_twice,
            forgets: when(matches!(profile.repeat, Repeat::For(_)), happens(|risk| matches!(risk, Risk::ForgottenKey { .. }))),
            reopens: when(matches!(profile.close, Close::For(_)), happens(|risk| matches!(risk, Risk::ShortTombstone { .. }))),
            lapses: when(profile.hold_expires_ms.is_some(), !is_risk(hold_lapse) || happens(hold_lapse)),
            captures: step.captures,
            does_other: profile.values == Values::Compared,
            named: match step.named {
                Named::ByIdOf(_) if !happens(|risk| matches!(risk, Risk::SecondId { .. })) => Named::ByKey,
                named @ (Named::ByKey | Named::ByKeyAndIdOf(_) | Named::ByIdOf(_)) => named,
            },
            impostor: come_true.iter().filter(|risk| risk.step == at).fold(Meanings::NONE, |all, risk| match risk.what {
                Risk::BareStatus { operation, meaning } => all.with(operation, meaning),
                Risk::TwoPivots { .. }
                | Risk::ForgottenKey { .. }
                | Risk::ShortTombstone { .. }
                | Risk::LooseRefusal
                | Risk::NotIdempotent { .. }
                | Risk::UndoNotIdempotent { .. }
                | Risk::HoldLapse { .. }
                | Risk::SecondId { .. } => all,
            }),
        }
    }

    /// Whether it takes an undo of this key in another way than the contract has it.
    #[must_use]
    pub(super) fn undoes_otherwise(&self, key: &Key) -> bool {
        match key.state {
            Some(Definite::Done) => self.undoes_later,
            Some(Definite::Undone) => !self.undo_idempotent,
            Some(Definite::Refused | Definite::Closed) | None => false,
        }
    }

    /// Whether somebody else may answer a request in its stead.
    #[must_use]
    pub(super) fn is_spoken_for(&self) -> bool {
        self.impostor.iter().any(|(_, meaning)| matches!(meaning, Meaning::State(_)))
    }

    /// When a key that is in this state is forgotten, or open again.
    #[must_use]
    pub(super) const fn expires(&self, state: Option<Definite>) -> When {
        match state {
            Some(Definite::Closed) => self.reopens,
            Some(Definite::Done | Definite::Refused | Definite::Undone) => self.forgets,
            None => When::Never,
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
            (!self.idempotent && !self.harmless).then_some("acts twice"),
            self.undoes_later.then_some("undoes later, or fails to"),
            (!self.undo_idempotent).then_some("undoes twice"),
            self.harmless.then_some("harmless duplicates"),
            timed(self.forgets, "forgets keys at any time", "forgets keys after the declared time"),
            timed(self.reopens, "tombstones expire at any time", "tombstones expire after the declared time"),
            self.does_other.then_some("does something else than it was asked for"),
            (self.named != Named::ByKey).then_some("asked for by an id that another step has brought"),
            (self.impostor != Meanings::NONE).then_some("others answer in its stead"),
            timed(self.lapses, "the hold lapses at any time", "the hold lapses after the declared time"),
        ]
        .into_iter()
        .flatten()
        .collect();
        f.write_str(if lacks.is_empty() { "the contract" } else { "" })?;
        f.write_str(&lacks.join(", "))
    }
}
