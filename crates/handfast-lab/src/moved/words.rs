//! Runs of this world in words and as space-time diagrams.

use std::fmt::{self, Display};

use handfast_protocol::Guards;

use super::action::{Action, Said, Sent, nature};
use super::books::{Address, Kept};
use super::world::{Moved, World, known};
use crate::diagram::{Clock, Diagram, LineId, Mark};
use crate::explorer::Run;
use crate::told::{InWords, answer, command, ruling, standing_change, state, time};

impl<G> Display for Moved<G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cancels = if self.is_patient { "no deadlines" } else { "cancel at any moment" };
        write!(f, "set of sent messages, {cancels}, a service moves {}x", self.moves)?;
        if let Some(plan) = self.plan.in_words() {
            write!(f, ", {plan}")?;
        }
        if self.restores > 0 {
            write!(f, ", an older journal comes back {}x", self.restores)?;
        }
        let may_be = [
            (self.copies, "the former books may be copied"),
            (self.has_worker_behind, "another worker is behind"),
            (!self.can_be_looked_at, "nobody can be looked at at the new address"),
            (self.has_person, "a person acts at any moment"),
        ];
        may_be.iter().filter(|(is_so, _)| *is_so).try_for_each(|(_, words)| write!(f, ", {words}"))
    }
}

const fn said(said: Said) -> &'static str {
    match said {
        Said::Answer(said) => answer(said),
        Said::Nothing => "absent",
    }
}

const fn place(address: Address) -> &'static str {
    match address {
        Address::Former => "the former address",
        Address::New => "the new address",
    }
}

const fn kept(kept: Kept) -> &'static str {
    match kept {
        Kept::Same => "the same books",
        Kept::Others => "other books",
        Kept::Copy => "the copy of the books",
    }
}

impl<G: Guards> InWords for Moved<G> {
    fn in_words(&self, action: &Action) -> String {
        let names = self.plan.names();
        match *action {
            Action::Send(Sent { command: sent, is_late, .. }) => {
                let when = if is_late { ", once nothing of the undo is on the road" } else { "" };
                format!("the coordinator sends: {}{when}", command(sent, names))
            }
            Action::SendBehind(sent) => format!("the worker that is behind sends: {}", command(sent, names)),
            Action::Arrive(Sent { command: arrived, address, is_late }, accepts) => {
                let how = if accepts { "" } else { ", and the service declines" };
                let when = if is_late { " (late)" } else { "" };
                format!("arrives at {}: {}{when}{how}", place(address), command(arrived, names))
            }
            Action::Hear(Sent { command: to, address, is_late }, heard) => {
                let when = if is_late { " (late)" } else { "" };
                format!("is journaled: {}{when} -> {} of {}", command(to, names), said(heard), place(address))
            }
            Action::Deadline => "a deadline passes".to_owned(),
            Action::Due(due) => nature(due).to_owned(),
            Action::Cancel => "somebody cancels".to_owned(),
            Action::Say(said) => format!("a person says: {}", ruling(said, names)),
            Action::SameBooks(step) => format!("a person says: both addresses of {} keep the same books", names[step]),
            Action::Copy(step) => format!("the books of {} are copied", names[step]),
            Action::Move(step, is_kept) => {
                format!("{} is called at its other address, which keeps {}", names[step], kept(is_kept))
            }
            Action::BackUp => "the journal is copied".to_owned(),
            Action::Restore => "the journal comes back from its copy".to_owned(),
            Action::FallBehind => "another worker reads the journal, and falls behind".to_owned(),
        }
    }

    fn state_in_words(&self, world: &World<G>) -> String {
        let names = self.plan.names();
        let in_words = |(step, name): (usize, &&str)| {
            let books = world.books[step];
            let other = match books.kept {
                None | Some(Kept::Same) => String::new(),
                Some(is_kept @ (Kept::Others | Kept::Copy)) => format!(" and {} in {}", state(books.keys[1]), kept(is_kept)),
            };
            let moved = if world.coordinator.is_moved(step) { ", asked elsewhere" } else { "" };
            format!("{name} {}{other} (known: {}{moved})", state(books.keys[0]), state(known(world, step)))
        };
        let keys: Vec<String> = names.iter().enumerate().map(in_words).collect();
        format!("journal: {}; {}", world.coordinator.standing().name(), keys.join("; "))
    }

