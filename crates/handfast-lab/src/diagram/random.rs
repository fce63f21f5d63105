//! Diagrams of any shape, for the tests of both renderers.

use proptest::prelude::*;

use super::{Clock, Diagram, Mark, Tone};

const TEXTS: [&str; 7] = [
    "",
    "act",
    "close · try 12",
    "payment: card_declined, turning back",
    "支付服务",
    "a\u{1b}[2J\n<&>",
    "antidisestablishmentarianism",
];
const MARKS: [Mark; 7] = [Mark::Durable, Mark::News, Mark::Decision, Mark::Crash, Mark::Restart, Mark::Demand, Mark::Note];
const TONES: [Tone; 4] = [Tone::Good, Tone::Bad, Tone::Calm, Tone::Doubt];

/// One number that chooses everything about one item.
type Item = (u8, usize, usize, u64, u64, usize, usize);

pub(super) fn diagrams() -> impl Strategy<Value = Diagram> {
    let item = (0_u8..13, 0_usize..5, 0_usize..5, 0_u64..4_000, 0_u64..3_000, 0_usize..7, 0_usize..7);
    (1_usize..5, any::<bool>(), any::<bool>(), prop::collection::vec(item, 0..24)).prop_map(|(lines, timed, named, items)| {
        let clock = if timed { Clock::Milliseconds } else { Clock::Steps };
        let mut picture = Diagram::new("any picture", clock);
        let ids: Vec<_> =
            (0..lines).map(|line| picture.line(["shop", "payment", "支付服务", "a very long name", "x"][line])).collect();
        if named {
            picture.between("the road").role(ids[0], "coordinator");
        }
        for item in items {
            add(&mut picture, &ids, item);
        }
        picture
            .verdict(Tone::Calm, "neither: nothing is done for good")
            .caption("What was seen, in some more words than fit on a line of it.");
        picture
    })
}

fn add(picture: &mut Diagram, ids: &[super::LineId], (kind, from, to, at, later, text, mark): Item) {
    // Coarse times: many things then happen at once.
    let (at, later) = (at / 50 * 50, later / 50 * 50);
    let (from, to) = (ids[from % ids.len()], ids[to % ids.len()]);
    match kind {
        0 | 1 => {
            picture.mark(from, at, MARKS[mark], TEXTS[text]);
        }
        2 => {
            picture.fold(at, "12 more tries, all captured");
        }
        3 => {
            picture.in_doubt(from, at, (later > 1_000).then_some(at + later));
            picture.outcome(from, TONES[mark % 4], TEXTS[text]);
        }
        // Two that may meet on the road.
        11 | 12 => {
            for (way, (from, to)) in [(from, to), (to, from)].into_iter().enumerate() {
                let message = picture.message(from, to, TEXTS[text]).sent(at);
                if (mark + way) % 3 == 0 {
                    message.captured()
                } else {
                    message.arrives(at + 50).brings(MARKS[mark], TEXTS[mark])
                };
            }
        }
        _ => {
            let message = picture.message(from, to, TEXTS[text]).sent(at);
            match kind {
                4 | 5 => message.arrives(at + later / 20).brings(MARKS[mark], TEXTS[mark]),
                6 => message.arrives_late(at + later).reply(),
                7 => message.captured().copy_arrives(at + later).reply(),
                8 => message.unanswered("connection closed before the answer").reply(),
                9 => message.arrives(at).copy_arrives(at + later),
                _ => message,
            };
        }
    }
}
