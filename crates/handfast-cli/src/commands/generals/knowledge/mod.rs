//! `handfast generals knowledge`: who knows what, in every run and step by step in one.

mod told;

use std::collections::BTreeSet;

use anyhow::anyhow;
use handfast_lab::answers::knowledge::{Question, answer};
use handfast_lab::generals::{Bounds, Ratio, Views};
use handfast_lab::trace::parse_captured;

use super::agreed::{Agreed, probability};
use crate::output::{Exit, OrExit as _, Output};

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  handfast generals knowledge handshake --steps 4
      how deep it goes, run by run and step by step
  handfast generals knowledge handshake --chain
      from all delivered to no order, link by link
  handfast generals knowledge handshake --captured 2
      in the run in which messenger 2 is captured
  handfast generals knowledge random-attack --rounds 10
      4,194,304 runs
  handfast generals knowledge always --messengers 5 --capture 1/10
      and the greatest common belief

A world is a way to give the order together with a pattern of captures; a coin is not part of it. General i knows \
what holds in every world in which it has the same view. In a run of depth k \"everybody knows\" that the attack is \
wanted holds k times over, and not once more. The histogram counts the runs in which the attack is wanted \
(random-attack: both have the order), by depth from 0.

With --json it prints
  {\"protocol\",\"title\",\"adversary\":\"any\",\"adversary_in_words\",
   \"views\":\"inputs\"|\"state\",
   \"worlds\":N,\"histogram\":[N,..],
   \"common_knowledge\":bool,\"common_knowledge_runs\":N,\"because\":\"..\",
   \"depth\":K|null,
   \"run\":{\"captured\":[messenger,..],\"ordered\":[bool,bool],
     \"outcome\":\"both\"|\"alone_1\"|\"alone_2\"|\"neither\",
     \"steps\":[{\"round\":R,\"levels\":[K|null,K|null],\"knows\":[\"..\",\"..\"]},..]}}
in which depth is that of the run, K in levels counts \"knows\", general by general (0: does not know), null stands \
for no end (common knowledge), round 0 is before the first, and messengers are numbered from 0 in the order of \
sending. Numbers of runs above 2^53 are strings. With --chain also
  \"chain\":[{\"captured\":[..],\"ordered\":[..],\"outcome\":\"..\",
   \"same_for\":1|2|null},..],
  \"links_to_nothing_delivered\":N|null,\"links_to_no_order\":N|null
where same_for is the general who cannot tell the run from the one before it; with --capture also
  \"common_belief\":\"a/b\",\"common_belief_float\":x,\"prior\":\"a/b\",\"prior_float\":x,
   \"capture\":\"a/b\",\"capture_float\":x

Exit codes: 0 told; 2 the protocol or a number makes no sense, or the answer would not fit.")]
pub(crate) struct Args {
    #[command(flatten)]
    agreed: Agreed,

    /// What a general goes by: all inputs so far (perfect recall), or the party's state alone
    #[arg(long, value_name = "VIEWS", default_value = "inputs", value_parser = ["inputs", "state"], help_heading = "Question")]
    views: String,

    /// Shows the shortest chain of runs from all delivered to nothing delivered and on to a run without the order
    #[arg(long, help_heading = "Question")]
    chain: bool,

    /// Steps through the run in which these messengers are captured, as in 0,3,5-9, counted from 0 in the order of sending
    #[arg(long, value_name = "LIST", value_parser = parse_captured, help_heading = "Question")]
    captured: Option<BTreeSet<usize>>,

    /// Also finds the greatest common belief, if each messenger is captured with this probability: a/b or a decimal
    #[arg(long, value_name = "P", allow_hyphen_values = true, value_parser = probability, help_heading = "Question")]
    capture: Option<Ratio>,

    /// How likely the attack is wanted, before anything is seen [default: 1/2]
    #[arg(long, value_name = "P", allow_hyphen_values = true, value_parser = probability, requires = "capture", help_heading = "Question")]
    prior: Option<Ratio>,
}

/// In more rounds the random attack has more pairs of views than may be held.
const MOST_ROUNDS: u32 = 12;

/// Refuses what is known to be too much before any work is done for it.
fn refuse_early(agreed: &Agreed, views: Views, bounds: Bounds) -> anyhow::Result<()> {
    let rounds = agreed.rounds.filter(|&rounds| rounds > MOST_ROUNDS && agreed.protocol == "random-attack");
    match (views, rounds) {
        (Views::Inputs, Some(rounds)) => Err(anyhow!(
            "random-attack of {rounds} rounds has more than the {} pairs of views that may be held; take at most {MOST_ROUNDS} \
             rounds, or --views state",
            bounds.pairs
        ))
        .or_exit(Exit::Usage),
        (Views::Inputs | Views::State, _) => Ok(()),
    }
}

/// Answers the question.
pub(crate) fn run(args: Args, output: &Output) -> anyhow::Result<Exit> {
    let views = if args.views == "state" { Views::State } else { Views::Inputs };
    let bounds = Bounds::default();
    refuse_early(&args.agreed, views, bounds)?;
    let table = args.agreed.tabulate(output)?;
    let run = table.play_out(table.starts[0].0, &args.captured.clone().unwrap_or_default()).or_exit(Exit::Usage)?;
    let thinking = output.waiting("telling apart what the generals see in every run");
    let prior = || args.prior.clone().unwrap_or_else(|| Ratio::new(1, 2));
    let question = Question {
        protocol: args.agreed.protocol.clone(),
        views,
        chain: args.chain,
        belief: args.capture.clone().map(|capture| (prior(), capture)),
    };
    let found = answer(&table, run, &question).or_exit(Exit::Usage)?;
    drop(thinking);
    if output.wants_json() {
        output.json_line(&found)?;
    } else {
        told::print(&found, output)?;
    }
    Ok(Exit::Done)
}
