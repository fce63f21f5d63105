//! scratch
use handfast_lab::explorer::Limits;
use handfast_lab::saga::*;
fn main() {
    let mut states = vec![];
    for case in suite() {
        let found = case.explore(&Limits::default());
        states.push(found.report.unique);
        for j in found.report.broken() {
            println!("BROKEN {} [{}] {} {:#?}", case.plan_name, case.adversary, j.name, found.run_against(j.name));
        }
    }
    println!("{states:?} {}", states.iter().sum::<u64>());
    for (name, flow) in flows() {
        for risk in flow.assessment().risks.clone() {
            let found = flow.explore(&[risk], Adversary::new(Network::Set), &Limits { stop_at_first: true, ..Limits::default() });
            println!("RISK {name} {:?} breaks {:?}", risk.what.name(), found.report.broken().next().map(|j| j.name));
        }
    }
    for mutant in MUTANTS.iter().skip(25) {
        match mutant.hunt() {
            Some(c) => println!("{} caught: {:#?}", mutant.name, c.run),
            None => println!("{} GOT AWAY", mutant.name),
        }
    }
    for pair in map::map(&Limits::default(), |_| ()) {
        if matches!(pair.verdict, map::Verdict::Broken { .. }) {
            println!("BROKEN {pair:?}");
        }
    }
}
