//! Where a service is asked about one key, in words for a person who asks it by hand.

use std::collections::BTreeMap;

use handfast_protocol::Operation;

use super::{Call, HttpTemplates, Value, short_key};
use crate::journal::Scalar;

/// What the gaps of an address are filled with: nothing that is secret, and nothing of the order.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Names<'a> {
    pub(crate) key: &'a str,
    pub(crate) saga: &'a str,
    pub(crate) step: &'a str,
    /// What was kept of the step's own answers.
    pub(crate) kept: &'a BTreeMap<String, Scalar>,
}

impl HttpTemplates {
    /// The shorter names of this key that its requests use, and what its answers are compared with.
    pub(crate) fn short_keys(&self, key: &str) -> Vec<String> {
        let uses = |wanted: &Value| {
            let in_call = |call: &Call| call.values().any(|value| value == wanted);
            self.every_call().any(|(_, _, call)| in_call(call))
        };
        let all = [(Value::KeyHash, short_key::hash(key)), (Value::KeyUuid, short_key::uuid(key))];
        all.into_iter().filter(|(value, _)| uses(value)).map(|(_, name)| name).collect()
    }

    /// Method and URL of an operation. A gap that is filled with anything else than these names stays as it is written.
    pub(crate) fn address(&self, operation: Operation, names: Names<'_>) -> Option<String> {
        let text = match operation {
            Operation::Act => &self.texts.act,
            Operation::Look => self.texts.peek.as_ref()?,
            Operation::Close => self.texts.close.as_ref()?,
            Operation::Undo => self.texts.undo.as_ref()?,
        };
        let Names { key, saga, step, kept } = names;
        let mut gaps = vec![
            ("{key}".to_owned(), key.to_owned()),
            ("{key.hash}".to_owned(), short_key::hash(key)),
            ("{key.uuid}".to_owned(), short_key::uuid(key)),
            ("{saga}".to_owned(), saga.to_owned()),
            ("{step}".to_owned(), step.to_owned()),
        ];
        gaps.extend(kept.iter().map(|(name, value)| (format!("{{receipt.{step}.{name}}}"), value.to_string())));
        let url = gaps.iter().fold(text.url.clone(), |url, (gap, value)| url.replace(gap, value));
        Some(format!("{} {url}", self.call(operation)?.method()))
    }

    /// What the requests name of what was kept of a step's answers, by name. Of its own step these are the requests that take it
    /// back and ask what became of that, but for what the answer to an undo brings itself; of a later one all.
    pub(crate) fn names_of(&self, step: &str, is_own: bool) -> Vec<&str> {
        let undo = || self.call(Operation::Undo).into_iter();
        let brought = |name: &str| is_own && self.kept_of_undo().any(|kept| kept == name);
        let of_call = |call| -> Vec<&str> {
            let call: &Call = call;
            call.values().filter_map(Value::receipt).filter(|(of, _)| *of == step).map(|(_, name)| name).collect()
        };
        let own = || undo().flat_map(of_call).chain(self.undo_peek().into_iter().flat_map(of_call).filter(|name| !brought(name)));
        if is_own { own().collect() } else { self.every_call().flat_map(|(_, _, call)| of_call(call)).collect() }
    }

    /// Everything that is kept of its answers, by name.
    pub(crate) fn kept_names(&self) -> impl Iterator<Item = &str> {
        self.every_call().flat_map(|(_, _, call)| call.kept_names())
    }
}
