//! Two banks and a transfer: the money leaves one bank and arrives at the other, or it stays; it is never lost or doubled.
//!
//! `cargo run -p handfast --example two_banks`
//!
//! The withdrawal is compensatable: it may be refused, and it can be undone, by paying the money back. The deposit is the
//! pivot: it may be refused too, since the account may be closed, and it cannot be undone, since whoever got the money may
//! have spent it. So the money leaves first and arrives last. Were it the other way round, a bank would have to take back
//! money that is spent; were both irrevocable, the two banks would be two generals.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::Write;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use handfast::participant::{Delivery, InMemory, Participant, Reply};
use handfast::store::{BoxFuture, MemoryStore};
use handfast::{Effect, Engine, Flow, Options, Order, Outcome};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde::{Deserialize, Serialize};

const TRANSFERS: u64 = 300;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    print!("{}", report().await?);
    Ok(())
}

/// What is sent to either bank: whose account, and how much.
#[derive(Serialize, Deserialize)]
struct Booking {
    account: String,
    cents: i64,
}

/// The accounts of a bank.
type Books = Arc<Mutex<BTreeMap<String, i64>>>;

/// Books `sign` times the amount when it acts, and the opposite when it undoes. Refused where there is no such account, or
/// not enough in it.
fn book(books: &Books, sign: i64) -> InMemory {
    let books = Arc::clone(books);
    InMemory::new(move |effect, body| {
        let Ok(Booking { account, cents }) = serde_json::from_slice(body) else { return false };
        let mut books = books.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(balance) = books.get_mut(&account) else { return false };
        let change = match effect {
            Effect::Act => sign * cents,
            Effect::Undo => -sign * cents,
        };
        let covered = *balance + change >= 0;
        if covered {
            *balance += change;
        }
        covered
    })
}

/// The road to a bank. Of ten requests three are lost, two arrive much later, and two are answered in vain.
struct Road {
    bank: Arc<InMemory>,
    luck: Mutex<StdRng>,
}

impl Participant for Road {
    fn deliver<'a>(&'a self, request: Delivery<'a>) -> BoxFuture<'a, Reply> {
        let luck: u32 = self.luck.lock().unwrap_or_else(PoisonError::into_inner).random_range(0..10);
        Box::pin(async move {
            match luck {
                0..3 => Reply::unknown("the request is lost"),
                3..5 => {
                    let bank = Arc::clone(&self.bank);
                    let (key, body, body_hash) = (request.key.to_owned(), request.body.clone(), request.body_hash.to_owned());
                    let (operation, number) = (request.operation, request.number);
                    tokio::spawn(async move {
                        tokio::time::sleep(Duration::from_millis(100)).await;
                        let (key, body, body_hash) = (&*key, &body, &*body_hash);
                        let (seen, not_after, leaves_before, is_about_undo) = (None, None, None, false);
                        let late =
                            Delivery { key, operation, body, body_hash, number, seen, not_after, leaves_before, is_about_undo };
                        let _nobody_hears = bank.receive(late, false);
                    });
                    Reply::unknown("the request is on the road for long")
                }
                5..7 => {
                    let _captured = self.bank.receive(request, false);
                    Reply::unknown("the answer is lost")
                }
                _ => self.bank.receive(request, false),
            }
        })
    }
}

pub(crate) async fn report() -> Result<String, Box<dyn Error>> {
    let open = |accounts: [(&str, i64); 2]| Books::new(Mutex::new(accounts.map(|(name, cents)| (name.to_owned(), cents)).into()));
    let (north, south) = (open([("ada", 100_000), ("ben", 20_000)]), open([("cleo", 0), ("dan", 50_000)]));
    let accounts = |books: &Books| books.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let total = |books: &Books| accounts(books).values().sum::<i64>();
    let before = total(&north) + total(&south);

    let flow = Flow::builder("transfer")
        .compensatable("withdraw", "north")
        .deadline(Duration::from_millis(500))
        .pivot("deposit", "south")
        .deadline(Duration::from_millis(500))
        .build()?;
    let road = |bank, seed| Road { bank: Arc::new(bank), luck: Mutex::new(StdRng::seed_from_u64(seed)) };
    let engine = Engine::builder(Arc::new(MemoryStore::new()))
        .flow(flow)
        .participant("north", road(book(&north, -1), 1))
        .participant("south", road(book(&south, 1), 2))
        .options(Options::default().with_retry_cap(Duration::from_millis(10)))
        .open()
        .await?;

    let mut transfers = Vec::new();
    for number in 0..TRANSFERS {
        // Ben runs out of money at some point, and Eve has no account at all.
        let (from, to) = (["ada", "ben"][usize::from(number % 2 == 0)], ["cleo", "dan", "eve"][usize::try_from(number % 3)?]);
        let booking = |account: &str| serde_json::to_vec(&Booking { account: account.to_owned(), cents: 500 });
        let order = Order::new(format!("transfer-{number}"), format!("{from} to {to}"));
        let order = order.body("withdraw", booking(from)?).body("deposit", booking(to)?);
        transfers.push(engine.submit(order).await?);
    }
    let (mut moved, mut stayed) = (0, 0);
    for transfer in &mut transfers {
        match transfer.outcome().await? {
            Outcome::Completed => moved += 1,
            Outcome::Cancelled | Outcome::Settled => stayed += 1,
        }
    }
    // What is still on the road arrives now, and is refused.
    tokio::time::sleep(Duration::from_millis(200)).await;

    let mut report = String::new();
    writeln!(report, "{moved} of {TRANSFERS} transfers arrived, and the money of {stayed} stayed where it was")?;
    writeln!(report, "north {:?}\nsouth {:?}", accounts(&north), accounts(&south))?;
    writeln!(report, "before {before}, after {}; moved {}", total(&north) + total(&south), 500 * moved)?;
    Ok(report)
}
