//! A store that fails or crashes at exactly the write one names, so that tests can do it at every write in turn.

use std::sync::Mutex;
use std::time::Duration;

use super::{BoxFuture, Store, StoreError, Unanswered};
use handfast_machine::locked;

/// Wraps any store. Writes are counted from 1 in the order in which they are asked for; tries, clocks and what is at hand
/// are not counted, since no saga waits for them.
#[derive(Debug)]
pub struct FlakyStore<S> {
    inner: S,
    fate: Mutex<Fate>,
}

#[derive(Debug, Default)]
struct Fate {
    writes: u64,
    planned: Option<Planned>,
    crashed: bool,
    /// A part of it has stopped for good.
    is_dead: bool,
    /// What is written aside is not kept, but for the time.
    keeps_nothing_aside: bool,
    /// `keep_time` panics, as it would by an error in this program.
    panics_at_the_time: bool,
    /// Another worker has every saga.
    has_lent_all: bool,
    /// How long the answer to a write that has landed takes.
    delay: Duration,
}

#[derive(Clone, Copy, Debug)]
struct Planned {
    at_write: u64,
    write_lands: bool,
    crash: bool,
}

/// What becomes of one write.
enum Verdict {
    Goes,
    LandsUnheard,
    Lost,
}

impl<S: Store> FlakyStore<S> {
    /// A store that works, until something is planned.
    pub const fn new(inner: S) -> Self {
        let fate = Fate {
            writes: 0,
            planned: None,
            crashed: false,
            is_dead: false,
            keeps_nothing_aside: false,
            panics_at_the_time: false,
            has_lent_all: false,
            delay: Duration::ZERO,
        };
        Self { inner, fate: Mutex::new(fate) }
    }

    /// Lets the `countdown`-th write from now (1 is the next) answer *unavailable*, after it landed or without landing.
    pub fn fail_at(&self, countdown: u64, write_lands: bool) {
        self.plan(countdown, write_lands, false);
    }

    /// As [`fail_at`](Self::fail_at), and everything after it is unavailable too, until [`restart`](Self::restart).
    pub fn crash_at(&self, countdown: u64, write_lands: bool) {
        self.plan(countdown, write_lands, true);
    }

    /// Lets the answer to every write from now on come so long after it has landed.
    pub fn delay_answers(&self, delay: Duration) {
        self.with(|fate| fate.delay = delay);
    }

    /// From now on a part of it that it cannot live without is dead, as after a panic, and nothing is written any more.
    pub fn die(&self) {
        self.with(|fate| fate.is_dead = true);
    }

    /// From now on, or no longer, another worker has every saga: no message may leave for any. What is written still lands, as it does
    /// from a worker that has not been overtaken yet.
    pub fn lend_all(&self, to_another: bool) {
        self.with(|fate| fate.has_lent_all = to_another);
    }

    /// From now on what is at hand cannot be kept, or can again.
    pub fn keep_nothing_aside(&self, keeps_nothing: bool) {
        self.with(|fate| fate.keeps_nothing_aside = keeps_nothing);
    }

    /// From now on `keep_time` panics, as it would by an error in this program.
    pub fn panic_at_the_time(&self) {
        self.with(|fate| fate.panics_at_the_time = true);
    }

    /// Ends a crash, and forgets what was planned.
    pub fn restart(&self) {
        self.with(|fate| {
            fate.crashed = false;
            fate.planned = None;
        });
    }

    /// Whether the crash that was planned has happened.
    #[must_use]
    pub fn has_crashed(&self) -> bool {
        self.with(|fate| fate.crashed)
    }

    /// How many writes were asked for so far, so that a test knows how many there are to fail.
    #[must_use]
    pub fn writes(&self) -> u64 {
        self.with(|fate| fate.writes)
    }

    /// The store inside.
    #[must_use]
    pub const fn inner(&self) -> &S {
        &self.inner
    }

    fn with<T>(&self, work: impl FnOnce(&mut Fate) -> T) -> T {
        // No method panics while it holds the lock, so a poisoned one holds a sound value.
        work(&mut locked(&self.fate))
    }

    fn plan(&self, countdown: u64, write_lands: bool, crash: bool) {
        self.with(|fate| fate.planned = Some(Planned { at_write: fate.writes + countdown, write_lands, crash }));
    }

