//! How knowledge is told: bars, ladders and chains for people, one object for programs.

use handfast_lab::generals::{Chain, Link, Orders, Run, Rung, Views};
use serde_json::{Value, json};

use super::{Belief, Told};
use crate::output::{Output, count, rounded};

/// The longest bar of the histogram.
const BAR: usize = 40;
/// Numbers with more digits are rounded for people.
const DIGITS: usize = 18;

impl Told {
    /// Tells it all to a person.
    pub(super) fn print(&self, output: &Output) -> anyhow::Result<()> {
        let worlds = rounded(&self.knowledge.worlds, DIGITS);
        output.line(&self.table.name)?;
        output.sentences(format_args!(
            "{worlds} worlds: every way to give the order, and every pattern of captures (any number, in synchronous rounds)."
        ))?;
        output.sentences(format_args!("A view is {}.\n", self.knowledge.views.in_words()))?;
        if self.table.orders == Orders::Nobody {
            output.sentences(format_args!("Common knowledge, trivially: {}.", self.reason()))?;
        } else {
            self.print_histogram(output)?;
            self.print_ladder(output)?;
            let verdict = if self.is_reached() { "is reached" } else { "is never reached" };
            output.sentences(format_args!("\nCommon knowledge {verdict}: {}.", self.reason()))?;
        }
        if self.email {
            output.sentences(
                "\nThe mail game has no end: this is a handshake that is cut off after the threshold. Every further message adds a \
                 rung to the ladder, and none of them reaches common knowledge.",
            )?;
        }
        if let Some(chain) = &self.chain {
            self.print_chain(chain, output)?;
        }
        if let Some(Belief { greatest, prior, capture }) = &self.belief {
            output.sentences(format_args!(
                "\nGreatest common belief: {} ({}), if the attack is wanted with probability {prior} and every messenger is \
                 captured with probability {capture}, independently. In no run do both believe with more that the attack is \
                 wanted, that the other believes it, and so on.",
                short(&greatest.to_string()),
                greatest.to_decimal(6),
            ))?;
        }
        Ok(())
    }

    fn is_reached(&self) -> bool {
        self.knowledge.common.bits() > 0
    }

    fn reason(&self) -> String {
        if self.table.orders == Orders::Nobody {
            return "there is no order in this protocol, so the attack is wanted in every run and nobody can be wrong about it"
                .to_owned();
        }
        if self.is_reached() {
            return format!(
                "from {} of the runs no chain of runs leads to one in which the attack is not wanted",
                rounded(&self.knowledge.common, DIGITS)
            );
        }
        "from every run a chain of runs leads to one in which the attack is not wanted, and at each link one general cannot tell \
         the two runs apart"
            .to_owned()
    }

    fn print_histogram(&self, output: &Output) -> anyhow::Result<()> {
        let what = if self.table.orders == Orders::Each { "both have the order" } else { "the order was given" };
        output.sentences(format_args!(
            "Depth k: \"everybody knows\" that {what} holds k times over. Runs in which {what}, by depth:\n"
        ))?;
        let digits: Vec<String> = self.knowledge.histogram.iter().map(ToString::to_string).collect();
        let most = digits.iter().max_by_key(|digits| (digits.len(), *digits)).map_or("1", |most| most);
        let width = digits.iter().map(|digits| rounded(digits, DIGITS).len()).max().unwrap_or(1);
        for (depth, digits) in digits.iter().enumerate() {
            output.line(format_args!(
                "{depth:>5}  {:>width$}  {}",
                rounded(digits, DIGITS),
                bar(digits, most, output.wants_ascii())
            ))?;
        }
        if self.is_reached() {
            output.line(format_args!("  no end  {}", rounded(&self.knowledge.common, DIGITS)))?;
        }
        Ok(())
    }

