//! Pictures of runs: golden files, what must hold for every picture, and the README's own.

mod ids;
mod shop;

use std::path::Path;

use handfast_lab::diagram::generals as draw_generals;
use handfast_lab::diagram::{Clock, Diagram, Fate, Flight, Mark, SagaStory, StoryEntry, StoryStep, StoryTry, TextOptions, Tone};
use handfast_lab::generals::{Limits, Shipped, knows};
use handfast_protocol::{Answer, Command, Definite, Input, Kind, Operation, PROTOCOL_VERSION, Plan, StepPlan, Told};

/// The run of a shipped protocol that begins in this way, with these messengers captured, drawn as the command line draws it.
fn draw(shipped: Shipped, start: usize, captured: impl FnMut(usize) -> bool) -> Diagram {
    let table = shipped.tabulate(&Limits::default()).expect("it fits");
    let run = table.play(start, captured);
    draw_generals(&table, &run, &knows(&table, &run).expect("it fits"))
}

/// Strategy 2 with one messenger each way, the reply captured.
fn reply_captured() -> Diagram {
    draw(Shipped::Reply { messengers: 1, replies: 1 }, 0, |number| number == 1)
}

/// Everything at once: a road that loses, delays and copies, a coordinator that is killed, and a participant as well.
fn nasty() -> Diagram {
    let mut picture = Diagram::new("order 4711 (shop): everything that can happen", Clock::Milliseconds);
    picture.between("the road");
    let payment = picture.line("payment");
    picture.role(payment, "can be undone");
    let shop = picture.line("shop");
    picture.role(shop, "coordinator");
    let dispatch = picture.line("dispatch");
    picture.role(dispatch, "cannot be undone");
    picture.mark(shop, 0, Mark::Durable, "placed");
    picture.message(shop, payment, "act").sent(0).arrives_late(5_230).copy_arrives(5_900);
    picture.mark(shop, 40, Mark::Crash, "killed");
    picture.mark(shop, 900, Mark::Restart, "back");
    picture.message(shop, payment, "act · try 2").sent(910).unanswered("no answer within 2 s");
    picture.message(shop, payment, "act · try 3").sent(2_300).captured();
    picture.mark(shop, 3_000, Mark::Demand, "deadline: close payment");
    picture.message(shop, payment, "close").sent(3_000).captured_by("road cut");
    picture.message(shop, payment, "close · try 2").sent(4_000).arrives(4_010).brings(Mark::Durable, "closed");
    picture
        .message(payment, shop, "closed")
        .reply()
        .sent(4_010)
        .arrives_late(5_600)
        .brings(Mark::Durable, "payment: closed, turning back");
    picture.mark(dispatch, 4_500, Mark::Crash, "killed");
    picture.message(payment, shop, "closed").reply().sent(5_230).arrives(5_240);
    picture.message(shop, dispatch, "close").sent(5_600).captured_by("nobody there");
    picture.message(payment, shop, "closed").reply().sent(5_901).captured();
    picture.mark(dispatch, 6_200, Mark::Restart, "back");
    picture.message(shop, dispatch, "close · try 2").sent(6_600).arrives(6_601).brings(Mark::Durable, "closed");
    picture
        .message(dispatch, shop, "closed")
        .reply()
        .sent(6_601)
        .arrives(6_602)
        .copy_arrives(6_900)
        .brings(Mark::Durable, "dispatch: closed");
    picture.in_doubt(shop, 0, Some(6_602));
    picture.outcome(shop, Tone::Calm, "cancelled").outcome(payment, Tone::Calm, "closed for good");
    picture.outcome(dispatch, Tone::Calm, "closed for good");
    picture.verdict(Tone::Calm, "neither: nothing is done for good, and nothing ever will be");
    picture.caption("The late act met a closed key: nobody was charged.");
    picture
}

fn step(name: &str, done: &str, undone: &str) -> StoryStep {
    StoryStep { name: name.to_owned(), done: done.to_owned(), undone: undone.to_owned() }
}

fn answer(at: u64, step: usize, operation: Operation, state: Definite, changed_at: u64) -> StoryEntry {
    let told = Told::Answer { to: Command { step, operation }, answer: Answer::State(state) };
    StoryEntry { at, input: Input::Receive(told), changed_at: Some(changed_at), detail: None }
}

fn entry(at: u64, input: Input<Told>, detail: &str) -> StoryEntry {
    StoryEntry { at, input, changed_at: None, detail: (!detail.is_empty()).then(|| detail.to_owned()) }
}

fn attempt(operation: Operation, number: u64, sent: u64, seen: &str) -> StoryTry {
    StoryTry { step: 0, operation, number, sent, ended: sent + 500, answer: None, seen: seen.to_owned() }
}

/// What the journal and the tries tell without the road's log: the receipt shows that the second try had arrived.
fn from_the_store() -> SagaStory {
    SagaStory {
        title: "order-17 (shop)".to_owned(),
        coordinator: "shop".to_owned(),
        steps: vec![step("payment", "charged", "refunded"), step("dispatch", "dispatched", "")],
        plan: Plan::payment_then_dispatch(Some(2_000), None).into(),
        version: PROTOCOL_VERSION,
        entries: vec![
            entry(10_000, Input::Start, ""),
            entry(12_000, Input::Timeout, ""),
            answer(12_600, 0, Operation::Close, Definite::Done, 10_902),
            entry(12_700, Input::Receive(Told::Cancel), "by anna: wrong size"),
            answer(12_702, 1, Operation::Close, Definite::Closed, 12_701),
            answer(13_004, 0, Operation::Undo, Definite::Undone, 13_003),
        ],
        tries: vec![
            attempt(Operation::Act, 1, 10_001, "connection refused"),
            attempt(Operation::Act, 2, 10_900, "no answer within 500 ms"),
            attempt(Operation::Close, 1, 12_001, "no answer within 500 ms"),
        ],
        flights: Vec::new(),
        kills: Vec::new(),
        trouble: None,
        notes: Vec::new(),
    }
}

