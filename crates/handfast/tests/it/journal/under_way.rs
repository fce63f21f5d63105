//! Journals of orders that were under way with version 1 when what came later was told to them: another definition is adopted,
//! participants are put back, a person acts.
//!
//! Such an order stays pinned to version 1, so these journals were begun by the version of the first release and go on with lines that
//! it never wrote. Their files are in a folder of their own, since nothing that version 1 wrote itself may change.

use handfast_protocol::Standing;

use super::Story;
use super::version_2::{
    closed_in_a_new_life, confirmed, confirmed_by_a_word, marked_done, moved_after_a_backup, moved_and_found,
    moved_and_not_known, moved_and_said_twice, moved_and_undone_by_hand, moved_to_the_same_books, moved_while_it_is_undone, once,
    other_values, resumed, settled, shop,
};

pub(super) fn stories() -> Vec<Story> {
    let story = |name, plan, lines, standing| Story { version: 1, folder: "v1_under_way", name, plan, lines, standing };
    let adopted = [
        story("moved_and_found", shop(), moved_and_found(), Standing::Completed),
        story("moved_and_not_known", shop(), moved_and_not_known(), Standing::Suspended),
        story("moved_to_the_same_books", shop(), moved_to_the_same_books(), Standing::Cancelled),
        story("moved_and_undone_by_hand", shop(), moved_and_undone_by_hand(), Standing::Cancelled),
        story("moved_while_it_is_undone", shop(), moved_while_it_is_undone(), Standing::Suspended),
        story("moved_and_said_twice", shop(), moved_and_said_twice(), Standing::Cancelled),
        story("moved_after_a_backup", shop(), moved_after_a_backup(), Standing::Suspended),
    ];
    let put_back = [
        story("former_life_confirmed", shop(), confirmed(), Standing::Completed),
        story("former_life_by_a_word", shop(), confirmed_by_a_word(), Standing::Completed),
        story("former_life_closed", shop(), closed_in_a_new_life(), Standing::Cancelled),
    ];
    let of_people = [
        story("person_resumes", shop(), resumed(), Standing::Cancelled),
        story("person_marks_done", once(), marked_done(), Standing::Cancelled),
        story("person_settles", shop(), settled(), Standing::Settled),
        story("other_values_are_undone", shop(), other_values(), Standing::Cancelled),
    ];
    adopted.into_iter().chain(put_back).chain(of_people).collect()
}
