//! Pictures as commands give them: on the terminal, in its width and colours, in a file, or as SVG on standard output.

use std::path::Path;

use anyhow::{Context as _, anyhow};
use handfast_lab::diagram::{Diagram, TextOptions};

use super::{Exit, OrExit as _, Output, terminal};
use crate::files;

/// The picture as text, in colours: the stream takes them out where they are not wanted.
pub(crate) fn text(picture: &Diagram, ascii: bool) -> String {
    picture.to_text(&TextOptions { ascii, colour: true, width: terminal::width() })
}

/// Whether `--svg` names standard output, which then takes the picture and nothing else.
pub(crate) fn is_stdout(path: &Path) -> bool {
    path == Path::new("-")
}

/// Refuses a picture on standard output where JSON is to go: the two together are neither.
///
/// # Errors
/// Both are wanted there.
pub(crate) fn check_place(svg: Option<&Path>, output: &Output) -> anyhow::Result<()> {
    if output.wants_json() && svg.is_some_and(is_stdout) {
        return Err(anyhow!("--svg - and --json both write to standard output; give --svg a file")).or_exit(Exit::Usage);
    }
    Ok(())
}

/// Writes the picture to the file that `--svg` names, or to standard output for `-`.
///
/// # Errors
/// It cannot be written there.
pub(crate) fn write_svg(path: &Path, picture: &Diagram, output: &Output) -> anyhow::Result<()> {
    write(path, &picture.to_svg(), output)
}

/// Writes an SVG document, of whatever it is a picture, to where `--svg` says.
///
/// # Errors
/// It cannot be written there.
pub(crate) fn write(path: &Path, svg: &str, output: &Output) -> anyhow::Result<()> {
    if is_stdout(path) {
        return output.bytes(svg.as_bytes());
    }
    files::write(path, svg.as_bytes())
        .with_context(|| format!("cannot write {}; give --svg another path", path.display()))
        .or_exit(Exit::Usage)
}
