//! Reads requests within the bounds of this service.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::HeaderMap;
use axum::middleware::Next;
use axum::response::Response;
use handfast_http::bodies::{self, Budget, Held};
use handfast_http::origin;
use serde::de::DeserializeOwned;

use crate::access::Access;
use crate::problem::{self, Kind, Problem};
use crate::service::Service;

/// How long a body may take to arrive.
const BODY_TIMEOUT: Duration = Duration::from_secs(30);

/// The whole body, at most `most` bytes of it, that has to be declared as JSON.
///
/// # Errors
/// It is declared as something else, too large, too slow, broken off, or there is no room for it in the budget.
pub(crate) async fn json_body(headers: &HeaderMap, body: Body, most: usize, budget: &Budget) -> Result<Held, Problem> {
    check_json(headers)?;
    any_body(body, most, budget).await
}

/// The value in a body that has to be declared as JSON, at most `most` bytes of it. One that is another is a problem of this kind, which
/// says what is wanted: the members of an object, in words.
///
/// # Errors
/// As [`json_body`], or it is another.
pub(crate) async fn read_json<T: DeserializeOwned>(
    headers: &HeaderMap,
    body: Body,
    (most, budget): (usize, &Budget),
    (kind, members): (&'static Kind, &str),
) -> Result<T, Problem> {
    let bytes = json_body(headers, body, most, budget).await?;
    from_json(&bytes, kind, members)
}

/// The value in a body that was read.
///
/// # Errors
/// It is another.
pub(crate) fn from_json<T: DeserializeOwned>(bytes: &[u8], kind: &'static Kind, members: &str) -> Result<T, Problem> {
    let no_object = |place: String| Problem::new(kind, format!("the body is no object with {members}: see {place}"));
    // Members by their places in a list would be read as well, and mean what no caller has said.
    if bytes.trim_ascii_start().first() != Some(&b'{') {
        return Err(no_object("its first character".to_owned()));
    }
    // What was sent is not repeated: its own words for it would do that.
    serde_json::from_slice(bytes).map_err(|error| no_object(format!("line {}, column {}", error.line(), error.column())))
}

/// The body is declared as JSON, and as it is.
///
/// # Errors
/// It is declared as something else, or as compressed.
pub(crate) fn check_json(headers: &HeaderMap) -> Result<(), Problem> {
    bodies::check_json(headers).map_err(problem::of_media)
}

/// The whole body, at most `most` bytes of it.
///
/// # Errors
/// It is too large, too slow, broken off, or there is no room for it in the budget.
pub(crate) async fn any_body(body: Body, most: usize, budget: &Budget) -> Result<Held, Problem> {
    budget.read(body, most, BODY_TIMEOUT).await.map_err(problem::of_body)
}

/// Lets through what does not come from another origin's page, nor under a name that anybody could have registered. A service
/// with tokens answers to every name, since a page that has registered one has no token; what stands before the service may add
/// one to what a page of another origin sends, so that is turned away here too.
///
/// # Errors
/// [`problem::FOREIGN_HOST`] and [`problem::FOREIGN_ORIGIN`].
pub(crate) async fn keep_pages_out(
    State(service): State<Arc<Service>>,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    match service.access() {
        Access::Everybody => origin::check(request.method(), request.headers()),
        Access::Tokens(_) => origin::check_origin(request.method(), request.headers()),
    }
    .map_err(problem::of_foreign)?;
    Ok(next.run(request).await)
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::future::Future as _;
    use std::pin::Pin;
    use std::task::{Context, Poll};

    use bytes::Bytes;
    use hyper::body::Frame;
    use tokio::time::{Sleep, sleep};

    use super::*;

    /// A byte every second, for ever.
    struct Trickle(Pin<Box<Sleep>>);

    impl Trickle {
        fn next() -> Pin<Box<Sleep>> {
            Box::pin(sleep(Duration::from_secs(1)))
        }
    }

    impl hyper::body::Body for Trickle {
        type Data = Bytes;
        type Error = Infallible;

        fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
            let come = self.0.as_mut().poll(context);
            come.map(|()| {
                self.0 = Self::next();
                Some(Ok(Frame::data(Bytes::from_static(b"x"))))
            })
        }
    }

    #[test]
    fn members_are_said_by_name_and_not_by_their_places() {
        #[derive(Debug, serde::Deserialize)]
        struct Said {
            by: Option<String>,
        }
        let read = |text: &str| from_json::<Said>(text.as_bytes(), problem::NOT_A_REASON, "the text by").map(|said| said.by);
        assert_eq!(read(" {\"by\": \"ada\"}").ok().flatten().as_deref(), Some("ada"));
        for list in ["[null]", "[\"ada\"]", "null", "\"ada\"", ""] {
            assert_eq!(read(list).expect_err(list).kind().slug(), "not-a-reason");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_takes_too_long_is_given_up_and_leaves_its_room() {
        let budget = Budget::new(100);
        let read = tokio::time::timeout(Duration::from_secs(31), any_body(Body::new(Trickle(Trickle::next())), 100, &budget));
        assert_eq!(read.await.expect("it is given up").expect_err("it never ends").kind().slug(), "too-slow");
        assert!(budget.check_room(100).is_ok(), "a request that was turned away takes no room");
    }
}
