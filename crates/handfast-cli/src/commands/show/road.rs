//! Reads the logs of roads: what became of every messenger of one saga.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use handfast::Operation;
use handfast_lab::diagram::{Fate, Flight};
use handfast_testkit::messenger::{Direction, Ending, RoadLine};

use crate::output::{Exit, OrExit as _};

/// A messenger of the saga: which command it belongs to, and the road's own line of it.
#[derive(Debug)]
pub(super) struct Messenger {
    step: usize,
    operation: Operation,
    pub(super) line: RoadLine,
}

/// Every messenger about one of the `keys`, which are one a step, in the order of the logs.
///
/// # Errors
/// A file that cannot be read or is no road's log, with the line.
pub(super) fn read(roads: &[PathBuf], keys: &[String]) -> anyhow::Result<Vec<Messenger>> {
    let mut messengers = Vec::new();
    for path in roads {
        read_one(path, keys, &mut messengers).or_exit(Exit::Usage)?;
    }
    Ok(messengers)
}

fn read_one(path: &Path, keys: &[String], messengers: &mut Vec<Messenger>) -> anyhow::Result<()> {
    let file = File::open(path).with_context(|| format!("cannot read the road's log {}", path.display()))?;
    let mut lines = BufReader::new(file).lines().enumerate().peekable();
    while let Some((number, text)) = lines.next() {
        let text = text.with_context(|| format!("cannot read the road's log {}", path.display()))?;
        let line = match serde_json::from_str::<RoadLine>(&text) {
            Ok(line) => line,
            // A road that was killed while it wrote leaves half a line at the end.
            Err(_) if lines.peek().is_none() => break,
            Err(error) => {
                let place = format!("{}:{}", path.display(), number + 1);
                return Err(error).with_context(|| format!("{place} is no line of a road's log; give --road what --log wrote"));
            }
        };
        let step = keys.iter().position(|key| *key == line.key);
        if let (Some(step), Some(operation)) = (step, operation(&line)) {
            messengers.push(Messenger { step, operation, line });
        }
    }
    Ok(())
}

/// What was asked; a peek changes nothing and is not drawn.
fn operation(line: &RoadLine) -> Option<Operation> {
    match line.method.as_str() {
        "PUT" => Some(Operation::Act),
        "DELETE" => Some(Operation::Undo),
        "POST" if line.path.ends_with("/close") => Some(Operation::Close),
        _ => None,
    }
}

/// The messengers as the picture wants them: requests numbered in the order of their leaving, each with its replies.
pub(super) fn flights(messengers: &[Messenger]) -> Vec<Flight> {
    let mut flights = Vec::new();
    for messenger in messengers {
        let line = &messenger.line;
        let own = |other: &&Messenger| (other.step, other.operation) == (messenger.step, messenger.operation);
        let firsts = || messengers.iter().filter(own).filter(|other| is_first(&other.line));
        // A road that was started anew counts from 1 again: of several with the same number it is the latest before.
        let request = if is_first(line) {
            Some(line.left)
        } else {
            firsts().filter(|first| first.line.nth == line.nth && first.line.left <= line.left).map(|first| first.line.left).max()
        };
        let Some(request) = request else { continue };
        flights.push(Flight {
            step: messenger.step,
            operation: messenger.operation,
            number: firsts().filter(|first| first.line.left <= request).count() as u64,
            is_reply: line.direction == Direction::Reply,
            is_copy: line.copy > 1,
            says: says(line).to_owned(),
            left: line.left,
            fate: fate(line),
        });
    }
    flights
}

/// A request that is not the copy of another.
fn is_first(line: &RoadLine) -> bool {
    line.direction == Direction::Request && line.copy <= 1
}

fn fate(line: &RoadLine) -> Fate {
    let arrived = line.arrived.unwrap_or(line.left);
    match line.fate {
        Ending::Delivered | Ending::Duplicate => Fate::Arrived(arrived),
        Ending::Late => Fate::Late(arrived),
        Ending::Captured => Fate::Lost("captured".to_owned()),
        Ending::Cut => Fate::Lost("road cut".to_owned()),
        // The participant may have fallen after it had acted.
        Ending::Nobody => Fate::Unknown("nobody answered".to_owned()),
        Ending::Gone => Fate::Lost("nobody waits".to_owned()),
    }
}

/// What a reply says, as far as its status alone tells.
fn says(line: &RoadLine) -> &'static str {
    match (line.method.as_str(), line.status) {
        ("PUT", Some(200)) => "done",
        ("PUT", Some(409)) => "refused",
        ("PUT", Some(410)) => "closed",
        (_, Some(412)) => "behind",
        (_, Some(422)) => "other body",
        (_, Some(500..)) => "no answer",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(direction: Direction, nth: u32, copy: u8, left: u64, fate: Ending) -> RoadLine {
        RoadLine {
            direction,
            method: "PUT".to_owned(),
            path: "/charges/k".to_owned(),
            key: "k".to_owned(),
            try_number: None,
            nth,
            copy,
            fate,
            left,
            arrived: Some(left + 1),
            late_ms: None,
            status: (direction == Direction::Reply).then_some(410),
        }
    }

    #[test]
    fn replies_and_copies_find_their_requests_even_after_a_restart_of_the_road() {
        let lines = [
            line(Direction::Request, 1, 1, 10, Ending::Captured),
            line(Direction::Request, 1, 1, 20, Ending::Late),
            line(Direction::Request, 1, 2, 22, Ending::Duplicate),
            line(Direction::Reply, 1, 1, 30, Ending::Gone),
            line(Direction::Reply, 7, 1, 30, Ending::Gone),
        ];
        let messengers: Vec<Messenger> =
            lines.into_iter().map(|line| Messenger { step: 0, operation: Operation::Act, line }).collect();
        let drawn = flights(&messengers);
        let seen: Vec<_> = drawn.iter().map(|flight| (flight.number, flight.is_reply, flight.is_copy, flight.left)).collect();
        assert_eq!(seen, [(1, false, false, 10), (2, false, false, 20), (2, false, true, 22), (2, true, false, 30)]);
        assert_eq!(drawn[3].says, "closed");
    }
}
