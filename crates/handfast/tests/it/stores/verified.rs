//! A store that is looked through is compared with its journals: every column in which something could stand that was not written
//! is bent in a real file, and has to be named.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use handfast::participant::{Delivery, InMemory, Participant, Reply};
use handfast::store::{BoxFuture, SqliteStore, Store};
use handfast::upkeep::{self, Verified};
use handfast::{Engine, Flow, Order};
use rusqlite::Connection;
use tempfile::TempDir;

use super::wait;

const PAY: &str = "http://pay/keys";
const DEPOT: &str = "http://depot/keys";

/// Never answers for the order that stays open, and refuses the one that turns back.
struct Depot(InMemory);

impl Participant for Depot {
    fn deliver<'a>(&'a self, request: Delivery<'a>) -> BoxFuture<'a, Reply> {
        Box::pin(async move {
            let is_open = std::str::from_utf8(request.body).is_ok_and(|body| body.contains("wait"));
            if is_open { Reply::unknown("no answer") } else { self.0.receive(request, false) }
        })
    }
}

fn order(id: &str, body: &str) -> Order {
    let input = format!(r#"{{"id":"{id}","says":"{body}"}}"#);
    let body = format!("{{\"says\":\"{body}\"}}");
    Order::in_flow_order(id, input, vec![body.clone().into_bytes(), body.into_bytes()]).with_request_key(format!("key of {id}"))
}

/// A store with an order that is done, one that was turned back, one that waits, and one that was put aside.
fn filled() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shop.db");
    let store = Arc::new(SqliteStore::open(&path).unwrap());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let flow = Flow::builder("shop").compensatable("payment", PAY).pivot("dispatch", DEPOT).build().unwrap();
        let takes = |body: &[u8]| !body.windows(2).any(|two| two == b"no");
        let engine = Engine::builder(Arc::clone(&store) as Arc<dyn Store>)
            .flow(flow)
            .participant(PAY, InMemory::new(|_, _| true))
            .participant(DEPOT, Depot(InMemory::new(move |_, body| takes(body))));
        let engine = engine.open().await.unwrap();
        for (id, says) in [("done", "yes"), ("back", "no")] {
            engine.submit(order(id, says)).await.unwrap().outcome().await.unwrap();
        }
        engine.submit(order("open", "wait")).await.unwrap();
        engine.submit(order("aside", "wait")).await.unwrap();
        for id in ["open", "aside"] {
            let was_tried = async {
                while store.tries(id).await.unwrap().is_empty() {
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
            };
            tokio::time::timeout(Duration::from_secs(60), was_tried).await.expect("it is tried");
        }
        engine.shutdown(Duration::from_secs(30)).await;
        let length = store.load("aside").await.unwrap().unwrap().entries.len() as u64;
        store.suspend("aside", length, "its journal cannot be trusted").await.unwrap();
    });
    drop(store);
    runtime.shutdown_timeout(Duration::from_secs(30));
    (folder, path)
}

fn verify(path: &Path) -> Verified {
    wait(upkeep::verify(path.to_str().unwrap(), &mut |_, _| {})).unwrap()
}

/// Bends a copy of the store, and gives what is found then.
fn bent(whole: &Path, sql: &str) -> Verified {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bent.db");
    std::fs::copy(whole, &path).unwrap();
    Connection::open(&path).unwrap().execute_batch(sql).unwrap();
    verify(&path)
}

