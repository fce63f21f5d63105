//! Asks the step's service one thing at a time, each time about an order of its own, and remembers what fits nothing.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use handfast::flow_file::StepParticipant;
use handfast::participant::{AnsweredByHand, Delivery, Kept, Reply, Scalar, ServiceByHand};
use handfast_protocol::{Answer, Answers, Definite, Operation, Profile, Time, UndoTold};
use serde_json::{Map, Value, json};

use super::{Trial, TrialError};
use crate::conform::caller::hash;

/// So often a service that answers later is asked before that counts as silence, and an undo that was accepted is looked for
/// before it counts as under way.
const LATER_TRIES: u32 = 50;
const LATER_PAUSE: Duration = Duration::from_millis(200);
/// So many kinds of answers that fit nothing are told.
const MOST_UNFIT: usize = 50;

/// An answer that means nothing that the flow describes.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Unfit {
    /// What was asked, and after what.
    pub(crate) asked: String,
    pub(crate) status: u16,
    /// The beginning of the body, cleaned.
    pub(crate) excerpt: String,
    /// Why it fits nothing.
    pub(crate) why: String,
    pub(crate) times: u32,
}

impl Unfit {
    /// As a person reads it.
    #[must_use]
    pub fn in_words(&self) -> String {
        format!("  {:<28} {} (seen {}): {}", self.asked, self.status, self.times, self.excerpt)
    }

    pub(crate) fn to_json(&self) -> Value {
        json!({
            "asked": self.asked, "status": self.status, "body": self.excerpt, "why": self.why, "times": self.times,
        })
    }
}

/// What one request has told.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Told {
    /// How the key stands, with what was kept of the answer.
    State(Definite, BTreeMap<String, Scalar>),
    /// A look found nothing.
    Absent,
    /// An undo was accepted, with what was kept of the answer, and was not done as long as anybody looked.
    Accepted(BTreeMap<String, Scalar>),
    /// An undo was accepted, or asked for, and has failed.
    Failed,
    /// It fits nothing, or nothing came.
    Nothing(String),
}

impl Told {
    pub(super) fn is(&self, state: Definite) -> bool {
        matches!(self, Self::State(told, ..) if *told == state)
    }

    /// What was kept of the answer.
    pub(super) const fn brought(&self) -> Option<&BTreeMap<String, Scalar>> {
        match self {
            Self::State(_, kept) | Self::Accepted(kept) => Some(kept),
            Self::Absent | Self::Failed | Self::Nothing(_) => None,
        }
    }

    /// In a word.
    pub(super) fn word(&self) -> String {
        match self {
            Self::State(state, ..) => state.name().to_owned(),
            Self::Absent => "absent".to_owned(),
            Self::Accepted(_) => "accepted".to_owned(),
            Self::Failed => "failed".to_owned(),
            Self::Nothing(seen) => seen.clone(),
        }
    }
}

/// The service of the step, and those of the steps before it.
pub(super) struct Subject<'a> {
    trial: &'a Trial<'a>,
    services: Vec<Option<ServiceByHand>>,
    next: Cell<u32>,
    unfit: RefCell<Vec<Unfit>>,
    /// An undo took longer than anybody looks for it: the next is looked for once.
    undoes_slowly: Cell<bool>,
    /// All orders are placed at one moment, so that no two differ by that.
    placed_at: Time,
}

/// One order, of which nobody has heard before.
pub(super) struct Case<'s> {
    subject: &'s Subject<'s>,
    saga: String,
    bodies: Vec<Bytes>,
    kept: RefCell<Kept>,
    of_undos: RefCell<Kept>,
    number: Cell<u64>,
}

impl<'a> Subject<'a> {
    pub(super) fn new(trial: &'a Trial<'a>) -> Result<Self, TrialError> {
        let steps = trial.flow.steps();
        let of = |at: usize| match &steps[at].participant {
            StepParticipant::Http(templates) => {
                let service = ServiceByHand::new(Arc::clone(templates), &BTreeMap::new(), trial.timeout);
                service.map(Some).map_err(|error| TrialError::Service(steps[at].name.clone(), error.to_string()))
            }
            StepParticipant::Handfast { .. } | StepParticipant::InProcess if at == trial.step => {
                Err(TrialError::NotByTemplates(steps[at].name.clone()))
            }
            StepParticipant::Handfast { .. } | StepParticipant::InProcess => Ok(None),
        };
        let services = (0..=trial.step).map(of).collect::<Result<_, _>>()?;
        let placed_at = Time(handfast_machine::clock::now_ms());
        let (next, undoes_slowly) = (Cell::new(1), Cell::new(false));
        Ok(Self { trial, services, next, unfit: RefCell::default(), undoes_slowly, placed_at })
    }

