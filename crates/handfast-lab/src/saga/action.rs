//! The things that may happen next in a saga's world.

use handfast_protocol::{Command, Definite, Due, Input, Meaning, Told};

use super::network::{Look, Message};

/// How a service takes an act.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Service {
    /// It does it.
    Accepts,
    /// It does something else: a part of the amount.
    DoesOther,
    /// It declines. Where its refusals do not hold it knows nothing of it a moment later.
    Refuses,
    /// It declines, and remembers that: its refusals do not hold all the same, and it may accept the same act later.
    RefusesAndRemembers,
    /// The act came after its own time.
    FindsExpired,
    /// It hears nothing of it: somebody else answers in its stead, with what is taken to mean this.
    IsSpokenFor(Definite),
}

/// One thing that may happen next. `keeps` says that a copy of the delivered message stays under way.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[expect(missing_docs, reason = "the fields say what they are: which worker, which command, which input")]
pub enum Action {
    /// A worker loads the journal (also after a restart, or after it lost a race).
    Load { worker: usize },
    /// A worker takes an input into its state and appends it, if nobody was faster.
    Append { worker: usize, input: Input<Told>, keeps: bool },
    /// A worker appends a time-out at which one thing of one step is due, and nothing else is yet.
    AppendDue { worker: usize, step: usize, due: Due },
    /// A worker sends one of the messages that its state wants delivered.
    Send { worker: usize, command: Command },
    /// A worker sends a look when nothing of what was sent to the key can be on the road any more, and nobody sends more.
    SendLate { worker: usize, step: usize },
    /// A mutant: a worker sends what its next state would want, before it appends the input.
    SendEarly { worker: usize, input: Input<Told>, command: Command },
    /// A command reaches its participant, which answers.
    Arrive { command: Command, service: Service, keeps: bool },
    /// A look reaches its participant, which answers. What was done a moment ago may not be seen by one that left early.
    ArriveLook { look: Look, sees: bool, keeps: bool },
    /// A look reaches nobody who has looked: somebody else answers, with what is taken to mean this.
    LookIsSpokenFor { look: Look, meaning: Meaning },
    /// A mutant: the effect is committed, and the participant crashes before the register's row is.
    ArriveHalfway { command: Command },
    /// A message is captured.
    Capture { message: Message },
    /// A worker crashes.
    CrashWorker { worker: usize },
    /// A participant crashes while a command is on its way in: the command is lost, what is durable stays.
    CrashParticipant { command: Command },
    /// A copy of the journal is taken.
    Copy,
    /// The coordinator comes back with the older copy.
    Restore,
    /// The coordinator comes back with the older copy, in which nothing was kept of this step yet, and keeps what another act
    /// of it will answer: every act draws an id of its own.
    RestoreBefore { of: usize },
    /// A mutant: a tombstone expires, or a key is forgotten.
    Forget { step: usize },
    /// A participant that promises less forgets a key, or a tombstone of it expires: it would carry out an act again.
    Expire { step: usize },
    /// What a participant has held lapses.
    Lapse { step: usize },
    /// A person undoes at a participant what nobody can be asked about.
    UndoByHand { step: usize },
    /// An undo that was accepted is done, or fails.
    EndUndo { step: usize, fails: bool },
}

impl Action {
    /// It adds an entry to the journal.
    pub(super) const fn is_entry(&self) -> bool {
        matches!(self, Self::Append { .. } | Self::AppendDue { .. })
    }

    /// The same action, by the worker with another number.
    pub(super) fn by_worker(mut self, renumber: impl Fn(usize) -> usize) -> Self {
        match &mut self {
            Self::Load { worker }
            | Self::Append { worker, .. }
            | Self::AppendDue { worker, .. }
            | Self::Send { worker, .. }
            | Self::SendLate { worker, .. }
            | Self::SendEarly { worker, .. }
            | Self::CrashWorker { worker } => *worker = renumber(*worker),
            Self::Arrive { .. }
            | Self::ArriveLook { .. }
            | Self::LookIsSpokenFor { .. }
            | Self::ArriveHalfway { .. }
            | Self::Capture { .. }
            | Self::CrashParticipant { .. }
            | Self::Copy
            | Self::Restore
            | Self::RestoreBefore { .. }
            | Self::Forget { .. }
            | Self::Expire { .. }
            | Self::Lapse { .. }
            | Self::UndoByHand { .. }
            | Self::EndUndo { .. } => {}
        }
        self
    }
}
