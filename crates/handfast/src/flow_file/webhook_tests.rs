//! Flow files with webhooks: what is said of those that are wrong, and whose secrets are needed.

use super::profile_tests::{card, said_of};

/// Every way to be wrong, by the change to the flow that leads there.
const CHANGES: &[(&str, &str)] = &[
    ("[step.http.webhook]", "[step.http.webhooks]"),
    (
        "[step.http.webhook]\nscheme = \"stripe\"\nsecret = \"{secret.PAY_WEBHOOK}\"\nkey = \"/data/object/metadata/handfast_key\"\ntolerance = \"2m\"\n",
        "[step.http]\nwebhook = 3\n",
    ),
    ("scheme = \"stripe\"\n", ""),
    ("scheme = \"stripe\"\n", "scheme = \"standard_webhooks\"\n"),
    ("secret = \"{secret.PAY_WEBHOOK}\"\n", ""),
    ("secret = \"{secret.PAY_WEBHOOK}\"\n", "secret = \"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\"\n"),
    ("secret = \"{secret.PAY_WEBHOOK}\"\n", "secret = \"{secret.pay_webhook}\"\n"),
    ("secret = \"{secret.PAY_WEBHOOK}\"\n", "secret = { env = \"PAY_WEBHOOK\" }\n"),
    ("key = \"/data/object/metadata/handfast_key\"\n", ""),
    ("key = \"/data/object/metadata/handfast_key\"\n", "key = \"data.object\"\n"),
    ("key = \"/data/object/metadata/handfast_key\"\n", "saga = \"\"\n"),
    ("key = \"/data/object/metadata/handfast_key\"\n", "key = \"/a\"\nsaga = \"/b\"\n"),
    (
        "[step.http.act]\nurl = \"https://pay.example/holds/{receipt.hold.id}/capture\"\nform = { reference = \"{key}\" }",
        "[step.http.webhook]\nscheme = \"stripe\"\nsecret = \"{secret.S}\"\nkey = \"/a\"\n[step.http.act]\n\
         url = \"https://pay.example/holds/{receipt.hold.id}/capture\"\nform = { reference = \"{saga}\" }",
    ),
    ("tolerance = \"2m\"", "tolerance = \"2 minutes\""),
    ("tolerance = \"2m\"", "tolerence = \"2m\""),
];

#[test]
fn what_is_wrong_is_said_with_its_place_and_the_way_out() {
    insta::assert_snapshot!(said_of(CHANGES));
}

#[test]
fn only_a_receiver_of_webhooks_needs_their_secrets() {
    let file = card("PAY_WEBHOOK", "HANDFAST_TEST_SECRET_THAT_NOBODY_SETS").unwrap();
    let plain = card("{secret.PAY_TOKEN}", "none").unwrap();
    assert!(plain.check_participants(&["notice"]).is_ok(), "orders are driven without them");
    assert_eq!(
        file.webhook_receivers().unwrap_err().to_string(),
        "card.toml:19:1: step hold, [step.http.webhook]: the secret HANDFAST_TEST_SECRET_THAT_NOBODY_SETS is not there; set \
         HANDFAST_TEST_SECRET_THAT_NOBODY_SETS, or HANDFAST_TEST_SECRET_THAT_NOBODY_SETS_FILE to the path of a file that holds it"
    );
    // What every test run has in its environment is no secret of this scheme.
    let text = |scheme: &str| format!("scheme = \"{scheme}\"\nsecret = \"{{secret.CARGO_PKG_VERSION}}\"\n");
    for (scheme, why) in [
        ("standard-webhooks", "a secret of standard-webhooks is whsec_ and 24 to 64 bytes in base64, and this one is not"),
        ("stripe", "a secret of stripe has at least 16 characters, and this one has fewer"),
    ] {
        let file = card("scheme = \"stripe\"\nsecret = \"{secret.PAY_WEBHOOK}\"\n", &text(scheme)).unwrap();
        let expected = format!("card.toml:19:1: step hold, [step.http.webhook]: CARGO_PKG_VERSION: {why}");
        assert_eq!(file.webhook_receivers().unwrap_err().to_string(), expected);
    }
    let file = card("{secret.PAY_WEBHOOK}", "{secret.CARGO_MANIFEST_DIR}").unwrap();
    assert_eq!(file.webhook_receivers().unwrap().into_keys().collect::<Vec<_>>(), ["hold"]);
}
