//! A store in memory: the oracle that the durable ones are compared with, and the store of tests and pictures.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex};

use handfast_machine::locked;
use handfast_protocol::Time;

use super::{
    Acceptance, Adopted, Adoption, Append, BoxFuture, Candidate, ClockMark, ClockVerdict, Counts, Created, Due, Filter,
    FlowTexts, KeptTime, LONGEST_WAKE_UP_MS, Lengths, Memory, NewSaga, Offer, OpenFlow, Ordered, OrderedPage, Page, SUSPENDED,
    Seen, Store, StoreError, StoredSaga, Summary, TRIES_KEPT, TimeAcceptance, TimeAccepted, Try, check_new, draw_store_id,
    storable,
    time::{judge, judge_acceptance, keep},
};

/// Keeps sagas for as long as the process lives. Answers as every other store does.
#[derive(Debug)]
pub struct MemoryStore {
    store_id: String,
    rows: Mutex<Rows>,
}

#[derive(Debug, Default)]
struct Rows {
    /// In the order of their placing.
    sagas: Vec<Row>,
    by_id: BTreeMap<String, usize>,
    by_request_key: BTreeMap<[u8; 32], usize>,
    wake_ups: BTreeSet<(Time, usize)>,
    /// Every definition that was ever followed.
    flows: BTreeMap<[u8; 32], Arc<str>>,
    /// How many stand how.
    counted: BTreeMap<String, u64>,
    seen: BTreeMap<String, (String, u64)>,
    clock: Option<ClockMark>,
    at_hand: Vec<Arc<str>>,
    /// By incarnation.
    memories: BTreeMap<String, Memory>,
    offers: BTreeMap<String, Offer>,
    acceptances: Vec<Acceptance>,
}

#[derive(Debug)]
struct Row {
    saga: StoredSaga,
    tries: VecDeque<Try>,
}

impl Row {
    fn is_longer_than(&self, length: u64) -> bool {
        self.saga.length() > length
    }
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

impl MemoryStore {
    /// An empty store with an id of its own.
    #[must_use]
    pub fn new() -> Self {
        Self { store_id: draw_store_id(), rows: Mutex::default() }
    }

    fn with<T>(&self, work: impl FnOnce(&mut Rows) -> T) -> T {
        // Every method leaves the rows whole before it can panic, so what a panicking thread left behind is sound.
        work(&mut locked(&self.rows))
    }
}

impl Rows {
    fn row(&mut self, id: &str) -> Option<(usize, &mut Row)> {
        let number = *self.by_id.get(id)?;
        Some((number, &mut self.sagas[number]))
    }

    fn wake(&mut self, number: usize, wake_at: Option<Time>) {
        let wake_at = wake_at.map(storable);
        let before = std::mem::replace(&mut self.sagas[number].saga.wake_at, wake_at);
        if let Some(time) = before {
            self.wake_ups.remove(&(time, number));
        }
        if let Some(time) = wake_at {
            self.wake_ups.insert((time, number));
        }
    }

    fn stand(&mut self, number: usize, standing: &str) {
        let before = std::mem::replace(&mut self.sagas[number].saga.standing, standing.to_owned());
        if let Some(counted) = self.counted.get_mut(&before) {
            *counted -= 1;
        }
        *self.counted.entry(standing.to_owned()).or_default() += 1;
    }

    fn create(&mut self, new: NewSaga) -> Result<Created, StoreError> {
        check_new(&new)?;
        let holder = new.request_key_hash.and_then(|hash| self.by_request_key.get(&hash));
        if let Some(StoredSaga { id, .. }) = holder.map(|&number| &self.sagas[number].saga).filter(|holder| holder.id != new.id) {
            return Ok(Created::KeyTaken { id: id.clone() });
        }
        if let Some((number, row)) = self.row(&new.id) {
            let same_input = row.saga.input == new.input;
            let same_flow = row.saga.flow_hash == new.flow_hash;
            let same_order = same_input && new.is_of_flow(&row.saga.flow_text);
            if let Some(hash) = new.request_key_hash.filter(|_| same_order) {
                self.by_request_key.insert(hash, number);
            }
            return Ok(if same_input && same_flow { Created::Same } else { Created::Different });
        }
        let number = self.sagas.len();
        self.by_id.insert(new.id.clone(), number);
        self.by_request_key.extend(new.request_key_hash.map(|hash| (hash, number)));
        self.flows.entry(new.flow_hash).or_insert_with(|| Arc::clone(&new.flow_text));
        let created = new.entries.first().map_or(Time(0), |entry| entry.at);
        let saga = StoredSaga {
            id: new.id,
            flow_hash: new.flow_hash,
            flow_text: Arc::clone(&new.flow_text),
            version: new.version,
            input: new.input,
            bodies: new.bodies,
            created,
            wake_at: None,
            standing: new.standing.to_owned(),
            tries: 0,
            why: None,
            adopted: Vec::new(),
            came_back: false,
            entries: new.entries,
        };
        *self.counted.entry(saga.standing.clone()).or_default() += 1;
        self.sagas.push(Row { saga, tries: VecDeque::new() });
        self.wake(number, new.wake_at);
        Ok(Created::New)
    }

