//! Two generals, in synchronous rounds: everything a general wants sent leaves at the start of a round and arrives in it or
//! never, and only the choice of which messengers are captured is open.
//!
//! ```text
//!   Protocol --tabulate--> Table --odds, check, simulate, knowledge, ..--> numbers and runs --draw--> pictures
//! ```
//!
//! A [`Protocol`] says how a run begins and makes the two generals, who are any [`Party`](handfast_protocol::Party) that
//! decides for [`Attack`](handfast_protocol::generals::Choice::Attack) or not. [`Protocol::tabulate`] tells them everything that they can be told, once; every
//! question is then answered on the [`Table`], in which states, waves and messages are numbers.

mod bounds;
mod check;
pub mod decide;
mod grid;
mod knowledge;
mod odds;
mod ratio;
mod simulate;
mod strategy_file;
mod table;

pub use bounds::solvable::{Exchange, Solvability, TooManyRounds, is_solvable_by_theory, solvable};
pub use bounds::worst::{Worst, WorstError, worst_case};
pub use bounds::{BoundError, RoundsBound, rounds_bound};
pub use check::adversary::{Adversary, AdversaryError};
pub use check::{CheckError, Checked, Counts, Covered, Distance, Least, Minimal, Property};
pub use grid::{Axis, HeatMap, Shade};
pub use knowledge::belief::common_belief;
pub use knowledge::chain::{Chain, Link, chain};
pub use knowledge::ladder::{Rung, knows, ladder};
pub use knowledge::views::{Bounds, TooMuch, Views};
pub use knowledge::{Knowledge, knowledge};
pub use odds::Odds;
pub use odds::chance::{Chance, Share, binomial};
pub use odds::email::Email;
pub use odds::pass::Weigh;
pub use odds::polynomial::{Expansion, Patterns, Polynomial, TooLong};
pub use odds::weighed::NotWeighed;
pub use ratio::{Ratio, RatioError};
pub use simulate::email_game::{SimulatedEmail, simulate_email};
pub use simulate::importance::Estimate;
pub use simulate::interval::{Confidence, Interval};
pub use simulate::tilt::Tilt;
pub use simulate::toss::CaptureRate;
pub use simulate::{Simulated, Simulation};
pub use strategy_file::{StrategyError, StrategyFile};
pub use table::outcome::Outcome;
pub(crate) use table::outcome::choice;
pub use table::protocol::{Beginning, Orders, Protocol};
pub use table::run::{Journey, Run};
pub use table::shipped::{Parameter, Shippable, Shipped, SizeError, Sizes, find_shipped, shipped_names};
pub use table::tabulate::{Limits, MOST_ROUNDS, TableError};
pub use table::trace::{Astray, Departure, Kept};
pub use table::{Group, Layer, MessageId, Row, Side, StateId, Table, Wave, WaveId};
