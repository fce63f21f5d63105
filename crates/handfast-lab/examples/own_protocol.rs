//! A protocol of one's own: general 1 says "attack" in every round until it hears "yes", which general 2 says back.

use handfast_lab::diagram::{TextOptions, generals};
use handfast_lab::generals::{Adversary, CaptureRate, Limits, Outcome, Protocol, Ratio, Simulation};
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

pub(crate) fn report() -> Result<String, Box<dyn std::error::Error>> {
    let general = |says, willing| General { says, willing, answered: false, over: 0 };
    let begin = move |ordered| [general("attack", ordered), general("yes", false)];
    let table = Protocol::new("until you say yes", ROUNDS as u32, begin).tabulate(&Limits::default())?;
    let run = table.check(Adversary::Any)?.counterexample().ok_or("it holds, whoever is captured")?;
    let rate = CaptureRate::new(&Ratio::new(1, 10)).ok_or("not a probability")?;
    let simulated = table.simulate(&rate, &Simulation { runs: 100_000, seed: 1, threads: 0 }, &|_| {});
    let row = |outcome: Outcome| format!("\n{}: {} of 100000 runs", outcome.in_words(), simulated.count(outcome));
    Ok(generals(&table, &run, &[]).to_text(&TextOptions::default()) + &Outcome::ALL.map(row).concat())
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    report().map(|report| println!("{report}"))
}
