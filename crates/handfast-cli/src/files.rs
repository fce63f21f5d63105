//! Files that are written whole: whoever reads one sees what was there before or what is there now, never half of it.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;

/// Writes a file. Until all of it is on the disk it is another one beside it, so that a full disk leaves the old one as it was.
///
/// What is no regular file (a pipe, a terminal, what a link without a target leads to) is written to directly, and so is a
/// file in a directory that takes no new ones, or of another user whom this process may give no file. A link stays, and the file
/// that it leads to is written.
///
/// # Errors
/// It cannot be written there.
pub(crate) fn write(path: &Path, content: &[u8]) -> io::Result<()> {
    let Ok(place) = fs::canonicalize(path) else {
        let is_link = fs::symlink_metadata(path).is_ok();
        return if is_link { fs::write(path, content) } else { replace(path, content, None) };
    };
    let found = fs::metadata(&place)?;
    if !found.is_file() {
        return fs::write(&place, content);
    }
    // A file that this user may not write to is not replaced either.
    drop(OpenOptions::new().write(true).open(&place)?);
    match replace(&place, content, Some(&found)) {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => fs::write(&place, content),
        ended => ended,
    }
}

/// The same for a file that only its owner should read: where it is made, nobody else may.
///
/// # Errors
/// It cannot be written there.
pub(crate) fn write_private(path: &Path, content: &[u8]) -> io::Result<()> {
    if fs::symlink_metadata(path).is_err() {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        drop(options.open(path)?);
    }
    write(path, content)
}

/// Keeps other processes that ask for the same from writing files beside this one, until it is dropped.
///
/// # Errors
/// There is no such directory, or it cannot be locked.
pub(crate) fn alone_beside(path: &Path) -> io::Result<fs::File> {
    let place = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let directory = fs::File::open(directory_of(&place))?;
    directory.lock()?;
    Ok(directory)
}

fn directory_of(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."))
}

fn replace(path: &Path, content: &[u8], found: Option<&fs::Metadata>) -> io::Result<()> {
    let directory = directory_of(path);
    // A directory that is not there is named by the system's own words.
    fs::metadata(directory)?;
    let mut builder = tempfile::Builder::new();
    builder.prefix(".handfast-");
    // As for every new file: what the user's mask leaves of it. What takes another's place opens to no one before it has its mode.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(if found.is_some() { 0o600 } else { 0o666 }));
    // Its own words would name the file beside this one, which says nothing to the user.
    let mut file = builder.tempfile_in(directory).map_err(|error| io::Error::from(error.kind()))?;
    if let Some(found) = found {
        #[cfg(unix)]
        keep_owner(file.as_file(), found)?;
        file.as_file().set_permissions(found.permissions())?;
    }
    file.as_file_mut().write_all(content)?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

/// Gives a file the owner and the group of the one whose place it takes.
#[cfg(unix)]
fn keep_owner(file: &fs::File, found: &fs::Metadata) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt as _, fchown};
    let made = file.metadata()?;
    if (made.uid(), made.gid()) == (found.uid(), found.gid()) {
        return Ok(());
    }
    fchown(file, Some(found.uid()), Some(found.gid()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn left(directory: &Path) -> Vec<String> {
        let entries = fs::read_dir(directory).unwrap();
        let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_file_is_replaced_and_nothing_is_left_beside_it() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("run.svg");
        for content in ["old", "new"] {
            write(&path, content.as_bytes()).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), content);
        }
        assert_eq!(left(directory.path()), ["run.svg"]);
        let error = write(&directory.path().join("no/run.svg"), b"new").unwrap_err();
        assert_eq!((error.kind(), error.to_string().contains(".handfast-")), (io::ErrorKind::NotFound, false));
    }

    #[cfg(unix)]
    #[test]
    fn links_and_modes_stay_as_they_are() {
        use std::os::unix::fs::{PermissionsExt as _, symlink};
        let directory = tempfile::tempdir().unwrap();
        let (file, link, nowhere) =
            (directory.path().join("file"), directory.path().join("link"), directory.path().join("nowhere"));
        fs::write(&file, "old").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
        symlink(&file, &link).unwrap();
        write(&link, b"new").unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(
            (fs::read_to_string(&file).unwrap(), fs::metadata(&file).unwrap().permissions().mode() & 0o777),
            ("new".to_owned(), 0o640)
        );
        symlink(directory.path().join("later"), &nowhere).unwrap();
        write(&nowhere, b"made").unwrap();
        assert!(fs::symlink_metadata(&nowhere).unwrap().is_symlink());
        assert_eq!(fs::read_to_string(directory.path().join("later")).unwrap(), "made");
        write(Path::new("/dev/null"), b"gone").unwrap();
        assert!(!fs::metadata("/dev/null").unwrap().is_file());
    }

    #[cfg(unix)]
    #[test]
    fn the_owner_stays_whoever_writes() {
        use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("tokens.toml");
        write_private(&path, b"old").unwrap();
        // Only root may give a file away; for another user the file stays their own, and has to remain so.
        drop(chown(&path, Some(4_321), Some(4_321)));
        let of =
            |path: &Path| fs::metadata(path).map(|file| (file.uid(), file.gid(), file.permissions().mode() & 0o777)).unwrap();
        let before = of(&path);
        write_private(&path, b"new").unwrap();
        assert_eq!((of(&path), before.2, fs::read(&path).unwrap()), (before, 0o600, b"new".to_vec()));
    }
}
