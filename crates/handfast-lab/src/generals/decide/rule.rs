//! The best decision of each general on each of its views, for the messengers that a given protocol sends.
//!
//! Only who attacks is open; who sends what and when is as the protocol has it. A rule says for each view of each general
//! whether to attack on it. With `x` and `y` for the two of a run (1: attacks, 0: stays), the run is worth
//!
//! ```text
//!   (V + 2 D) x y - D x - D y        V if both attack, -D if exactly one does, 0 if nobody does.
//! ```
//!
//! This is supermodular, since `V + 2 D` is not negative: that the other attacks never makes an attack less attractive
//! (Topkis, *Minimizing a submodular function on a lattice*, 1978). So a best rule is a maximum closure, and that is a
//! minimum cut (Picard, *Maximal closure of a graph and applications to combinatorial problems*, 1976): cut off from the
//! source are the views on which not to attack. Of all best rules the one with the fewest views to attack on is given; it is
//! contained in every other.
//!
//! Runs without the order are weighed as well. If the order were certain, to attack whatever arrives would be best, and no
//! messenger would be needed. Whoever could have been given the order and was not does not attack.
//!
//! In `D / V` the best value is the upper envelope of lines, one for each rule: the probability that both attack, minus
//! `D / V` times the probability that one attacks alone. Its corners are found by intersecting neighbouring lines and asking
//! whether a better rule lies at the intersection, after Eisner and Severance, *Mathematical techniques for efficient record
//! segmentation in large shared databases* (1976). Divided by `V + 2 D` only the edges to the sink depend on `D / V`, so the
//! best rules shrink as it grows (Gallo, Grigoriadis and Tarjan 1989), and there are no more corners than views.

use handfast_protocol::generals::Choice;
use num_bigint::{BigInt, BigUint};
use num_rational::BigRational;
use num_traits::{One as _, Zero as _};

use super::cut::Network;
use super::sight;
use super::stakes::Stakes;
use crate::generals::knowledge::views::{Bounds, Moment, Unfolding, Views};
use crate::generals::knowledge::wanted;
use crate::generals::odds::weighed::{NotWeighed, weighing};
use crate::generals::ratio::Ratio;
use crate::generals::table::Table;
use crate::generals::table::protocol::Orders;

/// So many pairs of views are put into a network at most.
pub const MOST_PAIRS: u64 = 200_000;

/// What comes of a rule.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Comes {
    /// The probability that both attack.
    pub both: Ratio,
    /// The probability that general 1 attacks alone.
    pub alone_1: Ratio,
    /// The probability that general 2 attacks alone.
    pub alone_2: Ratio,
    /// How many messengers leave in the mean.
    pub messengers: Ratio,
}

impl Comes {
    /// The probability that exactly one attacks.
    #[must_use]
    pub fn alone(&self) -> Ratio {
        Ratio(&self.alone_1.0 + &self.alone_2.0)
    }

    /// The probability that nobody attacks.
    #[must_use]
    pub fn neither(&self) -> Ratio {
        Ratio(BigRational::one() - &self.both.0 - &self.alone_1.0 - &self.alone_2.0)
    }

    /// What it is worth, the messengers paid.
    #[must_use]
    pub fn value(&self, stakes: &Stakes) -> Ratio {
        let won = &stakes.gain().0 * &self.both.0 - &stakes.alone().0 * self.alone().0;
        Ratio(won - &stakes.messenger().0 * &self.messengers.0)
    }
}

/// A rule's figures over all runs, and over those in which the attack is wanted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Judged {
    /// Over all runs, those without the order among them.
    pub overall: Comes,
    /// Given that the attack is wanted.
    pub ordered: Comes,
}

/// Views of one general that are alike, and what it does on them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Sight {
    /// The general: 1 or 2.
    pub general: u32,
    /// What it sees.
    pub words: String,
    /// How likely it sees this.
    pub probability: Ratio,
    /// Whether it attacks.
    pub attacks: bool,
    /// It could have been given the order, and was not: it may not attack.
    pub pinned: bool,
}

