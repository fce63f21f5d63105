//! How answers are written: a float beside every rational, and counts that no reader rounds.

use std::fmt::Display;

use serde::ser::{Serialize, SerializeMap, Serializer};

use crate::answers::Against;
use crate::generals::{Outcome, Ratio};

/// An object that is being written, member by member.
pub(super) struct Object<M>(M);

impl<M: SerializeMap> Object<M> {
    pub(super) fn begin<S: Serializer<SerializeMap = M, Ok = M::Ok, Error = M::Error>>(serializer: S) -> Result<Self, M::Error> {
        serializer.serialize_map(None).map(Self)
    }

    pub(super) fn put(&mut self, name: &str, value: &(impl Serialize + ?Sized)) -> Result<&mut Self, M::Error> {
        self.0.serialize_entry(name, value)?;
        Ok(self)
    }

    /// What it is called and what it is, and against whom the answer holds.
    pub(super) fn head(&mut self, protocol: &str, title: &str, against: &Against) -> Result<&mut Self, M::Error> {
        self.put("protocol", protocol)?.put("title", title)?.against(against)
    }

    pub(super) fn against(&mut self, against: &Against) -> Result<&mut Self, M::Error> {
        self.put("adversary", &against.to_string())?.put("adversary_in_words", &against.in_words())
    }

    /// A rational, exactly, and the nearest float beside it; null twice where it is not known.
    pub(super) fn number<'r>(&mut self, name: &str, number: impl Into<Option<&'r Ratio>>) -> Result<&mut Self, M::Error> {
        let number = number.into();
        self.put(name, &number.map(Ratio::to_string))?;
        self.put(&format!("{name}_float"), &number.map(Ratio::to_f64))
    }

    /// Many rationals, and their floats beside them.
    pub(super) fn numbers<'r>(
        &mut self,
        name: &str,
        numbers: impl IntoIterator<Item = &'r Ratio> + Clone,
    ) -> Result<&mut Self, M::Error> {
        let exact: Vec<String> = numbers.clone().into_iter().map(Ratio::to_string).collect();
        let floats: Vec<f64> = numbers.into_iter().map(Ratio::to_f64).collect();
        self.put(name, &exact)?.put(&format!("{name}_float"), &floats)
    }

    /// What there is, or null and why not under `NAME_refused`.
    pub(super) fn or_refused<T: Serialize, E: Display>(
        &mut self,
        name: &str,
        found: Result<T, E>,
    ) -> Result<&mut Self, M::Error> {
        match found {
            Ok(found) => self.put(name, &found),
            Err(why) => self.put(name, &None::<()>)?.put(&format!("{name}_refused"), &why.to_string()),
        }
    }

    pub(super) fn end(self) -> Result<M::Ok, M::Error> {
        self.0.end()
    }
}

/// What a check has come to, in one word.
pub(super) const fn verdict(holds: bool) -> &'static str {
    if holds { "holds" } else { "violated" }
}

/// From this on floats have no whole number for each.
const MOST_EXACT: u64 = 1 << 53;

/// A count: a number where every reader takes it exactly, a string of digits otherwise.
pub(super) struct Count<N>(pub(super) N);

impl<N: Display> Serialize for Count<N> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let digits = self.0.to_string();
        match digits.parse::<u64>() {
            Ok(number) if number <= MOST_EXACT => serializer.serialize_u64(number),
            Ok(_) | Err(_) => serializer.serialize_str(&digits),
        }
    }
}

/// The probabilities of the four outcomes.
pub(super) struct Outcomes<'a>(pub(super) [&'a Ratio; 4]);

impl Serialize for Outcomes<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = Object::begin(serializer)?;
        for (outcome, number) in Outcome::ALL.into_iter().zip(self.0) {
            object.number(outcome.key(), number)?;
        }
        object.end()
    }
}

/// A member for each of the four outcomes.
pub(super) struct ByOutcome<T>(pub(super) [T; 4]);

impl<T: Serialize> Serialize for ByOutcome<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = Object::begin(serializer)?;
        for (outcome, value) in Outcome::ALL.into_iter().zip(&self.0) {
            object.put(outcome.key(), value)?;
        }
        object.end()
    }
}
