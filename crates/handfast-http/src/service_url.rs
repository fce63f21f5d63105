//! The address of a service as people type it: what cannot be one is told with what to type instead.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use hyper::Uri;

/// Where a service is reached: a host over HTTP, plain or encrypted, maybe with a port and a path, and no slash at its end; or a
/// socket in this machine's file system.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ServiceUrl {
    /// What addresses are made of.
    base: String,
    socket: Option<PathBuf>,
}

/// Why a text is no address of a service, and what to type instead.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{0}")]
pub struct NotServiceUrl(String);

const EXAMPLE: &str = "give one as in http://127.0.0.1:7070";

impl ServiceUrl {
    /// What the addresses of its requests begin with, without a slash at its end. Of a socket that is a host which is not looked up.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.base
    }

    /// The socket in the file system through which it is reached, if it is one.
    #[must_use]
    pub fn socket(&self) -> Option<&Path> {
        self.socket.as_deref()
    }

    /// Whether what is sent to it is encrypted.
    #[must_use]
    pub fn is_encrypted(&self) -> bool {
        self.base.get(..6).is_some_and(|scheme| scheme.eq_ignore_ascii_case("https:"))
    }
}

impl fmt::Display for ServiceUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.socket {
            None => f.write_str(&self.base),
            Some(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

impl FromStr for ServiceUrl {
    type Err = NotServiceUrl;

    fn from_str(text: &str) -> Result<Self, NotServiceUrl> {
        let wrong = |what: String| Err(NotServiceUrl(what));
        if let Some(path) = text.strip_prefix("unix:") {
            if !path.starts_with('/') {
                return wrong("a socket is named by a path from the root, as in unix:/run/handfast.sock".to_owned());
            }
            return Ok(Self { base: "http://localhost".to_owned(), socket: Some(path.into()) });
        }
        // A slip must not lead to an address where nothing is encrypted.
        let scheme = if text.get(..5).is_some_and(|begins| begins.eq_ignore_ascii_case("https")) { "https" } else { "http" };
        let meant = |rest: &str| {
            let url = format!("{scheme}://{}", rest.trim_start_matches('/'));
            check(&url).map_or_else(|_| EXAMPLE.to_owned(), |()| format!("say {url}"))
        };
        let Some((scheme, rest)) = text.split_once("://") else {
            let rest = ["http:", "https:"].iter().find_map(|scheme| text.strip_prefix(scheme)).unwrap_or(text);
            return wrong(format!("it does not begin with http://; {}", meant(rest)));
        };
        match scheme.to_ascii_lowercase().as_str() {
            "http" | "https" => {}
            _ => return wrong(format!("{scheme}:// is not spoken here; {}", meant(rest))),
        }
        check(text).map_err(NotServiceUrl)?;
        Ok(Self { base: text.trim_end_matches('/').to_owned(), socket: None })
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
            ("https:/shop.example", Err("it does not begin with http://; say https://shop.example")),
            ("127.0.0.1:7070", Err("it does not begin with http://; say http://127.0.0.1:7070")),
            ("localhost", Err("it does not begin with http://; say http://localhost")),
            ("http:/127.0.0.1:7070", Err("it does not begin with http://; say http://127.0.0.1:7070")),
            ("", Err("it does not begin with http://; give one as in http://127.0.0.1:7070")),
            ("https://shop.example/", Ok("https://shop.example")),
            ("unix:/run/handfast.sock", Ok("http://localhost")),
            ("unix:handfast.sock", Err("a socket is named by a path from the root, as in unix:/run/handfast.sock")),
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
