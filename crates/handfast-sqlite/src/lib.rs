//! What a SQLite file says of itself, for the crates that keep a store in one: whether it is still the file that was opened, what it
//! holds by its generation, and whether the log beside it is its own.
//!
//! ```text
//!   rm, mv                  the path names no file, or another inode                  -> gone
//!   cp backup over it       the same inode, but its header has changed, and the log    -> gone
//!                           was not carried over into it meanwhile
//!   cp backup, then start   the log beside it goes on from another file               -> refused
//! ```
//!
//! The header holds the generation (`user_version`), which every commit raises. In the file itself it changes only when the
//! write-ahead log is carried over, and that leaves a trace in the log's index.

mod generation;
mod library;
pub mod log;
pub mod obstacle;
#[cfg_attr(not(unix), path = "unwatched.rs")]
mod watched;

use std::path::Path;

pub use generation::{is_behind, next_generation};
pub use library::is_too_old;
pub use watched::{Watched, generation_of};

/// Makes a file that is not there yet, for its owner's eyes only. What SQLite makes beside it later is made for the same eyes.
///
/// # Errors
/// Something is there already, or what else the system says.
pub fn create_anew(path: &Path) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop)
}

/// Makes a store's file before SQLite does, as [`create_anew`] does. One that is there already is left as it is: it is empty, or
/// another process was faster.
///
/// # Errors
/// What the system says.
pub fn create(path: &Path) -> std::io::Result<()> {
    match create_anew(path) {
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        made => made,
    }
}
