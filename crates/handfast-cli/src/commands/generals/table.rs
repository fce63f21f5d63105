//! `handfast generals table`: the problem itself on one screen, for whoever has not met it.

use handfast_lab::generals::Outcome;
use handfast_protocol::generals::Choice;
use serde_json::{Value, json};

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
const WANTED: &str = "army 1 attacks if and only if army 2 attacks";
const MESSENGERS: &str = "Messengers may be captured by the city, and the sender never knows, except by a reply; who hears \
                          nothing cannot tell whether none was sent or all were captured.";
const COMMON_KNOWLEDGE: &str = "No reply to a reply ends this: the only way of knowing something is to be told it, so that both \
                                attack never becomes common knowledge.";

/// A way to decide, and why it does not do.
struct Plan {
    protocol: &'static str,
    rule: &'static str,
    why_not: &'static str,
}

const PLANS: [Plan; 2] = [
    Plan {
        protocol: "always",
        rule: "General 1 always attacks, sending many messengers so that one gets through.",
        why_not: "If all are captured, general 2 does not know it, and army 1 is alone.",
    },
    Plan {
        protocol: "reply",
        rule: "General 1 attacks only if a reply comes, and is safe.",
        why_not: "But general 2 knows that 1 attacks only if the reply gets through: now 2 is in 1's place.",
    },
];

/// What to type next, and what it answers.
const NEXT: [(&str, &str); 4] = [
    ("handfast generals odds always --capture 1/10", "how likely it goes wrong"),
    ("handfast generals check reply", "the simplest run that does"),
    ("handfast generals knowledge handshake", "who knows what of whom"),
    ("handfast check", "a shop can: payments are undone"),
];

const ROWS: [[Choice; 2]; 4] = [
    [Choice::Stay, Choice::Stay],
    [Choice::Attack, Choice::Stay],
    [Choice::Stay, Choice::Attack],
    [Choice::Attack, Choice::Attack],
];

/// Tells the problem.
pub(crate) fn run(_: &Args, output: &Output) -> anyhow::Result<Exit> {
    if output.wants_json() {
        output.json_line(&as_json())?;
        return Ok(Exit::Done);
    }
    let width = terminal::width();
    let mut lines = wrapped("", TITLE, width);
    lines.push(format!("  {BOLD}{:16}  {:16}  outcome{PLAIN}", "army 1", "army 2"));
    lines.push(format!("  {}", if output.wants_ascii() { "-" } else { "─" }.repeat(56.min(width - 2))));
    for choices in ROWS {
        let [one, two] = choices.map(in_words);
        let outcome = Outcome::of(choices);
        lines.push(format!("  {one:16}  {two:16}  {}{}{PLAIN}", colour(outcome), end_of(outcome)));
    }
    lines.push(String::new());
    lines.extend(wrapped("", &format!("Wanted: {WANTED}. {MESSENGERS}"), width));
    lines.push(String::new());
    for (number, plan) in (1..).zip(&PLANS) {
        lines.extend(wrapped(&format!("{number}. "), &format!("{} {}", plan.rule, plan.why_not), width));
    }
    lines.push(String::new());
    lines.extend(wrapped("", COMMON_KNOWLEDGE, width));
    lines.push(String::new());
    let longest = NEXT.iter().map(|(command, _)| command.len()).max().unwrap_or(0);
    let widest = NEXT.iter().map(|(_, answers)| answers.len()).max().unwrap_or(0);
    let beside = longest + widest + 5 <= width;
    for (command, answers) in NEXT {
        if beside {
            lines.push(format!("  {command:longest$}   {DIM}{answers}{PLAIN}"));
        } else {
            lines.push(format!("  {command}"));
            lines.push(format!("      {DIM}{answers}{PLAIN}"));
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

const fn end_of(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Both => "the city is captured",
        Outcome::Alone1 => "army 1 is defeated",
        Outcome::Alone2 => "army 2 is defeated",
        Outcome::Neither => "nothing happens",
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

fn as_json() -> Value {
    let choice = |choice: Choice| match choice {
        Choice::Attack => "attack",
        Choice::Stay => "stay",
    };
    let rows: Vec<Value> = ROWS
        .iter()
        .map(|&[one, two]| {
            let outcome = Outcome::of([one, two]);
            json!({ "army_1": choice(one), "army_2": choice(two), "outcome": outcome.key(), "in_words": end_of(outcome) })
        })
        .collect();
    let strategies: Vec<Value> = (1..)
        .zip(&PLANS)
        .map(|(number, plan)| json!({ "number": number, "protocol": plan.protocol, "rule": plan.rule, "why_not": plan.why_not }))
        .collect();
    let next: Vec<Value> = NEXT.iter().map(|(command, answers)| json!({ "command": command, "answers": answers })).collect();
    json!({
        "rows": rows,
        "wanted": WANTED,
        "messengers": MESSENGERS,
        "strategies": strategies,
        "common_knowledge": COMMON_KNOWLEDGE,
        "next": next,
    })
}
