//! Callers who mean no good, or sleep: the service keeps its memory, its files and its room for everybody else.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops where it is")]

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use handfast::Clock;
use tempfile::TempDir;

use crate::serve::shop::{Caller, Process, Shop, order, path};

/// What strangers send to a webhook's address: all but the last byte of a body, with these headers.
struct Strangers {
    number: usize,
    headers: String,
}

const BODY: usize = 262_144;

impl Strangers {
    /// Sends, from several threads at once.
    fn send(&self, url: &str) -> Vec<TcpStream> {
        const THREADS: usize = 4;
        let shares = (0..THREADS).map(|thread| self.number * (thread + 1) / THREADS - self.number * thread / THREADS);
        std::thread::scope(|scope| {
            let threads: Vec<_> = shares.map(|share| scope.spawn(move || self.send_from_here(share, url))).collect();
            threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
        })
    }

    fn send_from_here(&self, number: usize, url: &str) -> Vec<TcpStream> {
        let address = url.strip_prefix("http://").unwrap();
        let head =
            format!("POST /webhooks/payment HTTP/1.1\r\nHost: {address}\r\nContent-Length: {BODY}\r\n{}\r\n", self.headers);
        let send = |_| {
            let mut stream = TcpStream::connect(address).unwrap();
            stream.set_write_timeout(Some(Duration::from_secs(5))).unwrap();
            stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
            // Whoever is not listened to finds nobody to send the rest to.
            let _refused = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&vec![b'x'; BODY - 1]));
            stream
        };
        (0..number).map(send).collect()
    }
}

/// How the first line of an answer begins; nothing where it was lost.
fn status(stream: &mut TcpStream) -> String {
    let mut head = [0; 12];
    match stream.read_exact(&mut head) {
        Ok(()) => String::from_utf8_lossy(&head).into_owned(),
        Err(_) => String::new(),
    }
}

