//! Which order of the run had the hardest time, by the logs of the roads.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;

use anyhow::Context as _;

use crate::messenger::{Direction, Ending, RoadLine};

/// So many messengers that are held up at once can be drawn with their labels whole.
const DRAWN_WHOLE: usize = 5;

/// What happened to the messengers of one order.
#[derive(Debug, Default)]
struct Hardships {
    sum: u32,
    /// When each late messenger set out and arrived.
    held_up: Vec<(u64, u64)>,
}

impl Hardships {
    /// Whether never more messengers were held up at once than can be drawn well.
    fn is_drawn_whole(&self) -> bool {
        // The most are under way at a moment at which one of them sets out.
        self.held_up
            .iter()
            .all(|&(now, _)| self.held_up.iter().filter(|&&(left, arrived)| left <= now && now < arrived).count() <= DRAWN_WHOLE)
    }
}

/// The order to whose messengers most happened, among those that can be drawn well if there are any.
///
/// # Errors
/// When a log cannot be read.
pub(crate) fn nastiest(logs: &[PathBuf]) -> anyhow::Result<Option<String>> {
    let mut hardships: BTreeMap<String, Hardships> = BTreeMap::new();
    for path in logs {
        let file = File::open(path).with_context(|| format!("cannot read the road's log {}", path.display()))?;
        for line in BufReader::new(file).lines() {
            // A road that is killed while it writes leaves half a line, and that one messenger does not matter here.
            let Ok(line) = serde_json::from_str::<RoadLine>(&line?) else { continue };
            // `<store>.<order>.<step>`
            let Some(order) = line.key.split('.').nth(1) else { continue };
            let of_order = hardships.entry(order.to_owned()).or_default();
            of_order.sum += hardship(&line);
            if line.fate == Ending::Late {
                of_order.held_up.push((line.left, line.arrived.unwrap_or(u64::MAX)));
            }
        }
    }
    // The first of several in the order of their names, so that the same run shows the same order.
    let hardest =
        hardships.into_iter().max_by_key(|(order, of_order)| (of_order.is_drawn_whole(), of_order.sum, Reverse(order.clone())));
    Ok(hardest.map(|(order, _)| order))
}

/// How hard what became of a messenger is on its order. A late act that meets a closed key is what all of this is about.
fn hardship(line: &RoadLine) -> u32 {
    let met_closed = line.direction == Direction::Reply && line.method == "PUT" && line.status == Some(410);
    let of_fate = match line.fate {
        Ending::Delivered | Ending::Gone => 0,
        Ending::Captured | Ending::Cut | Ending::Nobody => 2,
        Ending::Duplicate => 1,
        Ending::Late => 3,
    };
    of_fate + if met_closed { 3 } else { 0 }
}
