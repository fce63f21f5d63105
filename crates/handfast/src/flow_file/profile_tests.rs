//! Flow files with profiles, assumptions and templates: what follows from them, and what is said of those that are wrong.

use std::fmt::Write as _;
use std::time::Duration;

use handfast_protocol::{Answers, Close, Kind, Profile, Repeat, Risk, Undo, Values};

use super::undo_tests::PAID;
use super::{FlowFile, StepParticipant};
use crate::flow::FlowError;
use crate::webhook::{Names, Scheme, Webhook};

/// An authorisation at an existing service, a dispatch that speaks the contract, the capture of what was authorised, and a
/// notice by a participant of the program.
pub(super) const CARD: &str = r#"
name = "card"

[assume]
message_lifetime = "1h"
clock_error = "1s"
longest_outage = "2h"
refusal = "0.05"
loss = "1/20"
tries = 3

[input]
customer = "text"
amount = "money"
token = "token"
lines = "list"
note = { type = "text", optional = true }

[[step]]
name = "hold"
participant = "http"
deadline = "5m"
timeout = "4s"
in_flight = 8
retry_base = "2s"
retry_cap = "20s"
send = ["amount", "token", "customer"]
[step.profile]
idempotent = true
remembers = "24h"
sticky_refusal = true
hold_expires = "7d"
[step.http.act]
method = "PUT"
url = "https://pay.example/holds/{key}?currency={input.amount.currency}"
headers = { authorization = "Bearer {secret.PAY_TOKEN}", "x-token" = "{input.token}" }
body = '{"minor": {input.amount.minor}, "for": "{input.customer}", "saga": "{saga}"}'
done = { status = [200, 201], json = { "/state" = ["held", "captured"] } }
refused = { status = 402, json = { "/error/kind" = "declined" } }
keep = { id = "/id" }
detail = "/error/code"
[step.http.close]
url = "https://pay.example/holds/{key}/void"
closed = { status = 200, json = { "/state" = "void" } }
done = { status = 409, json = { "/state" = "captured" } }
keep = { "id" = "/hold/id" }
[step.http.undo]
url = "https://pay.example/holds/{receipt.hold.id}/release"
undone = { status = 200, json = { "/state" = "released" } }
[step.http.peek]
url = "https://pay.example/holds/{key}"
done = { status = 200, json = { "/state" = "held" } }
keep = { "id" = "/hold" }
[step.http.webhook]
scheme = "stripe"
secret = "{secret.PAY_WEBHOOK}"
key = "/data/object/metadata/handfast_key"
tolerance = "2m"

[[step]]
name = "dispatch"
kind = "pivot"
url = "http://127.0.0.1:4002/shipments"
send = ["lines", "note"]

[[step]]
name = "capture"
participant = "http"
captures = "hold"
send = []
[step.profile]
idempotent = true
remembers = "for-ever"
[step.http.act]
url = "https://pay.example/holds/{receipt.hold.id}/capture"
form = { reference = "{key}" }
done = { status = 200, json = { "/state" = "captured" } }

[[step]]
name = "notice"
kind = "retriable"
participant = "inproc"
send = ["customer"]
"#;

/// The flow with one change.
pub(super) fn card(from: &str, to: &str) -> Result<FlowFile, handfast_toml::FileError> {
    assert!(from.is_empty() || CARD.contains(from), "{from:?} is in the flow");
    FlowFile::parse("card.toml", &CARD.replacen(from, to, 1))
}

