//! Keys whose participant asked for some quiet about them alone: a `Retry-After` beside anything but 429 and 503.

use std::collections::BTreeMap;
use std::sync::Arc;

use handfast_protocol::{Command, Time};

/// At most this many keys are remembered. The pause of any further one ends early where a hint asks for it.
const MOST: usize = 4096;

/// By saga and command, until when. It outlives a saga's stay in memory, as the wish does.
#[derive(Debug, Default)]
pub(super) struct Quiet(BTreeMap<(Arc<str>, Command), Time>);

impl Quiet {
    pub(super) fn note(&mut self, saga: &Arc<str>, command: Command, until: Time, now: Time) {
        if self.0.len() >= MOST {
            self.0.retain(|_, until| *until > now);
        }
        if self.0.len() < MOST {
            self.0.insert((Arc::clone(saga), command), until);
        }
    }

    /// Until when this command is not to be sent, if it may not be sent now.
    pub(super) fn until(&mut self, saga: &Arc<str>, command: Command, now: Time) -> Option<Time> {
        if self.0.is_empty() {
            return None;
        }
        let of_key = (Arc::clone(saga), command);
        let until = self.0.get(&of_key).copied()?;
        if until > now {
            return Some(until);
        }
        self.0.remove(&of_key);
        None
    }
}

#[cfg(test)]
mod tests {
    use handfast_protocol::Operation;

    use super::*;

    #[test]
    fn a_wish_holds_for_its_own_command_and_for_its_time() {
        let act = Command { step: 0, operation: Operation::Act };
        let close = Command { operation: Operation::Close, ..act };
        let (one, other): (Arc<str>, Arc<str>) = ("one".into(), "other".into());
        let mut quiet = Quiet::default();
        quiet.note(&one, act, Time(10), Time(0));
        assert_eq!(quiet.until(&one, act, Time(9)), Some(Time(10)));
        assert_eq!((quiet.until(&other, act, Time(9)), quiet.until(&one, close, Time(9))), (None, None));
        assert_eq!(quiet.until(&one, act, Time(10)), None);
    }

    #[test]
    fn a_flood_of_wishes_is_kept_within_bounds() {
        let act = Command { step: 0, operation: Operation::Act };
        let mut quiet = Quiet::default();
        for number in 0..2 * MOST {
            quiet.note(&format!("order-{number}").into(), act, Time(10), Time(0));
        }
        assert_eq!(quiet.0.len(), MOST);
        quiet.note(&"late".into(), act, Time(20), Time(10));
        assert_eq!(quiet.0.len(), 1, "what is over makes room");
    }
}
