//! What must hold in every state of a saga's world, and what must happen in some, so that no promise holds for nothing.

use handfast_protocol::{Answer, Command, Definite, Evidence, Input, Kind, Mark, Operation, Outcome, Ruling, Standing, Told};

use super::action::Action;
use super::network::Message;
use super::world::{Key, NOTHING_LOADED, OUR_BODY, Saga, World};

/// What was asked of a key, and what is known of it.
type Asked = (Option<Operation>, Option<Definite>);

impl Saga {
    /// *Dispatched only if paid*: where a step that cannot be undone took effect, everything before it is in effect.
    pub(super) fn is_dispatched_only_if_paid(&self, world: &World) -> bool {
        let Some(gate) = self.plan.gate() else { return true };
        let keys = self.keys(world);
        !keys[gate..].iter().any(|key| self.is_ours(key) && key.is_in_effect())
            || keys[..gate].iter().all(|key| key.is_in_effect() && !key.is_other)
    }

    /// *Cancelled is never charged*: once the customer was told "neither", nothing of it is in effect, ever.
    pub(super) fn is_cancelled_never_charged(&self, world: &World) -> bool {
        world.announced != Some(Outcome::Cancelled) || !self.harmful(world).any(|key| self.is_ours(key) && key.is_in_effect())
    }

    /// *Completed is both*: once the customer was told "both", every step is in effect, as it was asked for.
    pub(super) fn is_completed_both(&self, world: &World) -> bool {
        world.announced != Some(Outcome::Completed) || self.keys(world).iter().all(|key| key.is_in_effect() && !key.is_other)
    }

    /// *At most once*: no effect happens twice, and none is undone twice.
    pub(super) fn is_at_most_once(&self, world: &World) -> bool {
        self.harmful(world).all(|key| key.acts <= 1 && key.undos <= 1)
    }

    /// *Final*: the journal never decides otherwise than the customer was told, not even after an older one came back.
    pub(super) fn is_final(&self, world: &World) -> bool {
        let decision = self.automaton.facts(world.journal).decision;
        // An older journal knows nothing of a person who has waited for nobody any longer since and may still come to an end, and
        // of an end that was told since a person may know nothing.
        let settled = Some(Outcome::Settled);
        let forgets_a_word = world.restores < self.adversary.restores && (world.announced == settled || decision == settled);
        world.announced.is_none() || decision.is_none() || world.announced == decision || forgets_a_word
    }

    /// *Armed*: whoever is undecided, and not suspended, has something to deliver or to wait for.
    pub(super) fn is_armed(&self, world: &World) -> bool {
        let facts = self.automaton.facts(world.journal);
        facts.decision.is_some() || facts.standing == Standing::Suspended || !facts.outbox.is_empty() || facts.has_deadline
    }

    /// *No contradiction*: while participants keep their promises nobody is asked to look at evidence.
    pub(super) fn is_without_contradiction(&self, world: &World) -> bool {
        match self.automaton.facts(world.journal).evidence {
            None
            | Some(
                Evidence::OutOfReach { .. }
                | Evidence::LateEffect { .. }
                | Evidence::RefusedClose { .. }
                | Evidence::UndoFailed { .. }
                | Evidence::NotFound { .. }
                | Evidence::OtherValues { .. },
            ) => true,
            Some(Evidence::Contradiction { .. } | Evidence::RefusedForGood { .. } | Evidence::Moved { .. }) => false,
        }
    }

    /// *Undone in order*: nothing is undone before what it is to be undone after.
    pub(super) fn is_undone_in_order(&self, world: &World) -> bool {
        self.plan
            .steps()
            .iter()
            .zip(&world.keys)
            .all(|(step, key)| key.undos == 0 || step.undo_after.is_none_or(|other| !world.keys[other].is_in_effect()))
    }

    /// *A person gets nothing but what is out of reach*: whoever is suspended has taken everything else back, unless the step that
    /// decides is out of reach itself, or an undo waits for one that is.
    pub(super) fn is_taken_back(&self, world: &World) -> bool {
        let facts = self.automaton.facts(world.journal);
        let is_in_doubt = |step: usize| matches!(facts.steps[step], (Some(_), None));
        let is_settled = |step: usize| facts.marks[step].1 || facts.steps[step].1 == Some(Definite::Done);
        let rests_on_gate = self.plan.gate().is_some_and(|gate| {
            let is_done = facts.steps[gate].1 == Some(Definite::Done) || facts.marks[gate].0 == Some(Mark::Done);
            (is_in_doubt(gate) && !is_settled(gate)) || facts.out_of_reach[gate] || is_done
        });
        if facts.standing != Standing::Suspended || rests_on_gate {
            return true;
        }
        let compensatable = self.plan.gate().unwrap_or(self.plan.steps().len());
        let is_off = |step: usize| facts.marks[step].1;
        let waits = |step: usize| self.plan.steps()[step].undo_after.is_some_and(|other| !is_off(other));
        // What nothing is known of is out of reach itself, since a person has nothing that could still be asked for.
        let is_left = |step: usize| facts.out_of_reach[step] || (facts.steps[step].1.is_none() && facts.marks[step].0.is_none());
        (0..compensatable).all(|step| is_left(step) || is_off(step) || waits(step))
    }

