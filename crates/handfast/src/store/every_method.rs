//! Every method of a store in one table, so that a store which stands before another one passes all of them on.

/// Expands the macro of the given name with a line for each method of [`Store`](crate::store::Store): how it is asked, its name,
/// its arguments and its answer. `now` answers at once; the others answer by a future, and may be refused: `read` changes nothing, a
/// saga or a person waits for a `write`, and what is written `aside` is waited for by none of them.
#[doc(hidden)]
#[macro_export]
macro_rules! every_method_of_a_store {
    ($callback:ident) => {
        $callback! {
            now store_id() -> &str;
            now intact() -> Result<(), $crate::store::StoreError>;
            now may_send(id: &str) -> Result<(), $crate::store::StoreError>;
            read reachable() -> ();
            write probe(bytes: usize) -> ();
            now dead_part() -> Option<&'static str>;
            write create(saga: $crate::store::NewSaga) -> $crate::store::Created;
            write append(append: $crate::store::Append) -> ();
            read load(id: &'a str) -> Option<$crate::store::StoredSaga>;
            read due(now: $crate::Time, limit: usize) -> $crate::store::Due;
            write park(id: &'a str, length: Option<u64>, wake_at: $crate::Time, tries: u32) -> ();
            read lengths(ids: Vec<std::sync::Arc<str>>) -> $crate::store::Lengths;
            write suspend(id: &'a str, length: u64, reason: &'a str) -> ();
            now record_try(attempt: $crate::store::Try) -> ();
            read tries(id: &'a str) -> Vec<$crate::store::Try>;
            read list(filter: $crate::store::Filter) -> $crate::store::Page;
            read orders(filter: $crate::store::Filter) -> $crate::store::OrderedPage;
            read flows() -> $crate::store::FlowTexts;
            read counts() -> $crate::store::Counts;
            aside accept_time(acceptance: $crate::store::TimeAcceptance) -> $crate::store::TimeAccepted;
            read stamped_after(now: $crate::Time) -> Vec<String>;
            aside keep_time(mark: $crate::store::ClockMark, error_ms: u64) -> $crate::store::KeptTime;
            read judge_time(mark: $crate::store::ClockMark, error_ms: u64) -> ($crate::store::ClockVerdict, $crate::Time);
            aside keep_at_hand(flows: Vec<std::sync::Arc<str>>) -> ();
            read at_hand() -> Vec<std::sync::Arc<str>>;
            read open_flows() -> Vec<$crate::store::OpenFlow>;
            read open_of(placed_with: [u8; 32], follows: [u8; 32], after: Option<&'a str>, limit: usize) -> Vec<String>;
            write adopt(adoption: $crate::store::Adoption) -> u64;
            read seen() -> Vec<$crate::store::Seen>;
            write remember(seen: $crate::store::Seen) -> ();
            write offer(offer: $crate::store::Offer) -> ();
            write withdraw(participant: &'a str, incarnation: &'a str) -> ();
            read offers() -> Vec<$crate::store::Offer>;
            write accept(acceptance: $crate::store::Acceptance) -> ();
            read acceptances() -> Vec<$crate::store::Acceptance>;
        }
    };
}
