//! What has to be said with a mark as *done*: values that later requests take from the step's answer, which is missing.
//!
//! Without it the mark would leave an effect behind that can never be taken back, since the request for that could never be made.

use std::collections::BTreeMap;

use handfast_protocol::{Coordinator, Mark, Ruling, Standing};

use super::{Act, ActError, Followed};
use crate::flow::{Flow, FlowStep};
use crate::journal::{Scalar, kept_by};
use crate::key::leads_elsewhere;
use crate::participant::is_card_number;

/// The longest value, in bytes, as of one that an answer brings.
const MOST_BYTES: usize = 255;

impl Followed {
    /// The names of the values that this ruling needs and that no answer has brought.
    pub(super) fn needs(&self, ruling: Ruling) -> Vec<String> {
        let Ruling::Mark { step, mark: Mark::Done } = ruling else { return Vec::new() };
        let kept = kept_by(&self.trail.lines, step);
        let mut names = names(&self.follows, step, leads_forward(&self.coordinator.after(ruling)));
        names.retain(|name| !kept.contains_key(name));
        names
    }

    /// Whether what is said beside this act can be kept: values that its step's answers would have brought.
    pub(super) fn check_kept(&self, act: Option<&Act>, kept: &BTreeMap<String, Scalar>) -> Result<(), ActError> {
        let wrong = |what: String| Err(ActError::Text { name: "kept", what });
        let known: Vec<&str> = match act.and_then(|act| act.ruling(&self.follows)) {
            Some(Ruling::Mark { step, mark: Mark::Done }) => {
                let http = self.follows.steps().get(step).and_then(|step| step.http.as_deref());
                http.map(|http| http.kept_names().collect()).unwrap_or_default()
            }
            Some(Ruling::Mark { .. } | Ruling::Retry | Ruling::Resume | Ruling::Settle) | None => Vec::new(),
        };
        for (name, value) in kept {
            if !known.contains(&name.as_str()) {
                let names = if known.is_empty() { "nothing".to_owned() } else { known.join(", ") };
                return wrong(format!(
                    "{name:.40} is not kept of this step's answers with this act; what can be said is {names}"
                ));
            }
            if is_card_number(value) {
                return wrong(format!("{name} could be a card's number, which is not kept"));
            }
            let text = value.to_string();
            if !(1..=MOST_BYTES).contains(&text.len()) || text.chars().any(char::is_control) || leads_elsewhere(&text) {
                return wrong(format!(
                    "{name} is not 1 to {MOST_BYTES} bytes without control characters, and no way to elsewhere"
                ));
            }
        }
        Ok(())
    }
}

/// Whether later steps are asked for.
fn leads_forward(after: &Coordinator) -> bool {
    match after.standing() {
        Standing::Placed | Standing::Acting | Standing::Committed | Standing::Completed => true,
        Standing::Cancelling | Standing::Cancelled | Standing::Suspended | Standing::Settled => false,
    }
}

/// What requests name of a step's answers: those that take it back, and where it leads forward those of every later step.
fn names(flow: &Flow, step: usize, forward: bool) -> Vec<String> {
    let Some(name) = flow.steps().get(step).map(|step| step.name.as_str()) else { return Vec::new() };
    let of_step = |(at, other): (usize, &FlowStep)| -> Vec<String> {
        let http = other.http.as_deref().filter(|_| at == step || (forward && at > step));
        http.map(|http| http.names_of(name, at == step).into_iter().map(str::to_owned).collect()).unwrap_or_default()
    };
    let mut names: Vec<String> = flow.steps().iter().enumerate().flat_map(of_step).collect();
    names.sort_unstable();
    names.dedup();
    names
}
