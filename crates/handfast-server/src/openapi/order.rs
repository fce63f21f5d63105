//! The schema of an order, of the fields that the flow file gives it.

use handfast::flow_file::{FieldType, FlowFile, currencies};
use serde_json::{Map, Value, json};

use crate::flows::ServedFlow;

/// The largest whole number in an order.
pub(super) const LARGEST: i64 = 1_000_000_000_000_000;

/// The most values of a list, and members of an object.
pub(super) const MOST_ITEMS: usize = 1_000;

/// The most characters of a text.
pub(super) const MOST_CHARACTERS: usize = 4_096;
/// The most characters of a token.
pub(super) const MOST_OF_TOKEN: usize = 255;

/// Text without control characters, but for newline and tab.
const TEXT: &str = r"^[^\u0000-\u0008\u000B-\u001F\u007F-\u009F]*$";

/// The schema of an order of each of these flows, by name, and that of an order of any.
pub(super) fn schemas(flows: &[&ServedFlow]) -> Vec<(String, Value)> {
    let of_flows = flows.iter().map(|flow| (format!("Order.{}", flow.name()), schema(flow.file())));
    let any: Vec<Value> =
        flows.iter().map(|flow| json!({ "$ref": format!("#/components/schemas/Order.{}", flow.name()) })).collect();
    let any = if any.is_empty() { json!({ "type": "object" }) } else { json!({ "anyOf": any }) };
    of_flows.chain([("Order".to_owned(), any)]).collect()
}

fn schema(file: &FlowFile) -> Value {
    let mut properties = Map::new();
    let id = json!({ "allOf": [{ "$ref": "#/components/schemas/Id" }], "description": "Left out, the order is named after its Idempotency-Key." });
    properties.insert("id".to_owned(), id);
    for field in file.fields() {
        properties.insert(field.name.clone(), of_type(field.field_type));
    }
    let required: Vec<&str> = file.fields().iter().filter(|field| !field.optional).map(|field| field.name.as_str()).collect();
    json!({
        "type": "object",
        "description": "An order of the flow. A number that could be a card's is refused wherever it stands.",
        "properties": properties,
        "required": required,
        "additionalProperties": false,
    })
}

fn of_type(field_type: FieldType) -> Value {
    match field_type {
        FieldType::Text => json!({ "type": "string", "maxLength": MOST_CHARACTERS, "pattern": TEXT }),
        FieldType::Integer => json!({ "type": "integer", "minimum": -LARGEST, "maximum": LARGEST }),
        FieldType::Money => json!({ "$ref": "#/components/schemas/Money" }),
        FieldType::Token => json!({ "type": "string", "pattern": format!("^[!-~]{{1,{MOST_OF_TOKEN}}}$") }),
        FieldType::List => {
            json!({ "type": "array", "minItems": 1, "maxItems": MOST_ITEMS, "items": { "$ref": "#/components/schemas/Item" } })
        }
    }
}

/// An amount of money in an order.
pub(super) fn money() -> Value {
    json!({
        "type": "object",
        "description": "Whole minor units, and a currency in use that has them: 19.99 EUR is 1999.",
        "properties": {
            "minor": { "type": "integer", "minimum": 1, "maximum": LARGEST },
            "currency": { "type": "string", "enum": currencies() },
        },
        "required": ["minor", "currency"],
        "additionalProperties": false,
    })
}

/// How deep lists and objects may be within one another.
pub(super) const DEPTH: usize = 8;

/// What stands in a list of an order: a schema for each depth, since there is a last one.
pub(super) fn items() -> Vec<(String, Value)> {
    let name = |depth: usize| if depth == 2 { "Item".to_owned() } else { format!("Item{depth}") };
    let of_depth = |depth: usize| {
        let mut any = vec![
            json!({ "type": ["null", "boolean"] }),
            json!({ "type": "integer", "minimum": -LARGEST, "maximum": LARGEST }),
            json!({ "type": "string", "maxLength": MOST_CHARACTERS, "pattern": TEXT }),
        ];
        if depth <= DEPTH {
            let inside = json!({ "$ref": format!("#/components/schemas/{}", name(depth + 1)) });
            let names = json!({ "maxLength": MOST_CHARACTERS, "pattern": TEXT });
            any.push(json!({ "type": "array", "maxItems": MOST_ITEMS, "items": inside }));
            any.push(
                json!({ "type": "object", "maxProperties": MOST_ITEMS, "propertyNames": names, "additionalProperties": inside }),
            );
        }
        (name(depth), json!({ "anyOf": any }))
    };
    // The list itself is the first.
    (2..=DEPTH + 1).map(of_depth).collect()
}
