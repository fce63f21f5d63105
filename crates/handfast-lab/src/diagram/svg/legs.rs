//! The messengers: slanted arrows, captures, unknown ends, and waits on the road.

use super::super::layout::{Layout, Leg, Row, channels, last_channel, tracks_on_the_left};
use super::super::{Diagram, End, Item, Message};
use super::page::Class;
use super::{DOT, Metrics, Picture, SLANT, pixels, wrapped};

/// How much a further lane of waits takes.
const LANE: f64 = 18.0;
/// How far a messenger comes, as a part of its way, before it is about to meet another.
const MEETING: f64 = 0.44;
/// From a life line to the first lane.
const FIRST_LANE: f64 = 40.0;

/// Pixels that a messenger would like to have between two life lines.
pub(super) fn wanted(message: &Message, meets: bool) -> f64 {
    let label = pixels(&message.label, Class::Request);
    if meets {
        return (label + 22.0) / MEETING;
    }
    let after = message.ends.iter().map(|end| match end {
        End::Arrives { note, .. } => (label + note.as_deref().map_or(0.0, |note| pixels(note, Class::Unknown) + 20.0)) + 60.0,
        // The end is in the middle, and both halves have to hold their text.
        End::Captured { how: text } | End::Unknown { seen: text } => 2.0 * (label + 44.0).max(pixels(text, Class::Lost) + 34.0),
    });
    after.fold(label + 60.0, f64::max)
}

/// Whether the word at the end of a messenger that reaches nobody may need a second line.
pub(super) fn said_wraps(diagram: &Diagram, layout: &Layout, metrics: &Metrics, item: usize) -> bool {
    let Some(Item::Message(message)) = diagram.items.get(item) else { return false };
    if layout.meets(item) {
        return false;
    }
    // After a wait only half of what is left of the road is beyond the end.
    let half = metrics.channel / if layout.track(item).is_some() { 4.0 } else { 2.0 };
    let room = half - 27.0 - waits_width(layout.lanes(last_channel(message)));
    message.ends.iter().any(|end| match end {
        End::Captured { how: text } | End::Unknown { seen: text } => pixels(text, Class::Lost) > room,
        End::Arrives { .. } => false,
    })
}

/// Pixels from a life line that the waits of so many lanes take.
pub(super) fn waits_width(lanes: usize) -> f64 {
    if lanes == 0 { 0.0 } else { FIRST_LANE - 6.0 + lanes as f64 * LANE }
}

/// A messenger's way in a row.
struct Way<'a> {
    message: &'a Message,
    from: (f64, f64),
    rightwards: bool,
    class: &'static str,
    head: &'static str,
    text: Class,
}

