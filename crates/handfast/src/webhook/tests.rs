//! Webhooks: known signatures, a second implementation as the judge, and what is refused, dropped or taken.

use std::sync::Arc;
use std::time::Duration;

use handfast_protocol::Time;
use hmac::{Hmac, KeyInit as _, Mac as _};
use hyper::HeaderMap;
use proptest::prelude::*;
use sha2::Sha256;

use super::scheme::SigningKey;
use super::{Names, NotReceived, NotSigned, Reception, Scheme, TOLERANCE, UnusableSecret, Webhook, WebhookReceiver};
use crate::journal::hex;
use crate::participant::{InMemory, Secret};
use crate::store::{MemoryStore, Store};
use crate::{Clock, Engine, Flow, Options};

const STANDARD_SECRET: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
const STRIPE_SECRET: &str = "whsec_test_secret_of_stripe";

type Headers = Vec<(&'static str, String)>;

/// Looks a header up as they are sent, of two with one name the first.
fn of<'h>(headers: &'h Headers) -> impl Fn(&str) -> Option<&'h str> {
    |name: &str| headers.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str())
}

fn check(scheme: Scheme, secret: &str, headers: &Headers, body: &[u8], now_s: u64) -> Result<(), NotSigned> {
    let key = SigningKey::new(scheme, &Secret::new(secret)).unwrap();
    key.check(of(headers), body, Time(now_s * 1000), TOLERANCE).map(|_| ())
}

/// The example of the scheme's own reference libraries.
const STANDARD_BODY: &[u8] = br#"{"email":"test@example.com","username":"test_user"}"#;
const STANDARD_TIME: u64 = 1_649_367_553;

fn standard_example() -> Headers {
    vec![
        ("webhook-id", "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk".to_owned()),
        ("webhook-timestamp", STANDARD_TIME.to_string()),
        ("webhook-signature", "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw=".to_owned()),
    ]
}

/// Signed by another implementation of HMAC.
const STRIPE_BODY: &[u8] = br#"{"id": "evt_1", "object": "event", "type": "charge.succeeded", "data": {"object": {"metadata": {"handfast_key": "abcdefghij.order-1.payment"}}}}"#;
const STRIPE_TIME: u64 = 1_785_000_000;
const STRIPE_SIGNATURE: &str = "c03c6852cfa0033f8dc8a3f77897fd7ac657b1c0ad9767ed2121220f21a6881a";

fn stripe_example() -> Headers {
    vec![(
        "stripe-signature",
        format!("t={STRIPE_TIME},v1={STRIPE_SIGNATURE},v0=6ffbb59b2300aae63f272406069a9788598b792a944a07aba816edb039989a39"),
    )]
}

#[test]
fn known_signatures_are_made_and_taken() {
    let secret = Secret::new(STANDARD_SECRET);
    let id = "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk";
    let signed = Scheme::StandardWebhooks.sign(&secret, id, Time(STANDARD_TIME * 1000 + 999), STANDARD_BODY).unwrap();
    assert_eq!(signed, standard_example());
    assert_eq!(check(Scheme::StandardWebhooks, STANDARD_SECRET, &signed, STANDARD_BODY, STANDARD_TIME), Ok(()));
    let bare = STANDARD_SECRET.trim_start_matches("whsec_");
    assert_eq!(check(Scheme::StandardWebhooks, bare, &signed, STANDARD_BODY, STANDARD_TIME), Ok(()));

    let secret = Secret::new(STRIPE_SECRET);
    let signed = Scheme::Stripe.sign(&secret, "evt_1", Time(STRIPE_TIME * 1000), STRIPE_BODY).unwrap();
    assert_eq!(signed, [("stripe-signature", format!("t={STRIPE_TIME},v1={STRIPE_SIGNATURE}"))]);
    assert_eq!(check(Scheme::Stripe, STRIPE_SECRET, &stripe_example(), STRIPE_BODY, STRIPE_TIME), Ok(()));
}

