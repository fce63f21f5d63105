//! A service with its own books: it keeps what its profile promises, and nothing more.

use std::collections::BTreeMap;

use handfast_protocol::{Close, Operation, Repeat, Undo};
use rand::rngs::StdRng;

use super::grammar::{Promises, StepForm, chance, pick};

/// An amount: minor units and the currency.
pub(super) type Money = (i64, &'static str);

/// One thing that was done, and perhaps given back.
#[derive(Clone, Debug)]
pub(super) struct Effect {
    pub(super) id: String,
    pub(super) key: String,
    pub(super) minor: i64,
    at: u64,
    is_captured: bool,
    /// How much of it was given back.
    back: i64,
    /// It is no longer in effect.
    pub(super) is_off: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    Pending { until: u64 },
    Done,
    Refused,
    Closed { until: Option<u64> },
    Undone,
}

#[derive(Clone, Debug)]
struct Key {
    state: Option<State>,
    first_at: u64,
    undo_at: Option<u64>,
}

/// What a service knows of what it was asked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Said {
    /// Done, with the number of the effect.
    Done(usize),
    Refused,
    Closed,
    /// So much was given back.
    Undone(i64),
    Absent,
    /// It is being processed.
    Pending,
}

impl Said {
    /// The meaning that a flow file describes.
    pub(super) const fn meaning(&self) -> Option<&'static str> {
        match self {
            Self::Done(_) => Some("done"),
            Self::Refused => Some("refused"),
            Self::Closed => Some("closed"),
            Self::Undone(_) => Some("undone"),
            Self::Absent => Some("absent"),
            Self::Pending => None,
        }
    }
}

/// What this service does where its profile leaves it a choice.
#[derive(Clone, Copy, Debug)]
struct Habits {
    refuses_first: bool,
    takes_parts: bool,
    gives_back_parts: bool,
    keeps_refusals: bool,
    undoes_later: bool,
    calls_off_absent: bool,
}

#[derive(Clone, Debug)]
pub(super) struct Service {
    name: String,
    promises: Promises,
    habits: Habits,
    captures: Option<usize>,
    keys: BTreeMap<String, Key>,
    pub(super) effects: Vec<Effect>,
    refusals: u32,
    /// Which risks have come true here.
    pub(super) came_true: Vec<&'static str>,
}

/// A request as a service reads it.
#[derive(Clone, Debug)]
pub(super) struct Wish {
    pub(super) operation: Operation,
    pub(super) key: String,
    pub(super) id: Option<String>,
    pub(super) minor: i64,
    pub(super) now: u64,
    /// It was on the road for a while, or is a copy.
    pub(super) is_stray: bool,
}

impl Service {
    pub(super) fn new(random: &mut StdRng, form: &StepForm) -> Self {
        let compared = |meaning: &str| form.calls.values().all(|call| call.described.compares_amount(meaning));
        let habits = Habits {
            refuses_first: form.promises.may_refuse && chance(random, 20),
            takes_parts: form.sends_money && compared("done") && chance(random, 20),
            gives_back_parts: form.sends_money && compared("undone") && chance(random, 40),
            keeps_refusals: chance(random, 50),
            undoes_later: chance(random, 15),
            calls_off_absent: chance(random, 50),
        };
        Self {
            name: form.name.clone(),
            promises: form.promises,
            habits,
            captures: form.captures,
            keys: BTreeMap::new(),
            effects: Vec::new(),
            refusals: 0,
            came_true: Vec::new(),
        }
    }

    /// Lets everything happen that was to have happened by now.
    pub(super) fn settle(&mut self, now: u64) {
        let due: Vec<String> = self
            .keys
            .iter()
            .filter(|(_, key)| matches!(key.state, Some(State::Pending { until }) if until <= now))
            .map(|(name, _)| name.clone())
            .collect();
        for name in due {
            if let Some(key) = self.keys.get_mut(&name) {
                key.state = Some(State::Done);
            }
        }
        let gone: Vec<String> =
            self.keys.iter().filter(|(_, key)| key.undo_at.is_some_and(|at| at <= now)).map(|(name, _)| name.clone()).collect();
        for name in gone {
            self.keys.get_mut(&name).unwrap().undo_at = None;
            self.give_back(&name, None);
        }
        let Some(hold_ms) = self.promises.hold_ms else { return };
        for effect in self.effects.iter_mut().filter(|effect| !effect.is_off && !effect.is_captured && effect.at + hold_ms <= now)
        {
            effect.is_off = true;
            self.came_true.push("hold-lapse");
        }
    }

