//! What Prometheus reads of the service: counts that are kept anyway, a few numbers of the store that cost the same however many
//! sagas it has, and sums of money that are read [aside](reading).
//!
//! They are written from a table of our own and kept in no registry: a program that has the service inside may export others as it
//! likes, and several services in one process do not mix their numbers.

pub(crate) mod families;
mod reading;
#[cfg(test)]
mod tests;
mod text;

use std::collections::BTreeMap;
use std::time::Duration;

use handfast::store::Counts;
use handfast::{BreakerState, LinkStats, Standing, Stats, Sum};
use handfast_machine::clock;
use handfast_protocol::PROTOCOL_VERSION;

use self::families as family;
pub(crate) use self::reading::{Reading, Readings};
pub(crate) use self::text::MEDIA_TYPE;
use self::text::{Seconds, Text};
use crate::flows::ServedFlow;
use crate::service::Service;

/// So long the store may take: a scrape says what else there is to say, also where the store is in trouble.
const STORE: Duration = Duration::from_secs(1);

/// The largest whole number up to which Prometheus keeps each exactly.
const EXACT: u128 = 1 << 53;

/// Everything there is to say, as text.
pub(crate) async fn written(service: &Service) -> String {
    let coordinator = service.coordinator();
    let read = async { (coordinator.stats().await.ok(), coordinator.oldest_in_doubt().await.ok()) };
    let (read, oldest) = tokio::time::timeout(STORE, read).await.unwrap_or_default();
    let (stats, counts) = match read {
        Some((stats, counts)) => (Some(stats), Some(counts)),
        None => (coordinator.live_stats(), None),
    };
    let mut text = Text::default();
    of_service(&mut text, service);
    text.one(family::STORE_ANSWERS, u8::from(counts.is_some()));
    if let Some(counts) = &counts {
        of_store(&mut text, counts, stats.as_ref());
    }
    if let Some(oldest) = oldest {
        let age_ms = oldest.map_or(0, |placed| clock::now_ms().saturating_sub(placed.0));
        text.one(family::OLDEST, Seconds(Duration::from_millis(age_ms)));
    }
    if let Some(stats) = &stats {
        of_engine(&mut text, stats);
        of_participants(&mut text, &stats.participants);
    }
    if let Some(reading) = service.open_money().await {
        of_money(&mut text, &reading);
    }
    text.finish()
}

fn of_service(text: &mut Text, service: &Service) {
    let protocol = PROTOCOL_VERSION.to_string();
    text.many(family::BUILD_INFO, [([env!("CARGO_PKG_VERSION"), &protocol], 1)]);
    text.one(family::START, Seconds(Duration::from_millis(service.opened_at_ms())));
    text.one(family::STOPPING, u8::from(service.is_stopping()));
    text.one(family::DEAD, u8::from(service.coordinator().dead_part().is_some()));
    text.one(family::CALLER_PLACES, service.places_to_wait());
    let flows = service.flows();
    let mut risks: Vec<[&str; 3]> = flows.iter().flat_map(|flow| accepted_risks(flow)).collect();
    // Of one step there may be several of one name, as of answers that are told by their status.
    risks.sort_unstable();
    risks.dedup();
    text.many(family::RISKS, risks.into_iter().map(|labels| (labels, 1)));
    let receivers = flows.iter().flat_map(|flow| flow.webhooks().iter().map(|(step, receiver)| (flow.name(), step, receiver)));
    let webhooks = receivers.flat_map(|(flow, step, receiver)| {
        let stats = receiver.stats();
        [("taken", stats.taken), ("repeated", stats.repeated), ("none_of_ours", stats.none_of_ours), ("refused", stats.refused)]
            .map(|(result, times)| ([flow, step.as_str(), result], times))
    });
    text.many(family::WEBHOOKS, webhooks);
}

/// The risks of a flow, each of which was accepted: it is not served otherwise. Flow, step and name of each.
fn accepted_risks(flow: &ServedFlow) -> impl Iterator<Item = [&str; 3]> {
    let step = |at: usize| flow.flow().steps().get(at).map_or("", |step| step.name.as_str());
    flow.file().assessment().risks.iter().map(move |risk| [flow.name(), step(risk.step), risk.what.name()])
}

/// What the store keeps counted, which also has the sagas of other workers on it.
fn of_store(text: &mut Text, counts: &Counts, stats: Option<&Stats>) {
    let of = |standing: Standing| {
        let kept = counts.by_standing.iter().find(|(name, _)| name == standing.name());
        kept.map_or(0, |(_, number)| *number)
    };
    let in_doubt: u64 = Standing::ALL.into_iter().filter(|standing| standing.is_in_doubt()).map(of).sum();
    text.many(family::SAGAS, Standing::ALL.map(|standing| ([standing.name()], of(standing))));
    text.one(family::IN_DOUBT, in_doubt);
    text.one(family::SUSPENDED, of(Standing::Suspended));
    if let Some(stats) = stats {
        text.one(family::PARKED, in_doubt.saturating_sub(stats.active));
    }
}

