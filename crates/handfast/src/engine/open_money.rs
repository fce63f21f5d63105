//! How much money the sagas that have not ended are about, by currency, and how old the oldest of them is: for those who watch all
//! sagas at once. It is read from the store, page by page and with long pauses, since no order waits for it.

use std::collections::BTreeMap;

use bytes::Bytes;
use handfast_protocol::{Standing, Time};

use super::{Engine, money};
use crate::clock;
use crate::participant::places_of;
use crate::store::{Filter, Ordered, StoreError};

/// How much money the sagas of a store are about that have not ended: at most so much may have moved for them, or not.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct OpenMoney {
    /// Of those that have neither ended nor wait for a person.
    pub in_doubt: Sums,
    /// Of those that wait for a person.
    pub suspended: Sums,
}

/// The sums of some sagas.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct Sums {
    /// By the currency's three letters. No others are there than currencies that exist and have a minor unit.
    pub by_currency: BTreeMap<String, Sum>,
    /// How many sagas there are beside them whose order says no amount.
    pub without_amount: u64,
    /// How many there are beside them whose order is not what was written, or names an amount that cannot be added up.
    pub unreadable: u64,
    /// How many of those in the sums have several amounts, of which all are counted.
    pub several_amounts: u64,
}

/// How much the sagas of one currency are about at most. Of each saga all amounts of the order count, or all of the bodies of its
/// steps, whichever is more.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct Sum {
    /// How many sagas.
    pub sagas: u64,
    /// The sum, exactly, in the currency's smallest unit.
    pub minor: u128,
    /// How many places an amount of the currency has: 2 where 100 of the smallest unit make one of it.
    pub places: usize,
}

/// How many orders are read at a time, fewer where they are large.
const AT_ONCE: usize = 500;

/// How many times as long as reading took nothing is read afterwards, so that a reader of the store is free for everything else.
pub(super) const PAUSES: u32 = 4;

impl Sums {
    pub(super) fn add(&mut self, order: Option<(&[u8], &[Bytes])>) {
        let Some(most) = order.and_then(|(input, bodies)| money::at_most(input, bodies)) else {
            self.unreadable += 1;
            return;
        };
        self.without_amount += u64::from(most.by_currency.is_empty());
        self.several_amounts += u64::from(most.has_several);
        for (currency, minor) in most.by_currency {
            let places = places_of(&currency).unwrap_or_default();
            let sum = self.by_currency.entry(currency).or_default();
            sum.sagas += 1;
            sum.minor = sum.minor.saturating_add(minor);
            sum.places = places;
        }
    }
}

impl OpenMoney {
    fn add(&mut self, Ordered { standing, order }: &Ordered) {
        let sums = if standing == Standing::Suspended.name() { &mut self.suspended } else { &mut self.in_doubt };
        sums.add(order.as_ref().map(|(input, bodies)| (&input[..], &bodies[..])));
    }
}

impl Engine {
    /// Adds up how much the sagas are about that have not ended. Every order of them is read, and pauses are made between them, so
    /// this may take a minute where a million are open. It is not of one moment: what ends or is placed meanwhile may be counted, or not.
    ///
    /// # Errors
    /// The store's. Where the engine stops meanwhile there is no sum.
    pub async fn open_money(&self) -> Result<Option<OpenMoney>, StoreError> {
        let shared = &self.0.shared;
        let are_open = Standing::ALL.into_iter().filter(|standing| !standing.has_ended());
        let standings = are_open.map(|standing| standing.name().to_owned()).collect();
        let mut filter = Filter { standings, limit: AT_ONCE, ..Filter::default() };
        let mut money = OpenMoney::default();
        loop {
            let page = async {
                let (orders, next) = shared.store.orders(filter.clone()).await?;
                // Reading JSON is work for a thread that no request waits for.
                let mut sums = money.clone();
                let added = tokio::task::spawn_blocking(move || {
                    orders.iter().for_each(|ordered| sums.add(ordered));
                    sums
                });
                Ok::<_, StoreError>((added.await.ok(), next))
            };
            let (page, took) = clock::timed(page).await;
            let (Some(added), next) = page? else { return Ok(None) };
            money = added;
            if next.is_none() {
                return Ok(Some(money));
            }
            filter.after = next;
            tokio::time::sleep(took.saturating_mul(PAUSES)).await;
            if shared.is_stopping() {
                return Ok(None);
            }
        }
    }

    /// When the oldest saga was placed that has neither ended nor waits for a person: the first in the order of placing. Cheap, however
    /// many there are.
    ///
    /// # Errors
    /// The store's.
    pub async fn oldest_in_doubt(&self) -> Result<Option<Time>, StoreError> {
        let in_doubt = Standing::ALL.into_iter().filter(|standing| standing.is_in_doubt());
        let standings = in_doubt.map(|standing| standing.name().to_owned()).collect();
        let page = self.0.shared.store.list(Filter { standings, limit: 1, ..Filter::default() }).await?;
        Ok(page.sagas.first().map(|saga| saga.created))
    }
}
