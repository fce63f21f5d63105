//! The electronic mail game: what becomes of machines that acknowledge every message that arrives, without end.

use num_rational::BigRational;
use num_traits::{One as _, Zero as _};

use crate::generals::ratio::Ratio;

/// The electronic mail game in the state in which it matters (Rubinstein, "The electronic mail game", 1989).
///
/// General 1's machine sends a message, and whatever arrives is acknowledged by the machine that it reaches. Every message
/// is lost with the same chance, independently; the first that is lost is the last that is sent.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Email {
    loss: Ratio,
}

impl Email {
    /// Messages are lost at this rate, which has to be a probability.
    #[must_use]
    pub fn new(loss: &Ratio) -> Option<Self> {
        loss.is_probability().then(|| Self { loss: loss.clone() })
    }

    /// The sum of `first` + `first` r + `first` r^2 + .. with r = the chance that so many messages in a row arrive;
    /// `None` where it has no end.
    fn series(&self, first: Ratio, in_a_row: usize) -> Option<BigRational> {
        let ratio = num_traits::pow(self.loss.complement().0, in_a_row);
        let left = BigRational::one() - ratio;
        (!left.is_zero()).then(|| first.0 / left)
    }

    /// The expected number of messages sent by both machines together: message t + 1 is sent if t in a row have arrived.
    /// `None` if no message is ever lost, since then there is no last one.
    #[must_use]
    pub fn messengers(&self) -> Option<Ratio> {
        self.series(Ratio::new(1, 1), 1).map(Ratio)
    }

    /// The probability, for a general whose machine has sent, that its last message was lost, and not the answer to it.
    /// `None` if no message is ever lost: every message is answered then, and none is the last.
    ///
    /// It is the same however many the machine has sent: by symmetry also for both generals.
    #[must_use]
    pub fn last_lost(&self) -> Option<Ratio> {
        // General 1's last message is number 1, 3, 5, ..; it was lost, or it arrived and its answer was lost.
        let lost = self.series(self.loss.clone(), 2)?;
        let answer_lost = self.series(Ratio(&self.loss.0 * self.loss.complement().0), 2)?;
        Some(Ratio(&lost / (&lost + answer_lost)))
    }
}
