//! Makes attempts out of what is known of a saga: which request led to which change of a register and to which reply.

use handfast_protocol::{Answer, Command, Coordinator, Definite, Input, Operation, Party as _, Time, Told};

use super::{Fate, SagaStory};

/// What follows within this time follows at once: an entry is flushed, a connection made.
const AT_ONCE_MS: u64 = 25;

/// How one messenger of an attempt ended, as far as anybody knows.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Way {
    Arrived(u64),
    Late(u64),
    Lost(String),
    /// Only what the sender saw is known.
    Unknown(String),
}

/// A messenger on its way back.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Reply {
    pub(super) left: u64,
    pub(super) says: String,
    pub(super) way: Way,
    /// The entry that it became.
    pub(super) journaled: Option<usize>,
}

/// One request, its copy, what it changed, and its replies.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Attempt {
    pub(super) command: Command,
    pub(super) number: u64,
    /// The journal entry that intended it, counted from 0.
    pub(super) intent: usize,
    pub(super) sent: u64,
    pub(super) way: Way,
    pub(super) copy: Option<Way>,
    /// The registers' changes that it brought about, with their times.
    pub(super) changes: Vec<(u64, Definite)>,
    pub(super) replies: Vec<Reply>,
    /// The entry that journals its answer, if one does.
    pub(super) answered: Option<usize>,
}

impl Attempt {
    /// When the request, or its copy, first reached the participant.
    pub(super) fn arrivals(&self) -> impl Iterator<Item = u64> {
        [Some(&self.way), self.copy.as_ref()].into_iter().flatten().filter_map(|way| match way {
            Way::Arrived(at) | Way::Late(at) => Some(*at),
            Way::Lost(_) | Way::Unknown(_) => None,
        })
    }

    /// Nothing came of it: neither a change nor an answer, and it is like many others.
    pub(super) fn is_fruitless(&self) -> bool {
        let late = matches!(self.way, Way::Late(_)) || self.copy.is_some();
        self.changes.is_empty() && self.answered.is_none() && !late
    }
}

/// An entry of the journal and what the coordinator made of it.
#[derive(Clone, Debug)]
pub(super) struct Replayed {
    pub(super) intended: Vec<Command>,
    pub(super) in_doubt: bool,
    pub(super) coordinator: Coordinator,
}

pub(super) fn replay(story: &SagaStory) -> Vec<Replayed> {
    let mut coordinator: Coordinator = Coordinator::pinned(story.plan.clone(), story.version);
    let step = |entry: &super::StoryEntry| {
        let before = coordinator.outbox();
        coordinator.step(Time(entry.at), entry.input);
        let intended = coordinator.outbox().into_iter().filter(|command| !before.contains(command)).collect();
        Replayed { intended, in_doubt: coordinator.is_in_doubt(), coordinator: coordinator.clone() }
    };
    story.entries.iter().map(step).collect()
}

/// Every attempt of the saga, in the order of sending.
pub(super) fn attempts(story: &SagaStory, replayed: &[Replayed]) -> Vec<Attempt> {
    let mut attempts = Vec::new();
    for (intent, entry) in replayed.iter().enumerate() {
        for &command in &entry.intended {
            let has_log = story.flights.iter().any(|flight| (flight.step, flight.operation) == (command.step, command.operation));
            attempts.extend(if has_log { from_road(story, command, intent) } else { from_engine(story, command, intent) });
        }
    }
    attempts.sort_by_key(|attempt| (attempt.sent, attempt.intent, attempt.number));
    for (step, state, at) in changes(story) {
        attribute(&mut attempts, step, state, at);
    }
    attempts
}

/// The journal entry that holds the answer to `command`.
fn answer_to(story: &SagaStory, command: Command) -> Option<(usize, Answer)> {
    story.entries.iter().enumerate().find_map(|(index, entry)| match entry.input {
        Input::Receive(Told::Answer { to, answer }) if to == command => Some((index, answer)),
        Input::Receive(
            Told::Answer { .. }
            | Told::Looked { .. }
            | Told::Undo { .. }
            | Told::Cancel
            | Told::Due(_)
            | Told::Ruled(_)
            | Told::Sent { .. }
            | Told::Differs { .. }
            | Told::Forgotten { .. }
            | Told::Moved { .. }
            | Told::SameBooks { .. },
        )
        | Input::Start
        | Input::Timeout => None,
    })
}

