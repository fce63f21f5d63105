//! Whose history a participant's store has: what a caller saw of it, and whether the store can confirm that.
//!
//! A number and a kept incarnation do not identify a history. A store that was put back to an older copy goes on from there,
//! and the requests of somebody who has seen less soon lift its number past everything that was ever seen. So each change of
//! a register draws a random *mark*, which is kept with its number in the register, and a caller names changes that it saw by
//! key, number and mark: only a store with that very change in its history can confirm them. Changes commit in the order of
//! their numbers, so whoever confirms one has all that came before it.
//!
//! ```text
//!   copied here ----> 4 (k3, red) ----> 5 (k4, blue)      seen by A: k4, 5, blue
//!         \
//!          \--put back--> 4 (k7, grey) ---> 5 (k8, pink) ---> 6 (k4, gold)      cannot confirm it: behind
//! ```
//!
//! What a caller saw is a [`Memory`]. One change stands for all of them, the one with the highest number, but only where it is
//! proven that the others lie in the same history: an answer that was asked for before may come from another one. A proof is
//! that the answer's request named the other change, or that both answers come from one *opening* of the store, between which
//! nobody can have put it back. What is not proven is named beside it.

use alloc::vec::Vec;

use crate::guards::Guards;

/// One change of a register: the store's number of it, and its mark.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Change<M> {
    /// The number of the change in its store, counted from 1.
    pub number: u64,
    /// Drawn at random for this change alone.
    pub mark: M,
}

/// The changes of one register: it changes at most twice, and both stay.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Changes<M> {
    /// The change that made it what it was before the last one, if there were two.
    pub first: Option<Change<M>>,
    /// The change that made it what it is, if there was any.
    pub last: Option<Change<M>>,
}

impl<M> Default for Changes<M> {
    fn default() -> Self {
        Self { first: None, last: None }
    }
}

impl<M: Eq> Changes<M> {
    /// The changes after a further one.
    #[must_use]
    pub fn then<G: Guards>(self, change: Change<M>) -> Self {
        let first = if G::BOTH_CHANGES_STAY { self.first.or(self.last) } else { None };
        Self { first, last: Some(change) }
    }

    fn has(&self, is_it: impl Fn(&Change<M>) -> bool) -> bool {
        [&self.first, &self.last].into_iter().flatten().any(is_it)
    }
}

/// A change that somebody saw: whose it is, and which.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Sighting<K, M> {
    /// The key of the register.
    pub key: K,
    /// Its change.
    pub change: Change<M>,
}

/// Whether a store has forgotten something that a request names, so that it must do nothing. `number` is that of its last
/// change, and `changes_of` reads a register's changes.
///
/// # Errors
/// Whatever `changes_of` failed with.
pub fn is_behind<G: Guards, K, M: Eq, E>(
    named: &[Sighting<K, M>],
    number: u64,
    mut changes_of: impl FnMut(&K) -> Result<Changes<M>, E>,
) -> Result<bool, E> {
    for Sighting { key, change } in named {
        let is_confirmed = if !G::SEEN_NAMES_A_KEY {
            change.number <= number
        } else if !G::SEEN_NAMES_A_MARK {
            changes_of(key)?.has(|kept| kept.number == change.number)
        } else {
            changes_of(key)?.has(|kept| kept == change)
        };
        if !is_confirmed {
            return Ok(true);
        }
    }
    Ok(false)
}

/// A change that stands for everything before it in its history, and the opening of the store that showed it to be there.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Tip<K, M, O> {
    /// The change.
    pub sighting: Sighting<K, M>,
    /// Drawn whenever the store is opened. `None`: the participant does not say.
    pub opening: Option<O>,
}

/// What an answer has shown, and what its request had named.
pub type Shown<'a, K, M, O> = (&'a Tip<K, M, O>, &'a [Sighting<K, M>]);

/// What a caller has seen of one incarnation of a participant's store: the changes that a request has to name.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Memory<K, M, O> {
    tips: Vec<Tip<K, M, O>>,
}

impl<K, M, O> Default for Memory<K, M, O> {
    fn default() -> Self {
        Self { tips: Vec::new() }
    }
}

impl<K: Clone + Ord, M: Clone + Ord, O: Clone + Ord> Memory<K, M, O> {
    /// So many changes are named at most. It takes that many answers to requests of before the first one, of a participant
    /// that does not tell its openings apart.
    pub const MOST: usize = 16;

