//! Every promise of the contract that can be attacked over HTTP, one probe each.

mod bodies;
mod edges;
mod races;
mod register;
mod restore;

use std::future::Future;
use std::pin::Pin;

use super::caller::{Broken, Caller};

/// What a probe found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Verdict {
    /// The promise is kept, as far as this probe can see.
    Kept,
    /// It is not.
    Broken(Broken),
    /// The probe could not be tried, and why.
    NotTried(&'static str),
}

impl From<Result<(), Broken>> for Verdict {
    fn from(result: Result<(), Broken>) -> Self {
        result.map_or_else(Self::Broken, |()| Self::Kept)
    }
}

type Attack = for<'a> fn(&'a Caller) -> Pin<Box<dyn Future<Output = Verdict> + Send + 'a>>;

/// One promise, and the attack on it.
pub(super) struct Probe {
    /// The promise's name.
    pub(super) name: &'static str,
    /// What the contract promises.
    pub(super) promise: &'static str,
    /// What goes wrong without it.
    pub(super) hazard: &'static str,
    /// Attacks it.
    pub(super) attack: Attack,
}

/// Makes an attack of a function that finds the broken promise, if there is one.
macro_rules! attack {
    ($function:path) => {
        |caller| Box::pin(async move { $function(caller).await.into() })
    };
}
use attack;

/// Every probe, in the order in which they are tried: what the others rely on comes first.
pub(super) fn all() -> impl Iterator<Item = &'static Probe> {
    [register::PROBES, bodies::PROBES, races::PROBES, restore::PROBES, edges::PROBES].into_iter().flatten()
}
