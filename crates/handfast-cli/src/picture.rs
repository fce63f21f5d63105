//! Pictures as commands give them: on the terminal, in its width and colours, or in a file.

use std::path::Path;

use anyhow::Context as _;
use handfast_lab::diagram::{Diagram, TextOptions};

use crate::output::{Exit, OrExit as _};

/// The picture as text, in colours: the stream takes them out where they are not wanted.
pub(crate) fn text(picture: &Diagram, ascii: bool) -> String {
    picture.to_text(&TextOptions { ascii, colour: true, width: width() })
}

/// Writes the picture to the file that `--svg` names.
///
/// # Errors
/// It cannot be written there.
pub(crate) fn write_svg(path: &Path, picture: &Diagram) -> anyhow::Result<()> {
    std::fs::write(path, picture.to_svg())
        .with_context(|| format!("cannot write {}; give --svg another path", path.display()))
        .or_exit(Exit::Usage)
}

/// As wide as the user says the terminal is; 80 columns otherwise.
fn width() -> usize {
    let columns = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    columns.filter(|columns| (40..=400).contains(columns)).unwrap_or(80)
}
