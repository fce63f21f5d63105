//! One task per active saga: tells its coordinator what arrives, and delivers what it wants.
//!
//! Thin on purpose. What to do next is read from the outbox and the deadline; nothing here looks at how a saga stands
//! except to say so.

mod after_the_end;
mod loading;
mod once;
mod pace;
mod replies;
mod standing;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use handfast_protocol::{Command, DueAt, Evidence, Operation, Outcome, Standing, Time};
use tokio::sync::mpsc::UnboundedReceiver;
use tracing::{Instrument as _, Span};

use self::loading::{load_patiently, pause_after};
use self::pace::Pace;
use self::standing::Tried;

use super::calls::{Calls, EndedCall, Setting};
use super::handle::Progress;
use super::journaled::Journaled;
use super::lives::{self, Hold};
use super::options::{GONE_FOR, LONGEST_PARK, READING_TRIES};
use super::registry::{Arrival, Mail};
use super::shared::{CancelResult, Shared};
use crate::clock::whole_ms;
use crate::delivery::{CallEnd, Class};
use crate::journal::Line as JournalLine;
use crate::key::KeyParts;
use crate::store::{Seen, StoreError};

/// Drives one saga until it ends, is put aside, or the engine stops.
pub(crate) async fn drive(shared: Arc<Shared>, id: Arc<str>, arrival: Arrival, mut mailbox: UnboundedReceiver<Mail>) {
    let presence = Presence { shared: &shared, id: &id, has_left: false };
    // Of its own: a saga goes on long after the caller that placed it was answered.
    let span = tracing::info_span!(parent: None, "saga", saga = %id, flow = tracing::field::Empty);
    let driven = run(&shared, (&id, &span), arrival, &mut mailbox).instrument(span.clone()).await;
    presence.leave(driven);
}

/// Whether a saga has left in order, mailbox read and all.
struct HasLeft;

async fn run(
    shared: &Arc<Shared>,
    (id, span): (&Arc<str>, &Span),
    arrival: Arrival,
    mailbox: &mut UnboundedReceiver<Mail>,
) -> Option<HasLeft> {
    let (is_new, is_hinted) = (matches!(arrival, Arrival::Placed(_)), matches!(arrival, Arrival::Hinted));
    let class = arrival.class();
    let saga = match arrival {
        Arrival::Placed(saga) => saga,
        Arrival::Due | Arrival::Hinted | Arrival::Waited => {
            let turn = shared.turn_to_load(class).await?;
            let saga = load_patiently(shared, id, Some(READING_TRIES)).await?;
            shared.takes(id, saga.bytes());
            drop(turn);
            for ruled in shared.take_rulings(id, saga.rulings()) {
                // No driver was running here when it was said.
                shared.count(Some(ruled.before), ruled.after);
                if ruled.has_ended {
                    standing::tell_end(shared, &saga);
                }
            }
            if !saga.needs_person() {
                shared.attention.suspended.remove(id);
            }
            standing::name_unconfirmed(shared, &saga);
            // Another worker on the same store may have brought it further.
            shared.followers.publish(id, Progress::of(&saga));
            saga
        }
    };
    span.record("flow", saga.definition().flow().name());
    let mut driver = Driver::new((shared, span), saga, is_new, class);
    if is_hinted {
        driver.wait_for_wake_up();
    }
    driver.take_hints().await;
    loop {
        if driver.turn(mailbox).await.is_continue() {
            continue;
        }
        match shared.leave(id, mailbox) {
            Ok(()) => return Some(HasLeft),
            Err(Mail::Stop) => return None,
            Err(mail) => driver.take_mail(mail).await.is_continue().then_some(())?,
        };
    }
}

/// Takes a saga out of the list of the active ones even if its task panics, in a participant's code for instance.
struct Presence<'a> {
    shared: &'a Shared,
    id: &'a str,
    has_left: bool,
}

impl Presence<'_> {
    fn leave(mut self, left: Option<HasLeft>) {
        self.has_left = left.is_some();
    }
}

