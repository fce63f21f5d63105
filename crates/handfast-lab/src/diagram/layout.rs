//! Puts a diagram into rows: what happens later is in the same row or a lower one, and nothing covers anything else.
//!
//! A row holds at most one mark a life line, and each of its cells (the two margins and the channels between neighbouring
//! life lines) holds at most one messenger's leg or one text. A messenger that arrives before anything else happens takes
//! one row. One that does not leaves in one row, waits on a *track* in the channel, and arrives in another.

use super::measure::duration;
use super::{Clock, Diagram, End, Item, Mark, Message};

/// What a cell of a row holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Cell {
    Free,
    Leg,
    /// The text of this row's mark on that line.
    Text(usize),
}

/// Which part of a messenger's way a row shows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Leg {
    /// It leaves; `direct` is the number of the end at which it arrives in the same row, if it does.
    Trunk { direct: Option<usize> },
    /// It, or a copy of it, arrives after a wait; `last` when nothing more waits.
    Branch { end: usize, last: bool },
    /// It leaves to meet another on the road that comes the other way; the row `lands` is that of whichever of the two arrives.
    Departs { arrives: bool, lands: Option<usize> },
    /// It arrives, after it has met the other.
    Lands,
}

/// A mark of a row.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Placed {
    /// Which item it is.
    pub(super) item: usize,
    /// It belongs to an arrival in the same row, and is level with it.
    pub(super) at_arrival: bool,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Row {
    /// When its first point happened.
    pub(super) time: u64,
    /// When its last point happened.
    pub(super) end: u64,
    /// The pause before it, where it is too long to draw.
    pub(super) pause: Option<u64>,
    /// The left margin, the channels from left to right, the right margin.
    pub(super) cells: Vec<Cell>,
    /// One a life line.
    pub(super) marks: Vec<Option<Placed>>,
    /// The legs of messengers, each with its item.
    pub(super) legs: Vec<(usize, Leg)>,
    /// What was left out here: the whole row says nothing else.
    pub(super) fold: Option<usize>,
    sends: Vec<bool>,
    arrivals: Vec<bool>,
    crossed: Vec<bool>,
}

/// A messenger's wait.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Track {
    pub(super) item: usize,
    pub(super) channel: usize,
    pub(super) lane: usize,
    pub(super) from: usize,
    pub(super) to: usize,
}

/// How a life line is drawn below a row.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Life {
    Alive,
    InDoubt,
    Dead,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Layout {
    pub(super) rows: Vec<Row>,
    pub(super) tracks: Vec<Track>,
    /// For every row, how every life line is drawn from that row's points on.
    pub(super) lives: Vec<Vec<Life>>,
}

impl Layout {
    /// How many lanes the tracks of a channel take.
    pub(super) fn lanes(&self, channel: usize) -> usize {
        self.tracks.iter().filter(|track| track.channel == channel).map(|track| track.lane + 1).max().unwrap_or(0)
    }

    /// How many of them are in use in that row.
    pub(super) fn lanes_at(&self, channel: usize, row: usize) -> usize {
        let here = self.tracks.iter().filter(|track| track.channel == channel && track.from <= row && row <= track.to);
        here.map(|track| track.lane + 1).max().unwrap_or(0)
    }

    /// Whether that messenger meets another on its way.
    pub(super) fn meets(&self, item: usize) -> bool {
        self.rows.iter().flat_map(|row| &row.legs).any(|&(leg, kind)| leg == item && matches!(kind, Leg::Departs { .. }))
    }

    /// What is to be written beside every row.
    pub(super) fn ticks<'a>(&self, diagram: &'a Diagram) -> Vec<Option<&'a str>> {
        let mut ticks = vec![None; self.rows.len()];
        for (at, text) in &diagram.ticks {
            if let Some(row) = self.rows.iter().position(|row| row.time >= *at) {
                ticks[row] = Some(text.as_str());
            }
        }
        ticks
    }

    pub(super) fn track(&self, item: usize) -> Option<&Track> {
        self.tracks.iter().find(|track| track.item == item)
    }
}

