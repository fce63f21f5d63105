//! Notices card numbers, so that none is ever stored, logged or sent.

const SHORTEST: usize = 13;
const LONGEST: usize = 19;
/// A card's digits may be apart by this many spaces or dashes.
const WIDEST_GAP: usize = 3;

/// Whether a number in `text` could be a card's.
///
/// That is 13 to 19 digits that do not start with 0 and pass the Luhn check (ISO/IEC 7812-1), either in one piece, or in groups
/// with spaces or dashes between them. Groups count only where no letter touches the first or the last of them,
/// since otherwise the tail of every UUID would be looked at, and one in ten would be refused by chance.
pub(super) fn is_in(text: &str) -> bool {
    let characters: Vec<char> = text.chars().collect();
    let mut at = 0;
    while at < characters.len() {
        if !characters[at].is_ascii_digit() {
            at += 1;
            continue;
        }
        let (groups, end) = groups_from(&characters, at);
        let touched = |place: Option<usize>| {
            place.and_then(|place| characters.get(place)).is_some_and(|character| character.is_alphanumeric())
        };
        if groups.iter().any(|group| could_be_a_card(group)) {
            return true;
        }
        if !touched(at.checked_sub(1)) && !touched(Some(end)) && any_neighbours_could_be(&groups) {
            return true;
        }
        at = end;
    }
    false
}

/// The groups of digits from `start` on that only spaces or dashes separate, and where they end.
fn groups_from(characters: &[char], start: usize) -> (Vec<Vec<u32>>, usize) {
    let mut groups: Vec<Vec<u32>> = Vec::new();
    let mut end = start;
    loop {
        let group: Vec<u32> = characters[end..].iter().map_while(|character| character.to_digit(10)).collect();
        end += group.len();
        groups.push(group);
        let gap = characters[end..].iter().take_while(|character| is_separator(**character)).count();
        let goes_on = characters.get(end + gap).is_some_and(char::is_ascii_digit);
        if gap == 0 || gap > WIDEST_GAP || !goes_on {
            return (groups, end);
        }
        end += gap;
    }
}

fn is_separator(character: char) -> bool {
    character.is_whitespace() || matches!(character, '-' | '\u{2010}'..='\u{2015}')
}

fn any_neighbours_could_be(groups: &[Vec<u32>]) -> bool {
    (0..groups.len()).any(|first| {
        let mut digits = Vec::new();
        groups[first..].iter().any(|group| {
            digits.extend_from_slice(group);
            // Beyond the longest number nothing more can match, so a long text costs no more than its length.
            digits.len() <= LONGEST && could_be_a_card(&digits)
        })
    })
}

fn could_be_a_card(digits: &[u32]) -> bool {
    (SHORTEST..=LONGEST).contains(&digits.len()) && digits[0] != 0 && passes_luhn(digits)
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
            "4111 1111 1111 1111",
            "4111-1111-1111-1111",
            "4111 - 1111 - 1111 - 1111",
            "3782 822463 10005",
            "4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1",
            "card: 4111\u{a0}1111\u{2013}1111 1111, thanks",
            "4111 1111 1111 1111 12 27 123",
            "2026 4111 1111 1111 1111",
            "tok4111111111111111x",
        ] {
            assert!(is_in(text), "{text:?}");
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
            "4111 1111 / 1111 1111",
        ] {
            assert!(!is_in(text), "{text:?}");
        }
    }

    #[test]
    fn the_boundary_rule_is_needed_for_uuids() {
        // The digits of this tail pass the Luhn check; only the letter before them tells that they are no card's.
        let tail = (0..10).map(|digit| format!("716-44665544000{digit}")).find(|tail| is_in(tail)).expect("one in ten passes");
        assert!(!is_in(&format!("018f2d9c-1b2a-7c3d-a{tail}")));
    }
}
