//! The JSON shapes of answers. They are the service's own, and converted by hand: the engine's types can change their names, an
//! answer cannot. [`saga`] has the one shape of a saga, for every route and command that shows one.

use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse as _, Response};
use handfast::store::Counts;
use handfast::webhook::WebhookStats;
use handfast::{LinkStats, NotMade, NotUnderstood, Standing, Stats};
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::flows::{Flows, Reloaded, ServedFlow};

pub(crate) mod flows;
pub mod participants;
pub mod saga;

/// An answer of 200 with a value.
pub(crate) fn json(value: &impl Serialize) -> Response {
    // Nothing that is answered here has a key that is no text, which is all that could go wrong.
    let text = serde_json::to_vec(value).unwrap_or_default();
    let mut response = text.into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// What the engine is at.
pub(crate) fn stats(stats: &Stats, counts: &Counts, flows: &Flows, reloaded: &Reloaded) -> Value {
    let sagas: Map<String, Value> =
        counts.by_standing.iter().map(|(standing, number)| (standing.clone(), json!(number))).collect();
    let named = |sagas: &[(String, String)]| sagas.iter().map(|(id, why)| json!({ "id": id, "why": why })).collect::<Vec<_>>();
    // Read from the store, which also has the sagas that another worker has placed, and those of which no caller was told.
    let is_in_doubt = |standing: &str| Standing::from_name(standing).is_some_and(Standing::is_in_doubt);
    let in_doubt: u64 = counts.by_standing.iter().filter(|(standing, _)| is_in_doubt(standing)).map(|(_, number)| number).sum();
    json!({
        "sagas": sagas,
        "in_doubt": in_doubt,
        "active": stats.active,
        "parked": in_doubt.saturating_sub(stats.active),
        "in_flight": stats.in_flight,
        "suspended": named(&stats.suspended),
        "left_alone": named(&stats.left_alone),
        "unconfirmed": named(&stats.unconfirmed),
        "store_trouble": stats.store_trouble,
        "clock": {
            "turns": stats.clock.turns.count,
            "last_turn_ms": stats.clock.turns.last_by_ms,
            "trouble": stats.clock.trouble,
        },
        "flows": flows::all(flows, reloaded, |_any| true),
        "flows_trouble": reloaded.why,
        "webhooks": flows.with_removed().flat_map(|flow| webhooks(flow)).collect::<Vec<_>>(),
        "participants": stats.participants.iter().map(participant).collect::<Vec<_>>(),
    })
}

/// What came of the webhooks of every step of a flow.
fn webhooks(flow: &ServedFlow) -> impl Iterator<Item = Value> {
    flow.webhooks().iter().map(|(step, receiver)| {
        let WebhookStats { taken, repeated, none_of_ours, refused, .. } = receiver.stats();
        json!({
            "flow": flow.name(), "step": step, "taken": taken, "repeated": repeated, "none_of_ours": none_of_ours,
            "refused": refused,
        })
    })
}

fn participant(line: &LinkStats) -> Value {
    json!({
        "participant": line.participant,
        "breaker": line.breaker.name(),
        "in_flight": line.in_flight,
        "answered": line.answered,
        "indefinite": line.indefinite,
        "unanswered": line.unanswered,
        "meaningless_status": line.meaningless,
        "turned_away_status": line.turned_away,
        "behind": line.behind,
        "not_understood": line.not_understood.iter().map(not_understood).collect::<Vec<_>>(),
        "not_made": line.not_made.iter().map(not_made).collect::<Vec<_>>(),
    })
}

fn not_made(kind: &NotMade) -> Value {
    let NotMade { operation, why, times, .. } = kind;
    json!({ "operation": operation, "why": why, "times": times })
}

fn not_understood(kind: &NotUnderstood) -> Value {
    let NotUnderstood { operation, status, times, seen, .. } = kind;
    json!({ "operation": operation, "status": status, "times": times, "seen": seen })
}

#[cfg(test)]
mod tests {
    use handfast::BreakerState;
    use handfast::flow_file::FlowFile;
    use handfast::journal::hex;

    use super::*;
    use crate::test_support::FLOW;

    /// What the engine counts, each with another value.
    fn counted() -> Stats {
        let mut not_understood = NotUnderstood::default();
        (not_understood.operation, not_understood.status, not_understood.times) = ("act", 400, 3);
        not_understood.seen = "no such shop".to_owned();
        let mut not_made = NotMade::default();
        (not_made.operation, not_made.why, not_made.times) = ("undo", "no id was kept".to_owned(), 5);
        let mut line = LinkStats::default();
        (line.participant, line.breaker) = ("http://bank".to_owned(), BreakerState::HalfOpen);
        (line.in_flight, line.answered, line.unanswered, line.indefinite) = (1, 2, 4, 3);
        (line.meaningless, line.turned_away, line.behind) = (Some(418), Some(503), Some("it was restored".to_owned()));
        (line.not_understood, line.not_made) = (vec![not_understood], vec![not_made]);
        let named = |id: &str, why: &str| vec![(id.to_owned(), why.to_owned())];
        let mut stats = Stats::default();
        (stats.active, stats.in_flight) = (6, 7);
        stats.suspended = named("order-1", "a contradiction");
        stats.left_alone = named("order-2", "a newer version");
        stats.unconfirmed = named("order-3", "a former life");
        stats.store_trouble = Some("the disk is full".to_owned());
        let turns = &mut stats.clock.turns;
        (turns.count, turns.last_by_ms) = (8, -9);
        stats.clock.trouble = Some("an hour behind".to_owned());
        stats.participants = vec![line];
        stats
    }

    fn flows() -> Flows {
        let file = FlowFile::parse("shop.toml", FLOW).unwrap();
        let flow = file.flow::<&str>(&[]).unwrap();
        (file, flow).into()
    }

    #[test]
    fn whatever_is_counted_has_its_place() {
        let counts = Counts { by_standing: [("acting".to_owned(), 8), ("completed".to_owned(), 2)].into() };
        let flows = flows();
        let said = stats(&counted(), &counts, &flows, &Reloaded::default());
        let named = |id: &str, why: &str| json!([{ "id": id, "why": why }]);
        let line = json!({
            "participant": "http://bank", "breaker": "half open", "in_flight": 1, "answered": 2, "indefinite": 3, "unanswered": 4,
            "meaningless_status": 418, "turned_away_status": 503, "behind": "it was restored",
            "not_understood": [{ "operation": "act", "status": 400, "times": 3, "seen": "no such shop" }],
            "not_made": [{ "operation": "undo", "why": "no id was kept", "times": 5 }],
        });
        let expected = json!({
            "sagas": { "acting": 8, "completed": 2 }, "in_doubt": 8, "active": 6, "parked": 2, "in_flight": 7,
            "suspended": named("order-1", "a contradiction"),
            "left_alone": named("order-2", "a newer version"),
            "unconfirmed": named("order-3", "a former life"),
            "store_trouble": "the disk is full",
            "clock": { "turns": 8, "last_turn_ms": -9, "trouble": "an hour behind" },
            "flows": [{
                "flow": "shop", "hash": hex(&flows.only().unwrap().flow().hash()), "file": "shop.toml", "takes_orders": true,
                "trouble": null,
            }],
            "flows_trouble": null,
            "webhooks": [],
            "participants": [line],
        });
        assert_eq!(said, expected);
    }
}
