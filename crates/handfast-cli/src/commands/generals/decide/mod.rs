//! `handfast generals decide`: how many messengers are worth sending, in which waves, and who should attack on which view.

mod budget;
mod rule;
mod waves;

use anyhow::anyhow;
use clap::Arg;
use handfast_lab::answers::decide::{self, Question};
use handfast_lab::generals::Ratio;
use handfast_lab::generals::decide::Stakes;

use super::agreed::{Agreed, probability};
use crate::numbers;
use crate::output::{Exit, OrExit as _, Output};
use budget::Budget;

#[derive(Debug, clap::Args)]
#[command(mut_args(of_a_protocol), after_help = HELP)]
pub(crate) struct Args {
    #[command(flatten)]
    agreed: Option<Agreed>,
    #[command(flatten)]
    stakes: StakesArgs,
    /// How likely the city captures a messenger, independently of the others: 1/3, or a decimal, read exactly
    #[arg(long, value_name = "P", value_parser = probability, allow_hyphen_values = true, help_heading = "Stakes")]
    capture: Ratio,
    /// With a PROTOCOL: how likely the order is given; otherwise it is not, or not to all who need it [default: 1/2]
    #[arg(long, value_name = "A/B", value_parser = likely, allow_hyphen_values = true, help_heading = "Stakes")]
    prior: Option<Ratio>,
    #[command(flatten)]
    class: ClassArgs,
}

const HELP: &str = "Examples:
  handfast generals decide --gain 10 --alone 10 --messenger-cost 1/10 --capture 1/2
  handfast generals decide --gain 10 --alone 10 --messenger-cost 1/10 --capture 1/2 --plans adaptive --waves 2
  handfast generals decide --gain 10 --alone 10 --messenger-cost 1/10 --capture 1/2 --budget 1..12
  handfast generals decide reply --messengers 2 --replies 2 --gain 10 --alone 10 --capture 1/2

Without a PROTOCOL the order was given, and the question is how many messengers to send. Single waves are compared, \
or plans that top up only when no acknowledgement came; what is best is best within that class. No plan of either \
class calls the attack off once the order was given and the first wave is sent.

With a PROTOCOL its messengers are as they are, and the question is who attacks on which view. Runs in which the \
order was not given count as well (--prior): if it were certain, to attack whatever arrives would be best, and no \
messenger would be needed. Whoever could have been ordered and was not does not attack. Messengers are free there \
unless --messenger-cost is given.

