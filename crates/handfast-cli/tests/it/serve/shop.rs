//! A shop of real processes: the two reference services and the coordinator, on free ports and files of their own.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::{HeaderMap, Method, Request, StatusCode};
use hyper_util::client::legacy::{Client, connect::HttpConnector};
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{self, handfast};

/// Longer than anything here takes on a busy machine; only a mistake makes anybody wait for it.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A process of ours that serves something.
pub(crate) struct Process {
    child: Child,
    /// Where it listens.
    pub(crate) url: String,
    /// What it said on standard output once it was ready.
    pub(crate) said: Value,
    log: Arc<Mutex<String>>,
}

impl Process {
    /// Starts `handfast` with these arguments and waits until it says where it listens.
    pub(crate) fn start(arguments: &[&str]) -> Self {
        Self::start_in(&[], arguments)
    }

    /// The same, with these variables in its environment.
    pub(crate) fn start_in(environment: &[(&str, &str)], arguments: &[&str]) -> Self {
        let mut command = handfast();
        command.args(arguments).args(["--json", "--quiet"]).envs(environment.iter().copied());
        Self::of(command)
    }

    /// Starts `handfast` with these arguments from a shell that has done this before, a limit for instance.
    pub(crate) fn start_after(shell: &str, arguments: &[&str]) -> Self {
        let mut command = support::shell();
        command.args(["-c", &format!("{shell}; exec \"$0\" \"$@\"")]).arg(handfast().get_program()).args(arguments);
        Self::of(command)
    }

    /// Starts a command that says where it listens as JSON, and keeps what it logs.
    pub(crate) fn of(mut command: Command) -> Self {
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let log = Arc::new(Mutex::new(String::new()));
        let (mut stderr, kept) = (BufReader::new(child.stderr.take().unwrap()), Arc::clone(&log));
        thread::spawn(move || {
            let mut line = String::new();
            while stderr.read_line(&mut line).is_ok_and(|length| length > 0) {
                kept.lock().unwrap().push_str(&std::mem::take(&mut line));
            }
        });
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let said: Value =
            serde_json::from_str(&line).unwrap_or_else(|error| panic!("{command:?}: {error}: {line:?} {}", log.lock().unwrap()));
        Self { child, url: said["listening"].as_str().unwrap().to_owned(), said, log }
    }

    /// What it has said on standard error so far.
    pub(crate) fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    /// The lines of its log about this event, where it logs as JSON.
    pub(crate) fn events(&self, event: &str) -> Vec<Value> {
        let lines: Vec<Value> = self.log().lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
        lines.into_iter().filter(|line| line["event"] == event).collect()
    }

    /// How much memory it takes, in KiB.
    pub(crate) fn resident_kib(&self) -> u64 {
        self.memory_kib("VmRSS:")
    }

    /// How much memory it took at the most, in KiB.
    pub(crate) fn peak_resident_kib(&self) -> u64 {
        self.memory_kib("VmHWM:")
    }

