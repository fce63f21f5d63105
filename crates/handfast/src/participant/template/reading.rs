//! Reads what the answers of an operation mean, and refuses what would take for certain what is not.

use std::collections::BTreeMap;

use handfast_protocol::{Definite, Meaning, Operation};
use reqwest::header::HeaderName;

use super::answer::{Keep, Reading};
use super::call::{CallText, MAX_ENTRIES, TemplateError, error};
use super::condition::{At, Condition};
use super::shape::{Shape, cut};
use super::text::Value;

/// The most shapes that one meaning comes in.
const MAX_SHAPES: usize = 16;

/// The state that tells what an operation is for.
const fn aim(operation: Operation) -> Definite {
    match operation {
        Operation::Act | Operation::Look => Definite::Done,
        Operation::Close => Definite::Closed,
        Operation::Undo => Definite::Undone,
    }
}

pub(super) fn read_reading(asked: (Operation, bool), text: &CallText, own: &[HeaderName]) -> Result<Reading, TemplateError> {
    let (operation, is_about_undo) = asked;
    let aim = if is_about_undo { Definite::Undone } else { aim(operation) };
    let mut states: Vec<(Meaning, Vec<Shape>)> = Vec::new();
    for (name, shapes) in &text.answers {
        let Some(meaning) = Meaning::from_name(name) else {
            return Err(error("done", None, format!("{name:?} is no state of a key")));
        };
        if shapes.0.len() > MAX_SHAPES {
            return Err(error(meaning.name(), None, format!("more than {MAX_SHAPES} shapes of one meaning are too many")));
        }
        let read = |(at, condition)| {
            let shape = read_shape(asked, (meaning, condition), own);
            let told_apart = |shape| refuse_clash(meaning, condition, &states).map(|()| shape);
            shape.and_then(told_apart).map_err(|error| error.of_shape(at))
        };
        let shapes = (0..).zip(&shapes.0).map(read).collect::<Result<_, _>>()?;
        states.push((meaning, shapes));
    }
    if states.iter().all(|(meaning, _)| *meaning != Meaning::State(aim)) {
        let example = format!("{} = {{ status = 200, json = {{ \"/state\" = \"{0}\" }} }}", aim.name());
        return Err(error(aim.name(), None, format!("say which answers mean {}, as in {example}", aim.name())));
    }
    let mut keep = BTreeMap::new();
    if text.keep.len() > MAX_ENTRIES {
        return Err(error("keep", None, format!("more than {MAX_ENTRIES} values of an answer are too many to keep")));
    }
    for (name, place) in &text.keep {
        if !is_kept_name(name) {
            return Err(error("keep", Some(name), "a name is 1 to 32 of a-z, 0-9, - and _"));
        }
        keep.insert(name.clone(), read_keep(&place.at()).map_err(|message| error("keep", Some(name), message))?);
    }
    if let Some(pointer) = text.detail.as_deref().filter(|pointer| !is_pointer(pointer)) {
        return Err(error("detail", None, format!("{pointer:?} is no place in JSON; write it as in \"/error/code\"")));
    }
    let detail = text.detail.as_deref().map(cut);
    let kept_in = if operation == Operation::Undo || is_about_undo {
        vec![Meaning::State(Definite::Undone), Meaning::Accepted]
    } else {
        vec![Meaning::State(Definite::Done)]
    };
    Ok(Reading { states, keep, kept_in, detail })
}

fn read_keep(at: &At) -> Result<Keep, String> {
    match at {
        At::Json(pointer) if is_pointer(pointer) => Ok(Keep::Json(cut(pointer))),
        At::Json(pointer) => Err(format!("{pointer:?} is no place in JSON; write it as in \"/id\"")),
        At::Header(name) => name.parse().map(Keep::Header).map_err(|_| format!("{name:?} is no name of a header")),
    }
}

/// Reads one shape of a meaning, and looks whether it means what it is said to mean.
fn read_shape(
    asked: (Operation, bool),
    (meaning, condition): (Meaning, &Condition),
    own: &[HeaderName],
) -> Result<Shape, TemplateError> {
    let refused = |message: String| error(meaning.name(), None, message);
    if *condition == Condition::default() {
        let example = "{ status = 200, json = { \"/state\" = \"done\" } }";
        return Err(refused(format!("say which status and which values mean this, as in {example}")));
    }
    if let Some(status) = condition.status.iter().find(|status| !(200..=599).contains(*status)) {
        return Err(refused(format!("{status} is no status of an answer; they are from 200 to 599")));
    }
    if let Some(class) = condition.classes.iter().find(|class| !(2..=5).contains(*class)) {
        return Err(refused(format!("{class}xx is no class of status; they are 2xx, 3xx, 4xx and 5xx")));
    }
    let tested = condition.tests.iter().filter_map(|test| if let At::Json(pointer) = &test.at { Some(pointer) } else { None });
    if let Some(pointer) = condition.json.keys().chain(tested).find(|pointer| !is_pointer(pointer)) {
        return Err(refused(format!("{pointer:?} is no place in JSON; write it as in \"/error/code\"")));
    }
    let of_place = |(at, message): (At, String)| {
        let (At::Json(entry) | At::Header(entry)) = &at;
        error(meaning.name(), Some(entry), message)
    };
    let shape = Shape::read(condition, own).map_err(of_place)?;
    let secret = shape
        .compared()
        .find(|(_, template)| template.gaps().any(|(value, _)| matches!(value, Value::Secret(_) | Value::Basic { .. })));
    if let Some((place, _)) = secret {
        let message = "an answer is not compared with a secret, since it would have to repeat it; take it out";
        return Err(error(meaning.name(), Some(place), message));
    }
    let proves_nothing = is_out_of_place(asked, meaning, shape.is_bare()).or_else(|| proves_too_little(meaning, &shape));
    proves_nothing.map_or(Ok(shape), |message| Err(refused(message)))
}

