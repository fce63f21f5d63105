//! Draws a diagram with characters: box drawing or plain ASCII, with colours only when asked.

mod canvas;
mod frame;
mod legs;
#[cfg(test)]
mod tests;

use self::canvas::{ASCII, Canvas, Glyphs, Style, UNICODE};
use super::layout::{self, Cell, Layout, Leg, Life, Row};
use super::measure::{ascii, columns, duration, pause, printable, shorten, wrap};
use super::{Clock, Diagram, Item, Line, Mark};

/// How a diagram is written as text.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TextOptions {
    /// The widest line, in columns.
    pub width: usize,
    /// Only printable ASCII.
    pub ascii: bool,
    /// With ANSI colours.
    pub colour: bool,
}

impl Default for TextOptions {
    /// 80 columns of Unicode without colours.
    fn default() -> Self {
        Self { width: 80, ascii: false, colour: false }
    }
}

/// Where everything is, in columns.
#[derive(Debug)]
struct Metrics {
    /// The column of times, with a blank after it.
    time: usize,
    /// The column of every life line.
    lines: Vec<usize>,
    /// Columns strictly between two life lines.
    channel: usize,
    left: usize,
    right: usize,
    width: usize,
}

struct Terminal<'a> {
    diagram: &'a Diagram,
    layout: &'a Layout,
    glyphs: &'a Glyphs,
    metrics: Metrics,
    canvas: Canvas,
    start: u64,
}

pub(super) fn render(diagram: &Diagram, options: &TextOptions) -> String {
    let change: fn(&str) -> String = if options.ascii { |text| ascii(&printable(text)) } else { printable };
    let diagram = &diagram.with_texts(change);
    let layout = &layout::layout(diagram);
    let metrics = metrics(diagram, layout, options.width);
    let glyphs = if options.ascii { &ASCII } else { &UNICODE };
    let canvas = Canvas::new(metrics.width.max(options.width));
    let start = layout.rows.first().map_or(0, |row| row.time);
    let mut terminal = Terminal { diagram, layout, glyphs, metrics, canvas, start };
    terminal.head(options.width);
    terminal.rows();
    terminal.foot(options.width);
    let text = terminal.canvas.to_text(options.colour);
    // Only ellipses come in after the texts were made ASCII.
    if options.ascii { text.replace('…', "~") } else { text }
}

/// The texts that stand in the cell of that number, in any row.
fn texts_in(diagram: &Diagram, layout: &Layout, cell: usize) -> impl Iterator<Item = usize> {
    layout.rows.iter().filter_map(move |row| match row.cells.get(cell) {
        Some(Cell::Text(line)) => text_of(diagram, row, *line).map(columns),
        Some(Cell::Free | Cell::Leg) | None => None,
    })
}

fn text_of<'a>(diagram: &'a Diagram, row: &Row, line: usize) -> Option<&'a str> {
    row.marks[line].and_then(|placed| diagram.mark_of(placed.item)).map(|(_, text)| text)
}

/// How wide an inner text is with its mark, and with the tracks that it must not cover.
fn lanes_width(lanes: usize) -> usize {
    if lanes == 0 { 0 } else { 3 * lanes + 2 }
}

