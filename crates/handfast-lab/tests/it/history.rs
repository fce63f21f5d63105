//! Participants that are put back to older copies of their stores: whoever saw what was forgotten is told, and what was accepted is
//! read again.

use std::fmt::Debug;

use handfast_lab::explorer::{Limits, Model, explore};
use handfast_lab::history::History;
use handfast_lab::restored::{Plan, Restored};
use handfast_protocol::Deployed;

/// Everything holds, and there are so many states. The count comes last: a broken property is reported before a changed count.
pub(crate) fn check<M: Model<State: Debug, Action: Debug>>(model: &M, states: u64) {
    let report = explore(model, &Limits::default());
    assert!(report.holds(), "{report}");
    assert!(report.is_exhaustive(), "{report}");
    assert_eq!(report.never_happened, Vec::<&str>::new());
    assert_eq!(report.unique, states, "{report}");
}

/// One store, two callers and a restore that nobody has declared.
#[test]
fn whoever_saw_what_was_forgotten_is_told() {
    check(&History::new(), 145_015);
}

/// A store that is opened anew and put back never: an undo and a late copy make no liar of it.
#[test]
fn a_store_that_has_forgotten_nothing_is_not_behind() {
    check(&History::honest(), 14_946);
}

/// One saga whose participants are put back and accepted while requests and answers are on the road.
#[test]
fn what_a_former_life_had_answered_is_read_again_before_anything_irrevocable() {
    check(&Restored::<Deployed>::new(), 15_800);
}

/// The same where one participant, and so one store, takes two of the steps.
#[test]
fn two_steps_of_one_store_are_read_again_together() {
    check(&Restored::<Deployed>::of(Plan::BothAtOneHouse), 659_774);
}

/// The same where it is known for a while that a participant was put back, and nobody has accepted that.
#[test]
fn nothing_irrevocable_rests_on_a_participant_that_is_known_to_be_behind() {
    check(&Restored::<Deployed>::new().accepted_later(), 17_606);
}

/// The same with a person who says at any moment what is true then: whatever nobody confirms can be brought to an end.
#[test]
fn a_person_ends_what_a_new_life_does_not_confirm() {
    check(&Restored::<Deployed>::new().with_a_person(), 73_203);
    check(&Restored::<Deployed>::of(Plan::DispatchThenNotice).with_a_person(), 1_367);
    check(&Restored::<Deployed>::of(Plan::DispatchThenNotice).with_a_person().restores(2), 17_620);
}
