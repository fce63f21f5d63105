//! `handfast show`: draws one saga as a space-time diagram.

mod json;
mod near;
mod road;
mod story;

use std::path::PathBuf;

use anyhow::{Context as _, bail};
use handfast::Standing;

pub(crate) use self::near::unknown;
pub(crate) use self::story::{Told, entry_of, step_of};
use crate::commands::place::InStore;
use crate::commands::state;
use crate::output::picture;
use crate::output::{Exit, OrExit as _, Output};
use crate::trace;

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  handfast show order-17
  handfast show order-17 --flow shop.toml
  handfast show order-17 --store sqlite:shop.db
  handfast show order-17 --store sqlite:shop.db --road to-payment.jsonl --road to-dispatch.jsonl
  handfast show order-17 --store sqlite:shop.db --svg order-17.svg
  handfast show order-17 --store sqlite:shop.db --keep order-17.trace

The exit code tells how the saga stands: 0 both, 3 neither, 4 anything else.")]
pub(crate) struct Args {
    /// The saga.
    pub(crate) id: String,
    #[command(flatten)]
    pub(crate) place: InStore,
    /// Write the diagram as an SVG file instead of printing it; `-` is standard output.
    #[arg(long, value_name = "FILE")]
    pub(crate) svg: Option<PathBuf>,
    /// The log of a road (`handfast messenger --log`), which tells what was captured or late; may be given several times.
    #[arg(long, value_name = "FILE")]
    pub(crate) road: Vec<PathBuf>,
    /// Keep the journal in a file, for `handfast replay`; it holds neither the order nor the bodies of its steps.
    #[arg(long, value_name = "FILE")]
    pub(crate) keep: Option<PathBuf>,
    /// Draw with plain ASCII.
    #[arg(long)]
    pub(crate) ascii: bool,
}

/// Draws it.
pub(crate) fn run(args: Args, output: &Output) -> anyhow::Result<Exit> {
    let Args { id, place, svg, road, keep, ascii } = args;
    picture::check_place(svg.as_deref(), output)?;
    let store = place.url(output)?;
    let told = super::runtime()?.block_on(read(&store, &id, &road))?;
    if let Some(path) = &keep {
        trace::keep_saga(path, &told.story.kept().context("there is no run to keep").with_context(|| format!("saga {id}"))?)?;
        output.note(format_args!("the journal of {id} is kept in {}", path.display()));
    }
    if let Some(path) = &svg {
        picture::write_svg(path, &told.diagram(), output)?;
        if !picture::is_stdout(path) {
            output.note(format_args!("{id} is drawn in {}", path.display()));
        }
    }
    if output.wants_json() {
        output.json_line(&json::Shown::new(&told))?;
    } else if svg.is_none() {
        output.line(text(&told, ascii).trim_end())?;
    }
    Ok(exit(&told))
}

/// What is known of the saga of that id, by the store and the roads' logs.
///
/// # Errors
/// There is no such saga, or something of it cannot be read.
pub(crate) async fn read(store: &str, id: &str, roads: &[PathBuf]) -> anyhow::Result<Told> {
    check_exists(store).or_exit(Exit::Usage)?;
    let store = state::open_store_to_read(store)?;
    match story::read(store.as_ref(), id, roads).await? {
        Some(told) => Ok(told),
        None => Err(unknown(store.as_ref(), id).await?).or_exit(Exit::Usage),
    }
}

/// The picture as text, in colours: the stream takes them out where they are not wanted.
pub(crate) fn text(told: &Told, ascii: bool) -> String {
    picture::text(&told.diagram(), ascii)
}

/// Whoever looks at sagas, or acts on one, must not leave an empty store behind where there was none.
pub(crate) fn check_exists(store: &str) -> anyhow::Result<()> {
    const NAME_IT: &str = "name the file that `handfast run` or `handfast serve` keeps its sagas in";
    // What names no file, or one that nobody may look at, is refused when it is opened, with words of its own.
    let Ok(path) = handfast::store::file_of(store) else { return Ok(()) };
    match std::fs::metadata(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => bail!("there is no store at {path}; {NAME_IT}"),
        Ok(file) if file.is_file() && file.len() == 0 => bail!(
            "{path} is empty (0 bytes), as a full disk leaves a file: nothing was kept in it, or what was is lost; {NAME_IT}, or put \
             a backup in its place"
        ),
        Ok(_) | Err(_) => Ok(()),
    }
}

fn exit(told: &Told) -> Exit {
    match told.standing() {
        Standing::Completed => Exit::Done,
        Standing::Cancelled => Exit::Neither,
        Standing::Placed
        | Standing::Acting
        | Standing::Committed
        | Standing::Cancelling
        | Standing::Suspended
        | Standing::Settled => Exit::InDoubt,
    }
}
