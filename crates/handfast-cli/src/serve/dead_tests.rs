//! A service a part of which has stopped for good says so, takes nothing, and ends.

use std::sync::Arc;
use std::time::Duration;

use handfast::Engine;
use handfast::flow::FlowFile;
use handfast::store::{FlakyStore, MemoryStore, Store};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use super::service::Service;
use super::until_stopped;
use crate::commands::flow::ChosenFlow;

const FLOW: &str =
    "name = \"shop\"\n[input]\nlines = \"list\"\n[[step]]\nname = \"dispatch\"\nkind = \"pivot\"\nurl = \"http://127.0.0.1:1\"\n";

/// The whole answer to a request; nothing where the connection was shut.
async fn ask(address: std::net::SocketAddr, line: &str, body: &str) -> String {
    let mut stream = TcpStream::connect(address).await.expect("it listens");
    let head = format!(
        "{line} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nIdempotency-Key: key-1\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(head.as_bytes()).await.expect("it listens");
    let mut answer = String::new();
    let _shut = stream.read_to_string(&mut answer).await;
    answer
}

#[tokio::test]
async fn a_service_whose_writer_has_died_is_not_alive_and_ends() {
    let file = FlowFile::parse("shop.toml", FLOW).expect("it is sound");
    let flow = file.flow::<&str>(&[]).expect("it needs nobody's consent");
    let store = Arc::new(FlakyStore::new(MemoryStore::new()));
    let engine = Engine::builder(Arc::clone(&store) as Arc<dyn Store>).flow(Arc::clone(&flow)).open().await.expect("it opens");
    let (_keeps_on, stop) = watch::channel(false);
    let service = Arc::new(Service::over(engine, ChosenFlow { file, flow }, Default::default(), 64, stop.clone()));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("it has one");
    let ending = tokio::spawn(async move { until_stopped(&service, (listener, 16), (stop, Duration::from_secs(5))).await });
    for page in ["GET /livez", "GET /readyz"] {
        let answer = ask(address, page, "").await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{page}: {answer}");
    }

    store.die();
    for page in ["GET /livez", "GET /readyz"] {
        let answer = ask(address, page, "").await;
        assert!(answer.starts_with("HTTP/1.1 503") && answer.contains("the store's writer has stopped"), "{page}: {answer}");
    }
    let refused = ask(address, "POST /sagas", "{\"id\":\"order-1\",\"lines\":[{\"sku\":\"tea\"}]}").await;
    assert!(refused.starts_with("HTTP/1.1 503"), "{refused}");
    let ended = tokio::time::timeout(Duration::from_secs(60), ending).await.expect("it does not stay on as a zombie");
    let why = ended.expect("it does not panic").expect_err("it is an error").to_string();
    assert_eq!(why, "the store's writer has stopped; start the service again: nothing that was acknowledged is lost");
}
