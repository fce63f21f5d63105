//! Executes a kept run of a saga's world again: finds each action by its words among those that can happen.

use std::collections::BTreeSet;
use std::fmt::{self, Display};

use handfast_protocol::Outcome;

use super::action::Action;
use super::model::in_words;
use super::picture::{draw, draw_so_far};
use super::world::{Saga, World};
use crate::diagram::Diagram;
use crate::explorer::{Claim, Model as _, Run};
use crate::told;

/// From more worlds than this nobody waits to hear whether a goal is out of reach.
const MOST_WORLDS: usize = 1_000_000;

/// A run that was executed again.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Followed {
    /// What the run is against.
    pub adversary: String,
    /// The world as it begins.
    pub beginning: String,
    /// Every action, and what came of it.
    pub steps: Vec<FollowedStep>,
    /// The picture of the beginning and so many steps, one more than there are steps.
    pub pictures: Vec<Diagram>,
}

/// One action of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FollowedStep {
    /// The action in words.
    pub action: String,
    /// What it has changed, as far as the books and the journal go.
    pub changes: Vec<String>,
    /// What the journal wants delivered after it.
    pub wants: Vec<String>,
    /// What the customer has been told, if anything.
    pub decided: Option<Outcome>,
    /// The world after it, in words.
    pub world: String,
}

/// Why a run cannot be executed again.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Lost {
    /// There is no such action at that place.
    Action {
        /// The step, from 1.
        step: usize,
        /// The action that was kept.
        kept: String,
        /// Everything that can happen there.
        possible: Vec<String>,
    },
    /// The run does not break what it should.
    NotBroken(String),
}

impl Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Action { step, kept, possible } => {
                write!(f, "step {step} cannot happen: {kept:?}; what can happen there: {}", possible.join("; "))
            }
            Self::NotBroken(property) => write!(f, "the run does not break {property:?} any more"),
        }
    }
}

impl std::error::Error for Lost {}

/// Executes the run in that world, and checks that its end breaks `property`.
pub(super) fn follow(saga: &Saga, title: &str, property: &str, kept: &[String]) -> Result<Followed, Lost> {
    let mut run = Run { initial: saga.beginning(), steps: Vec::new() };
    let mut numbers: Vec<usize> = (0..saga.adversary.workers).collect();
    let mut steps = Vec::with_capacity(kept.len());
    let mut pictures = vec![draw_so_far(saga, &run, title)];
    for (number, words) in (1..).zip(kept) {
        let before = *run.last();
        let (action, after) = find(saga, &before, &numbers, words).map_err(|possible| Lost::Action {
            step: number,
            kept: words.clone(),
            possible,
        })?;
        numbers = saga.renumbered(&before, &action, &numbers);
        run.steps.push((action, after));
        steps.push(step(saga, words, &before, &after));
        let last = number == kept.len();
        pictures.push(if last { draw(saga, &run, title, property) } else { draw_so_far(saga, &run, title) });
    }
    if !breaks(saga, &run, property) {
        return Err(Lost::NotBroken(property.to_owned()));
    }
    Ok(Followed { adversary: saga.adversary.to_string(), beginning: saga.in_words(&run.initial), steps, pictures })
}

/// The action with these words and the world after it, or everything that can happen.
fn find(saga: &Saga, world: &World, numbers: &[usize], words: &str) -> Result<(Action, World), Vec<String>> {
    let mut actions = Vec::new();
    saga.moves(world, &mut actions);
    let mut possible = Vec::new();
    for action in actions {
        let Some(after) = saga.after_move(world, &action) else { continue };
        let said = in_words(saga, &action.by_worker(|worker| numbers[worker]));
        if said == words {
            return Ok((action, after));
        }
        possible.push(said);
    }
    Err(possible)
}

fn step(saga: &Saga, words: &str, before: &World, after: &World) -> FollowedStep {
    let names = &saga.names;
    let facts = |world: &World| saga.automaton.facts(world.journal);
    let mut changes = Vec::new();
    changes.extend(told::standing_change([before, after].map(|world| facts(world).standing)));
    for ((name, was), is) in names.iter().zip(before.keys).zip(after.keys) {
        if was.state != is.state {
            changes.push(format!("the key of {name} is {} now, it was {}", told::state(is.state), told::state(was.state)));
        }
        if was.acts != is.acts {
            changes.push(format!("{name} takes effect{}", if is.acts > 1 { " a second time" } else { "" }));
        }
        if was.undos != is.undos {
            changes.push(format!("{name} is undone{}", if is.undos > 1 { " a second time" } else { "" }));
        }
    }
    if let (None, Some(outcome)) = (before.announced, after.announced) {
        changes.push(format!("the customer is told: {}", outcome.name()));
    }
    FollowedStep {
        action: words.to_owned(),
        changes,
        wants: facts(after).outbox.iter().map(|&command| told::command(command, names)).collect(),
        decided: after.announced,
        world: saga.in_words(after),
    }
}

/// Whether the end of the run breaks the property of that name.
fn breaks(saga: &Saga, run: &Run<World, Action>, property: &str) -> bool {
    let Some(property) = saga.properties().into_iter().find(|claimed| claimed.name == property) else { return false };
    match property.claim {
        Claim::Always(holds) => !holds(saga, run.last()),
        Claim::AlwaysStep(holds) => run.steps.last().is_some_and(|(action, after)| {
            let before = run.steps.iter().rev().nth(1).map_or(&run.initial, |(_, world)| world);
            !holds(saga, before, action, after)
        }),
        Claim::Sometimes(_) => false,
        Claim::CanAlwaysReach(goal) => is_out_of_reach(saga, *run.last(), goal),
    }
}

/// Whether no world that can be reached from here is a goal.
fn is_out_of_reach(saga: &Saga, from: World, goal: fn(&Saga, &World) -> bool) -> bool {
    let mut seen = BTreeSet::from([from]);
    let mut open = vec![from];
    let mut actions = Vec::new();
    while let Some(world) = open.pop() {
        if goal(saga, &world) || seen.len() > MOST_WORLDS {
            return false;
        }
        actions.clear();
        saga.moves(&world, &mut actions);
        for action in &actions {
            if let Some(after) = saga.after_move(&world, action)
                && seen.insert(after)
            {
                open.push(after);
            }
        }
    }
    true
}
