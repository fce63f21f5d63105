//! The bodies of a saga's acts in memory: those that are alike are one, however many steps send them.

use bytes::Bytes;
use sha2::{Digest as _, Sha256};

use crate::journal::hex;

/// The body of one step's act, and its hash as it goes over the wire.
#[derive(Clone, Debug)]
pub(crate) struct Body {
    pub(crate) bytes: Bytes,
    pub(crate) hash: String,
}

impl Body {
    /// Every body with its hash. Each of those that share their bytes is hashed once.
    pub(crate) fn all_of(bodies: Vec<Bytes>) -> Vec<Self> {
        let mut hashed: Vec<Self> = Vec::with_capacity(bodies.len());
        for bytes in bodies {
            let hash = match hashed.iter().find(|known| are_one(&known.bytes, &bytes)) {
                Some(known) => known.hash.clone(),
                None => hex(&Sha256::digest(&bytes)),
            };
            hashed.push(Self { bytes, hash });
        }
        hashed
    }
}

/// The same bodies, in which those that are alike share their bytes.
pub(crate) fn shared(bodies: Vec<Bytes>) -> Vec<Bytes> {
    let mut shared: Vec<Bytes> = Vec::with_capacity(bodies.len());
    for body in bodies {
        let known = shared.iter().find(|known| are_one(known, &body) || **known == body).cloned();
        shared.push(known.unwrap_or(body));
    }
    shared
}

/// How many bytes of memory they take.
pub(crate) fn bytes_of(bodies: &[Body]) -> usize {
    let is_first = |(at, body): &(usize, &Body)| !bodies[..*at].iter().any(|known| are_one(&known.bytes, &body.bytes));
    bodies.iter().enumerate().filter(is_first).map(|(_, body)| body.bytes.len()).sum()
}

fn are_one(one: &Bytes, other: &Bytes) -> bool {
    one.len() == other.len() && one.as_ptr() == other.as_ptr()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_that_are_alike_are_one() {
        let given = ["a", "b", "a", "a"].map(|body| Bytes::from(body.repeat(1_000))).to_vec();
        let shared = shared(given.clone());
        assert_eq!(shared, given);
        assert!(are_one(&shared[0], &shared[2]) && are_one(&shared[0], &shared[3]) && !are_one(&shared[0], &shared[1]));
        let bodies = Body::all_of(shared);
        assert_eq!(bytes_of(&bodies), 2_000);
        assert_eq!(bodies[3].hash, hex(&Sha256::digest(&given[3])));
    }
}
