//! Brings the orders of an input to their ends, a limited number at a time, and tells what becomes of each.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use handfast::flow_file::FlowFile;
use handfast::store::{Store, StoreError};
use handfast::{Engine, Flow, OpenError, Options, OtherDefinition, OtherDefinitions, SubmitError};
use handfast_http::stop::stopped;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::follow::{Follow, Followed, taken};
use super::input::{BadLine, Item};
use super::report::{ResultLine, Tally};
use super::source::Source;
use super::waiting::{Waiting, Waits};
use crate::open_files::{Shares, Wanted};

/// How long sagas are given to write down what they have heard before the process ends.
const STOPPING: Duration = Duration::from_secs(5);

/// How often it is looked what the orders wait for.
const LISTENING: Duration = Duration::from_secs(2);

/// How many orders are under way at a time, unless something else is said.
const LIMIT_IN_FLIGHT: NonZeroUsize = NonZeroUsize::new(64).expect("it is not zero");

/// What is to be done.
#[non_exhaustive]
pub struct Batch {
    /// The flow that every order follows.
    pub file: Arc<FlowFile>,
    /// The same, as it is driven.
    pub flow: Arc<Flow>,
    /// The orders.
    pub source: Source,
    /// How many they are, where that is known.
    pub expected: Option<u64>,
    /// Where sagas are kept.
    pub store: Arc<dyn Store>,
    /// At most this many orders are under way at a time.
    pub limit_in_flight: NonZeroUsize,
    /// An order that has not ended after this time is left to the store.
    pub give_up_after: Option<Duration>,
    /// The longest pause between two tries of one delivery.
    pub retry_cap: Duration,
    /// What becomes of orders under way that follow another definition.
    pub definitions: OtherDefinitions,
    /// How many files the process may have open.
    pub open_files: u64,
}

impl Batch {
    /// The orders of a source, 64 at a time and each for as long as it takes, by a process with as many open files as one mostly gets
    /// (1,024).
    #[must_use]
    pub fn new((file, flow): (Arc<FlowFile>, Arc<Flow>), source: Source, store: Arc<dyn Store>) -> Self {
        Self {
            file,
            flow,
            source,
            expected: None,
            store,
            limit_in_flight: LIMIT_IN_FLIGHT,
            give_up_after: None,
            retry_cap: Options::default().backoff.cap,
            definitions: OtherDefinitions::default(),
            open_files: 1_024,
        }
    }
}

/// Is told what becomes of the orders.
pub trait Report {
    /// The other definitions that open orders of the store follow; told once, before the first order.
    fn definitions(&mut self, others: &[OtherDefinition]);
    /// An order has begun.
    fn begun(&mut self);
    /// An order has ended, or is left to the store.
    ///
    /// # Errors
    /// Why it is no use to go on.
    fn ended(&mut self, line: &ResultLine) -> Result<(), Cause>;
    /// A line repeats an order that an earlier one has.
    fn repeated(&mut self, line: u64, id: &str, first: u64);
    /// A line holds no order.
    fn bad(&mut self, bad: &BadLine);
    /// Orders wait for something, or do so no longer.
    fn waits(&mut self, waits: &Waits, under_way: usize);
    /// How far it is.
    fn progress(&mut self, tally: &Tally, under_way: usize);
}

/// Why a report is not taken any more.
pub type Cause = Box<dyn std::error::Error + Send + Sync>;

