//! What answers of a service prove: a service that knows nothing of the contract, and answers as such services do.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::http::{Method, StatusCode, Uri};
use axum::response::IntoResponse as _;
use handfast::{Clock, Outcome};
use serde_json::{Value, json};

use super::provider::{Provider, UNDONE, flow, order};
use super::shop::{Road, Shop, ended, until, view};

/// The charge is made, its answer is lost, and a gateway has something to say about the repetition.
#[tokio::test]
async fn a_status_that_somebody_else_sends_is_no_refusal() {
    let shop = Shop::open(&[]).await;
    let (provider, url) = Provider::start(|books, number, _, _| match number {
        1 => {
            books.charged += 100;
            None
        }
        2..=4 => Some((413, Value::Null)),
        5 => Some((400, json!({"message": "request header or cookie too large"}))),
        _ => Some((200, json!({"state": "charged"}))),
    })
    .await;
    let undo = UNDONE.replace("PROVIDER", &url);
    let done = "done = { status = 200, json = { \"/state\" = \"charged\" } }\n";
    let bare = flow(&url, &shop.urls[1], &format!("{done}refused = {{ status = [400, 402, 413, 431] }}"), &undo);
    let error = bare.flow::<&str>(&[]).unwrap_err().to_string();
    assert!(
        error.contains("risk bare-status") && error.contains("shop.toml:7:1: step 1 takes an answer to its act as refused"),
        "{error}"
    );
    let page = flow(&url, &shop.urls[1], "done = { status = 200 }", &undo).flow::<&str>(&[]).unwrap_err().to_string();
    assert!(page.contains("takes an answer to its act as done by its status alone"), "{page}");

    let refused = "refused = { status = [400, 402, 413, 431], json = { \"/error/kind\" = \"declined\" } }";
    let file = flow(&url, &shop.urls[1], &format!("{done}{refused}"), &undo);
    let (_engine, mut saga) = order(&shop, &file).await;
    assert_eq!(ended(&mut saga).await.unwrap(), Outcome::Completed);
    assert_eq!((provider.charged(), shop.shipments().await), (100, 1));
}

/// The answers to the first tries are lost, and every later one says "already done" in another shape.
#[tokio::test]
async fn one_meaning_comes_in_several_shapes() {
    let shop = Shop::open(&[]).await;
    let (provider, url) = Provider::start(|books, number, method, path| {
        if method == Method::POST {
            let is_ours = path == "/charges/ch-7/refund";
            books.charged -= if is_ours { 100 } else { 0 };
            return Some((if is_ours { 200 } else { 404 }, json!({"state": "refunded"})));
        }
        if number == 1 {
            books.charged += 100;
            return None;
        }
        let key = path.trim_start_matches("/charges/");
        let of = |code: &str, key: &str, id: &str| json!({"code": code, "charge": {"reference": key, "id": id}});
        let errors = [of("expired", key, "ch-9"), of("already_charged", "another", "ch-8"), of("already_charged", key, "ch-7")];
        Some((422, json!({"errors": errors})))
    })
    .await;
    let act = "done = [\n  { status = 200, json = { \"/state\" = \"charged\" } },\n  { status = \"4xx\", json = { \"/errors/*/code\" = \
               \"already_charged\", \"/errors/*/charge/reference\" = \"{key}\", \"/state\" = { absent = true } } },\n]\n\
               keep = { id = \"/errors/*/charge/id\" }";
    let undo = UNDONE.replace("PROVIDER", &url).replace("{key}", "{receipt.payment.id}");
    let file = flow(&url, &shop.urls[1], act, &undo);
    let (engine, mut saga) = order(&shop, &file).await;
    assert_eq!(ended(&mut saga).await.unwrap(), Outcome::Completed);
    assert_eq!((provider.charged(), shop.shipments().await), (100, 1));
    drop(engine);
    let kept = file.flow::<&str>(&[]).unwrap();
    assert_eq!(handfast::Flow::from_built_text(kept.text()).unwrap(), *kept, "it is kept with every saga");
    assert!(provider.asked().len() >= 2);
}

const CHARGED: &str = "done = { status = 200, json = { \"/state\" = \"charged\", \"/reference\" = \"{key}\", \"/amount\" = \"{input.amount.minor}\" } }";

