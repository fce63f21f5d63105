//! Stepping through a run by hand: a line typed, a step told.

use std::io;

use handfast_lab::answers::replay::Story;

use super::{printable, step_of};
use crate::output::Output;
use crate::output::picture;

/// What was typed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Wish {
    Next,
    Back,
    Draw,
    Quit,
    Unknown,
}

impl Wish {
    fn of(line: &str) -> Self {
        match line.trim().to_ascii_lowercase().as_str() {
            "" | "n" | "next" => Self::Next,
            "b" | "back" => Self::Back,
            "d" | "draw" => Self::Draw,
            "q" | "quit" => Self::Quit,
            _ => Self::Unknown,
        }
    }
}

const HELP: &str = "Enter: next step   b: back   d: draw so far   q: quit";

/// Tells the steps one by one, as `lines` asks for them; it ends with the last step, with a `q`, or with the lines.
pub(super) fn walk(
    story: &Story,
    ascii: bool,
    mut lines: impl Iterator<Item = io::Result<String>>,
    output: &Output,
) -> anyhow::Result<()> {
    let last = story.steps.len() - 1;
    output.line(format_args!("{}\n{HELP}\n\n{}", printable(&story.title), step_of(story, 0)))?;
    let mut at = 0;
    loop {
        output.prompt(format_args!("\n[{at} of {last}] > "));
        let Some(line) = lines.next().transpose()? else {
            return output.line("");
        };
        match Wish::of(&line) {
            Wish::Next if at == last => return output.line(&story.end),
            Wish::Next => {
                at += 1;
                output.line(step_of(story, at))?;
                if at == last {
                    output.line(format_args!("\n{}", story.end))?;
                }
            }
            Wish::Back if at == 0 => output.line("This is the beginning.")?,
            Wish::Back => {
                at -= 1;
                output.line(step_of(story, at))?;
            }
            Wish::Draw => output.line(picture::text(&story.picture(at), ascii).trim_end())?,
            Wish::Quit => return Ok(()),
            Wish::Unknown => output.line(HELP)?,
        }
    }
}
