//! The greatest belief that can be common, after Monderer and Samet, *Approximating common knowledge with common
//! beliefs* (1989).
//!
//! An event is believed with q by whoever gives it a probability of at least q, seeing what it sees. That the attack is
//! wanted is *common q-belief* in a run if both believe with q that it is wanted and that the other is among those views
//! in which this is believed. To find the greatest q for which there is such a run, the view that believes it least is
//! taken away again and again: what remains loses beliefs, and the greatest of these least beliefs is the answer.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

use num_bigint::{BigInt, BigUint};
use num_rational::BigRational;
use num_traits::{One as _, Zero as _};

use crate::generals::knowledge::alike::pairs_of;
use crate::generals::knowledge::views::{Bounds, Moment, Unfolding, Views};
use crate::generals::knowledge::wanted;
use crate::generals::odds::weighed::{NotWeighed, weighing};
use crate::generals::ratio::Ratio;
use crate::generals::table::Table;

/// The greatest q for which it is common q-belief, in some run and when the last round is over, that the attack is wanted.
///
/// It is wanted with probability `prior`; all other ways in which orders can have been given are equally likely. Where
/// there is no order to be given the answer is 1.
///
/// # Errors
/// An argument is no probability, or more would have to be held than the bounds allow.
pub fn common_belief(table: &Table, views: Views, prior: &Ratio, capture: &Ratio, bounds: Bounds) -> Result<Ratio, NotWeighed> {
    let weighing = weighing(table, prior, capture)?;
    let moment = Unfolding::new(table, views, weighing, bounds, 1).last().map_err(NotWeighed::TooMuch)?;
    Ok(Peeling::new(table, &moment).greatest())
}

/// How likely a general thinks something, seeing what it sees.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Posterior {
    believed: BigUint,
    all: BigUint,
}

impl Posterior {
    fn exact(&self) -> Ratio {
        Ratio(BigRational::new(BigInt::from(self.believed.clone()), BigInt::from(self.all.clone())))
    }
}

impl Ord for Posterior {
    fn cmp(&self, other: &Self) -> Ordering {
        (&self.believed * &other.all).cmp(&(&other.believed * &self.all))
    }
}

impl PartialOrd for Posterior {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Takes away the view that believes least, again and again.
struct Peeling<'m> {
    table: &'m Table,
    moment: &'m Moment,
    /// For each view that is still there, how likely it is that the attack is wanted and the other's view is there too.
    alive: [Vec<Option<Posterior>>; 2],
}

impl<'m> Peeling<'m> {
    fn new(table: &'m Table, moment: &'m Moment) -> Self {
        let none = Posterior { believed: BigUint::ZERO, all: BigUint::ZERO };
        let mut alive = [0, 1].map(|side| vec![Some(none.clone()); moment.sides[side].len()]);
        for pair in &moment.pairs {
            for (side, alive) in alive.iter_mut().enumerate() {
                if let Some(posterior) = &mut alive[pair.views[side] as usize] {
                    posterior.all += &pair.weight;
                    if wanted(table, pair.kind) {
                        posterior.believed += &pair.weight;
                    }
                }
            }
        }
        // What cannot happen is no view.
        for posterior in alive.iter_mut().flatten() {
            posterior.take_if(|posterior| posterior.all.is_zero());
        }
        Self { table, moment, alive }
    }

    fn greatest(mut self) -> Ratio {
        let beside = [0, 1].map(|side| pairs_of(self.moment, side));
        let mut greatest = Posterior { believed: BigUint::ZERO, all: BigUint::one() };
        let mut least: BinaryHeap<Reverse<(Posterior, usize, usize)>> = BinaryHeap::new();
        for side in [0, 1] {
            for (view, posterior) in self.alive[side].iter().enumerate() {
                least.extend(posterior.clone().map(|posterior| Reverse((posterior, side, view))));
            }
        }
        while let Some(Reverse((posterior, side, view))) = least.pop() {
            // A belief that has changed since it was put here is here again as it is now.
            if self.alive[side][view].as_ref() != Some(&posterior) {
                continue;
            }
            greatest = greatest.max(posterior);
            self.alive[side][view] = None;
            let mut poorer = Vec::new();
            for pair in beside[side].of(view).iter().map(|&pair| &self.moment.pairs[pair as usize]) {
                let other = pair.views[1 - side] as usize;
                if let Some(posterior) = self.alive[1 - side][other].as_mut().filter(|_| wanted(self.table, pair.kind)) {
                    posterior.believed -= &pair.weight;
                    poorer.push(other);
                }
            }
            poorer.sort_unstable();
            poorer.dedup();
            for other in poorer {
                least.extend(self.alive[1 - side][other].clone().map(|posterior| Reverse((posterior, 1 - side, other))));
            }
        }
        greatest.exact()
    }
}
