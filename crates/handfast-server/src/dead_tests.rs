//! A service that takes no orders says so to a caller that asks whether it is ready; one of which a part has stopped for good
//! ends.

use std::sync::Arc;
use std::time::Duration;

use handfast::Engine;
use handfast::flow_file::FlowFile;
use handfast::store::{FlakyStore, MemoryStore, Store};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use crate::access::Callers;
use crate::server::Server;
use crate::service::Service;
use crate::test_support::FLOW;

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

async fn service_on(store: Arc<dyn Store>, stop: &watch::Receiver<bool>) -> Arc<Service> {
    let file = FlowFile::parse("shop.toml", FLOW).expect("it is sound");
    let flow = file.flow::<&str>(&[]).expect("it needs no participant of the program");
    let engine = Engine::builder(store).flow(Arc::clone(&flow)).open().await.expect("it opens");
    Arc::new(Service::over(Arc::new(engine), (file, flow).into(), Callers::everybody(64), stop.clone()))
}

#[tokio::test]
async fn a_service_that_has_no_room_for_an_order_is_not_ready() {
    let (_keeps_on, stop) = watch::channel(false);
    let service = service_on(Arc::new(MemoryStore::new()), &stop).await;
    assert!(service.check_ready().await.is_ok());
    let bytes = vec![b'x'; 32 * 1024 * 1024];
    let most = bytes.len();
    let held =
        service.orders_budget().read(bytes.into(), most, Duration::from_secs(30)).await.expect("there is room for so much");
    assert_eq!(service.check_ready().await.expect_err("an order finds no room").kind().slug(), "crowded");
    drop(held);
    assert!(service.check_ready().await.is_ok());
}

#[tokio::test]
async fn a_service_whose_store_does_not_answer_is_not_ready() {
    let store = Arc::new(FlakyStore::new(MemoryStore::new()));
    let (_keeps_on, stop) = watch::channel(false);
    let service = service_on(Arc::clone(&store) as Arc<dyn Store>, &stop).await;
    assert!(service.check_ready().await.is_ok());
    store.crash_at(1, true);
    let _crashed = store.probe(1).await;
    // It took a write just now, so only that nothing of it can be read shows what has become of it.
    assert_eq!(service.check_ready().await.expect_err("it does not answer").kind().slug(), "store-unavailable");
    store.restart();
    assert!(service.check_ready().await.is_ok());
}

#[tokio::test]
async fn a_service_whose_writer_has_died_is_not_alive_and_ends() {
    let store = Arc::new(FlakyStore::new(MemoryStore::new()));
    let (_keeps_on, stop) = watch::channel(false);
    let service = service_on(Arc::clone(&store) as Arc<dyn Store>, &stop).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("it has one");
    // The same service behind a door of its own, which stays open when the service ends.
    let beside = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let door = beside.local_addr().expect("it has one");
    let router = crate::routes::router(Arc::clone(&service));
    tokio::spawn(handfast_http::connections::serve_router(beside, router, 16, stop.clone()));
    let ending = tokio::spawn(async move { Server::of(service, 16, stop).serve(listener, Duration::from_secs(5)).await });
    for page in ["GET /livez", "GET /readyz"] {
        let answer = ask(address, page, "").await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{page}: {answer}");
    }

    store.die();
    for page in ["GET /livez", "GET /readyz"] {
        let answer = ask(door, page, "").await;
        assert!(answer.starts_with("HTTP/1.1 503") && answer.contains("the store's writer has stopped"), "{page}: {answer}");
    }
    let refused = ask(door, "POST /sagas", "{\"id\":\"order-1\",\"lines\":[{\"sku\":\"tea\"}]}").await;
    assert!(refused.starts_with("HTTP/1.1 503"), "{refused}");
    let ended = tokio::time::timeout(Duration::from_secs(60), ending).await.expect("it does not stay on as a zombie");
    let why = ended.expect("it does not panic").expect_err("it is an error").to_string();
    assert_eq!(why, "the store's writer has stopped; start the service again: nothing that was acknowledged is lost");
    assert!(TcpStream::connect(address).await.is_err(), "it listens on after its end");
}

/// An application that drops it, or whose task of it is aborted, has ended it: no order is taken behind its back.
#[tokio::test]
async fn a_service_that_is_dropped_takes_no_more_orders() {
    let (_keeps_on, stop) = watch::channel(false);
    let service = service_on(Arc::new(MemoryStore::new()), &stop).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("it has one");
    let serving = tokio::spawn(async move { Server::of(service, 16, stop).serve(listener, Duration::from_secs(5)).await });
    assert!(ask(address, "GET /livez", "").await.starts_with("HTTP/1.1 200"));
    let mut idle = TcpStream::connect(address).await.expect("it listens");
    let asks = format!("GET /livez HTTP/1.1\r\nHost: {address}\r\n\r\n");
    idle.write_all(asks.as_bytes()).await.expect("it listens");
    let mut first = [0; 12];
    idle.read_exact(&mut first).await.expect("it answers");
    assert_eq!(&first, b"HTTP/1.1 200");

    serving.abort();
    let ended = async {
        while TcpStream::connect(address).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let mut rest = Vec::new();
        let _shut = idle.read_to_end(&mut rest).await;
    };
    tokio::time::timeout(Duration::from_secs(20), ended).await.expect("it takes no more, and a connection that waits is shut");
}
