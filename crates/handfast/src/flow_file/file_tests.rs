//! Flow files: what is read, and what is said of those that are wrong.

use std::fmt::Write as _;

use proptest::prelude::*;

use super::*;

pub(super) const SHOP: &str = r#"
name = "shop"

[input]
amount = "money"
token = "token"
lines = "list"
note = { type = "text", optional = true }

[[step]]
name = "payment"
kind = "compensatable"
url = "http://127.0.0.1:4001/charges/"
deadline = "5s"
send = ["token", "amount"]

[[step]]
name = "dispatch"
kind = "pivot"
url = "http://127.0.0.1:4002/shipments"
send = ["lines", "note"]
"#;

pub(super) fn shop() -> FlowFile {
    FlowFile::parse("shop.toml", SHOP).expect("the shop's flow is sound")
}

#[test]
fn a_sound_file_is_read_in_its_own_order() {
    let shop = shop();
    assert_eq!(shop.name(), "shop");
    let names: Vec<&str> = shop.fields().iter().map(|field| field.name.as_str()).collect();
    assert_eq!(names, ["amount", "token", "lines", "note"]);
    assert!(shop.fields()[3].optional && !shop.fields()[0].optional);
    let [payment, dispatch] = shop.steps() else { panic!("two steps") };
    assert_eq!(payment.url(), Some("http://127.0.0.1:4001/charges"));
    assert_eq!(payment.send, [1, 0]);
    assert_eq!(payment.deadline, Some(std::time::Duration::from_secs(5)));
    assert_eq!(dispatch.deadline, None);
    assert_eq!((payment.line, payment.column, dispatch.line), (10, 1, 17));
    let flow = shop.flow::<&str>(&[]).expect("it promises everything");
    assert_eq!(flow.plan().gate(), Some(1));
    assert_eq!(flow.plan().steps()[0].deadline_ms, Some(5_000));
    assert_eq!(Some(flow.steps()[0].participant.as_str()), payment.url());
    assert_eq!(shop.assessment().plan, **flow.plan());
}

#[test]
fn without_send_a_step_gets_every_field_and_without_input_there_is_none() {
    let text = SHOP.replace("send = [\"token\", \"amount\"]", "");
    assert_eq!(FlowFile::parse("f", &text).unwrap().steps()[0].send, [0, 1, 2, 3]);
    let bare = "name = \"a\"\n[[step]]\nname = \"b\"\nkind = \"retriable\"\nurl = \"https://b.example\"";
    let bare = FlowFile::parse("f", bare).unwrap();
    assert!(bare.fields().is_empty() && bare.steps()[0].send.is_empty());
    assert_eq!(bare.steps()[0].url(), Some("https://b.example"));
}

#[test]
fn a_comment_makes_no_other_flow_and_a_deadline_does() {
    let hash = |text: &str| FlowFile::parse("f", text).unwrap().flow(&["two-pivots"]).unwrap().hash();
    assert_eq!(hash(SHOP), hash(&format!("# hello\n{}", SHOP.replace("\"token\"\nl", "  \"token\"  # a token\nl"))));
    assert_ne!(hash(SHOP), hash(&SHOP.replace("5s", "6s")));
    assert_ne!(hash(SHOP), hash(&SHOP.replace("4002", "4003")));
}

