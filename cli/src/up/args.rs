//! What `sluice up` is asked.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
};

use sluice_case_api::store::Database;
use sluice_codec::Zone;
use sluice_model::{Span, Unnamed};
use sluice_runtime::limits::SNAPSHOT_EVERY_RECORDS;

use crate::{config::ConfigFile, data::DATA, failure::Failure, folders, process::LogLines};

/// Where a demonstration lies when nothing is said: its invented people are kept apart from real ones.
const DEMO_DATA: &str = "sluice-demo-data";

/// Arguments.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    config: ConfigFile,
    /// Where the log, snapshots, cases and evidence are kept; made where there is none.
    /// [default: sluice-data, with --demo sluice-demo-data]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    #[command(flatten)]
    pub(super) common: Common,
    /// For development: watch the folder of rules, and put what is saved in force without anybody's approval.
    #[arg(long)]
    pub(super) watch_rules: bool,
    /// As without it: rules change by approval.
    #[arg(long, hide = true)]
    rules_by_approval: bool,
    /// Seed people, an invented list and live simulated traffic.
    #[arg(long)]
    pub(super) demo: bool,
    /// Keep a snapshot of the engine's state after so many records; it only saves time at the next start.
    #[arg(long, value_name = "RECORDS", default_value_t = SNAPSHOT_EVERY_RECORDS)]
    pub(super) snapshot_every: u64,
}

impl Args {
    pub(super) fn data(&self) -> PathBuf {
        self.data.clone().unwrap_or_else(|| if self.demo { DEMO_DATA } else { DATA }.into())
    }
}

/// What `sluice api` is asked too.
#[derive(clap::Args)]
pub(crate) struct Common {
    /// The PostgreSQL database that keeps the cases, postgres://USER:PASSWORD@HOST/DATABASE, instead of a file of the data
    /// folder. A command line can be read by others: say it in the environment.
    #[arg(long, value_name = "URL", env = "SLUICE_DATABASE", hide_env_values = true)]
    pub(crate) database: Option<String>,
    /// The address to listen on; port 0 picks a free one.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8040")]
    pub(super) listen: SocketAddr,
    /// The folder of rules, and all below it: in force from the first start on. Later, rules change by approval, and
    /// where the folder differs the console says so. Without it, the core and Hong Kong packs shipped with Sluice.
    #[arg(long, value_name = "DIR")]
    pub(super) rules: Option<PathBuf>,
    /// The folder of list versions (see `sluice lists`): watched. Without it, and where none was in force before,
    /// screening is off.
    #[arg(long, value_name = "DIR")]
    pub(super) lists: Option<PathBuf>,
    /// How long ago a list may have been checked: beyond it nothing counts as screened, and payments are held. `never`:
    /// no limit.
    #[arg(long, value_name = "AGE", default_value = LIST_AGE_MAX, value_parser = age)]
    pub(super) list_age_max: AgeMax,
    /// What is done with a payment that names nobody on one side: hold, alert or accept.
    #[arg(long, value_name = "POLICY", default_value = "hold", value_parser = folders::unnamed)]
    pub(super) unnamed: Unnamed,
    /// The folder of those who send webhooks: NAME.toml says how what is posted to /v1/webhooks/NAME is signed and read.
    /// Nobody signs in there.
    #[arg(long, value_name = "DIR")]
    pub(super) webhooks: Option<PathBuf>,
    /// Where times of ISO 20022 and SWIFT MT without an offset are at home, a name of the IANA database, unless a request
    /// says otherwise (`?zone=`).
    #[arg(long, value_name = "NAME", default_value_t)]
    pub(super) zone: Zone,
    /// Confirm that the machine's clock is right, however far it is from the newest record of the log.
    #[arg(long)]
    pub(super) accept_clock: bool,
    /// Go on although a store lost its tail, is an older copy or belongs elsewhere: what that means is said, and kept as
    /// evidence.
    #[arg(long)]
    pub(super) accept_loss: bool,
    /// How log lines are written to standard error. Which of them: SLUICE_LOG, a level or targets with levels
    /// (`info,sluice_runtime=debug`).
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(super) log: LogLines,
    /// Print one line of JSON when ready.
    #[arg(long)]
    pub(super) json: bool,
}

impl Common {
    /// Where the cases are: in a file of the data folder, or where it is said.
    pub(super) fn database<'a>(&'a self, file: &'a Path) -> Result<Database<'a>, Failure> {
        match &self.database {
            None => Ok(Database::File(file)),
            #[cfg(feature = "postgres")]
            Some(url) => Ok(Database::Postgres(url)),
            #[cfg(not(feature = "postgres"))]
            Some(_) => {
                Err(Failure::user("this build has no PostgreSQL: build it with `--features postgres`"))
            }
        }
    }
}

/// How old a list may be where nothing is said: official lists change weekly at least, and a month without a check is a
/// fetcher that nobody looks after.
const LIST_AGE_MAX: &str = "30d";

/// A limit of the age of lists, or none.
#[derive(Clone, Copy)]
pub(crate) struct AgeMax(pub Option<Span>);

fn age(text: &str) -> Result<AgeMax, String> {
    match text {
        "never" => Ok(AgeMax(None)),
        text => match text.parse::<Span>() {
            Ok(span) if span > Span::seconds(0) => Ok(AgeMax(Some(span))),
            _ => Err("say a length of time, such as 30d or 12h, or never".to_owned()),
        },
    }
}
