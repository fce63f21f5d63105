//! Brings the orders of an input to their ends, so many at a time, and prints a line for each.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use handfast::flow_file::FlowFile;
use handfast::store::Store;
use handfast::{
    BreakerState, Engine, Flow, LineStats, Options, Order, OtherDefinitions, Outcome, Progress, SagaView, Standing, SubmitError,
};
use indicatif::ProgressBar;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::input::{BadLine, Item};
use super::report::{Ending, ResultLine, StepLine, Tally, counted};
use super::source::Source;
use crate::clock::{Stopwatch, now_ms};
use crate::commands;
use crate::numbers::moment;
use crate::open_files::{self, Shares, Wanted};
use crate::output::{Exit, OrExit as _, Output, ReaderLeft};
use crate::signals::stopped;

/// How long sagas are given to write down what they have heard before the process ends.
const STOPPING: Duration = Duration::from_secs(5);

/// How often an order is placed again when the store does not say whether it was placed, and how long is waited before.
const PLACINGS: u32 = 5;
const BETWEEN_PLACINGS: Duration = Duration::from_millis(200);

/// For how long the last look at an order is waited for.
const LAST_LOOK: Duration = Duration::from_secs(10);

/// The status of an answer that is still to come.
const ACCEPTED: u16 = 202;

/// After so many requests in a row that nobody answered it is said that nobody does.
const UNANSWERED: u64 = 4;

/// How often it is looked what the orders wait for.
const LISTENING: Duration = Duration::from_secs(2);

/// What is to be done.
pub(crate) struct Batch {
    /// The flow that every order follows.
    pub(crate) file: Arc<FlowFile>,
    /// The same, as it is driven.
    pub(crate) flow: Arc<Flow>,
    /// The orders.
    pub(crate) source: Source,
    /// How many they are, where that is known.
    pub(crate) expected: Option<u64>,
    /// Where sagas are kept.
    pub(crate) store: Arc<dyn Store>,
    /// So many orders are under way at most.
    pub(crate) limit_in_flight: NonZeroUsize,
    /// An order that has not ended after so long is left to the store.
    pub(crate) give_up_after: Option<Duration>,
    /// The longest pause between two tries of one delivery.
    pub(crate) retry_cap: Duration,
    /// What becomes of orders under way that follow another definition.
    pub(crate) definitions: OtherDefinitions,
    /// The command that goes on where this one stops.
    pub(crate) again: String,
}

/// Drives every order to its end, or until a signal asks to stop.
pub(crate) async fn run(batch: Batch, mut stop: watch::Receiver<bool>, output: &Output) -> anyhow::Result<Exit> {
    let Batch { file, flow, source, expected, store, limit_in_flight, give_up_after, retry_cap, definitions, again } = batch;
    if let Some(bad) = first_taken(&*store, &source, &file).await? {
        output.complain(&bad);
        return Err(anyhow::anyhow!("an id of {} is taken in the store; nothing was started", source.name()))
            .or_exit(Exit::Usage);
    }
    let options = Options::default().with_retry_cap(retry_cap).with_assumptions(file.assumptions());
    let mut options = Options { max_active: limit_in_flight.get(), ..options };
    let wanted = Wanted::by(&flow, &*store, &options).await?;
    let shares = Shares::alone(open_files::raise(), wanted);
    shares.bound(&mut options);
    let engine = Engine::builder(store).flow(flow).options(options).other_definitions(definitions).open().await?;
    commands::definitions::say(&engine, output).await?;
    let mut printer = Printer::new(output, expected);
    let mut listening = tokio::time::interval(LISTENING);
    let input_name = source.name().to_owned();
    let mut items = source.read(Arc::clone(&file));
    let mut under_way = JoinSet::new();
    let mut is_open = true;
    let mut reading = Ok(());
    while is_open || !under_way.is_empty() {
        tokio::select! {
            item = items.recv(), if is_open && under_way.len() < limit_in_flight.get() => match item {
                Some(Ok(Item::Order { line, order })) => {
                    printer.expect_one_more(expected);
                    let follow = Follow { engine: engine.clone(), file: Arc::clone(&file), line, give_up_after };
                    under_way.spawn(follow.bring_to_its_end(order));
                }
                Some(Ok(Item::Repeated { line, id, first })) => printer.repeated(&input_name, line, &id, first),
                Some(Ok(Item::Bad(bad))) => printer.bad(&bad),
                Some(Err(error)) => {
                    is_open = false;
                    reading = Err(error).with_context(|| format!("cannot read on in {input_name}"));
                }
                None => is_open = false,
            },
            Some(ended) = under_way.join_next() => match ended.context("an order's task has ended by itself")?? {
                Followed::Ended(line) => printer.ended(&line)?,
                Followed::Taken(line, why) => printer.bad(&BadLine::new(&input_name, line, why)),
            },
            _ = listening.tick() => {
                if let Some(part) = engine.dead_part() {
                    anyhow::bail!("{part} has stopped; the same command again goes on from here, and nothing is lost");
                }
                printer.tell_of_waiting(&engine, under_way.len());
            },
            () = stopped(&mut stop) => break,
        }
        printer.show(under_way.len());
    }
    let left = under_way.len() as u64;
    printer.tally.in_doubt += left;
    // Nobody can say what standard input would still have brought; of a file it is known that something is missing.
    let is_cut = is_open && expected.is_some();
    under_way.abort_all();
    engine.shutdown(STOPPING).await;
    let not_started = expected.filter(|_| is_cut).map(|all| all.saturating_sub(printer.tally.orders()));
    printer.finish(left, not_started, &engine, &again);
    reading?;
    Ok(exit(printer.tally, is_cut))
}

