//! What a store is called.

use sha2::{Digest as _, Sha256};

/// Ten random characters that no other store has drawn: the keys of two stores never collide.
pub(super) fn draw_store_id() -> String {
    const LETTERS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
    let drawn = Sha256::digest(uuid::Uuid::now_v7().as_bytes());
    drawn.iter().take(10).map(|byte| char::from(LETTERS[usize::from(byte % 32)])).collect()
}
