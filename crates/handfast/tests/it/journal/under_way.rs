//! Journals of orders that were under way with version 1 when what came later was told to them: another definition is adopted,
//! participants are put back, a person acts.
//!
//! Such an order stays pinned to version 1, so these journals were begun by the version of the first release and go on with lines that
//! it never wrote. Their files are in a folder of their own, since nothing that version 1 wrote itself may change.

use super::Story;
use super::version_2::since_version_2;

pub(super) fn stories() -> Vec<Story> {
    since_version_2(1, "v1_under_way")
}
