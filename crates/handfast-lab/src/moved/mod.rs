//! One saga of which the services are called at another address while requests and answers are on the road: at the new one the same
//! books are kept, or others, or a copy of the former ones, as the adversary likes.
//!
//! The coordinator and the registers are the deployed code. Nobody knows which books are kept where: whoever drives the saga tells
//! it of each move before anything leaves for the new address, and drops the answers to looks that left for the former one. A person may
//! say at any moment what is true then: what became of a step, and that the books are the same where they are. The journal may come
//! back from a backup, and another worker may go on sending by the journal and the addresses that it knew.

mod action;
mod books;
mod plan;
mod properties;
mod words;
mod world;

pub use action::{Action, Said, Sent};
pub use books::{Address, Books, Effect, Kept};
pub use plan::Plan;
pub use world::{Moved, World};
