//! `handfast generals odds`: the exact probability of every outcome, for one capture rate and for all of them.

mod grid;
mod text;

use std::path::PathBuf;

use clap::ValueEnum;
use handfast_lab::answers::{grid as map, odds};
use handfast_lab::generals::Ratio;

use super::agreed::{Agreed, probability};
use crate::output::picture;
use crate::output::{Exit, OrExit as _, Output};

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  handfast generals odds always --messengers 5 --capture 1/10
  handfast generals odds handshake --steps 4 --messengers 2 --capture 0.3
  handfast generals odds random-attack --rounds 5 --capture 1/10
  handfast generals odds email --steps 2 --capture 1/100
  handfast generals odds reply
      for every capture rate: polynomials and patterns
  handfast generals odds reply --grid
      over messengers and capture rates, as a heat map
  handfast generals odds handshake --steps 3 --grid --show alone --svg odds.svg

The adversary: every messenger is captured with probability p, independently of all others. What is told holds given \
that the attack is wanted: the order was given (for random-attack to both, and averaged over the key).

With --json it prints
  {\"protocol\",\"title\",\"adversary\":\"iid:p\",\"adversary_in_words\",\"given\",
   \"capture\":\"a/b\",\"capture_float\",
   \"outcome\":{\"both\",\"both_float\",\"alone_1\",..,\"alone_2\",..,\"neither\",..},
   \"exactly_one\",\"exactly_one_float\",
   \"alone_if_attacked\",\"alone_if_attacked_float\",
   \"polynomial\":{\"both\":{\"text\":\"1 - p^5\",\"divisor\":\"1\",
     \"terms\":[{\"power\":0,\"coefficient\":\"1\"},..]},..,\"exactly_one\":{..}},
   \"coin_sides\":N,
   \"patterns\":[{\"sent\",\"captures\",
     \"outcome\":{\"both\",\"alone_1\",\"alone_2\",\"neither\"}},..],
   \"worst\":{\"adversary\",\"adversary_in_words\",\"exactly_one\",
     \"exactly_one_float\",\"ordered\":[true,true],\"sent\",\"captures\",
     \"captured\":[{\"messenger\":0,\"round\":1,\"from\":1},..]},
   \"messengers\",\"messengers_float\",\"last_lost\",\"last_lost_float\"}
Probabilities are exact, as \"a/b\", and null without --capture. worst is there only where a coin is tossed, and its \
messengers are counted from 0 in the order of sending; messengers and last_lost are there only for email with \
--capture. Where polynomial or patterns is null, polynomial_refused or patterns_refused says why. The counts of patterns are \
strings, and count those of all sides of the coin. With --grid it prints
  {\"protocol\",\"title\",\"adversary\",\"adversary_in_words\",\"given\",
   \"show\":\"both\",\"down\":\"messengers\",\"n\":[..],
   \"capture\":[\"1/20\",..],\"capture_float\":[..],
   \"cells\":[[\"a/b\",..],..],\"cells_float\":[[..],..]}
with a row of cells for each n and a column for each rate.

Exit codes: 0 told; 2 the protocol or a number makes no sense, or the answer would not fit.")]
pub(crate) struct Args {
    #[command(flatten)]
    agreed: Agreed,
    /// The probability that a messenger is captured, as 1/10 or 0.1, read exactly
    #[arg(long, value_name = "P", allow_hyphen_values = true, value_parser = probability)]
    capture: Option<Ratio>,
    /// A heat map over the number of messengers (rounds or steps where there are none) and the capture rate
    #[arg(long, conflicts_with = "capture")]
    grid: bool,
    /// What the heat map shows [default: both]
    #[arg(long, value_name = "WHAT", requires = "grid")]
    show: Option<Show>,
    /// Write the heat map as an SVG file instead of printing it; `-` is standard output
    #[arg(long, value_name = "FILE", requires = "grid")]
    svg: Option<PathBuf>,
}

/// What a heat map shows.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, ValueEnum)]
enum Show {
    /// That both attack
    #[default]
    Both,
    /// That exactly one attacks
    Alone,
    /// That neither attacks
    Neither,
}

impl From<Show> for map::Show {
    fn from(show: Show) -> Self {
        match show {
            Show::Both => Self::Both,
            Show::Alone => Self::Alone,
            Show::Neither => Self::Neither,
        }
    }
}

/// Answers the question.
pub(crate) fn run(args: Args, output: &Output) -> anyhow::Result<Exit> {
    picture::check_place(args.svg.as_deref(), output)?;
    if args.grid {
        return grid::run(&args, output);
    }
    let table = args.agreed.tabulate(output)?;
    let waiting = output.waiting("working out the exact odds");
    let answer = odds::answer(&table, &args.agreed.protocol, args.capture).or_exit(Exit::Usage)?;
    drop(waiting);
    if output.wants_json() {
        output.json_line(&answer)?;
    } else {
        output.line(text::told(&answer).trim_end())?;
    }
    Ok(Exit::Done)
}
