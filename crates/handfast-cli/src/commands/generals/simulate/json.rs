//! What is told about a simulation, as JSON; the help of the command documents it.

use handfast_lab::generals::{Interval, Outcome, Ratio};
use serde_json::{Map, Value, json};

use super::answer::{Answer, Misfit, Sampled};

/// Everything.
pub(super) fn told(answer: &Answer) -> Value {
    let outcome = |outcome: Outcome| {
        let share =
            share(answer.counted.count(outcome), answer.simulation.runs, &answer.interval(outcome), answer.exact(outcome));
        (outcome.key().to_owned(), share)
    };
    json!({
        "protocol": answer.protocol,
        "adversary": format!("iid {}", answer.capture),
        "given": "the attack is wanted",
        "capture": answer.capture.to_string(),
        "capture_float": answer.capture.to_f64(),
        "runs": answer.simulation.runs,
        "seed": answer.simulation.seed,
        "confidence": answer.confidence.share(),
        "outcome": Outcome::ALL.into_iter().map(outcome).collect::<Map<_, _>>(),
        "messengers": answer.counted.messengers,
        "captures": answer.counted.captures,
        "importance": answer.importance.as_ref().map(|sampled| importance(answer, sampled)),
        "email": email(answer),
    })
}

fn share(count: u64, of: u64, interval: &Interval, exact: Option<&Ratio>) -> Value {
    json!({
        "count": count,
        "share": if of == 0 { Value::Null } else { json!(count as f64 / of as f64) },
        "low": interval.low,
        "high": interval.high,
        "exact": exact.map(ToString::to_string),
        "exact_float": exact.map(Ratio::to_f64),
        "inside": exact.map(|exact| interval.holds(exact.to_f64())),
    })
}

fn importance(answer: &Answer, sampled: &Sampled) -> Value {
    let row = |(outcome, estimate, tilt): &(Outcome, _, _)| {
        let (estimate, tilt): (&handfast_lab::generals::Estimate, &handfast_lab::generals::Tilt) = (estimate, tilt);
        let [low, high] = estimate.interval(answer.confidence);
        // Of no runs neither an error nor an interval can be told.
        let known = estimate.hits > 0;
        let exact = answer.exact(*outcome);
        let rates = tilt.changes().into_iter().map(|(rate, waves)| {
            let waves: Vec<Value> = waves.iter().map(|(round, from)| json!({ "round": round, "from": from })).collect();
            json!({ "rate": rate.to_string(), "waves": waves })
        });
        let told = json!({
            "estimate": estimate.value.to_f64(),
            "error": known.then(|| estimate.error.to_f64()),
            "low": known.then(|| low.to_f64()),
            "high": known.then(|| high.to_f64()),
            "estimate_decimal": estimate.value.to_decimal(6),
            "error_decimal": known.then(|| estimate.error.to_decimal(3)),
            "hits": estimate.hits,
            "effective_hits": estimate.effective_hits.to_f64(),
            "variance_ratio": answer.variance_ratio(*outcome, estimate).filter(|_| known),
            "warning": answer.misfit(*outcome, estimate).map(Misfit::key),
            "exact": exact.map(ToString::to_string),
            "exact_float": exact.map(Ratio::to_f64),
            "inside": exact.filter(|_| known).map(|exact| (&low..=&high).contains(&exact)),
            "rates": rates.collect::<Vec<_>>(),
        });
        (outcome.key().to_owned(), told)
    };
    json!({
        "why": if sampled.asked { "asked" } else { "rare" },
        "outcome": sampled.rows.iter().map(row).collect::<Map<_, _>>(),
    })
}

fn email(answer: &Answer) -> Value {
    let (Some(email), Some((messengers, last_lost))) = (&answer.email, answer.email_exact()) else { return Value::Null };
    let interval = answer.mean_interval();
    let generals = (0..2).map(|side| {
        let (lost, of) = (email.last_lost[side], email.sent[side]);
        let mut told = share(lost, of, &Interval::wilson(lost, of, answer.confidence), Some(&last_lost));
        told["general"] = json!(side + 1);
        told["of"] = json!(of);
        told
    });
    json!({
        "messengers_mean": answer.mean(),
        "low": interval.low,
        "high": interval.high,
        "exact": messengers.to_string(),
        "exact_float": messengers.to_f64(),
        "inside": interval.holds(messengers.to_f64()),
        "last_lost": generals.collect::<Vec<_>>(),
    })
}