/// What the exit code says: first whether anything is unsettled, then whether anything was wrong with the input.
const fn exit(tally: Tally, is_cut: bool) -> Exit {
    if tally.in_doubt + tally.suspended + tally.held > 0 || is_cut {
        Exit::InDoubt
    } else if tally.bad > 0 {
        Exit::Usage
    } else {
        Exit::Done
    }
}

/// The first order of a file whose id stands for another order in the store.
async fn first_taken(store: &dyn Store, source: &Source, flow: &FlowFile) -> anyhow::Result<Option<BadLine>> {
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

fn taken(id: &str) -> String {
    format!(
        "id: the store knows another order called {id}, which goes on unchanged; give this one an id of its own, or use another store"
    )
}

/// One order on its way.
struct Follow {
    engine: Engine,
    file: Arc<FlowFile>,
    line: u64,
    give_up_after: Option<Duration>,
}

enum Followed {
    Ended(ResultLine),
    /// The id is another order's; why, in words.
    Taken(u64, String),
}

impl Follow {
    async fn bring_to_its_end(self, order: Order) -> anyhow::Result<Followed> {
        let id = order.id.clone();
        let mut placings = 0;
        let mut handle = loop {
            placings += 1;
            match self.engine.submit(order.clone()).await {
                Ok(handle) => break handle,
                Err(SubmitError::DifferentBody { id }) => return Ok(Followed::Taken(self.line, taken(&id))),
                Err(SubmitError::Store(_)) if placings < PLACINGS => tokio::time::sleep(BETWEEN_PLACINGS).await,
                Err(error @ (SubmitError::Store(_) | SubmitError::Clock { .. } | SubmitError::Stopping)) => {
                    return Ok(Followed::Ended(self.line(id, None, Ending::InDoubt, Some(error.to_string())).await));
                }
                Err(
                    error @ (SubmitError::Id { .. }
                    | SubmitError::Flow { .. }
                    | SubmitError::Bodies { .. }
                    | SubmitError::KeyTaken { .. }),
                ) => {
                    return Err(error).context("an order that was checked does not fit its flow");
                }
            }
        };
        let waited = match self.give_up_after {
            Some(longest) => handle.wait(longest).await,
            None => handle.outcome().await.map(|_outcome| handle.progress()),
        };
        // Read once, so that a saga that ends right after the wait does not contradict itself.
        let standing = waited.as_ref().map_or_else(|_| handle.progress().standing(), Progress::standing);
        let (ending, trouble) = Ending::of(waited, handle.progress().is_held());
        Ok(Followed::Ended(self.line(id, Some(standing), ending, trouble).await))
    }

    /// What the store knows of an order. Where the time is over for which it was to be watched, it is looked at now for the last
    /// time, and that is waited for.
    async fn looked_at_once_more(&self, id: &str) -> Option<SagaView> {
        let waits = Stopwatch::start();
        loop {
            let view = self.engine.saga(id).await.ok().flatten();
            let watched_until = view.as_ref().and_then(|view| view.watched_until);
            let is_over = watched_until.is_some_and(|until| until.0 <= now_ms());
            if !is_over || waits.elapsed() > LAST_LOOK {
                return view;
            }
            tokio::time::sleep(BETWEEN_PLACINGS).await;
        }
    }

    async fn line(&self, id: String, standing: Option<Standing>, ending: Ending, mut trouble: Option<String>) -> ResultLine {
        let mut watched_until_ms = None;
        let steps = if ending == Ending::Completed {
            // Both means every step, so the store need not be asked.
            let done = |name: &String| StepLine { name: name.clone(), state: Some("done"), detail: None };
            self.file.steps().iter().map(|step| done(&step.name)).collect()
        } else {
            let view = self.looked_at_once_more(&id).await;
            if ending == Ending::InDoubt && trouble.is_none() {
                trouble = view.as_ref().and_then(|view| view.trouble.clone());
            }
            watched_until_ms = view.as_ref().and_then(|view| view.watched_until).map(|at| at.0);
            view.as_ref().map(StepLine::of).unwrap_or_default()
        };
        let outcome = ending.outcome().map(Outcome::name);
        let held = ending == Ending::Held;
        ResultLine {
            id,
            line: self.line,
            standing: standing.map(Standing::name),
            outcome,
            held,
            watched_until_ms,
            ending,
            steps,
            trouble,
        }
    }
}

/// What is printed while the orders run.
struct Printer<'a> {
    output: &'a Output,
    bar: ProgressBar,
    tally: Tally,
    /// Whether anybody still reads standard output. If not, the orders go on all the same: their results are in the store.
    is_read: bool,
    /// Participants of which it was said that nobody answers there, or that they turn requests away.
    silent: BTreeSet<String>,
    /// Of every participant how many answers there were, and how many requests were unanswered at the last of them.
    heard: BTreeMap<String, (u64, u64)>,
    /// Participants and the statuses of their answers of which it was said that they mean nothing.
    meaningless: BTreeSet<(String, u16)>,
    /// Whether it was said that the store takes no writes.
    is_store_in_trouble: bool,
    /// How many orders have ended and are watched for what comes late, and until when at least.
    watched: u64,
    watched_until_ms: u64,
}