    /// Whether what it holds is still there; then it is from now on.
    pub(super) fn capture(&mut self, now: u64) -> bool {
        self.settle(now);
        let mut held: Vec<_> = self.effects.iter_mut().filter(|effect| !effect.is_off).collect();
        held.iter_mut().for_each(|effect| effect.is_captured = true);
        !held.is_empty()
    }

    pub(super) const fn captures(&self) -> Option<usize> {
        self.captures
    }

    /// What is in effect of it, in minor units each.
    pub(super) fn in_effect(&self) -> Vec<i64> {
        let is_pending =
            |effect: &Effect| matches!(self.keys.get(&effect.key).and_then(|key| key.state), Some(State::Pending { .. }));
        self.effects
            .iter()
            .filter(|effect| !effect.is_off && !is_pending(effect))
            .map(|effect| effect.minor - effect.back)
            .collect()
    }

    /// Whether something was done and given back.
    pub(super) fn has_undone(&self) -> bool {
        self.effects.iter().any(|effect| effect.back > 0)
    }

    pub(super) const fn is_harmless(&self) -> bool {
        self.promises.is_harmless
    }

    /// Takes a request, and says what it knows then. `holds` is whether what it captures is there.
    pub(super) fn take(&mut self, random: &mut StdRng, wish: &Wish, holds: bool) -> Said {
        self.settle(wish.now);
        let name = self.key_of(wish);
        let key = self.keys.entry(name.clone()).or_insert(Key { state: None, first_at: wish.now, undo_at: None }).clone();
        if let Some(State::Pending { .. }) = key.state {
            return Said::Pending;
        }
        match wish.operation {
            Operation::Act => self.act(random, wish, &name, holds),
            Operation::Close => self.close(wish, &name),
            Operation::Undo => self.undo(random, wish, &name, &key),
            Operation::Look => self.look(random, wish, &name, &key),
        }
    }

    /// The key that a request is about; by an id it is that of what has this id.
    fn key_of(&self, wish: &Wish) -> String {
        let by_id = wish.id.as_ref().map(|id| self.effects.iter().find(|effect| effect.id == *id));
        by_id.map_or_else(|| wish.key.clone(), |found| found.map_or_else(|| "no order's".to_owned(), |effect| effect.key.clone()))
    }

    fn set(&mut self, name: &str, state: Option<State>) {
        if let Some(key) = self.keys.get_mut(name) {
            key.state = state;
        }
    }

    /// Whether the time is over for which it remembers the key.
    fn forgets(&mut self, name: &str, now: u64) {
        let Some(key) = self.keys.get_mut(name) else { return };
        let Repeat::For(ms) = self.promises.repeat else { return };
        if key.first_at + ms <= now && key.state.is_some() {
            (key.state, key.first_at) = (None, now);
            self.came_true.push("forgotten-key");
        }
    }

    fn reopens(&mut self, name: &str, now: u64) {
        let Some(key) = self.keys.get_mut(name) else { return };
        if matches!(key.state, Some(State::Closed { until: Some(until) }) if until <= now) {
            key.state = None;
            self.came_true.push("short-tombstone");
        }
    }

    fn act(&mut self, random: &mut StdRng, wish: &Wish, name: &str, holds: bool) -> Said {
        self.forgets(name, wish.now);
        self.reopens(name, wish.now);
        let acts_again = self.promises.is_harmless || self.promises.repeat == Repeat::Never;
        match self.keys[name].state {
            None => {}
            Some(State::Done) if acts_again && !self.promises.is_harmless => self.came_true.push("not-idempotent"),
            Some(State::Done | State::Undone) if self.promises.is_harmless => {}
            Some(State::Undone) if acts_again => self.came_true.push("not-idempotent"),
            Some(State::Refused) if !self.promises.is_sticky && chance(random, 60) => self.came_true.push("loose-refusal"),
            Some(State::Done) => return self.found(name),
            Some(State::Refused) => return Said::Refused,
            Some(State::Closed { .. }) => return Said::Closed,
            Some(State::Undone) => return Said::Undone(wish.minor),
            Some(State::Pending { .. }) => return Said::Pending,
        }
        if wish.is_stray && self.promises.repeat == Repeat::Never {
            self.came_true.push("not-idempotent");
        }
        let refuses = self.habits.refuses_first && self.refusals == 0;
        if refuses && self.promises.may_refuse || !holds {
            self.refusals += 1;
            self.set(name, Some(State::Refused));
            return Said::Refused;
        }
        let minor = if self.habits.takes_parts { wish.minor / 2 } else { wish.minor };
        let id = format!("{}-effect-{}", self.name, self.effects.len());
        let at = wish.now + if self.promises.is_later { pick(random, &[1, 50, 400, 1_500]) } else { 0 };
        self.effects.push(Effect { id, key: name.to_owned(), minor, at, is_captured: false, back: 0, is_off: false });
        if at > wish.now {
            self.set(name, Some(State::Pending { until: at }));
            return Said::Pending;
        }
        self.set(name, Some(State::Done));
        Said::Done(self.effects.len() - 1)
    }