    fn memory_kib(&self, name: &str) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        line.trim().trim_end_matches(" kB").trim().parse().unwrap()
    }

    pub(crate) fn signal(&self, name: &str) {
        let status = Command::new("kill").args([&format!("-{name}"), &self.child.id().to_string()]).status().unwrap();
        assert!(status.success());
    }

    /// Waits for its end.
    pub(crate) fn wait(mut self) -> ExitStatus {
        let started = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(started.elapsed() < PATIENCE, "it does not end");
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Ends it as a power cut would.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // A process that has ended already cannot be killed, which is just as well.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// An address that nobody listens on, until somebody starts to.
pub(crate) fn free_address() -> String {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}

/// A folder, the addresses of the two services, and a flow between them.
pub(crate) struct Shop {
    pub(crate) folder: TempDir,
    payment: String,
    dispatch: String,
}

impl Shop {
    /// A shop whose services are not started yet.
    pub(crate) fn closed() -> Self {
        let shop = Self { folder: tempfile::tempdir().unwrap(), payment: free_address(), dispatch: free_address() };
        let flow = format!(
            "name = \"shop\"\n\n[input]\namount = \"money\"\ntoken = \"token\"\nlines = \"list\"\n\n\
             [[step]]\nname = \"payment\"\nkind = \"compensatable\"\nurl = \"http://{}/charges\"\nsend = [\"amount\", \"token\"]\n\n\
             [[step]]\nname = \"dispatch\"\nkind = \"pivot\"\nurl = \"http://{}/shipments\"\nsend = [\"lines\"]\n",
            shop.payment, shop.dispatch
        );
        fs::write(shop.flow(), flow).unwrap();
        shop
    }

    /// A shop with both services, and its coordinator.
    pub(crate) fn open() -> (Self, [Process; 2], Process) {
        let shop = Self::closed();
        let services = shop.services();
        let coordinator = shop.coordinator(&[]);
        (shop, services, coordinator)
    }

    pub(crate) fn services(&self) -> [Process; 2] {
        [self.payment(), self.dispatch()]
    }

    pub(crate) fn payment(&self) -> Process {
        self.service("payment", &self.payment)
    }

    pub(crate) fn dispatch(&self) -> Process {
        self.service("dispatch", &self.dispatch)
    }

    fn service(&self, name: &str, address: &str) -> Process {
        let store = format!("sqlite:{}", self.folder.path().join(format!("{name}.db")).display());
        Process::start(&[name, "--listen", address, "--store", &store])
    }

    pub(crate) fn coordinator(&self, more: &[&str]) -> Process {
        let (flow, store) = (self.flow(), self.store());
        let arguments = ["serve", "--flow", path(&flow), "--listen", "127.0.0.1:0", "--store", &store];
        Process::start(&[&arguments, more].concat())
    }

    /// The same, from a shell that has done this before.
    pub(crate) fn coordinator_after(&self, shell: &str, more: &[&str]) -> Process {
        let (flow, store) = (self.flow(), self.store());
        let arguments = ["serve", "--json", "--flow", path(&flow), "--listen", "127.0.0.1:0", "--store", &store];
        Process::start_after(shell, &[&arguments, more].concat())
    }

    /// A coordinator with these variables in its environment.
    pub(crate) fn coordinator_in(&self, environment: &[(&str, &str)]) -> Process {
        let (flow, store) = (self.flow(), self.store());
        let arguments = ["serve", "--flow", path(&flow), "--listen", "127.0.0.1:0", "--store", &store];
        Process::start_in(environment, &arguments)
    }

    /// The payment has to be done within a minute.
    pub(crate) fn with_a_deadline(self) -> Self {
        let text = fs::read_to_string(self.flow()).unwrap();
        fs::write(self.flow(), text.replacen("send = ", "deadline = \"1m\"\nsend = ", 1)).unwrap();
        self
    }

    pub(crate) fn flow(&self) -> PathBuf {
        self.folder.path().join("shop.toml")
    }

    pub(crate) fn store(&self) -> String {
        format!("sqlite:{}", self.folder.path().join("shop.db").display())
    }
}

pub(crate) fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// An order that both services take.
pub(crate) fn order(id: &str) -> Value {
    json!({ "id": id, "amount": { "minor": 1999, "currency": "EUR" }, "token": "tok_visa", "lines": [{ "sku": "mug", "quantity": 1 }] })
}

/// What came back.
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Reply {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {} {:?}", self.status, self.text))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// The problem it is, which must be one by every sign.
    #[track_caller]
    pub(crate) fn problem(&self) -> String {
        assert_eq!(self.header("content-type"), Some("application/problem+json"), "{} {}", self.status, self.text);
        let problem = self.json();
        assert_eq!(problem["status"], self.status.as_u16());
        assert!(problem["title"].is_string() && problem["detail"].is_string(), "{problem}");
        problem["type"].as_str().unwrap().strip_prefix("/problems/").unwrap().to_owned()
    }
}

/// A caller of the service.
#[derive(Clone)]
pub(crate) struct Caller {
    client: Client<HttpConnector, Full<Bytes>>,
    url: String,
}

impl Caller {
    pub(crate) fn of(process: &Process) -> Self {
        Self { client: Client::builder(TokioExecutor::new()).build_http(), url: process.url.clone() }
    }

    pub(crate) async fn send(&self, method: Method, path: &str, headers: &[(&str, &str)], body: impl Into<Bytes>) -> Reply {
        self.try_send(method, path, headers, body).await.unwrap()
    }

    pub(crate) async fn try_send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Result<Reply, hyper_util::client::legacy::Error> {
        let mut request = Request::builder().method(method).uri(format!("{}{path}", self.url));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Full::new(body.into())).unwrap();
        let response = tokio::time::timeout(PATIENCE, self.client.request(request)).await.expect("an answer in time")?;
        let (head, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        Ok(Reply { status: head.status, headers: head.headers, text: String::from_utf8(bytes.to_vec()).unwrap() })
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.send(Method::GET, path, &[], "").await
    }

    /// Places an order under a key, with more headers.
    pub(crate) async fn place(&self, key: &str, order: &Value, more: &[(&str, &str)]) -> Reply {
        let headers = [&[("content-type", "application/json"), ("idempotency-key", key)], more].concat();
        self.send(Method::POST, "/sagas", &headers, order.to_string()).await
    }

    pub(crate) async fn cancel(&self, id: &str) -> Reply {
        self.send(Method::POST, &format!("/sagas/{id}/cancel"), &[], "").await
    }

    /// The outcome of a saga, once it has ended.
    pub(crate) async fn outcome(&self, id: &str) -> String {
        let reply = self.send(Method::GET, &format!("/sagas/{id}"), &[("prefer", "wait=50")], "").await;
        reply.json()["outcome"].as_str().unwrap_or_else(|| panic!("{id} has not ended: {}", reply.text)).to_owned()
    }
}
