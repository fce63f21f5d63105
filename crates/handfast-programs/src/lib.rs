//! Generals as programs: any command that speaks JSON lines, as `docs/general-programs.md` says, played by the lab.

mod family;
mod party;
mod process;
mod refusal;
mod seat;
mod talk;
#[cfg(test)]
mod tests;
mod wire;

use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use handfast_lab::generals::{Limits, Protocol, Table};
use handfast_protocol::generals::Camp;

use self::party::Program;
use self::refusal::{Fault, Refusal};
use self::seat::Seat;
use self::talk::{Cast, Patience};
use self::wire::{Game, ROUND_LIMIT, Role};
use handfast_machine::locked;

/// What is typed before a command, where other protocols have their name.
pub const PREFIX: &str = "exec:";
/// The time that an answer may take where nothing else is said.
pub const TIME_LIMIT_MS: u64 = 2000;

/// How much a table of programs may hold: what a general can be told is held in memory, and asked twice.
const LIMITS: Limits = Limits { nodes: 1_000_000, steps: 250_000, messengers: 1000 };
/// How many different questions one general may have to be asked.
const QUESTIONS: usize = 20_000;
/// Every way in which a general can be cast: only general 1 is ever given the order.
const ROLES: [Role; 3] = [
    Role { camp: Camp::First, ordered: true },
    Role { camp: Camp::First, ordered: false },
    Role { camp: Camp::Second, ordered: false },
];
const DEFAULT_ROUNDS: u32 = 3;

/// Two generals as programs, as they are typed.
#[derive(Clone, Copy, Debug)]
pub struct Programs<'a> {
    /// The command of general 1 and that of general 2, without the prefix.
    pub commands: [&'a str; 2],
    /// Messengers in a wave, replies, and steps: they are told to the programs.
    pub messengers: u32,
    /// Messengers in the reply wave.
    pub replies: u32,
    /// Steps of a handshake.
    pub steps: u32,
    /// The number of rounds, if it was given.
    pub rounds: Option<u32>,
    /// How long an answer may take, in milliseconds.
    pub time_limit_ms: u64,
}

impl Programs<'_> {
    /// Plays the programs: asks them everything that they can be asked, and everything again in other processes.
    ///
    /// # Errors
    /// A program is refused, or there is more to ask than fits in memory.
    pub fn tabulate(&self) -> anyhow::Result<Table> {
        if cfg!(not(unix)) {
            return Err(anyhow!("{PREFIX} needs process groups, which this system does not have"));
        }
        if self.rounds.is_some_and(|rounds| rounds > ROUND_LIMIT) {
            return Err(anyhow!("--rounds may be at most {ROUND_LIMIT} for programs"));
        }
        let seats = self.seats()?;
        let rounds = self.rounds_agreed(&seats)?;
        let seats = seats.map(|seat| Arc::new(Mutex::new(seat)));
        let [ordered, unordered, second] = seats.clone();
        let begin =
            move |order: bool| [Program::new(if order { &ordered } else { &unordered }, rounds), Program::new(&second, rounds)];
        let table = Protocol::new(self.title(rounds), rounds, begin).tabulate(&LIMITS);
        for seat in &seats {
            if let Some(refusal) = locked(seat).refused() {
                return Err(refusal.into());
            }
        }
        let table = table?;
        // The generals know nothing of one another, so they are asked again side by side.
        let repeated = thread::scope(|scope| {
            let asking = seats.each_ref().map(|seat| scope.spawn(|| locked(seat).repeat()));
            asking.map(|asked| asked.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
        });
        for result in repeated {
            result?;
        }
        Ok(table)
    }

    fn title(&self, rounds: u32) -> String {
        let [first, second] = self.commands;
        let rounds = if rounds == 1 { "1 round".to_owned() } else { format!("{rounds} rounds") };
        if first == second {
            format!("{PREFIX}{first}, {rounds}")
        } else {
            format!("{PREFIX}{first} and {PREFIX}{second}, {rounds}")
        }
    }

    fn seats(&self) -> anyhow::Result<[Seat; 3]> {
        let patience = Patience::new(Duration::from_millis(self.time_limit_ms));
        let rounds = self.rounds.unwrap_or(DEFAULT_ROUNDS);
        let game = Game { rounds, messengers: self.messengers, replies: self.replies, steps: self.steps };
        let take = |role: Role| {
            let command = self.commands[role.camp.index()];
            let words = words(command)?.into();
            let cast = Cast { role, command: command.into(), words, game, patience, questions: QUESTIONS };
            Ok::<_, anyhow::Error>(Seat::take(cast)?)
        };
        let [ordered, unordered, second] = ROLES;
        Ok([take(ordered)?, take(unordered)?, take(second)?])
    }

    /// The one number of rounds that everybody plays.
    fn rounds_agreed(&self, seats: &[Seat; 3]) -> anyhow::Result<u32> {
        let mut agreed = self.rounds.map(|rounds| (rounds, "--rounds".to_owned()));
        for seat in seats {
            match (&agreed, seat.terms().rounds) {
                (Some((wanted, by)), Some(said)) if said != *wanted => {
                    let fault = Fault::Rounds { said, wanted: *wanted, by: by.clone() };
                    let command = self.commands[seat.role().camp.index()].to_owned();
                    let (question, last_words) = (None, Vec::new());
                    return Err(anyhow::Error::new(Refusal { role: seat.role(), command, question, fault, last_words }));
                }
                (None, Some(said)) => agreed = Some((said, seat.role().to_string())),
                (Some(_), _) | (None, None) => {}
            }
        }
        Ok(agreed.map_or(DEFAULT_ROUNDS, |(rounds, _)| rounds))
    }
}

/// The words of a command, as a shell would split it; nothing else of a shell is done.
fn words(command: &str) -> anyhow::Result<Vec<String>> {
    let words = shlex::split(command).with_context(|| format!("{PREFIX}{command} has a quote or a backslash without its end"))?;
    if words.is_empty() {
        return Err(anyhow!("{PREFIX} needs a command, as in \"{PREFIX}python3 general.py\""));
    }
    Ok(words)
}
