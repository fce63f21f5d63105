//! A store behind an `Arc` is one, too.

use super::*;

impl<S: Store + ?Sized> Store for Arc<S> {
    fn store_id(&self) -> &str {
        (**self).store_id()
    }
    fn intact(&self) -> Result<(), StoreError> {
        (**self).intact()
    }
    fn probe(&self, bytes: usize) -> BoxFuture<'_, Result<(), StoreError>> {
        (**self).probe(bytes)
    }
    fn dead_part(&self) -> Option<&'static str> {
        (**self).dead_part()
    }
    fn create(&self, saga: NewSaga) -> BoxFuture<'_, Result<Created, StoreError>> {
        (**self).create(saga)
    }
    fn append(&self, append: Append) -> BoxFuture<'_, Result<(), StoreError>> {
        (**self).append(append)
    }
    fn load<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<Option<StoredSaga>, StoreError>> {
        (**self).load(id)
    }
    fn due(&self, now: Time, limit: usize) -> BoxFuture<'_, Result<Due, StoreError>> {
        (**self).due(now, limit)
    }
    fn park<'a>(&'a self, id: &'a str, length: Option<u64>, wake_at: Time, tries: u32) -> BoxFuture<'a, Result<(), StoreError>> {
        (**self).park(id, length, wake_at, tries)
    }
    fn lengths(&self, ids: Vec<Arc<str>>) -> BoxFuture<'_, Result<Lengths, StoreError>> {
        (**self).lengths(ids)
    }
    fn suspend<'a>(&'a self, id: &'a str, reason: &'a str) -> BoxFuture<'a, Result<(), StoreError>> {
        (**self).suspend(id, reason)
    }
    fn record_try(&self, attempt: Try) {
        (**self).record_try(attempt);
    }
    fn tries<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<Vec<Try>, StoreError>> {
        (**self).tries(id)
    }
    fn list<'a>(
        &'a self,
        standing: Option<&'a str>,
        after: Option<&'a str>,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<Summary>, StoreError>> {
        (**self).list(standing, after, limit)
    }
    fn counts(&self) -> BoxFuture<'_, Result<Counts, StoreError>> {
        (**self).counts()
    }
    fn keep_time(&self, mark: ClockMark, error_ms: u64) -> BoxFuture<'_, Result<KeptTime, StoreError>> {
        (**self).keep_time(mark, error_ms)
    }
    fn accept_time(&self, acceptance: TimeAcceptance) -> BoxFuture<'_, Result<TimeAccepted, StoreError>> {
        (**self).accept_time(acceptance)
    }
    fn stamped_after(&self, now: Time) -> BoxFuture<'_, Result<Vec<String>, StoreError>> {
        (**self).stamped_after(now)
    }
    fn judge_time(&self, mark: ClockMark, error_ms: u64) -> BoxFuture<'_, Result<(ClockVerdict, Time), StoreError>> {
        (**self).judge_time(mark, error_ms)
    }
    fn keep_at_hand(&self, flows: Vec<Arc<str>>) -> BoxFuture<'_, Result<(), StoreError>> {
        (**self).keep_at_hand(flows)
    }
    fn at_hand(&self) -> BoxFuture<'_, Result<Vec<Arc<str>>, StoreError>> {
        (**self).at_hand()
    }
    fn open_flows(&self) -> BoxFuture<'_, Result<Vec<OpenFlow>, StoreError>> {
        (**self).open_flows()
    }
    fn open_of<'a>(
        &'a self,
        placed_with: [u8; 32],
        follows: [u8; 32],
        after: Option<&'a str>,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<String>, StoreError>> {
        (**self).open_of(placed_with, follows, after, limit)
    }
    fn adopt(&self, adoption: Adoption) -> BoxFuture<'_, Result<u64, StoreError>> {
        (**self).adopt(adoption)
    }
    fn seen(&self) -> BoxFuture<'_, Result<Vec<Seen>, StoreError>> {
        (**self).seen()
    }
    fn offer(&self, offer: Offer) -> BoxFuture<'_, Result<(), StoreError>> {
        (**self).offer(offer)
    }
    fn withdraw<'a>(&'a self, participant: &'a str, incarnation: &'a str) -> BoxFuture<'a, Result<(), StoreError>> {
        (**self).withdraw(participant, incarnation)
    }
    fn remember(&self, seen: Seen) -> BoxFuture<'_, Result<(), StoreError>> {
        (**self).remember(seen)
    }
    fn offers(&self) -> BoxFuture<'_, Result<Vec<Offer>, StoreError>> {
        (**self).offers()
    }
    fn accept(&self, acceptance: Acceptance) -> BoxFuture<'_, Result<(), StoreError>> {
        (**self).accept(acceptance)
    }
    fn acceptances(&self) -> BoxFuture<'_, Result<Vec<Acceptance>, StoreError>> {
        (**self).acceptances()
    }
}
