//! The road between the camps: a proxy on which messengers are captured, delayed, late and duplicated, and which can be cut.
//!
//! A request is one messenger and its reply another. `fate` decides what becomes of each, as a pure function; `proxy`
//! carries them; `road` counts; `log` writes down every one of them.
//!
//! - captured request: the participant never sees it. The caller is kept waiting for a while, then its connection is closed.
//! - captured reply: the participant did as it was told, and the caller never learns it.
//! - late: the caller's connection is closed long before the request arrives, and it arrives all the same.
//! - duplicated: the request arrives a second time, much later.
//! - cut: whoever comes to either end of the road meanwhile is captured, replies included. Late messengers and second
//!   copies are outside the valley until they arrive.
//!
//! `POST /__messenger/cut`, `POST /__messenger/restore` and `GET /__messenger/stats` steer a running road.

mod fate;
mod log;
mod proxy;
mod road;

use std::path::Path;
use std::sync::Arc;

pub use fate::{Cut, Delay, Draws, Hazards, duration, probability};
pub use log::{Complain, Direction, Ending, RoadLine};
pub use proxy::Proxy;
pub use road::{Settings, Stats};

/// Opens a road to a participant, whose log is appended to.
///
/// # Errors
/// When the URL is no plain `http` URL, or the log cannot be written.
pub fn open(to: &str, settings: Settings, log: Option<&Path>, complain: Complain) -> anyhow::Result<Proxy> {
    Proxy::new(to, Arc::new(road::Road::new(settings, log::Log::open(log, complain)?)))
}
