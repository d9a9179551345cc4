//! The `sluice` binary: argument parsing and wiring, nothing else. Each subcommand has a file of its own.

#![warn(unreachable_pub)]

#[cfg(feature = "kafka")]
mod api;
mod archive;
mod backup;
#[cfg(feature = "kafka")]
mod brokers;
mod calibrate;
mod config;
mod data;
#[cfg(feature = "kafka")]
mod engine;
mod events;
mod evidence;
mod failure;
mod folders;
mod lists;
mod metrics;
mod private;
mod process;
mod replay;
mod rescreen;
mod restore;
mod rules;
mod screen;
mod simulate;
#[cfg(feature = "kafka")]
mod snapshots;
mod source;
#[cfg(feature = "kafka")]
mod topics;
mod up;
#[cfg(not(feature = "kafka"))]
mod without_kafka;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::{config::Unparsed, failure::Failure};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Real-time AML/KYC transaction monitoring for payment companies.
///
/// Exit codes: 0 done, 1 user error, 2 finding or failed check, 3 internal error.
#[derive(Parser)]
#[command(name = "sluice", version, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run everything in one process on embedded stores: ingest, engine, case API, console.
    Up(up::Args),
    /// Judge the partitions that this process owns, over Kafka: one of many engines.
    #[cfg(feature = "kafka")]
    Engine(engine::Args),
    /// Judge the partitions that this process owns, over Kafka: one of many engines.
    #[cfg(not(feature = "kafka"))]
    Engine(without_kafka::Args),
    /// Serve events, decisions, cases and the console over engines on Kafka: one of many.
    #[cfg(feature = "kafka")]
    Api(Box<api::Args>),
    /// Serve events, decisions, cases and the console over engines on Kafka: one of many.
    #[cfg(not(feature = "kafka"))]
    Api(without_kafka::Args),
    /// Plan and make the topics of a deployment on Kafka.
    #[cfg(feature = "kafka")]
    #[command(subcommand)]
    Topics(topics::Command),
    /// Plan and make the topics of a deployment on Kafka.
    #[cfg(not(feature = "kafka"))]
    Topics(without_kafka::Args),
    /// Look at files of events before they are sent.
    #[command(subcommand)]
    Events(events::Command),
    /// Run the engine over files of events, as fast as the machine allows.
    Replay(replay::Args),
    /// Screen names against lists, or pairs of names against each other.
    Screen(screen::Args),
    /// Import, update, show, compare and verify sanctions, PEP and private lists.
    #[command(subcommand)]
    Lists(lists::Command),
    /// Check, test, explain and back-test rules.
    #[command(subcommand)]
    Rules(rules::Command),
    /// Make labelled payment traffic, to a file or to a running Sluice.
    Simulate(simulate::Args),
    /// Verify evidence offline.
    #[command(subcommand)]
    Evidence(evidence::Command),
    /// What services run with, and where each value comes from.
    #[command(subcommand)]
    Config(config::Subcommand),
    /// Copy the data folder of `sluice up`, as of one moment, into one file.
    Backup(backup::Args),
    /// Make a data folder from a backup, and verify its evidence.
    Restore(restore::Args),
}

fn main() -> ExitCode {
    // `sluice … | head` ends quietly when head has seen enough.
    sigpipe::reset();
    private::hold_to_owner();
    let cli: Cli = match config::parse(std::env::args_os().collect()) {
        Ok(cli) => cli,
        Err(Unparsed::File(failure)) => return failure.report(),
        Err(Unparsed::Clap(error)) => {
            let _ = error.print();
            return if error.use_stderr() { ExitCode::from(1) } else { ExitCode::SUCCESS };
        }
    };
    let done = match cli.command {
        Command::Up(args) => up::run(args),
        #[cfg(feature = "kafka")]
        Command::Engine(args) => engine::run(args),
        #[cfg(feature = "kafka")]
        Command::Api(args) => api::run(*args),
        #[cfg(feature = "kafka")]
        Command::Topics(command) => topics::run(command),
        #[cfg(not(feature = "kafka"))]
        Command::Engine(_) | Command::Api(_) | Command::Topics(_) => without_kafka::run(),
        Command::Events(command) => events::run(command),
        Command::Replay(args) => replay::run(args),
        Command::Screen(args) => screen::run(args),
        Command::Lists(command) => lists::run(command),
        Command::Rules(command) => rules::run(command),
        Command::Simulate(args) => simulate::run(args),
        Command::Evidence(command) => evidence::run(command),
        Command::Config(command) => config::run(command),
        Command::Backup(args) => backup::run(&args),
        Command::Restore(args) => restore::run(&args),
    };
    done.unwrap_or_else(Failure::report)
}
