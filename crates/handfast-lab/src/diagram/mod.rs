//! Space-time diagrams: life lines, the messengers between them and what was durable when, as text and as SVG.
//!
//! A [`Diagram`] is built line by line and messenger by messenger, in any order; the layout sorts by time. Where two
//! things happen at the same time, the one that was added first is drawn first, so add causes before their effects.
//!
//! ```
//! use handfast_lab::diagram::{Clock, Diagram, Mark, TextOptions, Tone};
//!
//! let mut picture = Diagram::new("A reply is captured", Clock::Milliseconds);
//! let shop = picture.line("shop");
//! let payment = picture.line("payment");
//! picture.mark(shop, 0, Mark::Durable, "placed");
//! picture.message(shop, payment, "act").sent(0).arrives(2).brings(Mark::Durable, "charged");
//! picture.message(payment, shop, "done").reply().sent(2).captured();
//! picture.in_doubt(shop, 0, None);
//! picture.verdict(Tone::Doubt, "in doubt");
//! let text = picture.to_text(&TextOptions::default());
//! assert!(text.contains("captured"));
//! ```

mod generals;
mod layout;
mod measure;
#[cfg(test)]
mod random;
mod saga;
mod svg;
mod terminal;

pub use generals::{generals, generals_so_far};
pub(crate) use measure::wrap;
pub use saga::{Fate, Flight, Kill, SagaStory, StoryEntry, StoryStep, StoryTry};
pub use terminal::TextOptions;

/// How the numbers along a diagram are to be read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Clock {
    /// Steps or rounds: an order without a scale. No times are printed.
    Steps,
    /// Milliseconds, printed relative to the first; long pauses are shortened and marked.
    Milliseconds,
}

/// Whether something ended well.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Tone {
    /// Both: what was wanted.
    Good,
    /// One alone: what must not happen.
    Bad,
    /// Neither: nothing gained, nothing lost.
    Calm,
    /// Not known yet.
    Doubt,
}

/// A life line of a diagram, as [`Diagram::line`] named it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct LineId(pub(crate) usize);

/// What happened on a life line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mark {
    /// Something was made durable: a journal entry, a commit of a participant's register.
    Durable,
    /// Something was learnt.
    News,
    /// Something was decided that cannot be taken back.
    Decision,
    /// The process was killed; until the next [`Mark::Restart`] there is nobody.
    Crash,
    /// The process is back, with what was durable.
    Restart,
    /// A deadline came, or somebody asked for the saga to be cancelled.
    Demand,
    /// A remark without a mark, such as what is known.
    Note,
}

/// How one journey of a messenger ended. A messenger that was duplicated has several.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum End {
    /// It arrived. The note, "late" for instance, is written beside the arrival.
    Arrives { at: u64, note: Option<String> },
    /// It was captured; the text says by what.
    Captured { how: String },
    /// The sender cannot know: the text says what was seen instead of an answer.
    Unknown { seen: String },
}

/// A messenger: built by [`Diagram::message`], and still under way unless told otherwise.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Message {
    pub(crate) from: LineId,
    pub(crate) to: LineId,
    pub(crate) label: String,
    pub(crate) is_reply: bool,
    pub(crate) sent: u64,
    pub(crate) ends: Vec<End>,
    pub(crate) brought: Option<(Mark, String)>,
}

impl Message {
    /// When it left.
    pub fn sent(&mut self, at: u64) -> &mut Self {
        self.sent = at;
        self
    }

    /// It is an answer rather than a request, and drawn as one.
    pub fn reply(&mut self) -> &mut Self {
        self.is_reply = true;
        self
    }

    /// It arrived. An arrival before the sending (two clocks that disagree) is drawn at the sending.
    pub fn arrives(&mut self, at: u64) -> &mut Self {
        self.ends.push(End::Arrives { at, note: None });
        self
    }

    /// It arrived so late that the road is drawn as a wait.
    pub fn arrives_late(&mut self, at: u64) -> &mut Self {
        self.ends.push(End::Arrives { at, note: Some("late".to_owned()) });
        self
    }

    /// A copy of it arrived as well.
    pub fn copy_arrives(&mut self, at: u64) -> &mut Self {
        self.ends.push(End::Arrives { at, note: Some("copy".to_owned()) });
        self
    }

    /// What its first arrival brings about at the receiver, marked where the arrow ends.
    pub fn brings(&mut self, mark: Mark, text: &str) -> &mut Self {
        self.brought = Some((mark, text.to_owned()));
        self
    }

