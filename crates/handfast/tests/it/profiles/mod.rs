//! The engine among participants that promise less than the contract, over real HTTP: the reference services with a weakness,
//! behind a road that a test decides about, and the books at the end.

mod adopted;
mod answers;
mod by_hand;
mod card;
mod doubt;
mod killed;
mod loose;
mod needs;
mod once;
mod provider;
mod read_back;
mod shop;
mod templates;
mod time;
mod told;
mod unclear;
mod undo_kept;
mod undo_later;
mod undo_once;
mod watch;
