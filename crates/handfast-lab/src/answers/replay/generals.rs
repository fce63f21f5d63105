//! A run of the two generals, round by round.

use handfast_protocol::generals::{Camp, Choice};
use serde_json::{Map, Value, json};

use super::{Step, Story};
use crate::diagram;
use crate::generals::{self, Bounds, Departure, Run, Table, Views, choice};
use crate::trace::Kind;

/// Tells a run that was executed again.
#[must_use]
pub fn story_of_generals(table: Table, run: Run) -> Story {
    let known = told_apart(&table, &run).unwrap_or_default();
    let departures = run.departures(&table);
    let teller = Teller { table: &table, run: &run, knows: &known };
    let mut steps = vec![teller.beginning()];
    steps.extend((1..=table.rounds()).map(|round| teller.round(round, &departures)));
    let end = format!("{}\nThe protocol did again what was kept: {}.", teller.hour(), run.outcome().in_words());
    let title = table.name.clone();
    let drawn = Box::new(move |rounds| diagram::generals_so_far(&table, &run, &known, rounds));
    Story { title, kind: Kind::Generals, steps, end, drawn }
}

/// More pairs of views than this are not told apart for a picture: whoever draws one run does not wait for all the others.
const MOST_PAIRS: u64 = 300_000;

/// What general 1 and general 2 know before the first round and after each, in words; `None` where it would take too long to tell
/// the runs apart.
#[must_use]
pub fn told_apart(table: &Table, run: &Run) -> Option<Vec<[String; 2]>> {
    let bounds = Bounds { pairs: MOST_PAIRS, ..Bounds::default() };
    let rungs = generals::ladder(table, run, Views::Inputs, bounds).ok()?;
    Some(rungs.into_iter().map(|rungs| [0, 1].map(|side| rungs[side].in_words(table, side))).collect())
}

struct Teller<'a> {
    table: &'a Table,
    run: &'a Run,
    knows: &'a [[String; 2]],
}

fn general(camp: Camp) -> String {
    format!("general {}", camp.number())
}

impl Teller<'_> {
    fn beginning(&self) -> Step {
        let says = match self.table.orders.ways() {
            [_] => Vec::new(),
            [_, _] => vec![ordered(Camp::First, self.run.beginning.ordered[0])],
            _ => Camp::BOTH.iter().map(|&camp| ordered(camp, self.run.beginning.ordered[camp.index()])).collect(),
        };
        let coin = (self.table.coins > 1).then(|| format!("the coin shows {} of {}", self.run.beginning.coin, self.table.coins));
        self.step("the beginning".to_owned(), says.into_iter().chain(coin).collect(), 0, &[])
    }

    fn round(&self, round: usize, departures: &[Departure]) -> Step {
        let departures: Vec<&Departure> = departures.iter().filter(|departure| departure.round as usize == round).collect();
        let mut says: Vec<String> = departures.iter().map(|departure| sent(departure)).collect();
        if says.is_empty() {
            says.push("nobody sends anything".to_owned());
        }
        self.step(format!("round {round}"), says, round, &departures)
    }

    /// What has changed with it, what each wants delivered next, and what is decided.
    fn step(&self, heading: String, mut says: Vec<String>, at: usize, departures: &[&Departure]) -> Step {
        let layer = &self.table.layers[at];
        let pair = self.run.states[at];
        let mut wants = Vec::new();
        let mut decided = Vec::new();
        for camp in Camp::BOTH {
            let side = camp.index();
            let text = |at: usize| self.knows.get(at).map_or("", |texts| texts[side].as_str());
            let (before, now) = (at.checked_sub(1).map_or("", text), text(at));
            if before != now {
                let has = if now.is_empty() || now.starts_with("knows") { "" } else { "has " };
                says.push(format!("{} {has}{}", general(camp), if now.is_empty() { "knows nothing" } else { now }));
            }
            let wave = &self.table.waves[layer.sends(pair)[side] as usize];
            let groups = wave.groups.iter().map(|group| (group.size, self.table.messages[group.message as usize].as_str()));
            let groups: Vec<(u32, &str)> = groups.collect();
            if at < self.table.rounds() && !groups.is_empty() {
                let words: Vec<String> = groups.iter().map(|(size, word)| format!("{size} x {word:?}")).collect();
                says.push(format!("{} wants delivered: {}", general(camp), words.join(", ")));
            }
            wants.push(json!(groups.iter().map(|(size, word)| json!({ "messengers": size, "says": word })).collect::<Vec<_>>()));
            let choice_now = layer.sides[side].decided[pair[side] as usize];
            let choice_before = at
                .checked_sub(1)
                .and_then(|before| self.table.layers[before].sides[side].decided[self.run.states[before][side] as usize]);
            if let Some(made) = choice_now.filter(|_| choice_before.is_none()) {
                says.push(format!("{} decides to {}", general(camp), choice(made)));
            }
            decided.push(choice_now.map_or(Value::Null, |made| json!(choice(made))));
        }
        let departures: Vec<Value> = departures.iter().map(|departure| departure_data(departure)).collect();
        let data = Map::from_iter([
            ("departures".to_owned(), json!(departures)),
            ("knows".to_owned(), json!(self.knows.get(at))),
            ("wants".to_owned(), json!(wants)),
            ("decided".to_owned(), json!(decided)),
        ]);
        Step { heading, says, data }
    }

    fn hour(&self) -> String {
        let words = Camp::BOTH.map(|camp| {
            let word = match self.run.choices[camp.index()] {
                Choice::Attack => "attacks",
                Choice::Stay => "stays in the camp",
            };
            format!("{} {word}", general(camp))
        });
        format!("The hour has come: {}.", words.join(", "))
    }
}

fn ordered(camp: Camp, ordered: bool) -> String {
    let word = if ordered { "is given the order: attack at dawn" } else { "has no order" };
    format!("{} {word}", general(camp))
}

fn sent(departure: &Departure) -> String {
    let Departure { from, says, messengers, arrived, .. } = departure;
    let fate = match (messengers, arrived) {
        (1, 1) => "it reaches the other camp".to_owned(),
        (1, 0) => "it is captured".to_owned(),
        (_, 0) => "all are captured".to_owned(),
        _ if messengers == arrived => "all arrive".to_owned(),
        _ => format!("{arrived} of {messengers} arrive"),
    };
    format!("{} sends {messengers} x {says:?}: {fate}", general(*from))
}

fn departure_data(departure: &Departure) -> Value {
    let Departure { from, says, messengers, arrived, .. } = departure;
    json!({ "from": from.number(), "says": says, "messengers": messengers, "arrived": arrived })
}
