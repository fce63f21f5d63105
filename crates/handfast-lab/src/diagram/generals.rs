//! Draws a run of the two generals.

use handfast_protocol::generals::{Camp, Choice};

use super::{Clock, Diagram, LineId, Mark, Message, Tone};
use crate::generals::{Journey, Orders, Outcome, Run, Table};

/// Of a wave with more messengers than this only the first two and the last are drawn.
const DRAWN_IN_FULL: usize = 4;

/// The space-time diagram of a run, with its row of the problem's table.
///
/// `knows` says what general 1 and general 2 know before the first round and after each; a text is written where it changes.
#[must_use]
pub fn generals(table: &Table, run: &Run, knows: &[[String; 2]]) -> Diagram {
    let mut picture = Diagram::new(&table.name, Clock::Steps);
    picture.between("the city");
    let camps = [picture.line("general 1"), picture.line("general 2")];
    for (camp, text) in camps.into_iter().zip(orders(table, run)) {
        let (mark, text) = text;
        if !text.is_empty() {
            picture.mark(camp, 0, mark, text);
        }
    }
    let mut time = 0;
    let mut sent = [None, None];
    let mut heard = [None, None];
    for wave in run.journeys.chunk_by(|one, next| (one.round, one.from) == (next.round, next.from)) {
        let (from, to) = (wave[0].from.index(), wave[0].from.other().index());
        sent[from] = sent[from].or(Some(time));
        let text = |round: usize| knows.get(round).map_or("", |texts| texts[to].as_str());
        let (before, after) = (text(wave[0].round as usize - 1), text(wave[0].round as usize));
        let news = wave.iter().position(|journey| !journey.captured).filter(|_| heard[to].is_none() || before != after);
        for (number, journey) in wave.iter().enumerate() {
            let folded = wave.len() > DRAWN_IN_FULL && (2..wave.len() - 1).contains(&number);
            if folded && number == 2 {
                picture.fold(time, &left_out(&wave[2..wave.len() - 1]));
            }
            // The one that brings the news is drawn even in the middle of a long wave.
            if folded && news != Some(number) {
                continue;
            }
            let message = draw(&mut picture, table, camps, journey, time, (number + 1, wave.len()));
            if news == Some(number) {
                heard[to] = heard[to].or(Some(time + 1));
                message.brings(Mark::News, if before == after { "" } else { after });
            }
            time += 2;
        }
    }
    for camp in camps {
        if let Some(sent) = sent[camp.0] {
            // What was heard before it sent anything is no answer.
            picture.in_doubt(camp, sent, heard[camp.0].filter(|&heard| heard > sent));
        }
    }
    end(&mut picture, camps, run, time + 2);
    picture
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

fn draw<'a>(
    picture: &'a mut Diagram,
    table: &Table,
    camps: [LineId; 2],
    journey: &Journey,
    time: u64,
    (number, of): (usize, usize),
) -> &'a mut Message {
    let word = &table.messages[journey.message as usize];
    let label = if of == 1 { word.clone() } else { format!("{word} · {number}") };
    let message = picture.message(camps[journey.from.index()], camps[journey.from.other().index()], &label).sent(time);
    if journey.from == Camp::Second {
        message.reply();
    }
    if journey.captured { message.captured() } else { message.arrives(time + 1) }
}

fn left_out(wave: &[Journey]) -> String {
    let captured = wave.iter().filter(|journey| journey.captured).count();
    match captured {
        0 => format!("{} more, which all arrive", wave.len()),
        _ if captured == wave.len() => format!("{} more, all captured", wave.len()),
        _ => format!("{} more, of which {captured} captured", wave.len()),
    }
}
