//! The flows of a service read anew while it runs: what has changed counts from then on, and what does not check leaves what was there.

use std::sync::Arc;

use super::{FlowSources, Flows, FlowsError, ServedFlow};

/// What came of a flow, or of a file of one, that was read anew.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Change {
    /// It is as it was.
    Unchanged,
    /// New orders follow what its file says now.
    Changed,
    /// Its orders are taken from now on.
    Added,
    /// Its orders are taken no more. Those under way go on.
    Removed,
    /// Its file does not check, and what was read before holds on.
    Kept,
    /// Its file does not check, and there was none before.
    Refused,
}

impl Change {
    /// All of them.
    pub const ALL: [Self; 6] = [Self::Unchanged, Self::Changed, Self::Added, Self::Removed, Self::Kept, Self::Refused];

    /// Its name in answers.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unchanged => "unchanged",
            Self::Changed => "changed",
            Self::Added => "added",
            Self::Removed => "removed",
            Self::Kept => "kept",
            Self::Refused => "refused",
        }
    }

    /// Whether what the file says now does not count.
    #[must_use]
    pub const fn is_trouble(self) -> bool {
        match self {
            Self::Kept | Self::Refused => true,
            Self::Unchanged | Self::Changed | Self::Added | Self::Removed => false,
        }
    }
}

/// One flow, or one file of which no flow could be made.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Reread {
    /// Its name, where it has one.
    pub flow: Option<String>,
    /// Its file.
    pub file: String,
    /// What came of it.
    pub change: Change,
    /// Why what the file says now does not count, with its place.
    pub why: Option<String>,
}

/// What came of reading every flow anew.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct Reloaded {
    /// Each flow and each file that was none, in the order of the files; those that were taken away stand last.
    pub flows: Vec<Reread>,
    /// Why nothing was changed at all: the flows do not go together, or cannot be had.
    pub why: Option<String>,
}

impl Reloaded {
    /// Nothing was changed, for this reason.
    pub(crate) fn refused(why: impl ToString) -> Self {
        Self { flows: Vec::new(), why: Some(why.to_string()) }
    }

    /// Whether everything counts that stands in the files now.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.why.is_none() && !self.flows.iter().any(|flow| flow.change.is_trouble())
    }
}

impl FlowSources {
    /// Reads every flow anew. A file that does not check leaves the flow that was read of it before.
    ///
    /// # Errors
    /// There is nothing to read, or the flows do not go together.
    pub(crate) fn reread(&self, before: &Flows) -> Result<(Flows, Vec<Reread>), FlowsError> {
        let (mut next, mut said) = (Vec::new(), Vec::new());
        for path in self.files()? {
            let file = path.display().to_string();
            let known = before.iter().find(|served| served.file().file() == file);
            match (self.read_one(&path), known) {
                (Ok(served), _) => {
                    let (change, served) = against(before, served);
                    said.push(Reread { flow: Some(served.name().to_owned()), file, change, why: None });
                    if change != Change::Unchanged {
                        self.tell(served.file());
                    }
                    next.push(served);
                }
                (Err(why), Some(known)) => {
                    let (flow, why) = (Some(known.name().to_owned()), Some(why.to_string()));
                    said.push(Reread { flow, file, change: Change::Kept, why });
                    next.push(Arc::clone(known));
                }
                (Err(why), None) => {
                    said.push(Reread { flow: None, file, change: Change::Refused, why: Some(why.to_string()) });
                }
            }
        }
        let next = Flows::of(next)?.after(before);
        let gone = before.iter().filter(|served| next.named(served.name()).is_none());
        said.extend(gone.map(|served| {
            let (flow, file) = (Some(served.name().to_owned()), served.file().file().to_owned());
            Reread { flow, file, change: Change::Removed, why: None }
        }));
        Ok((next, said))
    }
}

/// What was read, as against what was there: what has not changed stays the very same, so that it goes on counting.
fn against(before: &Flows, served: ServedFlow) -> (Change, Arc<ServedFlow>) {
    match before.named(served.name()) {
        None => (Change::Added, Arc::new(served)),
        Some(known) if known.file() == served.file() && known.flow().hash() == served.flow().hash() => {
            (Change::Unchanged, Arc::clone(known))
        }
        Some(_) => (Change::Changed, Arc::new(served)),
    }
}
