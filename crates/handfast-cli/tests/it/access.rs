//! Who may call a service: tokens drawn by a command, asked for by a real process, and sent by the operator's commands.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops where it is")]

use std::fs;
use std::path::Path;

use hyper::{Method, StatusCode};
use serde_json::{Value, json};

use crate::serve::shop::{Caller, Shop, order, path};
use crate::support::{Ended, handfast, run};

fn drawn(file: &Path, arguments: &[&str]) -> String {
    let ended = run([&["tokens", "new"], arguments, &["--file", path(file)]].concat());
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    ended.stdout.trim().to_owned()
}

fn with_token(token: &str, arguments: &[&str]) -> Ended {
    handfast().env("HANDFAST_TOKEN", token).args(arguments).output().unwrap().into()
}

#[test]
fn a_token_is_shown_once_and_its_hash_is_kept_for_its_owner_alone() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("tokens.toml");
    let token = drawn(&file, &["shop", "--scopes", "read,place"]);
    assert!(token.starts_with("handfast_"), "{token}");
    let text = fs::read_to_string(&file).unwrap();
    assert!(!text.contains(&token) && text.contains("name = \"shop\""), "{text}");
    #[cfg(unix)]
    assert_eq!(std::os::unix::fs::PermissionsExt::mode(&fs::metadata(&file).unwrap().permissions()) & 0o777, 0o600);
    drawn(&file, &["ada", "--scopes", "money", "--of-flow", "cards", "--expires-in", "90d"]);

    let listed = run(["tokens", "list", "--file", path(&file), "--json"]);
    let listed: Value = serde_json::from_str(&listed.stdout).unwrap();
    let ada = &listed["tokens"][1];
    assert_eq!(
        listed["tokens"][0],
        json!({ "name": "shop", "scopes": ["read", "place"], "flow": null, "expires_ms": null, "expired": false })
    );
    assert_eq!((&ada["scopes"], &ada["flow"], &ada["expired"]), (&json!(["money"]), &json!("cards"), &json!(false)));
    assert!(run(["tokens", "list", "--file", path(&file)]).stdout.starts_with("shop  read,place"));

    for (arguments, said) in [
        (&["tokens", "new", "shop", "--scopes", "read"][..], "has a token \"shop\"; give the new one another name"),
        (&["tokens", "new", "x", "--scopes", "admin"], "a scope is one of read, place, operate, money"),
        (&["tokens", "new", "a b", "--scopes", "read"], "letters, digits"),
        (&["tokens", "new", "z", "--scopes", "read", "--of-flow", "a\"\nb"], "a flow is called by 1 to 32 of a-z, 0-9 and -"),
    ] {
        let ended = run([arguments, &["--file", path(&file)]].concat());
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), ""), "{}", ended.stderr);
        assert!(ended.stderr.contains(said), "{said:?} is not in {}", ended.stderr);
    }
    fs::write(&file, "[[token]]\nname = 1\n").unwrap();
    let ended = run(["tokens", "new", "y", "--scopes", "read", "--file", path(&file)]);
    assert_eq!(ended.code, Some(2), "{}", ended.stderr);
    assert_eq!(fs::read_to_string(&file).unwrap(), "[[token]]\nname = 1\n", "what is wrong is left to whoever wrote it");
}

/// The one who draws it sees it, or it does not count.
#[test]
fn a_token_that_nobody_could_read_is_not_in_the_file() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("tokens.toml");
    drawn(&file, &["shop", "--scopes", "read"]);
    let before = fs::read_to_string(&file).unwrap();
    for more in [&[][..], &["--json"]] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let new = ["tokens", "new", "ada", "--scopes", "read", "--file", path(&file)];
        let mut handfast = handfast();
        let ended: Ended = handfast.args([&new[..], more].concat()).stdout(writer).output().unwrap().into();
        assert_eq!(ended.code, Some(1), "{}", ended.stderr);
        assert!(ended.stderr.contains("nothing was drawn"), "{}", ended.stderr);
    }
    assert_eq!(fs::read_to_string(&file).unwrap(), before);
}

