//! A person who acts at any moment and says what is true: everything holds.

use handfast_lab::explorer::Limits;
use handfast_lab::saga::with_a_person;

#[test]
fn every_case_with_a_person_holds() {
    for case in with_a_person() {
        let title = format!("{} [{}]", case.plan_name, case.adversary);
        let found = case.explore(&Limits::default());
        if let Some(judged) = found.report.broken().next() {
            panic!("{title}: {}: {:#?}", judged.name, found.run_against(judged.name));
        }
        assert!(found.report.is_exhaustive(), "{title}: {:?}", found.report.bounds);
        println!("{title}: {} states", found.report.unique);
    }
}