    pub(super) fn profile(&self) -> &'a Profile {
        &self.trial.flow.steps()[self.trial.step].profile
    }

    /// Whether the step has this operation at all.
    pub(super) fn has(&self, operation: Operation) -> bool {
        match &self.trial.flow.steps()[self.trial.step].participant {
            StepParticipant::Http(templates) => templates.call(operation).is_some(),
            StepParticipant::Handfast { .. } | StepParticipant::InProcess => false,
        }
    }

    /// Where its acts go.
    pub(super) fn origin(&self) -> String {
        let step = &self.trial.flow.steps()[self.trial.step];
        match &step.participant {
            StepParticipant::Http(templates) => templates.origin(),
            StepParticipant::Handfast { .. } | StepParticipant::InProcess => step.name.clone(),
        }
    }

    /// Whether a look says what became of an undo, in a way of its own.
    pub(super) fn looks_at_undos(&self) -> bool {
        match &self.trial.flow.steps()[self.trial.step].participant {
            StepParticipant::Http(templates) => templates.undo_peek().is_some(),
            StepParticipant::Handfast { .. } | StepParticipant::InProcess => false,
        }
    }

    pub(super) const fn has_refused(&self) -> bool {
        self.trial.refused.is_some()
    }

    /// What fitted nothing, the most frequent first.
    pub(super) fn unfit(&self) -> Vec<Unfit> {
        let mut list = self.unfit.borrow().clone();
        list.sort_by_key(|unfit| std::cmp::Reverse(unfit.times));
        list
    }

    /// A new order, with the acts of the steps before done, as far as they are called by templates.
    pub(super) async fn case(&self) -> Result<Case<'_>, TrialError> {
        self.case_of("--body", &self.trial.order).await
    }

    /// A new order whose act is refused, if there is one.
    pub(super) async fn refused_case(&self) -> Result<Option<Case<'_>>, TrialError> {
        match &self.trial.refused {
            Some(order) => self.case_of("--refused-body", order).await.map(Some),
            None => Ok(None),
        }
    }

    async fn case_of(&self, flag: &'static str, order: &Map<String, Value>) -> Result<Case<'_>, TrialError> {
        let saga = format!("conform-{}-{}", self.trial.run, self.next.replace(self.next.get() + 1));
        let mut order = order.clone();
        order.insert("id".to_owned(), Value::from(saga.as_str()));
        let read = self.trial.flow.parse_order(Value::Object(order).to_string().as_bytes());
        let order = read.map_err(|error| TrialError::Order(flag, error))?;
        let case = Case {
            subject: self,
            saga,
            bodies: order.bodies,
            kept: RefCell::default(),
            of_undos: RefCell::default(),
            number: Cell::new(1),
        };
        for at in 0..self.trial.step {
            if self.services[at].is_none() {
                continue;
            }
            let told = case.ask_step(at, Operation::Act, "act of an earlier step").await;
            if !told.is(Definite::Done) {
                let step = self.trial.flow.steps()[at].name.clone();
                return Err(TrialError::Before(step, told.word()));
            }
        }
        Ok(case)
    }

    fn note(&self, asked: &str, heard: &AnsweredByHand, seen: &str) {
        let Some(status) = heard.status else { return };
        let mut unfit = self.unfit.borrow_mut();
        // Of one kind the bodies may differ in every answer, by an id for one; the first of them is shown.
        if let Some(known) = unfit.iter_mut().find(|known| known.asked == asked && known.status == status) {
            known.times += 1;
        } else if unfit.len() < MOST_UNFIT {
            let excerpt = heard.excerpt.clone().unwrap_or_default();
            unfit.push(Unfit { asked: asked.to_owned(), status, excerpt, why: seen.to_owned(), times: 1 });
        }
    }
}