impl Drop for Presence<'_> {
    fn drop(&mut self) {
        if !self.has_left {
            self.shared.vanished(self.id);
            // Whatever it left undone is found in the index, but not in a tight loop.
            self.shared.wakes.note(self.shared.now().after(1000));
        }
    }
}

struct Driver<'a> {
    shared: &'a Arc<Shared>,
    saga: Box<Journaled>,
    calls: Calls,
    pace: Vec<Pace>,
    /// Whether it goes before what was put aside: until something was asked for in vain.
    class: Class,
    /// The number of the last request, once it is known.
    number: Option<u64>,
    /// How the saga stood when that was last said.
    told: Option<Standing>,
    /// Whether it was said that it has ended. It may be watched for long after that.
    was_end_told: bool,
    /// Why a person was said to be needed when that was last said.
    told_evidence: Option<Evidence>,
    /// How many acceptances of a participant's life were known when it was last looked which of them are about this saga.
    accepted: usize,
    /// What changed nothing when the coordinator was told of it, and the length of the journal then.
    passed: Option<(u64, Vec<DueAt>)>,
    /// What came of a request, until it is told.
    tried: Option<Tried>,
    /// Looks that hints have led to after everything was done, and from when on each may leave.
    looks_after: BTreeMap<usize, Time>,
    /// Those of them that are out.
    looks_out: BTreeSet<usize>,
}

