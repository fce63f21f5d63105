//! A plan and what has come of it as a person reads them.

use handfast::Money;

use super::document::Plan;
use super::money::{Come, Effects, Range, Ranges};
use crate::batch::counted;

/// At most this many sagas of a plan are shown to a person; the document has all of them.
const MOST_SHOWN: usize = 20;

/// An amount as in `19.99 EUR`.
fn amount(currency: &str, minor: u64) -> String {
    Money { minor, currency: currency.to_owned() }.to_string()
}

/// Amounts of which at least and at most is known, one currency after another.
fn ranges(ranges: &Ranges) -> Option<String> {
    let one = |(currency, Range { at_least, at_most }): (&String, &Range)| {
        let most = amount(currency, *at_most);
        if at_least == at_most { most } else { format!("{} to {most}", amount(currency, *at_least)) }
    };
    (!ranges.is_empty()).then(|| ranges.iter().map(one).collect::<Vec<_>>().join(" and "))
}

fn numbers(Range { at_least, at_most }: Range, what: &str) -> Option<String> {
    let most = counted(at_most, what);
    let said = if at_least == at_most { most } else { format!("{at_least} to {most}") };
    (at_most > 0).then_some(said)
}

fn number(number: u64, what: &str) -> Option<String> {
    (number > 0).then(|| counted(number, what))
}

/// What would come of one saga, in one line.
#[must_use]
pub fn line_of(effects: &Effects) -> String {
    let said: Vec<String> = [
        ranges(&effects.refunds).map(|money| format!("refunds {money}")),
        ranges(&effects.stays).map(|money| format!("keeps {money}")),
        ranges(&effects.for_a_person).map(|money| format!("leaves {money} to a person")),
        numbers(effects.undoes_without_amount, "step").map(|steps| format!("undoes {steps} of no known amount")),
        numbers(effects.leaves_without_amount, "step").map(|steps| format!("leaves {steps} of no known amount to a person")),
        numbers(effects.closes, "key").map(|keys| format!("closes {keys}")),
        numbers(effects.dispatches, "step").map(|steps| format!("does {steps} for good")),
    ]
    .into_iter()
    .flatten()
    .collect();
    if said.is_empty() { "nothing".to_owned() } else { said.join(", ") }
}

/// A plan: its sums, its first sagas, and those about which nothing would be done.
#[must_use]
pub fn in_words(plan: &Plan) -> Vec<String> {
    let Plan { token, head, pages } = plan;
    let step = head.step.as_ref().map(|step| format!(" {step}")).unwrap_or_default();
    let mut lines = vec![format!("{}{step}, {}", head.act, counted(head.sagas, "saga")), String::new()];
    let sagas = pages.iter().flat_map(|page| &page.sagas);
    lines.extend(sagas.take(MOST_SHOWN).map(|entry| format!("  {}: {}", entry.saga, line_of(&entry.effects))));
    lines.extend(and_more(head.sagas));
    if head.refused > 0 {
        let refused = counted(head.refused, "saga");
        lines.extend([String::new(), format!("Nothing would be done to {refused}:")]);
        let of_pages = pages.iter().flat_map(|page| &page.refused);
        lines.extend(of_pages.take(MOST_SHOWN).map(|refused| format!("  {}: {}", refused.saga, refused.why)));
        lines.extend(and_more(head.refused));
    }
    lines.extend([String::new(), "In sum, while participants keep their promises:".to_owned()]);
    lines.extend(in_sum(&head.sums));
    lines.extend([String::new(), format!("token: {token}")]);
    lines
}

fn and_more(all: u64) -> Option<String> {
    let more = all.saturating_sub(MOST_SHOWN as u64);
    (more > 0).then(|| format!("  and {more} more, in the plan"))
}

/// The sums of a plan, line by line.
#[must_use]
pub fn in_sum(sums: &Effects) -> Vec<String> {
    let ends = sums.ends.iter().filter_map(|(standing, range)| {
        let sagas = numbers(*range, "saga")?;
        Some(format!("  {}: {sagas}", end_in_words(standing)))
    });
    let said = [
        ("is given back", ranges(&sums.refunds)),
        ("stays taken", ranges(&sums.stays)),
        ("is left to a person", ranges(&sums.for_a_person)),
        ("undone, of no known amount", numbers(sums.undoes_without_amount, "step")),
        ("left to a person, of no known amount", numbers(sums.leaves_without_amount, "step")),
        ("keys closed", numbers(sums.closes, "key")),
        ("done for good", numbers(sums.dispatches, "step")),
    ];
    let mut lines: Vec<String> = lines(said).chain(ends).collect();
    if lines.is_empty() {
        lines.push("  nothing".to_owned());
    }
    lines
}

/// A line for each of those of which something is said.
fn lines<const N: usize>(of: [(&str, Option<String>); N]) -> impl Iterator<Item = String> {
    of.into_iter().filter_map(|(what, said)| Some(format!("  {what}: {}", said?)))
}

fn end_in_words(standing: &str) -> String {
    match standing {
        "completed" => "end in both".to_owned(),
        "cancelled" => "end in neither".to_owned(),
        "settled" => "are settled".to_owned(),
        "suspended" => "wait for a person".to_owned(),
        other => format!("are {other}"),
    }
}

/// What has come of a plan so far, line by line.
#[must_use]
pub fn come_in_words(come: &Come) -> Vec<String> {
    let standing =
        come.standing.iter().map(|(standing, sagas)| format!("  {}: {}", end_in_words(standing), counted(*sagas, "saga")));
    let said = [
        ("was given back", ranges(&come.refunded)),
        ("stays taken", ranges(&come.stays)),
        ("is left to a person", ranges(&come.for_a_person)),
        ("is under way", ranges(&come.under_way)),
        ("undone, of no known amount", number(come.undone_without_amount, "step")),
        ("left to a person, of no known amount", number(come.left_without_amount, "step")),
        ("keys closed", number(come.closed, "key")),
        ("done for good", number(come.dispatched, "step")),
    ];
    lines(said).chain(standing).collect()
}
