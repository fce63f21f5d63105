//! `handfast store`: copies a store that may be in use, looks through all of one, and lets a person put its time right.

use std::path::{Path, PathBuf};

use handfast::upkeep::{self, AcceptTimeError, Verified};
use handfast_server::batch::counted;
use serde_json::json;

use super::consent::Consent;
use super::place::InStore;
use super::show::check_exists;
use super::state::with_its_exit;
use crate::output::{Exit, OrExit as _, Output};

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  handfast store backup shop-monday.db --store sqlite:shop.db
  handfast store verify --store sqlite:shop-monday.db
  handfast store accept-time --as ada --reason \"a clock was wrong\" --yes

To go back to a backup: stop the service, move the store and the files beside it (-wal, -shm) away, copy the backup to the
store's place, and start the service. What was placed since the backup is not in it.")]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Copy a store to a new file, while it may be in use
    Backup(BackupArgs),
    /// Let the present time count in a store that a wrong clock has put ahead
    AcceptTime(AcceptTimeArgs),
    /// Look through all of a store: its pages, its identity, every journal by replaying it, and whether each row says the same
    Verify(VerifyArgs),
}

#[derive(Debug, clap::Args)]
struct Which {
    #[command(flatten)]
    place: InStore,
}

impl Which {
    /// The store, which is there.
    fn url(&self, output: &Output) -> anyhow::Result<String> {
        let url = self.place.url(output)?;
        check_exists(&url).or_exit(Exit::Usage)?;
        Ok(url)
    }
}

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  handfast store backup shop-monday.db --store sqlite:shop.db
  handfast store backup /backups/shop.db --flow shop.toml

The copy is all of the store at one moment, in one file, and is looked through before it gets its name.")]
struct BackupArgs {
    /// The file to make, as shop-monday.db or sqlite:shop-monday.db; it must not be there yet.
    #[arg(value_name = "FILE", value_parser = upkeep::file_of_backup)]
    to: PathBuf,
    #[command(flatten)]
    which: Which,
}

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  handfast store verify --store sqlite:shop.db
  handfast store verify --store sqlite:shop.db --json

What is wrong is told with its saga and what to do about it, the first 100 one by one. Nothing is changed, and the store may be
in use. Exit codes: 0 everything is as it was written, 1 something is not, 2 there is no store of this name.")]
struct VerifyArgs {
    #[command(flatten)]
    which: Which,
}

#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  handfast store accept-time --as ada --reason \"ntp was a year ahead on 4 May\" --store sqlite:shop.db

Stop every process on the store half a minute before. docs/operating.md says what it means for orders under way.
Exit codes: 0 done, 1 refused or failed, 2 wrong usage.")]
struct AcceptTimeArgs {
    #[command(flatten)]
    which: Which,
    /// Who accepts it; kept in the store.
    #[arg(long = "as", value_name = "NAME", alias = "by")]
    by: String,
    /// Why; kept in the store.
    #[arg(long, value_name = "TEXT", alias = "why")]
    reason: String,
    /// Somebody has made sure of the orders whose times count from a later moment: they can do no harm.
    #[arg(long)]
    seen_to: bool,
    #[command(flatten)]
    consent: Consent,
}

/// Does it.
pub(crate) fn run(args: Args, output: &Output) -> anyhow::Result<Exit> {
    match args.command {
        Command::Backup(BackupArgs { to, which }) => back_up(&which.url(output)?, &to, output),
        Command::AcceptTime(args) => accept_time(args, output),
        Command::Verify(VerifyArgs { which }) => verify(&which.url(output)?, output),
    }
}

