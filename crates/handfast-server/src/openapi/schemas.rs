//! The schemas of what is sent and answered. They say of each object all members that it has, so that a new one has to be said here.

use handfast::{Act, Deed, Standing};
use serde_json::{Map, Value, json};

use super::{order, plans};
use crate::flows::Change;
use crate::problem;

/// A member of an object: its name and its schema.
pub(super) type Member<'a> = (&'a str, Value);

pub(super) fn object(required: &[Member<'_>], optional: &[Member<'_>]) -> Value {
    let properties: Map<String, Value> =
        required.iter().chain(optional).map(|(name, schema)| ((*name).to_owned(), schema.clone())).collect();
    let required: Vec<&str> = required.iter().map(|(name, _)| *name).collect();
    json!({ "type": "object", "properties": properties, "required": required, "additionalProperties": false })
}

pub(super) fn text() -> Value {
    json!({ "type": "string" })
}

pub(super) fn maybe_text() -> Value {
    json!({ "type": ["string", "null"] })
}

pub(super) fn number() -> Value {
    json!({ "type": "integer", "minimum": 0 })
}

fn maybe_number() -> Value {
    json!({ "type": ["integer", "null"], "minimum": 0 })
}

/// A number as it is sent: the largest that is read.
pub(super) fn whole() -> Value {
    json!({ "type": "integer", "minimum": 0, "maximum": u64::MAX })
}

pub(super) fn flag() -> Value {
    json!({ "type": "boolean" })
}

pub(super) fn named(schema: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{schema}") })
}

fn maybe(schema: &str) -> Value {
    json!({ "anyOf": [named(schema), { "type": "null" }] })
}

pub(super) fn list(of: &Value) -> Value {
    json!({ "type": "array", "items": of })
}

pub(super) fn one_of<'a>(names: impl IntoIterator<Item = &'a str>) -> Value {
    json!({ "type": "string", "enum": names.into_iter().collect::<Vec<_>>() })
}

pub(super) fn standing() -> Value {
    one_of(Standing::ALL.map(Standing::name))
}

fn outcome() -> Value {
    json!({ "enum": ["completed", "cancelled", "settled", null] })
}

fn operation() -> Value {
    one_of(["act", "look", "close", "undo"])
}

/// A text that a person says, which is not blank. A number that could be a card's is refused.
pub(super) fn said() -> Value {
    let pattern = format!("^{PLAIN}*{BLACK}{PLAIN}*$");
    json!({ "type": "string", "maxLength": 256, "pattern": pattern })
}

/// The same where it may be left out, or be blank.
fn maybe_said() -> Value {
    json!({ "type": ["string", "null"], "maxLength": 256, "pattern": format!("^{PLAIN}*$") })
}

/// What is no control character but a newline or a tab; and what is no white space either.
const PLAIN: &str = r"[^\u0000-\u0008\u000B-\u001F\u007F-\u009F]";
const BLACK: &str = r"[^\s\u0000-\u001F\u007F-\u009F]";

/// Every schema, with those of orders.
pub(super) fn all(orders: &[(String, Value)]) -> Map<String, Value> {
    let id = json!({
        "type": "string",
        "maxLength": 128,
        "pattern": r"^([A-Za-z0-9_~-]|\.[A-Za-z0-9_~-]|\.\.[A-Za-z0-9._~-])[A-Za-z0-9._~-]*$",
    });
    let problem = json!({
        "type": "object",
        "properties": {
            "type": one_of(problem::ALL.iter().map(|kind| kind.uri)),
            "title": text(),
            "status": { "type": "integer" },
            "detail": text(),
        },
        "required": ["type", "title", "status", "detail"],
    });
    let own = [("Anything", json!({ "type": "object" })), ("Id", id), ("Money", order::money()), ("Problem", problem)];
    own.into_iter()
        .chain(sent())
        .chain(of_sagas())
        .chain(of_parts())
        .chain(of_steps())
        .chain(of_definitions())
        .chain(of_participants())
        .chain(of_figures())
        .chain(of_flows())
        .chain(plans::all())
        .map(|(name, schema)| (name.to_owned(), schema))
        .chain(orders.iter().cloned())
        .chain(order::items())
        .collect()
}

