//! Reads a flow file: every key is known, every value makes sense, and the order of the steps is sound.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use handfast_protocol::{Assessment, Assumptions, Named, PlanError, ProfiledStep, Risk, assess};
use handfast_toml::{FileError, Source, Spanned, Table, kind_of, read_text, suggest};

use super::assume::{self, ResidualOdds};
use super::errors::{FileErrors, Found};
use super::field::Field;
use super::input::{self, Fields};
use super::step::{self, FileStep, StepParticipant};
use super::templates::Surroundings;
use crate::clock::whole_ms;
use crate::flow::{Flow, FlowError};
use crate::participant::Secrets;
use crate::webhook::WebhookReceiver;

/// A flow file that was read and found sound. [`flow`](Self::flow) makes a flow of it, once a person has accepted what it
/// cannot promise.
///
/// ```
/// use handfast::flow_file::FlowFile;
///
/// let file = FlowFile::parse(
///     "shop.toml",
///     r#"
///         name = "shop"
///         [input]
///         item = "text"
///         [[step]]
///         name = "dispatch"
///         kind = "pivot"
///         participant = "inproc"
///         send = ["item"]
///     "#,
/// )?;
/// let flow = file.flow::<&str>(&[])?;
/// let order = file.parse_order(br#"{"id": "order-1", "item": "tea"}"#)?;
/// assert_eq!((flow.name(), order.id.as_str()), ("shop", "order-1"));
/// assert!(file.parse_order(br#"{"id": "order-1", "itme": "tea"}"#).is_err());
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FlowFile {
    file: String,
    name: String,
    /// The line and the character at which its name stands.
    name_at: (usize, usize),
    fields: Vec<Field>,
    steps: Vec<FileStep>,
    profiled: Vec<ProfiledStep>,
    assumptions: Assumptions,
    odds: ResidualOdds,
    assessment: Assessment,
}

impl FlowFile {
    /// Reads the flow file at `path`.
    ///
    /// # Errors
    /// What is wrong with it, with its line, and what to do.
    pub fn read(path: &Path) -> Result<Self, FileError> {
        Self::read_all(path).map_err(FileErrors::into_first)
    }

    /// The same, for the person who corrects the file.
    ///
    /// # Errors
    /// Everything that is wrong with it, each with its line, and what to do.
    pub fn read_all(path: &Path) -> Result<Self, FileErrors> {
        let text = read_text(path, "flow file")?;
        Self::parse_all(&path.display().to_string(), &text)
    }

    /// Reads the text of a flow file; `file` is what messages call it.
    ///
    /// # Errors
    /// What is wrong with it, with its line, and what to do.
    pub fn parse(file: &str, text: &str) -> Result<Self, FileError> {
        Self::parse_all(file, text).map_err(FileErrors::into_first)
    }

