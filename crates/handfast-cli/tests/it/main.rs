//! The command line from outside: real processes, their output and their exit codes.

mod help;
mod messenger;
mod run;
mod serve;
mod shop;
mod support;
