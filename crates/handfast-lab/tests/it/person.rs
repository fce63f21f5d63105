//! A person who acts at any moment: everything holds where what is said is true, and what breaks where it is not is shown.

use handfast_lab::explorer::Limits;
use handfast_lab::saga::with_a_person;

/// States of each case. A change of the protocol or of the model changes them, and wants a look.
const STATES: &[u64] = &[];

#[test]
fn every_case_with_a_person_holds() {
    let mut states = Vec::new();
    for case in with_a_person() {
        let title = format!("{} [{}]", case.plan_name, case.adversary);
        eprintln!("{title}");
        let found = case.explore(&Limits::default());
        eprintln!("  {}", found.report.unique);
        if let Some(judged) = found.report.broken().next() {
            panic!("{title}: {}: {:#?}", judged.name, found.run_against(judged.name));
        }
        assert!(found.report.is_exhaustive(), "{title}: {:?}", found.report.bounds);
        states.push(found.report.unique);
    }
    assert_eq!(states, STATES, "everything holds, but the worlds have changed");
}
