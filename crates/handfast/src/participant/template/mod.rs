//! Templates: how an existing service is called that knows nothing of the contract, and what its answers mean.
//!
//! An operation has a method, a URL, headers and a body, each a text with gaps (`{key}`, `{input.amount.minor}`,
//! `{receipt.hold.id}`, `{secret.TOKEN}`), and says which statuses and values of the answer mean *done*, *refused*, *closed*
//! or *undone*. Every other answer is *unknown*, and so is one that means two of them. `docs/flow.md` describes all of it
//! for those who write flow files.
//!
//! ```text
//!   texts --compile--> HttpTemplates --fill, escaped for each place--> request --> answer --exactly one state--> definite
//!                                          |  what is missing: not sent                   \--none or two-----> unknown
//! ```

mod address;
mod amount;
mod answer;
mod by_hand;
mod call;
mod caller;
mod condition;
mod door;
mod fill;
mod form;
mod own_headers;
mod reading;
mod secret;
mod shape;
mod short_key;
mod text;

#[cfg(test)]
mod condition_tests;
#[cfg(test)]
mod evaluator;
#[cfg(test)]
mod gap_tests;
#[cfg(test)]
mod orders;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod undo_tests;

use std::collections::{BTreeMap, BTreeSet};

use handfast_protocol::{Meaning, Meanings, Named, Operation};
use serde::{Deserialize, Serialize};

pub(crate) use address::Names;
pub use by_hand::{AnsweredByHand, ByHandError, ServiceByHand};
pub use call::{Call, CallText, TemplateError, TemplatePart};
pub(crate) use caller::{KeptReceipts, OfSaga, TemplateParticipant};
pub use condition::{At, Condition, Expected, KeptAt, Shapes, Test, Wants};
pub(crate) use door::Unfit;
pub use fill::Kept;
pub(crate) use fill::{decimal, places_of};
pub(crate) use reading::is_pointer;
pub(in crate::participant) use secret::unescaped;
pub use secret::{Secret, SecretError, Secrets};
use shape::{is_identity, is_of_this_saga};
pub(crate) use text::is_variable;
pub use text::{Moment, Place, Template, TimeFormat, Value};

/// The texts of all operations that a service has, as they are written and kept.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HttpTexts {
    /// Do it, once.
    pub act: CallText,
    /// If it was not done, it never will be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub close: Option<CallText>,
    /// If it was done, undo it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undo: Option<CallText>,
    /// Has it happened?
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peek: Option<CallText>,
    /// The headers of its answers that the service alone sends.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub own_headers: Vec<String>,
    /// What became of an undo that was accepted?
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undo_peek: Option<CallText>,
}

/// Templates that were read and make sense.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HttpTemplates {
    texts: HttpTexts,
    act: Call,
    close: Option<Call>,
    undo: Option<Call>,
    peek: Option<Call>,
    undo_peek: Option<Call>,
}

/// The key of a flow file that names the headers of answers that the service alone sends.
pub(crate) const OWN_HEADERS: &str = "own_headers";
/// The look at an undo under the name that a flow file gives it.
pub const UNDO_PEEK: &str = "undo_peek";

/// An operation under the name that a flow file gives it.
#[must_use]
pub const fn operation_key(operation: Operation) -> &'static str {
    match operation {
        Operation::Act => "act",
        Operation::Look => "peek",
        Operation::Close => "close",
        Operation::Undo => "undo",
    }
}

impl HttpTemplates {
    /// Reads every text.
    ///
    /// # Errors
    /// The first part that makes no sense, and of which operation, by its key.
    pub fn compile(texts: HttpTexts) -> Result<Self, (&'static str, TemplateError)> {
        let called = [Some(&texts.act), texts.close.as_ref(), texts.undo.as_ref(), texts.peek.as_ref(), texts.undo_peek.as_ref()];
        let sent = called.into_iter().flatten().flat_map(|text| text.headers.keys()).filter_map(|name| name.parse().ok());
        let own = own_headers::read(&texts.own_headers, &sent.collect::<Vec<_>>());
        let own = own.map_err(|message| (operation_key(Operation::Act), call::error(OWN_HEADERS, None, message)))?;
        let compile =
            |operation, text: &CallText| Call::compile(operation, text, &own).map_err(|error| (operation_key(operation), error));
        let optional = |operation, text: Option<&CallText>| text.map(|text| compile(operation, text)).transpose();
        let act = compile(Operation::Act, &texts.act)?;
        let close = optional(Operation::Close, texts.close.as_ref())?;
        let undo = optional(Operation::Undo, texts.undo.as_ref())?;
        let peek = optional(Operation::Look, texts.peek.as_ref())?;
        let of_undo = |text| Call::compile_undo_peek(text, &own).map_err(|error| (UNDO_PEEK, error));
        let undo_peek = texts.undo_peek.as_ref().map(of_undo).transpose()?;
        Ok(Self { texts, act, close, undo, peek, undo_peek })
    }

