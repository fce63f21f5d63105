//! Durable before visible: between the write of an entry and the message it causes there is a flush. A kill cannot show a
//! missing one, since the page cache outlives the process; the system calls can.

mod driven;

use std::collections::BTreeMap;
use std::io::{Read, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};

use handfast::store::{Append, Entry, SqliteOptions, SqliteStore, Store, Synchronous};

use super::stores::{append, entry, saga};

/// The test of this binary named `child`, to be run as a process of its own under strace. `options` are strace's.
pub(crate) fn under_strace(child: &str, log: &Path, options: &[&str]) -> Command {
    let mut command = Command::new("strace");
    command.args(["-f", "-y", "-s", "8192", "-o"]).arg(log).args(options).arg(std::env::current_exe().unwrap());
    command.args([child, "--exact", "--nocapture", "--test-threads=1"]);
    command
}

/// Runs what [`under_strace`] made.
pub(crate) fn run(mut command: Command) -> ExitStatus {
    command.stdout(Stdio::null()).status().unwrap_or_else(|error| {
        panic!("strace, which shows what is flushed when, cannot be run: {error}; install it with `apt-get install strace`")
    })
}

/// The system calls that [`durable_before_visible`] looks at, as strace takes them.
const CALLS: &str = "trace=fsync,fdatasync,pwrite64,pwritev,write,writev,sendto,sendmsg";

/// One system call: from which line of the log to which it took, and what it worked on.
#[derive(Debug)]
struct Call {
    begun: usize,
    ended: usize,
    name: String,
    /// What strace printed between the brackets: the file behind the descriptor and the data.
    arguments: String,
    result: String,
}

impl Call {
    fn is_on(&self, file: &str) -> bool {
        self.arguments.split('>').next().is_some_and(|descriptor| descriptor.contains(file))
    }
}

/// Reads what `strace -f -y -o` wrote. A call that another thread interrupted is on two lines.
fn parse(log: &str) -> Vec<Call> {
    let mut calls = Vec::new();
    let mut unfinished = BTreeMap::<&str, (usize, String, String)>::new();
    for (number, line) in log.lines().enumerate() {
        let Some((process, rest)) = line.split_once(' ') else { continue };
        let rest = rest.trim_start();
        let (begun, name, before, rest) = if rest.starts_with("<... ") {
            let Some((begun, name, before)) = unfinished.remove(process) else { continue };
            let rest = rest.split_once("resumed>").map_or("", |(_, rest)| rest);
            (begun, name, before, rest)
        } else {
            let Some((name, rest)) = rest.split_once('(') else { continue };
            (number, name.to_owned(), String::new(), rest)
        };
        if let Some(arguments) = rest.strip_suffix("<unfinished ...>") {
            unfinished.insert(process, (begun, name, before + arguments));
        } else if let Some((arguments, result)) = rest.rsplit_once(" = ") {
            calls.push(Call { begun, ended: number, name, arguments: before + arguments, result: result.to_owned() });
        }
    }
    calls
}

/// What the log of a process shows of its promise.
#[derive(Debug)]
pub(crate) struct Promise {
    /// Messages that were looked at.
    pub(crate) messages: usize,
    /// Messages that left too early, and why.
    pub(crate) broken: Vec<String>,
}

/// Looks at every message that left. `entry_of` says which text the log of the store must hold, flushed, before a message
/// with this data may leave; `None` for data that needs nothing. The first write that shows the text counts, and a flush
/// of the same file that began after that write had ended and ended before the message left.
pub(crate) fn durable_before_visible(log: &str, file: &str, entry_of: impl Fn(&str) -> Option<String>) -> Promise {
    let calls = parse(log);
    let of = |names: &'static [&'static str]| calls.iter().filter(move |call| names.contains(&&*call.name));
    let sends = of(&["write", "writev", "sendto", "sendmsg"]).filter(|call| call.is_on("socket:") || call.is_on("TCP:"));
    let mut promise = Promise { messages: 0, broken: Vec::new() };
    for send in sends {
        let Some(entry) = entry_of(&send.arguments) else { continue };
        promise.messages += 1;
        let mut writes = of(&["pwrite64", "pwritev", "write"]).filter(|call| call.is_on(file));
        let Some(write) = writes.find(|call| call.arguments.contains(&entry)) else {
            promise.broken.push(format!("line {}: {entry} was never written", send.begun + 1));
            continue;
        };
        let flush = of(&["fsync", "fdatasync"])
            .find(|call| call.is_on(file) && call.result.starts_with('0') && call.begun > write.ended && call.ended < send.begun);
        if flush.is_none() {
            let (written, sent) = (write.ended + 1, send.begun + 1);
            promise.broken.push(format!("line {sent}: a message left, but {entry}, written in line {written}, was not flushed"));
        }
    }
    promise
}

const CHILD: &str = "HANDFAST_TEST_FLUSHES";
const SAGAS: usize = 4;
const ENTRIES: u64 = 9;

