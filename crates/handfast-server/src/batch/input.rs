//! Lines become orders: checked by the flow, and an id never means two of them.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, BufRead};

use handfast::Order;
use handfast::flow_file::{FlowFile, MAX_ORDER_BYTES};
use sha2::{Digest as _, Sha256};

use super::lines::{InputLine, Lines};

/// What a line holds, after everything that can be said without the store.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Item {
    /// An order that is met for the first time.
    Order {
        /// Its line, counted from 1.
        line: u64,
        /// The order.
        order: Order,
    },
    /// An order that an earlier line has already.
    Repeated {
        /// Its line.
        line: u64,
        /// Its id.
        id: String,
        /// The earlier line.
        first: u64,
    },
    /// No order.
    Bad(BadLine),
}

/// A line that is no order of this flow.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BadLine {
    /// The file and the line, and the column where there is one.
    place: String,
    message: String,
}

impl BadLine {
    /// A line that is wrong as a whole.
    pub(crate) fn new(input: &str, line: u64, message: impl Into<String>) -> Self {
        Self { place: format!("{input}:{line}"), message: message.into() }
    }
}

impl fmt::Display for BadLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.message)
    }
}

/// The orders of an input, in its order.
pub(crate) struct Orders<'a, R> {
    flow: &'a FlowFile,
    input: &'a str,
    lines: Lines<R>,
    /// Where each id was met, and a hash of its order.
    ids: BTreeMap<String, (u64, [u8; 32])>,
}

impl<'a, R: BufRead> Orders<'a, R> {
    /// Reads orders of `flow`; `input` is what messages call where they come from.
    pub(crate) fn new(flow: &'a FlowFile, input: &'a str, reader: R) -> Self {
        Self { flow, input, lines: Lines::new(reader, MAX_ORDER_BYTES), ids: BTreeMap::new() }
    }

    fn item(&mut self, line: u64, text: &InputLine) -> Item {
        let bad = |message: String| Item::Bad(BadLine::new(self.input, line, message));
        let InputLine::Text(text) = text else {
            return bad(format!("the line has more than the {MAX_ORDER_BYTES} bytes that an order may have"));
        };
        let order = match self.flow.parse_order(text) {
            Ok(order) => order,
            Err(error) => {
                return match error.column() {
                    Some(column) => Item::Bad(BadLine {
                        place: format!("{}:{line}:{column}", self.input),
                        message: error.message().to_owned(),
                    }),
                    None => bad(error.to_string()),
                };
            }
        };
        let hash = Sha256::digest(&order.input).into();
        match self.ids.get(&order.id) {
            None => {
                self.ids.insert(order.id.clone(), (line, hash));
                Item::Order { line, order }
            }
            Some(&(first, known)) if known == hash => Item::Repeated { line, id: order.id, first },
            Some((first, _)) => {
                bad(format!("id: another order in line {first} is called {} already; give this one an id of its own", order.id))
            }
        }
    }
}

impl<R: BufRead> Iterator for Orders<'_, R> {
    type Item = io::Result<Item>;

    fn next(&mut self) -> Option<Self::Item> {
        Some(self.lines.next()?.map(|(line, text)| self.item(line, &text)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str) -> Vec<String> {
        let flow = "name = \"f\"\n[input]\nn = \"integer\"\n[[step]]\nname = \"s\"\nkind = \"pivot\"\nurl = \"http://s.example\"";
        let flow = FlowFile::parse("f.toml", flow).expect("sound");
        Orders::new(&flow, "in.jsonl", text.as_bytes())
            .map(|item| match item.expect("memory can be read") {
                Item::Order { line, order } => format!("{line} {}", order.id),
                Item::Repeated { line, id, first } => format!("{line} {id} again, first in {first}"),
                Item::Bad(bad) => bad.to_string(),
            })
            .collect()
    }

    #[test]
    fn an_id_means_one_order() {
        let text = r#"{"id":"a","n":1}
{"id":"b","n":1}

{ "n": 1, "id": "a" }
{"id":"a","n":2}
{"id":"c","n":"x"}
{"id":"c",n}
{"id":"c","n":3}
"#;
        assert_eq!(
            said(text),
            [
                "1 a",
                "2 b",
                "4 a again, first in 1",
                "in.jsonl:5: id: another order in line 1 is called a already; give this one an id of its own",
                "in.jsonl:6: n: it must be a whole number from -10^15 to 10^15, and it is text",
                "in.jsonl:7:11: this is not JSON: key must be a string",
                "8 c",
            ]
        );
        let long = format!("{{\"id\":\"a\",\"n\":1}}{}\n{{\"id\":\"b\",\"n\":1}}", " ".repeat(MAX_ORDER_BYTES));
        assert_eq!(said(&long), ["in.jsonl:1: the line has more than the 65536 bytes that an order may have", "2 b"]);
    }
}