    fn judge(&self) -> Verdict {
        self.with(|fate| {
            if fate.crashed || fate.is_dead {
                return Verdict::Lost;
            }
            fate.writes += 1;
            match fate.planned {
                Some(planned) if planned.at_write == fate.writes => {
                    fate.planned = None;
                    fate.crashed = planned.crash;
                    if planned.write_lands { Verdict::LandsUnheard } else { Verdict::Lost }
                }
                Some(_) | None => Verdict::Goes,
            }
        })
    }

    async fn write<T>(&self, write: BoxFuture<'_, Result<T, StoreError>>) -> Result<T, StoreError> {
        match self.judge() {
            Verdict::Goes => {
                let written = write.await;
                let delay = self.with(|fate| fate.delay);
                if !delay.is_zero() {
                    tokio::time::sleep(delay).await;
                }
                written
            }
            Verdict::LandsUnheard => {
                // Whatever the answer was, the caller does not get it.
                let _unheard = write.await;
                Err(unavailable())
            }
            Verdict::Lost => Err(unavailable()),
        }
    }

    async fn read<T>(&self, read: BoxFuture<'_, Result<T, StoreError>>) -> Result<T, StoreError> {
        if self.has_crashed() { Err(unavailable()) } else { read.await }
    }
}

fn unavailable() -> StoreError {
    StoreError::Unavailable(Unanswered::MadeToFail)
}

/// How each method goes: what a saga or a person waits for is a write that can be made to fail; what is written aside is neither counted
/// nor made to fail by itself.
macro_rules! made_to_fail {
    ($($kind:ident $name:ident($($argument:ident: $type:ty),*) -> $answer:ty;)*) => {
        impl<S: Store> Store for FlakyStore<S> {
            $(made_to_fail!(@ $kind $name($($argument: $type),*) -> $answer);)*
        }
    };
    (@ now dead_part() -> $answer:ty) => {
        fn dead_part(&self) -> $answer {
            self.inner.dead_part().or_else(|| self.with(|fate| fate.is_dead.then_some("the store's writer")))
        }
    };
    (@ now record_try($attempt:ident: $type:ty) -> $answer:ty) => {
        fn record_try(&self, $attempt: $type) {
            if !self.has_crashed() {
                self.inner.record_try($attempt);
            }
        }
    };
    (@ now may_send($id:ident: $type:ty) -> $answer:ty) => {
        fn may_send(&self, $id: $type) -> $answer {
            if self.with(|fate| fate.has_lent_all) { Err(StoreError::Conflict) } else { self.inner.may_send($id) }
        }
    };
    (@ now $name:ident() -> $answer:ty) => {
        fn $name(&self) -> $answer {
            self.inner.$name()
        }
    };
    (@ write $name:ident($($argument:ident: $type:ty),*) -> $answer:ty) => {
        fn $name<'a>(&'a self, $($argument: $type),*) -> BoxFuture<'a, Result<$answer, StoreError>> {
            Box::pin(self.write(self.inner.$name($($argument),*)))
        }
    };
    (@ aside keep_time($($argument:ident: $type:ty),*) -> $answer:ty) => {
        fn keep_time(&self, $($argument: $type),*) -> BoxFuture<'_, Result<$answer, StoreError>> {
            assert!(!self.with(|fate| fate.panics_at_the_time), "a test has asked for this");
            Box::pin(self.read(self.inner.keep_time($($argument),*)))
        }
    };
    (@ aside $name:ident($($argument:ident: $type:ty),*) -> $answer:ty) => {
        fn $name<'a>(&'a self, $($argument: $type),*) -> BoxFuture<'a, Result<$answer, StoreError>> {
            Box::pin(async move {
                if self.with(|fate| fate.keeps_nothing_aside) {
                    return Err(unavailable());
                }
                self.read(self.inner.$name($($argument),*)).await
            })
        }
    };
    (@ read $name:ident($($argument:ident: $type:ty),*) -> $answer:ty) => {
        fn $name<'a>(&'a self, $($argument: $type),*) -> BoxFuture<'a, Result<$answer, StoreError>> {
            Box::pin(self.read(self.inner.$name($($argument),*)))
        }
    };
}

crate::every_method_of_a_store!(made_to_fail);