#[test]
fn while_a_secret_rotates_either_signature_will_do() {
    let mut headers = standard_example();
    let good = headers[2].1.clone();
    let other = "v1,R3PTzyfHASBKHH98a7yexTwaJ4yNIcGhFQc1yuN+BPU=";
    for (text, expected) in [
        (format!("{other} {good}"), Ok(())),
        (format!("{good} {other}"), Ok(())),
        (format!("v1a,{} v2,x {good}", &good[3..]), Ok(())),
        (other.to_owned(), Err(NotSigned::OtherSignature)),
        (format!("v1a,{}", &good[3..]), Err(NotSigned::OtherSignature)),
        (format!("{other} {}", &good[..20]), Err(NotSigned::OtherSignature)),
        (good[3..].to_owned(), Err(NotSigned::OtherSignature)),
        ("v1,".to_owned(), Err(NotSigned::OtherSignature)),
        (String::new(), Err(NotSigned::OtherSignature)),
        (format!("{}{good}", format!("{other} ").repeat(16)), Err(NotSigned::OtherSignature)),
    ] {
        headers[2].1.clone_from(&text);
        assert_eq!(check(Scheme::StandardWebhooks, STANDARD_SECRET, &headers, STANDARD_BODY, STANDARD_TIME), expected, "{text}");
    }
    let other = "0".repeat(64);
    for (text, expected) in [
        (format!("t={STRIPE_TIME},v1={other},v1={STRIPE_SIGNATURE}"), Ok(())),
        (format!("v1={STRIPE_SIGNATURE},t={STRIPE_TIME}"), Ok(())),
        (format!("t={STRIPE_TIME},v1={}", STRIPE_SIGNATURE.to_uppercase()), Ok(())),
        (format!("t={STRIPE_TIME},v0={STRIPE_SIGNATURE}"), Err(NotSigned::OtherSignature)),
        (format!("t={STRIPE_TIME},v1={other}"), Err(NotSigned::OtherSignature)),
        (format!("t={STRIPE_TIME},v1={}", &STRIPE_SIGNATURE[..62]), Err(NotSigned::OtherSignature)),
        (format!("t={STRIPE_TIME},v1={STRIPE_SIGNATURE}0"), Err(NotSigned::OtherSignature)),
        (format!("t={STRIPE_TIME},v1=\u{e4}{}", &STRIPE_SIGNATURE[2..]), Err(NotSigned::OtherSignature)),
        (format!("t={STRIPE_TIME},v1=+{}", &STRIPE_SIGNATURE[1..]), Err(NotSigned::OtherSignature)),
        (format!("t={STRIPE_TIME}"), Err(NotSigned::OtherSignature)),
        (format!("v1={STRIPE_SIGNATURE}"), Err(NotSigned::Unreadable("stripe-signature"))),
        (String::new(), Err(NotSigned::Unreadable("stripe-signature"))),
    ] {
        let headers = vec![("stripe-signature", text)];
        assert_eq!(check(Scheme::Stripe, STRIPE_SECRET, &headers, STRIPE_BODY, STRIPE_TIME), expected, "{headers:?}");
    }
}

#[test]
fn who_signed_another_thing_or_at_another_time_signed_nothing() {
    let headers = standard_example();
    for (name, _) in &headers {
        let without: Headers = headers.iter().filter(|(known, _)| known != name).cloned().collect();
        let found = check(Scheme::StandardWebhooks, STANDARD_SECRET, &without, STANDARD_BODY, STANDARD_TIME);
        assert_eq!(found, Err(NotSigned::Missing(name)));
    }
    let changed = |at: usize, text: &str| {
        let mut headers = headers.clone();
        text.clone_into(&mut headers[at].1);
        check(Scheme::StandardWebhooks, STANDARD_SECRET, &headers, STANDARD_BODY, STANDARD_TIME)
    };
    assert_eq!(changed(0, "msg_other"), Err(NotSigned::OtherSignature));
    assert_eq!(changed(0, ""), Err(NotSigned::Unreadable("webhook-id")));
    assert_eq!(changed(0, &"x".repeat(256)), Err(NotSigned::Unreadable("webhook-id")));
    assert_eq!(changed(1, &(STANDARD_TIME + 1).to_string()), Err(NotSigned::OtherSignature));
    let no_body = check(Scheme::StandardWebhooks, STANDARD_SECRET, &headers, b"{}", STANDARD_TIME);
    assert_eq!(no_body, Err(NotSigned::OtherSignature));
    let other = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    let other = check(Scheme::StandardWebhooks, other, &headers, STANDARD_BODY, STANDARD_TIME);
    assert_eq!(other, Err(NotSigned::OtherSignature));
    assert_eq!(
        check(Scheme::Stripe, STRIPE_SECRET, &headers, STRIPE_BODY, STRIPE_TIME),
        Err(NotSigned::Missing("stripe-signature"))
    );
    let key = Secret::new(STRIPE_SECRET);
    let soon = Scheme::Stripe.sign(&key, "", Time(u64::MAX), b"").unwrap();
    assert_eq!(check(Scheme::Stripe, STRIPE_SECRET, &soon, b"", 0), Err(NotSigned::OtherTime(TOLERANCE)));

    let stale = Err(NotSigned::OtherTime(TOLERANCE));
    for (now_s, expected) in [
        (STANDARD_TIME + 300, Ok(())),
        (STANDARD_TIME + 301, stale),
        (STANDARD_TIME - 300, Ok(())),
        (STANDARD_TIME - 301, stale),
        (0, stale),
    ] {
        assert_eq!(check(Scheme::StandardWebhooks, STANDARD_SECRET, &headers, STANDARD_BODY, now_s), expected, "{now_s}");
    }
    for (now_s, expected) in [(STRIPE_TIME + 300, Ok(())), (STRIPE_TIME + 301, stale)] {
        assert_eq!(check(Scheme::Stripe, STRIPE_SECRET, &stripe_example(), STRIPE_BODY, now_s), expected, "{now_s}");
    }
    // A time that was signed, and is none.
    let mut mac = Hmac::<Sha256>::new_from_slice(STRIPE_SECRET.as_bytes()).unwrap();
    mac.update(b"now.");
    let odd = vec![("stripe-signature", format!("t=now,v1={}", hex(&mac.finalize().into_bytes())))];
    assert_eq!(check(Scheme::Stripe, STRIPE_SECRET, &odd, b"", 0), Err(NotSigned::Unreadable("stripe-signature")));
}

