//! What a caller may do, and what an address asks for.

use std::fmt;

use handfast::Act;

/// One thing that a token can allow.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Scope {
    /// Looks at sagas, participants, definitions and figures.
    Read,
    /// Places orders, and cancels them.
    Place,
    /// Lets sagas go on: retries and resumes.
    Operate,
    /// Decides about money: marks, settles, cancels, and says whose memory counts.
    Money,
}

impl Scope {
    /// All of them, the least first.
    pub const ALL: [Self; 4] = [Self::Read, Self::Place, Self::Operate, Self::Money];

    /// Its name in a token file.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Place => "place",
            Self::Operate => "operate",
            Self::Money => "money",
        }
    }

    /// The scope of a name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.name() == name)
    }

    /// What an act of a person asks for: a retry and a resume only let go on what was decided, and everything else decides.
    #[must_use]
    pub const fn of_act(act: &Act) -> Self {
        match act {
            Act::Retry | Act::Resume => Self::Operate,
            Act::Mark { .. } | Act::Settle => Self::Money,
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A set of scopes.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Scopes([bool; Scope::ALL.len()]);

impl Scopes {
    /// Whether this one is among them.
    #[must_use]
    pub fn has(self, scope: Scope) -> bool {
        self.iter().any(|held| held == scope)
    }

    /// Those that are in it.
    pub fn iter(self) -> impl Iterator<Item = Scope> {
        Scope::ALL.into_iter().zip(self.0).filter_map(|(scope, is_held)| is_held.then_some(scope))
    }
}

impl FromIterator<Scope> for Scopes {
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Self {
        let scopes: Vec<Scope> = scopes.into_iter().collect();
        Self(Scope::ALL.map(|scope| scopes.contains(&scope)))
    }
}

/// What an address asks of its callers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Needs {
    /// Nothing: it says nothing about sagas, or checks a signature of its own.
    Nothing,
    /// One of these scopes; a token of one flow is enough, and reaches the sagas of that flow.
    OfASaga(&'static [Scope]),
    /// One of these scopes, for every flow of the service.
    OfAll(&'static [Scope]),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_scope_has_a_name_and_a_set_holds_what_was_put_in() {
        for scope in Scope::ALL {
            assert_eq!(Scope::from_name(scope.name()), Some(scope));
            let set = Scopes::from_iter([scope]);
            assert_eq!(set.iter().collect::<Vec<_>>(), [scope]);
            assert!(Scope::ALL.into_iter().all(|other| set.has(other) == (other == scope)));
        }
        assert_eq!(Scope::from_name("admin"), None);
        assert_eq!(Scopes::default().iter().count(), 0);
    }
}
