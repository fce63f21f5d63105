//! Which sagas a list is of, as it stands in the address of the list.

use std::fmt::Write as _;

use axum::extract::Query;
use handfast::{Deed, ListFilter, Money, Standing, Time};

use crate::query::{Parameters, Sent};

/// Sagas a page, when nothing else is asked for, and at most.
const PAGE: usize = 100;
const MOST_PAGE: usize = 1_000;

/// The parameters of `GET /plans`: what is to be done, and which sagas are meant.
pub(crate) const OF_A_PLAN: [&str; 12] = [
    "act",
    "step",
    "standing",
    "in_doubt",
    "flow",
    "participant",
    "placed_from_ms",
    "placed_before_ms",
    "amount_at_least",
    "needs_person",
    "after",
    "limit",
];

/// The parameters of `GET /sagas`. A standing may be several, with commas between them.
pub(crate) const OF_A_LIST: &[&str] = OF_A_PLAN.split_at(2).1;

/// Which sagas are asked for.
///
/// # Errors
/// Which parameter makes no sense, and what would.
pub(crate) fn filter(sent: Sent) -> Result<ListFilter, String> {
    filter_of(&mut Parameters::of(sent, OF_A_LIST)?)
}

/// What is to be done, and to which sagas. A plan's address has two parameters more.
///
/// # Errors
/// As [`filter`], or what is to be done is nothing that can be.
pub(crate) fn plan(sent: Sent) -> Result<(ListFilter, Deed), String> {
    let mut said = Parameters::of(sent, &OF_A_PLAN)?;
    let (act, step) = (said.text("act"), said.text("step"));
    let deed = act
        .as_deref()
        .and_then(|act| Deed::from_name(act, step.as_deref()))
        .ok_or_else(|| format!("act is one of {}; a mark needs its step, and nothing else has one", Deed::NAMES.join(", ")))?;
    Ok((filter_of(&mut said)?, deed))
}

/// The address of the page of a plan that a filter asks for, which [`plan`] reads as the same.
pub(crate) fn address_of_plan(filter: &ListFilter, deed: &Deed) -> String {
    let step: String = deed.step().into_iter().flat_map(str::bytes).map(escaped).collect();
    let step = if step.is_empty() { step } else { format!("&step={step}") };
    format!("/plans?act={}{step}&{}", deed.name(), address(filter).trim_start_matches("/sagas?"))
}

/// Which sagas a filter is of, whatever page of them.
pub(crate) fn in_words(filter: &ListFilter) -> String {
    let all = filter.clone().with_after(None).with_limit(PAGE);
    let address = address(&all);
    address.split_once('&').map_or_else(String::new, |(_, filter)| filter.to_owned())
}

fn filter_of(said: &mut Parameters) -> Result<ListFilter, String> {
    let limit = said.number("limit", 1..=MOST_PAGE)?.unwrap_or(PAGE);
    let standings = said.text("standing");
    let standings: Option<Vec<Standing>> = standings.iter().flat_map(|names| names.split(',')).map(Standing::from_name).collect();
    let standings = standings.ok_or_else(|| {
        let names = Standing::ALL.map(Standing::name).join(", ");
        format!("standing is one of {names}, or several of them with commas between them")
    })?;
    let placed_from_ms = said.number("placed_from_ms", 0..=u64::MAX)?;
    let placed_before_ms = said.number("placed_before_ms", 0..=u64::MAX)?;
    if let (Some(from), Some(before)) = (placed_from_ms, placed_before_ms)
        && from >= before
    {
        return Err(format!("placed_before_ms is later than placed_from_ms, and {before} is not later than {from}"));
    }
    let amount: Option<Money> = match said.text("amount_at_least").as_deref().map(str::parse) {
        None => None,
        Some(Ok(amount)) => Some(amount),
        Some(Err(error)) => return Err(format!("amount_at_least: {error}")),
    };
    let in_doubt = said.flag("in_doubt")?;
    if in_doubt == Some(false) {
        return Err("in_doubt is true, or left out; standing says which others are asked for".to_owned());
    }
    Ok(ListFilter::default()
        .with_standings(standings)
        .with_in_doubt(in_doubt.is_some())
        .with_flow(said.text("flow"))
        .with_participant(said.text("participant"))
        .with_placed_from(placed_from_ms.map(Time))
        .with_placed_before(placed_before_ms.map(Time))
        .with_amount_at_least(amount)
        .with_needs_person(said.flag("needs_person")?)
        .with_after(said.text("after"))
        .with_limit(limit))
}

