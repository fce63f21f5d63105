//! Brings sagas from the wake-up index into memory when they are due and when there is room.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use handfast_protocol::Time;

use super::definitions::KeptOfParticipants;
use super::registry::Arrival;
use super::shared::Shared;
use crate::clock::whole_ms;
use crate::store::LONGEST_WAKE_UP_MS;

/// What the wake-up index is called among the sagas that cannot be read. No saga is, since no id has a space.
const INDEX: &str = "wake-up index";

/// Runs until the engine stops.
pub(crate) async fn schedule(shared: Arc<Shared>) {
    let _running = Running(&shared);
    let mut queue: VecDeque<Arc<str>> = VecDeque::new();
    let mut patrolled = Time(0);
    while !shared.is_stopping() {
        if shared.is_apart() {
            // Others drive them. What changes is noticed by the clock's own watch, and looked for here from time to time.
            tokio::select! {
                () = shared.wakes.wake_up.notified() => {}
                () = tokio::time::sleep(shared.options.patrol) => {}
            }
            continue;
        }
        shared.start_placed();
        shared.start_hinted();
        while let Some(id) = queue.front() {
            if !shared.start(id, Arrival::Due) {
                break;
            }
            queue.pop_front();
        }
        let patrols = shared.now() >= patrolled.after(whole_ms(shared.options.patrol));
        if patrols {
            // Whether there is room in memory or not.
            patrolled = shared.now();
            take_over(&shared).await;
            look_after_active(&shared).await;
        }
        let found = if queue.is_empty() && shared.has_room() && shared.wakes.next() <= shared.now() {
            if !patrols {
                take_over(&shared).await;
            }
            look(&shared, &mut queue).await
        } else {
            false
        };
        if !found {
            rest(&shared).await;
        }
    }
}

/// Says that the scheduler is gone when it is, even if it panicked.
struct Running<'a>(&'a Shared);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.is_scheduled.store(false, Ordering::Release);
    }
}

/// Reads the wake-up index once. Says whether it found anything that is not active.
async fn look(shared: &Shared, queue: &mut VecDeque<Arc<str>>) -> bool {
    let early = shared.wakes.early();
    let horizon = shared.journal_now().after(if early > 0 { LONGEST_WAKE_UP_MS } else { 0 });
    shared.wakes.forget();
    // Who is active now and ends while the index is read is still found there, and is none that was put aside.
    let were_active: BTreeSet<Arc<str>> = shared.active_ids().into_iter().collect();
    // Active sagas stand in the index too, and before all others: a page of twice their number always has room for more.
    match shared.store.due(horizon, 2 * shared.options.max_active.max(1)).await {
        Ok((ids, next)) => {
            shared.attention.unreadable.remove(INDEX);
            queue.extend(ids.into_iter().filter(|id| !were_active.contains(id.as_str()) && !shared.is_active(id)).map(Arc::from));
            if early > 0 {
                shared.wakes.woke_early(queue.len());
                // What is due in the ordinary way is not known from this page.
                shared.wakes.note(shared.now());
            } else if let Some(next) = next {
                shared.wakes.note(shared.out_of_index(next));
            }
            early > 0 || !queue.is_empty()
        }
        Err(error) => {
            if shared.attention.unreadable.add(INDEX, &format!("the wake-up index: {error}")) {
                tracing::error!(name: "wake_up_index_unreadable", %error, "the wake-up index cannot be read; it is read again every second");
            }
            shared.wakes.note(shared.now().after(1000));
            false
        }
    }
}

/// Takes over what others on the same store have seen of participants, and what a person has accepted there. Where that cannot
/// be read, this process goes on with what it has seen itself.
async fn take_over(shared: &Shared) {
    match KeptOfParticipants::in_store(&*shared.store).await {
        Ok(kept) => {
            shared.memories.join(&kept.seen);
            shared.definitions.take_over(kept);
        }
        Err(error) => {
            tracing::warn!(name: "seen_unreadable", %error, "what other workers have seen of participants cannot be read")
        }
    }
}

/// Looks whether another process has appended to the journal of an active saga through the store, as a command beside this
/// process does.
async fn look_after_active(shared: &Shared) {
    let active = shared.active_ids();
    if active.is_empty() {
        return;
    }
    match shared.store.lengths(active).await {
        Ok(lengths) => shared.tell_lengths(lengths),
        Err(error) => tracing::debug!(name: "lengths_unreadable", %error, "how long journals are cannot be read"),
    }
}

/// Waits until something may be due and there may be room.
async fn rest(shared: &Shared) {
    let now = shared.now();
    let until_next = Duration::from_millis(shared.wakes.next().0.saturating_sub(now.0));
    // A saga that is due and finds no room waits until another one leaves; the lower bound keeps an index that only names
    // active sagas from being read in a tight loop.
    let longest = if shared.has_room() { until_next.max(Duration::from_millis(10)) } else { Duration::MAX };
    tokio::select! {
        () = shared.wakes.wake_up.notified() => {}
        () = tokio::time::sleep(longest.min(shared.options.patrol)) => shared.wakes.note(now),
    }
}
