//! Draws a run of a saga's world as a space-time diagram.

use handfast_protocol::{Answer, Command, Definite, Input, Operation, Told};

use super::action::Action;
use super::ids::Ids;
use super::model::{due_in_words, ruling_in_words};
use super::network::Message;
use super::world::{Key, Saga, World, message_of};
use crate::diagram::{Clock, Diagram, LineId, Mark, Tone};
use crate::explorer::Run;
use crate::told::{self, time};

/// The space-time diagram of a run that breaks `property`. One life line stands for the coordinator, whichever worker acts.
pub(super) fn draw(saga: &Saga, run: &Run<World, Action>, title: &str, property: &str) -> Diagram {
    let mut picture = draw_so_far(saga, run, title);
    picture.verdict(Tone::Bad, &format!("broken: {property}"));
    picture
}

/// The same of a run that has not come to its end.
pub(super) fn draw_so_far(saga: &Saga, run: &Run<World, Action>, title: &str) -> Diagram {
    let mut picture = Diagram::new(title, Clock::Steps);
    picture.between("the road");
    let shop = picture.line("coordinator");
    let participants = saga.names.iter().map(|name| picture.line(name)).collect();
    let workers = saga.adversary.workers;
    let mut painter =
        Painter { picture, shop, participants, ids: Ids { saga, run }, workers, actions: saga.with_lasting_numbers(run), run };
    for step in 0..run.steps.len() {
        painter.draw(step);
    }
    let mut picture = painter.picture;
    picture.caption(&saga.in_words(run.last()));
    picture
}

struct Painter<'a> {
    picture: Diagram,
    shop: LineId,
    participants: Vec<LineId>,
    ids: Ids<'a>,
    workers: usize,
    actions: Vec<Action>,
    run: &'a Run<World, Action>,
}

