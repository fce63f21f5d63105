//! What keeps a store's file from being opened or written, by the place that it has, and the cure.

use std::fs::{self, OpenOptions};
use std::io::{Error, ErrorKind};
use std::path::Path;

/// What is in the way of a program that is to open this file for reading and writing, with its cure; none where nothing is.
///
/// It is looked for after the file could not be opened. Before that it would take away the locks that this process may hold on it.
#[must_use]
pub fn obstacle(path: &Path) -> Option<String> {
    let folder = folder_of(path);
    if let Err(error) = fs::metadata(folder) {
        return Some(of_folder(folder, &error));
    }
    let tried = match fs::metadata(path) {
        Ok(found) if found.is_dir() => return Some("it is a folder; name a file in it".to_owned()),
        Ok(_) => OpenOptions::new().read(true).open(path).and_then(|_| OpenOptions::new().write(true).open(path)).map(drop),
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
