//! Runs of this world in words and as space-time diagrams.

use std::fmt::{self, Display};

use handfast_protocol::Guards;

use super::world::{Action, Restored, Snapshot, World};
use crate::diagram::{Clock, Diagram, LineId, Mark};
use crate::explorer::Run;
use crate::told::{InWords, answer, command, ruling, standing_change, state, time};

impl<G> Display for Restored<G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "set of sent messages, cancel at any moment, a participant put back and accepted {}x", self.restores)?;
        if self.is_accepted_later {
            write!(f, ", later")?;
        }
        if self.has_person { write!(f, ", a person acts at any moment") } else { Ok(()) }
    }
}

impl<G: Guards> Restored<G> {
    fn restored_in_words(&self, house: usize, to: &Snapshot) -> String {
        let names = self.names_of(house);
        let states = self.steps_of(house).map(|step| state(to[step])).collect::<Vec<_>>().join(" and ");
        let then = if self.is_accepted_later { "" } else { ", and accepted" };
        match self.steps_of(house).count() {
            1 => format!("{names} is put back to when its key was {states}{then}"),
            _ => format!("{names} are put back to when their keys were {states}{then}"),
        }
    }

    fn names_of(&self, house: usize) -> String {
        self.steps_of(house).map(|step| self.plan.names()[step]).collect::<Vec<_>>().join(" and ")
    }
}

impl<G: Guards> InWords for Restored<G> {
    fn in_words(&self, action: &Action) -> String {
        match *action {
            Action::Send(sent) => format!("the coordinator sends: {}", command(sent, self.plan.names())),
            Action::Arrive(arrived, accepts) => {
                let how = if accepts { "" } else { ", and the service declines" };
                format!("arrives: {}{how}", command(arrived, self.plan.names()))
            }
            Action::Hear(to, said, life) => {
                format!("is journaled: {} -> {} of life {}", command(to, self.plan.names()), answer(said), life + 1)
            }
            Action::Deadline => "a deadline passes".to_owned(),
            Action::Cancel => "somebody cancels".to_owned(),
            Action::Say(said) => format!("a person says: {}", ruling(said, self.plan.names())),
            Action::Restore(house, ref to) => self.restored_in_words(house, to),
            Action::Accept(house) => format!("{} is accepted as it is", self.names_of(house)),
        }
    }

    fn state_in_words(&self, world: &World<G>) -> String {
        let names = self.plan.names();
        let keys: Vec<String> = names
            .iter()
            .zip(&world.keys)
            .enumerate()
            .map(|(step, (name, key))| {
                let again = if world.coordinator.is_unconfirmed(step) { ", to be read again" } else { "" };
                let known = state(world.coordinator.step_state(step).1);
                format!("{name} {} (known: {known}{again})", state(*key))
            })
            .collect();
        format!("journal: {}; {}", world.coordinator.standing().name(), keys.join("; "))
    }

    fn changes(&self, before: &World<G>, after: &World<G>) -> Vec<String> {
        let standing = standing_change([before, after].map(|world| world.coordinator.standing()));
        let mut changes: Vec<String> = standing.into_iter().collect();
        for (name, (was, is)) in self.plan.names().iter().zip(before.keys.iter().zip(&after.keys)) {
            if was != is {
                changes.push(format!("the key of {name} is {} now, it was {}", state(*is), state(*was)));
            }
        }
        changes
    }

    fn draw(&self, run: &Run<World<G>, Action>, title: &str) -> Diagram {
        let mut picture = Diagram::new(title, Clock::Steps);
        picture.between("the road");
        let shop = picture.line("coordinator");
        let participants: Vec<LineId> = self.plan.names().iter().map(|name| picture.line(name)).collect();
        for step in 0..run.steps.len() {
            self.draw_step(&mut picture, (shop, &participants), run, step);
        }
        picture.caption(&self.state_in_words(run.last()));
        picture
    }
}

impl<G: Guards> Restored<G> {
    fn draw_step(
        &self,
        picture: &mut Diagram,
        (shop, participants): (LineId, &[LineId]),
        run: &Run<World<G>, Action>,
        step: usize,
    ) {
        let at = time(step);
        let later = || run.steps.iter().enumerate().skip(step + 1).map(|(number, (action, after))| (number, action, after));
        match run.steps[step].0 {
            Action::Send(sent) => {
                let message = picture.message(shop, participants[sent.step], sent.operation.name()).sent(at);
                let arrivals = later().filter(|(_, action, _)| matches!(action, Action::Arrive(arrived, _) if *arrived == sent));
                for (number, (arrival, _, after)) in arrivals.enumerate() {
                    if number == 0 {
                        message.arrives(time(arrival)).brings(Mark::Durable, state(after.keys[sent.step]));
                    } else {
                        message.copy_arrives(time(arrival));
                    }
                }
            }
            Action::Arrive(arrived, _) => {
                let is_its = |action: &Action| matches!(action, Action::Hear(to, _, _) if *to == arrived);
                if let Some((heard, Action::Hear(_, said, _), _)) = later().find(|(_, action, _)| is_its(action)) {
                    let message = picture.message(participants[arrived.step], shop, answer(*said)).reply().sent(at);
                    message.arrives(time(heard)).brings(Mark::Durable, "journaled");
                }
            }
            // Drawn where the answer left.
            Action::Hear(..) => {}
            Action::Deadline => drop(picture.mark(shop, at, Mark::Demand, "deadline")),
            Action::Cancel => drop(picture.mark(shop, at, Mark::Demand, "cancel")),
            Action::Accept(_) => drop(picture.mark(shop, at, Mark::Demand, "accepted")),
            Action::Say(_) => drop(picture.mark(shop, at, Mark::Demand, "a person")),
            Action::Restore(house, ref to) => {
                for restored in self.steps_of(house) {
                    let then = if self.is_accepted_later { "" } else { ", accepted" };
                    let text = format!("put back to {}{then}", state(to[restored]));
                    picture.mark(participants[restored], at, Mark::Restart, &text);
                }
            }
        }
    }
}
