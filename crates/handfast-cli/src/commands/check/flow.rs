//! `handfast check FLOW.toml`: whether a flow can be safe at all, and the run that shows it where it cannot.
//!
//! First the rules that need no search, which the flow file's reader applies; then the deployed coordinator is explored
//! against participants that do whatever their profiles allow: once where no risk comes true, and once for each risk where
//! it does.

use std::path::Path;

use anyhow::Context as _;
use handfast::flow_file::{FileErrors, FlowFile};
use handfast::upkeep::{self, Followed};
use handfast_lab::diagram::Diagram;
use handfast_lab::explorer::Limits;
use handfast_lab::saga::{Adversary, FlowCase, Found, Network};
use handfast_protocol::{Finding, Risk};
use serde_json::json;

use super::residual::{self, Residual};
use super::{Args, flow_json, flow_text};
use crate::output::picture;
use crate::output::{Exit, OrExit as _, Output};
use crate::trace::{self, FlowTrace};

/// A flow with more steps than this is explored on the multiset network only where that is asked for, since it takes
/// minutes, and with a crash and a second worker in two worlds instead of one.
const QUICK_STEPS: usize = 3;

/// A flow, checked.
pub(super) struct Checked {
    pub(super) file: FlowFile,
    /// The explorations in which no risk comes true.
    pub(super) explored: Vec<Explored>,
    pub(super) risks: Vec<CheckedRisk>,
    /// What was left out, in words.
    pub(super) left_out: Option<String>,
}

/// One exploration.
pub(super) struct Explored {
    /// The places of the explored steps in the flow.
    pub(super) part: Vec<usize>,
    pub(super) found: Found,
}

impl Explored {
    /// The names of the explored steps.
    pub(super) fn names<'a>(&self, file: &'a FlowFile) -> Vec<&'a str> {
        self.part.iter().map(|&place| file.steps()[place].name.as_str()).collect()
    }
}

/// A risk, and what happens where it comes true.
pub(super) struct CheckedRisk {
    pub(super) finding: Finding<Risk>,
    pub(super) is_accepted: bool,
    pub(super) residual: Residual,
    pub(super) states: u64,
    /// The shortest run that breaks something, if one was found.
    pub(super) run: Option<Counterexample>,
}

/// A run that breaks a property.
#[derive(Clone)]
pub(crate) struct Counterexample {
    pub(crate) property: &'static str,
    pub(crate) actions: Vec<String>,
    /// The world at its end, in words.
    pub(crate) end: String,
    pub(crate) picture: Diagram,
    /// The places of the explored steps in the flow.
    pub(crate) part: Vec<usize>,
    pub(crate) adversary: Adversary,
    /// The risk that comes true, by the place of its step among the explored ones.
    pub(crate) come_true: Option<Finding<Risk>>,
}

impl Checked {
    /// Every property held where no risk comes true.
    pub(super) fn keeps_its_promises(&self) -> bool {
        self.explored.iter().all(|explored| explored.found.holds())
    }

    /// Nothing is violated but what somebody has accepted.
    pub(super) fn holds(&self) -> bool {
        self.keeps_its_promises() && self.risks.iter().all(|risk| risk.is_accepted)
    }

    /// Every run that breaks something, those that break a promise first.
    pub(super) fn counterexamples(&self) -> Vec<Counterexample> {
        let broken = self.explored.iter().filter_map(|explored| counterexample(&explored.found, &explored.part, None));
        let of_risks = self.risks.iter().filter_map(|risk| risk.run.clone());
        broken.chain(of_risks).collect()
    }

    /// How many states were explored in all.
    pub(super) fn states(&self) -> u64 {
        let promised: u64 = self.explored.iter().map(|explored| explored.found.report.unique).sum();
        promised + self.risks.iter().map(|risk| risk.states).sum::<u64>()
    }
}

/// What adopting the flow would change for the open orders of a store.
fn followed(store: &str, file: &FlowFile) -> anyhow::Result<Vec<Followed>> {
    // Which risks somebody accepts says nothing of who is called, and how.
    let flow = file.flow(&Risk::NAMES).or_exit(Exit::Usage)?;
    crate::commands::runtime()?.block_on(upkeep::followed(store, &flow)).or_exit(Exit::Usage)
}

