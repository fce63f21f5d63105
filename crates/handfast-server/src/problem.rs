//! What the service says when it does not do as asked: RFC 9457 problems, each with a page of its own.

use handfast_http::bodies::{BodyError, NotJson};
use handfast_http::origin::Foreign;
pub(crate) use handfast_http::problem::{Kind, Problem};

handfast_http::kinds! {
    pub(crate), "/problems/", all ALL;
    NO_SUCH_PAGE = "no-such-page", NOT_FOUND, "There is nothing at this address",
        "The path is none of the service's. `docs/serve.md` lists them all.";
    NOT_OFFERED = "not-offered", NOT_IMPLEMENTED, "This service does not offer that",
        "What runs its sagas has no such thing. Nothing was done.";
    NO_SUCH_SAGA = "no-such-saga", NOT_FOUND, "There is no saga of this id",
        "No order of this id was acknowledged by this service. One whose POST was never answered may still arrive: send it again, with the same key, to learn what became of it.";
    NO_SUCH_FLOW = "no-such-flow", NOT_FOUND, "This service takes no orders of this flow",
        "`flows` names those whose orders it takes. Nothing was done.";
    FLOW_REMOVED = "flow-removed", GONE, "The orders of this flow are taken no more",
        "It was taken out of the service while that ran. An order of it that was acknowledged goes on: `GET /sagas/{id}` says how it stands. Nothing was done.";
    WHICH_FLOW = "which-flow", BAD_REQUEST, "The order does not say which flow it follows",
        "This service takes the orders of several flows, which `flows` names. Place the order at `/flows/{flow}/sagas`. Nothing was done.";
    NO_SUCH_DEFINITION = "no-such-definition", NOT_FOUND, "No open order follows this definition",
        "`GET /definitions` lists the definitions that open orders follow, other than the one at hand.";
    CANNOT_ADOPT = "cannot-adopt", CONFLICT, "The orders cannot follow the definition at hand",
        "Its plan is another, or they are being driven by their own definition meanwhile. `detail` says which. Nothing was changed.";
    METHOD = "method-not-allowed", METHOD_NOT_ALLOWED, "This address does not take that method",
        "The header `Allow` names the methods that it takes.";
    MEDIA_TYPE = "media-type", UNSUPPORTED_MEDIA_TYPE, "The body is not declared to be plain JSON",
        "Send `Content-Type: application/json`, and no `Content-Encoding`: a compressed body is not taken.";
    TOO_LARGE = "too-large", PAYLOAD_TOO_LARGE, "The body is too large",
        "An order has at most 65,536 bytes, a webhook 262,144. Nothing was done.";
    TOO_SLOW = "too-slow", REQUEST_TIMEOUT, "The body did not arrive in time",
        "The whole body has to arrive within 30 seconds. Nothing was done; send it again.";
    BODY_LOST = "body-lost", BAD_REQUEST, "The body did not arrive whole",
        "The connection ended, or the body was not framed as its headers said. Nothing was done; send it again.";
    NOT_JSON = "not-json", BAD_REQUEST, "The body is not JSON",
        "`column` is the byte at which it stops being JSON, counted from 1. Nothing was done.";
    NOT_AN_ORDER = "not-an-order", UNPROCESSABLE_ENTITY, "The body is not an order of this flow",
        "`field` is the path of the field that is wrong, where it is one. Nothing was done.";
    KEY_MISSING = "idempotency-key-missing", BAD_REQUEST, "The request needs an Idempotency-Key",
        "Send `Idempotency-Key` with 1 to 255 printable ASCII characters, drawn once for each order and sent again with each repetition of the request.";
    KEY_MALFORMED = "idempotency-key-malformed", BAD_REQUEST, "The Idempotency-Key cannot be read",
        "It has 1 to 255 printable ASCII characters, bare or as a string in double quotes, and is there once.";
    KEY_REUSED = "idempotency-key-reused", UNPROCESSABLE_ENTITY, "The key or the id stands for another order",
        "An order with this key or this id was acknowledged before, and it is another one. The order that was acknowledged goes on; this one was not taken. Use a new key and a new id for a new order.";
    QUERY = "query", BAD_REQUEST, "The query cannot be understood",
        "`docs/serve.md` names the parameters that each address takes.";
    NOT_A_REASON = "not-a-reason", UNPROCESSABLE_ENTITY, "The body does not say who asks, and why",
        "It is `{\"by\": \"..\", \"why\": \"..\"}`; to cancel, both may be left out, and so may the body. Each has at most 256 characters, none of them a control character, and no number that could be a card's. Nothing was done.";
    TOO_LATE = "too-late-to-cancel", CONFLICT, "The saga cannot be cancelled any more",
        "The step that decides it is done, or it has ended in both: there is no way back. Or it is suspended, and a person has to look at it first.";
    LEFT_ALONE = "left-alone", CONFLICT, "This service does not drive the saga",
        "Its journal cannot be followed here: another version wrote it, or a row was changed. `detail` says what helps. Nothing was done.";
    NEEDS_VALUES = "needs-values", CONFLICT, "The mark needs what the step's answer would have brought",
        "Later requests name it, so without it what was done could never be taken back. Say it in `kept`, by the names in `names`, as in `{\"kept\": {\"id\": \"ch_1\"}}`. If it has been taken back by hand, mark the step as undone instead. Nothing was done.";
    CANNOT_ACCEPT_TIME = "cannot-accept-time", CONFLICT, "The present time cannot be accepted",
        "The store's time is not later, another process goes by it, or open sagas count from it. `detail` says which, and what helps. Nothing was done.";
    NOT_AN_ACT = "not-an-act", UNPROCESSABLE_ENTITY, "The body is not an act of a person",
        "It is an object with `act`, `step` (the one that a mark is about), `by`, `reason`, `request_id`, `saw` and, if there is any, `evidence` and `kept`. The texts have at most 256 characters, none of them a control character, and no number that could be a card's. Nothing was done.";
    MOVED = "moved", CONFLICT, "The saga has gone on since",
        "`saw` is not the number of its last entry, which is in `seq`. Look at the saga again, and act on what it is now. Nothing was done.";
    POINTLESS = "pointless", CONFLICT, "The act would change nothing",
        "What can be done about a saga is in its `can`. A step is marked only once nothing can be asked for it any more. Nothing was done.";
    NOT_A_PLAN = "not-a-plan", UNPROCESSABLE_ENTITY, "The body is not a page of a plan",
        "It is an object with `token`, `head` and one of the `pages` of a plan as `page`, and to apply it `by`. `GET /plans` makes the pages. Nothing was done.";
    NOT_THIS_PLAN = "not-this-plan", CONFLICT, "The plan is not applied here and now",
        "It was changed since it was made, is about the sagas of another store, or is older than is asked for. `detail` says which. Nothing was done.";
    REQUEST_ID_REUSED = "request-id-reused", UNPROCESSABLE_ENTITY, "The request id stands for another act",
        "Draw a request id for every act, and send it again with every repetition of the same one. Nothing was done.";
    NO_SUCH_PARTICIPANT = "no-such-participant", NOT_FOUND, "There is no participant of this name",
        "No flow and no saga of this service names it. `GET /participants` lists them all, each by its base URL.";
    CANNOT_ACCEPT = "cannot-accept", CONFLICT, "This incarnation cannot be accepted",
        "The participant has named no other incarnation than the one that counts, or yet another one by now: `offered`, where it is there. Look at it again. Nothing was done.";
    NOT_AN_ACCEPTANCE = "not-an-acceptance", UNPROCESSABLE_ENTITY, "The body does not say what is accepted, by whom and why",
        "It is `{\"participant\": \"..\", \"incarnation\": \"..\", \"by\": \"..\", \"why\": \"..\"}`, the last two of at most 256 characters and not empty. Nothing was done.";
    NOT_SIGNED = "not-signed", UNAUTHORIZED, "The webhook is not signed",
        "It has no signature of this very body by the secret of this step, or was signed too long ago. `detail` says which. Nothing was done.";
    CROWDED = "crowded", SERVICE_UNAVAILABLE, "Too many bodies are arriving at once",
        "So much of what callers send is read at a time, over all of them. Nothing was done; send the request again, with the same key.";
    BUSY = "busy", SERVICE_UNAVAILABLE, "Too many sagas wait to act on a webhook",
        "Send it again after the time in `Retry-After`. What is in doubt is asked for at its own time in any case.";
    TOKEN = "token", UNAUTHORIZED, "The request needs a token of this service",
        "Send `Authorization: Bearer TOKEN`. A token is drawn with `handfast tokens new`, and counts while it stands in the service's file and has not expired. Nothing was done.";
    SCOPE = "scope", FORBIDDEN, "The token does not allow this",
        "`scopes` names those of which one is asked for, or the token is for one flow and this is about another. Nothing was done.";
    FOREIGN_ORIGIN = "foreign-origin", FORBIDDEN, "A page of another origin may not do this",
        "A browser sent this on behalf of a page that does not come from this service.";
    FOREIGN_HOST = "foreign-host", MISDIRECTED_REQUEST, "The request is meant for another host",
        "Without tokens `Host` must be an IP address or localhost, since a page could otherwise reach this service under a name of its own.";
    STOPPING = "stopping", SERVICE_UNAVAILABLE, "The service is stopping",
        "Nothing was done. Send it again after the time in `Retry-After`, with the same key.";
    CLOCK = "clock", SERVICE_UNAVAILABLE, "The service's clock is not believed",
        "It is too far from the clocks of others on the same store, or behind the latest time that the store has seen. Nothing was done. Send it again with the same key, here once the clock is right or to another worker.";
    STORE = "store-unavailable", SERVICE_UNAVAILABLE, "The store did not answer",
        "Whether the order was taken is unknown. Send it again with the same key: it is taken once.";
    DEAD = "dead", SERVICE_UNAVAILABLE, "A part of the service has stopped for good",
        "Start the service again. Nothing that was acknowledged is lost.";
    BROKEN = "broken", INTERNAL_SERVER_ERROR, "The service cannot do this",
        "What is stored of the saga cannot be what was written, or the service has a mistake. `detail` says which. Nothing was done.";
}

