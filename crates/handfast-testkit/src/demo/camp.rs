//! One way of doing it, with everything it needs: its own coordinator, services, roads and books.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use bytes::Bytes;
use handfast_participant::{dispatch, payment};
use hyper::Method;

use super::child::Child;
use super::orders::STOCK;
use crate::messenger::{Hazards, Stats};
use handfast_http::client::HttpClient;

/// How long after its intent a charge is given up.
const DEADLINE: &str = "4s";
/// How long a road keeps a caller waiting whose messenger was captured.
const HOLD: &str = "150ms";

/// The longest pause between two tries: the usual way's, too.
const RETRY_CAP: &str = "1s";
/// Where handfast's coordinator keeps its sagas.
const COORDINATOR_DB: &str = "coordinator.db";

/// The two ways that are compared.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Way {
    Handfast,
    UsualWay,
}

impl Way {
    /// What it is called where people read it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Handfast => "handfast",
            Self::UsualWay => "the usual way",
        }
    }

    const fn folder(self) -> &'static str {
        match self {
            Self::Handfast => "handfast",
            Self::UsualWay => "usual-way",
        }
    }
}

/// Whom a kill is for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Victim {
    Coordinator,
    Payment,
    Dispatch,
}

impl Victim {
    /// All of them, in turn.
    pub(crate) const ALL: [Self; 3] = [Self::Coordinator, Self::Payment, Self::Dispatch];

    /// What it is called where people read it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Coordinator => "the coordinator",
            Self::Payment => "payment",
            Self::Dispatch => "dispatch",
        }
    }
}

/// The processes of one way, and where its books are.
#[derive(Debug)]
pub(crate) struct Camp {
    /// Where its stores and logs are.
    pub(crate) dir: PathBuf,
    /// The base URL of its coordinator.
    pub(crate) coordinator_url: String,
    roads: [Child; 2],
    road_urls: [String; 2],
    payment: Child,
    dispatch: Child,
    coordinator: Child,
    client: HttpClient,
}

/// The roads to payment and to dispatch of a seed. Both ways travel the same ones.
pub(crate) fn roads(seed: u64, capture: f64) -> anyhow::Result<[Hazards; 2]> {
    let to_payment = Hazards {
        seed,
        capture,
        delay: "1ms..15ms".parse()?,
        late: 0.03,
        late_acts: 0.1,
        late_by: "4500ms..7s".parse()?,
        duplicate: 0.05,
    };
    // Dispatch has no deadline to miss; a few of its messengers are late all the same.
    let to_dispatch = Hazards { seed: seed.wrapping_add(1), late_acts: 0.0, ..to_payment.clone() };
    Ok([to_payment, to_dispatch])
}

impl Camp {
    /// Starts everything, and waits until it listens.
    ///
    /// # Errors
    /// When a process cannot be started, or ends at once.
    pub(crate) async fn start(
        way: Way,
        (program, dir): (&Path, &Path),
        roads: &[Hazards; 2],
        addresses: [SocketAddr; 5],
    ) -> anyhow::Result<Self> {
        let dir = dir.join(way.folder());
        std::fs::create_dir_all(&dir).with_context(|| format!("cannot make the directory {}", dir.display()))?;
        let [at_payment, at_dispatch, to_payment, to_dispatch, coordinator] = addresses;
        let run = |name: &str, address, arguments: Vec<OsString>| {
            Child::start(&format!("{name} ({})", way.name()), address, (program, arguments), dir.join(format!("{name}.log")))
        };
        let payment = run("payment", at_payment, words(["payment", "--store", &sqlite(&dir, "payment.db")]))?;
        let stocked = ["dispatch", "--stock", STOCK, "--store", &sqlite(&dir, "dispatch.db")];
        let dispatch = run("dispatch", at_dispatch, words(stocked))?;
        let road_log = |name: &str| dir.join(format!("{name}.jsonl"));
        let [one, two] = roads;
        let roads = [
            run("road-to-payment", to_payment, road(one, at_payment, &road_log("road-to-payment")))?,
            run("road-to-dispatch", to_dispatch, road(two, at_dispatch, &road_log("road-to-dispatch")))?,
        ];
        let charges = format!("http://{to_payment}{}", payment::BASE_PATH);
        let shipments = format!("http://{to_dispatch}{}", dispatch::BASE_PATH);
        let arguments = match way {
            Way::Handfast => {
                let flow = dir.join("flow.toml");
                std::fs::write(&flow, flow_text(&charges, &shipments)).context("cannot write the flow file")?;
                let store = sqlite(&dir, COORDINATOR_DB);
                let mut arguments = words(["serve", "--store", &store, "--retry-cap", RETRY_CAP, "--flow"]);
                arguments.push(flow.into());
                arguments
            }
            Way::UsualWay => {
                let mut arguments = words(["usual-way", "--payment", &charges, "--dispatch", &shipments, "--deadline", DEADLINE]);
                arguments.extend(["--store".into(), dir.join("orders.db").into()]);
                arguments
            }
        };
        let coordinator_url = format!("http://{coordinator}");
        let road_urls = [to_payment, to_dispatch].map(|address| format!("http://{address}"));
        let coordinator = run("coordinator", coordinator, arguments)?;
        let client = HttpClient::new();
        let camp = Self { dir, coordinator_url, roads, road_urls, payment, dispatch, coordinator, client };
        for child in camp.children() {
            child.listens().await?;
        }
        Ok(camp)
    }

