//! `handfast generals check`: tries every pattern of captures, and draws the simplest run that goes wrong.

use std::path::PathBuf;

use handfast_lab::answers::check::{Answer, MOST_WRITTEN, answer};
use handfast_lab::answers::replay::told_apart;
use handfast_lab::diagram::{self, Diagram};
use handfast_lab::generals::{Adversary, Covered, Orders, Outcome, Property, Ratio, Run, Table};
use num_bigint::BigUint;

use super::agreed::Agreed;
use crate::output::picture;
use crate::output::{Exit, OrExit as _, Output, grouped, rounded};
use crate::trace;

/// So many of the simplest runs are drawn with `--all`.
const DRAWN: usize = 6;
/// Numbers with more digits are rounded for people: they would fill the line.
const DIGITS: usize = 30;

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  handfast generals check handshake --steps 4
  handfast generals check always --messengers 5 --adversary at-most:4
      holds: five are too many to capture
  handfast generals check ready-ready --rounds 2 --all
      a published solution, refuted
  handfast generals check random-attack --rounds 3 --adversary per-round:1
  handfast generals check handshake --steps 3 --svg counterexample.svg
  handfast generals check handshake --steps 3 --keep counterexample.trace

A run goes wrong if exactly one general attacks (agreement), or if somebody attacks although the attack is not \
wanted (validity: with the order to general 1, if there is none; with orders to each, unless both have one). All \
patterns are covered, of the messengers that are actually sent, from every way to begin. The run that is drawn has \
the fewest captures, and among those the fewest messengers sent.

With --json it prints one object; a count above 2^53 is a string of digits:
  protocol, title, adversary, adversary_in_words,
  verdict       \"holds\" or \"violated\"
  worlds        orders and patterns covered; what a coin shows is no part of a
                world
  runs          the same with every side of the coin apart
  nodes         pairs of states that were reached, all rounds together
  outcome       {both, alone_1, alone_2, neither}: the runs, by the row of the
                problem's table
  violations    the runs that go wrong
  uncounted     null; or why worlds, runs, outcome, violations and beginnings
                are null: they are too many
  properties    [{name, meaning, verdict, violations}], name \"agreement\" or
                \"validity\"
  beginnings    [{ordered: [bool, bool], coin, wanted, patterns, outcome,
                violations}]
  sent, captures    what the simplest run that goes wrong takes; null if the
                    protocol holds
  counterexample    that run, or null: {ordered, coin, outcome, attacks: [bool,
                    bool], sent, captures, messengers: [{round, from, says,
                    captured}], broken: [name]}
  minimal_runs  how many runs take as little
  minimal       with --all these runs, at most 1000 of them
  idle          true if nobody attacks even where the attack is wanted and
                everything arrives
  coin          with a coin only: {sides, wrong, probability,
                probability_float, worst, worst_float}: on how many sides the
                pattern of the counterexample goes wrong, and the worst case
                over all patterns, any captures
  remarks       [text]

Exit codes: 0 it holds; 2 the protocol or a number makes no sense, or the answer would not fit; 3 a counterexample was \
found.")]
pub(crate) struct Args {
    #[command(flatten)]
    agreed: Agreed,

    /// What the city may do: any, at-most:f (f captures in all) or per-round:k (k captures in each round)
    #[arg(long, value_name = "ADVERSARY", default_value = "any")]
    adversary: Adversary,

    /// Shows every run that goes wrong with as few captures and messengers, not only the first
    #[arg(long)]
    all: bool,

    /// Also writes the counterexample as a picture; with `-` only the picture, to standard output
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,

    /// Also keeps the counterexample in a file, for `handfast replay`
    #[arg(long, value_name = "FILE")]
    keep: Option<PathBuf>,
}

/// Answers the question.
pub(crate) fn run(args: Args, output: &Output) -> anyhow::Result<Exit> {
    picture::check_place(args.svg.as_deref(), output)?;
    let table = args.agreed.tabulate(output)?;
    let checking = output.waiting("trying every pattern of captures");
    let found = answer(&table, &args.agreed.protocol, args.adversary, args.all).or_exit(Exit::Usage)?;
    let exit = if found.checked.holds() { Exit::Done } else { Exit::Neither };
    let picture = args.svg.as_ref().and(found.first.as_ref()).map(|first| drawing(&table, first));
    drop(checking);
    if let (Some(path), Some(run)) = (&args.keep, &found.first) {
        trace::keep(path, &args.agreed, &table, run)?;
        output.note(format_args!("the counterexample is kept in {}", path.display()));
    } else if args.keep.is_some() {
        output.note("there is no counterexample to be kept, so no file was written");
    }
    if let (Some(path), Some(picture)) = (&args.svg, &picture) {
        picture::write_svg(path, picture, output)?;
        if picture::is_stdout(path) {
            return Ok(exit);
        }
        output.note(format_args!("the picture is in {}", path.display()));
    } else if args.svg.is_some() {
        output.note("there is no counterexample to be drawn, so no picture was written");
    }
    if output.wants_json() {
        output.json_line(&found)?
    } else {
        Told { answer: &found }.print(output)?
    }
    Ok(exit)
}

/// The run as a picture, with what each general knows where that can be found out.
fn drawing(table: &Table, run: &Run) -> Diagram {
    diagram::generals(table, run, &told_apart(table, run).unwrap_or_default())
}

/// What was found, put into words.
struct Told<'a> {
    answer: &'a Answer<'a>,
}

