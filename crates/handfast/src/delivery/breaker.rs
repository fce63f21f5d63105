//! A breaker per participant: after many calls in a row that are not answered, or that are turned away, only a few probes at a
//! time go out. Any other answer is a sign of life, whatever it means.
//!
//! ```text
//!   closed --N in a row without an answer--> open --pause over--> half open (a few probes) --an answer--> closed
//!                                              ^----------no answer to any, a longer pause--------/
//!   any --"behind"--> behind --a person resumes it, or a probe is answered as it should be--> closed
//! ```

use std::time::Duration;

use handfast_protocol::Time;

use crate::clock::whole_ms;

/// When a breaker opens, and for how long.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct BreakerSettings {
    /// This many calls in a row without an answer, over all sagas, open it.
    pub threshold: u32,
    /// This many probes go out after a pause. On a road that captures every second messenger a single one would tell little.
    pub probes: u32,
    /// How long the first pause is; when no probe is answered the next one is twice as long.
    pub pause: Duration,
    /// The longest pause.
    pub pause_cap: Duration,
}

crate::setters::with_each! { BreakerSettings;
    threshold: u32 => with_threshold;
    probes: u32 => with_probes;
    pause: Duration => with_pause;
    pause_cap: Duration => with_pause_cap;
}

impl Default for BreakerSettings {
    fn default() -> Self {
        Self { threshold: 32, probes: 8, pause: Duration::from_millis(250), pause_cap: Duration::from_secs(5) }
    }
}

/// How a participant's breaker stands.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub enum BreakerState {
    /// Calls go out.
    #[default]
    Closed,
    /// No call goes out.
    Open,
    /// A few calls go out to see whether anybody answers.
    HalfOpen,
    /// The participant's store is older than what it has answered before: no call goes out until a person resumes it.
    Behind,
}

impl BreakerState {
    /// The word for it on the wire and on the screen.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Open => "open",
            Self::HalfOpen => "half open",
            Self::Behind => "behind",
        }
    }
}

/// Whether a call may go out now.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Admission {
    /// It may.
    Go,
    /// Not before this time.
    NotBefore(Time),
    /// Not before a person has looked at it.
    Behind,
}

#[derive(Debug)]
pub(crate) struct Breaker {
    settings: BreakerSettings,
    state: BreakerState,
    /// Calls in a row without an answer; while half open, probes without one.
    unanswered: u32,
    /// Probes that may still go out in this round.
    probes_left: u32,
    /// The pause that began last.
    pause: Duration,
    /// Until when the breaker is open, or when a probe that nothing is heard of counts as lost.
    until: Time,
    /// While it is behind: probes go out, since every request names what only the right history can confirm.
    heals: bool,
    /// The participant itself asked to be left alone until then.
    not_before: Time,
    /// The status by which the last call that counted was turned away; `None` if it was not answered.
    turned_away: Option<u16>,
    /// The moment for which a caller was chosen that will find out whether the participant is back.
    appointed_for: Time,
}

impl Breaker {
    pub(crate) const fn new(settings: BreakerSettings) -> Self {
        let state = BreakerState::Closed;
        let (until, not_before) = (Time(0), Time(0));
        let (unanswered, probes_left, pause) = (0, 0, settings.pause);
        let (turned_away, appointed_for, heals) = (None, Time(0), false);
        Self { settings, state, unanswered, probes_left, pause, until, heals, not_before, turned_away, appointed_for }
    }

    pub(crate) const fn state(&self) -> BreakerState {
        self.state
    }

    /// While no call goes out, the status by which calls were turned away; `None` if no answers come.
    pub(crate) const fn turned_away(&self) -> Option<u16> {
        self.turned_away
    }

    /// Asks to send. [`Admission::Go`] from an open breaker makes the call its probe.
    pub(crate) fn admit(&mut self, now: Time) -> Admission {
        if self.not_before > now && self.state != BreakerState::Behind {
            return Admission::NotBefore(self.not_before);
        }
        match self.state {
            BreakerState::Closed => Admission::Go,
            BreakerState::Behind if !self.heals => Admission::Behind,
            BreakerState::Behind if self.until > now => Admission::NotBefore(self.until),
            BreakerState::Behind => {
                self.until = now.after(whole_ms(self.settings.pause_cap));
                Admission::Go
            }
            BreakerState::HalfOpen if self.until > now && self.probes_left > 0 => {
                self.probes_left -= 1;
                Admission::Go
            }
            BreakerState::Open | BreakerState::HalfOpen if self.until > now => Admission::NotBefore(self.until),
            // A round of probes of which nothing was heard is followed by another.
            BreakerState::Open | BreakerState::HalfOpen => {
                self.state = BreakerState::HalfOpen;
                self.unanswered = 0;
                self.probes_left = self.settings.probes.saturating_sub(1);
                self.until = now.after(whole_ms(self.pause));
                Admission::Go
            }
        }
    }