#[test]
fn every_key_is_read() {
    let file = card("", "").unwrap();
    let [hold, dispatch, capture, notice] = file.steps() else { panic!("four steps") };
    let expected = Profile {
        undo: Undo::NoOpWhenAbsent,
        close: Close::ForEver,
        repeat: Repeat::For(86_400_000),
        hold_expires_ms: Some(7 * 86_400_000),
        undo_is_seen: false,
        reads_back: true,
        values: Values::Unseen,
        return_unseen: true,
        ..Profile::CONTRACT
    };
    assert_eq!((hold.kind, hold.profile), (Kind::Compensatable, expected));
    assert_eq!((hold.timeout, hold.in_flight), (Some(Duration::from_secs(4)), Some(8)));
    assert_eq!((hold.retry_base, hold.retry_cap), (Some(Duration::from_secs(2)), Some(Duration::from_secs(20))));
    let webhook = Webhook {
        scheme: Scheme::Stripe,
        names: Names::Key,
        place: "/data/object/metadata/handfast_key".to_owned(),
        tolerance: Duration::from_mins(2),
        secret: "PAY_WEBHOOK".to_owned(),
    };
    assert_eq!((&hold.webhook, &dispatch.webhook), (&Some(webhook), &None));
    assert_eq!((dispatch.kind, dispatch.profile), (Kind::Pivot, Profile::of_kind(Kind::Pivot)));
    let captured = Profile {
        undo: Undo::Never,
        may_refuse: false,
        close: Close::Never,
        peek: false,
        undo_is_seen: false,
        ..Profile::CONTRACT
    };
    assert_eq!((capture.kind, capture.profile), (Kind::Retriable, captured));
    assert_eq!(notice.participant, StepParticipant::InProcess);
    let assumed = file.assumptions();
    assert_eq!(assumed.margin_ms(), Some(3 * 3_600_000 + 1_000));
    let odds = file.residual_odds();
    assert_eq!(odds.refusal.as_ref().map(ToString::to_string).as_deref(), Some("0.05"));
    assert_eq!(odds.loss.as_ref().map(|loss| (loss.numerator(), loss.denominator())), Some((1, 20)));
    assert_eq!(odds.tries, Some(3));
    assert_eq!(file.profiled()[2].captures, Some(0));
    let flow = file.flow(&["hold-lapse"]).unwrap();
    assert_eq!(flow.steps()[0].participant.as_str(), "hold at https://pay.example");
    assert_eq!((flow.steps()[0].in_flight, flow.steps()[3].participant.as_str()), (Some(8), "notice"));
    assert_eq!(*crate::flow::Flow::from_built_text(flow.text()).unwrap().plan(), *flow.plan());
    assert!(!flow.text().contains("Bearer secret"), "a secret is a name here");
    let silent = card(
        "[step.http.webhook]\nscheme = \"stripe\"\nsecret = \"{secret.PAY_WEBHOOK}\"\n",
        "[step.http.webhook]\n\
                       scheme = \"standard-webhooks\"\nsecret = \"{secret.OTHER}\"\n",
    );
    let silent = silent.unwrap().flow(&["hold-lapse"]).unwrap();
    assert_eq!(flow.hash(), silent.hash(), "how a webhook is read is no part of what drives a saga");
}

#[test]
fn every_word_of_a_profile_means_what_it_says() {
    let with = |profile: &str| {
        let text = format!("name = \"a\"\n[[step]]\nname = \"b\"\nurl = \"http://b.example\"\n[step.profile]\n{profile}");
        FlowFile::parse("f", &text).unwrap_or_else(|error| panic!("{profile}: {error}")).steps()[0].profile
    };
    let contract = Profile::CONTRACT;
    for (text, expected) in [
        ("undo = \"closes\"", contract),
        ("undo = \"no-op-when-absent\"", Profile { undo: Undo::NoOpWhenAbsent, ..contract }),
        ("undo = \"never\"\nmay_refuse = true", Profile::of_kind(Kind::Pivot)),
        ("undo = \"never\"\nmay_refuse = false", Profile::of_kind(Kind::Retriable)),
        ("undo = \"closes\"\nclose = \"for-ever\"", contract),
        ("undo = \"closes\"\nundo_idempotent = false", Profile { undo_idempotent: false, ..contract }),
        ("undo = \"closes\"\nclose = \"never\"", Profile { close: Close::Never, ..contract }),
        ("undo = \"closes\"\nclose = \"no-op-when-absent\"", Profile { close: Close::NoOpWhenAbsent, ..contract }),
        ("undo = \"closes\"\nclose = \"90d\"", Profile { close: Close::For(90 * 86_400_000), ..contract }),
        ("undo = \"closes\"\nidempotent = false", Profile { repeat: Repeat::Never, ..contract }),
        ("undo = \"closes\"\nidempotent = true", contract),
        ("undo = \"closes\"\nremembers = \"24h\"", Profile { repeat: Repeat::For(86_400_000), ..contract }),
        ("undo = \"closes\"\nremembers = \"for-ever\"", contract),
        ("undo = \"closes\"\nsticky_refusal = false", Profile { sticky_refusal: false, ..contract }),
        ("undo = \"closes\"\npeek = false", Profile { peek: false, undo_is_seen: false, ..contract }),
        ("undo = \"closes\"\nanswers = \"later\"", Profile { answers: Answers::Later, ..contract }),
        ("undo = \"closes\"\nanswers = \"now\"", contract),
    ] {
        assert_eq!(with(text), expected, "{text}");
    }
}

