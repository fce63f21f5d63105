//! Opening a service, running it, and stopping it in good order.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use handfast::store::{Store, StoreError};
use handfast::{Engine, OpenError, Options, OtherDefinitions};
use handfast_http::connections::{self, Door};
use handfast_http::stop::stopped;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::access::{Access, Callers};
use crate::coordinator::Coordinator;
use crate::flows::{FlowSources, Flows, Reloaded, ServedFlow};
use crate::open_files::{Shares, Wanted};
use crate::routes;
use crate::service::Service;

/// What a service is to be.
#[non_exhaustive]
pub struct Settings {
    /// The flows whose orders it takes.
    pub flows: Flows,
    /// Where they are read anew while it runs; without it they stay as they are.
    pub sources: Option<FlowSources>,
    /// Where sagas are kept.
    pub store: Arc<dyn Store>,
    /// What becomes of orders under way that follow another definition.
    pub definitions: OtherDefinitions,
    /// Limits and waiting times. What the open files do not allow is lowered.
    pub options: Options,
    /// Who may call.
    pub access: Access,
    /// How many files the process may have open.
    pub open_files: u64,
}

impl Settings {
    /// A service of these flows on this store, which holds back what they do not name the addresses of, lets everybody call who
    /// reaches it, and counts on as many open files as a process mostly gets (1,024).
    #[must_use]
    pub fn new(flows: impl Into<Flows>, store: Arc<dyn Store>) -> Self {
        let flows = flows.into();
        let (options, definitions) = (Options::default().with_assumptions(&flows.assumptions()), OtherDefinitions::default());
        Self { flows, sources: None, store, definitions, options, access: Access::default(), open_files: 1_024 }
    }
}

/// Why there is no service, or none any more.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// The store does not say what it holds.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The engine does not open.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// A part has stopped that the service cannot do without. The process's supervisor has to start it again.
    #[error("{part} has stopped; start the service again: nothing that was acknowledged is lost")]
    Died {
        /// Which one.
        part: &'static str,
    },
}

/// Reads the flows of a service anew. Everything that comes of it is in the log, too.
pub struct Reloader(Arc<Service>);

impl Reloader {
    /// Reads them, and says what came of each; `None` where the service does not know where they stand.
    pub async fn reload(&self) -> Option<Reloaded> {
        self.0.reload().await
    }
}

/// A service that is open: every saga that has not ended goes on.
pub struct Server {
    pub(crate) service: Arc<Service>,
    /// How many callers may be connected at a time.
    callers: usize,
    /// For how long it takes connections and orders once it is told to stop, while it says that it is not ready.
    drains_for: Duration,
    stop: watch::Receiver<bool>,
}

impl Server {
    /// Opens the store, in which every unfinished saga goes on at once. The service stops when `stop` says true.
    ///
    /// # Errors
    /// The store cannot be read, or the file belongs to another program.
    pub async fn open(settings: Settings, stop: watch::Receiver<bool>) -> Result<Self, ServeError> {
        let Settings { flows, sources, store, definitions, mut options, access, open_files } = settings;
        let wanted = Wanted::by(flows.iter().map(|served| &**served.flow()), &*store, &options).await?;
        let shares = Shares::of(open_files, wanted);
        shares.bound(&mut options);
        let clock_error = options.clock_error;
        let engine = Engine::builder(store).options(options).other_definitions(definitions);
        let engine = flows.iter().fold(engine, |engine, served| engine.flow(Arc::clone(served.flow()))).open().await?;
        let service = Service::over(Arc::new(engine), flows, Callers { access, most: shares.callers() }, stop.clone());
        let service = service.reading_anew(sources, clock_error);
        Ok(Self::of(Arc::new(service), shares.callers(), stop))
    }

    /// A service of a coordinator that is open and has these flows, for these callers.
    #[must_use]
    pub fn over(
        coordinator: Arc<dyn Coordinator>,
        flows: impl Into<Flows>,
        callers: Callers,
        stop: watch::Receiver<bool>,
    ) -> Self {
        let most = callers.most;
        let service = Service::over(coordinator, flows.into(), callers, stop.clone());
        Self::of(Arc::new(service), most, stop)
    }

    pub(crate) const fn of(service: Arc<Service>, callers: usize, stop: watch::Receiver<bool>) -> Self {
        Self { service, callers, drains_for: Duration::ZERO, stop }
    }

    /// The same, that says so much earlier that it is not ready than it stops taking connections and orders: what spreads requests
    /// over several services has to notice first.
    #[must_use]
    pub const fn draining_for(mut self, time: Duration) -> Self {
        self.drains_for = time;
        self
    }

    /// What runs its sagas.
    #[must_use]
    pub fn coordinator(&self) -> &dyn Coordinator {
        self.service.coordinator()
    }

    /// The addresses at which it takes webhooks, each with its flow and its step.
    #[must_use]
    pub fn webhook_addresses(&self) -> Vec<(String, String, String)> {
        let flows = self.service.flows();
        let is_only = flows.only().is_some();
        let address = |flow: &ServedFlow, step: &str| match is_only {
            true => format!("/webhooks/{step}"),
            false => format!("/flows/{}/webhooks/{step}", flow.name()),
        };
        let of_one = |flow: &Arc<ServedFlow>| {
            let steps = flow.webhooks().keys();
            steps.map(|step| (flow.name().to_owned(), step.clone(), address(flow, step))).collect::<Vec<_>>()
        };
        flows.iter().flat_map(of_one).collect()
    }

    /// Reads its flows anew, when it is asked to by something else than a request.
    #[must_use]
    pub fn reloader(&self) -> Reloader {
        Reloader(Arc::clone(&self.service))
    }

    /// Every address of it, to be a part of another service.
    pub fn router(&self) -> Router {
        routes::router(Arc::clone(&self.service))
    }

    /// Answers at `door` until it is told to stop, and says whether it stopped in good order within `shutdown_timeout`. If
    /// it did not, every order that was acknowledged is in the store all the same.
    ///
    /// # Errors
    /// A part died that the service cannot do without.
    pub async fn serve(mut self, door: impl Into<Door>, shutdown_timeout: Duration) -> Result<bool, ServeError> {
        // What takes connections ends with this future, however that ends.
        let mut serving = JoinSet::new();
        let (shut, is_shut) = watch::channel(false);
        serving.spawn(connections::serve_router(door.into(), self.router(), self.callers, is_shut));
        let drained = async {
            stopped(&mut self.stop).await;
            tokio::time::sleep(self.drains_for).await;
        };
        tokio::select! {
            () = drained => {}
            // Nothing that is left of it could be of use to anybody.
            part = self.service.died() => {
                serving.shutdown().await;
                return Err(ServeError::Died { part });
            }
        }
        shut.send_replace(true);
        let in_order = tokio::time::timeout(shutdown_timeout, async {
            // What panics in a request ends that request's connection, never this task.
            drop(serving.join_next().await);
            self.service.shutdown(shutdown_timeout).await
        });
        Ok(in_order.await.unwrap_or(false))
    }
}
