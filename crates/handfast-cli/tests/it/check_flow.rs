//! `handfast check FLOW.toml` and `--profiles` from outside: what can be promised, what cannot, and the run that shows it.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;
use tempfile::TempDir;

use crate::support::{Ended, handfast, repository};

fn check(arguments: &[&str]) -> Ended {
    let mut command = handfast();
    command.current_dir(repository("")).arg("check").args(arguments).env("COLUMNS", "100");
    command.output().expect("the binary runs").into()
}

/// What it says of a flow, and how it ends.
#[track_caller]
fn said(arguments: &[&str], code: i32) -> String {
    let ended = check(arguments);
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(code), ""), "{arguments:?}");
    ended.stdout
}

#[track_caller]
fn json(arguments: &[&str], code: i32) -> Value {
    serde_json::from_str(&said(&[arguments, &["--json"]].concat(), code)).expect("one line of JSON")
}

/// A flow of two steps whose tables hold these lines, in a directory of its own.
fn flow(first: &str, second: &str, more: &str) -> (TempDir, PathBuf) {
    let dir = TempDir::new().expect("there is room");
    let path = dir.path().join("flow.toml");
    let text = format!(
        "name = \"two\"\n{more}\n[[step]]\nname = \"payment\"\nurl = \"http://127.0.0.1:1/p\"\n{first}\n\n[[step]]\nname = \
         \"dispatch\"\nurl = \"http://127.0.0.1:1/d\"\n{second}\n"
    );
    fs::write(&path, text).expect("the directory can be written to");
    (dir, path)
}

#[test]
fn the_shipped_flows_are_checked() {
    insta::assert_snapshot!("shop", said(&["examples/shop/flow.toml"], 0));
    insta::assert_snapshot!("card", said(&["examples/card/flow.toml"], 3));
    insta::assert_snapshot!("warehouse", said(&["examples/warehouse/flow.toml"], 0));
    let accepted = said(&["examples/card/flow.toml", "--accept-risk", "hold-lapse"], 0);
    assert!(accepted.contains("but for the risks that were accepted"), "{accepted}");
}

/// Whoever mends a file mends it in one go.
#[test]
fn everything_that_is_wrong_with_a_file_is_said_at_once() {
    let first = "kind = \"compensatable\"\ndeadline = \"soon\"";
    let (_dir, path) = flow(first, "kind = \"pivott\"", "[assume]\ntries = 0\n[input]\namount = \"money\"");
    let path = path.to_str().expect("text");
    let ended = check(&[path]);
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), ""), "{}", ended.stderr);
    let expected = [":3:9: ", ":10:12: \"soon\" is not a duration", ":15:8: \"pivott\" is no kind of step; did you mean pivot?"];
    for said in expected {
        assert!(ended.stderr.lines().any(|line| line.contains(&format!("flow.toml{said}"))), "{said}: {}", ended.stderr);
    }
    assert_eq!(ended.stderr.matches("flow.toml:").count(), expected.len(), "{}", ended.stderr);
    let told: Value = serde_json::from_str(&check(&[path, "--json"]).stdout).expect("one line of JSON");
    let lines: Vec<&Value> = told["errors"].as_array().expect("a list").iter().map(|error| &error["line"]).collect();
    assert_eq!((told["verdict"].as_str(), lines), (Some("refused"), vec![&3.into(), &10.into(), &15.into()]), "{told}");
    assert!(told["errors"][2]["message"].as_str().expect("text").contains("did you mean"), "{told}");
}

/// A field that is wrong hides nothing of the steps, a step may be wrong in several places, and a key that is written otherwise is
/// one error and not a second that says that it is missing.
#[test]
fn everything_that_is_wrong_with_the_fields_and_within_a_step_is_said_at_once() {
    let first = "knd = \"pivot\"\ndeadline = \"soon\"\nin_flight = 0\nsend = [\"amount\", \"amuont\"]\n[step.profile]\nundo = \"nevr\"\nclose = \"no\"";
    let fields = "[input]\namount = \"mony\"\nid = \"text\"\nmy-note = \"text\"";
    let (_dir, path) = flow(first, "kind = \"pivot\"", fields);
    let ended = check(&[path.to_str().expect("text")]);
    assert_eq!(ended.code, Some(2), "{}", ended.stderr);
    let said: Vec<&str> = ended.stderr.lines().map(|line| line.split_once("flow.toml:").expect("a place").1).collect();
    let expected = [
        "3:10: \"mony\" is no type of a field; did you mean money?",
        "4:1: every order has an id anyway",
        "5:1: \"my-note\" cannot be the name of a field",
        "9:1: step 1 has no key \"knd\"; did you mean kind?",
        "10:12: \"soon\" is not a duration",
        "11:13: in_flight must be a whole number from 1 to 10000, and it is 0",
        "12:19: [input] has no field \"amuont\"; did you mean amount?",
        "14:8: \"nevr\" is no value of undo; did you mean never?",
        "15:9: \"no\" is no value of close",
    ];
    assert_eq!(said.len(), expected.len(), "{}", ended.stderr);
    for (said, expected) in said.iter().zip(expected) {
        assert!(said.starts_with(expected), "{said} is not {expected}");
    }
}

