//! What leaves at most once: it is marked before it leaves, and only while the coordinator knows all that it has to know.

use std::ops::ControlFlow;

use handfast_protocol::{Command, Operation, UndoTold};

use super::Driver;
use crate::delivery::Slot;
use crate::engine::lives::Hold;
use crate::journal::{Line as JournalLine, Receipt};

impl Driver<'_> {
    /// Marks an act or an undo that leaves at most once as sent, and lets it leave if this driver has marked it, and no other
    /// one before: a crash in between, or an append whose own answer is lost, leaves it unsent, and it is looked for instead.
    pub(super) async fn send_once(&mut self, command: Command, number: u64, slot: Slot) -> ControlFlow<()> {
        if !self.saga.outbox().contains(&command) || !self.may_leave_once() || self.hold(command).await != Hold::None {
            return ControlFlow::Continue(());
        }
        let was_marked_here = self.tell(&mark_of(command), None).await?;
        // A slow store may have kept the mark until its time was over. It counts as sent then, and is looked for.
        if was_marked_here && self.may_leave_once() {
            self.calls.launch_once(&self.saga, command, number, slot, self.setting());
        }
        ControlFlow::Continue(())
    }

    /// Whether the coordinator knows everything that it has to be told before something leaves for the only time: that a time has
    /// come, that a step has moved, or that what its participant had answered is forgotten. What has not left by then is not
    /// marked, and does not leave.
    pub(super) fn may_leave_once(&self) -> bool {
        !self.is_due() && self.saga.owed().is_none()
    }
}

/// What marks a command that leaves at most once as sent.
fn mark_of(command: Command) -> JournalLine {
    match command.operation {
        Operation::Undo => JournalLine::Undo { step: command.step, told: UndoTold::Sent, receipt: Receipt::default() },
        Operation::Act | Operation::Look | Operation::Close => JournalLine::Sent { step: command.step },
    }
}

/// Whether it is such a mark.
pub(super) const fn is_mark(line: &JournalLine) -> bool {
    matches!(line, JournalLine::Sent { .. } | JournalLine::Undo { told: UndoTold::Sent, .. })
}