    fn append(&mut self, append: Append) -> Result<(), StoreError> {
        let (number, row) = self.row(&append.id).ok_or(StoreError::Conflict)?;
        let last = row.saga.entries.last().ok_or(StoreError::Conflict)?;
        let follows_the_same = row.saga.adopted.len() as u64 == append.adoptions;
        if !follows_the_same || (last.seq.checked_add(1), last.digest) != (Some(append.entry.seq), append.previous) {
            return Err(StoreError::Conflict);
        }
        row.saga.tries = 0;
        row.saga.why = None;
        row.saga.entries.push(append.entry);
        self.stand(number, append.standing);
        self.wake(number, append.wake_at);
        if let Some(seen) = append.seen {
            self.remember(seen);
        }
        Ok(())
    }

    fn remember(&mut self, seen: Seen) {
        if !seen.shown.is_empty() {
            seen.remember_in(self.memories.entry(seen.incarnation.clone()).or_default());
        }
        let Seen { participant, incarnation, seq, .. } = seen;
        let seq = storable(Time(seq)).0;
        let kept = self.seen.entry(participant).or_insert_with(|| (incarnation.clone(), seq));
        if kept.0 == incarnation {
            kept.1 = kept.1.max(seq);
        }
    }

    fn accept(&mut self, acceptance: Acceptance) -> Result<(), StoreError> {
        let kept = self.seen.get_mut(&acceptance.participant).filter(|kept| kept.0 == acceptance.former);
        let is_offered =
            self.offers.get(&acceptance.participant).is_some_and(|offer| offer.incarnation == acceptance.incarnation);
        let Some(kept) = kept.filter(|_| is_offered) else { return Err(StoreError::Conflict) };
        *kept = (acceptance.incarnation.clone(), 0);
        self.offers.remove(&acceptance.participant);
        self.acceptances.push(Acceptance { seq: storable(Time(acceptance.seq)).0, ..acceptance });
        self.acceptances.sort_by(|one, other| one.participant.cmp(&other.participant));
        Ok(())
    }

    fn due(&self, now: Time, limit: usize) -> Due {
        let id = |&(_, number): &(Time, usize)| self.sagas[number].saga.id.clone();
        let (now, far) = ((now, usize::MAX), (now.after(LONGEST_WAKE_UP_MS), usize::MAX));
        let mut due = self.wake_ups.range(..=now).chain(self.wake_ups.range(far..));
        let ids: Vec<String> = due.by_ref().take(limit).map(id).collect();
        let next = due.next().map(|(time, _)| (*time).min(now.0));
        (ids, next.or_else(|| self.wake_ups.range(now..far).next().map(|(time, _)| *time)))
    }

    fn keep_time(&mut self, mark: &ClockMark, error_ms: u64) -> KeptTime {
        let (told, keeps) = keep(self.clock.as_ref(), mark, error_ms);
        self.clock = keeps.or_else(|| self.clock.take());
        told
    }

    /// Who said so and why is gone with the process, like everything here.
    fn accept_time(&mut self, mark: ClockMark) -> TimeAccepted {
        let accepted = judge_acceptance(self.clock.as_ref(), &mark);
        if matches!(accepted, TimeAccepted::Taken { .. }) {
            self.clock = Some(mark.instead_of(self.clock.as_ref()));
        }
        accepted
    }

    fn stamped_after(&self, now: Time) -> Vec<String> {
        let is_ahead = |saga: &&StoredSaga| saga.entries.iter().any(|entry| entry.at > now);
        self.sagas.iter().map(|row| &row.saga).filter(|saga| is_open(saga)).filter(is_ahead).map(|saga| saga.id.clone()).collect()
    }

    fn park(&mut self, id: &str, length: Option<u64>, wake_at: Time, tries: u32) -> Result<(), StoreError> {
        let Some((number, row)) = self.row(id) else { return Ok(()) };
        if length.is_some_and(|length| row.is_longer_than(length)) {
            return Err(StoreError::Conflict);
        }
        if row.saga.wake_at.is_some() {
            row.saga.tries = tries;
            self.wake(number, Some(wake_at));
        }
        Ok(())
    }

