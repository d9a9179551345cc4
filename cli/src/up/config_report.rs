//! What is reported where arguments and folders configure less than is in force: the process is not ready until two persons
//! have approved that ([`sluice_runtime::in_force`]).

use std::sync::{Mutex, MutexGuard, PoisonError};

use sluice_runtime::limits::FOLDERS_LOOKED_AT_EVERY;

/// Wait until it is time to look at a folder again; `false` once `stop` is ready.
pub(super) async fn is_time_to_look(stop: &mut (impl Future<Output = ()> + Unpin)) -> bool {
    tokio::select! {
        () = stop => false,
        () = tokio::time::sleep(FOLDERS_LOOKED_AT_EVERY) => true,
    }
}

/// What is reported of the configuration, for readiness and pages.
#[derive(Default)]
pub(super) struct ConfigReport(Mutex<Report>);

/// What there is to report at this moment.
#[derive(Clone, Default)]
pub(super) struct Report {
    /// What of screening would be lost, or why it cannot be read.
    pub screening: Vec<String>,
    /// What of the rules would be lost.
    pub rules: Vec<String>,
    /// What everybody has to know as long as the process runs.
    pub lasting: Vec<String>,
    /// How the folder of rules differs from what judges.
    pub difference: Option<String>,
    /// Lists that are old, and how old.
    pub old: Vec<String>,
}

impl ConfigReport {
    /// The report of this moment.
    pub(super) fn now(&self) -> Report {
        self.lock().clone()
    }

    /// Change it.
    pub(super) fn update(&self, change: impl FnOnce(&mut Report)) {
        change(&mut self.lock());
    }

    /// Why the process is not ready.
    pub(super) fn not_ready(&self) -> Option<String> {
        let report = self.now();
        let lost: Vec<String> = report.screening.into_iter().chain(report.rules).collect();
        (!lost.is_empty()).then(|| {
            let lost = lost.join("; ");
            format!(
                "less is configured than is in force ({lost}): what was in force stays until two persons approve that \
                 under Lists, or until it is back"
            )
        })
    }

    /// What pages say in red.
    pub(super) fn notices(&self) -> Vec<String> {
        let Report { lasting, difference, old, .. } = self.now();
        lasting.into_iter().chain(difference).chain(old).collect()
    }

    fn lock(&self) -> MutexGuard<'_, Report> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn it_is_time_to_look_until_it_is_time_to_stop() {
        assert!(is_time_to_look(&mut std::future::pending()).await);
        assert!(!is_time_to_look(&mut std::future::ready(())).await);
    }
}
