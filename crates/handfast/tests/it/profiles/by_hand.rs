//! What an operator needs who has to ask a provider by hand, and what has to be said with a mark so that nothing is left behind.

use axum::http::Method;
use handfast::flow_file::FlowFile;
use handfast::journal::{Said, Scalar};
use handfast::{Act, ActError, ActResult, Engine, Mark, Outcome};
use serde_json::json;

use super::provider::{Provider, order_at_risk, read, text};
use super::shop::{Shop, ended, until, view};

/// A provider that keeps nothing of keys: what it has done can be given back by its own id only.
fn by_its_own_id(provider: &str, shipments: &str) -> FlowFile {
    let act =
        "done = { status = 200, json = { \"/state\" = \"charged\", \"/reference\" = \"{key.hash}\" } }\nkeep = { id = \"/id\" }";
    let undo = format!(
        "url = \"{provider}/charges/{{receipt.payment.id}}/refund\"\nundone = {{ json = {{ \"/state\" = \"refunded\" }} }}"
    );
    let once = "idempotent = true\nremembers = \"for-ever\"";
    let assumed = "[assume]\nmessage_lifetime = \"300ms\"\nclock_error = \"1ms\"\nlongest_outage = \"1ms\"\n[input]";
    read(&text(provider, shipments, act, &undo).replace(once, "idempotent = false").replace("[input]", assumed))
}

fn said(saw: usize, kept: &[(&str, &str)]) -> Said {
    Said {
        by: "ada".to_owned(),
        reason: "their books say so".to_owned(),
        request_id: format!("r-{saw}-{}", kept.len()),
        saw: saw as u64,
        kept: kept.iter().map(|&(name, value)| (name.to_owned(), Scalar::Text(value.to_owned()))).collect(),
        ..Said::default()
    }
}

async fn done(engine: &Engine, kept: &[(&str, &str)]) -> Result<ActResult, ActError> {
    let saw = view(engine, "order-1").await.entries.len();
    engine.act("order-1", &Act::Mark { step: "payment".to_owned(), mark: Mark::Done }, &said(saw, kept)).await
}

/// The charge was made and its answer is lost. Marked as done without the id it would stay for ever: nobody could name it.
#[tokio::test]
async fn a_mark_as_done_says_what_its_undo_names() {
    let shop = Shop::open(&[]).await;
    let (provider, url) = Provider::start(|books, _, method, path| match *method {
        Method::PUT => {
            books.charged = 100;
            None
        }
        _ if path == "/charges/ch-7/refund" => {
            books.charged = 0;
            Some((200, json!({"state": "refunded"})))
        }
        _ => Some((404, json!({"state": "nothing"}))),
    })
    .await;
    let file = by_its_own_id(&url, &shop.urls[1]);
    let (engine, mut saga) = order_at_risk(&shop, &file, &["not-idempotent"]).await;
    ended(&mut saga).await.unwrap_err();
    let seen = view(&engine, "order-1").await;
    let marks = |mark: Mark| seen.can.iter().find(|can| can.act == Act::Mark { step: "payment".to_owned(), mark }).unwrap();
    assert_eq!(marks(Mark::Done).needs, ["id"]);
    assert!(marks(Mark::Done).does.contains("say with it what its answer brought: id"), "{}", marks(Mark::Done).does);
    assert!(marks(Mark::Undone).needs.is_empty(), "what was undone by hand names nothing");
    let step = &seen.steps[0];
    let [short] = &step.short_keys[..] else { panic!("the name that its answers carry: {:?}", step.short_keys) };
    assert_eq!(short.len(), 32);
    assert_eq!(step.address, format!("PUT {url}/charges/{}", step.key));
    assert_eq!((step.amount.as_deref(), step.look_at.as_deref()), (Some("1.00 EUR"), None));
    assert!(step.last_asked.is_some_and(|at| at >= seen.created), "{step:?}");

    let missing = done(&engine, &[]).await.unwrap();
    assert_eq!(missing, ActResult::NeedsValues { step: "payment".to_owned(), names: vec!["id".to_owned()] });
    for wrong in [[("id", "4242 4242 4242 4242")], [("ident", "ch-7")], [("id", "..")]] {
        let refused = done(&engine, &wrong).await.unwrap_err();
        assert!(matches!(refused, ActError::Text { name: "kept", .. }), "{wrong:?}: {refused}");
    }
    assert!(matches!(done(&engine, &[("id", "ch-7")]).await.unwrap(), ActResult::Taken { .. }));
    let mut saga = engine.follow("order-1").await.unwrap().unwrap();
    assert_eq!(ended(&mut saga).await.unwrap(), Outcome::Cancelled);
    assert_eq!(provider.charged(), 0, "{:?}", provider.asked());
    let step = &view(&engine, "order-1").await.steps[0];
    assert_eq!(step.kept["id"], Scalar::Text("ch-7".to_owned()), "it is kept for whoever asks later");
    assert_eq!(step.last_answer.as_ref().map(|answer| answer.said.as_str()), Some("undone"));
}

/// A look that finds nothing proves nothing: what the act was answered with is still what is in the way.
#[tokio::test]
async fn a_look_that_finds_nothing_hides_no_answer_that_was_not_understood() {
    let shop = Shop::open(&[]).await;
    let (_provider, url) = Provider::start(|_, _, method, _| match *method {
        Method::PUT => Some((200, json!({"state": "held for review"}))),
        _ => Some((404, json!({"code": "missing"}))),
    })
    .await;
    let act = "done = { status = 200, json = { \"/state\" = \"charged\" } }\n[step.http.peek]\nurl = \"PROVIDER/charges/{key}\"\n\
               done = { json = { \"/state\" = \"charged\" } }\nabsent = { status = 404, json = { \"/code\" = \"missing\" } }";
    let file = super::provider::flow(
        &url,
        &shop.urls[1],
        &act.replace("PROVIDER", &url),
        &super::provider::UNDONE.replace("PROVIDER", &url),
    );
    let (engine, _saga) = order_at_risk(&shop, &file, &[]).await;
    let trouble = || async { view(&engine, "order-1").await.trouble.unwrap_or_default() };
    until("the look is seen last", || async { trouble().await.contains("seen last: 404 that means absent") }).await;
    loop {
        // Acts and looks take turns, so what is read may be of another moment.
        let seen = view(&engine, "order-1").await;
        let said = seen.trouble.unwrap();
        if said.contains("seen last: 404") {
            assert!(said.contains("before that, to act: 200") && said.contains("held for review"), "{said}");
            break;
        }
    }
    let step = &view(&engine, "order-1").await.steps[0];
    let strange = step.not_understood.as_ref().unwrap();
    assert_eq!((strange.operation, strange.status), ("act", Some(200)));
    assert!(strange.said.contains("held for review"), "{strange:?}");
    assert_eq!(step.look_at, Some(format!("GET {url}/charges/{}", step.key)));
}
