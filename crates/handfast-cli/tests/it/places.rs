//! Where sagas are, as it is typed: services that are none, stores that cannot be opened, and acts that nobody said yes to.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;

use crate::support::{Ended, handfast, run};

/// Everything that takes `--url`.
const AT_URL: [&[&str]; 8] = [
    &["sagas", "list"],
    &["sagas", "show", "order-1"],
    &["sagas", "cancel", "order-1", "--by", "ada", "--reason", "x", "--yes"],
    &["sagas", "resolve", "order-1", "--settle", "--by", "ada", "--why", "x", "--yes"],
    &["participants", "list"],
    &["participants", "accept", "http://a", "--incarnation", "two", "--by", "ada", "--reason", "x", "--yes"],
    &["definitions", "list"],
    &["definitions", "keep", "ab", "--by", "ada", "--reason", "x", "--yes"],
];

/// A flow whose participant is never asked.
const FLOW: &str = "name = \"shop\"\n[input]\nnote = \"text\"\n[[step]]\nname = \"dispatch\"\nkind = \"pivot\"\nurl = \"http://127.0.0.1:9/x\"\n";

#[track_caller]
fn check(ended: &Ended, code: i32, said: &str) {
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(code), ""), "{}", ended.stderr);
    assert!(ended.stderr.contains(said), "{said:?} is not in: {}", ended.stderr);
}

#[test]
fn an_address_that_is_none_is_told_with_what_to_type() {
    let nobody = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address");
    for command in AT_URL {
        let at = |url: &str| run([command, &["--url", url]].concat());
        check(&at("127.0.0.1:7070"), 2, "it does not begin with http://; say http://127.0.0.1:7070");
        check(&at("ftp://127.0.0.1:7070"), 2, "ftp:// is not spoken here; say http://127.0.0.1:7070");
        check(&at("htp://shop"), 2, "htp:// is not spoken here; say http://shop");
        check(&at(&format!("http://{nobody}")), 5, "see that `handfast serve` runs there");
    }
}

/// Answers every request with a page, as any web server does.
fn somebody_else() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let answer = |mut stream: TcpStream| {
        let asked = stream.read(&mut [0; 4096]);
        let page = "HTTP/1.1 404 Not Found\r\nContent-Type: text/html\r\nContent-Length: 4\r\nConnection: close\r\n\r\n<br>";
        asked.and_then(|_| stream.write_all(page.as_bytes()))
    };
    std::thread::spawn(move || listener.incoming().for_each(|stream| drop(stream.and_then(answer))));
    url
}

#[test]
fn a_server_that_is_not_handfast_is_told_as_such() {
    let url = somebody_else();
    for command in AT_URL {
        check(&run([command, &["--url", &url]].concat()), 2, "is no coordinator of handfast");
    }
}

#[test]
fn what_is_typed_wins_over_the_environment() {
    let nobody = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address");
    let url = format!("http://{nobody}");
    let run = |arguments: &[&str], variables: &[(&str, &str)]| -> Ended {
        handfast().args(arguments).envs(variables.iter().copied()).output().expect("the binary runs").into()
    };
    let (store, service) = (("HANDFAST_STORE", "sqlite:nowhere.db"), ("HANDFAST_URL", url.as_str()));
    for command in AT_URL {
        check(&run(&[command, &["--url", &url]].concat(), &[store, ("HANDFAST_FLOW", "shop.toml")]), 5, "no answer from");
        check(&run(command, &[service]), 5, "no answer from");
    }
    for command in AT_URL.iter().filter(|command| command[0] != "definitions") {
        check(&run(&[command, &["--store", "sqlite:other.db"][..]].concat(), &[service]), 2, "there is no store at other.db");
        check(&run(command, &[store, service]), 2, "HANDFAST_URL and HANDFAST_STORE are both set");
    }
}

/// A flow that is typed names its own default store, whatever store the environment names, and the other way round.
#[test]
fn a_typed_flow_wins_over_the_store_of_the_environment() {
    let folder = tempfile::tempdir().expect("a directory");
    let home = folder.path();
    fs::write(home.join("shop.toml"), FLOW).expect("it can be written");
    fs::create_dir(home.join("state")).expect("it can be made");
    drop(handfast::store::SqliteStore::open(home.join("a.db")).expect("a store"));
    let in_place: [&[&str]; 6] = [
        &["sagas", "list"],
        &["sagas", "cancel", "order-1", "--by", "ada", "--reason", "x", "--yes"],
        &["participants", "list"],
        &["show", "order-1"],
        &["store", "verify"],
        &["store", "accept-time", "--as", "ada", "--reason", "x", "--yes"],
    ];
    let ended = |command: &[&str], typed: &[&str]| -> Ended {
        let mut handfast = handfast();
        handfast.current_dir(home).env("XDG_STATE_HOME", home.join("state")).env("HANDFAST_STORE", "sqlite:a.db");
        handfast.env("HANDFAST_FLOW", "nowhere.toml").args(command).args(typed).output().expect("the binary runs").into()
    };
    for command in in_place {
        let of_flow = ended(command, &["--flow", "shop.toml"]);
        assert_eq!(of_flow.code, Some(2), "{command:?}: {} {}", of_flow.stdout, of_flow.stderr);
        assert!(!of_flow.stderr.contains("a.db") && of_flow.stderr.contains("state"), "{command:?}: {}", of_flow.stderr);
        check(&ended(command, &["--store", "sqlite:other.db"]), 2, "there is no store at other.db");
    }
}

