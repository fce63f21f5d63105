//! `handfast sagas`: what an operator looks at and does, in a store's file or through a running service.

mod acting;
mod looking;
mod table;

use std::path::PathBuf;
use std::sync::Arc;

use clap::Subcommand;
use handfast::store::Store;
use handfast_server::operator::Desk;

use crate::commands::client::client;
use crate::commands::state;
use crate::output::{Exit, OrExit as _, Output};

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  handfast sagas list --needs-person --url http://127.0.0.1:7070
  handfast sagas show order-17 --store sqlite:shop.db
  handfast sagas retry order-17 --by ada --reason \"the bank is back\"
  handfast sagas resolve order-17 --not-done hotel --by ada --reason \"asked them\" --evidence \"mail of 4 May\"

docs/operating.md says when to do what.")]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}

/// What can be done with sagas.
#[derive(Debug, Subcommand)]
enum What {
    /// List sagas, those that stand so only where --standing is given
    List(looking::List),
    /// Show one saga, what remains of it, and what can be done about it
    Show(looking::Show),
    /// Ask for neither
    Cancel(acting::Cancel),
    /// Ask again now, wherever that is safe
    Retry(acting::Retry),
    /// Say what a saga that cannot go on by itself needs to hear
    Resolve(acting::Resolve),
}

/// Where the sagas are.
#[derive(Debug, clap::Args)]
pub(crate) struct Place {
    /// Where sagas are kept, as in sqlite:shop.db; by default the file that run and serve name after the flow. A service that
    /// has it open goes on from what is written there.
    #[arg(long, value_name = "URL", env = "HANDFAST_STORE", conflicts_with = "url")]
    store: Option<String>,
    /// A running service, as in http://127.0.0.1:7070, instead of a store.
    #[arg(long, value_name = "URL", env = "HANDFAST_URL")]
    url: Option<String>,
    /// The flow whose default store to look into; not needed where there is only one.
    #[arg(long, value_name = "FLOW.toml", env = "HANDFAST_FLOW", conflicts_with = "url")]
    flow: Option<PathBuf>,
}

impl Place {
    /// The desk that the options name.
    fn open(&self, output: &Output) -> anyhow::Result<Desk> {
        self.open_by(output, state::open_store)
    }

    /// The same, for whoever looks and changes nothing: no store is migrated for that.
    fn open_to_read(&self, output: &Output) -> anyhow::Result<Desk> {
        self.open_by(output, state::open_store_to_read)
    }

    fn open_by(&self, output: &Output, open: impl Fn(&str) -> anyhow::Result<Arc<dyn Store>>) -> anyhow::Result<Desk> {
        if let Some(url) = &self.url {
            return Ok(Desk::Service(client()?, url.clone()));
        }
        let store = match &self.store {
            Some(store) => store.clone(),
            None => super::show::default_store(self.flow.as_deref(), output).or_exit(Exit::Usage)?,
        };
        super::show::check_exists(&store).or_exit(Exit::Usage)?;
        Ok(Desk::File(open(&store)?))
    }
}

/// Does one thing.
pub(crate) fn run(args: Args, output: &Output) -> anyhow::Result<Exit> {
    super::runtime()?.block_on(async {
        match args.what {
            What::List(args) => looking::list(args, output).await,
            What::Show(args) => looking::show(args, output).await,
            What::Cancel(args) => acting::cancel(args, output).await,
            What::Retry(args) => acting::retry(args, output).await,
            What::Resolve(args) => acting::resolve(args, output).await,
        }
    })
}