#[test]
fn tokens_that_are_drawn_side_by_side_are_all_kept() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("tokens.toml");
    let draw = |number: usize| {
        let name = format!("caller-{number}");
        let new = ["tokens", "new", name.as_str(), "--scopes", "read", "--file", path(&file)];
        handfast().args(new).stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null()).spawn().unwrap()
    };
    let drawing: Vec<_> = (0..8).map(draw).collect();
    for mut process in drawing {
        assert!(process.wait().unwrap().success());
    }
    let listed = run(["tokens", "list", "--file", path(&file), "--json"]);
    let listed: Value = serde_json::from_str(&listed.stdout).unwrap();
    assert_eq!(listed["tokens"].as_array().unwrap().len(), 8, "{listed:#}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_service_with_tokens_lets_in_whom_they_are_of() {
    let (shop, services) = {
        let shop = Shop::closed();
        let services = shop.services();
        (shop, services)
    };
    let file = shop.folder.path().join("tokens.toml");
    let (clerk, guest) = (drawn(&file, &["clerk", "--scopes", "place,read"]), drawn(&file, &["guest", "--scopes", "read"]));
    let coordinator = shop.coordinator(&["--tokens", path(&file)]);
    let caller = Caller::of(&coordinator);
    let bearer = |token: &str| format!("Bearer {token}");

    assert_eq!(caller.place("key-1", &order("o-1"), &[]).await.problem(), "token");
    let turned_away = caller.place("key-1", &order("o-1"), &[("authorization", &bearer(&guest))]).await;
    assert_eq!((turned_away.status, turned_away.problem()), (StatusCode::FORBIDDEN, "scope".to_owned()));
    let placed = caller.place("key-1", &order("o-1"), &[("authorization", &bearer(&clerk)), ("prefer", "wait=50")]).await;
    assert_eq!((placed.status, &placed.json()["outcome"]), (StatusCode::CREATED, &json!("completed")), "{}", placed.text);
    assert_eq!(caller.send(Method::GET, "/readyz", &[], "").await.status, StatusCode::OK);

    let url = coordinator.url.as_str();
    let list = ["sagas", "list", "--url", url, "--json"];
    let ended = run(list);
    assert_eq!(ended.code, Some(2), "{}", ended.stderr);
    assert!(ended.stderr.contains("set HANDFAST_TOKEN"), "{}", ended.stderr);
    let ended = with_token(&guest, &list);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(ended.stdout.contains("\"o-1\""), "{}", ended.stdout);
    let secret = shop.folder.path().join("token");
    fs::write(&secret, format!("{guest}\n")).unwrap();
    let ended: Ended =
        handfast().env("HANDFAST_TOKEN_FILE", &secret).args(["participants", "list", "--url", url]).output().unwrap().into();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let ended = with_token(&guest, &["sagas", "cancel", "o-1", "--by", "guest", "--reason", "to see", "--yes", "--url", url]);
    assert!(ended.code == Some(2) && ended.stderr.contains("has not the scope place or money"), "{}", ended.stderr);
    drop(services);
}

#[test]
fn beyond_loopback_it_listens_with_tokens_and_where_that_is_meant() {
    let shop = Shop::closed();
    let file = shop.folder.path().join("tokens.toml");
    drawn(&file, &["clerk", "--scopes", "place"]);
    let (flow, store) = (shop.flow(), shop.store());
    let serve = ["serve", "--flow", path(&flow), "--store", &store, "--listen", "0.0.0.0:0"];
    for (more, said) in [
        (&[][..], "draw tokens with handfast tokens new and give --tokens FILE --allow-remote"),
        (&["--allow-remote"], "without tokens the service cannot tell its callers apart"),
        (&["--tokens", path(&file)], "say --allow-remote if that is meant"),
    ] {
        let ended = run([&serve[..], more].concat());
        assert_eq!(ended.code, Some(2), "{}", ended.stderr);
        assert!(ended.stderr.contains(said), "{said:?} is not in {}", ended.stderr);
    }
    let wrong = shop.folder.path().join("wrong.toml");
    fs::write(&wrong, "[[token]]\nname = \"clerk\"\nsha256 = \"12\"\n").unwrap();
    let ended = run([&serve[..], &["--tokens", path(&wrong), "--allow-remote"]].concat());
    assert!(ended.code == Some(2) && ended.stderr.contains("wrong.toml:3:10: sha256 must be 64"), "{}", ended.stderr);
}