/// Why there is no body, in the words of a caller.
pub(crate) fn of_body(error: BodyError) -> Problem {
    let detail = error.to_string();
    match error {
        BodyError::TooLarge { .. } => Problem::new(TOO_LARGE, detail),
        BodyError::TooSlow { .. } => Problem::new(TOO_SLOW, detail),
        BodyError::Lost => Problem::new(BODY_LOST, detail),
        BodyError::Crowded => Problem::new(CROWDED, detail).retry_after_s(1),
    }
}

/// Why a body is not read as JSON.
pub(crate) fn of_media(error: NotJson) -> Problem {
    Problem::new(MEDIA_TYPE, error.to_string())
}

/// Why a request is not listened to.
pub(crate) fn of_foreign(error: Foreign) -> Problem {
    let detail = error.to_string();
    match error {
        Foreign::Host(_) => Problem::new(FOREIGN_HOST, detail),
        Foreign::Origin(_) => Problem::new(FOREIGN_ORIGIN, detail),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_a_page_and_stands_in_the_document() {
        let document = include_str!("../../../docs/serve.md");
        for kind in ALL {
            assert!(kind.page.ends_with('.'), "{}", kind.slug());
            let row = format!("| `{}` | {} |", kind.slug(), kind.status.as_u16());
            assert!(document.contains(&row), "docs/serve.md has no row {row}");
        }
    }

    #[test]
    fn slugs_are_unique() {
        let mut slugs: Vec<&str> = ALL.iter().map(|kind| kind.slug()).collect();
        slugs.sort_unstable();
        slugs.dedup();
        assert_eq!(slugs.len(), ALL.len());
    }
}
