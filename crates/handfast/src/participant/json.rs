//! The JSON of an answer, read strictly: a key that is there twice says two things at once, so it says nothing.

use std::fmt;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value as Json};

/// Some services put it before their text, though JSON has no place for it (RFC 8259, 8.1: it may be ignored).
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// The one value that `bytes` are the JSON of; `None` if they are none, or if an object in it has a key twice. Two readers of
/// such an object take one value each, and it is unknown which of them its writer meant.
#[must_use]
pub fn read(bytes: &[u8]) -> Option<Json> {
    let text = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes);
    serde_json::from_slice::<Strict>(text).ok().map(|Strict(value)| value)
}

/// A value in which no object has a key twice.
struct Strict(Json);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        OneOfEach.deserialize(deserializer).map(Self)
    }
}

#[derive(Clone, Copy)]
struct OneOfEach;

impl<'de> DeserializeSeed<'de> for OneOfEach {
    type Value = Json;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Json, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for OneOfEach {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json, E> {
        Ok(Json::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Json, E> {
        Ok(Json::from(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Json, E> {
        Ok(Json::from(value))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Json, E> {
        Ok(Number::from_f64(value).map_or(Json::Null, Json::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Json, E> {
        Ok(Json::from(value))
    }

    fn visit_string<E>(self, value: String) -> Result<Json, E> {
        Ok(Json::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut values: A) -> Result<Json, A::Error> {
        let mut list = Vec::new();
        while let Some(value) = values.next_element_seed(self)? {
            list.push(value);
        }
        Ok(Json::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Json, A::Error> {
        let mut members = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            let value = entries.next_value_seed(self)?;
            if members.insert(key, value).is_some() {
                return Err(A::Error::custom("a key is there twice"));
            }
        }
        Ok(Json::Object(members))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_mark_before_the_text_is_skipped_and_one_within_is_none() {
        assert_eq!(
            read(b"\xef\xbb\xbf{\"a\": [1, -2, 1.5, null, \"x\", true]}"),
            Some(json!({"a": [1, -2, 1.5, null, "x", true]}))
        );
        assert_eq!(read(b"\xef\xbb\xbf\xef\xbb\xbf{}"), None);
        assert_eq!(read(b"\xef\xbb\xbf"), None);
    }

    #[test]
    fn a_key_that_is_there_twice_says_nothing_at_any_depth() {
        for twice in [r#"{"a": 1, "a": 1}"#, r#"{"b": {"a": 1, "\u0061": 2}}"#, r#"[{"a": 1}, {"a": [], "b": 1, "a": {}}]"#] {
            assert_eq!(read(twice.as_bytes()), None, "{twice}");
        }
        assert_eq!(read(br#"[{"a": {"a": 1}}, {"a": 1}]"#), Some(json!([{"a": {"a": 1}}, {"a": 1}])));
    }
}