    /// It was captured on the road.
    pub fn captured(&mut self) -> &mut Self {
        self.captured_by("captured")
    }

    /// It did not get through, and the text says why: "road cut", "nobody there".
    pub fn captured_by(&mut self, how: &str) -> &mut Self {
        self.ends.push(End::Captured { how: how.to_owned() });
        self
    }

    /// Nothing more is known of it than what its sender saw: "no answer in 2 s".
    pub fn unanswered(&mut self, seen: &str) -> &mut Self {
        self.ends.push(End::Unknown { seen: seen.to_owned() });
        self
    }

    /// The same messenger with every text changed by `change`.
    fn with_texts(&self, change: fn(&str) -> String) -> Self {
        let ends = self.ends.iter().map(|end| match end {
            End::Arrives { at, note } => End::Arrives { at: *at, note: note.as_deref().map(change) },
            End::Captured { how } => End::Captured { how: change(how) },
            End::Unknown { seen } => End::Unknown { seen: change(seen) },
        });
        let brought = self.brought.as_ref().map(|(mark, text)| (*mark, change(text)));
        Self { label: change(&self.label), ends: ends.collect(), brought, ..self.clone() }
    }
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Line {
    pub(crate) name: String,
    pub(crate) role: String,
    pub(crate) outcome: Option<(Tone, String)>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Event {
    pub(crate) line: LineId,
    pub(crate) at: u64,
    pub(crate) mark: Mark,
    pub(crate) text: String,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Doubt {
    pub(crate) line: LineId,
    pub(crate) from: u64,
    pub(crate) to: Option<u64>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Item {
    Event(Event),
    Message(Message),
    /// Something was left out here; the text says what.
    Fold {
        at: u64,
        text: String,
    },
}

/// A space-time diagram: one life line a party, time downwards.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Diagram {
    pub(crate) title: String,
    pub(crate) clock: Clock,
    pub(crate) between: Option<String>,
    pub(crate) lines: Vec<Line>,
    pub(crate) items: Vec<Item>,
    pub(crate) doubts: Vec<Doubt>,
    /// What is written beside the first thing that happens at that time or later.
    pub(crate) ticks: Vec<(u64, String)>,
    pub(crate) verdict: Option<(Tone, String)>,
    pub(crate) caption: Vec<String>,
}

impl Diagram {
    /// An empty diagram.
    #[must_use]
    pub fn new(title: &str, clock: Clock) -> Self {
        Self {
            title: title.to_owned(),
            clock,
            between: None,
            lines: Vec::new(),
            items: Vec::new(),
            doubts: Vec::new(),
            ticks: Vec::new(),
            verdict: None,
            caption: Vec::new(),
        }
    }

    /// Names what lies between the life lines and captures messengers: "the city", "the road".
    pub fn between(&mut self, place: &str) -> &mut Self {
        self.between = Some(place.to_owned());
        self
    }

    /// A further life line, to the right of those before.
    pub fn line(&mut self, name: &str) -> LineId {
        self.lines.push(Line { name: name.to_owned(), role: String::new(), outcome: None });
        LineId(self.lines.len() - 1)
    }

    /// What a life line is, in a word or two below its name: "coordinator", "pivot".
    pub fn role(&mut self, line: LineId, role: &str) -> &mut Self {
        self.lines[line.0].role = role.to_owned();
        self
    }

    /// How a life line ends, in a badge at its foot: "attacks".
    pub fn outcome(&mut self, line: LineId, tone: Tone, text: &str) -> &mut Self {
        self.lines[line.0].outcome = Some((tone, text.to_owned()));
        self
    }

    /// A messenger from one life line to another, sent at time 0 and still under way unless told otherwise.
    ///
    /// With [`Clock::Steps`], two that leave neighbouring life lines for one another at the same time, and arrive at the same
    /// time or are captured, are drawn crossing.
    pub fn message(&mut self, from: LineId, to: LineId, label: &str) -> &mut Message {
        let message = Message { from, to, label: label.to_owned(), is_reply: false, sent: 0, ends: Vec::new(), brought: None };
        self.items.push(Item::Message(message));
        match self.items.last_mut() {
            Some(Item::Message(message)) => message,
            Some(Item::Event(_) | Item::Fold { .. }) | None => unreachable!("a message was pushed in the line above"),
        }
    }

    /// Something that happened on a life line.
    pub fn mark(&mut self, line: LineId, at: u64, mark: Mark, text: &str) -> &mut Self {
        self.items.push(Item::Event(Event { line, at, mark, text: text.to_owned() }));
        self
    }

    /// Names what begins at that time, beside the life lines: "round 3". For [`Clock::Steps`], which has no times to print.
    pub fn tick(&mut self, at: u64, text: &str) -> &mut Self {
        self.ticks.push((at, text.to_owned()));
        self
    }

    /// Says that something was left out here, and what: "14 more tries, all captured".
    pub fn fold(&mut self, at: u64, text: &str) -> &mut Self {
        self.items.push(Item::Fold { at, text: text.to_owned() });
        self
    }

    /// A stretch of a life line in which its party cannot know how things stand; without an end, to the foot.
    pub fn in_doubt(&mut self, line: LineId, from: u64, to: Option<u64>) -> &mut Self {
        self.doubts.push(Doubt { line, from, to });
        self
    }

    /// The outcome of the whole run, in a badge below it.
    pub fn verdict(&mut self, tone: Tone, text: &str) -> &mut Self {
        self.verdict = Some((tone, text.to_owned()));
        self
    }

    /// A paragraph below the picture.
    pub fn caption(&mut self, text: &str) -> &mut Self {
        self.caption.push(text.to_owned());
        self
    }

    /// The picture as text, every line of it ended by a newline and none wider than `options.width`, unless there are
    /// more life lines than fit side by side.
    #[must_use]
    pub fn to_text(&self, options: &TextOptions) -> String {
        terminal::render(self, options)
    }

    /// The picture as an SVG document without scripts, fonts or references to anything outside, which follows the
    /// reader's light or dark colour scheme.
    #[must_use]
    pub fn to_svg(&self) -> String {
        svg::render(self)
    }

    /// The run as sentences in the order of time, for those who cannot see the picture.
    #[must_use]
    pub fn to_sentences(&self) -> Vec<String> {
        layout::sentences(self)
    }

    /// The mark that an item puts on a life line, with its text.
    fn mark_of(&self, item: usize) -> Option<(Mark, &str)> {
        match self.items.get(item)? {
            Item::Event(event) => Some((event.mark, &event.text)),
            Item::Message(message) => message.brought.as_ref().map(|(mark, text)| (*mark, text.as_str())),
            Item::Fold { .. } => None,
        }
    }

    /// Every mark that occurs.
    fn marks(&self) -> impl Iterator<Item = Mark> {
        (0..self.items.len()).filter_map(|item| self.mark_of(item)).map(|(mark, _)| mark)
    }

    /// What the crosses on the road stand for, if there are any.
    fn lost_word(&self) -> Option<&'static str> {
        let ends = self.items.iter().flat_map(|item| match item {
            Item::Message(message) => message.ends.as_slice(),
            Item::Event(_) | Item::Fold { .. } => &[],
        });
        let mut lost = ends.filter_map(|end| match end {
            End::Captured { how } => Some(how == "captured"),
            End::Arrives { .. } | End::Unknown { .. } => None,
        });
        let first = lost.next()?;
        Some(if first && lost.all(|captured| captured) { "captured" } else { "captured or lost" })
    }

    /// The same diagram with every text changed by `change`.
    fn with_texts(&self, change: fn(&str) -> String) -> Self {
        let items = self.items.iter().map(|item| match item {
            Item::Event(event) => Item::Event(Event { text: change(&event.text), ..event.clone() }),
            Item::Message(message) => Item::Message(message.with_texts(change)),
            Item::Fold { at, text } => Item::Fold { at: *at, text: change(text) },
        });
        let badge = |badge: &Option<(Tone, String)>| badge.as_ref().map(|(tone, text)| (*tone, change(text)));
        let lines = self.lines.iter().map(|line| Line {
            name: change(&line.name),
            role: change(&line.role),
            outcome: badge(&line.outcome),
        });
        Self {
            title: change(&self.title),
            clock: self.clock,
            between: self.between.as_deref().map(change),
            lines: lines.collect(),
            items: items.collect(),
            doubts: self.doubts.clone(),
            ticks: self.ticks.iter().map(|(at, text)| (*at, change(text))).collect(),
            verdict: badge(&self.verdict),
            caption: self.caption.iter().map(|text| change(text)).collect(),
        }
    }
}
