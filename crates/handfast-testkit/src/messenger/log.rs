//! The road's log: one line of JSON for each messenger, written when it is known what became of it.
//!
//! ```json
//! {"direction":"request","method":"PUT","path":"/charges/k17","key":"k17","try":2,"nth":2,"copy":1,"fate":"late","left":1767225600123,"arrived":1767225602456,"late_ms":2310}
//! {"direction":"reply","method":"PUT","path":"/charges/k17","key":"k17","try":2,"nth":2,"copy":1,"fate":"gone","left":1767225602460,"arrived":1767225602481,"status":410}
//! ```
//!
//! Every line reaches the file before the next messenger is looked at, so a road that is killed leaves a whole log.

use std::fmt;
use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Context as _;
use serde::{Deserialize, Serialize};

/// Which way a messenger goes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// To the participant.
    Request,
    /// Back to the caller.
    Reply,
}

/// What became of a messenger.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Ending {
    /// It arrived.
    Delivered,
    /// It was captured, and never arrives.
    Captured,
    /// It came to an end of the road while that was cut, and never arrives.
    Cut,
    /// It arrived, much later than others do.
    Late,
    /// It arrived, and was the second copy of a request.
    Duplicate,
    /// It came to the participant's door and nobody was there, or the participant fell while answering.
    Nobody,
    /// It came back, and the caller had gone.
    Gone,
}

/// One line of the log: one messenger. Times are milliseconds since the epoch, by the road's clock.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct RoadLine {
    /// Which way it went.
    pub direction: Direction,
    /// The method of the request.
    pub method: String,
    /// The path of the request.
    pub path: String,
    /// The key in the path.
    pub key: String,
    /// The number of the try, where the caller told it (`Handfast-Try`).
    #[serde(rename = "try", skip_serializing_if = "Option::is_none", default)]
    pub try_number: Option<u32>,
    /// How many requests with this method and key had come to the road, this one included.
    pub nth: u32,
    /// 1, or 2 for the second copy of a duplicated request and its reply.
    pub copy: u8,
    /// What became of it.
    pub fate: Ending,
    /// When it set out.
    pub left: u64,
    /// When it arrived; `None` if it never did.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub arrived: Option<u64>,
    /// By how many milliseconds it was late, if it was.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub late_ms: Option<u64>,
    /// The status of a reply.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub status: Option<u16>,
}

/// Hears that a road's log cannot be written any more; it hears so once.
pub type Complain = Box<dyn Fn(&std::io::Error) + Send + Sync>;

/// Where lines go.
pub(crate) struct Log {
    file: Option<File>,
    complained: AtomicBool,
    complain: Complain,
}

impl fmt::Debug for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Log").field("file", &self.file).finish_non_exhaustive()
    }
}

impl Log {
    /// A log that appends to a file, or one that keeps nothing.
    ///
    /// # Errors
    /// When the file cannot be opened for appending.
    pub(crate) fn open(path: Option<&Path>, complain: Complain) -> anyhow::Result<Self> {
        let open = |path: &Path| {
            File::options()
                .create(true)
                .append(true)
                .open(path)
                .with_context(|| format!("cannot write the log {}; choose another file with --log", path.display()))
        };
        Ok(Self { file: path.map(open).transpose()?, complained: AtomicBool::new(false), complain })
    }

    /// Writes one line. A log that cannot be written any more says so once; the road goes on.
    pub(crate) fn write(&self, line: &RoadLine) {
        let Some(mut file) = self.file.as_ref() else { return };
        let written = serde_json::to_vec(line).map_err(std::io::Error::from).and_then(|mut text| {
            text.push(b'\n');
            // One write to a file opened for appending: lines of different tasks never mix.
            file.write_all(&text)
        });
        if let Err(error) = written
            && !self.complained.swap(true, Ordering::Relaxed)
        {
            (self.complain)(&error);
        }
    }
}
