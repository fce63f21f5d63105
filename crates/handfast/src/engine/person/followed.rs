//! A saga read from its store for a person: what remains of it, what can be done about it, and what that would do.

use handfast_protocol::{
    Answer, Coordinator, Definite, Evidence, Input, Mark, Operation, Party as _, Ruling, Span, Standing, Time, Told, UndoTold,
};

use super::acted::acted;
use super::moves;
use super::{Act, ActResult, Deed, ForPerson, Possible, Remains};
use crate::engine::cures::Named;
use crate::engine::handle::{describe_with_values, unconfirmed_step};
use crate::engine::money;
use crate::engine::steps::{Known, StepView};
use crate::engine::trail::Trail;
use crate::engine::view::watched_until;
use crate::flow::{Flow, FlowStep};
use crate::journal::{self, Line, Said};
use crate::store::{Acceptance, Digest, StoredSaga, Try};

/// The definitions of a saga that is read from its store, where no engine has to know them.
pub(in crate::engine) struct OwnDefinitions {
    flow: Flow,
    follows: Flow,
    named: Named,
}

impl OwnDefinitions {
    /// `named` says by which definition a person names a saga that follows that one.
    pub(in crate::engine) fn of(stored: &StoredSaga, named: impl FnOnce(&StoredSaga, &Flow) -> Named) -> Result<Self, String> {
        let flow = Flow::from_built_text(&stored.flow_text).map_err(|error| error.to_string())?;
        let follows = match stored.adopted.last() {
            None => flow.clone(),
            Some(_) => Flow::from_built_text(stored.follows().1).map_err(|error| error.to_string())?,
        };
        let named = named(stored, &follows);
        Ok(Self { flow, follows, named })
    }

    /// The saga, whose journal was followed up to there already.
    pub(in crate::engine) fn followed(self, stored: &StoredSaga, journaled: Coordinator, trail: Trail) -> Followed {
        let Self { flow, follows, named } = self;
        let digest = stored.entries.last().map(|entry| entry.digest).unwrap_or_default();
        let (untold, misfit) = match moves::untold(stored, named, (&trail, &journaled)) {
            Ok(untold) => (untold, None),
            Err(why) => (Vec::new(), Some(why)),
        };
        let mut coordinator = journaled.clone();
        for line in &untold {
            coordinator.step(coordinator.clock(), line.told());
        }
        Followed { flow, follows, named, trail, journaled, untold, misfit, coordinator, digest, was_out: stored.why.clone() }
    }
}

/// A saga read from its store, without a driver.
pub(in crate::engine) struct Followed {
    pub(super) flow: Flow,
    /// How its steps are reached and read: the definition that a person has let it follow since, or the same one.
    pub(in crate::engine) follows: Flow,
    /// By which definition a person names it.
    named: Named,
    pub(super) trail: Trail,
    /// As it is by its journal.
    pub(super) journaled: Coordinator,
    /// What it is told before anything else: which steps have moved.
    pub(super) untold: Vec<Line>,
    /// Why it cannot follow the definition that a person has let it follow, if it cannot.
    misfit: Option<String>,
    /// As it is once it is told that.
    pub(in crate::engine) coordinator: Coordinator,
    /// Of its last entry.
    pub(super) digest: Digest,
    /// Why it was taken out of the wake-up index, if it was. What was in the way then is not any more: its journal was just
    /// followed.
    was_out: Option<String>,
}

impl Followed {
    /// The saga, whatever is at hand where it is driven.
    pub(in crate::engine) fn of(stored: &StoredSaga) -> Result<Self, String> {
        Self::named_by(stored, |stored, follows| Named::of(stored, follows, None))
    }

