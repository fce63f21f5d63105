//! What is said of the values that a step sends: where they may stand, and what is not compared with them.

use super::FlowFile;
use super::profile_tests::{CARD, RELEASED, card};

/// Whatever a text holds, in base 64 it breaks out of nothing.
#[test]
fn a_text_in_base_64_may_stand_anywhere() {
    let send = |gap: &str| card("\"x-token\" = \"{input.token}\"", &format!("\"x-customer\" = \"{gap}\""));
    assert!(send("{base64.input.customer}").is_ok());
    assert!(send("{input.customer}").unwrap_err().to_string().contains("a text cannot stand in a header"));
}

/// Another amount, in an answer that does not say whose it is, is for a person where nothing closes the key.
#[test]
fn an_amount_without_whose_it_is_is_remarked() {
    let remarked = |done: &str, close: &str| {
        let text = format!(
            "name = \"x\"\n[input]\namount = \"money\"\n[[step]]\nname = \"payment\"\nparticipant = \"http\"\n[step.profile]\n\
             idempotent = true\nremembers = \"for-ever\"\n[step.http.act]\nurl = \"https://x.example/{{key}}\"\n\
             done = {{ json = {{ \"/minor\" = \"{{input.amount.minor}}\"{done} }} }}\n{close}[step.http.undo]\nurl = \"https://x.example/u\"\n\
             undone = {{ json = {{ \"/minor\" = \"{{input.amount.minor}}\" }} }}\n"
        );
        let file = FlowFile::parse("x.toml", &text).unwrap_or_else(|error| panic!("{error}"));
        file.assessment().remarks.iter().any(|remark| remark.what.name() == "whose-unseen")
    };
    assert!(remarked("", ""));
    assert!(remarked(", \"/currency\" = \"{input.amount.currency}\"", ""));
    assert!(!remarked(", \"/reference\" = \"{key}\"", ""));
    assert!(!remarked(", \"/order\" = \"{saga}\"", ""));
    let close = "[step.http.close]\nurl = \"https://x.example/c\"\nclosed = { json = { \"/state\" = \"void\" } }\n";
    assert!(!remarked("", close));
}

/// What a part of an amount could be taken for is said beforehand.
#[test]
fn an_amount_that_an_answer_is_not_compared_with_is_remarked() {
    let remarks = |done: &str, undone: &str| {
        let held = "done = { status = [200, 201], json = { \"/state\" = [\"held\", \"captured\"] } }";
        let other = "done = { status = 409, json = { \"/state\" = \"captured\" } }";
        let peek = "done = { status = 200, json = { \"/state\" = \"held\" } }";
        let done = format!("done = {{ json = {{ \"/state\" = \"held\", {done} }} }}");
        let text = [held, other, peek].into_iter().fold(CARD.to_owned(), |text, from| text.replacen(from, &done, 1));
        let text = text.replacen(RELEASED, &format!("undone = {{ json = {{ \"/state\" = \"released\", {undone} }} }}"), 1);
        let file = FlowFile::parse("card.toml", &text).unwrap_or_else(|error| panic!("{error}"));
        let all = &file.assessment().remarks;
        let names: Vec<_> = all.iter().filter(|remark| remark.step == 0).map(|remark| remark.what.name()).collect();
        ["amount-unseen", "return-unseen"].map(|name| names.contains(&name))
    };
    let is = "\"/minor\" = \"{input.amount.minor}\"";
    assert_eq!(remarks(is, is), [false, false]);
    assert_eq!(remarks(is, "\"/id\" = \"{key}\""), [false, true]);
    assert_eq!(remarks("\"/id\" = \"{key}\"", is), [false, false]);
    // What must not stand there is compared with nothing, and what may stand there instead is neither.
    assert_eq!(remarks("\"/minor\" = { not = \"{input.amount.minor}\" }", is), [true, false]);
    assert_eq!(remarks(is, "\"/left\" = { not = \"{input.amount.minor}\" }"), [false, true]);
    assert_eq!(remarks("\"/minor\" = [\"{input.amount.minor}\", 0]", is), [true, false]);
    assert_eq!(remarks(is, "\"/currency\" = \"{input.amount.currency}\""), [false, true]);
}
