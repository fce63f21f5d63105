//! The link to one participant, shared by all sagas: the cap on calls in flight, the back-off, the breaker, and how far its
//! store is known to be.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use handfast_protocol::{Change, Command, Operation, Time};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::asked::Asked;
use super::backoff::Backoff;
use super::breaker::{Admission, Breaker, BreakerState};
use super::life::Life;
use super::memories::{Memories, Room};
use super::odd::{Odd, Unmade};
use super::quiet::Quiet;
use super::settings::LinkSettings;
use super::stats::LinkStats;
use crate::clock::{self, Clock, whole_ms};
use crate::participant::{Delivery, LATE, NOT_SENT, Participant, Receipt, Reply};
use crate::store::{Seen, Sighting, Tip};
use handfast_machine::locked;

/// How a call ended.
#[derive(Debug)]
pub(crate) enum CallEnd {
    /// It went out. `named` is what it had named of the participant's store, which an answer confirms.
    Replied { reply: Reply, sent: Time, named: Vec<Sighting> },
    /// It did not go out, since the link was found shut when its turn came, or its time had passed.
    Held,
    /// Its turn has come, and it goes out once it is marked as sent.
    Ready(Slot),
    /// It did not go out, since it would have had to name too much: a look went in its place, which named less, and has confirmed
    /// that to be one history.
    Confirmed(Seen),
}

/// What a saga itself has seen of a participant: the incarnation of its store, the number, and the change where it was marked.
pub(crate) type OwnSeen = (String, u64, Option<Sighting>);

/// At most this many changes are named by one request: by the contract a participant need not take more.
const MOST_NAMED: usize = 128;

/// The right to have one request out.
#[derive(Debug)]
pub(crate) struct Slot {
    /// `None` if they are not counted.
    _permit: Option<OwnedSemaphorePermit>,
    _backlog: Option<OwnedSemaphorePermit>,
}

/// Whom a request is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Class {
    /// An order that was just placed, and is on its way for the first time.
    New,
    /// One that was put aside, or asked for in vain before.
    Backlog,
}

pub(crate) struct Link {
    name: String,
    participant: Arc<dyn Participant>,
    slots: Arc<Semaphore>,
    /// Fewer of them are for what was put aside before: however much that is, what is new finds its way.
    slots_of_backlog: Arc<Semaphore>,
    backoff: Backoff,
    breaker: Mutex<Breaker>,
    life: Mutex<Life>,
    /// What was durable here of the participants' receipts; every request names what is known of its incarnation.
    memories: Arc<Memories>,
    behind: Mutex<Option<String>>,
    in_flight: AtomicU64,
    answered: AtomicU64,
    unanswered: AtomicU64,
    indefinite: AtomicU64,
    meaningless: Mutex<Option<u16>>,
    /// Keys that are to be left alone for a while, each by itself.
    quiet: Mutex<Quiet>,
    /// What it answers that means nothing.
    odd: Mutex<Odd>,
    /// What was not asked, since it could not be.
    unmade: Mutex<Unmade>,
    /// How long its answers took.
    asked: Mutex<Asked>,
}

impl Link {
    pub(crate) fn new(
        name: &str,
        participant: Arc<dyn Participant>,
        settings: LinkSettings,
        (life, memories): (Life, Arc<Memories>),
    ) -> Self {
        Self {
            name: name.to_owned(),
            participant,
            slots: Arc::new(Semaphore::new(settings.calls_at_once)),
            slots_of_backlog: Arc::new(Semaphore::new(settings.calls_of_backlog())),
            backoff: settings.backoff,
            breaker: Mutex::new(Breaker::new(settings.breaker)),
            life: Mutex::new(life),
            memories,
            behind: Mutex::default(),
            in_flight: AtomicU64::new(0),
            answered: AtomicU64::new(0),
            unanswered: AtomicU64::new(0),
            indefinite: AtomicU64::new(0),
            meaningless: Mutex::default(),
            quiet: Mutex::default(),
            odd: Mutex::default(),
            unmade: Mutex::default(),
            asked: Mutex::default(),
        }
    }

    pub(crate) const fn backoff(&self) -> Backoff {
        self.backoff
    }

    pub(crate) fn admit(&self, now: Time) -> Admission {
        locked(&self.breaker).admit(now)
    }

    /// Whether who was told to come back then is to do so at once.
    pub(crate) fn appoints(&self, at: Time) -> bool {
        locked(&self.breaker).appoints(at)
    }

