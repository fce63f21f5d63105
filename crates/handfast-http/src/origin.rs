//! Keeps other people's web pages out: a browser sends what a page wants to whatever address the page names.

use std::net::{Ipv4Addr, Ipv6Addr};

use axum::http::{HeaderMap, HeaderName, Method, header};

/// Why a request is not listened to.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Foreign {
    /// It is meant for a name that anybody could have registered.
    #[error("this service is not {0}")]
    Host(String),
    /// It comes from a page of another origin, and would change something.
    #[error("the page comes from {0}")]
    Origin(String),
}

/// Whether a request comes neither from another origin's page nor under a name that anybody could have registered.
///
/// # Errors
/// Which of the two.
pub fn check(method: &Method, headers: &HeaderMap) -> Result<(), Foreign> {
    if let Some(host) = text(headers, header::HOST).filter(|host| !is_local_name(host)) {
        return Err(Foreign::Host(printable(host)));
    }
    check_origin(method, headers)
}

/// Whether a request that would change something does not come from another origin's page, whatever name it is meant for. What
/// stands before a service may have taken the encryption off, so the page of the same host is its own by either scheme.
///
/// # Errors
/// It comes from one.
pub fn check_origin(method: &Method, headers: &HeaderMap) -> Result<(), Foreign> {
    let host = text(headers, header::HOST);
    let changes = !matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS);
    let own = |origin: &str| {
        let of_scheme = |scheme: &str| origin.strip_prefix(scheme).is_some_and(|authority| Some(authority) == host);
        ["http://", "https://"].into_iter().any(of_scheme)
    };
    match text(headers, header::ORIGIN).filter(|origin| changes && !own(origin)) {
        Some(origin) => Err(Foreign::Origin(printable(origin))),
        None => Ok(()),
    }
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name).map(|value| value.to_str().unwrap_or("what is not text"))
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
    use axum::http::HeaderValue;

    use super::*;

    #[track_caller]
    fn holds(method: Method, sent: &[(header::HeaderName, &'static str)], expected: Option<&str>) {
        let headers: HeaderMap = sent.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value))).collect();
        let found = super::check(&method, &headers).err().map(|foreign| match foreign {
            Foreign::Host(_) => "host",
            Foreign::Origin(_) => "origin",
        });
        assert_eq!(found, expected, "{method} {sent:?}");
    }

    #[test]
    fn a_page_of_another_origin_changes_nothing() {
        let host = (header::HOST, "127.0.0.1:7070");
        holds(Method::POST, std::slice::from_ref(&host), None);
        holds(Method::POST, &[host.clone(), (header::ORIGIN, "http://127.0.0.1:7070")], None);
        holds(Method::POST, &[host.clone(), (header::ORIGIN, "http://shop.example")], Some("origin"));
        holds(Method::POST, &[host.clone(), (header::ORIGIN, "null")], Some("origin"));
        holds(Method::GET, &[host, (header::ORIGIN, "http://shop.example")], None);
        let (named, own) = ((header::HOST, "orders.example"), (header::ORIGIN, "https://orders.example"));
        let sent: HeaderMap = [named, own].into_iter().map(|(name, value)| (name, HeaderValue::from_static(value))).collect();
        assert_eq!(check_origin(&Method::POST, &sent), Ok(()));
    }

    #[test]
    fn the_service_answers_to_addresses_and_localhost_only() {
        for name in ["127.0.0.1", "127.0.0.1:7070", "[::1]:7070", "[::1]", "localhost:7070", "LOCALHOST"] {
            holds(Method::GET, &[(header::HOST, name)], None);
        }
        for name in ["shop.example", "shop.example:7070", "localhost.shop.example", "[shop]", ""] {
            holds(Method::GET, &[(header::HOST, name)], Some("host"));
        }
        holds(Method::GET, &[], None);
    }
}