    /// Whether a caller that was told to come back then has to do so without a further delay: the first one that asks has to,
    /// since it is not sure that there will be another. So the participant is asked again however few callers there are.
    pub(crate) fn appoints(&mut self, at: Time) -> bool {
        std::mem::replace(&mut self.appointed_for, at) != at
    }

    /// The longest pause before a silent participant is asked again.
    pub(crate) const fn pause_cap(&self) -> Duration {
        self.settings.pause_cap
    }

    /// An answer came, whatever it was. Says whether that ended an outage.
    pub(crate) fn answered(&mut self) -> bool {
        self.unanswered = 0;
        self.turned_away = None;
        self.pause = self.settings.pause;
        let was_shut = matches!(self.state, BreakerState::Open | BreakerState::HalfOpen);
        if was_shut {
            self.state = BreakerState::Closed;
        }
        was_shut
    }

    /// A definite answer, as it should be: a link that a stray answer had shut opens again. Says whether it did.
    pub(crate) fn healed(&mut self) -> bool {
        let heals = self.state == BreakerState::Behind && self.heals;
        if heals {
            self.resume();
        }
        heals
    }

    /// Whether a caller that has waited for its turn finds that no call goes out any more.
    pub(crate) const fn is_shut(&self) -> bool {
        match self.state {
            BreakerState::Open => true,
            BreakerState::Behind => !self.heals,
            BreakerState::Closed | BreakerState::HalfOpen => false,
        }
    }

    /// The participant asks for quiet about everything.
    pub(crate) fn leave_alone(&mut self, now: Time, wait: Duration) {
        self.not_before = self.not_before.max(now.after(whole_ms(wait)));
    }

    /// A call was not answered, or it was turned away with this status. Says whether that opened the breaker anew.
    pub(crate) fn unanswered(&mut self, now: Time, turned_away: Option<u16>) -> bool {
        self.turned_away = turned_away;
        let was_closed = self.state == BreakerState::Closed;
        match self.state {
            BreakerState::Closed => {
                self.unanswered += 1;
                if self.unanswered >= self.settings.threshold {
                    self.open(now);
                }
            }
            BreakerState::HalfOpen => {
                self.unanswered += 1;
                if self.unanswered >= self.settings.probes {
                    self.pause = (self.pause * 2).min(self.settings.pause_cap);
                    self.open(now);
                }
            }
            BreakerState::Open | BreakerState::Behind => {}
        }
        was_closed && self.state == BreakerState::Open
    }

    /// Shuts it. With a time, one probe at a time goes out from then on, after a pause each.
    pub(crate) fn fell_behind(&mut self, probes_from: Option<Time>) {
        self.state = BreakerState::Behind;
        self.heals = probes_from.is_some();
        self.until = probes_from.unwrap_or_default().after(whole_ms(self.settings.pause_cap));
    }

    /// A person says that it may be called again.
    pub(crate) fn resume(&mut self) {
        *self = Self::new(self.settings);
    }

