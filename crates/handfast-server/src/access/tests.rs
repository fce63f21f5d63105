//! Every address is asked with every scope, with none, and with what is no token: nothing is done that was not allowed.

use std::path::Path;
use std::sync::Arc;

use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use handfast::flow_file::FlowFile;
use handfast::store::MemoryStore;
use handfast::{Act, Deed, Engine, ListFilter, Order};
use handfast_machine::clock;
use serde_json::{Value, json};
use tokio::sync::watch;

use super::*;
use crate::Server;
use crate::plans::{Made, Maker, page_of};
use crate::routes::{ROUTES, Verb};
use crate::test_support::{FLOW, asked};

struct Bearer {
    name: &'static str,
    secret: Secret,
    scopes: Vec<Scope>,
    flow: Option<&'static str>,
    expires_ms: Option<u64>,
}

impl Bearer {
    fn of(name: &'static str, scopes: &[Scope]) -> Self {
        Self { name, secret: Secret::draw().unwrap(), scopes: scopes.to_vec(), flow: None, expires_ms: None }
    }

    fn token(&self) -> Token {
        let Self { name, secret, scopes, flow, expires_ms } = self;
        Token {
            name: (*name).to_owned(),
            hash: secret.hash(),
            scopes: scopes.iter().copied().collect(),
            flow: flow.map(str::to_owned),
            expires_ms: *expires_ms,
        }
    }
}

fn write(path: &Path, bearers: &[Bearer]) {
    let text: Vec<String> = bearers.iter().map(|bearer| bearer.token().to_toml()).collect();
    std::fs::write(path, text.join("\n")).unwrap();
}

