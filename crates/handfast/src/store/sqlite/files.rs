//! Whether the store is still the file that was opened: who it is by its inode, and what it holds by its generation.
//!
//! A file that was removed or replaced goes on to take writes for as long as somebody has it open, and all of them are gone
//! with the process. So its identity is compared before a commit is answered and before a message leaves, and what is lost
//! once stays lost until the store is opened again.
//!
//! ```text
//!   rm, mv                  the path names no file, or another inode                  -> gone
//!   cp backup over it       the same inode, but its header has changed, and nobody     -> gone
//!                           has carried the log over into it meanwhile
//! ```
//!
//! The header holds the generation (`user_version`), which every commit raises. In the file itself it changes only when the
//! write-ahead log is carried over, and that leaves a trace in the log's index.

use std::sync::OnceLock;

use crate::store::StoreError;

/// The number that every commit of a store raises. It wraps around; 0 is said by a file from before it was counted.
pub(super) const fn next_generation(generation: i32) -> i32 {
    if generation == i32::MAX || generation < 0 { 1 } else { generation + 1 }
}

/// Whether a generation is an earlier one than another, of two that are no more than half of all numbers apart.
pub(super) const fn is_behind(generation: i32, other: i32) -> bool {
    let ahead = other.wrapping_sub(generation) & i32::MAX;
    ahead != 0 && ahead < i32::MAX / 2
}

/// The files of an open store.
pub(super) struct Files {
    path: String,
    watched: watched::Watched,
    gone: OnceLock<String>,
}

impl Files {
    /// Looks at the files of a store that SQLite has just opened at this absolute path.
    pub(super) fn of(path: &std::path::Path) -> std::io::Result<Self> {
        Ok(Self { path: path.display().to_string(), watched: watched::Watched::of(path)?, gone: OnceLock::new() })
    }

    /// Whether the path still names what was opened. Cheap enough to be asked for every message.
    ///
    /// # Errors
    /// [`StoreError::Gone`], from the first time on for good.
    pub(super) fn look(&self) -> Result<(), StoreError> {
        if self.gone.get().is_none() {
            match self.watched.look() {
                Ok(()) => return Ok(()),
                Err(why) => self.declare_gone(why),
            }
        }
        let why = self.gone.get().cloned().unwrap_or_default();
        Err(StoreError::Gone { path: self.path.clone(), why })
    }

    /// Looks right after everything up to a generation was carried over into the file. Whoever wrote over the file meanwhile has
    /// put something else there, be it a copy that is younger than the header was before.
    pub(super) fn look_at_carried_over(&self, generation: i32) {
        if self.look().is_ok() && self.watched.generation().is_some_and(|found| is_behind(found, generation)) {
            self.declare_gone(format!("{} was written over by something else", self.path));
        }
    }

    /// The store is not what it was: nothing is acknowledged any more.
    pub(super) fn declare_gone(&self, why: String) {
        let mut is_news = false;
        let why = self.gone.get_or_init(|| {
            is_news = true;
            why
        });
        if is_news {
            tracing::error!(name: "store_gone", store = self.path, why, "the store is gone: no order is taken and nothing is sent any more");
        }
    }

    pub(super) fn is_gone(&self) -> bool {
        self.gone.get().is_some()
    }
}

/// The generation of a file, past any log; `None` where it has no header yet.
pub(super) fn generation_of(path: &std::path::Path) -> std::io::Result<Option<i32>> {
    watched::generation_of(path)
}

#[cfg(unix)]
mod watched {
    //! By inodes, and by what lies in the file and in the index of its log.

    use std::collections::BTreeMap;
    use std::fs::File;
    use std::io;
    use std::os::unix::fs::{FileExt as _, MetadataExt as _};
    use std::path::{Path, PathBuf};
    use std::sync::Mutex;

    use super::is_behind;
    use crate::lock::locked;

    type Inode = (u64, u64);

    /// What lies beside the file while it is open: the log, and the log's index.
    const PARTS: [&str; 3] = ["", "-wal", "-shm"];

    /// As much of the file as says what it holds: SQLite's header.
    const HEADER: usize = 100;
    /// Where the generation stands in it, big-endian.
    const GENERATION: usize = 60;

    /// What the index of the log says of carrying it over into the file, in the order of bytes of the machine: the salts of
    /// this log, up to which frame it is carried over, and up to which it was begun to be.
    #[derive(Clone, Copy, PartialEq, Eq, Default)]
    struct CarriedOver {
        salts: [u8; 8],
        up_to: [u8; 4],
        begun_up_to: [u8; 4],
    }

    impl CarriedOver {
        fn is_under_way(&self) -> bool {
            self.up_to != self.begun_up_to
        }
    }

    struct Seen {
        header: Vec<u8>,
        carried_over: CarriedOver,
    }

    pub(super) struct Watched {
        parts: [(PathBuf, Inode); 3],
        file: &'static File,
        index: &'static File,
        seen: Mutex<Seen>,
    }

    impl Watched {
        pub(super) fn of(path: &Path) -> io::Result<Self> {
            let [file, log, index] = PARTS.map(|ending| {
                let mut part = path.as_os_str().to_owned();
                part.push(ending);
                PathBuf::from(part)
            });
            let parts = [(inode(&file)?, file), (inode(&log)?, log), (inode(&index)?, index)].map(|(inode, part)| (part, inode));
            let [(file, _), _, (index, _)] = &parts;
            let (file, index) = (kept_open(file)?, kept_open(index)?);
            let (header, carried_over) = read(file, index)?;
            Ok(Self { parts, file, index, seen: Mutex::new(Seen { header, carried_over }) })
        }

