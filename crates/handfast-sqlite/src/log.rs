//! Whether the write-ahead log beside a file belongs to it: a backup that was put back beside a newer log must not be read
//! as one store with it.

use std::fs::File;
use std::io::{BufReader, ErrorKind, Read as _};
use std::path::{Path, PathBuf};

use crate::generation::{is_behind, next_generation};
use crate::watched::generation_of;

/// The log's header, and the header of each of its frames, in bytes.
const HEADER: usize = 32;
const FRAME_HEADER: usize = 24;
/// Where the generation stands in the first page, big-endian.
const GENERATION: usize = 60;

/// The generations of the commits in a log: of the first, where it says one, and of the last.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Generations {
    first: Option<i32>,
    last: i32,
}

/// The log of the store at this path.
#[must_use]
pub fn path_of(path: &Path) -> PathBuf {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    PathBuf::from(log)
}

/// The generations of the commits that lie in a log; `None` where nothing does that a store could have written.
fn generations(log: &Path) -> std::io::Result<Option<Generations>> {
    let file = match File::open(log) {
        Ok(file) if !file.metadata()?.is_file() => return Ok(None),
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    match read(&mut BufReader::new(file)) {
        // It ends within a frame, as a crash leaves it.
        Err(error) if error.kind() != ErrorKind::UnexpectedEof => Err(error),
        read => Ok(read.ok().flatten()),
    }
}

/// SQLite's file format describes the log: `https://sqlite.org/fileformat2.html`, 4.1.
fn read(log: &mut BufReader<File>) -> std::io::Result<Option<Generations>> {
    let mut header = [0; HEADER];
    log.read_exact(&mut header)?;
    let word = |bytes: &[u8], at: usize| u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
    let is_log = word(&header, 0) & !1 == 0x377f_0682;
    let page = i64::from(word(&header, 8));
    if !is_log || !(512..=65_536).contains(&page) {
        return Ok(None);
    }
    let (mut first, mut last) = (None, None);
    let (mut commits, mut in_this_commit) = (0_u64, None);
    let mut frame = [0; FRAME_HEADER];
    loop {
        match log.read_exact(&mut frame) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => break,
            Err(error) => return Err(error),
        }
        // What follows is of an earlier log, which this one has begun to write over.
        if frame[8..16] != header[16..24] {
            break;
        }
        let is_first_page = word(&frame, 0) == 1;
        let mut start = [0; GENERATION + 4];
        if is_first_page {
            if log.read_exact(&mut start).is_err() {
                break;
            }
            in_this_commit = Some(word(&start, GENERATION).cast_signed());
        }
        let read = if is_first_page { start.len() as i64 } else { 0 };
        log.seek_relative(page - read)?;
        let ends_a_commit = word(&frame, 4) != 0;
        if ends_a_commit {
            if commits == 0 {
                first = in_this_commit;
            }
            last = in_this_commit.or(last);
            in_this_commit = None;
            commits += 1;
        }
    }
    Ok(last.map(|last| Generations { first, last }))
}

impl Generations {
    /// What is wrong with a file of this generation that stands beside the log, if anything is. Files from before generations
    /// were counted say 0, and so do their logs.
    fn mismatch(self, file: i32) -> Option<String> {
        let Self { first, last } = self;
        let follows = |generation: i32| first.is_some_and(|first| first == next_generation(generation));
        let is_older = first.is_some_and(|first| first != 0 && is_behind(file, first) && !follows(file));
        let is_newer = is_behind(last, file);
        let log = match first {
            Some(first) if first != last => format!("generations {first} to {last}"),
            Some(_) | None => format!("generation {last}"),
        };
        (is_older || is_newer).then(|| {
            let age = if is_older { "an older copy" } else { "newer than the log" };
            format!("the file is {age} (generation {file}), and the log beside it goes on from another file ({log})")
        })
    }
}

/// What is wrong with the log beside a file, with its cure, where it is another file's: a backup that was put back beside the log
/// of the file that it replaced is no store, since pages of both would be mixed.
///
/// While another process writes, what is read of the two may not fit for a moment.
///
/// # Errors
/// What the system says of the log or the file.
pub fn of_another_file(path: &Path) -> std::io::Result<Option<String>> {
    let log = path_of(path);
    // The log first: while another process writes, the file can only be ahead of what was read of the log.
    let Some(generations) = generations(&log)? else { return Ok(None) };
    let Some(file) = generation_of(path)? else { return Ok(None) };
    Ok(generations.mismatch(file).map(|what| {
        format!(
            "{what}: as one store they would be damaged. To go on from this file, as from a backup, move {log} and {index} away: \
             what was written since then is in neither any more. To go on from where the log is, put the file back that was here \
             before. Nothing was changed",
            log = log.display(),
            index = path.display().to_string() + "-shm",
        )
    }))
}

/// What is wrong where a file is not there, or empty, and its log is: one that is new must not take over the log of one that was lost.
///
/// # Errors
/// What the system says of the log.
pub fn without_its_file(path: &Path) -> std::io::Result<Option<String>> {
    let log = path_of(path);
    Ok(generations(&log)?.map(|_| {
        format!(
            "the file is not there, but its log {} is, with what was acknowledged last; put the file back, or move the log away \
             to begin with an empty store",
            log.display()
        )
    }))
}

#[cfg(test)]
mod tests {
    use super::Generations;

    #[test]
    fn a_file_and_its_log_fit_where_one_leads_to_the_other() {
        let log = Generations { first: Some(8), last: 12 };
        for fits in 7..=12 {
            assert_eq!(log.mismatch(fits), None, "{fits}");
        }
        for other in [0, 6, 13, 500] {
            assert!(log.mismatch(other).is_some(), "{other}");
        }
        let begins = Generations { first: Some(1), last: 2 };
        assert_eq!(begins.mismatch(0), None);
        let wraps = Generations { first: Some(i32::MAX), last: 3 };
        assert_eq!(wraps.mismatch(i32::MAX - 1), None);
        assert!(wraps.mismatch(i32::MAX - 2).is_some());
        let uncounted = Generations { first: Some(0), last: 0 };
        assert_eq!(uncounted.mismatch(0), None);
    }
}
