//! Bytes that nobody meant: sound texts, bent at random. Everything that reads what a stranger wrote takes them or refuses them.
//!
//! `cargo xtask campaign fuzz` gives every reader here many more of them than the suite does.

use std::fs;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use handfast_protocol::{Operation, PROTOCOL_VERSION};
use proptest::prelude::*;
use proptest::sample::Index;

use crate::flow_file::FlowFile;
use crate::journal::Line;
use crate::participant::{Delivery, Received, Reply, read_answer};

/// One thing that is done to a text: what, where, to how much, and with what.
pub(crate) type Bend = (u8, Index, usize, u8);

/// A few of them.
pub(crate) fn bends() -> impl Strategy<Value = Vec<Bend>> {
    proptest::collection::vec((any::<u8>(), any::<Index>(), 0..24_usize, any::<u8>()), 0..8)
}

/// The text after them: bytes are replaced, put in, cut out, moved, or said twice.
pub(crate) fn bent(sound: &[u8], bends: &[Bend]) -> Vec<u8> {
    let mut bytes = sound.to_vec();
    for (what, at, length, with) in bends {
        let at = at.index(bytes.len() + 1);
        let piece: Vec<u8> = bytes[at..bytes.len().min(at + length)].to_vec();
        let end = at + piece.len();
        let (cut, put) = match what % 6 {
            0 => (at..end, vec![*with; piece.len()]),
            1 => (at..at, vec![*with; *length]),
            2 => (at..end, Vec::new()),
            3 => (at..at, piece),
            // What grammars are made of, where it was not meant.
            4 => (at..at, vec![b"{}[]\"'=.:\\,#\n0-"[usize::from(*with) % 15]]),
            _ => (at..bytes.len(), Vec::new()),
        };
        bytes.splice(cut, put);
    }
    bytes
}

/// The files of a folder of this crate or of the examples that end so.
fn texts(folder: &str, ending: &str) -> Vec<(PathBuf, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut paths: Vec<PathBuf> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let is_one = |path: &PathBuf| path.to_str().is_some_and(|name| name.ends_with(ending));
    let texts: Vec<_> = paths.into_iter().filter(is_one).map(|path| (path.clone(), fs::read_to_string(&path).unwrap())).collect();
    assert!(!texts.is_empty(), "{} has no {ending}", folder.display());
    texts
}

fn flows() -> Vec<String> {
    ["card", "intents", "shop", "stripe", "warehouse"]
        .iter()
        .flat_map(|name| texts(&format!("../../examples/{name}"), "flow.toml"))
        .map(|(_, text)| text)
        .collect()
}

fn golden_lines() -> Vec<String> {
    let files = texts("tests/golden/journal/v1", ".jsonl");
    files.iter().flat_map(|(_, text)| text.lines().map(str::to_owned)).collect()
}

const RECEIPT: &str =
    r#"{"key":"shop.order-1.payment","state":"done","body_hash":"aa","seq":7,"incarnation":"i","at":5,"mark":"m","opening":"o"}"#;

proptest! {
    #[test]
    fn any_bent_flow_file_is_read_or_refused(which in any::<Index>(), bends in bends()) {
        let flows = flows();
        let text = String::from_utf8_lossy(&bent(which.get(&flows).as_bytes(), &bends)).into_owned();
        if let Err(error) = FlowFile::parse("f", &text) {
            prop_assert!(error.line() <= text.lines().count() + 1, "{error}");
        }
    }

    #[test]
    fn any_bent_line_of_a_journal_is_read_or_refused(which in any::<Index>(), bends in bends()) {
        let lines = golden_lines();
        let text = String::from_utf8_lossy(&bent(which.get(&lines).as_bytes(), &bends)).into_owned();
        for version in 1..=PROTOCOL_VERSION {
            let Ok(line) = Line::read(version, &text) else { continue };
            // What was read is one line, and stands for itself.
            let again = line.write(version).unwrap();
            prop_assert_eq!(Line::read(version, &again).unwrap(), line, "{}", text);
        }
    }

    /// A receipt that says something else than was asked for proves nothing, however it came to say so.
    #[test]
    fn any_bent_receipt_is_read_or_refused(bends in bends(), status in 100..600_u16) {
        let bytes = bent(RECEIPT.as_bytes(), &bends);
        let act = Bytes::from_static(b"{}");
        let request = Delivery {
            is_about_undo: false,
            key: "shop.order-1.payment",
            operation: Operation::Act,
            body: &act,
            body_hash: "aa",
            number: 1,
            seen: None,
            not_after: None,
            leaves_before: None,
        };
        let reply = read_answer(&request, Received { status, body: Some(&bytes), retry_after: None });
        if let Reply::Definite { .. } = reply {
            let told: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
            prop_assert_eq!(&told["key"], "shop.order-1.payment");
        }
    }
}
