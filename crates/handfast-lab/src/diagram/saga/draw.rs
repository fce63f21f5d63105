//! Puts a saga's entries, attempts and changes of registers into a diagram, causes before their effects.

use handfast_protocol::{Answer, Definite, Input, Kind, Mark as Ruled, Ruling, Standing, Told};

use super::super::{Clock, Diagram, LineId, Mark, Tone};
use super::SagaStory;
use super::attempts::{Attempt, Replayed, Way, attempts, replay};

/// Of more attempts at one command than this the fruitless ones in the middle are left out.
const DRAWN_IN_FULL: usize = 6;

/// Where an item belongs among those of the same time: the entry it follows from, the attempt, the place within it.
type Place = (u64, usize, u64, u8);

/// Something to be added to the diagram once everything is in order.
enum Piece<'a> {
    Entry(usize),
    Request(&'a Attempt),
    Change(&'a Attempt, Definite),
    Reply(&'a Attempt, usize),
    Fold(&'a Attempt, usize),
    Killed(Option<usize>, bool),
}

struct Lines {
    coordinator: LineId,
    steps: Vec<LineId>,
}

pub(super) fn draw(story: &SagaStory) -> Diagram {
    let mut picture = Diagram::new(&story.title, Clock::Milliseconds);
    picture.between("the road");
    let lines = life_lines(story, &mut picture);
    let replayed = replay(story);
    let attempts = attempts(story, &replayed);
    let mut pieces = pieces(story, &attempts);
    pieces.sort_by_key(|&(place, _)| place);
    for ((at, ..), piece) in &pieces {
        add(&mut picture, story, &lines, &replayed, *at, piece);
    }
    doubts(story, &replayed, lines.coordinator, &mut picture);
    outcomes(story, &replayed, &lines, &mut picture);
    for note in &story.notes {
        picture.caption(note);
    }
    picture
}

/// The coordinator in the middle: messengers then cross as few life lines as possible.
fn life_lines(story: &SagaStory, picture: &mut Diagram) -> Lines {
    let kinds: Vec<Kind> = story.plan.steps().iter().map(|step| step.kind).collect();
    let add = |picture: &mut Diagram, step: usize| {
        let line = picture.line(&story.steps[step].name);
        let role = match kinds.get(step) {
            Some(Kind::Compensatable) => "can be undone",
            Some(Kind::Pivot) => "cannot be undone",
            Some(Kind::Retriable) => "cannot refuse",
            None => "",
        };
        picture.role(line, role);
        line
    };
    let left = story.steps.len() / 2;
    let mut steps: Vec<LineId> = (0..left).map(|step| add(picture, step)).collect();
    let coordinator = picture.line(&story.coordinator);
    picture.role(coordinator, "coordinator");
    steps.extend((left..story.steps.len()).map(|step| add(picture, step)));
    Lines { coordinator, steps }
}

fn pieces<'a>(story: &SagaStory, attempts: &'a [Attempt]) -> Vec<(Place, Piece<'a>)> {
    let mut pieces: Vec<(Place, Piece<'a>)> = Vec::new();
    let has_reply =
        |entry: usize| attempts.iter().flat_map(|attempt| &attempt.replies).any(|reply| reply.journaled == Some(entry));
    for (index, entry) in story.entries.iter().enumerate().filter(|&(index, _)| !has_reply(index)) {
        pieces.push(((entry.at, index, 0, 0), Piece::Entry(index)));
    }
    let mut left_out = 0;
    for (index, attempt) in attempts.iter().enumerate() {
        let place = |at: u64, rank: u8| (at, attempt.intent, attempt.number, rank);
        let folded = is_left_out(attempts, index);
        if folded {
            left_out += 1;
            let next_is_too = attempts[index + 1..].iter().position(|next| next.command == attempt.command);
            if next_is_too.is_some_and(|offset| is_left_out(attempts, index + 1 + offset)) {
                continue;
            }
            pieces.push((place(attempt.sent, 1), Piece::Fold(attempt, std::mem::take(&mut left_out))));
            continue;
        }
        pieces.push((place(attempt.sent, 1), Piece::Request(attempt)));
        for &(at, state) in attempt.changes.iter().filter(|change| brought_by(attempt) != Some(**change)) {
            pieces.push((place(at, 2), Piece::Change(attempt, state)));
        }
        for (number, reply) in attempt.replies.iter().enumerate() {
            pieces.push((place(reply.left, 3), Piece::Reply(attempt, number)));
        }
    }
    for kill in &story.kills {
        pieces.push(((kill.at, usize::MAX, 0, 0), Piece::Killed(kill.step, false)));
        pieces.extend(kill.back.map(|back| ((back, 0, 0, 0), Piece::Killed(kill.step, true))));
    }
    pieces
}

/// The change that the first arrival of the request brought about.
fn brought_by(attempt: &Attempt) -> Option<(u64, Definite)> {
    let first = attempt.arrivals().min()?;
    attempt.changes.iter().copied().find(|&(at, _)| at == first)
}

/// Of many attempts at one command the first two, the last two and all that came to something are drawn.
fn is_left_out(attempts: &[Attempt], index: usize) -> bool {
    let attempt = &attempts[index];
    let like = |attempts: &[Attempt]| attempts.iter().filter(|other| other.command == attempt.command).count();
    let (before, after) = (like(&attempts[..index]), like(&attempts[index + 1..]));
    attempt.is_fruitless() && before + after + 1 > DRAWN_IN_FULL && before >= 2 && after >= 2
}

fn add(picture: &mut Diagram, story: &SagaStory, lines: &Lines, replayed: &[Replayed], at: u64, piece: &Piece<'_>) {
    match *piece {
        Piece::Entry(index) => {
            let (mark, text) = entry(story, replayed, index);
            picture.mark(lines.coordinator, at, mark, &text);
        }
        Piece::Request(attempt) => {
            let label = match attempt.number {
                0 | 1 => attempt.command.operation.name().to_owned(),
                number => format!("{} · try {number}", attempt.command.operation.name()),
            };
            let message = picture.message(lines.coordinator, lines.steps[attempt.command.step], &label).sent(at);
            end(message, &attempt.way);
            if let Some((_, state)) = brought_by(attempt) {
                message.brings(Mark::Durable, state_word(story, attempt.command.step, state));
            }
            match &attempt.copy {
                Some(Way::Arrived(at) | Way::Late(at)) => {
                    message.copy_arrives(*at);
                }
                Some(Way::Lost(_) | Way::Unknown(_)) | None => {}
            }
        }
        Piece::Change(attempt, state) => {
            let step = attempt.command.step;
            picture.mark(lines.steps[step], at, Mark::Durable, state_word(story, step, state));
        }
        Piece::Reply(attempt, number) => {
            let reply = &attempt.replies[number];
            let label = if reply.says.is_empty() { "answer" } else { &reply.says };
            let message = picture.message(lines.steps[attempt.command.step], lines.coordinator, label).reply().sent(at);
            end(message, &reply.way);
            if let Some(index) = reply.journaled {
                let (mark, text) = entry(story, replayed, index);
                message.brings(mark, &text);
            }
        }
        Piece::Fold(attempt, left_out) => {
            let name = &story.steps[attempt.command.step].name;
            let operation = attempt.command.operation.name();
            let tries = if left_out == 1 { "try" } else { "tries" };
            let which = if attempt.replies.is_empty() { "" } else { " that was understood" };
            picture.fold(at, &format!("{left_out} more {tries} to {operation} {name}, without an answer{which}"));
        }
        Piece::Killed(step, back) => {
            let line = step.map_or(lines.coordinator, |step| lines.steps[step]);
            let (mark, text) = if back { (Mark::Restart, "back") } else { (Mark::Crash, "killed") };
            picture.mark(line, at, mark, text);
        }
    }
}

fn end(message: &mut super::super::Message, way: &Way) {
    match way {
        Way::Arrived(at) => message.arrives(*at),
        Way::Late(at) => message.arrives_late(*at),
        Way::Lost(how) => message.captured_by(how),
        Way::Unknown(seen) => message.unanswered(seen),
    };
}

/// What a step is called; a question mark for one that the flow does not have.
fn name_of(story: &SagaStory, step: usize) -> &str {
    story.steps.get(step).map_or("?", |step| step.name.as_str())
}

/// What a journal entry says, and what it changed about the saga as a whole.
fn entry(story: &SagaStory, replayed: &[Replayed], index: usize) -> (Mark, String) {
    let entry = &story.entries[index];
    let detail = entry.detail.as_ref().map(|detail| format!(" ({detail})")).unwrap_or_default();
    let (mark, said) = match entry.input {
        Input::Start => (Mark::Durable, "placed".to_owned()),
        Input::Timeout | Input::Receive(Told::Due(_)) => (Mark::Demand, deadline(story, replayed, index)),
        Input::Receive(Told::Cancel) => (Mark::Demand, format!("cancel asked for{detail}")),
        Input::Receive(Told::Ruled(ruling)) => (Mark::Demand, format!("{}{detail}", ruled(story, ruling))),
        Input::Receive(Told::Moved { step, .. }) => {
            let name = name_of(story, step);
            (Mark::Demand, format!("{name}: called at another address"))
        }
        Input::Receive(Told::SameBooks { step }) => {
            let name = name_of(story, step);
            (Mark::Demand, format!("{name}: both addresses keep the same books{detail}"))
        }
        Input::Receive(Told::Forgotten { step }) => {
            let name = name_of(story, step);
            (Mark::Demand, format!("{name}: accepted as restored, to be read again"))
        }
        Input::Receive(Told::Sent { step }) => {
            let name = name_of(story, step);
            (Mark::Durable, format!("{name}: marked as sent"))
        }
        Input::Receive(Told::Undo { step, told }) => {
            let name = name_of(story, step);
            (Mark::Durable, format!("{name}: undo {}{detail}", told.name()))
        }
        Input::Receive(Told::Looked { step, .. }) => {
            let name = name_of(story, step);
            (Mark::Durable, format!("{name}: nothing there"))
        }
        Input::Receive(Told::Differs { step, .. }) => {
            let name = name_of(story, step);
            (Mark::Durable, format!("{name}: other values than were asked for{detail}"))
        }
        Input::Receive(Told::Answer { to, answer }) => {
            let name = name_of(story, to.step);
            let word = match answer {
                Answer::State(state) => state_word(story, to.step, state),
                Answer::OtherBody => "key in use for another body",
            };
            (Mark::Durable, format!("{name}: {word}{detail}"))
        }
    };
    let before = index.checked_sub(1).map(|before| replayed[before].coordinator.standing());
    let after = replayed[index].coordinator.standing();
    let turned = match after {
        Standing::Cancelling if before != Some(after) => ", turning back",
        Standing::Suspended if before != Some(after) => ", suspended",
        Standing::Committed if before != Some(after) => ", no way back",
        Standing::Settled if before != Some(after) => ", settled",
        Standing::Cancelling
        | Standing::Suspended
        | Standing::Settled
        | Standing::Committed
        | Standing::Placed
        | Standing::Acting
        | Standing::Completed
        | Standing::Cancelled => "",
    };
    (mark, format!("{said}{turned}"))
}

/// What a person said, in words.
fn ruled(story: &SagaStory, ruling: Ruling) -> String {
    match ruling {
        Ruling::Retry => "a person: ask again".to_owned(),
        Ruling::Resume => "a person: go on".to_owned(),
        Ruling::Mark { step, mark } => {
            let name = name_of(story, step);
            format!("a person: {name} was {}", mark.name().replace('_', " "))
        }
        Ruling::Settle => "a person: wait for nobody".to_owned(),
    }
}

/// Whose deadline it was: the steps whose keys are closed by it.
fn deadline(story: &SagaStory, replayed: &[Replayed], index: usize) -> String {
    let closed: Vec<&str> =
        replayed[index].intended.iter().filter_map(|command| Some(story.steps.get(command.step)?.name.as_str())).collect();
    if closed.is_empty() { "deadline".to_owned() } else { format!("deadline: close {}", closed.join(", ")) }
}

fn state_word(story: &SagaStory, step: usize, state: Definite) -> &str {
    let own = story.steps.get(step).map_or("", |step| match state {
        Definite::Done => step.done.as_str(),
        Definite::Undone => step.undone.as_str(),
        Definite::Refused | Definite::Closed => "",
    });
    if own.is_empty() { state.name() } else { own }
}

/// The stretches in which something was asked and not answered.
fn doubts(story: &SagaStory, replayed: &[Replayed], line: LineId, picture: &mut Diagram) {
    let mut since = None;
    for (entry, after) in story.entries.iter().zip(replayed) {
        match (since, after.in_doubt) {
            (None, true) => since = Some(entry.at),
            (Some(from), false) => {
                picture.in_doubt(line, from, Some(entry.at));
                since = None;
            }
            (None, false) | (Some(_), true) => {}
        }
    }
    if let Some(from) = since {
        picture.in_doubt(line, from, None);
    }
}

fn outcomes(story: &SagaStory, replayed: &[Replayed], lines: &Lines, picture: &mut Diagram) {
    let Some(last) = replayed.last() else { return };
    let standing = last.coordinator.standing();
    let (tone, verdict) = match standing {
        Standing::Completed => (Tone::Good, format!("both: {}", all_done(story))),
        Standing::Cancelled => (Tone::Calm, "neither: nothing is done for good, and nothing ever will be".to_owned()),
        Standing::Suspended => (Tone::Bad, "suspended: a participant contradicted itself, a person has to look".to_owned()),
        Standing::Settled => (Tone::Bad, "settled by a person: nobody has made sure of both or of neither".to_owned()),
        Standing::Committed => (Tone::Doubt, "not yet both, but no way back".to_owned()),
        Standing::Placed | Standing::Acting | Standing::Cancelling if last.in_doubt => {
            (Tone::Doubt, format!("in doubt: {}", standing.name()))
        }
        Standing::Placed | Standing::Acting | Standing::Cancelling => (Tone::Doubt, standing.name().to_owned()),
    };
    let (tone, verdict) = match (standing, words_alone(story, last)) {
        (Standing::Completed | Standing::Cancelled, words) if !words.is_empty() => {
            (Tone::Doubt, format!("{verdict}, if it is as a person has said of {}", words.join(", ")))
        }
        (_, _) => (tone, verdict),
    };
    let (tone, verdict) = match &story.trouble {
        Some(trouble) => (Tone::Bad, format!("suspended: {trouble}")),
        None => (tone, verdict),
    };
    let stands = if story.trouble.is_some() { Standing::Suspended } else { standing };
    picture.outcome(lines.coordinator, tone, stands.name());
    for (step, &line) in lines.steps.iter().enumerate() {
        let (asked, known) = last.coordinator.step_state(step);
        // What rests on a person's word is neither known nor unknown.
        let (tone, word) = match (last.coordinator.step_mark(step), known, asked) {
            (Some(mark), ..) => (Tone::Doubt, by_a_word(mark)),
            (None, Some(Definite::Done), _) => (Tone::Good, state_word(story, step, Definite::Done)),
            (None, Some(Definite::Closed), _) => (Tone::Calm, "closed for good"),
            (None, Some(state), _) => (Tone::Calm, state_word(story, step, state)),
            (None, None, Some(_)) => (Tone::Doubt, "not known"),
            (None, None, None) => (Tone::Calm, "never asked"),
        };
        picture.outcome(line, tone, word);
    }
    picture.verdict(tone, &verdict);
}

/// The steps of which only a person's word is known.
fn words_alone<'a>(story: &'a SagaStory, last: &Replayed) -> Vec<&'a str> {
    let steps = story.steps.iter().enumerate();
    steps.filter(|(step, _)| last.coordinator.step_mark(*step).is_some()).map(|(_, step)| step.name.as_str()).collect()
}

/// How a step stands of which only a person's word is known.
const fn by_a_word(mark: Ruled) -> &'static str {
    match mark {
        Ruled::Done => "done, by a word",
        Ruled::NotDone => "not done, by a word",
        Ruled::Undone => "undone, by a word",
    }
}

fn all_done(story: &SagaStory) -> String {
    let words: Vec<&str> = (0..story.steps.len()).map(|step| state_word(story, step, Definite::Done)).collect();
    match words.as_slice() {
        [one, other] if one != other => format!("{one} and {other}"),
        _ => "every step is done".to_owned(),
    }
}
