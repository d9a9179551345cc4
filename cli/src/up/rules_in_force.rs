//! Where rules come from: by approval, or for development from a watched folder. A folder seeds the first start; later it
//! is compared with what judges, and only where it is watched does a saved file judge.

use std::sync::Arc;

use sluice_case_api::CaseApi;
use sluice_model::{RuleBundle, RuleFile};
use sluice_rules::{RuleSet, SHADOW_FOLDER};
use sluice_runtime::{RuleFiles, RuleFolder, Runtime, in_force};
use tokio::task::spawn_blocking;

use super::config_report::{ConfigReport, is_time_to_look};
use crate::failure::Failure;

/// What is configured here, as the case side records it.
const RULES: &str = "rules";
/// The origin of rules that a folder holds, as their versions are recorded.
const FOLDER: &str = "folder";
/// The origin of the rules inside the binary.
const SHIPPED: &str = "shipped";

/// The rules that the arguments name.
pub(super) struct Rules {
    pub files: RuleFiles,
    /// The folder; none for the shipped set.
    pub folder: Option<RuleFolder>,
    /// Whether a saved file judges without anybody's approval.
    pub watched: bool,
}

impl Rules {
    fn origin(&self) -> &'static str {
        if self.folder.is_some() { FOLDER } else { SHIPPED }
    }
}

/// One task that looks at the folder from the start of the process to its end.
pub(super) struct Keeper {
    rules: Rules,
    runtime: Arc<Runtime>,
    configured: Arc<ConfigReport>,
    cases: CaseApi,
    /// What the case side recorded last.
    recorded: Vec<String>,
    /// Why the folder was not read, reported once.
    refused: Option<String>,
    /// Whether it was seen to that rules are in force.
    begun: bool,
}

impl Keeper {
    /// Over a running engine.
    pub(super) fn new(
        rules: Rules,
        runtime: &Arc<Runtime>,
        configured: &Arc<ConfigReport>,
        cases: &CaseApi,
    ) -> Self {
        let (runtime, configured, cases) = (Arc::clone(runtime), Arc::clone(configured), cases.clone());
        Self { rules, runtime, configured, cases, recorded: Vec::new(), refused: None, begun: false }
    }

    /// Put the configured rules in force where none judge yet. A watched folder counts at a later start too, when it
    /// changed since the last one and takes nothing away. Of several processes, one sees to it.
    pub(super) async fn begin(&mut self) -> Result<(), Failure> {
        if !self.cases.leads().await? {
            return Ok(());
        }
        self.begun = true;
        let engine = Arc::clone(&self.runtime);
        let live = spawn_blocking(move || engine.wait_until_live()).await??;
        let judges = live.rules.hash() != RuleSet::empty().hash();
        let bundle = &self.rules.files.bundle;
        if !judges {
            let wanted = RuleSet::compile(bundle).map_err(super::user)?;
            if wanted.descriptions().is_empty() {
                return Err(Failure::user("the folder of rules holds no rule: nothing would be watched"));
            }
            return Ok(self.put_in_force().await?);
        }
        let known = self.cases.last_rules_from(self.rules.origin()).await?;
        if self.rules.watched && known != Some(bundle.hash().to_string()) {
            let lost = lost(&self.runtime, bundle).map_err(Failure::user)?;
            if lost.is_empty() {
                self.put_in_force().await?;
            } else {
                self.report_lost(lost).await;
            }
        }
        self.compare();
        Ok(())
    }

    /// Look again and again until `stop` is ready.
    pub(super) async fn run(mut self, stop: impl Future<Output = ()>) {
        tokio::pin!(stop);
        while is_time_to_look(&mut stop).await {
            self.look().await;
        }
    }

    async fn look(&mut self) {
        if !self.begun {
            if let Err(error) = self.begin().await {
                self.refuse(format!("{error:?}"));
            }
            return;
        }
        let changed = self.read_if_changed().await;
        if self.rules.watched && (changed || !self.recorded.is_empty()) {
            match lost(&self.runtime, &self.rules.files.bundle) {
                Ok(lost) if lost.is_empty() => {
                    if let Err(error) = self.put_in_force().await {
                        self.refuse(error.to_string());
                    }
                    self.report_lost(Vec::new()).await;
                }
                Ok(lost) => self.report_lost(lost).await,
                Err(reason) => self.refuse(reason),
            }
        }
        self.compare();
    }

