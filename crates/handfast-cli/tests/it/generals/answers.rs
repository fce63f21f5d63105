//! The answers as data: the same names in each, and a float beside every rational.

use serde_json::Value;

/// A question, with all that it can be asked for.
const QUESTIONS: &[&str] = &[
    "odds reply --replies 2 --capture 1/3",
    "odds random-attack --rounds 3 --capture 1/3",
    "odds email --capture 1/10",
    "odds always --messengers 3 --grid",
    "simulate handshake --capture 1/3 --runs 1000 --importance --quiet",
    "simulate email --capture 1/10 --runs 1000 --quiet",
    "check random-attack --rounds 3 --all",
    "check always --messengers 3 --adversary at-most:2",
    "knowledge handshake --chain --capture 1/10",
    "decide reply --gain 10 --alone 10 --capture 1/2",
    "decide --gain 10 --alone 10 --messenger-cost 1/10 --capture 1/2 --plans adaptive --waves 2",
    "decide --gain 10 --alone 10 --messenger-cost 1/10 --capture 1/2 --budget 1..3",
];

/// Counts and coefficients are strings, too, and no rationals.
const WHOLE: [&str; 7] = ["text", "coefficient", "divisor", "patterns", "outcome", "estimate_decimal", "error_decimal"];

fn is_rational(value: &Value) -> bool {
    let digits = |text: &str| !text.is_empty() && text.trim_start_matches('-').bytes().all(|byte| byte.is_ascii_digit());
    let rational = |text: &str| text.split_once('/').map_or(digits(text), |(above, below)| digits(above) && digits(below));
    value.as_str().is_some_and(rational)
}

/// Every place in which a rational stands without its float.
fn without_float(value: &Value, place: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                let place = format!("{place}.{name}");
                let first = member.as_array().and_then(|list| list.first());
                let rational = is_rational(member) || first.is_some_and(is_rational);
                let counts = place.contains(".patterns.") || place.contains(".beginnings.");
                if rational && !counts && !WHOLE.contains(&name.as_str()) && !members.contains_key(&format!("{name}_float")) {
                    found.push(place.clone());
                }
                without_float(member, &place, found);
            }
        }
        Value::Array(list) => list.iter().for_each(|member| without_float(member, place, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[test]
fn every_answer_has_the_same_names_and_a_float_beside_every_rational() {
    for question in QUESTIONS {
        let mut words: Vec<&str> = question.split_whitespace().collect();
        let name = words.remove(0);
        let ended = crate::support::run([&["generals", name], &words[..], &["--json"]].concat());
        let data: Value = serde_json::from_str(&ended.stdout).expect(question);
        assert!(ended.stdout.starts_with("{\"protocol\":") || name == "decide", "{question}: {}", &ended.stdout[..60]);
        for member in ["protocol", "title", "adversary", "adversary_in_words"] {
            assert!(data[member].is_string() || words[0].starts_with("--"), "{question} has no {member}");
        }
        let notation = data["adversary"].as_str().expect("text");
        assert!(notation == "any" || notation.starts_with("iid:") || notation.starts_with("at-most:"), "{question}: {notation}");
        let mut found = Vec::new();
        without_float(&data, question, &mut found);
        assert!(found.is_empty(), "without a float: {found:?}");
    }
}
