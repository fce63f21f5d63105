//! The heat map as an SVG document, for light and dark pages.

use super::{HeatMap, STEPS, Shade, short};
use crate::letters::Font;
use crate::svg::{AXIS, Chart, EDGE, VALUE};

/// The least width of a cell, and its height.
const CELL: (f64, f64) = (46.0, 30.0);
/// What a number leaves free of its cell, on both sides together.
const PADDING: f64 = 10.0;
const TOP: f64 = 84.0;
/// The font of the numbers in cells.
const NUMBER: Font = Font::regular(12.0);
/// From the edge to the values down: the name of their axis, which is read upwards.
const AXIS_DOWN: f64 = 48.0;
const VALUE_GAP: f64 = 9.0;
const SCALE_STEP: f64 = 24.0;
/// Below the cells: the values, the axis, and the scale of colours.
const BELOW: f64 = 118.0;
/// From here on the number on a colour is of the other ink.
const DEEP: usize = 6;

const STYLE: &str = ".number{font-size:12px;fill:#1f2328}
.on-deep{fill:#fff}
";

const DARK_STYLE: &str = ".number{fill:#e6edf3}
.on-deep{fill:#0d1117}
";

/// The colours of nothing and of everything: on a light page, and on a dark one.
const fn ends(shade: Shade) -> [[[u8; 3]; 2]; 2] {
    match shade {
        Shade::Good => [[[0xf6, 0xfb, 0xf7], [0x0f, 0x5f, 0x2c]], [[0x14, 0x20, 0x18], [0x7e, 0xe7, 0x95]]],
        Shade::Bad => [[[0xfd, 0xf7, 0xf6], [0xa4, 0x0e, 0x26]], [[0x25, 0x15, 0x17], [0xff, 0x9a, 0x92]]],
        Shade::Calm => [[[0xf6, 0xf9, 0xfd], [0x0a, 0x42, 0x8c]], [[0x13, 0x1d, 0x2b], [0x8c, 0xc4, 0xff]]],
    }
}

/// The colour of a step between these ends.
fn colour([from, to]: [[u8; 3]; 2], step: usize) -> String {
    let part = step as f64 / (STEPS - 1) as f64;
    let mixed = |place: usize| (f64::from(from[place]) + (f64::from(to[place]) - f64::from(from[place])) * part).round() as u8;
    format!("#{:02x}{:02x}{:02x}", mixed(0), mixed(1), mixed(2))
}

impl HeatMap {
    /// The heat map as a document of its own.
    #[must_use]
    pub fn to_svg(&self) -> String {
        let (columns, rows) = (self.across.values.len() as f64, self.down.values.len() as f64);
        let cell = (self.cell_width(), CELL.1);
        let (wide, high) = (columns * cell.0, rows * cell.1);
        let values = VALUE.widest(self.down.values.iter().map(String::as_str));
        let left = AXIS_DOWN + values + VALUE_GAP;
        let middle = wide.max(AXIS.width(&self.across.name)).max(SCALE_STEP * STEPS as f64 + 40.0);
        let width = (left + middle + EDGE).max(Chart::least_width(&self.title, &self.subtitle));
        // What the title needs beyond the cells is shared by both sides.
        let left = left + (width - left - wide - EDGE) / 2.0;
        let height = TOP + high + BELOW;
        let [light, dark] = self.styles();
        let mut chart = Chart::new((width.ceil(), height), [&self.title, &self.subtitle], [&light, &dark]);
        self.cells_to(&mut chart, left, cell);
        chart.rect((left, TOP), (wide, high), "frame");
        for (row, value) in self.down.values.iter().enumerate() {
            let y = TOP + (row as f64 + 0.5) * cell.1 + 4.5;
            chart.text((left - VALUE_GAP, y), "end", "value", value);
        }
        for (column, value) in self.across.values.iter().enumerate() {
            let x = left + (column as f64 + 0.5) * cell.0;
            chart.text((x, TOP + high + 19.0), "middle", "value", value);
        }
        chart.text((left + wide / 2.0, TOP + high + 44.0), "middle", "axis", &self.across.name);
        chart.upright((left - VALUE_GAP - values - 18.0, TOP + high / 2.0), "axis", &self.down.name);
        self.legend_to(&mut chart, (left + wide / 2.0, TOP + high + 72.0));
        chart.into_document()
    }

    /// As wide as the widest number in a cell or value below one needs it.
    fn cell_width(&self) -> f64 {
        let numbers = self.cells.iter().flatten().map(|cell| NUMBER.width(&short(cell)));
        let values = VALUE.widest(self.across.values.iter().map(String::as_str));
        numbers.fold(values, f64::max).max(CELL.0 - PADDING) + PADDING
    }

    fn styles(&self) -> [String; 2] {
        let [light, dark] = ends(self.shade);
        let steps = |ends| (0..STEPS).map(|step| format!(".s{step}{{fill:{}}}\n", colour(ends, step))).collect::<String>();
        [format!("{STYLE}{}", steps(light)), format!("{DARK_STYLE}{}", steps(dark))]
    }

    fn cells_to(&self, chart: &mut Chart, left: f64, size: (f64, f64)) {
        let top = self.top();
        for (row, cells) in self.cells.iter().enumerate() {
            for (column, cell) in cells.iter().enumerate() {
                let at = (left + column as f64 * size.0, TOP + row as f64 * size.1);
                let step = Self::step(cell, top);
                chart.rect(at, size, &format!("s{step}"));
                let class = if step >= DEEP { "number on-deep" } else { "number" };
                chart.text((at.0 + size.0 / 2.0, at.1 + size.1 / 2.0 + 4.5), "middle", class, &short(cell));
            }
        }
    }

    /// The scale of colours, with its ends and its middle named.
    fn legend_to(&self, chart: &mut Chart, (middle, y): (f64, f64)) {
        let left = middle - SCALE_STEP * STEPS as f64 / 2.0;
        for step in 0..STEPS {
            chart.rect((left + step as f64 * SCALE_STEP, y), (SCALE_STEP, 14.0), &format!("s{step}"));
        }
        chart.rect((left, y), (SCALE_STEP * STEPS as f64, 14.0), "frame");
        let top = self.top();
        for (part, value) in [(0.0, 0.0), (0.5, top / 2.0), (1.0, top)] {
            let x = left + part * SCALE_STEP * STEPS as f64;
            chart.text((x, y + 30.0), "middle", "value", &format!("{value}"));
        }
    }
}
