//! Whether the store is still the file that was opened: what is removed or replaced goes on to take writes, and forgets them
//! all with the process.

use std::path::{Path, PathBuf};

/// The file, its log, and the log's index, each with its identity when the store was opened.
#[derive(Clone, Debug)]
pub(super) struct Files {
    parts: [(PathBuf, Identity); 3],
}

/// Device and inode, where the system has them.
type Identity = Option<(u64, u64)>;

impl Files {
    /// Looks at the files of a store that is open.
    pub(super) fn of(path: &Path) -> std::io::Result<Self> {
        let path = std::path::absolute(path)?;
        let [file, log, index] = ["", "-wal", "-shm"].map(|ending| {
            let mut part = path.as_os_str().to_owned();
            part.push(ending);
            PathBuf::from(part)
        });
        let parts = [(identity(&file)?, file), (identity(&log)?, log), (identity(&index)?, index)];
        Ok(Self { parts: parts.map(|(identity, part)| (part, identity)) })
    }

    /// What was found in the place of the store, if it is not the one that was opened.
    pub(super) fn look(&self) -> Result<(), String> {
        for (part, opened) in &self.parts {
            match identity(part) {
                Ok(found) if found == *opened => {}
                Ok(_) => return Err(format!("{} is another file than the one that was opened", part.display())),
                Err(error) => return Err(format!("{} was moved away or removed ({error})", part.display())),
            }
        }
        Ok(())
    }
}

#[cfg(unix)]
fn identity(path: &Path) -> std::io::Result<Identity> {
    use std::os::unix::fs::MetadataExt as _;
    std::fs::metadata(path).map(|file| Some((file.dev(), file.ino())))
}

#[cfg(not(unix))]
fn identity(path: &Path) -> std::io::Result<Identity> {
    std::fs::metadata(path).map(|_| None)
}

/// Makes a store's file before the database does, for its owner's eyes only; what lies beside it later is made alike.
pub(super) fn create(path: &Path) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => Err(error),
        Ok(_) | Err(_) => Ok(()),
    }
}
