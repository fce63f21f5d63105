//! Draws a run of the two generals.

use handfast_protocol::generals::{Camp, Choice};

use super::{Clock, Diagram, LineId, Mark, Tone};
use crate::generals::{Journey, Orders, Outcome, Run, Table};

/// Of a wave with more messengers than this only the first two and the last are drawn.
const DRAWN_IN_FULL: usize = 4;

/// A round is written beside the time lines where there are more of them than one can see at a glance.
const ROUNDS_AT_A_GLANCE: usize = 2;

/// The space-time diagram of a run, with its row of the problem's table.
///
/// `knows` says what general 1 and general 2 know before the first round and after each; a text is written where it changes.
#[must_use]
pub fn generals(table: &Table, run: &Run, knows: &[[String; 2]]) -> Diagram {
    generals_so_far(table, run, knows, table.rounds())
}

/// The same, as far as it has come after so many rounds: what happens later is left out, and so is the outcome.
#[must_use]
pub fn generals_so_far(table: &Table, run: &Run, knows: &[[String; 2]], rounds: usize) -> Diagram {
    let mut picture = Diagram::new(&table.name, Clock::Steps);
    picture.between("the city");
    let camps = [picture.line("general 1"), picture.line("general 2")];
    for (camp, (mark, text)) in camps.into_iter().zip(orders(table, run)) {
        if !text.is_empty() {
            picture.mark(camp, 0, mark, text);
        }
    }
    let mut painter = Painter { picture, camps, table, knows, time: 0, in_doubt: [None; 2], heard: [false; 2] };
    let until = run.journeys.partition_point(|journey| journey.round as usize <= rounds);
    for journeys in run.journeys[..until].chunk_by(|one, next| one.round == next.round) {
        painter.round(journeys);
    }
    for (camp, since) in camps.into_iter().zip(painter.in_doubt) {
        if let Some((since, _)) = since {
            painter.picture.in_doubt(camp, since, None);
        }
    }
    let Painter { mut picture, time, .. } = painter;
    if rounds >= table.rounds() {
        end(&mut picture, camps, run, time + 2);
    } else {
        picture.caption(&format!("After round {rounds} of {}.", table.rounds()));
    }
    picture
}

struct Painter<'a> {
    picture: Diagram,
    camps: [LineId; 2],
    table: &'a Table,
    knows: &'a [[String; 2]],
    /// When the next messenger leaves.
    time: u64,
    /// For each general, since when it cannot know whether what it has sent arrived, and the last round in which it sent.
    in_doubt: [Option<(u64, u32)>; 2],
    heard: [bool; 2],
}

/// A messenger to be drawn: its journey, its number in the wave, and whether it brings the news.
type Drawn<'a> = (&'a Journey, usize, bool);

