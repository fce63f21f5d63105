//! What is told about a simulation, in words.

use crate::output::grouped;
use std::fmt::Write as _;

use handfast_lab::generals::{Interval, Outcome, Ratio};

use super::answer::{Answer, Sampled};

/// So many significant digits has a number that was counted.
const DIGITS: usize = 6;

/// Everything.
pub(super) fn told(answer: &Answer) -> String {
    let (runs, seed) = (grouped(answer.simulation.runs), answer.simulation.seed);
    let (sent, captured) = (grouped(answer.counted.messengers), grouped(answer.counted.captures));
    let mut told = format!(
        "{}\nAdversary: every messenger is captured with probability {}, independently. The attack is wanted.\n\
         {runs} runs with seed {seed}: {sent} messengers were sent, and {captured} of them captured.\n\n",
        answer.protocol, answer.capture
    );
    let mut rows = vec![heading("outcome", "runs", "share", answer)];
    for outcome in Outcome::ALL {
        let count = answer.counted.count(outcome);
        rows.push(row(short_name(outcome), count, answer.simulation.runs, answer.exact(outcome), answer));
    }
    told += &aligned(&rows);
    if answer.exact.is_none() {
        told += "\nThe exact values would have more digits than anybody reads, and are not worked out.\n";
    }
    if answer.email.is_some() {
        told += &email(answer);
    }
    if let Some(sampled) = &answer.importance {
        told += &importance(answer, sampled);
    }
    told
}

type Cells = [String; 7];

fn heading(what: &str, count: &str, share: &str, answer: &Answer) -> Cells {
    let low = format!("{} interval", answer.confidence.in_words());
    [what.to_owned(), count.to_owned(), share.to_owned(), low, String::new(), "exact".to_owned(), String::new()]
}

fn row(what: &str, count: u64, of: u64, exact: Option<&Ratio>, answer: &Answer) -> Cells {
    let interval = Interval::wilson(count, of, answer.confidence);
    let [low, high] = interval.ends().map(|end| end.to_decimal(DIGITS));
    let share = if of == 0 { "-".to_owned() } else { Ratio::new(count as i64, of).to_decimal(DIGITS) };
    let inside = exact.map(|exact| interval.holds(exact.to_f64()));
    [what.to_owned(), grouped(count), share, low, format!("to {high}"), decimal(exact), mark(inside)]
}

fn decimal(exact: Option<&Ratio>) -> String {
    exact.map_or_else(|| "-".to_owned(), |exact| exact.to_decimal(DIGITS))
}

fn mark(inside: Option<bool>) -> String {
    inside.map_or("", |inside| if inside { "inside" } else { "outside" }).to_owned()
}

const fn short_name(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Both => "both",
        Outcome::Alone1 => "1 alone",
        Outcome::Alone2 => "2 alone",
        Outcome::Neither => "neither",
    }
}

fn email(answer: &Answer) -> String {
    let (Some(email), Some((messengers, last_lost))) = (&answer.email, answer.email_exact()) else { return String::new() };
    let mut rows = vec![heading("a general's last message", "lost", "share", answer)];
    for side in 0..2 {
        let what = format!("general {}, of {} runs", side + 1, grouped(email.sent[side]));
        rows.push(row(&what, email.last_lost[side], email.sent[side], Some(&last_lost), answer));
    }
    let interval = answer.mean_interval();
    let [low, high] = interval.ends().map(|end| end.to_decimal(DIGITS));
    format!(
        "\nThe machines go on until a message is lost: {} messages a run ({low} to {high}), exactly {} expected, {}.\n\n{}",
        answer.mean_exact().to_decimal(DIGITS),
        messengers.to_decimal(DIGITS),
        mark(Some(interval.holds(messengers.to_f64()))),
        aligned(&rows)
    )
}

fn importance(answer: &Answer, sampled: &Sampled) -> String {
    if sampled.rows.is_empty() {
        return "\nImportance sampling was asked for, but no lone attack can happen, or the table is too large to choose rates.\n"
            .to_owned();
    }
    let mut told = if sampled.asked {
        "\nImportance sampling, as asked for".to_owned()
    } else {
        format!("\nImportance sampling of what is rarer than {} runs can show", grouped(answer.simulation.runs))
    };
    told += ": captured at other rates, and each run weighed by its likelihood ratio.\n\n";
    let interval = format!("{} interval", answer.confidence.in_words());
    let words = ["outcome", "estimate", "error", &interval, "", "exact", ""];
    let mut rows = vec![words.map(str::to_owned)];
    for (outcome, estimate, _) in &sampled.rows {
        let [low, high] = estimate.interval(answer.confidence);
        let exact = answer.exact(*outcome);
        rows.push([
            short_name(*outcome).to_owned(),
            estimate.value.to_decimal(DIGITS),
            estimate.error.to_decimal(2),
            low.to_decimal(DIGITS),
            format!("to {}", high.to_decimal(DIGITS)),
            decimal(exact),
            mark(exact.map(|exact| (&low..=&high).contains(&exact))),
        ]);
    }
    told += &aligned(&rows);
    told.push('\n');
    for (outcome, estimate, tilt) in &sampled.rows {
        let name = short_name(*outcome);
        let changes = tilt.changes();
        let rates = changes.iter().map(|(rate, waves)| format!("{} {}", rate.to_decimal(4), where_to(waves)));
        let rates = if changes.is_empty() { "at the true rate".to_owned() } else { rates.collect::<Vec<_>>().join(", ") };
        // Writing to a string cannot fail.
        let _ = writeln!(told, "  {name}: {} runs ended so; captured with {rates}.", grouped(estimate.hits));
    }
    told
}

/// The waves at which messengers are captured at another rate: few of them by name.
fn where_to(waves: &[(usize, usize)]) -> String {
    match waves {
        [(round, from)] => format!("in general {from}'s wave of round {round}"),
        _ => {
            let rounds: Vec<usize> = waves.iter().map(|(round, _)| *round).collect();
            let (first, last) = (rounds.iter().min().unwrap_or(&0), rounds.iter().max().unwrap_or(&0));
            format!("in {} waves of rounds {first} to {last}", waves.len())
        }
    }
}

/// The first column to the left and the others to the right, two blanks apart; the "to" of an interval one apart.
fn aligned(rows: &[Cells]) -> String {
    let mut widths = [0; 7];
    for row in rows {
        for (column, cell) in row.iter().enumerate() {
            widths[column] = widths[column].max(cell.len());
        }
    }
    let mut lines = String::new();
    for row in rows {
        let mut line = format!("  {:<width$}", row[0], width = widths[0]);
        for (column, cell) in row.iter().enumerate().skip(1) {
            let width = widths[column];
            let padded = match column {
                4 => format!(" {cell:<width$}"),
                6 => format!("  {cell:<width$}"),
                _ => format!("  {cell:>width$}"),
            };
            line += &padded;
        }
        lines += line.trim_end();
        lines.push('\n');
    }
    lines
}
