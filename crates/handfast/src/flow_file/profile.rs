//! Reads `[step.profile]`: what a participant promises for a step, and whether that agrees with the rest of what is said.

use handfast_protocol::{Answers, Close, Definite, Kind, Operation, Profile, Repeat, Undo};
use handfast_toml::{Durations, FileError, Spanned, Table};

use super::assume::period;
use super::errors::Parts;
use super::file::choose;
use crate::clock::whole_ms;
use crate::participant::{Call, HttpTemplates, UNDO_PEEK, Value};

/// The keys of the table.
const KEYS: [&str; 12] = [
    "undo",
    "undo_idempotent",
    "may_refuse",
    "close",
    "idempotent",
    "remembers",
    "duplicates",
    "sticky_refusal",
    "hold_expires",
    "peek",
    "peek_lag",
    "answers",
];

const UNDOS: [(&str, Undo); 3] = [("closes", Undo::Closes), ("no-op-when-absent", Undo::NoOpWhenAbsent), ("never", Undo::Never)];
const CLOSES: [(&str, Close); 3] =
    [("for-ever", Close::ForEver), ("no-op-when-absent", Close::NoOpWhenAbsent), ("never", Close::Never)];
const DUPLICATES: [(&str, bool); 2] = [("harmful", false), ("harmless", true)];
const ANSWERS: [(&str, Answers); 2] = [("now", Answers::Now), ("later", Answers::Later)];

const KIND_EXAMPLE: &str =
    "kind = \"compensatable\" (it can be undone), \"pivot\" (it cannot) or \"retriable\" (it cannot refuse)";

/// What the file says, before it is known what follows from what it leaves out.
#[derive(Clone, Copy, Default)]
struct Said {
    undo: Option<Undo>,
    undo_idempotent: Option<bool>,
    may_refuse: Option<bool>,
    close: Option<Close>,
    idempotent: Option<bool>,
    remembers: Option<Repeat>,
    harmless: Option<bool>,
    sticky_refusal: Option<bool>,
    hold_expires_ms: Option<u64>,
    peek: Option<bool>,
    peek_lag_ms: Option<u64>,
    answers: Option<Answers>,
}

/// What is promised for a step that is called `name`, and the kind of step that this makes.
pub(super) fn read(
    step: &Table<'_, '_>,
    name: &str,
    templates: Option<&HttpTemplates>,
    of_step: &mut Parts<'_>,
) -> Option<Profile> {
    let kind = of_step.take(read_kind(step));
    let empty = handfast_toml::DeTable::default();
    let table = of_step.take(step.table("profile", format!("the profile of {}", step.what())))?;
    let table =
        table.unwrap_or_else(|| Table::new(step.source(), &empty, step.span(), format!("the profile of {}", step.what())));
    let said = read_said(&table, &mut of_step.found().parts(&table, &KEYS));
    of_step.take(follows(step, &table, name, (kind?, said?), templates))
}

/// The kind that the step is said to be of, if one is named.
fn read_kind(step: &Table<'_, '_>) -> Result<Option<Spanned<Kind>>, FileError> {
    let Some(kind) = step.text("kind")? else { return Ok(None) };
    let chosen = choose(step.source(), &kind, "kind of step", &Kind::ALL.map(|it| (it.name(), it)))?;
    Ok(Some(Spanned::new(kind.span(), chosen)))
}