impl Told<'_> {
    fn print(&self, output: &Output) -> anyhow::Result<()> {
        let adversary = self.answer.checked.adversary;
        let verdict = match &self.answer.first {
            // The picture has the name at its head.
            None => {
                output.line(&self.answer.table.name)?;
                "HOLDS: army 1 attacks if and only if army 2 attacks, and nobody attacks where it is not wanted.".to_owned()
            }
            Some(first) => {
                let in_words = |property: Property| format!("{}, that is, {}", property.key(), property.in_words());
                let broken: Vec<String> = self.answer.checked.broken(first).into_iter().map(in_words).collect();
                format!("VIOLATED: {}.", broken.join("; "))
            }
        };
        output.sentences(verdict)?;
        output.sentences(format_args!("Adversary {adversary}: {}.", adversary.in_words()))?;
        if let Some(first) = &self.answer.first {
            self.draw(output)?;
            self.print_least(first, output)?;
        }
        self.print_covered(output)?;
        for remark in self.answer.remarks() {
            output.sentences(format_args!("\n{remark}"))?;
        }
        Ok(())
    }

    fn draw(&self, output: &Output) -> anyhow::Result<()> {
        let drawn = if self.answer.all { DRAWN } else { 1 };
        for run in self.answer.checked.minimal().take(drawn) {
            let picture = picture::text(&drawing(self.answer.table, &run), output.wants_ascii());
            output.line(format_args!("\n{}", picture.trim_end()))?;
        }
        let runs = self.answer.minimal_runs();
        if self.answer.all && runs > BigUint::from(DRAWN) {
            let more = runs - DRAWN;
            let (more, written) = (rounded(more, DIGITS), grouped(MOST_WRITTEN));
            output.line(format_args!("\n... and {more} more; --json tells up to {written} of them."))?;
        }
        Ok(())
    }

    fn print_least(&self, first: &Run, output: &Output) -> anyhow::Result<()> {
        let (captures, steps) = (first.captures(), first.journeys.len());
        let fewer = if captures == 0 { "" } else { "\nNo run with fewer captures goes wrong." };
        let least = self.answer.minimal_runs();
        let alike = match (least == BigUint::from(1u32), self.answer.all) {
            (true, _) => "it is the only one that takes as little".to_owned(),
            (false, true) => format!("{} runs take as little", rounded(&least, DIGITS)),
            (false, false) => format!("{} runs take as little, which --all shows", rounded(&least, DIGITS)),
        };
        let messengers = if steps == 1 { "messenger" } else { "messengers" };
        output.sentences(format_args!(
            "\nSimplest counterexample: {captures} captured of {steps} {messengers} sent; {alike}.{fewer}"
        ))?;
        if let Some(coin) = &self.answer.coin {
            let (wrong, sides) = (coin.wrong, self.answer.table.coins);
            let told = |ratio: &Ratio| format!("{ratio} ({})", ratio.to_decimal(4));
            output.sentences(format_args!(
                "The city cannot see the coin: this pattern goes wrong on {wrong} of its {sides} sides, with probability {}.",
                told(&coin.probability)
            ))?;
            output.sentences(match &coin.worst {
                Ok(worst) => format!("In the worst case over all patterns exactly one attacks with probability {}.", told(worst)),
                Err(reason) => format!("The worst case over all patterns is not known: {reason}."),
            })?;
        }
        Ok(())
    }

    fn print_covered(&self, output: &Output) -> anyhow::Result<()> {
        let checked = &self.answer.checked;
        let nodes = grouped(checked.nodes);
        let counts = match &checked.counts {
            Ok(counts) => counts,
            Err(reason) => {
                output
                    .sentences(format_args!("Covered: every pattern of captures from every way to begin, in {nodes} nodes."))?;
                return output.sentences(format_args!("Not counted: {reason}."));
            }
        };
        let wrong = counts.breaking(&Property::ALL);
        output.sentences(format_args!(
            "Covered: {} {}, every pattern of captures from every way to begin, in {nodes} nodes; {} {}.",
            rounded(counts.runs(), DIGITS),
            if counts.runs() == BigUint::from(1u32) { "run" } else { "runs" },
            if wrong == BigUint::ZERO { "none".to_owned() } else { rounded(&wrong, DIGITS) },
            if wrong <= BigUint::from(1u32) { "goes wrong" } else { "go wrong" },
        ))?;
        // The sides of a coin are added up.
        let mut rows: Vec<Covered> = Vec::new();
        for covered in &counts.beginnings {
            match rows.last_mut() {
                Some(row) if row.beginning.ordered == covered.beginning.ordered => {
                    row.outcomes.iter_mut().zip(&covered.outcomes).for_each(|(sum, number)| *sum += number);
                }
                Some(_) | None => rows.push(covered.clone()),
            }
        }
        for row in &rows {
            let counts =
                Outcome::ALL.map(|outcome| format!("{} {}", outcome.name(), rounded(&row.outcomes[outcome.index()], DIGITS)));
            output.line(format_args!("  {:<19} {}", self.beginning(row.beginning.ordered), counts.join(", ")))?;
        }
        Ok(())
    }

    fn beginning(&self, ordered: [bool; 2]) -> &'static str {
        match (self.answer.table.orders, ordered) {
            (Orders::Nobody, _) => "no orders in it",
            (Orders::First, [true, _]) => "with the order",
            (Orders::First, [false, _]) => "without the order",
            (Orders::Each, [true, true]) => "orders to both",
            (Orders::Each, [true, false]) => "an order to 1 only",
            (Orders::Each, [false, true]) => "an order to 2 only",
            (Orders::Each, [false, false]) => "no orders",
        }
    }
}
