//! A coin for every messenger, and the outcomes counted beside their exact probabilities.

use std::fmt::{self, Display};

use serde::ser::{Serialize, Serializer};

use crate::answers::Against;
use crate::answers::object::{ByOutcome, Object};
use crate::answers::odds::exact;
use crate::generals::{
    CaptureRate, Confidence, Email, Estimate, Interval, Outcome, Ratio, Simulated, SimulatedEmail, Simulation, Table, Tilt,
    simulate_email,
};

/// An outcome of which fewer runs than this are to be expected is sampled at other rates.
const FEW: u64 = 10;

/// From so many times the variance of plain runs on the rates suit an outcome badly; below that it may be chance.
const MARKEDLY: f64 = 2.0;

/// A game of electronic mail with more messages than this would not end today.
const MOST_MESSAGES: u64 = 1_000_000_000_000_000;

/// What is asked.
#[derive(Clone, Debug)]
pub struct Question {
    /// The protocol as it is typed.
    pub protocol: String,
    /// The threshold of the electronic mail game, if that is the protocol.
    pub email_threshold: Option<u32>,
    /// The probability that a messenger is captured.
    pub capture: Ratio,
    /// How many runs, and from which seed.
    pub simulation: Simulation,
    /// How sure intervals are.
    pub confidence: Confidence,
    /// Whether lone attacks are sampled at other rates, too.
    pub importance: Option<Importance>,
}

/// The rates of importance sampling, as they are asked for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Importance {
    /// Those that suit the outcome.
    Auto,
    /// This one, for every messenger.
    At(Ratio),
}

/// How far it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Progress {
    /// All runs are gone through, once more for this.
    Begins(&'static str),
    /// So many more runs are over.
    Runs(u64),
}

/// Who is told how far it is, from any thread.
pub type Watch<'a> = &'a (dyn Fn(Progress) + Sync);

/// Why nothing is simulated.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SimulateError {
    /// This is no probability.
    NoProbability(Ratio),
    /// The mail game would never end.
    Endless,
    /// The mail game would take too long.
    TooLong {
        /// So many runs.
        runs: u64,
        /// The probability that a message is lost.
        capture: Ratio,
    },
}

impl Display for SimulateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoProbability(capture) => write!(f, "--capture {capture} is no probability"),
            Self::Endless => {
                f.write_str("email with --capture 0 never ends: every message is acknowledged; give a chance above 0")
            }
            Self::TooLong { runs, capture } => write!(
                f,
                "{runs} runs at --capture {capture} would send more than {MOST_MESSAGES} messages; take fewer runs or a higher rate"
            ),
        }
    }
}

impl std::error::Error for SimulateError {}

/// What was counted, and what is exact.
///
/// Written with the members `protocol`, `title`, `adversary`, `given`, `capture`, `runs`, `seed`, `confidence`, `outcome` (for
/// each a count, a share, an interval and the exact value), `sent`, `captures`, `importance` and `email`.
#[derive(Debug)]
pub struct Answer {
    /// The protocol as it is typed.
    pub protocol: String,
    /// The same in words.
    pub title: String,
    /// The probability that a messenger is captured.
    pub capture: Ratio,
    /// How many runs, and from which seed.
    pub simulation: Simulation,
    /// How sure intervals are.
    pub confidence: Confidence,
    /// How the runs ended.
    pub counted: Simulated,
    /// The exact probabilities; `None` if they would have more digits than anybody reads.
    pub exact: Option<[Ratio; 4]>,
    /// What was sampled at other rates.
    pub importance: Option<Sampled>,
    /// How the mail game went, if that is the protocol.
    pub email: Option<SimulatedEmail>,
}

/// What importance sampling was asked of, or done unasked.
#[derive(Debug)]
pub struct Sampled {
    /// Whether somebody asked for it.
    pub asked: bool,
    /// Each outcome with its estimate and the rates that it was sampled at.
    pub rows: Vec<(Outcome, Estimate, Tilt)>,
    /// How often all runs were simulated for it.
    times: u32,
}

/// Why an estimate of importance sampling is worth little.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Misfit {
    /// It hangs on few runs.
    Few,
    /// As many plain runs have so many times less variance.
    Worse(f64),
}

impl Misfit {
    const fn key(self) -> &'static str {
        match self {
            Self::Few => "few",
            Self::Worse(_) => "worse",
        }
    }
}

