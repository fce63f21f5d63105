//! Suggestions: "did you mean ..?" for words that are nearly right.

/// The candidate nearest to `word`, if it is near enough to be what was meant.
#[must_use]
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase();
    let near =
        candidates.into_iter().filter_map(|candidate| Some((distance_if_near(&word, &candidate.to_lowercase())?, candidate)));
    near.min().map(|(_, candidate)| candidate)
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

/// Those of the candidates that differ least from `word`, at most `most` of them, the nearest first. Whatever contains it is
/// among the nearest: ids are often typed in part.
#[must_use]
pub fn similar<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>, most: usize) -> Vec<&'a str> {
    let is_part_of = |candidate: &str| word.len() >= 2 && candidate.contains(word);
    let mut near: Vec<(usize, &str)> = candidates
        .into_iter()
        .filter_map(|candidate| {
            let distance = if is_part_of(candidate) { Some(0) } else { distance_if_near(word, candidate) };
            distance.map(|distance| (distance, candidate))
        })
        .collect();
    near.sort_unstable();
    near.into_iter().take(most).map(|(_, candidate)| candidate).collect()
}

/// How many letters have to be put in, taken out, replaced or swapped with their neighbour (optimal string alignment), if they
/// are few enough for the candidate to be what was meant: a third of the word, and one of a short word.
fn distance_if_near(word: &str, candidate: &str) -> Option<usize> {
    let letters = word.chars().count();
    let near_enough = (letters / 3).max(1);
    // What differs in length by more is not compared, which would take long for what is long.
    if letters.abs_diff(candidate.chars().count()) > near_enough {
        return None;
    }
    Some(strsim::osa_distance(word, candidate)).filter(|distance| *distance <= near_enough)
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
    fn a_word_that_goes_on_for_ever_is_like_none() {
        assert_eq!(nearest(&"deadline".repeat(100_000), ["deadline"]), None);
        assert!(similar(&"deadline".repeat(100_000), ["deadline"], 3).is_empty());
    }

    #[test]
    fn the_most_similar_come_first_and_what_contains_the_word_is_among_them() {
        let ids = ["order-17", "order-71", "order-170", "gift-17", "x"];
        assert_eq!(similar("order-17a", ids, 3), ["order-17", "order-170", "order-71"]);
        assert_eq!(similar("order-17a", ids, 1), ["order-17"]);
        assert_eq!(similar("gift", ids, 3), ["gift-17"]);
        assert!(similar("nothing-like-it", ids, 3).is_empty());
    }
}