/// What kept the orders from being driven. Those that were placed are in the store, and go on from there.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BatchError {
    /// An id stands for another order in the store; nothing was started.
    #[error("an id of {input} is taken in the store; nothing was started")]
    Taken {
        /// The name of the input.
        input: String,
        /// Its line.
        line: BadLine,
    },
    /// The store does not do as asked.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The engine does not open.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// An order that was checked does not fit its flow.
    #[error("an order that was checked does not fit its flow")]
    Misfit(#[source] SubmitError),
    /// A part has stopped that the engine cannot do without.
    #[error("{part} has stopped; the same command again goes on from here, and nothing is lost")]
    Died {
        /// Which one.
        part: &'static str,
    },
    /// The task of an order has ended by itself.
    #[error("an order's task has ended by itself")]
    Task(#[source] tokio::task::JoinError),
    /// The input cannot be read on; the orders that were read have been driven.
    #[error("cannot read on in {input}")]
    Input {
        /// Its name.
        input: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The report is not taken any more.
    #[error(transparent)]
    Report(Cause),
}

/// What became of all of it.
#[derive(Debug)]
#[non_exhaustive]
pub struct Ended {
    /// How many orders stand how.
    pub tally: Tally,
    /// How many of those in doubt were under way when it was stopped.
    pub left: u64,
    /// Of a file that was not read to its end: how many orders were not started.
    pub not_started: Option<u64>,
    /// How many have ended and are watched for what comes late, and until when at least, in milliseconds since the epoch.
    pub watched: u64,
    /// See `watched`; 0 where none is.
    pub watched_until_ms: u64,
    /// The sagas that wait for a person, and why.
    pub suspended: Vec<(String, String)>,
    /// Why the input could not be read to its end, if it could not.
    pub cut_off: Option<BatchError>,
}

/// Drives every order to its end, or until `stop` says true.
///
/// # Errors
/// What kept them from being driven.
pub async fn run(batch: Batch, mut stop: watch::Receiver<bool>, report: &mut dyn Report) -> Result<Ended, BatchError> {
    let Batch { file, flow, source, expected, store, limit_in_flight, give_up_after, retry_cap, definitions, open_files } = batch;
    if let Some(line) = first_taken(&*store, &source, &file).await? {
        return Err(BatchError::Taken { input: source.name().to_owned(), line });
    }
    let options = Options::default().with_retry_cap(retry_cap).with_assumptions(file.assumptions());
    let mut options = options.with_max_active(limit_in_flight.get());
    let wanted = Wanted::by([&*flow], &*store, &options).await?;
    Shares::alone(open_files, wanted).bound(&mut options);
    let engine = Engine::builder(store).flow(flow).options(options).other_definitions(definitions).open().await?;
    report.definitions(&engine.other_definitions().await?);
    let mut counts = Counts::default();
    let mut waiting = Waiting::default();
    let mut listening = tokio::time::interval(LISTENING);
    let input = source.name().to_owned();
    let mut items = source.read(Arc::clone(&file));
    let mut under_way = JoinSet::new();
    let mut is_open = true;
    let mut cut_off = None;
    while is_open || !under_way.is_empty() {
        tokio::select! {
            item = items.recv(), if is_open && under_way.len() < limit_in_flight.get() => match item {
                Some(Ok(Item::Order { line, order })) => {
                    report.begun();
                    let follow = Follow { engine: engine.clone(), file: Arc::clone(&file), line, give_up_after };
                    under_way.spawn(follow.bring_to_its_end(order));
                }
                Some(Ok(Item::Repeated { line, id, first })) => {
                    counts.tally.repeated += 1;
                    report.repeated(line, &id, first);
                }
                Some(Ok(Item::Bad(bad))) => counts.bad(&bad, report),
                Some(Err(source)) => {
                    is_open = false;
                    cut_off = Some(BatchError::Input { input: input.clone(), source });
                }
                None => is_open = false,
            },
            Some(ended) = under_way.join_next() => match ended.map_err(BatchError::Task)?? {
                Followed::Ended(line) => counts.ended(&line, report)?,
                Followed::Taken(line, why) => counts.bad(&BadLine::new(&input, line, why), report),
            },
            _ = listening.tick() => {
                if let Some(part) = engine.dead_part() {
                    return Err(BatchError::Died { part });
                }
                waiting.news(engine.stats()).iter().for_each(|waits| report.waits(waits, under_way.len()));
            },
            () = stopped(&mut stop) => break,
        }
        report.progress(&counts.tally, under_way.len());
    }
    let left = under_way.len() as u64;
    counts.tally.in_doubt += left;
    // What standard input would still have brought is unknown. Of a file it is known how many orders were not started.
    let not_started = expected.filter(|_| is_open).map(|all| all.saturating_sub(counts.tally.orders()));
    under_way.abort_all();
    engine.shutdown(STOPPING).await;
    let Counts { tally, watched, watched_until_ms } = counts;
    Ok(Ended { tally, left, not_started, watched, watched_until_ms, suspended: engine.stats().suspended, cut_off })
}

/// What is counted on the way.
#[derive(Default)]
struct Counts {
    tally: Tally,
    watched: u64,
    watched_until_ms: u64,
}

impl Counts {
    fn ended(&mut self, line: &ResultLine, report: &mut dyn Report) -> Result<(), BatchError> {
        self.tally.add(line.ending);
        if let Some(until) = line.watched_until_ms {
            self.watched += 1;
            self.watched_until_ms = self.watched_until_ms.max(until);
        }
        report.ended(line).map_err(BatchError::Report)
    }

    fn bad(&mut self, bad: &BadLine, report: &mut dyn Report) {
        self.tally.bad += 1;
        report.bad(bad);
    }
}

/// The first order of a file whose id stands for another order in the store.
async fn first_taken(store: &dyn Store, source: &Source, flow: &FlowFile) -> Result<Option<BadLine>, StoreError> {
    if store.counts().await?.by_standing.iter().all(|(_, number)| *number == 0) {
        return Ok(None);
    }
    for (line, order) in source.orders_of_file(flow) {
        let stored = store.load(&order.id).await?;
        if stored.is_some_and(|stored| stored.input != order.input) {
            return Ok(Some(BadLine::new(source.name(), line, taken(&order.id))));
        }
    }
    Ok(None)
}