    fn changes(&self, before: &World<G>, after: &World<G>) -> Vec<String> {
        let standing = standing_change([before, after].map(|world| world.coordinator.standing()));
        let mut changes: Vec<String> = standing.into_iter().collect();
        for (name, (was, is)) in self.plan.names().iter().zip(before.books.iter().zip(&after.books)) {
            for (books, at) in [("", 0), (" in the books of the new address", 1)] {
                let (was, is) = (was.keys[at], is.keys[at]);
                if was != is {
                    changes.push(format!("the key of {name}{books} is {} now, it was {}", state(is), state(was)));
                }
            }
        }
        changes
    }

    fn draw(&self, run: &Run<World<G>, Action>, title: &str) -> Diagram {
        let mut picture = Diagram::new(title, Clock::Steps);
        picture.between("the road");
        let shop = picture.line("coordinator");
        let lines = |name: &&str| [(*name).to_owned(), format!("{name}, moved")];
        let participants: Vec<[LineId; 2]> =
            self.plan.names().iter().map(|name| lines(name).map(|line| picture.line(&line))).collect();
        for step in 0..run.steps.len() {
            draw_step(&mut picture, (shop, &participants), run, step);
        }
        picture.caption(&self.state_in_words(run.last()));
        picture
    }
}

fn draw_step<G: Guards>(
    picture: &mut Diagram,
    (shop, participants): (LineId, &[[LineId; 2]]),
    run: &Run<World<G>, Action>,
    step: usize,
) {
    let at = time(step);
    let later = || run.steps.iter().enumerate().skip(step + 1).map(|(number, (action, after))| (number, action, after));
    let (action, after) = &run.steps[step];
    match *action {
        Action::Send(sent) => {
            let to = participants[sent.command.step][sent.address.index()];
            let message = picture.message(shop, to, sent.command.operation.name()).sent(at);
            let is_its = |action: &Action| matches!(action, Action::Arrive(arrived, _) if *arrived == sent);
            for (number, (arrival, _, _)) in later().filter(|(_, action, _)| is_its(action)).enumerate() {
                if number == 0 {
                    message.arrives(time(arrival)).brings(Mark::Durable, "kept");
                } else {
                    message.copy_arrives(time(arrival));
                }
            }
        }
        Action::Arrive(arrived, _) => {
            let is_its = |action: &Action| matches!(action, Action::Hear(to, _) if *to == arrived);
            if let Some((heard, Action::Hear(_, answer), _)) = later().find(|(_, action, _)| is_its(action)) {
                let from = participants[arrived.command.step][arrived.address.index()];
                let message = picture.message(from, shop, said(*answer)).reply().sent(at);
                message.arrives(time(heard)).brings(Mark::Durable, "journaled");
            }
        }
        // Drawn where the answer left.
        Action::Hear(..) => {}
        Action::SendBehind(_) => drop(picture.mark(shop, at, Mark::Demand, "sent by another")),
        Action::Deadline | Action::Due(_) => drop(picture.mark(shop, at, Mark::Demand, "deadline")),
        Action::Cancel => drop(picture.mark(shop, at, Mark::Demand, "cancel")),
        Action::Say(_) | Action::SameBooks(_) => drop(picture.mark(shop, at, Mark::Demand, "a person")),
        Action::FallBehind => drop(picture.mark(shop, at, Mark::Demand, "another is behind")),
        Action::BackUp => drop(picture.mark(shop, at, Mark::Restart, "copied")),
        Action::Restore => drop(picture.mark(shop, at, Mark::Restart, "put back")),
        Action::Copy(copied) => {
            let to = participants[copied][Address::Former.index()];
            picture.mark(to, at, Mark::Restart, "copied");
        }
        Action::Move(moved, is_kept) => {
            let to = participants[moved][after.books[moved].called_at.index()];
            picture.mark(to, at, Mark::Restart, &format!("called here: {}", kept(is_kept)));
        }
    }
}
