//! Which sagas a list is of, as it stands in the address of the list.

use std::fmt::Write as _;

use axum::extract::Query;
use handfast::{ListFilter, Money, Standing, Time};
use serde::Deserialize;

/// Sagas a page, when nothing else is asked for, and at most.
const PAGE: usize = 100;
const MOST_PAGE: usize = 1_000;

/// The parameters of `GET /sagas`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Parameters {
    /// Several have commas between them.
    standing: Option<String>,
    in_doubt: Option<bool>,
    flow: Option<String>,
    participant: Option<String>,
    placed_from_ms: Option<u64>,
    placed_before_ms: Option<u64>,
    amount_at_least: Option<String>,
    needs_person: Option<bool>,
    after: Option<String>,
    limit: Option<usize>,
}

impl Parameters {
    /// # Errors
    /// Which parameter makes no sense, and what would.
    pub(crate) fn filter(self) -> Result<ListFilter, String> {
        let limit = self.limit.unwrap_or(PAGE);
        if !(1..=MOST_PAGE).contains(&limit) {
            return Err(format!("limit is 1 to {MOST_PAGE}, and not {limit}"));
        }
        let standings: Option<Vec<Standing>> =
            self.standing.iter().flat_map(|names| names.split(',')).map(Standing::from_name).collect();
        let standings = standings.ok_or_else(|| {
            let names = Standing::ALL.map(Standing::name).join(", ");
            format!("standing is one of {names}, or several of them with commas between them")
        })?;
        if let (Some(from), Some(before)) = (self.placed_from_ms, self.placed_before_ms)
            && from >= before
        {
            return Err(format!("placed_before_ms is later than placed_from_ms, and {before} is not later than {from}"));
        }
        let amount: Option<Money> = match self.amount_at_least.as_deref().map(str::parse) {
            None => None,
            Some(Ok(amount)) => Some(amount),
            Some(Err(error)) => return Err(format!("amount_at_least: {error}")),
        };
        if self.in_doubt == Some(false) {
            return Err("in_doubt is true, or left out; standing says which others are asked for".to_owned());
        }
        Ok(ListFilter::default()
            .with_standings(standings)
            .with_in_doubt(self.in_doubt.is_some())
            .with_flow(self.flow)
            .with_participant(self.participant)
            .with_placed_from(self.placed_from_ms.map(Time))
            .with_placed_before(self.placed_before_ms.map(Time))
            .with_amount_at_least(amount)
            .with_needs_person(self.needs_person)
            .with_after(self.after)
            .with_limit(limit))
    }
}

/// The address of the page that a filter asks for, which [`Parameters`] read as the same filter.
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
    let Query(parameters): Query<Parameters> = Query::try_from_uri(&uri).map_err(|_other| wrong())?;
    parameters.after.ok_or_else(wrong)
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
        let Query(parameters): Query<Parameters> =
            Query::try_from_uri(&address.parse().unwrap()).map_err(|error| error.body_text())?;
        parameters.filter()
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
            ("limit=0", "limit is 1 to 1000, and not 0"),
            ("standing=acting,lost", "standing is one of placed, "),
            ("standing=", "standing is one of placed, "),
            ("placed_from_ms=9&placed_before_ms=9", "placed_before_ms is later than placed_from_ms, and 9 is not later than 9"),
            ("amount_at_least=19.9+EUR", "amount_at_least: write a number with the places of its currency"),
            ("in_doubt=false", "in_doubt is true, or left out"),
            ("placed_from_ms=yesterday", "placed_from_ms"),
            ("age=1d", "age"),
        ] {
            let why = read(&format!("/sagas?{query}")).expect_err(query);
            assert!(why.contains(said), "{query}: {why}");
        }
    }
}
