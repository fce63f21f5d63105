//! What comes of sagas in money: of every end that is foreseen *at least* and *at most*, of what has come *so far*, and both in sum.

use std::collections::{BTreeMap, BTreeSet};

use handfast::{End, Fate, Stake, Standing};
use serde::{Deserialize, Serialize};

/// A number that is not known exactly.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Range {
    /// It is so much at least.
    pub at_least: u64,
    /// It is so much at most.
    pub at_most: u64,
}

impl Range {
    /// Exactly this number.
    #[must_use]
    pub const fn exactly(number: u64) -> Self {
        Self { at_least: number, at_most: number }
    }

    /// Any number up to this one.
    #[must_use]
    pub const fn up_to(at_most: u64) -> Self {
        Self { at_least: 0, at_most }
    }

    const fn plus(self, other: Self) -> Self {
        Self { at_least: self.at_least.saturating_add(other.at_least), at_most: self.at_most.saturating_add(other.at_most) }
    }

    fn or(self, other: Self) -> Self {
        Self { at_least: self.at_least.min(other.at_least), at_most: self.at_most.max(other.at_most) }
    }
}

/// Ranges by name: of amounts by currency, or of sagas by standing. What is exactly 0 is left out.
pub type Ranges = BTreeMap<String, Range>;

/// What is foreseen of a saga, or of several in sum.
#[derive(Clone, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Effects {
    /// What is given back, by currency in its smallest unit.
    pub refunds: Ranges,
    /// What stays taken since the saga ends in *both*, likewise.
    pub stays: Ranges,
    /// What is in effect, or may be, where only a person can see to it: the saga waits for one, or was settled. Likewise.
    pub for_a_person: Ranges,
    /// How many steps are undone of which no amount is known.
    pub undoes_without_amount: Range,
    /// How many steps are left to a person of which no amount is known.
    pub leaves_without_amount: Range,
    /// How many keys are closed.
    pub closes: Range,
    /// How many steps are done that are never undone.
    pub dispatches: Range,
    /// How the sagas stand when they come to rest: `completed`, `cancelled`, `settled`, or `suspended` where a person is waited for.
    pub ends: Ranges,
}

/// What has come of a saga so far, or of several in sum. Amounts are ranges, too: several steps may name the same money.
#[derive(Clone, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Come {
    /// What was given back, by currency in its smallest unit.
    pub refunded: Ranges,
    /// What stays taken since the saga has ended in *both*, likewise.
    pub stays: Ranges,
    /// What is in effect, or may be, where only a person can see to it, likewise.
    pub for_a_person: Ranges,
    /// What is in effect, or may be, of sagas that are under way, likewise.
    pub under_way: Ranges,
    /// How many steps were undone of which no amount is known.
    pub undone_without_amount: u64,
    /// How many steps are left to a person of which no amount is known.
    pub left_without_amount: u64,
    /// How many keys were closed.
    pub closed: u64,
    /// How many steps were done that are never undone.
    pub dispatched: u64,
    /// How many sagas stand how.
    pub standing: BTreeMap<String, u64>,
}

impl Effects {
    /// What is foreseen of one saga by the ends that it may come to. Where they are not known it is whatever may become of its steps.
    #[must_use]
    pub fn of(stakes: &[Stake], ends: Option<&BTreeSet<End>>) -> Self {
        let Some(ends) = ends else { return Self::of_anything(stakes) };
        let each = ends.iter().map(|end| Self::exactly(&Come::of(stakes, end, true)));
        each.reduce(|one, other| one.joined(&other, Range::or)).unwrap_or_default()
    }

    fn exactly(come: &Come) -> Self {
        let ends = come.standing.iter().map(|(name, sagas)| (name.clone(), Range::exactly(*sagas)));
        Self {
            refunds: come.refunded.clone(),
            stays: come.stays.clone(),
            for_a_person: come.for_a_person.clone(),
            undoes_without_amount: Range::exactly(come.undone_without_amount),
            leaves_without_amount: Range::exactly(come.left_without_amount),
            closes: Range::exactly(come.closed),
            dispatches: Range::exactly(come.dispatched),
            ends: ends.collect(),
        }
    }

