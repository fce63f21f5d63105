//! Lists in a form: `lines[0][sku]=tea&lines[0][count]=2`, as services read them that take forms.

use serde_json::Value as Json;

use super::fill::percent_encoded;

/// What a template itself says in the value of a field, escaped, except for what its author has escaped already.
///
/// What may stand there as it is (RFC 3986, 3.4) stays as well: a flow that was right before anything was escaped keeps its bytes.
pub(super) fn literal(text: &str) -> String {
    let mut written = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let is_escape = |escape: &str| escape.starts_with('%') && escape[1..].bytes().all(|byte| byte.is_ascii_hexdigit());
        let length = match rest.get(..3) {
            Some(escape) if is_escape(escape) => 3,
            Some(_) | None => first.len_utf8(),
        };
        let (this, after) = rest.split_at(length);
        if length == 3 && first == '%' || "!$'()*,:;@/?=".contains(first) {
            written.push_str(this);
        } else {
            written.push_str(&percent_encoded(this));
        }
        rest = after;
    }
    written
}

/// The fields of `value` under `name`, each escaped. A null, and a list or an object without anything in it, has none.
///
/// # Errors
/// A name in an object has a bracket in it, which the reader of the form would take for another place.
pub(super) fn fields(name: &str, value: &Json) -> Result<Vec<String>, String> {
    let mut fields = Vec::new();
    add(&percent_encoded(name), value, &mut fields)?;
    Ok(fields)
}

/// How deep it goes is bounded, as for every list of an order.
fn add(name: &str, value: &Json, fields: &mut Vec<String>) -> Result<(), String> {
    let below = |part: &str| format!("{name}%5B{part}%5D");
    match value {
        Json::Null => Ok(()),
        Json::Bool(value) => {
            fields.push(format!("{name}={value}"));
            Ok(())
        }
        Json::Number(number) => {
            fields.push(format!("{name}={number}"));
            Ok(())
        }
        Json::String(text) => {
            fields.push(format!("{name}={}", percent_encoded(text)));
            Ok(())
        }
        Json::Array(values) => values.iter().enumerate().try_for_each(|(at, value)| add(&below(&at.to_string()), value, fields)),
        Json::Object(members) => members.iter().try_for_each(|(key, value)| {
            if key.is_empty() || key.contains(['[', ']']) {
                return Err("a name in the list is empty or has a bracket in it, which a form cannot carry".to_owned());
            }
            add(&below(&percent_encoded(key)), value, fields)
        }),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_a_template_says_itself_ends_no_field() {
        for (text, expected) in [
            ("tea + co & more=1#2", "tea%20%2B%20co%20%26%20more=1%232"),
            ("caf\u{e9} 100%", "caf%C3%A9%20100%25"),
            ("\u{20ac}%2", "%E2%82%AC%252"),
            // Written by hand for a handfast that escaped nothing here.
            ("a%20b%2Bc", "a%20b%2Bc"),
            ("https://shop.example/ok?id=1;2", "https://shop.example/ok?id=1;2"),
            ("automatic_async-1.0~", "automatic_async-1.0~"),
        ] {
            assert_eq!(literal(text), expected, "{text}");
        }
    }

    #[test]
    fn lists_are_written_with_their_places() {
        let lines = json!([{"sku": "tea & co", "count": 2, "tags": ["a", true]}, "x", null, {}, []]);
        let expected = [
            "l%20n%5B0%5D%5Bcount%5D=2",
            "l%20n%5B0%5D%5Bsku%5D=tea%20%26%20co",
            "l%20n%5B0%5D%5Btags%5D%5B0%5D=a",
            "l%20n%5B0%5D%5Btags%5D%5B1%5D=true",
            "l%20n%5B1%5D=x",
        ];
        assert_eq!(fields("l n", &lines).unwrap(), expected);
        for key in ["a][b", "[", "]", ""] {
            assert!(fields("l", &json!([{key: 1}])).is_err(), "{key}");
        }
    }
}