fn metrics(diagram: &Diagram, layout: &Layout, width: usize) -> Metrics {
    let count = diagram.lines.len();
    let start = layout.rows.first().map_or(0, |row| row.time);
    let time = match diagram.clock {
        Clock::Steps => diagram.ticks.iter().map(|(_, text)| columns(text) + 2).max().unwrap_or(0),
        Clock::Milliseconds => {
            let times = layout.rows.iter().map(|row| columns(&duration(row.time - start)));
            let pauses = layout.rows.iter().filter_map(|row| row.pause).map(|ms| columns(&pause(ms)) + 2);
            times.chain(pauses).max().unwrap_or(0) + 2
        }
    };
    let half_name = |line: Option<&Line>| line.map_or(0, |line| columns(&line.name).max(columns(&line.role)) / 2 + 3);
    let wanted_margin = |cell: usize, line: Option<&Line>| {
        let text = texts_in(diagram, layout, cell).max().map_or(0, |text| text + 2);
        (text.min(30).max(half_name(line)), half_name(line).max(text.min(12)))
    };
    let (mut left, least_left) = wanted_margin(0, diagram.lines.first());
    let (mut right, least_right) = wanted_margin(count, diagram.lines.last());
    let wanted_channel = (0..count.saturating_sub(1)).map(|channel| {
        let legs = diagram.items.iter().enumerate().filter_map(|(number, item)| match item {
            Item::Message(message) if message.from != message.to && layout::last_channel(message) == channel => {
                Some(legs::wanted(message, layout.meets(number)) + lanes_width(layout.lanes(channel)))
            }
            Item::Message(_) | Item::Event(_) | Item::Fold { .. } => None,
        });
        let texts = texts_in(diagram, layout, channel + 1).map(|text| text.min(24) + 3 + lanes_width(layout.lanes(channel)));
        legs.chain(texts).max().unwrap_or(0)
    });
    let has_meetings = (0..diagram.items.len()).any(|item| layout.meets(item));
    let folds = diagram.items.iter().filter_map(|item| match item {
        Item::Fold { text, .. } if count == 2 => Some(columns(text) + 2),
        Item::Fold { .. } | Item::Message(_) | Item::Event(_) => None,
    });
    let mut channel = wanted_channel.chain(folds).max().unwrap_or(0).clamp(16, if has_meetings { 45 } else { 34 });
    // Where two labels share a channel, and rounds take their room as well, texts beside it are wrapped before they are cut.
    let spares_channel = has_meetings || !diagram.ticks.is_empty();
    // What does not fit is taken from the widest texts first: they can be wrapped.
    let needed = |left: usize, right: usize, channel: usize| time + left + right + count + channel * count.saturating_sub(1);
    while needed(left, right, channel) > width {
        if (spares_channel || left.max(right) > channel) && (left > least_left || right > least_right) {
            if left > least_left && (left >= right || right <= least_right) { left -= 1 } else { right -= 1 }
        } else if channel > 14 {
            channel -= 1;
        } else if left > least_left || right > least_right {
            if left > least_left { left -= 1 } else { right -= 1 }
        } else {
            break;
        }
    }
    let lines = (0..count).map(|line| time + left + line * (channel + 1)).collect();
    Metrics { time, lines, channel, left, right, width: needed(left, right, channel) }
}

