//! Reads requests within bounds, and keeps other people's web pages out.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use super::budget::{Budget, Held};
use super::problem::{self, Problem};
use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::Response;

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

/// The body without the byte-order mark that some programs put before a text, and that is no part of it.
pub(crate) fn without_mark(body: &[u8]) -> &[u8] {
    body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body)
}

/// The body is declared as JSON, and as it is.
///
/// # Errors
/// It is declared as something else, or as compressed.
pub(crate) fn check_json(headers: &HeaderMap) -> Result<(), Problem> {
    let plain = |value: &HeaderValue| value.is_empty() || value.as_bytes().eq_ignore_ascii_case(b"identity");
    if !headers.get_all(header::CONTENT_ENCODING).iter().all(plain) {
        return Err(Problem::new(problem::MEDIA_TYPE, "the body has a Content-Encoding; send it as it is"));
    }
    if is_json(headers) {
        return Ok(());
    }
    Err(Problem::new(problem::MEDIA_TYPE, "the request has no Content-Type: application/json"))
}

/// The whole body, at most `most` bytes of it.
///
/// # Errors
/// It is too large, too slow, broken off, or there is no room for it in the budget.
pub(crate) async fn any_body(body: Body, most: usize, budget: &Budget) -> Result<Held, Problem> {
    let too_slow = || Problem::new(problem::TOO_SLOW, format!("the body took more than {} s", BODY_TIMEOUT.as_secs()));
    tokio::time::timeout(BODY_TIMEOUT, budget.read(body, most)).await.unwrap_or_else(|_elapsed| Err(too_slow()))
}

fn is_json(headers: &HeaderMap) -> bool {
    let declared = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = declared.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json"))
}

/// Lets through what does not come from another origin's page, nor under a name that anybody could have registered.
///
/// # Errors
/// [`problem::FOREIGN_HOST`] and [`problem::FOREIGN_ORIGIN`].
pub(crate) async fn keep_pages_out(request: Request, next: Next) -> Result<Response, Problem> {
    check_origin(request.method(), request.headers())?;
    Ok(next.run(request).await)
}

fn check_origin(method: &Method, headers: &HeaderMap) -> Result<(), Problem> {
    let text = |name| headers.get(name).map(|value| value.to_str().unwrap_or("what is not text"));
    let host = text(header::HOST);
    if let Some(host) = host.filter(|host| !is_local_name(host)) {
        return Err(Problem::new(problem::FOREIGN_HOST, format!("this service is not {}", printable(host))));
    }
    let changes = !matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS);
    let own = |origin: &str| origin.strip_prefix("http://").is_some_and(|origin| Some(origin) == host);
    match text(header::ORIGIN).filter(|origin| changes && !own(origin)) {
        Some(origin) => Err(Problem::new(problem::FOREIGN_ORIGIN, format!("the page comes from {}", printable(origin)))),
        None => Ok(()),
    }
}

/// An IP address or localhost, with a port or without.
fn is_local_name(host: &str) -> bool {
    if let Some(inside) = host.strip_prefix('[') {
        return inside.split(']').next().is_some_and(|address| address.parse::<Ipv6Addr>().is_ok());
    }
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    name.eq_ignore_ascii_case("localhost") || name.parse::<Ipv4Addr>().is_ok()
}

/// At most 100 characters of it, for a sentence.
fn printable(text: &str) -> String {
    text.chars().take(100).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(method: Method, sent: &[(header::HeaderName, &'static str)], expected: Option<&str>) {
        let headers: HeaderMap = sent.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value))).collect();
        let found = check_origin(&method, &headers).err().map(|problem| problem.kind().slug);
        assert_eq!(found, expected, "{method} {sent:?}");
    }

    #[test]
    fn a_page_of_another_origin_changes_nothing() {
        let host = (header::HOST, "127.0.0.1:7070");
        check(Method::POST, std::slice::from_ref(&host), None);
        check(Method::POST, &[host.clone(), (header::ORIGIN, "http://127.0.0.1:7070")], None);
        check(Method::POST, &[host.clone(), (header::ORIGIN, "http://shop.example")], Some("foreign-origin"));
        check(Method::POST, &[host.clone(), (header::ORIGIN, "null")], Some("foreign-origin"));
        check(Method::GET, &[host, (header::ORIGIN, "http://shop.example")], None);
    }

    #[test]
    fn the_service_answers_to_addresses_and_localhost_only() {
        for name in ["127.0.0.1", "127.0.0.1:7070", "[::1]:7070", "[::1]", "localhost:7070", "LOCALHOST"] {
            check(Method::GET, &[(header::HOST, name)], None);
        }
        for name in ["shop.example", "shop.example:7070", "localhost.shop.example", "[shop]", ""] {
            check(Method::GET, &[(header::HOST, name)], Some("foreign-host"));
        }
        check(Method::GET, &[], None);
    }

    #[test]
    fn json_is_declared_as_json() {
        for (value, expected) in [
            ("application/json", true),
            ("Application/JSON; charset=utf-8", true),
            ("application/vnd.shop+json", true),
            ("text/plain", false),
            ("application/jsonlines", false),
        ] {
            let headers = HeaderMap::from_iter([(header::CONTENT_TYPE, HeaderValue::from_static(value))]);
            assert_eq!(is_json(&headers), expected, "{value}");
        }
        assert!(!is_json(&HeaderMap::new()));
    }
}
