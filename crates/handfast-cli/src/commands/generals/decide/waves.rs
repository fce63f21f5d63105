//! The best single wave, and the best plan that tops up, as they are printed.

use handfast_lab::generals::Ratio;
use handfast_lab::generals::decide::adaptive::{self, BestPlan, Class};
use handfast_lab::generals::decide::wave::{self, Best};
use handfast_lab::generals::decide::{Plan, Stage, Valued};
use serde_json::{Map, Value, json};

use super::budget::Budget;
use super::{Plans, Question, insert_number, readable};
use crate::output::{Exit, OrExit as _, Output};

/// What is said while plans are compared.
const SEARCHING: &str = "comparing plans";

/// What was found: the best of a class, or that there is none.
#[derive(Debug)]
enum Found {
    /// This one; without any waves where not to attack is best.
    Plan(Valued),
    /// None is best: messengers are free, and the value of larger waves goes up to this.
    Never(Ratio),
}

/// Answers without a protocol.
pub(super) fn answer(
    question: &Question,
    plans: Plans,
    waves: u32,
    budget: Option<Budget>,
    output: &Output,
) -> anyhow::Result<Exit> {
    let budget = match budget {
        Some(Budget::Each(first, last)) => return print_budgets(question, plans, waves, first..=last, output),
        Some(Budget::One(budget)) => Some(budget),
        None => None,
    };
    let single = best_wave(question, budget)?;
    let searching = output.waiting(SEARCHING);
    let found = match plans {
        Plans::Single => None,
        Plans::Adaptive => Some(best_plan(question, waves, budget)?),
    };
    drop(searching);
    let class = class_in_words(plans, waves, budget);
    if output.wants_json() {
        let mut members = question.members();
        members.insert("class".to_owned(), json!(class));
        members.insert("budget".to_owned(), json!(budget));
        insert_found(&mut members, found.as_ref().unwrap_or(&single), question);
        if found.is_some() {
            let mut beside = Map::new();
            insert_found(&mut beside, &single, question);
            members.insert("single".to_owned(), json!(beside));
        }
        members.insert("nearby".to_owned(), json!(nearby(question, &single, budget)?.iter().map(near_json).collect::<Vec<_>>()));
        output.json_line(&members)?;
        return Ok(Exit::Done);
    }
    print_setting(question, output)?;
    match found {
        None => print_single(question, &single, budget, output)?,
        Some(found) => print_plan(&found, &single, output)?,
    }
    output.sentences(format_args!("The class is {class}."))?;
    match plans {
        Plans::Single if *question.stakes.messenger() == Ratio::new(0, 1) => {}
        Plans::Single => {
            output.sentences("Plans that top up only when no acknowledgement came can do better: --plans adaptive.")?
        }
        Plans::Adaptive => {
            output.sentences("It was searched to the end, in exact numbers; nothing is said about plans outside it.")?;
        }
    }
    Ok(Exit::Done)
}

fn best_wave(question: &Question, budget: Option<u64>) -> anyhow::Result<Found> {
    Ok(match wave::best(&question.stakes, &question.capture, budget).or_exit(Exit::Usage)? {
        Best::Never { supremum } => Found::Never(supremum),
        best @ (Best::Stay | Best::Wave { .. }) => Found::Plan(valued(question, &best)?),
    })
}

/// The wave as a plan.
fn valued(question: &Question, best: &Best) -> anyhow::Result<Valued> {
    let messengers = best.messengers().and_then(|messengers| u32::try_from(messengers).ok()).unwrap_or(0);
    let stages = if messengers > 0 { vec![Stage { messengers, acknowledged_by: 0 }] } else { Vec::new() };
    Plan { stages }.valued(&question.stakes, &question.capture).or_exit(Exit::Usage)
}

fn best_plan(question: &Question, waves: u32, budget: Option<u64>) -> anyhow::Result<Found> {
    let best = adaptive::best(&question.stakes, &question.capture, Class { waves, budget }).or_exit(Exit::Usage)?;
    Ok(match best {
        BestPlan::Plan(valued) => Found::Plan(valued),
        BestPlan::Never { supremum } => Found::Never(supremum),
    })
}

fn class_in_words(plans: Plans, waves: u32, budget: Option<u64>) -> String {
    let class = match plans {
        Plans::Single => "single waves, paid in advance".to_owned(),
        Plans::Adaptive => format!(
            "plans of at most {waves} waves of general 1, each of any size, sent only if no acknowledgement has arrived; \
             every wave but the last is acknowledged by any fixed number of messengers if one of it arrives; general 1 \
             attacks whether or not an acknowledgement came, so plans that call the attack off are not in it"
        ),
    };
    match budget {
        Some(budget) => format!("{class}; at most {budget} messengers in all"),
        None => class,
    }
}

fn plan_json(plan: &Plan) -> Value {
    let stage = |stage: &Stage| json!({ "messengers": stage.messengers, "acknowledged_by": stage.acknowledged_by });
    plan.stages.iter().map(stage).collect()
}

/// The probability that nothing of all that general 1 sends arrives.
fn nothing_arrives(question: &Question, plan: &Plan) -> Ratio {
    Ratio(question.capture.0.pow(plan.first_sends() as i32))
}

