//! `handfast replay`: steps through a kept run, of the generals or of a saga.

mod saga;
mod walk;

use std::io::{BufRead as _, IsTerminal as _, stdin, stdout};
use std::path::PathBuf;

use anyhow::{Context as _, anyhow};

use handfast_lab::answers::replay::{Story, story_of_counterexample, story_of_flow, story_of_generals};

use crate::bad_input::OrBadInput as _;
use crate::numbers;
use crate::output::picture;
use crate::output::{Exit, OrExit as _, Output};
use crate::trace::{self, Trace};

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  handfast generals draw handshake --steps 4 --captured 3 --keep run.trace
  handfast replay run.trace                        on a terminal: Enter for the next step, b back, d draw, q quit
  handfast replay run.trace --step 2
  handfast replay run.trace --svg run.svg

The protocol's code is executed again, and what it does is compared with what was kept, step by step.

With --json it prints every step
  {\"title\":\"..\",\"kind\":\"generals\",\"steps\":[{\"step\":0,\"heading\":\"..\",\"says\":[\"..\"],..},..],\"end\":\"..\"}
where the further members of a step depend on the kind of the trace.")]
pub(crate) struct Args {
    /// A run that --keep has kept
    #[arg(value_name = "TRACE")]
    trace: PathBuf,
    /// Prints one step only, counted from 0 (the beginning); a picture is then drawn up to it
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = numbers::whole(0..=usize::MAX, 2))]
    step: Option<usize>,
    /// Draws the run into an SVG file instead of stepping through it; `-` is standard output
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
    /// Runs the programs that the trace names, where the generals are programs
    #[arg(long)]
    run_program: bool,
    /// Draws with plain ASCII
    #[arg(long)]
    ascii: bool,
}

/// Steps through the run.
pub(crate) fn run(args: Args, output: &Output) -> anyhow::Result<Exit> {
    picture::check_place(args.svg.as_deref(), output)?;
    let story = match trace::read(&args.trace)? {
        Trace::Generals(kept) => trace::replay(&kept, args.run_program, output).map(|(table, run)| story_of_generals(table, run)),
        Trace::Saga(kept) => saga::story(kept),
        Trace::Counterexample(kept) => story_of_counterexample(&kept).or_bad_input(),
        Trace::Flow(kept) => trace::flow(&kept).and_then(|flow| Ok(story_of_flow(&kept, &flow)?)).or_bad_input(),
    }
    .with_context(|| args.trace.display().to_string())?;
    let last = story.steps.len() - 1;
    if let Some(step) = args.step.filter(|&step| step > last) {
        return Err(anyhow!("there is no step {step}; the run has the steps 0 to {last}")).or_exit(Exit::Usage);
    }
    if let Some(path) = &args.svg {
        picture::write_svg(path, &story.picture(args.step.unwrap_or(last)), output)?;
        if picture::is_stdout(path) {
            return Ok(Exit::Done);
        }
        output.note(format_args!("the picture is in {}", path.display()));
    }
    if output.wants_json() {
        output.json_line(&story.written(args.step))?;
    } else if args.svg.is_none() {
        tell(&story, &args, output)?;
    }
    Ok(Exit::Done)
}

fn tell(story: &Story, args: &Args, output: &Output) -> anyhow::Result<()> {
    if let Some(step) = args.step {
        return output.line(step_of(story, step));
    }
    if stdin().is_terminal() && stdout().is_terminal() {
        return walk::walk(story, args.ascii, stdin().lock().lines(), output);
    }
    output.line(printable(&story.title))?;
    for step in 0..story.steps.len() {
        output.line(format_args!("\n{}", step_of(story, step)))?;
    }
    output.line(format_args!("\n{}", story.end))
}

/// One step as text.
fn step_of(story: &Story, number: usize) -> String {
    let step = &story.steps[number];
    let says = step.says.iter().map(|says| format!("\n   {}", printable(says)));
    format!("{number}. {}{}", printable(&step.heading), says.collect::<String>())
}

/// Text that cannot move the cursor: what people and participants wrote stands in it.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}
