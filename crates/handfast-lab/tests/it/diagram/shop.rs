//! Plays one order out between the deployed coordinator and two deployed registers, over a road whose captures are chosen.

use std::convert::Infallible;
use std::sync::Arc;

use handfast_protocol::{
    Answer, Command, Coordinator, Input, Operation, PROTOCOL_VERSION, Party as _, Plan, Register, Request, Time, Told,
};

use handfast_lab::diagram::{Fate, Flight, SagaStory, StoryEntry, StoryStep};

/// One way on the road, in milliseconds.
const WAY_MS: u64 = 20;
/// When a request without an answer is sent again.
const AGAIN_MS: u64 = 3_000;
/// When the key of the payment is closed.
const DEADLINE_MS: u64 = 2_000;
/// Nobody who plays this by hand waits longer.
const LIMIT_MS: u64 = 60_000;

/// A messenger under way.
struct Flying {
    arrives: u64,
    what: What,
}

enum What {
    Request { command: Command, number: u64 },
    Reply { command: Command, answer: Answer, changed_at: u64 },
}

struct Shop<'a> {
    coordinator: Coordinator,
    registers: [(Register<()>, u64); 2],
    flying: Vec<Flying>,
    /// For every command: how often it was sent, and when it is sent again.
    sent: Vec<(Command, u64, u64)>,
    messengers: usize,
    captured: &'a dyn Fn(usize) -> bool,
    story: SagaStory,
}

/// An order that is charged, then dispatched. `captured` is asked once for every messenger, with its number from 0 in the
/// order of sending; the reply to the first charge is number 1, as in the generals' second strategy. `cancelled_at_ms`:
/// the customer cancels then.
#[must_use]
pub(crate) fn shop(captured: &dyn Fn(usize) -> bool, cancelled_at_ms: Option<u64>) -> SagaStory {
    let plan = Arc::new(Plan::payment_then_dispatch(Some(DEADLINE_MS), None));
    let step = |name: &str, done: &str, undone: &str| StoryStep {
        name: name.to_owned(),
        done: done.to_owned(),
        undone: undone.to_owned(),
    };
    let story = SagaStory {
        title: "A shop: the same reply is captured".to_owned(),
        coordinator: "shop".to_owned(),
        steps: vec![step("payment", "charged", "refunded"), step("dispatch", "dispatched", "")],
        plan: Arc::clone(&plan),
        version: PROTOCOL_VERSION,
        entries: Vec::new(),
        tries: Vec::new(),
        flights: Vec::new(),
        kills: Vec::new(),
        trouble: None,
        notes: Vec::new(),
    };
    let registers = [(Register::default(), 0), (Register::default(), 0)];
    let coordinator = Coordinator::new(plan);
    let mut shop = Shop { coordinator, registers, flying: Vec::new(), sent: Vec::new(), messengers: 0, captured, story };
    shop.tell(0, Input::Start, None);
    let mut now = 0;
    while shop.coordinator.decision().is_none() && now < LIMIT_MS {
        shop.send(now);
        let mut next = shop.flying.iter().map(|flying| flying.arrives).min().unwrap_or(u64::MAX);
        next = next.min(shop.coordinator.deadline().map_or(u64::MAX, |deadline| deadline.0));
        next = next.min(shop.sent.iter().map(|&(_, _, again)| again).min().unwrap_or(u64::MAX));
        next = next.min(cancelled_at_ms.filter(|&at| at > now).unwrap_or(u64::MAX));
        now = next.max(now);
        if cancelled_at_ms == Some(now) {
            shop.tell(now, Input::Receive(Told::Cancel), None);
        }
        shop.arrive(now);
        if shop.coordinator.deadline().is_some_and(|deadline| deadline.0 <= now) {
            shop.tell(now, Input::Timeout, None);
        }
    }
    shop.story
}

impl Shop<'_> {
    /// An input is journaled only if it changes the state.
    fn tell(&mut self, now: u64, input: Input<Told>, changed_at: Option<u64>) {
        let before = self.coordinator.clone();
        self.coordinator.step(Time(now), input);
        if self.coordinator != before {
            self.story.entries.push(StoryEntry { at: now, input, changed_at, detail: None });
        }
    }

    /// Sends what is wanted and was not sent within the last second.
    fn send(&mut self, now: u64) {
        let wanted = self.coordinator.outbox();
        self.sent.retain(|(command, _, _)| wanted.contains(command));
        for command in wanted {
            let number = match self.sent.iter_mut().find(|(sent, _, _)| *sent == command) {
                Some((_, _, again)) if *again > now => continue,
                Some((_, number, again)) => {
                    *number += 1;
                    *again = now + AGAIN_MS;
                    *number
                }
                None => {
                    self.sent.push((command, 1, now + AGAIN_MS));
                    1
                }
            };
            self.fly(now, command, number, None, What::Request { command, number });
        }
    }

    fn fly(&mut self, now: u64, command: Command, number: u64, reply: Option<Answer>, what: What) {
        let captured = (self.captured)(self.messengers);
        self.messengers += 1;
        let fate = if captured { Fate::Lost("captured".to_owned()) } else { Fate::Arrived(now + WAY_MS) };
        self.story.flights.push(Flight {
            step: command.step,
            operation: command.operation,
            number,
            is_reply: reply.is_some(),
            is_copy: false,
            says: match reply {
                Some(Answer::State(state)) => state.name().to_owned(),
                Some(Answer::OtherBody) | None => String::new(),
            },
            left: now,
            fate,
        });
        if !captured {
            self.flying.push(Flying { arrives: now + WAY_MS, what });
        }
    }

    fn arrive(&mut self, now: u64) {
        let due: Vec<Flying> = self.flying.extract_if(.., |flying| flying.arrives <= now).collect();
        for flying in due {
            match flying.what {
                What::Request { command, number } => {
                    let (register, changed) = &mut self.registers[command.step];
                    let before = register.peek();
                    let request = match command.operation {
                        Operation::Act => Request::Act { body: (), expired: false },
                        // Nobody looks where an act may be repeated.
                        Operation::Look => continue,
                        Operation::Close => Request::Close { body: None },
                        Operation::Undo => Request::Undo { body: None },
                    };
                    let Ok(answer) = register.receive(request, |_| Ok::<_, Infallible>(true));
                    if register.peek() != before {
                        *changed = now;
                    }
                    let what = What::Reply { command, answer, changed_at: *changed };
                    self.fly(now, command, number, Some(answer), what);
                }
                What::Reply { command, answer, changed_at } => {
                    self.tell(now, Input::Receive(Told::Answer { to: command, answer }), Some(changed_at));
                }
            }
        }
    }
}
