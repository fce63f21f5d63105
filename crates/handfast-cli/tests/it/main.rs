//! The command line from outside: real processes, their output and their exit codes.

mod demo;
mod help;
mod messenger;
mod run;
mod serve;
mod shop;
mod show;
mod support;
