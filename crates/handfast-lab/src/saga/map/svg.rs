//! The map of profiles as a picture, for light and dark pages: payments down, dispatches across, and in every cell how the
//! two are brought together, or what stands in the way.

use super::{DISPATCHES, Pair, Verdict};
use crate::diagram::wrap;
use crate::svg::Chart;

const CELL: (f64, f64) = (132.0, 46.0);
const LEFT: f64 = 316.0;
const TOP: f64 = 156.0;
const EDGE: f64 = 28.0;
const BELOW: f64 = 58.0;
const LINE: f64 = 16.0;
/// How many characters a line of a heading has.
const HEADING: usize = 18;

const STYLE: &str = ".yes{fill:#dcf3e2;stroke:#fff}
.risk{fill:#fdf0cf;stroke:#fff}
.no{fill:#fbdfdd;stroke:#fff}
.sign{font-size:15px;font-weight:600}
.how{font-size:11.5px;fill:#424a53}
";

const DARK_STYLE: &str = ".yes{fill:#14351f;stroke:#0d1117}
.risk{fill:#3d3011;stroke:#0d1117}
.no{fill:#4a1a1c;stroke:#0d1117}
.how{fill:#b1bac4}
";

/// What stands in a cell: its class, its sign, and a few words.
fn cell(verdict: &Verdict) -> (&'static str, &'static str, String) {
    match verdict {
        Verdict::Possible { strategy, .. } => ("yes", "✓", strategy.split(';').next().unwrap_or_default().to_owned()),
        Verdict::AtRisk { risks, .. } => {
            let names: Vec<&str> = risks.iter().map(|(risk, _)| risk.name()).collect();
            let said = match names[..] {
                [first] => first.to_owned(),
                [first, ref others @ ..] => format!("{first} +{}", others.len()),
                [] => String::new(),
            };
            ("risk", "!", said)
        }
        Verdict::Broken { property, .. } => ("no", "?", (*property).to_owned()),
        Verdict::Impossible { why } => ("no", "✗", why.name().to_owned()),
    }
}

/// The pairs of [`map`](super::map()) as a document of its own.
#[must_use]
pub fn to_svg(pairs: &[Pair]) -> String {
    let rows = pairs.len().div_ceil(DISPATCHES.len()) as f64;
    let (wide, high) = (DISPATCHES.len() as f64 * CELL.0, rows * CELL.1);
    let size = (LEFT + wide + EDGE, TOP + high + BELOW);
    let words = ["Which payment and which dispatch go together", "every pair explored, whichever of the two is asked first"];
    let mut chart = Chart::new(size, words, [STYLE, DARK_STYLE]);
    for (column, dispatch) in DISPATCHES.iter().enumerate() {
        let lines = wrap(dispatch.name, HEADING, |text| text.chars().count());
        for (line, words) in lines.iter().rev().enumerate() {
            let at = (LEFT + (column as f64 + 0.5) * CELL.0, TOP - 12.0 - line as f64 * LINE);
            chart.text(at, "middle", "value", words);
        }
    }
    chart.text((LEFT - 12.0, TOP - 12.0 - LINE), "end", "axis", "dispatch →");
    chart.text((LEFT - 12.0, TOP - 12.0), "end", "axis", "payment ↓");
    for (row, pairs) in pairs.chunks(DISPATCHES.len()).enumerate() {
        let y = TOP + row as f64 * CELL.1;
        chart.text((LEFT - 12.0, y + CELL.1 / 2.0 + 4.5), "end", "value", pairs[0].payment);
        for (column, pair) in pairs.iter().enumerate() {
            let at = (LEFT + column as f64 * CELL.0, y);
            let (class, sign, words) = cell(&pair.verdict);
            chart.told_rect(
                at,
                CELL,
                class,
                &format!("payment {}, dispatch {}: {}", pair.payment, pair.dispatch, pair.in_words()),
            );
            let middle = at.0 + CELL.0 / 2.0;
            chart.text((middle, y + 19.0), "middle", "sign", sign);
            chart.text((middle, y + 36.0), "middle", "how", &words);
        }
    }
    legend_to(&mut chart, TOP + high + 24.0);
    chart.into_document()
}

fn legend_to(chart: &mut Chart, y: f64) {
    let entries = [
        ("yes", "✓  both or neither, in every state"),
        ("risk", "!  only with a risk that somebody accepts"),
        ("no", "✗  no order of the two is sound"),
    ];
    for (number, (class, words)) in entries.into_iter().enumerate() {
        let x = LEFT + number as f64 * 280.0;
        chart.rect((x, y), (18.0, 14.0), class);
        chart.text((x + 26.0, y + 11.5), "start", "value", words);
    }
}