/// The tracks of a channel keep to the side where no texts begin: away from inner life lines.
pub(super) fn tracks_on_the_left(channel: usize, lines: usize, message: &Message) -> bool {
    if lines == 2 { message.to < message.from } else { channel == 0 }
}

/// The channel in which a messenger is captured or waits: the one at its receiver.
pub(super) fn last_channel(message: &Message) -> usize {
    if message.from < message.to { message.to.0 - 1 } else { message.to.0 }
}

/// The channels that a messenger crosses, from left to right.
pub(super) fn channels(message: &Message) -> std::ops::Range<usize> {
    message.from.0.min(message.to.0)..message.from.0.max(message.to.0)
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Point {
    Mark,
    Send,
    Arrive(usize),
    Fold,
}

/// Every point of the diagram with its time and item, in the order of time.
fn points(diagram: &Diagram) -> Vec<(u64, usize, Point)> {
    let mut points = Vec::new();
    for (item, what) in diagram.items.iter().enumerate() {
        match what {
            Item::Event(event) => points.push((event.at, item, Point::Mark)),
            Item::Fold { at, .. } => points.push((*at, item, Point::Fold)),
            // A messenger to oneself takes no road.
            Item::Message(message) if message.from == message.to => {}
            Item::Message(message) => {
                points.push((message.sent, item, Point::Send));
                for (end, how) in message.ends.iter().enumerate() {
                    if let End::Arrives { at, .. } = how {
                        points.push(((*at).max(message.sent), item, Point::Arrive(end)));
                    }
                }
            }
        }
    }
    // Stable: what was added first stays first among equals.
    points.sort_by_key(|&(at, _, _)| at);
    points
}

/// A pause longer than this is shortened to a mark.
fn long_pause_ms(points: &[(u64, usize, Point)]) -> u64 {
    let mut pauses: Vec<u64> =
        points.windows(2).map(|pair| pair[1].0.saturating_sub(pair[0].0)).filter(|&pause| pause > 0).collect();
    pauses.sort_unstable();
    let median = pauses.get(pauses.len() / 2).copied().unwrap_or(0);
    (median.saturating_mul(10)).clamp(50, 1_000)
}

struct Rows<'a> {
    diagram: &'a Diagram,
    rows: Vec<Row>,
    /// The row and the time of the last arrival on every life line.
    arrived: Vec<Option<(usize, u64)>>,
    /// The row of every messenger's latest arrival.
    arrived_in: Vec<Option<usize>>,
    /// The row of every messenger's trunk.
    trunks: Vec<Option<usize>>,
    long_pause_ms: Option<u64>,
}