    /// The same, where `named` says by which definition a person names a saga that follows that one.
    pub(in crate::engine) fn named_by(
        stored: &StoredSaga,
        named: impl FnOnce(&StoredSaga, &Flow) -> Named,
    ) -> Result<Self, String> {
        let definitions = OwnDefinitions::of(stored, named)?;
        let (mut journaled, mut trail) = (Coordinator::pinned(definitions.flow.plan().clone(), stored.version), Trail::default());
        for (entry, expected) in stored.entries.iter().zip(1..) {
            let followed = journal::follow(&journaled, stored.version, entry, expected);
            let (next, line) = followed.map_err(|error| error.to_string())?;
            trail.note(entry, line, (&journaled, &next));
            journaled = next;
        }
        Ok(definitions.followed(stored, journaled, trail))
    }

    /// The lines of its journal, and the state that they lead to.
    pub(in crate::engine) fn into_journal(self) -> (Vec<Line>, Coordinator) {
        (self.trail.lines, self.journaled)
    }

    /// Why nothing is sent for it wherever it is driven: it cannot follow the definition that a person has let it follow.
    pub(in crate::engine) fn misfit(&self) -> Option<&str> {
        self.misfit.as_deref()
    }

    /// What a person can do, and what remains.
    pub(in crate::engine) fn for_person(&self, stored: &StoredSaga, store_id: &str, tries: &[Try]) -> ForPerson {
        let amounts: Vec<Option<String>> = (0..self.flow.steps().len()).map(|step| money::of(stored, step)).collect();
        let standing = if self.was_out.is_some() { Standing::Suspended } else { self.coordinator.standing() };
        let remains = self.remains(&self.coordinator, &amounts);
        let rulings = self.rulings();
        let can = rulings.into_iter().map(|ruling| Possible {
            act: Act::of(ruling, &self.flow),
            does: self.effect(ruling, &amounts),
            needs: self.needs(ruling),
        });
        let evidence = self.coordinator.evidence();
        let trouble = evidence.map(|evidence| {
            let is_of_undo = matches!(evidence, Evidence::UndoFailed { .. });
            let said = if is_of_undo { self.why_undo_failed() } else { self.other_values() };
            describe_with_values(&self.flow, evidence, (said, self.named))
        });
        let was_out =
            self.was_out.as_ref().map(|why| format!("{why}; it can be followed now, and goes on once a person says resume"));
        let trouble = was_out.or(trouble);
        let settled = (standing == Standing::Settled).then(|| "a person has given up waiting for the participants".to_owned());
        let unconfirmed: Vec<String> = (0..amounts.len()).filter_map(|step| self.unconfirmed(step, &amounts)).collect();
        let needs_telling = trouble.is_some() || settled.is_some() || !unconfirmed.is_empty() || self.rests_on_a_word();
        let overruled = (0..amounts.len()).filter_map(|step| self.overruled(step, &amounts));
        let left = needs_telling.then(|| list(&remains)).filter(|left| !left.is_empty());
        let trouble: Vec<String> = trouble.into_iter().chain(settled).chain(unconfirmed).chain(overruled).chain(left).collect();
        ForPerson {
            standing,
            outcome: self.coordinator.decision(),
            watched_until: watched_until(&self.coordinator, self.flow.steps().len()),
            steps: self.steps(stored, store_id, tries),
            trouble: (!trouble.is_empty()).then(|| trouble.join("; ")),
            remains: if needs_telling { remains } else { Vec::new() },
            can: can.collect(),
            cancel: self.cancelled().map(|after| format!("neither is wanted: {}", self.stands(&after, &amounts))),
            acts: acted(&self.flow, &stored.entries, &self.trail.lines),
        }
    }

    /// The saga after *neither* was asked for, where that would change something. One that is suspended a person has to look at
    /// first.
    fn cancelled(&self) -> Option<Coordinator> {
        if self.was_out.is_some() || self.coordinator.standing() == Standing::Suspended {
            return None;
        }
        let mut after = self.coordinator.clone();
        after.step(self.clock(), Input::Receive(Told::Cancel));
        (after != self.coordinator).then_some(after)
    }

    /// Asking for *neither* would change something.
    pub(in crate::engine) fn can_be_cancelled(&self) -> bool {
        self.cancelled().is_some()
    }

