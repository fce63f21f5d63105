//! A saga as its journal has it. Whatever can be read here is flushed: *durable before visible* is this type.

use std::sync::Arc;

use bytes::Bytes;
use handfast_protocol::{
    Change, Command, Coordinator, Operation, Outcome, PROTOCOL_VERSION, Party, Ruling, Standing, Time, UndoTold,
};
use sha2::{Digest as _, Sha256};

use super::adopt::{self, Move, MoveTold};
use super::asked::Asked;
use super::bodies::{self, Body};
use super::cures::Named;
use super::definitions::{Definition, Definitions};
use super::trail::Trail;
use crate::delivery::OwnSeen;
use crate::journal::{self, Line as JournalLine, LineError, Receipt, ReplayError};
use crate::key::KeyParts;
use crate::store::{Append, Created, Digest, Entry, NewSaga, Seen, Sighting, Store, StoreError, StoredSaga};

/// A saga, its durable state, and nothing that is not durable.
#[derive(Debug)]
pub(crate) struct Journaled {
    id: Arc<str>,
    definition: Arc<Definition>,
    /// The version of the protocol that it is pinned to.
    version: u32,
    bodies: Vec<Body>,
    coordinator: Coordinator,
    /// What the coordinator of the last entry wants delivered.
    outbox: Vec<Command>,
    /// When each step's key was first asked for anything; for an act that is sent once, when it was sent.
    since: Vec<Option<Time>>,
    /// Since which entry something may have left for each step's key.
    asked: Vec<Asked>,
    /// How often a person has let it follow another definition.
    adoptions: u64,
    /// By which definition a person names it.
    named: Named,
    /// What the coordinator is to be told of each step, since its service is called at another address.
    moves: Vec<Option<Move>>,
    /// With which entry the coordinator was last told something like that of each step, or when it changed nothing.
    moves_told: Vec<MoveTold>,
    /// What the latest answer about each step's key said of its participant's store.
    seen: Vec<Option<SeenAt>>,
    /// The time of the last entry, as the coordinator took it.
    clock: Time,
    seq: u64,
    digest: Digest,
    wake_at: Time,
    tries: u32,
    /// With which values an answer last spoke of something else than was asked for.
    other_values: Option<String>,
    /// Why an undo has failed, in its participant's own words.
    why_undo_failed: Option<String>,
    /// What a person has said of it came to.
    rulings: Vec<Ruled>,
}

/// What became of a saga by what a person said.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ruled {
    /// The number of the entry.
    pub(crate) seq: u64,
    pub(crate) at: Time,
    /// How the saga had stood, and how it stood then.
    pub(crate) before: Standing,
    pub(crate) after: Standing,
    /// It came to its end by that.
    pub(crate) has_ended: bool,
}

/// How far a participant's store had come by an answer of the journal.
#[derive(Debug)]
struct SeenAt {
    incarnation: String,
    seq: u64,
    mark: Option<String>,
}

/// What loading a saga came to.
#[derive(Debug)]
pub(crate) enum Loaded {
    /// It can be driven.
    Ready(Box<Journaled>),
    /// It was taken out of the wake-up index, for this reason.
    Suspended(String),
    /// This program does not drive it, but another version or configuration can, or a person has to say that it does.
    LeftAlone(LeftAlone),
    /// Its journal leads to another state here than when it was written, or cannot be read: it was written by another version
    /// of this program, or it is damaged. Nothing is kept of that, since it may be this program that is wrong.
    Differs(LeftAlone),
    /// There is no such saga.
    Missing,
}

/// A saga that is not driven here, and of which nothing is known to be wrong.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct LeftAlone {
    /// Why, and what helps.
    pub(crate) reason: String,
    /// How it stands by its last entry.
    pub(crate) standing: Standing,
    /// The number of the last entry of its journal: there may be fewer, where a row is missing.
    pub(crate) entries: u64,
}

impl LeftAlone {
    fn of(stored: &StoredSaga, reason: impl Into<String>) -> Self {
        let standing = Standing::from_name(&stored.standing).unwrap_or(Standing::Acting);
        Self { reason: reason.into(), standing, entries: stored.length() }
    }
}

