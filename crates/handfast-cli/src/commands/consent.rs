//! What a person does is said before it is done, and done once somebody has said yes.

use std::fmt::Display;
use std::io::{self, IsTerminal as _};

use anyhow::bail;

use crate::output::{Exit, OrExit as _, Output};

/// Whether somebody is asked. Every command that acts for a person has this, in the same words.
#[derive(Debug, clap::Args)]
pub(crate) struct Consent {
    /// Do not ask whether to do it; needed where standard input is no terminal.
    #[arg(long, short)]
    yes: bool,
}

impl Consent {
    /// Says what the act does, and asks whether to do it.
    ///
    /// # Errors
    /// Nobody said yes, or there is nobody to ask: nothing is done, and the command ends with [`Exit::Usage`].
    pub(crate) fn ask(&self, does: impl Display, output: &Output) -> anyhow::Result<()> {
        if self.yes {
            output.note(does);
            return Ok(());
        }
        asked(does, output).or_exit(Exit::Usage)
    }
}

fn asked(does: impl Display, output: &Output) -> anyhow::Result<()> {
    if !io::stdin().is_terminal() {
        output.note(does);
        bail!("standard input is no terminal, so nobody can be asked, and nothing was done; say --yes to do it");
    }
    output.prompt(question(does));
    let mut answer = String::new();
    io::stdin().read_line(&mut answer)?;
    if !matches!(answer.trim(), "y" | "Y" | "yes") {
        bail!("nothing was done");
    }
    Ok(())
}

/// What a person says yes to is a part of the question, which is asked of a quiet command too.
fn question(does: impl Display) -> String {
    format!("{does}\nDo it? [y/N] ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_question_says_what_is_asked() {
        assert_eq!(question("settle: it ends"), "settle: it ends\nDo it? [y/N] ");
    }
}