    /// It does not go on, or some step of it does not, before a person says something. To settle it is no news about it.
    pub(in crate::engine) fn needs_person(&self) -> bool {
        let is_asked_for = |ruling: Ruling| match ruling {
            // Of a step that waits with its mark a person has already said all there is to say.
            Ruling::Mark { step, .. } => {
                self.coordinator.step_mark(step) != Some(Mark::NotDone) || self.coordinator.is_step_off(step)
            }
            Ruling::Retry | Ruling::Resume => true,
            Ruling::Settle => false,
        };
        self.was_out.is_some()
            || self.coordinator.standing() == Standing::Suspended
            || self.coordinator.rulings().into_iter().any(is_asked_for)
    }

    /// What is known of a step from a former life of its participant only.
    fn unconfirmed(&self, step: usize, amounts: &[Option<String>]) -> Option<String> {
        unconfirmed_step(&self.flow, &self.coordinator, step, || amounts.get(step).cloned().flatten())
    }

    /// A step whose participant a person has accepted as put back since it answered, and the incarnation that counts.
    pub(super) fn forgotten(&self, accepted: &[Acceptance]) -> Option<Line> {
        let mut lives: Vec<Option<&str>> = vec![None; self.flow.steps().len()];
        for line in &self.trail.lines {
            let (step, life) = match line {
                Line::Answer { to, receipt, .. } => (to.step, receipt.incarnation.as_deref()),
                Line::Forgotten { step, incarnation } => (*step, Some(incarnation.as_str())),
                Line::Start
                | Line::Timeout
                | Line::Due(_)
                | Line::Cancel { .. }
                | Line::Person { .. }
                | Line::Sent { .. }
                | Line::Looked { .. }
                | Line::Undo { .. }
                | Line::Moved { .. }
                | Line::SameBooks { .. }
                | Line::Differs { .. } => continue,
            };
            if let (Some(kept), Some(life)) = (lives.get_mut(step), life) {
                *kept = Some(life);
            }
        }
        lives.into_iter().enumerate().find_map(|(step, life)| {
            let by = accepted.iter().rev().find(|accepted| Some(accepted.former.as_str()) == life)?;
            let line = Line::Forgotten { step, incarnation: by.incarnation.clone() };
            let mut next = self.coordinator.clone();
            next.step(self.clock(), line.told());
            (next != self.coordinator).then_some(line)
        })
    }

    /// What a person said of a step, where its participant has said otherwise since.
    fn overruled(&self, step: usize, amounts: &[Option<String>]) -> Option<String> {
        let marks = self.trail.lines.iter().enumerate().rev().filter_map(|(at, line)| Some((at, ruling_in(line)?)));
        let mut marks = marks.filter_map(|(at, (ruling, said))| match ruling {
            Ruling::Mark { step: marked, mark } if marked == step => Some((at, mark, &said.by)),
            Ruling::Mark { .. } | Ruling::Retry | Ruling::Resume | Ruling::Settle => None,
        });
        let (at, mark, by) = marks.next()?;
        let told = self.trail.lines.get(at + 1..)?.iter().find_map(|line| {
            let Line::Answer { to, answer: Answer::State(told), .. } = line else { return None };
            (to.step == step && contradicts(mark, *told)).then_some(*told)
        })?;
        let FlowStep { name, participant, .. } = self.flow.steps().get(step)?;
        let amount = amounts.get(step)?.as_ref().map(|amount| format!(" ({amount})")).unwrap_or_default();
        let (mark, told) = (in_words(mark), told.name());
        Some(format!(
            "{by} said that {name} was {mark}{amount}, and {participant} said {told} since: what {participant} says counts"
        ))
    }