/// Simulates.
///
/// # Errors
/// The capture rate is none, or the mail game would not end.
pub fn answer(table: &Table, question: &Question, watch: Watch<'_>) -> Result<Answer, SimulateError> {
    let Question { protocol, email_threshold, capture, simulation, confidence, importance } = question;
    let rate = CaptureRate::new(capture).ok_or_else(|| SimulateError::NoProbability(capture.clone()))?;
    watch(Progress::Begins(""));
    let done = |runs| watch(Progress::Runs(runs));
    let email = match email_threshold {
        None => None,
        Some(threshold) => {
            check_length(capture, simulation.runs)?;
            simulate_email(*threshold, &rate, simulation, &done)
        }
    };
    let counted = match &email {
        Some(email) => email.simulated,
        None => table.simulate(&rate, simulation, &done),
    };
    let mut answer = Answer {
        protocol: protocol.clone(),
        title: table.name.clone(),
        capture: capture.clone(),
        simulation: *simulation,
        confidence: *confidence,
        counted,
        exact: exact(table, capture).ok().map(|odds| odds.rows),
        importance: None,
        email,
    };
    answer.importance = answer.sample(table, importance.as_ref(), watch);
    Ok(answer)
}

/// Refuses a game that would not end.
fn check_length(capture: &Ratio, runs: u64) -> Result<(), SimulateError> {
    if *capture == Ratio::new(0, 1) {
        return Err(SimulateError::Endless);
    }
    // Runs times 1/p messages are expected.
    if *capture < Ratio::new(runs as i64, MOST_MESSAGES) {
        return Err(SimulateError::TooLong { runs, capture: capture.clone() });
    }
    Ok(())
}

impl Answer {
    /// Against whom the odds are.
    #[must_use]
    pub fn adversary(&self) -> Against {
        Against::Chance(Some(self.capture.clone()))
    }

    /// The interval of a share that was counted.
    #[must_use]
    pub fn interval(&self, outcome: Outcome) -> Interval {
        Interval::wilson(self.counted.count(outcome), self.simulation.runs, self.confidence)
    }

    /// The exact probability of an outcome, if it was worked out.
    #[must_use]
    pub fn exact(&self, outcome: Outcome) -> Option<&Ratio> {
        self.exact.as_ref().map(|exact| &exact[outcome.index()])
    }

    /// How often as many messengers were tossed as the plain runs have, for the rate.
    #[must_use]
    pub fn rounds_of_sampling(&self) -> f64 {
        1.0 + self.importance.as_ref().map_or(0.0, |sampled| f64::from(sampled.times))
    }

    /// The exact expectation of messages and chance that the last was lost, for email.
    #[must_use]
    pub fn email_exact(&self) -> Option<(Ratio, Ratio)> {
        let email = Email::new(&self.capture)?;
        Some((email.messengers()?, email.last_lost()?))
    }

    /// The messengers of a run, on average.
    #[must_use]
    pub fn mean_exact(&self) -> Ratio {
        Ratio::new(self.counted.messengers as i64, self.simulation.runs)
    }

    /// The same as a float.
    #[must_use]
    pub fn mean(&self) -> f64 {
        self.mean_exact().to_f64()
    }

    /// For email: the normal interval around that mean, whose deviation is known: sqrt(1-p)/p for one run.
    #[must_use]
    pub fn mean_interval(&self) -> Interval {
        let capture = self.capture.to_f64();
        let error = (1.0 - capture).sqrt() / capture / (self.simulation.runs as f64).sqrt();
        let (mean, wide) = (self.mean(), error * self.confidence.deviations());
        Interval { low: mean - wide, high: mean + wide }
    }

