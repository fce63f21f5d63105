//! What an answer of a service means: exactly one of the states that its template describes, or nothing.

use std::collections::BTreeMap;

use handfast_protocol::{Answer, Definite, Meaning, UndoTold};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

use super::call::TemplatePart;
use super::secret::{LONG_SECRET, Secrets};
use super::shape::{Fill, Seen, Shape, scalar};
use super::text::Template;
use crate::journal::{Receipt, Scalar};
use crate::key::leads_elsewhere;
use crate::participant::cleaned::is_card_number;
use crate::participant::receipts::{MAX_ANSWER_BYTES, Received};
use crate::participant::{ABSENT, Reply, json};

/// The longest text that is kept of an answer, in bytes.
const MAX_KEPT: usize = 255;

/// How the answers of one operation are read.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Reading {
    /// What answers mean, each in one or more shapes.
    pub(super) states: Vec<(Meaning, Vec<Shape>)>,
    /// What is kept, by name.
    pub(super) keep: BTreeMap<String, Keep>,
    /// The meanings with which it is kept.
    pub(super) kept_in: Vec<Meaning>,
    /// Where the reason stands, cut at every `*`.
    pub(super) detail: Option<Vec<String>>,
}

/// Where a value that is kept stands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Keep {
    /// A pointer into the body, cut at every `*`.
    Json(Vec<String>),
    Header(HeaderName),
}

impl Reading {
    /// Its texts with gaps, each with what it is.
    pub(super) fn parts(&self) -> impl Iterator<Item = (TemplatePart, &Template)> {
        let shapes =
            self.states.iter().flat_map(|(meaning, shapes)| (0..).zip(shapes).map(|(at, shape)| (meaning.name(), at, shape)));
        shapes.flat_map(|(key, at, shape)| {
            shape.compared().map(move |(place, template)| {
                let entry = Some(place.to_owned());
                (TemplatePart { key, entry, shape: at }, template)
            })
        })
    }

    /// What `received` means, where gaps are filled by `of`. What fits no state, or more than one, proves nothing.
    pub(super) fn read(&self, received: Received<'_>, headers: &HeaderMap, of: Fill<'_>, secrets: &Secrets) -> Reply {
        let status = received.status;
        let unknown = |seen: String| Reply::meaningless(status, seen, received.retry_after);
        let Some(body) = received.body else {
            return unknown(format!("{status} with a body of more than {MAX_ANSWER_BYTES} bytes"));
        };
        let body = json::read(body);
        let seen = Seen { status, headers, body: body.as_ref() };
        // Of several shapes of one meaning the first that fits counts.
        let shape_of =
            |shapes: &'_ [Shape]| shapes.iter().position(|shape| shape.fit(seen, of).is_some_and(|fit| fit.differs.is_empty()));
        let mut fits = self.states.iter().filter_map(|(meaning, shapes)| Some((*meaning, &shapes[shape_of(shapes)?])));
        let fits = (fits.next(), fits.next());
        if fits.0.is_none()
            && let Some(Otherwise { seen, in_effect, kept }) = self.mismatch(seen, of, secrets)
        {
            return Reply::Mismatch { seen, in_effect, kept, retry_after: received.retry_after };
        }
        let (meaning, shape) = match fits {
            (Some((meaning @ (Meaning::State(_) | Meaning::Accepted | Meaning::Failed), shape)), None) => (meaning, shape),
            (Some((Meaning::Absent, _)), None) => {
                let seen = format!("{status} that means {ABSENT}");
                return Reply::Absent { seen, retry_after: received.retry_after };
            }
            (None, _) => return unknown(format!("{status} that means nothing that the flow describes")),
            (Some((one, _)), Some((other, _))) => {
                return unknown(format!("{status} that means {} and {} at once", one.name(), other.name()));
            }
        };
        let mut kept = BTreeMap::new();
        if self.kept_in.contains(&meaning) {
            for (name, keep) in &self.keep {
                let means = || format!("{status} that means {}", meaning.name());
                let value = match keep.value(shape, seen, of, false) {
                    Some(value) => value,
                    None => return unknown(format!("{} but brings no {name} that can be kept", means())),
                };
                if repeats_a_secret(&value, secrets) {
                    return unknown(format!("{} but its {name} repeats a secret, which is not kept", means()));
                }
                if is_card_number(&value) {
                    return unknown(format!("{} but its {name} could be a card's number, which is not kept", means()));
                }
                kept.insert(name.clone(), value);
            }
        }
        let reason = |pointer: &[String]| shape.values(pointer, body.as_ref()?, of, false).into_iter().find_map(scalar);
        let detail = self.detail.as_deref().filter(|_| meaning != Meaning::State(Definite::Done)).and_then(reason);
        let detail = detail.map(|detail| detail.to_string());
        let detail = detail.filter(|detail| !secrets.are_in(detail));
        let receipt = Receipt { detail, kept, ..Receipt::default() };
        match meaning {
            Meaning::State(state) => Reply::Definite { answer: Answer::State(state), receipt },
            Meaning::Accepted => Reply::Undo { told: UndoTold::Accepted, receipt },
            Meaning::Failed => Reply::Undo { told: UndoTold::Failed, receipt },
            Meaning::Absent => unknown(format!("{status} that means absent")),
        }
    }
}

