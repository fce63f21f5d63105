//! The programs that the tests need from the system: looked for, and installed by package name where that is possible.
use std::env;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::workspace;

/// A program that some test starts, or a font that it reads, and the package it comes in.
struct Tool {
    program: &'static str,
    package: &'static str,
    wanted_for: &'static str,
}

/// Programs that are taken out of their package, which is not installed: it would start a daemon, and bring what nobody needs here.
const TAKEN_OUT: &[Tool] =
    &[Tool { program: "promtool", package: "prometheus", wanted_for: "checking the metrics, and testing the alert rules" }];

/// Where they are put, under the workspace's root. Tests look there.
const FOLDER: &str = "target/tools";

/// Where fonts-dejavu-core has its fonts.
const FONTS: &str = "/usr/share/fonts/truetype/dejavu";

#[cfg(target_os = "linux")]
const TOOLS: &[Tool] = &[
    Tool { program: "faketime", package: "faketime", wanted_for: "workers whose clocks are not the same" },
    Tool { program: "strace", package: "strace", wanted_for: "counting the flushes between an append and a send" },
    Tool { program: "sqlite3", package: "sqlite3", wanted_for: "recomputing the demo's table without our code" },
    Tool { program: "python3", package: "python3", wanted_for: "generals that are programs in Python" },
    Tool { program: "DejaVuSans.ttf", package: "fonts-dejavu-core", wanted_for: "laying out our pictures in the font they name" },
    Tool { program: "postgres", package: "postgresql", wanted_for: "a participant whose books are in PostgreSQL" },
];

#[cfg(not(target_os = "linux"))]
const TOOLS: &[Tool] = &[
    Tool { program: "sqlite3", package: "sqlite3", wanted_for: "recomputing the demo's table without our code" },
    Tool { program: "python3", package: "python3", wanted_for: "generals that are programs in Python" },
];

/// Sees to it that every program the tests start is there.
///
/// # Errors
/// If one is missing and cannot be installed; the message names the packages.
pub(crate) fn provide() -> Result<()> {
    for component in ["fmt", "clippy"] {
        workspace::output(workspace::cargo().args([component, "--version"]))
            .with_context(|| format!("cargo {component} is missing; `rustup component add rustfmt clippy` brings it"))?;
    }
    for tool in TAKEN_OUT.iter().filter(|tool| find(tool.program).is_none()) {
        eprintln!("{} is missing (package {}); it is needed for {}", tool.program, tool.package, tool.wanted_for);
        take_out(tool)?;
    }
    let missing: Vec<&Tool> = TOOLS.iter().filter(|tool| find(tool.program).is_none()).collect();
    if missing.is_empty() {
        let programs: Vec<&str> = TOOLS.iter().chain(TAKEN_OUT).map(|tool| tool.program).collect();
        eprintln!("nothing to install: {} are here", programs.join(", "));
        return Ok(());
    }
    for tool in &missing {
        eprintln!("{} is missing (package {}); it is needed for {}", tool.program, tool.package, tool.wanted_for);
    }
    let packages: Vec<&str> = missing.iter().map(|tool| tool.package).collect();
    install(&packages)?;
    match missing.iter().find(|tool| find(tool.program).is_none()) {
        Some(tool) => bail!("the package {} was installed, but there is no program {} on the PATH", tool.package, tool.program),
        None => Ok(()),
    }
}

/// Downloads a package of the system, and takes one program out of it. Nothing is installed, and nothing is started.
///
/// # Errors
/// There is no such package here; the message names it.
fn take_out(tool: &Tool) -> Result<()> {
    let Tool { program, package, .. } = *tool;
    let by_hand = || format!("put {program} of the package {package} on the PATH, then run this again");
    let folder = workspace::root().join(FOLDER);
    let unpacked = folder.join(package);
    fs::create_dir_all(&unpacked).with_context(|| format!("{} cannot be made", unpacked.display()))?;
    let download = || workspace::run(Command::new("apt-get").args(["download", package]).current_dir(&unpacked));
    if download().is_err() {
        // Perhaps what is known of packages is old, or nothing is known yet.
        let prefix = administrator().with_context(by_hand)?;
        let words: Vec<&str> = prefix.iter().copied().chain(["apt-get", "update"]).collect();
        workspace::run(Command::new(words[0]).args(&words[1..])).with_context(by_hand)?;
        download().with_context(by_hand)?;
    }
    let downloaded = fs::read_dir(&unpacked)?.filter_map(|entry| Some(entry.ok()?.path()));
    let archive = downloaded.filter(|path| path.extension().is_some_and(|is| is == "deb")).max().with_context(by_hand)?;
    workspace::run(Command::new("dpkg-deb").arg("--extract").arg(&archive).arg(&unpacked)).with_context(by_hand)?;
    fs::rename(unpacked.join("usr/bin").join(program), folder.join(program)).with_context(by_hand)?;
    fs::remove_dir_all(&unpacked).with_context(|| format!("{} cannot be removed", unpacked.display()))
}

/// Installs packages of the system where there is `apt-get` and somebody who may use it.
///
/// # Errors
/// They cannot be installed; the message names them.
pub(crate) fn install(packages: &[&str]) -> Result<()> {
    let by_hand = format!("install the packages {} with the system's package manager, then run this again", packages.join(" "));
    if find("apt-get").is_none() {
        bail!("programs are missing, and there is no apt-get here: {by_hand}");
    }
    let Some(prefix) = administrator() else {
        bail!("programs are missing, and neither root nor `sudo -n` is available: {by_hand}");
    };
    let apt = |arguments: &[&str]| {
        let words: Vec<&str> = prefix.iter().copied().chain(["env", "DEBIAN_FRONTEND=noninteractive", "apt-get"]).collect();
        let mut command = Command::new(words[0]);
        command.args(&words[1..]).args(arguments);
        workspace::run(&mut command)
    };
    apt(&["update"]).context(by_hand.clone())?;
    apt(&[&["install", "--yes", "--no-install-recommends"], packages].concat()).context(by_hand)
}

/// The words that make a command run as root without asking for anything, or `None` where nothing does.
fn administrator() -> Option<&'static [&'static str]> {
    let id = workspace::output(Command::new("id").arg("-u")).ok()?;
    if id.trim() == "0" {
        return Some(&[]);
    }
    find("sudo")?;
    workspace::output(Command::new("sudo").args(["-n", "true"])).ok().map(|_| ["sudo", "-n"].as_slice())
}

/// Where a program is: on the PATH, where programs are put that were taken out, or where PostgreSQL keeps its own. A font is where its package puts it.
fn find(program: &str) -> Option<PathBuf> {
    let on_path = env::var_os("PATH")?;
    let of_postgres =
        fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten().map(|version| version.path().join("bin"));
    env::split_paths(&on_path)
        .chain(of_postgres)
        .chain([PathBuf::from(FONTS), workspace::root().join(FOLDER)])
        .map(|folder| folder.join(program))
        .find(|path| path.is_file())
}
