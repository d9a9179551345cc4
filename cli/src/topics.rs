//! `sluice topics`: the topics of a deployment on Kafka.

use std::process::ExitCode;

use clap::Subcommand;
use sluice_log::kafka::{Change, TopicLayout, Topics};

use crate::{
    brokers::{self, Brokers},
    failure::Failure,
};

/// Commands.
#[derive(Subcommand)]
pub(crate) enum Command {
    /// Say what is to be done so that the topics are as they must be. Ends with 2 where anything is.
    Plan(Args),
    /// Do it. What cannot be done without losing something is refused before anything is done.
    Apply(Args),
}

/// Arguments.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    brokers: Brokers,
    /// Into how many partitions payments, keyed events and verdicts are divided: as many processes can share the work. It is
    /// not changed later.
    #[arg(long, value_name = "N", default_value_t = 12, value_parser = clap::value_parser!(u32).range(1..=4096))]
    partitions: u32,
    /// On how many brokers each partition is. With 3, one may fail and nothing stops.
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=16))]
    replication: u32,
    /// Print a line of JSON at the end.
    #[arg(long)]
    json: bool,
}

/// What came of it.
#[derive(serde::Serialize)]
struct Summary {
    changes: Vec<String>,
    applied: bool,
}

/// Run the command.
pub(crate) fn run(command: Command) -> Result<ExitCode, Failure> {
    let (args, is_apply) = match command {
        Command::Plan(args) => (args, false),
        Command::Apply(args) => (args, true),
    };
    let options = args.brokers.options("topics")?;
    let topics = Topics::new(&options).map_err(brokers::failed)?;
    let layout = TopicLayout { partitions: args.partitions, replication: args.replication };
    let changes = topics.plan(layout).map_err(brokers::failed)?;
    if is_apply {
        topics.apply(&changes).map_err(brokers::failed)?;
    }
    print(&args, &changes, is_apply)?;
    let is_left = !is_apply && !changes.is_empty();
    Ok(if is_left { ExitCode::from(2) } else { ExitCode::SUCCESS })
}

fn print(args: &Args, changes: &[Change], applied: bool) -> Result<(), Failure> {
    let changes: Vec<String> = changes.iter().map(ToString::to_string).collect();
    if args.json {
        println!("{}", serde_json::to_string(&Summary { changes, applied })?);
    } else if changes.is_empty() {
        println!("the topics are as they must be");
    } else {
        changes.iter().for_each(|change| println!("{change}"));
    }
    Ok(())
}