    /// What was kept of it.
    #[must_use]
    pub fn kept(mut tips: Vec<Tip<K, M, O>>) -> Self {
        tips.sort_unstable();
        tips.dedup();
        Self { tips }
    }

    /// What is to be kept of it, in a fixed order.
    #[must_use]
    pub fn tips(&self) -> &[Tip<K, M, O>] {
        &self.tips
    }

    /// What a request has to name.
    #[must_use]
    pub fn named(&self) -> Vec<Sighting<K, M>> {
        self.tips.iter().map(|tip| tip.sighting.clone()).collect()
    }

    /// Takes note of what an answer has shown; its request had `named` these changes, which are confirmed by it. Says whether
    /// there was room: an answer that there is no room for is to be asked for again, naming everything that was seen since.
    #[must_use]
    pub fn learn<G: Guards>(&mut self, shown: Tip<K, M, O>, named: &[Sighting<K, M>]) -> bool {
        let is_covered = |tip: &Tip<K, M, O>| {
            !G::SEEN_IS_JOINED_BY_PROOF
                || named.contains(&tip.sighting)
                || (shown.opening.is_some() && tip.opening == shown.opening)
                || tip.sighting == shown.sighting
        };
        let (covered, mut tips): (Vec<_>, Vec<_>) = self.tips.iter().cloned().partition(is_covered);
        if tips.len() >= self.bound() {
            return false;
        }
        let opening = shown.opening;
        let highest = covered
            .into_iter()
            .map(|tip| tip.sighting)
            .fold(shown.sighting, |highest, other| if other.change.number > highest.change.number { other } else { highest });
        tips.push(Tip { sighting: highest, opening });
        tips.sort_unstable();
        self.tips = tips;
        true
    }

    /// Whether it has room for all of these, in whatever order they become durable, or some of them never: what an answer has
    /// shown, and what its request had named.
    #[must_use]
    pub fn has_room_for(&self, pending: &[Shown<'_, K, M, O>]) -> bool {
        // What each of them covers is gone with the first.
        let covers = |(shown, named): &Shown<'_, K, M, O>, tip: &Tip<K, M, O>| {
            let is_of_one_opening = shown.opening.is_some() && tip.opening == shown.opening;
            is_of_one_opening || named.contains(&tip.sighting) || tip.sighting == shown.sighting
        };
        let stay: Vec<&Tip<K, M, O>> = self.tips.iter().filter(|tip| !pending.iter().all(|shown| covers(shown, tip))).collect();
        // Those of one opening become one, and take the place of what it had shown before.
        let is_new = |opening: &&O| !stay.iter().any(|tip| tip.opening.as_ref() == Some(*opening));
        let mut openings: Vec<&O> = pending.iter().filter_map(|(shown, _)| shown.opening.as_ref()).filter(is_new).collect();
        openings.sort_unstable();
        openings.dedup();
        let without_opening = pending.iter().filter(|(shown, _)| shown.opening.is_none()).count();
        stay.len() + openings.len() + without_opening <= self.bound()
    }

    fn bound(&self) -> usize {
        self.tips.len().max(Self::MOST)
    }

