//! Which sagas a list or a plan is of.

use std::time::Duration;

use clap::builder::PossibleValuesParser;
use handfast::{ListFilter, Money, Standing, Time};
use handfast_machine::clock;
use handfast_toml::parse_duration;

use crate::output::{Exit, OrExit as _};

/// All that is said has to hold.
#[derive(Debug, clap::Args)]
pub(super) struct Which {
    /// Only those that stand so: placed, acting, committed, cancelling, completed, cancelled, suspended or settled.
    /// May be given several times.
    #[arg(long, value_name = "STANDING", value_parser = PossibleValuesParser::new(Standing::ALL.map(Standing::name)), hide_possible_values = true)]
    standing: Vec<String>,
    /// Only those that do not go on, or some step of which does not, before a person says something: of the open ones, unless
    /// --standing says which. Those that are held are among them.
    #[arg(long)]
    needs_person: bool,
    /// Only those that have neither ended nor wait for a person.
    #[arg(long)]
    in_doubt: bool,
    /// Only those that follow a definition of the flow of this name.
    #[arg(long, value_name = "NAME")]
    of_flow: Option<String>,
    /// Only those whose definition lets this participant take a step, by its URL.
    #[arg(long, value_name = "URL")]
    participant: Option<String>,
    /// Only those placed at this time or later, as in 2026-05-04T10:00:00Z.
    #[arg(long, value_name = "TIME", value_parser = time)]
    placed_from: Option<Time>,
    /// Only those placed before this time.
    #[arg(long, value_name = "TIME", value_parser = time, conflicts_with = "older_than")]
    placed_before: Option<Time>,
    /// Only those placed longer ago than this, as in 1h.
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    older_than: Option<Duration>,
    /// Only those that are about so much at least, in the currency that is named.
    #[arg(long, value_name = "AMOUNT")]
    amount_at_least: Option<Money>,
}

impl Which {
    /// The filter, of a page of this size that begins after this saga.
    pub(super) fn filter(&self, after: Option<&str>, limit: usize) -> anyhow::Result<ListFilter> {
        let standings = match self.standing.as_slice() {
            // Those that may wait for a person and have not ended.
            [] if self.needs_person => Standing::ALL.into_iter().filter(|standing| !standing.has_ended()).collect(),
            standings => standings.iter().filter_map(|name| Standing::from_name(name)).collect(),
        };
        let ago = |age: Duration| Time(clock::now_ms().saturating_sub(u64::try_from(age.as_millis()).unwrap_or(u64::MAX)));
        let placed_before = self.placed_before.or(self.older_than.map(ago));
        if let (Some(from), Some(before)) = (self.placed_from, placed_before)
            && from >= before
        {
            return Err(anyhow::anyhow!("--placed-from is not before --placed-before, so there are none; say an earlier one"))
                .or_exit(Exit::Usage);
        }
        Ok(ListFilter::all(after, limit)
            .with_standings(standings)
            .with_in_doubt(self.in_doubt)
            .with_flow(self.of_flow.clone())
            .with_participant(self.participant.clone())
            .with_placed_from(self.placed_from)
            .with_placed_before(placed_before)
            .with_amount_at_least(self.amount_at_least.clone())
            .with_needs_person(self.needs_person.then_some(true)))
    }
}

/// A time as people write it.
fn time(text: &str) -> Result<Time, String> {
    let wrong = || "write a time as in 2026-05-04T10:00:00Z".to_owned();
    let at: jiff::Timestamp = text.parse().map_err(|_no_time| wrong())?;
    u64::try_from(at.as_millisecond()).map(Time).map_err(|_before| wrong())
}
