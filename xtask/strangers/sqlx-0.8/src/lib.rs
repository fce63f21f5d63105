//! A program that has sqlx 0.8 with SQLite already: the lowest rusqlite of our range.

use std::sync::Arc;

use handfast::store::{MemoryStore, Store};
use handfast::{Engine, EngineBuilder};

/// Both libraries in one function, so that both are linked.
pub fn engine(_theirs: &sqlx::SqlitePool) -> EngineBuilder {
    Engine::builder(Arc::new(MemoryStore::new()))
}

/// A store in a file, and a participant's.
#[cfg(feature = "sqlite")]
pub fn in_files(
    path: &str,
    service: impl handfast_participant::Service,
) -> Option<(Arc<dyn Store>, handfast_participant::Registers)> {
    let store = handfast::store::SqliteStore::open(path).ok()?;
    Some((Arc::new(store), handfast_participant::Registers::open(path, service).ok()?))
}

/// Without files, what a store in memory is.
#[cfg(not(feature = "sqlite"))]
pub fn in_memory() -> Arc<dyn Store> {
    Arc::new(MemoryStore::new())
}
