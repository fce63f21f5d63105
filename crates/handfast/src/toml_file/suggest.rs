//! Suggestions: "did you mean ..?" for words that are nearly right.

/// The candidate nearest to `word`, if it is near enough to be what was meant.
#[must_use]
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let near_enough = (word.chars().count() / 3).max(1);
    candidates
        .into_iter()
        .map(|candidate| (distance(&word.to_lowercase(), &candidate.to_lowercase()), candidate))
        .filter(|(distance, _)| *distance <= near_enough)
        .min()
        .map(|(_, candidate)| candidate)
}

/// The end of a sentence that refuses `word`: a suggestion if there is a good one, otherwise everything that would do.
#[must_use]
pub fn hint<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str> + Clone) -> String {
    if let Some(candidate) = nearest(word, candidates.clone()) {
        return format!("did you mean {candidate}?");
    }
    let all: Vec<&str> = candidates.into_iter().collect();
    match all.as_slice() {
        [] => "there is none to choose from".to_owned(),
        [only] => format!("it can be {only}"),
        [first @ .., last] => format!("it can be {} or {last}", first.join(", ")),
    }
}

/// How many letters have to be put in, taken out, replaced or swapped with their neighbour (optimal string alignment).
fn distance(left: &str, right: &str) -> usize {
    let (left, right): (Vec<char>, Vec<char>) = (left.chars().collect(), right.chars().collect());
    let mut rows = vec![(0..=right.len()).collect::<Vec<usize>>()];
    for (i, a) in left.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, b) in right.iter().enumerate() {
            let mut least = (rows[i][j + 1] + 1).min(row[j] + 1).min(rows[i][j] + usize::from(a != b));
            if i > 0 && j > 0 && *a == right[j - 1] && left[i - 1] == *b {
                least = least.min(rows[i - 1][j - 1] + 1);
            }
            row.push(least);
        }
        rows.push(row);
    }
    rows[left.len()][right.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_keyboard_finds_its_word_and_another_word_does_not() {
        let words = ["name", "kind", "url", "deadline", "send", "beside"];
        assert_eq!(nearest("dedline", words), Some("deadline"));
        assert_eq!(nearest("kidn", words), Some("kind"));
        assert_eq!(nearest("URL", words), Some("url"));
        assert_eq!(nearest("sendd", words), Some("send"));
        assert_eq!(nearest("colour", words), None);
        assert_eq!(nearest("", words), None);
    }

    #[test]
    fn distances_are_those_of_the_definition() {
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("ab", "ba"), 1);
        assert_eq!(distance("same", "same"), 0);
    }
}