    fn children(&self) -> [&Child; 5] {
        let [to_payment, to_dispatch] = &self.roads;
        [&self.payment, &self.dispatch, to_payment, to_dispatch, &self.coordinator]
    }

    /// Looks whether everybody still runs.
    ///
    /// # Errors
    /// Who ended by itself, and its last words.
    pub(crate) fn check_alive(&self) -> anyhow::Result<()> {
        self.children().into_iter().try_for_each(Child::check_alive)
    }

    /// Kills one of them with SIGKILL, and starts it again at once.
    ///
    /// # Errors
    /// When it cannot be started again.
    pub(crate) fn kill(&self, victim: Victim) -> anyhow::Result<()> {
        match victim {
            Victim::Coordinator => self.coordinator.kill_and_restart(),
            Victim::Payment => self.payment.kill_and_restart(),
            Victim::Dispatch => self.dispatch.kill_and_restart(),
        }
    }

    /// Kills everybody for good.
    pub(crate) fn stop(&self) {
        self.children().into_iter().for_each(Child::stop);
    }

    /// Cuts both roads, or restores them.
    ///
    /// # Errors
    /// When a road does not answer.
    pub(crate) async fn cut_roads(&self, cut: bool) -> anyhow::Result<()> {
        for url in &self.road_urls {
            let url = format!("{url}/__messenger/{}", if cut { "cut" } else { "restore" });
            self.client.ask(Method::POST, &url, &[], Bytes::new(), Duration::from_secs(5)).await?;
        }
        Ok(())
    }

    /// What both roads have done so far.
    ///
    /// # Errors
    /// When a road does not answer.
    pub(crate) async fn road_stats(&self) -> anyhow::Result<[Stats; 2]> {
        let mut stats = [Stats::default(), Stats::default()];
        for (url, stats) in self.road_urls.iter().zip(&mut stats) {
            let url = format!("{url}/__messenger/stats");
            let answer = self.client.ask(Method::GET, &url, &[], Bytes::new(), Duration::from_secs(5)).await?;
            *stats = serde_json::from_slice(&answer.body).context("the road's stats are no JSON")?;
        }
        Ok(stats)
    }

    /// Where its coordinator keeps its sagas, as a store is named on the command line.
    pub(crate) fn coordinator_store(&self) -> String {
        sqlite(&self.dir, COORDINATOR_DB)
    }

    /// The logs of its roads, to payment and to dispatch.
    pub(crate) fn road_logs(&self) -> [PathBuf; 2] {
        ["road-to-payment.jsonl", "road-to-dispatch.jsonl"].map(|name| self.dir.join(name))
    }
}

fn words<const N: usize>(words: [&str; N]) -> Vec<OsString> {
    words.map(OsString::from).to_vec()
}

fn sqlite(dir: &Path, name: &str) -> String {
    format!("sqlite:{}", dir.join(name).display())
}

fn road(hazards: &Hazards, to: SocketAddr, log: &Path) -> Vec<OsString> {
    let number = |value: f64| value.to_string();
    let mut arguments = words([
        "messenger",
        "--to",
        &format!("http://{to}"),
        "--capture",
        &number(hazards.capture),
        "--delay",
        &hazards.delay.to_string(),
        "--late",
        &number(hazards.late),
        "--late-acts",
        &number(hazards.late_acts),
        "--late-by",
        &hazards.late_by.to_string(),
        "--duplicate",
        &number(hazards.duplicate),
        "--seed",
        &hazards.seed.to_string(),
        "--hold",
        HOLD,
        "--skip-store-id",
        "--log",
    ]);
    arguments.push(log.into());
    arguments
}

fn flow_text(charges: &str, shipments: &str) -> String {
    format!(
        r#"name = "shop"

[input]
customer = "text"
amount = "money"
token = "token"
lines = "list"

[[step]]
name = "payment"
kind = "compensatable"
url = "{charges}"
deadline = "{DEADLINE}"
send = ["amount", "token"]

[[step]]
name = "dispatch"
kind = "pivot"
url = "{shipments}"
send = ["customer", "lines"]
"#
    )
}
