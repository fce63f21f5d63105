//! `handfast generals simulate`: a coin for every messenger, and the outcomes counted beside their exact probabilities.

mod text;

use clap::ValueEnum;
use handfast_lab::answers::simulate::{Importance, Progress, Question, answer};
use handfast_lab::generals::{Confidence, Parameter, Ratio, Simulation};

use super::agreed::{Agreed, probability};
use crate::numbers;
use crate::output::{Exit, OrExit as _, Output};
use handfast_machine::clock::Stopwatch;

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  handfast generals simulate always --messengers 5 --capture 1/10
  handfast generals simulate handshake --steps 5 --messengers 10 --capture 0.3 --runs 1e7 --seed 42
  handfast generals simulate always --messengers 15 --capture 1/10
      1e-15: importance sampling, unasked
  handfast generals simulate reply --capture 1/3 --importance
      of what must not happen
  handfast generals simulate reply --capture 1/3 --importance 3/4
      of every row, at this rate
  handfast generals simulate email --steps 2 --capture 1/100

The adversary: every messenger is captured with probability p, independently; each has a toss of its own, whose \
probability is exactly p. What is told holds given that the attack is wanted: the order was given (for random-attack \
to both, with the key drawn anew for every run). The same seed gives the same numbers on any machine and any number \
of threads.

Intervals are Wilson's score intervals; those of importance sampling are normal. Importance sampling captures \
messengers at other rates and weighs every run by its likelihood ratio. It is added for every outcome of which fewer \
than 10 runs are to be expected, and for lone attacks when asked for. The rates are chosen by cross-entropy: for \
each wave that is captured markedly more (or less) in the runs that end so, the share of it that is captured there. \
A rate that suits an outcome badly is told: if its runs weigh as much as fewer than 10 equal ones, or if plain runs \
have less than half the variance.

For email the machines go on until a message is lost, whatever the threshold (--steps); sent counts all that \
they send.