/// What follows from all that is said.
fn follows(
    step: &Table<'_, '_>,
    table: &Table<'_, '_>,
    name: &str,
    (kind, said): (Option<Spanned<Kind>>, Said),
    templates: Option<&HttpTemplates>,
) -> Result<Profile, FileError> {
    let base = match (templates, &kind) {
        (Some(templates), _) => base_of_templates(step, table, said, name, templates)?,
        (None, Some(kind)) => Profile::of_kind(*kind.get_ref()),
        (None, None) if said.undo.is_some_and(|undo| undo != Undo::Never || said.may_refuse.is_some()) => Profile::CONTRACT,
        (None, None) => return Err(step.missing("kind", KIND_EXAMPLE)),
    };
    let profile = Profile {
        undo: said.undo.unwrap_or(base.undo),
        may_refuse: said.may_refuse.unwrap_or(base.may_refuse),
        close: said.close.unwrap_or(base.close),
        repeat: repeat(table, said, base.repeat)?,
        sticky_refusal: said.sticky_refusal.unwrap_or(base.sticky_refusal),
        hold_expires_ms: said.hold_expires_ms,
        peek: said.peek.unwrap_or(base.peek),
        harmless: said.harmless.unwrap_or(base.harmless),
        undoes_later: base.undoes_later,
        undo_idempotent: said.undo_idempotent.unwrap_or(base.undo_idempotent),
        // Templates say by themselves how an undo is looked at.
        undo_is_seen: base.undo_is_seen && (templates.is_some() || said.peek != Some(false)),
        reads_back: base.reads_back,
        peek_lag_ms: said.peek_lag_ms.unwrap_or(base.peek_lag_ms),
        answers: said.answers.unwrap_or(base.answers),
        bare: base.bare,
        values: base.values,
        return_unseen: base.return_unseen,
        whose_unseen: base.whose_unseen,
    };
    if profile.harmless && !profile.is_harmless() {
        let message = "duplicates are harmless only of what can be undone; add an undo, or say duplicates = \"harmful\"";
        return Err(table.error_at("duplicates", message));
    }
    if profile.answers == Answers::Later && profile.repeat == Repeat::Never && !profile.harmless {
        let message = "an answer that comes later is asked for by asking again, which only an idempotent act bears";
        return Err(table.error_at("answers", message));
    }
    if profile.peek_lag_ms > 0 && !profile.peek {
        return Err(table.error_at("peek_lag", "what cannot be looked at has no peek_lag; remove it, or add a peek"));
    }
    if profile.undo == Undo::Never && said.undo_idempotent == Some(false) {
        return Err(table.error_at("undo_idempotent", "what cannot be undone is not undone twice either; remove undo_idempotent"));
    }
    if let Some(templates) = templates {
        check_undo_looks(step, templates)?;
        check_claims(step, table, &profile, name, templates)?;
    }
    match kind {
        Some(kind) if *kind.get_ref() != profile.kind() => Err(disagreement(step, &kind, &profile)),
        Some(_) | None => Ok(profile),
    }
}

fn read_said(table: &Table<'_, '_>, parts: &mut Parts<'_>) -> Option<Said> {
    let undo = parts.take(word(table, "undo", &UNDOS));
    let close = parts.take(word_or_period(table, "close", &CLOSES, Close::For));
    let remembers = parts.take(word_or_period(table, "remembers", &[("for-ever", Repeat::ForEver)], Repeat::For));
    let harmless = parts.take(word(table, "duplicates", &DUPLICATES));
    let answers = parts.take(word(table, "answers", &ANSWERS));
    let [undo_idempotent, may_refuse, idempotent, sticky_refusal, peek] =
        ["undo_idempotent", "may_refuse", "idempotent", "sticky_refusal", "peek"].map(|key| parts.take(table.said_flag(key)));
    let [hold_expires, peek_lag] = ["hold_expires", "peek_lag"].map(|key| parts.take(period(table, key)));
    parts.are_known()?;
    Some(Said {
        undo: undo?,
        undo_idempotent: undo_idempotent?,
        may_refuse: may_refuse?,
        close: close?,
        idempotent: idempotent?,
        remembers: remembers?,
        harmless: harmless?,
        sticky_refusal: sticky_refusal?,
        hold_expires_ms: hold_expires?.map(whole_ms),
        peek: peek?,
        peek_lag_ms: peek_lag?.map(whole_ms),
        answers: answers?,
    })
}

