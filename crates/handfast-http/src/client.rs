//! An HTTP client for one's own services, plain, encrypted or through a socket in the file system: one call, one answer, no retries, no redirects.

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::io;
use std::path::PathBuf;
use std::pin::pin;
#[cfg(feature = "tls")]
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::client::conn::http1;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderMap, HeaderName, HeaderValue, InvalidHeaderValue};
use hyper::{Method, Request, Response, Uri};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
#[cfg(unix)]
use tokio::net::UnixStream;

/// The longest answer that is read, in bytes.
const LONGEST_ANSWER: usize = 8 * 1024 * 1024;

/// How long it may take to reach a service's door.
const CONNECT: Duration = Duration::from_secs(2);

/// Calls services, each request over a connection of its own: plain `http` URLs, and what it was set up for besides.
#[derive(Clone, Default, Debug)]
pub struct HttpClient {
    /// What its requests say of who sends them.
    authorization: Option<HeaderValue>,
    /// A socket in the file system that all of its requests go through, whatever host their URL names.
    socket: Option<PathBuf>,
    /// How `https` URLs are called.
    #[cfg(feature = "tls")]
    tls: Option<Arc<rustls::ClientConfig>>,
}

/// What a request goes over.
trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// Sends one request over a connection of its own, and brings the whole answer back if it is no longer than `longest` bytes.
///
/// The connection is driven by the very future that waits for the answer, so whatever ends the one ends the other. In a pool they
/// are tasks of their own, and a request that was handed over in the moment in which its connection ended was neither sent nor
/// given back: one in a hundred thousand, with an other end that is killed again and again, had neither answer nor error.
///
/// # Errors
/// Whatever kept a whole answer from coming back, [`NeverLeft`] where no service was reached.
pub async fn exchange(
    request: Request<Full<Bytes>>,
    connect_timeout: Duration,
    longest: usize,
) -> Result<Response<Bytes>, Cause> {
    let uri = request.uri();
    // Whatever else a URL asks for, TLS above all, is not done here, and must not be taken for done.
    if uri.scheme_str() != Some("http") {
        return Err(format!("{uri} is not a plain http:// URL").into());
    }
    let stream = in_time(connect_timeout, connect(uri)).await?;
    over(stream, request, longest).await
}

/// The host of a URL, and its port.
fn host_and_port(uri: &Uri) -> Result<(&str, u16), Cause> {
    let authority = uri.authority().ok_or_else(|| format!("{uri} names no host"))?;
    let host = authority.host().trim_start_matches('[').trim_end_matches(']');
    let has_no_port = authority.as_str().rsplit('@').next() == Some(authority.host());
    let default = if uri.scheme_str() == Some("https") { 443 } else { 80 };
    let port =
        authority.port_u16().or(has_no_port.then_some(default)).ok_or_else(|| format!("{uri} names a port that is none"))?;
    Ok((host, port))
}

async fn connect(uri: &Uri) -> Result<TcpStream, Cause> {
    let stream = TcpStream::connect(host_and_port(uri)?).await.map_err(NeverLeft)?;
    stream.set_nodelay(true).map_err(NeverLeft)?;
    Ok(stream)
}

/// What takes too long has not left.
async fn in_time<T>(timeout: Duration, connects: impl Future<Output = Result<T, Cause>>) -> Result<T, Cause> {
    let late = || NeverLeft(io::Error::new(io::ErrorKind::TimedOut, format!("the call was not taken within {timeout:?}")));
    tokio::time::timeout(timeout, connects).await.unwrap_or_else(|_elapsed| Err(late().into()))
}

async fn over(
    stream: impl Stream + 'static,
    mut request: Request<Full<Bytes>>,
    longest: usize,
) -> Result<Response<Bytes>, Cause> {
    let uri = request.uri().clone();
    let authority = uri.authority().ok_or_else(|| format!("{uri} names no host"))?;
    if !request.headers().contains_key(HOST) {
        request.headers_mut().insert(HOST, HeaderValue::from_str(authority.as_str())?);
    }
    *request.uri_mut() = uri.path_and_query().map_or("/", |target| target.as_str()).parse()?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let mut answered = pin!(async {
        let (parts, body) = sender.send_request(request).await?.into_parts();
        let body = Limited::new(body, longest).collect().await?.to_bytes();
        Ok::<_, Cause>(Response::from_parts(parts, body))
    });
    tokio::select! {
        biased;
        answered = answered.as_mut() => answered,
        ended = connection => match ended {
            // What it has brought is there, and nothing else will be.
            Ok(()) => answered.await,
            Err(error) => Err(error.into()),
        },
    }
}

