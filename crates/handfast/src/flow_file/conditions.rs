//! Reads what the answers of a service mean: the shapes of each meaning, and what is tested in each.

use std::collections::BTreeMap;
use std::ops::Range;

use handfast_toml::{DeValue, FileError, Source, Spanned, Table, kind_of};

use crate::journal::Scalar;
use crate::participant::{At, Condition, Expected, KeptAt, Shapes, TemplatePart, Test, Wants};

/// The meanings, as they are written.
pub(super) const STATES: [&str; 7] = ["done", "refused", "closed", "undone", "absent", "accepted", "failed"];

/// The classes of status.
const CLASSES: [(&str, u8); 4] = [("2xx", 2), ("3xx", 3), ("4xx", 4), ("5xx", 5)];

/// What the answers of an operation mean, by the names of the meanings.
pub(super) fn read(call: &Table<'_, '_>) -> Result<BTreeMap<String, Shapes>, FileError> {
    let mut answers = BTreeMap::new();
    for state in STATES {
        let tables = shapes(call, state)?;
        if !tables.is_empty() {
            let shapes = tables.iter().map(read_condition).collect::<Result<_, _>>()?;
            answers.insert(state.to_owned(), Shapes(shapes));
        }
    }
    Ok(answers)
}

/// The tables of a meaning: one, or one for each of its shapes.
fn shapes<'s, 't>(call: &Table<'s, 't>, state: &str) -> Result<Vec<Table<'s, 't>>, FileError> {
    let Some(value) = call.value(state) else { return Ok(Vec::new()) };
    let what = format!("{state} of {}", call.what());
    let Some(list) = value.get_ref().as_array() else {
        return Ok(call.table(state, what)?.into_iter().collect());
    };
    if list.is_empty() {
        return Err(call.error_at(state, format!("{what} has no shape at all; add one, or remove {state}")));
    }
    let table = |(at, value): (usize, &'t Spanned<DeValue<'s>>)| {
        let what = format!("shape {} of {what}", at + 1);
        let wrong = || call.source().error(value.span(), format!("{what} must be a table, and it is {}", kind_of(value)));
        let table = value.get_ref().as_table().ok_or_else(wrong)?;
        Ok(Table::new(call.source(), table, value.span(), what))
    };
    list.iter().enumerate().map(table).collect()
}

/// Where a part of a meaning stands, if it is one's.
pub(super) fn span_of(call: &Table<'_, '_>, part: &TemplatePart) -> Option<Range<usize>> {
    let tables = shapes(call, STATES.into_iter().find(|state| *state == part.key)?).ok()?;
    let table = tables.get(part.shape)?;
    let Some(entry) = &part.entry else { return Some(table.span()) };
    let value = ["json", "header"].into_iter().find_map(|key| {
        let below = table.value(key)?.get_ref().as_table()?;
        below.iter().find(|(name, _)| name.get_ref().eq_ignore_ascii_case(entry)).map(|(_, value)| value.span())
    });
    value.or_else(|| Some(table.span()))
}

fn read_condition(table: &Table<'_, '_>) -> Result<Condition, FileError> {
    table.only(&["status", "json", "header"])?;
    let mut condition = Condition::default();
    if let Some(value) = table.value("status") {
        for value in values_of(value) {
            read_status(table.source(), value, &mut condition)?;
        }
    }
    if let Some(places) = table.table("json", format!("json of {}", table.what()))? {
        for (place, value) in places.in_order() {
            read_json(table.source(), place.get_ref(), value, &mut condition)?;
        }
    }
    if let Some(headers) = table.table("header", format!("header of {}", table.what()))? {
        for (name, value) in headers.in_order() {
            let wants = read_wants(table.source(), value)?;
            if wants == Wants::Null {
                return Err(table.source().error(value.span(), "no header is null; say { absent = true }, or which text it is"));
            }
            condition.tests.push(Test { at: At::Header(name.get_ref().to_ascii_lowercase()), wants });
        }
    }
    Ok(condition)
}

fn read_status(source: Source<'_>, value: &Spanned<DeValue<'_>>, into: &mut Condition) -> Result<(), FileError> {
    if let Some(text) = value.get_ref().as_str() {
        let class = CLASSES.into_iter().find(|(name, _)| *name == text).map(|(_, class)| class);
        let wrong = || source.error(value.span(), format!("{text:?} is no class of status; they are 2xx, 3xx, 4xx and 5xx"));
        into.classes.push(class.ok_or_else(wrong)?);
        return Ok(());
    }
    let status = source.whole_number(value, "a status", 200..=599)?;
    into.status.push(u16::try_from(status).unwrap_or(0));
    Ok(())
}

