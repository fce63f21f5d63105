//! `handfast generals`: the two generals' lab, one module a question.

mod agreed;
mod bounds;
mod check;
mod decide;
mod draw;
mod knowledge;
mod odds;
mod simulate;
mod table;

use clap::Subcommand;

pub(crate) use self::agreed::Agreed;

use crate::output::{Exit, Output};

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  handfast generals table  the problem, on one screen
  handfast generals odds always --messengers 5 --capture 1/10
  handfast generals check handshake --steps 4

PROTOCOL is always, reply, reply-each, handshake, random-attack, email or ready-ready, the path of a strategy file \
(it ends in .toml), or exec: and a program that speaks JSON lines (\"exec:python3 general.py\").")]
pub(crate) struct Args {
    /// Print plain ASCII; what is not is replaced
    #[arg(long, global = true, help_heading = "Output")]
    ascii: bool,
    #[command(subcommand)]
    question: Question,
}

/// What can be asked about two generals.
#[derive(Debug, Subcommand)]
enum Question {
    /// The problem itself: the outcome table, the two strategies, and why each leaves one general in doubt
    Table(table::Args),
    /// Toss a coin for every messenger, and count the outcomes beside the exact odds
    Simulate(Box<simulate::Args>),
    /// The exact probability of every outcome
    Odds(odds::Args),
    /// Try every way in which messengers can be captured, and draw the simplest that goes wrong
    Check(check::Args),
    /// Who knows what, how deep it goes, and why it never becomes common knowledge
    Knowledge(knowledge::Args),
    /// How the generals should decide: how many messengers, and when to attack
    Decide(Box<decide::Args>),
    /// What theory allows, beside what the protocols that ship achieve
    Bounds(bounds::Args),
    /// Draw a run
    Draw(draw::Args),
}

/// Answers one question.
pub(crate) fn run(args: Args, output: &Output) -> anyhow::Result<Exit> {
    let output = &output.in_ascii(args.ascii);
    match args.question {
        Question::Table(args) => table::run(&args, output),
        Question::Simulate(args) => simulate::run(&args, output),
        Question::Odds(args) => odds::run(args, output),
        Question::Check(args) => check::run(args, output),
        Question::Knowledge(args) => knowledge::run(args, output),
        Question::Decide(args) => decide::run(*args, output),
        Question::Bounds(args) => bounds::run(args, output),
        Question::Draw(args) => draw::run(args, output),
    }
}
