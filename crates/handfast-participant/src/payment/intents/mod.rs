//! Payment intents, as the APIs of large payment services have them: created unconfirmed, then confirmed, captured, cancelled
//! and refunded by id. The same ledger and the same books stand behind them.
//!
//! ```text
//!   create --> requires_confirmation --confirm--> requires_capture --capture--> succeeded --> refund
//!                  |          \--declined--> requires_payment_method   | (manual)    ^
//!                  \--cancel--> canceled <--cancel--/------cancel------/             \--confirm (automatic)
//! ```
//!
//! `Idempotency-Key` is ignored, as some compatible services do: a caller that is safe here takes safety from the states. What is
//! asked for in another state is answered with 400 and the intent as it stands, nested in the error.

mod form;
mod moves;
mod state;

use axum::Json;
use axum::Router;
use axum::body::Body as HttpBody;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use handfast_protocol::Definite;
use serde_json::{Value, json};
use uuid::Uuid;

use self::form::Form;
pub(super) use self::moves::{Move, carry_out, is_lasting};
use self::state::{Intent, Status};
use crate::body::Body;
use crate::clock::{Clock, system_clock};
use crate::http::problem_of;
use crate::key::Key;
use crate::receipt::Reply;
use crate::registers::{NotDefinite, Registers, Request};

/// Where payment intents are.
pub const INTENTS_PATH: &str = "/v1/payment_intents";
/// Where their refunds are.
pub const REFUNDS_PATH: &str = "/v1/refunds";

#[derive(Clone)]
struct Face {
    registers: Registers,
    clock: Clock,
}

/// What is not answered with the thing that was asked for.
enum Declined {
    /// 400 with a code; the intent is nested where there is one.
    Request(&'static str, String, Option<Box<Intent>>),
    /// 402: the card was declined.
    Card(String, Box<Intent>),
    /// 404.
    Missing,
    /// The store did not say.
    Store(NotDefinite),
}

impl From<NotDefinite> for Declined {
    fn from(error: NotDefinite) -> Self {
        Self::Store(error)
    }
}

/// The routes.
pub(super) fn router(registers: &Registers) -> Router {
    let face = Face { registers: registers.clone(), clock: system_clock() };
    Router::new()
        .route(INTENTS_PATH, post(async |State(face): State<Face>, body: HttpBody| answer(face.create(body).await)))
        .route(
            "/v1/payment_intents/{id}",
            get(async |State(face): State<Face>, Path(id): Path<String>| answer(face.show(&id).await)),
        )
        .route(
            "/v1/payment_intents/{id}/confirm",
            post(async |State(face): State<Face>, Path(id): Path<String>| answer(face.confirm(&id).await)),
        )
        .route(
            "/v1/payment_intents/{id}/capture",
            post(async |State(face): State<Face>, Path(id): Path<String>| answer(face.capture(&id).await)),
        )
        .route(
            "/v1/payment_intents/{id}/cancel",
            post(async |State(face): State<Face>, Path(id): Path<String>| answer(face.cancel(&id).await)),
        )
        .route(REFUNDS_PATH, post(async |State(face): State<Face>, body: HttpBody| answer(face.refund(body).await)))
        .route(
            "/v1/refunds/{id}",
            get(async |State(face): State<Face>, Path(id): Path<String>| answer(face.show_refund(&id).await)),
        )
        .with_state(face)
}

fn answer(found: Result<Value, Declined>) -> Response {
    let error = |status, kind: &str, code: &str, message: String, intent: Option<&Intent>| {
        let mut error = json!({ "type": kind, "code": code, "message": message });
        if let Some(intent) = intent {
            error["payment_intent"] = intent.to_json();
        }
        (status, Json(json!({ "error": error }))).into_response()
    };
    match found {
        Ok(body) => Json(body).into_response(),
        Err(Declined::Request(code, message, intent)) => {
            error(StatusCode::BAD_REQUEST, "invalid_request_error", code, message, intent.as_deref())
        }
        Err(Declined::Card(code, intent)) => {
            error(StatusCode::PAYMENT_REQUIRED, "card_error", &code, "the card was declined".to_owned(), Some(&intent))
        }
        Err(Declined::Missing) => {
            error(StatusCode::NOT_FOUND, "invalid_request_error", "resource_missing", "there is no such object".to_owned(), None)
        }
        Err(Declined::Store(error)) => problem_of(error),
    }
}

fn unexpected(intent: Intent) -> Declined {
    let message = format!("this is not for an intent whose status is {}", intent.status.name());
    Declined::Request("payment_intent_unexpected_state", message, Some(Box::new(intent)))
}

impl Face {
    /// Creates an intent, each time another one: to create one more than is confirmed does no harm.
    async fn create(&self, body: HttpBody) -> Result<Value, Declined> {
        let form = Form::read(body).await?;
        form.only(&["amount", "currency", "payment_method", "capture_method", "description"])?;
        let order = form.order()?;
        let manual = match form.text("capture_method") {
            None | Some("automatic") => false,
            Some("manual") => true,
            Some(_) => return Err(form.wrong("capture_method", "automatic or manual")),
        };
        let id = format!("pi_{}", Uuid::now_v7().simple());
        let create = Move::Create {
            id: id.clone(),
            minor: order.minor,
            currency: order.currency.to_owned(),
            token: order.token.to_owned(),
            manual,
            reference: form.text("metadata[order]").map(str::to_owned),
        };
        self.carry_out(&create).await?;
        Ok(self.intent(&id).await?.to_json())
    }