    /// Read the folder again where its files changed. Whether there is a set that checks to be looked at.
    async fn read_if_changed(&mut self) -> bool {
        let Some(mut folder) = self.rules.folder.clone() else { return false };
        let looked = spawn_blocking(move || {
            let read = folder.read_if_changed().map_err(|error| error.to_string());
            let checks = |files: &RuleFiles| RuleSet::compile(&files.bundle).map(drop);
            let read = read.and_then(|read| {
                read.as_ref().map_or(Ok(()), checks).map_err(|diagnostics| diagnostics.to_string())?;
                Ok(read)
            });
            (folder, read)
        });
        let read = match looked.await {
            Ok((folder, read)) => {
                self.rules.folder = Some(folder);
                read
            }
            Err(error) => Err(error.to_string()),
        };
        match read {
            Ok(Some(files)) => {
                (self.rules.files, self.refused) = (files, None);
                true
            }
            Ok(None) => false,
            Err(reason) => {
                self.refuse(reason);
                false
            }
        }
    }

    /// Report once why the folder is not in force.
    fn refuse(&mut self, reason: String) {
        if self.refused.as_ref() == Some(&reason) {
            return;
        }
        self.runtime.config_failed();
        tracing::error!("the folder of rules is not put in force, the last good set stays:\n{reason}");
        self.refused = Some(reason);
    }

    async fn put_in_force(&self) -> anyhow::Result<()> {
        let (engine, bundle) = (Arc::clone(&self.runtime), self.rules.files.bundle.clone());
        if !spawn_blocking(move || engine.put_rules_in_force(&bundle)).await?? {
            return Ok(());
        }
        let bundle = &self.rules.files.bundle;
        let count = RuleSet::compile(bundle)?.files().len();
        let files = [bundle.files.as_slice(), &self.rules.files.cases].concat();
        self.cases.record_rules(self.rules.origin(), &files, count).await?;
        tracing::info!(rules = %bundle.hash().short(), files = bundle.files.len(), "rules are in force");
        Ok(())
    }

    /// What the folder would take away, for readiness, pages and the evidence; nothing: it is whole again.
    async fn report_lost(&mut self, lost: Vec<String>) {
        self.configured.update(|now| now.rules.clone_from(&lost));
        if self.recorded == lost {
            return;
        }
        let recorded = if lost.is_empty() {
            self.cases.configuration_is_whole(RULES).await
        } else {
            self.runtime.config_failed();
            tracing::error!(?lost, "the folder of rules holds less than is in force: it is not applied");
            self.cases.configuration_is_less(RULES, &lost, None).await
        };
        match recorded {
            Ok(()) => self.recorded = lost,
            Err(error) => tracing::warn!(%error, "that could not be written down; trying again"),
        }
    }

    /// Report how what is configured differs from what judges.
    fn compare(&self) {
        let status = self.runtime.status();
        let beside = |file: &&RuleFile| !file.path.starts_with(SHADOW_FOLDER);
        let judges = RuleBundle::new(status.files.files.iter().filter(beside).cloned().collect());
        let what =
            if self.rules.folder.is_some() { "The folder of rules" } else { "The shipped set of rules" };
        let difference = match &self.refused {
            Some(_) => Some(format!("{what} cannot be read or does not check: what was in force judges on.")),
            None if judges.hash() != self.rules.files.bundle.hash() => Some(if self.rules.watched {
                format!("{what} differs from the rules in force: what officers approved since judges.")
            } else {
                format!(
                    "{what} differs from the rules in force: rules come by approval, so propose it under Rules."
                )
            }),
            None => None,
        };
        self.configured.update(|now| {
            if now.difference != difference {
                difference.iter().for_each(|text| tracing::warn!("{text}"));
                now.difference = difference;
            }
        });
    }
}

fn lost(runtime: &Runtime, bundle: &RuleBundle) -> Result<Vec<String>, String> {
    let wanted = RuleSet::compile(bundle).map_err(|diagnostics| diagnostics.to_string())?;
    Ok(in_force::rules_lost(&runtime.status().rules, &wanted))
}
