//! The heat map: one probability over the number of messengers and the capture rate.

use handfast_lab::generals::{Axis, Chance, HeatMap, Outcome, Ratio, Shade, Shipped, Table};
use serde_json::json;

use super::super::agreed::Agreed;
use super::answer::{ADVERSARY, given, most_sent};
use super::{Args, Show, check_digits};
use crate::output::picture;
use crate::output::terminal;
use crate::output::{Exit, Output};

/// The most rows of a heat map.
const MOST_ROWS: u32 = 20;
/// So many rows where nothing else was asked for.
const USUAL_ROWS: u32 = 10;
/// Capture rates are multiples of one over this.
const RATES: u64 = 20;

/// What a heat map has from top to bottom.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Down {
    Messengers,
    Steps,
    Rounds,
    Ticks,
    /// A protocol of the user's has no size that could be varied.
    Nothing,
}

impl Down {
    fn of(agreed: &Agreed) -> Self {
        match agreed.protocol.as_str() {
            "random-attack" => Self::Rounds,
            "ready-ready" => Self::Ticks,
            "email" => Self::Steps,
            name if Shipped::NAMES.contains(&name) => Self::Messengers,
            _ => Self::Nothing,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Messengers => "messengers",
            Self::Steps => "steps",
            Self::Rounds | Self::Ticks => "rounds",
            Self::Nothing => "",
        }
    }

    /// The sizes of the rows, at most [`MOST_ROWS`] of them up to the one that was asked for.
    fn sizes(self, agreed: &Agreed) -> Vec<u32> {
        let (least, most) = match self {
            Self::Messengers => (1, agreed.messengers.unwrap_or(USUAL_ROWS)),
            Self::Steps => (1, agreed.steps.unwrap_or(USUAL_ROWS)),
            Self::Rounds => (1, agreed.rounds.unwrap_or(USUAL_ROWS)),
            Self::Ticks => (0, agreed.rounds.unwrap_or(USUAL_ROWS)),
            Self::Nothing => (1, 1),
        };
        let rows = (most.max(least) - least + 1).min(MOST_ROWS);
        let mut sizes: Vec<u32> = (1..=rows)
            .map(|row| least + (u64::from(most.max(least) - least + 1) * u64::from(row) / u64::from(rows)) as u32 - 1)
            .collect();
        sizes.dedup();
        sizes
    }

    fn sized(self, agreed: &Agreed, size: u32) -> Agreed {
        let mut agreed = agreed.clone();
        match self {
            Self::Messengers => agreed.messengers = Some(size),
            Self::Steps => agreed.steps = Some(size),
            Self::Rounds | Self::Ticks => agreed.rounds = Some(size),
            Self::Nothing => {}
        }
        agreed
    }
}

/// Prints it, or writes it.
pub(super) fn run(args: &Args, output: &Output) -> anyhow::Result<Exit> {
    let show = args.show.unwrap_or_default();
    let down = Down::of(&args.agreed);
    let sizes = down.sizes(&args.agreed);
    let rates: Vec<Ratio> = (1..RATES as i64).map(|rate| Ratio::new(rate, RATES)).collect();
    let progress = output.progress(sizes.len() as u64);
    let mut cells = Vec::with_capacity(sizes.len());
    let mut table = None;
    for &size in &sizes {
        let sized = down.sized(&args.agreed, size).tabulate(output)?;
        cells.push(row(&sized, &rates, show)?);
        table = Some(sized);
        progress.inc(1);
    }
    progress.finish_and_clear();
    let given = table.as_ref().map_or("nothing", given);
    let protocol = title(args, down, table.as_ref());
    if let Some(path) = &args.svg {
        let map = heat_map(&protocol, given, (show, down), (&sizes, &rates), &cells);
        picture::write(path, &map.to_svg(), output)?;
        if !picture::is_stdout(path) {
            output.note(format_args!("the heat map is in {}", path.display()));
        }
    }
    if output.wants_json() {
        let exact: Vec<Vec<String>> = cells.iter().map(|row| row.iter().map(Ratio::to_string).collect()).collect();
        let floats: Vec<Vec<f64>> = cells.iter().map(|row| row.iter().map(Ratio::to_f64).collect()).collect();
        output.json_line(&json!({
            "protocol": protocol, "adversary": ADVERSARY, "given": given, "show": key(show), "down": down.name(), "n": sizes,
            "capture": rates.iter().map(Ratio::to_string).collect::<Vec<_>>(), "cells": exact, "cells_float": floats,
        }))?;
    } else if args.svg.is_none() {
        let map = heat_map(&protocol, given, (show, down), (&sizes, &rates), &cells);
        output.line(map.to_text(output.wants_ascii() || !output.has_colours(), terminal::width()).trim_end())?;
    }
    Ok(Exit::Done)
}

fn row(table: &Table, rates: &[Ratio], show: Show) -> anyhow::Result<Vec<Ratio>> {
    let mut row = Vec::with_capacity(rates.len());
    for rate in rates {
        check_digits(most_sent(table), rate)?;
        let Some(chance) = Chance::new(rate) else { continue };
        let odds = table.odds(&chance);
        row.push(match show {
            Show::Both => odds.of(Outcome::Both).clone(),
            Show::Alone => odds.alone,
            Show::Neither => odds.of(Outcome::Neither).clone(),
        });
    }
    Ok(row)
}

/// The protocol with the parameters that stay as they are.
fn title(args: &Args, down: Down, table: Option<&Table>) -> String {
    let agreed = &args.agreed;
    if down == Down::Nothing {
        return table.map_or_else(|| agreed.protocol.clone(), |table| table.name.clone());
    }
    match agreed.protocol.as_str() {
        "handshake" => match agreed.steps.unwrap_or(3) {
            1 => "handshake, 1 step".to_owned(),
            steps => format!("handshake, {steps} steps"),
        },
        "reply" => match agreed.replies.unwrap_or(1) {
            1 => "reply, 1 reply".to_owned(),
            replies => format!("reply, {replies} replies"),
        },
        name => name.to_owned(),
    }
}

const fn key(show: Show) -> &'static str {
    match show {
        Show::Both => "both",
        Show::Alone => "alone",
        Show::Neither => "neither",
    }
}

fn heat_map(
    protocol: &str,
    given: &str,
    (show, down): (Show, Down),
    (sizes, rates): (&[u32], &[Ratio]),
    cells: &[Vec<Ratio>],
) -> HeatMap {
    let (what, shade) = match show {
        Show::Both => ("both attack", Shade::Good),
        Show::Alone => ("exactly one attacks", Shade::Bad),
        Show::Neither => ("neither attacks", Shade::Calm),
    };
    let values = match down {
        Down::Nothing => vec![String::new()],
        Down::Messengers | Down::Steps | Down::Rounds | Down::Ticks => sizes.iter().map(u32::to_string).collect(),
    };
    HeatMap {
        title: format!("How likely it is that {what}: {protocol}"),
        subtitle: format!("{ADVERSARY}; given {given}"),
        shade,
        down: Axis { name: down.name().to_owned(), values },
        across: Axis { name: "capture rate p".to_owned(), values: rates.iter().map(|rate| rate.to_decimal(3)).collect() },
        cells: cells.to_vec(),
    }
}