impl Rows<'_> {
    fn push(&mut self, at: u64) -> usize {
        let lines = self.diagram.lines.len();
        let before = self.rows.last().map(|row| row.end);
        let pause =
            before.map(|before| at.saturating_sub(before)).filter(|&pause| self.long_pause_ms.is_some_and(|long| pause >= long));
        self.rows.push(Row {
            time: at,
            end: at,
            pause,
            cells: vec![Cell::Free; lines + 1],
            marks: vec![None; lines],
            legs: Vec::new(),
            fold: None,
            sends: vec![false; lines],
            arrivals: vec![false; lines],
            crossed: vec![false; lines],
        });
        self.rows.len() - 1
    }

    /// The last row, if it is of this time.
    fn current(&self, at: u64) -> Option<usize> {
        let last = self.rows.len().checked_sub(1)?;
        let row = &self.rows[last];
        (row.time == at && row.fold.is_none()).then_some(last)
    }

    /// Where the text of a mark can go: outwards at the outermost life lines, to the right or else to the left inside.
    fn text_cell(&self, row: usize, line: usize) -> Option<usize> {
        let last = self.diagram.lines.len() - 1;
        let candidates: &[usize] = match line {
            0 => &[0],
            _ if line == last => &[line + 1],
            _ => &[line + 1, line],
        };
        candidates.iter().copied().find(|&cell| self.rows[row].cells[cell] == Cell::Free)
    }

    fn is_untouched(&self, row: usize, line: usize) -> bool {
        let row = &self.rows[row];
        row.marks[line].is_none() && !row.sends[line] && !row.arrivals[line] && !row.crossed[line]
    }

    /// `arrival`: the row of the arrival that it belongs to, if it belongs to one.
    fn place_mark(&mut self, at: u64, item: usize, line: usize, arrival: Option<usize>) {
        let has_text = self.diagram.mark_of(item).is_some_and(|(_, text)| !text.is_empty());
        let text_fits = |rows: &Self, row| !has_text || rows.text_cell(row, line).is_some();
        let same_time = self.arrived[line].filter(|&(_, arrived)| arrived == at).map(|(row, _)| row);
        let arrival = arrival.or(same_time).filter(|&row| {
            let own = &self.rows[row];
            own.marks[line].is_none() && !own.sends[line] && text_fits(self, row)
        });

        let current = self.current(at).filter(|&row| self.is_untouched(row, line) && text_fits(self, row));
        let row = arrival.or(current).unwrap_or_else(|| self.push(at));
        if has_text && let Some(cell) = self.text_cell(row, line) {
            self.rows[row].cells[cell] = Cell::Text(line);
        }
        self.rows[row].marks[line] = Some(Placed { item, at_arrival: arrival.is_some() });
    }

    fn place_send(&mut self, at: u64, item: usize, message: &Message, direct: Option<usize>) {
        let fits = |rows: &Self, row: usize| {
            let own = &rows.rows[row];
            let way = channels(message);
            let inner = way.start + 1..way.end;
            !own.arrivals[message.from.0]
                && !own.crossed[message.from.0]
                && way.clone().all(|channel| own.cells[channel + 1] == Cell::Free)
                && inner.clone().all(|line| rows.is_untouched(row, line))
                && (direct.is_none() || rows.is_untouched(row, message.to.0))
        };
        let row = self.current(at).filter(|&row| fits(self, row)).unwrap_or_else(|| self.push(at));
        let own = &mut self.rows[row];
        let way = channels(message);
        for channel in way.clone() {
            own.cells[channel + 1] = Cell::Leg;
        }
        for line in way.start + 1..way.end {
            own.crossed[line] = true;
        }
        own.sends[message.from.0] = true;
        own.legs.push((item, Leg::Trunk { direct }));
        self.trunks[item] = Some(row);
        if let Some(End::Arrives { at, .. }) = direct.and_then(|end| message.ends.get(end)) {
            own.arrivals[message.to.0] = true;
            own.end = own.end.max(*at);
            self.arrived[message.to.0] = Some((row, *at));
            self.arrived_in[item] = Some(row);
        }
    }

    /// Two that leave for one another: a row in which they leave, and one in which they arrive, if any of them does.
    fn place_meeting(&mut self, at: u64, meeting: &Meeting<'_>) {
        let channel = last_channel(meeting.messages[0].1);
        let fits = |row: &Row| {
            let untouched = |line: usize| !row.sends[line] && !row.arrivals[line] && !row.crossed[line];
            row.cells[channel + 1] == Cell::Free && untouched(channel) && untouched(channel + 1)
        };
        let row = self.current(at).filter(|&row| fits(&self.rows[row])).unwrap_or_else(|| self.push(at));
        let lands = meeting.arrival.map(|arrival| self.push(arrival));
        for &(item, message) in &meeting.messages {
            let arrives = message.ends.iter().any(|end| matches!(end, End::Arrives { .. }));
            let own = &mut self.rows[row];
            own.cells[channel + 1] = Cell::Leg;
            own.sends[message.from.0] = true;
            own.legs.push((item, Leg::Departs { arrives, lands }));
            self.trunks[item] = Some(row);
            if let (Some(lands), Some(arrival), true) = (lands, meeting.arrival, arrives) {
                let own = &mut self.rows[lands];
                own.cells[channel + 1] = Cell::Leg;
                own.arrivals[message.to.0] = true;
                own.legs.push((item, Leg::Lands));
                self.arrived[message.to.0] = Some((lands, arrival));
                self.arrived_in[item] = Some(lands);
            }
        }
    }

    fn place_branch(&mut self, at: u64, item: usize, message: &Message, end: usize) {
        let cell = last_channel(message) + 1;
        let to = message.to.0;
        let current = self.current(at).filter(|&row| {
            self.rows[row].cells[cell] == Cell::Free && self.is_untouched(row, to) && self.trunks[item] != Some(row)
        });
        let row = current.unwrap_or_else(|| self.push(at));
        let own = &mut self.rows[row];
        own.cells[cell] = Cell::Leg;
        own.arrivals[to] = true;
        own.legs.push((item, Leg::Branch { end, last: false }));
        self.arrived[to] = Some((row, at));
        self.arrived_in[item] = Some(row);
    }
}

