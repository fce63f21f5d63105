//! The problem itself: what two armies want, why a messenger does not do, and what to ask next.

use handfast_protocol::generals::Choice;
use serde::Serialize;

use crate::generals::{Outcome, choice};

/// The problem on one screen, for whoever has not met it.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Problem {
    /// What happens, by what each army does.
    pub rows: [Row; 4],
    /// What is wanted.
    pub wanted: &'static str,
    /// What stands in the way.
    pub messengers: &'static str,
    /// Ways to decide, and why they do not do.
    pub strategies: [Strategy; 2],
    /// Why no other way does.
    pub common_knowledge: &'static str,
    /// What to type next.
    pub next: [Next; 4],
}

/// What happens if each army does this.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Row {
    /// Of army 1: `attack` or `stay`.
    pub army_1: &'static str,
    /// The same of army 2.
    pub army_2: &'static str,
    /// `both`, `alone_1`, `alone_2` or `neither`.
    pub outcome: &'static str,
    /// The same in words.
    pub in_words: &'static str,
    /// What the two armies do.
    #[serde(skip)]
    pub choices: [Choice; 2],
}

/// A way to decide, and why it does not do.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Strategy {
    /// Its number, from 1.
    pub number: u32,
    /// What the other questions call it.
    pub protocol: &'static str,
    /// What the generals do.
    pub rule: &'static str,
    /// Why it is not enough.
    pub why_not: &'static str,
}

/// What to type next.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Next {
    /// The command.
    pub command: &'static str,
    /// What it answers.
    pub answers: &'static str,
}

/// The problem.
pub const PROBLEM: Problem = Problem {
    rows: [
        Row::of([Choice::Stay, Choice::Stay]),
        Row::of([Choice::Attack, Choice::Stay]),
        Row::of([Choice::Stay, Choice::Attack]),
        Row::of([Choice::Attack, Choice::Attack]),
    ],
    wanted: "army 1 attacks if and only if army 2 attacks",
    messengers: "Messengers may be captured by the city, and the sender never knows, except by a reply; who hears nothing \
                 cannot tell whether none was sent or all were captured.",
    strategies: [
        Strategy {
            number: 1,
            protocol: "always",
            rule: "General 1 always attacks, sending many messengers so that one gets through.",
            why_not: "If all are captured, general 2 does not know it, and army 1 is alone.",
        },
        Strategy {
            number: 2,
            protocol: "reply",
            rule: "General 1 attacks only if a reply comes, and is safe.",
            why_not: "But general 2 knows that 1 attacks only if the reply gets through: now 2 is in 1's place.",
        },
    ],
    common_knowledge: "No reply to a reply ends this: the only way of knowing something is to be told it, so that both attack \
                       never becomes common knowledge.",
    next: [
        Next { command: "handfast generals odds always --capture 1/10", answers: "how likely it goes wrong" },
        Next { command: "handfast generals check reply", answers: "the simplest run that does" },
        Next { command: "handfast generals knowledge handshake", answers: "who knows what of whom" },
        Next { command: "handfast check", answers: "a shop can: payments are undone" },
    ],
};

impl Row {
    const fn of(choices: [Choice; 2]) -> Self {
        let [one, two] = choices;
        let outcome = Outcome::of(choices);
        let in_words = match outcome {
            Outcome::Both => "the city is captured",
            Outcome::Alone1 => "army 1 is defeated",
            Outcome::Alone2 => "army 2 is defeated",
            Outcome::Neither => "nothing happens",
        };
        Self { army_1: choice(one), army_2: choice(two), outcome: outcome.key(), in_words, choices }
    }
}
