//! Requests that make no sense, come too late, or are too large: they are turned away, and the key stays as it was.

use bytes::Bytes;
use handfast_protocol::{Definite, Operation};
use hyper::Method;
use hyper::header::{CONTENT_TYPE, HeaderName};

use super::super::caller::{Broken, Caller, Exchange, Extra, Said};
use super::{Probe, attack};

pub(super) const PROBES: &[Probe] = &[
    Probe {
        name: "late-by-the-clock",
        promise: "an act that comes after its Handfast-Not-After closes an absent key instead",
        hazard: "a charge that was stuck on the road for a day is carried out after all",
        attack: attack!(late_by_the_clock),
    },
    Probe {
        name: "bad-body-leaves-no-trace",
        promise: "a body that is no JSON, of another type or too large is answered 400, 415 or 413, and the key stays absent",
        hazard: "a request that was cut short decides the key",
        attack: attack!(bad_body_leaves_no_trace),
    },
    Probe {
        name: "bad-header-is-an-error",
        promise: "a header that makes no sense is answered 400, never taken as absent",
        hazard: "a protection that was asked for is silently left out",
        attack: attack!(bad_header_is_an_error),
    },
    Probe {
        name: "bad-key-is-an-error",
        promise: "a key with other characters, or a longer one, is answered 400 or 404 and never a receipt",
        hazard: "two keys that differ are taken for one",
        attack: attack!(bad_key_is_an_error),
    },
];

async fn still_absent(caller: &Caller, key: &str) -> Result<(), Broken> {
    let after = caller.peek(key, &Extra::default()).await;
    after.holds(after.said == Said::Absent, "absent, since nothing may have been done")
}

async fn late_by_the_clock(caller: &Caller) -> Result<(), Broken> {
    let key = caller.key();
    let late = Extra { not_after: Some(1_000), ..Extra::default() };
    caller.ask(Operation::Act, &key, &caller.body, &late).await.is(Definite::Closed)?;
    caller.act(&key, &caller.body).await.is(Definite::Closed)?;
    let early = Extra { not_after: Some(32_503_680_000_000), ..Extra::default() };
    let done = caller.key();
    caller.ask(Operation::Act, &done, &caller.body, &early).await.is(Definite::Done)?;
    caller.ask(Operation::Act, &done, &caller.body, &late).await.is(Definite::Done)
}

async fn bad_body_leaves_no_trace(caller: &Caller) -> Result<(), Broken> {
    let key = caller.key();
    let put = async |body: &'static [u8]| -> Exchange {
        caller.send(Method::PUT, &key, &Extra::default(), Bytes::from_static(body)).await
    };
    put(b"{\"amount\":").await.is_status(400)?;
    put(b"{} {}").await.is_status(400)?;
    still_absent(caller, &key).await?;
    let large = Bytes::from(format!("\"{}\"", "x".repeat(70_000)));
    caller.send(Method::PUT, &key, &Extra::default(), large).await.is_status(413)?;
    still_absent(caller, &key).await?;
    let text = caller.send_with(Method::PUT, &key, &[(CONTENT_TYPE, "text/plain")], caller.body.clone()).await;
    text.is_status(415)?;
    still_absent(caller, &key).await
}

async fn bad_header_is_an_error(caller: &Caller) -> Result<(), Broken> {
    let key = caller.key();
    let headers =
        [(HeaderName::from_static("handfast-not-after"), "tomorrow"), (HeaderName::from_static("handfast-seen"), "nonsense")];
    for header in headers {
        caller.send_with(Method::PUT, &key, &[header], caller.body.clone()).await.is_status(400)?;
        still_absent(caller, &key).await?;
    }
    let other = [(HeaderName::from_static("handfast-body"), "0123")];
    caller.send_with(Method::POST, &format!("{key}/close"), &other, Bytes::new()).await.is_status(400)?;
    still_absent(caller, &key).await
}

async fn bad_key_is_an_error(caller: &Caller) -> Result<(), Broken> {
    for key in ["a%20b", "a%2Fb", "%F0%9F%92%B6", &"k".repeat(201)] {
        let answer = caller.send(Method::PUT, key, &Extra::default(), caller.body.clone()).await;
        answer.holds(matches!(answer.status, 400 | 404 | 414), "400")?;
    }
    Ok(())
}
