//! Applying a page of a plan saga by saga, and reading from the journals what has come of it.

use std::future::Future;

use handfast::journal::Said;
use handfast::store::Digest;
use handfast::{ActError, ActResult, Deed, Outturn};
use serde::{Deserialize, Serialize};
use tokio::task::JoinSet;

use super::document::{Entry, Head, Page, request_id};
use super::money::Come;
use crate::operator::not_taken;

/// A page of a plan that is to be applied, or of which is asked what has come.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Applying {
    /// The plan's token.
    pub(crate) token: String,
    /// The plan's head.
    pub(crate) head: Head,
    /// One of its pages.
    pub(crate) page: Page,
    /// Who applies it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) by: Option<String>,
    /// How old the plan may be, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) not_older_than_ms: Option<u64>,
}

/// What a page of a plan has come to.
#[derive(Clone, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Applied {
    /// What was done about each saga, in the plan's order.
    pub sagas: Vec<Row>,
}

/// What was done about a saga of a plan.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Row {
    /// Its id.
    pub saga: String,
    /// What was done.
    pub done: Done,
    /// Why nothing was, where nothing was, or why that is unknown.
    pub why: Option<String>,
}

/// What was done about a saga of a plan.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Done {
    /// It was acted on, now.
    Acted,
    /// It had been acted on by the same plan before.
    ActedBefore,
    /// It has moved on since the plan was made; nothing was done.
    Moved,
    /// It cannot be done to it; nothing was done.
    Refused,
    /// An error came where an answer should: it may have been acted on or not. Applying the plan again tells.
    Unknown,
}

impl Done {
    /// The word for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Acted => "acted",
            Self::ActedBefore => "acted_before",
            Self::Moved => "moved",
            Self::Refused => "refused",
            Self::Unknown => "unknown",
        }
    }
}

/// What has come of a page of a plan so far.
#[derive(Clone, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Outcomes {
    /// Those of its sagas on which the plan has acted, in its order.
    pub sagas: Vec<Came>,
    /// What has come of them in sum.
    pub sums: Come,
}

/// What has come of a saga on which a plan has acted.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Came {
    /// Its id.
    pub saga: String,
    /// The number of the entry by which the plan has acted.
    pub seq: u64,
    /// How it stands.
    pub standing: String,
    /// It has neither ended nor waits for a person.
    pub under_way: bool,
    /// What has come of it.
    pub come: Come,
}

/// At most this many sagas are acted on at a time: a store flushes what comes together once.
const AT_ONCE: usize = 32;

/// What a person who applies a plan goes by.
fn evidence(token: &str, head: &Head) -> String {
    format!("{token}, made by {}", head.by)
}

/// What is said with the deed of a plan about one saga, and the digest that its last entry has to have.
fn said(token: &str, head: &Head, by: &str, entry: &Entry) -> Option<(Said, Digest)> {
    let digest = data_encoding::HEXLOWER.decode(entry.digest.as_bytes()).ok()?.try_into().ok()?;
    let said = Said {
        by: by.to_owned(),
        reason: head.reason.clone(),
        request_id: request_id(token, &entry.saga),
        saw: entry.seq,
        evidence: Some(evidence(token, head)),
        kept: std::collections::BTreeMap::default(),
    };
    Some((said, digest))
}

/// Does for each of `asked` what `ask` makes of it, several at a time. The answers are in the order of the questions, and nothing
/// that was begun is broken off.
async fn each<Q, A, F>(asked: Vec<Q>, ask: impl Fn(Q) -> F) -> Vec<A>
where
    A: Send + 'static,
    F: Future<Output = A> + Send + 'static,
{
    let mut answers: Vec<Option<A>> = asked.iter().map(|_| None).collect();
    let (mut open, mut asked) = (JoinSet::new(), asked.into_iter().enumerate());
    loop {
        while open.len() < AT_ONCE
            && let Some((at, question)) = asked.next()
        {
            let answer = ask(question);
            open.spawn(async move { (at, answer.await) });
        }
        match open.join_next().await {
            None => return answers.into_iter().flatten().collect(),
            Some(Ok((at, answer))) => {
                if let Some(place) = answers.get_mut(at) {
                    *place = Some(answer);
                }
            }
            // It has panicked, which is told as a panic and not as an answer that is missing.
            Some(Err(broken)) => {
                if let Ok(panic) = broken.try_into_panic() {
                    std::panic::resume_unwind(panic);
                }
            }
        }
    }
}

