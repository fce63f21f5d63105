//! Runs the two generals in synchronous waves: everything a general wants sent leaves in the next round, and only the
//! choice of which messengers are captured is open.

use handfast_protocol::generals::{Camp, Choice, General, Strategy, Tidings};
use handfast_protocol::{Input, Party as _, Time};

/// One messenger of a run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Journey {
    /// The round in which it left, from 0; it arrives before the next one begins.
    pub round: u32,
    /// Who sent it.
    pub from: Camp,
    /// What it carried.
    pub tidings: Tidings,
    /// The city caught it.
    pub captured: bool,
}

/// A run of the two generals.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Run {
    /// What they had agreed on.
    pub strategy: Strategy,
    /// General 1 was given the order to attack.
    pub ordered: bool,
    /// Every messenger, in the order of sending.
    pub journeys: Vec<Journey>,
    /// What the two did when the hour came.
    pub choices: [Choice; 2],
}

/// The rows of the problem's own table.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Row {
    /// Both attack.
    Both,
    /// General 1 alone.
    FirstAlone,
    /// General 2 alone.
    SecondAlone,
    /// Nobody attacks.
    Neither,
}

impl Row {
    /// What becomes of the armies and the city.
    #[must_use]
    pub const fn outcome(self) -> &'static str {
        match self {
            Self::Both => "both attack: the city is captured",
            Self::FirstAlone => "1 alone: army 1 is defeated",
            Self::SecondAlone => "2 alone: army 2 is defeated",
            Self::Neither => "neither attacks: nothing happens",
        }
    }
}

impl Run {
    /// The row of the problem's table that the run belongs to.
    #[must_use]
    pub const fn row(&self) -> Row {
        match self.choices {
            [Choice::Attack, Choice::Attack] => Row::Both,
            [Choice::Attack, Choice::Stay] => Row::FirstAlone,
            [Choice::Stay, Choice::Attack] => Row::SecondAlone,
            [Choice::Stay, Choice::Stay] => Row::Neither,
        }
    }
}

/// Plays the strategy out. `captured` is asked once for every messenger actually sent, with its number from 0 in the
/// order of sending.
#[must_use]
pub fn run(strategy: Strategy, ordered: bool, mut captured: impl FnMut(usize) -> bool) -> Run {
    let mut generals = [General::new(Camp::First, strategy), General::new(Camp::Second, strategy)];
    if ordered {
        generals[0].step(Time(0), Input::Start);
    }
    let mut journeys = Vec::new();
    // How many of each outbox have left already: a general sends its messengers once.
    let mut sent = [0, 0];
    for round in 0.. {
        let waves = [generals[0].outbox(), generals[1].outbox()];
        let before = journeys.len();
        for (camp, wave) in [Camp::First, Camp::Second].into_iter().zip(&waves) {
            let own = camp as usize;
            for &tidings in wave.iter().skip(sent[own]) {
                let journey = Journey { round, from: camp, tidings, captured: captured(journeys.len()) };
                journeys.push(journey);
            }
            sent[own] = wave.len();
        }
        if journeys.len() == before {
            break;
        }
        for journey in journeys[before..].iter().filter(|journey| !journey.captured) {
            generals[1 - journey.from as usize].step(Time(0), Input::Receive(journey.tidings));
        }
    }
    let choices = generals.map(|mut general| {
        general.step(Time(0), Input::Timeout);
        general.decision().unwrap_or(Choice::Stay)
    });
    Run { strategy, ordered, journeys, choices }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(strategy: Strategy, captured: &[usize], row: Row, sent: usize) {
        let run = run(strategy, true, |number| captured.contains(&number));
        assert_eq!((run.row(), run.journeys.len()), (row, sent));
    }

    #[test]
    fn the_strategies_end_in_the_rows_of_the_table() {
        let always = Strategy::Always { messengers: 2 };
        check(always, &[], Row::Both, 2);
        check(always, &[0], Row::Both, 2);
        check(always, &[0, 1], Row::FirstAlone, 2);
        let reply = Strategy::Reply { messengers: 1, replies: 2 };
        check(reply, &[], Row::Both, 3);
        check(reply, &[1], Row::Both, 3);
        check(reply, &[1, 2], Row::SecondAlone, 3);
        check(reply, &[0], Row::Neither, 1);
    }

    #[test]
    fn without_the_order_nobody_moves() {
        let run = run(Strategy::Reply { messengers: 3, replies: 3 }, false, |_| false);
        assert_eq!((run.row(), run.journeys.len()), (Row::Neither, 0));
    }
}
