//! A run as data: how it began, who was sent and captured, and how it ended.

use handfast_protocol::generals::Choice;
use serde::ser::{Serialize, SerializeMap, Serializer};

use crate::answers::object::Object;
use crate::generals::{Run, Table};

/// A messenger who was sent.
#[derive(serde::Serialize)]
struct Messenger<'a> {
    round: u32,
    from: u32,
    says: &'a str,
    captured: bool,
}

/// Writes the members of a run: `ordered`, `coin`, `outcome`, `attacks`, `sent`, `captures` and `messengers`.
pub(super) fn put<M: SerializeMap>(object: &mut Object<M>, table: &Table, run: &Run) -> Result<(), M::Error> {
    let messengers = run.journeys.iter().map(|journey| Messenger {
        round: journey.round,
        from: journey.from.number(),
        says: &table.messages[journey.message as usize],
        captured: journey.captured,
    });
    object.put("ordered", &run.beginning.ordered)?.put("coin", &run.beginning.coin)?.put("outcome", run.outcome().key())?;
    object.put("attacks", &run.choices.map(|choice| choice == Choice::Attack))?;
    object.put("sent", &run.journeys.len())?.put("captures", &run.captures())?;
    object.put("messengers", &messengers.collect::<Vec<_>>())?;
    Ok(())
}

/// A run where many are told: how it began and ended, and which messengers were captured.
pub(super) fn put_briefly<M: SerializeMap>(object: &mut Object<M>, run: &Run) -> Result<(), M::Error> {
    object.put("captured", &run.captured().collect::<Vec<_>>())?.put("ordered", &run.beginning.ordered)?;
    object.put("outcome", run.outcome().key())?;
    Ok(())
}

/// A run by itself, as `handfast generals draw` tells it.
pub struct Answer<'a> {
    /// The protocol as it is typed.
    pub protocol: &'a str,
    /// Its table.
    pub table: &'a Table,
    /// The run.
    pub run: &'a Run,
    /// What general 1 and general 2 know before the first round and after each, where that was found out.
    pub knows: &'a [[String; 2]],
}

impl Serialize for Answer<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = Object::begin(serializer)?;
        object.put("protocol", self.protocol)?.put("title", &self.table.name)?;
        put(&mut object, self.table, self.run)?;
        object.put("knows", self.knows)?;
        object.end()
    }
}