    /// *Nothing is undone while the gate is not off*: no entry asks for an undo before the step that decides is known to be off, or
    /// was marked so and no act of it can be on the road any more.
    pub(super) fn is_undone_through_gate(&self, before: &World, action: &Action, after: &World) -> bool {
        let Some(gate) = self.plan.gate() else { return true };
        let (old, new) = (self.automaton.facts(before.journal), self.automaton.facts(after.journal));
        let asks_to_undo =
            (0..gate).any(|step| new.steps[step].0 == Some(Operation::Undo) && old.steps[step].0 != Some(Operation::Undo));
        !action.is_entry() || !asks_to_undo || new.marks[gate].1 || old.marks[gate].1
    }

    /// *A mark is overruled*: what a participant says of a step is known from then on, whatever a person has said of it.
    pub(super) fn is_overruled(&self, before: &World, action: &Action, after: &World) -> bool {
        let (old, new) = (self.automaton.facts(before.journal), self.automaton.facts(after.journal));
        if let Action::Append { input: Input::Receive(Told::Differs { step, in_effect: true }), .. } = *action {
            return match old.marks[step].0 {
                None => true,
                Some(Mark::Undone) => new.steps[step] == old.steps[step] && new.marks[step] == old.marks[step],
                Some(Mark::Done | Mark::NotDone) => new.steps[step].1 == Some(Definite::Done) && new.marks[step].0.is_none(),
            };
        }
        let Action::Append { input: Input::Receive(Told::Answer { to, answer: Answer::State(told) }), .. } = *action else {
            return true;
        };
        let refusal_holds = self.plan.steps()[to.step].refusal_holds;
        match old.marks[to.step].0 {
            // That it was done before it was undone is nothing new.
            None => true,
            Some(Mark::Undone) if told == Definite::Done => true,
            Some(Mark::Done | Mark::NotDone | Mark::Undone) => {
                new.steps[to.step].1 == Some(told) || (told == Definite::Refused && !refusal_holds)
            }
        }
    }

    /// *A word leaves nothing behind without saying so*: where a saga has ended otherwise than it is, the step stands there by a
    /// person's word, or there is evidence for whoever looks.
    pub(super) fn is_said_with_the_word(&self, world: &World) -> bool {
        let facts = self.automaton.facts(world.journal);
        let is_wrong = |key: &Key| match facts.decision {
            Some(Outcome::Cancelled) => self.is_ours(key) && key.is_in_effect(),
            Some(Outcome::Completed) => !self.is_ours(key) || !key.is_in_effect(),
            Some(Outcome::Settled) | None => false,
        };
        let wrong = (0..self.plan.steps().len()).filter(|&step| !self.behaviours[step].harmless && is_wrong(&world.keys[step]));
        facts.evidence.is_some() || wrong.into_iter().all(|step| facts.marks[step].0.is_some())
    }

    /// *A late effect is undone*: what appears after the end in *neither* is gone again, where it can be undone.
    pub(super) fn is_without_late_effect(&self, world: &World) -> bool {
        let compensatable = self.plan.gate().unwrap_or(self.plan.steps().len());
        world.announced != Some(Outcome::Cancelled) || !world.keys[..compensatable].iter().any(|key| key.is_in_effect())
    }

    /// *Hands off*: what somebody else did under the same key is neither undone nor done again.
    pub(super) fn is_hands_off(&self, world: &World) -> bool {
        self.adversary.foreign_key.is_none_or(|step| world.keys[step].acts == 1 && world.keys[step].undos == 0)
    }

    /// *Knowledge never goes back*: what an entry makes known of a key lies further along the register's path, never earlier.
    pub(super) fn is_never_unlearning(&self, before: &World, action: &Action, after: &World) -> bool {
        // Where refusals do not hold, one that stood in for a close may turn out to have been an act that was undone meanwhile.
        let watches = self.plan.steps().iter().any(|step| step.watch_ms.is_some() || !step.refusal_holds);
        // A person's word takes the place of what nobody can be asked to undo.
        let is_word = matches!(*action, Action::Append { input: Input::Receive(Told::Ruled(Ruling::Mark { .. })), .. });
        self.every_step_of_an_entry(before, action, after, |(_, before), (_, after)| match (before, after) {
            (Some(Definite::Done), None) => is_word,
            (None, _) | (Some(Definite::Done), Some(Definite::Undone)) => true,
            // What is watched is watched for this.
            (Some(Definite::Refused | Definite::Closed), Some(Definite::Done)) => watches,
            (Some(before), after) => after == Some(before),
        })
    }