impl Painter<'_> {
    /// Everything that leaves in one round: two waves that leave together cross each other.
    fn round(&mut self, journeys: &[Journey]) {
        let round = journeys[0].round;
        if self.table.rounds() > ROUNDS_AT_A_GLANCE {
            self.picture.tick(self.time, &format!("round {round}"));
        }
        let second = journeys.partition_point(|journey| journey.from == Camp::First);
        let waves = [&journeys[..second], &journeys[second..]];
        let [first, second] = waves.map(|wave| self.drawn(wave));
        for camp in Camp::BOTH.iter().filter(|camp| !waves[camp.index()].is_empty()) {
            let since = self.in_doubt[camp.index()].map_or(self.time, |(since, _)| since);
            self.in_doubt[camp.index()] = Some((since, round));
        }
        for place in 0..first.len().max(second.len()) {
            if place == 2 {
                self.fold(waves);
            }
            for (drawn, wave) in [(first.get(place), waves[0]), (second.get(place), waves[1])] {
                if let Some(&drawn) = drawn {
                    self.messenger(drawn, wave.len());
                }
            }
            self.time += 2;
        }
    }

    /// The messengers of a wave that are drawn: of many the first two and the last, and whoever brings the news.
    fn drawn<'j>(&self, wave: &'j [Journey]) -> Vec<Drawn<'j>> {
        let Some(first) = wave.first() else { return Vec::new() };
        let (to, round) = (first.from.other().index(), first.round as usize);
        let is_news = !self.heard[to] || self.knows_at(round - 1, to) != self.knows_at(round, to);
        let news = wave.iter().position(|journey| !journey.captured).filter(|_| is_news);
        let is_drawn =
            |number: usize| wave.len() <= DRAWN_IN_FULL || number < 2 || number + 1 == wave.len() || news == Some(number);
        let numbered = wave.iter().enumerate().filter(|&(number, _)| is_drawn(number));
        numbered.map(|(number, journey)| (journey, number, news == Some(number))).collect()
    }

    fn knows_at(&self, round: usize, general: usize) -> &str {
        self.knows.get(round).map_or("", |texts| texts[general].as_str())
    }

    /// Says what is left out of waves that are too long.
    fn fold(&mut self, waves: [&[Journey]; 2]) {
        let long = waves.map(|wave| (wave.len() > DRAWN_IN_FULL).then(|| left_out(&wave[2..wave.len() - 1])));
        let text = match long {
            [None, None] => return,
            [Some(text), None] | [None, Some(text)] if waves.iter().any(|wave| wave.is_empty()) => text,
            [first, second] => {
                let named = [first.map(|text| format!("general 1: {text}")), second.map(|text| format!("general 2: {text}"))];
                named.into_iter().flatten().collect::<Vec<_>>().join("; ")
            }
        };
        self.picture.fold(self.time, &text);
    }

    fn messenger(&mut self, (journey, number, is_news): Drawn<'_>, of: usize) {
        let (from, to) = (journey.from.index(), journey.from.other().index());
        let word = &self.table.messages[journey.message as usize];
        let label = if of == 1 { word.clone() } else { format!("{word} · {}", number + 1) };
        let after = if is_news { self.knows_at(journey.round as usize, to).to_owned() } else { String::new() };
        let is_new = is_news && self.knows_at(journey.round as usize - 1, to) != after;
        let arrives = self.time + 1;
        let message = self.picture.message(self.camps[from], self.camps[to], &label).sent(self.time);
        if journey.from == Camp::Second {
            message.reply();
        }
        if journey.captured {
            message.captured();
            return;
        }
        message.arrives(arrives);
        if is_news {
            self.heard[to] = true;
            message.brings(Mark::News, if is_new { &after } else { "" });
        }
        // What left before the receiver's own last wave did cannot answer it.
        if let Some((since, round)) = self.in_doubt[to]
            && round < journey.round
        {
            self.in_doubt[to] = None;
            self.picture.in_doubt(self.camps[to], since, Some(arrives));
        }
    }
}

fn end(picture: &mut Diagram, camps: [LineId; 2], run: &Run, dawn: u64) {
    for (camp, choice) in camps.into_iter().zip(run.choices) {
        let (tone, word) = match (choice, run.outcome()) {
            (Choice::Attack, Outcome::Both) => (Tone::Good, "attacks"),
            (Choice::Attack, Outcome::Alone1 | Outcome::Alone2 | Outcome::Neither) => (Tone::Bad, "attacks"),
            (Choice::Stay, _) => (Tone::Calm, "stays in the camp"),
        };
        picture.mark(camp, dawn, Mark::Decision, "dawn");
        picture.outcome(camp, tone, word);
    }
    let tone = match run.outcome() {
        Outcome::Both => Tone::Good,
        Outcome::Alone1 | Outcome::Alone2 => Tone::Bad,
        Outcome::Neither => Tone::Calm,
    };
    picture.verdict(tone, run.outcome().in_words());
}

/// What is written at the head of each life line.
fn orders(table: &Table, run: &Run) -> [(Mark, &'static str); 2] {
    let [first, second] = run.beginning.ordered;
    let word = |ordered: bool| if ordered { (Mark::News, "order: attack at dawn") } else { (Mark::Note, "has no order") };
    match table.orders {
        Orders::First => [word(first), (Mark::Note, "")],
        Orders::Each => [word(first), word(second)],
        Orders::Nobody => [(Mark::Note, ""); 2],
    }
}

fn left_out(wave: &[Journey]) -> String {
    let captured = wave.iter().filter(|journey| journey.captured).count();
    match captured {
        0 => format!("{} more, which all arrive", wave.len()),
        _ if captured == wave.len() => format!("{} more, all captured", wave.len()),
        _ => format!("{} more, {captured} captured", wave.len()),
    }
}
