//! What is said of orders that follow another definition: what differs, what is held, what is only looked for, and the one command
//! that helps, which helps as it stands there.

use serde_json::json;

use super::{ends_in_both, moved};
use crate::serve::shop::{Caller, Process, Shop};
use crate::support::{Ended, run};

/// A service that tells people what it finds at its start.
fn telling(shop: &Shop) -> Process {
    shop.coordinator_after("true", &["--retry-cap", "100ms"])
}

/// One line of it all, however it was broken to fit a terminal.
fn flat(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[track_caller]
fn check_words(text: &str, words: &[&str]) {
    let text = flat(text);
    for word in words {
        assert!(text.contains(word), "{word}\nis not said in\n{text}");
    }
}

/// Runs a command as it was printed, from `handfast` on, with what it leaves to whoever runs it.
fn as_printed(command: &str, url: &str) -> Ended {
    let words = shlex::split(command).unwrap();
    assert_eq!(words[0], "handfast", "{command}");
    let fill = |word: &String| match word.as_str() {
        "NAME" => "anna".to_owned(),
        "TEXT" => "the depot's new house".to_owned(),
        "URL" => url.to_owned(),
        _ => word.clone(),
    };
    // Nobody sits before a terminal here.
    run(words[1..].iter().map(fill).chain(["--yes".to_owned()]))
}

/// What stands between the quotes behind these words.
fn quoted(text: &str, before: &str) -> String {
    let text = flat(text);
    let (_, rest) = text.split_once(before).unwrap_or_else(|| panic!("{before}: {text}"));
    rest.split('`').next().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn the_printed_commands_adopt_an_address_and_answer_for_its_books() {
    let (shop, _payment, new) = moved().await;
    let depot = format!("sqlite:{}", shop.folder.path().join("new.db").display());
    let depot = Process::start(&["dispatch", "--listen", &new, "--store", &depot]);
    let coordinator = telling(&shop);
    let caller = Caller::of(&coordinator);
    let listed = caller.get("/definitions").await.json();
    let hash = listed["definitions"][0]["hash"].as_str().unwrap().to_owned();
    let (short, old) = (&hash[..12], listed["definitions"][0]["addresses"][0].as_str().unwrap().to_owned());
    let differs = format!("step dispatch: its address; they would call {old}; nothing is sent for them before somebody decides");
    let orders =
        format!("1 open order of shop follows another definition ({short}): {differs}: start with --adopt or --keep-definitions");
    check_words(&coordinator.log(), &[&orders]);
    let trouble = caller.get("/sagas/order-1").await.json()["trouble"].as_str().unwrap().to_owned();
    check_words(
        &trouble,
        &[&format!("(step dispatch: its address; they would call {old}); nothing is sent before a person says")],
    );

    let command = quoted(&trouble, "at the start, or `");
    assert_eq!(command, format!("handfast definitions adopt {short} --by NAME --why TEXT --url URL"));
    let adopted = as_printed(&command, &coordinator.url);
    assert_eq!(adopted.code, Some(0), "{}", adopted.stderr);
    let words = [
        "1 open order follows the definition at hand from now on.",
        "Of those 1 were asked at another address: they are looked for at the new one before anything else is sent there.",
        "Where the new address answers absent, the order waits for a person",
    ];
    check_words(&adopted.stdout, &words);
    check_words(
        &run(["definitions", "list", "--url", &coordinator.url]).stdout,
        &["1; adopted: they follow the definition at hand"],
    );
    let waits = async || caller.get("/sagas/order-1").await.json()["standing"] == "suspended";
    crate::logs::until("it waits for a person", waits).await;
    assert_eq!(Caller::of(&depot).get("/audit").await.json()["shipments"], 0, "it was only looked for");

    let text = flat(&adopted.stdout);
    let (_, command) = text.split_once("say so: ").unwrap();
    assert!(command.contains("--same-books") && command.contains("'the depot'\\''s new house'"), "{command}");
    let answered = as_printed(command, &coordinator.url);
    assert_eq!(answered.code, Some(0), "{}", answered.stderr);
    assert!(!answered.stdout.contains("absent"), "nothing is left to say: {}", answered.stdout);
    ends_in_both(&caller).await;
    assert_eq!(Caller::of(&depot).get("/audit").await.json()["shipments"], 1);
}

/// A flow file whose plan is another can take the place of none: there is one way, and that is what is named.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn the_printed_command_keeps_a_definition_where_nothing_else_is_possible() {
    let (shop, _payment, _new) = moved().await;
    let shop = shop.with_a_deadline();
    let old = shop.dispatch();
    let coordinator = telling(&shop);
    let caller = Caller::of(&coordinator);
    let hash = caller.get("/definitions").await.json()["definitions"][0]["hash"].as_str().unwrap().to_owned();
    let another = "its steps, or what they promise, are others; they would call http";
    let one_way = "nothing is sent for them before somebody says that they go on with it: start with --keep-definitions, or say";
    check_words(&coordinator.log(), &[another, one_way]);
    check_words(
        &run(["definitions", "list", "--url", &coordinator.url]).stdout,
        &["plan its steps, or what they promise, are others"],
    );
    let adopt = ["definitions", "adopt", &hash[..12], "--by", "anna", "--why", "x", "--yes", "--url", &coordinator.url];
    let refused = run(adopt);
    assert!(refused.code == Some(2) && flat(&refused.stderr).contains(another.split(';').next().unwrap()), "{}", refused.stderr);
    let trouble = caller.get("/sagas/order-1").await.json()["trouble"].as_str().unwrap().to_owned();
    let command = quoted(&trouble, "a person says --keep-definitions at the start, or `");
    assert_eq!(command, format!("handfast definitions keep {} --by NAME --why TEXT --url URL", &hash[..12]));
    let kept = as_printed(&command, &coordinator.url);
    assert_eq!(
        (kept.code, flat(&kept.stdout).as_str()),
        (Some(0), "1 open order goes on with its own definition."),
        "{}",
        kept.stderr
    );
    ends_in_both(&caller).await;
    assert_eq!(Caller::of(&old).get("/audit").await.json()["shipments"], 1);
}

/// What is told as JSON is what is told to people.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn how_many_are_only_looked_for_is_counted_for_programs_too() {
    let (shop, _payment, _new) = moved().await;
    let coordinator = shop.coordinator(&[]);
    let hash = Caller::of(&coordinator).get("/definitions").await.json()["definitions"][0]["hash"].as_str().unwrap().to_owned();
    let said = ["definitions", "adopt", &hash, "--by", "anna", "--why", "x", "--yes", "--url", &coordinator.url, "--json"];
    let told: serde_json::Value = serde_json::from_str(&run(said).stdout).unwrap();
    assert_eq!((&told["orders"], &told["looked_for"], &told["held"]), (&json!(1), &json!(1), &json!(0)), "{told}");
}
