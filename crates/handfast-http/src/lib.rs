//! What every HTTP service of this workspace needs, whatever it is about: it knows no sagas, no keys, no scopes and no stores.
//!
//! - [`problem`]: answers that are not what was asked for, as `application/problem+json` (RFC 9457).
//! - [`bodies`]: bodies that are read within bounds of bytes, of time, and of what all callers together may send.
//! - [`origin`]: keeps other people's web pages out.
//! - [`connections`]: takes connections one by one, serves them within bounds, and ends them in good order.
//! - [`client`]: calls services of this machine, without retries and without a pool.
//! - [`service_url`]: the address of a service, as people type it.
//! - `tls` (with the feature of this name): how a door and a caller encrypt.
//! - [`stop`]: waiting for the word to stop.

pub mod bodies;
pub mod client;
#[cfg(feature = "tls")]
mod clock;
pub mod connections;
pub mod origin;
pub mod problem;
pub mod service_url;
pub mod stop;
#[cfg(feature = "tls")]
pub mod tls;