impl<'a> Printer<'a> {
    fn new(output: &'a Output, expected: Option<u64>) -> Self {
        Self {
            output,
            bar: output.progress(expected.unwrap_or(0)),
            tally: Tally::default(),
            is_read: true,
            silent: BTreeSet::new(),
            heard: BTreeMap::new(),
            meaningless: BTreeSet::new(),
            is_store_in_trouble: false,
            watched: 0,
            watched_until_ms: 0,
        }
    }

    /// Says once what orders wait for, and once that it is over: orders that wait look like nothing at all.
    fn tell_of_waiting(&mut self, engine: &Engine, under_way: usize) {
        let stats = engine.stats();
        match stats.store_trouble {
            Some(trouble) if !self.is_store_in_trouble => {
                self.is_store_in_trouble = true;
                self.say(&format!("nothing can be written to the store, and orders wait until it can: {trouble}"));
            }
            None if self.is_store_in_trouble => {
                self.is_store_in_trouble = false;
                self.say("the store takes writes again");
            }
            Some(_) | None => {}
        }
        for line in stats.participants {
            let is_shut = match line.breaker {
                BreakerState::Open | BreakerState::HalfOpen => true,
                BreakerState::Closed | BreakerState::Behind => false,
            };
            // So few orders open no breaker; their run would say nothing for as long as nobody answers.
            let is_silent = self.unheard(&line) >= UNANSWERED || is_shut;
            // A 202 says that the answer comes later, and nothing is wrong with that.
            if let Some(status) = line.meaningless.filter(|&status| status != ACCEPTED && line.turned_away != Some(status))
                && self.meaningless.insert((line.participant.clone(), status))
            {
                let first = line.not_understood.iter().find(|kind| kind.status == status);
                let first = first.map(|kind| format!(" (the first: {})", kind.seen)).unwrap_or_default();
                self.say(&format!(
                    "{} gives answers with status {status} that mean nothing; what they were to is asked again and again{first}",
                    line.participant
                ));
            }
            if is_silent && self.silent.insert(line.participant.clone()) {
                let who = match line.turned_away {
                    None => format!("nobody answers at {}", line.participant),
                    Some(status) => format!("{} turns requests away with status {status}", line.participant),
                };
                let orders = counted(under_way as u64, "order");
                self.say(&format!("{who}; what is asked for there waits, and is asked for again and again ({orders} under way)"));
            } else if !is_silent && self.silent.remove(&line.participant) {
                self.say(&format!("{} answers again", line.participant));
            }
        }
    }

