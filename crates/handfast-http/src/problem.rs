//! What a service says when it does not do as asked: `application/problem+json` (RFC 9457).

use std::borrow::Cow;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

/// What such an answer says it is.
pub const MEDIA_TYPE: &str = "application/problem+json";

/// A kind of problem. Services keep theirs in a table, each with a `uri` of its own.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Kind {
    /// Its name for programs: the member `type`.
    pub uri: &'static str,
    /// The status of the answer.
    pub status: StatusCode,
    /// What kind it is, in a few words: the member `title`.
    pub title: &'static str,
    /// What it means and what the caller that meets it can do, in sentences.
    pub page: &'static str,
}

impl Kind {
    /// The last part of its uri, which is unique among the kinds of one service.
    #[must_use]
    pub fn slug(&self) -> &'static str {
        self.uri.rsplit(['/', ':']).next().unwrap_or(self.uri)
    }
}

/// A table of the problems of a service: each has a name in the program, the last part of its uri, a status, a title and a page.
///
/// `kinds! { pub(crate), "/problems/"; .. }` makes a constant of each, and with `, all ALL` before the semicolon also one that lists
/// them.
#[macro_export]
macro_rules! kinds {
    ($visibility:vis, $prefix:literal $(, all $all:ident)?;
     $($name:ident = $slug:literal, $status:ident, $title:literal, $page:expr;)*) => {
        $($visibility const $name: &$crate::problem::Kind = &$crate::problem::Kind {
            uri: concat!($prefix, $slug), status: ::axum::http::StatusCode::$status, title: $title, page: $page,
        };)*
        $crate::kinds!(@all $visibility, [$($all)?] $($name)*);
    };
    (@all $visibility:vis, [] $($name:ident)*) => {};
    (@all $visibility:vis, [$all:ident] $($name:ident)*) => {
        /// Every kind there is.
        $visibility const $all: &[&$crate::problem::Kind] = &[$($name),*];
    };
}

/// One problem, as it is answered.
#[derive(Debug)]
pub struct Problem {
    kind: &'static Kind,
    detail: Cow<'static, str>,
    more: Map<String, Value>,
    retry_after_s: Option<u32>,
    challenge: Option<&'static str>,
}

impl Problem {
    /// A problem of this kind; `detail` is a sentence about this very request.
    pub fn new(kind: &'static Kind, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { kind, detail: detail.into(), more: Map::new(), retry_after_s: None, challenge: None }
    }

    /// Its kind.
    #[must_use]
    pub const fn kind(&self) -> &'static Kind {
        self.kind
    }

    /// The sentence about this very request.
    #[must_use]
    pub fn detail(&self) -> &str {
        &self.detail
    }

    /// Adds a member of its own.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.more.insert(name.to_owned(), value.into());
        self
    }

    /// Says after how many seconds to send the request again.
    #[must_use]
    pub const fn retry_after_s(mut self, seconds: u32) -> Self {
        self.retry_after_s = Some(seconds);
        self
    }

    /// Says by what scheme the caller would be let in, which every 401 has to say (RFC 9110, 11.6.1).
    #[must_use]
    pub const fn challenge(mut self, scheme: &'static str) -> Self {
        self.challenge = Some(scheme);
        self
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let Self { kind, detail, mut more, retry_after_s, challenge } = self;
        for (name, value) in [
            ("type", json!(kind.uri)),
            ("title", json!(kind.title)),
            ("status", json!(kind.status.as_u16())),
            ("detail", json!(detail)),
        ] {
            more.insert(name.to_owned(), value);
        }
        let mut response = (kind.status, Value::Object(more).to_string()).into_response();
        // For what stands around a service: which kind it is, without reading the body.
        response.extensions_mut().insert(kind);
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
        if let Some(scheme) = challenge {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(scheme));
        }
        if let Some(seconds) = retry_after_s {
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GONE: &Kind = &Kind { uri: "/problems/gone", status: StatusCode::GONE, title: "It is gone", page: "Nothing was done." };

    #[tokio::test]
    async fn a_problem_is_one_object_with_its_members_and_headers() {
        let problem = Problem::new(GONE, "saga 1 is gone").with("saga", "1").retry_after_s(3).challenge("bearer");
        assert_eq!(problem.kind().slug(), "gone");
        let response = problem.into_response();
        assert_eq!(response.status(), StatusCode::GONE);
        let header = |name| response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        assert_eq!(header(header::CONTENT_TYPE).as_deref(), Some("application/problem+json"));
        assert_eq!(header(header::RETRY_AFTER).as_deref(), Some("3"));
        assert_eq!(header(header::WWW_AUTHENTICATE).as_deref(), Some("bearer"));
        let bytes = axum::body::to_bytes(response.into_body(), 1024).await.unwrap();
        let body: Value = serde_json::from_slice(&bytes).unwrap();
        let expected =
            json!({ "type": "/problems/gone", "title": "It is gone", "status": 410, "detail": "saga 1 is gone", "saga": "1" });
        assert_eq!(body, expected);
    }
}