impl Terminal<'_> {
    const fn life(&self, life: Life) -> (char, Style) {
        match life {
            Life::Alive => (self.glyphs.alive, Style::Plain),
            Life::InDoubt => (self.glyphs.in_doubt, Style::Doubt),
            Life::Dead => (' ', Style::Plain),
        }
    }

    /// Adds a line with every life line and every wait in it.
    fn life_lines(&mut self, lives: &[Life], paused: bool, row: usize) -> usize {
        let y = self.canvas.line();
        for (line, &life) in lives.iter().enumerate() {
            let (alive, style) = self.life(life);
            let c = if paused && life != Life::Dead { self.glyphs.pause } else { alive };
            self.canvas.put(self.metrics.lines[line], y, c, style);
        }
        for track in self.layout.tracks.iter().filter(|track| track.from < row && row <= track.to) {
            let x = self.track_column(track);
            let style = self.message_style(track.item);
            self.canvas.put(x, y, if paused { self.glyphs.pause } else { self.glyphs.waits }, style);
        }
        y
    }

    fn rows(&mut self) {
        let layout = self.layout;
        let mut lives = vec![Life::Alive; self.diagram.lines.len()];
        let mut printed = None;
        let ticks = layout.ticks(self.diagram);
        let mut departed = 0;
        for (number, row) in layout.rows.iter().enumerate() {
            if let Some(ms) = row.pause {
                let y = self.life_lines(&lives, true, number);
                self.time(y, &format!("{} {}", self.glyphs.pause, pause(ms)));
            }
            lives.clone_from(&layout.lives[number]);
            if let Some(Item::Fold { text, .. }) = row.fold.and_then(|fold| self.diagram.items.get(fold)) {
                self.fold_row(number, &lives, text);
                continue;
            }
            let before = number.checked_sub(1).map_or(&lives, |before| &layout.lives[before]).clone();
            let lands = row.legs.iter().any(|&(_, leg)| leg == Leg::Lands);
            if lands && self.canvas.height() < departed + 2 {
                // Where the two meet.
                self.life_lines(&before, false, number);
            }
            let y = self.life_lines(&lives, false, number);
            departed = y;
            if let Some(tick) = ticks[number] {
                self.time(y, tick);
            }
            if self.diagram.clock == Clock::Milliseconds && printed != Some(row.time) {
                self.time(y, &duration(row.time - self.start));
                printed = Some(row.time);
            }
            self.legs(row, y);
            self.marks(row, number, y);
        }
    }

    fn time(&mut self, y: usize, text: &str) {
        let x = self.metrics.time.saturating_sub(1 + columns(text));
        self.canvas.text(x, y, text, Style::Muted);
    }

    fn fold_row(&mut self, number: usize, lives: &[Life], text: &str) {
        let from = self.metrics.time;
        let width = self.metrics.width.saturating_sub(from).max(20);
        let ends = (self.metrics.lines.first().copied(), self.metrics.lines.last().copied());
        let middle = usize::midpoint(ends.0.unwrap_or(from), ends.1.unwrap_or(from));
        for part in wrap(text, width - 4, columns) {
            let y = self.life_lines(lives, true, number);
            let part = format!(" {part} ");
            let x = middle.saturating_sub(columns(&part) / 2).max(from).min((from + width).saturating_sub(columns(&part)));
            self.canvas.text(x, y, &part, Style::Muted);
        }
    }

    /// The marks of a row with their texts; where a text needs more lines, the row gets them.
    fn marks(&mut self, row: &Row, number: usize, y: usize) {
        let mut last = y;
        for (line, placed) in row.marks.iter().enumerate() {
            let Some((mark, text)) = placed.and_then(|placed| self.diagram.mark_of(placed.item)) else { continue };
            let (glyph, style) = self.mark(mark);
            if let Some(glyph) = glyph {
                self.canvas.put(self.metrics.lines[line], y, glyph, style);
            }
            let Some(cell) = row.cells.iter().position(|&cell| cell == Cell::Text(line)) else { continue };
            let (x, width, to_the_left) = self.text_place(line, cell, number);
            let style = if mark == Mark::Note { Style::Muted } else { style };
            for (index, part) in wrap(text, width, columns).iter().enumerate() {
                while last < y + index {
                    last = self.life_lines(&self.layout.lives[number], false, number + 1);
                }
                let x = if to_the_left { (x + width).saturating_sub(columns(part)) } else { x };
                self.canvas.text(x, y + index, part, style);
            }
        }
    }

    /// The column where the text of a mark begins, how wide it may be, and whether it ends at the life line.
    fn text_place(&self, line: usize, cell: usize, row: usize) -> (usize, usize, bool) {
        let at = self.metrics.lines[line];
        let count = self.metrics.lines.len();
        let to_the_left = cell == line && (line > 0 || cell == 0);
        let room = match cell {
            0 => self.metrics.left,
            _ if cell == count => self.metrics.right,
            _ => self.metrics.channel.saturating_sub(1 + lanes_width(self.layout.lanes_at(cell - 1, row))),
        };
        let width = room.saturating_sub(2).max(6);
        if to_the_left { (at.saturating_sub(width + 1), width, true) } else { (at + 2, width, false) }
    }

    const fn mark(&self, mark: Mark) -> (Option<char>, Style) {
        match mark {
            Mark::Durable | Mark::News => (Some(self.glyphs.durable), Style::Plain),
            Mark::Decision => (Some(self.glyphs.decision), Style::Strong),
            Mark::Crash => (Some(self.glyphs.crash), Style::Bad),
            Mark::Restart => (Some(self.glyphs.restart), Style::Good),
            Mark::Demand => (Some(self.glyphs.demand), Style::Doubt),
            Mark::Note => (None, Style::Muted),
        }
    }
}
