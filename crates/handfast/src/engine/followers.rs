//! Who waits for the progress of a saga.

use std::sync::{Arc, Mutex};

use rustc_hash::FxHashMap;
use tokio::sync::watch;

use super::handle::Progress;
use handfast_machine::locked;

/// By saga, the channel that its followers listen to.
#[derive(Default)]
pub(super) struct Followers(Mutex<FxHashMap<Arc<str>, watch::Sender<Progress>>>);

impl Followers {
    // --- who waits for whom ---

    /// Follows a saga's progress from now on.
    pub(super) fn watch(&self, id: &Arc<str>) -> watch::Receiver<Progress> {
        let mut watched = locked(&self.0);
        watched.entry(Arc::clone(id)).or_insert_with(|| watch::Sender::new(Progress::STARTED)).subscribe()
    }

    /// One of those who follow a saga is about to stop.
    pub(super) fn unwatch(&self, id: &str) {
        let mut watched = locked(&self.0);
        if watched.get(id).is_some_and(|sender| sender.receiver_count() <= 1) {
            watched.remove(id);
        }
    }

    /// Tells those who follow a saga how it stands.
    pub(super) fn publish(&self, id: &str, progress: Progress) {
        let mut watched = locked(&self.0);
        if progress.is_at_rest() {
            if let Some(sender) = watched.remove(id) {
                sender.send_replace(progress);
            }
        } else if let Some(sender) = watched.get(id) {
            sender.send_if_modified(|known| {
                let is_news = !progress.is_no_news_to(known);
                if is_news {
                    *known = progress;
                }
                is_news
            });
        }
    }

    /// Tells all of them that there will be no news any more.
    pub(super) fn end(&self) {
        locked(&self.0).clear();
    }
}
