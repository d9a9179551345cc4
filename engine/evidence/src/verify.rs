//! The offline verification of a bundle: every check, and what it found.

use serde::Serialize;
use sluice_model::Hash256;

use crate::{
    Bundle, Checkpoint, Stretch, VerifierKey,
    bundle::{Proved, Sealed, read, seal_text},
    merkle::verify_inclusion,
};

/// The most failures of one check that a report spells out.
const FAILURES_LISTED_MAX: usize = 20;

/// Whose signature the bundle was checked against.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub enum Trust {
    /// A key that the verifier supplied.
    #[serde(rename = "given key")]
    GivenKey,
    /// Only the key in the bundle: whoever made the bundle may have made the key.
    #[serde(rename = "self-signed only")]
    SelfSigned,
}

/// One check: how many things it looked at, and where it failed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Check {
    /// `encoding`, `key`, `seal`, `checkpoint`, `inclusion`, `bodies`, `case`, `events`.
    pub check: &'static str,
    /// Whether it holds.
    pub ok: bool,
    /// How many things were looked at.
    pub looked_at: usize,
    /// What failed, in words, the first few.
    pub failures: Vec<String>,
}

/// What the verification of a bundle found.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Report {
    /// Every check made, in order. One that fails may leave no ground for those after it.
    pub checks: Vec<Check>,
    /// Whose signature it rests on.
    pub trust: Trust,
    /// The case.
    pub case_id: String,
    /// The log's name.
    pub origin: String,
    /// The log's size at the checkpoint.
    pub tree_size: u64,
    /// How many records.
    pub records: usize,
    /// Records whose body is not in the bundle.
    pub bodies_absent: usize,
    /// Fields erased from the bodies that are.
    pub fields_erased: usize,
    /// Stretches of the log that records name and the bundle does not include.
    pub stretches_absent: usize,
}

impl Report {
    /// Whether every check holds.
    pub fn holds(&self) -> bool {
        self.checks.iter().all(|check| check.ok)
    }

    fn new(trust: Trust) -> Self {
        Self {
            checks: Vec::new(),
            trust,
            case_id: String::new(),
            origin: String::new(),
            tree_size: 0,
            records: 0,
            bodies_absent: 0,
            fields_erased: 0,
            stretches_absent: 0,
        }
    }

    /// Note a check that looked at one thing.
    fn one(&mut self, check: &'static str, found: Result<(), String>) {
        self.many(check, 1, found.err());
    }

    fn many(&mut self, check: &'static str, looked_at: usize, failures: impl IntoIterator<Item = String>) {
        let mut failures: Vec<String> = failures.into_iter().collect();
        let ok = failures.is_empty();
        if failures.len() > FAILURES_LISTED_MAX {
            let more = failures.len() - FAILURES_LISTED_MAX;
            failures.truncate(FAILURES_LISTED_MAX);
            failures.push(format!("and {more} more"));
        }
        self.checks.push(Check { check, ok, looked_at, failures });
    }
}

impl Bundle {
    /// A bundle that verifies, for looking into; else what does not hold.
    pub fn open(bytes: &[u8], key: Option<&VerifierKey>) -> Result<Self, Box<Report>> {
        let report = verify(bytes, key);
        read(bytes).ok().filter(|_| report.holds()).map(|(bundle, _)| bundle).ok_or(Box::new(report))
    }
}

/// Check a bundle: its encoding, its seal, the checkpoint's signature, each record's inclusion, each body's
/// commitment and each stretch of events. `key` is the log's public key, from a source the verifier trusts;
/// without one, the bundle is checked against the key it carries itself.
pub fn verify(bytes: &[u8], key: Option<&VerifierKey>) -> Report {
    let mut report = Report::new(if key.is_some() { Trust::GivenKey } else { Trust::SelfSigned });
    let (bundle, sealed) = match read(bytes) {
        Ok(read) => read,
        Err(reason) => {
            report.one("encoding", Err(reason));
            return report;
        }
    };
    report.one("encoding", Ok(()));
    report.case_id.clone_from(&bundle.case_id);
    report.records = bundle.records.len();

    let own = match own_key(&bundle, key) {
        Ok(own) => own,
        Err(reason) => {
            report.one("key", Err(reason));
            return report;
        }
    };
    report.one("key", Ok(()));
    own.name().clone_into(&mut report.origin);
    report.one("seal", check_seal(&own, &sealed));
    match open_checkpoint(&own, &bundle) {
        Ok(checkpoint) => {
            report.tree_size = checkpoint.size;
            report.one("checkpoint", Ok(()));
            check_inclusion(&mut report, &bundle, &checkpoint);
        }
        Err(reason) => report.one("checkpoint", Err(reason)),
    }
    check_bodies(&mut report, &bundle);
    check_case(&mut report, &bundle);
    check_events(&mut report, &bundle);
    report
}

fn own_key(bundle: &Bundle, given: Option<&VerifierKey>) -> Result<VerifierKey, String> {
    let own: VerifierKey = bundle.vkey.parse().map_err(|error| format!("the bundle's key is {error}"))?;
    match given {
        Some(given) if *given != own => Err(format!("the bundle is by {own}, not by {given}")),
        _ => Ok(own),
    }
}

fn check_seal(key: &VerifierKey, sealed: &Sealed) -> Result<(), String> {
    let text = key.open(&sealed.seal).map_err(|error| error.to_string())?;
    if text != seal_text(sealed.content.get()) {
        return Err("the content's hash is not the one that was sealed".to_owned());
    }
    one_signature(&sealed.seal)
}