#[test]
fn a_flow_with_risks_is_made_only_where_each_is_accepted() {
    let file = card("", "").unwrap();
    let Err(FlowError::Risks(risks)) = file.flow::<&str>(&[]) else { panic!("nobody has accepted anything") };
    insta::assert_snapshot!(risks);
    assert!(matches!(file.flow(&["two-pivots"]), Err(FlowError::Risks(_))));
    let weak = card("remembers = \"24h\"", "remembers = \"1h\"").unwrap();
    assert!(matches!(weak.flow(&["hold-lapse"]), Err(FlowError::Risks(_))), "one of two is not enough");
    assert!(weak.flow(&["hold-lapse", "forgotten-key"]).is_ok());
    let two = FlowFile::parse("two.toml", &super::file_tests::SHOP.replace("\"compensatable\"", "\"pivot\"")).unwrap();
    let said = two.flow::<&str>(&[]).unwrap_err().to_string();
    assert!(said.starts_with("two.toml:17:1: step 1 may refuse and cannot be undone, and so can step 2: this is the two generals' problem; no protocol exists"), "{said}");
    assert!(said.contains("--accept-risk two-pivots"), "{said}");
    assert_eq!(two.assessment().risks[0].what, Risk::TwoPivots { first: 0 });
}

#[test]
fn a_participant_that_cannot_be_had_is_known_before_anything_starts() {
    let error = card("{secret.PAY_TOKEN}", "none").unwrap().check_participants(&[]).unwrap_err();
    assert!(
        error.to_string().starts_with("card.toml:79:1: step notice is to be taken by a participant of the program"),
        "{error}"
    );
    assert!(card("{secret.PAY_TOKEN}", "none").unwrap().check_participants(&["notice"]).is_ok());
    let error = card("PAY_TOKEN", "HANDFAST_TEST_SECRET_THAT_NOBODY_SETS").unwrap().check_participants(&["notice"]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "card.toml:19:1: step hold: the secret HANDFAST_TEST_SECRET_THAT_NOBODY_SETS is not there; set \
         HANDFAST_TEST_SECRET_THAT_NOBODY_SETS, or HANDFAST_TEST_SECRET_THAT_NOBODY_SETS_FILE to the path of a file that holds it"
    );
}

