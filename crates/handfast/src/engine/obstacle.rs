//! What is in the way of a saga that is on its way, in words: the store, a clock that is not believed, a participant that may
//! not or cannot be called, or what was seen last instead of a definite answer.

use std::sync::Arc;

use handfast_protocol::Command;

use super::came::Came;
use super::journaled::Journaled;
use super::shared::Shared;
use crate::delivery::{BreakerState, Link, LinkStats};
use crate::participant::{LATE, NOT_SENT};
use crate::store::Try;

/// What is in the way of this saga, if anything is.
pub(super) fn of(shared: &Shared, saga: &Journaled, tries: &[Try]) -> Option<String> {
    if let Some(trouble) = shared.attention.store_trouble() {
        return Some(format!("the store is in trouble: {trouble}"));
    }
    let is_bound = || saga.outbox().iter().any(|&command| saga.is_bound_to_a_time(command));
    if let Some(trouble) = shared.clock_refuses(is_bound) {
        return Some(format!("the clock is in trouble: {trouble}"));
    }
    saga.outbox().iter().find_map(|&command| before(saga, command, tries))
}

/// Whether no request is sent for anything that is on its way, since a participant's store was restored and no person has
/// accepted that yet.
pub(super) fn is_for_a_person(saga: &Journaled) -> bool {
    let waits = |&command: &Command| {
        let line = saga.definition().link(command.step);
        line.is_some_and(|line| line.is_behind()) || does_rest_on_what_is_behind(saga, command)
    };
    !saga.outbox().is_empty() && saga.outbox().iter().all(waits)
}

fn way_out(line: &LinkStats) -> &str {
    line.way_out.as_deref().unwrap_or_default()
}

/// What keeps this command from being answered.
fn before(saga: &Journaled, command: Command, tries: &[Try]) -> Option<String> {
    let definition = saga.definition();
    let step = &definition.flow().steps().get(command.step)?.name;
    let line = definition.link(command.step)?.stats();
    if let Some(why) = &line.behind {
        return Some(format!("step {step}: {} is not called: {why}; {}", line.participant, way_out(&line)));
    }
    if let Some(why) = rests_on_what_is_behind(saga, command) {
        return Some(why);
    }
    let of_step = || tries.iter().filter(|attempt| attempt.step == command.step);
    let Some(last) = of_step().max_by_key(|attempt| attempt.number) else {
        return is_shut(&line).then(|| format!("step {step}: {}", shut(&line)));
    };
    // A participant that has begun and will answer later is no obstacle.
    if matches!(Came::of(last), Came::Later(_)) {
        return None;
    }
    let operation = last.operation;
    if let Some(why) = last.seen.strip_prefix(NOT_SENT).filter(|why| *why != LATE) {
        return Some(format!("step {step}: {operation} cannot be asked for, and its participant is not asked: {why}"));
    }
    let times = match of_step().filter(|attempt| attempt.operation == operation).count() {
        1 => "once".to_owned(),
        times => format!("{times} times"),
    };
    // That nothing was found proves nothing, so what came before it and was not understood is still what is in the way.
    let hidden = matches!(Came::of(last), Came::Absent(_)).then(|| {
        let meaningless = of_step().filter(|attempt| matches!(Came::of(attempt), Came::Meaningless(_)));
        meaningless.max_by_key(|attempt| attempt.number)
    });
    let before = hidden.flatten().map(|before| format!("; before that, to {}: {}", before.operation, before.seen));
    Some(format!(
        "step {step}: {operation} was asked for {times} without a definite answer; seen last: {}{}",
        last.seen,
        before.unwrap_or_default()
    ))
}

/// That a command does not leave while what it rests on may be forgotten.
fn does_rest_on_what_is_behind(saga: &Journaled, command: Command) -> bool {
    let is_behind = |line: &Arc<Link>| saga.rests_on(command).iter().any(|incarnation| line.knows_behind(incarnation));
    saga.definition().link(command.step).is_some_and(is_behind)
}

/// The same in words.
fn rests_on_what_is_behind(saga: &Journaled, command: Command) -> Option<String> {
    let (definition, operation) = (saga.definition(), command.operation.name());
    does_rest_on_what_is_behind(saga, command).then_some(())?;
    let steps = saga.coordinator().rests_on(command).into_iter();
    let behind = steps.filter_map(|on| {
        let line = definition.link(on)?.stats();
        Some((definition.flow().steps().get(on)?, line.behind.clone()?, way_out(&line).to_owned()))
    });
    let of = behind
        .into_iter()
        .next()
        .map_or_else(String::new, |(on, why, way_out)| format!(", as {} at {} ({why}); {way_out}", on.name, on.participant));
    let step = &definition.flow().steps().get(command.step)?.name;
    Some(format!("step {step}: {operation} is not asked for while it rests on a participant whose store was restored{of}"))
}

const fn is_shut(line: &LinkStats) -> bool {
    match line.breaker {
        BreakerState::Open | BreakerState::HalfOpen => true,
        BreakerState::Closed | BreakerState::Behind => false,
    }
}

fn shut(line: &LinkStats) -> String {
    match line.turned_away {
        Some(status) => format!("{} turns requests away with status {status}", line.participant),
        None => format!("no answer comes from {}", line.participant),
    }
}
