//! Draws a diagram as an SVG document: slanted messengers, shaded doubt, light and dark colours by the reader's scheme.

mod frame;
mod legs;
mod page;
#[cfg(test)]
mod tests;

use self::page::{Class, Page, STYLE};
use super::layout::{self, Cell, Layout, Leg, Life, Row};
use super::measure::{duration, pause, printable};
use super::{Clock, Diagram, Item, Mark};
use crate::svg::escape;

/// Sizes in pixels of the document.
const EDGE: f64 = 28.0;
const LINE_HEIGHT: f64 = 17.0;
/// How far a messenger slants down on its way across a channel.
const SLANT: f64 = 18.0;
/// From the top of a row to where its points begin.
const ROW_TOP: f64 = 12.0;
const DOT: f64 = 5.5;

/// Where everything is.
#[derive(Debug)]
struct Metrics {
    lines: Vec<f64>,
    channel: f64,
    time: f64,
    left: f64,
    right: f64,
    width: f64,
    /// Where the points of every row begin.
    rows: Vec<f64>,
    /// Where the life lines begin and end.
    top: f64,
    bottom: f64,
}

struct Picture<'a> {
    diagram: &'a Diagram,
    layout: &'a Layout,
    metrics: Metrics,
    page: Page,
    start: u64,
}

pub(super) fn render(diagram: &Diagram) -> String {
    let diagram = &diagram.with_texts(printable);
    let (page, width, height) = draw(diagram);
    let title = escape(&diagram.title);
    let told = escape(&diagram.to_sentences().join(" "));
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" \
         role=\"img\" aria-labelledby=\"title desc\">\n<title id=\"title\">{title}</title>\n<desc id=\"desc\">{told}</desc>\n\
         <style>{STYLE}</style>\n<rect class=\"sheet\" x=\"0.5\" y=\"0.5\" width=\"{}\" height=\"{}\" rx=\"10\"/>\n{}</svg>\n",
        width - 1.0,
        height - 1.0,
        page.into_text(),
    )
}

/// Everything inside the document, and its width and height.
fn draw(diagram: &Diagram) -> (Page, f64, f64) {
    let layout = &layout::layout(diagram);
    let mut metrics = widths(diagram, layout);
    let top = frame::head_height(diagram, &metrics);
    let heights = heights(diagram, layout, &metrics);
    metrics.top = top;
    let mut y = top + frame::BETWEEN;
    for (row, height) in layout.rows.iter().zip(&heights) {
        if row.pause.is_some() {
            y += PAUSE;
        }
        metrics.rows.push(y + ROW_TOP);
        y += height;
    }
    metrics.bottom = y + ROW_TOP;
    let start = layout.rows.first().map_or(0, |row| row.time);
    let mut picture = Picture { diagram, layout, metrics, page: Page::default(), start };
    picture.bands();
    picture.head();
    picture.rows();
    let height = picture.foot();
    (picture.page, picture.metrics.width.ceil(), height.ceil())
}

/// Height of the gap that stands for a long pause.
const PAUSE: f64 = 30.0;

/// Pixels that a text of this class takes.
fn pixels(text: &str, class: Class) -> f64 {
    class.font().width(text)
}

/// Lines of a text of this class, none wider than `width` pixels.
fn wrapped(text: &str, class: Class, width: f64) -> Vec<String> {
    class.font().lines(text, width.max(40.0))
}

fn mark_of<'a>(diagram: &'a Diagram, row: &Row, line: usize) -> Option<(Mark, &'a str)> {
    row.marks.get(line).copied().flatten().and_then(|placed| diagram.mark_of(placed.item))
}

