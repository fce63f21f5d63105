//! The service's description of itself: OpenAPI 3.1, made of the one table of [routes](crate::routes), of the problems, and of the
//! fields that an order of the flow has.
//!
//! Each route says what it takes and answers in [`operations`], without which it does not compile, and a build for tests breaks off
//! an answer that its route does not describe.

mod operations;
mod order;
mod plans;
mod schemas;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use axum::http::StatusCode;
use serde_json::{Map, Value, json};

pub(crate) use self::operations::*;
use crate::access::Needs;
use crate::flows::ServedFlow;
use crate::problem::{self, Kind};
use crate::routes::{ROUTES, Route};

/// What one address with one method takes and answers.
#[derive(Debug)]
pub(crate) struct About {
    /// Its name for programs that are made of the description.
    pub(crate) id: &'static str,
    /// What it does, in a sentence.
    pub(crate) summary: &'static str,
    /// What it reads of the query and of the headers. What stands in the path is known by the path.
    pub(crate) parameters: &'static [&'static str],
    pub(crate) body: Takes,
    pub(crate) answers: &'static [(StatusCode, &'static str, Answers)],
    /// The problems that are its own; those that every address of its kind has are added.
    pub(crate) problems: &'static [&'static Kind],
}

/// What an address takes as its body.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Takes {
    Nothing,
    /// JSON of this schema.
    Json(&'static str),
    /// The same, and it may be left out.
    MaybeJson(&'static str),
    /// JSON of a participant's own.
    Foreign,
}

/// What an address answers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Answers {
    Nothing,
    /// JSON of this schema.
    Json(&'static str),
    Text,
}

impl About {
    /// Every problem that the route may answer with, those of what stands before it among them.
    pub(crate) fn all_problems(&self, needs: Needs) -> Vec<&'static Kind> {
        let guard: &[&Kind] = if needs == Needs::Nothing { &[] } else { &[problem::TOKEN, problem::SCOPE] };
        let body: &[&Kind] = &[problem::TOO_LARGE, problem::TOO_SLOW, problem::BODY_LOST, problem::CROWDED];
        let body = if self.body == Takes::Nothing { &[] } else { body };
        let declared: &[&Kind] = match self.body {
            Takes::Json(_) | Takes::MaybeJson(_) => &[problem::MEDIA_TYPE],
            Takes::Nothing | Takes::Foreign => &[],
        };
        let all = [problem::FOREIGN_HOST, problem::FOREIGN_ORIGIN];
        let mut all: Vec<&Kind> = [&all[..], guard, body, declared, self.problems].concat();
        all.sort_by_key(|kind| (kind.status, kind.uri));
        all.dedup();
        all
    }
}

/// The description of a service of these flows. `everybody` may call it where it has no tokens.
pub(crate) fn document(flows: &[&ServedFlow], everybody: bool) -> Value {
    let names: Vec<&str> = flows.iter().map(|flow| flow.name()).collect();
    let mut paths = BTreeMap::<&str, Map<String, Value>>::new();
    for route in ROUTES {
        let method = route.verb.method().as_str().to_ascii_lowercase();
        let path = paths.entry(route.path).or_default();
        path.insert(method, operation(route, everybody));
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "handfast serve",
            "version": env!("CARGO_PKG_VERSION"),
            "license": { "name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0" },
            "description": format!(
                "Takes orders ({}), and brings each to both or neither. An answer of 2xx to an order means that it is kept, whatever \
                 happens from then on. Every answer that is no success is a problem (RFC 9457), whose type is an address of this service.",
                names.join(", ")
            ),
        },
        "paths": paths,
        "components": {
            "schemas": schemas::all(&order::schemas(flows)),
            "parameters": schemas::parameters(&names),
            "securitySchemes": { "token": { "type": "http", "scheme": "bearer", "description": "A token that `handfast tokens new` has drawn." } },
        },
    })
}

fn operation(route: &Route, everybody: bool) -> Value {
    let about = route.about;
    let in_path = route.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    let parameters = in_path.map(|name| format!("path.{name}")).chain(about.parameters.iter().map(|&name| name.to_owned()));
    let parameters: Vec<Value> = parameters.map(|name| json!({ "$ref": format!("#/components/parameters/{name}") })).collect();
    let mut operation = json!({
        "operationId": about.id,
        "summary": about.summary,
        "parameters": parameters,
        "responses": responses(route),
    });
    let security = match route.needs {
        Needs::Nothing => json!([]),
        Needs::OfASaga(_) | Needs::OfAll(_) if everybody => json!([{}, { "token": [] }]),
        Needs::OfASaga(_) | Needs::OfAll(_) => json!([{ "token": [] }]),
    };
    operation["security"] = security;
    if let Needs::OfASaga(scopes) | Needs::OfAll(scopes) = route.needs {
        let names: Vec<&str> = scopes.iter().map(|scope| scope.name()).collect();
        let of = if matches!(route.needs, Needs::OfAll(_)) { ", of every flow" } else { "" };
        operation["description"] = json!(format!("Asks for a token with the scope {}{of}.", names.join(" or ")));
    }
    match about.body {
        Takes::Nothing => {}
        Takes::Json(schema) => operation["requestBody"] = json!({ "required": true, "content": content(schema) }),
        Takes::MaybeJson(schema) => operation["requestBody"] = json!({ "required": false, "content": content(schema) }),
        Takes::Foreign => {
            operation["requestBody"] = json!({ "required": true, "content": { "application/json": { "schema": {} } } })
        }
    }
    operation
}

fn content(schema: &str) -> Value {
    json!({ "application/json": { "schema": { "$ref": format!("#/components/schemas/{schema}") } } })
}

fn responses(route: &Route) -> Value {
    let mut responses = Map::new();
    for (status, description, answers) in route.about.answers {
        let mut response = json!({ "description": description });
        match answers {
            Answers::Nothing => {}
            Answers::Json(schema) => response["content"] = content(schema),
            Answers::Text => response["content"] = json!({ "text/plain": { "schema": { "type": "string" } } }),
        }
        responses.insert(status.as_str().to_owned(), response);
    }
    let problems = route.about.all_problems(route.needs);
    let statuses: BTreeSet<StatusCode> = problems.iter().map(|kind| kind.status).collect();
    for status in statuses {
        let of_status: Vec<&&Kind> = problems.iter().filter(|kind| kind.status == status).collect();
        let types: Vec<&str> = of_status.iter().map(|kind| kind.uri).collect();
        let titles: Vec<&str> = of_status.iter().map(|kind| kind.title).collect();
        let is_one_of = json!({ "properties": { "type": { "enum": types } } });
        let schema = json!({ "allOf": [{ "$ref": "#/components/schemas/Problem" }, is_one_of] });
        let response =
            json!({ "description": titles.join("; "), "content": { "application/problem+json": { "schema": schema } } });
        responses.insert(status.as_str().to_owned(), response);
    }
    Value::Object(responses)
}
