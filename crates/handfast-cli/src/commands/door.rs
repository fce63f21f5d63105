//! Where `handfast serve` listens: a port or a socket in the file system, encrypted or not.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use handfast_http::connections::Door;
use handfast_http::tls::{DoorFiles, DoorTls};

use crate::numbers;
use crate::output::{Exit, OrExit as _};

/// What `--listen` names.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Listen {
    /// A port.
    Port(SocketAddr),
    /// A socket in the file system.
    Socket(PathBuf),
}

impl Listen {
    /// Whether other machines reach it.
    pub(crate) const fn is_remote(&self) -> bool {
        match self {
            Self::Port(address) => !address.ip().is_loopback(),
            Self::Socket(_) => false,
        }
    }
}

/// Reads what `--listen` names.
pub(crate) fn listen(text: &str) -> Result<Listen, String> {
    match text.strip_prefix("unix:") {
        Some("") => Err("name the socket's file behind unix:, as in unix:/run/handfast.sock".to_owned()),
        Some(path) => Ok(Listen::Socket(path.into())),
        None => numbers::address(text).map(Listen::Port).map_err(|why| format!("{why}, or a socket, as unix:/run/handfast.sock")),
    }
}

/// How the door encrypts.
#[derive(Debug, clap::Args)]
pub(crate) struct TlsArgs {
    /// Encrypt, with this certificate and those that lead from it to an authority, in PEM. It is read again when it changes.
    #[arg(long, value_name = "FILE", env = "HANDFAST_TLS_CERT", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// The key of the certificate, in PEM.
    #[arg(long, value_name = "FILE", env = "HANDFAST_TLS_KEY", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// Let in only callers that show a certificate of these authorities, in PEM.
    #[arg(long, value_name = "FILE", env = "HANDFAST_TLS_CLIENT_CA", requires = "tls_cert")]
    tls_client_ca: Option<PathBuf>,
}

impl TlsArgs {
    /// Whether connections are encrypted.
    pub(crate) const fn encrypts(&self) -> bool {
        self.tls_cert.is_some()
    }

    fn door(self) -> anyhow::Result<Option<DoorTls>> {
        let Some((cert, key)) = self.tls_cert.zip(self.tls_key) else { return Ok(None) };
        DoorTls::open(DoorFiles { cert, key, client_ca: self.tls_client_ca }).map(Some).or_exit(Exit::Usage)
    }
}

/// Opens the door, and says where it is as a user would type it.
///
/// # Errors
/// The address is taken or not to be had, or the certificate cannot be used.
pub(crate) async fn open(listen: &Listen, tls: TlsArgs) -> anyhow::Result<(Door, String)> {
    // The files come first: where they cannot be used no caller has come.
    let tls = tls.door()?;
    let (door, url) = match listen {
        Listen::Port(address) => {
            let listener = super::listen(*address).await?;
            let address = listener.local_addr().context("cannot tell where it listens")?;
            let scheme = if tls.is_some() { "https" } else { "http" };
            (Door::from(listener), format!("{scheme}://{address}"))
        }
        Listen::Socket(path) => {
            let path = std::path::absolute(path).or_exit(Exit::Usage)?;
            (socket(&path).or_exit(Exit::Usage)?, format!("unix:{}", path.display()))
        }
    };
    Ok((
        match tls {
            None => door,
            Some(tls) => door.encrypted(tls),
        },
        url,
    ))
}

#[cfg(unix)]
fn socket(path: &Path) -> anyhow::Result<Door> {
    Door::socket(path).with_context(|| format!("cannot listen on unix:{} (give another --listen)", path.display()))
}

#[cfg(not(unix))]
fn socket(path: &Path) -> anyhow::Result<Door> {
    bail!("cannot listen on unix:{}: this system has no such sockets; give another --listen", path.display())
}

/// Where there are no tokens each caller may place and cancel orders, so only this machine reaches it, or the owner of a socket's
/// file. With tokens other machines are let in by name, and where the door does not encrypt what stands before it has to.
pub(crate) fn check(listen: &Listen, has_tokens: bool, allow_remote: bool, tls: &TlsArgs) -> anyhow::Result<()> {
    let address = match listen {
        Listen::Socket(_) if tls.encrypts() => {
            bail!(
                "--listen unix: and --tls-cert exclude each other: nothing that goes through a socket's file leaves this machine"
            )
        }
        Listen::Socket(_) => return Ok(()),
        Listen::Port(address) => address,
    };
    match (address.ip().is_loopback(), has_tokens, allow_remote) {
        (true, _, _) | (false, true, true) => Ok(()),
        (false, false, _) => bail!(
            "--listen {address}: without tokens the service cannot tell its callers apart, so it listens on loopback only; use \
             127.0.0.1:{}, or draw tokens with handfast tokens new and give --tokens FILE --allow-remote",
            address.port()
        ),
        (false, true, false) if tls.encrypts() => {
            bail!("--listen {address} is reached from other machines; say --allow-remote if that is meant")
        }
        (false, true, false) => bail!(
            "--listen {address} is reached from other machines; say --allow-remote if that is meant, and encrypt by --tls-cert FILE \
             --tls-key FILE, or have what stands before the service encrypt: tokens travel as they are"
        ),
    }
}
