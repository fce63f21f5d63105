//! What the generals have agreed on, as it is typed: a protocol and its parameters, for every question alike.

use std::path::Path;

use anyhow::anyhow;
use handfast_lab::generals::{
    Limits, Parameter, Ratio, Shipped, SizeError, Sizes, StrategyFile, Table, find_shipped, shipped_names,
};
use handfast_programs::{PREFIX, Programs, TIME_LIMIT_MS};
use handfast_toml::read_text;

use crate::numbers;
use crate::output::{Exit, OrExit as _, Output};

/// The protocol and its parameters. A parameter that the protocol does not have is refused.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Protocol")]
pub(crate) struct Agreed {
    /// always, reply, reply-each, handshake, random-attack, email, ready-ready, a strategy file, or exec:COMMAND
    #[arg(value_name = "PROTOCOL")]
    pub(crate) protocol: String,
    /// Messengers in a wave, or in every step of a handshake [default: 1]
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = numbers::whole(0..=u32::MAX, 3))]
    pub(crate) messengers: Option<u32>,
    /// Messengers in the reply wave [default: 1]
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = numbers::whole(0..=u32::MAX, 3))]
    pub(crate) replies: Option<u32>,
    /// Steps of a handshake, or the threshold of email [default: 3]
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = numbers::whole(0..=u32::MAX, 3))]
    pub(crate) steps: Option<u32>,
    /// Rounds of an exchange; for ready-ready the tick of the deadline [default: 3]
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = numbers::whole(0..=u32::MAX, 3))]
    pub(crate) rounds: Option<u32>,
    /// Another program for general 2, where PROTOCOL is exec:COMMAND [default: the same]
    #[arg(long, value_name = "exec:COMMAND")]
    pub(crate) second: Option<String>,
    /// How long a program may take for one answer, in milliseconds [default: 2000]
    #[arg(long, value_name = "MS", value_parser = numbers::whole(1..=3_600_000_u64, 500))]
    pub(crate) time_limit_ms: Option<u64>,
}

impl Agreed {
    /// The protocol of this name, with `--messengers`, `--replies`, `--steps` and `--rounds` where they are given.
    pub(crate) const fn named(protocol: String, [messengers, replies, steps, rounds]: [Option<u32>; 4]) -> Self {
        Self { protocol, messengers, replies, steps, rounds, second: None, time_limit_ms: None }
    }

    /// The protocol, told everything that it can be told.
    ///
    /// # Errors
    /// There is no such protocol, it has no such parameter, or it does not fit in memory.
    pub(crate) fn tabulate(&self, output: &Output) -> anyhow::Result<Table> {
        if let Some(command) = self.protocol.strip_prefix(PREFIX) {
            let _asking = output.waiting("asking the program all that it can be asked");
            return self.programs(command).and_then(|programs| programs.tabulate()).or_exit(Exit::Usage);
        }
        let _telling = output.waiting("telling the generals all that they can be told");
        let limits = Limits::default();
        if self.protocol.ends_with(".toml") {
            self.refuse_flags("the strategy file says it")?;
            self.refuse_flags_of_programs()?;
            let text = read_text(Path::new(&self.protocol), "strategy file").or_exit(Exit::Usage)?;
            return StrategyFile::parse(&self.protocol, &text).or_exit(Exit::Usage)?.tabulate(&limits).or_exit(Exit::Usage);
        }
        self.shipped()?.tabulate(&limits).or_exit(Exit::Usage)
    }

    /// Refuses every parameter, for protocols that say everything themselves.
    ///
    /// # Errors
    /// One was given.
    fn refuse_flags(&self, reason: &str) -> anyhow::Result<()> {
        match self.sizes().given().next() {
            Some((parameter, _)) => {
                Err(anyhow!("{} takes no --{}; {reason}", self.protocol, parameter.name())).or_exit(Exit::Usage)
            }
            None => Ok(()),
        }
    }

    /// Refuses what is for programs only.
    ///
    /// # Errors
    /// It was given.
    fn refuse_flags_of_programs(&self) -> anyhow::Result<()> {
        let given = [("second", self.second.is_some()), ("time-limit-ms", self.time_limit_ms.is_some())];
        match given.into_iter().find(|&(_, given)| given) {
            Some((name, _)) => {
                Err(anyhow!("{} has no --{name}, which is for programs ({PREFIX}COMMAND)", self.protocol)).or_exit(Exit::Usage)
            }
            None => Ok(()),
        }
    }

    /// The sizes that were given.
    pub(crate) const fn sizes(&self) -> Sizes {
        Sizes::new([self.messengers, self.replies, self.steps, self.rounds])
    }

    /// The same protocol in these sizes.
    pub(crate) fn sized(&self, sizes: &Sizes) -> Self {
        let [messengers, replies, steps, rounds] = Parameter::ALL.map(|parameter| sizes.of(parameter));
        Self { messengers, replies, steps, rounds, ..self.clone() }
    }

    /// Two programs; every parameter that was given is told to them.
    fn programs<'a>(&'a self, command: &'a str) -> anyhow::Result<Programs<'a>> {
        let second = match &self.second {
            None => command,
            Some(second) => second
                .strip_prefix(PREFIX)
                .ok_or_else(|| anyhow!("--second takes a program, as in --second \"{PREFIX}{second}\""))?,
        };
        let sizes = self.sizes();
        if let Some((parameter, _)) = sizes.given().find(|(_, size)| *size == 0) {
            return Err(SizeError::Nothing(parameter)).or_exit(Exit::Usage);
        }
        Ok(Programs {
            commands: [command, second],
            messengers: sizes.or_usual(Parameter::Messengers),
            replies: sizes.or_usual(Parameter::Replies),
            steps: sizes.or_usual(Parameter::Steps),
            rounds: self.rounds,
            time_limit_ms: self.time_limit_ms.unwrap_or(TIME_LIMIT_MS),
        })
    }

    /// The shipped protocol of this name.
    ///
    /// # Errors
    /// There is none, or it has no such parameter.
    pub(crate) fn shipped(&self) -> anyhow::Result<Shipped> {
        let shippable = find_shipped(&self.protocol).ok_or_else(|| unknown_protocol(&self.protocol)).or_exit(Exit::Usage)?;
        let shipped = shippable.sized(&self.sizes()).or_exit(Exit::Usage)?;
        self.refuse_flags_of_programs()?;
        Ok(shipped)
    }

    /// Whether the generals are programs that have to be run.
    pub(crate) fn runs_programs(&self) -> bool {
        self.protocol.starts_with(PREFIX)
    }

    /// Whether a parameter was given.
    pub(crate) fn has_parameters(&self) -> bool {
        self.second.is_some() || self.sizes().given().next().is_some()
    }
}

fn unknown_protocol(name: &str) -> anyhow::Error {
    anyhow!(
        "there is no protocol {name:?}; give one of {}, the path of a strategy file (it ends in .toml), or exec:COMMAND",
        shipped_names().join(", ")
    )
}

/// Reads a probability, exactly.
///
/// # Errors
/// It is no number, or none from 0 to 1.
pub(crate) fn probability(text: &str) -> Result<Ratio, String> {
    let ratio: Ratio = text.parse().map_err(|error| format!("{error}"))?;
    if ratio.is_probability() { Ok(ratio) } else { Err("a probability lies between 0 and 1".to_owned()) }
}