/// Every way to be wrong, by the change to the shop's flow that leads there, and what is said of it.
#[test]
fn what_is_wrong_is_said_with_its_place_and_the_way_out() {
    let retriable = "\n[[step]]\nname = \"mail\"\nkind = \"retriable\"\nurl = \"http://mail.example\"\n";
    let changes = [
        ("name = \"shop\"", ""),
        ("name = \"shop\"", "nmae = \"shop\""),
        ("name = \"shop\"", "name = \"My Shop\""),
        ("name = \"shop\"", "name = 7"),
        ("name = \"shop\"", "name = \"shop\"\ncolour = \"red\""),
        ("name = \"shop\"", "name = \"shop"),
        ("name = \"shop\"", "name = \"shop\"\nname = \"shop\""),
        ("[input]", "input = 3\n[other]"),
        ("\"money\"", "\"mony\""),
        ("\"money\"", "\"float\""),
        ("\"money\"", "9.99"),
        ("amount =", "id ="),
        ("amount =", "\"an amount\" ="),
        ("optional = true", "optional = 1"),
        ("optional", "opt"),
        ("type = \"text\", ", ""),
        ("deadline =", "dedline ="),
        ("\"5s\"", "\"5 seconds\""),
        ("\"5s\"", "5"),
        ("\"5s\"", "\"0s\""),
        ("kind = \"compensatable\"\n", ""),
        ("\"compensatable\"", "\"compensateable\""),
        ("\"compensatable\"", "\"retriable\""),
        ("name = \"dispatch\"", "name = \"payment\""),
        ("name = \"dispatch\"", ""),
        ("name = \"dispatch\"", "name = \"dis/patch\""),
        ("url = \"http://127.0.0.1:4002/shipments\"\n", ""),
        ("http://127.0.0.1:4002/shipments", "127.0.0.1:4002/shipments"),
        ("http://127.0.0.1:4002/shipments", "ftp://127.0.0.1/shipments"),
        ("http://127.0.0.1:4002/shipments", "http://user:secret@127.0.0.1/shipments"),
        ("http://127.0.0.1:4002/shipments", "http://127.0.0.1/shipments?shop=1"),
        ("http://127.0.0.1:4002/shipments", "http://"),
        ("\"token\", \"amount\"]", "\"token\", \"amont\"]"),
        ("\"token\", \"amount\"]", "\"token\", \"token\"]"),
        ("\"token\", \"amount\"]", "\"token\", 1]"),
        ("[\"token\", \"amount\"]", "\"token\""),
        ("kind = \"pivot\"", "kind = \"pivot\"\nbeside = true"),
        ("kind = \"pivot\"", "kind = \"pivot\"\nbeside = \"yes\""),
        ("kind = \"compensatable\"", "kind = \"compensatable\"\nbeside = true"),
        ("\n[[step]]\nname = \"dispatch\"", "\n[[stop]]\nname = \"dispatch\""),
    ];
    let mut said = String::new();
    for (from, to) in changes {
        assert!(SHOP.contains(from), "{from:?} is in the shop's flow");
        let error = FlowFile::parse("shop.toml", &SHOP.replacen(from, to, 1)).expect_err(to);
        writeln!(said, "{from:?} -> {to:?}\n  {error}").unwrap();
    }
    for (what, text) in [
        ("nothing", String::new()),
        ("no steps", "name = \"shop\"".to_owned()),
        ("an empty list of steps", "name = \"shop\"\nstep = []".to_owned()),
        ("steps that are none", "name = \"shop\"\nstep = [1]".to_owned()),
        ("a step that is one table", "name = \"shop\"\n[step]\nname = \"a\"".to_owned()),
        ("a deadline after the pivot", format!("{SHOP}{retriable}deadline = \"1s\"\n")),
        ("a step that may refuse after the pivot", format!("{SHOP}{}", retriable.replace("retriable", "compensatable"))),
        ("65 steps", steps(65)),
        ("101 fields", fields(101)),
    ] {
        let error = FlowFile::parse("shop.toml", &text).expect_err(what);
        writeln!(said, "{what}\n  {error}").unwrap();
    }
    insta::assert_snapshot!(said);
}

fn steps(count: usize) -> String {
    (0..count).fold("name = \"shop\"\n".to_owned(), |mut text, step| {
        write!(text, "[[step]]\nname = \"s{step}\"\nkind = \"compensatable\"\nurl = \"http://s.example\"\n").unwrap();
        text
    })
}

fn fields(count: usize) -> String {
    (0..count).fold("name = \"shop\"\n[input]\n".to_owned(), |mut text, field| {
        writeln!(text, "f{field} = \"text\"").unwrap();
        text
    })
}

#[test]
fn the_bounds_are_where_they_are_said_to_be() {
    assert!(FlowFile::parse("f", &steps(64)).is_ok());
    let hundred = format!("{}[[step]]\nname = \"s\"\nkind = \"pivot\"\nurl = \"http://s.example\"\n", fields(100));
    assert_eq!(FlowFile::parse("f", &hundred).unwrap().fields().len(), 100);
}

#[test]
fn a_file_that_cannot_be_read_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let missing = FlowFile::read(&dir.path().join("none.toml")).unwrap_err();
    assert!(missing.to_string().contains("none.toml:1:1: the flow file cannot be read:"), "{missing}");
    let binary = dir.path().join("binary.toml");
    std::fs::write(&binary, b"name = \"\xff\"").unwrap();
    assert!(FlowFile::read(&binary).unwrap_err().to_string().ends_with("it is not UTF-8 text"));
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in "\\PC*") {
        let _ = FlowFile::parse("f", &text);
    }

    /// Lines of a sound file in any order, some twice, some cut: nearly right is where parsers trip.
    #[test]
    fn any_heap_of_sound_lines_is_read_or_refused(places in prop::collection::vec((0usize..20, 0usize..40), 0..24)) {
        let lines: Vec<&str> = SHOP.lines().collect();
        let text: String = places
            .into_iter()
            .map(|(line, length)| lines[line % lines.len()].chars().take(length + 10).chain(['\n']).collect::<String>())
            .collect();
        if let Err(error) = FlowFile::parse("f", &text) {
            prop_assert!(error.line() <= text.lines().count() + 1, "{error}");
        }
    }
}
