//! The map of profiles as a picture, for light and dark pages: payments down, dispatches across, and in every cell how the
//! two are brought together, or what stands in the way.

use super::{DISPATCHES, Pair, Verdict};
use crate::letters::Font;
use crate::svg::{AXIS, Chart, EDGE, VALUE};

/// The font of the words in a cell.
const HOW: Font = Font::regular(11.5);
/// The least width of a column, and what its texts leave free of it on both sides together.
const COLUMN: f64 = 132.0;
const PADDING: f64 = 12.0;
/// How wide the headings of rows may be before they break.
const ROW_HEADING: f64 = 200.0;
/// Where the headings of columns begin.
const HEADINGS: f64 = 78.0;
const BELOW: f64 = 58.0;
const LINE: f64 = 16.0;
const HOW_LINE: f64 = 14.0;
/// The classes of cells and what they mean.
const LEGEND: [(&str, &str); 3] = [
    ("yes", "✓  both or neither, in every state"),
    ("risk", "!  only with a risk that somebody accepts"),
    ("no", "✗  no order of the two is sound"),
];
/// From a sample of the legend to its words, and from them to the next sample.
const SAMPLE: f64 = 26.0;
const BETWEEN: f64 = 28.0;

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

/// Every text of the map in its lines, and the sizes that follow from them.
struct Plan {
    headings: Vec<Vec<String>>,
    payments: Vec<Vec<String>>,
    /// What stands in the cells, in the order of the pairs.
    cells: Vec<(&'static str, &'static str, Vec<String>)>,
    left: f64,
    top: f64,
    /// How wide and how high a cell is.
    cell: (f64, f64),
}

impl Plan {
    fn new(pairs: &[Pair]) -> Self {
        let said: Vec<_> = pairs.iter().map(|pair| cell(&pair.verdict)).collect();
        let words = said.iter().map(|(_, _, words)| HOW.widest_word(words));
        let headings = DISPATCHES.iter().map(|dispatch| VALUE.widest_word(dispatch.name));
        let width = words.chain(headings).fold(COLUMN - PADDING, f64::max);
        let headings: Vec<_> = DISPATCHES.iter().map(|dispatch| VALUE.lines(dispatch.name, width)).collect();
        let rows = pairs.chunks(DISPATCHES.len());
        let payments: Vec<_> = rows.map(|row| VALUE.lines(row[0].payment, ROW_HEADING)).collect();
        let cells: Vec<_> = said.into_iter().map(|(class, sign, words)| (class, sign, HOW.lines(&words, width))).collect();
        let most = |lines: &mut dyn Iterator<Item = usize>| lines.max().unwrap_or(1).max(1) as f64;
        let high = 32.0 + HOW_LINE * most(&mut cells.iter().map(|(_, _, lines)| lines.len()));
        let heading = VALUE.widest(payments.iter().flatten().map(String::as_str));
        Self {
            left: EDGE + heading.max(AXIS.width(PAYMENT)) + 12.0,
            top: HEADINGS + LINE * most(&mut headings.iter().map(Vec::len)).max(2.0) + 12.0,
            cell: (width + PADDING, high.max(LINE * most(&mut payments.iter().map(Vec::len)) + 8.0)),
            headings,
            payments,
            cells,
        }
    }
}

const DISPATCH: &str = "dispatch →";
const PAYMENT: &str = "payment ↓";

/// The pairs of [`map`](super::map()) as a document of its own.
#[must_use]
pub fn to_svg(pairs: &[Pair]) -> String {
    let plan = Plan::new(pairs);
    let (left, top, size) = (plan.left, plan.top, plan.cell);
    let (wide, high) = (DISPATCHES.len() as f64 * size.0, plan.payments.len() as f64 * size.1);
    let words = ["Which payment and which dispatch go together", "every pair explored, whichever of the two is asked first"];
    let width = (left + wide + EDGE).max(legend_width() + 2.0 * EDGE).max(Chart::least_width(words[0], words[1]));
    let mut chart = Chart::new((width, top + high + BELOW), words, [STYLE, DARK_STYLE]);
    for (column, lines) in plan.headings.iter().enumerate() {
        for (line, words) in lines.iter().rev().enumerate() {
            let at = (left + (column as f64 + 0.5) * size.0, top - 12.0 - line as f64 * LINE);
            chart.text(at, "middle", "value", words);
        }
    }
    chart.text((left - 12.0, top - 12.0 - LINE), "end", "axis", DISPATCH);
    chart.text((left - 12.0, top - 12.0), "end", "axis", PAYMENT);
    for (row, lines) in plan.payments.iter().enumerate() {
        let middle = top + (row as f64 + 0.5) * size.1 + 4.5;
        for (line, words) in lines.iter().enumerate() {
            let y = middle + (line as f64 - (lines.len() - 1) as f64 / 2.0) * LINE;
            chart.text((left - 12.0, y), "end", "value", words);
        }
    }
    for (number, (pair, said)) in pairs.iter().zip(&plan.cells).enumerate() {
        let (row, column) = (number / DISPATCHES.len(), number % DISPATCHES.len());
        cell_to(&mut chart, (left + column as f64 * size.0, top + row as f64 * size.1), size, pair, said);
    }
    legend_to(&mut chart, ((width - legend_width()) / 2.0, top + high + 24.0));
    chart.into_document()
}

/// A cell with its sign and its words in the middle.
fn cell_to(chart: &mut Chart, at: (f64, f64), size: (f64, f64), pair: &Pair, said: &(&'static str, &'static str, Vec<String>)) {
    let (class, sign, lines) = said;
    let told = format!("payment {}, dispatch {}: {}", pair.payment, pair.dispatch, pair.in_words());
    chart.told_rect(at, size, class, &told);
    let middle = at.0 + size.0 / 2.0;
    let high = 32.0 + lines.len() as f64 * HOW_LINE;
    let top = at.1 + (size.1 - high) / 2.0;
    chart.text((middle, top + 19.0), "middle", "sign", sign);
    for (line, words) in lines.iter().enumerate() {
        chart.text((middle, top + 36.0 + line as f64 * HOW_LINE), "middle", "how", words);
    }
}

fn legend_width() -> f64 {
    LEGEND.iter().map(|(_, words)| SAMPLE + VALUE.width(words) + BETWEEN).sum::<f64>() - BETWEEN
}

fn legend_to(chart: &mut Chart, (left, y): (f64, f64)) {
    let mut x = left;
    for (class, words) in LEGEND {
        chart.rect((x, y), (18.0, 14.0), class);
        chart.text((x + SAMPLE, y + 11.5), "start", "value", words);
        x += SAMPLE + VALUE.width(words) + BETWEEN;
    }
}
