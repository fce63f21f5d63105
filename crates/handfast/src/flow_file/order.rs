//! Orders: a line of JSON becomes an id, one form of the order, and the body of every step's act.

use bytes::Bytes;
use handfast_toml::suggest;

use super::error::InputError;
use super::field::{self, Field};
use super::file::FlowFile;
use super::json::Json;
use super::step::{FileStep, StepParticipant};
use crate::engine::{MAX_BODY_BYTES, Order};
use crate::key::{is_saga_id, leads_elsewhere};

/// The most bytes of an order. A body has fields of the order only, so it is never longer than this either,
/// which is what a participant takes.
pub const MAX_ORDER_BYTES: usize = MAX_BODY_BYTES;

impl FlowFile {
    /// Reads an order of this flow from JSON, checks every field, and refuses what the flow does not declare. Its input is
    /// the order in its one form: id, fields as the flow declares them, keys of objects in alphabetical order, no spaces.
    ///
    /// # Errors
    /// The first thing that is wrong, with its place and what to do.
    pub fn parse_order(&self, line: &[u8]) -> Result<Order, InputError> {
        self.read_order(line, || None)
    }

    /// The same of an order that need not have an id: one without is called what `id` says, which is checked as its own would be.
    ///
    /// # Errors
    /// As [`parse_order`](Self::parse_order).
    pub fn parse_order_or_name(&self, line: &[u8], id: impl FnOnce() -> String) -> Result<Order, InputError> {
        self.read_order(line, || Some(Json::Text(id())))
    }

    fn read_order(&self, line: &[u8], otherwise: impl FnOnce() -> Option<Json>) -> Result<Order, InputError> {
        let order = read(line)?;
        let Json::Object(members) = order else {
            return Err(InputError::whole("an order is a JSON object, as in {\"id\": \"order-1\", ..}"));
        };
        let said = members.iter().find(|(key, _)| key == "id").map(|(_, value)| value);
        let id = match said {
            Some(id) => check_id(Some(id))?,
            None => check_id(otherwise().as_ref())?,
        };
        for (key, _) in &members {
            self.check_key(key)?;
        }
        let values = self.checked_values(members)?;
        let input =
            object(std::iter::once(("id", &Json::Text(id.clone()))).chain(
                self.fields().iter().zip(&values).filter_map(|(field, value)| Some((field.name.as_str(), value.as_ref()?))),
            ));
        let bodies = self.bodies(&values);
        self.steps().iter().zip(&bodies).try_for_each(|(step, body)| check_requests(&id, step, body))?;
        let order = Order::new(id, input).of_flow(self.name());
        Ok(self.steps().iter().zip(bodies).fold(order, |order, (step, body)| order.body(&step.name, body)))
    }

    fn check_key(&self, key: &str) -> Result<(), InputError> {
        let names = || self.fields().iter().map(|field| field.name.as_str()).chain(std::iter::once("id"));
        if names().any(|name| name == key) {
            return Ok(());
        }
        if !field::is_name(key) {
            return Err(InputError::whole(format!(
                "it has a field whose name is none of the flow's; the flow {} has {}",
                self.name(),
                names().collect::<Vec<_>>().join(", ")
            )));
        }
        let hint = suggest::nearest(key, names())
            .map_or_else(|| "remove it, or declare it under [input]".to_owned(), |name| format!("did you mean {name}?"));
        Err(InputError::field(key, format!("the flow {} has no such field; {hint}", self.name())))
    }

    /// The value of every field, in the flow's order; `None` where an optional one is left out.
    fn checked_values(&self, mut members: Vec<(String, Json)>) -> Result<Vec<Option<Json>>, InputError> {
        let mut take = |field: &Field| {
            let place = members.iter().position(|(key, _)| *key == field.name)?;
            Some(members.swap_remove(place).1)
        };
        let mut values = Vec::with_capacity(self.fields().len());
        for field in self.fields() {
            let value = take(field);
            match &value {
                Some(value) => field.check(value)?,
                None if field.optional => {}
                None => {
                    return Err(InputError::field(
                        &field.name,
                        format!("it is missing; the flow {} declares it as {}", self.name(), field.field_type.name()),
                    ));
                }
            }
            values.push(value.map(Json::sorted));
        }
        Ok(values)
    }

