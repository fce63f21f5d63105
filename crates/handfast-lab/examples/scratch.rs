//! scratch
use handfast_lab::explorer::{Limits, Verdict};
use handfast_lab::saga::*;
use handfast_protocol::*;
fn main() {
    let declared = Assumptions { message_lifetime_ms: Some(10), clock_error_ms: Some(1), longest_outage_ms: Some(10) };
    let none = Assumptions::default();
    let c = Profile::CONTRACT;
    let s = |profile: Profile| ProfiledStep { profile, deadline_ms: (profile.kind() != Kind::Retriable).then_some(5), ..ProfiledStep::default() };
    let nodl = |step: ProfiledStep| ProfiledStep { deadline_ms: None, ..step };
    let pivot = s(Profile { undo: Undo::Never, ..c });
    let noclose = Profile { close: Close::Never, ..c };
    let loose = Profile { sticky_refusal: false, ..c };
    let noop = Profile { undo: Undo::NoOpWhenAbsent, ..c };
    let retriable = Profile::of_kind(Kind::Retriable);
    let cases: Vec<(&str, Vec<ProfiledStep>, Assumptions)> = vec![
        ("contract", vec![s(c), pivot], none),
        ("pay no close", vec![s(noclose), pivot], none),
        ("pay no close, no op undo", vec![s(Profile { undo: Undo::NoOpWhenAbsent, ..noclose }), pivot], none),
        ("pay no close remembers", vec![s(Profile { repeat: Repeat::For(100), ..noclose }), pivot], declared),
        ("pay no close remembers undeclared", vec![s(Profile { repeat: Repeat::For(100), ..noclose }), pivot], none),
        ("pay close remembers", vec![nodl(s(Profile { repeat: Repeat::For(100), ..c })), pivot], declared),
        ("pay loose", vec![s(loose), pivot], none),
        ("pay loose no close", vec![s(Profile { close: Close::Never, ..loose }), pivot], none),
        ("pay noop undo", vec![s(noop), pivot], none),
        ("dispatch no close", vec![s(c), s(Profile { close: Close::Never, ..pivot.profile })], none),
        ("dispatch loose", vec![s(c), s(Profile { sticky_refusal: false, ..pivot.profile })], none),
        ("not idempotent", vec![s(Profile { repeat: Repeat::Never, ..noclose }), pivot], none),
        ("short tombstone declared", vec![s(Profile { close: Close::For(100), ..c }), pivot], declared),
        ("short tombstone", vec![s(Profile { close: Close::For(100), ..c }), pivot], none),
        ("hold", vec![s(Profile { hold_expires_ms: Some(100), ..c }), pivot, ProfiledStep { captures: Some(0), ..s(retriable) }], declared),
        ("two pivots", vec![pivot, nodl(pivot)], none),
        ("4 steps", vec![s(c), s(c), pivot, s(retriable)], none),
        ("notify remembers", vec![s(c), pivot, s(Profile { repeat: Repeat::For(100), ..retriable })], declared),
    ];
    let which = std::env::args().nth(1);
    for (name, steps, assumptions) in cases {
        if which.as_ref().is_some_and(|w| !name.contains(w.as_str())) { continue; }
        let names = (0..steps.len()).map(|n| format!("s{}", n + 1)).collect::<Vec<_>>();
        let case = match FlowCase::new(names, steps.clone(), &assumptions) { Ok(c) => c, Err(e) => { println!("{name}: {e}"); continue } };
        let risks = case.assessment().risks.clone();
        println!("== {name}: risks {:?} remarks {:?}", risks, case.assessment().remarks);
        let mut worlds = vec![("taken for granted".to_owned(), vec![])];
        for risk in risks { worlds.push((format!("{:?}", risk.what), vec![risk])); }
        for (label, true_) in worlds {
            for adversary in [Adversary::new(Network::Set).crashes(1), Adversary::new(Network::Set).workers(2), Adversary::new(Network::Set).workers(2).crashes(1)] {
                let begin = std::time::Instant::now();
                let found = case.explore(&true_, adversary.clone(), &Limits::default());
                println!("   {label} [{adversary}] {} states {:?} holds={} never={:?}", found.report.unique, begin.elapsed(), found.holds(), found.report.never_happened);
                for j in found.report.broken() { 
                    if matches!(j.verdict, Verdict::Violated {..}) || true {
                    println!("      broken: {}", j.name);
                    if std::env::args().nth(2).is_some() { for l in found.run_against(j.name).unwrap_or_default() { println!("         {l}"); } }
                } }
            }
        }
    }
}