    /// What a person can say now.
    fn rulings(&self) -> Vec<Ruling> {
        let mut rulings = self.coordinator.rulings();
        if self.was_out.is_some() {
            // First of all it has to go on, or to end.
            rulings.retain(|ruling| *ruling == Ruling::Settle);
            rulings.insert(0, Ruling::Resume);
        } else if self.can_be_hurried() && !rulings.contains(&Ruling::Retry) {
            rulings.insert(0, Ruling::Retry);
        }
        rulings
    }

    /// What the last answer said that spoke of something else than was asked for.
    fn other_values(&self) -> Option<&str> {
        self.trail
            .lines
            .iter()
            .rev()
            .find_map(|line| if let Line::Differs { what, .. } = line { Some(what.as_str()) } else { None })
    }

    /// Why the last undo that has failed did, in its participant's own words.
    fn why_undo_failed(&self) -> Option<&str> {
        let failed = |line| if let &Line::Undo { told: UndoTold::Failed, ref receipt, .. } = line { Some(receipt) } else { None };
        self.trail.lines.iter().rev().find_map(failed)?.detail.as_deref()
    }

    /// What is known of its steps, in order.
    pub(in crate::engine) fn steps(&self, stored: &StoredSaga, store_id: &str, tries: &[Try]) -> Vec<StepView> {
        Known { stored, store_id, trail: &self.trail, coordinator: &self.coordinator, tries }.steps(&self.follows)
    }

    /// What a person can do.
    pub(in crate::engine) fn acts(&self) -> Vec<Act> {
        self.rulings().into_iter().map(|ruling| Act::of(ruling, &self.flow)).collect()
    }

    /// The first step of which it waits to hear: whatever is in the way of its end is there.
    pub(in crate::engine) fn step_in_doubt(&self) -> Option<&str> {
        let waits = |step: &usize| self.coordinator.needs_person(*step);
        let of_person = (0..self.flow.steps().len()).find(waits);
        let step = of_person.or_else(|| self.coordinator.outbox().first().map(|command| command.step))?;
        Some(name(&self.flow, step))
    }

    /// Something wants delivering, which may be delivered sooner.
    fn can_be_hurried(&self) -> bool {
        !self.coordinator.outbox().is_empty()
    }

    fn rests_on_a_word(&self) -> bool {
        (0..self.flow.steps().len()).any(|step| self.coordinator.step_mark(step).is_some())
    }

    fn remains(&self, coordinator: &Coordinator, amounts: &[Option<String>]) -> Vec<Remains> {
        let state = |step: usize| {
            let (asked, known) = coordinator.step_state(step);
            let word =
                coordinator.step_mark(step).map(|mark| format!("{} by {}'s word alone", in_words(mark), self.marked_by(step)));
            match (word, known) {
                (Some(word), _) => Some(word),
                _ if asked.is_none() || coordinator.is_step_off(step) => None,
                (None, _) if coordinator.is_undo_pending(step) => {
                    Some("in effect, unless its undo has been carried out".to_owned())
                }
                (None, _) if coordinator.is_step_done(step) => Some("in effect".to_owned()),
                (None, Some(Definite::Done)) if coordinator.is_unconfirmed(step) => {
                    Some("in effect, by a former life's word".to_owned())
                }
                (None, Some(Definite::Done)) => Some("in effect, by what was said first".to_owned()),
                (None, _) => Some("unknown".to_owned()),
            }
        };
        let left = |step: usize| {
            Some(Remains { step: name(&self.flow, step).to_owned(), state: state(step)?, amount: amounts.get(step)?.clone() })
        };
        (0..self.flow.steps().len()).filter_map(left).collect()
    }

    fn marked_by(&self, step: usize) -> &str {
        let by = self.trail.lines.iter().rev().filter_map(ruling_in).find_map(|(ruling, said)| match ruling {
            Ruling::Mark { step: marked, .. } if marked == step => Some(said.by.as_str()),
            Ruling::Mark { .. } | Ruling::Retry | Ruling::Resume | Ruling::Settle => None,
        });
        by.unwrap_or("a person")
    }