/// A service whose callers need the tokens of this file. Its store holds order `known`, and `theirs` of another flow.
async fn service(access: Access) -> (Server, watch::Sender<bool>) {
    let file = FlowFile::parse("shop.toml", FLOW).unwrap();
    let flow = file.flow::<&str>(&[]).unwrap();
    let store = Arc::new(MemoryStore::new());
    let theirs = FlowFile::parse("cards.toml", &FLOW.replace("\"shop\"", "\"cards\"")).unwrap();
    let before = Engine::builder(store.clone()).flow(theirs.flow::<&str>(&[]).unwrap()).open().await.unwrap();
    before.submit(theirs.parse_order(br#"{"id": "theirs", "lines": [{"sku": "tea"}]}"#).unwrap()).await.unwrap();
    assert!(before.shutdown(std::time::Duration::from_secs(30)).await);
    let engine = Engine::builder(store).flow(Arc::clone(&flow)).open().await.unwrap();
    let order: Order = file.parse_order(br#"{"id": "known", "lines": [{"sku": "tea"}]}"#).unwrap();
    engine.submit(order).await.unwrap();
    let (keeps_on, stop) = watch::channel(false);
    (Server::over(Arc::new(engine), (file, flow), Callers { access, most: 64 }, stop), keeps_on)
}

/// The body that an address takes; what is no act of the scope `operate` asks for `money`.
fn body(path: &str) -> Value {
    match path {
        "/sagas" | "/flows/{flow}/sagas" => json!({ "lines": [{ "sku": "tea" }] }),
        "/sagas/{id}/acts" => json!({ "act": "retry", "by": "ada", "reason": "x", "request_id": "1", "saw": 1 }),
        "/definitions/{hash}" => json!({ "decides": "keep", "by": "ada", "why": "x" }),
        "/participants/accept" => json!({ "participant": "p", "incarnation": "i", "by": "ada", "why": "x" }),
        "/clock/accept" | "/sagas/{id}/cancel" => json!({ "by": "ada", "why": "x" }),
        _read => Value::Null,
    }
}

async fn ask(server: &Server, (method, path): (&Method, &str), body: &Value, authorization: Option<&str>) -> (StatusCode, Value) {
    let uri =
        path.replace("{id}", "known").replace("{hash}", &"0".repeat(64)).replace("{slug}", "token").replace("{flow}", "shop");
    let uri = uri.replace("{step}", "dispatch").replace("resting", "resting?incarnation=i");
    let uri = if uri == "/plans" { "/plans?act=retry".to_owned() } else { uri };
    let mut request = Request::builder().method(method.clone()).uri(uri).header("idempotency-key", "key-1");
    // A name that anybody could have registered: who has a token may use it.
    request = request.header(header::HOST, "orders.shop.example").header(header::CONTENT_TYPE, "application/json");
    if let Some(authorization) = authorization {
        request = request.header(header::AUTHORIZATION, authorization);
    }
    let (head, answer) = asked(server, request.body(Body::from(body.to_string())).unwrap()).await;
    let challenge = head.headers.contains_key(header::WWW_AUTHENTICATE);
    assert!(challenge || head.status != StatusCode::UNAUTHORIZED, "{path}: every 401 says by what scheme");
    (head.status, answer.unwrap_or(Value::Null))
}

/// Every address, and by which scopes it is reached: written down here once more, so that an address is not opened by a slip.
/// A star says that a token of one flow is not enough.
const REACHED_BY: [(&str, &str); 26] = [
    ("POST /sagas", "place"),
    ("POST /flows/{flow}/sagas", "place"),
    ("GET /sagas", "read"),
    ("GET /sagas/{id}", "read"),
    ("POST /sagas/{id}/cancel", "place, money"),
    ("POST /sagas/{id}/acts", "operate, money"),
    ("GET /flows", "read"),
    ("POST /flows/reload", "operate *"),
    ("GET /plans", "read"),
    ("POST /plans/apply", "operate, money"),
    ("POST /plans/outcome", "read"),
    ("GET /definitions", "read *"),
    ("POST /definitions/{hash}", "money *"),
    ("GET /participants", "read *"),
    ("POST /participants/accept", "money *"),
    ("GET /participants/resting", "read *"),
    ("POST /clock/accept", "money *"),
    ("POST /webhooks/{step}", "anybody"),
    ("POST /flows/{flow}/webhooks/{step}", "anybody"),
    ("GET /livez", "anybody"),
    ("GET /readyz", "anybody"),
    ("GET /version", "read"),
    ("GET /stats", "read *"),
    ("GET /metrics", "read *"),
    ("GET /openapi.json", "read"),
    ("GET /problems/{slug}", "anybody"),
];

#[test]
fn every_address_is_reached_by_the_scopes_that_are_written_down() {
    let names = |scopes: &[Scope]| scopes.iter().map(|scope| scope.name()).collect::<Vec<_>>().join(", ");
    let said = ROUTES.iter().map(|route| {
        let by = match route.needs {
            Needs::Nothing => "anybody".to_owned(),
            Needs::OfASaga(scopes) => names(scopes),
            Needs::OfAll(scopes) => format!("{} *", names(scopes)),
        };
        (format!("{} {}", route.verb.method(), route.path), by)
    });
    let expected = REACHED_BY.map(|(address, by)| (address.to_owned(), by.to_owned()));
    assert_eq!(said.collect::<Vec<_>>(), expected);
}

/// The page of a plan to retry the order that is known, as its service makes it, and by whom it is applied.
async fn page_of_a_plan(server: &Server) -> Value {
    let coordinator = server.service.coordinator();
    let (filter, deed) = (ListFilter::all(None, 10).with_flow(Some("shop".to_owned())), Deed::Act(Act::Retry));
    let page = page_of(&coordinator.foresee(&filter, &deed).await.unwrap());
    let mut maker = Maker::new(("ada", "the payment was down"), &filter, &deed).unwrap();
    maker.add(Made::of((coordinator.store_id().unwrap(), clock::now_ms()), page, None));
    let plan = maker.plan();
    assert_eq!(plan.pages[0].sagas[0].saga, "known", "{plan:?}");
    json!({ "token": plan.token, "head": plan.head, "page": plan.pages[0], "by": "bea" })
}

fn is_turned_away(status: StatusCode, answer: &Value) -> bool {
    let kind = answer["type"].as_str().unwrap_or_default();
    matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) && matches!(kind, "/problems/token" | "/problems/scope")
}

#[tokio::test]
async fn every_address_lets_in_whom_it_says_and_nobody_else() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("tokens.toml");
    let of_one = |flow| Bearer { flow: Some(flow), ..Bearer::of(flow, &Scope::ALL) };
    let mut bearers: Vec<Bearer> = Scope::ALL.into_iter().map(|scope| Bearer::of(scope.name(), &[scope])).collect();
    bearers.extend([of_one("shop"), of_one("another-shop")]);
    bearers.push(Bearer { expires_ms: Some(clock::now_ms() - 1), ..Bearer::of("late", &Scope::ALL) });
    bearers.push(Bearer { expires_ms: Some(clock::now_ms() + 3_600_000), ..Bearer::of("in-time", &Scope::ALL) });
    write(&path, &bearers);
    let (server, _keeps_on) = service(Access::Tokens(TokenFile::open(&path).unwrap())).await;

    for route in ROUTES {
        let method = route.verb.method();
        let asked = (&method, route.path);
        let body = if route.path.starts_with("/plans/") { page_of_a_plan(&server).await } else { body(route.path) };
        let is_open = route.needs == Needs::Nothing;
        for wrong in [None, Some("Bearer nobody"), Some("Basic YTpi"), Some("Bearer")] {
            let (status, answer) = ask(&server, asked, &body, wrong).await;
            let expected = if is_open { !is_turned_away(status, &answer) } else { status == StatusCode::UNAUTHORIZED };
            assert!(expected, "{asked:?} {wrong:?}: {status} {answer}");
            if route.verb == Verb::Get && !is_open {
                let (status, _) = ask(&server, (&Method::HEAD, route.path), &body, wrong).await;
                assert_eq!(status, StatusCode::UNAUTHORIZED, "HEAD {}", route.path);
            }
        }
        for bearer in &bearers {
            let authorization = format!("Bearer {}", bearer.secret.as_str());
            let (status, answer) = ask(&server, asked, &body, Some(&authorization)).await;
            let may = match route.needs {
                Needs::Nothing => true,
                _ if bearer.name == "late" => false,
                // A retry lets go on what was decided.
                Needs::OfASaga(_) if route.path.ends_with("/acts") || route.path == "/plans/apply" => {
                    bearer.scopes.contains(&Scope::Operate)
                }
                Needs::OfASaga(scopes) => scopes.iter().any(|scope| bearer.scopes.contains(scope)),
                Needs::OfAll(scopes) => bearer.flow.is_none() && scopes.iter().any(|scope| bearer.scopes.contains(scope)),
            };
            let is_of_another = bearer.flow == Some("another-shop");
            match (may, route.needs) {
                // What is of another flow is not there; an empty list of its own is.
                (true, Needs::OfASaga(_)) if is_of_another && method == Method::POST && route.path.ends_with("/sagas") => {
                    assert_eq!(status, StatusCode::FORBIDDEN, "{asked:?} {}: {answer}", bearer.name);
                }
                (true, Needs::OfASaga(_)) if is_of_another && route.path == "/sagas" => {
                    assert_eq!((status, &answer["sagas"]), (StatusCode::OK, &json!([])));
                }
                (true, Needs::OfASaga(_)) if is_of_another && route.path == "/flows" => {
                    assert_eq!((status, &answer["flows"]), (StatusCode::OK, &json!([])));
                }
                (true, Needs::OfASaga(_)) if is_of_another && route.path.starts_with("/plans") => {
                    let is_there = answer.to_string().contains("known");
                    let is_refused = answer["sagas"][0]["done"] == "refused";
                    assert!(status == StatusCode::OK && (!is_there || is_refused), "{asked:?}: {status} {answer}");
                }
                // They are about no saga.
                (true, Needs::OfASaga(_)) if is_of_another && matches!(route.path, "/version" | "/openapi.json") => {
                    assert_eq!(status, StatusCode::OK);
                }
                (true, Needs::OfASaga(_)) if is_of_another => {
                    assert_eq!(status, StatusCode::NOT_FOUND, "{asked:?} {}: {answer}", bearer.name);
                }
                (true, Needs::OfASaga(_)) => {
                    let is_done = status.is_success() || status == StatusCode::CONFLICT;
                    assert!(is_done, "{asked:?} {}: {status} {answer}", bearer.name);
                }
                (true, _) => assert!(!is_turned_away(status, &answer), "{asked:?} {}: {status} {answer}", bearer.name),
                (false, _) => assert!(is_turned_away(status, &answer), "{asked:?} {}: {status} {answer}", bearer.name),
            }
        }
    }
}

/// What is of another flow is not there for a token of one, by whatever way it is asked for.
#[tokio::test]
async fn a_token_of_one_flow_reaches_no_saga_of_another() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("tokens.toml");
    let bearers = [Bearer { flow: Some("shop"), ..Bearer::of("shop", &Scope::ALL) }, Bearer::of("all", &Scope::ALL)];
    write(&path, &bearers);
    let (server, _keeps_on) = service(Access::Tokens(TokenFile::open(&path).unwrap())).await;
    let [of_shop, of_all] = bearers.each_ref().map(|bearer| format!("Bearer {}", bearer.secret.as_str()));
    let (acts, an_order) = (body("/sagas/{id}/acts"), body("/sagas"));
    for (method, path, body) in [
        (Method::GET, "/sagas/theirs", Value::Null),
        (Method::POST, "/sagas/theirs/cancel", json!({})),
        (Method::POST, "/sagas/theirs/acts", acts),
    ] {
        let (status, answer) = ask(&server, (&method, path), &body, Some(&of_shop)).await;
        assert_eq!((status, &answer["type"]), (StatusCode::NOT_FOUND, &json!("/problems/no-such-saga")), "{path}: {answer}");
        let (status, answer) = ask(&server, (&method, path), &body, Some(&of_all)).await;
        assert_ne!(status, StatusCode::NOT_FOUND, "{path}: {answer}");
    }
    let ids = async |authorization: &str| {
        let (status, page) = ask(&server, (&Method::GET, "/sagas"), &Value::Null, Some(authorization)).await;
        assert_eq!(status, StatusCode::OK, "{page}");
        page["sagas"].as_array().unwrap().iter().map(|saga| saga["id"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!((ids(&of_shop).await, ids(&of_all).await.len()), (vec!["known".to_owned()], 2));
    // It places in its own flow alone, and is not told whether there are others.
    for (path, expected) in [
        ("/flows/shop/sagas", StatusCode::ACCEPTED),
        ("/flows/cards/sagas", StatusCode::FORBIDDEN),
        ("/flows/none/sagas", StatusCode::FORBIDDEN),
    ] {
        let (status, answer) = ask(&server, (&Method::POST, path), &an_order, Some(&of_shop)).await;
        assert_eq!(status, expected, "{path}: {answer}");
    }
}

#[tokio::test]
async fn an_act_asks_for_the_scope_of_what_it_does() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("tokens.toml");
    let bearers = [Bearer::of("operator", &[Scope::Operate]), Bearer::of("treasurer", &[Scope::Money])];
    write(&path, &bearers);
    let (server, _keeps_on) = service(Access::Tokens(TokenFile::open(&path).unwrap())).await;
    for (act, step, scope) in [
        ("retry", None, Scope::Operate),
        ("resume", None, Scope::Operate),
        ("mark_done", Some("dispatch"), Scope::Money),
        ("mark_not_done", Some("dispatch"), Scope::Money),
        ("mark_undone", Some("dispatch"), Scope::Money),
        ("settle", None, Scope::Money),
    ] {
        let body = json!({ "act": act, "step": step, "by": "ada", "reason": "x", "request_id": act, "saw": 0 });
        for bearer in &bearers {
            let authorization = format!("Bearer {}", bearer.secret.as_str());
            let (status, answer) = ask(&server, (&Method::POST, "/sagas/{id}/acts"), &body, Some(&authorization)).await;
            assert_eq!(is_turned_away(status, &answer), !bearer.scopes.contains(&scope), "{act} {}: {answer}", bearer.name);
        }
    }
}

/// A plan of a token's own flow holds nothing of another, and one that names a saga of another does nothing to it.
#[tokio::test]
async fn a_token_of_one_flow_plans_and_applies_its_own() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("tokens.toml");
    let bearers = [Bearer { flow: Some("cards"), ..Bearer::of("cards", &Scope::ALL) }, Bearer::of("all", &Scope::ALL)];
    write(&path, &bearers);
    let (server, _keeps_on) = service(Access::Tokens(TokenFile::open(&path).unwrap())).await;
    let [of_cards, of_all] = bearers.each_ref().map(|bearer| format!("Bearer {}", bearer.secret.as_str()));
    let planned = async |authorization: &str| {
        let (status, made) = ask(&server, (&Method::GET, "/plans?act=cancel"), &Value::Null, Some(authorization)).await;
        assert_eq!(status, StatusCode::OK, "{made}");
        let of = |what: &str| made["page"][what].as_array().unwrap().iter().map(|saga| saga["saga"].clone()).collect::<Vec<_>>();
        [of("sagas"), of("refused")].concat()
    };
    assert_eq!((planned(&of_cards).await, planned(&of_all).await.len()), (vec![json!("theirs")], 2));
    let (status, refused) = ask(&server, (&Method::GET, "/plans?act=cancel&flow=shop"), &Value::Null, Some(&of_cards)).await;
    assert_eq!((status, &refused["type"]), (StatusCode::FORBIDDEN, &json!("/problems/scope")), "{refused}");

    let plan = page_of_a_plan(&server).await;
    let applied = async |authorization: &str| {
        let (status, applied) = ask(&server, (&Method::POST, "/plans/apply"), &plan, Some(authorization)).await;
        assert_eq!(status, StatusCode::OK, "{applied}");
        applied["sagas"][0].clone()
    };
    let refused = applied(&of_cards).await;
    assert_eq!((&refused["done"], &refused["why"]), (&json!("refused"), &json!("there is no saga known")));
    assert_eq!(applied(&of_all).await["done"], "acted");
    for (authorization, known) in [(&of_cards, 0), (&of_all, 1)] {
        let (status, outcome) = ask(&server, (&Method::POST, "/plans/outcome"), &plan, Some(authorization)).await;
        assert_eq!((status, outcome["sagas"].as_array().unwrap().len()), (StatusCode::OK, known), "{outcome}");
    }
}

/// A token that was taken out of the file counts no more; a file that is wrong changes nothing.
#[tokio::test]
async fn the_file_is_read_again_when_it_changes() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("tokens.toml");
    let (first, second) = (Bearer::of("first", &Scope::ALL), Bearer::of("second", &Scope::ALL));
    let headers = |bearer: &Bearer| format!("Bearer {}", bearer.secret.as_str());
    let (of_first, of_second) = (headers(&first), headers(&second));
    write(&path, &[first]);
    let (server, _keeps_on) = service(Access::Tokens(TokenFile::open(&path).unwrap())).await;
    let answers = async |authorization: &str, expected: StatusCode| {
        // It is looked at once a second; half a minute is for a machine that is busy.
        for _ in 0..300 {
            let (status, _) = ask(&server, (&Method::GET, "/stats"), &Value::Null, Some(authorization)).await;
            if status == expected {
                return true;
            }
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
        false
    };
    assert!(answers(&of_first, StatusCode::OK).await);
    std::fs::write(&path, "[[token]]\nname = 1").unwrap();
    tokio::time::sleep(std::time::Duration::from_millis(1_200)).await;
    assert!(answers(&of_first, StatusCode::OK).await, "what was wrong is left aside");
    write(&path, &[second]);
    assert!(answers(&of_second, StatusCode::OK).await, "a new token counts");
    assert!(answers(&of_first, StatusCode::UNAUTHORIZED).await, "one that was taken out does not");
    let text = std::fs::read_to_string(&path).unwrap();
    // The last token is taken out, the file is taken away, and either is as it should be again.
    for change in [|path: &Path| std::fs::write(path, "# none\n"), |path: &Path| std::fs::remove_file(path)] {
        change(&path).unwrap();
        assert!(answers(&of_second, StatusCode::UNAUTHORIZED).await, "whom the file does not name is not let in");
        std::fs::write(&path, &text).unwrap();
        assert!(answers(&of_second, StatusCode::OK).await);
    }
    // A change that no time and no length tells.
    let modified = std::fs::metadata(&path).unwrap().modified().unwrap();
    let third = Bearer::of("second", &Scope::ALL);
    let of_third = headers(&third);
    write(&path, &[third]);
    std::fs::File::options().write(true).open(&path).unwrap().set_modified(modified).unwrap();
    assert!(answers(&of_third, StatusCode::OK).await && answers(&of_second, StatusCode::UNAUTHORIZED).await);
}
