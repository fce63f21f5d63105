//! The word to stop: one channel that says false until a service is to stop, and true from then on.

use tokio::sync::watch;

/// Resolves once the word is given. A giver that has gone means the same.
pub async fn stopped(stop: &mut watch::Receiver<bool>) {
    drop(stop.wait_for(|&stop| stop).await);
}