/// Whether the arrival at `points[arrival]` can be drawn in the row of its sending at `points[send]`: in between nothing
/// happens on either of its life lines but further sending by its own sender, and it is not meant to be seen as late.
fn is_direct(diagram: &Diagram, points: &[(u64, usize, Point)], send: usize, arrival: usize, message: &Message) -> bool {
    let (_, item, Point::Arrive(end)) = points[arrival] else { return false };
    let noted = matches!(message.ends.get(end), Some(End::Arrives { note: Some(_), .. }));
    let between = points.get(send + 1..arrival).unwrap_or_default();
    let undisturbed = between.iter().all(|&(time, other, point)| match (&diagram.items[other], point) {
        (Item::Message(other), Point::Send) => other.from != message.to,
        // Of two that arrive together, whichever left first is drawn first.
        (Item::Message(arriving), Point::Arrive(_)) => {
            let together = arriving.to == message.to && time == points[arrival].0;
            other == item || together || ![message.from, message.to].contains(&arriving.to)
        }
        (Item::Event(event), _) => ![message.from, message.to].contains(&event.line),
        (Item::Message(_) | Item::Fold { .. }, Point::Mark | Point::Send | Point::Arrive(_) | Point::Fold) => false,
    });
    undisturbed && !noted
}

/// Two messengers who leave for one another at the same time.
struct Meeting<'a> {
    messages: [(usize, &'a Message); 2],
    /// When those who arrive do so.
    arrival: Option<u64>,
}

/// When the messenger arrives, for one whose way is simple enough to meet another on it: it arrives once, or is captured.
fn simple_end(message: &Message) -> Option<Option<u64>> {
    match message.ends.as_slice() {
        [End::Arrives { at, note: None }] if *at > message.sent => Some(Some(*at)),
        [End::Captured { how }] if how == "captured" => Some(None),
        _ => None,
    }
}

/// The messenger that this one meets on its way, if nothing else happens until they are there.
fn meeting<'a>(diagram: &'a Diagram, points: &[(u64, usize, Point)], index: usize) -> Option<Meeting<'a>> {
    let (at, item, _) = points[index];
    let Item::Message(message) = &diagram.items[item] else { return None };
    if diagram.clock != Clock::Steps || message.from.0.abs_diff(message.to.0) != 1 {
        return None;
    }
    let &(sent, other, Point::Send) = points.get(index + 1)? else { return None };
    let Item::Message(met) = &diagram.items[other] else { return None };
    if sent != at || (met.from, met.to) != (message.to, message.from) {
        return None;
    }
    let arrival = match (simple_end(message)?, simple_end(met)?) {
        (Some(one), Some(two)) if one != two => return None,
        (Some(arrival), _) | (None, Some(arrival)) => Some(arrival),
        (None, None) => None,
    };
    let next = points[index + 2..].iter().find(|&&(_, next, _)| next != item && next != other);
    let undisturbed = arrival.is_none_or(|arrival| next.is_none_or(|&(at, _, _)| at >= arrival));
    undisturbed.then_some(Meeting { messages: [(item, message), (other, met)], arrival })
}

