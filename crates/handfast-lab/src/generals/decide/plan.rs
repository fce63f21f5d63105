//! A plan of waves that leave only while no acknowledgement has come, and its exact figures.

use std::sync::Arc;

use handfast_protocol::generals::{Camp, Condition, Size, Strategy, Wave};
use num_bigint::BigInt;

use super::amount::{Amount, Powers};
use super::stakes::{DecideError, Stakes, WholeStakes};
use super::wave::short_enough;
use crate::generals::ratio::Ratio;

/// One wave of a plan.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Stage {
    /// How many general 1 sends, at least one.
    pub messengers: u32,
    /// How many general 2 sends back if at least one arrives; 0 after the last wave.
    pub acknowledged_by: u32,
}

/// Waves, each of which leaves only if no acknowledgement has arrived before. Without any, nobody attacks.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Plan {
    /// The waves in order.
    pub stages: Vec<Stage>,
}

/// A plan with its exact figures, given that the order was given.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Valued {
    /// The plan.
    pub plan: Plan,
    /// What it is worth.
    pub value: Ratio,
    /// How many messengers leave in the mean.
    pub messengers: Ratio,
}

impl Plan {
    /// The most messengers that leave in any run: all waves arrive and no acknowledgement does.
    #[must_use]
    pub fn most_messengers(&self) -> u64 {
        self.stages.iter().map(|stage| u64::from(stage.messengers) + u64::from(stage.acknowledged_by)).sum()
    }

    /// How many general 1 sends if no acknowledgement arrives.
    #[must_use]
    pub fn first_sends(&self) -> u64 {
        self.stages.iter().map(|stage| u64::from(stage.messengers)).sum()
    }

    /// The exact figures of the plan by the formula in [`adaptive`](super::adaptive).
    ///
    /// # Errors
    /// The value has too many digits.
    pub fn valued(&self, stakes: &Stakes, capture: &Ratio) -> Result<Valued, DecideError> {
        let powers = Powers::new(capture);
        short_enough(&powers, self.most_messengers())?;
        let expected = self.expected(&powers);
        let whole = stakes.whole();
        let value = worth(&whole, &powers, self.first_sends() as u32, &expected);
        let value = value.exact(&whole.unit, &powers);
        Ok(Valued { plan: self.clone(), value, messengers: expected.exact(&1u32.into(), &powers) })
    }

    /// How many messengers leave in the mean.
    pub(super) fn expected(&self, powers: &Powers) -> Amount {
        self.stages.iter().rev().fold(Amount::whole(0), |rest, &stage| went_on(stage, &rest, powers))
    }

    /// The plan as something that two generals can follow, two rounds for every wave but the last.
    #[must_use]
    pub fn strategy(&self) -> Strategy {
        let heard = |waves: Vec<usize>| Condition::Heard { waves, at_least: 1 };
        let (mut waves, mut sent, mut answers) = (Vec::new(), Vec::new(), Vec::new());
        let mut rounds = 0;
        for stage in &self.stages {
            rounds += 1;
            let place = waves.len();
            let mut when = vec![Condition::Ordered];
            if !answers.is_empty() {
                when.push(Condition::Missed { waves: answers.clone(), fewer_than: 1 });
            }
            let says: Arc<str> = if place == 0 { "attack at dawn".into() } else { "attack at dawn, I say again".into() };
            waves.push(Wave { from: Camp::First, round: rounds, size: Size::Fixed(stage.messengers), when, says });
            sent.push(place);
            if stage.acknowledged_by > 0 {
                rounds += 1;
                answers.push(waves.len());
                let size = Size::Fixed(stage.acknowledged_by);
                waves.push(Wave {
                    from: Camp::Second,
                    round: rounds,
                    size,
                    when: vec![heard(vec![place])],
                    says: "agreed".into(),
                });
            }
        }
        // Nobody can hear of a wave that is not there: without waves, general 2 stays, and so does general 1.
        let second = heard(sent);
        let first = if self.stages.is_empty() { vec![second.clone()] } else { vec![Condition::Ordered] };
        Strategy { waves, attack_if: [first, vec![second]], rounds }
    }
}

/// The expected number of messengers from a wave on, if after it, unless acknowledged, `rest` are expected.
fn went_on(stage: Stage, rest: &Amount, powers: &Powers) -> Amount {
    let (sent, back) = (stage.messengers, stage.acknowledged_by);
    let arrives = powers.arrives(sent);
    let unanswered = powers.captured(sent) * powers.all(back) + &arrives * powers.captured(back);
    let leaving = Amount { numerator: (powers.all(sent) * sent + arrives * back).into(), power: sent };
    let power = sent + back + rest.power;
    Amount { numerator: leaving.over(power, powers) + BigInt::from(unanswered) * &rest.numerator, power }
}

/// The value, in the unit of the stakes, if general 1 sends so many unless acknowledged, and so many leave in the mean.
pub(super) fn worth(whole: &WholeStakes, powers: &Powers, sent: u32, expected: &Amount) -> Amount {
    if sent == 0 {
        return Amount::whole(0);
    }
    let power = sent.max(expected.power);
    let lost = Amount { numerator: (whole.span() * powers.captured(sent)).into(), power: sent };
    let paid = BigInt::from(whole.messenger.clone()) * expected.over(power, powers);
    let gain = BigInt::from(&whole.gain * powers.all(power));
    Amount { numerator: gain - lost.over(power, powers) - paid, power }
}
