//! What each address takes and answers.

use axum::http::StatusCode;

use super::{About, Answers, Takes};
use crate::listing;
use crate::problem::{
    BROKEN, BUSY, CANNOT_ACCEPT, CANNOT_ACCEPT_TIME, CANNOT_ADOPT, CLOCK, CROWDED, DEAD, FLOW_REMOVED, KEY_MALFORMED,
    KEY_MISSING, KEY_REUSED, Kind, LEFT_ALONE, MOVED, NEEDS_VALUES, NO_SUCH_DEFINITION, NO_SUCH_FLOW, NO_SUCH_PAGE,
    NO_SUCH_PARTICIPANT, NO_SUCH_SAGA, NOT_A_PLAN, NOT_A_REASON, NOT_AN_ACCEPTANCE, NOT_AN_ACT, NOT_AN_ORDER, NOT_JSON,
    NOT_OFFERED, NOT_SIGNED, NOT_THIS_PLAN, POINTLESS, QUERY, REQUEST_ID_REUSED, STOPPING, STORE, TOO_LATE, WHICH_FLOW,
};

const OK: StatusCode = StatusCode::OK;

pub(crate) const PLACE: &About = &About {
    id: "placeOrder",
    summary: "Takes an order, where the service takes those of one flow.",
    parameters: &["Idempotency-Key", "Prefer"],
    body: Takes::Json("Order"),
    answers: &[
        (StatusCode::ACCEPTED, "It is taken, and on its way.", Answers::Json("Placed")),
        (StatusCode::CREATED, "It is taken, and has ended within the time that was preferred.", Answers::Json("Placed")),
        (OK, "It had been taken before, and has ended.", Answers::Json("Placed")),
    ],
    problems: &[WHICH_FLOW, KEY_MISSING, KEY_MALFORMED, KEY_REUSED, NOT_JSON, NOT_AN_ORDER, STOPPING, CLOCK, STORE, BROKEN],
};

pub(crate) const PLACE_NAMED: &About = &About {
    id: "placeOrderOfFlow",
    summary: "Takes an order of the flow that is named.",
    problems: &[
        NO_SUCH_FLOW,
        FLOW_REMOVED,
        KEY_MISSING,
        KEY_MALFORMED,
        KEY_REUSED,
        NOT_JSON,
        NOT_AN_ORDER,
        STOPPING,
        CLOCK,
        STORE,
        BROKEN,
    ],
    ..*PLACE
};

pub(crate) const FLOWS: &About = &About {
    id: "listFlows",
    summary: "Lists the flows whose orders are taken here.",
    parameters: &[],
    body: Takes::Nothing,
    answers: &[(OK, "The flows.", Answers::Json("Flows"))],
    problems: &[],
};

pub(crate) const RELOAD: &About = &About {
    id: "reloadFlows",
    summary: "Reads every flow anew. What does not check is said, and leaves what was there.",
    parameters: &[],
    body: Takes::Nothing,
    answers: &[(OK, "What came of each.", Answers::Json("Reloaded"))],
    problems: &[NOT_OFFERED],
};

pub(crate) const LIST: &About = &About {
    id: "listSagas",
    summary: "Lists sagas in the order of their placing, a page at a time.",
    parameters: listing::OF_A_LIST,
    body: Takes::Nothing,
    answers: &[(OK, "A page.", Answers::Json("Page"))],
    problems: &[QUERY, NOT_OFFERED, STORE, BROKEN],
};

pub(crate) const SHOW: &About = &About {
    id: "showSaga",
    summary: "Says everything that is known of a saga.",
    parameters: &["Prefer"],
    body: Takes::Nothing,
    answers: &[(OK, "The saga.", Answers::Json("Saga"))],
    problems: &[NO_SUCH_SAGA, STORE, BROKEN],
};