/// Lays the diagram out.
pub(super) fn layout(diagram: &Diagram) -> Layout {
    let points = points(diagram);
    let long = (diagram.clock == Clock::Milliseconds).then(|| long_pause_ms(&points));
    let lines = diagram.lines.len();
    let mut rows = Rows {
        diagram,
        rows: Vec::new(),
        arrived: vec![None; lines],
        arrived_in: vec![None; diagram.items.len()],
        trunks: vec![None; diagram.items.len()],
        long_pause_ms: long,
    };
    let mut direct: Vec<Option<usize>> = vec![None; diagram.items.len()];
    let mut brought = vec![false; diagram.items.len()];
    for (index, &(at, item, point)) in points.iter().enumerate() {
        match (&diagram.items[item], point) {
            (Item::Event(event), Point::Mark) => rows.place_mark(at, item, event.line.0, None),
            (Item::Message(_), Point::Send) if rows.trunks[item].is_some() => {}
            (Item::Message(message), Point::Send) => {
                if let Some(meeting) = meeting(diagram, &points, index) {
                    rows.place_meeting(at, &meeting);
                    for (item, message) in meeting.messages {
                        direct[item] = simple_end(message).flatten().map(|_| 0);
                    }
                    continue;
                }
                let arrival = (index + 1..points.len()).find(|&later| {
                    points[later].1 == item
                        && long.is_none_or(|long| points[later].0 - at < long)
                        && is_direct(diagram, &points, index, later, message)
                });
                direct[item] = arrival.and_then(|arrival| match points[arrival].2 {
                    Point::Arrive(end) => Some(end),
                    Point::Mark | Point::Send | Point::Fold => None,
                });
                rows.place_send(at, item, message, direct[item]);
            }
            (Item::Message(message), Point::Arrive(end)) => {
                if direct[item] != Some(end) {
                    rows.place_branch(at, item, message, end);
                }
                if message.brought.is_some() && !std::mem::replace(&mut brought[item], true) {
                    let row = rows.arrived_in[item];
                    rows.place_mark(at, item, message.to.0, row);
                }
            }
            (Item::Fold { .. }, Point::Fold) => {
                let row = rows.push(at);
                rows.rows[row].fold = Some(item);
            }
            (
                Item::Event(_) | Item::Message(_) | Item::Fold { .. },
                Point::Mark | Point::Send | Point::Arrive(_) | Point::Fold,
            ) => {}
        }
    }
    let mut rows = rows.rows;
    let tracks = tracks(diagram, &mut rows);
    let lives = lives(diagram, &rows);
    Layout { rows, tracks, lives }
}

/// Finds the waits, gives each the first lane that is free for its whole length, and marks the last arrival of each.
fn tracks(diagram: &Diagram, rows: &mut [Row]) -> Vec<Track> {
    let mut tracks: Vec<Track> = Vec::new();
    for (item, what) in diagram.items.iter().enumerate() {
        let Item::Message(message) = what else { continue };
        let shows = |row: &Row| row.legs.iter().any(|&(leg, _)| leg == item);
        let (Some(from), Some(to)) = (rows.iter().position(shows), rows.iter().rposition(shows)) else { continue };
        let meets = rows[from].legs.iter().any(|&(leg, kind)| leg == item && matches!(kind, Leg::Departs { .. }));
        if from == to || meets {
            continue;
        }
        for leg in &mut rows[to].legs {
            if leg.0 == item
                && let Leg::Branch { last, .. } = &mut leg.1
            {
                *last = true;
            }
        }
        let channel = last_channel(message);
        let taken = |lane: usize| {
            tracks.iter().any(|track| track.channel == channel && track.lane == lane && track.from <= to && from <= track.to)
        };
        let lane = (0..).find(|&lane| !taken(lane)).unwrap_or(0);
        tracks.push(Track { item, channel, lane, from, to });
    }
    tracks
}

