//! A store that another one stands behind, and which takes the time of everything that is asked of that.

use std::sync::{Arc, Mutex};

use handfast_machine::locked;

use super::{BoxFuture, Store, StoreError};
use crate::clock;
use crate::durations::Durations;

/// Passes everything on, and counts how long the answers took, by what they were waited for.
pub(crate) struct TimedStore {
    inner: Arc<dyn Store>,
    reads: Mutex<Durations>,
    writes: Mutex<Durations>,
    aside: Mutex<Durations>,
}

impl TimedStore {
    pub(crate) fn new(inner: Arc<dyn Store>) -> Self {
        Self { inner, reads: Mutex::default(), writes: Mutex::default(), aside: Mutex::default() }
    }

    /// How long reads took, writes that a saga or a person waits for, and what is written aside: each with the word for it.
    pub(crate) fn took(&self) -> Vec<(&'static str, Durations)> {
        [("read", &self.reads), ("write", &self.writes), ("aside", &self.aside)]
            .map(|(kind, durations)| (kind, locked(durations).clone()))
            .into()
    }
}

/// Waits for the answer, which is counted where it comes: a caller that goes away has waited for none.
async fn timed<T>(counted: &Mutex<Durations>, answer: BoxFuture<'_, Result<T, StoreError>>) -> Result<T, StoreError> {
    let (answer, took) = clock::timed(answer).await;
    locked(counted).note(took);
    answer
}

macro_rules! timed {
    ($($kind:ident $name:ident($($argument:ident: $type:ty),*) -> $answer:ty;)*) => {
        impl Store for TimedStore {
            $(timed!(@ $kind $name($($argument: $type),*) -> $answer);)*
        }
    };
    (@ now $name:ident($($argument:ident: $type:ty),*) -> $answer:ty) => {
        fn $name(&self, $($argument: $type),*) -> $answer {
            self.inner.$name($($argument),*)
        }
    };
    (@ read $name:ident($($argument:ident: $type:ty),*) -> $answer:ty) => {
        fn $name<'a>(&'a self, $($argument: $type),*) -> BoxFuture<'a, Result<$answer, StoreError>> {
            Box::pin(timed(&self.reads, self.inner.$name($($argument),*)))
        }
    };
    (@ write $name:ident($($argument:ident: $type:ty),*) -> $answer:ty) => {
        fn $name<'a>(&'a self, $($argument: $type),*) -> BoxFuture<'a, Result<$answer, StoreError>> {
            Box::pin(timed(&self.writes, self.inner.$name($($argument),*)))
        }
    };
    (@ aside $name:ident($($argument:ident: $type:ty),*) -> $answer:ty) => {
        fn $name<'a>(&'a self, $($argument: $type),*) -> BoxFuture<'a, Result<$answer, StoreError>> {
            Box::pin(timed(&self.aside, self.inner.$name($($argument),*)))
        }
    };
}

crate::every_method_of_a_store!(timed);