/// What people send.
fn sent() -> Vec<Member<'static>> {
    let kept = json!({ "type": "object", "additionalProperties": { "type": ["boolean", "integer", "string"] } });
    let act = object(
        &[
            ("act", one_of(Act::NAMES)),
            ("by", said()),
            ("reason", said()),
            ("request_id", json!({ "type": "string", "pattern": "^[!-~]{1,255}$" })),
            ("saw", whole()),
        ],
        &[("step", maybe_text()), ("evidence", json!({ "anyOf": [said(), { "type": "null" }] })), ("kept", kept)],
    );
    vec![
        ("Reason", object(&[], &[("by", maybe_said()), ("why", maybe_said())])),
        ("Act", act),
        (
            "Decision",
            object(&[("decides", one_of(["adopt", "keep"])), ("by", said()), ("why", said())], &[("same_books", flag())]),
        ),
        ("Accepts", object(&[("participant", text()), ("incarnation", text()), ("by", said()), ("why", said())], &[])),
        ("AcceptsTime", object(&[("by", said()), ("why", said())], &[("seen_to", flag())])),
    ]
}

fn of_sagas() -> Vec<Member<'static>> {
    let able = object(&[("act", text()), ("step", maybe_text())], &[]);
    let listed = object(
        &[
            ("id", text()),
            ("standing", standing()),
            ("placed_ms", number()),
            ("changed_ms", number()),
            ("held", flag()),
            ("needs_person", flag()),
            ("step", maybe_text()),
            ("amount", maybe_text()),
            ("can", list(&able)),
        ],
        &[],
    );
    let placed =
        object(&[("id", text()), ("standing", standing()), ("outcome", outcome())], &[("trouble", text()), ("why", text())]);
    let saga = object(
        &[
            ("id", text()),
            ("flow", maybe_text()),
            ("standing", standing()),
            ("outcome", outcome()),
            ("in_doubt", flag()),
            ("held", flag()),
            ("trouble", maybe_text()),
            ("why", maybe_text()),
            ("remains", list(&named("Remains"))),
            ("seq", number()),
            ("can", list(&named("Can"))),
            ("acts", list(&named("Acted"))),
            ("placed_ms", number()),
            ("next_look_ms", maybe_number()),
            ("watched_until_ms", maybe_number()),
            ("steps", list(&named("Step"))),
            ("order", json!({})),
            ("journal", list(&named("Entry"))),
            ("tries", list(&named("Try"))),
        ],
        &[],
    );
    vec![("Placed", placed), ("Saga", saga), ("Page", object(&[("sagas", list(&listed)), ("next", maybe_text())], &[]))]
}

/// What a saga consists of beside its steps.
fn of_parts() -> Vec<Member<'static>> {
    vec![
        ("Remains", object(&[("step", text()), ("state", text()), ("amount", maybe_text())], &[])),
        ("Can", object(&[("act", text()), ("step", maybe_text()), ("does", text()), ("needs", list(&text()))], &[])),
        (
            "Acted",
            object(
                &[
                    ("seq", number()),
                    ("at_ms", number()),
                    ("act", text()),
                    ("step", maybe_text()),
                    ("by", maybe_text()),
                    ("reason", maybe_text()),
                    ("evidence", maybe_text()),
                ],
                &[],
            ),
        ),
        ("Entry", object(&[("seq", number()), ("at_ms", number()), ("input", json!({})), ("digest", text())], &[])),
        (
            "Try",
            object(
                &[
                    ("number", number()),
                    ("step", maybe_text()),
                    ("operation", operation()),
                    ("sent_ms", number()),
                    ("ended_ms", number()),
                    ("seen", text()),
                ],
                &[],
            ),
        ),
    ]
}