/// A second signature, by whichever key, would be bytes that nothing covers.
fn one_signature(note: &str) -> Result<(), String> {
    let signatures = note.rsplit("\n\n").next().map_or(0, |lines| lines.lines().count());
    if signatures == 1 { Ok(()) } else { Err(format!("{signatures} signatures where one is expected")) }
}

fn open_checkpoint(key: &VerifierKey, bundle: &Bundle) -> Result<Checkpoint, String> {
    let text = key.open(&bundle.checkpoint).map_err(|error| error.to_string())?;
    let checkpoint = Checkpoint::parse(text).map_err(|error| error.to_string())?;
    if checkpoint.origin != key.name() {
        return Err(format!("the checkpoint is of {}, not of {}", checkpoint.origin, key.name()));
    }
    Ok(checkpoint)
}

fn check_inclusion(report: &mut Report, bundle: &Bundle, checkpoint: &Checkpoint) {
    let Checkpoint { size, root, .. } = checkpoint;
    let failures: Vec<String> = bundle
        .records
        .iter()
        .filter(|r| !r.leaf.is_known() || !verify_inclusion(r.index, *size, &r.leaf.hash(), &r.path, root))
        .map(|r| format!("the log does not hold {}", name(r)))
        .collect();
    report.many("inclusion", bundle.records.len(), failures);
}

fn check_bodies(report: &mut Report, bundle: &Bundle) {
    let mut looked_at = 0;
    let mut failures = Vec::new();
    for record in &bundle.records {
        let Some(body) = &record.body else {
            report.bodies_absent += 1;
            continue;
        };
        looked_at += 1;
        report.fields_erased += body.erased().count();
        if !body.is_consistent() || body.commitment() != record.leaf.commitment {
            failures.push(format!("the body of {} is not the one that was logged", name(record)));
        }
    }
    report.many("bodies", looked_at, failures);
}

/// A record that names a case must name this one.
fn check_case(report: &mut Report, bundle: &Bundle) {
    let named = |r: &Proved| serde_json::from_str::<String>(r.body.as_ref()?.field("case_id")?).ok();
    let naming: Vec<(&Proved, String)> =
        bundle.records.iter().filter_map(|r| named(r).map(|case| (r, case))).collect();
    let failures: Vec<String> = naming
        .iter()
        .filter(|(_, case)| *case != bundle.case_id)
        .map(|(r, _)| format!("{} belongs to another case", name(r)))
        .collect();
    report.many("case", naming.len(), failures);
}

/// Each stretch that is included must be one that a record names.
fn check_events(report: &mut Report, bundle: &Bundle) {
    let named = |r: &Proved| serde_json::from_str::<Stretch>(r.body.as_ref()?.field("events")?).ok();
    let mut named: Vec<Hash256> = bundle.records.iter().filter_map(named).map(|s| stretch_id(&s)).collect();
    named.sort_unstable();
    named.dedup();
    let mut brought: Vec<Option<Hash256>> =
        bundle.stretches.iter().map(|s| s.stretch().as_ref().map(stretch_id)).collect();
    let failures: Vec<String> = brought
        .iter()
        .enumerate()
        .filter(|(_, id)| !id.is_some_and(|id| named.binary_search(&id).is_ok()))
        .map(|(i, _)| format!("the log records of stretch {i} are not those that a record names"))
        .collect();
    brought.sort_unstable();
    report.stretches_absent = named.iter().filter(|&&id| brought.binary_search(&Some(id)).is_err()).count();
    report.many("events", bundle.stretches.len(), failures);
}

/// A stretch in one word, for comparing sets of them.
fn stretch_id(s: &Stretch) -> Hash256 {
    let place = [u64::from(s.partition), s.first, s.last, s.count].map(u64::to_be_bytes);
    Hash256::of_parts([s.topic.as_bytes(), &s.hash.0].into_iter().chain(place.iter().map(|n| n.as_slice())))
}

fn name(record: &Proved) -> String {
    format!("{} {} (leaf {})", record.leaf.kind.name(), record.leaf.id, record.index)
}

#[cfg(test)]
mod tests {
    use zeroize::Zeroizing;

    use super::*;
    use crate::{Signer, Tree};

    /// Only the holder of the key can sign one: under its own name it would pass for this log's.
    #[test]
    fn a_checkpoint_of_another_origin_is_found() {
        let signer = Signer::from_seed("evidence.example", Zeroizing::new([7; 32])).unwrap();
        let tree = Tree::default();
        let report = |origin: &str| {
            let checkpoint = Checkpoint { origin: origin.to_owned(), size: tree.size(), root: tree.root() };
            let bundle = Bundle::new("case-5", signer.sign(&checkpoint.to_string()), &signer);
            verify(&bundle.seal(&signer).unwrap(), None)
        };
        assert!(report("evidence.example").holds());
        let failed: Vec<_> = report("other.example").checks.into_iter().filter(|check| !check.ok).collect();
        assert_eq!(failed.len(), 1);
        assert_eq!(failed[0].check, "checkpoint");
        assert_eq!(failed[0].failures, ["the checkpoint is of other.example, not of evidence.example"]);
    }

    #[test]
    fn of_many_failures_the_first_are_spelled_out_and_the_rest_counted() {
        let listed = |found: usize| {
            let mut report = Report::new(Trust::SelfSigned);
            report.many("bodies", found, (0..found).map(|n| n.to_string()));
            let failures = report.checks.remove(0).failures;
            (failures.len(), failures.last().cloned().unwrap_or_default())
        };
        assert_eq!(listed(FAILURES_LISTED_MAX), (FAILURES_LISTED_MAX, "19".to_owned()));
        assert_eq!(listed(FAILURES_LISTED_MAX + 5), (FAILURES_LISTED_MAX + 1, "and 5 more".to_owned()));
    }
}
