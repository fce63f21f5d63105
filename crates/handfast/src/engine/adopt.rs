//! Orders that follow another definition than the one at hand: what is said of them, what is held back, and what a person
//! lets them follow.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::definitions::{AtHand, Definitions};
use handfast_protocol::{Operation, Standing};

use super::asked::Asked;
use super::cures::Named;
use super::decided::Decided;
use super::difference::{Difference, books};
use super::error::{AdoptError, OpenError};
use super::guard;
use super::options::Options;
use super::registry::Mail;
use super::shared::Shared;
use super::{Engine, money, reason};
use crate::flow::Flow;
use crate::journal::{Line, hex};
use crate::store::{Adopted, Adoption, Filter, Store, StoreError, StoredSaga, Unanswered};

/// What becomes of open orders that follow another definition than the one at hand.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum OtherDefinitions {
    /// They go on with their own.
    #[default]
    Keep,
    /// They go on with their own, except that nothing is sent for those that would call an address which the definition at
    /// hand does not name.
    Hold,
    /// They go on with their own, whatever addresses it names, since a person says so.
    KeepAll(Chosen),
    /// They follow the definition at hand where it has the same plan, since a person says so. The others are held as above.
    Adopt(Chosen),
}

/// Who decides about orders under way, and why: both are kept with every one of them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Chosen {
    /// Who.
    pub by: String,
    /// Why.
    pub why: String,
    /// The addresses that are asked now keep the same books as those that were asked before, so that what was asked for at
    /// another address may be asked for anew.
    ///
    /// Otherwise it is only looked for there.
    pub same_books: bool,
}

/// A definition that open orders follow and that is not the one at hand.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct OtherDefinition {
    /// The flow's name.
    pub flow: String,
    /// SHA-256 of the definition, in hexadecimal digits.
    pub hash: String,
    /// How many open orders follow it.
    pub orders: u64,
    /// In what it differs from the one at hand.
    pub difference: Difference,
    /// Nothing is sent for its orders until a person says which definition they are to follow.
    pub is_held: bool,
    /// A person has said that its orders go on with it, whatever addresses it names.
    pub is_kept: bool,
    /// Its orders were placed with it, and follow the one at hand since a person said so: another one, or it is at hand again.
    pub is_adopted: bool,
    pub(crate) placed_with: [u8; 32],
    pub(crate) placed_text: Arc<str>,
    pub(crate) follows: [u8; 32],
    pub(crate) text: Arc<str>,
}

impl Engine {
    /// The definitions that open orders follow and that are not at hand, and what differs.
    ///
    /// # Errors
    /// The store's.
    pub async fn other_definitions(&self) -> Result<Vec<OtherDefinition>, StoreError> {
        let shared = &self.0.shared;
        others(&*shared.store, &self.at_hand(), &shared.definitions).await
    }

    fn at_hand(&self) -> BTreeMap<String, Arc<Flow>> {
        self.flows().iter().map(|(name, definition)| (name.clone(), definition.shared_flow())).collect()
    }

    /// Lets the open orders of a definition, named by its hash in hexadecimal digits, follow the one at hand, or go on with
    /// their own: also those that have followed the one at hand meanwhile. Who decides and why is kept with each of them. Says what
    /// came of it.
    ///
    /// # Errors
    /// Why nothing was changed.
    pub async fn choose_definition(&self, hash: &str, adopts: bool, chosen: &Chosen) -> Result<Decided, AdoptError> {
        let (engine, hash, chosen) = (self.clone(), hash.to_owned(), chosen.clone());
        // In a task of its own: a caller that is cancelled while it waits must not stop the decision half way.
        let choosing = tokio::spawn(async move { engine.choose(&hash, adopts, &chosen).await });
        choosing.await.unwrap_or_else(|_panic| Err(StoreError::Unavailable(Unanswered::BrokeOff { what: "deciding" }).into()))
    }

    async fn choose(&self, hash: &str, adopts: bool, chosen: &Chosen) -> Result<Decided, AdoptError> {
        let shared = &self.0.shared;
        let others = self.other_definitions().await?;
        let others: Vec<&OtherDefinition> = others.iter().filter(|other| other.hash == hash).collect();
        if others.is_empty() {
            return Err(AdoptError::Unknown { hash: hash.chars().take(64).collect() });
        }
        let (mut decided, flows) = (Decided::default(), self.flows());
        for other in others {
            let at_hand = flows.get(&other.flow).filter(|_| adopts).map(|definition| definition.flow());
            if adopts && at_hand.is_none() {
                let why = other.difference.in_words();
                return Err(AdoptError::Impossible { flow: other.flow.clone(), hash: short(&other.hash), why });
            }
            choose(&*shared.store, shared.journal_now(), other, at_hand, chosen).await?;
            let follows = at_hand.map_or(if other.is_adopted { other.placed_with } else { other.follows }, Flow::hash);
            decided = decided.and(self.come_to(other.placed_with, follows).await?);
        }
        shared.wake_early_at_least(decided.go_on);
        Ok(decided)
    }
}