/// An order on its way into the store.
pub(crate) struct Placing {
    pub(crate) id: String,
    pub(crate) request_key: Option<String>,
    pub(crate) input: Vec<u8>,
    pub(crate) bodies: Vec<Bytes>,
    pub(crate) definition: Arc<Definition>,
}

impl Journaled {
    /// Places a saga. Its state is returned only if it is new. If another caller placed it before, it is driven from the
    /// journal.
    pub(crate) async fn place(store: &dyn Store, now: Time, placing: Placing) -> Result<(Created, Option<Self>), StoreError> {
        let Placing { id, request_key, input, bodies, definition } = placing;
        let mut saga = Self::untouched(&id, definition, PROTOCOL_VERSION, bodies.clone());
        let next = saga.told(now, &JournalLine::Start);
        let entry = saga.entry(now, &JournalLine::Start, &next)?;
        let flow = saga.definition.flow();
        let new = NewSaga {
            id,
            request_key_hash: request_key.map(|key| Sha256::digest(key).into()),
            flow_hash: flow.hash(),
            flow_text: Arc::clone(flow.text()),
            version: PROTOCOL_VERSION,
            input,
            bodies,
            wake_at: saga.wake_after(now, &next),
            standing: next.standing().name(),
            entries: vec![entry.clone()],
        };
        let created = store.create(new).await?;
        if created != Created::New {
            return Ok((created, None));
        }
        saga.wake_at = now;
        saga.become_durable(next, &entry, &JournalLine::Start);
        Ok((created, Some(saga)))
    }

    /// Makes the state of a saga out of its journal.
    pub(crate) async fn load(store: &dyn Store, id: &str, definitions: &Definitions) -> Result<Loaded, StoreError> {
        let Some(stored) = store.load(id).await? else { return Ok(Loaded::Missing) };
        Self::from_stored(&stored, definitions)
    }

    /// Makes the state of a saga out of what was loaded.
    pub(crate) fn from_stored(stored: &StoredSaga, definitions: &Definitions) -> Result<Loaded, StoreError> {
        Self::follow(stored, definitions, None)
    }

    /// The same, and takes down what its journal says on the way there.
    pub(super) fn follow(
        stored: &StoredSaga,
        definitions: &Definitions,
        mut trail: Option<&mut Trail>,
    ) -> Result<Loaded, StoreError> {
        if let Some(why) = &stored.why {
            return Ok(Loaded::Suspended(why.clone()));
        }
        if !(1..=PROTOCOL_VERSION).contains(&stored.version) {
            let reason = LineError::UnknownVersion(stored.version).to_string();
            return Ok(Loaded::LeftAlone(LeftAlone::of(stored, reason)));
        }
        let corrupt = |what: String| StoreError::Corrupt { id: stored.id.clone(), what };
        let (follows, text) = stored.follows();
        if let Some(reason) = definitions.holds(stored) {
            return Ok(Loaded::LeftAlone(LeftAlone::of(stored, reason)));
        }
        let definition = match definitions.of(follows, text) {
            Ok(definition) => definition,
            Err(reason) => return Ok(Loaded::LeftAlone(LeftAlone::of(stored, reason))),
        };
        let steps = definition.flow().steps().len();
        if stored.bodies.len() != steps {
            return Err(corrupt(format!("it has {} bodies, but its flow {steps} steps", stored.bodies.len())));
        }
        let mut saga = Self::untouched(&stored.id, definition, stored.version, stored.bodies.clone());
        for (entry, expected) in stored.entries.iter().zip(1..) {
            if let Err(error) = saga.replay(entry, expected, trail.as_deref_mut()) {
                return Ok(Loaded::Differs(LeftAlone::of(stored, error.to_string())));
            }
        }
        saga.named = definitions.named(stored, saga.definition.flow());
        match adopt::check(stored, &saga.asked, saga.named, |hash, text| definitions.flow_of(hash, text)) {
            Ok(moves) => saga.moves = moves,
            Err(reason) => return Ok(Loaded::LeftAlone(LeftAlone::of(stored, reason))),
        }
        saga.adoptions = stored.adopted.len() as u64;
        saga.wake_at = stored.wake_at.unwrap_or(saga.clock);
        saga.tries = stored.tries;
        Ok(Loaded::Ready(Box::new(saga)))
    }