    /// As they were written.
    #[must_use]
    pub const fn texts(&self) -> &HttpTexts {
        &self.texts
    }

    /// How an operation is called, if the service has it.
    #[must_use]
    pub const fn call(&self, operation: Operation) -> Option<&Call> {
        match operation {
            Operation::Act => Some(&self.act),
            Operation::Look => self.peek.as_ref(),
            Operation::Close => self.close.as_ref(),
            Operation::Undo => self.undo.as_ref(),
        }
    }

    /// How it is asked what became of an undo that was accepted, if it has a way of its own.
    #[must_use]
    pub const fn undo_peek(&self) -> Option<&Call> {
        self.undo_peek.as_ref()
    }

    /// What a call names that answers to the undo of its step bring.
    pub(in crate::participant) fn brought_by_undo<'a>(&'a self, call: &'a Call, step: &'a str) -> impl Iterator<Item = &'a str> {
        let of_step = call.values().filter_map(Value::receipt).filter(move |(of, _)| *of == step).map(|(_, name)| name);
        of_step.filter(|name| self.kept_of_undo().any(|kept| kept == *name))
    }

    /// What answers to the undo bring.
    fn kept_of_undo(&self) -> impl Iterator<Item = &str> {
        self.undo.iter().flat_map(Call::kept_names)
    }

    /// A name under which an answer to the undo, or to a look at it, is kept, and one to another operation as well; and which
    /// two keep it, by their keys. Then it could not be told which of the two is meant.
    #[must_use]
    pub fn kept_twice(&self) -> Option<(&'static str, &'static str, &str)> {
        let of_undo = |(key, operation, _): &(&str, Operation, &Call)| *operation == Operation::Undo || *key == UNDO_PEEK;
        let (of_undos, others): (Vec<_>, Vec<_>) = self.every_call().partition(of_undo);
        let kept_by = |name: &str| others.iter().find(|(_, _, other)| other.kept_names().any(|kept| kept == name));
        let mut all = of_undos.into_iter().flat_map(|(key, _, call)| call.kept_names().map(move |name| (key, name)));
        all.find_map(|(key, name)| Some((key, kept_by(name)?.0, name)))
    }

    /// The look at an undo of which no answer has told anything: it names nothing that an answer to the undo has brought.
    #[must_use]
    pub fn look_for_undo(&self, step: &str) -> Option<&Call> {
        let knows_nothing = |call: &&Call| self.brought_by_undo(call, step).next().is_none();
        self.undo_peek.as_ref().filter(knows_nothing).or(self.peek.as_ref())
    }

    /// Every call with its key: those of the operations, and the look at an undo.
    pub fn every_call(&self) -> impl Iterator<Item = (&'static str, Operation, &Call)> {
        let calls = self.calls().map(|(operation, call)| (operation_key(operation), operation, call));
        calls.chain(self.undo_peek.iter().map(|call| (UNDO_PEEK, Operation::Look, call)))
    }

    /// The operations that the service has.
    pub fn calls(&self) -> impl Iterator<Item = (Operation, &Call)> {
        Operation::ALL.into_iter().filter_map(|operation| Some((operation, self.call(operation)?)))
    }

    /// The steps of whose answers the request that closes a key names something.
    pub fn close_needs(&self) -> impl Iterator<Item = &str> {
        self.close.iter().flat_map(Call::gaps).filter_map(|(value, _)| Some(value.receipt()?.0))
    }

    /// What their answers mean, in some shape, by a status alone or by something else that others send as well.
    #[must_use]
    pub fn bare(&self) -> Meanings {
        let of_call = |(operation, call): (Operation, &Call)| call.bare().map(|it| (operation, it)).collect::<Vec<_>>();
        self.calls().flat_map(of_call).fold(Meanings::NONE, |all, (operation, meaning)| all.with(operation, meaning))
    }

    /// By what the requests name what they are about, where `repeated` says where an earlier step of a name stands that may be
    /// done several times. Every operation that names what was kept of one counts: a close by it alone closes another one, too.
    #[must_use]
    pub fn named(&self, repeated: impl Fn(&str) -> Option<usize>) -> Named {
        let place = |(value, _): (&Value, Place)| repeated(value.receipt()?.0);
        let is_key = |(value, _): (&Value, Place)| matches!(value, Value::Key | Value::KeyHash | Value::KeyUuid);
        self.calls().fold(Named::ByKey, |named, (_, call)| match (named, call.gaps().find_map(place)) {
            (Named::ByIdOf(_), _) | (_, None) => named,
            (Named::ByKey | Named::ByKeyAndIdOf(_), Some(of)) if call.gaps().any(is_key) => Named::ByKeyAndIdOf(of),
            (Named::ByKey | Named::ByKeyAndIdOf(_), Some(of)) => Named::ByIdOf(of),
        })
    }

    /// Whether every answer that means this is compared with a value of this kind.
    #[must_use]
    pub fn compares(&self, meaning: Meaning, is_it: &dyn Fn(&Value) -> bool) -> bool {
        self.calls().all(|(_, call)| call.shapes_of(meaning).all(|shape| shape.compares(is_it)))
    }

    /// Whether every answer that means this says that it is about a request of this very saga.
    #[must_use]
    pub fn says_whose(&self, meaning: Meaning) -> bool {
        self.compares(meaning, &is_of_this_saga)
    }

    /// Whether some answer is compared with what was asked for.
    #[must_use]
    pub fn compares_values(&self) -> bool {
        self.calls().any(|(_, call)| call.compared().any(|value| !is_identity(value)))
    }

    /// The names of the secrets that they need.
    #[must_use]
    pub fn secrets(&self) -> BTreeSet<&str> {
        let gaps = self.every_call().flat_map(|(_, _, call)| call.gaps());
        gaps.flat_map(|(value, _)| secrets_of(value)).collect()
    }

    /// The secrets that they need, as [`Secrets::load`] finds them, with all that is made of them for a request.
    ///
    /// # Errors
    /// The first that is missing or unusable.
    pub fn load_secrets(&self, known: &BTreeMap<String, Secret>) -> Result<Secrets, SecretError> {
        let mut secrets = Secrets::load(self.secrets(), known)?;
        for (user, password) in self.basics() {
            secrets.add_basic(user, password)?;
        }
        secrets.add_coded();
        Ok(secrets)
    }

    /// Those of them that can be had, as [`load_secrets`](Self::load_secrets) finds them, with all that is made of them: whatever
    /// is missing is said where it is needed.
    #[must_use]
    pub fn secrets_to_hide(&self, known: &BTreeMap<String, Secret>) -> Secrets {
        let had = self.secrets().into_iter().filter_map(|name| Secrets::load([name], known).ok());
        let mut secrets = had.fold(Secrets::default(), Secrets::with);
        for (user, password) in self.basics() {
            let _is_missing = secrets.add_basic(user, password);
        }
        secrets.add_coded();
        secrets
    }

    /// Every pair that HTTP Basic is made of.
    fn basics(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        self.every_call().flat_map(|(_, _, call)| call.gaps()).filter_map(|(value, _)| value.basic())
    }

    /// Scheme, host and port of its act, as people call the service.
    #[must_use]
    pub fn origin(&self) -> String {
        self.act.origin()
    }
}

/// The secrets that a gap needs.
fn secrets_of(value: &Value) -> impl Iterator<Item = &str> {
    let (one, other) = match value {
        Value::Secret(name) => (Some(name), None),
        Value::Basic { user, password } => (Some(user), password.as_ref()),
        Value::Key
        | Value::KeyHash
        | Value::KeyUuid
        | Value::Saga
        | Value::Step
        | Value::Input(_)
        | Value::Decimal(_)
        | Value::LowerCurrency(_)
        | Value::Now { .. }
        | Value::Receipt { .. } => (None, None),
    };
    one.into_iter().chain(other).map(String::as_str)
}