/// A stretch of `D / V` on which one rule is best.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Piece {
    /// Where it begins; it ends where the next one begins, and the last one never.
    pub from: Ratio,
    /// The probability that both attack.
    pub both: Ratio,
    /// The probability that exactly one attacks.
    pub alone: Ratio,
}

/// The best rule for the messengers of a protocol.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BestRule {
    /// Every view of general 1, then every view of general 2.
    pub rule: Vec<Sight>,
    /// What comes of it.
    pub best: Judged,
    /// What comes of the protocol's own rule, for comparison; a coin that it tosses is averaged over.
    pub own: Judged,
    /// The pieces of the best value over `D / V`, from 0 on.
    pub pieces: Vec<Piece>,
}

impl BestRule {
    /// The values of `D / V` at which the best rule changes.
    pub fn break_points(&self) -> impl Iterator<Item = &Ratio> {
        self.pieces.iter().skip(1).map(|piece| &piece.from)
    }
}

/// The best rule for this protocol's messengers.
///
/// The order is given with probability `prior`, and all other ways in which orders can have been given are equally likely;
/// where there is no order to be given, `prior` does not matter. A view is all inputs so far (perfect recall), and messengers
/// who carry the same look alike. Where a coin is tossed, the messages are looked at for its first side only: what is best
/// on average needs no coin.
///
/// # Errors
/// An argument is no probability, or there are more than [`MOST_PAIRS`] pairs of views.
pub fn best_rule(table: &Table, stakes: &Stakes, capture: &Ratio, prior: &Ratio) -> Result<BestRule, NotWeighed> {
    let weighing = weighing(table, prior, capture)?;
    let bounds = Bounds { pairs: MOST_PAIRS, ..Bounds::default() };
    let unfold = |coin| Unfolding::new(table, Views::Inputs, weighing.clone(), bounds, coin);
    let moments = unfold(1).all().map_err(NotWeighed::TooMuch)?;
    let Some(last) = moments.last() else { return Err(NotWeighed::Prior(prior.clone())) };
    let game = Game::new(table, last);
    let whole = stakes.whole();
    let attacks = game.best(&whole.alone, &(whole.span() + &whole.alone));
    let sent = sent(table, &moments);
    let best = game.judge(|side, view| attacks[side][view as usize], &sent);
    let mut own = Vec::new();
    for coin in 1..=table.coins {
        let moments = unfold(coin).all().map_err(NotWeighed::TooMuch)?;
        let Some(last) = moments.last() else { continue };
        let states = |side: usize, view: u32| last.sides[side][view as usize].state;
        let decided = |side: usize, view: u32| table.last().sides[side].decided[states(side, view) as usize];
        let game = Game::new(table, last);
        own.push(game.judge(|side, view| decided(side, view) == Some(Choice::Attack), &self::sent(table, &moments)));
    }
    let mut rule = Vec::new();
    for side in [0, 1] {
        for (view, words) in sight::words(table, &moments, side).into_iter().enumerate() {
            let seen = &game.seats[side][view];
            let probability = game.share(&seen.weight);
            let attacks = attacks[side][view];
            rule.push(Sight { general: side as u32 + 1, words, probability, attacks, pinned: seen.pinned });
        }
    }
    Ok(BestRule { rule, best, own: average(&own), pieces: game.pieces() })
}

