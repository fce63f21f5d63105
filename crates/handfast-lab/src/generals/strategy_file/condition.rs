//! The conditions of a strategy file: `ordered`, `heard first`, `heard at least 2 of first + second`, joined by `or`.

use handfast_protocol::generals::{Camp, Condition};
use handfast_toml::{FileError, Source, Spanned, suggest};

/// What a condition is made of; no wave is called so.
pub(super) const WORDS: [&str; 11] = ["always", "at", "fewer", "heard", "least", "none", "not", "of", "or", "ordered", "than"];

/// A wave as the file knows it, which may leave in several rounds.
#[derive(Clone, Debug)]
pub(super) struct Named {
    pub(super) name: String,
    pub(super) from: Camp,
    /// The rounds in which it leaves, in order.
    pub(super) rounds: Vec<u32>,
    /// The most messengers that leave in one round.
    pub(super) most: u64,
    /// Its place among the waves of the strategy for the first round; the others follow.
    pub(super) place: usize,
}

/// From where a condition is looked at.
#[derive(Clone, Copy, Debug)]
pub(super) struct View<'a> {
    pub(super) source: Source<'a>,
    pub(super) waves: &'a [Named],
    pub(super) camp: Camp,
    /// The wave that asks; a rule of attack asks when all is over.
    pub(super) asker: Option<&'a Named>,
    /// What leaves before this round may have been heard.
    pub(super) round: u32,
}

/// How many messengers a condition asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Amount {
    AtLeast(u32),
    FewerThan(u32),
}

/// Reads a condition, all of whose words stand in `text`.
///
/// # Errors
/// It is none, or it never or always holds.
pub(super) fn read(view: &View<'_>, text: &Spanned<&str>) -> Result<Condition, FileError> {
    let words: Vec<&str> = text.get_ref().split_whitespace().collect();
    let parts = words.split(|word| *word == "or");
    let mut either = parts
        .map(|part| read_part(view, part).map_err(|message| view.source.error(text.span(), message)))
        .collect::<Result<Vec<Condition>, FileError>>()?;
    Ok(if either.len() == 1 { either.remove(0) } else { Condition::Either(either) })
}

fn read_part(view: &View<'_>, words: &[&str]) -> Result<Condition, String> {
    let (amount, names) = match words {
        ["ordered"] => return order(view, Condition::Ordered),
        ["not", "ordered"] => return order(view, Condition::NotOrdered),
        ["heard", "at", "least", number, "of", names @ ..] => (Amount::AtLeast(count(number)?), names),
        ["heard", "fewer", "than", number, "of", names @ ..] => (Amount::FewerThan(count(number)?), names),
        ["heard", "none", "of", names @ ..] => (Amount::FewerThan(1), names),
        ["heard", number, "of", names @ ..] if number.bytes().all(|byte| byte.is_ascii_digit()) => {
            return Err(format!("write \"heard at least {number} of {}\"", names.join(" ")));
        }
        ["heard", names @ ..] if !names.is_empty() => (Amount::AtLeast(1), names),
        _ => return Err(no_condition(view, words)),
    };
    heard(view, amount, &names.join(" "))
}

fn count(number: &str) -> Result<u32, String> {
    let count = number.parse().ok().filter(|count| *count > 0);
    count.ok_or_else(|| format!("{number:?} is no number of messengers; write 1, 2, 3 or more"))
}

fn order(view: &View<'_>, condition: Condition) -> Result<Condition, String> {
    if view.camp == Camp::First {
        return Ok(condition);
    }
    let first = view.waves.iter().find(|wave| wave.from == Camp::First).map_or("first", |wave| &wave.name);
    Err(format!("only general 1 is given the order; general 2 can only hear of it, as in \"heard {first}\""))
}

