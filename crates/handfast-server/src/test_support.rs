//! What the tests of the service share: a flow, and a request that is answered by the router alone.

use axum::body::{Body, to_bytes};
use axum::http::{Request, response};
use serde_json::Value;
use tower::ServiceExt as _;

use crate::Server;

/// A flow of one step, whose participant is not there.
pub(crate) const FLOW: &str =
    "name = \"shop\"\n[input]\nlines = \"list\"\n[[step]]\nname = \"dispatch\"\nkind = \"pivot\"\nurl = \"http://127.0.0.1:1\"\n";

/// Asks the router. Brings the head of its answer, and the body where that is JSON.
pub(crate) async fn asked(server: &Server, request: Request<Body>) -> (response::Parts, Option<Value>) {
    let (head, body) = server.router().oneshot(request).await.unwrap().into_parts();
    let bytes = to_bytes(body, 1 << 20).await.unwrap();
    (head, serde_json::from_slice(&bytes).ok())
}
