//! The heat map: one probability over the number of messengers and the capture rate, printed or written.

use handfast_lab::answers::grid::{Rows, answer};
use handfast_lab::answers::odds::OddsError;
use handfast_lab::generals::Sizes;

use super::Args;
use crate::output::{Exit, OrExit as _, Output};
use crate::output::{picture, terminal};

/// Why there is no heat map.
enum Refused {
    Odds(OddsError),
    Table(anyhow::Error),
}

impl From<OddsError> for Refused {
    fn from(error: OddsError) -> Self {
        Self::Odds(error)
    }
}

/// Prints it, or writes it.
pub(super) fn run(args: &Args, output: &Output) -> anyhow::Result<Exit> {
    let (protocol, sizes) = (&args.agreed.protocol, args.agreed.sizes());
    let progress = output.progress(Rows::of(protocol, &sizes).sizes.len() as u64);
    let tabulate = |sizes: &Sizes| {
        progress.inc(1);
        args.agreed.sized(sizes).tabulate(output).map_err(Refused::Table)
    };
    let found = match answer(protocol, &sizes, args.show.unwrap_or_default().into(), tabulate) {
        Ok(found) => found,
        Err(Refused::Odds(error)) => return Err(error).or_exit(Exit::Usage),
        Err(Refused::Table(error)) => return Err(error),
    };
    progress.finish_and_clear();
    if let Some(path) = &args.svg {
        picture::write(path, &found.heat_map().to_svg(), output)?;
        if !picture::is_stdout(path) {
            output.note(format_args!("the heat map is in {}", path.display()));
        }
    }
    if output.wants_json() {
        output.json_line(&found)?;
    } else if args.svg.is_none() {
        let map = found.heat_map();
        output.line(map.to_text(output.wants_ascii() || !output.has_colours(), terminal::width()).trim_end())?;
    }
    Ok(Exit::Done)
}
