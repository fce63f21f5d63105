//! Where sagas are kept: the store a command was given, or the default one.

use std::env;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use handfast::store::{self, Store, StoreError};

use crate::output::{Exit, OrExit as _};

/// Opens the store that `url` names.
///
/// # Errors
/// A store that cannot be used as it is ends with [`Exit::Usage`].
pub(crate) fn open_store(url: &str) -> anyhow::Result<Arc<dyn Store>> {
    store::open(url).or_else(|error| match error {
        StoreError::Newer { .. } | StoreError::NotOurs { .. } | StoreError::Open { .. } => Err(error).or_exit(Exit::Usage),
        StoreError::Conflict | StoreError::Unavailable(_) | StoreError::Corrupt { .. } => Err(error.into()),
    })
}

/// The store of a flow where none was named: a file where programs keep their state. Its directory is made.
///
/// # Errors
/// There is no such place.
pub(crate) fn default_store(flow: &str) -> anyhow::Result<String> {
    let directory = directory(|name| env::var_os(name).map(PathBuf::from)).or_exit(Exit::Usage)?;
    std::fs::create_dir_all(&directory)
        .with_context(|| format!("cannot create {}; say --store sqlite:FILE", directory.display()))
        .or_exit(Exit::Usage)?;
    let path = directory.join(format!("{flow}.db"));
    match path.to_str() {
        Some(path) => Ok(format!("sqlite:{path}")),
        None => Err(anyhow::anyhow!("{} is not UTF-8 text; say --store sqlite:FILE", path.display())).or_exit(Exit::Usage),
    }
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