/// Refuses a condition that fits what another meaning has already.
fn refuse_clash(meaning: Meaning, condition: &Condition, states: &[(Meaning, Vec<Shape>)]) -> Result<(), TemplateError> {
    let is_clash = |shape: &Shape| {
        let other = shape.condition();
        let (tests, others) = ((&other.json, &other.tests), (&condition.json, &condition.tests));
        tests == others && statuses_meet(other, condition)
    };
    let clash = states.iter().find(|(_, shapes)| shapes.iter().any(is_clash));
    clash.map_or(Ok(()), |(other, _)| {
        let message =
            format!("the same answer would mean {} and {}, which is unknown; tell them apart", other.name(), meaning.name());
        Err(error(meaning.name(), None, message))
    })
}

/// Whether some status is named by both, or any will do for both.
fn statuses_meet(one: &Condition, other: &Condition) -> bool {
    let names = |condition: &Condition, status: u16| {
        condition.status.contains(&status) || condition.classes.iter().any(|class| u16::from(*class) == status / 100)
    };
    let by_status = |one: &Condition, other: &Condition| one.status.iter().any(|status| names(other, *status));
    let by_class = one.classes.iter().any(|class| other.classes.contains(class));
    let same = (&one.status, &one.classes) == (&other.status, &other.classes);
    same || by_class || by_status(one, other) || by_status(other, one)
}

/// Whether others than the service send this status too, whatever became of a request: gateways, proxies and routers, those who
/// guard a door or count requests, and a service that is out of order.
const fn is_anybodys(status: u16) -> bool {
    matches!(status, 300..=399 | 401 | 403 | 404 | 405 | 407 | 408 | 421 | 425 | 429 | 500..=599)
}

/// Why this operation cannot mean this, or not by a status alone: not found is not *not done*, since what was asked for may
/// still be on its way, and an undo that a gateway says is under way would never be asked for again.
fn is_out_of_place((operation, is_about_undo): (Operation, bool), meaning: Meaning, is_bare: bool) -> Option<String> {
    let name = meaning.name();
    let is_look = operation == Operation::Look;
    let is_undo = operation == Operation::Undo || is_about_undo;
    match meaning {
        Meaning::State(Definite::Refused | Definite::Closed) if is_about_undo => Some(format!(
            "a look at an undo tells undone, accepted, failed, or done where what was done is still there, and never {name}; \
             remove {name}"
        )),
        Meaning::State(Definite::Done | Definite::Undone) if is_about_undo && is_bare => {
            Some(format!("a look at an undo tells {name} by a value of its answer only; add json = {{ .. }}, or remove {name}"))
        }
        Meaning::State(Definite::Closed) if is_look => Some(format!(
            "a peek tells done, or refused or undone by a value of its JSON, and never {name}: not found is not not-done, since what \
             was asked for may still be on its way; remove {name}"
        )),
        Meaning::State(Definite::Refused | Definite::Undone) if is_look && is_bare => Some(format!(
            "a peek tells {name} by a value of its JSON only: not found is not not-done, since what was asked for may still be on its \
             way; add json = {{ .. }}, or remove {name}"
        )),
        Meaning::Absent if !is_look || is_about_undo => {
            Some("only a peek tells absent, and it proves nothing: not found is not not-done; remove absent".to_owned())
        }
        Meaning::Accepted | Meaning::Failed if !is_undo => {
            Some(format!("only an undo, and a look at one, tells {name}; remove {name}"))
        }
        Meaning::Accepted | Meaning::Failed if is_bare => Some(format!(
            "a status alone does not mean {name}: another that sends it would keep the undo from being asked for; tell it by a value \
             of the answer, with json = {{ .. }}"
        )),
        Meaning::State(_) | Meaning::Absent | Meaning::Accepted | Meaning::Failed => None,
    }
}

/// Why this shape would take for certain what is not: a status that anybody sends says nothing of the key, be it *done* or not.
fn proves_too_little(meaning: Meaning, shape: &Shape) -> Option<String> {
    let (name, condition, is_bare) = (meaning.name(), shape.condition(), shape.is_bare());
    if !is_bare {
        return None;
    }
    let status = condition.status.iter().find(|status| is_anybodys(**status)).map(ToString::to_string);
    let class = || condition.classes.iter().find(|class| **class > 2).map(|class| format!("{class}xx"));
    if let Some(status) = status.or_else(class) {
        return Some(format!(
            "{status} alone does not mean {name}: a gateway, a router or a limit of rates answers it as well, whatever became of the \
             key; tell it by a value of the answer, with json = {{ .. }}, or take {status} out"
        ));
    }
    let any_status = condition.status.is_empty() && condition.classes.is_empty();
    any_status.then(|| {
        format!(
            "what is said of an answer that means {name} fits what anybody answers as well, whatever its status; name a value \
             that stands in the body, with json = {{ .. }}, or a header that own_headers of [step.http] names"
        )
    })
}

fn is_kept_name(name: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_".contains(&byte);
    (1..=32).contains(&name.len()) && name.bytes().all(fits)
}

/// A JSON pointer (RFC 6901): empty for the whole, otherwise `/` before each step, `~0` for `~` and `~1` for `/`.
pub(crate) fn is_pointer(text: &str) -> bool {
    let escapes_are_sound = || text.split('~').skip(1).all(|rest| rest.starts_with(['0', '1']));
    text.starts_with('/') && text.len() <= 200 && escapes_are_sound()
}
