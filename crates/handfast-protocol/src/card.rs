//! Notices card numbers, so that none is ever stored, logged or sent: a pure search, which engine and participants share.

use alloc::vec::Vec;

const SHORTEST: usize = 13;
const LONGEST: usize = 19;
/// Numbers that begin with 1 are those of airlines (UATP), and of old JCB cards: all of them have this many digits.
const LENGTH_FROM_1: usize = 15;
/// A card's digits may be apart by this many separators.
const WIDEST_GAP: usize = 3;

/// Whether a number in `text` could be a card's.
///
/// That is 13 to 19 digits that do not start with 0 and pass the Luhn check (ISO/IEC 7812-1), either in one piece, or in groups
/// with spaces, dashes, dots, underscores or slashes between them. Of those that start with 1, only 15 digits: so no time of this
/// century is taken for one, in milliseconds (13 digits) or finer, nor an id that begins with such a time. Digits are those of any script, since whoever reads them takes
/// them for the same number. Groups count only where no letter touches the first or the last of *them*, since otherwise the tail
/// of every UUID would be looked at, and one in ten would be refused by chance.
#[must_use]
pub fn holds_card_number(text: &str) -> bool {
    let characters: Vec<char> = text.chars().collect();
    let mut at = 0;
    while at < characters.len() {
        if digit(characters[at]).is_none() {
            at += 1;
            continue;
        }
        let (groups, end) = groups_from(&characters, at);
        let touched = |place: Option<usize>| {
            place.and_then(|place| characters.get(place)).is_some_and(|character| character.is_alphanumeric())
        };
        let run = Run { groups: &groups, is_touched: [touched(at.checked_sub(1)), touched(Some(end))] };
        if run.numbers().any(|digits| could_be_a_card(&digits)) {
            return true;
        }
        at = end;
    }
    false
}

/// Groups of digits that only separators separate, and whether a letter touches the first one's beginning and the last one's end.
#[derive(Clone, Copy)]
struct Run<'a> {
    groups: &'a [Vec<u32>],
    is_touched: [bool; 2],
}

impl<'a> Run<'a> {
    /// Every number that it could be read as holding: each group, and every row of neighbours that no letter touches, as long as
    /// it is no longer than the longest number. So a long text costs no more than its length.
    fn numbers(self) -> impl Iterator<Item = Vec<u32>> + 'a {
        let Self { groups, is_touched: [is_begin_touched, is_end_touched] } = self;
        (0..groups.len()).flat_map(move |first| {
            let row = (first..groups.len()).scan(Vec::new(), move |digits: &mut Vec<u32>, last| {
                digits.extend(groups[last].iter().take(LONGEST + 1));
                (digits.len() <= LONGEST).then(|| (last, digits.clone()))
            });
            row.filter(move |&(last, _)| {
                let is_touched = first == 0 && is_begin_touched || last + 1 == groups.len() && is_end_touched;
                first == last || !is_touched
            })
            .map(|(_, digits)| digits)
        })
    }
}

/// The groups of digits from `start` on that only separators separate, and where they end.
fn groups_from(characters: &[char], start: usize) -> (Vec<Vec<u32>>, usize) {
    let mut groups: Vec<Vec<u32>> = Vec::new();
    let mut end = start;
    loop {
        let group: Vec<u32> = characters[end..].iter().map_while(|character| digit(*character)).collect();
        end += group.len();
        groups.push(group);
        let gap = characters[end..].iter().take_while(|character| is_separator(**character)).count();
        let goes_on = characters.get(end + gap).is_some_and(|character| digit(*character).is_some());
        if gap == 0 || gap > WIDEST_GAP || !goes_on {
            return (groups, end);
        }
        end += gap;
    }
}

/// What people, programs and word processors put between the groups of a number, and what nobody sees there.
const fn is_separator(character: char) -> bool {
    character.is_whitespace()
        || matches!(character, '-' | '.' | '_' | '/' | '\\' | '\u{b7}' | '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2010}'..='\u{2015}')
        || matches!(
            character,
            '\u{2022}' | '\u{2024}' | '\u{2027}' | '\u{2044}' | '\u{2060}' | '\u{2212}' | '\u{2215}' | '\u{feff}'
        )
        || matches!(
            character,
            '\u{ff0d}' | '\u{ff0e}' | '\u{ff0f}' | '\u{ff3c}' | '\u{ff3f}' | '\u{30fb}' | '\u{ff65}' | '\u{fe58}' | '\u{fe63}'
        )
}

/// The zeros of the scripts that write numbers by tens; the other nine digits follow each of them (Unicode, category Nd).
const ZEROS: [u32; 47] = [
    0x30, 0x660, 0x6f0, 0x7c0, 0x966, 0x9e6, 0xa66, 0xae6, 0xb66, 0xbe6, 0xc66, 0xce6, 0xd66, 0xde6, 0xe50, 0xed0, 0xf20, 0x1040,
    0x1090, 0x17e0, 0x1810, 0x1946, 0x19d0, 0x1a80, 0x1a90, 0x1b50, 0x1bb0, 0x1c40, 0x1c50, 0xa620, 0xa8d0, 0xa900, 0xa9d0,
    0xa9f0, 0xaa50, 0xabf0, 0xff10, 0x1_04a0, 0x1_d7ce, 0x1_d7d8, 0x1_d7e2, 0x1_d7ec, 0x1_d7f6, 0x1_fbf0, 0x1_e950, 0x1_e2f0,
    0x1_e140,
];

