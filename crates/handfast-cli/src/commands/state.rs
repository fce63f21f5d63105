//! Where sagas are kept: the store a command was given, or the default one.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{env, fs};

use anyhow::{Context as _, bail};
use handfast::store::{self, Store, StoreError};

use crate::output::{Exit, OrExit as _};

/// Opens the store that `url` names, which has to outlive the process.
///
/// # Errors
/// A store that cannot be used as it is ends with [`Exit::Usage`].
pub(crate) fn open_store(url: &str) -> anyhow::Result<Arc<dyn Store>> {
    if url.starts_with("memory:") {
        let why = "a store in memory is gone with its process, and every order in it; say --store sqlite:FILE";
        return Err(anyhow::Error::msg(why)).or_exit(Exit::Usage);
    }
    store::open(url).or_else(with_its_exit)
}

/// Opens the store that `url` names to look into it. Nothing is changed, so an archived one will do.
///
/// # Errors
/// As [`open_store`].
pub(crate) fn open_store_to_read(url: &str) -> anyhow::Result<Arc<dyn Store>> {
    store::open_to_read(url).or_else(with_its_exit)
}

/// The exit code that a store which was not opened deserves.
pub(crate) fn with_its_exit<T>(error: StoreError) -> anyhow::Result<T> {
    match error {
        StoreError::Newer { .. } | StoreError::NotOurs { .. } | StoreError::Backup { .. } | StoreError::Open { .. } => {
            Err(error).or_exit(Exit::Usage)
        }
        StoreError::Conflict
        | StoreError::Unavailable(_)
        | StoreError::Gone { .. }
        | StoreError::Damaged { .. }
        | StoreError::Corrupt { .. } => Err(error.into()),
        _ => Err(error.into()),
    }
}

/// The store of a flow where none was named: a file where programs keep their state. Its directory is made.
///
/// # Errors
/// There is no such place.
pub(crate) fn default_store(flow: &str) -> anyhow::Result<String> {
    let directory = directory(environment).or_exit(Exit::Usage)?;
    fs::create_dir_all(&directory)
        .with_context(|| format!("cannot create {}; say --store sqlite:FILE", directory.display()))
        .or_exit(Exit::Usage)?;
    url(&directory, flow).or_exit(Exit::Usage)
}

/// The store to look into where none was named: the default one of the flow, or else the only one there is.
///
/// # Errors
/// There is no such place, or there are several stores in it.
pub(crate) fn kept_store(flow: Option<&str>) -> anyhow::Result<String> {
    let directory = directory(environment)?;
    if let Some(flow) = flow {
        return url(&directory, flow);
    }
    let flows = stores_in(&directory);
    match flows.as_slice() {
        [only] => url(&directory, only),
        [] => bail!("there is no store in {}; say --store sqlite:FILE", directory.display()),
        several => bail!(
            "there are several stores in {}: {}; say which by --flow FLOW.toml or --store sqlite:FILE",
            directory.display(),
            several.join(", ")
        ),
    }
}

/// The flows that have a default store in this directory.
fn stores_in(directory: &Path) -> Vec<String> {
    // A directory that cannot be read holds nothing that could be looked into.
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    let mut flows: Vec<String> =
        entries.filter_map(|entry| Some(entry.file_name().to_str()?.strip_suffix(".db")?.to_owned())).collect();
    flows.sort_unstable();
    flows
}

fn url(directory: &Path, flow: &str) -> anyhow::Result<String> {
    let path = directory.join(format!("{flow}.db"));
    let path = path.to_str().with_context(|| format!("{} is not UTF-8 text; say --store sqlite:FILE", path.display()))?;
    Ok(format!("sqlite:{path}"))
}

fn environment(name: &str) -> Option<PathBuf> {
    env::var_os(name).map(PathBuf::from)
}

/// systemd's directory for the service, or the XDG base directories' place for state. Relative ones do not count.
fn directory(variable: impl Fn(&str) -> Option<PathBuf>) -> anyhow::Result<PathBuf> {
    let absolute = |name| variable(name).filter(|path| path.is_absolute());
    if let Some(given) = absolute("STATE_DIRECTORY") {
        // systemd separates several by colons.
        let first = given.to_string_lossy().split(':').next().map(PathBuf::from);
        return Ok(first.unwrap_or(given));
    }
    if let Some(state) = absolute("XDG_STATE_HOME") {
        return Ok(state.join("handfast"));
    }
    match absolute("HOME") {
        Some(home) => Ok(home.join(".local/state/handfast")),
        None => bail!("neither XDG_STATE_HOME nor HOME says where to keep orders; say --store sqlite:FILE"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(variables: &[(&str, &str)], expected: Option<&str>) {
        let variable = |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| PathBuf::from(value));
        assert_eq!(directory(variable).ok(), expected.map(PathBuf::from), "{variables:?}");
    }

    #[test]
    fn state_is_kept_where_the_system_wants_it() {
        check(&[("HOME", "/home/a")], Some("/home/a/.local/state/handfast"));
        check(&[("HOME", "/home/a"), ("XDG_STATE_HOME", "/var/a")], Some("/var/a/handfast"));
        check(&[("HOME", "/home/a"), ("XDG_STATE_HOME", "relative")], Some("/home/a/.local/state/handfast"));
        check(&[("HOME", "/home/a"), ("STATE_DIRECTORY", "/var/lib/shop")], Some("/var/lib/shop"));
        check(&[("STATE_DIRECTORY", "/var/lib/shop:/var/lib/more")], Some("/var/lib/shop"));
        check(&[("HOME", "")], None);
        check(&[], None);
    }
}