fn tell_followed(followed: &[Followed], output: &Output) -> anyhow::Result<()> {
    if output.wants_json() {
        let shape = |Followed { flow, orders, difference, .. }: &Followed| {
            let identity =
                difference.steps.iter().flat_map(|step| step.identity.iter().map(|what| format!("{}: {what}", step.step)));
            json!({
                "flow": flow,
                "orders": orders,
                "plan": difference.plan,
                "addresses": difference.addresses,
                "identity": identity.collect::<Vec<_>>(),
                "says": difference.in_words(),
            })
        };
        return output.json_line(&json!({ "followed": followed.iter().map(shape).collect::<Vec<_>>() }));
    }
    if followed.is_empty() {
        return output.sentences("No open order of the store follows another definition than this one.");
    }
    followed.iter().try_for_each(|Followed { flow, orders, difference, .. }| {
        let verdict = if difference.plan.is_some() { "cannot adopt it" } else { "would change by adopting it" };
        output.sentences(format_args!(
            "{orders} open orders of {flow} follow another definition and {verdict}: {}.",
            difference.in_words()
        ))
    })
}

/// Checks a flow, and tells what came of it.
pub(super) fn run(path: &Path, args: &Args, output: &Output) -> anyhow::Result<Exit> {
    picture::check_place(args.svg.as_deref(), output)?;
    let file = match FlowFile::read_all(path) {
        Ok(file) => file,
        Err(errors) => return refuse(errors, output),
    };
    let followed = args.store.as_deref().map(|store| followed(store, &file)).transpose()?;
    let checked = check(file, args, output)?;
    let counterexamples = checked.counterexamples();
    if let Some(kept) = &args.keep {
        match counterexamples.first() {
            Some(first) => {
                let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
                trace::keep_flow(kept, &FlowTrace::new(&checked.file, text, first))?;
                output.note(format_args!("the run is kept in {}", kept.display()));
            }
            None => output.note("no run breaks anything, so none is kept"),
        }
    }
    if let Some(svg) = &args.svg {
        match counterexamples.first() {
            Some(first) => picture::write_svg(svg, &first.picture, output)?,
            None => output.note("no run breaks anything, so none is drawn"),
        }
        if picture::is_stdout(svg) {
            return Ok(exit(&checked));
        }
        if !counterexamples.is_empty() {
            output.note(format_args!("the picture is in {}", svg.display()));
        }
    }
    if output.wants_json() {
        output.json_line(&flow_json::answer(&checked))?;
    } else {
        flow_text::print(&checked, args.ascii, output)?;
    }
    if let Some(followed) = followed {
        tell_followed(&followed, output)?;
    }
    Ok(exit(&checked))
}

/// Says everything that is wrong with the file, for programs too.
fn refuse(errors: FileErrors, output: &Output) -> anyhow::Result<Exit> {
    if output.wants_json() {
        let all = errors.iter().map(
            |error| json!({ "line": error.line(), "column": error.column(), "rule": error.rule(), "message": error.message() }),
        );
        output.json_line(&json!({ "verdict": "refused", "errors": all.collect::<Vec<_>>() }))?;
    }
    Err(errors).or_exit(Exit::Usage)
}

fn exit(checked: &Checked) -> Exit {
    if checked.holds() { Exit::Done } else { Exit::Neither }
}

