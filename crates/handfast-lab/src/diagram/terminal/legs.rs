//! The messengers of a row: legs from a life line to another, to the place of a capture, or to and from a wait.

use super::super::layout::{Leg, Row, Track, channels, last_channel, tracks_on_the_left};
use super::super::{End, Item, Message};
use super::{Style, Terminal, columns, shorten};

/// Columns that a messenger would like to have between two life lines; one that meets another has half of them.
pub(super) fn wanted(message: &Message, meets: bool) -> usize {
    if meets {
        return 2 * (columns(&message.label) + 6) + 1;
    }
    let after = message.ends.iter().map(|end| match end {
        End::Arrives { .. } => 0,
        End::Captured { how } => columns(how) + 3,
        End::Unknown { seen } => columns(seen) + 3,
    });
    columns(&message.label) + 6 + after.max().unwrap_or(0)
}

/// A leg on its way across the row.
struct Way<'a> {
    message: &'a Message,
    y: usize,
    rightwards: bool,
    style: Style,
}

impl Terminal<'_> {
    pub(super) fn track_column(&self, track: &Track) -> usize {
        let Some(Item::Message(message)) = self.diagram.items.get(track.item) else { return 0 };
        let offset = (4 + 3 * track.lane).min(self.metrics.channel.saturating_sub(2));
        if tracks_on_the_left(track.channel, self.metrics.lines.len(), message) {
            self.metrics.lines[track.channel] + offset
        } else {
            self.metrics.lines[track.channel + 1] - offset
        }
    }

    pub(super) fn message_style(&self, item: usize) -> Style {
        match self.diagram.items.get(item) {
            Some(Item::Message(message)) if message.is_reply => Style::Reply,
            Some(Item::Message(_) | Item::Event(_) | Item::Fold { .. }) | None => Style::Request,
        }
    }

    pub(super) fn legs(&mut self, row: &Row, y: usize) {
        for &(item, leg) in &row.legs {
            let Some(Item::Message(message)) = self.diagram.items.get(item) else { continue };
            let way = Way { message, y, rightwards: message.from < message.to, style: self.message_style(item) };
            let track = self.layout.track(item).map(|track| self.track_column(track));
            match leg {
                Leg::Trunk { direct } => self.trunk(&way, track, direct.is_some()),
                Leg::Branch { end, last } => self.branch(&way, track, end, last),
                Leg::Departs { arrives, .. } => self.departure(&way, arrives),
                Leg::Lands => self.landing(&way),
            }
        }
    }

    fn trunk(&mut self, way: &Way<'_>, track: Option<usize>, direct: bool) {
        let from = self.metrics.lines[way.message.from.0];
        let to = self.metrics.lines[way.message.to.0];
        self.canvas.put(from, way.y, self.glyphs.leaves[usize::from(!way.rightwards)], Style::Plain);
        let lost = way.message.ends.iter().find(|end| !matches!(end, End::Arrives { .. }));
        if direct {
            self.run(way, from, to);
            self.canvas.put(step_back(to, way.rightwards), way.y, self.glyphs.heads[usize::from(!way.rightwards)], way.style);
            // A copy parts from it on the way, and the label keeps to one side of that.
            let part = match track {
                Some(x) if self.trunk_has_label(way, x) => (from, x),
                Some(x) => (x, to),
                None => (from, self.first_stop(way)),
            };
            if let Some(x) = track {
                self.canvas.put(x, way.y, self.glyphs.parts, way.style);
            }
            self.label(way, part.0, part.1, &way.message.label);
        } else if let Some(x) = track {
            self.run(way, from, x);
            let (corner, past) = (self.glyphs.turns[usize::from(!way.rightwards)], lost.is_some());
            self.canvas.put(x, way.y, if past { self.glyphs.parts } else { corner }, way.style);
            if past {
                self.ending(way, x, lost);
            }
            if self.trunk_has_label(way, x) {
                self.label(way, from, x, &way.message.label);
            }
        } else {
            self.ending(way, from, lost);
        }
    }

    /// The column in which two messengers meet.
    fn meeting_column(&self, message: &Message) -> usize {
        let channel = last_channel(message);
        usize::midpoint(self.metrics.lines[channel], self.metrics.lines[channel + 1])
    }

    /// A leg up to where it meets the other, or to where it is captured just before that.
    fn departure(&mut self, way: &Way<'_>, arrives: bool) {
        let from = self.metrics.lines[way.message.from.0];
        let stop = step_back(self.meeting_column(way.message), way.rightwards);
        let side = usize::from(!way.rightwards);
        self.canvas.put(from, way.y, self.glyphs.leaves[side], Style::Plain);
        self.run(way, from, stop);
        // The slope or the cross at its end needs no more of the line before it.
        self.label(way, from, if way.rightwards { stop + 1 } else { stop - 1 }, &way.message.label);
        let (end, style) = if arrives { (self.glyphs.slopes[side], way.style) } else { (self.glyphs.captured, Style::Bad) };
        self.canvas.put(stop, way.y, end, style);
    }

    /// The rest of it, from where they meet to its arrival.
    fn landing(&mut self, way: &Way<'_>) {
        let to = self.metrics.lines[way.message.to.0];
        let middle = self.meeting_column(way.message);
        let side = usize::from(!way.rightwards);
        let start = if way.rightwards { middle + 1 } else { middle - 1 };
        let is_met = self.canvas.at(middle, way.y - 1) != ' ';
        let (met, style) = if is_met { (self.glyphs.meeting, Style::Plain) } else { (self.glyphs.slopes[side], way.style) };
        self.canvas.put(middle, way.y - 1, met, style);
        self.canvas.put(start, way.y, self.glyphs.slopes[side], way.style);
        self.run(way, start, to);
        self.canvas.put(step_back(to, way.rightwards), way.y, self.glyphs.heads[side], way.style);
    }

    /// A leg that starts at column `from` and reaches nobody.
    fn ending(&mut self, way: &Way<'_>, from: usize, end: Option<&End>) {
        let channel = last_channel(way.message);
        let (left, right) = (self.metrics.lines[channel], self.metrics.lines[channel + 1]);
        let entry = if way.rightwards { left } else { right };
        let alone = from == self.metrics.lines[way.message.from.0];
        let one_hop = channels(way.message).len() == 1;
        let label = shorten(&way.message.label, self.metrics.channel.saturating_sub(5));
        // Half-way, or farther where the label needs the room; behind a wait that begins on the way, farther still.
        let start = if alone { entry } else { from };
        let least = if one_hop && alone { columns(&label) + 5 } else { 2 };
        let half = start.abs_diff(if way.rightwards { right } else { left }) / 2;
        let farthest = start.abs_diff(if way.rightwards { right } else { left }).saturating_sub(2);
        let length = half.max(least).min(farthest.max(1));
        let x = if way.rightwards { start + length } else { start.saturating_sub(length) };
        self.run(way, from, x);
        if alone {
            let stop = if one_hop { x } else { self.first_stop(way) };
            self.label(way, from, stop, &way.message.label);
        }
        let (glyph, style, said) = match end {
            Some(End::Captured { how }) => (self.glyphs.captured, Style::Bad, how.as_str()),
            Some(End::Unknown { seen }) => (self.glyphs.unknown, Style::Doubt, seen.as_str()),
            Some(End::Arrives { .. }) | None => (self.glyphs.heads[usize::from(!way.rightwards)], way.style, ""),
        };
        self.canvas.put(x, way.y, glyph, style);
        let room = x.abs_diff(if way.rightwards { right } else { left }).saturating_sub(3);
        // A word that does not fit would be a riddle: the mark alone says as much.
        if columns(said) <= room && !said.is_empty() {
            let at = if way.rightwards { x + 2 } else { x - 1 - columns(said) };
            if self.is_free(at, columns(said), way.y) {
                self.canvas.text(at, way.y, said, style);
            }
        }
    }

    fn branch(&mut self, way: &Way<'_>, track: Option<usize>, end: usize, last: bool) {
        let Some(x) = track else { return };
        let to = self.metrics.lines[way.message.to.0];
        self.run(way, x, to);
        let glyphs = if last { self.glyphs.resumes } else { self.glyphs.branches };
        self.canvas.put(x, way.y, glyphs[usize::from(!way.rightwards)], way.style);
        self.canvas.put(step_back(to, way.rightwards), way.y, self.glyphs.heads[usize::from(!way.rightwards)], way.style);
        let note = match way.message.ends.get(end) {
            Some(End::Arrives { note: Some(note), .. }) => note.as_str(),
            Some(End::Arrives { note: None, .. } | End::Captured { .. } | End::Unknown { .. }) | None => "",
        };
        if self.trunk_has_label(way, x) {
            // The short leg has no room for a label: the note stands on the other side of the wait.
            // Other waits may stand there, and then it keeps clear of them.
            let width = columns(note);
            let channel = last_channel(way.message);
            let (left, right) = (self.metrics.lines[channel] + 2, self.metrics.lines[channel + 1].saturating_sub(width + 1));
            let (from, to) = if way.rightwards { (left, x.saturating_sub(width)) } else { (x + 2, right) };
            let mut places = (from..to).filter(|&at| self.is_free(at, width, way.y));
            let place = if way.rightwards { places.next_back() } else { places.next() };
            if let Some(at) = place {
                self.canvas.text(at, way.y, note, Style::Doubt);
            }
        } else {
            let label = if note.is_empty() { way.message.label.clone() } else { format!("{}, {note}", way.message.label) };
            self.label(way, x, to, &label);
        }
    }

    /// Whether nothing stands in these columns, nor right beside them.
    fn is_free(&self, at: usize, width: usize, y: usize) -> bool {
        (at.saturating_sub(1)..=at + width).all(|x| self.canvas.at(x, y) == ' ')
    }

    /// Whether the label stands on the way to the wait rather than on the way from it: where there is more room.
    fn trunk_has_label(&self, way: &Way<'_>, wait: usize) -> bool {
        let from = self.metrics.lines[way.message.from.0];
        let to = self.metrics.lines[way.message.to.0];
        wait.abs_diff(from) >= wait.abs_diff(to)
    }

    /// The life line at the end of the first channel on the way.
    fn first_stop(&self, way: &Way<'_>) -> usize {
        let from = way.message.from.0;
        self.metrics.lines[if way.rightwards { from + 1 } else { from - 1 }]
    }

    /// The line itself, from column `from` up to but without column `to`.
    fn run(&mut self, way: &Way<'_>, from: usize, to: usize) {
        let columns = if way.rightwards { from + 1..to } else { to + 1..from };
        for x in columns {
            let crosses = ![' ', self.glyphs.across].contains(&self.canvas.at(x, way.y));
            let (c, style) = if crosses { (self.glyphs.crossing, Style::Plain) } else { (self.glyphs.across, way.style) };
            self.canvas.put(x, way.y, c, style);
        }
    }

    /// The label in the middle of the leg between two columns.
    fn label(&mut self, way: &Way<'_>, from: usize, to: usize, label: &str) {
        let (low, high) = (from.min(to), from.max(to));
        let room = (high - low).saturating_sub(5);
        let label = shorten(label, room);
        if label.is_empty() {
            return;
        }
        let at = low + 1 + (high - low).saturating_sub(columns(&label) + 3) / 2;
        self.canvas.text(at, way.y, &format!(" {label} "), way.style);
    }
}

/// The column before `to` on the way there.
const fn step_back(to: usize, rightwards: bool) -> usize {
    if rightwards { to - 1 } else { to + 1 }
}
