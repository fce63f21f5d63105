//! Reads `[step.http.act]` and its like: the texts of an existing service, and whether every gap in them can be filled.

use std::collections::BTreeSet;
use std::ops::Range;

use handfast_protocol::{Definite, Operation};
use handfast_toml::{DeValue, FileError, Spanned, Table, kind_of, suggest};

use super::conditions;
use super::errors::Parts;
use super::field::{Field, FieldType};
use super::step::{FileStep, StepParticipant};
use crate::participant::{CallText, HttpTemplates, HttpTexts, OWN_HEADERS, Place, TemplatePart, UNDO_PEEK, Value, operation_key};

/// The keys of the table of an operation.
const KEYS: [&str; 14] = [
    "method", "url", "headers", "body", "form", "done", "refused", "closed", "undone", "absent", "accepted", "failed", "keep",
    "detail",
];

/// The templates of a step that has a table for them.
pub(super) fn read(step: &Table<'_, '_>, of_step: &mut Parts<'_>) -> Option<HttpTemplates> {
    let http = of_step.take(step.table("http", format!("[step.http] of {}", step.what())))??;
    let mut parts = of_step.found().parts(&http, &["act", "close", "undo", "peek", UNDO_PEEK, OWN_HEADERS, "webhook"]);
    let [act, close, undo, peek] = [Operation::Act, Operation::Close, Operation::Undo, Operation::Look]
        .map(|operation| read_call(&http, step, operation_key(operation), &mut parts));
    let undo_peek = read_call(&http, step, UNDO_PEEK, &mut parts);
    let own_headers = parts.take(read_own_headers(&http));
    let act = act.and_then(|act| parts.take(act.ok_or_else(|| http.missing("act", "[step.http.act] with url and done"))));
    let texts =
        HttpTexts { act: act?, close: close?, undo: undo?, peek: peek?, undo_peek: undo_peek?, own_headers: own_headers? };
    parts.are_known()?;
    parts.take(compile(step, &http, texts))
}

/// The templates that these texts are.
fn compile(step: &Table<'_, '_>, http: &Table<'_, '_>, texts: HttpTexts) -> Result<HttpTemplates, FileError> {
    let compiled = HttpTemplates::compile(texts);
    if let Some((key, other, name)) = compiled.as_ref().ok().and_then(HttpTemplates::kept_twice) {
        let part = TemplatePart { key: "keep", entry: Some(name.to_owned()), shape: 0 };
        let table = call_table(http, step, key)?;
        let span = table.map_or_else(|| http.span(), |table| span_of(&table, &part));
        let message = format!(
            "{name} is what [step.http.{other}] keeps, and an undo that kept another value under that name would be taken for what it \
             undoes; give it a name of its own, as in keep = {{ undo-{name} = \"/..\" }}"
        );
        return Err(step.source().error(span, message));
    }
    compiled.or_else(|(key, error)| {
        if error.part.key == OWN_HEADERS {
            return Err(http.error_at(OWN_HEADERS, error.message));
        }
        let table = call_table(http, step, key)?;
        let span = table.map_or_else(|| http.span(), |table| span_of(&table, &error.part));
        Err(step.source().error(span, error.to_string()))
    })
}

fn read_own_headers(http: &Table<'_, '_>) -> Result<Vec<String>, FileError> {
    let Some(value) = http.value(OWN_HEADERS) else { return Ok(Vec::new()) };
    let wrong = |value: &Spanned<DeValue<'_>>| {
        let message =
            format!("own_headers is a list of names, as in own_headers = [\"x-hold-state\"], and this is {}", kind_of(value));
        http.source().error(value.span(), message)
    };
    let name = |value: &Spanned<DeValue<'_>>| value.get_ref().as_str().map(str::to_owned).ok_or_else(|| wrong(value));
    value.get_ref().as_array().ok_or_else(|| wrong(value))?.iter().map(name).collect()
}

fn call_table<'s, 't>(http: &Table<'s, 't>, step: &Table<'_, '_>, key: &str) -> Result<Option<Table<'s, 't>>, FileError> {
    http.table(key, format!("[step.http.{key}] of {}", step.what()))
}

/// Where a part of an operation stands.
fn span_of(table: &Table<'_, '_>, part: &TemplatePart) -> Range<usize> {
    if let Some(span) = conditions::span_of(table, part) {
        return span;
    }
    let Some(value) = table.value(part.key) else { return table.span() };
    let entry = part.entry.as_deref().and_then(|entry| value.get_ref().as_table()?.get(entry));
    entry.map_or_else(|| value.span(), Spanned::span)
}