fn no_condition(view: &View<'_>, words: &[&str]) -> String {
    if words == ["always"] {
        return "\"always\" stands alone, where a wave leaves in any case; say what this depends on".to_owned();
    }
    let wrong = words.iter().find(|word| !WORDS.contains(word) && suggest::nearest(word, WORDS).is_some());
    if let Some((wrong, meant)) = wrong.and_then(|word| suggest::nearest(word, WORDS).map(|meant| (word, meant))) {
        return format!("{:?} is no condition: {wrong:?}, did you mean {meant}?", words.join(" "));
    }
    let name = view.waves.iter().find(|wave| wave.from != view.camp).map_or("first", |wave| &wave.name);
    format!(
        "{:?} is no condition; it can be ordered, not ordered, heard {name}, heard at least 2 of {name}, heard fewer than 2 of \
         {name} or heard none of {name}, several joined by or",
        words.join(" ")
    )
}

/// Checks the waves of which so many are asked for.
fn heard(view: &View<'_>, amount: Amount, names: &str) -> Result<Condition, String> {
    let mut named: Vec<&Named> = Vec::new();
    for name in names.split('+').map(str::trim) {
        let wave = find(view.waves, name, view.camp)?;
        if named.iter().any(|other| other.name == wave.name) {
            return Err(format!("wave {name:?} stands twice in one sum; take one out"));
        }
        check_earlier(view, wave, amount)?;
        named.push(wave);
    }
    let mut waves = Vec::new();
    let mut most = 0u64;
    for wave in &named {
        let earlier = wave.rounds.iter().filter(|round| **round < view.round).count();
        waves.extend(wave.place..wave.place + earlier);
        most = most.saturating_add(wave.most.saturating_mul(earlier as u64));
    }
    let list: Vec<String> = named.iter().map(|wave| format!("{:?}", wave.name)).collect();
    let those = format!("{} {}", if list.len() == 1 { "wave" } else { "waves" }, list.join(" and "));
    let have = if list.len() == 1 { "has" } else { "have together" };
    let by_then = if named.iter().any(|wave| last_round(wave) >= view.round) { " by then" } else { "" };
    match amount {
        Amount::AtLeast(number) if u64::from(number) > most => {
            Err(format!("{those} {have} at most {most} {}{by_then}, so this never holds; ask for at most {most}", plural(most)))
        }
        // A wave that leaves again and again asks for more and more; only the last time has to make sense.
        Amount::FewerThan(number)
            if u64::from(number) > most && view.asker.is_none_or(|asker| view.round == last_round(asker)) =>
        {
            Err(format!("{those} {have} at most {most} {}, so this always holds; take it out, or ask for fewer", plural(most)))
        }
        Amount::AtLeast(at_least) => Ok(Condition::Heard { waves, at_least }),
        Amount::FewerThan(fewer_than) => Ok(Condition::Missed { waves, fewer_than }),
    }
}

/// The wave of this name, if this general can hear it.
pub(super) fn find<'a>(waves: &'a [Named], name: &str, camp: Camp) -> Result<&'a Named, String> {
    let Some(wave) = waves.iter().find(|wave| wave.name == name) else {
        let others = waves.iter().filter(|wave| wave.from != camp).map(|wave| wave.name.as_str());
        return Err(format!("there is no wave {name:?}; {}", suggest::hint(name, others)));
    };
    if wave.from == camp {
        let (own, other) = (camp.number(), camp.other().number());
        return Err(format!(
            "general {own} sends wave {name:?} itself, and never learns by itself whether it arrived; name a wave of general {other}"
        ));
    }
    Ok(wave)
}

/// Whether some of the wave may have been heard when the condition is looked at.
fn check_earlier(view: &View<'_>, wave: &Named, amount: Amount) -> Result<(), String> {
    let first = wave.rounds.first().copied().unwrap_or(0);
    let Some(asker) = view.asker else {
        return Ok(());
    };
    // Where a wave leaves again and again, nothing was heard before the first time, and "none of" holds.
    let later = matches!(amount, Amount::FewerThan(_)) && first < last_round(asker);
    if first < view.round || later {
        return Ok(());
    }
    Err(format!(
        "wave {:?} leaves in round {first}, and nothing of it has been heard when {:?} leaves in round {}; let {:?} leave in \
         round {} or later",
        wave.name,
        asker.name,
        view.round,
        asker.name,
        first + 1
    ))
}

fn last_round(wave: &Named) -> u32 {
    wave.rounds.last().copied().unwrap_or(0)
}

const fn plural(number: u64) -> &'static str {
    if number == 1 { "messenger" } else { "messengers" }
}
