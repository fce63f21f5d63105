//! The address of a service as people type it: what cannot be one is told with what to type instead.

use std::fmt;
use std::str::FromStr;

use hyper::Uri;

/// Where a service is reached over plain HTTP: a host, maybe a port and a path, and no slash at its end.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ServiceUrl(String);

/// Why a text is no address of a service, and what to type instead.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{0}")]
pub struct NotServiceUrl(String);

const EXAMPLE: &str = "give one as in http://127.0.0.1:7070";

impl ServiceUrl {
    /// As text, without a slash at its end.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ServiceUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for ServiceUrl {
    type Err = NotServiceUrl;

    fn from_str(text: &str) -> Result<Self, NotServiceUrl> {
        let wrong = |what: String| Err(NotServiceUrl(what));
        let meant = |rest: &str| {
            let url = format!("http://{}", rest.trim_start_matches('/'));
            check(&url).map_or_else(|_| EXAMPLE.to_owned(), |()| format!("say {url}"))
        };
        let Some((scheme, rest)) = text.split_once("://") else {
            let rest = ["http:", "https:"].iter().find_map(|scheme| text.strip_prefix(scheme)).unwrap_or(text);
            return wrong(format!("it does not begin with http://; {}", meant(rest)));
        };
        match scheme.to_ascii_lowercase().as_str() {
            "http" => {}
            "https" => return wrong(format!("TLS is not spoken here; {}, from the machine that it runs on", meant(rest))),
            _ => return wrong(format!("{scheme}:// is not spoken here; {}", meant(rest))),
        }
        check(text).map_err(NotServiceUrl)?;
        Ok(Self(text.trim_end_matches('/').to_owned()))
    }
}

fn check(url: &str) -> Result<(), String> {
    let uri: Uri = url.parse().map_err(|_| format!("it is no address; {EXAMPLE}"))?;
    let authority = uri.authority().filter(|authority| !authority.host().is_empty());
    let authority = authority.ok_or_else(|| format!("it names no host; {EXAMPLE}"))?;
    let port = authority.as_str().strip_prefix(authority.host());
    let is_sound = |port: &str| port.is_empty() || authority.port_u16().is_some_and(|number| number > 0);
    match port {
        None => Err("it has a name and a password before its host, which are not read here; leave them out".to_owned()),
        Some(port) if !is_sound(port) => Err(format!("what stands behind its host is no port; {EXAMPLE}")),
        Some(_) if uri.query().is_some() || url.contains('#') => {
            Err("it is to end before its question mark or hash; leave out what follows".to_owned())
        }
        Some(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_is_an_address_or_is_told_what_to_type() {
        for (text, expected) in [
            ("http://127.0.0.1:7070", Ok("http://127.0.0.1:7070")),
            ("http://shop.example/api/", Ok("http://shop.example/api")),
            ("HTTP://[::1]:1", Ok("HTTP://[::1]:1")),
            ("127.0.0.1:7070", Err("it does not begin with http://; say http://127.0.0.1:7070")),
            ("localhost", Err("it does not begin with http://; say http://localhost")),
            ("http:/127.0.0.1:7070", Err("it does not begin with http://; say http://127.0.0.1:7070")),
            ("", Err("it does not begin with http://; give one as in http://127.0.0.1:7070")),
            ("https://shop.example", Err("TLS is not spoken here; say http://shop.example, from the machine that it runs on")),
            ("htp://shop.example", Err("htp:// is not spoken here; say http://shop.example")),
            ("sqlite://shop.db", Err("sqlite:// is not spoken here; say http://shop.db")),
            ("http://", Err("it is no address; give one as in http://127.0.0.1:7070")),
            ("http:///sagas", Err("it is no address; give one as in http://127.0.0.1:7070")),
            ("http://a b", Err("it is no address; give one as in http://127.0.0.1:7070")),
            ("http://a:99999", Err("what stands behind its host is no port; give one as in http://127.0.0.1:7070")),
            ("http://a:x", Err("what stands behind its host is no port; give one as in http://127.0.0.1:7070")),
            ("http://me:secret@a", Err("it has a name and a password before its host, which are not read here; leave them out")),
            ("http://a/?x=1", Err("it is to end before its question mark or hash; leave out what follows")),
            ("http://a/#x", Err("it is to end before its question mark or hash; leave out what follows")),
        ] {
            let read = text.parse::<ServiceUrl>();
            assert_eq!(
                read.as_ref().map(ServiceUrl::as_str).map_err(ToString::to_string),
                expected.map_err(str::to_owned),
                "{text}"
            );
        }
    }
}
