//! The bank is killed with SIGKILL between the booking and the register's row, between the row and the commit, and after the commit,
//! 201 times: what is there afterwards is both or neither, and asking again books once.

#[path = "../../../xtask/fixtures/postgres.rs"]
mod postgres;

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use handfast::participant::{Delivery, InTransaction, KeyRow, Participant as _, Reply, Transactional};
use handfast::{Answer, Definite, Operation};
use sqlx::{PgPool, Transaction};
use stranger::{Bank, TABLES, bank};

const KILLS: usize = 201;

/// Where the bank is killed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Place {
    BeforeRow,
    AfterRow,
    /// After the first commit: one that commits booking and register apart is found with one of them.
    AfterCommit,
}

impl Place {
    const ALL: [Self; 3] = [Self::BeforeRow, Self::AfterRow, Self::AfterCommit];

    fn of(kill: usize) -> Self {
        Self::ALL[kill % Self::ALL.len()]
    }
}

/// The bank, which says where it is and waits there for its end.
struct Killed {
    bank: Bank,
    place: Place,
}

impl Killed {
    fn wait(&self, place: Place) {
        if self.place == place {
            println!("here");
            std::thread::park();
        }
    }
}

impl Transactional for Killed {
    type Transaction = Transaction<'static, sqlx::Postgres>;
    type Error = sqlx::Error;

    async fn begin(&self) -> Result<Self::Transaction, sqlx::Error> {
        self.bank.begin().await
    }
    async fn load(&self, transaction: &mut Self::Transaction, key: &str) -> Result<Option<KeyRow>, sqlx::Error> {
        self.bank.load(transaction, key).await
    }
    async fn save(&self, transaction: &mut Self::Transaction, key: &str, row: &KeyRow) -> Result<(), sqlx::Error> {
        self.wait(Place::BeforeRow);
        self.bank.save(transaction, key, row).await?;
        self.wait(Place::AfterRow);
        Ok(())
    }
    async fn act(&self, transaction: &mut Self::Transaction, key: &str, body: &[u8]) -> Result<bool, sqlx::Error> {
        self.bank.act(transaction, key, body).await
    }
    async fn undo(&self, transaction: &mut Self::Transaction, key: &str, body: &[u8]) -> Result<bool, sqlx::Error> {
        self.bank.undo(transaction, key, body).await
    }
    async fn commit(&self, transaction: Self::Transaction) -> Result<(), sqlx::Error> {
        self.bank.commit(transaction).await?;
        self.wait(Place::AfterCommit);
        Ok(())
    }
}

async fn act(bank: &InTransaction<impl Transactional>, key: &str) -> Reply {
    let (body, body_hash, seen) = ("450".into(), "of 450", None);
    let (operation, is_about_undo, number) = (Operation::Act, false, 1);
    let (not_after, leaves_before) = (None, None);
    bank.deliver(Delivery { key, operation, is_about_undo, body: &body, body_hash, number, seen, not_after, leaves_before }).await
}

/// What the child does that is killed; the test starts itself again to be it.
async fn be_killed(url: &str, key: &str, kill: usize) {
    let pool = PgPool::connect(url).await.unwrap();
    let killed = Killed { bank: Bank(pool), place: Place::of(kill) };
    let reply = act(&InTransaction::new(killed), key).await;
    panic!("it was not killed: {reply:?}");
}

#[tokio::test]
async fn kills_make_no_difference() {
    if let (Ok(url), Ok(key), Ok(kill)) = (std::env::var("BANK_URL"), std::env::var("BANK_KEY"), std::env::var("BANK_KILL")) {
        return be_killed(&url, &key, kill.parse().unwrap()).await;
    }
    let database = postgres::Postgres::start("killed");
    let pool = PgPool::connect(&database.url()).await.unwrap();
    sqlx::raw_sql(TABLES).execute(&pool).await.unwrap();
    let own = bank(&pool);
    for kill in 0..KILLS {
        let key = format!("s.order-{kill}.payment");
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "kills_make_no_difference", "--nocapture"])
            .envs([("BANK_URL", database.url()), ("BANK_KEY", key.clone()), ("BANK_KILL", kill.to_string())])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let is_here = lines.map_while(Result::ok).any(|line| line.ends_with("here"));
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(is_here, "it came to its end before it was killed");
        let count = "SELECT (SELECT count(*) FROM booking WHERE key = $1), (SELECT count(*) FROM handfast_key WHERE key = $1)";
        let found: (i64, i64) = sqlx::query_as(count).bind(&key).fetch_one(&pool).await.unwrap();
        let expected = if Place::of(kill) == Place::AfterCommit { (1, 1) } else { (0, 0) };
        assert_eq!(found, expected, "{key}, {:?}: what was not committed is not there, and what was is there whole", Place::of(kill));
        // Whoever asks again waits for the transaction of the dead to be taken back, and books once.
        for _ in 0..2 {
            let reply = act(&own, &key).await;
            assert!(matches!(reply, Reply::Definite { answer: Answer::State(Definite::Done), .. }), "{key}: {reply:?}");
        }
        let found: (i64, i64) = sqlx::query_as(count).bind(&key).fetch_one(&pool).await.unwrap();
        assert_eq!(found, (1, 1), "{key}");
    }
}