With --json, every amount and probability is a string \"a/b\", with a float beside it under NAME_float:
  {\"gain\",\"alone\",\"messenger_cost\",\"capture\",
   \"adversary\":\"iid:a/b\",\"adversary_in_words\",\"class\",
   \"budget\":N|null,\"attained\":bool,\"attack\":bool,
   \"messengers\":N that leave at most,\"expected_messengers\",\"value\",
   \"plan\":[{\"messengers\",\"acknowledged_by\"}],
   \"outcome\":{\"both\",\"alone_1\",\"alone_2\",\"neither\"},
   \"nearby\":[{\"messengers\",\"value\"}]}
with --plans adaptive also \"single\", the best wave in the same shape; with free messengers \"attained\" is false, \
\"messengers\" and \"plan\" are null, and \"value\" is the bound. With --budget A..B instead of the figures
  {..,\"budgets\":[{\"budget\",\"messengers\",\"plan\",\"value\"}]}
and with a PROTOCOL
  {..,\"protocol\",\"title\",\"prior\",\"value\",\"value_given_order\",
   \"messengers\":\"a/b\",\"messengers_given_order\",
   \"outcome\",\"outcome_given_order\",
   \"rule\":[{\"general\",\"view\",\"probability\",\"attacks\",\"pinned\"}],
   \"break_points\":[\"a/b\" in D/V],\"pieces\":[{\"from\",\"both\",\"alone\"}],
   \"own\":{\"value\",.. of the protocol's own rule}}
Mind that \"messengers\" is a whole number without a PROTOCOL, the most that leave, and with one the mean, a rational.

Exit codes: 0 told; 2 the protocol or a number makes no sense, or the answer would not fit.";

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Stakes")]
struct StakesArgs {
    /// What it is worth if both attack
    #[arg(long, value_name = "V", value_parser = at_least_nothing, allow_hyphen_values = true)]
    gain: Ratio,
    /// What is lost if exactly one attacks
    #[arg(long, value_name = "D", value_parser = at_least_nothing, allow_hyphen_values = true)]
    alone: Ratio,
    /// What a messenger costs who leaves, whether or not he arrives
    #[arg(long, value_name = "C", value_parser = at_least_nothing, allow_hyphen_values = true)]
    messenger_cost: Option<Ratio>,
}

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Plans, without a PROTOCOL")]
struct ClassArgs {
    /// Which plans are compared: single waves, or such as top up only when no acknowledgement came [default: single]
    #[arg(long, value_name = "CLASS", value_enum)]
    plans: Option<Plans>,
    /// The most messengers that may leave in all, general 2's among them; 1..12 makes a table of budgets
    #[arg(long, value_name = "N")]
    budget: Option<Budget>,
    /// The most waves of an adaptive plan [default: 3]
    #[arg(long, value_name = "N", value_parser = numbers::whole(1..=12_u32, 3))]
    waves: Option<u32>,
}

/// A class of plans, as it is typed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, clap::ValueEnum)]
enum Plans {
    /// One wave, paid in advance.
    Single,
    /// Waves that leave only while no acknowledgement has come.
    Adaptive,
}

/// A PROTOCOL may be left out; with it all that belongs to it.
fn of_a_protocol(argument: Arg) -> Arg {
    match argument.get_id().as_str() {
        "protocol" => argument.required(false),
        "messengers" | "replies" | "steps" | "rounds" | "second" | "time_limit_ms" => argument.requires("protocol"),
        _ => argument,
    }
}

/// Reads an amount, exactly.
fn at_least_nothing(text: &str) -> Result<Ratio, String> {
    let amount: Ratio = text.parse().map_err(|error| format!("{error}"))?;
    if amount >= Ratio::new(0, 1) { Ok(amount) } else { Err("give a number that is not negative".to_owned()) }
}

/// Reads a probability that is not 0.
fn likely(text: &str) -> Result<Ratio, String> {
    let prior = probability(text)?;
    if prior > Ratio::new(0, 1) { Ok(prior) } else { Err("the attack would never be wanted; give more than 0".to_owned()) }
}

/// Answers the question.
pub(crate) fn run(args: Args, output: &Output) -> anyhow::Result<Exit> {
    if let Some(agreed) = &args.agreed {
        let class = &args.class;
        let given = [("plans", class.plans.is_some()), ("budget", class.budget.is_some()), ("waves", class.waves.is_some())];
        if let Some((name, _)) = given.iter().find(|(_, given)| *given) {
            let wrong = anyhow!("{0} sends the messengers that it sends; leave out --{name}, or leave out {0}", agreed.protocol);
            return Err(wrong).or_exit(Exit::Usage);
        }
        let messenger_cost = args.stakes.messenger_cost.unwrap_or_else(|| Ratio::new(0, 1));
        let question = question(args.stakes.gain, args.stakes.alone, messenger_cost, args.capture)?;
        return rule::answer(&question, agreed, args.prior, output);
    }
    if args.prior.is_some() {
        return Err(anyhow!("--prior is for a PROTOCOL's views; without one the order was given")).or_exit(Exit::Usage);
    }
    let Some(messenger_cost) = args.stakes.messenger_cost else {
        return Err(anyhow!("say what a messenger costs: --messenger-cost 1/10")).or_exit(Exit::Usage);
    };
    let question = question(args.stakes.gain, args.stakes.alone, messenger_cost, args.capture)?;
    let plans = args.class.plans.unwrap_or(Plans::Single);
    if args.class.waves.is_some() && plans == Plans::Single {
        return Err(anyhow!("a single wave has no --waves; ask for --plans adaptive")).or_exit(Exit::Usage);
    }
    let plans = match plans {
        Plans::Single => decide::Plans::Single,
        Plans::Adaptive => decide::Plans::Adaptive { waves: args.class.waves.unwrap_or(3) },
    };
    waves::answer(&question, plans, args.class.budget, output)
}

/// What every answer depends on.
fn question(gain: Ratio, alone: Ratio, messenger_cost: Ratio, capture: Ratio) -> anyhow::Result<Question> {
    let stakes = Stakes::new(gain, alone, messenger_cost);
    let stakes = stakes.ok_or_else(|| anyhow!("nothing that is at stake may be negative")).or_exit(Exit::Usage)?;
    Ok(Question { stakes, capture })
}

/// One line about what is won, lost and paid.
fn at_stake(question: &Question) -> String {
    let (stakes, messenger) = (&question.stakes, question.stakes.messenger());
    format!("Both attack: {}. One alone: -{}. Nobody: 0. A messenger costs {messenger}.", stakes.gain(), stakes.alone())
}

/// A number exactly, if that is short enough to be read, and as a decimal.
fn readable(number: &Ratio) -> String {
    let (exact, decimal) = (number.to_string(), number.to_decimal(6));
    if exact == decimal {
        exact
    } else if exact.len() <= 40 {
        format!("{exact} ({decimal})")
    } else {
        format!("{decimal} (exactly with --json)")
    }
}
