//! `handfast generals bounds`: theory beside what was explored.

use serde_json::{Value, json};

use crate::support::run;

#[track_caller]
fn bounds(arguments: &[&str]) -> String {
    super::told("bounds", arguments, 0)
}

#[test]
fn theory_stands_beside_what_was_explored() {
    insta::assert_snapshot!(bounds(&["--rounds", "4"]));
}

#[test]
fn the_json_is_that_of_the_help() {
    let told: Value = serde_json::from_str(&bounds(&["--rounds", "3", "--json"])).expect("JSON");
    let of = |list: &str, key: &str| told[list].as_array().expect("a list").iter().map(|row| row[key].clone()).collect::<Value>();
    assert_eq!(told["rounds"], json!(3));
    assert_eq!(of("bounds", "lower"), json!(["1/2", "1/3", "1/4"]));
    assert_eq!(of("bounds", "random_attack"), json!(["1", "1/2", "1/3"]));
    assert_eq!(of("bounds", "exact"), json!(["1", "1/2", "1/3"]));
    assert_eq!(of("solvable", "adversary"), json!(["at-most:0", "at-most:1", "at-most:2", "at-most:3", "per-round:1", "any"]));
    let verdicts = json!(["solvable", "solvable", "solvable", "unsolvable", "unsolvable", "unsolvable"]);
    assert_eq!(of("solvable", "verdict"), verdicts);
    assert_eq!(of("solvable", "theorem"), verdicts);
    let chain = told["solvable"][5]["chain"].as_array().expect("a chain");
    assert_eq!(chain.len(), 5, "a link a round, and one to the missing order");
    assert_eq!((&chain[0]["same_for"], chain[4]["same_for"].is_u64()), (&Value::Null, true));
}

#[test]
fn what_takes_too_long_is_not_enumerated_and_said_to_be_so() {
    let told = bounds(&["--rounds", "24"]);
    for line in [
        "    20   1/21 (0.0476)  1/20 (0.05)     1/20 (0.05)            1\n",
        "    21   1/22 (0.0455)  1/21 (0.0476)   not enumerated         1\n",
        "Not enumerated: the worst case of more than 20 rounds",
        "\nat-most:23    solvable     solvable ",
        "\nat-most:24    unsolvable   unsolvable ",
        " 25 links\n",
        "more, which end where an order is missing",
    ] {
        assert!(told.contains(line), "{line:?} is not in {told}");
    }
    let told: Value = serde_json::from_str(&bounds(&["--rounds", "21", "--json"])).expect("JSON");
    assert_eq!((&told["bounds"][19]["exact"], &told["bounds"][20]["exact"]), (&json!("1/20"), &Value::Null));
    let any = told["solvable"].as_array().and_then(|rows| rows.last()).expect("the last row");
    assert_eq!((&any["adversary"], &any["links_to_no_order"]), (&json!("any"), &json!(22)));
    let per_round = &told["solvable"][22];
    assert_eq!(per_round["links_to_no_order"], json!(3_u64.pow(21).div_ceil(2)));
    assert_eq!(per_round["chain"].as_array().map(Vec::len), Some(1_000), "the rest is not told");
    assert_eq!(any["runs"], json!(4_u64.pow(22)));
    let told: Value = serde_json::from_str(&bounds(&["--rounds", "60", "--json"])).expect("JSON");
    let any = told["solvable"].as_array().and_then(|rows| rows.last()).expect("the last row");
    assert_eq!(any["runs"], json!(4_u128.pow(61).to_string()));
}

#[test]
fn nonsense_is_refused() {
    for rounds in ["0", "61", "-1", "x"] {
        let ended = run(["generals", "bounds", "--rounds", rounds]);
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), ""), "{rounds}: {}", ended.stderr);
    }
}
