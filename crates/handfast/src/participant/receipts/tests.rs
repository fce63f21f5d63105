//! The whole table of statuses and receipts, and everything that gateways and broken services send instead.

use bytes::Bytes;

use super::*;

const KEY: &str = "store.order-1.payment";
const OURS: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
const THEIRS: &str = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";
const OPERATIONS: [Operation; 3] = [Operation::Act, Operation::Close, Operation::Undo];

fn read(operation: Operation, status: u16, body: &[u8]) -> Reply {
    read_having_seen(None, operation, status, body)
}

fn read_having_seen(incarnation: Option<&str>, operation: Operation, status: u16, body: &[u8]) -> Reply {
    let seen = incarnation.map(|of| crate::store::Seen { incarnation: of.to_owned(), ..crate::store::Seen::default() });
    let act = Bytes::from_static(b"{}");
    let request = Delivery {
        is_about_undo: false,
        key: KEY,
        operation,
        body: &act,
        body_hash: OURS,
        number: 1,
        seen: seen.as_ref(),
        not_after: None,
        leaves_before: None,
    };
    read_answer(&request, Received { status, body: Some(body), retry_after: None })
}

fn receipt_text(key: &str, state: &str, hash: Option<&str>) -> Vec<u8> {
    serde_json::json!({"key": key, "state": state, "body_hash": hash, "seq": 7, "incarnation": "i", "at": 5}).to_string().into()
}

fn answer(reply: &Reply) -> Option<Answer> {
    match reply {
        Reply::Definite { answer, .. } => Some(*answer),
        Reply::Undo { .. } | Reply::Absent { .. } | Reply::Unknown { .. } | Reply::Mismatch { .. } | Reply::Behind { .. } => None,
    }
}

/// What no request could name is not taken over from an answer.
#[test]
fn an_incarnation_is_one_that_a_header_can_carry() {
    let long = "i".repeat(65);
    for (incarnation, is_one) in
        [("i", true), (&long[..64], true), ("a:b~", true), ("", false), (&long, false), ("b c", false), ("\u{e4}", false)]
    {
        for (status, state) in [(200, "done"), (412, "behind")] {
            let receipt =
                serde_json::json!({"key": KEY, "state": state, "body_hash": OURS, "seq": 7, "incarnation": incarnation});
            let reply = read(Operation::Act, status, receipt.to_string().as_bytes());
            assert_eq!(matches!(reply, Reply::Definite { .. } | Reply::Behind { .. }), is_one, "{incarnation:?} {reply:?}");
        }
    }
}

/// Written as a list of what is definite; everything that is not in it has to be unknown.
fn expected(operation: Operation, status: u16, state: &str, hash: Option<&str>) -> Option<Answer> {
    let act = operation == Operation::Act;
    let own = hash == Some(OURS);
    let state_of_key = |state| Some(Answer::State(state));
    match (act, status, state) {
        (true, 200, "done") if own => state_of_key(Definite::Done),
        (true, 409, "refused") if own => state_of_key(Definite::Refused),
        (true, 410, "closed") => state_of_key(Definite::Closed),
        (true, 410, "undone") => state_of_key(Definite::Undone),
        (false, 200, "done") if own => state_of_key(Definite::Done),
        (false, 200, "refused") if own => state_of_key(Definite::Refused),
        (false, 200, "closed") => state_of_key(Definite::Closed),
        (false, 200, "undone") if own || hash.is_none() => state_of_key(Definite::Undone),
        (true, 200, "done") | (true, 409, "refused") | (false, 200, "done" | "refused" | "undone") if hash == Some(THEIRS) => {
            Some(Answer::OtherBody)
        }
        (_, 422, "done" | "refused" | "undone") if hash == Some(THEIRS) => Some(Answer::OtherBody),
        _ => None,
    }
}

#[test]
fn the_whole_table() {
    let statuses = (100..=599).chain([0, 999]);
    let states = ["done", "refused", "closed", "undone", "absent", "behind", "pending", "Done", ""];
    let mut definite = 0;
    for status in statuses {
        for operation in OPERATIONS {
            for state in states {
                for hash in [None, Some(OURS), Some(THEIRS)] {
                    if status == 412 && state == "behind" {
                        continue;
                    }
                    let told = answer(&read(operation, status, &receipt_text(KEY, state, hash)));
                    assert_eq!(told, expected(operation, status, state, hash), "{operation:?} {status} {state} {hash:?}");
                    definite += usize::from(told.is_some());
                    let another_key = answer(&read(operation, status, &receipt_text("store.order-2.payment", state, hash)));
                    assert_eq!(another_key, None, "{operation:?} {status} {state} for another key");
                }
            }
        }
    }
    // Ten for each operation at its own statuses, and three states of another body at 422.
    assert_eq!(definite, 3 * (10 + 3));
}

