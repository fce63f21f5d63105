//! `handfast generals decide` from outside: the best wave, the best plan, the best rule, and what is refused.

use serde_json::Value;

const USUAL: [&str; 8] = ["--gain", "10", "--alone", "10", "--messenger-cost", "1/10", "--capture", "1/2"];
const PROTOCOL: [&str; 6] = ["--gain", "10", "--alone", "10", "--capture", "1/2"];

/// Runs it without a word on standard error.
#[track_caller]
fn decide(arguments: &[&str]) -> String {
    super::told("decide", arguments, 0)
}

#[track_caller]
fn decide_json(arguments: &[&str]) -> Value {
    super::told_json("decide", arguments, 0)
}

#[track_caller]
fn refuse(arguments: &[&str], hint: &str) {
    super::refused("decide", arguments, hint)
}

#[test]
fn the_best_wave_is_told() {
    insta::assert_snapshot!(decide(&USUAL));
    let told = decide_json(&USUAL);
    assert_eq!((&told["messengers"], &told["value"], &told["value_float"]), (&7.into(), &"1463/160".into(), &9.14375.into()));
    assert_eq!((&told["outcome"]["both"], &told["outcome"]["alone_1"]), (&"127/128".into(), &"1/128".into()));
    let decimal = decide_json(&["--gain", "10", "--alone", "10.0", "--messenger-cost", "0.1", "--capture", "0.5"]);
    assert_eq!(told, decimal);
}

#[test]
fn the_best_plan_is_told_with_its_class() {
    insta::assert_snapshot!(decide(&[&USUAL[..], &["--plans", "adaptive"]].concat()));
    let told = decide_json(&[&USUAL[..], &["--plans", "adaptive", "--waves", "2"]].concat());
    assert!(told["class"].as_str().is_some_and(|class| class.contains("at most 2 waves")), "{told}");
    assert!(told["value_float"].as_f64() >= Some(9.309375), "{told}");
    assert_eq!(told["single"]["messengers"], 7);
    let bounded = decide_json(&[&USUAL[..], &["--plans", "adaptive", "--waves", "2", "--budget", "6"]].concat());
    assert!(bounded["messengers"].as_u64() <= Some(6), "{bounded}");
}

#[test]
fn a_table_of_budgets_is_told() {
    insta::assert_snapshot!(decide(&[&USUAL[..], &["--plans", "adaptive", "--budget", "0..12"]].concat()));
    let told = decide_json(&[&USUAL[..], &["--budget", "1..1000"]].concat());
    let budgets = told["budgets"].as_array().expect("a list");
    assert_eq!((budgets.len(), &budgets[2]["value"], &budgets[999]["value"]), (1000, &"36/5".into(), &"1463/160".into()));
}

#[test]
fn free_messengers_have_no_best_number() {
    let free = ["--gain", "10", "--alone", "10", "--messenger-cost", "0", "--capture", "1/2"];
    insta::assert_snapshot!(decide(&free));
    let told = decide_json(&free);
    assert_eq!((&told["attained"], &told["messengers"], &told["value"]), (&false.into(), &Value::Null, &"10".into()));
    let bounded = decide_json(&[&free[..], &["--budget", "4"]].concat());
    assert_eq!((&bounded["attained"], &bounded["messengers"], &bounded["value"]), (&true.into(), &4.into(), &"35/4".into()));
    let told = decide_json(&["--gain", "10", "--alone", "10", "--messenger-cost", "1", "--capture", "1"]);
    assert_eq!((&told["attack"], &told["value"], &told["outcome"]["neither"]), (&false.into(), &"0".into(), &"1".into()));
}

#[test]
fn the_best_rule_is_told_beside_the_protocols_own() {
    let reply = ["reply", "--messengers", "2", "--replies", "2"];
    insta::assert_snapshot!(decide(&[&reply[..], &PROTOCOL, &["--messenger-cost", "1/10"]].concat()));
    let told = decide_json(&[&["always", "--messengers", "2"][..], &PROTOCOL].concat());
    assert_eq!((&told["value"], &told["prior"]), (&"5/2".into(), &"1/2".into()));
    assert_eq!(told["break_points"], serde_json::json!(["1/3", "3"]));
    assert_eq!((&told["messengers"], &told["messengers_given_order"]), (&"1".into(), &"2".into()));
    let attacks = |view: &Value| (view["general"].as_u64(), view["attacks"].as_bool());
    let rule: Vec<_> = told["rule"].as_array().expect("a list").iter().map(attacks).collect();
    assert_eq!(rule.iter().filter(|(_, attacks)| *attacks == Some(true)).count(), 2, "{told}");
    assert_eq!(told["own"]["value"], "5/2");
}

#[test]
fn nonsense_is_refused_with_the_flag_named() {
    for (flag, value) in
        [("--gain", "-1"), ("--alone", "-1/2"), ("--messenger-cost", "-0.1"), ("--capture", "3/2"), ("--gain", "much")]
    {
        let mut arguments = USUAL;
        let place = arguments.iter().position(|argument| *argument == flag).expect("a flag");
        arguments[place + 1] = value;
        refuse(&arguments, flag);
    }
    refuse(&USUAL[2..], "--gain");
    refuse(&PROTOCOL, "--messenger-cost 1/10");
    refuse(&[&USUAL[..], &["--waves", "2"]].concat(), "--plans adaptive");
    refuse(&[&USUAL[..], &["--budget", "5..1"]].concat(), "write 1..5");
    refuse(&[&USUAL[..], &["--prior", "1/2"]].concat(), "--prior");
    refuse(&[&["always", "--budget", "3"][..], &PROTOCOL].concat(), "--budget");
    refuse(&[&["always", "--prior", "0"][..], &PROTOCOL].concat(), "--prior");
    refuse(&[&["always", "--steps", "3"][..], &PROTOCOL].concat(), "always has no --steps");
    refuse(&[&["ready-ready", "--prior", "1/3"][..], &PROTOCOL].concat(), "without an order");
    refuse(&[&["--messengers", "3"][..], &PROTOCOL].concat(), "<PROTOCOL>");
    refuse(&["--gain", "10", "--alone", "1", "--messenger-cost", "1e-5000", "--capture", "0.999999"], "250000 binary digits");
}
