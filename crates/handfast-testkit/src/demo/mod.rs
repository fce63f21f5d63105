//! The main job: orders through roads that capture messengers, while processes are killed, and the books counted.
//!
//! Two ways run side by side, each with its own coordinator, payment and dispatch service and roads (`camp`); the same
//! customers place the same orders (`orders`, `customers`), the roads do the same to the n-th messenger of each order, and
//! the same faults hit both at the same moments (`faults`). At the end `books` counts what the services have written.
//!
//! Every process is the program `handfast` itself, which the caller names; what happens is told to a [`Watcher`], and what it
//! came to is a [`Report`].

mod books;
mod camp;
mod child;
mod customers;
mod faults;
mod live;
mod nastiest;
mod orders;
mod place;
mod report;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};

use self::books::Books;
use self::camp::{Camp, Way};
use self::customers::Tracks;
use self::live::Live;
use self::orders::DemoOrder;
pub use self::place::{Place, recount};
pub use self::report::Report;
use handfast_machine::clock::Stopwatch;

/// What the demo is to do.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The program `handfast`, which is every process of the demo.
    pub program: PathBuf,
    /// How many orders to place.
    pub orders: u32,
    /// The probability that a messenger is captured.
    pub capture: f64,
    /// How many times a process is killed.
    pub kills: u32,
    /// Where the random choices start.
    pub seed: u64,
}

/// Is told how it goes.
pub trait Watcher: Sync {
    /// Something has happened.
    fn tell(&self, event: Event);
}

/// Something that has happened.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Event {
    /// The roads are cut.
    Cut,
    /// The roads are restored.
    Restored {
        /// So many orders are in doubt.
        in_doubt: u64,
    },
    /// A process was killed, and started again.
    Killed {
        /// Which one.
        victim: &'static str,
        /// The how manyeth kill it was.
        number: u32,
    },
    /// All orders have ended; late messengers are waited for.
    AllEnded,
    /// Not all orders have ended in the time that they had.
    NotAllEnded {
        /// That time.
        after: Duration,
    },
    /// How far it is; a few times a second.
    Progress(Progress),
}

/// How far it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Progress {
    /// So many of handfast's orders have ended.
    pub ended: u64,
    /// So many of the usual way's have.
    pub usual_way_ended: u64,
    /// So many are in doubt at handfast's coordinator.
    pub in_doubt: u64,
    /// So many messengers were captured on handfast's roads.
    pub captured: u64,
    /// So many processes were killed.
    pub kills: u32,
    /// The roads are cut.
    pub is_cut: bool,
}

/// What the demo came to.
#[derive(Debug)]
pub struct Ended {
    /// What the books say.
    pub report: Report,
    /// The order with the hardest time, if anything happened to any.
    pub nastiest: Option<Nastiest>,
}

/// Where the order with the hardest time can be looked at.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Nastiest {
    /// Its id.
    pub id: String,
    /// The store of its coordinator.
    pub store: String,
    /// The logs of its roads.
    pub roads: [PathBuf; 2],
}

/// Runs the whole of it in an empty directory. If the future is dropped, every process ends with it.
///
/// # Errors
/// Whatever kept it from being run.
pub async fn run(settings: &Settings, dir: &Path, watcher: &dyn Watcher) -> anyhow::Result<Ended> {
    let since = Stopwatch::start();
    let roads = camp::roads(settings.seed, settings.capture)?;
    let [to_payment, _] = &roads;
    let orders = Arc::new(orders::orders(settings.seed, settings.orders, to_payment));
    write_orders(dir, &orders)?;
    let free = child::free_addresses::<10>()?;
    let [one, two]: [[SocketAddr; 5]; 2] = [free[..5].try_into()?, free[5..].try_into()?];
    let ours = Camp::start(Way::Handfast, (&settings.program, dir), &roads, one);
    let usual = Camp::start(Way::UsualWay, (&settings.program, dir), &roads, two);
    let (ours, usual) = tokio::try_join!(ours, usual)?;
    let camps = [ours, usual];
    let live = Live::new(watcher);
    let tracks = [Arc::new(Tracks::new(orders.len())), Arc::new(Tracks::new(orders.len()))];
    drive(settings, &camps, &orders, &tracks, &live).await?;
    let roads = camps[0].road_stats().await?;
    for camp in &camps {
        camp.stop();
    }
    let [ours, usual] = [0, 1].map(|way| (camps[way].dir.as_path(), tracks[way].snapshot()));
    let report = Report {
        settings: settings.clone(),
        handfast: Books::read(ours.0, &orders, &ours.1)?,
        usual_way: Books::read(usual.0, &orders, &usual.1)?,
        tracks: ours.1,
        orders,
        roads,
        seen: live.seen(),
        took: since.elapsed(),
    };
    let roads = camps[0].road_logs();
    let store = camps[0].coordinator_store();
    let nastiest = nastiest::nastiest(&roads)?.map(|id| Nastiest { id, store, roads });
    Ok(Ended { report, nastiest })
}

/// Places all orders of both ways under all faults, and waits until everything has come to rest.
async fn drive(
    settings: &Settings,
    camps: &[Camp; 2],
    orders: &Arc<Vec<DemoOrder>>,
    tracks: &[Arc<Tracks>; 2],
    live: &Live<'_>,
) -> anyhow::Result<()> {
    let over = placing_time(settings);
    let plan = faults::plan(settings.seed, settings.kills, over);
    let longest = over + Duration::from_secs(120) + Duration::from_millis(20) * settings.orders;
    let [ours, usual] = [0, 1].map(|way| {
        let (orders, tracks) = (Arc::clone(orders), Arc::clone(&tracks[way]));
        customers::place_all(&camps[way].coordinator_url, orders, over, tracks)
    });
    let all = async {
        let faults = faults::commit(&plan, camps, |fault| live.fault(fault));
        let ends = async { tokio::try_join!(ours, usual, faults) };
        match tokio::time::timeout(longest, ends).await {
            Ok(ended) => {
                ended?;
                live.tell(Event::AllEnded);
                come_to_rest(camps).await
            }
            // The report names those that did not end.
            Err(_) => {
                live.tell(Event::NotAllEnded { after: longest });
                Ok(())
            }
        }
    };
    let watched = [&*tracks[0], &*tracks[1]];
    tokio::select! {
        ended = all => ended,
        // It only ends with an error.
        broken = live.watch(camps, &watched) => broken,
    }
}

/// How long customers keep placing orders: some 60 a second, more where there are many, and time for every kill.
fn placing_time(settings: &Settings) -> Duration {
    let orders = f64::from(settings.orders);
    let seconds = (orders / 60.0).min(20.0).max(orders / 120.0).max(4.0).max(f64::from(settings.kills) * 0.7);
    Duration::from_secs_f64(seconds)
}

/// Waits until no messenger is under way any more, late ones included.
async fn come_to_rest(camps: &[Camp; 2]) -> anyhow::Result<()> {
    for _ in 0..150 {
        let mut under_way = 0;
        for camp in camps {
            under_way += camp.road_stats().await?.iter().map(|road| road.under_way).sum::<u64>();
        }
        if under_way == 0 {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    bail!("messengers are still under way 30 s after the last order ended")
}

fn write_orders(dir: &Path, orders: &[DemoOrder]) -> anyhow::Result<()> {
    let lines: Vec<&str> = orders.iter().map(|order| order.body.as_str()).collect();
    let path = dir.join("orders.jsonl");
    std::fs::write(&path, lines.join("\n") + "\n").with_context(|| format!("cannot write {}", path.display()))
}
