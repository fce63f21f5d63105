//! The elements of the document, written one after the other, and the style sheet that colours them.

use super::super::{Mark, Tone};
use super::DOT;
use crate::letters::Font;
use crate::svg::escape;

/// Colours by `prefers-color-scheme`; plain classes, since not every viewer knows custom properties.
pub(super) const STYLE: &str = "
text{font-family:system-ui,-apple-system,'Segoe UI','Helvetica Neue',Arial,'DejaVu Sans',sans-serif;font-size:13px;fill:#1f2328}
.title{font-size:17px;font-weight:600}
.name{font-weight:600;font-size:14px}
.time,.aside,.role,.legend{fill:#636c76;font-size:12px}
.caption{fill:#636c76;font-size:13px}
.strong{font-weight:600}
.demand{fill:#8a5a00}
.bad{fill:#c8102e;font-weight:600}
.good{fill:#117a37;font-weight:600}
.over{paint-order:stroke;stroke:#fff;stroke-width:4px;stroke-linejoin:round}
.request-text{fill:#0a5bc4}
.reply-text{fill:#6f42c1}
.lost-text{fill:#c8102e;font-size:12px}
.unknown-text{fill:#8a5a00;font-size:12px}
.sheet{fill:#fff;stroke:#d8dee4}
.sheet-cut{fill:#fff}
.city{fill:#f3f5f8}
.city-name{fill:#808a95;font-size:12px;letter-spacing:.06em}
.head{fill:#f6f8fa;stroke:#57606a;stroke-width:1.3}
.life{stroke:#57606a;stroke-width:2;fill:none}
.unsure{stroke:#9a6700;stroke-dasharray:3 5}
.doubt{fill:#ffe9ad}
.pause{fill:#57606a}
.request,.reply{stroke-width:1.8;fill:none}
.request{stroke:#0a5bc4}
.reply{stroke:#6f42c1}
.request-head{fill:#0a5bc4}
.reply-head{fill:#6f42c1}
.wait{stroke-dasharray:2 5}
.cross{stroke:#d1142f;stroke-width:3;stroke-linecap:round;fill:none}
.unknown{fill:#fff8e1;stroke:#9a6700;stroke-width:1.5}
.unknown-mark{fill:#8a5a00;font-size:12px;font-weight:700}
.durable{fill:#1f2328;stroke:#fff;stroke-width:1.5}
.decision{fill:#1f2328;stroke:#fff;stroke-width:1.5}
.demand-mark{fill:#fff;stroke:#9a6700;stroke-width:2}
.crash{stroke:#d1142f;stroke-width:2.6;stroke-linecap:round}
.restart{fill:#fff;stroke:#117a37;stroke-width:2.2}
.badge-good{fill:#dafbe1;stroke:#4ac26b}
.badge-bad{fill:#ffebe9;stroke:#ff8182}
.badge-calm{fill:#eaeef2;stroke:#afb8c1}
.badge-doubt{fill:#fff8c5;stroke:#d4a72c}
.text-good{fill:#116329;font-weight:600}
.text-bad{fill:#a40e26;font-weight:600}
.text-calm{fill:#424a53;font-weight:600}
.text-doubt{fill:#7d4e00;font-weight:600}
@media (prefers-color-scheme:dark){
text{fill:#e6edf3}
.time,.aside,.role,.legend,.caption{fill:#9198a1}
.demand,.unknown-text,.unknown-mark{fill:#e3b341}
.bad,.lost-text{fill:#ff7b72}
.good{fill:#56d364}
.over{stroke:#0d1117}
.request-text{fill:#79b8ff}
.reply-text{fill:#d2a8ff}
.sheet{fill:#0d1117;stroke:#30363d}
.sheet-cut{fill:#0d1117}
.city{fill:#161c25}
.city-name{fill:#7d8590}
.head{fill:#161b22;stroke:#8b949e}
.life{stroke:#8b949e}
.unsure{stroke:#d29922}
.doubt{fill:#3d2e05}
.pause{fill:#8b949e}
.request{stroke:#58a6ff}
.reply{stroke:#bc8cff}
.request-head{fill:#58a6ff}
.reply-head{fill:#bc8cff}
.cross,.crash{stroke:#ff6a69}
.unknown{fill:#2b2104;stroke:#d29922}
.durable,.decision{fill:#e6edf3;stroke:#0d1117}
.demand-mark{fill:#0d1117;stroke:#d29922}
.restart{fill:#0d1117;stroke:#3fb950}
.badge-good{fill:#0f2d1a;stroke:#2ea043}
.badge-bad{fill:#3c1618;stroke:#da3633}
.badge-calm{fill:#21262d;stroke:#484f58}
.badge-doubt{fill:#2e2405;stroke:#9e6a03}
.text-good{fill:#56d364}
.text-bad{fill:#ff9492}
.text-calm{fill:#d1d7e0}
.text-doubt{fill:#e3b341}
}
";

/// What a text is, from which its size and colour follow.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Class {
    Title,
    Name,
    Role,
    Time,
    Event,
    Demand,
    Good,
    Bad,
    Aside,
    City,
    Legend,
    Caption,
    Request,
    Reply,
    Lost,
    Unknown,
    UnknownMark,
    Badge(Tone),
}

impl Class {
    /// What the style sheet says of it, in figures.
    pub(super) const fn font(self) -> Font {
        match self {
            Self::Title => Font::bold(17.0),
            Self::Name => Font::bold(14.0),
            Self::Role | Self::Time | Self::Aside | Self::Legend | Self::Lost | Self::Unknown => Font::regular(12.0),
            Self::City => Font::regular(12.0).spaced(0.06),
            Self::UnknownMark => Font::bold(12.0),
            Self::Event | Self::Demand | Self::Caption | Self::Request | Self::Reply => Font::regular(13.0),
            Self::Good | Self::Bad | Self::Badge(_) => Font::bold(13.0),
        }
    }

    /// That of what happened on a life line.
    pub(super) const fn of(mark: Mark) -> Self {
        match mark {
            Mark::Durable | Mark::News | Mark::Decision => Self::Event,
            Mark::Demand => Self::Demand,
            Mark::Crash => Self::Bad,
            Mark::Restart => Self::Good,
            Mark::Note => Self::Aside,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Title => "title",
            Self::Name => "name",
            Self::Role => "role",
            Self::Time => "time",
            Self::Event => "event over",
            Self::Demand => "demand over",
            Self::Good => "good over",
            Self::Bad => "bad over",
            Self::Aside => "aside over",
            Self::City => "city-name",
            Self::Legend => "legend",
            Self::Caption => "caption",
            Self::Request => "request-text over",
            Self::Reply => "reply-text over",
            Self::Lost => "lost-text over",
            Self::Unknown => "unknown-text over",
            Self::UnknownMark => "unknown-mark",
            Self::Badge(tone) => match tone {
                Tone::Good => "text-good",
                Tone::Bad => "text-bad",
                Tone::Calm => "text-calm",
                Tone::Doubt => "text-doubt",
            },
        }
    }
}

/// The body of the document.
#[derive(Debug, Default)]
pub(super) struct Page {
    text: String,
    /// What every text covers: left, top, right, bottom.
    #[cfg(test)]
    pub(super) texts: Vec<([f64; 4], String)>,
}

/// A number with at most one decimal.
fn short(number: f64) -> String {
    let text = format!("{number:.1}");
    text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
}

impl Page {
    pub(super) fn into_text(self) -> String {
        self.text
    }

    fn push(&mut self, element: &impl std::fmt::Display) {
        self.text.push_str(&element.to_string());
        self.text.push('\n');
    }

    pub(super) fn line(&mut self, from: (f64, f64), to: (f64, f64), class: &str) {
        let [x1, y1, x2, y2] = [from.0, from.1, to.0, to.1].map(short);
        self.push(&format_args!("<line class=\"{class}\" x1=\"{x1}\" y1=\"{y1}\" x2=\"{x2}\" y2=\"{y2}\"/>"));
    }

    pub(super) fn rect(&mut self, at: (f64, f64), size: (f64, f64), radius: f64, class: &str) {
        let [x, y, width, height, radius] = [at.0, at.1, size.0, size.1, radius].map(short);
        self.push(&format_args!(
            "<rect class=\"{class}\" x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" rx=\"{radius}\"/>"
        ));
    }

    pub(super) fn circle(&mut self, at: (f64, f64), radius: f64, class: &str) {
        let [x, y, radius] = [at.0, at.1, radius].map(short);
        self.push(&format_args!("<circle class=\"{class}\" cx=\"{x}\" cy=\"{y}\" r=\"{radius}\"/>"));
    }

    fn path(&mut self, points: &[(f64, f64)], class: &str) {
        let points: Vec<String> = points.iter().map(|&(x, y)| format!("{},{}", short(x), short(y))).collect();
        self.push(&format_args!("<polygon class=\"{class}\" points=\"{}\"/>", points.join(" ")));
    }

    #[cfg(test)]
    fn covers(&mut self, at: (f64, f64), degrees: f64, anchor: &str, class: Class, text: &str) {
        let (width, size) = (class.font().width(text), class.font().size());
        let left = match anchor {
            "end" => at.0 - width,
            "middle" => at.0 - width / 2.0,
            _ => at.0,
        };
        let rise = (width / 2.0 * degrees.to_radians().sin()).abs();
        let area = [left, at.1 - 0.75 * size - rise, left + width, at.1 + 0.2 * size + rise];
        self.texts.push((area, text.to_owned()));
    }

    #[cfg(not(test))]
    const fn covers(&mut self, _at: (f64, f64), _degrees: f64, _anchor: &str, _class: Class, _text: &str) {}

    /// Text whose anchor (`start`, `middle` or `end`) is at `x`, with its base line at `y`.
    pub(super) fn text(&mut self, x: f64, y: f64, anchor: &str, class: Class, text: &str) {
        self.covers((x, y), 0.0, anchor, class, text);
        let (x, y) = (short(x), short(y));
        let anchor = if anchor == "start" { String::new() } else { format!(" text-anchor=\"{anchor}\"") };
        self.push(&format_args!("<text class=\"{}\" x=\"{x}\" y=\"{y}\"{anchor}>{}</text>", class.name(), escape(text)));
    }

    /// Text along a slope of `degrees`, centred at a point.
    pub(super) fn slanted(&mut self, at: (f64, f64), degrees: f64, class: Class, text: &str) {
        self.covers(at, degrees, "middle", class, text);
        let (x, y, degrees) = (short(at.0), short(at.1), short(degrees));
        self.push(&format_args!(
            "<text class=\"{}\" x=\"{x}\" y=\"{y}\" text-anchor=\"middle\" transform=\"rotate({degrees} {x} {y})\">{}</text>",
            class.name(),
            escape(text)
        ));
    }

    /// The head of an arrow that comes from `from`, with its tip at `tip`.
    pub(super) fn head(&mut self, from: (f64, f64), tip: (f64, f64), class: &str) {
        let (dx, dy) = (tip.0 - from.0, tip.1 - from.1);
        let length = dx.hypot(dy).max(1.0);
        let (ux, uy) = (dx / length, dy / length);
        let (bx, by) = (tip.0 - 10.0 * ux, tip.1 - 10.0 * uy);
        self.path(&[tip, (bx - 4.2 * uy, by + 4.2 * ux), (bx + 4.2 * uy, by - 4.2 * ux)], class);
    }

    pub(super) fn cross(&mut self, (x, y): (f64, f64), size: f64, class: &str) {
        self.line((x - size, y - size), (x + size, y + size), class);
        self.line((x - size, y + size), (x + size, y - size), class);
    }

    pub(super) fn mark(&mut self, at: (f64, f64), mark: Mark) {
        let (x, y) = at;
        let diamond = |size: f64| [(x, y - size), (x + size, y), (x, y + size), (x - size, y)];
        match mark {
            Mark::Durable | Mark::News => self.circle(at, DOT, "durable"),
            Mark::Decision => self.path(&diamond(8.0), "decision"),
            Mark::Demand => self.path(&diamond(6.5), "demand-mark"),
            Mark::Crash => self.cross(at, 5.5, "crash"),
            Mark::Restart => self.circle(at, DOT, "restart"),
            Mark::Note => {}
        }
    }

    /// A rounded badge with text, centred at a point.
    pub(super) fn badge(&mut self, at: (f64, f64), size: (f64, f64), tone: Tone, lines: &[String]) {
        let class = match tone {
            Tone::Good => "badge-good",
            Tone::Bad => "badge-bad",
            Tone::Calm => "badge-calm",
            Tone::Doubt => "badge-doubt",
        };
        self.rect((at.0 - size.0 / 2.0, at.1 - size.1 / 2.0), size, (size.1 / 2.0).min(14.0), class);
        let first = at.1 + 4.6 - (lines.len().saturating_sub(1)) as f64 * super::LINE_HEIGHT / 2.0;
        for (index, line) in lines.iter().enumerate() {
            self.text(at.0, first + index as f64 * super::LINE_HEIGHT, "middle", Class::Badge(tone), line);
        }
    }
}