    fn step_with_amount(&self, step: usize, amounts: &[Option<String>]) -> String {
        let amount = amounts.get(step).and_then(Option::as_deref).map(|amount| format!(" ({amount})"));
        format!("{}{}", name(&self.flow, step), amount.unwrap_or_default())
    }

    /// How it stands after something was said, and what is sent then.
    fn stands(&self, after: &Coordinator, amounts: &[Option<String>]) -> String {
        let asks = after.outbox().into_iter();
        let asks = asks.map(|command| format!("{} {}", verb(command.operation), self.step_with_amount(command.step, amounts)));
        let asks: Vec<String> = asks.collect();
        let then = if asks.is_empty() { "nothing is sent".to_owned() } else { format!("then it is to {}", asks.join(", ")) };
        format!("the saga is {}, and {then}", after.standing().name())
    }

    /// What a person's word comes to, in one sentence.
    fn effect(&self, ruling: Ruling, amounts: &[Option<String>]) -> String {
        let after = self.coordinator.after(ruling);
        let of_step = |step: usize| self.step_with_amount(step, amounts);
        let stands = self.stands(&after, amounts);
        match ruling {
            Ruling::Retry => format!("what is in doubt is asked for now instead of after a pause; {stands}"),
            Ruling::Resume if self.was_out.is_some() => format!("its journal can be followed again, so it goes on; {stands}"),
            Ruling::Resume => format!(
                "the participant is asked anew about what it contradicted itself, and for an undo that has failed; {stands}"
            ),
            Ruling::Mark { step, mark: Mark::NotDone } if after.step_mark(step).is_none() => {
                format!("the key of {} is closed, so that its participant answers for it; {stands}", of_step(step))
            }
            Ruling::Mark { step, mark: Mark::NotDone } => {
                let wait = after.deadline().map_or(0, |at| at.0.saturating_sub(self.clock().0));
                let of_step = of_step(step);
                format!(
                    "{of_step} is looked for until nothing can be on the road any more (up to {}), and is then taken as not done; {stands}",
                    Span(wait)
                )
            }
            Ruling::Mark { step, mark } => {
                let needs = self.needs(ruling);
                let with = if needs.is_empty() {
                    String::new()
                } else {
                    format!("; say with it what its answer brought: {}", needs.join(", "))
                };
                format!("{} is taken as {}; {stands}{with}", of_step(step), in_words(mark))
            }
            Ruling::Settle => {
                let left = list(&self.remains(&after, amounts));
                let left = if left.is_empty() { "nothing is left in effect".to_owned() } else { left };
                format!("no participant is asked anything any more, the saga has ended in neither of the two, and {left}")
            }
        }
    }

    fn clock(&self) -> Time {
        self.coordinator.clock()
    }

    /// The entry that this deed becomes, or why it becomes none. Where a digest is given the last entry has to have it.
    pub(super) fn decide(&self, deed: &Deed, said: &Said, digest: Option<Digest>) -> Result<Line, ActResult> {
        let line = match deed {
            Deed::Act(act) => self.ruling(act).map(|ruling| Line::Person { ruling, said: said.clone() })?,
            Deed::Cancel => Line::Cancel {
                by: Some(said.by.clone()),
                why: Some(said.reason.clone()),
                request_id: Some(said.request_id.clone()),
            },
        };
        let seq = self.trail.lines.len() as u64;
        match self.of_request(&said.request_id) {
            Some((seq, taken)) if is_same_deed(taken, &line) => return Err(ActResult::Repeated { seq }),
            Some(_) => return Err(ActResult::RequestIdTaken),
            None if said.saw != seq || digest.is_some_and(|digest| digest != self.digest) => {
                return Err(ActResult::Moved { seq });
            }
            None => {}
        }
        self.check(deed)?;
        if let Deed::Act(act) = deed {
            let missing: Vec<String> = self.needed(act)?.into_iter().filter(|name| !said.kept.contains_key(name)).collect();
            if !missing.is_empty() {
                return Err(ActResult::NeedsValues { step: act.step().unwrap_or_default().to_owned(), names: missing });
            }
        }
        Ok(line)
    }

