//! The ladder of knowledge in one run: what each general knows before the first round and after each.

use crate::generals::knowledge::arrivals::ArrivalId;
use crate::generals::knowledge::views::{Bounds, Moment, TooMuch, Unfolding, ViewId, Views, Weighing};
use crate::generals::knowledge::{distances, wanted};
use crate::generals::table::run::{Journey, Run};
use crate::generals::table::{Table, WaveId};

/// How deep a general's knowledge goes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Rung {
    /// It knows that the other knows that it knows .., so many times over: 0 if it does not know that the attack is wanted,
    /// 1 if it does, 2 if it also knows that the other knows.
    Level(u32),
    /// There is no end to it.
    Common,
}

/// What general 1 and general 2 know before the first round and after each, with views as of that time.
///
/// # Errors
/// More would have to be held than the bounds allow.
pub fn ladder(table: &Table, run: &Run, views: Views, bounds: Bounds) -> Result<Vec<[Rung; 2]>, TooMuch> {
    let unfolding = Unfolding::new(table, views, Weighing::Count, bounds, run.beginning.coin);
    let moments = unfolding.all()?;
    let path = path(&unfolding, &moments, run);
    let rung = |(moment, views): (&Moment, [ViewId; 2])| {
        let distances = distances(moment, |kind| wanted(table, kind));
        [0, 1].map(|side| distances[side][views[side] as usize].map_or(Rung::Common, Rung::Level))
    };
    Ok(moments.iter().zip(path.views).map(rung).collect())
}

/// What general 1 and general 2 know before the first round and after each, in words that fit beside a time line; nothing
/// where a general does not know that the attack is wanted, and where there is no order to know of.
///
/// # Errors
/// As [`ladder`].
pub fn knows(table: &Table, run: &Run) -> Result<Vec<[String; 2]>, TooMuch> {
    let words = |rungs: [Rung; 2]| [0, 1].map(|side| rungs[side].in_words(table, side));
    Ok(ladder(table, run, Views::Inputs, Bounds::default())?.into_iter().map(words).collect())
}

impl Rung {
    /// In a few words, for the general with this place; empty if it does not know that the attack is wanted.
    #[must_use]
    pub fn in_words(self, table: &Table, side: usize) -> String {
        let (own, other) = (side + 1, 2 - side);
        let order = match table.orders.ways() {
            [_] => return String::new(),
            [_, _] => "knows of the order",
            _ => "knows of both orders",
        };
        match self {
            Self::Level(0) => String::new(),
            Self::Level(1) => order.to_owned(),
            Self::Level(2) => format!("knows that {other} knows"),
            Self::Level(3) => format!("knows that {other} knows that {own} knows"),
            Self::Level(level) => format!("knowledge {level} deep"),
            Self::Common => "common knowledge".to_owned(),
        }
    }
}

/// A run as its generals see it.
pub(in crate::generals) struct Path {
    /// The views before the first round and after each.
    pub(in crate::generals) views: Vec<[ViewId; 2]>,
    /// What arrives at general 1 and at general 2 in each round.
    pub(in crate::generals) arrivals: Vec<[ArrivalId; 2]>,
}

impl Path {
    /// The views after the last round.
    pub(in crate::generals) fn last(&self) -> [ViewId; 2] {
        self.views[self.arrivals.len()]
    }
}

/// Follows a run through the moments.
pub(in crate::generals) fn path(unfolding: &Unfolding<'_>, moments: &[Moment], run: &Run) -> Path {
    let table = unfolding.table;
    let mut views = [0, 1].map(|side| {
        let view = unfolding.first_view(run.states[0][side], run.beginning.ordered[side]);
        moments[0].view(side, view).unwrap_or(0)
    });
    let mut path = Path { views: vec![views], arrivals: Vec::new() };
    let mut journeys = &*run.journeys;
    for (layer, moment) in table.layers.iter().zip(&moments[..table.rounds()]) {
        let sends = moment.sends(layer, views);
        let mut ways = [0, 0];
        for from in [0, 1] {
            let (wave, rest) = journeys.split_at(table.waves[sends[from] as usize].size() as usize);
            ways[1 - from] = way(table, sends[from], wave);
            journeys = rest;
        }
        path.arrivals.push([0, 1].map(|side| unfolding.arrivals().of(sends[1 - side], ways[side])));
        views = [0, 1].map(|side| moment.leads[side][&(views[side], sends[1 - side])][ways[side]]);
        path.views.push(views);
    }
    path
}

/// The way in which these messengers, who are the whole wave, arrive.
fn way(table: &Table, wave: WaveId, mut journeys: &[Journey]) -> usize {
    let wave = &table.waves[wave as usize];
    let mut arrivals = Vec::with_capacity(wave.groups.len());
    for group in &wave.groups {
        let (alike, rest) = journeys.split_at(group.size as usize);
        arrivals.push(alike.iter().filter(|journey| !journey.captured).count() as u32);
        journeys = rest;
    }
    wave.way(&arrivals)
}