/// Why a deed of a plan has no result, in words.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum NoResult {
    /// It cannot be done to that saga; nothing was done.
    Refused(String),
    /// Whether it was done is unknown.
    Unknown(String),
}

/// Checks what is said with each deed of a plan: who made it, who applies it, and why.
///
/// # Errors
/// Why that is not kept; nothing was done.
pub(crate) fn check_words(head: &Head, by: &str) -> Result<(), ActError> {
    // A token is letters, whatever it is a digest of, and always of this length.
    let token = Head::token(head);
    let said = Said {
        by: by.to_owned(),
        reason: head.reason.clone(),
        request_id: token.clone(),
        evidence: Some(evidence(&token, head)),
        ..Said::default()
    };
    let checked = handfast::check_said(&said);
    if let Err(ActError::Text { name: "evidence", what }) = checked {
        let what = format!("the name of the plan's maker stands with its token, and then {what}");
        return Err(ActError::Text { name: "by", what });
    }
    checked
}

/// Applies a page saga by saga. `act` does it to one, with what is said about it and the digest that its last entry has to have. An
/// error is told of the saga where it came, and keeps no other from being acted on.
pub(crate) async fn apply_page<F>(
    (applying, deed): (&Applying, &Deed),
    by: &str,
    act: impl Fn(String, Deed, Said, Digest) -> F,
) -> Applied
where
    F: Future<Output = Result<ActResult, NoResult>> + Send + 'static,
{
    let Applying { token, head, page, .. } = applying;
    let sagas = each(page.sagas.clone(), |entry| {
        let acting = said(token, head, by, &entry).map(|(said, digest)| act(entry.saga.clone(), deed.clone(), said, digest));
        async move {
            let result = match acting {
                Some(acting) => acting.await,
                None => Ok(ActResult::Moved { seq: entry.seq }),
            };
            match result {
                Ok(result) => row(entry.saga, &result),
                Err(NoResult::Refused(why)) => Row { saga: entry.saga, done: Done::Refused, why: Some(why) },
                Err(NoResult::Unknown(why)) => Row { saga: entry.saga, done: Done::Unknown, why: Some(why) },
            }
        }
    });
    Applied { sagas: sagas.await }
}

fn row(saga: String, result: &ActResult) -> Row {
    let done = match result {
        ActResult::Taken { .. } => Done::Acted,
        ActResult::Repeated { .. } => Done::ActedBefore,
        ActResult::Moved { .. } => Done::Moved,
        ActResult::RequestIdTaken
        | ActResult::NeedsValues { .. }
        | ActResult::Pointless { .. }
        | ActResult::NoSuchStep { .. }
        | ActResult::Unknown => Done::Refused,
    };
    Row { why: not_taken(&saga, result), saga, done }
}

/// What has come of a page so far. `look` reads it of one saga by a request's id.
///
/// # Errors
/// The first error of `look`.
pub(crate) async fn outcomes_of<E, F>(applying: &Applying, look: impl Fn(String, String) -> F) -> Result<Outcomes, E>
where
    E: Send + 'static,
    F: Future<Output = Result<Option<Outturn>, E>> + Send + 'static,
{
    let ids = applying.page.sagas.iter().map(|entry| entry.saga.clone()).collect();
    let read = each(ids, |id: String| {
        let looking = look(id.clone(), request_id(&applying.token, &id));
        async move { Ok(looking.await?.map(|outturn| came(id, &outturn))) }
    });
    let sagas: Vec<Option<Came>> = read.await.into_iter().collect::<Result<_, E>>()?;
    let sagas: Vec<Came> = sagas.into_iter().flatten().collect();
    let mut sums = Come::default();
    sagas.iter().for_each(|came| sums.add(&came.come));
    Ok(Outcomes { sagas, sums })
}

fn came(saga: String, outturn: &Outturn) -> Came {
    let Outturn { seq, stakes, end, is_at_rest, .. } = outturn;
    let come = Come::of(stakes, end, *is_at_rest);
    Came { saga, seq: *seq, standing: end.standing.name().to_owned(), under_way: !is_at_rest, come }
}
