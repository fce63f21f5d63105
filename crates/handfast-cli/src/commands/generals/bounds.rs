//! `handfast generals bounds`: what theory allows, beside what the protocols that ship achieve.

use handfast_lab::generals::{
    Adversary, Exchange, Limits, Ratio, RoundsBound, Solvability, TooManyRuns, is_solvable_by_theory, rounds_bound, solvable,
};
use handfast_protocol::generals::Camp;
use serde_json::{Value, json};

use crate::output::{Exit, OrExit as _, Output};

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  handfast generals bounds --rounds 4
  handfast generals bounds --rounds 6 --json

The first table is about the worst case with coins: the city fixes which messengers are captured without seeing the coin,
and what counts is the greatest probability with which exactly one general attacks. Without a coin it is 1.
The second is about certainty against a bounded city: each general may have the order (four ways to begin), both send all
they have seen in every round, one messenger each way, and any decision rule is allowed. There is a rule if and only if no
chain of runs, each of which looks to one general like the next, leads from both orders and nothing captured to a run in
which an order is missing. This is explored run by run, and put beside what the theorems say.

With --json it prints one object:
  rounds
  bounds    [{rounds, lower, lower_float, random_attack, random_attack_float, exact, exact_float, captures, deterministic}]
            for every number of rounds up to the given one: 1/(r+1) for any protocol, 1/r that the random attack
            guarantees, its exact worst case by enumeration, the captures of such a pattern, and \"1\" without a coin
  solvable  [{adversary, verdict, theorem, agrees, source, runs, classes, rule, chain}]
            for the given number of rounds: verdict \"solvable\", \"unsolvable\" or \"not explored\"; what the theorem says, and
            whether the two agree (null if not explored); a rule in words, or the chain:
            [{ordered: [bool, bool], captured: [[bool, bool]], alike_for}]: for each round whether the messenger of general
            1 and of general 2 was captured, and the general who cannot tell this run from the next

At most 4,194,304 runs are explored, ten rounds against any captures; beyond, the theorem stands alone.")]
pub(crate) struct Args {
    /// Rounds of the exchange, one messenger each way in each
    #[arg(long, value_name = "R", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=MOST_ROUNDS))]
    rounds: u32,
}

/// Beyond this the exact worst case takes minutes.
const MOST_ROUNDS: i64 = 40;

/// Answers the question.
pub(crate) fn run(args: Args, output: &Output) -> anyhow::Result<Exit> {
    let rounds = args.rounds;
    let adversaries = adversaries(rounds);
    let progress = output.progress(u64::from(rounds) + adversaries.len() as u64);
    let mut bounds = Vec::new();
    for rounds in 1..=rounds {
        progress.set_message(format!("worst case of {rounds} rounds"));
        bounds.push(rounds_bound(rounds, &Limits::default()).or_exit(Exit::Usage)?);
        progress.inc(1);
    }
    let mut explored = Vec::new();
    for adversary in adversaries {
        progress.set_message(format!("{rounds} rounds against {adversary}"));
        explored.push((adversary, solvable(rounds, adversary)));
        progress.inc(1);
    }
    progress.finish_and_clear();
    if output.wants_json() {
        let bounds: Vec<Value> = bounds.iter().map(bound_json).collect();
        let solvable: Vec<Value> =
            explored.iter().map(|(adversary, found)| solvable_json(rounds, *adversary, found.as_ref().ok())).collect();
        output.json_line(&json!({ "rounds": rounds, "bounds": bounds, "solvable": solvable }))?;
    } else {
        print_bounds(&bounds, output)?;
        print_solvable(rounds, &explored, output)?;
    }
    Ok(Exit::Done)
}

fn adversaries(rounds: u32) -> Vec<Adversary> {
    let in_all = (0..=u64::from(rounds)).map(Adversary::AtMost);
    in_all.chain([Adversary::PerRound(1), Adversary::Any]).collect()
}

fn print_bounds(bounds: &[RoundsBound], output: &Output) -> anyhow::Result<()> {
    output.line("With a coin that the city cannot see: the probability that exactly one attacks, in the worst case over")?;
    output
        .line("all orders and all patterns of captures. Both must attack where both have the order and nothing is captured.")?;
    output.line("")?;
    output.line("rounds   any protocol   random-attack   random-attack, by      without")?;
    output.line("         at least       at most         all patterns           a coin")?;
    for bound in bounds {
        let both = |ratio: &Ratio| format!("{ratio} ({})", ratio.to_decimal(3));
        let exact = both(&bound.worst.disagreement);
        let (lower, guaranteed) = (both(&bound.lower), both(&bound.random_attack));
        output.line(format_args!("{:>6}   {lower:<14} {guaranteed:<15} {exact:<22} 1", bound.rounds))?;
    }
    output.line("\nLower bound: Varghese and Lynch 1996. Random attack: Lynch 1996, section 5.2. Without a coin: Gray 1978.")
}

