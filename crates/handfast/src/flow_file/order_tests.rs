//! Orders: one form for every spelling, and what is said of those that are wrong.

use std::fmt::Write as _;

use proptest::prelude::*;

use super::file_tests::shop;
use super::*;

const ORDER: &str =
    r#"{"id":"o-1","amount":{"minor":1999,"currency":"EUR"},"token":"tok_visa","lines":[{"sku":"A","quantity":2}]}"#;

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("JSON is text")
}

#[test]
fn an_order_has_one_form_and_every_step_its_part_of_it() {
    let order = shop().parse_order(ORDER.as_bytes()).unwrap();
    assert_eq!(order.id, "o-1");
    assert_eq!(
        text(&order.input),
        r#"{"id":"o-1","amount":{"currency":"EUR","minor":1999},"token":"tok_visa","lines":[{"quantity":2,"sku":"A"}]}"#
    );
    let bodies: Vec<&str> = order.bodies.iter().map(|body| text(body)).collect();
    assert_eq!(
        bodies,
        [r#"{"token":"tok_visa","amount":{"currency":"EUR","minor":1999}}"#, r#"{"lines":[{"quantity":2,"sku":"A"}]}"#]
    );
}

#[test]
fn another_spelling_of_an_order_is_the_same_order_and_its_form_is_a_fixed_point() {
    let shop = shop();
    let order = shop.parse_order(ORDER.as_bytes()).unwrap();
    let other = r#" {"lines" : [ {"quantity":2, "\u0073ku":"A"} ],
        "token":"tok_visa", "id":"o-1", "amount":{"currency":"EUR","minor":1999}} "#;
    assert_eq!(shop.parse_order(other.as_bytes()).unwrap(), order);
    assert_eq!(shop.parse_order(&order.input).unwrap(), order);
    // The order of a list means something, and so does every value.
    for (from, to) in [("o-1", "o-2"), ("1999", "1998"), ("EUR", "USD"), ("visa", "amex"), ("\"A\"", "\"a\""), ("y\":2", "y\":3")]
    {
        assert_ne!(shop.parse_order(ORDER.replace(from, to).as_bytes()).unwrap(), order);
    }
}