    /// Why importance sampling has nothing to tell although it was asked for.
    #[must_use]
    pub fn why_none(&self) -> &'static str {
        let nothing = Ratio::new(0, 1);
        if self.capture == nothing {
            "no messenger is ever captured at this rate, so there is no chance to be sampled"
        } else if self.capture == Ratio::new(1, 1) {
            "every messenger is captured at this rate, so there is no chance to be sampled"
        } else if Outcome::ALL.into_iter().filter(|outcome| outcome.is_alone()).all(|alone| self.exact(alone) == Some(&nothing)) {
            "no lone attack can happen"
        } else {
            "the table is too large to choose rates for it; give one, as in --importance 3/4"
        }
    }

    /// Whether so few runs are expected to end so that they show little. What cannot happen is not rare.
    fn is_rare(&self, outcome: Outcome) -> bool {
        match self.exact(outcome) {
            Some(exact) => *exact > Ratio::new(0, 1) && *exact < Ratio::new(FEW as i64, self.simulation.runs),
            None => self.counted.count(outcome) < FEW,
        }
    }

    /// How many times the variance of as many plain runs an estimate has.
    #[must_use]
    pub fn variance_ratio(&self, outcome: Outcome, estimate: &Estimate) -> Option<f64> {
        let counted = || Ratio::new(self.counted.count(outcome) as i64, self.simulation.runs);
        let probability = self.exact(outcome).cloned().unwrap_or_else(counted);
        estimate.variance_ratio(&probability, self.simulation.runs)
    }

    /// Whether the rates suit this outcome badly. What cannot happen is estimated well by nothing.
    #[must_use]
    pub fn misfit(&self, outcome: Outcome, estimate: &Estimate) -> Option<Misfit> {
        if self.exact(outcome) == Some(&Ratio::new(0, 1)) {
            return None;
        }
        if estimate.effective_hits < Ratio::new(FEW as i64, 1) {
            return Some(Misfit::Few);
        }
        self.variance_ratio(outcome, estimate).filter(|times| *times >= MARKEDLY).map(Misfit::Worse)
    }

    fn sample(&self, table: &Table, asked: Option<&Importance>, watch: Watch<'_>) -> Option<Sampled> {
        if let Some(Importance::At(rate)) = asked {
            let tilt = Tilt::everywhere(table, &self.capture, rate)?;
            let estimates = self.sample_at(table, &tilt, 1, watch)?;
            let rows = Outcome::ALL.into_iter().zip(estimates).map(|(outcome, estimate)| (outcome, estimate, tilt.clone()));
            return Some(Sampled { asked: true, rows: rows.collect(), times: 1 });
        }
        let asked = asked.is_some();
        let mut rows = Vec::new();
        for outcome in Outcome::ALL {
            if !(self.is_rare(outcome) || asked && outcome.is_alone()) {
                continue;
            }
            let Some(tilt) = Tilt::towards(table, &self.capture, outcome) else { continue };
            let [both, alone_1, alone_2, neither] = self.sample_at(table, &tilt, outcome.index() as u64 + 1, watch)?;
            let estimate = match outcome {
                Outcome::Both => both,
                Outcome::Alone1 => alone_1,
                Outcome::Alone2 => alone_2,
                Outcome::Neither => neither,
            };
            rows.push((outcome, estimate, tilt));
        }
        let times = rows.len() as u32;
        (asked || !rows.is_empty()).then_some(Sampled { asked, rows, times })
    }

    fn sample_at(&self, table: &Table, tilt: &Tilt, purpose: u64, watch: Watch<'_>) -> Option<[Estimate; 4]> {
        watch(Progress::Begins("importance sampling"));
        table.simulate_tilted(tilt, purpose, &self.simulation, &|runs| watch(Progress::Runs(runs)))
    }
}

impl Serialize for Answer {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let shares = Outcome::ALL.map(|outcome| Share {
            general: None,
            count: self.counted.count(outcome),
            of: self.simulation.runs,
            interval: self.interval(outcome),
            exact: self.exact(outcome),
        });
        let mut object = Object::begin(serializer)?;
        object.head(&self.protocol, &self.title, &self.adversary())?.put("given", "the attack is wanted")?;
        object.number("capture", &self.capture)?;
        object.put("runs", &self.simulation.runs)?.put("seed", &self.simulation.seed)?;
        object.put("confidence", &self.confidence.share())?.put("outcome", &ByOutcome(shares))?;
        object.put("sent", &self.counted.messengers)?.put("captures", &self.counted.captures)?;
        object.put("importance", &self.importance.as_ref().map(|sampled| SampledData { answer: self, sampled }))?;
        object.put("email", &EmailData::of(self))?;
        object.end()
    }
}

/// How often something came, and how often it would be expected.
struct Share<'a> {
    general: Option<usize>,
    count: u64,
    of: u64,
    interval: Interval,
    exact: Option<&'a Ratio>,
}

