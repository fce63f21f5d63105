//! The commands of `docs/operating.md` for copying what is kept and putting it back, run as they stand on the page.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops where it is")]

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::serve::shop::{Caller, Process, Shop, order};
use crate::support::{Ended, handfast, repository, shell};

/// The blocks of commands under a heading of the page, each as one script.
fn scripts(heading: &str) -> Vec<String> {
    let page = fs::read_to_string(repository("docs/operating.md")).unwrap();
    let section = page.split(&format!("## {heading}\n")).nth(1).unwrap_or_else(|| panic!("the page has no {heading}"));
    let section = section.split("\n## ").next().unwrap();
    let blocks = section.split("```console\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    let commands = |block: &str| {
        let lines = block.lines().map(|line| line.strip_prefix("$ ").unwrap_or_else(|| panic!("{line} is no command")));
        lines.fold("set -e\n".to_owned(), |script, line| script + line + "\n")
    };
    blocks.map(commands).collect()
}

/// Runs a script in this folder, as a person would type it.
fn run(script: &str, folder: &Path) -> Ended {
    let (mut shell, binary) = (shell(), handfast());
    let programs = Path::new(binary.get_program()).parent().unwrap();
    let path = std::env::var("PATH").unwrap();
    shell.env("PATH", format!("{}:{path}", programs.display())).arg("-c").arg(script).current_dir(folder);
    let ended: Ended = shell.output().unwrap().into();
    assert_eq!(ended.code, Some(0), "{script}\n{}{}", ended.stdout, ended.stderr);
    ended
}

async fn place(coordinator: &Process, id: &str) {
    let placed = Caller::of(coordinator).place(id, &order(id), &[("prefer", "wait=30")]).await;
    assert_eq!((placed.status.as_u16(), &placed.json()["outcome"]), (201, &"completed".into()), "{id}: {}", placed.text);
}

async fn audit(service: &Process, count: &str) -> u64 {
    let audit: Value = Caller::of(service).get("/audit").await.json();
    audit[count].as_u64().unwrap_or_else(|| panic!("{audit}"))
}

/// The coordinator's store is copied while it serves, and put back: an order that came after the copy is sent again by its caller
/// and finds what was done.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn the_page_copies_the_store_and_puts_it_back() {
    let [copy, put_back, of_a_participant] = scripts("Copying what is kept, and putting it back").try_into().unwrap();
    let (shop, [payment, dispatch], coordinator) = Shop::open();
    let folder = shop.folder.path();
    place(&coordinator, "before").await;
    run(&copy, folder);
    place(&coordinator, "after").await;
    coordinator.signal("TERM");
    assert_eq!(coordinator.wait().code(), Some(0));
    run(&put_back, folder);

    let coordinator = shop.coordinator(&[]);
    let caller = Caller::of(&coordinator);
    assert_eq!(caller.get("/sagas/before").await.json()["outcome"], "completed");
    assert_eq!(caller.get("/sagas/after").await.status.as_u16(), 404, "it came after the copy");
    place(&coordinator, "after").await;
    place(&coordinator, "new").await;
    assert_eq!((audit(&payment, "charges").await, audit(&dispatch, "shipments").await), (3, 3), "one each");
    let aside = run("handfast sagas list --store sqlite:before/shop.db", folder);
    assert!(aside.stdout.contains("after"), "what was put aside can still be read: {}", aside.stdout);

    run(&of_a_participant, folder);
    payment.kill();
    fs::copy(folder.join("payment-monday.db"), folder.join("copied.db")).unwrap();
    let store = format!("sqlite:{}", folder.join("copied.db").display());
    let copied = Process::start(&["payment", "--listen", "127.0.0.1:0", "--store", &store]);
    assert_eq!(audit(&copied, "charges").await, 3, "all of it is in the copy");
}