    /// Takes an entry of its journal, which has to lead to the state that it was written with.
    fn replay(&mut self, entry: &Entry, expected: u64, trail: Option<&mut Trail>) -> Result<(), ReplayError> {
        let line = journal::read_in_turn(self.version, entry, expected)?;
        let next = self.told(entry.at, &line);
        journal::check(entry, &next)?;
        if let JournalLine::Person { ruling, .. } = line {
            // What changed nothing of a saga that was to go on let one go on that had been taken out of the wake-up index.
            let was_out = ruling == Ruling::Resume && next == self.coordinator;
            let before = if was_out { Standing::Suspended } else { self.standing() };
            let has_ended = self.decision().is_none() && next.decision().is_some();
            self.rulings.push(Ruled { seq: entry.seq, at: entry.at, before, after: next.standing(), has_ended });
        }
        let before = trail.is_some().then(|| self.coordinator.clone());
        self.become_durable(next, entry, &line);
        if let (Some(trail), Some(before)) = (trail, before) {
            trail.note(entry, line, (&before, &self.coordinator));
        }
        Ok(())
    }

    /// Tells the coordinator one thing. What changes nothing is written nowhere; what changes something is flushed
    /// before anything of it can be read here. Says whether it changed anything.
    ///
    /// # Errors
    /// The store's. The state here is then the one of before, and may be older than the journal: load it again.
    pub(crate) async fn advance(
        &mut self,
        store: &dyn Store,
        now: Time,
        line: &JournalLine,
        seen: Option<Seen>,
    ) -> Result<bool, StoreError> {
        let next = self.told(now, line);
        if next == self.coordinator {
            return Ok(false);
        }
        let entry = self.entry(now, line, &next)?;
        let wake_at = self.wake_after(now, &next);
        let append = Append {
            id: self.id.to_string(),
            previous: self.digest,
            entry: entry.clone(),
            adoptions: self.adoptions,
            wake_at,
            standing: next.standing().name(),
            seen,
        };
        store.append(append).await?;
        // The entry has moved it in the index, too.
        self.wake_at = wake_at.unwrap_or(self.wake_at);
        self.become_durable(next, &entry, line);
        Ok(true)
    }

    /// What wants delivering. The only place from which a message leaves: the entry that wants it is flushed.
    pub(crate) fn outbox(&self) -> &[Command] {
        &self.outbox
    }

    pub(crate) fn deadline(&self) -> Option<Time> {
        self.coordinator.deadline()
    }

    pub(crate) fn decision(&self) -> Option<Outcome> {
        self.coordinator.decision()
    }

    pub(crate) fn standing(&self) -> Standing {
        self.coordinator.standing()
    }

    /// Nothing will happen any more without an input from outside: it has ended and is not watched, or waits for a person.
    pub(crate) fn is_at_rest(&self) -> bool {
        self.outbox.is_empty() && self.deadline().is_none()
    }

    /// With which values an answer spoke of something else than was asked for, if one did.
    pub(crate) fn other_values(&self) -> Option<&str> {
        self.other_values.as_deref()
    }

    /// Why an undo has failed, in its participant's own words, if one did and said so.
    pub(crate) fn why_undo_failed(&self) -> Option<&str> {
        self.why_undo_failed.as_deref()
    }

    pub(crate) fn coordinator(&self) -> &Coordinator {
        &self.coordinator
    }

    pub(crate) fn id(&self) -> &Arc<str> {
        &self.id
    }

    /// By which definition a person names it to this engine.
    pub(crate) const fn named(&self) -> Named {
        self.named
    }

    pub(crate) fn definition(&self) -> &Arc<Definition> {
        &self.definition
    }

    pub(crate) fn bodies(&self) -> &[Body] {
        &self.bodies
    }

    pub(crate) fn body(&self, step: usize) -> Option<&Body> {
        self.bodies.get(step)
    }

    /// How many bytes of memory its bodies take.
    pub(crate) fn bytes(&self) -> usize {
        bodies::bytes_of(&self.bodies)
    }

    /// After which time an act on this step's key must close it instead of being carried out, and from when that counts. Only where it can be closed:
    /// elsewhere the act is what tells what became of it, so it is asked for on and on after the deadline, and undone. The
    /// lab's participants let an act expire under the same condition.
    pub(crate) fn not_after(&self, step: usize) -> Option<(Time, Time)> {
        let plan = self.coordinator.plan().steps().get(step).filter(|plan| plan.closes())?;
        let since = (*self.since.get(step)?)?;
        Some((since.after(plan.deadline_ms?), since))
    }