fn back_up(url: &str, to: &Path, output: &Output) -> anyhow::Result<Exit> {
    let bar = output.progress(0).with_message("pages");
    let copied = upkeep::back_up(url, to, &mut |pages, of| {
        bar.set_length(of);
        bar.set_position(pages);
    });
    bar.finish_and_clear();
    copied.or_else(with_its_exit)?;
    let bytes = std::fs::metadata(to)?.len();
    if output.wants_json() {
        output.json_line(&json!({ "backup": to.display().to_string(), "store": url, "bytes": bytes }))?;
    } else {
        let bytes = counted(bytes, "byte");
        output.line(format_args!("{url} is copied to {} ({bytes}); the copy was read through, and is whole", to.display()))?;
    }
    Ok(Exit::Done)
}

fn accept_time(args: AcceptTimeArgs, output: &Output) -> anyhow::Result<Exit> {
    let AcceptTimeArgs { which, by, reason, seen_to, consent } = args;
    let url = which.url(output)?;
    consent.ask(
        format_args!(
            "accept-time: the present time counts in {url} instead of a later one that a wrong clock has shown; what is to stop in time \
             counts from now"
        ),
        output,
    )?;
    let accepted = super::runtime()?.block_on(upkeep::accept_time(&url, &by, &reason, seen_to));
    let before = match accepted {
        Ok(before) => before,
        Err(error @ AcceptTimeError::Text { .. }) => return Err(error).or_exit(Exit::Usage),
        Err(AcceptTimeError::Store(error)) => return with_its_exit(error),
        Err(error) => return Err(error.into()),
    };
    if output.wants_json() {
        output.json_line(&json!({ "store": url, "instead_of": before.0 }))?;
    } else {
        output.line(format_args!("the present time counts in {url} instead of {}, by {by}", before.0))?;
    }
    Ok(Exit::Done)
}

fn verify(url: &str, output: &Output) -> anyhow::Result<Exit> {
    let bar = output.progress(0).with_message("sagas");
    let verified = super::runtime()?.block_on(upkeep::verify(url, &mut |sagas, of| {
        bar.set_length(of);
        bar.set_position(sagas);
    }));
    bar.finish_and_clear();
    let verified = verified.or_else(with_its_exit)?;
    if output.wants_json() {
        output.json_line(&shape(url, &verified))?;
    } else {
        for damage in &verified.findings {
            let of = damage.saga.as_ref().map_or_else(|| "the file".to_owned(), |saga| format!("saga {saga}"));
            output.line(format_args!("{of}: {}; {}", damage.what, damage.cure))?;
        }
        let Verified { store_id, format, generation, sagas, entries, damaged, .. } = &verified;
        let more = damaged.saturating_sub(verified.findings.len() as u64);
        if more > 0 {
            output.line(format_args!("and {more} more"))?;
        }
        let verdict = match damaged {
            0 => "all of it is as it was written".to_owned(),
            1 => "what stands above is not as it was written".to_owned(),
            more => format!("{more} things are not as they were written"),
        };
        let entries = if *entries == 1 { "1 entry".to_owned() } else { format!("{entries} entries") };
        let what = match (format, generation) {
            (Some(format), Some(generation)) => {
                let id = store_id.as_ref().map_or_else(|| "a store without a name".to_owned(), |id| format!("store {id}"));
                format!("{id}, format {format}, generation {generation}")
            }
            _ => "it could not be opened".to_owned(),
        };
        output.line(format_args!("{url} holds {} with {entries}, and {verdict} ({what})", counted(*sagas, "saga")))?;
    }
    Ok(if verified.holds() { Exit::Done } else { Exit::Error })
}

fn shape(url: &str, verified: &Verified) -> serde_json::Value {
    let Verified { store_id, format, generation, sagas, entries, findings, damaged, .. } = verified;
    let findings: Vec<_> =
        findings.iter().map(|damage| json!({ "saga": damage.saga, "what": damage.what, "cure": damage.cure })).collect();
    json!({
        "store": url,
        "store_id": store_id,
        "format": format,
        "generation": generation,
        "sagas": sagas,
        "entries": entries,
        "holds": verified.holds(),
        "damaged": damaged,
        "findings": findings,
    })
}
