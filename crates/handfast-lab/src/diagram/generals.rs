//! Draws a run of the two generals.

use handfast_protocol::generals::{Camp, Choice, Strategy, Tidings};

use super::{Clock, Diagram, LineId, Mark, Message, Tone};
use crate::generals::{Journey, Row, Run};

/// Of a wave with more messengers than this only the first two and the last are drawn.
const DRAWN_IN_FULL: usize = 4;

/// The space-time diagram of a run, with its row of the problem's table.
#[must_use]
pub fn generals(run: &Run) -> Diagram {
    let mut picture = Diagram::new(&title(run.strategy), Clock::Steps);
    picture.between("the city");
    let camps = [picture.line("general 1"), picture.line("general 2")];
    let order = if run.ordered { "order: attack at dawn" } else { "has no order" };
    picture.mark(camps[0], 0, if run.ordered { Mark::News } else { Mark::Note }, order);
    let mut time = 0;
    let mut sent = [None, None];
    let mut heard = [None, None];
    for wave in run.journeys.chunk_by(|one, next| (one.round, one.from) == (next.round, next.from)) {
        for (number, journey) in wave.iter().enumerate() {
            let folded = wave.len() > DRAWN_IN_FULL && (2..wave.len() - 1).contains(&number);
            if folded && number == 2 {
                picture.fold(time, &left_out(&wave[2..wave.len() - 1]));
            }
            let (from, to) = (journey.from as usize, 1 - journey.from as usize);
            sent[from] = sent[from].or(Some(time));
            let news = !journey.captured && heard[to].is_none();
            // The one that brings the news is drawn even in the middle of a long wave.
            if folded && !news {
                continue;
            }
            let message = draw(&mut picture, camps, journey, time, (number + 1, wave.len()));
            if news {
                heard[to] = Some(time + 1);
                message.brings(Mark::News, knows(run.strategy, journey.tidings));
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
    for (camp, choice) in camps.into_iter().zip(run.choices) {
        let (tone, word) = match (choice, run.row()) {
            (Choice::Attack, Row::Both) => (Tone::Good, "attacks"),
            (Choice::Attack, Row::FirstAlone | Row::SecondAlone | Row::Neither) => (Tone::Bad, "attacks"),
            (Choice::Stay, _) => (Tone::Calm, "stays in the camp"),
        };
        picture.mark(camp, time + 2, Mark::Decision, "dawn");
        picture.outcome(camp, tone, word);
    }
    let tone = match run.row() {
        Row::Both => Tone::Good,
        Row::FirstAlone | Row::SecondAlone => Tone::Bad,
        Row::Neither => Tone::Calm,
    };
    picture.verdict(tone, run.row().outcome());
    picture
}

fn title(strategy: Strategy) -> String {
    let wave = |number: u32| if number == 1 { "one messenger".to_owned() } else { format!("{number} messengers") };
    match strategy {
        Strategy::Always { messengers } => format!("Strategy 1: send {}, and attack", wave(messengers)),
        Strategy::Reply { messengers: 1, replies: 1 } => "Strategy 2: attack only on a reply".to_owned(),
        Strategy::Reply { messengers, replies } => {
            format!("Strategy 2: send {}, attack only on one of {replies} replies", wave(messengers))
        }
    }
}

fn draw<'a>(
    picture: &'a mut Diagram,
    camps: [LineId; 2],
    journey: &Journey,
    time: u64,
    (number, of): (usize, usize),
) -> &'a mut Message {
    let word = match journey.tidings {
        Tidings::Attack => "attack at dawn",
        Tidings::Agreed => "agreed",
    };
    let label = if of == 1 { word.to_owned() } else { format!("{word} · {number}") };
    let from = journey.from as usize;
    let message = picture.message(camps[from], camps[1 - from], &label).sent(time);
    if journey.from == Camp::Second {
        message.reply();
    }
    if journey.captured { message.captured() } else { message.arrives(time + 1) }
}

/// What a general has learnt by the first messenger that reaches it.
const fn knows(strategy: Strategy, tidings: Tidings) -> &'static str {
    match (tidings, strategy) {
        (Tidings::Attack, Strategy::Always { .. }) => "knows of the order, will attack",
        (Tidings::Attack, Strategy::Reply { .. }) => "knows of the order, replies, will attack",
        (Tidings::Agreed, Strategy::Always { .. } | Strategy::Reply { .. }) => "knows that 2 knows, will attack",
    }
}

fn left_out(wave: &[Journey]) -> String {
    let captured = wave.iter().filter(|journey| journey.captured).count();
    match captured {
        0 => format!("{} more, which all arrive", wave.len()),
        _ if captured == wave.len() => format!("{} more, all captured", wave.len()),
        _ => format!("{} more, of which {captured} captured", wave.len()),
    }
}