fn widths(diagram: &Diagram, layout: &Layout) -> Metrics {
    let count = diagram.lines.len();
    let margin = |cell: usize, line: usize| {
        let texts = layout.rows.iter().filter(|row| row.cells.get(cell) == Some(&Cell::Text(line)));
        let widest = texts.filter_map(|row| mark_of(diagram, row, line)).map(|(mark, text)| pixels(text, Class::of(mark)));
        let half_head = diagram.lines.get(line).map_or(0.0, |line| frame::head_width(line) / 2.0);
        let half_foot = diagram.lines.get(line).map_or(0.0, |line| frame::foot_width(line) / 2.0);
        (widest.fold(0.0, f64::max).min(220.0) + 22.0).max(half_head).max(half_foot)
    };
    let wanted = |channel: usize| {
        let legs = diagram.items.iter().enumerate().filter_map(|(number, item)| match item {
            Item::Message(message) if message.from != message.to && layout::last_channel(message) == channel => {
                Some(legs::wanted(message, layout.meets(number)))
            }
            Item::Message(_) | Item::Event(_) | Item::Fold { .. } => None,
        });
        let texts = layout.rows.iter().filter_map(|row| match row.cells.get(channel + 1) {
            Some(&Cell::Text(line)) => {
                mark_of(diagram, row, line).map(|(mark, text)| pixels(text, Class::of(mark)).min(150.0) + 40.0)
            }
            Some(Cell::Free | Cell::Leg) | None => None,
        });
        // What is said of a capture stands in half a channel, beside the waits.
        legs.chain(texts).fold(0.0, f64::max) + 1.5 * legs::waits_width(layout.lanes(channel))
    };
    let heads = diagram.lines.windows(2).map(|pair| {
        let half = |line| frame::head_width(line).max(frame::foot_width(line)) / 2.0;
        let (one, other, city) = (half(&pair[0]), half(&pair[1]), 2.0 * frame::half_city(diagram));
        // The city lies in the middle, whichever of the two boxes is the wider.
        (one + other + city + 28.0).max(2.0 * one.max(other) + city + 12.0)
    });
    // What is written along a messenger is shortened where the road would get too long; names are not.
    let longest = if count == 2 { 390.0 } else { 350.0 };
    let road = (0..count.saturating_sub(1)).map(wanted).fold(190.0, f64::max).min(longest);
    let channel = heads.fold(road, f64::max);
    let time = match diagram.clock {
        Clock::Steps => diagram.ticks.iter().map(|(_, text)| pixels(text, Class::Time) + 16.0).fold(0.0, f64::max),
        Clock::Milliseconds => {
            let start = layout.rows.first().map_or(0, |row| row.time);
            let times = layout.rows.iter().map(|row| pixels(&duration(row.time - start), Class::Time));
            let pauses = layout.rows.iter().filter_map(|row| row.pause).map(|ms| pixels(&pause(ms), Class::Time) + 12.0);
            times.chain(pauses).fold(0.0, f64::max) + 16.0
        }
    };
    let (left, right) = (margin(0, 0), margin(count, count.saturating_sub(1)));
    let first = EDGE + time + left;
    let lines: Vec<f64> = (0..count).map(|line| first + line as f64 * channel).collect();
    let folds = diagram.items.iter().filter_map(|item| match item {
        Item::Fold { text, .. } => Some(pixels(text, Class::Aside) + 40.0),
        Item::Event(_) | Item::Message(_) => None,
    });
    let least = folds.fold(pixels(&diagram.title, Class::Title), f64::max).min(560.0) + 2.0 * EDGE;
    let width = lines.last().map_or(first, |last| last + right + EDGE).max(least).max(360.0);
    // What the title needs beyond the picture is shared by both sides.
    let slack = (width - lines.last().map_or(first, |last| last + right + EDGE)) / 2.0;
    let lines = lines.into_iter().map(|x| x + slack).collect();
    Metrics { lines, channel, time, left: left + slack, right: right + slack, width, rows: Vec::new(), top: 0.0, bottom: 0.0 }
}

/// How high every row is: a leg needs its slant, a text its lines.
fn heights(diagram: &Diagram, layout: &Layout, metrics: &Metrics) -> Vec<f64> {
    let height = |(number, row): (usize, &Row)| {
        if row.fold.is_some() {
            return 30.0;
        }
        // What was seen instead of an answer may need a second line.
        let departs = row.legs.iter().any(|&(_, leg)| matches!(leg, Leg::Departs { lands: Some(_), .. }));
        let wraps = row.legs.iter().any(|&(item, _)| legs::said_wraps(diagram, layout, metrics, item));
        let second = if wraps { 14.0 } else { 0.0 };
        let leg: f64 = if row.legs.is_empty() || departs { 0.0 } else { SLANT + 28.0 + second };
        let texts = row.marks.iter().enumerate().filter_map(|(line, placed)| {
            let (mark, text) = mark_of(diagram, row, line)?;
            let cell = row.cells.iter().position(|&cell| cell == Cell::Text(line))?;
            let (_, width, _) = text_place(metrics, layout, line, cell, number);
            let lines = wrapped(text, Class::of(mark), width).len() as f64;
            let below = if placed.is_some_and(|placed| placed.at_arrival) { SLANT } else { 0.0 };
            Some(below + lines * LINE_HEIGHT + 15.0)
        });
        texts.fold(leg, f64::max).max(30.0)
    };
    layout.rows.iter().enumerate().map(height).collect()
}

/// Where the text of a mark begins (or ends, if it stands to the left of its life line), how wide it may be, and whether
/// it ends there.
fn text_place(metrics: &Metrics, layout: &Layout, line: usize, cell: usize, row: usize) -> (f64, f64, bool) {
    let x = metrics.lines[line];
    let to_the_left = cell == line;
    let room = if cell == 0 {
        metrics.left - 6.0
    } else if cell == metrics.lines.len() {
        metrics.right - 6.0
    } else {
        metrics.channel - 26.0 - legs::waits_width(layout.lanes_at(cell - 1, row))
    };
    if to_the_left { (x - 13.0, room - 13.0, true) } else { (x + 13.0, room - 13.0, false) }
}