    fn of_anything(stakes: &[Stake]) -> Self {
        let up_to =
            |ranges: Ranges| -> Ranges { ranges.into_iter().map(|(name, range)| (name, Range::up_to(range.at_most))).collect() };
        let number = |is: &dyn Fn(&Stake) -> bool| Range::up_to(stakes.iter().filter(|stake| is(stake)).map(|_| 1).sum());
        let all = up_to(amounts(stakes, |_| true));
        let standings = [Standing::Completed, Standing::Cancelled, Standing::Suspended];
        Self {
            refunds: up_to(amounts(stakes, |stake| !stakes[stake].is_irrevocable)),
            stays: all.clone(),
            for_a_person: all,
            undoes_without_amount: number(&|stake| stake.amounts.is_empty() && !stake.is_irrevocable),
            leaves_without_amount: number(&|stake| stake.amounts.is_empty()),
            closes: number(&|_| true),
            dispatches: number(&|stake| stake.is_irrevocable),
            ends: standings.into_iter().map(|standing| (standing.name().to_owned(), Range::up_to(1))).collect(),
        }
    }

    /// Adds what is foreseen of others.
    pub fn add(&mut self, other: &Self) {
        *self = self.joined(other, Range::plus);
    }

    /// Nothing becomes of the money, and nothing is closed or dispatched.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        let Self { refunds, stays, for_a_person, ends: _, .. } = self;
        let counts = [self.undoes_without_amount, self.leaves_without_amount, self.closes, self.dispatches];
        [refunds, stays, for_a_person].into_iter().all(BTreeMap::is_empty) && counts == [Range::default(); 4]
    }

    fn joined(&self, other: &Self, join: fn(Range, Range) -> Range) -> Self {
        let ranges = |one: &Ranges, other: &Ranges| joined(one, other, join);
        Self {
            refunds: ranges(&self.refunds, &other.refunds),
            stays: ranges(&self.stays, &other.stays),
            for_a_person: ranges(&self.for_a_person, &other.for_a_person),
            undoes_without_amount: join(self.undoes_without_amount, other.undoes_without_amount),
            leaves_without_amount: join(self.leaves_without_amount, other.leaves_without_amount),
            closes: join(self.closes, other.closes),
            dispatches: join(self.dispatches, other.dispatches),
            ends: ranges(&self.ends, &other.ends),
        }
    }
}

fn joined(one: &Ranges, other: &Ranges, join: fn(Range, Range) -> Range) -> Ranges {
    let names: BTreeSet<&String> = one.keys().chain(other.keys()).collect();
    let range = |of: &Ranges, name: &String| of.get(name).copied().unwrap_or_default();
    let joined = names.into_iter().map(|name| (name.clone(), join(range(one, name), range(other, name))));
    joined.filter(|(_, range)| *range != Range::default()).collect()
}

impl Come {
    /// What has come of one saga that stands so, at rest or under way.
    #[must_use]
    pub fn of(stakes: &[Stake], end: &End, is_at_rest: bool) -> Self {
        let fate = |stake: usize| end.fates.get(stake).copied().unwrap_or(Fate::Nothing);
        let is_left = |stake: usize| matches!(fate(stake), Fate::Open | Fate::Done | Fate::StillDone);
        let is_for_a_person = is_at_rest && end.standing != Standing::Completed;
        let number = |is: &dyn Fn(usize) -> bool| (0..stakes.len()).filter(|&stake| is(stake)).map(|_| 1).sum();
        let is_without_amount = |stake: usize| stakes[stake].amounts.is_empty();
        let mut come = Self {
            refunded: amounts(stakes, |stake| fate(stake) == Fate::Undone),
            undone_without_amount: number(&|stake| fate(stake) == Fate::Undone && is_without_amount(stake)),
            left_without_amount: number(&|stake| is_for_a_person && is_left(stake) && is_without_amount(stake)),
            closed: number(&|stake| fate(stake) == Fate::Closed),
            dispatched: number(&|stake| fate(stake) == Fate::Done && stakes[stake].is_irrevocable),
            standing: [(end.standing.name().to_owned(), 1)].into(),
            ..Self::default()
        };
        *match (end.standing, is_at_rest) {
            (Standing::Completed, _) => &mut come.stays,
            (_, true) => &mut come.for_a_person,
            (_, false) => &mut come.under_way,
        } = amounts(stakes, is_left);
        come
    }

