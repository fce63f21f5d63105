//! Everything that is told about a simulation, before it is put into words.

use handfast_lab::generals::{
    CaptureRate, Chance, Confidence, Email, Estimate, Interval, Outcome, Ratio, Shipped, Simulated, SimulatedEmail, Simulation,
    Table, Tilt, simulate_email,
};

use super::{Args, Importance, refuse};
use crate::output::Output;

/// An exact answer with more binary digits than this is not worked out.
const MOST_DIGITS: u64 = 250_000;

/// An outcome of which fewer runs than this are to be expected is sampled at other rates.
const FEW: u64 = 10;

/// From so many times the variance of plain runs on the rates suit an outcome badly; below that it may be chance.
const MARKEDLY: f64 = 2.0;

/// A game of electronic mail with more messages than this would not end today.
const MOST_MESSAGES: u64 = 1_000_000_000_000_000;

pub(super) struct Answer {
    pub(super) protocol: String,
    pub(super) capture: Ratio,
    pub(super) simulation: Simulation,
    pub(super) confidence: Confidence,
    pub(super) counted: Simulated,
    /// `None` if it would have more digits than anybody reads.
    pub(super) exact: Option<[Ratio; 4]>,
    pub(super) importance: Option<Sampled>,
    pub(super) email: Option<SimulatedEmail>,
}

/// What importance sampling was asked of, or done unasked.
pub(super) struct Sampled {
    pub(super) asked: bool,
    pub(super) rows: Vec<(Outcome, Estimate, Tilt)>,
    /// How often all runs were simulated for it.
    times: u32,
}

/// Why an estimate of importance sampling is worth little.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum Misfit {
    /// It hangs on few runs.
    Few,
    /// As many plain runs have so many times less variance.
    Worse(f64),
}

impl Misfit {
    /// What it is called in JSON.
    pub(super) const fn key(self) -> &'static str {
        match self {
            Self::Few => "few",
            Self::Worse(_) => "worse",
        }
    }
}

impl Answer {
    /// Simulates.
    pub(super) fn find(table: &Table, args: &Args, output: &Output) -> anyhow::Result<Self> {
        let simulation = Simulation { runs: args.runs, seed: args.seed, threads: args.threads };
        let Some(rate) = CaptureRate::new(&args.capture) else {
            return refuse(format!("--capture {} is no probability", args.capture));
        };
        let progress = output.progress(args.runs);
        let done = |runs| progress.inc(runs);
        let threshold = threshold(args)?;
        let email = match threshold {
            None => None,
            Some(threshold) => {
                check_length(args)?;
                simulate_email(threshold, &rate, &simulation, &done)
            }
        };
        let counted = match &email {
            Some(email) => email.simulated,
            None => table.simulate(&rate, &simulation, &done),
        };
        progress.finish_and_clear();
        let exact = exact(table, &args.capture);
        let mut answer = Self {
            protocol: table.name.clone(),
            capture: args.capture.clone(),
            simulation,
            confidence: args.confidence.into(),
            counted,
            exact,
            importance: None,
            email,
        };
        answer.importance = answer.sample(table, args.importance.as_ref(), output);
        Ok(answer)
    }

    /// The interval of a share that was counted.
    pub(super) fn interval(&self, outcome: Outcome) -> Interval {
        Interval::wilson(self.counted.count(outcome), self.simulation.runs, self.confidence)
    }

    pub(super) fn exact(&self, outcome: Outcome) -> Option<&Ratio> {
        self.exact.as_ref().map(|exact| &exact[outcome.index()])
    }

    /// How often as many messengers were tossed as the plain runs have, for the rate.
    pub(super) fn rounds_of_sampling(&self) -> f64 {
        1.0 + self.importance.as_ref().map_or(0.0, |sampled| f64::from(sampled.times))
    }

    /// The exact expectation of messages and chance that the last was lost, for email.
    pub(super) fn email_exact(&self) -> Option<(Ratio, Ratio)> {
        let email = Email::new(&self.capture)?;
        Some((email.messengers()?, email.last_lost()?))
    }

    /// The messengers of a run, on average.
    pub(super) fn mean_exact(&self) -> Ratio {
        Ratio::new(self.counted.messengers as i64, self.simulation.runs)
    }

