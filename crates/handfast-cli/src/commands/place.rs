//! Where sagas are, for commands that look at them or act on them: a store, or a running service.
//!
//! What is typed wins over what the environment says.

use std::path::PathBuf;
use std::sync::Arc;

use clap::parser::ValueSource;
use clap::{ArgMatches, Args, Command, Error, FromArgMatches};
use handfast::flow_file::FlowFile;
use handfast::store::Store;
use handfast_http::service_url::ServiceUrl;
use handfast_server::operator::Desk;

use super::client::{ClientArgs, client};
use super::state;
use crate::output::{Exit, OrExit as _, Output};

/// Where the sagas are.
#[derive(Clone, Debug)]
pub(crate) enum Place {
    /// In a store, by default the one of a flow, or the only one there is.
    Store(InStore),
    /// Behind a running service.
    Service(ServiceUrl, ClientArgs),
    /// It was not said so that there is one, and why.
    Unclear(String),
}

#[derive(Debug, clap::Args)]
struct Options {
    /// Where sagas are kept, as in sqlite:shop.db; by default the file that run and serve name after the flow. A service that
    /// has it open goes on from what is written there.
    #[arg(long, value_name = "URL", env = "HANDFAST_STORE")]
    store: Option<String>,
    /// A running service, as in http://127.0.0.1:7070, https://shop or unix:/run/handfast.sock, instead of a store.
    #[arg(long, value_name = "URL", env = "HANDFAST_URL")]
    url: Option<String>,
    /// The flow whose default store to look into; not needed where there is only one.
    #[arg(long, value_name = "FLOW.toml", env = "HANDFAST_FLOW")]
    flow: Option<PathBuf>,
    #[command(flatten)]
    client: ClientArgs,
}

/// Which store's file is meant, by its name or by that of a flow.
#[derive(Clone, Debug)]
pub(crate) struct InStore {
    store: Option<String>,
    flow: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
struct InStoreOptions {
    /// Where sagas are kept, as in sqlite:shop.db; by default the file that run and serve name after the flow.
    #[arg(long, value_name = "URL", env = "HANDFAST_STORE")]
    store: Option<String>,
    /// The flow whose default store is meant; not needed where there is only one.
    #[arg(long, value_name = "FLOW.toml", env = "HANDFAST_FLOW")]
    flow: Option<PathBuf>,
}

impl InStore {
    /// The store that is named, or else where `handfast run` and `handfast serve` keep the sagas of this flow, or of the only one
    /// there is.
    pub(crate) fn url(&self, output: &Output) -> anyhow::Result<String> {
        match &self.store {
            Some(url) => Ok(url.clone()),
            None => self.default_store(output).or_exit(Exit::Usage),
        }
    }

    fn default_store(&self, output: &Output) -> anyhow::Result<String> {
        let flow = self.flow.as_deref().map(FlowFile::read).transpose()?;
        let store = state::kept_store(flow.as_ref().map(FlowFile::name))?;
        output.note(format_args!("looking into {store}"));
        Ok(store)
    }

    /// Where one of the two was typed, the other counts only if it was typed too.
    fn chosen((store, flow): (Option<String>, Option<PathBuf>), matches: &ArgMatches) -> Self {
        let (of_store, of_flow) = (is_typed(matches, "store"), is_typed(matches, "flow"));
        Self { store: store.filter(|_| of_store || !of_flow), flow: flow.filter(|_| of_flow || !of_store) }
    }
}

fn is_typed(matches: &ArgMatches, name: &str) -> bool {
    matches.value_source(name) == Some(ValueSource::CommandLine)
}

impl FromArgMatches for InStore {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        let InStoreOptions { store, flow } = InStoreOptions::from_arg_matches(matches)?;
        Ok(Self::chosen((store, flow), matches))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl Args for InStore {
    fn augment_args(command: Command) -> Command {
        InStoreOptions::augment_args(command)
    }

    fn augment_args_for_update(command: Command) -> Command {
        InStoreOptions::augment_args_for_update(command)
    }
}

impl Place {
    /// The desk at this place.
    pub(crate) fn open(&self, output: &Output) -> anyhow::Result<Desk> {
        self.open_by(output, state::open_store)
    }

    /// The same, for whoever looks and changes nothing: no store is migrated for that.
    pub(crate) fn open_to_read(&self, output: &Output) -> anyhow::Result<Desk> {
        self.open_by(output, state::open_store_to_read)
    }

    fn open_by(&self, output: &Output, open: impl Fn(&str) -> anyhow::Result<Arc<dyn Store>>) -> anyhow::Result<Desk> {
        let store = match self {
            Self::Unclear(why) => return Err(anyhow::Error::msg(why.clone())).or_exit(Exit::Usage),
            Self::Service(url, args) => return Ok(Desk::Service(client(url, args)?, url.clone())),
            Self::Store(which) => which.url(output)?,
        };
        super::show::check_exists(&store).or_exit(Exit::Usage)?;
        Ok(Desk::File(open(&store)?))
    }
}

impl FromArgMatches for Place {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        let Options { store, url, flow, client } = Options::from_arg_matches(matches)?;
        let is_typed = |name| is_typed(matches, name);
        let of_store = ["store", "flow"].into_iter().find(|name| is_typed(name));
        Ok(match (url, of_store) {
            (Some(_), Some(other)) if is_typed("url") => {
                Self::Unclear(format!("--url and --{other} are two places; say one of them"))
            }
            (Some(_), None) if !is_typed("url") && store.is_some() => Self::Unclear(
                "HANDFAST_URL and HANDFAST_STORE are both set, and may be of two places; say --url or --store".to_owned(),
            ),
            (Some(url), None) => match url.parse() {
                Ok(url) => Self::Service(url, client),
                Err(why) => Self::Unclear(format!("--url {url:?}: {why}")),
            },
            (Some(_) | None, Some(_)) | (None, None) => Self::Store(InStore::chosen((store, flow), matches)),
        })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl Args for Place {
    fn augment_args(command: Command) -> Command {
        Options::augment_args(command)
    }

    fn augment_args_for_update(command: Command) -> Command {
        Options::augment_args_for_update(command)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(arguments: &[&str]) -> Place {
        let matches = Options::augment_args(Command::new("x")).try_get_matches_from([&["x"], arguments].concat());
        Place::from_arg_matches(&matches.expect("they are known")).expect("it is a place")
    }

    #[test]
    fn a_service_is_named_by_its_address() {
        let url = |text| match place(&["--url", text]) {
            Place::Service(url, _) => url.to_string(),
            other @ (Place::Store(_) | Place::Unclear(_)) => format!("{other:?}"),
        };
        for sound in ["http://127.0.0.1:7070", "https://shop.example", "unix:/run/handfast.sock"] {
            assert_eq!(url(sound), sound);
        }
        let wrong = place(&["--url", "127.0.0.1:7070"]);
        assert!(
            matches!(&wrong, Place::Unclear(why) if why.contains("--url") && why.ends_with("say http://127.0.0.1:7070")),
            "{wrong:?}"
        );
    }

    #[test]
    fn a_service_and_a_store_are_two_places() {
        for other in [["--store", "sqlite:a.db"], ["--flow", "a.toml"]] {
            let both = place(&[&["--url", "http://a"][..], &other].concat());
            assert!(matches!(&both, Place::Unclear(why) if why.contains(other[0])), "{both:?}");
            assert!(matches!(place(&other), Place::Store(_)));
        }
    }
}
