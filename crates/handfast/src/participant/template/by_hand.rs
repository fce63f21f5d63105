//! A participant that is asked by hand, by the definition of a step, without an engine and without a journal: for a program
//! that tries what a service promises, or one that keeps sagas by other means.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use handfast_protocol::Time;

use super::caller::{Asked, KeptReceipts, OfSaga, TemplateParticipant};
use super::fill::Kept;
use super::secret::{Secret, SecretError};
use super::{HttpTemplates, short_key};
use crate::clock::Clock;
use crate::flow::FlowStep;
use crate::key::KeyParts;
use crate::participant::{ClientError, Delivery, HttpParticipant, HttpParticipantError, Participant as _, Reply};
use crate::store::BoxFuture;

/// A service that is called as a flow's step says, without an engine and without a journal.
pub struct ServiceByHand(Inner);

enum Inner {
    /// It knows nothing of the contract.
    Templates(Box<TemplateParticipant>),
    /// It speaks the contract.
    Contract(Box<HttpParticipant>),
}

/// What came of one request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AnsweredByHand {
    /// What an engine would make of it.
    pub reply: Reply,
    /// The status, where there was a whole answer of a service that knows nothing of the contract.
    pub status: Option<u16>,
    /// The beginning of the answer's body, without secrets, card numbers and control characters.
    pub excerpt: Option<String>,
}

/// Why a service cannot be asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ByHandError {
    /// A secret of its templates cannot be had.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// The client cannot be set up.
    #[error("the HTTP client cannot be set up: {0}")]
    Client(#[from] ClientError),
    /// The participant of the step is no URL, so it is in no other process.
    #[error("{0:?} is no URL; a participant of this process is called by its own methods")]
    NoUrl(String),
    /// Its URL cannot be used.
    #[error(transparent)]
    Url(#[from] HttpParticipantError),
}

impl ServiceByHand {
    /// The service of these templates. Its secrets come from `known`, and the others from the environment.
    ///
    /// # Errors
    /// A secret is missing or unusable, or the client cannot be set up.
    pub fn new(
        templates: Arc<HttpTemplates>,
        known: &BTreeMap<String, Secret>,
        connect_timeout: Duration,
    ) -> Result<Self, ByHandError> {
        let secrets = templates.load_secrets(known)?;
        let participant = TemplateParticipant::new(templates, secrets, Arc::new(NoJournal), connect_timeout, Clock::system())?;
        Ok(Self(Inner::Templates(Box::new(participant))))
    }

    /// The service of this step, whichever way it is called. Its secrets come from `known`, and the others from the environment.
    ///
    /// # Errors
    /// As [`new`](Self::new), or the step names no URL that can be used.
    pub fn of_step(step: &FlowStep, known: &BTreeMap<String, Secret>, connect_timeout: Duration) -> Result<Self, ByHandError> {
        if let Some(templates) = &step.http {
            return Self::new(Arc::clone(templates), known, connect_timeout);
        }
        if !step.participant.is_url() {
            return Err(ByHandError::NoUrl(step.participant.as_str().to_owned()));
        }
        let participant = HttpParticipant::new(step.participant.as_str(), connect_timeout, Clock::system())?;
        Ok(Self(Inner::Contract(Box::new(participant))))
    }

    /// The values by which a request says whose it is: its key, what is made of it, and the saga. A service or gateway that
    /// says them again may have echoed the request.
    #[must_use]
    pub fn names_of(key: &str) -> Vec<String> {
        let saga = KeyParts::of(key).map(|parts| parts.saga.to_owned());
        [key.to_owned(), short_key::hash(key), short_key::uuid(key)].into_iter().chain(saga).collect()
    }

    /// Asks once: one delivery of one command, and what came of it. `kept` is what earlier answers have brought, `of_undos` what
    /// those to undos have, and `placed_at` the time that `{now}` stands for in a body; the contract needs none of the three.
    pub async fn ask(&self, delivery: Delivery<'_>, (kept, of_undos): (&Kept, &Kept), placed_at: Time) -> AnsweredByHand {
        let not_sent = |why: String| AnsweredByHand { reply: Reply::not_sent(why), status: None, excerpt: None };
        let of_saga = OfSaga { kept: kept.clone(), of_undos: of_undos.clone(), placed_at, ..OfSaga::default() };
        let participant = match &self.0 {
            Inner::Templates(participant) => participant,
            Inner::Contract(participant) => {
                let reply = participant.deliver(delivery).await;
                return AnsweredByHand { reply: reply.cleaned(), status: None, excerpt: None };
            }
        };
        match participant.ask_with(&delivery, &of_saga).await {
            Ok(Asked { reply, answer }) => {
                let status = answer.as_ref().map(|answer| answer.received().status);
                let excerpt = answer.as_ref().map(|answer| participant.excerpt_of(answer));
                AnsweredByHand { reply: reply.cleaned(), status, excerpt }
            }
            Err(why) => not_sent(why),
        }
    }
}

/// What is asked by hand is told what was kept.
struct NoJournal;

impl KeptReceipts for NoJournal {
    fn of<'a>(&'a self, _saga: &'a str) -> BoxFuture<'a, Result<OfSaga, String>> {
        Box::pin(async { Ok(OfSaga::default()) })
    }
}
