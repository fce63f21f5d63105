//! The best decision of each general on each of its views, for the messengers of a protocol, as it is printed.

use std::fmt::Write as _;

use anyhow::anyhow;
use handfast_lab::answers::decide::{Question, RULES, RuleAnswer, rule};
use handfast_lab::generals::decide::rule::{BestRule, Judged};
use handfast_lab::generals::{Orders, Ratio};

use super::super::agreed::Agreed;
use super::{at_stake, readable};
use crate::output::{Exit, OrExit as _, Output};

/// So many views are printed; all of them are in JSON.
const MOST_LINES: usize = 40;

/// Answers for the messengers that a protocol sends.
pub(super) fn answer(question: &Question, agreed: &Agreed, prior: Option<Ratio>, output: &Output) -> anyhow::Result<Exit> {
    let table = agreed.tabulate(output)?;
    if prior.is_some() && table.orders == Orders::Nobody {
        return Err(anyhow!("{} begins without an order, so there is no --prior of it", table.name)).or_exit(Exit::Usage);
    }
    let prior = prior.unwrap_or_else(|| Ratio::new(1, 2));
    let cutting = output.waiting("cutting the network of views");
    let answer = rule(question, &table, &agreed.protocol, prior).or_exit(Exit::Usage)?;
    drop(cutting);
    if output.wants_json() {
        output.json_line(&answer)?;
    } else {
        print(&answer, output)?;
    }
    Ok(Exit::Done)
}

fn print(answer: &RuleAnswer<'_>, output: &Output) -> anyhow::Result<()> {
    let RuleAnswer { question, table, prior, found, .. } = answer;
    output.line(format_args!("{}: who should attack on which view?", table.name))?;
    output.sentences(format_args!("Adversary: {}.", question.adversary().in_words()))?;
    output.line(at_stake(question))?;
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
    output.sentences(format_args!("The class is {RULES}."))
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
