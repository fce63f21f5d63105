//! Runs of this world in words and as space-time diagrams.

use std::fmt::{self, Display};

use handfast_protocol::Sighting;

use super::world::{Action, Answer, CALLERS, History, KEYS, Operation, Received, Request, World};
use crate::diagram::{Clock, Diagram, LineId, Mark};
use crate::explorer::Run;
use crate::told::{InWords, state, time};

impl Display for History {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let times = |number: u8| match number {
            0 => "never".to_owned(),
            1 => "once".to_owned(),
            _ => format!("{number} times"),
        };
        write!(
            f,
            "two callers of one store, set of sent messages, opened anew {}, put back to an older copy {}",
            times(self.restarts),
            times(self.restores)
        )
    }
}

/// A change as people tell it: whose it is, its number, and its mark as a letter.
fn sighting(seen: &Sighting<u8, u8>) -> String {
    let mark = char::from(b'a' + seen.change.mark % 26);
    format!("{} {} {mark}", KEYS[usize::from(seen.key)].0, seen.change.number)
}

fn named(named: &[Sighting<u8, u8>]) -> String {
    let all: Vec<String> = named.iter().map(sighting).collect();
    if all.is_empty() { "nothing".to_owned() } else { all.join(" and ") }
}

const fn operation(operation: Operation) -> &'static str {
    match operation {
        Operation::Act => "act",
        Operation::Undo => "undo",
    }
}

fn request(request: &Request) -> String {
    format!("{} {}, which names {}", operation(request.operation), KEYS[request.key].0, named(&request.named))
}

fn answer(answer: &Answer) -> String {
    let opening = answer.shown.opening.map_or(0, |opening| u32::from(opening) + 1);
    format!("{} of opening {opening}, after {}", sighting(&answer.shown.sighting), named(&answer.named))
}

/// An action in words, as it stands in a kept run.
fn in_words(action: &Action) -> String {
    match action {
        Action::Send(key, what) => {
            let (key, caller) = KEYS[*key];
            format!("{} sends: {} {key}", CALLERS[caller], operation(*what))
        }
        Action::AtOnce(key) => {
            let (key, caller) = KEYS[*key];
            format!("{} asks: act {key}, and is answered at once", CALLERS[caller])
        }
        Action::Arrive(arrived) => format!("arrives: {}", request(arrived)),
        Action::ArriveAhead(arrived) => format!("arrives, and commits before its turn: {}", request(arrived)),
        Action::Hear(heard) => {
            let caller = KEYS[usize::from(heard.shown.sighting.key)].1;
            format!("{} hears and keeps: {}", CALLERS[caller], answer(heard))
        }
        Action::Restart => "the participant starts anew".to_owned(),
        Action::Copy => "a copy of the participant's store is taken".to_owned(),
        Action::Restore => "the participant comes back with the older copy".to_owned(),
    }
}

/// The world in one line.
fn world_in_words(world: &World) -> String {
    let keys: Vec<String> = KEYS
        .iter()
        .zip(&world.store.keys)
        .filter_map(|((name, _), key)| {
            let change = key.changes.last?;
            let mark = char::from(b'a' + change.mark % 26);
            Some(format!("{name} {} ({} {mark})", state(key.state), change.number))
        })
        .collect();
    let keys = if keys.is_empty() { "nothing".to_owned() } else { keys.join(", ") };
    let callers: Vec<String> = CALLERS
        .iter()
        .zip(&world.callers)
        .map(|(name, caller)| {
            let told = if caller.is_told { " and was told that it is behind" } else { "" };
            format!("{name} would name {}{told}", named(&caller.memory.named()))
        })
        .collect();
    format!("the store is at {}: {keys}; {}", world.store.number, callers.join("; "))
}

/// What a step has changed, as far as people care.
fn changes(before: &World, after: &World) -> Vec<String> {
    let mut changes = Vec::new();
    for ((name, _), (was, is)) in KEYS.iter().zip(before.store.keys.iter().zip(&after.store.keys)) {
        if was != is {
            changes.push(format!("the key {name} is {} now, it was {}", state(is.state), state(was.state)));
        }
    }
    for (name, (was, is)) in CALLERS.iter().zip(before.callers.iter().zip(&after.callers)) {
        if !was.is_told && is.is_told {
            changes.push(format!("{name} is told that the store is behind"));
        } else if was.memory != is.memory {
            changes.push(format!("{name} names {} from now on", named(&is.memory.named())));
        }
    }
    changes
}

impl InWords for History {
    fn in_words(&self, action: &Action) -> String {
        in_words(action)
    }

    fn state_in_words(&self, world: &World) -> String {
        world_in_words(world)
    }

    fn changes(&self, before: &World, after: &World) -> Vec<String> {
        changes(before, after)
    }