/// Lets suspended sagas begin anew, after a person has decided which definitions they follow: they have no driver that would
/// notice.
pub(crate) async fn wake_suspended(shared: Arc<Shared>) {
    let mut filter = Filter { standings: BTreeSet::from([Standing::Suspended.name().to_owned()]), ..Filter::all(None, 100) };
    while let Ok(page) = shared.store.list(filter.clone()).await {
        for suspended in &page.sagas {
            shared.tell(&Arc::from(suspended.id.as_str()), Mail::Reload);
        }
        if page.next.is_none() {
            return;
        }
        filter.after = page.next;
    }
}

/// As much of a hash as a person types.
pub(super) fn short(hash: &str) -> String {
    hash.chars().take(12).collect()
}

/// The definitions that open orders follow and that are not at hand.
///
/// # Errors
/// The store's.
pub(crate) async fn others(
    store: &dyn Store,
    at_hand: &BTreeMap<String, Arc<Flow>>,
    definitions: &Definitions,
) -> Result<Vec<OtherDefinition>, StoreError> {
    let mut others = Vec::new();
    for open in store.open_flows().await? {
        let is_adopted = guard::is_at_hand(at_hand, open.follows);
        // One that is back there may wait for what a person says of the books meanwhile.
        if is_adopted && !open.has_moved {
            continue;
        }
        let (hash, text) = if is_adopted { (open.placed_with, &open.placed_text) } else { (open.follows, &open.text) };
        // One that cannot be read here is left alone when its orders are loaded, with the reason.
        let Ok(stored) = definitions.flow_of(hash, text) else { continue };
        let difference = Difference::between(&stored, at_hand.get(stored.name()).map(|flow| &**flow));
        others.push(OtherDefinition {
            flow: stored.name().to_owned(),
            hash: hex(&hash),
            orders: open.sagas,
            difference,
            is_held: !open.is_kept && definitions.held(open.follows, &open.text).is_some(),
            is_kept: open.is_kept,
            is_adopted,
            placed_with: open.placed_with,
            placed_text: open.placed_text,
            follows: open.follows,
            text: open.text,
        });
    }
    Ok(others)
}

/// Says what differs from what open orders follow, and does with them what the caller that opened the engine wants.
pub(crate) async fn settle(
    store: &dyn Store,
    options: &Options,
    at_hand: &BTreeMap<String, Arc<Flow>>,
    definitions: &Definitions,
    wanted: &OtherDefinitions,
) -> Result<(), OpenError> {
    let holds_back = *wanted != OtherDefinitions::Keep;
    definitions.know_at_hand(AtHand::new(at_hand.clone(), BTreeMap::new(), holds_back));
    let mut others = self::others(store, at_hand, definitions).await?;
    match wanted {
        OtherDefinitions::Keep | OtherDefinitions::Hold => {}
        OtherDefinitions::KeepAll(chosen) => {
            for other in others.iter().filter(|other| !other.is_adopted) {
                choose(store, options.clock.now(), other, None, chosen).await?;
            }
            others = self::others(store, at_hand, definitions).await?;
        }
        OtherDefinitions::Adopt(chosen) => {
            // What was adopted before is decided again only where more is said of it.
            let is_news = |other: &&OtherDefinition| !other.is_adopted || chosen.same_books;
            for other in others.iter().filter(|other| other.difference.plan.is_none()).filter(is_news) {
                let flow = at_hand.get(&other.flow).map(|flow| &**flow);
                choose(store, options.clock.now(), other, flow, chosen).await?;
            }
            others = self::others(store, at_hand, definitions).await?;
        }
    }
    tell_held(&others);
    Ok(())
}

/// Says of which definitions nothing is sent for the orders that follow them.
pub(super) fn tell_held(others: &[OtherDefinition]) {
    for other in others.iter().filter(|other| other.is_held) {
        let OtherDefinition { flow, hash, orders, difference, .. } = other;
        let hash = short(hash);
        tracing::warn!(
            name: "orders_held_back",
            flow,
            orders,
            difference = difference.in_words(),
            "nothing is sent for orders that follow another definition before a person says --adopt, where the plan is the same, or --keep-definitions at the start, or `handfast definitions adopt {hash} --by NAME --why TEXT --url URL` (with --same-books where another address keeps the same books: without it what is absent there waits for a person) or `keep` to the service"
        );
    }
}

