//! Conditions as they are written and kept: when an answer means one thing.
//!
//! One meaning has one or more shapes, each a [`Condition`]. What a flow file could say from the beginning is kept as it always
//! was; everything else stands in [`Condition::tests`], which is left out where there is none.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Error as _, SeqAccess, Visitor, value};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::journal::Scalar;

/// When an answer means one thing: its status is one of these, and everything that is tested holds.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    /// Statuses; any status where there is none, and no class.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub status: Vec<u16>,
    /// Classes of status: 2 for 200 to 299, and so on up to 5.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub classes: Vec<u8>,
    /// What stands where in the JSON of the body, to the letter: places as JSON pointers (RFC 6901).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub json: BTreeMap<String, Vec<Scalar>>,
    /// Everything else that has to hold.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tests: Vec<Test>,
}

/// What is to stand, or not, in one place of an answer.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Test {
    /// The place.
    pub at: At,
    /// What is to stand there.
    pub wants: Wants,
}

/// A place of an answer.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum At {
    /// In the JSON of its body: a JSON pointer in which `*` stands for any element of a list, the same one wherever the path up
    /// to it is the same.
    Json(String),
    /// The header of this name, in lower case.
    Header(String),
}

/// What is to stand in a place.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Wants {
    /// One of these.
    Is(Vec<Expected>),
    /// Something that is none of these.
    Not(Vec<Expected>),
    /// Nothing.
    Absent,
    /// `null`.
    Null,
}

/// What an answer is compared with.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Expected {
    /// This, to the letter.
    Value(Scalar),
    /// A text with gaps, which are filled with what the request was made of.
    Gaps {
        /// The text. One gap alone is compared as what it is filled with: a number as a number.
        gaps: String,
    },
}

/// Where a value that is kept of an answer stands.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
pub enum KeptAt {
    /// A JSON pointer, as in [`At::Json`].
    Json(String),
    /// In a header.
    Header {
        /// Its name.
        header: String,
    },
}

impl KeptAt {
    /// The place.
    #[must_use]
    pub fn at(&self) -> At {
        match self {
            Self::Json(pointer) => At::Json(pointer.clone()),
            Self::Header { header } => At::Header(header.to_ascii_lowercase()),
        }
    }
}

impl From<&str> for KeptAt {
    fn from(pointer: &str) -> Self {
        Self::Json(pointer.to_owned())
    }
}

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Json(pointer) => f.write_str(pointer),
            Self::Header(name) => write!(f, "the header {name}"),
        }
    }
}

/// Every shape that one meaning comes in. It is written as its condition where there is one alone.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Shapes(pub Vec<Condition>);

impl From<Condition> for Shapes {
    fn from(condition: Condition) -> Self {
        Self(vec![condition])
    }
}

impl Serialize for Shapes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0.as_slice() {
            [only] => only.serialize(serializer),
            all => all.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Shapes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OneOrMore;
        impl<'de> Visitor<'de> for OneOrMore {
            type Value = Shapes;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a condition, or a list of them")
            }

            fn visit_map<A: serde::de::MapAccess<'de>>(self, map: A) -> Result<Shapes, A::Error> {
                Condition::deserialize(value::MapAccessDeserializer::new(map)).map(Shapes::from)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Shapes, A::Error> {
                let mut shapes = Vec::new();
                while let Some(condition) = seq.next_element()? {
                    shapes.push(condition);
                }
                if shapes.is_empty() { Err(A::Error::custom("no condition at all")) } else { Ok(Shapes(shapes)) }
            }
        }
        deserializer.deserialize_any(OneOrMore)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn is_kept_as(shapes: &Shapes, text: &str) {
        assert_eq!(serde_json::to_string(shapes).unwrap(), text);
        assert_eq!(&serde_json::from_str::<Shapes>(text).unwrap(), shapes);
    }

    #[test]
    fn what_could_be_said_from_the_beginning_is_kept_as_it_was() {
        let json = BTreeMap::from([("/a".to_owned(), vec![Scalar::Integer(1), Scalar::Text("{key}".to_owned())])]);
        let condition = Condition { status: vec![200], json, ..Condition::default() };
        is_kept_as(&condition.into(), r#"{"status":[200],"json":{"/a":[1,"{key}"]}}"#);
    }

    #[test]
    fn everything_else_is_added_to_it() {
        let test = |at, wants| Test { at, wants };
        let gaps = Expected::Gaps { gaps: "{key}".to_owned() };
        let first = Condition {
            classes: vec![2],
            tests: vec![
                test(At::Json("/data/*/ref".to_owned()), Wants::Is(vec![gaps, Expected::Value(Scalar::Bool(true))])),
                test(At::Header("x-id".to_owned()), Wants::Not(vec![Expected::Value(Scalar::Text(String::new()))])),
                test(At::Json("/error".to_owned()), Wants::Absent),
                test(At::Json("/error".to_owned()), Wants::Null),
            ],
            ..Condition::default()
        };
        let second = Condition { status: vec![409], ..Condition::default() };
        let text = concat!(
            r#"[{"classes":[2],"tests":[{"at":{"json":"/data/*/ref"},"wants":{"is":[{"gaps":"{key}"},true]}},"#,
            r#"{"at":{"header":"x-id"},"wants":{"not":[""]}},{"at":{"json":"/error"},"wants":"absent"},"#,
            r#"{"at":{"json":"/error"},"wants":"null"}]},{"status":[409]}]"#
        );
        is_kept_as(&Shapes(vec![first, second]), text);
        assert!(serde_json::from_str::<Shapes>("[]").is_err() && serde_json::from_str::<Shapes>(r#"{"sttus":[1]}"#).is_err());
    }
}
