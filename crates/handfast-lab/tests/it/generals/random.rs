//! Small random strategies, and every pattern of captures of a table, one by one.

use handfast_lab::generals::{Protocol, Run, Table};
use handfast_protocol::generals::{Camp, Condition, General, Size, Strategy as Waves, Wave};
use proptest::prelude::*;
use std::sync::Arc;

/// Every run from this start: every set of captured messengers, of those actually sent.
pub(crate) fn every_run(table: &Table, start: usize) -> Vec<Run> {
    let mut runs = Vec::new();
    let mut captured: Vec<bool> = Vec::new();
    loop {
        let run = table.play(start, |number| captured.get(number).copied().unwrap_or(false));
        // Counts on in binary: the last messenger that was not captured is, and all after it are not.
        captured = run.journeys.iter().map(|journey| journey.captured).collect();
        runs.push(run);
        let Some(place) = captured.iter().rposition(|captured| !captured) else { return runs };
        captured.truncate(place);
        captured.push(true);
    }
}

fn condition(waves: usize) -> impl Strategy<Value = Condition> {
    let some = proptest::collection::vec(0..waves.max(1), 1..=2);
    (some, 1..=3u32, 0..5u32).prop_map(move |(heard, number, kind)| match kind {
        0 => Condition::Ordered,
        1 if waves > 0 => Condition::Missed { waves: heard, fewer_than: number },
        _ if waves > 0 => Condition::Heard { waves: heard, at_least: number },
        _ => Condition::Ordered,
    })
}

fn wave(place: usize, rounds: u32) -> impl Strategy<Value = Wave> {
    let when = proptest::collection::vec(condition(place), 0..=2);
    (any::<bool>(), 1..=rounds, 0..=2u32, any::<bool>(), when).prop_map(move |(first, round, size, each, when)| Wave {
        from: if first { Camp::First } else { Camp::Second },
        round,
        size: if each && place > 0 { Size::PerArrival { wave: place - 1, each: 1 } } else { Size::Fixed(size) },
        when,
        says: "x".into(),
    })
}

/// A random strategy of up to four waves in up to three rounds, none of more than two messengers or as many as arrived.
pub(crate) fn waves() -> impl Strategy<Value = Waves> {
    (1..=3u32).prop_flat_map(|rounds| {
        let attack = || proptest::collection::vec(condition(4), 0..=2);
        (wave(0, rounds), wave(1, rounds), wave(2, rounds), wave(3, rounds), attack(), attack())
            .prop_map(move |(a, b, c, d, one, two)| Waves { waves: vec![a, b, c, d], attack_if: [one, two], rounds })
    })
}

/// The generals who follow it.
pub(crate) fn protocol(waves: Waves) -> Protocol<General> {
    let rounds = waves.rounds;
    let waves = Arc::new(waves);
    Protocol::new("random", rounds, move |ordered| General::both(Arc::clone(&waves), ordered))
}