/// Keeps that a person lets the orders of a definition follow the one at hand, or go on with their own. Says how many.
///
/// # Errors
/// What the person says is not kept, the definition at hand has another plan, or the store's.
pub(crate) async fn choose(
    store: &dyn Store,
    at: handfast_protocol::Time,
    other: &OtherDefinition,
    adopt: Option<&Flow>,
    chosen: &Chosen,
) -> Result<u64, AdoptError> {
    let Chosen { by, why, same_books } = chosen;
    for (name, text) in [("by", by), ("why", why)] {
        if text.trim().is_empty() {
            return Err(AdoptError::Reason { name, what: "it is empty".to_owned() });
        }
    }
    reason::check(Some(by), Some(why)).map_err(AdoptError::of_reason)?;
    let (flow_hash, flow_text) = match adopt {
        // They are back with their own.
        None if other.is_adopted && other.placed_with == other.follows => return Ok(0),
        // Those that have followed the one at hand meanwhile go back to their own.
        None if other.is_adopted => (other.placed_with, Arc::clone(&other.placed_text)),
        None => (other.follows, Arc::clone(&other.text)),
        Some(flow) => {
            if let Some(why) = &other.difference.plan {
                return Err(AdoptError::Impossible { flow: other.flow.clone(), hash: short(&other.hash), why: why.clone() });
            }
            (flow.hash(), Arc::clone(flow.text()))
        }
    };
    let same_books = *same_books && adopt.is_some();
    if adopt.is_some() && flow_hash == other.follows && !same_books {
        // They follow it already, and nothing more is said of it.
        return Ok(0);
    }
    let (placed_with, follows, by, why) = (other.placed_with, other.follows, by.clone(), why.clone());
    let adoption = Adoption { placed_with, follows, flow_hash, flow_text, same_books, at, by: by.clone(), why: why.clone() };
    let orders = store.adopt(adoption.clone()).await?;
    if adopt.is_none() && flow_hash != follows {
        // That they go on with it wherever that leads is said once more of what they follow now.
        store.adopt(Adoption { follows: flow_hash, ..adoption }).await?;
    }
    let (flow, adopts) = (&other.flow, adopt.is_some());
    tracing::info!(name: "definition_chosen", flow, orders, by, why, adopts, "a person has chosen a definition");
    Ok(orders)
}

/// That the definition which a saga follows was changed, as far as it is about a step whose key was asked for before.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Move {
    /// How long the journal was then: the coordinator is told of it by a later entry.
    pub(crate) since: u64,
    /// What it is told.
    pub(crate) line: Line,
}

/// What the coordinator was told of a step's moves last.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct MoveTold {
    /// With which entry.
    seq: u64,
    /// That its journal came back was part of it.
    came_back: bool,
}

impl MoveTold {
    /// Takes note of what the coordinator was told with an entry, if that was of a step's moves.
    pub(crate) fn note(all: &mut [Self], line: &Line, seq: u64) {
        if let Line::Moved { step, .. } | Line::SameBooks { step, .. } = line
            && let Some(told) = all.get_mut(*step)
        {
            *told = Self { seq, came_back: matches!(line, Line::Moved { came_back: true, .. }) };
        }
    }

    /// It was not told this yet: or not that the journal came back since, by which what is known of a road is known no more.
    pub(crate) const fn lacks(self, moved: &Move, is_moved: bool) -> bool {
        let is_back = matches!(moved.line, Line::Moved { came_back: true, .. }) && !self.came_back && is_moved;
        self.seq <= moved.since || is_back
    }
}

/// Where a step's key was asked for.
#[derive(Default)]
struct Homes {
    /// Every set of addresses, with what chooses an account there, that are the same books, as far as a person has said so.
    same: Vec<BTreeSet<String>>,
    /// Where it is called now.
    called: BTreeSet<String>,
    /// Where it was asked for, too, since it was found there, or may have been before the journal came back, and no person has said that
    /// the books are the same. They may be a copy.
    found: Vec<BTreeSet<String>>,
}

