//! `handfast generals odds`: what people and programs see, and what is refused.

use serde_json::Value;

use crate::support::{Ended, run};

fn odds(arguments: &str) -> Ended {
    run(["generals", "odds"].into_iter().chain(arguments.split_whitespace()))
}

#[track_caller]
fn told(arguments: &str) -> String {
    super::told("odds", &arguments.split_whitespace().collect::<Vec<_>>(), 0)
}

#[track_caller]
fn json(arguments: &str) -> Value {
    super::told_json("odds", &arguments.split_whitespace().collect::<Vec<_>>(), 0)
}

#[test]
fn the_odds_are_told_in_words_numbers_and_polynomials() {
    insta::assert_snapshot!(told("reply --messengers 2 --replies 3 --capture 0.1"));
}

#[test]
fn without_a_capture_rate_the_answer_is_for_every_one() {
    insta::assert_snapshot!(told("handshake --steps 4"));
}

#[test]
fn a_coin_has_a_worst_case() {
    insta::assert_snapshot!(told("random-attack --rounds 3 --capture 1/3"));
}

#[test]
fn the_mail_game_tells_its_machines() {
    insta::assert_snapshot!(told("email --steps 2 --capture 1/10"));
    let endless = told("email --capture 0");
    assert!(endless.contains("infinitely many messages"), "{endless}");
    let data = json("email --capture 0.05");
    assert_eq!((&data["messengers"], &data["last_lost"]), (&"20".into(), &"20/39".into()));
    assert_eq!(json("email --capture 0")["messengers"], Value::Null);
}

#[test]
fn json_has_exact_numbers_with_floats_beside_them() {
    let data = json("always --messengers 5 --capture 1/10");
    assert_eq!(data["outcome"]["both"], "99999/100000");
    assert_eq!(data["outcome"]["alone_1"], "1/100000");
    assert_eq!(data["outcome"]["alone_1_float"], 1e-5);
    assert_eq!(
        (&data["capture"], &data["exactly_one"], &data["alone_if_attacked"]),
        (&"1/10".into(), &"1/100000".into(), &"1/100000".into())
    );
    assert_eq!((&data["protocol"], &data["adversary"]), (&"always".into(), &"iid:p".into()));
    assert_eq!(data["title"], "Strategy 1: send 5 messengers, and attack");
    assert_eq!(data["polynomial"]["both"]["text"], "1 - p^5");
    assert_eq!(data["polynomial"]["both"]["terms"][1]["coefficient"], "-1");
    assert_eq!(data["patterns"][2]["captures"], 2);
    assert_eq!(data["patterns"][2]["outcome"]["both"], "10");
    let random = json("random-attack --rounds 4 --capture 0.5");
    assert_eq!(random["worst"]["captured"][0]["messenger"], 0);
    assert_eq!((&random["worst"]["exactly_one"], &random["coin_sides"]), (&"1/4".into(), &4.into()));
    let open = json("always");
    assert_eq!((&open["outcome"], &open["capture"]), (&Value::Null, &Value::Null));
}

#[test]
fn what_is_improbable_is_not_told_as_nothing() {
    let small = told("always --messengers 15 --capture 0.1");
    assert!(small.contains("1e-15") && small.contains("1 - 1e-15"), "{small}");
    let tiny = told("always --messengers 1000 --capture 1/10");
    assert!(tiny.contains("1e-1000") && tiny.contains("1 - 1e-1000"), "{tiny}");
}

#[test]
fn a_heat_map_has_a_number_in_every_cell() {
    insta::assert_snapshot!(told("always --grid --ascii"));
    let plain = told("handshake --steps 3 --grid --show alone --messengers 4");
    assert_eq!(plain, told("handshake --steps 3 --grid --show alone --messengers 4 --ascii"), "marks stand for colours");
    assert!(told("reply --grid").contains("reply, 1 reply"));
    assert!(plain.lines().all(|line| line.chars().count() <= 80), "{plain}");
    assert!(told("always --grid --color always").contains("\x1b[38;5;"));
    let svg = told("reply --replies 2 --messengers 4 --grid --show alone --svg -");
    assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>\n"), "{svg}");
    let data = json("always --messengers 3 --grid --show alone");
    assert_eq!((&data["n"][2], &data["capture"][9], &data["cells"][2][9]), (&3.into(), &"1/2".into(), &"1/8".into()));
    assert_eq!(data["cells_float"][2][9], 0.125);
}

#[test]
fn nonsense_is_refused_with_the_way_out() {
    for (arguments, says) in [
        ("always --capture 1.5", "between 0 and 1"),
        ("always --capture x", "write it as 1/3"),
        ("always --capture 1/2 --grid", "--grid"),
        ("always --svg x.svg", "--grid"),
        ("always --rounds 3", "has no --rounds"),
        ("always --grid --svg - --json", "give --svg a file"),
        ("always --messengers 1000000 --capture 0.1", "at most 250000"),
    ] {
        let ended = odds(arguments);
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), ""), "{arguments}");
        assert!(ended.stderr.contains(says), "{arguments}: {}", ended.stderr);
    }
}
