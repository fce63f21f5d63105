//! A payment, then a dispatch, of which the services are called at another address while requests and answers are on the road:
//! at the new one the same books are kept, or others, as the adversary likes.
//!
//! The coordinator and the registers are the deployed code. Nobody knows which books are kept where: whoever drives the saga tells
//! it of each move before anything leaves for the new address, and drops the answers to looks that left for the former one. A person may
//! say at any moment what is true then: what became of a step, and that the books are the same where they are.

mod words;
mod world;

pub use world::{Action, Address, Books, Moved, Said, World};
