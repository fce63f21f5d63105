//! `handfast tokens`: draws the tokens of those who may call a service, and lists them.

use std::fs;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, bail};
use handfast::Flow;
use handfast_machine::clock;
use handfast_server::access::file::{check_name, read, time_in_words};
use handfast_server::access::{Scope, Scopes, Secret, Token};
use handfast_toml::{Durations, Source, read_text};
use serde_json::json;

use crate::files;
use crate::output::{Exit, OrExit as _, Output};

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  handfast tokens new shop --scopes read,place --file tokens.toml
  handfast tokens list --file tokens.toml
  handfast serve --flow shop.toml --tokens tokens.toml

A running service sees a change of its file within a second. To take a token back, take its [[token]] out of the file.")]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Draw a token, put its hash into the file, and print it once
    New(New),
    /// List the tokens of a file
    List(List),
}

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  handfast tokens new shop --scopes read,place --file tokens.toml
  handfast tokens new ada --scopes read,operate,money --expires-in 90d --file tokens.toml
  handfast tokens new cards --scopes read,place --of-flow cards --file tokens.toml

What a scope allows:
  read     look at sagas, participants, definitions and figures
  place    place orders, and cancel them
  operate  let sagas go on: retry, resume
  money    decide about money: mark, settle, cancel, and say whose memory counts

Only the SHA-256 of a token is kept: whoever loses one draws another.")]
struct New {
    /// What refusals, the log and the list call its bearer: letters, digits, and any of - _ . @.
    #[arg(value_name = "NAME", value_parser = name)]
    name: String,
    /// What it allows, with commas between them: read, place, operate, money.
    #[arg(long, value_name = "SCOPES", value_delimiter = ',', required = true, value_parser = scope)]
    scopes: Vec<Scope>,
    /// The one flow whose sagas it reaches; without this option all of them.
    #[arg(long, value_name = "NAME", value_parser = flow)]
    of_flow: Option<String>,
    /// For how long it counts; without this option until it is taken out of the file.
    #[arg(long, value_name = "DURATION", value_parser = long_duration)]
    expires_in: Option<Duration>,
    /// The file that it is added to; made where there is none, for its owner alone.
    #[arg(long, value_name = "FILE", env = "HANDFAST_TOKENS")]
    file: PathBuf,
}

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  handfast tokens list --file tokens.toml
  handfast tokens list --file tokens.toml --json")]
struct List {
    /// The file of tokens.
    #[arg(long, value_name = "FILE", env = "HANDFAST_TOKENS")]
    file: PathBuf,
}

fn name(text: &str) -> Result<String, String> {
    check_name(text).map(|()| text.to_owned())
}

fn flow(text: &str) -> Result<String, String> {
    if Flow::is_name(text) {
        return Ok(text.to_owned());
    }
    Err("a flow is called by 1 to 32 of a-z, 0-9 and -, as the name of its file says".to_owned())
}

fn scope(text: &str) -> Result<Scope, String> {
    let names = Scope::ALL.map(Scope::name).join(", ");
    Scope::from_name(text).ok_or_else(|| format!("a scope is one of {names}"))
}

fn long_duration(text: &str) -> Result<Duration, String> {
    Durations::PROMISED.read(text).map_err(|error| error.to_string())
}

/// Does one of them.
pub(crate) fn run(args: Args, output: &Output) -> anyhow::Result<Exit> {
    match args.command {
        Command::New(args) => new(args, output),
        Command::List(args) => list(&args, output),
    }
}

fn new(args: New, output: &Output) -> anyhow::Result<Exit> {
    let New { name, scopes, of_flow, expires_in, file } = args;
    let path = file.display().to_string();
    // Until the file is written: another token that is drawn meanwhile would be lost, or would lose this one.
    let alone = files::alone_beside(&file).with_context(|| format!("cannot write {path}")).or_exit(Exit::Usage)?;
    let before = match fs::metadata(&file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        _there => read_text(&file, "token file").or_exit(Exit::Usage)?,
    };
    if !before.trim().is_empty() {
        let tokens = read(Source { file: &path, text: &before }).or_exit(Exit::Usage)?;
        if tokens.iter().any(|token| token.name == name) {
            return Err(anyhow::anyhow!("{path} has a token {name:?}; give the new one another name, or take that one out"))
                .or_exit(Exit::Usage);
        }
    }
    let secret = Secret::draw().context("no token can be drawn")?;
    let expires_ms = expires_in.map(|longest| clock::now_ms().saturating_add(clock::whole_ms(longest)));
    let scopes = Scopes::from_iter(scopes);
    let mut token = Token::new(name, secret.hash(), scopes);
    (token.flow, token.expires_ms) = (of_flow, expires_ms);
    let gap = if before.trim().is_empty() { "" } else { "\n" };
    let text = format!("{before}{gap}{}", token.to_toml());
    // What is written is what a service will read.
    if let Err(error) = read(Source { file: &path, text: &text }) {
        bail!("the token cannot be written as it is: {error}");
    }
    let shown = if output.wants_json() {
        let shape = json!({
            "name": token.name, "token": secret.as_str(), "scopes": names(&token), "flow": token.flow, "expires_ms": token.expires_ms,
        });
        shape.to_string()
    } else {
        secret.as_str().to_owned()
    };
    // First the only copy of the secret: a hash whose token is lost would stand in the file for nothing.
    output.only_copy(&shown).with_context(|| format!("nothing was drawn, and {path} is as it was"))?;
    let written = files::write_private(&file, text.as_bytes());
    written.with_context(|| format!("the token that was printed does not count: cannot write {path}")).or_exit(Exit::Usage)?;
    drop(alone);
    if !output.wants_json() {
        output.note(format_args!("this is the only time that the token of {} is shown; {path} keeps its hash", token.name));
    }
    Ok(Exit::Done)
}

fn list(args: &List, output: &Output) -> anyhow::Result<Exit> {
    let text = read_text(&args.file, "token file").or_exit(Exit::Usage)?;
    let tokens = read(Source { file: &args.file.display().to_string(), text: &text }).or_exit(Exit::Usage)?;
    let is_over = |token: &Token| token.expires_ms.is_some_and(|expires| clock::now_ms() >= expires);
    if output.wants_json() {
        let shape = |token: &Token| {
            json!({
                "name": token.name, "scopes": names(token), "flow": token.flow, "expires_ms": token.expires_ms,
                "expired": is_over(token),
            })
        };
        output.json_line(&json!({ "tokens": tokens.iter().map(shape).collect::<Vec<_>>() }))?;
        return Ok(Exit::Done);
    }
    let widest = tokens.iter().map(|token| token.name.chars().count()).max().unwrap_or_default();
    for token in &tokens {
        let flow = token.flow.as_deref().map_or_else(|| "all flows".to_owned(), |flow| format!("flow {flow}"));
        let until = match token.expires_ms {
            None => "does not expire".to_owned(),
            Some(at) if is_over(token) => format!("EXPIRED {}", time_in_words(at)),
            Some(at) => format!("until {}", time_in_words(at)),
        };
        output.line(format_args!("{:<widest$}  {:<27}  {flow}, {until}", token.name, names(token).join(",")))?;
    }
    Ok(Exit::Done)
}

/// What its scopes are called.
fn names(token: &Token) -> Vec<&'static str> {
    token.scopes.iter().map(Scope::name).collect()
}
