//! Strategy files: what is read, what it means, and what is said of those that are wrong.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use proptest::prelude::{Strategy, TestCaseError, prop, prop_assert, proptest};
use proptest::strategy::ValueTree as _;

use super::{FileError, Limits, StrategyError, StrategyFile, TableError, Tabulated};
use crate::generals::table::outcome::Outcome;
use crate::generals::table::shipped::Shipped;

fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path)
}

fn example(name: &str) -> String {
    std::fs::read_to_string(repository("examples/generals").join(name)).expect(name)
}

fn read(text: &str) -> StrategyFile {
    StrategyFile::parse("own.toml", text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

fn tabulate(text: &str) -> Tabulated {
    read(text).tabulate(&Limits::default()).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

/// Every number and word of a table, but for the words of the generals' states.
fn content(table: &Tabulated) -> String {
    let mut content = format!("{:?} {:?} {:?}", table.messages, table.waves, table.starts);
    for layer in &table.layers {
        for side in &layer.sides {
            let rows: std::collections::BTreeMap<_, _> = side.rows.iter().collect();
            write!(content, "\n{:?} {:?} {:?} {rows:?}", layer.nodes, side.sends, side.decided).expect("it is only text");
        }
    }
    content
}

#[test]
fn the_example_of_a_reply_is_the_protocol_that_ships() {
    let shipped = Shipped::Reply { messengers: 2, replies: 3 }.tabulate(&Limits::default()).expect("it fits");
    let own = tabulate(&example("reply.toml"));
    assert_eq!(own.name, "reply");
    assert_eq!(content(&own), content(&shipped));
}

#[test]
fn replies_for_every_arrival_are_those_that_ship() {
    let text = example("reply.toml").replace("messengers = 3", "per-arrival = 1");
    let shipped = Shipped::ReplyEach { messengers: 2 }.tabulate(&Limits::default()).expect("it fits");
    assert_eq!(content(&tabulate(&text)), content(&shipped));
}

#[track_caller]
fn check_run(text: &str, captured: &[usize], outcome: Outcome, sent: usize) {
    let run = tabulate(text).play(0, |number| captured.contains(&number));
    assert_eq!((run.outcome(), run.journeys.len()), (outcome, sent));
}

#[test]
fn more_are_sent_only_if_no_acknowledgement_came() {
    let text = example("top-up.toml");
    check_run(&text, &[], Outcome::Both, 4);
    check_run(&text, &[0, 2], Outcome::Both, 4);
    check_run(&text, &[2, 3], Outcome::Both, 10);
    check_run(&text, &[0, 1], Outcome::Both, 8);
    check_run(&text, &[0, 1, 2, 3, 4, 5, 6, 7], Outcome::Alone1, 8);
}

#[test]
fn a_threshold_is_a_threshold() {
    let text = example("threshold.toml");
    check_run(&text, &[], Outcome::Both, 10);
    check_run(&text, &[0, 1, 2], Outcome::Both, 7);
    check_run(&text, &[0, 1, 2, 3], Outcome::Neither, 5);
    check_run(&text, &[0, 1, 2, 5], Outcome::Alone2, 7);
    assert_eq!(tabulate(&text).rounds(), 4);
}

#[test]
fn a_wave_is_sent_again_until_it_is_acknowledged() {
    let text = example("retry.toml");
    check_run(&text, &[], Outcome::Both, 2);
    check_run(&text, &[0], Outcome::Both, 3);
    check_run(&text, &[1], Outcome::Both, 4);
    check_run(&text, &[0, 1, 2], Outcome::Alone1, 3);
    assert_eq!(tabulate(&text).rounds(), 6);
}

#[test]
fn no_news_can_be_good_news() {
    let text = "
        [[wave]]
        name = 'call-off'
        from = 1
        round = 1
        messengers = 2
        when = 'not ordered'
        [general-1]
        attacks-if = 'ordered'
        [general-2]
        attacks-if = 'heard none of call-off'";
    check_run(text, &[], Outcome::Both, 0);
    let table = tabulate(text);
    assert_eq!(table.play(1, |_| false).outcome(), Outcome::Neither);
    assert_eq!(table.play(1, |_| true).outcome(), Outcome::Alone2);
}

#[test]
fn one_of_several_conditions_can_do() {
    let text = example("top-up.toml").replace("\"heard order + top-up\"", "\"heard at least 2 of order or heard top-up\"");
    check_run(&text, &[0, 2], Outcome::Alone1, 4);
    check_run(&text, &[0, 2, 3], Outcome::Both, 10);
}

/// Every way to be wrong, by the change to the example with a top-up that leads there, and what is said of it.
const CHANGES: &[(&str, &str)] = &[
    ("name = \"top-up\"\n", "name = \"top\\nup\"\n"),
    ("name = \"top-up\"\n", "nmae = \"top-up\"\n"),
    ("name = \"top-up\"\n", "colour = \"red\"\n"),
    ("name = \"top-up\"\n", "rounds = 2\n"),
    ("name = \"top-up\"\n", "rounds = 0\n"),
    ("name = \"top-up\"\n", "rounds = 101\n"),
    ("name = \"top-up\"\n", "rounds = \"two\"\n"),
    ("name = \"top-up\"\n", "name = \"top-up\n"),
    ("name = \"order\"\n", ""),
    ("name = \"order\"\n", "name = \"Order\"\n"),
    ("name = \"order\"\n", "name = \"2nd\"\n"),
    ("name = \"order\"\n", "name = \"none\"\n"),
    ("name = \"order\"\n", "name = \"order\"\nsize = 3\n"),
    ("name = \"acknowledgement\"\n", "name = \"order\"\n"),
    ("from = 1\n", ""),
    ("from = 1\n", "from = 3\n"),
    ("from = 1\n", "from = 2\n"),
    ("from = 1\n", "from = \"general 1\"\n"),
    ("round = 1\n", ""),
    ("round = 1\n", "round = 0\n"),
    ("round = 1\n", "round = 1.5\n"),
    ("round = 1\n", "round = []\n"),
    ("round = 1\n", "round = [1, 1]\n"),
    ("round = 1\n", "round = 100\n"),
    ("messengers = 2\n", ""),
    ("messengers = 2\n", "messengers = 0\n"),
    ("messengers = 2\n", "messengers = -3\n"),
    ("messengers = 2\n", "mesengers = 2\n"),
    ("messengers = 2\n", "messengers = 2000000\n"),
    ("messengers = 2\n", "messengers = 2\nper-arrival = 1\n"),
    ("messengers = 2\n", "per-arrival = 1\n"),
    ("when = \"ordered\"\n", ""),
    ("when = \"ordered\"\n", "when = \"orderd\"\n"),
    ("when = \"ordered\"\n", "when = \"at dawn\"\n"),
    ("when = \"ordered\"\n", "when = []\n"),
    ("when = \"ordered\"\n", "when = [1]\n"),
    ("when = \"ordered\"\n", "when = true\n"),
    ("when = \"ordered\"\n", "when = \"heard acknowledgement\"\n"),
    ("when = \"ordered\"\n", "when = [\"ordered\", \"not ordered\"]\n"),
    ("says = \"attack at dawn\"\n", "says = \"\"\n"),
    ("reply-to = \"order\"\n", "reply-to = \"odrer\"\n"),
    ("reply-to = \"order\"\n", "reply-to = \"top-up\"\n"),
    ("reply-to = \"order\"\n", "reply-to = \"acknowledgement\"\n"),
    ("reply-to = \"order\"\n", "reply-to = \"order\"\nfrom = 1\n"),
    ("reply-to = \"order\"\n", "reply-to = \"order\"\nround = 1\n"),
    ("reply-to = \"order\"\n", "reply-to = \"order\"\nround = [2, 3]\n"),
    ("reply-to = \"order\"\n", "reply-to = \"order\"\nwhen = \"always\"\n"),
    ("reply-to = \"order\"\n", "reply-to = \"order\"\nwhen = \"ordered\"\n"),
    ("reply-to = \"order\"\n", "reply-to = \"order\"\nwhen = \"heard none of order\"\n"),
    ("reply-to = \"order\"\nmessengers = 2\n", "reply-to = \"order\"\nper-arrival = 600000\n"),
    ("round = 3\n", "round = 2\n"),
    ("round = 3\n", "round = 1\n"),
    ("heard none of acknowledgement", "heard none of order"),
    ("heard none of acknowledgement", "heard none of acknowledgment"),
    ("heard none of acknowledgement", "heard none of nothing"),
    ("heard none of acknowledgement", "none of acknowledgement"),
    ("heard none of acknowledgement", "heard 2 of acknowledgement"),
    ("heard none of acknowledgement", "heard at least 3 of acknowledgement"),
    ("heard none of acknowledgement", "heard at least 0 of acknowledgement"),
    ("heard none of acknowledgement", "heard at least two of acknowledgement"),
    ("heard none of acknowledgement", "heard fewer than 3 of acknowledgement"),
    ("heard none of acknowledgement", "heard at lest 1 of acknowledgement"),
    ("heard none of acknowledgement", "heard acknowledgement or"),
    ("heard none of acknowledgement", "heard acknowledgement or always"),
    ("heard none of acknowledgement\"", "heard acknowledgement\", \"heard none of acknowledgement\""),
    ("[general-1]\nattacks-if = \"ordered\"\n", ""),
    ("[general-1]\nattacks-if = \"ordered\"\n", "[general-1]\n"),
    ("[general-1]\nattacks-if = \"ordered\"\n", "[general-1]\nattacks-when = \"ordered\"\n"),
    ("[general-1]\nattacks-if = \"ordered\"\n", "[general-1]\nattacks-if = \"always\"\n"),
    ("[general-1]\nattacks-if = \"ordered\"\n", "[general-1]\nattacks-if = \"ordered or not ordered\"\n"),
    ("[general-1]\nattacks-if = \"ordered\"\n", "[general-1]\nattacks-if = [\"ordered\", \"not ordered\"]\n"),
    ("[general-1]", "[general-3]"),
    ("heard order + top-up", "ordered"),
    ("heard order + top-up", "heard order + order"),
    ("heard order + top-up", "heard order + acknowledgement"),
    ("heard order + top-up", "heard at least 9 of order + top-up"),
    ("heard order + top-up", "heard fewer than 9 of order + top-up"),
    ("\"heard order + top-up\"", "[\"heard order\", \"heard none of order\"]"),
    ("heard order + top-up", "heard none of order or heard order"),
];

#[test]
fn what_is_wrong_is_said_with_its_place_and_the_way_out() {
    let sound = example("top-up.toml");
    let sound = sound.split_once("\n\n").expect("a comment comes first").1;
    let mut said = String::new();
    for (from, to) in CHANGES {
        assert!(sound.contains(from), "{from:?} is in the example");
        let text = sound.replacen(from, to, 1);
        let error = match StrategyFile::parse("own.toml", &text) {
            Err(error) => error.to_string(),
            Ok(file) => file.tabulate(&Limits::default()).expect_err(to).to_string(),
        };
        writeln!(said, "{from:?} -> {to:?}\n  {error}").expect("it is only text");
    }
    for (what, text) in [
        ("nothing", String::new()),
        ("no waves", "wave = []".to_owned()),
        ("waves that are none", "wave = [1]".to_owned()),
        ("a wave that is one table", "[wave]\nname = \"order\"".to_owned()),
        (
            "a rule that is no table",
            format!("general-1 = \"ordered\"\n{}", sound.replace("[general-1]\nattacks-if = \"ordered\"\n", "")),
        ),
        ("a rule in the place of the deadline", sound.replace("[general-1]", "rounds = 7\n[general-1]")),
        ("a retry that asks too early", example("retry.toml").replace("heard none of ack", "heard ack")),
        ("a retry that cannot matter", example("retry.toml").replace("heard none of ack", "heard fewer than 9 of ack")),
        ("101 waves", waves(101)),
        (
            "too large",
            example("reply.toml").replace("messengers = 3", "per-arrival = 1").replace("messengers = 2", "messengers = 20000"),
        ),
    ] {
        let error = match StrategyFile::parse("own.toml", &text) {
            Err(error) => error.to_string(),
            Ok(file) => file.tabulate(&Limits::default()).expect_err(what).to_string(),
        };
        writeln!(said, "{what}\n  {error}").expect("it is only text");
    }
    insta::assert_snapshot!(said);
}

fn waves(count: usize) -> String {
    (1..=count).fold(String::new(), |mut text, round| {
        let wave =
            format!("[[wave]]\nname = \"w{round}\"\nfrom = 1\nround = {}\nmessengers = 1\nwhen = \"ordered\"\n", round.min(100));
        text.push_str(&wave);
        text
    })
}

#[test]
fn the_bounds_are_where_they_are_said_to_be() {
    let rules = "[general-1]\nattacks-if = \"ordered\"\n[general-2]\nattacks-if = \"heard w100\"\n";
    let table = tabulate(&format!("{}{rules}", waves(100)));
    assert_eq!((table.rounds(), table.play(0, |_| false).outcome()), (100, Outcome::Both));
}

/// Whatever stands in a fence of TOML in the document is a whole strategy, and sound.
#[test]
fn every_example_in_the_document_is_sound() {
    let document = std::fs::read_to_string(repository("docs/strategies.md")).expect("the document");
    let examples: Vec<&str> =
        document.split("```toml\n").skip(1).map(|rest| rest.split("```").next().expect("there is a first part")).collect();
    assert!(examples.len() >= 4, "{} examples", examples.len());
    for example in examples {
        tabulate(example);
    }
}

#[test]
fn every_example_file_is_sound() {
    let mut names = 0;
    for entry in std::fs::read_dir(repository("examples/generals")).expect("the folder") {
        let path = entry.expect("an entry").path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            tabulate(&std::fs::read_to_string(&path).expect("text"));
            names += 1;
        }
    }
    assert!(names >= 4);
}

/// Small enough that a table is made, or refused, at once.
const SMALL: Limits = Limits { nodes: 2_000, steps: 20_000, messengers: 1_000 };

/// Waves and rules that make sense more often than not.
fn nearly_sound() -> impl Strategy<Value = String> {
    let when = prop::sample::select(vec![
        "ordered",
        "not ordered",
        "always",
        "heard w0",
        "heard w1",
        "heard none of w0",
        "heard at least 2 of w0 + w2",
        "heard fewer than 2 of w1",
        "heard w2 or heard none of w1",
        "heard w3",
    ]);
    let when = prop::collection::vec(when, 0..2);
    let size =
        prop::sample::select(vec!["messengers = 1", "messengers = 2", "messengers = 40", "per-arrival = 2", "per-arrival = 1"]);
    let round = prop::sample::select(vec!["", "round = 1", "round = 2", "round = 3", "round = [1, 3]", "round = [2, 4]"]);
    let reply = prop::sample::select(vec!["", "", "reply-to = 'w0'", "reply-to = 'w1'"]);
    let from = prop::sample::select(vec!["", "from = 1", "from = 2"]);
    let wave = (when, size, round, reply, from);
    let order = "[[wave]]\nname = 'w0'\nfrom = 1\nround = 1\nmessengers = 2\nwhen = 'ordered'\n";
    let first = prop::sample::select(vec!["'ordered'", "['ordered', 'heard w1']", "'heard w1 or heard w2'", "'heard w2'"]);
    let second = prop::sample::select(vec![
        "'heard w0'",
        "'heard at least 2 of w0 + w2'",
        "['heard w0', 'heard none of w1']",
        "'heard w3'",
    ]);
    (prop::collection::vec(wave, 0..4), first, second).prop_map(move |(waves, first, second)| {
        let mut text = order.to_owned();
        for (place, (when, size, round, reply, from)) in (1..).zip(&waves) {
            let when = if when.is_empty() { String::new() } else { format!("when = {when:?}\n") };
            write!(text, "[[wave]]\nname = 'w{place}'\n{size}\n{round}\n{reply}\n{from}\n{when}").expect("it is only text");
        }
        write!(text, "[general-1]\nattacks-if = {first}\n[general-2]\nattacks-if = {second}\n").expect("it is only text");
        text
    })
}

/// Reads and tabulates, and is content with every answer but a panic and a place that does not exist.
fn answer(text: &str) -> Result<bool, TestCaseError> {
    let said = |error: &FileError| error.line() <= text.lines().count() + 1 && !error.message().is_empty();
    match StrategyFile::parse("f", text) {
        Err(error) => prop_assert!(said(&error), "{error}"),
        Ok(file) => match file.tabulate(&SMALL) {
            Ok(_) => return Ok(true),
            Err(StrategyError::Nonsense(error)) => prop_assert!(said(&error), "{error}"),
            Err(StrategyError::TooLarge { error, .. }) => match error {
                TableError::Nodes { .. }
                | TableError::Steps { .. }
                | TableError::Messengers { .. }
                | TableError::Rounds { .. } => {}
                TableError::NotFinal { .. } => prop_assert!(false, "{error}"),
            },
        },
    }
    Ok(false)
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in "\\PC*") {
        answer(&text)?;
    }

    #[test]
    fn any_strategy_is_tabulated_or_refused(text in nearly_sound()) {
        answer(&text)?;
    }

    /// Lines of sound files in any order, some twice, some cut: nearly right is where parsers trip.
    #[test]
    fn any_heap_of_sound_lines_is_read_or_refused(places in prop::collection::vec((0usize..200, 0usize..50), 0..30)) {
        let sound = ["reply.toml", "top-up.toml", "threshold.toml", "retry.toml"].map(example).concat();
        let lines: Vec<&str> = sound.lines().collect();
        let text: String = places
            .into_iter()
            .map(|(line, length)| lines[line % lines.len()].chars().take(length + 10).chain(['\n']).collect::<String>())
            .collect();
        answer(&text)?;
    }
}

/// Guards the test above against strategies that are all refused before they are tabulated.
#[test]
fn many_of_the_random_strategies_are_sound() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let texts = (0..2_000).map(|_| nearly_sound().new_tree(&mut runner).expect("a value").current());
    let sound = texts.filter(|text| answer(text).expect("an answer")).count();
    assert!(sound > 20, "{sound} of 2000");
}
