//! A payment, then a dispatch, of which one is put back to an older copy of its store, or both where they are one participant's, and
//! a person accepts that while requests and answers are on the road.
//!
//! The coordinator and the registers are the deployed code. Until a participant is accepted it does nothing for anybody, which
//! is the matter of [`history`](crate::history); so the copy comes back and is accepted in one step here, or later. Answers of its former
//! life that are still on the road mean nothing any more, and requests that are do: they name nothing that it could miss.
//!
//! A person may say at any moment what is true then of a step that is not confirmed, or that its participant contradicts itself about.

mod words;
mod world;

pub use world::{Action, House, Plan, Restored, Snapshot, World};
