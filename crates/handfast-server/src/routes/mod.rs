//! What the service answers, one module for each kind of thing that is asked about.

pub(crate) mod acts;
mod clock;
mod definitions;
mod flows;
mod pages;
mod participants;
mod plans;
mod sagas;
mod webhooks;

use std::sync::Arc;

use axum::Router;
use axum::middleware;
#[cfg(debug_assertions)]
use axum::response::Response;
use axum::routing::{MethodFilter, MethodRouter, on};

use crate::access::{self, Needs, Scope};
use crate::openapi::{self, About};
#[cfg(debug_assertions)]
use crate::problem::Kind;
use crate::request;
use crate::service::Service;

/// The methods that there are here.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Verb {
    Get,
    Post,
}

impl Verb {
    const fn filter(self) -> MethodFilter {
        match self {
            Self::Get => MethodFilter::GET,
            Self::Post => MethodFilter::POST,
        }
    }

    /// Its name.
    pub(crate) const fn method(self) -> axum::http::Method {
        match self {
            Self::Get => axum::http::Method::GET,
            Self::Post => axum::http::Method::POST,
        }
    }
}

/// One address with one method.
pub(crate) struct Route {
    pub(crate) verb: Verb,
    pub(crate) path: &'static str,
    /// What it asks of its callers.
    pub(crate) needs: Needs,
    /// What it takes and answers.
    pub(crate) about: &'static About,
    handler: fn(MethodFilter) -> MethodRouter<Arc<Service>>,
}

const READS: &[Scope] = &[Scope::Read];
const PLACES: &[Scope] = &[Scope::Place];
/// Who places may take it back, and who decides about money may, too.
const CANCELS: &[Scope] = &[Scope::Place, Scope::Money];
/// Which of the two an act asks for is known once it is read.
const ACTS: &[Scope] = &[Scope::Operate, Scope::Money];
const OPERATES: &[Scope] = &[Scope::Operate];
const DECIDES: &[Scope] = &[Scope::Money];

