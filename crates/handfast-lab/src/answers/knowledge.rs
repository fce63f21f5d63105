//! Who knows what: in every run, step by step in one, link by link along a chain.

use num_bigint::BigUint;
use serde::ser::{Serialize, Serializer};

use crate::answers::object::{Count, Object};
use crate::answers::{Against, played};
use crate::generals::{
    Adversary, Bounds, Chain, Knowledge, Link, NotWeighed, Orders, Ratio, Run, Rung, Table, Views, chain, common_belief,
    knowledge, ladder,
};

/// What is asked.
#[derive(Clone, Debug)]
pub struct Question {
    /// The protocol as it is typed.
    pub protocol: String,
    /// What the generals go by.
    pub views: Views,
    /// Whether the shortest chain is wanted.
    pub chain: bool,
    /// With which probability the attack is wanted and a messenger is captured, where the greatest common belief is wanted.
    pub belief: Option<(Ratio, Ratio)>,
}

/// The greatest belief that can be common, and for which probabilities.
#[derive(Clone, Debug)]
pub struct Belief {
    /// The belief.
    pub greatest: Ratio,
    /// How likely the attack is wanted.
    pub prior: Ratio,
    /// How likely a messenger is captured.
    pub capture: Ratio,
}

/// Everything that was asked for.
///
/// Written with the members `protocol`, `title`, `adversary`, `views`, `worlds`, `histogram`, `common_knowledge`,
/// `common_knowledge_runs`, `because`, `depth`, `run` (with its `steps`), and where asked for `chain`,
/// `links_to_nothing_delivered`, `links_to_no_order`, `common_belief`, `prior` and `capture`.
#[derive(Debug)]
pub struct Answer<'a> {
    /// The protocol as it is typed.
    pub protocol: String,
    /// Its table.
    pub table: &'a Table,
    /// How deep it goes in all runs.
    pub knowledge: Knowledge,
    /// The run that is stepped through.
    pub run: Run,
    /// What each general knows in it, at first and after each round.
    pub rungs: Vec<[Rung; 2]>,
    /// The shortest chain, if it is wanted.
    pub chain: Option<Chain>,
    /// The greatest common belief, if it is wanted.
    pub belief: Option<Belief>,
}

/// Answers for a run of a protocol.
///
/// # Errors
/// More would have to be held than may be.
pub fn answer<'a>(table: &'a Table, run: Run, question: &Question) -> Result<Answer<'a>, NotWeighed> {
    let (views, bounds) = (question.views, Bounds::default());
    let belief = |(prior, capture): &(Ratio, Ratio)| {
        let greatest = common_belief(table, views, prior, capture, bounds)?;
        Ok::<_, NotWeighed>(Belief { greatest, prior: prior.clone(), capture: capture.clone() })
    };
    let belief = question.belief.as_ref().map(belief).transpose()?;
    let chain = question.chain.then(|| chain(table, views, bounds)).transpose();
    Ok(Answer {
        protocol: question.protocol.clone(),
        table,
        knowledge: knowledge(table, views, bounds).map_err(NotWeighed::TooMuch)?,
        rungs: ladder(table, &run, views, bounds).map_err(NotWeighed::TooMuch)?,
        chain: chain.map_err(NotWeighed::TooMuch)?,
        belief,
        run,
    })
}

