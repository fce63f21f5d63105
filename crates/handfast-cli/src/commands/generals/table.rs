//! `handfast generals table`: the problem itself on one screen, for whoever has not met it.

use handfast_lab::answers::problem::{PROBLEM, Problem};
use handfast_lab::generals::Outcome;
use handfast_protocol::generals::Choice;

use crate::output::terminal::{self, wrapped};
use crate::output::{Exit, Output};

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  handfast generals table
  handfast generals table --json

With --json it prints one object
  {\"rows\":[{\"army_1\":\"attack\"|\"stay\",\"army_2\":..,
     \"outcome\":\"both\"|\"alone_1\"|\"alone_2\"|\"neither\",\"in_words\"},..],
   \"wanted\",\"messengers\",\"common_knowledge\",
   \"strategies\":[{\"number\",\"protocol\",\"rule\",\"why_not\"},..],
   \"next\":[{\"command\",\"answers\"},..]}
in which wanted, messengers and common_knowledge are texts, and protocol is what the other questions call it.")]
pub(crate) struct Args {}

const TITLE: &str = "Two generals capture a city if both attack; who attacks alone is defeated.";

/// Tells the problem.
pub(crate) fn run(_: &Args, output: &Output) -> anyhow::Result<Exit> {
    if output.wants_json() {
        output.json_line(&PROBLEM)?;
        return Ok(Exit::Done);
    }
    let Problem { rows, wanted, messengers, strategies, common_knowledge, next } = PROBLEM;
    let width = terminal::width();
    let mut lines = wrapped("", TITLE, width);
    lines.push(format!("  {BOLD}{:16}  {:16}  outcome{PLAIN}", "army 1", "army 2"));
    lines.push(format!("  {}", if output.wants_ascii() { "-" } else { "─" }.repeat(56.min(width - 2))));
    for row in rows {
        let [one, two] = row.choices.map(in_words);
        lines.push(format!("  {one:16}  {two:16}  {}{}{PLAIN}", colour(Outcome::of(row.choices)), row.in_words));
    }
    lines.push(String::new());
    lines.extend(wrapped("", &format!("Wanted: {wanted}. {messengers}"), width));
    lines.push(String::new());
    for plan in strategies {
        lines.extend(wrapped(&format!("{}. ", plan.number), &format!("{} {}", plan.rule, plan.why_not), width));
    }
    lines.push(String::new());
    lines.extend(wrapped("", common_knowledge, width));
    lines.push(String::new());
    let longest = next.iter().map(|next| next.command.len()).max().unwrap_or(0);
    let widest = next.iter().map(|next| next.answers.len()).max().unwrap_or(0);
    let beside = longest + widest + 5 <= width;
    for next in next {
        if beside {
            lines.push(format!("  {:longest$}   {DIM}{}{PLAIN}", next.command, next.answers));
        } else {
            lines.push(format!("  {}", next.command));
            lines.push(format!("      {DIM}{}{PLAIN}", next.answers));
        }
    }
    lines.iter().try_for_each(|line| output.line(line))?;
    Ok(Exit::Done)
}

const BOLD: &str = "\x1b[1m";
const DIM: &str = "\x1b[2m";
const PLAIN: &str = "\x1b[0m";

const fn in_words(choice: Choice) -> &'static str {
    match choice {
        Choice::Attack => "attacks",
        Choice::Stay => "does not attack",
    }
}

/// Green for what is wanted, red for what must not happen.
const fn colour(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Both => "\x1b[32m",
        Outcome::Alone1 | Outcome::Alone2 => "\x1b[31m",
        Outcome::Neither => DIM,
    }
}