#[test]
fn only_what_can_be_a_secret_is_one_and_it_is_never_said() {
    let standard = |text: &str| SigningKey::new(Scheme::StandardWebhooks, &Secret::new(text)).map(|_| ());
    for text in
        ["whsec_", "whsec_AAAA", "whsec_not base64 not base64 not base64", "sk_live_12345678901234567890123456789012!", ""]
    {
        assert_eq!(standard(text), Err(UnusableSecret::Standard), "{text}");
    }
    let bytes = |number: usize| format!("whsec_{}", "A".repeat(number * 4 / 3));
    assert_eq!([21, 24, 63].map(|number| standard(&bytes(number)).is_ok()), [false, true, true]);
    assert_eq!(standard(&bytes(66)), Err(UnusableSecret::Standard));
    let stripe = |text: &str| SigningKey::new(Scheme::Stripe, &Secret::new(text)).map(|_| ());
    assert_eq!([stripe("fifteen letters"), stripe("sixteen  letters")], [Err(UnusableSecret::Short), Ok(())]);
    let webhook = Webhook::new(Scheme::Stripe, Names::Key, "/key", "PAYMENT_WEBHOOK");
    let receiver = webhook.receiver("payment", &Secret::new(STRIPE_SECRET)).unwrap();
    assert!(!format!("{receiver:?}").contains("secret_of_stripe"), "{receiver:?}");
}

proptest! {
    /// The reference implementation of Standard Webhooks takes what is signed here, and what it signs is taken here.
    #[test]
    fn the_reference_implementation_agrees(
        bytes in proptest::collection::vec(any::<u8>(), 24..=64),
        id in "[!-~]{1,40}",
        body in "\\PC{0,200}",
    ) {
        use base64::Engine as _;
        let text = format!("whsec_{}", base64::engine::general_purpose::STANDARD.encode(&bytes));
        let reference = standardwebhooks::Webhook::new(&text).unwrap();
        let now = Clock::system().now();
        let headers = Scheme::StandardWebhooks.sign(&Secret::new(text.clone()), &id, now, body.as_bytes()).unwrap();
        let map: HeaderMap = headers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect();
        prop_assert!(reference.verify(body.as_bytes(), &map).is_ok(), "{headers:?}");
        let seconds = now.0 / 1000;
        let signature = reference.sign(&id, i64::try_from(seconds).unwrap(), body.as_bytes()).unwrap();
        prop_assert_eq!(&signature, &headers[2].1);
        prop_assert_eq!(check(Scheme::StandardWebhooks, &text, &headers, body.as_bytes(), seconds), Ok(()));
    }

    /// Nothing that arrives makes it fail in another way than by refusing.
    #[test]
    fn whatever_arrives_is_refused_in_order(text in "\\PC{0,80}", signature in "(t=[0-9a-z]{0,20}|v1=[0-9a-f+\u{e4}]{0,70}|,){0,9}") {
        let headers = vec![("webhook-id", text.clone()), ("webhook-timestamp", text.clone()), ("webhook-signature", format!("v1,{text}"))];
        prop_assert!(check(Scheme::StandardWebhooks, STANDARD_SECRET, &headers, text.as_bytes(), 1).is_err());
        for text in [text, signature] {
            let headers = vec![("stripe-signature", text)];
            let found = check(Scheme::Stripe, STRIPE_SECRET, &headers, b"body", 1);
            prop_assert!(found.is_err());
        }
    }
}

/// A shop without orders, whose clock is the runtime's.
async fn engine(store: &Arc<MemoryStore>) -> Engine {
    let flow = Flow::builder("shop").compensatable("payment", "bank").build().unwrap();
    let options = Options { clock: Clock::of_runtime(Time(STRIPE_TIME * 1000)), ..Options::default() };
    let store = Arc::clone(store) as Arc<dyn Store>;
    Engine::builder(store).flow(flow).participant("bank", InMemory::new(|_, _| true)).options(options).open().await.unwrap()
}