    /// What is there under a key: the latest that is in effect, or else the latest of all.
    fn found(&self, name: &str) -> Said {
        let of_key = |effect: &&Effect| effect.key == name;
        let at = self.effects.iter().rposition(|effect| of_key(&effect) && !effect.is_off);
        at.or_else(|| self.effects.iter().rposition(|effect| of_key(&effect))).map_or(Said::Absent, Said::Done)
    }

    fn close(&mut self, wish: &Wish, name: &str) -> Said {
        self.forgets(name, wish.now);
        self.reopens(name, wish.now);
        let state = self.keys[name].state;
        let closes = match self.promises.close {
            Close::ForEver => Some(State::Closed { until: None }),
            Close::For(ms) => Some(State::Closed { until: Some(wish.now + ms) }),
            Close::NoOpWhenAbsent | Close::Never => None,
        };
        match state {
            None => {
                self.set(name, closes);
                Said::Closed
            }
            Some(State::Done) => self.found(name),
            Some(State::Refused) if self.promises.is_sticky || self.habits.keeps_refusals || closes.is_none() => Said::Refused,
            Some(State::Refused) => {
                self.set(name, closes);
                Said::Closed
            }
            Some(State::Closed { .. }) => Said::Closed,
            Some(State::Undone) => Said::Undone(wish.minor),
            Some(State::Pending { .. }) => Said::Pending,
        }
    }

    /// Gives back everything that was done under a key, or so much of it. Says how much that was in all.
    fn give_back(&mut self, name: &str, most: Option<i64>) -> i64 {
        let mut all = 0;
        for effect in self.effects.iter_mut().filter(|effect| effect.key == name && (!effect.is_off || effect.back > 0)) {
            effect.back = most.map_or(effect.minor, |most| most.min(effect.minor));
            effect.is_off |= effect.back == effect.minor;
            all += effect.back;
        }
        if self.effects.iter().all(|effect| effect.key != name || effect.is_off) {
            self.set(name, Some(State::Undone));
        }
        all
    }

    fn undo(&mut self, random: &mut StdRng, wish: &Wish, name: &str, key: &Key) -> Said {
        let in_effect: i64 =
            self.effects.iter().filter(|effect| effect.key == name && !effect.is_off).map(|effect| effect.minor).sum();
        let is_there = self.effects.iter().any(|effect| effect.key == name && !effect.is_off);
        if is_there {
            let has_begun = self.effects.iter().any(|effect| effect.key == name && effect.back > 0);
            if self.habits.gives_back_parts && !has_begun && in_effect > 1 {
                return Said::Undone(self.give_back(name, Some(in_effect / 2)));
            }
            if key.undo_at.is_some() {
                return Said::Pending;
            }
            if self.habits.undoes_later {
                self.keys.get_mut(name).unwrap().undo_at = Some(wish.now + pick(random, &[1, 100, 900]));
                return Said::Pending;
            }
            return Said::Undone(self.give_back(name, None));
        }
        self.reopens(name, wish.now);
        match self.keys[name].state {
            None if self.promises.undo == Undo::Closes => {
                self.set(name, Some(State::Closed { until: None }));
                Said::Closed
            }
            // What lapsed is as good as given back.
            None | Some(State::Done | State::Undone) => Said::Undone(wish.minor),
            Some(State::Closed { .. }) => Said::Closed,
            Some(State::Refused) => Said::Refused,
            Some(State::Pending { .. }) => Said::Pending,
        }
    }

    fn look(&self, random: &mut StdRng, wish: &Wish, name: &str, key: &Key) -> Said {
        let sees_all = chance(random, 30);
        let visible = |effect: &Effect| sees_all || effect.at + self.promises.lag_ms <= wish.now;
        let shown = self.effects.iter().rposition(|effect| effect.key == name && !effect.is_off && visible(effect));
        let hidden = self.effects.iter().any(|effect| effect.key == name && !effect.is_off);
        match (shown, key.state) {
            (Some(at), _) => Said::Done(at),
            (None, _) if hidden => Said::Absent,
            (None, Some(State::Refused)) => Said::Refused,
            (None, None) => Said::Absent,
            (None, Some(State::Closed { .. } | State::Done | State::Undone)) => {
                if self.habits.calls_off_absent {
                    Said::Absent
                } else {
                    Said::Closed
                }
            }
            (None, Some(State::Pending { .. })) => Said::Pending,
        }
    }
}
