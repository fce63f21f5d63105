//! Encryption at a door and on the way to one: certificates and keys from files, which a door reads again when they change.
//!
//! What encrypts is chosen here and nowhere else: nothing becomes the default of the process, so a program that has this inside is
//! not disturbed.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier as _;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use rustls_platform_verifier::Verifier;
use tokio::sync::watch;

use crate::clock;

/// How often the files are read again. They are small, and what stands in them is compared as a whole: times and lengths of files
/// can be the same after a change.
const BETWEEN_LOOKS: Duration = Duration::from_secs(1);
/// After how many looks it is said again that new files cannot be used.
const LOOKS_BETWEEN_LINES: u32 = 60;
/// How long before its end a certificate is warned of, and after how many looks again.
const SOON: Duration = Duration::from_hours(14 * 24);
const LOOKS_BETWEEN_WARNINGS: u32 = 86_400;

/// The files of a door, in PEM.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DoorFiles {
    /// The certificate, and behind it those that lead to an authority.
    pub cert: PathBuf,
    /// Its key.
    pub key: PathBuf,
    /// The authorities of callers. Where there are any, each caller has to show a certificate of one.
    pub client_ca: Option<PathBuf>,
}

/// The files of a caller, in PEM.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct CallerFiles {
    /// The authorities that are believed, instead of the machine's.
    pub ca: Option<PathBuf>,
    /// What is shown to a service that asks for a certificate, and its key.
    pub cert_and_key: Option<(PathBuf, PathBuf)>,
}

/// Why files cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// A file cannot be read.
    #[error("{path} cannot be read: {error}", path = .path.display())]
    Read {
        /// Which one.
        path: PathBuf,
        /// The system's words.
        error: std::io::Error,
    },
    /// A file holds something else.
    #[error("{path} holds no {wanted} in PEM (`-----BEGIN ..`)", path = .path.display())]
    Not {
        /// Which one.
        path: PathBuf,
        /// What it was to hold.
        wanted: &'static str,
    },
    /// What the files hold cannot be used, a key that is of another certificate for instance.
    #[error("{path} cannot be used: {error}; are the certificate and the key of one pair?", path = .path.display())]
    Pair {
        /// The file of the certificate.
        path: PathBuf,
        /// What is wrong.
        error: rustls::Error,
    },
    /// The time of the certificate is over, or has not begun.
    #[error("{path} cannot be used: {error}; put a certificate there that counts now", path = .path.display())]
    Time {
        /// The file of the certificate.
        path: PathBuf,
        /// Since when, or from when on.
        error: rustls::Error,
    },
    /// An authority cannot be used.
    #[error("{path} cannot be used: {why}", path = .path.display())]
    Authority {
        /// Its file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// This machine has no list of authorities.
    #[error("this machine's list of authorities cannot be read: {0}; name one's own by --ca FILE")]
    Machine(rustls::Error),
    /// The files cannot be watched.
    #[error("the files cannot be watched: {0}")]
    Watch(std::io::Error),
}

/// What the files held, byte for byte.
#[derive(Clone, PartialEq, Eq)]
struct Held {
    cert: Vec<u8>,
    key: Vec<u8>,
    client_ca: Option<(PathBuf, Vec<u8>)>,
}

/// How a door encrypts. Connections that are open go on as they began.
#[derive(Clone, Debug)]
pub struct DoorTls(watch::Receiver<Arc<ServerConfig>>);

impl DoorTls {
    /// Reads the files, and goes on reading them as long as this is there, on a thread of its own. New ones that cannot be used are
    /// told in the log, and those of before count until they can.
    ///
    /// # Errors
    /// They cannot be used.
    pub fn open(files: DoorFiles) -> Result<Self, TlsError> {
        let held = hold(&files)?;
        let (tell, told) = watch::channel(Arc::new(config(&files, &held)?));
        let started = thread::Builder::new().name("handfast-tls".to_owned()).spawn(move || look_on(&files, held, &tell));
        started.map_err(TlsError::Watch)?;
        Ok(Self(told))
    }

    /// How a connection that begins now is encrypted.
    pub(crate) fn at_hand(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.0.borrow())
    }
}

