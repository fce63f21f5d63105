//! Runs of this world in words and as space-time diagrams.

use std::fmt::{self, Display};

use handfast_protocol::Guards;

use super::world::{Action, Address, Moved, NAMES, STEPS, Said, World};
use crate::diagram::{Clock, Diagram, LineId, Mark};
use crate::explorer::Run;
use crate::told::{InWords, answer, command, ruling, standing_change, state, time};

impl<G> Display for Moved<G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "set of sent messages, cancel at any moment, a service moves {}x", self.moves)?;
        if self.has_person { write!(f, ", a person acts at any moment") } else { Ok(()) }
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

const fn kept(are_same: bool) -> &'static str {
    if are_same { "the same books" } else { "other books" }
}

impl<G: Guards> InWords for Moved<G> {
    fn in_words(&self, action: &Action) -> String {
        match *action {
            Action::Send(sent) => format!("the coordinator sends: {}", command(sent, &NAMES)),
            Action::Arrive(arrived, address, accepts) => {
                let how = if accepts { "" } else { ", and the service declines" };
                format!("arrives at {}: {}{how}", place(address), command(arrived, &NAMES))
            }
            Action::Hear(to, heard, address) => {
                format!("is journaled: {} -> {} of {}", command(to, &NAMES), said(heard), place(address))
            }
            Action::Deadline => "a deadline passes".to_owned(),
            Action::Cancel => "somebody cancels".to_owned(),
            Action::Say(said) => format!("a person says: {}", ruling(said, &NAMES)),
            Action::SameBooks(step) => format!("a person says: both addresses of {} keep the same books", NAMES[step]),
            Action::Move(step, are_same) => {
                format!("{} is called at its other address, which keeps {}", NAMES[step], kept(are_same))
            }
        }
    }

    fn state_in_words(&self, world: &World<G>) -> String {
        let in_words = |step: usize| {
            let books = world.books[step];
            let other =
                if books.are_same == Some(false) { format!(" and {} in other books", state(books.other)) } else { String::new() };
            let moved = if world.coordinator.is_moved(step) { ", asked elsewhere" } else { "" };
            let known = state(world.coordinator.step_state(step).1);
            format!("{} {}{other} (known: {known}{moved})", NAMES[step], state(books.former))
        };
        let keys: Vec<String> = (0..STEPS).map(in_words).collect();
        format!("journal: {}; {}", world.coordinator.standing().name(), keys.join("; "))
    }

    fn changes(&self, before: &World<G>, after: &World<G>) -> Vec<String> {
        let standing = standing_change([before, after].map(|world| world.coordinator.standing()));
        let mut changes: Vec<String> = standing.into_iter().collect();
        for (name, (was, is)) in NAMES.iter().zip(before.books.iter().zip(&after.books)) {
            for (books, was, is) in [("", was.former, is.former), (" in other books", was.other, is.other)] {
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
        let participants = NAMES.map(|name| [picture.line(name), picture.line(&format!("{name}, moved"))]);
        for step in 0..run.steps.len() {
            draw_step(&mut picture, (shop, participants), run, step);
        }
        picture.caption(&self.state_in_words(run.last()));
        picture
    }
}

const fn index(address: Address) -> usize {
    match address {
        Address::Former => 0,
        Address::New => 1,
    }
}

fn draw_step<G: Guards>(
    picture: &mut Diagram,
    (shop, participants): (LineId, [[LineId; 2]; STEPS]),
    run: &Run<World<G>, Action>,
    step: usize,
) {
    let at = time(step);
    let later = || run.steps.iter().enumerate().skip(step + 1).map(|(number, (action, after))| (number, action, after));
    let (action, after) = &run.steps[step];
    match *action {
        Action::Send(sent) => {
            let address = after.books[sent.step].called_at;
            let to = participants[sent.step][index(address)];
            let message = picture.message(shop, to, sent.operation.name()).sent(at);
            let is_its =
                |action: &Action| matches!(action, Action::Arrive(arrived, place, _) if (*arrived, *place) == (sent, address));
            for (number, (arrival, _, _)) in later().filter(|(_, action, _)| is_its(action)).enumerate() {
                if number == 0 {
                    message.arrives(time(arrival)).brings(Mark::Durable, "kept");
                } else {
                    message.copy_arrives(time(arrival));
                }
            }
        }
        Action::Arrive(arrived, address, _) => {
            let is_its = |action: &Action| matches!(action, Action::Hear(to, _, place) if (*to, *place) == (arrived, address));
            if let Some((heard, Action::Hear(_, answer, _), _)) = later().find(|(_, action, _)| is_its(action)) {
                let from = participants[arrived.step][index(address)];
                let message = picture.message(from, shop, said(*answer)).reply().sent(at);
                message.arrives(time(heard)).brings(Mark::Durable, "journaled");
            }
        }
        // Drawn where the answer left.
        Action::Hear(..) => {}
        Action::Deadline => drop(picture.mark(shop, at, Mark::Demand, "deadline")),
        Action::Cancel => drop(picture.mark(shop, at, Mark::Demand, "cancel")),
        Action::Say(_) | Action::SameBooks(_) => drop(picture.mark(shop, at, Mark::Demand, "a person")),
        Action::Move(moved, are_same) => {
            let to = participants[moved][index(after.books[moved].called_at)];
            picture.mark(to, at, Mark::Restart, &format!("called here: {}", kept(are_same)));
        }
    }
}