    /// Adds what has come of others.
    pub fn add(&mut self, other: &Self) {
        let add = |sum: &mut Ranges, other: &Ranges| *sum = joined(sum, other, Range::plus);
        add(&mut self.refunded, &other.refunded);
        add(&mut self.stays, &other.stays);
        add(&mut self.for_a_person, &other.for_a_person);
        add(&mut self.under_way, &other.under_way);
        for (name, sagas) in &other.standing {
            *self.standing.entry(name.clone()).or_default() += sagas;
        }
        self.undone_without_amount += other.undone_without_amount;
        self.left_without_amount += other.left_without_amount;
        self.closed += other.closed;
        self.dispatched += other.dispatched;
    }
}

/// How much the steps that are meant are about. Where a body names one amount it is that; where it names several it is none of them for
/// sure, and all of them at most. Several steps may name the same money, so of each currency it is the largest step's at least, and all
/// of theirs at most. What only the order names is about any of its steps, and counts once.
fn amounts(stakes: &[Stake], is_meant: impl Fn(usize) -> bool) -> Ranges {
    let mut sum = Ranges::new();
    let meant: Vec<&Stake> = stakes.iter().enumerate().filter(|(at, _)| is_meant(*at)).map(|(_, stake)| stake).collect();
    let of_order = meant.iter().find(|stake| stake.is_of_order);
    for stake in meant.iter().filter(|stake| !stake.is_of_order).chain(of_order) {
        let is_exact = stake.amounts.len() == 1 && !stake.is_of_order;
        for money in &stake.amounts {
            let range = sum.entry(money.currency.clone()).or_default();
            range.at_least = range.at_least.max(if is_exact { money.minor } else { 0 });
            range.at_most = range.at_most.saturating_add(money.minor);
        }
    }
    sum.retain(|_, range| *range != Range::default());
    sum
}

#[cfg(test)]
mod tests {
    use handfast::Money;

    use super::*;

    fn stake(step: &str, minor: Option<u64>, is_irrevocable: bool) -> Stake {
        let amounts = minor.map(|minor| Money { minor, currency: "EUR".to_owned() }).into_iter().collect();
        Stake::new(step.to_owned(), amounts, false, is_irrevocable)
    }

    fn shop() -> [Stake; 2] {
        [stake("payment", Some(1999), false), stake("dispatch", None, true)]
    }

    fn end(standing: Standing, fates: &[Fate]) -> End {
        End { standing, fates: fates.to_vec() }
    }

    fn eur(at_least: u64, at_most: u64) -> Ranges {
        [("EUR".to_owned(), Range { at_least, at_most })].into()
    }

    #[test]
    fn of_several_ends_the_least_and_the_most_of_each_counts() {
        let neither = end(Standing::Cancelled, &[Fate::Undone, Fate::Closed]);
        let both = end(Standing::Completed, &[Fate::StillDone, Fate::Done]);
        let effects = Effects::of(&shop(), Some(&[neither.clone(), both].into()));
        assert_eq!((&effects.refunds, &effects.stays, &effects.for_a_person), (&eur(0, 1999), &eur(0, 1999), &Ranges::new()));
        assert_eq!((effects.closes, effects.dispatches), (Range::up_to(1), Range::up_to(1)));
        assert_eq!(effects.ends.keys().collect::<Vec<_>>(), ["cancelled", "completed"]);
        let only = Effects::of(&shop(), Some(&[neither].into()));
        assert_eq!((only.refunds, only.closes, only.stays), (eur(1999, 1999), Range::exactly(1), Ranges::new()));
    }