impl Serialize for Share<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { general, count, of, interval, exact } = self;
        let mut object = Object::begin(serializer)?;
        if let Some(general) = general {
            object.put("general", general)?.put("of", of)?;
        }
        object.put("count", count)?.put("share", &(*of > 0).then(|| *count as f64 / *of as f64))?;
        object.put("low", &interval.low)?.put("high", &interval.high)?.number("exact", *exact)?;
        object.put("inside", &exact.map(|exact| interval.holds(exact.to_f64())))?;
        object.end()
    }
}

struct SampledData<'a> {
    answer: &'a Answer,
    sampled: &'a Sampled,
}

impl Serialize for SampledData<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { answer, sampled } = self;
        let mut object = Object::begin(serializer)?;
        object.put("why", if sampled.asked { "asked" } else { "rare" })?.put("outcome", &RowsData { answer, sampled })?;
        object.end()
    }
}

struct RowsData<'a> {
    answer: &'a Answer,
    sampled: &'a Sampled,
}

impl Serialize for RowsData<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = Object::begin(serializer)?;
        for (outcome, estimate, tilt) in &self.sampled.rows {
            object.put(outcome.key(), &RowData { answer: self.answer, outcome: *outcome, estimate, tilt })?;
        }
        object.end()
    }
}

struct RowData<'a> {
    answer: &'a Answer,
    outcome: Outcome,
    estimate: &'a Estimate,
    tilt: &'a Tilt,
}

impl Serialize for RowData<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { answer, outcome, estimate, tilt } = self;
        let [low, high] = estimate.interval(answer.confidence);
        // Of no runs neither an error nor an interval can be told.
        let known = estimate.hits > 0;
        let exact = answer.exact(*outcome);
        let mut object = Object::begin(serializer)?;
        object.put("estimate", &estimate.value.to_f64())?.put("error", &known.then(|| estimate.error.to_f64()))?;
        object.put("low", &known.then(|| low.to_f64()))?.put("high", &known.then(|| high.to_f64()))?;
        object.put("estimate_decimal", &estimate.value.to_decimal(6))?;
        object.put("error_decimal", &known.then(|| estimate.error.to_decimal(3)))?;
        object.put("hits", &estimate.hits)?.put("effective_hits", &estimate.effective_hits.to_f64())?;
        object.put("variance_ratio", &answer.variance_ratio(*outcome, estimate).filter(|_| known))?;
        object.put("warning", &answer.misfit(*outcome, estimate).map(Misfit::key))?.number("exact", exact)?;
        object.put("inside", &exact.filter(|_| known).map(|exact| (&low..=&high).contains(&exact)))?;
        object.put("rates", &tilt.changes().iter().map(RateData).collect::<Vec<_>>())?;
        object.end()
    }
}

struct RateData<'a>(&'a (Ratio, Vec<(usize, usize)>));

#[derive(serde::Serialize)]
struct WaveData {
    round: usize,
    from: usize,
}

impl Serialize for RateData<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self((rate, waves)) = self;
        let waves: Vec<WaveData> = waves.iter().map(|&(round, from)| WaveData { round, from }).collect();
        let mut object = Object::begin(serializer)?;
        object.number("rate", rate)?.put("waves", &waves)?;
        object.end()
    }
}

struct EmailData<'a> {
    answer: &'a Answer,
    email: &'a SimulatedEmail,
    messengers: Ratio,
    last_lost: Ratio,
}

impl<'a> EmailData<'a> {
    fn of(answer: &'a Answer) -> Option<Self> {
        let (messengers, last_lost) = answer.email_exact()?;
        Some(Self { answer, email: answer.email.as_ref()?, messengers, last_lost })
    }
}

impl Serialize for EmailData<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { answer, email, messengers, last_lost } = self;
        let interval = answer.mean_interval();
        let generals = [0, 1].map(|side| {
            let (count, of) = (email.last_lost[side], email.sent[side]);
            let interval = Interval::wilson(count, of, answer.confidence);
            Share { general: Some(side + 1), count, of, interval, exact: Some(last_lost) }
        });
        let mut object = Object::begin(serializer)?;
        object.put("messengers_mean", &answer.mean())?.put("low", &interval.low)?.put("high", &interval.high)?;
        object.number("exact", messengers)?.put("inside", &interval.holds(messengers.to_f64()))?;
        object.put("last_lost", &generals)?;
        object.end()
    }
}
