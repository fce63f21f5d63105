//! Where the flows of a service are read from: files, and folders of files.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use handfast::flow_file::FlowFile;

use super::{Flows, FlowsError, ServedFlow};

/// The flow files and folders that a service was started with, and what a person accepts that their flows cannot promise.
#[derive(Clone)]
pub struct FlowSources {
    paths: Vec<PathBuf>,
    accepted: Vec<String>,
    /// Is told of every file that is read and counts, before anything else is.
    told: Arc<dyn Fn(&FlowFile) + Send + Sync>,
}

impl FlowSources {
    /// These files, and every `*.toml` of these folders; `accepted` names the risks that a person takes.
    #[must_use]
    pub fn new(paths: Vec<PathBuf>, accepted: Vec<String>) -> Self {
        Self { paths, accepted, told: Arc::new(|_file| {}) }
    }

    /// The same, of which `told` hears every file that counts from now on: so that its secrets are kept out of a log, for instance.
    #[must_use]
    pub fn telling(self, told: impl Fn(&FlowFile) + Send + Sync + 'static) -> Self {
        Self { told: Arc::new(told), ..self }
    }

    pub(super) fn tell(&self, file: &FlowFile) {
        (self.told)(file);
    }

    /// Reads every flow, and checks them together.
    ///
    /// # Errors
    /// The first thing that stands in the way, with its place.
    pub fn read(&self) -> Result<Flows, FlowsError> {
        let flows = self.files()?.iter().map(|path| self.read_one(path).map(Arc::new)).collect::<Result<Vec<_>, _>>()?;
        flows.iter().for_each(|served| self.tell(served.file()));
        Flows::of(flows)
    }

    /// The flow of one file.
    pub(super) fn read_one(&self, path: &Path) -> Result<ServedFlow, FlowsError> {
        ServedFlow::with_secrets(FlowFile::read(path)?, &self.accepted)
    }

    /// Every file there is now: those that were named, and those of the folders that were, by name.
    pub(super) fn files(&self) -> Result<Vec<PathBuf>, FlowsError> {
        let mut files = Vec::new();
        for path in &self.paths {
            if path.is_dir() {
                files.extend(in_folder(path)?);
            } else {
                files.push(path.clone());
            }
        }
        Ok(files)
    }
}

impl fmt::Debug for FlowSources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { paths, accepted, told: _ } = self;
        f.debug_struct("FlowSources").field("paths", paths).field("accepted", accepted).finish_non_exhaustive()
    }
}

/// The flow files of a folder. What begins with a dot is none: editors and orchestrators keep files of their own so.
fn in_folder(folder: &Path) -> Result<Vec<PathBuf>, FlowsError> {
    let refused = |why: String| FlowsError::Folder { folder: folder.display().to_string(), why };
    let unread = |error: std::io::Error| refused(format!("the folder cannot be read: {error}"));
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(unread)? {
        let path = entry.map_err(unread)?.path();
        let is_hidden = path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
        if !is_hidden && path.extension().is_some_and(|extension| extension == "toml") && !path.is_dir() {
            files.push(path);
        }
    }
    files.sort();
    if files.is_empty() {
        return Err(refused(
            "there is no flow file in it, which is one whose name ends in .toml; name another folder".to_owned(),
        ));
    }
    Ok(files)
}
