//! How far an order of steps has come, as types: an unsound order does not compile.
//!
//! A [`Stage`] is a value of no size whose methods are the rules of [`Plan`](crate::Plan). It carries two types. The first is
//! its *course*, which says what may come next, and the second is its *last step*, which says what may be said of it:
//!
//! | course | reached by | what may come next |
//! | --- | --- | --- |
//! | [`BeforePivot`] | the beginning, `compensatable` | everything |
//! | [`AfterPivot`] | `pivot` | `retriable` |
//! | [`AfterRetriable`] | `retriable` without a pivot before it | `retriable` |
//! | [`AnyOrder`] | `in_any_order` | everything; the plan is looked at when it is made |
//!
//! The step in which the saga is decided, the *gate*, is the pivot, or in a flow without one the first retriable step. It
//! runs alone, and no deadline can be kept after it.
//!
//! | last step | `deadline` | `beside` |
//! | --- | --- | --- |
//! | [`NoStep`] | | |
//! | [`FirstStep`] | yes | |
//! | [`LaterStep`] | yes | yes |
//! | [`Gate`] | yes | |
//! | [`NextToGate`] | | |
//! | [`AfterGate`] | | yes |
//! | [`AnyStep`] | yes | yes |
//!
//! ```
//! # use handfast_protocol::stage::Stage;
//! let order = Stage::start().compensatable().compensatable().beside().deadline().pivot().deadline().retriable();
//! order.end();
//! ```
//!
//! The traits are the rules, one each, and their messages say why. What they forbid:
//!
//! ```compile_fail
//! # use handfast_protocol::stage::Stage;
//! // What cannot be undone has already happened when the payment is declined.
//! Stage::start().pivot().compensatable();
//! ```
//!
//! ```compile_fail
//! # use handfast_protocol::stage::Stage;
//! // Nobody takes back what is retriable when the pivot refuses.
//! Stage::start().retriable().pivot();
//! ```
//!
//! ```compile_fail
//! # use handfast_protocol::stage::Stage;
//! // Two generals.
//! Stage::start().pivot().pivot();
//! ```
//!
//! ```compile_fail
//! # use handfast_protocol::stage::Stage;
//! // A deadline turns back, and there is no way back any more.
//! Stage::start().pivot().retriable().deadline();
//! ```
//!
//! ```compile_fail
//! # use handfast_protocol::stage::Stage;
//! // The step in which the saga is decided runs alone.
//! Stage::start().compensatable().pivot().beside();
//! ```

use core::marker::PhantomData;

use sealed::Sealed;

mod sealed {
    /// What nobody outside can name, nobody outside can implement.
    pub trait Sealed: Copy {}
}

/// How far an order of steps has come: `C` is its course, and `L` its last step.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stage<C = BeforePivot, L = NoStep>(PhantomData<(C, L)>);

impl Stage {
    /// The beginning.
    #[must_use]
    pub const fn start() -> Self {
        Self(PhantomData)
    }
}

impl<C: Course, L: Last> Stage<C, L> {
    /// After a step that may refuse and can be undone.
    #[must_use]
    pub const fn compensatable(self) -> Stage<C, L::ThenCompensatable>
    where
        C: NothingDecided + NothingRetriable,
    {
        Stage(PhantomData)
    }

    /// After the step that may refuse and cannot be undone.
    #[must_use]
    pub const fn pivot(self) -> Stage<C::ThenPivot, L::ThenPivot>
    where
        C: NoPivot + NothingRetriable,
    {
        Stage(PhantomData)
    }

    /// After a step that cannot refuse.
    #[must_use]
    pub const fn retriable(self) -> Stage<C::ThenRetriable, L::ThenRetriable> {
        Stage(PhantomData)
    }

    /// From here on nothing is known of the order before the plan is made.
    #[must_use]
    pub const fn in_any_order(self) -> Stage<AnyOrder, AnyStep> {
        Stage(PhantomData)
    }

    /// Something is said of the last step.
    #[must_use]
    pub const fn said(self) -> Self
    where
        L: HasStep,
    {
        self
    }

    /// The last step has a deadline.
    #[must_use]
    pub const fn deadline(self) -> Self
    where
        L: HasStep + MayTurnBack,
    {
        self
    }

    /// The last step runs side by side with the one before it.
    #[must_use]
    pub const fn beside(self) -> Self
    where
        L: HasStep + HasNeighbour + RunsInCompany,
    {
        self
    }

    /// Something is said of how the last step is undone.
    #[must_use]
    pub const fn undone(self) -> Self
    where
        L: HasStep + CanBeUndone,
    {
        self
    }

    /// The order is complete.
    pub const fn end(self)
    where
        L: HasStep,
    {
    }
}

/// What may come next in a flow.
pub trait Course: Sealed {
    /// The course after a pivot.
    type ThenPivot: Course;
    /// The course after a retriable step.
    type ThenRetriable: Course;
}

/// What was added last to a flow.
pub trait Last: Sealed {
    /// The last step after a compensatable one was added.
    type ThenCompensatable: Last;
    /// The last step after a pivot was added.
    type ThenPivot: Last;
    /// The last step after a retriable one was added.
    type ThenRetriable: Last;
}

/// A step that may refuse can be added, since nothing before it is a pivot.
#[diagnostic::on_unimplemented(
    message = "a step that may refuse cannot come after the pivot: what cannot be undone has already happened",
    label = "when this step refuses, the pivot before it is done and stays done",
    note = "put the step before the pivot, or make it `.retriable(..)` if it cannot refuse"
)]
pub trait NothingDecided: Course {}

