//! The reference models: what holds, and how many states there are.

use handfast_lab::explorer::{Limits, explore};
use handfast_lab::models::transaction_commit::TransactionCommit;

#[test]
fn transaction_commit() {
    for managers in 1..=7 {
        let report = explore(&TransactionCommit { managers }, &Limits::default());
        assert!(report.holds(), "{report}");
        assert!(report.is_exhaustive());
        assert_eq!(report.never_happened, Vec::<&str>::new());
        assert_eq!(report.unique, 3u64.pow(managers as u32) + 2u64.pow(managers as u32) - 1, "{managers} managers");
    }
}
