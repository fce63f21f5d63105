//! How wide text is in a picture: measured in the widest font that our pictures name, so that it fits in every other too.
//!
//! That font is DejaVu Sans. The tables are the advance widths of its file (table `hmtx`), in units of which an em has
//! [`UNITS_PER_EM`]; that they are still those of the font, a test sees that lays out every picture with the font itself.

use unicode_width::UnicodeWidthChar as _;

use crate::diagram::wrap;

const UNITS_PER_EM: f64 = 2048.0;
/// What a letter takes that is in no table: as much as a wide one, since whoever has not the font shows it in another.
const ANY_OTHER: u16 = 2500;

/// From U+0020 to U+007E.
#[rustfmt::skip]
const ASCII: [u16; 95] = [
    651, 821, 942, 1716, 1303, 1946, 1597, 563, 799, 799, 1024, 1716, 651, 739, 651, 690, 1303, 1303, 1303, 1303, 1303, 1303,
    1303, 1303, 1303, 1303, 690, 690, 1716, 1716, 1716, 1087, 2048, 1401, 1405, 1430, 1577, 1294, 1178, 1587, 1540, 604, 604,
    1343, 1141, 1767, 1532, 1612, 1235, 1612, 1423, 1300, 1251, 1499, 1401, 2025, 1403, 1251, 1403, 799, 690, 799, 1716, 1024,
    1024, 1255, 1300, 1126, 1300, 1260, 721, 1300, 1298, 569, 569, 1186, 569, 1995, 1298, 1253, 1300, 1300, 842, 1067, 803,
    1298, 1212, 1675, 1212, 1212, 1075, 1303, 690, 1303, 1716,
];
/// The same, bold.
#[rustfmt::skip]
const ASCII_BOLD: [u16; 95] = [
    713, 934, 1067, 1716, 1425, 2052, 1786, 627, 936, 936, 1071, 1716, 778, 850, 778, 748, 1425, 1425, 1425, 1425, 1425, 1425,
    1425, 1425, 1425, 1425, 819, 819, 1716, 1716, 1716, 1188, 2048, 1585, 1561, 1503, 1700, 1399, 1399, 1681, 1714, 762, 762,
    1587, 1305, 2038, 1714, 1741, 1501, 1741, 1577, 1475, 1397, 1663, 1585, 2259, 1579, 1483, 1485, 936, 748, 936, 1716, 1024,
    1024, 1382, 1466, 1214, 1466, 1389, 891, 1466, 1458, 702, 702, 1362, 702, 2134, 1458, 1407, 1466, 1466, 1010, 1219, 979,
    1458, 1335, 1892, 1321, 1335, 1192, 1458, 748, 1458, 1716,
];
/// From U+00A0 to U+00FF.
#[rustfmt::skip]
const LATIN: [u16; 96] = [
    651, 821, 1303, 1303, 1303, 1303, 690, 1024, 1024, 2048, 965, 1253, 1716, 739, 2048, 1024, 1024, 1716, 821, 821, 1024, 1303,
    1303, 651, 1024, 821, 965, 1253, 1985, 1985, 1985, 1087, 1401, 1401, 1401, 1401, 1401, 1401, 1995, 1430, 1294, 1294, 1294,
    1294, 604, 604, 604, 604, 1587, 1532, 1612, 1612, 1612, 1612, 1612, 1716, 1612, 1499, 1499, 1499, 1499, 1251, 1239, 1290,
    1255, 1255, 1255, 1255, 1255, 1255, 2011, 1126, 1260, 1260, 1260, 1260, 569, 569, 569, 569, 1253, 1298, 1253, 1253, 1253,
    1253, 1253, 1716, 1253, 1298, 1298, 1298, 1298, 1212, 1300, 1212,
];
/// The same, bold.
#[rustfmt::skip]
const LATIN_BOLD: [u16; 96] = [
    713, 934, 1425, 1425, 1303, 1425, 748, 1024, 1024, 2048, 1155, 1323, 1716, 850, 2048, 1024, 1024, 1716, 897, 897, 1024,
    1507, 1303, 778, 1024, 897, 1155, 1323, 2120, 2120, 2120, 1188, 1585, 1585, 1585, 1585, 1585, 1585, 2222, 1503, 1399, 1399,
    1399, 1399, 762, 762, 762, 762, 1716, 1714, 1741, 1741, 1741, 1741, 1741, 1716, 1741, 1663, 1663, 1663, 1663, 1483, 1511,
    1473, 1382, 1382, 1382, 1382, 1382, 1382, 2146, 1214, 1389, 1389, 1389, 1389, 702, 702, 702, 702, 1407, 1458, 1407, 1407,
    1407, 1407, 1407, 1716, 1407, 1458, 1458, 1458, 1458, 1335, 1466, 1335,
];
/// What else our pictures say, regular and bold.
const SIGNS: &[(char, [u16; 2])] = &[
    ('–', [1024, 1024]),
    ('—', [2048, 2048]),
    ('‘', [651, 778]),
    ('’', [651, 778]),
    ('…', [2048, 2048]),
    ('→', [1716, 1716]),
    ('↓', [1716, 1716]),
    ('−', [1716, 1716]),
    ('⋮', [2048, 2048]),
    ('✓', [1716, 1716]),
    ('✗', [1716, 1716]),
];

