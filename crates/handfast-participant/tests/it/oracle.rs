//! Random requests against the service, beside an oracle in memory made of the protocol's own registers.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

use handfast_participant::{BodyHash, Definite};
use handfast_protocol::{Answer, Effect, Register, Request};
use proptest::prelude::*;

use crate::support::{DECLINED, JSON, OTHER, Subject, VISA, hash};

const BODIES: [(&str, Option<i64>); 3] = [(VISA, Some(1999)), (OTHER, Some(500)), (DECLINED, None)];

#[derive(Clone, Copy, Debug)]
enum Kind {
    Act { expired: bool },
    Close { named: bool },
    Undo { named: bool },
}

/// The payment service as it is meant: a register and a balance per key.
#[derive(Default)]
struct Oracle {
    registers: BTreeMap<u8, Register<BodyHash>>,
    owed: BTreeMap<u8, i64>,
}

impl Oracle {
    fn receive(&mut self, key: u8, kind: Kind, body: usize) -> (u16, Definite) {
        let (text, price) = BODIES[body];
        let body = BodyHash::of(text.as_bytes());
        let register = self.registers.entry(key).or_default();
        let owed = self.owed.entry(key).or_default();
        let request = match kind {
            Kind::Act { expired } => Request::Act { body, expired },
            Kind::Close { named } => Request::Close { body: named.then_some(body) },
            Kind::Undo { named } => Request::Undo { body: named.then_some(body) },
        };
        let answer = register.receive(request, |effect| {
            match effect {
                Effect::Act => *owed += price.unwrap_or_default(),
                Effect::Undo => *owed = 0,
            }
            Ok::<_, std::convert::Infallible>(effect == Effect::Undo || price.is_some())
        });
        let Ok(answer) = answer;
        let state = register.peek().expect("a request settles its register");
        let status = match (answer, kind) {
            (Answer::OtherBody, _) => 422,
            (Answer::State(_), Kind::Close { .. } | Kind::Undo { .. }) => 200,
            (Answer::State(Definite::Done), Kind::Act { .. }) => 200,
            (Answer::State(Definite::Refused), Kind::Act { .. }) => 409,
            (Answer::State(Definite::Closed | Definite::Undone), Kind::Act { .. }) => 410,
        };
        (status, state)
    }
}

async fn ask(subject: &Subject, key: u8, kind: Kind, body: usize) -> (u16, String) {
    let text = BODIES[body].0;
    let (path, hash) = (subject.at(&format!("key-{key}")), hash(text));
    let named = |named: bool| if named { vec![("handfast-body", hash.as_str())] } else { Vec::new() };
    subject.clock.store(2_000, Ordering::SeqCst);
    let answer = match kind {
        Kind::Act { expired } => {
            let not_after = if expired { "1999" } else { "2000" };
            subject.send("PUT", &path, &[JSON, ("handfast-not-after", not_after)], text).await
        }
        Kind::Close { named: by } => subject.send("POST", &format!("{path}/close"), &named(by), "").await,
        Kind::Undo { named: by } => subject.send("DELETE", &path, &named(by), "").await,
    };
    (answer.status.as_u16(), answer.state().to_owned())
}

fn kinds() -> impl Strategy<Value = Kind> {
    prop_oneof![
        5 => Just(Kind::Act { expired: false }),
        1 => Just(Kind::Act { expired: true }),
        1 => any::<bool>().prop_map(|named| Kind::Close { named }),
        2 => any::<bool>().prop_map(|named| Kind::Undo { named }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn the_service_answers_as_the_registers_do(requests in prop::collection::vec((0_u8..5, kinds(), 0_usize..3), 1..60)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let subject = Subject::payment();
            let mut oracle = Oracle::default();
            for (key, kind, body) in requests {
                let (status, state) = oracle.receive(key, kind, body);
                prop_assert_eq!(ask(&subject, key, kind, body).await, (status, state.name().to_owned()), "{:?} {}", kind, body);
            }
            let owed: i64 = oracle.owed.values().sum();
            let found: i64 = subject.sql("SELECT coalesce(sum(minor), 0) FROM posting WHERE account = 'shop:receivable'");
            prop_assert_eq!(found, owed);
            let audit = subject.audit().await;
            prop_assert_eq!((&audit["balanced"], &audit["disagreements"]), (&true.into(), &0.into()), "{}", audit);
            Ok(())
        })?;
    }
}