/// How every life line is drawn, row by row.
fn lives(diagram: &Diagram, rows: &[Row]) -> Vec<Vec<Life>> {
    let lines = diagram.lines.len();
    let mut dead = vec![false; lines];
    let mut lives = Vec::new();
    for row in rows {
        for (line, placed) in row.marks.iter().enumerate() {
            if let Some((mark, _)) = placed.and_then(|placed| diagram.mark_of(placed.item)) {
                match mark {
                    Mark::Crash => dead[line] = true,
                    Mark::Restart => dead[line] = false,
                    Mark::Durable | Mark::News | Mark::Decision | Mark::Demand | Mark::Note => {}
                }
            }
        }
        let in_doubt = |line: usize| {
            diagram.doubts.iter().any(|doubt| {
                let touches = row.marks[line].is_some() || row.sends[line] || row.arrivals[line];
                let begun = row.time > doubt.from || (row.time == doubt.from && (touches || row.end > doubt.from));
                // The stretch ends with the row in which the news arrives.
                let over = doubt.to.is_some_and(|to| row.end > to || (row.end == to && touches));
                doubt.line.0 == line && begun && !over
            })
        };
        lives.push(
            (0..lines)
                .map(|line| {
                    if dead[line] {
                        Life::Dead
                    } else if in_doubt(line) {
                        Life::InDoubt
                    } else {
                        Life::Alive
                    }
                })
                .collect(),
        );
    }
    lives
}

/// The run in words.
pub(super) fn sentences(diagram: &Diagram) -> Vec<String> {
    let points = points(diagram);
    let start = points.first().map_or(0, |&(at, _, _)| at);
    let name = |line: super::LineId| diagram.lines[line.0].name.as_str();
    let mut sentences = Vec::new();
    for &(at, item, point) in &points {
        let when = match diagram.clock {
            Clock::Steps => String::new(),
            Clock::Milliseconds => format!("{}: ", duration(at - start)),
        };
        let said = match (&diagram.items[item], point) {
            (Item::Event(event), _) if event.mark == Mark::Crash && event.text.is_empty() => {
                format!("{} is killed", name(event.line))
            }
            (Item::Event(event), _) => format!("{}: {}", name(event.line), event.text),
            (Item::Fold { text, .. }, _) => text.clone(),
            (Item::Message(message), Point::Arrive(end)) => {
                let note = match message.ends.get(end) {
                    Some(End::Arrives { note: Some(note), .. }) => format!(" ({note})"),
                    Some(End::Arrives { note: None, .. } | End::Captured { .. } | End::Unknown { .. }) | None => String::new(),
                };
                let brought = message.brought.as_ref().map(|(_, text)| format!(": {text}")).unwrap_or_default();
                format!("{} reaches {}{note}{brought}", message.label, name(message.to))
            }
            (Item::Message(message), Point::Mark | Point::Send | Point::Fold) => {
                let fate = message.ends.iter().find_map(|end| match end {
                    End::Captured { how } => Some(format!(", {how} on the road")),
                    End::Unknown { seen } => Some(format!(", {seen}")),
                    End::Arrives { .. } => None,
                });
                format!("{} sends {} to {}{}", name(message.from), message.label, name(message.to), fate.unwrap_or_default())
            }
        };
        sentences.push(format!("{when}{said}."));
    }
    for line in &diagram.lines {
        if let Some((_, outcome)) = &line.outcome {
            sentences.push(format!("In the end {}: {outcome}.", line.name));
        }
    }
    sentences.extend(diagram.verdict.iter().map(|(_, verdict)| format!("Outcome: {verdict}.")));
    sentences
}
