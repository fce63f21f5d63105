//! `handfast generals bounds`: what theory allows, beside what the protocols that ship achieve.

use handfast_lab::answers::bounds::{RULE, answer, steps, verdict};
use handfast_lab::generals::{Adversary, Ratio, RoundsBound, Solvability, is_solvable_by_theory};

use crate::numbers;
use crate::output::{Exit, OrExit as _, Output, grouped};

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  handfast generals bounds --rounds 4
  handfast generals bounds --rounds 6 --json

The first table is about the worst case with coins: the city fixes which messengers are captured without seeing the \
coin, and what counts is the greatest probability with which exactly one general attacks. Without a coin it is 1. \
The second is about certainty against a bounded city: each general may have the order (four ways to begin), both \
send all they have seen in every round, one messenger each way, and any decision rule is allowed. There is a rule if \
and only if no chain of runs, each of which looks to one general like the next, leads from both orders and nothing \
captured to a run in which an order is missing. Every run is covered, those that go on alike only once, and what is \
found is put beside what the theorems say.

With --json it prints one object; a count above 2^53 is a string of digits:
  rounds
  bounds    [{rounds, lower, lower_float, random_attack, random_attack_float,
            exact, exact_float, captures, deterministic, deterministic_float}]
            for every number of rounds up to the given one: 1/(r+1) for any
            protocol, 1/r that the random attack guarantees, its exact worst
            case by enumeration and the captures of such a pattern (null for
            more than 20 rounds), and \"1\" without a coin
  solvable  [{adversary, adversary_in_words, verdict, theorem, agrees, source,
            runs, classes, links_to_no_order, rule, chain}] for the given
            number of rounds: verdict
            \"solvable\" or \"unsolvable\"; what the theorem says, and whether the
            two agree; how many runs there are, and in how many classes that no
            chain joins; a rule in words, or the number of links of a shortest
            chain and its runs, at most the first 1000: [{ordered: [bool,
            bool], captured: [[bool, bool]], same_for}]: for each round
            whether the messenger of general 1 and of general 2 was captured,
            and the general who cannot tell this run from the one before it

Exit codes: 0 told; 2 a number makes no sense, or the answer would not fit.")]
pub(crate) struct Args {
    /// Rounds of the exchange, one messenger each way in each
    #[arg(long, value_name = "R", allow_negative_numbers = true, default_value_t = 3, value_parser = numbers::whole(1..=MOST_ROUNDS, 4))]
    rounds: u32,
}

/// The runs of more rounds cannot be counted.
const MOST_ROUNDS: u32 = 60;

/// Answers the question.
pub(crate) fn run(args: Args, output: &Output) -> anyhow::Result<Exit> {
    let progress = output.progress(steps(args.rounds));
    let found = answer(args.rounds, &|next| {
        progress.set_message(next);
        progress.inc(1);
    });
    progress.finish_and_clear();
    let found = found.or_exit(Exit::Usage)?;
    if output.wants_json() {
        output.json_line(&found)?;
    } else {
        print_bounds(&found.bounds, output)?;
        print_solvable(found.rounds, &found.explored, output)?;
    }
    Ok(Exit::Done)
}

fn print_bounds(bounds: &[RoundsBound], output: &Output) -> anyhow::Result<()> {
    output.sentences(
        "With a coin that the city cannot see: the probability that exactly one attacks, in the worst case over all orders and \
         all patterns of captures. Both must attack where both have the order and nothing is captured.",
    )?;
    output.line("")?;
    output.line("rounds   any protocol   random-attack   random-attack, by      without")?;
    output.line("         at least       at most         all patterns           a coin")?;
    for bound in bounds {
        let both = |ratio: &Ratio| format!("{ratio} ({})", ratio.to_decimal(3));
        let exact = bound.worst.as_ref().map_or_else(|| "not enumerated".to_owned(), |worst| both(&worst.disagreement));
        let (lower, guaranteed) = (both(&bound.lower), both(&bound.random_attack));
        output.line(format_args!("{:>6}   {lower:<14} {guaranteed:<15} {exact:<22} 1", bound.rounds))?;
    }
    if bounds.iter().any(|bound| bound.worst.is_none()) {
        output.sentences(
            "\nNot enumerated: the worst case of more than 20 rounds, which would take too long. There the theorem stands alone.",
        )?;
    }
    output.sentences("\nLower bound: Varghese and Lynch 1996. Random attack: Lynch 1996, section 5.2. Without a coin: Gray 1978.")
}

