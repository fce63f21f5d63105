//! What a saga without a driver was not told yet: that a person let it follow another definition, and which steps have moved.

use std::sync::Arc;

use handfast_protocol::{Coordinator, Party as _};

use crate::engine::adopt::{self, MoveTold};
use crate::engine::cures::Named;
use crate::engine::trail::Trail;
use crate::flow::Flow;
use crate::journal::Line;
use crate::store::StoredSaga;

/// The lines that a driver would tell it before anything else, of those that change anything. One that cannot follow the other
/// definition is left alone, with the reason.
pub(super) fn untold(
    stored: &StoredSaga,
    named: Named,
    (trail, coordinator): (&Trail, &Coordinator),
) -> Result<Vec<Line>, String> {
    if stored.adopted.is_empty() {
        return Ok(Vec::new());
    }
    let read = |_, text: &str| Flow::from_built_text(text).map(Arc::new).map_err(|error| error.to_string());
    let moves = adopt::check(stored, &trail.asked, named, read)?;
    let mut next = coordinator.clone();
    let is_news = |(step, (moved, told)): (usize, (Option<adopt::Move>, &MoveTold))| {
        let line = moved.filter(|moved| told.lacks(moved, coordinator.is_moved(step)))?.line;
        let before = next.clone();
        next.step(next.clock(), line.told());
        (next != before).then_some(line)
    };
    Ok(moves.into_iter().zip(&trail.moves_told).enumerate().filter_map(is_news).collect())
}
