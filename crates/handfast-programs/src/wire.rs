//! What is said on the wire: every question as a line, and every answer read, checked and brought into one form.

use std::fmt::{self, Display, Write as _};
use std::sync::Arc;

use handfast_protocol::generals::Camp;
use serde_json::{Map, Value};

/// Beyond this a number in JSON is no longer kept to its last digit when it is read as a float.
const LARGEST_EXACT_FLOAT: f64 = 9_007_199_254_740_992.0;

/// How many rounds a program may play.
pub(super) const ROUND_LIMIT: u32 = 1000;

/// What a messenger carries: a JSON value in its one form, with sorted keys and without spaces.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Letter(Arc<str>);

impl Letter {
    /// How long its JSON is.
    pub(super) fn bytes(&self) -> usize {
        self.0.len()
    }
}

/// A text stands for itself, everything else for its JSON.
impl Display for Letter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match serde_json::from_str::<String>(&self.0) {
            Ok(text) => f.write_str(&in_one_line(&text)),
            Err(_) => f.write_str(&self.0),
        }
    }
}

/// What arrived in one round, in order.
pub(super) type Inbox = Vec<Letter>;

/// How a program is played.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Mode {
    /// It is given its state with every question and keeps nothing.
    Step,
    /// It keeps its own state, and is told a run from the start for every branch.
    Replay,
}

impl Mode {
    /// The mode by its name on the wire.
    fn named(name: &str) -> Option<Self> {
        match name {
            "step" => Some(Self::Step),
            "replay" => Some(Self::Replay),
            _ => None,
        }
    }
}

/// What a program is told about the game before anything else.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Game {
    /// The number of rounds, unless the program says another one.
    pub(super) rounds: u32,
    /// Messengers in a wave.
    pub(super) messengers: u32,
    /// Messengers in the reply wave.
    pub(super) replies: u32,
    /// Steps of a handshake.
    pub(super) steps: u32,
}

/// Who is asked: one general, with the order or without it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Role {
    /// Which of the two.
    pub(super) camp: Camp,
    /// Whether it was given the order.
    pub(super) ordered: bool,
}

impl Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let order = match (self.camp, self.ordered) {
            (Camp::First, true) => " with the order",
            (Camp::First, false) => " without the order",
            (Camp::Second, _) => "",
        };
        write!(f, "general {}{order}", self.camp.number())
    }
}

/// One question about one round.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Question {
    /// Asks a program that keeps nothing.
    Step {
        /// The round, from 1.
        round: u32,
        /// The state that it gave last.
        state: Arc<str>,
        /// What arrived in the round before.
        inbox: Inbox,
    },
    /// Asks a program that keeps its own state: all that has arrived, round by round, the first of them empty.
    Replay(Vec<Inbox>),
}

/// What a program says about itself.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Terms {
    /// How it is played.
    pub(super) mode: Mode,
    /// The number of rounds that it wants.
    pub(super) rounds: Option<u32>,
    /// Its state before the first round.
    pub(super) state: Arc<str>,
}

impl Display for Terms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mode = match self.mode {
            Mode::Step => "step",
            Mode::Replay => "replay",
        };
        write!(f, "mode {mode}, ")?;
        if let Some(rounds) = self.rounds {
            write!(f, "rounds {rounds}, ")?;
        }
        write!(f, "state {}", in_one_line(&self.state))
    }
}

/// What a program does in one round.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Answer {
    /// Its state from now on; `null` where it keeps its own.
    pub(super) state: Arc<str>,
    /// What leaves in this round.
    pub(super) outbox: Vec<Letter>,
    /// Whether it attacks, once it has decided.
    pub(super) attack: Option<bool>,
}

impl Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "state {}, outbox {}", in_one_line(&self.state), in_one_line(&list(&self.outbox)))?;
        match self.attack {
            Some(attack) => write!(f, ", attack {attack}"),
            None => f.write_str(", undecided"),
        }
    }
}

/// What comes back instead of an answer that can be used.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum NoAnswer {
    /// The program says that something is wrong.
    Error {
        /// Its code, as in the list of the document.
        code: i64,
        /// What it says.
        text: String,
    },
    /// It is not what was to come; this is.
    Nonsense(String),
}

fn nonsense<T>(expected: impl Into<String>) -> Result<T, NoAnswer> {
    Err(NoAnswer::Nonsense(expected.into()))
}

