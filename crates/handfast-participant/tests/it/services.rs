//! The two reference services: what they refuse, what they keep, and that their books add up.

use handfast_participant::dispatch::{self, Stock};
use handfast_participant::{Settings, payment};
use serde_json::json;

use crate::support::{DECLINED, JSON, LAMP, Subject, VISA};

#[tokio::test]
async fn a_refusal_is_sticky_even_when_its_reason_has_gone() {
    let subject = Subject::dispatch("lamp=1");
    assert_eq!(subject.act("a", LAMP).await.status, 200);
    assert_eq!(subject.act("b", LAMP).await.status, 409);
    // New stock arrives, which is nobody's business who was refused.
    let connection = rusqlite::Connection::open(subject.path()).unwrap();
    connection.execute("UPDATE stock SET initial = 9, available = 8 WHERE sku = 'lamp'", []).unwrap();
    assert_eq!(subject.act("b", LAMP).await.status, 409);
    assert_eq!(subject.act("c", LAMP).await.status, 200);
}

#[tokio::test]
async fn an_order_is_shipped_whole_or_not_at_all() {
    let subject = Subject::dispatch("lamp=5,mug=1");
    let both = r#"{"lines":[{"sku":"lamp","quantity":2},{"sku":"mug","quantity":2}]}"#;
    let refused = subject.act("a", both).await;
    assert_eq!((refused.status.as_u16(), &refused.body["detail"]), (409, &json!("out_of_stock: mug")));
    let fits = r#"{"lines":[{"sku":"lamp","quantity":2},{"sku":"mug","quantity":1},{"sku":"lamp","quantity":3}],"to":"x"}"#;
    assert_eq!(subject.act("b", fits).await.status, 200);
    let audit = subject.audit().await;
    let shelf = |sku: &str, initial: u32| json!({ "sku": sku, "initial": initial, "available": 0, "shipped": initial });
    assert_eq!(audit["stock"], json!([shelf("lamp", 5), shelf("mug", 1)]));
    assert_eq!((&audit["shipments"], &audit["refusals"]), (&json!(1), &json!(1)));
    assert_eq!((&audit["disagreements"], &audit["miscounted"]), (&json!(0), &json!(0)));
}

