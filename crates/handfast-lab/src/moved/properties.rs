//! What has to hold wherever the services are.

use handfast_protocol::{Guards, Operation, Outcome, Party as _};

use super::action::Action;
use super::world::{Moved, World};
use crate::explorer::Property;
use crate::one_saga::{has_just_ended, waits_or_is_told};

impl<G: Guards> Moved<G> {
    pub(super) fn claims(&self) -> Vec<Property<Self>> {
        let mut properties = vec![
            Property::always("nothing is done twice, in whatever books", |_: &Self, world: &World<G>| {
                world.books.iter().all(|books| books.times_done() <= 1)
            }),
            Property::always("nothing is undone twice, in whatever books", |_: &Self, world: &World<G>| {
                world.books.iter().all(|books| books.effects.iter().all(|effect| effect.undone <= effect.done))
            }),
            Property::always("dispatched only if paid", |model: &Self, world: &World<G>| {
                let Some(gate) = model.deployed.gate() else { return true };
                (gate..world.books.len()).all(|step| !world.is_in_effect(step)) || (0..gate).all(|step| world.is_in_effect(step))
            }),
            Property::always("cancelled is neither, in whatever books", |_: &Self, world: &World<G>| {
                let is_cancelled = world.coordinator.decision() == Some(Outcome::Cancelled);
                !is_cancelled || !(0..world.books.len()).any(|step| world.is_in_effect(step))
            }),
            Property::always_step("completed is both", |_: &Self, before: &World<G>, _: &Action, after: &World<G>| {
                !has_just_ended(&before.coordinator, &after.coordinator, Outcome::Completed)
                    || (0..after.books.len()).all(|step| after.is_in_effect(step))
            }),
            Property::always_step(
                "nothing but a look leaves for other books",
                |_: &Self, before: &World<G>, action: &Action, _: &World<G>| {
                    let Action::Send(sent) = action else { return true };
                    sent.command.operation == Operation::Look || !before.leaves_for_other_books(sent.command)
                },
            ),
            Property::always("whoever waits for nobody has ended", |_: &Self, world: &World<G>| {
                waits_or_is_told(&world.coordinator)
            }),
            Property::sometimes("a saga completes after a move", |model: &Self, world: &World<G>| {
                world.moves < model.moves && world.coordinator.decision() == Some(Outcome::Completed)
            }),
            Property::sometimes("a person has to look", |_: &Self, world: &World<G>| world.coordinator.evidence().is_some()),
        ];
        if self.has_person {
            properties.push(Property::can_always_reach("ends, with a person's help", |_: &Self, world: &World<G>| {
                world.coordinator.decision().is_some()
            }));
        }
        if self.has_person && !self.copies {
            properties.push(Property::sometimes("the same books, by name, let a saga complete", |_: &Self, world: &World<G>| {
                world.was_told_same() && world.coordinator.decision() == Some(Outcome::Completed)
            }));
        }
        properties
    }
}
