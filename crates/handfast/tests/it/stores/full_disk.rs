//! A disk without room, and one that fails to flush: nothing half-done, the system's own words, and on it goes afterwards.

use std::path::Path;

use handfast::store::{SqliteStore, Store, StoreError};

use super::{append, saga, wait};
use crate::flushes::{run, under_strace};

const CHILD: &str = "HANDFAST_TEST_FULL_DISK";
const ENTRIES: u64 = 60;

/// The child: entry after entry; where the store is unavailable, it looks what became of the entry and goes on from there.
#[test]
fn child_that_meets_errors() {
    let Ok(path) = std::env::var(CHILD) else { return };
    let store = SqliteStore::open(&path).unwrap();
    let mut words = Vec::new();
    wait(async {
        let mut seq = 1;
        while seq <= ENTRIES {
            let answer = if seq == 1 { store.create(saga("a")).await.map(drop) } else { store.append(append("a", seq)).await };
            match answer {
                Ok(()) => seq += 1,
                Err(StoreError::Unavailable(why)) => {
                    words.push(why.to_string());
                    let there = store.load("a").await.unwrap().map_or(0, |saga| saga.entries.len() as u64);
                    assert!(there == seq || there + 1 == seq, "entry {seq} was tried, {there} are there");
                    seq = there + 1;
                }
                Err(other) => panic!("{other}"),
            }
        }
    });
    std::fs::write(format!("{path}.words"), words.join("\n")).unwrap();
}

fn what_is_said_when(inject: &str) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let calls = "trace=fsync,fdatasync,pwrite64";
    let options = ["-e", calls, "-e", inject];
    let mut child = under_strace("stores::full_disk::child_that_meets_errors", Path::new("/dev/null"), &options);
    child.env(CHILD, &path);
    assert!(run(child).success(), "{inject}");
    let journal = wait(SqliteStore::open(&path).unwrap().load("a")).unwrap().unwrap().entries;
    assert!(journal.iter().map(|entry| entry.seq).eq(1..=ENTRIES), "whole, and nothing twice");
    let words = std::fs::read_to_string(format!("{}.words", path.display())).unwrap();
    words.lines().map(str::to_owned).collect()
}

#[test]
fn a_full_disk_is_told_and_survived() {
    // Every write in turn: the first page of a commit, the one in its middle, the one that completes it.
    for first in 100..106 {
        let words = what_is_said_when(&format!("inject=pwrite64:error=ENOSPC:when={first}..{}", first + 2));
        assert!(!words.is_empty(), "the disk was full, and nobody noticed");
        assert!(words.iter().all(|why| why.contains("full")), "{words:?}");
    }
}

#[test]
fn a_flush_that_fails_is_no_answer() {
    let words = what_is_said_when("inject=fsync,fdatasync:error=EIO:when=20..22");
    assert!((1..=3).contains(&words.len()), "{words:?}");
    assert!(words.iter().all(|why| why.contains("I/O")), "{words:?}");
}
