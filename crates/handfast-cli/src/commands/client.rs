//! How commands ask a running service: with the token that stands in the environment, if one does.

use std::env;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow};
use handfast_http::client::HttpClient;
use handfast_http::service_url::ServiceUrl;
use handfast_http::tls::{self, CallerFiles};
use handfast_server::operator::{self, Trouble};
use hyper::Method;
use serde_json::Value;

use crate::output::{Exit, OrExit as _};

/// The token itself. There is no option for it, since every user of a machine sees what commands are run with.
const TOKEN: &str = "HANDFAST_TOKEN";
/// A file that holds it, as secrets are handed to containers and units.
const TOKEN_FILE: &str = "HANDFAST_TOKEN_FILE";

/// Who is believed to be the service at an `https` URL, and what is shown to it.
#[derive(Clone, Default, Debug, clap::Args)]
pub(crate) struct ClientArgs {
    /// The authorities of a service at an https:// URL, in PEM, instead of the machine's.
    #[arg(long, value_name = "FILE", env = "HANDFAST_CA")]
    ca: Option<PathBuf>,
    /// The certificate that is shown to such a service where it asks for one, in PEM.
    #[arg(long, value_name = "FILE", env = "HANDFAST_CLIENT_CERT", requires = "client_key")]
    client_cert: Option<PathBuf>,
    /// The key of that certificate, in PEM.
    #[arg(long, value_name = "FILE", env = "HANDFAST_CLIENT_KEY", requires = "client_cert")]
    client_key: Option<PathBuf>,
}

/// The client of a command, for the service at this address.
///
/// # Errors
/// The file that the environment names cannot be read, what is there is no token, or certificates cannot be used.
pub(crate) fn client(url: &ServiceUrl, args: &ClientArgs) -> anyhow::Result<HttpClient> {
    let client = with_its_token()?;
    if let Some(socket) = url.socket() {
        return through(client, socket);
    }
    if !url.is_encrypted() {
        return Ok(client);
    }
    let ClientArgs { ca, client_cert, client_key } = args.clone();
    let files = CallerFiles { ca, cert_and_key: client_cert.zip(client_key) };
    Ok(client.with_tls(tls::caller(&files).or_exit(Exit::Usage)?))
}

#[cfg(unix)]
fn through(client: HttpClient, socket: &Path) -> anyhow::Result<HttpClient> {
    Ok(client.through_socket(socket))
}

#[cfg(not(unix))]
fn through(_: HttpClient, socket: &Path) -> anyhow::Result<HttpClient> {
    Err(anyhow!("unix:{}: this system has no such sockets", socket.display())).or_exit(Exit::Usage)
}

fn with_its_token() -> anyhow::Result<HttpClient> {
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

/// Asks the service. What it says cannot be done as things stand is no error of this program.
pub(crate) async fn ask(
    (client, url): (&HttpClient, &ServiceUrl),
    method: Method,
    path: &str,
    body: Option<Value>,
) -> Result<Value, Trouble> {
    let told = operator::ask(client, url, method, path, body).await;
    told.map_err(|trouble| if let Trouble::Conflict(said) = trouble { Trouble::Usage(said) } else { trouble })
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