fn insert_found(members: &mut Map<String, Value>, found: &Found, question: &Question) {
    let mut insert = |name: &str, value: Value| drop(members.insert(name.to_owned(), value));
    match found {
        Found::Never(supremum) => {
            insert("attained", json!(false));
            insert("attack", json!(true));
            insert("messengers", Value::Null);
            insert("plan", Value::Null);
            insert_number(members, "value", supremum);
        }
        Found::Plan(Valued { plan, value, messengers }) => {
            let attack = !plan.stages.is_empty();
            insert("attained", json!(true));
            insert("attack", json!(attack));
            insert("messengers", json!(plan.most_messengers()));
            insert("plan", plan_json(plan));
            insert_number(members, "expected_messengers", messengers);
            insert_number(members, "value", value);
            let (zero, lost) = (Ratio::new(0, 1), nothing_arrives(question, plan));
            let mut outcome = Map::new();
            insert_number(&mut outcome, "both", &if attack { lost.complement() } else { zero.clone() });
            insert_number(&mut outcome, "alone_1", &if attack { lost } else { zero.clone() });
            insert_number(&mut outcome, "alone_2", &zero);
            insert_number(&mut outcome, "neither", &Ratio::new(i64::from(!attack), 1));
            members.insert("outcome".to_owned(), json!(outcome));
        }
    }
}

/// Single waves around the best one, or around the budget, with their values.
fn nearby(question: &Question, single: &Found, budget: Option<u64>) -> anyhow::Result<Vec<(u64, Ratio)>> {
    let middle = match single {
        Found::Plan(valued) => valued.plan.most_messengers(),
        Found::Never(_) => 10,
    };
    let last = budget.unwrap_or(u64::MAX).min(middle + 3);
    let mut waves = Vec::new();
    for messengers in middle.saturating_sub(3).max(1)..=last {
        waves.push((messengers, wave::value(&question.stakes, &question.capture, messengers).or_exit(Exit::Usage)?));
    }
    Ok(waves)
}

fn near_json((messengers, value): &(u64, Ratio)) -> Value {
    json!({ "messengers": messengers, "value": value.to_string(), "value_float": value.to_f64() })
}

fn print_setting(question: &Question, output: &Output) -> anyhow::Result<()> {
    output.sentences("General 1 has the order, sends messengers and attacks; general 2 attacks if at least one arrives.")?;
    output.sentences(format_args!("Adversary: {}.", question.adversary()))?;
    output.line(question.at_stake())?;
    output.line("")
}

fn messengers_in_words(number: u64) -> String {
    if number == 1 { "1 messenger".to_owned() } else { format!("{number} messengers") }
}

fn print_single(question: &Question, single: &Found, budget: Option<u64>, output: &Output) -> anyhow::Result<()> {
    let best = match single {
        Found::Plan(valued) => valued.plan.most_messengers(),
        Found::Never(_) => 0,
    };
    let waves = nearby(question, single, budget)?;
    if !waves.is_empty() {
        output.line("  messengers  both attack  value")?;
    }
    for (messengers, value) in waves {
        let mark = if messengers == best { '>' } else { ' ' };
        let both = Ratio(question.capture.0.pow(messengers as i32)).complement().to_decimal(7);
        output.line(format_args!("{mark} {messengers:>10}  {both:<11}  {}", readable(&value)))?;
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

fn print_budgets(
    question: &Question,
    plans: Plans,
    waves: u32,
    budgets: std::ops::RangeInclusive<u64>,
    output: &Output,
) -> anyhow::Result<Exit> {
    let (first, last) = (*budgets.start() as usize, *budgets.end());
    let searching = output.waiting(SEARCHING);
    let bests: Vec<Valued> = match plans {
        Plans::Single => {
            let bests = wave::best_for_budgets(&question.stakes, &question.capture, last).or_exit(Exit::Usage)?;
            bests[first..].iter().map(|best| valued(question, best)).collect::<anyhow::Result<_>>()?
        }
        Plans::Adaptive => {
            adaptive::best_for_budgets(&question.stakes, &question.capture, waves, last).or_exit(Exit::Usage)?.split_off(first)
        }
    };
    drop(searching);
    let class = class_in_words(plans, waves, None);
    if output.wants_json() {
        let mut members = question.members();
        members.insert("class".to_owned(), json!(class));
        let line = |(budget, valued): (u64, &Valued)| {
            let mut line = Map::new();
            line.insert("budget".to_owned(), json!(budget));
            line.insert("messengers".to_owned(), json!(valued.plan.most_messengers()));
            line.insert("plan".to_owned(), plan_json(&valued.plan));
            insert_number(&mut line, "value", &valued.value);
            line
        };
        members.insert("budgets".to_owned(), json!(budgets.zip(&bests).map(line).collect::<Vec<_>>()));
        output.json_line(&members)?;
        return Ok(Exit::Done);
    }
    print_setting(question, output)?;
    output.line("  budget  plan                  value")?;
    for (budget, valued) in budgets.zip(&bests) {
        output.line(format_args!("  {budget:>6}  {:<20}  {}", short(&valued.plan), readable(&valued.value)))?;
    }
    output.line("")?;
    if plans == Plans::Adaptive {
        output.line("2+3, 6 stands for: send 2, acknowledged by 3; else 6 more.")?;
    }
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