/// A service that takes webhooks, and whose participants are not there.
fn open() -> (TempDir, Process) {
    let folder = tempfile::tempdir().unwrap();
    let flow = include_str!("webhooks/flow.toml").replace("{gate}", "127.0.0.1:1").replace("{dispatch}", "http://127.0.0.1:1");
    fs::write(folder.path().join("shop.toml"), flow).unwrap();
    let (flow, store) = (folder.path().join("shop.toml"), format!("sqlite:{}", folder.path().join("shop.db").display()));
    let arguments = ["serve", "--flow", path(&flow), "--listen", "127.0.0.1:0", "--store", &store];
    let process = Process::start_in(&[("PAYMENT_WEBHOOK", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")], &arguments);
    (folder, process)
}

/// So many files may be open in this process; raises that as far as it may be.
fn open_files() -> usize {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let given = getrlimit(Resource::Nofile);
    let wanted = given.maximum.unwrap_or(u64::MAX).min(8_192);
    let raised = Rlimit { current: Some(wanted.max(given.current.unwrap_or(0))), maximum: given.maximum };
    setrlimit(Resource::Nofile, raised).unwrap();
    usize::try_from(raised.current.unwrap()).unwrap()
}

/// 3,000 bodies are 786 MB, and nobody would have signed any of them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn strangers_who_send_webhooks_take_no_memory() {
    const STRANGERS: usize = 3_000;
    let (_folder, service) = open();
    let caller = Caller::of(&service);
    assert_eq!(caller.get("/livez").await.status, 200);
    let before = service.resident_kib();
    // All at once, where this process may have so many connections; otherwise as many at a time as it may.
    let at_once = STRANGERS.min(open_files().saturating_sub(500)).max(100);
    let mut answers: Vec<String> = Vec::new();
    while answers.len() < STRANGERS {
        let number = at_once.min(STRANGERS - answers.len());
        let mut unsigned = Strangers { number, headers: String::new() }.send(&service.url);
        answers.extend(unsigned.iter_mut().map(status));
    }
    let refused = answers.iter().filter(|answer| answer.as_str() == "HTTP/1.1 401").count();
    let peak = service.peak_resident_kib();
    println!("{before} KiB before {STRANGERS} strangers, {at_once} at once, and {peak} KiB at the most; {refused} were told");
    assert!(peak - before < 60_000, "{peak} KiB at the most, and {before} before");
    let is_right = |answer: &String| answer.is_empty() || answer == "HTTP/1.1 401";
    assert!(answers.iter().all(is_right), "{:?}", answers.iter().find(|answer| !is_right(answer)));
    assert!(refused > 0, "nobody is told anything");
    // Who takes the trouble to look like the sender is read, and all of them together get no more than their room.
    let now_s = Clock::system().now().0 / 1000;
    let signature = "A".repeat(43);
    let headers = format!("webhook-id: msg_1\r\nwebhook-timestamp: {now_s}\r\nwebhook-signature: v1,{signature}=\r\n");
    let forged = Strangers { number: 400, headers }.send(&service.url);
    let rise = service.peak_resident_kib().saturating_sub(before);
    assert!(rise < 90_000, "{rise} KiB more than {before}");
    // Orders have room of their own.
    assert_eq!(caller.place("key-1", &order("order-1"), &[]).await.status, 202);
    drop(forged);
}

/// However many wait for the end of an order, health checks and people are served.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn callers_who_wait_for_an_end_leave_room_for_others() {
    let shop = Shop::closed();
    // Nobody answers, so no order ends.
    let coordinator = shop.coordinator_after("ulimit -n 200", &[]);
    let address = coordinator.url.strip_prefix("http://").unwrap();
    let wait = |number: usize| {
        let body = order(&format!("order-{number}")).to_string();
        let head = format!("POST /sagas HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nIdempotency-Key: key-{number}\r\n");
        let entity =
            format!("Prefer: wait=300\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(format!("{head}{entity}").as_bytes()).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        stream
    };
    // More than may be connected at a time.
    let mut waiting: Vec<TcpStream> = (0..80).map(wait).collect();
    assert_eq!(status(waiting.last_mut().unwrap()), "HTTP/1.1 202", "it is answered at once: {}", coordinator.log());
    assert_eq!(Caller::of(&coordinator).get("/livez").await.status, 200);
}

/// Half of the files that it may open are kept for its own requests, and it lets no more callers in than that.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sleeping_callers_leave_the_service_its_files() {
    let shop = Shop::closed();
    let _services = shop.services();
    let coordinator = shop.coordinator_after("ulimit -n 200", &["--log", "json"]);
    let few = &coordinator.events("few_open_files")[0];
    assert_eq!((&few["limit"], &few["callers"], &few["calls"]), (&200.into(), &68.into(), &34.into()), "{few}");
    let address = coordinator.url.strip_prefix("http://").unwrap();
    // It came before all of them; those beyond the first 67 wait in the system's queue, which may hold 128.
    let mut awake = TcpStream::connect(address).unwrap();
    let sleeping: Vec<TcpStream> = (0..180).map(|_| TcpStream::connect(address).unwrap()).collect();
    let body = order("order-1").to_string();
    let head = format!("POST /sagas HTTP/1.1\r\nHost: {address}\r\nIdempotency-Key: key-1\r\nPrefer: wait=50\r\n");
    let entity = format!("Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    awake.write_all(format!("{head}{entity}").as_bytes()).unwrap();
    awake.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    assert_eq!(status(&mut awake), "HTTP/1.1 201", "it ends while they sleep: {}", coordinator.log());
    drop(sleeping);
}

/// Whatever a step says of `in_flight`, its participant gets no more of the files than its share, and callers keep theirs.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_step_that_wants_more_in_flight_than_there_are_files_gets_its_share() {
    let shop = Shop::closed();
    let text = std::fs::read_to_string(shop.flow()).unwrap();
    // It takes every connection, and answers nothing.
    let hangs = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let payment = text.split("http://").nth(1).unwrap().split('/').next().unwrap();
    let text = text.replace(payment, &hangs.local_addr().unwrap().to_string());
    std::fs::write(shop.flow(), text.replacen("send = ", "in_flight = 2000\ntimeout = \"30s\"\nsend = ", 1)).unwrap();
    let _accepting = std::thread::spawn(move || hangs.incoming().flatten().collect::<Vec<_>>());
    let coordinator = shop.coordinator_after("ulimit -n 160", &["--log", "json"]);
    let few = &coordinator.events("few_open_files")[0];
    assert_eq!((&few["callers"], &few["calls"]), (&48.into(), &24.into()), "{few}");
    let told = &coordinator.events("fewer_in_flight")[0];
    assert_eq!((&told["wanted"], &told["calls"]), (&2000.into(), &24.into()), "{told}");
    let caller = Caller::of(&coordinator);
    for number in 0..100 {
        let placed = caller.place(&format!("key-{number}"), &order(&format!("order-{number}")), &[]).await;
        assert_eq!(placed.status, 202, "{number}: {}", coordinator.log());
    }
    let stats = caller.get("/stats").await.json();
    let payment = stats["participants"].as_array().unwrap().iter().find(|line| line["in_flight"] != 0).expect("the payment");
    assert!(payment["in_flight"].as_u64().unwrap() <= 24, "{payment}");
    assert_eq!(coordinator.events("request_not_made").len(), 0, "{}", coordinator.log());
}