/// How many messengers leave in the mean, over all runs and over those in which the attack is wanted.
fn sent(table: &Table, moments: &[Moment]) -> [Ratio; 2] {
    let mut sent = [BigRational::zero(), BigRational::zero()];
    for (layer, moment) in table.layers.iter().zip(moments).take(table.rounds()) {
        for (place, sent) in sent.iter_mut().enumerate() {
            let (mut messengers, mut all) = (BigUint::zero(), BigUint::zero());
            for pair in moment.pairs.iter().filter(|pair| place == 0 || wanted(table, pair.kind)) {
                let size: u64 = moment.sends(layer, pair.views).iter().map(|&wave| table.waves[wave as usize].size()).sum();
                messengers += &pair.weight * size;
                all += &pair.weight;
            }
            *sent += BigRational::new(messengers.into(), all.into());
        }
    }
    sent.map(Ratio)
}

fn average(judged: &[Judged]) -> Judged {
    let mean = |of: &dyn Fn(&Judged) -> &Ratio| {
        let sum: BigRational = judged.iter().map(|judged| of(judged).0.clone()).sum();
        Ratio(sum / BigRational::from(BigInt::from(judged.len())))
    };
    let part = |of: &dyn Fn(&Judged) -> &Comes| Comes {
        both: mean(&|judged| &of(judged).both),
        alone_1: mean(&|judged| &of(judged).alone_1),
        alone_2: mean(&|judged| &of(judged).alone_2),
        messengers: mean(&|judged| &of(judged).messengers),
    };
    Judged { overall: part(&|judged| &judged.overall), ordered: part(&|judged| &judged.ordered) }
}

/// A view of one general, in the game of who attacks.
#[derive(Clone, Debug, Default)]
struct Seat {
    weight: BigUint,
    pinned: bool,
}

/// Runs in which the generals have these two views.
#[derive(Debug)]
struct Cell {
    views: [u32; 2],
    weight: BigUint,
    wanted: bool,
}

/// Which views can occur together, and how likely.
#[derive(Debug)]
struct Game {
    seats: [Vec<Seat>; 2],
    cells: Vec<Cell>,
    all: BigUint,
    wanted: BigUint,
}

/// Who attacks, for each view of general 1 and of general 2.
type Attacks = [Vec<bool>; 2];

/// The weights of the runs in which both and in which exactly one attacks.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Line {
    both: BigUint,
    alone: BigUint,
}

impl Game {
    fn new(table: &Table, moment: &Moment) -> Self {
        let could_be_ordered = [0, 1].map(|side| match table.orders {
            Orders::First => side == 0,
            Orders::Each => true,
            Orders::Nobody => false,
        });
        let mut seats = [0, 1].map(|side| vec![Seat::default(); moment.sides[side].len()]);
        let mut cells = Vec::with_capacity(moment.pairs.len());
        for pair in &moment.pairs {
            let ordered = table.orders.ways()[usize::from(pair.kind.orders)];
            for side in [0, 1] {
                let seat = &mut seats[side][pair.views[side] as usize];
                seat.weight += &pair.weight;
                seat.pinned |= could_be_ordered[side] && !ordered[side];
            }
            cells.push(Cell { views: pair.views, weight: pair.weight.clone(), wanted: wanted(table, pair.kind) });
        }
        let total = |only_wanted: bool| cells.iter().filter(|cell| cell.wanted || !only_wanted).map(|cell| &cell.weight).sum();
        let (all, wanted) = (total(false), total(true));
        Self { seats, cells, all, wanted }
    }

    fn share(&self, weight: &BigUint) -> Ratio {
        Ratio(BigRational::new(weight.clone().into(), self.all.clone().into()))
    }

