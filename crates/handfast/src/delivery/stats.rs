//! How the link to a participant stands, for people and for metrics.

use super::asked::RequestStats;
use super::breaker::BreakerState;
use super::odd::{NotMade, NotUnderstood};

/// How the link to a participant stands.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct LinkStats {
    /// The participant's base URL or name.
    pub participant: String,
    /// Its breaker.
    pub breaker: BreakerState,
    /// Requests that are out now.
    pub in_flight: u64,
    /// Requests that were answered definitely.
    pub answered: u64,
    /// Requests that were not answered.
    pub unanswered: u64,
    /// Requests that were answered, and that are in doubt all the same: the answer meant nothing, or that there is nothing.
    pub indefinite: u64,
    /// The status of the latest answer that meant nothing.
    pub meaningless: Option<u16>,
    /// While its breaker is not closed, the status by which requests are turned away (429, 502, 503, 504); `None` if no answers
    /// come.
    pub turned_away: Option<u16>,
    /// Why its store counts as restored from a backup, if it does.
    pub behind: Option<String>,
    /// What a person can do about that.
    pub way_out: Option<String>,
    /// Its answers that mean nothing, by what was asked for and by status.
    pub not_understood: Vec<NotUnderstood>,
    /// Requests that could not be made, by what was to be asked for and by the reason.
    pub not_made: Vec<NotMade>,
    /// How long requests took until they were answered or given up on, by what was asked and what came of it.
    pub requests: Vec<RequestStats>,
}
