//! What `handfast payment` and `handfast dispatch` share: where to listen, where the books are, and how to stop.

mod tell;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use axum::Router;
use handfast::participant::{Secret, Secrets};
use handfast_participant::{OpenError, Registers, Settings, Tell, Weakness};
use handfast_server::open_files::{self, Shares, Wanted};
use handfast_toml::parse_duration;
use serde_json::json;

use super::log::LogArgs;
use crate::commands::signals;
use crate::output::log;
use crate::output::{Exit, OrExit as _, Output};

/// Options of every reference service.
#[derive(Debug, clap::Args)]
pub(crate) struct Common {
    /// Listen on an address that other machines can reach. The services have no passwords: only behind something that has.
    #[arg(long)]
    pub(crate) allow_remote: bool,
    /// Say that the store was restored from a backup and has been reconciled: whoever has seen its former life is told.
    #[arg(long)]
    pub(crate) declare_restored: bool,
    /// How long stopping in good order may take.
    #[arg(long, value_name = "DURATION", env = "HANDFAST_SHUTDOWN_TIMEOUT", default_value = "10s", value_parser = parse_duration)]
    pub(crate) shutdown_timeout: Duration,
    /// For tests and demonstrations: promise less than the contract. A list of no-close, no-op-undo, loose-refusals,
    /// not-idempotent, remembers=TIME, closes-for=TIME, holds-for=TIME and answers-after=TIME.
    #[arg(long, value_name = "LIST", value_delimiter = ',', value_parser = weakness)]
    pub(crate) weak: Vec<Weakness>,
    /// For tests and demonstrations: where to say by a webhook (Standard Webhooks) what became of an act that --weak
    /// answers-after=TIME took on, as in http://127.0.0.1:7070/webhooks/payment.
    #[arg(long, value_name = "URL", requires = "webhook_secret")]
    pub(crate) webhook: Option<String>,
    /// What webhooks are signed with: whsec_ and 24 to 64 bytes in base64.
    #[arg(long, value_name = "SECRET", env = "HANDFAST_WEBHOOK_SECRET", hide_env_values = true)]
    pub(crate) webhook_secret: Option<String>,
    #[command(flatten)]
    pub(crate) log: LogArgs,
}

impl Common {
    /// Who is to be told what became of acts that were taken on, if anybody is.
    fn teller(&self) -> anyhow::Result<Option<Tell>> {
        let Some((url, secret)) = self.webhook.as_deref().zip(self.webhook_secret.as_deref()) else { return Ok(None) };
        let answers_later = self.weak.iter().any(|weakness| matches!(weakness, Weakness::AnswersAfter(_)));
        anyhow::ensure!(answers_later, "--webhook tells of acts that are carried out later: add --weak answers-after=TIME");
        tell::teller(url, secret).map(Some)
    }
}

/// One promise that is not kept: a name, and for some of them for how long it is.
fn weakness(text: &str) -> Result<Weakness, String> {
    let (name, time) = match text.split_once('=') {
        Some((name, time)) => (name, Some(parse_duration(time).map_err(|error| error.to_string())?)),
        None => (text, None),
    };
    match (name, time) {
        ("no-close", None) => Ok(Weakness::NoClose),
        ("no-op-undo", None) => Ok(Weakness::NoOpUndo),
        ("loose-refusals", None) => Ok(Weakness::LooseRefusals),
        ("not-idempotent", None) => Ok(Weakness::NotIdempotent),
        ("remembers", Some(time)) => Ok(Weakness::Remembers(time)),
        ("closes-for", Some(time)) => Ok(Weakness::ClosesFor(time)),
        ("holds-for", Some(time)) => Ok(Weakness::HoldsFor(time)),
        ("answers-after", Some(time)) => Ok(Weakness::AnswersAfter(time)),
        ("remembers" | "closes-for" | "holds-for" | "answers-after", None) => {
            Err(format!("{name} needs a time, as in {name}=2s"))
        }
        ("no-close" | "no-op-undo" | "loose-refusals" | "not-idempotent", Some(_)) => Err(format!("{name} takes no time")),
        (unknown, _) => Err(format!("there is no weakness called {unknown:?}; --help lists them")),
    }
}

