//! Reads `[step.http.webhook]`: how a service that sends webhooks signs them, and where they say what they are about.

use handfast_toml::{FileError, Table};

use super::file::choose;
use super::step::duration;
use crate::participant::{HttpTemplates, Value, is_pointer, is_variable};
use crate::webhook::{Names, Scheme, TOLERANCE, Webhook};

const KEYS: [&str; 5] = ["scheme", "secret", "key", "saga", "tolerance"];

const SECRET_EXAMPLE: &str = "secret = \"{secret.PAYMENT_WEBHOOK}\"";

/// The webhooks of a step's participant, where it sends any.
pub(super) fn read(step: &Table<'_, '_>, templates: Option<&HttpTemplates>) -> Result<Option<Webhook>, FileError> {
    let Some(http) = step.table("http", format!("[step.http] of {}", step.what()))? else { return Ok(None) };
    let Some(table) = http.table("webhook", format!("[step.http.webhook] of {}", step.what()))? else { return Ok(None) };
    table.only(&KEYS)?;
    let scheme = table.wanted_text("scheme", "scheme = \"standard-webhooks\"")?;
    let scheme = choose(table.source(), &scheme, "scheme of webhooks", &Scheme::ALL.map(|it| (it.name(), it)))?;
    let secret = read_secret(&table)?;
    let (names, place) = read_place(&table)?;
    let sends_key = || templates.is_some_and(|it| it.calls().any(|(_, call)| call.gaps().any(|(value, _)| *value == Value::Key)));
    if names == Names::Key && !sends_key() {
        let message =
            "no operation of the step sends {key}, so no webhook can name it; send it along, or say where the saga stands";
        return Err(table.error_at("key", message));
    }
    let tolerance = duration(&table, "tolerance")?.unwrap_or(TOLERANCE);
    Ok(Some(Webhook { scheme, names, place, tolerance, secret }))
}

/// The name of the secret. What stands here instead may be a secret, and is not repeated.
fn read_secret(table: &Table<'_, '_>) -> Result<String, FileError> {
    let text = table.wanted_text("secret", SECRET_EXAMPLE)?;
    let name = text.get_ref().strip_prefix("{secret.").and_then(|rest| rest.strip_suffix('}'));
    name.filter(|name| is_variable(name)).map(str::to_owned).ok_or_else(|| {
        let message =
            format!("a secret is named here and stands in the environment or in a file; write it as in {SECRET_EXAMPLE}");
        table.error_at("secret", message)
    })
}

fn read_place(table: &Table<'_, '_>) -> Result<(Names, String), FileError> {
    let (name, names, place) = match (table.text("key")?, table.text("saga")?) {
        (Some(key), None) => ("key", Names::Key, key),
        (None, Some(saga)) => ("saga", Names::Saga, saga),
        (Some(_), Some(_)) => {
            return Err(table.error_at("saga", "a webhook names the key or the saga; remove one of the two places"));
        }
        (None, None) => return Err(table.missing("key and no saga", "key = \"/data/key\"")),
    };
    if !is_pointer(place.get_ref()) {
        let message = format!("{:?} is no place in JSON; write it as in {name} = \"/data/{name}\"", place.get_ref());
        return Err(table.error_at(name, message));
    }
    Ok((names, (*place.get_ref()).to_owned()))
}