#[test]
fn an_optional_field_may_be_left_out_and_is_then_in_no_body() {
    let with = ORDER.replace("\"token\"", "\"note\":\"ring twice\",\"token\"");
    let order = shop().parse_order(with.as_bytes()).unwrap();
    assert_eq!(text(&order.bodies[1]), r#"{"lines":[{"quantity":2,"sku":"A"}],"note":"ring twice"}"#);
}

#[test]
fn amounts_and_currencies_at_the_edges() {
    let with = |minor: &str, currency: &str| {
        let line = ORDER.replace("1999", minor).replace("EUR", currency);
        shop().parse_order(line.as_bytes()).map(|_| ())
    };
    for currency in ["EUR", "USD", "GBP", "JPY", "KWD", "BHD", "CLF", "TND"] {
        assert_eq!(with("1", currency), Ok(()), "{currency}");
    }
    assert_eq!(with("1000000000000000", "EUR"), Ok(()));
    for minor in [
        "0",
        "-1",
        "-0",
        "1000000000000001",
        "9223372036854775808",
        "18446744073709551616",
        "-9223372036854775809",
        "1e2",
        "19.99",
        "1.0",
        "\"1999\"",
        "null",
        "[1]",
        "true",
    ] {
        let error = with(minor, "EUR").expect_err(minor);
        assert_eq!(error.field_path(), Some("amount.minor"), "{minor}: {error}");
    }
    for currency in ["eur", "EU", "EURO", "XXX", "XAU", "HRK", "", "E\u{20ac}R", "ZZZ"] {
        let error = with("1", currency).expect_err(currency);
        assert_eq!(error.field_path(), Some("amount.currency"), "{currency}: {error}");
    }
}

/// Every way to be wrong, as a change to the order that leads there.
const CHANGES: &[(&str, &str)] = &[
    ("\"id\":\"o-1\",", ""),
    ("\"o-1\"", "17"),
    ("o-1", "o 1"),
    ("o-1", ""),
    ("o-1", "4111-1111-1111-1111"),
    ("o-1", "."),
    ("o-1", ".."),
    ("{\"id\"", "[\"id\""),
    ("\"id\":", "\"id\""),
    ("}]}", "}]"),
    ("}]}", "}]} x"),
    ("\"token\":", "\"id\":\"o-2\",\"token\":"),
    ("\"token\":", "\"tokn\":"),
    ("\"token\":\"tok_visa\",", ""),
    ("\"token\":", "\"customer\":1,\"token\":"),
    ("\"token\":", "\"4111111111111111\":1,\"token\":"),
    ("tok_visa", ""),
    ("tok_visa", "tok visa"),
    ("tok_visa", "4111111111111111"),
    ("tok_visa", "4111 1111 1111 1111"),
    ("\"tok_visa\"", "4111111111111111"),
    ("\"tok_visa\"", "null"),
    ("{\"minor\":1999,\"currency\":\"EUR\"}", "\"19.99 EUR\""),
    ("{\"minor\":1999,\"currency\":\"EUR\"}", "19.99"),
    ("{\"minor\":1999,\"currency\":\"EUR\"}", "{}"),
    ("\"minor\":1999", "\"value\":\"19.99\""),
    ("\"minor\"", "\"minr\":1,\"minor\""),
    (",\"currency\":\"EUR\"", ""),
    ("1999", "0"),
    ("1999", "-1999"),
    ("1999", "19.99"),
    ("1999", "1000000000000001"),
    ("1999", "99999999999999999999999"),
    ("1999", "\"1999\""),
    ("\"EUR\"", "978"),
    ("EUR", "eur"),
    ("EUR", "EURO"),
    ("EUR", "4111111111111111"),
    ("EUR", "XAU"),
    ("EUR", "HRK"),
    ("[{\"sku\":\"A\",\"quantity\":2}]", "[]"),
    ("[{\"sku\":\"A\",\"quantity\":2}]", "{}"),
    ("\"quantity\":2", "\"quantity\":1.5"),
    ("\"quantity\":2", "\"quantity\":1000000000000001"),
    ("\"quantity\":2", "\"quantity\":378282246310005"),
    ("\"quantity\":2", "\"sku\":2"),
    ("\"A\"", "\"card 4111 1111 1111 1111\""),
    ("\"sku\"", "\"4111 1111 1111 1111\""),
    ("\"token\":", "\"note\":null,\"token\":"),
    ("\"token\":", "\"note\":7,\"token\":"),
    ("\"token\":\"", "\"note\":\"a\\u0000b\",\"token\":\""),
];

#[test]
fn what_is_wrong_is_said_with_its_place_and_the_way_out() {
    let lines = "[{\"sku\":\"A\",\"quantity\":2}]";
    let bounds = [
        ("o-1", "x".repeat(129)),
        (lines, format!("[{}0]", "0,".repeat(1_000))),
        (lines, format!("{}{}", "[".repeat(9), "]".repeat(9))),
        ("\"token\":", format!("\"note\":\"{}\",\"token\":", "x".repeat(4_097))),
    ];
    let mut said = String::new();
    for (from, to) in CHANGES.iter().copied().chain(bounds.iter().map(|(from, to)| (*from, to.as_str()))) {
        assert!(ORDER.contains(from), "{from:?} is in the order");
        let line = ORDER.replacen(from, to, 1);
        let error = shop().parse_order(line.as_bytes()).expect_err(&line).to_string();
        assert!(!error.contains("4111") && !error.contains("3782"), "a card's digits are repeated: {error}");
        writeln!(said, "{from} -> {to:.60}\n  {error}").unwrap();
    }
    for (what, line) in [
        ("nothing", &b""[..]),
        ("no object", b"17"),
        ("no text", b"{\"id\":\"\xff\"}"),
        ("a long line", &vec![b'1'; MAX_ORDER_BYTES + 1]),
    ] {
        writeln!(said, "{what}\n  {}", shop().parse_order(line).expect_err(what)).unwrap();
    }
    insta::assert_snapshot!(said);
}

#[test]
fn lists_are_as_deep_and_as_long_as_is_said() {
    let with = |lines: &str| {
        let line =
            format!("{{\"id\":\"o-1\",\"amount\":{{\"minor\":1,\"currency\":\"EUR\"}},\"token\":\"t\",\"lines\":{lines}}}");
        shop().parse_order(line.as_bytes()).map(|_| ())
    };
    let nested = |depth: usize| format!("{}0{}", "[".repeat(depth), "]".repeat(depth));
    assert_eq!(with(&nested(8)), Ok(()));
    assert!(with(&nested(9)).is_err());
    let long = |length: usize| format!("[{}0]", "0,".repeat(length - 1));
    assert_eq!(with(&long(1_000)), Ok(()));
    assert!(with(&long(1_001)).is_err());
}

/// A coordinator that takes a value which no request can carry may have charged a customer for goods that can never be sent.
#[test]
fn a_value_that_no_request_can_carry_is_refused_at_the_door() {
    let flow = r#"
name = "shop"
[input]
amount = "money"
token = "token"
[[step]]
name = "payment"
kind = "compensatable"
url = "http://127.0.0.1:4001/charges"
send = ["amount"]
[[step]]
name = "dispatch"
participant = "http"
send = ["token"]
[step.profile]
idempotent = true
remembers = "for-ever"
sticky_refusal = true
[step.http.act]
url = "http://x.example/to/{input.token}/{saga}"
done = { status = 200, json = { "/state" = "done" } }
refused = { status = 409, json = { "/state" = "refused" } }
[step.http.close]
url = "http://x.example/to/{key}"
closed = { status = 200, json = { "/state" = "closed" } }
"#;
    let flow = FlowFile::parse("shop.toml", flow).unwrap_or_else(|error| panic!("{error}"));
    let read = |token: &str| {
        flow.parse_order(format!(r#"{{"id":"o-1","amount":{{"minor":1999,"currency":"EUR"}},"token":"{token}"}}"#).as_bytes())
    };
    for token in [".", ".."] {
        let error = read(token).unwrap_err();
        assert_eq!(error.field_path(), Some("token"));
        assert_eq!(
            error.to_string(),
            "token: [step.http.act] of step dispatch can never be asked for with this value: a value would lead to another path \
             than the flow describes; give another"
        );
    }
    for token in ["...", "../..", "%2e%2e", "a/b?c#d"] {
        assert!(read(token).is_ok(), "{token}");
    }
}

/// Text that JSON has to escape comes back as it was.
#[test]
fn text_keeps_every_character() {
    let note = "tab\t, newline\n, quote\", backslash\\, snowman \u{2603}, \u{1f600}";
    let line = ORDER.replace("\"token\"", &format!("\"note\":{},\"token\"", serde_json::to_string(note).unwrap()));
    let order = shop().parse_order(line.as_bytes()).unwrap();
    let body: serde_json::Value = serde_json::from_slice(&order.bodies[1]).unwrap();
    assert_eq!(body["note"], note);
}

fn any_json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        any::<f64>().prop_map(Into::into),
        "[a-zA-Z0-9 _-]{0,20}".prop_map(Into::into),
        "\\PC{0,8}".prop_map(Into::into),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Into::into),
            prop::collection::btree_map("(id|amount|token|lines|note|minor|currency|[a-z]{1,5})", inner, 0..5)
                .prop_map(|members| serde_json::Value::Object(members.into_iter().collect())),
        ]
    })
}