#[tokio::test]
async fn stock_is_given_once_and_a_restart_refills_nothing() {
    let subject = Subject::dispatch("lamp=1");
    assert_eq!(subject.act("a", LAMP).await.status, 200);
    subject.registers.stop().await;
    let path = subject.path();
    let folder = subject.into_folder();
    let mut stock = Stock { others: "2".parse().unwrap(), ..Stock::default() };
    stock.add_list("lamp=7,mug=1").unwrap();
    let again = Subject::made("unused", |_, settings| dispatch::open(&path, stock, settings).unwrap(), dispatch::router);
    assert_eq!(again.act("b", LAMP).await.status, 409, "the lamp is gone");
    let two = |sku: &str| format!(r#"{{"lines":[{{"sku":"{sku}","quantity":2}}]}}"#);
    assert_eq!(again.act("c", &two("chair")).await.status, 200, "what is not named is there by default");
    assert_eq!(again.act("d", &two("chair")).await.body["detail"], "out_of_stock: chair");
    assert_eq!(again.act("e", &two("mug")).await.body["detail"], "out_of_stock: mug");
    assert_eq!(again.audit().await["miscounted"], 0);
    drop(folder);
}

#[tokio::test]
async fn charges_refunds_and_declines_are_in_the_books() {
    let subject = Subject::payment();
    subject.act("a", VISA).await;
    subject.act("b", VISA).await;
    subject.undo("b").await;
    subject.undo("b").await;
    subject.act("c", DECLINED).await;
    subject.act("c", DECLINED).await;
    subject.close("d").await;
    subject.act("e", r#"{"amount":{"minor":7,"currency":"JPY"},"token":"tok_visa"}"#).await;
    let audit = subject.audit().await;
    for (name, expected) in [("charges", 3), ("refunds", 1), ("declines", 1), ("closed", 1), ("disagreements", 0)] {
        assert_eq!(audit[name], expected, "{name} in {audit}");
    }
    assert_eq!(audit["states"], json!({ "done": 2, "refused": 1, "closed": 1, "undone": 1 }));
    assert_eq!(
        audit["currencies"],
        json!([
            { "currency": "EUR", "exponent": 2, "charged": 3998, "refunded": 1999, "receivable": 1999 },
            { "currency": "JPY", "exponent": 0, "charged": 7, "refunded": 0, "receivable": 7 },
        ])
    );
    assert_eq!(audit["balanced"], true);
    assert_eq!(subject.sql::<i64>("SELECT sum(minor) FROM posting"), 0);
    assert_eq!(
        subject.sql::<i64>("SELECT minor FROM posting WHERE key = 'b' AND kind = 'refund' AND account = 'customer:tok_visa'"),
        1999
    );
}

#[tokio::test]
async fn the_largest_amounts_are_charged_and_their_sums_do_not_overflow() {
    let subject = Subject::payment();
    let charge = |minor: u64| format!(r#"{{"amount":{{"minor":{minor},"currency":"EUR"}},"token":"tok_visa"}}"#);
    assert_eq!(subject.act("a", &charge(1_000_000_000_000_000)).await.status, 200);
    assert_eq!(subject.act("b", &charge(1_000_000_000_000_001)).await.body["detail"], "amount_too_large");
    // The like of it, 9,999 times more: beyond what 64 bits hold.
    let connection = rusqlite::Connection::open(subject.path()).unwrap();
    connection.pragma_update(None, "foreign_keys", false).unwrap();
    let more = "INSERT INTO posting WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 9999)
                SELECT 'more-' || n, kind, account, minor, currency, at FROM posting, n";
    assert_eq!(connection.execute(more, []), Ok(19_998));
    let audit = subject.audit().await;
    assert_eq!((&audit["balanced"], &audit["unbalanced"]), (&json!(true), &json!([])));
    let all = 10_000_000_000_000_000_000_u64;
    assert_eq!((&audit["currencies"][0]["charged"], &audit["currencies"][0]["receivable"]), (&json!(all), &json!(all)));
}

/// The audit must be able to find something, or it proves nothing.
#[tokio::test]
async fn the_audit_finds_books_that_were_tampered_with() {
    let subject = Subject::payment();
    subject.act("a", VISA).await;
    subject.act("b", VISA).await;
    let connection = rusqlite::Connection::open(subject.path()).unwrap();
    connection.execute("UPDATE posting SET minor = minor + 1 WHERE key = 'a' AND account = 'shop:receivable'", []).unwrap();
    connection.execute("UPDATE register SET state = 'undone' WHERE key = 'b'", []).unwrap();
    let audit = subject.audit().await;
    assert_eq!((&audit["balanced"], &audit["disagreements"]), (&json!(false), &json!(1)));
    assert_eq!(audit["unbalanced"], json!([{ "currency": "EUR", "minor": 1 }]));

    let subject = Subject::dispatch("lamp=5");
    subject.act("a", LAMP).await;
    let connection = rusqlite::Connection::open(subject.path()).unwrap();
    connection.execute("UPDATE stock SET available = 3", []).unwrap();
    connection.execute("UPDATE register SET state = 'refused'", []).unwrap();
    let audit = subject.audit().await;
    assert_eq!((&audit["disagreements"], &audit["miscounted"]), (&json!(1), &json!(1)));
}

#[tokio::test]
async fn the_tables_themselves_refuse_what_must_not_be() {
    let subject = Subject::payment();
    subject.act("a", VISA).await;
    let connection = rusqlite::Connection::open(subject.path()).unwrap();
    connection.pragma_update(None, "foreign_keys", true).unwrap();
    for statement in [
        "INSERT INTO posting VALUES ('a', 'charge', 'shop:receivable', 1999, 'EUR', 1)",
        "INSERT INTO posting VALUES ('a', 'refund', 'shop:receivable', 0, 'EUR', 1)",
        "INSERT INTO posting VALUES ('a', 'gift', 'shop:receivable', 1, 'EUR', 1)",
        "INSERT INTO posting VALUES ('nobody', 'charge', 'shop:receivable', 1, 'EUR', 1)",
        "INSERT INTO charge VALUES ('nobody', 'tok_visa', 1, 'EUR', 1)",
        "UPDATE charge SET minor = 0",
        "UPDATE charge SET minor = 1.5",
        "UPDATE register SET state = 'absent'",
        "UPDATE register SET state = 'closed'",
        "DELETE FROM register",
    ] {
        assert!(connection.execute(statement, []).is_err(), "{statement}");
    }
}

#[tokio::test]
async fn a_card_number_reaches_no_file_of_the_store() {
    const NUMBER: &str = "4242424242424242";
    let subject = Subject::payment();
    let token = format!(r#"{{"amount":{{"minor":5,"currency":"EUR"}},"token":"{NUMBER}"}}"#);
    let refused = subject.act("a", &token).await;
    assert_eq!((refused.status.as_u16(), &refused.body["detail"]), (409, &json!("token_is_a_card_number")));
    let currency = format!(r#"{{"amount":{{"minor":5,"currency":"{NUMBER}"}},"token":"tok_visa"}}"#);
    assert_eq!(subject.act("b", &currency).await.body["detail"], "currency_unknown");
    let beside = format!(r#"{{"amount":{{"minor":5,"currency":"EUR"}},"token":"tok_visa","note":"{NUMBER}"}}"#);
    assert_eq!(subject.act("c", &beside).await.status, 200);
    subject.undo("c").await;
    let folder = subject.path().parent().unwrap().to_owned();
    let mut looked_at = 0;
    for file in std::fs::read_dir(folder).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        looked_at += bytes.len();
        assert!(!bytes.windows(NUMBER.len()).any(|window| window == NUMBER.as_bytes()));
    }
    assert!(looked_at > 10_000, "the log holds what was written");
}

#[tokio::test]
async fn acts_that_come_again_are_counted() {
    let subject = Subject::payment();
    for _ in 0..3 {
        subject.act("a", VISA).await;
    }
    subject.act("b", VISA).await;
    assert_eq!(subject.audit().await["duplicate_acts"], 2);
    subject.act("b", VISA).await;
    subject.registers.stop().await;
    assert_eq!(subject.audit().await["duplicate_acts"], 3, "a stop forgets nothing");
    let again = payment::open(subject.path(), Settings::default()).unwrap();
    assert_eq!(again.path(), subject.path());
}

#[tokio::test]
async fn a_hold_is_captured_once_and_not_released_any_more() {
    let subject = Subject::payment();
    let ask = async |method: &str, path: &str, body: &str| subject.send(method, path, &[JSON], body).await;
    let capture = async |key: &str, hold: &str| ask("PUT", &format!("/captures/{key}"), &format!(r#"{{"hold":"{hold}"}}"#)).await;
    assert_eq!(capture("s.o-1.early", "payment").await.body["detail"], "hold_unknown");
    assert_eq!(ask("PUT", "/holds/s.o-1.payment", VISA).await.status, 200);
    assert_eq!(capture("s.o-1.capture", "payment").await.status, 200);
    assert_eq!(capture("s.o-1.capture", "payment").await.status, 200, "the same again is the same");
    assert_eq!(capture("s.o-1.again", "s.o-1.payment").await.body["detail"], "hold_captured");
    assert_eq!(ask("DELETE", "/holds/s.o-1.payment", "").await.body["state"], "done");
    assert_eq!(ask("DELETE", "/captures/s.o-1.capture", "").await.body["state"], "done");

    assert_eq!(ask("PUT", "/holds/s.o-2.payment", VISA).await.status, 200);
    assert_eq!(ask("DELETE", "/holds/s.o-2.payment", "").await.body["state"], "undone");
    assert_eq!(capture("s.o-2.capture", "payment").await.body["detail"], "hold_lapsed");
    assert_eq!(ask("PUT", "/captures/s.o-2.other", r#"{"hold":7}"#).await.body["detail"], "hold_unusable");
    let audit = subject.audit().await;
    assert_eq!((&audit["captures"], &audit["charges"], &audit["refunds"]), (&json!(1), &json!(2), &json!(1)));
    assert_eq!((&audit["disagreements"], &audit["balanced"]), (&json!(0), &json!(true)));
}