    #[test]
    fn sums_add_the_least_to_the_least_and_the_most_to_the_most() {
        let mut sum = Effects::default();
        let neither = end(Standing::Cancelled, &[Fate::Undone, Fate::Closed]);
        let both = end(Standing::Completed, &[Fate::StillDone, Fate::Done]);
        sum.add(&Effects::of(&shop(), Some(&[neither.clone()].into())));
        sum.add(&Effects::of(&shop(), Some(&[neither, both].into())));
        assert_eq!((sum.refunds, sum.closes), (eur(1999, 3998), Range { at_least: 1, at_most: 2 }));
        assert_eq!(sum.ends["cancelled"], Range { at_least: 1, at_most: 2 });
        assert_eq!(sum.ends["completed"], Range::up_to(1));
    }

    #[test]
    fn the_same_money_named_by_two_steps_is_the_larger_at_least_and_both_at_most() {
        let stakes = [stake("hold", Some(1999), false), stake("capture", Some(1999), true)];
        let waits = end(Standing::Suspended, &[Fate::StillDone, Fate::Open]);
        let effects = Effects::of(&stakes, Some(&[waits.clone()].into()));
        assert_eq!((effects.for_a_person, effects.refunds), (eur(1999, 3998), Ranges::new()));
        let two = [stake("flight", Some(100), false), stake("hotel", Some(50), false)];
        let both = Come::of(&two, &end(Standing::Cancelled, &[Fate::Undone, Fate::Undone]), true);
        assert_eq!(both.refunded, eur(100, 150));
        let on_its_way = Come::of(&stakes, &waits, false);
        assert_eq!((on_its_way.under_way, on_its_way.for_a_person.len()), (eur(1999, 3998), 0));
    }

    #[test]
    fn of_several_amounts_in_a_body_none_is_picked() {
        let money = |minor| Money { minor, currency: "EUR".to_owned() };
        let stakes = [Stake::new("payment".to_owned(), vec![money(250), money(10_000)], false, false)];
        let undone = end(Standing::Cancelled, &[Fate::Undone]);
        assert_eq!(Come::of(&stakes, &undone, true).refunded, eur(0, 10_250));
    }

    #[test]
    fn what_only_the_order_names_is_about_any_of_its_steps_and_counts_once() {
        let of_order =
            |step: &str| Stake::new(step.to_owned(), vec![Money { minor: 5_000, currency: "EUR".to_owned() }], true, false);
        let stakes = [of_order("points"), of_order("payment")];
        let both = Come::of(&stakes, &end(Standing::Cancelled, &[Fate::Undone, Fate::Undone]), true);
        let second = Come::of(&stakes, &end(Standing::Cancelled, &[Fate::Nothing, Fate::Undone]), true);
        assert_eq!((both.refunded, second.refunded), (eur(0, 5_000), eur(0, 5_000)));
    }

    #[test]
    fn steps_without_an_amount_are_counted() {
        let stakes = [stake("points", None, false), stake("dispatch", None, true)];
        let undone = Come::of(&stakes, &end(Standing::Cancelled, &[Fate::Undone, Fate::Closed]), true);
        assert_eq!((undone.undone_without_amount, undone.left_without_amount), (1, 0));
        let settled = Effects::of(&stakes, Some(&[end(Standing::Settled, &[Fate::StillDone, Fate::Open])].into()));
        assert_eq!(settled.leaves_without_amount, Range::exactly(2));
        assert!(!settled.is_nothing());
    }

    #[test]
    fn where_the_ends_are_too_many_everything_is_possible() {
        let effects = Effects::of(&shop(), None);
        assert_eq!((effects.refunds, effects.stays, effects.for_a_person), (eur(0, 1999), eur(0, 1999), eur(0, 1999)));
        assert_eq!((effects.closes, effects.dispatches), (Range::up_to(2), Range::up_to(1)));
    }

    #[test]
    fn nothing_is_what_closes_dispatches_and_moves_no_money() {
        let off = end(Standing::Cancelled, &[Fate::Nothing, Fate::Nothing]);
        assert!(Effects::of(&shop(), Some(&[off].into())).is_nothing());
        let closed = end(Standing::Cancelled, &[Fate::Nothing, Fate::Closed]);
        assert!(!Effects::of(&shop(), Some(&[closed].into())).is_nothing());
    }
}
