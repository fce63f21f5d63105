//! Whether the SQLite that a program was linked with knows what both sides' stores are made of.

/// The oldest SQLite whose files we can keep: the first that knows `STRICT` tables. It is 3.37.0, as `sqlite3_libversion_number`
/// writes it.
const OLDEST: i32 = 3_037_000;

/// What is wrong with the SQLite of this number and name, if it is too old for a store: a program may be linked with the
/// system's instead of the one that it was built with.
#[must_use]
pub fn is_too_old(number: i32, name: &str) -> Option<String> {
    (number < OLDEST).then(|| {
        format!(
            "this program is linked with SQLite {name}, and a store needs 3.37.0 or newer; build it without \
             LIBSQLITE3_SYS_USE_PKG_CONFIG, or against a newer SQLite"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_know_strict_tables_is_named() {
        assert_eq!(is_too_old(3_037_000, "3.37.0"), None);
        assert_eq!(is_too_old(3_050_004, "3.50.4"), None);
        let said = is_too_old(3_036_000, "3.36.0").unwrap();
        assert!(said.contains("SQLite 3.36.0") && said.contains("3.37.0 or newer"), "{said}");
    }
}
