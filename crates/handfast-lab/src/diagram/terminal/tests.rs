//! Whatever is drawn: no line is too wide, nothing covers a text (which the canvas asserts), and ASCII is ASCII.

use proptest::prelude::*;

use super::super::random::diagrams;
use super::super::{Clock, Diagram, Mark};
use super::{TextOptions, columns};

fn without_colours(text: &str) -> String {
    let mut plain = String::new();
    for (index, part) in text.split("\x1b[").enumerate() {
        plain.push_str(if index == 0 { part } else { part.split_once('m').map_or("", |(_, rest)| rest) });
    }
    plain
}

proptest! {
    #[test]
    fn every_line_fits(picture in diagrams(), width in 80_usize..140) {
        let options = TextOptions { width, ..TextOptions::default() };
        let text = picture.to_text(&options);
        for line in text.lines() {
            prop_assert!(columns(line) <= width, "{line}");
            prop_assert!(!line.ends_with(' '));
        }
        let ascii = picture.to_text(&TextOptions { ascii: true, ..options });
        prop_assert!(ascii.chars().all(|c| c == '\n' || (' '..='~').contains(&c)));
        prop_assert!(ascii.lines().all(|line| line.len() <= width));
        let coloured = picture.to_text(&TextOptions { colour: true, ..options });
        prop_assert_eq!(without_colours(&coloured), text);
    }
}

#[test]
fn what_does_not_fit_is_still_whole() {
    let mut picture = Diagram::new("many lines", Clock::Steps);
    let lines: Vec<_> = (0..20).map(|line| picture.line(&format!("step {line}"))).collect();
    picture.message(lines[0], lines[19], "act").sent(1).arrives(2).brings(Mark::Durable, "done");
    let text = picture.to_text(&TextOptions::default());
    assert!(text.contains("step 19") && text.contains("done") && text.contains("act"));
}