impl<'a> Driver<'a> {
    fn new((shared, span): (&'a Arc<Shared>, &Span), saga: Box<Journaled>, is_new: bool, class: Class) -> Self {
        let tries = saga.tries();
        let pace = vec![Pace::after(tries); saga.definition().flow().steps().len()];
        let (told, number) = (Some(saga.standing()), is_new.then_some(0));
        let was_end_told = saga.decision().is_some();
        let told_evidence = saga.coordinator().evidence().filter(|_| saga.needs_person());
        Self {
            shared,
            saga,
            calls: Calls::within(span.clone()),
            pace,
            class,
            number,
            told,
            was_end_told,
            told_evidence,
            accepted: 0,
            passed: None,
            tried: None,
            looks_after: BTreeMap::new(),
            looks_out: BTreeSet::new(),
        }
    }

    /// Does what there is to do, and waits for one thing to happen. Breaks when the saga can leave memory.
    async fn turn(&mut self, mailbox: &mut UnboundedReceiver<Mail>) -> ControlFlow<()> {
        // Before it is looked: what is accepted in between is no part of what was looked at.
        self.accepted = self.shared.definitions.acceptances();
        if let Some(line) = self.saga.owed() {
            let told = self.tell(&line, None).await.map_continue(drop);
            self.saga.note_told(&line);
            return told;
        }
        let now = self.shared.now();
        let deadline = self.next_deadline();
        if let Some((_, due)) = self.next_due().filter(|&(at, _)| at <= now) {
            // Of several things that are due each is told by a timeout of its own, for as long as that changes anything.
            let at = self.shared.journal_now().max(due.at);
            if !self.tell_at(Some(at), &self.line_of(due, at), None).await? {
                let entries = self.saga.entries();
                let passed = self.passed.take().filter(|(then, _)| *then == entries);
                self.passed = Some((entries, passed.into_iter().flat_map(|(_, dues)| dues).chain([due]).collect()));
            }
            return ControlFlow::Continue(());
        }
        let next_at = self.launch(now).await;
        let next_at = [next_at, deadline].into_iter().flatten().min();
        let looks_at = self.launch_looks_after_the_end(now).await;
        if self.calls.is_empty() && looks_at.is_none() {
            let Some(next_at) = next_at else {
                return ControlFlow::Break(());
            };
            if next_at > now.after(whole_ms(self.shared.options.park_after)) {
                return self.park(next_at).await;
            }
        }
        let next_at = next_at.into_iter().chain(looks_at).min();
        let rest = next_at.map_or(LONGEST_PARK, |at| Duration::from_millis(at.0.saturating_sub(now.0)));
        tokio::select! {
            // What leaves once only is heard out first, even if the engine stops meanwhile: its answer can be asked for no more.
            mail = mailbox.recv(), if !self.calls.has_one_that_leaves_once() => match mail {
                Some(mail) => self.take_mail(mail).await,
                None => ControlFlow::Break(()),
            },
            (call, of_request) = self.calls.next() => self.take_end(call).instrument(of_request).await,
            () = tokio::time::sleep(rest) => ControlFlow::Continue(()),
        }
    }

    /// When the coordinator is told the time next, in steady time.
    fn next_deadline(&self) -> Option<Time> {
        self.next_due().map(|(at, _)| at)
    }

    /// What the coordinator is told of next, and when that is in steady time.
    fn next_due(&self) -> Option<(Time, DueAt)> {
        let (entries, now) = (self.saga.entries(), self.shared.now());
        let was_told = |due: &DueAt| self.passed.as_ref().is_some_and(|(then, dues)| *then == entries && dues.contains(due));
        let dues = self.saga.coordinator().dues().into_iter().filter(|due| !was_told(due));
        let timed = dues.map(|due| (self.in_steady_time(due, now), due));
        timed.filter(|&(at, _)| !self.awaits_last_look(at)).min_by_key(|&(at, due)| (at, due.at))
    }

    fn in_steady_time(&self, due: DueAt, now: Time) -> Time {
        Time(now.0.saturating_add_signed(self.shared.options.clock.remaining_ms(due)))
    }

    /// When the watch over a step's key is over, in steady time.
    fn watch_ends(&self, step: usize) -> Option<Time> {
        self.saga.coordinator().watch_due(step).map(|due| self.in_steady_time(due, self.shared.now()))
    }

    /// What to tell of something that has come: that it alone has, where a clock has leapt past other things that have not.
    fn line_of(&self, due: DueAt, told: Time) -> JournalLine {
        let (now, coordinator) = (self.shared.now(), self.saga.coordinator());
        let has_passed = |other: &DueAt| other.at <= told.max(coordinator.clock());
        let is_to_come = |other: DueAt| self.in_steady_time(other, now) > now;
        let leaps = coordinator.dues().into_iter().filter(has_passed).any(is_to_come);
        if leaps { JournalLine::Due(due) } else { JournalLine::Timeout }
    }

    /// Whether the coordinator has to be told the time before anything else leaves.
    fn is_due(&self) -> bool {
        self.next_deadline().is_some_and(|deadline| deadline <= self.shared.now())
    }

    /// A saga of version 1 that has ended is looked at once more when the time for it is over: perhaps no process was running
    /// that could have looked before. Since version 2 its coordinator sees to it.
    fn awaits_last_look(&self, until: Time) -> bool {
        let mut looks = self.saga.outbox().iter().filter(|command| command.operation == Operation::Look);
        let is_watched = self.saga.decision().is_some();
        is_watched && looks.any(|command| self.pace.get(command.step).is_some_and(|pace| pace.looked_at < until))
    }

    /// The key of a step.
    fn key(&self, step: usize) -> String {
        let name = self.saga.definition().flow().steps().get(step).map_or("", |step| &step.name);
        KeyParts { store: self.shared.store.store_id(), saga: self.saga.id(), step: name }.key()
    }

    fn setting(&self) -> Setting<'a> {
        let options = &self.shared.options;
        let (store, before, class) = (&self.shared.store, self.next_deadline(), self.class);
        Setting { store, timeout: options.try_timeout, clock: &options.clock, before, class, accepted: self.accepted }
    }

