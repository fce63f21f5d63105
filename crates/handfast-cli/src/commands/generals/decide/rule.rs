//! The best decision of each general on each of its views, for the messengers of a protocol, as it is printed.

use std::fmt::Write as _;

use anyhow::anyhow;
use handfast_lab::generals::decide::Stakes;
use handfast_lab::generals::decide::rule::{BestRule, Comes, Judged, Sight, best_rule};
use handfast_lab::generals::{Orders, Ratio, Table};
use serde_json::{Map, Value, json};

use super::super::agreed::Agreed;
use super::{Question, insert_number, readable};
use crate::output::{Exit, OrExit as _, Output};

/// So many views are printed; all of them are in JSON.
const MOST_LINES: usize = 40;

const CLASS: &str = "every joint rule: each general attacks or not on each of its views; \
    of equally good rules the one with the fewest views to attack on";

/// Answers for the messengers that a protocol sends.
pub(super) fn answer(question: &Question, agreed: &Agreed, prior: Option<Ratio>, output: &Output) -> anyhow::Result<Exit> {
    let table = agreed.tabulate(output)?;
    if prior.is_some() && table.orders == Orders::Nobody {
        return Err(anyhow!("{} begins without an order, so there is no --prior of it", table.name)).or_exit(Exit::Usage);
    }
    let prior = prior.unwrap_or_else(|| Ratio::new(1, 2));
    let cutting = output.waiting("cutting the network of views");
    let found = best_rule(&table, &question.stakes, &question.capture, &prior).or_exit(Exit::Usage)?;
    drop(cutting);
    if output.wants_json() {
        output.json_line(&answer_json(question, agreed, &table, &prior, &found))?;
    } else {
        print(question, &table, &prior, &found, output)?;
    }
    Ok(Exit::Done)
}

fn outcome_json(comes: &Comes) -> Value {
    let mut outcome = Map::new();
    insert_number(&mut outcome, "both", &comes.both);
    insert_number(&mut outcome, "alone_1", &comes.alone_1);
    insert_number(&mut outcome, "alone_2", &comes.alone_2);
    insert_number(&mut outcome, "neither", &comes.neither());
    json!(outcome)
}

fn insert_judged(members: &mut Map<String, Value>, judged: &Judged, stakes: &Stakes) {
    for (after, comes) in [("", &judged.overall), ("_given_order", &judged.ordered)] {
        insert_number(members, &format!("value{after}"), &comes.value(stakes));
        insert_number(members, &format!("messengers{after}"), &comes.messengers);
        members.insert(format!("outcome{after}"), outcome_json(comes));
    }
}

fn answer_json(question: &Question, agreed: &Agreed, table: &Table, prior: &Ratio, found: &BestRule) -> Map<String, Value> {
    let mut members = question.members();
    members.insert("protocol".to_owned(), json!(agreed.protocol));
    members.insert("title".to_owned(), json!(table.name));
    if table.orders != Orders::Nobody {
        members.insert("prior".to_owned(), json!(prior.to_string()));
    }
    members.insert("class".to_owned(), json!(CLASS));
    insert_judged(&mut members, &found.best, &question.stakes);
    let sight = |sight: &Sight| {
        let mut members = Map::new();
        members.insert("general".to_owned(), json!(sight.general));
        members.insert("view".to_owned(), json!(sight.words));
        insert_number(&mut members, "probability", &sight.probability);
        members.insert("attacks".to_owned(), json!(sight.attacks));
        members.insert("pinned".to_owned(), json!(sight.pinned));
        members
    };
    members.insert("rule".to_owned(), json!(found.rule.iter().map(sight).collect::<Vec<_>>()));
    members.insert("break_points".to_owned(), json!(found.break_points().map(ToString::to_string).collect::<Vec<_>>()));
    let pieces = found.pieces.iter().map(|piece| {
        let mut members = Map::new();
        insert_number(&mut members, "from", &piece.from);
        insert_number(&mut members, "both", &piece.both);
        insert_number(&mut members, "alone", &piece.alone);
        members
    });
    members.insert("pieces".to_owned(), json!(pieces.collect::<Vec<_>>()));
    let mut own = Map::new();
    insert_judged(&mut own, &found.own, &question.stakes);
    members.insert("own".to_owned(), json!(own));
    members
}

