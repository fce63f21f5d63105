//! What comes of sagas in money: of every end that is foreseen *at least* and *at most*, of what has come *so far*, and both in sum.

use std::collections::{BTreeMap, BTreeSet};

use handfast::{End, Fate, Stake, Standing};
use serde::{Deserialize, Serialize};

/// Amounts by currency, in its smallest unit.
pub type Amounts = BTreeMap<String, u64>;

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
    /// How many keys are closed.
    pub closes: Range,
    /// How many steps are done that are never undone.
    pub dispatches: Range,
    /// How the sagas stand when they come to rest: `completed`, `cancelled`, `settled`, or `suspended` where a person is waited for.
    pub ends: Ranges,
}

/// What has come of a saga so far, or of several in sum.
#[derive(Clone, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Come {
    /// What was given back, by currency in its smallest unit.
    pub refunded: Amounts,
    /// What stays taken since the saga has ended in *both*, likewise.
    pub stays: Amounts,
    /// What is in effect, or may be, where only a person can see to it, likewise.
    pub for_a_person: Amounts,
    /// What is in effect, or may be, of sagas that are under way, likewise.
    pub under_way: Amounts,
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
        let ranges = |amounts: &Amounts| amounts.iter().map(|(name, amount)| (name.clone(), Range::exactly(*amount))).collect();
        Self {
            refunds: ranges(&come.refunded),
            stays: ranges(&come.stays),
            for_a_person: ranges(&come.for_a_person),
            closes: Range::exactly(come.closed),
            dispatches: Range::exactly(come.dispatched),
            ends: ranges(&come.standing),
        }
    }

    fn of_anything(stakes: &[Stake]) -> Self {
        let up_to =
            |amounts: Amounts| -> Ranges { amounts.into_iter().map(|(name, amount)| (name, Range::up_to(amount))).collect() };
        let number = |steps: usize| Range::up_to(u64::try_from(steps).unwrap_or(u64::MAX));
        let [before, _] = sides(stakes, |_| true);
        let all = larger(sides(stakes, |_| true));
        let standings = [Standing::Completed, Standing::Cancelled, Standing::Suspended];
        Self {
            refunds: up_to(before),
            stays: up_to(all.clone()),
            for_a_person: up_to(all),
            closes: number(stakes.len()),
            dispatches: number(stakes.iter().filter(|stake| stake.is_irrevocable).count()),
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
        let Self { refunds, stays, for_a_person, closes, dispatches, ends: _ } = self;
        [refunds, stays, for_a_person].into_iter().all(BTreeMap::is_empty) && [closes, dispatches] == [&Range::default(); 2]
    }

    fn joined(&self, other: &Self, join: fn(Range, Range) -> Range) -> Self {
        let ranges = |one: &Ranges, other: &Ranges| -> Ranges {
            let names: BTreeSet<&String> = one.keys().chain(other.keys()).collect();
            let range = |of: &Ranges, name: &String| of.get(name).copied().unwrap_or_default();
            let joined = names.into_iter().map(|name| (name.clone(), join(range(one, name), range(other, name))));
            joined.filter(|(_, range)| *range != Range::default()).collect()
        };
        Self {
            refunds: ranges(&self.refunds, &other.refunds),
            stays: ranges(&self.stays, &other.stays),
            for_a_person: ranges(&self.for_a_person, &other.for_a_person),
            closes: join(self.closes, other.closes),
            dispatches: join(self.dispatches, other.dispatches),
            ends: ranges(&self.ends, &other.ends),
        }
    }
}

impl Come {
    /// What has come of one saga that stands so, at rest or under way.
    #[must_use]
    pub fn of(stakes: &[Stake], end: &End, is_at_rest: bool) -> Self {
        let fate = |stake: usize| end.fates.get(stake).copied().unwrap_or(Fate::Nothing);
        let number = |is: &dyn Fn(usize) -> bool| (0..stakes.len()).filter(|&stake| is(stake)).map(|_| 1).sum();
        let [before, after] = sides(stakes, |stake| fate(stake) == Fate::Undone);
        let mut refunded = before;
        add(&mut refunded, &after);
        let left = larger(sides(stakes, |stake| matches!(fate(stake), Fate::Open | Fate::Done | Fate::StillDone)));
        let mut come = Self {
            refunded,
            closed: number(&|stake| fate(stake) == Fate::Closed),
            dispatched: number(&|stake| fate(stake) == Fate::Done && stakes[stake].is_irrevocable),
            standing: [(end.standing.name().to_owned(), 1)].into(),
            ..Self::default()
        };
        *match (end.standing, is_at_rest) {
            (Standing::Completed, _) => &mut come.stays,
            (_, true) => &mut come.for_a_person,
            (_, false) => &mut come.under_way,
        } = left;
        come
    }

    /// Adds what has come of others.
    pub fn add(&mut self, other: &Self) {
        add(&mut self.refunded, &other.refunded);
        add(&mut self.stays, &other.stays);
        add(&mut self.for_a_person, &other.for_a_person);
        add(&mut self.under_way, &other.under_way);
        add(&mut self.standing, &other.standing);
        self.closed = self.closed.saturating_add(other.closed);
        self.dispatched = self.dispatched.saturating_add(other.dispatched);
    }
}

fn add(sum: &mut Amounts, other: &Amounts) {
    for (name, amount) in other {
        let kept = sum.entry(name.clone()).or_default();
        *kept = kept.saturating_add(*amount);
    }
}

/// The amounts of the steps that are meant: of those before the one that decides, and of it and those after it.
fn sides(stakes: &[Stake], is_meant: impl Fn(usize) -> bool) -> [Amounts; 2] {
    let mut sides = [Amounts::new(), Amounts::new()];
    let meant = stakes.iter().enumerate().filter(|(at, _)| is_meant(*at));
    for (stake, money) in meant.filter_map(|(_, stake)| Some((stake, stake.amount.as_ref()?))) {
        add(&mut sides[usize::from(stake.is_irrevocable)], &[(money.currency.clone(), money.minor)].into());
    }
    sides
}

/// An order's money is the same before and after the step that decides: held and captured, or charged and shipped for. So of each
/// currency the larger of the two counts, and not both.
fn larger([before, after]: [Amounts; 2]) -> Amounts {
    let mut larger = before;
    for (currency, amount) in after {
        let kept = larger.entry(currency).or_default();
        *kept = (*kept).max(amount);
    }
    larger
}

#[cfg(test)]
mod tests {
    use handfast::Money;

    use super::*;

    fn stake(step: &str, minor: Option<u64>, is_irrevocable: bool) -> Stake {
        Stake::new(step.to_owned(), minor.map(|minor| Money { minor, currency: "EUR".to_owned() }), is_irrevocable)
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
    fn what_a_person_has_to_see_to_counts_once_though_two_sides_name_it() {
        let stakes = [stake("hold", Some(1999), false), stake("capture", Some(1999), true)];
        let waits = end(Standing::Suspended, &[Fate::StillDone, Fate::Open]);
        let effects = Effects::of(&stakes, Some(&[waits.clone()].into()));
        assert_eq!((effects.for_a_person, effects.refunds), (eur(1999, 1999), Ranges::new()));
        let two = [stake("flight", Some(100), false), stake("hotel", Some(50), false)];
        let both = Come::of(&two, &end(Standing::Settled, &[Fate::Open, Fate::StillDone]), true);
        assert_eq!(both.for_a_person["EUR"], 150);
        let on_its_way = Come::of(&stakes, &waits, false);
        assert_eq!((on_its_way.under_way["EUR"], on_its_way.for_a_person.len()), (1999, 0));
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
