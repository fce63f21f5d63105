//! What can arrive of a wave, as numbers: messages with how many of each came, in the order of sending.

use rustc_hash::FxHashMap;

use crate::generals::table::{MessageId, Table, Wave, WaveId};

/// What arrives in one round by its number; the same in whichever wave it was sent.
pub(in crate::generals) type ArrivalId = u32;

/// Numbers everything that can arrive.
#[derive(Clone, Debug)]
pub(in crate::generals) struct Arrivals {
    /// For each wave, in the order of its ways.
    waves: Vec<Box<[ArrivalId]>>,
}

impl Arrivals {
    pub(in crate::generals) fn new(table: &Table) -> Self {
        let mut numbers: FxHashMap<Box<[(MessageId, u32)]>, ArrivalId> = FxHashMap::default();
        let waves = table.waves.iter().map(|wave| {
            let number = |way| {
                let next = numbers.len() as ArrivalId;
                *numbers.entry(arrival(wave, way)).or_insert(next)
            };
            (0..wave.ways() as usize).map(number).collect()
        });
        Self { waves: waves.collect() }
    }

    /// What arrives if the wave arrives in this way.
    pub(in crate::generals) fn of(&self, wave: WaveId, way: usize) -> ArrivalId {
        self.waves[wave as usize][way]
    }

    /// The way in which this arrives of a wave, if it can.
    pub(in crate::generals) fn way(&self, wave: WaveId, arrival: ArrivalId) -> Option<usize> {
        self.waves[wave as usize].iter().rposition(|&other| other == arrival)
    }

    /// What can arrive in more than one way from these waves, with those ways, as (place of the wave, way).
    pub(in crate::generals) fn shared(
        &self,
        waves: impl Iterator<Item = WaveId> + Clone,
    ) -> FxHashMap<ArrivalId, Vec<(usize, usize)>> {
        let mut seen: FxHashMap<ArrivalId, bool> = FxHashMap::default();
        for wave in waves.clone() {
            for &arrival in &self.waves[wave as usize] {
                seen.entry(arrival).and_modify(|again| *again = true).or_insert(false);
            }
        }
        let mut shared: FxHashMap<ArrivalId, Vec<(usize, usize)>> = FxHashMap::default();
        for (place, wave) in waves.enumerate() {
            for (way, arrival) in self.waves[wave as usize].iter().enumerate().filter(|(_, arrival)| seen[*arrival]) {
                shared.entry(*arrival).or_default().push((place, way));
            }
        }
        shared
    }
}

/// Messages with their number, as they come one after the other.
fn arrival(wave: &Wave, way: usize) -> Box<[(MessageId, u32)]> {
    let mut arrived: Vec<(MessageId, u32)> = Vec::new();
    for (group, number) in wave.groups.iter().zip(wave.arrivals(way)).filter(|(_, number)| *number > 0) {
        match arrived.last_mut() {
            Some((message, before)) if *message == group.message => *before += number,
            Some(_) | None => arrived.push((group.message, number)),
        }
    }
    arrived.into()
}
