//! Real connections with certificates that are made here: who is believed, who is not, and what becomes of a door whose files change.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops where it is")]

use std::path::{Path, PathBuf};
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use bytes::Bytes;
use hyper::Method;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use super::*;
use crate::client::{CallError, HttpClient};
use crate::tls::{CallerFiles, DoorFiles, DoorTls, TlsError, caller};

/// How long anything here may take; what goes on does so in milliseconds.
const PATIENCE: Duration = Duration::from_secs(60);

/// An authority, and a folder for what it signs.
struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    folder: TempDir,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new([]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("ca.pem"), issuer.pem()).unwrap();
        Self { issuer, folder }
    }

    fn ca(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// Writes a certificate for `name` and its key, and gives the two files.
    fn sign(&self, name: &str, is_expired: bool, file: &str) -> (PathBuf, PathBuf) {
        let mut params = CertificateParams::new([name.to_owned()]).unwrap();
        if is_expired {
            params.not_before = date_time_ymd(2020, 1, 1);
            params.not_after = date_time_ymd(2021, 1, 1);
        }
        let key = KeyPair::generate().unwrap();
        let cert = params.signed_by(&key, &self.issuer).unwrap();
        let [cert_file, key_file] = ["cert", "key"].map(|kind| self.folder.path().join(format!("{file}-{kind}.pem")));
        std::fs::write(&cert_file, cert.pem()).unwrap();
        std::fs::write(&key_file, key.serialize_pem()).unwrap();
        (cert_file, key_file)
    }

    fn client(&self) -> HttpClient {
        client(CallerFiles { ca: Some(self.ca()), cert_and_key: None })
    }
}

fn client(files: CallerFiles) -> HttpClient {
    HttpClient::new().with_tls(caller(&files).unwrap())
}

struct Serving {
    url: String,
    stop: watch::Sender<bool>,
    ended: tokio::task::JoinHandle<()>,
}

fn files((cert, key): &(PathBuf, PathBuf), client_ca: Option<PathBuf>) -> DoorFiles {
    DoorFiles { cert: cert.clone(), key: key.clone(), client_ca }
}

async fn serve_encrypted(files: DoorFiles) -> Serving {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://localhost:{}", listener.local_addr().unwrap().port());
    let (stop, told) = watch::channel(false);
    let router = Router::new().route("/", get(|| async { "here" }));
    let door = Door::from(listener).encrypted(DoorTls::open(files).unwrap());
    Serving { url, stop, ended: tokio::spawn(serve_router(door, router, 16, told)) }
}

async fn ask(client: &HttpClient, url: &str) -> Result<Bytes, CallError> {
    client.ask(Method::GET, url, &[], Bytes::new(), PATIENCE).await.map(|answer| answer.body)
}

