//! The words for how a saga stands, as journals, API and people have them.

/// How a saga stands, in the words that people read.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Standing {
    /// Nothing was asked of anybody yet.
    Placed,
    /// On its way to *both*, and may still turn back.
    Acting,
    /// The gate is done: it can only go forward.
    Committed,
    /// On its way to *neither*.
    Cancelling,
    /// Ended: *both*.
    Completed,
    /// Ended: *neither*.
    Cancelled,
    /// A participant contradicted itself, or cannot be asked any more; a person has to look at the evidence.
    Suspended,
    /// Ended: a person waits for nobody any longer. It is neither *both* nor *neither*.
    Settled,
}

impl Standing {
    /// Every one of them.
    pub const ALL: [Self; 8] = [
        Self::Placed,
        Self::Acting,
        Self::Committed,
        Self::Cancelling,
        Self::Completed,
        Self::Cancelled,
        Self::Suspended,
        Self::Settled,
    ];

    /// The standing that [`name`](Self::name) gave this word to, if any did.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|standing| standing.name() == name)
    }

    /// It has neither ended nor waits for a person.
    #[must_use]
    pub const fn is_in_doubt(self) -> bool {
        match self {
            Self::Placed | Self::Acting | Self::Committed | Self::Cancelling => true,
            Self::Completed | Self::Cancelled | Self::Suspended | Self::Settled => false,
        }
    }

    /// Nothing more becomes of it, whatever shows afterwards. What has not ended is in doubt, or waits for a person.
    #[must_use]
    pub const fn has_ended(self) -> bool {
        match self {
            Self::Completed | Self::Cancelled | Self::Settled => true,
            Self::Placed | Self::Acting | Self::Committed | Self::Cancelling | Self::Suspended => false,
        }
    }

    /// The word for it on the wire and on the screen.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Placed => "placed",
            Self::Acting => "acting",
            Self::Committed => "committed",
            Self::Cancelling => "cancelling",
            Self::Completed => "completed",
            Self::Cancelled => "cancelled",
            Self::Suspended => "suspended",
            Self::Settled => "settled",
        }
    }
}
