//! The rules and lists in force, as the case side reads them.

use std::sync::Arc;

use sluice_case_api::ports::{
    ActiveList, ActiveRule, Catalogue, NameAnswer, PortError, RescreeningCounts, RuleSets,
    Screening as Wanted,
};
use sluice_core::{Library, RescreenReport};
use sluice_list_store::Store;
use sluice_lists::{Answer, Entry, Query};
use sluice_model::{EventTime, Hash256, KeyKind, Party};
use sluice_runtime::Runtime;

use super::{Config, config_report::ConfigReport, failed, room::Room};

/// The rules and lists in force.
pub(super) struct InForce {
    runtime: Arc<Runtime>,
    room: Room,
    store: Option<Store>,
    library: Arc<dyn Library>,
    configured: Arc<ConfigReport>,
}

impl InForce {
    pub(super) fn new(runtime: &Arc<Runtime>, config: &Config, configured: &Arc<ConfigReport>) -> Self {
        Self {
            runtime: Arc::clone(runtime),
            room: config.room.clone(),
            store: config.lists.folder().cloned(),
            library: Arc::clone(&config.library),
            configured: Arc::clone(configured),
        }
    }
}

impl Catalogue for InForce {
    fn lists(&self) -> Vec<ActiveList> {
        let status = self.runtime.status();
        let active = |(source, version): (String, Hash256)| {
            let rescreened =
                status.rescreened.get(&source).filter(|report| report.version == version).cloned();
            ActiveList {
                rescreened: rescreened.map(rescreening),
                checked_at: status.screening.checked_at.get(&source).map(ToString::to_string),
                ..list(self.store.as_ref(), source, version)
            }
        };
        status.screening.lists.clone().into_iter().map(active).collect()
    }

    fn rules(&self) -> Vec<ActiveRule> {
        let status = self.runtime.status();
        let (set, files, off) = (status.rules, &status.files.files, &status.quarantined);
        let rules = KeyKind::ALL.into_iter().flat_map(|kind| &set.plan(kind).rules);
        rules
            .map(|rule| {
                let description = set.descriptions().iter().find(|described| {
                    (&described.id, described.candidate) == (&rule.meta.id, rule.meta.candidate)
                });
                let text = files.iter().find(|file| file.path == rule.file).map(|file| file.text.clone());
                let quarantined = off.contains(&rule.content);
                ActiveRule::of(rule, description, text.unwrap_or_default(), quarantined)
            })
            .collect()
    }

    fn rule_sets(&self) -> RuleSets {
        self.runtime.status().rule_sets()
    }

    fn screen(&self, wanted: &Wanted) -> Result<NameAnswer, PortError> {
        let screening = self.runtime.status().screening;
        if screening.lists.is_empty() {
            return Err(PortError("screening is off: no list is configured".to_owned()));
        }
        let screener = self.library.screener(&screening).map_err(failed)?;
        let Answer { mut matches, why } = Answer::clone(&screener.answer(&query(wanted)));
        // An empty answer would read as clear.
        if let Some(why) = why.filter(|_| matches.is_empty()) {
            return Ok(NameAnswer::NotScreened(why.text()));
        }
        matches.truncate(wanted.limit.unwrap_or(MATCHES_DEFAULT));
        Ok(NameAnswer::Matches(matches))
    }

    fn entry_hash(
        &self,
        list: &str,
        version: Option<&str>,
        entry_id: &str,
    ) -> Result<Option<Hash256>, PortError> {
        let screening = self.runtime.status().screening;
        let active = screening.lists.get(list).copied();
        let wanted = version.map(str::parse).transpose().map_err(failed)?.or(active);
        let Some(wanted) = wanted else { return Ok(None) };
        if active == Some(wanted) {
            return Ok(self.library.screener(&screening).map_err(failed)?.entry_hash(list, entry_id));
        }
        let Some(store) = &self.store else { return Ok(None) };
        Ok(store.load(wanted).map_err(failed)?.entry(entry_id).map(Entry::hash))
    }

    fn stream_time(&self) -> Option<EventTime> {
        self.runtime.status().stream_time
    }

    fn not_ready(&self) -> Option<String> {
        let mut reasons = self.runtime.not_ready();
        reasons.extend(self.configured.not_ready());
        reasons.extend(self.room.not_ready());
        (!reasons.is_empty()).then(|| reasons.join("; "))
    }

    fn notices(&self) -> Vec<String> {
        self.configured.notices()
    }
}

/// Matches of one screening where it does not say how many.
const MATCHES_DEFAULT: usize = 10;

fn list(store: Option<&Store>, source: String, version: Hash256) -> ActiveList {
    // The history only adorns what is in force: without it the version itself is still true.
    let history = store.and_then(|store| store.history(&source).ok()).unwrap_or_default();
    let arrival = history.into_iter().rfind(|arrival| arrival.version == version);
    let count = |of: usize| u64::try_from(of).unwrap_or(u64::MAX);
    ActiveList {
        entries: arrival.as_ref().map_or(0, |arrival| count(arrival.entries)),
        names: arrival.as_ref().map_or(0, |arrival| count(arrival.names)),
        published: arrival.as_ref().and_then(|arrival| arrival.published.as_ref()).map(ToString::to_string),
        fetched: arrival
            .as_ref()
            .is_some_and(|arrival| arrival.files.iter().any(|file| file.name.contains("://"))),
        fetched_at: arrival.map(|arrival| arrival.at.to_string()),
        checked_at: None,
        rescreened: None,
        version: version.to_string(),
        source,
    }
}

fn rescreening(report: RescreenReport) -> RescreeningCounts {
    let count = |of: usize| u64::try_from(of).unwrap_or(u64::MAX);
    RescreeningCounts {
        checked: count(report.checked),
        entries: count(report.entries),
        alerts: count(report.alerts),
        left_out: report.left_out,
    }
}

/// What is asked, as the screener reads it: a date or country that cannot be read adjusts no score.
fn query(wanted: &Wanted) -> Query {
    let party = Party {
        name: Some(wanted.name.clone()),
        birth_date: wanted.birth_date.clone(),
        country: wanted.country.clone(),
        ..Party::default()
    };
    Query::party(&party, &wanted.name)
}
