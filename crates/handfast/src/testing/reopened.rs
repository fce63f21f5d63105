//! An engine that is closed and opened again on the same store, as when a program is started anew.

use std::error::Error;
use std::time::Duration;

use crate::engine::{Engine, EngineBuilder};

type Failure = Box<dyn Error + Send + Sync>;

/// How long closing waits for what is being written.
const LONGEST: Duration = Duration::from_secs(10);

/// An engine, and how it is set up.
pub struct Reopened {
    set_up: Box<dyn Fn() -> Result<EngineBuilder, Failure> + Send + Sync>,
    engine: Option<Engine>,
}

impl Reopened {
    /// Opens an engine. It is set up anew each time, on what `set_up` holds: the same store, or the same file, and participants
    /// that go on meanwhile.
    ///
    /// # Errors
    /// What setting up or opening says.
    pub async fn open(
        set_up: impl Fn() -> Result<EngineBuilder, Box<dyn Error + Send + Sync>> + Send + Sync + 'static,
    ) -> Result<Self, Box<dyn Error + Send + Sync>> {
        let engine = set_up()?.open().await?;
        Ok(Self { set_up: Box::new(set_up), engine: Some(engine) })
    }

    /// The engine that is open.
    ///
    /// # Panics
    /// After a [`reopen`](Self::reopen) that did not succeed.
    #[must_use]
    pub const fn engine(&self) -> &Engine {
        self.engine.as_ref().expect("the last opening succeeded")
    }

    /// Closes the engine, whatever it was at, and opens another one.
    ///
    /// # Errors
    /// What setting up or opening says.
    pub async fn reopen(&mut self) -> Result<(), Box<dyn Error + Send + Sync>> {
        if let Some(engine) = self.engine.take() {
            // What is not written by then is as after a kill.
            let _all_were_out = engine.shutdown(LONGEST).await;
        }
        self.engine = Some((self.set_up)()?.open().await?);
        Ok(())
    }
}

impl std::fmt::Debug for Reopened {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reopened").field("engine", &self.engine).finish_non_exhaustive()
    }
}
