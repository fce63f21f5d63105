//! `handfast sagas`: what an operator looks at and does, in a store's file or through a running service.

mod acting;
mod looking;
mod planning;
mod table;
mod which;

use clap::Subcommand;

use crate::output::{Exit, Output};

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  handfast sagas list --needs-person --url http://127.0.0.1:7070
  handfast sagas show order-17 --store sqlite:shop.db
  handfast sagas retry order-17 --by ada --reason \"the bank is back\"
  handfast sagas plan cancel --in-doubt --older-than 1h --by ada --reason \"the payment was down\" --out plan.json
  handfast sagas resolve order-17 --not-done hotel --by ada --reason \"asked them\" --evidence \"mail of 4 May\"

docs/operating.md says when to do what.")]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}

/// What can be done with sagas.
#[derive(Debug, Subcommand)]
enum What {
    /// List sagas, those that stand so only where --standing is given
    List(looking::List),
    /// Show one saga, what remains of it, and what can be done about it
    Show(looking::Show),
    /// Ask for neither
    Cancel(acting::Cancel),
    /// Ask again now, wherever that is safe
    Retry(acting::Retry),
    /// Say what a saga that cannot go on by itself needs to hear
    Resolve(acting::Resolve),
    /// Say what an act would do to many sagas, and to the money, before it is done
    Plan(planning::Plan),
    /// Act on the sagas of a plan that still stand as they stood
    Apply(planning::Apply),
    /// Say what has come of a plan so far
    Outcome(planning::Outcome),
}

/// Does one thing.
pub(crate) fn run(args: Args, output: &Output) -> anyhow::Result<Exit> {
    super::runtime()?.block_on(async {
        match args.what {
            What::List(args) => looking::list(args, output).await,
            What::Show(args) => looking::show(args, output).await,
            What::Cancel(args) => acting::cancel(args, output).await,
            What::Retry(args) => acting::retry(args, output).await,
            What::Resolve(args) => acting::resolve(args, output).await,
            What::Plan(args) => planning::plan(args, output).await,
            What::Apply(args) => planning::apply(args, output).await,
            What::Outcome(args) => planning::outcome(args, output).await,
        }
    })
}