/// One operation, if there is such a table.
fn read_call(http: &Table<'_, '_>, step: &Table<'_, '_>, key: &str, of_http: &mut Parts<'_>) -> Option<Option<CallText>> {
    let Some(table) = of_http.take(call_table(http, step, key))? else { return Some(None) };
    let mut parts = of_http.found().parts(&table, &KEYS);
    let owned = |text: Option<Spanned<&str>>| text.map(|text| (*text.get_ref()).to_owned());
    let [method, body, detail] = ["method", "body", "detail"].map(|key| parts.take(table.text(key)).map(owned));
    let [headers, form] = ["headers", "form"].map(|key| parts.take(texts(&table, key)));
    let url = parts.take(table.wanted_text("url", "url = \"https://pay.example/v1/holds/{key}\""));
    let (answers, keep) = (parts.take(conditions::read(&table)), parts.take(conditions::read_keep(&table)));
    parts.are_known()?;
    Some(Some(CallText {
        method: method?,
        url: (*url?.get_ref()).to_owned(),
        headers: headers?.into_iter().collect(),
        body: body?,
        form: form?,
        answers: answers?,
        keep: keep?,
        detail: detail?,
    }))
}

/// A table of texts, as they stand in the file.
fn texts(table: &Table<'_, '_>, key: &str) -> Result<Vec<(String, String)>, FileError> {
    let Some(below) = table.table(key, format!("{key} of {}", table.what()))? else { return Ok(Vec::new()) };
    let text = |name: &str| below.text(name).map(|text| text.map(|text| (*text.get_ref()).to_owned()).unwrap_or_default());
    below.in_order().into_iter().map(|(name, _)| Ok((name.get_ref().to_string(), text(name.get_ref())?))).collect()
}

/// What gaps may be filled with.
pub(super) struct Surroundings<'a> {
    pub(super) fields: &'a [Field],
    /// The steps before, and the one itself last.
    pub(super) steps: &'a [FileStep],
    /// The steps after it.
    pub(super) later: &'a [FileStep],
}

