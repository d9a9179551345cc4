//! What stands behind the pages: the log, and who judges over it.

use std::sync::Arc;

use sluice_case_api::store::Database;
#[cfg(feature = "kafka")]
use sluice_case_api::store::OwnLog;
use sluice_core::Layout;
use sluice_http::metrics::Registry;
#[cfg(feature = "kafka")]
use sluice_log::kafka::{KafkaLog, KafkaOptions, Topics};
use sluice_log::{EmbeddedLog, FileSnapshots, Log, LogError};
#[cfg(feature = "kafka")]
use sluice_runtime::CONTROL;
use sluice_runtime::{Engines, Parts, Runtime, SystemClock, Webhooks};

use super::{Service, config::Config, integrity, secrets, user};
#[cfg(feature = "kafka")]
use crate::brokers;
use crate::{
    data::{LOG, SNAPSHOTS},
    failure::Failure,
};

/// What stands behind the pages.
pub(crate) enum Behind {
    /// A log of the data folder, and one engine in this process.
    Embedded {
        /// A snapshot is due after so many records.
        snapshot_every_records: u64,
    },
    /// A log in Kafka, and engines of other processes.
    #[cfg(feature = "kafka")]
    Kafka(KafkaOptions),
}

/// It, started.
pub(super) struct Started {
    pub runtime: Arc<Runtime>,
    pub log: Arc<dyn Log>,
    /// Into how many partitions its topics are divided.
    pub layout: Layout,
    /// Whether other processes are over the same log and the same case database.
    pub is_shared: bool,
}

impl Behind {
    /// Open the log, and have it judged.
    pub(super) async fn start(
        &self,
        service: &Service<'_>,
        cases: Database<'_>,
        config: &Config,
        webhooks: Webhooks,
        registry: &Registry,
    ) -> Result<Started, Failure> {
        let signer = || secrets::signer(&service.evidence_key);
        let (log, layout, engines): (Arc<dyn Log>, _, _) = match self {
            Self::Embedded { snapshot_every_records } => {
                let log = EmbeddedLog::open(&service.data.join(LOG)).map_err(|error| match error {
                    LogError::InUse { .. } | LogError::Format { .. } | LogError::Full { .. } => user(error),
                    other => integrity::damaged_log(other),
                })?;
                let snapshots = FileSnapshots::new(service.data.join(SNAPSHOTS));
                integrity::check(cases, signer, &log, &snapshots, service.args.accept_loss).await?;
                let engines = Engines::Here {
                    snapshots: Arc::new(snapshots),
                    snapshot_every_records: *snapshot_every_records,
                };
                (Arc::new(log), Layout::SINGLE, engines)
            }
            #[cfg(feature = "kafka")]
            Self::Kafka(options) => {
                let partitions = Topics::new(options).and_then(|topics| topics.check());
                let layout = Layout::of_stages(partitions.map_err(brokers::failed)?);
                let log = KafkaLog::open(options.clone()).map_err(brokers::failed)?;
                let id = log.id().map_err(brokers::failed)?;
                let own = OwnLog { log: &log, id: &id, orders: CONTROL };
                integrity::check_shared(cases, signer, own, service.args.accept_loss).await?;
                (Arc::new(log), layout, Engines::Elsewhere(layout))
            }
        };
        let runtime = Runtime::start(Parts {
            log: Arc::clone(&log),
            engines,
            library: Arc::clone(&config.library),
            clock: Arc::new(SystemClock),
            accept_clock: config.accept_clock,
            webhooks,
            zone: config.zone.clone(),
            registry: registry.clone(),
        })?;
        let runtime = Arc::new(runtime);
        let engine = Arc::clone(&runtime);
        tokio::task::spawn_blocking(move || engine.wait_until_live()).await??;
        Ok(Started { runtime, log, layout, is_shared: !matches!(self, Self::Embedded { .. }) })
    }
}
