//! One general's place at the table: every question is asked once, remembered, and later asked again in other processes.

use std::collections::BTreeMap;
use std::time::Duration;

use super::refusal::{Fault, Refusal};
use super::talk::{Cast, Talk};
use super::wire::{self, Answer, Inbox, Mode, Question, Role, Terms};

/// How many bytes of answers are kept for one general.
const KEPT_LIMIT: usize = 64 * 1024 * 1024;
/// How many further processes answer again.
const REPEATS: u32 = 7;
/// How far apart they start: the last begins more than a second after the first process did.
const APART: Duration = Duration::from_millis(150);
/// The first further process is asked everything, the others at most so much.
const SAMPLE: usize = 256;
/// Where the further processes are told to be: whoever looks at the time of day sees other hours, minutes and seconds.
const ELSEWHERE: [&str; 2] = ["LAB-11:31:17", "LAB+04:02:43"];

/// One general, with the order or without, and all that it has been asked.
pub(super) struct Seat {
    cast: Cast,
    talk: Option<Talk>,
    terms: Terms,
    places: BTreeMap<Question, usize>,
    asked: Vec<(Question, Answer)>,
    kept_bytes: usize,
    refusal: Option<Box<Refusal>>,
}

impl Seat {
    /// Starts the program and hears what it says about itself.
    ///
    /// # Errors
    /// It does not start, or does not answer as it has to.
    pub(super) fn take(cast: Cast) -> Result<Self, Box<Refusal>> {
        let talk = Talk::begin(&cast, None)?;
        let terms = talk.terms().clone();
        Ok(Self { cast, talk: Some(talk), terms, places: BTreeMap::new(), asked: Vec::new(), kept_bytes: 0, refusal: None })
    }

    /// What the program says about itself.
    pub(super) const fn terms(&self) -> &Terms {
        &self.terms
    }

    /// Who is asked.
    pub(super) const fn role(&self) -> Role {
        self.cast.role
    }

    /// Refuses the program for this, unless it is refused already.
    pub(super) fn refuse(&mut self, question: Option<String>, fault: Fault) {
        if self.refusal.is_some() {
            return;
        }
        self.refusal = self.talk.take().map(|mut talk| talk.refuse(question, fault));
    }

    /// Why the program is refused, if it is.
    pub(super) fn refused(&mut self) -> Option<Box<Refusal>> {
        self.refusal.take()
    }

    /// The answer to a question; `None` once the program is refused.
    pub(super) fn ask(&mut self, question: Question) -> Option<Answer> {
        if let Some(&place) = self.places.get(&question) {
            return Some(self.asked[place].1.clone());
        }
        if self.asked.len() >= self.cast.questions {
            self.refuse(None, Fault::Questions { limit: self.cast.questions });
        }
        let talk = self.talk.as_mut()?;
        let answer = match answer(talk, &question, &self.places, &self.asked, "when told the same run again") {
            Ok(answer) => answer,
            Err(refusal) => {
                self.refusal = Some(refusal);
                self.talk = None;
                return None;
            }
        };
        self.kept_bytes += answer.state.len() + answer.outbox.iter().map(wire::Letter::bytes).sum::<usize>();
        if self.kept_bytes > KEPT_LIMIT {
            self.refuse(None, Fault::SaidTooMuch { limit: KEPT_LIMIT });
            return None;
        }
        self.places.insert(question.clone(), self.asked.len());
        self.asked.push((question, answer.clone()));
        Some(answer)
    }

    /// Asks other processes, started later and in another time zone, the same questions in another order.
    ///
    /// # Errors
    /// One of them answers otherwise, or not at all.
    pub(super) fn repeat(&mut self) -> Result<(), Box<Refusal>> {
        if let Some(mut talk) = self.talk.take() {
            talk.look()?;
        }
        let questions = self.worth_repeating();
        for number in 1..=REPEATS {
            let start = APART * number;
            std::thread::sleep(start.saturating_sub(self.cast.patience.elapsed()));
            self.repeat_once(&questions, number)?;
        }
        Ok(())
    }

    fn repeat_once(&self, questions: &[usize], number: u32) -> Result<(), Box<Refusal>> {
        let time_zone = ELSEWHERE[number as usize % ELSEWHERE.len()];
        let mut talk = Talk::begin(&self.cast, Some(time_zone))?;
        if *talk.terms() != self.terms {
            let (first, later) = (self.terms.to_string(), talk.terms().to_string());
            let question = wire::init_line(self.cast.role, self.cast.game, 1);
            return Err(talk.refuse(Some(question), Fault::Differs { first, later, when: IN_ANOTHER_PROCESS }));
        }
        let most = if number == 1 { questions.len() } else { questions.len().min(SAMPLE) };
        for turn in 0..most {
            // Backwards, and shifted by one for every further process, so that no question keeps its place in the order.
            let place = (2 * most - 1 - turn + number as usize) % most;
            let (question, before) = &self.asked[questions[place * questions.len() / most]];
            let answer = answer(&mut talk, question, &self.places, &self.asked, IN_ANOTHER_PROCESS)?;
            if answer != *before {
                let fault = differs(before, &answer, IN_ANOTHER_PROCESS);
                return Err(talk.refuse(Some(in_words(question)), fault));
            }
        }
        talk.look()
    }

    /// Every question; of runs told from the start those that reach the end, since they hold all the others.
    fn worth_repeating(&self) -> Vec<usize> {
        let longest = self.asked.iter().map(|(question, _)| length(question)).max().unwrap_or(0);
        let worth = |question: &Question| self.terms.mode == Mode::Step || length(question) == longest;
        self.asked.iter().enumerate().filter(|(_, (question, _))| worth(question)).map(|(place, _)| place).collect()
    }
}

const IN_ANOTHER_PROCESS: &str = "in another process, asked in another order";

const fn length(question: &Question) -> usize {
    match question {
        Question::Step { .. } => 1,
        Question::Replay(inboxes) => inboxes.len(),
    }
}

/// Asks, and compares every answer on the way with what is known.
fn answer(
    talk: &mut Talk,
    question: &Question,
    places: &BTreeMap<Question, usize>,
    asked: &[(Question, Answer)],
    when: &'static str,
) -> Result<Answer, Box<Refusal>> {
    match question {
        Question::Step { round, state, inbox } => talk.step(*round, state, inbox),
        Question::Replay(inboxes) => {
            let mut last = None;
            talk.replay(inboxes, |rounds, answer| {
                last = Some(answer.clone());
                let told = Question::Replay(inboxes[..rounds].to_vec());
                match places.get(&told).map(|&place| &asked[place].1) {
                    Some(before) if before != answer => Err((in_words(&told), differs(before, answer, when))),
                    Some(_) | None => Ok(()),
                }
            })?;
            Ok(last.expect("a run that is told has at least one round, and the talk is never past it"))
        }
    }
}

fn differs(first: &Answer, later: &Answer, when: &'static str) -> Fault {
    Fault::Differs { first: first.to_string(), later: later.to_string(), when }
}

/// The question without the number that it has on the wire.
fn in_words(question: &Question) -> String {
    match question {
        Question::Step { round, state, inbox } => format!("round {round}, state {state}, inbox {}", wire::list(inbox)),
        Question::Replay(inboxes) => {
            let told: Vec<String> = inboxes.iter().map(|inbox: &Inbox| wire::list(inbox)).collect();
            format!("round {} of a run with the inboxes {}", inboxes.len(), told.join(" "))
        }
    }
}
