//! What keeps a store's file from being opened or written, by the place that it has, and the cure.

use std::fs;
use std::io::{Error, ErrorKind};
use std::path::Path;

use rustix::fs::{Access, AtFlags, CWD, accessat};

/// What is in the way of a program that is to open this file for reading and writing, with its cure; none where nothing is.
///
/// The file itself is not opened: to close it again would take away every lock that this process holds on it.
#[must_use]
pub fn obstacle(path: &Path) -> Option<String> {
    let folder = folder_of(path);
    if let Err(error) = fs::metadata(folder) {
        return Some(of_folder(folder, &error));
    }
    let tried = match fs::metadata(path) {
        Ok(found) if found.is_dir() => return Some("it is a folder; name a file in it".to_owned()),
        // By the rights that opening it would have, which may be others than those of the user who started the program.
        Ok(_) => accessat(CWD, path, Access::READ_OK | Access::WRITE_OK, AtFlags::EACCESS).map_err(Error::from),
        Err(error) if error.kind() == ErrorKind::NotFound => return None,
        Err(error) => Err(error),
    };
    tried.err().map(|error| in_words(path, &error))
}

/// What the system said about a file that could not be made, opened or written, with its cure.
#[must_use]
#[expect(clippy::wildcard_enum_match_arm, reason = "what else the system may say is said in its own words")]
pub fn in_words(path: &Path, error: &Error) -> String {
    let folder = folder_of(path);
    match error.kind() {
        ErrorKind::ReadOnlyFilesystem => {
            format!(
                "{} is on a disk that cannot be written to ({error}); put it on another disk, or let that one be written to; what only looks into a store needs neither",
                folder.display()
            )
        }
        ErrorKind::PermissionDenied => format!(
            "this user may not read and write it, or make files in {} ({error}); run as the user whose it is, or give both to this one",
            folder.display()
        ),
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => FULL.to_owned(),
        ErrorKind::NotFound => of_folder(folder, error),
        ErrorKind::IsADirectory => "it is a folder; name a file in it".to_owned(),
        _other => error.to_string(),
    }
}

/// What is said where the disk is full.
pub const FULL: &str = "its disk is full; make room on it, and start again: what was acknowledged is kept";

/// What is said where the file can be opened, and the files that SQLite keeps beside it cannot be made.
#[must_use]
pub fn beside(path: &Path) -> String {
    format!(
        "this user may not make files in {}, where its log stands beside it (-wal, -shm); let it, or run as the user whose folder it is",
        folder_of(path).display()
    )
}

#[expect(clippy::wildcard_enum_match_arm, reason = "what else the system may say is said in its own words")]
fn of_folder(folder: &Path, error: &Error) -> String {
    let name = folder.display();
    match error.kind() {
        ErrorKind::NotFound => format!("the folder {name} does not exist; create it first, or name a file in another one"),
        ErrorKind::PermissionDenied => {
            format!("this user may not look into the folder {name}; run as the user whose it is, or let this one into it")
        }
        _other => format!("the folder {name}: {error}"),
    }
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A lock of a process is gone as soon as it closes any descriptor of the file.
    #[cfg(target_os = "linux")]
    #[test]
    fn the_locks_on_a_live_store_stay() {
        use std::os::unix::fs::MetadataExt as _;

        use rustix::fs::{FlockOperation, fcntl_lock};

        let file = std::env::temp_dir().join(format!("handfast-locked-{}", std::process::id()));
        fs::write(&file, "x").unwrap();
        let store = fs::OpenOptions::new().read(true).write(true).open(&file).unwrap();
        fcntl_lock(&store, FlockOperation::NonBlockingLockExclusive).unwrap();
        let (process, inode) = (std::process::id().to_string(), format!(":{}", store.metadata().unwrap().ino()));
        let is_locked = || {
            let locks = fs::read_to_string("/proc/locks").unwrap();
            locks.lines().any(|lock| {
                let words: Vec<&str> = lock.split_whitespace().collect();
                words.contains(&"POSIX") && words.contains(&process.as_str()) && words.iter().any(|word| word.ends_with(&inode))
            })
        };
        assert!(is_locked());
        assert_eq!(obstacle(&file), None);
        assert!(is_locked(), "it was taken away by looking at the file");
        fs::remove_file(&file).unwrap();
    }

    #[test]
    fn what_is_in_the_way_is_told_with_its_cure() {
        let folder = std::env::temp_dir().join(format!("handfast-obstacle-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let file = folder.join("a.db");
        assert_eq!(obstacle(&file), None, "it can be made");
        fs::write(&file, "x").unwrap();
        assert_eq!(obstacle(&file), None, "it can be written");
        assert!(obstacle(&folder).unwrap().contains("it is a folder; name a file in it"));
        assert!(obstacle(&folder.join("b/a.db")).unwrap().contains("b does not exist; create it first"));
        fs::remove_dir_all(&folder).unwrap();
        for (kind, cure) in [
            (ErrorKind::ReadOnlyFilesystem, "put it on another disk"),
            (ErrorKind::PermissionDenied, "run as the user whose it is"),
            (ErrorKind::StorageFull, "make room on it"),
            (ErrorKind::NotFound, "create it first"),
        ] {
            let said = in_words(&file, &Error::from(kind));
            assert!(said.contains(cure), "{said}");
        }
    }
}