    fn lengths(&mut self, ids: Vec<Arc<str>>) -> Lengths {
        let length = |id: Arc<str>| self.row(&id).map(|(_, row)| row.saga.length()).map(|length| (id, length));
        ids.into_iter().filter_map(length).collect()
    }

    fn suspend(&mut self, id: &str, length: u64, reason: &str) -> Result<(), StoreError> {
        let Some((number, row)) = self.row(id) else { return Ok(()) };
        if row.is_longer_than(length) {
            return Err(StoreError::Conflict);
        }
        row.saga.why = Some(reason.to_owned());
        self.stand(number, SUSPENDED);
        self.wake(number, None);
        Ok(())
    }

    fn record_try(&mut self, attempt: Try) {
        if let Some((_, row)) = self.row(&attempt.id) {
            if row.tries.len() == TRIES_KEPT {
                row.tries.pop_front();
            }
            row.tries.push_back(attempt);
        }
    }

    fn list(&self, filter: &Filter) -> Page {
        let first = match &filter.after {
            None => 0,
            Some(id) => self.by_id.get(id).map_or(self.sagas.len(), |number| number + 1),
        };
        let rows = self.sagas[first..].iter().map(|row| &row.saga);
        let stand_so = rows.filter(|saga| filter.indexed().is_none_or(|standings| standings.contains(&saga.standing)));
        let candidates = stand_so.map(|saga| Ok(Candidate { summary: summary(saga), follows: Some(saga.follows().0) }));
        let Ok(page) = filter.page::<std::convert::Infallible>(candidates);
        page
    }

    fn orders(&self, filter: &Filter) -> Result<OrderedPage, StoreError> {
        if filter.after.as_ref().is_some_and(|after| !self.by_id.contains_key(after.as_str())) {
            return Err(filter.after_unknown());
        }
        let page = self.list(filter);
        let rows = page.sagas.iter().filter_map(|summary| self.sagas.get(*self.by_id.get(&summary.id)?));
        let ordered = |saga: &StoredSaga| Ordered {
            standing: saga.standing.clone(),
            order: Some((saga.input.clone(), saga.bodies.clone())),
        };
        Ok((rows.map(|row| ordered(&row.saga)).collect(), page.next))
    }

    fn open_flows(&self) -> Vec<OpenFlow> {
        let mut flows = BTreeMap::<([u8; 32], [u8; 32], bool, bool), OpenFlow>::new();
        for saga in self.sagas.iter().map(|row| &row.saga).filter(|saga| is_open(saga)) {
            let ((follows, text), placed_with, is_kept) = (saga.follows(), saga.flow_hash, saga.is_kept());
            let has_moved = saga.has_moved();
            let flow = flows.entry((placed_with, follows, is_kept, has_moved)).or_insert_with(|| OpenFlow {
                placed_with,
                placed_text: Arc::clone(&saga.flow_text),
                follows,
                text: Arc::clone(text),
                is_kept,
                has_moved,
                sagas: 0,
            });
            flow.sagas += 1;
        }
        flows.into_values().collect()
    }

    fn adopt(&mut self, adoption: &Adoption) -> u64 {
        let mut sagas = 0;
        self.flows.entry(adoption.flow_hash).or_insert_with(|| Arc::clone(&adoption.flow_text));
        for saga in self.sagas.iter_mut().map(|row| &mut row.saga).filter(|saga| is_open(saga)) {
            let Adoption { placed_with, follows, flow_hash, flow_text, same_books, at: _, by, why } = adoption;
            let is_meant = saga.flow_hash == *placed_with && saga.follows().0 == *follows;
            let has_same_books = saga.adopted.last().is_some_and(|adopted| adopted.same_books);
            let is_known = follows == flow_hash && if *same_books { has_same_books } else { saga.is_kept() };
            let is_about_it = follows != flow_hash || !same_books || saga.has_moved();
            if is_meant && is_about_it && !is_known {
                let seq = saga.entries.last().map_or(0, |entry| entry.seq);
                let flow_text = Arc::clone(flow_text);
                let (by, why) = (by.clone(), why.clone());
                saga.adopted.push(Adopted { flow_hash: *flow_hash, flow_text, seq, same_books: *same_books, by, why });
                sagas += 1;
            }
        }
        sagas
    }

