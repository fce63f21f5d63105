//! The heat map as an SVG document, for light and dark pages.

use super::{HeatMap, STEPS, Shade, short};

const CELL: (f64, f64) = (46.0, 30.0);
const LEFT: f64 = 84.0;
const TOP: f64 = 84.0;
const RIGHT: f64 = 28.0;
/// Below the cells: the values, the axis, and the scale of colours.
const BELOW: f64 = 118.0;
/// The least width that holds a title.
const LEAST_WIDTH: f64 = 560.0;
/// From here on the number on a colour is of the other ink.
const DEEP: usize = 6;

const STYLE: &str = "
text{font-family:system-ui,-apple-system,'Segoe UI','Helvetica Neue',Arial,'DejaVu Sans',sans-serif;font-size:13px;fill:#1f2328}
.title{font-size:17px;font-weight:600}
.aside,.value{fill:#57606a}
.axis{font-weight:600}
.number{font-size:12px;fill:#1f2328}
.on-deep{fill:#fff}
.sheet{fill:#fff;stroke:#d8dee4}
.frame{fill:none;stroke:#8b949e}
";

const DARK_STYLE: &str = "text{fill:#e6edf3}
.aside,.value{fill:#9198a1}
.number{fill:#e6edf3}
.on-deep{fill:#0d1117}
.sheet{fill:#0d1117;stroke:#30363d}
.frame{stroke:#57606a}
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

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

fn text(at: (f64, f64), anchor: &str, class: &str, words: &str) -> String {
    let words = escaped(words);
    format!("<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"{anchor}\" class=\"{class}\">{words}</text>\n", at.0, at.1)
}

fn rect(at: (f64, f64), size: (f64, f64), class: &str) -> String {
    format!("<rect x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{:.1}\" class=\"{class}\"/>\n", at.0, at.1, size.0, size.1)
}

impl HeatMap {
    /// The heat map as a document of its own.
    #[must_use]
    pub fn to_svg(&self) -> String {
        let (columns, rows) = (self.across.values.len() as f64, self.down.values.len() as f64);
        let (wide, high) = (columns * CELL.0, rows * CELL.1);
        let width = (LEFT + wide + RIGHT).max(LEAST_WIDTH);
        let height = TOP + high + BELOW;
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.0} {height:.0}\" width=\"{width:.0}\" \
             height=\"{height:.0}\" role=\"img\">\n<title>{}</title>\n<style>{}</style>\n",
            escaped(&self.title),
            self.style()
        );
        svg.push_str(&rect((0.5, 0.5), (width - 1.0, height - 1.0), "sheet"));
        svg.push_str(&text((width / 2.0, 34.0), "middle", "title", &self.title));
        svg.push_str(&text((width / 2.0, 58.0), "middle", "aside", &self.subtitle));
        self.cells_to(&mut svg);
        svg.push_str(&rect((LEFT, TOP), (wide, high), "frame"));
        for (row, value) in self.down.values.iter().enumerate() {
            let y = TOP + (row as f64 + 0.5) * CELL.1 + 4.5;
            svg.push_str(&text((LEFT - 9.0, y), "end", "value", value));
        }
        for (column, value) in self.across.values.iter().enumerate() {
            let x = LEFT + (column as f64 + 0.5) * CELL.0;
            svg.push_str(&text((x, TOP + high + 19.0), "middle", "value", value));
        }
        svg.push_str(&text((LEFT + wide / 2.0, TOP + high + 44.0), "middle", "axis", &self.across.name));
        let middle = TOP + high / 2.0;
        svg.push_str(&format!(
            "<text transform=\"translate(30 {middle:.1}) rotate(-90)\" text-anchor=\"middle\" class=\"axis\">{}</text>\n",
            escaped(&self.down.name)
        ));
        self.legend_to(&mut svg, (LEFT + wide / 2.0, TOP + high + 72.0));
        svg.push_str("</svg>\n");
        svg
    }

    fn style(&self) -> String {
        let [light, dark] = ends(self.shade);
        let steps = |ends| (0..STEPS).map(|step| format!(".s{step}{{fill:{}}}\n", colour(ends, step))).collect::<String>();
        format!("{STYLE}{}@media (prefers-color-scheme:dark){{\n{DARK_STYLE}{}}}\n", steps(light), steps(dark))
    }

    fn cells_to(&self, svg: &mut String) {
        let top = self.top();
        for (row, cells) in self.cells.iter().enumerate() {
            for (column, cell) in cells.iter().enumerate() {
                let at = (LEFT + column as f64 * CELL.0, TOP + row as f64 * CELL.1);
                let step = Self::step(cell, top);
                svg.push_str(&rect(at, CELL, &format!("s{step}")));
                let class = if step >= DEEP { "number on-deep" } else { "number" };
                svg.push_str(&text((at.0 + CELL.0 / 2.0, at.1 + CELL.1 / 2.0 + 4.5), "middle", class, &short(cell)));
            }
        }
    }

    /// The scale of colours, with its ends and its middle named.
    fn legend_to(&self, svg: &mut String, (middle, y): (f64, f64)) {
        let step_width = 24.0;
        let left = middle - step_width * STEPS as f64 / 2.0;
        for step in 0..STEPS {
            svg.push_str(&rect((left + step as f64 * step_width, y), (step_width, 14.0), &format!("s{step}")));
        }
        svg.push_str(&rect((left, y), (step_width * STEPS as f64, 14.0), "frame"));
        let top = self.top();
        for (part, value) in [(0.0, 0.0), (0.5, top / 2.0), (1.0, top)] {
            let x = left + part * step_width * STEPS as f64;
            svg.push_str(&text((x, y + 30.0), "middle", "value", &format!("{value}")));
        }
    }
}
