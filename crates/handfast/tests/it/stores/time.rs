//! A store whose time a wrong clock has put ahead, and a person who puts it right.

use handfast::store::{ClockMark, ClockVerdict, NewSaga, SqliteStore, Store, Turns};
use handfast::upkeep::{self, AcceptTimeError};
use handfast::{Clock, Time};
use rusqlite::Connection;

use super::{entry, saga};

const YEAR_MS: u64 = 365 * 86_400_000;

#[tokio::test]
async fn a_person_lets_the_present_time_count_by_name_and_it_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shop.db");
    let url = format!("sqlite:{}", path.display());
    let store = SqliteStore::open(&path).unwrap();
    let ahead = Clock::system().now().after(YEAR_MS);
    let mark = |at: Time, boot: &str| ClockMark {
        at,
        wall: at,
        boot: boot.to_owned(),
        boot_ms: 1,
        process: boot.to_owned(),
        turns: Turns::default(),
    };
    assert_eq!(store.keep_time(mark(ahead, "elsewhere"), 1_000).await.unwrap().verdict, ClockVerdict::Agrees);
    let now = mark(Clock::system().now(), "here");
    assert!(matches!(store.keep_time(now.clone(), 1_000).await.unwrap().verdict, ClockVerdict::Behind { .. }));
    store.create(NewSaga { entries: vec![entry(1, ahead.0)], ..saga("order-1") }).await.unwrap();
    drop(store);

    let refused = upkeep::accept_time(&url, " ", "ntp was wrong", false).await;
    assert!(matches!(refused, Err(AcceptTimeError::Text { name: "by", .. })), "{refused:?}");
    // What its flow binds to times is not known here, so it may be anything.
    let refused = upkeep::accept_time(&url, "ada", "ntp was wrong", false).await;
    assert!(matches!(&refused, Err(AcceptTimeError::SagasAhead { number: 1, first }) if first == "order-1"), "{refused:?}");
    assert_eq!(upkeep::accept_time(&url, "ada", "ntp was wrong", true).await.unwrap(), ahead);
    let again = upkeep::accept_time(&url, "ada", "ntp was wrong", true).await;
    assert!(matches!(again, Err(AcceptTimeError::NotLater)), "{again:?}");

    let sql = "SELECT value FROM meta WHERE name LIKE 'clock accepted %'";
    let kept: String = Connection::open(&path).unwrap().query_row(sql, [], |row| row.get(0)).unwrap();
    assert!(kept.contains("ada") && kept.contains("ntp was wrong") && kept.contains(&ahead.0.to_string()), "{kept}");
    let store = SqliteStore::open(&path).unwrap();
    assert_eq!(store.keep_time(now, 10_000).await.unwrap().verdict, ClockVerdict::Agrees);
}
