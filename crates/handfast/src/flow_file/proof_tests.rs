//! Flow files whose answers prove too little: what is refused, what is a risk with a name, and what is remarked.

use super::FlowFile;
use super::profile_tests::{CAPTURED, CARD, RELEASED, card};

/// Gateways, routers and those who count requests send these whatever became of the key.
#[test]
fn a_status_that_anybody_sends_means_nothing_by_itself() {
    let act = "refused = { status = 402, json = { \"/error/kind\" = \"declined\" } }";
    let states = [
        (act, "refused", ""),
        (act, "refused", "json = { \"/error/kind\" = \"declined\" }"),
        (RELEASED, "undone", ""),
        (CAPTURED, "done", ""),
        (CAPTURED, "done", "json = { \"/state\" = \"captured\" }"),
    ];
    for status in [301, 302, 307, 401, 403, 404, 405, 407, 408, 421, 425, 429, 500, 502, 503, 504] {
        for (from, state, json) in states {
            let comma = if json.is_empty() { "" } else { ", " };
            let read = card(from, &format!("{state} = {{ status = [402, {status}]{comma}{json} }}"));
            let said = read.map(|_| ()).map_err(|error| error.to_string());
            match said {
                Ok(()) => assert!(!json.is_empty(), "{status} means {state}"),
                Err(said) => {
                    assert!(json.is_empty() && said.contains(&format!("{status} alone does not mean {state}")), "{said}")
                }
            }
        }
    }
}

/// What names of risks the flow asks for, with these answers to its act, but for that of its hold.
fn risks_of(from: &str, to: &str) -> Vec<String> {
    let file = card(from, to).unwrap_or_else(|error| panic!("{to}: {error}"));
    let said = file.assessment().risks.iter().filter(|risk| risk.what.name() != "hold-lapse").map(ToString::to_string);
    said.collect()
}

/// A status that only few send by mistake proves as little: it is a risk with a name.
#[test]
fn a_status_alone_is_a_risk_in_every_direction() {
    let act = "refused = { status = 402, json = { \"/error/kind\" = \"declined\" } }";
    for status in [400, 402, 406, 409, 410, 411, 413, 414, 415, 417, 422, 426, 431, 451, 460] {
        let [risk] = &risks_of(act, &format!("refused = {{ status = {status} }}"))[..] else { panic!("{status}") };
        assert!(risk.starts_with("step 1 takes an answer to its act as refused by its status alone"), "{risk}");
    }
    let done = "done = { status = [200, 201], json = { \"/state\" = [\"held\", \"captured\"] } }";
    let bare = [
        "status = 200",
        "status = [\"2xx\"]",
        "status = 200, json = { \"/error\" = { absent = true } }",
        "status = 200, json = { \"/error\" = { null = true } }",
        "status = 200, json = { \"/state\" = { not = \"failed\" } }",
        "status = 200, header = { \"content-type\" = \"application/json\" }",
        "status = 200, header = { Server = \"pay\", \"retry-after\" = \"1\", via = \"1.1 pay\", date = \"x\", connection = \"close\" }",
        "status = 200, header = { \"x-state\" = { not = \"failed\" } }",
        // A gateway in between may send any of these, and may echo what a request carries.
        "status = 200, header = { \"x-request-id\" = \"{key}\" }",
        "status = 200, header = { traceparent = \"{key}\" }",
        "status = 200, header = { \"x-token\" = \"{input.token}\" }",
        "status = 200, header = { \"x-nobody-has-heard-of\" = \"held\" }",
    ];
    for bare in bare {
        assert_eq!(risks_of(done, &format!("done = {{ {bare} }}")).len(), 1, "{bare}");
        let two = format!("done = [{{ json = {{ \"/state\" = \"held\" }} }}, {{ {bare} }}]");
        assert_eq!(risks_of(done, &two).len(), 1, "one shape of two: {bare}");
    }
    for proof in [
        "status = \"2xx\", json = { \"/state\" = \"held\" }",
        "json = { \"/state\" = { is = [\"held\"] }, \"/error\" = { absent = true } }",
        "json = { \"/data/*/reference\" = \"{key}\" }",
    ] {
        assert_eq!(risks_of(done, &format!("done = {{ {proof} }}")), [""; 0], "{proof}");
    }
    for header in [
        "status = 204, header = { X-Hold-State = \"held\", \"content-length\" = { absent = true } }",
        "header = { \"x-hold-reference\" = \"{key}\" }",
    ] {
        let own = "[step.http]\nown_headers = [\"x-hold-state\", \"X-Hold-Reference\"]\n[step.http.act]";
        let text = CARD.replacen(done, &format!("done = {{ {header} }}"), 1).replacen("[step.http.act]", own, 1);
        let file = FlowFile::parse("card.toml", &text).unwrap_or_else(|error| panic!("{header}: {error}"));
        assert!(!file.assessment().risks.iter().any(|risk| risk.what.name() == "bare-status"), "{header}");
        let kept = file.flow(&["hold-lapse"]).unwrap();
        assert_eq!(crate::Flow::from_built_text(kept.text()).unwrap(), *kept, "it is kept with every saga");
    }
    // Every operation of the step that decides, or can be undone, and its look where it is looked at.
    assert_eq!(risks_of(RELEASED, "undone = { status = 204 }").len(), 1);
    assert_eq!(risks_of("closed = { status = 200, json = { \"/state\" = \"void\" } }", "closed = { status = 204 }").len(), 1);
    assert_eq!(risks_of(CAPTURED, "done = { status = 200 }").len(), 1);
    let look = "done = { status = 200, json = { \"/state\" = \"held\" } }";
    assert_eq!(risks_of(look, "done = { status = 200 }").len(), 1, "it is looked at where an answer said nothing");
    let error = card(done, "done = { status = 200 }").unwrap().flow(&["hold-lapse"]).unwrap_err().to_string();
    assert!(
        error.contains("card.toml:19:1: step 1 takes an answer to its act as done") && error.contains("risk bare-status"),
        "{error}"
    );
    assert!(card(done, "done = { status = 200 }").unwrap().flow(&["hold-lapse", "bare-status"]).is_ok());
}

#[test]
fn a_peek_may_describe_what_it_means_to_find_nothing() {
    let absent = "keep = { \"id\" = \"/hold\" }\nabsent = { status = 404, json = { \"/error\" = \"no such hold\" } }\n";
    assert!(card("keep = { \"id\" = \"/hold\" }\n", absent).is_ok());
}

#[test]
fn a_peek_may_tell_a_refusal_by_a_value_of_its_json() {
    let refused = "keep = { \"id\" = \"/hold\" }\nrefused = { status = 404, json = { \"/state\" = \"declined\" } }\n";
    assert!(card("keep = { \"id\" = \"/hold\" }\n", refused).is_ok());
    let undone = "undone = { status = [200, 404], json = { \"/state\" = \"released\" } }";
    assert!(card(RELEASED, undone).is_ok());
}

/// A gateway in between sends these, too.
#[test]
fn a_header_that_others_send_is_not_the_services_own() {
    for name in
        ["x-runtime", "X-Trace-Id", "x-b3-traceid", "x-azure-ref", "akamai-grn", "fastly-debug", "idempotency-status", "via"]
    {
        let own = format!("[step.http]\nown_headers = [\"{name}\"]\n[step.http.act]");
        let error = FlowFile::parse("card.toml", &CARD.replacen("[step.http.act]", &own, 1)).expect_err(name).to_string();
        assert!(error.contains("so it is not the service's own; take it out"), "{error}");
    }
}
