//! The threads that read, each with a connection of its own: a reader sees the last commit and never waits for the writer.

use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use handfast_machine::locked;
use rusqlite::Connection;
use tokio::sync::oneshot;

use crate::store::{StoreError, Unanswered};

type Read = Box<dyn FnOnce(&mut Source) + Send>;

/// A connection to read from, and the flows that were read from it.
pub(super) struct Source {
    pub(super) connection: Connection,
    /// By hash. There are as many as flow files were ever used; a saga borrows its flow from here.
    pub(super) flows: BTreeMap<[u8; 32], Arc<str>>,
}

/// The queue's end at which reads come in. Dropped, it waits for the threads to close the file.
pub(super) struct Readers {
    queue: Option<Sender<Read>>,
    threads: Vec<JoinHandle<()>>,
}

impl Readers {
    /// Starts a thread for each connection.
    pub(super) fn start(connections: Vec<Connection>) -> Result<Self, String> {
        let (queue, reads) = channel();
        let reads = Arc::new(Mutex::new(reads));
        let mut threads = Vec::new();
        for connection in connections {
            let reads = Arc::clone(&reads);
            let work = move || read_all(&mut Source { connection, flows: BTreeMap::new() }, &reads);
            let thread = std::thread::Builder::new().name("handfast-reader".to_owned()).spawn(work);
            threads.push(thread.map_err(|error| error.to_string())?);
        }
        Ok(Self { queue: Some(queue), threads })
    }

    /// Whether a thread has ended before its time, as it does where a read panics.
    pub(super) fn is_one_dead(&self) -> bool {
        self.threads.iter().any(JoinHandle::is_finished)
    }

    /// Runs `read` on one of the threads.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&mut Source) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (sender, answer) = oneshot::channel();
        let work: Read = Box::new(move |source| {
            let found = read(source);
            if matches!(found, Err(StoreError::Unavailable(_))) {
                forget_pages(&source.connection);
            }
            // A caller that no longer waits has dropped the receiver.
            let _gone = sender.send(found);
        });
        let queue = self.queue.as_ref().ok_or_else(stopped)?;
        queue.send(work).map_err(|_closed| stopped())?;
        answer.await.unwrap_or_else(|_dropped| Err(stopped()))
    }
}

impl Drop for Readers {
    fn drop(&mut self) {
        self.queue = None;
        for thread in self.threads.drain(..) {
            if thread.join().is_err() {
                tracing::error!(name: "store_reader_died", "a reader of the store had panicked");
            }
        }
    }
}

/// Forgets what was read of the file: a page that was damaged is to be seen once it is put right.
pub(super) fn forget_pages(connection: &Connection) {
    if let Err(error) = connection.execute_batch("PRAGMA shrink_memory") {
        tracing::debug!(name: "pages_not_forgotten", %error, "pages that were read could not be forgotten");
    }
}

fn stopped() -> StoreError {
    StoreError::Unavailable(Unanswered::Stopped { part: "its readers have stopped" })
}

fn read_all(source: &mut Source, reads: &Mutex<Receiver<Read>>) {
    loop {
        let next = locked(reads).recv();
        match next {
            Ok(read) => read(source),
            Err(_closed) => return,
        }
    }
}
