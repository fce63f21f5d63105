//! A worker that takes a saga out of the wake-up index, since what it read of it cannot be trusted, while another goes on with it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use handfast::store::{BoxFuture, MemoryStore, Store, StoreError, StoredSaga};
use handfast::{CancelResult, Engine, Outcome, Time, cancel_in};

use crate::support::{Road, World, order};

/// Of what is loaded from it a part is missing, until something is to be suspended for that. Then another worker has mended it and
/// gone on, in the last moment.
struct Mended(Arc<MemoryStore>, AtomicU32);

impl Mended {
    async fn load_torn(&self, id: &str) -> Result<Option<StoredSaga>, StoreError> {
        let mut saga = self.0.load(id).await?;
        if let Some(saga) = saga.as_mut().filter(|_| self.1.load(Ordering::Relaxed) == 0) {
            saga.bodies.pop();
        }
        Ok(saga)
    }

    async fn go_on_and_suspend(&self, id: &str, length: u64, reason: &str) -> Result<(), StoreError> {
        if self.1.fetch_add(1, Ordering::Relaxed) == 0 {
            let cancelled = cancel_in(&*self.0, id, Some("ada"), None, Time(6)).await;
            assert_eq!(cancelled.unwrap(), CancelResult::Accepted);
        }
        self.0.suspend(id, length, reason).await
    }
}

macro_rules! forwarded {
    ($($kind:ident $name:ident($($argument:ident: $type:ty),*) -> $answer:ty;)*) => {
        $(forwarded!(@ $kind $name($($argument: $type),*) -> $answer);)*
    };
    (@ read load($id:ident: $type:ty) -> $answer:ty) => {
        fn load<'a>(&'a self, $id: $type) -> BoxFuture<'a, Result<$answer, StoreError>> {
            Box::pin(self.load_torn($id))
        }
    };
    (@ write suspend($($argument:ident: $type:ty),*) -> $answer:ty) => {
        fn suspend<'a>(&'a self, $($argument: $type),*) -> BoxFuture<'a, Result<$answer, StoreError>> {
            Box::pin(self.go_on_and_suspend($($argument),*))
        }
    };
    (@ now $name:ident($($argument:ident: $type:ty),*) -> $answer:ty) => {
        fn $name(&self, $($argument: $type),*) -> $answer {
            self.0.$name($($argument),*)
        }
    };
    (@ $kind:ident $name:ident($($argument:ident: $type:ty),*) -> $answer:ty) => {
        fn $name<'a>(&'a self, $($argument: $type),*) -> BoxFuture<'a, Result<$answer, StoreError>> {
            self.0.$name($($argument),*)
        }
    };
}

impl Store for Mended {
    handfast::every_method_of_a_store!(forwarded);
}

#[tokio::test(start_paused = true)]
async fn what_another_worker_goes_on_with_is_not_suspended() {
    let world = World::new(None);
    let journal = Arc::clone(&world.ground.journal);
    world.bank.set_road(|_| Road::RequestCaptured);
    let first = world.engine().await;
    first.submit(order("order-1", "visa", "tea")).await.unwrap();
    first.shutdown(Duration::from_secs(5)).await;
    drop(first);
    world.bank.set_road(|_| Road::Open(1));
    let store = Arc::new(Mended(Arc::clone(&journal), AtomicU32::new(0)));
    let engine = Engine::builder(Arc::clone(&store) as Arc<dyn Store>)
        .flow(Arc::clone(&world.ground.flow))
        .shared_participant("bank", world.bank.clone())
        .shared_participant("depot", world.depot.clone())
        .options(world.options());
    let engine = engine.open().await.unwrap();
    let mut saga = engine.follow("order-1").await.unwrap().unwrap();
    let outcome = tokio::time::timeout(Duration::from_mins(10), saga.outcome()).await;
    assert_eq!(store.1.load(Ordering::Relaxed), 1, "it was to be suspended");
    assert_eq!(outcome.unwrap().unwrap(), Outcome::Cancelled);
    assert_eq!(journal.load("order-1").await.unwrap().unwrap().why, None);
    assert!(engine.stats().suspended.is_empty());
}
