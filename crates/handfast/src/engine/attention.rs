//! What a person should know: which sagas do not go on by themselves, and what is wrong with the store.

use super::named::Named;
use super::trouble::Trouble;

/// Each list by the saga's id, with the reason.
#[derive(Default)]
pub(super) struct Attention {
    /// Sagas that wait for a person.
    pub(super) suspended: Named,
    /// Sagas that are not driven here.
    pub(super) left_alone: Named,
    /// Sagas on their way that rest on answers which were not confirmed after a restore.
    pub(super) unconfirmed: Named,
    /// What the store cannot read for now. It is trouble of the store: nothing is suspended for it.
    pub(super) unreadable: Named,
    /// What the store does not take.
    pub(super) trouble: Trouble,
}

impl Attention {
    /// Why the store does not take what is written to it, or what it cannot read; `None` while it does as it is asked.
    pub(super) fn store_trouble(&self) -> Option<String> {
        self.trouble.what().or_else(|| {
            let unreadable = self.unreadable.all();
            let (_, why) = unreadable.first()?;
            Some(format!("{} cannot be read for now, and wait until they can; the first: {why}", unreadable.len()))
        })
    }
}
