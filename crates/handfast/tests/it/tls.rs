//! Calling services over TLS is a matter of this library alone: nothing becomes the default of the process.

use std::time::Duration;

use bytes::Bytes;
use handfast::participant::{Delivery, Heard, HttpParticipant, Participant as _, Reply};
use handfast::{Clock, Operation};
use tokio::net::TcpListener;

/// Whoever else has rustls in the process finds no provider that we have installed, and nobody is trusted without a certificate.
#[tokio::test]
async fn a_service_over_tls_leaves_the_process_as_it_was() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let _answers_in_clear = tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            stream.readable().await.unwrap();
            stream.try_write(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").unwrap();
        }
    });
    let service = HttpParticipant::new(&format!("https://{address}/keys"), Duration::from_secs(10), Clock::system()).unwrap();
    let body = Bytes::from_static(b"{}");
    let request = Delivery {
        key: "s.o-1.payment",
        operation: Operation::Act,
        is_about_undo: false,
        body: &body,
        body_hash: "",
        number: 1,
        seen: None,
        not_after: None,
        leaves_before: None,
    };
    let Reply::Unknown { seen, heard, .. } = service.deliver(request).await else { panic!("it was believed") };
    assert_eq!(heard, Heard::NoConnection, "{seen}");
    assert!(rustls::crypto::CryptoProvider::get_default().is_none(), "a provider was installed for the whole process");
}
