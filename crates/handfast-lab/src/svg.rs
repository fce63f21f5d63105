//! The parts that every chart as an SVG document is made of: texts, boxes, and the styles they have in common.

use std::fmt::Write as _;

use crate::letters::Font;

/// The fonts of [`STYLE`]: of titles, of asides and values, and of the names of axes.
const TITLE: Font = Font::bold(17.0);
pub(crate) const VALUE: Font = Font::regular(13.0);
pub(crate) const AXIS: Font = Font::bold(13.0);
/// What a chart leaves free at its sides.
pub(crate) const EDGE: f64 = 28.0;

/// Texts, the sheet and the frame, for light pages.
const STYLE: &str = "
text{font-family:system-ui,-apple-system,'Segoe UI','Helvetica Neue',Arial,'DejaVu Sans',sans-serif;font-size:13px;fill:#1f2328}
.title{font-size:17px;font-weight:600}
.aside,.value{fill:#57606a}
.axis{font-weight:600}
.sheet{fill:#fff;stroke:#d8dee4}
.frame{fill:none;stroke:#8b949e}
";

/// The same for dark pages, where it differs.
const DARK_STYLE: &str = "text{fill:#e6edf3}
.aside,.value{fill:#9198a1}
.sheet{fill:#0d1117;stroke:#30363d}
.frame{stroke:#57606a}
";

/// Text as it stands in an element or in an attribute.
pub(crate) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// A chart that is being drawn.
pub(crate) struct Chart {
    svg: String,
}

impl Chart {
    /// The least width of a chart with this title and aside.
    pub(crate) fn least_width(title: &str, aside: &str) -> f64 {
        TITLE.width(title).max(VALUE.width(aside)) + 2.0 * EDGE
    }

    /// A sheet of this size with its title in the middle of its top and an aside below it. `styles` are those of the chart's
    /// own classes: for light pages, and for dark ones.
    pub(crate) fn new((width, height): (f64, f64), [title, aside]: [&str; 2], [light, dark]: [&str; 2]) -> Self {
        let svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.0} {height:.0}\" width=\"{width:.0}\" \
             height=\"{height:.0}\" role=\"img\">\n<title>{}</title>\n\
             <style>{STYLE}{light}@media (prefers-color-scheme:dark){{\n{DARK_STYLE}{dark}}}\n</style>\n",
            escape(title)
        );
        let mut chart = Self { svg };
        chart.rect((0.5, 0.5), (width - 1.0, height - 1.0), "sheet");
        chart.text((width / 2.0, 34.0), "middle", "title", title);
        chart.text((width / 2.0, 58.0), "middle", "aside", aside);
        chart
    }

    /// A text; `anchor` says which part of it is at `at`: `start`, `middle` or `end`.
    pub(crate) fn text(&mut self, at: (f64, f64), anchor: &str, class: &str, words: &str) {
        let (x, y, words) = (at.0, at.1, escape(words));
        self.element(format_args!("<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\" class=\"{class}\">{words}</text>"));
    }

    /// A text that is read from bottom to top, with its middle at `at`.
    pub(crate) fn upright(&mut self, at: (f64, f64), class: &str, words: &str) {
        let (x, y, words) = (at.0, at.1, escape(words));
        self.element(format_args!(
            "<text transform=\"translate({x:.0} {y:.1}) rotate(-90)\" text-anchor=\"middle\" class=\"{class}\">{words}</text>"
        ));
    }

    /// A box.
    pub(crate) fn rect(&mut self, at: (f64, f64), size: (f64, f64), class: &str) {
        let (x, y, width, height) = (at.0, at.1, size.0, size.1);
        self.element(format_args!(
            "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" class=\"{class}\"/>"
        ));
    }

    /// A box that says more to whoever points at it.
    pub(crate) fn told_rect(&mut self, at: (f64, f64), size: (f64, f64), class: &str, told: &str) {
        let (x, y, width, height, told) = (at.0, at.1, size.0, size.1, escape(told));
        self.element(format_args!(
            "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" class=\"{class}\"><title>{told}</title></rect>"
        ));
    }

    fn element(&mut self, element: std::fmt::Arguments<'_>) {
        // Writing to a string does not fail.
        let _written = writeln!(self.svg, "{element}");
    }

    /// The document.
    pub(crate) fn into_document(mut self) -> String {
        self.svg.push_str("</svg>\n");
        self.svg
    }
}
