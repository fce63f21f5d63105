//! A participant within this process, whose keys are gone with it: for tests, examples and trying things out.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fmt;
use std::sync::Mutex;

use handfast_machine::locked;
use handfast_protocol::{Answer, Effect, Operation, Register, Request};

use super::{Delivery, Participant, Receipt, Reply};
use crate::store::BoxFuture;

/// Decides about an effect on a body: `false` refuses an act, or says that the effect cannot be undone.
type Service = Box<dyn Fn(Effect, &[u8]) -> bool + Send + Sync>;

/// The deployed register per key, kept in memory, around a service that is a closure.
pub struct InMemory {
    keys: Mutex<BTreeMap<String, Register<String>>>,
    service: Service,
}

impl InMemory {
    /// `service` is called at most once a key for each effect, with the body of the request. It performs the effect and
    /// says whether it did; `false` is for ever.
    #[must_use]
    pub fn new(service: impl Fn(Effect, &[u8]) -> bool + Send + Sync + 'static) -> Self {
        Self { keys: Mutex::default(), service: Box::new(service) }
    }

    /// Every key that was asked about, and its register, in the keys' order.
    #[must_use]
    pub fn keys(&self) -> Vec<(String, Register<String>)> {
        let keys = locked(&self.keys);
        keys.iter().map(|(key, register)| (key.clone(), register.clone())).collect()
    }

    /// What [`deliver`](Participant::deliver) does. `expired` when the act came after its `not_after`.
    #[must_use]
    pub fn receive(&self, request: Delivery<'_>, expired: bool) -> Reply {
        let body = request.body_hash.to_owned();
        let mut keys = locked(&self.keys);
        let asked = match request.operation {
            Operation::Act => Request::Act { body, expired },
            Operation::Look => {
                let found = keys.get(request.key).and_then(Register::peek);
                return found.map_or_else(
                    || Reply::Absent { seen: "nothing under this key, which proves nothing".to_owned(), retry_after: None },
                    |state| Reply::Definite { answer: Answer::State(state), receipt: Receipt::default() },
                );
            }
            Operation::Close => Request::Close { body: Some(body) },
            Operation::Undo => Request::Undo { body: Some(body) },
        };
        let register = keys.entry(request.key.to_owned()).or_default();
        let answer = register.receive(asked, |effect| Ok::<_, Infallible>((self.service)(effect, request.body)));
        match answer {
            Ok(answer) => Reply::Definite { answer, receipt: Receipt::default() },
            Err(never) => match never {},
        }
    }
}

impl fmt::Debug for InMemory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InMemory").field("keys", &self.keys()).finish_non_exhaustive()
    }
}

impl Participant for InMemory {
    /// Never late: within one process an act that is on its way arrives at once or not at all.
    fn deliver<'a>(&'a self, request: Delivery<'a>) -> BoxFuture<'a, Reply> {
        let reply = self.receive(request, false);
        Box::pin(async move { reply })
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    #[test]
    fn a_look_at_what_is_not_there_is_answered_all_the_same() {
        let service = InMemory::new(|_, _| true);
        let body = Bytes::from_static(b"{}");
        let look = Delivery {
            is_about_undo: false,
            key: "s.o.p",
            operation: Operation::Look,
            body: &body,
            body_hash: "",
            number: 1,
            seen: None,
            not_after: None,
            leaves_before: None,
        };
        assert!(matches!(service.receive(look, false), Reply::Absent { .. }));
        assert!(matches!(service.receive(Delivery { operation: Operation::Act, ..look }, false), Reply::Definite { .. }));
        assert!(matches!(service.receive(look, false), Reply::Definite { .. }));
    }
}
