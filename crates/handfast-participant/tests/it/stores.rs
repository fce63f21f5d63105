//! Files: our own come back as they were, anybody else's are left as they are.

use std::collections::BTreeMap;
use std::path::Path;

use handfast_participant::dispatch::{self, Stock};
use handfast_participant::{BodyHash, OpenError, Settings, payment};
use rusqlite::Connection;

use crate::support::{JSON, Subject, VISA};

/// What a folder holds. An empty log and the index beside it are SQLite's way of reading, and hold nothing.
fn contents(folder: &Path) -> BTreeMap<String, BodyHash> {
    let mut contents = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        let bytes = std::fs::read(entry.path()).unwrap();
        let nothing = name.ends_with("-shm") || (name.ends_with("-wal") && bytes.is_empty());
        if !nothing {
            contents.insert(name, BodyHash::of(&bytes));
        }
    }
    contents
}

fn check_refused(path: &Path, expected: &str) {
    let folder = path.parent().unwrap();
    let before = contents(folder);
    let error = payment::open(path, Settings::default()).err().expect("the file is not ours");
    let message = error.to_string().replace(&folder.display().to_string(), "FOLDER");
    assert_eq!(message, expected);
    assert_eq!(contents(folder), before, "untouched");
}

#[test]
fn somebody_elses_files_are_refused_untouched() {
    let folder = tempfile::tempdir().unwrap();
    let foreign =
        |name: &str| format!("FOLDER/{name} is not a store of a handfast participant; it was left untouched: name another file");
    let text = folder.path().join("notes.txt");
    std::fs::write(&text, "not a database, and short").unwrap();
    check_refused(&text, &foreign("notes.txt"));

    let other = folder.path().join("other.db");
    let connection = Connection::open(&other).unwrap();
    connection.execute_batch("PRAGMA journal_mode = WAL; CREATE TABLE mine (x); INSERT INTO mine VALUES (1)").unwrap();
    // While it is open its log is not moved into the file, and must not be by us.
    check_refused(&other, &foreign("other.db"));
    drop(connection);

    let error = payment::open(folder.path(), Settings::default()).err().expect("a folder is no store");
    assert!(matches!(error, OpenError::Unusable { .. }), "{error}");
    let nowhere = folder.path().join("no/such/folder/payment.db");
    let error = payment::open(&nowhere, Settings::default()).err().expect("there is no such folder");
    assert!(error.to_string().contains("no/such/folder/payment.db"), "{error}");
}

#[tokio::test]
async fn another_services_store_and_a_newer_one_are_refused_untouched() {
    let folder = tempfile::tempdir().unwrap();
    let shipping = folder.path().join("dispatch.db");
    let registers = dispatch::open(&shipping, Stock::default(), Settings::default()).unwrap();
    registers.stop().await;
    drop(registers);
    check_refused(
        &shipping,
        "FOLDER/dispatch.db is the store of the service `dispatch`, not of `payment`; it was left untouched: name another file",
    );
    std::fs::remove_file(&shipping).unwrap();

    for (table, known) in [("schema_register", 2), ("schema_service", 3)] {
        let newer = folder.path().join(format!("{table}.db"));
        let registers = payment::open(&newer, Settings::default()).unwrap();
        registers.stop().await;
        drop(registers);
        let insert = format!("INSERT INTO {table} SELECT 9, name, applied_on, checksum FROM {table} WHERE version = 1");
        let connection = Connection::open(&newer).unwrap();
        assert_eq!(connection.execute(&insert, []).unwrap(), 1);
        drop(connection);
        check_refused(
            &newer,
            &format!(
                "FOLDER/{table}.db was written by a newer version (its schema is 9, this version knows {known}); it was left \
                 untouched: use that version"
            ),
        );
        std::fs::remove_file(&newer).unwrap();
    }
}

