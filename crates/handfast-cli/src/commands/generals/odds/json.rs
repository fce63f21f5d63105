//! The odds as JSON: exact numbers as strings, floats beside them.

use handfast_lab::generals::{Outcome, Polynomial, Ratio};
use serde_json::{Map, Value, json};

use super::answer::{ADVERSARY, Answer, WORST_ADVERSARY};

/// The most terms of a polynomial in its text; the list has them all.
const MOST_TERMS: usize = 8;

fn put(told: &mut Map<String, Value>, name: &str, exact: Option<&Ratio>) {
    told.insert(name.to_owned(), json!(exact.map(Ratio::to_string)));
    told.insert(format!("{name}_float"), json!(exact.map(Ratio::to_f64)));
}

/// The whole answer.
pub(super) fn told(answer: &Answer) -> Value {
    let mut told = Map::new();
    told.insert("protocol".to_owned(), json!(answer.protocol));
    told.insert("adversary".to_owned(), json!(ADVERSARY));
    told.insert("given".to_owned(), json!(answer.given));
    put(&mut told, "capture", answer.at.as_ref().map(|(capture, _)| capture));
    let odds = answer.at.as_ref().map(|(_, odds)| odds);
    let rows = |value: &dyn Fn(&Ratio) -> Value| {
        odds.map(|odds| Outcome::ALL.iter().map(|&outcome| (outcome.key().to_owned(), value(odds.of(outcome)))).collect())
    };
    let exact: Option<Map<String, Value>> = rows(&|ratio| json!(ratio.to_string()));
    let floats: Option<Map<String, Value>> = rows(&|ratio| json!(ratio.to_f64()));
    told.insert("outcome".to_owned(), json!(exact));
    told.insert("outcome_float".to_owned(), json!(floats));
    put(&mut told, "exactly_one", odds.map(|odds| &odds.alone));
    put(&mut told, "alone_if_attacked", odds.and_then(handfast_lab::generals::Odds::alone_if_attacked).as_ref());
    polynomials(&mut told, answer);
    told.insert("coin_sides".to_owned(), json!(answer.coins));
    patterns(&mut told, answer);
    worst(&mut told, answer);
    if let Some(email) = &answer.email {
        put(&mut told, "messengers", email.messengers().as_ref());
        put(&mut told, "last_lost", email.last_lost().as_ref());
    }
    Value::Object(told)
}

fn polynomials(told: &mut Map<String, Value>, answer: &Answer) {
    let one = |polynomial: &Polynomial| {
        let terms = polynomial.terms.iter();
        let terms: Vec<Value> =
            terms.map(|(power, coefficient)| json!({ "power": power, "coefficient": coefficient.to_string() })).collect();
        json!({ "text": polynomial.to_text(MOST_TERMS), "divisor": polynomial.divisor.to_string(), "terms": terms })
    };
    match &answer.polynomials {
        Ok((rows, alone)) => {
            let mut written: Map<String, Value> =
                Outcome::ALL.iter().zip(rows).map(|(outcome, row)| (outcome.key().to_owned(), one(row))).collect();
            written.insert("exactly_one".to_owned(), one(alone));
            told.insert("polynomial".to_owned(), Value::Object(written));
        }
        Err(too_long) => {
            told.insert("polynomial".to_owned(), Value::Null);
            told.insert("polynomial_refused".to_owned(), json!(too_long.to_string()));
        }
    }
}

fn patterns(told: &mut Map<String, Value>, answer: &Answer) {
    match &answer.patterns {
        Ok(patterns) => {
            let line = |patterns: &handfast_lab::generals::Patterns| {
                let mut line = Map::from_iter([
                    ("sent".to_owned(), json!(patterns.sent)),
                    ("captures".to_owned(), json!(patterns.captures)),
                ]);
                for (outcome, count) in Outcome::ALL.iter().zip(&patterns.counts) {
                    line.insert(outcome.key().to_owned(), json!(count.to_string()));
                }
                Value::Object(line)
            };
            told.insert("patterns".to_owned(), patterns.iter().map(line).collect());
        }
        Err(too_long) => {
            told.insert("patterns".to_owned(), Value::Null);
            told.insert("patterns_refused".to_owned(), json!(too_long.to_string()));
        }
    }
}

fn worst(told: &mut Map<String, Value>, answer: &Answer) {
    match &answer.worst {
        None => {}
        Some(Err(why)) => {
            told.insert("worst".to_owned(), Value::Null);
            told.insert("worst_refused".to_owned(), json!(why));
        }
        Some(Ok((worst, journeys))) => {
            let captured = worst.captured.iter().filter_map(|&number| {
                let journey = journeys.get(number)?;
                Some(json!({ "messenger": number, "round": journey.round, "from": journey.from.number() }))
            });
            let told_worst = json!({
                "adversary": WORST_ADVERSARY,
                "exactly_one": worst.disagreement.to_string(),
                "exactly_one_float": worst.disagreement.to_f64(),
                "ordered": worst.ordered,
                "captures": worst.captured.len(),
                "captured": captured.collect::<Vec<Value>>(),
                "sent": worst.sent,
            });
            told.insert("worst".to_owned(), told_worst);
        }
    }
}
