//! Shorter names for a key, for services that take neither its length nor its dots. Each is made of the whole key, for good:
//! a stored flow sends the same text after every upgrade.

use data_encoding::BASE32_NOPAD;
use sha2::{Digest as _, Sha256};
use uuid::Builder;

/// What the hash is taken of, before the key. Another way to shorten a key needs another number, and a gap of another name.
const HASH_DOMAIN: &[u8] = b"handfast/key.hash/1:";
const UUID_DOMAIN: &[u8] = b"handfast/key.uuid/1:";
/// How many bytes of the hash are written: 160 bits, so that two keys never meet by chance.
const HASH_BYTES: usize = 20;

/// `{key.hash}`: 32 of `a-z` and `2-7`.
pub(super) fn hash(key: &str) -> String {
    let digest = Sha256::new().chain_update(HASH_DOMAIN).chain_update(key).finalize();
    // In base 32 (RFC 4648, 6) five bytes are eight digits.
    BASE32_NOPAD.encode(&digest[..HASH_BYTES]).to_ascii_lowercase()
}

/// `{key.uuid}`: a UUID of version 8 (RFC 9562, 5.8) whose free 122 bits are of the hash.
pub(super) fn uuid(key: &str) -> String {
    let digest = Sha256::new().chain_update(UUID_DOMAIN).chain_update(key).finalize();
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest[..16]);
    Builder::from_custom_bytes(bytes).into_uuid().hyphenated().to_string()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn short_keys_are_the_same_for_ever() {
        let key = "k3j9xq2m7p.order-1.payment";
        assert_eq!(hash(key), "nr3xbipuisfkn2zpv572pb6smtechd2n");
        assert_eq!(uuid(key), "91765fe5-0f6b-8ff2-8af4-714418c5264b");
    }

    #[test]
    fn every_part_of_the_key_counts_and_every_service_takes_them() {
        let keys = ["a.b.c", "a.b.d", "a.c.c", "b.b.c", "a.b.c.c", "A.b.c", ""];
        let hashes: BTreeSet<String> = keys.into_iter().map(hash).collect();
        let uuids: BTreeSet<String> = keys.into_iter().map(uuid).collect();
        assert_eq!((hashes.len(), uuids.len()), (keys.len(), keys.len()));
        assert!(hashes.iter().all(|text| text.len() == 32 && text.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'2'..=b'7'))));
        for text in uuids {
            let read = uuid::Uuid::parse_str(&text).unwrap();
            assert_eq!((read.get_version_num(), read.get_variant()), (8, uuid::Variant::RFC4122), "{text}");
        }
    }
}