/// Column, what is done to it, the saga that has to be named, and words of what is told.
type Bend = (&'static str, &'static str, Option<&'static str>, &'static [&'static str]);

const BENDS: &[Bend] = &[
    (
        "saga.wake_at",
        "UPDATE saga SET wake_at = NULL WHERE name = 'open'",
        Some("open"),
        &["not in the wake-up index", "wake_at = 0"],
    ),
    ("saga.wake_at", "UPDATE saga SET wake_at = 7 WHERE name = 'done'", Some("done"), &["`wake_at` (7)", "wake_at = NULL"]),
    ("saga.wake_at", "UPDATE saga SET wake_at = -7 WHERE name = 'open'", None, &["negative `wake_at`"]),
    ("saga.standing", "UPDATE saga SET standing = 'completed' WHERE name = 'open'", Some("open"), &["`completed`", "`acting`"]),
    (
        "saga.standing",
        "UPDATE saga SET standing = 'cancelled' WHERE name = 'done'",
        Some("done"),
        &["`cancelled`", "`completed`"],
    ),
    ("saga.standing", "UPDATE saga SET standing = 'gone' WHERE name = 'back'", Some("back"), &["`gone`", "`cancelled`"]),
    ("saga.tries", "UPDATE saga SET tries = 3 WHERE name = 'done'", Some("done"), &["`tries` (3)"]),
    ("saga.tries", "UPDATE saga SET tries = -1 WHERE name = 'open'", Some("open"), &["`saga`"]),
    ("saga.why", "UPDATE saga SET why = 'a reason' WHERE name = 'open'", Some("open"), &["`why`", "why = NULL"]),
    ("saga.why", "UPDATE saga SET why = NULL WHERE name = 'aside'", Some("aside"), &["`suspended`", "`acting`"]),
    ("saga.created", "UPDATE saga SET created = created + 1 WHERE name = 'done'", Some("done"), &["`created`"]),
    ("saga.name", "UPDATE saga SET name = 'other' WHERE name = 'done'", Some("other"), &["its order done", "every key"]),
    ("saga.name", "UPDATE saga SET name = 'a b' WHERE name = 'done'", Some("a b"), &["no order can be called"]),
    ("saga.id", "UPDATE saga SET id = 99 WHERE name = 'done'", None, &["`journal`", "number 1"]),
    ("saga.id", "UPDATE saga SET id = -4 WHERE name = 'done'", None, &["below 1"]),
    ("placed.saga", "UPDATE placed SET saga = 99 WHERE saga = 1", None, &["`placed`", "number 99"]),
    ("placed.saga", "DELETE FROM placed WHERE saga = 1", Some("done"), &["`placed` is missing"]),
    ("placed.flow", "UPDATE placed SET flow = zeroblob(32) WHERE saga = 1", Some("done"), &["digest differs"]),
    ("placed.version", "UPDATE placed SET version = 1 WHERE saga = 1", Some("done"), &["digest differs"]),
    ("placed.input", "UPDATE placed SET input = x'00' WHERE saga = 1", Some("done"), &["digest differs"]),
    ("placed.bodies", "UPDATE placed SET bodies = x'00' WHERE saga = 1", Some("done"), &["digest differs"]),
    ("placed.digest", "UPDATE placed SET digest = zeroblob(8) WHERE saga = 1", Some("done"), &["digest differs"]),
    ("journal.saga", "UPDATE journal SET saga = 99 WHERE saga = 1 AND seq = 2", None, &["`journal`", "1 row", "number 99"]),
    ("journal.saga", "DELETE FROM saga WHERE name = 'done'", None, &["`journal`", "number 1", "a journal without its saga"]),
    ("journal.seq", "UPDATE journal SET seq = 9 WHERE saga = 1 AND seq = 2", Some("done"), &["2"]),
    ("journal.seq", "DELETE FROM journal WHERE saga = 1", Some("done"), &["no journal"]),
    ("journal.seq", "DELETE FROM journal WHERE saga = 1 AND seq = 3", Some("done"), &["`completed`"]),
    ("journal.input", "UPDATE journal SET input = '{}' WHERE saga = 1 AND seq = 2", Some("done"), &["2"]),
    ("journal.digest", "UPDATE journal SET digest = zeroblob(8) WHERE saga = 1 AND seq = 2", Some("done"), &["2"]),
    ("request.saga", "UPDATE request SET saga = 99 WHERE saga = 1", None, &["`request`", "number 99"]),
    ("request.key_hash", "UPDATE request SET key_hash = x'00' WHERE saga = 1", None, &["`key_hash`"]),
    ("try.saga", "UPDATE try SET saga = 99 WHERE saga = 3", None, &["`try`", "number 99"]),
    ("try.slot", "UPDATE try SET slot = 63 WHERE nth = 1", None, &["slot"]),
    ("try.nth", "UPDATE try SET nth = nth + 1 WHERE nth = 1", None, &["slot"]),
    ("try.step", "UPDATE try SET step = 7 WHERE saga = 3", Some("open"), &["no step 7"]),
    ("try.operation", "UPDATE try SET operation = 'x' WHERE saga = 3", Some("open"), &["not an operation"]),
    ("flow.text", "UPDATE flow SET text = text || ' '", None, &["hash differs"]),
    ("flow.hash", "UPDATE flow SET hash = zeroblob(32)", None, &["hash differs"]),
    ("meta.name", "DELETE FROM meta WHERE name = 'store_id'", None, &["no `store_id`", "backup"]),
    ("meta.value", "UPDATE meta SET value = 'UPPER' WHERE name = 'store_id'", None, &["cannot be \"UPPER\""]),
    ("meta.value", "UPDATE meta SET value = 'noon' WHERE name = 'clock'", None, &["`clock`"]),
    ("meta.value", "INSERT INTO meta VALUES ('backup', 'x')", None, &["`backup`"]),
    ("meta.value", "INSERT OR REPLACE INTO meta VALUES ('at_hand', '{')", None, &["`at_hand`"]),
    ("counted.sagas", "UPDATE counted SET sagas = 9 WHERE standing = 'acting'", None, &["`counted`", "DELETE FROM counted"]),
    ("counted.standing", "UPDATE counted SET standing = 'x' WHERE standing = 'acting'", None, &["`counted`"]),
    ("adopted.saga", "INSERT INTO adopted VALUES (99, 1, x'00', 1, 0, 1, 'a', 'b')", None, &["`adopted`", "number 99"]),
    ("adopted.nth", "INSERT INTO adopted SELECT 3, 2, hash, 1, 0, 1, 'a', 'b' FROM flow", None, &["`adopted`", "`nth`"]),
    ("adopted.seq", "INSERT INTO adopted SELECT 3, 1, hash, 99, 0, 1, 'a', 'b' FROM flow", Some("open"), &["entry 99"]),
    ("adopted.flow", "INSERT INTO adopted VALUES (3, 1, zeroblob(32), 1, 0, 1, 'a', 'b')", Some("open"), &["`flow` is missing"]),
    ("participant.seq", "INSERT INTO participant VALUES ('p', 'i', -1)", None, &["`participant`"]),
    ("offered.seq", "INSERT INTO offered VALUES ('p', 'i', -1, 1)", None, &["`offered`"]),
    ("accepted.seq", "INSERT INTO accepted VALUES ('p', 1, 'i', 'j', -1, 1, 'a', 'b')", None, &["`accepted`"]),
    ("accepted.nth", "INSERT INTO accepted VALUES ('p', 2, 'i', 'j', 1, 1, 'a', 'b')", None, &["`accepted`", "`nth`"]),
    ("sqlite_schema", "DROP INDEX saga_wake_at", None, &["index `saga_wake_at` is missing"]),
    ("sqlite_schema", "DROP TRIGGER saga_stands", None, &["trigger `saga_stands` is missing"]),
    (
        "sqlite_schema",
        "CREATE TRIGGER mine AFTER INSERT ON saga BEGIN DELETE FROM try; END",
        None,
        &["trigger `mine`", "DROP TRIGGER"],
    ),
];

/// What stands in these says something that nothing else in the file tells.
const UNTOLD: &[&str] = &[
    "journal.at",
    "try.number",
    "try.sent",
    "try.ended",
    "try.seen",
    "adopted.same_books",
    "adopted.at",
    "adopted.by",
    "adopted.why",
    "participant.base",
    "participant.incarnation",
    "offered.base",
    "offered.incarnation",
    "offered.at",
    "accepted.base",
    "accepted.incarnation",
    "accepted.former",
    "accepted.at",
    "accepted.by",
    "accepted.why",
    "seen.incarnation",
    "seen.key",
    "seen.seq",
    "seen.mark",
    "seen.opening",
];

#[test]
fn whatever_is_bent_is_named_with_its_saga_and_what_to_do() {
    let (_folder, path) = filled();
    let whole = verify(&path);
    assert!(whole.holds() && whole.sagas == 4, "{whole:?}");
    for (column, sql, saga, words) in BENDS {
        let found = bent(&path, sql);
        let is_it = |damage: &&upkeep::Damage| {
            let told = format!("{}; {}", damage.what, damage.cure);
            damage.saga.as_deref() == *saga && words.iter().all(|word| told.contains(word))
        };
        let named = found.findings.iter().find(is_it);
        assert!(named.is_some_and(|damage| !damage.cure.is_empty()), "{column}: {sql}: {:#?}", found.findings);
    }
}

#[test]
fn every_column_is_bent_or_known_to_say_what_nothing_else_tells() {
    let (_folder, path) = filled();
    let sql = "SELECT m.name || '.' || c.name FROM sqlite_schema AS m JOIN pragma_table_info(m.name) AS c \
               WHERE m.type = 'table' AND m.name NOT LIKE 'refinery%'";
    let connection = Connection::open(&path).unwrap();
    let columns: BTreeSet<String> =
        connection.prepare(sql).unwrap().query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap();
    let bent = BENDS.iter().map(|(column, ..)| *column).filter(|column| column.contains('.'));
    let looked_at: BTreeSet<String> = bent.chain(UNTOLD.iter().copied()).map(str::to_owned).collect();
    assert_eq!(looked_at, columns);
}

/// The cure that is told for a row is one.
#[test]
fn what_is_told_to_do_about_a_row_mends_it() {
    let (_folder, path) = filled();
    for sql in [
        "UPDATE saga SET wake_at = NULL WHERE name = 'open'",
        "UPDATE saga SET standing = 'completed', wake_at = NULL, tries = 7 WHERE name = 'open'",
        "UPDATE saga SET standing = 'acting', wake_at = 1 WHERE name = 'done'",
        "UPDATE saga SET why = NULL WHERE name = 'aside'",
        "UPDATE saga SET created = 1 WHERE name = 'back'",
        "UPDATE counted SET sagas = 9 WHERE standing = 'acting'",
    ] {
        let found = bent(&path, sql);
        let cures: Vec<&str> =
            found.findings.iter().filter_map(|damage| damage.cure.split_once("do: ")).map(|(_, sql)| sql).collect();
        assert!(!cures.is_empty(), "{sql}: {found:?}");
        let mended = bent(&path, &format!("{sql}; {}", cures.join("; ")));
        assert!(mended.holds(), "{sql}: {mended:?}");
    }
}

#[test]
fn a_store_that_lost_its_name_draws_no_other_one() {
    let (_folder, path) = filled();
    Connection::open(&path).unwrap().execute("DELETE FROM meta WHERE name = 'store_id'", []).unwrap();
    for error in [SqliteStore::open(&path).map(drop).unwrap_err(), SqliteStore::open_to_read(&path).map(drop).unwrap_err()] {
        assert!(error.to_string().contains("no `store_id`") && error.to_string().contains("damaged"), "{error}");
    }
    let ids: i64 = Connection::open(&path)
        .unwrap()
        .query_row("SELECT count(*) FROM meta WHERE name = 'store_id'", [], |row| row.get(0))
        .unwrap();
    assert_eq!(ids, 0, "nothing was written");
}

#[test]
fn a_file_that_was_cut_off_is_damage_and_no_wrong_usage() {
    let (_folder, path) = filled();
    let whole = std::fs::read(&path).unwrap();
    assert!(whole.len() > 3 * 4096);
    for bytes in [40, 100, 511, 512, 1000, 4096, 5000, 8192, whole.len() / 2, whole.len() - 4096, whole.len() - 1] {
        let folder = tempfile::tempdir().unwrap();
        let cut = folder.path().join("cut.db");
        std::fs::write(&cut, &whole[..bytes]).unwrap();
        let found = verify(&cut);
        assert!(!found.holds(), "{bytes} bytes: {found:?}");
    }
}

/// Only what was to be written is unknown afterwards.
#[test]
fn what_cannot_be_read_is_not_said_to_be_written_perhaps() {
    let (_folder, path) = filled();
    let connection = Connection::open(&path).unwrap();
    let page: i64 =
        connection.query_row("SELECT rootpage FROM sqlite_schema WHERE name = 'journal'", [], |row| row.get(0)).unwrap();
    let size: i64 = connection.query_row("PRAGMA page_size", [], |row| row.get(0)).unwrap();
    drop(connection);
    let mut bytes = std::fs::read(&path).unwrap();
    let at = usize::try_from((page - 1) * size).unwrap();
    bytes[at..at + 64].fill(0xff);
    std::fs::write(&path, bytes).unwrap();
    let store = SqliteStore::open(&path).unwrap();
    let error = wait(store.load("open")).unwrap_err().to_string();
    assert!(error.contains("cannot be read") && !error.contains("whether the write happened"), "{error}");
    let found = verify(&path);
    assert!(found.findings.iter().any(|damage| damage.saga.as_deref() == Some("open")), "{found:?}");
    assert!(found.findings.iter().all(|damage| !damage.what.contains("write happened")), "{found:?}");
}
