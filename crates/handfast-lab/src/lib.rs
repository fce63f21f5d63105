//! The lab: explores systems of parties under every capture, delay, duplicate, reordering and crash, and answers what two
//! generals can know, promise and risk.
//!
//! What it explores is what runs: the coordinator and the registers are those of [`handfast_protocol`], told every input that
//! they can be told in every state that can be reached. It draws on no clock, no network, no file and no hidden randomness, so the
//! same question has the same answer everywhere, with one thread and with many.
//!
//! # The rooms
//!
//! - [`explorer`]: a breadth-first search over any [`Model`](explorer::Model), with kept shortest runs, *sometimes* and *can
//!   always reach*. Bounds are part of its report.
//! - [`saga`]: an order between a coordinator and its participants, under an adversary: messages that are lost, copied and late,
//!   workers that crash, journals that come back older, people who act. Its [mutants](saga::Mutant) show what each guard is for.
//! - [`history`] and [`restored`]: a participant whose store was put back, with two callers, and with a person who accepts it.
//! - [`moved`]: services that are called at another address, where the same books are kept or others.
//! - [`generals`]: two generals in rounds. A protocol becomes a table; odds, simulation, knowledge, checks, decisions and bounds
//!   are read from it, each in a room of its own. A protocol of one's own is a [`StrategyFile`](generals::StrategyFile).
//! - [`answers`]: what each question about all of these is answered with, as data that serialises.
//! - [`trace`]: runs that are kept, executed again and compared.
//! - [`diagram`]: runs as space-time diagrams, for a terminal and as SVG.
//!
//! # Two generals in a few lines
//!
//! Strategy 1, with ten messengers of whom one in ten is captured: how likely is it that one army attacks alone?
//!
//! ```
//! use handfast_lab::generals::{Chance, Limits, Outcome, Ratio, Shipped};
//!
//! let table = Shipped::Always { messengers: 10 }.tabulate(&Limits::default())?;
//! let odds = table.odds(&Chance::new(&Ratio::new(1, 10)).ok_or("not a probability")?);
//! assert_eq!(odds.of(Outcome::Alone1), &Ratio::new(1, 10_000_000_000));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod answers;
pub mod diagram;
pub mod explorer;
pub mod generals;
pub mod history;
mod letters;
pub mod moved;
mod one_saga;
pub mod restored;
pub mod saga;
mod svg;
mod told;
pub mod trace;