fn check(file: FlowFile, args: &Args, output: &Output) -> anyhow::Result<Checked> {
    let names: Vec<String> = file.steps().iter().map(|step| step.name.clone()).collect();
    let flow = FlowCase::new(names, file.profiled().to_vec(), file.assumptions()).or_exit(Exit::Usage)?;
    let parts = flow.parts().or_exit(Exit::Usage)?;
    let adversaries = adversaries(args, parts[0].1.steps().len()).or_exit(Exit::Usage)?;
    let risks = file.assessment().risks.clone();
    let progress = output.progress((parts.len() * adversaries.len() + risks.len()) as u64);
    let limits = Limits::default().with_threads(args.threads);
    let mut explored = Vec::new();
    for (part, flow) in &parts {
        for adversary in &adversaries {
            progress.set_message(adversary.to_string());
            let found = flow.explore(&[], adversary.clone(), &limits);
            explored.push(Explored { part: part.clone(), found });
            progress.inc(1);
        }
    }
    let mut checked_risks = Vec::new();
    for finding in risks {
        progress.set_message(finding.what.name());
        let (states, run) = come_true(&parts, finding, args.threads);
        let is_accepted = args.accept_risk.iter().any(|name| name == finding.what.name());
        checked_risks.push(CheckedRisk { finding, is_accepted, residual: residual::of(&finding, &file), states, run });
        progress.inc(1);
    }
    progress.finish_and_clear();
    let left_out = left_out(args, &file, parts.len());
    Ok(Checked { file, explored, risks: checked_risks, left_out })
}

/// What is explored where nothing was asked for: workers and a crash on a set of messages, which is quick, and one worker on
/// a multiset, which shows what a set hides, where that is quick too.
fn adversaries(args: &Args, steps: usize) -> anyhow::Result<Vec<Adversary>> {
    let workers = usize::from(args.workers.unwrap_or(2));
    let crashes = args.crashes.unwrap_or(1);
    let make = |network: Network, workers: usize| Adversary::new(network).workers(workers).crashes(crashes);
    if let Some(network) = args.network {
        let fits = network.max_steps();
        anyhow::ensure!(
            steps <= fits,
            "on this network a world holds {fits} steps, and {steps} would be explored at once; try --network multiset:1 or set"
        );
        return Ok(vec![make(network, workers)]);
    }
    let one_worker = usize::from(args.workers.unwrap_or(1));
    if steps <= QUICK_STEPS {
        return Ok(vec![make(Network::Set, workers), make(Network::Multiset { capacity: 1 }, one_worker)]);
    }
    if args.workers.is_some() || args.crashes.is_some() {
        return Ok(vec![make(Network::Set, workers)]);
    }
    Ok(vec![make(Network::Set, workers).crashes(0), make(Network::Set, one_worker)])
}

fn left_out(args: &Args, file: &FlowFile, parts: usize) -> Option<String> {
    let steps = file.steps().len();
    let in_parts = (parts > 1).then(|| {
        format!(
            "a world holds 4 steps and the flow has {steps}, so every choice of 4 of them was explored that has the step in \
             which the saga is decided among them"
        )
    });
    let on_a_set = (args.network.is_none() && steps > QUICK_STEPS).then(|| {
        "a set of messages hides one that is sent once and lost; --network multiset:1 shows it, and takes minutes".to_owned()
    });
    let said: Vec<String> = in_parts.into_iter().chain(on_a_set).collect();
    (!said.is_empty()).then(|| said.join("; "))
}

/// Explores what happens where a risk comes true, up to the first run that breaks something.
fn come_true(parts: &[(Vec<usize>, FlowCase)], risk: Finding<Risk>, threads: usize) -> (u64, Option<Counterexample>) {
    let limits = Limits { stop_at_first: true, ..Limits::default().with_threads(threads) };
    let mut states = 0;
    for (part, flow) in parts {
        // The same risk, by its place among the steps of this part.
        let is_it = |local: &&Finding<Risk>| {
            let of = |what: &Risk| (what.name(), what.answer());
            part[local.step] == risk.step && of(&local.what) == of(&risk.what)
        };
        let Some(&local) = flow.assessment().risks.iter().find(is_it) else { continue };
        let found = flow.explore(&[local], Adversary::new(Network::Set), &limits);
        states += found.report.unique;
        if let Some(run) = counterexample(&found, part, Some(local)) {
            return (states, Some(run));
        }
    }
    (states, None)
}

fn counterexample(found: &Found, part: &[usize], come_true: Option<Finding<Risk>>) -> Option<Counterexample> {
    let property = found.report.broken().next()?.name;
    let mut actions = found.run_against(property)?;
    let end = actions.pop()?;
    let picture = found.picture_against(property)?;
    Some(Counterexample { property, actions, end, picture, part: part.to_vec(), adversary: found.adversary().clone(), come_true })
}
