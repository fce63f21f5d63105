//! The best single wave, and the best plan that tops up, as they are printed.

use std::ops::RangeInclusive;

use handfast_lab::answers::decide::{Found, PlanAnswer, Plans, Question, best, for_budgets};
use handfast_lab::generals::Ratio;
use handfast_lab::generals::decide::{Plan, Stage};

use super::budget::Budget;
use super::{at_stake, readable};
use crate::output::{Exit, OrExit as _, Output};

/// What is said while plans are compared.
const SEARCHING: &str = "comparing plans";

/// Answers without a protocol.
pub(super) fn answer(question: &Question, plans: Plans, budget: Option<Budget>, output: &Output) -> anyhow::Result<Exit> {
    let budget = match budget {
        Some(Budget::Each(first, last)) => return print_budgets(question, plans, first..=last, output),
        Some(Budget::One(budget)) => Some(budget),
        None => None,
    };
    let searching = output.waiting(SEARCHING);
    let found = best(question, plans, budget).or_exit(Exit::Usage)?;
    drop(searching);
    if output.wants_json() {
        output.json_line(&found)?;
        return Ok(Exit::Done);
    }
    print_setting(question, output)?;
    match &found.adaptive {
        None => print_single(&found, output)?,
        Some(plan) => print_plan(plan, &found.single, output)?,
    }
    output.sentences(format_args!("The class is {}.", plans.in_words(budget)))?;
    match plans {
        Plans::Single if *question.stakes.messenger() == Ratio::new(0, 1) => {}
        Plans::Single => {
            output.sentences("Plans that top up only when no acknowledgement came can do better: --plans adaptive.")?
        }
        Plans::Adaptive { .. } => {
            output.sentences("It was searched to the end, in exact numbers; nothing is said about plans outside it.")?;
        }
    }
    Ok(Exit::Done)
}

fn print_setting(question: &Question, output: &Output) -> anyhow::Result<()> {
    output.sentences("General 1 has the order, sends messengers and attacks; general 2 attacks if at least one arrives.")?;
    output.sentences(format_args!("Adversary: {}.", question.adversary().in_words()))?;
    output.line(at_stake(question))?;
    output.line("")
}

fn messengers_in_words(number: u64) -> String {
    if number == 1 { "1 messenger".to_owned() } else { format!("{number} messengers") }
}

fn print_single(answer: &PlanAnswer<'_>, output: &Output) -> anyhow::Result<()> {
    let (question, single) = (answer.question, &answer.single);
    let best = match single {
        Found::Plan(valued) => valued.plan.most_messengers(),
        Found::Never(_) => 0,
    };
    if !answer.nearby.is_empty() {
        output.line("  messengers  both attack  value")?;
    }
    for (messengers, value) in &answer.nearby {
        let mark = if *messengers == best { '>' } else { ' ' };
        let both = Ratio(question.capture.0.pow(*messengers as i32)).complement().to_decimal(7);
        output.line(format_args!("{mark} {messengers:>10}  {both:<11}  {}", readable(value)))?;
    }
    output.line("")?;
    match single {
        Found::Never(supremum) => print_never(supremum, output),
        Found::Plan(valued) if valued.plan.stages.is_empty() => output.line("Best: not to attack, which is worth 0."),
        Found::Plan(valued) => {
            output.line(format_args!("Best single wave: {}, worth {}.", messengers_in_words(best), readable(&valued.value)))
        }
    }
}

fn print_never(supremum: &Ratio, output: &Output) -> anyhow::Result<()> {
    output.line(format_args!(
        "No number is best: messengers are free, and each one more brings the value nearer to {}, which none attains.",
        readable(supremum)
    ))?;
    output.line("Set a --budget, or say what a messenger costs.")
}

fn print_plan(found: &Found, single: &Found, output: &Output) -> anyhow::Result<()> {
    let valued = match found {
        Found::Never(supremum) => return print_never(supremum, output),
        Found::Plan(valued) => valued,
    };
    if valued.plan.stages.is_empty() {
        return output.line("Best: not to attack, which is worth 0.");
    }
    for (number, stage) in (1..).zip(&valued.plan.stages) {
        let condition = if number == 1 { "" } else { "if no acknowledgement has arrived, " };
        let more = if number == 1 { "" } else { " more" };
        let answer = match stage.acknowledged_by {
            0 => String::new(),
            answer => format!("; if one arrives, general 2 acknowledges with {answer}"),
        };
        output.line(format_args!("  {number}. {condition}general 1 sends {}{more}{answer}", stage.messengers))?;
    }
    output.line("")?;
    output.line(format_args!(
        "Best plan: worth {}; {} leave at most, {} in the mean.",
        readable(&valued.value),
        messengers_in_words(valued.plan.most_messengers()),
        readable(&valued.messengers)
    ))?;
    if let Found::Plan(single) = single {
        let wave = match single.plan.most_messengers() {
            0 => "not to attack".to_owned(),
            messengers => messengers_in_words(messengers),
        };
        output.line(format_args!("Best single wave beside it: {wave}, worth {}.", readable(&single.value)))?;
    }
    Ok(())
}

fn print_budgets(question: &Question, plans: Plans, budgets: RangeInclusive<u64>, output: &Output) -> anyhow::Result<Exit> {
    let searching = output.waiting(SEARCHING);
    let found = for_budgets(question, plans, budgets).or_exit(Exit::Usage)?;
    drop(searching);
    if output.wants_json() {
        output.json_line(&found)?;
        return Ok(Exit::Done);
    }
    print_setting(question, output)?;
    output.line("  budget  plan                  value")?;
    for (budget, valued) in &found.budgets {
        output.line(format_args!("  {budget:>6}  {:<20}  {}", short(&valued.plan), readable(&valued.value)))?;
    }
    output.line("")?;
    if plans != Plans::Single {
        output.line("2+3, 6 stands for: send 2, acknowledged by 3; else 6 more.")?;
    }
    let class = plans.in_words(None);
    output.sentences(format_args!("The class is {class}; at most as many messengers in all as the budget has."))?;
    Ok(Exit::Done)
}

/// `2+3, 6`: the waves with their acknowledgements.
fn short(plan: &Plan) -> String {
    if plan.stages.is_empty() {
        return "stay".to_owned();
    }
    let stage = |stage: &Stage| match stage.acknowledged_by {
        0 => stage.messengers.to_string(),
        answer => format!("{}+{answer}", stage.messengers),
    };
    plan.stages.iter().map(stage).collect::<Vec<_>>().join(", ")
}
