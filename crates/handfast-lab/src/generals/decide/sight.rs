//! What a general sees, in words: whether it has the order, and round by round what arrived.

use std::collections::BTreeMap;

use crate::generals::knowledge::views::{Moment, ViewId};
use crate::generals::table::protocol::Orders;
use crate::generals::table::{Table, WaveId};

/// The words for every view of one general after the last round. Of views that are alike one stands for all.
pub(super) fn words(table: &Table, moments: &[Moment], side: usize) -> Vec<String> {
    let mut words = moments.first().map(|moment| beginnings(table, moment, side)).unwrap_or_default();
    for (round, two) in (1..).zip(moments.windows(2)) {
        words = after_round(table, round, &two[0], &two[1], side, &words);
    }
    words.into_iter().map(|words| if words.is_empty() { "nothing".to_owned() } else { words }).collect()
}

fn beginnings(table: &Table, moment: &Moment, side: usize) -> Vec<String> {
    let is_told = match table.orders {
        Orders::First => side == 0,
        Orders::Each => true,
        Orders::Nobody => false,
    };
    let mut words = vec![String::new(); moment.sides[side].len()];
    for pair in moment.pairs.iter().filter(|_| is_told) {
        let ordered = table.orders.ways()[usize::from(pair.kind.orders)][side];
        words[pair.views[side] as usize] = if ordered { "the order".to_owned() } else { "no order".to_owned() };
    }
    words
}

/// Ways in which one view leads to another: the waves, and the places of the ways among theirs.
type Ways = Vec<(WaveId, usize)>;

fn after_round(table: &Table, round: usize, before: &Moment, after: &Moment, side: usize, words: &[String]) -> Vec<String> {
    let layer = &table.layers[round - 1];
    let mut met: Vec<(ViewId, WaveId)> =
        before.pairs.iter().map(|pair| (pair.views[side], before.sends(layer, pair.views)[1 - side])).collect();
    met.sort_unstable();
    met.dedup();
    let is_quiet = met.iter().all(|&(_, wave)| table.waves[wave as usize].groups.is_empty());
    let mut sources: Vec<BTreeMap<ViewId, Ways>> = vec![BTreeMap::new(); after.sides[side].len()];
    for &(view, wave) in &met {
        for (way, &next) in before.leads[side].get(&(view, wave)).map(|row| &**row).unwrap_or_default().iter().enumerate() {
            sources[next as usize].entry(view).or_default().push((wave, way));
        }
    }
    let told = |sources: &BTreeMap<ViewId, Ways>| {
        let Some((&view, ways)) = sources.first_key_value() else { return String::new() };
        let before = &words[view as usize];
        if is_quiet {
            return before.clone();
        }
        let (heard, alike) = (heard(table, ways), if sources.len() > 1 { " (or alike)" } else { "" });
        let comma = if before.is_empty() { "" } else { "; " };
        format!("{before}{comma}round {round}: {heard}{alike}")
    };
    sources.iter().map(told).collect()
}

/// How many messengers arrive with which words.
fn heard(table: &Table, ways: &[(WaveId, usize)]) -> String {
    let mut counts: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for &(wave, way) in ways {
        let wave = &table.waves[wave as usize];
        let mut heard: BTreeMap<u32, u32> = BTreeMap::new();
        for (group, arrived) in wave.groups.iter().zip(wave.arrivals(way)) {
            *heard.entry(group.message).or_default() += arrived;
        }
        heard.into_iter().for_each(|(message, arrived)| counts.entry(message).or_default().push(arrived));
    }
    let mut parts = Vec::new();
    for (message, mut arrived) in counts {
        // What some of the ways do not hold, they bring none of.
        arrived.resize(ways.len().max(arrived.len()), 0);
        let (least, most) = (arrived.iter().min().copied().unwrap_or(0), arrived.iter().max().copied().unwrap_or(0));
        let number = match (least, most) {
            (_, 0) => continue,
            (least, most) if least == most => least.to_string(),
            (least, most) => format!("{least} to {most}"),
        };
        parts.push(format!("{number} x {}", quoted(table, message)));
    }
    if parts.is_empty() { "nothing".to_owned() } else { parts.join(", ") }
}

/// What a message says; a number tells it from others that say the same and carry something else.
fn quoted(table: &Table, message: u32) -> String {
    let words = &table.messages[message as usize];
    let mut twins = (0..).zip(&table.messages).filter(|(_, other)| *other == words).map(|(twin, _): (u32, _)| twin);
    let place = twins.position(|twin| twin == message).unwrap_or(0) + 1;
    if place == 1 && twins.next().is_none() { format!("\"{words}\"") } else { format!("\"{words}\" #{place}") }
}
