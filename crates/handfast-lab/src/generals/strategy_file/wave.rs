//! The waves of a strategy file: who sends them, in which rounds, how many, in reply to what, and with which words.

use std::ops::Range;

use handfast_protocol::generals::{Camp, Condition, Size, Wave};
use handfast_toml::{DeValue, FileError, Source, Spanned, Table, kind_of, suggest};

use super::condition::{self, Named, View, WORDS};

/// The most rounds before the hour of the attack.
pub(super) const MAX_ROUNDS: u32 = 100;
/// The most waves, one that leaves in several rounds counted so many times.
const MAX_WAVES: usize = 100;
/// The most messengers that one general sends in one round.
const MAX_MESSENGERS: u32 = 1_000_000;
/// The most characters of what a messenger says.
const MAX_SAYS: usize = 60;
/// The most conditions in one list.
const MAX_CONDITIONS: usize = 20;

/// A wave with everything but its conditions, which may speak of waves further down.
#[derive(Debug)]
struct Draft<'t> {
    named: Named,
    span: Range<usize>,
    rounds_at: Range<usize>,
    size: Written,
    /// The wave to which it replies.
    reply_to: Option<Named>,
    when: Vec<Spanned<&'t str>>,
    says: String,
}

/// The size of a wave.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Written {
    Messengers(u32),
    PerArrival(u32),
}

/// Every wave of the file, once for every round in which it leaves.
#[derive(Debug, Default)]
pub(super) struct Waves {
    /// As the strategy has them.
    pub(super) waves: Vec<Wave>,
    /// Where each of them stands in the file.
    pub(super) spans: Vec<Range<usize>>,
    /// As the file has them.
    pub(super) named: Vec<Named>,
    /// The last round in which one leaves.
    pub(super) last_round: u32,
}

/// Reads every wave.
///
/// # Errors
/// The first thing that is wrong.
pub(super) fn read_all(source: Source<'_>, root: &Table<'_, '_>) -> Result<Waves, FileError> {
    const EXAMPLE: &str = "[[wave]] with name, from, round, messengers and when";
    let value = root.value("wave").ok_or_else(|| root.missing("wave", EXAMPLE))?;
    let not_so = |value: &Spanned<DeValue<'_>>| {
        source.error(value.span(), format!("waves are written as {EXAMPLE}, one after the other, and this is {}", kind_of(value)))
    };
    let list = value.get_ref().as_array().ok_or_else(|| not_so(value))?;
    if list.is_empty() {
        return Err(source.error(value.span(), format!("without a wave nobody learns anything; add one, as in {EXAMPLE}")));
    }
    let mut read = Waves::default();
    let mut drafts: Vec<Draft<'_>> = Vec::new();
    for (index, value) in list.iter().enumerate() {
        let table = value.get_ref().as_table().ok_or_else(|| not_so(value))?;
        let table = Table::new(source, table, value.span(), format!("wave {}", index + 1));
        let draft = read_draft(source, &table, value.span(), &read.named, read.spans.len())?;
        read.spans.extend(draft.named.rounds.iter().map(|_| value.span()));
        if read.spans.len() > MAX_WAVES {
            return Err(source.error(value.span(), format!("there are more than {MAX_WAVES} waves; take fewer")));
        }
        read.last_round = draft.named.rounds.iter().copied().fold(read.last_round, u32::max);
        read.named.push(draft.named.clone());
        drafts.push(draft);
    }
    check_deadline(source, root, &mut read.last_round, &drafts)?;
    check_sizes(source, &drafts)?;
    for draft in &drafts {
        for (occurrence, &round) in draft.named.rounds.iter().enumerate() {
            let wave = leaving(source, draft, occurrence, round, &read.named)?;
            read.waves.push(wave);
        }
    }
    Ok(read)
}

fn read_draft<'t>(
    source: Source<'_>,
    table: &Table<'_, 't>,
    span: Range<usize>,
    before: &[Named],
    place: usize,
) -> Result<Draft<'t>, FileError> {
    table.only(&["name", "from", "round", "reply-to", "messengers", "per-arrival", "when", "says"])?;
    let name = read_name(source, table, before)?;
    let reply_to = read_reply_to(source, table, before, name)?;
    let from = read_from(source, table, reply_to.as_ref())?;
    let (rounds, rounds_at) = read_rounds(source, table, reply_to.as_ref())?;
    let (size, most) = read_size(source, table, reply_to.as_ref())?;
    let when = read_when(source, table, reply_to.as_ref())?;
    let says = match table.text("says")? {
        None => name.to_owned(),
        Some(says) => {
            let length = says.get_ref().chars().count();
            if !(1..=MAX_SAYS).contains(&length) || says.get_ref().chars().any(char::is_control) {
                let message = format!("what a messenger says is 1 to {MAX_SAYS} characters in one line");
                return Err(source.error(says.span(), message));
            }
            (*says.get_ref()).to_owned()
        }
    };
    let named = Named { name: name.to_owned(), from, rounds, most, place };
    Ok(Draft { named, span, rounds_at, size, reply_to, when, says })
}

