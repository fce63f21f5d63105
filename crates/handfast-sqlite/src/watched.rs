//! By inodes, and by what lies in the file and in the index of its log.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use crate::generation::is_behind;

type Inode = (u64, u64);

/// What lies beside the file while it is open: the log, and the log's index.
const PARTS: [&str; 3] = ["", "-wal", "-shm"];

/// As much of the file as says what it holds: SQLite's header.
const HEADER: usize = 100;
/// Where the generation stands in it, big-endian.
const GENERATION: usize = 60;

/// What the index of the log says of carrying it over into the file, in the order of bytes of the machine: the salts of
/// this log, up to which frame it is carried over, and up to which it was begun to be.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
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

#[derive(Debug)]
struct Seen {
    header: Vec<u8>,
    carried_over: CarriedOver,
}

/// The file of a store that is open, its log and the log's index, as they were when it was opened and at the last look.
#[derive(Debug)]
pub struct Watched {
    parts: [(PathBuf, Inode); 3],
    file: &'static File,
    index: &'static File,
    seen: Mutex<Seen>,
}

impl Watched {
    /// Looks at the files of a store that SQLite has just opened at this absolute path.
    ///
    /// # Errors
    /// What the system says of one of them.
    pub fn of(path: &Path) -> io::Result<Self> {
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
    #[must_use]
    pub fn generation(&self) -> Option<i32> {
        generation(&self.seen.lock().unwrap_or_else(PoisonError::into_inner).header)
    }

    /// How many frames the log has, and how many of them are carried over into the file, by the log's index. It is read past SQLite,
    /// since versions before 3.51 cannot be asked without carrying it over.
    ///
    /// # Errors
    /// What the system says of the index.
    pub fn log_frames(&self) -> io::Result<(u32, u32)> {
        let mut bytes = [0; 100];
        // An index that is shorter is about to be made: nothing is in the log yet.
        let _length = self.index.read_at(&mut bytes, 0)?;
        let word = |at: usize| u32::from_ne_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
        Ok((word(16), word(96)))
    }

    /// Whether the path still names what was opened, and no other program has written to it. Cheap enough to be asked for every message.
    ///
    /// # Errors
    /// What lies there instead, in words.
    pub fn look(&self) -> Result<(), String> {
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
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
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

/// The generation of a file, past any log; `None` where it has no header yet.
///
/// # Errors
/// What the system says of the file.
pub fn generation_of(path: &Path) -> io::Result<Option<i32>> {
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
    let mut open = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
    let inode = inode(path)?;
    if let Some(file) = open.get(&inode) {
        return Ok(file);
    }
    let file: &'static File = Box::leak(Box::new(File::open(path)?));
    open.insert(inode, file);
    Ok(file)
}