    fn open(&mut self, now: Time) {
        self.state = BreakerState::Open;
        self.until = now.after(whole_ms(self.pause));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SETTINGS: BreakerSettings =
        BreakerSettings { threshold: 3, probes: 1, pause: Duration::from_millis(100), pause_cap: Duration::from_millis(300) };

    fn opened_at(now: Time) -> Breaker {
        let mut breaker = Breaker::new(SETTINGS);
        for _ in 0..3 {
            breaker.unanswered(now, None);
        }
        breaker
    }

    #[test]
    fn it_opens_after_so_many_in_a_row_and_not_before() {
        let mut breaker = Breaker::new(SETTINGS);
        breaker.unanswered(Time(0), None);
        breaker.unanswered(Time(0), None);
        assert!(!breaker.answered());
        breaker.unanswered(Time(0), None);
        breaker.unanswered(Time(0), None);
        assert_eq!(breaker.admit(Time(0)), Admission::Go);
        assert!(breaker.unanswered(Time(0), Some(503)), "it opens now");
        assert_eq!((breaker.admit(Time(0)), breaker.turned_away()), (Admission::NotBefore(Time(100)), Some(503)));
    }

    #[test]
    fn one_probe_at_a_time_and_longer_pauses() {
        let mut breaker = opened_at(Time(0));
        assert_eq!(breaker.admit(Time(100)), Admission::Go);
        assert_eq!(breaker.admit(Time(100)), Admission::NotBefore(Time(200)));
        breaker.unanswered(Time(150), None);
        assert_eq!(breaker.admit(Time(160)), Admission::NotBefore(Time(350)));
        assert_eq!(breaker.admit(Time(350)), Admission::Go);
        breaker.unanswered(Time(360), None);
        assert_eq!(breaker.admit(Time(400)), Admission::NotBefore(Time(660)), "the pause is capped");
    }

    #[test]
    fn several_probes_go_out_and_one_answer_is_enough() {
        let settings = BreakerSettings { probes: 3, ..SETTINGS };
        let mut breaker = Breaker::new(settings);
        for _ in 0..3 {
            breaker.unanswered(Time(0), None);
        }
        let admitted: Vec<Admission> = (0..4).map(|_| breaker.admit(Time(100))).collect();
        assert_eq!(admitted, [Admission::Go, Admission::Go, Admission::Go, Admission::NotBefore(Time(200))]);
        breaker.unanswered(Time(110), None);
        breaker.unanswered(Time(120), None);
        assert_eq!(breaker.state(), BreakerState::HalfOpen, "one is still out");
        assert!(breaker.answered());
        assert_eq!(breaker.admit(Time(130)), Admission::Go);
    }

    #[test]
    fn one_is_appointed_to_find_out_in_every_round() {
        let mut breaker = opened_at(Time(0));
        assert!(breaker.appoints(Time(100)) && !breaker.appoints(Time(100)));
        assert_eq!(breaker.admit(Time(100)), Admission::Go);
        breaker.unanswered(Time(100), None);
        assert!(breaker.appoints(Time(300)) && !breaker.appoints(Time(300)));
    }

    #[test]
    fn an_answer_to_the_probe_closes_it_and_a_lost_probe_is_replaced() {
        let mut breaker = opened_at(Time(0));
        assert_eq!(breaker.admit(Time(100)), Admission::Go);
        assert_eq!(breaker.admit(Time(200)), Admission::Go);
        assert!(breaker.answered());
        assert_eq!(breaker.state(), BreakerState::Closed);
        assert_eq!(breaker.admit(Time(200)), Admission::Go);
    }

    #[test]
    fn a_participant_that_asked_for_quiet_gets_it() {
        let mut breaker = Breaker::new(SETTINGS);
        breaker.leave_alone(Time(10), Duration::from_secs(1));
        breaker.answered();
        assert_eq!(breaker.admit(Time(1009)), Admission::NotBefore(Time(1010)));
        assert_eq!(breaker.admit(Time(1010)), Admission::Go);
    }

    #[test]
    fn behind_stays_behind_until_a_person_resumes_it() {
        let mut breaker = Breaker::new(SETTINGS);
        breaker.fell_behind(None);
        assert!(!breaker.answered(), "a late answer of before does not bring a store back");
        assert_eq!(breaker.admit(Time(u64::MAX)), Admission::Behind);
        breaker.resume();
        assert_eq!(breaker.admit(Time(0)), Admission::Go);
    }

    #[test]
    fn a_stray_answer_is_healed_by_a_probe() {
        let mut breaker = Breaker::new(SETTINGS);
        breaker.fell_behind(Some(Time(100)));
        assert_eq!(breaker.admit(Time(399)), Admission::NotBefore(Time(400)));
        assert_eq!(breaker.admit(Time(400)), Admission::Go);
        assert_eq!(breaker.admit(Time(401)), Admission::NotBefore(Time(700)), "one probe at a time");
        assert!(!breaker.answered() && breaker.healed(), "only a definite answer opens it");
        assert_eq!(breaker.admit(Time(402)), Admission::Go);
    }
}