    fn counts(&self) -> Counts {
        let kept = self.counted.iter().filter(|(_, number)| **number > 0);
        Counts { by_standing: kept.map(|(standing, number)| (standing.clone(), *number)).collect() }
    }
}

/// A saga that may ask for something yet, by itself or once a person says so.
fn is_open(saga: &StoredSaga) -> bool {
    saga.wake_at.is_some() || saga.standing == SUSPENDED
}

fn summary(saga: &StoredSaga) -> Summary {
    let changed = saga.entries.last().map_or(saga.created, |entry| entry.at);
    Summary { id: saga.id.clone(), standing: saga.standing.clone(), created: saga.created, changed }
}

impl Store for MemoryStore {
    fn store_id(&self) -> &str {
        &self.store_id
    }
    /// There is no other one that could be in its place.
    fn intact(&self) -> Result<(), StoreError> {
        Ok(())
    }
    fn may_send(&self, _id: &str) -> Result<(), StoreError> {
        Ok(())
    }
    fn reachable(&self) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(std::future::ready(Ok(())))
    }
    /// Whatever fits into memory is taken.
    fn probe(&self, _bytes: usize) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(std::future::ready(Ok(())))
    }
    fn dead_part(&self) -> Option<&'static str> {
        None
    }
    fn create(&self, saga: NewSaga) -> BoxFuture<'_, Result<Created, StoreError>> {
        Box::pin(async move { self.with(|rows| rows.create(saga)) })
    }
    fn append(&self, append: Append) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move { self.with(|rows| rows.append(append)) })
    }
    fn load<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<Option<StoredSaga>, StoreError>> {
        Box::pin(async move { Ok(self.with(|rows| rows.row(id).map(|(_, row)| row.saga.clone()))) })
    }
    fn due(&self, now: Time, limit: usize) -> BoxFuture<'_, Result<Due, StoreError>> {
        Box::pin(async move { Ok(self.with(|rows| rows.due(now, limit))) })
    }
    fn park<'a>(&'a self, id: &'a str, length: Option<u64>, wake_at: Time, tries: u32) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async move { self.with(|rows| rows.park(id, length, wake_at, tries)) })
    }
    fn lengths(&self, ids: Vec<Arc<str>>) -> BoxFuture<'_, Result<Lengths, StoreError>> {
        Box::pin(async move { Ok(self.with(|rows| rows.lengths(ids))) })
    }
    fn suspend<'a>(&'a self, id: &'a str, length: u64, reason: &'a str) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async move { self.with(|rows| rows.suspend(id, length, reason)) })
    }
    fn record_try(&self, attempt: Try) {
        self.with(|rows| rows.record_try(attempt));
    }
    fn tries<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<Vec<Try>, StoreError>> {
        Box::pin(async move {
            Ok(self.with(|rows| rows.row(id).map_or_else(Vec::new, |(_, row)| row.tries.iter().cloned().collect())))
        })
    }
    fn list(&self, filter: Filter) -> BoxFuture<'_, Result<Page, StoreError>> {
        Box::pin(async move { Ok(self.with(|rows| rows.list(&filter))) })
    }
    fn orders(&self, filter: Filter) -> BoxFuture<'_, Result<OrderedPage, StoreError>> {
        Box::pin(async move { self.with(|rows| rows.orders(&filter)) })
    }
    fn flows(&self) -> BoxFuture<'_, Result<FlowTexts, StoreError>> {
        Box::pin(async move { Ok(self.with(|rows| rows.flows.clone().into_iter().collect())) })
    }
    fn counts(&self) -> BoxFuture<'_, Result<Counts, StoreError>> {
        Box::pin(async move { Ok(self.with(|rows| rows.counts())) })
    }
    fn keep_time(&self, mark: ClockMark, error_ms: u64) -> BoxFuture<'_, Result<KeptTime, StoreError>> {
        Box::pin(async move { Ok(self.with(|rows| rows.keep_time(&mark, error_ms))) })
    }
    fn accept_time(&self, acceptance: TimeAcceptance) -> BoxFuture<'_, Result<TimeAccepted, StoreError>> {
        Box::pin(async move { Ok(self.with(|rows| rows.accept_time(acceptance.mark))) })
    }
    fn stamped_after(&self, now: Time) -> BoxFuture<'_, Result<Vec<String>, StoreError>> {
        Box::pin(async move { Ok(self.with(|rows| rows.stamped_after(now))) })
    }
    fn judge_time(&self, mark: ClockMark, error_ms: u64) -> BoxFuture<'_, Result<(ClockVerdict, Time), StoreError>> {
        Box::pin(async move { Ok(self.with(|rows| judge(rows.clock.as_ref(), &mark, error_ms))) })
    }
    fn keep_at_hand(&self, flows: Vec<Arc<str>>) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move {
            self.with(|rows| rows.at_hand = flows);
            Ok(())
        })
    }
    fn at_hand(&self) -> BoxFuture<'_, Result<Vec<Arc<str>>, StoreError>> {
        Box::pin(async move { Ok(self.with(|rows| rows.at_hand.clone())) })
    }
    fn open_flows(&self) -> BoxFuture<'_, Result<Vec<OpenFlow>, StoreError>> {
        Box::pin(async move { Ok(self.with(|rows| rows.open_flows())) })
    }
    fn open_of<'a>(
        &'a self,
        placed_with: [u8; 32],
        follows: [u8; 32],
        after: Option<&'a str>,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<String>, StoreError>> {
        Box::pin(async move {
            Ok(self.with(|rows| {
                let follows = |saga: &StoredSaga| saga.adopted.last().is_some_and(|adopted| adopted.flow_hash == follows);
                let is_meant = |saga: &&StoredSaga| saga.flow_hash == placed_with && follows(saga) && is_open(saga);
                let sagas = rows.sagas.iter().map(|row| &row.saga).filter(is_meant).map(|saga| saga.id.clone());
                let mut ids: Vec<String> = sagas.filter(|id| after.is_none_or(|after| id.as_str() > after)).collect();
                ids.sort_unstable();
                ids.truncate(limit);
                ids
            }))
        })
    }
    fn adopt(&self, adoption: Adoption) -> BoxFuture<'_, Result<u64, StoreError>> {
        Box::pin(async move { Ok(self.with(|rows| rows.adopt(&adoption))) })
    }
    fn seen(&self) -> BoxFuture<'_, Result<Vec<Seen>, StoreError>> {
        Box::pin(async move {
            Ok(self.with(|rows| {
                let seen = rows.seen.iter();
                seen.map(|(participant, (incarnation, seq))| Seen {
                    participant: participant.clone(),
                    incarnation: incarnation.clone(),
                    seq: *seq,
                    shown: rows.memories.get(incarnation).map_or_else(Vec::new, |memory| memory.tips().to_vec()),
                    named: Vec::new(),
                })
                .collect()
            }))
        })
    }
    fn offer(&self, offer: Offer) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move {
            self.with(|rows| rows.offers.insert(offer.participant.clone(), Offer { seq: storable(Time(offer.seq)).0, ..offer }));
            Ok(())
        })
    }
    fn withdraw<'a>(&'a self, participant: &'a str, incarnation: &'a str) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async move {
            self.with(|rows| rows.offers.retain(|_, offer| offer.participant != participant || offer.incarnation != incarnation));
            Ok(())
        })
    }
    fn remember(&self, seen: Seen) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move {
            self.with(|rows| rows.remember(seen));
            Ok(())
        })
    }
    fn offers(&self) -> BoxFuture<'_, Result<Vec<Offer>, StoreError>> {
        Box::pin(async move { Ok(self.with(|rows| rows.offers.values().cloned().collect())) })
    }
    fn accept(&self, acceptance: Acceptance) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move { self.with(|rows| rows.accept(acceptance)) })
    }
    fn acceptances(&self) -> BoxFuture<'_, Result<Vec<Acceptance>, StoreError>> {
        Box::pin(async move { Ok(self.with(|rows| rows.acceptances.clone())) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Entry;

    /// As a SQLite file that was damaged: `a_saga_whose_journal_lacks_a_row_is_put_aside` says the same of that.
    #[tokio::test]
    async fn a_journal_is_as_long_as_its_last_entry_says() {
        let store = MemoryStore::new();
        let entry = |seq| Entry { seq, at: Time(seq), input: String::new(), digest: [0; 8] };
        let new = NewSaga {
            id: "a".to_owned(),
            request_key_hash: None,
            flow_hash: [0; 32],
            flow_text: Arc::from("{}"),
            version: 1,
            input: Vec::new(),
            bodies: Vec::new(),
            entries: (1..=3).map(entry).collect(),
            wake_at: Some(Time(1)),
            standing: "acting",
        };
        store.create(new).await.unwrap();
        store.with(|rows| rows.sagas[0].saga.entries.remove(1));
        assert_eq!(store.lengths(vec!["a".into()]).await.unwrap()[0].1, 3);
        assert!(matches!(store.park("a", Some(2), Time(200), 0).await, Err(StoreError::Conflict)));
        assert!(matches!(store.suspend("a", 2, "why").await, Err(StoreError::Conflict)));
        store.park("a", Some(3), Time(200), 0).await.unwrap();
        assert_eq!(store.load("a").await.unwrap().unwrap().wake_at, Some(Time(200)));
    }
}
