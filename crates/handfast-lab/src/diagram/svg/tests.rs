//! Whatever is drawn: no text covers another, none leaves the sheet, and the document is well-formed.

use proptest::prelude::*;

use super::super::random::diagrams;
use super::{draw, render};

proptest! {
    #[test]
    fn no_text_covers_another(picture in diagrams()) {
        let (page, width, height) = draw(&picture.with_texts(super::printable));
        for (index, (area, text)) in page.texts.iter().enumerate() {
            prop_assert!(area[0] >= 0.0 && area[2] <= width && area[1] >= 0.0 && area[3] <= height, "{text:?} leaves the sheet");
            for (other, covered) in &page.texts[..index] {
                let apart = area[2] <= other[0] || other[2] <= area[0] || area[3] <= other[1] || other[3] <= area[1];
                prop_assert!(apart, "{text:?} at {area:?} covers {covered:?} at {other:?}");
            }
        }
    }

    #[test]
    fn every_element_is_closed_and_every_text_escaped(picture in diagrams()) {
        let svg = render(&picture);
        let raw = svg.contains('\u{1b}') || svg.contains("<&>");
        prop_assert!(!raw);
        let mut open: Vec<&str> = Vec::new();
        for tag in svg.split('<').skip(1) {
            let (tag, _) = tag.split_once('>').expect("every tag ends");
            let name = tag.split([' ', '/']).find(|name| !name.is_empty()).expect("every tag has a name");
            if tag.starts_with('/') {
                prop_assert_eq!(open.pop(), Some(name));
            } else if !tag.ends_with('/') {
                open.push(name);
            }
        }
        prop_assert!(open.is_empty());
    }
}