fn word(answer: Answer) -> &'static str {
    match answer {
        Answer::State(state) => state.name(),
        Answer::OtherBody => "another body",
    }
}

/// When a messenger left, which follows its entry so closely that it is drawn from there.
fn left(story: &SagaStory, intent: usize, left: u64) -> u64 {
    let begun = story.entries[intent].at;
    let next = story.entries.get(intent + 1).map_or(u64::MAX, |next| next.at);
    if left < next && left.saturating_sub(begun) <= AT_ONCE_MS { begun } else { left }
}

fn from_road(story: &SagaStory, command: Command, intent: usize) -> Vec<Attempt> {
    let own = || story.flights.iter().filter(move |flight| (flight.step, flight.operation) == (command.step, command.operation));
    let way = |fate: &Fate| match fate {
        Fate::Arrived(at) => Way::Arrived(*at),
        Fate::Late(at) => Way::Late(*at),
        Fate::Lost(how) => Way::Lost(how.clone()),
        Fate::Unknown(seen) => Way::Unknown(seen.clone()),
    };
    let mut attempts: Vec<Attempt> = own()
        .filter(|flight| !flight.is_reply && !flight.is_copy)
        .map(|flight| Attempt {
            command,
            number: flight.number,
            intent,
            sent: left(story, intent, flight.left),
            way: way(&flight.fate),
            copy: own().find(|copy| copy.number == flight.number && copy.is_copy && !copy.is_reply).map(|copy| way(&copy.fate)),
            changes: Vec::new(),
            replies: own()
                .filter(|reply| reply.number == flight.number && reply.is_reply)
                .map(|reply| Reply { left: reply.left, says: reply.says.clone(), way: way(&reply.fate), journaled: None })
                .collect(),
            answered: None,
        })
        .collect();
    if let Some((entry, answer)) = answer_to(story, command) {
        // The answer that was journaled is the last that had arrived by then.
        let at = story.entries[entry].at;
        let arrived = |reply: &Reply| match reply.way {
            Way::Arrived(arrived) | Way::Late(arrived) => Some(arrived),
            Way::Lost(_) | Way::Unknown(_) => None,
        };
        let heard = |attempt: &Attempt| attempt.replies.iter().filter_map(arrived).filter(|&heard| heard <= at).max();
        let journaled = attempts.iter_mut().filter(|attempt| heard(attempt).is_some()).max_by_key(|attempt| heard(attempt));
        if let Some(attempt) = journaled {
            attempt.answered = Some(entry);
            if let Some(reply) = attempt.replies.iter_mut().rfind(|reply| arrived(reply).is_some_and(|heard| heard <= at)) {
                word(answer).clone_into(&mut reply.says);
                // From the end of the road to the journal it is no distance.
                reply.way = Way::Arrived(at);
                reply.journaled = Some(entry);
            }
        }
    }
    attempts
}