    /// Sends what the outbox wants and what is not out already. Says when the next of the others is to go out.
    async fn launch(&mut self, now: Time) -> Option<Time> {
        if !self.shared.may_send(self.saga.id()) {
            return Some(now.after(whole_ms(GONE_FOR)));
        }
        let mut next_at: Option<Time> = None;
        let outbox = self.saga.outbox().to_vec();
        self.calls.keep_wanted(&outbox, &self.looked_at_beside());
        for command in outbox {
            let look = Command { operation: Operation::Look, ..command };
            let is_look = command.operation == Operation::Look;
            let act_is_out = is_look && (self.calls.has_act(command.step) || self.calls.has_one_that_leaves_once());
            if self.calls.has(command) || self.calls.has(look) || act_is_out {
                continue;
            }
            let at = if self.saga.is_bound_to_a_time(command) && self.shared.is_behind() {
                now.after(whole_ms(self.shared.options.patrol))
            } else {
                self.turn_of(command, now)
            };
            if at > now {
                next_at = Some(next_at.map_or(at, |next| next.min(at)));
                continue;
            }
            match self.hold(command).await {
                Hold::None => {}
                Hold::Accepted => return Some(now),
                Hold::Behind => {
                    let at = now.after(whole_ms(self.shared.longest_pause()));
                    next_at = Some(next_at.map_or(at, |next| next.min(at)));
                    continue;
                }
            }
            let command = if self.reads_back_now(command) { look } else { command };
            let number = self.begin(command.step, now).await;
            let setting = self.setting();
            if self.saga.leaves_once(command) {
                self.calls.queue(&self.saga, command, number, setting);
            } else {
                self.calls.launch(&self.saga, command, number, setting);
            }
        }
        next_at
    }

    /// What keeps a command back that rests on what may be forgotten by now.
    async fn hold(&mut self, command: Command) -> Hold {
        let Some(line) = self.saga.definition().link(command.step) else { return Hold::None };
        lives::hold(self.shared, line, &self.saga.rests_on(command), self.accepted).await
    }

    async fn take_end(&mut self, call: EndedCall) -> ControlFlow<()> {
        let EndedCall { line, command, number, end } = call;
        match end {
            CallEnd::Held => ControlFlow::Continue(()),
            CallEnd::Ready(slot) => self.send_once(command, number, slot).await,
            CallEnd::Confirmed(seen) => {
                lives::confirmed(self.shared, &line, seen).await;
                ControlFlow::Continue(())
            }
            CallEnd::Replied { reply, sent, named } => self.take_reply(&line, (command, number), reply, (sent, named)).await,
        }
    }

    pub(super) async fn take_mail(&mut self, mail: Mail) -> ControlFlow<()> {
        let (by, why, reply) = match mail {
            Mail::Cancel { by, why, reply } => (by, why, reply),
            Mail::Hint => {
                self.take_hints().await;
                return ControlFlow::Continue(());
            }
            Mail::Reload => return self.reload().await,
            Mail::Flows if self.is_held_by_definition() => return self.reload().await,
            Mail::Flows => return ControlFlow::Continue(()),
            Mail::Length(length) if length > self.saga.entries() => return self.reload().await,
            Mail::Length(_) => return ControlFlow::Continue(()),
            Mail::Stop => return ControlFlow::Break(()),
        };
        let told = self.tell(&JournalLine::Cancel { by, why, request_id: None }, None).await.map_continue(drop);
        if told.is_continue() {
            // How it stands now says what came of it: others may have written, too, and what they wrote is no cancel. The
            // caller may no longer wait for the reply; the saga turns back all the same.
            let _gone = reply.send(cancel_result(self.saga.decision(), self.saga.standing()));
        }
        told
    }

    /// Whether nothing is sent for orders that follow what it follows, unless a person has let it go on.
    fn is_held_by_definition(&self) -> bool {
        let flow = self.saga.definition().flow();
        self.shared.definitions.held(flow.hash(), flow.text()).is_some()
    }

    /// Goes on from the journal as it is now, after a person has added to it, and asks at once for what it wants.
    async fn reload(&mut self) -> ControlFlow<()> {
        let Some(saga) = load_patiently(self.shared, self.saga.id(), None).await else { return ControlFlow::Break(()) };
        self.go_on_from(saga);
        self.pace.fill(Pace::default());
        self.say_how_it_stands();
        ControlFlow::Continue(())
    }

    /// Says whether the saga follows another definition now than it did.
    fn go_on_from(&mut self, saga: Box<Journaled>) -> bool {
        let follows_another = saga.definition().flow().hash() != self.saga.definition().flow().hash();
        if follows_another {
            self.calls.forget_looks();
        }
        // How it stands is counted by how it stood when that was last said.
        let _counted = self.shared.take_rulings(saga.id(), saga.rulings());
        self.saga = saga;
        follows_another
    }