impl Picture<'_> {
    fn rows(&mut self) {
        self.life_lines();
        self.waits();
        let layout = self.layout;
        let mut printed = None;
        let ticks = layout.ticks(self.diagram);
        for (number, row) in layout.rows.iter().enumerate() {
            let y = self.metrics.rows[number];
            if let Some(ms) = row.pause {
                self.time(y - ROW_TOP - PAUSE / 2.0 + 4.0, &format!("⋮ {}", pause(ms)));
            }
            if let Some(Item::Fold { text, .. }) = row.fold.and_then(|fold| self.diagram.items.get(fold)) {
                let lines = &self.metrics.lines;
                let middle = (lines.first().unwrap_or(&0.0) + lines.last().unwrap_or(&0.0)) / 2.0;
                let text = legs::shortened(&format!("⋮ {text}"), Class::Aside, self.metrics.width - 2.0 * EDGE);
                let half = EDGE + pixels(&text, Class::Aside) / 2.0;
                let middle = middle.max(half).min((self.metrics.width - half).max(half));
                self.page.text(middle, y + 6.0, "middle", Class::Aside, &text);
                continue;
            }
            if self.diagram.clock == Clock::Milliseconds && printed != Some(row.time) {
                self.time(y + 4.0, &duration(row.time - self.start));
                printed = Some(row.time);
            }
            if let Some(tick) = ticks[number] {
                self.time(y + 4.0, tick);
            }
            self.legs(row, y);
        }
        // Marks and their texts lie above every line.
        for (number, row) in layout.rows.iter().enumerate() {
            self.marks(row, number);
        }
    }

    fn time(&mut self, y: f64, text: &str) {
        self.page.text(EDGE + self.metrics.time - 14.0, y, "end", Class::Time, text);
    }

    /// The level of a life line's point in a row: where legs leave, or where they arrive.
    fn level(&self, row: &Row, line: usize, y: f64) -> f64 {
        let at_arrival = row.marks[line].is_some_and(|placed| placed.at_arrival);
        if at_arrival { y + SLANT } else { y }
    }

    /// Every life line, in pieces of one kind each.
    fn life_lines(&mut self) {
        let layout = self.layout;
        for line in 0..self.metrics.lines.len() {
            let mut from = self.metrics.top;
            let mut life = Life::Alive;
            let mut pieces = Vec::new();
            for (number, row) in layout.rows.iter().enumerate() {
                let next = layout.lives[number][line];
                if next != life {
                    let arrival = row.legs.iter().any(|&(item, leg)| self.arrives_at(item, leg, line));
                    let y = self.metrics.rows[number];
                    let level = if arrival { y + SLANT } else { self.level(row, line, y) };
                    pieces.push((life, from, level));
                    (life, from) = (next, level);
                }
            }
            pieces.push((life, from, self.metrics.bottom));
            let x = self.metrics.lines[line];
            for (life, from, to) in pieces {
                match life {
                    Life::Alive => self.page.line((x, from), (x, to), "life"),
                    Life::InDoubt => {
                        self.page.rect((x - 9.0, from), (18.0, to - from), 9.0, "doubt");
                        self.page.line((x, from), (x, to), "life unsure");
                    }
                    Life::Dead => {}
                }
            }
        }
        for (number, row) in layout.rows.iter().enumerate() {
            if row.pause.is_some() {
                self.pause_marks(number, self.metrics.rows[number] - ROW_TOP - PAUSE / 2.0);
            } else if row.fold.is_some() {
                self.pause_marks(number, self.metrics.rows[number] + 2.0);
            }
        }
    }

    /// Cuts the life lines where time is left out.
    fn pause_marks(&mut self, number: usize, y: f64) {
        for line in 0..self.metrics.lines.len() {
            let before = number.checked_sub(1).and_then(|before| self.layout.lives.get(before));
            if before.is_some_and(|lives| lives[line] == Life::Dead) {
                continue;
            }
            let x = self.metrics.lines[line];
            self.page.rect((x - 10.0, y - 10.0), (20.0, 20.0), 0.0, "sheet-cut");
            for offset in [-6.0, 0.0, 6.0] {
                self.page.circle((x, y + offset), 1.4, "pause");
            }
        }
    }

    fn marks(&mut self, row: &Row, number: usize) {
        let y = self.metrics.rows[number];
        for line in 0..row.marks.len() {
            let Some((mark, text)) = mark_of(self.diagram, row, line) else { continue };
            let (x, y) = (self.metrics.lines[line], self.level(row, line, y));
            self.page.mark((x, y), mark);
            let Some(cell) = row.cells.iter().position(|&cell| cell == Cell::Text(line)) else { continue };
            let (x, width, to_the_left) = text_place(&self.metrics, self.layout, line, cell, number);
            let class = Class::of(mark);
            for (index, part) in wrapped(text, class, width).iter().enumerate() {
                let anchor = if to_the_left { "end" } else { "start" };
                self.page.text(x, y + 4.5 + index as f64 * LINE_HEIGHT, anchor, class, part);
            }
        }
    }
}