/// Whether what a saga was asked before can be asked by the definition that it follows now, and of which steps the coordinator
/// has to be told that they have moved. `asked` says for each step since which entry of its journal something may have left for
/// it; of a saga that came back from a backup that is unknown. `named` says how a person names it, and `read` reads a stored definition.
pub(crate) fn check(
    stored: &StoredSaga,
    asked: &[Asked],
    named: Named,
    read: impl Fn([u8; 32], &str) -> Result<Arc<Flow>, String>,
) -> Result<Vec<Option<Move>>, String> {
    let mut moves: Vec<Option<Move>> = vec![None; asked.len()];
    if stored.adopted.is_empty() {
        return Ok(moves);
    }
    let mut homes: Vec<Option<Homes>> = asked.iter().map(|_| None).collect();
    // The definitions by which anything may have been asked, each with the entry up to which it may have been.
    let mut asked_by: Vec<(Arc<Flow>, u64)> = Vec::new();
    let mut follows = read(stored.flow_hash, &stored.flow_text)?;
    let mut outcome = Ok(());
    let was_asked_by = |step: usize, seq: u64| stored.came_back || asked.get(step).is_some_and(|asked| asked.was_asked_by(seq));
    for adopted in &stored.adopted {
        // Under a definition that it could not follow it was left alone, so nothing was asked by that one.
        if outcome.is_ok() {
            asked_by.push((Arc::clone(&follows), adopted.seq));
        }
        let before = follows;
        follows = read(adopted.flow_hash, &adopted.flow_text)?;
        outcome = asked_by.iter().try_for_each(|(flow, until)| {
            fits(flow, &follows, |step| was_asked_by(step, *until), |step| money::of(stored, step))
                .map_err(|why| format!("{why}; {}", named.go_back_to(flow.hash())))
        });
        for (step, asked) in asked.iter().enumerate().filter(|(step, _)| was_asked_by(*step, adopted.seq)) {
            let called = books_of(&before, step);
            let homes = homes[step].get_or_insert_with(|| Homes { same: vec![called.clone()], called, found: Vec::new() });
            // What came back from a backup does not know what was asked there before, nor what was said of those books.
            if let Some(Move { since, line: Line::Moved { .. } }) = &moves[step]
                && (stored.came_back || asked.was_found_between(*since, adopted.seq))
            {
                homes.found.push(homes.called.clone());
            }
            if let Some(line) = follow(homes, (&follows, step), adopted, stored.came_back) {
                moves[step] = Some(Move { since: adopted.seq, line });
            }
        }
    }
    outcome.map(|()| moves)
}

/// What the coordinator is told where a step whose key was asked for at these addresses is called as this definition says. `None`: it
/// is called where it was, and nothing more is said of that.
fn follow(homes: &mut Homes, (follows, step): (&Flow, usize), adopted: &Adopted, came_back: bool) -> Option<Line> {
    let called = books_of(follows, step);
    let was_called = std::mem::replace(&mut homes.called, called.clone());
    if homes.same.contains(&called) && homes.found.is_empty() {
        return Some(Line::SameBooks { step, by: None, why: None });
    }
    if adopted.same_books {
        // Of every address that was asked before. One at which it was only looked for, and not found, is none of them: no person
        // has said anything of its books.
        homes.same.append(&mut homes.found);
        homes.same.push(called);
        return Some(Line::SameBooks { step, by: Some(adopted.by.clone()), why: Some(adopted.why.clone()) });
    }
    if called == was_called {
        return None;
    }
    let can_be_looked_at = follows
        .steps()
        .get(step)
        .and_then(|step| step.http.as_ref())
        .is_none_or(|templates| templates.call(Operation::Look).is_some());
    Some(Line::Moved { step, can_be_looked_at, came_back })
}

fn books_of(flow: &Flow, step: usize) -> BTreeSet<String> {
    flow.steps().get(step).map(books).unwrap_or_default()
}

/// Whether what one definition has asked can be asked by another. Who has to decide otherwise is told how much the step is about.
fn fits(
    flow: &Flow,
    follows: &Flow,
    was_asked: impl Fn(usize) -> bool,
    amount: impl Fn(usize) -> Option<String>,
) -> Result<(), String> {
    let difference = Difference::between(flow, Some(follows));
    if let Some(why) = difference.plan {
        return Err(format!("nothing is sent: it was let follow a definition that is another plan: {why}"));
    }
    for step in &difference.steps {
        if !was_asked(step.at) {
            continue;
        }
        let amount = amount(step.at).map(|amount| format!(" ({amount})")).unwrap_or_default();
        if let Some(identity) = step.identity.first() {
            return Err(format!(
                "nothing is sent: step {}{amount} was asked already, and the definition that it was let follow since differs in {identity}",
                step.step
            ));
        }
    }
    Ok(())
}