/// A step that may refuse can be added, since nothing before it is retriable.
#[diagnostic::on_unimplemented(
    message = "a step that may refuse cannot come after a retriable one, which nobody takes back when it does",
    label = "when this step refuses, the retriable step before it is done and stays done",
    note = "put the step before the retriable one, or make that one `.compensatable(..)` if it can be undone"
)]
pub trait NothingRetriable: Course {}

/// A pivot can be added, since there is none.
#[diagnostic::on_unimplemented(
    message = "a flow cannot have two pivots: this is the two generals' problem, and no protocol exists",
    label = "this step may refuse and cannot be undone, and so does the pivot before it",
    note = "make one of the two `.compensatable(..)`, if it can be undone, or `.retriable(..)`, if it cannot refuse",
    note = "a flow that has to live with it says `.in_any_order()` and `.accept_risk(\"two-pivots\")`"
)]
pub trait NoPivot: Course {}

/// Something can be said of the last step, since there is one.
#[diagnostic::on_unimplemented(
    message = "there is no step yet",
    label = "this needs a step to speak of",
    note = "add a step first: `.compensatable(..)`, `.pivot(..)` or `.retriable(..)`"
)]
pub trait HasStep: Last {}

/// The last step can have a deadline, since the saga may still turn back.
#[diagnostic::on_unimplemented(
    message = "no deadline can be kept after the step that decides the saga: there is no way back any more",
    label = "this step is repeated until it is done, however long that takes",
    note = "remove the deadline, or set it on the pivot or on a step before it"
)]
pub trait MayTurnBack: Last {}

/// The last step has a neighbour beside which it may run.
#[diagnostic::on_unimplemented(
    message = "the first step of a flow has nothing to run beside",
    label = "`beside` runs a step side by side with the one before it",
    note = "say `.beside()` of the step after it"
)]
pub trait HasNeighbour: Last {}

/// Neither the last step nor its neighbour is the one that decides the saga.
#[diagnostic::on_unimplemented(
    message = "the step that decides the saga runs alone: nothing runs beside the pivot, or beside the first retriable step of \
               a flow without one",
    label = "beside it, a step could be done before it is known whether anything may be",
    note = "remove `.beside()`; compensatable steps can run side by side before it, and retriable ones after the first"
)]
pub trait RunsInCompany: Last {}

/// The last step can be undone.
#[diagnostic::on_unimplemented(
    message = "only a compensatable step is undone, and only what it did can lapse",
    label = "the step before this is a pivot or retriable: what it did stays",
    note = "say this of a `.compensatable(..)` step"
)]
pub trait CanBeUndone: Last {}

/// Declares a type of this module, and which rules it obeys.
macro_rules! stages {
    ($($(#[$doc:meta])* $stage:ident: $($rule:ident),*;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub enum $stage {}
        impl Sealed for $stage {}
        // The compiler would list in its message all who obey the rule, which explains nothing.
        $(#[diagnostic::do_not_recommend] impl $rule for $stage {})*
    )*};
}

stages! {
    /// No step so far, or compensatable ones only.
    BeforePivot: NothingDecided, NothingRetriable, NoPivot;
    /// The pivot has been added.
    AfterPivot: NothingRetriable;
    /// There are retriable steps and no pivot.
    AfterRetriable: NothingDecided, NoPivot;
    /// Any step may come next, and [`Plan::new`](crate::Plan::new) looks at the order.
    AnyOrder: NothingDecided, NothingRetriable, NoPivot;

    /// There is no step yet.
    NoStep: MayTurnBack, HasNeighbour, RunsInCompany, CanBeUndone;
    /// The first step, which is compensatable.
    FirstStep: HasStep, MayTurnBack, RunsInCompany, CanBeUndone;
    /// A compensatable step after the first.
    LaterStep: HasStep, MayTurnBack, HasNeighbour, RunsInCompany, CanBeUndone;
    /// The step in which the saga is decided.
    Gate: HasStep, MayTurnBack, HasNeighbour;
    /// The retriable step after the gate.
    NextToGate: HasStep, HasNeighbour;
    /// A retriable step after that.
    AfterGate: HasStep, HasNeighbour, RunsInCompany;
    /// Some step, of which [`Plan::new`](crate::Plan::new) knows more.
    AnyStep: HasStep, MayTurnBack, HasNeighbour, RunsInCompany, CanBeUndone;
}

impl Course for BeforePivot {
    type ThenPivot = AfterPivot;
    type ThenRetriable = AfterRetriable;
}

impl Course for AfterPivot {
    type ThenPivot = Self;
    type ThenRetriable = Self;
}

impl Course for AfterRetriable {
    type ThenPivot = Self;
    type ThenRetriable = Self;
}

impl Course for AnyOrder {
    type ThenPivot = Self;
    type ThenRetriable = Self;
}

impl Last for NoStep {
    type ThenCompensatable = FirstStep;
    type ThenPivot = Gate;
    type ThenRetriable = Gate;
}

impl Last for FirstStep {
    type ThenCompensatable = LaterStep;
    type ThenPivot = Gate;
    type ThenRetriable = Gate;
}

impl Last for LaterStep {
    type ThenCompensatable = Self;
    type ThenPivot = Gate;
    type ThenRetriable = Gate;
}

impl Last for Gate {
    type ThenCompensatable = Self;
    type ThenPivot = Self;
    type ThenRetriable = NextToGate;
}

impl Last for NextToGate {
    type ThenCompensatable = Self;
    type ThenPivot = Self;
    type ThenRetriable = AfterGate;
}

impl Last for AfterGate {
    type ThenCompensatable = Self;
    type ThenPivot = Self;
    type ThenRetriable = Self;
}

impl Last for AnyStep {
    type ThenCompensatable = Self;
    type ThenPivot = Self;
    type ThenRetriable = Self;
}
