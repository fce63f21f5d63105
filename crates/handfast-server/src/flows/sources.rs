//! Where the flows of a service are read from: files, and folders of files.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use handfast::Risk;
use handfast::flow_file::FlowFile;
use handfast_toml::suggest;

use super::{Flows, FlowsError, ServedFlow};

/// A risk that a person takes, of one flow.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AcceptedRisk {
    /// The flow; left out, it is the only one there is at the start.
    pub flow: Option<String>,
    /// The name of the risk.
    pub risk: String,
}

impl std::str::FromStr for AcceptedRisk {
    type Err = String;

    /// Reads `RISK`, or `FLOW:RISK`.
    fn from_str(text: &str) -> Result<Self, String> {
        let (flow, risk) = text.split_once(':').map_or((None, text), |(flow, risk)| (Some(flow.to_owned()), risk));
        if Risk::NAMES.contains(&risk) {
            return Ok(Self { flow, risk: risk.to_owned() });
        }
        Err(format!("{risk:?} is no risk; {}", suggest::hint(risk, Risk::NAMES)))
    }
}

/// The flow files and folders that a service was started with, and what a person accepts that their flows cannot promise.
#[derive(Clone)]
pub struct FlowSources {
    paths: Vec<PathBuf>,
    accepted: Vec<AcceptedRisk>,
    /// Is told of every file that is read and counts, before anything else is.
    told: Arc<dyn Fn(&FlowFile) + Send + Sync>,
}

impl FlowSources {
    /// These files, and every `*.toml` of these folders; `accepted` names the risks that a person takes.
    #[must_use]
    pub fn new(paths: Vec<PathBuf>, accepted: Vec<AcceptedRisk>) -> Self {
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

    /// Reads every flow, and checks them together. What is accepted is bound to the flows that there are now: one that comes later
    /// has to be named.
    ///
    /// # Errors
    /// The first thing that stands in the way, with its place.
    pub fn read(&mut self) -> Result<Flows, FlowsError> {
        self.bind()?;
        let flows = self.files()?.iter().map(|path| self.read_one(path).map(Arc::new)).collect::<Result<Vec<_>, _>>()?;
        flows.iter().for_each(|served| self.tell(served.file()));
        Flows::of(flows)
    }

    /// Says of every risk that is accepted of which flow it is.
    fn bind(&mut self) -> Result<(), FlowsError> {
        if self.accepted.is_empty() {
            return Ok(());
        }
        let files = self.files()?.iter().map(|path| FlowFile::read(path)).collect::<Result<Vec<_>, _>>()?;
        let names: Vec<&str> = files.iter().map(FlowFile::name).collect();
        for AcceptedRisk { flow, risk } in &mut self.accepted {
            match (flow.as_deref(), names.as_slice()) {
                (Some(flow), names) if names.contains(&flow) => {}
                (Some(flow), names) => {
                    let known = names.iter().map(ToString::to_string).collect();
                    return Err(FlowsError::NoSuchFlow { risk: risk.clone(), flow: flow.to_owned(), known });
                }
                (None, [only]) => *flow = Some((*only).to_owned()),
                (None, names) => {
                    let flow = names.first().copied().unwrap_or("shop").to_owned();
                    return Err(FlowsError::WhichFlow { risk: risk.clone(), flow });
                }
            }
        }
        Ok(())
    }

    /// The flow of one file.
    pub(super) fn read_one(&self, path: &Path) -> Result<ServedFlow, FlowsError> {
        let file = FlowFile::read(path)?;
        let of_it = |accepted: &&AcceptedRisk| accepted.flow.as_deref() == Some(file.name());
        let accepted: Vec<&str> = self.accepted.iter().filter(of_it).map(|accepted| accepted.risk.as_str()).collect();
        ServedFlow::with_secrets(file, &accepted)
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