/// What `docs/flow.md` shows is what is read.
#[test]
fn the_documented_examples_are_sound() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/flow.md");
    let document = std::fs::read_to_string(path).unwrap();
    let blocks: Vec<&str> = document.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    let [shop, assume, template, conditions, undos, webhook] = blocks[..] else { panic!("six examples") };
    let input = "[input]\namount = \"money\"\ntoken = \"token\"\n";
    assert_eq!(FlowFile::parse("shop", shop).unwrap_or_else(|error| panic!("{error}")).steps().len(), 2);
    let card =
        FlowFile::parse("card", &format!("name = \"card\"\n{input}{assume}{template}")).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(card.assumptions().margin_ms(), Some(12 * 3_600_000 + 65_000));
    assert!(card.flow::<&str>(&[]).is_ok(), "it forgets its keys after a day, long after the margin");
    let (before, after) = template.split_once("done = {").unwrap();
    let rest = after.split_once("keep = ").unwrap().1;
    let rest = rest.lines().filter(|line| !line.starts_with("undone")).collect::<Vec<_>>().join("\n");
    let (of_act, of_undo) = conditions.split_once("undone = ").unwrap();
    let own = "[step.http]\nown_headers = [\"x-hold-state\"]\n";
    let shapes = format!("name = \"card\"\n{input}{assume}{before}{of_act}keep = {rest}\nundone = {of_undo}{own}");
    let shapes = FlowFile::parse("shapes", &shapes).unwrap_or_else(|error| panic!("{error}\n{shapes}"));
    assert!(shapes.flow::<&str>(&[]).is_ok(), "nothing in it rests on a status");
    let pending = FlowFile::parse("pending", &format!("name = \"pending\"\n{input}{assume}{PAID}{undos}"));
    let pending = pending.unwrap_or_else(|error| panic!("{error}"));
    assert!(pending.profiled()[0].profile.undoes_later && pending.flow::<&str>(&[]).is_ok(), "nothing about it is a risk");
    let later =
        FlowFile::parse("later", &format!("name = \"later\"\n{input}{webhook}")).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(later.profiled()[0].profile.answers, Answers::Later);
    assert_eq!(later.steps()[0].webhook.as_ref().map(|webhook| webhook.scheme), Some(Scheme::Stripe));
    assert!(later.flow::<&str>(&[]).is_ok(), "nothing about it is a risk");
    // Every key that is read is in the document.
    for key in [
        "participant",
        "captures",
        "undo_after",
        "timeout",
        "in_flight",
        "retry_base",
        "retry_cap",
        "sticky_refusal",
        "hold_expires",
        "answers",
        "scheme",
        "secret",
        "key",
        "saga",
        "tolerance",
    ] {
        assert!(document.contains(&format!("| `{key}` |")), "{key}");
    }
}

#[test]
fn a_static_rule_keeps_its_name() {
    let beside = super::file_tests::SHOP.replace("kind = \"pivot\"", "kind = \"pivot\"\nbeside = true");
    assert_eq!(FlowFile::parse("f", &beside).unwrap_err().rule(), Some("gate-beside"));
    assert_eq!(FlowFile::parse("f", "name = \"shop\"\nstep = []").unwrap_err().rule(), Some("no-steps"));
    assert_eq!(FlowFile::parse("f", "name = 3").unwrap_err().rule(), None);
}

/// What the capture of the flow brings.
pub(super) const CAPTURED: &str = "done = { status = 200, json = { \"/state\" = \"captured\" } }";
/// What the undo of the flow brings.
pub(super) const RELEASED: &str = "undone = { status = 200, json = { \"/state\" = \"released\" } }";