/// Every address of the service: the one table from which it is routed, guarded and tested.
#[rustfmt::skip]
pub(crate) const ROUTES: &[Route] = &[
    Route { verb: Verb::Post, path: "/sagas", needs: Needs::OfASaga(PLACES), about: openapi::PLACE, handler: |verb| on(verb, sagas::place) },
    Route { verb: Verb::Post, path: "/flows/{flow}/sagas", needs: Needs::OfASaga(PLACES), about: openapi::PLACE_NAMED, handler: |verb| on(verb, sagas::place_named) },
    Route { verb: Verb::Get, path: "/sagas", needs: Needs::OfASaga(READS), about: openapi::LIST, handler: |verb| on(verb, sagas::list) },
    Route { verb: Verb::Get, path: "/sagas/{id}", needs: Needs::OfASaga(READS), about: openapi::SHOW, handler: |verb| on(verb, sagas::show) },
    Route { verb: Verb::Post, path: "/sagas/{id}/cancel", needs: Needs::OfASaga(CANCELS), about: openapi::CANCEL, handler: |verb| on(verb, sagas::cancel) },
    Route { verb: Verb::Post, path: "/sagas/{id}/acts", needs: Needs::OfASaga(ACTS), about: openapi::ACT, handler: |verb| on(verb, acts::act) },
    Route { verb: Verb::Get, path: "/flows", needs: Needs::OfASaga(READS), about: openapi::FLOWS, handler: |verb| on(verb, flows::list) },
    Route { verb: Verb::Post, path: "/flows/reload", needs: Needs::OfAll(OPERATES), about: openapi::RELOAD, handler: |verb| on(verb, flows::reload) },
    Route { verb: Verb::Get, path: "/plans", needs: Needs::OfASaga(READS), about: openapi::MAKE_PLAN, handler: |verb| on(verb, plans::make) },
    Route { verb: Verb::Post, path: "/plans/apply", needs: Needs::OfASaga(ACTS), about: openapi::APPLY_PLAN, handler: |verb| on(verb, plans::apply) },
    Route { verb: Verb::Post, path: "/plans/outcome", needs: Needs::OfASaga(READS), about: openapi::OUTCOME_OF_PLAN, handler: |verb| on(verb, plans::outcome) },
    Route { verb: Verb::Get, path: "/definitions", needs: Needs::OfAll(READS), about: openapi::DEFINITIONS, handler: |verb| on(verb, definitions::list) },
    Route { verb: Verb::Post, path: "/definitions/{hash}", needs: Needs::OfAll(DECIDES), about: openapi::CHOOSE, handler: |verb| on(verb, definitions::choose) },
    Route { verb: Verb::Get, path: "/participants", needs: Needs::OfAll(READS), about: openapi::PARTICIPANTS, handler: |verb| on(verb, participants::list) },
    Route { verb: Verb::Post, path: "/participants/accept", needs: Needs::OfAll(DECIDES), about: openapi::ACCEPT, handler: |verb| on(verb, participants::accept) },
    Route { verb: Verb::Get, path: "/participants/resting", needs: Needs::OfAll(READS), about: openapi::RESTING, handler: |verb| on(verb, participants::resting) },
    Route { verb: Verb::Post, path: "/clock/accept", needs: Needs::OfAll(DECIDES), about: openapi::ACCEPT_TIME, handler: |verb| on(verb, clock::accept) },
    Route { verb: Verb::Post, path: "/webhooks/{step}", needs: Needs::Nothing, about: openapi::WEBHOOK, handler: |verb| on(verb, webhooks::receive) },
    Route { verb: Verb::Post, path: "/flows/{flow}/webhooks/{step}", needs: Needs::Nothing, about: openapi::WEBHOOK_NAMED, handler: |verb| on(verb, webhooks::receive_named) },
    Route { verb: Verb::Get, path: "/livez", needs: Needs::Nothing, about: openapi::LIVE, handler: |verb| on(verb, pages::live) },
    Route { verb: Verb::Get, path: "/readyz", needs: Needs::Nothing, about: openapi::READY, handler: |verb| on(verb, pages::ready) },
    Route { verb: Verb::Get, path: "/version", needs: Needs::OfASaga(READS), about: openapi::VERSION, handler: |verb| on(verb, pages::version) },
    Route { verb: Verb::Get, path: "/stats", needs: Needs::OfAll(READS), about: openapi::STATS, handler: |verb| on(verb, pages::stats) },
    Route { verb: Verb::Get, path: "/metrics", needs: Needs::OfAll(READS), about: openapi::METRICS, handler: |verb| on(verb, pages::metrics) },
    Route { verb: Verb::Get, path: "/openapi.json", needs: Needs::OfASaga(READS), about: openapi::OPENAPI, handler: |verb| on(verb, pages::openapi) },
    Route { verb: Verb::Get, path: "/problems/{slug}", needs: Needs::Nothing, about: openapi::PROBLEM, handler: |verb| on(verb, pages::about_problem) },
];

/// Every address, with what stands before it.
pub(crate) fn router(service: Arc<Service>) -> Router {
    let guarded = |router: Router<Arc<Service>>, route: &'static Route| {
        let guard = middleware::from_fn_with_state((Arc::clone(&service), route.needs), access::admit);
        let methods = (route.handler)(route.verb.filter()).route_layer(guard);
        // A test, from inside or outside, meets an answer that its route does not describe.
        #[cfg(debug_assertions)]
        let methods = methods.route_layer(middleware::map_response(move |response| described(route, response)));
        router.route(route.path, methods)
    };
    ROUTES
        .iter()
        .fold(Router::new(), guarded)
        .fallback(pages::no_such_page)
        .method_not_allowed_fallback(pages::other_method)
        .layer(middleware::from_fn_with_state(Arc::clone(&service), request::keep_pages_out))
        .with_state(service)
}

/// The answer, which breaks off where the description of its route does not have it.
#[cfg(debug_assertions)]
async fn described(route: &'static Route, response: Response) -> Response {
    let (status, kind) = (response.status(), response.extensions().get::<&'static Kind>().copied());
    let is_described = match kind {
        Some(kind) => route.about.all_problems(route.needs).contains(&kind),
        None => route.about.answers.iter().any(|(described, ..)| *described == status),
    };
    assert!(is_described, "{} answers {status} {kind:?}, which its description does not have", route.about.id);
    response
}