fn options(synchronous: &str) -> SqliteOptions {
    let synchronous = if synchronous == "full" { Synchronous::Full } else { Synchronous::Off };
    SqliteOptions { synchronous, ..SqliteOptions::default() }
}

/// The child: several sagas at once; after every entry that was acknowledged, a message that names it.
#[test]
fn child_that_sends() {
    let Ok(arguments) = std::env::var(CHILD) else { return };
    let [synchronous, address, path] = *arguments.splitn(3, ' ').collect::<Vec<_>>() else { panic!("{arguments}") };
    let store = SqliteStore::open_with(path, &options(synchronous)).unwrap();
    let road = Mutex::new(TcpStream::connect(address).unwrap());
    let shared = Arc::new((store, road));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    runtime.block_on(async {
        let sagas = (0..SAGAS).map(|number| {
            let shared = Arc::clone(&shared);
            tokio::spawn(async move {
                let (store, road) = &*shared;
                let id = format!("saga-{number}");
                store.create(saga(&id)).await.unwrap();
                for seq in 2..2 + ENTRIES {
                    let mark = format!("mark-{number}-{seq}-end");
                    let entry = Entry { input: format!(r#"{{"cancel":{{"why":"{mark}"}}}}"#), ..entry(seq, 100) };
                    store.append(Append { entry, ..append(&id, seq) }).await.unwrap();
                    road.lock().unwrap().write_all(format!("message {mark}").as_bytes()).unwrap();
                }
            })
        });
        for saga in sagas.collect::<Vec<_>>() {
            saga.await.unwrap();
        }
    });
}

/// The mark that a message of [`child_that_sends`] carries.
fn mark(data: &str) -> Option<String> {
    let start = data.find("message mark-")? + "message ".len();
    let length = data[start..].find("-end")? + "-end".len();
    Some(data[start..start + length].to_owned())
}

fn promise_of(synchronous: &str) -> Promise {
    let folder = tempfile::tempdir().unwrap();
    let (log, path) = (folder.path().join("strace.log"), folder.path().join("store.db"));
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let camp = std::thread::spawn(move || {
        let mut heard = Vec::new();
        listener.accept().unwrap().0.read_to_end(&mut heard).unwrap();
    });
    let mut child = under_strace("flushes::child_that_sends", &log, &["-e", CALLS]);
    child.env(CHILD, format!("{synchronous} {address} {}", path.display()));
    assert!(run(child).success());
    camp.join().unwrap();
    durable_before_visible(&std::fs::read_to_string(log).unwrap(), "store.db-wal", mark)
}

#[test]
fn what_is_acknowledged_is_flushed() {
    let promise = promise_of("full");
    assert_eq!(promise.messages as u64, SAGAS as u64 * ENTRIES, "every message was looked at");
    assert_eq!(promise.broken, [""; 0]);
}

#[test]
fn a_store_that_does_not_flush_is_caught() {
    let promise = promise_of("off");
    assert_eq!(promise.broken.len() as u64, SAGAS as u64 * ENTRIES, "{promise:?}");
}

#[test]
fn the_log_is_read_as_it_is_meant() {
    let check = |log: &str, broken: usize| {
        let promise = durable_before_visible(log, "db-wal", mark);
        assert_eq!((promise.messages, promise.broken.len()), (1, broken), "{log}\n{promise:?}");
    };
    let write = r#"7 pwrite64(9</t/db-wal>, "..mark-0-1-end..", 4096, 0) = 4096"#;
    let flush = "7 fdatasync(9</t/db-wal>) = 0";
    let send = r#"8 sendto(10<TCP:[1]>, "message mark-0-1-end", 20, MSG_NOSIGNAL, NULL, 0) = 20"#;
    check(&[write, flush, send].join("\n"), 0);
    check(&[write, send, flush].join("\n"), 1);
    check(&[flush, write, send].join("\n"), 1);
    check(&[flush, send].join("\n"), 1);
    check(&[write, "7 fdatasync(9</t/db-wal>) = -1 EIO (Input/output error) (INJECTED)", send].join("\n"), 1);
    check(&[write, "7 fdatasync(9</t/db>) = 0", send].join("\n"), 1);
    // A flush that has not returned proves nothing.
    let (begins, ends) = ("7 fdatasync(9</t/db-wal> <unfinished ...>", "7 <... fdatasync resumed>) = 0");
    check(&[write, begins, send, ends].join("\n"), 1);
    check(&[write, begins, ends, send].join("\n"), 0);
    // Nor does one that began before the write had ended.
    let (writes, written) = (write.replace(") = 4096", " <unfinished ...>"), "6 <... pwrite64 resumed>) = 4096");
    check(&[&writes.replacen('7', "6", 1), begins, written, ends, send].join("\n"), 1);
    // The next group may be written while the messages of the last one leave.
    check(&[write, flush, r#"7 pwrite64(9</t/db-wal>, "..mark-0-2-end..", 4096, 0) = 4096"#, send].join("\n"), 0);
}
