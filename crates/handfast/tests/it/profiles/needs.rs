//! A close that names what an earlier step was to bring, where that step never brought it.

use axum::http::Method;
use handfast::Outcome;
use handfast::flow_file::FlowFile;
use serde_json::{Value, json};

use super::provider::{Books, Provider};
use super::shop::{Shop, ended, options};

/// A payment, a reservation that brings an id, and a parcel that is cancelled by that id.
fn flow(url: &str) -> FlowFile {
    let step = |name: &str, path: &str, rest: &str| {
        format!(
            r#"
[[step]]
name = "{name}"
participant = "http"
send = ["token"]
[step.profile]
idempotent = true
remembers = "for-ever"
sticky_refusal = true
{rest}
[step.http.act]
method = "PUT"
url = "{url}/{path}/{{key}}"
body = '{{"token": "{{input.token}}"}}'
done = {{ json = {{ "/state" = "done", "/key" = "{{key}}" }} }}
refused = {{ json = {{ "/state" = "declined", "/key" = "{{key}}" }} }}
keep = {{ id = "/id" }}
"#
        )
    };
    let undo = |path: &str, name: &str| {
        format!(
            "[step.http.undo]\nurl = \"{url}/{path}/{{receipt.{name}.id}}/undo\"\nundone = {{ json = {{ \"/state\" = \"undone\" }} }}\n"
        )
    };
    let close = format!(
        "[step.http.close]\nurl = \"{url}/parcels/{{receipt.reservation.id}}/cancel\"\nclosed = {{ json = {{ \"/state\" = \"cancelled\" }} }}\n"
    );
    let text = format!(
        "name = \"shop\"\n[input]\ntoken = \"token\"\n{}{}{}{}{}{close}",
        step("payment", "charges", ""),
        undo("charges", "payment"),
        step("reservation", "reservations", ""),
        undo("reservations", "reservation"),
        step("parcel", "parcels", "close = \"for-ever\"").replace("name = \"parcel\"", "name = \"parcel\"\nkind = \"pivot\""),
    );
    FlowFile::parse("shop.toml", &text).unwrap_or_else(|error| panic!("{error}"))
}

fn clerk(books: &mut Books, number: usize, method: &Method, path: &str) -> Option<(u16, Value)> {
    let key = path.rsplit('/').next().unwrap_or_default();
    let (kind, _) = path.trim_start_matches('/').split_once('/').unwrap_or_default();
    let state = match (kind, method) {
        ("charges", &Method::PUT) => {
            books.charged = 100;
            "done"
        }
        ("charges", _) => {
            books.charged = 0;
            "undone"
        }
        ("reservations", &Method::PUT) => "declined",
        _ => return None,
    };
    Some((200, json!({"state": state, "key": key, "id": format!("id-{number}")})))
}

#[tokio::test]
async fn what_was_never_asked_needs_no_close_that_cannot_be_written() {
    let shop = Shop::open(&[]).await;
    let (provider, url) = Provider::start(clerk).await;
    let file = flow(&url);
    let engine = shop.engine_of((*file.flow::<&str>(&[]).unwrap()).clone(), options()).await;
    let order = file.parse_order(br#"{"id":"order-1","token":"tok_visa"}"#).unwrap();
    let mut saga = engine.submit(order).await.unwrap();
    assert_eq!(ended(&mut saga).await.unwrap(), Outcome::Cancelled);
    assert_eq!(provider.charged(), 0, "the payment is given back");
    assert!(provider.asked().iter().all(|(_, path)| !path.starts_with("/parcels")), "{:?}", provider.asked());
}
