//! The saga under exploration: the deployed coordinator against the deployed register, and mutants of both.

mod action;
mod adversary;
mod automaton;
mod behaviour;
mod flow_case;
mod flows;
mod follow;
mod ids;
mod machine;
pub mod map;
mod model;
mod moves;
mod mutants;
mod network;
mod picture;
mod promises;
mod suite;
mod world;

pub use action::{Action, Service};
pub use adversary::{Adversary, Driver, Person, Stores};
pub use automaton::{Alone, Automaton, Facts, Follows, StateId};
pub use behaviour::{Behaviour, When};
pub use flow_case::FlowCase;
pub use flows::{flow, flows};
pub use follow::{Followed, FollowedStep, Lost};
pub use model::{in_words, step_names};
pub use mutants::{Caught, MUTANTS, Mutant};
pub use network::{Left, Look, Message, Network, NoNetwork, UnderWay};
pub use suite::{
    Case, Cast, Found, large, pay_ship_notify, payment_then_dispatch, suite, two_in_turn, two_payments, with_a_liar,
    with_a_person,
};
pub use world::{Key, MAX_STEPS, MAX_WORKERS, NOTHING_LOADED, Saga, World};