/// A part of the amount is neither a payment nor none: nothing is shipped, it is given back, and somebody is told.
#[tokio::test]
async fn another_amount_is_given_back_and_told() {
    let shop = Shop::open(&[]).await;
    let (provider, url) = Provider::start(|books, _, method, path| {
        if *method == Method::POST {
            books.charged = 0;
            return Some((200, json!({"state": "refunded", "left": 0})));
        }
        books.charged = 50;
        let key = path.trim_start_matches("/charges/");
        Some((200, json!({"state": "charged", "reference": key, "amount": 50})))
    })
    .await;
    let undo = UNDONE.replace("PROVIDER", &url).replace("\"refunded\"", "\"refunded\", \"/left\" = 0");
    let file = flow(&url, &shop.urls[1], CHARGED, &undo);
    let (engine, mut saga) = order(&shop, &file).await;
    assert_eq!(ended(&mut saga).await.unwrap(), Outcome::Cancelled);
    assert_eq!((provider.charged(), shop.shipments().await), (0, 0));
    let trouble = view(&engine, "order-1").await.trouble.expect("somebody is told");
    let said = "step payment: an answer is not about what was asked for: 200 that means done, but for /amount: 100 was asked for, and \
                50 stands there";
    assert!(trouble.starts_with(said), "{trouble}");
    let acts = provider.asked().iter().filter(|(method, _)| *method == Method::PUT).count();
    assert_eq!(acts, 1, "told at once");
}

const BY_AMOUNT: &str = "done = { status = 200, json = { \"/state\" = \"charged\", \"/amount\" = \"{input.amount.minor}\" } }";

/// A cache between answers with another order's charge while ours is on the road. Taking that for ours would undo what is not
/// there yet, and end before it is.
#[tokio::test]
async fn what_does_not_say_whose_it_is_is_not_taken_for_ours() {
    let shop = Shop::open(&[]).await;
    let (provider, url) = Provider::start(|books, number, method, _| {
        let was_there = books.charged > 0;
        if *method == Method::POST {
            books.charged = 0;
            return Some((200, json!({"state": "refunded", "was_there": was_there})));
        }
        if number == 1 {
            return Some((200, json!({"state": "charged", "amount": 50})));
        }
        books.charged = 100;
        Some((200, json!({"state": "charged", "amount": 100})))
    })
    .await;
    let file = flow(&url, &shop.urls[1], BY_AMOUNT, &UNDONE.replace("PROVIDER", &url));
    let (engine, mut saga) = order(&shop, &file).await;
    assert_eq!(ended(&mut saga).await.unwrap(), Outcome::Cancelled);
    assert_eq!((provider.charged(), shop.shipments().await), (0, 0));
    let asked: Vec<Method> = provider.asked().into_iter().map(|(method, _)| method).collect();
    assert_eq!(asked, [Method::PUT, Method::PUT, Method::POST], "nothing is undone before it is known to be there");
    let trouble = view(&engine, "order-1").await.trouble.expect("somebody is told");
    assert!(trouble.contains("/amount: 100 was asked for, and 50 stands there"), "{trouble}");
}

