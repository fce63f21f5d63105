//! Everything that has to hold before a change is taken, step by step, with the time each step took.

use anyhow::{Result, bail};
use clap::ValueEnum;

use crate::campaign::api;
use crate::{clock, strangers, tidy, tools, workspace};

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Runs this step alone.
    #[arg(long, value_name = "STEP")]
    only: Option<Step>,
}

/// The steps, in the order in which they run: what is quick to say no comes first.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Step {
    /// The programs that the tests need, installed where they are missing.
    Tools,
    /// Everything is formatted.
    Fmt,
    /// Clippy has nothing to say.
    Clippy,
    /// The tests pass, those in the documentation too, and the examples build.
    Test,
    /// The documentation builds without a warning.
    Doc,
    /// The walls between the crates, and what else clippy cannot see.
    Tidy,
    /// The service answers as its OpenAPI document says, to what that allows and to what it forbids.
    Api,
    /// Crates outside the workspace that have a database library already build beside handfast.
    Strangers,
}

impl Step {
    const fn name(self) -> &'static str {
        match self {
            Self::Tools => "tools",
            Self::Fmt => "fmt",
            Self::Clippy => "clippy",
            Self::Test => "test",
            Self::Doc => "doc",
            Self::Tidy => "tidy",
            Self::Api => "api",
            Self::Strangers => "strangers",
        }
    }

    /// Runs it. Where the tests have run and passed, the programs that they start are built.
    fn run(self, has_tested: bool) -> Result<()> {
        match self {
            Self::Tools => tools::provide(),
            Self::Fmt => workspace::run(workspace::cargo().args(["fmt", "--all", "--check"])),
            Self::Clippy => workspace::run(workspace::cargo().args([
                "clippy",
                "--locked",
                "--workspace",
                "--all-targets",
                "--",
                "--deny",
                "warnings",
            ])),
            Self::Test => workspace::run(workspace::cargo().args(["test", "--locked", "--workspace"])),
            Self::Doc => document(),
            Self::Tidy => tidy::check(has_tested),
            Self::Api => {
                let tested = if has_tested { workspace::tested_handfast(&workspace::metadata()?)? } else { None };
                api::run(&tested.map_or_else(workspace::build_handfast, Ok)?, api::SHORT)
            }
            Self::Strangers => strangers::check(),
        }
    }
}

/// Runs every step (or the one that is asked for), even after one that does not hold, and says at the end which those were.
///
/// # Errors
/// If a step does not hold.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let steps: Vec<Step> = match arguments.only {
        Some(step) => vec![step],
        None => Step::value_variants().to_vec(),
    };
    let names: Vec<&str> = steps.iter().map(|step| step.name()).collect();
    eprintln!("ci: {}", names.join(", "));
    let (mut report, mut has_tested) = (Vec::new(), false);
    for (number, step) in steps.iter().enumerate() {
        eprintln!("\n== {} of {}: {}", number + 1, steps.len(), step.name());
        let (result, took) = clock::timed(|| step.run(has_tested));
        has_tested |= matches!(step, Step::Test) && result.is_ok();
        if let Err(error) = &result {
            eprintln!("{}: {error:#}", step.name());
        }
        report.push((step.name(), result.is_ok(), took));
    }
    eprintln!();
    for (name, holds, took) in &report {
        eprintln!("{name:<10}{:<14}{:>7.1} s", if *holds { "holds" } else { "DOES NOT HOLD" }, took.as_secs_f64());
    }
    let broken: Vec<&str> = report.iter().filter(|(_, holds, _)| !holds).map(|(name, ..)| *name).collect();
    if !broken.is_empty() {
        bail!(
            "ci does not hold: {}; what is wrong stands above, `cargo xtask ci --only {}` runs it alone",
            broken.join(", "),
            broken[0]
        );
    }
    eprintln!("ci holds");
    Ok(())
}

/// The command line and the library are both called `handfast`, so their documentation is built one after the other:
/// the library's is what is left.
fn document() -> Result<()> {
    let cargo_doc = || {
        let mut command = workspace::cargo();
        command.env("RUSTDOCFLAGS", "-D warnings").args(["doc", "--locked", "--no-deps"]);
        command
    };
    workspace::run(cargo_doc().args(["--package", "handfast-cli", "--document-private-items"]))?;
    workspace::run(cargo_doc().args(["--workspace", "--exclude", "handfast-cli"]))
}