    fn draw(&self, run: &Run<World, Action>, title: &str) -> Diagram {
        let mut picture = Diagram::new(title, Clock::Steps);
        picture.between("the road");
        let first = picture.line(&format!("caller {}", CALLERS[0]));
        let store = picture.line("participant");
        let second = picture.line(&format!("caller {}", CALLERS[1]));
        let mut painter = Painter { picture, callers: [first, second], store, history: self, run };
        for step in 0..run.steps.len() {
            painter.draw(step);
        }
        let mut picture = painter.picture;
        picture.caption(&world_in_words(run.last()));
        picture
    }
}

struct Painter<'a> {
    picture: Diagram,
    callers: [LineId; CALLERS.len()],
    store: LineId,
    history: &'a History,
    run: &'a Run<World, Action>,
}

impl Painter<'_> {
    fn draw(&mut self, step: usize) {
        let at = time(step);
        match &self.run.steps[step].0 {
            Action::Send(key, what) => self.draw_request(step, *key, *what),
            Action::AtOnce(key) => {
                let text = self.what_happened(step, *key);
                let label = format!("act {}", KEYS[*key].0);
                let caller = self.callers[KEYS[*key].1];
                self.picture.message(caller, self.store, &label).sent(at).arrives(at).brings(Mark::Durable, &text);
            }
            Action::Arrive(arrived) => self.draw_answer(step, arrived, false),
            Action::ArriveAhead(arrived) => self.draw_answer(step, arrived, true),
            // Drawn where the answer left, with the arrow that brings it.
            Action::Hear(_) => {}
            Action::Restart => drop(self.picture.mark(self.store, at, Mark::Restart, "starts anew")),
            Action::Copy => drop(self.picture.mark(self.store, at, Mark::Note, "a copy is taken")),
            Action::Restore => drop(self.picture.mark(self.store, at, Mark::Restart, "back with the older copy")),
        }
    }

    fn before(&self, step: usize) -> &World {
        step.checked_sub(1).map_or(&self.run.initial, |before| &self.run.steps[before].1)
    }

    /// A request, with every arrival that no later sending of the same accounts for.
    fn draw_request(&mut self, sent: usize, key: usize, what: Operation) {
        let is_same = |request: &Request| (request.key, request.operation) == (key, what);
        let names = self.before(sent).callers[KEYS[key].1].memory.named();
        let is_it = |step: &usize| match &self.run.steps[*step].0 {
            Action::Arrive(request) | Action::ArriveAhead(request) => is_same(request) && request.named == names,
            Action::Send(..) | Action::AtOnce(_) | Action::Hear(_) | Action::Restart | Action::Copy | Action::Restore => false,
        };
        let arrivals: Vec<usize> = (sent + 1..self.run.steps.len()).filter(is_it).collect();
        let brought: Vec<String> = arrivals.iter().map(|&step| self.what_happened(step, key)).collect();
        let label = format!("{} {}, names {}", operation(what), KEYS[key].0, named(&names));
        let message = self.picture.message(self.callers[KEYS[key].1], self.store, &label).sent(time(sent));
        for (number, &arrival) in arrivals.iter().enumerate() {
            if number == 0 {
                message.arrives(time(arrival)).brings(Mark::Durable, &brought[0]);
            } else {
                message.copy_arrives(time(arrival));
            }
        }
        for (&copy, text) in arrivals.iter().zip(&brought).skip(1) {
            self.picture.mark(self.store, time(copy), Mark::Durable, text);
        }
    }

    fn what_happened(&self, step: usize, key: usize) -> String {
        let (before, after) = (self.before(step), &self.run.steps[step].1);
        let told = before.callers != after.callers;
        let change = after.store.keys[key].changes.last.filter(|_| before.store != after.store);
        match change {
            _ if told => "behind".to_owned(),
            Some(change) => {
                let mark = char::from(b'a' + change.mark % 26);
                format!("{} ({} {mark})", state(after.store.keys[key].state), change.number)
            }
            None => format!("still {}", state(after.store.keys[key].state)),
        }
    }

    /// The answer that an arrival caused, if its caller ever heard it.
    fn draw_answer(&mut self, step: usize, arrived: &Request, is_ahead: bool) {
        let Some(Received::Answered(_, answer)) = self.history.receive(self.before(step), arrived, is_ahead) else { return };
        let heard = |(action, _): &(Action, World)| *action == Action::Hear(answer.clone());
        let Some(heard) = self.run.steps[step + 1..].iter().position(heard) else { return };
        let label = sighting(&answer.shown.sighting);
        let caller = self.callers[KEYS[arrived.key].1];
        let message = self.picture.message(self.store, caller, &label).reply().sent(time(step));
        message.arrives(time(step + 1 + heard)).brings(Mark::News, "kept");
    }
}