/// The value of a digit, full-width ones and those of other scripts among them.
fn digit(character: char) -> Option<u32> {
    if character.is_ascii() {
        return character.to_digit(10);
    }
    let at = u32::from(character);
    ZEROS.iter().map(|zero| at.wrapping_sub(*zero)).find(|value| *value < 10)
}

fn could_be_a_card(digits: &[u32]) -> bool {
    let could_begin_so = match digits[0] {
        0 => false,
        1 => digits.len() == LENGTH_FROM_1,
        _ => true,
    };
    (SHORTEST..=LONGEST).contains(&digits.len()) && could_begin_so && passes_luhn(digits)
}

fn passes_luhn(digits: &[u32]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, digit)| {
            let weighed = if place % 2 == 1 { digit * 2 } else { *digit };
            if weighed > 9 { weighed - 9 } else { weighed }
        })
        .sum();
    sum.is_multiple_of(10)
}

#[cfg(test)]
mod tests {
    use alloc::format;
    use alloc::vec;

    use super::*;

    #[test]
    fn published_test_numbers_are_noticed_however_they_are_written() {
        for text in [
            "4111111111111111",
            "378282246310005",
            "30569309025904",
            "6011000990139424",
            "4222222222222",
            "6304000000000000000",
            "122000000000003",
            "180000000000002",
            "4111 1111 1111 1111",
            "4111-1111-1111-1111",
            "4111 - 1111 - 1111 - 1111",
            "3782 822463 10005",
            "4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1",
            "card: 4111\u{a0}1111\u{2013}1111 1111, thanks",
            "4242.4242.4242.4242",
            "4242_4242_4242_4242",
            "tok_4242_4242_4242_4242",
            "4242/4242/4242/4242",
            "4111 1111 / 1111 1111",
            "４２４２４２４２４２４２４２４２",
            "４２４２．４２４２．４２４２．４２４２",
            "٤٢٤٢٤٢٤٢٤٢٤٢٤٢٤٢",
            "4242\u{200b}4242\u{ad}4242\u{2060}4242",
            "4111 1111 1111 1111 12 27 123",
            "2026 4111 1111 1111 1111",
            "tok4111111111111111x",
            // A letter that touches a neighbour touches none of the number.
            "card 4242 4242 4242 4242 2nd try",
            "4111-1111-1111-1111 3x declined",
            "4111 1111 1111 1111 12/27CVC",
            "v1 4242 4242 4242 4242",
            "a1 4242 4242 4242 4242 1b",
        ] {
            assert!(holds_card_number(text), "{text:?}");
        }
    }

    #[test]
    fn other_numbers_are_left_alone() {
        for text in [
            "",
            "4111111111111112",
            "411111111111",
            "41111111111111111111111111",
            "0000000000000000",
            "00000000-0000-0000-0000-000000000000",
            "018f2d9c-1b2a-7c3d-a716-446655440000",
            "+49 30 1234567",
            "2026-11-23 02:30",
            "tok_visa_1111",
            "SKU-1042",
            "192.168.1.254/24",
            "4111 1111 / / 1111 1111",
            "2026/11/23 02:30:59.123",
            "1_000_000",
            "v4242 4242 4242 4242",
            "4242 4242 4242 4242nd",
        ] {
            assert!(!holds_card_number(text), "{text:?}");
        }
    }

    /// One in ten of them passes the check, and a service that writes when it did something would seldom be quoted.
    #[test]
    fn no_time_is_taken_for_a_card() {
        for ms in 1_796_000_000_000_u64..1_796_000_000_100 {
            for time in [format!("{ms}"), format!("{ms}123"), format!("{ms}123456"), format!("\"at\": {ms}, \"seq\": 17")] {
                assert!(!holds_card_number(&time), "{time}");
            }
        }
    }

    #[test]
    fn the_boundary_rule_is_needed_for_uuids() {
        // The digits of this tail pass the Luhn check; only the letter before them tells that they are no card's.
        let tail = (0..10)
            .map(|digit| format!("716-44665544000{digit}"))
            .find(|tail| holds_card_number(tail))
            .expect("one in ten passes");
        assert!(!holds_card_number(&format!("018f2d9c-1b2a-7c3d-a{tail}")));
    }

    /// A row is looked at no further than the longest number goes: the work grows as the text does.
    #[test]
    fn a_long_text_costs_no_more_than_its_length() {
        for length in [1_000, 10_000] {
            let groups: Vec<Vec<u32>> = (0..length).map(|_| vec![0]).collect();
            let run = Run { groups: &groups, is_touched: [false; 2] };
            assert!(run.numbers().count() <= LONGEST * length);
            assert!(run.numbers().all(|digits| digits.len() <= LONGEST));
        }
        let long = vec![vec![1; 100_000]; 3];
        assert_eq!(Run { groups: &long, is_touched: [false; 2] }.numbers().count(), 0);
    }
}
