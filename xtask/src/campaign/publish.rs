//! The campaign of publishing: every crate is packed, and built from what was packed, and nothing leaves this machine.

use anyhow::{Context as _, Result, ensure};

use crate::workspace;

/// Packs and builds them. Gives the report.
///
/// # Errors
/// Something would not go to the registry as it is.
pub(super) fn run() -> Result<String> {
    workspace::run(workspace::cargo().args(["publish", "--workspace", "--dry-run", "--locked"]))
        .context("a crate cannot be published as it is; what is wrong stands above")?;
    let metadata = workspace::metadata()?;
    let members = metadata["workspace_members"].as_array().context("cargo metadata names no members")?;
    let packages = metadata["packages"].as_array().context("cargo metadata names no packages")?;
    let is_ours = |package: &&serde_json::Value| members.contains(&package["id"]) && package["publish"].is_null();
    let names: Vec<&str> = packages.iter().filter(is_ours).filter_map(|package| package["name"].as_str()).collect();
    ensure!(!names.is_empty(), "no crate of the workspace is meant to be published");
    let report = format!(
        "# Publishing\n\n`cargo xtask campaign publish`: packed, and built from what was packed: {}.\n",
        names.join(", ")
    );
    println!("{}", report.trim_end());
    Ok(report)
}