#[track_caller]
fn check_never_left(asked: Result<Bytes, CallError>, why: &str) {
    let error = asked.unwrap_err();
    let told = format!("{error:#}");
    assert!(error.never_left() && told.to_lowercase().contains(why), "{told}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_is_believed_by_its_authority_its_name_and_its_time() {
    let (ours, other) = (Authority::new(), Authority::new());
    let sound = serve_encrypted(files(&ours.sign("localhost", false, "sound"), None)).await;
    assert_eq!(ask(&ours.client(), &sound.url).await.unwrap(), "here");
    // The other authority calls itself the same, and has another key.
    check_never_left(ask(&other.client(), &sound.url).await, "badsignature");
    check_never_left(ask(&ours.client(), &sound.url.replace("localhost", "127.0.0.1")).await, "not valid for");
    let plain = sound.url.replace("https", "http");
    assert!(ask(&ours.client(), &plain).await.is_err(), "nothing is answered in the clear");
    let nameless = format!("https://a_b..c:{}", sound.url.rsplit(':').next().unwrap());
    check_never_left(ask(&ours.client(), &nameless).await, "no name");
    assert!(rustls::crypto::CryptoProvider::get_default().is_none(), "nothing became the default of the process");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn callers_show_a_certificate_where_an_authority_of_theirs_is_named() {
    let (ours, callers) = (Authority::new(), Authority::new());
    let door = serve_encrypted(files(&ours.sign("localhost", false, "door"), Some(callers.ca()))).await;
    let showing = |shown| client(CallerFiles { ca: Some(ours.ca()), cert_and_key: Some(shown) });
    let let_in = showing(callers.sign("ada", false, "ada"));
    assert_eq!(ask(&let_in, &door.url).await.unwrap(), "here");
    // Of a certificate that a door does not take the caller hears once it has asked, so whether the request left is not known here.
    for turned_away in [ours.client(), showing(ours.sign("ada", false, "stranger")), showing(callers.sign("ada", true, "late"))] {
        ask(&turned_away, &door.url).await.unwrap_err();
    }
}

/// The leaf certificate that a door shows now.
async fn shown_by(authority: &Authority, url: &str) -> Vec<u8> {
    let config = caller(&CallerFiles { ca: Some(authority.ca()), cert_and_key: None }).unwrap();
    let address = url.trim_start_matches("https://").to_owned();
    let stream = TcpStream::connect(address).await.unwrap();
    let stream = tokio_rustls::TlsConnector::from(config).connect("localhost".try_into().unwrap(), stream).await.unwrap();
    stream.get_ref().1.peer_certificates().unwrap()[0].to_vec()
}

async fn until_shown(authority: &Authority, url: &str, is_it: impl Fn(&[u8]) -> bool) {
    let shows = async {
        while !is_it(&shown_by(authority, url).await) {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(PATIENCE, shows).await.expect("the new certificate counts");
}

fn put((from_cert, from_key): &(PathBuf, PathBuf), (cert, key): &(PathBuf, PathBuf)) {
    std::fs::copy(from_cert, cert).unwrap();
    std::fs::copy(from_key, key).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn new_files_count_for_new_connections_and_those_that_cannot_be_used_do_not() {
    let ours = Authority::new();
    let used = ours.sign("localhost", false, "used");
    let door = serve_encrypted(files(&used, None)).await;
    let first = shown_by(&ours, &door.url).await;
    // A connection that stays open over all of it.
    let config = caller(&CallerFiles { ca: Some(ours.ca()), cert_and_key: None }).unwrap();
    let stream = TcpStream::connect(door.url.trim_start_matches("https://")).await.unwrap();
    let mut open = tokio_rustls::TlsConnector::from(config).connect("localhost".try_into().unwrap(), stream).await.unwrap();

    // A key of another certificate, and what is none at all: the pair of before goes on counting.
    let other = ours.sign("localhost", false, "other");
    std::fs::copy(&other.1, &used.1).unwrap();
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    assert_eq!(shown_by(&ours, &door.url).await, first, "a key that is of another certificate changes nothing");
    put(&ours.sign("localhost", true, "expired"), &used);
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    assert_eq!(shown_by(&ours, &door.url).await, first, "nor does one whose time is over");
    std::fs::write(&used.0, "no certificate").unwrap();
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    assert_eq!(shown_by(&ours, &door.url).await, first, "nor does a file without one");

    put(&other, &used);
    until_shown(&ours, &door.url, |shown| shown != first).await;
    assert_eq!(ask(&ours.client(), &door.url).await.unwrap(), "here");
    open.write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    open.read_to_end(&mut answer).await.unwrap();
    assert!(answer.starts_with(b"HTTP/1.1 200") && answer.ends_with(b"here"), "a connection that was open goes on as it began");
    door.stop.send_replace(true);
    tokio::time::timeout(PATIENCE, door.ended).await.unwrap().unwrap();
}

/// Those who come and agree to nothing hold no caller's place.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_agrees_to_nothing_shuts_no_caller_out() {
    let ours = Authority::new();
    let door = serve_encrypted(files(&ours.sign("localhost", false, "door"), None)).await;
    let mut mute = Vec::new();
    for _ in 0..64 {
        mute.push(TcpStream::connect(door.url.trim_start_matches("https://")).await.unwrap());
    }
    for _ in 0..8 {
        assert_eq!(ask(&ours.client(), &door.url).await.unwrap(), "here");
        mute.push(TcpStream::connect(door.url.trim_start_matches("https://")).await.unwrap());
    }
}

#[test]
fn files_that_cannot_be_used_are_named() {
    let ours = Authority::new();
    let (one, two) = (ours.sign("localhost", false, "one"), ours.sign("localhost", false, "two"));
    let open = |cert: &Path, key: &Path, ca: Option<PathBuf>| {
        DoorTls::open(DoorFiles { cert: cert.to_owned(), key: key.to_owned(), client_ca: ca }).map(drop).unwrap_err()
    };
    assert!(matches!(open(&one.0, &two.1, None), TlsError::Pair { .. }));
    let expired = ours.sign("localhost", true, "expired");
    assert!(matches!(open(&expired.0, &expired.1, None), TlsError::Time { .. }));
    assert!(matches!(open(&one.1, &one.1, None), TlsError::Not { wanted: "certificate", .. }));
    assert!(matches!(open(&one.0, &one.0, None), TlsError::Not { wanted: "private key", .. }));
    assert!(matches!(open(&one.0, &one.1, Some(one.1.clone())), TlsError::Not { .. }));
    assert!(matches!(open(Path::new("nowhere.pem"), &one.1, None), TlsError::Read { .. }));
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_socket_is_its_owners_and_goes_with_its_door() {
    use std::os::unix::fs::PermissionsExt as _;

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("handfast.sock");
    let serve_there = || {
        let (stop, told) = watch::channel(false);
        let router = Router::new().route("/", get(|| async { "here" }));
        (stop, tokio::spawn(serve_router(Door::socket(&path).unwrap(), router, 16, told)))
    };
    // One that was left behind.
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    assert!(path.exists());
    let (stop, ended) = serve_there();
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let through = HttpClient::new().through_socket(&path);
    assert_eq!(ask(&through, "http://localhost/").await.unwrap(), "here");
    assert_eq!(Door::socket(&path).unwrap_err().kind(), std::io::ErrorKind::AddrInUse, "another process listens there");
    stop.send_replace(true);
    tokio::time::timeout(PATIENCE, ended).await.unwrap().unwrap();
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "nothing is left of it");
    check_never_left(ask(&through, "http://localhost/").await, "no such file");
    std::fs::write(&path, "a letter").unwrap();
    assert_eq!(Door::socket(&path).unwrap_err().kind(), std::io::ErrorKind::AlreadyExists);
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "a letter", "what is no socket stays");
}
