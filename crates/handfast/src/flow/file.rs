//! Reads a flow file: every key is known, every value makes sense, and the order of the steps is sound.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use handfast_protocol::{Kind, Plan, PlanError, StepPlan};
use reqwest::Url;
use toml::Spanned;
use toml::de::DeValue;

use super::duration::parse_duration;
use super::field::{self, Field, FieldType};
use crate::clock::whole_ms;
use crate::engine::Flow;
use crate::toml_file::{FileError, Source, Table, kind_of, read_text, suggest};

/// The most fields of an order.
const MAX_FIELDS: usize = 100;

/// A flow file that was read and found sound.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FlowFile {
    flow: Arc<Flow>,
    fields: Vec<Field>,
    steps: Vec<FileStep>,
}

/// One step of a flow file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FileStep {
    /// Unique in the flow.
    pub name: String,
    /// What it can promise.
    pub kind: Kind,
    /// The base URL of its keys, without a slash at the end.
    pub url: String,
    /// How long after its intent its key is closed, unless it is known by then what became of it.
    pub deadline: Option<Duration>,
    /// Which fields make up the body of its act, as places in [`FlowFile::fields`].
    pub send: Vec<usize>,
    /// It runs side by side with the step before it.
    pub beside: bool,
}

impl FlowFile {
    /// Reads the flow file at `path`.
    ///
    /// # Errors
    /// What is wrong with it, with its line, and what to do.
    pub fn read(path: &Path) -> Result<Self, FileError> {
        let text = read_text(path, "flow file")?;
        Self::parse(&path.display().to_string(), &text)
    }

    /// Reads the text of a flow file; `file` is what messages call it.
    ///
    /// # Errors
    /// What is wrong with it, with its line, and what to do.
    pub fn parse(file: &str, text: &str) -> Result<Self, FileError> {
        let source = Source { file, text };
        let root = source.parse()?;
        let table = Table::new(source, root.get_ref(), 0..0, "a flow");
        table.only(&["name", "input", "step"])?;
        let name = table.wanted_text("name", "name = \"shop\"")?;
        check_name(source, &name, "a flow")?;
        let fields = read_fields(source, table.value("input"))?;
        let steps = read_steps(source, &table, &fields)?;
        check_plan(source, &steps)?;
        let steps: Vec<FileStep> = steps.into_iter().map(Spanned::into_inner).collect();
        let flow = build(name.get_ref(), &steps).map_err(|message| source.error(name.span(), message))?;
        Ok(Self { flow: Arc::new(flow), fields, steps })
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.flow.name()
    }

    /// The flow as the engine drives it.
    #[must_use]
    pub const fn flow(&self) -> &Arc<Flow> {
        &self.flow
    }

    /// What an order holds besides its id, in the order of the file.
    #[must_use]
    pub fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// Its steps.
    #[must_use]
    pub fn steps(&self) -> &[FileStep] {
        &self.steps
    }
}

fn check_name(source: Source<'_>, name: &Spanned<&str>, what: &str) -> Result<(), FileError> {
    let text = name.get_ref();
    let fits = (1..=32).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    if fits {
        Ok(())
    } else {
        let message =
            format!("{text:?} cannot be the name of {what}; use 1 to 32 of a-z, 0-9 and -, since it is a part of every key");
        Err(source.error(name.span(), message))
    }
}

fn read_fields(source: Source<'_>, input: Option<&Spanned<DeValue<'_>>>) -> Result<Vec<Field>, FileError> {
    let Some(input) = input else {
        return Ok(Vec::new());
    };
    let Some(table) = input.get_ref().as_table() else {
        return Err(source.error(input.span(), format!("input must be a table, as in [input], and it is {}", kind_of(input))));
    };
    let table = Table::new(source, table, input.span(), "[input]");
    let entries = table.in_order();
    if let Some((key, _)) = entries.get(MAX_FIELDS) {
        return Err(source.error(key.span(), format!("[input] has more than {MAX_FIELDS} fields")));
    }
    entries.into_iter().map(|(key, value)| read_field(source, &Spanned::new(key.span(), key.get_ref().as_ref()), value)).collect()
}

