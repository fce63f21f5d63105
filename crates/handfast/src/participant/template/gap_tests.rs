//! The gaps that services need beside plain values: amounts with a point, short keys, times, base 64, HTTP Basic, and lists in
//! a form. None of them breaks out of its place.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use handfast_protocol::Time;
use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::fill::Values;
use super::text::Setting;
use super::*;
use crate::journal::Scalar;

fn values<'a>(input: &'a Json, kept: &'a Kept, secrets: &'a Secrets) -> Values<'a> {
    let (placed_at, now) = (Time(1_796_068_809_123), Time(1_796_155_200_000));
    Values { key: "s.o.p", saga: "o", step: "p", input, kept, placed_at, now, secrets }
}

fn fill(text: &str, setting: Setting, input: &Json) -> Result<String, String> {
    let (kept, secrets) = (Kept::new(), Secrets::default());
    let values = values(input, &kept, &secrets);
    Template::read(text, setting)?.fill(&|value| values.of(value))
}

fn amount(minor: u64, currency: &str) -> Json {
    json!({"a": {"minor": minor, "currency": currency}})
}

/// A service that is called with these texts.
fn called(act: CallText) -> Result<HttpTemplates, (&'static str, TemplateError)> {
    let json = BTreeMap::from([("/a".to_owned(), vec![Scalar::Bool(true)])]);
    let done = Condition { status: vec![201], json, ..Condition::default() }.into();
    let act = CallText { url: "http://h.example/x".to_owned(), answers: BTreeMap::from([("done".to_owned(), done)]), ..act };
    HttpTemplates::compile(HttpTexts { act, ..HttpTexts::default() })
}

/// The fields of the form that the act is sent with.
fn form(fields: &[(&str, &str)], input: &Json) -> Result<String, String> {
    let form = fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let templates = called(CallText { form, ..CallText::default() }).unwrap();
    let (kept, secrets) = (Kept::new(), Secrets::default());
    let values = values(input, &kept, &secrets);
    let request = templates.act.request(&|value| values.of(value))?;
    let body = request.body().and_then(reqwest::Body::as_bytes).unwrap_or_default();
    Ok(String::from_utf8(body.to_vec()).unwrap())
}