#[test]
fn what_is_no_receipt_proves_nothing() {
    let html = b"<html><body><h1>409 Conflict</h1></body></html>".as_slice();
    let without_seq = format!(r#"{{"key":"{KEY}","state":"done","body_hash":"{OURS}","incarnation":"i"}}"#);
    let without_incarnation = format!(r#"{{"key":"{KEY}","state":"done","body_hash":"{OURS}","seq":1}}"#);
    let problem = br#"{"type":"about:blank","title":"Conflict","status":409}"#.as_slice();
    let cut_short = &receipt_text(KEY, "done", Some(OURS))[..60];
    let twice = [receipt_text(KEY, "done", Some(OURS)), b"{}".to_vec()].concat();
    let bodies = [
        html,
        b"",
        b"null",
        b"[]",
        b"\xff\xfe",
        problem,
        cut_short,
        without_seq.as_bytes(),
        without_incarnation.as_bytes(),
        &twice,
    ];
    for operation in OPERATIONS {
        for status in 100..=599 {
            for body in bodies {
                assert_eq!(
                    answer(&read(operation, status, body)),
                    None,
                    "{operation:?} {status} {}",
                    String::from_utf8_lossy(body)
                );
            }
        }
    }
}

#[test]
fn a_hash_that_is_none_proves_nothing() {
    for hash in ["", "abc", &"z".repeat(64), &"b".repeat(65)] {
        assert_eq!(answer(&read(Operation::Act, 200, &receipt_text(KEY, "done", Some(hash)))), None, "{hash:?}");
        assert_eq!(answer(&read(Operation::Act, 422, &receipt_text(KEY, "done", Some(hash)))), None, "{hash:?}");
    }
}

#[test]
fn a_hash_in_capitals_is_the_same_hash() {
    let told = read(Operation::Act, 200, &receipt_text(KEY, "done", Some(&OURS.to_uppercase())));
    assert_eq!(answer(&told), Some(Answer::State(Definite::Done)));
}

#[test]
fn fields_of_a_later_version_are_no_reason_to_doubt() {
    let body = format!(
        r#"{{"key":"{KEY}","state":"done","body_hash":"{OURS}","seq":3,"incarnation":"i","at":9,"detail":"ok","new":[1]}}"#
    );
    let receipt = Receipt {
        seq: Some(3),
        incarnation: Some("i".to_owned()),
        at: Some(Time(9)),
        detail: Some("ok".to_owned()),
        ..Receipt::default()
    };
    assert_eq!(read(Operation::Act, 200, body.as_bytes()), Reply::Definite { answer: Answer::State(Definite::Done), receipt });
}

#[test]
fn a_mark_before_a_receipt_is_skipped_and_a_key_twice_proves_nothing() {
    let receipt = receipt_text(KEY, "done", Some(OURS));
    let marked = [b"\xef\xbb\xbf".as_slice(), &receipt].concat();
    assert_eq!(answer(&read(Operation::Act, 200, &marked)), Some(Answer::State(Definite::Done)));
    let receipt = String::from_utf8(receipt).unwrap();
    for twice in [r#""state":"closed""#, r#""note":1,"note":2"#, r#""note":{"a":1,"a":1}"#] {
        let body = receipt.replacen('{', &format!("{{{twice},"), 1);
        assert_eq!(answer(&read(Operation::Act, 200, body.as_bytes())), None, "{body}");
    }
}

#[test]
fn an_oversized_answer_proves_nothing_and_a_request_for_quiet_is_kept() {
    let act = Bytes::new();
    let request = Delivery {
        is_about_undo: false,
        key: KEY,
        operation: Operation::Act,
        body: &act,
        body_hash: OURS,
        number: 1,
        seen: None,
        not_after: None,
        leaves_before: None,
    };
    let retry_after = Some(std::time::Duration::from_secs(3));
    let reply = read_answer(&request, Received { status: 200, body: None, retry_after });
    assert!(matches!(reply, Reply::Unknown { retry_after: wait, .. } if wait == retry_after), "{reply:?}");
}

#[test]
fn behind_is_behind_only_with_its_own_status() {
    for operation in OPERATIONS {
        let body = receipt_text(KEY, "behind", None);
        let behind = Reply::Behind { seq: 7, incarnation: "i".to_owned() };
        assert_eq!(read(operation, 412, &body), behind);
        assert_eq!(answer(&read(operation, 200, &body)), None);
        assert!(matches!(read(operation, 200, &body), Reply::Unknown { .. }));
        assert!(matches!(read(operation, 412, &receipt_text("other", "behind", None)), Reply::Unknown { .. }));
    }
}

#[test]
fn only_a_look_is_told_that_there_is_nothing_and_only_about_its_own_key() {
    let absent = receipt_text(KEY, "absent", None);
    assert!(matches!(read(Operation::Look, 404, &absent), Reply::Absent { .. }));
    for operation in OPERATIONS {
        assert!(matches!(read(operation, 404, &absent), Reply::Unknown { .. }), "{operation:?}");
    }
    for (status, body) in [
        (200, absent.clone()),
        (503, absent),
        (404, receipt_text("other", "absent", None)),
        (404, receipt_text(KEY, "closed", None)),
        (404, b"<html>not found</html>".to_vec()),
    ] {
        assert!(matches!(read(Operation::Look, status, &body), Reply::Unknown { .. }), "{status}");
    }
}

/// It has no mark, and may end a watch: it is believed only of the life that was asked.
#[test]
fn that_there_is_nothing_is_no_word_of_another_life() {
    let absent = receipt_text(KEY, "absent", None);
    assert!(matches!(read_having_seen(Some("i"), Operation::Look, 404, &absent), Reply::Absent { .. }));
    let of_another = read_having_seen(Some("j"), Operation::Look, 404, &absent);
    assert_eq!(of_another, Reply::Behind { seq: 7, incarnation: "i".to_owned() });
}