/// What kept an answer from coming back whole.
pub type Cause = Box<dyn Error + Send + Sync>;

/// No service was reached, so that the request never left.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct NeverLeft(io::Error);

/// No whole answer came back in time. The request may have arrived all the same, unless it [never left](CallError::never_left).
/// With `{:#}` it says all its causes in one line.
#[derive(Debug)]
pub struct CallError {
    url: String,
    cause: Cause,
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no answer from {}", self.url)?;
        let mut cause = self.source().filter(|_| f.alternate());
        while let Some(told) = cause {
            write!(f, ": {told}")?;
            cause = told.source();
        }
        Ok(())
    }
}

impl Error for CallError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&*self.cause)
    }
}

impl CallError {
    /// Whether no service was reached, so that nothing can have been done.
    #[must_use]
    pub fn never_left(&self) -> bool {
        self.cause.is::<NeverLeft>()
    }
}

/// An answer that came back whole.
#[derive(Clone, Debug)]
pub struct HttpAnswer {
    /// Its status.
    pub status: u16,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body, whole.
    pub body: Bytes,
}

impl HttpAnswer {
    /// A text member of an answer that is a JSON object.
    #[must_use]
    pub fn text(&self, member: &str) -> Option<String> {
        let value: Value = serde_json::from_slice(&self.body).ok()?;
        value.get(member)?.as_str().map(str::to_owned)
    }
}

impl HttpClient {
    /// A client; it holds nothing open between calls.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The same, through a socket in the file system.
    #[cfg(unix)]
    #[must_use]
    pub fn through_socket(self, path: impl Into<PathBuf>) -> Self {
        Self { socket: Some(path.into()), ..self }
    }

    /// The same, which calls `https` URLs, too.
    #[cfg(feature = "tls")]
    #[must_use]
    pub fn with_tls(self, tls: Arc<rustls::ClientConfig>) -> Self {
        Self { tls: Some(tls), ..self }
    }

    /// A client whose every request carries this token (`Authorization: Bearer`, RFC 6750), which no `Debug` prints.
    ///
    /// # Errors
    /// It has characters in it that no header can carry.
    pub fn with_token(token: &str) -> Result<Self, InvalidHeaderValue> {
        let mut authorization = HeaderValue::from_str(&format!("Bearer {token}"))?;
        authorization.set_sensitive(true);
        Ok(Self { authorization: Some(authorization), ..Self::default() })
    }

    /// Sends one request. A body is JSON, unless a header says otherwise: no header is sent twice.
    ///
    /// # Errors
    /// Whatever kept a whole answer from coming back in time.
    pub async fn ask(
        &self,
        method: Method,
        url: &str,
        headers: &[(HeaderName, &str)],
        body: Bytes,
        timeout: Duration,
    ) -> Result<HttpAnswer, CallError> {
        let asked = tokio::time::timeout(timeout, self.send(method, url, headers, body)).await;
        let late = |_elapsed| Err(format!("none came within {timeout:?}").into());
        let url = || self.socket.as_ref().map_or_else(|| url.to_owned(), |socket| format!("unix:{}", socket.display()));
        asked.unwrap_or_else(late).map_err(|cause| CallError { url: url(), cause })
    }

    async fn send(&self, method: Method, url: &str, headers: &[(HeaderName, &str)], body: Bytes) -> Result<HttpAnswer, Cause> {
        let mut request = Request::builder().method(method).uri(url);
        for (name, value) in headers {
            request = request.header(name, HeaderValue::from_str(value)?);
        }
        if let Some(authorization) = &self.authorization {
            request = request.header(AUTHORIZATION, authorization);
        }
        let is_said = headers.iter().any(|(name, _)| *name == CONTENT_TYPE);
        if !body.is_empty() && !is_said {
            request = request.header(CONTENT_TYPE, "application/json");
        }
        let (parts, body) = self.carry(request.body(Full::new(body))?).await?.into_parts();
        Ok(HttpAnswer { status: parts.status.as_u16(), headers: parts.headers, body })
    }

