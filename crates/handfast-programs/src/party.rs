//! A program as a general that the lab can play: it is compared by what it knows, never by the process behind it.

use std::cmp::Ordering;
use std::fmt::{self, Debug};
use std::sync::{Arc, Mutex};

use handfast_protocol::generals::Choice;
use handfast_protocol::{Input, Party, Time};

use super::refusal::Fault;
use super::seat::Seat;
use super::wire::{Inbox, Letter, Mode, Question, Role, in_one_line, list};
use handfast_machine::locked;

/// One general whose moves a program answers for. Once the program is refused it does nothing any more.
#[derive(Clone)]
pub(super) struct Program {
    seat: Arc<Mutex<Seat>>,
    knows: Knows,
}

/// All that the general is made of.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Knows {
    role: Role,
    rounds: u32,
    /// The round that is running, from 1; 0 before the first, and one more than there are after the last.
    round: u32,
    memory: Memory,
    inbox: Inbox,
    outbox: Vec<Letter>,
    attack: Option<bool>,
}

/// What the program goes by.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Memory {
    /// Its state, in the one form of its JSON.
    State(Arc<str>),
    /// Everything that has arrived before this round, round by round.
    View(Vec<Inbox>),
}

impl Program {
    /// The general before the first round.
    pub(super) fn new(seat: &Arc<Mutex<Seat>>, rounds: u32) -> Self {
        let held = locked(seat);
        let memory = match held.terms().mode {
            Mode::Step => Memory::State(Arc::clone(&held.terms().state)),
            Mode::Replay => Memory::View(Vec::new()),
        };
        let knows = Knows { role: held.role(), rounds, round: 0, memory, inbox: Vec::new(), outbox: Vec::new(), attack: None };
        Self { seat: Arc::clone(seat), knows }
    }

    /// Begins the next round: asks the program with what has arrived.
    fn begin_round(&mut self) {
        let knows = &mut self.knows;
        knows.round += 1;
        let inbox = std::mem::take(&mut knows.inbox);
        let question = match &mut knows.memory {
            Memory::State(state) => Question::Step { round: knows.round, state: Arc::clone(state), inbox },
            Memory::View(view) => {
                view.push(inbox);
                Question::Replay(view.clone())
            }
        };
        let mut seat = locked(&self.seat);
        let Some(answer) = seat.ask(question) else {
            knows.outbox.clear();
            return;
        };
        match (knows.attack, answer.attack) {
            (Some(before), Some(after)) if before != after => {
                let question = format!("round {}, having decided before", knows.round);
                seat.refuse(Some(question), Fault::TookBack { before, answer: Box::new(answer) });
                return;
            }
            (None, after) => knows.attack = after,
            (Some(_), _) => {}
        }
        // Nobody carries what leaves after the last round.
        knows.outbox = if knows.round > knows.rounds { Vec::new() } else { answer.outbox };
        if let Memory::State(state) = &mut knows.memory {
            *state = answer.state;
        }
    }
}

impl Party for Program {
    type Inbound = Letter;
    type Outbound = Letter;
    type Decision = Choice;

    fn step(&mut self, _now: Time, input: Input<Letter>) {
        if self.knows.round > self.knows.rounds {
            return;
        }
        match input {
            Input::Receive(letter) => self.knows.inbox.push(letter),
            Input::Start | Input::Timeout => self.begin_round(),
        }
    }

    fn outbox(&self) -> Vec<Letter> {
        self.knows.outbox.clone()
    }

    fn deadline(&self) -> Option<Time> {
        (self.knows.round <= self.knows.rounds).then(|| Time(u64::from(self.knows.round)))
    }

    fn decision(&self) -> Option<Choice> {
        self.knows.attack.map(|attack| if attack { Choice::Attack } else { Choice::Stay })
    }
}

impl PartialEq for Program {
    fn eq(&self, other: &Self) -> bool {
        self.knows == other.knows
    }
}

impl Eq for Program {}

impl PartialOrd for Program {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Program {
    fn cmp(&self, other: &Self) -> Ordering {
        self.knows.cmp(&other.knows)
    }
}

/// What whoever steps through a run reads.
impl Debug for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.knows.memory {
            Memory::State(state) => write!(f, "{}: state {}", self.knows.role, in_one_line(state)),
            Memory::View(view) => {
                let told: Vec<String> = view.iter().map(|inbox| list(inbox)).collect();
                write!(f, "{}: told {}", self.knows.role, in_one_line(&told.join(" ")))
            }
        }
    }
}
