//! The engine's tests, in one binary: one module for each subject.

mod journal;
mod stores;
