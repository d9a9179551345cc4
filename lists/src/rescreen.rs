//! Rescreening: what a new list version means for parties already known. Only entries that are new or changed
//! are compared, so that a million parties against a day's changes takes seconds.

use std::sync::Arc;

use rayon::prelude::*;
use sluice_model::ListMatch;

use crate::{Entry, ListVersion, Query, Screener, Settings, VersionError};

/// A known party: a customer or counterparty.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KnownParty {
    /// How it is known: the customer id, or the name of a counterparty.
    pub id: String,
    /// Its names and what else is known.
    pub queries: Vec<Query>,
}

/// A known party that meets a new or changed entry.
#[derive(Clone, PartialEq, Debug)]
pub struct Rescreened {
    /// The party's id.
    pub party: String,
    /// Best first. They name the whole new version, not the changes.
    pub matches: Vec<ListMatch>,
}

/// What a rescreening found.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Rescreening {
    /// Parties compared.
    pub checked: usize,
    /// Entries that were new or changed.
    pub entries: usize,
    /// Those that met one.
    pub hits: Vec<Rescreened>,
}

/// The entries of `new` that are not in `old` as they are.
pub fn changed_entries<'a>(old: Option<&ListVersion>, new: &'a ListVersion) -> Vec<&'a Entry> {
    let known = |entry: &Entry| old.and_then(|v| v.entry(&entry.id)) == Some(entry);
    new.entries().iter().filter(|e| !known(e)).collect()
}

/// Compares known parties with what changed between two versions of a list. How rare a word is is reckoned among the
/// changes alone, so that a score may differ by a little from that against the whole list.
///
/// # Errors
/// Never for entries of a version that was built; the type says so for those put together by hand.
pub fn rescreen(
    old: Option<&ListVersion>,
    new: &ListVersion,
    parties: &[KnownParty],
    settings: Settings,
) -> Result<Rescreening, VersionError> {
    let changed: Vec<Entry> = changed_entries(old, new).into_iter().cloned().collect();
    let entries = changed.len();
    if changed.is_empty() {
        return Ok(Rescreening { checked: parties.len(), entries, hits: Vec::new() });
    }
    let delta = ListVersion::new(new.source(), changed)?;
    let screener = Screener::build(&[Arc::new(delta)], settings);
    let version = new.hash().to_string();
    let hits = parties
        .par_iter()
        .filter_map(|party| {
            let mut matches: Vec<ListMatch> = Vec::new();
            for found in party.queries.iter().flat_map(|q| screener.screen_cold(q)) {
                match matches.iter_mut().find(|m| m.entry_id == found.entry_id) {
                    Some(known) if known.score >= found.score => {}
                    Some(known) => *known = found,
                    None => matches.push(found),
                }
            }
            for found in &mut matches {
                found.version.clone_from(&version);
            }
            matches.sort_by(|a, b| b.score.total_cmp(&a.score).then_with(|| a.entry_id.cmp(&b.entry_id)));
            (!matches.is_empty()).then(|| Rescreened { party: party.id.clone(), matches })
        })
        .collect();
    Ok(Rescreening { checked: parties.len(), entries, hits })
}

#[cfg(test)]
mod tests {
    use sluice_model::EntryKind;

    use super::*;

    fn version(names: &[(&str, &str)]) -> ListVersion {
        let entries = names.iter().map(|(id, name)| Entry::new(*id, EntryKind::Person, *name)).collect();
        ListVersion::new("test", entries).unwrap()
    }

    #[test]
    fn only_new_and_changed_entries_are_met() {
        let old = version(&[("1", "ZORKIN, Vasil"), ("2", "HALVORSEN, Pia")]);
        let new = version(&[("1", "ZORKIN, Vasil"), ("2", "HALVORSEN, Pia Marit"), ("3", "OKONJO, Tariq")]);
        let party = |id: &str, name: &str| KnownParty { id: id.into(), queries: vec![Query::name(name)] };
        let parties = [
            party("C-1", "Vasil Zorkin"),
            party("C-2", "Pia Halvorsen"),
            party("C-3", "Tariq Okonjo"),
            party("C-4", "Nobody"),
        ];
        let done = rescreen(Some(&old), &new, &parties, Settings::default()).unwrap();
        assert_eq!((done.checked, done.entries), (4, 2));
        let met: Vec<_> =
            done.hits.iter().map(|h| (h.party.as_str(), h.matches[0].entry_id.as_str())).collect();
        assert_eq!(met, [("C-2", "2"), ("C-3", "3")]);
        assert!(done.hits.iter().all(|h| h.matches[0].version == new.hash().to_string()));
        assert_eq!(rescreen(Some(&new), &new, &parties, Settings::default()).unwrap().entries, 0);
        assert_eq!(rescreen(None, &new, &parties, Settings::default()).unwrap().hits.len(), 3);
    }
}