fn of_steps() -> Vec<Member<'static>> {
    let step = object(
        &[
            ("name", text()),
            ("kind", one_of(["compensatable", "pivot", "retriable"])),
            ("participant", text()),
            ("key", text()),
            ("short_keys", list(&text())),
            ("address", text()),
            ("look_at", maybe_text()),
            ("amount", maybe_text()),
            ("asked", json!({ "enum": ["act", "look", "close", "undo", null] })),
            ("last_asked_ms", maybe_number()),
            ("state", json!({ "enum": ["done", "refused", "closed", "undone", null] })),
            ("mark_counts_ms", maybe_number()),
            ("detail", maybe_text()),
            ("kept", json!({ "type": "object" })),
            ("last_answer", maybe("AnswerSeen")),
            ("not_understood", maybe("AnswerSeen")),
        ],
        &[],
    );
    let seen = object(&[("operation", text()), ("at_ms", number()), ("status", maybe_number()), ("said", text())], &[]);
    vec![("Step", step), ("AnswerSeen", seen)]
}

fn of_definitions() -> Vec<Member<'static>> {
    let difference = object(&[("name", text()), ("moved", flag()), ("identity", json!({})), ("reading", json!({}))], &[]);
    let definition = object(
        &[
            ("hash", text()),
            ("flow", json!({})),
            ("orders", number()),
            ("held", flag()),
            ("kept", flag()),
            ("adopted", flag()),
            ("plan", json!({})),
            ("addresses", json!({})),
            ("steps", list(&difference)),
        ],
        &[],
    );
    let held = object(&[("id", text()), ("why", text())], &[]);
    let decided = object(
        &[
            ("orders", number()),
            ("looked_for", number()),
            ("held", number()),
            ("held_orders", list(&held)),
            ("partly_read", flag()),
        ],
        &[],
    );
    vec![("Definitions", object(&[("definitions", list(&definition))], &[])), ("Decided", decided)]
}

fn of_participants() -> Vec<Member<'static>> {
    let offer = object(&[("incarnation", text()), ("seq", number()), ("at_ms", number()), ("counted_before", flag())], &[]);
    let acceptance = object(
        &[
            ("participant", text()),
            ("incarnation", text()),
            ("former", text()),
            ("seq", number()),
            ("at_ms", number()),
            ("by", text()),
            ("why", text()),
        ],
        &[],
    );
    let participant = object(
        &[
            ("participant", text()),
            ("incarnation", maybe_text()),
            ("seq", maybe_number()),
            ("breaker", maybe_text()),
            ("behind", maybe_text()),
            ("way_out", maybe_text()),
            ("offered", json!({ "anyOf": [offer, { "type": "null" }] })),
            ("accepted", list(&named("Acceptance"))),
        ],
        &[],
    );
    let money = object(&[("field", text()), ("minor", number()), ("currency", text()), ("amount", maybe_text())], &[]);
    let resting = object(
        &[
            ("id", text()),
            ("standing", standing()),
            ("has_ended", flag()),
            ("seq", number()),
            ("above_copy", flag()),
            ("money", list(&money)),
        ],
        &[],
    );
    vec![
        ("Acceptance", acceptance),
        ("Participants", object(&[("participants", list(&participant))], &[])),
        ("RestingPage", object(&[("sagas", list(&resting)), ("next", maybe_text())], &[])),
        ("TimeAcceptance", object(&[("instead_of_ms", number()), ("by", text()), ("why", text())], &[])),
    ]
}

fn of_figures() -> Vec<Member<'static>> {
    let named_sagas = list(&object(&[("id", text()), ("why", text())], &[]));
    let clock =
        object(&[("turns", number()), ("last_turn_ms", json!({ "type": ["integer", "null"] })), ("trouble", maybe_text())], &[]);
    let webhook = object(
        &[
            ("flow", text()),
            ("step", text()),
            ("taken", number()),
            ("repeated", number()),
            ("none_of_ours", number()),
            ("refused", number()),
        ],
        &[],
    );
    let not_understood = object(&[("operation", operation()), ("status", number()), ("times", number()), ("seen", text())], &[]);
    let not_made = object(&[("operation", operation()), ("why", text()), ("times", number())], &[]);
    let participant = object(
        &[
            ("participant", text()),
            ("breaker", one_of(["closed", "open", "half open", "behind"])),
            ("in_flight", number()),
            ("answered", number()),
            ("indefinite", number()),
            ("unanswered", number()),
            ("meaningless_status", maybe_number()),
            ("turned_away_status", maybe_number()),
            ("behind", maybe_text()),
            ("not_understood", list(&not_understood)),
            ("not_made", list(&not_made)),
        ],
        &[],
    );
    let by_standing = json!({ "type": "object", "propertyNames": standing(), "additionalProperties": number() });
    let stats = object(
        &[
            ("sagas", by_standing),
            ("in_doubt", number()),
            ("active", number()),
            ("parked", number()),
            ("in_flight", number()),
            ("suspended", named_sagas.clone()),
            ("left_alone", named_sagas.clone()),
            ("unconfirmed", named_sagas),
            ("store_trouble", maybe_text()),
            ("clock", clock),
            ("flows", flows_at_hand()),
            ("flows_trouble", maybe_text()),
            ("webhooks", list(&webhook)),
            ("participants", list(&participant)),
        ],
        &[],
    );
    let flows = list(&object(&[("flow", text()), ("hash", text()), ("file", text())], &[]));
    let version = object(
        &[
            ("version", text()),
            ("protocol_version", number()),
            ("flow", maybe_text()),
            ("flow_hash", maybe_text()),
            ("flows", flows),
        ],
        &[],
    );
    vec![("Stats", stats), ("Version", version)]
}

