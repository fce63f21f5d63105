//! What stands around the picture: title, names, the band of the city; outcomes, verdict, legend and caption.

use super::super::layout::Life;
use super::super::{Diagram, End, Item, Line, Mark};
use super::page::Class;
use super::{EDGE, LINE_HEIGHT, Metrics, Picture, pixels, wrapped};

/// Room below the names for what lies between.
pub(super) const BETWEEN: f64 = 14.0;
/// How high a line of a name is, and of a role.
const NAME_HEIGHT: f64 = 17.0;
const ROLE_HEIGHT: f64 = 16.0;
/// What a box, a badge and the verdict have beside their text, on both sides together.
const BOX: f64 = 30.0;
const BADGE: f64 = 26.0;
const VERDICT: f64 = 36.0;
/// The widest line of a life line's name, and of its outcome: what is longer breaks.
const NAME_ROOM: f64 = 200.0;
const OUTCOME_ROOM: f64 = 174.0;

/// Half the width of the band of what lies between.
pub(super) fn half_city(diagram: &Diagram) -> f64 {
    diagram.between.as_ref().map_or(0.0, |place| pixels(place, Class::City) / 2.0 + 8.0).max(34.0)
}

/// The lines of a life line's name, and of its role.
fn head_lines(line: &Line) -> [Vec<String>; 2] {
    [wrapped(&line.name, Class::Name, NAME_ROOM), wrapped(&line.role, Class::Role, NAME_ROOM)]
}

fn widest(lines: &[String], class: Class) -> f64 {
    class.font().widest(lines.iter().map(String::as_str))
}

/// How wide the box with a life line's name is.
pub(super) fn head_width(line: &Line) -> f64 {
    let [name, role] = head_lines(line);
    (widest(&name, Class::Name).max(widest(&role, Class::Role)) + BOX).max(84.0)
}

/// How wide the badge at a life line's foot is.
pub(super) fn foot_width(line: &Line) -> f64 {
    line.outcome.as_ref().map_or(0.0, |(tone, text)| {
        let class = Class::Badge(*tone);
        widest(&wrapped(text, class, OUTCOME_ROOM), class) + BADGE
    })
}

fn title_lines(diagram: &Diagram, metrics: &Metrics) -> Vec<String> {
    wrapped(&diagram.title, Class::Title, metrics.width - 2.0 * EDGE)
}

/// How high the boxes with the names are.
fn box_height(diagram: &Diagram) -> f64 {
    let heights = diagram.lines.iter().map(|line| {
        let [name, role] = head_lines(line);
        (name.len().max(1) as f64) * NAME_HEIGHT + role.len() as f64 * ROLE_HEIGHT
    });
    17.0 + heights.fold(NAME_HEIGHT, f64::max)
}

/// Where the life lines begin.
pub(super) fn head_height(diagram: &Diagram, metrics: &Metrics) -> f64 {
    let titles = title_lines(diagram, metrics).len() as f64;
    let place = if diagram.between.is_some() { 6.0 } else { 0.0 };
    EDGE + titles * 24.0 + 14.0 + place + box_height(diagram)
}

