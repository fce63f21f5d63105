//! What the saga of this world does, and what its participants promise.

use handfast_protocol::{Doubt, Kind, StepPlan};

/// What the saga does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Plan {
    /// A payment, then a dispatch, both with a deadline, at participants that speak the contract.
    PaymentThenDispatch,
    /// The same with a payment whose key cannot be closed: it is asked again until a last time.
    RepeatedPayment,
    /// The same with a payment that is sent once, then looked at.
    PaymentSentOnce,
    /// The same with a dispatch that is sent once, then looked at.
    DispatchSentOnce,
    /// The same with a payment that may be undone by one request only.
    UndoLeavesOnce,
    /// A dispatch, then a notice that cannot refuse.
    DispatchThenNotice,
    /// Two payments that can both be undone, and no dispatch.
    TwoPayments,
    /// Two payments in turn, then a dispatch.
    TwoPaymentsThenDispatch,
}

impl Plan {
    /// What its steps are called.
    pub(super) const fn names(self) -> &'static [&'static str] {
        match self {
            Self::PaymentThenDispatch
            | Self::RepeatedPayment
            | Self::PaymentSentOnce
            | Self::DispatchSentOnce
            | Self::UndoLeavesOnce => &["payment", "dispatch"],
            Self::DispatchThenNotice => &["dispatch", "notice"],
            Self::TwoPayments => &["payment", "credit"],
            Self::TwoPaymentsThenDispatch => &["payment", "credit", "dispatch"],
        }
    }

    /// It in words, where it is not the plain one.
    pub(super) const fn in_words(self) -> Option<&'static str> {
        match self {
            Self::PaymentThenDispatch => None,
            Self::RepeatedPayment => Some("payment cannot be closed"),
            Self::PaymentSentOnce => Some("payment leaves once"),
            Self::DispatchSentOnce => Some("dispatch leaves once"),
            Self::UndoLeavesOnce => Some("payment's undo leaves once"),
            Self::DispatchThenNotice => Some("dispatch, then a notice"),
            Self::TwoPayments => Some("two payments"),
            Self::TwoPaymentsThenDispatch => Some("two payments, then a dispatch"),
        }
    }

    /// The same as the coordinator knows it. Everything that is due after a time may be due at any moment.
    pub(super) fn of_the_protocol(self, deadline_ms: Option<u64>) -> handfast_protocol::Plan {
        let step = |kind| StepPlan::new(kind).deadline(deadline_ms);
        let payment = step(Kind::Compensatable);
        let dispatch = step(Kind::Pivot);
        let repeats = Doubt::Repeats { last_send_ms: Some(0) };
        let looks = Doubt::Looks { horizon_ms: Some(0) };
        let steps = match self {
            Self::PaymentThenDispatch => vec![payment, dispatch],
            Self::RepeatedPayment => vec![StepPlan { doubt: repeats, ..payment }, dispatch],
            Self::PaymentSentOnce => vec![StepPlan { doubt: looks, ..payment }, dispatch],
            Self::DispatchSentOnce => vec![payment, StepPlan { doubt: looks, ..dispatch }],
            Self::UndoLeavesOnce => {
                vec![StepPlan { undo_once_ms: Some(0), undo_again_ms: Some(0), ..payment }, dispatch]
            }
            Self::DispatchThenNotice => vec![dispatch, StepPlan::new(Kind::Retriable)],
            Self::TwoPayments => vec![payment, payment],
            Self::TwoPaymentsThenDispatch => vec![payment, payment, dispatch],
        };
        handfast_protocol::Plan::new(steps).expect("the steps are in sound order").at_any_moment()
    }
}