#[test]
fn two_pivots_are_the_two_generals() {
    let assume = "[assume]\nrefusal = \"1/20\"\nloss = \"0.1\"\ntries = 3\n";
    let (_dir, path) = flow("kind = \"pivot\"", "kind = \"pivot\"", assume);
    let path = path.to_str().expect("text");
    let told = json(&[path], 3);
    assert_eq!(told["verdict"], "violated");
    let risk = &told["risks"][0];
    assert_eq!((&risk["name"], &risk["step"], &risk["line"]), (&"two-pivots".into(), &"dispatch".into(), &12.into()), "{risk}");
    // 1/20 + 19/20 * 1/1000
    assert_eq!(risk["residual"]["odds"], "1019/20000");
    assert_eq!(risk["run"]["breaks"], "no contradiction");
    let text = said(&[path], 3);
    assert!(text.contains("this is the two generals' problem"), "{text}");
    assert!(text.contains("q + (1-q) p^n = 1019/20000 = 0.05095"), "{text}");
    assert_eq!(json(&[path, "--accept-risk", "two-pivots"], 0)["verdict"], "holds");
}

#[test]
fn each_later_pivot_is_accepted_under_one_name() {
    let third = "kind = \"pivot\"\n[[step]]\nname = \"notice\"\nurl = \"http://127.0.0.1:1/n\"\nkind = \"pivot\"";
    let (_dir, path) = flow("kind = \"pivot\"", third, "");
    let path = path.to_str().expect("text");
    let told = json(&[path, "--network", "set"], 3);
    let named: Vec<(&str, &str)> = told["risks"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|risk| (risk["name"].as_str().expect("text"), risk["step"].as_str().expect("text")))
        .collect();
    assert_eq!(named, [("two-pivots", "dispatch"), ("two-pivots", "notice")]);
    let text = said(&[path, "--network", "set", "--accept-risk", "two-pivots"], 0);
    assert!(text.contains("It holds, but for the risks that were accepted"), "{text}");
}

/// Of what is sent once the request may be lost, and its answer too where nobody can look afterwards.
#[test]
fn what_is_left_of_one_request_depends_on_whether_it_can_be_looked_for() {
    for (peek, formula, odds) in [("true", "p", "1/100"), ("false", "1 - (1-p)^2", "199/10000")] {
        let first = format!("kind = \"compensatable\"\n[step.profile]\nidempotent = false\nclose = \"never\"\npeek = {peek}");
        let (_dir, path) = flow(&first, "kind = \"pivot\"", "[assume]\nloss = \"0.01\"\n");
        let residual = &json(&[path.to_str().expect("text"), "--network", "set"], 3)["risks"][0]["residual"];
        assert_eq!((&residual["formula"], &residual["odds"]), (&formula.into(), &odds.into()), "peek = {peek}");
    }
}

/// Every way in which a participant promises less is either treated, and then everything holds, or it is a risk, and then
/// there is a run that shows it.
#[test]
fn every_weakness_is_treated_or_shown() {
    let declared = "[assume]\nmessage_lifetime = \"1m\"\nclock_error = \"5s\"\nlongest_outage = \"1h\"\n";
    let cases: [(&str, &str, Option<&str>); 10] = [
        ("close = \"never\"", "", None),
        ("close = \"never\"\nremembers = \"24h\"", declared, None),
        ("close = \"never\"\nremembers = \"24h\"", "", Some("forgotten-key")),
        ("close = \"24h\"", declared, None),
        ("close = \"24h\"", "", Some("short-tombstone")),
        ("sticky_refusal = false", "", None),
        ("sticky_refusal = false\nclose = \"no-op-when-absent\"", "", Some("loose-refusal")),
        ("undo = \"no-op-when-absent\"", "", None),
        ("undo = \"no-op-when-absent\"\nclose = \"never\"", "", None),
        ("idempotent = false\nclose = \"never\"", "", Some("not-idempotent")),
    ];
    for (profile, assume, risk) in cases {
        let (_dir, path) =
            flow(&format!("kind = \"compensatable\"\ndeadline = \"5s\"\n[step.profile]\n{profile}"), "kind = \"pivot\"", assume);
        let path = path.to_str().expect("text");
        let told = json(&[path, "--network", "set"], if risk.is_some() { 3 } else { 0 });
        assert_eq!(told["risks"][0]["name"].as_str(), risk, "{profile}");
        assert!(
            told["explored"].as_array().is_some_and(|all| all.iter().all(|it| it["verdict"] == "holds")),
            "{profile}: {told}"
        );
        if risk.is_some() {
            let run = &told["risks"][0]["run"];
            assert!(run["actions"].as_array().is_some_and(|actions| actions.len() > 3), "{profile}: {told}");
        }
    }
}