/// Every way to be wrong, by the change to the flow that leads there.
const CHANGES: &[(&str, &str)] = &[
    ("[assume]", "[asume]"),
    ("[assume]", "assume = 3\n[other]"),
    ("message_lifetime", "mesage_lifetime"),
    ("\"1h\"", "\"an hour\""),
    ("\"1h\"", "\"11y\""),
    ("\"1h\"", "3600"),
    ("\"0.05\"", "\"5%\""),
    ("\"0.05\"", "0.05"),
    ("\"1/20\"", "\"20/1\""),
    ("tries = 3", "tries = 0"),
    ("tries = 3", "tries = \"three\""),
    ("participant = \"http\"", "participant = \"htp\""),
    ("participant = \"http\"", "participant = \"handfast\""),
    ("participant = \"http\"\ndeadline", "url = \"https://pay.example\"\nparticipant = \"http\"\ndeadline"),
    ("participant = \"http\"\ncaptures", "kind = \"pivot\"\nparticipant = \"http\"\ncaptures"),
    ("participant = \"http\"\ndeadline", "kind = \"pivot\"\nparticipant = \"http\"\ndeadline"),
    ("participant = \"http\"\ndeadline", "kind = \"retriable\"\nparticipant = \"http\"\ndeadline"),
    ("participant = \"inproc\"", "participant = \"inproc\"\nurl = \"http://x.example\""),
    ("participant = \"inproc\"", "participant = \"http\""),
    ("participant = \"inproc\"", "participant = \"inproc\"\nprofile = 3"),
    ("kind = \"retriable\"", "kind = \"compensatable\""),
    ("kind = \"retriable\"\n", ""),
    ("timeout = \"4s\"", "timeout = \"4 s\""),
    ("timeout", "timout"),
    ("in_flight = 8", "in_flight = 0"),
    ("retry_cap = \"20s\"", "retry_cap = 20"),
    ("retry_base = \"2s\"", "retry_base = \"21s\""),
    (
        "kind = \"retriable\"\nparticipant = \"inproc\"",
        "kind = \"retriable\"\nin_flight = 3\nurl = \"http://127.0.0.1:4002/shipments\"",
    ),
    ("captures = \"hold\"", "captures = \"hld\""),
    ("captures = \"hold\"", "captures = \"dispatch\""),
    ("captures = \"hold\"", "captures = \"notice\""),
    ("captures = \"hold\"\n", ""),
    ("send = []", "send = []\nundo_after = \"hold\""),
    ("deadline = \"5m\"", "undo_after = \"nobody\""),
    ("deadline = \"5m\"", "undo_after = \"dispatch\""),
    ("idempotent = true\n", ""),
    ("idempotent = true\n", "idempotent = \"yes\"\n"),
    ("idempotent = true\n", "idempotent = false\n"),
    ("remembers = \"24h\"\n", ""),
    ("remembers = \"24h\"\n", "remembers = \"always\"\n"),
    ("remembers = \"24h\"\n", "remembers = \"24 hours\"\n"),
    ("sticky_refusal = true\n", ""),
    ("sticky_refusal = true\n", "stikcy_refusal = true\n"),
    ("hold_expires = \"7d\"", "hold_expires = \"for-ever\""),
    ("hold_expires = \"7d\"\n", ""),
    ("hold_expires = \"7d\"", "hold_expires = \"7d\"\nundo = \"closes\""),
    ("hold_expires = \"7d\"", "hold_expires = \"7d\"\nundo = \"never\""),
    ("hold_expires = \"7d\"", "hold_expires = \"7d\"\nundo = \"perhaps\""),
    ("hold_expires = \"7d\"", "hold_expires = \"7d\"\nclose = \"never\""),
    ("hold_expires = \"7d\"", "hold_expires = \"7d\"\nclose = \"forever\""),
    ("hold_expires = \"7d\"", "hold_expires = \"7d\"\npeek = false"),
    ("hold_expires = \"7d\"", "hold_expires = \"7d\"\nmay_refuse = false"),
    ("hold_expires = \"7d\"", "hold_expires = \"7d\"\nanswers = \"soon\""),
    ("remembers = \"for-ever\"", "remembers = \"for-ever\"\nclose = \"for-ever\""),
    ("remembers = \"for-ever\"", "remembers = \"for-ever\"\nundo = \"closes\""),
    ("remembers = \"for-ever\"", "remembers = \"for-ever\"\npeek = true"),
    ("remembers = \"for-ever\"", "remembers = \"for-ever\"\nmay_refuse = true"),
    ("idempotent = true\nremembers = \"for-ever\"", "idempotent = false\nanswers = \"later\""),
    ("[step.http.act]", "[step.http.acts]"),
    ("[step.http.act]", "[step.http.act.deep]"),
    ("[step.http.peek]", "[step.http.look]"),
    ("method = \"PUT\"", "method = \"PUTT\""),
    ("method = \"PUT\"", "metod = \"PUT\""),
    ("url = \"https://pay.example/holds/{key}?currency", "url = \"pay.example/holds/{key}?currency"),
    ("url = \"https://pay.example/holds/{key}?currency", "url = \"ftp://pay.example/holds/{key}?currency"),
    ("url = \"https://pay.example/holds/{key}?currency", "url = \"https://{secret.PAY_TOKEN}@pay.example/holds/{key}?currency"),
    ("url = \"https://pay.example/holds/{key}?currency", "url = \"https://me:pw@pay.example/holds/{key}?currency"),
    ("url = \"https://pay.example/holds/{key}?currency", "url = \"https://pay.example/../holds/{key}?currency"),
    ("url = \"https://pay.example/holds/{key}?currency", "url = \"https://pay.example/a b/{key}?currency"),
    ("{key}?currency", "{key}#currency"),
    ("{key}?currency", "{ky}?currency"),
    ("{key}?currency", "{key?currency"),
    ("{key}?currency", "{key.id}?currency"),
    ("{key}?currency", "{now.utc}?currency"),
    ("{key}?currency", "{basic.user}?currency"),
    ("{key}?currency", "{basic.USER.WORD}?currency"),
    ("{key}?currency", "{base64}?currency"),
    ("{key}?currency", "{input.token.decimal}?currency"),
    ("{key}?currency", "{input.lines.currency.lower}?currency"),
    ("\"for\": \"{input.customer}\"", "\"for\": {base64.input.amount}"),
    ("{key}?currency", "{input}?currency"),
    ("{key}?currency", "{receipt.hold}?currency"),
    ("{key}?currency", "{receipt.hold.id}?currency"),
    ("{key}?currency", "{receipt.nobody.id}?currency"),
    ("{key}?currency", "{input.customer}?currency"),
    ("{key}?currency", "{input.nte}?currency"),
    ("{key}?currency", "{input.lines}?currency"),
    ("{secret.PAY_TOKEN}", "{secret.pay_token}"),
    ("{secret.PAY_TOKEN}", "{input.customer}"),
    ("authorization =", "\"author ization\" ="),
    ("authorization =", "host ="),
    ("Bearer ", "B\\u0007"),
    ("{input.amount.minor},", "{input.amount.major},"),
    ("\"for\": \"{input.customer}\"", "\"for\": \"{input.amount}\""),
    ("\"for\": \"{input.customer}\"", "\"for\": \"{input.customer.name}\""),
    ("\"for\": \"{input.customer}\"", "\"for\": \"\\{input.customer}\""),
    ("\"for\": \"{input.customer}\"", "\"for\": {input.customer}x"),
    ("body = '{\"minor\"", "form = { a = \"1\" }\nbody = '{\"minor\""),
    ("done = { status = [200, 201], json = { \"/state\" = [\"held\", \"captured\"] } }\n", ""),
    ("status = [200, 201]", "status = [200, 99]"),
    ("status = [200, 201]", "status = [\"2xy\"]"),
    ("status = [200, 201]", "staus = [200, 201]"),
    ("status = [200, 201], json = { \"/state\" = [\"held\", \"captured\"] }", ""),
    (
        "status = [200, 201], json = { \"/state\" = [\"held\", \"captured\"] }",
        "status = 402, json = { \"/error/kind\" = \"declined\" }",
    ),
    ("\"/state\" = [\"held\"", "\"state\" = [\"held\""),
    ("\"/state\" = [\"held\"", "\"/state\" = [1.5"),
    ("keep = { id = \"/id\" }", "keep = { id = \"id\" }"),
    ("keep = { id = \"/id\" }", "keep = { \"the id\" = \"/id\" }"),
    ("keep = { id = \"/id\" }", "keep = { number = \"/id\" }"),
    ("keep = { id = \"/id\" }", "keep = { id = 3 }"),
    ("detail = \"/error/code\"", "detail = \"error\""),
    ("closed = { status = 200, json = { \"/state\" = \"void\" } }\n", ""),
    ("url = \"https://pay.example/holds/{key}/void\"", "url = \"https://pay.example/holds/{receipt.hold.id}/void\""),
    ("url = \"https://pay.example/holds/{key}/void\"\n", ""),
    ("form = { reference = \"{key}\" }", "form = { reference = \"{receipt.dispatch.id}\" }"),
    ("form = { reference = \"{key}\" }", "form = { reference = \"{receipt.hold.number}\" }"),
    ("form = { reference = \"{key}\" }", "form = { reference = \"{input.token}\" }"),
    ("keep = { \"id\" = \"/hold/id\" }\n", ""),
    ("keep = { \"id\" = \"/hold\" }\n", ""),
    ("keep = { id = \"/id\" }\n", ""),
    ("holds/{receipt.hold.id}/release", "holds/{receipt.capture.id}/release"),
    ("holds/{receipt.hold.id}/release", "holds/{receipt.dispatch.id}/release"),
    ("/{key}/void", "/{receipt.capture.id}/void"),
    ("closed = { status = 200, json = { \"/state\" = \"void\" } }", "closed = { status = [200, 404] }"),
    (RELEASED, "undone = { status = [200, 405] }"),
    (RELEASED, "undone = { status = 303 }"),
    (RELEASED, "undone = { status = [\"2xx\", \"4xx\"] }"),
    (RELEASED, "undone = { json = { \"/error\" = { absent = true } } }"),
    (RELEASED, "undone = { status = 200, json = { \"/state\" = { isnt = \"released\" } } }"),
    (RELEASED, "undone = { status = 200, json = { \"/state\" = { not = \"held\", absent = true } } }"),
    (RELEASED, "undone = { status = 200, json = { \"/state\" = { absent = false } } }"),
    (RELEASED, "undone = { status = 200, json = { \"/state\" = [] } }"),
    (RELEASED, "undone = { status = 200, json = { \"/state\" = {} } }"),
    (RELEASED, "undone = { status = 200, header = { \"x-state\" = { null = true } } }"),
    (RELEASED, "undone = { status = 200, header = { \"x state\" = \"released\" } }"),
    (RELEASED, "undone = []"),
    (RELEASED, "undone = [3]"),
    (RELEASED, "undone = [\n{ status = 200, json = { \"/state\" = \"released\" } },\n{ json = { \"/ref\" = \"{ky}\" } },\n]"),
    (RELEASED, "undone = { json = { \"/ref\" = \"{key\" } }"),
    (RELEASED, "undone = { json = { \"/ref\" = \"{1}\" } }"),
    (RELEASED, "undone = { json = { \"/ref\" = \"{secret.PAY_TOKEN}\" } }"),
    (RELEASED, "undone = { json = { \"/ref\" = \"{input.amount}\" } }"),
    (RELEASED, "undone = { json = { \"/ref\" = \"{input.lines}\" } }"),
    (RELEASED, "undone = { json = { \"/ref\" = \"{receipt.capture.id}\" } }"),
    (RELEASED, "undone = { header = { \"x-state\" = \"released\" } }"),
    ("[step.http.act]", "[step.http]\nown_headers = \"x-state\"\n[step.http.act]"),
    ("[step.http.act]", "[step.http]\nown_headers = [3]\n[step.http.act]"),
    ("[step.http.act]", "[step.http]\nown_headers = [\"x state\"]\n[step.http.act]"),
    ("[step.http.act]", "[step.http]\nown_headers = [\"x-state\", \"X-Request-Id\"]\n[step.http.act]"),
    ("[step.http.act]", "[step.http]\nown_headers = [\"x-token\"]\n[step.http.act]"),
    ("keep = { id = \"/id\" }", "keep = { id = { heder = \"x-id\" } }"),
    ("keep = { id = \"/id\" }", "keep = { id = { header = \"x id\" } }"),
    ("refused = { status = 402, json = { \"/error/kind\" = \"declined\" } }", "refused = { status = [402, 500] }"),
    ("keep = { \"id\" = \"/hold\" }\n", "keep = { \"id\" = \"/hold\" }\nrefused = { status = 410 }\n"),
    ("keep = { \"id\" = \"/hold\" }\n", "keep = { \"id\" = \"/hold\" }\nclosed = { json = { \"/state\" = \"void\" } }\n"),
    ("keep = { \"id\" = \"/hold\" }\n", "keep = { \"id\" = \"/hold\" }\nundone = { status = 404 }\n"),
    ("keep = { \"id\" = \"/hold\" }\n", "keep = { \"id\" = \"/hold\" }\nabsent = { status = 404 }\n"),
    ("keep = { \"id\" = \"/hold\" }\n", "keep = { \"id\" = \"/hold\" }\nabsent = { status = \"4xx\" }\n"),
    ("keep = { id = \"/id\" }\n", "keep = { id = \"/id\" }\nabsent = { status = 410 }\n"),
    ("holds/{receipt.hold.id}/capture\"\nform = { reference = \"{key}\" }", "holds/all/capture\""),
];

