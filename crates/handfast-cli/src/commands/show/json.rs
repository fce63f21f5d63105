//! The saga as data: the shape that the service answers with, and what the roads' logs say beside it.

use handfast_server::shapes::saga::WholeSaga;
use handfast_testkit::messenger;
use serde::Serialize;

use super::story::Told;

#[derive(Debug, Serialize)]
pub(super) struct Shown<'a> {
    #[serde(flatten)]
    saga: WholeSaga,
    /// The lines of the roads' logs that are about this saga.
    messengers: Vec<&'a messenger::RoadLine>,
}

impl<'a> Shown<'a> {
    pub(super) fn new(told: &'a Told) -> Self {
        let messengers = told.messengers.iter().map(|messenger| &messenger.line).collect();
        Self { saga: WholeSaga::of(&told.story.view), messengers }
    }
}
