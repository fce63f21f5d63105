//! Which headers of an answer the service alone sends.
//!
//! Servers, gateways, caches and proxies add headers that cannot all be listed, and echo what a request carries. So a header
//! proves something only where the flow says by name that it is the service's own, and no request of the step sends one of that
//! name.

use reqwest::header::HeaderName;

use super::call::MAX_ENTRIES;

/// Reads the names of a step's own headers. `sent` are the headers of its requests.
///
/// # Errors
/// The first name that is none, or that is not the service's own.
pub(super) fn read(names: &[String], sent: &[HeaderName]) -> Result<Vec<HeaderName>, String> {
    if names.len() > MAX_ENTRIES {
        return Err(format!("more than {MAX_ENTRIES} headers are too many"));
    }
    let read = |name: &String| {
        let name: HeaderName = name.parse().map_err(|_| format!("{name:?} is no name of a header"))?;
        if is_anybodys(&name) {
            return Err(format!(
                "servers and gateways send the header {name} as well, so it is not the service's own; take it out"
            ));
        }
        if sent.contains(&name) {
            return Err(format!(
                "a request of the step sends the header {name} itself, and a proxy that stands between may give it back; take it out"
            ));
        }
        Ok(name)
    };
    names.iter().map(read).collect()
}

/// Some that no service can call its own. The list is no proof of anything: it saves the flow's author from a mistake.
const GENERAL: [&str; 43] = [
    "accept-ranges",
    "age",
    "allow",
    "alt-svc",
    "cache-control",
    "connection",
    "date",
    "etag",
    "expires",
    "keep-alive",
    "last-modified",
    "link",
    "location",
    "nel",
    "p3p",
    "pragma",
    "referrer-policy",
    "refresh",
    "report-to",
    "retry-after",
    "server",
    "server-timing",
    "set-cookie",
    "status",
    "strict-transport-security",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "vary",
    "via",
    "warning",
    "www-authenticate",
    "traceparent",
    "tracestate",
    "x-cache",
    "x-correlation-id",
    "x-powered-by",
    "x-request-id",
    "x-robots-tag",
    "x-runtime",
    "x-timer",
    "x-trace-id",
];
const GENERAL_FAMILIES: [&str; 23] = [
    "access-control-",
    "akamai-",
    "cf-",
    "content-",
    "cross-origin-",
    "fastly-",
    "idempotency-",
    "idempotent-",
    "proxy-",
    "ratelimit-",
    "sec-",
    "x-amz-",
    "x-amzn-",
    "x-azure-",
    "x-b3-",
    "x-cache-",
    "x-content-",
    "x-envoy-",
    "x-forwarded-",
    "x-frame-",
    "x-ratelimit-",
    "x-served-",
    "x-varnish",
];

/// Whether others than the service are known to send this header, too.
fn is_anybodys(name: &HeaderName) -> bool {
    let name = name.as_str();
    GENERAL.contains(&name) || GENERAL_FAMILIES.iter().any(|family| name.starts_with(family))
}