/// What is said of the flow with each of these changes, all of which are wrong.
pub(super) fn said_of(changes: &[(&str, &str)]) -> String {
    let mut said = String::new();
    for (from, to) in changes {
        let error = card(from, to).map(|_| ()).expect_err(&format!("{from:?} -> {to:?}"));
        writeln!(said, "{from:?} -> {to:?}\n  {error}").unwrap();
    }
    said
}

#[test]
fn what_is_wrong_is_said_with_its_place_and_the_way_out() {
    insta::assert_snapshot!(said_of(CHANGES));
}

/// Two steps that can be undone, one only when the other is off.
fn two_undoable(beside: bool, [first, second]: [(&str, &str); 2]) -> Result<FlowFile, handfast_toml::FileError> {
    let step = |name: &str, more: &str, receipt: &str| {
        format!(
            "[[step]]\nname = \"{name}\"\n{more}\n[step.profile]\nidempotent = true\nremembers = \"for-ever\"\n\
             [step.http.act]\nurl = \"http://x.example/{name}/{{key}}\"\ndone = {{ json = {{ \"/state\" = \"done\" }} }}\nkeep = {{ id = \"/id\" }}\n\
             [step.http.undo]\nurl = \"http://x.example/{{receipt.{receipt}.id}}\"\nundone = {{ json = {{ \"/state\" = \"undone\" }} }}\n"
        )
    };
    let beside = if beside { "beside = true\n" } else { "" };
    let (first, second) = (step("first", first.0, first.1), step("second", &format!("{beside}{}", second.0), second.1));
    FlowFile::parse("two.toml", &format!("name = \"two\"\n{first}{second}"))
}

/// Of a step that is not of an earlier stage it is unknown whether it was ever done.
#[test]
fn an_undo_waits_for_no_answer_that_may_never_come() {
    let (after_first, after_second) = ("undo_after = \"first\"", "undo_after = \"second\"");
    for beside in [false, true] {
        assert!(two_undoable(beside, [(after_second, "first"), ("", "second")]).is_ok());
        let error = two_undoable(beside, [(after_second, "second"), ("", "second")]).unwrap_err().to_string();
        let why = "{receipt.second.id}: the step second does not come before this one and may never be done, so";
        assert!(error.starts_with(&format!("two.toml:13:7: {why}")), "{error}");
    }
    assert!(two_undoable(false, [("", "first"), ("", "first")]).is_ok());
    let error = two_undoable(true, [("", "first"), (after_first, "first")]).unwrap_err().to_string();
    let why =
        "{receipt.first.id}: the step first runs side by side with this one, so its answer may not be there yet, or never be";
    assert_eq!(error, format!("two.toml:27:7: {why}"));
}