#[tokio::test]
async fn a_store_comes_back_as_it_was() {
    let subject = Subject::payment();
    let done = subject.act("a", VISA).await.body;
    let closed = subject.close("b").await.body;
    subject.registers.stop().await;
    let path = subject.path();
    let _folder = subject.into_folder();
    for _ in 0..2 {
        let again = Subject::made("unused", |_, settings| payment::open(&path, settings).unwrap(), payment::router);
        let without_opening = |mut receipt: serde_json::Value| {
            assert!(receipt["opening"].take().is_string(), "each opening draws its own");
            receipt
        };
        let again_done = without_opening(again.act("a", VISA).await.body);
        assert_eq!(again_done, without_opening(done.clone()), "the incarnation, the numbers and the marks are kept");
        assert_eq!(without_opening(again.peek("b").await.body), without_opening(closed.clone()));
        again.registers.stop().await;
    }
}

#[test]
fn a_file_whose_making_was_interrupted_is_made_anew() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("payment.db");
    let connection = Connection::open(&path).unwrap();
    connection.pragma_update(None, "application_id", i32::from_be_bytes(*b"HFpa")).unwrap();
    drop(connection);
    assert!(payment::open(&path, Settings::default()).is_ok());
    let empty = folder.path().join("empty.db");
    std::fs::write(&empty, b"").unwrap();
    assert!(payment::open(&empty, Settings::default()).is_ok());
}

/// Lets something happen to the files of a store, after which no answer counts.
async fn check_gone(happens: impl FnOnce(&Path)) {
    let subject = Subject::payment();
    assert_eq!(subject.act("a", VISA).await.state(), "done");
    let path = subject.path();
    happens(&path);
    for _again in 0..2 {
        let answers = [subject.act("a", VISA).await.status, subject.act("b", VISA).await.status, subject.peek("a").await.status];
        assert!(answers.iter().all(|status| status.is_server_error()), "{answers:?}");
        assert!(subject.registers.position().await.is_err(), "it is not ready");
    }
    subject.registers.stop().await;
}

#[tokio::test]
async fn a_store_that_was_removed_or_replaced_gives_no_answer() {
    check_gone(|path| std::fs::remove_file(path).unwrap()).await;
    check_gone(|path| std::fs::remove_file(format!("{}-wal", path.display())).unwrap()).await;
    check_gone(|path| {
        let copy = path.with_extension("copy");
        std::fs::copy(path, &copy).unwrap();
        std::fs::rename(copy, path).unwrap();
    })
    .await;
}

#[cfg(unix)]
#[tokio::test]
async fn a_store_is_for_its_owner_only_and_its_file_alone_says_who_it_is() {
    use std::os::unix::fs::PermissionsExt as _;
    let subject = Subject::payment();
    for ending in ["", "-wal", "-shm"] {
        let mode = std::fs::metadata(format!("{}{ending}", subject.path().display())).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{ending}");
    }
    let copy = subject.path().with_extension("copy");
    std::fs::copy(subject.path(), &copy).unwrap();
    let copied = payment::open(&copy, Settings::default()).unwrap().position().await.unwrap();
    assert_eq!(copied.incarnation, subject.registers.position().await.unwrap().incarnation);
}

#[tokio::test]
async fn a_restored_store_is_behind_until_it_is_declared_restored() {
    let subject = Subject::payment();
    subject.act("a", VISA).await;
    subject.registers.stop().await;
    let backup = tempfile::tempdir().unwrap();
    let copy = backup.path().join("payment.db");
    std::fs::copy(subject.path(), &copy).unwrap();
    let path = subject.path();
    let _folder = subject.into_folder();

    let ahead = Subject::made("unused", |_, settings| payment::open(&path, settings).unwrap(), payment::router);
    let last = ahead.act("b", VISA).await.body;
    let (incarnation, seq) = (last["incarnation"].as_str().unwrap(), last["seq"].as_u64().unwrap());
    let seen = format!("{incarnation}:{seq}");

    let restored = Subject::made("unused", |_, settings| payment::open(&copy, settings).unwrap(), payment::router);
    let act = async |seen: &str| {
        let path = restored.at("b");
        restored.send("PUT", &path, &[JSON, ("handfast-seen", seen)], VISA).await
    };
    assert_eq!(act(&seen).await.state(), "behind", "or the customer would be charged twice");
    assert_eq!(restored.audit().await["charges"], 1);

    let new = restored.registers.declare_restored().await.unwrap();
    assert_ne!(new.as_str(), incarnation);
    assert_eq!(act(&seen).await.state(), "behind", "whoever has seen the former life is told for ever");
    assert_eq!(act(&format!("{new}:{}", seq - 1)).await.status, 200);
    let receipt = restored.peek("a").await.body;
    assert_eq!((&receipt["incarnation"], &receipt["seq"]), (&new.as_str().into(), &1.into()));
}