fn from_engine(story: &SagaStory, command: Command, intent: usize) -> Vec<Attempt> {
    let begun = story.entries[intent].at;
    let attempt = |number, sent, way, replies, answered| Attempt {
        command,
        number,
        intent,
        sent,
        way,
        copy: None,
        changes: Vec::new(),
        replies,
        answered,
    };
    let own = story.tries.iter().filter(|attempt| (attempt.step, attempt.operation) == (command.step, command.operation));
    let mut attempts: Vec<Attempt> = own
        .clone()
        .map(|tried| match &tried.answer {
            // Somebody answered, so the request had arrived by then; when is not known.
            Some(says) => {
                let arrived = tried.sent + tried.ended.saturating_sub(tried.sent) / 2;
                let says = says.clone();
                let reply = Reply { left: arrived, says, way: Way::Arrived(tried.ended), journaled: None };
                attempt(tried.number, tried.sent, Way::Arrived(arrived), vec![reply], None)
            }
            None => attempt(tried.number, tried.sent, Way::Unknown(tried.seen.clone()), Vec::new(), None),
        })
        .collect();
    let given_up = own.map(|attempt| attempt.ended).max();
    let Some((entry, answer)) = answer_to(story, command) else { return attempts };
    let heard = story.entries[entry].at;
    // When the last try left is kept nowhere; without earlier ones it was at once.
    let after = given_up.map_or(begun, |given_up| given_up.max(begun)).min(heard);
    let changed = story.entries[entry].changed_at.filter(|&changed| changed >= after && changed <= heard);
    let sent = if given_up.is_none() { after } else { changed.unwrap_or(heard) };
    let arrived = changed.unwrap_or(heard).max(sent);
    let reply = Reply { left: arrived, says: word(answer).to_owned(), way: Way::Arrived(heard), journaled: Some(entry) };
    let number = attempts.iter().map(|attempt| attempt.number).max().unwrap_or(0) + 1;
    attempts.push(attempt(number, sent, Way::Arrived(arrived), vec![reply], Some(entry)));
    attempts
}

/// The changes of registers that receipts tell of: step, state and time, each once.
fn changes(story: &SagaStory) -> Vec<(usize, Definite, Option<u64>)> {
    let mut changes: Vec<(usize, Definite, Option<u64>)> = Vec::new();
    for entry in &story.entries {
        if let Input::Receive(Told::Answer { to, answer: Answer::State(state) }) = entry.input
            && !changes.iter().any(|&(step, known, _)| (step, known) == (to.step, state))
        {
            // Undone was done before, but of when that was the receipt says nothing any more.
            changes.push((to.step, state, entry.changed_at));
        }
    }
    changes
}

/// Finds the attempt that brought the change about: the last of its kind that had left by then.
fn attribute(attempts: &mut [Attempt], step: usize, state: Definite, at: Option<u64>) {
    let causes: &[Operation] = match state {
        Definite::Done | Definite::Refused => &[Operation::Act],
        Definite::Closed => &[Operation::Close, Operation::Undo, Operation::Act],
        Definite::Undone => &[Operation::Undo],
    };
    let own = |attempt: &&mut Attempt| attempt.command.step == step && causes.contains(&attempt.command.operation);
    // With the road's log the arrivals are known, otherwise an unknown way may have been one.
    let reached = |attempt: &Attempt| attempt.arrivals().min();
    let possible = |attempt: &Attempt| reached(attempt).is_some() || matches!(attempt.way, Way::Unknown(_));
    let by_then = |attempt: &Attempt| at.is_none_or(|at| reached(attempt).unwrap_or(attempt.sent) <= at);
    let mut candidates: Vec<&mut Attempt> = attempts.iter_mut().filter(own).filter(|attempt| possible(attempt)).collect();
    let known = candidates.iter().rposition(|attempt| by_then(attempt) && reached(attempt).is_some());
    let guessed = candidates.iter().rposition(|attempt| by_then(attempt));
    // Clocks may disagree so much that none had left by then: the first it was.
    let index = if at.is_some() { guessed } else { known }.unwrap_or(0);
    let Some(attempt) = candidates.get_mut(index) else { return };
    if let Way::Unknown(seen) = &attempt.way {
        // The receipt proves that it arrived, so it was the reply that nobody saw.
        let arrived = at.unwrap_or(attempt.sent).max(attempt.sent);
        let way = Way::Unknown(seen.clone());
        attempt.replies.push(Reply { left: arrived, says: state.name().to_owned(), way, journaled: None });
        attempt.way = Way::Arrived(arrived);
    }
    // The original or the copy, whichever had arrived last by then: the register's own clock is not the road's.
    let by_then = attempt.arrivals().filter(|&arrived| at.is_none_or(|at| arrived <= at)).max();
    let arrived = by_then.or_else(|| attempt.arrivals().min()).unwrap_or(attempt.sent);
    attempt.changes.push((arrived, state));
}