    /// *Commands are monotone*: act < close < undo, and of the commands for one key only the highest is delivered.
    pub(super) fn is_monotone(&self, before: &World, action: &Action, after: &World) -> bool {
        let facts = self.automaton.facts(after.journal);
        // A look changes nothing, whenever it comes.
        let is_highest = |command: &Command| facts.steps[command.step].0 == Some(command.operation);
        let only_the_highest = facts.outbox.iter().all(|command| command.operation == Operation::Look || is_highest(command));
        only_the_highest && self.every_step_of_an_entry(before, action, after, |(before, _), (after, _)| before <= after)
    }

    /// *No way back*: once the gate is known to be done the saga never turns back.
    pub(super) fn is_without_way_back(&self, before: &World, action: &Action, after: &World) -> bool {
        let turned = matches!(self.automaton.facts(after.journal).standing, Standing::Cancelling | Standing::Cancelled);
        let Some(gate) = self.plan.gate() else { return true };
        !(action.is_entry() && turned && self.automaton.facts(before.journal).steps[gate].1 == Some(Definite::Done))
    }

    /// Compares each step as one entry has changed it. Only an append adds an entry: an older journal may well know less.
    fn every_step_of_an_entry(
        &self,
        before: &World,
        action: &Action,
        after: &World,
        holds: impl Fn(Asked, Asked) -> bool,
    ) -> bool {
        let (old, new) = (&self.automaton.facts(before.journal).steps, &self.automaton.facts(after.journal).steps);
        !action.is_entry() || old.iter().zip(new).all(|(old, new)| holds(*old, *new))
    }

    /// The saga has ended.
    pub(super) fn has_ended(&self, world: &World) -> bool {
        self.automaton.facts(world.journal).decision.is_some()
    }

    /// The saga has ended, and nothing of it is watched any more; or a person has it.
    pub(super) fn has_come_to_rest(&self, world: &World) -> bool {
        let facts = self.automaton.facts(world.journal);
        facts.outbox.is_empty() && !facts.has_deadline
    }

    /// The saga has ended, or a person has it.
    pub(super) fn has_ended_or_suspended(&self, world: &World) -> bool {
        self.has_ended(world) || self.automaton.facts(world.journal).standing == Standing::Suspended
    }

    /// A person waits for nobody any longer.
    pub(super) fn was_settled(&self, world: &World) -> bool {
        world.announced == Some(Outcome::Settled)
    }

    /// Ended in *both*.
    pub(super) fn has_completed(&self, world: &World) -> bool {
        world.announced == Some(Outcome::Completed)
    }

    /// Ended in *neither* after a charge that had to be undone.
    pub(super) fn has_refunded(&self, world: &World) -> bool {
        world.announced == Some(Outcome::Cancelled) && self.keys(world).iter().any(|key| key.undos > 0)
    }

    /// Turned back, and found the gate done: forward after all.
    pub(super) fn has_turned_forward_again(&self, world: &World) -> bool {
        let Some(gate) = self.plan.gate() else { return true };
        let close = Command { step: gate, operation: Operation::Close };
        let told_done = Message::Answer(close, Answer::State(Definite::Done));
        self.has_completed(world) && self.adversary.network.copies(world.under_way, told_done) > 0
    }

    /// An act came too late and met a closed key.
    pub(super) fn has_refused_a_late_act(&self, world: &World) -> bool {
        (0..self.plan.steps().len()).any(|step| {
            let told_closed = Message::Answer(Command { step, operation: Operation::Act }, Answer::State(Definite::Closed));
            self.plan.steps()[step].kind == Kind::Compensatable && self.adversary.network.copies(world.under_way, told_closed) > 0
        })
    }

    /// A worker is behind the journal.
    pub(super) fn has_worker_behind(&self, world: &World) -> bool {
        world.workers[..self.adversary.workers].iter().any(|&state| state != NOTHING_LOADED && state != world.journal)
    }

    /// The journal was decided, and an older one that is not came back.
    pub(super) fn has_forgotten_its_end(&self, world: &World) -> bool {
        world.announced.is_some() && !self.has_ended(world)
    }

    /// The keys at which an effect hurts somebody if it is left over, or happens twice.
    fn harmful<'a>(&'a self, world: &'a World) -> impl Iterator<Item = &'a Key> {
        self.keys(world).iter().zip(&self.behaviours).filter(|(_, behaviour)| !behaviour.harmless).map(|(key, _)| key)
    }

    fn keys<'a>(&self, world: &'a World) -> &'a [Key] {
        &world.keys[..self.plan.steps().len()]
    }

    fn is_ours(&self, key: &Key) -> bool {
        key.body == OUR_BODY || self.adversary.foreign_key.is_none()
    }
}
