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

mod adversary;
mod alike;
mod arrivals;
mod belief;
mod bounds;
mod chain;
mod chance;
mod check;
pub mod decide;
mod email;
mod grid;
mod importance;
mod interval;
mod knowledge;
mod ladder;
mod odds;
mod outcome;
mod pass;
mod polynomial;
mod protocol;
mod ratio;
mod run;
mod shipped;
mod simulate;
mod simulate_email;
mod solvable;
mod table;
mod tabulate;
mod tilt;
mod toss;
mod trace;
mod views;
mod walk;
mod weighed;
mod wide;
mod worst;

pub use adversary::{Adversary, AdversaryError};
pub use belief::common_belief;
pub use bounds::{BoundError, RoundsBound, rounds_bound};
pub use chain::{Chain, Link, chain};
pub use chance::{Chance, Share, binomial};
pub use check::{CheckError, Checked, Counts, Covered, Distance, Least, Minimal, Property};
pub use email::Email;
pub use grid::{Axis, HeatMap, Shade};
pub use importance::Estimate;
pub use interval::{Confidence, Interval};
pub use knowledge::{Knowledge, knowledge};
pub use ladder::{Rung, knows, ladder};
pub use odds::Odds;
pub use outcome::Outcome;
pub use pass::Weigh;
pub use polynomial::{Expansion, Patterns, Polynomial, TooLong};
pub use protocol::{Beginning, Orders, Protocol};
pub use ratio::{Ratio, RatioError};
pub use run::{Journey, Run};
pub use shipped::Shipped;
pub use simulate::{Simulated, Simulation};
pub use simulate_email::{SimulatedEmail, simulate_email};
pub use solvable::{Exchange, Solvability, TooManyRounds, is_solvable_by_theory, solvable};
pub use table::{Group, Layer, MessageId, Row, Side, StateId, Table, Wave, WaveId};
pub use tabulate::{Limits, MOST_ROUNDS, TableError};
pub use tilt::Tilt;
pub use toss::CaptureRate;
pub use trace::{Astray, Departure, Kept};
pub use views::{Bounds, TooMuch, Views};
pub use weighed::NotWeighed;
pub use worst::{Worst, WorstError, worst_case};