fn read_name<'t>(source: Source<'_>, table: &Table<'_, 't>, before: &[Named]) -> Result<&'t str, FileError> {
    let name = table.wanted_text("name", "name = \"first\"")?;
    let (text, refused) = (*name.get_ref(), |message| Err(source.error(name.span(), message)));
    let plain = text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    if !plain || !(1..=32).contains(&text.len()) || !text.starts_with(|first: char| first.is_ascii_lowercase()) {
        return refused(format!("{text:?} cannot be the name of a wave; use 1 to 32 of a-z, 0-9 and -, beginning with a letter"));
    }
    if WORDS.contains(&text) {
        return refused(format!("no wave can be called {text:?}, since conditions are made of this word; take another name"));
    }
    if let Some(other) = before.iter().position(|other| other.name == text) {
        return refused(format!("wave {} is called {text:?} already; every wave needs a name of its own", other + 1));
    }
    Ok(text)
}

fn read_reply_to(source: Source<'_>, table: &Table<'_, '_>, before: &[Named], name: &str) -> Result<Option<Named>, FileError> {
    let Some(text) = table.text("reply-to")? else {
        return Ok(None);
    };
    let to = *text.get_ref();
    let found = before.iter().find(|wave| wave.name == to);
    found.cloned().map(Some).ok_or_else(|| {
        let message = if to == name {
            "a wave cannot reply to itself; name the one that it answers".to_owned()
        } else {
            let hint = suggest::hint(to, before.iter().map(|wave| wave.name.as_str()));
            format!("there is no wave {to:?} above, where a reply finds what it answers; {hint}")
        };
        source.error(text.span(), message)
    })
}

fn read_from(source: Source<'_>, table: &Table<'_, '_>, reply_to: Option<&Named>) -> Result<Camp, FileError> {
    let answering = reply_to.map(|wave| wave.from.other());
    let Some(value) = table.value("from") else {
        return answering.ok_or_else(|| table.missing("from", "from = 1 (general 1 sends it) or from = 2"));
    };
    let camp = if source.whole_number(value, "from", 1..=2)? == 1 { Camp::First } else { Camp::Second };
    match reply_to {
        Some(wave) if answering != Some(camp) => {
            let message = format!(
                "general {} sent wave {:?} itself and cannot reply to it; take from out, since a reply comes from the other general",
                camp.number(),
                wave.name
            );
            Err(source.error(value.span(), message))
        }
        Some(_) | None => Ok(camp),
    }
}

/// The rounds in which a wave leaves, and where they are said.
fn read_rounds(
    source: Source<'_>,
    table: &Table<'_, '_>,
    reply_to: Option<&Named>,
) -> Result<(Vec<u32>, Range<usize>), FileError> {
    let Some(value) = table.value("round") else {
        let Some(wave) = reply_to else {
            return Err(table.missing("round", "round = 1, or round = [1, 3, 5] to send it again"));
        };
        let at = table.value("reply-to").map(Spanned::span).unwrap_or_default();
        return Ok((wave.rounds.iter().map(|round| round + 1).collect(), at));
    };
    let one = |value: &Spanned<DeValue<'_>>| source.whole_number(value, "round", 1..=MAX_ROUNDS);
    let mut rounds = Vec::new();
    if let Some(list) = value.get_ref().as_array() {
        for item in list.iter() {
            let round = one(item)?;
            if rounds.last().is_some_and(|before| *before >= round) {
                return Err(source.error(item.span(), "rounds are written in order, each once, as in round = [1, 3, 5]"));
            }
            rounds.push(round);
        }
        if rounds.is_empty() {
            return Err(source.error(value.span(), "a wave leaves in at least one round, as in round = 1; this list is empty"));
        }
    } else {
        rounds.push(one(value)?);
    }
    if let Some(wave) = reply_to {
        if wave.rounds.len() != rounds.len() {
            let message = format!(
                "wave {:?} leaves in {:?} and this reply in {rounds:?}; give a round for each, or take round out to reply at once",
                wave.name, wave.rounds
            );
            return Err(source.error(value.span(), message));
        }
        if let Some((answered, own)) = wave.rounds.iter().zip(&rounds).find(|(answered, own)| answered >= own) {
            let message = format!(
                "wave {:?} leaves in round {answered}, so a reply to it leaves in round {} or later, and not in round {own}",
                wave.name,
                answered + 1
            );
            return Err(source.error(value.span(), message));
        }
    }
    Ok((rounds, value.span()))
}

fn read_size(source: Source<'_>, table: &Table<'_, '_>, reply_to: Option<&Named>) -> Result<(Written, u64), FileError> {
    let fixed =
        table.value("messengers").map(|value| source.whole_number(value, "messengers", 1..=MAX_MESSENGERS)).transpose()?;
    let Some(value) = table.value("per-arrival") else {
        let fixed = fixed.ok_or_else(|| table.missing("messengers", "messengers = 3"))?;
        return Ok((Written::Messengers(fixed), u64::from(fixed)));
    };
    let each = source.whole_number(value, "per-arrival", 1..=MAX_MESSENGERS)?;
    if fixed.is_some() {
        let message = "a wave has so many messengers in all, or so many per-arrival; take one of the two out";
        return Err(source.error(value.span(), message));
    }
    let Some(wave) = reply_to else {
        let message = "per-arrival is the number of replies for each messenger that arrived; say of which wave with reply-to";
        return Err(source.error(value.span(), message));
    };
    Ok((Written::PerArrival(each), wave.most.saturating_mul(u64::from(each))))
}

