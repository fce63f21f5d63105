//! A person who acts at any moment: where what is said is true everything holds, and a lie leaves nothing behind unsaid.

use handfast_lab::explorer::{Limits, Verdict};
use handfast_lab::saga::{with_a_liar, with_a_person};

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

/// A mark that lies is a risk that nobody can take away: it comes true, and what it leaves behind is told with the word.
#[test]
fn a_lie_comes_true_and_leaves_nothing_behind_without_saying_so() {
    let (said, risk) = ("a word leaves nothing behind without saying so", "cancelled is never charged");
    let mut kept = None;
    for case in with_a_liar() {
        let title = format!("{} [{}]", case.plan_name, case.adversary);
        let found = case.explore(&Limits::default());
        assert_eq!(found.report.verdict(said), Some(&Verdict::Holds), "{title}: {:#?}", found.run_against(said));
        assert!(found.report.is_exhaustive() && found.report.unique < 300_000, "{title}: {:?}", found.report.bounds);
        kept = kept.or_else(|| Some((title, found.run_against(risk)?.join("\n  "))));
    }
    let (title, run) = kept.expect("somebody stays charged because somebody lies");
    insta::assert_snapshot!("a_lying_mark_comes_true", format!("{title}\na mark that lies breaks: {risk}\n  {run}\n"));
}