/// What an answer says that fits but for values that it was compared with.
struct Otherwise {
    seen: String,
    in_effect: bool,
    kept: BTreeMap<String, Scalar>,
}

impl Reading {
    /// What an answer that fits nothing says of something else: of which meaning it has everything but what was compared, if it
    /// is one alone, and whether that is in effect under our key. It is only where the answer says whose it is, and that held:
    /// otherwise it may be about another order, for instance from the cache of a gateway.
    fn mismatch(&self, seen: Seen<'_>, of: Fill<'_>, secrets: &Secrets) -> Option<Otherwise> {
        let nearly = |(meaning, shapes): &'_ (Meaning, Vec<Shape>)| {
            let fits = shapes.iter().zip(0..).filter_map(|(shape, at)| Some((at, shape.fit(seen, of)?)));
            let with_whose = fits.map(|(at, fit)| (*meaning, at, fit.names_ours && !fit.is_anothers(), fit));
            with_whose.max_by_key(|(_, _, is_ours, _)| *is_ours)
        };
        let near = self.states.iter().filter_map(|of_one| Some((&of_one.1, nearly(of_one)?)));
        // What it says of the key for certain goes before what is under way or cannot be found.
        let (certain, others): (Vec<_>, Vec<_>) = near.partition(|(_, (meaning, ..))| matches!(meaning, Meaning::State(_)));
        let mut near = if certain.is_empty() { others } else { certain }.into_iter();
        let ((shapes, (meaning, at, is_ours, fit)), None) = (near.next()?, near.next()) else { return None };
        // An undo that was accepted, or has failed, is about what is there.
        let in_effect = is_ours
            && match meaning {
                Meaning::State(Definite::Done | Definite::Undone) | Meaning::Accepted | Meaning::Failed => true,
                Meaning::State(Definite::Refused | Definite::Closed) | Meaning::Absent => false,
            };
        let places: Vec<String> = fit.differs.iter().map(|difference| difference.in_words(secrets)).collect();
        let told = format!("{} that means {}, but for {}", seen.status, meaning.name(), places.join(" and "));
        // What an answer to an undo brings is about the undo.
        let done = Meaning::State(Definite::Done);
        let brings = is_ours && meaning == done && self.kept_in.contains(&done);
        let kept = self.keep.iter().filter(|_| brings).filter_map(|(name, keep)| {
            let value = keep.value(&shapes[at], seen, of, true).filter(|value| !repeats_a_secret(value, secrets))?;
            Some((name.clone(), value))
        });
        Some(Otherwise { seen: told, in_effect, kept: kept.collect() })
    }
}

impl Keep {
    /// The one value that stands there. Where `*` leads to several it is unknown which is meant.
    fn value(&self, shape: &Shape, seen: Seen<'_>, of: Fill<'_>, nearly: bool) -> Option<Scalar> {
        let found: Vec<Scalar> = match self {
            Self::Json(pointer) => {
                shape.values(pointer, seen.body?, of, nearly).into_iter().map(scalar).collect::<Option<_>>()?
            }
            Self::Header(name) => {
                let text = |value: &HeaderValue| value.to_str().ok().map(|text| Scalar::Text(text.to_owned()));
                seen.headers.get_all(name).iter().map(text).collect::<Option<_>>()?
            }
        };
        let (first, others) = found.split_first()?;
        (can_be_kept(first) && others.iter().all(|other| other == first)).then(|| first.clone())
    }
}

/// Whether it can be used later, wherever that may be: a part of a path can be neither empty nor one of those that lead elsewhere.
fn can_be_kept(value: &Scalar) -> bool {
    match value {
        Scalar::Bool(_) | Scalar::Integer(_) => true,
        Scalar::Text(text) => {
            (1..=MAX_KEPT).contains(&text.len()) && !text.chars().any(char::is_control) && !leads_elsewhere(text)
        }
    }
}

/// Whether it gives a secret away. A number that is as short as a secret may be the same by chance.
fn repeats_a_secret(value: &Scalar, secrets: &Secrets) -> bool {
    match value {
        Scalar::Bool(_) => false,
        Scalar::Integer(number) => {
            let text = number.to_string();
            text.len() >= LONG_SECRET && secrets.are_told_by(&text)
        }
        Scalar::Text(text) => secrets.are_told_by(text),
    }
}