fn of_engine(text: &mut Text, stats: &Stats) {
    text.many(family::PLACED, stats.flows.iter().map(|counts| ([counts.flow.as_str()], counts.placed)));
    let ended = |outcome| stats.flows.iter().map(move |counts| (counts.flow.as_str(), outcome, counts.ended.get(outcome)));
    let outcomes = ["completed", "cancelled", "settled"].into_iter().flat_map(ended);
    text.many(family::ENDED, outcomes.map(|(flow, outcome, times)| ([flow, outcome], times.copied().unwrap_or_default())));
    text.one(family::NEED_PERSON, stats.suspended.len());
    text.many(family::PERSON_NEEDED, stats.person_needed.iter().map(|(reason, times)| ([*reason], *times)));
    text.one(family::LEFT_ALONE, stats.left_alone.len());
    text.one(family::UNCONFIRMED, stats.unconfirmed.len());
    text.one(family::ACTIVE, stats.active);
    text.one(family::WAITING, stats.places.waiting);
    let places = [("new", stats.places.left_for_new), ("backlog", stats.places.left_for_backlog)];
    text.many(family::PLACES, places.map(|(class, left)| ([class], left)));
    text.one(family::STORE_TROUBLE, u8::from(stats.store_trouble.is_some()));
    text.histograms(family::STORE, stats.store.iter().map(|(kind, took)| ([*kind], took)));
    text.one(family::CLOCK_TROUBLE, u8::from(stats.clock.trouble.is_some()));
    text.one(family::CLOCK_TURNS, stats.clock.turns.count);
}

fn of_participants(text: &mut Text, lines: &[LinkStats]) {
    let each = |count: fn(&LinkStats) -> u64| lines.iter().map(move |line| ([line.participant.as_str()], count(line)));
    text.many(family::IN_FLIGHT, each(|line| line.in_flight));
    text.many(family::NOT_UNDERSTOOD, each(|line| line.not_understood.iter().map(|kind| kind.times).sum()));
    text.many(family::NOT_MADE, each(|line| line.not_made.iter().map(|kind| kind.times).sum()));
    let states = [
        ("closed", BreakerState::Closed),
        ("open", BreakerState::Open),
        ("half_open", BreakerState::HalfOpen),
        ("behind", BreakerState::Behind),
    ];
    let breakers = lines
        .iter()
        .flat_map(|line| states.map(|(name, state)| ([line.participant.as_str(), name], u8::from(line.breaker == state))));
    text.many(family::BREAKER, breakers);
    let requests = lines
        .iter()
        .flat_map(|line| line.requests.iter().map(|kind| ([line.participant.as_str(), kind.operation, kind.result], &kind.took)));
    text.histograms(family::REQUESTS, requests);
}

fn of_money(text: &mut Text, Reading { money, held, at_ms, took, .. }: &Reading) {
    let all = [(family::IN_DOUBT_MONEY, &money.in_doubt), (family::SUSPENDED_MONEY, &money.suspended)];
    for (family, sums) in all {
        text.many(family, sums.by_currency.iter().map(|(currency, sum)| ([currency.as_str()], sum.minor)));
    }
    let every: Vec<(&str, Sum)> =
        all.iter().flat_map(|(_, sums)| sums.by_currency.iter().map(|(currency, sum)| (currency.as_str(), *sum))).collect();
    let rounded = every.iter().filter(|(_, sum)| sum.minor > EXACT).count();
    let digits: BTreeMap<&str, usize> = every.into_iter().map(|(currency, sum)| (currency, sum.places)).collect();
    text.many(family::DIGITS, digits.into_iter().map(|(currency, places)| ([currency], places)));
    text.one(family::IN_DOUBT_NO_AMOUNT, money.in_doubt.without_amount);
    text.one(family::SUSPENDED_NO_AMOUNT, money.suspended.without_amount);
    text.one(family::IN_DOUBT_UNREADABLE, money.in_doubt.unreadable);
    text.one(family::SUSPENDED_UNREADABLE, money.suspended.unreadable);
    text.one(family::IN_DOUBT_SEVERAL, money.in_doubt.several_amounts);
    text.one(family::SUSPENDED_SEVERAL, money.suspended.several_amounts);
    text.one(family::MONEY_ROUNDED, rounded);
    text.one(family::MONEY_READ, Seconds(Duration::from_millis(*at_ms)));
    text.one(family::MONEY_READ_TOOK, Seconds(*took));
    if let Some(held) = held {
        text.one(family::HELD, held);
    }
}