With --json it prints
  {\"protocol\",\"title\",\"adversary\":\"iid:a/b\",\"adversary_in_words\",\"given\",
   \"capture\":\"a/b\",\"capture_float\",
   \"runs\",\"seed\",\"confidence\":0.95,
   \"outcome\":{\"both\":{\"count\",\"share\",\"low\",\"high\",
     \"exact\":\"a/b\",\"exact_float\",\"inside\":true},\"alone_1\",\"alone_2\",\"neither\"},
   \"sent\",\"captures\",
   \"importance\":null or {\"why\":\"asked\"|\"rare\",\"outcome\":{\"alone_1\":
     {\"estimate\",\"error\",\"low\",\"high\",\"estimate_decimal\",\"error_decimal\",
      \"hits\",\"effective_hits\",\"variance_ratio\",\"warning\":null|\"few\"|\"worse\",
      \"exact\",\"exact_float\",\"inside\",
      \"rates\":[{\"rate\":\"a/b\",\"rate_float\",\"waves\":[{\"round\",\"from\"}]}]},..}},
   \"email\":null or {\"messengers_mean\",\"low\",\"high\",
     \"exact\",\"exact_float\",\"inside\",
     \"last_lost\":[{\"general\",\"count\",\"of\",\"share\",\"low\",\"high\",
       \"exact\",\"exact_float\",\"inside\"},..]}}
sent and captures are the messengers of all runs together. exact and inside are null where the exact value would have more digits than anybody reads. A float is 0 where it is \
smaller than every float; estimate_decimal and error_decimal are text and never are. What needs a hit is null where \
there are none.

Exit codes: 0 told; 2 the protocol or a number makes no sense.")]
pub(crate) struct Args {
    #[command(flatten)]
    agreed: Agreed,
    /// The probability that a messenger is captured, as 1/10 or 0.1, read exactly
    #[arg(long, value_name = "P", allow_hyphen_values = true, default_value = "1/2", value_parser = probability)]
    capture: Ratio,
    /// How many runs, as 1000000 or 1e6
    #[arg(long, value_name = "N", allow_negative_numbers = true, default_value = "1000000", value_parser = count)]
    runs: u64,
    /// The same seed gives the same numbers
    #[arg(long, value_name = "S", allow_negative_numbers = true, default_value_t = 1, value_parser = numbers::whole(0..=u64::MAX, 42))]
    seed: u64,
    /// How many threads, up to 256; the numbers do not depend on it [default: 0, one a core]
    #[arg(long, value_name = "T", allow_negative_numbers = true, default_value = "0", hide_default_value = true, value_parser = numbers::threads)]
    threads: usize,
    /// Also samples lone attacks at other rates of capture: at this one, or at those that suit them best
    #[arg(long, value_name = "RATE", num_args = 0..=1, default_missing_value = "auto", value_parser = tilted)]
    importance: Option<Importance>,
    /// How sure an interval is to hold the true value, in percent
    #[arg(long, value_name = "PERCENT", value_enum, default_value_t = Percent::P95)]
    confidence: Percent,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum Percent {
    #[value(name = "90")]
    P90,
    #[value(name = "95")]
    P95,
    #[value(name = "99")]
    P99,
    #[value(name = "99.9")]
    P999,
}

impl From<Percent> for Confidence {
    fn from(percent: Percent) -> Self {
        match percent {
            Percent::P90 => Self::Percent90,
            Percent::P95 => Self::Percent95,
            Percent::P99 => Self::Percent99,
            Percent::P999 => Self::Percent999,
        }
    }
}

/// More runs than this would take years.
const MOST_RUNS: u64 = 1_000_000_000_000_000;

/// Reads a number of runs.
fn count(text: &str) -> Result<u64, String> {
    let wrong = || format!("write a whole number from 1 to {MOST_RUNS}, as 1000000, 1_000_000 or 1e6");
    let number: Ratio = text.replace('_', "").parse().map_err(|_| wrong())?;
    let whole = number.0.is_integer().then(|| u64::try_from(number.0.to_integer()).ok()).flatten();
    whole.filter(|whole| (1..=MOST_RUNS).contains(whole)).ok_or_else(wrong)
}

/// Reads a rate for importance sampling.
fn tilted(text: &str) -> Result<Importance, String> {
    if text == "auto" {
        return Ok(Importance::Auto);
    }
    let rate = probability(text)?;
    if rate == Ratio::new(0, 1) || rate == Ratio::new(1, 1) {
        return Err("at this rate some runs would never occur; give one between 0 and 1, or none to have it chosen".to_owned());
    }
    Ok(Importance::At(rate))
}

/// Answers the question.
pub(crate) fn run(args: &Args, output: &Output) -> anyhow::Result<Exit> {
    let table = args.agreed.tabulate(output)?;
    let stopwatch = Stopwatch::start();
    let question = args.question();
    let progress = output.progress(args.runs);
    let found = answer(&table, &question, &|told| match told {
        Progress::Begins(what) => {
            progress.set_position(0);
            progress.set_message(what);
        }
        Progress::Runs(runs) => progress.inc(runs),
    });
    progress.finish_and_clear();
    let answer = found.or_exit(Exit::Usage)?;
    let seconds = stopwatch.elapsed().as_secs_f64();
    if output.wants_json() {
        output.json_line(&answer)?;
    } else {
        output.line(text::told(&answer).trim_end())?;
    }
    if seconds > 0.0 {
        let rate = answer.counted.messengers as f64 * answer.rounds_of_sampling() / seconds / 1e6;
        output.note(format_args!("{rate:.1} million messengers a second"));
    }
    Ok(Exit::Done)
}

impl Args {
    fn question(&self) -> Question {
        let is_email = self.agreed.protocol == "email";
        let email_threshold = is_email.then(|| self.agreed.sizes().or_usual(Parameter::Steps));
        Question {
            protocol: self.agreed.protocol.clone(),
            email_threshold,
            capture: self.capture.clone(),
            simulation: Simulation { runs: self.runs, seed: self.seed, threads: self.threads },
            confidence: self.confidence.into(),
            importance: self.importance.clone(),
        }
    }
}
