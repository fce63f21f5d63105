//! `handfast man`: prints a manual page, or writes all of them to a directory.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::{Command, CommandFactory as _};
use clap_mangen::Man;

use crate::cli::Cli;
use crate::files;
use crate::output::{Exit, OrExit as _, Output};

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  handfast man | man -l -
  handfast man run | man -l -
  handfast man generals odds | man -l -
  handfast man --dir ~/.local/share/man/man1")]
pub(crate) struct Args {
    /// The command whose page to print, as in `run` or `generals odds`; the overview without one.
    #[arg(conflicts_with = "dir")]
    pub(crate) command: Vec<String>,
    /// Write every page to this directory.
    #[arg(long, value_name = "DIR")]
    pub(crate) dir: Option<PathBuf>,
}

/// Prints the page, or writes them all.
pub(crate) fn run(args: Args, output: &Output) -> anyhow::Result<Exit> {
    let pages = pages();
    if let Some(dir) = &args.dir {
        return write_all(&pages, dir, output);
    }
    let title = args.command.iter().fold("handfast".to_owned(), |title, command| format!("{title}-{command}"));
    let page = pages
        .iter()
        .find(|page| file_name(page) == title)
        .with_context(|| format!("there is no page {title}; see `handfast help` for the commands"))
        .or_exit(Exit::Usage)?;
    output.bytes(&rendered(page)?)?;
    Ok(Exit::Done)
}

/// The overview and one page a command. Built, so that each knows its whole name and the options all commands share.
fn pages() -> Vec<Command> {
    let mut whole = Cli::command();
    whole.build();
    let mut pages = vec![whole];
    let mut place = 0;
    // Commands of commands have pages too.
    while let Some(page) = pages.get(place) {
        let below: Vec<Command> =
            page.get_subcommands().filter(|command| command.get_name() != "help" && !command.is_hide_set()).cloned().collect();
        pages.extend(below);
        place += 1;
    }
    pages
}

/// The name of the page: `handfast`, `handfast-run` or `handfast-generals-odds`.
fn file_name(page: &Command) -> &str {
    page.get_display_name().unwrap_or_else(|| page.get_name())
}

fn rendered(page: &Command) -> anyhow::Result<Vec<u8>> {
    let mut text = Vec::new();
    Man::new(page.clone()).render(&mut text).context("cannot render the manual page")?;
    Ok(text)
}

fn write_all(pages: &[Command], dir: &Path, output: &Output) -> anyhow::Result<Exit> {
    let cannot = |path: &Path| format!("cannot write {}; give --dir another directory", path.display());
    std::fs::create_dir_all(dir).with_context(|| cannot(dir)).or_exit(Exit::Usage)?;
    for page in pages {
        let path = dir.join(format!("{}.1", file_name(page)));
        files::write(&path, &rendered(page)?).with_context(|| cannot(&path)).or_exit(Exit::Usage)?;
        output.line(path.display())?;
    }
    Ok(Exit::Done)
}
