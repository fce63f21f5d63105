//! The command line from outside: real processes, their output and their exit codes.

mod callers;
mod check;
mod check_flow;
mod clocks;
mod conform;
mod definitions;
mod demo;
mod documents;
mod edges;
mod flows;
mod generals;
mod help;
mod intents;
mod logs;
mod messenger;
mod person;
mod replay;
mod restored;
mod run;
mod serve;
mod shop;
mod show;
mod store;
mod support;
mod weak;
mod webhooks;
