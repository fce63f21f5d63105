//! LLVM's tools that read counts: those of the toolchain, or of the system, and installed by name where there are none.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use crate::{tools, workspace};

/// The first version that reads what today's compiler writes, as a package of the system.
const OLDEST: u32 = 19;

/// Where the two programs are, and how they are called there.
pub(super) struct Llvm {
    folder: PathBuf,
}

impl Llvm {
    /// Finds them, or installs them: `llvm-tools` of rustup first, then the system's package.
    ///
    /// # Errors
    /// They are not to be had; the message names both.
    pub(super) fn provide() -> Result<Self> {
        if let Some(found) = Self::find()? {
            return Ok(found);
        }
        let added = workspace::run(Command::new("rustup").args(["component", "add", "llvm-tools"]));
        if let (Ok(()), Some(found)) = (added, Self::find()?) {
            return Ok(found);
        }
        let package = format!("llvm-{OLDEST}");
        tools::install(&[&package]).with_context(|| {
            format!(
                "llvm-profdata and llvm-cov are missing; `rustup component add llvm-tools` or the package {package} brings them"
            )
        })?;
        Self::find()?.with_context(|| format!("the package {package} was installed, but its llvm-profdata is not there"))
    }

    fn find() -> Result<Option<Self>> {
        let of_toolchain = workspace::sysroot()?.join("lib/rustlib").join(workspace::host()?).join("bin");
        let folders = std::iter::once(of_toolchain).chain(of_system());
        Ok(folders
            .map(|folder| Self { folder })
            .find(|llvm| llvm.tool("llvm-profdata").is_file() && llvm.tool("llvm-cov").is_file()))
    }

    fn tool(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{name}{}", std::env::consts::EXE_SUFFIX))
    }

    /// Adds up what every process counted. A file that a killed process has left half written is left out.
    pub(super) fn merge(&self, raw: &[PathBuf], to: &Path) -> Result<()> {
        let list = to.with_extension("list");
        let names: Vec<String> = raw.iter().map(|path| path.display().to_string()).collect();
        fs::write(&list, names.join("\n")).with_context(|| format!("{} cannot be written", list.display()))?;
        let mut command = Command::new(self.tool("llvm-profdata"));
        command.args(["merge", "--sparse", "--failure-mode=all", "--input-files"]).arg(&list).arg("--output").arg(to);
        workspace::run(&mut command)
    }

    /// How many lines of each file there are, and how many were reached.
    pub(super) fn export(&self, profile: &Path, programs: &[PathBuf]) -> Result<Value> {
        ensure!(!programs.is_empty(), "cargo built no program");
        let mut command = Command::new(self.tool("llvm-cov"));
        command.args(["export", "--summary-only", "--instr-profile"]).arg(profile);
        for program in programs {
            command.arg("--object").arg(program);
        }
        serde_json::from_str(&workspace::output(&mut command)?).context("llvm-cov wrote something that is not JSON")
    }
}

/// Where the system's packages put them, the newest first.
fn of_system() -> Vec<PathBuf> {
    let mut versions: Vec<u32> = fs::read_dir("/usr/lib")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.strip_prefix("llvm-")?.parse().ok())
        .filter(|version| *version >= OLDEST)
        .collect();
    versions.sort_unstable_by(|one, other| other.cmp(one));
    versions.iter().map(|version| PathBuf::from(format!("/usr/lib/llvm-{version}/bin"))).collect()
}
