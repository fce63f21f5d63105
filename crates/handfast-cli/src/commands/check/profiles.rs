//! `handfast check --profiles`: which payment and which dispatch can be brought to both or neither, found by exploring each pair.

use handfast_lab::answers::suite::Profiles;
use handfast_lab::explorer::Limits;
use handfast_lab::saga::map::{DISPATCHES, PAYMENTS, Pair, Verdict, map, to_svg};

use super::Args;
use crate::output::picture;
use crate::output::{Exit, Output};

const GREEN: &str = "\x1b[32m";
const YELLOW: &str = "\x1b[33m";
const RED: &str = "\x1b[31m";
const BOLD: &str = "\x1b[1m";
const PLAIN: &str = "\x1b[0m";

/// Explores every pair, and prints the map.
pub(super) fn run(args: &Args, output: &Output) -> anyhow::Result<Exit> {
    let svg = args.svg.as_deref();
    picture::check_place(svg, output)?;
    let progress = output.progress((PAYMENTS.len() * DISPATCHES.len()) as u64);
    let pairs = map(&Limits::default().with_threads(args.threads), |pair| {
        progress.set_message(format!("payment {}, dispatch {}", pair.payment, pair.dispatch));
        progress.inc(1);
    });
    progress.finish_and_clear();
    let found = Profiles { pairs };
    if let Some(path) = svg {
        picture::write(path, &to_svg(&found.pairs), output)?;
    }
    if svg.is_some_and(picture::is_stdout) {
        // The picture has taken standard output.
    } else if output.wants_json() {
        output.json_line(&found)?;
    } else {
        print(&found.pairs, args.ascii, output)?;
    }
    Ok(if found.holds() { Exit::Done } else { Exit::Neither })
}

/// The sign of a verdict in the map, and its colour.
const fn sign(verdict: &Verdict, ascii: bool) -> (&'static str, &'static str) {
    match (verdict, ascii) {
        (Verdict::Possible { .. }, false) => ("✓", GREEN),
        (Verdict::Possible { .. }, true) => ("y", GREEN),
        (Verdict::AtRisk { .. }, _) => ("!", YELLOW),
        (Verdict::Broken { .. }, _) => ("?", RED),
        (Verdict::Impossible { .. }, false) => ("✗", RED),
        (Verdict::Impossible { .. }, true) => ("n", RED),
    }
}

fn print(pairs: &[Pair], ascii: bool, output: &Output) -> anyhow::Result<()> {
    let yes = if ascii { "y" } else { "✓" };
    let widest = PAYMENTS.iter().map(|payment| payment.name.len()).max().unwrap_or(0);
    let numbers: Vec<String> = (1..=DISPATCHES.len()).map(|number| format!("{number:>2}")).collect();
    output.line(format_args!("{BOLD}{:widest$}  dispatch{PLAIN}", "payment"))?;
    output.line(format_args!("{:widest$}  {}", "", numbers.join(" ")))?;
    for row in pairs.chunks(DISPATCHES.len()) {
        let signs: Vec<String> = row
            .iter()
            .map(|pair| {
                let (sign, colour) = sign(&pair.verdict, ascii);
                format!(" {colour}{sign}{PLAIN}")
            })
            .collect();
        output.line(format_args!("{:widest$}  {}", row[0].payment, signs.join(" ")))?;
    }
    output.line("")?;
    for (number, dispatch) in (1..).zip(DISPATCHES) {
        output.line(format_args!("  {number}  {}", dispatch.name))?;
    }
    output.line(format_args!("\n  {yes}  both or neither, in every state   !  only with a risk that somebody accepts"))?;
    output.sentences(
        "\nHow, and what stands in the way (messages live a minute, clocks differ by 5s, nobody is away for more than 1h):",
    )?;
    for row in pairs.chunks(DISPATCHES.len()) {
        output.line(format_args!("\n{BOLD}payment {}{PLAIN}", row[0].payment))?;
        for (number, pair) in (1..).zip(row) {
            let (sign, _) = sign(&pair.verdict, ascii);
            output.led(format_args!("  {number} {sign} "), pair.in_words())?;
        }
    }
    Ok(())
}