    /// Waiting times between tries that are not answered: a silent participant is asked again soon, even if a single saga waits
    /// for it.
    pub(crate) fn backoff_from_silence(&self) -> Backoff {
        let cap = locked(&self.breaker).pause_cap().max(self.backoff.base);
        Backoff { cap: cap.min(self.backoff.cap), ..self.backoff }
    }

    /// What a receipt proves of the store's history, in the shape in which it is kept. Its request had `named` what it confirms.
    pub(crate) fn seen(&self, key: &str, receipt: &Receipt, named: Vec<Sighting>) -> Option<Seen> {
        let (seq, incarnation) = (receipt.seq?, receipt.incarnation.clone()?);
        let shown = receipt.mark.clone().map(|mark| Tip {
            sighting: Sighting { key: key.to_owned(), change: Change { number: seq, mark } },
            opening: receipt.opening.clone(),
        });
        Some(Seen { participant: self.name.clone(), incarnation, seq, shown: shown.into_iter().collect(), named })
    }

    /// Room for what a receipt shows, if it can be told apart from everything else that was seen.
    pub(crate) fn reserve(&self, seen: &Seen) -> Option<Room> {
        self.memories.reserve(seen)
    }

    /// Takes note of what is durable now. The first incarnation stays: another one is a restored store.
    pub(crate) fn raise(&self, seen: &Seen) {
        let mut life = locked(&self.life);
        if *life.current.get_or_insert_with(|| seen.incarnation.clone()) == seen.incarnation {
            self.memories.raise(seen);
        }
    }

    /// The incarnation of the participant's store, once an answer has told it.
    pub(crate) fn incarnation(&self) -> Option<String> {
        locked(&self.life).current.clone()
    }

    /// Whether answers of this incarnation counted before another one was accepted.
    pub(crate) fn is_former(&self, incarnation: &str) -> bool {
        locked(&self.life).former.contains(incarnation)
    }

    /// Which lives are known.
    pub(crate) fn life(&self) -> Life {
        locked(&self.life).clone()
    }