impl Case<'_> {
    pub(super) async fn act(&self, asked: &str) -> Told {
        self.ask(Operation::Act, asked).await
    }

    pub(super) async fn close(&self, asked: &str) -> Told {
        self.ask(Operation::Close, asked).await
    }

    /// Asks for the undo, and looks for what becomes of one that is accepted until that is known, or nobody looks any longer.
    pub(super) async fn undo(&self, asked: &str) -> Told {
        let told = self.ask(Operation::Undo, asked).await;
        let Told::Accepted(kept) = told else { return told };
        let tries = if self.subject.undoes_slowly.get() { 1 } else { LATER_TRIES };
        for at in 0..tries {
            if at > 0 {
                tokio::time::sleep(LATER_PAUSE).await;
            }
            match self.look_at_undo(&format!("look at an {asked}"), at + 1 == tries).await {
                // What came with the acceptance tells it from others.
                Told::State(Definite::Undone, found) => {
                    return Told::State(Definite::Undone, if kept.is_empty() { found } else { kept });
                }
                Told::Failed => return Told::Failed,
                Told::State(..) | Told::Accepted(_) | Told::Absent | Told::Nothing(_) => {}
            }
        }
        self.subject.undoes_slowly.set(true);
        Told::Accepted(kept)
    }

    /// Looks at what became of an undo, as far as it is known by what.
    pub(super) async fn look_at_undo(&self, asked: &str, is_last: bool) -> Told {
        self.ask_once(self.subject.trial.step, (Operation::Look, true), asked, is_last).await
    }

    pub(super) async fn peek(&self, asked: &str) -> Told {
        self.ask(Operation::Look, asked).await
    }

    /// Takes back what was done, as far as that goes; nothing is concluded from it.
    pub(super) async fn clear_away(&self) {
        if self.subject.has(Operation::Undo) {
            self.ask(Operation::Undo, "undo").await;
        }
    }

    async fn ask(&self, operation: Operation, asked: &str) -> Told {
        self.ask_step(self.subject.trial.step, operation, asked).await
    }

    /// Asks, and asks again where the service says so by its profile.
    async fn ask_step(&self, at: usize, operation: Operation, asked: &str) -> Told {
        let profile = &self.subject.trial.flow.steps()[at].profile;
        let tries = if profile.answers == Answers::Later && operation == Operation::Act { LATER_TRIES } else { 1 };
        let mut told = self.ask_once(at, (operation, false), asked, tries == 1).await;
        for left in (1..tries).rev() {
            if !matches!(told, Told::Nothing(_)) {
                break;
            }
            tokio::time::sleep(LATER_PAUSE).await;
            told = self.ask_once(at, (operation, false), asked, left == 1).await;
        }
        told
    }

    /// The key of one of its steps.
    fn key(&self, at: usize) -> String {
        format!("conform.{}.{}", self.saga, self.subject.trial.flow.steps()[at].name)
    }

    /// What its requests may have said, so that an answer that says it again says nothing new: by what the key is called, and
    /// what other answers have brought before.
    pub(super) fn has_said(&self, value: &Scalar, of_act: Option<&BTreeMap<String, Scalar>>) -> bool {
        let own = &self.subject.trial.flow.steps()[self.subject.trial.step].name;
        let kept = self.kept.borrow();
        let before = kept.iter().filter(|(step, _)| *step != own).flat_map(|(_, values)| values.values());
        let text = value.to_string().to_lowercase();
        let is_named = |name: &String| text.contains(name.as_str()) || text == name.replace('-', "");
        before.chain(of_act.into_iter().flat_map(BTreeMap::values)).any(|known| known.to_string().to_lowercase() == text)
            || ServiceByHand::names_of(&self.key(self.subject.trial.step))
                .iter()
                .map(|name| name.to_lowercase())
                .any(|name| is_named(&name))
    }

    async fn ask_once(&self, at: usize, (operation, is_about_undo): (Operation, bool), asked: &str, is_last: bool) -> Told {
        let Some(service) = &self.subject.services[at] else { return Told::Nothing("it is not asked".to_owned()) };
        let step = &self.subject.trial.flow.steps()[at];
        let key = self.key(at);
        let (body, number) = (&self.bodies[at], self.number.replace(self.number.get() + 1));
        let body_hash = &hash(body);
        let delivery = Delivery {
            is_about_undo,
            key: &key,
            operation,
            body,
            body_hash,
            number,
            seen: None,
            not_after: None,
            leaves_before: None,
        };
        let (kept, of_undos) = (self.kept.borrow().clone(), self.of_undos.borrow().clone());
        let asking = service.ask(delivery, (&kept, &of_undos), self.subject.placed_at);
        let answered = tokio::time::timeout(self.subject.trial.timeout, asking).await;
        let Ok(heard) = answered else { return Told::Nothing("no answer in time".to_owned()) };
        match &heard.reply {
            Reply::Definite { answer: Answer::State(state), receipt } => {
                let is_of_undo = operation == Operation::Undo || *state == Definite::Undone;
                self.keep(&step.name, is_of_undo, &receipt.kept);
                Told::State(*state, receipt.kept.clone())
            }
            Reply::Absent { .. } => Told::Absent,
            Reply::Undo { told: UndoTold::Sent | UndoTold::Accepted, receipt } => {
                self.keep(&step.name, true, &receipt.kept);
                Told::Accepted(receipt.kept.clone())
            }
            Reply::Undo { told: UndoTold::Failed, .. } => Told::Failed,
            Reply::Unknown { seen, .. } | Reply::Mismatch { seen, .. } => {
                if is_last {
                    self.subject.note(asked, &heard, seen);
                }
                Told::Nothing(seen.clone())
            }
            Reply::Definite { answer: Answer::OtherBody, .. } | Reply::Behind { .. } => {
                Told::Nothing("an answer that only the contract has".to_owned())
            }
        }
    }

    /// What an earlier answer brought stays.
    fn keep(&self, step: &str, is_of_undo: bool, brought: &BTreeMap<String, Scalar>) {
        if !brought.is_empty() {
            let mut kept = if is_of_undo { &self.of_undos } else { &self.kept }.borrow_mut();
            kept.entry(step.to_owned()).or_insert_with(|| brought.clone());
        }
    }
}