fn read_field(source: Source<'_>, name: &Spanned<&str>, value: &Spanned<DeValue<'_>>) -> Result<Field, FileError> {
    if *name.get_ref() == "id" {
        return Err(source.error(name.span(), "every order has an id anyway; remove it from [input]"));
    }
    if !field::is_name(name.get_ref()) {
        let message = format!(
            "{:?} cannot be the name of a field; use 1 to 64 letters, digits and _, not starting with a digit",
            name.get_ref()
        );
        return Err(source.error(name.span(), message));
    }
    let (field_type, optional) = if let Some(table) = value.get_ref().as_table() {
        let table = Table::new(source, table, value.span(), format!("the field {}", name.get_ref()));
        table.only(&["type", "optional"])?;
        (table.wanted_text("type", "type = \"text\"")?, table.flag("optional")?)
    } else if let Some(text) = value.get_ref().as_str() {
        (Spanned::new(value.span(), text), false)
    } else {
        let message = format!(
            "a field's type is text, as in {name} = \"money\" or {name} = {{ type = \"money\", optional = true }}, and this is {}",
            kind_of(value),
            name = name.get_ref()
        );
        return Err(source.error(value.span(), message));
    };
    let field_type = choose(source, &field_type, "type of a field", &FieldType::ALL.map(|it| (it.name(), it)))?;
    Ok(Field { name: (*name.get_ref()).to_owned(), field_type, optional })
}

/// The choice that the file names.
fn choose<T: Copy>(source: Source<'_>, word: &Spanned<&str>, what: &str, choices: &[(&'static str, T)]) -> Result<T, FileError> {
    choices.iter().find(|(name, _)| name == word.get_ref()).map(|(_, choice)| *choice).ok_or_else(|| {
        let hint = suggest::hint(word.get_ref(), choices.iter().map(|(name, _)| *name));
        source.error(word.span(), format!("{:?} is no {what}; {hint}", word.get_ref()))
    })
}

/// The steps, each with the place of its table.
fn read_steps(source: Source<'_>, root: &Table<'_, '_>, fields: &[Field]) -> Result<Vec<Spanned<FileStep>>, FileError> {
    const EXAMPLE: &str = "[[step]] with name, kind and url";
    let value = root.value("step").ok_or_else(|| root.missing("step", EXAMPLE))?;
    let tables: Option<Vec<_>> = value.get_ref().as_array().map(|list| list.iter().collect());
    let Some(tables) = tables else {
        let message = format!("steps are written as {EXAMPLE}, one after the other, and this is {}", kind_of(value));
        return Err(source.error(value.span(), message));
    };
    let mut steps: Vec<Spanned<FileStep>> = Vec::new();
    for (index, value) in tables.into_iter().enumerate() {
        let Some(table) = value.get_ref().as_table() else {
            return Err(source.error(value.span(), format!("a step is written as {EXAMPLE}, and this is {}", kind_of(value))));
        };
        let table = Table::new(source, table, value.span(), format!("step {}", index + 1));
        let name = table.wanted_text("name", "name = \"payment\"")?;
        if let Some(first) = steps.iter().position(|step| step.get_ref().name == *name.get_ref()) {
            let message =
                format!("step {} is called {:?} already; every step needs a name of its own", first + 1, name.get_ref());
            return Err(source.error(name.span(), message));
        }
        steps.push(Spanned::new(value.span(), read_step(source, &table, &name, fields)?));
    }
    Ok(steps)
}

fn read_step(source: Source<'_>, table: &Table<'_, '_>, name: &Spanned<&str>, fields: &[Field]) -> Result<FileStep, FileError> {
    table.only(&["name", "kind", "url", "deadline", "send", "beside"])?;
    check_name(source, name, "a step")?;
    let kind = table.wanted_text(
        "kind",
        "kind = \"compensatable\" (it can be undone), \"pivot\" (it cannot) or \"retriable\" (it cannot refuse)",
    )?;
    let url = table.wanted_text("url", "url = \"http://127.0.0.1:4001/charges\"")?;
    let deadline = table
        .text("deadline")?
        .map(|text| parse_duration(text.get_ref()).map_err(|error| source.error(text.span(), error.to_string())))
        .transpose()?;
    Ok(FileStep {
        name: (*name.get_ref()).to_owned(),
        kind: choose(source, &kind, "kind of step", &Kind::ALL.map(|it| (it.name(), it)))?,
        url: read_url(source, &url)?,
        deadline,
        send: read_send(source, table.value("send"), fields)?,
        beside: table.flag("beside")?,
    })
}