    async fn show(&self, id: &str) -> Result<Value, Declined> {
        Ok(self.intent(id).await?.to_json())
    }

    async fn confirm(&self, id: &str) -> Result<Value, Declined> {
        let intent = self.intent(id).await?;
        if intent.status != Status::RequiresConfirmation {
            return Err(unexpected(intent));
        }
        let reply = self.carry_out(&Move::Confirm { id: intent.id }).await?;
        let intent = self.intent(id).await?;
        match reply {
            Definite::Done => Ok(intent.to_json()),
            Definite::Refused => Err(Declined::Card(intent.decline.clone().unwrap_or_default(), Box::new(intent))),
            Definite::Closed | Definite::Undone => Err(unexpected(intent)),
        }
    }

    async fn capture(&self, id: &str) -> Result<Value, Declined> {
        let intent = self.intent(id).await?;
        if intent.status != Status::RequiresCapture {
            return Err(unexpected(intent));
        }
        self.carry_out(&Move::Capture { id: intent.id }).await?;
        let intent = self.intent(id).await?;
        if intent.status == Status::Succeeded { Ok(intent.to_json()) } else { Err(unexpected(intent)) }
    }

    /// Cancels it, for good: whatever comes later about it, a confirmation too, changes nothing.
    async fn cancel(&self, id: &str) -> Result<Value, Declined> {
        let intent = self.intent(id).await?;
        if matches!(intent.status, Status::Canceled | Status::Succeeded) {
            return Err(unexpected(intent));
        }
        let key = key_of(id)?;
        let reply = self.registers.receive(key, Request::Undo { body: None }, None).await?;
        // What was declined is refused for good; that it was given up is written down beside it.
        if state_of(&reply) == Some(Definite::Refused) {
            self.carry_out(&Move::GiveUp { id: id.to_owned() }).await?;
        }
        let intent = self.intent(id).await?;
        if intent.status == Status::Canceled { Ok(intent.to_json()) } else { Err(unexpected(intent)) }
    }

    async fn refund(&self, body: HttpBody) -> Result<Value, Declined> {
        let form = Form::read(body).await?;
        form.only(&["payment_intent"])?;
        let id = form.text("payment_intent").ok_or_else(|| form.wrong("payment_intent", "the id of an intent"))?;
        let intent = self.intent(id).await?;
        if intent.refund.is_some() {
            return Err(Declined::Request(
                "charge_already_refunded",
                "it was refunded before".to_owned(),
                Some(Box::new(intent)),
            ));
        }
        if intent.status != Status::Succeeded {
            return Err(unexpected(intent));
        }
        self.carry_out(&Move::Refund { id: intent.id }).await?;
        self.intent(id).await?.refund_to_json().ok_or(Declined::Missing)
    }

    async fn show_refund(&self, refund: &str) -> Result<Value, Declined> {
        let id = refund.strip_prefix("re_").map(|rest| format!("pi_{rest}")).ok_or(Declined::Missing)?;
        let intent = self.intent(&id).await?;
        if intent.is_refund_due((self.clock)()) {
            self.carry_out(&Move::Settle { id: intent.id }).await?;
        }
        self.intent(&id).await?.refund_to_json().ok_or(Declined::Missing)
    }

    async fn intent(&self, id: &str) -> Result<Intent, Declined> {
        let id = id.to_owned();
        self.registers.read(move |snapshot| Ok(Intent::read(snapshot, &id)?)).await?.ok_or(Declined::Missing)
    }

    /// One move, in one transaction with its register. Says how that stands then.
    async fn carry_out(&self, what: &Move) -> Result<Definite, Declined> {
        let bytes = json!({ "intent": what }).to_string();
        let body = Body::parse(bytes.as_bytes()).map_err(|error| NotDefinite::Effect(error.to_string()))?;
        let request = Request::Own { body };
        let reply = self.registers.receive(key_of(&what.key())?, request, None).await?;
        state_of(&reply).ok_or_else(|| Declined::Store(NotDefinite::Effect("the register says nothing".to_owned())))
    }
}

fn key_of(text: &str) -> Result<Key, Declined> {
    text.parse().map_err(|_| Declined::Missing)
}

fn state_of(reply: &Reply) -> Option<Definite> {
    match reply {
        Reply::State(receipt) | Reply::OtherBody(receipt) => Some(receipt.state),
        Reply::Absent(_) | Reply::Behind(_) => None,
    }
}
