//! What `handfast run` prints while orders are driven: a line for each that has ended, a bar, and what they wait for.

use handfast::OtherDefinition;
use handfast_server::batch::{BadLine, Cause, Ended, Report, ResultLine, Tally, Waits, counted};
use indicatif::ProgressBar;

use crate::commands::definitions;
use crate::numbers::moment;
use crate::output::Output;

/// Prints what is reported.
pub(super) struct Printer<'a> {
    output: &'a Output,
    /// What messages call the input.
    input: String,
    /// Whether it is known how many orders there are.
    is_counted: bool,
    bar: ProgressBar,
}

impl<'a> Printer<'a> {
    pub(super) fn new(output: &'a Output, input: &str, expected: Option<u64>) -> Self {
        let bar = output.progress(expected.unwrap_or(0));
        Self { output, input: input.to_owned(), is_counted: expected.is_some(), bar }
    }

    fn say(&self, note: &str) {
        self.bar.suspend(|| self.output.note(note));
    }

    /// The sums, and what is left to do; `again` is the command that goes on.
    pub(super) fn finish(&self, ended: &Ended, again: &str) {
        let Ended { tally, left, not_started, watched, watched_until_ms, suspended, .. } = ended;
        self.bar.finish_and_clear();
        match not_started {
            Some(number) => self.output.note(format_args!("{tally}; {} not started", counted(*number, "order"))),
            None => self.output.note(tally),
        }
        let stopped = if *left > 0 || not_started.is_some() { "stopped; " } else { "" };
        if tally.in_doubt > 0 {
            self.output.note(format_args!("{stopped}no order in doubt is lost, and none is done twice; go on with: {again}"));
        } else if not_started.is_some() {
            self.output.note(format_args!("{stopped}nothing is lost; go on with: {again}"));
        }
        if tally.held > 0 {
            self.output.note(format_args!(
                "nothing is sent for the orders that are held: they follow another definition than the flow file, or another \
                 handfast; each result says why in `trouble`. To let them go on with their own definition: {again} \
                 --keep-definitions --by NAME --why TEXT"
            ));
        }
        if *watched > 0 {
            self.output.note(format_args!(
                "{} still watched for what comes late, until {}; nobody looks before you run or serve again",
                if *watched == 1 { "1 cancelled order is".to_owned() } else { format!("{watched} cancelled orders are") },
                moment(*watched_until_ms)
            ));
        }
        for (id, why) in suspended {
            self.output.complain(format_args!("order {id} waits for a person: {why}"));
        }
    }
}

impl Report for Printer<'_> {
    fn definitions(&mut self, others: &[OtherDefinition]) {
        definitions::say(others, self.output);
    }

    fn begun(&mut self) {
        if !self.is_counted {
            self.bar.inc_length(1);
        }
    }

    fn ended(&mut self, line: &ResultLine) -> Result<(), Cause> {
        // Where nobody reads it any more the orders go on all the same: their results are in the store.
        Ok(self.bar.suspend(|| self.output.json_line(line))?)
    }

    fn repeated(&mut self, line: u64, id: &str, first: u64) {
        let input = &self.input;
        self.say(&format!("{input}:{line}: the same order {id} as in line {first}; it is one order"));
    }

    fn bad(&mut self, bad: &BadLine) {
        self.bar.suspend(|| self.output.complain(bad));
    }

    fn waits(&mut self, waits: &Waits, under_way: usize) {
        self.say(&in_words(waits, under_way));
    }

    fn progress(&mut self, tally: &Tally, under_way: usize) {
        self.bar.set_position(tally.orders());
        self.bar.set_message(format!("{under_way} under way, {} in doubt", tally.in_doubt));
    }
}

fn in_words(waits: &Waits, under_way: usize) -> String {
    let waiting = || {
        let orders = counted(under_way as u64, "order");
        format!("what is asked for there waits, and is asked for again and again ({orders} under way)")
    };
    match waits {
        Waits::Store { trouble } => format!("nothing can be written to the store, and orders wait until it can: {trouble}"),
        Waits::StoreIsBack => "the store takes writes again".to_owned(),
        Waits::Meaningless { participant, status, first } => {
            let first = first.as_ref().map(|seen| format!(" (the first: {seen})")).unwrap_or_default();
            format!(
                "{participant} gives answers with status {status} that mean nothing; what they were to is asked again and again{first}"
            )
        }
        Waits::Silent { participant } => format!("nobody answers at {participant}; {}", waiting()),
        Waits::TurnedAway { participant, status } => {
            format!("{participant} turns requests away with status {status}; {}", waiting())
        }
        Waits::Answers { participant } => format!("{participant} answers again"),
    }
}