impl Picture<'_> {
    fn message(&self, item: usize) -> Option<&Message> {
        match self.diagram.items.get(item) {
            Some(Item::Message(message)) => Some(message),
            Some(Item::Event(_) | Item::Fold { .. }) | None => None,
        }
    }

    /// Whether that leg arrives at that life line.
    pub(super) fn arrives_at(&self, item: usize, leg: Leg, line: usize) -> bool {
        let arrives = matches!(leg, Leg::Branch { .. } | Leg::Trunk { direct: Some(_) } | Leg::Lands);
        arrives && self.message(item).is_some_and(|message| message.to.0 == line)
    }

    fn track_x(&self, item: usize) -> Option<f64> {
        let (track, message) = (self.layout.track(item)?, self.message(item)?);
        let offset = FIRST_LANE + track.lane as f64 * LANE;
        let on_the_left = tracks_on_the_left(track.channel, self.metrics.lines.len(), message);
        Some(if on_the_left {
            self.metrics.lines[track.channel] + offset
        } else {
            self.metrics.lines[track.channel + 1] - offset
        })
    }

    /// How far down the leg is at `x`, for a leg that began at `from` and slants over a whole channel.
    fn slope(&self, from: (f64, f64), x: f64, span: f64) -> f64 {
        from.1 + SLANT * (x - from.0).abs() / span
    }

    pub(super) fn legs(&mut self, row: &Row, y: f64) {
        let diagram = self.diagram;
        for &(item, leg) in &row.legs {
            let Some(Item::Message(message)) = diagram.items.get(item) else { continue };
            let (class, head, text) = if message.is_reply {
                ("reply", "reply-head", Class::Reply)
            } else {
                ("request", "request-head", Class::Request)
            };
            let from = (self.metrics.lines[message.from.0], y);
            let way = Way { message, from, rightwards: message.from < message.to, class, head, text };
            let track = self.track_x(item);
            match leg {
                Leg::Trunk { direct } => self.trunk(&way, track, direct.is_some()),
                Leg::Branch { end, .. } => {
                    if let Some(x) = track {
                        self.branch(&way, x, y, end);
                    }
                }
                Leg::Departs { arrives, lands } => self.departure(&way, arrives, lands),
                // Drawn with the whole arrow, where it left.
                Leg::Lands => {}
            }
        }
    }

    fn trunk(&mut self, way: &Way<'_>, track: Option<f64>, direct: bool) {
        let to = self.metrics.lines[way.message.to.0];
        let span = (to - way.from.0).abs();
        let lost = way.message.ends.iter().find(|end| !matches!(end, End::Arrives { .. }));
        if direct {
            self.arrow(way, way.from, (to, way.from.1 + SLANT));
            let stop = way.from.0 + (to - way.from.0) / channels(way.message).len().max(1) as f64;
            self.label(way, way.from, (stop, self.slope(way.from, stop, span)), &way.message.label);
            if let Some(x) = track {
                self.page.circle((x, self.slope(way.from, x, span)), 3.0, way.head);
            }
        } else if let Some(x) = track {
            let wait = (x, self.slope(way.from, x, span));
            self.page.line(way.from, wait, way.class);
            if lost.is_some() {
                self.page.circle(wait, 3.0, way.head);
                self.ending(way, wait, lost);
            }
            if self.trunk_has_label(way, x) {
                self.label(way, way.from, wait, &way.message.label);
            }
        } else {
            self.ending(way, way.from, lost);
        }
    }

    /// The whole way of a messenger that meets another, or up to its capture just before that.
    fn departure(&mut self, way: &Way<'_>, arrives: bool, lands: Option<usize>) {
        let to = self.metrics.lines[way.message.to.0];
        let end = (to, lands.map_or(way.from.1, |row| self.metrics.rows[row]) + SLANT);
        let met = (way.from.0 + (end.0 - way.from.0) * MEETING, way.from.1 + (end.1 - way.from.1) * MEETING);
        if arrives {
            self.arrow(way, way.from, end);
        } else {
            let back = if way.rightwards { -8.0 } else { 8.0 };
            self.page.line(way.from, (met.0 + back, met.1), way.class);
            self.page.cross(met, 6.5, "cross");
        }
        self.label(way, way.from, met, &way.message.label);
    }

    /// A leg that starts at `start` and reaches nobody.
    fn ending(&mut self, way: &Way<'_>, start: (f64, f64), end: Option<&End>) {
        let channel = last_channel(way.message);
        let (left, right) = (self.metrics.lines[channel], self.metrics.lines[channel + 1]);
        let span = (self.metrics.lines[way.message.to.0] - way.from.0).abs();
        let alone = start == way.from;
        // In the middle of the road, or half-way from where it waited.
        let x = if alone { (left + right) / 2.0 } else { (start.0 + if way.rightwards { right } else { left }) / 2.0 };
        let stop = (x, self.slope(way.from, x, span));
        let towards = if way.rightwards { 1.0 } else { -1.0 };
        let (class, said, kind) = match end {
            Some(End::Captured { how }) => (way.class.to_owned(), how.as_str(), Some(Class::Lost)),
            Some(End::Unknown { seen }) => (format!("{} wait", way.class), seen.as_str(), Some(Class::Unknown)),
            Some(End::Arrives { .. }) | None => (format!("{} wait", way.class), "", None),
        };
        self.page.line(start, (stop.0 - 8.0 * towards, stop.1), &class);
        if alone {
            let first = way.from.0 + (self.metrics.channel - 8.0) * towards;
            let reach = if channels(way.message).len() == 1 { stop.0 - 4.0 * towards } else { first };
            self.label(way, way.from, (reach, self.slope(way.from, reach, span)), &way.message.label);
        }
        let beyond = stop.0 + 15.0 * towards;
        let anchor = if way.rightwards { "start" } else { "end" };
        match kind {
            Some(Class::Lost) => self.page.cross(stop, 6.5, "cross"),
            Some(_) => {
                self.page.circle(stop, 8.0, "unknown");
                self.page.text(stop.0, stop.1 + 4.3, "middle", Class::UnknownMark, "?");
            }
            None => self.page.head(start, stop, way.head),
        }
        if let Some(class) = kind {
            // Waits on that side, and what they say, keep their room.
            let waits_there = tracks_on_the_left(channel, self.metrics.lines.len(), way.message) != way.rightwards;
            let lanes = if waits_there { self.layout.lanes(channel) } else { 0 };
            let waits = waits_width(lanes);
            let room = (if way.rightwards { right - beyond } else { beyond - left }) - 12.0 - waits;
            for (index, line) in two_lines(said, class, room).iter().enumerate() {
                self.page.text(beyond, stop.1 + 4.3 + index as f64 * 14.0, anchor, class, line);
            }
        }
    }

    fn branch(&mut self, way: &Way<'_>, x: f64, y: f64, end: usize) {
        let to = self.metrics.lines[way.message.to.0];
        let span = self.metrics.channel;
        let arrival = (to, y + SLANT);
        let start = (x, arrival.1 - SLANT * (to - x).abs() / span);
        self.arrow(way, start, arrival);
        let note = match way.message.ends.get(end) {
            Some(End::Arrives { note: Some(note), .. }) => note.as_str(),
            Some(End::Arrives { note: None, .. } | End::Captured { .. } | End::Unknown { .. }) | None => "",
        };
        if !self.trunk_has_label(way, x) {
            let label = if note.is_empty() { way.message.label.clone() } else { format!("{}, {note}", way.message.label) };
            self.label(way, start, arrival, &label);
        } else if !note.is_empty() {
            let (at, anchor) = if way.rightwards { (x - 8.0, "end") } else { (x + 8.0, "start") };
            self.page.text(at, start.1 + 4.3, anchor, Class::Unknown, note);
        }
    }

    fn trunk_has_label(&self, way: &Way<'_>, wait: f64) -> bool {
        let to = self.metrics.lines[way.message.to.0];
        (wait - way.from.0).abs() >= (wait - to).abs()
    }

    /// The waits: a dotted line down the road from where a messenger was held up to its last arrival.
    pub(super) fn waits(&mut self) {
        let layout = self.layout;
        for track in &layout.tracks {
            let (Some(x), Some(message)) = (self.track_x(track.item), self.message(track.item)) else { continue };
            let class = if message.is_reply { "reply wait" } else { "request wait" };
            let from = (self.metrics.lines[message.from.0], self.metrics.rows[track.from]);
            let to = self.metrics.lines[message.to.0];
            let top = self.slope(from, x, (to - from.0).abs());
            let bottom = self.metrics.rows[track.to] + SLANT - SLANT * (to - x).abs() / self.metrics.channel;
            self.page.line((x, top), (x, bottom), class);
        }
    }

    /// An arrow whose tip stops short of the mark or life line it points to.
    fn arrow(&mut self, way: &Way<'_>, from: (f64, f64), to: (f64, f64)) {
        let (dx, dy) = (to.0 - from.0, to.1 - from.1);
        let length = dx.hypot(dy).max(1.0);
        let back = |distance: f64| (to.0 - dx / length * distance, to.1 - dy / length * distance);
        self.page.line(from, back(DOT + 9.0), way.class);
        self.page.head(from, back(DOT + 1.0), way.head);
    }

    /// The label above the middle of a leg, along it.
    fn label(&mut self, way: &Way<'_>, from: (f64, f64), to: (f64, f64), label: &str) {
        let (left, right) = if from.0 < to.0 { (from, to) } else { (to, from) };
        let degrees = (right.1 - left.1).atan2(right.0 - left.0).to_degrees();
        let middle = ((left.0 + right.0) / 2.0, (left.1 + right.1) / 2.0 - 6.0);
        let label = shortened(label, way.text, right.0 - left.0 - 22.0);
        self.page.slanted(middle, degrees, way.text, &label);
    }
}

/// A text of this class in at most that many pixels, its end replaced by `…` where it is longer.
pub(super) fn shortened(text: &str, class: Class, room: f64) -> String {
    if pixels(text, class) <= room {
        return text.to_owned();
    }
    cut(text, class, room)
}

/// The beginning of a text of this class, with `…` behind it, in at most that many pixels.
fn cut(text: &str, class: Class, room: f64) -> String {
    let mut text = text.to_owned();
    while !text.is_empty() && pixels(&text, class) + pixels("…", class) > room {
        text.pop();
    }
    if pixels("…", class) <= room { text + "…" } else { text }
}

/// A text of this class in at most two lines of that many pixels. Where a word does not fit, none: the mark alone says as much.
fn two_lines(text: &str, class: Class, room: f64) -> Vec<String> {
    let widest = class.font().widest_word(text);
    if room < widest.max(50.0) {
        return Vec::new();
    }
    let mut lines = wrapped(text, class, room);
    if lines.len() > 2 {
        lines.truncate(2);
        if let Some(last) = lines.last_mut() {
            *last = cut(last, class, room);
        }
    }
    lines
}
