//! The flow of a command, or its flows: which files, and what somebody accepts that they cannot promise.

use std::path::PathBuf;
use std::sync::Arc;

use clap::builder::PossibleValuesParser;
use handfast::flow_file::FlowFile;
use handfast::{Flow, Risk};
use handfast_server::flows::{AcceptedRisk, FlowSources};

use crate::output::log;
use crate::output::{Exit, OrExit as _};

#[derive(Debug, clap::Args)]
pub(crate) struct FlowArgs {
    /// The flow that every order follows.
    #[arg(long, value_name = "FLOW.toml", env = "HANDFAST_FLOW")]
    pub(crate) flow: PathBuf,
    /// Start although the flow cannot promise everything, by the name of the risk; once for each.
    #[arg(
        long,
        value_name = "NAME",
        env = "HANDFAST_ACCEPT_RISK",
        value_delimiter = ',',
        value_parser = PossibleValuesParser::new(Risk::NAMES),
        hide_possible_values = true
    )]
    pub(crate) accept_risk: Vec<String>,
}

/// The flows of a service.
#[derive(Debug, clap::Args)]
pub(crate) struct FlowsArgs {
    /// A flow whose orders are taken, or a folder, of which every *.toml is one. May be said several times; HANDFAST_FLOW
    /// names one file or folder.
    #[arg(long, value_name = "FLOW.toml|DIR", env = "HANDFAST_FLOW", required = true)]
    pub(crate) flow: Vec<PathBuf>,
    /// Start although a flow cannot promise everything, by the name of the risk; once for each. Where there are several flows, as
    /// FLOW:RISK.
    #[arg(long, value_name = "[FLOW:]RISK", env = "HANDFAST_ACCEPT_RISK", value_delimiter = ',')]
    pub(crate) accept_risk: Vec<AcceptedRisk>,
}

impl FlowsArgs {
    /// Where the flows are read from.
    pub(crate) fn sources(&self) -> FlowSources {
        FlowSources::new(self.flow.clone(), self.accept_risk.clone()).telling(|file| log::keep_back(file.secrets()))
    }
}

/// A flow file, and the flow as it is driven.
#[derive(Debug)]
pub(crate) struct ChosenFlow {
    pub(crate) file: FlowFile,
    pub(crate) flow: Arc<Flow>,
}

impl FlowArgs {
    /// Reads the flow. Whatever stands in its way is said before anything is opened or sent.
    ///
    /// # Errors
    /// The file is wrong, a risk was not accepted, or a participant cannot be had.
    pub(crate) fn read(&self) -> anyhow::Result<ChosenFlow> {
        let file = FlowFile::read(&self.flow).or_exit(Exit::Usage)?;
        let flow = file.flow(&self.accept_risk).or_exit(Exit::Usage)?;
        file.check_participants(&[]).or_exit(Exit::Usage)?;
        Ok(ChosenFlow { file, flow })
    }
}
