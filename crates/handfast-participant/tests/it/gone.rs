//! The store is the file: what was written over answers nothing, and a log is read with no other file than its own.

use std::path::{Path, PathBuf};

use handfast_participant::{NotDefinite, OpenError, Registers, Settings, payment};
use tempfile::TempDir;

use crate::support::{Subject, VISA};

/// A payment service that runs, after one life before this one, with a backup from in between.
struct Shop {
    subject: Subject,
    backup: Vec<u8>,
}

impl Shop {
    async fn open() -> Self {
        let first = Subject::payment();
        assert_eq!(first.act("k-1", VISA).await.status, 200);
        first.registers.stop().await;
        let backup = std::fs::read(first.path()).unwrap();
        let (path, folder) = (first.path(), first.into_folder());
        let subject = Subject::made("payment.db", |_, settings| payment::open(&path, settings).unwrap(), payment::router);
        // For as long as the service runs, and to the end of the process that the test is.
        let _kept = folder.keep();
        assert_eq!(subject.act("k-2", VISA).await.status, 200);
        assert_eq!(subject.act("k-3", VISA).await.status, 200);
        Self { subject, backup }
    }

    fn path(&self) -> PathBuf {
        self.subject.path()
    }
}

impl Drop for Shop {
    fn drop(&mut self) {
        if let Some(folder) = self.path().parent() {
            // What is left is the system's to tidy up.
            drop(std::fs::remove_dir_all(folder));
        }
    }
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut part = path.as_os_str().to_owned();
    part.push(ending);
    PathBuf::from(part)
}

async fn is_broken(registers: &Registers) -> bool {
    matches!(registers.position().await, Err(NotDefinite::Broken(_)))
}

/// `cp backup payment.db` keeps the inode, and what is in the file is another history.
#[tokio::test]
async fn a_backup_that_is_copied_over_a_running_store_is_noticed_before_anything_is_answered() {
    let shop = Shop::open().await;
    assert!(!is_broken(&shop.subject.registers).await);
    std::fs::write(shop.path(), &shop.backup).unwrap();
    for answer in [shop.subject.peek("k-1").await, shop.subject.act("k-4", VISA).await, shop.subject.act("k-2", VISA).await] {
        assert_eq!(answer.status, 503, "{answer:?}");
    }
    assert!(is_broken(&shop.subject.registers).await);
    shop.subject.registers.stop().await;
    assert_eq!(std::fs::read(shop.path()).unwrap(), shop.backup, "what lies there is left as it is");
}

/// What a crash leaves: the file, and a log with what is not in it yet. Either comes back without the other, or with another.
fn crashed(shop: &Shop, file: Option<&[u8]>) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("payment.db");
    std::fs::copy(beside(&shop.path(), "-wal"), beside(&path, "-wal")).unwrap();
    if let Some(file) = file {
        std::fs::write(&path, file).unwrap();
    }
    (folder, path)
}

#[tokio::test]
async fn a_log_is_read_with_no_other_file_than_its_own() {
    let shop = Shop::open().await;
    let own = std::fs::read(shop.path()).unwrap();
    for (file, says) in [(Some(&*shop.backup), "an older copy"), (None, "its log"), (Some(&[][..]), "its log")] {
        let (_folder, path) = crashed(&shop, file);
        let log = std::fs::read(beside(&path, "-wal")).unwrap();
        let error = payment::open(&path, Settings::default()).err().expect("it is refused");
        assert!(matches!(error, OpenError::OtherLog { .. }) && error.to_string().contains(says), "{error}");
        assert_eq!(std::fs::read(beside(&path, "-wal")).unwrap(), log, "untouched");
        assert_eq!(std::fs::read(&path).ok().as_deref(), file, "untouched");
    }
    let (_folder, path) = crashed(&shop, Some(&own));
    let registers = payment::open(&path, Settings::default()).unwrap();
    assert_eq!(registers.position().await.unwrap().seq, 3, "its own file and its log are one store");
}
