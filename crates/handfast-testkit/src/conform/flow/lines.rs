//! The lines of a profile, and what was seen of each.

use std::time::Duration;

use handfast_protocol::{Answers, Close, Profile, Repeat, Undo};
use handfast_toml::written;
use serde_json::{Value, json};

/// A line of a profile.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Name {
    Done,
    Idempotent,
    Remembers,
    Undo,
    UndoneOnce,
    UndoPeek,
    Close,
    Tombstone,
    Peek,
    MayRefuse,
    StickyRefusal,
    HoldExpires,
    Answers,
}

/// What was seen of a line.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Seen {
    /// It was tried, and held each time.
    Held(String),
    /// It was tried, and did not hold once.
    Broken(String),
    /// It was not tried, or nothing could be seen.
    Nothing(String),
}

/// One line of a profile with what was seen of it.
#[derive(Debug)]
pub struct ProfileLine {
    name: Name,
    text: String,
    seen: Seen,
}

impl ProfileLine {
    /// Whether it was seen not to hold.
    #[must_use]
    pub const fn is_broken(&self) -> bool {
        matches!(self.seen, Seen::Broken(_))
    }

    /// As a person reads it.
    #[must_use]
    pub fn in_words(&self) -> String {
        let (verdict, why) = self.told();
        format!("{verdict:<10} {:<32} {why}", self.text)
    }

    /// As data, in the shape of `handfast conform --json`.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let (verdict, why) = self.told();
        json!({ "line": self.text, "verdict": verdict.to_lowercase(), "why": why })
    }

    fn told(&self) -> (&'static str, &str) {
        match &self.seen {
            Seen::Held(why) => ("held", why),
            Seen::Broken(why) => ("NOT HELD", why),
            Seen::Nothing(why) => ("not seen", why),
        }
    }
}

/// All of them.
pub(super) struct Lines(Vec<ProfileLine>);

impl Lines {
    /// `looks_at_undos` is whether a look of its own says what became of an undo.
    pub(super) fn of(profile: &Profile, looks_at_undos: bool) -> Self {
        let line = |name, text: String| ProfileLine { name, text, seen: Seen::Nothing("it was not tried".to_owned()) };
        let quoted = |name, key: &str, value: &str| line(name, format!("{key} = \"{value}\""));
        let plain = |name, key: &str, value: bool| line(name, format!("{key} = {value}"));
        let mut lines = vec![line(Name::Done, "[step.http.act] done".to_owned())];
        lines.push(plain(Name::Idempotent, "idempotent", profile.repeat != Repeat::Never));
        lines.extend(match profile.repeat {
            Repeat::ForEver => Some(quoted(Name::Remembers, "remembers", "for-ever")),
            Repeat::For(ms) => Some(quoted(Name::Remembers, "remembers", &duration(ms))),
            Repeat::Never => None,
        });
        lines.push(quoted(
            Name::Undo,
            "undo",
            match profile.undo {
                Undo::Closes => "closes",
                Undo::NoOpWhenAbsent => "no-op-when-absent",
                Undo::Never => "never",
            },
        ));
        if profile.undo != Undo::Never {
            lines.push(line(Name::UndoneOnce, "an undo is carried out once".to_owned()));
        }
        if looks_at_undos {
            lines.push(line(Name::UndoPeek, "[step.http.undo_peek] undone".to_owned()));
        }
        lines.push(match profile.close {
            Close::ForEver => quoted(Name::Close, "close", "for-ever"),
            Close::For(ms) => quoted(Name::Close, "close", &duration(ms)),
            Close::NoOpWhenAbsent => quoted(Name::Close, "close", "no-op-when-absent"),
            Close::Never => quoted(Name::Close, "close", "never"),
        });
        if matches!(profile.close, Close::ForEver | Close::For(_)) {
            lines.push(line(Name::Tombstone, "how long a close holds".to_owned()));
        }
        lines.push(plain(Name::Peek, "peek", profile.peek));
        lines.push(plain(Name::MayRefuse, "may_refuse", profile.may_refuse));
        if profile.may_refuse {
            lines.push(plain(Name::StickyRefusal, "sticky_refusal", profile.sticky_refusal));
        }
        lines.extend(profile.hold_expires_ms.map(|ms| quoted(Name::HoldExpires, "hold_expires", &duration(ms))));
        lines.push(quoted(Name::Answers, "answers", if profile.answers == Answers::Now { "now" } else { "later" }));
        let mut lines = Self(lines);
        lines.nothing(Name::Remembers, "it takes that long; ask again then, with a key of before");
        lines.nothing(Name::Tombstone, "it takes that long; ask again then, with a key that was closed");
        lines.nothing(Name::HoldExpires, "it takes that long; look at a hold then, and at what the provider writes");
        lines
    }

    /// It held this once: what was broken before stays broken.
    pub(super) fn held(&mut self, name: Name, why: impl Into<String>) {
        self.see(name, |seen| matches!(seen, Seen::Nothing(_)), Seen::Held(why.into()));
    }

    pub(super) fn broken(&mut self, name: Name, why: impl Into<String>) {
        self.see(name, |seen| !matches!(seen, Seen::Broken(_)), Seen::Broken(why.into()));
    }

    pub(super) fn nothing(&mut self, name: Name, why: impl Into<String>) {
        self.see(name, |seen| matches!(seen, Seen::Nothing(_)), Seen::Nothing(why.into()));
    }

    fn see(&mut self, name: Name, is_worth_less: impl Fn(&Seen) -> bool, now: Seen) {
        for line in self.0.iter_mut().filter(|line| line.name == name && is_worth_less(&line.seen)) {
            line.seen = now.clone();
        }
    }

    pub(super) fn concluded(self) -> Vec<ProfileLine> {
        self.0
    }
}

/// A time as a flow file has it.
fn duration(ms: u64) -> String {
    written(Duration::from_millis(ms))
}
