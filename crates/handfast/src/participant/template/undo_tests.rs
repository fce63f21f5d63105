//! Looks at undos: by which call, by whose values, and what becomes of them where the journal cannot be read.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::body::Bytes;
use handfast_protocol::{Definite, UndoTold};

use super::tests::{Service, UNTIMED, not_sent};
use super::*;
use crate::clock::Clock;
use crate::flow_file::FlowFile;
use crate::journal::Scalar;
use crate::participant::{Delivery, Participant as _, Reply};
use crate::store::BoxFuture;

/// A journal that is read so often, and cannot be read the first times.
struct Flaky {
    of_saga: OfSaga,
    fails: usize,
    reads: Arc<AtomicUsize>,
}

impl KeptReceipts for Flaky {
    fn of<'a>(&'a self, _saga: &'a str) -> BoxFuture<'a, Result<OfSaga, String>> {
        let is_read = self.reads.fetch_add(1, Ordering::Relaxed) >= self.fails;
        Box::pin(async move { if is_read { Ok(self.of_saga.clone()) } else { Err("the store is busy".to_owned()) } })
    }
}

/// A payment that is looked at by its key, and whose refund is looked at by what this gap says.
fn templates(url: &str, gap: &str) -> Arc<HttpTemplates> {
    let text = format!(
        r#"
name = "shop"
[input]
amount = "money"
[[step]]
name = "payment"
participant = "http"
[step.profile]
idempotent = true
remembers = "for-ever"
undo_idempotent = false
[step.http.act]
method = "PUT"
url = "{url}/charges/{{key}}"
done = {{ json = {{ "/state" = "charged", "/key" = "{{key}}" }} }}
keep = {{ id = "/id" }}
[step.http.peek]
url = "{url}/charges/{{key}}"
done = {{ json = {{ "/state" = "charged" }} }}
undone = {{ json = {{ "/state" = "refunded" }} }}
absent = {{ json = {{ "/state" = "absent", "/key" = "{{key}}" }} }}
keep = {{ id = "/id" }}
[step.http.undo]
url = "{url}/refunds/{{receipt.payment.id}}"
accepted = {{ json = {{ "/state" = "pending", "/minor" = "{{input.amount.minor}}", "/key" = "{{key}}" }} }}
undone = {{ json = {{ "/state" = "refunded", "/minor" = "{{input.amount.minor}}", "/key" = "{{key}}" }} }}
failed = {{ json = {{ "/state" = "failed", "/minor" = "{{input.amount.minor}}" }} }}
keep = {{ refund = "/id" }}
[step.http.undo_peek]
url = "{url}/refunds/{{receipt.payment.{gap}}}"
done = {{ json = {{ "/state" = "charged" }} }}
undone = {{ json = {{ "/state" = "refunded" }} }}
"#
    );
    let file = FlowFile::parse("shop.toml", &text).unwrap_or_else(|error| panic!("{error}"));
    match &file.steps()[0].participant {
        crate::flow_file::StepParticipant::Http(templates) => Arc::clone(templates),
        other @ (crate::flow_file::StepParticipant::Handfast { .. } | crate::flow_file::StepParticipant::InProcess) => {
            panic!("{other:?}")
        }
    }
}

fn of_step(name: &str, value: &str) -> Kept {
    Kept::from([("payment".to_owned(), BTreeMap::from([(name.to_owned(), Scalar::Text(value.to_owned()))]))])
}

fn over(templates: Arc<HttpTemplates>, of_saga: OfSaga, fails: usize) -> (TemplateParticipant, Arc<AtomicUsize>) {
    let reads = Arc::new(AtomicUsize::new(0));
    let receipts = Flaky { of_saga, fails, reads: Arc::clone(&reads) };
    let secrets = Secrets::default();
    let made = TemplateParticipant::new(templates, secrets, Arc::new(receipts), Duration::from_secs(1), Clock::system());
    (made.unwrap(), reads)
}