fn word<T: Copy>(table: &Table<'_, '_>, key: &str, choices: &[(&'static str, T)]) -> Result<Option<T>, FileError> {
    table.text(key)?.map(|text| choose(table.source(), &text, &format!("value of {key}"), choices)).transpose()
}

fn word_or_period<T: Copy>(
    table: &Table<'_, '_>,
    key: &str,
    choices: &[(&'static str, T)],
    of_ms: impl FnOnce(u64) -> T,
) -> Result<Option<T>, FileError> {
    let Some(text) = table.text(key)? else { return Ok(None) };
    if text.get_ref().starts_with(|first: char| first.is_ascii_digit() || first == '.') {
        let read = Durations::PROMISED.read(text.get_ref());
        return read.map(|period| Some(of_ms(whole_ms(period)))).map_err(|error| table.error_at(key, error.to_string()));
    }
    choose(table.source(), &text, &format!("value of {key} and no duration"), choices).map(Some)
}

/// Whether, and for how long, an act may be repeated.
fn repeat(table: &Table<'_, '_>, said: Said, base: Repeat) -> Result<Repeat, FileError> {
    match (said.idempotent, said.remembers) {
        (Some(false), Some(_)) => {
            Err(table.error_at("remembers", "who is not idempotent remembers no key; remove remembers, or say idempotent = true"))
        }
        (Some(false), None) => Ok(Repeat::Never),
        (Some(true) | None, Some(remembers)) => Ok(remembers),
        (Some(true) | None, None) => Ok(base),
    }
}

/// What follows from the operations that there are. What nothing follows from has to be said.
fn base_of_templates(
    step: &Table<'_, '_>,
    table: &Table<'_, '_>,
    said: Said,
    name: &str,
    templates: &HttpTemplates,
) -> Result<Profile, FileError> {
    let has = |operation| templates.call(operation).is_some();
    let refuses = templates.call(Operation::Act).is_some_and(|act| act.tells(Definite::Refused));
    let undo = match templates.call(Operation::Undo) {
        None => Undo::Never,
        Some(undo) if undo.tells(Definite::Closed) && !needs_own_receipt(templates, name) => Undo::Closes,
        Some(_) => Undo::NoOpWhenAbsent,
    };
    let unsaid = |key: &str, why: &str| {
        let message = format!("{} does not say {key}, and it cannot be known from outside: {why}", table.what());
        Err(step.source().error(table.span(), message))
    };
    let is_harmless = said.harmless == Some(true);
    if said.idempotent.is_none() && !is_harmless {
        return unsaid(
            "idempotent",
            "true if the service notices that it was asked before, by the {key} or another reference, false if it acts again",
        );
    }
    if said.idempotent == Some(true) && said.remembers.is_none() && !is_harmless {
        return unsaid("remembers", "\"for-ever\", or for how long the service knows what it was asked, as in \"24h\"");
    }
    if refuses && !is_harmless && said.may_refuse != Some(false) && said.sticky_refusal.is_none() {
        return unsaid(
            "sticky_refusal",
            "true if the service never accepts what it has refused under the same {key}, false if it may",
        );
    }
    Ok(Profile {
        undo,
        may_refuse: refuses,
        close: if has(Operation::Close) { Close::ForEver } else { Close::Never },
        peek: has(Operation::Look),
        reads_back: has(Operation::Look),
        undoes_later: templates.call(Operation::Undo).is_some_and(Call::accepts_undo),
        undo_is_seen: templates.look_for_undo(name).is_some_and(tells_undone_apart),
        bare: templates.bare(),
        ..Profile::CONTRACT
    })
}

/// Whether a look tells what was undone from what is still there.
fn tells_undone_apart(look: &Call) -> bool {
    // A page that says that the service is away must not let an undo leave once more.
    look.tells(Definite::Done) && look.tells(Definite::Undone) && look.bare().next().is_none()
}

/// Whether the undo uses what the act's own answer has brought.
fn needs_own_receipt(templates: &HttpTemplates, name: &str) -> bool {
    let is_own = |value: &Value| value.receipt().is_some_and(|(step, _)| step == name);
    let uses_own = |undo: &Call| undo.values().any(is_own);
    templates.call(Operation::Undo).is_some_and(uses_own)
}

/// Refuses a profile that promises what no template does, and a template that the profile says is not there.
fn check_claims(
    step: &Table<'_, '_>,
    table: &Table<'_, '_>,
    profile: &Profile,
    name: &str,
    templates: &HttpTemplates,
) -> Result<(), FileError> {
    let refused = |key: &str, message: String| Err(table.error_at(key, message));
    let has = |operation| templates.call(operation).is_some();
    let claims = [
        ("undo", Operation::Undo, profile.undo != Undo::Never, "it can be undone", "undo = \"never\""),
        ("close", Operation::Close, profile.close != Close::Never, "its key can be closed", "close = \"never\""),
        ("peek", Operation::Look, profile.peek, "it can be looked at", "peek = false"),
    ];
    for (key, operation, claimed, claim, denial) in claims {
        if claimed && !has(operation) {
            return refused(
                key,
                format!("the profile says that {claim}, and there is no [step.http.{key}]; add one, or say {denial}"),
            );
        }
        if !claimed && has(operation) {
            return refused(key, format!("the profile says {denial}, and there is a [step.http.{key}]; remove one of the two"));
        }
    }
    let Some(act) = templates.call(Operation::Act) else { return Ok(()) };
    let tells_refused = act.tells(Definite::Refused);
    if profile.may_refuse && !tells_refused {
        return refused(
            "may_refuse",
            "no answer of [step.http.act] means refused; add refused = { .. }, or say may_refuse = false".to_owned(),
        );
    }
    // What may not refuse after the decision may still be described as refused: then a person is told at once.
    if !profile.may_refuse && tells_refused && profile.kind() != Kind::Retriable {
        return refused(
            "may_refuse",
            "an answer of [step.http.act] means refused; remove it, or say may_refuse = true".to_owned(),
        );
    }
    if profile.undo == Undo::Closes && needs_own_receipt(templates, name) {
        let message =
            "the undo needs what the act's answer brings, so it cannot close a key before that; say undo = \"no-op-when-absent\"";
        return refused("undo", message.to_owned());
    }
    let is_reference =
        |value: &Value| matches!(value, Value::Key | Value::KeyHash | Value::KeyUuid | Value::Saga | Value::Receipt { .. });
    if profile.repeat != Repeat::Never && !profile.harmless && !act.gaps().any(|(value, _)| is_reference(value)) {
        let message = "[step.http.act] sends no {key}, {saga} or receipt, so the service cannot notice that it was asked before; send one, or say idempotent = false";
        return Err(step.source().error(table.value("idempotent").map_or_else(|| step.span(), Spanned::span), message));
    }
    Ok(())
}

/// Refuses an undo that is accepted and cannot be looked for, and a look at an undo that would never be asked for.
fn check_undo_looks(step: &Table<'_, '_>, templates: &HttpTemplates) -> Result<(), FileError> {
    let http = step.table("http", "[step.http]")?;
    let at = |key: &str| http.as_ref().and_then(|http| http.value(key)).map_or_else(|| step.span(), Spanned::span);
    let accepts = templates.call(Operation::Undo).is_some_and(Call::accepts_undo);
    let is_looked_for =
        templates.undo_peek().is_some() || templates.call(Operation::Look).is_some_and(|it| it.tells(Definite::Undone));
    if accepts && !is_looked_for {
        let message = "the undo may be accepted, and nothing tells what becomes of it; add [step.http.undo_peek], or undone to [step.http.peek]";
        return Err(step.source().error(at("undo"), message));
    }
    if templates.undo_peek().is_some() && templates.call(Operation::Undo).is_none() {
        let message = "there is no [step.http.undo] that could be looked for; add one, or remove [step.http.undo_peek]";
        return Err(step.source().error(at(UNDO_PEEK), message));
    }
    Ok(())
}

fn disagreement(step: &Table<'_, '_>, kind: &Spanned<Kind>, profile: &Profile) -> FileError {
    let (said, made) = (kind.get_ref(), profile.kind());
    let because = match made {
        Kind::Compensatable => "it can be undone",
        Kind::Pivot => "it may refuse and cannot be undone",
        Kind::Retriable => "it cannot refuse and cannot be undone",
    };
    let way = match said {
        Kind::Compensatable => "make it undoable",
        Kind::Pivot => "say undo = \"never\" and may_refuse = true in its profile",
        Kind::Retriable => "say undo = \"never\" and may_refuse = false in its profile",
    };
    let message = format!(
        "the step is said to be {}, but {because}, which makes it {}; write kind = \"{}\", or {way}",
        said.name(),
        made.name(),
        made.name()
    );
    step.source().error(kind.span(), message)
}
