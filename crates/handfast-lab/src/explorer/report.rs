//! What a search found: the counts, a verdict for each property, and every bound that was hit.

use std::fmt::{self, Debug, Display};

/// What a search found. The same with one thread and with many.
#[derive(Clone, Debug, PartialEq)]
pub struct Report<S, A> {
    /// Different states.
    pub unique: u64,
    /// Initial states and steps, so how often a state was generated. A step that leads back to the same state is not counted.
    pub generated: u64,
    /// Steps that the model gave although they lead back to the same state.
    pub self_loops: u64,
    /// States on the longest of the shortest runs, so one more than the number of its steps.
    pub depth: u32,
    /// One for each property of the model, in the model's order.
    pub verdicts: Vec<Judged<S, A>>,
    /// The kinds of action that never led to another state, in the model's order.
    pub never_happened: Vec<&'static str>,
    /// Every reason for which states were left unexplored; empty if none were.
    pub bounds: Vec<Bound>,
    /// At most the probability that two different states were taken for one, by the length of the fingerprint.
    pub collision_odds: f64,
}

/// A property's name and what was found of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Judged<S, A> {
    /// The property's name.
    pub name: &'static str,
    /// What kind of claim it is.
    pub word: &'static str,
    /// What was found.
    pub verdict: Verdict<S, A>,
}

/// What was found of a property.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict<S, A> {
    /// True, and the search was exhaustive.
    Holds,
    /// What was to be true in some state is true in the last one of this run, which is as short as can be.
    Reached(Run<S, A>),
    /// False.
    Violated {
        /// A shortest run that shows it. It ends with the state or step at fault; for a goal that must stay within reach,
        /// with a state from which it is out of reach.
        run: Run<S, A>,
        /// The number of such states (or steps) that were found.
        count: u64,
    },
    /// What was to be true in some state is true in none, and the search was exhaustive.
    NeverReached,
    /// The search was not exhaustive, and what it explored decides nothing.
    Unknown,
}

/// A reason for which states were left unexplored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    /// More states were found than the limit named here.
    States(u64),
    /// Runs of as many states as the limit named here were not continued.
    Depth(u32),
    /// The search was told to stop at the first violation, and found one.
    FirstViolation,
}

/// A run of the system: where it began and every step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run<S, A> {
    /// Where it began.
    pub initial: S,
    /// Each action and the state after it.
    pub steps: Vec<(A, S)>,
}

impl<S, A> Report<S, A> {
    /// Whether every state that can be reached was explored.
    pub fn is_exhaustive(&self) -> bool {
        self.bounds.is_empty()
    }

    /// Whether every property was found to hold.
    pub fn holds(&self) -> bool {
        self.verdicts.iter().all(|judged| judged.verdict.holds())
    }

    /// What was found of the property with this name, if there is one.
    pub fn verdict(&self, name: &str) -> Option<&Verdict<S, A>> {
        self.verdicts.iter().find(|judged| judged.name == name).map(|judged| &judged.verdict)
    }

    /// The properties that are violated or were never reached, each with its verdict.
    pub fn broken(&self) -> impl Iterator<Item = &Judged<S, A>> {
        self.verdicts.iter().filter(|judged| judged.verdict.is_broken())
    }
}

impl<S, A> Verdict<S, A> {
    /// Whether the property holds.
    pub const fn holds(&self) -> bool {
        matches!(self, Self::Holds | Self::Reached(_))
    }

    /// Whether the property was found not to hold.
    pub const fn is_broken(&self) -> bool {
        matches!(self, Self::Violated { .. } | Self::NeverReached)
    }

    /// The run that shows the verdict, if one does.
    pub const fn run(&self) -> Option<&Run<S, A>> {
        match self {
            Self::Reached(run) | Self::Violated { run, .. } => Some(run),
            Self::Holds | Self::NeverReached | Self::Unknown => None,
        }
    }
}

impl<S, A> Run<S, A> {
    /// The number of states, so one more than the number of steps.
    pub fn depth(&self) -> u32 {
        self.steps.len() as u32 + 1
    }

    /// The state with which the run ends.
    pub fn last(&self) -> &S {
        self.steps.last().map_or(&self.initial, |(_, state)| state)
    }

    /// The actions, in order.
    pub fn actions(&self) -> impl Iterator<Item = &A> {
        self.steps.iter().map(|(action, _)| action)
    }
}

impl<S: Debug, A: Debug> Display for Run<S, A> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "     {:?}", self.initial)?;
        for (number, (action, state)) in (1..).zip(&self.steps) {
            write!(formatter, "\n{number:>3}. {action:?}\n     {state:?}")?;
        }
        Ok(())
    }
}

impl Display for Bound {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::States(limit) => write!(formatter, "stopped with states left to explore: more than {limit} were found"),
            Self::Depth(limit) => write!(formatter, "runs of {limit} states were not continued"),
            Self::FirstViolation => write!(formatter, "stopped at the first violation with states left to explore"),
        }
    }
}

impl<S: Debug, A: Debug> Display for Verdict<S, A> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Holds => write!(formatter, "holds"),
            Self::Reached(run) => write!(formatter, "reached after {} steps", run.steps.len()),
            Self::Violated { run, count } => {
                write!(formatter, "VIOLATED ({count} found); a shortest run, {} steps:\n{run}", run.steps.len())
            }
            Self::NeverReached => write!(formatter, "NEVER REACHED"),
            Self::Unknown => write!(formatter, "unknown, because the search was not exhaustive"),
        }
    }
}

impl<S: Debug, A: Debug> Display for Report<S, A> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "{} states ({} generated), depth {}", self.unique, self.generated, self.depth)?;
        for Judged { name, word, verdict } in &self.verdicts {
            writeln!(formatter, "{word}: {name}: {verdict}")?;
        }
        for kind in &self.never_happened {
            writeln!(formatter, "never happened: {kind}")?;
        }
        for bound in &self.bounds {
            writeln!(formatter, "not exhaustive: {bound}")?;
        }
        write!(formatter, "odds that two states were taken for one: at most {:.0e}", self.collision_odds)
    }
}
