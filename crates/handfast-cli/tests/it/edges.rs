//! The edges of every command: stores by default, taken ports, places that cannot be written, streams that are full.

use std::ffi::OsStr;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::support::{Ended, handfast, run};

/// A flow of one step, at a service that is not there.
fn write_flow(dir: &Path, name: &str) {
    let flow = format!(
        "name = \"{name}\"\n[input]\nnote = \"text\"\n[[step]]\nname = \"dispatch\"\nkind = \"pivot\"\n\
         url = \"http://127.0.0.1:9/shipments\"\ndeadline = \"1h\"\n"
    );
    fs::write(dir.join(format!("{name}.toml")), flow).expect("the directory can be written to");
}

/// A directory in which programs keep their state.
struct Home(tempfile::TempDir);

impl Home {
    fn new() -> Self {
        let home = Self(tempfile::tempdir().expect("a directory"));
        for flow in ["shop", "trip"] {
            write_flow(home.0.path(), flow);
        }
        fs::write(home.0.path().join("orders.jsonl"), "{\"id\":\"o-1\",\"note\":\"n\"}\n")
            .expect("the directory can be written to");
        home
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = handfast();
        command.current_dir(self.0.path()).env("XDG_STATE_HOME", self.0.path().join("state")).args(arguments);
        command
    }

    fn run(&self, arguments: &[&str]) -> Ended {
        self.command(arguments).output().expect("the binary runs").into()
    }

    fn leave_in_doubt(&self, flow: &str) {
        let ended = self.run(&["run", "--flow", flow, "--give-up-after", "200ms", "orders.jsonl"]);
        assert_eq!(ended.code, Some(4), "{}", ended.stderr);
    }

    /// Where the orders of a flow are kept, as a command names it.
    fn store(&self, flow: &str) -> String {
        format!("sqlite:{}", self.0.path().join(format!("state/handfast/{flow}.db")).display())
    }
}

#[track_caller]
fn check(ended: &Ended, code: i32, said: &str) {
    assert_eq!(ended.code, Some(code), "{}", ended.stderr);
    assert!(ended.stderr.contains(said), "{said:?} is not in: {}", ended.stderr);
}

#[test]
fn run_serve_and_show_look_into_the_same_store_by_default() {
    let home = Home::new();
    check(&home.run(&["show", "o-1"]), 2, "there is no store in");
    check(&home.run(&["show", "o-1", "--flow", "shop.toml"]), 2, "there is no store at");
    assert!(!home.0.path().join("state").exists(), "a look leaves nothing behind");

    home.leave_in_doubt("shop.toml");
    let looking = |flow| format!("looking into {}\n", home.store(flow));
    check(&home.run(&["show", "o-1"]), 4, &looking("shop"));
    check(&home.run(&["show", "o-1", "--flow", "shop.toml"]), 4, &looking("shop"));
    check(&home.run(&["show", "o-1", "--store", &home.store("shop")]), 4, "");

    let mut serving = Killed(
        home.command(&["serve", "--flow", "shop.toml", "--listen", "127.0.0.1:0", "--json", "--quiet"])
            .stdout(Stdio::piped())
            .spawn()
            .expect("the service starts"),
    );
    let said: Value = serde_json::from_str(&first_line(&mut serving.0)).expect("one line of JSON");
    assert_eq!(said["store"], home.store("shop"));

    home.leave_in_doubt("trip.toml");
    check(&home.run(&["show", "o-1"]), 2, "shop, trip; say which by --flow FLOW.toml or --store sqlite:FILE");
    check(&home.run(&["show", "o-1", "--flow", "trip.toml"]), 4, &looking("trip"));
}

/// A process that ends with the test.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        // It may have ended by itself, which the test has noticed then.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

fn first_line(child: &mut Child) -> String {
    let mut line = String::new();
    BufReader::new(child.stdout.take().expect("it is piped")).read_line(&mut line).expect("the process says something");
    line
}

/// The commands that listen, with everything they need but an address.
const LISTENERS: [&[&str]; 4] = [
    &["payment", "--store", "sqlite:books.db"],
    &["dispatch", "--store", "sqlite:books.db"],
    &["serve", "--flow", "shop.toml", "--store", "sqlite:books.db"],
    &["messenger", "--to", "http://127.0.0.1:9", "--log", "road.jsonl"],
];

#[test]
fn a_taken_port_is_told_alike_by_all_who_listen_and_no_store_is_made() {
    let home = Home::new();
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let taken = taken.local_addr().expect("an address").to_string();
    for command in LISTENERS {
        let ended = home.run(&[command, &["--listen", &taken]].concat());
        check(&ended, 2, &format!("cannot listen on {taken} (another process listens there: stop it, or give another --listen)"));
        assert_eq!((ended.stdout.as_str(), ended.stderr.lines().count()), ("", 1), "{command:?}: {}", ended.stderr);
        for left in ["books.db", "road.jsonl"] {
            assert!(!home.0.path().join(left).exists(), "{command:?} leaves {left}");
        }
    }
}