#[test]
fn an_order_without_an_id_gets_the_one_that_is_given() {
    let without = ORDER.replacen(r#""id":"o-1","#, "", 1);
    assert_ne!(without, ORDER);
    let named = |id: &str| ORDER.replacen("o-1", id, 1);
    assert_eq!(
        shop().parse_order_or_name(without.as_bytes(), || "k-1".to_owned()).unwrap(),
        shop().parse_order(named("k-1").as_bytes()).unwrap()
    );
    assert_eq!(
        shop().parse_order_or_name(ORDER.as_bytes(), || "k-1".to_owned()).unwrap(),
        shop().parse_order(ORDER.as_bytes()).unwrap()
    );
    // One that says what is no id is not given another one.
    assert_eq!(shop().parse_order_or_name(named("a b").as_bytes(), || "k-1".to_owned()).unwrap_err().field_path(), Some("id"));
    assert_eq!(shop().parse_order_or_name(without.as_bytes(), || "a b".to_owned()).unwrap_err().field_path(), Some("id"));
}

proptest! {
    #[test]
    fn any_bytes_are_an_order_or_refused(line in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = shop().parse_order(&line);
    }

    #[test]
    fn any_json_is_an_order_or_refused(value in any_json()) {
        let line = value.to_string();
        if let Ok(order) = shop().parse_order(line.as_bytes()) {
            prop_assert_eq!(shop().parse_order(&order.input).unwrap(), order);
        }
    }

    /// Whatever the list holds, an accepted order is JSON, bounded, equal in meaning, and its own fixed point.
    #[test]
    fn an_accepted_order_means_what_was_sent(values in prop::collection::vec(any_json(), 1..4), minor in 1i64..=1_000_000_000_000_000) {
        let line = serde_json::json!({"id": "o-1", "amount": {"minor": minor, "currency": "KWD"}, "token": "t", "lines": values});
        if let Ok(order) = shop().parse_order(line.to_string().as_bytes()) {
            let kept: serde_json::Value = serde_json::from_slice(&order.input).unwrap();
            prop_assert_eq!(&kept, &line);
            prop_assert!(order.bodies.iter().all(|body| body.len() <= MAX_ORDER_BYTES));
            prop_assert_eq!(shop().parse_order(&order.input).unwrap(), order);
        }
    }

    /// One byte of an order changed: it is refused, or it is still an order whose form is a fixed point.
    #[test]
    fn a_changed_byte_never_slips_through_half_read(place in 0usize..ORDER.len(), byte in any::<u8>()) {
        let mut line = ORDER.as_bytes().to_vec();
        line[place] = byte;
        if let Ok(order) = shop().parse_order(&line) {
            prop_assert_eq!(shop().parse_order(&order.input).unwrap(), order);
        }
    }
}
