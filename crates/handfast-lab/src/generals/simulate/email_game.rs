//! Simulates the electronic mail game: messages go to and fro until one is lost, however long that takes.

use crate::generals::simulate::toss::{CaptureRate, Toss, bits};
use crate::generals::simulate::{Simulated, Simulation};
use crate::generals::table::outcome::Outcome;

/// What was counted of the electronic mail game (Rubinstein, "The electronic mail game", 1989).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct SimulatedEmail {
    /// The outcomes, and all the messages that were sent: one in every run was lost.
    pub simulated: Simulated,
    /// The runs in which general 1, and in which general 2, has sent anything.
    pub sent: [u64; 2],
    /// Among them those in which the last message that this general sent was lost, and not the answer to it.
    pub last_lost: [u64; 2],
}

impl SimulatedEmail {
    /// A run whose last message, the only one that was lost, is number `last`: general 1 has sent those with odd numbers.
    fn add(&mut self, last: u64, threshold: u64) {
        let outcome = match last {
            _ if last >= threshold.saturating_mul(2) => Outcome::Both,
            _ if last >= threshold.saturating_mul(2).saturating_sub(1) => Outcome::Alone1,
            _ => Outcome::Neither,
        };
        self.simulated.outcomes[outcome.index()] += 1;
        self.simulated.messengers += last;
        self.simulated.captures += 1;
        self.sent[0] += 1;
        self.sent[1] += u64::from(last >= 2);
        self.last_lost[0] += last % 2;
        self.last_lost[1] += 1 - last % 2;
    }

    fn with(mut self, other: &Self) -> Self {
        self.simulated = self.simulated.with(&other.simulated);
        for side in 0..2 {
            self.sent[side] += other.sent[side];
            self.last_lost[side] += other.last_lost[side];
        }
        self
    }
}

/// Simulates runs in the state in which it matters. A general attacks once its machine has sent `threshold` messages; the
/// machines go on until a message is lost. `done` is told how many more runs are over. `None` if no message is ever lost,
/// since a run has no end then.
#[must_use]
pub fn simulate_email(
    threshold: u32,
    rate: &CaptureRate,
    simulation: &Simulation,
    done: &(dyn Fn(u64) + Sync),
) -> Option<SimulatedEmail> {
    if rate.is_zero() {
        return None;
    }
    let toss = Toss::new(rate.clone());
    let count = |block, runs| {
        let (mut toss, mut bits) = (toss.clone(), bits(simulation.seed, 0, block));
        let mut simulated = SimulatedEmail::default();
        (0..runs).for_each(|_| simulated.add(toss.until_captured(&mut bits), u64::from(threshold)));
        done(runs);
        simulated
    };
    Some(simulation.in_blocks(count, |one, other| one.with(&other)))
}