    /// Whether this command leaves at most once, and is marked as sent before it does.
    pub(crate) fn leaves_once(&self, command: Command) -> bool {
        self.coordinator.leaves_once(command.step, command.operation)
    }

    /// Whether a command must not leave after some time, or leaves once only.
    pub(crate) fn is_bound_to_a_time(&self, command: Command) -> bool {
        self.leaves_once(command) || !self.coordinator.dues().is_empty()
    }

    /// What its journal has seen of the participant of a step: by incarnation the number, and the change where it was marked.
    pub(crate) fn seen_by(&self, store_id: &str, step: usize) -> Vec<OwnSeen> {
        let steps = self.definition.flow().steps();
        let Some(incarnation) = self.definition.link(step).and_then(|line| line.incarnation()) else { return Vec::new() };
        let of_step = |(step, seen): (&crate::flow::FlowStep, &Option<SeenAt>)| {
            let is_of_this_life = |seen: &&SeenAt| seen.incarnation == incarnation && seen.seq > 0;
            let SeenAt { incarnation: of, seq, mark } = seen.as_ref().filter(is_of_this_life)?;
            let key = || KeyParts { store: store_id, saga: &self.id, step: &step.name }.key();
            let sighting = mark.clone().map(|mark| Sighting { key: key(), change: Change { number: *seq, mark } });
            Some((of.clone(), *seq, sighting))
        };
        steps.iter().zip(&self.seen).filter_map(of_step).collect()
    }

    /// The incarnations whose answers a command rests on.
    pub(crate) fn rests_on(&self, command: Command) -> Vec<String> {
        let steps = self.coordinator.rests_on(command).into_iter();
        steps.filter_map(|step| Some(self.seen.get(step)?.as_ref()?.incarnation.clone())).collect()
    }

    /// How many deliveries in a row went without a definite answer when it was last put aside.
    pub(crate) const fn tries(&self) -> u32 {
        self.tries
    }

    /// What a person has said of it came to, in order.
    pub(crate) fn rulings(&self) -> &[Ruled] {
        &self.rulings
    }

    /// A person has to look at it, or at what it came to.
    pub(crate) fn needs_person(&self) -> bool {
        self.coordinator.evidence().is_some() && self.standing() != Standing::Settled
    }

    pub(crate) const fn entries(&self) -> u64 {
        self.seq
    }

    /// When the wake-up index has it looked at.
    pub(crate) const fn wake_at(&self) -> Time {
        self.wake_at
    }

    /// Takes note of where the wake-up index has it.
    pub(crate) const fn was_parked(&mut self, wake_at: Time) {
        self.wake_at = wake_at;
    }

    fn untouched(id: &str, definition: Arc<Definition>, version: u32, bodies: Vec<Bytes>) -> Self {
        let coordinator = Coordinator::pinned(Arc::clone(definition.flow().plan()), version);
        let since = vec![None; definition.flow().steps().len()];
        let named = Named::placed_with(definition.flow().hash());
        let bodies = Body::all_of(bodies);
        let (clock, digest) = (Time(0), Digest::default());
        let seen = since.iter().map(|_| None).collect();
        Self {
            id: id.into(),
            definition,
            version,
            bodies,
            coordinator,
            outbox: Vec::new(),
            asked: vec![Asked::default(); since.len()],
            adoptions: 0,
            named,
            moves: vec![None; since.len()],
            moves_told: vec![MoveTold::default(); since.len()],
            since,
            seen,
            clock,
            seq: 0,
            digest,
            wake_at: clock,
            tries: 0,
            other_values: None,
            why_undo_failed: None,
            rulings: Vec::new(),
        }
    }

    fn told(&self, now: Time, line: &JournalLine) -> Coordinator {
        let mut next = self.coordinator.clone();
        next.step(now, line.told());
        next
    }

    fn entry(&self, now: Time, line: &JournalLine, next: &Coordinator) -> Result<Entry, StoreError> {
        let input =
            line.write(self.version).map_err(|error| StoreError::Corrupt { id: self.id.to_string(), what: error.to_string() })?;
        Ok(Entry { seq: self.seq + 1, at: now, input, digest: journal::digest(next) })
    }

