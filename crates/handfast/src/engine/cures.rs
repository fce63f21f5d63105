//! What helps an order that was let follow another definition, in commands that are taken where it stands.

use super::adopt::short;
use super::guard::Guard;
use crate::flow::Flow;
use crate::journal::hex;
use crate::store::StoredSaga;

/// By which definition a person names an order to the program that drives it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Named {
    placed_with: [u8; 32],
    follows: [u8; 32],
    by: By,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum By {
    /// By the one that it was placed with: it follows the one at hand.
    PlacedWith,
    /// By the one that it follows, which is not at hand.
    Follows,
    /// The same, and the one at hand is another plan, so that it cannot follow that.
    FollowsAnotherPlan,
}

impl Named {
    /// An order that was just placed.
    pub(crate) const fn placed_with(hash: [u8; 32]) -> Self {
        Self { placed_with: hash, follows: hash, by: By::PlacedWith }
    }

    /// An order that follows this definition, where these are at hand.
    pub(crate) fn of(stored: &StoredSaga, follows: &Flow, at_hand: Option<&Guard>) -> Self {
        if stored.adopted.is_empty() {
            // It has never followed another one, so nothing is said of that.
            return Self::placed_with(stored.flow_hash);
        }
        Self { placed_with: stored.flow_hash, ..Self::by(follows, at_hand) }
    }

    /// One that was placed with it, too. Where it is not known what is at hand it counts as following that: a program that holds
    /// nothing back leaves nothing of it in its store.
    fn by(follows: &Flow, at_hand: Option<&Guard>) -> Self {
        let by = match at_hand {
            None => By::PlacedWith,
            Some(at_hand) if at_hand.is_at_hand(follows.hash()) => By::PlacedWith,
            Some(at_hand) if at_hand.difference(follows).plan.is_none() => By::Follows,
            Some(_) => By::FollowsAnotherPlan,
        };
        Self { by, ..Self::placed_with(follows.hash()) }
    }

    /// How a person says that the address which is asked now keeps the same books as those that were asked before.
    pub(super) fn say_same_books(self) -> String {
        let adopt = |hash: [u8; 32]| {
            format!("say `handfast definitions adopt {} --same-books --by NAME --why TEXT --url URL`", short(&hex(&hash)))
        };
        match self.by {
            By::PlacedWith => adopt(self.placed_with),
            By::Follows => adopt(self.follows),
            By::FollowsAnotherPlan => {
                format!("start with the flow file of definition {}, --adopt and --same-books", short(&hex(&self.follows)))
            }
        }
    }

    /// What lets it go on again where it was asked by one definition and cannot follow the one that it was let follow since.
    pub(super) fn go_back_to(self, asked_by: [u8; 32]) -> String {
        let asked = short(&hex(&asked_by));
        if self.by == By::PlacedWith && asked_by == self.placed_with {
            format!("`handfast definitions keep {asked}` lets it go on with its own")
        } else {
            format!("start with the flow file of definition {asked}, by which it was asked, and --adopt")
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Arc;

    use super::*;

    fn flow(depot: &str) -> Flow {
        Flow::builder("shop").compensatable("payment", "bank").pivot("dispatch", depot).build().unwrap()
    }

    /// What is said of an order that was placed and asked by the first of these and follows the second, where the third is at hand.
    fn said(placed: &Flow, follows: &Flow, at_hand: Option<&Flow>) -> (String, String) {
        let at_hand = at_hand.map(|flow| Guard::of(BTreeMap::from([(flow.name().to_owned(), Arc::new(flow.clone()))])));
        let named = Named { placed_with: placed.hash(), ..Named::by(follows, at_hand.as_ref()) };
        (named.say_same_books(), named.go_back_to(placed.hash()))
    }

    #[test]
    fn an_order_is_named_as_it_is_listed() {
        let (placed, follows, third) = (flow("depot"), flow("new-depot"), flow("third-depot"));
        let longer = Flow::builder("shop").compensatable("payment", "bank").pivot("ship", "depot").build().unwrap();
        let hash = |flow: &Flow| short(&hex(&flow.hash()));
        for at_hand in [Some(&follows), None] {
            let (same_books, back) = said(&placed, &follows, at_hand);
            assert!(same_books.contains(&format!("definitions adopt {} --same-books", hash(&placed))), "{same_books}");
            assert!(back.contains(&format!("definitions keep {}", hash(&placed))), "{back}");
        }
        // It is listed by another hash, and to keep that one is no way back.
        let (same_books, back) = said(&placed, &follows, Some(&third));
        assert!(same_books.contains(&format!("definitions adopt {} --same-books", hash(&follows))), "{same_books}");
        assert!(back.starts_with(&format!("start with the flow file of definition {}", hash(&placed))), "{back}");
        // What is at hand is followed by no order of another plan.
        let (same_books, _) = said(&placed, &follows, Some(&longer));
        assert!(same_books.starts_with(&format!("start with the flow file of definition {}", hash(&follows))), "{same_books}");
    }
}