    /// The same, for the person who corrects the file.
    ///
    /// # Errors
    /// Everything that is wrong with it, each with its line, and what to do.
    pub fn parse_all(file: &str, text: &str) -> Result<Self, FileErrors> {
        let source = Source { file, text };
        let root = source.parse()?;
        let table = Table::new(source, root.get_ref(), 0..0, "a flow");
        let mut found = Found::default();
        let mut parts = found.parts(&table, &["name", "input", "step", "assume"]);
        let name = table.wanted_text("name", "name = \"shop\"");
        let name = parts.take(name.and_then(|name| check_name(source, &name, "a flow").map(|()| name)));
        let step_tables = parts.take(step_tables(source, &table));
        let fields = input::read(source, table.value("input"), &mut found);
        let assumed = assume::read(&table, &mut found);
        // What a step sends are fields, so nothing is known of it without them.
        let steps = fields.as_ref().zip(step_tables).and_then(|(fields, tables)| read_steps(source, &tables, fields, &mut found));
        let fields = fields.filter(|fields| fields.are_sound).map(|fields| fields.all);
        let (((name, fields), (assumptions, odds)), (steps, profiled)) = found.end(name.zip(fields).zip(assumed).zip(steps))?;
        let assessment = assess(&profiled, &assumptions).map_err(|error| order_error(source, &table, &steps, error))?;
        let (name_of_flow, place) = ((*name.get_ref()).to_owned(), source.error(name.span(), ""));
        let name_at = (place.line(), place.column());
        let file =
            Self { file: file.to_owned(), name: name_of_flow, name_at, fields, steps, profiled, assumptions, odds, assessment };
        // Whatever a flow refuses is found here, and not when the first order comes.
        file.flow(&Risk::NAMES).map_err(|error| source.error(name.span(), error.to_string()))?;
        Ok(file)
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where its name stands, as messages say it: the file, the line and the character, both counted from 1.
    #[must_use]
    pub fn place_of_name(&self) -> String {
        let (line, column) = self.name_at;
        format!("{}:{line}:{column}", self.file)
    }

    /// What messages call the file.
    #[must_use]
    pub fn file(&self) -> &str {
        &self.file
    }

    /// The flow as the engine drives it, where each of its risks is among those `accepted`, by name.
    ///
    /// # Errors
    /// [`FlowError::Risks`]: what it cannot promise and no person has accepted, with the line of each step.
    pub fn flow<S: AsRef<str>>(&self, accepted: &[S]) -> Result<Arc<Flow>, FlowError> {
        let mut builder = Flow::builder(&self.name).in_any_order().assume(self.assumptions);
        for (step, profiled) in self.steps.iter().zip(&self.profiled) {
            builder = builder.step(&step.name, step.participant_name(), step.profile);
            if let Some(deadline) = step.deadline {
                builder = builder.deadline(deadline);
            }
            if let Some(timeout) = step.timeout {
                builder = builder.timeout(timeout);
            }
            if let Some(requests) = step.in_flight {
                builder = builder.in_flight(requests);
            }
            if let Some(base) = step.retry_base {
                builder = builder.retry_base(base);
            }
            if let Some(cap) = step.retry_cap {
                builder = builder.retry_cap(cap);
            }
            if step.beside {
                builder = builder.beside();
            }
            if let Some(held) = profiled.captures {
                builder = builder.captures(&self.steps[held].name);
            }
            if let Some(after) = profiled.undo_after {
                builder = builder.undo_after(&self.steps[after].name);
            }
            if let StepParticipant::Http(templates) = &step.participant {
                builder = builder.templates(Arc::clone(templates));
            }
        }
        let builder = accepted.iter().fold(builder, |builder, name| builder.accept_risk(name.as_ref()));
        builder.build().map(Arc::new).map_err(|error| match error {
            FlowError::Risks(mut risks) => {
                for risk in &mut risks.risks {
                    let step = &self.steps[risk.finding.step];
                    risk.place = format!("{}:{}:{}", self.file, step.line, step.column);
                }
                FlowError::Risks(risks)
            }
            error @ (FlowError::Name { .. }
            | FlowError::TwoSteps { .. }
            | FlowError::Length { .. }
            | FlowError::Order(_)
            | FlowError::NoSuchStep { .. }
            | FlowError::NoStepYet
            | FlowError::Definition { .. }
            | FlowError::Kind { .. }
            | FlowError::Templates { .. }) => error,
        })
    }

    /// Whether every participant can be had: those of the program are among `in_process`, and every secret that a template
    /// names is in the environment. The engine would find it out too, but only once its store is open.
    ///
    /// # Errors
    /// The first that cannot, with the line of its step.
    pub fn check_participants(&self, in_process: &[&str]) -> Result<(), FileError> {
        for step in &self.steps {
            let refused = |message: String| Err(FileError::new(&self.file, step.line, step.column, message));
            match &step.participant {
                StepParticipant::Handfast { .. } => {}
                StepParticipant::InProcess if in_process.contains(&step.name.as_str()) => {}
                StepParticipant::InProcess => {
                    return refused(format!(
                        "step {} is to be taken by a participant of the program itself, and this program has none called {:?}; \
                         give it a url, or run the flow from a program that adds one",
                        step.name, step.name
                    ));
                }
                StepParticipant::Http(templates) => {
                    if let Err(error) = templates.load_secrets(&BTreeMap::new()) {
                        return refused(format!("step {}: {error}", step.name));
                    }
                }
            }
        }
        Ok(())
    }

    /// Every secret that its templates and webhooks name and that is in the environment, so that none of them is logged.
    #[must_use]
    pub fn secrets(&self) -> Secrets {
        let of_templates = self.steps.iter().filter_map(|step| match &step.participant {
            StepParticipant::Http(templates) => Some(templates.secrets_to_hide(&BTreeMap::new())),
            StepParticipant::Handfast { .. } | StepParticipant::InProcess => None,
        });
        let of_webhooks = self.steps.iter().filter_map(|step| step.webhook.as_ref()).map(|webhook| webhook.secret.as_str());
        // Whatever is missing is said where it is needed.
        let of_webhooks = of_webhooks.filter_map(|name| Secrets::load([name], &BTreeMap::new()).ok());
        of_templates.chain(of_webhooks).fold(Secrets::default(), Secrets::with)
    }

    /// The receivers of its steps' webhooks, by the name of the step. Their secrets come from the environment.
    ///
    /// # Errors
    /// The first whose secret is not there, or is none of its scheme, with the line of its step.
    pub fn webhook_receivers(&self) -> Result<BTreeMap<String, WebhookReceiver>, FileError> {
        let mut receivers = BTreeMap::new();
        for step in &self.steps {
            let Some(webhook) = &step.webhook else { continue };
            let refused = |why: String| {
                let message = format!("step {}, [step.http.webhook]: {why}", step.name);
                FileError::new(&self.file, step.line, step.column, message)
            };
            let name = webhook.secret.as_str();
            let secrets = Secrets::load([name], &BTreeMap::new()).map_err(|error| refused(error.to_string()))?;
            // What was loaded by its name is there under its name.
            let Some(secret) = secrets.of(name) else { continue };
            let receiver = webhook.receiver(&step.name, secret).map_err(|error| refused(format!("{name}: {error}")))?;
            receivers.insert(step.name.clone(), receiver.of_flow(&self.name));
        }
        Ok(receivers)
    }

    /// What an order holds besides its id, in the order of the file.
    #[must_use]
    pub fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// Its steps, each with its line.
    #[must_use]
    pub fn steps(&self) -> &[FileStep] {
        &self.steps
    }

    /// Its steps, by what their participants promise.
    #[must_use]
    pub fn profiled(&self) -> &[ProfiledStep] {
        &self.profiled
    }

    /// What it takes for granted about the world.
    #[must_use]
    pub const fn assumptions(&self) -> &Assumptions {
        &self.assumptions
    }

    /// The numbers that it declares for what no protocol can promise.
    #[must_use]
    pub const fn residual_odds(&self) -> &ResidualOdds {
        &self.odds
    }

    /// What follows from its profiles: the plan, the risks and the remarks.
    #[must_use]
    pub const fn assessment(&self) -> &Assessment {
        &self.assessment
    }
}

pub(super) fn check_name(source: Source<'_>, name: &Spanned<&str>, what: &str) -> Result<(), FileError> {
    let text = name.get_ref();
    if Flow::is_name(text) {
        Ok(())
    } else {
        let message =
            format!("{text:?} cannot be the name of {what}; use 1 to 32 of a-z, 0-9 and -, since it is a part of every key");
        Err(source.error(name.span(), message))
    }
}

/// The choice that the file names.
pub(super) fn choose<T: Copy>(
    source: Source<'_>,
    word: &Spanned<&str>,
    what: &str,
    choices: &[(&'static str, T)],
) -> Result<T, FileError> {
    choices.iter().find(|(name, _)| name == word.get_ref()).map(|(_, choice)| *choice).ok_or_else(|| {
        let hint = suggest::hint(word.get_ref(), choices.iter().map(|(name, _)| *name));
        source.error(word.span(), format!("{:?} is no {what}; {hint}", word.get_ref()))
    })
}

const EXAMPLE: &str = "[[step]] with name, kind and url";

/// The tables of the steps.
fn step_tables<'s, 't>(source: Source<'s>, root: &Table<'s, 't>) -> Result<Vec<Table<'s, 't>>, FileError> {
    let value = root.value("step").ok_or_else(|| root.missing("step", EXAMPLE))?;
    let Some(list) = value.get_ref().as_array() else {
        let message = format!("steps are written as {EXAMPLE}, one after the other, and this is {}", kind_of(value));
        return Err(source.error(value.span(), message));
    };
    let table = |(index, value): (usize, &'t Spanned<handfast_toml::DeValue<'s>>)| {
        let table = value.get_ref().as_table();
        let wrong = || source.error(value.span(), format!("a step is written as {EXAMPLE}, and this is {}", kind_of(value)));
        Ok(Table::new(source, table.ok_or_else(wrong)?, value.span(), format!("step {}", index + 1)))
    };
    list.iter().enumerate().map(table).collect()
}

/// All steps, where each of them can be read and says nothing wrong of the others.
fn read_steps(
    source: Source<'_>,
    tables: &[Table<'_, '_>],
    Fields { all: fields, are_sound }: &Fields,
    found: &mut Found,
) -> Option<(Vec<FileStep>, Vec<ProfiledStep>)> {
    let (mut names, mut steps): (Vec<Option<&str>>, Vec<FileStep>) = (Vec::new(), Vec::new());
    for table in tables {
        let name = table.wanted_text("name", "name = \"payment\"");
        let known = name.as_ref().ok().map(|name| *name.get_ref());
        let first = known.and_then(|name| names.iter().position(|other| *other == Some(name)));
        steps.extend(read_step(source, table, (name, first), fields, found));
        names.push(known);
    }
    // What is said of several steps, and of the types of fields, is looked at where each of them could be read.
    if steps.len() < tables.len() || !are_sound {
        return None;
    }
    let profiled: Vec<Option<ProfiledStep>> = (0..steps.len()).map(|at| found.take(profiled(&steps, at, &tables[at]))).collect();
    let profiled: Vec<ProfiledStep> = profiled.into_iter().collect::<Option<_>>()?;
    found.take(check_holds(&steps, &profiled, tables));
    for (at, table) in tables.iter().enumerate() {
        found.take(Surroundings { fields, steps: &steps[..=at], later: &steps[at + 1..] }.check(table));
        found.take(check_limit(&steps[..=at], table));
    }
    Some((steps, profiled))
}

/// One step, unless an earlier one has its name.
fn read_step(
    source: Source<'_>,
    table: &Table<'_, '_>,
    (name, first): (Result<Spanned<&str>, FileError>, Option<usize>),
    fields: &[Field],
    found: &mut Found,
) -> Option<FileStep> {
    if let (Some(first), Ok(name)) = (first, &name) {
        let message = format!("step {} is called {:?} already; every step needs a name of its own", first + 1, name.get_ref());
        found.add(source.error(name.span(), message));
    }
    step::read(source, table, name, fields, found).filter(|_| first.is_none())
}

/// A step with the names of others turned into their places.
fn profiled(steps: &[FileStep], at: usize, table: &Table<'_, '_>) -> Result<ProfiledStep, FileError> {
    let step = &steps[at];
    let place = |key: &str| {
        let Some(name) = table.text(key)? else { return Ok(None) };
        let found = steps.iter().position(|other| other.name == *name.get_ref());
        let others = steps.iter().map(|step| step.name.as_str());
        let missing =
            || table.error_at(key, format!("there is no step {:?}; {}", name.get_ref(), suggest::hint(name.get_ref(), others)));
        found.map(Some).ok_or_else(missing)
    };
    let captures = place("captures")?;
    if let Some(held) = captures {
        if held >= at {
            return Err(table.error_at("captures", "a step captures what an earlier one holds; name one that stands before it"));
        }
        if steps[held].profile.hold_expires_ms.is_none() {
            let message =
                format!("{} holds nothing that expires; say hold_expires in its profile, or remove captures", steps[held].name);
            return Err(table.error_at("captures", message));
        }
    }
    let undo_after = place("undo_after")?;
    Ok(ProfiledStep {
        profile: step.profile,
        beside: step.beside,
        deadline_ms: step.deadline.map(whole_ms),
        captures,
        undo_after,
        close_needs: step
            .close_needs()
            .filter_map(|name| steps.iter().position(|other| other.name == name))
            .filter(|&needed| needed != at)
            .collect(),
        named: named(&steps[..at], step),
    })
}

/// What is held, and expires, has to be captured.
fn check_holds(steps: &[FileStep], profiled: &[ProfiledStep], tables: &[Table<'_, '_>]) -> Result<(), FileError> {
    let is_lost =
        |at: &usize| steps[*at].profile.hold_expires_ms.is_some() && profiled.iter().all(|step| step.captures != Some(*at));
    match (0..steps.len()).find(is_lost) {
        Some(at) => {
            let name = &steps[at].name;
            let message = format!(
                "what {name} holds expires, and no step captures it; say captures = {name:?} in the step that makes it lasting"
            );
            Err(tables[at].error_at("profile", message))
        }
        None => Ok(()),
    }
}

/// By what the requests of a step name what they are about, where those before it may be done several times.
fn named(before: &[FileStep], step: &FileStep) -> Named {
    let StepParticipant::Http(templates) = &step.participant else { return Named::ByKey };
    templates.named(|name| before.iter().position(|other| other.name == name && other.profile.is_harmless()))
}

/// One participant has one limit, and one back-off.
fn check_limit(steps: &[FileStep], table: &Table<'_, '_>) -> Result<(), FileError> {
    let Some((own, before)) = steps.split_last() else { return Ok(()) };
    let Some(other) = before.iter().find(|other| own.url().is_some() && other.url() == own.url()) else { return Ok(()) };
    let differs = [
        ("in_flight", other.in_flight != own.in_flight),
        ("retry_base", other.retry_base != own.retry_base),
        ("retry_cap", other.retry_cap != own.retry_cap),
    ];
    differs.iter().find(|(_, differs)| *differs).map_or(Ok(()), |(key, _)| {
        let message = format!("{} has the same participant with another {key}; give both the same", other.name);
        Err(table.error_at(key, message))
    })
}

/// The line of the step that breaks the rule, and the names of those concerned.
fn order_error(source: Source<'_>, root: &Table<'_, '_>, steps: &[FileStep], error: PlanError) -> FileError {
    let mut concerned = match error {
        PlanError::Empty | PlanError::TooMany { .. } => vec![],
        PlanError::TwoPivots { first, second } => vec![second, first],
        PlanError::MayRefuseTooLate { step, after } => vec![step, after],
        PlanError::RetriableTooEarly { step, before } => vec![step, before],
        PlanError::GateBeside { gate, neighbour } => vec![if steps[gate].beside { gate } else { neighbour }, gate.min(neighbour)],
        PlanError::UndoOrder { step, after } => vec![step, after],
        PlanError::CloseNeeds { step, needed } => vec![step, needed],
        PlanError::HoldNotCaptured { step } | PlanError::HoldTooShort { step } => vec![step],
        PlanError::CaptureWaits { step, behind } => vec![step, behind],
        PlanError::CapturesNothing { step, held } => vec![step, held],
        PlanError::BesideAnotherKind { step } | PlanError::DeadlineTooLate { step } => vec![step],
    };
    let first = concerned.first().copied().unwrap_or(0);
    let tables = step_tables(source, root).unwrap_or_default();
    let span = tables.get(first).map(Table::span).unwrap_or_default();
    concerned.sort_unstable();
    concerned.dedup();
    let names = concerned.iter().map(|&step| format!("step {} is {}", step + 1, steps[step].name));
    let names: Vec<String> = names.chain([format!("rule {}", error.name())]).collect();
    source.error(span, format!("{error} ({})", names.join(", "))).of_rule(error.name())
}