pub(crate) const CANCEL: &About = &About {
    id: "cancelSaga",
    summary: "Asks for neither.",
    parameters: &[],
    body: Takes::MaybeJson("Reason"),
    answers: &[
        (StatusCode::ACCEPTED, "It is being cancelled.", Answers::Json("Placed")),
        (OK, "It is cancelled.", Answers::Json("Placed")),
    ],
    problems: &[NO_SUCH_SAGA, TOO_LATE, LEFT_ALONE, NOT_A_REASON, NOT_OFFERED, STOPPING, CLOCK, STORE, BROKEN],
};

pub(crate) const ACT: &About = &About {
    id: "actOnSaga",
    summary: "A person does something about a saga that cannot go on by itself.",
    parameters: &[],
    body: Takes::Json("Act"),
    answers: &[
        (StatusCode::ACCEPTED, "It is in the journal.", Answers::Json("Placed")),
        (OK, "It was before, by the same request_id.", Answers::Json("Placed")),
    ],
    problems: &[
        NOT_AN_ACT,
        LEFT_ALONE,
        MOVED,
        REQUEST_ID_REUSED,
        POINTLESS,
        NEEDS_VALUES,
        NO_SUCH_SAGA,
        NOT_OFFERED,
        STOPPING,
        CLOCK,
        STORE,
        BROKEN,
    ],
};

pub(crate) const MAKE_PLAN: &About = &About {
    id: "makePlan",
    summary: "Says what would come of an act on each saga of a page, in money, and changes nothing.",
    parameters: &listing::OF_A_PLAN,
    body: Takes::Nothing,
    answers: &[(OK, "A page of a plan.", Answers::Json("MadePlan"))],
    problems: &[QUERY, NOT_OFFERED, STORE, BROKEN],
};

/// What is answered where a page of a plan is not taken, or a saga of it cannot be acted on for now.
const OF_A_PLAN: &[&Kind] = &[NOT_A_PLAN, NOT_THIS_PLAN, NOT_AN_ACT, LEFT_ALONE, NOT_OFFERED, STOPPING, CLOCK, STORE, BROKEN];

pub(crate) const APPLY_PLAN: &About = &About {
    id: "applyPlan",
    summary: "Acts on each saga of a page of a plan that still stands as it stood.",
    parameters: &[],
    body: Takes::Json("AppliesPlan"),
    answers: &[(OK, "What was done about each.", Answers::Json("AppliedPlan"))],
    problems: OF_A_PLAN,
};

pub(crate) const OUTCOME_OF_PLAN: &About = &About {
    id: "outcomeOfPlan",
    summary: "Says what has come so far of a page of a plan that was applied, from the journals.",
    parameters: &[],
    body: Takes::Json("AsksOfPlan"),
    answers: &[(OK, "What has come of it.", Answers::Json("OutcomeOfPlan"))],
    problems: OF_A_PLAN,
};

pub(crate) const DEFINITIONS: &About = &About {
    id: "listDefinitions",
    summary: "Lists the definitions that open orders follow, other than the one at hand.",
    parameters: &[],
    body: Takes::Nothing,
    answers: &[(OK, "The definitions.", Answers::Json("Definitions"))],
    problems: &[NOT_OFFERED, STORE, BROKEN],
};

pub(crate) const CHOOSE: &About = &About {
    id: "chooseDefinition",
    summary: "Lets open orders follow the definition at hand, or go on with their own.",
    parameters: &[],
    body: Takes::Json("Decision"),
    answers: &[(OK, "What comes of it.", Answers::Json("Decided"))],
    problems: &[NOT_A_REASON, NO_SUCH_DEFINITION, CANNOT_ADOPT, NOT_OFFERED, STORE, BROKEN],
};

pub(crate) const PARTICIPANTS: &About = &About {
    id: "listParticipants",
    summary: "Lists the participants, and which life of each one's store counts.",
    parameters: &[],
    body: Takes::Nothing,
    answers: &[(OK, "The participants.", Answers::Json("Participants"))],
    problems: &[NOT_OFFERED, STORE, BROKEN],
};