#[tokio::test]
async fn a_restored_store_is_behind_for_whoever_saw_more_even_after_others_have_lifted_its_number() {
    let subject = Subject::payment();
    let first = subject.act("a", VISA).await.body;
    subject.registers.stop().await;
    let backup = tempfile::tempdir().unwrap();
    let copy = backup.path().join("payment.db");
    std::fs::copy(subject.path(), &copy).unwrap();
    let path = subject.path();
    let _folder = subject.into_folder();
    let named = |receipt: &serde_json::Value| {
        let text = |member: &str| receipt[member].as_str().unwrap().to_owned();
        let changes = format!("{}:{}:{}", text("key"), receipt["seq"], text("mark"));
        (format!("{}:{}", text("incarnation"), receipt["seq"]), changes)
    };

    let ahead = Subject::made("unused", |_, settings| payment::open(&path, settings).unwrap(), payment::router);
    let forgotten = named(&ahead.act("b", VISA).await.body);
    // Nobody declares the restore, and somebody who has seen less goes on.
    let restored = Subject::made("unused", |_, settings| payment::open(&copy, settings).unwrap(), payment::router);
    for key in ["x", "y", "b"] {
        assert_eq!(restored.act(key, VISA).await.status, 200);
    }
    let act = async |(seen, changes): &(String, String)| {
        let headers = [JSON, ("handfast-seen", seen.as_str()), ("handfast-seen-changes", changes.as_str())];
        restored.send("PUT", &restored.at("c"), &headers, VISA).await
    };
    assert_eq!(act(&forgotten).await.state(), "behind", "the number was lifted, and even the key is there again");
    assert_eq!(restored.peek("c").await.state(), "absent");
    let peeked = [("handfast-seen", forgotten.0.as_str()), ("handfast-seen-changes", forgotten.1.as_str())];
    assert_eq!(restored.send("GET", &restored.at("a"), &peeked, "").await.state(), "behind");
    assert_eq!(act(&named(&first)).await.status, 200, "whoever saw nothing of what was forgotten goes on");
}

#[tokio::test]
async fn an_honest_undo_leaves_what_was_seen_before_it() {
    let subject = Subject::payment();
    let done = subject.act("a", VISA).await.body;
    let undone = subject.undo("a").await.body;
    assert_ne!(done["mark"], undone["mark"]);
    assert_eq!(subject.peek("a").await.body["opening"], done["opening"]);
    for receipt in [done, undone] {
        let seen = format!("{}:{}", receipt["incarnation"].as_str().unwrap(), receipt["seq"]);
        let changes = format!("a:{}:{}", receipt["seq"], receipt["mark"].as_str().unwrap());
        let headers = [JSON, ("handfast-seen", seen.as_str()), ("handfast-seen-changes", changes.as_str())];
        assert_eq!(subject.send("PUT", &subject.at("b"), &headers, VISA).await.status, 200, "{changes}");
    }
}

#[tokio::test]
async fn a_store_of_before_the_marks_draws_them_when_it_is_opened() {
    let subject = Subject::payment();
    subject.act("a", VISA).await;
    subject.registers.stop().await;
    let path = subject.path();
    let _folder = subject.into_folder();
    let connection = Connection::open(&path).unwrap();
    let older = "ALTER TABLE register DROP COLUMN first_mark; ALTER TABLE register DROP COLUMN first_seq;
                 ALTER TABLE register DROP COLUMN mark; DELETE FROM schema_register WHERE version = 2;";
    connection.execute_batch(older).unwrap();
    drop(connection);
    let migrated = Subject::made("unused", |_, settings| payment::open(&path, settings).unwrap(), payment::router);
    let receipt = migrated.peek("a").await.body;
    assert_eq!((receipt["state"].as_str(), receipt["mark"].as_str().map(str::len)), (Some("done"), Some(32)), "{receipt}");
    assert_eq!(migrated.undo("a").await.state(), "undone");
}
