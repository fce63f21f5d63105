//! The best plan that tops up only when no acknowledgement came.
//!
//! ```text
//!   general 1 --n1-->            no a1? --n2-->            no a1, no a2? --n3-->   attacks in any case
//!   general 2          <--a1-- arrived?          <--a2-- arrived?                  attacks if any of them arrived
//! ```
//!
//! **The class.** General 1, who has the order, sends wave after wave until an acknowledgement arrives, at most so many
//! waves in all, and attacks in any case. General 2 answers wave `i` with `a_i` messengers if at least one of wave `i` has
//! arrived, and attacks if at least one messenger ever has. The last wave is not answered. Messengers are paid when they leave.
//!
//! **The value.** Whatever general 2 knows already, wave `i` is left without an acknowledgement that arrives with probability
//! `q_i = p^(n_i) + (1 - p^(n_i)) p^(a_i)`, independently of what came before. So with `n = n_1 + n_2 + ..` a plan is worth
//!
//! ```text
//!   V - (V + D) p^n - c E,      E = sum over i of  q_1 .. q_(i-1) (n_i + (1 - p^(n_i)) a_i)
//! ```
//!
//! and for every `n` only the expected number `E` of messengers is left to minimise. From wave `i` on this is a problem of
//! the same kind, whatever came before: dynamic programming (Bellman 1957), in exact numbers.
//!
//! **Why the search is exhaustive.** Let `m` be the largest number with `(V + D) (1 - p) p^(m-1) > c`, which is the best single
//! wave if any is worth it. No wave and no acknowledgement is larger in a best plan with the fewest messengers. For let the rest of a best plan after wave `i` cost `c G` in the mean, if it is
//! reached, which it is with probability `Q`, and let `h <= Q` be the probability that nothing has arrived until then. To leave
//! out the rest would save `Q c G` and lose `(V + D) (h - p^n)`, so `Q c G <= (V + D) (h - p^n)`, and `c G <= V + D`.
//!
//! - The last messenger of wave `i` costs `c q_1 .. q_(i-1) >= c p^(n_1 + .. + n_(i-1))`. He brings at most
//!   `(V + D) (1 - p) p^(n-1)` by arriving alone in the end, and at most `(1 - p) / p * Q c G` by sparing the rest, together
//!   at most `(V + D) (1 - p) h / p`, where `h = p^(n_1 + .. + n_i)`. He is there, so `c < (V + D) (1 - p) p^(n_i - 1)`.
//! - The last messenger of an acknowledgement saves `p^(a_i - 1) (1 - p) c G` and costs `c`, if wave `i` arrived.
//!
//! Every plan that was compared here has fewer messengers, so a budget changes nothing of it.

use num_traits::Zero as _;

use super::plan::{Plan, Stage, Valued};
use super::search::Search;
use super::stakes::{DecideError, Stakes};
use super::wave::{self, Best};
use crate::generals::ratio::Ratio;

/// Which plans are compared.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Class {
    /// The most waves of general 1, at least one.
    pub waves: u32,
    /// The most messengers that may leave in any run, general 2's among them.
    pub budget: Option<u64>,
}

/// The best plan of a class.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum BestPlan {
    /// This plan, with the fewest messengers among the best ones; without any waves where nothing is worth more than 0.
    Plan(Valued),
    /// No plan is best: messengers are free, and every further one brings the value nearer to this bound.
    Never {
        /// The bound, which no plan attains.
        supremum: Ratio,
    },
}

/// The best plan of the class.
///
/// # Errors
/// More than [`MOST_PLANS`](super::MOST_PLANS) would have to be compared, or the value has more than [`MOST_DIGITS`](wave::MOST_DIGITS).
pub fn best(stakes: &Stakes, capture: &Ratio, class: Class) -> Result<BestPlan, DecideError> {
    if stakes.messenger().0.is_zero() {
        return free_messengers(stakes, capture, class.budget);
    }
    let mut search = Search::new(stakes, capture, class.waves)?;
    let mut plan = search.unbounded()?;
    if let Some(budget) = class.budget.filter(|&budget| budget < plan.most_messengers()) {
        plan = search.within(budget)?.pop().unwrap_or_default();
    }
    Ok(BestPlan::Plan(plan.valued(stakes, capture)?))
}

/// The best plan of at most so many waves for each budget from 0 to `budget`.
///
/// # Errors
/// As [`best`].
pub fn best_for_budgets(stakes: &Stakes, capture: &Ratio, waves: u32, budget: u64) -> Result<Vec<Valued>, DecideError> {
    if stakes.messenger().0.is_zero() {
        let bests = wave::best_for_budgets(stakes, capture, budget)?;
        return bests.iter().map(|best| single(best).valued(stakes, capture)).collect();
    }
    let mut search = Search::new(stakes, capture, waves)?;
    let unbounded = search.unbounded()?;
    let plans = search.within(budget.min(unbounded.most_messengers()))?;
    let mut valued: Vec<Valued> = Vec::with_capacity(budget as usize + 1);
    for plan in &plans {
        match valued.last() {
            Some(last) if last.plan == *plan => valued.push(last.clone()),
            Some(_) | None => valued.push(plan.valued(stakes, capture)?),
        }
    }
    valued.resize(budget as usize + 1, unbounded.valued(stakes, capture)?);
    Ok(valued)
}

/// The plan that sends a best wave and nothing else.
fn single(best: &Best) -> Plan {
    let messengers = best.messengers().unwrap_or(0) as u32;
    let stages = if messengers == 0 { Vec::new() } else { vec![Stage { messengers, acknowledged_by: 0 }] };
    Plan { stages }
}

/// To top up saves nothing where nobody has to be paid: only the number that general 1 sends in all makes a difference.
fn free_messengers(stakes: &Stakes, capture: &Ratio, budget: Option<u64>) -> Result<BestPlan, DecideError> {
    Ok(match wave::best(stakes, capture, budget)? {
        Best::Never { supremum } => BestPlan::Never { supremum },
        best @ (Best::Stay | Best::Wave { .. }) => BestPlan::Plan(single(&best).valued(stakes, capture)?),
    })
}
