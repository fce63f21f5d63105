//! Reading the flows of a running service anew: what checks counts for new orders, and what does not leaves what was there, said
//! loudly. Orders under way keep what they follow.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use handfast_machine::locked;

use crate::coordinator::Unmet;
use crate::flows::{Change, FlowSources, Flows, Reloaded, Reread};
use crate::service::Service;

/// How flows are read anew, and what the last reading left in the way.
#[derive(Debug, Default)]
pub(crate) struct Reloading {
    sources: Option<FlowSources>,
    /// How far clocks may be apart for the engine that runs: it is set once.
    clock_error: Duration,
    /// One reading at a time.
    turn: tokio::sync::Mutex<()>,
    last: Mutex<Reloaded>,
}

impl Reloading {
    pub(crate) fn from(sources: Option<FlowSources>, clock_error: Duration) -> Self {
        Self { sources, clock_error, ..Self::default() }
    }

    /// What does not count of what stands in the files, as far as they were read.
    pub(crate) fn troubles(&self) -> Reloaded {
        locked(&self.last).clone()
    }

    /// A flow whose orders need clocks that are closer to each other than the engine makes sure of.
    fn too_exact(&self, flows: &Flows) -> Option<String> {
        let least = flows.assumptions().clock_error_ms.map(Duration::from_millis)?;
        (least < self.clock_error).then(|| {
            let exact = |served: &&Arc<crate::flows::ServedFlow>| {
                served.file().assumptions().clock_error_ms.map(Duration::from_millis) == Some(least)
            };
            let place = flows.iter().find(exact).map(|served| served.file().place_of_name()).unwrap_or_default();
            format!("{place}: its clock_error is smaller than what the service was started with; start the service anew for that")
        })
    }
}

impl Service {
    /// Resolves once no flow is being read anew.
    pub(crate) async fn settled(&self) {
        drop(self.reloading.turn.lock().await);
    }

    /// Reads every flow anew; `None` where it is not known from where.
    pub(crate) async fn reload(&self) -> Option<Reloaded> {
        let sources = self.reloading.sources.clone()?;
        let _alone = self.reloading.turn.lock().await;
        let before = self.flows();
        let known = Arc::clone(&before);
        // Files may lie on a disk that does not answer.
        let read = tokio::task::spawn_blocking(move || sources.reread(&known)).await;
        let reloaded = match read {
            Ok(Ok((next, flows))) => match self.take_over(next).await {
                Ok(()) => Reloaded { flows, why: None },
                Err(why) => Reloaded::refused(why),
            },
            Ok(Err(why)) => Reloaded::refused(why),
            Err(_panic) => Reloaded::refused("reading the flows broke off"),
        };
        tell(&reloaded);
        *locked(&self.reloading.last) = reloaded.clone();
        Some(reloaded)
    }

    /// Lets these count from now on.
    async fn take_over(&self, next: Flows) -> Result<(), String> {
        if let Some(why) = self.reloading.too_exact(&next) {
            return Err(why);
        }
        let flows = next.iter().map(|served| Arc::clone(served.flow())).collect();
        self.coordinator().replace_flows(flows).await.map_err(|error| match error {
            Unmet::NotOffered => "what runs the sagas of this service takes no other flows while it runs".to_owned(),
            Unmet::Error(error) => error.to_string(),
        })?;
        *locked(&self.flows) = Arc::new(next);
        Ok(())
    }
}

/// Says in the log what came of it.
fn tell(Reloaded { flows, why, .. }: &Reloaded) {
    if let Some(why) = why {
        tracing::error!(name: "flows_kept", why, "the flows were read anew and cannot be taken; those of before hold on");
        return;
    }
    for Reread { flow, file, change, why, .. } in flows {
        let flow = flow.as_deref().unwrap_or_default();
        match change {
            Change::Unchanged => {}
            Change::Changed | Change::Added | Change::Removed => {
                tracing::info!(name: "flow_reloaded", flow, file, change = change.name(), "a flow was read anew");
            }
            Change::Kept | Change::Refused => {
                let why = why.as_deref().unwrap_or_default();
                let change = change.name();
                tracing::error!(
                    name: "flow_kept", flow, file, change, why,
                    "a flow was read anew and does not check; what was there before holds on"
                );
            }
        }
    }
}