    /// How many requests to a participant went unanswered since one was answered.
    fn unheard(&mut self, line: &LineStats) -> u64 {
        let answers = line.answered + line.indefinite;
        let (known, unanswered) = self.heard.entry(line.participant.clone()).or_default();
        if *known != answers {
            (*known, *unanswered) = (answers, line.unanswered);
        }
        line.unanswered.saturating_sub(*unanswered)
    }

    fn say(&self, note: &str) {
        self.bar.suspend(|| self.output.note(note));
    }

    fn expect_one_more(&self, expected: Option<u64>) {
        if expected.is_none() {
            self.bar.inc_length(1);
        }
    }

    fn show(&self, under_way: usize) {
        self.bar.set_position(self.tally.orders());
        self.bar.set_message(format!("{under_way} under way, {} in doubt", self.tally.in_doubt));
    }

    fn ended(&mut self, line: &ResultLine) -> anyhow::Result<()> {
        self.tally.add(line.ending);
        if let Some(until) = line.watched_until_ms {
            self.watched += 1;
            self.watched_until_ms = self.watched_until_ms.max(until);
        }
        if !self.is_read {
            return Ok(());
        }
        match self.bar.suspend(|| self.output.json_line(line)) {
            Err(error) if error.is::<ReaderLeft>() => {
                self.is_read = false;
                Ok(())
            }
            printed => printed,
        }
    }

    fn repeated(&mut self, input: &str, line: u64, id: &str, first: u64) {
        self.tally.repeated += 1;
        self.bar.suspend(|| {
            self.output.note(format_args!("{input}:{line}: the same order {id} as in line {first}; it is one order"))
        });
    }

    fn bad(&mut self, bad: &BadLine) {
        self.tally.bad += 1;
        self.bar.suspend(|| self.output.complain(bad));
    }

    /// The sums, and what is left to do.
    fn finish(&self, left: u64, not_started: Option<u64>, engine: &Engine, again: &str) {
        self.bar.finish_and_clear();
        match not_started {
            Some(number) => self.output.note(format_args!("{}; {} not started", self.tally, counted(number, "order"))),
            None => self.output.note(self.tally),
        }
        let stopped = if left > 0 || not_started.is_some() { "stopped; " } else { "" };
        if self.tally.in_doubt > 0 {
            self.output.note(format_args!("{stopped}no order in doubt is lost, and none is done twice; go on with: {again}"));
        } else if not_started.is_some() {
            self.output.note(format_args!("{stopped}nothing is lost; go on with: {again}"));
        }
        if self.tally.held > 0 {
            self.output.note(format_args!(
                "nothing is sent for the orders that are held: they follow another definition than the flow file, or another \
                 handfast; each result says why in `trouble`. To let them go on with their own definition: {again} \
                 --keep-definitions --by NAME --why TEXT"
            ));
        }
        if self.watched > 0 {
            self.output.note(format_args!(
                "{} still watched for what comes late, until {}; nobody looks before you run or serve again",
                if self.watched == 1 {
                    "1 cancelled order is".to_owned()
                } else {
                    format!("{} cancelled orders are", self.watched)
                },
                moment(self.watched_until_ms)
            ));
        }
        for (id, why) in engine.stats().suspended {
            self.output.complain(format_args!("order {id} waits for a person: {why}"));
        }
    }
}