fn print_solvable(rounds: u32, explored: &[(Adversary, Solvability)], output: &Output) -> anyhow::Result<()> {
    output.sentences(format_args!(
        "\nFor certain, in {rounds} {}: is there a rule by which both attack where both have the order and nothing is \
         captured, nobody attacks where an order is missing, and never one alone? Both send all they have seen in every round.\n",
        if rounds == 1 { "round" } else { "rounds" }
    ))?;
    let rows: Vec<[String; 6]> = explored
        .iter()
        .map(|(adversary, found)| {
            let theorem = verdict(is_solvable_by_theory(rounds, *adversary)).to_owned();
            let links = found.links.map_or_else(String::new, |links| format!("{} links", grouped(links)));
            let explored = verdict(found.is_solvable()).to_owned();
            [adversary.to_string(), explored, theorem, grouped(found.runs), grouped(found.classes), links]
        })
        .collect();
    let width = |column: usize, least: usize| rows.iter().map(|row| row[column].len()).max().unwrap_or(0).max(least);
    let (runs, classes) = (width(3, 4), width(4, 7));
    output.line(format_args!("adversary     explored     theorem      {:>runs$}   {:>classes$}   chain", "runs", "classes"))?;
    for [adversary, explored, theorem, number, of_classes, links] in &rows {
        let line = format!("{adversary:<13} {explored:<12} {theorem:<12} {number:>runs$}   {of_classes:>classes$}   {links}");
        output.line(line.trim_end())?;
    }
    if explored.iter().any(|(_, found)| found.hearing_suffices) {
        output.sentences(format_args!("\nWhere it is solvable this rule does it in every run: {RULE}."))?;
    }
    if let Some((adversary, found)) = explored.iter().find(|(_, found)| found.chain.is_some()) {
        print_chain(*adversary, found, output)?;
    }
    output.sentences("\nCaptures in all: solvable if and only if fewer than the rounds (Fevat and Godard 2011).")?;
    output.sentences("One capture in each round: never (Santoro and Widmayer 1989). Any captures: never (Gray 1978).")
}

fn print_chain(adversary: Adversary, found: &Solvability, output: &Output) -> anyhow::Result<()> {
    let chain = found.chain.as_deref().unwrap_or_default();
    output.sentences(format_args!(
        "\nWhy there is none against {adversary}: no run can differ from the next, which looks the same to one general. It does \
         the same in both, and so does the other. (Orders of 1/2; in each round > is the messenger of 1, < of 2, x captured.)\n"
    ))?;
    // The end of a chain that was not listed to its end is not known here.
    let runs = found.links.unwrap_or(0) + 1;
    let is_whole = runs == chain.len() as u128;
    let (head, tail) = match chain.len() {
        length if length <= DRAWN => (length, 0),
        _ if is_whole => (DRAWN / 2, DRAWN / 2),
        _ => (DRAWN, 0),
    };
    for (place, (run, camp)) in chain.iter().enumerate() {
        if (head..chain.len() - tail).contains(&place) {
            if place == head {
                let told = if is_whole { "all told by --json" } else { "which end where an order is missing" };
                output.line(format_args!("  ... {} more, {told}", grouped(runs - (head + tail) as u128)))?;
            }
            continue;
        }
        match camp {
            Some(camp) => output.line(format_args!("  {run}   to {} like the next", camp.number()))?,
            None => output.line(format_args!("  {run}"))?,
        }
    }
    Ok(())
}

/// Of a longer chain the middle is left out.
const DRAWN: usize = 16;