impl Answer<'_> {
    /// Whether there is a run in which it is common knowledge that the attack is wanted.
    #[must_use]
    pub fn is_reached(&self) -> bool {
        self.knowledge.common.bits() > 0
    }

    /// Why common knowledge is reached, or not; `count` writes a number of runs.
    pub fn because(&self, count: impl Fn(&BigUint) -> String) -> String {
        if self.table.orders == Orders::Nobody {
            return "there is no order in this protocol, so the attack is wanted in every run and nobody can be wrong about it"
                .to_owned();
        }
        if self.is_reached() {
            return format!(
                "from {} of the runs no chain of runs leads to one in which the attack is not wanted",
                count(&self.knowledge.common)
            );
        }
        "from every run a chain of runs leads to one in which the attack is not wanted, and at each link one general cannot tell \
         the two runs apart"
            .to_owned()
    }

    /// What a general knows, in words.
    #[must_use]
    pub fn in_words(&self, rung: Rung, side: usize) -> String {
        match rung {
            Rung::Level(0) if self.table.orders == Orders::Each => "does not know of both orders".to_owned(),
            Rung::Level(0) => "does not know of the order".to_owned(),
            Rung::Level(1..=3) => rung.in_words(self.table, side),
            Rung::Level(level) => format!("has knowledge {level} deep"),
            Rung::Common => "has common knowledge".to_owned(),
        }
    }

    /// The depth of the run that is stepped through; nothing if there is no end.
    #[must_use]
    pub fn depth(&self) -> Option<u32> {
        let levels = self.rungs.last().map_or([None, None], |rungs| [level(rungs[0]), level(rungs[1])]);
        Some(levels[0]?.min(levels[1]?))
    }
}

const fn level(rung: Rung) -> Option<u32> {
    match rung {
        Rung::Level(level) => Some(level),
        Rung::Common => None,
    }
}

/// Every link of a chain.
pub fn links(chain: &Chain) -> impl Iterator<Item = &Link> {
    [&chain.to_silence, &chain.to_no_order].into_iter().flatten().flatten()
}

/// The links from everything delivered to nothing delivered, and to a run in which the attack is not wanted.
#[must_use]
pub fn lengths(chain: &Chain) -> (Option<usize>, Option<usize>) {
    let silence = chain.to_silence.as_ref().map(Vec::len);
    (silence, chain.to_no_order.as_ref().map(|rest| rest.len() + silence.unwrap_or(0)))
}

impl Serialize for Answer<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let knowledge = &self.knowledge;
        let views = match knowledge.views {
            Views::Inputs => "inputs",
            Views::State => "state",
        };
        let mut object = Object::begin(serializer)?;
        object.head(&self.protocol, &self.table.name, &Against::Patterns(Adversary::Any))?.put("views", views)?;
        object.put("worlds", &Count(&knowledge.worlds))?;
        object.put("histogram", &knowledge.histogram.iter().map(Count).collect::<Vec<_>>())?;
        object.put("common_knowledge", &self.is_reached())?.put("common_knowledge_runs", &Count(&knowledge.common))?;
        object.put("because", &self.because(BigUint::to_string))?.put("depth", &self.depth())?;
        object.put("run", &LadderData(self))?;
        if let Some(chain) = &self.chain {
            let first = ChainData { run: &chain.first, same_for: None };
            let rest = links(chain).map(|link| ChainData { run: &link.run, same_for: Some(link.same_for.number()) });
            let (silence, end) = lengths(chain);
            object.put("chain", &std::iter::once(first).chain(rest).collect::<Vec<_>>())?;
            object.put("links_to_nothing_delivered", &silence)?.put("links_to_no_order", &end)?;
        }
        if let Some(Belief { greatest, prior, capture }) = &self.belief {
            object.number("common_belief", greatest)?.number("prior", prior)?.number("capture", capture)?;
        }
        object.end()
    }
}

struct LadderData<'a>(&'a Answer<'a>);

#[derive(serde::Serialize)]
struct StepData {
    round: usize,
    levels: [Option<u32>; 2],
    knows: [String; 2],
}

impl Serialize for LadderData<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(answer) = self;
        let step = |(round, rungs): (usize, &[Rung; 2])| {
            let knows = [0, 1].map(|side| answer.in_words(rungs[side], side));
            StepData { round, levels: rungs.map(level), knows }
        };
        let mut object = Object::begin(serializer)?;
        played::put_briefly(&mut object, &answer.run)?;
        object.put("steps", &answer.rungs.iter().enumerate().map(step).collect::<Vec<_>>())?;
        object.end()
    }
}

struct ChainData<'a> {
    run: &'a Run,
    same_for: Option<u32>,
}

impl Serialize for ChainData<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = Object::begin(serializer)?;
        played::put_briefly(&mut object, self.run)?;
        object.put("same_for", &self.same_for)?;
        object.end()
    }
}