/// Looks at the files as long as there is a door.
fn look_on(files: &DoorFiles, mut counts: Held, tell: &watch::Sender<Arc<ServerConfig>>) {
    // What is wrong with the files, and for how many looks already.
    let mut wrong: Option<(String, u32)> = None;
    let mut looks_at_its_end: u32 = 0;
    while !tell.is_closed() {
        if looks_at_its_end.is_multiple_of(LOOKS_BETWEEN_WARNINGS) {
            tell_of_its_end(files, &counts);
        }
        looks_at_its_end = looks_at_its_end.wrapping_add(1);
        thread::sleep(BETWEEN_LOOKS);
        let cert = files.cert.display();
        let read = hold(files).and_then(|held| if held == counts { Ok(None) } else { Ok(Some((config(files, &held)?, held))) });
        match read {
            Ok(found) => {
                wrong = None;
                let Some((config, held)) = found else { continue };
                (counts, looks_at_its_end) = (held, 0);
                tell.send_replace(Arc::new(config));
                tracing::info!(name: "certificate_read", %cert, "the certificate has changed, and counts for new connections");
            }
            Err(error) => {
                let why = error.to_string();
                let looks = wrong.take().filter(|(known, _)| *known == why).map_or(0, |(_, looks)| looks + 1);
                if looks.is_multiple_of(LOOKS_BETWEEN_LINES) {
                    let message =
                        "the files of the certificate have changed and cannot be used; those of before count until they can";
                    tracing::error!(name: "certificate_unusable", %cert, why, "{message}");
                }
                wrong = Some((why, looks));
            }
        }
    }
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

fn bytes(path: &Path) -> Result<Vec<u8>, TlsError> {
    std::fs::read(path).map_err(|error| TlsError::Read { path: path.to_owned(), error })
}

fn hold(files: &DoorFiles) -> Result<Held, TlsError> {
    let client_ca = files.client_ca.as_deref().map(|path| Ok((path.to_owned(), bytes(path)?))).transpose()?;
    Ok(Held { cert: bytes(&files.cert)?, key: bytes(&files.key)?, client_ca })
}

fn certificates(path: &Path, pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let read: Vec<_> = CertificateDer::pem_slice_iter(pem).collect::<Result<_, _>>().unwrap_or_default();
    if read.is_empty() { Err(TlsError::Not { path: path.to_owned(), wanted: "certificate" }) } else { Ok(read) }
}

fn key(path: &Path, pem: &[u8]) -> Result<PrivateKeyDer<'static>, TlsError> {
    PrivateKeyDer::from_pem_slice(pem).map_err(|_| TlsError::Not { path: path.to_owned(), wanted: "private key" })
}

fn authorities(path: &Path, pem: &[u8]) -> Result<RootCertStore, TlsError> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(path, pem)? {
        let refused = |error: rustls::Error| TlsError::Authority { path: path.to_owned(), why: error.to_string() };
        roots.add(certificate).map_err(refused)?;
    }
    Ok(roots)
}

fn config(files: &DoorFiles, held: &Held) -> Result<ServerConfig, TlsError> {
    let pair = |error| TlsError::Pair { path: files.cert.clone(), error };
    let builder = ServerConfig::builder_with_provider(provider()).with_safe_default_protocol_versions().map_err(pair)?;
    let builder = match &held.client_ca {
        Some((path, pem)) => {
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(authorities(path, pem)?), provider()).build();
            let verifier = verifier.map_err(|error| TlsError::Authority { path: path.clone(), why: error.to_string() })?;
            builder.with_client_cert_verifier(verifier)
        }
        None => builder.with_no_client_auth(),
    };
    let (cert, key) = (certificates(&files.cert, &held.cert)?, key(&files.key, &held.key)?);
    if let Some(error) = out_of_time(&cert, clock::now()) {
        return Err(TlsError::Time { path: files.cert.clone(), error });
    }
    let mut config = builder.with_single_cert(cert, key).map_err(pair)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

/// Why a certificate does not count at this time, if it is the time. Who has signed it is not looked at: that is for callers.
fn out_of_time(chain: &[CertificateDer<'static>], now: UnixTime) -> Option<rustls::Error> {
    use rustls::CertificateError::{Expired, ExpiredContext, NotValidYet, NotValidYetContext};

    let leaf = chain.first()?;
    let mut roots = RootCertStore::empty();
    roots.add(leaf.clone()).ok()?;
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider()).build().ok()?;
    let name = ServerName::try_from("localhost").ok()?;
    // The time is looked at before anything else.
    match verifier.verify_server_cert(leaf, &[], &name, &[], now) {
        Err(
            error @ rustls::Error::InvalidCertificate(Expired | ExpiredContext { .. } | NotValidYet | NotValidYetContext { .. }),
        ) => Some(error),
        Err(_) | Ok(_) => None,
    }
}

/// Says in the log that the certificate ends soon.
fn tell_of_its_end(files: &DoorFiles, held: &Held) {
    let soon = UnixTime::since_unix_epoch(Duration::from_secs(clock::now().as_secs()) + SOON);
    let ends = certificates(&files.cert, &held.cert).is_ok_and(|chain| out_of_time(&chain, soon).is_some());
    if ends {
        let message = "the certificate ends within 14 days, and callers turn away from then on; put a new one in its place";
        tracing::warn!(name: "certificate_expires", cert = %files.cert.display(), "{message}");
    }
}

/// How a caller encrypts.
///
/// # Errors
/// Its files cannot be used, or this machine has no list of authorities and none is named.
pub fn caller(files: &CallerFiles) -> Result<Arc<ClientConfig>, TlsError> {
    let builder = ClientConfig::builder_with_provider(provider()).with_safe_default_protocol_versions();
    let builder = builder.map_err(TlsError::Machine)?;
    let builder = match &files.ca {
        Some(path) => builder.with_root_certificates(authorities(path, &bytes(path)?)?),
        None => {
            let verifier = Verifier::new(provider()).map_err(TlsError::Machine)?;
            builder.dangerous().with_custom_certificate_verifier(Arc::new(verifier))
        }
    };
    let mut config = match &files.cert_and_key {
        None => builder.with_no_client_auth(),
        Some((cert, key_file)) => {
            let shown = certificates(cert, &bytes(cert)?)?;
            let pair = |error| TlsError::Pair { path: cert.clone(), error };
            builder.with_client_auth_cert(shown, key(key_file, &bytes(key_file)?)?).map_err(pair)?
        }
    };
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}