/// 50 of 100 can only be given back by the id that it came with.
#[tokio::test]
async fn what_is_there_with_other_values_is_undone_by_the_id_that_it_came_with() {
    let shop = Shop::open(&[]).await;
    let (provider, url) = Provider::start(|books, _, method, path| {
        if *method == Method::POST {
            let is_there = path == "/charges/ch-7/refund";
            books.charged = if is_there { 0 } else { books.charged };
            return Some((if is_there { 200 } else { 404 }, json!({"state": "refunded"})));
        }
        books.charged = 50;
        let key = path.trim_start_matches("/charges/");
        Some((200, json!({"id": "ch-7", "state": "charged", "reference": key, "amount": 50})))
    })
    .await;
    let undo = UNDONE.replace("PROVIDER", &url).replace("{key}", "{receipt.payment.id}");
    let file = flow(&url, &shop.urls[1], &format!("{CHARGED}\nkeep = {{ id = \"/id\" }}"), &undo);
    let (engine, mut saga) = order(&shop, &file).await;
    assert_eq!(ended(&mut saga).await.unwrap(), Outcome::Cancelled);
    assert_eq!((provider.charged(), shop.shipments().await), (0, 0));
    let entries = view(&engine, "order-1").await.entries;
    let kept = entries
        .iter()
        .filter(|entry| entry.input.contains(r#""differs""#))
        .all(|entry| entry.input.contains(r#""kept":{"id":"ch-7"}"#));
    assert!(kept, "{entries:?}");
}

/// What is said of another reference says nothing of ours: it is never believed, and the key is asked about until it is known.
#[tokio::test]
async fn an_answer_about_somebody_else_is_believed_in_no_direction() {
    let shop = Shop::open(&[]).await;
    let (provider, url) = Provider::start(|books, number, method, path| {
        if *method == Method::POST {
            books.charged = 0;
            return Some((200, json!({"state": "refunded"})));
        }
        let key = if number < 3 { "another" } else { path.trim_start_matches("/charges/") };
        books.charged = 100;
        Some((200, json!({"state": "charged", "reference": key, "amount": 100})))
    })
    .await;
    let file = flow(&url, &shop.urls[1], CHARGED, &UNDONE.replace("PROVIDER", &url));
    let (engine, mut saga) = order(&shop, &file).await;
    assert_eq!(ended(&mut saga).await.unwrap(), Outcome::Cancelled);
    assert_eq!((provider.charged(), shop.shipments().await), (0, 0));
    let trouble = view(&engine, "order-1").await.trouble.expect("somebody is told");
    assert!(trouble.contains("/reference: ") && trouble.contains("was asked for, and \"another\" stands there"), "{trouble}");
}

/// A refund of a part is no refund.
#[tokio::test]
async fn a_part_that_was_given_back_is_not_all_of_it() {
    let shop = Shop::open(&[]).await;
    shop.to_dispatch.set(|_| Road::RequestCaptured);
    let (provider, url) = Provider::start(|books, _, method, path| {
        if *method == Method::POST {
            let refunds = books.asked.iter().filter(|(method, _)| *method == Method::POST).count();
            books.charged = if refunds < 3 { 50 } else { 0 };
            return Some((200, json!({"state": "refunded", "amount": 100 - books.charged})));
        }
        books.charged = 100;
        let key = path.trim_start_matches("/charges/");
        Some((200, json!({"state": "charged", "reference": key, "amount": 100})))
    })
    .await;
    let undo = UNDONE.replace("PROVIDER", &url).replace("\"refunded\"", "\"refunded\", \"/amount\" = \"{input.amount.minor}\"");
    let file = flow(&url, &shop.urls[1], CHARGED, &undo);
    let (engine, mut saga) = order(&shop, &file).await;
    until("the dispatch is asked for", || async { shop.to_dispatch.count(&Method::PUT) > 0 }).await;
    engine.cancel("order-1", None, None).await.unwrap();
    shop.to_dispatch.set(|_| Road::Open);
    assert_eq!(ended(&mut saga).await.unwrap(), Outcome::Cancelled);
    assert_eq!((provider.charged(), shop.shipments().await), (0, 0));
    let trouble = view(&engine, "order-1").await.trouble.expect("somebody is told");
    assert!(trouble.contains("200 that means undone, but for /amount: 100 was asked for, and 50 stands there"), "{trouble}");
}

/// Who answers about something else and asks for a pause is left alone for so long.
#[tokio::test]
async fn a_pause_is_kept_whatever_the_answer_is_about() {
    let shop = Shop::open(&[]).await;
    let asked: Arc<Mutex<Vec<u64>>> = Arc::default();
    let times = Arc::clone(&asked);
    let router = Router::new().fallback(async move |method: Method, uri: Uri| {
        if method == Method::POST {
            return (StatusCode::OK, json!({"state": "refunded"}).to_string()).into_response();
        }
        let number = {
            let mut times = times.lock().unwrap();
            times.push(Clock::system().steady().0);
            times.len()
        };
        let key = if number == 1 { "another" } else { uri.path().trim_start_matches("/charges/") };
        let body = json!({"state": "charged", "reference": key, "amount": 100}).to_string();
        (StatusCode::OK, [("retry-after", "2")], body).into_response()
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    let file = flow(&url, &shop.urls[1], CHARGED, &UNDONE.replace("PROVIDER", &url));
    let (_engine, mut saga) = order(&shop, &file).await;
    assert_eq!(ended(&mut saga).await.unwrap(), Outcome::Cancelled);
    let asked = asked.lock().unwrap();
    let pause_ms = asked[1] - asked[0];
    assert!(pause_ms >= 1_900, "asked again after {pause_ms} ms");
}