/// What is due without a deadline (a key that is forgotten, a hold that lapses) is explored like one.
#[test]
fn flows_without_deadlines_are_checked() {
    let declared = "[assume]\nmessage_lifetime = \"1m\"\nclock_error = \"5s\"\nlongest_outage = \"1h\"\n";
    for profile in ["remembers = \"24h\"", "close = \"never\"\nremembers = \"24h\"", "close = \"24h\""] {
        let first = format!("kind = \"compensatable\"\n[step.profile]\n{profile}");
        let (_dir, path) = flow(&first, "kind = \"pivot\"", declared);
        assert_eq!(json(&[path.to_str().expect("text")], 0)["verdict"], "holds", "{profile}");
    }
}

#[test]
fn a_run_that_shows_a_risk_is_kept_drawn_and_executed_again() {
    let dir = TempDir::new().expect("there is room");
    let (kept, drawn) = (dir.path().join("run.trace"), dir.path().join("run.svg"));
    let (kept, drawn) = (kept.to_str().expect("text"), drawn.to_str().expect("text"));
    let ended = check(&["examples/card/flow.toml", "--keep", kept, "--svg", drawn]);
    assert_eq!(ended.code, Some(3), "{}", ended.stderr);
    assert!(fs::read_to_string(drawn).expect("it was drawn").starts_with("<svg"));
    let replayed: Ended = handfast().args(["replay", kept]).output().expect("the binary runs").into();
    assert_eq!((replayed.code, replayed.stderr.as_str()), (Some(0), ""));
    insta::assert_snapshot!("replayed", replayed.stdout);
    let text = fs::read_to_string(kept).expect("it was kept");
    let changes = [
        ("arrives: act dispatch", "arrives: act capture", "cannot happen"),
        ("\"adversary\": \"set of", "\"adversary\": \"multiset of", "adversary is another one"),
    ];
    for (from, to, why) in changes {
        fs::write(kept, text.replace(from, to)).expect("it can be written");
        let refused: Ended = handfast().args(["replay", kept]).output().expect("the binary runs").into();
        assert_eq!(refused.code, Some(2), "{to}");
        assert!(refused.stderr.contains(why), "{}", refused.stderr);
    }
}

#[test]
fn an_unsound_order_is_refused_with_its_line() {
    let cases = [
        ("kind = \"pivot\"", "kind = \"compensatable\"", 8, "step 2 may refuse"),
        ("kind = \"compensatable\"\n[step.profile]\nhold_expires = \"7d\"", "kind = \"pivot\"", 7, "no step captures it"),
    ];
    for (first, second, line, why) in cases {
        let (_dir, path) = flow(first, second, "");
        let ended = check(&[path.to_str().expect("text")]);
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), ""), "{first}");
        assert!(ended.stderr.contains(&format!("flow.toml:{line}:")) && ended.stderr.contains(why), "{}", ended.stderr);
    }
}

#[test]
fn what_makes_no_sense_is_refused() {
    for arguments in [
        &["examples/shop/flow.toml", "--network", "multiset:4"] as &[&str],
        &["examples/shop/flow.toml", "--workers", "4"],
        &["examples/shop/flow.toml", "--accept-risk", "hold-laps"],
        &["--network", "set"],
        &["examples/shop/flow.toml", "--guards"],
        &["examples/shop/flow.toml", "--svg", "-", "--json"],
        &["examples/none/flow.toml"],
    ] {
        let ended = check(arguments);
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), ""), "{arguments:?}: {}", ended.stderr);
    }
}

#[test]
fn the_map_of_profiles_is_drawn() {
    insta::assert_snapshot!("profiles", said(&["--profiles"], 0));
    let told = json(&["--profiles"], 0);
    assert_eq!(told["pairs"].as_array().map(Vec::len), Some(54));
}
