//! What a store is called.

use data_encoding::BASE32_NOPAD;
use sha2::{Digest as _, Sha256};

/// How many characters a store's name has.
const CHARACTERS: usize = 10;

/// Ten random characters that no other store has drawn: the keys of two stores never collide.
pub(super) fn draw_store_id() -> String {
    let drawn = Sha256::digest(uuid::Uuid::now_v7().as_bytes());
    let mut id = BASE32_NOPAD.encode(&drawn).to_ascii_lowercase();
    id.truncate(CHARACTERS);
    id
}

/// Whether this can be one.
#[cfg(feature = "sqlite")]
pub(super) fn is_store_id(text: &str) -> bool {
    text.len() == CHARACTERS && text.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'2'..=b'7'))
}