    /// Whether a deed would change anything as things stand.
    pub(super) fn check(&self, deed: &Deed) -> Result<(), ActResult> {
        let changes = match deed {
            Deed::Act(act) => self.rulings().contains(&self.ruling(act)?),
            Deed::Cancel => self.cancelled().is_some(),
        };
        let can = || self.rulings().into_iter().map(|ruling| Act::of(ruling, &self.flow).name()).collect();
        if changes { Ok(()) } else { Err(ActResult::Pointless { can: can() }) }
    }

    /// The names of the values that have to be said with an act.
    pub(super) fn needed(&self, act: &Act) -> Result<Vec<String>, ActResult> {
        Ok(self.needs(self.ruling(act)?))
    }

    fn ruling(&self, act: &Act) -> Result<Ruling, ActResult> {
        let steps = || self.flow.steps().iter().map(|step| step.name.clone()).collect();
        act.ruling(&self.flow).ok_or_else(|| ActResult::NoSuchStep { steps: steps() })
    }

    /// The state that a deed leads to, if it would change anything.
    pub(super) fn after(&self, deed: &Deed) -> Result<Coordinator, ActResult> {
        self.check(deed)?;
        Ok(match deed {
            Deed::Act(act) => self.coordinator.after(self.ruling(act)?),
            Deed::Cancel => self.cancelled().unwrap_or_else(|| self.coordinator.clone()),
        })
    }

    /// The entry that a request has become, with its number.
    pub(super) fn of_request(&self, request_id: &str) -> Option<(u64, &Line)> {
        (1..).zip(&self.trail.lines).find(|(_, line)| request_of(line) == Some(request_id))
    }
}

/// The id of the request by which a person has said this.
fn request_of(line: &Line) -> Option<&str> {
    match line {
        Line::Cancel { request_id, .. } => request_id.as_deref(),
        Line::Person { said, .. } => Some(&said.request_id),
        Line::Start
        | Line::Timeout
        | Line::Due(_)
        | Line::Sent { .. }
        | Line::Looked { .. }
        | Line::Forgotten { .. }
        | Line::Moved { .. }
        | Line::SameBooks { .. }
        | Line::Undo { .. }
        | Line::Answer { .. }
        | Line::Differs { .. } => None,
    }
}

/// Whether two entries of people say the same, though another person may say it.
fn is_same_deed(taken: &Line, line: &Line) -> bool {
    matches!((taken, line), (Line::Cancel { .. }, Line::Cancel { .. }))
        || ruling_in(taken).zip(ruling_in(line)).is_some_and(|((taken, _), (ruling, _))| taken == ruling)
}

pub(super) fn name(flow: &Flow, step: usize) -> &str {
    flow.steps().get(step).map_or("?", |step| step.name.as_str())
}

/// Whether an answer cannot be true together with what a person has said before it. What was undone by hand was done before, so
/// an answer that says so may be an old one.
const fn contradicts(mark: Mark, told: Definite) -> bool {
    match mark {
        Mark::Done => matches!(told, Definite::Refused | Definite::Closed),
        Mark::NotDone => matches!(told, Definite::Done | Definite::Undone),
        Mark::Undone => false,
    }
}

const fn in_words(mark: Mark) -> &'static str {
    match mark {
        Mark::Done => "done",
        Mark::NotDone => "not done",
        Mark::Undone => "undone",
    }
}

const fn verb(operation: Operation) -> &'static str {
    match operation {
        Operation::Act => "do",
        Operation::Look => "look for",
        Operation::Close => "close",
        Operation::Undo => "undo",
    }
}

fn list(remains: &[Remains]) -> String {
    remains.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// What a person has ruled in an entry, and what was said with it.
const fn ruling_in(line: &Line) -> Option<(Ruling, &Said)> {
    if let Line::Person { ruling, said } = line { Some((*ruling, said)) } else { None }
}