    /// A step whose last answer came from a life of its participant that counts no more, and the one that counts.
    fn forgotten(&self) -> Option<(usize, String)> {
        let of_step = |(step, seen): (usize, &Option<SeenAt>)| {
            let line = self.definition.link(step)?;
            let seen = seen.as_ref().filter(|seen| line.is_former(&seen.incarnation))?;
            let current = line.incarnation().filter(|current| *current != seen.incarnation)?;
            Some((step, current))
        };
        self.seen.iter().enumerate().find_map(of_step)
    }

    /// What the coordinator has to be told next before anything leaves: that what a participant had answered in a former life is
    /// evidence no more, or that the service of a step is called at another address.
    pub(crate) fn owed(&self) -> Option<JournalLine> {
        let forgotten = self.forgotten().map(|(step, incarnation)| JournalLine::Forgotten { step, incarnation });
        forgotten.or_else(|| self.untold_moves().next())
    }

    /// Takes note that it was told this. Where that changed nothing there is no entry from which it could be read.
    pub(crate) fn note_told(&mut self, line: &JournalLine) {
        self.note_seen(line);
        MoveTold::note(&mut self.moves_told, line, u64::MAX);
    }

    /// What the coordinator has to be told since the service of a step is called at another address.
    pub(crate) fn untold_moves(&self) -> impl Iterator<Item = JournalLine> {
        let told = self.moves.iter().zip(&self.moves_told);
        told.enumerate().filter_map(|(step, (moved, told))| {
            let moved = moved.as_ref()?;
            let is_moved = self.coordinator.is_moved(step);
            let says_nothing = matches!(moved.line, JournalLine::SameBooks { .. }) && !is_moved;
            (told.lacks(moved, is_moved) && !says_nothing).then(|| moved.line.clone())
        })
    }

    /// Takes note of how far a participant's store had come by this line. Of a new life nothing was seen yet.
    fn note_seen(&mut self, line: &JournalLine) {
        if let JournalLine::Forgotten { step, incarnation } = line {
            if let Some(seen) = self.seen.get_mut(*step) {
                *seen = Some(SeenAt { incarnation: incarnation.clone(), seq: 0, mark: None });
            }
            return;
        }
        let JournalLine::Answer { to, receipt: Receipt { seq: Some(seq), incarnation: Some(incarnation), mark, .. }, .. } = line
        else {
            return;
        };
        if let Some(seen) = self.seen.get_mut(to.step) {
            *seen = Some(SeenAt { incarnation: incarnation.clone(), seq: *seq, mark: mark.clone() });
        }
    }

    fn become_durable(&mut self, next: Coordinator, entry: &Entry, line: &JournalLine) {
        self.note_seen(line);
        MoveTold::note(&mut self.moves_told, line, entry.seq);
        if let JournalLine::Differs { what, .. } = line {
            self.other_values = Some(what.clone());
        }
        if let JournalLine::Undo { told: UndoTold::Failed, receipt, .. } = line {
            self.why_undo_failed = receipt.detail.clone();
        }
        // What changes nothing leaves the coordinator's clock alone, too.
        self.clock = self.clock.max(next.clock());
        Asked::note(&mut self.asked, (&self.coordinator, &next), line, entry.seq);
        for (step, since) in self.since.iter_mut().enumerate() {
            let (before, after) = (self.coordinator.step_state(step).0, next.step_state(step).0);
            // An act that is sent once counts its deadline from when it was sent.
            let is_sent = after == Some(Operation::Look) && before != after;
            if is_sent || (since.is_none() && after.is_some()) {
                *since = Some(self.clock);
            }
        }
        self.coordinator = next;
        self.outbox = self.coordinator.outbox();
        (self.seq, self.digest) = (entry.seq, entry.digest);
    }

    /// While a saga is active its place in the wake-up index stays in the past: after a crash it is found at once, and
    /// no append has to move it.
    fn wake_after(&self, now: Time, next: &Coordinator) -> Option<Time> {
        // A saga that has ended may go on watching for an effect that comes late.
        let at_rest = next.outbox().is_empty() && next.deadline().is_none();
        let never_placed = self.seq == 0;
        (!at_rest).then(|| if never_placed { now } else { self.wake_at.min(now) })
    }
}