/// The size and weight in which a text is written.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct Font {
    /// In pixels of the document.
    size: f64,
    bold: bool,
    /// Room after every letter, in pixels of the document.
    spacing: f64,
}

impl Font {
    /// `size` is in pixels of the document.
    pub(crate) const fn regular(size: f64) -> Self {
        Self { size, bold: false, spacing: 0.0 }
    }

    /// `size` is in pixels of the document.
    pub(crate) const fn bold(size: f64) -> Self {
        Self { size, bold: true, spacing: 0.0 }
    }

    /// The same with room after every letter, in parts of an em.
    pub(crate) const fn spaced(self, part: f64) -> Self {
        Self { spacing: self.size * part, ..self }
    }

    /// Pixels of the document.
    #[cfg(test)]
    pub(crate) const fn size(self) -> f64 {
        self.size
    }

    /// Pixels that `text` takes.
    pub(crate) fn width(self, text: &str) -> f64 {
        let letter = |c: char| f64::from(advance(c, self.bold)) * self.size / UNITS_PER_EM + self.spacing;
        text.chars().map(letter).sum()
    }

    /// Pixels that the widest of these texts takes.
    pub(crate) fn widest<'a>(self, texts: impl IntoIterator<Item = &'a str>) -> f64 {
        texts.into_iter().map(|text| self.width(text)).fold(0.0, f64::max)
    }

    /// Pixels that the widest word takes: no line can be narrower without cutting it.
    pub(crate) fn widest_word(self, text: &str) -> f64 {
        self.widest(text.split_whitespace())
    }

    /// `text` in lines of at most that many pixels.
    pub(crate) fn lines(self, text: &str, width: f64) -> Vec<String> {
        wrap(text, width, |line| self.width(line))
    }
}

/// Units that a letter takes.
fn advance(c: char, bold: bool) -> u16 {
    let (ascii, latin) = if bold { (&ASCII_BOLD, &LATIN_BOLD) } else { (&ASCII, &LATIN) };
    let of = |first: char, table: &[u16]| (c as usize).checked_sub(first as usize).and_then(|place| table.get(place).copied());
    let sign = || SIGNS.iter().find(|(sign, _)| *sign == c).map(|(_, widths)| widths[usize::from(bold)]);
    let known = of(' ', ascii).or_else(|| of('\u{a0}', latin)).or_else(sign);
    known.unwrap_or(if c.width() == Some(0) { 0 } else { ANY_OTHER })
}