    /// The same as a float.
    pub(super) fn mean(&self) -> f64 {
        self.mean_exact().to_f64()
    }

    /// For email: the normal interval around that mean, whose deviation is known: sqrt(1-p)/p for one run.
    pub(super) fn mean_interval(&self) -> Interval {
        let capture = self.capture.to_f64();
        let error = (1.0 - capture).sqrt() / capture / (self.simulation.runs as f64).sqrt();
        let (mean, wide) = (self.mean(), error * self.confidence.deviations());
        Interval { low: mean - wide, high: mean + wide }
    }

    /// Why importance sampling has nothing to tell although it was asked for.
    pub(super) fn why_none(&self) -> &'static str {
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
    pub(super) fn variance_ratio(&self, outcome: Outcome, estimate: &Estimate) -> Option<f64> {
        let counted = || Ratio::new(self.counted.count(outcome) as i64, self.simulation.runs);
        let probability = self.exact(outcome).cloned().unwrap_or_else(counted);
        estimate.variance_ratio(&probability, self.simulation.runs)
    }

    /// Whether the rates suit this outcome badly. What cannot happen is estimated well by nothing.
    pub(super) fn misfit(&self, outcome: Outcome, estimate: &Estimate) -> Option<Misfit> {
        if self.exact(outcome) == Some(&Ratio::new(0, 1)) {
            return None;
        }
        if estimate.effective_hits < Ratio::new(FEW as i64, 1) {
            return Some(Misfit::Few);
        }
        self.variance_ratio(outcome, estimate).filter(|times| *times >= MARKEDLY).map(Misfit::Worse)
    }

    fn sample(&self, table: &Table, asked: Option<&Importance>, output: &Output) -> Option<Sampled> {
        if let Some(Importance::At(rate)) = asked {
            let tilt = Tilt::everywhere(table, &self.capture, rate)?;
            let estimates = self.sample_at(table, &tilt, 1, output)?;
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
            let [both, alone_1, alone_2, neither] = self.sample_at(table, &tilt, outcome.index() as u64 + 1, output)?;
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

    fn sample_at(&self, table: &Table, tilt: &Tilt, purpose: u64, output: &Output) -> Option<[Estimate; 4]> {
        let progress = output.progress(self.simulation.runs).with_message("importance sampling");
        let estimates = table.simulate_tilted(tilt, purpose, &self.simulation, &|runs| progress.inc(runs));
        progress.finish_and_clear();
        estimates
    }
}

/// The threshold of the electronic mail game, if that is the protocol.
fn threshold(args: &Args) -> anyhow::Result<Option<u32>> {
    if args.agreed.protocol != "email" {
        return Ok(None);
    }
    Ok(match args.agreed.shipped()? {
        Shipped::Email { threshold } => Some(threshold),
        Shipped::Always { .. }
        | Shipped::Reply { .. }
        | Shipped::ReplyEach { .. }
        | Shipped::Handshake { .. }
        | Shipped::RandomAttack { .. }
        | Shipped::ReadyReady { .. } => None,
    })
}

/// Refuses a game that would not end.
fn check_length(args: &Args) -> anyhow::Result<()> {
    if args.capture == Ratio::new(0, 1) {
        return refuse("email with --capture 0 never ends: every message is acknowledged; give a chance above 0".to_owned());
    }
    // Runs times 1/p messages are expected.
    if args.capture < Ratio::new(args.runs as i64, MOST_MESSAGES) {
        return refuse(format!(
            "{} runs at --capture {} would send more than {MOST_MESSAGES} messages; take fewer runs or a higher rate",
            args.runs, args.capture
        ));
    }
    Ok(())
}

fn exact(table: &Table, capture: &Ratio) -> Option<[Ratio; 4]> {
    let largest = |side: usize, layer: &handfast_lab::generals::Layer| {
        layer.sides[side].sends.iter().map(|&wave| table.waves[wave as usize].size()).max().unwrap_or(0)
    };
    let most: u64 = table.layers.iter().map(|layer| largest(0, layer) + largest(1, layer)).sum();
    if most.saturating_mul(capture.0.denom().bits()) > MOST_DIGITS {
        return None;
    }
    Some(table.odds(&Chance::new(capture)?).rows)
}