    async fn carry(&self, request: Request<Full<Bytes>>) -> Result<Response<Bytes>, Cause> {
        #[cfg(unix)]
        if let Some(path) = &self.socket {
            let connects = async { Ok(UnixStream::connect(path).await.map_err(NeverLeft)?) };
            return over(in_time(CONNECT, connects).await?, request, LONGEST_ANSWER).await;
        }
        #[cfg(feature = "tls")]
        if let Some(tls) = self.tls.as_ref().filter(|_| request.uri().scheme_str() == Some("https")) {
            let encrypted = in_time(CONNECT, encrypt(request.uri(), tls)).await?;
            return over(encrypted, request, LONGEST_ANSWER).await;
        }
        exchange(request, CONNECT, LONGEST_ANSWER).await
    }
}

/// A connection that is encrypted, with the service of this name and no other. Nothing of a request has left where it is not.
#[cfg(feature = "tls")]
async fn encrypt(uri: &Uri, tls: &Arc<rustls::ClientConfig>) -> Result<tokio_rustls::client::TlsStream<TcpStream>, Cause> {
    let (host, _) = host_and_port(uri)?;
    let name = rustls::pki_types::ServerName::try_from(host.to_owned());
    let name = name.map_err(|_| NeverLeft(io::Error::other(format!("{host} is no name that a certificate could have"))))?;
    let stream = connect(uri).await?;
    Ok(tokio_rustls::TlsConnector::from(Arc::clone(tls)).connect(name, stream).await.map_err(NeverLeft)?)
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;

    /// Somebody whose connections end at every moment at which one can: at the door, after a request, right behind an answer,
    /// by a reset or in good order.
    async fn somebody_who_falls() -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        tokio::spawn(async move {
            for number in 0_u32.. {
                let Ok((mut stream, _)) = listener.accept().await else { return };
                tokio::spawn(async move {
                    let is_reset = number % 2 == 0;
                    let ends_at = number / 2 % 4;
                    if is_reset {
                        stream.set_zero_linger().expect("it is open");
                    }
                    if ends_at > 0 && stream.read(&mut [0; 1024]).await.is_ok() && ends_at > 1 {
                        let written = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await;
                        if written.is_ok() && ends_at > 2 {
                            // Until the caller goes.
                            drop(stream.read(&mut [0; 1024]).await);
                        }
                    }
                });
            }
        });
        format!("http://{address}/")
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn whoever_asks_somebody_who_falls_has_an_answer_or_an_error() {
        let url = somebody_who_falls().await;
        let mut callers = tokio::task::JoinSet::new();
        for _ in 0..32 {
            let url = url.clone();
            callers.spawn(async move {
                let mut answered = 0;
                for _ in 0..250 {
                    let request = Request::post(&url).body(Full::new(Bytes::from_static(b"{}"))).expect("a request");
                    let ended = tokio::time::timeout(Duration::from_secs(30), exchange(request, CONNECT, 64)).await;
                    let answer = ended.expect("neither an answer nor an error");
                    answered += usize::from(answer.is_ok_and(|answer| answer.body().as_ref() == b"ok"));
                }
                answered
            });
        }
        let answered: usize = callers.join_all().await.into_iter().sum();
        // A quarter of them is answered and let go in peace; of the others that are answered some are reset first.
        assert!((1_900..6_000).contains(&answered), "{answered} of 8,000");
    }

    #[tokio::test]
    async fn what_asks_for_more_than_plain_http_is_not_asked() {
        let url = somebody_who_falls().await;
        for other in [url.replace("http://", "https://"), url.replace("http://", "ftp://"), url.replace("http://", "")] {
            let asked = HttpClient::new().ask(Method::GET, &other, &[], Bytes::new(), Duration::from_secs(5)).await;
            let why = format!("{:#}", asked.expect_err("it is not asked"));
            assert!(why.contains("is not a plain http:// URL") || why.contains("invalid"), "{why}");
        }
    }

    #[tokio::test]
    async fn an_answer_that_is_too_long_is_none() {
        let url = somebody_who_falls().await;
        for _ in 0..16 {
            let request = Request::get(&url).body(Full::default()).expect("a request");
            assert!(exchange(request, CONNECT, 1).await.is_err());
        }
    }
}