impl<'a> Painter<'a> {
    const fn names(&self) -> &'a [String] {
        self.ids.saga.names.as_slice()
    }

    fn draw(&mut self, step: usize) {
        let at = time(step);
        match self.actions[step] {
            Action::Load { worker } => self.note(at, worker, Mark::Note, "loads the journal"),
            Action::Append { worker, input, .. } => match input {
                Input::Timeout | Input::Receive(Told::Due(_)) => self.note(at, worker, Mark::Demand, "deadline"),
                Input::Receive(Told::Cancel) => self.note(at, worker, Mark::Demand, "cancel"),
                Input::Start => self.note(at, worker, Mark::Durable, "start"),
                // Drawn where the answer left, with the arrow that brings it.
                Input::Receive(Told::Answer { .. } | Told::Looked { .. } | Told::Undo { .. }) => {}
                Input::Receive(Told::Differs { .. }) => self.note(at, worker, Mark::Durable, "something else is in effect"),
                Input::Receive(Told::Ruled(ruling)) => {
                    let text = ruling_in_words(ruling, self.names());
                    self.note(at, worker, Mark::Demand, &text);
                }
                Input::Receive(Told::Forgotten { .. }) => self.note(at, worker, Mark::Demand, "evidence no more"),
                Input::Receive(Told::Moved { .. }) => self.note(at, worker, Mark::Demand, "called at another address"),
                Input::Receive(Told::SameBooks { .. }) => self.note(at, worker, Mark::Demand, "the same books"),
                Input::Receive(Told::Sent { .. }) => self.note(at, worker, Mark::Durable, "marked as sent"),
            },
            Action::AppendDue { worker, step, due } => {
                let of = format!("{} of {}", due_in_words(due), self.names()[step]);
                self.note(at, worker, Mark::Demand, &of);
            }
            Action::Send { worker, command } => self.draw_command(step, worker, command, ""),
            Action::SendLate { worker, step: seen } => {
                let command = Command { step: seen, operation: Operation::Look };
                self.draw_command(step, worker, command, ", after the end of the watch");
            }
            Action::SendEarly { worker, command, .. } => self.draw_command(step, worker, command, ", before the journal knows"),
            Action::Arrive { command, .. } => self.draw_answer(step, command),
            Action::ArriveLook { look, .. } | Action::LookIsSpokenFor { look, .. } => {
                self.draw_answer(step, Command { step: look.step, operation: Operation::Look });
            }
            Action::ArriveHalfway { command } => {
                let line = self.participants[command.step];
                self.picture.mark(line, at, Mark::Crash, "effect committed, register not");
            }
            Action::CrashParticipant { command } => {
                self.picture.mark(self.participants[command.step], at, Mark::Crash, "crashes");
            }
            Action::Capture { .. } => {}
            Action::CrashWorker { worker } => self.note(at, worker, Mark::Crash, "crashes"),
            Action::Copy => {
                self.picture.mark(self.shop, at, Mark::Note, "a copy of the journal is taken");
            }
            Action::Restore => {
                self.picture.mark(self.shop, at, Mark::Restart, "back with the older journal");
            }
            Action::RestoreBefore { of } => {
                let text = format!("back with the older journal, which kept no id of {}", self.names()[of]);
                self.picture.mark(self.shop, at, Mark::Restart, &text);
            }
            Action::Forget { step: forgetful } => {
                self.picture.mark(self.participants[forgetful], at, Mark::News, "forgets its key");
            }
            Action::Expire { step: forgetful } => {
                self.picture.mark(self.participants[forgetful], at, Mark::Note, "does not remember its key any more");
            }
            Action::EndUndo { step: undone, fails } => {
                let text = if fails { "the undo fails" } else { "the undo is done" };
                self.picture.mark(self.participants[undone], at, Mark::Note, text);
            }
            Action::Lapse { step: held } => {
                self.picture.mark(self.participants[held], at, Mark::Note, "the hold lapses");
            }
            Action::UndoByHand { step: undone } => {
                self.picture.mark(self.participants[undone], at, Mark::Note, "undone by hand");
            }
        }
    }

    fn note(&mut self, at: u64, worker: usize, mark: Mark, text: &str) {
        let text = if self.workers > 1 { format!("worker {}: {text}", worker + 1) } else { text.to_owned() };
        self.picture.mark(self.shop, at, mark, &text);
    }

    /// A command, with every arrival that no later sending of it accounts for.
    fn draw_command(&mut self, sent: usize, worker: usize, command: Command, remark: &str) {
        let resent = |step: &usize| self.sends(*step, command);
        let until = (sent + 1..self.run.steps.len()).find(resent).unwrap_or(self.run.steps.len());
        let arrivals: Vec<usize> = (sent + 1..until).filter(|&step| self.arrives(step, command)).collect();
        let taken = [Action::Capture { message: message_of(command) }, Action::CrashParticipant { command }];
        let captured = (sent + 1..until).any(|step| taken.contains(&self.actions[step]));
        let brought = arrivals.first().map(|&step| self.what_happened(step, command.step));
        let who = if self.workers > 1 { format!(" (worker {})", worker + 1) } else { String::new() };
        let id = self.ids.carried(sent, command.step).unwrap_or_default();
        let label = format!("{}{id}{who}{remark}", command.operation.name());
        let message = self.picture.message(self.shop, self.participants[command.step], &label).sent(time(sent));
        for (number, &arrival) in arrivals.iter().enumerate() {
            if number == 0 {
                message.arrives(time(arrival));
            } else {
                message.copy_arrives(time(arrival));
            }
        }
        if let Some(text) = brought {
            message.brings(Mark::Durable, &text);
        }
        if captured {
            message.captured();
        }
        for &copy in arrivals.iter().skip(1) {
            let text = self.what_happened(copy, command.step);
            self.picture.mark(self.participants[command.step], time(copy), Mark::Durable, &text);
        }
    }

    /// The answer that an arrival caused, if a worker ever journaled it or the road captured it.
    fn draw_answer(&mut self, step: usize, command: Command) {
        let later = &self.actions[step + 1..self.ids.on_the_road_until(step, command.step)];
        let told = later.iter().position(|action| answer_in(action, command).is_some());
        let is_lost = |action: &Action| {
            matches!(*action, Action::Capture { message: Message::Answer(to, _) } if to == command)
                || matches!(*action, Action::Capture { message: Message::Nothing(look) } if is_look_at(command, look.step))
        };
        let lost = later.iter().any(is_lost);
        let from = self.participants[command.step];
        let Some(told) = told.map(|after| step + 1 + after) else {
            if lost {
                self.picture.message(from, self.shop, "answer").reply().sent(time(step)).captured();
            }
            return;
        };
        let Some((worker, word)) = answer_in(&self.actions[told], command) else { return };
        let who = if self.workers > 1 { format!("worker {}: ", worker + 1) } else { String::new() };
        let is_done = word == told::answer(Answer::State(Definite::Done));
        let id = is_done.then(|| self.ids.kept(step, told, command.step)).flatten().unwrap_or_default();
        let message = self.picture.message(from, self.shop, word).reply().sent(time(step));
        message.arrives(time(told)).brings(Mark::Durable, &format!("{who}journaled{id}"));
    }

    fn arrives(&self, step: usize, command: Command) -> bool {
        matches!(self.actions[step], Action::Arrive { command: other, .. } if other == command)
            || matches!(self.actions[step], Action::ArriveLook { look, .. } | Action::LookIsSpokenFor { look, .. } if is_look_at(command, look.step))
    }

    fn sends(&self, step: usize, command: Command) -> bool {
        matches!(self.actions[step], Action::Send { command: other, .. } if other == command)
            || matches!(self.actions[step], Action::SendLate { step, .. } if is_look_at(command, step))
    }

    /// What an arrival did to its key, in a few words.
    fn what_happened(&self, step: usize, key: usize) -> String {
        let before: Key = step.checked_sub(1).map_or(self.run.initial, |before| self.run.steps[before].1).keys[key];
        let after = self.run.steps[step].1.keys[key];
        let state = told::state(after.state);
        match (after.acts > before.acts, after.undos > before.undos) {
            (true, _) if before.acts > 0 => format!("{state}, a second time"),
            (_, true) if before.undos > 0 => format!("{state}, a second time"),
            (false, false) if before.state == after.state => format!("still {state}"),
            (true | false, true | false) => state.to_owned(),
        }
    }
}

fn is_look_at(command: Command, step: usize) -> bool {
    command == Command { step, operation: Operation::Look }
}

/// Which worker takes note of an answer to this command, and what that said.
fn answer_in(action: &Action, command: Command) -> Option<(usize, &'static str)> {
    let Action::Append { worker, input: Input::Receive(told), .. } = *action else { return None };
    match told {
        Told::Answer { to, answer } if to == command => Some((worker, told::answer(answer))),
        Told::Looked { step, found: Some(_), .. } if is_look_at(command, step) => Some((worker, "still there")),
        Told::Looked { step, .. } if is_look_at(command, step) => Some((worker, "nothing")),
        Told::Undo { step, told } if step == command.step => Some((worker, told.name())),
        Told::Answer { .. }
        | Told::Undo { .. }
        | Told::Looked { .. }
        | Told::Cancel
        | Told::Due(_)
        | Told::Ruled(_)
        | Told::Sent { .. }
        | Told::Differs { .. }
        | Told::Forgotten { .. }
        | Told::Moved { .. }
        | Told::SameBooks { .. } => None,
    }
}
