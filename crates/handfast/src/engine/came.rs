//! What came of a try without a definite answer, read from what was kept of it.

use crate::delivery::ACCEPTED;
use crate::participant::{ABSENT, NOT_SENT};
use crate::store::Try;

/// What a try came to.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Came {
    /// It did not leave: something that it takes along was missing, or its time was over.
    NotSent,
    /// No answer came.
    Nothing,
    /// The answer of this status to a look says that there is nothing, which proves nothing.
    Absent(u16),
    /// The answer of this status says that there will be one later.
    Later(u16),
    /// The answer of this status means nothing that the flow describes, or speaks of something else than was asked for.
    Meaningless(u16),
}

impl Came {
    /// What came of this one.
    #[must_use]
    pub fn of(attempt: &Try) -> Self {
        let seen = attempt.seen.as_str();
        match status(seen) {
            _ if seen.starts_with(NOT_SENT) => Self::NotSent,
            None => Self::Nothing,
            Some(status) if seen.ends_with(ABSENT) => Self::Absent(status),
            Some(ACCEPTED) => Self::Later(ACCEPTED),
            Some(status) => Self::Meaningless(status),
        }
    }

    /// The status of its answer, where one came.
    #[must_use]
    pub const fn status(self) -> Option<u16> {
        match self {
            Self::NotSent | Self::Nothing => None,
            Self::Absent(status) | Self::Later(status) | Self::Meaningless(status) => Some(status),
        }
    }
}

/// The status with which what was seen begins, where an answer came.
fn status(seen: &str) -> Option<u16> {
    let (status, rest) = seen.split_at_checked(3)?;
    let is_status = status.bytes().all(|byte| byte.is_ascii_digit()) && !rest.starts_with(|next: char| next.is_ascii_digit());
    status.parse().ok().filter(|_| is_status)
}

#[cfg(test)]
mod tests {
    use handfast_protocol::Time;

    use super::*;

    #[test]
    fn what_came_of_a_try_is_read_from_what_was_seen() {
        let came = |seen: &str| {
            let seen = seen.to_owned();
            Came::of(&Try { id: String::new(), step: 0, operation: "act", number: 1, sent: Time(0), ended: Time(0), seen })
        };
        assert_eq!(came("400 that means nothing that the flow describes: <h1>"), Came::Meaningless(400));
        assert_eq!(came("503, and connection reset"), Came::Meaningless(503));
        assert_eq!(came("404 that means absent, which proves nothing"), Came::Absent(404));
        assert_eq!(came("404 absent, which proves nothing"), Came::Absent(404));
        assert_eq!(came("202 that means nothing that the flow describes"), Came::Later(202));
        assert_eq!(came("not sent: its time is over"), Came::NotSent);
        for seen in ["no answer within 500 ms", "", "4", "5000 ms", "\u{e4}\u{e4}"] {
            assert_eq!(came(seen), Came::Nothing, "{seen}");
        }
    }
}