    fn print_ladder(&self, output: &Output) -> anyhow::Result<()> {
        output.sentences(format_args!("\nStep by step, in the run in which {}:\n", captured_in_words(&self.run)))?;
        for (round, rungs) in self.rungs.iter().enumerate() {
            let when = if round == 0 { "at first".to_owned() } else { format!("after round {round}") };
            let [one, two] = [0, 1].map(|side| self.in_words(rungs[side], side));
            output.led(format_args!("  {when:<15} "), format_args!("1 {one}; 2 {two}"))?;
        }
        let depth = self.depth().map_or_else(|| "no end".to_owned(), |depth| depth.to_string());
        output.line(format_args!("\n  Depth of this run at the end: {depth}."))
    }

    fn in_words(&self, rung: Rung, side: usize) -> String {
        match rung {
            Rung::Level(0) if self.table.orders == Orders::Each => "does not know of both orders".to_owned(),
            Rung::Level(0) => "does not know of the order".to_owned(),
            Rung::Level(1..=3) => rung.in_words(&self.table, side),
            Rung::Level(level) => format!("has knowledge {level} deep"),
            Rung::Common => "has common knowledge".to_owned(),
        }
    }

    /// The depth of the run that is stepped through; nothing if there is no end.
    fn depth(&self) -> Option<u32> {
        let level = |rung: &Rung| match rung {
            Rung::Level(level) => Some(*level),
            Rung::Common => None,
        };
        let levels = self.rungs.last().map_or([None, None], |rungs| [level(&rungs[0]), level(&rungs[1])]);
        Some(levels[0]?.min(levels[1]?))
    }

    fn print_chain(&self, chain: &Chain, output: &Output) -> anyhow::Result<()> {
        let by_way = if chain.to_silence.is_some() { " by way of the run in which nothing is delivered" } else { "" };
        output.sentences(format_args!(
            "\nThe shortest chain{by_way}; each run looks the same to one general as the run above it:\n"
        ))?;
        let first = format!("{}: {}", captured_in_words(&chain.first), ends(&chain.first));
        output.led(format_args!("  {:>3}  {:<11}  ", 0, ""), first)?;
        for (number, link) in (1..).zip(links(chain)) {
            let order = if self.table.wants_attack(link.run.beginning) { "" } else { self.without(&link.run) };
            let lead = format!("  {number:>3}  same for {:<2}  ", link.same_for.number());
            output.led(lead, format_args!("{order}{}: {}", captured_in_words(&link.run), ends(&link.run)))?;
        }
        match lengths(chain) {
            (Some(silence), Some(end)) => output.sentences(format_args!(
                "\n{} from everything delivered to nothing delivered, and {} more from there to a run in which the attack is not \
                 wanted: {end} in all by this way.",
                lead(silence),
                end - silence
            )),
            (Some(silence), None) => output.sentences(format_args!(
                "\n{} from everything delivered to nothing delivered. No chain leads on to a run in which the attack is not \
                 wanted{}.",
                lead(silence),
                if self.table.orders == Orders::Nobody { ": this protocol has no order" } else { "" }
            )),
            (None, Some(end)) => output.sentences(format_args!(
                "\nNo chain leads to nothing delivered; {} to a run in which the attack is not wanted.",
                lead(end)
            )),
            (None, None) => {
                output.sentences("\nNo chain leads to nothing delivered, nor to a run in which the attack is not wanted.")
            }
        }
    }

