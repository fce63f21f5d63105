//! What the commands that run for long are told about their logs.

use anyhow::Context as _;
use clap::ValueEnum;
use tracing::level_filters::LevelFilter;

use crate::output::Output;
use crate::output::log;

/// Options of every command that logs.
#[derive(Debug, clap::Args)]
pub(crate) struct LogArgs {
    /// How the log on standard error is written: text for people, or json, one object a line.
    #[arg(
        long,
        value_name = "FORM",
        env = "HANDFAST_LOG",
        default_value = "text",
        hide_possible_values = true,
        help_heading = "Output"
    )]
    log: Form,
    /// The least grave lines that are logged: off, error, warn, info or debug. Where nothing is said it is info, but in the
    /// text of run error, since it tells the rest in its own words; with --quiet only errors are logged.
    #[arg(long, value_name = "LEVEL", env = "HANDFAST_LOG_LEVEL", hide_possible_values = true, help_heading = "Output")]
    log_level: Option<Most>,
}

impl LogArgs {
    /// Begins to log, for a command that says nothing by itself of what happens.
    ///
    /// # Errors
    /// The system starts no thread for it.
    pub(crate) fn install(&self, output: &Output) -> anyhow::Result<()> {
        self.install_at(Most::Info, output)
    }

    /// Begins to log beside a command that tells people by itself what happens.
    ///
    /// # Errors
    /// The system starts no thread for it.
    pub(crate) fn install_beside_notes(&self, output: &Output) -> anyhow::Result<()> {
        let most = match self.log {
            Form::Text => Most::Error,
            Form::Json => Most::Info,
        };
        self.install_at(most, output)
    }

    fn install_at(&self, most: Most, output: &Output) -> anyhow::Result<()> {
        let form = match self.log {
            Form::Text => log::Form::Text,
            Form::Json => log::Form::Json,
        };
        let most = match self.log_level.unwrap_or(most) {
            Most::Off => LevelFilter::OFF,
            Most::Error => LevelFilter::ERROR,
            Most::Warn => LevelFilter::WARN,
            Most::Info => LevelFilter::INFO,
            Most::Debug => LevelFilter::DEBUG,
        };
        let most = if output.is_quiet() { most.min(LevelFilter::ERROR) } else { most };
        log::install(form, most).context("cannot start the thread that writes the log")
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum Form {
    Text,
    Json,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum Most {
    Off,
    Error,
    Warn,
    Info,
    Debug,
}
