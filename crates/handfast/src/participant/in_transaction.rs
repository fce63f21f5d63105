//! A participant within this program whose effect and register are one transaction of its own database.
//!
//! ```text
//!   deliver --> begin
//!               load the key, and lock it
//!               the register says what becomes of the request, and which effect that needs
//!               act or undo, through the same transaction
//!               save the key
//!               commit --> the answer
//!   anything fails, or the process dies --> nothing of it is there, and the engine asks again
//! ```

use std::convert::Infallible;
use std::error::Error;

use handfast_protocol::{Answer, Definite, Effect, Operation, Register, Request};

use super::cleaned::shorten;
use super::{Delivery, Participant, Receipt, Reply};
use crate::clock::Clock;
use crate::store::BoxFuture;

/// The longest text of an error that is shown, in bytes.
const LONGEST_ERROR: usize = 300;

/// How the register of one key stands, as a row of a table of your own.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KeyRow {
    /// How the key stands; [`Definite::name`] and [`Definite::from_name`] make a word of it.
    pub state: Definite,
    /// SHA-256 of the body that it acted on or refused, in hexadecimal digits; none if it was closed before.
    pub body_hash: Option<String>,
}

/// A service with a database of its own: what [`InTransaction`] makes a participant of.
///
/// What [`act`](Self::act) and [`undo`](Self::undo) write goes through the transaction that they are handed and nowhere else:
/// what cannot be rolled back cannot be part of it. A transaction that is dropped is rolled back.
pub trait Transactional: Send + Sync + 'static {
    /// A transaction of the database.
    type Transaction: Send;
    /// What goes wrong with it.
    type Error: Error + Send + Sync + 'static;

    /// Begins a transaction.
    fn begin(&self) -> impl Future<Output = Result<Self::Transaction, Self::Error>> + Send;

    /// The row of this key, or `None`. Another transaction that asks for the same key meanwhile waits until this one is over,
    /// also where there is no row yet: in PostgreSQL that is `SELECT pg_advisory_xact_lock(hashtextextended(key, 0))` before
    /// the row is read.
    fn load(
        &self,
        transaction: &mut Self::Transaction,
        key: &str,
    ) -> impl Future<Output = Result<Option<KeyRow>, Self::Error>> + Send;

    /// Writes the row of this key, in place of the former one. No row is ever deleted: a key is a promise without an end.
    fn save(
        &self,
        transaction: &mut Self::Transaction,
        key: &str,
        row: &KeyRow,
    ) -> impl Future<Output = Result<(), Self::Error>> + Send;

    /// Performs the effect, or refuses it for good with `false`; what it has written is then taken back.
    fn act(
        &self,
        transaction: &mut Self::Transaction,
        key: &str,
        body: &[u8],
    ) -> impl Future<Output = Result<bool, Self::Error>> + Send;

    /// Takes back the effect of an act that was done, or says with `false` that it cannot be taken back.
    fn undo(
        &self,
        transaction: &mut Self::Transaction,
        key: &str,
        body: &[u8],
    ) -> impl Future<Output = Result<bool, Self::Error>> + Send;

    /// Commits, and returns when it is on the disk.
    fn commit(&self, transaction: Self::Transaction) -> impl Future<Output = Result<(), Self::Error>> + Send;
}

/// A [`Transactional`] service as a participant.
#[derive(Clone, Debug)]
pub struct InTransaction<S> {
    service: S,
    clock: Clock,
}

impl<S: Transactional> InTransaction<S> {
    /// The service, with the system's clock for requests that name a time after which they must not be carried out.
    #[must_use]
    pub fn new(service: S) -> Self {
        Self { service, clock: Clock::system() }
    }

    /// The same with another clock.
    #[must_use]
    pub fn with_clock(self, clock: Clock) -> Self {
        Self { clock, ..self }
    }

    /// The service itself.
    pub const fn service(&self) -> &S {
        &self.service
    }

    async fn receive(&self, request: Delivery<'_>) -> Result<Reply, S::Error> {
        let mut transaction = self.service.begin().await?;
        let mut register = self.load(&mut transaction, request.key).await?;
        if request.operation == Operation::Look {
            let absent = || Reply::Absent { seen: "nothing under this key, which proves nothing".to_owned(), retry_after: None };
            return Ok(register.peek().map_or_else(absent, |state| definite(Answer::State(state))));
        }
        let asked = self.asked(&request);
        let done = match effect_of(&register, asked.clone()) {
            None => true,
            Some(Effect::Undo) => self.service.undo(&mut transaction, request.key, request.body).await?,
            Some(Effect::Act) if self.service.act(&mut transaction, request.key, request.body).await? => true,
            Some(Effect::Act) => {
                // What it wrote before it refused is taken back, and who was faster meanwhile is heard.
                drop(transaction);
                transaction = self.service.begin().await?;
                register = self.load(&mut transaction, request.key).await?;
                false
            }
        };
        let before = register.clone();
        let Ok(answer) = register.receive(asked, |_| Ok::<_, Infallible>(done));
        if let Some(state) = register.peek().filter(|_| register != before) {
            let row = KeyRow { state, body_hash: register.body().cloned() };
            self.service.save(&mut transaction, request.key, &row).await?;
            self.service.commit(transaction).await?;
        }
        Ok(definite(answer))
    }

    async fn load(&self, transaction: &mut S::Transaction, key: &str) -> Result<Register<String>, S::Error> {
        let row = self.service.load(transaction, key).await?;
        Ok(row.map_or_else(Register::default, |row| Register::stored(Some(row.state), row.body_hash)))
    }

    fn asked(&self, request: &Delivery<'_>) -> Request<String> {
        let body = request.body_hash.to_owned();
        match request.operation {
            // A look has been answered by now, and changes nothing.
            Operation::Close | Operation::Look => Request::Close { body: Some(body) },
            Operation::Undo => Request::Undo { body: Some(body) },
            Operation::Act => {
                let wall = self.clock.wall();
                Request::Act { body, expired: request.not_after.is_some_and(|not_after| not_after < wall) }
            }
        }
    }
}

/// The effect that the register would ask its service for.
fn effect_of(register: &Register<String>, asked: Request<String>) -> Option<Effect> {
    let mut wanted = None;
    let Ok(_answer) = register.clone().receive(asked, |effect| {
        wanted = Some(effect);
        Ok::<_, Infallible>(true)
    });
    wanted
}

fn definite(answer: Answer) -> Reply {
    Reply::Definite { answer, receipt: Receipt::default() }
}

impl<S: Transactional> Participant for InTransaction<S> {
    fn deliver<'a>(&'a self, request: Delivery<'a>) -> BoxFuture<'a, Reply> {
        Box::pin(async move {
            let failed =
                |error: S::Error| Reply::unknown(format!("its database: {}", shorten(&error.to_string(), LONGEST_ERROR)));
            self.receive(request).await.unwrap_or_else(failed)
        })
    }
}