/// One service, ready to be run.
pub(crate) struct Participant<'a> {
    pub(crate) listen: SocketAddr,
    pub(crate) store: &'a str,
    pub(crate) common: &'a Common,
    pub(crate) open: Box<dyn FnOnce(PathBuf, Settings) -> Result<Registers, OpenError> + 'a>,
    pub(crate) router: fn(&Registers, &[Weakness], Option<&Tell>) -> Router,
    pub(crate) base_path: &'static str,
}

impl Participant<'_> {
    /// Serves until it is told to stop.
    pub(crate) fn run(self, output: &Output) -> anyhow::Result<Exit> {
        self.common.log.install(output)?;
        if let Some(secret) = &self.common.webhook_secret {
            log::keep_back(Secrets::of_one("HANDFAST_WEBHOOK_SECRET", Secret::new(secret)));
        }
        let runtime = super::runtime()?;
        let end = runtime.block_on(self.serve(output));
        // A read that hangs must not keep the process.
        runtime.shutdown_background();
        end
    }

    async fn serve(self, output: &Output) -> anyhow::Result<Exit> {
        let Self { listen, store, common, open, router, base_path } = self;
        if !listen.ip().is_loopback() && !common.allow_remote {
            let why = format!(
                "{listen} can be reached from other machines, and the service has no passwords: listen on 127.0.0.1, or add \
                 --allow-remote"
            );
            return Err(anyhow::Error::msg(why)).or_exit(Exit::Usage);
        }
        let path = store_path(store).or_exit(Exit::Usage)?;
        let tell = common.teller().or_exit(Exit::Usage)?;
        let listener = super::listen(listen).await?;
        // Whatever is wrong with the store, it is the one that was named.
        let registers = open(path, Settings::default()).or_exit(Exit::Usage)?;
        // Before anybody is told that the service is there: a signal must find its handler.
        let mut stop = signals::on_signal()?;
        if common.declare_restored {
            let incarnation = registers.declare_restored().await?;
            output.note(format_args!(
                "the store is declared restored; its incarnation is now {incarnation}. Whoever has seen the former one does not call \
                 it until a person accepts it there: handfast participants accept http://{}{base_path} --incarnation {incarnation} \
                 --by NAME --why TEXT, with the --store or --url of the sagas (the URL as the flow writes it)",
                listener.local_addr()?
            ));
        }
        announce(output, &registers, listener.local_addr()?, base_path)?;
        if !common.weak.is_empty() {
            output.note("it promises less than the contract (--weak): for tests and demonstrations only");
        }

        let router = router(&registers, &common.weak, tell.as_ref());
        let shares = Shares::of(open_files::raise(), Wanted { links: 0, calls: 0 });
        shares.tell();
        let serving = tokio::spawn(handfast_http::connections::serve_router(listener, router, shares.callers(), stop.clone()));
        handfast_http::stop::stopped(&mut stop).await;
        if tokio::time::timeout(common.shutdown_timeout, serving).await.is_err() {
            output.note("requests are still under way; stopping without them");
        }
        registers.stop().await;
        Ok(Exit::Done)
    }
}

/// `sqlite:PATH`, or just a path.
fn store_path(store: &str) -> anyhow::Result<PathBuf> {
    let path = match store.split_once(':') {
        Some(("sqlite", path)) => path,
        Some((scheme, _)) if scheme.len() > 1 && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric()) => {
            anyhow::bail!("the reference services keep their books in SQLite only: give --store sqlite:FILE, not `{store}`")
        }
        Some(_) | None => store,
    };
    anyhow::ensure!(!path.is_empty(), "--store names no file: give --store sqlite:FILE");
    Ok(PathBuf::from(path))
}

fn announce(output: &Output, registers: &Registers, address: SocketAddr, base_path: &str) -> anyhow::Result<()> {
    let service = registers.service();
    let store = registers.path().display();
    output.note(format_args!("handfast {service} is listening on http://{address} (store: {store})"));
    output.note(format_args!("in a flow its url is http://{address}{base_path}; its books are at http://{address}/audit"));
    if output.wants_json() {
        output.json_line(&json!({
            "service": service, "listening": format!("http://{address}"), "url": format!("http://{address}{base_path}"),
            "store": registers.path(),
        }))?;
    }
    Ok(())
}
