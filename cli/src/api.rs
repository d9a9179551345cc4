//! `sluice api`: HTTP for events, decisions and officers, and the case side, over engines of other processes.

use std::{path::PathBuf, process::ExitCode};

use crate::{
    brokers::{self, Brokers},
    config::ConfigFile,
    failure::Failure,
    up::{Behind, Common, Service},
};

/// Arguments.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    config: ConfigFile,
    #[command(flatten)]
    brokers: Brokers,
    /// This process's name among those that use the brokers: the same after a restart, and no other's at the same time.
    /// [default: the machine's name]
    #[arg(long, value_name = "NAME", env = "SLUICE_INSTANCE")]
    instance: Option<String>,
    /// Where what is this process's own is kept: copies of the list versions in force.
    #[arg(long, value_name = "DIR", default_value = "sluice-api-data")]
    data: PathBuf,
    /// The secret that signs the evidence, the same for all that serve one database; made where there is no such file.
    #[arg(long, value_name = "FILE", env = "SLUICE_EVIDENCE_KEY")]
    evidence_key: PathBuf,
    #[command(flatten)]
    common: Common,
}

/// Run the command.
pub(crate) fn run(args: Args) -> Result<ExitCode, Failure> {
    if args.common.database.is_none() {
        return Err(Failure::user(
            "say which case database all of these processes have: SLUICE_DATABASE=postgres://USER:PASSWORD@HOST/DATABASE",
        ));
    }
    // Engines write under a name of their own, on the same machine too.
    let instance = format!("api.{}", brokers::instance(args.instance.as_deref()));
    let options = args.brokers.options(&instance)?;
    Service {
        args: &args.common,
        data: args.data,
        evidence_key: args.evidence_key,
        demo: false,
        watch_rules: false,
        behind: Behind::Kafka(options),
    }
    .run()
}
