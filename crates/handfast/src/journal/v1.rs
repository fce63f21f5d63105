//! Version 1 of the shapes, which version 2 of the protocol writes as well. What a journal of it may hold is never changed, only
//! added to. A handfast from before an addition cannot read it: a saga of a version that it does not know it leaves alone, but
//! one of version 1 with a line that was added it takes for damaged (the first release suspends it, every later one leaves it
//! alone). Everything else is a module of its own.

use super::{
    Answer, BTreeMap, Command, Cow, Definite, Deserialize, DueAt, Line, LineError, Mark, Nature, Operation, Receipt, Ruling,
    Said, Scalar, Serialize, Time, UndoTold,
};

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Shape<'a> {
    Start {},
    Timeout {},
    Due {
        at: u64,
        since: u64,
        #[serde(borrow)]
        nature: Cow<'a, str>,
    },
    Cancel {
        #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
        by: Option<Cow<'a, str>>,
        #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
        why: Option<Cow<'a, str>>,
        #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
        request_id: Option<Cow<'a, str>>,
    },
    #[serde(borrow)]
    Person(PersonShape<'a>),
    Sent {
        step: usize,
    },
    Looked {
        step: usize,
        #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
        found: Option<Cow<'a, str>>,
        left: u64,
    },
    Forgotten {
        step: usize,
        #[serde(borrow)]
        incarnation: Cow<'a, str>,
    },
    Moved {
        step: usize,
        can_be_looked_at: bool,
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        came_back: bool,
    },
    SameBooks {
        step: usize,
        #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
        by: Option<Cow<'a, str>>,
        #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
        why: Option<Cow<'a, str>>,
    },
    #[serde(borrow)]
    Undo(UndoShape<'a>),
    #[serde(borrow)]
    Answer(AnswerShape<'a>),
    Differs {
        step: usize,
        #[serde(borrow)]
        to: Cow<'a, str>,
        in_effect: bool,
        #[serde(borrow)]
        what: Cow<'a, str>,
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        kept: BTreeMap<String, Kept>,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PersonShape<'a> {
    /// `retry`, `resume`, `mark` or `settle`.
    #[serde(borrow)]
    act: Cow<'a, str>,
    /// Of a mark.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    step: Option<usize>,
    /// Of a mark: `done`, `not_done` or `undone`.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    mark: Option<Cow<'a, str>>,
    #[serde(borrow)]
    by: Cow<'a, str>,
    #[serde(borrow)]
    reason: Cow<'a, str>,
    #[serde(borrow)]
    request_id: Cow<'a, str>,
    saw: u64,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    evidence: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    kept: BTreeMap<String, Kept>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct UndoShape<'a> {
    step: usize,
    #[serde(borrow)]
    told: Cow<'a, str>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    detail: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    kept: BTreeMap<String, Kept>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct AnswerShape<'a> {
    step: usize,
    #[serde(borrow)]
    to: Cow<'a, str>,
    #[serde(borrow)]
    state: Cow<'a, str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    seq: Option<u64>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    incarnation: Option<Cow<'a, str>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    mark: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    at: Option<u64>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    detail: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    kept: BTreeMap<String, Kept>,
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Kept {
    Bool(bool),
    Integer(i64),
    Text(String),
}

const OTHER_BODY: &str = "other_body";

pub(super) fn write(line: &Line) -> Result<String, LineError> {
    let shape = match line {
        Line::Start => Shape::Start {},
        Line::Timeout => Shape::Timeout {},
        Line::Due(due) => Shape::Due { at: due.at.0, since: due.since.0, nature: Cow::Borrowed(due.nature.name()) },
        Line::Cancel { by, why, request_id } => {
            let [by, why, request_id] = [by, why, request_id].map(|said| said.as_deref().map(Cow::Borrowed));
            Shape::Cancel { by, why, request_id }
        }
        Line::Person { ruling, said } => Shape::Person(write_person(*ruling, said)),
        Line::Sent { step } => Shape::Sent { step: *step },
        Line::Looked { step, found, left } => {
            Shape::Looked { step: *step, found: found.map(|found| Cow::Borrowed(found.name())), left: left.0 }
        }
        Line::Differs { to, in_effect, what, kept } => Shape::Differs {
            step: to.step,
            to: Cow::Borrowed(to.operation.name()),
            in_effect: *in_effect,
            what: Cow::Borrowed(what),
            kept: write_all_kept(kept),
        },
        Line::Forgotten { step, incarnation } => Shape::Forgotten { step: *step, incarnation: Cow::Borrowed(incarnation) },
        Line::Moved { step, can_be_looked_at, came_back } => {
            Shape::Moved { step: *step, can_be_looked_at: *can_be_looked_at, came_back: *came_back }
        }
        Line::SameBooks { step, by, why } => {
            Shape::SameBooks { step: *step, by: by.as_deref().map(Cow::Borrowed), why: why.as_deref().map(Cow::Borrowed) }
        }
        Line::Undo { step, told, receipt } => Shape::Undo(UndoShape {
            step: *step,
            told: Cow::Borrowed(told.name()),
            detail: receipt.detail.as_deref().map(Cow::Borrowed),
            kept: write_all_kept(&receipt.kept),
        }),
        Line::Answer { to, answer, receipt } => Shape::Answer(AnswerShape {
            step: to.step,
            to: Cow::Borrowed(to.operation.name()),
            state: Cow::Borrowed(match answer {
                Answer::State(state) => state.name(),
                Answer::OtherBody => OTHER_BODY,
            }),
            seq: receipt.seq,
            incarnation: receipt.incarnation.as_deref().map(Cow::Borrowed),
            mark: receipt.mark.as_deref().map(Cow::Borrowed),
            at: receipt.at.map(|at| at.0),
            detail: receipt.detail.as_deref().map(Cow::Borrowed),
            kept: write_all_kept(&receipt.kept),
        }),
    };
    serde_json::to_string(&shape).map_err(|error| LineError::Unreadable(error.to_string()))
}

pub(super) fn read(text: &str) -> Result<Line, LineError> {
    let shape = serde_json::from_str::<Shape<'_>>(text).map_err(|error| LineError::Unreadable(error.to_string()))?;
    Ok(match shape {
        Shape::Start {} => Line::Start,
        Shape::Timeout {} => Line::Timeout,
        Shape::Due { at, since, nature } => {
            let nature =
                Nature::from_name(&nature).ok_or_else(|| LineError::Unreadable(format!("`{nature}` is not what is due")))?;
            Line::Due(DueAt { at: Time(at), since: Time(since), nature })
        }
        Shape::Cancel { by, why, request_id } => {
            let [by, why, request_id] = [by, why, request_id].map(|said| said.map(Cow::into_owned));
            Line::Cancel { by, why, request_id }
        }
        Shape::Person(shape) => Line::Person { ruling: ruling(&shape)?, said: said(shape) },
        Shape::Sent { step } => Line::Sent { step },
        Shape::Looked { step, found, left } => {
            Line::Looked { step, found: found.as_deref().map(state).transpose()?, left: Time(left) }
        }
        Shape::Differs { step, to, in_effect, what, kept } => Line::Differs {
            to: Command { step, operation: operation(&to)? },
            in_effect,
            what: what.into_owned(),
            kept: read_all_kept(kept),
        },
        Shape::Forgotten { step, incarnation } => Line::Forgotten { step, incarnation: incarnation.into_owned() },
        Shape::Moved { step, can_be_looked_at, came_back } => Line::Moved { step, can_be_looked_at, came_back },
        Shape::SameBooks { step, by, why } => {
            Line::SameBooks { step, by: by.map(Cow::into_owned), why: why.map(Cow::into_owned) }
        }
        Shape::Undo(shape) => Line::Undo {
            step: shape.step,
            told: UndoTold::from_name(&shape.told)
                .ok_or_else(|| LineError::Unreadable(format!("`{}` is nothing that is said of an undo", shape.told)))?,
            receipt: Receipt { detail: shape.detail.map(Cow::into_owned), kept: read_all_kept(shape.kept), ..Receipt::default() },
        },
        Shape::Answer(shape) => Line::Answer {
            to: Command { step: shape.step, operation: operation(&shape.to)? },
            answer: answer(&shape.state)?,
            receipt: Receipt {
                seq: shape.seq,
                incarnation: shape.incarnation.map(Cow::into_owned),
                mark: shape.mark.map(Cow::into_owned),
                opening: None,
                at: shape.at.map(Time),
                detail: shape.detail.map(Cow::into_owned),
                kept: read_all_kept(shape.kept),
            },
        },
    })
}

fn write_person(ruling: Ruling, said: &Said) -> PersonShape<'_> {
    let (act, step, mark) = match ruling {
        Ruling::Retry => ("retry", None, None),
        Ruling::Resume => ("resume", None, None),
        Ruling::Mark { step, mark } => ("mark", Some(step), Some(Cow::Borrowed(mark.name()))),
        Ruling::Settle => ("settle", None, None),
    };
    PersonShape {
        act: Cow::Borrowed(act),
        step,
        mark,
        by: Cow::Borrowed(&said.by),
        reason: Cow::Borrowed(&said.reason),
        request_id: Cow::Borrowed(&said.request_id),
        saw: said.saw,
        evidence: said.evidence.as_deref().map(Cow::Borrowed),
        kept: write_all_kept(&said.kept),
    }
}

fn ruling(shape: &PersonShape<'_>) -> Result<Ruling, LineError> {
    match (&*shape.act, shape.step, shape.mark.as_deref().map(Mark::from_name)) {
        ("retry", None, None) => Ok(Ruling::Retry),
        ("resume", None, None) => Ok(Ruling::Resume),
        ("settle", None, None) => Ok(Ruling::Settle),
        ("mark", Some(step), Some(Some(mark))) => Ok(Ruling::Mark { step, mark }),
        (act, _, _) => Err(LineError::Unreadable(format!("`{act}` is nothing that a person says like that"))),
    }
}

fn said(shape: PersonShape<'_>) -> Said {
    Said {
        by: shape.by.into_owned(),
        reason: shape.reason.into_owned(),
        request_id: shape.request_id.into_owned(),
        saw: shape.saw,
        evidence: shape.evidence.map(Cow::into_owned),
        kept: read_all_kept(shape.kept),
    }
}

fn write_all_kept(kept: &BTreeMap<String, Scalar>) -> BTreeMap<String, Kept> {
    kept.iter().map(|(name, value)| (name.clone(), write_kept(value))).collect()
}

fn read_all_kept(kept: BTreeMap<String, Kept>) -> BTreeMap<String, Scalar> {
    kept.into_iter().map(|(name, value)| (name, read_kept(value))).collect()
}

fn write_kept(value: &Scalar) -> Kept {
    match value {
        Scalar::Bool(value) => Kept::Bool(*value),
        Scalar::Integer(value) => Kept::Integer(*value),
        Scalar::Text(value) => Kept::Text(value.clone()),
    }
}

fn read_kept(value: Kept) -> Scalar {
    match value {
        Kept::Bool(value) => Scalar::Bool(value),
        Kept::Integer(value) => Scalar::Integer(value),
        Kept::Text(value) => Scalar::Text(value),
    }
}

fn operation(word: &str) -> Result<Operation, LineError> {
    Operation::from_name(word).ok_or_else(|| LineError::Unreadable(format!("`{word}` is not an operation")))
}

fn answer(word: &str) -> Result<Answer, LineError> {
    if word == OTHER_BODY {
        return Ok(Answer::OtherBody);
    }
    state(word).map(Answer::State)
}

fn state(word: &str) -> Result<Definite, LineError> {
    Definite::from_name(word).ok_or_else(|| LineError::Unreadable(format!("`{word}` is not the state of a key")))
}