fn print(question: &Question, table: &Table, prior: &Ratio, found: &BestRule, output: &Output) -> anyhow::Result<()> {
    output.line(format_args!("{}: who should attack on which view?", table.name))?;
    output.sentences(format_args!("Adversary: {}.", question.adversary()))?;
    output.line(question.at_stake())?;
    output.line(match table.orders {
        Orders::First => format!("The order is given to general 1 with probability {prior}, or to nobody."),
        Orders::Each => {
            format!("Both are given the order with probability {prior}; only one or none, each equally likely, otherwise.")
        }
        Orders::Nobody => {
            "There is no order here, so to attack whatever arrives is best; the messengers are for nothing.".to_owned()
        }
    })?;
    output.line("A view is all inputs so far (perfect recall); messengers who carry the same look alike.")?;
    output.line("")?;
    print_views(found, output)?;
    output.line("")?;
    print_compared(question, found, output)?;
    output.line("")?;
    print_pieces(found, output)?;
    output.sentences(format_args!("The class is {CLASS}."))
}

fn print_views(found: &BestRule, output: &Output) -> anyhow::Result<()> {
    let shown = &found.rule[..found.rule.len().min(MOST_LINES)];
    let width = shown.iter().map(|sight| sight.words.chars().count()).max().unwrap_or(0).max(4);
    output.line(format_args!("  general  {:<width$}  probability  best", "sees"))?;
    for sight in shown {
        let does = match (sight.attacks, sight.pinned) {
            (true, _) => "attacks",
            (false, true) => "stays (it was not ordered)",
            (false, false) => "stays",
        };
        let (general, words, probability) = (sight.general, &sight.words, sight.probability.to_decimal(6));
        output.line(format_args!("  {general:<7}  {words:<width$}  {probability:<11}  {does}"))?;
    }
    if shown.iter().any(|sight| sight.words.contains("\" #")) {
        output.line("  #1, #2, .. are messages that say the same and carry something else.")?;
    }
    if found.rule.len() > shown.len() {
        output.line(format_args!("  and {} more, with --json", found.rule.len() - shown.len()))?;
    }
    Ok(())
}

fn print_compared(question: &Question, found: &BestRule, output: &Output) -> anyhow::Result<()> {
    let figure =
        |name: &str, of: &dyn Fn(&Judged) -> Ratio| [name.to_owned(), readable(&of(&found.best)), readable(&of(&found.own))];
    let rows = [
        [String::new(), "best rule".to_owned(), "the protocol's own".to_owned()],
        figure("value", &|judged| judged.overall.value(&question.stakes)),
        figure("value, given the order", &|judged| judged.ordered.value(&question.stakes)),
        figure("both attack", &|judged| judged.overall.both.clone()),
        figure("exactly one attacks", &|judged| judged.overall.alone()),
        figure("messengers in the mean", &|judged| judged.overall.messengers.clone()),
    ];
    let width = rows.iter().map(|row| row[1].chars().count()).max().unwrap_or(0);
    for [name, best, own] in rows {
        output.line(format_args!("  {name:<24}{best:<width$}  {own}"))?;
    }
    Ok(())
}

fn print_pieces(found: &BestRule, output: &Output) -> anyhow::Result<()> {
    if found.pieces.len() == 1 {
        return output.line("The same rule is best for every D/V.");
    }
    let mut points = String::new();
    for point in found.break_points().take(MOST_LINES) {
        let comma = if points.is_empty() { "" } else { ", " };
        write!(points, "{comma}{}", readable(point))?;
    }
    output.line(format_args!("The best rule changes at D/V = {points}:"))?;
    output.line("  D/V from    both attack  exactly one")?;
    for piece in found.pieces.iter().take(MOST_LINES) {
        let [from, both, alone] = [&piece.from, &piece.both, &piece.alone].map(|number| number.to_decimal(6));
        output.line(format_args!("  {from:<10}  {both:<11}  {alone}"))?;
    }
    Ok(())
}
