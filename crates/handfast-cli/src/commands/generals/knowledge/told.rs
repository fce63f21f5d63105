//! How knowledge is told: bars, ladders and chains for people.

use handfast_lab::answers::knowledge::{Answer, Belief, lengths, links};
use handfast_lab::generals::{Chain, Orders, Run};

use crate::output::{Output, rounded};

/// The longest bar of the histogram.
const BAR: usize = 40;
/// Numbers with more digits are rounded for people.
const DIGITS: usize = 18;

/// Tells it all to a person.
pub(super) fn print(answer: &Answer<'_>, output: &Output) -> anyhow::Result<()> {
    Told(answer).print(output)
}

struct Told<'a>(&'a Answer<'a>);

impl Told<'_> {
    fn print(&self, output: &Output) -> anyhow::Result<()> {
        let worlds = rounded(&self.0.knowledge.worlds, DIGITS);
        output.line(&self.0.table.name)?;
        output.sentences(format_args!(
            "{worlds} worlds: every way to give the order, and every pattern of captures (any number, in synchronous rounds)."
        ))?;
        output.sentences(format_args!("A view is {}.\n", self.0.knowledge.views.in_words()))?;
        if self.0.table.orders == Orders::Nobody {
            output.sentences(format_args!("Common knowledge, trivially: {}.", self.reason()))?;
        } else {
            self.print_histogram(output)?;
            self.print_ladder(output)?;
            let verdict = if self.0.is_reached() { "is reached" } else { "is never reached" };
            output.sentences(format_args!("\nCommon knowledge {verdict}: {}.", self.reason()))?;
        }
        if self.0.protocol == "email" {
            output.sentences(
                "\nThe mail game has no end: this is a handshake that is cut off after the threshold. Every further message adds a \
                 rung to the ladder, and none of them reaches common knowledge.",
            )?;
        }
        if let Some(chain) = &self.0.chain {
            self.print_chain(chain, output)?;
        }
        if let Some(Belief { greatest, prior, capture }) = &self.0.belief {
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

    fn reason(&self) -> String {
        self.0.because(|count| rounded(count, DIGITS))
    }

    fn print_histogram(&self, output: &Output) -> anyhow::Result<()> {
        let what = if self.0.table.orders == Orders::Each { "both have the order" } else { "the order was given" };
        output.sentences(format_args!(
            "Depth k: \"everybody knows\" that {what} holds k times over. Runs in which {what}, by depth:\n"
        ))?;
        let digits: Vec<String> = self.0.knowledge.histogram.iter().map(ToString::to_string).collect();
        let most = digits.iter().max_by_key(|digits| (digits.len(), *digits)).map_or("1", |most| most);
        let width = digits.iter().map(|digits| rounded(digits, DIGITS).len()).max().unwrap_or(1);
        for (depth, digits) in digits.iter().enumerate() {
            output.line(format_args!(
                "{depth:>5}  {:>width$}  {}",
                rounded(digits, DIGITS),
                bar(digits, most, output.wants_ascii())
            ))?;
        }
        if self.0.is_reached() {
            output.line(format_args!("  no end  {}", rounded(&self.0.knowledge.common, DIGITS)))?;
        }
        Ok(())
    }

    fn print_ladder(&self, output: &Output) -> anyhow::Result<()> {
        output.sentences(format_args!("\nStep by step, in the run in which {}:\n", captured_in_words(&self.0.run)))?;
        for (round, rungs) in self.0.rungs.iter().enumerate() {
            let when = if round == 0 { "at first".to_owned() } else { format!("after round {round}") };
            let [one, two] = [0, 1].map(|side| self.0.in_words(rungs[side], side));
            output.led(format_args!("  {when:<15} "), format_args!("1 {one}; 2 {two}"))?;
        }
        let depth = self.0.depth().map_or_else(|| "no end".to_owned(), |depth| depth.to_string());
        output.line(format_args!("\n  Depth of this run at the end: {depth}."))
    }

    fn print_chain(&self, chain: &Chain, output: &Output) -> anyhow::Result<()> {
        let by_way = if chain.to_silence.is_some() { " by way of the run in which nothing is delivered" } else { "" };
        output.sentences(format_args!(
            "\nThe shortest chain{by_way}; each run looks the same to one general as the run above it:\n"
        ))?;
        let first = format!("{}: {}", captured_in_words(&chain.first), ends(&chain.first));
        output.led(format_args!("  {:>3}  {:<11}  ", 0, ""), first)?;
        for (number, link) in (1..).zip(links(chain)) {
            let order = if self.0.table.wants_attack(link.run.beginning) { "" } else { self.without(&link.run) };
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
                if self.0.table.orders == Orders::Nobody { ": this protocol has no order" } else { "" }
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
        match (self.0.table.orders, run.beginning.ordered) {
            (Orders::Each, [true, false]) => "2 has no order, ",
            (Orders::Each, [false, true]) => "1 has no order, ",
            (Orders::First | Orders::Each | Orders::Nobody, _) => "no order, ",
        }
    }
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