    /// It is not called, since its participant's store is older than what was seen of it, or another one.
    pub(crate) fn is_behind(&self) -> bool {
        locked(&self.behind).is_some()
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Takes over what the store that is shared with others has kept: what a person has accepted beyond what is known here counts
    /// from now on, and what answers to others have named is on offer here, too.
    pub(crate) fn take_over(&self, kept: Life) {
        let mut life = locked(&self.life);
        if life.take_over(kept) {
            drop(life);
            self.resume();
        }
    }

    /// An answer was as it should be: what another one had named is no offer any more. Says which incarnation that was.
    pub(crate) fn withdraw_offer(&self) -> Option<String> {
        locked(&self.life).offered.take().map(|(incarnation, _)| incarnation)
    }

    /// Waits until one more request may be out. `None` if the link was shut meanwhile, or `before` has come: a request that has
    /// waited past a deadline of its saga must not leave, since the saga may have turned back meanwhile.
    pub(crate) async fn slot(&self, clock: &Clock, before: Option<Time>, class: Class) -> Option<Slot> {
        // The semaphores are never closed; if they were, there would be no cap to wait for.
        let backlog = match class {
            Class::New => None,
            Class::Backlog => Arc::clone(&self.slots_of_backlog).acquire_owned().await.ok(),
        };
        let slot = Slot { _permit: Arc::clone(&self.slots).acquire_owned().await.ok(), _backlog: backlog };
        let is_shut = locked(&self.breaker).is_shut();
        let is_late = before.is_some_and(|before| before <= clock.steady());
        (!is_shut && !is_late).then_some(slot)
    }

    /// Sends one request, and waits for its answer for as long as `timeout`.
    /// `own` is what its saga has seen of the participant, by incarnation.
    pub(crate) async fn call(
        &self,
        _slot: Slot,
        clock: &Clock,
        timeout: Duration,
        (delivery, own): (Delivery<'_>, &[OwnSeen]),
    ) -> CallEnd {
        let _in_flight = Counted::new(&self.in_flight);
        let seen = self.incarnation().map(|incarnation| {
            let own = own.iter().filter(|(of, _, _)| *of == incarnation).map(|(_, seq, sighting)| (*seq, sighting.clone()));
            self.memories.naming(&incarnation, &own.collect::<Vec<_>>())
        });
        let sent = clock.now();
        if let Some(seen) = seen.as_ref().filter(|seen| seen.named.len() > MOST_NAMED) {
            return self.confirm_some(timeout, delivery, seen, sent).await;
        }
        let reply = self.deliver(timeout, Delivery { seen: seen.as_ref(), ..delivery }).await;
        CallEnd::Replied { reply, sent, named: seen.map_or_else(Vec::new, |seen| seen.named) }
    }

    async fn deliver(&self, timeout: Duration, delivery: Delivery<'_>) -> Reply {
        let named = delivery.seen.map(|seen| seen.incarnation.as_str());
        let operation = delivery.operation;
        let (answered, took) = clock::timed(tokio::time::timeout(timeout, self.participant.deliver(delivery))).await;
        let reply = match answered {
            Ok(reply) => self.checked(reply.cleaned(), named),
            Err(_elapsed) => Reply::unknown(format!("no answer within {} ms", timeout.as_millis())),
        };
        locked(&self.asked).note(operation, &reply, took);
        reply
    }

    /// More would have to be named than a request may name. What names less must change nothing, so a look goes in its place: its
    /// answer confirms what it names to be one history, of which one change is enough from then on.
    async fn confirm_some(&self, timeout: Duration, delivery: Delivery<'_>, all: &Seen, sent: Time) -> CallEnd {
        let named = all.named[..MOST_NAMED].to_vec();
        let (key, some) = (named[0].key.clone(), Seen { named, ..all.clone() });
        let look = Delivery { key: &key, operation: Operation::Look, is_about_undo: false, seen: Some(&some), ..delivery };
        let reply = self.deliver(timeout, look).await;
        let shown = match &reply {
            Reply::Definite { receipt, .. } => self.seen(&key, receipt, some.named).filter(|shown| !shown.shown.is_empty()),
            Reply::Undo { .. } | Reply::Absent { .. } | Reply::Mismatch { .. } | Reply::Unknown { .. } => None,
            Reply::Behind { .. } => return CallEnd::Replied { reply, sent, named: Vec::new() },
        };
        let (participant, named) = (self.name.as_str(), all.named.len());
        tracing::warn!(name: "too_much_to_name", participant, named, confirmed = shown.is_some(), "a participant is looked at before it is asked: too much of what it showed is not proven to be one history");
        shown.map_or_else(
            || {
                let why = format!(
                    "{named} changes of its store would have to be named, a request names {MOST_NAMED} at most, and a look \
                     confirmed none of them"
                );
                CallEnd::Replied { reply: Reply::not_sent(why), sent, named: Vec::new() }
            },
            CallEnd::Confirmed,
        )
    }

    /// A receipt of another incarnation comes from a store that took another's place, and so does one without a mark of one that
    /// has given marks. One of a former life is late where it was asked for before the present one counted; where its request
    /// had `named` the present one, the participant has gone back to what it was.
    fn checked(&self, reply: Reply, named: Option<&str>) -> Reply {
        let (seq, incarnation, mark) = match &reply {
            Reply::Definite { receipt: Receipt { seq: Some(seq), incarnation: Some(incarnation), mark, .. }, .. } => {
                (seq, incarnation, mark)
            }
            // What was asked of one life is no word on another that counts by now.
            Reply::Behind { .. } if self.incarnation().as_deref() != named => {
                return Reply::unknown("an answer of a former life of its store".to_owned());
            }
            Reply::Definite { .. }
            | Reply::Undo { .. }
            | Reply::Absent { .. }
            | Reply::Mismatch { .. }
            | Reply::Unknown { .. }
            | Reply::Behind { .. } => return reply,
        };
        if self.is_late(incarnation, named) {
            return Reply::unknown("an answer of a former life of its store".to_owned());
        }
        let is_known = locked(&self.life).is_current(incarnation);
        if is_known && (mark.is_some() || !self.memories.draws_marks(incarnation)) {
            return reply;
        }
        Reply::Behind { seq: *seq, incarnation: incarnation.clone() }
    }

    /// An answer of a former life that was asked for before the present one counted.
    fn is_late(&self, incarnation: &str, named: Option<&str>) -> bool {
        let life = locked(&self.life);
        life.former.contains(incarnation) && life.current.as_deref() != named
    }

    /// Takes note of a definite answer, and whether it says that it is of the life that counts. Says whether it ended an outage.
    pub(crate) fn answered(&self, is_of_this_life: bool) -> bool {
        self.answered.fetch_add(1, Ordering::Relaxed);
        if is_of_this_life && locked(&self.breaker).healed() {
            self.is_as_it_should_be();
            tracing::info!(name: "participant_as_it_should_be", participant = self.name, "its store is as it should be; it is asked again");
            return true;
        }
        self.is_alive()
    }

    /// A request was not answered.
    pub(crate) fn unanswered(&self, now: Time) {
        self.unanswered.fetch_add(1, Ordering::Relaxed);
        self.shut_out(now, None);
    }

    /// An answer came, and what was asked for is in doubt all the same: by an answer of this status that means nothing, or by
    /// one that says that there is nothing. Says whether it ended an outage.
    ///
    /// A participant that answers is up, so that no other saga waits for it: only a participant, or a gateway before it, that
    /// turns requests away counts as one that is silent.
    pub(crate) fn indefinite(
        &self,
        (saga, command): (&Arc<str>, Command),
        status: Option<u16>,
        now: Time,
        retry_after: Option<Duration>,
    ) -> bool {
        self.indefinite.fetch_add(1, Ordering::Relaxed);
        if status.is_some() {
            *locked(&self.meaningless) = status;
        }
        match (status, retry_after) {
            (Some(429 | 503), Some(wait)) => locked(&self.breaker).leave_alone(now, wait),
            (_, wait) => self.leave_alone((saga, command), now, wait),
        }
        if status.is_some_and(turns_away) {
            self.shut_out(now, status);
            return false;
        }
        self.is_alive()
    }

    /// A command is not to be repeated before this has passed, if its participant has said so.
    pub(crate) fn leave_alone(&self, (saga, command): (&Arc<str>, Command), now: Time, wait: Option<Duration>) {
        if let Some(wait) = wait {
            locked(&self.quiet).note(saga, command, now.after(whole_ms(wait)), now);
        }
    }

    /// An answer of this status means nothing, by what was seen of it. It is told once for each operation and status.
    pub(crate) fn not_understood(&self, operation: Operation, status: u16, seen: &str) {
        let operation = operation.name();
        if !locked(&self.odd).note((operation, status), || seen.to_owned()) {
            return;
        }
        let participant = self.name.as_str();
        if status == ACCEPTED {
            tracing::debug!(name: "answer_to_come", participant, operation, seen, "an answer is still to come");
        } else {
            tracing::warn!(name: "answer_not_understood", participant, operation, status, seen, "an answer means nothing here");
        }
    }

    /// A request could not be made, for this reason: something that it takes along is missing. It is told once for each
    /// operation and reason. A request whose time was over is no obstacle: its key is closed, or looked for.
    pub(crate) fn not_made(&self, operation: Operation, seen: &str) {
        let (operation, why) = (operation.name(), seen.strip_prefix(NOT_SENT).unwrap_or(seen));
        if why == LATE {
            return;
        }
        if locked(&self.unmade).note((operation, why.to_owned()), || ()) {
            let participant = self.name.as_str();
            tracing::error!(name: "request_not_made", participant, operation, why, "a request cannot be made, so its participant is not asked");
        }
    }

    /// Until when a command is to be left alone, by itself.
    pub(crate) fn quiet_until(&self, saga: &Arc<str>, command: Command, now: Time) -> Option<Time> {
        locked(&self.quiet).until(saga, command, now)
    }

    fn is_alive(&self) -> bool {
        let ends_outage = locked(&self.breaker).answered();
        if ends_outage {
            tracing::info!(name: "participant_answers", participant = self.name, "a participant answers again");
        }
        ends_outage
    }

    fn shut_out(&self, now: Time, status: Option<u16>) {
        if !locked(&self.breaker).unanswered(now, status) {
            return;
        }
        match status {
            None => {
                tracing::warn!(name: "participant_silent", participant = self.name, "a participant does not answer; it is asked less often")
            }
            Some(status) => {
                tracing::warn!(name: "participant_turns_away", participant = self.name, status, "a participant turns requests away; it is asked less often")
            }
        }
    }

    /// Shuts the link. A stray answer must not shut it for good: where every request names what only the right history can
    /// confirm, or another life was named, one is let through now and then, and an answer that is as it should be opens it again.
    /// Says why, and whether that is news.
    pub(crate) fn fell_behind(&self, incarnation: &str, seq: u64, now: Time) -> (String, bool) {
        let current = self.incarnation();
        let is_another = current.as_deref().is_some_and(|current| current != incarnation);
        if is_another {
            locked(&self.life).offered = Some((incarnation.to_owned(), seq));
        }
        let may_heal = is_another || current.as_deref().is_some_and(|current| self.memories.draws_marks(current));
        if let Some(current) = &current {
            self.memories.note_behind(current, true);
        }
        let known = current.map(|known| self.memories.naming(&known, &[]));
        let had =
            known.as_ref().map_or_else(|| "nothing".to_owned(), |known| format!("commit {} of {}", known.seq, known.incarnation));
        let went_on = known.is_some_and(|known| known.incarnation == incarnation && known.seq <= seq);
        let but = if went_on { "and does not know what it had answered with" } else { "but had answered with" };
        let before = if self.is_former(incarnation) { ", which counted before another was accepted," } else { "," };
        let reason = format!("its store is at commit {seq} of {incarnation}{before} {but} {had}");
        let is_news = locked(&self.behind).replace(reason.clone()).as_ref() != Some(&reason);
        locked(&self.breaker).fell_behind(may_heal.then_some(now));
        (reason, is_news)
    }

    fn is_as_it_should_be(&self) {
        *locked(&self.behind) = None;
        if let Some(incarnation) = self.incarnation() {
            self.memories.note_behind(&incarnation, false);
        }
    }

    /// Whether what this incarnation had answered is known to be forgotten, perhaps, since its store is another one than it was.
    pub(crate) fn knows_behind(&self, incarnation: &str) -> bool {
        self.memories.is_behind(incarnation)
    }

    pub(crate) fn resume(&self) {
        self.is_as_it_should_be();
        locked(&self.breaker).resume();
    }

    pub(crate) fn stats(&self) -> LinkStats {
        let (breaker, turned_away) = {
            let breaker = locked(&self.breaker);
            (breaker.state(), breaker.turned_away().filter(|_| breaker.state() != BreakerState::Closed))
        };
        let behind = locked(&self.behind).clone();
        LinkStats {
            participant: self.name.clone(),
            breaker,
            turned_away,
            in_flight: self.in_flight.load(Ordering::Relaxed),
            answered: self.answered.load(Ordering::Relaxed),
            unanswered: self.unanswered.load(Ordering::Relaxed),
            indefinite: self.indefinite.load(Ordering::Relaxed),
            meaningless: *locked(&self.meaningless),
            way_out: behind.is_some().then(|| self.life().way_out(&self.name)),
            behind,
            not_understood: locked(&self.odd).all(),
            not_made: locked(&self.unmade).all(),
            requests: locked(&self.asked).all(),
        }
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Link").field(&self.stats()).finish()
    }
}

/// The status by which a service says that it has begun, and will answer later: nothing is wrong with that.
pub(crate) const ACCEPTED: u16 = 202;

/// Statuses by which a participant says that it cannot answer now, or a gateway that the participant behind it does not.
pub(crate) const fn turns_away(status: u16) -> bool {
    matches!(status, 429 | 502 | 503 | 504)
}

/// Counts for as long as it lives, however its call ends.
struct Counted<'a>(&'a AtomicU64);

impl<'a> Counted<'a> {
    fn new(counter: &'a AtomicU64) -> Self {
        counter.fetch_add(1, Ordering::Relaxed);
        Self(counter)
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::delivery::BreakerSettings;
    use crate::participant::InMemory;

    #[tokio::test(start_paused = true)]
    async fn a_request_that_waited_past_its_time_does_not_leave() {
        let settings = LinkSettings {
            calls_at_once: 1,
            keeps_a_part: true,
            breaker: BreakerSettings::default(),
            backoff: Backoff::default(),
        };
        let link = Link::new("bank", Arc::new(InMemory::new(|_, _| true)), settings, (Life::default(), Arc::default()));
        let clock = Clock::of_runtime(Time(0));
        let first = link.slot(&clock, None, Class::New).await.unwrap();
        let (late, in_time) = (link.slot(&clock, Some(Time(100)), Class::New), link.slot(&clock, Some(Time(101)), Class::New));
        let free_again = async {
            tokio::time::sleep(Duration::from_millis(100)).await;
            drop(first);
        };
        let ((), late, in_time) = tokio::join!(free_again, late, in_time);
        assert!(late.is_none() && in_time.is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn however_much_was_put_aside_what_is_new_finds_its_way() {
        let settings = LinkSettings {
            calls_at_once: 4,
            keeps_a_part: true,
            breaker: BreakerSettings::default(),
            backoff: Backoff::default(),
        };
        let link = Link::new("bank", Arc::new(InMemory::new(|_, _| true)), settings, (Life::default(), Arc::default()));
        let clock = Clock::of_runtime(Time(0));
        let mut backlog = Vec::new();
        for _ in 0..3 {
            backlog.push(link.slot(&clock, None, Class::Backlog).await.unwrap());
        }
        let at_once = Duration::from_millis(1);
        assert!(tokio::time::timeout(at_once, link.slot(&clock, None, Class::Backlog)).await.is_err(), "it waits");
        assert!(tokio::time::timeout(at_once, link.slot(&clock, None, Class::New)).await.is_ok_and(|slot| slot.is_some()));
    }
}
