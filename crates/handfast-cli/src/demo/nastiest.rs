//! Which order of the run had the hardest time, by the logs of the roads.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;

use anyhow::Context as _;

use crate::messenger::{Direction, Ending, Line};

/// The order to whose messengers most happened.
///
/// # Errors
/// When a log cannot be read.
pub(crate) fn nastiest(logs: &[PathBuf]) -> anyhow::Result<Option<String>> {
    let mut hardships: BTreeMap<String, u32> = BTreeMap::new();
    for path in logs {
        let file = File::open(path).with_context(|| format!("cannot read the road's log {}", path.display()))?;
        for line in BufReader::new(file).lines() {
            // A road that is killed while it writes leaves half a line, and that one messenger does not matter here.
            let Ok(line) = serde_json::from_str::<Line>(&line?) else { continue };
            // `<store>.<order>.<step>`
            let Some(order) = line.key.split('.').nth(1) else { continue };
            *hardships.entry(order.to_owned()).or_default() += hardship(&line);
        }
    }
    // The first of several in the order of their names, so that the same run shows the same order.
    let hardest = hardships.into_iter().max_by(|(one, less), (other, more)| less.cmp(more).then(other.cmp(one)));
    Ok(hardest.map(|(order, _)| order))
}

/// How hard what became of a messenger is on its order. A late act that meets a closed key is what all of this is about.
fn hardship(line: &Line) -> u32 {
    let met_closed = line.direction == Direction::Reply && line.method == "PUT" && line.status == Some(410);
    let of_fate = match line.fate {
        Ending::Delivered | Ending::Gone => 0,
        Ending::Captured | Ending::Cut | Ending::Nobody => 2,
        Ending::Duplicate => 1,
        Ending::Late => 3,
    };
    of_fate + if met_closed { 3 } else { 0 }
}