fn read_url(source: Source<'_>, text: &Spanned<&str>) -> Result<String, FileError> {
    const EXAMPLE: &str = "write it as in http://127.0.0.1:4001/charges";
    let refused = |message: String| Err(source.error(text.span(), message));
    let url = match Url::parse(text.get_ref()) {
        Ok(url) => url,
        Err(error) => return refused(format!("the url cannot be read ({error}); {EXAMPLE}")),
    };
    if url.scheme() != "http" && url.scheme() != "https" {
        return refused(format!("a url starts with http or https, not with {:?}; {EXAMPLE}", url.scheme()));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return refused("the url carries a user or password, and a flow is stored with every order; take it out".to_owned());
    }
    if url.query().is_some() || url.fragment().is_some() {
        return refused("the url has a ? or # in it, and a key is to follow it; take it out".to_owned());
    }
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

fn read_send(source: Source<'_>, value: Option<&Spanned<DeValue<'_>>>, fields: &[Field]) -> Result<Vec<usize>, FileError> {
    let Some(value) = value else {
        return Ok((0..fields.len()).collect());
    };
    let Some(list) = value.get_ref().as_array() else {
        let message = format!("send is a list of fields, as in send = [\"amount\"], and this is {}", kind_of(value));
        return Err(source.error(value.span(), message));
    };
    let mut send = Vec::new();
    for item in list.iter() {
        let Some(name) = item.get_ref().as_str() else {
            return Err(source.error(item.span(), format!("a field's name is text in quotes, and this is {}", kind_of(item))));
        };
        let Some(field) = fields.iter().position(|field| field.name == name) else {
            let hint = suggest::hint(name, fields.iter().map(|field| field.name.as_str()));
            return Err(source.error(item.span(), format!("[input] has no field {name:?}; {hint}")));
        };
        if send.contains(&field) {
            return Err(source.error(item.span(), format!("{name:?} is sent twice; remove one")));
        }
        send.push(field);
    }
    Ok(send)
}

fn plan_of(steps: &[FileStep]) -> Result<Plan, PlanError> {
    Plan::new(
        steps
            .iter()
            .map(|step| StepPlan { beside: step.beside, deadline_ms: step.deadline.map(whole_ms), ..StepPlan::new(step.kind) })
            .collect(),
    )
}

/// Whether the order is sound; otherwise the line of the step that breaks the rule, and the names of those concerned.
fn check_plan(source: Source<'_>, steps: &[Spanned<FileStep>]) -> Result<(), FileError> {
    let plain: Vec<FileStep> = steps.iter().map(|step| step.get_ref().clone()).collect();
    let Err(error) = plan_of(&plain) else {
        return Ok(());
    };
    let mut concerned = match error {
        PlanError::Empty | PlanError::TooMany { .. } => vec![],
        PlanError::TwoPivots { first, second } => vec![second, first],
        PlanError::MayRefuseTooLate { step, after } => vec![step, after],
        PlanError::RetriableTooEarly { step, before } => vec![step, before],
        PlanError::GateBeside { gate, neighbour } => vec![if plain[gate].beside { gate } else { neighbour }, gate.min(neighbour)],
        PlanError::UndoOrder { step, after } => vec![step, after],
        PlanError::BesideAnotherKind { step } | PlanError::DeadlineTooLate { step } => vec![step],
    };
    let span = concerned.first().or(Some(&0)).and_then(|&step| steps.get(step)).map(Spanned::span).unwrap_or_default();
    concerned.sort_unstable();
    concerned.dedup();
    let names: Vec<String> = concerned.iter().map(|&step| format!("step {} is {}", step + 1, plain[step].name)).collect();
    let names = if names.is_empty() { String::new() } else { format!(" ({})", names.join(", ")) };
    Err(source.error(span, format!("{error}{names}")))
}

fn build(name: &str, steps: &[FileStep]) -> Result<Flow, String> {
    let mut builder = Flow::builder(name);
    for step in steps {
        builder = match step.kind {
            Kind::Compensatable => builder.compensatable(&step.name, step.url.as_str()),
            Kind::Pivot => builder.pivot(&step.name, step.url.as_str()),
            Kind::Retriable => builder.retriable(&step.name, step.url.as_str()),
        };
        if let Some(deadline) = step.deadline {
            builder = builder.deadline(deadline);
        }
        if step.beside {
            builder = builder.beside();
        }
    }
    builder.build().map_err(|error| error.to_string())
}
