//! How commands ask a running service: with the token that stands in the environment, if one does.

use std::env;
use std::path::Path;

use anyhow::{Context as _, anyhow};
use handfast_http::client::HttpClient;
use handfast_server::operator::Trouble;

use crate::output::{Exit, OrExit as _};

/// The token itself. There is no option for it, since every user of a machine sees what commands are run with.
const TOKEN: &str = "HANDFAST_TOKEN";
/// A file that holds it, as secrets are handed to containers and units.
const TOKEN_FILE: &str = "HANDFAST_TOKEN_FILE";

/// The client of a command.
///
/// # Errors
/// The file that the environment names cannot be read, or what is there is no token.
pub(crate) fn client() -> anyhow::Result<HttpClient> {
    let Some((token, place)) = token()? else {
        return Ok(HttpClient::new());
    };
    let token = Some(token.trim()).filter(|token| !token.is_empty());
    let client = token.and_then(|token| HttpClient::with_token(token).ok());
    client.ok_or_else(|| anyhow!("{place} holds no token: put what handfast tokens new has printed there")).or_exit(Exit::Usage)
}

/// The token, and where it stood.
fn token() -> anyhow::Result<Option<(String, String)>> {
    // What is set to nothing is as good as not set, as where a unit or a script leaves a variable empty.
    let set = |name| env::var_os(name).filter(|value| !value.is_empty());
    match (set(TOKEN), set(TOKEN_FILE)) {
        (None, None) => Ok(None),
        (Some(_), Some(_)) => Err(anyhow!("{TOKEN} and {TOKEN_FILE} are both set; leave one of them out")).or_exit(Exit::Usage),
        (Some(token), None) => Ok(Some((token.to_string_lossy().into_owned(), TOKEN.to_owned()))),
        (None, Some(path)) => {
            let place = format!("the file of {TOKEN_FILE}, {}", Path::new(&path).display());
            let read = std::fs::read_to_string(&path).with_context(|| format!("{place}, cannot be read"));
            Ok(Some((read.or_exit(Exit::Usage)?, place)))
        }
    }
}

/// What a user of the command line does about a trouble at a service; none where the trouble says it all.
pub(crate) fn way_out(error: &anyhow::Error) -> Option<String> {
    match error.downcast_ref::<Trouble>()? {
        Trouble::NotLetIn(_) => Some(format!("set {TOKEN}, or {TOKEN_FILE} to a file that holds it")),
        Trouble::NoService(_) => Some("give the --url that `handfast serve` says where it starts".to_owned()),
        Trouble::Unreachable(_) => Some("see that `handfast serve` runs there, or give another --url".to_owned()),
        Trouble::Unknown(_) | Trouble::Usage(_) | Trouble::Conflict(_) | Trouble::InDoubt(_) | Trouble::Broken(_) | _ => None,
    }
}
