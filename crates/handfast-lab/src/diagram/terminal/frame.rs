//! What stands around the picture: title and names above it; outcomes, verdict, legend and caption below.

use super::super::layout::Life;
use super::super::{End, Item, Mark, Tone};
use super::{Style, Terminal, columns, shorten, wrap};

impl Terminal<'_> {
    pub(super) fn head(&mut self, width: usize) {
        for line in wrap(&self.diagram.title, width, columns) {
            let y = self.canvas.line();
            self.canvas.text(0, y, &line, Style::Strong);
        }
        self.canvas.line();
        if self.diagram.lines.is_empty() {
            return;
        }
        let room = self.metrics.channel.saturating_sub(5);
        // Half a role would be a riddle: where one does not fit, none is given.
        let roles = || self.diagram.lines.iter().map(|line| columns(&line.role));
        let has_roles = roles().any(|role| role > 0) && roles().all(|role| role <= room);
        let top = self.canvas.line();
        let rows = 1 + usize::from(has_roles);
        for _ in 0..=rows {
            self.canvas.line();
        }
        let [top_left, top_right, low_left, low_right] = self.glyphs.corners;
        for (line, &x) in self.diagram.lines.iter().zip(&self.metrics.lines) {
            let role = if has_roles { line.role.as_str() } else { "" };
            let texts = [shorten(&line.name, room), role.to_owned()];
            let inner = texts.iter().map(|text| columns(text)).max().unwrap_or(0) + 2;
            let (left, right) = (x.saturating_sub(inner / 2 + 1), x.saturating_sub(inner / 2 + 1) + inner + 1);
            let bottom = top + rows + 1;
            for x in left + 1..right {
                self.canvas.put(x, top, self.glyphs.across, Style::Plain);
                self.canvas.put(x, bottom, self.glyphs.across, Style::Plain);
            }
            for y in top + 1..bottom {
                self.canvas.put(left, y, self.glyphs.alive, Style::Plain);
                self.canvas.put(right, y, self.glyphs.alive, Style::Plain);
            }
            let corners = [(left, top, top_left), (right, top, top_right), (left, bottom, low_left), (right, bottom, low_right)];
            for (x, y, corner) in corners {
                self.canvas.put(x, y, corner, Style::Plain);
            }
            self.canvas.put(x, bottom, self.glyphs.stem, Style::Plain);
            for (index, text) in texts.iter().enumerate() {
                let style = if index == 0 { Style::Strong } else { Style::Muted };
                self.canvas.text(left + 1 + (inner - columns(text)) / 2, top + 1 + index, text, style);
            }
        }
        self.place_between();
    }

    /// The name of what lies between, in every channel below the names.
    fn place_between(&mut self) {
        let Some(place) = &self.diagram.between else { return };
        let y = self.life_lines(&vec![Life::Alive; self.diagram.lines.len()], false, 0);
        let place = shorten(place, self.metrics.channel.saturating_sub(2));
        for &x in self.metrics.lines.split_last().map_or(&[][..], |(_, inner)| inner) {
            self.canvas.text(x + 1 + (self.metrics.channel - columns(&place)) / 2, y, &place, Style::Muted);
        }
    }

    pub(super) fn foot(&mut self, width: usize) {
        self.outcomes();
        if let Some((tone, verdict)) = &self.diagram.verdict {
            self.verdict(*tone, verdict, width);
        }
        self.canvas.line();
        let legend = self.legend();
        let blank = if legend.is_empty() { &[][..] } else { &[String::new()] };
        let caption: Vec<String> = self.diagram.caption.iter().flat_map(|text| wrap(text, width, columns)).collect();
        let blank = if caption.is_empty() { &[][..] } else { blank };
        for line in wrap_items(&legend, width).iter().chain(blank).chain(&caption) {
            let y = self.canvas.line();
            self.canvas.text(0, y, line, Style::Muted);
        }
    }

    fn outcomes(&mut self) {
        if self.diagram.lines.is_empty() {
            return;
        }
        let last = self.layout.lives.last();
        let y = self.canvas.line();
        let mut lines = y;
        for (number, line) in self.diagram.lines.iter().enumerate() {
            let x = self.metrics.lines[number];
            let dead = last.is_some_and(|lives| lives[number] == Life::Dead);
            self.canvas.put(x, y, if dead { ' ' } else { self.glyphs.foot }, Style::Plain);
            let Some((tone, text)) = &line.outcome else { continue };
            let first = number == 0;
            let end = number + 1 == self.diagram.lines.len();
            // Half a channel to either side, or what the margin has.
            let half = self.metrics.channel / 2;
            let left = if first { half.min(self.metrics.time + self.metrics.left) } else { half };
            let right = if end { half.min(self.metrics.right) } else { half };
            for (index, part) in wrap(text, (2 * left.min(right)).max(8), columns).iter().enumerate() {
                while lines < y + 1 + index {
                    lines = self.canvas.line();
                }
                self.canvas.text(x.saturating_sub(columns(part) / 2), y + 1 + index, part, Style::from(*tone));
            }
        }
    }

    fn verdict(&mut self, tone: Tone, verdict: &str, width: usize) {
        let style = Style::from(tone);
        let lines = wrap(verdict, width.saturating_sub(4), columns);
        let inner = lines.iter().map(|line| columns(line)).max().unwrap_or(0) + 2;
        let from = self.metrics.lines.first().copied().unwrap_or(0);
        let to = self.metrics.lines.last().copied().unwrap_or(0);
        let left = ((from + to) / 2).saturating_sub(inner / 2 + 1).min(width.saturating_sub(inner + 2));
        let [top_left, top_right, low_left, low_right] = self.glyphs.corners;
        let edge = |left: char, right: char, across: char| format!("{left}{}{right}", across.to_string().repeat(inner));
        self.canvas.line();
        let y = self.canvas.line();
        self.canvas.text(left, y, &edge(top_left, top_right, self.glyphs.across), style);
        for line in &lines {
            let y = self.canvas.line();
            self.canvas.put(left, y, self.glyphs.alive, style);
            self.canvas.text(left + 1 + (inner - columns(line)) / 2, y, line, style);
            self.canvas.put(left + inner + 1, y, self.glyphs.alive, style);
        }
        let y = self.canvas.line();
        self.canvas.text(left, y, &edge(low_left, low_right, self.glyphs.across), style);
    }

    /// What the marks mean, as far as they occur.
    fn legend(&self) -> Vec<String> {
        let marked = |mark: Mark| self.diagram.marks().any(|other| other == mark);
        let ended = |like: fn(&End) -> bool| {
            self.diagram.items.iter().any(|item| matches!(item, Item::Message(message) if message.ends.iter().any(like)))
        };
        let glyphs = self.glyphs;
        let lost = self.diagram.lost_word();
        let in_doubt = self.layout.lives.iter().flatten().any(|&life| life == Life::InDoubt);
        let all = [
            (marked(Mark::Durable), glyphs.durable, "durable"),
            (marked(Mark::News), glyphs.durable, "learns"),
            (marked(Mark::Decision), glyphs.decision, "decided"),
            (marked(Mark::Demand), glyphs.demand, "deadline or cancel"),
            (lost.is_some(), glyphs.captured, lost.unwrap_or_default()),
            (ended(|end| matches!(end, End::Unknown { .. })), glyphs.unknown, "no answer seen"),
            (!self.layout.tracks.is_empty(), glyphs.waits, "held up on the road"),
            (in_doubt, glyphs.in_doubt, "in doubt"),
            (marked(Mark::Crash), glyphs.crash, "killed"),
            (marked(Mark::Restart), glyphs.restart, "back"),
        ];
        all.iter().filter(|(used, _, _)| *used).map(|(_, glyph, word)| format!("{glyph} {word}")).collect()
    }
}

/// Items side by side, in lines of at most `width` columns, none broken.
fn wrap_items(items: &[String], width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for item in items {
        match lines.last_mut() {
            Some(line) if columns(line) + 3 + columns(item) <= width => {
                line.push_str("   ");
                line.push_str(item);
            }
            Some(_) | None => lines.push(item.clone()),
        }
    }
    lines
}
