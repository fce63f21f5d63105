//! The heat map as text: a number in every cell, on a colour, or in plain ASCII after a mark that deepens with it.

use super::{HeatMap, STEPS, Shade, short};
use crate::generals::ratio::Ratio;

/// Marks that look darker and darker.
const MARKS: [char; STEPS] = [' ', '.', ':', '-', '=', '+', '*', '%', '#', '@'];
/// From here on a colour is so deep that what stands on it is white.
const DEEP: usize = 6;

/// Of the 256 colours of a terminal those that deepen from nearly white.
const fn colours(shade: Shade) -> [u8; STEPS] {
    match shade {
        Shade::Good => [255, 194, 157, 120, 83, 41, 35, 29, 28, 22],
        Shade::Bad => [255, 224, 217, 210, 209, 203, 160, 124, 88, 52],
        Shade::Calm => [255, 195, 153, 117, 111, 75, 33, 27, 20, 18],
    }
}

impl HeatMap {
    /// The heat map in so many columns of text. Where not all of its columns fit, every second is shown, or every third, ..
    #[must_use]
    pub fn to_text(&self, ascii: bool, width: usize) -> String {
        let label = self.down.values.iter().chain([&self.down.name]).map(|text| text.chars().count()).max().unwrap_or(0) + 1;
        let numbers: Vec<Vec<String>> = self.cells.iter().map(|row| row.iter().map(short).collect()).collect();
        let widest = numbers.iter().flatten().chain(&self.across.values).map(String::len).max().unwrap_or(1);
        let cell = widest + 2;
        let every = (1..).find(|every| label + self.across.values.len() / every * cell <= width.max(label + cell)).unwrap_or(1);
        let shown: Vec<usize> = (0..self.across.values.len()).filter(|column| (column + 1) % every == 0).collect();
        let top = self.top();
        let subtitle =
            if self.subtitle.chars().count() > width { self.subtitle.replace("; ", ";\n") } else { self.subtitle.clone() };
        let mut text = format!("{}\n{subtitle}\n\n", self.title);
        text.push_str(&format!("{:label$}{}\n{:>width$} ", "", self.across.name, self.down.name, width = label - 1));
        for &column in &shown {
            text.push_str(&format!("{:^cell$}", self.across.values[column]));
        }
        for ((value, row), numbers) in self.down.values.iter().zip(&self.cells).zip(&numbers) {
            trim(&mut text);
            text.push_str(&format!("\n{value:>width$} ", width = label - 1));
            for &column in &shown {
                self.cell(&mut text, &row[column], &numbers[column], (ascii, cell), top);
            }
        }
        trim(&mut text);
        text.push_str(&format!("\n\n{:label$}", ""));
        self.legend(&mut text, ascii, top);
        text.push('\n');
        text
    }

    fn cell(&self, text: &mut String, exact: &Ratio, number: &str, (ascii, cell): (bool, usize), top: f64) {
        let step = Self::step(exact, top);
        if ascii {
            text.push_str(&format!("{:>width$}{} ", number, MARKS[step], width = cell - 2));
        } else {
            text.push_str(&painted(&format!("{number:^cell$}"), self.shade, step));
        }
    }

    /// From which value on a cell has which colour, or which mark.
    fn legend(&self, text: &mut String, ascii: bool, top: f64) {
        for (step, mark) in MARKS.iter().enumerate() {
            // Rounded, so that 0.30000000000000004 is 0.3.
            let from = (top * step as f64 / STEPS as f64 * 1e12).round() / 1e12;
            if ascii {
                text.push_str(&format!("{from}{mark} "));
            } else {
                text.push_str(&painted(&format!(" {from} "), self.shade, step));
            }
        }
        text.push_str("and more");
    }
}

fn trim(text: &mut String) {
    text.truncate(text.trim_end_matches(' ').len());
}

fn painted(text: &str, shade: Shade, step: usize) -> String {
    let ink = if step >= DEEP { 231 } else { 16 };
    format!("\x1b[38;5;{ink};48;5;{}m{text}\x1b[0m", colours(shade)[step])
}