fn print_solvable(
    rounds: u32,
    explored: &[(Adversary, Result<Solvability, TooManyRuns>)],
    output: &Output,
) -> anyhow::Result<()> {
    output.line(format_args!(
        "\nFor certain, in {rounds} {}: is there a rule by which both attack where both have the order and nothing is\n\
         captured, nobody attacks where an order is missing, and never one alone? Both send all they have seen in every round.\n",
        if rounds == 1 { "round" } else { "rounds" }
    ))?;
    output.line("adversary     explored       theorem             runs    classes   chain")?;
    // Of many that were not explored, all but the last two are one line.
    let skipped = explored.iter().filter(|(_, found)| found.is_err()).count();
    let mut unexplored = 0;
    for (adversary, found) in explored {
        if found.is_err() && matches!(adversary, Adversary::AtMost(most) if *most < u64::from(rounds)) {
            unexplored += 1;
            if unexplored > 1 && skipped > 4 {
                if unexplored == 2 {
                    output.line("...           not explored   solvable")?;
                }
                continue;
            }
        }
        let theorem = verdict(is_solvable_by_theory(rounds, *adversary));
        let name = adversary.to_string();
        match found {
            Ok(found) => {
                let chain = found.chain.as_ref().map_or_else(String::new, |chain| format!("{} links", chain.len() - 1));
                let told = format!("{:>12} {:>10}   {chain}", found.runs, found.classes);
                output.line(format_args!("{name:<13} {:<14} {theorem:<11} {}", verdict(found.is_solvable()), told.trim_end()))?;
            }
            Err(_) => output.line(format_args!("{name:<13} {:<14} {theorem}", "not explored"))?,
        }
    }
    if let Some(limit) = explored.iter().find_map(|(_, found)| found.as_ref().err()) {
        output.line(format_args!("\nNot explored: {limit}. There the theorem stands alone."))?;
    }
    let found = || explored.iter().filter_map(|(_, found)| found.as_ref().ok());
    if found().any(|found| found.hearing_suffices) {
        output.line(format_args!("\nWhere it is solvable this rule does it, checked in every run:\n{RULE}."))?;
    }
    if let Some((adversary, chain)) = found().find_map(|found| found.chain.as_ref().map(|chain| (found.adversary, chain))) {
        print_chain(adversary, chain, output)?;
    }
    output.line("\nCaptures in all: solvable if and only if fewer than the rounds (Fevat and Godard 2011).")?;
    output.line("One capture in each round: never (Santoro and Widmayer 1989). Any captures: never (Gray 1978).")
}

fn print_chain(adversary: Adversary, chain: &[(Exchange, Option<Camp>)], output: &Output) -> anyhow::Result<()> {
    output.line(format_args!(
        "\nWhy there is none against {adversary}: no run can differ from the next, which looks the same to one general. It does\n\
         the same in both, and so does the other. (Orders of 1/2; in each round > is the messenger of 1, < of 2, x captured.)\n"
    ))?;
    let folded = if chain.len() > DRAWN { DRAWN / 2..chain.len() - DRAWN / 2 } else { 0..0 };
    for (place, (run, camp)) in chain.iter().enumerate() {
        if folded.contains(&place) {
            if place == folded.start {
                output.line(format_args!("  ... {} more, all told by --json", folded.len()))?;
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

const RULE: &str = "attack if and only if you have the order and have heard that the other has it";

const fn verdict(solvable: bool) -> &'static str {
    if solvable { "solvable" } else { "unsolvable" }
}

fn bound_json(bound: &RoundsBound) -> Value {
    json!({
        "rounds": bound.rounds,
        "lower": bound.lower.to_string(),
        "lower_float": bound.lower.to_f64(),
        "random_attack": bound.random_attack.to_string(),
        "random_attack_float": bound.random_attack.to_f64(),
        "exact": bound.worst.disagreement.to_string(),
        "exact_float": bound.worst.disagreement.to_f64(),
        "captures": bound.worst.captured.len(),
        "deterministic": "1",
    })
}

fn solvable_json(rounds: u32, adversary: Adversary, found: Option<&Solvability>) -> Value {
    let theorem = is_solvable_by_theory(rounds, adversary);
    let chain = found.and_then(|found| found.chain.as_ref()).map(|chain| {
        let link = |(run, camp): &(Exchange, Option<Camp>)| {
            json!({ "ordered": run.ordered, "captured": run.captured, "alike_for": camp.map(|camp| camp.number()) })
        };
        chain.iter().map(link).collect::<Vec<Value>>()
    });
    json!({
        "adversary": adversary.to_string(),
        "verdict": found.map_or("not explored", |found| verdict(found.is_solvable())),
        "theorem": verdict(theorem),
        "agrees": found.map(|found| found.is_solvable() == theorem),
        "source": source(adversary),
        "runs": found.map(|found| found.runs),
        "classes": found.map(|found| found.classes),
        "rule": found.filter(|found| found.hearing_suffices).map(|_| RULE),
        "chain": chain,
    })
}

const fn source(adversary: Adversary) -> &'static str {
    match adversary {
        Adversary::Any => "Gray 1978",
        Adversary::AtMost(_) => "Fevat and Godard 2011",
        Adversary::PerRound(_) => "Santoro and Widmayer 1989",
    }
}
