//! Who may call the service, and for what.
//!
//! Without a file of tokens everybody who reaches the service may do everything, which is why it listens on loopback only.
//! With one, each request carries a token (`Authorization: Bearer`, RFC 6750), the token has *scopes*, and each address says
//! which of them it asks for. The file is read again when it changes.

pub mod file;
mod scope;
#[cfg(test)]
mod tests;
mod token;
mod watched;

use std::borrow::Cow;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, header};
use axum::middleware::Next;
use axum::response::Response;
use handfast_machine::clock;
use subtle::{Choice, ConditionallySelectable as _};

pub use self::file::Token;
pub(crate) use self::scope::Needs;
pub use self::scope::{Scope, Scopes};
pub use self::token::{Hash, Secret};
pub use self::watched::TokenFile;
use crate::problem::{self, Problem};
use crate::service::Service;

/// Who may call.
#[derive(Debug, Default)]
#[non_exhaustive]
pub enum Access {
    /// Everybody who reaches it: a service on loopback.
    #[default]
    Everybody,
    /// Those who have a token of this file.
    Tokens(TokenFile),
}

/// Who may call, and how many of them are connected at a time at most.
#[derive(Debug)]
pub struct Callers {
    /// Who may.
    pub access: Access,
    /// How many connections are open at a time.
    pub most: usize,
}

impl Callers {
    /// Everybody who reaches the service.
    #[must_use]
    pub const fn everybody(most: usize) -> Self {
        Self { access: Access::Everybody, most }
    }
}

/// Who calls.
#[derive(Clone, Debug)]
pub(crate) enum Caller {
    /// There are no tokens: it may do everything.
    Anybody,
    /// The bearer of this token.
    Bearer(Arc<Token>),
}

impl Caller {
    /// The one flow whose sagas it may see, if it is bound to one.
    pub(crate) fn flow(&self) -> Option<&str> {
        match self {
            Self::Anybody => None,
            Self::Bearer(token) => token.flow.as_deref(),
        }
    }

    /// Whether the sagas of this flow are there for it.
    pub(crate) fn may_see(&self, flow: &str) -> bool {
        self.flow().is_none_or(|own| own == flow)
    }

    /// Whether it has one of these scopes.
    ///
    /// # Errors
    /// It has none of them.
    pub(crate) fn check(&self, scopes: &[Scope]) -> Result<(), Problem> {
        match self {
            Self::Anybody => Ok(()),
            Self::Bearer(token) if scopes.iter().any(|scope| token.scopes.has(*scope)) => Ok(()),
            Self::Bearer(token) => {
                let names: Vec<&str> = scopes.iter().map(|scope| scope.name()).collect();
                let wanted = names.join(" or ");
                let why = format!("token {:?} has not the scope {wanted}, which this asks for", token.name);
                Err(self.refuse(&wanted, why).with("scopes", names))
            }
        }
    }

    /// The problem of a token that does not allow this, of which the log says what would.
    pub(crate) fn refuse(&self, wanted: &str, why: impl Into<Cow<'static, str>>) -> Problem {
        self.log_refusal(wanted);
        Problem::new(problem::SCOPE, why).challenge("Bearer realm=\"handfast\", error=\"insufficient_scope\"")
    }

    /// Says in the log that a token was turned away, and what it would have needed.
    fn log_refusal(&self, wanted: &str) {
        match self {
            Self::Anybody => {}
            Self::Bearer(token) => {
                let token = token.name.as_str();
                tracing::warn!(name: "token_refused", token, wanted, "a token does not allow what was asked for");
            }
        }
    }
}

impl Access {
    /// Who sent these headers, if it may have what is asked for.
    ///
    /// # Errors
    /// It has no token, one that is none, or one that does not allow this.
    pub(crate) fn admit(&self, headers: &HeaderMap, needs: Needs) -> Result<Caller, Problem> {
        let tokens = match self {
            Self::Everybody => return Ok(Caller::Anybody),
            Self::Tokens(tokens) => tokens,
        };
        let scopes = match needs {
            Needs::Nothing => return Ok(Caller::Anybody),
            Needs::OfASaga(scopes) | Needs::OfAll(scopes) => scopes,
        };
        let caller = Caller::Bearer(bearer(&tokens.at_hand(), headers)?);
        caller.check(scopes)?;
        match (needs, caller.flow()) {
            (Needs::OfAll(_), Some(flow)) => {
                let why = format!("the token is for the flow {flow} alone, and this is about every flow of the service");
                Err(caller.refuse("a token of every flow", why))
            }
            (Needs::Nothing | Needs::OfASaga(_) | Needs::OfAll(_), _) => Ok(caller),
        }
    }
}

/// The token in the headers, if it is one of these and has not expired.
fn bearer(tokens: &[Arc<Token>], headers: &HeaderMap) -> Result<Arc<Token>, Problem> {
    let mut sent = headers.get_all(header::AUTHORIZATION).iter();
    let (first, another) = (sent.next(), sent.next());
    let Some(first) = first else {
        let why = "the request has no header Authorization: Bearer TOKEN, and this service wants one";
        return Err(Problem::new(problem::TOKEN, why).challenge("Bearer realm=\"handfast\""));
    };
    let not_one = |why: Cow<'static, str>| {
        Problem::new(problem::TOKEN, why).challenge("Bearer realm=\"handfast\", error=\"invalid_token\"")
    };
    let text = first.to_str().ok().filter(|_| another.is_none());
    let token = text.and_then(token::of_header).ok_or_else(|| {
        not_one("the header Authorization is not one Bearer and a token that was drawn by handfast tokens new".into())
    })?;
    let sent = Hash::of(token);
    // All of them are looked at, whichever it is, so that the time tells nothing about the file.
    let mut place = u64::MAX;
    for (at, known) in (0..).zip(tokens) {
        let is_it: Choice = known.hash.compared(&sent);
        place.conditional_assign(&at, is_it);
    }
    let known = usize::try_from(place).ok().and_then(|place| tokens.get(place));
    let known = known
        .ok_or_else(|| not_one("the token is none of this service: it was taken out of the file, or never was in it".into()))?;
    if known.expires_ms.is_some_and(|expires| clock::now_ms() >= expires) {
        Caller::Bearer(Arc::clone(known)).log_refusal("a token that has not expired");
        return Err(not_one(format!("token {:?} has expired; have another one drawn", known.name).into()));
    }
    Ok(Arc::clone(known))
}

/// Lets through who may, and says to what comes after it who that is.
///
/// # Errors
/// [`problem::TOKEN`] and [`problem::SCOPE`].
pub(crate) async fn admit(
    State((service, needs)): State<(Arc<Service>, Needs)>,
    mut request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let caller = service.access().admit(request.headers(), needs)?;
    request.extensions_mut().insert(caller);
    Ok(next.run(request).await)
}