fn receiver(scheme: Scheme, names: Names, secret: &str) -> WebhookReceiver {
    Webhook::new(scheme, names, "/data/key", "PAYMENT_WEBHOOK").receiver("payment", &Secret::new(secret)).unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_webhook_is_taken_once_and_only_for_its_own_step() {
    let store = Arc::new(MemoryStore::new());
    let engine = engine(&store).await;
    let receiver = receiver(Scheme::StandardWebhooks, Names::Key, STANDARD_SECRET);
    let send = |id: &str, body: &str| {
        let headers = Scheme::StandardWebhooks.sign(&Secret::new(STANDARD_SECRET), id, engine.now(), body.as_bytes()).unwrap();
        receiver.receive(&engine, of(&headers), body.as_bytes())
    };
    let about = |key: &str| format!(r#"{{"type":"charge.done","data":{{"key":"{key}"}}}}"#);
    let own = about(&format!("{}.order-1.payment", store.store_id()));
    assert_eq!(send("msg_1", &own), Ok(Reception::Taken), "whether there is such a saga is nobody's business");
    tokio::time::sleep(Duration::from_mins(10)).await;
    assert_eq!(send("msg_1", &own), Ok(Reception::Repeated), "signed anew, the same webhook");
    assert_eq!(send("msg_1", &about("another body")), Ok(Reception::Repeated), "under a known id nothing else is looked at");
    assert_eq!(send("msg_2", &own), Ok(Reception::Taken));
    for (id, body) in [
        ("msg_3", about("other12345.order-1.payment")),
        ("msg_4", about(&format!("{}.order-1.dispatch", store.store_id()))),
        ("msg_5", about("order-1")),
        ("msg_6", r#"{"type":"balance.changed","data":{}}"#.to_owned()),
        ("msg_7", r#"{"data":{"key":["a"]}}"#.to_owned()),
        ("msg_8", "3".to_owned()),
    ] {
        assert_eq!(send(id, &body), Ok(Reception::NoneOfOurs), "{body}");
    }
    assert_eq!(send("msg_9", "not JSON"), Err(NotReceived::NotJson));
    let unsigned = receiver.receive(&engine, |_| None, own.as_bytes());
    assert_eq!(unsigned, Err(NotReceived::NotSigned(NotSigned::Missing("webhook-id"))));
    let stats = receiver.stats();
    assert_eq!((stats.taken, stats.repeated, stats.none_of_ours, stats.refused), (2, 2, 6, 2));
    assert!(engine.shutdown(Duration::from_secs(1)).await);
    for _ in 0..2 {
        assert_eq!(send("msg_10", &own), Err(NotReceived::Stopping), "not taken, so not known either");
    }
}

#[tokio::test(start_paused = true)]
async fn an_event_of_stripe_is_known_by_the_id_in_its_body() {
    let engine = engine(&Arc::new(MemoryStore::new())).await;
    let receiver = receiver(Scheme::Stripe, Names::Saga, STRIPE_SECRET);
    let send = async |body: &str| {
        tokio::time::sleep(Duration::from_secs(60)).await;
        let headers = Scheme::Stripe.sign(&Secret::new(STRIPE_SECRET), "", engine.now(), body.as_bytes()).unwrap();
        receiver.receive(&engine, of(&headers), body.as_bytes())
    };
    assert_eq!(send(r#"{"id":"evt_1","data":{"key":"order-1"}}"#).await, Ok(Reception::Taken));
    assert_eq!(send(r#"{"id":"evt_1","data":{"key":"order-1"}}"#).await, Ok(Reception::Repeated));
    assert_eq!(send(r#"{"id":"evt_2","data":{"key":"order-1"}}"#).await, Ok(Reception::Taken));
    assert_eq!(send(r#"{"id":"evt_3","data":{"key":20468}}"#).await, Ok(Reception::Taken), "some services make numbers of names");
    assert_eq!(send(r#"{"id":"evt_4","data":{"key":"a/b"}}"#).await, Ok(Reception::NoneOfOurs), "no saga can be called so");
    assert_eq!(send(r#"{"id":"evt_5","data":{"key":2.5}}"#).await, Ok(Reception::NoneOfOurs));
    // Without an id it is known by its signature, which is another one when it is sent again.
    assert_eq!(send(r#"{"data":{"key":"order-1"}}"#).await, Ok(Reception::Taken));
    let body = br#"{"data":{"key":"order-1"}}"#;
    let headers = Scheme::Stripe.sign(&Secret::new(STRIPE_SECRET), "", engine.now(), body).unwrap();
    assert_eq!(receiver.receive(&engine, of(&headers), body), Ok(Reception::Repeated));
}
