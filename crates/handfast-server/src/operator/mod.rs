//! What an operator does with sagas, in a store's file or through a running service, in the same shapes either way.

mod file;
mod service;
mod words;

use std::fmt;
use std::sync::Arc;

use handfast::journal::Said;
use handfast::store::{Store, StoreError};
use handfast::{Act, Deed, ListFilter};

use handfast_http::client::HttpClient;
use handfast_http::service_url::ServiceUrl;

pub use self::service::ask;
pub use self::words::what_can_be_done;
pub(crate) use self::words::{no_such_saga, not_cancelled, not_taken};
use crate::plans::{Applied, Applying, Made, Outcomes, Page, Plan};
use crate::shapes::saga::{Listed, Saga};

/// Where the sagas are.
pub enum Desk {
    /// In the file of a store. A service that has it open goes on from what is written here.
    File(Arc<dyn Store>),
    /// Behind a service at this URL.
    Service(HttpClient, ServiceUrl),
}

/// Why nothing came back.
#[derive(Debug)]
#[non_exhaustive]
pub enum Trouble {
    /// There is no such saga.
    Unknown(String),
    /// What was asked for makes no sense as it is; nothing was done.
    Usage(String),
    /// The saga has gone on since, or the act would change nothing; nothing was done.
    Conflict(String),
    /// The service asks for a token, or does not know the one that it was shown; nothing was done.
    NotLetIn(String),
    /// What answers there is no coordinator of this version; nothing is known to have been done.
    NoService(String),
    /// No answer came; whether anything was done is unknown.
    Unreachable(String),
    /// The store or the service failed; whether anything was done is unknown.
    InDoubt(String),
    /// It cannot be done here; nothing was done.
    Broken(String),
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::Unknown(text)
        | Self::Usage(text)
        | Self::Conflict(text)
        | Self::NotLetIn(text)
        | Self::NoService(text)
        | Self::Unreachable(text)
        | Self::InDoubt(text)
        | Self::Broken(text)) = self;
        f.write_str(text)
    }
}

impl std::error::Error for Trouble {}

impl From<StoreError> for Trouble {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable(_) | StoreError::Conflict => Self::InDoubt(error.to_string()),
            StoreError::Gone { .. }
            | StoreError::Newer { .. }
            | StoreError::NotOurs { .. }
            | StoreError::Backup { .. }
            | StoreError::Open { .. }
            | StoreError::Damaged { .. }
            | StoreError::Corrupt { .. } => Self::Broken(error.to_string()),
            error => Self::Broken(error.to_string()),
        }
    }
}

/// A page of a plan that is applied, or asked what has come of it.
fn applying((plan, page): (&Plan, &Page), by: Option<&str>, not_older_than_ms: Option<u64>) -> Applying {
    let (token, head) = (plan.token.clone(), plan.head.clone());
    Applying { token, head, page: page.clone(), by: by.map(str::to_owned), not_older_than_ms }
}

impl Desk {
    /// A page of sagas in the order of their placing, and the saga after which the next page begins, if there is one. There may be none
    /// on a page that is not the last.
    ///
    /// # Errors
    /// Why there is no list.
    pub async fn list(&self, filter: &ListFilter) -> Result<(Vec<Listed>, Option<String>), Trouble> {
        match self {
            Self::File(store) => file::list(store.as_ref(), filter).await,
            Self::Service(client, url) => service::list(client, url, filter).await,
        }
    }

    /// One saga.
    ///
    /// # Errors
    /// Why it is not shown.
    pub async fn look(&self, id: &str) -> Result<Saga, Trouble> {
        match self {
            Self::File(store) => file::look(store.as_ref(), id).await,
            Self::Service(client, url) => service::look(client, url, id).await,
        }
    }

    /// Does something about a saga. Says whether it was done now, and not by the same request before.
    ///
    /// # Errors
    /// Why it was not done.
    pub async fn act(&self, id: &str, act: &Act, said: &Said) -> Result<bool, Trouble> {
        match self {
            Self::File(store) => file::act(store.as_ref(), id, act, said).await,
            Self::Service(client, url) => service::act(client, url, id, act, said).await,
        }
    }

    /// A page of a plan: what an act would come to, of the sagas of a page of a list; and the saga after which the next page begins.
    ///
    /// # Errors
    /// Why there is no plan.
    pub async fn plan(&self, filter: &ListFilter, deed: &Deed) -> Result<(Made, Option<String>), Trouble> {
        match self {
            Self::File(store) => file::plan(store.as_ref(), filter, deed).await,
            Self::Service(client, url) => service::plan(client, url, filter, deed).await,
        }
    }

    /// Applies a page of a plan that is at most `most_age_ms` milliseconds old.
    ///
    /// # Errors
    /// Why it is not applied, or broke off: what was acted on stays so, and applying it again tells.
    pub async fn apply(&self, (plan, page): (&Plan, &Page), by: &str, most_age_ms: u64) -> Result<Applied, Trouble> {
        match self {
            Self::File(store) => file::apply(store, (plan, page), by, most_age_ms).await,
            Self::Service(client, url) => service::apply(client, url, (plan, page), (by, most_age_ms)).await,
        }
    }

    /// What has come of a page of a plan so far, read from the journals.
    ///
    /// # Errors
    /// Why it cannot be told.
    pub async fn outcomes(&self, (plan, page): (&Plan, &Page)) -> Result<Outcomes, Trouble> {
        match self {
            Self::File(store) => file::outcomes(store, (plan, page)).await,
            Self::Service(client, url) => service::outcomes(client, url, (plan, page)).await,
        }
    }

    /// Asks for *neither*.
    ///
    /// # Errors
    /// Why the saga does not turn back.
    pub async fn cancel(&self, id: &str, by: Option<&str>, why: Option<&str>) -> Result<(), Trouble> {
        match self {
            Self::File(store) => file::cancel(store.as_ref(), id, by, why).await,
            Self::Service(client, url) => service::cancel(client, url, id, by, why).await,
        }
    }
}
