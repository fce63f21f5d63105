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
use std::sync::Arc;
use std::time::Duration;

use handfast::store::Counts;
use handfast::{BreakerState, Durations, LinkStats, LookedThrough, OpenMoney, Standing, Stats, Sum};
use handfast_machine::clock;
use handfast_protocol::PROTOCOL_VERSION;

use self::families as family;
use self::reading::{Reading, Readings};
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
        of_store(&mut text, counts);
    }
    if let Some(oldest) = oldest {
        let age_ms = oldest.map_or(0, |placed| clock::now_ms().saturating_sub(placed.0));
        text.one(family::OLDEST, Seconds(Duration::from_millis(age_ms)));
    }
    if let Some(stats) = &stats {
        of_engine(&mut text, stats);
        of_participants(&mut text, &stats.participants);
    }
    let Watched { money, open, ended } = service.watched();
    let look = |those_that_have_ended| {
        let coordinator = service.shared_coordinator();
        move || async move { coordinator.look_through(those_that_have_ended).await.ok().flatten() }
    };
    let coordinator = service.shared_coordinator();
    let add_up = move || async move { coordinator.open_money().await.ok().flatten() };
    let (money, open, ended) = tokio::join!(money.latest(add_up), open.latest(look(false)), ended.latest(look(true)));
    if let Some(reading) = money {
        of_money(&mut text, &reading);
    }
    of_looks(&mut text, open.as_deref(), ended.as_deref());
    text.finish()
}

/// What is read of all sagas at times.
#[derive(Debug)]
pub(crate) struct Watched {
    money: Arc<Readings<OpenMoney>>,
    open: Arc<Readings<LookedThrough>>,
    ended: Arc<Readings<LookedThrough>>,
}

impl Default for Watched {
    fn default() -> Self {
        let used_for = Duration::from_secs;
        Self {
            money: Readings::used_for(used_for(15)),
            open: Readings::used_for(used_for(60)),
            ended: Readings::used_for(used_for(60)),
        }
    }
}

/// Who needs a person whatever their standing, by what was looked through of the sagas that are open and of those that have ended.
fn of_looks(text: &mut Text, open: Option<&Reading<LookedThrough>>, ended: Option<&Reading<LookedThrough>>) {
    let both = || open.map(|look| ("open", look)).into_iter().chain(ended.map(|look| ("ended", look)));
    let needs = both().flat_map(|(_, look)| look.of.needs_person.iter().map(|(standing, sagas)| ([*standing], *sagas)));
    let needs: BTreeMap<[&str; 1], u64> = needs.collect();
    text.many(family::NEEDS_PERSON, needs);
    let mut money = BTreeMap::<[&str; 1], u128>::new();
    for (_, look) in both() {
        for (currency, sum) in &look.of.money.by_currency {
            *money.entry([currency.as_str()]).or_default() += sum.minor;
        }
    }
    text.many(family::NEEDS_PERSON_MONEY, money);
    let unsummed = both().map(|(_, look)| look.of.money.without_amount + look.of.money.unreadable).sum::<u64>();
    text.one(family::NEEDS_PERSON_UNSUMMED, unsummed);
    let at = both().map(|(part, look)| ([part], Seconds(Duration::from_millis(look.at_ms))));
    text.many(family::LOOKED_THROUGH, at);
    text.many(family::LOOKED_THROUGH_TOOK, both().map(|(part, look)| ([part], Seconds(look.took))));
    text.many(family::HELD, open.map(|look| ([], look.of.held)));
    text.many(family::LONG_IN_DOUBT, open.map(|look| ([], look.of.in_doubt_over_an_hour)));
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
fn of_store(text: &mut Text, counts: &Counts) {
    let of = |standing: Standing| {
        let kept = counts.by_standing.iter().find(|(name, _)| name == standing.name());
        kept.map_or(0, |(_, number)| *number)
    };
    let in_doubt: u64 = Standing::ALL.into_iter().filter(|standing| standing.is_in_doubt()).map(of).sum();
    text.many(family::SAGAS, Standing::ALL.map(|standing| ([standing.name()], of(standing))));
    text.one(family::IN_DOUBT, in_doubt);
    text.one(family::SUSPENDED, of(Standing::Suspended));
}

fn of_engine(text: &mut Text, stats: &Stats) {
    text.many(family::PLACED, stats.flows.iter().map(|counts| ([counts.flow.as_str()], counts.placed)));
    let ended = |outcome| stats.flows.iter().map(move |counts| (counts.flow.as_str(), outcome, counts.ended.get(outcome)));
    let outcomes = ["completed", "cancelled", "settled"].into_iter().flat_map(ended);
    text.many(family::ENDED, outcomes.map(|(flow, outcome, times)| ([flow, outcome], times.copied().unwrap_or_default())));
    text.one(family::NEED_PERSON, stats.suspended.len());
    text.many(
        family::PERSON_NEEDED,
        stats.person_needed.iter().map(|one| ([one.flow.as_str(), one.step.as_str(), one.reason], one.times)),
    );
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

/// Several lines may have one name: of definitions of a flow before and after a change, and of two flows that ask one service. They
/// are told as one.
fn of_participants(text: &mut Text, lines: &[LinkStats]) {
    let each = |count: fn(&LinkStats) -> u64| {
        let mut counts = BTreeMap::<[&str; 1], u64>::new();
        lines.iter().for_each(|line| *counts.entry([line.participant.as_str()]).or_default() += count(line));
        counts
    };
    text.many(family::IN_FLIGHT, each(|line| line.in_flight));
    text.many(family::NOT_UNDERSTOOD, each(|line| line.not_understood.iter().map(|kind| kind.times).sum()));
    text.many(family::NOT_MADE, each(|line| line.not_made.iter().map(|kind| kind.times).sum()));
    let mut worst = BTreeMap::<&str, usize>::new();
    for line in lines {
        let state = worst.entry(&line.participant).or_default();
        *state = (*state).max(badness(line.breaker));
    }
    let names = ["closed", "half_open", "open", "behind"];
    let breakers = worst.iter().flat_map(|(participant, worst)| {
        names.into_iter().enumerate().map(move |(at, name)| ([*participant, name], u8::from(at == *worst)))
    });
    text.many(family::BREAKER, breakers);
    let mut requests = BTreeMap::<[&str; 3], Durations>::new();
    for line in lines {
        for kind in &line.requests {
            requests.entry([&line.participant, kind.operation, kind.result]).or_default().add(&kind.took);
        }
    }
    text.histograms(family::REQUESTS, requests.iter().map(|(labels, took)| (*labels, took)));
}

/// How bad a breaker's state is, from 0 on.
const fn badness(state: BreakerState) -> usize {
    match state {
        BreakerState::Closed => 0,
        BreakerState::HalfOpen => 1,
        BreakerState::Open => 2,
        BreakerState::Behind => 3,
    }
}

fn of_money(text: &mut Text, Reading { of: money, at_ms, took, .. }: &Reading<OpenMoney>) {
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
}