/// What was always said in this way is kept in this way; everything else is a test.
fn read_json(source: Source<'_>, place: &str, value: &Spanned<DeValue<'_>>, into: &mut Condition) -> Result<(), FileError> {
    let wants = read_wants(source, value)?;
    let plain = |wants: &Wants| match wants {
        Wants::Is(values) => values.iter().map(|it| if let Expected::Value(it) = it { Some(it.clone()) } else { None }).collect(),
        Wants::Not(_) | Wants::Absent | Wants::Null => None,
    };
    let has_star = place.split('/').any(|part| part == "*");
    match plain(&wants).filter(|_| !has_star) {
        Some(values) => {
            into.json.insert(place.to_owned(), values);
        }
        None => into.tests.push(Test { at: At::Json(place.to_owned()), wants }),
    }
    Ok(())
}

fn read_wants(source: Source<'_>, value: &Spanned<DeValue<'_>>) -> Result<Wants, FileError> {
    let Some(table) = value.get_ref().as_table() else { return read_values(source, value).map(Wants::Is) };
    let table = Table::new(source, table, value.span(), "what is said of a value");
    table.only(&["is", "not", "absent", "null"])?;
    let mut said = Vec::new();
    for (key, value) in table.in_order() {
        said.push(match key.get_ref().as_ref() {
            "is" => Wants::Is(read_values(source, value)?),
            "not" => Wants::Not(read_values(source, value)?),
            flag => {
                if value.get_ref().as_bool() != Some(true) {
                    return Err(source
                        .error(value.span(), format!("say {flag} = true, or remove it; what is there is said by its value")));
                }
                if flag == "absent" { Wants::Absent } else { Wants::Null }
            }
        });
    }
    match <[Wants; 1]>::try_from(said) {
        Ok([wants]) => Ok(wants),
        Err(_) => Err(source.error(value.span(), "say one thing of a value: is, not, absent or null")),
    }
}

fn read_values(source: Source<'_>, value: &Spanned<DeValue<'_>>) -> Result<Vec<Expected>, FileError> {
    let values: Vec<Expected> = values_of(value).map(|value| read_expected(source, value)).collect::<Result<_, _>>()?;
    if values.is_empty() {
        return Err(source.error(value.span(), "a list of no values fits nothing; name one"));
    }
    Ok(values)
}

/// The values of a list, or the one value that stands for a list of one.
fn values_of<'v, 's>(value: &'v Spanned<DeValue<'s>>) -> Box<dyn Iterator<Item = &'v Spanned<DeValue<'s>>> + 'v> {
    match value.get_ref().as_array() {
        Some(list) => Box::new(list.iter()),
        None => Box::new(std::iter::once(value)),
    }
}

fn read_expected(source: Source<'_>, value: &Spanned<DeValue<'_>>) -> Result<Expected, FileError> {
    let integer = || {
        let integer = value.get_ref().as_integer()?;
        i64::from_str_radix(integer.as_str(), integer.radix()).ok()
    };
    if let Some(text) = value.get_ref().as_str() {
        return read_text(text).map_err(|message| source.error(value.span(), message));
    }
    let scalar = value.get_ref().as_bool().map(Scalar::Bool).or_else(|| integer().map(Scalar::Integer));
    scalar.map(Expected::Value).ok_or_else(|| {
        let message = format!("a value of an answer is text, a whole number, true or false, and this is {}", kind_of(value));
        source.error(value.span(), message)
    })
}

/// A text with its gaps, or without any. A brace is never needed for its own sake in an answer, so that each is taken for the
/// beginning of a gap.
fn read_text(text: &str) -> Result<Expected, String> {
    let mut plain = String::new();
    let mut rest = text;
    let mut has_gaps = false;
    while let Some(at) = rest.find('{') {
        plain.push_str(&rest[..at]);
        plain.push('{');
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix('{') {
            rest = after;
        } else if rest.starts_with(|first: char| first.is_ascii_alphabetic()) {
            has_gaps = true;
        } else {
            return Err(format!("a {{ of {text:?} begins no gap, as in {{key}}; write {{{{ for a {{ of its own"));
        }
    }
    plain.push_str(rest);
    // Whether each is a gap that there is, is looked at where the templates are read.
    Ok(if has_gaps { Expected::Gaps { gaps: text.to_owned() } } else { Expected::Value(Scalar::Text(plain)) })
}

/// What is kept of an answer: a name, and a pointer or a header.
pub(super) fn read_keep(call: &Table<'_, '_>) -> Result<BTreeMap<String, KeptAt>, FileError> {
    let Some(below) = call.table("keep", format!("keep of {}", call.what()))? else { return Ok(BTreeMap::new()) };
    let place = |name: &str| {
        if below.value(name).is_some_and(|value| value.get_ref().is_table()) {
            let table = below.table(name, format!("{name} of {}", below.what()))?;
            let header = |table: Table<'_, '_>| {
                table.only(&["header"])?;
                let header = (*table.wanted_text("header", "header = \"x-charge-id\"")?.get_ref()).to_owned();
                Ok(KeptAt::Header { header })
            };
            return table.map(header).transpose();
        }
        Ok(below.text(name)?.map(|pointer| KeptAt::from(*pointer.get_ref())))
    };
    let mut kept = BTreeMap::new();
    for (name, _) in below.in_order() {
        if let Some(at) = place(name.get_ref())? {
            kept.insert(name.get_ref().to_string(), at);
        }
    }
    Ok(kept)
}