    /// The rule with the fewest attacks of those that are best if a lone attack costs `alone` and `span` is what a second
    /// attacker brings, `V + 2 D`.
    fn best(&self, alone: &BigUint, span: &BigUint) -> Attacks {
        let [ones, twos] = [0, 1].map(|side| self.seats[side].len());
        let (source, sink) = (ones + twos, ones + twos + 1);
        let mut network = Network::new(ones + twos + 2);
        let mut brings = vec![BigUint::zero(); ones];
        let node = |side: usize, view: u32| if side == 0 { view as usize } else { ones + view as usize };
        for cell in &self.cells {
            if [0, 1].iter().all(|&side| !self.seats[side][cell.views[side] as usize].pinned) {
                let room = &cell.weight * span;
                brings[cell.views[0] as usize] += &room;
                network.add(node(0, cell.views[0]), node(1, cell.views[1]), room);
            }
        }
        for side in [0, 1] {
            for (view, seat) in self.seats[side].iter().enumerate().filter(|(_, seat)| !seat.pinned) {
                network.add(node(side, view as u32), sink, &seat.weight * alone);
            }
        }
        for (view, brings) in brings.into_iter().enumerate() {
            network.add(source, view, brings);
        }
        let inside = network.source_side(source, sink);
        [inside[..ones].to_vec(), inside[ones..ones + twos].to_vec()]
    }

    fn judge(&self, attacks: impl Fn(usize, u32) -> bool, sent: &[Ratio; 2]) -> Judged {
        let comes = |only_wanted: bool, all: &BigUint, messengers: &Ratio| {
            let mut rows = [BigUint::zero(), BigUint::zero(), BigUint::zero()];
            for cell in self.cells.iter().filter(|cell| cell.wanted || !only_wanted) {
                match [0, 1].map(|side| attacks(side, cell.views[side])) {
                    [true, true] => rows[0] += &cell.weight,
                    [true, false] => rows[1] += &cell.weight,
                    [false, true] => rows[2] += &cell.weight,
                    [false, false] => {}
                }
            }
            let [both, alone_1, alone_2] = rows.map(|row| Ratio(BigRational::new(row.into(), all.clone().into())));
            Comes { both, alone_1, alone_2, messengers: messengers.clone() }
        };
        Judged { overall: comes(false, &self.all, &sent[0]), ordered: comes(true, &self.wanted, &sent[1]) }
    }

    /// The line of the best rule at `D / V = above / below`.
    fn line(&self, above: &BigUint, below: &BigUint) -> Line {
        let attacks = self.best(above, &(below + above * 2u32));
        let mut line = Line { both: BigUint::zero(), alone: BigUint::zero() };
        for cell in &self.cells {
            let [one, two] = [0, 1].map(|side| attacks[side][cell.views[side] as usize]);
            if one && two {
                line.both += &cell.weight;
            } else if one || two {
                line.alone += &cell.weight;
            }
        }
        line
    }

    /// The upper envelope of the rules' lines, from `D / V = 0` on.
    fn pieces(&self) -> Vec<Piece> {
        // Weights are whole numbers up to `all`: so near to 0 the most runs in which both attack decide, and of those rules
        // the fewest lone attacks; so far out it is the other way round.
        let far = &self.all + 1u32;
        let (first, last) = (self.line(&BigUint::one(), &far), self.line(&far, &BigUint::one()));
        let mut corners: Vec<([BigUint; 2], Line)> = Vec::new();
        let mut waiting = vec![(first.clone(), last)];
        // From left to right: what lies between a line and the next is looked at before what follows.
        while let Some((left, right)) = waiting.pop() {
            if left == right {
                continue;
            }
            let (above, below) = (&left.both - &right.both, &left.alone - &right.alone);
            let middle = self.line(&above, &below);
            let worth = |line: &Line| BigInt::from(&line.both * &below) - BigInt::from(&line.alone * &above);
            if worth(&middle) > worth(&left) {
                waiting.push((middle.clone(), right));
                waiting.push((left, middle));
            } else {
                corners.push(([above, below], right));
            }
        }
        let piece = |from: Ratio, line: &Line| Piece { from, both: self.share(&line.both), alone: self.share(&line.alone) };
        let mut pieces = vec![piece(Ratio::new(0, 1), &first)];
        for ([above, below], line) in &corners {
            pieces.push(piece(Ratio(BigRational::new(above.clone().into(), below.clone().into())), line));
        }
        pieces
    }
}