impl Picture<'_> {
    pub(super) fn head(&mut self) {
        let diagram = self.diagram;
        for (index, line) in title_lines(diagram, &self.metrics).iter().enumerate() {
            let y = EDGE + 14.0 + index as f64 * 24.0;
            self.page.text(self.metrics.width / 2.0, y, "middle", Class::Title, line);
        }
        let height = box_height(diagram);
        let top = self.metrics.top - height;
        for (line, x) in diagram.lines.iter().zip(self.metrics.lines.clone()) {
            let width = head_width(line);
            self.page.rect((x - width / 2.0, top), (width, height), 8.0, "head");
            let [names, roles] = head_lines(line);
            let high = names.len() as f64 * NAME_HEIGHT + roles.len() as f64 * ROLE_HEIGHT;
            let mut y = top + (height - high) / 2.0 - 4.0;
            for name in &names {
                y += NAME_HEIGHT;
                self.page.text(x, y, "middle", Class::Name, name);
            }
            for role in &roles {
                y += ROLE_HEIGHT;
                self.page.text(x, y, "middle", Class::Role, role);
            }
        }
    }

    /// What lies between: a pale band down the middle of every channel, with its name at the top.
    pub(super) fn bands(&mut self) {
        let Some(place) = &self.diagram.between else { return };
        let lines = self.metrics.lines.clone();
        let top = self.metrics.top - 40.0;
        let half = half_city(self.diagram);
        for pair in lines.windows(2) {
            let x = (pair[0] + pair[1]) / 2.0;
            self.page.rect((x - half, top), (2.0 * half, self.metrics.bottom - top), 10.0, "city");
            self.page.text(x, top + 24.0, "middle", Class::City, place);
        }
    }

    /// Everything below the rows; the height of the whole document.
    pub(super) fn foot(&mut self) -> f64 {
        let mut y = self.metrics.bottom;
        let diagram = self.diagram;
        let mut badges = 0.0_f64;
        for (number, line) in diagram.lines.iter().enumerate() {
            let x = self.metrics.lines[number];
            let Some((tone, text)) = &line.outcome else {
                self.page.line((x - 7.0, y), (x + 7.0, y), "life");
                continue;
            };
            let lines = wrapped(text, Class::Badge(*tone), OUTCOME_ROOM);
            let height = lines.len() as f64 * LINE_HEIGHT + 11.0;
            self.page.badge((x, y + height / 2.0), (foot_width(line), height), *tone, &lines);
            badges = badges.max(height);
        }
        y += badges + 18.0;
        let middle = match (self.metrics.lines.first(), self.metrics.lines.last()) {
            (Some(first), Some(last)) => (first + last) / 2.0,
            _ => self.metrics.width / 2.0,
        };
        if let Some((tone, verdict)) = &diagram.verdict {
            let room = 2.0 * middle.min(self.metrics.width - middle) - 2.0 * EDGE;
            let lines = wrapped(verdict, Class::Badge(*tone), room - VERDICT);
            let widest = widest(&lines, Class::Badge(*tone));
            let height = lines.len() as f64 * LINE_HEIGHT + 15.0;
            self.page.badge((middle, y + height / 2.0), (widest + VERDICT, height), *tone, &lines);
            y += height + 16.0;
        }
        y = self.legend(y);
        for text in &diagram.caption {
            for line in wrapped(text, Class::Caption, self.metrics.width - 2.0 * EDGE) {
                y += LINE_HEIGHT;
                self.page.text(EDGE, y, "start", Class::Caption, &line);
            }
            y += 6.0;
        }
        y + EDGE - 10.0
    }

    /// What the marks mean, as far as they occur, side by side and centred.
    fn legend(&mut self, y: f64) -> f64 {
        let entries = self.legend_entries();
        let size = |word: &str| 24.0 + pixels(word, Class::Legend) + 14.0;
        let room = self.metrics.width - 2.0 * EDGE;
        let mut lines: Vec<Vec<(Sample, &str)>> = Vec::new();
        for entry in entries {
            let used = lines.last().map(|line| line.iter().map(|(_, word)| size(word)).sum::<f64>());
            match lines.last_mut() {
                Some(line) if used.is_some_and(|used| used + size(entry.1) <= room) => line.push(entry),
                Some(_) | None => lines.push(vec![entry]),
            }
        }
        let mut y = y;
        for line in &lines {
            y += 20.0;
            let width: f64 = line.iter().map(|(_, word)| size(word)).sum::<f64>() - 14.0;
            let mut x = (self.metrics.width - width) / 2.0;
            for (sample, word) in line {
                self.sample((x + 9.0, y - 4.0), *sample);
                self.page.text(x + 24.0, y, "start", Class::Legend, word);
                x += size(word);
            }
        }
        y + if lines.is_empty() { 0.0 } else { 10.0 }
    }

    fn sample(&mut self, at: (f64, f64), sample: Sample) {
        match sample {
            Sample::Mark(mark) => self.page.mark(at, mark),
            Sample::Captured => self.page.cross(at, 5.0, "cross"),
            Sample::Unknown => {
                self.page.circle(at, 7.5, "unknown");
                self.page.text(at.0, at.1 + 4.3, "middle", Class::UnknownMark, "?");
            }
            Sample::Wait => self.page.line((at.0, at.1 - 8.0), (at.0, at.1 + 8.0), "request wait"),
            Sample::Doubt => {
                self.page.rect((at.0 - 7.0, at.1 - 9.0), (14.0, 18.0), 7.0, "doubt");
                self.page.line((at.0, at.1 - 9.0), (at.0, at.1 + 9.0), "life unsure");
            }
        }
    }

    fn legend_entries(&self) -> Vec<(Sample, &'static str)> {
        let marked = |mark: Mark| self.diagram.marks().any(|other| other == mark);
        let ended = |like: fn(&End) -> bool| {
            self.diagram.items.iter().any(|item| matches!(item, Item::Message(message) if message.ends.iter().any(like)))
        };
        let lost = self.diagram.lost_word();
        let in_doubt = self.layout.lives.iter().flatten().any(|&life| life == Life::InDoubt);
        let all = [
            (marked(Mark::Durable), Sample::Mark(Mark::Durable), "durable"),
            (marked(Mark::News), Sample::Mark(Mark::News), "learns"),
            (marked(Mark::Decision), Sample::Mark(Mark::Decision), "decided"),
            (marked(Mark::Demand), Sample::Mark(Mark::Demand), "deadline or cancel"),
            (lost.is_some(), Sample::Captured, lost.unwrap_or_default()),
            (ended(|end| matches!(end, End::Unknown { .. })), Sample::Unknown, "no answer seen"),
            (!self.layout.tracks.is_empty(), Sample::Wait, "held up on the road"),
            (in_doubt, Sample::Doubt, "in doubt"),
            (marked(Mark::Crash), Sample::Mark(Mark::Crash), "killed"),
            (marked(Mark::Restart), Sample::Mark(Mark::Restart), "back"),
        ];
        all.into_iter().filter(|(used, _, _)| *used).map(|(_, sample, word)| (sample, word)).collect()
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Sample {
    Mark(Mark),
    Captured,
    Unknown,
    Wait,
    Doubt,
}
