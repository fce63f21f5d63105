//! Worlds whose runs can be told in words: the shortest run that one missing guard allows, and a kept run executed again.

use std::fmt::Display;

use handfast_protocol::{Answer, Command, Definite, Ruling, Standing};

use crate::diagram::Diagram;
use crate::explorer::{Claim, Limits, Model, Run, Verdict, explore};
use crate::saga::{Caught, Followed, FollowedStep, Lost};

/// A world in words. `Display` says what it is explored against.
pub(crate) trait InWords: Model + Display {
    /// An action, as it stands in a kept run: no two that can happen in one state have the same words.
    fn in_words(&self, action: &Self::Action) -> String;
    /// A state in one line.
    fn state_in_words(&self, state: &Self::State) -> String;
    /// What a step has changed, as far as people care.
    fn changes(&self, before: &Self::State, after: &Self::State) -> Vec<String>;
    /// A run as a space-time diagram.
    fn draw(&self, run: &Run<Self::State, Self::Action>, title: &str) -> Diagram;
}

/// The operation on the key of a step.
pub(crate) fn command(command: Command, names: &[impl Display]) -> String {
    format!("{} {}", command.operation.name(), names[command.step])
}

/// A definite answer.
pub(crate) const fn answer(answer: Answer) -> &'static str {
    match answer {
        Answer::State(state) => state.name(),
        Answer::OtherBody => "other body",
    }
}

/// The state of a register.
pub(crate) fn state(state: Option<Definite>) -> &'static str {
    state.map_or("absent", Definite::name)
}

/// What a person says.
pub(crate) fn ruling(ruling: Ruling, names: &[impl Display]) -> String {
    match ruling {
        Ruling::Retry => "retry".to_owned(),
        Ruling::Resume => "resume".to_owned(),
        Ruling::Mark { step, mark } => format!("{} is {}", names[step], mark.name()),
        Ruling::Settle => "settle".to_owned(),
    }
}

/// That a saga stands otherwise than before, if it does.
pub(crate) fn standing_change([was, is]: [Standing; 2]) -> Option<String> {
    (was != is).then(|| format!("the saga is {} now, it was {}", is.name(), was.name()))
}

/// When a step of a run is drawn: far enough from the next one for what it brings to be written between them.
pub(crate) const fn time(step: usize) -> u64 {
    step as u64 + 1
}

/// The same with the property that it breaks.
fn draw_to_end<M: InWords>(model: &M, run: &Run<M::State, M::Action>, title: &str, property: &str) -> Diagram {
    let mut picture = model.draw(run, title);
    picture.verdict(crate::diagram::Tone::Bad, &format!("broken: {property}"));
    picture
}

/// Explores a world until the property is broken. `None`: it holds.
pub(crate) fn hunt<M: InWords>(model: &M, name: &str, property: &str) -> Option<Caught> {
    [true, false].into_iter().find_map(|stop_at_first| {
        let report = explore(model, &Limits { stop_at_first, ..Limits::default() });
        let Some(Verdict::Violated { run, .. }) = report.verdict(property) else { return None };
        Some(Caught {
            adversary: model.to_string(),
            run: run.steps.iter().map(|(action, _)| model.in_words(action)).collect(),
            end: model.state_in_words(run.last()),
            picture: draw_to_end(model, run, name, property),
        })
    })
}

/// Executes a run of which every action is given in words, and checks that its end breaks the property.
pub(crate) fn follow<M: InWords>(model: &M, name: &str, property: &str, kept: &[String]) -> Result<Followed, Lost> {
    let beginning = model.initial().swap_remove(0);
    let mut run = Run { initial: beginning.clone(), steps: Vec::new() };
    let mut steps = Vec::with_capacity(kept.len());
    let mut pictures = vec![model.draw(&run, name)];
    for (number, words) in (1..).zip(kept) {
        let before = run.last().clone();
        let (action, after) =
            find(model, &before, words).map_err(|possible| Lost::Action { step: number, kept: words.clone(), possible })?;
        steps.push(FollowedStep {
            action: words.clone(),
            changes: model.changes(&before, &after),
            wants: Vec::new(),
            decided: None,
            world: model.state_in_words(&after),
        });
        run.steps.push((action, after));
        let is_last = number == kept.len();
        pictures.push(if is_last { draw_to_end(model, &run, name, property) } else { model.draw(&run, name) });
    }
    if !breaks(model, &run, property) {
        return Err(Lost::NotBroken(property.to_owned()));
    }
    Ok(Followed { adversary: model.to_string(), beginning: model.state_in_words(&beginning), steps, pictures })
}

/// The action with these words and the state after it, or everything that can happen.
fn find<M: InWords>(model: &M, state: &M::State, words: &str) -> Result<(M::Action, M::State), Vec<String>> {
    let mut actions = Vec::new();
    model.actions(state, &mut actions);
    let mut possible = Vec::new();
    for action in actions {
        let Some(after) = model.after(state, &action) else { continue };
        let said = model.in_words(&action);
        if said == words {
            return Ok((action, after));
        }
        possible.push(said);
    }
    Err(possible)
}

/// Whether the end of a run breaks the property of that name.
fn breaks<M: InWords>(model: &M, run: &Run<M::State, M::Action>, property: &str) -> bool {
    let Some(property) = model.properties().into_iter().find(|claimed| claimed.name == property) else { return false };
    match property.claim {
        Claim::Always(holds) => !holds(model, run.last()),
        Claim::AlwaysStep(holds) => run.steps.last().is_some_and(|(action, after)| {
            let before = run.steps.iter().rev().nth(1).map_or(&run.initial, |(_, state)| state);
            !holds(model, before, action, after)
        }),
        Claim::Sometimes(_) | Claim::CanAlwaysReach(_) => false,
    }
}
