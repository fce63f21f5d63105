//! What the commands that run for long are told about their logs.

use anyhow::Context as _;
use clap::ValueEnum;
use tracing::level_filters::LevelFilter;

use crate::log;
use crate::output::Output;

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
    /// The least grave lines that are logged: off, error, warn, info or debug. With --quiet only errors are.
    #[arg(
        long,
        value_name = "LEVEL",
        env = "HANDFAST_LOG_LEVEL",
        default_value = "info",
        hide_possible_values = true,
        help_heading = "Output"
    )]
    log_level: Most,
}

impl LogArgs {
    /// Begins to log.
    ///
    /// # Errors
    /// The system starts no thread for it.
    pub(crate) fn install(&self, output: &Output) -> anyhow::Result<()> {
        let form = match self.log {
            Form::Text => log::Form::Text,
            Form::Json => log::Form::Json,
        };
        let most = match self.log_level {
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