/// The address of the page that a filter asks for, which [`filter`] reads as the same filter.
pub(crate) fn address(filter: &ListFilter) -> String {
    let ListFilter { standings, in_doubt, flow, participant, placed_from, placed_before, .. } = filter;
    let standings: Vec<&str> = standings.iter().map(|standing| standing.name()).collect();
    let standing = (!standings.is_empty()).then(|| standings.join(","));
    let parameters = [
        ("after", filter.after.clone()),
        ("standing", standing),
        ("in_doubt", in_doubt.then(|| true.to_string())),
        ("flow", flow.clone()),
        ("participant", participant.clone()),
        ("placed_from_ms", placed_from.map(|at| at.0.to_string())),
        ("placed_before_ms", placed_before.map(|at| at.0.to_string())),
        ("amount_at_least", filter.amount_at_least.as_ref().map(ToString::to_string)),
        ("needs_person", filter.needs_person.map(|needs| needs.to_string())),
    ];
    let mut address = format!("/sagas?limit={}", filter.limit);
    for (name, value) in parameters {
        if let Some(value) = value {
            write!(address, "&{name}=").unwrap_or(());
            address.extend(value.bytes().map(escaped));
        }
    }
    address
}

/// The saga after which the page at this address begins.
pub(crate) fn after_in(address: &str) -> Result<String, String> {
    let wrong = || format!("the service named {address:?} as the next page, which is none of a list of sagas");
    let uri = address.parse().map_err(|_no_address| wrong())?;
    let sent = || Query::try_from_uri(&uri);
    let filter = filter(sent()).or_else(|_| plan(sent()).map(|(filter, _)| filter));
    filter.ok().and_then(|filter| filter.after).ok_or_else(wrong)
}

/// What is said where a page is to begin after a saga that is not there.
pub(crate) fn no_such_after(id: &str) -> String {
    let id: String = id.chars().take(128).collect();
    format!(
        "after is the id of a saga, the last one of the page before, and there is no saga {id:?}; leave it out for the first page"
    )
}

/// A byte as it stands in the value of a parameter.
pub(crate) fn escaped(byte: u8) -> String {
    match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b',' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(address: &str) -> Result<ListFilter, String> {
        filter(Query::try_from_uri(&address.parse().unwrap()))
    }

    #[test]
    fn an_address_is_read_as_the_filter_it_was_written_for() {
        let filter = ListFilter::default()
            .with_standings(vec![Standing::Acting, Standing::Suspended])
            .with_in_doubt(true)
            .with_flow(Some("shop".to_owned()))
            .with_participant(Some("http://127.0.0.1:8001/charges?a=b&c=ü".to_owned()))
            .with_placed_from(Some(Time(7)))
            .with_placed_before(Some(Time(9)))
            .with_amount_at_least(Some("19.99 EUR".parse().unwrap()))
            .with_needs_person(Some(false))
            .with_after(Some("order-1".to_owned()))
            .with_limit(10);
        assert_eq!(read(&address(&filter)), Ok(filter));
        let all = ListFilter::all(None, 100);
        assert_eq!((read("/sagas"), address(&all)), (Ok(all), "/sagas?limit=100".to_owned()));
    }

    #[test]
    fn what_makes_no_sense_is_told_by_the_name_of_its_parameter() {
        for (query, said) in [
            ("limit=0", "limit is a whole number from 1 to 1000, and not \"0\""),
            ("limit=x", "limit is a whole number from 1 to 1000, and not \"x\""),
            ("limit=1&limit=2", "limit is said twice; say it once"),
            ("needs_person=perhaps", "needs_person is true or false"),
            ("standing=acting,lost", "standing is one of placed, "),
            ("standing=", "standing is one of placed, "),
            ("placed_from_ms=9&placed_before_ms=9", "placed_before_ms is later than placed_from_ms, and 9 is not later than 9"),
            ("amount_at_least=19.9+EUR", "amount_at_least: write a number with the places of its currency"),
            ("in_doubt=false", "in_doubt is true, or left out"),
            (
                "placed_from_ms=yesterday",
                "placed_from_ms is a whole number from 0 to 18446744073709551615, and not \"yesterday\"",
            ),
            ("age=1d", "there is no parameter \"age\"; there are standing, in_doubt, flow"),
        ] {
            let why = read(&format!("/sagas?{query}")).expect_err(query);
            assert!(why.contains(said), "{query}: {why}");
        }
    }
}