/// Asks a process to stop.
#[cfg(unix)]
fn terminate(child: &Child) {
    let asked = Command::new("kill").args(["-TERM", &child.id().to_string()]).status().expect("kill runs");
    assert!(asked.success());
}

#[cfg(unix)]
#[test]
fn all_who_listen_stop_in_good_order_when_asked() {
    for command in LISTENERS {
        // One of its own, since a store belongs to one service.
        let home = Home::new();
        let mut child = Killed(
            home.command(&[command, &["--listen", "127.0.0.1:0", "--json"]].concat())
                .stdout(Stdio::piped())
                .stderr(Stdio::null())
                .spawn()
                .expect("it starts"),
        );
        assert!(first_line(&mut child.0).contains("listening"), "{command:?}");
        terminate(&child.0);
        assert_eq!(child.0.wait().expect("it ends").code(), Some(0), "{command:?}");
    }
}

#[test]
fn what_cannot_be_opened_or_written_is_named_with_the_way_out() {
    let home = Home::new();
    home.leave_in_doubt("shop.toml");
    for (arguments, said) in [
        (&["payment", "--listen", "127.0.0.1:0", "--store", "sqlite:no/such.db"][..], "cannot open the store no/such.db"),
        (&["dispatch", "--listen", "127.0.0.1:0", "--store", "sqlite:no/such.db"], "cannot open the store no/such.db"),
        (&["serve", "--flow", "shop.toml", "--listen", "127.0.0.1:0", "--store", "sqlite:no/such.db"], "create it first"),
        (&["run", "--flow", "shop.toml", "--store", "sqlite:no/such.db", "orders.jsonl"], "create it first"),
        (&["payment", "--listen", "127.0.0.1:0", "--store", "shop.toml"], "name another file"),
        (&["serve", "--flow", "shop.toml", "--listen", "127.0.0.1:0", "--store", "shop.toml"], "give another path"),
        (&["show", "o-1", "--svg", "no/such.svg"], "give --svg another path"),
        (&["run", "--flow", "shop.toml", "--store", "memory:", "orders.jsonl"], "a store in memory is gone with its process"),
        (&["serve", "--flow", "shop.toml", "--listen", "127.0.0.1:0", "--store", "memory:"], "say --store sqlite:FILE"),
        (&["show", "o-1", "--store", "memory:"], "a store in memory is gone with its process"),
        (&["man", "--dir", "shop.toml"], "give --dir another directory"),
        (&["demo", "--keep", "shop.toml"], "give --keep another one"),
        (&["payment", "--shutdown-timeout", "10"], "write a number and a unit"),
        #[cfg(unix)]
        (&["check", "/dev/zero"], "is larger than 4194304 bytes"),
        #[cfg(unix)]
        (&["replay", "/dev/zero"], "it is larger than a trace can be"),
        (&["generals", "odds", "always", "--messengers", "4294967295"], "a wave may have at most 1000000"),
        (&["generals", "check", "reply", "--replies", "1000000000"], "a wave may have at most 1000000"),
        (&["generals", "odds", "email", "--steps", "2147483648"], "it has 4294967296 rounds, and may have at most 5000"),
        (&["generals", "odds", "ready-ready", "--rounds", "4294967295"], "may have at most 5000"),
        (&["generals", "draw", "handshake", "--steps", "100000"], "may have at most 5000"),
    ] {
        let ended = home.run(arguments);
        check(&ended, 2, said);
        assert_eq!(ended.stdout, "", "{arguments:?}");
    }
    assert!(fs::read_to_string(home.0.path().join("shop.toml")).expect("it is still there").starts_with("name"));
}

/// Runs it with a full disk in place of standard output.
#[cfg(target_os = "linux")]
fn run_on_a_full_disk<I: AsRef<OsStr>>(command: &mut Command, arguments: impl IntoIterator<Item = I>) -> Ended {
    let full = fs::File::options().write(true).open("/dev/full").expect("Linux has it");
    command.args(arguments).stdout(full).output().expect("the binary runs").into()
}

#[cfg(target_os = "linux")]
#[test]
fn output_that_cannot_be_written_is_an_error() {
    let home = Home::new();
    home.leave_in_doubt("shop.toml");
    for arguments in [
        &["--help"][..],
        &["--version"],
        &["check", "--help"],
        &["completions", "bash"],
        &["man"],
        &["check", "--guards"],
        &["check", "--guards", "--json"],
        &["check", "--without", "not-found-is-final"],
        &["show", "o-1"],
        &["show", "o-1", "--json"],
        &["run", "--flow", "shop.toml", "--give-up-after", "200ms", "orders.jsonl"],
        &["payment", "--listen", "127.0.0.1:0", "--store", "books.db", "--json"],
    ] {
        let ended = run_on_a_full_disk(&mut home.command(&[]), arguments);
        check(&ended, 1, "error: cannot write to standard output: ");
        assert_eq!(ended.stderr.matches("error:").count(), 1, "{arguments:?}: {}", ended.stderr);
    }
    assert_eq!(run(["--help"]).code, Some(0));
}
