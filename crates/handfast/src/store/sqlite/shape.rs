//! How values lie in the columns of a SQLite store, as `docs/journal.md` describes it.

use handfast_protocol::Time;
use sha2::{Digest as _, Sha256};

use crate::store::{Digest, LARGEST, StoreError};

/// Times and numbers of entries are kept bit for bit; every one that occurs is its own decimal in the file.
pub(super) const fn column(number: u64) -> i64 {
    number.cast_signed()
}

pub(super) const fn number(column: i64) -> u64 {
    column.cast_unsigned()
}

/// Numbers that SQL compares must not turn negative.
pub(super) fn ordered(number: u64) -> i64 {
    column(number.min(LARGEST))
}

pub(super) fn optional_time(column: Option<i64>) -> Option<Time> {
    column.map(|column| Time(number(column)))
}

/// Netstrings, one after the other: `<length in decimal>:<the bytes>,`. A body that is text can be read as it is.
pub(super) fn pack(bodies: &[Vec<u8>]) -> Vec<u8> {
    let mut packed = Vec::with_capacity(bodies.iter().map(|body| body.len() + 8).sum());
    for body in bodies {
        packed.extend_from_slice(body.len().to_string().as_bytes());
        packed.push(b':');
        packed.extend_from_slice(body);
        packed.push(b',');
    }
    packed
}

/// The bodies that [`pack`] made these bytes of, or nothing if it did not make them.
pub(super) fn unpack(mut packed: &[u8]) -> Option<Vec<Vec<u8>>> {
    let mut bodies = Vec::new();
    while !packed.is_empty() {
        let colon = packed.iter().position(|&byte| byte == b':')?;
        let length: usize = std::str::from_utf8(&packed[..colon]).ok()?.parse().ok()?;
        let rest = &packed[colon + 1..];
        let body = rest.get(..length)?;
        if rest.get(length) != Some(&b',') {
            return None;
        }
        bodies.push(body.to_vec());
        packed = &rest[length + 1..];
    }
    Some(bodies)
}

/// The digest over what a saga was placed with, so that damage to an order is noticed before it is sent to anybody.
pub(super) fn placed_digest(flow_hash: &[u8; 32], version: u32, input: &[u8], packed_bodies: &[u8]) -> Digest {
    let mut hash = Sha256::new();
    hash.update(flow_hash);
    hash.update(version.to_le_bytes());
    hash.update((input.len() as u64).to_le_bytes());
    hash.update(input);
    hash.update(packed_bodies);
    let mut digest = Digest::default();
    let length = digest.len();
    digest.copy_from_slice(&hash.finalize()[..length]);
    digest
}

/// What the system said, and the number by which SQLite's documentation has it.
pub(super) fn words(error: &rusqlite::Error) -> String {
    match error.sqlite_error() {
        Some(code) => format!("{error} (SQLite error {})", code.extended_code),
        None => error.to_string(),
    }
}

pub(super) fn unavailable(error: &rusqlite::Error) -> StoreError {
    StoreError::Unavailable(words(error))
}

#[cfg(test)]
mod tests {
    use super::{pack, unpack};

    #[test]
    fn bodies_come_back_as_they_were() {
        for bodies in [vec![], vec![vec![]], vec![b"{\"amount\":1}".to_vec(), vec![0, 255, b',', b':'], vec![]]] {
            assert_eq!(unpack(&pack(&bodies)), Some(bodies));
        }
    }

    #[test]
    fn bytes_that_are_no_bodies_are_told() {
        for packed in ["2:a,", "1:ab,", "1:a", "x:a,", ":a,", "1a", "-1:a,", "99999999999999999999:a,"] {
            assert_eq!(unpack(packed.as_bytes()), None, "{packed}");
        }
    }
}