        /// The generation that the header had at the last look.
        pub(super) fn generation(&self) -> Option<i32> {
            generation(&locked(&self.seen).header)
        }

        pub(super) fn look(&self) -> Result<(), String> {
            for (part, opened) in &self.parts {
                match inode(part) {
                    Ok(found) if found == *opened => {}
                    Ok(_) => return Err(format!("{} is another file than the one that was opened", part.display())),
                    Err(error) if error.kind() == io::ErrorKind::NotFound => {
                        return Err(format!("{} was moved away or removed", part.display()));
                    }
                    Err(error) => return Err(format!("{} cannot be looked at: {error}", part.display())),
                }
            }
            let mut seen = locked(&self.seen);
            let (header, carried_over) =
                read(self.file, self.index).map_err(|error| format!("{} cannot be read: {error}", self.parts[0].0.display()))?;
            if header != seen.header {
                let was_carried_over = carried_over != seen.carried_over || carried_over.is_under_way();
                if !was_carried_over || is_older(&header, &seen.header) {
                    return Err(format!("{} was written over by something else", self.parts[0].0.display()));
                }
            }
            *seen = Seen { header, carried_over };
            Ok(())
        }
    }

    /// Whether this header cannot come after that one.
    fn is_older(header: &[u8], before: &[u8]) -> bool {
        match (generation(header), generation(before)) {
            (Some(now), Some(before)) => is_behind(now, before),
            (None, _) | (_, None) => true,
        }
    }

    fn generation(header: &[u8]) -> Option<i32> {
        let bytes = header.get(GENERATION..GENERATION + 4)?;
        Some(i32::from_be_bytes(bytes.try_into().ok()?))
    }

    pub(super) fn generation_of(path: &Path) -> io::Result<Option<i32>> {
        let mut header = [0; HEADER];
        let length = kept_open(path)?.read_at(&mut header, 0)?;
        Ok(generation(&header[..length]))
    }

    fn inode(path: &Path) -> io::Result<Inode> {
        std::fs::metadata(path).map(|file| (file.dev(), file.ino()))
    }

    /// The file's header, and what the log's index says of one moment at which that was the header.
    fn read(file: &File, index: &File) -> io::Result<(Vec<u8>, CarriedOver)> {
        let mut before = carried_over(index)?;
        loop {
            let mut header = vec![0; HEADER];
            let mut length = 0;
            while length < HEADER {
                match file.read_at(&mut header[length..], length as u64)? {
                    0 => break,
                    more => length += more,
                }
            }
            header.truncate(length);
            let after = carried_over(index)?;
            if after == before {
                return Ok((header, after));
            }
            before = after;
        }
    }

    /// SQLite's file format describes the index: `https://sqlite.org/walformat.html`, 2.1.
    fn carried_over(index: &File) -> io::Result<CarriedOver> {
        let mut bytes = [0; 132];
        // An index that is shorter is about to be made, and says nothing yet.
        let _length = index.read_at(&mut bytes, 0)?;
        let mut read = CarriedOver::default();
        read.salts.copy_from_slice(&bytes[32..40]);
        read.up_to.copy_from_slice(&bytes[96..100]);
        read.begun_up_to.copy_from_slice(&bytes[128..132]);
        Ok(read)
    }

    /// Opens a file that SQLite locks. It is never closed again: on closing it the system would take away every lock that this
    /// process holds on it, SQLite's as well.
    fn kept_open(path: &Path) -> io::Result<&'static File> {
        static OPEN: Mutex<BTreeMap<Inode, &'static File>> = Mutex::new(BTreeMap::new());
        let mut open = locked(&OPEN);
        let inode = inode(path)?;
        if let Some(file) = open.get(&inode) {
            return Ok(file);
        }
        let file: &'static File = Box::leak(Box::new(File::open(path)?));
        open.insert(inode, file);
        Ok(file)
    }

    #[cfg(test)]
    mod tests {
        use super::super::next_generation;
        use super::*;

        #[test]
        fn generations_are_told_apart_around_their_end() {
            assert!(is_behind(1, 2) && !is_behind(2, 1) && !is_behind(2, 2));
            assert_eq!(next_generation(i32::MAX), 1);
            assert!(is_behind(i32::MAX - 1, 3) && !is_behind(3, i32::MAX - 1));
            assert!(is_behind(0, 1) && !is_behind(1, 0), "0 is from before they were counted");
        }
    }
}

#[cfg(not(unix))]
mod watched {
    //! Where a file that is open cannot be removed or replaced there is nothing to look at.

    pub(super) struct Watched;

    impl Watched {
        #[expect(clippy::unnecessary_wraps, reason = "elsewhere looking at a file can go wrong")]
        pub(super) fn of(_path: &std::path::Path) -> std::io::Result<Self> {
            Ok(Self)
        }

        #[expect(clippy::unused_self, reason = "elsewhere there is something to look at")]
        pub(super) fn generation(&self) -> Option<i32> {
            None
        }

        #[expect(clippy::unused_self, clippy::unnecessary_wraps, reason = "elsewhere there is something to look at")]
        pub(super) fn look(&self) -> Result<(), String> {
            Ok(())
        }
    }

    #[expect(clippy::unnecessary_wraps, reason = "elsewhere reading a file can go wrong")]
    pub(super) fn generation_of(_path: &std::path::Path) -> std::io::Result<Option<i32>> {
        Ok(None)
    }
}
