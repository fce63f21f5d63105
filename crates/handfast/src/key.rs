//! Keys: what names one step of one saga at its participant, for good. Never a function of time, of a token or of a retry.

/// The parts of a key, which reads `{store}.{saga}.{step}`. Neither a store's id nor a step's name has a dot in it; a saga's
/// id may.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct KeyParts<'a> {
    /// The id of the store that the saga is kept in.
    pub(crate) store: &'a str,
    /// The saga's id.
    pub(crate) saga: &'a str,
    /// The step's name.
    pub(crate) step: &'a str,
}

impl<'a> KeyParts<'a> {
    /// Those of this key; `None` if it is none.
    pub(crate) fn of(key: &'a str) -> Option<Self> {
        let (store, rest) = key.split_once('.')?;
        let (saga, step) = rest.rsplit_once('.')?;
        let is_whole = [store, saga, step].iter().all(|part| !part.is_empty());
        is_whole.then_some(Self { store, saga, step })
    }

    /// The key that they are the parts of.
    pub(crate) fn key(self) -> String {
        let Self { store, saga, step } = self;
        format!("{store}.{saga}.{step}")
    }
}

/// Whether a saga can have this id.
pub(crate) fn is_saga_id(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"._~-".contains(&byte);
    (1..=128).contains(&text.len()) && text.bytes().all(fits) && !leads_elsewhere(text)
}

/// Whether a part of a path that reads so names nothing there, but leads to another place, however it is escaped.
pub(crate) fn leads_elsewhere(text: &str) -> bool {
    text == "." || text == ".."
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_as_it_is_written() {
        for saga in ["order-1", "a.b", ".a.", "2026.order-1.payment"] {
            let parts = KeyParts { store: "abcdefghij", saga, step: "payment" };
            assert_eq!(KeyParts::of(&parts.key()), Some(parts));
        }
        for none in ["", "abc", "abc.order-1", "abc..payment", ".order-1.payment", "abc.order-1."] {
            assert_eq!(KeyParts::of(none), None, "{none}");
        }
    }

    #[test]
    fn an_id_names_something_in_a_path_too() {
        assert!(["a", "...", ".a", "a..", "~"].into_iter().all(is_saga_id));
        assert!(["", ".", "..", "a/b", "a b"].into_iter().all(|text| !is_saga_id(text)));
    }
}
