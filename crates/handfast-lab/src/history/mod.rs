//! One participant's store and two callers with what they saw of it: the store is put back to an older copy, undeclared, while
//! requests and answers are on the road.
//!
//! The register, the decision whether a store is behind, and what a caller has to name are the deployed code. Messages are a
//! set: whatever was sent may arrive at any time, again and again, or never. A caller hears an answer and has it in its store
//! in one step, since what it has not kept it has not seen.

mod words;
mod world;

pub use world::{Action, Answer, Caller, History, Key, Operation, Request, Store, World};
