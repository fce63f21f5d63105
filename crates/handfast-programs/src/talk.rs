//! One conversation with one running program: who it is told to be, and then question after question.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use super::process::Process;
use super::refusal::{Fault, Refusal, TEMPORARILY_UNAVAILABLE};
use super::wire::{self, Answer, Game, Inbox, Letter, Mode, NoAnswer, Role, Terms};
use handfast_machine::clock::{Stopwatch, whole_ms};

/// The first answer of a process may take so many times as long as any other: it has to start.
const STARTING: u32 = 5;
/// All answers together may take so many times as long as one.
const IN_ALL: u32 = 60;
/// How often a program may say that it is not available for now, and how long it is left alone then.
const TRIES: u32 = 3;
const PAUSE: Duration = Duration::from_millis(50);

/// The time that programs have, from now on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    answer: Duration,
    since: Stopwatch,
}

impl Patience {
    /// So long for one answer.
    pub(super) fn new(answer: Duration) -> Self {
        Self { answer, since: Stopwatch::start() }
    }

    /// How long it has been.
    pub(super) fn elapsed(&self) -> Duration {
        self.since.elapsed()
    }

    fn slow_in_all(&self) -> Fault {
        Fault::SlowInAll { limit_ms: whole_ms(self.answer * IN_ALL) }
    }

    fn left(&self) -> Option<Duration> {
        (self.answer * IN_ALL).checked_sub(self.since.elapsed()).filter(|left| !left.is_zero())
    }
}

/// Who plays what: everything that a conversation begins with.
#[derive(Clone, Debug)]
pub(super) struct Cast {
    /// Which general, with the order or without.
    pub(super) role: Role,
    /// The command, as it was typed.
    pub(super) command: Arc<str>,
    /// Its words.
    pub(super) words: Arc<[String]>,
    /// What it is told about the game.
    pub(super) game: Game,
    /// The time that it has.
    pub(super) patience: Patience,
    /// How many different questions it may have to be asked.
    pub(super) questions: usize,
}

/// A running program that knows who it is.
pub(super) struct Talk {
    cast: Cast,
    time_zone: Option<&'static str>,
    process: Process,
    /// The number of the last question.
    id: u64,
    terms: Terms,
    /// In the mode replay: all that this run's general has been told, round by round, and what it did.
    so_far: Vec<(Inbox, Answer)>,
}

impl Talk {
    /// Starts the program and tells it who it is.
    ///
    /// # Errors
    /// It does not start, or does not answer as it has to.
    pub(super) fn begin(cast: &Cast, time_zone: Option<&'static str>) -> Result<Self, Box<Refusal>> {
        let started = |fault| {
            let (role, command) = (cast.role, cast.command.to_string());
            Box::new(Refusal { role, command, question: None, fault, last_words: Vec::new() })
        };
        let process = Process::start(&cast.words, time_zone).map_err(started)?;
        let terms = Terms { mode: Mode::Step, rounds: None, state: "null".into() };
        let mut talk = Self { cast: cast.clone(), time_zone, process, id: 0, terms, so_far: Vec::new() };
        talk.terms = talk.introduce()?;
        Ok(talk)
    }

    /// What the program says about itself.
    pub(super) const fn terms(&self) -> &Terms {
        &self.terms
    }

    /// The refusal of the program for this.
    pub(super) fn refuse(&mut self, question: Option<String>, fault: Fault) -> Box<Refusal> {
        let last_words = self.process.last_words();
        Box::new(Refusal { role: self.cast.role, command: self.cast.command.to_string(), question, fault, last_words })
    }

    /// Looks after the program's processes once more.
    ///
    /// # Errors
    /// They are too many.
    pub(super) fn look(&mut self) -> Result<(), Box<Refusal>> {
        self.process.look().map_err(|fault| self.refuse(None, fault))
    }

    /// Asks a program that keeps nothing.
    ///
    /// # Errors
    /// It does not answer as it has to.
    pub(super) fn step(&mut self, round: u32, state: &str, inbox: &[Letter]) -> Result<Answer, Box<Refusal>> {
        let camp = self.cast.role.camp;
        self.ask(|id| wire::step_line(camp, id, round, state, inbox), |line, id| wire::read_answer(line, camp, id, Mode::Step))
    }