/// A variable that is set to nothing is not set.
#[test]
fn an_empty_token_is_none() {
    let closed = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address");
    let list = ["sagas", "list", "--url", &format!("http://{closed}")];
    for name in ["HANDFAST_TOKEN", "HANDFAST_TOKEN_FILE"] {
        check(&handfast().env(name, "").args(list).output().expect("the binary runs").into(), 5, "no answer from");
    }
    check(&handfast().env("HANDFAST_TOKEN", " ").args(list).output().expect("the binary runs").into(), 2, "holds no token");
}

#[test]
fn a_store_that_cannot_be_opened_is_told_by_what_it_is_with_a_cure() {
    let folder = tempfile::tempdir().expect("a directory");
    let home = folder.path();
    fs::write(home.join("empty.db"), "").expect("it can be written");
    fs::write(home.join("text.db"), "no database".repeat(20)).expect("it can be written");
    fs::create_dir(home.join("folder.db")).expect("it can be made");
    rusqlite::Connection::open(home.join("other.db"))
        .and_then(|other| other.execute_batch("CREATE TABLE t (a)"))
        .expect("a table");
    fs::write(home.join("orders.jsonl"), "").expect("it can be written");
    fs::write(home.join("shop.toml"), FLOW).expect("it can be written");
    let looks: [&[&str]; 8] = [
        &["sagas", "list"],
        &["sagas", "cancel", "order-1", "--by", "ada", "--reason", "x", "--yes"],
        &["show", "order-1"],
        &["participants", "list"],
        &["participants", "accept", "http://a", "--incarnation", "two", "--by", "ada", "--why", "x", "--yes"],
        &["store", "verify"],
        &["store", "backup", "copy.db"],
        &["store", "accept-time", "--as", "ada", "--reason", "x", "--yes"],
    ];
    let makes: [&[&str]; 2] =
        [&["run", "--flow", "shop.toml", "orders.jsonl"], &["serve", "--flow", "shop.toml", "--listen", "127.0.0.1:0"]];
    let ended = |command: &[&str], store: &str| -> Ended {
        let store = format!("sqlite:{store}");
        let mut handfast = handfast();
        handfast.current_dir(home).args(command).args(["--store", &store]).output().expect("the binary runs").into()
    };
    for command in looks {
        for (store, said) in [
            ("nowhere.db", "there is no store at nowhere.db; name the file"),
            ("empty.db", "empty.db is empty (0 bytes), as a full disk leaves a file"),
            ("no/shop.db", "there is no store at no/shop.db; name the file"),
        ] {
            check(&ended(command, store), 2, said);
        }
    }
    for command in makes {
        check(&ended(command, "no/shop.db"), 2, "no does not exist; create it first");
    }
    for command in looks.iter().chain(&makes) {
        for (store, said) in [
            ("folder.db", "cannot open the store folder.db: it is a folder; name a file in it"),
            ("text.db", "text.db is not a handfast store: it is not a SQLite database; give another path"),
            ("other.db", "other.db is not a handfast store: it is a SQLite database of something else"),
        ] {
            check(&ended(command, store), 2, said);
        }
    }
    let left: Vec<bool> = ["nowhere.db", "copy.db", "copy.db.part"].iter().map(|name| home.join(name).exists()).collect();
    assert_eq!((left, fs::metadata(home.join("empty.db")).expect("it is there").len()), (vec![false; 3], 0));
}

/// A backup names the file that is in the way, and takes nothing away that is another one's.
#[test]
fn a_backup_that_cannot_be_made_says_which_file_is_in_the_way() {
    let folder = tempfile::tempdir().expect("a directory");
    let path = |name: &str| folder.path().join(name).to_str().expect("text").to_owned();
    drop(handfast::store::SqliteStore::open(path("shop.db")).expect("a store"));
    fs::write(path("taken.db"), "mine").expect("it can be written");
    fs::write(path("busy.db.part"), "theirs").expect("it can be written");
    let back_up = |to: &str| run(["store", "backup", to, "--store", &format!("sqlite:{}", path("shop.db"))]);
    check(
        &back_up(&path("taken.db")),
        2,
        "taken.db: there is something already under this name; name a file that is not there yet",
    );
    check(&back_up(&path("busy.db")), 2, "busy.db: another backup of this name is under way, or was cut off");
    check(&back_up(&path("no/copy.db")), 2, "no/copy.db: the folder ");
    assert_eq!(fs::read_to_string(path("busy.db.part")).expect("it is there"), "theirs");
    assert!(!Path::new(&path("busy.db")).exists());
}

/// Whoever acts is asked, and where nobody can be asked nothing is done.
#[test]
fn every_act_of_a_person_needs_a_yes() {
    let folder = tempfile::tempdir().expect("a directory");
    let path = folder.path().join("shop.db");
    drop(handfast::store::SqliteStore::open(&path).expect("a store"));
    let store = format!("sqlite:{}", path.display());
    let acts: [(&[&str], &str); 2] = [
        (
            &["participants", "accept", "http://a", "--incarnation", "two", "--by", "ada", "--why", "x"],
            "accept: http://a counts as two",
        ),
        (&["store", "accept-time", "--as", "ada", "--reason", "x"], "accept-time: the present time counts"),
    ];
    for (act, does) in acts {
        let unasked = run([act, &["--store", &store]].concat());
        check(&unasked, 2, "nothing was done; say --yes to do it");
        assert!(unasked.stderr.starts_with(does), "{}", unasked.stderr);
        let asked = run([act, &["--store", &store, "--yes"]].concat());
        assert!(!asked.stderr.contains("say --yes"), "{}", asked.stderr);
    }
}