async fn ask(participant: &TemplateParticipant, operation: Operation, is_about_undo: bool) -> Reply {
    let body = Bytes::from(r#"{"amount":{"minor":100,"currency":"EUR"}}"#);
    let key = "store1.order.7.payment";
    participant.deliver(Delivery { operation, is_about_undo, key, body: &body, ..UNTIMED }).await
}

/// "Is the refund there?" is never turned into "is the charge there?", whose *yes* would let the refund leave again.
#[tokio::test]
async fn a_look_at_an_undo_is_chosen_by_what_is_kept_and_not_by_what_cannot_be_read() {
    let (service, url) = Service::start().await;
    service.answers(200, r#"{"state": "charged"}"#);
    let path_of = |gap: &str, of_undos: Kept, fails: usize| {
        let of_saga = OfSaga { kept: of_step("id", "ch-1"), of_undos, ..OfSaga::default() };
        let (participant, reads) = over(templates(&url, gap), of_saga, fails);
        let service = &service;
        async move {
            let reply = ask(&participant, Operation::Look, true).await;
            let asked: Vec<String> = service.asked().into_iter().map(|(_, uri, ..)| uri.path().to_owned()).collect();
            (asked, reply, reads.load(Ordering::Relaxed))
        }
    };
    let (asked, reply, reads) = path_of("refund", of_step("refund", "re-1"), 1).await;
    assert_eq!((asked, reads), (Vec::<String>::new(), 1), "nothing is asked, and the journal was read once");
    assert_eq!(not_sent(reply), "not sent: the store is busy");
    let (asked, _, reads) = path_of("refund", of_step("refund", "re-1"), 0).await;
    assert_eq!((asked, reads), (vec!["/refunds/re-1".to_owned()], 1));
    // Of an undo of which no answer has brought anything the thing itself is looked at.
    let (asked, ..) = path_of("refund", Kept::new(), 0).await;
    assert_eq!(asked, ["/charges/store1.order.7.payment"]);
    // What the act brings is no reason to ask anything else, either.
    let (asked, ..) = path_of("id", Kept::new(), 0).await;
    assert_eq!(asked, ["/refunds/ch-1"]);
}

/// A flow of before may keep two things under one name: then it is unknown which is meant.
#[tokio::test]
async fn what_an_undo_brings_is_never_taken_for_what_it_undoes() {
    let (service, url) = Service::start().await;
    service.answers(200, r#"{"state": "pending"}"#);
    let mut texts = templates(&url, "refund").texts().clone();
    texts.undo.as_mut().unwrap().keep = texts.act.keep.clone();
    texts.undo_peek.as_mut().unwrap().url = format!("{url}/refunds/{{receipt.payment.id}}");
    let templates = Arc::new(HttpTemplates::compile(texts).unwrap());
    assert_eq!(templates.kept_twice(), Some(("undo", "act", "id")));
    let of_saga = OfSaga { kept: of_step("id", "17"), of_undos: of_step("id", "42"), ..OfSaga::default() };
    let (participant, _) = over(templates, of_saga, 0);
    ask(&participant, Operation::Undo, false).await;
    assert_eq!(service.asked()[0].1.path(), "/refunds/17");
    let why = not_sent(ask(&participant, Operation::Look, true).await);
    assert!(why.contains("the act and the undo of payment have both kept a id"), "{why}");
    assert!(service.asked().is_empty());
}

/// What is said of an undo, or of nothing at all, belongs to its request like anything else.
#[tokio::test]
async fn what_fits_all_but_a_gap_is_told_whatever_it_means() {
    let (service, url) = Service::start().await;
    let of_saga = OfSaga { kept: of_step("id", "17"), ..OfSaga::default() };
    let (participant, _) = over(templates(&url, "refund"), of_saga, 0);
    let key = "store1.order.7.payment";
    for (operation, answer, expected) in [
        (Operation::Undo, format!(r#"{{"state": "pending", "minor": 50, "key": "{key}", "id": "re-1"}}"#), (true, "accepted")),
        (
            Operation::Undo,
            r#"{"state": "pending", "minor": 100, "key": "another", "id": "re-1"}"#.to_owned(),
            (false, "accepted"),
        ),
        (Operation::Undo, r#"{"state": "failed", "minor": 50}"#.to_owned(), (false, "failed")),
        (Operation::Look, r#"{"state": "absent", "key": "another"}"#.to_owned(), (false, "absent")),
    ] {
        service.answers(200, &answer);
        let Reply::Mismatch { seen, in_effect, kept, .. } = ask(&participant, operation, false).await else { panic!("{answer}") };
        assert!(seen.contains(&format!("that means {}, but for", expected.1)) && kept.is_empty(), "{seen}");
        assert_eq!(in_effect, expected.0, "{answer}");
    }
    service.answers(200, &format!(r#"{{"state": "pending", "minor": 100, "key": "{key}", "id": "re-1"}}"#));
    let reply = ask(&participant, Operation::Undo, false).await;
    assert!(matches!(reply, Reply::Undo { told: UndoTold::Accepted, .. }), "{reply:?}");
    service.answers(200, &format!(r#"{{"state": "refunded", "minor": 100, "key": "{key}", "id": "re-1"}}"#));
    let reply = ask(&participant, Operation::Undo, false).await;
    assert!(matches!(&reply, Reply::Definite { answer, .. } if *answer == handfast_protocol::Answer::State(Definite::Undone)));
}