pub(crate) const ACCEPT: &About = &About {
    id: "acceptParticipant",
    summary: "Lets the life of a participant's store count that it says it is.",
    parameters: &[],
    body: Takes::Json("Accepts"),
    answers: &[(OK, "What is kept of it.", Answers::Json("Acceptance"))],
    problems: &[NO_SUCH_PARTICIPANT, CANNOT_ACCEPT, NOT_AN_ACCEPTANCE, NOT_OFFERED, CLOCK, STORE, BROKEN],
};

pub(crate) const RESTING: &About = &About {
    id: "listResting",
    summary: "Lists the sagas that rest on what a former life of a participant's store had answered.",
    parameters: &["incarnation", "after", "limit"],
    body: Takes::Nothing,
    answers: &[(OK, "A page.", Answers::Json("RestingPage"))],
    problems: &[QUERY, NOT_OFFERED, STORE, BROKEN],
};

pub(crate) const ACCEPT_TIME: &About = &About {
    id: "acceptTime",
    summary: "Lets the present time count in the store, where a clock that was wrong has put it ahead.",
    parameters: &[],
    body: Takes::Json("AcceptsTime"),
    answers: &[(OK, "What is kept of it.", Answers::Json("TimeAcceptance"))],
    problems: &[NOT_A_REASON, CANNOT_ACCEPT_TIME, NOT_OFFERED, STORE, BROKEN],
};

pub(crate) const WEBHOOK: &About = &About {
    id: "receiveWebhook",
    summary: "Takes a signed webhook of a step's participant as a hint.",
    parameters: &[],
    body: Takes::Foreign,
    answers: &[(StatusCode::NO_CONTENT, "It is taken, or there is nothing to do about it.", Answers::Nothing)],
    problems: &[NO_SUCH_PAGE, NOT_OFFERED, NOT_SIGNED, NOT_JSON, BUSY, STOPPING, BROKEN],
};

pub(crate) const WEBHOOK_NAMED: &About = &About {
    id: "receiveWebhookOfFlow",
    summary: "Takes a signed webhook of the participant of a step of the flow that is named, as a hint.",
    ..*WEBHOOK
};

pub(crate) const LIVE: &About = &About {
    id: "live",
    summary: "Says that the process answers, and that everything runs in it that it cannot do without.",
    parameters: &[],
    body: Takes::Nothing,
    answers: &[(OK, "It lives.", Answers::Text)],
    problems: &[DEAD],
};

pub(crate) const READY: &About = &About {
    id: "ready",
    summary: "Says that orders are taken.",
    parameters: &[],
    body: Takes::Nothing,
    answers: &[(OK, "They are.", Answers::Text)],
    problems: &[STOPPING, DEAD, CROWDED, CLOCK, STORE, BROKEN],
};

pub(crate) const VERSION: &About = &About {
    id: "version",
    summary: "Says which version runs, and which flow.",
    parameters: &[],
    body: Takes::Nothing,
    answers: &[(OK, "The version.", Answers::Json("Version"))],
    problems: &[],
};

pub(crate) const STATS: &About = &About {
    id: "stats",
    summary: "Says what the service is at.",
    parameters: &[],
    body: Takes::Nothing,
    answers: &[(OK, "The figures.", Answers::Json("Stats"))],
    problems: &[STORE, BROKEN],
};

pub(crate) const METRICS: &About = &About {
    id: "metrics",
    summary: "Says the same as numbers, for Prometheus.",
    parameters: &[],
    body: Takes::Nothing,
    answers: &[(OK, "The numbers, as text of version 0.0.4.", Answers::Text)],
    problems: &[],
};

pub(crate) const PROBLEM: &About = &About {
    id: "aboutProblem",
    summary: "Says what a kind of problem means.",
    parameters: &[],
    body: Takes::Nothing,
    answers: &[(OK, "Its page.", Answers::Text)],
    problems: &[NO_SUCH_PAGE],
};

pub(crate) const OPENAPI: &About = &About {
    id: "openapi",
    summary: "Says what the addresses take and answer: this document.",
    parameters: &[],
    body: Takes::Nothing,
    answers: &[(OK, "The description.", Answers::Json("Anything"))],
    problems: &[],
};
