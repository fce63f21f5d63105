//! Everything that is not a receipt, as `application/problem+json` (RFC 9457). `docs/contract.md` lists the types.

use std::borrow::Cow;

use axum::Json;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderValue, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// What kind of problem it is; each is one `type`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    KeyInvalid,
    HeaderInvalid,
    BodyInvalid,
    BodyTooLarge,
    BodyLate,
    MediaType,
    NotFound,
    MethodNotAllowed,
    Overloaded,
    Stopping,
    EffectError,
    StoreError,
    StoreBroken,
}

impl Kind {
    const fn row(self) -> (StatusCode, &'static str, &'static str) {
        match self {
            Self::KeyInvalid => (StatusCode::BAD_REQUEST, "key-invalid", "The key is not one"),
            Self::HeaderInvalid => (StatusCode::BAD_REQUEST, "header-invalid", "A header makes no sense"),
            Self::BodyInvalid => (StatusCode::BAD_REQUEST, "body-invalid", "The body is not JSON"),
            Self::BodyTooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "body-too-large", "The body is too large"),
            Self::BodyLate => (StatusCode::REQUEST_TIMEOUT, "body-late", "The body did not arrive"),
            Self::MediaType => (StatusCode::UNSUPPORTED_MEDIA_TYPE, "media-type", "The body is not declared as JSON"),
            Self::NotFound => (StatusCode::NOT_FOUND, "not-found", "There is nothing here"),
            Self::MethodNotAllowed => (StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed", "This method means nothing here"),
            Self::Overloaded => (StatusCode::SERVICE_UNAVAILABLE, "overloaded", "Too many requests are waiting"),
            Self::Stopping => (StatusCode::SERVICE_UNAVAILABLE, "stopping", "The service is stopping"),
            Self::EffectError => (StatusCode::INTERNAL_SERVER_ERROR, "effect-error", "The effect could not be brought about"),
            Self::StoreError => (StatusCode::INTERNAL_SERVER_ERROR, "store-error", "The store failed"),
            Self::StoreBroken => (StatusCode::SERVICE_UNAVAILABLE, "store-broken", "The store cannot be trusted"),
        }
    }

    /// What whoever meets it can do. What exactly went wrong inside is in the service's log, not on the wire.
    pub(super) const fn advice(self) -> &'static str {
        match self {
            Self::Overloaded | Self::Stopping => "nothing was done; send the request again",
            Self::EffectError | Self::StoreError => "nothing was done; send the request again, and look into the service's log",
            Self::StoreBroken => {
                "the request may or may not have taken effect; the service's log says what happened: if its disk failed, restart it; \
                 if the store's file was removed or written over, stop it, put the right file back with the -wal beside it that \
                 belongs to it, and start it (a start that is refused says which files to move); then send the request again"
            }
            Self::KeyInvalid
            | Self::HeaderInvalid
            | Self::BodyInvalid
            | Self::BodyTooLarge
            | Self::BodyLate
            | Self::MediaType
            | Self::NotFound
            | Self::MethodNotAllowed => "nothing was done; correct the request",
        }
    }

    const fn is_temporary(self) -> bool {
        matches!(self, Self::Overloaded | Self::Stopping | Self::EffectError | Self::StoreError)
    }
}

/// A problem, ready to be answered with.
#[derive(Debug)]
pub(super) struct Problem {
    kind: Kind,
    detail: Cow<'static, str>,
}

impl Problem {
    pub(super) fn new(kind: Kind, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { kind, detail: detail.into() }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let (status, name, title) = self.kind.row();
        let body = json!({
            "type": format!("urn:handfast:problem:{name}"), "title": title, "status": status.as_u16(), "detail": self.detail,
        });
        let mut response = (status, Json(body)).into_response();
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if self.kind.is_temporary() {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}

pub(super) async fn not_found(_uri: Uri) -> Problem {
    Problem::new(Kind::NotFound, "docs/contract.md lists the paths of a participant")
}

pub(super) async fn method_not_allowed() -> Problem {
    Problem::new(Kind::MethodNotAllowed, "the header Allow names the methods of this path")
}