fn read_when<'t>(
    source: Source<'_>,
    table: &Table<'_, 't>,
    reply_to: Option<&Named>,
) -> Result<Vec<Spanned<&'t str>>, FileError> {
    let when = match (read_conditions(source, table, "when")?, reply_to) {
        (Some(when), _) => when,
        (None, Some(_)) => return Ok(Vec::new()),
        (None, None) => {
            let example = "when = \"ordered\" (general 1 only), when = \"heard first\" or when = \"always\"";
            return Err(table.missing("when", example));
        }
    };
    match (when.as_slice(), reply_to) {
        ([always], None) if *always.get_ref() == "always" => Ok(Vec::new()),
        ([always], Some(wave)) if *always.get_ref() == "always" => {
            let message = format!("a reply leaves only if something of wave {:?} arrived; take when out", wave.name);
            Err(source.error(always.span(), message))
        }
        _ => Ok(when),
    }
}

/// One condition, or a list of them, of which every one has to hold.
pub(super) fn read_conditions<'t>(
    source: Source<'_>,
    table: &Table<'_, 't>,
    key: &str,
) -> Result<Option<Vec<Spanned<&'t str>>>, FileError> {
    let Some(value) = table.value(key) else {
        return Ok(None);
    };
    let Some(list) = value.get_ref().as_array() else {
        return Ok(table.text(key)?.map(|text| vec![text]));
    };
    if list.is_empty() || list.len() > MAX_CONDITIONS {
        let message =
            format!("{key} is a condition or a list of 1 to {MAX_CONDITIONS} of them, and this list has {}", list.len());
        return Err(source.error(value.span(), message));
    }
    let one = |item: &'t Spanned<DeValue<'_>>| {
        let text = item.get_ref().as_str().map(|text| Spanned::new(item.span(), text));
        text.ok_or_else(|| source.error(item.span(), format!("a condition is text in quotes, and this is {}", kind_of(item))))
    };
    list.iter().map(one).collect::<Result<Vec<_>, _>>().map(Some)
}

/// The number of rounds before the hour of the attack: the file's, or the last in which a wave leaves.
fn check_deadline(source: Source<'_>, root: &Table<'_, '_>, last_round: &mut u32, drafts: &[Draft<'_>]) -> Result<(), FileError> {
    let given = root.value("rounds").map(|value| source.whole_number(value, "rounds", 1..=MAX_ROUNDS)).transpose()?;
    let rounds = given.unwrap_or(MAX_ROUNDS);
    for draft in drafts {
        if let Some(late) = draft.named.rounds.iter().find(|round| **round > rounds) {
            let message = format!(
                "wave {:?} leaves in round {late}, and the hour of the attack comes after round {rounds}; let it leave earlier{}",
                draft.named.name,
                if given.is_some() { ", or raise rounds" } else { "" }
            );
            return Err(source.error(draft.rounds_at.clone(), message));
        }
    }
    *last_round = given.unwrap_or(*last_round);
    Ok(())
}

/// Refuses more messengers in one round than anybody can count.
fn check_sizes(source: Source<'_>, drafts: &[Draft<'_>]) -> Result<(), FileError> {
    let mut sent = vec![[0u64; 2]; MAX_ROUNDS as usize + 1];
    for draft in drafts {
        let Named { name, from, rounds, most, .. } = &draft.named;
        for &round in rounds {
            let sum = &mut sent[round as usize][from.index()];
            *sum = sum.saturating_add(*most);
            if *sum > u64::from(MAX_MESSENGERS) {
                let message = format!(
                    "with wave {name:?} general {} sends up to {sum} messengers in round {round}, and the most is {MAX_MESSENGERS}",
                    from.number()
                );
                return Err(source.error(draft.span.clone(), message));
            }
        }
    }
    Ok(())
}

/// The wave as it leaves in one of its rounds.
fn leaving(source: Source<'_>, draft: &Draft<'_>, occurrence: usize, round: u32, waves: &[Named]) -> Result<Wave, FileError> {
    let view = View { source, waves, camp: draft.named.from, asker: Some(&draft.named), round };
    let mut when = draft.when.iter().map(|text| condition::read(&view, text)).collect::<Result<Vec<_>, _>>()?;
    let answered = draft.reply_to.as_ref().map(|wave| wave.place + occurrence);
    when.extend(answered.map(|wave| Condition::Heard { waves: vec![wave], at_least: 1 }));
    let size = match (draft.size, answered) {
        (Written::PerArrival(each), Some(wave)) => Size::PerArrival { wave, each },
        (Written::Messengers(number) | Written::PerArrival(number), _) => Size::Fixed(number),
    };
    Ok(Wave { from: draft.named.from, round, size, when, says: draft.says.as_str().into() })
}