    /// Takes over what somebody saw who shares this memory. Nothing is proven between the two.
    pub fn join(&mut self, others: &[Tip<K, M, O>]) {
        for other in others {
            let known = |tip: &Tip<K, M, O>| tip.sighting == other.sighting;
            if !self.tips.iter().any(known) {
                self.tips.push(other.clone());
            }
        }
        self.tips.sort_unstable();
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;
    use crate::guards::Deployed;

    type Caller = Memory<&'static str, u8, u8>;

    fn tip(key: &'static str, number: u64, mark: u8, opening: Option<u8>) -> Tip<&'static str, u8, u8> {
        Tip { sighting: Sighting { key, change: Change { number, mark } }, opening }
    }

    #[test]
    fn one_change_stands_for_all_that_one_opening_has_shown() {
        let mut memory = Caller::default();
        for (key, number) in [("a", 3), ("b", 7), ("c", 5)] {
            assert!(memory.learn::<Deployed>(tip(key, number, 0, Some(1)), &[]));
        }
        assert_eq!(memory.named(), [tip("b", 7, 0, None).sighting]);
    }

    #[test]
    fn what_another_opening_shows_stands_beside_it_until_it_has_confirmed_the_rest() {
        let mut memory = Caller::default();
        assert!(memory.learn::<Deployed>(tip("a", 5, 1, Some(1)), &[]));
        // Asked for before "a" was seen: it may come from a store that has forgotten it.
        assert!(memory.learn::<Deployed>(tip("b", 9, 2, Some(2)), &[]));
        let both = memory.named();
        assert_eq!(both.len(), 2);
        assert!(memory.learn::<Deployed>(tip("c", 6, 3, Some(3)), &both));
        assert_eq!(memory.tips(), [tip("b", 9, 2, Some(3))]);
    }

    #[test]
    fn without_openings_there_is_an_end_to_what_is_named() {
        let mut memory = Caller::default();
        for number in 0..Caller::MOST as u64 {
            assert!(memory.learn::<Deployed>(tip("k", number, 0, None), &[]));
        }
        let named = memory.named();
        assert!(!memory.learn::<Deployed>(tip("late", 99, 0, None), &[]), "it is asked for again");
        assert!(memory.learn::<Deployed>(tip("late", 99, 0, None), &named));
        assert_eq!(memory.named(), [tip("late", 99, 0, None).sighting]);
    }

    #[test]
    fn what_is_above_the_bound_comes_down_by_what_is_confirmed() {
        let mut memory = Caller::kept((0..40).map(|number| tip("k", number, 0, None)).collect());
        assert!(!memory.learn::<Deployed>(tip("late", 99, 0, None), &[]), "it would be one more");
        let some: Vec<_> = memory.named().into_iter().take(30).collect();
        let shown = tip("late", 99, 0, Some(1));
        assert!(memory.has_room_for(&[(&shown, &some)]));
        assert!(memory.learn::<Deployed>(shown, &some));
        assert_eq!(memory.named().len(), 11);
        let rest = memory.named();
        assert!(memory.learn::<Deployed>(tip("later", 100, 0, Some(1)), &rest));
        assert_eq!(memory.named(), [tip("later", 100, 0, None).sighting]);
    }

    /// Every order of so many answers, each of which showed one of a few changes and was asked for with some of them named.
    #[test]
    fn where_there_is_room_no_order_needs_more() {
        let mut state = 7_u64;
        let mut draw = |below: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % below
        };
        let (mut full, mut refused) = (0, 0);
        for _ in 0..400 {
            let opening = |drawn: u64| u8::try_from(drawn).ok().filter(|drawn| *drawn < 1);
            let known = 10 + draw(7);
            let known = (0..known).map(|number| tip("k", number, 0, opening(draw(8)))).collect();
            let memory = Caller::kept(known);
            let shown: Vec<_> =
                (0..1 + draw(3)).map(|at| tip("p", draw(30), u8::try_from(at).unwrap(), opening(draw(4)))).collect();
            let named: Vec<Vec<_>> = shown.iter().map(|_| memory.named().into_iter().filter(|_| draw(6) > 3).collect()).collect();
            let pending: Vec<_> = shown.iter().zip(&named).map(|(shown, named)| (shown, named.as_slice())).collect();
            if !memory.has_room_for(&pending) {
                refused += 1;
                continue;
            }
            let mut orders = vec![(memory, pending)];
            while let Some((memory, left)) = orders.pop() {
                full += usize::from(memory.tips.len() == Caller::MOST);
                for at in 0..left.len() {
                    let (mut memory, mut left) = (memory.clone(), left.clone());
                    let (shown, named) = left.remove(at);
                    assert!(memory.learn::<Deployed>(*shown, named), "{memory:?} has room for {shown:?}");
                    assert!(memory.tips.len() <= Caller::MOST);
                    orders.push((memory, left));
                }
            }
        }
        assert!(full > 20 && refused > 20, "{full} {refused}");
    }

    #[test]
    fn a_store_confirms_nothing_but_the_very_change() {
        let done = Change { number: 4, mark: 7 };
        let changes = Changes::default().then::<Deployed>(done).then::<Deployed>(Change { number: 9, mark: 8 });
        let ask = |number, mark| {
            let named = vec![Sighting { key: "k", change: Change { number, mark } }];
            is_behind::<Deployed, _, _, ()>(&named, 9, |_| Ok(changes))
        };
        assert_eq!((ask(4, 7), ask(9, 8)), (Ok(false), Ok(false)), "both changes stay");
        assert_eq!((ask(4, 8), ask(9, 7), ask(3, 7)), (Ok(true), Ok(true), Ok(true)));
        assert_eq!(is_behind::<Deployed, &str, u8, ()>(&[], 0, |_| Ok(changes)), Ok(false), "who saw nothing knows nothing");
    }
}