    /// Tells the coordinator one thing, for as long as the store needs to keep it. Says whether that changed anything, by an
    /// entry that was written here. Breaks if the saga cannot go on here.
    async fn tell(&mut self, line: &JournalLine, seen: Option<Seen>) -> ControlFlow<(), bool> {
        self.tell_at(None, line, seen).await
    }

    /// The same at a time that is not simply now.
    async fn tell_at(&mut self, at: Option<Time>, line: &JournalLine, seen: Option<Seen>) -> ControlFlow<(), bool> {
        let mut attempt = 0;
        let changed = loop {
            // What holds a place at a participant, and a person who waits, are not kept waiting by others.
            let turn = if line.is_urgent() { None } else { self.shared.turn_to_write(self.class).await };
            let now = at.unwrap_or_else(|| self.shared.journal_now());
            let advanced = self.saga.advance(&*self.shared.store, now, line, seen.clone()).await;
            drop(turn);
            match self.shared.attention.trouble.after(advanced) {
                Ok(changed) => break changed,
                Err(StoreError::Conflict) => {}
                Err(error) => {
                    attempt += 1;
                    if pause_after(self.shared, self.saga.id(), &error, attempt).await.is_none() {
                        return ControlFlow::Break(());
                    }
                }
            }
            // Whatever the error was, the journal may be ahead of what is known here.
            let Some(saga) = load_patiently(self.shared, self.saga.id(), None).await else { return ControlFlow::Break(()) };
            let follows_another = self.go_on_from(saga);
            // It could not be told whose books the look is of.
            if follows_another && line.is_of_look() {
                break false;
            }
            if once::is_mark(line) && (follows_another || !self.may_leave_once()) {
                break false;
            }
        };
        self.tell_try();
        self.say_how_it_stands();
        ControlFlow::Continue(changed)
    }

    async fn park(&mut self, next_at: Time) -> ControlFlow<()> {
        if self.has_missed_recovery() {
            return ControlFlow::Continue(());
        }
        let wake_at = next_at.min(self.shared.now().after(whole_ms(self.shared.longest_pause())));
        let in_index = self.shared.in_index(wake_at);
        if in_index == self.saga.wake_at() {
            // It came for a hint that changed nothing, and is where it was.
            self.shared.wakes.note(wake_at);
            return ControlFlow::Break(());
        }
        let tries = self.saga.outbox().iter().filter_map(|command| self.pace.get(command.step)).map(|pace| pace.tries).max();
        let length = Some(self.saga.entries());
        let turn = self.shared.turn_to_write(self.class).await;
        let parked = self.shared.store.park(self.saga.id(), length, in_index, tries.unwrap_or(0)).await;
        drop(turn);
        match self.shared.attention.trouble.after(parked) {
            Ok(()) => {
                self.saga.was_parked(in_index);
                self.shared.wakes.note(wake_at);
                // Those who are woken early may have been found in the index before this one was in it.
                if self.has_missed_recovery() {
                    return ControlFlow::Continue(());
                }
            }
            // Another process has appended to its journal meanwhile, through the store.
            Err(StoreError::Conflict) => return self.reload().await,
            Err(error) => {
                // It is still due in the index, so it will be looked at again; only not at once.
                tracing::warn!(name: "saga_not_put_aside", saga = %self.saga.id(), %error, "a saga could not be put aside");
                self.shared.wakes.note(self.shared.now().after(1000));
            }
        }
        ControlFlow::Break(())
    }
}

/// What asking for *neither* has come to for a saga that stands so after it was told.
pub(crate) fn cancel_result(decision: Option<Outcome>, standing: Standing) -> CancelResult {
    if let Some(outcome) = decision {
        return CancelResult::Ended(outcome);
    }
    match standing {
        Standing::Committed | Standing::Completed | Standing::Settled => CancelResult::TooLate,
        Standing::Suspended => CancelResult::Suspended,
        Standing::Placed | Standing::Acting | Standing::Cancelling | Standing::Cancelled => CancelResult::Accepted,
    }
}