    /// Tells a program that keeps its own state a run, from the start unless it is in the middle of it, and calls `answered`
    /// with every round's answer, in order.
    ///
    /// # Errors
    /// It does not answer as it has to, or `answered` is not content.
    pub(super) fn replay(
        &mut self,
        inboxes: &[Inbox],
        mut answered: impl FnMut(usize, &Answer) -> Result<(), (String, Fault)>,
    ) -> Result<(), Box<Refusal>> {
        let goes_on =
            self.so_far.len() < inboxes.len() && self.so_far.iter().zip(inboxes).all(|((told, _), inbox)| told == inbox);
        if !goes_on {
            self.start_over()?;
        }
        let camp = self.cast.role.camp;
        for (place, inbox) in inboxes.iter().enumerate().skip(self.so_far.len()) {
            let answer = self.ask(
                |id| wire::round_line(camp, id, place + 1, inbox),
                |line, id| wire::read_answer(line, camp, id, Mode::Replay),
            )?;
            answered(place + 1, &answer).map_err(|(question, fault)| self.refuse(Some(question), fault))?;
            self.so_far.push((inbox.clone(), answer));
        }
        Ok(())
    }

    /// Begins a new run. A program that ended by itself after its last round is started again.
    fn start_over(&mut self) -> Result<(), Box<Refusal>> {
        if self.so_far.is_empty() {
            return Ok(());
        }
        self.so_far.clear();
        let again = match self.introduce() {
            Ok(terms) => terms,
            Err(refusal) if matches!(&refusal.fault, Fault::Ended(Some(status)) if status.success()) => {
                let fresh = Self::begin(&self.cast, self.time_zone)?;
                let before = std::mem::replace(self, fresh);
                std::mem::replace(&mut self.terms, before.terms.clone())
            }
            Err(refusal) => return Err(refusal),
        };
        if again == self.terms {
            return Ok(());
        }
        let (first, later) = (self.terms.to_string(), again.to_string());
        let question = wire::init_line(self.cast.role, self.cast.game, self.id);
        Err(self.refuse(Some(question), Fault::Differs { first, later, when: "when told to begin again" }))
    }

    fn introduce(&mut self) -> Result<Terms, Box<Refusal>> {
        let Cast { role, game, .. } = self.cast;
        self.ask(|id| wire::init_line(role, game, id), |line, id| wire::read_terms(line, role.camp, id))
    }

    fn ask<T>(
        &mut self,
        line: impl Fn(u64) -> String,
        read: impl Fn(&[u8], u64) -> Result<T, NoAnswer>,
    ) -> Result<T, Box<Refusal>> {
        let mut tries = 1;
        loop {
            let starting = self.id == 0;
            self.id += 1;
            let line = line(self.id);
            let patience = self.cast.patience;
            let answer = if starting { patience.answer * STARTING } else { patience.answer };
            let Some(left) = patience.left() else {
                return Err(self.refuse(Some(line), patience.slow_in_all()));
            };
            let said = match self.process.ask(line.clone(), answer.min(left)) {
                Ok(said) => said,
                Err(Fault::Slow { .. }) if left < answer => return Err(self.refuse(Some(line), patience.slow_in_all())),
                Err(fault) => return Err(self.refuse(Some(line), fault)),
            };
            match read(&said, self.id) {
                Ok(answer) => return Ok(answer),
                Err(NoAnswer::Error { code: TEMPORARILY_UNAVAILABLE, .. }) if tries < TRIES => {
                    tries += 1;
                    thread::sleep(PAUSE);
                }
                Err(NoAnswer::Error { code, text }) => return Err(self.refuse(Some(line), Fault::Error { code, text })),
                Err(NoAnswer::Nonsense(expected)) => {
                    let said = String::from_utf8_lossy(&said).into_owned();
                    return Err(self.refuse(Some(line), Fault::Nonsense { line: said, expected }));
                }
            }
        }
    }
}
