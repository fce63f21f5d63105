//! What two generals have agreed on: how a run may begin, how many rounds there are, and who the two are.

use std::fmt::{self, Debug, Display};
use std::sync::Arc;

use handfast_protocol::Party;
use handfast_protocol::generals::{Choice, General, Strategy};

use crate::generals::table::Table;
use crate::generals::table::tabulate::{self, Limits, TableError};

/// To whom the order to attack may have been given. Every question about knowledge includes the runs in which it was not.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Orders {
    /// To general 1, or to nobody.
    First,
    /// To each of them by itself, or not: four ways to begin. What is to be known is that both have it.
    Each,
    /// There is no order; a run begins in one way only.
    Nobody,
}

impl Orders {
    /// Every way in which orders can have been given; the first is the one in which the attack is wanted.
    #[must_use]
    pub const fn ways(self) -> &'static [[bool; 2]] {
        match self {
            Self::First => &[[true, false], [false, false]],
            Self::Each => &[[true, true], [true, false], [false, true], [false, false]],
            Self::Nobody => &[[false, false]],
        }
    }

    /// Whether the attack is wanted where orders were given like this.
    #[must_use]
    pub const fn wants_attack(self, ordered: [bool; 2]) -> bool {
        match self {
            Self::First => ordered[0],
            Self::Each => ordered[0] && ordered[1],
            Self::Nobody => true,
        }
    }
}

/// How a run begins, before the first messenger leaves.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Beginning {
    /// Whether general 1 and general 2 were given the order.
    pub ordered: [bool; 2],
    /// What the coin shows, from 1 to the protocol's number of sides. The enemy cannot see it.
    pub coin: u32,
}

type Begin<P> = Box<dyn Fn(Beginning) -> [P; 2] + Send + Sync>;

/// A protocol for two generals of the kind `P`.
pub struct Protocol<P> {
    pub(in crate::generals) name: String,
    pub(in crate::generals) rounds: u32,
    pub(in crate::generals) orders: Orders,
    pub(in crate::generals) coins: u32,
    pub(in crate::generals) begin: Begin<P>,
}

impl<P> Debug for Protocol<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Protocol").field("name", &self.name).field("rounds", &self.rounds).finish_non_exhaustive()
    }
}

impl Protocol<General> {
    /// The waves and rules of a strategy.
    pub fn waves(name: impl Into<String>, strategy: Strategy) -> Self {
        let rounds = strategy.rounds;
        let strategy = Arc::new(strategy);
        Self::new(name, rounds, move |ordered| General::both(Arc::clone(&strategy), ordered))
    }
}

impl<P> Protocol<P>
where
    P: Party<Inbound: Clone + Ord + Display, Decision = Choice>,
    P: Party<Outbound = <P as Party>::Inbound>,
{
    /// A protocol of so many rounds in which general 1 may be given the order. `begin` makes the two generals.
    ///
    /// A round's messengers are what [`Party::outbox`] holds at its start; a general that wants them to leave once has
    /// to ask for the end of the round with [`Party::deadline`], and empty its outbox then.
    pub fn new(name: impl Into<String>, rounds: u32, begin: impl Fn(bool) -> [P; 2] + Send + Sync + 'static) -> Self {
        let begin = move |beginning: Beginning| begin(beginning.ordered[0]);
        Self { name: name.into(), rounds, orders: Orders::First, coins: 1, begin: Box::new(begin) }
    }

    /// A protocol that begins in other ways: orders to others, and a coin with `coins` sides, all equally likely.
    pub fn beginning(
        name: impl Into<String>,
        rounds: u32,
        orders: Orders,
        coins: u32,
        begin: impl Fn(Beginning) -> [P; 2] + Send + Sync + 'static,
    ) -> Self {
        Self { name: name.into(), rounds, orders, coins: coins.max(1), begin: Box::new(begin) }
    }

    /// Tells the generals everything that they can be told in any run, once.
    ///
    /// # Errors
    /// More than `limits` allows can happen, or a general changes a decision that it has made.
    pub fn tabulate(&self, limits: &Limits) -> Result<Table, TableError> {
        tabulate::tabulate(self, limits)
    }
}
