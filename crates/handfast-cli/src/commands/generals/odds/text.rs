//! The odds in words and tables, in 80 columns where numbers let it.

use std::fmt::Display;

use handfast_lab::answers::Against;
use handfast_lab::answers::odds::Answer;
use handfast_lab::generals::{Outcome, Patterns, Polynomial, Ratio};

use crate::output::decimal;

/// So many significant digits has a number beside the exact one.
const DIGITS: usize = 10;

/// A fraction with more characters than this is told only in JSON.
const MOST_CHARACTERS: usize = 26;
/// A polynomial has about as many characters as this at most.
const POLYNOMIAL: usize = 150;
/// So many lines of numbers of patterns are printed, and so many captured messengers named.
const MOST_LINES: usize = 16;

/// The whole answer.
pub(super) fn told(answer: &Answer) -> String {
    let mut text = format!("{}\n\nAdversary: {}.\nGiven: {}.\n", answer.title, answer.adversary().in_words(), answer.given);
    match &answer.at {
        Some(_) => numbers(&mut text, answer),
        None => text.push_str("\nFor every capture rate p; --capture 1/10 gives the numbers for one.\n"),
    }
    polynomials(&mut text, answer);
    patterns(&mut text, answer);
    worst(&mut text, answer);
    email(&mut text, answer);
    text
}

fn exact(ratio: &Ratio) -> String {
    let exact = ratio.to_string();
    if exact.len() <= MOST_CHARACTERS {
        return exact;
    }
    let digits = exact.bytes().filter(u8::is_ascii_digit).count();
    format!("{digits} digits: see --json")
}

fn numbers(text: &mut String, answer: &Answer) {
    let Some((capture, odds)) = &answer.at else { return };
    text.push_str(&format!("\nCapture rate p = {capture}.\n\n"));
    let mut line = |words: &str, ratio: &Ratio| {
        text.push_str(&format!("  {words:<34} {:<18} {}\n", decimal(ratio, DIGITS), exact(ratio)));
    };
    for outcome in Outcome::ALL {
        line(outcome.in_words(), odds.of(outcome));
    }
    line("exactly one attacks", &odds.alone);
    match odds.alone_if_attacked() {
        Some(ratio) => line("a lone attack, if anybody attacks", &ratio),
        None => text.push_str("  nobody ever attacks\n"),
    }
}

/// As many terms as fit.
fn fitting(polynomial: &Polynomial) -> String {
    let texts = (1..=12).rev().map(|most| polynomial.to_text(most));
    let mut last = String::new();
    for text in texts {
        last = text;
        if last.chars().count() <= POLYNOMIAL {
            break;
        }
    }
    last
}

fn polynomials(text: &mut String, answer: &Answer) {
    text.push_str("\nIn p:\n");
    match &answer.polynomials {
        Ok((rows, alone)) => {
            for (outcome, row) in Outcome::ALL.iter().zip(rows) {
                text.push_str(&format!("  {:<12} {}\n", outcome.name(), fitting(row)));
            }
            text.push_str(&format!("  {:<12} {}\n", "exactly one", fitting(alone)));
            if rows.iter().any(|row| fitting(row).contains("terms more")) {
                text.push_str("  All terms are in --json.\n");
            }
        }
        Err(too_long) => text.push_str(&format!("  not told: {too_long}\n")),
    }
}

/// A whole number, rounded where it is long.
fn whole(count: impl Display) -> String {
    let digits = count.to_string();
    if digits.len() <= 12 { digits } else { format!("{}.{}e{}", &digits[..1], &digits[1..4], digits.len() - 1) }
}

fn patterns(text: &mut String, answer: &Answer) {
    let sides = if answer.coins > 1 { format!(", over all {} sides of the coin", answer.coins) } else { String::new() };
    text.push_str(&format!("\nNumber of patterns by captures{sides}:\n"));
    let patterns = match &answer.patterns {
        Ok(patterns) => patterns,
        Err(too_long) => return text.push_str(&format!("  not told: {too_long}\n")),
    };
    let cells = |line: &Patterns| -> Vec<String> {
        let numbers = [line.sent.to_string(), line.captures.to_string()];
        numbers.into_iter().chain(line.counts.iter().map(whole)).collect()
    };
    let head = ["sent", "captured"].into_iter().chain(Outcome::ALL.map(Outcome::name)).map(str::to_owned).collect();
    let lines: Vec<Vec<String>> = std::iter::once(head).chain(patterns.iter().take(MOST_LINES).map(cells)).collect();
    let widths: Vec<usize> = (0..6).map(|column| lines.iter().map(|line| line[column].len()).max().unwrap_or(0) + 2).collect();
    for line in &lines {
        for (cell, width) in line.iter().zip(&widths) {
            text.push_str(&format!("{cell:>width$}"));
        }
        text.push('\n');
    }
    if patterns.len() > MOST_LINES {
        text.push_str(&format!("  {} lines more are in --json.\n", patterns.len() - MOST_LINES));
    }
}

fn worst(text: &mut String, answer: &Answer) {
    let Some(worst) = &answer.worst else { return };
    text.push_str(&format!("\nWorst case: {}.\n", Against::Unseeing.in_words()));
    let (worst, journeys) = match worst {
        Ok(found) => found,
        Err(why) => return text.push_str(&format!("  not told: {why}\n")),
    };
    text.push_str(&format!("  exactly one attacks with probability {} over the coin,\n", worst.disagreement));
    text.push_str(match worst.ordered {
        [true, true] => "  when both were given the order",
        [true, false] => "  when general 1 was given the order",
        [false, true] => "  when general 2 was given the order",
        [false, false] => "  when nobody was given the order",
    });
    let count = worst.captured.len();
    if count == 0 {
        return text.push_str(&format!(", and none of the {} messengers is captured\n", worst.sent));
    }
    text.push_str(&format!(
        ", and of the {} messengers these are captured,\n  counted from 0 in the order of sending:\n",
        worst.sent
    ));
    for &number in worst.captured.iter().take(MOST_LINES) {
        if let Some(journey) = journeys.get(number) {
            text.push_str(&format!("    messenger {number}: general {}'s in round {}\n", journey.from.number(), journey.round));
        }
    }
    if count > MOST_LINES {
        text.push_str(&format!("    and {} more, which are in --json\n", count - MOST_LINES));
    }
}

fn email(text: &mut String, answer: &Answer) {
    let Some(email) = &answer.email else { return };
    text.push_str("\nThe machines (Rubinstein 1989), which acknowledge without end:\n");
    match (email.messengers(), email.last_lost()) {
        (Some(messengers), Some(last_lost)) => {
            text.push_str(&format!("  messages sent, expected: {} = {messengers}\n", decimal(&messengers, DIGITS)));
            text.push_str(&format!(
                "  for a general whose machine has sent, its last message was lost\n    with probability {} = {last_lost}\n",
                decimal(&last_lost, DIGITS)
            ));
        }
        (None, _) | (_, None) => {
            return text.push_str("  infinitely many messages: none is ever lost, so there is no last one\n");
        }
    }
    text.push_str(
        "\nThe rows above are those of the rule: attack once the own machine has sent\n\
         --steps messages. It is no equilibrium. When a lone attack costs more than half\n\
         the stake, never attacking is the only one, however rarely messages are lost.\n",
    );
}