    /// The body of every step's act. Steps that send the same fields share it.
    fn bodies(&self, values: &[Option<Json>]) -> Vec<Bytes> {
        let mut bodies: Vec<Bytes> = Vec::with_capacity(self.steps().len());
        for step in self.steps() {
            let alike = self.steps().iter().zip(&bodies).find(|(earlier, _)| earlier.send == step.send);
            let body = alike.map_or_else(|| self.body(&step.send, values).into(), |(_, body)| body.clone());
            bodies.push(body);
        }
        bodies
    }

    fn body(&self, send: &[usize], values: &[Option<Json>]) -> Vec<u8> {
        object(send.iter().filter_map(|&field| Some((self.fields()[field].name.as_str(), values[field].as_ref()?))))
    }
}

fn read(line: &[u8]) -> Result<Json, InputError> {
    if line.trim_ascii().is_empty() {
        return Err(InputError::whole("it is empty; an order is a JSON object, as in {\"id\": \"order-1\", ..}"));
    }
    if line.len() > MAX_ORDER_BYTES {
        return Err(InputError::whole(format!("it has {} bytes; an order has at most {MAX_ORDER_BYTES}", line.len())));
    }
    serde_json::from_slice(line).map_err(|error| {
        let text = error.to_string();
        // The caller that reads the file knows the line better, and the column is said in our words.
        let place = format!(" at line {} column {}", error.line(), error.column());
        let message = text.strip_suffix(&place).unwrap_or(&text);
        match error.classify() {
            serde_json::error::Category::Data => InputError::at_column(error.column(), message),
            serde_json::error::Category::Syntax | serde_json::error::Category::Eof | serde_json::error::Category::Io => {
                InputError::at_column(error.column(), format!("this is not JSON: {message}"))
            }
        }
    })
}

fn check_id(id: Option<&Json>) -> Result<String, InputError> {
    const WANTED: &str = "every order needs one of its own, text of 1 to 128 letters, digits or . _ ~ -";
    let Some(id) = id else {
        return Err(InputError::field("id", format!("it is missing; {WANTED}")));
    };
    let Json::Text(text) = id else {
        return Err(InputError::field("id", format!("it must be text in quotes; {WANTED}")));
    };
    if leads_elsewhere(text) {
        return Err(InputError::field("id", format!("neither . nor .. names anything: in a path they lead elsewhere; {WANTED}")));
    }
    if !is_saga_id(text) {
        return Err(InputError::field("id", format!("it is empty, too long or has another character; {WANTED}")));
    }
    field::check_no_card("id", text)?;
    Ok(text.clone())
}

/// Whether every request that the order leads to can be made, as far as the order alone decides that.
fn check_requests(id: &str, step: &FileStep, body: &[u8]) -> Result<(), InputError> {
    let StepParticipant::Http(templates) = &step.participant else { return Ok(()) };
    let body = serde_json::from_slice(body).expect("what was written as JSON just now can be read");
    templates.check(id, &step.name, &body).map_err(|unfit| match unfit.field {
        Some(field) => InputError::field(field, unfit.why),
        None => InputError::whole(unfit.why),
    })
}

/// An object of these members, without spaces.
fn object<'a>(members: impl Iterator<Item = (&'a str, &'a Json)>) -> Vec<u8> {
    let members = members.map(|(key, value)| (key.to_owned(), value.clone())).collect();
    serde_json::to_vec(&Json::Object(members)).expect("text, whole numbers and lists of them can always be written as JSON")
}