#[test]
fn an_amount_has_the_places_of_its_currency() {
    for (minor, currency, text) in [
        (1999, "EUR", "19.99"),
        (1999, "JPY", "1999"),
        (1999, "KWD", "1.999"),
        (5, "EUR", "0.05"),
        (100, "EUR", "1.00"),
        (1, "KWD", "0.001"),
        (1_000_000_000_000_000, "EUR", "10000000000000.00"),
        (999_999_999_999_999, "KWD", "999999999999.999"),
    ] {
        let order = amount(minor, currency);
        let body = fill(r#"{"n": {input.a.decimal}, "t": "{input.a.decimal} {input.a.currency.lower}"}"#, Setting::Json, &order);
        let expected = format!(r#"{{"n": {text}, "t": "{text} {}"}}"#, currency.to_lowercase());
        assert_eq!(body.unwrap(), expected);
        assert_eq!(fill("{input.a.decimal}", Setting::Form, &order).unwrap(), text);
    }
    let left_out = json!({});
    assert_eq!(fill(r#"[{input.a.decimal}, "{input.a.currency.lower}"]"#, Setting::Json, &left_out).unwrap(), r#"[null, ""]"#);
}

#[test]
fn every_try_has_the_same_bytes_but_for_its_headers() {
    let nothing = json!({});
    let body = fill(r#"[{now}, {now.ms}, {now.iso}, "{now.iso}"]"#, Setting::Json, &nothing).unwrap();
    assert_eq!(body, r#"[1796068809, 1796068809123, "2026-11-30T20:00:09Z", "2026-11-30T20:00:09Z"]"#);
    assert_eq!(fill("http://x/y?z={now.iso}", Setting::Url, &nothing).unwrap(), "http://x/y?z=2026-11-30T20%3A00%3A09Z");
    assert_eq!(fill("{now} {now.ms}", Setting::Header, &nothing).unwrap(), "1796155200 1796155200000");
}

#[test]
fn short_keys_stand_everywhere() {
    let text = fill("http://x/{key.hash}/{key.uuid}", Setting::Url, &json!({})).unwrap();
    let (hash, uuid) = (short_key::hash("s.o.p"), short_key::uuid("s.o.p"));
    assert_eq!(text, format!("http://x/{hash}/{uuid}"));
    assert_eq!(fill("[{key.hash}]", Setting::Json, &json!({})).unwrap(), format!("[\"{hash}\"]"));
}

#[test]
fn http_basic_is_made_of_two_secrets_and_is_one_itself() {
    let headers = BTreeMap::from([("authorization".to_owned(), "Basic {basic.NAME.WORD}".to_owned())]);
    let templates = called(CallText { headers, ..CallText::default() }).unwrap();
    let known =
        |name: &str| BTreeMap::from([("NAME".to_owned(), Secret::new(name)), ("WORD".to_owned(), Secret::new("open sesame"))]);
    let secrets = templates.load_secrets(&known("Aladdin")).unwrap();
    let (kept, input) = (Kept::new(), json!({}));
    let filled = values(&input, &kept, &secrets);
    let request = templates.act.request(&|value| filled.of(value)).unwrap();
    // The example of RFC 7617.
    assert_eq!(request.headers()["authorization"], "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
    assert!(!format!("{request:?} {secrets:?}").contains("QWxhZGRp"));
    assert!(secrets.are_in("you said QWxhZGRpbjpvcGVuIHNlc2FtZQ=="), "what is made of secrets is kept of no answer");
    assert!(secrets.are_in(&STANDARD.encode("open sesame")));
    assert_eq!(templates.load_secrets(&known("a:b")), Err(SecretError::UserWithColon { name: "NAME".to_owned() }));

    let headers = BTreeMap::from([("authorization".to_owned(), "Basic {basic.NAME}".to_owned())]);
    let templates = called(CallText { headers, ..CallText::default() }).unwrap();
    assert_eq!(templates.secrets().into_iter().collect::<Vec<_>>(), ["NAME"]);
    let secrets = templates.load_secrets(&known("sk_test_1")).unwrap();
    assert_eq!(secrets.of("basic.NAME.").unwrap().reveal(), STANDARD.encode("sk_test_1:"));
}

#[test]
fn a_list_is_the_whole_of_a_field_of_a_form() {
    let lines = json!({"lines": [{"sku": "tea", "n": 2}, {"sku": "a&b=c"}], "t": "x y"});
    assert_eq!(
        form(&[("items", "{input.lines}"), ("t", "{input.t}")], &lines).unwrap(),
        "items%5B0%5D%5Bn%5D=2&items%5B0%5D%5Bsku%5D=tea&items%5B1%5D%5Bsku%5D=a%26b%3Dc&t=x%20y"
    );
    let templates = called(CallText { form: vec![("i".to_owned(), "{input.lines}".to_owned())], ..CallText::default() }).unwrap();
    let unfit = templates.check("o", "p", &json!({"lines": [{"a][b": 1}]})).unwrap_err();
    assert_eq!(unfit.field.as_deref(), Some("lines"), "{}", unfit.why);
}

/// The fields of a form, as its reader takes them apart.
fn read_form(text: &str) -> Vec<(String, String)> {
    let pairs = reqwest::Url::parse(&format!("http://x/?{text}")).unwrap();
    pairs.query_pairs().map(|(name, value)| (name.into_owned(), value.into_owned())).collect()
}

/// Text of all kinds, and more often than by chance what ends a field, a name or a text.
fn any_text() -> impl Strategy<Value = String> {
    let nasty = proptest::sample::select(vec!["\"", "\\", "&", "=", "+", "%5B", "[", "]", "[0]", "{key}", "\r\n", "\u{2028}"]);
    let part = prop_oneof![nasty.prop_map(str::to_owned), any::<String>()];
    proptest::collection::vec(part, 0..5).prop_map(|parts| parts.concat())
}

proptest! {
    #[test]
    fn no_value_of_a_list_breaks_out_of_its_field(sku in any_text(), note in any_text(), name in any_text()) {
        let input = json!({"lines": [{"sku": sku, name.clone(): 1}, note]});
        let made = form(&[("items", "{input.lines}"), ("end", "yes")], &input);
        if name.is_empty() || name.contains(['[', ']']) {
            prop_assert!(made.is_err(), "{:?} is a name of a form", name);
            return Ok(());
        }
        let fields = read_form(&made.unwrap());
        let mut expected = vec![("items[1]".to_owned(), note), ("end".to_owned(), "yes".to_owned())];
        if name != "sku" {
            expected.push(("items[0][sku]".to_owned(), sku));
        }
        expected.push((format!("items[0][{name}]"), "1".to_owned()));
        let sorted = |mut fields: Vec<(String, String)>| { fields.sort(); fields };
        prop_assert_eq!(sorted(fields), sorted(expected));
    }

    #[test]
    fn base_64_brings_any_text_through_every_place(text in any_text()) {
        let input = json!({"t": text});
        let encoded = STANDARD.encode(&text);
        let body = fill(r#"{"a": {base64.input.t}, "b": "x{base64.input.t}"}"#, Setting::Json, &input).unwrap();
        let read: Json = serde_json::from_str(&body).unwrap();
        prop_assert_eq!(read, json!({"a": encoded, "b": format!("x{encoded}")}));
        let url = fill("http://h.example/?a={base64.input.t}&b=1", Setting::Url, &input).unwrap();
        prop_assert_eq!(read_form(&url[18..]), [("a".to_owned(), encoded.clone()), ("b".to_owned(), "1".to_owned())]);
        prop_assert_eq!(fill("{base64.input.t}", Setting::Header, &input).unwrap(), encoded);
    }

    #[test]
    fn an_amount_is_exact_at_any_size(minor in 1..=1_000_000_000_000_000_u64, currency in proptest::sample::select(vec!["EUR", "JPY", "KWD"])) {
        let text = fill("{input.a.decimal}", Setting::Form, &amount(minor, currency)).unwrap();
        prop_assert_eq!(text.replace('.', "").parse::<u64>().unwrap(), minor);
        let places = text.split_once('.').map_or(0, |(_, part)| part.len());
        prop_assert_eq!(places, match currency { "EUR" => 2, "JPY" => 0, _ => 3 });
    }
}

/// What is made of a secret for a request is hidden like it, and what is missing keeps nothing else from being hidden.
#[test]
fn the_log_hides_what_is_made_of_secrets() {
    let headers = [
        ("authorization", "Basic {basic.HIDE_USER.HIDE_PASSWORD}"),
        ("x-token", "{secret.HIDE_TOKEN}"),
        ("x-none", "{secret.HIDE_NONE}"),
    ];
    let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    let templates = called(CallText { headers, ..CallText::default() }).unwrap();
    let known = [("HIDE_USER", "shop-user"), ("HIDE_PASSWORD", "pass word"), ("HIDE_TOKEN", "t/o=k+en 1")];
    let known = known.map(|(name, secret)| (name.to_owned(), Secret::new(secret))).into();
    let secrets = templates.secrets_to_hide(&known);
    for (text, hidden) in [
        ("Basic c2hvcC11c2VyOnBhc3Mgd29yZA==", "Basic [secret basic.HIDE_USER.HIDE_PASSWORD]"),
        ("?a=t%2Fo%3Dk%2Ben%201&b", "?a=[secret percent.HIDE_TOKEN]&b"),
        ("x dC9vPWsrZW4gMQ== y", "x [secret base64.HIDE_TOKEN] y"),
        ("t/o=k+en 1", "[secret HIDE_TOKEN]"),
        (r"t\/o\u003dk+en 1!", "[it repeats a secret]"),
        ("nothing", "nothing"),
    ] {
        assert_eq!(secrets.hide_in(text), hidden, "{text}");
    }
}
