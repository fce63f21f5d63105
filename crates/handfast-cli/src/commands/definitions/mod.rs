//! Which definition orders under way follow: what a person decides about them at the start, and what is said of them.

mod command;

use clap::ArgGroup;
use handfast::{Chosen, OtherDefinition, OtherDefinitions};
use handfast_server::batch::counted;

pub(crate) use self::command::{Args, run};
use crate::output::Output;

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Orders under way that follow another definition")]
#[command(group(ArgGroup::new("chosen").args(["adopt", "keep_definitions"]).requires_all(["by", "why"])))]
pub(crate) struct DefinitionArgs {
    /// Let them be reached and read as this flow file says, where its plan is the same.
    #[arg(long)]
    adopt: bool,
    /// Let them go on with their own definition, at the addresses that it names.
    #[arg(long)]
    keep_definitions: bool,
    /// Of those that were asked at another address: both addresses keep the same books.
    #[arg(long, requires = "adopt")]
    same_books: bool,
    /// Who decides that; kept with every order.
    #[arg(long, value_name = "NAME", requires = "chosen")]
    by: Option<String>,
    /// Why; kept with every order.
    #[arg(long, value_name = "TEXT", requires = "chosen")]
    why: Option<String>,
}

impl DefinitionArgs {
    /// What the engine does with orders that follow another definition.
    pub(crate) fn wanted(self) -> OtherDefinitions {
        let Self { adopt, keep_definitions, same_books, by, why } = self;
        let chosen = Chosen { by: by.unwrap_or_default(), why: why.unwrap_or_default(), same_books };
        match (adopt, keep_definitions) {
            (true, _) => OtherDefinitions::Adopt(chosen),
            (false, true) => OtherDefinitions::KeepAll(chosen),
            (false, false) => OtherDefinitions::Hold,
        }
    }
}

/// Says how many orders follow another definition, and what differs.
pub(crate) fn say(others: &[OtherDefinition], output: &Output) {
    for other in others.iter().filter(|other| !other.is_adopted) {
        output.note(in_words(other));
    }
}

fn in_words(other: &OtherDefinition) -> String {
    let OtherDefinition { flow, hash, orders, difference, is_held, .. } = other;
    let short = hash.get(..12).unwrap_or(hash);
    let held = match (is_held, &difference.plan) {
        (true, None) => format!(
            "; nothing is sent for them before somebody decides: start with --adopt or --keep-definitions, or say `handfast definitions \
             adopt {short} --by NAME --why TEXT --url URL` or `keep` to the service that runs; with --same-books where another address \
             keeps the same books, and without it what is absent there waits for a person"
        ),
        // Another plan takes the place of none.
        (true, Some(_)) => format!(
            "; nothing is sent for them before somebody says that they go on with it: start with --keep-definitions, or say `handfast \
             definitions keep {short} --by NAME --why TEXT --url URL` to the service that runs"
        ),
        (false, _) => String::new(),
    };
    let follow = counted(*orders, "open order");
    let follows = if *orders == 1 { "follows" } else { "follow" };
    format!("{follow} of {flow} {follows} another definition ({short}): {}{held}", difference.in_words())
}