    /// What is missing in a run in which the attack is not wanted.
    fn without(&self, run: &Run) -> &'static str {
        match (self.table.orders, run.beginning.ordered) {
            (Orders::Each, [true, false]) => "2 has no order, ",
            (Orders::Each, [false, true]) => "1 has no order, ",
            (Orders::First | Orders::Each | Orders::Nobody, _) => "no order, ",
        }
    }

    /// Tells it all to a program.
    pub(super) fn json(&self) -> Value {
        let knowledge = &self.knowledge;
        let views = match knowledge.views {
            Views::Inputs => "inputs",
            Views::State => "state",
        };
        let level = |rung: Rung| match rung {
            Rung::Level(level) => json!(level),
            Rung::Common => Value::Null,
        };
        let step = |(round, rungs): (usize, &[Rung; 2])| {
            let knows = [0, 1].map(|side| self.in_words(rungs[side], side));
            json!({ "round": round, "levels": rungs.map(level), "knows": knows })
        };
        let mut run = run_json(&self.run);
        run["steps"] = self.rungs.iter().enumerate().map(step).collect();
        let mut told = json!({
            "protocol": self.table.name,
            "adversary": "every pattern",
            "views": views,
            "worlds": count(&knowledge.worlds),
            "histogram": knowledge.histogram.iter().map(count).collect::<Vec<_>>(),
            "common_knowledge": self.is_reached(),
            "common_knowledge_runs": count(&knowledge.common),
            "because": self.reason(),
            "depth": self.depth(),
            "run": run,
        });
        if let Some(chain) = &self.chain {
            let mut runs = vec![run_json(&chain.first)];
            runs[0]["same_for"] = Value::Null;
            for link in links(chain) {
                let mut run = run_json(&link.run);
                run["same_for"] = json!(link.same_for.number());
                runs.push(run);
            }
            let (silence, end) = lengths(chain);
            told["chain"] = json!(runs);
            told["links_to_nothing_delivered"] = json!(silence);
            told["links_to_no_order"] = json!(end);
        }
        if let Some(Belief { greatest, prior, capture }) = &self.belief {
            for (name, ratio) in [("common_belief", greatest), ("prior", prior), ("capture", capture)] {
                told[name] = json!(ratio.to_string());
                told[format!("{name}_float")] = json!(ratio.to_f64());
            }
        }
        told
    }
}

fn run_json(run: &Run) -> Value {
    json!({
        "captured": run.captured().collect::<Vec<_>>(),
        "ordered": run.beginning.ordered,
        "outcome": run.outcome().key(),
    })
}

/// Every link of a chain.
fn links(chain: &Chain) -> impl Iterator<Item = &Link> {
    [&chain.to_silence, &chain.to_no_order].into_iter().flatten().flatten()
}

/// The links from everything delivered to nothing delivered, and to a run in which the attack is not wanted.
fn lengths(chain: &Chain) -> (Option<usize>, Option<usize>) {
    let silence = chain.to_silence.as_ref().map(Vec::len);
    (silence, chain.to_no_order.as_ref().map(|rest| rest.len() + silence.unwrap_or(0)))
}

/// So many links lead somewhere.
fn lead(links: usize) -> String {
    if links == 1 { "1 link leads".to_owned() } else { format!("{links} links lead") }
}

fn ends(run: &Run) -> &'static str {
    run.outcome().in_words()
}

/// Which messengers are captured, with neighbours taken together.
fn captured_in_words(run: &Run) -> String {
    let captured: Vec<usize> = run.captured().collect();
    let sent = run.journeys.len();
    if sent == 0 {
        return "nobody is sent".to_owned();
    }
    if captured.is_empty() {
        return "everything arrives".to_owned();
    }
    let ranges = captured.chunk_by(|one, next| one + 1 == *next).map(|range| match range {
        [one] => one.to_string(),
        [first, .., last] => format!("{first} to {last}"),
        [] => String::new(),
    });
    let whom = ranges.collect::<Vec<_>>().join(", ");
    let all = if captured.len() == sent { " (all that are sent)" } else { "" };
    let (messengers, are) = if captured.len() == 1 { ("messenger", "is") } else { ("messengers", "are") };
    format!("{messengers} {whom} {are} captured{all}")
}

/// An exact number that is too long for a line is cut; the decimal beside it tells its size.
fn short(exact: &str) -> String {
    if exact.len() <= 60 {
        return exact.to_owned();
    }
    format!("a fraction of {} digits, exact with --json", exact.len() - 1)
}

/// A bar as long as this number is, next to the greatest.
fn bar(digits: &str, most: &str, ascii: bool) -> String {
    let leading = |digits: &str| digits[..digits.len().min(15)].parse::<f64>().unwrap_or(0.0);
    let shift = |digits: &str| digits.len().saturating_sub(15) as i32;
    let share = leading(digits) / leading(most) * 10f64.powi(shift(digits) - shift(most));
    let length = (share * BAR as f64).round() as usize;
    if digits == "0" { String::new() } else { if ascii { "#" } else { "█" }.repeat(length.clamp(1, BAR)) }
}
