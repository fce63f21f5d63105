//! Flow files: what an undo may say, and what a look at it may.

use super::FlowFile;

/// A payment that keeps its id, before it is said how it is undone.
pub(super) const PAID: &str = r#"
[[step]]
name = "payment"
participant = "http"
send = ["amount"]
[step.profile]
idempotent = true
remembers = "for-ever"
[step.http.act]
url = "https://bank.example/v1/charges"
headers = { idempotency-key = "{key}" }
body = '{"amount": {input.amount.minor}}'
done = { json = { "/status" = "succeeded", "/amount" = "{input.amount.minor}" } }
keep = { id = "/id" }
"#;

/// What an undo may say, what a look at it may, and when it may leave again.
#[test]
fn what_is_said_of_an_undo_makes_sense_or_is_refused() {
    let made = |undo: &str, look: &str, profile: &str| {
        let paid = PAID.replace("remembers = ", &format!("{profile}\nremembers = "));
        let assume = "[assume]\nmessage_lifetime = \"1m\"\nclock_error = \"1s\"\nlongest_outage = \"1h\"\n";
        FlowFile::parse(
            "undo.toml",
            &format!(
                "name = \"undo\"\n{assume}[input]\namount = \"money\"\n{paid}[step.http.undo]\nurl = \"https://bank.example/r\"\n{undo}\n{look}"
            ),
        )
    };
    let refused = |undo: &str, look: &str, profile: &str| made(undo, look, profile).expect_err("it is refused").to_string();
    let undone = "undone = { json = { \"/status\" = \"succeeded\" } }";
    let later = format!("{undone}\naccepted = {{ json = {{ \"/status\" = \"pending\" }} }}\nkeep = {{ refund = \"/id\" }}");
    let look = |by: &str, means: &str| format!("[step.http.{by}]\nurl = \"https://bank.example/r/x\"\n{means}");
    let apart = format!("done = {{ json = {{ \"/status\" = \"charged\" }} }}\n{undone}");
    for (said, error) in [
        ("nothing tells what becomes of it; add [step.http.undo_peek]", refused(&later, "", "")),
        ("a status alone does not mean accepted", refused(&format!("{undone}\naccepted = {{ status = 202 }}"), "", "")),
        ("a look at an undo tells undone by a value", refused(&later, &look("undo_peek", "undone = { status = 200 }"), "")),
        (
            "and never closed",
            refused(&later, &look("undo_peek", &format!("{undone}\nclosed = {{ json = {{ \"/a\" = 1 }} }}")), ""),
        ),
        (
            "only an undo, and a look at one, tells failed",
            refused(undone, &look("peek", &format!("{apart}\nfailed = {{ json = {{ \"/a\" = 1 }} }}")), ""),
        ),
        (
            "payment keeps no \"refund\"",
            refused(undone, &look("undo_peek", undone).replace("/x", "/{receipt.payment.refund}"), ""),
        ),
        (
            // The next undo would be sent by it: of another charge.
            "undo.toml:26:15: id is what [step.http.act] keeps, and an undo that kept another value under that name",
            refused(&format!("{undone}\nkeep = {{ id = \"/id\" }}"), "", ""),
        ),
        (
            "id is what [step.http.act] keeps",
            refused(undone, &look("undo_peek", &format!("{undone}\nkeep = {{ id = \"/id\" }}")), ""),
        ),
    ] {
        assert!(error.contains(said), "{said}: {error}");
    }
    let times = |file: Result<FlowFile, handfast_toml::FileError>| {
        let plan = file.unwrap_or_else(|error| panic!("{error}")).assessment().plan.steps()[0];
        (plan.undo_once_ms.is_some(), plan.undo_again_ms.is_some())
    };
    let once = "undo_idempotent = false";
    let by_id = |means: &str| look("undo_peek", means).replace("/x", "/{receipt.payment.refund}");
    assert_eq!(times(made(undone, "", "")), (false, false));
    assert_eq!(times(made(undone, &look("peek", &apart), once)), (true, true));
    assert_eq!(times(made(undone, &look("undo_peek", &apart), once)), (true, true));
    let done = "done = { json = { \"/status\" = \"charged\" } }";
    assert_eq!(times(made(undone, &look("peek", done), once)), (true, false), "it may have been undone all the same");
    assert_eq!(times(made(undone, "", once)), (true, false));
    assert_eq!(times(made(&later, &look("undo_peek", &apart), once)), (true, false), "what is pending looks like nothing");
    let kept = made(&later, &by_id(undone), "").unwrap_or_else(|error| panic!("{error}"));
    assert!(kept.profiled()[0].profile.undoes_later);
}
