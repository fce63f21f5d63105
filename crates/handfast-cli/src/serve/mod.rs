//! The coordinator as a service: orders come in over HTTP, and every one that was acknowledged ends in both or neither.
//!
//! [`request`] reads what is sent within bounds, [`sagas`], [`acts`], [`webhooks`] and [`pages`] answer,
//! [`shapes`] is what an answer looks like and [`problem`] what it looks like when it is not what was asked for.
//! `docs/serve.md` describes all of it for callers.

pub(crate) mod acts;
mod budget;
mod clock;
mod definitions;
mod key;
mod pages;
pub(crate) mod participants;
mod prefer;
mod problem;
mod request;
mod sagas;
mod service;
pub(crate) mod shapes;
mod webhooks;

#[cfg(test)]
mod dead_tests;

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use axum::Router;
use axum::middleware;
use axum::routing::{get, post};
use handfast::{Options, OtherDefinitions};
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::watch;

use self::service::{Receivers, Service};
use crate::commands::{self, flow::ChosenFlow};
use crate::open_files::{Shares, Wanted};
use crate::output::{Exit, Output};
use crate::{connections, signals, state};

/// What the service is to be.
pub(crate) struct Settings {
    pub(crate) flow: ChosenFlow,
    /// Whoever takes the webhooks of its steps.
    pub(crate) webhooks: Receivers,
    /// Where sagas are kept.
    pub(crate) store: String,
    /// What becomes of orders under way that follow another definition.
    pub(crate) definitions: OtherDefinitions,
    /// The longest pause between two tries of one delivery.
    pub(crate) retry_cap: Duration,
    /// How long stopping in good order may take.
    pub(crate) shutdown_timeout: Duration,
    /// How many files the process may have open.
    pub(crate) open_files: u64,
}

/// Serves until a signal asks to stop, then stops in good order.
///
/// # Errors
/// If the store cannot be opened, the system does not let signals be watched, or a part of the service died.
pub(crate) async fn run(listener: TcpListener, settings: Settings, output: &Output) -> anyhow::Result<Exit> {
    let Settings { flow, webhooks, store, definitions, retry_cap, shutdown_timeout, open_files } = settings;
    let address = listener.local_addr().context("cannot tell where it listens")?;
    let stop = signals::on_signal()?;
    let name = flow.file.name().to_owned();
    let mut options = Options::default().with_retry_cap(retry_cap).with_assumptions(flow.file.assumptions());
    let opened = state::open_store(&store)?;
    let wanted = Wanted::by(&flow.flow, &*opened, &options).await?;
    let shares = Shares::of(open_files, wanted);
    shares.bound(&mut options);
    let service = Arc::new(Service::open(flow, webhooks, opened, definitions, options, shares.callers(), stop.clone()).await?);
    output.note(format_args!("handfast serve is listening on http://{address} (flow: {name}, store: {store})"));
    for step in service.webhooks().keys() {
        output.note(format_args!("webhooks of {step} are taken at http://{address}/webhooks/{step}"));
    }
    commands::definitions::say(service.engine(), output).await?;
    if output.wants_json() {
        output.json_line(&json!({ "listening": format!("http://{address}"), "flow": name, "store": store }))?;
    }
    let is_in_order = until_stopped(&service, (listener, shares.callers()), (stop, shutdown_timeout)).await?;
    if !is_in_order {
        output
            .note("stopping took longer than allowed; every order that was acknowledged is in the store, and goes on from there");
    }
    Ok(Exit::Done)
}

/// Answers until it is asked to stop, and says whether it stopped in good order within its time.
///
/// # Errors
/// A part died that the service cannot do without.
async fn until_stopped(
    service: &Arc<Service>,
    (listener, callers): (TcpListener, usize),
    (mut stop, shutdown_timeout): (watch::Receiver<bool>, Duration),
) -> anyhow::Result<bool> {
    let serving = tokio::spawn(connections::serve_router(listener, router(Arc::clone(service)), callers, stop.clone()));
    tokio::select! {
        () = signals::stopped(&mut stop) => {}
        // Nothing that is left of it could be of use to anybody, and whoever watches over it starts it again.
        part = service.died() => anyhow::bail!("{part} has stopped; start the service again: nothing that was acknowledged is lost"),
    }
    let in_order = tokio::time::timeout(shutdown_timeout, async {
        // What panics in a request ends that request's connection, never this task.
        drop(serving.await);
        service.shutdown(shutdown_timeout).await
    });
    Ok(in_order.await.unwrap_or(false))
}

fn router(service: Arc<Service>) -> Router {
    Router::new()
        .route("/sagas", post(sagas::place).get(sagas::list))
        .route("/sagas/{id}", get(sagas::show))
        .route("/sagas/{id}/cancel", post(sagas::cancel))
        .route("/sagas/{id}/acts", post(acts::act))
        .route("/definitions", get(definitions::list))
        .route("/definitions/{hash}", post(definitions::choose))
        .route("/participants", get(participants::list))
        .route("/participants/accept", post(participants::accept))
        .route("/participants/resting", get(participants::resting))
        .route("/clock/accept", post(clock::accept))
        .route("/webhooks/{step}", post(webhooks::receive))
        .route("/livez", get(pages::live))
        .route("/readyz", get(pages::ready))
        .route("/version", get(pages::version))
        .route("/stats", get(pages::stats))
        .route("/problems/{slug}", get(pages::about_problem))
        .fallback(pages::no_such_page)
        .method_not_allowed_fallback(pages::other_method)
        .layer(middleware::from_fn(request::keep_pages_out))
        .with_state(service)
}
