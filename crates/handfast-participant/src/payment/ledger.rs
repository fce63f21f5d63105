//! The ledger in double entry: each charge and each refund is a pair of postings that adds up to zero.

use handfast_protocol::Time;
use rusqlite::Connection;

use super::order::Order;
use crate::key::Key;
use crate::service::ServiceError;

const SHOP: &str = "shop:receivable";

/// Writes a charge: what the customer owes, the shop is owed.
pub(super) fn charge(transaction: &Connection, key: &Key, order: &Order<'_>, now: Time) -> Result<(), ServiceError> {
    let customer = format!("customer:{}", order.token);
    let at = i64::try_from(now.0)?;
    transaction.prepare_cached("INSERT OR IGNORE INTO account (name) VALUES (?1)")?.execute([&customer])?;
    transaction
        .prepare_cached("INSERT OR IGNORE INTO currency (code, exponent) VALUES (?1, ?2)")?
        .execute((order.currency, order.exponent))?;
    transaction.prepare_cached("INSERT INTO charge (key, token, minor, currency, at) VALUES (?1, ?2, ?3, ?4, ?5)")?.execute((
        key.as_str(),
        order.token,
        order.minor,
        order.currency,
        at,
    ))?;
    transaction
        .prepare_cached(
            "INSERT INTO posting (key, kind, account, minor, currency, at)
             VALUES (?1, 'charge', ?2, -?4, ?5, ?6), (?1, 'charge', ?3, ?4, ?5, ?6)",
        )?
        .execute((key.as_str(), customer, SHOP, order.minor, order.currency, at))?;
    Ok(())
}

/// Writes the reversal of a charge: the same accounts and amounts, the other way round.
pub(super) fn refund(transaction: &Connection, key: &Key, now: Time) -> Result<(), ServiceError> {
    let written = transaction
        .prepare_cached(
            "INSERT INTO posting (key, kind, account, minor, currency, at)
             SELECT key, 'refund', account, -minor, currency, ?2 FROM posting WHERE key = ?1 AND kind = 'charge'",
        )?
        .execute((key.as_str(), i64::try_from(now.0)?))?;
    if written == 2 { Ok(()) } else { Err(format!("the ledger holds {written} postings of a charge where two belong").into()) }
}