/// Two compensatable steps side by side, a pivot and a retriable step, from the road's log.
fn four_steps() -> SagaStory {
    let plan = |kind, beside| StepPlan { beside, ..StepPlan::new(kind) };
    let steps = vec![
        plan(Kind::Compensatable, false),
        plan(Kind::Compensatable, true),
        plan(Kind::Pivot, false),
        plan(Kind::Retriable, false),
    ];
    let mut flights = Vec::new();
    let mut entries = vec![entry(0, Input::Start, "")];
    for (step, at) in [(0, 0), (1, 0), (2, 30), (3, 60)] {
        let flight = |is_reply, left, arrived| Flight {
            step,
            operation: Operation::Act,
            number: 1,
            is_reply,
            is_copy: false,
            says: String::new(),
            left,
            fate: Fate::Arrived(arrived),
        };
        flights.push(flight(false, at, at + 10 + step as u64));
        flights.push(flight(true, at + 10 + step as u64, at + 20 + 3 * step as u64));
        entries.push(answer(at + 20 + 3 * step as u64, step, Operation::Act, Definite::Done, at + 10 + step as u64));
    }
    SagaStory {
        title: "order-18 (holiday)".to_owned(),
        coordinator: "agency".to_owned(),
        steps: vec![step("flight", "", ""), step("hotel", "", ""), step("visa", "", ""), step("letter", "", "")],
        plan: Plan::new(steps).expect("a sound order").into(),
        version: PROTOCOL_VERSION,
        entries,
        tries: Vec::new(),
        flights,
        kills: Vec::new(),
        trouble: None,
        notes: Vec::new(),
    }
}

fn cancelled_shop() -> Diagram {
    let mut story = shop::shop(&|number| number == 1, Some(700));
    story.title = "A customer cancels while the charge is in doubt".to_owned();
    story.diagram()
}

fn check_golden(name: &str, picture: &Diagram) {
    let text = picture.to_text(&TextOptions::default());
    insta::assert_snapshot!(name, text);
    insta::assert_snapshot!(format!("{name}_ascii"), picture.to_text(&TextOptions { ascii: true, ..TextOptions::default() }));
    insta::assert_snapshot!(format!("{name}_svg"), picture.to_svg());
}

#[test]
fn generals() {
    check_golden("reply_captured", &reply_captured());
    check_golden("always", &draw(Shipped::Always { messengers: 3 }, 0, |number| number < 2));
    check_golden("hundred_captured", &draw(Shipped::Always { messengers: 100 }, 0, |_| true));
    check_golden("no_order", &draw(Shipped::Always { messengers: 1 }, 1, |_| false));
    check_golden("handshake", &draw(Shipped::Handshake { steps: 6, messengers: 1 }, 0, |number| number == 4));
    check_golden("random_attack", &draw(Shipped::RandomAttack { rounds: 4 }, 0, |number| [1, 4, 6, 7].contains(&number)));
    check_golden("ready_ready", &draw(Shipped::ReadyReady { last_tick: 2 }, 0, |number| number == 5));
}

#[test]
fn sagas() {
    check_golden("cancelled_shop", &cancelled_shop());
    check_golden("long_cut", &shop::shop(&|number| (1..30).contains(&number), None).diagram());
    check_golden("from_the_store", &from_the_store().diagram());
    check_golden("four_steps", &four_steps().diagram());
    check_golden("nasty", &nasty());
}

/// Whoever answers what means nothing is there, and is not drawn as somebody of whom nothing was heard.
#[test]
fn an_answer_that_was_not_understood_is_drawn_with_its_status() {
    let mut story = from_the_store();
    for tried in &mut story.tries {
        tried.answer = Some("400, not understood".to_owned());
        tried.seen = "400 that means nothing".to_owned();
    }
    let text = story.diagram().to_text(&TextOptions::default());
    assert_eq!(text.matches("400, not understood").count(), 3, "{text}");
    assert!(!text.contains("no answer"), "{text}");
}

#[test]
fn colours_are_codes_around_the_same_text() {
    let options = TextOptions { width: 60, ascii: false, colour: true };
    insta::assert_snapshot!(reply_captured().to_text(&options).replace('\x1b', "ESC"));
}

#[test]
fn a_run_can_be_told() {
    insta::assert_snapshot!(cancelled_shop().to_sentences().join("\n"));
}

/// Every picture of the README is what the code draws today. `INSTA_UPDATE=always` writes them anew.
#[track_caller]
pub(crate) fn check_committed(file: &str, drawn: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/pictures").join(file);
    if std::env::var("INSTA_UPDATE").is_ok_and(|update| update == "always") {
        std::fs::write(&path, drawn).expect("docs/pictures can be written");
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == drawn,
        "docs/pictures/{file} is not what the code draws; INSTA_UPDATE=always cargo test -p handfast-lab committed_pictures"
    );
}

#[test]
fn committed_pictures() {
    check_committed("two-generals.svg", &reply_captured().to_svg());
    check_committed("shop.svg", &shop::shop(&|number| number == 1, None).diagram().to_svg());
    check_committed("shop-cancelled.svg", &cancelled_shop().to_svg());
}
