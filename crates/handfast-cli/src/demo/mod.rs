//! The main job: orders through roads that capture messengers, while processes are killed, and the books counted.
//!
//! Two ways run side by side, each with its own coordinator, payment and dispatch service and roads ([`camp`]); the same
//! customers place the same orders ([`orders`], [`customers`]), the roads do the same to the n-th messenger of each order, and
//! the same faults hit both at the same moments ([`faults`]). At the end [`books`] counts what the services have written.

mod books;
mod camp;
mod child;
mod customers;
mod faults;
mod live;
mod nastiest;
mod orders;
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
use self::report::Report;
use crate::clock::Stopwatch;
use crate::commands::show;
use crate::output::{Exit, OrExit as _, Output};
use crate::signals;

pub(crate) use child::end_with_parent;

/// What the demo is to do.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) orders: u32,
    pub(crate) capture: f64,
    pub(crate) kills: u32,
    pub(crate) seed: u64,
    pub(crate) keep: Option<PathBuf>,
}

/// Runs the whole of it.
///
/// # Errors
/// Whatever kept it from being run. What it found is told by the exit code.
pub(crate) async fn run(settings: &Settings, output: &Output) -> anyhow::Result<Exit> {
    let place = Place::new(settings.keep.as_deref()).or_exit(Exit::Usage)?;
    let mut stop = signals::on_signal()?;
    let ended = tokio::select! {
        ended = run_in(place.path(), settings, output) => ended,
        // The children end with the future that holds them, and a directory that was not asked for goes.
        () = signals::stopped(&mut stop) => bail!("stopped before its end"),
    };
    if !matches!(ended, Ok(Exit::Done)) {
        place.keep_for_inspection(output);
    }
    ended
}

async fn run_in(dir: &Path, settings: &Settings, output: &Output) -> anyhow::Result<Exit> {
    let since = Stopwatch::start();
    let roads = camp::roads(settings.seed, settings.capture)?;
    let [to_payment, _] = &roads;
    let orders = Arc::new(orders::orders(settings.seed, settings.orders, to_payment));
    write_orders(dir, &orders)?;
    output.note(format_args!(
        "{} orders, {:.0} % of the messengers captured, {} kills, seed {}; books and logs in {}",
        settings.orders,
        settings.capture * 100.0,
        settings.kills,
        settings.seed,
        dir.display()
    ));
    let free = child::free_addresses::<10>()?;
    let [one, two]: [[SocketAddr; 5]; 2] = [free[..5].try_into()?, free[5..].try_into()?];
    let ours = Camp::start(Way::Handfast, dir, &roads, one);
    let usual = Camp::start(Way::UsualWay, dir, &roads, two);
    let (ours, usual) = tokio::try_join!(ours, usual)?;
    let camps = [ours, usual];
    let live = Live::new(output, u64::from(settings.orders), settings.kills);
    let tracks = [Arc::new(Tracks::new(orders.len())), Arc::new(Tracks::new(orders.len()))];
    let driven = drive(settings, &camps, &orders, &tracks, &live).await;
    live.clear();
    driven?;
    let roads = camps[0].road_stats().await?;
    for camp in &camps {
        camp.stop();
    }
    let [ours, usual] = [0, 1].map(|way| (camps[way].dir.as_path(), tracks[way].snapshot()));
    let report = Report {
        settings,
        orders: &orders,
        tracks: &ours.1,
        handfast: Books::read(ours.0, &orders, &ours.1)?,
        usual_way: Books::read(usual.0, &orders, &usual.1)?,
        roads,
        seen: live.seen(),
        took: since.elapsed(),
    };
    let picture = if output.wants_json() { None } else { picture(&camps[0]).await? };
    publish(&report, dir, picture, output)
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
                live.say("all orders have ended; waiting for the last late messengers");
                come_to_rest(camps).await
            }
            // The report names those that did not end.
            Err(_) => {
                live.say(&format!("not all orders have ended after {} s", longest.as_secs()));
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

/// The picture of the nastiest order of the run.
async fn picture(camp: &Camp) -> anyhow::Result<Option<String>> {
    let logs = camp.road_logs();
    let Some(id) = nastiest::nastiest(&logs)? else { return Ok(None) };
    let told = show::read(&camp.coordinator_store(), &id, &logs).await?;
    Ok(Some(format!("the nastiest order of the run, {id}:\n\n{}", show::text(&told, false).trim_end())))
}

/// Prints the result, and decides how the demo ends.
fn publish(report: &Report<'_>, dir: &Path, picture: Option<String>, output: &Output) -> anyhow::Result<Exit> {
    if output.wants_json() {
        output.json_line(&report.json())?;
        if report.settings.keep.is_some() {
            // Standard output is one value of JSON, and the queries are promised all the same.
            output.note(recount(dir));
        }
    } else {
        output.line(report.text())?;
        if let Some(picture) = picture {
            output.line(picture)?;
        }
        if report.settings.keep.is_some() {
            output.line(recount(dir))?;
        }
    }
    let violations = report.violations();
    let (absent, switched_off) = report.hazards();
    if !switched_off.is_empty() {
        let why = if report.has_few_orders() { "with so few orders these" } else { "these" };
        output.note(format_args!("{why} did not occur: {}", switched_off.join(", ")));
    }
    for violation in &violations {
        output.complain(format_args!("{violation}; the books are in {}", dir.display()));
    }
    for what in &absent {
        output.complain(format_args!("{what} never occurred, so this run shows too little; try another --seed or more --orders"));
    }
    Ok(if violations.is_empty() && absent.is_empty() { Exit::Done } else { Exit::Error })
}

/// How anybody recomputes the table with the `sqlite3` program.
fn recount(dir: &Path) -> String {
    let mut text = String::from("the table from the books, with nothing of ours:\n");
    for way in ["handfast", "usual-way"] {
        text.push_str(&format!("\ncd {} && sqlite3 <<'SQL'\n", dir.join(way).display()));
        text.push_str("ATTACH 'payment.db' AS payment; ATTACH 'dispatch.db' AS dispatch;\n");
        for (what, query) in books::queries() {
            text.push_str(&format!("-- {what}\n{query}\n"));
        }
        text.push_str("SQL\n");
    }
    text
}

/// Where the books are: a directory to be kept, or one that goes with the demo.
#[derive(Debug)]
enum Place {
    Kept(PathBuf),
    Passing(tempfile::TempDir),
}

impl Place {
    fn new(keep: Option<&Path>) -> anyhow::Result<Self> {
        let Some(dir) = keep else {
            return Ok(Self::Passing(tempfile::Builder::new().prefix("handfast-demo-").tempdir()?));
        };
        std::fs::create_dir_all(dir)
            .with_context(|| format!("cannot make the directory {}; give --keep another one", dir.display()))?;
        let dir = dir.canonicalize().with_context(|| format!("cannot find the directory {}", dir.display()))?;
        let mut entries = std::fs::read_dir(&dir).with_context(|| format!("cannot read the directory {}", dir.display()))?;
        if entries.next().is_some() {
            bail!("{} is not empty, and a demo starts with empty books; give --keep another directory", dir.display());
        }
        Ok(Self::Kept(dir))
    }

    fn path(&self) -> &Path {
        match self {
            Self::Kept(dir) => dir,
            Self::Passing(dir) => dir.path(),
        }
    }

    /// What went wrong is not thrown away.
    fn keep_for_inspection(self, output: &Output) {
        if let Self::Passing(dir) = self {
            output.note(format_args!("books and logs are kept in {}", dir.keep().display()));
        }
    }
}
