//! What is done to the processes and roads meanwhile, and when: a list that follows from the seed.

use std::time::Duration;

use super::camp::{Camp, Victim};
use crate::messenger::Draws;
use handfast_machine::clock::Stopwatch;

/// One thing that is done to both ways at the same moment.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Fault {
    /// All roads are cut.
    Cut,
    /// All roads are restored.
    Restore,
    /// A process is killed with SIGKILL and started again at once.
    Kill(Victim),
}

/// What happens when, counted from the first order.
pub(crate) fn plan(seed: u64, kills: u32, over: Duration) -> Vec<(Duration, Fault)> {
    let cut_at = over.mul_f64(0.4);
    let cut_for = over.mul_f64(0.15).clamp(Duration::from_secs(1), Duration::from_secs(2));
    let mut plan = vec![(cut_at, Fault::Cut), (cut_at + cut_for, Fault::Restore)];
    for number in 0..kills {
        let draws = Draws::new(seed, "kill", "", number + 1);
        // Spread evenly, none before the first orders are under way, each somewhere in its stretch.
        let at = 0.08 + 0.9 * (f64::from(number) + draws.unit(0)) / f64::from(kills);
        let first = (Draws::new(seed, "kill", "first", 1).unit(0) * 3.0) as usize;
        plan.push((over.mul_f64(at), Fault::Kill(Victim::ALL[(number as usize + first) % Victim::ALL.len()])));
    }
    plan.sort();
    plan
}

/// Does what is planned, and says so.
///
/// # Errors
/// When a road does not answer or a process cannot be started again.
pub(crate) async fn commit(plan: &[(Duration, Fault)], camps: &[Camp; 2], mut done: impl FnMut(Fault)) -> anyhow::Result<()> {
    let since = Stopwatch::start();
    for &(at, fault) in plan {
        tokio::time::sleep(at.saturating_sub(since.elapsed())).await;
        for camp in camps {
            match fault {
                Fault::Cut => camp.cut_roads(true).await?,
                Fault::Restore => camp.cut_roads(false).await?,
                Fault::Kill(victim) => camp.kill(victim)?,
            }
        }
        done(fault);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kill_is_in_the_plan_and_everybody_has_a_turn() {
        let over = Duration::from_secs(16);
        for seed in 0..50 {
            let plan = plan(seed, 5, over);
            let kills: Vec<Victim> =
                plan.iter().filter_map(|(_, fault)| if let Fault::Kill(victim) = fault { Some(*victim) } else { None }).collect();
            assert_eq!(kills.len(), 5);
            assert!(Victim::ALL.iter().all(|victim| kills.contains(victim)), "{kills:?}");
            assert!(plan.iter().all(|(at, _)| *at < over), "{plan:?}");
            let place = |wanted| plan.iter().position(|(_, fault)| *fault == wanted);
            assert!(place(Fault::Cut) < place(Fault::Restore));
        }
        assert_eq!(plan(1, 0, over).len(), 2);
    }
}
