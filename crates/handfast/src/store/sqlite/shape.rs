//! How values lie in the columns of a SQLite store, as `docs/journal.md` describes it.

use bytes::Bytes;
use handfast_protocol::Time;
use rusqlite::ErrorCode;
use sha2::{Digest as _, Sha256};

use crate::store::{Digest, LARGEST, StoreError, Unanswered};

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

/// A tail of the order is named instead of repeated where it has at least this many bytes.
const TAIL: usize = 16;

/// One piece after the other: `<length in decimal>:<the bytes>,` is a body that can be read as it is if it is text; `#<step>,`
/// is the body of that earlier step; `+<length>,` is an opening brace and the last `length` bytes of the order.
pub(super) fn pack(input: &[u8], bodies: &[Bytes]) -> Vec<u8> {
    let mut packed = Vec::new();
    for (at, body) in bodies.iter().enumerate() {
        let earlier = bodies[..at].iter().position(|earlier| !body.is_empty() && earlier == body);
        let tail = body.strip_prefix(b"{").filter(|tail| tail.len() >= TAIL && input.ends_with(tail));
        match (earlier, tail) {
            (Some(step), _) => packed.extend_from_slice(format!("#{step},").as_bytes()),
            (None, Some(tail)) => packed.extend_from_slice(format!("+{},", tail.len()).as_bytes()),
            (None, None) => {
                packed.extend_from_slice(body.len().to_string().as_bytes());
                packed.push(b':');
                packed.extend_from_slice(body);
                packed.push(b',');
            }
        }
    }
    packed
}

/// The bodies that [`pack`] made these bytes of, or nothing if it did not make them. What was stored once is in memory once.
pub(super) fn unpack(input: &[u8], packed: &Bytes) -> Option<Vec<Bytes>> {
    let mut bodies: Vec<Bytes> = Vec::new();
    let mut at = 0;
    while let Some(&first) = packed.get(at) {
        let is_named = matches!(first, b'#' | b'+');
        let digits = at + usize::from(is_named);
        let end = digits + packed[digits..].iter().position(|&byte| byte == if is_named { b',' } else { b':' })?;
        let number: usize = std::str::from_utf8(&packed[digits..end]).ok()?.parse().ok()?;
        let (body, next) = match first {
            b'#' => (bodies.get(number)?.clone(), end),
            b'+' => {
                let tail = &input[input.len().checked_sub(number)?..];
                ([b"{", tail].concat().into(), end)
            }
            _ => {
                let next = end.checked_add(1)?.checked_add(number)?;
                (packed.get(end + 1..next).map(|_| packed.slice(end + 1..next))?, next)
            }
        };
        if packed.get(next) != Some(&b',') {
            return None;
        }
        bodies.push(body);
        at = next + 1;
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
    StoreError::Unavailable(unanswered(error, words(error)))
}

/// What kind of trouble the database has, which is told in these words.
pub(super) fn unanswered(error: &rusqlite::Error, said: String) -> Unanswered {
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => Unanswered::NoRoom { said },
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Unanswered::Locked { said },
        Some(_) | None => Unanswered::Database { said },
    }
}

#[cfg(test)]
mod tests {
    use super::{Bytes, pack, unpack};

    #[test]
    fn bodies_come_back_as_they_were() {
        let order = br#"{"id":"o-1","amount":1999,"token":"tok_visa"}"#;
        let whole = br#"{"amount":1999,"token":"tok_visa"}"#.to_vec();
        for bodies in [
            vec![],
            vec![vec![]],
            vec![vec![], vec![]],
            vec![b"{\"amount\":1}".to_vec(), vec![0, 255, b',', b':'], vec![]],
            vec![whole.clone(), b"#0,".to_vec(), whole.clone(), b"+3,".to_vec(), whole.clone(), order.to_vec()],
        ] {
            let bodies: Vec<Bytes> = bodies.into_iter().map(Bytes::from).collect();
            assert_eq!(unpack(order, &pack(order, &bodies).into()), Some(bodies));
        }
        assert_eq!(
            pack(order, &vec![Bytes::from(whole); 64][..3]),
            b"+33,#0,#0,",
            "it is stored with the order, and nowhere else"
        );
    }

    #[test]
    fn bytes_that_are_no_bodies_are_told() {
        for packed in [
            "2:a,",
            "1:ab,",
            "1:a",
            "x:a,",
            ":a,",
            "1a",
            "-1:a,",
            "99999999999999999999:a,",
            "18446744073709551615:a,",
            "#0,",
            "#1,1:a,",
            "1:a,#1,",
            "+9,",
            "+1",
            "#",
            "+,",
            "1:a,#0;",
        ] {
            assert_eq!(unpack(b"order", &Bytes::from_static(packed.as_bytes())), None, "{packed}");
        }
    }
}