/// Every flow and every file that is none, as lists of them have it.
fn flows_at_hand() -> Value {
    list(&object(
        &[("flow", maybe_text()), ("hash", maybe_text()), ("file", text()), ("takes_orders", flag()), ("trouble", maybe_text())],
        &[],
    ))
}

fn of_flows() -> Vec<Member<'static>> {
    let change = one_of(Change::ALL.map(Change::name));
    let flow = object(&[("flow", maybe_text()), ("file", text()), ("change", change), ("why", maybe_text())], &[]);
    let reloaded = object(&[("complete", flag()), ("why", maybe_text()), ("flows", list(&flow))], &[]);
    let all = object(&[("flows", flows_at_hand()), ("trouble", maybe_text())], &[]);
    vec![("Flows", all), ("Reloaded", reloaded)]
}

/// Every parameter, by the name under which an address names it.
pub(super) fn parameters(flows: &[&str]) -> Map<String, Value> {
    let key = r#"^([!#-~]([ -~]{0,253}[!-~])?|"([ !#-\[\]-~]|\\["\\]){1,255}"(;[ -~]*)?)$"#;
    let amount = r"^[0-9]{1,15}(\.[0-9]{1,4})? [A-Z]{3}$";
    let number = json!({ "type": "integer", "minimum": 0, "maximum": u64::MAX });
    let slugs = problem::ALL.iter().map(|kind| kind.slug());
    let query = [
        ("standing", json!({ "type": "array", "items": standing(), "minItems": 1 })),
        ("in_doubt", json!({ "type": "boolean", "enum": [true] })),
        ("flow", text()),
        ("participant", text()),
        ("placed_from_ms", number.clone()),
        ("placed_before_ms", number),
        ("amount_at_least", json!({ "type": "string", "pattern": amount })),
        ("needs_person", flag()),
        ("after", named("Id")),
        ("limit", json!({ "type": "integer", "minimum": 1, "maximum": 1_000 })),
        ("incarnation", text()),
        ("act", one_of(Deed::NAMES)),
        ("step", text()),
    ];
    let path = [
        ("id", named("Id")),
        ("flow", one_of(flows.iter().copied())),
        ("hash", json!({ "type": "string", "pattern": "^[0-9a-f]{64}$" })),
        ("step", json!({ "type": "string", "pattern": "^[A-Za-z0-9_-]{1,64}$" })),
        ("slug", one_of(slugs)),
    ];
    let header = [("Idempotency-Key", json!({ "type": "string", "maxLength": 600, "pattern": key })), ("Prefer", text())];
    let parameter = |place: &str, (name, schema): (&str, Value)| {
        let required = place == "path" || matches!(name, "Idempotency-Key" | "incarnation" | "act");
        let mut parameter = json!({ "name": name, "in": place, "required": required, "schema": schema });
        if name == "standing" {
            parameter["explode"] = json!(false);
            parameter["style"] = json!("form");
        }
        (if place == "path" { format!("path.{name}") } else { name.to_owned() }, parameter)
    };
    let all = query.map(|one| parameter("query", one)).into_iter();
    all.chain(path.map(|one| parameter("path", one))).chain(header.map(|one| parameter("header", one))).collect()
}
