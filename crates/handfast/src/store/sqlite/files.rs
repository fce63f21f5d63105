//! Whether the store is still the file that was opened, asked before a commit is answered and before a message leaves. What is
//! lost once stays lost until the store is opened again.

use std::sync::OnceLock;

use handfast_sqlite::{Watched, is_behind};

use crate::store::StoreError;

/// The files of an open store.
pub(super) struct Files {
    path: String,
    watched: Watched,
    gone: OnceLock<String>,
}

impl Files {
    /// Looks at the files of a store that SQLite has just opened at this absolute path.
    pub(super) fn of(path: &std::path::Path) -> std::io::Result<Self> {
        Ok(Self { path: path.display().to_string(), watched: Watched::of(path)?, gone: OnceLock::new() })
    }

    /// Whether the path still names what was opened. Cheap enough to be asked for every message.
    ///
    /// # Errors
    /// [`StoreError::Gone`], from the first time on for good.
    pub(super) fn look(&self) -> Result<(), StoreError> {
        if self.gone.get().is_none() {
            match self.watched.look() {
                Ok(()) => return Ok(()),
                Err(why) => self.declare_gone(why),
            }
        }
        let why = self.gone.get().cloned().unwrap_or_default();
        Err(StoreError::Gone { path: self.path.clone(), why })
    }

    /// Whether the log has this many pages, and not all of them are carried over into the file. One whose index cannot be read
    /// is carried over as well: that costs time and nothing else.
    pub(super) fn has_in_log(&self, pages: u32) -> bool {
        self.watched.log_frames().map_or(true, |(written, carried_over)| written >= pages && carried_over < written)
    }

    /// Looks right after everything up to a generation was carried over into the file. A generation that is behind means that
    /// another program wrote over the file meanwhile, perhaps with a copy that is younger than the header was before.
    pub(super) fn look_at_carried_over(&self, generation: i32) {
        if self.look().is_ok() && self.watched.generation().is_some_and(|found| is_behind(found, generation)) {
            self.declare_gone(format!("{} was written over by something else", self.path));
        }
    }

    /// The store is not what it was: nothing is acknowledged any more.
    pub(super) fn declare_gone(&self, why: String) {
        let mut is_news = false;
        let why = self.gone.get_or_init(|| {
            is_news = true;
            why
        });
        if is_news {
            tracing::error!(name: "store_gone", store = self.path, why, "the store is gone: no order is taken and nothing is sent any more");
        }
    }

    pub(super) fn is_gone(&self) -> bool {
        self.gone.get().is_some()
    }
}
