//! Where orders come from: a file, which is checked whole before the first order starts, or standard input, as it comes.

use std::fs::File;
use std::io::{self, BufReader, Cursor, Read as _};
use std::path::Path;
use std::sync::Arc;
use std::thread;

use handfast::flow_file::FlowFile;
use tokio::sync::mpsc;

use super::input::{BadLine, Item, Orders};

/// The most bytes of a file of orders: it is kept in memory, so that what was checked is what is driven.
const LARGEST_FILE: u64 = 1 << 30;

/// At most this many bad lines of a file are shown; the others are counted.
pub const MOST_SHOWN: usize = 20;

/// How many orders are read ahead of those that are driven.
const READ_AHEAD: usize = 64;

/// Where orders come from.
#[derive(Debug)]
pub enum Source {
    /// A file, which is in memory.
    File {
        /// What messages call it.
        name: String,
        /// All of it.
        bytes: Arc<[u8]>,
    },
    /// Standard input.
    StandardInput,
}

/// Why orders cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SourceError {
    /// The file cannot be opened.
    #[error("cannot open the orders in {name}")]
    Open {
        /// Its name.
        name: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The file cannot be read.
    #[error("cannot read the orders in {name}")]
    Read {
        /// Its name.
        name: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The file does not fit into memory.
    #[error("{name} has more than {LARGEST_FILE} bytes; split it, or give it on standard input")]
    TooLarge {
        /// Its name.
        name: String,
    },
}

/// What a look at a whole file has found.
#[derive(PartialEq, Eq, Debug, Default)]
pub struct Checked {
    /// Orders that start.
    pub orders: u64,
    /// The first lines that are no orders, [`MOST_SHOWN`] at most.
    pub bad: Vec<BadLine>,
    /// How many lines are no orders.
    pub bad_lines: u64,
}

impl Source {
    /// Reads the file at `path`, or takes standard input where there is none.
    ///
    /// # Errors
    /// The file cannot be read, or is too large.
    pub fn open(path: Option<&Path>) -> Result<Self, SourceError> {
        let Some(path) = path.filter(|path| path.as_os_str() != "-") else {
            return Ok(Self::StandardInput);
        };
        let name = path.display().to_string();
        let mut bytes = Vec::new();
        let file = File::open(path).map_err(|source| SourceError::Open { name: name.clone(), source })?;
        let read = file.take(LARGEST_FILE + 1).read_to_end(&mut bytes);
        read.map_err(|source| SourceError::Read { name: name.clone(), source })?;
        if bytes.len() as u64 > LARGEST_FILE {
            return Err(SourceError::TooLarge { name });
        }
        Ok(Self::File { name, bytes: bytes.into() })
    }

    /// What messages call it.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::File { name, .. } => name,
            Self::StandardInput => "standard input",
        }
    }

    /// Looks at every line of a file. Standard input is looked at as it comes: `None`.
    ///
    /// # Errors
    /// None for a file, which is in memory.
    pub fn check(&self, flow: &FlowFile) -> io::Result<Option<Checked>> {
        let Self::File { name, bytes } = self else {
            return Ok(None);
        };
        let mut checked = Checked::default();
        for item in Orders::new(flow, name, Cursor::new(bytes)) {
            match item? {
                Item::Order { .. } => checked.orders += 1,
                Item::Repeated { .. } => {}
                Item::Bad(bad) => {
                    checked.bad_lines += 1;
                    if checked.bad.len() < MOST_SHOWN {
                        checked.bad.push(bad);
                    }
                }
            }
        }
        Ok(Some(checked))
    }

    /// The orders of a file that was checked, once more and without what was said of them then.
    pub(crate) fn orders_of_file<'a>(&'a self, flow: &'a FlowFile) -> impl Iterator<Item = (u64, handfast::Order)> + 'a {
        let bytes = match self {
            Self::File { bytes, .. } => &bytes[..],
            Self::StandardInput => &[],
        };
        Orders::new(flow, self.name(), Cursor::new(bytes)).filter_map(|item| match item {
            Ok(Item::Order { line, order }) => Some((line, order)),
            Ok(Item::Repeated { .. } | Item::Bad(_)) | Err(_) => None,
        })
    }

    /// Reads on a thread of its own, since standard input cannot be waited for otherwise, and ends with the receiver.
    pub(crate) fn read(self, flow: Arc<FlowFile>) -> mpsc::Receiver<io::Result<Item>> {
        let (sender, receiver) = mpsc::channel(READ_AHEAD);
        thread::spawn(move || match &self {
            Self::File { name, bytes } => send_all(Orders::new(&flow, name, Cursor::new(bytes)), &sender),
            Self::StandardInput => send_all(Orders::new(&flow, self.name(), BufReader::new(io::stdin())), &sender),
        });
        receiver
    }
}

fn send_all(items: impl Iterator<Item = io::Result<Item>>, sender: &mpsc::Sender<io::Result<Item>>) {
    for item in items {
        let is_end = item.is_err();
        if sender.blocking_send(item).is_err() || is_end {
            return;
        }
    }
}
