//! A service that encrypts, or listens on a socket in the file system, and our own commands that ask it.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops where it is")]

use std::fs;
use std::path::PathBuf;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};

use crate::serve::shop::{Process, Shop, path};
use crate::support::run;

/// Writes an authority, and a certificate of it for this machine with its key.
fn certificates(shop: &Shop) -> [PathBuf; 3] {
    let mut params = CertificateParams::new([]).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let ca = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let cert = CertificateParams::new(["127.0.0.1".to_owned()]).unwrap().signed_by(&key, &ca).unwrap();
    let write = |name: &str, pem: String| {
        let file = shop.folder.path().join(name);
        fs::write(&file, pem).unwrap();
        file
    };
    [write("ca.pem", ca.pem()), write("cert.pem", cert.pem()), write("key.pem", key.serialize_pem())]
}

fn stop(process: Process) {
    process.signal("TERM");
    assert!(process.wait().success());
}

#[test]
fn our_own_commands_ask_a_service_that_encrypts() {
    let shop = Shop::closed();
    let [ca, cert, key] = certificates(&shop);
    let tls = ["--tls-cert", path(&cert), "--tls-key", path(&key)];
    let coordinator = shop.coordinator(&tls);
    assert!(coordinator.url.starts_with("https://127.0.0.1:"), "{}", coordinator.url);
    let list = |more: &[&str]| run([&["sagas", "list", "--json", "--url", &coordinator.url], more].concat());
    let told = list(&["--ca", path(&ca)]);
    assert!(told.code == Some(0), "{told:?}");
    let told = run(["definitions", "list", "--url", &coordinator.url, "--ca", path(&ca)]);
    assert!(told.code == Some(0), "{told:?}");
    // This machine's authorities have not signed it, so nothing is sent there.
    let refused = list(&[]);
    assert!(refused.code == Some(5) && refused.stderr.contains("certificate"), "{refused:?}");
    let wrong = list(&["--ca", path(&key)]);
    assert!(wrong.code == Some(2) && wrong.stderr.contains("holds no certificate"), "{wrong:?}");
    let plain = coordinator.url.replace("https", "http");
    assert_ne!(run(["sagas", "list", "--url", &plain]).code, Some(0));
    stop(coordinator);

    // Callers of this authority alone.
    let mutual = shop.coordinator(&[&tls[..], &["--tls-client-ca", path(&ca)]].concat());
    let list = |more: &[&str]| run([&["sagas", "list", "--url", &mutual.url, "--ca", path(&ca)], more].concat());
    assert_eq!(list(&["--client-cert", path(&cert), "--client-key", path(&key)]).code, Some(0));
    assert_ne!(list(&[]).code, Some(0));
    stop(mutual);
}

#[test]
fn what_cannot_encrypt_does_not_start() {
    let shop = Shop::closed();
    let [ca, cert, key] = certificates(&shop);
    let (flow, store) = (shop.flow(), shop.store());
    let serve = |more: &[&str]| run([&["serve", "--flow", path(&flow), "--store", &store], more].concat());
    for (more, why) in [
        (&["--tls-cert", path(&cert)][..], "--tls-key"),
        (&["--tls-cert", path(&ca), "--tls-key", path(&key)], "of one pair"),
        (&["--tls-cert", path(&key), "--tls-key", path(&key)], "holds no certificate"),
        (&["--tls-cert", path(&cert), "--tls-key", path(&key), "--listen", "0.0.0.0:0"], "without tokens"),
        (&["--tls-cert", path(&cert), "--tls-key", path(&key), "--listen", "unix:x.sock"], "exclude each other"),
        (&["--listen", path(&flow)], "unix:/run/handfast.sock"),
    ] {
        let refused = serve(more);
        assert!(refused.code == Some(2) && refused.stderr.contains(why), "{more:?}: {refused:?}");
    }
    assert!(!shop.folder.path().join("shop.db").exists(), "the store was left alone");
}

#[cfg(unix)]
#[test]
fn a_service_on_a_socket_is_asked_through_it() {
    let shop = Shop::closed();
    let socket = format!("unix:{}", shop.folder.path().join("h.sock").display());
    let (flow, store) = (shop.flow(), shop.store());
    let serve = ["serve", "--flow", path(&flow), "--listen", &socket, "--store", &store];
    let killed = Process::start(&serve);
    assert_eq!(killed.url, socket);
    let again = run(serve);
    assert!(again.code == Some(2) && again.stderr.contains("another process listens there"), "{again:?}");
    killed.kill();
    // It has left its socket behind, which is replaced.
    assert_ne!(run(["sagas", "list", "--url", &socket]).code, Some(0));
    let coordinator = Process::start(&serve);
    let told = run(["sagas", "list", "--json", "--url", &socket]);
    assert!(told.code == Some(0), "{told:?}");
    stop(coordinator);
    assert!(!shop.folder.path().join("h.sock").exists(), "it is removed at the end");
}
