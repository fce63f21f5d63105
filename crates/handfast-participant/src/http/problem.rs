//! Everything that is not a receipt, as `application/problem+json` (RFC 9457). `docs/contract.md` lists the types.

use axum::http::Uri;
pub(super) use handfast_http::problem::Problem;

use crate::registers::NotDefinite;

/// What the caller that meets it can do. What exactly went wrong inside is in the service's log, not on the wire.
const CORRECT: &str = "nothing was done; correct the request";
const AGAIN: &str = "nothing was done; send the request again";
const LOOK: &str = "nothing was done; send the request again, and look into the service's log";
const BROKEN: &str = "the request may or may not have taken effect; the service's log says what happened: if its disk failed, \
    restart it; if the store's file was removed or written over, stop it, put the right file back with the -wal beside it that \
    belongs to it, and start it (a start that is refused says which files to move); then send the request again";

handfast_http::kinds! {
    pub(super), "urn:handfast:problem:";
    KEY_INVALID = "key-invalid", BAD_REQUEST, "The key is not one", CORRECT;
    HEADER_INVALID = "header-invalid", BAD_REQUEST, "A header makes no sense", CORRECT;
    BODY_INVALID = "body-invalid", BAD_REQUEST, "The body is not JSON", CORRECT;
    BODY_TOO_LARGE = "body-too-large", PAYLOAD_TOO_LARGE, "The body is too large", CORRECT;
    BODY_LATE = "body-late", REQUEST_TIMEOUT, "The body did not arrive", CORRECT;
    MEDIA_TYPE = "media-type", UNSUPPORTED_MEDIA_TYPE, "The body is not declared as JSON", CORRECT;
    NOT_FOUND = "not-found", NOT_FOUND, "There is nothing here", CORRECT;
    METHOD_NOT_ALLOWED = "method-not-allowed", METHOD_NOT_ALLOWED, "This method means nothing here", CORRECT;
    OVERLOADED = "overloaded", SERVICE_UNAVAILABLE, "Too many requests are waiting", AGAIN;
    STOPPING = "stopping", SERVICE_UNAVAILABLE, "The service is stopping", AGAIN;
    EFFECT_ERROR = "effect-error", INTERNAL_SERVER_ERROR, "The effect could not be brought about", LOOK;
    STORE_ERROR = "store-error", INTERNAL_SERVER_ERROR, "The store failed", LOOK;
    STORE_BROKEN = "store-broken", SERVICE_UNAVAILABLE, "The store cannot be trusted", BROKEN;
}

pub(super) async fn not_found(_uri: Uri) -> Problem {
    Problem::new(NOT_FOUND, "docs/contract.md lists the paths of a participant")
}

pub(super) async fn method_not_allowed() -> Problem {
    Problem::new(METHOD_NOT_ALLOWED, "the header Allow names the methods of this path")
}

impl From<NotDefinite> for Problem {
    /// Why nothing definite is known.
    fn from(error: NotDefinite) -> Self {
        let (kind, again) = match error {
            NotDefinite::Overloaded => (OVERLOADED, Some(1)),
            NotDefinite::Stopping => (STOPPING, Some(1)),
            NotDefinite::Effect(_) => (EFFECT_ERROR, Some(1)),
            NotDefinite::Store(_) => (STORE_ERROR, Some(1)),
            NotDefinite::Broken(_) => (STORE_BROKEN, None),
        };
        let problem = Self::new(kind, kind.page);
        match again {
            Some(seconds) => problem.retry_after_s(seconds),
            None => problem,
        }
    }
}
