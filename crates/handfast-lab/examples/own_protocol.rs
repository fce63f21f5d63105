//! A protocol of one's own: general 1 says "attack" in every round until it hears "yes", which general 2 says back.

use handfast_lab::diagram::{TextOptions, generals};
use handfast_lab::generals::{Adversary, Chance, Limits, Outcome, Protocol, Ratio};
use handfast_protocol::generals::Choice;
use handfast_protocol::{Input, Party, Time};

const ROUNDS: u64 = 4;

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct General {
    says: &'static str,
    /// It has the order, or has heard of it.
    willing: bool,
    answered: bool,
    over: u64,
}

impl Party for General {
    type Inbound = &'static str;
    type Outbound = &'static str;
    type Decision = Choice;

    fn step(&mut self, _now: Time, input: Input<&'static str>) {
        match input {
            Input::Start => {}
            Input::Receive(words) => (self.willing, self.answered) = (true, words == "yes"),
            Input::Timeout => self.over += 1,
        }
    }

    fn outbox(&self) -> Vec<&'static str> {
        if self.willing && !self.answered && self.over < ROUNDS { vec![self.says] } else { vec![] }
    }

    fn deadline(&self) -> Option<Time> {
        (self.over < ROUNDS).then(|| Time(self.over + 1))
    }

    fn decision(&self) -> Option<Choice> {
        (self.over == ROUNDS).then_some(if self.willing { Choice::Attack } else { Choice::Stay })
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let general = |says, willing| General { says, willing, answered: false, over: 0 };
    let protocol =
        Protocol::new("until you say yes", ROUNDS as u32, move |ordered| [general("attack", ordered), general("yes", false)]);
    let table = protocol.tabulate(&Limits::default())?;

    let chance = Chance::new(&Ratio::new(1, 10)).ok_or("not a probability")?;
    let odds = table.odds(&chance);
    Outcome::ALL.iter().for_each(|&outcome| println!("{}: {}", outcome.in_words(), odds.of(outcome)));

    let checked = table.check(Adversary::Any)?;
    let run = checked.counterexample().ok_or("it holds, whoever is captured")?;
    println!("{}", generals(&table, &run, &[]).to_text(&TextOptions::default()));
    Ok(())
}