/// The line that opens a conversation.
pub(super) fn init_line(role: Role, game: Game, id: u64) -> String {
    let (number, order) = (role.camp.number(), role.ordered);
    let Game { rounds, messengers, replies, steps } = game;
    line(
        role.camp,
        &format!(
            r#""type":"init","msg_id":{id},"node_id":"general-{number}","node_ids":["general-1","general-2"],"general":{number},"order":{order},"rounds":{rounds},"messengers":{messengers},"replies":{replies},"steps":{steps},"modes":["step","replay"]"#
        ),
    )
}

/// The line that asks a program which keeps nothing.
pub(super) fn step_line(camp: Camp, id: u64, round: u32, state: &str, inbox: &[Letter]) -> String {
    let inbox = list(inbox);
    line(camp, &format!(r#""type":"step","msg_id":{id},"round":{round},"state":{state},"inbox":{inbox}"#))
}

/// The line that asks a program which keeps its own state.
pub(super) fn round_line(camp: Camp, id: u64, round: usize, inbox: &[Letter]) -> String {
    let inbox = list(inbox);
    line(camp, &format!(r#""type":"round","msg_id":{id},"round":{round},"inbox":{inbox}"#))
}

fn line(camp: Camp, body: &str) -> String {
    format!("{{\"src\":\"lab\",\"dest\":\"general-{}\",\"body\":{{{body}}}}}\n", camp.number())
}

/// The letters as a JSON list.
pub(super) fn list(letters: &[Letter]) -> String {
    let texts: Vec<&str> = letters.iter().map(|letter| &*letter.0).collect();
    format!("[{}]", texts.join(","))
}

/// Reads the answer to `init`.
///
/// # Errors
/// It is none.
pub(super) fn read_terms(line: &[u8], camp: Camp, id: u64) -> Result<Terms, NoAnswer> {
    let mut body = Body::read(line, camp, id, "init_ok")?;
    let mode = match body.fields.remove("mode") {
        None => Mode::Step,
        Some(value) => match value.as_str().and_then(Mode::named) {
            Some(mode) => mode,
            None => return nonsense(r#"`mode` is "step" or "replay""#),
        },
    };
    let rounds = match body.fields.remove("rounds") {
        None | Some(Value::Null) => None,
        Some(value) => match value.as_u64().and_then(|rounds| u32::try_from(rounds).ok()) {
            Some(rounds @ 1..=ROUND_LIMIT) => Some(rounds),
            Some(_) | None => return nonsense(format!("`rounds` is a whole number from 1 to {ROUND_LIMIT}")),
        },
    };
    let state = body.fields.remove("state").unwrap_or(Value::Null);
    let state = canonical(&state)?.into();
    body.end("mode, rounds and state")?;
    Ok(Terms { mode, rounds, state })
}

/// Reads the answer to `step` or `round`.
///
/// # Errors
/// It is none.
pub(super) fn read_answer(line: &[u8], camp: Camp, id: u64, mode: Mode) -> Result<Answer, NoAnswer> {
    let (kind, known) = match mode {
        Mode::Step => ("step_ok", "state, outbox and attack"),
        Mode::Replay => ("round_ok", "outbox and attack"),
    };
    let mut body = Body::read(line, camp, id, kind)?;
    let state = match (mode, body.fields.remove("state")) {
        (Mode::Step, None) => return nonsense("`step_ok` has a `state`; `null` will do"),
        (Mode::Step, Some(state)) => canonical(&state)?,
        (Mode::Replay, None) => "null".to_owned(),
        (Mode::Replay, Some(_)) => return nonsense("`round_ok` has no `state`: in the mode replay the program keeps its own"),
    };
    let Some(Value::Array(outbox)) = body.fields.remove("outbox") else {
        return nonsense(format!("`{kind}` has an `outbox`, a list of messages, empty where nobody leaves"));
    };
    let outbox = outbox.iter().map(|letter| Ok(Letter(canonical(letter)?.into()))).collect::<Result<_, NoAnswer>>()?;
    let attack = match body.fields.remove("attack") {
        None | Some(Value::Null) => None,
        Some(Value::Bool(attack)) => Some(attack),
        Some(_) => return nonsense("`attack` is true or false, or left out while undecided"),
    };
    body.end(known)?;
    Ok(Answer { state: state.into(), outbox, attack })
}

/// What an answer holds apart from its type.
struct Body {
    kind: &'static str,
    fields: Map<String, Value>,
}

impl Body {
    fn read(line: &[u8], camp: Camp, id: u64, kind: &'static str) -> Result<Self, NoAnswer> {
        let value: Value = match serde_json::from_slice(line) {
            Ok(value) => value,
            Err(error) => return nonsense(format!("one JSON object on one line ({error})")),
        };
        let Value::Object(mut envelope) = value else { return nonsense("one JSON object on one line") };
        for (name, who) in [("src", format!("general-{}", camp.number())), ("dest", "lab".to_owned())] {
            if envelope.get(name).is_some_and(|given| given.as_str() != Some(&who)) {
                return nonsense(format!("`{name}` of an answer is {who:?}"));
            }
        }
        let Some(Value::Object(mut fields)) = envelope.remove("body") else {
            return nonsense(r#"a `body`, as in {"src":..,"dest":..,"body":{"type":..}}"#);
        };
        let given = match fields.remove("type") {
            Some(Value::String(given)) => given,
            Some(_) | None => return nonsense(format!("a `body` of the type \"{kind}\"")),
        };
        if given == "error" {
            let code = fields.get("code").and_then(Value::as_i64);
            let Some(code) = code else { return nonsense("`error` has a `code`, a whole number") };
            let text = fields.get("text").and_then(Value::as_str).unwrap_or_default();
            return Err(NoAnswer::Error { code, text: in_one_line(text) });
        }
        if given != kind {
            return nonsense(format!("a `body` of the type \"{kind}\""));
        }
        if fields.remove("in_reply_to").is_some_and(|answered| answered.as_u64() != Some(id)) {
            return nonsense(format!("`in_reply_to` is the `msg_id` of the question, {id}"));
        }
        fields.remove("msg_id");
        Ok(Self { kind, fields })
    }

    /// Nothing else may be there: it would be a misspelt field that silently has no effect.
    fn end(self, known: &str) -> Result<(), NoAnswer> {
        match self.fields.keys().next() {
            Some(unknown) => {
                nonsense(format!("`{}` has {known}, beside in_reply_to and msg_id, and no `{}`", self.kind, in_one_line(unknown)))
            }
            None => Ok(()),
        }
    }
}

/// The one form of a value: keys sorted, no spaces.
fn canonical(value: &Value) -> Result<String, NoAnswer> {
    let mut text = String::new();
    write_canonical(value, &mut text)?;
    Ok(text)
}

fn write_canonical(value: &Value, text: &mut String) -> Result<(), NoAnswer> {
    match value {
        Value::Array(values) => {
            text.push('[');
            for (place, value) in values.iter().enumerate() {
                text.push_str(if place > 0 { "," } else { "" });
                write_canonical(value, text)?;
            }
            text.push(']');
        }
        Value::Object(fields) => {
            let mut fields: Vec<(&String, &Value)> = fields.iter().collect();
            fields.sort_unstable_by_key(|&(name, _)| name);
            text.push('{');
            for (place, (name, value)) in fields.into_iter().enumerate() {
                text.push_str(if place > 0 { "," } else { "" });
                text.push_str(&Value::String(name.clone()).to_string());
                text.push(':');
                write_canonical(value, text)?;
            }
            text.push('}');
        }
        Value::Number(number) if number.is_f64() && number.as_f64().is_some_and(|float| float.abs() >= LARGEST_EXACT_FLOAT) => {
            return nonsense(format!("numbers that are kept to the last digit; {number} is too large, send it as a text"));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => text.push_str(&value.to_string()),
    }
    Ok(())
}

/// How much of a line is quoted.
const QUOTED: usize = 300;

/// A text as it can be shown: on one line, without what a terminal would obey, and not too long.
pub(super) fn in_one_line(text: &str) -> String {
    let mut shown = String::new();
    for (place, character) in text.chars().enumerate() {
        if place == QUOTED {
            let _ = write!(shown, "... ({} bytes in all)", text.len());
            break;
        }
        if character.is_control() {
            shown.extend(character.escape_default());
        } else {
            shown.push(character);
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_value_has_one_form_however_it_is_written() {
        let form = |text: &str| canonical(&serde_json::from_str(text).unwrap());
        assert_eq!(form(r#" { "b" : [1, 2.5, null], "a":"\u0041" } "#).unwrap(), r#"{"a":"A","b":[1,2.5,null]}"#);
        assert_ne!(form("1").unwrap(), form("1.0").unwrap());
        assert!(form("18446744073709551615").is_ok());
        assert!(form("18446744073709551616").is_err());
    }

    #[test]
    fn what_is_quoted_stays_on_its_line_and_is_cut() {
        assert_eq!(in_one_line("a\n\x1b[2Jb"), "a\\n\\u{1b}[2Jb");
        assert!(in_one_line(&"x".repeat(1000)).ends_with("x... (1000 bytes in all)"));
    }
}
