//! What an author of a participant tests with, and what shows that all of it holds.
//!
//! - [`messenger`]: a road between two services on which requests and replies are captured, late or doubled.
//! - [`conform`]: attacks on a participant, which say which promises of the contract, or of a flow's profile, it keeps.
//! - [`demo`]: orders through such roads while processes are killed, and the books counted afterwards.
//! - [`usual_way`]: the coordinator that the demo compares with.
//!
//! Neither the engine nor the service links this crate: it attacks from outside. It prints nothing and ends no process.

pub mod conform;
pub mod demo;
pub mod messenger;
pub mod usual_way;