impl Surroundings<'_> {
    /// Whether every gap of the step's templates can be filled when the time comes.
    pub(super) fn check(&self, table: &Table<'_, '_>) -> Result<(), FileError> {
        let Some((own, _)) = self.steps.split_last() else { return Ok(()) };
        let StepParticipant::Http(templates) = &own.participant else { return Ok(()) };
        let Some(http) = table.table("http", "[step.http]")? else { return Ok(()) };
        for (key, operation, call) in templates.every_call() {
            let Some(below) = call_table(&http, table, key)? else { continue };
            for (part, template) in call.parts() {
                for (value, place, is_coded) in template.coded_gaps() {
                    self.check_gap(own, (key, operation), (value, place), is_coded)
                        .map_err(|message| table.source().error(span_of(&below, &part), message))?;
                }
            }
        }
        Ok(())
    }

    fn check_gap(
        &self,
        own: &FileStep,
        asked: (&str, Operation),
        (value, place): (&Value, Place),
        is_coded: bool,
    ) -> Result<(), String> {
        match value {
            Value::Key | Value::KeyHash | Value::KeyUuid | Value::Saga | Value::Step | Value::Now { .. } | Value::Secret(_) => {
                Ok(())
            }
            Value::Basic { .. } if place == Place::Header => Ok(()),
            Value::Basic { .. } => Err(format!(
                "{{basic..}} is for a header, as in headers = {{ authorization = \"Basic {{basic.USER.PASSWORD}}\" }}, and cannot stand {}",
                words(place)
            )),
            Value::Decimal(field) => self.check_money(own, field, "decimal", place),
            Value::LowerCurrency(field) => self.check_money(own, field, "currency.lower", place),
            Value::Input(path) => self.check_input(own, path, place, is_coded),
            Value::Receipt { step, name } => self.check_receipt(own, asked, step, name),
        }
    }

    fn check_input(&self, own: &FileStep, path: &[String], place: Place, is_coded: bool) -> Result<(), String> {
        let (name, parts) = path.split_first().map_or(("", path), |(name, parts)| (name.as_str(), parts));
        let gap = path.join(".");
        let field = self.sent_field(own, name, &gap)?;
        let whole = parts.is_empty();
        let fits = match (field.field_type, parts) {
            (FieldType::Money, [part]) if !["minor", "currency"].contains(&part.as_str()) => {
                let hint = suggest::hint(part, ["minor", "currency", "decimal", "currency.lower"]);
                return Err(format!("{{input.{gap}}}: money has no part {part:?}; {hint}"));
            }
            (FieldType::Money, [_]) => true,
            (FieldType::Money, []) => place == Place::JsonValue,
            (FieldType::List, []) => matches!(place, Place::JsonValue | Place::FormValue),
            (FieldType::Text, []) => is_coded || !matches!(place, Place::Path | Place::Header),
            (FieldType::Token | FieldType::Integer, []) => true,
            (FieldType::Text | FieldType::Token | FieldType::Integer | FieldType::List | FieldType::Money, [..]) => {
                return Err(format!("{{input.{gap}}}: a {} has no parts; write {{input.{name}}}", field.field_type.name()));
            }
        };
        if !fits && whole && field.field_type == FieldType::Money {
            return Err(format!(
                "{{input.{gap}}}: money is an object; write {{input.{name}.minor}} or {{input.{name}.decimal}}, and {{input.{name}.currency}}"
            ));
        }
        if !fits {
            return Err(format!("{{input.{gap}}}: a {} cannot stand {}", field.field_type.name(), words(place)));
        }
        check_is_there(field, &gap, place)
    }

    /// A field that the step sends.
    fn sent_field(&self, own: &FileStep, name: &str, gap: &str) -> Result<&Field, String> {
        let Some(at) = self.fields.iter().position(|field| field.name == name) else {
            let hint = suggest::hint(name, self.fields.iter().map(|field| field.name.as_str()));
            return Err(format!("{{input.{gap}}}: [input] has no field {name:?}; {hint}"));
        };
        if !own.send.contains(&at) {
            return Err(format!("{{input.{gap}}}: the step does not send {name}; add it to send"));
        }
        Ok(&self.fields[at])
    }

    fn check_money(&self, own: &FileStep, name: &str, part: &str, place: Place) -> Result<(), String> {
        let gap = format!("{name}.{part}");
        let field = self.sent_field(own, name, &gap)?;
        if field.field_type != FieldType::Money {
            return Err(format!("{{input.{gap}}}: a {} has no {part}; only money has", field.field_type.name()));
        }
        check_is_there(field, &gap, place)
    }

    fn check_receipt(&self, own: &FileStep, (key, operation): (&str, Operation), step: &str, name: &str) -> Result<(), String> {
        let gap = format!("{{receipt.{step}.{name}}}");
        // Where a duplicate is harmless, what was lost is left alone: no request is made with a value that was not kept.
        let is_about_undo = key == UNDO_PEEK;
        let is_known = operation == Operation::Undo || is_about_undo || own.profile.harmless && operation != Operation::Act;
        if step == own.name && !is_known {
            let why = "the step's own answer is known to an undo only; the act brings it, and close and peek are asked where it was lost, unless duplicates = \"harmless\"";
            return Err(format!("{gap}: {why}"));
        }
        if self.later.iter().any(|other| other.name == step) {
            return Err(format!(
                "{gap}: the step {step} does not come before this one and may never be done, so this would wait for ever; use what an earlier step keeps"
            ));
        }
        let Some(found) = self.steps.iter().find(|other| other.name == step) else {
            return Err(format!("{gap}: there is no step {step:?} before this one"));
        };
        // The first step of the stage: those of one stage run side by side and know nothing of each other.
        let stage = self.steps.iter().rposition(|other| !other.beside).unwrap_or(0);
        let is_beside = self.steps[stage..].iter().any(|other| other.name == step);
        if is_beside && step != own.name {
            let why = "so its answer may not be there yet, or never be";
            return Err(format!("{gap}: the step {step} runs side by side with this one, {why}"));
        }
        let StepParticipant::Http(templates) = &found.participant else {
            return Err(format!("{gap}: nothing is kept of the answers of {step}; only an http step has keep"));
        };
        // What became of an undo is asked by what its own answer has brought, once there is one.
        let by_undo = || templates.call(Operation::Undo).is_some_and(|undo| undo.kept_names().any(|kept| kept == name));
        if is_about_undo && step == own.name && by_undo() {
            return Ok(());
        }
        // Whichever of these is the one to say that it is done has to bring the value along: the step is not asked again.
        let tell_done =
            || templates.calls().filter(|(operation, call)| *operation != Operation::Undo && call.tells(Definite::Done));
        let kept: BTreeSet<&str> = tell_done().flat_map(|(_, call)| call.kept_names()).collect();
        if !kept.contains(name) {
            return Err(format!("{gap}: {step} keeps no {name:?} of its answers; {}", suggest::hint(name, kept)));
        }
        let forgetful = tell_done().find(|(_, call)| !call.kept_names().any(|kept| kept == name));
        forgetful.map_or(Ok(()), |(operation, _)| {
            let key = operation_key(operation);
            Err(format!(
                "{gap}: [step.http.{key}] of {step} may be the one to tell that it is done, and does not keep {name}, so this \
                 would wait for ever; add keep = {{ {name} = \"/..\" }} to it"
            ))
        })
    }
}

/// A path and a header need something to stand there.
fn check_is_there(field: &Field, gap: &str, place: Place) -> Result<(), String> {
    if field.optional && matches!(place, Place::Path | Place::Header | Place::Answer) {
        let name = &field.name;
        return Err(format!("{{input.{gap}}}: an order may leave {name} out, and then nothing could stand {}", words(place)));
    }
    Ok(())
}

const fn words(place: Place) -> &'static str {
    match place {
        Place::Path => "in the path of a url",
        Place::Query => "in the query of a url",
        Place::Header => "in a header",
        Place::JsonText => "within a text",
        Place::JsonValue => "in the place of a value",
        Place::Form => "within a field of a form",
        Place::FormValue => "in a form",
        Place::Answer => "in what an answer is compared with",
    }
}
