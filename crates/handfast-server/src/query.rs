//! What stands behind the question mark of an address, read by name: what makes no sense is told with what would.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::ops::RangeInclusive;
use std::str::FromStr;

use axum::extract::Query;
use axum::extract::rejection::QueryRejection;

/// The parameters of a request as they were sent.
pub(crate) type Sent = Result<Query<Vec<(String, String)>>, QueryRejection>;

/// The parameters of a request, each of which is known and said once.
#[derive(Debug)]
pub(crate) struct Parameters(BTreeMap<String, String>);

impl Parameters {
    /// # Errors
    /// One is not known, or is said twice.
    pub(crate) fn of(sent: Sent, known: &[&str]) -> Result<Self, String> {
        let Ok(Query(sent)) = sent else {
            return Err(
                "what stands behind the question mark cannot be read; write NAME=VALUE, with & between several".to_owned()
            );
        };
        let mut said = BTreeMap::new();
        for (name, value) in sent {
            if !known.contains(&name.as_str()) {
                let name: String = name.chars().take(64).collect();
                return Err(format!("there is no parameter {name:?}; there are {}", known.join(", ")));
            }
            if let Some((name, _)) = said.remove_entry(&name) {
                return Err(format!("{name} is said twice; say it once"));
            }
            said.insert(name, value);
        }
        Ok(Self(said))
    }

    /// A text, if it is said.
    pub(crate) fn text(&mut self, name: &str) -> Option<String> {
        self.0.remove(name)
    }

    /// A whole number within these bounds, if it is said.
    ///
    /// # Errors
    /// It is something else.
    pub(crate) fn number<T>(&mut self, name: &str, bounds: RangeInclusive<T>) -> Result<Option<T>, String>
    where
        T: FromStr + PartialOrd + Display,
    {
        let Some(text) = self.text(name) else { return Ok(None) };
        let number = text.parse::<T>().ok().filter(|number| bounds.contains(number));
        number.map(Some).ok_or_else(|| {
            let (least, most, text) = (bounds.start(), bounds.end(), text.chars().take(64).collect::<String>());
            format!("{name} is a whole number from {least} to {most}, and not {text:?}")
        })
    }

    /// True or false, if it is said.
    ///
    /// # Errors
    /// It is something else.
    pub(crate) fn flag(&mut self, name: &str) -> Result<Option<bool>, String> {
        let Some(text) = self.text(name) else { return Ok(None) };
        text.parse().map(Some).map_err(|_| format!("{name} is true or false; leave it out where neither is meant"))
    }
}
