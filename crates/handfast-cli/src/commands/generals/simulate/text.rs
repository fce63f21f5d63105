//! What is told about a simulation, in words.

use handfast_lab::answers::simulate::{Answer, Misfit, Sampled};
use handfast_lab::generals::{Estimate, Interval, Outcome, Ratio};

use crate::output::terminal::{width, wrapped};
use crate::output::{decimal, grouped};

/// So many significant digits has a number that was counted.
const DIGITS: usize = 6;

/// Everything.
pub(super) fn told(answer: &Answer) -> String {
    let (runs, seed) = (grouped(answer.simulation.runs), answer.simulation.seed);
    let (sent, captured) = (grouped(answer.counted.messengers), grouped(answer.counted.captures));
    let mut told = paragraph("", &answer.title);
    told += &paragraph("", &format!("Adversary: {}. The attack is wanted.", answer.adversary().in_words()));
    told +=
        &paragraph("", &format!("{runs} runs with seed {seed}: {sent} messengers were sent, and {captured} of them captured."));
    told.push('\n');
    let mut rows = vec![heading("outcome", "runs", "share", answer)];
    for outcome in Outcome::ALL {
        let count = answer.counted.count(outcome);
        rows.push(row(outcome.name(), count, answer.simulation.runs, answer.exact(outcome), answer));
    }
    told += &aligned(&rows);
    if answer.exact.is_none() {
        told.push('\n');
        told += &paragraph("", "The exact values would have more digits than anybody reads, and are not worked out.");
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
    [what.to_owned(), grouped(count), share, low, format!("to {high}"), or_dash(exact), mark(inside)]
}

fn or_dash(exact: Option<&Ratio>) -> String {
    exact.map_or_else(|| "-".to_owned(), |exact| decimal(exact, DIGITS))
}

fn mark(inside: Option<bool>) -> String {
    inside.map_or("", |inside| if inside { "inside" } else { "outside" }).to_owned()
}

fn email(answer: &Answer) -> String {
    let (Some(email), Some((messengers, last_lost))) = (&answer.email, answer.email_exact()) else { return String::new() };
    let mut rows = vec![heading("last message of", "lost", "share", answer)];
    for side in 0..2 {
        let what = format!("general {}, {} runs", side + 1, grouped(email.sent[side]));
        rows.push(row(&what, email.last_lost[side], email.sent[side], Some(&last_lost), answer));
    }
    let interval = answer.mean_interval();
    let [low, high] = interval.ends().map(|end| end.to_decimal(DIGITS));
    let mean = format!(
        "The machines go on until a message is lost: {} messages a run ({low} to {high}), exactly {} expected, {}.",
        answer.mean_exact().to_decimal(DIGITS),
        messengers.to_decimal(DIGITS),
        mark(Some(interval.holds(messengers.to_f64()))),
    );
    format!("\n{}\n{}", paragraph("", &mean), aligned(&rows))
}

fn importance(answer: &Answer, sampled: &Sampled) -> String {
    if sampled.rows.is_empty() {
        let none = format!("Importance sampling was asked for, but {}.", answer.why_none());
        return format!("\n{}", paragraph("", &none));
    }
    let why = if sampled.asked {
        "Importance sampling, as asked for".to_owned()
    } else {
        format!("Importance sampling of what is rarer than {} runs can show", grouped(answer.simulation.runs))
    };
    let how = "captured at other rates, and each run weighed by its likelihood ratio";
    let mut told = format!("\n{}\n", paragraph("", &format!("{why}: {how}.")));
    let interval = format!("{} interval", answer.confidence.in_words());
    let words = ["outcome", "estimate", "error", &interval, "", "exact", ""];
    let mut rows = vec![words.map(str::to_owned)];
    for (outcome, estimate, _) in &sampled.rows {
        let exact = answer.exact(*outcome);
        let name = outcome.name().to_owned();
        // Of no runs neither an error nor an interval can be told.
        if estimate.hits == 0 {
            rows.push([name, "0".to_owned(), "-".to_owned(), "-".to_owned(), String::new(), or_dash(exact), String::new()]);
            continue;
        }
        let [low, high] = estimate.interval(answer.confidence);
        rows.push([
            name,
            estimate.value.to_decimal(DIGITS),
            estimate.error.to_decimal(2),
            low.to_decimal(DIGITS),
            format!("to {}", high.to_decimal(DIGITS)),
            or_dash(exact),
            mark(exact.map(|exact| (&low..=&high).contains(&exact))),
        ]);
    }
    told += &aligned(&rows);
    told.push('\n');
    for (outcome, estimate, tilt) in &sampled.rows {
        let name = outcome.name();
        let changes = tilt.changes();
        let rates = changes.iter().map(|(rate, waves)| format!("{} {}", rate.to_decimal(4), where_to(waves)));
        let rates = if changes.is_empty() { "at the true rate".to_owned() } else { rates.collect::<Vec<_>>().join(", ") };
        told += &paragraph("  ", &format!("{name}: {} runs ended so; captured with {rates}.", grouped(estimate.hits)));
        if let Some(misfit) = answer.misfit(*outcome, estimate) {
            told += &paragraph("    ", &warning(misfit, estimate));
        }
    }
    told
}

fn warning(misfit: Misfit, estimate: &Estimate) -> String {
    let way_out = "take more runs, or --importance without a rate, which chooses one";
    match misfit {
        Misfit::Few if estimate.hits == 0 => format!("Nothing is known from that: {way_out}."),
        Misfit::Few => {
            format!("This suits it badly: they weigh as much as {} equal ones; {way_out}.", estimate.effective_hits.to_decimal(3))
        }
        Misfit::Worse(times) => {
            let times = if times < 1e6 { format!("{times:.1}") } else { format!("{times:.1e}") };
            format!("This suits it badly: the variance is {times} times that of plain runs; read the table above.")
        }
    }
}

/// The waves at which messengers are captured at another rate: few of them by name.
fn where_to(waves: &[(usize, usize)]) -> String {
    match waves {
        [(round, from)] => format!("in general {from}'s wave of round {round}"),
        _ => {
            let rounds: Vec<usize> = waves.iter().map(|(round, _)| *round).collect();
            let (first, last) = (rounds.iter().min().unwrap_or(&0), rounds.iter().max().unwrap_or(&0));
            let rounds = if first == last { format!("round {first}") } else { format!("rounds {first} to {last}") };
            format!("in {} waves of {rounds}", waves.len())
        }
    }
}

/// A paragraph that is not wider than the terminal.
fn paragraph(lead: &str, text: &str) -> String {
    wrapped(lead, text, width()).join("\n") + "\n"
}

/// A line for each row, or, where the terminal is too narrow for that, two: the interval goes below the rest.
fn aligned(rows: &[Cells]) -> String {
    let lines = in_columns(rows, &[0, 1, 2, 3, 4, 5, 6]);
    let narrow = lines.iter().any(|line| line.trim_end().len() > width());
    let lines = if narrow {
        let below = rows.iter().map(|row| format!("    {} {}", row[3], row[4]));
        in_columns(rows, &[0, 1, 2, 5, 6]).into_iter().zip(below).flat_map(|(rest, interval)| [rest, interval]).collect()
    } else {
        lines
    };
    lines.iter().map(|line| line.trim_end().to_owned() + "\n").collect()
}

/// The first column to the left and the others to the right, two blanks apart; the "to" of an interval one apart.
fn in_columns(rows: &[Cells], columns: &[usize]) -> Vec<String> {
    let width = |column: usize| rows.iter().map(|row| row[column].len()).max().unwrap_or(0);
    let line = |row: &Cells| {
        let mut line = String::new();
        for (place, &column) in columns.iter().enumerate() {
            let (cell, width) = (&row[column], width(column));
            line += &match column {
                4 => format!(" {cell:<width$}"),
                _ if place == 0 || column == 6 => format!("  {cell:<width$}"),
                _ => format!("  {cell:>width$}"),
            };
        }
        line
    };
    rows.iter().map(line).collect()
}
