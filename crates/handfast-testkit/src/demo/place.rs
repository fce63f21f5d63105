//! Where a demo has its books, and how anybody counts them again.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

use super::books;

/// How anybody recomputes the table of the demo in this directory with the `sqlite3` program.
#[must_use]
pub fn recount(dir: &Path) -> String {
    let mut text = String::from("the table from the books, with nothing of ours:\n");
    for way in ["handfast", "usual-way"] {
        text.push_str(&format!("\ncd {} && sqlite3 <<'SQL'\n", dir.join(way).display()));
        text.push_str("ATTACH 'payment.db' AS payment; ATTACH 'dispatch.db' AS dispatch;\n");
        for (what, query) in books::queries() {
            text.push_str(&format!("-- {what}\n{query}\n"));
        }
        text.push_str("SQL\n");
    }
    text
}

/// Where the books are: a directory to be kept, or one that goes with the demo.
#[derive(Debug)]
pub enum Place {
    /// To be kept.
    Kept(PathBuf),
    /// Gone with this value.
    Passing(tempfile::TempDir),
}

impl Place {
    /// A directory for the books: this one, or one that passes.
    ///
    /// # Errors
    /// It cannot be made, or is not empty.
    pub fn new(keep: Option<&Path>) -> anyhow::Result<Self> {
        let Some(dir) = keep else {
            return Ok(Self::Passing(tempfile::Builder::new().prefix("handfast-demo-").tempdir()?));
        };
        std::fs::create_dir_all(dir)
            .with_context(|| format!("cannot make the directory {}; give --keep another one", dir.display()))?;
        let dir = dir.canonicalize().with_context(|| format!("cannot find the directory {}", dir.display()))?;
        let mut entries = std::fs::read_dir(&dir).with_context(|| format!("cannot read the directory {}", dir.display()))?;
        if entries.next().is_some() {
            bail!("{} is not empty, and a demo starts with empty books; give --keep another directory", dir.display());
        }
        Ok(Self::Kept(dir))
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        match self {
            Self::Kept(dir) => dir,
            Self::Passing(dir) => dir.path(),
        }
    }

    /// Keeps a directory that would pass, and says where it is: what went wrong is not thrown away.
    #[must_use]
    pub fn keep_for_inspection(self) -> Option<PathBuf> {
        match self {
            Self::Kept(_) => None,
            Self::Passing(dir) => Some(dir.keep()),
        }
    }
}
